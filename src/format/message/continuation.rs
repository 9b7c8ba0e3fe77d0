//! IV.A.2.q. The object header continuation message.
//!
//! ```text
//!   0   O  offset of the continuation block
//!   +   L  its length, with signature and checksum
//! ```

use crate::bytes::{Extent, Put, ShortBytes, Take, Widths};
use crate::error::Result;

/// The bytes of [`encode`].
pub(crate) fn size(widths: Widths) -> usize {
    usize::from(widths.offset) + usize::from(widths.length)
}

pub(crate) fn encode(block: Extent, widths: Widths) -> ShortBytes {
    let mut out = ShortBytes::new();
    out.put_addr(Some(block.addr), widths);
    out.put_len(block.len, widths);
    out
}

pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Extent> {
    let mut take = Take::new(bytes, "object header continuation message", offset);
    let addr = take.defined_addr(widths)?;
    Ok(Extent::new(addr, take.len(widths)?))
}
