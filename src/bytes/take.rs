//! The reading cursor: every step is checked, and an error names the structure and the offset in the file.

use super::{Addr, UNDEFINED, Widths, lookup3};
use crate::error::{Error, Result};
use byteorder::{ByteOrder, LittleEndian};

/// A cursor over the bytes of one structure.
#[derive(Debug, Clone)]
pub(crate) struct Take<'a> {
    bytes: &'a [u8],
    position: usize,
    structure: &'static str,
    /// Where the first byte stands in the file.
    offset: u64,
}

impl<'a> Take<'a> {
    /// Reads `bytes`, which stand at `offset` in the file, as a `structure`.
    pub(crate) fn new(bytes: &'a [u8], structure: &'static str, offset: u64) -> Self {
        Self {
            bytes,
            position: 0,
            structure,
            offset,
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// An error of this structure at the cursor.
    pub(crate) fn error(&self, reason: &'static str) -> Error {
        Error::corrupt(self.structure, reason).at(self.offset + self.position as u64)
    }

    /// All bytes not taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        if count > self.remaining() {
            return Err(self.error("ends too early"));
        }
        let taken = &self.bytes[self.position..self.position + count];
        self.position += count;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn skip(&mut self, count: usize) -> Result<()> {
        self.bytes(count).map(|_| ())
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    #[inline]
    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(LittleEndian::read_u16(self.bytes(2)?))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(LittleEndian::read_u32(self.bytes(4)?))
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(LittleEndian::read_u64(self.bytes(8)?))
    }

    /// An unsigned value of 0 to 8 bytes.
    #[inline]
    pub(crate) fn uint(&mut self, width: u8) -> Result<u64> {
        let mut full = [0; 8];
        full[..usize::from(width)].copy_from_slice(self.bytes(usize::from(width))?);
        Ok(u64::from_le_bytes(full))
    }

    /// An address at the file's offset width; the undefined address is `None`.
    pub(crate) fn addr(&mut self, widths: Widths) -> Result<Option<Addr>> {
        let value = self.uint(widths.offset)?;
        let undefined = UNDEFINED >> (64 - 8 * u32::from(widths.offset));
        Ok((value != undefined).then_some(Addr::new(value)))
    }

    /// An address that must be defined.
    pub(crate) fn defined_addr(&mut self, widths: Widths) -> Result<Addr> {
        self.addr(widths)?
            .ok_or_else(|| self.error("an address is undefined"))
    }

    /// A length at the file's length width.
    pub(crate) fn len(&mut self, widths: Widths) -> Result<u64> {
        self.uint(widths.length)
    }

    /// The signature that opens a block.
    pub(crate) fn signature(&mut self, expected: &[u8; 4]) -> Result<()> {
        if self.bytes(4)? != expected {
            self.position -= 4;
            return Err(self.error("wrong signature"));
        }
        Ok(())
    }

    /// A version byte that must be `expected`.
    #[inline]
    pub(crate) fn version(&mut self, expected: u8) -> Result<()> {
        if self.u8()? != expected {
            self.position -= 1;
            return Err(self.error("unknown version"));
        }
        Ok(())
    }

    /// The checksum that closes a block: lookup3 over everything taken so far.
    pub(crate) fn checksum(&mut self) -> Result<()> {
        let expected = lookup3(&self.bytes[..self.position]);
        if self.u32()? != expected {
            self.position -= 4;
            return Err(self.error("wrong checksum"));
        }
        Ok(())
    }
}
