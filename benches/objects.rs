//! Scalar datasets with three attributes each: objects a second from the first to the last, and memory; then a file that
//! is opened, grown by a row and closed again and again.
//!
//! `cargo bench --bench objects`; `-- make 1000000 1` makes a million objects in one group, `-- reopen 2000` only reopens.
//! `H5QUILL_BENCH_DIR=/dev/shm` takes the disk out.

mod support;

use h5quill::File;
use std::time::Instant;
use support::{Outcome, Scratch, arguments, peak_memory};

/// Makes `count` objects in `groups` groups, and prints how fast each tenth of them was made.
fn make(count: usize, groups: usize) -> Outcome {
    let scratch = Scratch::new("objects");
    let before = peak_memory();
    let start = Instant::now();
    let file = File::create(&scratch.0)?;
    let (mut tenths, mut last, mut made) = (Vec::new(), 0.0, 0);
    for group in 0..groups {
        let group = file.create_group(&format!("group{group}"))?;
        for number in 0..count / groups {
            let data = group.new_dataset::<f64>().create(&format!("set{number}"))?;
            data.write_scalar(&(number as f64))?;
            data.set_attr("unit", "volt")?;
            data.set_attr("gain", 2.5)?;
            data.set_attr("channel", number as i32)?;
            made += 1;
            if made % (count / 10).max(1) == 0 {
                let now = start.elapsed().as_secs_f64();
                tenths.push((now - last) * 1e6 / (count / 10).max(1) as f64);
                last = now;
            }
        }
    }
    file.close()?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{made} scalar datasets with 3 attributes in {groups} groups: {:.0} a second with the close, file {} bytes, \
         {} KiB of memory; us each, by tenths: {}",
        made as f64 / seconds,
        scratch.len(),
        (peak_memory() - before) >> 10,
        tenths
            .iter()
            .map(|micros| format!("{micros:.2}"))
            .collect::<Vec<_>>()
            .join(" "),
    );
    Ok(())
}

/// Opens a file of one dataset of 100,000 rows, appends a row and closes it.
fn reopen(cycles: u32) -> Outcome {
    let scratch = Scratch::new("reopened");
    let file = File::create(&scratch.0)?;
    let data = file.new_dataset::<f64>().shape((0.., 8)).create("rows")?;
    let rows = ndarray::Array2::from_shape_fn((100_000, 8), |(row, _)| row as f64);
    data.append(&rows)?;
    file.close()?;
    let (before, start) = (scratch.len(), Instant::now());
    for cycle in 0..cycles {
        let file = File::open_rw(&scratch.0)?;
        file.dataset("rows")?.append(&[f64::from(cycle); 8])?;
        file.close()?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "open, append a row, close: {:.0} cycles a second, {:.1} us each; the file grew by {} bytes for {} rows of 64",
        f64::from(cycles) / seconds,
        seconds * 1e6 / f64::from(cycles),
        scratch.len() as i64 - before as i64,
        cycles,
    );
    Ok(())
}

fn main() -> Outcome {
    let arguments = arguments();
    let number = |at: usize, default: usize| {
        let given = arguments.get(at).map(|text| text.parse());
        given.unwrap_or(Ok(default))
    };
    match arguments.first().map(String::as_str) {
        Some("make") => make(number(1, 100_000)?, number(2, 100)?),
        Some("reopen") => reopen(number(1, 2000)? as u32),
        _ => {
            make(100_000, 100)?;
            make(100_000, 1)?;
            reopen(2000)
        }
    }
}
