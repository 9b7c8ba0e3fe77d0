//! A stored selection seen from a dataset of a given extent: which elements, in which order.

use crate::error::{Error, Result};
use crate::extents::product;
use crate::format::selection::{HyperslabAxis, StoredSelection};
use crate::selection::{Axis, Resolved, SliceOrIndex};
use alloc::vec;
use alloc::vec::Vec;

/// Elements of a dataset in the order in which they are read.
#[derive(Debug, Clone)]
pub(crate) enum Elements {
    /// One index, or equally distant ones, on each axis: one read.
    Product(Resolved),
    /// Runs along the last axis: the place of the first element in row-major order, and how many.
    Runs {
        runs: Vec<(u64, u64)>,
        /// The shape of the result.
        shape: Vec<usize>,
    },
}

fn outside() -> Error {
    Error::invalid("a region is not within the extent of its dataset")
}

fn too_many(count: u64) -> Error {
    Error::limit(
        "the number of elements of a region",
        count,
        isize::MAX as u64 / 16,
    )
}

impl Elements {
    pub(crate) fn new(stored: &StoredSelection, dims: &[u64]) -> Result<Self> {
        if stored.rank().is_some_and(|rank| rank != dims.len()) {
            return Err(Error::invalid("a region has not the rank of its dataset"));
        }
        match stored {
            StoredSelection::None => Ok(Self::Runs {
                runs: Vec::new(),
                shape: vec![0],
            }),
            StoredSelection::All => Resolved::whole(dims).map(Self::Product),
            StoredSelection::Points { coordinates, .. } => points(coordinates, dims),
            StoredSelection::Hyperslab(axes) => hyperslab(axes, dims),
            StoredSelection::Blocks { corners, .. } => blocks(corners, dims),
        }
    }

    pub(crate) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Product(resolved) => resolved.result_shape(),
            Self::Runs { shape, .. } => shape.clone(),
        }
    }

    /// What selects the same elements, where one index or range for each axis does.
    pub(crate) fn slices(&self) -> Option<Vec<SliceOrIndex>> {
        let Self::Product(resolved) = self else {
            return None;
        };
        let slice = |axis: &Axis| {
            Some(SliceOrIndex::Slice {
                start: axis.start.try_into().ok()?,
                end: Some(axis.end().try_into().ok()?),
                step: axis.step.try_into().ok()?,
            })
        };
        resolved.axes.iter().map(slice).collect()
    }

    /// The reads that give all elements, in their order.
    pub(crate) fn reads<'a>(&'a self, dims: &'a [u64]) -> impl Iterator<Item = Resolved> + 'a {
        let (whole, runs): (Option<&Resolved>, &[(u64, u64)]) = match self {
            Self::Product(resolved) => (Some(resolved), &[]),
            Self::Runs { runs, .. } => (None, runs),
        };
        let runs = runs.iter().map(move |&(mut at, len)| {
            let mut axes = vec![Axis::new(0, 1, 1); dims.len()];
            for (axis, &dim) in axes.iter_mut().zip(dims).rev() {
                axis.start = at % dim;
                at /= dim;
            }
            if let Some(last) = axes.last_mut() {
                last.count = len;
            }
            Resolved {
                collapsed: vec![false; axes.len()],
                axes,
            }
        });
        whole.cloned().into_iter().chain(runs)
    }
}

/// The place of an element in row-major order.
fn place(coordinates: &[u64], dims: &[u64]) -> Result<u64> {
    if coordinates.iter().zip(dims).any(|(at, dim)| at >= dim) {
        return Err(outside());
    }
    // The number of elements fits in 64 bits.
    let places = coordinates.iter().zip(dims);
    Ok(places.fold(0, |place, (at, dim)| place * dim + at))
}

fn points(coordinates: &[u64], dims: &[u64]) -> Result<Elements> {
    product(dims.iter().copied())?;
    let points = coordinates.chunks_exact(dims.len().max(1));
    let runs = points
        .map(|point| Ok((place(point, dims)?, 1)))
        .collect::<Result<Vec<_>>>()?;
    let shape = vec![runs.len()];
    Ok(Elements::Runs { runs, shape })
}

/// The indices of one axis of a regular hyperslab, where they are equally distant.
fn even(axis: &HyperslabAxis) -> Option<Axis> {
    match (axis.count?, axis.block?) {
        (1, block) => Some(Axis::new(axis.start, 1, block)),
        (count, 1) => Some(Axis::new(axis.start, axis.stride, count)),
        (count, block) if axis.stride == block => Some(Axis::new(axis.start, 1, count * block)),
        _ => None,
    }
}

fn hyperslab(axes: &[HyperslabAxis], dims: &[u64]) -> Result<Elements> {
    let mut shape = Vec::with_capacity(axes.len());
    for (axis, &dim) in axes.iter().zip(dims) {
        let (Some(count), Some(block)) = (axis.count, axis.block) else {
            return Err(Error::unsupported("a region without limit"));
        };
        // The last index of a limited axis fits in 64 bits.
        if count > 0 && block > 0 && axis.start + (count - 1) * axis.stride + block > dim {
            return Err(outside());
        }
        shape.push(count * block);
    }
    let total = product(shape.iter().copied())?;
    let shape: Vec<usize> = shape.into_iter().map(|len| len as usize).collect();
    if let Some(axes) = axes.iter().map(even).collect::<Option<Vec<_>>>() {
        let collapsed = vec![false; axes.len()];
        return Ok(Elements::Product(Resolved { axes, collapsed }));
    }
    let mut runs = Vec::new();
    let Some((last, outer)) = axes.split_last() else {
        return Ok(Elements::Runs { runs, shape });
    };
    let (count, block) = (last.count.unwrap_or(0), last.block.unwrap_or(0));
    // Each run has a block of elements, or one where blocks of the last axis are single.
    let number = total / block.max(1);
    runs.try_reserve_exact(number as usize)
        .map_err(|_| too_many(number))?;
    let mut at: Vec<u64> = vec![0; outer.len()];
    loop {
        let row = outer
            .iter()
            .zip(&at)
            .zip(dims)
            .fold(0, |place, ((axis, at), dim)| {
                let block = axis.block.unwrap_or(1).max(1);
                place * dim + axis.start + at / block * axis.stride + at % block
            });
        let dim = dims.last().copied().unwrap_or(1);
        for number in 0..count {
            runs.push((row * dim + last.start + number * last.stride, block));
        }
        if !step(&mut at, &shape) {
            return Ok(Elements::Runs { runs, shape });
        }
    }
}

/// The next place in row-major order; the axes of `at` are the first of `shape`.
fn step(at: &mut [u64], shape: &[usize]) -> bool {
    for (index, &len) in at.iter_mut().zip(shape).rev() {
        *index += 1;
        if *index < len as u64 {
            return true;
        }
        *index = 0;
    }
    false
}

/// The union of blocks, in row-major order, each element once.
fn blocks(corners: &[u64], dims: &[u64]) -> Result<Elements> {
    product(dims.iter().copied())?;
    let rank = dims.len();
    let all = || {
        corners
            .chunks_exact(2 * rank)
            .map(|block| block.split_at(rank))
    };
    let mut number = 0_u64;
    for (_, last) in all() {
        place(last, dims)?;
    }
    let lens = |first: &[u64], last: &[u64]| -> Vec<u64> {
        first
            .iter()
            .zip(last)
            .map(|(first, last)| last - first + 1)
            .collect()
    };
    if let (Some((first, last)), 1) = (all().next(), all().len()) {
        let lens = lens(first, last);
        let axes = first
            .iter()
            .zip(lens)
            .map(|(start, len)| Axis::new(*start, 1, len));
        return Ok(Elements::Product(Resolved {
            axes: axes.collect(),
            collapsed: vec![false; rank],
        }));
    }
    for (first, last) in all() {
        let rows = lens(first, last)[..rank - 1].iter().product::<u64>();
        number = number.saturating_add(rows);
    }
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let room = usize::try_from(number).map_err(|_| too_many(number))?;
    runs.try_reserve_exact(room).map_err(|_| too_many(number))?;
    for (first, last) in all() {
        let lens: Vec<usize> = lens(first, last)
            .into_iter()
            .map(|len| len as usize)
            .collect();
        let mut at = vec![0; rank - 1];
        loop {
            let mut start = first.to_vec();
            start
                .iter_mut()
                .zip(&at)
                .for_each(|(start, at)| *start += at);
            runs.push((place(&start, dims)?, lens[rank - 1] as u64));
            if !step(&mut at, &lens) {
                break;
            }
        }
    }
    Ok(union(runs, dims.last().copied().unwrap_or(1)))
}

/// Runs in order, with no element twice; none goes over the end of a row of `row` elements.
fn union(mut runs: Vec<(u64, u64)>, row: u64) -> Elements {
    runs.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
    for (start, len) in runs {
        match merged.last_mut() {
            Some((before, before_len))
                if *before + *before_len >= start && *before / row == start / row =>
            {
                *before_len = (*before_len).max(start + len - *before);
            }
            _ => merged.push((start, len)),
        }
    }
    let count = merged.iter().map(|run| run.1).sum::<u64>();
    Elements::Runs {
        runs: merged,
        shape: vec![count as usize],
    }
}

#[cfg(test)]
mod tests;
