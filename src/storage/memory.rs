//! A file in memory.

use super::{Storage, StorageError};
use alloc::vec::Vec;

/// Bytes in memory as a [`Storage`].
///
/// ```
/// use h5quill::storage::{MemoryStorage, Storage};
/// let storage = MemoryStorage::from(b"abc".to_vec());
/// assert_eq!(storage.len()?, 3);
/// assert_eq!(storage.into_bytes(), b"abc");
/// # Ok::<(), h5quill::storage::StorageError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStorage {
    bytes: Vec<u8>,
}

impl MemoryStorage {
    /// An empty device.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    /// assert!(MemoryStorage::new().is_empty()?);
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes written.
    ///
    /// ```
    /// use h5quill::storage::{MemoryStorage, Storage};
    /// let mut storage = MemoryStorage::new();
    /// storage.write_at(0, b"x")?;
    /// assert_eq!(storage.into_bytes(), b"x");
    /// # Ok::<(), h5quill::storage::StorageError>(())
    /// ```
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn range(&self, offset: u64, len: usize) -> Result<core::ops::Range<usize>, StorageError> {
        let start = usize::try_from(offset).ok();
        start
            .and_then(|start| Some(start..start.checked_add(len)?))
            .ok_or_else(|| StorageError::new("an offset is beyond the address space"))
    }
}

impl From<Vec<u8>> for MemoryStorage {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl Storage for MemoryStorage {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let range = self.range(offset, buffer.len())?;
        let bytes = self
            .bytes
            .get(range)
            .ok_or_else(|| StorageError::new("read beyond the end"))?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let range = self.range(offset, bytes.len())?;
        if range.end > self.bytes.len() {
            self.bytes.resize(range.end, 0);
        }
        self.bytes[range].copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        let len = self.range(len, 0)?.start;
        self.bytes.resize(len, 0);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        Some(self)
    }
}
