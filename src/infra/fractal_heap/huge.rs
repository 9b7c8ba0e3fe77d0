//! Huge objects: an extent each, found through a version 2 B-tree (III.A.2, record type 1).
//!
//! ```text
//! record:  0  O  address of the object
//!          +  L  length of the object
//!          +  L  ID, the key
//! ```

use super::FractalHeap;
use crate::bytes::{Addr, Extent, Put, Take, Widths};
use crate::error::{Error, Result};
use crate::format::fractal_heap::heap_id::huge_id_bytes;
use crate::format::fractal_heap::{HeapId, largest};
use crate::infra::btree_v2::{BTree, Shape};
use crate::store::{FlipOrder, Store};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Ordering;

const NAME: &str = "huge object of a fractal heap";
const TREE: &str = "B-tree of huge objects";

/// Not filtered, found by ID.
const INDIRECT_KIND: u8 = 1;

/// The largest huge object; the layers above set their own, smaller limits.
const MAX_SIZE: u64 = u32::MAX as u64;

#[derive(Debug, Default)]
pub(super) struct HugeObjects {
    tree: Option<BTree>,
    changed: bool,
    /// Removed since the last commit, but named by a state that the next header must also be right for.
    removed: BTreeSet<u64>,
    /// Removed before the last commit and still in the tree.
    doomed: BTreeSet<u64>,
}

impl HugeObjects {
    /// The objects still counted in the header that are gone.
    #[cfg(test)]
    pub(super) fn leaving(&self) -> u64 {
        (self.removed.len() + self.doomed.len()) as u64
    }
}

/// A decoded record.
struct Record {
    extent: Extent,
    id: u64,
}

impl Record {
    fn size(widths: Widths) -> u16 {
        u16::from(widths.offset) + 2 * u16::from(widths.length)
    }

    fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::with_capacity(usize::from(Self::size(widths)));
        out.put_addr(Some(self.extent.addr), widths);
        out.put_len(self.extent.len, widths);
        out.put_len(self.id, widths);
        out
    }

    fn decode(bytes: &[u8], widths: Widths) -> Result<Self> {
        let mut take = Take::new(bytes, TREE, 0);
        Ok(Self {
            extent: Extent::new(take.defined_addr(widths)?, take.len(widths)?),
            id: take.len(widths)?,
        })
    }
}

/// Compares `id` to the record of another.
fn probe_for(id: u64) -> impl FnMut(&Store, &[u8]) -> Result<Ordering> {
    move |store, record| Ok(id.cmp(&Record::decode(record, store.widths())?.id))
}

impl FractalHeap {
    /// The tree, opened or new.
    fn huge_tree(&mut self, store: &Store) -> Result<&mut BTree> {
        let record_size = Record::size(self.widths);
        let tree = match (self.huge.tree.take(), self.header.huge_tree) {
            (Some(tree), _) => tree,
            (None, Some(addr)) => BTree::open(store, addr)?,
            (None, None) => BTree::new(Shape {
                kind: INDIRECT_KIND,
                node_size: 512,
                record_size,
                split_percent: 100,
                merge_percent: 40,
            }),
        };
        let shape = tree.shape();
        let tree = self.huge.tree.insert(tree);
        if shape.kind != INDIRECT_KIND || shape.record_size != record_size {
            return Err(Error::corrupt(TREE, "holds records of another type").at(self.at.get()));
        }
        Ok(tree)
    }

    pub(super) fn insert_huge(&mut self, store: &mut Store, object: &[u8]) -> Result<HeapId> {
        let length = object.len() as u64;
        if length > MAX_SIZE {
            return Err(Error::limit(
                "the size of a huge object in dense storage",
                length,
                MAX_SIZE,
            ));
        }
        let max = largest(huge_id_bytes(&self.header));
        let id = self.header.next_huge_id.saturating_add(1);
        if id > max || self.header.huge_ids_wrapped {
            return Err(Error::limit(
                "the number of huge objects in dense storage",
                id,
                max,
            ));
        }
        let widths = self.widths;
        self.huge_tree(store)?;
        let extent = store.alloc_raw(length)?;
        store.stage(extent.addr, object.to_vec())?;
        let record = Record { extent, id }.encode(widths);
        self.huge_tree(store)?
            .insert(store, &record, &mut probe_for(id))?;
        self.huge.changed = true;
        self.header.next_huge_id = id;
        self.header.huge_ids_wrapped = id == max;
        self.header.huge_count = self.header.huge_count.saturating_add(1);
        self.header.huge_size = self.header.huge_size.saturating_add(length);
        Ok(HeapId::HugeIndirect { id })
    }

    fn find_huge(&mut self, store: &Store, id: u64) -> Result<Extent> {
        let missing = || Error::corrupt("fractal heap ID", "names a huge object that is not there");
        if self.header.huge_tree.is_none() && self.huge.tree.is_none() {
            return Err(missing());
        }
        let widths = self.widths;
        let record = self.huge_tree(store)?.find(store, &mut probe_for(id))?;
        Ok(Record::decode(&record.ok_or_else(missing)?, widths)?.extent)
    }

    pub(super) fn read_huge(&mut self, store: &Store, id: u64) -> Result<Vec<u8>> {
        let extent = self.find_huge(store, id)?;
        store.read(extent, NAME)
    }

    /// Removes a huge object: at once where header and object change in one write, else after the next commit.
    pub(super) fn remove_huge(&mut self, store: &mut Store, id: u64) -> Result<()> {
        self.find_huge(store, id)?;
        match self.order {
            FlipOrder::WithCells | FlipOrder::With(_) => self.drop_huge(store, id),
            FlipOrder::Early => {
                self.huge.removed.insert(id);
                Ok(())
            }
        }
    }

    fn drop_huge(&mut self, store: &mut Store, id: u64) -> Result<()> {
        let widths = self.widths;
        let removed = self.huge_tree(store)?.remove(store, &mut probe_for(id))?;
        if let Some(record) = removed {
            let extent = Record::decode(&record, widths)?.extent;
            store.free_raw(extent);
            self.huge.changed = true;
            self.header.huge_count = self.header.huge_count.saturating_sub(1);
            self.header.huge_size = self.header.huge_size.saturating_sub(extent.len);
        }
        Ok(())
    }

    pub(super) fn stage_huge(&mut self, store: &mut Store) -> Result<()> {
        for id in core::mem::take(&mut self.huge.doomed) {
            self.drop_huge(store, id)?;
        }
        if !core::mem::replace(&mut self.huge.changed, false) {
            return Ok(());
        }
        let Some(tree) = &mut self.huge.tree else {
            return Ok(());
        };
        self.header.huge_tree = if tree.is_empty() {
            tree.free_all(store)?;
            self.huge.tree = None;
            None
        } else {
            Some(tree.stage(store)?)
        };
        Ok(())
    }

    pub(super) fn committed_huge(&mut self) {
        let removed = core::mem::take(&mut self.huge.removed);
        self.huge.doomed.extend(removed);
    }

    /// Visits the huge objects and the blocks of their tree, whatever its record type: all begin with address and
    /// length.
    pub(super) fn huge_blocks(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(Extent) -> Result<()>,
    ) -> Result<()> {
        let opened;
        let tree = match (&self.huge.tree, self.header.huge_tree) {
            (Some(tree), _) => tree,
            (None, Some(addr)) => {
                opened = BTree::open(store, addr)?;
                &opened
            }
            (None, None) => return Ok(()),
        };
        if !(1..=4).contains(&tree.shape().kind) {
            return Err(Error::corrupt(TREE, "holds records of another type").at(self.at.get()));
        }
        let mut blocks: Vec<Extent> = Vec::new();
        tree.blocks(store, &mut |extent| blocks.push(extent))?;
        let widths = self.widths;
        tree.for_each(store, &mut |record| {
            let mut take = Take::new(record, TREE, 0);
            let addr: Addr = take.defined_addr(widths)?;
            blocks.push(Extent::new(addr, take.len(widths)?));
            Ok(())
        })?;
        blocks.into_iter().try_for_each(visit)
    }
}
