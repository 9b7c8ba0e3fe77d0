//! The Bitshuffle filter: blocks of elements whose bits are regrouped by significance, each compressed or not.
//!
//! ```text
//! where blocks are compressed:
//!   0   8  number of bytes, big-endian as all numbers here
//!   8   4  number of bytes of a block; the last one has what is left, a multiple of 8 elements
//! for each block:
//!   +   4  number of bytes that follow, where blocks are compressed
//!   +   n  the block
//! at the end:
//!   +   n  fewer than 8 elements, as they are
//! ```

use super::{BITSHUFFLE, Elements, Filter, Known, Outcome, bit_planes, lz4, zstandard};
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// Blocks have a multiple of so many elements.
const MULTIPLE: usize = 8;
/// The size of a block where none is given, in bytes, and what it has at least, in elements.
const TARGET: usize = 8192;
const AT_LEAST: usize = 128;
const HEADER: usize = 12;

pub(super) const KNOWN: Known = Known {
    id: BITSHUFFLE,
    name: "bitshuffle; see https://github.com/kiyo-masui/bitshuffle",
    optional: true,
    local,
    make: |values| Ok(Box::new(Bitshuffle::new(values)?)),
};

/// The version of the filter, the size of an element, and what the user gives: the size of a block, the compression and its
/// level.
fn local(values: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let mut local = vec![0, 4, elements.datatype.size()];
    local.extend_from_slice(values);
    Bitshuffle::new(&local)?;
    Ok(local)
}

#[derive(Clone, Copy, PartialEq)]
enum Compression {
    None,
    Lz4,
    Zstd,
}

struct Bitshuffle {
    element: usize,
    /// In elements.
    block: usize,
    compression: Compression,
}

impl Bitshuffle {
    fn new(values: &[u32]) -> Result<Self> {
        let element = match values.get(2) {
            Some(&size) if size > 0 => size as usize,
            _ => return Err(Error::filter("bitshuffle needs the size of an element")),
        };
        let block = match values.get(3).map_or(0, |&block| block as usize) {
            0 => (TARGET / element / MULTIPLE * MULTIPLE).max(AT_LEAST),
            block if block.is_multiple_of(MULTIPLE) => block,
            _ => {
                return Err(Error::filter(
                    "bitshuffle needs blocks of a multiple of 8 elements",
                ));
            }
        };
        let compression = match values.get(4).copied().unwrap_or(0) {
            0 => Compression::None,
            2 => Compression::Lz4,
            3 => Compression::Zstd,
            _ => {
                return Err(Error::filter(
                    "bitshuffle with a compression that is not known",
                ));
            }
        };
        Ok(Self {
            element,
            block,
            compression,
        })
    }

    fn compress(&self, block: &[u8], output: &mut Vec<u8>) -> Result<()> {
        match self.compression {
            Compression::Zstd => zstandard::compress(block, output),
            _ => lz4::compress(block, output),
        }
    }

    fn decompress(&self, stored: &[u8], block: &mut Vec<u8>) -> Result<()> {
        match self.compression {
            Compression::Zstd => {
                let len = block.len();
                block.clear();
                zstandard::decompress(stored, block, len)?;
                match block.len() == len {
                    true => Ok(()),
                    false => Err(Error::filter("a bitshuffle block has another size")),
                }
            }
            _ => lz4::decompress(stored, block),
        }
    }

    /// The bytes of `len` that are in blocks.
    fn blocked(&self, len: usize) -> usize {
        let group = self.element.saturating_mul(MULTIPLE);
        len / group * group
    }
}

impl Filter for Bitshuffle {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        if !input.len().is_multiple_of(self.element) {
            return Err(Error::filter("bitshuffle is given a part of an element"));
        }
        let size = self.block.saturating_mul(self.element);
        let (blocks, rest) = input.split_at(self.blocked(input.len()));
        if self.compression == Compression::None {
            output.resize(blocks.len(), 0);
            for (block, planes) in blocks.chunks(size).zip(output.chunks_mut(size)) {
                bit_planes::split(block, self.element, planes);
            }
        } else {
            output.extend_from_slice(&(input.len() as u64).to_be_bytes());
            output.extend_from_slice(&(size as u32).to_be_bytes());
            let mut planes = vec![0; size.min(blocks.len())];
            for block in blocks.chunks(size) {
                let planes = &mut planes[..block.len()];
                bit_planes::split(block, self.element, planes);
                let at = output.len();
                output.extend_from_slice(&[0; 4]);
                self.compress(planes, output)?;
                let len = output.len() - at - 4;
                output[at..at + 4].copy_from_slice(&(len as u32).to_be_bytes());
            }
        }
        output.extend_from_slice(rest);
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let cut = || Error::filter("a bitshuffle chunk ends too early");
        let too_long = || Error::filter("a bitshuffle chunk is longer than it should be");
        let (len, size, mut rest) = match self.compression {
            Compression::None => (input.len(), self.block.saturating_mul(self.element), input),
            _ => {
                let (header, rest) = input.split_first_chunk::<HEADER>().ok_or_else(cut)?;
                let &[a, b, c, d, e, f, g, h, size @ ..] = header;
                let len = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                let len = usize::try_from(len).map_err(|_| too_long())?;
                (len, u32::from_be_bytes(size) as usize, rest)
            }
        };
        if len > limit {
            return Err(too_long());
        }
        let group = self.element.saturating_mul(MULTIPLE);
        if !len.is_multiple_of(self.element) || size == 0 || !size.is_multiple_of(group) {
            return Err(Error::filter("a bitshuffle chunk has parts of elements"));
        }
        let blocked = self.blocked(len);
        let mut planes = Vec::new();
        // Each block is there before memory is taken for it.
        while output.len() < blocked {
            let count = size.min(blocked - output.len());
            let at = output.len();
            if self.compression == Compression::None {
                let (block, behind) = rest.split_at_checked(count).ok_or_else(cut)?;
                output.resize(at + count, 0);
                bit_planes::join(block, self.element, &mut output[at..]);
                rest = behind;
                continue;
            }
            let (stored, behind) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            let stored = u32::from_be_bytes(*stored) as usize;
            let (stored, behind) = behind.split_at_checked(stored).ok_or_else(cut)?;
            planes.resize(count, 0);
            self.decompress(stored, &mut planes)?;
            output.resize(at + count, 0);
            bit_planes::join(&planes, self.element, &mut output[at..]);
            rest = behind;
        }
        let rest = rest.get(..len - blocked).ok_or_else(cut)?;
        output.extend_from_slice(rest);
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        if self.keeps_size() {
            return len;
        }
        let blocks = len / self.block.saturating_mul(self.element) + 1;
        blocks
            .saturating_mul(4 + 64)
            .saturating_add(len)
            .saturating_add(len / 255 + HEADER)
    }

    fn keeps_size(&self) -> bool {
        self.compression == Compression::None
    }
}
