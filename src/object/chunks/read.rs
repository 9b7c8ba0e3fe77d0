//! Reading chunks: from memory, from the file, through the filters on as many threads as there are.

use super::cache::Cached;
use super::{Chunks, Shape};
use crate::error::{Error, Result};
use crate::index::ChunkRecord;
use crate::selection::Resolved;
use crate::store::Store;
use crate::workers::Pending;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// A chunk that is being decoded.
struct Coming {
    at: Box<[u64]>,
    record: ChunkRecord,
    elements: Pending<Result<Vec<u8>>>,
}

/// One read: where it goes, and what of it is being decoded.
struct Reading<'a> {
    store: &'a Store,
    shape: Shape<'a>,
    selection: &'a Resolved,
    out: &'a mut [u8],
    budget: usize,
    coming: VecDeque<Coming>,
    /// How many chunks may be decoded at a time, by other threads.
    most: usize,
}

impl Chunks {
    /// `dims` is the extent for which the chunk was written.
    pub(super) fn read_stored(
        &self,
        store: &Store,
        at: &[u64],
        dims: &[u64],
        record: ChunkRecord,
    ) -> Result<Vec<u8>> {
        let bytes = store.read(record.extent, "chunk")?;
        self.decode_stored(at, dims, bytes, record.mask)
            .map_err(|error| error.at(record.extent.addr.get()))
    }

    /// The elements of a chunk that is stored as `bytes` with the filters of `mask` left out.
    pub(crate) fn decode_stored(
        &self,
        at: &[u64],
        dims: &[u64],
        bytes: Vec<u8>,
        mask: u32,
    ) -> Result<Vec<u8>> {
        if !self.goes_unfiltered(at, dims) {
            return self.pipeline.decode(bytes, mask, self.grid.chunk_bytes());
        }
        match bytes.len() == self.grid.chunk_bytes() {
            true => Ok(bytes),
            false => Err(Error::corrupt(
                "chunk",
                "an unfiltered chunk has another size",
            )),
        }
    }

    /// Reads the selected elements into the dense array `out`, which is zero. Nothing is on its way to the file.
    pub(crate) fn read(
        &mut self,
        store: &Store,
        shape: Shape<'_>,
        selection: &Resolved,
        out: &mut [u8],
        budget: usize,
    ) -> Result<()> {
        debug_assert!(self.queue.len() == 0, "the queue has been settled");
        // A chunk that was never written is not made in memory: the file may say that it is large.
        if !shape.fill.is_zero() {
            shape.fill.put(out);
        }
        let grid = Arc::clone(&self.grid);
        let parallel = !self.pipeline.is_empty() && !grid.touches_one(selection);
        let mut reading = Reading {
            store,
            shape,
            selection,
            out,
            budget,
            coming: VecDeque::new(),
            most: match parallel && !store.workers.is_serial() {
                true => self.queue.most(),
                false => 0,
            },
        };
        grid.for_each_chunk(selection, &mut |at| self.read_part(&mut reading, at))?;
        while self.take_coming(&mut reading)? {}
        Ok(())
    }

    fn read_part(&mut self, reading: &mut Reading<'_>, at: &[u64]) -> Result<()> {
        let selection = reading.selection;
        if let Some(cached) = self.cache.get(reading.store, at)? {
            self.grid.gather(at, selection, &cached.data, reading.out);
            return Ok(());
        }
        let Some(record) = self.index.find(reading.store, at)? else {
            return Ok(());
        };
        let plain = self.pipeline.is_empty() && record.extent.len == self.grid.chunk_bytes() as u64;
        if plain && let Some(range) = self.grid.contiguous_in_dense(at, selection) {
            let out = &mut reading.out[range];
            return reading.store.read_into(record.extent.addr, out, "chunk");
        }
        if reading.most == 0 || self.goes_unfiltered(at, reading.shape.dims) {
            let data = self.read_stored(reading.store, at, reading.shape.dims, record)?;
            self.use_elements(reading, at, record, data);
            return Ok(());
        }
        while reading.coming.len() >= reading.most {
            self.take_coming(reading)?;
        }
        let bytes = reading.store.read(record.extent, "chunk")?;
        let (pipeline, len) = (self.pipeline.clone(), self.grid.chunk_bytes());
        let decode = move || pipeline.decode(bytes, record.mask, len);
        reading.coming.push_back(Coming {
            at: at.into(),
            record,
            elements: reading.store.workers.run(decode),
        });
        Ok(())
    }

    /// Waits for the chunk that was asked for first; false where there is none.
    fn take_coming(&mut self, reading: &mut Reading<'_>) -> Result<bool> {
        let Some(coming) = reading.coming.pop_front() else {
            return Ok(false);
        };
        let elements = coming.elements.wait(&reading.store.workers);
        let data = elements.map_err(|error| error.at(coming.record.extent.addr.get()))?;
        self.use_elements(reading, &coming.at, coming.record, data);
        Ok(true)
    }

    /// Copies what is selected of a chunk, and keeps the chunk where more of it may be wanted.
    fn use_elements(
        &mut self,
        reading: &mut Reading<'_>,
        at: &[u64],
        record: ChunkRecord,
        data: Vec<u8>,
    ) {
        let (selection, shape) = (reading.selection, reading.shape);
        self.grid.gather(at, selection, &data, reading.out);
        let fits = self.cache.bytes() + self.cache.cost() <= reading.budget;
        if fits && !self.grid.covers(at, selection, shape.dims) && !self.is_growing_edge(at, shape)
        {
            self.cache.insert(at, Cached::new(data, Some(record)));
        }
    }
}
