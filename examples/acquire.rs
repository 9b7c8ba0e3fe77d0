//! An instrument's loop: rows of 64 numbers into a compressed dataset and lines into a log, committed every 100 rows,
//! until the time is over or the process is killed. What was printed is in the file whatever happens.
//!
//! `cargo run --release --example acquire -- OUT.h5 SECONDS`

use h5quill::File;
use std::io::Write;
use std::time::{Duration, Instant};

const ROWS_A_COMMIT: u64 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: acquire OUT.h5 SECONDS";
    let path = arguments.next().ok_or(usage)?;
    let time = Duration::from_secs_f64(arguments.next().ok_or(usage)?.parse()?);

    let file = File::create(&path)?;
    let samples = file
        .new_dataset::<f64>()
        .shape((0.., 64))
        .shuffle()
        .deflate(4)
        .create("samples")?;
    let log = file.new_dataset::<String>().shape(0..).create("log")?;
    let start = Instant::now();
    let mut row = 0_u64;
    while start.elapsed() < time {
        let values: Vec<f64> = (0..64).map(|channel| (row * 64 + channel) as f64).collect();
        samples.append(&values)?;
        row += 1;
        if row.is_multiple_of(ROWS_A_COMMIT) {
            log.append(&[format!("{row} rows")])?;
            file.flush()?;
            println!("{row}");
            std::io::stdout().flush()?;
        }
    }
    file.close()?;
    Ok(())
}
