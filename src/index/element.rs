//! How arrays and B-trees write where a chunk is.
//!
//! ```text
//!   0   O  address; undefined: there is no chunk
//! of filtered chunks also:
//!   +   n  size
//!   +   4  mask of the filters left out
//! ```

use super::{ChunkRecord, IndexShape};
use crate::bytes::{Addr, Extent, Put, Take, Widths};
use crate::error::{Error, Result};
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elements {
    widths: Widths,
    chunk_bytes: u64,
    /// The width of a filtered chunk's size; `None` where chunks are not filtered.
    size_width: Option<u8>,
}

impl Elements {
    /// For a data layout message of version `version`.
    pub(crate) fn new(shape: &IndexShape, version: u8) -> Self {
        Self {
            widths: shape.widths,
            chunk_bytes: shape.chunk_bytes,
            size_width: shape
                .filtered
                .then(|| size_width(shape.chunk_bytes, version, shape.widths)),
        }
    }

    /// As found in an index whose elements are `size` bytes, behind a number of others; `None` where they cannot be.
    pub(crate) fn found(self, size: usize, widths: Widths) -> Option<Self> {
        let rest = size.checked_sub(widths.offset.into())?;
        let size_width = match self.size_width {
            None if rest == 0 => None,
            Some(_) => match rest.checked_sub(4)? {
                width @ 1..=8 => Some(width as u8),
                _ => return None,
            },
            None => return None,
        };
        Some(Self {
            widths,
            size_width,
            ..self
        })
    }

    pub(crate) fn filtered(&self) -> bool {
        self.size_width.is_some()
    }

    pub(crate) fn size(&self) -> usize {
        usize::from(self.widths.offset) + self.size_width.map_or(0, |width| usize::from(width) + 4)
    }

    /// The element of a chunk that is nowhere.
    pub(crate) fn unused(&self) -> Vec<u8> {
        let mut element = vec![0; self.size()];
        element[..self.widths.offset.into()].fill(0xff);
        element
    }

    pub(crate) fn encode(&self, record: ChunkRecord, out: &mut Vec<u8>) -> Result<()> {
        let (len, mask) = (record.extent.len, record.mask);
        let Some(width) = self.size_width else {
            if len != self.chunk_bytes || mask != 0 {
                return Err(Error::invalid(
                    "a chunk of another size, or with a filter mask, in a dataset without filters",
                ));
            }
            out.put_addr(Some(record.extent.addr), self.widths);
            return Ok(());
        };
        let max = u64::MAX >> (64 - 8 * u32::from(width));
        if len > max {
            return Err(Error::limit("the size of a filtered chunk", len, max));
        }
        out.put_addr(Some(record.extent.addr), self.widths);
        out.put_uint(len, width);
        out.put_u32(mask);
        Ok(())
    }

    /// What an element, whose place in the file is not known, says; bytes behind it do not matter.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<Option<ChunkRecord>> {
        let mut take = Take::new(bytes, "chunk index", 0);
        let addr = take.addr(self.widths)?;
        let (len, mask) = match self.size_width {
            Some(width) => (take.uint(width)?, take.u32()?),
            None => (self.chunk_bytes, 0),
        };
        Ok(addr.map(|addr: Addr| ChunkRecord {
            extent: Extent::new(addr, len),
            mask,
        }))
    }

    /// As [`decode`](Self::decode), of a chunk that has to be in the file.
    pub(crate) fn decode_checked(
        &self,
        store: &Store,
        bytes: &[u8],
    ) -> Result<Option<ChunkRecord>> {
        let record = self.decode(bytes)?;
        if let Some(record) = record {
            store.check_bounds(record.extent, "chunk")?;
        }
        Ok(record)
    }
}

/// The bytes libhdf5 takes for the size of a filtered chunk: room for one that filters made larger.
fn size_width(chunk_bytes: u64, version: u8, widths: Widths) -> u8 {
    if version > 4 {
        return widths.length;
    }
    let bits = chunk_bytes.max(1).ilog2();
    (1 + (bits + 8) / 8).min(8) as u8
}

#[cfg(test)]
mod tests {
    use super::{Widths, size_width};

    #[test]
    fn sizes_are_as_wide_as_libhdf5_writes_them() {
        // From the headers of arrays and trees that h5py made with chunks of these sizes.
        let known = [
            (1, 2),
            (127, 2),
            (255, 2),
            (256, 3),
            (65_535, 3),
            (65_536, 4),
        ];
        for (chunk_bytes, width) in known.into_iter().chain([(8_388_608, 4), (16_777_216, 5)]) {
            assert_eq!(
                size_width(chunk_bytes, 4, Widths::EIGHT),
                width,
                "{chunk_bytes}"
            );
            assert_eq!(size_width(chunk_bytes, 5, Widths::EIGHT), 8);
        }
        assert_eq!(size_width(u64::MAX, 4, Widths::EIGHT), 8);
    }
}
