//! The data of a copied dataset: the stored bytes as they are, piece by piece, or elements made those of the copy.

use super::Engines;
use super::elements::Converter;
use crate::bytes::{Addr, Extent};
use crate::chunk::Fill;
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::layout::{Layout, LayoutClass};
use crate::index::ChunkRecord;
use crate::object::dataset::{Dataset, NewChunks, Stored};
use crate::store::Store;
use alloc::vec::Vec;

/// Contiguous data are copied in pieces of about this size.
const PIECE: u64 = 1 << 20;

/// Refuses data that are not in the file, before anything is written.
pub(super) fn check(dataset: &mut Dataset, store: &Store) -> Result<()> {
    if dataset.is_elsewhere() {
        return Ok(());
    }
    match dataset.stored(store)? {
        Stored::Contiguous {
            block: Some(block), ..
        } => store.check_bounds(block, "contiguous data"),
        Stored::Chunked(stored) => (0..stored.len()).try_for_each(|number| {
            let (at, record) = stored.get(number);
            store.check_bounds(record.extent, "chunk")?;
            dataset.check_stored(at, record)
        }),
        _ => Ok(()),
    }
}

/// Copies the data of the dataset at `source`; says where they are.
pub(super) fn copy(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    source: Addr,
) -> Result<Layout> {
    engines.from().write_waiting(source)?;
    let (object, store, _) = engines.from().parts(source)?;
    let error = object.not_a_dataset();
    let dataset = object.dataset.as_mut().ok_or(error)?;
    let datatype = dataset.datatype.clone();
    let version = dataset.layout_version();
    let class = match dataset.stored(store)? {
        Stored::Compact(mut data) => {
            converter.convert(engines, &datatype, &mut data)?;
            LayoutClass::Compact(data)
        }
        Stored::Contiguous { block, size } => {
            let addr = match block {
                Some(block) => Some(copy_block(engines, converter, &datatype, block)?),
                None => None,
            };
            LayoutClass::Contiguous { addr, size }
        }
        Stored::Chunked(stored) => {
            let shape = Shape {
                dims: dataset.dims().to_vec(),
                fill: dataset.fill().to_vec(),
                datatype,
            };
            let Some(mut new) = new_chunks(engines, source)? else {
                return Err(Error::invalid("not a chunked dataset"));
            };
            let mut copy_all = || {
                for number in 0..stored.len() {
                    let (at, record) = stored.get(number);
                    copy_chunk(engines, converter, &shape, &mut new, at, record)?;
                }
                new.stage(&mut engines.to().store)
            };
            let result = copy_all();
            if result.is_err() {
                // Nothing names them.
                let _ = new.free_all(&mut engines.to().store);
            }
            return result;
        }
    };
    Ok(Layout { version, class })
}

/// What a chunk has to know of its dataset.
struct Shape {
    dims: Vec<u64>,
    fill: Vec<u8>,
    datatype: Datatype,
}

fn new_chunks(engines: &mut Engines<'_>, source: Addr) -> Result<Option<NewChunks>> {
    match engines {
        Engines::Same(engine) => {
            let (object, store, _) = engine.parts(source)?;
            let dataset = object.dataset.as_ref();
            dataset.map_or(Ok(None), |dataset| dataset.new_chunks(store))
        }
        Engines::Two { from, to } => from.dataset(source)?.new_chunks(&to.store),
    }
}

fn copy_block(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    datatype: &Datatype,
    block: Extent,
) -> Result<Addr> {
    let element = u64::from(datatype.size()).max(1);
    let step = (PIECE / element).max(1) * element;
    engines
        .from()
        .store
        .check_bounds(block, "contiguous data")?;
    let new = engines.to().store.alloc_raw(block.len)?;
    let mut copy_all = || {
        let mut done = 0;
        while done < block.len {
            let len = (block.len - done).min(step);
            let piece = Extent::new(block.addr.plus(done), len);
            let mut bytes = engines.from().store.read(piece, "contiguous data")?;
            converter.convert(engines, datatype, &mut bytes)?;
            engines.to().store.write_now(new.addr.plus(done), &bytes)?;
            done += len;
        }
        Ok(new.addr)
    };
    let result = copy_all();
    if result.is_err() {
        engines.to().store.free(new);
    }
    result
}

fn copy_chunk(
    engines: &mut Engines<'_>,
    converter: &mut Converter,
    shape: &Shape,
    new: &mut NewChunks,
    at: &[u64],
    record: ChunkRecord,
) -> Result<()> {
    let mut bytes = engines.from().store.read(record.extent, "chunk")?;
    let fill = Fill::new(&shape.fill, shape.datatype.size() as usize);
    // Without filters the index of the copy has no room for the length of a chunk that ends early.
    let ends_early = new.chunks().ends_early(record);
    if !ends_early && !converter.changes(&shape.datatype) {
        if new.chunks().is_raw(record) {
            // Rows that a death left there would not be known as such in the copy.
            let grid = new.grid().clone();
            grid.fill_beyond(at, &shape.dims, fill, &mut bytes);
        }
        return new.put(&mut engines.to().store, at, bytes, record.mask);
    }
    let mut elements = new
        .chunks()
        .decode_stored(at, &shape.dims, bytes, record.mask)
        .map_err(|error| error.at(record.extent.addr.get()))?;
    // What lies beyond the extent may name what is gone; the fill value there is that of the copy.
    let grid = new.grid().clone();
    grid.fill_beyond(at, &shape.dims, fill, &mut elements);
    converter.convert(engines, &shape.datatype, &mut elements)?;
    let (bytes, mask) = new.chunks().encode_whole(at, &shape.dims, elements)?;
    new.put(&mut engines.to().store, at, bytes, mask)
}
