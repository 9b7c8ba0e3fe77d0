//! III.A.1. Nodes of the version 1 B-tree that orders a group's symbol table nodes by name.
//!
//! ```text
//!   0   4  signature "TREE"
//!   4   1  node type: 0
//!   5   1  node level: 0 above symbol table nodes
//!   6   2  number of children used
//!   8   O  address of the left sibling
//!   +   O  address of the right sibling
//!   +   L  key 0: the offset of a name in the local heap
//!   +   O  child 0: its names are greater than key 0 and at most key 1
//!   ...
//!   +   L  the last key
//! ```
//!
//! A node has room for 2 K children and one more key.

use crate::bytes::{Addr, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "group B-tree";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) level: u8,
    /// One more than children.
    pub(crate) keys: Vec<u64>,
    pub(crate) children: Vec<Addr>,
}

/// The bytes of a node before its keys.
pub(crate) fn header_size(widths: Widths) -> u64 {
    8 + 2 * u64::from(widths.offset)
}

/// The size of what a node with `children` children uses.
pub(crate) fn used_size(widths: Widths, children: usize) -> u64 {
    let (key, pointer) = (u64::from(widths.length), u64::from(widths.offset));
    header_size(widths) + children as u64 * (key + pointer) + key
}

/// The size of a node with room for `2 * internal_k` children.
pub(crate) fn node_size(widths: Widths, internal_k: u16) -> u64 {
    used_size(widths, 2 * usize::from(internal_k))
}

/// How many children the node has whose first eight bytes, at the least, are given.
pub(crate) fn decode_count(bytes: &[u8], offset: u64) -> Result<usize> {
    let mut take = Take::new(bytes, NAME, offset);
    take.signature(b"TREE")?;
    if take.u8()? != 0 {
        return Err(take.error("the node is not one of a group"));
    }
    take.skip(1)?;
    Ok(usize::from(take.u16()?))
}

pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Node> {
    let count = decode_count(bytes, offset)?;
    let mut take = Take::new(bytes, NAME, offset);
    take.skip(5)?;
    let level = take.u8()?;
    take.skip(2)?;
    let _siblings = (take.addr(widths)?, take.addr(widths)?);
    let mut node = Node {
        level,
        keys: Vec::new(),
        children: Vec::new(),
    };
    for _ in 0..count {
        node.keys.push(take.len(widths)?);
        node.children.push(take.defined_addr(widths)?);
    }
    if count > 0 {
        node.keys.push(take.len(widths)?);
    }
    Ok(node)
}
