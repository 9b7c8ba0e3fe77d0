//! What the same bytes cost without any format: a loop of `pwrite` or `pread`, a chunk at a time where the others have
//! chunks. Strings are their bytes, end to end.

#![forbid(unsafe_code)]

use kit::data::*;
use kit::size::*;
use kit::{Failure, Job, Outcome};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

type Result<T> = std::result::Result<T, Failure>;

const ROW: usize = COLUMNS * 8;
const FRAME: usize = PIXELS * 2;

fn main() -> ExitCode {
    kit::main(|job: &Job| match job.workload.as_str() {
        "rows" => rows(job),
        "frames" => frames(job),
        "seed" => seed(job),
        "strings" => strings(job),
        "flush" => flush(job),
        "reopen" => reopen(job),
        "rewrite" => rewrite(job),
        "sync" => sync(job),
        "read-frames" => read_frames(job),
        "read-frames-random" => read_frames_at_random(job),
        _ => Outcome::cannot("it has neither filters nor objects nor strings to find"),
    })
}

fn create(path: &Path) -> Result<File> {
    Ok(OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?)
}

/// The bytes of a row.
fn row(rows: &Rows, number: usize) -> [u8; ROW] {
    let mut bytes = [0; ROW];
    for (to, value) in bytes.chunks_exact_mut(8).zip(rows.get(number)) {
        to.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// The bytes of the pool of frames, and the stamp of a frame put into its place.
struct FrameBytes(Vec<Vec<u8>>);

impl FrameBytes {
    fn new() -> Self {
        let mut frames = Frames::new();
        Self(
            (0..Frames::POOL)
                .map(|number| bytes_of(frames.get(number), u16::to_le_bytes))
                .collect(),
        )
    }

    fn get(&mut self, number: usize) -> &[u8] {
        let bytes = &mut self.0[number % Frames::POOL];
        bytes[..4].copy_from_slice(&(number as u32).to_le_bytes());
        bytes
    }

    fn holds(&self, number: usize, bytes: &[u8]) -> bool {
        let at = 4 + mix(number as u64) as usize % (FRAME - 4);
        bytes[..4] == (number as u32).to_le_bytes()
            && bytes[at] == self.0[number % Frames::POOL][at]
    }
}

fn rows(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let (file, mut chunk, mut at) = (
        create(&job.path)?,
        Vec::with_capacity(ROWS_A_CHUNK * ROW),
        0,
    );
    for number in 0..job.sizes.rows {
        chunk.extend_from_slice(&row(&rows, number));
        if chunk.len() == ROWS_A_CHUNK * ROW || number + 1 == job.sizes.rows {
            file.write_all_at(&chunk, at)?;
            at += chunk.len() as u64;
            chunk.clear();
        }
    }
    drop(file);
    Outcome::since(start, job.sizes.rows)
}

fn frames(job: &Job) -> Result<Outcome> {
    let (mut frames, count) = (FrameBytes::new(), job.sizes.frames);
    let start = Instant::now();
    let file = create(&job.path)?;
    for number in 0..count {
        file.write_all_at(frames.get(number), (number * FRAME) as u64)?;
    }
    drop(file);
    Outcome::since(start, count * FRAME)
}

fn seed(job: &Job) -> Result<Outcome> {
    const SIZE: usize = FEATURES * 4;
    let (mut features, strings) = (Features::new(), Strings::new());
    let pool: Vec<Vec<u8>> = (0..Features::POOL)
        .map(|number| bytes_of(features.get(number), f32::to_le_bytes))
        .collect();
    let start = Instant::now();
    let (file, mut names) = (create(&job.path)?, Vec::new());
    for step in 0..job.sizes.steps {
        file.write_all_at(&pool[step % Features::POOL], (step * SIZE) as u64)?;
        names.extend_from_slice(strings.get(step).as_bytes());
    }
    file.write_all_at(&names, (job.sizes.steps * SIZE) as u64)?;
    drop(file);
    Outcome::since(start, job.sizes.steps)
}

fn strings(job: &Job) -> Result<Outcome> {
    let strings = Strings::new();
    let start = Instant::now();
    let (file, mut bytes, mut at) = (create(&job.path)?, Vec::new(), 0);
    for call in 0..job.sizes.string_calls {
        bytes.clear();
        for text in &strings.all()[Strings::call(call)] {
            bytes.extend_from_slice(text.as_bytes());
        }
        file.write_all_at(&bytes, at)?;
        at += bytes.len() as u64;
    }
    drop(file);
    Outcome::since(start, job.sizes.string_calls * STRINGS_A_CALL)
}

fn flush(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = create(&job.path)?;
    for number in 0..job.sizes.flushes {
        file.write_all_at(&row(&rows, number), (number * ROW) as u64)?;
    }
    drop(file);
    Outcome::since(start, job.sizes.flushes)
}

fn reopen(job: &Job) -> Result<Outcome> {
    let (rows, made) = (Rows::new(), job.sizes.reopen_rows);
    create(&job.path)?.set_len((made * ROW) as u64)?;
    let start = Instant::now();
    for number in made..made + job.sizes.reopens {
        let file = OpenOptions::new().read(true).write(true).open(&job.path)?;
        file.write_all_at(&row(&rows, number), (number * ROW) as u64)?;
    }
    Outcome::since(start, job.sizes.reopens)
}

/// Sixteen pieces of a row of the array for each tile.
fn rewrite(job: &Job) -> Result<Outcome> {
    let tiles = Tiles::new();
    let file = create(&job.path)?;
    file.write_all_at(&bytes_of(&Tiles::background(), f32::to_le_bytes), 0)?;
    let start = Instant::now();
    for number in 0..job.sizes.tiles {
        let (tile, [y, x]) = (
            bytes_of(&tiles.get(number), f32::to_le_bytes),
            Tiles::place(number),
        );
        for (line, piece) in tile.chunks_exact(TILE_SIDE * 4).enumerate() {
            file.write_all_at(piece, (((y + line) * ARRAY_SIDE + x) * 4) as u64)?;
        }
    }
    drop(file);
    Outcome::since(start, job.sizes.tiles)
}

/// One `fdatasync` for both rows, with no guarantee that both are there.
fn sync(job: &Job) -> Result<Outcome> {
    let (rows, right) = (Rows::new(), job.sizes.commits * ROW);
    let file = create(&job.path)?;
    file.sync_all()?;
    let start = Instant::now();
    for number in 0..job.sizes.commits {
        file.write_all_at(&row(&rows, number), (number * ROW) as u64)?;
        file.write_all_at(&row(&rows, number), (right + number * ROW) as u64)?;
        file.sync_data()?;
    }
    Ok(Outcome::Done {
        elapsed: start.elapsed(),
        units: job.sizes.commits as f64,
        syncs: Some(1.0),
    })
}

fn read_frames(job: &Job) -> Result<Outcome> {
    let (frames, count) = (FrameBytes::new(), job.sizes.frames);
    let start = Instant::now();
    let mut bytes = vec![0; count * FRAME];
    File::open(&job.path)?.read_exact_at(&mut bytes, 0)?;
    let outcome = Outcome::since(start, bytes.len());
    match bytes
        .chunks_exact(FRAME)
        .enumerate()
        .all(|(number, frame)| frames.holds(number, frame))
    {
        true => outcome,
        false => Err("a frame is not what was written".into()),
    }
}

fn read_frames_at_random(job: &Job) -> Result<Outcome> {
    let (frames, count) = (FrameBytes::new(), job.sizes.frames);
    let start = Instant::now();
    let (file, mut bytes) = (File::open(&job.path)?, vec![0; FRAME]);
    for read in 0..job.sizes.frame_reads {
        let number = random_read(read, count);
        file.read_exact_at(&mut bytes, (number * FRAME) as u64)?;
        if !frames.holds(number, &bytes) {
            return Err(format!("frame {number} is not what was written").into());
        }
    }
    Outcome::since(start, job.sizes.frame_reads * FRAME)
}
