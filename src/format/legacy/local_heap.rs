//! III.D. The local heap, where a symbol table keeps its names and the paths of soft links.
//!
//! ```text
//!   0   4  signature "HEAP"
//!   4   1  version: 0
//!   5   3  reserved
//!   8   L  size of the data segment
//!   +   L  offset of the first free block in the segment, 1: none
//!   +   O  address of the data segment
//! ```
//!
//! A string in the segment ends with a NUL.

use crate::bytes::{Addr, Extent, Put, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "local heap";

/// Says that no block is free.
const NO_FREE_BLOCK: u64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalHeap {
    pub(crate) segment: Extent,
}

/// The size of the header.
pub(crate) fn header_size(widths: Widths) -> u64 {
    8 + 2 * u64::from(widths.length) + u64::from(widths.offset)
}

impl LocalHeap {
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.signature(b"HEAP")?;
        take.version(0)?;
        take.skip(3)?;
        let len = take.len(widths)?;
        let free = take.len(widths)?;
        if free != NO_FREE_BLOCK && free >= len {
            return Err(take.error("the first free block is outside the data segment"));
        }
        let addr = take.defined_addr(widths)?;
        Ok(Self {
            segment: Extent::new(addr, len),
        })
    }
}

/// A heap of strings at `addr`, header and data segment in one block, without free space; and where each string is in the
/// segment. The first is the empty one, which every heap has.
pub(crate) fn encode(strings: &[&[u8]], addr: Addr, widths: Widths) -> (Vec<u8>, Vec<u64>) {
    let mut segment = Vec::new();
    segment.put_zeros(8);
    let mut places = Vec::with_capacity(strings.len());
    for string in strings {
        places.push(segment.len() as u64);
        segment.put_bytes(string);
        let end = (segment.len() + 1).next_multiple_of(8);
        segment.put_zeros(end - segment.len());
    }
    let header = header_size(widths).next_multiple_of(8);
    let mut out = Vec::with_capacity(header as usize + segment.len());
    out.put_bytes(b"HEAP");
    out.put_zeros(4);
    out.put_len(segment.len() as u64, widths);
    out.put_len(NO_FREE_BLOCK, widths);
    out.put_addr(Some(addr.plus(header)), widths);
    out.put_zeros(header as usize - out.len());
    out.append(&mut segment);
    (out, places)
}

/// The string at `at` of the data segment, which stands at `offset` in the file.
pub(crate) fn string_at(segment: &[u8], at: u64, offset: u64) -> Result<&[u8]> {
    let error = |reason| Error::corrupt(NAME, reason).at(offset);
    let rest = usize::try_from(at)
        .ok()
        .and_then(|at| segment.get(at..))
        .ok_or_else(|| error("a string is outside the data segment"))?;
    let end = rest
        .iter()
        .position(|&byte| byte == 0)
        .ok_or_else(|| error("a string has no end"))?;
    Ok(&rest[..end])
}
