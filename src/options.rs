//! Options of a file.

mod creation;
#[cfg(feature = "std")]
mod unfinished;

use crate::error::{Error, Result};
use crate::file::File;
use crate::filter::{Filter, Registry};
use crate::format::libver::LibVer;
use crate::handle::{AutoCommit, Policy};
use crate::object::engine::{DEFAULT_CACHE, Engine, NewFile};
use crate::object::other_files::Located;
use crate::other_files::{Member, Others, Resolver};
#[cfg(feature = "std")]
use crate::other_files::{Paths, located};
#[cfg(feature = "std")]
use crate::storage::FileStorage;
use crate::storage::Storage;
use crate::workers::Workers;
use alloc::boxed::Box;
use alloc::sync::Arc;
#[cfg(feature = "std")]
use std::path::Path;

/// How a file is created or opened.
///
/// ```
/// use h5quill::{File, storage::MemoryStorage};
/// let file = File::with_options()
///     .chunk_cache(64 << 20) // bytes
///     .flush_every_bytes(256 << 20)
///     .create_on(MemoryStorage::new())?;
/// assert!(!file.is_read_only());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileBuilder {
    cache: usize,
    threads: Option<usize>,
    policy: Policy,
    libver: Option<LibVer>,
    creation: creation::Creation,
    alignment: (u64, u64),
    others: Others,
    filters: Registry,
    #[cfg(feature = "std")]
    locking: Option<bool>,
}

impl Default for FileBuilder {
    fn default() -> Self {
        Self {
            cache: DEFAULT_CACHE,
            threads: None,
            policy: Policy::default(),
            libver: None,
            creation: creation::Creation::default(),
            alignment: (1, 1),
            others: Others::Refused,
            filters: Registry::default(),
            #[cfg(feature = "std")]
            locking: None,
        }
    }
}

impl FileBuilder {
    /// How many bytes of chunks may wait in memory, all datasets together; 64 MiB by default. One chunk always may.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().chunk_cache(4096).create_on(MemoryStorage::new())?;
    /// let data = file.new_dataset::<u8>().shape((0.., 1000)).chunk((1, 1000)).create("data")?;
    /// data.append(&ndarray::Array2::<u8>::ones((100, 1000)))?; // more than the cache holds
    /// assert_eq!(data.read_slice::<u8, _, _>(99)?, ndarray::Array1::ones(1000));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn chunk_cache(mut self, bytes: usize) -> Self {
        self.cache = bytes;
        self
    }

    /// How many threads filter chunks and make large reads, the caller's among them: as many as the machine runs at once by
    /// default, and 1 where the crate is built without the feature `parallel` or the system has no threads. The file is the
    /// same whatever the number. Reads without filters stay on one thread where the device is
    /// [not one for many](crate::storage::Storage::as_sync).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let write = |threads| {
    ///     let file = File::with_options().threads(threads).create_on(MemoryStorage::new())?;
    ///     let data = file.new_dataset::<u32>().shape(0..).chunk(1 << 14).deflate(1).create("x")?;
    ///     data.append(&(0..1 << 18).collect::<Vec<u32>>())?;
    ///     file.into_bytes()
    /// };
    /// assert_eq!(write(1)?, write(4)?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Commits by itself after this many bytes of data have been given: with a flush, and with a sync once
    /// [`sync`](File::sync) has been called ([`auto_commit`](Self::auto_commit) says otherwise).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().flush_every_bytes(1000).create_on(MemoryStorage::new())?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("data")?;
    /// data.append(&[0_u8; 2000])?; // committed before this returns
    /// # assert_eq!(data.shape(), [2000]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn flush_every_bytes(mut self, bytes: u64) -> Self {
        self.policy.bytes = Some(bytes);
        self
    }

    /// Commits by itself this long after the last commit, or as soon as something is changed after that: with a flush, and
    /// with a sync once [`sync`](File::sync) has been called ([`auto_commit`](Self::auto_commit) says otherwise).
    ///
    /// Where nobody writes by then, a thread commits. It is started when it is first needed, sleeps while there is nothing to
    /// commit, and ends with the file. Where it fails, the next change, flush, sync or close says why.
    /// [`flush_in_background`](Self::flush_in_background) turns it off.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// use std::time::Duration;
    /// let options = File::with_options().flush_every(Duration::from_secs(5));
    /// let file = options.create_on(MemoryStorage::new())?;
    /// file.create_group("a")?; // committed within 5 s, whatever comes
    /// # assert!(file.exists("a")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn flush_every(mut self, interval: core::time::Duration) -> Self {
        self.policy.interval = Some(interval);
        self
    }

    /// Whether a thread commits when [`flush_every`](Self::flush_every) says so and nobody writes; it does by default, where
    /// the system has threads. Without it, what was written last waits for the next change after that time.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// use std::time::Duration;
    /// let options = File::with_options().flush_every(Duration::from_secs(5));
    /// let file = options.flush_in_background(false).create_on(MemoryStorage::new())?;
    /// file.create_group("a")?; // committed by a change that is made 5 s from now or later, or by `flush`
    /// # assert!(file.exists("a")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn flush_in_background(mut self, background: bool) -> Self {
        self.policy.only_with_changes = !background;
        self
    }

    /// How the file commits by itself once [`sync`](File::sync) has been called in a session. By default these commits sync,
    /// too, since a mere flush would endanger what was synced.
    ///
    /// ```
    /// use h5quill::{AutoCommit, File, storage::MemoryStorage};
    /// let options = File::with_options().flush_every_bytes(1000).auto_commit(AutoCommit::Wait);
    /// let file = options.create_on(MemoryStorage::new())?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("data")?;
    /// file.sync()?;
    /// data.append(&[0_u8; 2000])?; // committed by the next `sync`, not before
    /// # assert_eq!(data.shape(), [2000]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn auto_commit(mut self, after_sync: AutoCommit) -> Self {
        self.policy.after_sync = after_sync;
        self
    }

    /// What new objects are for: [`LibVer::V18`] where HDF5 1.8, or a reader that knows no more than it, is to read them.
    /// By default [`LibVer::V110`] in a file that is created, and in a file that is opened what it has been made for:
    /// 1.8 with superblocks of version 0 to 2, and 1.10 with later ones (for files of this library, what was asked
    /// for at their creation).
    ///
    /// ```
    /// use h5quill::{File, LibVer, storage::MemoryStorage};
    /// let file = File::with_options().libver(LibVer::V18).create_on(MemoryStorage::new())?;
    /// file.new_dataset::<f32>().shape((0.., 3)).create("x")?;
    /// let file = File::open_memory(file.into_bytes()?)?;
    /// assert_eq!(file.libver()?, LibVer::V18); // and datasets made from here on are such, too
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// Creating with [`LibVer::Earliest`] is refused with [`Unsupported`](crate::ErrorKind::Unsupported).
    #[must_use]
    pub fn libver(mut self, libver: LibVer) -> Self {
        self.libver = Some(libver);
        self
    }

    /// Makes blocks of at least `threshold` bytes begin at multiples of `alignment`, in bytes from the end of the userblock
    /// (`H5Pset_alignment`): contiguous data, chunks, and what else is that large. It counts for what is written while
    /// the file is open, and not in a file of pages, which begin at multiples of their size. The gaps are filled with
    /// smaller blocks. With an alignment of 0 or 1, the default, there is none; one of more than 4 GiB is refused when the file
    /// is created or opened, since each block could take that much of the file.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().alignment(4096, 4096).create_on(MemoryStorage::new())?;
    /// let pages = file.new_dataset::<u8>().shape((0.., 8192)).chunk((1, 8192)).create("pages")?;
    /// pages.append(&ndarray::Array2::<u8>::zeros((3, 8192)))?; // three chunks, at addresses that O_DIRECT takes
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn alignment(mut self, threshold: u64, alignment: u64) -> Self {
        self.alignment = (threshold, alignment);
        self
    }

    /// Lets the file open other files, by a closure that is given their names as the file has them: sources of virtual
    /// datasets, external data files and targets of external links. It answers `None` where there is no such file. By
    /// default no other file is opened, and what needs one is
    /// [`Unsupported`](crate::ErrorKind::Unsupported).
    ///
    /// Other files are only read, but for external data files, which are written where a dataset in them
    /// ([`external`](crate::DatasetBuilder::external)) is. Those that hold data stay open, up to 16 of them, until this file is closed, and are
    /// taken not to change meanwhile; the target of a link is open as long as a handle to something in it.
    ///
    /// ```
    /// use h5quill::{File, storage::{MemoryStorage, Storage}};
    ///
    /// let parts = |name: &str| -> h5quill::Result<Option<Box<dyn Storage>>> {
    ///     Ok(match name {
    ///         "part_1.h5" => Some(Box::new(MemoryStorage::from(Vec::new()))), // fetched from wherever
    ///         _ => None,
    ///     })
    /// };
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::with_options().other_files(parts).open_on(MemoryStorage::from(bytes))?;
    /// assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn other_files(
        mut self,
        open: impl Fn(&str) -> Result<Option<Box<dyn Storage>>> + Send + Sync + 'static,
    ) -> Self {
        self.others = Others::Resolved(Arc::new(Resolver(open)));
        self
    }

    /// Brings a filter of one's own: datasets that name the identifier are written and read by what `make` makes of their
    /// parameters, or cannot be where it answers an error. It is known to this file, and to those that this file opens; a
    /// filter of this library with the same identifier is replaced. The identifiers from 256 to 511 are for tests, and
    /// The HDF Group gives out those from 32,000 on. Example: [`Filter`].
    #[must_use]
    pub fn filter(
        mut self,
        id: u16,
        make: impl Fn(&[u32]) -> Result<Box<dyn Filter>> + Send + Sync + 'static,
    ) -> Self {
        self.filters.add(id, make);
        self
    }

    /// Refuses an alignment with which a few blocks would take all that a file can hold.
    fn check_alignment(&self) -> Result<()> {
        const MAX_ALIGNMENT: u64 = 1 << 32;
        let (_, alignment) = self.alignment;
        match alignment > MAX_ALIGNMENT {
            true => Err(Error::limit(
                "the alignment of blocks",
                alignment,
                MAX_ALIGNMENT,
            )),
            false => Ok(()),
        }
    }

    fn start(&self, mut engine: Engine, name: &str, own: impl FnOnce() -> Located) -> Result<File> {
        self.check_alignment().map_err(|error| error.file(name))?;
        engine.budget = self.cache;
        engine.store.filters = self.filters.clone();
        engine.store.workers = Workers::new(self.threads);
        engine.store.align(self.alignment.0, self.alignment.1);
        if let Some(libver) = self.libver {
            engine.store.bound = libver;
        }
        #[cfg(not(feature = "std"))]
        drop(own);
        let member = match &self.others {
            Others::Refused => None,
            #[cfg(feature = "std")]
            Others::Paths => {
                let opener = Arc::new(Paths(self.clone()));
                Some(Member::first(&mut engine, opener, own()))
            }
            Others::Resolved(opener) => {
                let opener = opener.clone();
                Some(Member::first(&mut engine, opener, Located::nowhere()))
            }
        };
        File::from_engine(engine, name, self.policy, member)
    }

    /// As [`File::create_on`].
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    ///
    /// let file = File::with_options().create_on(MemoryStorage::new())?;
    /// assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the storage says.
    pub fn create_on(&self, storage: impl Storage + 'static) -> Result<File> {
        let new = self.new_file()?;
        self.begin(Box::new(storage), new, "", Located::nowhere)
    }

    /// A new file, which is an HDF5 file from here on: a death leaves it empty but readable.
    fn begin(
        &self,
        storage: Box<dyn Storage>,
        new: NewFile,
        name: &str,
        own: impl FnOnce() -> Located,
    ) -> Result<File> {
        let file = self.start(Engine::create_with(storage, new)?, name, own)?;
        file.flush()?;
        Ok(file)
    }

    /// As [`File::open_on`].
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    ///
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::with_options().open_on(MemoryStorage::from(bytes))?;
    /// assert!(file.is_read_only());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::open_on`].
    pub fn open_on(&self, storage: impl Storage + 'static) -> Result<File> {
        self.start(Engine::open(Box::new(storage), true)?, "", Located::nowhere)
    }

    /// As [`File::open_rw_on`].
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    ///
    /// let bytes = File::create_memory()?.into_bytes()?;
    /// let file = File::with_options().open_rw_on(MemoryStorage::from(bytes))?;
    /// assert!(!file.is_read_only());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::open_rw_on`].
    pub fn open_rw_on(&self, storage: impl Storage + 'static) -> Result<File> {
        self.start(
            Engine::open(Box::new(storage), false)?,
            "",
            Located::nowhere,
        )
    }
}

#[cfg(feature = "std")]
impl FileBuilder {
    /// Whether the file may open other files by their paths: sources of virtual datasets, external data files and
    /// targets of external links. By default it may not, since a file from elsewhere could name any path, and what needs
    /// another file is [`Unsupported`](crate::ErrorKind::Unsupported). How long others stay open:
    /// [`other_files`](Self::other_files).
    ///
    /// They are looked for where libhdf5 looks. Of sources and of targets, in this order: the name where it is absolute,
    /// from here on its last component; the directories of `HDF5_VDS_PREFIX` (sources) or `HDF5_EXT_PREFIX` (targets); the
    /// directory of the file, then the current one, then that of the file with symbolic links resolved. External data
    /// files: in `HDF5_EXTFILE_PREFIX`, else in the current directory; where libhdf5 would give up, in the directory of the
    /// file, too. `${ORIGIN}` at the beginning of `HDF5_VDS_PREFIX` and `HDF5_EXTFILE_PREFIX` is the directory of the file.
    /// Others are locked as this file is, against writers; external data files are not. One that is missing when data are
    /// written to it is made in `HDF5_EXTFILE_PREFIX`, else in the current directory.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-follow-{}.h5", std::process::id()));
    ///
    /// use h5quill::File;
    /// # File::create(&path)?.close()?;
    /// let file = File::with_options().follow_other_files(true).open(&path)?;
    /// assert!(file.is_empty()?);
    /// # drop(file);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn follow_other_files(mut self, follow: bool) -> Self {
        self.others = if follow {
            Others::Paths
        } else {
            Others::Refused
        };
        self
    }

    /// Whether the file is locked against other writers (and, when opened for writing, against readers), as libhdf5
    /// does it; it is by default, where the file system can. The environment variable `HDF5_USE_FILE_LOCKING` overrides
    /// this, as it does in libhdf5: `FALSE` or `0` never locks, `TRUE` or `1` always does and fails where the file system
    /// cannot, `BEST_EFFORT` locks where it can.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-locking-{}.h5", std::process::id()));
    ///
    /// use h5quill::{ErrorKind, File};
    /// let writer = File::with_options().locking(true).create(&path)?;
    /// writer.flush()?;
    /// let options = File::with_options().locking(true);
    /// assert_eq!(options.open(&path).unwrap_err().kind(), &ErrorKind::Locked);
    /// assert!(options.clone().locking(false).open(&path).is_ok());
    /// # writer.close()?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn locking(mut self, locking: bool) -> Self {
        self.locking = Some(locking);
        self
    }

    /// As [`File::create`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-options-create-{}.h5", std::process::id()));
    ///
    /// let file = h5quill::File::with_options().create(&path)?;
    /// assert_eq!(file.filename(), path.to_string_lossy());
    /// # file.close()?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::create`].
    pub fn create(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.make(
            options.read(true).write(true).create(true).truncate(false),
            path.as_ref(),
            false,
        )
    }

    /// As [`File::create_excl`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-options-create-excl-{}.h5", std::process::id()));
    ///
    /// use h5quill::{ErrorKind, File};
    /// std::fs::write(&path, "precious").unwrap();
    /// let error = File::with_options().create_excl(&path).unwrap_err();
    /// assert_eq!(error.kind(), &ErrorKind::Exists);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::create_excl`].
    pub fn create_excl(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.make(
            options.read(true).write(true).create_new(true),
            path.as_ref(),
            true,
        )
    }

    /// As [`File::open`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-options-open-{}.h5", std::process::id()));
    ///
    /// # h5quill::File::create(&path)?.close()?;
    /// let file = h5quill::File::with_options().chunk_cache(1 << 30).open(&path)?;
    /// assert!(file.is_read_only());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::open`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.existing(options.read(true), path.as_ref(), true)
    }

    /// As [`File::open_rw`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-options-open-rw-{}.h5", std::process::id()));
    ///
    /// # h5quill::File::create(&path)?.close()?;
    /// let file = h5quill::File::with_options().chunk_cache(1 << 30).open_rw(&path)?;
    /// assert!(!file.is_read_only());
    /// # file.close()?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::open_rw`].
    pub fn open_rw(&self, path: impl AsRef<Path>) -> Result<File> {
        let mut options = std::fs::OpenOptions::new();
        self.existing(options.read(true).write(true), path.as_ref(), false)
    }

    /// As [`File::append`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("h5quill-doc-options-append-{}.h5", std::process::id()));
    ///
    /// let options = h5quill::File::with_options().flush_every_bytes(1 << 20);
    /// options.append(&path)?.create_group("first")?;
    /// assert!(options.append(&path)?.exists("first")?);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`File::append`].
    pub fn append(&self, path: impl AsRef<Path>) -> Result<File> {
        let (path, name) = (path.as_ref(), path.as_ref().to_string_lossy());
        let new = self.new_file().map_err(|error| error.file(&name))?;
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let (storage, locked) = self.lock(&options, path, false)?;
        // Behind the lock nobody else is creating the file. Whoever was may have died.
        match self.is_unfinished(&storage, &new) {
            Ok(true) => self.create_in(storage.syncs_name(path), new, path),
            Ok(false) => self.open_in(storage.syncs_name(path), locked, false, path),
            Err(error) => Err(error.file(&name)),
        }
    }

    /// `others_stay`: a file that has content by the time it is locked is another's.
    fn make(&self, options: &std::fs::OpenOptions, path: &Path, others_stay: bool) -> Result<File> {
        let name = path.to_string_lossy();
        let new = self.new_file().map_err(|error| error.file(&name))?;
        let (storage, _) = self.lock(options, path, false)?;
        if others_stay {
            let empty = storage.is_empty();
            if !empty.map_err(|error| crate::Error::from(error).file(&name))? {
                return Err(crate::Error::new(crate::ErrorKind::Exists).file(&name));
            }
        }
        self.create_in(storage.syncs_name(path), new, path)
    }

    fn existing(
        &self,
        options: &std::fs::OpenOptions,
        path: &Path,
        read_only: bool,
    ) -> Result<File> {
        let (mut storage, locked) = self.lock(options, path, read_only)?;
        if !read_only {
            storage = storage.syncs_name(path);
        }
        self.open_in(storage, locked, read_only, path)
    }

    fn create_in(&self, storage: FileStorage, new: NewFile, path: &Path) -> Result<File> {
        let name = path.to_string_lossy();
        self.begin(Box::new(storage), new, &name, || located(path))
            .map_err(|error| error.file(&name))
    }

    fn open_in(
        &self,
        storage: FileStorage,
        locked: bool,
        read_only: bool,
        path: &Path,
    ) -> Result<File> {
        let name = path.to_string_lossy();
        let engine =
            Engine::open(Box::new(storage), read_only).map_err(|error| error.file(&name))?;
        if engine.marked() && !locked && !read_only {
            let what = "editing a file marked as open for writing without a lock, which would tell \
                        whether its writer is alive";
            return Err(crate::Error::unsupported(what).file(&name));
        }
        self.start(engine, &name, || located(path))
    }

    /// The file, and whether it is locked.
    pub(crate) fn lock(
        &self,
        options: &std::fs::OpenOptions,
        path: &Path,
        shared: bool,
    ) -> Result<(FileStorage, bool)> {
        use std::fs::TryLockError;
        let file = options
            .open(path)
            .map_err(|error| crate::file::open_error(error, path))?;
        let (lock, best_effort) = match locking_by_environment() {
            Some(environment) => environment,
            None => (self.locking.unwrap_or(true), true),
        };
        if !lock {
            return Ok((FileStorage::new(file), false));
        }
        let locked = if shared {
            file.try_lock_shared()
        } else {
            file.try_lock()
        };
        let name = path.to_string_lossy();
        match locked {
            Ok(()) => Ok((FileStorage::new(file).unlocks(), true)),
            Err(TryLockError::WouldBlock) => {
                Err(crate::Error::new(crate::ErrorKind::Locked).file(&name))
            }
            // A file system without locks is used without.
            Err(TryLockError::Error(error))
                if best_effort && error.kind() == std::io::ErrorKind::Unsupported =>
            {
                Ok((FileStorage::new(file), false))
            }
            Err(TryLockError::Error(error)) => {
                let error = crate::ErrorKind::Storage(error.into());
                Err(crate::Error::new(error).file(&name))
            }
        }
    }
}

/// Whether `HDF5_USE_FILE_LOCKING` says to lock, and to do without where the file system cannot; `None` where it is not
/// set or says nothing known.
#[cfg(feature = "std")]
fn locking_by_environment() -> Option<(bool, bool)> {
    match std::env::var("HDF5_USE_FILE_LOCKING").ok()?.as_str() {
        "FALSE" | "0" => Some((false, true)),
        "TRUE" | "1" => Some((true, false)),
        "BEST_EFFORT" => Some((true, true)),
        _ => None,
    }
}
