//! The flip record: what a commit over several sectors writes beforehand, so that the next opener can complete it.
//!
//! ```text
//!   0   4  "h5qR"
//!   4   4  number of writes
//!   8   8  generation of the commit it belongs to; 0 in a file of another writer
//!   each write, in order:
//!       8  address of the sector   4  turn   4  crc32 of the sector before   512  the sector after
//!   +   4  crc32 of everything before
//! ```
//!
//! In a file of ours the stamp says where it is (stamp.rs). A file of another writer has no place for that: there it ends
//! with the device, which is longer than the file says, and 16 bytes behind it tell it from anything else:
//!
//! ```text
//!   0   4  "h5qT"   4   8  bytes of the record  12   4  crc32 of the 12 bytes before
//! ```

use super::stamp::SECTOR;
use crate::bytes::{Addr, Put, Take};
use alloc::vec::Vec;

const RECORD: &[u8; 4] = b"h5qR";
const TRAILER: &[u8; 4] = b"h5qT";

/// The size of what follows a record at the end of the device.
pub(super) const TRAILER_SIZE: u64 = 16;

const HEAD: usize = 16;
const WRITE: usize = 16 + SECTOR;

/// One write of a sector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SectorFlip {
    pub(crate) addr: Addr,
    /// A write comes after all that have a lower turn, with a barrier between.
    pub(crate) turn: u32,
    pub(crate) before: u32,
    pub(crate) after: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlipRecord {
    pub(crate) generation: u64,
    pub(crate) writes: Vec<SectorFlip>,
}

pub(crate) fn record_size(writes: usize) -> usize {
    HEAD + writes * WRITE + 4
}

impl FlipRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(record_size(self.writes.len()));
        out.put_bytes(RECORD);
        out.put_u32(self.writes.len() as u32);
        out.put_u64(self.generation);
        for write in &self.writes {
            out.put_u64(write.addr.get());
            out.put_u32(write.turn);
            out.put_u32(write.before);
            out.put_bytes(&write.after);
        }
        let crc = crc32fast::hash(&out);
        out.put_u32(crc);
        out
    }

    /// The record that `bytes` begin with, where it is whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take::new(bytes, "flip record", 0);
        take.signature(RECORD).ok()?;
        let count = take.u32().ok()? as usize;
        let generation = take.u64().ok()?;
        if count > bytes.len() / WRITE {
            return None;
        }
        let mut writes = Vec::with_capacity(count);
        for _ in 0..count {
            writes.push(SectorFlip {
                addr: Addr::new(take.u64().ok()?),
                turn: take.u32().ok()?,
                before: take.u32().ok()?,
                after: take.bytes(SECTOR).ok()?.to_vec(),
            });
        }
        let crc = crc32fast::hash(&bytes[..take.position()]);
        (take.u32().ok()? == crc).then_some(Self { generation, writes })
    }

    /// As [`encode`](Self::encode), for the end of the device.
    pub(crate) fn encode_with_trailer(&self) -> Vec<u8> {
        let mut out = self.encode();
        let len = out.len();
        out.put_bytes(TRAILER);
        out.put_u64(len as u64);
        let crc = crc32fast::hash(&out[len..]);
        out.put_u32(crc);
        out
    }
}

/// How long the record is that these last bytes of the device follow.
pub(crate) fn decode_trailer(bytes: &[u8]) -> Option<u64> {
    let mut take = Take::new(bytes, "flip record", 0);
    take.signature(TRAILER).ok()?;
    let len = take.u64().ok()?;
    let crc = crc32fast::hash(bytes.get(..12)?);
    (take.u32().ok()? == crc).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_torn_flip_record_is_not_believed() {
        let record = FlipRecord {
            generation: 5,
            writes: vec![SectorFlip {
                addr: Addr::new(512),
                turn: 1,
                before: 1,
                after: vec![9; SECTOR],
            }],
        };
        let mut bytes = record.encode();
        assert_eq!(bytes.len(), record_size(1));
        bytes.extend([0; 40]);
        assert_eq!(FlipRecord::decode(&bytes), Some(record.clone()));
        bytes[100] ^= 1;
        assert_eq!(FlipRecord::decode(&bytes), None);

        let bytes = record.encode_with_trailer();
        let (record, trailer) = bytes.split_at(bytes.len() - TRAILER_SIZE as usize);
        assert_eq!(decode_trailer(trailer), Some(record.len() as u64));
        assert_eq!(decode_trailer(&record[..16]), None);
    }
}
