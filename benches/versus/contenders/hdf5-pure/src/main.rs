//! hdf5-pure as its documentation has it: its builder where a file is made at once, its appender where it grows. It syncs
//! only as a file is closed, but for `sync`.

#![forbid(unsafe_code)]

use hdf5_pure::{AttrValue, File, FileAccessProperties, FileBuilder, MaxExtent, SyncPolicy};
use kit::data::*;
use kit::size::*;
use kit::{Failure, Job, Outcome};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

type Result<T> = std::result::Result<T, Failure>;

const NO_STRINGS: &str = "it appends no strings of variable length";

fn main() -> ExitCode {
    kit::main(|job: &Job| match job.workload.as_str() {
        "rows" => rows(job),
        "frames" => frames(job, job.sizes.frames, false),
        "frames-deflate" => frames(job, job.sizes.deflate_frames, true),
        "seed" => Outcome::cannot("it appends to datasets of rank 1 only, and no strings"),
        "strings" => Outcome::cannot(NO_STRINGS),
        "objects" => objects(job),
        "flush" => flush(job),
        "reopen" => reopen(job),
        "rewrite" => Outcome::cannot("it rewrites only whole datasets"),
        "sync" => sync(job),
        "read-frames" => read_frames(job, job.sizes.frames),
        "read-frames-random" => read_frames_at_random(job, job.sizes.frames, job.sizes.frame_reads),
        "read-deflate" => read_frames(job, job.sizes.deflate_frames),
        "read-deflate-random" => {
            read_frames_at_random(job, job.sizes.deflate_frames, job.sizes.deflate_frame_reads)
        }
        "read-strings" => read_strings(job),
        "read-strings-random" => read_strings_at_random(job),
        _ => Outcome::cannot("unknown workload"),
    })
}

/// Makes a file with empty datasets of rank 1, which is what it can append to. Chunks are of half the size elsewhere at most:
/// libhdf5 2.0 refuses those of 65,536 elements ("stored chunk dimension encoding length does not match").
fn create_rows(path: &Path, names: &[&str], rows_a_chunk: usize) -> Result<()> {
    let mut builder = FileBuilder::new();
    for name in names {
        let data = builder.create_dataset(name);
        data.with_f64_data(&[])
            .with_shape(&[0])
            .with_maxshape(&[MaxExtent::Unlimited]);
        data.with_chunks(&[(rows_a_chunk * COLUMNS).min(1 << 15) as u64])
            .set_attr("rate", AttrValue::F64(RATE));
    }
    Ok(builder.write(path)?)
}

fn open_rw(path: &Path) -> Result<File> {
    let access = FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose);
    Ok(File::open_rw_with_options(path, access)?)
}

/// Appends rows through a buffer of a chunk.
fn append_rows(path: &Path, count: usize, rows: &Rows) -> Result<()> {
    let file = open_rw(path)?;
    let mut data = file.dataset("rows")?;
    let mut appender = data.buffered_appender()?;
    for number in 0..count {
        appender.append(&rows.get(number))?;
    }
    appender.finish()?;
    drop(data);
    Ok(file.close()?)
}

fn rows(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    create_rows(&job.path, &["rows"], ROWS_A_CHUNK)?;
    append_rows(&job.path, job.sizes.rows, &rows)?;
    Outcome::since(start, job.sizes.rows)
}

/// All at once, since it appends to no dataset of rank 3: the frames are gathered first.
fn frames(job: &Job, count: usize, deflate: bool) -> Result<Outcome> {
    let mut frames = Frames::new();
    let side = SIDE as u64;
    let start = Instant::now();
    let mut pixels = Vec::with_capacity(count * PIXELS);
    for number in 0..count {
        pixels.extend_from_slice(frames.get(number));
    }
    let mut builder = FileBuilder::new();
    let data = builder.create_dataset("frames");
    data.with_u16_data(&pixels)
        .with_shape(&[count as u64, side, side])
        .with_chunks(&[1, side, side]);
    drop(pixels);
    data.with_maxshape(&[
        MaxExtent::Unlimited,
        MaxExtent::Fixed(side),
        MaxExtent::Fixed(side),
    ]);
    data.set_attr("rate", AttrValue::F64(RATE));
    if deflate {
        data.with_shuffle().with_deflate(LEVEL.into());
    }
    builder.write(&job.path)?;
    Outcome::since(start, count * PIXELS * 2)
}

fn objects(job: &Job) -> Result<Outcome> {
    let names: Vec<String> = (0..job.sizes.objects_a_group).map(dataset_name).collect();
    let start = Instant::now();
    let mut builder = FileBuilder::new();
    for group in 0..GROUPS {
        let mut group = builder.create_group(&group_name(group));
        for (number, name) in names.iter().enumerate() {
            let data = group.create_dataset(name);
            data.with_f64_data(&[number as f64]).with_shape(&[]);
            data.set_attr("unit", AttrValue::VarLenString(UNIT.to_owned()));
            data.set_attr("gain", AttrValue::F64(GAIN));
            data.set_attr("channel", AttrValue::I32(number as i32));
        }
        builder.add_group(group.finish());
    }
    builder.write(&job.path)?;
    Outcome::since(start, GROUPS * names.len())
}

/// Each append is in the file when it returns.
fn flush(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    create_rows(&job.path, &["rows"], ROWS_A_FLUSHED_CHUNK)?;
    let file = open_rw(&job.path)?;
    let mut data = file.dataset("rows")?;
    for number in 0..job.sizes.flushes {
        data.append(&rows.get(number))?;
    }
    drop(data);
    file.close()?;
    Outcome::since(start, job.sizes.flushes)
}

fn reopen(job: &Job) -> Result<Outcome> {
    let (rows, made) = (Rows::new(), job.sizes.reopen_rows);
    create_rows(&job.path, &["rows"], ROWS_A_CHUNK)?;
    append_rows(&job.path, made, &rows)?;
    let start = Instant::now();
    for number in made..made + job.sizes.reopens {
        let file = open_rw(&job.path)?;
        file.dataset("rows")?.append(&rows.get(number))?;
        file.close()?;
    }
    Outcome::since(start, job.sizes.reopens)
}

/// Each append is on the disk when it returns; nothing makes both datasets change together.
fn sync(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    create_rows(&job.path, &["left", "right"], ROWS_A_FLUSHED_CHUNK)?;
    let file = File::open_rw(&job.path)?;
    let (mut left, mut right) = (file.dataset("left")?, file.dataset("right")?);
    let start = Instant::now();
    for number in 0..job.sizes.commits {
        left.append(&rows.get(number))?;
        right.append(&rows.get(number))?;
    }
    let outcome = Outcome::since(start, job.sizes.commits);
    drop((left, right));
    file.close()?;
    outcome
}

fn read_frames(job: &Job, count: usize) -> Result<Outcome> {
    let frames = Frames::new();
    let start = Instant::now();
    let pixels = File::open_streaming(&job.path)?
        .dataset("frames")?
        .read_u16()?;
    let outcome = Outcome::since(start, count * PIXELS * 2);
    let right = pixels
        .chunks(PIXELS)
        .enumerate()
        .all(|(number, frame)| frames.holds(number, frame));
    match pixels.len() == count * PIXELS && right {
        true => outcome,
        false => Err("a frame is not what was written".into()),
    }
}

fn read_frames_at_random(job: &Job, count: usize, reads: usize) -> Result<Outcome> {
    let frames = Frames::new();
    let start = Instant::now();
    let file = File::open_streaming(&job.path)?;
    let data = file.dataset("frames")?;
    for read in 0..reads {
        let number = random_read(read, count);
        if !frames.holds(number, &data.read_u16_rows(number as u64, 1)?) {
            return Err(format!("frame {number} is not what was written").into());
        }
    }
    Outcome::since(start, reads * PIXELS * 2)
}

fn read_strings(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let read = File::open_streaming(&job.path)?
        .dataset("strings")?
        .read_string()?;
    let outcome = Outcome::since(start, count);
    match read.len() == count
        && read
            .iter()
            .enumerate()
            .all(|(number, text)| text == strings.get(number))
    {
        true => outcome,
        false => Err("a string is not what was written".into()),
    }
}

fn read_strings_at_random(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let file = File::open_streaming(&job.path)?;
    let data = file.dataset("strings")?;
    for read in 0..job.sizes.string_reads {
        let number = random_read(read, count);
        if data
            .read_string_rows(number as u64, 1)?
            .first()
            .is_none_or(|text| text != strings.get(number))
        {
            return Err(format!("string {number} is not what was written").into());
        }
    }
    Outcome::since(start, job.sizes.string_reads)
}
