//! The attributes of an object: messages of its header while they are few and small, dense storage beyond.

mod verify;

use super::dense::{self, ATTRIBUTES, Dense, Message, Places, StoredId};
use super::header::Header;
use super::new_group::DEFAULT_PHASE_CHANGE;
use super::shared::{decode_attribute, message_data};
use crate::bytes::{Extent, ShortBytes, Take};
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::shared::Shared;
use crate::format::message::{RawMessage, flag, kind};
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What libhdf5 writes as the creation order of a dense attribute where that is not tracked.
const UNTRACKED: u64 = 65_535;
/// A header message cannot be longer.
const MAX_MESSAGE: usize = 65_535 - 64;

/// The maximum number of attributes in the header, and the minimum number in dense storage.
fn phase_change(header: &Header) -> (u16, u16) {
    header.prefix.phase_change.unwrap_or(DEFAULT_PHASE_CHANGE)
}

#[derive(Debug)]
pub(crate) struct Attributes {
    info: Option<AttributeInfo>,
    dense: Option<Box<Dense>>,
}

impl Attributes {
    /// The attributes of a new object: none.
    pub(crate) fn none() -> Self {
        Self {
            info: None,
            dense: None,
        }
    }

    /// Refuses an attribute message that a header cannot hold.
    pub(crate) fn check_message(len: u64) -> Result<()> {
        match len > MAX_MESSAGE as u64 {
            true => Err(Error::limit(
                "the size of an attribute",
                len,
                MAX_MESSAGE as u64,
            )),
            false => Ok(()),
        }
    }

    pub(crate) fn load(store: &Store, header: &Header) -> Result<Self> {
        let at = header.addr.get();
        let Some(message) = header.message(kind::ATTRIBUTE_INFO) else {
            return Ok(Self::none());
        };
        let info = AttributeInfo::decode(&message.data, store.widths(), at)?;
        let dense = match info.heap {
            Some(heap) => {
                let names = info.name_index.ok_or_else(|| {
                    Error::corrupt("attribute info message", "a heap without an index").at(at)
                })?;
                let order = info.order_index.flatten();
                Some(Box::new(Dense::open(
                    store,
                    header,
                    &ATTRIBUTES,
                    Places { heap, names, order },
                )?))
            }
            None => None,
        };
        Ok(Self {
            info: Some(info),
            dense,
        })
    }

    /// What the object says of its attributes besides them.
    pub(crate) fn info(&self) -> Option<AttributeInfo> {
        self.info
    }

    /// Puts the attributes of a copied object, with their creation order, onto the object that stands for it.
    pub(crate) fn fill(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        all: &[(u64, Attribute)],
    ) -> Result<()> {
        let (max, _) = phase_change(header);
        let long = |(_, attribute): &(u64, Attribute)| attribute.encode().len() > MAX_MESSAGE;
        if all.len() > usize::from(max) || all.iter().any(long) {
            return self.fill_dense(store, header, all);
        }
        all.iter()
            .try_for_each(|(order, attribute)| self.put(store, header, *order, attribute))
    }

    pub(crate) fn len(&self, header: &Header) -> u64 {
        match &self.dense {
            Some(dense) => dense.len(),
            None => compact(header).count() as u64,
        }
    }

    pub(crate) fn find(
        &mut self,
        store: &Store,
        header: &Header,
        name: &[u8],
    ) -> Result<Option<Attribute>> {
        if let Some(dense) = &mut self.dense {
            let found = dense.find(store, name)?;
            return found
                .map(|(record, message)| decode_dense(store, header, &record, &message))
                .transpose();
        }
        match number_of_compact(store, header, name)? {
            Some(number) => decode_compact(store, header, &header.messages[number]).map(Some),
            None => Ok(None),
        }
    }

    /// All names, in creation order where that is tracked, else sorted.
    pub(crate) fn names(&mut self, store: &Store, header: &Header) -> Result<Vec<Vec<u8>>> {
        let mut names: Vec<(u64, Vec<u8>)> = self
            .list(store, header)?
            .into_iter()
            .map(|(order, attribute)| (order, attribute.name))
            .collect();
        names.sort();
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }

    /// All attributes with their creation order, 0 where that is not tracked.
    pub(crate) fn list(&mut self, store: &Store, header: &Header) -> Result<Vec<(u64, Attribute)>> {
        let mut all = Vec::new();
        match &mut self.dense {
            Some(dense) => dense.for_each(store, &mut |record, message| {
                all.push((
                    order_of_record(record)?,
                    decode_dense(store, header, record, message)?,
                ));
                Ok(())
            })?,
            None => {
                for message in compact(header) {
                    let order = u64::from(message.creation_order);
                    all.push((order, decode_compact(store, header, message)?));
                }
            }
        }
        if !header.prefix.tracks_creation_order() {
            all.iter_mut().for_each(|(order, _)| *order = 0);
        }
        Ok(all)
    }

    /// Replaces the attribute of that name, which is in, and returns the replaced one.
    pub(crate) fn replace(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        name: &[u8],
        data: ShortBytes,
    ) -> Result<Option<Attribute>> {
        self.make_editable(store, header)?;
        if self.dense.is_none()
            && data.len() <= MAX_MESSAGE
            && let Some((number, replaced)) = find_compact(store, header, name)?
        {
            let message = &mut header.messages[number];
            message.data = data;
            message.flags &= !(flag::SHARED | flag::SHAREABLE);
            return Ok(Some(replaced));
        }
        let (order, replaced) = match self.take(store, header, name)? {
            Some((order, replaced)) => (order, Some(replaced)),
            None => (self.next_order(header)?, None),
        };
        self.put_grown(store, header, order, name, data)?;
        Ok(replaced)
    }

    /// Adds an attribute whose name is not in yet, as the caller has found.
    pub(crate) fn add(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        name: &[u8],
        data: ShortBytes,
    ) -> Result<()> {
        self.make_editable(store, header)?;
        let order = self.next_order(header)?;
        self.put_grown(store, header, order, name, data)
    }

    /// Puts an attribute of the object's own, in dense storage where the header has enough of them.
    fn put_grown(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        order: u64,
        name: &[u8],
        data: ShortBytes,
    ) -> Result<()> {
        let (max, _) = phase_change(header);
        // No more of them than all messages.
        let full = header.messages.len() >= usize::from(max) && self.len(header) >= u64::from(max);
        if self.dense.is_none()
            && dense::can_be_made(store.widths())
            && (full || data.len() > MAX_MESSAGE)
        {
            self.make_dense(store, header)?;
        }
        self.put_own(store, header, order, name, data)
    }

    /// Gives the attribute of `old` another name, which is not in yet; all else of it stays, its creation order too.
    pub(crate) fn rename(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        old: &[u8],
        new: &str,
    ) -> Result<()> {
        let at = header.addr.get();
        self.make_editable(store, header)?;
        let mut attribute = self
            .find(store, header, old)?
            .ok_or_else(Error::not_found)?;
        attribute.rename(new).map_err(|error| error.at(at))?;
        // It is no longer what the shared message table has.
        attribute.heap_id = None;
        let message = attribute.encode();
        if self.dense.is_none() && message.len() <= MAX_MESSAGE {
            let (number, _) = find_compact(store, header, old)?.ok_or_else(Error::not_found)?;
            let known = &mut header.messages[number];
            known.data = message;
            known.flags &= !flag::SHARED;
            return Ok(());
        }
        let order = self.take(store, header, old)?.map_or(0, |(order, _)| order);
        if self.dense.is_none() {
            self.make_dense(store, header)?;
        }
        self.put(store, header, order, &attribute)
    }

    /// Takes the attribute of `name` out.
    pub(crate) fn remove(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        name: &[u8],
    ) -> Result<Option<Attribute>> {
        self.make_editable(store, header)?;
        let removed = self
            .take(store, header, name)?
            .map(|(_, attribute)| attribute);
        let (_, min) = phase_change(header);
        if let Some(dense) = &self.dense
            && removed.is_some()
            && dense.len() < u64::from(min.max(1))
        {
            self.make_compact(store, header)?;
        }
        Ok(removed)
    }

    fn take(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        name: &[u8],
    ) -> Result<Option<(u64, Attribute)>> {
        if let Some(dense) = &mut self.dense {
            let order = core::cell::Cell::new(0);
            let removed = dense.remove(store, name, &|record, _| {
                order.set(order_of_record(record)?);
                Ok(order.get())
            })?;
            return removed
                .map(|(record, message)| {
                    let attribute = decode_dense(store, header, &record, &message)?;
                    Ok((order.get(), attribute))
                })
                .transpose();
        }
        let Some((number, attribute)) = find_compact(store, header, name)? else {
            return Ok(None);
        };
        let message = header.messages.remove(number);
        Ok(Some((u64::from(message.creation_order), attribute)))
    }

    /// The creation order of the next attribute.
    fn next_order(&mut self, header: &Header) -> Result<u64> {
        if !header.prefix.tracks_creation_order() {
            return Ok(0);
        }
        let info = self.info.get_or_insert_with(|| AttributeInfo {
            max_creation_index: Some(0),
            order_index: header.prefix.indexes_creation_order().then_some(None),
            ..AttributeInfo::default()
        });
        let next = info.max_creation_index.get_or_insert(0);
        let order = u64::from(*next);
        *next = next.checked_add(1).ok_or_else(|| {
            Error::limit(
                "the number of attributes ever made of an object",
                65_536,
                65_535,
            )
        })?;
        Ok(order)
    }

    fn put(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        order: u64,
        attribute: &Attribute,
    ) -> Result<()> {
        let Some(id) = attribute.heap_id else {
            return self.put_own(store, header, order, &attribute.name, attribute.encode());
        };
        match &mut self.dense {
            Some(dense) => {
                let order = dense_order(header, order);
                dense.insert(store, &attribute.name, order, Message::Shared(id))
            }
            None => {
                header.messages.push(RawMessage {
                    kind: kind::ATTRIBUTE,
                    flags: flag::SHARED,
                    creation_order: order as u16,
                    data: Shared::in_heap(id).encode(store.widths()),
                });
                Ok(())
            }
        }
    }

    /// Puts an attribute whose message is the object's own.
    fn put_own(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        order: u64,
        name: &[u8],
        data: ShortBytes,
    ) -> Result<()> {
        match &mut self.dense {
            Some(dense) => {
                let order = dense_order(header, order);
                dense.insert(store, name, order, Message::Own(&data))
            }
            None => {
                header.messages.push(RawMessage {
                    kind: kind::ATTRIBUTE,
                    flags: 0,
                    creation_order: order as u16,
                    data,
                });
                Ok(())
            }
        }
    }

    fn make_editable(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        if self.dense.as_ref().is_none_or(|dense| dense.can_edit()) {
            return Ok(());
        }
        let all = self.list(store, header)?;
        if let Some(mut old) = self.dense.take() {
            old.free_all(store)?;
        }
        if dense::can_be_made(store.widths()) {
            return self.fill_dense(store, header, &all);
        }
        all.iter()
            .try_for_each(|(order, attribute)| self.put(store, header, *order, attribute))
    }

    fn make_dense(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let all = self.list(store, header)?;
        header.remove_message(kind::ATTRIBUTE);
        self.fill_dense(store, header, &all)
    }

    fn fill_dense(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        all: &[(u64, Attribute)],
    ) -> Result<()> {
        let indexed = header.prefix.indexes_creation_order();
        self.info.get_or_insert_with(|| AttributeInfo {
            order_index: indexed.then_some(None),
            ..AttributeInfo::default()
        });
        self.dense = Some(Box::new(Dense::create(
            store,
            header,
            &ATTRIBUTES,
            indexed,
        )?));
        all.iter()
            .try_for_each(|(order, attribute)| self.put(store, header, *order, attribute))
    }

    fn make_compact(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let all = self.list(store, header)?;
        if all
            .iter()
            .any(|(_, attribute)| attribute.encode().len() > MAX_MESSAGE)
        {
            return Ok(());
        }
        if let Some(mut dense) = self.dense.take() {
            dense.free_all(store)?;
        }
        all.iter()
            .try_for_each(|(order, attribute)| self.put(store, header, *order, attribute))
    }

    /// Stages dense storage and says in the header where it is.
    pub(crate) fn stage(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let places = match &mut self.dense {
            Some(dense) => Some(dense.stage(store)?),
            None => None,
        };
        // libhdf5 counts no attributes in a version 2 header without this message, and copies none.
        if self.info.is_none() && compact(header).next().is_some() {
            self.info = Some(AttributeInfo::default());
        }
        if let Some(info) = &mut self.info {
            info.heap = places.map(|places| places.heap);
            info.name_index = places.map(|places| places.names);
            if let Some(order) = &mut info.order_index {
                *order = places.and_then(|places| places.order);
            }
            header.set_message(kind::ATTRIBUTE_INFO, info.encode(store.widths()));
        }
        Ok(())
    }

    pub(crate) fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        match &mut self.dense {
            Some(dense) => dense.blocks(store, visit),
            None => Ok(()),
        }
    }

    pub(crate) fn committed(&mut self) {
        if let Some(dense) = &mut self.dense {
            dense.committed();
        }
    }

    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        match &mut self.dense {
            Some(dense) => dense.free_all(store),
            None => Ok(()),
        }
    }
}

/// The creation order as dense storage keeps it.
fn dense_order(header: &Header, order: u64) -> u64 {
    match header.prefix.tracks_creation_order() {
        true => order,
        false => UNTRACKED,
    }
}

fn compact(header: &Header) -> impl Iterator<Item = &RawMessage> {
    header
        .messages
        .iter()
        .filter(|message| message.kind == kind::ATTRIBUTE)
}

/// The attribute of one name, with the number of its message.
fn find_compact(store: &Store, header: &Header, name: &[u8]) -> Result<Option<(usize, Attribute)>> {
    let Some(number) = number_of_compact(store, header, name)? else {
        return Ok(None);
    };
    let attribute = decode_compact(store, header, &header.messages[number])?;
    Ok(Some((number, attribute)))
}

/// The number of the message of the attribute of one name.
fn number_of_compact(store: &Store, header: &Header, name: &[u8]) -> Result<Option<usize>> {
    for (number, message) in header.messages.iter().enumerate() {
        if message.kind == kind::ATTRIBUTE
            && Attribute::is_named(&message_data(store, header, message)?, name)?
        {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn decode_compact(store: &Store, header: &Header, message: &RawMessage) -> Result<Attribute> {
    let data = message_data(store, header, message)?;
    let mut attribute = decode_attribute(store, header, &data)?;
    if message.flags & flag::SHARED != 0 {
        let at = header.addr.get();
        let shared = Shared::decode(&message.data, store.widths(), at)?;
        attribute.heap_id = Some(shared.heap_id(at)?);
    }
    Ok(attribute)
}

/// The attribute that a record of the name index leads to.
fn decode_dense(
    store: &Store,
    header: &Header,
    record: &[u8],
    message: &[u8],
) -> Result<Attribute> {
    let mut attribute = decode_attribute(store, header, message)?;
    if let (StoredId::Shared(id), _) = (ATTRIBUTES.split_name_record)(record)? {
        attribute.heap_id = Some(id);
    }
    Ok(attribute)
}

/// The creation order in a record of the name index (type 8).
fn order_of_record(record: &[u8]) -> Result<u64> {
    let mut take = Take::new(record, "attribute name record", 0);
    take.skip(9)?;
    Ok(u64::from(take.u32()?))
}
