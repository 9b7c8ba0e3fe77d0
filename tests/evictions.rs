//! Chunks that leave the cache and come back between two commits keep what was written last.

use h5quill::File;
use h5quill::storage::MemoryStorage;
use ndarray::{Array2, s};

/// Of 64 KiB, from which on writes are not staged but made at once.
const SIDE: usize = 128;

#[test]
fn a_chunk_written_in_part_then_whole_holds_what_was_written_last() {
    let options = File::with_options().chunk_cache(1); // one chunk
    let file = options.create_on(MemoryStorage::new()).unwrap();
    let builder = file.new_dataset::<f32>().shape((2 * SIDE, SIDE));
    let data = builder.chunk((SIDE, SIDE)).create("x").unwrap();
    let mut wanted = Array2::<f32>::zeros((2 * SIDE, SIDE));
    data.write(&wanted).unwrap();
    file.flush().unwrap();
    let evict = || data.write_slice(&[7.0_f32], (-1, ..1)).unwrap();
    // A fresh copy of the first chunk, then a change of one row of it, which waits for the commit.
    for (row, value) in [(0, 1.0_f32), (1, 2.0)] {
        data.write_slice(&[value], (row, ..1)).unwrap();
        wanted[[row, 0]] = value;
        evict();
    }
    // Then all rows, but not all columns.
    let most = Array2::<f32>::from_elem((SIDE, SIDE - 1), 3.0);
    data.write_slice(&most, (..SIDE, ..SIDE - 1)).unwrap();
    wanted.slice_mut(s![..SIDE, ..SIDE - 1]).assign(&most);
    evict();
    wanted[[2 * SIDE - 1, 0]] = 7.0;
    assert_eq!(data.read_2d::<f32>().unwrap(), wanted, "before the commit");
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    let read = file.dataset("x").unwrap().read_2d::<f32>().unwrap();
    assert_eq!(read, wanted, "after it");
}
