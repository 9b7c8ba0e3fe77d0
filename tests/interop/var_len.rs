//! Elements of variable length: with checksums, and with fill values.

use crate::manifest::script;
use crate::support::python;
use h5quill::{Datatype, ErrorKind, File, H5Type};
use std::ffi::OsStr;

/// Refused, with nothing changed, for the reason given.
fn refused<T: std::fmt::Debug>(result: h5quill::Result<T>, reason: &str) {
    let error = result.unwrap_err();
    let named = matches!(error.kind(), ErrorKind::Unsupported(what) if what.contains(reason));
    assert!(named, "{error}");
}

#[test]
fn checksums_of_variable_length_are_refused_where_libhdf5_refuses_them() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(python) = python() {
        let path = folder.path().join("h5py.h5");
        script(
            &python,
            "var_len.py",
            &[OsStr::new("refused"), path.as_os_str()],
        );
    }
    let path = folder.path().join("ours.h5");
    let file = File::create(&path).unwrap();
    file.flush().unwrap();
    let before = std::fs::read(&path).unwrap();
    let text = file.new_dataset::<String>().shape(3).chunk(2).fletcher32();
    refused(text.create("text"), "fletcher32");
    let sequence = Datatype::VarLenSequence {
        size: 16,
        base: Box::new(i32::datatype()),
    };
    let numbers = file.new_dataset_of(sequence).shape(3).chunk(2);
    refused(
        numbers.deflate(1).fletcher32().create("numbers"),
        "fletcher32",
    );
    file.flush().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    file.new_dataset::<[String; 2]>()
        .shape(3)
        .chunk(2)
        .fletcher32()
        .create("pairs")
        .unwrap();
    assert!(!file.dataset("pairs").unwrap().filters().unwrap()[0].optional);
}

#[test]
fn fill_values_of_variable_length_are_never_shared_by_elements() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fill.h5");
    script(
        &python,
        "var_len.py",
        &[OsStr::new("make"), path.as_os_str()],
    );
    let file = File::open_rw(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let gap = file.dataset("gap").unwrap();
    let why = "fill value is of variable length";
    refused(gap.resize(10), why);
    refused(gap.append(&["d".to_string()]), why);
    refused(gap.write_slice(&["d".to_string()], 1..2), why);
    file.flush().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(gap.read_raw::<String>().unwrap(), ["a", "b", "c"]);
    let empty = file.dataset("empty").unwrap();
    empty.resize(10).unwrap();
    empty.write_slice(&["z".to_string()], 9..10).unwrap();
    empty.write_slice(&["y".to_string()], 8..9).unwrap();
    empty.write_slice(&["".to_string()], 4..5).unwrap();
    file.close().unwrap();
    script(
        &python,
        "var_len.py",
        &[OsStr::new("overwrite"), path.as_os_str()],
    );
}
