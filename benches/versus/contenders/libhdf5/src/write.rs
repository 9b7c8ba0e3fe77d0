//! The workloads that write.

use crate::hdf::*;
use hdf5_metno_sys::h5g::{H5Gclose, H5Gcreate2};
use kit::data::*;
use kit::size::*;
use kit::{Job, Outcome};
use std::ffi::{CStr, CString, c_char};
use std::time::Instant;

fn rate(data: &Data) -> Result<()> {
    data.attribute(c"rate", double(), &scalar()?, &RATE)
}

/// Rows of `COLUMNS`. The cache holds a few chunks; without one, each row would be a write of the system.
fn new_rows(job: &Job, file: &Id, rows_a_chunk: usize, cache_bytes: usize) -> Result<Data> {
    let create = chunked(&[rows_a_chunk as u64, COLUMNS as u64], None)?;
    let data = Data::create(
        file,
        "rows",
        double(),
        &[COLUMNS as u64],
        &create,
        &cache(job, cache_bytes)?,
    )?;
    rate(&data)?;
    Ok(data)
}

/// A call for each row. `ahead` grows the dataset a chunk at a time and cuts it at the end: faster, but what a program
/// that dies leaves behind has rows that were never written.
pub fn rows(job: &Job) -> Result<Outcome> {
    let (rows, count) = (Rows::new(), job.sizes.rows);
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let data = new_rows(job, &file, ROWS_A_CHUNK, 16 << 20)?;
    let memory = space(&[1, COLUMNS as u64])?;
    match job.is("ahead") {
        false => {
            for number in 0..count {
                data.append::<2, _>(double(), &memory, number, 1, &rows.get(number))?;
            }
        }
        true => {
            for number in 0..count {
                if number % ROWS_A_CHUNK == 0 {
                    data.extend::<2>((number + ROWS_A_CHUNK) as u64)?;
                }
                data.select([number as u64, 0], [1, COLUMNS as u64])?;
                data.write(double(), &memory, &rows.get(number))?;
            }
            data.extend::<2>(count as u64)?;
        }
    }
    drop((data, file));
    Outcome::since(start, count)
}

/// Unfiltered frames go past the cache as whole chunks; filtered ones through the pipeline of `H5Dwrite`.
pub fn frames(job: &Job, count: usize, deflate: bool) -> Result<Outcome> {
    let mut frames = Frames::new();
    let (side, level) = (SIDE as u64, deflate.then_some(LEVEL));
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let create = chunked(&[1, side, side], level)?;
    let data = Data::create(
        &file,
        "frames",
        u16_type(),
        &[side, side],
        &create,
        &cache(job, 4 << 20)?,
    )?;
    rate(&data)?;
    let memory = space(&[1, side, side])?;
    for number in 0..count {
        let frame = frames.get(number);
        match deflate || job.is("write") {
            true => data.append::<3, _>(u16_type(), &memory, number, 1, frame)?,
            false => {
                data.extend::<3>(number as u64 + 1)?;
                data.write_chunk([number as u64, 0, 0], frame)?;
            }
        }
    }
    drop((data, file));
    Outcome::since(start, count * PIXELS * 2)
}

/// The strings of the pool, as C has them.
fn c_strings(strings: &Strings) -> Result<Vec<CString>> {
    Ok(strings
        .all()
        .iter()
        .map(|text| CString::new(text.as_str()))
        .collect::<std::result::Result<_, _>>()?)
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).collect()
}

fn new_strings(job: &Job, file: &Id, name: &str, string: &Id) -> Result<Data> {
    let create = filled_chunks(&[STRINGS_A_CHUNK as u64])?;
    Data::create(file, name, string.0, &[], &create, &cache(job, 4 << 20)?)
}

pub fn seed(job: &Job) -> Result<Outcome> {
    let (mut features, strings) = (Features::new(), c_strings(&Strings::new())?);
    let pointers = pointers(&strings);
    let [height, width] = FEATURE.map(|side| side as u64);
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let create = chunked(&[1, height, width], None)?;
    let data = Data::create(
        &file,
        "features",
        float(),
        &[height, width],
        &create,
        &cache(job, 1 << 20)?,
    )?;
    rate(&data)?;
    let string = string_type()?;
    let names = new_strings(job, &file, "names", &string)?;
    let one = space(&[1])?;
    for step in 0..job.sizes.steps {
        data.extend::<3>(step as u64 + 1)?;
        data.write_chunk([step as u64, 0, 0], features.get(step))?;
        names.append::<1, _>(
            string.0,
            &one,
            step,
            1,
            &pointers[step % Strings::POOL..][..1],
        )?;
    }
    drop((data, names, file));
    Outcome::since(start, job.sizes.steps)
}

pub fn strings(job: &Job) -> Result<Outcome> {
    let strings = c_strings(&Strings::new())?;
    let pointers = pointers(&strings);
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let string = string_type()?;
    let data = new_strings(job, &file, "strings", &string)?;
    rate(&data)?;
    let memory = space(&[STRINGS_A_CALL as u64])?;
    for call in 0..job.sizes.string_calls {
        let values = &pointers[Strings::call(call)];
        data.append::<1, _>(
            string.0,
            &memory,
            call * STRINGS_A_CALL,
            STRINGS_A_CALL,
            values,
        )?;
    }
    drop((data, file));
    Outcome::since(start, job.sizes.string_calls * STRINGS_A_CALL)
}

/// Scalars in compact storage, which saves the block of raw data; `contiguous` has it.
pub fn objects(job: &Job) -> Result<Outcome> {
    let c_name = |name: String| CString::new(name);
    let names: Vec<CString> = (0..job.sizes.objects_a_group)
        .map(dataset_name)
        .map(c_name)
        .collect::<std::result::Result<_, _>>()?;
    let unit = CString::new(UNIT)?;
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let (scalar, string, fixed) = (scalar()?, string_type()?, fixed_string_type(UNIT.len())?);
    let layout = if job.is("contiguous") {
        contiguous()?
    } else {
        compact()?
    };
    for group in 0..GROUPS {
        let name = CString::new(group_name(group))?;
        let group = unsafe { H5Gcreate2(file.0, name.as_ptr(), DEFAULT, DEFAULT, DEFAULT) };
        for (number, name) in names.iter().enumerate() {
            let data = Scalar::create(group, name, double(), &scalar, &layout)?;
            data.write(double(), &(number as f64))?;
            match job.is("fixed") {
                true => data.attribute(c"unit", fixed.0, &scalar, &*b"volt")?,
                false => data.attribute(c"unit", string.0, &scalar, &unit.as_ptr())?,
            }
            data.attribute(c"gain", double(), &scalar, &GAIN)?;
            data.attribute(c"channel", int(), &scalar, &(number as i32))?;
        }
        unsafe { ok(H5Gclose(group))? };
    }
    drop(file);
    Outcome::since(start, GROUPS * names.len())
}

/// Without a chunk cache each row is written by itself; with one, every flush would write the whole chunk.
pub fn flush(job: &Job) -> Result<Outcome> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = create(&job.path, &access(job)?)?;
    let rows_a_chunk = job
        .option("chunk")
        .map_or(Ok(ROWS_A_FLUSHED_CHUNK), str::parse)?;
    let data = new_rows(job, &file, rows_a_chunk, 0)?;
    let memory = space(&[1, COLUMNS as u64])?;
    for number in 0..job.sizes.flushes {
        data.append::<2, _>(double(), &memory, number, 1, &rows.get(number))?;
        crate::hdf::flush(&file)?;
    }
    drop((data, file));
    Outcome::since(start, job.sizes.flushes)
}

/// Without a chunk cache, so that a cycle writes one row and not a chunk.
pub fn reopen(job: &Job) -> Result<Outcome> {
    let (rows, made) = (Rows::new(), job.sizes.reopen_rows);
    let access = access(job)?;
    let file = create(&job.path, &access)?;
    let data = new_rows(job, &file, ROWS_A_CHUNK, 16 << 20)?;
    let memory = space(&[1, COLUMNS as u64])?;
    for number in 0..made {
        data.append::<2, _>(double(), &memory, number, 1, &rows.get(number))?;
    }
    drop((data, file));
    let start = Instant::now();
    let cache = cache(job, 0)?;
    for number in made..made + job.sizes.reopens {
        let file = open(&job.path, true, &access)?;
        let data = Data::open(
            &file,
            "rows",
            &[number as u64, COLUMNS as u64],
            true,
            &cache,
        )?;
        data.append::<2, _>(double(), &memory, number, 1, &rows.get(number))?;
    }
    Outcome::since(start, job.sizes.reopens)
}

/// The cache holds the whole array. `default` leaves it as libhdf5 has it.
pub fn rewrite(job: &Job) -> Result<Outcome> {
    let (tiles, side) = (Tiles::new(), ARRAY_SIDE as u64);
    let access = access(job)?;
    let cache = match job.is("default") {
        true => default_access()?,
        false => cache(job, 128 << 20)?,
    };
    let file = create(&job.path, &access)?;
    let create = chunked(&[CHUNK_SIDE as u64; 2], None)?;
    let data = Data::fixed(&file, "tiles", float(), &[side; 2], &create, &cache)?;
    rate(&data)?;
    data.write(float(), &space(&[side; 2])?, &Tiles::background())?;
    drop((data, file));
    let start = Instant::now();
    let file = open(&job.path, true, &access)?;
    let data = Data::open(&file, "tiles", &[side; 2], false, &cache)?;
    let tile = TILE_SIDE as u64;
    let memory = space(&[tile; 2])?;
    for number in 0..job.sizes.tiles {
        data.select(Tiles::place(number).map(|at| at as u64), [tile; 2])?;
        data.write(float(), &memory, &tiles.get(number))?;
    }
    drop((data, file));
    Outcome::since(start, job.sizes.tiles)
}

/// A scalar dataset; it has no selections.
struct Scalar(Id);

impl Scalar {
    fn create(group: i64, name: &CStr, datatype: i64, space: &Id, layout: &Id) -> Result<Self> {
        Ok(Self(create_dataset(group, name, datatype, space, layout)?))
    }

    fn write<T>(&self, datatype: i64, value: &T) -> Result<()> {
        write_all(&self.0, datatype, value)
    }

    fn attribute<T>(&self, name: &CStr, datatype: i64, space: &Id, value: &T) -> Result<()> {
        set_attribute(&self.0, name, datatype, space, value)
    }
}
