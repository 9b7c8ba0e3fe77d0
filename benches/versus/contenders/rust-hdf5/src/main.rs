//! rust-hdf5 as its documentation has it. Files are closed without a sync, as the others are.

#![forbid(unsafe_code)]

use kit::data::*;
use kit::size::*;
use kit::{Failure, Job, Outcome};
use rust_hdf5::{H5Dataset, H5File, VarLenUnicode};
use std::process::ExitCode;
use std::time::Instant;

type Result<T> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    kit::main(|job: &Job| match job.workload.as_str() {
        "rows" => rows(job),
        "frames" => frames(job, job.sizes.frames, false),
        "frames-deflate" => frames(job, job.sizes.deflate_frames, true),
        "seed" => seed(job),
        "strings" => strings(job),
        "objects" => objects(job),
        "flush" => flush(job),
        "reopen" => reopen(job),
        "rewrite" => rewrite(job),
        "sync" => Outcome::cannot("it syncs only as it closes"),
        "read-frames" => read_frames(job, job.sizes.frames),
        "read-frames-random" => read_frames_at_random(job, job.sizes.frames, job.sizes.frame_reads),
        "read-deflate" => read_frames(job, job.sizes.deflate_frames),
        "read-deflate-random" => {
            read_frames_at_random(job, job.sizes.deflate_frames, job.sizes.deflate_frame_reads)
        }
        "read-strings" => read_strings(job),
        "read-strings-random" => Outcome::cannot("it reads strings only all at once"),
        _ => Outcome::cannot("unknown workload"),
    })
}

fn rate(data: &H5Dataset) -> Result<()> {
    Ok(data
        .new_attr::<f64>()
        .shape(())
        .create("rate")?
        .write_numeric(&RATE)?)
}

fn new_rows(file: &H5File, rows_a_chunk: usize) -> Result<H5Dataset> {
    let builder = file
        .new_dataset::<f64>()
        .shape([0, COLUMNS])
        .chunk(&[rows_a_chunk, COLUMNS]);
    let data = builder.max_shape(&[None, Some(COLUMNS)]).create("rows")?;
    rate(&data)?;
    Ok(data)
}

fn rows(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    let data = new_rows(&file, ROWS_A_CHUNK)?;
    for number in 0..job.sizes.rows {
        data.append(&rows.get(number))?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, job.sizes.rows)
}

fn frames(job: &Job, count: usize, deflate: bool) -> Result<Outcome> {
    let mut frames = Frames::new();
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    let builder = file
        .new_dataset::<u16>()
        .shape([0, SIDE, SIDE])
        .chunk(&[1, SIDE, SIDE]);
    let builder = builder.max_shape(&[None, Some(SIDE), Some(SIDE)]);
    let builder = if deflate {
        builder.shuffle_deflate(LEVEL.into())
    } else {
        builder
    };
    let data = builder.create("frames")?;
    rate(&data)?;
    for number in 0..count {
        data.append(frames.get(number))?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, count * PIXELS * 2)
}

fn seed(job: &Job) -> Result<Outcome> {
    let (mut features, strings) = (Features::new(), Strings::new());
    let [height, width] = FEATURE;
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    let builder = file
        .new_dataset::<f32>()
        .shape([0, height, width])
        .chunk(&[1, height, width]);
    let data = builder
        .max_shape(&[None, Some(height), Some(width)])
        .create("features")?;
    rate(&data)?;
    file.create_appendable_vlen_dataset("names", STRINGS_A_CHUNK, None)?;
    for step in 0..job.sizes.steps {
        data.append(features.get(step))?;
        file.append_vlen_strings("names", &[strings.get(step)])?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, job.sizes.steps)
}

fn strings(job: &Job) -> Result<Outcome> {
    let strings = Strings::new();
    let texts: Vec<&str> = strings.all().iter().map(String::as_str).collect();
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    let data = file.create_appendable_vlen_dataset("strings", STRINGS_A_CHUNK, None)?;
    rate(&data)?;
    for call in 0..job.sizes.string_calls {
        file.append_vlen_strings("strings", &texts[Strings::call(call)])?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, job.sizes.string_calls * STRINGS_A_CALL)
}

fn objects(job: &Job) -> Result<Outcome> {
    let names: Vec<String> = (0..job.sizes.objects_a_group).map(dataset_name).collect();
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    for group in 0..GROUPS {
        let group = file.create_group(&group_name(group))?;
        for (number, name) in names.iter().enumerate() {
            let data = group.new_dataset::<f64>().scalar().create(name)?;
            data.write_raw(&[number as f64])?;
            data.new_attr::<VarLenUnicode>()
                .shape(())
                .create("unit")?
                .write_string(UNIT)?;
            data.new_attr::<f64>()
                .shape(())
                .create("gain")?
                .write_numeric(&GAIN)?;
            data.new_attr::<i32>()
                .shape(())
                .create("channel")?
                .write_numeric(&(number as i32))?;
        }
    }
    file.close_no_sync()?;
    Outcome::since(start, GROUPS * names.len())
}

/// Its flush hands over what was written, but the file can be opened only once it is closed.
fn flush(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = H5File::create(&job.path)?;
    let data = new_rows(&file, ROWS_A_FLUSHED_CHUNK)?;
    for number in 0..job.sizes.flushes {
        data.append(&rows.get(number))?;
        data.flush()?;
        file.flush()?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, job.sizes.flushes)
}

fn reopen(job: &Job) -> Result<Outcome> {
    let (rows, made) = (Rows::new(), job.sizes.reopen_rows);
    let file = H5File::create(&job.path)?;
    let data = new_rows(&file, ROWS_A_CHUNK)?;
    for number in 0..made {
        data.append(&rows.get(number))?;
    }
    drop(data);
    file.close_no_sync()?;
    let start = Instant::now();
    for number in made..made + job.sizes.reopens {
        let file = H5File::open_rw(&job.path)?;
        file.dataset_writer("rows")?.append(&rows.get(number))?;
        file.close_no_sync()?;
    }
    Outcome::since(start, job.sizes.reopens)
}

fn rewrite(job: &Job) -> Result<Outcome> {
    let tiles = Tiles::new();
    let file = H5File::create(&job.path)?;
    let builder = file.new_dataset::<f32>().shape([ARRAY_SIDE, ARRAY_SIDE]);
    let data = builder.chunk(&[CHUNK_SIDE, CHUNK_SIDE]).create("tiles")?;
    rate(&data)?;
    data.write_slice(&[0, 0], &[ARRAY_SIDE, ARRAY_SIDE], &Tiles::background())?;
    drop(data);
    file.close_no_sync()?;
    let start = Instant::now();
    let file = H5File::open_rw(&job.path)?;
    let data = file.dataset_writer("tiles")?;
    for number in 0..job.sizes.tiles {
        data.write_slice(
            &Tiles::place(number),
            &[TILE_SIDE, TILE_SIDE],
            &tiles.get(number),
        )?;
    }
    drop(data);
    file.close_no_sync()?;
    Outcome::since(start, job.sizes.tiles)
}

fn read_frames(job: &Job, count: usize) -> Result<Outcome> {
    let frames = Frames::new();
    let start = Instant::now();
    let pixels: Vec<u16> = H5File::open(&job.path)?.dataset("frames")?.read_raw()?;
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
    let file = H5File::open(&job.path)?;
    let (data, mut pixels) = (file.dataset("frames")?, vec![0_u16; PIXELS]);
    for read in 0..reads {
        let number = random_read(read, count);
        data.read_slice_into(&mut pixels, &[number, 0, 0], &[1, SIDE, SIDE])?;
        if !frames.holds(number, &pixels) {
            return Err(format!("frame {number} is not what was written").into());
        }
    }
    Outcome::since(start, reads * PIXELS * 2)
}

fn read_strings(job: &Job) -> Result<Outcome> {
    let (strings, count) = (Strings::new(), job.sizes.string_calls * STRINGS_A_CALL);
    let start = Instant::now();
    let read = H5File::open(&job.path)?
        .dataset("strings")?
        .read_vlen_strings()?;
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
