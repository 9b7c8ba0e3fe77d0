//! The grid of chunks over a dataset: which chunks a selection touches, and which bytes of them.
//!
//! A chunk is named by its scaled coordinates: its first element's, divided by the chunk shape. Every chunk is
//! stored at full size; where it hangs over the extent, its elements beyond hold the fill value.
//!
//! Scaled coordinates, extents and selections given to a grid have its rank.

use alloc::vec::Vec;
use core::ops::Range;

use super::Fill;
use super::strided::{CopyAxis, Piece, copy_runs, for_each_piece};
use crate::error::{Error, Result};
use crate::extents::MAX_RANK;
use crate::selection::{Axis, Resolved};

/// The largest size of a chunk in bytes that the format can state.
const MAX_CHUNK_BYTES: u64 = (1 << 32) - 1;

/// The shape of the chunks of a dataset, and the size of an element in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grid {
    chunk: Vec<u64>,
    element_size: usize,
    chunk_bytes: usize,
}

/// The part of one axis of a selection that lies in one chunk.
#[derive(Debug, Clone, Copy)]
struct Overlap {
    /// The first selected index, counted in selected elements.
    dense: u64,
    /// The first selected index, counted from the beginning of the chunk.
    inner: u64,
    count: u64,
}

impl Grid {
    /// A grid of chunks of `chunk` elements of `element_size` bytes.
    pub(crate) fn new(chunk: Vec<u64>, element_size: usize) -> Result<Self> {
        let rank = u64::try_from(chunk.len()).unwrap_or(u64::from(u32::MAX));
        if chunk.len() > MAX_RANK {
            return Err(Error::limit("rank", rank, 32));
        }
        if chunk.is_empty() || chunk.contains(&0) || element_size == 0 {
            return Err(Error::invalid(
                "a chunk needs at least one axis, and at least one element on every axis",
            ));
        }
        let element = u64::try_from(element_size).unwrap_or(MAX_CHUNK_BYTES + 1);
        let bytes = chunk.iter().fold(element, |n, &c| n.saturating_mul(c));
        match usize::try_from(bytes) {
            Ok(chunk_bytes) if bytes <= MAX_CHUNK_BYTES => Ok(Self {
                chunk,
                element_size,
                chunk_bytes,
            }),
            _ => Err(Error::limit(
                "size of a chunk in bytes",
                bytes,
                MAX_CHUNK_BYTES,
            )),
        }
    }

    /// The shape of a chunk, in elements.
    pub(crate) fn chunk(&self) -> &[u64] {
        &self.chunk
    }

    pub(crate) fn rank(&self) -> usize {
        self.chunk.len()
    }

    #[cfg(test)]
    pub(crate) fn element_size(&self) -> usize {
        self.element_size
    }

    /// The number of elements of a chunk.
    #[cfg(test)]
    pub(crate) fn chunk_elements(&self) -> usize {
        self.chunk_bytes / self.element_size
    }

    /// The number of bytes of a chunk before filters.
    pub(crate) fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// The bytes of a chunk for one index of axis 0.
    pub(crate) fn row_bytes(&self) -> usize {
        self.chunk_bytes / memory(self.chunk[0])
    }

    /// The number of chunks on every axis of a dataset of `dims`.
    pub(crate) fn counts(&self, dims: &[u64]) -> Vec<u64> {
        let axes = dims.iter().zip(&self.chunk);
        axes.map(|(dim, chunk)| dim.div_ceil(*chunk)).collect()
    }

    /// Whether the selection lies in one chunk.
    pub(crate) fn touches_one(&self, selection: &Resolved) -> bool {
        let axes = selection.axes.iter().zip(&self.chunk);
        axes.into_iter()
            .all(|(axis, chunk)| axis.count > 0 && axis.start / chunk == (axis.end() - 1) / chunk)
    }

    /// Visits the chunks that hold at least one selected element, in row-major order of their scaled coordinates.
    pub(crate) fn for_each_chunk(
        &self,
        selection: &Resolved,
        visit: &mut dyn FnMut(&[u64]) -> Result<()>,
    ) -> Result<()> {
        let axes = &selection.axes;
        if axes.len() != self.rank() {
            return Err(Error::invalid(
                "the rank of the selection differs from the rank of the chunks",
            ));
        }
        if selection.is_empty() {
            return Ok(());
        }
        let touched = |axis: &Axis, chunk: u64| {
            if axis.step > chunk {
                axis.count
            } else {
                (axis.end() - 1) / chunk - axis.start / chunk + 1
            }
        };
        let place = |axis: &Axis, chunk: u64, i: u64| {
            if axis.step > chunk {
                (axis.start + i * axis.step) / chunk
            } else {
                axis.start / chunk + i
            }
        };
        let mut index = [0u64; MAX_RANK];
        let mut scaled = [0u64; MAX_RANK];
        for ((scaled, axis), &chunk) in scaled.iter_mut().zip(axes).zip(&self.chunk) {
            *scaled = place(axis, chunk, 0);
        }
        'chunks: loop {
            visit(&scaled[..self.rank()])?;
            for d in (0..self.rank()).rev() {
                let chunk = self.chunk[d];
                index[d] += 1;
                if index[d] < touched(&axes[d], chunk) {
                    scaled[d] = place(&axes[d], chunk, index[d]);
                    continue 'chunks;
                }
                index[d] = 0;
                scaled[d] = place(&axes[d], chunk, 0);
            }
            return Ok(());
        }
    }

    /// Copies the selected elements of the chunk at `scaled` from `dense`, a row-major array of the selection's counts,
    /// to `chunk`.
    pub(crate) fn scatter(
        &self,
        scaled: &[u64],
        selection: &Resolved,
        dense: &[u8],
        chunk: &mut [u8],
    ) {
        self.for_each_copy(scaled, selection, &mut |p| {
            let (to, from) = (
                (memory(p.a), memory(p.a_stride)),
                (memory(p.b), memory(p.b_stride)),
            );
            copy_runs(dense, from, chunk, to, memory(p.len), memory(p.repeat));
        });
    }

    /// Copies the selected elements of the chunk at `scaled` from `chunk` to `dense`, a row-major array of the
    /// selection's counts.
    pub(crate) fn gather(
        &self,
        scaled: &[u64],
        selection: &Resolved,
        chunk: &[u8],
        dense: &mut [u8],
    ) {
        self.for_each_copy(scaled, selection, &mut |p| {
            let (from, to) = (
                (memory(p.a), memory(p.a_stride)),
                (memory(p.b), memory(p.b_stride)),
            );
            copy_runs(chunk, from, dense, to, memory(p.len), memory(p.repeat));
        });
    }

    fn for_each_copy(&self, scaled: &[u64], selection: &Resolved, copy: &mut dyn FnMut(Piece)) {
        let axes = selection.axes.iter().enumerate().rev();
        let axes = axes.map(|(d, axis)| {
            let part = self.overlap(d, scaled[d], axis);
            CopyAxis {
                count: part.count,
                a_dim: self.chunk[d],
                a_start: part.inner,
                a_step: if part.count > 1 { axis.step } else { 1 },
                b_dim: axis.count,
                b_start: part.dense,
            }
        });
        let done = for_each_piece(axes, self.element_size, &mut |piece| {
            copy(piece);
            Ok(())
        });
        debug_assert!(
            done.is_some(),
            "the dense array is in memory, so its size is known to fit"
        );
    }

    /// Whether every element of the chunk at `scaled` that lies inside `dims` is selected.
    pub(crate) fn covers(&self, scaled: &[u64], selection: &Resolved, dims: &[u64]) -> bool {
        let inside = |d: usize| self.inside(d, scaled[d], dims[d]);
        let mut axes = selection.axes.iter().enumerate();
        (0..self.rank()).any(|d| inside(d) == 0)
            || axes.all(|(d, axis)| self.overlap(d, scaled[d], axis).count == inside(d))
    }

    /// Whether the selection is the last rows of the chunk inside an extent of `dims`: rows in a row, from one on, whole.
    pub(crate) fn covers_last_rows(
        &self,
        scaled: &[u64],
        selection: &Resolved,
        dims: &[u64],
    ) -> bool {
        let Some((rows, others)) = selection.axes.split_first() else {
            return false;
        };
        let part = self.overlap(0, scaled[0], rows);
        let to_the_end = part.inner + part.count == self.inside(0, scaled[0], dims[0]);
        let mut others = others.iter().zip(1..);
        to_the_end
            && (rows.step == 1 || rows.count == 1)
            && others.all(|(axis, d)| {
                self.overlap(d, scaled[d], axis).count == self.inside(d, scaled[d], dims[d])
            })
    }

    /// The bytes of the dense array that are the whole chunk at `scaled`, in its order, if there are such: then the
    /// chunk needs no copy.
    pub(crate) fn contiguous_in_dense(
        &self,
        scaled: &[u64],
        selection: &Resolved,
    ) -> Option<Range<usize>> {
        let mut offset = 0u64;
        let mut inside_run = false;
        for (d, (&chunk, axis)) in self.chunk.iter().zip(&selection.axes).enumerate() {
            let part = self.overlap(d, scaled[d], axis);
            // All of the chunk is selected, and on the axes inside the run all of the dense array is this chunk.
            if part.count != chunk || (inside_run && axis.count != chunk) {
                return None;
            }
            inside_run |= chunk > 1;
            offset = offset.checked_mul(axis.count)?.checked_add(part.dense)?;
        }
        let start = usize::try_from(offset)
            .ok()?
            .checked_mul(self.element_size)?;
        Some(start..start.checked_add(self.chunk_bytes)?)
    }

    /// Sets every element of the chunk at `scaled` that lies beyond `dims` to `fill`, and returns the bytes from the first
    /// to the last element that this changed.
    pub(crate) fn fill_beyond(
        &self,
        scaled: &[u64],
        dims: &[u64],
        fill: Fill<'_>,
        chunk: &mut [u8],
    ) -> Option<Range<usize>> {
        let size = self.element_size;
        let mut changed: Option<Range<usize>> = None;
        let mut refill = |run: Range<usize>| {
            let elements = run.clone().step_by(size);
            for (at, element) in elements.zip(chunk[run].chunks_exact_mut(size)) {
                if !fill.is(element) {
                    fill.put(element);
                    let old = changed.take().unwrap_or(at..at);
                    changed = Some(old.start.min(at)..old.end.max(at + size));
                }
            }
        };
        // For each axis, what lies inside on the axes before it and beyond on it: one run per index of the former.
        let mut outer = [0usize; MAX_RANK];
        let mut unit = self.chunk_bytes;
        for d in 0..self.rank() {
            let bytes = unit;
            unit /= memory(self.chunk[d]);
            let inside = memory(self.inside(d, scaled[d], dims[d]));
            let mut first = 0;
            'runs: loop {
                refill(first + inside * unit..first + bytes);
                let mut stride = bytes;
                for before in (0..d).rev() {
                    outer[before] += 1;
                    first += stride;
                    if outer[before] < memory(self.inside(before, scaled[before], dims[before])) {
                        continue 'runs;
                    }
                    first -= outer[before] * stride;
                    outer[before] = 0;
                    stride *= memory(self.chunk[before]);
                }
                break;
            }
            if inside == 0 {
                break;
            }
        }
        changed
    }

    /// How many bytes of the chunk at `scaled` reach to its last element inside `dims`, that one included. Some writers
    /// store no more of a chunk at the edge.
    pub(crate) fn bytes_inside(&self, scaled: &[u64], dims: &[u64]) -> usize {
        let (mut last, mut unit) = (0, self.chunk_bytes);
        for d in 0..self.rank() {
            unit /= memory(self.chunk[d]);
            match memory(self.inside(d, scaled[d], dims[d])) {
                // It has no element inside.
                0 => return self.chunk_bytes,
                inside => last += (inside - 1) * unit,
            }
        }
        last + self.element_size
    }

    /// How many indices of axis `d` of the chunk lie inside an extent of `dim`.
    fn inside(&self, d: usize, scaled: u64, dim: u64) -> u64 {
        let first = scaled.saturating_mul(self.chunk[d]);
        dim.saturating_sub(first).min(self.chunk[d])
    }

    fn overlap(&self, d: usize, scaled: u64, axis: &Axis) -> Overlap {
        let first = scaled.saturating_mul(self.chunk[d]);
        let behind = first.saturating_add(self.chunk[d]);
        // The number of selected indices below `index`.
        let below = |index: u64| {
            let distance = index.saturating_sub(axis.start);
            // Most selections have no gaps, and a division takes as long as the rest.
            let steps = match axis.step {
                1 => distance,
                step => distance.div_ceil(step),
            };
            steps.min(axis.count)
        };
        let dense = below(first);
        let count = below(behind) - dense;
        let inner = if count == 0 {
            0
        } else {
            axis.start + dense * axis.step - first
        };
        Overlap {
            dense,
            inner,
            count,
        }
    }
}

/// A number of bytes or elements of a buffer in memory.
fn memory(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
