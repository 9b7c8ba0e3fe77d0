//! The Blosc2 filter: a contiguous frame with one chunk, big-endian but for the chunks.
//!
//! ```text
//!   0  11  0x9e 0xa8 "b2frame" 0 0xd2
//!  11   4  size of the header
//!  15   9  0xcf, size of the frame
//!  24   5  0xa4, flags: version and size of offsets; type; codec and level; 3
//!  29   9  0xd3, number of bytes
//!  38   9  0xd3, size of all chunks
//!  47   5  0xd2, size of an element
//!  52   5  0xd2, size of a block
//!  57   5  0xd2, size of a chunk
//!  62   6  0xd1 and threads, twice
//!  68   1  0xc2
//!  69  18  0xd8 0x06, filters (8), what they have to know (8)
//!  87   n  0x93 0xcd, size so far of what follows (2), 0xde, number of layers (2), each its name and 0xd2, place (4); 0xdc,
//!          number of layers (2), each 0xc6, size (4), bytes
//!   +   n  the chunk
//!   +   n  a chunk of the places of chunks (8 bytes each, little-endian); 0x81 and so on in the last: what all elements are
//!   +  35  0x94 0x01 0x93 0xcd 0 6 0xde 0 0 0xdc 0 0 0xce, 35 (4), 0xd8, fingerprint (17)
//! ```
//!
//! A layer "b2nd" says the shape of blocks: they are of elements that are neighbours along all axes.

use super::chunk::{Chunk, Maker, Order};
use super::codec::Codec;
use super::{element, maker};
use crate::error::{Error, Result};
use crate::filter::{BLOSC2, Elements, Filter, Known, Outcome};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

const FILTER: u32 = 1;
const HEADER: usize = 97;
const CHUNKS_SIZE: usize = 39;
const LAYERS: usize = 87;
const MAX_AXES: usize = 8;

const MAGIC: [u8; 11] = *b"\x9e\xa8b2frame\0\xd2";
const TRAILER: [u8; 35] =
    *b"\x94\x01\x93\xcd\0\x06\xde\0\0\xdc\0\0\xce\0\0\0\x23\xd8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

pub(in crate::filter) const KNOWN: Known = Known {
    id: BLOSC2,
    name: "blosc2",
    optional: true,
    local,
    make: |values| {
        Ok(Box::new(Blosc2 {
            maker: maker(values, true)?,
        }))
    },
};

/// As `set_local` of the filter: version, block size, size of an element and of a chunk; level, shuffle, codec; of more than
/// one axis, their number and the shape of a chunk.
fn local(values: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let mut local = values.to_vec();
    local.resize(local.len().max(4), 0);
    local[0] = FILTER;
    local[2] = element(elements.datatype);
    local[3] = elements.chunk_bytes()?;
    if (2..=MAX_AXES).contains(&elements.chunk.len()) {
        for missing in [5, 1, 0].iter().skip(local.len() - 4) {
            local.push(*missing);
        }
        local.truncate(7);
        local.push(elements.chunk.len() as u32);
        local.extend(elements.chunk.iter().map(|&dim| dim as u32));
    }
    if maker(&local, true)?.codec == Codec::Snappy {
        return Err(Error::unsupported("Snappy in Blosc2"));
    }
    Ok(local)
}

struct Blosc2 {
    maker: Maker,
}

impl Filter for Blosc2 {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let len = i32::try_from(input.len()).map_err(|_| {
            let max = i32::MAX as u64;
            Error::limit("the size of a chunk of Blosc's", input.len() as u64, max)
        })?;
        output.extend_from_slice(&MAGIC);
        output.extend_from_slice(&(HEADER as u32).to_be_bytes());
        output.extend_from_slice(&[0xcf, 0, 0, 0, 0, 0, 0, 0, 0]);
        let codec = self.maker.codec.format() | self.maker.level << 4;
        output.extend_from_slice(&[0xa4, 0x12, 0, codec, 3]);
        output.push(0xd3);
        output.extend_from_slice(&i64::from(len).to_be_bytes());
        output.extend_from_slice(&[0xd3, 0, 0, 0, 0, 0, 0, 0, 0]);
        output.push(0xd2);
        output.extend_from_slice(&(self.maker.element as u32).to_be_bytes());
        output.extend_from_slice(&[0xd2, 0, 0, 0, 0, 0xd2]);
        output.extend_from_slice(&len.to_be_bytes());
        output.extend_from_slice(&[0xd1, 0, 1, 0xd1, 0, 1, 0xc2, 0xd8, 6]);
        let order = match self.maker.order {
            Order::Plain => 0,
            Order::Bytes => 1,
            Order::Bits => 2,
        };
        output.extend_from_slice(&[0, 0, 0, 0, 0, order, 0, 0]);
        output.extend_from_slice(&[0; 8]);
        output.extend_from_slice(&[0x93, 0xcd, 0, 7, 0xde, 0, 0, 0xdc, 0, 0]);
        self.maker.put(input, output)?;
        let chunks = output.len() - HEADER;
        // The one chunk is at the beginning of the chunks.
        let places = Maker {
            level: 0,
            order: Order::Plain,
            element: 8,
            ..self.maker
        };
        places.put(&[0; 8], output)?;
        output.extend_from_slice(&TRAILER);
        let len = output.len() as u64;
        output[16..24].copy_from_slice(&len.to_be_bytes());
        output[CHUNKS_SIZE..CHUNKS_SIZE + 8].copy_from_slice(&(chunks as u64).to_be_bytes());
        let block = output.get(HEADER + 8..HEADER + 12).map(<[u8]>::to_vec);
        if let Some(mut block) = block {
            block.reverse();
            output[53..57].copy_from_slice(&block);
        }
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let frame = Frame::parse(input)?;
        let grid = match frame.layer(b"b2nd")? {
            Some(layer) => Some(Blocks::parse(layer)?),
            None => None,
        };
        let most = match &grid {
            // Blocks reach beyond the edges.
            Some(grid) => limit.saturating_mul(1 << grid.block.len()),
            None => limit,
        };
        let too_long = || Error::filter("a chunk of Blosc2 is longer than it should be");
        let element = frame.element()?;
        let len = match &grid {
            Some(grid) => product(&grid.shape).and_then(|len| len.checked_mul(element)),
            None => Some(frame.len()?),
        };
        let len = len.filter(|&len| len <= limit).ok_or_else(too_long)?;
        let Some(chunk) = frame.chunk()? else {
            return frame.special(len, output).map(|()| Outcome::Written);
        };
        if chunk.len > most {
            return Err(too_long());
        }
        let Some(grid) = grid else {
            chunk.decode(output)?;
            return Ok(Outcome::Written);
        };
        let mut blocks = Vec::new();
        chunk.decode(&mut blocks)?;
        grid.gather(&blocks, element, output)?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        // The header, with layers; that of the chunk; the places; and blocks that reach beyond the edges.
        len.saturating_mul(2).saturating_add(4096)
    }
}

fn cut() -> Error {
    Error::filter("a frame of Blosc2 ends too early")
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    field.copied().ok_or_else(cut)
}

fn size(value: u64) -> Result<usize> {
    usize::try_from(value).map_err(|_| cut())
}

struct Frame<'a> {
    bytes: &'a [u8],
    header: usize,
    chunks: usize,
}

impl<'a> Frame<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Error::filter("no frame of Blosc2"));
        }
        let header = u32::from_be_bytes(field(bytes, 11)?) as usize;
        let chunks = size(u64::from_be_bytes(field(bytes, CHUNKS_SIZE)?))?;
        Ok(Self {
            bytes,
            header,
            chunks,
        })
    }

    fn element(&self) -> Result<usize> {
        Ok(u32::from_be_bytes(field(self.bytes, 48)?) as usize)
    }

    fn len(&self) -> Result<usize> {
        size(u64::from_be_bytes(field(self.bytes, 30)?))
    }

    /// The first chunk; nothing where its elements are all the same.
    fn chunk(&self) -> Result<Option<Chunk<'a>>> {
        match self.chunks {
            0 => Ok(None),
            _ => Chunk::parse(self.bytes.get(self.header..).ok_or_else(cut)?).map(Some),
        }
    }

    /// The elements of a chunk that is nowhere.
    fn special(&self, len: usize, output: &mut Vec<u8>) -> Result<()> {
        let places = Chunk::parse(self.bytes.get(self.header..).ok_or_else(cut)?)?;
        let mut place = Vec::new();
        if places.len == 8 {
            places.decode(&mut place)?;
        }
        match place.get(7) {
            // Zeros, or anything.
            Some(0x81 | 0x84) => {
                output.resize(len, 0);
                Ok(())
            }
            Some(0x82) if matches!(self.element()?, 4 | 8) => {
                let (single, double) = (f32::NAN.to_le_bytes(), f64::NAN.to_le_bytes());
                let nan = match self.element()? {
                    4 => &single[..],
                    _ => &double[..],
                };
                (0..len / nan.len()).for_each(|_| output.extend_from_slice(nan));
                Ok(())
            }
            _ => Err(Error::filter("a frame of Blosc2 without its chunk")),
        }
    }

    /// The bytes of a layer.
    fn layer(&self, name: &[u8]) -> Result<Option<&'a [u8]>> {
        let count = u16::from_be_bytes(field(self.bytes, LAYERS + 5)?);
        let mut at = LAYERS + 7;
        for _ in 0..count {
            let [tag] = field(self.bytes, at)?;
            let len = usize::from(tag & 0x1f);
            let found = self.bytes.get(at + 1..at + 1 + len).ok_or_else(cut)?;
            let place = u32::from_be_bytes(field(self.bytes, at + len + 2)?) as usize;
            if found == name {
                let len = u32::from_be_bytes(field(self.bytes, place.saturating_add(1))?) as usize;
                let layer = self.bytes.get(place + 5..).and_then(|rest| rest.get(..len));
                return layer.map(Some).ok_or_else(cut);
            }
            at += len + 6;
        }
        Ok(None)
    }
}

/// The blocks of a chunk of more than one axis.
struct Blocks {
    shape: Vec<usize>,
    block: Vec<usize>,
}

impl Blocks {
    /// ```text
    ///   0   3  0x97, version, number of axes
    ///   3   n  0x9X, for each axis 0xd3, length (8)
    ///   +   n  0x9X, for each axis 0xd2, length of a chunk (4)
    ///   +   n  0x9X, for each axis 0xd2, length of a block (4)
    /// ```
    fn parse(layer: &[u8]) -> Result<Self> {
        let [_, _, axes] = field(layer, 0)?;
        let axes = usize::from(axes);
        if !(1..=MAX_AXES).contains(&axes) {
            return Err(Error::filter("Blosc2 has blocks of too many axes"));
        }
        let (mut shape, mut block) = (Vec::new(), Vec::new());
        for axis in 0..axes {
            shape.push(size(u64::from_be_bytes(field(layer, 5 + 9 * axis)?))?);
            let chunk = 4 + 9 * axes + 2 + 5 * axis;
            let len = u32::from_be_bytes(field(layer, chunk + 1 + 5 * axes)?) as usize;
            if u32::from_be_bytes(field(layer, chunk)?) as usize != shape[axis] {
                return Err(Error::filter("Blosc2 has more than one chunk"));
            }
            if len == 0 || len > shape[axis].max(2) {
                return Err(Error::filter("Blosc2 has blocks of a wrong shape"));
            }
            block.push(len);
        }
        Ok(Self { shape, block })
    }

    /// Appends the elements of `blocks` in their order.
    fn gather(&self, blocks: &[u8], element: usize, output: &mut Vec<u8>) -> Result<()> {
        let wrong = || Error::filter("Blosc2 has blocks of a wrong size");
        let axes = self.shape.len();
        let counts: Vec<usize> = (0..axes)
            .map(|axis| self.shape[axis].div_ceil(self.block[axis]))
            .collect();
        let size = product(&self.block).and_then(|len| len.checked_mul(element));
        let size = size.filter(|&size| size > 0).ok_or_else(wrong)?;
        let all = product(&counts).and_then(|count| count.checked_mul(size));
        if all != Some(blocks.len()) {
            return Err(wrong());
        }
        let start = output.len();
        let len = self.shape.iter().product::<usize>() * element;
        output.resize(start + len, 0);
        let output = &mut output[start..];
        // The bytes from one element to the next along each axis, in the chunk.
        let mut strides = vec![element; axes];
        for axis in (0..axes - 1).rev() {
            strides[axis] = strides[axis + 1] * self.shape[axis + 1];
        }
        let last = axes - 1;
        for (number, block) in blocks.chunks_exact(size).enumerate() {
            let corner = place(number, &counts);
            let row_len = self.block[last] * element;
            for (row, bytes) in block.chunks_exact(row_len).enumerate() {
                let inside = place(row, &self.block[..last]);
                let mut at = corner[last] * self.block[last] * element;
                let mut within = true;
                for axis in 0..last {
                    let index = corner[axis] * self.block[axis] + inside[axis];
                    within &= index < self.shape[axis];
                    at += index * strides[axis];
                }
                if within {
                    let left = (self.shape[last] - corner[last] * self.block[last]) * element;
                    let count = left.min(row_len);
                    output[at..at + count].copy_from_slice(&bytes[..count]);
                }
            }
        }
        Ok(())
    }
}

fn product(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1_usize, |len, &dim| len.checked_mul(dim))
}

/// The indices of a number in row-major order.
fn place(mut number: usize, counts: &[usize]) -> Vec<usize> {
    let mut place = vec![0; counts.len()];
    for (index, count) in place.iter_mut().zip(counts).rev() {
        *index = number % count;
        number /= count;
    }
    place
}
