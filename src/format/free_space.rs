//! III.H. The free-space manager: a header, and the list of the sections that it tracks.
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
//!
//! Sections of a size are in the order of their offsets, and sizes in theirs.

use crate::bytes::{Addr, Extent, Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "free-space manager header";
const LIST: &str = "free-space section list";

/// The bytes of a header.
pub(crate) fn header_size(widths: Widths) -> u64 {
    18 + 7 * u64::from(widths.length) + u64::from(widths.offset)
}

/// The client of the managers of a file; the other one is the fractal heap.
pub(crate) const OF_FILE: u8 = 1;

/// What libhdf5 writes into the headers of a file's managers: the classes of their sections, and how much larger or
/// smaller than needed their lists may be, in percent.
const CLASSES: u16 = 3;
const SHRINK: u16 = 80;
const EXPAND: u16 = 120;

/// The largest address of a file for libhdf5's drivers.
const MAX_ADDRESS: u64 = i64::MAX as u64;

/// A piece of free space. The classes of a file's: 0 in a file without pages, 1 a part of a page, 2 a part of large blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) extent: Extent,
    pub(crate) class: u8,
}

impl Section {
    /// The place in the order of a list.
    fn order(&self) -> (u64, Addr) {
        (self.extent.len, self.extent.addr)
    }
}

/// A header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manager {
    pub(crate) client: u8,
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
    /// The header of a file's manager of `sections`, whose list is to be at `list`.
    pub(crate) fn new(sections: &[Section], list: Extent, widths: Widths) -> Self {
        let max_section = widths.max_len().min(MAX_ADDRESS);
        Self {
            client: OF_FILE,
            total: sections.iter().map(|section| section.extent.len).sum(),
            serialised: sections.len() as u64,
            address_bits: (8 * u16::from(widths.offset)).min(63),
            max_section,
            used: list.len,
            list: Some(list),
        }
    }

    /// The bytes of the list of these sections of a file.
    pub(crate) fn list_size(sections: &[Section], widths: Widths) -> u64 {
        let nowhere = Extent::new(Addr::new(0), 0);
        let manager = Self::new(sections, nowhere, widths);
        let mut sizes: Vec<u64> = sections.iter().map(|section| section.extent.len).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let (count, size, offset) = manager.widths_of_list();
        let each_size = u64::from(count) + u64::from(size);
        let each = u64::from(offset) + 1;
        9 + u64::from(widths.offset) + each_size * sizes.len() as u64 + each * manager.serialised
    }

    /// How wide the numbers, sizes and offsets of its list are.
    fn widths_of_list(&self) -> (u8, u8, u8) {
        (
            width_of(self.serialised),
            width_of(self.max_section),
            self.address_bits.div_ceil(8) as u8,
        )
    }

    /// The header of a file's manager.
    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_bytes(b"FSHD");
        out.put_u8(0);
        out.put_u8(self.client);
        out.put_len(self.total, widths);
        out.put_len(self.serialised, widths);
        out.put_len(self.serialised, widths);
        out.put_len(0, widths);
        for value in [CLASSES, SHRINK, EXPAND, self.address_bits] {
            out.put_u16(value);
        }
        out.put_len(self.max_section, widths);
        out.put_addr(self.list.map(|list| list.addr), widths);
        out.put_len(self.used, widths);
        out.put_len(self.list.map_or(0, |list| list.len), widths);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    /// The list of `sections`, of which the header at `header` is this one, as long as it says.
    pub(crate) fn encode_list(
        &self,
        sections: &mut [Section],
        header: Addr,
        widths: Widths,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_bytes(b"FSSE");
        out.put_u8(0);
        out.put_addr(Some(header), widths);
        let (count, size, offset) = self.widths_of_list();
        sections.sort_unstable_by_key(Section::order);
        for of_a_size in sections.chunk_by(|a, b| a.extent.len == b.extent.len) {
            out.put_uint(of_a_size.len() as u64, count);
            out.put_uint(of_a_size[0].extent.len, size);
            for section in of_a_size {
                out.put_uint(section.extent.addr.get(), offset);
                out.put_u8(section.class);
            }
        }
        debug_assert!(out.len() as u64 + 4 <= self.used);
        let gap = (self.used as usize).saturating_sub(out.len() + 4);
        out.put_zeros(gap);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.signature(b"FSHD")?;
        take.version(0)?;
        let client = take.u8()?;
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
            client,
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
    ) -> Result<Vec<Section>> {
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
        let (count_width, size_width, offset_width) = self.widths_of_list();
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
                let class = take.u8()?;
                sections.push(Section {
                    extent: Extent::new(at, size),
                    class,
                });
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

#[cfg(test)]
mod tests {
    use super::*;

    const W: Widths = Widths::EIGHT;

    macro_rules! golden {
        ($name:literal) => {
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/golden/free_space/",
                $name,
                ".bin"
            ))
            .as_slice()
        };
    }

    /// The header of each manager of a file of libhdf5, where it stands, and its list.
    const MANAGERS: [(u64, &[u8]); 5] = [
        (26220, golden!("fsm-metadata")),
        (11556, golden!("fsm-raw")),
        (11663, golden!("page-metadata")),
        (2447, golden!("page-raw")),
        (8972, golden!("page-large")),
    ];

    #[test]
    fn managers_of_libhdf5_decode_and_encode_to_the_same_bytes() {
        let mut longer = 0;
        for (at, bytes) in MANAGERS {
            let (header, list) = bytes.split_at(header_size(W) as usize);
            let manager = Manager::decode(header, W, at).unwrap();
            assert_eq!(manager.client, OF_FILE);
            assert_eq!(manager.encode(W), header);
            let mut sections = manager.sections(list, Addr::new(at), W, 0).unwrap();
            let needed = Manager::list_size(&sections, W);
            assert!(needed <= list.len() as u64 && sections.len() > 1);
            longer += usize::from(needed < list.len() as u64);
            sections.reverse();
            let new = Manager::new(&sections, manager.list.unwrap(), W);
            assert_eq!(new, manager);
            assert_eq!(new.encode_list(&mut sections, Addr::new(at), W), list);
            for end in 0..list.len() {
                assert!(manager.sections(&list[..end], Addr::new(at), W, 0).is_err());
            }
            let elsewhere = manager.sections(list, Addr::new(at + 1), W, 0);
            assert!(elsewhere.is_err());
        }
        assert_eq!(longer, 1, "one has zeros before its checksum");
    }

    #[test]
    fn a_list_may_be_longer_than_it_needs_to_be() {
        let widths = Widths {
            offset: 4,
            length: 2,
        };
        let section = |addr, len| Section {
            extent: Extent::new(Addr::new(addr), len),
            class: 0,
        };
        let mut sections = [section(700, 30), section(100, 30), section(5, 7)];
        let needed = Manager::list_size(&sections, widths);
        let place = Extent::new(Addr::new(2000), needed + 11);
        let manager = Manager::new(&sections, place, widths);
        let list = manager.encode_list(&mut sections, Addr::new(1900), widths);
        assert_eq!(list.len() as u64, needed + 11);
        let header = manager.encode(widths);
        assert_eq!(header.len() as u64, header_size(widths));
        let again = Manager::decode(&header, widths, 0).unwrap();
        let found = again.sections(&list, Addr::new(1900), widths, 0).unwrap();
        assert_eq!(found, [section(5, 7), section(100, 30), section(700, 30)]);
    }
}
