//! What several sessions, processes and threads of one file do to each other: files that were just created, races to create
//! one, commits in the background.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

#[path = "support/storage.rs"]
mod storage;

use h5quill::{ErrorKind, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use storage::Shared;

/// Reads a file that this process has open.
fn peek(path: &Path) -> h5quill::Result<File> {
    File::with_options().locking(false).open(path)
}

#[test]
fn a_file_is_an_empty_one_as_soon_as_it_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.h5");
    std::fs::write(&path, vec![7; 10_000]).unwrap();
    for round in 0..2 {
        let file = File::create(&path).unwrap();
        let seen = peek(&path).unwrap();
        assert!(seen.is_empty().unwrap(), "round {round}");
        assert!(seen.verify().unwrap().is_sound());
        let script = "import sys, h5py\nprint(len(h5py.File(sys.argv[1], 'r', locking=False)))";
        if let Some(said) = support::run_python(script, &[path.as_os_str()]) {
            assert_eq!(said.trim(), "0");
        }
        file.create_group("later").unwrap();
        file.close().unwrap();
        assert!(File::open(&path).unwrap().exists("later").unwrap());
    }
    let file = File::create_excl(folder.path().join("other.h5")).unwrap();
    assert!(
        peek(Path::new(&file.filename()))
            .unwrap()
            .is_empty()
            .unwrap()
    );
}

#[test]
fn a_disk_that_is_full_after_the_creation_leaves_an_empty_file() {
    let device = Shared::default();
    let file = File::create_on(device.clone()).unwrap();
    let len = device.bytes().len() as u64;
    device.limit(len);
    let data = file.new_dataset::<f64>().shape(0..).create("x").unwrap();
    assert!(data.append(&[1.0]).and_then(|()| file.flush()).is_err());
    drop((data, file));
    let file = File::open_memory(device.bytes()).unwrap();
    assert!(file.is_empty().unwrap());
    assert!(file.verify().unwrap().is_sound());
}

const RACE: &str = "H5QUILL_TEST_RACE";

/// One of the processes of the race, where this is one: appends to the file until that has worked once.
fn race() -> bool {
    let Ok(task) = std::env::var(RACE) else {
        return false;
    };
    let (number, path) = task.split_once(' ').unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    loop {
        match File::append(path) {
            Ok(file) => {
                file.create_group(number).unwrap();
                return true;
            }
            Err(error) => assert_eq!(error.kind(), &ErrorKind::Locked, "{error}"),
        }
    }
}

#[test]
fn processes_that_race_to_append_to_a_new_file_lose_nothing() {
    const NAME: &str = "processes_that_race_to_append_to_a_new_file_lose_nothing";
    const PROCESSES: usize = 8;
    if race() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let path = folder.path().join(format!("{round}.h5"));
        let start = |number: usize| {
            Command::new(std::env::current_exe().unwrap())
                .args([NAME, "--exact"])
                .env(RACE, format!("{number} {}", path.display()))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut children: Vec<_> = (0..PROCESSES).map(start).collect();
        for child in &mut children {
            // What they wait for.
            drop(child.stdin.take());
        }
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
        }
        let file = File::open(&path).unwrap();
        assert_eq!(file.len().unwrap(), PROCESSES);
        assert!(file.verify().unwrap().is_sound());
    }
}

/// Waits until the condition holds; `false` where it does not come to hold in a time that is long for any machine.
fn comes(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

fn rows(bytes: Vec<u8>) -> usize {
    let file = File::open_memory(bytes).unwrap();
    file.dataset("x").map_or(0, |data| data.shape()[0])
}

#[test]
fn what_was_written_is_committed_in_time_though_nobody_writes_any_more() {
    let options = File::with_options().flush_every(Duration::from_millis(20));
    let device = Shared::default();
    let file = options.create_on(device.clone()).unwrap();
    let data = file.new_dataset::<u8>().shape(0..).create("x").unwrap();
    for round in 1..4 {
        data.append(&[1_u8; 10]).unwrap();
        assert!(
            comes(|| rows(device.bytes()) == 10 * round),
            "round {round}"
        );
        // Meanwhile the thread has nothing to wake up for.
        std::thread::sleep(Duration::from_millis(60));
    }
    let device = Shared::default();
    let file = options
        .flush_in_background(false)
        .create_on(device.clone())
        .unwrap();
    let data = file.new_dataset::<u8>().shape(0..).create("x").unwrap();
    file.flush().unwrap();
    data.append(&[1_u8; 10]).unwrap();
    let before = rows(device.bytes());
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(rows(device.bytes()), before, "nobody commits");
    data.append(&[1_u8; 10]).unwrap();
    assert_eq!(rows(device.bytes()), 20, "but the next change does");
}

#[test]
fn a_commit_in_the_background_that_fails_is_told_by_the_next_call() {
    let options = File::with_options().flush_every(Duration::from_millis(20));
    let calls: [fn(&File) -> h5quill::Result<()>; 3] = [
        |file| file.set_attr("later", 1_i64),
        File::flush,
        |file| file.clone().close(),
    ];
    for call in calls {
        let device = Shared::default();
        let file = options.create_on(device.clone()).unwrap();
        device.limit(device.bytes().len() as u64);
        file.set_attr("text", "x".repeat(5000).as_str()).unwrap();
        // A look at the file does not take the answer away.
        assert!(comes(|| file.attr_names().is_err()));
        let error = call(&file).unwrap_err();
        assert!(error.to_string().contains("no space left"), "{error}");
        drop(file);
        assert!(
            File::open_memory(device.bytes())
                .unwrap()
                .is_empty()
                .unwrap()
        );
    }
}

#[test]
fn whoever_drops_the_last_handle_finds_the_file_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.h5");
    let options = File::with_options().flush_every(Duration::from_micros(300));
    drop(File::create(&path).unwrap());
    for round in 0..300_u32 {
        // Neither the lock nor a commit is left to the thread.
        let file = options.open_rw(&path).unwrap();
        file.set_attr("round", round).unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(round)));
        drop(file);
        let file = File::open(&path).unwrap();
        assert_eq!(
            file.attr("round").unwrap().read_scalar::<u32>().unwrap(),
            round
        );
    }
}
