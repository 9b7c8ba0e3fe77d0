//! Files: opened on a path, in memory or on storage of the user's own.

mod file_space;
mod userblock;

#[cfg(feature = "std")]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::format::libver::LibVer;
use crate::group::Group;
use crate::handle::{ObjectRef, Policy, Shared};
use crate::object::engine::Engine;
use crate::options::FileBuilder;
use crate::other_files::Member;
use crate::report::Report;
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
///
/// ```
/// use h5quill::File;
/// let file = File::create_memory()?;
/// let row = file.new_dataset::<i32>().shape((0.., 3)).create("a/rows")?; // a file is its root group, too
/// let same_file = file.clone();
/// row.append(&ndarray::array![[1, 2, 3], [4, 5, 6]])?;
/// assert_eq!(same_file.dataset("a/rows")?.shape(), [2, 3]); // seen at once through every handle
/// # Ok::<(), h5quill::Error>(())
/// ```
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
    /// Creates a file, which is an HDF5 file from here on: a death later leaves it readable and empty, or at its last commit.
    /// A file of that name is replaced at once.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-create-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// let file = File::create(&path)?;
    /// file.set_attr("title", "first light")?;
    /// file.close()?;
    /// assert_eq!(File::open(&path)?.attr("title")?.read_scalar::<String>()?, "first light");
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the operating system says, or [`Locked`](crate::ErrorKind::Locked).
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().create(path)
    }

    /// Creates a file that must not exist.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-create-excl-{}.h5", std::process::id()));
    ///
    /// use h5quill::{ErrorKind, File};
    /// File::create_excl(&path)?.close()?;
    /// let error = File::create_excl(&path).unwrap_err();
    /// assert_eq!(error.kind(), &ErrorKind::Exists);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), or what the operating system says.
    pub fn create_excl(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().create_excl(path)
    }

    /// Opens a file for reading.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-open-{}.h5", std::process::id()));
    ///
    /// use h5quill::{ErrorKind, File};
    /// assert_eq!(File::open(&path).unwrap_err().kind(), &ErrorKind::NotFound);
    /// File::create(&path)?.close()?;
    /// let file = File::open(&path)?;
    /// assert_eq!(file.create_group("a").unwrap_err().kind(), &ErrorKind::ReadOnly);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`NotHdf5`](crate::ErrorKind::NotHdf5), [`Truncated`](crate::ErrorKind::Truncated),
    /// [`Locked`](crate::ErrorKind::Locked) by a writer, or a file that is damaged or not supported.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().open(path)
    }

    /// Opens a file for reading and writing; writes nothing by itself.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-open-rw-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// File::create(&path)?.close()?;
    /// let file = File::open_rw(&path)?;
    /// file.create_group("later")?;
    /// file.close()?;
    /// assert!(File::open(&path)?.exists("later")?);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Locked`](crate::ErrorKind::Locked) also by a reader. A file that libhdf5 left marked as
    /// open for writing, because its writer died, is [verified](Self::verify) first: where nothing is wrong, the first
    /// commit takes the mark away, else the error is [`Damaged`](crate::ErrorKind::Damaged).
    pub fn open_rw(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().open_rw(path)
    }

    /// Opens a file for reading and writing, or creates it where there is none, or no more than what a process that died while
    /// it was [creating](Self::create) the file has left. Of several processes that do so at once, those that do not get the
    /// file are told [`Locked`](crate::ErrorKind::Locked).
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-append-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// for run in 0..3 {
    ///     let file = File::append(&path)?; // the first run creates it
    ///     file.create_group(&format!("run_{run}"))?;
    ///     file.close()?;
    /// }
    /// assert_eq!(File::open(&path)?.len()?, 3);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open_rw`](Self::open_rw).
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_options().append(path)
    }
}

impl File {
    /// Options for opening and creating.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let options = File::with_options().chunk_cache(1 << 20).flush_every_bytes(64 << 20);
    /// let file = options.create_on(MemoryStorage::new())?;
    /// assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn with_options() -> FileBuilder {
        FileBuilder::default()
    }

    /// Creates a file in memory; [`into_bytes`](Self::into_bytes) gives it out.
    ///
    /// ```
    /// use h5quill::File;
    /// let file = File::create_memory()?;
    /// file.create_group("a")?;
    /// let bytes = file.into_bytes()?;
    /// assert_eq!(&bytes[..8], b"\x89HDF\r\n\x1a\n");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// None in practice.
    pub fn create_memory() -> Result<Self> {
        Self::create_on(MemoryStorage::new())
    }

    /// Opens a file in memory for reading and writing.
    ///
    /// ```
    /// use h5quill::File;
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::open_memory(bytes)?;
    /// file.set_attr("edited", true)?;
    /// let again = File::open_memory(file.into_bytes()?)?;
    /// assert!(again.attr("edited")?.read_scalar::<bool>()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open_on).
    pub fn open_memory(bytes: Vec<u8>) -> Result<Self> {
        Self::open_rw_on(MemoryStorage::from(bytes))
    }

    /// Creates a file on storage of the user's own, whose content is dropped.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::create_on(MemoryStorage::from(b"dropped".to_vec()))?;
    /// assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the storage says.
    pub fn create_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().create_on(storage)
    }

    /// Opens a file on storage of the user's own, for reading.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::open_on(MemoryStorage::from(bytes))?;
    /// assert!(file.is_read_only());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotHdf5`](crate::ErrorKind::NotHdf5), [`Truncated`](crate::ErrorKind::Truncated), or a file that is damaged or not supported.
    pub fn open_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().open_on(storage)
    }

    /// Opens a file on storage of the user's own, for reading and writing; writes nothing by itself.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::open_rw_on(MemoryStorage::from(bytes))?;
    /// assert!(file.create_group("a").is_ok());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open_on`](Self::open_on).
    pub fn open_rw_on(storage: impl Storage + 'static) -> Result<Self> {
        Self::with_options().open_rw_on(storage)
    }

    pub(crate) fn from_engine(
        engine: Engine,
        name: &str,
        policy: Policy,
        member: Option<Member>,
    ) -> Result<Self> {
        let addr = engine.root();
        let shared = Shared::new(engine, name, policy, member);
        let root = shared.with(|engine| Ok(ObjectRef::new(shared.clone(), engine, addr, "/")))?;
        Ok(Self {
            root: Group::new(root),
        })
    }

    fn shared(&self) -> &Shared {
        &self.root.object.shared
    }

    /// Walks everything that the file holds, as its last commit left it, and says what is wrong: blocks that overlap or
    /// lie outside the file, wrong checksums (those of chunks included, where a Fletcher-32 filter wrote them), indexes
    /// out of order or at odds with what they index, chunks outside the extent of their dataset, elements that name
    /// what is not there, reference counts that are not the number of hard links.
    ///
    /// Only chunks with checksums and elements of variable length are read; the rest of the raw data is not.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-verify-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// let file = File::create(&path)?;
    /// file.new_dataset::<i16>().create_with("a/x", &[1_i16, 2, 3])?;
    /// file.close()?;
    /// let report = File::open(&path)?.verify()?;
    /// assert!(report.is_sound(), "{report}");
    /// assert_eq!(report.objects, 3); // the root group, `a` and `a/x`
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the storage says. What is wrong with the file is no error but in the report.
    pub fn verify(&self) -> Result<Report> {
        self.shared().with(|engine| engine.verify())
    }

    /// The root group.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert_eq!(file.root().name(), "/");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn root(&self) -> Group {
        self.root.clone()
    }

    /// Whether the file was opened for reading only.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert!(!file.is_read_only());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn is_read_only(&self) -> bool {
        self.shared()
            .with(|engine| Ok(engine.read_only()))
            .unwrap_or(true)
    }

    /// What new objects of the file are for; see [`FileBuilder::libver`].
    ///
    /// ```
    /// use h5quill::{File, LibVer};
    /// assert_eq!(File::create_memory()?.libver()?, LibVer::V110);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn libver(&self) -> Result<LibVer> {
        self.shared().with(|engine| Ok(engine.store.bound))
    }

    /// Commits: from here on, what was written survives a killed process. It does not survive a loss of power, which may
    /// damage the whole file until the next [`sync`](Self::sync), what was synced before included: where that must not be,
    /// only sync. Objects whose headers share a sector change together (the root group and the first eight
    /// datasets that can grow do); each other object changes as a whole.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-flush-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// let file = File::create(&path)?;
    /// let log = file.new_dataset::<String>().shape(0..).create("log")?;
    /// log.append(&["started".to_string()])?;
    /// file.flush()?; // a kill at any later instruction leaves at least this
    /// log.append(&["not yet committed".to_string()])?;
    ///
    /// let seen = File::with_options().locking(false).open(&path)?; // what is in the file now
    /// assert_eq!(seen.dataset("log")?.read_raw::<String>()?, ["started"]);
    /// # drop((seen, log));
    /// # file.close()?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the storage says; the handle is [poisoned](crate::ErrorKind::Poisoned) then, and the file is at its last commit.
    pub fn flush(&self) -> Result<()> {
        self.shared().commit(Level::Flush)
    }

    /// Commits as [`flush`](Self::flush) does, and waits until the device has it all: what was written survives a loss
    /// of power, and so does what an earlier session only flushed. Commits that the file makes by itself sync, too, from
    /// here on ([`FileBuilder::auto_commit`] says otherwise), and so do [`close`](Self::close) and the drop of the last handle; a
    /// `flush` does not, and puts at risk what was synced.
    ///
    /// It takes two syncs of the device, one before the step that makes the new state visible and one after it. A commit in
    /// a file of another writer that moves links takes one more for each step of the move. Where nothing was written it takes
    /// one, or none where nothing was since the last sync. The first sync of a session also makes the name of the file
    /// durable: it syncs the directory, where the system can.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("a")?;
    /// file.sync()?;
    /// # assert!(file.exists("a")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn sync(&self) -> Result<()> {
        self.shared().commit(Level::Sync)
    }

    /// Commits and closes the file; every handle of it answers [`Closed`](crate::ErrorKind::Closed) from here on. The commit is
    /// a [`sync`](Self::sync) where one has been made before, else a [`flush`](Self::flush).
    ///
    /// ```
    /// use h5quill::{ErrorKind, File};
    /// let file = File::create_memory()?;
    /// let group = file.create_group("a")?;
    /// file.close()?;
    /// assert_eq!(group.len().unwrap_err().kind(), &ErrorKind::Closed);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn close(self) -> Result<()> {
        self.finish().map(drop)
    }

    fn finish(&self) -> Result<Box<dyn Storage>> {
        self.shared().close()
    }

    /// Commits, closes and gives the storage back.
    ///
    /// ```
    /// use h5quill::{File, storage::Storage};
    /// let storage = File::create_memory()?.into_storage()?;
    /// let mut signature = [0; 8];
    /// storage.read_at(0, &mut signature)?;
    /// assert_eq!(&signature, b"\x89HDF\r\n\x1a\n");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn into_storage(self) -> Result<Box<dyn Storage>> {
        self.finish()
    }

    /// Commits, closes and gives the bytes of the file, wherever it is.
    ///
    /// ```
    /// use h5quill::File;
    /// let file = File::create_memory()?;
    /// file.new_dataset::<f64>().create_with("x", &ndarray::array![0.5, 1.5])?;
    /// let file = File::open_memory(file.into_bytes()?)?;
    /// assert_eq!(file.dataset("x")?.read_1d::<f64>()?, ndarray::array![0.5, 1.5]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
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
