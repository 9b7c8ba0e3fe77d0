//! Where the bytes of a file live: on a path, in memory, or on anything that implements [`Storage`].

#[cfg(feature = "std")]
mod file;
mod latch;
mod memory;
mod pages;
#[cfg(all(test, feature = "std"))]
pub(crate) mod recorder;

pub use crate::error::StorageError;
#[cfg(feature = "std")]
pub use file::FileStorage;
pub(crate) use latch::{Latch, read_at};
pub use memory::MemoryStorage;

/// A device of bytes at offsets, the only way this library reaches a file.
///
/// A panic in one of these functions is an error of the call that met it, as if the device had failed.
///
/// What [`File::sync`](crate::File::sync) promises rests on three properties of the device: a write inside one aligned
/// 512-byte sector is atomic on power loss, [`sync`](Storage::sync) is honest, and bytes outside a written range
/// do not change. A device without them still gives the guarantee for a killed process.
///
/// ```
/// use h5quill::storage::{MemoryStorage, Storage};
/// let mut storage = MemoryStorage::new();
/// storage.write_at(4, b"data")?;
/// assert_eq!(storage.len()?, 8);
/// let mut bytes = [0; 4];
/// storage.read_at(4, &mut bytes)?;
/// assert_eq!(&bytes, b"data");
/// # Ok::<(), h5quill::storage::StorageError>(())
/// ```
pub trait Storage: Send {
    /// The length in bytes.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    /// assert_eq!(MemoryStorage::from(vec![0; 3]).len()?, 3);
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says.
    fn len(&self) -> Result<u64, StorageError>;

    /// Whether nothing has been written yet.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    /// assert!(MemoryStorage::new().is_empty()?);
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says.
    fn is_empty(&self) -> Result<bool, StorageError> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` with the bytes at `offset`.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    ///
    /// let storage = MemoryStorage::from(b"abc".to_vec());
    /// let mut bytes = [0; 2];
    /// storage.read_at(1, &mut bytes)?;
    /// assert_eq!(&bytes, b"bc");
    /// assert!(storage.read_at(2, &mut bytes).is_err()); // beyond the end
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says; reading beyond the end is an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError>;

    /// Writes `bytes` at `offset`; beyond the end it extends the device, zeros in between.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    ///
    /// let mut storage = MemoryStorage::new();
    /// storage.write_at(2, b"x")?;
    /// assert_eq!(storage.into_bytes(), b"\0\0x");
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says; then nothing is known about the bytes in the range.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError>;

    /// Sets the length in bytes: cuts off the end, or extends with zeros.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    ///
    /// let mut storage = MemoryStorage::from(b"abc".to_vec());
    /// storage.set_len(2)?;
    /// storage.set_len(4)?;
    /// assert_eq!(storage.into_bytes(), b"ab\0\0");
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says.
    fn set_len(&mut self, len: u64) -> Result<(), StorageError>;

    /// Returns when everything written before is durable.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    ///
    /// let mut storage = MemoryStorage::new();
    /// storage.write_at(0, b"kept")?;
    /// storage.sync()?; // on a disk: survives a loss of power from here on
    /// # assert_eq!(storage.into_bytes(), b"kept");
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    ///
    /// # Errors
    /// What the device says; then nothing is known about what was written since the last sync.
    fn sync(&mut self) -> Result<(), StorageError>;

    /// The same device, where its [`read_at`](Storage::read_at) may run on many threads at once: large reads then do.
    /// `None`, the default, keeps all calls on one thread at a time.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    ///
    /// let storage = MemoryStorage::from(b"abc".to_vec());
    /// let device = storage.as_sync().expect("memory can be read by many threads");
    /// let read = |at| {
    ///     let mut byte = [0];
    ///     device.read_at(at, &mut byte).map(|()| byte[0])
    /// };
    /// let last = std::thread::scope(|scope| scope.spawn(|| read(2)).join().unwrap())?;
    /// assert_eq!([read(0)?, last], *b"ac");
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        None
    }
}

impl Storage for alloc::boxed::Box<dyn Storage> {
    fn len(&self) -> Result<u64, StorageError> {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        (**self).read_at(offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        (**self).write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        (**self).set_len(len)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        (**self).sync()
    }

    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        (**self).as_sync()
    }
}
