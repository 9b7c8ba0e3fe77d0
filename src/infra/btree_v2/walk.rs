//! What visits a whole tree: its records, its blocks, bulk removal.

use super::node::{Node, Slot};
use super::{BTree, Core, Seek};
use crate::bytes::Extent;
use crate::error::Result;
use crate::format::btree_v2::Header;
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;

/// How many records are taken out at a time when a tree is rebuilt.
const BATCH: usize = 4096;

impl BTree {
    /// Visits the records in order; nodes that were not in memory are not kept.
    pub(crate) fn for_each(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        match &self.root {
            Some(root) => self.core.visit(store, root, self.depth, visit),
            None => Ok(()),
        }
    }

    /// Visits every extent the tree occupies, as far as it is staged. Leaves are not read.
    pub(crate) fn blocks(&self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        if let Some(header) = self.header {
            visit(Extent::new(header, Header::size(store.widths())));
        }
        self.node_blocks(store, visit)
    }

    fn node_blocks(&self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        match &self.root {
            Some(root) => self.core.blocks(store, root, self.depth, visit),
            None => Ok(()),
        }
    }

    /// Gives back everything the tree occupies and leaves it empty.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        let mut extents = Vec::new();
        self.blocks(store, &mut |extent| extents.push(extent))?;
        for extent in extents {
            store.free_metadata(extent);
        }
        *self = Self::new(self.core.shape);
        Ok(())
    }

    /// Removes every record that `keep` refuses and tells `removed` of it. Every node is read before anything changes.
    pub(crate) fn retain(
        &mut self,
        store: &mut Store,
        keep: &mut dyn FnMut(&[u8]) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8]),
    ) -> Result<()> {
        let mut doomed = Ranks::new(self.len());
        let mut rank = 0;
        self.for_each(store, &mut |record| {
            if !keep(record) {
                doomed.add(rank);
            }
            rank += 1;
            Ok(())
        })?;
        if doomed.count > self.len() / 8 {
            return self.rebuild(store, &doomed, removed);
        }
        let mut done = 0;
        for rank in doomed.iter() {
            if let Some(record) = self.remove_at(store, Seek::Rank(rank - done))? {
                removed(store, &record);
                done += 1;
            }
        }
        Ok(())
    }

    /// Writes the records that stay into new nodes, and gives the old ones back.
    fn rebuild(
        &mut self,
        store: &mut Store,
        doomed: &Ranks,
        removed: &mut dyn FnMut(&mut Store, &[u8]),
    ) -> Result<()> {
        let mut tree = Self::new(self.core.shape);
        // A place in the old tree is none in the new one.
        tree.core.tick = self.core.tick + 1;
        let size = self.core.record_size();
        let mut batch = Vec::new();
        let mut rank = 0;
        while rank < self.len() {
            batch.clear();
            if let Some(root) = &self.root {
                let mut skip = rank;
                self.core
                    .take(store, root, self.depth, &mut skip, BATCH * size, &mut batch)?;
            }
            for record in batch.chunks_exact(size) {
                match doomed.contains(rank) {
                    true => removed(store, record),
                    false => tree.push(store, record)?,
                }
                rank += 1;
            }
        }
        let mut extents = Vec::new();
        self.node_blocks(store, &mut |extent| extents.push(extent))?;
        for extent in extents {
            store.free_metadata(extent);
        }
        tree.header = self.header;
        *self = tree;
        Ok(())
    }
}

impl Core {
    /// Calls `visit` with the node of a slot, which is not kept if it was not in memory.
    pub(super) fn with<T>(
        &self,
        store: &Store,
        slot: &Slot,
        depth: u16,
        visit: impl FnOnce(&Node) -> Result<T>,
    ) -> Result<T> {
        match &slot.node {
            Some(node) => visit(node),
            None => visit(&self.read(store, slot, depth)?),
        }
    }

    fn visit(
        &self,
        store: &Store,
        slot: &Slot,
        depth: u16,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.with(store, slot, depth, |node| {
            let mut records = node.records.chunks_exact(self.record_size());
            if depth == 0 {
                return records.try_for_each(visit);
            }
            for child in &node.children {
                self.visit(store, child, depth - 1, visit)?;
                if let Some(record) = records.next() {
                    visit(record)?;
                }
            }
            Ok(())
        })
    }

    /// Appends records to `out`, from the one that `skip` records precede, until `out` has `limit` bytes.
    fn take(
        &self,
        store: &Store,
        slot: &Slot,
        depth: u16,
        skip: &mut u64,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if *skip >= slot.total {
            *skip -= slot.total;
            return Ok(());
        }
        self.with(store, slot, depth, |node| {
            let put = |record: &[u8], skip: &mut u64, out: &mut Vec<u8>| match skip.checked_sub(1) {
                Some(left) => *skip = left,
                None if out.len() < limit => out.extend_from_slice(record),
                None => {}
            };
            let mut records = node.records.chunks_exact(self.record_size());
            if depth == 0 {
                records.for_each(|record| put(record, skip, out));
                return Ok(());
            }
            for child in &node.children {
                if out.len() >= limit {
                    break;
                }
                self.take(store, child, depth - 1, skip, limit, out)?;
                if let Some(record) = records.next() {
                    put(record, skip, out);
                }
            }
            Ok(())
        })
    }

    fn blocks(
        &self,
        store: &Store,
        slot: &Slot,
        depth: u16,
        visit: &mut dyn FnMut(Extent),
    ) -> Result<()> {
        if let Some(addr) = slot.addr {
            visit(self.extent(addr));
        }
        if depth == 0 {
            return Ok(());
        }
        self.with(store, slot, depth, |node| {
            node.children
                .iter()
                .try_for_each(|child| self.blocks(store, child, depth - 1, visit))
        })
    }
}

/// A set of the ranks of a tree's records, one bit each.
struct Ranks {
    words: Vec<u64>,
    count: u64,
}

impl Ranks {
    fn new(len: u64) -> Self {
        Self {
            words: vec![0; len.div_ceil(64) as usize],
            count: 0,
        }
    }

    fn add(&mut self, rank: u64) {
        if let Some(word) = self.words.get_mut((rank / 64) as usize) {
            *word |= 1 << (rank % 64);
            self.count += 1;
        }
    }

    fn contains(&self, rank: u64) -> bool {
        self.words
            .get((rank / 64) as usize)
            .is_some_and(|word| word >> (rank % 64) & 1 == 1)
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.words.len() as u64 * 64).filter(|&rank| self.contains(rank))
    }
}
