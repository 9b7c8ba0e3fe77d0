//! The other files that a file names: sources of virtual datasets, raw data, targets of external links. They are opened
//! where the user has allowed it, for reading but for raw data that are written, and a few stay open.

use super::engine::Engine;
use super::tree::Found;
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::selection::Resolved;
use crate::storage::Storage;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

/// How deep files may name each other: external links in a row, virtual datasets of virtual datasets.
pub(crate) const MAX_DEPTH: usize = 16;

/// How many other files stay open, beside those in use.
const MAX_OPEN: usize = 16;

/// Reads from sources for one read of a virtual dataset.
const MAX_READS: u64 = 1 << 24;

/// What another file is opened for; its name is looked up accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Link,
    Virtual,
    /// Raw data, in a file of no format.
    External,
}

/// Another file that was found.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// The name it is opened by, from which the names it has of others are looked up.
    pub(crate) name: String,
    /// What two names of one file have in common.
    pub(crate) identity: String,
    /// What the opener found, where the name does not say it.
    #[cfg_attr(
        not(feature = "std"),
        expect(dead_code, reason = "only paths are places, and they need the system")
    )]
    pub(crate) place: Option<Arc<dyn Any + Send + Sync>>,
}

impl Located {
    /// A file that has no name.
    pub(crate) fn nowhere() -> Self {
        Self {
            name: String::new(),
            identity: String::new(),
            place: None,
        }
    }
}

/// How names of other files become storage.
pub(crate) trait OpenOther: Send + Sync {
    /// Which file `name` means where the file `from` says it; `None` where there is none.
    fn locate(&self, from: &Located, name: &str, purpose: Purpose) -> Result<Option<Located>>;

    /// Opens a file that was located; `None` where there is none.
    fn open(&self, file: &Located, purpose: Purpose) -> Result<Option<Box<dyn Storage>>>;

    /// Opens a file of raw data to be written, and makes it where there is none; `None` where it cannot be made.
    fn open_to_write(
        &self,
        from: &Located,
        name: &str,
    ) -> Result<Option<(Located, Box<dyn Storage>)>>;
}

/// One of the files that are open together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(u32);

impl FileId {
    /// The file that all others are seen from.
    pub(crate) const ROOT: Self = Self(0);
}

#[derive(Debug)]
struct OtherFile {
    located: Located,
    engine: Box<Engine>,
}

/// The other files of an open file.
#[derive(Default)]
pub(crate) struct OtherFiles {
    opener: Option<Arc<dyn OpenOther>>,
    /// The file itself.
    own: Option<Located>,
    open: BTreeMap<FileId, OtherFile>,
    last: u32,
}

impl fmt::Debug for OtherFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .open
            .values()
            .map(|file| file.located.name.as_str())
            .collect();
        f.debug_struct("OtherFiles")
            .field("allowed", &self.opener.is_some())
            .field("open", &names)
            .finish_non_exhaustive()
    }
}

impl OtherFiles {
    /// Other files may be opened from the file `own`.
    pub(crate) fn allowed(opener: Arc<dyn OpenOther>, own: Located) -> Self {
        Self {
            opener: Some(opener),
            own: Some(own),
            open: BTreeMap::new(),
            last: 0,
        }
    }

    /// Whether any may be opened.
    pub(super) fn is_allowed(&self) -> bool {
        self.opener.is_some()
    }
}

/// Why another file is not opened.
pub(crate) fn not_allowed(name: &str, what: &str) -> Error {
    Error::unsupported(format!(
        "{what} the other file {name:?}, which is opened only where \
         FileBuilder::follow_other_files or FileBuilder::other_files allows it"
    ))
}

/// The open files of one operation.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    root: &'a mut Engine,
    others: OtherFiles,
    /// The virtual datasets whose elements or extents are being found out.
    pub(super) active: Vec<(FileId, Addr)>,
    reads: u64,
}

impl Engine {
    /// Runs what may need other files.
    pub(crate) fn across<T>(&mut self, run: impl FnOnce(&mut Files<'_>) -> Result<T>) -> Result<T> {
        let others = core::mem::take(&mut self.others);
        let mut files = Files {
            root: self,
            others,
            active: Vec::new(),
            reads: 0,
        };
        let result = run(&mut files);
        self.others = files.others;
        result
    }
}

impl Files<'_> {
    pub(super) fn engine(&mut self, file: FileId) -> Result<&mut Engine> {
        if file == FileId::ROOT {
            return Ok(self.root);
        }
        match self.others.open.get_mut(&file) {
            Some(other) => Ok(&mut other.engine),
            None => Err(Error::new(crate::error::ErrorKind::Closed)),
        }
    }

    fn name(&self, file: FileId) -> &str {
        let located = match self.others.open.get(&file) {
            Some(other) => Some(&other.located),
            None => self.others.own.as_ref(),
        };
        located.map_or("", |located| &located.name)
    }

    fn located(&self, file: FileId) -> Located {
        let located = match self.others.open.get(&file) {
            Some(other) => Some(&other.located),
            None => self.others.own.as_ref(),
        };
        located.cloned().unwrap_or_else(Located::nowhere)
    }

    /// Says in which file an error was met.
    pub(super) fn named<T>(&self, file: FileId, result: Result<T>) -> Result<T> {
        match file {
            FileId::ROOT => result,
            _ => result.map_err(|error| error.file(self.name(file))),
        }
    }

    /// The file that `name` means where the file `from` says it; `None` where there is none.
    pub(super) fn open(
        &mut self,
        from: FileId,
        name: &str,
        purpose: Purpose,
    ) -> Result<Option<FileId>> {
        let opener = self.opener(name)?;
        let Some(located) = opener.locate(&self.located(from), name, purpose)? else {
            return Ok(None);
        };
        let same = |file: &Located| file.identity == located.identity;
        if self.others.own.as_ref().is_some_and(same) {
            return Ok(Some(FileId::ROOT));
        }
        let mut open = self.others.open.iter();
        if let Some((id, _)) = open.find(|(_, other)| same(&other.located)) {
            return Ok(Some(*id));
        }
        self.close_one();
        let Some(storage) = opener.open(&located, purpose)? else {
            return Ok(None);
        };
        let mut engine = Engine::open(storage, true).map_err(|error| error.file(&located.name))?;
        engine.budget = self.root.budget / 4;
        engine.store.filters = self.root.store.filters.clone();
        self.others.last += 1;
        let id = FileId(self.others.last);
        let other = OtherFile {
            located,
            engine: Box::new(engine),
        };
        self.others.open.insert(id, other);
        Ok(Some(id))
    }

    /// Opens a file of raw data; `None` where there is none.
    pub(super) fn open_raw(
        &self,
        from: FileId,
        name: &str,
    ) -> Result<Option<(String, Box<dyn Storage>)>> {
        let opener = self.opener(name)?;
        match opener.locate(&self.located(from), name, Purpose::External)? {
            Some(located) => {
                let storage = opener.open(&located, Purpose::External)?;
                Ok(storage.map(|storage| (located.name, storage)))
            }
            None => Ok(None),
        }
    }

    /// Opens a file of raw data of the first file, to be written.
    pub(super) fn open_raw_to_write(&self, name: &str) -> Result<(String, Box<dyn Storage>)> {
        let opener = self.opener(name)?;
        let own = self.others.own.as_ref();
        if opener
            .locate(&self.located(FileId::ROOT), name, Purpose::External)?
            .is_some_and(|located| own.is_some_and(|own| own.identity == located.identity))
        {
            return Err(Error::invalid(
                "the file itself has the data of a dataset in external files",
            ));
        }
        match opener.open_to_write(&self.located(FileId::ROOT), name)? {
            Some((located, storage)) => Ok((located.name, storage)),
            None => Err(Error::not_found().file(name)),
        }
    }

    fn opener(&self, name: &str) -> Result<Arc<dyn OpenOther>> {
        match &self.others.opener {
            Some(opener) => Ok(opener.clone()),
            None => Err(not_allowed(name, "the data are in")),
        }
    }

    /// Closes the file opened first of those not in use, where many are open.
    fn close_one(&mut self) {
        let in_use = |id: &FileId| self.active.iter().any(|(file, _)| file == id);
        if self.others.open.len() >= MAX_OPEN
            && let Some(oldest) = self.others.open.keys().copied().find(|id| !in_use(id))
        {
            self.others.open.remove(&oldest);
        }
    }

    /// The object at a path from the root of a file, wherever external links lead.
    fn find(&mut self, file: FileId, path: &str) -> Result<Option<(FileId, Addr)>> {
        let (mut file, mut path) = (file, path.to_string());
        for _ in 0..=MAX_DEPTH {
            let engine = self.engine(file)?;
            let root = engine.root();
            let found = engine.find_across(root, &path);
            match self.named(file, found)? {
                Found::Here(addr) => return Ok(Some((file, addr))),
                Found::Missing => return Ok(None),
                Found::Elsewhere(there) => {
                    let next = self.open(file, &there.file, Purpose::Link)?;
                    file = next.ok_or_else(|| Error::not_found().file(&there.file))?;
                    path = there.path;
                }
            }
        }
        let (depth, most) = (MAX_DEPTH as u64 + 1, MAX_DEPTH as u64);
        Err(Error::limit("external links in a row", depth, most))
    }

    /// The dataset that a mapping names; `None` where the file or, in its group, the dataset is missing.
    pub(super) fn find_source(
        &mut self,
        from: FileId,
        file: &str,
        path: &str,
    ) -> Result<Option<(FileId, Addr)>> {
        let source = match file {
            "." => from,
            _ => match self.open(from, file, Purpose::Virtual)? {
                Some(source) => source,
                None => return Ok(None),
            },
        };
        if let Some(found) = self.find(source, path)? {
            return Ok(Some(found));
        }
        // As libhdf5 has it: the last link may be missing, the group may not.
        if let Some((group, _)) = path.trim_end_matches('/').rsplit_once('/')
            && self.find(source, group)?.is_none()
        {
            return self.named(source, Err(Error::not_found().object(group)));
        }
        Ok(None)
    }

    /// Counts a read from a source.
    pub(super) fn count_read(&mut self) -> Result<()> {
        self.reads += 1;
        if self.reads > MAX_READS {
            return Err(Error::limit(
                "reads from sources of a virtual dataset",
                self.reads,
                MAX_READS,
            ));
        }
        Ok(())
    }

    /// Reads elements of a dataset, wherever they are.
    pub(crate) fn read(
        &mut self,
        file: FileId,
        addr: Addr,
        selection: &Resolved,
        out: &mut [u8],
    ) -> Result<()> {
        let engine = self.engine(file)?;
        let dataset = engine.dataset(addr)?;
        let result = if let Some(layout) = dataset.virtual_layout() {
            self.read_virtual(file, addr, &layout, selection, out)
        } else if let Some(external) = dataset.external() {
            let (dims, element) = (dataset.selectable_dims().to_vec(), dataset.element_size());
            self.read_external(file, &external, &dims, element, selection, out)
        } else {
            engine.read_dataset(addr, selection, out)
        };
        self.named(file, result)
    }
}
