//! Reads straight to where the bytes belong in memory, on as many threads as there are.
//!
//! Most of the time of a large read goes into the pages of the caller's array, which the system provides and clears when
//! they are first written to. So each thread fills a part of the array: from the file, or through the filters.

use crate::bytes::{Addr, Extent};
use crate::error::Result;
use crate::filter::{Pipeline, Scratch};
use crate::store::{SharedReads, Store};
use crate::workers::Workers;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::{Range, RangeInclusive};

/// Reading less is not worth the start of a thread.
const WORTH_THREADS: usize = 4 << 20;

/// Nor is decoding less.
const WORTH_DECODING: usize = 1 << 20;

/// Plain reads side by side become one of up to so many bytes, and longer ones several.
const PIECE: usize = 1 << 20;

/// So many parts are read together at the most.
const PARTS: usize = 4096;

/// What is read from one place of the file.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) from: Extent,
    /// The bytes in memory that it becomes.
    pub(super) to: Range<usize>,
    /// The filters that the chunk went without.
    pub(super) mask: u32,
}

/// Memory for the bytes of a chunk as they are stored, and as they are between two filters.
#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) stored: Vec<u8>,
    pub(super) scratch: Scratch,
}

impl Buffers {
    /// Those of earlier reads.
    pub(super) fn take(workers: &Workers) -> Self {
        let spare = || workers.spares.take();
        Self {
            stored: spare(),
            scratch: Scratch::new(spare(), spare()),
        }
    }

    /// Keeps the memory for later reads, as far as `budget` allows.
    pub(super) fn keep(self, workers: &Workers, budget: usize) {
        let (bytes, spare) = self.scratch.into_parts();
        for memory in [spare, bytes, self.stored] {
            workers.spares.keep_within(memory, budget);
        }
    }

    /// The elements of the chunk of which the stored bytes have been read; zeros where it ends early.
    pub(super) fn decode(
        &mut self,
        pipeline: &Pipeline,
        mask: u32,
        len: RangeInclusive<usize>,
    ) -> Result<Vec<u8>> {
        let chunk_len = *len.end();
        let mut elements =
            pipeline.decode_taking(&mut self.stored, mask, len, &mut self.scratch)?;
        elements.resize(chunk_len, 0);
        Ok(elements)
    }

    /// Memory for `len` stored bytes, with whatever is in it.
    pub(super) fn stored(&mut self, len: usize) -> &mut [u8] {
        self.stored.resize(len, 0);
        &mut self.stored
    }
}

/// Parts that are read together, in the order of their places in memory: all of them go through filters, or none does.
#[derive(Debug)]
pub(super) struct Batch {
    /// What is read, in errors.
    what: &'static str,
    parts: Vec<Part>,
    bytes: usize,
    /// All of it stands on the device.
    on_device: bool,
}

impl Batch {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            parts: Vec::new(),
            bytes: 0,
            on_device: true,
        }
    }

    /// Adds a read without filters, to a place in memory behind those of the parts before.
    pub(super) fn plain(&mut self, store: &Store, from: Addr, to: Range<usize>) -> Result<()> {
        let extent = Extent::new(from, to.len() as u64);
        self.check(store, extent)?;
        self.bytes += to.len();
        let (mut from, mut to) = (from, to);
        if let Some(last) = self.parts.last_mut()
            && last.from.end() == from
            && last.to.end == to.start
        {
            let more = PIECE.saturating_sub(last.to.len()).min(to.len());
            last.from.len += more as u64;
            last.to.end += more;
            from = from.plus(more as u64);
            to.start += more;
        }
        while !to.is_empty() {
            let len = to.len().min(PIECE);
            self.parts.push(Part {
                from: Extent::new(from, len as u64),
                to: to.start..to.start + len,
                mask: 0,
            });
            from = from.plus(len as u64);
            to.start += len;
        }
        Ok(())
    }

    /// Adds a whole chunk that goes through filters but those of `mask`, as [`plain`](Self::plain).
    pub(super) fn filtered(
        &mut self,
        store: &Store,
        from: Extent,
        mask: u32,
        to: Range<usize>,
    ) -> Result<()> {
        self.check(store, from)?;
        self.bytes += to.len();
        self.parts.push(Part { from, to, mask });
        Ok(())
    }

    fn check(&mut self, store: &Store, extent: Extent) -> Result<()> {
        store.check_bounds(extent, self.what)?;
        self.on_device &= store.is_on_device(extent);
        Ok(())
    }

    /// Whether it is time to read.
    pub(super) fn is_full(&self) -> bool {
        self.parts.len() >= PARTS
    }

    /// Reads everything into `out`; then the batch is empty.
    pub(super) fn read(&mut self, store: &Store, out: &mut [u8]) -> Result<()> {
        let shared = match self.bytes >= WORTH_THREADS {
            true => self.shared(store),
            false => None,
        };
        let parts = slices(self.take(), out);
        let Some(device) = shared else {
            let mut parts = parts;
            return parts
                .try_for_each(|(part, out)| store.read_into(part.from.addr, out, self.what));
        };
        let mut states = vec![(); store.workers.threads()];
        store.workers.each(&mut states, parts, |(), (part, out)| {
            device.read_into(part.from.addr, out)
        })
    }

    /// As [`read`](Self::read), through filters, by many threads where there is a device [for them](Self::for_threads).
    /// Keeps memory as far as `budget` allows.
    pub(super) fn decode(
        &mut self,
        store: &Store,
        pipeline: &Pipeline,
        shared: Option<SharedReads<'_>>,
        out: &mut [u8],
        budget: usize,
    ) -> Result<()> {
        let (workers, what) = (&store.workers, self.what);
        let threads = match shared {
            Some(_) => workers.threads().min(self.parts.len()),
            None => 1,
        };
        let mut buffers: Vec<_> = (0..threads).map(|_| Buffers::take(workers)).collect();
        let mut parts = slices(self.take(), out);
        let result = match (shared, buffers.first_mut()) {
            (Some(device), _) => workers.each(&mut buffers, parts, |buffers, (part, out)| {
                let read = |at, bytes: &mut [u8]| device.read_into(at, bytes);
                part.decode(read, pipeline, out, buffers)
            }),
            (None, Some(buffers)) => parts.try_for_each(|(part, out)| {
                let read = |at, bytes: &mut [u8]| store.read_into(at, bytes, what);
                part.decode(read, pipeline, out, buffers)
            }),
            (None, None) => Ok(()),
        };
        for buffers in buffers {
            buffers.keep(workers, budget);
        }
        result
    }

    /// The device for many threads, where it is one for them and decoding is worth it.
    pub(super) fn for_threads<'a>(&self, store: &'a Store) -> Option<SharedReads<'a>> {
        match self.bytes >= WORTH_DECODING {
            true => self.shared(store),
            false => None,
        }
    }

    fn shared<'a>(&self, store: &'a Store) -> Option<SharedReads<'a>> {
        match self.parts.len() > 1 && self.on_device && !store.workers.is_serial() {
            true => store.shared_reads(),
            false => None,
        }
    }

    /// The parts; then the batch is empty.
    pub(super) fn take(&mut self) -> Vec<Part> {
        (self.bytes, self.on_device) = (0, true);
        core::mem::take(&mut self.parts)
    }
}

/// Each part with its place in `out`.
fn slices(parts: Vec<Part>, out: &mut [u8]) -> impl Iterator<Item = (Part, &mut [u8])> {
    let (mut rest, mut start) = (out, 0);
    parts.into_iter().map(move |part| {
        let (_, from) = core::mem::take(&mut rest).split_at_mut(part.to.start - start);
        let (own, after) = from.split_at_mut(part.to.len());
        (rest, start) = (after, part.to.end);
        (part, own)
    })
}

impl Part {
    fn decode(
        &self,
        read: impl Fn(Addr, &mut [u8]) -> Result<()>,
        pipeline: &Pipeline,
        out: &mut [u8],
        buffers: &mut Buffers,
    ) -> Result<()> {
        // The length has been checked against that of the file.
        read(self.from.addr, buffers.stored(self.from.len as usize))?;
        pipeline
            .decode_into(&buffers.stored, self.mask, out, &mut buffers.scratch)
            .map_err(|error| error.at(self.from.addr.get()))
    }
}
