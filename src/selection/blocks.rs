//! Blocks of indices, as a mapping of a virtual dataset selects them.

use super::{Axis, Kind, Selection, SliceOrIndex, resolve_index, resolve_slice};
use crate::error::{Error, Result};
use alloc::format;
use alloc::vec::Vec;

/// One axis of a regular hyperslab: `count` blocks of `block` indices, one every `step`; all there will ever be without a
/// count. The last index of what is limited is inside the extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) start: u64,
    pub(crate) step: u64,
    pub(crate) count: Option<u64>,
    pub(crate) block: u64,
}

impl Blocks {
    fn of(axis: Axis) -> Self {
        Self {
            start: axis.start,
            step: axis.step,
            count: Some(axis.count),
            block: 1,
        }
    }

    /// The same indices for a read or a write, which know ranges only.
    pub(super) fn run(self, i: usize, extent: u64) -> Result<Axis> {
        let Self {
            start,
            step,
            count,
            block,
        } = self;
        let reach = extent.saturating_sub(start);
        match count {
            Some(count) if block == 1 => Ok(Axis::new(start, step, count)),
            None if block == 1 => Ok(Axis::new(start.min(extent), step, reach.div_ceil(step))),
            Some(count) if count <= 1 || block == step || block == 0 => {
                Ok(Axis::new(start, 1, count * block))
            }
            None if block == step => Ok(Axis::new(start.min(extent), 1, reach)),
            _ => Err(Error::unsupported(format!(
                "axis {i}: a read or write of blocks of {block} indices every {step}"
            ))),
        }
    }
}

impl Selection {
    /// What this selects on each axis of an array of `shape`.
    pub(crate) fn blocks(&self, shape: &[u64]) -> Result<Vec<Blocks>> {
        let axes = match &self.0 {
            Kind::Axes(axes) if axes.len() <= shape.len() => axes.as_slice(),
            // These say what is wrong with them, or are everything.
            _ => {
                return Ok(self
                    .resolve(shape)?
                    .axes
                    .into_iter()
                    .map(Blocks::of)
                    .collect());
            }
        };
        let all = shape.iter().enumerate().map(|(i, &extent)| {
            let Some(&slice) = axes.get(i) else {
                return Ok(Blocks::of(Axis::whole(extent)));
            };
            in_extent(i, slice, extent)
        });
        all.collect()
    }
}

/// What is selected on an axis of `extent` indices.
pub(super) fn in_extent(i: usize, slice: SliceOrIndex, extent: u64) -> Result<Blocks> {
    let (start, step, count, block) = match slice {
        SliceOrIndex::Index(index) => return resolve_index(i, index, extent).map(Blocks::of),
        SliceOrIndex::Slice { start, end, step } => {
            return resolve_slice(i, slice, (start, end, step), extent).map(Blocks::of);
        }
        SliceOrIndex::SliceCount {
            start,
            step,
            count,
            block,
        } => (start, step, Some(count as u64), block),
        SliceOrIndex::Unlimited { start, step, block } => (start, step, None, block),
    };
    let (start, step, block) = (start as u64, step as u64, block as u64);
    let several = count.is_none_or(|count| count > 1);
    if several && (step == 0 || step < block) {
        return Err(Error::invalid(format!(
            "axis {i}: blocks of {block} indices every {step} overlap"
        )));
    }
    if count.is_none() && block == 0 {
        return Err(Error::invalid(format!("axis {i}: blocks without indices")));
    }
    let end = match count {
        None => Some(0),
        Some(0) => Some(start),
        Some(count) => (count - 1)
            .checked_mul(step)
            .and_then(|last| last.checked_add(start)?.checked_add(block)),
    };
    match end {
        Some(end) if end <= extent => Ok(Blocks {
            start,
            step: step.max(1),
            count,
            block,
        }),
        _ => Err(Error::invalid(format!(
            "axis {i}: range {slice} is beyond the extent {extent}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn blocks_are_checked_against_the_extent() {
        let count = |start, step, count, block| SliceOrIndex::SliceCount {
            start,
            step,
            count,
            block,
        };
        let blocks = |slice: SliceOrIndex| Selection::from(slice).blocks(&[10]);
        let is = |start, step, count, block| {
            Ok(vec![Blocks {
                start,
                step,
                count,
                block,
            }])
        };
        assert_eq!(blocks(count(1, 4, 2, 3)), is(1, 4, Some(2), 3));
        assert_eq!(blocks(count(1, 3, 3, 3)), is(1, 3, Some(3), 3));
        assert_eq!(blocks(SliceOrIndex::from(-3..)), is(7, 1, Some(3), 1));
        assert_eq!(blocks(SliceOrIndex::unlimited(12)), is(12, 1, None, 1));
        assert_eq!(Selection::from(..).blocks(&[10]), is(0, 1, Some(10), 1));
        for wrong in [
            count(1, 3, 3, 4),
            count(2, 3, 3, 3),
            count(0, 0, 2, 1),
            count(11, 1, 0, 1),
            count(1, usize::MAX, 3, 1),
            SliceOrIndex::Unlimited {
                start: 0,
                step: 2,
                block: 3,
            },
            SliceOrIndex::Unlimited {
                start: 0,
                step: 2,
                block: 0,
            },
        ] {
            assert!(blocks(wrong).is_err(), "{wrong}");
        }
        assert!(Selection::from((0, 0)).blocks(&[10]).is_err());
    }

    #[test]
    fn reads_take_blocks_that_are_ranges() {
        let axis = |slice: SliceOrIndex| {
            let resolved = Selection::from(slice).resolve(&[10]);
            resolved.map(|resolved| resolved.axes[0])
        };
        let count = |step, count, block| SliceOrIndex::SliceCount {
            start: 1,
            step,
            count,
            block,
        };
        assert_eq!(axis(count(2, 3, 1)), Ok(Axis::new(1, 2, 3)));
        assert_eq!(axis(count(3, 2, 3)), Ok(Axis::new(1, 1, 6)));
        assert_eq!(axis(count(9, 1, 4)), Ok(Axis::new(1, 1, 4)));
        assert_eq!(axis(count(0, 0, 4)), Ok(Axis::new(1, 1, 0)));
        let unlimited = SliceOrIndex::unlimited(3);
        assert_eq!(axis(unlimited), Ok(Axis::new(3, 1, 7)));
        assert_eq!(axis(unlimited.step_by(2)), Ok(Axis::new(3, 2, 4)));
        let error = axis(count(3, 2, 2)).unwrap_err();
        assert!(error.to_string().contains("blocks of 2 indices every 3"));
    }
}
