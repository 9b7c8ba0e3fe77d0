//! III.G, "Fractal Heap ID": how an object is named.
//!
//! ```text
//! managed:  0  1  0x00                     huge:  0  1  0x10
//!           1  v  offset in the heap              1  n  ID, the key in the v2 B-tree; or, where the ID is long
//!           +  w  length                                enough: address (O), length (L), and in filtered heaps
//! tiny:     0  1  0x20 | length - 1                     filter mask (4), unfiltered length (L)
//!           1     the object
//! ```
//!
//! The tiny objects of an ID of more than 18 bytes have 12 bits of length: the low 4 of the first byte, then the second.

use super::Header;
use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "fractal heap ID";

const MANAGED: u8 = 0x00;
const HUGE: u8 = 0x10;
const TINY: u8 = 0x20;

/// A decoded heap ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeapId {
    Managed {
        offset: u64,
        length: u64,
    },
    /// A huge object by its key in the v2 B-tree.
    HugeIndirect {
        id: u64,
    },
    /// A huge object by its place. `length` is that of the stored, perhaps filtered bytes.
    HugeDirect {
        addr: Addr,
        length: u64,
    },
    Tiny(Vec<u8>),
}

/// Whether huge objects are named by their place.
pub(crate) fn huge_ids_are_direct(header: &Header, widths: Widths) -> bool {
    let filtered = match header.filters {
        Some(_) => 4 + u16::from(widths.length),
        None => 0,
    };
    header.id_length > u16::from(widths.offset) + u16::from(widths.length) + filtered
}

/// The bytes of a huge object's number.
pub(crate) fn huge_id_bytes(header: &Header) -> u8 {
    (header.id_length - 1).min(8) as u8
}

/// The longest object that fits into a heap ID.
pub(crate) fn max_tiny_length(header: &Header) -> usize {
    let room = usize::from(header.id_length) - 1;
    match room {
        0..=16 => room,
        17 => 16,
        _ => room - 1,
    }
}

fn tiny_length_is_extended(header: &Header) -> bool {
    header.id_length > 18
}

impl HeapId {
    pub(crate) fn encode(&self, header: &Header, widths: Widths) -> ShortBytes {
        let mut out = ShortBytes::with_capacity(usize::from(header.id_length));
        match self {
            Self::Managed { offset, length } => {
                out.put_u8(MANAGED);
                out.put_uint(*offset, header.offset_bytes());
                out.put_uint(*length, header.length_bytes());
            }
            Self::HugeIndirect { id } => {
                out.put_u8(HUGE);
                out.put_uint(*id, huge_id_bytes(header));
            }
            Self::HugeDirect { addr, length } => {
                out.put_u8(HUGE);
                out.put_addr(Some(*addr), widths);
                out.put_len(*length, widths);
            }
            Self::Tiny(object) => {
                let length = object.len().saturating_sub(1);
                if tiny_length_is_extended(header) {
                    out.put_u8(TINY | (length >> 8) as u8 & 0x0f);
                    out.put_u8(length as u8);
                } else {
                    out.put_u8(TINY | length as u8 & 0x0f);
                }
                out.put_bytes(object);
            }
        }
        let padding = usize::from(header.id_length).saturating_sub(out.len());
        out.put_zeros(padding);
        out
    }

    pub(crate) fn decode(bytes: &[u8], header: &Header, widths: Widths) -> Result<Self> {
        if bytes.len() < usize::from(header.id_length) {
            return Err(Error::corrupt(NAME, "shorter than the heap's IDs"));
        }
        let mut take = Take::new(bytes, NAME, 0);
        let flags = take.u8()?;
        if flags & 0xc0 != 0 {
            return Err(Error::corrupt(NAME, "unknown version"));
        }
        match flags & 0x30 {
            MANAGED => Ok(Self::Managed {
                offset: take.uint(header.offset_bytes())?,
                length: take.uint(header.length_bytes())?,
            }),
            HUGE if huge_ids_are_direct(header, widths) => Ok(Self::HugeDirect {
                addr: take
                    .addr(widths)?
                    .ok_or_else(|| Error::corrupt(NAME, "an address is undefined"))?,
                length: take.len(widths)?,
            }),
            HUGE => Ok(Self::HugeIndirect {
                id: take.uint(huge_id_bytes(header))?,
            }),
            TINY => {
                let mut length = usize::from(flags & 0x0f);
                if tiny_length_is_extended(header) {
                    length = length << 8 | usize::from(take.u8()?);
                }
                if length >= max_tiny_length(header) {
                    return Err(Error::corrupt(NAME, "a tiny object is longer than its ID"));
                }
                Ok(Self::Tiny(take.bytes(length + 1)?.to_vec()))
            }
            _ => Err(Error::corrupt(NAME, "unknown type")),
        }
    }
}
