//! An object of any kind that we made takes what libhdf5 adds to it: attributes, few and many, and hard links.

use crate::manifest::{pythons, script};
use h5quill::{
    AllocTime, ByteOrder, CharacterSet, ChunkOpts, CompoundMember, Datatype, Extents, F80, File,
    H5Type, LibVer, Location, StringPadding,
};
use half::f16;
use std::ffi::OsStr;
use std::path::Path;

fn string(size: u32) -> Datatype {
    Datatype::FixedString {
        size,
        padding: StringPadding::NullPad,
        charset: CharacterSet::Utf8,
    }
}

/// A datatype of every class, the short ones in several sizes.
fn datatypes() -> Vec<Datatype> {
    let Datatype::Integer(bits) = u8::datatype() else {
        unreachable!("u8 is an integer")
    };
    let member = |name: &str, offset, datatype| CompoundMember {
        name: name.to_owned(),
        offset,
        datatype,
    };
    vec![
        u8::datatype(),
        i8::datatype(),
        i32::datatype(),
        u64::datatype(),
        f16::datatype(),
        f64::datatype(),
        F80::datatype(),
        string(1),
        string(12),
        string(300),
        Datatype::Bitfield(bits),
        Datatype::Time {
            size: 4,
            order: ByteOrder::LittleEndian,
            precision: 32,
        },
        Datatype::Opaque {
            size: 1,
            tag: String::new(),
        },
        Datatype::Opaque {
            size: 3,
            tag: "rgb".to_owned(),
        },
        Datatype::Compound {
            size: 1,
            members: vec![member("a", 0, u8::datatype())],
        },
        Datatype::Compound {
            size: 20,
            members: vec![
                member("a long name", 0, f64::datatype()),
                member("b", 8, string(12)),
            ],
        },
        Datatype::Reference {
            size: 8,
            kind: 0,
            version: 0,
        },
        bool::datatype(),
        Datatype::VarLenSequence {
            size: 16,
            base: Box::new(u8::datatype()),
        },
        String::datatype(),
        <[u8; 3]>::datatype(),
    ]
}

fn make_groups(file: &File) {
    file.create_group("group plain").unwrap();
    let ordered = file.new_group().track_order(true);
    ordered.create("group ordered").unwrap();
    let changing = file.new_group().attr_phase_change(2, 1);
    changing
        .link_phase_change(2, 1)
        .create("group changing")
        .unwrap();
    for (name, members) in [("group few", 3), ("group dense", 40)] {
        for ordered in [false, true] {
            let group = file.new_group().track_order(ordered);
            let group = group.create(&format!("{name} {ordered}")).unwrap();
            for member in 0..members {
                group.create_group(&format!("member {member}")).unwrap();
            }
        }
    }
    let group = file.create_group("group with attributes").unwrap();
    group.set_attr("theirs 0", 0).unwrap();
}

/// Datasets of every layout, with and without data; small elements make small messages.
fn make_datasets<T: H5Type + Default + Clone>(file: &File, name: &str) {
    let data = |rows: usize| ndarray::Array1::from_elem(rows, T::default());
    for ordered in [false, true] {
        let new = || file.new_dataset::<T>().track_order(ordered);
        let name = |what: &str| format!("{name} {what} {ordered}");
        new().shape(()).create(&name("scalar")).unwrap();
        new()
            .shape(())
            .compact()
            .create(&name("compact scalar"))
            .unwrap();
        new().shape(3).compact().create(&name("compact")).unwrap();
        new().shape(Extents::Null).create(&name("null")).unwrap();
        new().shape(3).create(&name("no data")).unwrap();
        new().shape(0).create(&name("no rows")).unwrap();
        new().create_with(&name("contiguous"), &data(4)).unwrap();
        let written = new()
            .create_with(&name("attribute at once"), &data(4))
            .unwrap();
        written.set_attr("theirs 0", 0).unwrap();
        let chunked = new().shape(4).chunk(4);
        chunked.create_with(&name("one chunk"), &data(4)).unwrap();
        let early = new().shape(9).chunk(4).alloc_time(AllocTime::Early);
        early.create(&name("implicit")).unwrap();
        let chunked = new().shape(9).chunk(2);
        chunked.create_with(&name("fixed array"), &data(9)).unwrap();
        let grows = new().shape(0..).create(&name("grows")).unwrap();
        grows.append(&data(5)).unwrap();
        new()
            .shape((0.., 0..))
            .create(&name("grows both ways"))
            .unwrap();
    }
}

fn make(libver: LibVer, path: &Path) {
    let file = File::with_options().libver(libver).create(path).unwrap();
    make_groups(&file);
    make_datasets::<u8>(&file, "u8");
    make_datasets::<String>(&file, "strings");
    let packed = file
        .new_dataset::<u8>()
        .shape(9)
        .chunk(4)
        .shuffle()
        .deflate(1);
    packed.clone().create_with("u8 packed", &[1_u8; 9]).unwrap();
    if libver != LibVer::V18 {
        let raw_edges = packed.chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS);
        raw_edges.create_with("u8 raw edges", &[1_u8; 9]).unwrap();
        let mapped = file.new_dataset::<u8>();
        let mapped = mapped.virtual_map("elsewhere.h5", "x", 3, .., 3, ..);
        mapped.create("u8 virtual").unwrap();
    }
    let outside = file.new_dataset::<u8>().shape(3);
    outside
        .external("raw.bin", 0, 3)
        .create("u8 external")
        .unwrap();
    for (number, datatype) in datatypes().iter().enumerate() {
        file.commit_datatype(
            &format!("type {number} {datatype}").replace('/', "|"),
            datatype,
        )
        .unwrap();
    }
    let named = file.commit_type::<i32>("type of others").unwrap();
    let of_named = file.new_dataset_of_named(&named).unwrap();
    of_named.shape(3).create("of a committed type").unwrap();
    file.close().unwrap();
}

/// What h5py added is there; one attribute goes and one comes.
fn edit(path: &Path, count: i32) {
    let file = File::open_rw(path).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    for name in file.member_names().unwrap() {
        if name.contains(" link ") {
            continue;
        }
        let object = file.open_object(&name).unwrap();
        let item: &Location = object.location();
        assert_eq!(item.attr_names().unwrap().len(), count as usize, "{name}");
        for number in 0..count {
            let attribute = item.attr(&format!("theirs {number}")).unwrap();
            assert_eq!(attribute.read_scalar::<i64>().unwrap(), i64::from(number));
        }
        item.delete_attr("theirs 0").unwrap();
        item.set_attr("ours", "kept").unwrap();
    }
    file.close().unwrap();
    let file = File::open(path).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
}

#[test]
fn every_kind_of_object_survives_what_libhdf5_adds() {
    let folder = tempfile::tempdir().unwrap();
    for (turn, python) in pythons().iter().enumerate() {
        for count in [1, 20, 200] {
            let paths: Vec<_> = [LibVer::V110, LibVer::V18]
                .iter()
                .map(|&libver| {
                    let name = format!("{turn} {count} {libver:?}.h5");
                    let path = folder.path().join(name);
                    make(libver, &path);
                    path
                })
                .collect();
            let number = count.to_string();
            let arguments = |verb: &'static str| {
                let mut all: Vec<&OsStr> = vec![verb.as_ref(), number.as_ref()];
                all.extend(paths.iter().map(|path| path.as_os_str()));
                all
            };
            script(python, "survive.py", &arguments("grow"));
            for path in &paths {
                edit(path, count);
            }
            let found = script(python, "survive.py", &arguments("check"));
            assert_eq!(found.lines().count(), paths.len());
        }
    }
}
