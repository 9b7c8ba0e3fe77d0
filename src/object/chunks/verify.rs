//! The chunks of a dataset, held against its extent.

use super::Chunks;
use super::edge::is_partial;
use crate::bytes::Extent;
use crate::error::{Error, Result};
use crate::filter::Scratch;
use crate::object::verify::note;
use crate::store::Store;
use alloc::sync::Arc;
use alloc::vec::Vec;

const NAME: &str = "chunk index";

impl Chunks {
    /// Claims the blocks of the index and the chunks, raw data, and returns how many chunks there are. Where chunks
    /// are `checksummed` they are read.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        dims: &[u64],
        checksummed: bool,
        found: &mut Vec<Error>,
        claim: &mut dyn FnMut(Extent, bool),
    ) -> Result<u64> {
        self.index.blocks(store, &mut |extent| {
            claim(extent, false);
            Ok(())
        })?;
        let grid = Arc::clone(&self.grid);
        let (shape, raw_edges) = (grid.chunk(), self.raw_edges);
        let chunk_bytes = self.grid.chunk_bytes();
        let (in_order, all_exist) = (self.index.in_order(), self.index.in_place());
        let pipeline = &self.pipeline;
        let decodable = pipeline.check();
        if let (true, Err(error)) = (checksummed, &decodable) {
            note(found, error.clone());
        }
        let (mut count, mut last) = (0, Vec::new());
        self.index.for_each(store, &mut |at, record| {
            let start = record.extent.addr.get();
            let wrong = |reason| Error::corrupt(NAME, reason).at(start);
            claim(record.extent, true);
            count += 1;
            let mut axes = at.iter().zip(shape).zip(dims);
            let inside = |((at, chunk), dim): ((&u64, &u64), &u64)| {
                at.checked_mul(*chunk).is_some_and(|start| start < *dim)
            };
            if !all_exist && !axes.all(inside) {
                note(found, wrong("a chunk outside the extent"));
            }
            if in_order && count > 1 && last.as_slice() >= at {
                note(found, wrong("the chunks are not in order"));
            }
            last.clear();
            last.extend_from_slice(at);
            let (len, mask) = (record.extent.len, record.mask);
            let bare = raw_edges && is_partial(shape, at, dims);
            let plain = pipeline.is_empty() && mask != 0;
            let lengths = grid.bytes_inside(at, dims)..=chunk_bytes;
            let possible = usize::try_from(len).is_ok_and(|len| lengths.contains(&len));
            if len == 0 || plain || ((pipeline.is_empty() || bare) && !possible) {
                note(found, wrong("a chunk of an impossible size"));
            } else if checksummed && decodable.is_ok() && !bare {
                let (mut bytes, mut scratch) =
                    (store.read(record.extent, "chunk")?, Scratch::default());
                if let Err(error) = pipeline.decode_taking(&mut bytes, mask, lengths, &mut scratch)
                {
                    note(found, error.at(start));
                }
            }
            Ok(())
        })?;
        Ok(count)
    }
}
