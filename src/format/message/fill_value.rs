//! IV.A.2.e and f. The fill value messages, old (kind 4) and new (kind 5).
//!
//! ```text
//! versions 1 and 2:                        version 3:
//!   0   1  version                           0   1  version
//!   1   1  space allocation time             1   1  flags: bits 0-1 allocation time, 2-3 fill time,
//!   2   1  fill value write time                    4 undefined, 5 a value follows
//!   3   1  fill value defined                2   4  size, if bit 5 is set
//!   4   4  size, if defined                  6   n  value
//!   8   n  value
//! old message:
//!   0   4  size
//!   4   n  value
//! ```

use crate::bytes::{Put, ShortBytes, Take};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "fill value message";

/// When the space of a dataset is allocated (specification IV.A.2.f).
///
/// ```
/// use h5quill::AllocTime;
/// assert_eq!(AllocTime::default(), AllocTime::Late);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AllocTime {
    /// When the dataset is created.
    Early,
    /// When the first data is written.
    #[default]
    Late,
    /// Chunk by chunk, as data is written.
    Incremental,
}

/// When the fill value is written to space that holds no data yet (specification IV.A.2.f).
///
/// ```
/// use h5quill::FillTime;
/// assert_eq!(FillTime::default(), FillTime::IfSet);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FillTime {
    /// When the space is allocated.
    OnAllocation,
    /// Never; what was never written reads as anything. Refused for elements of variable length.
    Never,
    /// When the space is allocated, if the user has set a fill value or elements are of variable length: then the dataset
    /// says [`OnAllocation`](Self::OnAllocation), as with libhdf5.
    #[default]
    IfSet,
}

/// The value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The user declared that there is none.
    Undefined,
    /// The library's default, zeros.
    Default,
    /// One element, in the datatype of the dataset.
    Value(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FillValue {
    /// 1 to 3; what we create is version 3.
    pub(crate) version: u8,
    pub(crate) alloc_time: AllocTime,
    pub(crate) fill_time: FillTime,
    pub(crate) value: Fill,
}

impl FillValue {
    pub(crate) fn new(alloc_time: AllocTime, fill_time: FillTime, value: Fill) -> Self {
        Self {
            version: 3,
            alloc_time,
            fill_time,
            value,
        }
    }

    pub(crate) fn encode(&self) -> ShortBytes {
        let mut out = ShortBytes::new();
        out.put_u8(self.version);
        let (alloc, fill) = (alloc_code(self.alloc_time), fill_code(self.fill_time));
        if self.version < 3 {
            out.put_bytes(&[alloc, fill, u8::from(self.value != Fill::Undefined)]);
        } else {
            out.put_u8(alloc | fill << 2 | presence(&self.value));
        }
        match &self.value {
            Fill::Undefined => {}
            Fill::Default if self.version < 3 => out.put_u32(0),
            Fill::Default => {}
            Fill::Value(value) => put_value(&mut out, value),
        }
        out
    }

    /// Decodes a message of kind 5. An allocation time of 0, "default" in memory and in no file of libhdf5, is read
    /// as late.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        let (alloc, fill, undefined, present) = match version {
            1 | 2 => {
                let [alloc, fill, defined] = take.array()?;
                (alloc, fill, defined == 0, defined != 0)
            }
            3 => {
                let flags = take.u8()?;
                if flags & 0xc0 != 0 || flags & 0x30 == 0x30 {
                    return Err(take.error("unknown flags"));
                }
                (
                    flags & 3,
                    flags >> 2 & 3,
                    flags & 0x10 != 0,
                    flags & 0x20 != 0,
                )
            }
            _ => return Err(take.error("unknown version")),
        };
        let alloc_time = match alloc {
            0 | 2 => AllocTime::Late,
            1 => AllocTime::Early,
            3 => AllocTime::Incremental,
            _ => return Err(take.error("unknown allocation time")),
        };
        let fill_time = match fill {
            0 => FillTime::OnAllocation,
            1 => FillTime::Never,
            2 => FillTime::IfSet,
            _ => return Err(take.error("unknown fill time")),
        };
        let value = if undefined {
            Fill::Undefined
        } else if present {
            take_value(&mut take)?
        } else {
            Fill::Default
        };
        Ok(Self {
            version,
            alloc_time,
            fill_time,
            value,
        })
    }

    /// Encodes a message of kind 4.
    pub(crate) fn encode_old(&self) -> ShortBytes {
        let mut out = ShortBytes::new();
        match &self.value {
            Fill::Value(value) => put_value(&mut out, value),
            Fill::Undefined | Fill::Default => out.put_u32(0),
        }
        out
    }

    /// Decodes a message of kind 4, which says nothing of times.
    pub(crate) fn decode_old(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        Ok(Self {
            version: 2,
            alloc_time: AllocTime::Late,
            fill_time: FillTime::IfSet,
            value: take_value(&mut take)?,
        })
    }
}

fn alloc_code(time: AllocTime) -> u8 {
    match time {
        AllocTime::Early => 1,
        AllocTime::Late => 2,
        AllocTime::Incremental => 3,
    }
}

fn fill_code(time: FillTime) -> u8 {
    match time {
        FillTime::OnAllocation => 0,
        FillTime::Never => 1,
        FillTime::IfSet => 2,
    }
}

/// Bits 4 and 5 of the flags of version 3.
fn presence(value: &Fill) -> u8 {
    match value {
        Fill::Undefined => 0x10,
        Fill::Default => 0,
        Fill::Value(_) => 0x20,
    }
}

fn put_value(out: &mut ShortBytes, value: &[u8]) {
    out.put_u32(value.len() as u32);
    out.put_bytes(value);
}

/// A size and a value; a size of 0 is the default value.
fn take_value(take: &mut Take<'_>) -> Result<Fill> {
    match take.u32()? as usize {
        0 => Ok(Fill::Default),
        size => Ok(Fill::Value(take.bytes(size)?.to_vec())),
    }
}
