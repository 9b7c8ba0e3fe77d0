//! The chunks at the edge of the extent: what of them lies beyond it is fill, whatever the extent was before.

use super::{Chunks, Shape};
use crate::error::Result;
use crate::selection::Resolved;
use crate::store::Store;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// More places of chunks than this are not looked up one by one.
const VISIT_UP_TO: u64 = 1 << 16;

impl Chunks {
    /// Drops what lies outside `shape`, and makes the rest of the chunks at the new edge fill, in the cache and in the
    /// file. `shape.dims` is the new extent, `old` the former one.
    pub(crate) fn shrink(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        old: &[u64],
        budget: usize,
    ) -> Result<()> {
        if self.index.in_place() {
            // Its chunks cannot go away, so what the next growth must not show would stay in them.
            self.convert_index(store, old, shape.max_dims)?;
        }
        let counts = self.grid.counts(shape.dims);
        self.cache
            .retain(|at, _| at.iter().zip(&counts).all(|(at, count)| at < count));
        self.index_changed = true;
        self.index.shrink(store, &counts, &mut |store, record| {
            store.free(record.extent)
        })?;
        for (axis, (&new, &old)) in shape.dims.iter().zip(old).enumerate() {
            let cut = new < old && !new.is_multiple_of(self.grid.chunk()[axis]);
            if cut {
                self.clear_beyond(store, shape, axis, budget)?;
            }
        }
        Ok(())
    }

    /// Makes what lies beyond the extent fill, before the first growth: rows that a session which died appended in
    /// place, and never committed, would come into view. `shape.dims` is the extent before the growth.
    pub(crate) fn scrub(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        budget: usize,
    ) -> Result<()> {
        let cut = !shape.dims[0].is_multiple_of(self.grid.chunk()[0]);
        if core::mem::replace(&mut self.scrubbed, true) || !cut {
            return Ok(());
        }
        for at in self.border(store, shape, 0)? {
            let record = self.index.find(store, &at)?;
            if record.is_some_and(|record| self.is_raw(record)) {
                self.load(store, shape, &at, false)?;
                self.keep_within(store, shape, budget.max(self.cost()))?;
            }
        }
        Ok(())
    }

    /// The chunks that exist and that the extent cuts through along `axis`.
    fn border(&mut self, store: &Store, shape: Shape<'_>, axis: usize) -> Result<Vec<Vec<u64>>> {
        let chunk = self.grid.chunk()[axis];
        let last = shape.dims[axis] / chunk;
        let mut border = Resolved::whole(shape.dims)?;
        border.axes[axis].start = last * chunk;
        border.axes[axis].count = shape.dims[axis] - border.axes[axis].start;
        let places = border.axes.iter().zip(self.grid.chunk());
        let places = places.fold(1_u64, |places, (axis, chunk)| {
            places.saturating_mul(axis.count.div_ceil(*chunk))
        });
        let mut existing = BTreeSet::new();
        if places <= VISIT_UP_TO {
            let Self { grid, index, .. } = self;
            grid.for_each_chunk(&border, &mut |at| {
                if index.find(store, at)?.is_some() {
                    existing.insert(at.to_vec());
                }
                Ok(())
            })?;
        } else {
            // Most of so many places are empty: the chunks that exist are visited instead.
            self.index.for_each(store, &mut |at, _| {
                if at[axis] == last {
                    existing.insert(at.to_vec());
                }
                Ok(())
            })?;
        }
        let cached = self.cache.keys().filter(|at| at[axis] == last);
        existing.extend(cached.cloned());
        Ok(existing.into_iter().collect())
    }

    fn clear_beyond(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        axis: usize,
        budget: usize,
    ) -> Result<()> {
        for at in self.border(store, shape, axis)? {
            self.load(store, shape, &at, false)?;
            if let Some(cached) = self.cache.get_mut(&at)
                && let Some(changed) =
                    self.grid
                        .fill_beyond(&at, shape.dims, shape.fill, &mut cached.data)
            {
                cached.touch(changed);
            }
            self.keep_within(store, shape, budget.max(self.cost()))?;
        }
        Ok(())
    }
}
