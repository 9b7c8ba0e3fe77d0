//! The latch: after one failed write, length change or sync, every later call fails.
//!
//! A page whose write-back failed is marked clean by the kernel, so a second sync that succeeds proves nothing.
//! The only safe answer is to stop, with the file at its last commit.

use super::Storage;
use crate::error::{Error, ErrorKind, Result};
use alloc::boxed::Box;

pub(crate) struct Latch {
    storage: Box<dyn Storage>,
    failed: bool,
}

impl Latch {
    pub(crate) fn new(storage: Box<dyn Storage>) -> Self {
        Self {
            storage,
            failed: false,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Makes every later call fail: the state in memory no longer matches the file.
    pub(crate) fn poison(&mut self) {
        self.failed = true;
    }

    fn check(&self) -> Result<()> {
        if self.failed {
            return Err(Error::new(ErrorKind::Poisoned));
        }
        Ok(())
    }

    fn attempt<T>(
        &mut self,
        offset: u64,
        call: impl FnOnce(&mut dyn Storage) -> Result<T, super::StorageError>,
    ) -> Result<T> {
        self.check()?;
        call(&mut *self.storage).map_err(|error| {
            self.failed = true;
            Error::from(error).at(offset)
        })
    }

    pub(crate) fn len(&self) -> Result<u64> {
        self.check()?;
        Ok(self.storage.len()?)
    }

    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.check()?;
        self.storage
            .read_at(offset, buffer)
            .map_err(|error| Error::from(error).at(offset))
    }

    pub(crate) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.attempt(offset, |storage| storage.write_at(offset, bytes))
    }

    pub(crate) fn set_len(&mut self, len: u64) -> Result<()> {
        self.attempt(len, |storage| storage.set_len(len))
    }

    pub(crate) fn sync(&mut self) -> Result<()> {
        self.attempt(0, |storage| storage.sync())
    }

    pub(crate) fn into_inner(self) -> Box<dyn Storage> {
        self.storage
    }
}

impl core::fmt::Debug for Latch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Latch")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
