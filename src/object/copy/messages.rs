//! The messages of a copied header: those that name no place go over byte for byte, the others are made anew; what
//! may name a place that is not known here is refused.

use super::Engines;
use super::Mode;
use super::data;
use super::elements::Converter;
use super::plan::Planned;
use crate::bytes::{Addr, Extent, Put, ShortBytes, Take};
use crate::error::{Error, Result};
use crate::format::legacy::local_heap::{self, LocalHeap};
use crate::format::message::fill_value::{Fill, FillValue};
use crate::format::message::group_info::GroupInfo;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::format::message::shared::Shared;
use crate::format::message::{RawMessage, flag, kind};
use crate::infra::global_heap::HeapRef;
use crate::object::engine::Engine;
use crate::object::header::Header;
use crate::object::shared::message_data;
use crate::store::Store;
use alloc::format;
use alloc::vec::Vec;

/// A message of no meaning that tests of libhdf5 write.
const BOGUS: u8 = 0x09;

/// The messages of the object at `addr` that a copy gets, before links and attributes. Refuses what cannot be copied.
pub(super) fn check(engine: &mut Engine, addr: Addr, mode: &Mode) -> Result<Vec<RawMessage>> {
    let (object, store, _) = engine.parts(addr)?;
    let mut messages = Vec::new();
    for message in &object.header.messages {
        match message.kind {
            kind::LINK | kind::ATTRIBUTE | kind::ATTRIBUTE_INFO | kind::REFERENCE_COUNT => {}
            kind::SYMBOL_TABLE => {
                if let Some(links) = &object.links {
                    messages.extend(links.initial_messages(store, GroupInfo::default()));
                }
            }
            kind::DATASPACE
            | kind::LINK_INFO
            | kind::DATATYPE
            | kind::FILL_VALUE
            | kind::FILL_VALUE_OLD
            | kind::EXTERNAL_FILES
            | kind::LAYOUT
            | kind::GROUP_INFO
            | kind::FILTER_PIPELINE
            | kind::COMMENT
            | kind::MODIFICATION_TIME
            | kind::MODIFICATION_TIME_OLD
            | BOGUS => {
                if message.kind == kind::DATATYPE {
                    mode.check_datatype(&message_data(store, &object.header, message)?)
                        .map_err(|error| error.at(addr.get()))?;
                }
                messages.push(unshared(store, &object.header, message)?);
            }
            other => {
                return Err(Error::unsupported(format!(
                    "copying a header message of type {other:#04x}, which may name places in the file"
                ))
                .at(addr.get()));
            }
        }
    }
    check_data(engine, addr, mode)?;
    Ok(messages)
}

/// A message with bytes of its own, but for one that names a committed datatype.
fn unshared(store: &Store, header: &Header, message: &RawMessage) -> Result<RawMessage> {
    if message.flags & flag::SHARED == 0 || committed(store, message)?.is_some() {
        return Ok(message.clone());
    }
    Ok(RawMessage {
        flags: message.flags & !flag::SHARED,
        data: message_data(store, header, message)?.into_owned().into(),
        ..message.clone()
    })
}

/// The committed datatype that a message stands for.
pub(super) fn committed(store: &Store, message: &RawMessage) -> Result<Option<Addr>> {
    if message.kind != kind::DATATYPE || message.flags & flag::SHARED == 0 {
        return Ok(None);
    }
    Ok(Shared::decode(&message.data, store.widths(), 0)?.object())
}

/// Whether a dataset has its data elsewhere: in external files or in other datasets.
fn is_elsewhere(engine: &mut Engine, addr: Addr) -> Result<bool> {
    let object = engine.object(addr)?;
    let dataset = object.dataset.as_ref();
    let header = &object.header;
    if dataset.is_some_and(|dataset| dataset.is_elsewhere())
        || header.message(kind::EXTERNAL_FILES).is_some()
    {
        return Ok(true);
    }
    let layout = header
        .message(kind::LAYOUT)
        .map(|layout| layout.data.clone());
    let widths = engine.store.widths();
    Ok(layout.is_some_and(|layout| {
        let layout = Layout::decode(&layout, widths, addr.get());
        layout.is_ok_and(|layout| matches!(layout.class, LayoutClass::Virtual { .. }))
    }))
}

/// Refuses a dataset whose data cannot be copied.
fn check_data(engine: &mut Engine, addr: Addr, mode: &Mode) -> Result<()> {
    if is_elsewhere(engine, addr)? {
        return check_elsewhere(engine, addr, mode).map_err(|error| error.at(addr.get()));
    }
    let object = engine.object(addr)?;
    let Some(dataset) = &object.dataset else {
        return object.refused.clone().map_or(Ok(()), Err);
    };
    let datatype = &dataset.datatype;
    mode.check_elements(datatype)
        .map_err(|error| error.at(addr.get()))?;
    mode.check_bound(
        "chunks at the edge that go unfiltered",
        dataset.has_raw_edges(),
    )?;
    let changes = datatype.contains_var_len()
        || (!mode.same_file && super::elements::contains_reference(datatype));
    match changes {
        true => dataset.check_writable(),
        false => Ok(()),
    }
}

fn check_elsewhere(engine: &mut Engine, addr: Addr, mode: &Mode) -> Result<()> {
    mode.check_same_widths()?;
    let header = &engine.object(addr)?.header;
    if header.message(kind::EXTERNAL_FILES).is_some() {
        return external_heap(engine, addr).map(|_| ());
    }
    mode.check_bound("a virtual dataset", true)?;
    let layout = header
        .message(kind::LAYOUT)
        .map(|layout| layout.data.clone());
    let layout = Layout::decode(
        &layout.unwrap_or_default(),
        engine.store.widths(),
        addr.get(),
    )?;
    match layout.class {
        LayoutClass::Virtual {
            heap: Some(heap),
            index,
        } => mapping(engine, heap, index).map(|_| ()),
        _ => Ok(()),
    }
}

/// The mapping of a virtual dataset. It names other datasets by their paths, and no place.
fn mapping(engine: &mut Engine, heap: Addr, index: u32) -> Result<Vec<u8>> {
    let Engine {
        heap: global,
        store,
        ..
    } = engine;
    let at = HeapRef { addr: heap, index };
    global.with(store, at, <[u8]>::to_vec)
}

/// The messages of the copy of a planned object, links and attributes left out.
pub(super) fn copied(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    planned: &Planned,
) -> Result<Vec<RawMessage>> {
    let mut messages = planned.messages.clone();
    let widths = engines.to().store.widths();
    for message in &mut messages {
        match message.kind {
            kind::DATASPACE => {
                // What the file will say after the next commit.
                if let Some(dataset) = &engines.from().object(planned.source)?.dataset
                    && !dataset.is_elsewhere()
                {
                    message.data = dataset.space.encode(widths);
                }
            }
            kind::FILL_VALUE | kind::FILL_VALUE_OLD => {
                if let Some(data) = fill_value(engines, converter, planned.source, message)? {
                    message.data = data;
                }
            }
            kind::DATATYPE => {
                if let Some(source) = committed(&engines.from().store, message)? {
                    let copy = converter.copy_of(source)?;
                    message.data = Shared::committed(copy).encode(widths);
                }
            }
            kind::EXTERNAL_FILES => message.data = external_files(engines, planned.source)?,
            kind::LAYOUT => message.data = layout(engines, converter, planned.source, message)?,
            kind::LINK_INFO => {
                if let Some(links) = &planned.links {
                    let mut info = links.info;
                    (info.heap, info.name_index) = (None, None);
                    info.order_index = info.order_index.map(|_| None);
                    message.data = info.encode(widths);
                }
            }
            _ => {}
        }
    }
    // A dataset that was never committed has no layout message yet.
    let is_dataset = engines.from().object(planned.source)?.dataset.is_some();
    if is_dataset && !messages.iter().any(|message| message.kind == kind::LAYOUT) {
        let data = data::copy(engines, converter, planned.source)?.encode(widths);
        messages.push(RawMessage::new(kind::LAYOUT, 0, data));
    }
    if let Some(mut info) = planned.attribute_info {
        (info.heap, info.name_index) = (None, None);
        info.order_index = info.order_index.map(|_| None);
        messages.push(RawMessage::new(
            kind::ATTRIBUTE_INFO,
            0,
            info.encode(widths),
        ));
    }
    Ok(messages)
}

/// A fill value whose element is another one in the copy.
fn fill_value(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    source: Addr,
    message: &RawMessage,
) -> Result<Option<ShortBytes>> {
    let datatype = match &engines.from().object(source)?.dataset {
        Some(dataset) if converter.changes(&dataset.datatype) => dataset.datatype.clone(),
        _ => return Ok(None),
    };
    let old = message.kind == kind::FILL_VALUE_OLD;
    let mut fill = match old {
        true => FillValue::decode_old(&message.data, source.get())?,
        false => FillValue::decode(&message.data, source.get())?,
    };
    let Fill::Value(value) = &mut fill.value else {
        return Ok(None);
    };
    converter.convert(engines, &datatype, value)?;
    Ok(Some(match old {
        true => fill.encode_old(),
        false => fill.encode(),
    }))
}

fn layout(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    source: Addr,
    message: &RawMessage,
) -> Result<ShortBytes> {
    let widths = engines.to().store.widths();
    if !is_elsewhere(engines.from(), source)? {
        return Ok(data::copy(engines, converter, source)?.encode(widths));
    }
    let mut layout = Layout::decode(&message.data, engines.from().store.widths(), source.get())?;
    if let LayoutClass::Virtual {
        heap: Some(heap),
        index,
    } = &mut layout.class
    {
        let mapping = mapping(engines.from(), *heap, *index)?;
        let at = converter.heap.insert(&mut engines.to().store, &mapping)?;
        (*heap, *index) = (at.addr, at.index);
        return Ok(layout.encode(widths));
    }
    // Data in external files: the message names no place in this one.
    Ok(message.data.clone())
}

/// The header and the data segment of the heap that has the names of a dataset's external files.
fn external_heap(engine: &mut Engine, source: Addr) -> Result<(Vec<u8>, Vec<u8>)> {
    const NAME: &str = "external file list message";
    let widths = engine.store.widths();
    let object = engine.object(source)?;
    let layout = object
        .header
        .message(kind::LAYOUT)
        .map(|layout| layout.data.clone());
    let list = object.header.message(kind::EXTERNAL_FILES).cloned();
    let (Some(list), Some(layout)) = (list, layout) else {
        return Err(Error::corrupt(NAME, "it is missing").at(source.get()));
    };
    let layout = Layout::decode(&layout, widths, source.get())?;
    if !matches!(layout.class, LayoutClass::Contiguous { addr: None, .. }) {
        return Err(
            Error::corrupt(NAME, "the dataset has data in this file, too").at(source.get()),
        );
    }
    let mut take = Take::new(&list.data, NAME, source.get());
    take.version(1)?;
    take.skip(7)?;
    let at = take.defined_addr(widths)?;
    let header = Extent::new(at, local_heap::header_size(widths));
    let header = engine.store.read(header, "local heap")?;
    let segment = LocalHeap::decode(&header, widths, at.get())?.segment;
    let segment = engine.store.read(segment, "local heap")?;
    Ok((header, segment))
}

/// The list of external files, with a heap of its own for their names.
fn external_files(engines: &mut Engines<'_>, source: Addr) -> Result<ShortBytes> {
    const HEAP_AT: usize = 8;
    let (mut header, segment) = external_heap(engines.from(), source)?;
    let list = engines
        .from()
        .object(source)?
        .header
        .message(kind::EXTERNAL_FILES);
    let mut list = list.map(|list| list.data.clone()).unwrap_or_default();
    let store = &mut engines.to().store;
    let width = usize::from(store.widths().offset);
    let block = store.alloc(segment.len() as u64)?;
    store.stage(block.addr, segment)?;
    let mut addr = Vec::new();
    addr.put_addr(Some(block.addr), store.widths());
    let end = header.len();
    header[end - width..].copy_from_slice(&addr);
    let heap = store.alloc(end as u64)?;
    store.stage(heap.addr, header)?;
    addr.clear();
    addr.put_addr(Some(heap.addr), store.widths());
    list[HEAP_AT..HEAP_AT + width].copy_from_slice(&addr);
    Ok(list)
}
