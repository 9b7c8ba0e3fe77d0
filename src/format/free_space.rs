//! III.H. The free-space manager, as far as it takes to know where it stands.
//!
//! ```text
//! header:
//!   0  4  signature "FSHD"
//!   4  1  version 0
//!   5  1  client ID
//!   6  L  total space tracked
//!   +  L  total number of sections
//!   +  L  number of serialised sections
//!   +  L  number of un-serialised sections
//!   +  2  number of section classes
//!   +  2  shrink percent
//!   +  2  expand percent
//!   +  2  size of the address space, in bits
//!   +  L  maximum section size
//!   +  O  address of the serialised section list
//!   +  L  size used of it
//!   +  L  allocated size of it
//!   +  4  checksum
//! ```

use crate::bytes::{Extent, Take, Widths};
use crate::error::Result;

const NAME: &str = "free-space manager header";

/// The bytes of a header.
pub(crate) fn header_size(widths: Widths) -> u64 {
    18 + 7 * u64::from(widths.length) + u64::from(widths.offset)
}

/// The section list of the manager whose header is `bytes`.
pub(crate) fn section_list(bytes: &[u8], widths: Widths, offset: u64) -> Result<Option<Extent>> {
    let mut take = Take::new(bytes, NAME, offset);
    take.signature(b"FSHD")?;
    take.version(0)?;
    let _client = take.u8()?;
    take.skip(4 * usize::from(widths.length) + 8)?;
    let _max_section_size = take.len(widths)?;
    let list = take.addr(widths)?;
    let _used = take.len(widths)?;
    let allocated = take.len(widths)?;
    take.checksum()?;
    Ok(list.map(|addr| Extent::new(addr, allocated)))
}
