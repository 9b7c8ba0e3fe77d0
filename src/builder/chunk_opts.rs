//! What is done to chunks besides their filters.

use super::DatasetBuilder;

/// Options of the chunks of a dataset; the names are those of hdf5-metno.
///
/// ```
/// use h5quill::{ChunkOpts, File};
/// let file = File::create_memory()?;
/// let builder = file.new_dataset::<u8>().shape(0..).chunk(1000).deflate(1);
/// let data = builder.chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS).create("x")?;
/// data.append(&[0_u8; 1500])?;
/// file.flush()?;
/// assert!(data.read_chunk(&[0])?.1.len() < 100);
/// assert_eq!(data.read_chunk(&[1000])?.1.len(), 1000); // it reaches beyond the extent
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ChunkOpts(u32);

impl ChunkOpts {
    /// None.
    pub const NONE: Self = Self(0);
    /// Chunks that reach beyond the extent go unfiltered (specification IV.A.2.i); a chunk that a growing extent covers
    /// is filtered then. Readers before HDF5 1.10 do not know it.
    ///
    /// libhdf5 (up to 2.0) has two faults when it extends such a dataset, also in files that it made itself. Where a chunk at
    /// the edge was never written, it fails to extend the dataset; [`alloc_time`](DatasetBuilder::alloc_time) with
    /// [`Early`](crate::AllocTime::Early) avoids that. Where a filter may decline a chunk (Blosc, LZF, and others that give up
    /// on what does not get shorter), a chunk that it declines as it leaves the edge cannot be read any more by anyone. So use
    /// deflate where libhdf5 is to extend the dataset.
    pub const DONT_FILTER_PARTIAL_CHUNKS: Self = Self(2);
}

impl<T> DatasetBuilder<T> {
    /// Options of chunks; none by default. In a file for HDF5 1.8 they are refused with
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    ///
    /// ```
    /// use h5quill::{ChunkOpts, File};
    /// let file = File::create_memory()?;
    /// let builder = file.new_dataset::<i32>().shape((0.., 3)).chunk((64, 3)).shuffle().deflate(4);
    /// let data = builder.chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS).create("x")?;
    /// data.append(&ndarray::array![[1, 2, 3]])?;
    /// # assert_eq!(data.read_raw::<i32>()?, [1, 2, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn chunk_opts(mut self, opts: ChunkOpts) -> Self {
        self.chunk_opts = opts;
        self
    }
}
