//! The chunks of a dataset that are in memory.

use super::Needed;
use crate::error::Result;
use crate::index::ChunkRecord;
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use hashbrown::HashMap;

/// What the cache needs for a chunk besides its bytes, roughly.
const ENTRY: usize = 256;

/// The entries of chunks of this size and more are not counted beside their bytes.
const LARGE: usize = 64 * ENTRY;

/// A chunk in memory, unfiltered.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) data: Vec<u8>,
    /// The bytes that differ from the file.
    pub(super) dirty: Option<Range<usize>>,
    /// So many bytes at the start have not been read from the file, where the chunk is stored raw: rows are appended to
    /// it. None of them is dirty.
    pub(super) missing: usize,
    /// Where the chunk is in the file.
    pub(super) stored: Option<ChunkRecord>,
    /// It could still grow when it was last looked at: written as soon as it is full.
    pub(super) growing: bool,
    used: u64,
}

impl Cached {
    pub(super) fn new(data: Vec<u8>, stored: Option<ChunkRecord>) -> Self {
        Self {
            data,
            dirty: None,
            missing: 0,
            stored,
            growing: false,
            used: 0,
        }
    }

    /// Reads what is missing.
    pub(super) fn complete(&mut self, store: &Store) -> Result<()> {
        if let Some(record) = self.stored
            && self.missing > 0
        {
            let missing = &mut self.data[..self.missing];
            store.read_into(record.extent.addr, missing, "chunk")?;
        }
        self.missing = 0;
        Ok(())
    }

    /// Reads what is missing, as far as it is needed.
    pub(super) fn complete_for(&mut self, needed: Needed, store: &Store) -> Result<()> {
        match needed {
            Needed::Before(start) if start >= self.missing => Ok(()),
            _ => self.complete(store),
        }
    }

    pub(super) fn touch(&mut self, range: Range<usize>) {
        self.dirty = Some(match self.dirty.take() {
            Some(dirty) => dirty.start.min(range.start)..dirty.end.max(range.end),
            None => range,
        });
    }
}

/// Chunks by their scaled coordinates, and how long ago each was used.
#[derive(Debug)]
pub(super) struct Cache {
    chunks: HashMap<Box<[u64]>, Cached>,
    clock: u64,
    /// The memory of one chunk.
    cost: usize,
    /// The memory of a chunk that has gone, for the next.
    spare: Vec<u8>,
}

impl Cache {
    pub(super) fn new(chunk_bytes: usize) -> Self {
        let entry = if chunk_bytes < LARGE { ENTRY } else { 0 };
        Self {
            chunks: HashMap::new(),
            clock: 0,
            cost: chunk_bytes + entry,
            spare: Vec::new(),
        }
    }

    /// The memory that the chunks take.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.len() * self.cost
    }

    /// The memory of one chunk.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn contains(&self, at: &[u64]) -> bool {
        self.chunks.contains_key(at)
    }

    /// The chunk at `at`, all of it; its age stays.
    pub(super) fn get(&mut self, store: &Store, at: &[u64]) -> Result<Option<&Cached>> {
        match self.chunks.get_mut(at) {
            Some(cached) => {
                cached.complete(store)?;
                Ok(Some(cached))
            }
            None => Ok(None),
        }
    }

    /// The chunk at `at`, as used now.
    pub(super) fn get_mut(&mut self, at: &[u64]) -> Option<&mut Cached> {
        self.clock += 1;
        let cached = self.chunks.get_mut(at)?;
        cached.used = self.clock;
        Some(cached)
    }

    pub(super) fn insert(&mut self, at: &[u64], mut cached: Cached) {
        self.clock += 1;
        cached.used = self.clock;
        self.chunks.insert(at.into(), cached);
    }

    /// Takes a chunk out, to be put [back](Self::put_back) as it was.
    pub(super) fn take(&mut self, at: &[u64]) -> Option<(Box<[u64]>, Cached)> {
        self.chunks.remove_entry(at)
    }

    pub(super) fn put_back(&mut self, (at, cached): (Box<[u64]>, Cached)) {
        self.chunks.insert(at, cached);
    }

    pub(super) fn remove(&mut self, at: &[u64]) {
        self.chunks.remove(at);
    }

    /// Keeps the memory of a chunk for the next.
    pub(super) fn recycle(&mut self, data: Vec<u8>) {
        self.spare = data;
    }

    /// Memory of an earlier chunk, with whatever is in it, or none.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.spare)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u64]) -> bool) {
        self.chunks.retain(|at, _| keep(at));
    }

    pub(super) fn clear(&mut self) {
        self.chunks.clear();
    }

    /// Where there are chunks, in order.
    pub(super) fn places(&self) -> Vec<Box<[u64]>> {
        let mut places: Vec<_> = self.chunks.keys().cloned().collect();
        places.sort_unstable();
        places
    }

    /// The places of the chunks used longest ago, in the order of places as an index likes it: as many as leave three
    /// quarters of `budget` taken.
    pub(super) fn oldest(&self, budget: usize) -> Vec<Box<[u64]>> {
        let most = budget / self.cost;
        let kept = most - most / 4;
        let mut by_age: Vec<(u64, &Box<[u64]>)> = self
            .chunks
            .iter()
            .map(|(at, cached)| (cached.used, at))
            .collect();
        by_age.sort_unstable_by_key(|(used, _)| *used);
        by_age.truncate(by_age.len().saturating_sub(kept));
        let mut places: Vec<_> = by_age.into_iter().map(|(_, at)| at.clone()).collect();
        places.sort_unstable();
        places
    }

    /// How many chunks are not in the file.
    pub(super) fn unnamed(&self) -> usize {
        let unnamed = self.chunks.values();
        unnamed.filter(|cached| cached.stored.is_none()).count()
    }
}
