//! IV.A.2.i. The data layout message.
//!
//! ```text
//!   0   1  version: 3, 4 or 5
//!   1   1  layout class
//! 0, compact:          1, contiguous:       3, virtual (version 4 and later):
//!   2   2  size          2   O  address       2   O  address of the global heap collection
//!   4   n  data          +   L  size          +   4  index in it
//! 2, chunked, version 3:                    2, chunked, versions 4 and 5:
//!   2   1  dimensionality, d                  2   1  flags: bit 0 edge chunks unfiltered, 1 single and filtered
//!   3   O  address of the v1 B-tree           3   1  dimensionality, d
//!   +  4*d dimension sizes                    4   1  width of a dimension size, w
//!                                             5  w*d dimension sizes
//!                                             +   1  chunk indexing type
//!                                             +   n  indexing information
//!                                             +   O  address of the index or the chunks
//!
//! versions 1 and 2, which are written back as version 3:
//!   0   1  version
//!   1   1  dimensionality, d
//!   2   1  layout class
//!   3   5  reserved
//!   8   O  address of the data or the v1 B-tree; absent where compact
//!   +  4*d dimension sizes: of the dataset, cut to 32 bits, or of a chunk
//!   +   4  compact: size
//!   +   n  compact: data
//! ```
//! The last dimension size is the size of an element. Versions 4 and 5 have the same bytes; version 5 stores the
//! sizes of filtered chunks at full width inside the indexes.

use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "data layout message";

/// The flag of a dataset whose chunks at the edge of its extent go unfiltered.
pub(crate) const UNFILTERED_EDGES: u8 = 0x01;
/// The flag of a single chunk that went through filters.
const SINGLE_FILTERED: u8 = 0x02;
const ALL_FLAGS: u8 = UNFILTERED_EDGES | SINGLE_FILTERED;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// 1 to 5.
    pub(crate) version: u8,
    pub(crate) class: LayoutClass,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LayoutClass {
    /// The data itself, at most 65,535 bytes less what the message needs.
    Compact(Vec<u8>),
    Contiguous {
        addr: Option<Addr>,
        size: u64,
    },
    Chunked(ChunkedLayout),
    /// The mapping, an object in a global heap collection.
    Virtual {
        heap: Option<Addr>,
        index: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkedLayout {
    /// As stored; the bit for a filtered single chunk follows the index when the message is written.
    pub(crate) flags: u8,
    /// The shape of a chunk, without the size of an element.
    pub(crate) chunk: Vec<u64>,
    pub(crate) element_size: u32,
    pub(crate) index: IndexLayout,
}

/// VII. The chunk index and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IndexLayout {
    /// The only index of version 3, and in no later version.
    BTreeV1 {
        addr: Option<Addr>,
    },
    Single {
        addr: Option<Addr>,
        /// Of a filtered chunk: its size and the mask of filters left out.
        filtered: Option<(u64, u32)>,
    },
    Implicit {
        addr: Option<Addr>,
    },
    FixedArray {
        page_bits: u8,
        addr: Option<Addr>,
    },
    ExtensibleArray {
        max_bits: u8,
        index_elements: u8,
        min_pointers: u8,
        min_elements: u8,
        page_bits: u8,
        addr: Option<Addr>,
    },
    BTreeV2 {
        node_size: u32,
        split: u8,
        merge: u8,
        addr: Option<Addr>,
    },
}

impl IndexLayout {
    pub(crate) fn addr(&self) -> Option<Addr> {
        match *self {
            Self::BTreeV1 { addr }
            | Self::Single { addr, .. }
            | Self::Implicit { addr }
            | Self::FixedArray { addr, .. }
            | Self::ExtensibleArray { addr, .. }
            | Self::BTreeV2 { addr, .. } => addr,
        }
    }
}

/// The layout message of data that are in it.
pub(crate) fn encode_compact(version: u8, data: &[u8]) -> ShortBytes {
    let mut out = ShortBytes::with_capacity(4 + data.len());
    let [low, high] = (data.len() as u16).to_le_bytes();
    out.put_bytes(&[version, 0, low, high]);
    out.put_bytes(data);
    out
}

impl Layout {
    pub(crate) fn encode(&self, widths: Widths) -> ShortBytes {
        let mut out = ShortBytes::new();
        let version = self.version.max(3);
        out.put_u8(version);
        match &self.class {
            LayoutClass::Compact(data) => return encode_compact(version, data),
            LayoutClass::Contiguous { addr, size } => {
                out.put_u8(1);
                out.put_addr(*addr, widths);
                out.put_len(*size, widths);
            }
            LayoutClass::Chunked(chunked) if version == 3 => {
                out.put_u8(2);
                chunked.encode_version_3(&mut out, widths);
            }
            LayoutClass::Chunked(chunked) => {
                out.put_u8(2);
                chunked.encode_version_4(&mut out, widths);
            }
            LayoutClass::Virtual { heap, index } => {
                out.put_u8(3);
                out.put_addr(*heap, widths);
                out.put_u32(*index);
            }
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        match version {
            1 | 2 => {
                let class = decode_old(&mut take, widths)?;
                return Ok(Self { version, class });
            }
            3..=5 => {}
            _ => return Err(take.error("unknown version")),
        }
        let class = match take.u8()? {
            0 => {
                let size = usize::from(take.u16()?);
                LayoutClass::Compact(take.bytes(size)?.to_vec())
            }
            1 => LayoutClass::Contiguous {
                addr: take.addr(widths)?,
                size: take.len(widths)?,
            },
            2 if version == 3 => {
                LayoutClass::Chunked(ChunkedLayout::decode_version_3(&mut take, widths)?)
            }
            2 => LayoutClass::Chunked(ChunkedLayout::decode_version_4(&mut take, widths)?),
            3 if version > 3 => LayoutClass::Virtual {
                heap: take.addr(widths)?,
                index: take.u32()?,
            },
            _ => return Err(take.error("unknown layout class")),
        };
        Ok(Self { version, class })
    }
}

impl ChunkedLayout {
    /// The dimension sizes as stored: the shape, then the size of an element.
    fn dimensions(&self) -> impl Iterator<Item = u64> + '_ {
        let element_size = u64::from(self.element_size);
        self.chunk.iter().copied().chain([element_size])
    }

    fn encode_version_3(&self, out: &mut ShortBytes, widths: Widths) {
        out.put_u8(self.chunk.len() as u8 + 1);
        out.put_addr(self.index.addr(), widths);
        for dimension in self.dimensions() {
            out.put_uint(dimension, 4);
        }
    }

    fn encode_version_4(&self, out: &mut ShortBytes, widths: Widths) {
        let filtered = matches!(
            self.index,
            IndexLayout::Single {
                filtered: Some(_),
                ..
            }
        );
        out.put_u8(self.flags & !SINGLE_FILTERED | if filtered { SINGLE_FILTERED } else { 0 });
        out.put_u8(self.chunk.len() as u8 + 1);
        let width = self.dimensions().map(width_of).max().unwrap_or(1);
        out.put_u8(width);
        for dimension in self.dimensions() {
            out.put_uint(dimension, width);
        }
        match self.index {
            IndexLayout::BTreeV1 { .. } => out.put_u8(0),
            IndexLayout::Single { filtered, .. } => {
                out.put_u8(1);
                if let Some((size, mask)) = filtered {
                    out.put_len(size, widths);
                    out.put_u32(mask);
                }
            }
            IndexLayout::Implicit { .. } => out.put_u8(2),
            IndexLayout::FixedArray { page_bits, .. } => out.put_bytes(&[3, page_bits]),
            IndexLayout::ExtensibleArray {
                max_bits,
                index_elements,
                min_pointers,
                min_elements,
                page_bits,
                ..
            } => out.put_bytes(&[
                4,
                max_bits,
                index_elements,
                min_pointers,
                min_elements,
                page_bits,
            ]),
            IndexLayout::BTreeV2 {
                node_size,
                split,
                merge,
                ..
            } => {
                out.put_u8(5);
                out.put_u32(node_size);
                out.put_bytes(&[split, merge]);
            }
        }
        out.put_addr(self.index.addr(), widths);
    }

    fn decode_version_3(take: &mut Take<'_>, widths: Widths) -> Result<Self> {
        let count = take.u8()?;
        let addr = take.addr(widths)?;
        let (chunk, element_size) = take_dimensions(take, count, 4)?;
        Ok(Self {
            flags: 0,
            chunk,
            element_size,
            index: IndexLayout::BTreeV1 { addr },
        })
    }

    fn decode_version_4(take: &mut Take<'_>, widths: Widths) -> Result<Self> {
        let flags = take.u8()?;
        if flags & !ALL_FLAGS != 0 {
            return Err(take.error("unknown flags"));
        }
        let count = take.u8()?;
        let width = take.u8()?;
        if !(1..=8).contains(&width) {
            return Err(take.error("the width of a dimension size is not 1 to 8"));
        }
        let (chunk, element_size) = take_dimensions(take, count, width)?;
        let index = take_index(take, flags, widths)?;
        Ok(Self {
            flags,
            chunk,
            element_size,
            index,
        })
    }
}

/// What follows the version in versions 1 and 2. The size of contiguous data, which is what the dataspace says, is
/// wrong where a dimension size was cut.
fn decode_old(take: &mut Take<'_>, widths: Widths) -> Result<LayoutClass> {
    let count = take.u8()?;
    let class = take.u8()?;
    take.skip(5)?;
    let addr = match class {
        0 => None,
        1 | 2 => take.addr(widths)?,
        _ => return Err(take.error("unknown layout class")),
    };
    if class == 2 {
        let (chunk, element_size) = take_dimensions(take, count, 4)?;
        return Ok(LayoutClass::Chunked(ChunkedLayout {
            flags: 0,
            chunk,
            element_size,
            index: IndexLayout::BTreeV1 { addr },
        }));
    }
    if !(1..=33).contains(&count) {
        return Err(take.error("the dimensionality is not 1 to 33"));
    }
    let mut size = 1_u64;
    for _ in 0..count {
        size = size.saturating_mul(take.u32()?.into());
    }
    if class == 1 {
        return Ok(LayoutClass::Contiguous { addr, size });
    }
    let size = take.u32()? as usize;
    Ok(LayoutClass::Compact(take.bytes(size)?.to_vec()))
}

fn take_dimensions(take: &mut Take<'_>, count: u8, width: u8) -> Result<(Vec<u64>, u32)> {
    if !(2..=33).contains(&count) {
        return Err(take.error("the dimensionality is not 2 to 33"));
    }
    let mut chunk = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let dimension = take.uint(width)?;
        if dimension == 0 {
            return Err(take.error("a dimension size is 0"));
        }
        chunk.push(dimension);
    }
    let element_size = chunk.pop().unwrap_or_default();
    let element_size = u32::try_from(element_size)
        .map_err(|_| take.error("the size of an element exceeds 32 bits"))?;
    Ok((chunk, element_size))
}

/// The indexing type, its information and the address.
fn take_index(take: &mut Take<'_>, flags: u8, widths: Widths) -> Result<IndexLayout> {
    let index = match take.u8()? {
        1 => {
            let filtered = if flags & SINGLE_FILTERED != 0 {
                Some((take.len(widths)?, take.u32()?))
            } else {
                None
            };
            IndexLayout::Single {
                addr: take.addr(widths)?,
                filtered,
            }
        }
        2 => IndexLayout::Implicit {
            addr: take.addr(widths)?,
        },
        3 => {
            let [page_bits] = take_parameters(take)?;
            IndexLayout::FixedArray {
                page_bits,
                addr: take.addr(widths)?,
            }
        }
        4 => {
            let [
                max_bits,
                index_elements,
                min_pointers,
                min_elements,
                page_bits,
            ] = take_parameters(take)?;
            IndexLayout::ExtensibleArray {
                max_bits,
                index_elements,
                min_pointers,
                min_elements,
                page_bits,
                addr: take.addr(widths)?,
            }
        }
        5 => {
            let node_size = take.u32()?;
            let [split, merge] = take_parameters(take)?;
            if split > 100 || merge > 100 {
                return Err(take.error("a percentage exceeds 100"));
            }
            IndexLayout::BTreeV2 {
                node_size,
                split,
                merge,
                addr: take.addr(widths)?,
            }
        }
        _ => return Err(take.error("unknown chunk indexing type")),
    };
    if flags & SINGLE_FILTERED != 0 && !matches!(index, IndexLayout::Single { .. }) {
        return Err(take.error("the flag of a filtered single chunk on another index"));
    }
    Ok(index)
}

/// Creation parameters of an index, of which none may be 0.
fn take_parameters<const N: usize>(take: &mut Take<'_>) -> Result<[u8; N]> {
    let parameters = take.array()?;
    if parameters.contains(&0) {
        return Err(take.error("a creation parameter of the chunk index is 0"));
    }
    Ok(parameters)
}

/// The bytes that hold `value`, at least one. Readers insist on the smallest width that holds every dimension.
fn width_of(value: u64) -> u8 {
    (64 - value.leading_zeros()).div_ceil(8).max(1) as u8
}
