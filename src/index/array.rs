//! The fixed array index (VII.C) and the extensible array index (VII.D).

use super::element::Elements;
use super::slots::{Slots, inside, outside};
use super::{ChunkIndex, ChunkRecord};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::fixed_array::HEADER;
use crate::format::message::layout::IndexLayout;
use crate::infra::extensible_array::ExtensibleArray;
use crate::infra::fixed_array::FixedArray;
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug)]
pub(crate) struct Fixed {
    elements: Elements,
    slots: Slots,
    array: FixedArray,
}

impl Fixed {
    pub(crate) fn new(elements: Elements, slots: Slots, count: u64) -> Self {
        Self {
            elements,
            slots,
            array: FixedArray::new(elements.filtered().into(), count, elements.unused()),
        }
    }

    pub(crate) fn open(
        store: &Store,
        elements: Elements,
        slots: Slots,
        addr: Option<Addr>,
    ) -> Result<Self> {
        let Some(count) = slots.count() else {
            return Err(Error::corrupt(
                "fixed array",
                "more chunks than can be counted",
            ));
        };
        let Some(addr) = addr else {
            return Ok(Self::new(elements, slots, count));
        };
        let mut found = None;
        let array = FixedArray::open(store, addr, |header| {
            found = elements.found(header.element_size.into(), store.widths());
            match found {
                Some(found) if header.client == u8::from(found.filtered()) => Ok(found.unused()),
                _ => Err(Error::corrupt(HEADER, "impossible element size").at(addr.get())),
            }
        })?;
        if array.header().elements != count {
            let reason = "its elements are not as many as the chunks";
            return Err(Error::corrupt(HEADER, reason).at(addr.get()));
        }
        Ok(Self {
            elements: found.unwrap_or(elements),
            slots,
            array,
        })
    }
}

impl ChunkIndex for Fixed {
    fn find(&mut self, store: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        let Some(slot) = self.slots.slot(at) else {
            return Ok(None);
        };
        let element = self.array.find(store, slot)?;
        self.elements.decode_checked(store, element)
    }

    fn insert(
        &mut self,
        store: &mut Store,
        at: &[u64],
        record: ChunkRecord,
    ) -> Result<Option<ChunkRecord>> {
        let slot = self.slots.slot(at).ok_or_else(outside)?;
        let mut element = Vec::with_capacity(self.elements.size());
        self.elements.encode(record, &mut element)?;
        let old = self.array.find(store, slot)?;
        let old = self.elements.decode_checked(store, old)?;
        self.array.insert(store, slot, &element)?;
        Ok(old)
    }

    fn shrink(
        &mut self,
        store: &mut Store,
        counts: &[u64],
        removed: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        // Whatever can fail comes before the first change.
        self.for_each(store, &mut |_, _| Ok(()))?;
        let mut at = vec![0; self.slots.rank()];
        let mut keep = |slot| self.slots.coordinates(slot, &mut at) && inside(&at, counts);
        self.array.retain(store, &mut keep, &mut |store, element| {
            if let Ok(Some(record)) = self.elements.decode(element) {
                removed(store, record);
            }
        })
    }

    fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let mut at = vec![0; self.slots.rank()];
        self.array.for_each(store, &mut |slot, element| match self
            .elements
            .decode_checked(store, element)?
        {
            Some(record) if self.slots.coordinates(slot, &mut at) => visit(&at, record),
            _ => Ok(()),
        })
    }

    fn stage(&mut self, store: &mut Store) -> Result<IndexLayout> {
        Ok(IndexLayout::FixedArray {
            addr: self.array.stage(store)?,
            page_bits: self.array.header().page_bits,
        })
    }

    fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        self.array.blocks(store, visit)
    }

    fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.array.free_all(store)
    }

    fn evict(&mut self) {
        self.array.evict();
    }
}

/// Read only, as nothing of it can be written beside the old state.
#[derive(Debug)]
pub(crate) struct Extensible {
    elements: Elements,
    slots: Slots,
    layout: IndexLayout,
    array: Option<ExtensibleArray>,
}

impl Extensible {
    pub(crate) fn open(
        store: &Store,
        elements: Elements,
        slots: Slots,
        layout: IndexLayout,
    ) -> Result<Self> {
        let Some(addr) = layout.addr() else {
            return Ok(Self {
                elements,
                slots,
                layout,
                array: None,
            });
        };
        let array = ExtensibleArray::open(store, addr)?;
        let size = array.header().element_size.into();
        match elements.found(size, store.widths()) {
            Some(elements) if array.header().client == u8::from(elements.filtered()) => Ok(Self {
                elements,
                slots,
                layout,
                array: Some(array),
            }),
            _ => Err(
                Error::corrupt("extensible array header", "impossible element size").at(addr.get()),
            ),
        }
    }
}

impl ChunkIndex for Extensible {
    fn find(&mut self, store: &Store, at: &[u64]) -> Result<Option<ChunkRecord>> {
        let (Some(slot), Some(array)) = (self.slots.slot(at), &mut self.array) else {
            return Ok(None);
        };
        match array.find(store, slot)? {
            Some(element) => self.elements.decode_checked(store, element),
            None => Ok(None),
        }
    }

    fn insert(&mut self, _: &mut Store, _: &[u64], _: ChunkRecord) -> Result<Option<ChunkRecord>> {
        Err(Error::unsupported("an edit of an extensible array"))
    }

    fn shrink(
        &mut self,
        _: &mut Store,
        _: &[u64],
        _: &mut dyn FnMut(&mut Store, ChunkRecord),
    ) -> Result<()> {
        Err(Error::unsupported("an edit of an extensible array"))
    }

    fn for_each(
        &mut self,
        store: &Store,
        visit: &mut dyn FnMut(&[u64], ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let Some(array) = &self.array else {
            return Ok(());
        };
        let mut at = vec![0; self.slots.rank()];
        array.for_each(store, &mut |slot, element| match self
            .elements
            .decode_checked(store, element)?
        {
            Some(record) if self.slots.coordinates(slot, &mut at) => visit(&at, record),
            _ => Ok(()),
        })
    }

    fn stage(&mut self, _: &mut Store) -> Result<IndexLayout> {
        Ok(self.layout.clone())
    }

    fn blocks(&mut self, store: &Store, visit: &mut dyn FnMut(Extent) -> Result<()>) -> Result<()> {
        self.array
            .as_ref()
            .map_or(Ok(()), |array| array.blocks(store, visit))
    }

    fn free_all(&mut self, store: &mut Store) -> Result<()> {
        if let Some(array) = &self.array {
            array.free_all(store)?;
        }
        self.array = None;
        if let IndexLayout::ExtensibleArray { addr, .. } = &mut self.layout {
            *addr = None;
        }
        Ok(())
    }

    fn evict(&mut self) {
        if let Some(array) = &mut self.array {
            array.evict();
        }
    }

    fn editable(&self) -> bool {
        false
    }
}
