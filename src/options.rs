//! Options of a file.

use crate::error::Result;
use crate::file::File;
use crate::handle::Policy;
use crate::object::engine::{DEFAULT_CACHE, Engine};
use crate::storage::Storage;
use alloc::boxed::Box;
#[cfg(feature = "std")]
use std::path::Path;

/// How a file is created or opened.
#[derive(Debug, Clone)]
pub struct FileBuilder {
    cache: usize,
    policy: Policy,
    #[cfg(feature = "std")]
    locking: Option<bool>,
}

impl Default for FileBuilder {
    fn default() -> Self {
        Self {
            cache: DEFAULT_CACHE,
            policy: Policy::default(),
            #[cfg(feature = "std")]
            locking: None,
        }
    }
}

impl FileBuilder {
    /// How many bytes of chunks may wait in memory, all datasets together; 16 MiB by default. One chunk always may.
    #[must_use]
    pub fn chunk_cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// Flushes by itself after this many bytes of data have been given.
    #[must_use]
    pub fn flush_every_bytes(mut self, bytes: u64) -> Self {
        self.policy.bytes = Some(bytes);
        self
    }

    /// Flushes by itself at the first change this long after the last commit.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn flush_every(mut self, interval: core::time::Duration) -> Self {
        self.policy.interval = Some(interval);
        self
    }

    fn start(&self, mut engine: Engine, name: &str) -> Result<File> {
        engine.budget = self.cache;
        File::from_engine(engine, name, self.policy)
    }

    /// As [`File::create_on`].
    ///
    /// # Errors
    /// What the storage says.
    pub fn create_on(&self, storage: impl Storage + 'static) -> Result<File> {
        self.start(Engine::create(Box::new(storage))?, "")
    }

    /// As [`File::open_on`].
    ///
    /// # Errors
    /// As [`File::open_on`].
    pub fn open_on(&self, storage: impl Storage + 'static) -> Result<File> {
        self.start(Engine::open(Box::new(storage), true)?, "")
    }

    /// As [`File::open_rw_on`].
    ///
    /// # Errors
    /// As [`File::open_rw_on`].
    pub fn open_rw_on(&self, storage: impl Storage + 'static) -> Result<File> {
        self.start(Engine::open(Box::new(storage), false)?, "")
    }
}

#[cfg(feature = "std")]
impl FileBuilder {
    /// Whether the file is locked against other writers (and, when opened for writing, against readers), as libhdf5
    /// does it. By default the environment variable `HDF5_USE_FILE_LOCKING` decides: anything but `FALSE` or `0` locks,
    /// where the file system can.
    #[must_use]
    pub fn locking(mut self, locking: bool) -> Self {
        self.locking = Some(locking);
        self
    }

    /// As [`File::create`].
    ///
    /// # Errors
    /// As [`File::create`].
    pub fn create(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.make(
            options.read(true).write(true).create(true).truncate(false),
            path.as_ref(),
        )
    }

    /// As [`File::create_excl`].
    ///
    /// # Errors
    /// As [`File::create_excl`].
    pub fn create_excl(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.make(
            options.read(true).write(true).create_new(true),
            path.as_ref(),
        )
    }

    /// As [`File::open`].
    ///
    /// # Errors
    /// As [`File::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.existing(options.read(true), path.as_ref(), true)
    }

    /// As [`File::open_rw`].
    ///
    /// # Errors
    /// As [`File::open_rw`].
    pub fn open_rw(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.existing(options.read(true).write(true), path.as_ref(), false)
    }

    /// As [`File::append`].
    ///
    /// # Errors
    /// As [`File::append`].
    pub fn append(&self, path: impl AsRef<Path>) -> Result<File> {
        match self.create_excl(path.as_ref()) {
            Err(error) if matches!(error.kind(), crate::ErrorKind::Exists) => self.open_rw(path),
            result => result,
        }
    }

    fn make(&self, options: &std::fs::OpenOptions, path: &Path) -> Result<File> {
        let name = path.to_string_lossy();
        let storage = self.lock(options, path, false)?.syncs_directory_of(path);
        let engine = Engine::create(Box::new(storage)).map_err(|error| error.file(&name))?;
        self.start(engine, &name)
    }

    fn existing(
        &self,
        options: &std::fs::OpenOptions,
        path: &Path,
        read_only: bool,
    ) -> Result<File> {
        let name = path.to_string_lossy();
        let storage = self.lock(options, path, read_only)?;
        let engine =
            Engine::open(Box::new(storage), read_only).map_err(|error| error.file(&name))?;
        self.start(engine, &name)
    }

    fn lock(
        &self,
        options: &std::fs::OpenOptions,
        path: &Path,
        shared: bool,
    ) -> Result<crate::storage::FileStorage> {
        use std::fs::TryLockError;
        let file = options
            .open(path)
            .map_err(|error| crate::file::open_error(error, path))?;
        if self.locking.unwrap_or_else(locking_by_environment) {
            let locked = if shared {
                file.try_lock_shared()
            } else {
                file.try_lock()
            };
            if let Err(TryLockError::WouldBlock) = locked {
                let name = path.to_string_lossy();
                return Err(crate::Error::new(crate::ErrorKind::Locked).file(&name));
            }
            // A file system without locks is used without, as libhdf5 does by default.
        }
        Ok(crate::storage::FileStorage::new(file))
    }
}

#[cfg(feature = "std")]
fn locking_by_environment() -> bool {
    !std::env::var("HDF5_USE_FILE_LOCKING").is_ok_and(|value| value == "FALSE" || value == "0")
}
