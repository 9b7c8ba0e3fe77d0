//! A process of ours that dies, and h5py that goes on with its file: strings that were never committed must not get in the
//! way of those that h5py appends.

#![cfg(unix)]

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::storage::{FileStorage, Storage, StorageError};
use h5quill::{File, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says to the test of this program that runs again in a process of its own where its file is, and what it is to do.
const WORK: &str = "H5QUILL_DYING_WORK";

/// A file on disk whose process dies at a certain change.
struct Dying {
    inner: FileStorage,
    /// How many changes are still made.
    left: usize,
}

impl Dying {
    fn change(&mut self) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => std::process::abort(),
        }
    }
}

impl Storage for Dying {
    fn len(&self) -> std::result::Result<u64, StorageError> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), StorageError> {
        self.inner.read_at(offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::result::Result<(), StorageError> {
        self.change();
        self.inner.write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> std::result::Result<(), StorageError> {
        self.change();
        self.inner.set_len(len)
    }

    fn sync(&mut self) -> std::result::Result<(), StorageError> {
        self.inner.sync()
    }
}

fn short_strings(path: &Path) -> Result<()> {
    let file = File::create(path)?;
    let names = file.new_dataset::<String>().shape(0..).create("names")?;
    names.append(&["first".to_string(), "second".to_string()])?;
    file.flush()?;
    for number in 0..200_000 {
        names.append(&[format!("n{number}")])?;
    }
    std::process::abort();
}

/// Two datasets of strings, and a commit of both that is never done: at the change of this number the process dies.
fn amid_a_commit(path: &Path, change: usize) -> Result<()> {
    let file = File::create(path)?;
    for name in ["A", "B"] {
        let data = file.new_dataset::<String>().shape(0..).create(name)?;
        data.append(&["a".to_string(), "b".to_string()])?;
    }
    file.close()?;
    let device = std::fs::File::options().read(true).write(true).open(path);
    let file = File::open_rw_on(Dying {
        inner: FileStorage::new(device.expect("the file is there")),
        left: change,
    })?;
    for name in ["A", "B"] {
        let lost: Vec<String> = (0..10).map(|number| format!("lost {number}")).collect();
        file.dataset(name)?.append(&lost)?;
    }
    file.flush()?;
    // It is done: the test has seen every moment.
    Ok(())
}

/// Not a test: the process that dies.
#[test]
#[ignore = "run by the other tests in a process of its own"]
fn the_process_that_dies() {
    let work = std::env::var(WORK).expect("work");
    let (change, path) = work.split_once(' ').expect("a change and a path");
    match change.parse() {
        Ok(change) => amid_a_commit(Path::new(path), change).expect("a commit"),
        Err(_) => short_strings(Path::new(path)).expect("strings"),
    }
}

/// Whether the process did its work to the end.
fn run(change: &str, path: &Path) -> bool {
    let status = Command::new(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", "the_process_that_dies", "--ignored"])
        .env(WORK, format!("{change} {}", path.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the test runs");
    status.success()
}

/// The interpreters with h5py, one for each version of libhdf5.
fn pythons() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let older = [".venv-h5py311/bin/python", ".venv-h5py38/bin/python"].map(|path| root.join(path));
    let older = older.into_iter().filter(|python| python.is_file());
    support::python().into_iter().chain(older).collect()
}

const APPEND: &str = r#"
import sys, h5py
texts = {}
with h5py.File(sys.argv[1], "r+") as file:
    for name in file:
        old = [text.decode() for text in file[name][()]]
        new = [3 * name[0].upper() + str(number) for number in range(int(sys.argv[2]))]
        file[name].resize((len(old) + len(new),))
        file[name][len(old):] = new
        texts[name] = old + new
with h5py.File(sys.argv[1], "r") as file:
    for name, expected in texts.items():
        found = [text.decode() for text in file[name][()]]
        assert found == expected, (name, found, expected)
print(",".join("%d" % len(texts[name]) for name in sorted(texts)))
"#;

fn append(python: &Path, path: &Path, count: usize) -> String {
    let count = count.to_string();
    let said = support::run_python_with(python, APPEND, &[path.as_os_str(), count.as_ref()]);
    said.trim().into()
}

#[test]
fn h5py_appends_after_short_strings_that_were_never_committed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.h5");
    assert!(!run("all", &path), "the process dies");
    for python in pythons() {
        let copy = directory.path().join("copy.h5");
        std::fs::copy(&path, &copy).expect("a copy");
        assert_eq!(append(&python, &copy, 500), "502");
        let file = File::open_rw(&copy).expect("it opens");
        let names = file.dataset("names").expect("names");
        names.append(&["ours".to_string()]).expect("an append");
        file.close().expect("a close");
        assert_eq!(append(&python, &copy, 3), "506");
        let report = File::open(&copy).and_then(|file| file.verify());
        assert!(report.expect("a walk").is_sound());
    }
}

#[test]
fn h5py_appends_after_a_death_amid_a_commit() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("x.h5");
    let pythons = pythons();
    let (mut deaths, mut uncommitted) = (0, 0);
    while !run(&deaths.to_string(), &path) {
        for python in &pythons {
            let copy = directory.path().join("copy.h5");
            std::fs::copy(&path, &copy).expect("a copy");
            // Ten rows more in both where the death came as the file was closed.
            let lens = match append(python, &copy, 3).as_str() {
                "5,5" => "205,205",
                "15,15" => "215,215",
                other => panic!("{other} rows after {deaths} changes"),
            };
            assert_eq!(append(python, &copy, 200), lens, "after {deaths} changes");
            uncommitted += usize::from(lens == "205,205");
        }
        deaths += 1;
    }
    assert!(
        uncommitted >= 3 * pythons.len(),
        "a commit is several changes"
    );
    support::say(&format!(
        "{deaths} deaths amid a commit, read and extended by {} versions of h5py",
        pythons.len()
    ));
}
