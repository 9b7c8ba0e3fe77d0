//! The latch: after one failed write, length change or sync, every later call fails.
//!
//! A page whose write-back failed is marked clean by the kernel, so a second sync that succeeds proves nothing.
//! The only safe answer is to stop, with the file at its last commit.
//!
//! A device of the user's may panic instead. Where panics can be caught that is an error like any other; where they cannot,
//! the latch has been set before the call and stays so.

use super::pages::Pages;
use super::{Storage, StorageError};
use crate::error::{Error, ErrorKind, Result};
use crate::process::Process;
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::user_code;
use alloc::boxed::Box;
use core::cell::RefCell;

/// Before each write that makes it so many bytes it is asked whether this is still the process that opened the device. To
/// ask costs as much as a quarter of a small write; commits ask in any case.
const UNCHECKED: usize = 32 << 10;

pub(crate) struct Latch {
    storage: Box<dyn Storage>,
    failed: bool,
    process: Process,
    /// How many bytes have been written since that was asked last.
    unchecked: usize,
    pages: RefCell<Pages>,
}

impl Latch {
    pub(crate) fn new(storage: Box<dyn Storage>) -> Self {
        Self {
            storage,
            failed: false,
            process: Process::current(),
            unchecked: 0,
            pages: RefCell::default(),
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

    /// Refuses to change the device from a process that was forked from the one which has it.
    fn check_process(&mut self) -> Result<()> {
        self.unchecked = 0;
        self.process.check()
    }

    fn attempt<T>(
        &mut self,
        offset: u64,
        call: impl FnOnce(&mut dyn Storage) -> Result<T, super::StorageError>,
    ) -> Result<T> {
        self.check()?;
        self.failed = true;
        #[cfg(test)]
        if mutant::is(Mutant::CommitAfterPanic) {
            self.failed = false;
        }
        match called(|| call(&mut *self.storage)) {
            Ok(value) => {
                self.failed = false;
                Ok(value)
            }
            Err(error) => {
                self.failed = true;
                self.pages.get_mut().forget();
                Err(error.at(offset))
            }
        }
    }

    pub(crate) fn len(&self) -> Result<u64> {
        self.check()?;
        let len = called(|| self.storage.len())?;
        self.pages.borrow_mut().set_len(len);
        Ok(len)
    }

    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.check()?;
        // A page that cannot be read may still have the bytes that are asked for.
        let read = called(|| {
            let mut pages = self.pages.borrow_mut();
            pages.read(&*self.storage, offset, buffer)
        });
        if let Ok(true) = read {
            return Ok(());
        }
        read_at(&*self.storage, offset, buffer)
    }

    /// The device for many threads at once, if it is one for them.
    pub(crate) fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        match self.failed {
            true => None,
            false => self.storage.as_sync(),
        }
    }

    pub(crate) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.unchecked = self.unchecked.saturating_add(bytes.len());
        if self.unchecked >= UNCHECKED {
            self.check_process()?;
        }
        self.attempt(offset, |storage| storage.write_at(offset, bytes))?;
        self.pages.get_mut().written(offset, bytes);
        Ok(())
    }

    pub(crate) fn set_len(&mut self, len: u64) -> Result<()> {
        self.check_process()?;
        self.attempt(len, |storage| storage.set_len(len))?;
        self.pages.get_mut().set_len(len);
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<()> {
        self.check_process()?;
        self.attempt(0, |storage| storage.sync())
    }

    pub(crate) fn into_inner(self) -> Box<dyn Storage> {
        self.storage
    }
}

/// Reads from a device of the user's.
pub(crate) fn read_at(
    storage: &(impl Storage + ?Sized),
    offset: u64,
    buffer: &mut [u8],
) -> Result<()> {
    called(|| storage.read_at(offset, buffer)).map_err(|error| error.at(offset))
}

fn called<T>(call: impl FnOnce() -> Result<T, StorageError>) -> Result<T> {
    user_code::run(
        || call().map_err(Error::from),
        |panic| Error::from(StorageError::new(panic)),
    )
}

impl core::fmt::Debug for Latch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Latch")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
