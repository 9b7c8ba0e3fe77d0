//! The bytes of a selection, as libhdf5 1.10 writes them.

use super::{HyperslabAxis, REGULAR, StoredSelection};
use crate::bytes::Put;
use alloc::vec::Vec;

/// From this many blocks on libhdf5 stores a regular hyperslab by start, stride, count and block.
const MANY_BLOCKS: u64 = 4;

/// The largest number of selections of version 1.
const MAX_VERSION_1: u64 = u32::MAX as u64;

impl StoredSelection {
    /// Appends the bytes that libhdf5 writes in files for HDF5 1.10. Nothing is written of points, which virtual datasets,
    /// the only ones that keep such selections, do not map; false then.
    pub(crate) fn put(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::None => put_trivial(out, 0),
            Self::All => put_trivial(out, 3),
            Self::Points { .. } => return false,
            Self::Hyperslab(axes) => match listed(axes) {
                Some(corners) => put_blocks(out, axes.len(), &corners),
                None => put_axes(out, axes),
            },
            Self::Blocks { rank, corners } => put_blocks(out, *rank, corners),
        }
        true
    }
}

/// The first and last indices of every block, in row-major order, where they are few and small.
fn listed(axes: &[HyperslabAxis]) -> Option<Vec<u64>> {
    let mut number = 1_u64;
    for axis in axes {
        let (count, block) = (axis.count?, axis.block?);
        number = number.checked_mul(count)?;
        let last = axis.start + (count - 1) * axis.stride + (block - 1);
        if number >= MANY_BLOCKS || last > MAX_VERSION_1 {
            return None;
        }
    }
    let mut corners = Vec::new();
    for block in 0..number {
        let mut rest = block;
        let mut starts: Vec<u64> = Vec::with_capacity(axes.len());
        for axis in axes.iter().rev() {
            let count = axis.count?;
            starts.push(axis.start + rest % count * axis.stride);
            rest /= count;
        }
        starts.reverse();
        corners.extend_from_slice(&starts);
        for (start, axis) in starts.iter().zip(axes) {
            corners.push(start + axis.block? - 1);
        }
    }
    Some(corners)
}

/// Blocks one by one: of version 1 where 32 bits hold them, else of version 3, which HDF5 1.12 reads.
fn put_blocks(out: &mut Vec<u8>, rank: usize, corners: &[u64]) {
    let blocks = (corners.len() / (2 * rank)) as u64;
    let small = corners.iter().all(|&corner| corner <= MAX_VERSION_1);
    out.put_u32(2);
    if small && blocks <= MAX_VERSION_1 {
        for word in [1, 0, 8 + 4 * corners.len() as u32, rank as u32] {
            out.put_u32(word);
        }
    } else {
        out.put_u32(3);
        out.put_bytes(&[0, 8]);
        out.put_u32(rank as u32);
    }
    let width = if small { 4 } else { 8 };
    out.put_uint(blocks, width);
    for &corner in corners {
        out.put_uint(corner, width);
    }
}

/// Start, stride, count and block of each axis; what is unlimited is all ones.
fn put_axes(out: &mut Vec<u8>, axes: &[HyperslabAxis]) {
    let rank = axes.len() as u32;
    out.put_u32(2);
    out.put_u32(2);
    out.put_u8(REGULAR);
    out.put_u32(4 + 32 * rank);
    out.put_u32(rank);
    for axis in axes {
        let (count, block) = (
            axis.count.unwrap_or(u64::MAX),
            axis.block.unwrap_or(u64::MAX),
        );
        for number in [axis.start, axis.stride, count, block] {
            out.put_u64(number);
        }
    }
}

/// The selection of `count` indices on each axis, `step` apart, from `start` on: `(start, step, count)`. Without axes it is
/// everything. One block that 32 bits hold is of version 1, which every reader knows, others of version 2. Ends fit in 64 bits.
pub(crate) fn encode(axes: &[(u64, u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    if axes.is_empty() {
        put_trivial(&mut out, 3);
    } else if axes.iter().any(|(_, _, count)| *count == 0) {
        put_trivial(&mut out, 0);
    } else if axes
        .iter()
        .all(|(start, step, count)| *step == 1 && start + count <= u64::from(u32::MAX))
    {
        put_block(&mut out, axes);
    } else {
        put_regular(&mut out, axes);
    }
    out
}

fn put_trivial(out: &mut Vec<u8>, kind: u32) {
    for word in [kind, 1, 0, 0] {
        out.put_u32(word);
    }
}

fn put_block(out: &mut Vec<u8>, axes: &[(u64, u64, u64)]) {
    let rank = axes.len() as u32;
    for word in [2, 1, 0, 8 + 8 * rank, rank, 1] {
        out.put_u32(word);
    }
    for (start, _, _) in axes {
        out.put_u32(*start as u32);
    }
    for (start, _, count) in axes {
        out.put_u32((start + count - 1) as u32);
    }
}

fn put_regular(out: &mut Vec<u8>, axes: &[(u64, u64, u64)]) {
    let axes = axes.iter().map(|&(start, stride, count)| {
        // Neighbours are one block.
        let (count, block) = if stride == 1 { (1, count) } else { (count, 1) };
        HyperslabAxis {
            start,
            stride,
            count: Some(count),
            block: Some(block),
        }
    });
    put_axes(out, &axes.collect::<Vec<_>>());
}
