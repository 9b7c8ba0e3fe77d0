//! VII.D. The extensible array index: elements for the chunks of a dataset with one unlimited axis, read only here.
//!
//! ```text
//! header:
//!   0   4  "EAHD"
//!   4   1  version, 0
//!   5   1  client: 0 chunks without filters, 1 with filters
//!   6   1  element size
//!   7   1  max elements bits
//!   8   1  elements in the index block
//!   9   1  least number of elements of a data block
//!  10   1  least number of data blocks of a super block
//!  11   1  page bits: a page has 2^bits elements
//!  12   L  super blocks   L  their size   L  data blocks   L  their size   L  max index set   L  elements
//!   +   O  index block address
//!   +   4  checksum
//!
//! index block:
//!   0   4  "EAIB"   4   1  version, 0   5   1  client   6   O  header address
//!   +   *  elements   *  addresses of data blocks   *  addresses of super blocks
//!   +   4  checksum
//!
//! super block:
//!   0   4  "EASB"   4   1  version, 0   5   1  client   6   O  header address
//!   +   *  block offset, (max elements bits + 7) / 8 bytes
//!   +   *  where data blocks have pages: for each data block, a bit for each page that is initialized
//!   +   *  addresses of data blocks
//!   +   4  checksum
//!
//! data block:
//!   0   4  "EADB"   4   1  version, 0   5   1  client   6   O  header address
//!   +   *  block offset
//!   +   *  elements, unless it has pages
//!   +   4  checksum
//!   each page   the elements   4  checksum
//! ```
//!
//! Super block `n` stands for `2^(n/2)` data blocks of `2^((n+1)/2)` times the least number of elements. The data
//! blocks of the first super blocks are in the index block; these super blocks do not exist on disk.

use crate::bytes::{Addr, Take, Widths, lookup3};
use crate::error::Result;
use alloc::vec::Vec;

pub(crate) const HEADER: &str = "extensible array header";
pub(crate) const INDEX_BLOCK: &str = "extensible array index block";
pub(crate) const SUPER_BLOCK: &str = "extensible array super block";
pub(crate) const DATA_BLOCK: &str = "extensible array data block";
const CHECKSUM: u64 = 4;

/// VII.D, "Extensible Array Header". The statistics are not kept, apart from the bound of the elements in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) client: u8,
    pub(crate) element_size: u8,
    pub(crate) max_bits: u8,
    pub(crate) index_elements: u8,
    pub(crate) least_elements: u8,
    pub(crate) least_blocks: u8,
    pub(crate) page_bits: u8,
    /// One more than the largest index ever set.
    pub(crate) bound: u64,
    pub(crate) index_block: Option<Addr>,
}

/// The data blocks that super block `n` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SuperShape {
    /// The index of its first element.
    pub(crate) start: u64,
    pub(crate) blocks: u64,
    /// The elements of each data block.
    pub(crate) elements: u64,
    /// The pages of each data block; 0 where they have none.
    pub(crate) pages: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexBlock {
    pub(crate) elements: Vec<u8>,
    pub(crate) data_blocks: Vec<Option<Addr>>,
    pub(crate) super_blocks: Vec<Option<Addr>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SuperBlock {
    bits: Vec<u8>,
    pub(crate) data_blocks: Vec<Option<Addr>>,
}

impl SuperBlock {
    /// Whether page `page` of data block `block` is initialized.
    pub(crate) fn initialized(&self, shape: SuperShape, block: u64, page: u64) -> bool {
        // libhdf5 counts the bits over all data blocks, though it sets aside whole bytes for each.
        let bit = block.saturating_mul(shape.pages).saturating_add(page);
        usize::try_from(bit / 8)
            .ok()
            .and_then(|byte| self.bits.get(byte))
            .is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
    }
}

impl Header {
    pub(crate) const fn size(widths: Widths) -> usize {
        12 + 6 * widths.length as usize + widths.offset as usize + 4
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, HEADER, offset);
        take.signature(b"EAHD")?;
        take.version(0)?;
        let (client, element_size) = (take.u8()?, take.u8()?);
        let (max_bits, index_elements) = (take.u8()?, take.u8()?);
        let (least_elements, least_blocks, page_bits) = (take.u8()?, take.u8()?, take.u8()?);
        take.skip(4 * usize::from(widths.length))?;
        let bound = take.len(widths)?;
        take.len(widths)?;
        let index_block = take.addr(widths)?;
        take.checksum()?;
        if client > 1 {
            return Err(take.error("unknown client"));
        }
        if element_size == 0 {
            return Err(take.error("the element size is 0"));
        }
        if !least_elements.is_power_of_two() || !least_blocks.is_power_of_two() || least_blocks < 2
        {
            return Err(take.error("a least number is not a power of two"));
        }
        let header = Self {
            client,
            element_size,
            max_bits,
            index_elements,
            least_elements,
            least_blocks,
            page_bits,
            bound,
            index_block,
        };
        if max_bits > 64
            || u32::from(max_bits) < least_elements.ilog2()
            || header.super_blocks() < header.first_super_block()
        {
            return Err(take.error("impossible max elements bits"));
        }
        if page_bits > max_bits.min(31) {
            return Err(take.error("more page bits than max elements bits"));
        }
        if (0..header.first_super_block()).any(|n| header.super_shape(n).pages > 0) {
            return Err(take.error("a data block of the index block has pages"));
        }
        Ok(header)
    }

    /// How many super blocks there can be, those that do not exist on disk included.
    pub(crate) fn super_blocks(&self) -> u32 {
        1 + u32::from(self.max_bits) - self.least_elements.ilog2()
    }

    /// The first super block that exists on disk.
    pub(crate) fn first_super_block(&self) -> u32 {
        2 * self.least_blocks.ilog2()
    }

    /// Super block `n`, which is less than [`super_blocks`](Self::super_blocks).
    pub(crate) fn super_shape(&self, n: u32) -> SuperShape {
        let least = u128::from(self.least_elements);
        let start = u128::from(self.index_elements) + least * ((1_u128 << n) - 1);
        let elements = u64::from(self.least_elements) << n.div_ceil(2);
        let page = 1 << self.page_bits;
        SuperShape {
            start: u64::try_from(start).unwrap_or(u64::MAX),
            blocks: 1 << (n / 2),
            elements,
            pages: if elements > page { elements / page } else { 0 },
        }
    }

    /// The super block that stands for element `index`, which is not in the index block.
    pub(crate) fn super_block_of(&self, index: u64) -> Option<u32> {
        let beyond = index.checked_sub(u64::from(self.index_elements))?;
        let n = (u128::from(beyond / u64::from(self.least_elements)) + 1).ilog2();
        (n < self.super_blocks()).then_some(n)
    }

    /// The data block addresses in the index block.
    fn direct_blocks(&self) -> u64 {
        2 * (u64::from(self.least_blocks) - 1)
    }

    pub(crate) fn index_block_len(&self, widths: Widths) -> u64 {
        let supers = u64::from(self.super_blocks() - self.first_super_block());
        6 + u64::from(widths.offset) * (1 + self.direct_blocks() + supers)
            + u64::from(self.index_elements) * u64::from(self.element_size)
            + CHECKSUM
    }

    fn offset_len(&self) -> u64 {
        u64::from(self.max_bits).div_ceil(8)
    }

    fn bits_len(shape: SuperShape) -> u64 {
        shape.blocks.saturating_mul(shape.pages.div_ceil(8))
    }

    pub(crate) fn super_block_len(&self, shape: SuperShape, widths: Widths) -> u64 {
        let fixed = 6 + u64::from(widths.offset) + self.offset_len() + CHECKSUM;
        let addresses = shape.blocks.saturating_mul(u64::from(widths.offset));
        Self::bits_len(shape)
            .saturating_add(addresses)
            .saturating_add(fixed)
    }

    /// The bytes before the pages of a data block that has pages.
    pub(crate) fn prefix_len(&self, widths: Widths) -> u64 {
        6 + u64::from(widths.offset) + self.offset_len() + CHECKSUM
    }

    /// The bytes of a page, its checksum included.
    pub(crate) fn page_len(&self) -> u64 {
        (u64::from(self.element_size) << self.page_bits) + CHECKSUM
    }

    /// The bytes of a data block, its pages included.
    pub(crate) fn data_block_len(&self, shape: SuperShape, widths: Widths) -> u64 {
        shape
            .elements
            .saturating_mul(u64::from(self.element_size))
            .saturating_add(shape.pages.saturating_mul(CHECKSUM))
            .saturating_add(self.prefix_len(widths))
    }

    fn open<'a>(
        &self,
        bytes: &'a [u8],
        structure: &'static str,
        signature: &[u8; 4],
        place: Place,
    ) -> Result<Take<'a>> {
        let mut take = Take::new(bytes, structure, place.offset);
        take.signature(signature)?;
        take.version(0)?;
        if take.u8()? != self.client {
            return Err(take.error("another client than its header's"));
        }
        if take.addr(place.widths)? != Some(place.header) {
            return Err(take.error("belongs to another header"));
        }
        Ok(take)
    }

    pub(crate) fn decode_index_block(&self, bytes: &[u8], place: Place) -> Result<IndexBlock> {
        let mut take = self.open(bytes, INDEX_BLOCK, b"EAIB", place)?;
        let len = usize::from(self.index_elements) * usize::from(self.element_size);
        let elements = take.bytes(len)?.to_vec();
        let data_blocks = addresses(&mut take, self.direct_blocks(), place.widths)?;
        let supers = self.super_blocks() - self.first_super_block();
        let super_blocks = addresses(&mut take, u64::from(supers), place.widths)?;
        take.checksum()?;
        Ok(IndexBlock {
            elements,
            data_blocks,
            super_blocks,
        })
    }

    pub(crate) fn decode_super_block(
        &self,
        bytes: &[u8],
        shape: SuperShape,
        place: Place,
    ) -> Result<SuperBlock> {
        let mut take = self.open(bytes, SUPER_BLOCK, b"EASB", place)?;
        take.skip(self.offset_len() as usize)?;
        let bits = usize::try_from(Self::bits_len(shape)).unwrap_or(usize::MAX);
        let bits = take.bytes(bits)?.to_vec();
        let data_blocks = addresses(&mut take, shape.blocks, place.widths)?;
        take.checksum()?;
        Ok(SuperBlock { bits, data_blocks })
    }

    /// The elements of a data block without pages.
    pub(crate) fn decode_data_block(
        &self,
        bytes: &[u8],
        shape: SuperShape,
        place: Place,
    ) -> Result<Vec<u8>> {
        let mut take = self.open(bytes, DATA_BLOCK, b"EADB", place)?;
        take.skip(self.offset_len() as usize)?;
        let len = shape.elements.saturating_mul(self.element_size.into());
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let elements = take.bytes(len)?.to_vec();
        take.checksum()?;
        Ok(elements)
    }

    /// The elements of a page.
    pub(crate) fn decode_page(&self, bytes: &[u8], offset: u64) -> Result<Vec<u8>> {
        let mut take = Take::new(bytes, DATA_BLOCK, offset);
        let elements = take.bytes(usize::from(self.element_size) << self.page_bits)?;
        if take.u32()? != lookup3(elements) {
            return Err(take.error("wrong checksum of a page"));
        }
        Ok(elements.to_vec())
    }
}

/// Where a block stands, and the header that it has to name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) header: Addr,
    pub(crate) widths: Widths,
    pub(crate) offset: u64,
}

fn addresses(take: &mut Take<'_>, count: u64, widths: Widths) -> Result<Vec<Option<Addr>>> {
    if take.remaining() as u64 / u64::from(widths.offset) < count {
        return Err(take.error("ends too early"));
    }
    (0..count).map(|_| take.addr(widths)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: Widths = Widths::EIGHT;
    const PAGED: &[u8] = include_bytes!("../../tests/golden/index_extensible_paged.h5");

    fn header(image: &[u8]) -> (Addr, Header) {
        let at = image.windows(4).position(|w| w == b"EAHD").unwrap();
        let bytes = &image[at..at + Header::size(W)];
        let header = Header::decode(bytes, W, at as u64).unwrap();
        (Addr::new(at as u64), header)
    }

    #[test]
    fn a_header_and_index_block_of_libhdf5_decode() {
        let (at, header) = header(PAGED);
        let index_block = header.index_block.unwrap();
        assert_eq!(
            header,
            Header {
                client: 0,
                element_size: 8,
                max_bits: 32,
                index_elements: 4,
                least_elements: 16,
                least_blocks: 4,
                page_bits: 10,
                bound: 150_000,
                index_block: Some(index_block),
            }
        );
        let place = Place {
            header: at,
            widths: W,
            offset: index_block.get(),
        };
        let len = header.index_block_len(W) as usize;
        let start = index_block.get() as usize;
        let block = header
            .decode_index_block(&PAGED[start..start + len], place)
            .unwrap();
        assert_eq!(block.data_blocks.len(), 6);
        assert_eq!(block.super_blocks.len(), 25);
        assert!(block.data_blocks[0].is_some() && block.super_blocks[9].is_some());
        assert!(
            header
                .decode_index_block(&PAGED[start..start + len - 1], place)
                .is_err()
        );
    }

    #[test]
    fn super_blocks_follow_each_other_without_a_gap() {
        let (_, header) = header(PAGED);
        let mut next = u64::from(header.index_elements);
        for n in 0..header.super_blocks() {
            let shape = header.super_shape(n);
            assert_eq!(shape.start, next);
            assert_eq!(header.super_block_of(next), Some(n));
            next += shape.blocks * shape.elements;
            assert_eq!(header.super_block_of(next - 1), Some(n));
        }
        assert_eq!(header.super_block_of(next), None);
        assert_eq!(header.super_block_of(u64::MAX), None);
    }

    #[test]
    fn a_header_with_impossible_numbers_is_refused() {
        let (at, _) = header(PAGED);
        let start = at.get() as usize;
        for (field, value) in [
            (5, 9),
            (6, 0),
            (7, 200),
            (7, 3),
            (9, 3),
            (10, 0),
            (11, 33),
            (11, 4),
        ] {
            let mut bytes = PAGED[start..start + Header::size(W)].to_vec();
            bytes[field] = value;
            let end = bytes.len() - 4;
            let checksum = lookup3(&bytes[..end]).to_le_bytes();
            bytes[end..].copy_from_slice(&checksum);
            assert!(
                Header::decode(&bytes, W, 0).is_err(),
                "byte {field} = {value}"
            );
        }
    }
}
