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
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "file space info message";

/// Strategy 1 of version 1: space is given out in whole pages.
const PAGED: u8 = 1;
/// No strategy beyond this is known.
const MAX_STRATEGY: u8 = 3;
pub(crate) const MIN_PAGE: u64 = 512;
pub(crate) const MAX_PAGE: u64 = 1 << 30;
pub(crate) const DEFAULT_PAGE: u64 = 4096;
/// Kinds of space that have a manager each.
pub(crate) const MANAGERS: usize = 12;

/// How the space of a file is given out, and whether it says which of its space is free (specification IV.A.2.x); the
/// names are those of hdf5-metno.
///
/// This library gives space out in pages where the strategy says so. Where free space is kept in a file without pages, it uses
/// what libhdf5 has left free there, and what is free in the end is listed for libhdf5 as the file is closed. A session that
/// changes such a file walks through all of it once, and leaves the lists as they are where anything is not as they say.
/// With every other strategy it keeps what it frees for itself, and libhdf5 does not know of it.
///
/// ```
/// use h5quill::{File, FileSpaceStrategy, storage::MemoryStorage};
/// let pages = FileSpaceStrategy::FreeSpaceManager { paged: true, persist: false, threshold: 1 };
/// let file = File::with_options().file_space_strategy(pages).create_on(MemoryStorage::new())?;
/// assert_eq!(file.file_space_strategy()?, pages);
/// assert_eq!(File::create_memory()?.file_space_strategy()?, FileSpaceStrategy::default());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileSpaceStrategy {
    /// Free-space managers, and aggregators or pages.
    FreeSpaceManager {
        /// Whether space is given out in pages, of which each holds metadata or raw data alone: `fs_strategy="page"` of
        /// h5py, and `"fsm"` where not.
        paged: bool,
        /// Whether the file itself says which of its space is free, from one session to the next.
        persist: bool,
        /// The smallest piece of free space that is kept track of, in bytes.
        threshold: u64,
    },
    /// Aggregators alone: `fs_strategy="aggregate"` of h5py. It has nothing to do with pages, but for this name.
    PageAggregation,
    /// Always at the end of the file: `fs_strategy="none"` of h5py.
    None,
}

impl Default for FileSpaceStrategy {
    /// That of a file that says nothing.
    fn default() -> Self {
        Self::FreeSpaceManager {
            paged: false,
            persist: false,
            threshold: 1,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSpaceInfo {
    pub(crate) version: u8,
    strategy: u8,
    /// Free-space managers are kept in the file.
    pub(crate) persistent: bool,
    /// The smallest piece of free space that a manager lists.
    pub(crate) threshold: u64,
    page_size: u64,
    page_end_threshold: u16,
    /// The end of the file, as the last writer that kept the message left it.
    pub(crate) end: Option<Addr>,
    /// Where the managers are, as far as there are any.
    pub(crate) managers: Vec<Option<Addr>>,
}

impl FileSpaceInfo {
    /// What libhdf5 writes into a new file, where it writes the message.
    pub(crate) fn new(strategy: FileSpaceStrategy, page_size: u64) -> Self {
        let (strategy, persistent, threshold) = match strategy {
            FileSpaceStrategy::FreeSpaceManager {
                paged,
                persist,
                threshold,
            } => (if paged { PAGED } else { 0 }, persist, threshold),
            FileSpaceStrategy::PageAggregation => (2, false, 1),
            FileSpaceStrategy::None => (3, false, 1),
        };
        Self {
            version: 1,
            strategy,
            persistent,
            threshold,
            page_size,
            page_end_threshold: 0,
            end: None,
            managers: match persistent {
                true => vec![None; MANAGERS],
                false => Vec::new(),
            },
        }
    }

    /// What the message says, with the strategies of version 0 as those that came after them.
    pub(crate) fn strategy(&self) -> FileSpaceStrategy {
        let strategy = match self.version {
            0 => self.strategy.saturating_sub(1),
            _ => self.strategy,
        };
        match strategy {
            2 => FileSpaceStrategy::PageAggregation,
            3 => FileSpaceStrategy::None,
            _ => FileSpaceStrategy::FreeSpaceManager {
                paged: self.page_size().is_some(),
                persist: self.persistent,
                threshold: self.threshold,
            },
        }
    }

    /// The page size that the message names, whether or not space is given out in pages.
    pub(crate) fn named_page_size(&self) -> u64 {
        match self.version {
            0 => DEFAULT_PAGE,
            _ => self.page_size,
        }
    }

    /// Whether this library reads the managers and writes new ones: those of a file without pages.
    pub(crate) fn has_known_managers(&self) -> bool {
        let has_some = self.strategy == 0 && self.managers.len() == MANAGERS;
        self.version == 1 && self.persistent && has_some
    }

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
            let count = if version == 0 { 6 } else { MANAGERS };
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

    /// But for where the file ends and the managers are, which libhdf5 knows as it closes the file.
    #[test]
    fn a_new_message_is_that_of_libhdf5() {
        let managed = |paged, persist, threshold| FileSpaceStrategy::FreeSpaceManager {
            paged,
            persist,
            threshold,
        };
        for (bytes, strategy, page) in [
            (golden!("page-1"), managed(true, true, 5), 1024),
            (golden!("page-0"), managed(true, false, 5), 1024),
            (golden!("fsm-1"), managed(false, true, 5), 4096),
            (
                golden!("aggregate-0"),
                FileSpaceStrategy::PageAggregation,
                4096,
            ),
            (golden!("none-0"), FileSpaceStrategy::None, 4096),
        ] {
            let mut known = FileSpaceInfo::decode(bytes, W, 0).unwrap();
            assert_eq!(
                (known.strategy(), known.named_page_size()),
                (strategy, page)
            );
            known.end = None;
            known
                .managers
                .iter_mut()
                .for_each(|manager| *manager = None);
            let new = FileSpaceInfo::new(strategy, page);
            assert_eq!(new.encode(W), known.encode(W));
            assert_eq!(new, known);
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
        let strategy = |code| {
            let bytes = [&[0, code], &bytes[2..]].concat();
            FileSpaceInfo::decode(&bytes, W, 0).unwrap().strategy()
        };
        assert_eq!(strategy(3), FileSpaceStrategy::PageAggregation);
        assert_eq!(strategy(4), FileSpaceStrategy::None);
        bytes[1] = 2;
        assert!(!FileSpaceInfo::decode(&bytes, W, 0).unwrap().persistent);
        for wrong in [0, 5] {
            bytes[1] = wrong;
            assert!(FileSpaceInfo::decode(&bytes, W, 0).is_err());
        }
    }
}
