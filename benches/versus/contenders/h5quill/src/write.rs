//! The workloads that write.

use crate::counting::{Counting, Syncs};
use h5quill::{Dataset, File, FileBuilder};
use kit::data::*;
use kit::size::*;
use kit::{Failure, Job, Outcome};
use ndarray::ArrayView2;
use std::time::Instant;

type Result<T> = std::result::Result<T, Failure>;

/// The options of a file, as the variant has them.
pub fn options(job: &Job) -> Result<FileBuilder> {
    let mut options = File::with_options();
    if let Some(threads) = job.option("threads") {
        options = options.threads(threads.parse()?);
    }
    if let Some(bytes) = job.option("cache") {
        options = options.chunk_cache(bytes.parse()?);
    }
    Ok(options)
}

fn new_rows(file: &File, name: &str, rows_a_chunk: usize) -> Result<Dataset> {
    let builder = file
        .new_dataset::<f64>()
        .shape((0.., COLUMNS))
        .chunk((rows_a_chunk, COLUMNS));
    let data = builder.create(name)?;
    data.set_attr("rate", RATE)?;
    Ok(data)
}

/// Row by row; `appender` gathers them first.
pub fn rows(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    let data = new_rows(&file, "rows", ROWS_A_CHUNK)?;
    match job.is("appender") {
        true => {
            let mut appender = data.appender::<f64>()?;
            for number in 0..job.sizes.rows {
                appender.push_row(&rows.get(number))?;
            }
            appender.finish()?;
        }
        false => {
            for number in 0..job.sizes.rows {
                data.append(&rows.get(number))?;
            }
        }
    }
    file.close()?;
    Outcome::since(start, job.sizes.rows)
}

pub fn frames(job: &Job, count: usize, deflate: bool) -> Result<Outcome> {
    let mut frames = Frames::new();
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    let builder = file
        .new_dataset::<u16>()
        .shape((0.., SIDE, SIDE))
        .chunk((1, SIDE, SIDE));
    let builder = if deflate {
        builder.shuffle().deflate(LEVEL)
    } else {
        builder
    };
    let data = builder.create("frames")?;
    data.set_attr("rate", RATE)?;
    for number in 0..count {
        data.append(ArrayView2::from_shape((SIDE, SIDE), frames.get(number))?)?;
    }
    file.close()?;
    Outcome::since(start, count * PIXELS * 2)
}

pub fn seed(job: &Job) -> Result<Outcome> {
    let (mut features, strings) = (Features::new(), Strings::new());
    let [height, width] = FEATURE;
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    let data = file
        .new_dataset::<f32>()
        .shape((0.., height, width))
        .chunk((1, height, width))
        .create("features")?;
    data.set_attr("rate", RATE)?;
    let names = file
        .new_dataset::<String>()
        .shape(0..)
        .chunk(STRINGS_A_CHUNK)
        .create("names")?;
    for step in 0..job.sizes.steps {
        data.append(ArrayView2::from_shape(FEATURE, features.get(step))?)?;
        names.append(&strings.all()[step % Strings::POOL..][..1])?;
    }
    file.close()?;
    Outcome::since(start, job.sizes.steps)
}

pub fn strings(job: &Job) -> Result<Outcome> {
    let strings = Strings::new();
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    let data = file
        .new_dataset::<String>()
        .shape(0..)
        .chunk(STRINGS_A_CHUNK)
        .create("strings")?;
    data.set_attr("rate", RATE)?;
    for call in 0..job.sizes.string_calls {
        data.append(&strings.all()[Strings::call(call)])?;
    }
    file.close()?;
    Outcome::since(start, job.sizes.string_calls * STRINGS_A_CALL)
}

pub fn objects(job: &Job) -> Result<Outcome> {
    let names: Vec<String> = (0..job.sizes.objects_a_group).map(dataset_name).collect();
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    for group in 0..GROUPS {
        let group = file.create_group(&group_name(group))?;
        for (number, name) in names.iter().enumerate() {
            let data = group.new_dataset::<f64>().create(name)?;
            data.write_scalar(&(number as f64))?;
            data.set_attr("unit", UNIT)?;
            data.set_attr("gain", GAIN)?;
            data.set_attr("channel", number as i32)?;
        }
    }
    file.close()?;
    Outcome::since(start, GROUPS * names.len())
}

pub fn flush(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = options(job)?.create(&job.path)?;
    let data = new_rows(&file, "rows", ROWS_A_FLUSHED_CHUNK)?;
    for number in 0..job.sizes.flushes {
        data.append(&rows.get(number))?;
        file.flush()?;
    }
    file.close()?;
    Outcome::since(start, job.sizes.flushes)
}

pub fn reopen(job: &Job) -> Result<Outcome> {
    let (rows, made) = (Rows::new(), job.sizes.reopen_rows);
    let file = options(job)?.create(&job.path)?;
    let data = new_rows(&file, "rows", ROWS_A_CHUNK)?;
    for number in 0..made {
        data.append(&rows.get(number))?;
    }
    drop(data);
    file.close()?;
    let start = Instant::now();
    for number in made..made + job.sizes.reopens {
        let file = options(job)?.open_rw(&job.path)?;
        file.dataset("rows")?.append(&rows.get(number))?;
        file.close()?;
    }
    Outcome::since(start, job.sizes.reopens)
}

pub fn rewrite(job: &Job) -> Result<Outcome> {
    let tiles = Tiles::new();
    let file = options(job)?.create(&job.path)?;
    let builder = file
        .new_dataset::<f32>()
        .shape((ARRAY_SIDE, ARRAY_SIDE))
        .chunk((CHUNK_SIDE, CHUNK_SIDE));
    let data = builder.create("tiles")?;
    data.set_attr("rate", RATE)?;
    data.write(ArrayView2::from_shape(
        (ARRAY_SIDE, ARRAY_SIDE),
        &Tiles::background(),
    )?)?;
    drop(data);
    file.close()?;
    let start = Instant::now();
    let file = options(job)?.open_rw(&job.path)?;
    let data = file.dataset("tiles")?;
    for number in 0..job.sizes.tiles {
        let (tile, [y, x]) = (tiles.get(number), Tiles::place(number));
        let view = ArrayView2::from_shape((TILE_SIDE, TILE_SIDE), &tile)?;
        data.write_slice(view, (y..y + TILE_SIDE, x..x + TILE_SIDE))?;
    }
    file.close()?;
    Outcome::since(start, job.sizes.tiles)
}

/// Commits to disk, and counts the syncs that they take: exactly two each.
pub fn sync(job: &Job) -> Result<Outcome> {
    let (rows, syncs) = (Rows::new(), Syncs::default());
    let file = options(job)?.create_on(Counting::create(&job.path, &syncs)?)?;
    let left = new_rows(&file, "left", ROWS_A_FLUSHED_CHUNK)?;
    let right = new_rows(&file, "right", ROWS_A_FLUSHED_CHUNK)?;
    file.sync()?;
    let (before, start) = (syncs.get(), Instant::now());
    for number in 0..job.sizes.commits {
        let before = syncs.get();
        left.append(&rows.get(number))?;
        right.append(&rows.get(number))?;
        file.sync()?;
        let taken = syncs.get() - before;
        if taken != 2 {
            return Err(format!("commit {number} took {taken} syncs").into());
        }
    }
    let (elapsed, taken) = (start.elapsed(), syncs.get() - before);
    drop((left, right));
    file.close()?;
    Ok(Outcome::Done {
        elapsed,
        units: job.sizes.commits as f64,
        syncs: Some(taken as f64 / job.sizes.commits as f64),
    })
}
