//! The chunks of a dataset: which are in memory, which go to the file when, and where.
//!
//! Whole chunks go to fresh space at once, or through the filters and then there. Partly written ones wait in a cache and
//! go to fresh space when the cache is full or at a commit. One case is written in place: rows of a chunk stored raw that
//! lie beyond the committed extent, where no reader of the committed state looks. So a filtered dataset keeps its growing
//! edge raw, with the filter mask set, and filters a chunk once, when it is full.
//!
//! Elements that name places in the file are never written in place: libhdf5 takes what it finds where it writes a string
//! for the old value, and gives the heap object that it names back. Their growing chunk is copied to fresh space once
//! in a commit; its two places alternate.

mod append;
mod cache;
mod direct;
mod edge;
mod queue;
mod read;
mod tails;
mod verify;

use crate::chunk::{Fill, Grid};
use crate::error::{Error, Result};
use crate::filter::Pipeline;
use crate::index::{self, ChunkIndex, ChunkRecord, IndexShape};
use crate::selection::Resolved;
use crate::store::Store;
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
pub(crate) use append::RowsPlace;
use cache::{Cache, Cached};
use core::ops::Range;
use queue::Queue;

/// Growing chunks of up to so many bytes are filtered at every commit. libhdf5 keeps the filter mask of a chunk that it rewrites
/// at an unchanged size, and what it deflates to so few bytes may well have the size of the chunk itself, so that it
/// would be read as if it had not been filtered. The tests of deaths keep their chunks small.
const FILTERED_UP_TO: usize = if cfg!(test) { 0 } else { 1023 };

/// Blocks shorter than this wait for the commit, which writes neighbours together.
const STAGE_BELOW: usize = 16 << 10;

/// What every operation on chunks needs of the dataset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) dims: &'a [u64],
    pub(crate) max_dims: &'a [Option<u64>],
    pub(crate) fill: Fill<'a>,
}

/// What of a chunk's old content is needed in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    All,
    /// Only the bytes before this one, and they can be read later: everything inside the extent from there on is about to
    /// be overwritten.
    Before(usize),
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) grid: Arc<Grid>,
    pub(crate) pipeline: Pipeline,
    index: Box<dyn ChunkIndex>,
    cache: Cache,
    queue: Queue,
    /// The extent of the dataset in the committed file.
    committed_dims: Vec<u64>,
    index_changed: bool,
    /// The index was built anew, for a layout message of version 4 whatever the version was.
    pub(crate) converted: bool,
    /// Nothing is left beyond the extent of an append that was never committed.
    scrubbed: bool,
    /// The axes, one bit each, along which no chunk at the edge ends early.
    whole_edges: u32,
    /// Chunks that reach beyond the extent go unfiltered, with no mask to say so.
    raw_edges: bool,
    /// Elements name places in the file: what lies beyond the committed extent is the fill value at any time.
    always_copied: bool,
}

impl Chunks {
    pub(crate) fn new(
        grid: impl Into<Arc<Grid>>,
        pipeline: Pipeline,
        index: Box<dyn ChunkIndex>,
        committed_dims: Vec<u64>,
    ) -> Self {
        let grid = grid.into();
        Self {
            cache: Cache::new(grid.chunk_bytes()),
            queue: Queue::new(grid.chunk_bytes()),
            grid,
            pipeline,
            index,
            committed_dims,
            index_changed: false,
            converted: false,
            scrubbed: false,
            whole_edges: 0,
            raw_edges: false,
            always_copied: false,
        }
    }

    /// Whether a chunk that the committed state names is copied before anything in it changes, also beyond the extent.
    pub(crate) fn set_always_copied(&mut self, always_copied: bool) {
        self.always_copied = always_copied;
    }

    /// As the flags of the data layout message have it: whether chunks that reach beyond the extent go unfiltered.
    pub(crate) fn with_raw_edges(mut self, raw_edges: bool) -> Self {
        self.raw_edges = raw_edges && !self.pipeline.is_empty();
        self
    }

    /// The memory that chunks take which are cached or on their way.
    pub(crate) fn cached_bytes(&self) -> usize {
        self.cache.bytes() + self.queue.bytes()
    }

    /// Rebuilds an index that is only read as one that can be changed; returns whether it did.
    pub(crate) fn make_editable(
        &mut self,
        store: &mut Store,
        dims: &[u64],
        max_dims: &[Option<u64>],
    ) -> Result<bool> {
        if self.index.editable() {
            return Ok(false);
        }
        self.convert_index(store, dims, max_dims)?;
        Ok(true)
    }

    fn convert_index(
        &mut self,
        store: &mut Store,
        dims: &[u64],
        max_dims: &[Option<u64>],
    ) -> Result<()> {
        let shape = IndexShape {
            chunk: self.grid.chunk().to_vec(),
            chunk_bytes: self.grid.chunk_bytes() as u64,
            filtered: !self.pipeline.is_empty(),
            dims: dims.to_vec(),
            max_dims: max_dims.to_vec(),
            early: false,
            widths: store.widths(),
        };
        let old = core::mem::replace(&mut self.index, index::choose(&shape));
        self.index = index::convert(store, old, &shape)?;
        self.converted = true;
        self.index_changed = true;
        Ok(())
    }

    pub(crate) fn index_changed(&self) -> bool {
        self.index_changed
    }

    /// Writes the dense array `data` to the selected elements.
    pub(crate) fn write(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        selection: &Resolved,
        data: &[u8],
        budget: usize,
    ) -> Result<()> {
        let grid = Arc::clone(&self.grid);
        grid.for_each_chunk(selection, &mut |at| {
            self.write_chunk_part(store, shape, selection, data, at, budget)
        })
    }

    fn write_chunk_part(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        selection: &Resolved,
        data: &[u8],
        at: &[u64],
        budget: usize,
    ) -> Result<()> {
        let edge = self.is_growing_edge(at, shape);
        let all = self.grid.covers(at, selection, shape.dims);
        if all && !edge && !self.cache.contains(at) {
            let raw = self.goes_unfiltered(at, shape.dims);
            if let Some(range) = self.grid.contiguous_in_dense(at, selection) {
                return self.put(store, at, Cow::Borrowed(&data[range]), None, raw);
            }
            let mut whole = self.new_chunk(shape.fill);
            self.grid.scatter(at, selection, data, &mut whole);
            return self.put(store, at, Cow::Owned(whole), None, raw);
        }
        let dirty = self.touched_rows(at, selection);
        let needed = if all {
            Needed::Nothing
        } else if self.grid.covers_last_rows(at, selection, shape.dims) {
            Needed::Before(dirty.start)
        } else {
            Needed::All
        };
        let grid = Arc::clone(&self.grid);
        let put = |cached: &mut Cached| {
            grid.scatter(at, selection, data, &mut cached.data);
            cached.touch(dirty);
            core::mem::replace(&mut cached.growing, edge)
        };
        let was_growing = match self.cache.get_mut(at) {
            Some(cached) => {
                cached.complete_for(needed, store)?;
                put(cached)
            }
            None => {
                let mut cached = self.fetch(store, shape, at, needed)?;
                let was_growing = put(&mut cached);
                self.cache.insert(at, cached);
                was_growing
            }
        };
        if was_growing && !edge {
            self.write_out(store, shape, at)?;
        }
        self.keep_cache_within(store, shape, budget.max(self.cache.cost()))
    }

    /// A chunk that is not full and can become so: it reaches beyond the extent along an axis that can grow.
    fn is_growing_edge(&self, at: &[u64], shape: Shape<'_>) -> bool {
        (0..at.len()).any(|axis| {
            let end = (at[axis] + 1).saturating_mul(self.grid.chunk()[axis]);
            end > shape.dims[axis] && shape.max_dims[axis].is_none_or(|max| max > shape.dims[axis])
        })
    }

    /// The bytes of the chunk's rows (indices of axis 0) that hold selected elements.
    fn touched_rows(&self, at: &[u64], selection: &Resolved) -> Range<usize> {
        let (rows, axis) = (self.grid.chunk()[0], selection.axes[0]);
        let first = axis.start.saturating_sub(at[0] * rows).min(rows);
        let last = axis.end().saturating_sub(at[0] * rows).min(rows);
        first as usize * self.grid.row_bytes()..last as usize * self.grid.row_bytes()
    }

    /// A chunk that holds the fill value.
    fn new_chunk(&mut self, fill: Fill<'_>) -> Vec<u8> {
        let mut chunk = self.cache.spare();
        if chunk.len() == self.grid.chunk_bytes() {
            fill.put(&mut chunk);
            return chunk;
        }
        fill.repeat(self.grid.chunk_bytes() / fill.element_size())
    }

    /// Brings a chunk into the cache, as far as its old content is needed.
    fn load(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        at: &[u64],
        needed: Needed,
    ) -> Result<()> {
        if let Some(cached) = self.cache.get_mut(at) {
            return cached.complete_for(needed, store);
        }
        let cached = self.fetch(store, shape, at, needed)?;
        self.cache.insert(at, cached);
        Ok(())
    }

    /// A chunk for the cache, which does not have it, with as much of its old content as is needed.
    fn fetch(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        at: &[u64],
        needed: Needed,
    ) -> Result<Cached> {
        self.settle_chunk(store, at)?;
        let stored = self.index.find(store, at)?;
        let mut cached = match (stored, needed) {
            (Some(record), Needed::Before(start)) if self.is_raw(record) => {
                let mut cached = Cached::new(self.new_chunk(shape.fill), stored);
                cached.missing = start;
                cached
            }
            (Some(record), Needed::All | Needed::Before(_)) => {
                let mut data = self.read_as_stored(store, at, shape.dims, record)?;
                let ends_early = data.len() < self.grid.chunk_bytes();
                data.resize(self.grid.chunk_bytes(), 0);
                // What an append that was never committed left beyond the extent.
                let dirty = self.grid.fill_beyond(at, shape.dims, shape.fill, &mut data);
                let mut cached = Cached::new(data, stored);
                cached.dirty = match ends_early {
                    true => Some(0..self.grid.chunk_bytes()),
                    false => dirty,
                };
                cached
            }
            (None, _) | (_, Needed::Nothing) => {
                let mut cached = Cached::new(self.new_chunk(shape.fill), stored);
                cached.dirty = Some(0..self.grid.chunk_bytes());
                cached
            }
        };
        cached.growing = self.is_growing_edge(at, shape);
        Ok(cached)
    }

    /// What a chunk of these elements is stored as, with its mask, no filter left out that could be used.
    pub(crate) fn encode_whole(
        &self,
        at: &[u64],
        dims: &[u64],
        elements: Vec<u8>,
    ) -> Result<(Vec<u8>, u32)> {
        match self.pipeline.is_empty() || self.goes_unfiltered(at, dims) {
            true => Ok((elements, 0)),
            false => self.pipeline.encode(&elements),
        }
    }

    /// Brings a whole chunk to fresh space and names it in the index, if need be by way of the filters.
    fn put(
        &mut self,
        store: &mut Store,
        at: &[u64],
        chunk: Cow<'_, [u8]>,
        known: Option<ChunkRecord>,
        raw: bool,
    ) -> Result<()> {
        if raw || self.pipeline.is_empty() || !self.queue.is_used() {
            self.put_now(store, at, &chunk, known, raw)?;
            if let Cow::Owned(chunk) = chunk {
                self.cache.recycle(chunk);
            }
            return Ok(());
        }
        while self.queue.is_full() {
            self.place_oldest(store)?;
        }
        self.queue.push(&store.workers, &self.pipeline, at, chunk);
        Ok(())
    }

    /// As [`put`](Self::put), and says where the chunk is; `raw` leaves the filters out.
    fn put_now(
        &mut self,
        store: &mut Store,
        at: &[u64],
        data: &[u8],
        known: Option<ChunkRecord>,
        raw: bool,
    ) -> Result<ChunkRecord> {
        self.settle_chunk(store, at)?;
        if self.index.in_place() {
            let record = match known {
                Some(record) => Some(record),
                None => self.index.find(store, at)?,
            };
            if let Some(record) = record {
                store.write_now(record.extent.addr, data)?;
                return Ok(record);
            }
        }
        let (bytes, mask) = if self.pipeline.is_empty() || (raw && self.raw_edges) {
            (Cow::Borrowed(data), 0)
        } else if raw {
            (Cow::Borrowed(data), self.pipeline.skip_all_mask())
        } else {
            let (bytes, mask) = self.pipeline.encode(data)?;
            (Cow::Owned(bytes), mask)
        };
        self.put_stored(store, at, &bytes, mask)
    }

    /// Gives the chunk that has been on its way through the filters for longest its place.
    fn place_oldest(&mut self, store: &mut Store) -> Result<()> {
        if let Some((at, encoded)) = self.queue.pop(&store.workers) {
            let (bytes, mask) = encoded?;
            self.put_stored(store, &at, &bytes, mask)?;
            store.workers.spares.keep(bytes);
        }
        Ok(())
    }

    /// Gives every chunk that is on its way its place.
    pub(crate) fn settle(&mut self, store: &mut Store) -> Result<()> {
        while self.queue.len() > 0 {
            self.place_oldest(store)?;
        }
        Ok(())
    }

    /// As [`settle`](Self::settle), where a certain chunk is on its way.
    fn settle_chunk(&mut self, store: &mut Store, at: &[u64]) -> Result<()> {
        while self.queue.contains(at) {
            self.place_oldest(store)?;
        }
        Ok(())
    }

    /// Writes a chunk as it is to stand in the file, with the filters of `mask` left out, and names it in the index.
    pub(crate) fn put_stored(
        &mut self,
        store: &mut Store,
        at: &[u64],
        bytes: &[u8],
        mask: u32,
    ) -> Result<ChunkRecord> {
        let extent = store.alloc_raw(bytes.len() as u64)?;
        match bytes.len() < STAGE_BELOW {
            true => store.stage(extent.addr, bytes.to_vec())?,
            false => store.write_now(extent.addr, bytes)?,
        }
        let record = ChunkRecord { extent, mask };
        self.index_changed = true;
        if let Some(old) = self.index.insert(store, at, record)? {
            store.free_chunk(old.extent);
        }
        Ok(record)
    }

    /// Visits the chunks that stand in the file.
    pub(crate) fn for_each_stored(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        self.index.for_each(store, visit)
    }

    /// Brings one chunk of the cache to the file, out of the cache.
    fn write_out(&mut self, store: &mut Store, shape: Shape<'_>, at: &[u64]) -> Result<()> {
        self.write_back(store, shape, at, false, false)
    }

    /// Brings one chunk of the cache to the file. `compress_edge`: also through the filters where the chunk may still grow.
    /// `keep`: it stays in the cache.
    fn write_back(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        at: &[u64],
        compress_edge: bool,
        keep: bool,
    ) -> Result<()> {
        let Some((at, mut cached)) = self.cache.take(at) else {
            return Ok(());
        };
        if let Some(dirty) = cached.dirty.take() {
            let raw_edge = match self.raw_edges {
                true => self.goes_unfiltered(&at, shape.dims),
                false => {
                    !compress_edge
                        && !self.pipeline.keeps_size()
                        && self.grid.chunk_bytes() > FILTERED_UP_TO
                        && self.is_growing_edge(&at, shape)
                }
            };
            let raw = self.pipeline.is_empty() || raw_edge;
            let in_place = cached
                .stored
                .filter(|record| raw && self.may_write_in_place(store, *record, &at, &dirty));
            match in_place {
                Some(record) => {
                    let addr = record.extent.addr.plus(dirty.start as u64);
                    let bytes = &cached.data[dirty];
                    if !store.is_fresh(record.extent) {
                        store.begin_in_place(bytes.len() >= STAGE_BELOW)?;
                    }
                    match bytes.len() < STAGE_BELOW {
                        true => store.fill_in(addr, bytes)?,
                        false => store.write_now(addr, bytes)?,
                    }
                }
                None if keep => {
                    cached.complete(store)?;
                    let known = cached.stored;
                    cached.stored = Some(self.put_now(store, &at, &cached.data, known, raw)?);
                }
                None => {
                    cached.complete(store)?;
                    return self.put(store, &at, Cow::Owned(cached.data), cached.stored, raw);
                }
            }
        }
        match keep {
            true => self.cache.put_back((at, cached)),
            false => self.cache.recycle(cached.data),
        }
        Ok(())
    }

    /// I1: a chunk stored raw may be changed where it stands if nothing committed reaches it, or only in rows beyond
    /// the committed extent, where elements name no places in the file.
    fn may_write_in_place(
        &self,
        store: &Store,
        record: ChunkRecord,
        at: &[u64],
        dirty: &Range<usize>,
    ) -> bool {
        if !self.is_raw(record) {
            return false;
        }
        let always_copied = self.always_copied;
        #[cfg(test)]
        let always_copied = always_copied && !mutant::is(Mutant::TailInPlace);
        if always_copied {
            return store.is_fresh(record.extent);
        }
        let first_row = at[0] * self.grid.chunk()[0];
        let committed_rows = self.committed_dims[0].saturating_sub(first_row) as usize;
        store.is_fresh(record.extent)
            || dirty.start >= committed_rows.saturating_mul(self.grid.row_bytes())
    }

    /// Where the cache is beyond its budget, brings the least recently used chunks to the file and leaves room, so that
    /// the next chunks find some. Nothing stays on its way.
    pub(crate) fn keep_within(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        budget: usize,
    ) -> Result<()> {
        self.keep_cache_within(store, shape, budget)?;
        self.settle(store)
    }

    fn keep_cache_within(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        budget: usize,
    ) -> Result<()> {
        if self.cache.bytes() <= budget {
            return Ok(());
        }
        for at in self.cache.oldest(budget) {
            self.write_out(store, shape, &at)?;
        }
        Ok(())
    }

    /// Brings all chunks to the file. What can still be appended to stays in the cache.
    pub(crate) fn write_back_all(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        compress_edges: bool,
    ) -> Result<()> {
        for at in self.cache.places() {
            let keep = self.is_growing_edge(&at, shape);
            self.write_back(store, shape, &at, compress_edges, keep)?;
        }
        self.settle(store)
    }

    /// Whether a chunk without filters ends where the extent does.
    pub(crate) fn ends_early(&self, record: ChunkRecord) -> bool {
        self.pipeline.is_empty() && record.extent.len < self.grid.chunk_bytes() as u64
    }

    pub(crate) fn is_raw(&self, record: ChunkRecord) -> bool {
        record.extent.len == self.grid.chunk_bytes() as u64
            && (self.pipeline.is_empty() || record.mask == self.pipeline.skip_all_mask())
    }

    /// Stages the index; what the layout message then says.
    pub(crate) fn stage(
        &mut self,
        store: &mut Store,
    ) -> Result<crate::format::message::layout::IndexLayout> {
        let layout = self.index.stage(store)?;
        self.index.evict();
        self.index_changed = false;
        Ok(layout)
    }

    pub(crate) fn committed(&mut self, dims: &[u64]) {
        self.committed_dims = dims.to_vec();
    }

    /// Gives index and chunks back.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.cache.clear();
        self.settle(store)?;
        let mut extents = Vec::new();
        self.index.for_each(store, &mut |_, record| {
            extents.push(record.extent);
            Ok(())
        })?;
        for extent in extents {
            store.free_chunk(extent);
        }
        self.index.free_all(store)
    }

    /// Fills every chunk of a new dataset that is allocated when it is created. Where there was none though the file says
    /// so, libhdf5 would allocate them as it writes the whole extent, and leave no fill beyond it.
    pub(crate) fn allocate_all(&mut self, store: &mut Store, shape: Shape<'_>) -> Result<()> {
        let chunk = self.new_chunk(shape.fill);
        self.index_changed = true;
        let Some(extent) = self.index.allocate(store)? else {
            let grid = Arc::clone(&self.grid);
            return grid.for_each_chunk(&Resolved::whole(shape.dims)?, &mut |at| {
                let raw = self.pipeline.is_empty() || self.goes_unfiltered(at, shape.dims);
                self.put(store, at, Cow::Borrowed(&chunk), None, raw)
            });
        };
        let mut at = extent.addr;
        while at < extent.end() {
            store.write_now(at, &chunk)?;
            at = at.plus(chunk.len() as u64);
        }
        Ok(())
    }

    pub(crate) fn num_chunks(&mut self, store: &mut Store) -> Result<u64> {
        self.settle(store)?;
        let mut count = 0;
        self.index.for_each(store, &mut |_, _| {
            count += 1;
            Ok(())
        })?;
        Ok(count + self.cache.unnamed() as u64)
    }
}

/// The extent of a dataset must fit its chunks: a chunk below 4 GiB, no axis of length 0, not longer than a fixed axis.
pub(crate) fn check_chunk(chunk: &[u64], dims: &[u64], max_dims: &[Option<u64>]) -> Result<()> {
    if chunk.len() != dims.len() {
        return Err(Error::invalid(alloc::format!(
            "the chunk has {} dimensions, the dataset {}",
            chunk.len(),
            dims.len()
        )));
    }
    for (axis, (&chunk, max)) in chunk.iter().zip(max_dims).enumerate() {
        if chunk == 0 {
            return Err(Error::invalid(alloc::format!(
                "axis {axis}: the chunk has length 0"
            )));
        }
        if let Some(max) = max
            && chunk > *max
        {
            return Err(Error::invalid(alloc::format!(
                "axis {axis}: the chunk has length {chunk}, more than the largest extent {max}"
            )));
        }
    }
    Ok(())
}
