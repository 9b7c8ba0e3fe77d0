//! IV.A.2.h. The external data files message: the data of a dataset are in other files, piece after piece.
//!
//! ```text
//!   0   1  version: 1
//!   1   3  reserved
//!   4   2  number of slots
//!   6   2  number of slots in use
//!   8   O  address of the local heap of the names
//!          slots in use:
//!   +   L    offset of the name in the heap
//!   +   L    offset of the piece in the file
//!   +   L    size of the piece, all ones: no end
//! ```

use crate::bytes::{Addr, Put, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "external data files message";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalFiles {
    /// Slots there is room for.
    pub(crate) allocated: u16,
    pub(crate) heap: Addr,
    pub(crate) slots: Vec<ExternalSlot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExternalSlot {
    /// Where the name is in the heap.
    pub(crate) name: u64,
    pub(crate) offset: u64,
    /// `None`: to the end of the data, however long.
    pub(crate) size: Option<u64>,
}

impl ExternalFiles {
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.version(1)?;
        take.skip(3)?;
        let allocated = take.u16()?;
        let used = take.u16()?;
        if allocated == 0 || used > allocated {
            return Err(take.error("more slots in use than there are"));
        }
        let heap = take.defined_addr(widths)?;
        let unlimited = u64::MAX >> (64 - 8 * u32::from(widths.length));
        let mut slots = Vec::with_capacity(usize::from(used));
        for _ in 0..used {
            let name = take.len(widths)?;
            let offset = take.len(widths)?;
            let size = take.len(widths)?;
            slots.push(ExternalSlot {
                name,
                offset,
                size: (size != unlimited).then_some(size),
            });
        }
        Ok(Self {
            allocated,
            heap,
            slots,
        })
    }

    /// The message without slots that are not in use.
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(1);
        out.put_zeros(3);
        out.put_u16(self.allocated);
        out.put_u16(self.slots.len() as u16);
        out.put_addr(Some(self.heap), widths);
        let unlimited = u64::MAX >> (64 - 8 * u32::from(widths.length));
        for slot in &self.slots {
            out.put_len(slot.name, widths);
            out.put_len(slot.offset, widths);
            out.put_len(slot.size.unwrap_or(unlimited), widths);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pieces, the last without end, as libhdf5 writes them.
    const GOLDEN: [u8; 88] = {
        let mut bytes = [0; 88];
        (bytes[0], bytes[4], bytes[6], bytes[8], bytes[9]) = (1, 3, 3, 0x30, 4);
        (bytes[16], bytes[24], bytes[32]) = (8, 5, 13);
        (bytes[40], bytes[48], bytes[56]) = (16, 90, 10);
        (bytes[64], bytes[72]) = (24, 200);
        let mut at = 80;
        while at < 88 {
            bytes[at] = 0xff;
            at += 1;
        }
        bytes
    };

    #[test]
    fn a_message_of_libhdf5_decodes_and_encodes_to_the_same_bytes() {
        let message = ExternalFiles::decode(&GOLDEN, Widths::EIGHT, 0).unwrap();
        let slot = |name, offset, size| ExternalSlot { name, offset, size };
        assert_eq!(message.heap, Addr::new(1072));
        assert_eq!(
            message.slots,
            [
                slot(8, 5, Some(13)),
                slot(16, 90, Some(10)),
                slot(24, 200, None)
            ]
        );
        assert_eq!(message.encode(Widths::EIGHT), GOLDEN);
    }

    #[test]
    fn broken_messages_are_errors() {
        for len in 0..GOLDEN.len() {
            assert!(ExternalFiles::decode(&GOLDEN[..len], Widths::EIGHT, 0).is_err());
        }
        for (at, value) in [(0, 2), (4, 2), (4, 0)] {
            let mut broken = GOLDEN;
            broken[at] = value;
            assert!(ExternalFiles::decode(&broken, Widths::EIGHT, 0).is_err());
        }
        let mut broken = GOLDEN;
        broken[8..16].fill(0xff);
        assert!(ExternalFiles::decode(&broken, Widths::EIGHT, 0).is_err());
    }
}
