//! III.A.1. The version 1 B-tree, as the index of chunks: nodes of type 1.
//!
//! ```text
//! node, for 2K entries:
//!   0   4  signature "TREE"
//!   4   1  node type: 1
//!   5   1  node level; the children of level 0 are chunks
//!   6   2  entries used
//!   8   O  address of the left sibling
//!   +   O  address of the right sibling
//! for each entry used:
//!   +   n  key: the first chunk in or below the child
//!   +   O  address of the child
//! and, where there are entries:
//!   +   n  key: behind whatever is in or below the last child
//! key, for d axes:
//!   0   4  size of the chunk
//!   4   4  mask of the filters left out
//!   8  8*d offset of the chunk in the dataset, in elements
//!   +   8  0: the offset in an element
//! ```

use crate::bytes::{Addr, Put, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;
use core::cmp::Ordering;

pub(crate) const NODE: &str = "version 1 B-tree node";

const TYPE: u8 = 1;

/// What every node of a tree shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Axes of the dataset.
    pub(crate) rank: u8,
    pub(crate) k: u16,
}

impl Shape {
    /// The most entries of a node.
    pub(crate) fn capacity(self) -> usize {
        2 * usize::from(self.k)
    }

    pub(crate) fn key_size(self) -> usize {
        16 + 8 * usize::from(self.rank)
    }

    pub(crate) fn node_size(self, widths: Widths) -> u64 {
        let (capacity, key, addr) = (self.capacity(), self.key_size(), usize::from(widths.offset));
        (8 + 2 * addr + capacity * addr + (capacity + 1) * key) as u64
    }

    /// Refuses what no file can have.
    pub(crate) fn check(self) -> Result<()> {
        match self.k {
            0 => Err(Error::corrupt(NODE, "K is 0")),
            // The number of entries has 16 bits.
            k if k > u16::MAX / 2 => Err(Error::corrupt(NODE, "K exceeds 32767")),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: u8,
    pub(crate) left: Option<Addr>,
    pub(crate) right: Option<Addr>,
    /// One behind the other: one more than there are children, or none.
    pub(crate) keys: Vec<u8>,
    pub(crate) children: Vec<Addr>,
}

impl Node {
    pub(crate) fn encode(&self, shape: Shape, widths: Widths) -> Vec<u8> {
        let size = shape.node_size(widths) as usize;
        let mut out = Vec::with_capacity(size);
        out.put_bytes(b"TREE");
        out.put_u8(TYPE);
        out.put_u8(self.level);
        out.put_u16(self.children.len() as u16);
        out.put_addr(self.left, widths);
        out.put_addr(self.right, widths);
        let mut keys = self.keys.chunks_exact(shape.key_size());
        for (key, child) in keys.by_ref().zip(&self.children) {
            out.put_bytes(key);
            out.put_addr(Some(*child), widths);
        }
        let last = self.keys.len().saturating_sub(shape.key_size());
        out.put_bytes(&self.keys[last..]);
        debug_assert!(out.len() <= size);
        out.resize(size, 0);
        out
    }

    /// Decodes a node of `level`, or of any.
    pub(crate) fn decode(
        bytes: &[u8],
        shape: Shape,
        level: Option<u8>,
        widths: Widths,
        offset: u64,
    ) -> Result<Self> {
        let mut take = Take::new(bytes, NODE, offset);
        take.signature(b"TREE")?;
        if take.u8()? != TYPE {
            return Err(take.error("not a node of chunks"));
        }
        let found = take.u8()?;
        if level.is_some_and(|level| level != found) {
            return Err(take.error("its level is not that below its parent's"));
        }
        let count = usize::from(take.u16()?);
        if count > shape.capacity() {
            return Err(take.error("more entries than a node has room for"));
        }
        let (left, right) = (take.addr(widths)?, take.addr(widths)?);
        let size = shape.key_size();
        let mut keys = Vec::with_capacity((count + 1) * size);
        let mut children = Vec::with_capacity(count);
        for index in 0..count {
            let key = take.bytes(size)?;
            if index > 0 && compare(&keys[(index - 1) * size..], key) != Ordering::Less {
                return Err(take.error("its keys do not ascend"));
            }
            keys.put_bytes(key);
            children.push(take.defined_addr(widths)?);
        }
        if count > 0 {
            keys.put_bytes(take.bytes(size)?);
        }
        Ok(Self {
            level: found,
            left,
            right,
            keys,
            children,
        })
    }
}

/// Appends a key.
pub(crate) fn put_key(out: &mut Vec<u8>, size: u32, mask: u32, offsets: impl Iterator<Item = u64>) {
    out.put_u32(size);
    out.put_u32(mask);
    offsets.for_each(|offset| out.put_u64(offset));
    out.put_u64(0);
}

/// The size and the mask of a key.
pub(crate) fn chunk_of(key: &[u8]) -> (u32, u32) {
    let word = |at: usize| {
        let bytes = key.get(at..).and_then(|rest| rest.first_chunk());
        u32::from_le_bytes(*bytes.unwrap_or(&[0; 4]))
    };
    (word(0), word(4))
}

/// The offsets of a key, that in an element included.
pub(crate) fn offsets(key: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let words = key.get(8..).unwrap_or(&[]).as_chunks().0;
    words.iter().map(|word| u64::from_le_bytes(*word))
}

/// How the offsets of two keys compare; of `a`, bytes behind the key do not matter.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    offsets(&a[..a.len().min(b.len())]).cmp(offsets(b))
}

#[cfg(test)]
pub(crate) mod tests;
