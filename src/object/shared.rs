//! Messages that are kept elsewhere than in the header that uses them: in the header of a committed datatype, or in
//! the heap of the file's shared message table.

use super::header::Header;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::shared::{HEAP_ID, Place, Shared};
use crate::format::message::shared_table::SharedTable;
use crate::format::message::{RawMessage, flag, kind};
use crate::format::shared_table::Table;
use crate::infra::fractal_heap::FractalHeap;
use crate::store::Store;
use alloc::borrow::Cow;
use alloc::vec::Vec;

const NAME: &str = "shared message";

/// The bytes of a message of `header`, wherever they are kept.
pub(crate) fn message_data<'a>(
    store: &Store,
    header: &'a Header,
    message: &'a RawMessage,
) -> Result<Cow<'a, [u8]>> {
    if message.flags & flag::SHARED == 0 {
        return Ok(Cow::Borrowed(&message.data));
    }
    look_up(store, header, message.kind, &message.data).map(Cow::Owned)
}

/// The bytes of the message that `reference` in `header` stands for.
fn look_up(store: &Store, header: &Header, kind: u8, reference: &[u8]) -> Result<Vec<u8>> {
    let at = header.addr.get();
    match Shared::decode(reference, store.widths(), at)?.place {
        Place::Heap(id) => in_heap(store, kind, &id).map_err(|error| error.at(at)),
        // An attribute of a committed datatype may be of that datatype.
        Place::Object(addr) if addr == header.addr => in_header(header, kind),
        Place::Object(addr) => in_header(&Header::load(store, addr)?, kind),
    }
}

/// The message of an object that was committed for its sake.
fn in_header(header: &Header, kind: u8) -> Result<Vec<u8>> {
    let at = header.addr.get();
    match header.message(kind) {
        Some(message) if message.flags & flag::SHARED == 0 => Ok(message.data.to_vec()),
        Some(_) => Err(Error::corrupt(NAME, "it leads to another shared message").at(at)),
        None => Err(Error::corrupt(NAME, "the object it leads to has no such message").at(at)),
    }
}

/// A message in the heap that the shared message table has for its kind.
pub(super) fn in_heap(store: &Store, kind: u8, id: &[u8; HEAP_ID]) -> Result<Vec<u8>> {
    let Some(table) = &store.shared_table else {
        return Err(Error::corrupt(NAME, "the file has no shared message table"));
    };
    let index = table.index_of(kind);
    let heap = index
        .and_then(|index| index.heap)
        .ok_or_else(|| Error::corrupt(NAME, "its kind is not shared in this file"))?;
    FractalHeap::open(store, heap)?.read(store, id)
}

/// An attribute whose message bytes are `message`, with what it shares looked up; what cannot be had is left open.
pub(super) fn decode_attribute(
    store: &Store,
    header: &Header,
    message: &[u8],
) -> Result<Attribute> {
    let mut look_up = |kind: u8, reference: &[u8]| match look_up(store, header, kind, reference) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned) => {
            Err(error)
        }
        Err(_) => Ok(None),
    };
    Attribute::decode_with(message, store.widths(), header.addr.get(), &mut look_up)
}

/// The committed datatype of a dataset.
pub(super) fn committed_datatype(store: &Store, header: &Header) -> Result<Option<Addr>> {
    match header.message(kind::DATATYPE) {
        Some(message) if message.flags & flag::SHARED != 0 => {
            let shared = Shared::decode(&message.data, store.widths(), header.addr.get())?;
            Ok(shared.object())
        }
        _ => Ok(None),
    }
}

/// The table that a message of the superblock extension names.
pub(super) fn load_table(store: &Store, message: &[u8], extension: Addr) -> Result<Table> {
    let widths = store.widths();
    let message = SharedTable::decode(message, widths, extension.get())?;
    let extent = Extent::new(message.table, Table::size(message.indexes, widths));
    let bytes = store.read(extent, "shared message table")?;
    Table::decode(&bytes, message.indexes, widths, extent.addr.get())
}
