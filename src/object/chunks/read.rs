//! Reading chunks: from memory, from the file, through the filters on as many threads as there are.

use super::cache::Cached;
use super::{Chunks, Shape};
use crate::bytes::Extent;
use crate::error::{Error, Result};
use crate::filter::Scratch;
use crate::index::ChunkRecord;
use crate::object::batch::{Batch, Buffers, Part};
use crate::selection::Resolved;
use crate::store::Store;
use crate::workers::Pending;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{Range, RangeInclusive};

/// Where the elements of a chunk go.
enum Target {
    /// All of them to these bytes of the dense array.
    Whole(Range<usize>),
    /// What is selected of the chunk at this place.
    Part(Box<[u64]>, ChunkRecord),
}

/// A chunk that is being decoded.
struct Coming {
    from: Extent,
    target: Target,
    elements: Pending<(Buffers, Result<Vec<u8>>)>,
}

/// One read: where it goes, and what of it is being decoded.
struct Reading<'a> {
    store: &'a Store,
    shape: Shape<'a>,
    selection: &'a Resolved,
    out: &'a mut [u8],
    budget: usize,
    /// Whole chunks that go to the dense array as they are.
    batch: Batch,
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
        let mut elements = self.read_as_stored(store, at, dims, record)?;
        elements.resize(self.grid.chunk_bytes(), 0);
        Ok(elements)
    }

    /// As [`read_stored`](Self::read_stored), without what a chunk that ends early lacks.
    pub(super) fn read_as_stored(
        &self,
        store: &Store,
        at: &[u64],
        dims: &[u64],
        record: ChunkRecord,
    ) -> Result<Vec<u8>> {
        let bytes = store.read(record.extent, "chunk")?;
        self.decode_as_stored(at, dims, bytes, record.mask)
            .map_err(|error| error.at(record.extent.addr.get()))
    }

    /// Refuses a chunk without filters that has another size than its elements, or is said to have been filtered.
    pub(crate) fn check_stored(&self, at: &[u64], dims: &[u64], record: ChunkRecord) -> Result<()> {
        if !self.pipeline.is_empty() && !self.goes_unfiltered(at, dims) {
            return Ok(());
        }
        let len = usize::try_from(record.extent.len).unwrap_or(usize::MAX);
        let masked = self.pipeline.is_empty() && record.mask != 0;
        match self.lengths(at, dims).contains(&len) && !masked {
            true => Ok(()),
            false => Err(
                Error::corrupt("chunk index", "a chunk of an impossible size")
                    .at(record.extent.addr.get()),
            ),
        }
    }

    /// How many bytes the elements of a chunk are. Some writers store a chunk at the edge as far as the extent goes;
    /// libhdf5 reads that.
    pub(super) fn lengths(&self, at: &[u64], dims: &[u64]) -> RangeInclusive<usize> {
        self.grid.bytes_inside(at, dims)..=self.grid.chunk_bytes()
    }

    /// The elements of a chunk that is stored as `bytes` with the filters of `mask` left out; zeros where it ends early.
    pub(crate) fn decode_stored(
        &self,
        at: &[u64],
        dims: &[u64],
        bytes: Vec<u8>,
        mask: u32,
    ) -> Result<Vec<u8>> {
        let mut elements = self.decode_as_stored(at, dims, bytes, mask)?;
        elements.resize(self.grid.chunk_bytes(), 0);
        Ok(elements)
    }

    fn decode_as_stored(
        &self,
        at: &[u64],
        dims: &[u64],
        mut bytes: Vec<u8>,
        mask: u32,
    ) -> Result<Vec<u8>> {
        let lengths = self.lengths(at, dims);
        if !self.goes_unfiltered(at, dims) {
            let mut scratch = Scratch::default();
            let pipeline = &self.pipeline;
            return pipeline.decode_taking(&mut bytes, mask, lengths, &mut scratch);
        }
        match lengths.contains(&bytes.len()) {
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
            batch: Batch::new("chunk"),
            coming: VecDeque::new(),
            most: match parallel && !store.workers.is_serial() {
                true => self.queue.most(),
                false => 0,
            },
        };
        grid.for_each_chunk(selection, &mut |at| self.read_part(&mut reading, at))?;
        self.read_batch(&mut reading)?;
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
        let ChunkRecord { extent, mask } = record;
        let chunk_bytes = self.grid.chunk_bytes() as u64;
        let (raw, store) = (self.goes_unfiltered(at, reading.shape.dims), reading.store);
        let filtered = !self.pipeline.is_empty();
        if !raw
            && (filtered || extent.len == chunk_bytes)
            && let Some(to) = self.grid.contiguous_in_dense(at, selection)
        {
            match filtered {
                true => reading.batch.filtered(store, extent, mask, to)?,
                false => reading.batch.plain(store, extent.addr, to)?,
            }
            return match reading.batch.is_full() {
                true => self.read_batch(reading),
                false => Ok(()),
            };
        }
        if reading.most > 0 && !raw {
            let len = self.lengths(at, reading.shape.dims);
            let target = Target::Part(at.into(), record);
            return self.decode_later(reading, extent, mask, len, target);
        }
        let data = match raw {
            true => self.read_stored(store, at, reading.shape.dims, record)?,
            false => {
                let mut buffers = self.read_buffers(store, extent)?;
                let len = self.lengths(at, reading.shape.dims);
                let data = buffers.decode(&self.pipeline, mask, len);
                buffers.keep(&store.workers, reading.budget);
                data.map_err(|error| error.at(extent.addr.get()))?
            }
        };
        self.use_elements(reading, at, record, data);
        Ok(())
    }

    /// The stored bytes of a chunk, in memory of earlier ones.
    fn read_buffers(&self, store: &Store, extent: Extent) -> Result<Buffers> {
        store.check_bounds(extent, "chunk")?;
        let mut buffers = Buffers::take(&store.workers);
        // The length has just been checked against that of the file.
        let stored = buffers.stored(extent.len as usize);
        store.read_into(extent.addr, stored, "chunk")?;
        Ok(buffers)
    }

    /// Reads the whole chunks of the batch to their places.
    fn read_batch(&mut self, reading: &mut Reading<'_>) -> Result<()> {
        let Reading {
            store, batch, out, ..
        } = reading;
        if self.pipeline.is_empty() {
            return batch.read(store, out);
        }
        let shared = match reading.most > 0 {
            true => batch.for_threads(store),
            false => None,
        };
        if shared.is_some() || reading.most == 0 {
            return batch.decode(store, &self.pipeline, shared, out, reading.budget);
        }
        for Part { from, to, mask } in batch.take() {
            let len = self.grid.chunk_bytes();
            self.decode_later(reading, from, mask, len..=len, Target::Whole(to))?;
        }
        Ok(())
    }

    /// Has a chunk decoded by whoever comes first.
    fn decode_later(
        &mut self,
        reading: &mut Reading<'_>,
        from: Extent,
        mask: u32,
        len: RangeInclusive<usize>,
        target: Target,
    ) -> Result<()> {
        while reading.coming.len() >= reading.most {
            self.take_coming(reading)?;
        }
        let mut buffers = self.read_buffers(reading.store, from)?;
        let pipeline = self.pipeline.clone();
        let decode = move || {
            let elements = buffers.decode(&pipeline, mask, len);
            (buffers, elements)
        };
        reading.coming.push_back(Coming {
            from,
            target,
            elements: reading.store.workers.run(decode),
        });
        Ok(())
    }

    /// Waits for the chunk that was asked for first; false where there is none.
    fn take_coming(&mut self, reading: &mut Reading<'_>) -> Result<bool> {
        let Some(coming) = reading.coming.pop_front() else {
            return Ok(false);
        };
        let workers = &reading.store.workers;
        let (buffers, elements) = coming.elements.wait(workers);
        buffers.keep(workers, reading.budget);
        let data = elements.map_err(|error| error.at(coming.from.addr.get()))?;
        match coming.target {
            Target::Whole(to) => {
                reading.out[to].copy_from_slice(&data);
                workers.spares.keep_within(data, reading.budget);
            }
            Target::Part(at, record) => self.use_elements(reading, &at, record, data),
        }
        Ok(true)
    }

    /// Copies what is selected of a chunk, and keeps the chunk where more of it may be wanted.
    fn use_elements(
        &mut self,
        reading: &mut Reading<'_>,
        at: &[u64],
        record: ChunkRecord,
        mut data: Vec<u8>,
    ) {
        let (selection, shape) = (reading.selection, reading.shape);
        self.grid.gather(at, selection, &data, reading.out);
        let fits = self.cache.bytes() + self.cache.cost() <= reading.budget;
        if fits && !self.grid.covers(at, selection, shape.dims) && !self.is_growing_edge(at, shape)
        {
            // Memory of a larger chunk is none for the cache to keep.
            data.shrink_to_fit();
            self.cache.insert(at, Cached::new(data, Some(record)));
        } else {
            let spares = &reading.store.workers.spares;
            spares.keep_within(data, reading.budget);
        }
    }
}
