//! IV.A.2.m. The attribute message.
//!
//! ```text
//!   0   1  version: 1 to 3
//!   1   1  flags: bit 0, the datatype is shared; bit 1, the dataspace is shared; version 1: reserved
//!   2   2  size of the name, with its zero byte
//!   4   2  size of the datatype
//!   6   2  size of the dataspace
//!   8   1  version 3: character set of the name
//!   +   n  name, datatype, dataspace; version 1 pads each to a multiple of 8
//!   +   n  data
//! ```

use super::dataspace::Dataspace;
use super::datatype::{CharacterSet, Datatype};
use super::shared::{HEAP_ID, Shared};
use super::{charset_code, kind, take_charset};
use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "attribute message";

const SHARED_DATATYPE: u8 = 1;
const SHARED_DATASPACE: u8 = 2;

/// An attribute; datatype and dataspace are kept as bytes, so that it is written as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) version: u8,
    pub(crate) flags: u8,
    /// Without its zero byte.
    pub(crate) name: Vec<u8>,
    pub(crate) charset: CharacterSet,
    pub(crate) datatype_bytes: Vec<u8>,
    pub(crate) dataspace_bytes: Vec<u8>,
    /// What a shared datatype stands for, where it could be looked up.
    pub(crate) shared_datatype: Option<Vec<u8>>,
    /// What a shared dataspace stands for, where it could be looked up.
    pub(crate) shared_dataspace: Option<Vec<u8>>,
    /// Where the whole message is in the shared message table; other attributes may be the same one.
    pub(crate) heap_id: Option<[u8; HEAP_ID]>,
    /// The elements; where datatype or dataspace are not understood here, all the rest of the message.
    pub(crate) data: Vec<u8>,
}

/// What a new attribute is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewAttribute<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) charset: CharacterSet,
    pub(crate) datatype: &'a Datatype,
    /// The object that the datatype is, where it was committed.
    pub(crate) committed: Option<Addr>,
    pub(crate) dataspace: &'a Dataspace,
    /// The elements.
    pub(crate) data: &'a [u8],
}

impl NewAttribute<'_> {
    /// The message, of version 3.
    pub(crate) fn encode(&self, widths: Widths) -> Result<ShortBytes> {
        if self.name.is_empty() {
            return Err(Error::invalid("the name of an attribute is empty"));
        }
        let mut out = ShortBytes::new();
        let flags = self.committed.map_or(0, |_| SHARED_DATATYPE);
        let [low, high] = size_of_part("attribute name size", self.name.len() + 1)?.to_le_bytes();
        // The sizes of datatype and dataspace come last.
        let charset = charset_code(self.charset);
        out.put_bytes(&[3, flags, low, high, 0, 0, 0, 0, charset]);
        out.put_bytes(self.name);
        out.put_u8(0);
        let start = out.len();
        match self.committed {
            Some(addr) => out.put_bytes(&Shared::committed(addr).encode(widths)),
            None => self.datatype.put(3, &mut out),
        }
        let middle = out.len();
        self.dataspace.put(widths, &mut out);
        let datatype_size = size_of_part("attribute datatype size", middle - start)?;
        let dataspace_size = size_of_part("attribute dataspace size", out.len() - middle)?;
        out[4..6].copy_from_slice(&datatype_size.to_le_bytes());
        out[6..8].copy_from_slice(&dataspace_size.to_le_bytes());
        out.put_bytes(self.data);
        Ok(out)
    }
}

fn size_of_part(what: &'static str, len: usize) -> Result<u16> {
    u16::try_from(len).map_err(|_| Error::limit(what, len as u64, u16::MAX.into()))
}

impl Attribute {
    pub(crate) fn datatype(&self) -> Result<Datatype> {
        let bytes = match (self.flags & SHARED_DATATYPE, &self.shared_datatype) {
            (0, _) => &self.datatype_bytes,
            (_, Some(bytes)) => bytes,
            (_, None) => return Err(Error::unsupported("an attribute of a missing datatype")),
        };
        Ok(Datatype::decode(bytes, 0)?.0)
    }

    /// The object that the datatype is, where it was committed.
    pub(crate) fn committed_datatype(&self, widths: Widths) -> Result<Option<Addr>> {
        match self.flags & SHARED_DATATYPE {
            0 => Ok(None),
            _ => Ok(Shared::decode(&self.datatype_bytes, widths, 0)?.object()),
        }
    }

    /// The same, where this attribute holds a count on it: in the shared message table the message itself does.
    pub(crate) fn held_datatype(&self, widths: Widths) -> Result<Option<Addr>> {
        match self.heap_id {
            None => self.committed_datatype(widths),
            Some(_) => Ok(None),
        }
    }

    /// Gives an attribute of which parts are in the shared message table parts of its own; a committed datatype becomes
    /// the one of `committed`.
    pub(crate) fn unshare(&mut self, committed: Option<Addr>, widths: Widths) {
        self.heap_id = None;
        if self.flags & SHARED_DATASPACE != 0
            && let Some(bytes) = self.shared_dataspace.take()
        {
            self.dataspace_bytes = bytes;
            self.flags &= !SHARED_DATASPACE;
        }
        if self.flags & SHARED_DATATYPE == 0 {
            return;
        }
        match (committed, &mut self.shared_datatype) {
            (Some(addr), _) => {
                self.datatype_bytes = Shared::committed(addr).encode(widths).into_vec()
            }
            (None, Some(bytes)) => {
                self.datatype_bytes = core::mem::take(bytes);
                self.flags &= !SHARED_DATATYPE;
                self.shared_datatype = None;
            }
            (None, None) => {}
        }
    }

    pub(crate) fn dataspace(&self, widths: Widths) -> Result<Dataspace> {
        let bytes = match (self.flags & SHARED_DATASPACE, &self.shared_dataspace) {
            (0, _) => &self.dataspace_bytes,
            (_, Some(bytes)) => bytes,
            (_, None) => return Err(Error::unsupported("an attribute of a missing dataspace")),
        };
        Dataspace::decode(bytes, widths, 0)
    }

    pub(crate) fn encode(&self) -> ShortBytes {
        let name_len = self.name.len() + 1;
        let parts = [&self.datatype_bytes, &self.dataspace_bytes];
        let padding = |len: usize| padded(self.version, len) - len;
        let mut out = ShortBytes::with_capacity(self.largest_len());
        out.put_u8(self.version);
        out.put_u8(self.flags);
        out.put_u16(name_len as u16);
        for part in parts {
            out.put_u16(part.len() as u16);
        }
        if self.version >= 3 {
            out.put_u8(charset_code(self.charset));
        }
        out.put_bytes(&self.name);
        out.put_zeros(1 + padding(name_len));
        for part in parts {
            out.put_bytes(part);
            out.put_zeros(padding(part.len()));
        }
        out.put_bytes(&self.data);
        out
    }

    /// At least the bytes of the message.
    fn largest_len(&self) -> usize {
        let parts = [&self.name, &self.datatype_bytes, &self.dataspace_bytes];
        let padded: usize = parts.iter().map(|part| part.len() + 8).sum();
        9 + padded + self.data.len()
    }

    /// Decodes a message whose parts are its own.
    #[cfg(test)]
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        Self::decode_with(bytes, widths, offset, &mut |_, _| Ok(None))
    }

    /// Decodes a message; `look_up` gives a shared part, from the kind and bytes of the reference to it, or `None`
    /// where it cannot be had.
    pub(crate) fn decode_with(
        bytes: &[u8],
        widths: Widths,
        offset: u64,
        look_up: &mut dyn FnMut(u8, &[u8]) -> Result<Option<Vec<u8>>>,
    ) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let head = Head::decode(&mut take)?;
        let mut part = |len: usize| -> Result<Vec<u8>> {
            let bytes = take.bytes(len)?.to_vec();
            take.skip(padded(head.version, len) - len)?;
            Ok(bytes)
        };
        let datatype_bytes = part(head.datatype_size)?;
        let dataspace_bytes = part(head.dataspace_size)?;
        let mut shared = |flag: u8, kind: u8, bytes: &[u8]| match head.flags & flag {
            0 => Ok(None),
            _ => look_up(kind, bytes),
        };
        let shared_datatype = shared(SHARED_DATATYPE, kind::DATATYPE, &datatype_bytes)?;
        let shared_dataspace = shared(SHARED_DATASPACE, kind::DATASPACE, &dataspace_bytes)?;
        let mut attribute = Self {
            version: head.version,
            flags: head.flags,
            name: head.name.to_vec(),
            charset: head.charset,
            datatype_bytes,
            dataspace_bytes,
            shared_datatype,
            shared_dataspace,
            heap_id: None,
            data: Vec::new(),
        };
        let len = match (attribute.datatype(), attribute.dataspace(widths)) {
            (Ok(datatype), Ok(dataspace)) => dataspace
                .element_count()
                .map_err(|error| error.at(offset))?
                .checked_mul(u64::from(datatype.size()))
                .and_then(|len| usize::try_from(len).ok())
                .ok_or_else(|| take.error("the size of the data exceeds 64 bits"))?,
            _ => take.remaining(),
        };
        attribute.data = take.bytes(len)?.to_vec();
        Ok(attribute)
    }

    /// Gives it another name. Versions 1 and 2 have no character set; a name beyond ASCII makes it version 3.
    pub(crate) fn rename(&mut self, name: &str) -> Result<()> {
        if name.is_empty() || name.len() >= usize::from(u16::MAX) {
            let (len, max) = (name.len() as u64, u64::from(u16::MAX) - 1);
            return Err(Error::limit("the length of an attribute's name", len, max));
        }
        self.name = name.as_bytes().to_vec();
        if !name.is_ascii() {
            self.version = 3;
            self.charset = CharacterSet::Utf8;
        }
        Ok(())
    }

    /// Whether the message is that of an attribute of this name. Most others have one of another length.
    pub(crate) fn is_named(bytes: &[u8], name: &[u8]) -> Result<bool> {
        match *bytes {
            [3, _, low, high, ..]
                if usize::from(u16::from_le_bytes([low, high])) != name.len() + 1 =>
            {
                Ok(false)
            }
            _ => Ok(Self::name_of(bytes)? == name),
        }
    }

    /// The name only, without the rest of the message.
    pub(crate) fn name_of(bytes: &[u8]) -> Result<&[u8]> {
        Ok(Head::decode(&mut Take::new(bytes, NAME, 0))?.name)
    }
}

/// What stands before the datatype.
struct Head<'a> {
    version: u8,
    flags: u8,
    charset: CharacterSet,
    name: &'a [u8],
    datatype_size: usize,
    dataspace_size: usize,
}

impl<'a> Head<'a> {
    fn decode(take: &mut Take<'a>) -> Result<Self> {
        let version = take.u8()?;
        if !(1..=3).contains(&version) {
            return Err(take.error("unknown version"));
        }
        let flags = take.u8()?;
        let flags = if version == 1 { 0 } else { flags };
        if flags & !(SHARED_DATATYPE | SHARED_DATASPACE) != 0 {
            return Err(take.error("unknown flags"));
        }
        let name_size = usize::from(take.u16()?);
        let datatype_size = usize::from(take.u16()?);
        let dataspace_size = usize::from(take.u16()?);
        let charset = if version >= 3 {
            take_charset(take)?
        } else {
            CharacterSet::Ascii
        };
        let name = match take.bytes(name_size)?.split_last() {
            Some((0, name)) if !name.is_empty() && !name.contains(&0) => name,
            _ => return Err(take.error("the name is not what its size says")),
        };
        take.skip(padded(version, name_size) - name_size)?;
        Ok(Self {
            version,
            flags,
            charset,
            name,
            datatype_size,
            dataspace_size,
        })
    }
}

fn padded(version: u8, len: usize) -> usize {
    if version == 1 {
        len.next_multiple_of(8)
    } else {
        len
    }
}
