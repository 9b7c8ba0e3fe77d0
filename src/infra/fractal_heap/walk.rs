//! What visits a whole heap: its extents, for the mark pass and to give it back.

use super::tree::{Block, Heap, Node};
use super::{FractalHeap, NAME};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::fractal_heap::HeapId;
use crate::format::free_space;
use crate::store::Store;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

impl FractalHeap {
    /// Visits every extent of the heap, as far as it has a place: header, blocks, huge objects and their tree, and the
    /// free-space manager of a heap of others. No extent is visited twice.
    pub(crate) fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut visit = |extent: Extent| {
            store.check_bounds(extent, NAME)?;
            if extent.len > 0 && !seen.insert(extent.addr) {
                return Err(Error::corrupt(NAME, "a block is named twice").at(extent.addr.get()));
            }
            visit(extent);
            Ok(())
        };
        visit(Extent::new(self.at, self.header.size(self.widths)))?;
        self.load_root(store)?;
        let heap = Heap {
            header: &self.header,
            at: self.at,
            widths: self.widths,
        };
        match (&mut self.root, self.header.root) {
            (Some(root), _) => node_blocks(root, store, heap, &mut visit)?,
            (None, Some(addr)) => {
                let size = match &self.header.filters {
                    Some(filters) => filters.root_size,
                    None => self.header.table.starting_block_size,
                };
                visit(Extent::new(addr, size))?;
            }
            (None, None) => {}
        }
        self.free_space_blocks(store)?
            .into_iter()
            .try_for_each(&mut visit)?;
        self.huge_blocks(store, &mut visit)
    }

    /// Looks at every direct block, and holds the objects of `ids`, all there are, against the header; `exact` says
    /// that its counts are of just these objects.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        ids: &[Vec<u8>],
        exact: bool,
        found: &mut Vec<Error>,
    ) -> Result<()> {
        if self.header.filters.is_some() {
            return Err(Error::unsupported("a fractal heap with filters").at(self.at.get()));
        }
        let wrong = |at: Addr, reason| Error::corrupt(NAME, reason).at(at.get());
        let mut allocated = 0_u64;
        for block in self.direct_blocks(store)? {
            allocated = allocated.saturating_add(block.size);
            if let Err(error) = self.read_block(store, block) {
                found.push(error);
            }
        }
        // Where libhdf5 gives up the root indirect block for the one direct block that is left, it forgets to count that
        // block, until the heap is empty (spec-notes/heaps.md).
        let counted = self.header.managed_allocated;
        let uncounted = counted.saturating_add(self.header.table.starting_block_size);
        if allocated != counted && allocated != uncounted {
            found.push(wrong(self.at, "its direct blocks are not those it counts"));
        }
        let (mut managed, mut huge, mut tiny) = (Vec::new(), 0, 0);
        for id in ids {
            match HeapId::decode(id, &self.header, self.widths)? {
                HeapId::Managed { offset, length } => managed.push((offset, length)),
                HeapId::Tiny(_) => tiny += 1,
                HeapId::HugeIndirect { .. } | HeapId::HugeDirect { .. } => huge += 1,
            }
        }
        managed.sort_unstable();
        if managed
            .windows(2)
            .any(|pair| pair[0].0.saturating_add(pair[0].1) > pair[1].0)
        {
            found.push(wrong(self.at, "two objects overlap"));
        }
        let header = &self.header;
        let counts = (managed.len() as u64, huge, tiny);
        // A huge object that was removed may stay counted until the next commit.
        let kept = header.huge_count.max(huge);
        if exact && counts != (header.managed_count, huge, header.tiny_count)
            || kept != header.huge_count
        {
            found.push(wrong(self.at, "its objects are not those it counts"));
        }
        Ok(())
    }

    fn direct_blocks(&mut self, store: &Store) -> Result<Vec<Block>> {
        self.load_root(store)?;
        let heap = Heap {
            header: &self.header,
            at: self.at,
            widths: self.widths,
        };
        let mut blocks = Vec::new();
        match (&mut self.root, self.header.root) {
            (Some(root), _) => direct_blocks_below(root, store, heap, &mut blocks)?,
            (None, Some(addr)) => blocks.push(Block {
                addr,
                offset: 0,
                size: self.header.table.starting_block_size,
            }),
            (None, None) => {}
        }
        Ok(blocks)
    }

    fn free_space_blocks(&self, store: &Store) -> Result<Vec<Extent>> {
        let Some(addr) = self.header.free_space_manager else {
            return Ok(Vec::new());
        };
        let extent = Extent::new(addr, free_space::header_size(self.widths));
        let bytes = store.read(extent, "free-space manager header")?;
        let list = free_space::section_list(&bytes, self.widths, addr.get())?;
        Ok([extent].into_iter().chain(list).collect())
    }

    /// A manager another library left would not know of our edits: it is dropped. What it tracked stays counted as
    /// free.
    pub(super) fn forget_free_space_manager(&mut self, store: &mut Store) -> Result<()> {
        for extent in self.free_space_blocks(store)? {
            store.free(extent);
        }
        self.header.free_space_manager = None;
        Ok(())
    }

    /// Gives back everything the heap occupies, with its header, and leaves it without objects.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        let mut extents = Vec::new();
        self.blocks(store, &mut |extent| extents.push(extent))?;
        for extent in extents {
            store.free(extent);
        }
        let order = self.order;
        let mut header = self.header.clone();
        header.root = None::<Addr>;
        header.root_rows = 0;
        header.huge_tree = None;
        header.free_space_manager = None;
        for statistic in [
            &mut header.managed_free,
            &mut header.managed_size,
            &mut header.managed_allocated,
            &mut header.iterator_offset,
            &mut header.managed_count,
            &mut header.huge_size,
            &mut header.huge_count,
            &mut header.tiny_size,
            &mut header.tiny_count,
        ] {
            *statistic = 0;
        }
        *self = Self::with_header(header, self.widths, self.at);
        self.order = order;
        Ok(())
    }
}

fn node_blocks(
    node: &mut Node,
    store: &Store,
    heap: Heap<'_>,
    visit: &mut dyn FnMut(Extent) -> Result<()>,
) -> Result<()> {
    if let Some(extent) = node.extent {
        visit(extent)?;
    }
    for entry in 0..node.children.len() {
        let (row, _) = node.entry_place(heap, entry);
        if row < heap.header.table.max_direct_rows() {
            if let Some(addr) = node.children[entry] {
                let size = match node.filtered.get(entry) {
                    Some((size, _)) => *size,
                    None => heap.header.table.block_size(row),
                };
                visit(Extent::new(addr, size))?;
            }
        } else if let Some(child) = node.child(store, heap, entry)? {
            node_blocks(child, store, heap, visit)?;
        }
    }
    Ok(())
}

fn direct_blocks_below(
    node: &mut Node,
    store: &Store,
    heap: Heap<'_>,
    blocks: &mut Vec<Block>,
) -> Result<()> {
    for entry in 0..node.children.len() {
        let (row, offset) = node.entry_place(heap, entry);
        if row < heap.header.table.max_direct_rows() {
            if let Some(addr) = node.children[entry] {
                let size = heap.header.table.block_size(row);
                blocks.push(Block { addr, offset, size });
            }
        } else if let Some(child) = node.child(store, heap, entry)? {
            direct_blocks_below(child, store, heap, blocks)?;
        }
    }
    Ok(())
}
