//! IV.A.1.a. Object headers of version 1.
//!
//! ```text
//! the header:                                        a message:
//!   0   1  version: 1                                  0   2  type
//!   1   1  reserved                                    2   2  size of the data, a multiple of 8
//!   2   2  number of messages, in all blocks           4   1  flags
//!   4   4  object reference count                      5   3  reserved
//!   8   4  size of the messages that follow            8   n  data, padded
//!  12   4  padding to a multiple of 8
//!  16   n  messages
//! ```
//!
//! A continuation block holds messages and nothing else. There are no checksums.

use super::super::message::RawMessage;
use crate::bytes::{Addr, Put, Take};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "object header";

/// The bytes before the messages.
pub(crate) const PREFIX_SIZE: usize = 16;
const MESSAGE_HEADER: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OldPrefix {
    /// How many messages all blocks together hold, at the most.
    pub(crate) messages: usize,
    pub(crate) reference_count: u32,
    /// The size of the messages in the header's own block.
    pub(crate) data_size: u64,
}

/// Where the count of links stands in the header at `addr`.
pub(crate) fn count_of_links(addr: Addr) -> Addr {
    addr.plus(4)
}

/// Whether `bytes` begin a header of version 1: one of version 2 begins with a signature.
pub(crate) fn is_old(bytes: &[u8]) -> bool {
    bytes.first() == Some(&1)
}

pub(crate) fn decode_prefix(bytes: &[u8], offset: u64) -> Result<OldPrefix> {
    let mut take = Take::new(bytes, NAME, offset);
    take.version(1)?;
    take.skip(1)?;
    let messages = usize::from(take.u16()?);
    let reference_count = take.u32()?;
    let data_size = u64::from(take.u32()?);
    if (messages > 0 && data_size < MESSAGE_HEADER as u64) || (messages == 0 && data_size > 0) {
        return Err(take.error("the number of messages and their size do not fit"));
    }
    take.skip(4)?;
    Ok(OldPrefix {
        messages,
        reference_count,
        data_size,
    })
}

/// The messages of a block, NIL messages included. Padding stays part of a message's data.
pub(crate) fn decode_messages(bytes: &[u8], offset: u64) -> Result<Vec<RawMessage>> {
    let mut take = Take::new(bytes, NAME, offset);
    let mut messages = Vec::new();
    while !take.is_empty() {
        let kind = take.u16()?;
        let size = usize::from(take.u16()?);
        if size % 8 != 0 {
            return Err(take.error("the size of a message is not a multiple of 8"));
        }
        let flags = take.u8()?;
        take.skip(3)?;
        let kind = u8::try_from(kind)
            .map_err(|_| Error::unsupported("a header message of a type above 255").at(offset))?;
        messages.push(RawMessage::new(kind, flags, take.bytes(size)?));
    }
    Ok(messages)
}

/// The longest data of a message, padded.
const MAX_DATA: usize = 65_528;

/// The bytes of a message with `len` bytes of data.
pub(crate) fn message_size(len: usize) -> usize {
    MESSAGE_HEADER + len.next_multiple_of(8)
}

/// Whether a header of version 1 can hold `len` bytes of data in one message.
pub(crate) fn can_hold(len: usize) -> bool {
    len <= MAX_DATA
}

/// The first 8 bytes of a header: all but the size of its first block, which stays as it is.
pub(crate) fn encode_counts(messages: u16, reference_count: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(8);
    out.put_u8(1);
    out.put_u8(0);
    out.put_u16(messages);
    out.put_u32(reference_count);
    out
}

/// Adds a message whose data [can be held](can_hold).
pub(crate) fn put_message(out: &mut Vec<u8>, kind: u8, flags: u8, data: &[u8]) {
    let padded = data.len().next_multiple_of(8);
    out.put_u16(u16::from(kind));
    out.put_u16(padded as u16);
    out.put_u8(flags);
    out.put_bytes(&[0; 3]);
    out.put_bytes(data);
    out.resize(out.len() + padded - data.len(), 0);
}
