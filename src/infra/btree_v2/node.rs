//! A node in memory, and what can be done with a node and its neighbour.

use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::btree_v2::{NODE, Pointer};
use alloc::boxed::Box;
use alloc::vec::Vec;

#[derive(Debug)]
pub(super) struct Node {
    /// The records, one behind the other.
    pub(super) records: Vec<u8>,
    /// One more than there are records, or none in a leaf.
    pub(super) children: Vec<Slot>,
    /// The node differs from what is staged at its address.
    pub(super) dirty: bool,
    /// The operation that used the node last.
    pub(super) tick: u64,
}

/// A child as its parent knows it.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` until the node is staged for the first time.
    pub(super) addr: Option<Addr>,
    pub(super) records: usize,
    /// The records in the node and below.
    pub(super) total: u64,
    pub(super) node: Option<Box<Node>>,
}

impl From<Pointer> for Slot {
    fn from(pointer: Pointer) -> Self {
        Self {
            addr: Some(pointer.addr),
            records: pointer.records.into(),
            total: pointer.total,
            node: None,
        }
    }
}

impl Node {
    pub(super) fn count(&self, size: usize) -> usize {
        self.records.len() / size
    }

    pub(super) fn record(&self, index: usize, size: usize) -> &[u8] {
        &self.records[index * size..(index + 1) * size]
    }

    pub(super) fn insert_record(&mut self, index: usize, record: &[u8]) {
        let at = index * record.len();
        let old_len = self.records.len();
        self.records.extend_from_slice(record);
        if at < old_len {
            self.records.copy_within(at..old_len, at + record.len());
            self.records[at..at + record.len()].copy_from_slice(record);
        }
    }

    pub(super) fn remove_record(&mut self, index: usize, size: usize) -> Vec<u8> {
        self.records
            .drain(index * size..(index + 1) * size)
            .collect()
    }

    /// Puts `record` in the place of another, which is returned.
    pub(super) fn replace_record(&mut self, index: usize, record: &[u8]) -> Vec<u8> {
        let place = &mut self.records[index * record.len()..(index + 1) * record.len()];
        let old = place.to_vec();
        place.copy_from_slice(record);
        old
    }

    fn total(&self, size: usize) -> u64 {
        let below: u64 = self.children.iter().map(|child| child.total).sum();
        self.count(size) as u64 + below
    }
}

impl Slot {
    /// A slot for a node that is not staged yet.
    pub(super) fn fresh(node: Node, size: usize) -> Self {
        Self {
            addr: None,
            records: node.count(size),
            total: node.total(size),
            node: Some(Box::new(node)),
        }
    }

    /// The slot as it is written; the node is staged already.
    pub(super) fn pointer(&self) -> Result<Pointer> {
        match (self.addr, u16::try_from(self.records)) {
            (Some(addr), Ok(records)) => Ok(Pointer {
                addr,
                records,
                total: self.total,
            }),
            _ => Err(Error::corrupt(NODE, "has no place yet")),
        }
    }

    pub(super) fn recount(&mut self, size: usize) {
        if let Some(node) = &self.node {
            self.records = node.count(size);
            self.total = node.total(size);
        }
    }

    /// Forgets unchanged nodes that are neither on the right edge nor used by operation `tick`; counts the others.
    pub(super) fn evict(&mut self, tick: u64, edge: bool, kept: &mut usize) {
        let Some(node) = &mut self.node else {
            return;
        };
        if !node.dirty && !edge && node.tick != tick {
            // What is below an unchanged node is unchanged.
            self.node = None;
            return;
        }
        *kept += 1;
        let last = node.children.len().saturating_sub(1);
        for (index, child) in node.children.iter_mut().enumerate() {
            child.evict(tick, edge && index == last, kept);
        }
    }
}

/// Cuts `left` at record `at`, which becomes the separator; what follows it is the new right node.
pub(super) fn split(left: &mut Node, at: usize, size: usize) -> (Vec<u8>, Node) {
    let mut records = Vec::with_capacity(left.records.capacity());
    records.extend_from_slice(&left.records[(at + 1) * size..]);
    let separator = left.record(at, size).to_vec();
    left.records.truncate(at * size);
    let children = match left.children.is_empty() {
        true => Vec::new(),
        false => left.children.split_off(at + 1),
    };
    let right = Node {
        records,
        children,
        dirty: true,
        tick: left.tick,
    };
    (separator, right)
}

/// Moves the first `count` records of `right` into `left`, through the separator between them.
pub(super) fn move_left(left: &mut Node, separator: &mut [u8], right: &mut Node, count: usize) {
    let size = separator.len();
    let cut = count * size;
    left.records.extend_from_slice(separator);
    left.records.extend_from_slice(&right.records[..cut - size]);
    separator.copy_from_slice(&right.records[cut - size..cut]);
    right.records.drain(..cut);
    if !right.children.is_empty() {
        left.children.extend(right.children.drain(..count));
    }
}

/// Moves the last `count` records of `left` into `right`, through the separator between them.
pub(super) fn move_right(left: &mut Node, separator: &mut [u8], right: &mut Node, count: usize) {
    let size = separator.len();
    let cut = left.records.len() - count * size;
    let mut moved = left.records[cut + size..].to_vec();
    moved.extend_from_slice(separator);
    separator.copy_from_slice(&left.records[cut..cut + size]);
    left.records.truncate(cut);
    right.records.splice(..0, moved);
    if !left.children.is_empty() {
        let from = left.children.len() - count;
        right.children.splice(..0, left.children.drain(from..));
    }
}

/// Appends the separator and all of `right` to `left`.
pub(super) fn merge(left: &mut Node, separator: &[u8], right: &mut Node) {
    left.records.extend_from_slice(separator);
    left.records.append(&mut right.records);
    left.children.append(&mut right.children);
}
