//! II.B. The driver information block, and the message of superblock extensions that says the same (IV.A.2.u).
//!
//! ```text
//! the block:                       the message:
//!   0   1  version: 0                0   1  version: 0
//!   1   3  reserved                  1   8  driver identification
//!   4   4  size of the information   9   2  size of the information
//!   8   8  driver identification    11   n  information
//!  16   n  information
//! ```
//!
//! A driver that is not one of those here keeps the file in one piece, whatever else it does: libhdf5 opens it without.

use crate::bytes::{Extent, Take};
use crate::error::{Error, Result};

/// The bytes of a block before the information.
pub(crate) const BLOCK_HEADER: u64 = 16;

/// The extent of the block that begins with `bytes`, which are [`BLOCK_HEADER`]; refuses a driver that splits files.
pub(crate) fn check_block(bytes: &[u8], at: crate::bytes::Addr) -> Result<Extent> {
    let mut take = Take::new(bytes, "driver information block", at.get());
    take.version(0)?;
    take.skip(3)?;
    let size = take.u32()?;
    check_driver(take.bytes(8)?).map_err(|error| error.at(at.get()))?;
    Ok(Extent::new(at, BLOCK_HEADER + u64::from(size)))
}

/// Refuses the message of a driver that splits files.
pub(crate) fn check_message(data: &[u8], at: u64) -> Result<()> {
    let mut take = Take::new(data, "driver information message", at);
    take.version(0)?;
    check_driver(take.bytes(8)?).map_err(|error| error.at(at))
}

fn check_driver(identification: &[u8]) -> Result<()> {
    Err(Error::unsupported(match identification {
        b"NCSAfami" => {
            "one member of a file that libhdf5's `family` driver split into parts of a size"
        }
        b"NCSAmult" => {
            "one member of a file that libhdf5's `multi` or `split` driver split into metadata and raw data"
        }
        _ => return Ok(()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Addr;

    #[test]
    fn drivers_that_split_files_are_named_and_others_pass() {
        let block = |name: &[u8; 8]| {
            let mut bytes = [0; 16];
            bytes[4] = 24;
            bytes[8..].copy_from_slice(name);
            check_block(&bytes, Addr::new(96))
        };
        let text = |name| block(name).unwrap_err().to_string();
        assert!(text(b"NCSAfami").contains("`family`"));
        assert!(text(b"NCSAmult").contains("`split`"));
        assert_eq!(block(b"MYOWNDRV").unwrap(), Extent::new(Addr::new(96), 40));
        assert!(check_message(b"\0NCSAmult\x04\0\x01\x02\x03\x04", 0).is_err());
        assert!(check_message(b"\0sec2\0\0\0\0\0\0", 0).is_ok());
        assert!(check_message(b"\x01sec2\0\0\0\0\0\0", 0).is_err());
    }
}
