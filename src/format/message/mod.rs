//! IV.A.2. The header messages, one file each. A message is carried as its raw bytes; these modules give the bytes
//! a meaning, so that a message nobody looks at stays as it was.
//!
//! Decoders tolerate bytes behind the message, because headers of version 1 pad every message to eight bytes.

pub(crate) mod attribute;
pub(crate) mod attribute_info;
pub(crate) mod btree_k;
pub(crate) mod continuation;
pub(crate) mod dataspace;
pub(crate) mod datatype;
pub(crate) mod external_files;
pub(crate) mod file_space_info;
pub(crate) mod fill_value;
pub(crate) mod filter_pipeline;
pub(crate) mod group_info;
pub(crate) mod layout;
pub(crate) mod link;
pub(crate) mod link_info;
pub(crate) mod modification_time;
pub(crate) mod reference_count;
pub(crate) mod shared;
pub(crate) mod shared_table;

use crate::bytes::{ShortBytes, Take};
use crate::error::Result;
use datatype::CharacterSet;

/// The types of header messages.
pub(crate) mod kind {
    pub(crate) const NIL: u8 = 0x00;
    pub(crate) const DATASPACE: u8 = 0x01;
    pub(crate) const LINK_INFO: u8 = 0x02;
    pub(crate) const DATATYPE: u8 = 0x03;
    pub(crate) const FILL_VALUE_OLD: u8 = 0x04;
    pub(crate) const FILL_VALUE: u8 = 0x05;
    pub(crate) const LINK: u8 = 0x06;
    pub(crate) const EXTERNAL_FILES: u8 = 0x07;
    pub(crate) const LAYOUT: u8 = 0x08;
    pub(crate) const GROUP_INFO: u8 = 0x0a;
    pub(crate) const FILTER_PIPELINE: u8 = 0x0b;
    pub(crate) const ATTRIBUTE: u8 = 0x0c;
    pub(crate) const COMMENT: u8 = 0x0d;
    pub(crate) const MODIFICATION_TIME_OLD: u8 = 0x0e;
    pub(crate) const SHARED_TABLE: u8 = 0x0f;
    pub(crate) const CONTINUATION: u8 = 0x10;
    pub(crate) const SYMBOL_TABLE: u8 = 0x11;
    pub(crate) const MODIFICATION_TIME: u8 = 0x12;
    pub(crate) const BTREE_K: u8 = 0x13;
    pub(crate) const DRIVER_INFO: u8 = 0x14;
    pub(crate) const ATTRIBUTE_INFO: u8 = 0x15;
    pub(crate) const REFERENCE_COUNT: u8 = 0x16;
    pub(crate) const FILE_SPACE_INFO: u8 = 0x17;
    pub(crate) const CACHE_IMAGE: u8 = 0x18;
}

/// The flags of a header message.
pub(crate) mod flag {
    /// The message does not change after it was written.
    pub(crate) const CONSTANT: u8 = 0x01;
    /// The data is a reference to a message that stands elsewhere.
    pub(crate) const SHARED: u8 = 0x02;
    pub(crate) const DONT_SHARE: u8 = 0x04;
    pub(crate) const FAIL_IF_UNKNOWN_AND_WRITE: u8 = 0x08;
    pub(crate) const MARK_IF_UNKNOWN: u8 = 0x10;
    pub(crate) const WAS_UNKNOWN: u8 = 0x20;
    pub(crate) const SHAREABLE: u8 = 0x40;
    pub(crate) const FAIL_IF_UNKNOWN: u8 = 0x80;
}

/// A header message as it stands in an object header of version 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawMessage {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Written only in headers that track the creation order of attributes.
    pub(crate) creation_order: u16,
    pub(crate) data: ShortBytes,
}

impl RawMessage {
    pub(crate) fn new(kind: u8, flags: u8, data: impl Into<ShortBytes>) -> Self {
        Self {
            kind,
            flags,
            creation_order: 0,
            data: data.into(),
        }
    }

    /// Whether the specification has this type of message.
    pub(crate) fn is_known(&self) -> bool {
        // Type 9 is libhdf5's own, for tests of what is not known.
        self.kind <= kind::CACHE_IMAGE && self.kind != 9
    }
}

/// The character set of a link or attribute name.
fn take_charset(take: &mut Take<'_>) -> Result<CharacterSet> {
    match take.u8()? {
        0 => Ok(CharacterSet::Ascii),
        1 => Ok(CharacterSet::Utf8),
        _ => Err(take.error("unknown character set")),
    }
}

fn charset_code(charset: CharacterSet) -> u8 {
    match charset {
        CharacterSet::Ascii => 0,
        CharacterSet::Utf8 => 1,
    }
}

#[cfg(test)]
mod tests;
