//! Opens a file of 200,000 objects that libhdf5 wrote, adds one attribute to the root group and closes: time and memory
//! beside those of libhdf5, which h5py drives, in the same run.
//!
//! `cargo bench --bench many_objects`; `-- 20000` makes fewer objects.

mod support;

use std::process::Command;
use std::time::Instant;
use support::{Outcome, Scratch, arguments, peak_memory};

/// Runs of each; the best counts.
const RUNS: usize = 7;

/// Microseconds, and kilobytes of memory beyond those at the start.
type Cost = (f64, f64);

fn parse(text: &str) -> Option<Cost> {
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// What a process of its own does, so that its memory can be told.
fn edit(path: &str) -> Outcome {
    let (before, begun) = (peak_memory(), Instant::now());
    let file = h5quill::File::open_rw(path)?;
    file.set_attr("added by h5quill", 7_i32)?;
    file.close()?;
    let micros = begun.elapsed().as_secs_f64() * 1e6;
    println!("{micros} {}", (peak_memory() - before) / 1024);
    Ok(())
}

fn python(arguments: &[&str]) -> Option<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let named = std::env::var("H5QUILL_PYTHON");
    let python = named.unwrap_or_else(|_| format!("{root}/.venv/bin/python"));
    let mut command = Command::new(python);
    command.arg(format!("{root}/benches/many_objects.py"));
    let output = command.args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(said)
}

/// The best time and the least memory of several runs, each on a copy of the file.
fn best(original: &Scratch, mut run: impl FnMut(&str) -> Option<Cost>) -> Option<Cost> {
    let copy = Scratch::new("many-objects-copy");
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..RUNS {
        std::fs::copy(&original.0, &copy.0).ok()?;
        let (micros, memory) = run(copy.0.to_str()?)?;
        best = (best.0.min(micros), best.1.min(memory));
    }
    Some(best)
}

fn main() -> Outcome {
    let arguments = arguments();
    if let [what, path] = arguments.as_slice()
        && what == "edit"
    {
        return edit(path);
    }
    let count = arguments.first().map_or("200000", String::as_str);
    let own = std::env::current_exe()?;
    for libver in ["earliest", "latest"] {
        for groups in ["1", "100"] {
            let file = Scratch::new("many-objects");
            let path = file.0.to_str().ok_or("a path in UTF-8")?;
            if python(&["make", path, libver, count, groups]).is_none() {
                println!("left out: no Python with h5py");
                return Ok(());
            }
            let ours = best(&file, |path| {
                let output = Command::new(&own).args(["edit", path]).output().ok()?;
                parse(&String::from_utf8_lossy(&output.stdout))
            });
            let theirs = best(&file, |path| parse(&python(&["edit", path])?));
            let (ours, theirs) = (
                ours.ok_or("our edit failed")?,
                theirs.ok_or("theirs failed")?,
            );
            println!(
                "{count} objects in {groups} groups, {libver}, {} bytes: h5quill {:.0} us, {:.0} KiB; libhdf5 {:.0} us, {:.0} KiB",
                file.len(),
                ours.0,
                ours.1,
                theirs.0,
                theirs.1,
            );
        }
    }
    Ok(())
}
