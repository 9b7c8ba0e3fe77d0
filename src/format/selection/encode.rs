//! The bytes of a selection, as libhdf5 1.10 writes them.

use super::REGULAR;
use crate::bytes::Put;
use alloc::vec::Vec;

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
    let rank = axes.len() as u32;
    out.put_u32(2);
    out.put_u32(2);
    out.put_u8(REGULAR);
    out.put_u32(4 + 32 * rank);
    out.put_u32(rank);
    for (start, step, count) in axes {
        // Neighbours are one block.
        let (count, block) = if *step == 1 { (1, *count) } else { (*count, 1) };
        for number in [*start, *step, count, block] {
            out.put_u64(number);
        }
    }
}
