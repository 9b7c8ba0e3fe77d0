//! How the messages of a header become a dataset.

use super::{Data, Dataset, index_shape, max_dims};
use crate::chunk::Grid;
use crate::error::{Error, Result};
use crate::filter::Pipeline;
use crate::format::message::dataspace::Dataspace;
use crate::format::message::datatype::Datatype;
use crate::format::message::external_files::ExternalFiles;
use crate::format::message::fill_value::{Fill, FillValue};
use crate::format::message::filter_pipeline::{FilterDescription, FilterPipeline};
use crate::format::message::kind;
use crate::format::message::layout::{ChunkedLayout, Layout, LayoutClass, UNFILTERED_EDGES};
use crate::index;
use crate::infra::global_heap::HeapRef;
use crate::object::chunks::Chunks;
use crate::object::contiguous::Contiguous;
use crate::object::external::External;
use crate::object::header::Header;
use crate::object::heap_ids::{forget_empty, names_places};
use crate::object::shared::message_data;
use crate::object::virtual_dataset::Virtual;
use crate::store::Store;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

impl Dataset {
    /// The dataset of the object, where it is one.
    pub(crate) fn load(store: &Store, header: &Header) -> Result<Option<Self>> {
        let at = header.addr.get();
        let Some(layout) = header.message(kind::LAYOUT) else {
            return Ok(None);
        };
        let data_of = |number: u8, name: &'static str| -> Result<Cow<'_, [u8]>> {
            let message = header.message(number).ok_or_else(|| {
                Error::corrupt(
                    "object header",
                    format!("a dataset without a {name} message"),
                )
                .at(at)
            })?;
            message_data(store, header, message)
        };
        let space = data_of(kind::DATASPACE, "dataspace")?;
        let space = Dataspace::decode(&space, store.widths(), at)?;
        let (datatype, _, _) = Datatype::decode(&data_of(kind::DATATYPE, "datatype")?, at)?;
        if datatype.check_widths(store.widths()).is_err() {
            return Err(Error::corrupt("datatype message", "an address has another size").at(at));
        }
        let element = datatype.size() as usize;
        let mut fill = load_fill(store, header, element)?;
        forget_empty(&datatype, &mut fill);
        let filters = match header.message(kind::FILTER_PIPELINE) {
            Some(message) => {
                FilterPipeline::decode(&message_data(store, header, message)?, at)?.filters
            }
            None => Vec::new(),
        };
        let layout = Layout::decode(&layout.data, store.widths(), at)?;
        let max_dims = max_dims(&space);
        let data = match header.message(kind::EXTERNAL_FILES) {
            Some(message) => {
                let message = message_data(store, header, message)?;
                load_external(store, &layout.class, &message)
            }
            None => load_data(
                store,
                layout.class,
                layout.version,
                &space,
                &max_dims,
                &filters,
                element,
            ),
        };
        let mut data = data.map_err(|error| error.at(at))?;
        match &mut data {
            Data::Contiguous(contiguous) => contiguous.always_copied = names_places(&datatype),
            Data::Chunked { chunks, .. } => chunks.set_always_copied(names_places(&datatype)),
            _ => {}
        }
        Ok(Some(Self {
            datatype,
            space,
            filters,
            max_dims,
            fill,
            layout_version: layout.version,
            data,
            messages_changed: false,
            appendable: false,
            widths: store.widths(),
        }))
    }
}

/// One element of the fill value; nothing for zeros.
fn load_fill(store: &Store, header: &Header, element: usize) -> Result<Vec<u8>> {
    let at = header.addr.get();
    let value = match (
        header.message(kind::FILL_VALUE),
        header.message(kind::FILL_VALUE_OLD),
    ) {
        (Some(message), _) => FillValue::decode(&message_data(store, header, message)?, at)?.value,
        (None, Some(message)) => {
            FillValue::decode_old(&message_data(store, header, message)?, at)?.value
        }
        (None, None) => Fill::Default,
    };
    match value {
        Fill::Value(value) if value.len() == element => Ok(value),
        Fill::Value(value) if value.is_empty() => Ok(Vec::new()),
        Fill::Value(_) => {
            Err(Error::corrupt("fill value message", "its size is not that of an element").at(at))
        }
        Fill::Default | Fill::Undefined => Ok(Vec::new()),
    }
}

fn load_data(
    store: &Store,
    class: LayoutClass,
    version: u8,
    space: &Dataspace,
    max_dims: &[Option<u64>],
    filters: &[FilterDescription],
    element: usize,
) -> Result<Data> {
    let bytes = space.element_count()?.checked_mul(element as u64);
    let bytes =
        bytes.ok_or_else(|| Error::corrupt("dataspace message", "the size in bytes overflows"))?;
    match class {
        LayoutClass::Compact(data) if data.len() as u64 == bytes => Ok(Data::Compact(data.into())),
        LayoutClass::Compact(_) => Err(Error::corrupt(
            "data layout message",
            "the compact data have another size",
        )),
        LayoutClass::Contiguous { addr, size } => {
            if addr.is_some() && size != bytes && version > 2 {
                return Err(Error::corrupt(
                    "data layout message",
                    "the contiguous data have another size",
                ));
            }
            let contiguous = Contiguous {
                always_copied: false,
                addr,
                size: bytes,
            };
            if let Some(extent) = contiguous.extent() {
                store.check_bounds(extent, "contiguous data")?;
            }
            Ok(Data::Contiguous(contiguous))
        }
        LayoutClass::Chunked(layout) => {
            load_chunks(store, layout, version, space, max_dims, filters, element)
        }
        LayoutClass::Virtual { heap, index } => {
            let heap = heap.map(|addr| HeapRef { addr, index });
            Virtual::load(store, heap, space.dims.len()).map(Data::Virtual)
        }
    }
}

fn load_external(store: &Store, class: &LayoutClass, message: &[u8]) -> Result<Data> {
    if !matches!(class, LayoutClass::Contiguous { .. }) {
        return Err(Error::corrupt(
            "external data files message",
            "the layout is not contiguous",
        ));
    }
    let message = ExternalFiles::decode(message, store.widths(), 0)?;
    External::load(store, &message).map(|external| Data::External(Arc::new(external)))
}

fn load_chunks(
    store: &Store,
    layout: ChunkedLayout,
    version: u8,
    space: &Dataspace,
    max_dims: &[Option<u64>],
    filters: &[FilterDescription],
    element: usize,
) -> Result<Data> {
    if layout.chunk.len() != space.dims.len() {
        return Err(Error::corrupt(
            "data layout message",
            "chunk and dataset differ in rank",
        ));
    }
    if layout.element_size as usize != element {
        return Err(Error::corrupt(
            "data layout message",
            "the element size is not that of the datatype",
        ));
    }
    let grid = Grid::new(layout.chunk.clone(), element)?;
    let pipeline = Pipeline::new(&store.filters, filters)?;
    let widths = store.widths();
    let shape = index_shape(&grid, &pipeline, &space.dims, max_dims, false, widths);
    let index = index::open(store, &layout.index, &shape, layout.flags, version)?;
    let chunks = Chunks::new(grid, pipeline, index, space.dims.clone())
        .with_raw_edges(layout.flags & UNFILTERED_EDGES != 0);
    Ok(Data::Chunked {
        chunks: Box::new(chunks),
        flags: layout.flags,
    })
}
