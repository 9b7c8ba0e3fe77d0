//! The place of a chunk in an array of all chunks that the greatest extent has, and back.

use super::IndexShape;
use crate::error::{Error, Result};
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug, Clone)]
pub(crate) struct Slots {
    /// The axes, the slowest first.
    order: Vec<usize>,
    /// Chunks along each axis at the greatest extent.
    counts: Vec<Option<u64>>,
    /// For each axis, how far apart neighbours are.
    strides: Vec<u64>,
}

impl Slots {
    /// Axis 0 is the slowest; no axis is unlimited.
    pub(crate) fn new(shape: &IndexShape) -> Result<Self> {
        if shape.max_dims.contains(&None) {
            return Err(wrong("an unlimited axis"));
        }
        Self::ordered(shape, (0..shape.chunk.len()).collect())
    }

    /// The one unlimited axis is the slowest, then the others in order.
    pub(crate) fn unlimited_first(shape: &IndexShape) -> Result<Self> {
        let mut order: Vec<usize> = (0..shape.chunk.len()).collect();
        order.sort_by_key(|&axis| shape.max_dims[axis].is_some());
        if shape.max_dims.iter().filter(|max| max.is_none()).count() != 1 {
            return Err(wrong("not one unlimited axis"));
        }
        Self::ordered(shape, order)
    }

    fn ordered(shape: &IndexShape, order: Vec<usize>) -> Result<Self> {
        shape.check()?;
        let chunks = |(max, chunk): (&Option<u64>, &u64)| max.map(|max| max.div_ceil(*chunk));
        let counts: Vec<_> = shape
            .max_dims
            .iter()
            .zip(&shape.chunk)
            .map(chunks)
            .collect();
        let mut strides = vec![1; order.len()];
        let mut stride = 1_u64;
        for (&axis, &before) in order.iter().rev().zip(order.iter().rev().skip(1)) {
            let next = counts[axis].and_then(|count| stride.checked_mul(count));
            stride = next.ok_or_else(|| wrong("more chunks than can be counted"))?;
            strides[before] = stride;
        }
        Ok(Self {
            order,
            counts,
            strides,
        })
    }

    pub(crate) fn rank(&self) -> usize {
        self.order.len()
    }

    /// The number of slots; `None` where an axis is unlimited or they are more than can be counted.
    pub(crate) fn count(&self) -> Option<u64> {
        let mut counts = self.counts.iter();
        counts.try_fold(1_u64, |all, count| all.checked_mul((*count)?))
    }

    /// The slot of the chunk at `at`; `None` outside the greatest extent.
    pub(crate) fn slot(&self, at: &[u64]) -> Option<u64> {
        if at.len() != self.rank() {
            return None;
        }
        let mut slot = 0_u64;
        for ((at, count), stride) in at.iter().zip(&self.counts).zip(&self.strides) {
            if count.is_some_and(|count| *at >= count) {
                return None;
            }
            slot = slot.checked_add(at.checked_mul(*stride)?)?;
        }
        Some(slot)
    }

    /// Sets `at` to the coordinates of a slot; false outside the greatest extent.
    pub(crate) fn coordinates(&self, slot: u64, at: &mut [u64]) -> bool {
        let mut rest = slot;
        for &axis in &self.order {
            // A stride is 0 where an axis has no chunks.
            let Some(index) = rest.checked_div(self.strides[axis]) else {
                return false;
            };
            if self.counts[axis].is_some_and(|count| index >= count) {
                return false;
            }
            rest -= index * self.strides[axis];
            at[axis] = index;
        }
        true
    }
}

fn wrong(reason: &'static str) -> Error {
    Error::corrupt("chunk index", reason)
}

/// Whether the chunk at `at` is inside `counts`.
pub(crate) fn inside(at: &[u64], counts: &[u64]) -> bool {
    at.iter().zip(counts).all(|(at, count)| at < count)
}

/// An error of coordinates that name no chunk.
pub(crate) fn outside() -> Error {
    Error::invalid("a chunk outside the greatest extent of its dataset")
}
