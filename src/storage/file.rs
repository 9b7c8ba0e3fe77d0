//! A file on a path.

use super::{Storage, StorageError};
use crate::process::Process;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

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
    /// The path of the file, until its name is durable.
    unsynced_name: Option<PathBuf>,
    /// A lock on the file is to be given up when the storage of this process goes: one forked from it has the same lock.
    locked: Option<Process>,
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
            unsynced_name: None,
            locked: None,
        }
    }

    /// Gives up the lock on the file when the storage goes. Closing the file is not enough: a process that another thread
    /// is just starting has it open too, and would hold the lock on.
    pub(crate) fn unlocks(mut self) -> Self {
        self.locked = Some(Process::current());
        self
    }

    /// The first sync also makes the name of the file at `path` durable: whoever made the file may have died before it synced.
    pub(crate) fn syncs_name(mut self, path: &Path) -> Self {
        // A later change of the current directory must not lead elsewhere.
        self.unsynced_name = std::path::absolute(path).ok();
        self
    }
}

/// Makes the name of a file durable, where the file system can do that.
fn sync_name(path: &Path) -> io::Result<()> {
    // The file may be reached by a symbolic link, or be gone.
    let sync = || match path.canonicalize()?.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    };
    match sync() {
        Err(error) if cannot_sync_directories(error.kind()) => Ok(()),
        result => result,
    }
}

/// Whether the error says that this directory cannot be synced at all, by this user or on this system: then there is
/// nothing more to do for the name. Any other is one of the device.
fn cannot_sync_directories(error: io::ErrorKind) -> bool {
    matches!(
        error,
        io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotFound
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        if self.locked.is_some_and(Process::is_current) {
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
        match self.unsynced_name.take() {
            Some(path) => Ok(sync_name(&path)?),
            None => Ok(()),
        }
    }

    /// Elsewhere a read moves the file's one cursor.
    #[cfg(unix)]
    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        Some(self)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Elsewhere the file's one cursor is moved; the engine's lock keeps calls apart.
#[cfg(not(unix))]
fn read_exact_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

#[cfg(not(unix))]
fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use io::{Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_synced_is_told_from_a_device_that_fails() {
        let kind = |code| io::Error::from_raw_os_error(code).kind();
        let (einval, eacces, enoent) = (22, 13, 2);
        for code in [einval, eacces, enoent] {
            assert!(cannot_sync_directories(kind(code)), "{code}");
        }
        assert!(cannot_sync_directories(io::ErrorKind::Unsupported));
        let (eio, enospc, emfile) = (5, 28, 24);
        for code in [eio, enospc, emfile] {
            assert!(!cannot_sync_directories(kind(code)), "{code}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_directory_that_is_synced_is_the_one_the_file_is_in() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, link) = (folder.path().join("inner"), folder.path().join("link"));
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("file"), b"x").unwrap();
        std::os::unix::fs::symlink(inner.join("file"), &link).unwrap();
        sync_name(&link).unwrap();
        std::fs::remove_dir_all(inner).unwrap();
        // Nobody can name the file any more, so there is nothing to make durable.
        sync_name(&link).unwrap();
    }
}
