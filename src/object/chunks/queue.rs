//! Chunks on their way through the filters.
//!
//! A whole chunk is handed to the [workers](Workers) and gets its place in the file once it is its turn: in the order in
//! which chunks were handed over, and so far behind the newest as the size of a chunk says. So the file is the same
//! whatever the number of threads. A chunk that is on its way is neither in the cache nor in the index; whoever needs it
//! settles the queue first.

use crate::error::Result;
use crate::filter::{Pipeline, Scratch};
use crate::workers::{Pending, Spares, Workers};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The chunks on their way hold about so many bytes.
const BYTES: usize = 8 << 20;

/// So many are on their way at the most.
const CHUNKS: usize = 64;

/// Chunks beyond this size are not copied: they are filtered at once.
const LARGE: usize = 32 << 20;

/// Filtering less is not worth another thread. The tests of the library have small chunks.
const SMALL: usize = if cfg!(test) { 1 } else { 4 << 10 };

/// The stored bytes of a chunk, with its filter mask.
type Encoded = Result<(Vec<u8>, u32)>;

fn encode(pipeline: &Pipeline, chunk: &[u8], spares: &Spares) -> Encoded {
    let mut scratch = Scratch::new(spares.take(), spares.take());
    let encoded = pipeline.encode_taking(chunk, &mut scratch);
    let (bytes, spare) = scratch.into_parts();
    [bytes, spare]
        .into_iter()
        .for_each(|memory| spares.keep(memory));
    encoded
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    jobs: VecDeque<(Box<[u64]>, Pending<Encoded>)>,
    /// How many may be on their way.
    most: usize,
    chunk_bytes: usize,
}

impl Queue {
    pub(super) fn new(chunk_bytes: usize) -> Self {
        let most = match chunk_bytes {
            SMALL..=LARGE => (BYTES / chunk_bytes).clamp(2, CHUNKS),
            _ => 0,
        };
        Self {
            jobs: VecDeque::new(),
            most,
            chunk_bytes,
        }
    }

    /// Whether chunks of this size go through the queue.
    pub(super) fn is_used(&self) -> bool {
        self.most > 0
    }

    /// How many may be on their way.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The memory that the chunks take.
    pub(super) fn bytes(&self) -> usize {
        self.jobs.len() * self.chunk_bytes
    }

    pub(super) fn contains(&self, at: &[u64]) -> bool {
        self.jobs.iter().any(|(place, _)| **place == *at)
    }

    pub(super) fn push(
        &mut self,
        workers: &Workers,
        pipeline: &Pipeline,
        at: &[u64],
        chunk: Cow<'_, [u8]>,
    ) {
        let spares = workers.spares.clone();
        let encoded = if workers.is_serial() {
            let encoded = encode(pipeline, &chunk, &spares);
            if let Cow::Owned(chunk) = chunk {
                spares.keep(chunk);
            }
            Pending::ready(encoded)
        } else {
            let pipeline = pipeline.clone();
            let chunk = match chunk {
                Cow::Borrowed(chunk) => {
                    let mut copy = spares.take();
                    copy.clear();
                    copy.extend_from_slice(chunk);
                    copy
                }
                Cow::Owned(chunk) => chunk,
            };
            workers.run(move || {
                let encoded = encode(&pipeline, &chunk, &spares);
                spares.keep(chunk);
                encoded
            })
        };
        self.jobs.push_back((at.into(), encoded));
    }

    /// Whether the oldest chunk has to go before another comes.
    pub(super) fn is_full(&self) -> bool {
        self.jobs.len() >= self.most
    }

    /// The oldest chunk, filtered.
    pub(super) fn pop(&mut self, workers: &Workers) -> Option<(Box<[u64]>, Encoded)> {
        let (at, encoded) = self.jobs.pop_front()?;
        Some((at, encoded.wait(workers)))
    }
}
