//! The indexes that are in the layout message alone: the single chunk (VII.A) and the implicit index (VII.B).

use super::slots::{Slots, outside};
use super::{ChunkIndex, ChunkRecord, IndexShape};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::message::layout::IndexLayout;
use crate::store::Store;
use alloc::vec;

#[derive(Debug)]
pub(crate) struct Single {
    rank: usize,
    chunk_bytes: u64,
    filtered: bool,
    chunk: Option<ChunkRecord>,
}

impl Single {
    pub(crate) fn new(shape: &IndexShape) -> Self {
        Self {
            rank: shape.chunk.len(),
            chunk_bytes: shape.chunk_bytes,
            filtered: shape.filtered,
            chunk: None,
        }
    }

    pub(crate) fn open(
        store: &Store,
        shape: &IndexShape,
        addr: Option<Addr>,
        filtered: Option<(u64, u32)>,
    ) -> Result<Self> {
        let (len, mask) = match filtered {
            Some(filtered) if shape.filtered => filtered,
            _ => (shape.chunk_bytes, 0),
        };
        let chunk = addr.map(|addr| ChunkRecord {
            extent: Extent::new(addr, len),
            mask,
        });
        if let Some(chunk) = chunk {
            store.check_bounds(chunk.extent, "chunk")?;
        }
        Ok(Self {
            chunk,
            ..Self::new(shape)
        })
    }

    fn is_at(&self, at: &[u64]) -> bool {
        at.len() == self.rank && at.iter().all(|at| *at == 0)
    }
}

impl ChunkIndex for Single {
    fn find(&mut self, _: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        Ok(self.chunk.filter(|_| self.is_at(at)))
    }

    fn insert(
        &mut self,
        _: &mut Store,
        at: &[u64],
        record: ChunkRecord,
    ) -> Result<Option<ChunkRecord>> {
        if !self.is_at(at) {
            return Err(outside());
        }
        if !self.filtered && (record.extent.len != self.chunk_bytes || record.mask != 0) {
            return Err(Error::invalid(
                "a chunk of another size, or with a filter mask, in a dataset without filters",
            ));
        }
        Ok(self.chunk.replace(record))
    }

    fn shrink(
        &mut self,
        store: &mut Store,
        counts: &[u64],
        removed: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        if counts.contains(&0)
            && let Some(chunk) = self.chunk.take()
        {
            removed(store, chunk);
        }
        Ok(())
    }

    fn for_each(
        &mut self,
        _: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let at = vec![0; self.rank];
        self.chunk.map_or(Ok(()), |chunk| visit(&at, chunk))
    }

    fn stage(&mut self, _: &mut Store) -> Result<IndexLayout> {
        let filtered = self
            .chunk
            .map_or((0, 0), |chunk| (chunk.extent.len, chunk.mask));
        Ok(IndexLayout::Single {
            addr: self.chunk.map(|chunk| chunk.extent.addr),
            filtered: self.filtered.then_some(filtered),
        })
    }

    fn blocks(&mut self, _: &Store, _: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn free_all(&mut self, _: &mut Store) -> Result<()> {
        self.chunk = None;
        Ok(())
    }

    fn evict(&mut self) {}
}

/// All chunks of the greatest extent, one behind the other.
#[derive(Debug)]
pub(crate) struct Implicit {
    slots: Slots,
    chunk_bytes: u64,
    bytes: u64,
    addr: Option<Addr>,
    /// A commit names the chunks: overwriting them would change its state.
    committed: bool,
}

impl Implicit {
    pub(crate) fn new(slots: Slots, chunk_bytes: u64, bytes: u64, addr: Option<Addr>) -> Self {
        Self {
            slots,
            chunk_bytes,
            bytes,
            addr,
            committed: false,
        }
    }

    pub(crate) fn open(store: &Store, shape: &IndexShape, addr: Option<Addr>) -> Result<Self> {
        let slots = Slots::new(shape)?;
        let bytes = slots
            .count()
            .and_then(|count| count.checked_mul(shape.chunk_bytes));
        let corrupt = |reason| Err(Error::corrupt("implicit index", reason));
        let Some(bytes) = bytes else {
            return corrupt("more chunks than can be counted");
        };
        if shape.filtered {
            return corrupt("chunks are filtered");
        }
        if let Some(addr) = addr {
            store.check_bounds(Extent::new(addr, bytes), "implicit index")?;
        }
        Ok(Self {
            committed: true,
            ..Self::new(slots, shape.chunk_bytes, bytes, addr)
        })
    }

    fn chunk(&self, slot: u64) -> Option<ChunkRecord> {
        self.addr.map(|addr| ChunkRecord {
            extent: Extent::new(addr.plus(slot * self.chunk_bytes), self.chunk_bytes),
            mask: 0,
        })
    }
}

impl ChunkIndex for Implicit {
    fn find(&mut self, _: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        Ok(self.slots.slot(at).and_then(|slot| self.chunk(slot)))
    }

    fn insert(
        &mut self,
        store: &mut Store,
        at: &[u64],
        record: ChunkRecord,
    ) -> Result<Option<ChunkRecord>> {
        if self.find(store, at)? == Some(record) {
            return Ok(None);
        }
        Err(Error::invalid("chunks of an implicit index do not move"))
    }

    /// The chunks stay: their space comes and goes as a whole.
    fn shrink(
        &mut self,
        _: &mut Store,
        _: &[u64],
        _: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        Ok(())
    }

    /// Visits the chunks of the greatest extent, for they all have space.
    fn for_each(
        &mut self,
        _: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let mut at = vec![0; self.slots.rank()];
        for slot in 0..self.bytes / self.chunk_bytes {
            if let Some(chunk) = self.chunk(slot)
                && self.slots.coordinates(slot, &mut at)
            {
                visit(&at, chunk)?;
            }
        }
        Ok(())
    }

    fn stage(&mut self, _: &mut Store) -> Result<IndexLayout> {
        self.committed = true;
        Ok(IndexLayout::Implicit { addr: self.addr })
    }

    fn blocks(&mut self, _: &Store, _: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        Ok(())
    }

    fn free_all(&mut self, _: &mut Store) -> Result<()> {
        self.addr = None;
        Ok(())
    }

    fn evict(&mut self) {}

    fn editable(&self) -> bool {
        !self.committed
    }

    fn in_place(&self) -> bool {
        true
    }

    fn allocate(&mut self, store: &mut Store) -> Result<Option<Extent>> {
        if self.addr.is_some() {
            return Ok(None);
        }
        let extent = store.alloc_raw(self.bytes)?;
        self.addr = Some(extent.addr);
        Ok(Some(extent))
    }
}
