//! What a later session has to know of an object, kept in the data of a NIL message of its body, which every reader
//! skips: the body's other slot, room for cells in the object's sector, and free space.
//!
//! ```text
//!   0   4  "h5qS"
//!   4   2  number of extents of room
//!   6   2  number of spare extents
//!   8   8  address of the object's cell
//!  16   8  address of this body
//!  24   8  address of the other slot, all ones: none
//!  32   8  length of the other slot
//!  40      room, then spare extents: address 8, length 8 each; the highest bit of a length: in a page of raw data
//!   +   4  crc32 of everything before
//! ```
//!
//! It is believed only where the body's checksum is right, the record names the cell and the body it was found in
//! (a copy made by another writer does not), and, for room and spare space, the file's stamp says that no other
//! writer has moved the end of the file. Space listed here belongs to this object: it is given out again only by a
//! commit that also rewrites this object without the entry. The other slot is believed only where the old body of
//! this same object still stands in it.

use crate::bytes::{Addr, Extent, Put, Take, UNDEFINED};
use crate::store::Class;
use alloc::vec::Vec;

const MAGIC: &[u8; 4] = b"h5qS";
const FIXED: usize = 44;

/// Set in the length of a spare extent in a page of raw data.
const RAW: u64 = 1 << 63;

/// More would make every body long; the largest are kept.
pub(crate) const MAX_SPARE: usize = 24;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) other: Option<Extent>,
    pub(crate) room: Vec<Extent>,
    pub(crate) spare: Vec<(Extent, Class)>,
}

impl Record {
    pub(crate) fn size(&self) -> usize {
        FIXED + 16 * (self.room.len() + self.spare.len())
    }

    pub(crate) fn encode(&self, cell: Addr, body: Addr) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        out.put_bytes(MAGIC);
        out.put_u16(self.room.len() as u16);
        out.put_u16(self.spare.len() as u16);
        out.put_u64(cell.get());
        out.put_u64(body.get());
        out.put_u64(self.other.map_or(UNDEFINED, |other| other.addr.get()));
        out.put_u64(self.other.map_or(0, |other| other.len));
        for extent in &self.room {
            out.put_u64(extent.addr.get());
            out.put_u64(extent.len);
        }
        for (extent, class) in &self.spare {
            out.put_u64(extent.addr.get());
            let raw = if *class == Class::Raw { RAW } else { 0 };
            out.put_u64(extent.len | raw);
        }
        let crc = crc32fast::hash(&out);
        out.put_u32(crc);
        out
    }

    /// The record at the start of a NIL message's data, where it is whole and speaks of this cell and body.
    pub(crate) fn decode(data: &[u8], cell: Addr, body: Addr) -> Option<Self> {
        let mut take = Take::new(data, "record", 0);
        take.signature(MAGIC).ok()?;
        let room = usize::from(take.u16().ok()?);
        let spare = usize::from(take.u16().ok()?);
        if take.u64().ok()? != cell.get() || take.u64().ok()? != body.get() {
            return None;
        }
        let other = (take.u64().ok()?, take.u64().ok()?);
        let mut record = Self {
            other: (other.0 != UNDEFINED).then(|| Extent::new(Addr::new(other.0), other.1)),
            ..Self::default()
        };
        for _ in 0..room {
            let addr = Addr::new(take.u64().ok()?);
            record.room.push(Extent::new(addr, take.u64().ok()?));
        }
        for _ in 0..spare {
            let addr = Addr::new(take.u64().ok()?);
            let len = take.u64().ok()?;
            let class = if len & RAW == 0 {
                Class::Metadata
            } else {
                Class::Raw
            };
            record.spare.push((Extent::new(addr, len & !RAW), class));
        }
        let crc = crc32fast::hash(&data[..take.position()]);
        (take.u32().ok()? == crc).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_record_is_believed_only_where_it_was_written() {
        let record = Record {
            other: Some(Extent::new(Addr::new(4096), 256)),
            room: vec![Extent::new(Addr::new(700), 62)],
            spare: vec![
                (Extent::new(Addr::new(9000), 2048), Class::Metadata),
                (Extent::new(Addr::new(16384), 100), Class::Raw),
            ],
        };
        let (cell, body) = (Addr::new(512), Addr::new(2048));
        let mut bytes = record.encode(cell, body);
        assert_eq!(bytes.len(), record.size());
        bytes.extend([0; 20]);
        assert_eq!(Record::decode(&bytes, cell, body), Some(record));
        assert_eq!(Record::decode(&bytes, cell, cell), None, "a copy elsewhere");
        bytes[40] ^= 1;
        assert_eq!(Record::decode(&bytes, cell, body), None);
    }
}
