//! Which versions of libhdf5 a file is for.

/// The oldest version of libhdf5 that reads what is created in a file.
///
/// The bound is about new objects. An edit keeps the forms of the objects that are there, but for links and attributes:
/// those of an object that is changed take the form of 1.8.
///
/// ```
/// use h5quill::{File, LibVer, storage::MemoryStorage};
/// let file = File::with_options().libver(LibVer::V18).create_on(MemoryStorage::new())?;
/// assert_eq!(file.libver()?, LibVer::V18);
/// assert_eq!(File::create_memory()?.libver()?, LibVer::V110);
/// assert!(LibVer::V18 < LibVer::V110);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum LibVer {
    /// What libhdf5 writes unless it is told otherwise: superblock 0 or 1. Such files are edited, not created; objects
    /// made in them are of the forms of 1.8.
    Earliest,
    /// 1.8, and what reads no more than that (pyfive, jsfive, old releases of other programs): chunks are found by
    /// version 1 B-trees (data layout message of version 3).
    V18,
    /// 1.10: chunks are found by the indexes of data layout message version 4, which are smaller and faster.
    #[default]
    V110,
}
