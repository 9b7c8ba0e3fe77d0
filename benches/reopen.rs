//! Opens a big file, changes a little and closes it, again and again: at most 40 reads a cycle, and no growth beyond
//! what the rows need plus 256 KiB.
//!
//! `cargo bench --bench reopen`; `-- 100000` makes datasets of so many chunks, `-- 0` leaves them out.

mod support;

use h5quill::File;
use std::sync::Arc;
use std::time::Instant;
use support::{Counting, Counts, Outcome, Scratch, Verdict, arguments, memory};

const CYCLES: u64 = 1000;
const COLUMNS: usize = 8;
const SLACK: f64 = (256 << 10) as f64;

/// Runs the cycles and prints reads, writes and time; the growth of the file is at most `needed` plus [`SLACK`].
fn cycles(
    what: &str,
    scratch: &Scratch,
    needed: f64,
    verdict: &mut Verdict,
    mut cycle: impl FnMut(&File, u64) -> Outcome,
) -> Outcome {
    let counts = Arc::new(Counts::default());
    let (before, mut most, mut last) = (scratch.len(), [0_u64; 6], [0; 6]);
    let start = Instant::now();
    for number in 0..CYCLES {
        let file = File::open_rw_on(Counting::open(&scratch.0, &counts)?)?;
        cycle(&file, number)?;
        file.close()?;
        let now = counts.get();
        for kind in 0..6 {
            most[kind] = most[kind].max(now[kind] - last[kind]);
        }
        last = now;
    }
    let seconds = start.elapsed().as_secs_f64();
    let mean = last.map(|count| count as f64 / CYCLES as f64);
    println!(
        "{what}: {:.1} us a cycle; on average {:.1} reads of {:.0} bytes in all, {:.1} writes of {:.0} bytes, \
         {:.1} changes of length, {:.1} syncs; at most {most:?}",
        seconds * 1e6 / CYCLES as f64,
        mean[0],
        mean[1],
        mean[2],
        mean[3],
        mean[4],
        mean[5],
    );
    verdict.at_most(
        &format!("{what}: most reads in a cycle"),
        most[0] as f64,
        40.0,
    );
    let growth = scratch.len() as f64 - before as f64;
    println!("{what}: {growth} bytes of growth, {needed} of them rows and index records");
    verdict.at_most(
        &format!("{what}: growth beyond the rows, bytes"),
        growth - needed,
        SLACK,
    );
    Ok(())
}

fn appending(filtered: bool, chunks: usize, verdict: &mut Verdict) -> Outcome {
    let what = if filtered {
        "filtered chunks"
    } else {
        "chunks"
    };
    let scratch = Scratch::new(if filtered { "filtered" } else { "unfiltered" });
    let row = |number: u64| [number as f64; COLUMNS];
    let start = Instant::now();
    let file = File::create(&scratch.0)?;
    let builder = file
        .new_dataset::<f64>()
        .shape((0.., COLUMNS))
        .chunk((1, COLUMNS));
    let data = match filtered {
        true => builder.fletcher32().create("rows")?,
        false => builder.create("rows")?,
    };
    const BATCH: usize = 1000;
    for batch in 0..chunks / BATCH {
        let first = batch * BATCH;
        let rows = ndarray::Array2::from_shape_fn((BATCH, COLUMNS), |(at, _)| (first + at) as f64);
        data.append(&rows)?;
    }
    file.close()?;
    let chunk_bytes = (COLUMNS * 8 + if filtered { 4 } else { 0 }) as f64;
    println!(
        "{what}: {chunks} chunks made in {:.1} s, {:.1} bytes of file for each of {chunk_bytes} bytes",
        start.elapsed().as_secs_f64(),
        scratch.len() as f64 / chunks as f64,
    );
    // An address of 8 and two offsets of 8; with filters a size of at most 4 and a mask of 4 as well.
    let record = if filtered { 32.0 } else { 24.0 };
    let needed = CYCLES as f64 * (chunk_bytes + record);
    cycles(what, &scratch, needed, verdict, |file, number| {
        let data = file.dataset("rows")?;
        data.append(&row(chunks as u64 + number))?;
        Ok(())
    })?;
    let file = File::open(&scratch.0)?;
    let data = file.dataset("rows")?;
    let shape = data.shape();
    let tail: ndarray::Array2<f64> = data.read_slice((chunks - 1.., ..))?;
    let right = (0..=CYCLES).all(|at| {
        tail.row(at as usize)
            .iter()
            .all(|&value| value == (chunks as u64 - 1 + at) as f64)
    });
    verdict.holds(
        &format!("{what}: all rows are there"),
        shape[0] == chunks + CYCLES as usize && right,
    );
    Ok(())
}

fn many_datasets(verdict: &mut Verdict) -> Outcome {
    const GROUPS: usize = 100;
    const DATASETS: usize = 1000;
    let scratch = Scratch::new("datasets");
    let start = Instant::now();
    let before = memory();
    let file = File::create(&scratch.0)?;
    for group in 0..GROUPS {
        let group = file.create_group(&format!("group{group:03}"))?;
        for number in 0..DATASETS {
            let data = group
                .new_dataset::<f64>()
                .create(&format!("dataset{number:04}"))?;
            data.write_scalar(&(number as f64))?;
        }
    }
    let held = memory() - before;
    file.close()?;
    println!(
        "100,000 scalar datasets in 100 groups: {:.1} s, file {} bytes, {} bytes of memory each before the commit",
        start.elapsed().as_secs_f64(),
        scratch.len(),
        held / (GROUPS * DATASETS) as u64
    );
    let what = "100,000 datasets, one attribute";
    // Each cycle names an attribute of another dataset.
    let needed = 128.0 * CYCLES as f64;
    cycles(what, &scratch, needed, verdict, |file, number| {
        let path = format!("group{:03}/dataset{:04}", number % 100, number * 7 % 1000);
        file.dataset(&path)?.set_attr("cycle", number as i32)?;
        Ok(())
    })
}

fn main() -> Outcome {
    let chunks = arguments()
        .first()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let mut verdict = Verdict::default();
    if chunks > 0 {
        appending(false, chunks, &mut verdict)?;
        appending(true, chunks, &mut verdict)?;
    }
    many_datasets(&mut verdict)?;
    verdict.finish()
}
