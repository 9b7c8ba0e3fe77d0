//! The szip filter: the number of bytes, little-endian, and an adaptive entropy coded stream (CCSDS 121.0-B).
//!
//! Samples are elements; of elements of 32 or 64 bits they are the first bytes of all elements, then the second bytes, and so
//! on. A line of samples that ends within a block is filled up: with the last sample where samples are coded by their
//! differences, else with zeros.

mod aec;

use super::{Elements, Filter, Known, Outcome, SZIP};
use crate::error::{Error, Result};
use crate::format::message::datatype::{ByteOrder, Datatype};
use aec::Coder;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// The bits of the first parameter.
const ALLOW_K13: u32 = 1;
const CHIP: u32 = 2;
const LEAST_SIGNIFICANT_FIRST: u32 = 8;
const MOST_SIGNIFICANT_FIRST: u32 = 16;
const NEAREST_NEIGHBOR: u32 = 32;
const RAW: u32 = 128;

const MAX_BLOCK: u32 = 32;
const MAX_BLOCKS_OF_LINE: u64 = 128;
const MAX_LINE: u64 = 4096;
/// What one bit can stand for at most, in blocks.
const MAX_RUN: usize = 64;

pub(super) const KNOWN: Known = Known {
    id: SZIP,
    name: "szip",
    optional: true,
    local,
    make: |values| Ok(Box::new(Szip::new(values)?)),
};

/// As `set_local` of libhdf5: options, pixels of a block, bits of a pixel, pixels of a line.
fn local(values: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let &[options, block, ..] = values else {
        return Err(Error::invalid(
            "szip takes options and the pixels of a block",
        ));
    };
    if block == 0 || block % 2 != 0 || block > MAX_BLOCK {
        return Err(Error::invalid(
            "the pixels of a block of szip are an even number of 2 to 32",
        ));
    }
    let mut number = elements.datatype;
    while let Datatype::Enum { base, .. } = number {
        number = base;
    }
    let (size, order, precision, offset) = match number {
        Datatype::Integer(number) | Datatype::Bitfield(number) => (
            number.size,
            number.order,
            number.precision,
            number.bit_offset,
        ),
        Datatype::Float(number) => (
            number.size,
            number.order,
            number.precision,
            number.bit_offset,
        ),
        other => {
            return Err(Error::unsupported(format!(
                "the filter szip over elements that are {other}"
            )));
        }
    };
    if !matches!(size, 1..=4 | 8) || order == ByteOrder::Vax {
        return Err(Error::unsupported(format!(
            "the filter szip over elements that are {number}"
        )));
    }
    let bits = match (u32::from(precision), offset) {
        (bits, 0) if bits <= 8 * size => bits,
        _ => 8 * size,
    };
    let bits = match bits {
        ..=24 => bits,
        25..=32 => 32,
        _ => 64,
    };
    let count = u64::from(elements.count()?);
    let longest = u64::from(block) * MAX_BLOCKS_OF_LINE;
    let line = match elements.chunk.last().copied().unwrap_or(1) {
        line if line < block.into() && count < block.into() => {
            return Err(Error::invalid(
                "a block of szip has more pixels than a chunk",
            ));
        }
        line if line < block.into() => longest.min(count),
        line if line <= MAX_LINE => longest.min(line),
        _ => longest,
    };
    let order = match order {
        ByteOrder::BigEndian => MOST_SIGNIFICANT_FIRST,
        _ => LEAST_SIGNIFICANT_FIRST,
    };
    let cleared = CHIP | LEAST_SIGNIFICANT_FIRST | MOST_SIGNIFICANT_FIRST;
    let options = options & !cleared | ALLOW_K13 | RAW | order;
    Ok(vec![options, block, bits, line as u32])
}

struct Szip {
    coder: Coder,
    /// The bytes of an element whose bytes are apart; 1 where they are together.
    planes: usize,
    /// The bytes of a sample.
    sample: usize,
    big: bool,
    /// Samples of a line, and of its blocks.
    line: usize,
    blocks: usize,
}

impl Szip {
    fn new(values: &[u32]) -> Result<Self> {
        let &[options, block, bits, line] = values else {
            return Err(Error::filter("szip needs four parameters"));
        };
        let longest = u64::from(block) * 4096;
        if block == 0 || block % 2 != 0 || block > 64 || line == 0 || u64::from(line) > longest {
            return Err(Error::filter("szip has blocks or lines of a wrong size"));
        }
        let (planes, bits) = match bits {
            32 | 64 => (bits as usize / 8, 8),
            1..=24 => (1, bits),
            _ => return Err(Error::filter("szip has samples of a wrong size")),
        };
        let (line, block) = (line as usize, block as usize);
        let interval = line.div_ceil(block);
        Ok(Self {
            coder: Coder {
                bits,
                block,
                interval,
                differences: options & NEAREST_NEIGHBOR != 0,
            },
            planes,
            sample: match bits {
                ..=8 => 1,
                9..=16 => 2,
                _ => 4,
            },
            big: options & MOST_SIGNIFICANT_FIRST != 0,
            line,
            blocks: interval * block,
        })
    }

    /// The samples of a line, filled up.
    fn put_line(&self, line: &[u8], samples: &mut Vec<u32>) {
        let end = samples.len() + self.blocks;
        samples.extend(line.chunks_exact(self.sample).map(|bytes| {
            let mut word = [0; 4];
            word[..self.sample].copy_from_slice(bytes);
            if self.big {
                word[..self.sample].reverse();
            }
            // Bits beyond those of a sample are no part of it.
            u32::from_le_bytes(word) & (u32::MAX >> (32 - self.coder.bits))
        }));
        let last = match self.coder.differences {
            true => samples.last().copied().unwrap_or(0),
            false => 0,
        };
        samples.resize(end, last);
    }

    fn samples(&self, input: &[u8]) -> Vec<u32> {
        let apart = match self.planes {
            1 => Vec::new(),
            size => {
                let count = input.len() / size;
                let mut bytes = vec![0; count * size];
                for (at, element) in input.chunks_exact(size).enumerate() {
                    for (plane, byte) in element.iter().enumerate() {
                        bytes[plane * count + at] = *byte;
                    }
                }
                bytes
            }
        };
        let input = if self.planes == 1 { input } else { &apart };
        let lines = input.chunks(self.line * self.sample);
        let mut samples = Vec::with_capacity(lines.len() * self.blocks);
        lines.for_each(|line| self.put_line(line, &mut samples));
        samples
    }

    /// Appends the elements that samples are.
    fn elements(&self, samples: &[u32], len: usize, output: &mut Vec<u8>) {
        let mut bytes = Vec::with_capacity(len);
        for line in samples.chunks(self.blocks) {
            for sample in &line[..line.len().min(self.line)] {
                let mut word = sample.to_le_bytes();
                if self.big {
                    word[..self.sample].reverse();
                }
                bytes.extend_from_slice(&word[..self.sample]);
            }
        }
        bytes.truncate(len);
        if self.planes == 1 {
            output.extend_from_slice(&bytes);
            return;
        }
        let count = bytes.len() / self.planes;
        output.resize(count * self.planes, 0);
        for (at, element) in output.chunks_exact_mut(self.planes).enumerate() {
            for (plane, byte) in element.iter_mut().enumerate() {
                *byte = bytes[plane * count + at];
            }
        }
    }
}

impl Filter for Szip {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let whole = self.sample.max(self.planes);
        if input.is_empty() || !input.len().is_multiple_of(whole) {
            return Err(Error::filter("szip is given a part of an element"));
        }
        let len = u32::try_from(input.len()).map_err(|_| {
            Error::limit("the size of a chunk", input.len() as u64, u32::MAX.into())
        })?;
        output.extend_from_slice(&len.to_le_bytes());
        self.coder.encode(&mut self.samples(input), output);
        // As libhdf5, which gives the stream no more room than the chunk has.
        Ok(match output.len() - 4 > input.len() {
            true => Outcome::LeftOut,
            false => Outcome::Written,
        })
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let broken = || Error::filter("a broken szip stream");
        let (len, stream) = input.split_first_chunk::<4>().ok_or_else(broken)?;
        let len = u32::from_le_bytes(*len) as usize;
        // A bit may stand for a run of blocks.
        let most = stream.len().saturating_mul(8 * MAX_RUN * self.coder.block);
        let count = len.div_ceil(self.sample);
        if len > limit || !len.is_multiple_of(self.planes) || count > most {
            return Err(Error::filter("an szip chunk is longer than it should be"));
        }
        // The last line may end where the chunk ends, which decoders do not mind.
        let count = match self.line == self.blocks {
            true => count,
            false => count.div_ceil(self.line) * self.blocks,
        };
        self.elements(&self.coder.decode(stream, count)?, len, output);
        match output.len() == len {
            true => Ok(Outcome::Written),
            false => Err(broken()),
        }
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(4)
    }

    fn may_decline(&self) -> bool {
        true
    }
}
