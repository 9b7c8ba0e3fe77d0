//! A header of version 1 that crosses the edge of a sector, kept at version 1.
//!
//! A cell of version 2 has a checksum, so all its 31 bytes have to reach the device together. Where they lie in two
//! sectors, a loss of power can leave an object that only h5quill can read, from the flip record. A header of version 1
//! has no checksum. Its messages move to a continuation block, and what names that block is rewritten in one sector:
//!
//! ```text
//!   prefix | [the first message, kept] | continuation | NIL        | the next block
//!                       ^ the edge: all that changes lies behind it
//! ```
//!
//! The number of messages and the count of links, in the other sector, fit both the old and the new messages.

use super::{Form, Header};
use crate::bytes::Extent;
use crate::error::Result;
use crate::format::legacy::object_header as old;
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::{RawMessage, continuation, kind};
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::store::{FlipOrder, SECTOR, Store};
use alloc::vec;
use alloc::vec::Vec;

/// By how much a block may be longer than the messages in it.
const MOST_SLACK: usize = 1024;

/// The first block as it will be.
struct FirstBlock {
    bytes: Vec<u8>,
    messages: usize,
    /// Which of the header's messages stays in it.
    kept: Option<usize>,
}

impl Header {
    /// Writes the messages to a new continuation block and flips what names it, all in one sector. Changes nothing and
    /// says so where that cannot be.
    pub(super) fn stage_as_version_1(&mut self, store: &mut Store) -> Result<bool> {
        #[cfg(test)]
        if mutant::is(Mutant::StraddlingCell) {
            return Ok(false);
        }
        let Form::Foreign { blocks } = &self.form else {
            return Ok(false);
        };
        let (first, later) = (blocks[0], blocks[1..].to_vec());
        let Some(edge) = self.edge(store) else {
            return Ok(false);
        };
        let Some(mut messages) = self.messages_of_version_1(store)? else {
            return Ok(false);
        };
        let mut committed = vec![0; first.len as usize];
        store.read_committed(first.addr, &mut committed)?;
        let count = self.reference_count()?;

        // Where the block will be changes nothing but the bytes behind the edge.
        let size: usize = messages
            .iter()
            .map(|message| old::message_size(message.data.len()))
            .sum();
        let slot_size = (size + (size / 4).min(MOST_SLACK) + 8).next_multiple_of(32);
        let unplaced = Extent::new(first.addr, slot_size as u64);
        let fits = store
            .widths()
            .check_len("the size of an object header", slot_size as u64);
        let block = self.first_block(store, &messages, &committed, edge, unplaced);
        if fits.is_err() || block.is_none() {
            return Ok(false);
        }
        let old_count = old::decode_prefix(&committed, self.addr.get())?.messages;
        let old_first = old::decode_messages(&committed[old::PREFIX_SIZE..], self.addr.get())?;

        let slot = store.alloc(slot_size as u64)?;
        let Some(block) = self.first_block(store, &messages, &committed, edge, slot) else {
            store.free(slot);
            return Ok(false);
        };
        if let Some(kept) = block.kept {
            messages.remove(kept);
        }
        let body = encode_messages(&messages, slot_size);
        let total = block.messages + messages.len() + usize::from(body.1);
        // Either sector may be the only one that is written: no reader takes fewer messages than the first block has.
        let total = total.max(old_first.len());
        let Ok(total) = u16::try_from(total) else {
            store.free(slot);
            return Ok(false);
        };
        if old_count < block.messages {
            store.free(slot);
            return Ok(false);
        }
        for block in later {
            store.free(block);
        }
        for room in core::mem::take(&mut self.room) {
            store.free(room);
        }
        store.stage(slot.addr, body.0)?;
        let counts = old::encode_counts(total, count);
        store.flip(self.addr, counts, FlipOrder::WithCells)?;
        let to = block.bytes.len().min(edge + SECTOR);
        let behind = block.bytes[edge..to].to_vec();
        let at = self.addr.plus(edge as u64);
        store.flip(at, behind, FlipOrder::With(self.addr))?;
        self.form = Form::Foreign {
            blocks: vec![first, slot],
        };
        Ok(true)
    }

    /// Where in the header a sector ends, if it is of version 1 and a cell would cross that edge.
    fn edge(&self, store: &Store) -> Option<usize> {
        let is_old = self.is_old && matches!(self.form, Form::Foreign { .. });
        let cell = Self::new_cell_size(store, &self.prefix) as usize;
        let edge = SECTOR - (self.addr.get() % SECTOR as u64) as usize;
        (is_old && (8..cell).contains(&edge)).then_some(edge)
    }

    /// Takes back what [`stage_as_version_1`](Self::stage_as_version_1) flipped in the same commit, before a cell takes
    /// the place of the header's first bytes.
    pub(super) fn withdraw_version_1(&mut self, store: &mut Store) {
        if let Some(edge) = self.edge(store) {
            store.withdraw_flip(self.addr.plus(edge as u64));
        }
    }

    /// Keeps the blocks that a state within the commit names until that is done.
    pub(super) fn keep_blocks_for_commit(&mut self, store: &mut Store) {
        if self.is_old
            && let Form::Foreign { blocks } = &mut self.form
        {
            for block in blocks.drain(1..) {
                store.free_after_commit(block);
            }
        }
    }

    /// The messages as a header of version 1 has them; none where it cannot say the same.
    fn messages_of_version_1(&self, store: &Store) -> Result<Option<Vec<RawMessage>>> {
        if self.prefix.tracks_creation_order() || self.prefix.phase_change.is_some() {
            return Ok(None);
        }
        // libhdf5 looks for no dense attributes here. Without them, the message says nothing.
        if let Some(message) = self.message(kind::ATTRIBUTE_INFO) {
            let info = AttributeInfo::decode(&message.data, store.widths(), self.addr.get())?;
            if info.heap.is_some() {
                return Ok(None);
            }
        }
        let moved = |message: &&RawMessage| {
            message.kind != kind::ATTRIBUTE_INFO && message.kind != kind::REFERENCE_COUNT
        };
        let messages: Vec<RawMessage> = self.messages.iter().filter(moved).cloned().collect();
        let all_fit = messages
            .iter()
            .all(|message| old::can_hold(message.data.len()));
        Ok(all_fit.then_some(messages))
    }

    /// The first block, where nothing changes but what lies behind the edge and in its sector.
    fn first_block(
        &self,
        store: &Store,
        messages: &[RawMessage],
        committed: &[u8],
        edge: usize,
        slot: Extent,
    ) -> Option<FirstBlock> {
        let usable = |block: FirstBlock| {
            let same_before = block.bytes[8..edge] == committed[8..edge];
            let to = committed.len().min(edge + SECTOR);
            let same_after = block.bytes[to..] == committed[to..];
            (same_before && same_after).then_some(block)
        };
        let continuation = continuation::encode(slot, store.widths());
        let plain = finish_first_block(
            committed,
            committed[..old::PREFIX_SIZE].to_vec(),
            &continuation,
            1,
        );
        if let Some(block) = plain.and_then(usable) {
            return Some(block);
        }
        let offset = self.addr.get();
        let first = old::decode_messages(&committed[old::PREFIX_SIZE..], offset).ok()?;
        let first = first.first()?;
        let kept = messages.iter().position(|message| {
            let same_size = message.data.len().next_multiple_of(8) == first.data.len();
            message.kind == first.kind && message.flags == first.flags && same_size
        });
        let data = match kept {
            Some(kept) => &messages[kept].data,
            None if first.kind == kind::NIL => &first.data,
            None => return None,
        };
        let mut bytes = committed[..old::PREFIX_SIZE].to_vec();
        old::put_message(&mut bytes, first.kind, first.flags, data);
        let mut block = finish_first_block(committed, bytes, &continuation, 2)?;
        block.kept = kept;
        usable(block)
    }
}

/// Adds the continuation, and a NIL message over what is left, whose data stay as they are.
fn finish_first_block(
    committed: &[u8],
    mut bytes: Vec<u8>,
    continuation: &[u8],
    messages: usize,
) -> Option<FirstBlock> {
    let mut messages = messages;
    old::put_message(&mut bytes, kind::CONTINUATION, 0, continuation);
    let left = committed.len().checked_sub(bytes.len())?;
    if left > 0 {
        let data = committed.get(bytes.len() + old::message_size(0)..)?;
        if data.len() % 8 != 0 || !old::can_hold(data.len()) {
            return None;
        }
        old::put_message(&mut bytes, kind::NIL, 0, data);
        messages += 1;
    }
    Some(FirstBlock {
        bytes,
        messages,
        kept: None,
    })
}

/// The messages in a block of `size` bytes, and whether a NIL message fills it.
fn encode_messages(messages: &[RawMessage], size: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(size);
    for message in messages {
        old::put_message(&mut out, message.kind, message.flags, &message.data);
    }
    let left = size - out.len();
    if left > 0 {
        let data = vec![0; left - old::message_size(0)];
        old::put_message(&mut out, kind::NIL, 0, &data);
    }
    (out, left > 0)
}
