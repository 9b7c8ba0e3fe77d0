//! The LZ4 filter.
//!
//! ```text
//!   0   8  number of bytes, big-endian as all numbers here
//!   8   4  number of bytes of a block; the last may be shorter
//! for each block:
//!   +   4  number of bytes that follow
//!   +   n  an LZ4 block, or the bytes as they are where there would be as many
//! ```

use super::{Filter, Known, LZ4, Outcome};
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};

/// The size of a block where none is given.
const DEFAULT_BLOCK: usize = 1 << 30;
/// No byte of a block stands for more bytes than this.
const MAX_RATIO: usize = 255;

pub(super) const KNOWN: Known = Known {
    id: LZ4,
    name: "lz4",
    optional: true,
    local: |values, _| Ok(values.to_vec()),
    make: |values| {
        let block = values.first().copied().filter(|&block| block > 0);
        let block = block.map_or(DEFAULT_BLOCK, |block| block as usize);
        Ok(Box::new(Lz4 { block }))
    },
};

struct Lz4 {
    block: usize,
}

impl Filter for Lz4 {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let size = self.block.min(input.len()).max(1);
        output.extend_from_slice(&(input.len() as u64).to_be_bytes());
        output.extend_from_slice(&(size as u32).to_be_bytes());
        for block in input.chunks(size) {
            let at = output.len();
            output.extend_from_slice(&[0; 4]);
            compress(block, output)?;
            if output.len() - at - 4 >= block.len() {
                output.truncate(at + 4);
                output.extend_from_slice(block);
            }
            let len = output.len() - at - 4;
            output[at..at + 4].copy_from_slice(&(len as u32).to_be_bytes());
        }
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let cut = || Error::filter("an LZ4 chunk ends too early");
        let (len, rest) = input.split_first_chunk::<8>().ok_or_else(cut)?;
        let (size, mut rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let len = u64::from_be_bytes(*len);
        if len > limit.min(input.len().saturating_mul(MAX_RATIO)) as u64 {
            return Err(Error::filter("an LZ4 chunk is longer than it should be"));
        }
        let size = (u32::from_be_bytes(*size) as usize).min(len as usize);
        if size == 0 && len > 0 {
            return Err(Error::filter("an LZ4 chunk has blocks without bytes"));
        }
        output.resize(len as usize, 0);
        for block in output.chunks_mut(size.max(1)) {
            let (stored, behind) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            let stored = u32::from_be_bytes(*stored) as usize;
            let (stored, behind) = behind.split_at_checked(stored).ok_or_else(cut)?;
            rest = behind;
            if stored.len() == block.len() {
                block.copy_from_slice(stored);
            } else {
                decompress(stored, block)?;
            }
        }
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        let blocks = len / self.block + 1;
        blocks
            .saturating_mul(4 + 16)
            .saturating_add(len)
            .saturating_add(len / 255 + 12)
    }
}

/// Appends `input` as an LZ4 block.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) -> Result<()> {
    let at = output.len();
    output.resize(at + get_maximum_output_size(input.len()), 0);
    let len = compress_into(input, &mut output[at..])
        .map_err(|_| Error::filter("LZ4 refused to compress"))?;
    output.truncate(at + len);
    Ok(())
}

/// Fills `output` from an LZ4 block.
pub(super) fn decompress(input: &[u8], output: &mut [u8]) -> Result<()> {
    match decompress_into(input, output) {
        Ok(len) if len == output.len() => Ok(()),
        _ => Err(Error::filter("a broken LZ4 block")),
    }
}
