//! The links of a group: messages of its header while they are few, dense storage beyond. A group of the old form is
//! read from its symbol table; the first change of its links makes messages or dense storage of them.

mod verify;

use super::dense::{self, Dense, LINKS, Message, Places};
use super::header::Header;
use super::new_group::{DEFAULT_PHASE_CHANGE, NewGroup};
use crate::bytes::Extent;
use crate::error::{Error, ErrorKind, Result};
use crate::format::legacy::symbol_table;
use crate::format::message::group_info::GroupInfo;
use crate::format::message::link::Link;
use crate::format::message::link_info::LinkInfo;
use crate::format::message::{RawMessage, flag, kind};
use crate::infra::symbol_table::SymbolTable;
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A header message cannot be longer.
const MAX_MESSAGE: usize = 65_535 - 64;

#[derive(Debug)]
pub(crate) struct Links {
    info: LinkInfo,
    max_compact: u16,
    min_dense: u16,
    dense: Option<Box<Dense>>,
    symbols: Option<SymbolTable>,
}

impl Links {
    /// The links of a new group, with the messages its header opens with.
    pub(crate) fn create(store: &Store, new: NewGroup) -> (Self, Vec<RawMessage>) {
        let ordered = new.track_order;
        let (max_compact, min_dense) = new.links.phase_change.unwrap_or(DEFAULT_PHASE_CHANGE);
        let info = LinkInfo {
            max_creation_index: ordered.then_some(0),
            order_index: ordered.then_some(None),
            ..LinkInfo::default()
        };
        let links = Self {
            info,
            max_compact,
            min_dense,
            dense: None,
            symbols: None,
        };
        let messages = links.initial_messages(store, new.links);
        (links, messages.into())
    }

    pub(crate) fn initial_messages(&self, store: &Store, group: GroupInfo) -> [RawMessage; 2] {
        let info = self.info.encode(store.widths());
        let group = group.encode();
        [
            RawMessage::new(kind::LINK_INFO, 0, info),
            RawMessage::new(kind::GROUP_INFO, flag::CONSTANT, group),
        ]
    }

    /// The links of the object, where it is a group.
    pub(crate) fn load(store: &Store, header: &Header) -> Result<Option<Self>> {
        let at = header.addr.get();
        let Some(message) = header.message(kind::LINK_INFO) else {
            return match header.message(kind::SYMBOL_TABLE) {
                Some(message) => Self::load_symbols(store, message, at).map(Some),
                None => Ok(None),
            };
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
            symbols: None,
        }))
    }

    fn load_symbols(store: &Store, message: &RawMessage, at: u64) -> Result<Self> {
        let places = symbol_table::Places::decode(&message.data, store.widths(), at)?;
        Ok(Self {
            info: LinkInfo::default(),
            max_compact: DEFAULT_PHASE_CHANGE.0,
            min_dense: DEFAULT_PHASE_CHANGE.1,
            dense: None,
            symbols: Some(SymbolTable::open(store, places)?),
        })
    }

    /// What the group says of its links besides them.
    pub(crate) fn info(&self) -> LinkInfo {
        self.info
    }

    /// Puts the links of a copied group into the empty group that stands for it, as they are.
    pub(crate) fn fill(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        links: &[Link],
    ) -> Result<()> {
        let widths = store.widths();
        let long = |link: &Link| link.encode(widths).len() > MAX_MESSAGE;
        if links.len() > usize::from(self.max_compact) || links.iter().any(long) {
            return self.fill_dense(store, header, links);
        }
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
    }

    /// Refuses links that cannot be changed, before anything is.
    pub(crate) fn check_editable(&self, store: &Store) -> Result<()> {
        let Some(symbols) = &self.symbols else {
            return Ok(());
        };
        let links = symbols.list(store)?;
        if links.windows(2).any(|pair| pair[0].name >= pair[1].name) {
            return Err(Error::corrupt("symbol table", "the names are not in order"));
        }
        symbols.blocks(store, &mut |_| {})
    }

    /// Whether the header of a heap for these links still needs its place.
    pub(crate) fn may_become_dense(&self) -> bool {
        self.dense.is_none()
    }

    /// What the links that are elsewhere would have in the header, in bytes.
    pub(crate) fn size_out_of_header(&mut self, store: &Store, header: &Header) -> Result<u64> {
        if self.symbols.is_none() && self.dense.is_none() {
            return Ok(0);
        }
        let links = self.list(store, header)?;
        let sizes = links
            .iter()
            .map(|link| link.encode(store.widths()).len() as u64 + 4);
        Ok(sizes.sum())
    }

    pub(crate) fn len(&mut self, store: &Store, header: &Header) -> Result<u64> {
        match (&mut self.symbols, &self.dense) {
            (Some(symbols), _) => symbols.count(store),
            (None, Some(dense)) => Ok(dense.len()),
            (None, None) => Ok(compact(header).count() as u64),
        }
    }

    pub(crate) fn find(
        &mut self,
        store: &Store,
        header: &Header,
        name: &[u8],
    ) -> Result<Option<Link>> {
        let at = header.addr.get();
        if let Some(symbols) = &self.symbols {
            return symbols.find(store, name);
        }
        if let Some(dense) = &mut self.dense {
            let message = dense.find(store, name)?.map(|(_, message)| message);
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
        if let Some(symbols) = &self.symbols {
            return symbols.list(store);
        }
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
        // A link that libhdf5 moved out of a group that tracks the order keeps what it had there.
        let tracked = self.info.max_creation_index.is_some();
        let order = |link: &Link| link.creation_order.filter(|_| tracked);
        links.sort_by(|a, b| (order(a), &a.name).cmp(&(order(b), &b.name)));
        Ok(links)
    }

    /// Adds a link whose name is not in yet, as the caller has found.
    pub(crate) fn insert(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        mut link: Link,
    ) -> Result<()> {
        // Dense storage sees it as the link goes in.
        if self.dense.is_none() && self.find(store, header, &link.name)?.is_some() {
            return Err(Error::new(ErrorKind::Exists));
        }
        self.make_editable(store, header)?;
        self.number(&mut link);
        let compact = self.len(store, header)? < u64::from(self.max_compact);
        self.put_grown(store, header, &link, compact)
    }

    /// Gives the link of `old` the name of `link`, which is not in yet; it gets a new creation order, as libhdf5 does it.
    pub(crate) fn rename(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        old: &[u8],
        mut link: Link,
    ) -> Result<()> {
        self.make_editable(store, header)?;
        self.take(store, header, old)?;
        self.number(&mut link);
        self.put_grown(store, header, &link, true)
    }

    fn number(&mut self, link: &mut Link) {
        link.creation_order = None;
        if let Some(next) = &mut self.info.max_creation_index {
            link.creation_order = Some(*next);
            *next += 1;
        }
    }

    /// Adds a link, made dense before where the links do not stay `compact` or the message of this one cannot be.
    fn put_grown(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        link: &Link,
        compact: bool,
    ) -> Result<()> {
        let widths = store.widths();
        let fits = || link.encode(widths).len() <= MAX_MESSAGE;
        if self.dense.is_none() && dense::can_be_made(widths) && !(compact && fits()) {
            self.make_dense(store, header)?;
        }
        self.put(store, header, link)
    }

    fn put(&mut self, store: &mut Store, header: &mut Header, link: &Link) -> Result<()> {
        let data = link.encode(store.widths());
        match &mut self.dense {
            Some(dense) => dense.insert(
                store,
                &link.name,
                link.creation_order.unwrap_or(0),
                Message::Own(&data),
            )?,
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
        self.make_editable(store, header)?;
        let removed = self.take(store, header, name)?;
        if let Some(dense) = &self.dense
            && dense.len() < u64::from(self.min_dense.max(1))
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
    ) -> Result<Option<Link>> {
        let at = header.addr.get();
        let widths = store.widths();
        if let Some(dense) = &mut self.dense {
            let removed = dense.remove(store, name, &|_, message| {
                Ok(Link::decode(message, widths, at)?
                    .creation_order
                    .unwrap_or(0))
            })?;
            return removed
                .map(|(_, message)| Link::decode(&message, widths, at))
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

    /// A symbol table is replaced by links of the new form. A heap of another writer that cannot be changed by
    /// copy-on-write is built anew as one of ours.
    fn make_editable(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        self.replace_symbols(store, header)?;
        if self.dense.as_ref().is_none_or(|dense| dense.can_edit()) {
            return Ok(());
        }
        let links = self.list(store, header)?;
        if let Some(mut old) = self.dense.take() {
            old.free_all(store)?;
        }
        if dense::can_be_made(store.widths()) {
            return self.fill_dense(store, header, &links);
        }
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
    }

    fn replace_symbols(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        let Some(symbols) = self.symbols.take() else {
            return Ok(());
        };
        let links = symbols.list(store)?;
        symbols.free_all(store)?;
        if header.addr == store.root() {
            store.forget_root_symbol_table();
        }
        header.remove_message(kind::SYMBOL_TABLE);
        header
            .messages
            .splice(0..0, self.initial_messages(store, GroupInfo::default()));
        let widths = store.widths();
        let long = |link: &Link| link.encode(widths).len() > MAX_MESSAGE;
        let many = links.len() > usize::from(self.max_compact);
        if dense::can_be_made(widths) && (many || links.iter().any(long)) {
            return self.fill_dense(store, header, &links);
        }
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
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
        let widths = store.widths();
        if links
            .iter()
            .any(|link| link.encode(widths).len() > MAX_MESSAGE)
        {
            return Ok(());
        }
        if let Some(mut dense) = self.dense.take() {
            dense.free_all(store)?;
        }
        links
            .iter()
            .try_for_each(|link| self.put(store, header, link))
    }

    /// The bytes of the indexes' nodes that differ from the file.
    pub(crate) fn changed_bytes(&self) -> usize {
        self.dense.as_ref().map_or(0, |dense| dense.changed_bytes())
    }

    /// Stages the changed nodes of the indexes before the commit, and forgets them.
    pub(crate) fn write_nodes(&mut self, store: &mut Store) -> Result<()> {
        match &mut self.dense {
            Some(dense) => dense.write_nodes(store),
            None => Ok(()),
        }
    }

    /// Stages dense storage and says in the header where it is.
    pub(crate) fn stage(&mut self, store: &mut Store, header: &mut Header) -> Result<()> {
        if self.symbols.is_some() {
            return Ok(());
        }
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
        if let Some(symbols) = &self.symbols {
            return symbols.blocks(store, visit);
        }
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
        if let Some(symbols) = &self.symbols {
            return symbols.free_all(store);
        }
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
