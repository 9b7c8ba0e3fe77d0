//! What the interop suites talk to: a Python with h5py, and h5dump. A missing tool leaves its suites out, unless
//! `H5QUILL_REQUIRE_INTEROP=1` makes it a failure.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Says that a suite is left out, or fails where none may be.
pub fn left_out(suite: &str, missing: &str) {
    assert!(
        std::env::var_os("H5QUILL_REQUIRE_INTEROP").is_none_or(|value| value != "1"),
        "{suite} needs {missing}"
    );
    say(&format!("left out: {suite}: no {missing}"));
}

/// Says something whoever runs the tests is to see: what `eprintln!` prints is shown of failed tests only.
pub fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn imports_h5py(python: &Path) -> bool {
    Command::new(python)
        .args(["-c", "import h5py"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The Python that has h5py: `H5QUILL_PYTHON`, else the repository's `.venv`, else `python3`.
pub fn python() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        if let Some(named) = std::env::var_os("H5QUILL_PYTHON") {
            return Some(PathBuf::from(named));
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
        [own, PathBuf::from("python3")]
            .into_iter()
            .find(|python| imports_h5py(python))
    };
    let found = FOUND.get_or_init(find).clone();
    if found.is_none() {
        left_out("tests with h5py", "h5py");
    }
    found
}

/// A program of hdf5-tools.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        left_out(&format!("tests with {name}"), name);
    }
    found
}

/// `h5dump`.
pub fn h5dump() -> Option<PathBuf> {
    tool("h5dump")
}

/// Runs a Python script (its path, or its text where that has several lines) and returns what it prints; `None`
/// where there is no h5py.
pub fn run_python(script: &str, arguments: &[&OsStr]) -> Option<String> {
    Some(run_python_with(&python()?, script, arguments))
}

/// As [`run_python`], with a Python of choice.
pub fn run_python_with(python: &Path, script: &str, arguments: &[&OsStr]) -> String {
    let mut command = Command::new(python);
    if script.contains('\n') {
        command.arg("-c");
    }
    command
        .arg(script)
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    run(command)
}

/// Runs a command that must succeed, and returns its standard output.
pub fn run(mut command: Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The folder of files that other projects test with: `H5QUILL_CORPUS`, else beside the repository.
pub fn corpus() -> PathBuf {
    match std::env::var_os("H5QUILL_CORPUS") {
        Some(named) => named.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
    }
}

/// The time this thread has run, where the system tells it: others may be busy beside a test. Else the time of day.
pub fn time_run() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| start.elapsed(), Duration::from_nanos)
}
