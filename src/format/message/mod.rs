//! IV.A.2. The header messages, one file each. A message is carried as its raw bytes; these modules give the bytes
//! a meaning, so that a message nobody looks at stays as it was.

pub(crate) mod datatype;

use alloc::vec::Vec;

/// A header message as it stands in an object header of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawMessage {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Written only in headers that track the creation order of attributes.
    pub(crate) creation_order: u16,
    pub(crate) data: Vec<u8>,
}
