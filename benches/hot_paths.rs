//! How fast the usual work is; no bounds, only numbers.
//!
//! `cargo bench --bench hot_paths`; `-- append` runs one of append, flush, frames, strings, structs, interleaved, scalars.
//! `H5QUILL_BENCH_DIR=/dev/shm` takes the disk out.

mod support;

use h5quill::{File, H5Type};
use std::time::Instant;
use support::{NoHeap, Outcome, Scratch, arguments, memory, peak_memory};

fn append() -> Outcome {
    for (what, deflate, rows) in [
        ("plain", false, 1_000_000_u32),
        ("deflate 1", true, 1_000_000),
    ] {
        let scratch = Scratch::new("append");
        let file = File::create(&scratch.0)?;
        let builder = file.new_dataset::<f64>().shape((0.., 8));
        let data = match deflate {
            true => builder.deflate(1).create("rows")?,
            false => builder.create("rows")?,
        };
        let start = Instant::now();
        for row in 0..rows {
            data.append(&[f64::from(row); 8])?;
        }
        let seconds = start.elapsed().as_secs_f64();
        file.close()?;
        println!(
            "append of a row of 64 bytes, {what}: {:.0} a second",
            f64::from(rows) / seconds
        );
    }
    Ok(())
}

fn flush() -> Outcome {
    let scratch = Scratch::new("flush");
    let file = File::create(&scratch.0)?;
    let data = file.new_dataset::<f64>().shape((0.., 8)).create("rows")?;
    let rows = 50_000_u32;
    let start = Instant::now();
    for row in 0..rows {
        data.append(&[f64::from(row); 8])?;
        file.flush()?;
    }
    let seconds = start.elapsed().as_secs_f64();
    file.close()?;
    println!(
        "append of a row of 64 bytes and flush: {:.0} a second, file {} bytes for {}",
        f64::from(rows) / seconds,
        scratch.len(),
        rows * 64
    );
    Ok(())
}

fn frames() -> Outcome {
    let scratch = Scratch::new("frames");
    let frame = ndarray::Array2::from_shape_fn((512, 512), |(y, x)| (y * 512 + x) as u16);
    let frames = 4000;
    let bytes = f64::from(frames) * 512.0 * 512.0 * 2.0;
    let file = File::create(&scratch.0)?;
    let data = file
        .new_dataset::<u16>()
        .shape((0.., 512, 512))
        .chunk((1, 512, 512))
        .create("frames")?;
    let start = Instant::now();
    for _ in 0..frames {
        data.append(&frame)?;
    }
    file.close()?;
    let written = start.elapsed().as_secs_f64();
    let file = File::open(&scratch.0)?;
    let data = file.dataset("frames")?;
    let start = Instant::now();
    for number in 0..frames as usize {
        let read: ndarray::Array2<u16> = data.read_slice((number, .., ..))?;
        std::hint::black_box(read);
    }
    println!(
        "frames of 512 x 512 u16: {:.2} GB/s written, {:.2} GB/s read",
        bytes / written / 1e9,
        bytes / start.elapsed().as_secs_f64() / 1e9
    );
    Ok(())
}

fn strings() -> Outcome {
    let scratch = Scratch::new("strings");
    let file = File::create(&scratch.0)?;
    let log = file.new_dataset::<String>().shape(0..).create("log")?;
    let lines: Vec<String> = (0..1000)
        .map(|line| format!("line {line} of a log"))
        .collect();
    let start = Instant::now();
    for _ in 0..1000 {
        log.append(&lines)?;
    }
    file.close()?;
    let written = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let file = File::open(&scratch.0)?;
    let read = file.dataset("log")?.read_raw::<String>()?;
    assert_eq!(read.len(), 1_000_000);
    println!(
        "strings, 1000 a call: {:.0} a second written, {:.0} read, file {} bytes",
        1e6 / written,
        1e6 / start.elapsed().as_secs_f64(),
        scratch.len()
    );
    Ok(())
}

/// A compound of five numbers, 19 bytes in the file.
#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
struct Row {
    time: f64,
    channel: i32,
    flags: u16,
    value: f32,
    quality: u8,
}

fn structs() -> Outcome {
    let rows: Vec<Row> = (0..1_000_000_u32)
        .map(|number| Row {
            time: f64::from(number) * 0.1,
            channel: number as i32 % 64,
            flags: 3,
            value: number as f32,
            quality: 1,
        })
        .collect();
    let stored = Row::datatype();
    let bytes = rows.len() as f64 * f64::from(stored.size());
    let megabytes = |start: Instant| bytes / 1e6 / start.elapsed().as_secs_f64();
    let mut out = Vec::with_capacity(bytes as usize);
    let (mut encoded, mut decoded) = (0_f64, 0_f64);
    for _ in 0..5 {
        out.clear();
        let start = Instant::now();
        Row::encode(&rows, &stored, &mut NoHeap, &mut out)?;
        encoded = encoded.max(megabytes(start));
        let start = Instant::now();
        let read = Row::decode(&out, &stored, &mut NoHeap)?;
        decoded = decoded.max(megabytes(start));
        assert!(read == rows, "what was read is what was written");
    }
    let scratch = Scratch::new("structs");
    let file = File::create(&scratch.0)?;
    let data = file.new_dataset::<Row>().shape(0..).create("rows")?;
    let start = Instant::now();
    for rows in rows.chunks(10_000) {
        data.append(rows)?;
    }
    file.flush()?;
    let written = megabytes(start);
    let start = Instant::now();
    assert_eq!(data.read_raw::<Row>()?.len(), rows.len());
    let read = megabytes(start);
    file.close()?;
    println!(
        "structs of five numbers: {encoded:.0} MB/s encoded, {decoded:.0} decoded; \
         {written:.0} written to a file 10,000 a call, {read:.0} read"
    );
    Ok(())
}

/// Many datasets that grow in turn: what their chunks hold must stay within the budget.
fn interleaved() -> Outcome {
    let scratch = Scratch::new("interleaved");
    let file = File::create(&scratch.0)?;
    let mut sets = Vec::new();
    for number in 0..1000 {
        let builder = file.new_dataset::<f64>().shape((0.., 8)).chunk((2048, 8));
        sets.push(builder.create(&format!("set{number}"))?);
    }
    let start = Instant::now();
    let before = memory();
    for row in 0..20 {
        for data in &sets {
            data.append(&[f64::from(row); 8])?;
        }
    }
    println!(
        "1000 datasets of 128 KiB chunks, 20 rows each in turn: {:.1} s, memory grown by {} MiB",
        start.elapsed().as_secs_f64(),
        (memory() - before) >> 20
    );
    file.close()?;
    Ok(())
}

fn scalars() -> Outcome {
    let scratch = Scratch::new("scalars");
    let before = memory();
    let start = Instant::now();
    let file = File::create(&scratch.0)?;
    for group in 0..100 {
        let group = file.create_group(&format!("group{group}"))?;
        for number in 0..1000 {
            let data = group.new_dataset::<f64>().create(&format!("set{number}"))?;
            data.write_scalar(&f64::from(number))?;
            data.set_attr("unit", "volt")?;
            data.set_attr("gain", 2.5)?;
            data.set_attr("channel", number)?;
        }
    }
    let made = start.elapsed().as_secs_f64();
    let held = memory().saturating_sub(before);
    file.close()?;
    println!(
        "100,000 scalar datasets with 3 attributes in 100 groups: made in {made:.2} s, closed after {:.2} s, \
         file {} bytes, {} bytes of memory each, peak {} MiB",
        start.elapsed().as_secs_f64(),
        scratch.len(),
        held / 100_000,
        peak_memory() >> 20
    );
    let start = Instant::now();
    let file = File::open(&scratch.0)?;
    let mut sum = 0.0;
    for group in file.groups()? {
        for data in group.datasets()? {
            sum += data.read_scalar::<f64>()? + data.attr("gain")?.read_scalar::<f64>()?;
        }
    }
    println!(
        "read back with one attribute each in {:.2} s (sum {sum}), memory {} MiB",
        start.elapsed().as_secs_f64(),
        memory() >> 20
    );
    Ok(())
}

type Work = fn() -> Outcome;

fn main() -> Outcome {
    let wanted = arguments();
    let all: [(&str, Work); 7] = [
        ("append", append),
        ("flush", flush),
        ("frames", frames),
        ("strings", strings),
        ("structs", structs),
        ("interleaved", interleaved),
        ("scalars", scalars),
    ];
    for (name, work) in all {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            work()?;
        }
    }
    Ok(())
}
