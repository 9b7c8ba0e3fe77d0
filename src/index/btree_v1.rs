//! The version 1 B-tree index (VII.A): what files for HDF5 1.8 and earlier have.

use super::slots::outside;
use super::{ChunkIndex, ChunkRecord, IndexShape};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::btree_v1::{NODE, chunk_of, offsets, put_key};
use crate::format::message::layout::IndexLayout;
use crate::infra::btree_v1::{BTree, Shape};
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug)]
pub(crate) struct TreeV1 {
    chunk: Vec<u64>,
    /// The size of every chunk, where chunks are not filtered.
    chunk_bytes: Option<u64>,
    tree: BTree,
}

impl TreeV1 {
    pub(crate) fn open(store: &Store, shape: &IndexShape, root: Option<Addr>) -> Result<Self> {
        let rank = u8::try_from(shape.chunk.len())
            .map_err(|_| Error::corrupt("data layout message", "more than 32 axes"))?;
        let nodes = Shape {
            rank,
            k: store.node_sizes.chunk,
        };
        // Behind every other key and, as readers ask, a multiple of the chunk; readers with signed numbers can take it.
        let last = shape.chunk.iter().map(|chunk| match *chunk {
            0 => 0,
            chunk => i64::MAX as u64 / chunk * chunk,
        });
        let mut greatest = Vec::new();
        put_key(&mut greatest, 0, 0, last);
        Ok(Self {
            chunk: shape.chunk.clone(),
            chunk_bytes: (!shape.filtered).then_some(shape.chunk_bytes),
            tree: match root {
                Some(root) => BTree::open(store, nodes, greatest, root)?,
                None => BTree::new(nodes, greatest, store.widths())?,
            },
        })
    }

    /// The key of the chunk at `at`; `None` where no offset can say that.
    fn key(&self, at: &[u64], size: u32, mask: u32) -> Option<Vec<u8>> {
        if at.len() != self.chunk.len() {
            return None;
        }
        let pairs = at.iter().zip(&self.chunk);
        let offsets: Option<Vec<u64>> = pairs.map(|(at, chunk)| at.checked_mul(*chunk)).collect();
        let mut key = Vec::new();
        put_key(&mut key, size, mask, offsets?.into_iter());
        Some(key)
    }

    /// Sets `at` to the coordinates that a key gives.
    fn coordinates(&self, key: &[u8], at: &mut [u64]) -> Result<()> {
        let mut offsets = offsets(key);
        for ((at, chunk), offset) in at.iter_mut().zip(&self.chunk).zip(offsets.by_ref()) {
            if !offset.is_multiple_of(*chunk) {
                return Err(Error::corrupt(
                    NODE,
                    "an offset is not where a chunk begins",
                ));
            }
            *at = offset / chunk;
        }
        match offsets.next() {
            Some(0) => Ok(()),
            _ => Err(Error::corrupt(NODE, "an offset inside an element")),
        }
    }
}

fn record(key: &[u8], addr: Addr) -> ChunkRecord {
    let (size, mask) = chunk_of(key);
    ChunkRecord {
        extent: Extent::new(addr, size.into()),
        mask,
    }
}

fn checked(store: &Store, key: &[u8], addr: Addr) -> Result<ChunkRecord> {
    let record = record(key, addr);
    store.check_bounds(record.extent, "chunk")?;
    Ok(record)
}

impl ChunkIndex for TreeV1 {
    fn find(&mut self, store: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        let Some(key) = self.key(at, 0, 0) else {
            return Ok(None);
        };
        match self.tree.find(store, &key)? {
            Some((key, addr)) => checked(store, &key, addr).map(Some),
            None => Ok(None),
        }
    }

    fn insert(
        &mut self,
        store: &mut Store,
        at: &[u64],
        new: ChunkRecord,
    ) -> Result<Option<ChunkRecord>> {
        let len = new.extent.len;
        if self
            .chunk_bytes
            .is_some_and(|bytes| bytes != len || new.mask != 0)
        {
            return Err(Error::invalid(
                "a chunk of another size, or with a filter mask, in a dataset without filters",
            ));
        }
        let size = u32::try_from(len)
            .map_err(|_| Error::limit("the size of a chunk", len, u32::MAX.into()))?;
        let key = self.key(at, size, new.mask).ok_or_else(outside)?;
        // What is replaced is checked before anything changes.
        self.find(store, at)?;
        let old = self.tree.insert(store, &key, new.extent.addr)?;
        Ok(old.map(|(key, addr)| record(&key, addr)))
    }

    fn shrink(
        &mut self,
        store: &mut Store,
        counts: &[u64],
        removed: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        // Whatever can fail comes before the first change.
        self.for_each(store, &mut |_, _| Ok(()))?;
        let chunk = &self.chunk;
        let mut keep = |key: &[u8]| {
            let mut axes = offsets(key).zip(chunk).zip(counts);
            axes.all(|((offset, chunk), count)| offset / chunk < *count)
        };
        self.tree.retain(store, &mut keep, &mut |store, key, addr| {
            removed(store, record(key, addr));
        })
    }

    fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let mut at = vec![0; self.chunk.len()];
        self.tree.for_each(store, &mut |key, addr| {
            self.coordinates(key, &mut at)?;
            visit(&at, checked(store, key, addr)?)
        })
    }

    fn stage(&mut self, store: &mut Store) -> Result<IndexLayout> {
        let addr = self.tree.stage(store)?;
        Ok(IndexLayout::BTreeV1 { addr })
    }

    fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        self.tree.blocks(store, visit)
    }

    fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.tree.free_all(store)
    }

    fn evict(&mut self) {
        self.tree.evict();
    }
}
