//! IV.A.2.g. The link message.
//!
//! ```text
//!   0   1  version: 1
//!   1   1  flags: bits 0-1 width of the name length, 2 creation order, 3 link type, 4 character set
//!   2   1  link type, if not hard
//!   +   8  creation order, if tracked
//!   +   1  character set, if not ASCII
//!   +   w  length of the name (1, 2, 4 or 8 bytes)
//!   +   n  name, without a zero byte
//! hard:                soft:                    type 64, external, and user-defined types:
//!   +   O  address       +   2  length            +   2  length
//!                        +   n  path              +   n  data
//! data of an external link: one byte of version and flags, file name with zero byte, object path with zero byte
//! ```

use super::datatype::CharacterSet;
use super::{charset_code, take_charset};
use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "link message";

const HAS_ORDER: u8 = 0x04;
const HAS_TYPE: u8 = 0x08;
const HAS_CHARSET: u8 = 0x10;

const SOFT: u8 = 1;
const EXTERNAL: u8 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkTarget {
    Hard(Addr),
    /// The path.
    Soft(Vec<u8>),
    /// The link's data as stored; see [`external_value`] and [`external_parts`].
    External(Vec<u8>),
    UserDefined {
        /// 65 to 255.
        class: u8,
        data: Vec<u8>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: Vec<u8>,
    pub(crate) charset: CharacterSet,
    pub(crate) creation_order: Option<u64>,
    pub(crate) target: LinkTarget,
}

impl Link {
    /// Refuses what the message cannot hold; `encode` presumes it.
    pub(crate) fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(Error::invalid("the name of a link is empty"));
        }
        let len = match &self.target {
            LinkTarget::Hard(_) => return Ok(()),
            LinkTarget::Soft(value) if value.is_empty() => {
                return Err(Error::invalid("the path of a soft link is empty"));
            }
            LinkTarget::Soft(value) | LinkTarget::External(value) => value.len(),
            LinkTarget::UserDefined { data, .. } => data.len(),
        };
        if len > usize::from(u16::MAX) {
            return Err(Error::limit("link value size", len as u64, 65535));
        }
        Ok(())
    }

    pub(crate) fn encode(&self, widths: Widths) -> ShortBytes {
        let class = match &self.target {
            LinkTarget::Hard(_) => 0,
            LinkTarget::Soft(_) => SOFT,
            LinkTarget::External(_) => EXTERNAL,
            LinkTarget::UserDefined { class, .. } => *class,
        };
        let len = self.name.len() as u64;
        let width_code = [0xff, 0xffff, 0xffff_ffff]
            .iter()
            .filter(|&&largest| len > largest)
            .count() as u8;
        let mut flags = width_code;
        flags |= if self.creation_order.is_some() {
            HAS_ORDER
        } else {
            0
        };
        flags |= if class != 0 { HAS_TYPE } else { 0 };
        let charset = charset_code(self.charset);
        flags |= if charset != 0 { HAS_CHARSET } else { 0 };

        let value = match &self.target {
            LinkTarget::Hard(_) => 8,
            LinkTarget::Soft(data)
            | LinkTarget::External(data)
            | LinkTarget::UserDefined { data, .. } => 2 + data.len(),
        };
        let mut out = ShortBytes::with_capacity(20 + self.name.len() + value);
        out.put_u8(1);
        out.put_u8(flags);
        if class != 0 {
            out.put_u8(class);
        }
        if let Some(order) = self.creation_order {
            out.put_u64(order);
        }
        if charset != 0 {
            out.put_u8(charset);
        }
        out.put_uint(len, 1 << width_code);
        out.put_bytes(&self.name);
        match &self.target {
            LinkTarget::Hard(addr) => out.put_addr(Some(*addr), widths),
            LinkTarget::Soft(data)
            | LinkTarget::External(data)
            | LinkTarget::UserDefined { data, .. } => {
                out.put_u16(data.len() as u16);
                out.put_bytes(data);
            }
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let head = Head::decode(&mut take)?;
        let target = match head.class {
            0 => LinkTarget::Hard(take.defined_addr(widths)?),
            SOFT => {
                let path = take_data(&mut take)?;
                if path.is_empty() {
                    return Err(take.error("the path of a soft link is empty"));
                }
                LinkTarget::Soft(path)
            }
            EXTERNAL => LinkTarget::External(take_data(&mut take)?),
            class if class > EXTERNAL => LinkTarget::UserDefined {
                class,
                data: take_data(&mut take)?,
            },
            _ => return Err(take.error("unknown link type")),
        };
        Ok(Self {
            name: head.name.to_vec(),
            charset: head.charset,
            creation_order: head.creation_order,
            target,
        })
    }

    /// The name only, without the rest of the message.
    pub(crate) fn name_of(bytes: &[u8]) -> Result<&[u8]> {
        Ok(Head::decode(&mut Take::new(bytes, NAME, 0))?.name)
    }
}

/// What stands before the target.
struct Head<'a> {
    class: u8,
    creation_order: Option<u64>,
    charset: CharacterSet,
    name: &'a [u8],
}

impl<'a> Head<'a> {
    fn decode(take: &mut Take<'a>) -> Result<Self> {
        take.version(1)?;
        let flags = take.u8()?;
        if flags & !(3 | HAS_ORDER | HAS_TYPE | HAS_CHARSET) != 0 {
            return Err(take.error("unknown flags"));
        }
        let class = if flags & HAS_TYPE != 0 { take.u8()? } else { 0 };
        let creation_order = if flags & HAS_ORDER != 0 {
            Some(take.u64()?)
        } else {
            None
        };
        let charset = if flags & HAS_CHARSET != 0 {
            take_charset(take)?
        } else {
            CharacterSet::Ascii
        };
        let len = take.uint(1 << (flags & 3))?;
        let len = usize::try_from(len).map_err(|_| take.error("the name is too long"))?;
        if len == 0 {
            return Err(take.error("the name is empty"));
        }
        Ok(Self {
            class,
            creation_order,
            charset,
            name: take.bytes(len)?,
        })
    }
}

fn take_data(take: &mut Take<'_>) -> Result<Vec<u8>> {
    let len = usize::from(take.u16()?);
    Ok(take.bytes(len)?.to_vec())
}

/// The data of an external link to `path` in `file`.
pub(crate) fn external_value(file: &[u8], path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u8(0);
    for part in [file, path] {
        out.put_bytes(part);
        out.put_u8(0);
    }
    out
}

/// The file name and the object path of an external link's data.
pub(crate) fn external_parts(data: &[u8]) -> Result<(&[u8], &[u8])> {
    let corrupt = || Error::corrupt(NAME, "the value of an external link is malformed");
    let (&version_and_flags, rest) = data.split_first().ok_or_else(corrupt)?;
    if version_and_flags != 0 {
        return Err(corrupt());
    }
    let mut parts = rest.split(|&byte| byte == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(path), Some(_)) => Ok((file, path)),
        _ => Err(corrupt()),
    }
}
