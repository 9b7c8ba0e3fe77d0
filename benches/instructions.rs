//! Instructions of three key workloads, counted by callgrind: numbers that a busy machine does not change.
//!
//! `cargo bench --bench instructions` prints the table of `instructions.md`; `-- rows` runs one workload as it is, for a
//! look by `valgrind --tool=callgrind` and `callgrind_annotate`.

mod support;

use h5quill::File;
use std::process::Command;
use support::{Outcome, Scratch, arguments};

const ROWS: usize = 100_000;
const FLUSHES: usize = 10_000;
const OBJECTS: usize = 10_000;

fn row(number: usize) -> [f64; 8] {
    let value = number as f64;
    [value, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, -value]
}

/// One call for each row of 64 bytes, chunks of 8192.
fn rows(file: &File) -> Outcome {
    let builder = file.new_dataset::<f64>().shape((0.., 8));
    let data = builder.chunk((8192, 8)).create("rows")?;
    for number in 0..ROWS {
        data.append(&row(number))?;
    }
    Ok(())
}

/// A row and a commit each.
fn flush(file: &File) -> Outcome {
    let builder = file.new_dataset::<f64>().shape((0.., 8));
    let data = builder.chunk((1024, 8)).create("rows")?;
    for number in 0..FLUSHES {
        data.append(&row(number))?;
        file.flush()?;
    }
    Ok(())
}

/// Scalar datasets with three attributes, a hundred to a group.
fn objects(file: &File) -> Outcome {
    for first in (0..OBJECTS).step_by(100) {
        let group = file.create_group(&format!("group{first}"))?;
        for number in first..first + 100 {
            let data = group
                .new_dataset::<f64>()
                .create(&format!("dataset{number}"))?;
            data.write_scalar(&(number as f64))?;
            data.set_attr("unit", "volt")?;
            data.set_attr("gain", 2.5)?;
            data.set_attr("channel", number as i32)?;
        }
    }
    Ok(())
}

type Work = fn(&File) -> Outcome;

const WORKLOADS: [(&str, &str, usize, Work); 3] = [
    ("rows", "append a row of 64 bytes", ROWS, rows),
    (
        "flush",
        "append a row of 64 bytes and flush",
        FLUSHES,
        flush,
    ),
    (
        "objects",
        "make a dataset with 3 attributes",
        OBJECTS,
        objects,
    ),
];

/// Runs a workload, from the creation of the file to its close.
fn run(work: Work) -> Outcome {
    let scratch = Scratch::new("instructions");
    // Threads would make the count depend on the machine.
    let file = File::with_options().threads(1).create(&scratch.0)?;
    work(&file)?;
    Ok(file.close()?)
}

/// What callgrind counts of this program with the workload.
fn count(name: &str) -> Result<u64, Box<dyn std::error::Error>> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output = valgrind.arg(std::env::current_exe()?).arg(name).output();
    let output = output.map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match collected {
        Some((_, number)) if output.status.success() => Ok(number.trim().parse()?),
        _ => Err(format!("valgrind says: {said}").into()),
    }
}

fn main() -> Outcome {
    if let Some(wanted) = arguments().first() {
        let found = WORKLOADS.iter().find(|(name, ..)| name == wanted);
        let (.., work) = found.ok_or("rows, flush or objects")?;
        return run(*work);
    }
    println!("| workload | times | instructions | each |\n|---|---:|---:|---:|");
    for (name, what, times, _) in WORKLOADS {
        let instructions = count(name)?;
        println!(
            "| {name}: {what} | {times} | {instructions} | {} |",
            instructions / times as u64
        );
    }
    Ok(())
}
