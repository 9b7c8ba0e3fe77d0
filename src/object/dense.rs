//! Dense storage of links and attributes: the messages in a fractal heap, found by name through a version 2 B-tree
//! over the hashes of the names, and by creation order through another where that is tracked.

mod verify;

use super::header::Header;
use super::shared::in_heap;
use crate::bytes::{Addr, Extent, Put, ShortBytes, Take, Widths, lookup3};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::shared::HEAP_ID;
use crate::format::message::{flag, kind};
use crate::infra::btree_v2::{BTree, Gap, Shape};
use crate::infra::fractal_heap::{self, FractalHeap};
use crate::store::{FlipOrder, SECTOR, Store};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The bytes of a fractal heap's header, without filters.
pub(crate) fn heap_header(widths: Widths) -> u64 {
    26 + 12 * u64::from(widths.length) + 3 * u64::from(widths.offset)
}

/// Whether dense storage can be made in a file of these widths. With lengths of two bytes the parameters of a heap
/// cannot be written (libhdf5 makes such heaps and cannot read them); with addresses of two bytes, heap IDs that hold
/// an address are not edited here, and the file has no room for many messages.
pub(crate) fn can_be_made(widths: Widths) -> bool {
    widths.offset >= 4 && widths.length >= 4
}

/// What differs between links and attributes: record layouts (III.A.2, types 5, 6, 8 and 9) and heap parameters.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name_tree: u8,
    pub(crate) order_tree: u8,
    pub(crate) heap: fractal_heap::Parameters,
    /// Encodes the records for a message: by name hash, by creation order.
    pub(crate) name_record: fn(id: &StoredId<'_>, hash: u32, order: u64) -> ShortBytes,
    pub(crate) order_record: fn(id: &StoredId<'_>, order: u64) -> ShortBytes,
    /// Where the hash of the name is in a name record.
    pub(crate) hash_at: usize,
    /// Where the message is and hash of its name, of a name record.
    pub(crate) split_name_record: fn(&[u8]) -> Result<(StoredId<'_>, u32)>,
    /// The creation order in an order record.
    pub(crate) order_of: fn(&[u8]) -> Result<u64>,
    /// The name in a stored message.
    pub(crate) name_of: fn(&[u8]) -> Result<&[u8]>,
}

/// Where a message is, as the records say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredId<'a> {
    /// In the heap of the dense storage.
    Own(&'a [u8]),
    /// In the heap of the shared message table.
    Shared([u8; HEAP_ID]),
}

impl StoredId<'_> {
    fn id(&self) -> &[u8] {
        match self {
            Self::Own(id) => id,
            Self::Shared(id) => id,
        }
    }

    /// The message flags in a record.
    fn flags(&self) -> u8 {
        match self {
            Self::Own(_) => 0,
            Self::Shared(_) => flag::SHARED,
        }
    }
}

/// A message to be stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message<'a> {
    Own(&'a [u8]),
    /// Already in the heap of the shared message table.
    Shared([u8; HEAP_ID]),
}

/// Links, as H5G_dense writes them.
pub(crate) static LINKS: Kind = Kind {
    name_tree: 5,
    order_tree: 6,
    heap: fractal_heap::Parameters::LINKS,
    name_record: |id, hash, _| {
        let mut record = ShortBytes::new();
        record.put_u32(hash);
        record.put_bytes(id.id());
        record
    },
    order_record: |id, order| {
        let mut record = ShortBytes::new();
        record.put_u64(order);
        record.put_bytes(id.id());
        record
    },
    hash_at: 0,
    split_name_record: |record| {
        let mut take = Take::new(record, "link name record", 0);
        let hash = take.u32()?;
        Ok((StoredId::Own(take.rest()), hash))
    },
    order_of: |record| Take::new(record, "link order record", 0).u64(),
    name_of: |message| crate::format::message::link::Link::name_of(message),
};

/// Attributes, as H5A_dense writes them.
pub(crate) static ATTRIBUTES: Kind = Kind {
    name_tree: 8,
    order_tree: 9,
    heap: fractal_heap::Parameters::ATTRIBUTES,
    name_record: |id, hash, order| {
        let mut record = ShortBytes::new();
        record.put_bytes(id.id());
        record.put_u8(id.flags());
        record.put_u32(order as u32);
        record.put_u32(hash);
        record
    },
    order_record: |id, order| {
        let mut record = ShortBytes::new();
        record.put_bytes(id.id());
        record.put_u8(id.flags());
        record.put_u32(order as u32);
        record
    },
    hash_at: 13,
    split_name_record: |record| {
        let mut take = Take::new(record, "attribute name record", 0);
        let id: &[u8] = take.bytes(HEAP_ID)?;
        let id = match take.u8()? & flag::SHARED {
            0 => StoredId::Own(id),
            _ => StoredId::Shared(Take::new(id, "attribute name record", 0).array()?),
        };
        take.skip(4)?;
        Ok((id, take.u32()?))
    },
    order_of: |record| {
        let mut take = Take::new(record, "attribute order record", 0);
        take.skip(9)?;
        Ok(u64::from(take.u32()?))
    },
    name_of: |message| crate::format::message::attribute::Attribute::name_of(message),
};

/// As libhdf5 creates them.
fn shape(kind: u8, record_size: usize) -> Shape {
    Shape {
        kind,
        node_size: 512,
        record_size: record_size as u16,
        split_percent: 100,
        merge_percent: 40,
    }
}

/// Where dense storage is, as link info and attribute info messages say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) heap: Addr,
    pub(crate) names: Addr,
    pub(crate) order: Option<Addr>,
}

#[derive(Debug)]
pub(crate) struct Dense {
    kind: &'static Kind,
    heap: FractalHeap,
    heap_at: Addr,
    header_len: u64,
    names: BTree,
    order: Option<BTree>,
    missed: Option<Missed>,
}

/// The name that was sought last and is not there: what is added next is probably of this name.
#[derive(Debug)]
struct Missed {
    name: ShortBytes,
    hash: u32,
    /// Where its record would be.
    gap: Gap,
}

impl Dense {
    /// Empty dense storage for the object of `header`, whose sector takes the heap's header where it has room.
    pub(crate) fn create(
        store: &mut Store,
        header: &mut Header,
        kind: &'static Kind,
        ordered: bool,
    ) -> Result<Self> {
        header.use_cell(store);
        let id_len = usize::from(kind.heap.id_length);
        let len = heap_header(store.widths());
        let heap_at = match header.take_own_room(len) {
            Some(addr) => addr,
            // I3: the header is rewritten in place, so it must not straddle two sectors.
            None => store.alloc_sectors(len)?.addr,
        };
        let flip = if header.shares_sector(heap_at, len) {
            FlipOrder::With(header.addr)
        } else {
            FlipOrder::Early
        };
        let id = [0; 8];
        let id = StoredId::Own(&id[..id_len]);
        let name_record = (kind.name_record)(&id, 0, 0).len();
        let order_record = (kind.order_record)(&id, 0).len();
        Ok(Self {
            kind,
            heap: FractalHeap::new(kind.heap, store.widths(), heap_at, flip),
            heap_at,
            header_len: len,
            names: BTree::new(shape(kind.name_tree, name_record)),
            order: ordered.then(|| BTree::new(shape(kind.order_tree, order_record))),
            missed: None,
        })
    }

    pub(crate) fn open(
        store: &Store,
        header: &Header,
        kind: &'static Kind,
        places: Places,
    ) -> Result<Self> {
        let order = match places.order {
            Some(addr) => Some(BTree::open(store, addr)?),
            None => None,
        };
        let flip = if header.shares_sector(places.heap, heap_header(store.widths())) {
            FlipOrder::With(header.addr)
        } else {
            FlipOrder::Early
        };
        let mut heap = FractalHeap::open(store, places.heap)?;
        heap.set_header_order(flip);
        Ok(Self {
            kind,
            heap,
            heap_at: places.heap,
            header_len: heap_header(store.widths()),
            names: BTree::open(store, places.names)?,
            order,
            missed: None,
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.names.len()
    }

    /// Whether it can be changed in place; if not it is rebuilt as ours.
    pub(crate) fn can_edit(&self) -> bool {
        // I3: a header of another writer that straddles two sectors is not rewritten in place.
        let start = self.heap_at.get() % SECTOR as u64;
        self.heap.can_edit() && start + self.header_len <= SECTOR as u64
    }

    /// The stored message of `name`, with its name record.
    pub(crate) fn find(
        &mut self,
        store: &Store,
        name: &[u8],
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (sought, heap) = (Name::new(self.kind, name), &mut self.heap);
        let mut found = None;
        let record = self.names.find(store, &mut |store, record| {
            let (order, message) = sought.compare(heap, store, record)?;
            found = message;
            Ok(order)
        })?;
        self.missed = record.is_none().then(|| Missed {
            name: name.into(),
            hash: sought.hash,
            gap: self.names.gap(),
        });
        Ok(record.zip(found))
    }

    /// Adds a message whose name is not in yet; in a change, for an error may leave the message behind.
    pub(crate) fn insert(
        &mut self,
        store: &mut Store,
        name: &[u8],
        order: u64,
        message: Message<'_>,
    ) -> Result<()> {
        let own;
        let id = match message {
            Message::Own(message) => {
                own = self.heap.insert(store, message)?;
                StoredId::Own(&own)
            }
            Message::Shared(id) => StoredId::Shared(id),
        };
        let (kind, heap) = (self.kind, &mut self.heap);
        let missed = self.missed.take().filter(|missed| missed.name == name);
        let (sought, gap) = match missed {
            Some(Missed { hash, gap, .. }) => (Name { kind, name, hash }, Some(gap)),
            None => (Name::new(kind, name), None),
        };
        let record = (kind.name_record)(&id, sought.hash, order);
        let probe = &mut |store: &Store, record: &[u8]| Ok(sought.compare(heap, store, record)?.0);
        let equal = self.names.insert_in(store, gap, &record, probe)?;
        if equal.is_some() {
            return Err(Error::new(ErrorKind::Exists));
        }
        if let Some(tree) = &mut self.order {
            let record = (kind.order_record)(&id, order);
            tree.insert(store, &record, &mut |_, record| {
                Ok(order.cmp(&(kind.order_of)(record)?))
            })?;
        }
        Ok(())
    }

    /// Takes out the message of `name`, with its name record, whose creation order the caller reads from the message.
    pub(crate) fn remove(
        &mut self,
        store: &mut Store,
        name: &[u8],
        order_of_message: &dyn Fn(&[u8], &[u8]) -> Result<u64>,
    ) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (kind, heap) = (self.kind, &mut self.heap);
        let sought = Name::new(kind, name);
        let removed = self.names.remove(store, &mut |store, record| {
            Ok(sought.compare(heap, store, record)?.0)
        })?;
        let Some(record) = removed else {
            return Ok(None);
        };
        let (id, _) = (kind.split_name_record)(&record)?;
        let message = read(heap, store, id)?;
        // What is shared may be so with another object.
        if let StoredId::Own(id) = id {
            heap.remove(store, id)?;
        }
        if let Some(tree) = &mut self.order {
            let order = order_of_message(&record, &message)?;
            tree.remove(store, &mut |_, record| {
                Ok(order.cmp(&(kind.order_of)(record)?))
            })?;
        }
        Ok(Some((record, message)))
    }

    /// Visits every message with its name record, in the order of the names' hashes or, where tracked and asked for,
    /// in creation order.
    pub(crate) fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (kind, heap) = (self.kind, &mut self.heap);
        self.names.for_each(store, &mut |record| {
            let (id, _) = (kind.split_name_record)(record)?;
            visit(record, &read(heap, store, id)?)
        })
    }

    fn indexes(&self) -> impl Iterator<Item = &BTree> {
        [&self.names].into_iter().chain(&self.order)
    }

    /// The bytes of the indexes' nodes that differ from the file.
    pub(crate) fn changed_bytes(&self) -> usize {
        self.indexes().map(BTree::changed_bytes).sum()
    }

    /// Stages the changed nodes of the indexes, and forgets them.
    pub(crate) fn write_nodes(&mut self, store: &mut Store) -> Result<()> {
        let mut indexes = [&mut self.names].into_iter().chain(&mut self.order);
        indexes.try_for_each(|index| index.write_nodes(store))
    }

    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<Places> {
        let names = self.names.stage(store)?;
        let order = match &mut self.order {
            Some(tree) => Some(tree.stage(store)?),
            None => None,
        };
        self.heap.stage(store)?;
        self.names.evict();
        Ok(Places {
            heap: self.heap_at,
            names,
            order,
        })
    }

    /// Every extent, for the mark pass.
    pub(crate) fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        self.names.blocks(store, visit)?;
        if let Some(tree) = &mut self.order {
            tree.blocks(store, visit)?;
        }
        self.heap.blocks(store, visit)
    }

    pub(crate) fn committed(&mut self) {
        self.heap.committed();
    }

    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.names.free_all(store)?;
        if let Some(tree) = &mut self.order {
            tree.free_all(store)?;
        }
        self.heap.free_all(store)
    }
}

/// The bytes of a message.
fn read(heap: &mut FractalHeap, store: &Store, id: StoredId<'_>) -> Result<Vec<u8>> {
    match id {
        StoredId::Own(id) => heap.read(store, id),
        StoredId::Shared(id) => in_heap(store, kind::ATTRIBUTE, &id),
    }
}

/// A name that is sought among the records.
struct Name<'a> {
    kind: &'static Kind,
    name: &'a [u8],
    hash: u32,
}

impl<'a> Name<'a> {
    fn new(kind: &'static Kind, name: &'a [u8]) -> Self {
        let hash = lookup3(name);
        Self { kind, name, hash }
    }

    /// How the name compares to that behind a record: by hash, then by bytes, as libhdf5 orders them. The message comes
    /// with it where the hashes are equal.
    fn compare(
        &self,
        heap: &mut FractalHeap,
        store: &Store,
        record: &[u8],
    ) -> Result<(Ordering, Option<Vec<u8>>)> {
        let hash = record
            .get(self.kind.hash_at..)
            .and_then(<[u8]>::first_chunk);
        let hash = hash.ok_or_else(|| Error::corrupt("name record", "ends too early"))?;
        match self.hash.cmp(&u32::from_le_bytes(*hash)) {
            Ordering::Equal => {
                let (id, _) = (self.kind.split_name_record)(record)?;
                let message = read(heap, store, id)?;
                let order = self.name.cmp((self.kind.name_of)(&message)?);
                Ok((order, Some(message)))
            }
            order => Ok((order, None)),
        }
    }
}
