//! IV.A.2.p. The shared message table message, in the superblock extension.
//!
//! ```text
//!   0   1  version 0
//!   1   O  address of the table (SMTB)
//!   +   1  number of indexes
//! ```

#[cfg(test)]
use crate::bytes::Put;
use crate::bytes::{Addr, Take, Widths};
use crate::error::Result;
#[cfg(test)]
use alloc::vec::Vec;

/// Where the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SharedTable {
    pub(crate) table: Addr,
    pub(crate) indexes: u8,
}

impl SharedTable {
    #[cfg(test)]
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(0);
        out.put_addr(Some(self.table), widths);
        out.put_u8(self.indexes);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, "shared message table message", offset);
        take.version(0)?;
        let table = take.defined_addr(widths)?;
        let indexes = take.u8()?;
        if indexes == 0 || indexes > 8 {
            return Err(take.error("the number of indexes is not 1 to 8"));
        }
        Ok(Self { table, indexes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_libhdf5_writes_is_decoded_and_encoded_back() {
        let bytes = [0, 0x40, 2, 0, 0, 0, 0, 0, 0, 2];
        let message = SharedTable::decode(&bytes, Widths::EIGHT, 0).unwrap();
        assert_eq!((message.table.get(), message.indexes), (0x240, 2));
        assert_eq!(message.encode(Widths::EIGHT), bytes);
        for indexes in [0, 9] {
            assert!(
                SharedTable::decode(&[0, 1, 0, 0, 0, 0, 0, 0, 0, indexes], Widths::EIGHT, 0)
                    .is_err()
            );
        }
    }
}
