//! The indirect blocks of a fractal heap in memory: loaded as they are needed, rewritten copy-on-write.

use crate::bytes::{Addr, Extent, Widths};
use crate::error::{Error, Result};
use crate::format::fractal_heap::{Header, IndirectBlock};
use crate::store::Store;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "fractal heap indirect block";

/// Indirect blocks are not followed deeper than this; a heap of 2^40 bytes needs 6 levels.
const MAX_DEPTH: u32 = 16;

/// A direct block: where it stands in the file and in the heap's address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) addr: Addr,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Block {
    pub(super) fn extent(&self) -> Extent {
        Extent::new(self.addr, self.size)
    }
}

/// What every step through the tree needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heap<'a> {
    pub(super) header: &'a Header,
    pub(super) at: Addr,
    pub(super) widths: Widths,
}

/// Where the search for a place for a new direct block got to.
pub(super) enum Placement {
    Placed(Block),
    /// Nothing fits before this offset of the heap.
    Advance(u64),
    /// The node ends before the iterator.
    Beyond,
}

/// An indirect block.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: u64,
    pub(super) rows: u32,
    depth: u32,
    /// Where it stands in the file; `None` until it has been staged.
    pub(super) extent: Option<Extent>,
    /// The addresses of the children; a child that has not been staged yet is among the loaded ones only.
    pub(super) children: Vec<Option<Addr>>,
    pub(super) filtered: Vec<(u64, u32)>,
    pub(super) loaded: BTreeMap<usize, Node>,
    dirty: bool,
}

impl Node {
    pub(super) fn new(offset: u64, rows: u32, depth: u32, width: u16) -> Self {
        Self {
            offset,
            rows,
            depth,
            extent: None,
            children: vec![None; rows as usize * usize::from(width)],
            filtered: Vec::new(),
            loaded: BTreeMap::new(),
            dirty: true,
        }
    }

    pub(super) fn load(
        store: &Store,
        heap: Heap<'_>,
        addr: Addr,
        offset: u64,
        rows: u32,
        depth: u32,
    ) -> Result<Self> {
        let corrupt = |reason| Err(Error::corrupt(NAME, reason).at(addr.get()));
        if depth > MAX_DEPTH {
            return corrupt("nested too deeply");
        }
        if rows == 0 {
            return corrupt("has no rows");
        }
        let extent = Extent::new(addr, heap.header.indirect_size(rows, heap.widths));
        let bytes = store.read(extent, NAME)?;
        let place = (offset, rows);
        let block = IndirectBlock::decode(&bytes, heap.header, heap.at, place, heap.widths, addr)?;
        Ok(Self {
            offset,
            rows,
            depth,
            extent: Some(extent),
            children: block.children,
            filtered: block.filtered,
            loaded: BTreeMap::new(),
            dirty: false,
        })
    }

    fn is_occupied(&self, entry: usize) -> bool {
        self.children[entry].is_some() || self.loaded.contains_key(&entry)
    }

    /// The indirect block in `entry`, or `None` where there is none.
    pub(super) fn child(
        &mut self,
        store: &Store,
        heap: Heap<'_>,
        entry: usize,
    ) -> Result<Option<&mut Node>> {
        if !self.loaded.contains_key(&entry) {
            let Some(addr) = self.children[entry] else {
                return Ok(None);
            };
            let (row, offset) = self.entry_place(heap, entry);
            let rows = heap.header.table.child_rows(row);
            let child = Self::load(store, heap, addr, offset, rows, self.depth + 1)?;
            self.loaded.insert(entry, child);
        }
        Ok(self.loaded.get_mut(&entry))
    }

    /// The row of an entry, and its offset in the heap.
    pub(super) fn entry_place(&self, heap: Heap<'_>, entry: usize) -> (u32, u64) {
        let table = &heap.header.table;
        let width = usize::from(table.width);
        let (row, column) = ((entry / width) as u32, (entry % width) as u64);
        let offset = self.offset + table.row_offset(row) + column * table.block_size(row);
        (row, offset)
    }

    /// The direct block that covers `offset` of the heap.
    pub(super) fn find(&mut self, store: &Store, heap: Heap<'_>, offset: u64) -> Result<Block> {
        let table = &heap.header.table;
        let missing = || Error::corrupt("fractal heap ID", "names space the heap does not have");
        let (row, column) = table.locate(offset - self.offset);
        if row >= self.rows {
            return Err(missing());
        }
        let entry = row as usize * usize::from(table.width) + column as usize;
        if row < table.max_direct_rows() {
            return Ok(Block {
                addr: self.children[entry].ok_or_else(missing)?,
                offset: self.entry_place(heap, entry).1,
                size: table.block_size(row),
            });
        }
        match self.child(store, heap, entry)? {
            Some(child) => child.find(store, heap, offset),
            None => Err(missing()),
        }
    }

    /// Tries to make a direct block of at least `min_size` bytes at `offset` of the heap.
    pub(super) fn place(
        &mut self,
        store: &mut Store,
        heap: Heap<'_>,
        offset: u64,
        min_size: u64,
    ) -> Result<Placement> {
        let table = &heap.header.table;
        let (row, column) = table.locate(offset - self.offset);
        if row >= self.rows {
            return Ok(Placement::Beyond);
        }
        let entry = row as usize * usize::from(table.width) + column as usize;
        let size = table.block_size(row);
        let (_, start) = self.entry_place(heap, entry);
        if row < table.max_direct_rows() {
            if size < min_size {
                return Ok(Placement::Advance(self.offset + table.row_offset(row + 1)));
            }
            if self.is_occupied(entry) {
                return Ok(Placement::Advance(start + size));
            }
            let addr = store.alloc(size)?.addr;
            self.children[entry] = Some(addr);
            self.dirty = true;
            return Ok(Placement::Placed(Block {
                addr,
                offset: start,
                size,
            }));
        }
        if !self.is_occupied(entry) {
            let rows = table.child_rows(row);
            let largest = table
                .block_size(rows.saturating_sub(1))
                .min(table.max_direct_block_size);
            if rows == 0 || largest < min_size || self.depth >= MAX_DEPTH {
                return Ok(Placement::Advance(start + size));
            }
            let child = Self::new(start, rows, self.depth + 1, table.width);
            self.loaded.insert(entry, child);
        }
        let Some(child) = self.child(store, heap, entry)? else {
            return Ok(Placement::Advance(start + size));
        };
        let placement = child.place(store, heap, offset, min_size)?;
        if matches!(placement, Placement::Placed(_)) {
            self.dirty = true;
        }
        Ok(placement)
    }

    /// Extends the root by empty rows.
    pub(super) fn grow(&mut self, rows: u32, width: u16) {
        self.rows = rows;
        self.children
            .resize(rows as usize * usize::from(width), None);
        self.dirty = true;
    }

    pub(super) fn adopt_direct_root(&mut self, addr: Addr) {
        self.children[0] = Some(addr);
    }

    /// Stages what has changed, children first, and returns where the block now stands.
    pub(super) fn stage(&mut self, store: &mut Store, heap: Heap<'_>) -> Result<Addr> {
        if let (false, Some(extent)) = (self.dirty, self.extent) {
            return Ok(extent.addr);
        }
        for (&entry, child) in &mut self.loaded {
            if child.dirty {
                self.children[entry] = Some(child.stage(store, heap)?);
            }
        }
        let size = heap.header.indirect_size(self.rows, heap.widths);
        let extent = match self.extent {
            Some(extent) if extent.len == size && store.is_fresh(extent) => extent,
            old => {
                if let Some(old) = old {
                    store.free(old);
                }
                store.alloc(size)?
            }
        };
        let block = IndirectBlock {
            offset: self.offset,
            children: self.children.clone(),
            filtered: self.filtered.clone(),
        };
        store.stage(extent.addr, block.encode(heap.header, heap.at, heap.widths))?;
        self.extent = Some(extent);
        self.dirty = false;
        Ok(extent.addr)
    }
}
