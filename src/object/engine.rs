//! The engine of one open file: the objects in memory, which of them differ from the file, and the commit.

use super::attributes::Attributes;
use super::dataset::Dataset;
use super::dense::HEAP_HEADER;
use super::header::Header;
use super::links::Links;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::btree_k::NodeSizes;
use crate::format::message::kind;
use crate::infra::global_heap::GlobalHeap;
use crate::storage::Storage;
use crate::store::{Level, SECTOR, Stamp, Store};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// Clean objects beyond this many are forgotten after a commit.
const MAX_CLEAN: usize = 1024;

/// The default of [`Engine::budget`].
pub(crate) const DEFAULT_CACHE: usize = 16 << 20;

/// Free space worth a record of its own when a file is closed.
const WORTH_A_RECORD: u64 = 4096;

/// An object in memory.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) header: Header,
    pub(crate) links: Option<Links>,
    pub(crate) attributes: Attributes,
    pub(crate) dataset: Option<Dataset>,
    /// Why the object, a dataset, cannot be used as one. Its header can: attributes are set and links made and taken
    /// out; the space of its data stays as it is.
    pub(crate) refused: Option<Error>,
}

impl Object {
    fn load(store: &Store, addr: Addr) -> Result<Self> {
        let header = Header::load(store, addr)?;
        let (dataset, refused) = match Dataset::load(store, &header) {
            Ok(dataset) => (dataset, None),
            Err(error) if matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned) => {
                return Err(error);
            }
            Err(error) => (None, Some(error)),
        };
        Ok(Self {
            links: Links::load(store, &header)?,
            attributes: Attributes::load(store, &header)?,
            dataset,
            refused,
            header,
        })
    }

    /// Why there is no dataset to use.
    pub(crate) fn not_a_dataset(&self) -> Error {
        match &self.refused {
            Some(refused) => refused.clone(),
            None => Error::invalid("not a dataset"),
        }
    }

    fn stage_parts(&mut self, store: &mut Store, closing: bool) -> Result<()> {
        if let Some(dataset) = &mut self.dataset {
            dataset.stage(store, &mut self.header, closing)?;
        }
        if let Some(links) = &mut self.links {
            links.stage(store, &mut self.header)?;
        }
        self.attributes.stage(store, &mut self.header)
    }
}

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) heap: GlobalHeap,
    pub(crate) objects: BTreeMap<Addr, Object>,
    dirty: BTreeSet<Addr>,
    /// How many bytes of chunks may wait in memory, all datasets together.
    pub(crate) budget: usize,
    read_only: bool,
    /// The object that takes the record of free space at closing when nothing else changes.
    last_changed: Option<Addr>,
    /// How far the file may grow before a walk looks for space that nothing reaches; `None` once that is done.
    reclaim_after: Option<u64>,
    /// How many objects at an address have been deleted: a handle to one of them must not see a later one.
    deleted: BTreeMap<Addr, u32>,
}

impl Engine {
    /// A new file on `storage`, whose old content is dropped.
    pub(crate) fn create(storage: Box<dyn Storage>) -> Result<Self> {
        // The root group's cell follows the superblock; the rest of sector 0 is its room: eight cells, and in the
        // last bytes the header of a heap for many links.
        let root = Addr::new(48);
        let store = Store::create(storage, root)?;
        let cell = Header::new_cell_size(&store);
        let heap = Stamp::ROOM - HEAP_HEADER;
        let cells = Extent::new(root.plus(cell), heap - 48 - cell);
        let room = vec![cells, Extent::new(Addr::new(heap), HEAP_HEADER)];
        let (links, messages) = Links::create(&store);
        let object = Object {
            header: Header::new(root, messages, room, true),
            links: Some(links),
            attributes: Attributes::none(),
            dataset: None,
            refused: None,
        };
        let mut engine = Self::new(store, false);
        engine.reclaim_after = None;
        engine.objects.insert(root, object);
        engine.dirty.insert(root);
        Ok(engine)
    }

    /// Opens the file on `storage`; writes nothing.
    pub(crate) fn open(storage: Box<dyn Storage>, read_only: bool) -> Result<Self> {
        let mut store = Store::open(storage)?;
        let flags = store.superblock.consistency_flags;
        if flags != 0 && !read_only && store.superblock.version >= 3 {
            return Err(Error::unsupported(
                "editing a file marked as open for writing (its last writer may have died)",
            ));
        }
        read_extension(&mut store, read_only)?;
        let mut engine = Self::new(store, read_only);
        engine.reclaim_after = Some((engine.store.end() / 4).max(1 << 20));
        let root = engine.store.root();
        engine.object(root)?;
        Ok(engine)
    }

    fn new(store: Store, read_only: bool) -> Self {
        Self {
            store,
            heap: GlobalHeap::new(),
            objects: BTreeMap::new(),
            dirty: BTreeSet::new(),
            budget: DEFAULT_CACHE,
            read_only,
            last_changed: None,
            reclaim_after: None,
            deleted: BTreeMap::new(),
        }
    }

    pub(crate) fn root(&self) -> Addr {
        self.store.root()
    }

    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    /// The object at `addr`.
    pub(crate) fn object(&mut self, addr: Addr) -> Result<&mut Object> {
        self.load(addr)?;
        self.objects
            .get_mut(&addr)
            .ok_or_else(|| Error::corrupt("object header", "missing").at(addr.get()))
    }

    pub(crate) fn load(&mut self, addr: Addr) -> Result<()> {
        if self.store.poisoned() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        if !self.objects.contains_key(&addr) {
            let object = Object::load(&self.store, addr)?;
            self.objects.insert(addr, object);
        }
        Ok(())
    }

    /// The object and the store, both to be used.
    pub(crate) fn parts(
        &mut self,
        addr: Addr,
    ) -> Result<(&mut Object, &mut Store, &mut GlobalHeap)> {
        self.load(addr)?;
        let object = self
            .objects
            .get_mut(&addr)
            .ok_or_else(|| Error::corrupt("object header", "missing").at(addr.get()))?;
        Ok((object, &mut self.store, &mut self.heap))
    }

    /// The dataset at `addr`.
    pub(crate) fn dataset(&mut self, addr: Addr) -> Result<&mut Dataset> {
        let object = self.object(addr)?;
        let error = object.not_a_dataset();
        object.dataset.as_mut().ok_or(error)
    }

    /// Refuses what cannot be changed, before anything is.
    pub(crate) fn check_editable(&mut self, addr: Addr) -> Result<()> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly));
        }
        self.object(addr)?.header.check_editable()
    }

    /// Refuses a dataset whose elements cannot be changed, before any is.
    pub(crate) fn check_writable(&mut self, addr: Addr) -> Result<()> {
        self.check_editable(addr)?;
        self.dataset(addr)?.check_writable()
    }

    /// As [`check_editable`](Self::check_editable), for a change of a group's links.
    pub(crate) fn check_links_editable(&mut self, group: Addr) -> Result<()> {
        self.check_editable(group)?;
        let (object, store, _) = self.parts(group)?;
        match &object.links {
            Some(links) => links.check_editable(store),
            None => Ok(()),
        }
    }

    /// Marks the object as changed.
    pub(crate) fn touch(&mut self, addr: Addr) -> Result<()> {
        self.check_editable(addr)?;
        let (object, store, _) = self.parts(addr)?;
        object.header.touch(store);
        self.dirty.insert(addr);
        self.last_changed = Some(addr);
        Ok(())
    }

    /// Adds an object that is not in the file yet.
    pub(crate) fn adopt_new(&mut self, object: Object) {
        let addr = object.header.addr;
        self.dirty.insert(addr);
        self.objects.insert(addr, object);
    }

    /// Tells apart the objects that an address has named since the file was opened.
    pub(crate) fn incarnation(&self, addr: Addr) -> u32 {
        self.deleted.get(&addr).copied().unwrap_or(0)
    }

    /// Forgets a clean object, which can be read again.
    pub(crate) fn evict(&mut self, addr: Addr) {
        if !self.dirty.contains(&addr) {
            self.objects.remove(&addr);
        }
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&mut self, addr: Addr) {
        self.objects.remove(&addr);
        self.dirty.remove(&addr);
        *self.deleted.entry(addr).or_default() += 1;
        if self.last_changed == Some(addr) {
            self.last_changed = None;
        }
    }

    /// Runs the part of an operation that changes things, after everything has been checked: an error in it leaves
    /// memory and file apart, so it poisons the handle; the file stays at its last commit.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let result = change(self);
        if result.is_err() {
            self.store.poison();
        }
        result
    }

    /// What is left of the cache's budget for one dataset, and room made for it.
    pub(crate) fn budget_for(&mut self, addr: Addr) -> Result<usize> {
        let others: usize = self
            .objects
            .iter()
            .filter(|(at, _)| **at != addr)
            .filter_map(|(_, object)| object.dataset.as_ref())
            .map(Dataset::cached_bytes)
            .sum();
        if others > self.budget / 2 {
            for (at, object) in &mut self.objects {
                if *at != addr
                    && let Some(dataset) = &mut object.dataset
                {
                    dataset.keep_within(&mut self.store, 0)?;
                }
            }
        }
        Ok(self.budget / 2)
    }

    /// Whether anything differs from the file.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.store.created
    }

    /// Makes the present state the state of the file.
    pub(crate) fn commit(&mut self, level: Level, closing: bool) -> Result<()> {
        if self.store.poisoned() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        if self.read_only {
            return Ok(());
        }
        self.change(|engine| engine.commit_changes(level, closing))?;
        if !closing {
            self.reclaim_if_grown();
        }
        Ok(())
    }

    fn commit_changes(&mut self, level: Level, closing: bool) -> Result<()> {
        let dirty = core::mem::take(&mut self.dirty);
        for addr in &dirty {
            if let Some(object) = self.objects.get_mut(addr) {
                object.stage_parts(&mut self.store, closing)?;
            }
        }
        self.heap.seal(&mut self.store)?;
        let recipient = if closing {
            self.recipient(&dirty)?
        } else {
            None
        };
        for addr in &dirty {
            if recipient != Some(*addr)
                && let Some(object) = self.objects.get_mut(addr)
            {
                object.header.stage(&mut self.store, false)?;
            }
        }
        if let Some(addr) = recipient {
            let (object, store, _) = self.parts(addr)?;
            object.header.stage(store, true)?;
        }
        self.store.commit(level)?;
        for addr in &dirty {
            if let Some(object) = self.objects.get_mut(addr) {
                object.committed();
            }
        }
        if self.objects.len() > MAX_CLEAN {
            self.objects.retain(|_, object| {
                object
                    .dataset
                    .as_ref()
                    .is_some_and(|dataset| dataset.cached_bytes() > 0)
            });
        }
        Ok(())
    }

    /// Which object takes the record of the free space: one that changes anyway, else the last one that did.
    fn recipient(&mut self, dirty: &BTreeSet<Addr>) -> Result<Option<Addr>> {
        if !self.store.stamped() {
            return Ok(None);
        }
        if let Some(last) = self.last_changed
            && dirty.contains(&last)
        {
            return Ok(Some(last));
        }
        match self.last_changed {
            Some(last) if dirty.is_empty() && self.store.free_bytes() >= WORTH_A_RECORD => {
                self.touch(last)?;
                Ok(Some(last))
            }
            _ => Ok(dirty.first().copied()),
        }
    }

    fn reclaim_if_grown(&mut self) {
        if self
            .reclaim_after
            .is_some_and(|limit| self.store.grown() > limit)
        {
            self.reclaim_after = None;
            // A file with anything unknown in it is left as it is: only what is known to be unreachable is reused.
            if let Ok(free) = self.unreachable() {
                for extent in free {
                    self.store.add_free(extent);
                }
            }
        }
    }

    /// Commits, cuts the storage to length and gives it back.
    pub(crate) fn close(mut self, level: Level) -> Result<Box<dyn Storage>> {
        if !self.read_only {
            self.commit(level, true)?;
            self.store.trim_device()?;
        }
        Ok(self.store.into_storage())
    }
}

impl Object {
    fn committed(&mut self) {
        if let Some(dataset) = &mut self.dataset {
            dataset.committed();
        }
        if let Some(links) = &mut self.links {
            links.committed();
        }
        self.attributes.committed();
    }
}

/// What the superblock extension says must be something an edit can keep.
fn read_extension(store: &mut Store, read_only: bool) -> Result<()> {
    let Some(extension) = store.superblock.extension else {
        return Ok(());
    };
    let header = Header::load(store, extension)?;
    for message in &header.messages {
        let refused = match message.kind {
            kind::CACHE_IMAGE => "a file with a metadata cache image",
            kind::DRIVER_INFO => "a file split over several storage files",
            kind::SHARED_TABLE => "a file with a shared message table",
            kind::FILE_SPACE_INFO => "a file with a file space strategy",
            kind::BTREE_K => {
                store.node_sizes = NodeSizes::decode(&message.data, extension.get())?;
                continue;
            }
            _ => continue,
        };
        if !read_only {
            return Err(Error::unsupported(refused).at(extension.get()));
        }
    }
    Ok(())
}

/// The sector of an address, for placing cells.
pub(crate) fn sector_of(addr: Addr) -> u64 {
    addr.get() / SECTOR as u64
}

/// The free extents left in `[0, end)` by `used`, which must not overlap.
pub(crate) fn complement(mut used: Vec<Extent>, end: u64) -> Result<Vec<Extent>> {
    used.sort();
    let mut free = Vec::new();
    let mut at = 0;
    for extent in used.into_iter().filter(|extent| extent.len > 0) {
        if extent.addr.get() < at {
            return Err(Error::corrupt("file", "two structures overlap").at(extent.addr.get()));
        }
        if extent.addr.get() > at {
            free.push(Extent::new(Addr::new(at), extent.addr.get() - at));
        }
        at = extent.end().get();
    }
    if at < end {
        free.push(Extent::new(Addr::new(at), end - at));
    }
    Ok(free)
}
