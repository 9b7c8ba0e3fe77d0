//! What sector 0 of a file of ours says beside the superblock and the first cells.
//!
//! ```text
//! the stamp, in the last 32 bytes of sector 0:
//!   0   4  "h5q1"
//!   4   8  generation: the number of commits
//!  12   8  address of the flip record, all ones: none
//!  20   4  bytes set aside for the flip record
//!  24   4  the bound of new objects: 18, or zero for 1.10
//!  28   4  crc32 of the superblock's bytes and the 28 bytes before
//! ```
//!
//! Other readers see unused bytes. Another writer that moves the end of the file makes the stamp's checksum wrong,
//! so that nothing it covers is believed afterwards.

use crate::bytes::{Addr, Extent, Put, Take, UNDEFINED};
use crate::format::libver::LibVer;
use alloc::vec::Vec;

/// The unit a device writes atomically.
pub(crate) const SECTOR: usize = 512;

const STAMP_AT: usize = SECTOR - 32;
const STAMP: &[u8; 4] = b"h5q1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) generation: u64,
    pub(crate) record: Option<Extent>,
    pub(crate) bound: LibVer,
}

/// What says that new objects are for HDF5 1.8.
const BOUND_18: u32 = 18;

impl Stamp {
    /// Room for superblock and cells in sector 0.
    pub(crate) const ROOM: u64 = STAMP_AT as u64;

    /// Writes the stamp into the image of sector 0, whose superblock is final.
    pub(crate) fn encode(&self, sector: &mut [u8; SECTOR], superblock_size: usize) {
        let mut out = Vec::with_capacity(32);
        out.put_bytes(STAMP);
        out.put_u64(self.generation);
        out.put_u64(self.record.map_or(UNDEFINED, |record| record.addr.get()));
        out.put_u32(self.record.map_or(0, |record| record.len as u32));
        out.put_u32(match self.bound {
            LibVer::V110 => 0,
            _ => BOUND_18,
        });
        let crc = stamp_crc(&sector[..superblock_size], &out);
        out.put_u32(crc);
        sector[STAMP_AT..].copy_from_slice(&out);
    }

    /// The stamp in `sector`, where it is valid and belongs to this superblock.
    pub(crate) fn decode(sector: &[u8], superblock_size: usize) -> Option<Self> {
        let mut take = Take::new(sector.get(STAMP_AT..SECTOR)?, "stamp", STAMP_AT as u64);
        take.signature(STAMP).ok()?;
        let generation = take.u64().ok()?;
        let addr = take.u64().ok()?;
        let len = take.u32().ok()?;
        let bound = bound_of(take.u32().ok()?);
        let crc = stamp_crc(&sector[..superblock_size], &sector[STAMP_AT..STAMP_AT + 28]);
        (take.u32().ok()? == crc).then(|| Self {
            generation,
            record: (addr != UNDEFINED).then(|| Extent::new(Addr::new(addr), u64::from(len))),
            bound,
        })
    }

    /// The bound in a stamp, also where another writer has made it invalid since.
    pub(crate) fn decode_bound(sector: &[u8]) -> Option<LibVer> {
        let mut take = Take::new(sector.get(STAMP_AT..SECTOR)?, "stamp", STAMP_AT as u64);
        take.signature(STAMP).ok()?;
        take.skip(20).ok()?;
        take.u32().ok().map(bound_of)
    }
}

fn bound_of(code: u32) -> LibVer {
    match code {
        BOUND_18 => LibVer::V18,
        _ => LibVer::V110,
    }
}

fn stamp_crc(superblock: &[u8], stamp: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(superblock);
    hasher.update(stamp);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_not_believed_once_the_superblock_changed() {
        let mut sector = [7; SECTOR];
        let stamp = Stamp {
            generation: 3,
            record: Some(Extent::new(Addr::new(4096), 600)),
            bound: LibVer::V18,
        };
        stamp.encode(&mut sector, 48);
        assert_eq!(Stamp::decode(&sector, 48), Some(stamp));
        sector[40] ^= 1;
        assert_eq!(Stamp::decode(&sector, 48), None);
        assert_eq!(Stamp::decode_bound(&sector), Some(LibVer::V18));
        assert_eq!(Stamp::decode_bound(&[0; SECTOR]), None);
    }
}
