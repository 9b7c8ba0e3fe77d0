//! The command line of a contender, and what it says when it is done.

use crate::{Failure, Sizes};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What a contender is asked to do.
#[derive(Debug)]
pub struct Job {
    pub workload: String,
    pub path: PathBuf,
    pub sizes: Sizes,
    /// One of several ways of the contender, such as `appender` or `threads=1`; empty for its usual one.
    pub variant: String,
}

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    /// How long it took and how many units (rows, bytes, objects) that were.
    Done {
        elapsed: Duration,
        units: f64,
        /// Syncs of the device that one commit took, where they were counted.
        syncs: Option<f64>,
    },
    /// The library has no way to do it.
    Cannot(&'static str),
}

impl Outcome {
    /// From `start` to now.
    pub fn since(start: Instant, units: usize) -> Result<Self, Failure> {
        Ok(Self::Done {
            elapsed: start.elapsed(),
            units: units as f64,
            syncs: None,
        })
    }

    pub fn cannot(reason: &'static str) -> Result<Self, Failure> {
        Ok(Self::Cannot(reason))
    }
}

impl Job {
    fn from_arguments() -> Result<Self, Failure> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [workload, path, scale, rest @ ..] = arguments.as_slice() else {
            return Err("usage: WORKLOAD FILE SCALE [VARIANT]".into());
        };
        Ok(Self {
            workload: workload.clone(),
            path: path.into(),
            sizes: Sizes::scaled(scale.parse()?),
            variant: rest.first().cloned().unwrap_or_default(),
        })
    }

    /// The value of `key=value` in the variant, whose parts are separated by commas.
    pub fn option(&self, key: &str) -> Option<&str> {
        let mut parts = self.variant.split(',');
        parts.find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
    }

    /// Whether the variant has this word.
    pub fn is(&self, word: &str) -> bool {
        self.variant.split(',').any(|part| part == word)
    }
}

/// The largest memory the process has had, in bytes; 0 where the system does not tell.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Runs the job of the command line and prints what came of it, a key and a value a line.
pub fn main(work: impl FnOnce(&Job) -> Result<Outcome, Failure>) -> ExitCode {
    match Job::from_arguments().and_then(|job| work(&job)) {
        Ok(Outcome::Done {
            elapsed,
            units,
            syncs,
        }) => {
            println!("seconds {}", elapsed.as_secs_f64());
            println!("units {units}");
            println!("memory {}", peak_memory());
            if let Some(syncs) = syncs {
                println!("syncs {syncs}");
            }
            ExitCode::SUCCESS
        }
        Ok(Outcome::Cannot(reason)) => {
            println!("cannot {reason}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
