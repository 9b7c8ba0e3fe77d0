//! hdf5-metno's example of a series that grows by a chunk at a time, with this library. [`h5quill::Dataset::append`] would
//! take the place of the resize and the write; the calls here are hdf5-metno's, but for a question mark at `num_chunks`.
//!
//! `cargo run --example metno_continuously_rw_1d -- OUT.h5`

use h5quill::{Extent, File, Result};
use ndarray::Array1;

const CHUNK: usize = 5;
const CHUNKS: usize = 3;

pub(crate) fn run(path: &str) -> Result<()> {
    let file = File::create(path)?;
    let extent = Extent::resizable(0);
    let data = file
        .new_dataset::<usize>()
        .chunk((CHUNK,))
        .shape(extent)
        .create("count")?;
    let mut waiting = Vec::with_capacity(CHUNK);
    for number in 0..CHUNK * CHUNKS {
        waiting.push(number);
        if waiting.len() == CHUNK {
            let size = data.size();
            data.resize((size + CHUNK,))?;
            data.write_slice(&waiting, size..size + CHUNK)?;
            waiting.clear();
        }
    }
    file.close()?;

    let file = File::open(path)?;
    let data = file.dataset("count")?;
    let chunk = data.chunk().unwrap_or_default()[0];
    let chunks = data.num_chunks()?.unwrap_or_default();
    assert_eq!(
        (data.shape(), chunk, chunks),
        (vec![CHUNK * CHUNKS], CHUNK, CHUNKS)
    );
    for number in 0..chunks {
        let start = number * chunk;
        let read: Array1<usize> = data.read_slice(start..start + chunk)?;
        assert_eq!(read, Array1::from_iter(start..start + chunk));
    }
    let all: Array1<usize> = data.read_1d()?;
    assert_eq!(all, Array1::from_iter(0..CHUNK * CHUNKS));
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: metno_continuously_rw_1d OUT.h5")?;
    Ok(run(&path)?)
}
