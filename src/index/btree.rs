//! The version 2 B-tree index (VII.E): records of type 10, or 11 where chunks are filtered.
//!
//! ```text
//!   0   n  where the chunk is, as in arrays
//!   +   8  scaled offset, for each axis
//! ```

use super::element::Elements;
use super::slots::outside;
use super::{ChunkIndex, ChunkRecord, IndexShape};
use crate::bytes::{Addr, Extent, Put};
use crate::error::{Error, Result};
use crate::format::message::layout::IndexLayout;
use crate::infra::btree_v2::{BTree, Shape};
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// As libhdf5 has them.
const NODE_SIZE: u32 = 2048;
const SPLIT_PERCENT: u8 = 100;
const MERGE_PERCENT: u8 = 40;

const UNFILTERED: u8 = 10;
const FILTERED: u8 = 11;

#[derive(Debug)]
pub(crate) struct Tree {
    rank: usize,
    elements: Elements,
    tree: BTree,
    /// It has a place in the file, or something to be given one for.
    begun: bool,
}

impl Tree {
    pub(crate) fn new(shape: &IndexShape) -> Self {
        Self::empty(shape, Elements::new(shape, 4))
    }

    fn empty(shape: &IndexShape, elements: Elements) -> Self {
        let rank = shape.chunk.len();
        Self {
            rank,
            elements,
            tree: BTree::new(Shape {
                kind: kind(&elements),
                node_size: NODE_SIZE,
                record_size: (elements.size() + 8 * rank) as u16,
                split_percent: SPLIT_PERCENT,
                merge_percent: MERGE_PERCENT,
            }),
            begun: false,
        }
    }

    /// Opens the tree at `addr`. What the layout message says of its nodes does not matter: the header says it.
    pub(crate) fn open(
        store: &Store,
        shape: &IndexShape,
        elements: Elements,
        addr: Option<Addr>,
    ) -> Result<Self> {
        let Some(addr) = addr else {
            return Ok(Self::empty(shape, elements));
        };
        let tree = BTree::open(store, addr)?;
        let rank = shape.chunk.len();
        let size = usize::from(tree.shape().record_size).checked_sub(8 * rank);
        match size.and_then(|size| elements.found(size, store.widths())) {
            Some(elements) if tree.shape().kind == kind(&elements) => Ok(Self {
                rank,
                elements,
                tree,
                begun: true,
            }),
            _ => Err(wrong("records that are not of this dataset's chunks", addr)),
        }
    }

    fn record_size(&self) -> usize {
        usize::from(self.tree.shape().record_size)
    }

    /// Appends the record of a chunk to `out`.
    pub(crate) fn encode(&self, at: &[u64], record: ChunkRecord, out: &mut Vec<u8>) -> Result<()> {
        if at.len() != self.rank {
            return Err(outside());
        }
        self.elements.encode(record, out)?;
        at.iter().for_each(|at| out.put_u64(*at));
        Ok(())
    }

    /// Fills an empty tree with records in any order.
    pub(crate) fn fill(&mut self, store: &mut Store, records: &[u8]) -> Result<()> {
        let at = self.elements.size();
        let mut sorted: Vec<&[u8]> = records.chunks_exact(self.record_size()).collect();
        if !sorted.is_sorted_by(|a, b| coordinates(a, at).le(coordinates(b, at))) {
            sorted.sort_by(|a, b| coordinates(a, at).cmp(coordinates(b, at)));
        }
        for record in sorted {
            let mut probe =
                |_: &Store, other: &[u8]| Ok(coordinates(record, at).cmp(coordinates(other, at)));
            self.tree.insert(store, record, &mut probe)?;
        }
        self.begun = true;
        Ok(())
    }
}

fn kind(elements: &Elements) -> u8 {
    if elements.filtered() {
        FILTERED
    } else {
        UNFILTERED
    }
}

/// The scaled offsets of a record.
fn coordinates(record: &[u8], at: usize) -> impl Iterator<Item = u64> + '_ {
    let offsets = record.get(at..).unwrap_or(&[]);
    offsets
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

fn probe(wanted: &[u64], at: usize) -> impl FnMut(&Store, &[u8]) -> Result<Ordering> {
    move |_, record| Ok(wanted.iter().copied().cmp(coordinates(record, at)))
}

fn wrong(reason: &'static str, addr: Addr) -> Error {
    Error::corrupt("version 2 B-tree chunk index", reason).at(addr.get())
}

impl ChunkIndex for Tree {
    fn find(&mut self, store: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        let found = self
            .tree
            .find(store, &mut probe(at, self.elements.size()))?;
        match found {
            Some(record) => self.elements.decode_checked(store, &record),
            None => Ok(None),
        }
    }

    fn insert(
        &mut self,
        store: &mut Store,
        at: &[u64],
        record: ChunkRecord,
    ) -> Result<Option<ChunkRecord>> {
        let mut bytes = Vec::with_capacity(self.record_size());
        self.encode(at, record, &mut bytes)?;
        self.begun = true;
        let elements = self.elements;
        let mut compare = probe(at, elements.size());
        // What is replaced is checked before anything changes.
        let mut probe = |store: &Store, other: &[u8]| {
            let order = compare(store, other)?;
            if order == Ordering::Equal {
                elements.decode_checked(store, other)?;
            }
            Ok(order)
        };
        match self.tree.insert(store, &bytes, &mut probe)? {
            Some(old) => self.elements.decode(&old),
            None => Ok(None),
        }
    }

    fn shrink(
        &mut self,
        store: &mut Store,
        counts: &[u64],
        removed: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        let (elements, size) = (self.elements, self.elements.size());
        let mut keep = |record: &[u8]| {
            coordinates(record, size)
                .zip(counts)
                .all(|(at, count)| at < *count)
        };
        // Whatever can fail comes before the first change.
        self.tree.for_each(store, &mut |record| {
            if keep(record) {
                return Ok(());
            }
            elements.decode_checked(store, record).map(|_| ())
        })?;
        self.tree.retain(store, &mut keep, &mut |store, record| {
            if let Ok(Some(record)) = elements.decode(record) {
                removed(store, record);
            }
        })
    }

    fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let mut at = vec![0; self.rank];
        self.tree.for_each(store, &mut |bytes| {
            let Some(record) = self.elements.decode_checked(store, bytes)? else {
                return Ok(());
            };
            for (at, offset) in at.iter_mut().zip(coordinates(bytes, self.elements.size())) {
                *at = offset;
            }
            visit(&at, record)
        })
    }

    fn in_order(&self) -> bool {
        true
    }

    fn stage(&mut self, store: &mut Store) -> Result<IndexLayout> {
        let shape = self.tree.shape();
        Ok(IndexLayout::BTreeV2 {
            node_size: shape.node_size,
            split: shape.split_percent,
            merge: shape.merge_percent,
            addr: match self.begun {
                true => Some(self.tree.stage(store)?),
                false => None,
            },
        })
    }

    fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        let mut result = Ok(());
        self.tree.blocks(store, &mut |extent| {
            if result.is_ok() {
                result = visit(extent);
            }
        })?;
        result
    }

    fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.tree.free_all(store)?;
        self.begun = false;
        Ok(())
    }

    fn evict(&mut self) {
        self.tree.evict();
    }
}
