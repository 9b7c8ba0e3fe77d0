//! Where each chunk of a chunked dataset is (VII), over the structures of `infra`.
//!
//! Chunks are named by their scaled coordinates: the offset in the dataset divided by the shape of a chunk.

mod array;
mod btree;
mod btree_v1;
mod direct;
mod element;
mod slots;
#[cfg(test)]
mod tests;

use crate::bytes::{Extent, Widths};
use crate::error::{Error, Result};
use crate::format::message::layout::IndexLayout;
use crate::infra::fixed_array;
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;
use array::{Extensible, Fixed};
use btree::Tree;
use btree_v1::TreeV1;
use core::fmt::Debug;
use direct::{Implicit, Single};
use element::Elements;
use slots::Slots;

/// A chunk on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkRecord {
    /// Of its stored bytes, which filters may have made fewer or more.
    pub(crate) extent: Extent,
    /// The filters left out, the first in the lowest bit.
    pub(crate) mask: u32,
}

pub(crate) trait ChunkIndex: Debug + Send {
    fn find(&mut self, store: &Store, at: &[u64]) -> Result<Option<ChunkRecord>>;

    /// Sets where a chunk is and returns where it was; that space is the caller's to free.
    fn insert(
        &mut self,
        store: &mut Store,
        at: &[u64],
        record: ChunkRecord,
    ) -> Result<Option<ChunkRecord>>;

    /// Drops every chunk outside `counts`, chunks for each axis; each dropped record goes to `removed`.
    fn shrink(
        &mut self,
        store: &mut Store,
        counts: &[u64],
        removed: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()>;

    fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()>;

    /// Stages what has changed in fresh space, frees what that replaces, and returns what the layout message says.
    fn stage(&mut self, store: &mut Store) -> Result<IndexLayout>;

    /// Visits the blocks of the index itself as far as they are staged, not the chunks.
    fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()>;

    /// Gives the blocks of the index itself back and leaves it empty; the chunks are the caller's.
    fn free_all(&mut self, store: &mut Store) -> Result<()>;

    /// Forgets what can be read again.
    fn evict(&mut self);

    /// False: it is to be [converted](convert) before it is changed.
    fn editable(&self) -> bool {
        true
    }

    /// True: [`for_each`](Self::for_each) visits chunks in the order of their coordinates, the first axis the slowest.
    fn in_order(&self) -> bool {
        false
    }

    /// True: chunks cannot move, the caller overwrites them.
    fn in_place(&self) -> bool {
        false
    }

    /// The space of all chunks, where they have to be allocated at once and are not yet; the caller fills it.
    fn allocate(&mut self, _store: &mut Store) -> Result<Option<Extent>> {
        Ok(None)
    }
}

/// What an index has to know of its dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexShape {
    pub(crate) chunk: Vec<u64>,
    /// The size of a chunk that went through no filter.
    pub(crate) chunk_bytes: u64,
    pub(crate) filtered: bool,
    pub(crate) dims: Vec<u64>,
    pub(crate) max_dims: Vec<Option<u64>>,
    /// Chunks are allocated when the dataset is created.
    pub(crate) early: bool,
    /// Of the file.
    pub(crate) widths: Widths,
}

impl IndexShape {
    fn check(&self) -> Result<()> {
        let rank = self.chunk.len();
        if rank == 0 || rank > 32 || self.dims.len() != rank || self.max_dims.len() != rank {
            return Err(Error::corrupt(
                "data layout message",
                "its rank is not the dataspace's",
            ));
        }
        if self.chunk_bytes == 0 || self.chunk.contains(&0) {
            return Err(Error::corrupt("data layout message", "a chunk is empty"));
        }
        Ok(())
    }

    fn fixed(&self) -> bool {
        self.dims
            .iter()
            .copied()
            .map(Some)
            .eq(self.max_dims.iter().copied())
    }
}

/// The index of a new dataset.
pub(crate) fn choose(shape: &IndexShape) -> Box<dyn ChunkIndex> {
    let tree = || Box::new(Tree::new(shape));
    let slots = match Slots::new(shape) {
        Ok(slots) if shape.fixed() => slots,
        _ => return tree(),
    };
    let elements = Elements::new(shape, 4);
    match slots.count() {
        Some(1) => Box::new(Single::new(shape)),
        Some(count) if shape.early && !shape.filtered => match count.checked_mul(shape.chunk_bytes)
        {
            Some(bytes) if count > 0 => {
                Box::new(Implicit::new(slots, shape.chunk_bytes, bytes, None))
            }
            _ => tree(),
        },
        // A fixed array cannot be empty, and it is written as a whole.
        Some(count) if count > 0 && count <= fixed_array::MAX_LEN / elements.size() as u64 => {
            Box::new(Fixed::new(elements, slots, count))
        }
        _ => tree(),
    }
}

/// The index of a new dataset that HDF5 1.8 can read.
pub(crate) fn choose_v18(store: &Store, shape: &IndexShape) -> Result<Box<dyn ChunkIndex>> {
    shape.check()?;
    Ok(Box::new(TreeV1::open(store, shape, None)?))
}

/// Opens the index that the data layout message of version `version` names. The flags of the message concern the
/// chunks and not the index, apart from what `layout` says already.
pub(crate) fn open(
    store: &Store,
    layout: &IndexLayout,
    shape: &IndexShape,
    _flags: u8,
    version: u8,
) -> Result<Box<dyn ChunkIndex>> {
    shape.check()?;
    let elements = Elements::new(shape, version);
    Ok(match *layout {
        IndexLayout::BTreeV1 { addr } => Box::new(TreeV1::open(store, shape, addr)?),
        IndexLayout::Single { addr, filtered } => {
            Box::new(Single::open(store, shape, addr, filtered)?)
        }
        IndexLayout::Implicit { addr } => Box::new(Implicit::open(store, shape, addr)?),
        IndexLayout::FixedArray { addr, .. } => {
            Box::new(Fixed::open(store, elements, Slots::new(shape)?, addr)?)
        }
        IndexLayout::ExtensibleArray { .. } => {
            let slots = Slots::unlimited_first(shape)?;
            Box::new(Extensible::open(store, elements, slots, layout.clone())?)
        }
        IndexLayout::BTreeV2 { addr, .. } => Box::new(Tree::open(store, shape, elements, addr)?),
    })
}

/// Rebuilds an index as a B-tree of version 2 for a data layout message of version 4, and gives the blocks of the old
/// one back.
pub(crate) fn convert(
    store: &mut Store,
    mut old: Box<dyn ChunkIndex>,
    shape: &IndexShape,
) -> Result<Box<dyn ChunkIndex>> {
    let mut tree = Tree::new(shape);
    let mut records = Vec::new();
    // An index that allocates its chunks at once has some for the largest extent, too.
    let mut beyond = Vec::new();
    old.for_each(store, &mut |at, record| {
        let mut axes = at.iter().zip(&shape.chunk).zip(&shape.dims);
        if axes.any(|((&at, &chunk), &dim)| at.saturating_mul(chunk) >= dim) {
            beyond.push(record.extent);
            return Ok(());
        }
        tree.encode(at, record, &mut records)
    })?;
    tree.fill(store, &records)?;
    old.free_all(store)?;
    beyond
        .into_iter()
        .for_each(|extent| store.free_chunk(extent));
    Ok(Box::new(tree))
}
