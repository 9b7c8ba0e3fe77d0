//! Files: opened on a path, in memory or on storage of the user's own.

use crate::error::{Error, ErrorKind, Result};
use crate::group::Group;
use crate::handle::{ObjectRef, Policy, Shared};
use crate::object::engine::Engine;
use crate::options::FileBuilder;
use crate::storage::{MemoryStorage, Storage};
use crate::store::Level;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;
#[cfg(feature = "std")]
use std::path::Path;

/// An open file, and its root group.
///
/// Handles are cheap to clone and share one state; when the last one goes, the file is committed as far as that can be
/// done. [`close`](Self::close) tells whether it was.
#[derive(Debug, Clone)]
pub struct File {
    root: Group,
}

impl Deref for File {
    type Target = Group;

    fn deref(&self) -> &Group {
        &self.root
    }
}

#[cfg(feature = "std")]
impl File {
    /// Creates a file; one that exists is replaced at once.
    ///
    /// # Errors
    /// What the operating system says, or [`Locked`](ErrorKind::Locked).
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().create(path)
    }

    /// Creates a file that must not exist.
    ///
    /// # Errors
    /// [`Exists`](ErrorKind::Exists), or what the operating system says.
    pub fn create_excl(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().create_excl(path)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), [`NotHdf5`](ErrorKind::NotHdf5), [`Truncated`](ErrorKind::Truncated),
    /// [`Locked`](ErrorKind::Locked) by a writer, or a file that is damaged or not supported.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().open(path)
    }

    /// Opens a file for reading and writing; writes nothing by itself.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Locked`](ErrorKind::Locked) also by a reader.
    pub fn open_rw(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().open_rw(path)
    }

    /// Opens a file for reading and writing, or creates it where there is none.
    ///
    /// # Errors
    /// As [`open_rw`](Self::open_rw).
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().append(path)
    }
}

impl File {
    /// Options for opening and creating.
    pub fn with_options() -> FileBuilder {
        FileBuilder::default()
    }

    /// Creates a file in memory; [`into_bytes`](Self::into_bytes) gives it out.
    ///
    /// # Errors
    /// None in practice.
    pub fn create_memory() -> Result<Self> {
        Self::create_on(MemoryStorage::new())
    }

    /// Opens a file in memory for reading and writing.
    ///
    /// # Errors
    /// As [`open`](Self::open_on).
    pub fn open_memory(bytes: Vec<u8>) -> Result<Self> {
        Self::open_rw_on(MemoryStorage::from(bytes))
    }

    /// Creates a file on storage of the user's own, whose content is dropped.
    ///
    /// # Errors
    /// What the storage says.
    pub fn create_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().create_on(storage)
    }

    /// Opens a file on storage of the user's own, for reading.
    ///
    /// # Errors
    /// [`NotHdf5`](ErrorKind::NotHdf5), [`Truncated`](ErrorKind::Truncated), or a file that is damaged or not supported.
    pub fn open_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().open_on(storage)
    }

    /// Opens a file on storage of the user's own, for reading and writing; writes nothing by itself.
    ///
    /// # Errors
    /// As [`open_on`](Self::open_on).
    pub fn open_rw_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().open_rw_on(storage)
    }

    pub(crate) fn from_engine(engine: Engine, name: &str, policy: Policy) -> Result<Self> {
        let addr = engine.root();
        let shared = Shared::new(engine, name, policy);
        let root = shared.with(|engine| Ok(ObjectRef::new(shared.clone(), engine, addr, "/")))?;
        Ok(Self {
            root: Group::new(root),
        })
    }

    fn shared(&self) -> &Shared {
        &self.root.object.shared
    }

    /// The root group.
    pub fn root(&self) -> Group {
        self.root.clone()
    }

    /// Whether the file was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.shared()
            .with(|engine| Ok(engine.read_only()))
            .unwrap_or(true)
    }

    /// Commits: from here on, what was written survives a killed process. All objects change together where their
    /// headers share a sector (the first ten of a file do); others each change as a whole.
    ///
    /// # Errors
    /// What the storage says; the handle is [poisoned](ErrorKind::Poisoned) then, and the file is at its last commit.
    pub fn flush(&self) -> Result<()> {
        self.shared().commit(Level::Flush)
    }

    /// Commits as [`flush`](Self::flush) does, and waits until the device has it all: what was written survives a loss
    /// of power. It takes two syncs of the device.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn sync(&self) -> Result<()> {
        self.shared().commit(Level::Sync)
    }

    /// Commits and closes the file; every handle of it answers [`Closed`](ErrorKind::Closed) from here on.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(self) -> Result<()> {
        self.finish().map(drop)
    }

    fn finish(&self) -> Result<Box<dyn Storage>> {
        let name = self.shared().name();
        let engine = self.shared().take()?;
        engine.close(Level::Flush).map_err(|error| error.file(name))
    }

    /// Commits, closes and gives the storage back.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn into_storage(self) -> Result<Box<dyn Storage>> {
        self.finish()
    }

    /// Commits, closes and gives the bytes of the file, wherever it is.
    ///
    /// # Errors
    /// As [`flush`](Self::flush), and a file that does not fit memory.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        let storage = self.finish()?;
        let read = || {
            let len = storage.len()?;
            let len = usize::try_from(len).map_err(|_| {
                Error::limit("the size of a file in memory", len, usize::MAX as u64)
            })?;
            let mut bytes = alloc::vec![0; len];
            storage.read_at(0, &mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: Error| error.file(self.shared().name()))
    }
}

/// The kind of a failure to open, as the operating system names it.
#[cfg(feature = "std")]
pub(crate) fn open_error(error: std::io::Error, path: &Path) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::AlreadyExists => ErrorKind::Exists,
        _ => ErrorKind::Storage(error.into()),
    };
    Error::new(kind).file(&path.to_string_lossy())
}
