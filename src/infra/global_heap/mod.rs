//! III.E. The global heap of a file: the bytes of elements of variable length.
//!
//! A collection that has been sealed is never changed again. Each commit that writes elements of variable length opens
//! collections of its own, in fresh space; overwritten elements are released, and a collection without a live object is
//! given back.

mod cache;

use crate::bytes::{Addr, Extent, Widths};
use crate::error::{Error, Result};
use crate::format::global_heap::{
    self as format, HeapObject, MAX_INDEX, closed_size, object_size, prefix_size,
};
use crate::store::Store;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use cache::{Cache, Decoded};

const NAME: &str = "global heap collection";

/// Collections grow up to this size within one commit; a larger object gets a collection of its own.
const MAX_GROWTH: u64 = 256 << 10;

/// Smaller collections wait for the commit, which writes neighbours together.
const STAGE_BELOW: usize = 64 << 10;

/// III.E, "Global Heap ID": what an element stores. An element of length 0 has no object: its ID is written as zeros,
/// by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeapRef {
    pub(crate) addr: Addr,
    pub(crate) index: u32,
}

/// The collection that takes new objects.
#[derive(Debug)]
struct Open {
    extent: Extent,
    bytes: Vec<u8>,
    objects: Vec<HeapObject>,
}

impl Open {
    fn fits(&self, need: u64, widths: Widths) -> bool {
        let used = self.bytes.len() as u64 + need;
        self.objects.len() < usize::from(MAX_INDEX) && closed_size(used, widths) <= self.extent.len
    }
}

/// How much of a collection is dead.
#[derive(Debug)]
struct Dead {
    extent: Extent,
    live: usize,
    released: BTreeSet<u16>,
}

/// The global heap of an open file.
#[derive(Debug, Default)]
pub(crate) struct GlobalHeap {
    open: Option<Open>,
    /// The size of the next collection.
    next_size: u64,
    /// The memory of a collection that has been written, for the next.
    spare: Vec<u8>,
    cache: Cache,
    dead: BTreeMap<Addr, Dead>,
}

impl GlobalHeap {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Announces objects to come: `count` of them with `total_bytes` together. The next collection is sized for them.
    #[cfg(test)]
    pub(crate) fn reserve(&mut self, store: &Store, total_bytes: u64, count: u64) {
        let headers = count.saturating_mul(object_size(0, store.widths()) + 7);
        let wanted = total_bytes.saturating_add(headers);
        self.next_size = self.next_size.max(wanted.min(MAX_GROWTH));
    }

    /// Stores an object of the next commit. An empty object has no place here: see [`HeapRef`].
    pub(crate) fn insert(&mut self, store: &mut Store, bytes: &[u8]) -> Result<HeapRef> {
        if bytes.is_empty() {
            return Err(Error::invalid(
                "an empty object has no place in the global heap",
            ));
        }
        let length = bytes.len() as u64;
        let widths = store.widths();
        check_length("the size of an element of variable length", length)?;
        let need = object_size(length, widths);
        if let Some(open) = &mut self.open
            && open.fits(need, widths)
        {
            return Ok(Self::put(open, bytes, widths));
        }
        self.insert_elsewhere(store, bytes, need, widths)
    }

    /// Stores an object that does not fit into the collection that is open.
    fn insert_elsewhere(
        &mut self,
        store: &mut Store,
        bytes: &[u8],
        need: u64,
        widths: Widths,
    ) -> Result<HeapRef> {
        check_collection(need, widths)?;
        if prefix_size(widths) + need > MAX_GROWTH {
            let mut alone = self.create(store, closed_size(prefix_size(widths) + need, widths))?;
            let at = Self::put(&mut alone, bytes, widths);
            self.close(store, alone)?;
            return Ok(at);
        }
        self.close_open(store)?;
        let least = closed_size(prefix_size(widths) + need, widths);
        let size = self.next_size.max(least).next_multiple_of(8);
        self.next_size = (size * 2).min(MAX_GROWTH);
        let open = self.create(store, size)?;
        Ok(Self::put(self.open.insert(open), bytes, widths))
    }

    fn create(&mut self, store: &mut Store, size: u64) -> Result<Open> {
        let extent = store.alloc_raw(size)?;
        let mut bytes = core::mem::take(&mut self.spare);
        bytes.clear();
        bytes.reserve_exact(size as usize);
        format::begin(&mut bytes, store.widths());
        Ok(Open {
            extent,
            bytes,
            objects: Vec::new(),
        })
    }

    fn put(open: &mut Open, bytes: &[u8], widths: Widths) -> HeapRef {
        let index = open.objects.len() as u16 + 1;
        let offset = open.bytes.len() as u64 + format::object_header_size(widths);
        format::put_object(&mut open.bytes, index, 0, bytes, widths);
        open.objects.push(HeapObject {
            index,
            reference_count: 0,
            offset,
            length: bytes.len() as u64,
        });
        HeapRef {
            addr: open.extent.addr,
            index: u32::from(index),
        }
    }

    /// Ends the commit's collections: they are staged, and what they do not use is given back.
    pub(crate) fn seal(&mut self, store: &mut Store) -> Result<()> {
        self.close_open(store)?;
        self.next_size = 0;
        Ok(())
    }

    fn close_open(&mut self, store: &mut Store) -> Result<()> {
        match self.open.take() {
            Some(open) => self.close(store, open),
            None => Ok(()),
        }
    }

    fn close(&mut self, store: &mut Store, mut open: Open) -> Result<()> {
        let extent = open.extent;
        if self
            .dead
            .get(&extent.addr)
            .is_some_and(|dead| dead.released.len() == open.objects.len())
        {
            self.dead.remove(&extent.addr);
            store.free_raw(extent);
            return Ok(());
        }
        let widths = store.widths();
        let size = closed_size(open.bytes.len() as u64, widths);
        format::finish(&mut open.bytes, size, widths);
        store.free_raw(Extent::new(extent.addr.plus(size), extent.len - size));
        if let Some(dead) = self.dead.get_mut(&extent.addr) {
            dead.extent.len = size;
            dead.live = open.objects.len();
        }
        if open.bytes.len() < STAGE_BELOW {
            return store.stage(extent.addr, open.bytes);
        }
        store.write_now(extent.addr, &open.bytes)?;
        if open.bytes.capacity() as u64 <= MAX_GROWTH {
            self.spare = open.bytes;
        }
        Ok(())
    }

    /// The bytes of an object.
    #[cfg(test)]
    pub(crate) fn read(&mut self, store: &Store, at: HeapRef) -> Result<Vec<u8>> {
        self.with(store, at, <[u8]>::to_vec)
    }

    /// Lends the bytes of an object to `use_bytes`.
    pub(crate) fn with<R>(
        &mut self,
        store: &Store,
        at: HeapRef,
        use_bytes: impl FnOnce(&[u8]) -> R,
    ) -> Result<R> {
        let (bytes, objects) = self.collection(store, at.addr)?;
        let object = find(objects, at)?;
        // Within the collection: its decoding has checked that.
        let start = object.offset as usize;
        Ok(use_bytes(&bytes[start..start + object.length as usize]))
    }

    fn collection(&mut self, store: &Store, addr: Addr) -> Result<(&[u8], &[HeapObject])> {
        if let Some(open) = self.open.as_ref().filter(|open| open.extent.addr == addr) {
            return Ok((&open.bytes, &open.objects));
        }
        if !self.cache.find(addr) {
            let extent = Self::extent(store, addr)?;
            let bytes = store.read(extent, NAME)?;
            let objects = format::decode(&bytes, store.widths(), addr.get())?;
            self.cache.insert(Decoded {
                addr,
                bytes,
                objects,
            });
        }
        let first = self.cache.first();
        let first = first.ok_or_else(|| Error::corrupt(NAME, "missing").at(addr.get()))?;
        Ok((&first.bytes, &first.objects))
    }

    /// The extent of the collection at `addr`.
    pub(crate) fn extent(store: &Store, addr: Addr) -> Result<Extent> {
        let widths = store.widths();
        let prefix = store.read(Extent::new(addr, prefix_size(widths)), NAME)?;
        let size = format::decode_size(&prefix, widths, addr.get())?;
        Ok(Extent::new(addr, size))
    }

    /// Says that no element refers to the object any more. When that is so of all objects of its collection, the
    /// collection is given back. Releasing an object twice counts once.
    pub(crate) fn release(&mut self, store: &mut Store, at: HeapRef) -> Result<()> {
        let (bytes, objects) = self.collection(store, at.addr)?;
        let index = find(objects, at)?.index;
        let (size, live) = (bytes.len() as u64, objects.len());
        let dead = self.dead.entry(at.addr).or_insert_with(|| Dead {
            extent: Extent::new(at.addr, size),
            live,
            released: BTreeSet::new(),
        });
        dead.released.insert(index);
        // The open collection may yet receive objects: its end is decided when it is closed.
        let is_open = self
            .open
            .as_ref()
            .is_some_and(|open| open.extent.addr == at.addr);
        if !is_open && dead.released.len() == dead.live {
            let extent = dead.extent;
            self.dead.remove(&at.addr);
            self.cache.forget(at.addr);
            store.free_raw(extent);
        }
        Ok(())
    }
}

fn check_length(what: &'static str, length: u64) -> Result<()> {
    match length > u64::from(u32::MAX) {
        true => Err(Error::limit(what, length, u64::from(u32::MAX))),
        false => Ok(()),
    }
}

/// Refuses an object whose collection would be too long.
fn check_collection(need: u64, widths: Widths) -> Result<()> {
    let most = closed_size(prefix_size(widths).saturating_add(need), widths);
    widths.check_len("the size of a global heap collection", most)
}

/// Refuses what [`GlobalHeap::insert`] would refuse.
pub(crate) fn check_object(what: &'static str, length: u64, widths: Widths) -> Result<()> {
    check_length(what, length)?;
    check_collection(object_size(length, widths), widths)
}

fn find(objects: &[HeapObject], at: HeapRef) -> Result<&HeapObject> {
    u16::try_from(at.index)
        .ok()
        .and_then(|index| {
            objects
                .binary_search_by_key(&index, |object| object.index)
                .ok()
        })
        .map(|place| &objects[place])
        .ok_or_else(|| {
            Error::corrupt(NAME, "an element refers to an object that is not there")
                .at(at.addr.get())
        })
}

#[cfg(test)]
mod tests;
