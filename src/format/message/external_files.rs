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

use crate::bytes::{Addr, Take, Widths};
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
    #[cfg(test)]
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        use crate::bytes::Put;
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
