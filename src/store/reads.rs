//! Reads by many threads at once.

use super::Store;
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use crate::storage::{Storage, read_at};

/// The device of a store, for reads of what [stands there](Store::is_on_device).
#[derive(Clone, Copy)]
pub(crate) struct SharedReads<'a> {
    device: &'a (dyn Storage + Sync),
    base: u64,
}

impl SharedReads<'_> {
    pub(crate) fn read_into(self, at: Addr, buffer: &mut [u8]) -> Result<()> {
        read_at(self.device, self.base + at.get(), buffer)
    }
}

impl Store {
    /// The device for many threads at once, if it is one for them.
    pub(crate) fn shared_reads(&self) -> Option<SharedReads<'_>> {
        Some(SharedReads {
            device: self.device.as_sync()?,
            base: self.superblock.base,
        })
    }

    /// Whether all bytes of `extent`, which lies in the file, are on the device: nothing that waits for a commit reaches
    /// there, and the device does not end before.
    pub(crate) fn is_on_device(&self, extent: Extent) -> bool {
        let (start, end) = (extent.addr.get(), extent.end().get());
        let mut waiting = [&self.staged, &self.recovered].into_iter();
        let none = waiting.all(|blocks| !blocks.touch(start, end));
        none && self.flips.is_empty() && self.superblock.base + end <= self.device_len
    }
}
