//! IV.A.2.w. The object reference count message: how many hard links an object has, if not one.
//!
//! ```text
//!   0   1  version: 0
//!   1   4  reference count
//! ```

use crate::bytes::{Put, ShortBytes, Take};
use crate::error::Result;

pub(crate) fn encode(count: u32) -> ShortBytes {
    let mut out = ShortBytes::new();
    out.put_u8(0);
    out.put_u32(count);
    out
}

pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<u32> {
    let mut take = Take::new(bytes, "object reference count message", offset);
    take.version(0)?;
    take.u32()
}
