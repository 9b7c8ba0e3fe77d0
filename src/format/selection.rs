//! VIII.A, "Dataspace selection": a selection of elements as virtual datasets and region references store it.
//!
//! ```text
//!   0   4  type: 0 none, 1 points, 2 hyperslab, 3 all
//!   4   4  version
//! none and all, version 1:     hyperslab, version 1:       version 2:            version 3:
//!   8   4  reserved              8   4  reserved             8   1  flags          8   1  flags
//!  12   4  length, 0            12   4  length               9   4  length         9   1  width w: 2, 4, 8
//!                               16   4  rank, r             13   4  rank, r       10   4  rank, r
//!                               20   4  number of blocks    17  regular: r times start, stride, count, block
//!                                +      per block: r        irregular (flag 0 clear): w number of blocks, then
//!                                       starts, r ends      per block r starts, r ends (the last index, inclusive)
//! points, version 1:           version 2:
//!   8   4  reserved              8   1  width w: 2, 4, 8
//!  12   4  length                9   4  rank, r
//!  16   4  rank, r              13   w  number of points
//!  20   4  number of points      +      per point r coordinates
//!   +      per point r coordinates
//! ```
//! Numbers have 4 bytes in version 1, 8 in version 2 of a hyperslab, and w elsewhere. A count or block of all ones in
//! a regular hyperslab is unlimited; a hyperslab has one unlimited axis at the most.

mod encode;

pub(crate) use encode::encode;

use crate::bytes::Take;
use crate::error::Result;
use alloc::vec::Vec;

/// The most axes a dataspace has.
const MAX_RANK: u32 = 32;

/// The flag of a hyperslab stored by start, stride, count and block.
const REGULAR: u8 = 0x01;

/// A selection, in the order its elements have: row-major, but for points, which have the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoredSelection {
    None,
    All,
    /// `rank` coordinates for each point, one point after the other.
    Points {
        rank: usize,
        coordinates: Vec<u64>,
    },
    /// A regular hyperslab: the product of its axes.
    Hyperslab(Vec<HyperslabAxis>),
    /// The union of blocks: for each `rank` first, then `rank` last indices. Blocks of a hostile file may overlap.
    Blocks {
        rank: usize,
        corners: Vec<u64>,
    },
}

/// One axis of a regular hyperslab: `count` blocks of `block` indices, one every `stride`. At most one of count and
/// block is `None`, unlimited. The last index of a limited axis fits in 64 bits, and so does the number of its indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HyperslabAxis {
    pub(crate) start: u64,
    pub(crate) stride: u64,
    pub(crate) count: Option<u64>,
    pub(crate) block: Option<u64>,
}

impl StoredSelection {
    /// Takes a selection; what follows it is left.
    pub(crate) fn take(take: &mut Take<'_>) -> Result<Self> {
        match take.u32()? {
            0 => take_trivial(take).map(|()| Self::None),
            1 => take_points(take),
            2 => take_hyperslab(take),
            3 => take_trivial(take).map(|()| Self::All),
            _ => Err(take.error("unknown type of selection")),
        }
    }

    /// The number of axes; `None` where the selection does not say.
    pub(crate) fn rank(&self) -> Option<usize> {
        match self {
            Self::None | Self::All => None,
            Self::Points { rank, .. } | Self::Blocks { rank, .. } => Some(*rank),
            Self::Hyperslab(axes) => Some(axes.len()),
        }
    }

    /// The axis without limit, where there is one.
    pub(crate) fn unlimited_axis(&self) -> Option<usize> {
        match self {
            Self::Hyperslab(axes) => axes.iter().position(HyperslabAxis::is_unlimited),
            _ => None,
        }
    }
}

impl HyperslabAxis {
    pub(crate) fn is_unlimited(&self) -> bool {
        self.count.is_none() || self.block.is_none()
    }
}

/// What "all" and "none" have after their type.
fn take_trivial(take: &mut Take<'_>) -> Result<()> {
    take_version(take, 1, 1)?;
    take.skip(8)
}

fn take_version(take: &mut Take<'_>, first: u32, last: u32) -> Result<u32> {
    match take.u32()? {
        version if (first..=last).contains(&version) => Ok(version),
        _ => Err(take.error("unknown version of a selection")),
    }
}

fn take_rank(take: &mut Take<'_>) -> Result<usize> {
    match take.u32()? {
        rank @ 1..=MAX_RANK => Ok(rank as usize),
        _ => Err(take.error("the rank of a selection is not 1 to 32")),
    }
}

fn take_width(take: &mut Take<'_>) -> Result<u8> {
    match take.u8()? {
        width @ (2 | 4 | 8) => Ok(width),
        _ => Err(take.error("the width of a selection's numbers is not 2, 4 or 8")),
    }
}

/// `count` times `each` numbers; their bytes must be there before anything is allocated.
fn take_numbers(take: &mut Take<'_>, count: u64, each: usize, width: u8) -> Result<Vec<u64>> {
    let numbers = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(each))
        .filter(|numbers| *numbers <= take.remaining() / usize::from(width))
        .ok_or_else(|| take.error("a selection ends too early"))?;
    (0..numbers).map(|_| take.uint(width)).collect()
}

fn take_points(take: &mut Take<'_>) -> Result<StoredSelection> {
    let width = if take_version(take, 1, 2)? == 1 {
        take.skip(8)?;
        4
    } else {
        take_width(take)?
    };
    let rank = take_rank(take)?;
    let count = take.uint(width)?;
    let coordinates = take_numbers(take, count, rank, width)?;
    Ok(StoredSelection::Points { rank, coordinates })
}

fn take_hyperslab(take: &mut Take<'_>) -> Result<StoredSelection> {
    let version = take_version(take, 1, 3)?;
    let (flags, width) = match version {
        1 => {
            take.skip(8)?;
            (0, 4)
        }
        2 => {
            let flags = take.u8()?;
            take.skip(4)?;
            (flags, 8)
        }
        _ => (take.u8()?, take_width(take)?),
    };
    if flags & !REGULAR != 0 {
        return Err(take.error("unknown flags of a hyperslab"));
    }
    let rank = take_rank(take)?;
    if flags & REGULAR != 0 {
        return take_regular(take, rank, width);
    }
    let count = take.uint(width)?;
    let corners = take_numbers(take, count, 2 * rank, width)?;
    for block in corners.chunks_exact(2 * rank) {
        let (first, last) = block.split_at(rank);
        let ordered = first.iter().zip(last).all(|(first, last)| first <= last);
        if !ordered || last.contains(&u64::MAX) {
            return Err(take.error("a block of a hyperslab ends before it starts"));
        }
    }
    if corners.is_empty() {
        return Ok(StoredSelection::None);
    }
    Ok(StoredSelection::Blocks { rank, corners })
}

fn take_regular(take: &mut Take<'_>, rank: usize, width: u8) -> Result<StoredSelection> {
    let unlimited = u64::MAX >> (64 - 8 * u32::from(width));
    let limit = |value: u64| (value != unlimited).then_some(value);
    let mut axes = Vec::with_capacity(rank);
    for _ in 0..rank {
        axes.push(HyperslabAxis {
            start: take.uint(width)?,
            stride: take.uint(width)?,
            count: limit(take.uint(width)?),
            block: limit(take.uint(width)?),
        });
    }
    let mut unlimited_axes = 0;
    let mut empty = false;
    for axis in &axes {
        let several = !matches!(axis.count, Some(0 | 1));
        if several && axis.block.is_none_or(|block| axis.stride < block.max(1)) {
            return Err(take.error("the blocks of a hyperslab overlap"));
        }
        unlimited_axes += usize::from(axis.is_unlimited());
        empty |= axis.count == Some(0) || axis.block == Some(0);
        if let (Some(count @ 1..), Some(block @ 1..)) = (axis.count, axis.block) {
            let last = (count - 1)
                .checked_mul(axis.stride)
                .and_then(|last| last.checked_add(block)?.checked_add(axis.start));
            if last.is_none() {
                return Err(take.error("a hyperslab ends beyond 64 bits"));
            }
        }
    }
    if unlimited_axes > 1 {
        return Err(take.error("a hyperslab has several unlimited axes"));
    }
    if empty {
        return Ok(StoredSelection::None);
    }
    Ok(StoredSelection::Hyperslab(axes))
}

#[cfg(test)]
mod tests;
