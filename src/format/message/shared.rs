//! IV.A.2 "Shared Message". What stands in a header in place of a message that is kept elsewhere.
//!
//! ```text
//! version 1:                            version 2:                         version 3:
//!   0   1  version                        0   1  version                     0   1  version
//!   1   1  type, not used                 1   1  type, not used              1   1  type: 1 heap, 2 object
//!   2   6  reserved                       2   O  object header address       2   8  heap ID, or
//!   8   L  reserved (a heap offset)                                          2   O  object header address
//!   +   O  object header address
//! ```

use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::{Error, Result};

const NAME: &str = "shared message";

/// The type of a message in the heap of the shared message table.
const IN_HEAP: u8 = 1;
/// The type of a message in the header of a committed object.
const COMMITTED: u8 = 2;

/// The bytes of a heap ID in the heaps of the shared message table.
pub(crate) const HEAP_ID: usize = 8;

/// Where a message is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the shared message table's heap for messages of this kind.
    Heap([u8; HEAP_ID]),
    /// In the header of the object at this address: a committed datatype.
    Object(Addr),
}

/// A reference to a message that is kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) version: u8,
    pub(crate) place: Place,
}

impl Shared {
    /// As libhdf5 writes a reference to a committed datatype.
    pub(crate) fn committed(addr: Addr) -> Self {
        Self {
            version: 2,
            place: Place::Object(addr),
        }
    }

    /// As libhdf5 writes a reference into the shared message table.
    pub(crate) fn in_heap(id: [u8; HEAP_ID]) -> Self {
        Self {
            version: 3,
            place: Place::Heap(id),
        }
    }

    pub(crate) fn encode(&self, widths: Widths) -> ShortBytes {
        let mut out = ShortBytes::new();
        out.put_u8(self.version);
        match self.place {
            Place::Heap(id) => {
                out.put_u8(IN_HEAP);
                out.put_bytes(&id);
            }
            Place::Object(addr) => {
                out.put_u8(if self.version == 1 { 0 } else { COMMITTED });
                if self.version == 1 {
                    out.put_zeros(6 + usize::from(widths.length));
                }
                out.put_addr(Some(addr), widths);
            }
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        let place = match (version, take.u8()?) {
            (1, _) => {
                take.skip(6 + usize::from(widths.length))?;
                Place::Object(take.defined_addr(widths)?)
            }
            (2, _) | (3, COMMITTED) => Place::Object(take.defined_addr(widths)?),
            (3, IN_HEAP) => Place::Heap(take.array()?),
            (3, _) => return Err(take.error("unknown type")),
            _ => return Err(take.error("unknown version")),
        };
        Ok(Self { version, place })
    }

    /// The committed object, if that is where the message is.
    pub(crate) fn object(&self) -> Option<Addr> {
        match self.place {
            Place::Object(addr) => Some(addr),
            Place::Heap(_) => None,
        }
    }

    /// The heap ID, where the message is in the shared message table.
    pub(crate) fn heap_id(&self, offset: u64) -> Result<[u8; HEAP_ID]> {
        match self.place {
            Place::Heap(id) => Ok(id),
            Place::Object(_) => {
                Err(Error::corrupt(NAME, "it is not in the shared message table").at(offset))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: Widths = Widths::EIGHT;
    const NARROW: Widths = Widths {
        offset: 4,
        length: 2,
    };

    #[test]
    fn every_version_is_decoded_and_encoded_back() {
        for (bytes, widths, place) in [
            // As hdf5 1.4 wrote it: a symbol table entry, of which the address counts.
            (
                &[
                    1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0,
                ][..],
                W,
                Place::Object(Addr::new(2048)),
            ),
            (
                &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0][..],
                NARROW,
                Place::Object(Addr::new(2048)),
            ),
            (
                &[2, 2, 0, 8, 0, 0, 0, 0, 0, 0][..],
                W,
                Place::Object(Addr::new(2048)),
            ),
            (
                &[2, 2, 0, 8, 0, 0][..],
                NARROW,
                Place::Object(Addr::new(2048)),
            ),
            (
                &[3, 2, 0, 8, 0, 0, 0, 0, 0, 0][..],
                W,
                Place::Object(Addr::new(2048)),
            ),
            (
                &[3, 1, 0, 1, 2, 3, 4, 5, 6, 7][..],
                NARROW,
                Place::Heap([0, 1, 2, 3, 4, 5, 6, 7]),
            ),
        ] {
            let shared = Shared::decode(bytes, widths, 0).unwrap();
            assert_eq!(shared.place, place);
            assert_eq!(shared.encode(widths), bytes);
            assert!(Shared::decode(&bytes[..bytes.len() - 1], widths, 0).is_err());
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for bytes in [
            &[0, 2, 0, 0][..],
            &[4, 2, 0, 0],
            &[3, 0, 0, 0],
            &[3, 3, 0, 0],
        ] {
            let narrow = Widths {
                offset: 2,
                length: 2,
            };
            assert!(Shared::decode(bytes, narrow, 0).is_err(), "{bytes:?}");
        }
        assert!(Shared::decode(&[2, 2, 255, 255, 255, 255], NARROW, 0).is_err());
    }
}
