//! The workloads that read what was written.

use crate::write::options;
use kit::data::*;
use kit::size::*;
use kit::{Failure, Job, Outcome};
use ndarray::{Array0, Array2, Array3};
use std::time::Instant;

type Result<T> = std::result::Result<T, Failure>;

pub fn frames(job: &Job, count: usize) -> Result<Outcome> {
    let frames = Frames::new();
    let start = Instant::now();
    let file = options(job)?.open(&job.path)?;
    let read: Array3<u16> = file.dataset("frames")?.read()?;
    let outcome = Outcome::since(start, count * PIXELS * 2);
    let pixels = read
        .as_slice()
        .ok_or("the array is not in standard order")?;
    let right = pixels
        .chunks(PIXELS)
        .enumerate()
        .all(|(number, frame)| frames.holds(number, frame));
    if read.dim().0 != count || !right {
        return Err("a frame is not what was written".into());
    }
    outcome
}

pub fn frames_at_random(job: &Job, count: usize, reads: usize) -> Result<Outcome> {
    let frames = Frames::new();
    let start = Instant::now();
    let file = options(job)?.open(&job.path)?;
    let data = file.dataset("frames")?;
    for read in 0..reads {
        let number = random_read(read, count);
        let frame: Array2<u16> = data.read_slice(number)?;
        if !frame
            .as_slice()
            .is_some_and(|pixels| frames.holds(number, pixels))
        {
            return Err(format!("frame {number} is not what was written").into());
        }
    }
    Outcome::since(start, reads * PIXELS * 2)
}

pub fn strings(job: &Job) -> Result<Outcome> {
    let strings = Strings::new();
    let start = Instant::now();
    let file = options(job)?.open(&job.path)?;
    let read = file.dataset("strings")?.read_raw::<String>()?;
    let outcome = Outcome::since(start, read.len());
    let right = read
        .iter()
        .enumerate()
        .all(|(number, string)| string == strings.get(number));
    if read.len() != job.sizes.string_calls * STRINGS_A_CALL || !right {
        return Err("a string is not what was written".into());
    }
    outcome
}

pub fn strings_at_random(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let file = options(job)?.open(&job.path)?;
    let data = file.dataset("strings")?;
    for read in 0..job.sizes.string_reads {
        let number = random_read(read, count);
        let string: Array0<String> = data.read_slice(number)?;
        if string.into_scalar() != strings.get(number) {
            return Err(format!("string {number} is not what was written").into());
        }
    }
    Outcome::since(start, job.sizes.string_reads)
}
