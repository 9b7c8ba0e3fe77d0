//! What lies beyond the extent of a dataset in the file.

use super::{Data, Dataset};
use crate::chunk::Fill;
use crate::error::Result;
use crate::store::Store;

impl Dataset {
    /// Makes rows beyond the extent fill that a session which died left in the file. Nothing of the dataset has been changed
    /// since it was read.
    pub(crate) fn clean_tails(&mut self, store: &mut Store) -> Result<()> {
        // Nobody has appended to a dataset that is refused.
        if self.check_fill().is_err() {
            return Ok(());
        }
        let fill = Fill::new(&self.fill, self.datatype.size() as usize);
        match &mut self.data {
            Data::Chunked { chunks, .. } => chunks.clean_tails(store, &self.space.dims, fill),
            _ => Ok(()),
        }
    }

    /// The first chunk in the file with an element beyond the extent that is not the fill value.
    #[cfg(test)]
    pub(crate) fn dirty_chunk(&mut self, store: &Store) -> Result<Option<alloc::vec::Vec<u64>>> {
        let fill = Fill::new(&self.fill, self.datatype.size() as usize);
        match &mut self.data {
            Data::Chunked { chunks, .. } => chunks.dirty_chunk(store, &self.space.dims, fill),
            _ => Ok(None),
        }
    }
}
