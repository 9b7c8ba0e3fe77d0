//! Streams rows into one dataset and measures the peak memory, at most 64 MiB.
//!
//! `cargo bench --bench stream` runs both; `cargo bench --bench stream -- plain 8` streams 8 GiB as they are,
//! `-- deflate 8` through shuffle and deflate.

mod support;

use h5quill::File;
use std::time::Instant;
use support::{Outcome, Random, Scratch, Verdict, arguments, peak_memory};

const COLUMNS: usize = 4096;
const ROWS_A_CHUNK: usize = 64;
const ROWS_A_CALL: usize = 16;

fn stream(deflate: bool, gibibytes: f64) -> Outcome {
    let scratch = Scratch::new(if deflate { "deflate" } else { "plain" });
    let file = File::create(&scratch.0)?;
    let builder = file
        .new_dataset::<f32>()
        .shape((0.., COLUMNS))
        .chunk((ROWS_A_CHUNK, COLUMNS));
    let data = match deflate {
        true => builder.shuffle().deflate(1).create("rows")?,
        false => builder.create("rows")?,
    };
    let call = (ROWS_A_CALL * COLUMNS * 4) as f64;
    let calls = (gibibytes * (1_u64 << 30) as f64 / call) as u64;
    let mut random = Random(1);
    let mut rows = ndarray::Array2::<f32>::zeros((ROWS_A_CALL, COLUMNS));
    // Compressible: whole numbers of ten bits.
    rows.mapv_inplace(|_| random.below(1024) as f32);
    let start = Instant::now();
    for number in 0..calls {
        rows[[0, 0]] = number as f32;
        data.append(&rows)?;
    }
    file.close()?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = calls as f64 * call;
    println!(
        "{}: {:.2} GiB in {seconds:.1} s, {:.3} GB/s, file {} bytes",
        if deflate {
            "shuffle and deflate 1"
        } else {
            "plain"
        },
        bytes / (1_u64 << 30) as f64,
        bytes / seconds / 1e9,
        scratch.len()
    );
    let file = File::open(&scratch.0)?;
    let last: ndarray::Array2<f32> = file.dataset("rows")?.read_slice((-1.., ..))?;
    let kept = last.row(0) == rows.row(ROWS_A_CALL - 1);
    let mut verdict = Verdict::default();
    verdict.holds("the last row reads back", kept);
    let mebibytes = peak_memory() as f64 / (1 << 20) as f64;
    verdict.at_most("peak memory, MiB", mebibytes, 64.0);
    verdict.finish()
}

fn main() -> Outcome {
    let arguments = arguments();
    let gibibytes = arguments.get(1).map_or(Ok(8.0), |text| text.parse())?;
    match arguments.first().map(String::as_str) {
        Some(mode) => stream(mode == "deflate", gibibytes),
        None => {
            // Peak memory is that of a process, so each has its own.
            let mut met = true;
            for mode in ["plain", "deflate"] {
                let program = std::env::current_exe()?;
                met &= std::process::Command::new(program)
                    .arg(mode)
                    .status()?
                    .success();
            }
            match met {
                true => Ok(()),
                false => Err("a bound was missed".into()),
            }
        }
    }
}
