//! The metadata cache image (IV.A.2.y and III.J): blocks of metadata that a writer kept together when it closed the file,
//! instead of writing each to its place. What stands in their places is of no use.
//!
//! ```text
//! the message:                     the image:
//!   0   1  version: 0                0   4  signature "MDCI"
//!   1   O  address of the image      4   1  version: 0
//!   +   L  size of the image         5   1  flags
//!                                    6   L  size of the image
//!                                    +   4  number of blocks
//!                                    for each block:
//!                                    +  10  type, flags, ring, age (1 each); children, dirty
//!                                           children, parents (2 each)
//!                                    +   4  rank among those used last
//!                                    +   O  address
//!                                    +   L  size
//!                                    +   O  address of each parent
//!                                    +   n  the block
//!                                    +   4  checksum
//! ```

use crate::bytes::{Addr, Extent, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "metadata cache image";

/// Where the image is that a message names.
pub(crate) fn decode_message(data: &[u8], widths: Widths, offset: u64) -> Result<Extent> {
    let mut take = Take::new(data, "metadata cache image message", offset);
    take.version(0)?;
    Ok(Extent::new(take.defined_addr(widths)?, take.len(widths)?))
}

/// The blocks of an image, and where they belong.
pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Vec<(Addr, &[u8])>> {
    let mut take = Take::new(bytes, NAME, offset);
    take.signature(b"MDCI")?;
    take.version(0)?;
    let _flags = take.u8()?;
    if take.len(widths)? != bytes.len() as u64 {
        return Err(take.error("its size is not what its message says"));
    }
    let count = take.u32()?;
    let mut blocks = Vec::new();
    for _ in 0..count {
        take.skip(8)?;
        let parents = usize::from(take.u16()?);
        take.skip(4)?;
        let addr = take.defined_addr(widths)?;
        let len =
            usize::try_from(take.len(widths)?).map_err(|_| take.error("a block is too long"))?;
        take.skip(parents * usize::from(widths.offset))?;
        blocks.push((addr, take.bytes(len)?));
    }
    take.checksum()?;
    Ok(blocks)
}
