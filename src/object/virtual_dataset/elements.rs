//! The elements of a selection, counted in row-major order: from coordinates to the number of an element and back.
//! The n-th element of a source selection is the n-th of the virtual one.

use crate::error::{Error, Result};
use crate::format::selection::{HyperslabAxis, StoredSelection};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// How often a block of an irregular selection may be looked at while its tree is built.
const MAX_WORK: u64 = 1 << 24;

/// The selected indices of one axis: `len` of them, in blocks of `block`, one every `stride`; the last may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) start: u64,
    stride: u64,
    block: u64,
    pub(super) len: u64,
}

impl Steps {
    /// `len` indices without gaps.
    pub(super) fn run(start: u64, len: u64) -> Self {
        Self {
            start,
            stride: len.max(1),
            block: len.max(1),
            len,
        }
    }

    /// `len` indices of an axis, of which no other limit is left.
    pub(super) fn of(axis: &HyperslabAxis, len: u64) -> Self {
        match axis.block {
            Some(block) if block != axis.stride && axis.count != Some(1) => Self {
                start: axis.start,
                stride: axis.stride.max(1),
                block: block.max(1),
                len,
            },
            _ => Self::run(axis.start, len),
        }
    }

    fn limited(axis: &HyperslabAxis) -> Result<Self> {
        match (axis.count, axis.block) {
            (Some(count), Some(block)) => {
                let len = count.checked_mul(block).ok_or_else(too_many)?;
                Ok(Self::of(axis, len))
            }
            _ => Err(Error::corrupt(
                "virtual dataset",
                "an unlimited selection where a limited one is needed",
            )),
        }
    }

    pub(super) fn index(&self, number: u64) -> u64 {
        self.start + number / self.block * self.stride + number % self.block
    }

    pub(super) fn position(&self, index: u64) -> Option<u64> {
        let offset = index.checked_sub(self.start)?;
        let (block, within) = (offset / self.stride, offset % self.stride);
        let number = block.checked_mul(self.block)?.checked_add(within)?;
        (within < self.block && number < self.len).then_some(number)
    }

    /// The first and the last index; `None` where there is none.
    fn bounds(&self) -> Option<(u64, u64)> {
        let last = self.len.checked_sub(1)?;
        Some((self.start, self.index(last)))
    }
}

/// The axes of more than one index.
pub(super) fn long(axes: &[Steps]) -> impl Iterator<Item = &Steps> {
    axes.iter().filter(|steps| steps.len > 1)
}

fn too_many() -> Error {
    Error::corrupt(
        "virtual dataset",
        "a selection has more elements than 64 bits count",
    )
}

/// A selection whose limits are known.
#[derive(Debug, Clone)]
pub(super) enum Elements {
    Nothing,
    Regular(Vec<Steps>),
    Irregular(Spans),
}

impl Elements {
    /// The elements of a selection without unlimited axis, in an extent.
    pub(super) fn limited(selection: &StoredSelection, dims: &[u64]) -> Result<Self> {
        match selection {
            StoredSelection::None => Ok(Self::Nothing),
            StoredSelection::All => Self::regular(
                dims.iter()
                    .map(|&dim| Steps::run(0, dim))
                    .collect::<Vec<_>>(),
            ),
            StoredSelection::Hyperslab(axes) => {
                Self::regular(axes.iter().map(Steps::limited).collect::<Result<_>>()?)
            }
            StoredSelection::Blocks { rank, corners } => match grid(*rank, corners) {
                Some(axes) => Self::regular(axes),
                None => Ok(Self::Irregular(Spans::build(*rank, corners)?)),
            },
            StoredSelection::Points { .. } => Err(Error::unsupported(
                "a virtual dataset that maps points (libhdf5 has none)",
            )),
        }
    }

    /// The product of the indices of each axis.
    pub(super) fn regular(axes: Vec<Steps>) -> Result<Self> {
        if axes.iter().any(|axis| axis.len == 0) {
            return Ok(Self::Nothing);
        }
        let count = axes
            .iter()
            .try_fold(1_u64, |count, axis| count.checked_mul(axis.len));
        count.map(|_| Self::Regular(axes)).ok_or_else(too_many)
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Regular(axes) => axes.iter().map(|axis| axis.len).product(),
            Self::Irregular(spans) => spans.count,
        }
    }

    /// Cuts the elements of a source that has grown along its first axis, since it was mapped whole, to what is mapped.
    pub(super) fn cut_to(&mut self, target: &Self) {
        let (Self::Regular(axes), Self::Regular(target)) = (self, target) else {
            return;
        };
        let targets: Vec<u64> = long(target).map(|steps| steps.len).collect();
        let sources: Vec<u64> = long(axes).map(|steps| steps.len).collect();
        let (Some((&mapped, inner)), Some((&now, rest))) =
            (targets.split_first(), sources.split_first())
        else {
            return;
        };
        if inner == rest
            && now > mapped
            && let Some(first) = axes.iter_mut().find(|steps| steps.len > 1)
        {
            first.len = mapped;
        }
    }

    /// The first and the last index on each axis; `None` where nothing is selected.
    pub(super) fn bounds(&self) -> Option<Vec<(u64, u64)>> {
        match self {
            Self::Nothing => None,
            Self::Regular(axes) => axes.iter().map(Steps::bounds).collect(),
            Self::Irregular(spans) => Some(spans.bounds.clone()),
        }
    }

    /// Which element has these coordinates.
    pub(super) fn position(&self, at: &[u64]) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Regular(axes) => {
                let mut number = 0;
                for (axis, &index) in axes.iter().zip(at) {
                    number = number * axis.len + axis.position(index)?;
                }
                Some(number)
            }
            Self::Irregular(spans) => spans.position(at),
        }
    }

    /// The coordinates of an element, which must be one of them.
    pub(super) fn coordinates(&self, mut number: u64, out: &mut [u64]) {
        match self {
            Self::Nothing => {}
            Self::Regular(axes) => {
                for (axis, out) in axes.iter().zip(out).rev() {
                    *out = axis.index(number % axis.len);
                    number /= axis.len;
                }
            }
            Self::Irregular(spans) => spans.coordinates(number, out),
        }
    }
}

/// The axes of a regular hyperslab that is stored block by block, as all are in files for readers before 1.10.
fn grid(rank: usize, corners: &[u64]) -> Option<Vec<Steps>> {
    let blocks: BTreeSet<&[u64]> = corners.chunks_exact(2 * rank).collect();
    let mut cells = 1_usize;
    let axes: Option<Vec<Steps>> = (0..rank)
        .map(|axis| {
            let ranges = blocks.iter().map(|block| (block[axis], block[rank + axis]));
            let ranges: BTreeSet<(u64, u64)> = ranges.collect();
            cells = cells.checked_mul(ranges.len())?;
            let mut ranges = ranges.into_iter();
            let (first, last) = ranges.next()?;
            let block = last - first + 1;
            let mut expected = (first, last);
            let mut stride = None;
            let mut count = 1_u64;
            for range in ranges {
                let stride = *stride.get_or_insert(range.0 - first);
                if stride < block {
                    return None;
                }
                expected = (
                    expected.0.checked_add(stride)?,
                    expected.1.checked_add(stride)?,
                );
                if range != expected {
                    return None;
                }
                count += 1;
            }
            let axis = HyperslabAxis {
                start: first,
                stride: stride.unwrap_or(1),
                count: Some(count),
                block: Some(block),
            };
            Steps::limited(&axis).ok()
        })
        .collect();
    // As many different blocks as the grid has cells, each of them a cell: all of them.
    axes.filter(|_| cells == blocks.len())
}

/// The union of blocks as a tree: on each axis the ranges of indices below which the same is selected.
#[derive(Debug, Clone)]
pub(super) struct Spans {
    nodes: Vec<Vec<Span>>,
    root: usize,
    count: u64,
    bounds: Vec<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    first: u64,
    last: u64,
    /// Elements of this node before the span.
    before: u64,
    /// Elements for each index, and the node of the next axis.
    each: u64,
    child: usize,
}

impl Spans {
    /// `corners` has `rank` first and `rank` last indices for each block, of which there is one at least.
    fn build(rank: usize, corners: &[u64]) -> Result<Self> {
        let blocks: Vec<&[u64]> = corners.chunks_exact(2 * rank).collect();
        let bound = |axis: usize| {
            let first = blocks.iter().map(|block| block[axis]).min();
            let last = blocks.iter().map(|block| block[rank + axis]).max();
            (first.unwrap_or(0), last.unwrap_or(0))
        };
        let mut tree = Self {
            nodes: Vec::new(),
            root: 0,
            count: 0,
            bounds: (0..rank).map(bound).collect(),
        };
        let mut work = 0;
        (tree.root, tree.count) = tree.node(rank, 0, &blocks, &mut work)?;
        Ok(tree)
    }

    /// Builds the node of `axis` for some blocks; returns it with the number of its elements.
    fn node(
        &mut self,
        rank: usize,
        axis: usize,
        blocks: &[&[u64]],
        work: &mut u64,
    ) -> Result<(usize, u64)> {
        let mut starts: BTreeSet<u64> = BTreeSet::new();
        for block in blocks {
            starts.insert(block[axis]);
            // The last index of a block is below the largest there is.
            starts.insert(block[rank + axis] + 1);
        }
        let mut sorted = blocks.to_vec();
        sorted.sort_unstable_by_key(|block| block[axis]);
        let mut waiting = sorted.into_iter().peekable();
        let mut active: Vec<&[u64]> = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        let mut count = 0_u64;
        let starts: Vec<u64> = starts.into_iter().collect();
        for range in starts.windows(2) {
            let (first, last) = (range[0], range[1] - 1);
            active.retain(|block| block[rank + axis] >= first);
            while let Some(block) = waiting.next_if(|block| block[axis] == first) {
                active.push(block);
            }
            *work += active.len() as u64 + 1;
            if *work > MAX_WORK {
                return Err(Error::limit(
                    "the blocks of an irregular selection",
                    *work,
                    MAX_WORK,
                ));
            }
            if active.is_empty() {
                continue;
            }
            let (child, each) = if axis + 1 == rank {
                (0, 1)
            } else {
                self.node(rank, axis + 1, &active, work)?
            };
            spans.push(Span {
                first,
                last,
                before: count,
                each,
                child,
            });
            count = (last - first + 1)
                .checked_mul(each)
                .and_then(|elements| elements.checked_add(count))
                .ok_or_else(too_many)?;
        }
        self.nodes.push(spans);
        Ok((self.nodes.len() - 1, count))
    }

    fn position(&self, at: &[u64]) -> Option<u64> {
        let mut node = &self.nodes[self.root];
        let mut number = 0;
        for &index in at {
            let span = node.get(node.partition_point(|span| span.last < index))?;
            number += span.before + index.checked_sub(span.first)? * span.each;
            node = &self.nodes[span.child];
        }
        Some(number)
    }

    fn coordinates(&self, mut number: u64, out: &mut [u64]) {
        let mut node = &self.nodes[self.root];
        for out in out {
            let place = node.partition_point(|span| span.before <= number);
            let Some(span) = place.checked_sub(1).map(|place| node[place]) else {
                return;
            };
            number -= span.before;
            *out = span.first + number / span.each;
            number %= span.each;
            node = &self.nodes[span.child];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn every(elements: &Elements, rank: usize, side: u64) {
        let mut number = 0;
        let mut at = vec![0; rank];
        let mut found = vec![0; rank];
        for cell in 0..side.pow(rank as u32) {
            let mut rest = cell;
            for index in at.iter_mut().rev() {
                *index = rest % side;
                rest /= side;
            }
            if let Some(position) = elements.position(&at) {
                assert_eq!(position, number, "{at:?}");
                elements.coordinates(position, &mut found);
                assert_eq!(found, at);
                number += 1;
            }
        }
        assert_eq!(number, elements.count());
    }

    #[test]
    fn elements_are_counted_in_row_major_order() {
        let axis = |start, stride, count, block| HyperslabAxis {
            start,
            stride,
            count: Some(count),
            block: Some(block),
        };
        let regular =
            StoredSelection::Hyperslab(vec![axis(1, 3, 3, 2), axis(0, 2, 4, 1), axis(2, 5, 1, 4)]);
        let regular = Elements::limited(&regular, &[9; 3]).unwrap();
        assert_eq!(regular.count(), 6 * 4 * 4);
        every(&regular, 3, 9);
        // Blocks that overlap and touch.
        let blocks = StoredSelection::Blocks {
            rank: 2,
            corners: vec![0, 0, 3, 3, 2, 2, 5, 6, 4, 0, 4, 1, 8, 8, 8, 8],
        };
        let blocks = Elements::limited(&blocks, &[]).unwrap();
        assert_eq!(blocks.count(), 16 + 20 - 4 + 2 + 1);
        assert_eq!(blocks.bounds(), Some(vec![(0, 8), (0, 8)]));
        every(&blocks, 2, 10);
        // A grid that is stored block by block.
        let mut corners = Vec::new();
        for (row, column) in [(0, 1), (0, 4), (0, 7), (3, 1), (3, 4), (3, 7)] {
            corners.extend([row, column, row + 1, column + 1]);
        }
        let selection = |corners: &[u64]| StoredSelection::Blocks {
            rank: 2,
            corners: corners.to_vec(),
        };
        let whole = Elements::limited(&selection(&corners), &[]).unwrap();
        assert!(matches!(whole, Elements::Regular(_)));
        assert_eq!(whole.count(), 24);
        every(&whole, 2, 10);
        for broken in [
            &corners[..20],
            &[corners.as_slice(), &[9, 9, 9, 9]].concat(),
        ] {
            let broken = Elements::limited(&selection(broken), &[]).unwrap();
            assert!(matches!(broken, Elements::Irregular(_)));
            every(&broken, 2, 10);
        }
        // The last block of an unlimited axis may be cut.
        let cut = Steps::of(&axis(2, 4, 2, 3), 4);
        let indices: Vec<u64> = (0..20)
            .filter(|&index| cut.position(index).is_some())
            .collect();
        assert_eq!(indices, [2, 3, 4, 6]);
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let all = Elements::limited(&StoredSelection::All, &[1 << 40, 1 << 40]);
        assert!(all.is_err());
        let blocks = StoredSelection::Blocks {
            rank: 2,
            corners: vec![0, 0, u64::MAX - 1, u64::MAX - 1],
        };
        assert!(Elements::limited(&blocks, &[]).is_err());
        // Staircases of overlapping blocks.
        let corners = (0..20_000_u64).flat_map(|i| [i, i, i + 20_000, i + 20_000]);
        let blocks = StoredSelection::Blocks {
            rank: 2,
            corners: corners.collect(),
        };
        let error = Elements::limited(&blocks, &[]).unwrap_err();
        assert!(matches!(error.kind(), crate::ErrorKind::Limit { .. }));
    }
}
