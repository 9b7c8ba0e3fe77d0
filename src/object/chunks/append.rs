//! Rows for a chunk that is in memory and takes them all, without looking at anything else.

use super::Chunks;
use crate::extents::MAX_RANK;

impl Chunks {
    /// Appends `count` rows of whole other axes to a dataset of extent `dims` where the chunk that they belong to is in
    /// memory and does not become full; false, and nothing is done, where it is otherwise.
    pub(crate) fn append_rows(&mut self, dims: &[u64], count: u64, rows: &[u8]) -> bool {
        let chunk = self.grid.chunk();
        let (Some((&first, rest)), Some((&height, others))) =
            (dims.split_first(), chunk.split_first())
        else {
            return false;
        };
        let inside = first % height;
        if rest != others || count >= height - inside {
            return false;
        }
        let mut at = [0; MAX_RANK];
        at[0] = first / height;
        let row = self.grid.row_bytes();
        let Some(cached) = self.cache.get_mut(&at[..chunk.len()]) else {
            return false;
        };
        let start = inside as usize * row;
        let Some(place) = cached.data.get_mut(start..start + rows.len()) else {
            return false;
        };
        place.copy_from_slice(rows);
        cached.touch(start..start + rows.len());
        true
    }
}
