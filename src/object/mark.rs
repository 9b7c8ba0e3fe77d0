//! The mark pass: what the committed file reaches, so that the rest can be given out again. A death between commits,
//! or another writer, leaves space that nothing names.

use super::engine::{Engine, complement};
use super::verify;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::store::SECTOR;
use alloc::vec::Vec;

impl Engine {
    /// The extents of the file that nothing reaches and no list of free space has. Errors where anything is met
    /// that is not fully known, or where two structures overlap. To be called right after a commit.
    pub(crate) fn unreachable(&mut self) -> Result<Vec<Extent>> {
        if !self.store.stamped() {
            return Err(Error::unsupported(
                "reclaiming space in a file that another writer has changed",
            ));
        }
        let mut used = verify::reachable(&self.store)?;
        used.extend(self.store.free_runs());
        unused(used, self.store.end())
    }
}

/// What is left of a file of `end` bytes. Sector 0 is not given out: its free bytes are room for cells.
pub(super) fn unused(used: Vec<Extent>, end: u64) -> Result<Vec<Extent>> {
    let sector = SECTOR as u64;
    let outside = complement(used, end)?.into_iter().filter_map(|extent| {
        let start = extent.addr.get().max(sector);
        let len = extent.end().get().checked_sub(start)?;
        Some(Extent::new(Addr::new(start), len))
    });
    Ok(outside.filter(|extent| extent.len > 0).collect())
}
