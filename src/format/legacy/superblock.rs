//! II.A. The superblock of versions 0 and 1.
//!
//! ```text
//!   0   8  signature
//!   8   1  version: 0 or 1
//!   9   1  version of the free-space information: 0
//!  10   1  version of the root group symbol table entry: 0
//!  11   1  reserved
//!  12   1  version of the shared header message format: 0
//!  13   1  size of offsets
//!  14   1  size of lengths
//!  15   1  reserved
//!  16   2  group leaf node K
//!  18   2  group internal node K
//!  20   4  file consistency flags
//!  24   2  indexed storage internal node K, in version 1
//!  26   2  reserved, in version 1
//!   +   O  base address
//!   +   O  address of the file's free-space information: undefined
//!   +   O  end of file address
//!   +   O  driver information block address
//!   +      root group symbol table entry (III.C)
//! ```
//!
//! There is no checksum, and nobody acts on the consistency flags of these versions. A commit changes the base address
//! where the file has moved on its device, the end of the file, and the cache type of the root group's entry where the
//! root group is about to lose the symbol table that the entry names; all other bytes stay as they were found.

use super::super::superblock::{KNOWN_FLAGS, Superblock, check_widths};
use super::symbol_table::{Entry, entry_size};
use crate::bytes::{Addr, Take, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

/// The bytes of the largest superblock of version 0 or 1.
pub(crate) const MAX_SIZE: usize = 100;

/// What indexes of chunks have as K where the superblock is of version 0.
const DEFAULT_CHUNK_K: u16 = 32;

/// What only the old superblock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OldParts {
    /// The superblock as it was found.
    image: Vec<u8>,
    /// Half the number of entries of a symbol table node.
    pub(crate) leaf_k: u16,
    /// Half the number of children of a group B-tree node.
    pub(crate) internal_k: u16,
    /// Half the number of children of a chunk B-tree node.
    pub(crate) chunk_k: u16,
    /// Says whether the entry of the root group repeats where its symbol table is: 1, or 0 if not.
    pub(crate) root_cache: u32,
    /// Where the driver information block is (II.B).
    pub(crate) driver_info: Option<Addr>,
}

impl OldParts {
    pub(crate) fn size(&self) -> usize {
        self.image.len()
    }
}

/// Where the addresses begin.
fn addresses_at(version: u8) -> usize {
    if version == 0 { 24 } else { 28 }
}

/// The bytes of `superblock`, which was decoded with `old`.
pub(crate) fn encode(superblock: &Superblock, old: &OldParts) -> Vec<u8> {
    let width = usize::from(superblock.widths.offset);
    let mut out = old.image.clone();
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    let addresses = addresses_at(superblock.version);
    put(addresses, &superblock.base.to_le_bytes()[..width]);
    let end = superblock.end_of_file.to_le_bytes();
    put(addresses + 2 * width, &end[..width]);
    let cache_at = addresses + 5 * width + usize::from(superblock.widths.length);
    put(cache_at, &old.root_cache.to_le_bytes());
    out
}

/// Decodes what follows the version; `bytes` begin with the signature.
pub(crate) fn decode(bytes: &[u8], version: u8, offset: u64) -> Result<Superblock> {
    let mut take = Take::new(bytes, "superblock", offset);
    take.skip(9)?;
    take.version(0)?;
    take.version(0)?;
    take.skip(1)?;
    take.version(0)?;
    let widths = Widths {
        offset: take.u8()?,
        length: take.u8()?,
    };
    check_widths(&take, widths)?;
    take.skip(1)?;
    let (leaf_k, internal_k) = (take.u16()?, take.u16()?);
    if leaf_k == 0 || internal_k == 0 {
        return Err(take.error("a K value is 0"));
    }
    let flags = take.u32()?;
    let chunk_k = if version == 0 {
        DEFAULT_CHUNK_K
    } else {
        let chunk_k = take.u16()?;
        take.skip(2)?;
        chunk_k
    };
    let consistency_flags = u8::try_from(flags)
        .ok()
        .filter(|flags| flags & !KNOWN_FLAGS == 0)
        .ok_or_else(|| take.error("unknown consistency flags"))?;
    let base = take.uint(widths.offset)?;
    if take.addr(widths)?.is_some() {
        return Err(Error::unsupported("free-space information of the whole file").at(offset));
    }
    let end_of_file = take.uint(widths.offset)?;
    let driver_info = take.addr(widths)?;
    let root = Entry::decode(&mut take, widths)?;
    let size = addresses_at(version) + 4 * usize::from(widths.offset) + entry_size(widths);
    Ok(Superblock {
        version,
        widths,
        consistency_flags,
        base,
        extension: None,
        end_of_file,
        root: root
            .header
            .ok_or_else(|| take.error("the root group's address is undefined"))?,
        old: Some(OldParts {
            image: bytes[..size].to_vec(),
            leaf_k,
            internal_k,
            chunk_k,
            root_cache: root.cache.code(),
            driver_info,
        }),
    })
}
