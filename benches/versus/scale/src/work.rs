//! What is done for one point, from before the file is created until it is closed.

use crate::Series;
use h5quill::File;
use kit::Failure;
use kit::data::{GAIN, Rows, UNIT};
use kit::size::COLUMNS;
use ndarray::Array2;
use std::path::Path;
use std::time::Instant;

/// Datasets in a group of `objects-in-many`.
const A_GROUP: u64 = 1000;

/// Prints seconds and the peak of memory.
pub fn point(series: Series, count: u64, path: &Path) -> Result<(), Failure> {
    let rows = Rows::new();
    let start = Instant::now();
    let file = File::create(path)?;
    match series {
        Series::Appends => appends(&file, count, &rows)?,
        Series::ObjectsInOne => objects(&file, count, count)?,
        Series::ObjectsInMany => objects(&file, count, A_GROUP)?,
        Series::Stream => stream(&file, count)?,
    }
    file.close()?;
    println!("{} {}", start.elapsed().as_secs_f64(), kit::peak_memory());
    Ok(())
}

/// Each row a chunk, so that each append is one, too.
fn appends(file: &File, count: u64, rows: &Rows) -> Result<(), Failure> {
    let data = file
        .new_dataset::<f64>()
        .shape((0.., COLUMNS))
        .chunk((1, COLUMNS))
        .create("rows")?;
    for number in 0..count {
        data.append(&rows.get(number as usize))?;
    }
    Ok(())
}

fn objects(file: &File, count: u64, a_group: u64) -> Result<(), Failure> {
    for first in (0..count).step_by(a_group as usize) {
        let group = file.create_group(&format!("group{first}"))?;
        for number in first..count.min(first + a_group) {
            let data = group
                .new_dataset::<f64>()
                .create(&format!("dataset{number}"))?;
            data.write_scalar(&(number as f64))?;
            data.set_attr("unit", UNIT)?;
            data.set_attr("gain", GAIN)?;
            data.set_attr("channel", number as i64)?;
        }
    }
    Ok(())
}

/// Sixteen rows of 16 KiB a call, chunks of 1 MiB.
fn stream(file: &File, bytes: u64) -> Result<(), Failure> {
    const WIDTH: usize = 4096;
    let mut rows = Array2::<f32>::from_shape_fn((16, WIDTH), |(y, x)| (y * WIDTH + x) as f32);
    let data = file
        .new_dataset::<f32>()
        .shape((0.., WIDTH))
        .chunk((64, WIDTH))
        .create("rows")?;
    for number in 0..bytes / (rows.len() as u64 * 4) {
        rows[[0, 0]] = number as f32;
        data.append(&rows)?;
    }
    Ok(())
}
