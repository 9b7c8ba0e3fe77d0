//! II.A. The userblock: what stands before the superblock. It belongs to the user and to no commit.

use super::stage::Store;
use super::stamp::SECTOR;
use crate::error::{Error, Result};
use crate::format::superblock::SIGNATURE;
use alloc::vec;
use alloc::vec::Vec;

impl Store {
    pub(crate) fn userblock_size(&self) -> u64 {
        self.superblock.base
    }

    pub(crate) fn read_userblock(&self) -> Result<Vec<u8>> {
        let size = self.superblock.base;
        let len = usize::try_from(size)
            .map_err(|_| Error::limit("the size of a userblock", size, usize::MAX as u64))?;
        let mut block = vec![0; len];
        // A new file may be shorter until its first commit.
        let on_device = self.device_len.min(size) as usize;
        self.device.read_at(0, &mut block[..on_device])?;
        Ok(block)
    }

    /// Writes the start of the userblock in place.
    pub(crate) fn write_userblock(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.len() as u64 > self.superblock.base {
            return Err(Error::limit(
                "the size of what is written to a userblock",
                bytes.len() as u64,
                self.superblock.base,
            ));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let mut block = self.read_userblock()?;
        block[..bytes.len()].copy_from_slice(bytes);
        let mut at = 0;
        while at < block.len() {
            if block[at..].starts_with(&SIGNATURE) {
                return Err(Error::invalid(
                    "the userblock would have an HDF5 signature where readers look for one",
                ));
            }
            at = if at == 0 { SECTOR } else { at * 2 };
        }
        self.write_device(0, bytes)
    }
}
