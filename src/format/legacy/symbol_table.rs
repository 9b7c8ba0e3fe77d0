//! III.B and III.C. Symbol table nodes and entries, and the message that names a group's symbol table (IV.A.2.r).
//!
//! ```text
//! a node:                                   an entry:
//!   0   4  signature "SNOD"                   0   L  offset of the name in the local heap
//!   4   1  version: 1                         +   O  address of the object header
//!   5   1  reserved                           +   4  cache type
//!   6   2  number of entries                  +   4  reserved
//!   8   +  the entries; the node has          +  16  scratch: for cache type 1 the addresses of the group's B-tree
//!          room for 2 K of them                      and heap, for 2 the heap offset of a soft link's path (4 bytes)
//!
//! the message:
//!   0   O  address of the B-tree
//!   +   O  address of the local heap
//! ```
//!
//! The specification gives the offset of a name the width of an offset; libhdf5 gives it that of a length.

use crate::bytes::{Addr, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "symbol table";
const SCRATCH: usize = 16;

/// The bytes of a node before its entries.
pub(crate) const NODE_HEADER: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where the name stands in the local heap.
    pub(crate) name: u64,
    pub(crate) header: Option<Addr>,
    pub(crate) cache: Cache,
}

/// What an entry repeats of the object it names, or holds in its place. Nothing relies on what is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Nothing,
    SymbolTable,
    /// A soft link, with the place of its path in the local heap.
    SoftLink(u32),
}

impl Cache {
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::SymbolTable => 1,
            Self::SoftLink(_) => 2,
        }
    }
}

/// Where the symbol table of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) tree: Addr,
    pub(crate) heap: Addr,
}

impl Places {
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, "symbol table message", offset);
        Ok(Self {
            tree: take.defined_addr(widths)?,
            heap: take.defined_addr(widths)?,
        })
    }
}

pub(crate) fn entry_size(widths: Widths) -> usize {
    usize::from(widths.length) + usize::from(widths.offset) + 8 + SCRATCH
}

/// The size of a node with room for `2 * leaf_k` entries.
pub(crate) fn node_size(widths: Widths, leaf_k: u16) -> u64 {
    (NODE_HEADER + 2 * usize::from(leaf_k) * entry_size(widths)) as u64
}

impl Entry {
    pub(crate) fn decode(take: &mut Take<'_>, widths: Widths) -> Result<Self> {
        let name = take.len(widths)?;
        let header = take.addr(widths)?;
        let code = take.u32()?;
        take.skip(4)?;
        let scratch = take.bytes(SCRATCH)?;
        let cache = match code {
            0 => Cache::Nothing,
            1 => Cache::SymbolTable,
            2 => Cache::SoftLink(Take::new(scratch, NAME, 0).u32()?),
            _ => return Err(take.error("unknown cache type")),
        };
        Ok(Self {
            name,
            header,
            cache,
        })
    }
}

/// How many entries the node has whose first [`NODE_HEADER`] bytes, at the least, are given.
pub(crate) fn decode_count(bytes: &[u8], offset: u64) -> Result<usize> {
    let mut take = Take::new(bytes, "symbol table node", offset);
    take.signature(b"SNOD")?;
    take.version(1)?;
    take.skip(1)?;
    Ok(usize::from(take.u16()?))
}

/// The entries of a node, in the order of their names.
pub(crate) fn decode_node(bytes: &[u8], widths: Widths, offset: u64) -> Result<Vec<Entry>> {
    let count = decode_count(bytes, offset)?;
    let mut take = Take::new(bytes, "symbol table node", offset);
    take.skip(NODE_HEADER)?;
    (0..count)
        .map(|_| Entry::decode(&mut take, widths))
        .collect()
}
