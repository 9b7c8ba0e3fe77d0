//! Chunks as the file stores them, past the filters of this library.

use crate::dataset::Dataset;
use crate::error::Result;
use alloc::vec::Vec;

impl Dataset {
    /// Stores a chunk as it is, filtered elsewhere, as `write_direct_chunk` of h5py does. `offset` is the place of its
    /// first element; bit `n` of `filter_mask` says that filter `n` of [`filters`](Self::filters) was left out. Nothing
    /// looks into `bytes`: what does not fit the filters is noticed when it is read.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(8).chunk(4).deflate(1).create("x")?;
    ///
    /// data.write_chunk(&[0], 0, b"\x78\x01\x4b\x2a\xca\xcf\x03\x00\x04\x2e\x01\xb2")?; // zlib's of "bron"
    /// data.write_chunk(&[4], 0b1, b"gold")?; // not deflated
    /// assert_eq!(data.read_raw::<u8>()?, b"brongold");
    /// assert!(data.write_chunk(&[2], 0b1, b"lead").is_err()); // no chunk begins there
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// No chunk begins at `offset` or it is beyond the extent; a chunk without filters that has another size; elements of
    /// variable length, which would name places in a heap; nothing is changed then.
    pub fn write_chunk(&self, offset: &[usize], filter_mask: u32, bytes: &[u8]) -> Result<()> {
        let offset = wide(offset);
        self.object().change(bytes.len() as u64, |engine, addr| {
            engine.write_chunk(addr, &offset, filter_mask, bytes)
        })
    }

    /// A chunk as it is stored, and the mask of the filters that were left out, as `read_direct_chunk` of h5py gives
    /// them: [`write_chunk`](Self::write_chunk) takes them. Also where this library does not know the filters.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(4096).deflate(1).create("x")?;
    /// data.write(&[7_u8; 4096])?;
    ///
    /// let (mask, bytes) = data.read_chunk(&[0])?;
    /// assert_eq!((mask, bytes[0]), (0, 0x78)); // zlib's
    /// assert!(bytes.len() < 100);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// No chunk begins at `offset` or it is beyond the extent; [`NotFound`](crate::ErrorKind::NotFound) where the chunk
    /// was never written.
    pub fn read_chunk(&self, offset: &[usize]) -> Result<(u32, Vec<u8>)> {
        let offset = wide(offset);
        self.object()
            .with(|engine, addr| engine.read_chunk(addr, &offset))
    }
}

fn wide(offset: &[usize]) -> Vec<u64> {
    offset.iter().map(|&at| at as u64).collect()
}
