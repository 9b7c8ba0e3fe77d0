//! The store: one device, its allocator, and the blocks that wait for the next commit.

use super::blocks::Blocks;
use super::flip_record::SectorFlip;
use super::flips::{Flip, Interim, Version, overlay};
use super::pages::{Class, Freed};
use super::reserve::Guesses;
use super::space::Space;
use super::stamp::{SECTOR, Stamp};
use crate::bytes::{Addr, Extent, Widths};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Registry;
use crate::format::libver::LibVer;
use crate::format::message::btree_k::NodeSizes;
use crate::format::shared_table::Table;
use crate::format::superblock::{MAX_SIZE, SIGNATURE, Superblock};
use crate::storage::{Latch, Storage};
use crate::workers::Workers;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// Staged bytes beyond this are written early: nothing committed reaches them.
const STAGED_LIMIT: usize = 4 << 20;

const SIZE_OF_FILE: &str = "the size of the file";

/// One open device: reads see everything staged, writes go where the committed state does not reach.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) device: Latch,
    pub(crate) device_len: u64,
    /// As it stands on the device.
    pub(crate) superblock: Superblock,
    /// How much room the nodes of old trees have.
    pub(crate) node_sizes: NodeSizes,
    /// Which messages are shared through the file, and where they are; for a file made with such a table.
    pub(crate) shared_table: Option<Table>,
    /// The next commit takes the symbol table away that the superblock's entry of the root group repeats.
    pub(crate) root_cache_stale: bool,
    /// The file has had its first commit; before, the device holds no HDF5 file.
    pub(crate) created: bool,
    /// Something has been written since the file was opened.
    pub(crate) written: bool,
    pub(crate) stamp: Option<Stamp>,
    /// What new objects are for.
    pub(crate) bound: LibVer,
    /// The filters that the user of the file has brought.
    pub(crate) filters: Registry,
    pub(crate) space: Space,
    pub(super) guesses: Guesses,
    pub(crate) staged: Blocks,
    pub(crate) staged_bytes: usize,
    pub(crate) flips: BTreeMap<u64, Flip>,
    /// Flips that come before the last one of the same bytes.
    pub(super) interims: Vec<Interim>,
    /// What the next commit writes after what: later, earlier.
    pub(super) after: BTreeSet<(Version, Version)>,
    /// Sectors of a commit that was interrupted between its flips, completed in memory.
    pub(crate) recovered: Blocks,
    /// What is left to be written of that commit, in order; the next commit does.
    pub(super) unfinished: Vec<SectorFlip>,
    /// The flip record at the end of the device, in a file that is not ours.
    pub(super) tail_record: Option<Extent>,
    /// The device may hold something that is not durable: something was written since its last sync, or it has not been
    /// synced since the file was opened, so that nobody knows whether the writer before did it.
    pub(crate) unsynced: bool,
    /// The device was longer than the file when it was opened: whoever wrote to it last may have died, and left something
    /// in space that the committed state does not name. The first change of a session cleans that; where it could not, this
    /// stays, and the device stays longer than the file.
    pub(crate) untidy: bool,
    /// Since the last commit something was written in place beyond what a committed block holds: the device stays longer than
    /// the file until that is committed.
    pub(super) in_place: bool,
    /// How long the device is at least after a loss of power.
    pub(super) synced_len: u64,
    /// That is no longer than the file, which is to say so, and the device has not been synced since.
    pub(super) unsynced_mark: bool,
    /// Sector 0 as it stands on the device, once it has been read: every commit of a file of ours rewrites it.
    pub(super) sector_0: Option<Box<[u8; SECTOR]>>,
    /// The threads that filter chunks.
    pub(crate) workers: Workers,
}

impl Store {
    /// A store for a new file, for the tests of what is above it.
    #[cfg(test)]
    pub(crate) fn create(storage: Box<dyn Storage>, root: Addr) -> Result<Self> {
        Self::create_at(storage, root, 0, LibVer::V110)
    }

    /// A store for a new file on `storage`, whose old content is dropped; the file begins at `base`, a multiple of a
    /// sector. Sector 0 is set aside; the root object's cell is to be at `root`.
    pub(crate) fn create_at(
        storage: Box<dyn Storage>,
        root: Addr,
        base: u64,
        bound: LibVer,
    ) -> Result<Self> {
        let mut device = Latch::new(storage);
        if device.len()? > 0 {
            device.set_len(0)?;
        }
        Ok(Self {
            device,
            device_len: 0,
            superblock: Superblock {
                version: 2,
                widths: Widths::EIGHT,
                consistency_flags: 0,
                base,
                extension: None,
                end_of_file: 0,
                root,
                old: None,
            },
            node_sizes: NodeSizes::DEFAULT,
            shared_table: None,
            root_cache_stale: false,
            created: false,
            written: false,
            stamp: Some(Stamp {
                generation: 0,
                record: None,
                bound,
            }),
            bound,
            filters: Registry::default(),
            space: Space::new(SECTOR as u64),
            guesses: Guesses::default(),
            staged: Blocks::default(),
            staged_bytes: 0,
            flips: BTreeMap::new(),
            interims: Vec::new(),
            after: BTreeSet::new(),
            recovered: Blocks::default(),
            unfinished: Vec::new(),
            tail_record: None,
            unsynced: false,
            untidy: false,
            in_place: false,
            synced_len: 0,
            unsynced_mark: false,
            sector_0: None,
            workers: Workers::new(None),
        })
    }

    /// Opens the file on `storage`; writes nothing.
    #[cfg(test)]
    pub(crate) fn open(storage: Box<dyn Storage>) -> Result<Self> {
        let store = Self::open_part(storage)?;
        store.check_length()?;
        Ok(store)
    }

    /// As [`open`](Self::open), also of a file that is shorter than its superblock says, as far as it goes: to be
    /// followed by [`check_length`](Self::check_length).
    pub(crate) fn open_part(storage: Box<dyn Storage>) -> Result<Self> {
        let device = Latch::new(storage);
        let device_len = device.len()?;
        let (at, superblock) = find_superblock(&device, device_len)?;
        if superblock.end_of_file < at + superblock.size() as u64 {
            return Err(
                Error::corrupt("superblock", "the end of file is inside the superblock").at(at),
            );
        }
        let end_of_file = superblock.end_of_file;
        let end = end_of_file.min(device_len) - superblock.base;
        let node_sizes = match &superblock.old {
            Some(old) => NodeSizes {
                chunk: old.chunk_k,
                internal: old.internal_k,
                leaf: old.leaf_k,
            },
            None => NodeSizes::DEFAULT,
        };
        let mut store = Self {
            device,
            device_len,
            superblock,
            node_sizes,
            shared_table: None,
            root_cache_stale: false,
            created: true,
            written: false,
            stamp: None,
            bound: LibVer::V110,
            filters: Registry::default(),
            space: Space::new(end),
            guesses: Guesses::default(),
            staged: Blocks::default(),
            staged_bytes: 0,
            flips: BTreeMap::new(),
            interims: Vec::new(),
            after: BTreeSet::new(),
            recovered: Blocks::default(),
            unfinished: Vec::new(),
            tail_record: None,
            unsynced: true,
            untidy: false,
            in_place: false,
            // Whoever made the device longer may not have synced it.
            synced_len: device_len.min(end_of_file),
            unsynced_mark: false,
            sector_0: None,
            workers: Workers::new(None),
        };
        store.read_stamp()?;
        store.untidy = store.device_len > store.superblock.end_of_file;
        Ok(store)
    }

    /// Refuses a file that is shorter than its superblock says.
    pub(crate) fn check_length(&self) -> Result<()> {
        if self.superblock.end_of_file > self.device_len {
            return Err(Error::new(ErrorKind::Truncated).at(self.device_len));
        }
        Ok(())
    }

    pub(crate) fn widths(&self) -> Widths {
        self.superblock.widths
    }

    pub(crate) fn root(&self) -> Addr {
        self.superblock.root
    }

    /// Whether the file's sector 0 is laid out by us and no other writer has moved the end of the file since.
    pub(crate) fn stamped(&self) -> bool {
        self.stamp.is_some()
    }

    /// The number of commits the file has had, where it is ours.
    pub(crate) fn generation(&self) -> u64 {
        self.stamp.as_ref().map_or(0, |stamp| stamp.generation)
    }

    /// From here on space is given out in pages of `size` bytes; `alone`: nobody else gives out space of the file.
    pub(crate) fn use_pages(&mut self, size: u64, alone: bool) {
        let ours = self.stamped() && alone;
        self.space.use_pages(size, ours);
    }

    /// As [`use_pages`](Self::use_pages), in a new file whose sector 0 is in the first of them.
    pub(crate) fn begin_pages(&mut self, size: u64) {
        self.space.begin_pages(size);
    }

    /// From here on blocks of at least `threshold` bytes begin at multiples of `alignment`, in a file without pages.
    pub(crate) fn align(&mut self, threshold: u64, alignment: u64) {
        self.space.align(threshold, alignment);
    }

    /// Whether the next commit has anything to write.
    pub(crate) fn will_change(&self) -> bool {
        !self.flips.is_empty()
            || !self.staged.is_empty()
            || !self.recovered.is_empty()
            || self.superblock.is_marked()
            || self.superblock.base + self.space.end() != self.superblock.end_of_file
    }

    /// The end of the file as the next superblock will say it, once all space is given out.
    pub(crate) fn final_end(&mut self) -> u64 {
        self.space.trim()
    }

    /// The end of the space given out, relative to the base address.
    pub(crate) fn end(&self) -> u64 {
        self.space.end()
    }

    /// Fresh space that no committed state reaches.
    pub(crate) fn alloc(&mut self, len: u64) -> Result<Extent> {
        self.check_writable(len)?;
        self.check_space(len)?;
        Ok(self.space.alloc(len, Class::Metadata))
    }

    /// As [`alloc`](Self::alloc), for what libhdf5 counts as raw data: elements, the global heap, huge objects.
    pub(crate) fn alloc_raw(&mut self, len: u64) -> Result<Extent> {
        self.check_writable(len)?;
        self.check_space(len)?;
        Ok(self.space.alloc(len, Class::Raw))
    }

    fn check_space(&self, len: u64) -> Result<()> {
        match self.space.has_free(len) {
            true => Ok(()),
            false => self.check_addressable(len),
        }
    }

    /// Fresh space that begins at a sector.
    pub(crate) fn alloc_sectors(&mut self, len: u64) -> Result<Extent> {
        self.alloc_within(len, SECTOR as u64, SECTOR as u64)
    }

    /// Fresh space whose first `head` bytes do not reach over a multiple of `align`.
    pub(super) fn alloc_within(&mut self, len: u64, head: u64, align: u64) -> Result<Extent> {
        self.check_writable(len)?;
        self.check_addressable(len.saturating_add(align))?;
        Ok(self.space.alloc_within(len, head, align))
    }

    pub(super) fn check_writable(&self, len: u64) -> Result<()> {
        if self.device.failed() {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        let max = i64::MAX as u64 - self.superblock.base - self.space.end();
        if len > max {
            return Err(Error::limit(SIZE_OF_FILE, len, max));
        }
        Ok(())
    }

    /// Refuses growth beyond what an address of the file can say.
    fn check_addressable(&self, len: u64) -> Result<()> {
        let (base, max) = (self.superblock.base, self.widths().max_addr());
        let end = base.saturating_add(self.space.end());
        let end = end.saturating_add(self.space.most_taken(len));
        if end > max {
            return Err(Error::limit(SIZE_OF_FILE, end, max));
        }
        Ok(())
    }

    /// Refuses a change that adds `bytes` of data, where addresses are short and what it takes beside them might not
    /// be within their reach.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<()> {
        if self.widths().offset == 8 {
            return Ok(());
        }
        let max = self.widths().max_addr();
        let share = if bytes == 0 { 32 } else { 8 };
        let needed = bytes.saturating_add((max / share).min(1 << 20));
        match self.space.has_free(needed) {
            true => Ok(()),
            false => self.check_addressable(needed),
        }
    }

    /// Gives an extent back: reusable at once where it is fresh, after the next commit elsewhere.
    pub(crate) fn free(&mut self, extent: Extent) {
        self.free_as(extent, Freed::Anything);
    }

    /// As [`free`](Self::free), of a block that [`alloc_raw`](Self::alloc_raw) gave out.
    pub(crate) fn free_raw(&mut self, extent: Extent) {
        self.free_as(extent, Freed::Block(Class::Raw));
    }

    /// As [`free`](Self::free), of a chunk: those of a new dataset may have been given out as one block.
    pub(crate) fn free_chunk(&mut self, extent: Extent) {
        self.free_as(extent, Freed::Part(Class::Raw));
    }

    /// As [`free`](Self::free), of a block that is certainly no raw data.
    pub(crate) fn free_metadata(&mut self, extent: Extent) {
        self.free_as(extent, Freed::Block(Class::Metadata));
    }

    fn free_as(&mut self, extent: Extent, freed: Freed) {
        let first = self.superblock.size() as u64;
        let end = extent.addr.get().checked_add(extent.len);
        if extent.addr.get() < first || end.is_none_or(|end| end > self.space.end()) {
            // Only what a damaged file says can be there.
            return;
        }
        self.staged_bytes -= self.staged.remove(extent);
        let flipped: Vec<u64> = self
            .flips
            .range(extent.addr.get()..extent.end().get())
            .map(|(&at, _)| at)
            .collect();
        for at in flipped {
            self.flips.remove(&at);
        }
        self.space.free(extent, freed);
    }

    /// Gives a staged block back that only a state within the next commit names.
    pub(crate) fn free_after_commit(&mut self, extent: Extent) {
        self.space
            .free_after_commit(extent, Freed::Block(Class::Metadata));
    }

    /// Adds space that nothing reaches, as a walk has found.
    pub(crate) fn add_found(&mut self, extent: Extent) {
        self.space.add_found(extent);
    }

    /// Adds space that an earlier session left in a record.
    pub(crate) fn add_spare(&mut self, extent: Extent, class: Class) {
        self.space.add_spare(extent, class);
    }

    /// Takes the largest free extents out of this session's hands, those of the commit in the making included, for a
    /// record that names them to a later one.
    pub(crate) fn donate_free(&mut self, most: usize) -> Vec<(Extent, Class)> {
        self.space.trim();
        let mut free = self.space.take_all_after_commit();
        free.sort_by_key(|(extent, _)| core::cmp::Reverse(extent.len));
        free.truncate(most);
        free
    }

    /// How many bytes this session could give out again, once the commit in the making is done.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.space.free_bytes()
    }

    /// How many extents that is, at the most.
    pub(crate) fn free_extents(&self) -> usize {
        self.space.free_extents()
    }

    /// How much the file has grown since it was opened.
    pub(crate) fn grown(&self) -> u64 {
        self.space.grown()
    }

    /// What this session could give out.
    pub(crate) fn free_runs(&self) -> impl Iterator<Item = Extent> + '_ {
        self.space.free_runs()
    }

    pub(crate) fn is_fresh(&self, extent: Extent) -> bool {
        self.space.is_fresh(extent)
    }

    /// An owner uses space again that it kept, and that the committed state does not name: the other slot of a body.
    pub(crate) fn renew(&mut self, extent: Extent) {
        self.space.renew(extent);
    }

    /// Reads an extent as the file will be after the next commit. Nothing is allocated for an extent that reaches
    /// beyond the end of the file.
    pub(crate) fn read(&self, extent: Extent, structure: &'static str) -> Result<Vec<u8>> {
        self.check_bounds(extent, structure)?;
        let mut buffer = vec![0; extent.len as usize];
        self.read_unchecked(extent.addr, &mut buffer)?;
        Ok(buffer)
    }

    /// As [`read`](Self::read), into a buffer.
    pub(crate) fn read_into(
        &self,
        at: Addr,
        buffer: &mut [u8],
        structure: &'static str,
    ) -> Result<()> {
        self.check_bounds(Extent::new(at, buffer.len() as u64), structure)?;
        self.read_unchecked(at, buffer)
    }

    /// How many bytes can be read at `at`, `wanted` at the most.
    pub(crate) fn readable(&self, at: Addr, wanted: u64) -> u64 {
        self.space.end().saturating_sub(at.get()).min(wanted)
    }

    pub(crate) fn check_bounds(&self, extent: Extent, structure: &'static str) -> Result<()> {
        let end = extent.addr.get().checked_add(extent.len);
        if end.is_none_or(|end| end > self.space.end()) {
            return Err(
                Error::corrupt(structure, "reaches beyond the end of the file")
                    .at(extent.addr.get()),
            );
        }
        usize::try_from(extent.len)
            .map(|_| ())
            .map_err(|_| Error::limit(structure, extent.len, usize::MAX as u64))
    }

    fn read_unchecked(&self, at: Addr, buffer: &mut [u8]) -> Result<()> {
        let start = at.get();
        if let Some(bytes) = self.staged.covering(start, buffer.len())
            && self.flips.is_empty()
        {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        let offset = self.superblock.base + start;
        let on_device = self
            .device_len
            .saturating_sub(offset)
            .min(buffer.len() as u64) as usize;
        if on_device > 0 {
            self.device.read_at(offset, &mut buffer[..on_device])?;
        }
        buffer[on_device..].fill(0);
        let end = start + buffer.len() as u64;
        for blocks in [&self.recovered, &self.staged] {
            for (at, bytes) in blocks.touching(start, end) {
                overlay(buffer, start, at, bytes);
            }
        }
        let flips_from = start.saturating_sub(SECTOR as u64);
        for (&at, flip) in self.flips.range(flips_from..end) {
            overlay(buffer, start, at, &flip.bytes);
        }
        Ok(())
    }

    /// Makes reads see `bytes` at `addr`, of a file that is not to be changed.
    pub(crate) fn show(&mut self, addr: Addr, bytes: Vec<u8>) {
        self.recovered.patch(addr.get(), &bytes, true);
    }

    /// A block in fresh space, written by the next commit at the latest.
    pub(crate) fn stage(&mut self, addr: Addr, bytes: Vec<u8>) -> Result<()> {
        #[cfg(test)]
        if super::mutant::is(super::mutant::Mutant::BodyInPlace) {
            return self.fill_in(addr, &bytes);
        }
        debug_assert!(
            self.is_fresh(Extent::new(addr, bytes.len() as u64)) || addr.get() < SECTOR as u64
        );
        self.staged_bytes += bytes.len();
        self.staged_bytes -= self.staged.put(addr.get(), bytes);
        self.spill()
    }

    /// Bytes in committed space that the committed state does not name: written with the staged blocks.
    pub(crate) fn fill_in(&mut self, addr: Addr, bytes: &[u8]) -> Result<()> {
        self.staged_bytes += self.staged.patch(addr.get(), bytes, true);
        self.spill()
    }

    /// To be called before bytes beyond what a committed block holds are changed where it stands: makes the device longer
    /// than the file, which a death leaves it, so that the next session looks for what is left. `at_once`: the bytes are
    /// written before the next commit.
    pub(crate) fn begin_in_place(&mut self, at_once: bool) -> Result<()> {
        self.in_place |= self.created;
        if self.created && self.synced_len <= self.superblock.end_of_file {
            self.extend_device(self.superblock.end_of_file + 1)?;
            self.unsynced_mark = true;
        }
        self.sync_mark(at_once)
    }

    /// Makes it durable that the device is longer than the file, where it is not yet and that is `wanted`.
    pub(super) fn sync_mark(&mut self, wanted: bool) -> Result<()> {
        self.sync_if(wanted && self.unsynced_mark)
    }

    fn spill(&mut self) -> Result<()> {
        if self.staged_bytes > STAGED_LIMIT {
            self.sync_mark(true)?;
            self.write_staged()?;
        }
        Ok(())
    }

    /// Writes a bulk block into fresh space at once. What is staged there would be written over it at the commit, so it
    /// changes, too.
    pub(crate) fn write_now(&mut self, addr: Addr, bytes: &[u8]) -> Result<()> {
        debug_assert!(
            !self.created || bytes.is_empty() || addr.get() >= self.superblock.size() as u64
        );
        self.staged.patch(addr.get(), bytes, false);
        self.write_device(self.superblock.base + addr.get(), bytes)
    }

    pub(crate) fn write_device(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.unsynced = true;
        self.written = true;
        self.device.write_at(offset, bytes)?;
        if let Some(sector) = &mut self.sector_0 {
            overlay(&mut sector[..], self.superblock.base, offset, bytes);
        }
        self.device_len = self.device_len.max(offset + bytes.len() as u64);
        Ok(())
    }

    /// The symbol table of the root group is about to go: a superblock that says where it is stops saying so in an
    /// earlier step of the next commit, since readers believe it before they look at the group.
    pub(crate) fn forget_root_symbol_table(&mut self) {
        let old = self.superblock.old.as_ref();
        self.root_cache_stale = old.is_some_and(|old| old.root_cache != 0);
    }

    /// Makes every later call fail: a change was made in part.
    pub(crate) fn poison(&mut self) {
        self.device.poison();
    }

    pub(crate) fn poisoned(&self) -> bool {
        self.device.failed()
    }

    pub(crate) fn into_storage(self) -> Box<dyn Storage> {
        self.device.into_inner()
    }
}

/// II.A: the signature is searched at 0, 512, 1024, 2048, ...
fn find_superblock(device: &Latch, device_len: u64) -> Result<(u64, Superblock)> {
    let mut at = 0;
    while at + SIGNATURE.len() as u64 <= device_len {
        let mut bytes = [0; MAX_SIZE];
        let available = (device_len - at).min(MAX_SIZE as u64) as usize;
        device.read_at(at, &mut bytes[..available])?;
        if bytes.starts_with(&SIGNATURE) {
            let superblock = Superblock::decode(&bytes[..available], at)?;
            return Ok((at, superblock.found_at(at)?));
        }
        at = if at == 0 { SECTOR as u64 } else { at * 2 };
    }
    Err(Error::new(ErrorKind::NotHdf5))
}
