//! A file on a path.

use super::{Storage, StorageError};
use std::fs::File;

/// A [`std::fs::File`] as a [`Storage`], read and written at offsets.
///
/// ```
/// use h5quill::storage::{FileStorage, Storage};
/// let path = std::env::temp_dir().join("h5quill-doc-file-storage");
/// let mut storage = FileStorage::new(std::fs::File::create(&path)?);
/// storage.write_at(0, b"bytes").unwrap();
/// assert_eq!(storage.len().unwrap(), 5);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileStorage {
    file: File,
    /// Of a file just created: its name is durable once the directory is.
    directory: Option<File>,
    /// A lock on the file is to be given up when the storage goes.
    locked: bool,
}

impl FileStorage {
    /// Wraps an open file; its cursor is not used on Unix and Windows.
    ///
    /// ```no_run
    /// let storage = h5quill::storage::FileStorage::new(std::fs::File::open("data.h5")?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(file: File) -> Self {
        Self {
            file,
            directory: None,
            locked: false,
        }
    }

    /// Gives up the lock on the file when the storage goes. Closing the file is not enough: a process that another thread
    /// is just starting has it open too, and would hold the lock on.
    pub(crate) fn unlocks(mut self) -> Self {
        self.locked = true;
        self
    }

    /// The first sync also makes the name of the file at `path` durable.
    pub(crate) fn syncs_directory_of(mut self, path: &std::path::Path) -> Self {
        let directory = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => std::path::Path::new("."),
            Some(parent) => parent,
            None => return self,
        };
        self.directory = File::open(directory).ok();
        self
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        if self.locked {
            // Closing the file comes next, and does the same where nobody else has it open.
            let _ = self.file.unlock();
        }
    }
}

impl Storage for FileStorage {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        Ok(read_exact_at(&self.file, buffer, offset)?)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        Ok(write_all_at(&self.file, bytes, offset)?)
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        Ok(self.file.set_len(len)?)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.file.sync_data()?;
        if let Some(directory) = self.directory.take() {
            // Some file systems cannot sync a directory; the data are safe either way.
            let _ = directory.sync_all();
        }
        Ok(())
    }

    /// Elsewhere a read moves the file's one cursor.
    #[cfg(unix)]
    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        Some(self)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Elsewhere the file's one cursor is moved; the engine's lock keeps calls apart.
#[cfg(not(unix))]
fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}
