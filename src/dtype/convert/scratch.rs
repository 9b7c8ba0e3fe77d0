//! A heap that also has what a conversion makes: strings and sequences that are in no file.

use crate::bytes::{Put, Take};
use crate::dtype::VarLenSource;
use crate::error::{Error, Result};
use alloc::vec::Vec;

/// The file's heap, and behind the undefined address, where no collection is, what was converted.
pub(crate) struct Scratch<'a> {
    heap: &'a mut dyn VarLenSource,
    bytes: Vec<u8>,
    /// Where each object ends.
    ends: Vec<usize>,
}

impl core::fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Scratch")
            .field("objects", &self.ends.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Scratch<'a> {
    pub(crate) fn new(heap: &'a mut dyn VarLenSource) -> Self {
        Self {
            heap,
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn undefined(&self) -> u64 {
        u64::MAX >> (64 - 8 * u32::from(self.heap.offset_width().clamp(1, 8)))
    }

    /// Keeps the bytes of `count` parts, and writes an element that names them.
    pub(super) fn put(&mut self, count: usize, bytes: &[u8], mut place: &mut [u8]) -> Result<()> {
        let mut element = Vec::with_capacity(16);
        if bytes.is_empty() {
            place.fill(0);
            return Ok(());
        }
        let index = u32::try_from(self.ends.len())
            .map_err(|_| Error::limit("the number of strings", u64::MAX, u32::MAX.into()))?;
        let count = u32::try_from(count)
            .map_err(|_| Error::limit("the length of a string", count as u64, u32::MAX.into()))?;
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        element.put_u32(count);
        element.put_uint(self.undefined(), self.heap.offset_width());
        element.put_u32(index);
        let len = element.len().min(place.len());
        place = &mut place[..len];
        place.copy_from_slice(&element[..len]);
        Ok(())
    }

    /// What an element of variable length has: the number of its parts, of `size` bytes each, and their bytes.
    pub(super) fn sequence(
        &mut self,
        take: &mut Take<'_>,
        size: usize,
    ) -> Result<(usize, Vec<u8>)> {
        let count = take.u32()?;
        let address = take.uint(self.heap.offset_width())?;
        let index = take.u32()?;
        let mut bytes = Vec::new();
        if count == 0 || address == 0 {
            return Ok((0, bytes));
        }
        let len = (count as usize).checked_mul(size).ok_or_else(|| {
            Error::limit("the length of a sequence", count.into(), usize::MAX as u64)
        })?;
        self.heap.read(address, index, len, &mut bytes)?;
        Ok((count as usize, bytes))
    }

    fn object(&self, index: u32) -> Option<&[u8]> {
        let index = index as usize;
        let end = *self.ends.get(index)?;
        let start = match index {
            0 => 0,
            _ => *self.ends.get(index - 1)?,
        };
        self.bytes.get(start..end)
    }
}

impl VarLenSource for Scratch<'_> {
    fn offset_width(&self) -> u8 {
        self.heap.offset_width()
    }

    fn read(&mut self, address: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()> {
        if address != self.undefined() {
            return self.heap.read(address, index, len, out);
        }
        let bytes = self.object(index).and_then(|bytes| bytes.get(..len));
        out.extend_from_slice(
            bytes.ok_or_else(|| Error::corrupt("element", "it refers to an undefined address"))?,
        );
        Ok(())
    }

    fn read_whole(&mut self, address: u64, index: u32, out: &mut Vec<u8>) -> Result<()> {
        self.heap.read_whole(address, index, out)
    }
}
