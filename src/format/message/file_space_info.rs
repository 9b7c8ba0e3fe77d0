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

#[cfg(test)]
mod tests {
    use super::*;

    const W: Widths = Widths::EIGHT;

    macro_rules! golden {
        ($name:literal) => {
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/golden/messages/file-space-",
                $name,
                ".bin"
            ))
            .as_slice()
        };
    }

    #[test]
    fn messages_of_libhdf5_decode_and_encode_to_the_same_bytes() {
        for (bytes, page, persistent) in [
            (golden!("page-1"), Some(1024), true),
            (golden!("page-0"), Some(1024), false),
            (golden!("fsm-1"), None, true),
            (golden!("aggregate-0"), None, false),
            (golden!("none-0"), None, false),
        ] {
            let info = FileSpaceInfo::decode(bytes, W, 0).unwrap();
            assert_eq!((info.page_size(), info.persistent), (page, persistent));
            assert_eq!(info.managers.iter().any(Option::is_some), persistent);
            assert_eq!(info.end.is_some(), persistent);
            assert_eq!(info.encode(W), bytes);
            for end in 0..bytes.len() {
                assert!(FileSpaceInfo::decode(&bytes[..end], W, 0).is_err());
            }
        }
    }

    #[test]
    fn a_message_of_version_0_names_six_managers() {
        let mut bytes = [
            &[0, 1, 9][..],
            &[0; 7],
            &[0xff; 40],
            &[64, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let info = FileSpaceInfo::decode(&bytes, W, 0).unwrap();
        assert_eq!((info.persistent, info.page_size()), (true, None));
        assert_eq!(info.managers[5], Some(Addr::new(64)));
        assert_eq!(info.encode(W), bytes);
        bytes[1] = 2;
        assert!(!FileSpaceInfo::decode(&bytes, W, 0).unwrap().persistent);
        for wrong in [0, 5] {
            bytes[1] = wrong;
            assert!(FileSpaceInfo::decode(&bytes, W, 0).is_err());
        }
    }
}
