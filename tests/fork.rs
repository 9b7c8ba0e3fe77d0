//! A process forked from the one that has a file open: it has a copy of the handles, and shares the file and its lock.

#![cfg(unix)]

use fork::Fork;
use h5quill::{Dataset, ErrorKind, File, FileBuilder};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// What the child does with its copies of the handles.
fn in_a_child(child: impl FnOnce()) {
    match fork::fork().unwrap() {
        Fork::Child => {
            let failed = catch_unwind(AssertUnwindSafe(child)).is_err();
            std::process::exit(i32::from(failed));
        }
        Fork::Parent(pid) => assert_eq!(fork::waitpid(pid).unwrap(), 0, "the child failed"),
    }
}

fn refused<T>(result: h5quill::Result<T>) {
    match result {
        Ok(_) => panic!("a child writes"),
        Err(error) => assert_eq!(error.kind(), &ErrorKind::OtherProcess, "{error}"),
    }
}

fn is_locked(path: &Path) -> bool {
    matches!(File::open(path), Err(error) if *error.kind() == ErrorKind::Locked)
}

/// A file with some rows that are committed and some that are not.
fn begin(options: &FileBuilder, path: &Path) -> (File, Dataset) {
    let file = options.create(path).unwrap();
    let builder = file.new_dataset::<u32>().shape(0..).chunk(1000);
    let data = builder.deflate(1).create("x").unwrap();
    data.append(&(0..2500).collect::<Vec<u32>>()).unwrap();
    file.flush().unwrap();
    data.append(&(2500..4700).collect::<Vec<u32>>()).unwrap();
    (file, data)
}

/// The file goes on as if there had been no child.
fn finish(file: File, data: Dataset, path: &Path) {
    assert!(is_locked(path), "the child gave up the lock");
    data.append(&(4700..9000).collect::<Vec<u32>>()).unwrap();
    drop(data);
    file.close().unwrap();
    let file = File::open(path).unwrap();
    assert!(file.verify().unwrap().is_sound());
    let rows = file.dataset("x").unwrap().read_raw::<u32>().unwrap();
    assert!(rows.into_iter().eq(0..9000));
}

#[test]
fn a_child_neither_commits_nor_unlocks_the_file_of_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let in_background = File::with_options().flush_every(Duration::from_secs(3600));
    for options in [
        File::with_options(),
        File::with_options().threads(1),
        in_background,
    ] {
        let (file, data) = begin(&options, &path);
        let before = std::fs::read(&path).unwrap();
        // The child drops its copies of all handles.
        match fork::fork().unwrap() {
            Fork::Child => {
                drop(data);
                drop(file);
                std::process::exit(0);
            }
            Fork::Parent(pid) => assert_eq!(fork::waitpid(pid).unwrap(), 0),
        }
        assert!(std::fs::read(&path).unwrap() == before, "the child writes");
        in_a_child(|| {
            refused(file.flush());
            refused(file.sync());
            refused(file.clone().close());
        });
        assert!(std::fs::read(&path).unwrap() == before, "the child writes");
        finish(file, data, &path);
    }
}

#[test]
fn a_child_writes_no_chunks_before_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let (file, data) = begin(&File::with_options().threads(1).chunk_cache(0), &path);
    let before = std::fs::read(&path).unwrap();
    in_a_child(|| {
        let other = file.new_dataset::<u64>().shape(0..).chunk(1 << 14);
        refused(
            other
                .create("y")
                .and_then(|data| data.append(&vec![9_u64; 1 << 18])),
        );
    });
    assert!(std::fs::read(&path).unwrap() == before, "the child writes");
    finish(file, data, &path);
}

#[test]
fn a_child_may_read_and_open_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let (file, data) = begin(&File::with_options().threads(1), &path);
    in_a_child(|| {
        assert_eq!(data.read_slice::<u32, _, _>(7).unwrap(), ndarray::arr0(7));
        let own = File::create(folder.path().join("own.h5")).unwrap();
        own.create_group("a").unwrap();
        own.close().unwrap();
    });
    assert!(
        File::open(folder.path().join("own.h5"))
            .unwrap()
            .exists("a")
            .unwrap()
    );
    finish(file, data, &path);
}
