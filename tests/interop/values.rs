//! Values whose type is known only at run time: what h5py wrote and read, and what we read.

use crate::manifest::{pythons, script};
use crate::support::run_python_with;
use h5quill::{
    ErrorKind, File, H5Type, Object, ObjectReference, Reference, RegionReference, Value,
};
use std::path::Path;

/// The path of the object that a reference names.
fn target(file: &File, reference: &Reference) -> String {
    match file.dereference(reference.object()).unwrap() {
        Object::Group(group) => group.name(),
        Object::Dataset(dataset) => dataset.name(),
        Object::Datatype(datatype) => datatype.name(),
        other => panic!("{other:?}"),
    }
}

fn joined(file: &File, values: &[Value], separator: &str) -> String {
    let texts: Vec<String> = values.iter().map(|value| text(file, value)).collect();
    texts.join(separator)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a value, as `values.py` has it.
fn text(file: &File, value: &Value) -> String {
    match value {
        Value::Integer(value) => format!("i{value}"),
        Value::Float(value) if value.is_nan() => "nan".into(),
        Value::Float(value) => format!("f{:016x}", value.to_bits()),
        Value::F80(value) => {
            let (sign_exponent, mantissa) = value.to_bits();
            format!("F80:{sign_exponent:04x}{mantissa:016x}")
        }
        Value::F128(value) => format!("F128:{:032x}", value.to_bits()),
        Value::Time(bits) => format!("T{bits}"),
        Value::String(text) => format!("s{}", hex(text.as_bytes())),
        Value::Bitfield(bits) => format!("B{bits}"),
        Value::Bytes(bytes) => format!("b{}", hex(bytes)),
        Value::Compound(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", text(file, value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Reference(reference) if reference.is_null() => "null".into(),
        Value::Reference(reference) => match reference {
            Reference::Object(_) => format!("r{}", target(file, reference)),
            Reference::Region(region) => {
                let read = file.dereference_region(region).unwrap();
                let values = joined(file, &read.read_values().unwrap(), ",");
                format!("R{}:{values}", target(file, reference))
            }
            Reference::Attribute(attribute) => {
                format!("A{}@{}", target(file, reference), attribute.name())
            }
            other => panic!("{other:?}"),
        },
        Value::Enum { name, value } => format!("e{}={value}", name.as_deref().unwrap_or("?")),
        Value::Sequence(values) => format!("<{}>", joined(file, values, ",")),
        Value::Array(values) => format!("[{}]", joined(file, values, ",")),
        Value::Complex(parts) => format!("({})", joined(file, &parts[..], ",")),
        other => panic!("{other:?}"),
    }
}

fn values(file: &File, path: &str) -> Vec<Value> {
    match path.split_once('@') {
        Some((_, name)) => file.attr(name).unwrap().read_values().unwrap(),
        None => file.dataset(path).unwrap().read_values(..).unwrap(),
    }
}

fn check(python: &Path) {
    let (_guard, path) = crate::written::scratch("values.h5");
    let lines = script(python, "values.py", &[path.as_os_str()]);
    for file in [File::open(&path).unwrap(), {
        // A copy that is open for writing finds objects along the links.
        File::open_memory(std::fs::read(&path).unwrap()).unwrap()
    }] {
        for line in lines.lines() {
            let (path, expected) = line.split_once('\t').unwrap();
            assert_eq!(joined(&file, &values(&file, path), ";"), expected, "{path}");
        }
    }
    assert!(lines.lines().count() > 45, "{lines}");
}

#[test]
fn values_of_every_class_are_those_of_h5py() {
    for python in pythons() {
        check(&python);
    }
}

/// What h5py makes of references that we wrote.
const REFERENCES: &str = r#"
import sys, h5py
with h5py.File(sys.argv[1], "r") as f:
    for r in f["objects"][()]:
        print(f[r].name if r else "null")
    for r in list(f["regions"][()]) + list(f.attrs["regions"]):
        print(f[r].name, f[f[r].name][r].ravel().tolist() if r else "null") if r else print("null")
    print(f[f.attrs["objects"][0]].name, f[f["row"][0]].name)
"#;

#[test]
fn h5py_follows_the_references_we_write() {
    let (_guard, path) = crate::written::scratch("references.h5");
    let file = File::create(&path).unwrap();
    let values = ndarray::Array2::from_shape_fn((4, 6), |(row, column)| (6 * row + column) as i32);
    let data = file
        .new_dataset::<i32>()
        .create_with("g/data", &values)
        .unwrap();
    let objects = [
        file.reference("g").unwrap(),
        data.reference().unwrap(),
        ObjectReference::null(),
        file.root().reference(".").unwrap(),
    ];
    let list = file.new_dataset::<ObjectReference>().shape(0..);
    list.create("objects").unwrap().append(&objects).unwrap();
    let row = file
        .new_dataset::<ObjectReference>()
        .create_with("row", &objects[1..2]);
    row.unwrap();
    file.set_attr("objects", objects[..2].to_vec()).unwrap();
    let regions = [
        data.region_reference((1..3, 2..)).unwrap(),
        data.region_reference(ndarray::s![..;2, 1..;3]).unwrap(),
        RegionReference::null(),
        data.region_reference(..).unwrap(),
        data.region_reference((2, -1)).unwrap(),
    ];
    let list = file
        .new_dataset::<RegionReference>()
        .create_with("regions", &regions);
    assert_eq!(
        list.unwrap().read_raw::<RegionReference>().unwrap(),
        regions
    );
    file.set_attr("regions", regions.to_vec()).unwrap();
    let scalar = file.new_dataset::<f32>().create("scalar").unwrap();
    let of_scalar = scalar.region_reference(..).unwrap();
    assert_eq!(
        file.dereference_region(&of_scalar)
            .unwrap()
            .read_raw::<f32>()
            .unwrap(),
        [0.0]
    );
    file.close().unwrap();

    let lines = "/g\n/g/data\nnull\n/\n";
    let regions = "/g/data [8, 9, 10, 11, 14, 15, 16, 17]\n/g/data [1, 4, 13, 16]\nnull\n\
                   /g/data [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]\n\
                   /g/data [17]\n";
    for python in pythons() {
        let said = run_python_with(&python, REFERENCES, &[path.as_os_str()]);
        assert_eq!(said, format!("{lines}{regions}{regions}/g /g/data\n"));
    }
    // A reference leads nowhere once its object is gone, and to the object wherever it is linked.
    let file = File::open_rw(&path).unwrap();
    let reference = file.reference("g").unwrap();
    file.link_hard("g", "elsewhere").unwrap();
    file.unlink("g").unwrap();
    let Object::Group(group) = file.dereference(&reference).unwrap() else {
        panic!("not a group");
    };
    assert_eq!(group.name(), "/elsewhere");
    file.unlink("elsewhere").unwrap();
    let gone = file.dereference(&reference).unwrap_err();
    assert_eq!(gone.kind(), &ErrorKind::NotFound);
    let null = file.dereference(&ObjectReference::null()).unwrap_err();
    assert!(matches!(null.kind(), ErrorKind::Invalid(_)));
}

/// As HDF5 1.12 has them: h5py does not read them, the library that it brings does.
#[test]
fn libhdf5_follows_the_revised_references_we_write() {
    let (_guard, path) = crate::written::scratch("revised.h5");
    let file = File::create(&path).unwrap();
    let values = ndarray::Array2::from_shape_fn((4, 6), |(row, column)| (6 * row + column) as i32);
    let builder = file.new_dataset::<i32>();
    let data = builder.create_with("g/data", &values).unwrap();
    data.set_attr("größe", 1).unwrap();
    let references: Vec<Reference> = vec![
        file.reference("g").unwrap().into(),
        data.region_reference((1..3, 2..)).unwrap().into(),
        ObjectReference::null().into(),
        data.attr_reference("größe").unwrap().into(),
        data.region_reference(ndarray::s![..;2, 1..;3])
            .unwrap()
            .into(),
        data.reference().unwrap().into(),
        RegionReference::null().into(),
    ];
    let list = file.new_dataset::<Reference>().shape(0..).chunk(4);
    let list = list.create("list").unwrap();
    list.append(&references[..3]).unwrap();
    // By whatever type, in one element or many.
    let values: Vec<Value> = references[3..]
        .iter()
        .cloned()
        .map(Value::Reference)
        .collect();
    list.resize(references.len()).unwrap();
    list.write_values(&values, 3..).unwrap();
    file.set_attr("list", references.clone()).unwrap();
    file.set_attr("count", references.len() as i64).unwrap();
    let object = file
        .new_dataset_of(Reference::datatype())
        .create("one")
        .unwrap();
    object.write_scalar(&data.reference().unwrap()).unwrap();
    file.close().unwrap();
    let mut expected: Vec<&str> = vec![
        "object /g",
        "region /g/data 8 [1, 2] [2, 5]",
        "null",
        "attribute /g/data größe",
        "region /g/data 4 [0, 1] [2, 4]",
        "object /g/data",
        "null",
    ];
    expected.extend(expected.clone());
    for python in pythons() {
        let said = script(&python, "revised.py", &[path.as_os_str()]);
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
        let file = File::open_rw(&path).unwrap();
        for name in ["list", "again"] {
            let again = file.dataset(name).unwrap();
            let read = again.read_raw::<Reference>().unwrap();
            assert_eq!(read.len(), references.len());
            for (read, reference) in read.iter().zip(&references) {
                assert_eq!(read.is_null(), reference.is_null());
                if let (Reference::Region(read), Reference::Region(reference)) = (read, reference)
                    && !read.is_null()
                {
                    // libhdf5 may write the selection in another version.
                    let values = |region| {
                        let region = file.dereference_region(region).unwrap();
                        region.read_raw::<i32>().unwrap()
                    };
                    assert_eq!(values(read), values(reference));
                } else if !read.is_null() {
                    assert_eq!(read, reference);
                }
            }
        }
        file.unlink("again").unwrap();
        let report = file.verify().unwrap();
        file.close().unwrap();
        assert!(report.is_sound(), "{report}");
    }
    let file = File::open(&path).unwrap();
    let one = file.dataset("one").unwrap();
    assert_eq!(
        one.read_scalar::<ObjectReference>().unwrap(),
        file.reference("g/data").unwrap()
    );
}

#[test]
fn revised_references_are_not_for_18() {
    let options = File::with_options().libver(h5quill::LibVer::V18);
    let file = options
        .create_on(h5quill::storage::MemoryStorage::new())
        .unwrap();
    let reference = Reference::from(file.reference("/").unwrap());
    let refused = |error: h5quill::Error| matches!(error.kind(), ErrorKind::Unsupported(_));
    let builder = file.new_dataset::<Reference>();
    assert!(refused(builder.create("x").unwrap_err()));
    assert!(refused(file.set_attr("x", vec![reference]).unwrap_err()));
    assert!(refused(
        file.commit_type::<[Reference; 2]>("x").unwrap_err()
    ));
    assert!(file.is_empty().unwrap() && file.attr_names().unwrap().is_empty());
}
