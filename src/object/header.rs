//! An object header: read from any blocks, written as a cell and a body.
//!
//! The cell is a complete header that holds one message, a continuation to the body; the body holds the real
//! messages. A commit writes the body to a slot the committed cell does not name and flips the cell. A header of
//! another writer is adopted at its first edit: its messages move to a body, and a cell takes the place of its first
//! bytes, so that its address stays valid.

mod version_1;

use super::record::{MAX_SPARE, Record};
use crate::bytes::{Addr, Extent, ShortBytes, Widths};
use crate::error::{Error, Result};
use crate::format::legacy::object_header as old;
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::{RawMessage, continuation, flag, kind, reference_count};
use crate::format::object_header::{
    Prefix, body_size, cell_size, decode_chunk0, decode_continuation, decode_prefix, encode_body,
    encode_cell, encode_whole, room_for_continuation, whole_size,
};
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::store::{Class, FlipOrder, SECTOR, Store, Version};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "object header";

/// As RELIABILITY.md, section 5: no honest header has more.
const MAX_MESSAGES: usize = 65_536;
const MAX_BLOCKS: usize = 4096;

/// How the header stands in the committed file.
#[derive(Debug)]
enum Form {
    /// Not yet: the cell's place is set aside, or space in which all of the header may stand.
    New { reserved: Option<Extent> },
    /// A cell that names `live`; `other` is the slot the next body may take.
    Cell { live: Extent, other: Option<Extent> },
    /// The blocks of another writer, the first of them the header's own; or one of ours that holds everything.
    Foreign { blocks: Vec<Extent> },
}

#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) addr: Addr,
    pub(crate) prefix: Prefix,
    pub(crate) messages: Vec<RawMessage>,
    form: Form,
    /// Whether the header's own block is of version 1; it is no longer once a cell has taken its place.
    is_old: bool,
    /// Bytes in the cell's sector set aside for this object: cells of children, headers of heaps.
    pub(crate) room: Vec<Extent>,
    /// Free space that the committed record of this object lists.
    spare: Vec<(Extent, Class)>,
    /// A record is kept from the first body on: the object is expected to change.
    keeps_record: bool,
    /// Whether it opened with a message of an unknown type; nothing adds one.
    has_unknown: bool,
}

impl Header {
    /// A new object whose cell will be at `addr`.
    pub(crate) fn new(
        addr: Addr,
        prefix: Prefix,
        messages: Vec<RawMessage>,
        room: Vec<Extent>,
        keeps_record: bool,
    ) -> Self {
        Self {
            addr,
            prefix,
            has_unknown: has_unknown(&messages),
            messages,
            form: Form::New { reserved: None },
            is_old: false,
            room,
            spare: Vec::new(),
            keeps_record,
        }
    }

    /// Gives a new object its place: its header is one block where it comes to fit `reserved`.
    pub(crate) fn place_in_one(&mut self, reserved: Extent) {
        self.addr = reserved.addr;
        self.form = Form::New {
            reserved: Some(reserved),
        };
    }

    /// Drops what is in it, but for the memory of so many messages.
    pub(crate) fn empty(&mut self, messages: usize) {
        self.messages.clear();
        self.messages.shrink_to(messages);
        self.form = Form::New { reserved: None };
    }

    /// The bytes of the header in one block, as its messages are now.
    pub(crate) fn size_in_one(&self) -> u64 {
        let size = whole_size(&self.prefix, &self.messages) as u64;
        // An attribute info message comes with the first attribute, at the latest as the header is staged.
        let header = self.prefix.message_header_size() as u64;
        let info = AttributeInfo::default().size(Widths::EIGHT) as u64;
        match self.message(kind::ATTRIBUTE).is_some()
            && self.message(kind::ATTRIBUTE_INFO).is_none()
        {
            true => size + header + info,
            false => size,
        }
    }

    /// Gives back what is set aside beside the place of the cell: the header will not be one block.
    pub(crate) fn use_cell(&mut self, store: &mut Store) {
        if let Form::New { reserved } = &mut self.form
            && let Some(reserved) = reserved.take()
        {
            let cell = Self::new_cell_size(store, &self.prefix);
            store.give_back_from(reserved, cell);
        }
    }

    /// Writes a new header as one block, where it fits the space set aside for that.
    fn stage_in_one(&mut self, store: &mut Store) -> Result<bool> {
        let Form::New {
            reserved: Some(reserved),
        } = self.form
        else {
            return Ok(false);
        };
        let bytes = encode_whole(&self.prefix, &self.messages)
            .map_err(|error| error.at(self.addr.get()))?;
        let extent = Extent::new(self.addr, bytes.len() as u64);
        // A later edit puts a cell in the place of its first bytes.
        let fits = extent.len >= Self::new_cell_size(store, &self.prefix)
            && store.stage_reserved(reserved, bytes)?;
        match fits {
            true => {
                self.form = Form::Foreign {
                    blocks: vec![extent],
                }
            }
            false => self.use_cell(store),
        }
        Ok(fits)
    }

    /// The size of a cell of ours.
    pub(crate) fn new_cell_size(store: &Store, prefix: &Prefix) -> u64 {
        cell_size(prefix, store.widths()) as u64
    }

    pub(crate) fn load(store: &Store, addr: Addr) -> Result<Self> {
        let FirstBlock {
            prefix,
            extent: first,
            mut messages,
            old_prefix,
        } = load_first_block(store, addr)?;
        let own = messages.iter().filter(|message| message.kind != kind::NIL);
        let own = own.count();
        let mut blocks = vec![first];
        let mut next = 0;
        while next < messages.len() {
            let message: &RawMessage = &messages[next];
            if message.kind != kind::CONTINUATION {
                next += 1;
                continue;
            }
            let extent = continuation::decode(&message.data, store.widths(), addr.get())?;
            if blocks.contains(&extent) {
                return Err(Error::corrupt(NAME, "continuations form a cycle").at(addr.get()));
            }
            let bytes = store.read(extent, NAME)?;
            let more = match old_prefix {
                Some(_) => old::decode_messages(&bytes, extent.addr.get())?,
                None => decode_continuation(&bytes, &prefix, extent.addr.get())?,
            };
            messages.remove(next);
            messages.extend(more);
            blocks.push(extent);
            if messages.len() > MAX_MESSAGES || blocks.len() > MAX_BLOCKS {
                return Err(Error::limit(
                    "object header messages",
                    messages.len() as u64,
                    MAX_MESSAGES as u64,
                )
                .at(addr.get()));
            }
        }
        let mut header = Self::new(addr, prefix, messages, Vec::new(), true);
        match old_prefix {
            Some(old_prefix) => header.take_over_old(&old_prefix, own, blocks)?,
            None => header.recognise(store, blocks),
        }
        header.check_unknown(flag::FAIL_IF_UNKNOWN, "not to be read")?;
        Ok(header)
    }

    /// Makes what a prefix of version 1 says part of the messages, as version 2 has it. Its count of messages is right where
    /// it is not less than that of the first block, `own`: old writers counted the others wrong, and libhdf5 does not mind.
    fn take_over_old(
        &mut self,
        prefix: &old::OldPrefix,
        own: usize,
        blocks: Vec<Extent>,
    ) -> Result<()> {
        let error = |reason| Err(Error::corrupt(NAME, reason).at(self.addr.get()));
        // That of all blocks may be another one after a loss of power; libhdf5 takes it too.
        if own > prefix.messages {
            return error("it has more messages in its first block than it says in all");
        }
        if self.message(kind::REFERENCE_COUNT).is_some() {
            return error("a reference count message in a header of version 1");
        }
        self.form = Form::Foreign { blocks };
        self.is_old = true;
        self.messages.retain(|message| message.kind != kind::NIL);
        self.set_reference_count(prefix.reference_count);
        Ok(())
    }

    /// Tells a cell of ours, with its record, from a header of another writer; what else NIL messages hold is padding.
    fn recognise(&mut self, store: &Store, blocks: Vec<Extent>) {
        self.recognise_form(store, blocks);
        self.messages.retain(|message| message.kind != kind::NIL);
    }

    fn recognise_form(&mut self, store: &Store, blocks: Vec<Extent>) {
        let cell_len = Self::new_cell_size(store, &self.prefix);
        let &[first, live] = blocks.as_slice() else {
            self.form = Form::Foreign { blocks };
            return;
        };
        if first.len != cell_len {
            self.form = Form::Foreign { blocks };
            return;
        }
        let mut other = None;
        let records = self
            .messages
            .iter()
            .filter(|message| message.kind == kind::NIL);
        if let Some(record) = records
            .filter_map(|message| Record::decode(&message.data, self.addr, live.addr))
            .next()
        {
            other = record
                .other
                .filter(|&slot| self.old_body_stands_in(store, slot));
            if store.stamped() {
                let inside = |extent: &Extent| store.check_bounds(*extent, NAME).is_ok();
                self.room = record.room.into_iter().filter(inside).collect();
                let spare = record.spare.into_iter();
                self.spare = spare.filter(|(extent, _)| inside(extent)).collect();
            }
        }
        self.form = Form::Cell { live, other };
    }

    fn old_body_stands_in(&self, store: &Store, slot: Extent) -> bool {
        let Ok(bytes) = store.read(slot, NAME) else {
            return false;
        };
        let Ok(messages) = decode_continuation(&bytes, &self.prefix, slot.addr.get()) else {
            return false;
        };
        messages.iter().any(|message| {
            message.kind == kind::NIL
                && Record::decode(&message.data, self.addr, slot.addr).is_some()
        })
    }

    fn encode_cell(&self, store: &Store, body: Extent) -> Vec<u8> {
        encode_cell(&self.prefix, body, store.widths())
    }

    /// The first message of a kind.
    pub(crate) fn message(&self, kind: u8) -> Option<&RawMessage> {
        self.messages.iter().find(|message| message.kind == kind)
    }

    /// Replaces the data of the first message of a kind, or adds one. It is the header's own then, and not one to share.
    pub(crate) fn set_message(&mut self, kind: u8, data: impl Into<ShortBytes>) {
        let data = data.into();
        match self
            .messages
            .iter_mut()
            .find(|message| message.kind == kind)
        {
            Some(message) => {
                message.data = data;
                message.flags &= !(flag::SHARED | flag::SHAREABLE);
            }
            None => self.messages.push(RawMessage {
                kind,
                flags: 0,
                creation_order: 0,
                data,
            }),
        }
    }

    pub(crate) fn remove_message(&mut self, kind: u8) {
        self.messages.retain(|message| message.kind != kind);
    }

    /// How many hard links name the object.
    pub(crate) fn reference_count(&self) -> Result<u32> {
        match self.message(kind::REFERENCE_COUNT) {
            Some(message) => reference_count::decode(&message.data, self.addr.get()),
            None => Ok(1),
        }
    }

    pub(crate) fn set_reference_count(&mut self, count: u32) {
        if count == 1 {
            self.remove_message(kind::REFERENCE_COUNT);
        } else {
            self.set_message(kind::REFERENCE_COUNT, reference_count::encode(count));
        }
    }

    /// Why the object must not be changed, if so.
    pub(crate) fn check_editable(&self) -> Result<()> {
        self.check_unknown(
            flag::FAIL_IF_UNKNOWN_AND_WRITE | flag::FAIL_IF_UNKNOWN,
            "not to be changed",
        )
    }

    /// Refuses a header with a message of an unknown type that has one of `flags`.
    fn check_unknown(&self, flags: u8, asks: &str) -> Result<()> {
        if !self.has_unknown {
            return Ok(());
        }
        let mut unknown = self.messages.iter().filter(|message| !message.is_known());
        match unknown.find(|message| message.flags & flags != 0) {
            Some(message) => Err(Error::unsupported(format!(
                "a header message of the unknown type {:#04x}, which asks {asks} where it is not known",
                message.kind
            ))
            .at(self.addr.get())),
            None => Ok(()),
        }
    }

    /// The object is about to change: what its record lists becomes usable, since the commit rewrites the record.
    pub(crate) fn touch(&mut self, store: &mut Store) {
        for (extent, class) in self.spare.drain(..) {
            store.add_spare(extent, class);
        }
    }

    /// Refuses a header whose body could not be written if its messages had `more` bytes.
    pub(crate) fn check_room(&self, widths: Widths, more: u64) -> Result<()> {
        let record = self.prefix.message_header_size() + Record::default().size() + 16 * MAX_SPARE;
        let needed = body_size(&self.prefix, &self.messages) as u64 + record as u64 + more;
        widths.check_len("the size of an object header", needed + needed / 4 + 32)
    }

    /// Takes `len` bytes for a cell of a child from the room of this object; `keep` bytes in one piece stay in the
    /// object's own sector where they are there now.
    pub(crate) fn take_room_for_child(&mut self, len: u64, keep: u64) -> Option<Addr> {
        let own = |header: &Self, room: &Extent| {
            room.len >= keep && header.shares_sector(room.addr, room.len)
        };
        let kept = self.room.iter().filter(|room| own(self, room)).count();
        let found = self.room.iter().position(|room| {
            room.len >= len && (!own(self, room) || kept > 1 || room.len - len >= keep)
        })?;
        Some(self.take_room(found, len))
    }

    /// Takes `len` bytes in the object's own sector, or none.
    pub(crate) fn take_own_room(&mut self, len: u64) -> Option<Addr> {
        let found = self
            .room
            .iter()
            .position(|room| room.len >= len && self.shares_sector(room.addr, room.len))?;
        Some(self.take_room(found, len))
    }

    fn take_room(&mut self, number: usize, len: u64) -> Addr {
        let room = &mut self.room[number];
        let addr = room.addr;
        *room = Extent::new(addr.plus(len), room.len - len);
        self.room.retain(|room| room.len > 0);
        addr
    }

    /// Whether `addr` lies in the sector of the object's cell, so that both are written at once.
    pub(crate) fn shares_sector(&self, addr: Addr, len: u64) -> bool {
        let sector = |at: u64| at / SECTOR as u64;
        sector(addr.get()) == sector(self.addr.get())
            && sector(addr.get() + len - 1) == sector(self.addr.get())
    }

    /// Writes the messages to a body and the cell that names it. `donated` is free space for a later session to find.
    pub(crate) fn stage(&mut self, store: &mut Store, donate: bool) -> Result<()> {
        if !donate && self.is_old {
            self.mark_unknown();
            if self.stage_as_version_1(store)? {
                return Ok(());
            }
        }
        self.stage_with(store, donate, FlipOrder::WithCells, &mut |_, _| Ok(()))
    }

    /// Marks what this library does not know and is asked to mark.
    fn mark_unknown(&mut self) {
        for message in &mut self.messages {
            if !message.is_known() && message.flags & flag::MARK_IF_UNKNOWN != 0 {
                message.flags |= flag::WAS_UNKNOWN;
            }
        }
    }

    /// As [`stage`](Self::stage); `finish` may change the data of messages, not their size, once all space is given
    /// out, and `order` says when the cell is rewritten.
    pub(crate) fn stage_with(
        &mut self,
        store: &mut Store,
        donate: bool,
        order: FlipOrder,
        finish: &mut dyn FnMut(&mut Self, &mut Store) -> Result<()>,
    ) -> Result<()> {
        self.check_adoptable(store)?;
        self.withdraw_version_1(store);
        self.mark_unknown();
        if donate {
            self.use_cell(store);
        } else if self.stage_in_one(store)? {
            return Ok(());
        }
        let spare = match donate {
            // What a smaller slot of this header frees comes on top.
            true => MAX_SPARE.min(store.free_extents() + 2),
            false => 0,
        };
        let needed = self.needed(store.widths(), donate, spare);
        // A slot may be larger by a quarter than what it holds.
        let largest = needed as u64 + needed as u64 / 4 + 32;
        store
            .widths()
            .check_len("the size of an object header", largest)?;
        let slot = self.choose_slot(store, needed)?;
        let other = match &self.form {
            Form::Cell { live, .. } => Some(*live),
            _ => None,
        };
        if let Form::Foreign { blocks } = &self.form {
            let cell_len = Self::new_cell_size(store, &self.prefix);
            for (number, block) in blocks.iter().enumerate() {
                let kept = if number == 0 { cell_len } else { 0 };
                store.free(Extent::new(block.addr.plus(kept), block.len - kept));
            }
        }
        let spare = match donate {
            true => store.donate_free(spare),
            false => Vec::new(),
        };
        finish(self, store)?;
        let body = self.encode_body(slot, other, spare)?;
        store.stage(slot.addr, body)?;
        let cell = self.encode_cell(store, slot);
        match self.form {
            // Nothing committed names it, also where it has been written before.
            _ if store.is_fresh(Extent::new(self.addr, cell.len() as u64)) => {
                store.stage(self.addr, cell)?
            }
            Form::New { .. } => store.fill_in(self.addr, &cell)?,
            _ => store.flip(self.addr, cell, order)?,
        }
        self.form = Form::Cell { live: slot, other };
        self.is_old = false;
        Ok(())
    }

    /// Writes the messages once more in the same commit, which comes to both states one after the other.
    pub(crate) fn stage_again(&mut self, store: &mut Store) -> Result<()> {
        if let Form::Cell { other, .. } = &mut self.form
            && let Some(committed) = other.take()
        {
            // The file names it until the commit is done.
            store.free_metadata(committed);
        }
        self.keep_blocks_for_commit(store);
        self.stage(store, false)
    }

    /// Stages the header at `addr` as the file has it, but for the count of links, which is higher by `more`. The commit
    /// rewrites it once more: with what has changed, where the object `is_changed`, else to what it is now. Returns both
    /// rewritings, the latter by its address.
    pub(crate) fn stage_raised(
        store: &mut Store,
        addr: Addr,
        more: u32,
        is_changed: bool,
    ) -> Result<(Version, Addr)> {
        let mut header = Self::load(store, addr)?;
        let count = header.reference_count()?.saturating_add(more);
        let first = store.read(Extent::new(addr, old::PREFIX_SIZE as u64), NAME)?;
        let (at, bytes) = match old::is_old(&first) {
            true => (old::count_of_links(addr), count.to_le_bytes().to_vec()),
            false => {
                header.set_reference_count(count);
                header.check_adoptable(store)?;
                (addr, header.stage_passing_body(store)?)
            }
        };
        let last = match is_changed {
            true => addr,
            false => {
                let now = store.read(Extent::new(at, bytes.len() as u64), NAME)?;
                store.flip(at, now, FlipOrder::WithCells)?;
                at
            }
        };
        Ok((store.flip_interim(at, bytes, last), last))
    }

    /// Stages a body that only a state within the commit names, and returns the cell for it.
    fn stage_passing_body(&mut self, store: &mut Store) -> Result<Vec<u8>> {
        const FILL: usize = 16;
        self.messages
            .push(RawMessage::new(kind::NIL, 0, vec![0; FILL]));
        let size = body_size(&self.prefix, &self.messages);
        store
            .widths()
            .check_len("the size of an object header", size as u64)?;
        let slot = store.alloc(size as u64)?;
        let body = encode_body(&self.prefix, &self.messages, size);
        store.stage(slot.addr, body.map_err(|error| error.at(self.addr.get()))?)?;
        store.free_after_commit(slot);
        Ok(self.encode_cell(store, slot))
    }

    /// Refuses a header that a cell cannot take the place of.
    pub(crate) fn check_adoptable(&self, store: &Store) -> Result<()> {
        if let Form::Foreign { blocks } = &self.form {
            let cell = Self::new_cell_size(store, &self.prefix);
            if blocks[0].len < cell {
                return Err(
                    Error::unsupported("an object header too short to be adopted")
                        .at(self.addr.get()),
                );
            }
        }
        Ok(())
    }

    fn record_kept(&self) -> bool {
        self.keeps_record || !self.is_new() || !self.room.is_empty()
    }

    /// The size of a body with a record of `spare` extents.
    fn needed(&self, widths: Widths, donate: bool, spare: usize) -> usize {
        let mut size = body_size(&self.prefix, &self.messages);
        size += room_for_continuation(&self.prefix, &self.messages, widths);
        if self.record_kept() || donate {
            let record = Record {
                room: self.room.clone(),
                ..Record::default()
            };
            size += self.prefix.message_header_size() + record.size() + 16 * spare;
        }
        size
    }

    fn choose_slot(&mut self, store: &mut Store, needed: usize) -> Result<Extent> {
        match &mut self.form {
            #[cfg(test)]
            Form::Cell { live, .. }
                if mutant::is(Mutant::BodyInPlace) && live.len >= needed as u64 =>
            {
                Ok(*live)
            }
            Form::Cell { other, .. } => {
                let other = other.take();
                if let Some(slot) = other.filter(|slot| slot.len >= needed as u64) {
                    store.renew(slot);
                    return Ok(slot);
                }
                if let Some(small) = other {
                    store.free_metadata(small);
                }
                store.alloc((needed + needed / 4).next_multiple_of(32) as u64)
            }
            Form::Foreign { .. } => store.alloc((needed + needed / 4).next_multiple_of(32) as u64),
            Form::New { .. } => store.alloc(needed.next_multiple_of(8) as u64),
        }
    }

    fn encode_body(
        &mut self,
        slot: Extent,
        other: Option<Extent>,
        spare: Vec<(Extent, Class)>,
    ) -> Result<Vec<u8>> {
        let size = slot.len as usize;
        let used = body_size(&self.prefix, &self.messages);
        let header = self.prefix.message_header_size();
        let own = self.messages.len();
        if size > used {
            let record = Record {
                other,
                room: self.room.clone(),
                spare,
            };
            let fits = used + header + record.size() <= size;
            let mut data = if fits && (self.record_kept() || !record.spare.is_empty()) {
                record.encode(self.addr, slot.addr)
            } else {
                Vec::new()
            };
            if used + header <= size {
                data.resize(size - used - header, 0);
                self.messages.push(RawMessage::new(kind::NIL, 0, data));
            }
        }
        let body = encode_body(&self.prefix, &self.messages, size);
        self.messages.truncate(own);
        body.map_err(|error| error.at(self.addr.get()))
    }

    /// Every block of the header, for the mark pass.
    pub(crate) fn blocks(&self, store: &Store) -> Vec<Extent> {
        match &self.form {
            Form::New { .. } => Vec::new(),
            Form::Cell { live, other } => {
                let cell = Self::new_cell_size(store, &self.prefix);
                let mut blocks = vec![Extent::new(self.addr, cell), *live];
                blocks.extend(*other);
                blocks.extend(&self.room);
                blocks.extend(self.spare());
                blocks
            }
            Form::Foreign { blocks } => blocks.clone(),
        }
    }

    /// Gives everything back: the object is gone.
    pub(crate) fn free_all(&mut self, store: &mut Store) {
        self.touch(store);
        self.use_cell(store);
        let fresh_cell = Extent::new(self.addr, Self::new_cell_size(store, &self.prefix));
        let blocks = match &self.form {
            Form::New { .. } => vec![fresh_cell],
            _ => self.blocks(store),
        };
        for block in blocks {
            store.free(block);
        }
        if self.is_new() {
            for &room in &self.room {
                store.free(room);
            }
        }
    }

    /// Free space that the committed record of this object lists.
    pub(crate) fn spare(&self) -> impl Iterator<Item = Extent> + '_ {
        self.spare.iter().map(|(extent, _)| *extent)
    }

    /// Whether another writer made the header as it stands in the file.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.form, Form::Foreign { .. })
    }

    /// Whether the committed file holds the object.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.form, Form::New { .. })
    }
}

fn has_unknown(messages: &[RawMessage]) -> bool {
    messages.iter().any(|message| !message.is_known())
}

/// The header's own block.
struct FirstBlock {
    prefix: Prefix,
    extent: Extent,
    messages: Vec<RawMessage>,
    /// Where the header is of version 1.
    old_prefix: Option<old::OldPrefix>,
}

fn load_first_block(store: &Store, addr: Addr) -> Result<FirstBlock> {
    const GUESS: u64 = 256;
    let readable = store.readable(addr, GUESS);
    let bytes = store.read(Extent::new(addr, readable), NAME)?;
    let (old_prefix, total) = if old::is_old(&bytes) {
        let old_prefix = old::decode_prefix(&bytes, addr.get())?;
        let total = old_prefix.data_size + old::PREFIX_SIZE as u64;
        (Some(old_prefix), total)
    } else {
        let (_, data_size, prefix_size) = decode_prefix(&bytes, addr.get())?;
        (None, data_size.saturating_add(prefix_size as u64 + 4))
    };
    let extent = Extent::new(addr, total);
    let bytes = if total > readable {
        store.read(extent, NAME)?
    } else {
        bytes
    };
    let bytes = &bytes[..total as usize];
    let (prefix, messages) = match old_prefix {
        Some(_) => {
            let messages = old::decode_messages(&bytes[old::PREFIX_SIZE..], addr.get())?;
            (Prefix::new(), messages)
        }
        None => decode_chunk0(bytes, store.widths(), addr.get())?,
    };
    Ok(FirstBlock {
        prefix,
        extent,
        messages,
        old_prefix,
    })
}
