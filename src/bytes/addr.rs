//! Where something is in a file, and how wide the file writes that.

use crate::error::{Error, Result};
use core::fmt;

/// The undefined address at full width: the only place that spells it.
pub(crate) const UNDEFINED: u64 = u64::MAX;

/// A defined address, relative to the base address of the superblock. "Undefined" is `Option::None`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Addr(u64);

impl Addr {
    pub(crate) const fn new(value: u64) -> Self {
        Self(value)
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// The address `bytes` further on. Addresses come from checked extents, so this does not overflow in practice;
    /// it saturates where a hostile file makes it.
    pub(crate) const fn plus(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// `len` bytes at `addr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Extent {
    pub(crate) addr: Addr,
    pub(crate) len: u64,
}

impl Extent {
    pub(crate) const fn new(addr: Addr, len: u64) -> Self {
        Self { addr, len }
    }

    /// The first address behind the extent.
    pub(crate) const fn end(self) -> Addr {
        self.addr.plus(self.len)
    }
}

/// How many bytes the file uses for an offset (address) and for a length: 2, 4 or 8 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Widths {
    pub(crate) offset: u8,
    pub(crate) length: u8,
}

impl Widths {
    /// What this library creates, and nearly every file has.
    pub(crate) const EIGHT: Self = Self {
        offset: 8,
        length: 8,
    };

    /// The undefined address, as it is written.
    pub(super) fn undefined_addr(self) -> u64 {
        all_ones(self.offset)
    }

    /// The greatest address that can be written.
    pub(crate) fn max_addr(self) -> u64 {
        self.undefined_addr() - 1
    }

    /// The greatest length that can be written: all ones are the unlimited one.
    pub(crate) fn max_len(self) -> u64 {
        all_ones(self.length) - 1
    }

    /// Refuses a length that cannot be written.
    pub(crate) fn check_len(self, what: &'static str, len: u64) -> Result<()> {
        if len > self.max_len() {
            return Err(Error::limit(what, len, self.max_len()));
        }
        Ok(())
    }

    /// What an element of variable length has in a dataset: its length, the address of a collection and an index.
    pub(crate) fn var_len_size(self) -> u32 {
        8 + u32::from(self.offset)
    }
}

fn all_ones(width: u8) -> u64 {
    UNDEFINED >> (64 - 8 * u32::from(width.clamp(1, 8)))
}
