//! The workloads that read what was written.

use crate::hdf::*;
use hdf5_metno_sys::h5t::H5Treclaim;
use kit::data::*;
use kit::size::*;
use kit::{Job, Outcome};
use std::ffi::{CStr, c_char, c_void};
use std::time::Instant;

/// The array in one call, into memory that was not touched before. The cache is too small for a chunk, so that chunks
/// without filters are read straight to where they belong.
pub fn frames(job: &Job, count: usize) -> Result<Outcome> {
    let (frames, side) = (Frames::new(), SIDE as u64);
    let dims = [count as u64, side, side];
    let start = Instant::now();
    let file = open(&job.path, false, &access(job)?)?;
    let data = Data::open(&file, "frames", &dims, true, &cache(job, 0)?)?;
    let mut pixels: Vec<u16> = Vec::with_capacity(count * PIXELS);
    data.read(u16_type(), &space(&dims)?, pixels.as_mut_ptr())?;
    // What was selected is the whole capacity, and was read.
    unsafe { pixels.set_len(count * PIXELS) };
    drop((data, file));
    let outcome = Outcome::since(start, count * PIXELS * 2);
    match pixels
        .chunks(PIXELS)
        .enumerate()
        .all(|(number, frame)| frames.holds(number, frame))
    {
        true => outcome,
        false => Err("a frame is not what was written".into()),
    }
}

pub fn frames_at_random(job: &Job, count: usize, reads: usize) -> Result<Outcome> {
    let (frames, side) = (Frames::new(), SIDE as u64);
    let start = Instant::now();
    let file = open(&job.path, false, &access(job)?)?;
    let data = Data::open(
        &file,
        "frames",
        &[count as u64, side, side],
        true,
        &cache(job, 0)?,
    )?;
    let memory = space(&[1, side, side])?;
    let mut pixels = vec![0_u16; PIXELS];
    for read in 0..reads {
        let number = random_read(read, count);
        data.select([number as u64, 0, 0], [1, side, side])?;
        data.read(u16_type(), &memory, pixels.as_mut_ptr())?;
        if !frames.holds(number, &pixels) {
            return Err(format!("frame {number} is not what was written").into());
        }
    }
    drop((data, file));
    Outcome::since(start, reads * PIXELS * 2)
}

/// Compares a string of libhdf5 with what was written.
fn is(pointer: *const c_char, text: &str) -> bool {
    !pointer.is_null() && unsafe { CStr::from_ptr(pointer) }.to_bytes() == text.as_bytes()
}

/// In one call. The strings stay as C has them; making each a `String` would cost libhdf5 more.
pub fn strings(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let file = open(&job.path, false, &access(job)?)?;
    let data = Data::open(
        &file,
        "strings",
        &[count as u64],
        true,
        &cache(job, 4 << 20)?,
    )?;
    let (string, memory) = (string_type()?, space(&[count as u64])?);
    let mut pointers = vec![std::ptr::null_mut::<c_char>(); count];
    data.read(string.0, &memory, pointers.as_mut_ptr())?;
    let outcome = Outcome::since(start, count);
    let right = pointers
        .iter()
        .enumerate()
        .all(|(number, pointer)| is(*pointer, strings.get(number)));
    unsafe {
        ok(H5Treclaim(
            string.0,
            memory.0,
            DEFAULT,
            pointers.as_mut_ptr().cast::<c_void>(),
        ))?
    };
    match right {
        true => outcome,
        false => Err("a string is not what was written".into()),
    }
}

pub fn strings_at_random(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let file = open(&job.path, false, &access(job)?)?;
    let data = Data::open(
        &file,
        "strings",
        &[count as u64],
        true,
        &cache(job, 32 << 20)?,
    )?;
    let (string, memory) = (string_type()?, space(&[1])?);
    for read in 0..job.sizes.string_reads {
        let number = random_read(read, count);
        data.select([number as u64], [1])?;
        let mut pointer = std::ptr::null_mut::<c_char>();
        data.read(string.0, &memory, &raw mut pointer)?;
        let right = is(pointer, strings.get(number));
        unsafe {
            ok(H5Treclaim(
                string.0,
                memory.0,
                DEFAULT,
                (&raw mut pointer).cast::<c_void>(),
            ))?
        };
        if !right {
            return Err(format!("string {number} is not what was written").into());
        }
    }
    drop((data, file));
    Outcome::since(start, job.sizes.string_reads)
}
