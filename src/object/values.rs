//! Values of variable length: the elements in the global heap, and attributes.

use super::attributes::Attributes;
use super::dataset::Dataset;
use super::dense;
use super::engine::Engine;
use super::heap_ids::{Owner, for_each_owned};
use super::named::{ElementType, Exchange};
use super::other_files::FileId;
use crate::bytes::Addr;
use crate::dtype::{self, ElementValue, VarLenSink, VarLenSource};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::{Attribute, NewAttribute};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::datatype::{CharacterSet, Datatype};
use crate::format::message::kind;
use crate::infra::global_heap::{GlobalHeap, HeapRef};
use crate::selection::Resolved;
use crate::store::Store;
use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

/// The global heap as a place that elements are written to.
#[derive(Debug)]
pub(crate) struct HeapSink<'a> {
    pub(crate) heap: &'a mut GlobalHeap,
    pub(crate) store: &'a mut Store,
}

impl VarLenSink for HeapSink<'_> {
    fn offset_width(&self) -> u8 {
        self.store.widths().offset
    }

    fn insert(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        let at = self.heap.insert(self.store, bytes)?;
        Ok((at.addr.get(), at.index))
    }
}

/// The global heap as a place that elements are read from.
#[derive(Debug)]
pub(crate) struct HeapSource<'a> {
    heap: &'a mut GlobalHeap,
    store: &'a Store,
    /// How many bytes it still hands out. In an honest file each object is named by one element, or by all that are the
    /// fill value. Elements of elements could name one object again and again.
    left: u64,
}

impl VarLenSource for HeapSource<'_> {
    fn offset_width(&self) -> u8 {
        self.store.widths().offset
    }

    fn read(&mut self, address: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()> {
        let at = HeapRef {
            addr: Addr::new(address),
            index,
        };
        self.left = self.left.checked_sub(len as u64).ok_or_else(|| {
            let max = most_values(self.store);
            Error::limit(
                "the size of values of variable length",
                max.saturating_add(1),
                max,
            )
        })?;
        self.heap
            .with(self.store, at, |bytes| match bytes.get(..len) {
                Some(bytes) => {
                    out.extend_from_slice(bytes);
                    Ok(())
                }
                None => Err(Error::corrupt(
                    "global heap",
                    "an object is shorter than its element says",
                )
                .at(address)),
            })?
    }

    fn read_whole(&mut self, address: u64, index: u32, out: &mut Vec<u8>) -> Result<()> {
        let at = HeapRef {
            addr: Addr::new(address),
            index,
        };
        let len = self.heap.with(self.store, at, <[u8]>::len)?;
        self.read(address, index, len, out)
    }
}

/// How many bytes of values of variable length one read gives at the most.
fn most_values(store: &Store) -> u64 {
    store.end().saturating_mul(16).max(256 << 20)
}

/// Bytes of elements looked at together when values are released.
const PIECE: u64 = 1 << 20;

impl Engine {
    /// Encodes values whose elements may be in the heap.
    pub(crate) fn encode<T>(
        &mut self,
        encode: impl FnOnce(&mut HeapSink<'_>) -> Result<T>,
    ) -> Result<T> {
        encode(&mut HeapSink {
            heap: &mut self.heap,
            store: &mut self.store,
        })
    }

    /// Decodes values whose elements may be in the heap.
    pub(crate) fn decode<T>(
        &mut self,
        decode: impl FnOnce(&mut HeapSource<'_>) -> Result<T>,
    ) -> Result<T> {
        decode(&mut HeapSource {
            heap: &mut self.heap,
            left: most_values(&self.store),
            store: &self.store,
        })
    }

    /// Writes elements, as the file stores them, to the selected places.
    pub(crate) fn write_dataset(
        &mut self,
        addr: Addr,
        selection: &Resolved,
        bytes: &[u8],
    ) -> Result<()> {
        if self.write_external(addr, None, selection, bytes)? {
            return Ok(());
        }
        self.change(|engine| {
            engine.mark_changed(addr)?;
            engine.release_selected(addr, selection)?;
            engine.put_elements(addr, selection, bytes)
        })
    }

    /// Makes the extent `dims` and writes elements to places that it adds.
    pub(crate) fn extend_dataset(
        &mut self,
        addr: Addr,
        dims: &[u64],
        selection: &Resolved,
        bytes: &[u8],
    ) -> Result<()> {
        let outside = self.write_external(addr, Some(dims), selection, bytes)?;
        self.change(|engine| {
            engine.change_extent(addr, dims, true)?;
            if outside {
                return Ok(());
            }
            // What the extent gains is fill, which owns nothing in the heap.
            engine.put_elements(addr, selection, bytes)?;
            engine.dataset(addr)?.set_appendable();
            Ok(())
        })
    }

    fn put_elements(&mut self, addr: Addr, selection: &Resolved, bytes: &[u8]) -> Result<()> {
        let budget = self.budget_for(addr)?;
        let (object, store, _) = self.parts(addr)?;
        match &mut object.dataset {
            Some(dataset) => {
                dataset.make_editable(store)?;
                dataset.write(store, selection, bytes, budget)
            }
            None => Err(object.not_a_dataset()),
        }
    }

    /// Appends rows along axis 0 where that is a matter of copying them, as it is for most rows after the first; false, and
    /// nothing is done, where more has to be looked at. `shape` is that of the values.
    pub(crate) fn append_rows<T: ElementValue>(
        &mut self,
        addr: Addr,
        shape: &[usize],
        values: &[T],
    ) -> Result<bool> {
        let Self {
            objects,
            heap,
            store,
            changing,
            ..
        } = self;
        let object = objects.get_mut(&addr);
        let Some(dataset) = object.and_then(|object| object.dataset.as_mut()) else {
            return Ok(false);
        };
        let place = rows_in(shape, dataset.dims())
            .and_then(|count| Some((count, dataset.place_for_rows(count)?)));
        let Some((count, place)) = place.filter(|_| !store.poisoned()) else {
            return Ok(false);
        };
        let encoded;
        let rows = match T::own_bytes(values, &dataset.datatype) {
            Some(rows) => rows,
            // What is put into the heap must not be put there twice.
            None if !dataset.is_ready(&place) => return Ok(false),
            None => {
                let mut sink = HeapSink {
                    heap,
                    store: &mut *store,
                };
                encoded = dtype::encode(values, &dataset.datatype, &mut sink)?;
                &*encoded
            }
        };
        *changing = true;
        let appended = dataset.append_rows(store, place, count, rows);
        *changing = false;
        if appended.is_err() {
            self.store.poison();
        }
        if appended? {
            self.mark_changed(addr)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads the selected elements as the file stores them.
    pub(crate) fn read_dataset(
        &mut self,
        addr: Addr,
        selection: &Resolved,
        out: &mut [u8],
    ) -> Result<()> {
        if self.dataset(addr)?.is_elsewhere() {
            return self.across(|files| files.read(FileId::ROOT, addr, selection, out));
        }
        let budget = self.budget_for(addr)?;
        self.change_parts(|engine| {
            let (object, store, _) = engine.parts(addr)?;
            match &mut object.dataset {
                Some(dataset) => dataset.settle(store),
                None => Ok(()),
            }
        })?;
        let (object, store, _) = self.parts(addr)?;
        match &mut object.dataset {
            Some(dataset) => dataset.read(store, selection, out, budget),
            None => Err(object.not_a_dataset()),
        }
    }

    /// Brings the extent of a dataset up to date, where it is virtual and depends on its sources.
    pub(crate) fn follow_extent(&mut self, addr: Addr) -> Result<()> {
        if self.dataset(addr)?.virtual_state().is_none() {
            return Ok(());
        }
        self.across(|files| files.refresh(FileId::ROOT, addr))
    }

    /// Changes the extent of a dataset.
    pub(crate) fn resize_dataset(&mut self, addr: Addr, dims: &[u64]) -> Result<()> {
        self.change(|engine| engine.change_extent(addr, dims, false))
    }

    /// `overwritten`: everything that comes into view is about to be.
    fn change_extent(&mut self, addr: Addr, dims: &[u64], overwritten: bool) -> Result<()> {
        self.dataset(addr)?;
        self.touch(addr)?;
        self.release_cut_off(addr, dims)?;
        self.unshare(addr, Some(kind::DATASPACE))?;
        let budget = self.budget_for(addr)?;
        let (object, store, _) = self.parts(addr)?;
        match &mut object.dataset {
            Some(dataset) => {
                dataset.make_editable(store)?;
                dataset.resize(store, dims, overwritten, budget)
            }
            None => Err(object.not_a_dataset()),
        }
    }

    /// Lets go of the heap objects of elements that a smaller extent cuts off.
    fn release_cut_off(&mut self, addr: Addr, dims: &[u64]) -> Result<()> {
        let dataset = self.dataset(addr)?;
        if !dataset.owns_values() {
            return Ok(());
        }
        let old = dataset.dims().to_vec();
        for axis in 0..dims.len().min(old.len()) {
            if dims[axis] >= old[axis] {
                continue;
            }
            let mut region = Resolved::whole(&old)?;
            for (before, range) in region.axes.iter_mut().enumerate().take(axis) {
                range.count = range.count.min(dims[before]);
            }
            region.axes[axis].start = dims[axis];
            region.axes[axis].count = old[axis] - dims[axis];
            self.release_selected(addr, &region)?;
        }
        Ok(())
    }

    /// Lets go of the heap objects of the selected elements, which are about to be overwritten or dropped.
    pub(crate) fn release_selected(&mut self, addr: Addr, selection: &Resolved) -> Result<()> {
        let dataset = self.dataset(addr)?;
        if !dataset.owns_values() || selection.is_empty() {
            return Ok(());
        }
        let datatype = dataset.datatype.clone();
        let element = dataset.element_size() as u64;
        let parts = match selection.element_count().saturating_mul(element) > PIECE {
            // Most of it may never have been written.
            true => {
                self.write_waiting(addr)?;
                let (object, store, _) = self.parts(addr)?;
                let dataset = object.dataset.as_mut();
                let dataset = dataset.ok_or_else(Error::not_found)?;
                dataset.stored_parts(store, selection)?
            }
            false => vec![selection.clone()],
        };
        for piece in parts.iter().flat_map(|part| part.pieces(PIECE / element)) {
            let mut bytes = vec![0; (piece.element_count() * element) as usize];
            self.read_dataset(addr, &piece, &mut bytes)?;
            self.release_values(&datatype, &bytes)?;
        }
        Ok(())
    }

    /// Lets go of the heap objects that elements refer to.
    fn release_values(&mut self, datatype: &Datatype, bytes: &[u8]) -> Result<()> {
        let Self { heap, store, .. } = self;
        release_owned(heap, store, &mut BTreeSet::new(), datatype, bytes)
    }

    /// Lets go of everything an object that is about to go has in the heap.
    pub(crate) fn release_all_values(&mut self, addr: Addr) -> Result<()> {
        let (object, store, _) = self.parts(addr)?;
        let attributes = object.attributes.list(store, &object.header)?;
        let dims = object
            .dataset
            .as_ref()
            .map(|dataset| dataset.selectable_dims().to_vec());
        let mappings = object.dataset.as_ref().and_then(Dataset::mappings_at);
        for (_, attribute) in attributes {
            self.release_attribute(&attribute)?;
        }
        if let Some(at) = mappings {
            self.heap.release(&mut self.store, at)?;
        }
        match dims {
            Some(dims) => self.release_selected(addr, &Resolved::whole(&dims)?),
            None => Ok(()),
        }
    }

    fn release_attribute(&mut self, attribute: &Attribute) -> Result<()> {
        // Another object may have the same attribute, in the shared message table.
        if attribute.heap_id.is_some() {
            return Ok(());
        }
        // What cannot be decoded keeps its heap objects; that costs space, not data.
        match attribute.datatype() {
            Ok(datatype) => self.release_values(&datatype, &attribute.data),
            Err(_) => Ok(()),
        }
    }

    /// The attribute of one name.
    pub(crate) fn attribute(
        &mut self,
        addr: Addr,
        name: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<Option<Attribute>> {
        let (object, store, _) = self.parts(addr)?;
        object.attributes.find(store, &object.header, name.as_ref())
    }

    pub(crate) fn attribute_names(&mut self, addr: Addr) -> Result<Vec<Vec<u8>>> {
        let (object, store, _) = self.parts(addr)?;
        object.attributes.names(store, &object.header)
    }

    /// Creates an attribute or replaces the one of that name. `encode` gives the bytes once everything is checked.
    pub(crate) fn set_attribute(
        &mut self,
        addr: Addr,
        name: &(impl AsRef<[u8]> + ?Sized),
        element: ElementType<'_>,
        space: &Dataspace,
        encode: impl FnOnce(&mut HeapSink<'_>) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let name = name.as_ref();
        check_name(name)?;
        let (object, store, _) = self.parts_to_edit(addr)?;
        let (attributes, header) = (&mut object.attributes, &object.header);
        let old = attributes.find(store, header, name)?;
        let is_new = old.is_none();
        let let_go = self.plan_exchange(addr, old.as_ref(), element.committed)?;
        let widths = self.store.widths();
        let datatype = element.datatype.in_file_ref(widths)?;
        datatype.check_bound(self.store.bound)?;
        let size = space
            .element_count()?
            .saturating_mul(u64::from(datatype.size()));
        let max = u64::from(u32::MAX);
        if size > max {
            return Err(Error::limit("the size of an attribute", size, max));
        }
        for &dim in &space.dims {
            widths.check_len("the extent of an axis", dim)?;
        }
        if !dense::can_be_made(widths) {
            let parts = name.len() + datatype.encode(3).len() + space.encode(widths).len();
            let message = size + parts as u64 + 64;
            Attributes::check_message(message)?;
            self.object(addr)?.header.check_room(widths, message)?;
        }
        // Encoding refuses values that do not fit before the object is changed.
        let data = self.encode(encode)?;
        let attribute = NewAttribute {
            name,
            // A name that is not UTF-8 is that of an attribute that others made.
            charset: match (core::str::from_utf8(name), &old) {
                (Ok(name), _) => super::tree::charset(name),
                (Err(_), Some(old)) => old.charset,
                (Err(_), None) => CharacterSet::Ascii,
            },
            datatype: &datatype,
            committed: element.committed,
            dataspace: space,
            data: &data,
        };
        let message = attribute.encode(widths)?;
        self.change(|engine| {
            let (object, store, _) = engine.touch(addr)?;
            let (attributes, header) = (&mut object.attributes, &mut object.header);
            match is_new {
                true => attributes.add(store, header, name, message)?,
                false => {
                    let old = attributes.replace(store, header, name, message)?;
                    if let Some(old) = old {
                        engine.release_attribute(&old)?;
                    }
                }
            }
            match let_go {
                Exchange::Same => Ok(()),
                Exchange::Other(doomed) => {
                    if let Some(committed) = element.committed {
                        engine.hold_named(committed, addr)?;
                    }
                    engine.drop_all_links(addr, doomed)
                }
            }
        })
    }

    /// Gives an attribute another name.
    pub(crate) fn rename_attribute(&mut self, addr: Addr, old: &[u8], new: &str) -> Result<()> {
        check_name(new.as_bytes())?;
        self.check_editable(addr)?;
        if self.attribute(addr, old)?.is_none() {
            return Err(Error::new(ErrorKind::NotFound));
        }
        if self.attribute(addr, new)?.is_some() {
            return Err(Error::new(ErrorKind::Exists));
        }
        self.change(|engine| {
            let (object, store, _) = engine.touch(addr)?;
            object
                .attributes
                .rename(store, &mut object.header, old, new)
        })
    }

    pub(crate) fn delete_attribute(
        &mut self,
        addr: Addr,
        name: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<()> {
        let name = name.as_ref();
        self.check_editable(addr)?;
        let Some(old) = self.attribute(addr, name)? else {
            return Err(Error::new(ErrorKind::NotFound));
        };
        let doomed = match self.held_datatype_of(&old)? {
            Some(held) => self.plan_removal(addr, held)?,
            None => Vec::new(),
        };
        self.change(|engine| {
            let (object, store, _) = engine.touch(addr)?;
            let removed = object.attributes.remove(store, &mut object.header, name)?;
            if let Some(old) = removed {
                engine.release_attribute(&old)?;
            }
            engine.drop_all_links(addr, doomed)
        })
    }
}

/// How many rows of a dataset of extent `dims` an array of this shape is: one, where it has the shape of a row.
fn rows_in(shape: &[usize], dims: &[u64]) -> Option<u64> {
    let (_, row) = dims.split_first()?;
    let is_row = |shape: &[usize]| {
        shape.len() == row.len() && shape.iter().zip(row).all(|(&a, &b)| a as u64 == b)
    };
    match shape.split_first() {
        _ if is_row(shape) => Some(1),
        Some((&count, rest)) if is_row(rest) => Some(count as u64),
        _ => None,
    }
}

/// Refuses what cannot be the name of an attribute.
fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("the name of an attribute is empty"));
    }
    if name.contains(&0) {
        let name = alloc::string::String::from_utf8_lossy(name);
        return Err(Error::invalid(alloc::format!(
            "the name {name:?} has a NUL"
        )));
    }
    if name.len() >= usize::from(u16::MAX) {
        // With the NUL that ends it.
        let (len, max) = (name.len() as u64, u64::from(u16::MAX) - 1);
        return Err(Error::limit("the length of an attribute's name", len, max));
    }
    Ok(())
}

/// Lets go of the heap objects that elements own, those of the parts of sequences first. No two elements of an honest file
/// own the same one: what was seen is not looked at again.
fn release_owned(
    heap: &mut GlobalHeap,
    store: &mut Store,
    seen: &mut BTreeSet<HeapRef>,
    datatype: &Datatype,
    bytes: &[u8],
) -> Result<()> {
    let width = store.widths().offset;
    for_each_owned(datatype, bytes, width, &mut |at, owner| {
        if let Owner::Sequence(base, len) = owner
            && base.contains_var_len()
            && seen.insert(at)
        {
            let size = len.saturating_mul(base.size() as usize);
            let parts = heap.with(store, at, |bytes| bytes.get(..size).map(<[u8]>::to_vec));
            // What cannot be read keeps its heap objects; that costs space, not data.
            if let Ok(Some(parts)) = parts {
                release_owned(heap, store, seen, base, &parts)?;
            }
        }
        heap.release(store, at)
    })
}
