//! Copies of objects, as a user of the crate meets them.

#[path = "support/storage.rs"]
mod storage;

use h5quill::storage::MemoryStorage;
use h5quill::{CopyOptions, ErrorKind, File, LibVer, ObjectReference, Result};
use std::sync::{Arc, Barrier};
use std::thread;

fn sample() -> Result<File> {
    let file = File::create_memory()?;
    let data = file.new_dataset::<i32>().shape((0.., 2)).create("a/b/x")?;
    data.append(&ndarray::array![[1, 2], [3, 4]])?;
    file.link_hard("a/b/x", "a/same x")?;
    file.group("a")?.set_attr("unit", "V")?;
    Ok(file)
}

#[test]
fn what_several_links_lead_to_is_copied_once() {
    let file = sample().unwrap();
    file.copy("a", &file, "copy").unwrap();
    let data = file.dataset("copy/b/x").unwrap();
    data.append(&ndarray::array![[5, 6]]).unwrap();
    let other = file.dataset("copy/same x").unwrap();
    assert_eq!(other.read_raw::<i32>().unwrap(), [1, 2, 3, 4, 5, 6]);
    // The source is not touched.
    let source = file.dataset("a/b/x").unwrap();
    assert_eq!(source.read_raw::<i32>().unwrap(), [1, 2, 3, 4]);
    file.unlink("copy/b/x").unwrap();
    assert_eq!(other.read_raw::<i32>().unwrap().len(), 6);
}

#[test]
fn paths_are_seen_from_the_groups() {
    let file = sample().unwrap();
    let (a, b) = (file.group("a").unwrap(), file.group("a/b").unwrap());
    b.copy("x", &a, "made/on the way/y").unwrap();
    assert!(file.exists("a/made/on the way/y").unwrap());
    b.copy("/a/b", &a, "/top").unwrap();
    assert_eq!(file.group("top").unwrap().member_names().unwrap(), ["x"]);
    // The root group, too.
    let other = File::create_memory().unwrap();
    file.copy("/", &other, "all").unwrap();
    assert!(other.exists("all/a/made/on the way/y").unwrap());
    let unit = other.group("all/a").unwrap().attr("unit").unwrap();
    assert_eq!(unit.read_scalar::<String>().unwrap(), "V");
}

/// A table of pandas, whose index says that its chunks are beyond the end of the file.
#[test]
fn a_chunk_beyond_the_end_is_found_before_anything_is_written() {
    let mut bytes = include_bytes!("fixtures/pandas_table.h5").to_vec();
    // A node of a version 1 tree: 24 bytes, a key of 24 for one dimension, and the address of a chunk.
    let nodes = bytes.windows(5).enumerate();
    let nodes: Vec<usize> = nodes
        .filter(|(_, window)| window == b"TREE\x01")
        .map(|(at, _)| at)
        .collect();
    for at in nodes {
        bytes[at + 48..at + 56].copy_from_slice(&(1_u64 << 50).to_le_bytes());
    }
    let shared = storage::Shared::from(bytes.clone());
    let file = File::open_rw_on(shared.clone()).unwrap();
    let mut refused = 0;
    for name in file.member_names().unwrap() {
        if let Err(error) = file.copy(&name, &file, "copy") {
            assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{error}");
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
    file.flush().unwrap();
    assert!(shared.bytes() == bytes);
}

#[test]
fn what_cannot_be_copied_is_refused_and_nothing_changes() {
    let file = sample().unwrap();
    let other = File::create_memory().unwrap();
    other.create_group("there").unwrap();
    let refused = |from: &str, to: &str| file.copy(from, &other, to).unwrap_err();
    assert_eq!(refused("missing", "x").kind(), &ErrorKind::NotFound);
    assert_eq!(refused("missing", "x").object_path(), Some("/missing"));
    assert_eq!(refused("a", "there").kind(), &ErrorKind::Exists);
    assert_eq!(refused("a", "there").object_path(), Some("/there"));
    assert!(matches!(refused("a", "").kind(), ErrorKind::Invalid(_)));
    assert!(matches!(refused("a", "x/.").kind(), ErrorKind::Invalid(_)));
    assert_eq!(other.member_names().unwrap(), ["there"]);

    let bytes = other.into_bytes().unwrap();
    let storage = MemoryStorage::from(bytes.clone());
    let read_only = File::open_on(storage).unwrap();
    let error = file.copy("a", &read_only, "x").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::ReadOnly);
    let closed = File::open_memory(bytes).unwrap();
    let root = closed.root();
    closed.close().unwrap();
    let error = file.copy("a", &root, "x").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
    let error = root.copy("there", &file, "x").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Closed);
    assert!(!file.exists("x").unwrap());
}

#[test]
fn a_read_only_source_is_copied_from() {
    let bytes = sample().unwrap().into_bytes().unwrap();
    let storage = MemoryStorage::from(bytes);
    let source = File::open_on(storage).unwrap();
    let file = File::create_memory().unwrap();
    source.copy("a/b", &file, "b").unwrap();
    let error = source.copy("a/b", &source, "c").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::ReadOnly);
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    let data = file.dataset("b/x").unwrap();
    assert_eq!(data.read_raw::<i32>().unwrap(), [1, 2, 3, 4]);
}

#[test]
fn many_objects_are_copied() {
    let file = File::create_memory().unwrap();
    for number in 0..300_u32 {
        let path = format!("deep/{}/{}", number % 7, number);
        let data = file.new_dataset::<u32>().shape(0..).chunk(16).create(&path);
        data.unwrap().append(&[number; 20]).unwrap();
    }
    let mut path = String::from("deep");
    for level in 0..200 {
        path.push_str(&format!("/{level}"));
    }
    file.create_group(&path).unwrap();
    let other = File::create_memory().unwrap();
    file.copy("deep", &other, "deep").unwrap();
    let other = File::open_memory(other.into_bytes().unwrap()).unwrap();
    for number in 0..300_u32 {
        let data = other.dataset(&format!("deep/{}/{}", number % 7, number));
        assert_eq!(data.unwrap().read_raw::<u32>().unwrap(), [number; 20]);
    }
    assert!(other.exists(&path).unwrap());
}

#[test]
fn threads_copy_in_opposite_directions() {
    let (one, two) = (sample().unwrap(), sample().unwrap());
    let start = Arc::new(Barrier::new(3));
    let threads: Vec<_> = [
        (one.clone(), two.clone()),
        (two.clone(), one.clone()),
        (one.clone(), one.clone()),
    ]
    .into_iter()
    .enumerate()
    .map(|(thread, (from, to))| {
        let start = start.clone();
        thread::spawn(move || {
            start.wait();
            for number in 0..40 {
                let name = format!("{thread} {number}");
                from.copy("a/b", &to, &name).unwrap();
                if number % 10 == 0 {
                    to.flush().unwrap();
                }
            }
        })
    })
    .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(one.len().unwrap(), 1 + 40 + 40);
    assert_eq!(two.len().unwrap(), 1 + 40);
}

#[test]
fn external_links_are_not_followed() {
    // What follows them is refused before anything is made; a link is copied as it is.
    let file = sample().unwrap();
    let options = CopyOptions::new().expand_external(true);
    file.copy_with("a", &file, "x", options).unwrap();
    assert!(file.exists("x/b/x").unwrap());
}

#[test]
fn a_file_for_1_8_gets_what_1_8_can_read() {
    let source = File::create_memory().unwrap();
    for (name, extents) in [("fixed", 100..=100), ("growing", 100..=200)] {
        let data = source.new_dataset::<i16>().shape(extents).chunk(8);
        let data = data.deflate(1).create(&format!("tree/{name}")).unwrap();
        data.write(&(0..100).collect::<Vec<i16>>()).unwrap();
    }
    let options = File::with_options().libver(LibVer::V18);
    let file = options.create_on(MemoryStorage::new()).unwrap();
    source.copy("tree", &file, "copy").unwrap();
    for name in ["fixed", "growing"] {
        let data = file.dataset(&format!("copy/{name}")).unwrap();
        assert_eq!(data.read_raw::<i16>().unwrap()[99], 99);
    }
    let bytes = file.into_bytes().unwrap();
    let count = |bytes: &[u8], of: &[u8]| bytes.windows(4).filter(|at| *at == of).count();
    assert_eq!(count(&bytes, b"TREE"), 2); // version 1 B-trees
    assert_eq!(count(&bytes, b"FAHD") + count(&bytes, b"BTHD"), 0);
    let default = File::create_memory().unwrap();
    source.copy("tree", &default, "copy").unwrap();
    let bytes = default.into_bytes().unwrap();
    assert_eq!(count(&bytes, b"FAHD"), 1);
    assert_eq!(count(&bytes, b"BTHD"), 1);
}

/// Chunks that cannot be what the file says are found before anything is written.
#[test]
fn a_copy_that_is_refused_leaves_the_destination_as_it_is() {
    // Without filters: the tree of HDF5 1.8 names the sizes of chunks, and has no checksum.
    let options = File::with_options().libver(LibVer::V18);
    let file = options.create_on(MemoryStorage::new()).unwrap();
    let group = file.create_group("g").unwrap();
    let sound = group.new_dataset::<i64>().shape(1000..).chunk(100);
    sound.create_with("a", &vec![7_i64; 1000]).unwrap();
    let broken = group.new_dataset::<i32>().shape(15..).chunk(10);
    broken.create_with("b", &[1; 15]).unwrap();
    let mut bytes = file.into_bytes().unwrap();
    let key = [&40_u32.to_le_bytes()[..], &[0; 4], &10_u64.to_le_bytes()].concat();
    let at = bytes
        .windows(key.len())
        .position(|found| found == key)
        .unwrap();
    for size in [44_u8, 16] {
        bytes[at] = size;
        refused("g", &bytes, false);
    }
    // Through a filter that does not take off what stands there: references are looked at on their way to another file.
    let file = File::create_memory().unwrap();
    let group = file.create_group("g").unwrap();
    let sound = group.new_dataset::<i64>().shape(1000..).chunk(100);
    sound.create_with("a", &vec![7_i64; 1000]).unwrap();
    let broken = group
        .new_dataset::<ObjectReference>()
        .shape(4)
        .chunk(4)
        .deflate(1);
    let broken = broken.create("b").unwrap();
    broken.write_chunk(&[0], 0, b"no deflated bytes").unwrap();
    refused("g", &file.into_bytes().unwrap(), true);
}

fn refused(path: &str, bytes: &[u8], other_only: bool) {
    let storage = || MemoryStorage::from(bytes.to_vec());
    let source = File::open_rw_on(storage()).unwrap();
    let other = File::create_memory().unwrap();
    other.set_attr("a", 1).unwrap();
    let before = other.into_bytes().unwrap();
    let other = File::open_rw_on(MemoryStorage::from(before.clone())).unwrap();
    source.copy(path, &other, "copy").unwrap_err();
    assert!(other.into_bytes().unwrap() == before, "another file");
    if !other_only {
        source.copy(path, &source, "copy").unwrap_err();
    }
    assert!(source.into_bytes().unwrap() == bytes, "the same file");
}
