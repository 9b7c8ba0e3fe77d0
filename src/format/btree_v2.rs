//! III.A.2. Version 2 B-trees: the header and the nodes.
//!
//! ```text
//! header (BTHD), widths 8: 38 bytes           node of node_size bytes
//!   0   4  signature  "BTHD"                    0   4  signature  "BTIN" (internal) or "BTLF" (leaf)
//!   4   1  version 0                            4   1  version 0
//!   5   1  type                                 5   1  type
//!   6   4  node size                            6   .  records, record_size bytes each
//!  10   2  record size                          internal only, one more than there are records:
//!  12   2  depth                                +   O    child node address
//!  14   1  split percent                        +   n    number of records of the child
//!  15   1  merge percent                        +   t    total number of records below (not where the child is a leaf)
//!  16   O  root node address                    +   4  checksum
//!   +   2  number of records in the root        +   .  zeros
//!   +   L  total number of records
//!   +   4  checksum
//! ```
//!
//! A node does not say how many records it has: its parent does. The widths n and t follow from the largest counts
//! that are possible, see [`Geometry`].

use crate::bytes::{Addr, Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec::Vec;

pub(crate) const HEADER: &str = "version 2 B-tree header";
pub(crate) const NODE: &str = "version 2 B-tree node";

/// The largest type of a tree: filtered dataset chunks.
const MAX_KIND: u8 = 11;
/// A node's signature, version, type and checksum.
const NODE_OVERHEAD: u32 = 10;
/// No writer makes nodes of more than a few KiB; a larger size would be an allocation out of proportion.
const MAX_NODE_SIZE: u32 = 1 << 24;
/// The depth beyond which a tree cannot be honest.
pub(crate) const MAX_DEPTH: u16 = 16;

/// What a tree is created with, and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The type of the records, 1 to 11.
    pub(crate) kind: u8,
    pub(crate) node_size: u32,
    pub(crate) record_size: u16,
    /// A node that is this full is split before a record is added, in percent.
    pub(crate) split_percent: u8,
    /// A node below this is merged with a neighbour, in percent.
    pub(crate) merge_percent: u8,
}

/// A node as its parent knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) addr: Addr,
    /// The number of records in the node.
    pub(crate) records: u16,
    /// The number of records in the node and all nodes below.
    pub(crate) total: u64,
}

/// "Version 2 B-tree Header".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) shape: Shape,
    /// 0 where the root is a leaf.
    pub(crate) depth: u16,
    /// `None` where the tree has no records.
    pub(crate) root: Option<Pointer>,
}

impl Header {
    pub(crate) fn size(widths: Widths) -> u64 {
        22 + u64::from(widths.offset) + u64::from(widths.length)
    }

    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::with_capacity(38);
        out.put_bytes(b"BTHD");
        out.put_u8(0);
        out.put_u8(self.shape.kind);
        out.put_u32(self.shape.node_size);
        out.put_u16(self.shape.record_size);
        out.put_u16(self.depth);
        out.put_u8(self.shape.split_percent);
        out.put_u8(self.shape.merge_percent);
        out.put_addr(self.root.map(|root| root.addr), widths);
        out.put_u16(self.root.map_or(0, |root| root.records));
        out.put_len(self.root.map_or(0, |root| root.total), widths);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, HEADER, offset);
        take.signature(b"BTHD")?;
        take.version(0)?;
        let shape = Shape {
            kind: take.u8()?,
            node_size: take.u32()?,
            record_size: take.u16()?,
            split_percent: 0,
            merge_percent: 0,
        };
        let depth = take.u16()?;
        let shape = Shape {
            split_percent: take.u8()?,
            merge_percent: take.u8()?,
            ..shape
        };
        let addr = take.addr(widths)?;
        let records = take.u16()?;
        let total = take.len(widths)?;
        take.checksum()?;
        if shape.kind == 0 || shape.kind > MAX_KIND {
            return Err(take.error("unknown type of records"));
        }
        if depth > MAX_DEPTH {
            return Err(
                Error::limit("the depth of a B-tree", depth.into(), MAX_DEPTH.into()).at(offset),
            );
        }
        let root = match addr {
            Some(addr) => Some(Pointer {
                addr,
                records,
                total,
            }),
            None if total != 0 || records != 0 || depth != 0 => {
                return Err(take.error("it has records, but no root"));
            }
            None => None,
        };
        Ok(Self { shape, depth, root })
    }
}

/// The record counts of the nodes of one depth; depth 0 are the leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// What fits into a node.
    pub(crate) max: u16,
    /// What a node holds at the most before it is split.
    pub(crate) full: u16,
    /// What a node other than the root holds at the least.
    pub(crate) least: u16,
    /// What fits into a node and all below it.
    total_max: u64,
    /// The bytes of a count up to `total_max`; 0 for leaves, whose total is their own count.
    total_width: u8,
}

/// The record counts of every depth and the widths of the counts, computed from the shape as libhdf5 does.
#[derive(Debug, Clone)]
pub(crate) struct Geometry {
    shape: Shape,
    levels: Vec<Level>,
}

impl Geometry {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            levels: Vec::new(),
        }
    }

    /// Computes the depths up to `depth`, which fails where no such node is possible.
    pub(crate) fn grow(&mut self, depth: u16, widths: Widths) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(
                "the depth of a B-tree",
                depth.into(),
                MAX_DEPTH.into(),
            ));
        }
        while self.levels.len() <= usize::from(depth) {
            let level = self.next_level(widths)?;
            self.levels.push(level);
        }
        Ok(())
    }

    fn next_level(&self, widths: Widths) -> Result<Level> {
        let shape = self.shape;
        let max_node = u64::from(MAX_NODE_SIZE);
        if shape.node_size > MAX_NODE_SIZE {
            let size = u64::from(shape.node_size);
            return Err(Error::limit("the node size of a B-tree", size, max_node));
        }
        let record = u32::from(shape.record_size);
        let too_small = || Error::corrupt(HEADER, "a node holds fewer than two records");
        if record == 0 {
            return Err(Error::corrupt(HEADER, "the record size is 0"));
        }
        let below = self.levels.last();
        let pointer = match below {
            Some(below) => {
                u32::from(widths.offset)
                    + u32::from(self.count_width())
                    + u32::from(below.total_width)
            }
            None => 0,
        };
        let space = shape
            .node_size
            .checked_sub(NODE_OVERHEAD + pointer)
            .ok_or_else(too_small)?;
        let max = u16::try_from(space / (record + pointer))
            .map_err(|_| Error::corrupt(HEADER, "a node holds more than 65,535 records"))?;
        if max < 2 {
            return Err(too_small());
        }
        let percent = |percent: u8| (u32::from(max) * u32::from(percent) / 100) as u16;
        let full = percent(shape.split_percent.min(100)).max(2);
        let (total_max, total_width) = match below {
            None => (u64::from(max), 0),
            Some(below) => {
                let total = (u64::from(max) + 1)
                    .checked_mul(below.total_max)
                    .and_then(|total| total.checked_add(max.into()))
                    .ok_or_else(|| Error::corrupt(HEADER, "the tree is too deep for its nodes"))?;
                (total, width_of(total))
            }
        };
        Ok(Level {
            max,
            full,
            least: percent(shape.merge_percent.min(100)).clamp(1, ((full - 1) / 2).max(1)),
            total_max,
            total_width,
        })
    }

    /// The level of `depth`, which [`grow`](Self::grow) has reached.
    pub(crate) fn level(&self, depth: u16) -> Result<&Level> {
        self.levels
            .get(usize::from(depth))
            .ok_or_else(|| Error::corrupt(NODE, "stands deeper than its tree"))
    }

    /// The bytes of a node's record count: leaves hold the most.
    fn count_width(&self) -> u8 {
        self.levels
            .first()
            .map_or(1, |leaf| width_of(leaf.max.into()))
    }

    /// Encodes a node at `depth`; `children` is empty for a leaf, else it has one more than there are records.
    pub(crate) fn encode_node(
        &self,
        depth: u16,
        records: &[u8],
        children: impl Iterator<Item = Pointer>,
        widths: Widths,
    ) -> Result<Vec<u8>> {
        let size = self.shape.node_size as usize;
        let mut out = Vec::with_capacity(size);
        out.put_bytes(if depth == 0 { b"BTLF" } else { b"BTIN" });
        out.put_u8(0);
        out.put_u8(self.shape.kind);
        out.put_bytes(records);
        if depth > 0 {
            let total_width = self.level(depth - 1)?.total_width;
            for child in children {
                out.put_addr(Some(child.addr), widths);
                out.put_uint(child.records.into(), self.count_width());
                if total_width > 0 {
                    out.put_uint(child.total, total_width);
                }
            }
        }
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        debug_assert!(out.len() <= size, "a node of {} records", records.len());
        out.resize(size, 0);
        Ok(out)
    }

    /// Decodes the node at `depth` that `pointer` names: its records, and its children where it is internal.
    pub(crate) fn decode_node<'a>(
        &self,
        bytes: &'a [u8],
        depth: u16,
        pointer: Pointer,
        widths: Widths,
    ) -> Result<(&'a [u8], Vec<Pointer>)> {
        let mut take = Take::new(bytes, NODE, pointer.addr.get());
        let level = self.level(depth)?;
        if pointer.records > level.max {
            return Err(take.error("more records than fit into a node"));
        }
        take.signature(if depth == 0 { b"BTLF" } else { b"BTIN" })?;
        take.version(0)?;
        if take.u8()? != self.shape.kind {
            return Err(take.error("another type than its header"));
        }
        let count = usize::from(pointer.records);
        let records = take.bytes(count * usize::from(self.shape.record_size))?;
        let mut children = Vec::new();
        let mut total = u64::from(pointer.records);
        if depth > 0 {
            if count == 0 {
                return Err(take.error("an internal node without records"));
            }
            let below = self.level(depth - 1)?;
            children.reserve_exact(count + 1);
            for _ in 0..=count {
                let addr = take.defined_addr(widths)?;
                let records = take.uint(self.count_width())?;
                let records = u16::try_from(records)
                    .ok()
                    .filter(|&records| records <= below.max)
                    .ok_or_else(|| take.error("a child has more records than fit into a node"))?;
                let below_total = match below.total_width {
                    0 => u64::from(records),
                    width => take.uint(width)?,
                };
                total = total
                    .checked_add(below_total)
                    .ok_or_else(|| take.error("the record counts overflow"))?;
                children.push(Pointer {
                    addr,
                    records,
                    total: below_total,
                });
            }
        }
        take.checksum()?;
        if total != pointer.total {
            return Err(take.error("the record counts of a node and of its parent differ"));
        }
        Ok((records, children))
    }
}

/// The bytes it takes to write counts up to `limit`.
fn width_of(limit: u64) -> u8 {
    (limit.max(1).ilog2() / 8 + 1) as u8
}

#[cfg(test)]
mod tests;
