//! The runs: contenders in turn, each in a process of its own, and the checks of what they wrote.

use crate::build::Tools;
use crate::options::Options;
use crate::plan::{BASELINE, CONTENDERS, Contender, WORKLOADS, Workload};
use kit::Failure;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one run said.
#[derive(Debug, Clone)]
struct Said {
    seconds: f64,
    units: f64,
    memory: u64,
    syncs: Option<f64>,
}

/// What became of a contender at a workload.
#[derive(Debug)]
pub struct Entry {
    pub workload: &'static Workload,
    pub contender: &'static Contender,
    runs: Vec<Said>,
    pub cannot: Option<String>,
    pub failure: Option<String>,
    /// What the check noticed.
    notes: String,
    file_note: String,
    pub file_bytes: u64,
    /// Seconds on a disk, until the file was closed, and until it was synced as well.
    disk: Vec<(f64, f64)>,
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => None,
        1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

impl Entry {
    fn new(workload: &'static Workload, contender: &'static Contender) -> Self {
        Self {
            workload,
            contender,
            runs: Vec::new(),
            cannot: None,
            failure: None,
            notes: String::new(),
            file_note: String::new(),
            file_bytes: 0,
            disk: Vec::new(),
        }
    }

    fn stopped(&self) -> bool {
        self.cannot.is_some() || self.failure.is_some()
    }

    fn rates(&self) -> Vec<f64> {
        self.runs
            .iter()
            .map(|run| run.units / run.seconds)
            .collect()
    }

    /// Units a second, the median.
    pub fn rate(&self) -> Option<f64> {
        median(self.rates())
    }

    /// The slowest and the fastest.
    pub fn range(&self) -> (f64, f64) {
        let rates = self.rates();
        (
            rates.iter().copied().fold(f64::INFINITY, f64::min),
            rates.iter().copied().fold(0.0, f64::max),
        )
    }

    pub fn memory(&self) -> Option<f64> {
        median(self.runs.iter().map(|run| run.memory as f64).collect())
    }

    /// What is unusual about it.
    pub fn remarks(&self) -> String {
        [self.notes.as_str(), self.file_note.as_str()]
            .join(" ")
            .trim()
            .to_owned()
    }

    pub fn syncs(&self) -> Option<f64> {
        self.runs.first()?.syncs
    }

    /// Units a second on a disk: until the file is closed, and until it is synced.
    pub fn disk_rates(&self) -> Option<(f64, f64)> {
        let units = self.runs.first()?.units;
        let closed = median(self.disk.iter().map(|(closed, _)| units / closed).collect())?;
        let synced = median(self.disk.iter().map(|(_, synced)| units / synced).collect())?;
        Some((closed, synced))
    }
}

#[derive(Debug)]
pub struct Results(pub Vec<Entry>);

impl Results {
    pub fn of(&self, workload: &str) -> impl Iterator<Item = &Entry> {
        self.0
            .iter()
            .filter(move |entry| entry.workload.name == workload)
    }

    pub fn baseline(&self, workload: &str) -> Option<&Entry> {
        self.of(workload)
            .find(|entry| entry.contender.name == BASELINE)
    }

    pub fn failures(&self) -> Vec<String> {
        let failed = |entry: &Entry| {
            let failure = entry.failure.as_ref()?;
            Some(format!(
                "{} of {}: {failure}",
                entry.workload.name, entry.contender.name
            ))
        };
        self.0.iter().filter_map(failed).collect()
    }
}

/// A file of ours that goes when it is no longer needed.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

struct Runner<'a> {
    options: &'a Options,
    tools: &'a Tools,
}

pub fn all(options: &Options, tools: &Tools) -> Result<Results, Failure> {
    let runner = Runner { options, tools };
    let mut results = Vec::new();
    for workload in WORKLOADS
        .iter()
        .filter(|workload| options.wants_workload(workload.name))
    {
        println!("{}: {}", workload.name, workload.what);
        let mut entries = runner.workload(workload)?;
        for entry in &entries {
            println!("  {}", crate::report::line(entry));
        }
        results.append(&mut entries);
    }
    Ok(Results(results))
}

impl Runner<'_> {
    fn directory(&self, workload: &Workload) -> Result<&Path, Failure> {
        match (&self.options.disk, workload.on_disk) {
            (Some(disk), true) => {
                std::fs::create_dir_all(disk)?;
                Ok(disk)
            }
            _ => Ok(&self.options.directory),
        }
    }

    fn file(&self, directory: &Path, contender: &Contender, workload: &str) -> Scratch {
        let contender = contender.name.replace(' ', "-");
        Scratch(directory.join(format!(
            "versus-{}-{contender}-{workload}.h5",
            std::process::id()
        )))
    }

    fn workload(&self, workload: &'static Workload) -> Result<Vec<Entry>, Failure> {
        let taking_part = |contender: &&Contender| {
            self.options.wants_contender(contender.name) && contender.does(workload)
        };
        let mut entries: Vec<Entry> = CONTENDERS
            .iter()
            .filter(taking_part)
            .map(|contender| Entry::new(workload, contender))
            .collect();
        let directory = self.directory(workload)?;
        let files: Vec<Scratch> = entries
            .iter()
            .map(|entry| self.file(directory, entry.contender, workload.name))
            .collect();
        if let Some(written) = workload.reads {
            for (entry, file) in entries.iter_mut().zip(&files) {
                self.prepare(entry, written, &file.0);
            }
        }
        for _ in 0..self.options.runs {
            for (entry, file) in entries.iter_mut().zip(&files) {
                self.once(entry, file);
            }
        }
        if let (true, Some(disk)) = (workload.disk_column, &self.options.disk) {
            drop(files);
            std::fs::create_dir_all(disk)?;
            self.on_disk(&mut entries, disk);
        }
        Ok(entries)
    }

    /// Writes the file that is to be read; where a contender cannot, libhdf5 does.
    fn prepare(&self, entry: &mut Entry, written: &str, path: &Path) {
        let mut said = self.process(entry.contender, written, path);
        let base = CONTENDERS
            .iter()
            .find(|contender| contender.name == BASELINE);
        if let (Ok(Err(_)), Some(base), true) =
            (&said, base, self.options.wants_contender(BASELINE))
        {
            said = self.process(base, written, path);
            entry.file_note = "file of libhdf5".to_owned();
        }
        match said {
            Ok(Ok(_)) => {
                entry.file_bytes = std::fs::metadata(path).map_or(0, |data| data.len());
                self.check(entry, written, path);
            }
            Ok(Err(reason)) => entry.cannot = Some(reason),
            Err(failure) => entry.failure = Some(format!("writing what is to be read: {failure}")),
        }
    }

    fn once(&self, entry: &mut Entry, file: &Scratch) {
        if entry.stopped() {
            return;
        }
        let writes = entry.workload.reads.is_none();
        if writes {
            // Each run makes a new file.
            let _ = std::fs::remove_file(&file.0);
        }
        match self.process(entry.contender, entry.workload.name, &file.0) {
            Ok(Ok(said)) => entry.runs.push(said),
            Ok(Err(reason)) => entry.cannot = Some(reason),
            Err(failure) => entry.failure = Some(failure.to_string()),
        }
        if writes && !entry.stopped() {
            entry.file_bytes = std::fs::metadata(&file.0).map_or(0, |data| data.len());
            self.check(entry, entry.workload.name, &file.0);
        }
    }

    /// The same, on a disk; contenders in turn here, too.
    fn on_disk(&self, entries: &mut [Entry], disk: &Path) {
        for _ in 0..self.options.runs {
            for entry in entries.iter_mut().filter(|entry| !entry.stopped()) {
                let file = self.file(disk, entry.contender, entry.workload.name);
                let said = self.process(entry.contender, entry.workload.name, &file.0);
                let start = std::time::Instant::now();
                let synced = std::fs::File::open(&file.0).and_then(|file| file.sync_all());
                match (said, synced) {
                    (Ok(Ok(said)), Ok(())) => {
                        entry
                            .disk
                            .push((said.seconds, said.seconds + start.elapsed().as_secs_f64()));
                    }
                    (Ok(Err(reason)), _) => entry.cannot = Some(reason),
                    (Err(failure), _) => entry.failure = Some(format!("on disk: {failure}")),
                    (_, Err(failure)) => entry.failure = Some(format!("on disk: {failure}")),
                }
            }
        }
    }

    /// Runs a contender; the inner error is why it cannot do that.
    fn process(
        &self,
        contender: &Contender,
        workload: &str,
        path: &Path,
    ) -> Result<Result<Said, String>, Failure> {
        let mut command = Command::new(self.tools.program(contender.program));
        command
            .arg(workload)
            .arg(path)
            .arg(self.options.scale.to_string())
            .arg(contender.variant);
        let output = command
            .output()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let (said, complained) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if !output.status.success() {
            return Err(format!("{}\n{complained}", output.status).into());
        }
        let value = |key: &str| {
            let mut lines = said.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        if let Some(reason) = value("cannot") {
            return Ok(Err(reason.to_owned()));
        }
        let number = |key: &str| -> Result<f64, Failure> {
            let text = value(key).ok_or_else(|| format!("{command:?} says no {key}"))?;
            Ok(text.parse()?)
        };
        let syncs = value("syncs").map(str::parse).transpose()?;
        Ok(Ok(Said {
            seconds: number("seconds")?,
            units: number("units")?,
            memory: number("memory")? as u64,
            syncs,
        }))
    }

    /// Has h5py look at what was written. The floor writes no HDF5 files.
    fn check(&self, entry: &mut Entry, workload: &str, path: &Path) {
        let plain = entry.contender.program == "floor" && entry.file_note.is_empty();
        if !self.options.check || plain {
            return;
        }
        let mut command = Command::new(self.tools.python());
        command.arg(crate::options::root().join("check.py"));
        command
            .arg(workload)
            .arg(path)
            .arg(self.options.scale.to_string());
        match command.output() {
            Ok(output) if output.status.success() => {
                entry.notes = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                entry.failure = Some(format!("the check by h5py: {}", said.trim()));
            }
            Err(error) => entry.failure = Some(format!("{command:?}: {error}")),
        }
    }
}
