//! The links of a group: messages of its header while they are few, dense storage beyond.

use super::dense::{Dense, LINKS, Places};
use super::header::Header;
use crate::bytes::Extent;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::group_info::GroupInfo;
use crate::format::message::link::Link;
use crate::format::message::link_info::LinkInfo;
use crate::format::message::{RawMessage, kind};
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The maximum number of compact links and the minimum number of dense ones, where the group does not say otherwise.
const DEFAULT_PHASE_CHANGE: (u16, u16) = (8, 6);

#[derive(Debug)]
pub(crate) struct Links {
    info: LinkInfo,
    max_compact: u16,
    min_dense: u16,
    dense: Option<Box<Dense>>,
}

impl Links {
    /// The links of a new group, with the messages its header opens with.
    pub(crate) fn create(store: &Store) -> (Self, Vec<RawMessage>) {
        let info = LinkInfo::default();
        let links = Self {
            info,
            max_compact: DEFAULT_PHASE_CHANGE.0,
            min_dense: DEFAULT_PHASE_CHANGE.1,
            dense: None,
        };
        let messages = [
            (kind::LINK_INFO, links.info.encode(store.widths())),
            (kind::GROUP_INFO, GroupInfo::default().encode()),
        ]
        .map(|(kind, data)| RawMessage {
            kind,
            flags: if kind == kind::GROUP_INFO {
                crate::format::message::flag::CONSTANT
            } else {
                0
            },
            creation_order: 0,
            data,
        });
        (links, messages.into())
    }

    /// The links of the object, where it is a group.
    pub(crate) fn load(store: &Store, header: &Header) -> Result<Option<Self>> {
        let at = header.addr.get();
        if header.message(kind::SYMBOL_TABLE).is_some() {
            return Err(
                Error::unsupported("a group with a symbol table (HDF5 1.6 and earlier)").at(at),
            );
        }
        let Some(message) = header.message(kind::LINK_INFO) else {
            return Ok(None);
        };
        let info = LinkInfo::decode(&message.data, store.widths(), at)?;
        let group = match header.message(kind::GROUP_INFO) {
            Some(message) => GroupInfo::decode(&message.data, at)?,
            None => GroupInfo::default(),
        };
        let (max_compact, min_dense) = group.phase_change.unwrap_or(DEFAULT_PHASE_CHANGE);
        let dense = match info.heap {
            Some(heap) => {
                let names = info.name_index.ok_or_else(|| {
                    Error::corrupt("link info message", "a heap without an index").at(at)
                })?;
                let order = info.order_index.flatten();
                Some(Box::new(Dense::open(
                    store,
                    header,
                    &LINKS,
                    Places { heap, names, order },
                )?))
            }
            None => None,
        };
        Ok(Some(Self {
            info,
            max_compact,
            min_dense,
            dense,
        }))
    }

    /// Whether the header of a heap for these links still needs its place.
    pub(crate) fn may_become_dense(&self) -> bool {
        self.dense.is_none()
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
    ) -> Result<Option<Link>> {
        let at = header.addr.get();
        if let Some(dense) = &mut self.dense {
            let message = dense.find(store, name)?;
            return message
                .map(|message| Link::decode(&message, store.widths(), at))
                .transpose();
        }
        for message in compact(header) {
            if Link::name_of(&message.data)? == name {
                return Link::decode(&message.data, store.widths(), at).map(Some);
            }
        }
        Ok(None)
    }

    /// All links, in creation order where that is tracked, else by name.
    pub(crate) fn list(&mut self, store: &Store, header: &Header) -> Result<Vec<Link>> {
        let at = header.addr.get();
        let mut links = Vec::new();
        match &mut self.dense {
            Some(dense) => dense.for_each(store, &mut |_, message| {
                links.push(Link::decode(message, store.widths(), at)?);
                Ok(())
            })?,
            None => {
                for message in compact(header) {
                    links.push(Link::decode(&message.data, store.widths(), at)?);
                }
            }
        }
        links.sort_by(|a, b| (a.creation_order, &a.name).cmp(&(b.creation_order, &b.name)));
        Ok(links)
    }

    /// Adds a link whose name is not in yet.
    pub(crate) fn insert(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        mut link: Link,
    ) -> Result<()> {
        if self.find(store, header, &link.name)?.is_some() {
            return Err(Error::new(ErrorKind::Exists));
        }
        self.make_editable(store, header)?;
        if let Some(next) = &mut self.info.max_creation_index {
            link.creation_order = Some(*next);
            *next += 1;
        }
        if self.dense.is_none() && self.len(header) >= u64::from(self.max_compact) {
            self.make_dense(store, header)?;
        }
        self.put(store, header, &link)
    }

    fn put(&mut self, store: &mut Store, header: &mut Header, link: &Link) -> Result<()> {
        let data = link.encode(store.widths());
        match &mut self.dense {
            Some(dense) => {
                dense.insert(store, &link.name, link.creation_order.unwrap_or(0), &data)?
            }
            None => header.messages.push(RawMessage {
                kind: kind::LINK,
                flags: 0,
                creation_order: 0,
                data,
            }),
        }
        Ok(())
    }

    /// Takes the link of `name` out.
    pub(crate) fn remove(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        name: &[u8],
    ) -> Result<Option<Link>> {
        let at = header.addr.get();
        self.make_editable(store, header)?;
        let widths = store.widths();
        if let Some(dense) = &mut self.dense {
            let removed = dense.remove(store, name, &|_, message| {
                Ok(Link::decode(message, widths, at)?
                    .creation_order
                    .unwrap_or(0))
            })?;
            if dense.len() < u64::from(self.min_dense) {
                self.make_compact(store, header)?;
            }
            return removed
                .map(|message| Link::decode(&message, widths, at))
                .transpose();
        }
        for number in 0..header.messages.len() {
            let message = &header.messages[number];
            if message.kind == kind::LINK && Link::name_of(&message.data)? == name {
                let message = header.messages.remove(number);
                return Link::decode(&message.data, widths, at).map(Some);
            }
        }
        Ok(None)
    }

    /// A heap of another writer that cannot be changed by copy-on-write is built anew as one of ours.
    fn make_editable(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        if self.dense.as_ref().is_none_or(|dense| dense.can_edit()) {
            return Ok(());
        }
        let links = self.list(store, header)?;
        if let Some(mut old) = self.dense.take() {
            old.free_all(store)?;
        }
        self.fill_dense(store, header, &links)
    }

    fn make_dense(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let links = self.list(store, header)?;
        header.remove_message(kind::LINK);
        self.fill_dense(store, header, &links)
    }

    fn fill_dense(&mut self, store: &mut Store, header: &mut Header, links: &[Link]) -> Result<()> {
        let ordered = self.info.order_index.is_some();
        self.dense = Some(Box::new(Dense::create(store, header, &LINKS, ordered)?));
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
    }

    fn make_compact(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let links = self.list(store, header)?;
        if let Some(mut dense) = self.dense.take() {
            dense.free_all(store)?;
        }
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
    }

    /// Stages dense storage and says in the header where it is.
    pub(crate) fn stage(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let places = match &mut self.dense {
            Some(dense) => Some(dense.stage(store)?),
            None => None,
        };
        self.info.heap = places.map(|places| places.heap);
        self.info.name_index = places.map(|places| places.names);
        if let Some(order) = &mut self.info.order_index {
            *order = places.and_then(|places| places.order);
        }
        header.set_message(kind::LINK_INFO, self.info.encode(store.widths()));
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

fn compact(header: &Header) -> impl Iterator<Item = &RawMessage> {
    header
        .messages
        .iter()
        .filter(|message| message.kind == kind::LINK)
}
