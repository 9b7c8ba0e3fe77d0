//! Chunks at the edge that end where the extent does, as some writers store them: libhdf5 reads them, and so do we.

use crate::manifest::{pythons, script};
use crate::support::python;
use h5quill::File;
use h5quill::storage::MemoryStorage;
use ndarray::{Array1, array, s};
use std::path::Path;

fn check_sound(file: &File) {
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
}

fn edit(path: &Path) {
    let file = File::open_rw(path).unwrap();
    check_sound(&file);
    for name in file.member_names().unwrap() {
        let data = file.dataset(&name).unwrap();
        let count = data.shape().iter().product::<usize>() as i32;
        let expected: Vec<i32> = (0..count).collect();
        assert_eq!(data.read_raw::<i32>().unwrap(), expected, "{name}");
        file.copy(&name, &file, &format!("{name} copy")).unwrap();
        let copy = file.dataset(&format!("{name} copy")).unwrap();
        assert_eq!(copy.read_raw::<i32>().unwrap(), expected, "{name}");
        if data.shape().len() == 1 {
            // What comes into view is fill, whether it is overwritten or not.
            data.resize(17).unwrap();
            data.append(&[100, 101]).unwrap();
            data.write_slice(&array![-5], 12..13).unwrap();
            data.resize(25).unwrap();
        } else {
            data.resize((5, 7)).unwrap();
            data.resize((9, 9)).unwrap();
            data.write_slice(&Array1::from_elem(1, -5), s![4, 5..6])
                .unwrap();
        }
    }
    file.close().unwrap();
    check_sound(&File::open(path).unwrap());
}

#[test]
fn chunks_that_end_where_the_extent_does_are_read_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python() else { return };
    for libver in ["earliest", "v110"] {
        let path = folder.path().join(format!("{libver}.h5"));
        let made = script(
            &python,
            "short_chunks.py",
            &["make".as_ref(), path.as_os_str(), libver.as_ref()],
        );
        let expected = if libver == "earliest" { 4 } else { 2 };
        assert_eq!(made.lines().count(), expected);
        edit(&path);
        for python in pythons() {
            script(
                &python,
                "short_chunks.py",
                &["check".as_ref(), path.as_os_str()],
            );
        }
    }
}

/// Appended to at once, so that the chunk that ends early is in no other way made whole.
#[test]
fn rows_are_appended_behind_a_chunk_that_ends_early() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/faults/short-last-chunk.h5");
    let Ok(bytes) = std::fs::read(path) else {
        return;
    };
    let file = File::open_rw_on(MemoryStorage::from(bytes)).unwrap();
    let data = file.dataset("d").unwrap();
    let rows: Vec<i32> = (0..15).collect();
    assert_eq!(data.read_raw::<i32>().unwrap(), rows);
    assert_eq!(
        data.read_slice::<i32, _, _>(12..15).unwrap(),
        Array1::from_vec(vec![12, 13, 14])
    );
    if data.is_resizable() {
        data.append(&[15, 16]).unwrap();
    } else {
        data.write_slice(&[14], 14..15).unwrap();
    }
    let file = File::open_on(MemoryStorage::from(file.into_bytes().unwrap())).unwrap();
    check_sound(&file);
    assert_eq!(
        file.dataset("d").unwrap().read_raw::<i32>().unwrap()[..15],
        rows
    );
}
