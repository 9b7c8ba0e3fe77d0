//! Direct blocks that still have room at their end.
//!
//! A heap of ours has no free-space manager, so a direct block says itself how far it is used: while its last 12 bytes
//! are free they hold a stamp, which other libraries take for what it is, free space.
//!
//! ```text
//! -12  4  "fill"
//!  -8  4  the end of the last object, from the start of the block
//!  -4  4  checksum over heap address (8), block offset (8) and the two fields above
//! ```

use super::tree::{Block, Heap};
use crate::bytes::{Put, lookup3};
use crate::error::Result;
use crate::store::Store;
use alloc::vec::Vec;

const STAMP_SIZE: usize = 12;

/// An object of a few bytes wastes less than a block kept open for it.
const MIN_ROOM: usize = 24;

/// A direct block that takes new objects.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) block: Block,
    pub(super) bytes: Vec<u8>,
    used: usize,
    /// Up to here the block has been handed to the store.
    written: usize,
}

impl Tail {
    /// A block that has just been made.
    pub(super) fn new(block: Block, prefix: Vec<u8>) -> Self {
        let used = prefix.len();
        let mut bytes = prefix;
        bytes.resize(block.size as usize, 0);
        Self {
            block,
            bytes,
            used,
            written: 0,
        }
    }

    /// Takes up a block of an earlier session, where its stamp tells how far it is used.
    pub(super) fn resume(block: Block, bytes: Vec<u8>, heap: Heap<'_>) -> Option<Self> {
        let stamp = bytes.get(bytes.len().checked_sub(STAMP_SIZE)?..)?;
        let used = u32::from_le_bytes(stamp[4..8].try_into().ok()?) as usize;
        let overhead = heap.header.direct_overhead(heap.widths) as usize;
        let fits = used >= overhead && used <= bytes.len() - STAMP_SIZE;
        (fits && stamp == stamp_of(heap, block.offset, used)).then_some(Self {
            block,
            bytes,
            used,
            written: used,
        })
    }

    pub(super) fn room(&self) -> usize {
        self.bytes.len() - self.used
    }

    pub(super) fn is_worth_keeping(&self) -> bool {
        self.room() >= MIN_ROOM
    }

    /// Appends an object that fits; returns its offset in the heap.
    pub(super) fn push(&mut self, object: &[u8]) -> u64 {
        let start = self.used;
        self.used += object.len();
        self.bytes[start..self.used].copy_from_slice(object);
        self.block.offset + start as u64
    }

    /// Hands what is new to the store: the whole block where it is fresh, else the bytes no committed ID names.
    pub(super) fn flush(&mut self, store: &mut Store, heap: Heap<'_>) -> Result<()> {
        if self.written == self.used {
            return Ok(());
        }
        let boundary = self.bytes.len() - STAMP_SIZE.min(self.bytes.len());
        let stamped = self.used <= boundary;
        if stamped {
            let stamp = stamp_of(heap, self.block.offset, self.used);
            self.bytes[boundary..].copy_from_slice(&stamp);
        }
        let addr = self.block.addr;
        if store.is_fresh(self.block.extent()) {
            store.stage(addr, self.bytes.clone())?;
        } else {
            // In two pieces, so that objects which grow into the stamp replace it.
            let end = if stamped { self.bytes.len() } else { self.used };
            let first = self.written..self.used.min(boundary);
            let second = self.written.max(boundary)..end;
            for piece in [first, second] {
                if !piece.is_empty() {
                    store.fill_in(addr.plus(piece.start as u64), &self.bytes[piece])?;
                }
            }
        }
        self.written = self.used;
        Ok(())
    }
}

fn stamp_of(heap: Heap<'_>, offset: u64, used: usize) -> Vec<u8> {
    let mut stamp = Vec::with_capacity(STAMP_SIZE);
    stamp.put_bytes(b"fill");
    stamp.put_u32(used as u32);
    let mut signed = stamp.clone();
    signed.put_u64(heap.at.get());
    signed.put_u64(offset);
    stamp.put_u32(lookup3(&signed));
    stamp
}
