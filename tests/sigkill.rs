//! The instrument of `examples/acquire.rs`, killed at random moments: the file holds at least what it had printed.

#![cfg(unix)]

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{ErrorKind, File};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const CHANNELS: usize = 64;
const ROWS_A_COMMIT: usize = 100;

/// How many processes run at once.
const AT_ONCE: usize = 4;

fn runs() -> usize {
    const DEFAULT: usize = 200;
    let named = std::env::var("H5QUILL_KILLS").ok();
    named.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT)
}

/// Builds the example as this test was built, beside it.
fn acquire() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let directory = own
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE/deps");
    let release = directory.file_name() == Some(OsStr::new("release"));
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", "acquire", "--profile"])
        .arg(if release { "release" } else { "test" })
        .arg("--target-dir")
        .arg(directory.parent().expect("target"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .status()
        .expect("cargo runs");
    assert!(status.success());
    directory.join("examples/acquire")
}

/// When a process is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// So long after its start, whatever it has got to.
    AfterStart(Duration),
    /// So long after it has said that the first commit is done, however long that took.
    AfterFirstCommit(Duration),
}

/// Runs the instrument, kills it, and returns the last row count it printed.
fn run_and_kill(program: &Path, file: &Path, moment: Moment) -> usize {
    let mut child = Command::new(program)
        .arg(file)
        .arg("600")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (first_line, seen) = std::sync::mpsc::channel();
    // Read all the while, so that the pipe is never full.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_line(&mut text)?;
        // Nobody waits for it where the moment is counted from the start.
        let _ = first_line.send(());
        output.read_to_string(&mut text).map(|_| text)
    });
    let wait = match moment {
        Moment::AfterStart(wait) => wait,
        Moment::AfterFirstCommit(wait) => {
            seen.recv().expect("a first line");
            wait
        }
    };
    std::thread::sleep(wait);
    child.kill().expect("the example is alive");
    child.wait().expect("the example is gone");
    let text = reader.join().expect("the reader ends").expect("rows");
    // The last line may be cut off.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .last()
        .map_or(0, |line| line.parse().expect("a number"))
}

/// What is wrong with the file, if anything.
fn judge(path: &Path, printed: usize) -> Result<usize, String> {
    let read = || -> h5quill::Result<Result<usize, String>> {
        let file = File::open(path)?;
        let (samples, log) = (file.dataset("samples")?, file.dataset("log")?);
        let values = samples.read_raw::<f64>()?;
        let rows = values.len() / CHANNELS;
        let lines = log.read_raw::<String>()?;
        let expected =
            (1..=rows / ROWS_A_COMMIT).map(|commit| format!("{} rows", commit * ROWS_A_COMMIT));
        Ok(if rows < printed || !rows.is_multiple_of(ROWS_A_COMMIT) {
            Err(format!("{rows} rows, but {printed} were printed"))
        } else if !values
            .iter()
            .enumerate()
            .all(|(number, &value)| value == number as f64)
        {
            Err("wrong rows".into())
        } else if !expected.eq(lines.iter().cloned()) {
            Err(format!(
                "the log is not in step with {rows} rows: {lines:?}"
            ))
        } else {
            Ok(rows)
        })
    };
    match read() {
        Ok(judged) => judged,
        // Killed before the first commit: no file yet, or nothing in it.
        Err(_) if printed == 0 && std::fs::metadata(path).map_or(0, |it| it.len()) == 0 => Ok(0),
        Err(error) if printed == 0 && matches!(error.kind(), ErrorKind::NotHdf5) => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}

const H5PY: &str = r#"
import sys, h5py, numpy as np
wrong = 0
for line in open(sys.argv[1]):
    rows, path = line.rstrip("\n").split(" ", 1)
    rows = int(rows)
    try:
        with h5py.File(path, "r") as file:
            samples, log = file["samples"][()], file["log"].asstr()[()]
        assert samples.shape == (rows, 64), samples.shape
        assert (samples.ravel() == np.arange(rows * 64)).all(), "rows"
        assert list(log) == ["%d rows" % n for n in range(100, rows + 1, 100)], "log"
    except Exception as error:
        wrong += 1
        print(path, type(error).__name__, error)
print("wrong", wrong)
"#;

#[test]
fn a_killed_instrument_leaves_every_row_it_has_printed() {
    let program = acquire();
    let directory = tempfile::tempdir().expect("a directory");
    let (next, wanted) = (AtomicUsize::new(0), runs());
    let survivors = Mutex::new(Vec::new());
    let wrong = Mutex::new(Vec::new());
    let work = || {
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= wanted {
                break;
            }
            let path = directory.path().join(format!("{run}.h5"));
            // Spread over up to 300 ms, never at the same moment twice.
            let wait = Duration::from_micros((run as u64 * 173_207) % 300_000);
            let moment = match run % 4 {
                0 => Moment::AfterStart(wait),
                _ => Moment::AfterFirstCommit(wait),
            };
            let printed = run_and_kill(&program, &path, moment);
            match judge(&path, printed) {
                Ok(0) => {}
                Ok(rows) => survivors.lock().unwrap().push((rows, path)),
                Err(error) => wrong.lock().unwrap().push(format!("run {run}: {error}")),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (survivors, wrong) = (survivors.into_inner().unwrap(), wrong.into_inner().unwrap());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let after_commit = (0..wanted).filter(|run| run % 4 > 0).count();
    assert!(
        survivors.len() >= after_commit,
        "those killed after their first commit have rows"
    );
    let list = directory.path().join("list");
    let lines: String = survivors
        .iter()
        .map(|(rows, path)| format!("{rows} {}\n", path.display()))
        .collect();
    std::fs::write(&list, lines).expect("the list is written");
    let said = support::run_python(H5PY, &[list.as_os_str()]);
    let read = match &said {
        Some(said) => {
            assert_eq!(said.trim(), "wrong 0");
            survivors.len()
        }
        None => 0,
    };
    let rows: usize = survivors.iter().map(|(rows, _)| rows).sum();
    support::say(&format!(
        "{wanted} kills, {rows} rows, 0 wrong; {read} files read by h5py"
    ));
    // A killed file is one to go on with.
    for (rows, path) in survivors.iter().take(20) {
        let file = File::open_rw(path).expect("a killed file opens");
        let row: Vec<f64> = (0..CHANNELS)
            .map(|channel| (rows * CHANNELS + channel) as f64)
            .collect();
        file.dataset("samples")
            .and_then(|samples| samples.append(&row))
            .expect("an append");
        file.close().expect("a close");
        let file = File::open(path).expect("it opens again");
        let values = file
            .dataset("samples")
            .and_then(|samples| samples.read_raw::<f64>())
            .unwrap();
        assert_eq!(values.len(), (rows + 1) * CHANNELS);
        assert!(
            values
                .iter()
                .enumerate()
                .all(|(number, &value)| value == number as f64)
        );
    }
}
