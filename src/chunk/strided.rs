//! Copies between two row-major arrays, cut into runs that are contiguous in both.
//!
//! Side `a` is the stored array (a chunk, or a contiguous dataset), of which an axis is visited from a start in
//! steps; side `b` is the dense array of the caller, which is visited element by element.

use crate::error::{Error, Result};
use crate::extents::MAX_RANK;
use crate::selection::Resolved;

/// One axis of a copy: `count` elements, where they are on side `a`, and where on side `b`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CopyAxis {
    /// At least 1; with a count of 1 the step is 1.
    pub(super) count: u64,
    pub(super) a_dim: u64,
    pub(super) a_start: u64,
    pub(super) a_step: u64,
    pub(super) b_dim: u64,
    pub(super) b_start: u64,
}

/// `repeat` runs of `len` bytes each, the first at `a` and `b`, the others one stride further each time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) len: u64,
    pub(super) repeat: u64,
    pub(super) a_stride: u64,
    pub(super) b_stride: u64,
}

/// A loop around the runs: how often, and how far on each side from one round to the next.
#[derive(Debug, Clone, Copy, Default)]
struct Loop {
    count: u64,
    a_stride: u64,
    b_stride: u64,
}

/// Visits the pieces in the row-major order of the dense array.
///
/// The innermost axes become one run as far as both sides hold them without gaps, and neighbouring loops with
/// matching strides become one loop, so that no two runs touch on both sides. The axes come innermost first. `None` when
/// a side is larger than 64 bits can say. Nothing is visited when an axis has no elements.
pub(super) fn for_each_piece(
    axes: impl Iterator<Item = CopyAxis>,
    element_size: usize,
    visit: &mut dyn FnMut(Piece) -> Result<()>,
) -> Option<Result<()>> {
    let mut loops = [Loop::default(); MAX_RANK];
    let mut depth = 0;
    let mut len = u64::try_from(element_size).ok()?;
    let (mut a, mut b) = (0u64, 0u64);
    // The bytes of one index of the axis on each side.
    let (mut a_unit, mut b_unit) = (len, len);
    for axis in axes {
        if axis.count == 0 {
            return Some(Ok(()));
        }
        let a_total = a_unit.checked_mul(axis.a_dim)?;
        let b_total = b_unit.checked_mul(axis.b_dim)?;
        a += axis.a_start * a_unit;
        b += axis.b_start * b_unit;
        let outer = Loop {
            count: axis.count,
            a_stride: axis.a_step * a_unit,
            b_stride: b_unit,
        };
        if depth == 0 && len == outer.a_stride && len == b_unit {
            len *= axis.count;
        } else if axis.count > 1 {
            match loops[..depth].last_mut() {
                Some(inner)
                    if inner.count.checked_mul(inner.a_stride) == Some(outer.a_stride)
                        && inner.count.checked_mul(inner.b_stride) == Some(outer.b_stride) =>
                {
                    inner.count *= outer.count;
                }
                _ => {
                    *loops.get_mut(depth)? = outer;
                    depth += 1;
                }
            }
        }
        (a_unit, b_unit) = (a_total, b_total);
    }
    let (innermost, outer) = match loops[..depth].split_first() {
        Some((innermost, outer)) => (*innermost, outer),
        None => (
            Loop {
                count: 1,
                a_stride: 0,
                b_stride: 0,
            },
            &[][..],
        ),
    };
    let first = Piece {
        a,
        b,
        len,
        repeat: innermost.count,
        a_stride: innermost.a_stride,
        b_stride: innermost.b_stride,
    };
    Some(walk(first, outer, visit))
}

fn walk(first: Piece, loops: &[Loop], visit: &mut dyn FnMut(Piece) -> Result<()>) -> Result<()> {
    let mut index = [0u64; MAX_RANK];
    let mut piece = first;
    'pieces: loop {
        visit(piece)?;
        for (level, index) in loops.iter().zip(&mut index) {
            if *index + 1 < level.count {
                *index += 1;
                piece.a += level.a_stride;
                piece.b += level.b_stride;
                continue 'pieces;
            }
            piece.a -= *index * level.a_stride;
            piece.b -= *index * level.b_stride;
            *index = 0;
        }
        return Ok(());
    }
}

/// Calls `visit(offset in the file, offset in the dense array, length)`, all in bytes, for every contiguous run of
/// `selection` in a row-major array of `dims`. Both offsets rise, and no two runs could be one.
pub(crate) fn for_each_run(
    dims: &[u64],
    element_size: usize,
    selection: &Resolved,
    visit: &mut dyn FnMut(u64, usize, usize) -> Result<()>,
) -> Result<()> {
    let rank = dims.len();
    if rank > MAX_RANK || selection.axes.len() != rank {
        return Err(Error::invalid(
            "the rank of the selection differs from the rank of the dataset",
        ));
    }
    if selection.is_empty() {
        return Ok(());
    }
    let axes = selection.axes.iter().zip(dims).rev();
    let axes = axes.map(|(selected, &dim)| CopyAxis {
        count: selected.count,
        a_dim: dim,
        a_start: selected.start,
        a_step: selected.step,
        b_dim: selected.count,
        b_start: 0,
    });
    let too_large = || Error::invalid("the array is larger than the address space");
    let memory = |bytes: u64| usize::try_from(bytes).map_err(|_| too_large());
    // A stepped row may end right before the next one begins, so the last run waits for its successor.
    let mut last: Option<(u64, u64, usize)> = None;
    for_each_piece(axes, element_size, &mut |piece| {
        let len = memory(piece.len)?;
        for i in 0..piece.repeat {
            let file = piece.a + i * piece.a_stride;
            let dense = piece.b + i * piece.b_stride;
            match &mut last {
                // The dense side has no gaps: what is as far on in the file is the same run.
                Some((file_start, dense_start, held))
                    if file - *file_start == dense - *dense_start =>
                {
                    *held += len;
                }
                _ => {
                    if let Some((file, dense, len)) = last.replace((file, dense, len)) {
                        visit(file, memory(dense)?, len)?;
                    }
                }
            }
        }
        Ok(())
    })
    .unwrap_or_else(|| Err(too_large()))?;
    match last {
        Some((file, dense, len)) => visit(file, memory(dense)?, len),
        None => Ok(()),
    }
}

/// Copies the runs of a piece from `source` to `target`; each side as (first offset, stride).
pub(super) fn copy_runs(
    source: &[u8],
    from: (usize, usize),
    target: &mut [u8],
    to: (usize, usize),
    len: usize,
    repeat: usize,
) {
    // With the length known to the compiler, a single element is a load and a store.
    match len {
        1 => copy_fixed::<1>(source, from, target, to, repeat),
        2 => copy_fixed::<2>(source, from, target, to, repeat),
        4 => copy_fixed::<4>(source, from, target, to, repeat),
        8 => copy_fixed::<8>(source, from, target, to, repeat),
        16 => copy_fixed::<16>(source, from, target, to, repeat),
        _ => {
            for i in 0..repeat {
                let (s, t) = (from.0 + i * from.1, to.0 + i * to.1);
                target[t..t + len].copy_from_slice(&source[s..s + len]);
            }
        }
    }
}

fn copy_fixed<const LEN: usize>(
    source: &[u8],
    from: (usize, usize),
    target: &mut [u8],
    to: (usize, usize),
    repeat: usize,
) {
    for i in 0..repeat {
        let (s, t) = (from.0 + i * from.1, to.0 + i * to.1);
        target[t..t + LEN].copy_from_slice(&source[s..s + LEN]);
    }
}
