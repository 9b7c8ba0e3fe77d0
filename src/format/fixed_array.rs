//! VII.C. The fixed array index: one element for each chunk of a dataset whose extent is bounded.
//!
//! ```text
//! header:
//!   0   4  "FAHD"
//!   4   1  version, 0
//!   5   1  client: 0 chunks without filters, 1 with filters
//!   6   1  element size
//!   7   1  page bits: a page has 2^bits elements
//!   8   L  number of elements
//!   +   O  data block address
//!   +   4  checksum
//!
//! data block, no more elements than one page has:
//!   0   4  "FADB"
//!   4   1  version, 0
//!   5   1  client
//!   6   O  header address
//!   +   *  the elements
//!   +   4  checksum
//!
//! data block with pages:
//!   0   4  "FADB"
//!   4   1  version, 0
//!   5   1  client
//!   6   O  header address
//!   +   *  one bit for each page that is initialized, the first page in the highest bit
//!   +   4  checksum
//!   each page   the elements   4  checksum
//! ```

use crate::bytes::{Addr, Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec;
use alloc::vec::Vec;

pub(crate) const HEADER: &str = "fixed array header";
pub(crate) const DATA_BLOCK: &str = "fixed array data block";
const HEADER_SIGNATURE: &[u8; 4] = b"FAHD";
const DATA_BLOCK_SIGNATURE: &[u8; 4] = b"FADB";
const CHECKSUM: u64 = 4;

/// VII.C, "Fixed Array Header".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) client: u8,
    pub(crate) element_size: u8,
    pub(crate) page_bits: u8,
    pub(crate) elements: u64,
    pub(crate) data_block: Option<Addr>,
}

impl Header {
    pub(crate) const fn size(widths: Widths) -> usize {
        8 + widths.length as usize + widths.offset as usize + 4
    }

    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::size(widths));
        out.put_bytes(HEADER_SIGNATURE);
        out.put_u8(0);
        out.put_u8(self.client);
        out.put_u8(self.element_size);
        out.put_u8(self.page_bits);
        out.put_len(self.elements, widths);
        out.put_addr(self.data_block, widths);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, HEADER, offset);
        take.signature(HEADER_SIGNATURE)?;
        take.version(0)?;
        let header = Self {
            client: take.u8()?,
            element_size: take.u8()?,
            page_bits: take.u8()?,
            elements: take.len(widths)?,
            data_block: take.addr(widths)?,
        };
        take.checksum()?;
        if header.client > 1 {
            return Err(take.error("unknown client"));
        }
        if header.element_size == 0 || header.elements == 0 {
            return Err(take.error("no elements"));
        }
        if header.page_bits == 0 || header.page_bits > 31 {
            return Err(take.error("the number of page bits is not from 1 to 31"));
        }
        Ok(header)
    }

    fn page_elements(&self) -> u64 {
        1 << self.page_bits
    }

    /// The number of pages of the data block; 0 where it has none because one would do.
    pub(crate) fn pages(&self) -> u64 {
        if self.elements > self.page_elements() {
            self.elements.div_ceil(self.page_elements())
        } else {
            0
        }
    }

    /// The bytes of all elements.
    pub(crate) fn elements_len(&self) -> Option<u64> {
        self.elements.checked_mul(u64::from(self.element_size))
    }

    /// The bytes of the data block.
    pub(crate) fn data_block_len(&self, widths: Widths) -> Result<u64> {
        let pages = self.pages();
        let checksums = CHECKSUM * (1 + pages);
        let prefix = 6 + u64::from(widths.offset) + pages.div_ceil(8);
        self.elements_len()
            .and_then(|len| len.checked_add(prefix + checksums))
            .ok_or_else(|| Error::corrupt(HEADER, "too many elements"))
    }

    /// The data block of `elements`, the bytes of all elements. A page is initialized where an element differs from
    /// `unused`.
    pub(crate) fn encode_data_block(
        &self,
        header: Addr,
        elements: &[u8],
        unused: &[u8],
        widths: Widths,
    ) -> Vec<u8> {
        let page_len = usize::from(self.element_size) << self.page_bits;
        let mut out = Vec::with_capacity(elements.len() + elements.len() / 64 + 64);
        out.put_bytes(DATA_BLOCK_SIGNATURE);
        out.put_u8(0);
        out.put_u8(self.client);
        out.put_addr(Some(header), widths);
        if self.pages() == 0 {
            out.put_bytes(elements);
            let checksum = lookup3(&out);
            out.put_u32(checksum);
            return out;
        }
        let mut bits = vec![0; self.pages().div_ceil(8) as usize];
        for (page, bytes) in elements.chunks(page_len).enumerate() {
            if bytes.chunks(unused.len()).any(|element| element != unused) {
                bits[page / 8] |= 0x80 >> (page % 8);
            }
        }
        out.put_bytes(&bits);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        for (page, bytes) in elements.chunks(page_len).enumerate() {
            if bits[page / 8] & (0x80 >> (page % 8)) == 0 {
                out.put_zeros(bytes.len() + CHECKSUM as usize);
            } else {
                out.put_bytes(bytes);
                out.put_u32(lookup3(bytes));
            }
        }
        out
    }

    /// The bytes of all elements of a data block of the header at `header`; those of a page that is not initialized
    /// are `unused`.
    pub(crate) fn decode_data_block(
        &self,
        bytes: &[u8],
        header: Addr,
        unused: &[u8],
        widths: Widths,
    ) -> Result<Vec<u8>> {
        let offset = self.data_block.map_or(0, Addr::get);
        let mut take = Take::new(bytes, DATA_BLOCK, offset);
        if bytes.len() as u64 != self.data_block_len(widths)? {
            return Err(take.error("ends too early"));
        }
        take.signature(DATA_BLOCK_SIGNATURE)?;
        take.version(0)?;
        if take.u8()? != self.client {
            return Err(take.error("another client than its header's"));
        }
        if take.addr(widths)? != Some(header) {
            return Err(take.error("belongs to another header"));
        }
        // No more than the length checked above, which holds the elements.
        let len = self.elements_len().unwrap_or(0) as usize;
        if self.pages() == 0 {
            let elements = take.bytes(len)?.to_vec();
            take.checksum()?;
            return Ok(elements);
        }
        let bits = take.bytes(self.pages().div_ceil(8) as usize)?;
        take.checksum()?;
        let page_len = usize::from(self.element_size) << self.page_bits;
        let mut elements = Vec::with_capacity(len);
        for page in 0..self.pages() as usize {
            let len = page_len.min(len - elements.len());
            if bits[page / 8] & (0x80 >> (page % 8)) == 0 {
                take.skip(len + CHECKSUM as usize)?;
                for _ in 0..len / unused.len() {
                    elements.extend_from_slice(unused);
                }
                continue;
            }
            let bytes = take.bytes(len)?;
            if take.u32()? != lookup3(bytes) {
                return Err(take.error("wrong checksum of a page"));
            }
            elements.extend_from_slice(bytes);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: Widths = Widths::EIGHT;

    fn find(image: &[u8], signature: &[u8; 4]) -> usize {
        image
            .windows(4)
            .position(|window| window == signature)
            .unwrap()
    }

    fn golden(image: &[u8], expected: &Header) -> Vec<u8> {
        let at = find(image, HEADER_SIGNATURE);
        let bytes = &image[at..at + Header::size(W)];
        let header = Header::decode(bytes, W, at as u64).unwrap();
        assert_eq!(
            Header {
                data_block: None,
                ..header.clone()
            },
            *expected
        );
        assert_eq!(header.encode(W), bytes);
        let place = header.data_block.unwrap().get() as usize;
        assert_eq!(place, find(image, DATA_BLOCK_SIGNATURE));
        let len = header.data_block_len(W).unwrap() as usize;
        let block = &image[place..place + len];
        let at = Addr::new(at as u64);
        let mut unused = vec![0; header.element_size.into()];
        unused[..8].fill(0xff);
        let decode = |bytes: &[u8], at| header.decode_data_block(bytes, at, &unused, W);
        let elements = decode(block, at).unwrap();
        let again = header.encode_data_block(at, &elements, &unused, W);
        assert_eq!(again, block);
        let mut damaged = block.to_vec();
        damaged[20] ^= 1;
        assert!(decode(&damaged, at).is_err());
        assert!(decode(block, at.plus(1)).is_err());
        elements
    }

    #[test]
    fn an_unpaged_array_of_libhdf5_decodes_and_encodes_back() {
        let elements = golden(
            include_bytes!("../../tests/golden/index_fixed.h5"),
            &Header {
                client: 0,
                element_size: 8,
                page_bits: 10,
                elements: 25,
                data_block: None,
            },
        );
        assert_eq!(elements[..8], 2048_u64.to_le_bytes());
    }

    #[test]
    fn a_filtered_array_of_libhdf5_decodes_and_encodes_back() {
        let elements = golden(
            include_bytes!("../../tests/golden/index_fixed_filtered.h5"),
            &Header {
                client: 1,
                element_size: 14,
                page_bits: 10,
                elements: 15,
                data_block: None,
            },
        );
        assert_eq!(elements.len(), 15 * 14);
    }

    #[test]
    fn pages_of_libhdf5_decode_and_encode_back() {
        let elements = golden(
            include_bytes!("../../tests/golden/index_fixed_paged.h5"),
            &Header {
                client: 0,
                element_size: 8,
                page_bits: 10,
                elements: 3500,
                data_block: None,
            },
        );
        assert_eq!(elements[2048 * 8..2049 * 8], [0xff; 8]);
        golden(
            include_bytes!("../../tests/golden/index_fixed_paged_filtered.h5"),
            &Header {
                client: 1,
                element_size: 14,
                page_bits: 10,
                elements: 2048,
                data_block: None,
            },
        );
    }

    #[test]
    fn more_elements_than_any_file_holds_are_refused() {
        let header = Header {
            client: 0,
            element_size: 8,
            page_bits: 10,
            elements: u64::MAX / 8,
            data_block: None,
        };
        assert!(header.data_block_len(W).is_err());
        let mut bytes = header.encode(W);
        bytes[9] ^= 1;
        assert!(Header::decode(&bytes, W, 0).is_err());
    }
}
