//! IV.A.2.t. The B-tree K values message of a superblock extension.
//!
//! ```text
//!   0   1  version: 0
//!   1   2  indexed storage internal node K
//!   3   2  group internal node K
//!   5   2  group leaf node K
//! ```

use crate::bytes::Take;
use crate::error::Result;

/// Half the numbers of entries that the nodes of old trees have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeSizes {
    pub(crate) chunk: u16,
    pub(crate) internal: u16,
    pub(crate) leaf: u16,
}

impl NodeSizes {
    /// What holds where no message and no superblock says otherwise.
    pub(crate) const DEFAULT: Self = Self {
        chunk: 32,
        internal: 16,
        leaf: 4,
    };

    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, "B-tree K values message", offset);
        take.version(0)?;
        let sizes = Self {
            chunk: take.u16()?,
            internal: take.u16()?,
            leaf: take.u16()?,
        };
        if sizes.chunk == 0 || sizes.internal == 0 || sizes.leaf == 0 {
            return Err(take.error("a K value is 0"));
        }
        Ok(sizes)
    }
}
