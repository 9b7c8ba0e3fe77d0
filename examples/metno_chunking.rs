//! hdf5-metno's example of chunks, with this library: whole chunks written and read one at a time. The calls are the same.
//!
//! `cargo run --example metno_chunking -- OUT.h5`

use h5quill::{File, Result};
use ndarray::Array2;

pub(crate) fn run(path: &str) -> Result<()> {
    let (rows, columns) = (100, 100);
    let plane = Array2::from_shape_fn((rows, columns), |(row, column)| {
        (1000 * row + column) as f32
    });
    let file = File::create(path)?;
    let data = file
        .new_dataset::<f32>()
        .chunk((1, rows, columns))
        .shape((1.., rows, columns))
        .deflate(3)
        .create("variable")?;
    data.write_slice(&plane, (0, .., ..))?;
    data.resize((10, rows, columns))?;
    data.write_slice(&plane, (1, .., ..))?;

    assert_eq!(data.chunk().as_deref(), Some(&[1, rows, columns][..]));
    assert_eq!(data.shape(), [10, rows, columns]);
    for number in 0..data.shape()[0] {
        let read: Array2<f32> = data.read_slice((number, .., ..))?;
        let written = number < 2;
        assert!(if written {
            read == plane
        } else {
            read.iter().all(|value| *value == 0.0)
        });
    }
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: metno_chunking OUT.h5")?;
    Ok(run(&path)?)
}
