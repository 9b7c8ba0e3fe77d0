//! The files that broke other readers: each is read, and edited by each verb, without a panic, a long wait or a great
//! allocation.

#[path = "support/memory.rs"]
mod memory;
#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;
#[path = "support/verbs.rs"]
mod verbs;
#[path = "support/walk.rs"]
mod walk;

use h5quill::{ErrorKind, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;
use storage::Shared;
use verbs::{Targets, VERBS};

/// The most that one operation may hold.
const MOST_MEMORY: isize = 64 << 20;

/// A hundred milliseconds of an optimised build: this one is not.
const MOST_TIME: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Worst {
    runs: usize,
    panics: Vec<String>,
    beyond: Vec<String>,
    time: (Duration, String),
    memory: (isize, String),
}

impl Worst {
    /// Runs, and notes what it cost; `None` where it panicked.
    fn run<T>(&mut self, what: &str, run: impl FnOnce() -> T) -> Option<T> {
        let measured = memory::measure(|| catch_unwind(AssertUnwindSafe(run)));
        self.runs += 1;
        if measured.time > self.time.0 {
            self.time = (measured.time, what.into());
        }
        if measured.memory > self.memory.0 {
            self.memory = (measured.memory, what.into());
        }
        if measured.time > MOST_TIME || measured.memory > MOST_MEMORY {
            self.beyond.push(format!(
                "{what}: {:?}, {} bytes",
                measured.time, measured.memory
            ));
        }
        if measured.value.is_err() {
            self.panics.push(what.into());
        }
        measured.value.ok()
    }

    /// Opens, walks and reads everything; nothing is written.
    fn read(&mut self, what: &str, bytes: &[u8]) -> bool {
        let shared = Shared::from(bytes.to_vec());
        let opened = self.run(&format!("{what}: read"), || {
            match File::open_on(shared.clone()) {
                Ok(file) => {
                    walk::Walk::of(&file);
                    true
                }
                Err(_) => false,
            }
        });
        self.run(&format!("{what}: verify"), || {
            File::open_on(shared.clone()).and_then(|file| file.verify())
        });
        assert!(shared.bytes() == bytes, "{what}: reading wrote");
        opened.unwrap_or(false)
    }

    /// Each verb, on a copy of its own; returns how many were made and how many refused.
    fn edit(&mut self, what: &str, bytes: &[u8]) -> (usize, usize) {
        let (mut made, mut refused) = (0, 0);
        for (verb, run) in VERBS {
            let found = catch_unwind(|| {
                File::open_memory(bytes.to_vec())
                    .map(|file| Targets::of(&file, 8).paths(run))
                    .unwrap_or_default()
            });
            for path in found.unwrap_or_default() {
                let what = format!("{what}: {verb} {path}");
                let shared = Shared::from(bytes.to_vec());
                let done = self.run(&what, || {
                    let file = File::open_rw_on(shared.clone())?;
                    let done = run.on(&file, &path).map(drop);
                    let closed = file.close();
                    done.and(closed)
                });
                match done {
                    Some(Ok(())) => made += 1,
                    Some(Err(error)) => {
                        refused += 1;
                        let kind = error.kind();
                        assert!(!matches!(kind, ErrorKind::Storage(_)), "{what}: {error}");
                    }
                    None => {}
                }
            }
        }
        (made, refused)
    }
}

fn files() -> Option<Vec<PathBuf>> {
    let folder = support::corpus().join("cve");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        support::left_out(
            "files that broke other readers",
            &folder.display().to_string(),
        );
        return None;
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Some(files)
}

#[test]
fn files_that_broke_other_readers_are_read_and_edited_in_bounds() {
    let Some(files) = files() else {
        return;
    };
    let mut worst = Worst::default();
    let (mut opened, mut made, mut refused) = (0, 0, 0);
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        opened += usize::from(worst.read(&name, &bytes));
        let edits = worst.edit(&name, &bytes);
        (made, refused) = (made + edits.0, refused + edits.1);
    }
    println!(
        "{} files, {opened} opened; {} runs, {made} edits made, {refused} refused",
        files.len(),
        worst.runs
    );
    println!("longest: {:?}, {}", worst.time.0, worst.time.1);
    println!("most memory: {} bytes, {}", worst.memory.0, worst.memory.1);
    assert!(worst.panics.is_empty(), "panics: {:#?}", worst.panics);
    assert!(
        worst.beyond.is_empty(),
        "beyond the bounds: {:#?}",
        worst.beyond
    );
    assert!(files.len() > 100, "only {} files", files.len());
}
