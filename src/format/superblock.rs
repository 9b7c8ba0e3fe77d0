//! II.A. The superblock; versions 0 and 1 are drawn in [`legacy`](super::legacy::superblock).
//!
//! ```text
//! versions 2 and 3:
//!   0   8  signature  89 48 44 46 0d 0a 1a 0a
//!   8   1  version
//!   9   1  size of offsets
//!  10   1  size of lengths
//!  11   1  file consistency flags
//!  12   O  base address
//!   +   O  superblock extension address
//!   +   O  end of file address
//!   +   O  root group object header address
//!   +   4  checksum
//! ```

use super::legacy::superblock as old;
use crate::bytes::{Addr, Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::format;
use alloc::vec::Vec;

pub(crate) const SIGNATURE: [u8; 8] = [0x89, b'H', b'D', b'F', 0x0d, 0x0a, 0x1a, 0x0a];

/// The bytes of the largest superblock.
pub(crate) const MAX_SIZE: usize = old::MAX_SIZE;

/// 1: open for write, 2: closed in order, 4: open for SWMR write.
pub(crate) const KNOWN_FLAGS: u8 = 7;

const NAME: &str = "superblock";

/// A superblock of any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Superblock {
    pub(crate) version: u8,
    pub(crate) widths: Widths,
    /// Of [`KNOWN_FLAGS`]. Always 0 in files of ours.
    pub(crate) consistency_flags: u8,
    pub(crate) base: u64,
    pub(crate) extension: Option<Addr>,
    /// The end-of-file address; relative to the start of the device, not to the base.
    pub(crate) end_of_file: u64,
    pub(crate) root: Addr,
    /// What a superblock of version 0 or 1 says beside that.
    pub(crate) old: Option<old::OldParts>,
}

impl Superblock {
    /// Whether a writer has the file open, or died while it had; before version 3 the flags say nothing.
    pub(crate) fn is_marked(&self) -> bool {
        self.version >= 3 && self.consistency_flags != 0
    }

    pub(crate) fn size(&self) -> usize {
        match &self.old {
            Some(old) => old.size(),
            None => 16 + 4 * usize::from(self.widths.offset),
        }
    }

    /// As it is where it was found at `offset` of the device. Where the base address is another, bytes have been put
    /// before the file, or taken from there, since it was written; its end has moved with it.
    pub(crate) fn found_at(mut self, offset: u64) -> Result<Self> {
        let end = self.end_of_file.checked_add(offset);
        let end = end.and_then(|end| end.checked_sub(self.base));
        self.end_of_file =
            end.ok_or_else(|| Error::corrupt(NAME, "the file ends before its base").at(offset))?;
        self.base = offset;
        Ok(self)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        if let Some(parts) = &self.old {
            return old::encode(self, parts);
        }
        let mut out = Vec::with_capacity(self.size());
        out.put_bytes(&SIGNATURE);
        out.put_u8(self.version);
        out.put_u8(self.widths.offset);
        out.put_u8(self.widths.length);
        out.put_u8(self.consistency_flags);
        out.put_uint(self.base, self.widths.offset);
        out.put_addr(self.extension, self.widths);
        out.put_uint(self.end_of_file, self.widths.offset);
        out.put_addr(Some(self.root), self.widths);
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    /// Decodes the superblock at `offset` of the device; `bytes` opens with the signature.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        if take.bytes(8)? != SIGNATURE {
            return Err(take.error("wrong signature"));
        }
        let version = take.u8()?;
        match version {
            0 | 1 => return old::decode(bytes, version, offset),
            2 | 3 => {}
            _ => {
                return Err(
                    Error::unsupported(format!("a superblock of version {version}")).at(offset),
                );
            }
        }
        let widths = Widths {
            offset: take.u8()?,
            length: take.u8()?,
        };
        check_widths(&take, widths)?;
        let consistency_flags = take.u8()?;
        let base = take.uint(widths.offset)?;
        let extension = take.addr(widths)?;
        let end_of_file = take.uint(widths.offset)?;
        let root = take.defined_addr(widths)?;
        take.checksum()?;
        if consistency_flags & !KNOWN_FLAGS != 0 {
            return Err(take.error("unknown consistency flags"));
        }
        Ok(Self {
            version,
            widths,
            consistency_flags,
            base,
            extension,
            end_of_file,
            root,
            old: None,
        })
    }
}

pub(crate) fn check_widths(take: &Take<'_>, widths: Widths) -> Result<()> {
    for width in [widths.offset, widths.length] {
        match width {
            2 | 4 | 8 => {}
            _ => return Err(take.error("the size of offsets or lengths is not 2, 4 or 8")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_it_encodes_and_notices_a_changed_byte() {
        let superblock = Superblock {
            version: 2,
            widths: Widths::EIGHT,
            consistency_flags: 0,
            base: 0,
            extension: None,
            end_of_file: 4096,
            root: Addr::new(48),
            old: None,
        };
        let mut bytes = superblock.encode();
        assert_eq!(bytes.len(), superblock.size());
        assert_eq!(Superblock::decode(&bytes, 0).unwrap(), superblock);
        bytes[30] ^= 1;
        assert!(Superblock::decode(&bytes, 0).is_err());
    }
}
