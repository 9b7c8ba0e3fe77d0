//! The fixed array over opaque elements of one size (VII.C), copy-on-write.
//!
//! Header and data block name each other, so a change writes both to fresh space. Between, all elements are in memory.

use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::fixed_array::{DATA_BLOCK, HEADER, Header};
use crate::store::Store;
use alloc::vec::Vec;

/// As libhdf5 has it.
const PAGE_BITS: u8 = 10;

/// No array of more bytes is begun.
pub(crate) const MAX_LEN: u64 = 1 << 30;

#[derive(Debug)]
pub(crate) struct FixedArray {
    /// Its data block is where the elements were last staged.
    header: Header,
    /// Where the header was last staged.
    addr: Option<Addr>,
    /// An element that was never set.
    unused: Vec<u8>,
    elements: Option<Vec<u8>>,
    dirty: bool,
}

impl FixedArray {
    /// An array of `elements` times `unused`, nothing of which is in the file.
    pub(crate) fn new(client: u8, elements: u64, unused: Vec<u8>) -> Self {
        Self {
            header: Header {
                client,
                element_size: unused.len() as u8,
                page_bits: PAGE_BITS,
                elements,
                data_block: None,
            },
            addr: None,
            unused,
            elements: None,
            dirty: false,
        }
    }

    /// Opens the array whose header is at `addr`. `unused` makes the element that was never set, for the header.
    pub(crate) fn open(
        store: &Store,
        addr: Addr,
        unused: impl FnOnce(&Header) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let widths = store.widths();
        let extent = Extent::new(addr, Header::size(widths) as u64);
        let bytes = store.read(extent, HEADER)?;
        let header = Header::decode(&bytes, widths, addr.get())?;
        if let Some(data_block) = header.data_block {
            let len = header.data_block_len(widths)?;
            store.check_bounds(Extent::new(data_block, len), DATA_BLOCK)?;
        }
        let unused = unused(&header)?;
        if unused.len() != usize::from(header.element_size) {
            return Err(Error::corrupt(HEADER, "impossible element size").at(addr.get()));
        }
        Ok(Self {
            header,
            addr: Some(addr),
            unused,
            elements: None,
            dirty: false,
        })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    fn header_extent(&self, store: &Store) -> Option<Extent> {
        let len = Header::size(store.widths()) as u64;
        self.addr.map(|addr| Extent::new(addr, len))
    }

    fn data_block_extent(&self, store: &Store) -> Result<Option<Extent>> {
        let len = self.header.data_block_len(store.widths())?;
        Ok(self.header.data_block.map(|addr| Extent::new(addr, len)))
    }

    /// All elements, read if need be; `None` where none was ever set.
    fn load(&mut self, store: &Store) -> Result<Option<&mut Vec<u8>>> {
        if self.elements.is_none()
            && let (Some(extent), Some(header)) = (self.data_block_extent(store)?, self.addr)
        {
            let bytes = store.read(extent, DATA_BLOCK)?;
            self.elements = Some(self.header.decode_data_block(
                &bytes,
                header,
                &self.unused,
                store.widths(),
            )?);
        }
        Ok(self.elements.as_mut())
    }

    /// The bytes of element `index` among all.
    fn range(&self, index: u64) -> Result<core::ops::Range<usize>> {
        if index >= self.header.elements {
            return Err(Error::limit(
                "the index of a fixed array's element",
                index,
                self.header.elements.saturating_sub(1),
            ));
        }
        let size = u64::from(self.header.element_size);
        let start = index.checked_mul(size);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let end = start.and_then(|start| start.checked_add(self.unused.len()));
        match (start, end) {
            (Some(start), Some(end)) => Ok(start..end),
            _ => Err(Error::corrupt(HEADER, "too many elements")),
        }
    }

    /// Element `index`, as it was set last.
    pub(crate) fn find(&mut self, store: &Store, index: u64) -> Result<&[u8]> {
        let range = self.range(index)?;
        self.load(store)?;
        let found = self.elements.as_ref().and_then(|all| all.get(range));
        Ok(found.unwrap_or(&self.unused))
    }

    /// Sets element `index`.
    pub(crate) fn insert(&mut self, store: &Store, index: u64, element: &[u8]) -> Result<()> {
        let range = self.range(index)?;
        if self.load(store)?.is_none() {
            let len = self.header.elements_len().unwrap_or(u64::MAX);
            if len > MAX_LEN {
                return Err(Error::limit("the size of a fixed array", len, MAX_LEN));
            }
            self.elements = Some(self.unused.repeat(self.header.elements as usize));
        }
        if let Some(place) = self.elements.as_mut().and_then(|all| all.get_mut(range)) {
            place.copy_from_slice(element);
            self.dirty = true;
        }
        Ok(())
    }

    /// Visits the elements that were set, in order.
    pub(crate) fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.load(store)?;
        let all = self.elements.as_deref().unwrap_or(&[]);
        (0..)
            .zip(all.chunks_exact(self.unused.len()))
            .filter(|(_, element)| *element != self.unused)
            .try_for_each(|(index, element)| visit(index, element))
    }

    /// Unsets every element that `keep` refuses, and tells `removed` of it.
    pub(crate) fn retain(
        &mut self,
        store: &mut Store,
        keep: &mut dyn FnMut(u64) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8]),
    ) -> Result<()> {
        self.load(store)?;
        let all = self.elements.as_deref_mut().unwrap_or(&mut []);
        for (index, element) in (0..).zip(all.chunks_exact_mut(self.unused.len())) {
            if *element != *self.unused && !keep(index) {
                removed(store, element);
                element.copy_from_slice(&self.unused);
                self.dirty = true;
            }
        }
        Ok(())
    }

    /// Stages header and data block where an element has changed, frees what they replace, and returns where the
    /// header is; `None` where no element is set.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<Option<Addr>> {
        let Some(elements) = self.elements.as_ref().filter(|_| self.dirty) else {
            return Ok(self.addr);
        };
        let unused = |element: &[u8]| element == self.unused;
        if elements.chunks_exact(self.unused.len()).all(unused) {
            self.free_all(store)?;
            return Ok(None);
        }
        let widths = store.widths();
        widths.check_len("the number of chunks", self.header.elements)?;
        let len = self.header.data_block_len(widths)?;
        let header_len = Header::size(widths) as u64;
        let data_block = place(store, self.header.data_block, len)?;
        let addr = place(store, self.addr, header_len)?;
        let block = self
            .header
            .encode_data_block(addr, elements, &self.unused, widths);
        self.header.data_block = Some(data_block);
        self.addr = Some(addr);
        store.stage(data_block, block)?;
        store.stage(addr, self.header.encode(widths))?;
        self.dirty = false;
        Ok(self.addr)
    }

    /// Visits every extent the array occupies, as far as it is staged.
    pub(crate) fn blocks(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(Extent) -> Result<()>,
    ) -> Result<()> {
        let data_block = self.data_block_extent(store)?;
        self.header_extent(store)
            .into_iter()
            .chain(data_block)
            .try_for_each(visit)
    }

    /// Gives back everything the array occupies and unsets all elements.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        let extents = [self.header_extent(store), self.data_block_extent(store)?];
        for extent in extents.into_iter().flatten() {
            store.free(extent);
        }
        self.addr = None;
        self.header.data_block = None;
        self.elements = None;
        self.dirty = false;
        Ok(())
    }

    /// Forgets what can be read again.
    pub(crate) fn evict(&mut self) {
        if !self.dirty {
            self.elements = None;
        }
    }
}

/// The place to write a block that stood at `old`: there if that is fresh, else in fresh space, and `old` is freed.
fn place(store: &mut Store, old: Option<Addr>, len: u64) -> Result<Addr> {
    let old = old.map(|addr| Extent::new(addr, len));
    match old {
        Some(old) if store.is_fresh(old) => Ok(old.addr),
        _ => {
            let addr = store.alloc(len)?.addr;
            if let Some(old) = old {
                store.free(old);
            }
            Ok(addr)
        }
    }
}
