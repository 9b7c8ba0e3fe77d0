//! IV.A.2.s. The object modification time message, for headers that store no times.
//!
//! ```text
//!   0   1  version: 1
//!   1   3  reserved
//!   4   4  seconds since 1970-01-01 00:00:00 UTC
//! ```

#[cfg(test)]
use crate::bytes::Put;
use crate::bytes::Take;
use crate::error::Result;
#[cfg(test)]
use alloc::vec::Vec;

#[cfg(test)]
pub(crate) fn encode(seconds: u32) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u8(1);
    out.put_zeros(3);
    out.put_u32(seconds);
    out
}

pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<u32> {
    let mut take = Take::new(bytes, "object modification time message", offset);
    take.version(1)?;
    take.skip(3)?;
    take.u32()
}
