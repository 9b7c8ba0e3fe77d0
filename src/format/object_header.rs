//! IV.A.1.b. Object headers of version 2.
//!
//! ```text
//! header with chunk 0:                               continuation block:
//!   0   4  signature "OHDR"                            0   4  signature "OCHK"
//!   4   1  version: 2                                  4   n  messages
//!   5   1  flags: bits 0-1 width of chunk 0's size,    +   g  gap
//!          2 attribute creation order tracked,         +   4  checksum
//!          3 and indexed, 4 phase change values, 5 times
//!   6  16  access, modification, change and birth time, if bit 5 is set
//!   +   2  maximum number of compact attributes, if bit 4 is set
//!   +   2  minimum number of dense attributes, if bit 4 is set
//!   +   w  size of chunk 0: messages and gap (1, 2, 4 or 8 bytes)
//!   +   n  messages
//!   +   g  gap
//!   +   4  checksum
//! a message:
//!   0   1  type
//!   1   2  size of the data
//!   3   1  flags
//!   4   2  creation order, if flag bit 2 of the header is set
//!   +   n  data
//! ```
//!
//! A *gap* is what is left at the end of a chunk when it is smaller than a message's header. libhdf5 refuses a gap in
//! a chunk that holds a NIL message, whatever its place. So space is filled like this, always legal: a NIL message
//! where its header fits; else, if the chunk holds a NIL message already, zeros appended to that message's data; else
//! a gap of zeros.
//!
//! libhdf5 merges neighbouring NIL messages when it opens a file for writing, and destroys the header if they exceed
//! 65,535 bytes together. So there is one NIL message of fill at most, and more space than that is refused.
//!
//! libhdf5 adds a message that finds no space by a continuation, which takes the place of a NIL message, of a message
//! with that much data, or of all messages of the last block. Where these are shorter than a continuation, it writes
//! over what is behind the block. So a block of ours is never that short.

use super::message::{RawMessage, continuation, kind};
use crate::bytes::{Extent, Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "object header";

const HEADER_SIGNATURE: [u8; 4] = *b"OHDR";
const CHUNK_SIGNATURE: [u8; 4] = *b"OCHK";
const CHECKSUM_SIZE: usize = 4;

/// The largest size of a message's data.
const MAX_MESSAGE: usize = 0xffff;

const ORDER_TRACKED: u8 = 0x04;
const ORDER_INDEXED: u8 = 0x08;
const HAS_PHASE_CHANGE: u8 = 0x10;
const HAS_TIMES: u8 = 0x20;

/// What an object header says before its messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Prefix {
    /// Bits 2 and 3 count: creation order of attributes tracked, and indexed. The others are computed when written.
    pub(crate) flags: u8,
    /// Access, modification, change and birth, in seconds since 1970.
    pub(crate) times: Option<[u32; 4]>,
    /// The maximum number of compact and the minimum number of dense attributes, if not 8 and 6.
    pub(crate) phase_change: Option<(u16, u16)>,
}

impl Prefix {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new); `ordered`: the order in which attributes are made is kept and indexed.
    pub(crate) fn ordered(ordered: bool) -> Self {
        Self {
            flags: if ordered {
                ORDER_TRACKED | ORDER_INDEXED
            } else {
                0
            },
            ..Self::default()
        }
    }

    /// With phase change values, if not 8 and 6.
    pub(crate) fn changing(mut self, phase_change: Option<(u16, u16)>) -> Self {
        self.phase_change = phase_change;
        self
    }

    pub(crate) fn tracks_creation_order(&self) -> bool {
        self.flags & ORDER_TRACKED != 0
    }

    pub(crate) fn indexes_creation_order(&self) -> bool {
        self.flags & ORDER_INDEXED != 0
    }

    /// The bytes before a message's data: 4, or 6 with creation order.
    pub(crate) fn message_header_size(&self) -> usize {
        if self.tracks_creation_order() { 6 } else { 4 }
    }

    /// The bytes of [`encode`](Self::encode).
    fn size(&self, data_size: usize) -> usize {
        let times = self.times.map_or(0, |_| 16);
        let phase_change = self.phase_change.map_or(0, |_| 4);
        6 + times + phase_change + (1 << width_code(data_size))
    }

    /// The prefix of a header whose chunk 0 holds `data_size` bytes, with room for these.
    fn encode(&self, data_size: usize) -> Vec<u8> {
        let width_code = width_code(data_size);
        let mut flags = width_code | self.flags & (ORDER_TRACKED | ORDER_INDEXED);
        flags |= self.times.map_or(0, |_| HAS_TIMES);
        flags |= self.phase_change.map_or(0, |_| HAS_PHASE_CHANGE);
        let mut out = Vec::with_capacity(34 + data_size + CHECKSUM_SIZE);
        out.put_bytes(&HEADER_SIGNATURE);
        out.put_u8(2);
        out.put_u8(flags);
        for &time in self.times.iter().flatten() {
            out.put_u32(time);
        }
        if let Some((max_compact, min_dense)) = self.phase_change {
            out.put_u16(max_compact);
            out.put_u16(min_dense);
        }
        out.put_uint(data_size as u64, 1 << width_code);
        out
    }
}

/// How the size of chunk 0 is written: in 1, 2, 4 or 8 bytes.
fn width_code(data_size: usize) -> u8 {
    let narrower = [0xff, 0xffff, 0xffff_ffff_u64];
    let data_size = data_size as u64;
    narrower
        .iter()
        .filter(|&&largest| data_size > largest)
        .count() as u8
}

/// Decodes the prefix; `bytes` may hold more or be just long enough (34 bytes always are). Returns the size of chunk
/// 0 and of the prefix: the header takes their sum and 4 bytes of checksum.
pub(crate) fn decode_prefix(bytes: &[u8], offset: u64) -> Result<(Prefix, u64, usize)> {
    let mut take = Take::new(bytes, NAME, offset);
    take.signature(&HEADER_SIGNATURE)?;
    take.version(2)?;
    let flags = take.u8()?;
    if flags & 0xc0 != 0 {
        return Err(take.error("unknown flags"));
    }
    let times = if flags & HAS_TIMES != 0 {
        Some([take.u32()?, take.u32()?, take.u32()?, take.u32()?])
    } else {
        None
    };
    let phase_change = if flags & HAS_PHASE_CHANGE != 0 {
        Some((take.u16()?, take.u16()?))
    } else {
        None
    };
    if phase_change.is_some_and(|(max_compact, min_dense)| max_compact < min_dense) {
        return Err(take.error("the attribute phase change values cross"));
    }
    let data_size = take.uint(1 << (flags & 3))?;
    let prefix = Prefix {
        flags,
        times,
        phase_change,
    };
    if data_size > 0 && data_size < prefix.message_header_size() as u64 {
        return Err(take.error("chunk 0 is smaller than a message"));
    }
    Ok((prefix, data_size, take.position()))
}

/// Decodes a header with its chunk 0; bytes behind it are ignored. NIL messages are kept.
pub(crate) fn decode_chunk0(
    bytes: &[u8],
    _widths: Widths,
    offset: u64,
) -> Result<(Prefix, Vec<RawMessage>)> {
    let (prefix, data_size, prefix_size) = decode_prefix(bytes, offset)?;
    let end = usize::try_from(data_size)
        .ok()
        .and_then(|size| size.checked_add(prefix_size))
        .filter(|&end| end <= bytes.len())
        .ok_or_else(|| Error::corrupt(NAME, "ends too early").at(offset))?;
    let messages = decode_messages(bytes, prefix_size, end, &prefix, offset)?;
    Ok((prefix, messages))
}

/// Decodes a continuation block, which `bytes` hold exactly.
pub(crate) fn decode_continuation(
    bytes: &[u8],
    prefix: &Prefix,
    offset: u64,
) -> Result<Vec<RawMessage>> {
    Take::new(bytes, NAME, offset).signature(&CHUNK_SIGNATURE)?;
    let end = bytes
        .len()
        .checked_sub(CHECKSUM_SIZE)
        .filter(|&end| end >= CHUNK_SIGNATURE.len())
        .ok_or_else(|| Error::corrupt(NAME, "ends too early").at(offset))?;
    decode_messages(bytes, CHUNK_SIGNATURE.len(), end, prefix, offset)
}

/// The messages of `bytes[start..end]`; the checksum over everything before stands at `end`.
fn decode_messages(
    bytes: &[u8],
    start: usize,
    end: usize,
    prefix: &Prefix,
    offset: u64,
) -> Result<Vec<RawMessage>> {
    let mut whole = Take::new(bytes, NAME, offset);
    whole.skip(end)?;
    whole.checksum()?;
    let mut take = Take::new(&bytes[..end], NAME, offset);
    take.skip(start)?;
    let mut messages = Vec::new();
    while take.remaining() >= prefix.message_header_size() {
        let kind = take.u8()?;
        let size = usize::from(take.u16()?);
        let flags = take.u8()?;
        let creation_order = if prefix.tracks_creation_order() {
            take.u16()?
        } else {
            0
        };
        messages.push(RawMessage {
            kind,
            flags,
            creation_order,
            data: take.bytes(size)?.into(),
        });
    }
    let has_nil = messages.iter().any(|message| message.kind == kind::NIL);
    if !take.is_empty() && (messages.is_empty() || has_nil) {
        return Err(take.error("a gap without a message or beside a NIL message"));
    }
    Ok(messages)
}

/// A cell: a header that holds nothing but a continuation to `body`. It takes 31 bytes, 16 more with times and 4 more
/// with phase change values, and 2 more where creation order is tracked.
pub(crate) fn encode_cell(prefix: &Prefix, body: Extent, widths: Widths) -> Vec<u8> {
    let data = continuation::encode(body, widths);
    let message = RawMessage::new(kind::CONTINUATION, 0, data);
    let mut out = prefix.encode(prefix.message_header_size() + message.data.len());
    put_message(&mut out, prefix, &message, 0);
    put_checksum(&mut out);
    out
}

/// The bytes of [`encode_cell`].
pub(crate) fn cell_size(prefix: &Prefix, widths: Widths) -> usize {
    let data_size = prefix.message_header_size() + continuation::size(widths);
    prefix.size(data_size) + data_size + CHECKSUM_SIZE
}

/// The size of the messages with their headers.
fn messages_size(prefix: &Prefix, messages: &[RawMessage]) -> usize {
    messages
        .iter()
        .map(|message| prefix.message_header_size() + message.data.len())
        .sum()
}

/// The smallest size of a continuation block for `messages`.
pub(crate) fn body_size(prefix: &Prefix, messages: &[RawMessage]) -> usize {
    CHUNK_SIGNATURE.len() + messages_size(prefix, messages) + CHECKSUM_SIZE
}

/// The bytes that a block with `messages` and no others needs beside them, so that another writer can add one. libhdf5
/// puts a continuation in the place of a NIL message or of messages that it moves away, and destroys a header that has
/// no such place.
pub(crate) fn room_for_continuation(
    prefix: &Prefix,
    messages: &[RawMessage],
    widths: Widths,
) -> usize {
    let continuation = prefix.message_header_size() + continuation::size(widths);
    match messages_size(prefix, messages) < continuation {
        true => continuation,
        false => 0,
    }
}

/// A continuation block of exactly `size` bytes, at least [`body_size`]. The messages are written as given, NIL
/// messages with their data; then the rest is filled as the head of this file says. Where fewer bytes are left than a
/// message's header takes and there is a NIL message, its data gets up to five zeros appended.
pub(crate) fn encode_body(
    prefix: &Prefix,
    messages: &[RawMessage],
    size: usize,
) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(size);
    out.put_bytes(&CHUNK_SIGNATURE);
    let room = size
        .checked_sub(CHUNK_SIGNATURE.len() + CHECKSUM_SIZE)
        .ok_or_else(|| Error::invalid("an object header block is too small"))?;
    put_messages(&mut out, prefix, messages, room)?;
    put_checksum(&mut out);
    Ok(out)
}

/// The size of a complete header whose chunk 0 holds `messages` and nothing else.
pub(crate) fn whole_size(prefix: &Prefix, messages: &[RawMessage]) -> usize {
    let data_size = messages_size(prefix, messages);
    prefix.size(data_size) + data_size + CHECKSUM_SIZE
}

/// A complete header whose chunk 0 holds `messages` and nothing else.
pub(crate) fn encode_whole(prefix: &Prefix, messages: &[RawMessage]) -> Result<Vec<u8>> {
    encode_chunk0(prefix, messages, messages_size(prefix, messages))
}

/// A complete header whose chunk 0 holds `messages` in `data_size` bytes, filled like [`encode_body`].
pub(crate) fn encode_chunk0(
    prefix: &Prefix,
    messages: &[RawMessage],
    data_size: usize,
) -> Result<Vec<u8>> {
    let mut out = prefix.encode(data_size);
    put_messages(&mut out, prefix, messages, data_size)?;
    put_checksum(&mut out);
    Ok(out)
}

/// Puts the messages and fills `room` bytes.
fn put_messages(
    out: &mut Vec<u8>,
    prefix: &Prefix,
    messages: &[RawMessage],
    room: usize,
) -> Result<()> {
    let header_size = prefix.message_header_size();
    let mut rest = room
        .checked_sub(messages_size(prefix, messages))
        .ok_or_else(|| Error::invalid("the messages exceed their object header block"))?;
    let has_nil = || messages.iter().any(|message| message.kind == kind::NIL);
    let mut stretch = match (1..header_size).contains(&rest) && has_nil() {
        true => rest,
        false => 0,
    };
    if messages.is_empty() && (1..header_size).contains(&rest) {
        return Err(Error::invalid("an object header block is too small"));
    }
    rest -= stretch;
    for message in messages {
        let len = message.data.len();
        if len > MAX_MESSAGE {
            let (len, max) = (len as u64, MAX_MESSAGE as u64);
            return Err(Error::limit("header message size", len, max));
        }
        let fits = message.kind == kind::NIL && len + stretch <= MAX_MESSAGE;
        let zeros = if fits {
            core::mem::take(&mut stretch)
        } else {
            0
        };
        put_message(out, prefix, message, zeros);
    }
    if stretch > 0 {
        let (size, max) = ((MAX_MESSAGE + stretch) as u64, MAX_MESSAGE as u64);
        return Err(Error::limit("header message size", size, max));
    }
    if rest >= header_size {
        let len = rest - header_size;
        let merged = len + trailing_nil_size(prefix, messages);
        if merged > MAX_MESSAGE {
            let (size, max) = (merged as u64, MAX_MESSAGE as u64);
            return Err(Error::limit("spare space of an object header", size, max));
        }
        put_message(out, prefix, &RawMessage::new(kind::NIL, 0, Vec::new()), len);
        rest = 0;
    }
    out.put_zeros(rest);
    Ok(())
}

/// The size of the NIL messages at the end, with their headers: what libhdf5 merges with one behind them.
fn trailing_nil_size(prefix: &Prefix, messages: &[RawMessage]) -> usize {
    let nil = |message: &&RawMessage| message.kind == kind::NIL;
    messages
        .iter()
        .rev()
        .take_while(nil)
        .map(|message| prefix.message_header_size() + message.data.len())
        .sum()
}

/// Puts a message with `zeros` appended to its data.
fn put_message(out: &mut Vec<u8>, prefix: &Prefix, message: &RawMessage, zeros: usize) {
    let [low, high] = ((message.data.len() + zeros) as u16).to_le_bytes();
    out.put_bytes(&[message.kind, low, high, message.flags]);
    if prefix.tracks_creation_order() {
        out.put_u16(message.creation_order);
    }
    out.put_bytes(&message.data);
    if zeros > 0 {
        out.put_zeros(zeros);
    }
}

fn put_checksum(out: &mut Vec<u8>) {
    let checksum = lookup3(out);
    out.put_u32(checksum);
}

#[cfg(test)]
mod tests;
