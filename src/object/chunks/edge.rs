//! The chunks at the edge of the extent: what of them lies beyond it is fill, whatever the extent was before.

use super::{Chunks, Needed, Shape};
use crate::error::Result;
use crate::selection::Resolved;
use crate::store::Store;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// More places of chunks than this are not looked up one by one.
pub(super) const VISIT_UP_TO: u64 = if cfg!(test) { 8 } else { 1 << 16 };

/// Whether the chunk at `at` reaches beyond the extent.
pub(super) fn is_partial(chunk: &[u64], at: &[u64], dims: &[u64]) -> bool {
    let beyond = |((at, chunk), dim): ((&u64, &u64), &u64)| (at + 1).saturating_mul(*chunk) > *dim;
    at.iter().zip(chunk).zip(dims).any(beyond)
}

impl Chunks {
    /// Whether the dataset's edge chunks go unfiltered and this is one of them.
    pub(super) fn goes_unfiltered(&self, at: &[u64], dims: &[u64]) -> bool {
        self.raw_edges && is_partial(self.grid.chunk(), at, dims)
    }

    /// Before the extent changes from that of `old` to that of `new`: writes anew the chunks that are at the edge of one
    /// of them only, where chunks at the edge go unfiltered.
    pub(crate) fn change_edges(
        &mut self,
        store: &mut Store,
        old: Shape<'_>,
        new: Shape<'_>,
    ) -> Result<()> {
        if !self.raw_edges {
            return Ok(());
        }
        self.settle(store)?;
        let counts = self.grid.counts(new.dims);
        let mut edges = BTreeSet::new();
        for axis in 0..counts.len() {
            let mut dims = old.dims.to_vec();
            edges.extend(self.border(store, Shape { dims: &dims, ..old }, axis)?);
            dims[axis] = dims[axis].min(new.dims[axis]);
            edges.extend(self.border(store, Shape { dims: &dims, ..old }, axis)?);
        }
        for at in edges {
            let stays = at.iter().zip(&counts).all(|(at, count)| at < count);
            if !stays || self.goes_unfiltered(&at, old.dims) == self.goes_unfiltered(&at, new.dims)
            {
                continue;
            }
            self.load(store, old, &at, Needed::All)?;
            if let Some(cached) = self.cache.get_mut(&at) {
                cached.touch(0..cached.data.len());
            }
            self.write_out(store, new, &at)?;
        }
        Ok(())
    }

    /// Drops what lies outside `shape`, and makes the rest of the chunks at the new edge fill, in the cache and in the
    /// file. `shape.dims` is the new extent, `old` the former one.
    pub(crate) fn shrink(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        old: &[u64],
        budget: usize,
    ) -> Result<()> {
        self.settle(store)?;
        if self.index.in_place() {
            // Its chunks cannot go away, so what the next growth must not show would stay in them.
            self.convert_index(store, old, shape.max_dims)?;
        }
        let counts = self.grid.counts(shape.dims);
        self.cache
            .retain(|at| at.iter().zip(&counts).all(|(at, count)| at < count));
        self.index_changed = true;
        self.index.shrink(store, &counts, &mut |store, record| {
            store.free_chunk(record.extent)
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
        self.settle(store)?;
        for at in self.border(store, shape, 0)? {
            let record = self.index.find(store, &at)?;
            if record.is_some_and(|record| self.is_raw(record)) {
                self.load(store, shape, &at, Needed::All)?;
                self.keep_cache_within(store, shape, budget.max(self.cache.cost()))?;
            }
        }
        Ok(())
    }

    /// Before the extent first grows from that of `shape`, in a file of others: their chunks at the edge may end where the
    /// extent did, and are made whole.
    pub(crate) fn make_edges_whole(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        new: &[u64],
        budget: usize,
    ) -> Result<()> {
        for (axis, (new, old)) in new.iter().zip(shape.dims).enumerate() {
            let (bit, chunk) = (1 << axis, self.grid.chunk()[axis]);
            if new <= old || old.is_multiple_of(chunk) || self.whole_edges & bit != 0 {
                continue;
            }
            self.whole_edges |= bit;
            self.settle(store)?;
            for at in self.border(store, shape, axis)? {
                let record = self.index.find(store, &at)?;
                // Of a filtered chunk only its elements tell.
                if record.is_some_and(|record| !self.is_raw(record)) {
                    self.load(store, shape, &at, Needed::All)?;
                    self.keep_cache_within(store, shape, budget.max(self.cache.cost()))?;
                }
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
        let cached = self.cache.places().into_iter();
        existing.extend(cached.map(Vec::from).filter(|at| at[axis] == last));
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
            self.load(store, shape, &at, Needed::All)?;
            if let Some(cached) = self.cache.get_mut(&at)
                && let Some(changed) =
                    self.grid
                        .fill_beyond(&at, shape.dims, shape.fill, &mut cached.data)
            {
                cached.touch(changed);
            }
            self.keep_cache_within(store, shape, budget.max(self.cache.cost()))?;
        }
        Ok(())
    }
}
