//! The process that a file belongs to. A process forked from it has a copy of all that is in memory, and shares the device
//! and its lock: what it wrote would go where the other one writes.

use crate::error::{Error, ErrorKind, Result};

/// Systems other than Unix do not fork.
const FORKS: bool = cfg!(all(feature = "std", unix));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Self {
        Self(id())
    }

    /// Whether this is still the process that [`current`](Self::current) was called in. It costs a system call.
    pub(crate) fn is_current(self) -> bool {
        !FORKS || id() == self.0
    }

    pub(crate) fn check(self) -> Result<()> {
        match self.is_current() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::OtherProcess)),
        }
    }
}

#[cfg(all(feature = "std", unix))]
fn id() -> u32 {
    std::process::id()
}

#[cfg(not(all(feature = "std", unix)))]
fn id() -> u32 {
    0
}
