//! Values whose type is known only at run time: what h5py wrote and read, and what we read.

use crate::manifest::{pythons, script};
use h5quill::{File, Object, Reference, Value};
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
            Reference::Region(_) => format!("R{}", target(file, reference)),
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
