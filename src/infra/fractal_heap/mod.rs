//! III.G. The fractal heap: the links of a dense group, the dense attributes of an object.
//!
//! The header keeps its address for ever, since every block names it; it is rewritten in place at the commit. Below it:
//!
//! * **F1** A direct block of ours has no checksum and is filled in place, only where no committed heap ID names a byte.
//! * **F2** Indirect blocks are copy-on-write.
//! * **F3** A new header is also right for the objects of the last commit: no block they stand in is given back, and
//!   the space of a removed object is not reused before the next commit.
//! * **F4** The statistics of the header are exact. The space a removal leaves is counted as free, but tracked in
//!   memory only: there is no free-space manager.
//!
//! So the heap of the last commit stays whole until its header is rewritten, and after.

mod huge;
mod tail;
mod tree;
mod walk;

use crate::bytes::{Addr, Extent, ShortBytes, Widths};
use crate::error::{Error, Result};
use crate::format::fractal_heap::heap_id::{huge_ids_are_direct, max_tiny_length};
use crate::format::fractal_heap::{
    DoublingTable, Header, HeapId, check_direct, encode_direct_prefix,
};
use crate::store::{FlipOrder, Store};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use huge::HugeObjects;
use tail::Tail;
use tree::{Block, Heap, Node, Placement};

const NAME: &str = "fractal heap";
const DIRECT: &str = "fractal heap direct block";

/// How many direct blocks with room at their end are kept.
const MAX_TAILS: usize = 8;

/// How many bytes of direct blocks are kept for reading.
const CACHED_BYTES: u64 = 8 << 20;

/// The choices of a heap's creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) id_length: u16,
    pub(crate) table: DoublingTable,
    pub(crate) starting_root_rows: u16,
    pub(crate) max_managed_size: u32,
}

impl Parameters {
    /// As libhdf5 makes the heap of a dense group.
    pub(crate) const LINKS: Self = Self {
        id_length: 7,
        table: DoublingTable {
            width: 4,
            starting_block_size: 512,
            max_direct_block_size: 64 * 1024,
            max_heap_size: 32,
        },
        starting_root_rows: 1,
        max_managed_size: 4096,
    };

    /// As libhdf5 makes the heap of dense attributes.
    pub(crate) const ATTRIBUTES: Self = Self {
        id_length: 8,
        table: DoublingTable {
            width: 4,
            starting_block_size: 1024,
            max_direct_block_size: 64 * 1024,
            max_heap_size: 40,
        },
        starting_root_rows: 1,
        max_managed_size: 4096,
    };
}

/// A fractal heap.
#[derive(Debug)]
pub(crate) struct FractalHeap {
    at: Addr,
    order: FlipOrder,
    widths: Widths,
    header: Header,
    dirty: bool,
    /// The root indirect block, once loaded or made.
    root: Option<Node>,
    tails: Vec<Tail>,
    /// Whether the last block of an earlier session has been looked at for room.
    resumed: bool,
    /// Direct blocks as they were read, by their offset.
    cache: BTreeMap<u64, Vec<u8>>,
    cached_bytes: u64,
    /// Direct blocks whose prefix (and checksum) has been checked, by their offset.
    checked: BTreeSet<u64>,
    /// Space of objects removed since the last commit: length, offset.
    removed: Vec<(u64, u64)>,
    /// Space of objects removed before the last commit, by length, then offset.
    reusable: BTreeSet<(u64, u64)>,
    huge: HugeObjects,
}

impl FractalHeap {
    /// A new heap, whose header is to stand at `header_at` for ever, in bytes given by the caller.
    pub(crate) fn new(
        parameters: Parameters,
        widths: Widths,
        header_at: Addr,
        header_order: FlipOrder,
    ) -> Self {
        let header = Header {
            id_length: parameters.id_length,
            filters: None,
            huge_ids_wrapped: false,
            checksummed: false,
            max_managed_size: parameters.max_managed_size,
            next_huge_id: 0,
            huge_tree: None,
            managed_free: 0,
            free_space_manager: None,
            managed_size: 0,
            managed_allocated: 0,
            iterator_offset: 0,
            managed_count: 0,
            huge_size: 0,
            huge_count: 0,
            tiny_size: 0,
            tiny_count: 0,
            table: parameters.table,
            starting_root_rows: parameters.starting_root_rows,
            root: None,
            root_rows: 0,
        };
        Self {
            dirty: true,
            resumed: true,
            order: header_order,
            ..Self::with_header(header, widths, header_at)
        }
    }

    /// Opens the heap whose header stands at `header_at`. Before an edit,
    /// [`set_header_order`](Self::set_header_order) says how the header is rewritten.
    pub(crate) fn open(store: &Store, header_at: Addr) -> Result<Self> {
        let widths = store.widths();
        let prefix = store.read(Extent::new(header_at, 9), "fractal heap header")?;
        let size = Header::size_from_prefix(&prefix, widths, header_at.get())?;
        let bytes = store.read(Extent::new(header_at, size), "fractal heap header")?;
        let header = Header::decode(&bytes, widths, header_at.get())?;
        Ok(Self::with_header(header, widths, header_at))
    }

    fn with_header(header: Header, widths: Widths, at: Addr) -> Self {
        Self {
            at,
            order: FlipOrder::Early,
            widths,
            header,
            dirty: false,
            root: None,
            tails: Vec::new(),
            resumed: false,
            cache: BTreeMap::new(),
            cached_bytes: 0,
            checked: BTreeSet::new(),
            removed: Vec::new(),
            reusable: BTreeSet::new(),
            huge: HugeObjects::default(),
        }
    }

    pub(crate) fn set_header_order(&mut self, order: FlipOrder) {
        self.order = order;
    }

    /// The bytes of a heap ID.
    #[cfg(test)]
    pub(crate) fn id_length(&self) -> usize {
        usize::from(self.header.id_length)
    }

    /// How many objects there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        let counts = [
            self.header.managed_count,
            self.header.huge_count,
            self.header.tiny_count,
        ];
        let counted = counts
            .iter()
            .fold(0u64, |sum, count| sum.saturating_add(*count));
        counted.saturating_sub(self.huge.leaving())
    }

    /// Whether the heap can be edited in place: its direct blocks have no checksum and no filters, as ours have not.
    /// Any other heap is to be rebuilt as a new one at its first edit.
    pub(crate) fn can_edit(&self) -> bool {
        let largest =
            u64::from(self.header.max_managed_size) + self.header.direct_overhead(self.widths);
        self.header.filters.is_none()
            && !self.header.checksummed
            && largest <= self.header.table.max_direct_block_size
            && self.header.direct_overhead(self.widths) < self.header.table.starting_block_size
            && !huge_ids_are_direct(&self.header, self.widths)
    }

    fn heap(&self) -> Heap<'_> {
        Heap {
            header: &self.header,
            at: self.at,
            widths: self.widths,
        }
    }

    fn check_editable(&self) -> Result<()> {
        if self.can_edit() {
            return Ok(());
        }
        Err(
            Error::unsupported("editing a fractal heap with checksummed or filtered blocks")
                .at(self.at.get()),
        )
    }

    /// Stores an object and returns its heap ID.
    pub(crate) fn insert(&mut self, store: &mut Store, object: &[u8]) -> Result<ShortBytes> {
        self.check_editable()?;
        if object.is_empty() {
            return Err(Error::invalid("a fractal heap has no empty objects"));
        }
        self.forget_free_space_manager(store)?;
        let length = object.len() as u64;
        let id = if length > u64::from(self.header.max_managed_size) {
            self.insert_huge(store, object)?
        } else if object.len() <= max_tiny_length(&self.header) {
            self.header.tiny_count = self.header.tiny_count.saturating_add(1);
            self.header.tiny_size = self.header.tiny_size.saturating_add(length);
            HeapId::Tiny(object.to_vec())
        } else {
            let offset = self.insert_managed(store, object)?;
            self.header.managed_count = self.header.managed_count.saturating_add(1);
            self.header.managed_free = self.header.managed_free.saturating_sub(length);
            HeapId::Managed { offset, length }
        };
        self.dirty = true;
        Ok(id.encode(&self.header, self.widths))
    }

    fn insert_managed(&mut self, store: &mut Store, object: &[u8]) -> Result<u64> {
        if let Some(offset) = self.reuse(store, object)? {
            return Ok(offset);
        }
        self.resume_last_block(store)?;
        let fitting = self
            .tails
            .iter_mut()
            .filter(|tail| tail.room() >= object.len());
        if let Some(tail) = fitting.min_by_key(|tail| tail.room()) {
            return Ok(tail.push(object));
        }
        let overhead = self.header.direct_overhead(self.widths);
        let needed = (overhead + object.len() as u64).next_power_of_two();
        let block = self.new_block(store, needed.max(self.header.table.starting_block_size))?;
        let prefix = encode_direct_prefix(&self.header, self.at, block.offset, self.widths);
        let mut tail = Tail::new(block, prefix);
        let offset = tail.push(object);
        self.header.managed_allocated = self.header.managed_allocated.saturating_add(block.size);
        self.keep(store, tail)?;
        Ok(offset)
    }

    /// Puts an object where one was that the last commit no longer names.
    fn reuse(&mut self, store: &mut Store, object: &[u8]) -> Result<Option<u64>> {
        let needed = object.len() as u64;
        let Some(&(length, offset)) = self.reusable.range((needed, 0)..).next() else {
            return Ok(None);
        };
        let block = self.find_block(store, offset)?;
        let start = offset - block.offset;
        store.fill_in(block.addr.plus(start), object)?;
        let place = start as usize..start as usize + object.len();
        if let Some(tail) = self.tails.iter_mut().find(|tail| tail.block == block) {
            tail.bytes[place].copy_from_slice(object);
        } else if let Some(bytes) = self.cache.get_mut(&block.offset) {
            bytes[place].copy_from_slice(object);
        }
        self.reusable.remove(&(length, offset));
        if length > needed {
            self.reusable.insert((length - needed, offset + needed));
        }
        Ok(Some(offset))
    }

    /// Finds room at the end of the block an earlier session made last.
    fn resume_last_block(&mut self, store: &Store) -> Result<()> {
        if core::mem::replace(&mut self.resumed, true) {
            return Ok(());
        }
        let last = match (self.header.root, self.header.root_rows) {
            (None, _) => return Ok(()),
            (Some(_), 0) => 0,
            _ => match self.header.iterator_offset.checked_sub(1) {
                Some(last) => last,
                None => return Ok(()),
            },
        };
        // Skipped space before the iterator is no error: there is no last block to resume.
        let Ok(block) = self.find_block(store, last) else {
            return Ok(());
        };
        let bytes = self.read_block(store, block)?;
        if let Some(tail) = Tail::resume(block, bytes, self.heap()) {
            self.forget_cached(block.offset);
            self.tails.push(tail);
        }
        Ok(())
    }

    fn keep(&mut self, store: &mut Store, tail: Tail) -> Result<()> {
        self.tails.push(tail);
        while self.tails.len() > MAX_TAILS || self.tails.iter().any(|tail| !tail.is_worth_keeping())
        {
            let fullest = (0..self.tails.len()).min_by_key(|&place| self.tails[place].room());
            let Some(place) = fullest else { break };
            let mut full = self.tails.swap_remove(place);
            full.flush(store, self.heap())?;
        }
        Ok(())
    }

    /// Makes a direct block of at least `min_size` bytes (a power of two).
    fn new_block(&mut self, store: &mut Store, min_size: u64) -> Result<Block> {
        let table = self.header.table;
        let starting = table.starting_block_size;
        let overhead = self.header.direct_overhead(self.widths);
        if self.header.root_rows == 0 {
            if self.header.root.is_none() && min_size == starting {
                let addr = store.alloc(starting)?.addr;
                self.header.root = Some(addr);
                self.header.managed_size = starting;
                self.header.managed_free =
                    self.header.managed_free.saturating_add(starting - overhead);
                return Ok(Block {
                    addr,
                    offset: 0,
                    size: starting,
                });
            }
            self.make_root(min_size);
        }
        self.load_root(store)?;
        loop {
            let heap = Heap {
                header: &self.header,
                at: self.at,
                widths: self.widths,
            };
            let Some(root) = &mut self.root else {
                return Err(Error::corrupt(NAME, "the root indirect block is missing"));
            };
            match root.place(store, heap, self.header.iterator_offset, min_size)? {
                Placement::Placed(block) => {
                    self.header.iterator_offset = block.offset + block.size;
                    return Ok(block);
                }
                Placement::Advance(offset) => self.header.iterator_offset = offset,
                Placement::Beyond => self.grow_root(min_size)?,
            }
        }
    }

    /// Puts an indirect block above what was a direct root block, or nothing.
    fn make_root(&mut self, min_size: u64) {
        let table = self.header.table;
        let overhead = self.header.direct_overhead(self.widths);
        let wanted = match self.header.starting_root_rows {
            0 => table.max_root_rows(),
            rows => u32::from(rows),
        };
        let rows = wanted
            .max(table.row_of_size(min_size) + 1)
            .min(table.max_root_rows());
        let mut root = Node::new(0, rows, 1, table.width);
        let mut capacity = table.capacity(rows, overhead);
        self.header.iterator_offset = 0;
        if let Some(direct) = self.header.root.take() {
            root.adopt_direct_root(direct);
            self.header.iterator_offset = table.starting_block_size;
            capacity -= table.starting_block_size - overhead;
        }
        self.root = Some(root);
        self.header.root_rows = rows as u16;
        self.header.managed_size = table.row_offset(rows);
        self.header.managed_free = self.header.managed_free.saturating_add(capacity);
    }

    fn grow_root(&mut self, min_size: u64) -> Result<()> {
        let table = self.header.table;
        let overhead = self.header.direct_overhead(self.widths);
        let old = u32::from(self.header.root_rows);
        let wanted = (2 * old).max(table.row_of_size(min_size) + 1);
        let rows = wanted.min(table.max_root_rows());
        if rows <= old {
            let max = table.row_offset(old);
            return Err(Error::limit("the size of a fractal heap", max, max));
        }
        if let Some(root) = &mut self.root {
            root.grow(rows, table.width);
        }
        self.header.root_rows = rows as u16;
        self.header.managed_size = table.row_offset(rows);
        let added = table.capacity(rows, overhead) - table.capacity(old, overhead);
        self.header.managed_free = self.header.managed_free.saturating_add(added);
        Ok(())
    }

    fn load_root(&mut self, store: &Store) -> Result<()> {
        if self.root.is_none()
            && self.header.root_rows > 0
            && let Some(addr) = self.header.root
        {
            let rows = u32::from(self.header.root_rows);
            self.root = Some(Node::load(store, self.heap(), addr, 0, rows, 1)?);
        }
        Ok(())
    }

    /// The direct block that covers `offset` of the heap.
    fn find_block(&mut self, store: &Store, offset: u64) -> Result<Block> {
        let missing = || Error::corrupt("fractal heap ID", "names space the heap does not have");
        let starting = self.header.table.starting_block_size;
        if self.header.root_rows == 0 {
            let addr = self.header.root.filter(|_| offset < starting);
            return Ok(Block {
                addr: addr.ok_or_else(missing)?,
                offset: 0,
                size: starting,
            });
        }
        self.load_root(store)?;
        let heap = Heap {
            header: &self.header,
            at: self.at,
            widths: self.widths,
        };
        let root = self.root.as_mut().ok_or_else(missing)?;
        root.find(store, heap, offset)
    }

    /// The block a managed object stands in, and its place there.
    fn find_managed(&mut self, store: &Store, offset: u64, length: u64) -> Result<(Block, u64)> {
        let wrong = |reason| Err(Error::corrupt("fractal heap ID", reason));
        if offset >= self.header.managed_size {
            return wrong("names space the heap does not have");
        }
        if length == 0 || length > u64::from(self.header.max_managed_size) {
            return wrong("the length of an object is out of range");
        }
        let block = self.find_block(store, offset)?;
        let start = offset - block.offset;
        if start < self.header.direct_overhead(self.widths) || start + length > block.size {
            return wrong("an object reaches out of its block");
        }
        Ok((block, start))
    }

    /// The object of a heap ID.
    pub(crate) fn read(&mut self, store: &Store, id: &[u8]) -> Result<Vec<u8>> {
        let id = HeapId::decode(id, &self.header, self.widths)?;
        match id {
            HeapId::Tiny(object) => Ok(object),
            _ if self.header.filters.is_some() => {
                Err(Error::unsupported("a fractal heap with filters").at(self.at.get()))
            }
            HeapId::Managed { offset, length } => self.read_managed(store, offset, length),
            HeapId::HugeDirect { addr, length } => {
                store.read(Extent::new(addr, length), "huge object of a fractal heap")
            }
            HeapId::HugeIndirect { id } => self.read_huge(store, id),
        }
    }

    fn read_managed(&mut self, store: &Store, offset: u64, length: u64) -> Result<Vec<u8>> {
        let (block, start) = self.find_managed(store, offset, length)?;
        let place = start as usize..(start + length) as usize;
        if let Some(tail) = self.tails.iter().find(|tail| tail.block == block) {
            return Ok(tail.bytes[place].to_vec());
        }
        if let Some(bytes) = self.cache.get(&block.offset) {
            return Ok(bytes[place].to_vec());
        }
        if self.checked.contains(&block.offset) {
            return store.read(Extent::new(block.addr.plus(start), length), DIRECT);
        }
        let bytes = self.read_block(store, block)?;
        let object = bytes[place].to_vec();
        self.checked.insert(block.offset);
        if self.cached_bytes + block.size <= CACHED_BYTES {
            self.cached_bytes += block.size;
            self.cache.insert(block.offset, bytes);
        }
        Ok(object)
    }

    fn read_block(&self, store: &Store, block: Block) -> Result<Vec<u8>> {
        let bytes = store.read(block.extent(), DIRECT)?;
        check_direct(
            &bytes,
            &self.header,
            self.at,
            block.offset,
            self.widths,
            block.addr,
        )?;
        Ok(bytes)
    }

    fn forget_cached(&mut self, offset: u64) {
        if let Some(bytes) = self.cache.remove(&offset) {
            self.cached_bytes -= bytes.len() as u64;
        }
    }

    /// Removes an object. Its space is reused after the next commit, in this session; when the last object is removed
    /// the caller gives the heap back by [`free_all`](Self::free_all).
    pub(crate) fn remove(&mut self, store: &mut Store, id: &[u8]) -> Result<()> {
        self.check_editable()?;
        match HeapId::decode(id, &self.header, self.widths)? {
            HeapId::Tiny(object) => {
                self.header.tiny_count = self.header.tiny_count.saturating_sub(1);
                let length = object.len() as u64;
                self.header.tiny_size = self.header.tiny_size.saturating_sub(length);
            }
            HeapId::Managed { offset, length } => {
                self.find_managed(store, offset, length)?;
                self.header.managed_count = self.header.managed_count.saturating_sub(1);
                self.header.managed_free = self.header.managed_free.saturating_add(length);
                self.removed.push((length, offset));
            }
            HeapId::HugeIndirect { id } => self.remove_huge(store, id)?,
            HeapId::HugeDirect { .. } => self.check_editable()?,
        }
        self.forget_free_space_manager(store)?;
        self.dirty = true;
        Ok(())
    }

    /// Hands everything to the next commit: blocks, then the header.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<()> {
        if !self.dirty {
            return Ok(());
        }
        let heap = Heap {
            header: &self.header,
            at: self.at,
            widths: self.widths,
        };
        for tail in &mut self.tails {
            tail.flush(store, heap)?;
        }
        if let Some(root) = &mut self.root {
            let addr = root.stage(store, heap)?;
            self.header.root = Some(addr);
        }
        self.stage_huge(store)?;
        let header = &self.header;
        for size in [header.managed_size, header.huge_size, header.tiny_size] {
            self.widths.check_len("the size of a fractal heap", size)?;
        }
        let bytes = self.header.encode(self.widths);
        if store.is_fresh(Extent::new(self.at, bytes.len() as u64)) {
            store.stage(self.at, bytes)?;
        } else {
            store.flip(self.at, bytes, self.order)?;
        }
        self.dirty = false;
        Ok(())
    }

    /// The commit that carried what was staged has returned: the space of objects removed before it may be reused.
    pub(crate) fn committed(&mut self) {
        self.reusable.extend(self.removed.drain(..));
        self.committed_huge();
    }
}

#[cfg(test)]
mod tests;
