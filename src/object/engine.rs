//! The engine of one open file: the objects in memory, which of them differ from the file, and the commit.

mod early;
mod table;

use super::attributes::Attributes;
use super::dataset::{Dataset, USUAL_MESSAGES};
use super::dense::{self, heap_header};
use super::extension::{self, Extension};
use super::header::Header;
use super::links::Links;
use super::new_group::NewGroup;
use super::other_files::OtherFiles;
use super::reach::Paths;
use super::relinks::Relinks;
use super::shared;
use super::verify;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::driver_info;
use crate::format::libver::LibVer;
use crate::format::message::btree_k::NodeSizes;
use crate::format::message::file_space_info::FileSpaceInfo;
use crate::format::message::kind;
use crate::infra::global_heap::GlobalHeap;
use crate::report::Report;
use crate::storage::Storage;
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::store::{Level, Stamp, Store};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use early::NewObjects;
pub(crate) use table::Objects;

/// Clean objects beyond this many are forgotten after a commit, and beyond twice as many before the next is read.
const MAX_CLEAN: usize = 1024;

/// The default of [`Engine::budget`].
pub(crate) const DEFAULT_CACHE: usize = 64 << 20;

/// Free space worth a record of its own when a file is closed.
const WORTH_A_RECORD: u64 = 4096;

/// The room for a new link that a header must have where links cannot be elsewhere.
const NEW_LINK: u64 = 1024;

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

/// The datasets that keep chunks in memory, so that an operation need not look at every object.
#[derive(Debug, Default)]
struct Waiting {
    bytes: BTreeMap<Addr, usize>,
    total: usize,
    /// The dataset of the last operation, whose count is not up to date.
    current: Option<Addr>,
}

impl Waiting {
    fn set(&mut self, addr: Addr, bytes: usize) {
        let old = match bytes {
            0 => self.bytes.remove(&addr),
            _ => self.bytes.insert(addr, bytes),
        };
        self.total = self.total - old.unwrap_or(0) + bytes;
    }

    fn others(&self, addr: Addr) -> usize {
        self.total - self.bytes.get(&addr).copied().unwrap_or(0)
    }
}

/// What a new file is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewFile {
    /// The bytes before the superblock: 0, or a power of two from 512 on.
    pub(crate) userblock: u64,
    pub(crate) libver: LibVer,
    /// How the space is given out, where the file is to say so.
    pub(crate) file_space: Option<FileSpaceInfo>,
    /// Of the root group.
    pub(crate) root: NewGroup,
}

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) heap: GlobalHeap,
    pub(crate) objects: Objects,
    /// How many bytes of chunks may wait in memory, all datasets together.
    pub(crate) budget: usize,
    waiting: Waiting,
    /// How many objects may be in memory before clean ones are forgotten.
    most_objects: usize,
    pub(super) new_objects: NewObjects,
    /// The newest dataset whose header may be one block.
    pub(super) last_in_one: Option<Addr>,
    read_only: bool,
    /// The other files that this one names.
    pub(crate) others: OtherFiles,
    /// The object that takes the record of free space at closing: the first to change, since a session that does the
    /// same again then has the space before it asks for any.
    first_changed: Option<Addr>,
    /// How far the file may grow before a walk looks for space that nothing reaches; `None` once that is done.
    reclaim_after: Option<u64>,
    /// How many objects at an address have been deleted: a handle to one of them must not see a later one.
    deleted: BTreeMap<Addr, u32>,
    /// What a walk along all links has found, until a group changes.
    pub(crate) paths: Option<Paths>,
    /// The links that came and went since the last commit.
    pub(super) relinks: Relinks,
    /// The superblock extension, where it is to say where the file ends.
    extension: Option<Extension>,
    /// It has been looked at what a death left beyond the extents.
    pub(super) tails_cleaned: bool,
    /// A change is being made. Seen from outside it is one that a panic cut short: nothing is committed any more.
    pub(super) changing: bool,
}

impl Engine {
    /// A new file on `storage`, whose old content is dropped.
    #[cfg(test)]
    pub(crate) fn create(storage: Box<dyn Storage>) -> Result<Self> {
        Self::create_with(storage, NewFile::default())
    }

    /// A new file on `storage`, whose old content is dropped.
    pub(crate) fn create_with(storage: Box<dyn Storage>, new: NewFile) -> Result<Self> {
        // The root group's cell follows the superblock; the rest of sector 0 is its room: eight cells, and in the
        // last bytes the header of a heap for many links.
        let root = Addr::new(48);
        let mut store = Store::create_at(storage, root, new.userblock, new.libver)?;
        let prefix = new.root.prefix();
        let mut next = root.plus(Header::new_cell_size(&store, &prefix));
        let extension = match new.file_space {
            Some(info) => Extension::create(&mut store, info, &mut next)?,
            None => None,
        };
        let heap_len = heap_header(store.widths());
        let heap = Stamp::ROOM - heap_len;
        let cells = Extent::new(next, heap - next.get());
        let room = vec![cells, Extent::new(Addr::new(heap), heap_len)];
        let (links, messages) = Links::create(&store, new.root);
        let object = Object {
            header: Header::new(root, prefix, messages, room, true),
            links: Some(links),
            attributes: Attributes::none(),
            dataset: None,
            refused: None,
        };
        let mut engine = Self::new(store, false);
        engine.reclaim_after = None;
        engine.extension = extension;
        engine.adopt_new(object);
        Ok(engine)
    }

    /// Opens the file on `storage`; writes nothing.
    pub(crate) fn open(storage: Box<dyn Storage>, read_only: bool) -> Result<Self> {
        let mut store = Store::open_part(storage)?;
        extension::check_driver(&store)?;
        let extension = read_extension(&mut store, read_only);
        if !matches!(&extension, Err(error) if matches!(error.kind(), ErrorKind::Unsupported(_))) {
            store.check_length()?;
        }
        let extension = extension?;
        if !read_only {
            refuse_damaged(&store)?;
        }
        let mut engine = Self::new(store, read_only);
        engine.extension = extension;
        engine.reclaim_after = Some((engine.store.end() / 4).max(1 << 20));
        let root = engine.store.root();
        engine.object(root)?;
        Ok(engine)
    }

    fn new(store: Store, read_only: bool) -> Self {
        Self {
            store,
            heap: GlobalHeap::new(),
            objects: Objects::default(),
            budget: DEFAULT_CACHE,
            waiting: Waiting::default(),
            most_objects: 2 * MAX_CLEAN,
            new_objects: NewObjects::default(),
            last_in_one: None,
            read_only,
            others: OtherFiles::default(),
            first_changed: None,
            reclaim_after: None,
            deleted: BTreeMap::new(),
            paths: None,
            relinks: Relinks::default(),
            extension: None,
            tails_cleaned: false,
            changing: false,
        }
    }

    pub(crate) fn root(&self) -> Addr {
        self.store.root()
    }

    /// Whether another writer left the file marked as open, and no commit has taken the mark away yet.
    #[cfg(feature = "std")]
    pub(crate) fn marked(&self) -> bool {
        self.store.superblock.is_marked()
    }

    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    /// What the file says, or will say, of how its space is given out.
    pub(crate) fn file_space(&self) -> Result<Option<FileSpaceInfo>> {
        match &self.extension {
            Some(extension) => Ok(Some(extension.info().clone())),
            None => extension::file_space(&self.store),
        }
    }

    /// Writes the start of the userblock.
    pub(crate) fn write_userblock(&mut self, bytes: &[u8]) -> Result<()> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly));
        }
        self.store.write_userblock(bytes)
    }

    /// The object at `addr`.
    pub(crate) fn object(&mut self, addr: Addr) -> Result<&mut Object> {
        self.parts(addr).map(|(object, ..)| object)
    }

    pub(crate) fn load(&mut self, addr: Addr) -> Result<()> {
        self.parts(addr).map(drop)
    }

    /// The object and the store, both to be used.
    pub(crate) fn parts(
        &mut self,
        addr: Addr,
    ) -> Result<(&mut Object, &mut Store, &mut GlobalHeap)> {
        if self.store.poisoned() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        if !self.objects.contains_key(&addr) {
            self.read_object(addr)?;
        }
        let object = self.objects.get_mut(&addr);
        let object = object.ok_or_else(Error::not_found)?;
        Ok((object, &mut self.store, &mut self.heap))
    }

    #[cold]
    fn read_object(&mut self, addr: Addr) -> Result<()> {
        if self.objects.len() >= self.most_objects {
            self.forget_clean();
        }
        let object = Object::load(&self.store, addr)?;
        self.objects.insert(addr, object);
        Ok(())
    }

    /// The dataset at `addr`.
    pub(crate) fn dataset(&mut self, addr: Addr) -> Result<&mut Dataset> {
        let object = self.object(addr)?;
        if object.dataset.is_none() {
            return Err(object.not_a_dataset());
        }
        object.dataset.as_mut().ok_or_else(Error::not_found)
    }

    /// Refuses a change that adds `bytes` of data where the file has no room for them.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<()> {
        match self.read_only {
            true => Ok(()),
            false => self.store.check_room(bytes),
        }
    }

    /// Refuses what cannot be changed, before anything is.
    pub(crate) fn check_editable(&mut self, addr: Addr) -> Result<()> {
        self.parts_to_edit(addr).map(drop)
    }

    /// As [`parts`](Self::parts), of an object that can be changed.
    pub(crate) fn parts_to_edit(
        &mut self,
        addr: Addr,
    ) -> Result<(&mut Object, &mut Store, &mut GlobalHeap)> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly));
        }
        let (object, store, heap) = self.parts(addr)?;
        object.header.check_editable()?;
        object.header.check_adoptable(store)?;
        Ok((object, store, heap))
    }

    /// As [`check_editable`](Self::check_editable), for a change of a group's links.
    pub(crate) fn check_links_editable(&mut self, group: Addr) -> Result<()> {
        let (object, store, _) = self.parts_to_edit(group)?;
        let Some(links) = &mut object.links else {
            return Ok(());
        };
        links.check_editable(store)?;
        if !dense::can_be_made(store.widths()) {
            // All links are in the header, one more, too.
            let more = links.size_out_of_header(store, &object.header)? + NEW_LINK;
            object.header.check_room(store.widths(), more)?;
        }
        Ok(())
    }

    /// Refuses a dataset whose elements cannot be changed, before any is.
    pub(crate) fn check_writable(&mut self, addr: Addr) -> Result<()> {
        let (object, ..) = self.parts_to_edit(addr)?;
        let Some(dataset) = &object.dataset else {
            return Err(object.not_a_dataset());
        };
        dataset.check_writable()?;
        dataset.check_fill()?;
        match dataset.external() {
            Some(external) => self.check_other_files(external.first_name()),
            None => Ok(()),
        }
    }

    /// Refuses a dataset whose extent cannot be changed, before it is.
    pub(crate) fn check_resizable(&mut self, addr: Addr) -> Result<()> {
        self.check_writable(addr)?;
        self.check_unshare(addr, Some(kind::DATASPACE))
    }

    /// As [`check_resizable`](Self::check_resizable), where no chunk is looked into.
    pub(crate) fn check_resizable_blindly(&mut self, addr: Addr) -> Result<()> {
        self.parts_to_edit(addr)?;
        self.check_unshare(addr, Some(kind::DATASPACE))
    }

    /// Marks the object as changed; it can be by what is returned, as [`parts`](Self::parts) gives it.
    pub(crate) fn touch(
        &mut self,
        addr: Addr,
    ) -> Result<(&mut Object, &mut Store, &mut GlobalHeap)> {
        let (object, store, _) = self.parts_to_edit(addr)?;
        object.header.touch(store);
        let is_group = object.links.is_some();
        if is_group {
            self.paths = None;
        }
        self.first_changed.get_or_insert(addr);
        let (object, _) = self.objects.change(&addr).ok_or_else(Error::not_found)?;
        Ok((object, &mut self.store, &mut self.heap))
    }

    /// As [`touch`](Self::touch), of a dataset that has been found writable, and mostly has been changed before.
    pub(super) fn mark_changed(&mut self, addr: Addr) -> Result<()> {
        match self.objects.change(&addr) {
            Some((object, true)) => {
                object.header.touch(&mut self.store);
                self.first_changed.get_or_insert(addr);
                Ok(())
            }
            Some(_) => Ok(()),
            // It has been forgotten since.
            None => self.touch(addr).map(drop),
        }
    }

    /// Adds an object that is not in the file yet.
    pub(crate) fn adopt_new(&mut self, object: Object) {
        let addr = object.header.addr;
        self.objects.insert(addr, object);
        self.objects.change(&addr);
    }

    /// Tells apart the objects that an address has named since the file was opened.
    pub(crate) fn incarnation(&self, addr: Addr) -> u32 {
        self.deleted.get(&addr).copied().unwrap_or(0)
    }

    /// The objects that differ from the file, by address: the order in which they get space.
    fn dirty_in_order(&self) -> Vec<Addr> {
        let mut dirty: Vec<Addr> = self.objects.changed().iter().copied().collect();
        dirty.sort_unstable();
        dirty
    }

    /// Forgets a clean object, which can be read again.
    pub(crate) fn evict(&mut self, addr: Addr) {
        if !self.objects.is_changed(&addr) {
            self.objects.remove(&addr);
            self.count_waiting(addr);
        }
    }

    /// Forgets the clean objects, which can be read again, but for those whose chunks wait in memory.
    fn forget_clean(&mut self) {
        self.count_all_waiting();
        let waiting = &self.waiting.bytes;
        self.objects
            .retain_changed_and(|addr| waiting.contains_key(addr));
        self.most_objects = 2 * self.objects.len().max(MAX_CLEAN);
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&mut self, addr: Addr) {
        self.paths = None;
        self.objects.remove(&addr);
        self.count_waiting(addr);
        *self.deleted.entry(addr).or_default() += 1;
        if self.first_changed == Some(addr) {
            self.first_changed = None;
        }
    }

    /// Runs the part of an operation that changes things, after everything has been checked: an error in it leaves
    /// memory and file apart, so it poisons the handle; the file stays at its last commit.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.store.untidy {
            self.clean_tails()?;
        }
        if let Some(extension) = &mut self.extension {
            extension.take_over(&mut self.store)?;
        }
        self.change_parts(change)
    }

    /// As [`change`](Self::change), of what a file that is only read has, too.
    pub(super) fn change_parts<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let outer = core::mem::replace(&mut self.changing, true);
        let result = change(self);
        self.changing = outer;
        if result.is_err() {
            self.store.poison();
        }
        result
    }

    /// Whether nothing more is written: a write failed, or a panic cut a change short.
    pub(crate) fn is_stopped(&self) -> bool {
        #[cfg(test)]
        if mutant::is(Mutant::CommitAfterPanic) {
            return self.store.poisoned();
        }
        self.changing || self.store.poisoned()
    }

    /// What is left of the cache's budget for one dataset, and room made for it: where the others hold more than half of it,
    /// all they hold goes to the file.
    pub(crate) fn budget_for(&mut self, addr: Addr) -> Result<usize> {
        let last = self.waiting.current.replace(addr);
        if let Some(last) = last.filter(|last| *last != addr) {
            self.count_waiting(last);
        }
        if self.waiting.others(addr) > self.budget / 2 {
            self.change_parts(|engine| engine.write_others(addr))?;
        }
        Ok(self.budget - self.waiting.others(addr).min(self.budget))
    }

    /// Brings the chunks of all datasets but one that wait in memory to the file.
    fn write_others(&mut self, but: Addr) -> Result<()> {
        let others: Vec<Addr> = self.waiting.bytes.keys().copied().collect();
        for at in others.into_iter().filter(|at| *at != but) {
            if let Some(object) = self.objects.get_mut(&at)
                && let Some(dataset) = &mut object.dataset
            {
                dataset.keep_within(&mut self.store, 0)?;
            }
            self.count_waiting(at);
        }
        Ok(())
    }

    /// Brings the chunks of one dataset that wait in memory to the file.
    pub(crate) fn write_waiting(&mut self, addr: Addr) -> Result<()> {
        let (object, store, _) = self.parts(addr)?;
        let written = match &mut object.dataset {
            Some(dataset) => dataset.keep_within(store, 0),
            None => Ok(()),
        };
        self.count_waiting(addr);
        written
    }

    fn count_waiting(&mut self, addr: Addr) {
        let dataset = self
            .objects
            .get(&addr)
            .and_then(|object| object.dataset.as_ref());
        self.waiting
            .set(addr, dataset.map_or(0, Dataset::cached_bytes));
    }

    fn count_all_waiting(&mut self) {
        let known: Vec<Addr> = self.waiting.bytes.keys().copied().collect();
        for addr in known.into_iter().chain(self.waiting.current.take()) {
            self.count_waiting(addr);
        }
    }

    /// Makes the present state the state of the file.
    pub(crate) fn commit(&mut self, level: Level, closing: bool) -> Result<()> {
        if self.is_stopped() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        if self.read_only {
            return Ok(());
        }
        if self.is_untouched() {
            // An earlier session may have flushed what this one is asked to make durable.
            return self.store.sync_unsynced(level);
        }
        self.change(|engine| engine.commit_changes(level, closing))?;
        if !closing {
            self.reclaim_if_grown();
        }
        Ok(())
    }

    /// Whether there has been nothing to write since the file was opened.
    fn is_untouched(&self) -> bool {
        !self.store.written && self.objects.changed().is_empty() && !self.store.will_change()
    }

    fn commit_changes(&mut self, level: Level, closing: bool) -> Result<()> {
        let passing = self.add_passing_links()?;
        if passing.is_empty() {
            return self.commit_once(level, closing);
        }
        // A death between both commits shows as one: whoever opens the file next takes the links out.
        self.store.begin_in_place(false)?;
        self.commit_once(level, false)?;
        self.take_out_passing_links(&passing)?;
        self.commit_once(level, closing)
    }

    fn commit_once(&mut self, level: Level, closing: bool) -> Result<()> {
        let order = self.order_relinks()?;
        // They stay marked, so that none is forgotten while the commit is made.
        let dirty = self.dirty_in_order();
        // First, so that what its last collection does not need takes blocks of the objects.
        self.heap.seal(&mut self.store)?;
        for addr in &dirty {
            if let Some(object) = self.objects.get_mut(addr) {
                object.stage_parts(&mut self.store, closing)?;
            }
        }
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
        self.stage_order(order)?;
        self.commit_staged(level, closing)?;
        self.new_objects.committed();
        self.count_all_waiting();
        self.objects.committed();
        self.objects.drop_spare();
        if self.objects.len() > MAX_CLEAN {
            self.forget_clean();
        }
        Ok(())
    }

    fn commit_staged(&mut self, level: Level, last: bool) -> Result<()> {
        match &mut self.extension {
            Some(extension) if last => extension.stage_last(&mut self.store)?,
            Some(extension) => extension.stage(&mut self.store)?,
            None => {}
        }
        self.store.commit(level)
    }

    /// A commit of its own for the managers that say what is free, where the closing commit could not name them.
    fn commit_managers(&mut self, level: Level) -> Result<()> {
        match &self.extension {
            Some(extension) if extension.has_unlisted(&self.store) => self.change(|engine| {
                if let Some(extension) = &mut engine.extension {
                    extension.stage_managers(&mut engine.store)?;
                }
                engine.store.commit(level)
            }),
            _ => Ok(()),
        }
    }

    /// Which object takes the record of the free space: the first one that changed in this session, also where an
    /// earlier commit has it already and the space is worth another body.
    fn recipient(&mut self, dirty: &[Addr]) -> Result<Option<Addr>> {
        let extension = self.extension.as_ref();
        if !self.store.stamped() || extension.is_some_and(Extension::lists_free_space) {
            return Ok(None);
        }
        match self.first_changed {
            Some(first) if dirty.contains(&first) => Ok(Some(first)),
            Some(first) if self.store.free_bytes() >= WORTH_A_RECORD => {
                self.touch(first)?;
                Ok(Some(first))
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
                    self.store.add_found(extent);
                }
            }
        }
    }

    /// What the file holds as its last commit left it, and what is wrong with it.
    pub(crate) fn verify(&self) -> Result<Report> {
        if self.is_stopped() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        verify::verify(&self.store)
    }

    /// Commits, cuts the storage to length and gives it back.
    pub(crate) fn close(mut self, level: Level) -> Result<Box<dyn Storage>> {
        if !self.read_only {
            self.commit(level, true)?;
            self.commit_managers(level)?;
            self.store.trim_device()?;
        }
        Ok(self.store.into_storage())
    }
}

impl Object {
    /// Drops what is in it, but for the memory that a new object needs again.
    fn empty(&mut self) {
        self.dataset = None;
        self.links = None;
        self.attributes = Attributes::none();
        self.header.empty(USUAL_MESSAGES);
    }

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

/// A file that a writer which died left marked as open is edited where a walk finds nothing wrong with it; the first
/// commit takes the mark away. Whoever calls this has the lock, so that no writer lives.
fn refuse_damaged(store: &Store) -> Result<()> {
    if !store.superblock.is_marked() {
        return Ok(());
    }
    let problems = verify::verify(store)?.problems;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Damaged { problems })),
    }
}

/// What the superblock extension says must be something an edit can keep.
fn read_extension(store: &mut Store, read_only: bool) -> Result<Option<Extension>> {
    let Some(extension) = store.superblock.extension else {
        return Ok(None);
    };
    let header = Header::load(store, extension)?;
    if read_only {
        extension::show_cache_image(store, &header)?;
    } else {
        header.check_editable()?;
    }
    for message in &header.messages {
        let refused = match message.kind {
            kind::CACHE_IMAGE => {
                "a file with a metadata cache image (libhdf5 takes it away as it opens the file for writing)"
            }
            kind::DRIVER_INFO => {
                driver_info::check_message(&message.data, extension.get())?;
                continue;
            }
            kind::FILE_SPACE_INFO => continue,
            kind::SHARED_TABLE => {
                store.shared_table = Some(shared::load_table(store, &message.data, extension)?);
                continue;
            }
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
    if read_only {
        return Ok(None);
    }
    Extension::open(store, header)
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

#[cfg(test)]
mod tests;
