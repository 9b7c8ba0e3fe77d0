//! Where something is in a file, and how wide the file writes that.

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
}
