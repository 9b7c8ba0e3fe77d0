//! A dataset: its messages as values, and its data wherever the layout keeps them.

mod direct;
mod load;
mod outside;
mod stored;
mod tails;
mod verify;

use super::chunks::{Chunks, RowsPlace, Shape};
use super::contiguous::Contiguous;
use super::external::External;
use super::header::Header;
use super::heap_ids::{for_each_owned, names_places};
use super::plan::{LayoutChoice, Plan};
use super::virtual_dataset::Virtual;
use crate::bytes::{Addr, ShortBytes, Widths};
use crate::chunk::{Fill, Grid};
use crate::error::{Error, Result};
use crate::filter::Pipeline;
use crate::format::libver::LibVer;
use crate::format::message::dataspace::{Dataspace, DataspaceKind};
use crate::format::message::datatype::Datatype;
use crate::format::message::fill_value::{AllocTime, Fill as FillMessage, FillTime, FillValue};
use crate::format::message::filter_pipeline::{FilterDescription, FilterPipeline};
use crate::format::message::layout::{
    ChunkedLayout, IndexLayout, Layout, LayoutClass, UNFILTERED_EDGES, encode_compact,
};
use crate::format::message::shared::Shared;
use crate::format::message::{RawMessage, flag, kind};
use crate::format::virtual_layout::VirtualLayout;
use crate::index::{self, IndexShape};
use crate::infra::global_heap::{GlobalHeap, HeapRef};
use crate::selection::Resolved;
use crate::store::Store;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

pub(crate) use stored::{NewChunks, Stored};

/// As many messages as most datasets come to have: extent, type, fill value, layout and some attributes.
pub(super) const USUAL_MESSAGES: usize = 8;

#[derive(Debug)]
enum Data {
    Compact(ShortBytes),
    Contiguous(Contiguous),
    Chunked {
        /// Apart, so that objects without chunks are small.
        chunks: Box<Chunks>,
        flags: u8,
    },
    /// In other datasets: read by [`Files::read`](super::other_files::Files::read), never written.
    Virtual(Virtual),
    /// In files of no format: read and written by way of [`Files`](super::other_files::Files).
    External(Arc<External>),
}

#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) datatype: Datatype,
    pub(crate) space: Dataspace,
    pub(crate) filters: Vec<FilterDescription>,
    max_dims: Vec<Option<u64>>,
    /// An element of the fill value; nothing for zeros.
    fill: Vec<u8>,
    layout_version: u8,
    data: Data,
    /// The extent or the layout differs from what the header says.
    messages_changed: bool,
    /// Rows have been appended, so that everything that more rows need has been checked and made.
    appendable: bool,
    widths: Widths,
}

impl Dataset {
    /// A new dataset of the `layout` that the check of the plan has found, with the messages its header opens with.
    pub(crate) fn create(
        store: &mut Store,
        heap: &mut GlobalHeap,
        plan: Plan,
        layout: LayoutChoice,
    ) -> Result<(Self, Vec<RawMessage>)> {
        if plan.outside.is_some() {
            return Self::create_outside(store, heap, plan);
        }
        let max_dims = plan.max_dims();
        let bytes = plan.bytes()?;
        let element = plan.datatype.size() as usize;
        let fill = plan.fill.clone().unwrap_or_default();
        let mut filters = Vec::new();
        let data = match layout {
            LayoutChoice::Compact => {
                let mut data = ShortBytes::zeros(bytes as usize);
                Fill::new(&fill, element).put(&mut data);
                Data::Compact(data)
            }
            LayoutChoice::Chunked => {
                let (grid, described, pipeline) = plan.chunks(&store.filters)?;
                filters = described;
                let dims = &plan.space.dims;
                let widths = store.widths();
                let shape = index_shape(&grid, &pipeline, dims, &max_dims, plan.early, widths);
                let index = match store.bound {
                    LibVer::V110 => index::choose(&shape),
                    _ => index::choose_v18(store, &shape)?,
                };
                let mut chunks = Chunks::new(grid, pipeline, index, vec![0; max_dims.len()]);
                chunks.set_always_copied(names_places(&plan.datatype));
                let flags = if plan.raw_edges { UNFILTERED_EDGES } else { 0 };
                Data::Chunked {
                    chunks: Box::new(chunks.with_raw_edges(plan.raw_edges)),
                    flags,
                }
            }
            _ => Data::Contiguous(Contiguous {
                always_copied: names_places(&plan.datatype),
                addr: None,
                size: bytes,
            }),
        };
        let mut dataset = Self {
            datatype: plan.datatype,
            space: plan.space,
            filters,
            max_dims,
            fill,
            layout_version: match store.bound {
                LibVer::V110 => 4,
                _ => 3,
            },
            data,
            messages_changed: true,
            appendable: false,
            widths: store.widths(),
        };
        if plan.early {
            dataset.allocate(store)?;
        }
        let mut messages = dataset.initial_messages(store, plan.fill, plan.fill_time, plan.early);
        name_committed(&mut messages, plan.committed, store.widths());
        Ok((dataset, messages))
    }

    fn allocate(&mut self, store: &mut Store) -> Result<()> {
        let dims = self.space.dims.clone();
        let shape = Shape {
            dims: &dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        match &mut self.data {
            Data::Contiguous(contiguous) => contiguous.allocate(store, shape.fill),
            Data::Chunked { chunks, .. } => chunks.allocate_all(store, shape),
            Data::Compact(_) | Data::Virtual(_) | Data::External(_) => Ok(()),
        }
    }

    fn initial_messages(
        &self,
        store: &Store,
        fill: Option<Vec<u8>>,
        fill_time: FillTime,
        early: bool,
    ) -> Vec<RawMessage> {
        let alloc_time = match &self.data {
            _ if early => AllocTime::Early,
            Data::Compact(_) => AllocTime::Early,
            Data::Contiguous(_) | Data::External(_) => AllocTime::Late,
            Data::Chunked { .. } | Data::Virtual(_) => AllocTime::Incremental,
        };
        let fill = fill.map_or(FillMessage::Default, FillMessage::Value);
        let mut messages = Vec::with_capacity(USUAL_MESSAGES);
        messages.extend([
            RawMessage::new(kind::DATASPACE, 0, self.space.encode(store.widths())),
            RawMessage::new(
                kind::DATATYPE,
                flag::CONSTANT,
                self.datatype.encode(datatype_version(&self.datatype)),
            ),
            RawMessage::new(
                kind::FILL_VALUE,
                flag::CONSTANT,
                FillValue::new(alloc_time, fill_time, fill).encode(),
            ),
        ]);
        if !self.filters.is_empty() {
            let pipeline = FilterPipeline::new(self.filters.clone());
            messages.push(RawMessage::new(
                kind::FILTER_PIPELINE,
                flag::CONSTANT,
                pipeline.encode(),
            ));
        }
        messages
    }

    pub(crate) fn dims(&self) -> &[u64] {
        &self.space.dims
    }

    pub(crate) fn max_dims(&self) -> &[Option<u64>] {
        &self.max_dims
    }

    /// Whether the extent can grow.
    pub(crate) fn can_grow(&self) -> bool {
        if self.virtual_state().is_some() {
            return false;
        }
        let axes = self.max_dims.iter().zip(&self.space.dims);
        axes.into_iter().any(|(max, dim)| *max != Some(*dim))
    }

    /// The shape of a chunk, where the layout is chunked.
    pub(crate) fn chunk(&self) -> Option<&[u64]> {
        match &self.data {
            Data::Chunked { chunks, .. } => Some(chunks.grid.chunk()),
            _ => None,
        }
    }

    pub(crate) fn layout_name(&self) -> &'static str {
        match &self.data {
            Data::Compact(_) => "compact",
            Data::Contiguous(_) => "contiguous",
            Data::Chunked { .. } => "chunked",
            Data::Virtual(_) => "virtual",
            Data::External(_) => "external",
        }
    }

    /// Whether elements are read by way of other datasets or files.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(&self.data, Data::Virtual(_) | Data::External(_))
    }

    /// Whether elements refer to objects of the heap that nothing else refers to.
    pub(crate) fn owns_values(&self) -> bool {
        self.datatype.contains_var_len() && !self.is_elsewhere()
    }

    pub(crate) fn virtual_state(&self) -> Option<&Virtual> {
        match &self.data {
            Data::Virtual(state) => Some(state),
            _ => None,
        }
    }

    pub(crate) fn virtual_layout(&self) -> Option<Arc<VirtualLayout>> {
        self.virtual_state().map(Virtual::layout)
    }

    /// Where the mappings of a virtual dataset are in the heap.
    pub(crate) fn mappings_at(&self) -> Option<HeapRef> {
        self.virtual_state().and_then(Virtual::heap)
    }

    pub(crate) fn known_blocks(&self, mapping: usize) -> u64 {
        self.virtual_state()
            .map_or(0, |state| state.known_blocks(mapping))
    }

    pub(crate) fn set_known_blocks(&mut self, mapping: usize, count: u64) {
        if let Data::Virtual(state) = &mut self.data {
            state.set_known_blocks(mapping, count);
        }
    }

    /// Takes over the extent that the sources of a virtual dataset give it. The file is not changed.
    pub(crate) fn follow_extent(&mut self, dims: Vec<u64>) -> Result<()> {
        let axes = dims.iter().zip(&self.max_dims).zip(&self.space.dims);
        for ((dim, max), now) in axes {
            if dim != now && max.is_some_and(|max| *dim > max) {
                return Err(Error::corrupt(
                    "virtual dataset",
                    "the sources reach beyond the greatest extent",
                ));
            }
        }
        crate::extents::product(dims.iter().copied())?;
        self.space.dims = dims;
        Ok(())
    }

    pub(crate) fn external(&self) -> Option<Arc<External>> {
        match &self.data {
            Data::External(external) => Some(external.clone()),
            _ => None,
        }
    }

    /// Makes every element of `elements` the fill value.
    pub(crate) fn put_fill(&self, elements: &mut [u8]) {
        Fill::new(&self.fill, self.element_size()).put(elements);
    }

    pub(crate) fn num_chunks(&mut self, store: &mut Store) -> Result<Option<u64>> {
        match &mut self.data {
            Data::Chunked { chunks, .. } => chunks.num_chunks(store).map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn cached_bytes(&self) -> usize {
        match &self.data {
            Data::Chunked { chunks, .. } => chunks.cached_bytes(),
            _ => 0,
        }
    }

    pub(crate) fn element_size(&self) -> usize {
        self.datatype.size() as usize
    }

    /// As [`Dataspace::selectable_dims`].
    pub(crate) fn selectable_dims(&self) -> &[u64] {
        self.space.selectable_dims()
    }

    /// Gives chunks that are on their way through the filters their places.
    pub(crate) fn settle(&mut self, store: &mut Store) -> Result<()> {
        match &mut self.data {
            Data::Chunked { chunks, .. } => chunks.settle(store),
            _ => Ok(()),
        }
    }

    /// From here on rows may get a [place](Self::place_for_rows): rows have been appended, so that everything that more of
    /// them need has been checked and made.
    pub(crate) fn set_appendable(&mut self) {
        self.appendable = true;
    }

    /// Where rows along axis 0 go, where that is a matter of copying them.
    pub(crate) fn place_for_rows(&self, count: u64) -> Option<RowsPlace> {
        let Data::Chunked { chunks, .. } = &self.data else {
            return None;
        };
        let grown = self.space.dims.first()?.checked_add(count)?;
        let fits = self.max_dims[0].is_none_or(|max| grown <= max);
        match self.appendable && fits {
            true => chunks.place_for_rows(&self.space.dims, count),
            false => None,
        }
    }

    /// Whether [`append_rows`](Self::append_rows) will put rows into that place.
    pub(crate) fn is_ready(&self, place: &RowsPlace) -> bool {
        matches!(&self.data, Data::Chunked { chunks, .. } if chunks.is_ready(place))
    }

    /// Appends rows along axis 0, given as the file stores them, at the place found for them; false, and nothing is done,
    /// where more has to be looked at.
    pub(crate) fn append_rows(
        &mut self,
        store: &mut Store,
        place: RowsPlace,
        count: u64,
        rows: &[u8],
    ) -> Result<bool> {
        let Data::Chunked { chunks, .. } = &mut self.data else {
            return Ok(false);
        };
        if !chunks.append_rows(store, place, rows)? {
            return Ok(false);
        }
        self.space.dims[0] += count;
        self.messages_changed = true;
        Ok(true)
    }

    /// Writes the dense array `bytes` to the selected elements.
    pub(crate) fn write(
        &mut self,
        store: &mut Store,
        selection: &Resolved,
        bytes: &[u8],
        budget: usize,
    ) -> Result<()> {
        let dims = self.space.selectable_dims();
        let shape = Shape {
            dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        match &mut self.data {
            Data::Compact(data) => {
                self.messages_changed = true;
                crate::chunk::for_each_run(
                    dims,
                    shape.fill.element_size(),
                    selection,
                    &mut |at, dense, len| {
                        data[at as usize..at as usize + len]
                            .copy_from_slice(&bytes[dense..dense + len]);
                        Ok(())
                    },
                )
            }
            Data::Contiguous(contiguous) => {
                let before = contiguous.addr;
                contiguous.write(store, shape, selection, bytes)?;
                self.messages_changed |= contiguous.addr != before;
                Ok(())
            }
            Data::Chunked { chunks, .. } => chunks.write(store, shape, selection, bytes, budget),
            Data::Virtual(_) => self.check_writable(),
            Data::External(_) => Err(Error::unsupported(
                "writing elements of other files without them",
            )),
        }
    }

    /// Reads the selected elements into the dense array `out`.
    pub(crate) fn read(
        &mut self,
        store: &Store,
        selection: &Resolved,
        out: &mut [u8],
        budget: usize,
    ) -> Result<()> {
        let dims = self.space.selectable_dims();
        let shape = Shape {
            dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        match &mut self.data {
            Data::Compact(data) => crate::chunk::for_each_run(
                dims,
                shape.fill.element_size(),
                selection,
                &mut |at, dense, len| {
                    out[dense..dense + len].copy_from_slice(&data[at as usize..at as usize + len]);
                    Ok(())
                },
            ),
            Data::Contiguous(contiguous) => contiguous.read(store, shape, selection, out),
            Data::Chunked { chunks, .. } => chunks.read(store, shape, selection, out, budget),
            Data::Virtual(_) | Data::External(_) => Err(Error::unsupported(
                "reading elements of other files without them",
            )),
        }
    }

    /// Refuses where elements cannot be written.
    pub(crate) fn check_writable(&self) -> Result<()> {
        match &self.data {
            Data::Chunked { chunks, .. } => chunks.pipeline.check(),
            Data::Virtual(_) => Err(Error::unsupported(
                "changing the data of a virtual dataset (they are in its sources: write there)",
            )),
            Data::External(_) if self.datatype.contains_var_len() => Err(Error::unsupported(
                "changing elements of variable length in external files",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a fill value that names an object of the heap. Every element that holds the fill value would need an object
    /// of its own, as libhdf5 makes them: who overwrites an element, drops its object.
    pub(super) fn check_fill(&self) -> Result<()> {
        for_each_owned(
            &self.datatype,
            &self.fill,
            self.widths.offset,
            &mut |_, _| {
                Err(Error::unsupported(
                    "changing data whose fill value is of variable length and not empty",
                ))
            },
        )
    }

    /// Whether the extent may become `dims`.
    pub(crate) fn check_resize(&self, dims: &[u64]) -> Result<()> {
        if self.space.kind != DataspaceKind::Simple || dims.len() != self.space.dims.len() {
            return Err(Error::invalid(format!(
                "the new extent has {} dimensions, the dataset {}",
                dims.len(),
                self.space.dims.len()
            )));
        }
        for (axis, (&dim, max)) in dims.iter().zip(&self.max_dims).enumerate() {
            if let Some(max) = max
                && dim > *max
            {
                return Err(Error::invalid(format!(
                    "axis {axis}: the extent {dim} is beyond the maximum {max}"
                )));
            }
        }
        for &dim in dims {
            self.widths.check_len("the extent of an axis", dim)?;
        }
        let same = dims == self.space.dims;
        match &self.data {
            Data::Chunked { .. } => crate::extents::product(dims.iter().copied()).map(|_| ()),
            _ if same => Ok(()),
            Data::External(external) => {
                let elements = crate::extents::product(dims.iter().copied())?;
                match elements.checked_mul(u64::from(self.datatype.size())) {
                    _ if dims[1..] != self.space.dims[1..] => Err(Error::invalid(
                        "data in external files grow along the first axis only",
                    )),
                    Some(bytes) if bytes <= external.room() => Ok(()),
                    _ => Err(Error::invalid(format!(
                        "the external files have room for {} bytes",
                        external.room()
                    ))),
                }
            }
            _ => Err(Error::invalid(format!(
                "a dataset with {} layout cannot change its extent",
                self.layout_name()
            ))),
        }
    }

    /// Whether no chunk has to be looked into to make the extent `dims`: chunks come and go as wholes.
    pub(crate) fn resizes_by_whole_chunks(&self, dims: &[u64]) -> bool {
        let Data::Chunked { chunks, flags } = &self.data else {
            return false;
        };
        let (old, chunk) = (&self.space.dims, chunks.grid.chunk());
        let grows = dims.iter().zip(old).any(|(new, old)| new > old);
        // Before it grows, rows that a death left behind the last one are looked for.
        let is_cut = old.iter().zip(chunk).next();
        if grows && is_cut.is_some_and(|(rows, chunk)| !rows.is_multiple_of(*chunk)) {
            return false;
        }
        let mut axes = dims.iter().zip(old).zip(chunk);
        !self.datatype.contains_var_len()
            && flags & UNFILTERED_EDGES == 0
            && dims.len() == self.space.dims.len()
            && axes.all(|((new, old), chunk)| new == old || new.min(old).is_multiple_of(*chunk))
    }

    /// Makes the extent `dims`, which [`check_resize`](Self::check_resize) has allowed. `overwritten`: everything that comes
    /// into view is about to be.
    pub(crate) fn resize(
        &mut self,
        store: &mut Store,
        dims: &[u64],
        overwritten: bool,
        budget: usize,
    ) -> Result<()> {
        if dims == self.space.dims {
            return Ok(());
        }
        let old = core::mem::replace(&mut self.space.dims, dims.to_vec());
        // A maximum that is not stored is the extent, which now differs.
        self.space.max.get_or_insert_with(|| self.max_dims.clone());
        self.messages_changed = true;
        let shape = |dims| Shape {
            dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        let Data::Chunked { chunks, .. } = &mut self.data else {
            return Ok(());
        };
        if !store.stamped() {
            chunks.make_edges_whole(store, shape(&old), dims, budget)?;
        }
        chunks.change_edges(store, shape(&old), shape(dims))?;
        let grows = dims.iter().zip(&old).any(|(new, old)| new > old);
        if grows && (!overwritten || store.untidy) {
            chunks.scrub(store, shape(&old), budget)?;
        }
        if dims.iter().zip(&old).any(|(new, old)| new < old) {
            chunks.shrink(store, shape(dims), &old, budget)?;
        }
        Ok(())
    }

    /// Brings all data to the store and says in the header where they are.
    pub(crate) fn stage(
        &mut self,
        store: &mut Store,
        header: &mut Header,
        closing: bool,
    ) -> Result<()> {
        let shape = Shape {
            dims: &self.space.dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        let class = match &mut self.data {
            // The messages stay as they are, but for the extent.
            Data::Virtual(_) | Data::External(_) => {
                if core::mem::take(&mut self.messages_changed) {
                    header.set_message(kind::DATASPACE, self.space.encode(store.widths()));
                }
                return Ok(());
            }
            Data::Compact(data) => {
                if core::mem::take(&mut self.messages_changed) {
                    // A new header has the extent, which compact data keep.
                    if !header.is_new() {
                        header.set_message(kind::DATASPACE, self.space.encode(store.widths()));
                    }
                    let version = self.layout_version.max(3);
                    header.set_message(kind::LAYOUT, encode_compact(version, data));
                }
                return Ok(());
            }
            Data::Contiguous(contiguous) => LayoutClass::Contiguous {
                addr: contiguous.addr,
                size: contiguous.size,
            },
            Data::Chunked { chunks, flags } => {
                chunks.write_back_all(store, shape, closing)?;
                if !chunks.index_changed() && !self.messages_changed && !header.is_new() {
                    return Ok(());
                }
                if !chunks.index_changed() && !header.is_new() && !chunks.converted {
                    // Only the extent is another.
                    header.set_message(kind::DATASPACE, self.space.encode(store.widths()));
                    self.messages_changed = false;
                    return Ok(());
                }
                let index = chunks.stage(store)?;
                if chunks.converted {
                    self.layout_version = 4;
                }
                LayoutClass::Chunked(ChunkedLayout {
                    flags: *flags,
                    chunk: chunks.grid.chunk().to_vec(),
                    element_size: self.datatype.size(),
                    index,
                })
            }
        };
        let version = match &class {
            LayoutClass::Chunked(chunked)
                if matches!(chunked.index, IndexLayout::BTreeV1 { .. }) =>
            {
                3
            }
            LayoutClass::Chunked(_) => self.layout_version.max(4),
            _ => self.layout_version.max(3),
        };
        if self.messages_changed || matches!(class, LayoutClass::Chunked(_)) {
            header.set_message(kind::DATASPACE, self.space.encode(store.widths()));
            let layout = Layout { version, class };
            header.set_message(kind::LAYOUT, layout.encode(store.widths()));
        }
        self.messages_changed = false;
        Ok(())
    }

    pub(crate) fn committed(&mut self) {
        if let Data::Chunked { chunks, .. } = &mut self.data {
            chunks.committed(&self.space.dims);
        }
    }

    /// An index that is only read is rebuilt as one that can be changed.
    pub(crate) fn make_editable(&mut self, store: &mut Store) -> Result<()> {
        if let Data::Chunked { chunks, .. } = &mut self.data
            && chunks.make_editable(store, &self.space.dims, &self.max_dims)?
        {
            self.messages_changed = true;
        }
        Ok(())
    }

    /// Frees cached chunks until `budget` bytes are left.
    pub(crate) fn keep_within(&mut self, store: &mut Store, budget: usize) -> Result<()> {
        let shape = Shape {
            dims: &self.space.dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        match &mut self.data {
            Data::Chunked { chunks, .. } => chunks.keep_within(store, shape, budget),
            _ => Ok(()),
        }
    }

    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        match &mut self.data {
            Data::Compact(_) | Data::Virtual(_) => {}
            // In a file by others the heap of the names may serve another dataset, too: it stays.
            Data::External(external) => {
                if store.stamped() {
                    external
                        .blocks()
                        .iter()
                        .for_each(|&block| store.free(block));
                }
            }
            Data::Contiguous(contiguous) => {
                if let Some(extent) = contiguous.extent() {
                    store.free_raw(extent);
                }
            }
            Data::Chunked { chunks, .. } => chunks.free_all(store)?,
        }
        Ok(())
    }
}

/// Says in the messages of a new dataset which object its datatype is, where that was committed.
fn name_committed(messages: &mut [RawMessage], committed: Option<Addr>, widths: Widths) {
    let mut messages = messages.iter_mut();
    let datatype = messages.find(|message| message.kind == kind::DATATYPE);
    if let (Some(addr), Some(message)) = (committed, datatype) {
        message.data = Shared::committed(addr).encode(widths);
        message.flags |= flag::SHARED;
    }
}

/// The largest extent of each axis; where none is stored the extent is fixed.
pub(super) fn max_dims(space: &Dataspace) -> Vec<Option<u64>> {
    match &space.max {
        Some(max) => max.clone(),
        None => space.dims.iter().map(|&dim| Some(dim)).collect(),
    }
}

fn index_shape(
    grid: &Grid,
    pipeline: &Pipeline,
    dims: &[u64],
    max_dims: &[Option<u64>],
    early: bool,
    widths: Widths,
) -> IndexShape {
    IndexShape {
        chunk: grid.chunk().to_vec(),
        chunk_bytes: grid.chunk_bytes() as u64,
        filtered: !pipeline.is_empty(),
        dims: dims.to_vec(),
        max_dims: max_dims.to_vec(),
        early,
        widths,
    }
}

/// As libhdf5 writes them for HDF5 1.10: version 3 where there are members, arrays or references, else version 1.
pub(super) fn datatype_version(datatype: &Datatype) -> u8 {
    match datatype {
        Datatype::Compound { .. } | Datatype::Enum { .. } | Datatype::Array { .. } => 3,
        Datatype::VarLenSequence { base, .. } => datatype_version(base),
        _ => 1,
    }
}
