//! III.H. The free-space manager, as far as it takes to know where it stands and what it tracks.
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
//!
//! section list:
//!   0  4  signature "FSSE"
//!   4  1  version 0
//!   5  O  address of the header
//!   for each size that sections have:
//!   +  n  number of them, as wide as the number of serialised sections needs
//!   +  s  size, as wide as the maximum section size needs
//!   for each of them:
//!   +  a  offset, as wide as the address space
//!   +  1  type; those of a file have no more data
//!   at the end of the size used:
//!   +  4  checksum
//! ```

use crate::bytes::{Addr, Extent, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "free-space manager header";
const LIST: &str = "free-space section list";

/// The bytes of a header.
pub(crate) fn header_size(widths: Widths) -> u64 {
    18 + 7 * u64::from(widths.length) + u64::from(widths.offset)
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manager {
    total: u64,
    serialised: u64,
    address_bits: u16,
    max_section: u64,
    used: u64,
    /// Where the section list is.
    pub(crate) list: Option<Extent>,
}

/// The section list of the manager whose header is `bytes`.
pub(crate) fn section_list(bytes: &[u8], widths: Widths, offset: u64) -> Result<Option<Extent>> {
    Ok(Manager::decode(bytes, widths, offset)?.list)
}

impl Manager {
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.signature(b"FSHD")?;
        take.version(0)?;
        let _client = take.u8()?;
        let total = take.len(widths)?;
        let _sections = take.len(widths)?;
        let serialised = take.len(widths)?;
        let _unserialised = take.len(widths)?;
        take.skip(6)?;
        let address_bits = take.u16()?;
        let max_section = take.len(widths)?;
        let list = take.addr(widths)?;
        let used = take.len(widths)?;
        let allocated = take.len(widths)?;
        take.checksum()?;
        if used > allocated || address_bits > 64 {
            return Err(take.error("the sizes do not fit"));
        }
        Ok(Self {
            total,
            serialised,
            address_bits,
            max_section,
            used,
            list: list.map(|addr| Extent::new(addr, allocated)),
        })
    }

    /// The sections of a file's manager, whose header stands at `header` and whose list is `bytes`.
    pub(crate) fn sections(
        &self,
        bytes: &[u8],
        header: Addr,
        widths: Widths,
        offset: u64,
    ) -> Result<Vec<Extent>> {
        let error = |reason| Error::corrupt(LIST, reason).at(offset);
        let used = usize::try_from(self.used)
            .ok()
            .and_then(|used| bytes.get(..used));
        let (content, checksum) = used
            .and_then(<[u8]>::split_last_chunk::<4>)
            .ok_or_else(|| error("ends too early"))?;
        if lookup3(content) != u32::from_le_bytes(*checksum) {
            return Err(error("wrong checksum"));
        }
        let mut take = Take::new(content, LIST, offset);
        take.signature(b"FSSE")?;
        take.version(0)?;
        if take.addr(widths)? != Some(header) {
            return Err(error("belongs to another manager"));
        }
        let count_width = width_of(self.serialised);
        let size_width = width_of(self.max_section);
        let offset_width = self.address_bits.div_ceil(8) as u8;
        let mut sections = Vec::new();
        let mut total = 0_u64;
        while (sections.len() as u64) < self.serialised {
            let count = take.uint(count_width)?;
            let size = take.uint(size_width)?;
            if count == 0 || size == 0 {
                return Err(error("a section is empty"));
            }
            for _ in 0..count {
                let at = Addr::new(take.uint(offset_width)?);
                let _class = take.u8()?;
                sections.push(Extent::new(at, size));
                total = total.saturating_add(size);
            }
        }
        if sections.len() as u64 != self.serialised || total != self.total {
            return Err(error("the sections are not those that the header counts"));
        }
        Ok(sections)
    }
}

/// The bytes it takes to write numbers up to `limit`, as libhdf5 counts them.
fn width_of(limit: u64) -> u8 {
    (limit.max(1).ilog2() / 8 + 1) as u8
}
