//! The table, and the page that holds it.

use crate::build::Tools;
use crate::options::Options;
use crate::plan::{BASELINE, WORKLOADS};
use crate::run::{Entry, Results};
use crate::text::{number, size};
use std::fmt::Write as _;
use std::process::Command;

/// One entry, while the runs go on.
pub fn line(entry: &Entry) -> String {
    let name = entry.contender.name;
    if let Some(reason) = &entry.cannot {
        return format!("{name:<24} cannot: {reason}");
    }
    if let Some(failure) = &entry.failure {
        return format!("{name:<24} FAILED: {failure}");
    }
    let (slowest, fastest) = entry.range();
    let unit = |rate: f64| number(rate / entry.workload.divisor);
    format!(
        "{name:<24} {:>9} {} ({} to {}), file {}, peak memory {}",
        entry.rate().map_or_else(String::new, unit),
        entry.workload.unit,
        unit(slowest),
        unit(fastest),
        size(entry.file_bytes as f64),
        size(entry.memory().unwrap_or(0.0)),
    )
}

/// The ratio of the entry to libhdf5 in the same run.
pub fn ratio(results: &Results, entry: &Entry) -> Option<f64> {
    let base = results.baseline(entry.workload.name)?;
    Some(entry.rate()? / base.rate()?)
}

fn file_ratio(results: &Results, entry: &Entry) -> Option<f64> {
    let base = results.baseline(entry.workload.name)?;
    (base.file_bytes > 0 && base.cannot.is_none())
        .then(|| entry.file_bytes as f64 / base.file_bytes as f64)
}

const HEAD: [&str; 9] = [
    "workload",
    "contender",
    "median",
    "slowest to fastest",
    "x libhdf5",
    "file",
    "x libhdf5",
    "peak RSS",
    "disk, closed / synced",
];

fn cells(results: &Results, entry: &Entry, first: bool) -> [String; 9] {
    let (workload, own) = (entry.workload, !entry.contender.name.starts_with(BASELINE));
    let mut cells = <[String; 9]>::default();
    if first {
        cells[0] = format!("**{}**", workload.name);
    }
    cells[1] = entry.contender.name.to_owned();
    if let Some(reason) = &entry.cannot {
        cells[2] = format!("cannot: {reason}");
        return cells;
    }
    let remarks = entry.remarks();
    if !remarks.is_empty() {
        let _ = write!(cells[1], " ({remarks})");
    }
    if entry.failure.is_some() {
        cells[2] = "FAILED".to_owned();
        return cells;
    }
    let unit = |rate: f64| number(rate / workload.divisor);
    if let Some(rate) = entry.rate() {
        cells[2] = format!("{} {}", unit(rate), workload.unit);
    }
    if let Some(syncs) = entry.syncs() {
        let _ = write!(cells[2], ", {syncs} fdatasync each");
    }
    let (slowest, fastest) = entry.range();
    cells[3] = format!("{} to {}", unit(slowest), unit(fastest));
    if let Some(ratio) = ratio(results, entry) {
        cells[4] = if own {
            format!("**{}**", number(ratio))
        } else {
            number(ratio)
        };
    }
    cells[5] = size(entry.file_bytes as f64);
    cells[6] = file_ratio(results, entry).map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    cells[7] = entry.memory().map_or_else(String::new, size);
    if let Some((closed, synced)) = entry.disk_rates() {
        cells[8] = format!("{} / {} {}", unit(closed), unit(synced), workload.unit);
    }
    cells
}

/// The table in Markdown, its columns aligned.
pub fn table(results: &Results) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    for workload in &WORKLOADS {
        for (at, entry) in results.of(workload.name).enumerate() {
            rows.push(cells(results, entry, at == 0));
        }
    }
    // A reason why something cannot be done may run on.
    const WIDEST: usize = 24;
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
            .min(WIDEST)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
        if at == 0 {
            for (column, width) in widths.iter().enumerate() {
                let right = (2..=7).contains(&column);
                let _ = write!(
                    text,
                    "|{}{}",
                    "-".repeat(width + 1),
                    if right { ":" } else { "-" }
                );
            }
            text.push_str("|\n");
        }
    }
    text
}

fn said(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Machine and versions, a line each.
pub fn machine(tools: &Tools) -> Vec<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = memory.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
    });
    let commit = said(
        "git",
        &[
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "describe",
            "--always",
            "--dirty",
        ],
    );
    let python = "import h5py, numpy; print(f'h5py {h5py.__version__} on libhdf5 {h5py.version.hdf5_version}')";
    vec![
        format!(
            "{}, {cores} cores, {:.0} GiB",
            model.trim_start_matches([' ', '\t', ':']),
            kibibytes.unwrap_or(0.0) / (1 << 20) as f64
        ),
        format!("Linux {}", said("uname", &["-r"])),
        said("rustc", &["--version"]),
        format!(
            "h5quill {commit}, libhdf5 2.2.0 (hdf5-metno-sys 0.12.5, the C API of hdf5-metno 0.15.1, zlib), hdf5-pure 0.47.0, rust-hdf5 0.7.9"
        ),
        format!(
            "files checked with {}",
            said(tools.python(), &["-c", python])
        ),
        said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
    ]
}

/// What is written to `RESULTS.md`.
pub fn page(results: &Results, options: &Options, machine: &[String], table: &str) -> String {
    let mut text = String::from("# h5quill and libhdf5, measured\n\n");
    text.push_str("Written by `cargo run --release --manifest-path benches/versus/Cargo.toml`; see README.md for what is measured and how.\n\n");
    for line in machine {
        let _ = writeln!(text, "- {line}");
    }
    let _ = writeln!(
        text,
        "- medians of {} runs, contenders in turn, files in {}, counts times {}",
        options.runs,
        options.directory.display(),
        options.scale
    );
    text.push_str("\n![ratios to libhdf5](results.svg)\n\n");
    text.push_str(table);
    text.push_str("\n## The workloads and their goals\n\n| workload | what | goal for h5quill, in ratios to libhdf5 |\n|---|---|---|\n");
    for workload in &WORKLOADS {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            workload.name, workload.what, workload.goal
        );
    }
    let failures = results.failures();
    if !failures.is_empty() {
        text.push_str("\n## Failures\n\n");
        for failure in failures {
            let _ = writeln!(text, "- {failure}");
        }
    }
    text
}
