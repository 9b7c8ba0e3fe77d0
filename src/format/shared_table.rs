//! III.I. The shared message table: which messages may be shared, and where they are.
//!
//! ```text
//! table (SMTB)                                     list (SMLI)
//!   0   4  signature  "SMTB"                         0   4  signature  "SMLI"
//!   for every index:                                 then records of 5 + 4 + max(8, 4 + O) bytes
//!   +   1  version of the list: 0                      0   1  location: 0 heap, 1 object header
//!   +   1  kind: 0 list, 1 version 2 B-tree            1   4  hash of the message
//!   +   2  kinds of messages, one bit each             in the heap:
//!   +   4  smallest message that is shared             5   4  reference count
//!   +   2  a list is kept up to so many                9   8  heap ID
//!   +   2  a tree is kept down to so many              in an object header:
//!   +   2  number of messages                          5   1  reserved
//!   +   O  address of the list or tree                 6   1  kind of message
//!   +   O  address of the fractal heap                 7   2  which of that kind in its header
//!   +   4  checksum                                    9   O  object header address
//!                                                    +   4  checksum, right behind the records in use
//! ```

use crate::bytes::{Addr, Take, Widths};
#[cfg(test)]
use crate::bytes::{Put, lookup3};
use crate::error::Result;
use crate::format::message::kind;
use crate::format::message::shared::HEAP_ID;
use alloc::vec::Vec;

const TABLE: &str = "shared message table";
const LIST: &str = "shared message list";

const IN_HEAP: u8 = 0;
const IN_HEADER: u8 = 1;

/// One index of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Index {
    /// Whether the records are in a version 2 B-tree, not in a list.
    pub(crate) is_tree: bool,
    /// The kinds of messages, bit `n` for kind `n`.
    pub(crate) kinds: u16,
    pub(crate) min_size: u32,
    pub(crate) list_max: u16,
    pub(crate) tree_min: u16,
    pub(crate) messages: u16,
    /// Where the records are, once there are any.
    pub(crate) records: Option<Addr>,
    /// The fractal heap, once there are any messages.
    pub(crate) heap: Option<Addr>,
}

/// The table of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Table {
    pub(crate) indexes: Vec<Index>,
}

impl Table {
    /// The size of a table of so many indexes.
    pub(crate) fn size(indexes: u8, widths: Widths) -> u64 {
        8 + u64::from(indexes) * (14 + 2 * u64::from(widths.offset))
    }

    #[cfg(test)]
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_bytes(b"SMTB");
        for index in &self.indexes {
            out.put_u8(0);
            out.put_u8(u8::from(index.is_tree));
            out.put_u16(index.kinds);
            out.put_u32(index.min_size);
            out.put_u16(index.list_max);
            out.put_u16(index.tree_min);
            out.put_u16(index.messages);
            out.put_addr(index.records, widths);
            out.put_addr(index.heap, widths);
        }
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    /// Decodes a table of `indexes`, a number that its message tells.
    pub(crate) fn decode(bytes: &[u8], indexes: u8, widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, TABLE, offset);
        take.signature(b"SMTB")?;
        let mut table = Self::default();
        for _ in 0..indexes {
            take.version(0)?;
            let is_tree = match take.u8()? {
                0 => false,
                1 => true,
                _ => return Err(take.error("unknown kind of index")),
            };
            table.indexes.push(Index {
                is_tree,
                kinds: take.u16()?,
                min_size: take.u32()?,
                list_max: take.u16()?,
                tree_min: take.u16()?,
                messages: take.u16()?,
                records: take.addr(widths)?,
                heap: take.addr(widths)?,
            });
        }
        take.checksum()?;
        Ok(table)
    }

    /// The index for messages of one kind.
    pub(crate) fn index_of(&self, kind: u8) -> Option<&Index> {
        // An old fill value message counts as a new one.
        let kind = match kind {
            kind::FILL_VALUE_OLD => kind::FILL_VALUE,
            kind => kind,
        };
        let bit = 1u16.checked_shl(kind.into())?;
        self.indexes.iter().find(|index| index.kinds & bit != 0)
    }
}

/// Where a message is that an index knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Heap {
        count: u32,
        id: [u8; HEAP_ID],
    },
    /// In an object header, because it is the only one so far.
    Header {
        kind: u8,
        number: u16,
        addr: Addr,
    },
}

/// A record of a list, or of a version 2 B-tree of type 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) hash: u32,
    pub(crate) location: Location,
}

impl Record {
    pub(crate) fn size(widths: Widths) -> usize {
        5 + 12.max(4 + usize::from(widths.offset))
    }

    #[cfg(test)]
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(match self.location {
            Location::Heap { .. } => IN_HEAP,
            Location::Header { .. } => IN_HEADER,
        });
        out.put_u32(self.hash);
        match self.location {
            Location::Heap { count, id } => {
                out.put_u32(count);
                out.put_bytes(&id);
            }
            Location::Header { kind, number, addr } => {
                out.put_u8(0);
                out.put_u8(kind);
                out.put_u16(number);
                out.put_addr(Some(addr), widths);
            }
        }
        out.resize(Self::size(widths), 0);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, LIST, offset);
        let location = take.u8()?;
        let hash = take.u32()?;
        let location = match location {
            IN_HEAP => Location::Heap {
                count: take.u32()?,
                id: take.array()?,
            },
            IN_HEADER => {
                take.skip(1)?;
                Location::Header {
                    kind: take.u8()?,
                    number: take.u16()?,
                    addr: take.defined_addr(widths)?,
                }
            }
            _ => return Err(take.error("unknown location of a message")),
        };
        Ok(Self { hash, location })
    }
}

/// The size of a list that holds up to `max` records.
pub(crate) fn list_size(max: u16, widths: Widths) -> u64 {
    8 + u64::from(max) * Record::size(widths) as u64
}

/// The records of a list, in `size` bytes.
#[cfg(test)]
pub(crate) fn encode_list(records: &[Record], size: u64, widths: Widths) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_bytes(b"SMLI");
    for record in records {
        out.put_bytes(&record.encode(widths));
    }
    let checksum = lookup3(&out);
    out.put_u32(checksum);
    out.resize(size as usize, 0);
    out
}

/// The `count` records of a list.
pub(crate) fn decode_list(
    bytes: &[u8],
    count: u16,
    widths: Widths,
    offset: u64,
) -> Result<Vec<Record>> {
    let mut take = Take::new(bytes, LIST, offset);
    take.signature(b"SMLI")?;
    let size = Record::size(widths);
    let records = take.bytes(size * usize::from(count))?;
    take.checksum()?;
    records
        .chunks_exact(size)
        .map(|record| Record::decode(record, widths, offset))
        .collect()
}

#[cfg(test)]
mod tests;
