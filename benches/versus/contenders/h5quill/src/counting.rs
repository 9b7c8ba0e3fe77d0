//! A file that counts its syncs.

use h5quill::storage::{FileStorage, Storage, StorageError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many there were; shared with the storage, which the file owns.
#[derive(Debug, Default, Clone)]
pub struct Syncs(Arc<AtomicU64>);

impl Syncs {
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A new file whose [`sync`](Storage::sync), which is one `fdatasync`, is counted.
#[derive(Debug)]
pub struct Counting {
    file: FileStorage,
    syncs: Syncs,
}

impl Counting {
    pub fn create(path: &Path, syncs: &Syncs) -> std::io::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Self {
            file: FileStorage::new(file),
            syncs: syncs.clone(),
        })
    }
}

impl Storage for Counting {
    fn len(&self) -> Result<u64, StorageError> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.file.write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.file.set_len(len)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.syncs.0.fetch_add(1, Ordering::Relaxed);
        self.file.sync()
    }
}
