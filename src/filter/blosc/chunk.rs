//! Chunks of Blosc and of Blosc2.
//!
//! ```text
//!   0   1  version: 2, of Blosc2 3 to 5
//!   1   1  version of the codec's format: 1
//!   2   1  flags: bit 0, bytes shuffled; 1, stored; 2, bits shuffled; 4, one stream for each block; 5 to 7, the codec; bits 0
//!          and 2 together: the header goes on
//!   3   1  size of an element
//!   4   4  number of bytes, little-endian as all numbers here
//!   8   4  number of bytes of a block
//!  12   4  number of bytes of the chunk
//! Blosc2:
//!  16   6  filters: 0, none; 1, bytes shuffled; 2, bits shuffled; 3, differences; 4, precision cut
//!  22   2  codec of the user
//!  24   6  what filters have to know
//!  30   1  reserved
//!  31   1  flags: bit 0, dictionaries; bits 4 to 6, the chunk is all zeros, NaN, or the element that follows
//! then the bytes, where they are stored; or
//!   +  4k  where each block is
//!   +   n  the blocks, each of one stream, or of one for each byte of an element: its size (4 bytes) and its bytes; as they are
//!          where the size is that of the block; in Blosc2, a size of 0 stands for zeros, one below 0 for a byte repeated
//! ```

use super::codec::Codec;
use crate::error::{Error, Result};
use crate::filter::shuffle::Shuffle;
use crate::filter::{Filter, Outcome, bit_planes};
use alloc::vec::Vec;

const HEADER: usize = 16;
const EXTENDED: usize = 32;

const SHUFFLED: u8 = 1;
const STORED: u8 = 1 << 1;
const BITS_SHUFFLED: u8 = 1 << 2;
const ONE_STREAM: u8 = 1 << 4;

/// A chunk of Blosc's that is shorter is not compressed.
pub(super) const SHORTEST: usize = 128;
/// Elements are split into streams up to this size.
const MAX_STREAMS: usize = 16;
const MAX_ELEMENT: usize = 255;

/// What is done to the bytes of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Plain,
    Bytes,
    Bits,
}

/// How a chunk is made.
pub(super) struct Maker {
    pub(super) codec: Codec,
    pub(super) level: u8,
    pub(super) order: Order,
    pub(super) element: usize,
    /// Of Blosc2.
    pub(super) extended: bool,
}

impl Maker {
    /// The size of blocks of a chunk.
    fn block(&self, len: usize) -> usize {
        let group = 8 * self.element;
        (self.codec.block() / group)
            .max(1)
            .saturating_mul(group)
            .min(len)
    }

    /// Appends a chunk; one of stored bytes where it would not be shorter.
    pub(super) fn put(&self, input: &[u8], output: &mut Vec<u8>) -> Result<()> {
        let start = output.len();
        let block = self.block(input.len()).max(1);
        self.put_header(input.len(), block, 0, output);
        let header = output.len() - start;
        let blocks = input.len().div_ceil(block);
        output.resize(start + header + 4 * blocks, 0);
        let mut ordered = Vec::new();
        let mut stored = self.level == 0;
        for (number, block) in input.chunks(block).enumerate() {
            let at = output.len() - start;
            stored |= at >= input.len() + header;
            if stored {
                break;
            }
            let entry = start + header + 4 * number;
            output[entry..entry + 4].copy_from_slice(&(at as u32).to_le_bytes());
            output.extend_from_slice(&[0; 4]);
            let block = split(self.order, self.element, self.extended, block, &mut ordered)?;
            if !self.codec.compress(self.level, block, output)? {
                output.truncate(start + at + 4);
                output.extend_from_slice(block);
            }
            let len = output.len() - start - at - 4;
            output[start + at..start + at + 4].copy_from_slice(&(len as u32).to_le_bytes());
        }
        if stored || output.len() - start >= input.len() + header {
            output.truncate(start);
            self.put_header(input.len(), block, STORED, output);
            output.extend_from_slice(input);
        }
        let len = output.len() - start;
        output[start + 12..start + 16].copy_from_slice(&(len as u32).to_le_bytes());
        Ok(())
    }

    fn put_header(&self, len: usize, block: usize, flags: u8, output: &mut Vec<u8>) {
        let order = match (self.extended, self.order) {
            (true, _) => SHUFFLED | BITS_SHUFFLED,
            (_, Order::Plain) => 0,
            (_, Order::Bytes) => SHUFFLED,
            (_, Order::Bits) => BITS_SHUFFLED,
        };
        let version = if self.extended { 5 } else { 2 };
        let flags = flags | order | ONE_STREAM | self.codec.format() << 5;
        output.extend_from_slice(&[version, 1, flags, self.element.min(MAX_ELEMENT) as u8]);
        output.extend_from_slice(&(len as u32).to_le_bytes());
        output.extend_from_slice(&(block as u32).to_le_bytes());
        output.extend_from_slice(&[0; 4]);
        if self.extended {
            let filter = match self.order {
                Order::Plain => 0,
                Order::Bytes => 1,
                Order::Bits => 2,
            };
            output.extend_from_slice(&[0, 0, 0, 0, 0, filter]);
            output.extend_from_slice(&[0; 10]);
        }
    }
}

/// The bytes of a block in another order.
fn split<'a>(
    order: Order,
    element: usize,
    extended: bool,
    block: &'a [u8],
    ordered: &'a mut Vec<u8>,
) -> Result<&'a [u8]> {
    ordered.clear();
    let outcome = match order {
        Order::Plain => Outcome::Unchanged,
        Order::Bytes => Shuffle::new(&[element as u32])?.encode(block, ordered)?,
        Order::Bits => {
            let whole = bit_groups(block.len(), element, extended);
            ordered.extend_from_slice(block);
            bit_planes::split(&block[..whole], element, &mut ordered[..whole]);
            Outcome::Written
        }
    };
    Ok(match outcome {
        Outcome::Written => ordered,
        _ => block,
    })
}

/// How many bytes of a block have their bits shuffled.
fn bit_groups(len: usize, element: usize, extended: bool) -> usize {
    let count = len / element;
    match count.is_multiple_of(8) {
        true => count * element,
        false if extended => count / 8 * 8 * element,
        false => 0,
    }
}

/// The reverse of [`split`].
fn join(order: Order, element: usize, extended: bool, block: &mut Vec<u8>) -> Result<()> {
    let mut ordered = Vec::new();
    match order {
        Order::Plain => return Ok(()),
        Order::Bytes => {
            let shuffle = Shuffle::new(&[element as u32])?;
            if shuffle.decode(block, &mut ordered, block.len())? != Outcome::Written {
                return Ok(());
            }
        }
        Order::Bits => {
            let whole = bit_groups(block.len(), element, extended);
            ordered.extend_from_slice(block);
            bit_planes::join(&block[..whole], element, &mut ordered[..whole]);
        }
    }
    *block = ordered;
    Ok(())
}

/// A chunk, with its header understood.
pub(super) struct Chunk<'a> {
    bytes: &'a [u8],
    flags: u8,
    element: usize,
    pub(super) len: usize,
    block: usize,
    header: usize,
    /// In the order of encoding.
    orders: Vec<(Order, usize)>,
    special: u8,
}

fn cut() -> Error {
    Error::filter("a chunk of Blosc's ends too early")
}

fn number(bytes: &[u8], at: usize) -> Result<i32> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    field
        .map(|field| i32::from_le_bytes(*field))
        .ok_or_else(cut)
}

fn size(bytes: &[u8], at: usize) -> Result<usize> {
    usize::try_from(number(bytes, at)?).map_err(|_| Error::filter("Blosc has a size below 0"))
}

impl<'a> Chunk<'a> {
    /// The chunk that `bytes` begin with.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let &[version, _, flags, element, ..] = bytes else {
            return Err(cut());
        };
        let (len, block, stored) = (size(bytes, 4)?, size(bytes, 8)?, size(bytes, 12)?);
        let bytes = bytes.get(..stored).ok_or_else(cut)?;
        let element = usize::from(element).max(1);
        let extended = version > 2 && flags & SHUFFLED != 0 && flags & BITS_SHUFFLED != 0;
        if !matches!(version, 1..=5) || (block == 0 && len > 0) {
            return Err(Error::filter("a chunk of a Blosc that is not known"));
        }
        let mut chunk = Self {
            bytes,
            flags,
            element,
            len,
            block,
            header: HEADER,
            orders: Vec::new(),
            special: 0,
        };
        if !extended {
            if flags & SHUFFLED != 0 {
                chunk.orders.push((Order::Bytes, element));
            } else if flags & BITS_SHUFFLED != 0 {
                chunk.orders.push((Order::Bits, element));
            }
            return Ok(chunk);
        }
        chunk.header = EXTENDED;
        let header = bytes.get(HEADER..EXTENDED).ok_or_else(cut)?;
        for (filter, meta) in header[..6].iter().zip(&header[8..14]) {
            let element = match meta {
                0 => element,
                meta => usize::from(*meta),
            };
            match filter {
                // What was cut off is not put back.
                0 | 4 => {}
                1 => chunk.orders.push((Order::Bytes, element)),
                2 => chunk.orders.push((Order::Bits, element)),
                _ => return Err(Error::unsupported("a filter of Blosc2 inside a chunk")),
            }
        }
        if header[15] & 1 != 0 {
            return Err(Error::unsupported("a chunk of Blosc2 with a dictionary"));
        }
        chunk.special = header[15] >> 4 & 7;
        Ok(chunk)
    }

    fn extended(&self) -> bool {
        self.header == EXTENDED
    }

    /// Appends the bytes, which the caller has found to be not too many.
    pub(super) fn decode(&self, output: &mut Vec<u8>) -> Result<()> {
        let end = output.len() + self.len;
        let behind = self.bytes.get(self.header..).ok_or_else(cut)?;
        match self.special {
            0 => {}
            special => return self.repeat(special, behind, end, output),
        }
        if self.flags & STORED != 0 {
            output.extend_from_slice(behind.get(..self.len).ok_or_else(cut)?);
            return Ok(());
        }
        let codec = Codec::of_format(self.flags >> 5)?;
        let mut block = Vec::new();
        for number in 0..self.len.div_ceil(self.block) {
            let len = self.block.min(end - output.len());
            let at = size(behind, 4 * number)?;
            block.clear();
            self.decode_block(
                codec,
                self.bytes.get(at..).ok_or_else(cut)?,
                len,
                &mut block,
            )?;
            for (order, element) in self.orders.iter().rev() {
                join(*order, *element, self.extended(), &mut block)?;
            }
            output.extend_from_slice(&block);
        }
        Ok(())
    }

    fn repeat(&self, special: u8, behind: &[u8], end: usize, output: &mut Vec<u8>) -> Result<()> {
        let nan = match self.element {
            4 => &f32::NAN.to_le_bytes()[..],
            _ => &f64::NAN.to_le_bytes()[..],
        };
        let value = match special {
            1 | 4 => &[0][..],
            2 if matches!(self.element, 4 | 8) => nan,
            3 => behind.get(..self.element).ok_or_else(cut)?,
            _ => {
                return Err(Error::filter(
                    "a chunk of Blosc2 of special values that are not known",
                ));
            }
        };
        while output.len() < end {
            let more = value.len().min(end - output.len());
            output.extend_from_slice(&value[..more]);
        }
        Ok(())
    }

    /// The streams of a block.
    fn streams(&self, len: usize) -> usize {
        let split = self.flags & ONE_STREAM == 0 && len == self.block;
        let old = self.element <= MAX_STREAMS && self.block / self.element >= SHORTEST;
        match split && (self.extended() || old) {
            true => self.element,
            false => 1,
        }
    }

    fn decode_block(
        &self,
        codec: Codec,
        mut rest: &[u8],
        len: usize,
        block: &mut Vec<u8>,
    ) -> Result<()> {
        let streams = self.streams(len);
        if !len.is_multiple_of(streams) {
            return Err(Error::filter(
                "a block of Blosc's is no multiple of its streams",
            ));
        }
        let len = len / streams;
        for _ in 0..streams {
            let stored = number(rest, 0)?;
            rest = &rest[4..];
            if stored <= 0 && self.extended() {
                let mut byte = 0;
                if stored < 0 {
                    let (&token, behind) = rest.split_first().ok_or_else(cut)?;
                    if token & 1 == 0 || stored < -255 {
                        return Err(Error::filter("a stream of Blosc2 that is not known"));
                    }
                    rest = behind;
                    byte = stored.unsigned_abs() as u8;
                }
                block.resize(block.len() + len, byte);
                continue;
            }
            let stored = usize::try_from(stored).map_err(|_| cut())?;
            let (stream, behind) = rest.split_at_checked(stored).ok_or_else(cut)?;
            rest = behind;
            match stored == len {
                true => block.extend_from_slice(stream),
                false => codec.decompress(stream, len, block)?,
            }
        }
        Ok(())
    }
}
