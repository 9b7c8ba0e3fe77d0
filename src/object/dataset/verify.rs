//! The data of a dataset: its blocks, each inside the file, and its chunks, each inside the extent.

use super::{Data, Dataset};
use crate::bytes::Extent;
use crate::error::{Error, Result};
use crate::store::Store;
use alloc::vec::Vec;

impl Dataset {
    /// Claims every block, raw data or not, and returns how many chunks there are.
    pub(crate) fn verify(
        &mut self,
        store: &Store,
        found: &mut Vec<Error>,
        claim: &mut dyn FnMut(Extent, bool),
    ) -> Result<u64> {
        match &mut self.data {
            // What is said of other files is in the heap.
            Data::Compact(_) | Data::Virtual(_) => Ok(0),
            Data::External(external) => {
                external
                    .blocks()
                    .iter()
                    .for_each(|&block| claim(block, false));
                Ok(0)
            }
            Data::Contiguous(contiguous) => {
                if let Some(extent) = contiguous.extent() {
                    claim(extent, true);
                }
                Ok(0)
            }
            Data::Chunked { chunks, .. } => {
                let checksummed = self.filters.iter().any(|filter| filter.is_checksum());
                chunks.verify(store, &self.space.dims, checksummed, found, claim)
            }
        }
    }
}
