//! Rows that need nothing but a place: in a chunk that is in memory and takes them all, or in whole chunks of their own.

use super::Chunks;
use crate::error::Result;
use crate::extents::MAX_RANK;
use crate::store::Store;
use core::ops::Range;

/// Where appended rows go.
#[derive(Debug)]
pub(crate) enum RowsPlace {
    /// These bytes of the chunk with this number along axis 0, which is in memory and does not become full.
    Inside(u64, Range<usize>),
    /// Whole chunks with these numbers along axis 0.
    Chunks(Range<u64>),
}

impl Chunks {
    /// Where `count` rows of whole other axes go that are appended to a dataset of extent `dims`; `None` where more has to be
    /// looked at than that.
    pub(crate) fn place_for_rows(&self, dims: &[u64], count: u64) -> Option<RowsPlace> {
        let (&first, rest) = dims.split_first()?;
        let (&height, others) = self.grid.chunk().split_first()?;
        if rest != others {
            return None;
        }
        let (number, inside) = (first / height, first % height);
        if count < height - inside {
            let row = self.grid.row_bytes();
            let bytes = inside as usize * row..(inside + count) as usize * row;
            return Some(RowsPlace::Inside(number, bytes));
        }
        let whole = inside == 0 && count.is_multiple_of(height);
        let plain = self.pipeline.is_empty() && !self.index.in_place();
        (whole && plain).then_some(RowsPlace::Chunks(number..number + count / height))
    }

    /// Whether rows can be put into the place found for them as it is.
    pub(crate) fn is_ready(&self, place: &RowsPlace) -> bool {
        let mut at = [0; MAX_RANK];
        let mut is_cached = |number| {
            at[0] = number;
            self.cache.contains(&at[..self.grid.chunk().len()])
        };
        match place {
            RowsPlace::Inside(number, _) => is_cached(*number),
            RowsPlace::Chunks(numbers) => !numbers.clone().any(is_cached),
        }
    }

    /// Puts rows into the place found for them; false, and nothing is done, where that is not
    /// [ready](Self::is_ready).
    pub(crate) fn append_rows(
        &mut self,
        store: &mut Store,
        place: RowsPlace,
        rows: &[u8],
    ) -> Result<bool> {
        let mut at = [0; MAX_RANK];
        let at = &mut at[..self.grid.chunk().len()];
        match place {
            RowsPlace::Inside(number, bytes) => {
                at[0] = number;
                let Some(cached) = self.cache.get_mut(at) else {
                    return Ok(false);
                };
                let Some(place) = cached.data.get_mut(bytes.clone()) else {
                    return Ok(false);
                };
                place.copy_from_slice(rows);
                cached.touch(bytes);
            }
            RowsPlace::Chunks(_) if !self.is_ready(&place) => return Ok(false),
            RowsPlace::Chunks(numbers) => {
                let chunks = rows.chunks_exact(self.grid.chunk_bytes());
                for (number, chunk) in numbers.zip(chunks) {
                    at[0] = number;
                    self.put_stored(store, at, chunk, 0)?;
                }
            }
        }
        Ok(true)
    }
}
