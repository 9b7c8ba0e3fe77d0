//! IV.A.2.t. The B-tree 'K' values message of the superblock extension.
//!
//! ```text
//!   0   1  version 0
//!   1   2  indexed storage internal node K
//!   3   2  group internal node K
//!   5   2  group leaf node K
//! ```

use crate::bytes::{Put, Take};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "B-tree 'K' values message";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BTreeK {
    pub(crate) chunk: u16,
    pub(crate) group_internal: u16,
    pub(crate) group_leaf: u16,
}

impl BTreeK {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(0);
        out.put_u16(self.chunk);
        out.put_u16(self.group_internal);
        out.put_u16(self.group_leaf);
        out
    }

    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.version(0)?;
        Ok(Self {
            chunk: take.u16()?,
            group_internal: take.u16()?,
            group_leaf: take.u16()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_k_stands_where_libhdf5_writes_it() {
        // From btree_v1_edited.h5, K of 3 for chunks.
        let bytes = [0, 3, 0, 16, 0, 4, 0];
        let value = BTreeK {
            chunk: 3,
            group_internal: 16,
            group_leaf: 4,
        };
        assert_eq!(BTreeK::decode(&bytes, 0).unwrap(), value);
        assert_eq!(value.encode(), bytes);
        assert!(BTreeK::decode(&[1, 3, 0, 16, 0, 4, 0], 0).is_err());
        assert!(BTreeK::decode(&bytes[..6], 0).is_err());
    }
}
