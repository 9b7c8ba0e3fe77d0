//! The extensible array over opaque elements of one size (VII.D). It is read, and given back as a whole; its blocks
//! name their header, so that it is not edited.

use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::extensible_array::{
    DATA_BLOCK, HEADER, Header, INDEX_BLOCK, IndexBlock, Place, SUPER_BLOCK, SuperBlock, SuperShape,
};
use crate::store::Store;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// More bytes of elements are not kept in memory.
const LOADED_LIMIT: usize = 8 << 20;

#[derive(Debug)]
pub(crate) struct ExtensibleArray {
    header: Header,
    addr: Addr,
    index_block: Option<IndexBlock>,
    /// The super block that was used last.
    super_block: Option<(u32, SuperBlock)>,
    /// Elements of data blocks and pages by address.
    loaded: BTreeMap<u64, Vec<u8>>,
    loaded_bytes: usize,
}

/// A data block without pages, or a page.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The index of its first element.
    first: u64,
    addr: Addr,
    shape: SuperShape,
}

/// What a walk meets.
enum Step {
    Block(Extent),
    Run(Run),
}

impl ExtensibleArray {
    /// Opens the array whose header is at `addr`.
    pub(crate) fn open(store: &Store, addr: Addr) -> Result<Self> {
        let widths = store.widths();
        let extent = Extent::new(addr, Header::size(widths) as u64);
        let bytes = store.read(extent, HEADER)?;
        Ok(Self {
            header: Header::decode(&bytes, widths, addr.get())?,
            addr,
            index_block: None,
            super_block: None,
            loaded: BTreeMap::new(),
            loaded_bytes: 0,
        })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    fn place(&self, store: &Store, at: Addr) -> Place {
        Place {
            header: self.addr,
            widths: store.widths(),
            offset: at.get(),
        }
    }

    fn index_block_extent(&self, store: &Store) -> Option<Extent> {
        let len = self.header.index_block_len(store.widths());
        self.header.index_block.map(|addr| Extent::new(addr, len))
    }

    fn read_index_block(&self, store: &Store) -> Result<Option<IndexBlock>> {
        let Some(extent) = self.index_block_extent(store) else {
            return Ok(None);
        };
        let bytes = store.read(extent, INDEX_BLOCK)?;
        let place = self.place(store, extent.addr);
        self.header.decode_index_block(&bytes, place).map(Some)
    }

    fn super_block_extent(&self, store: &Store, n: u32, addr: Addr) -> Extent {
        let shape = self.header.super_shape(n);
        Extent::new(addr, self.header.super_block_len(shape, store.widths()))
    }

    fn read_super_block(&self, store: &Store, n: u32, addr: Addr) -> Result<SuperBlock> {
        let bytes = store.read(self.super_block_extent(store, n, addr), SUPER_BLOCK)?;
        let shape = self.header.super_shape(n);
        self.header
            .decode_super_block(&bytes, shape, self.place(store, addr))
    }

    fn read_run(&self, store: &Store, run: Run) -> Result<Vec<u8>> {
        if run.shape.pages > 0 {
            let bytes = store.read(Extent::new(run.addr, self.header.page_len()), DATA_BLOCK)?;
            return self.header.decode_page(&bytes, run.addr.get());
        }
        let len = self.header.data_block_len(run.shape, store.widths());
        let bytes = store.read(Extent::new(run.addr, len), DATA_BLOCK)?;
        self.header
            .decode_data_block(&bytes, run.shape, self.place(store, run.addr))
    }

    /// The page of a data block at `block`, `first` being the index of the block's first element.
    fn page(&self, store: &Store, shape: SuperShape, block: Addr, first: u64, page: u64) -> Run {
        let before = self.header.prefix_len(store.widths()) + page * self.header.page_len();
        Run {
            first: first.saturating_add(page << self.header.page_bits),
            addr: block.plus(before),
            shape,
        }
    }

    /// Element `index`; `None` where nothing holds it.
    pub(crate) fn find(&mut self, store: &Store, index: u64) -> Result<Option<&[u8]>> {
        if index >= self.header.bound {
            return Ok(None);
        }
        if self.index_block.is_none() {
            self.index_block = self.read_index_block(store)?;
        }
        if index < u64::from(self.header.index_elements) {
            let elements = self.index_block.as_ref().map(|block| &block.elements);
            return Ok(elements.and_then(|elements| self.element(elements, index)));
        }
        let Some(run) = self.locate(store, index)? else {
            return Ok(None);
        };
        let key = run.addr.get();
        if !self.loaded.contains_key(&key) {
            let elements = self.read_run(store, run)?;
            if self.loaded_bytes + elements.len() > LOADED_LIMIT {
                self.loaded.clear();
                self.loaded_bytes = 0;
            }
            self.loaded_bytes += elements.len();
            self.loaded.insert(key, elements);
        }
        let elements = self.loaded.get(&key);
        Ok(elements.and_then(|elements| self.element(elements, index - run.first)))
    }

    fn element<'a>(&self, elements: &'a [u8], index: u64) -> Option<&'a [u8]> {
        let size = usize::from(self.header.element_size);
        let index = usize::try_from(index).ok()?;
        elements.chunks_exact(size).nth(index)
    }

    /// What holds element `index`, which is not in the index block.
    fn locate(&mut self, store: &Store, index: u64) -> Result<Option<Run>> {
        let (Some(n), Some(root)) = (self.header.super_block_of(index), &self.index_block) else {
            return Ok(None);
        };
        let shape = self.header.super_shape(n);
        let within = index - shape.start;
        let block = within / shape.elements;
        let first = shape.start + block * shape.elements;
        let direct = self.header.first_super_block();
        let Some(super_slot) = n.checked_sub(direct) else {
            let before: u64 = (0..n).map(|n| self.header.super_shape(n).blocks).sum();
            let addr = slot(&root.data_blocks, before + block);
            return Ok(addr.map(|addr| Run { first, addr, shape }));
        };
        let Some(addr) = slot(&root.super_blocks, super_slot.into()) else {
            return Ok(None);
        };
        let super_block = match self.super_block.take() {
            Some((last, super_block)) if last == n => super_block,
            _ => self.read_super_block(store, n, addr)?,
        };
        let super_block = &self.super_block.insert((n, super_block)).1;
        let Some(addr) = slot(&super_block.data_blocks, block) else {
            return Ok(None);
        };
        if shape.pages == 0 {
            return Ok(Some(Run { first, addr, shape }));
        }
        let page = (index - first) >> self.header.page_bits;
        let initialized = super_block.initialized(shape, block, page);
        Ok(initialized.then(|| self.page(store, shape, addr, first, page)))
    }

    /// Visits the elements below the bound, in order.
    pub(crate) fn for_each(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let size = usize::from(self.header.element_size);
        let mut visit_all = |first: u64, elements: &[u8]| {
            (first..self.header.bound)
                .zip(elements.chunks_exact(size))
                .try_for_each(|(index, element)| visit(index, element))
        };
        if let Some(block) = self.read_index_block(store)? {
            visit_all(0, &block.elements)?;
        }
        self.walk(store, &mut |step| match step {
            Step::Run(run) => visit_all(run.first, &self.read_run(store, run)?),
            Step::Block(_) => Ok(()),
        })
    }

    /// Visits every extent the array occupies.
    pub(crate) fn blocks(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(Extent) -> Result<()>,
    ) -> Result<()> {
        self.walk(store, &mut |step| match step {
            Step::Block(extent) => visit(extent),
            Step::Run(_) => Ok(()),
        })
    }

    /// Gives back everything the array occupies.
    pub(crate) fn free_all(&self, store: &mut Store) -> Result<()> {
        let mut extents = Vec::new();
        self.blocks(store, &mut |extent| {
            extents.push(extent);
            Ok(())
        })?;
        for extent in extents {
            store.free(extent);
        }
        Ok(())
    }

    /// Forgets what can be read again.
    pub(crate) fn evict(&mut self) {
        self.index_block = None;
        self.super_block = None;
        self.loaded.clear();
        self.loaded_bytes = 0;
    }

    /// Visits the blocks, and after each data block what holds its elements. All blocks together are no larger than
    /// the file, which bounds the walk.
    fn walk(&self, store: &Store, visit: &mut dyn FnMut(Step) -> Result<()>) -> Result<()> {
        let mut left = store.end();
        let mut visit_block = |extent: Extent, visit: &mut dyn FnMut(Step) -> Result<()>| {
            store.check_bounds(extent, DATA_BLOCK)?;
            left = left
                .checked_sub(extent.len)
                .ok_or_else(|| Error::corrupt(HEADER, "its blocks overlap").at(self.addr.get()))?;
            visit(Step::Block(extent))
        };
        let widths = store.widths();
        let header = Extent::new(self.addr, Header::size(widths) as u64);
        visit_block(header, visit)?;
        let (Some(extent), Some(root)) = (
            self.index_block_extent(store),
            self.read_index_block(store)?,
        ) else {
            return Ok(());
        };
        visit_block(extent, visit)?;
        let direct = self.header.first_super_block();
        let mut slots = root.data_blocks.iter();
        for n in 0..direct {
            let shape = self.header.super_shape(n);
            let len = self.header.data_block_len(shape, widths);
            for (block, slot) in (0..shape.blocks).zip(&mut slots) {
                if let Some(addr) = *slot {
                    let first = shape.start + block * shape.elements;
                    visit_block(Extent::new(addr, len), visit)?;
                    visit(Step::Run(Run { first, addr, shape }))?;
                }
            }
        }
        for (n, slot) in (direct..).zip(&root.super_blocks) {
            let Some(addr) = *slot else { continue };
            visit_block(self.super_block_extent(store, n, addr), visit)?;
            let super_block = self.read_super_block(store, n, addr)?;
            let shape = self.header.super_shape(n);
            let len = self.header.data_block_len(shape, widths);
            for (block, slot) in (0..).zip(&super_block.data_blocks) {
                let Some(addr) = *slot else { continue };
                let first = shape
                    .start
                    .saturating_add(shape.elements.saturating_mul(block));
                visit_block(Extent::new(addr, len), visit)?;
                if shape.pages == 0 {
                    visit(Step::Run(Run { first, addr, shape }))?;
                }
                for page in 0..shape.pages {
                    if super_block.initialized(shape, block, page) {
                        visit(Step::Run(self.page(store, shape, addr, first, page)))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn slot(slots: &[Option<Addr>], index: u64) -> Option<Addr> {
    usize::try_from(index)
        .ok()
        .and_then(|index| slots.get(index).copied().flatten())
}
