//! IV.A.2.x. The file space info message of a superblock extension: how libhdf5 gives out the file's space.
//!
//! ```text
//! version 1:                                       version 0 (HDF5 1.10.0 and earlier):
//!   0   1  version: 1                                0   1  version: 0
//!   1   1  strategy                                  1   1  strategy: 1 persistent managers, 2 managers,
//!   2   1  1 where free space is kept on disk                3 aggregators, 4 none
//!   3   L  smallest section tracked                  2   L  smallest section tracked
//!   +   L  page size                                 +   O  address of a manager, for each of 6 kinds,
//!   +   2  page-end threshold of metadata                   with persistent managers
//!   +   O  end of the file when space was last
//!          given out
//!   +   O  address of a manager, for each of 12
//!          kinds, where free space is kept
//! ```

use crate::bytes::{Addr, Put, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "file space info message";

/// Strategy 1 of version 1: space is given out in whole pages.
const PAGED: u8 = 1;
/// No strategy beyond this is known.
const MAX_STRATEGY: u8 = 3;
const MIN_PAGE: u64 = 512;
const MAX_PAGE: u64 = 1 << 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSpaceInfo {
    pub(crate) version: u8,
    strategy: u8,
    /// Free-space managers are kept in the file.
    pub(crate) persistent: bool,
    threshold: u64,
    page_size: u64,
    page_end_threshold: u16,
    /// The end of the file, as the last writer that kept the message left it.
    pub(crate) end: Option<Addr>,
    /// Where the managers are, as far as there are any.
    pub(crate) managers: Vec<Option<Addr>>,
}

impl FileSpaceInfo {
    /// The page size, where metadata and raw data are given pages of their own.
    pub(crate) fn page_size(&self) -> Option<u64> {
        (self.version > 0 && self.strategy == PAGED).then_some(self.page_size)
    }

    pub(crate) fn decode(data: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(data, NAME, offset);
        let version = take.u8()?;
        let mut info = Self {
            version,
            strategy: take.u8()?,
            persistent: false,
            threshold: 0,
            page_size: 0,
            page_end_threshold: 0,
            end: None,
            managers: Vec::new(),
        };
        match version {
            0 => {
                info.threshold = take.len(widths)?;
                info.persistent = info.strategy == 1;
                if !(1..=4).contains(&info.strategy) {
                    return Err(take.error("unknown strategy"));
                }
            }
            1 => {
                info.persistent = take.u8()? != 0;
                info.threshold = take.len(widths)?;
                info.page_size = take.len(widths)?;
                info.page_end_threshold = take.u16()?;
                info.end = take.addr(widths)?;
                if info.strategy > MAX_STRATEGY {
                    return Err(take.error("unknown strategy"));
                }
                if !(MIN_PAGE..=MAX_PAGE).contains(&info.page_size) {
                    return Err(take.error("the page size is out of range"));
                }
            }
            _ => return Err(take.error("unknown version")),
        }
        if info.persistent {
            let count = if version == 0 { 6 } else { 12 };
            for _ in 0..count {
                info.managers.push(take.addr(widths)?);
            }
        }
        Ok(info)
    }

    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(self.version);
        out.put_u8(self.strategy);
        if self.version > 0 {
            out.put_u8(self.persistent.into());
        }
        out.put_len(self.threshold, widths);
        if self.version > 0 {
            out.put_len(self.page_size, widths);
            out.put_u16(self.page_end_threshold);
            out.put_addr(self.end, widths);
        }
        for manager in &self.managers {
            out.put_addr(*manager, widths);
        }
        out
    }
}
