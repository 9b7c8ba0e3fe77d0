//! The choice of a chunk shape where the caller gives none.

use alloc::vec;
use alloc::vec::Vec;

/// The size that a chunk comes near to.
const TARGET_BYTES: u64 = 64 << 10;
/// The size above which a row is cut.
const MAX_ROW_BYTES: u64 = 1 << 20;
/// The number of variable-length elements (16-byte references) that a chunk comes near to.
const VAR_LEN_ELEMENTS: u64 = 128;
/// The least that an inner growing axis is expected to reach.
const MIN_GROWTH: u64 = 32;

/// A chunk shape for a dataset of the current extents `dims` and the maximum extents `max` (`None` is unlimited).
///
/// Where only axis 0 can grow, or none, the chunk suits appending rows (a row is one index of axis 0):
/// - whole rows, as many as fit in 64 KiB;
/// - one row, where a row has 16 KiB or more: an appended row then completes a chunk;
/// - a part of a row, where a row has more than 1 MiB: the outermost of the inner axes are cut first, into parts of
///   nearly equal length, until the chunk has at most 1 MiB.
///
/// Variable-length elements count as 128 to a chunk, since their chunks hold references only.
///
/// | extents | element | chunk | bytes |
/// |---|---|---|---|
/// | `(0..,)` | 8 bytes | `[8192]` | 65,536 |
/// | `(0.., 3)` | 4 bytes | `[5461, 3]` | 65,532 |
/// | `(0.., 40, 200)` | 4 bytes | `[1, 40, 200]` | 32,000 |
/// | `(0.., 40, 200)` | 16 bytes | `[1, 40, 200]` | 128,000 |
/// | `(0.., 2000, 3000)` | 4 bytes | `[1, 87, 3000]` | 1,044,000 |
/// | `(0..,)` | variable-length | `[128]` | 2,048 |
///
/// Where another axis can grow, the chunk is nearly a cube of about 64 KiB. There a fixed axis is never exceeded, an
/// inner growing axis that has elements already counts as them (but at least 32), and the first growing axis takes
/// what is left: `(0.., 0..)` of 8 bytes gives `[91, 90]`, `(40, 0.., 200)` of 4 bytes gives `[20, 32, 25]`.
///
/// No axis of a chunk is zero, or longer than the maximum extent.
pub(crate) fn default_chunk(
    dims: &[u64],
    max: &[Option<u64>],
    element_size: usize,
    var_len: bool,
) -> Vec<u64> {
    let size = u64::try_from(element_size).unwrap_or(MAX_ROW_BYTES).max(1);
    let target = if var_len {
        VAR_LEN_ELEMENTS
    } else {
        (TARGET_BYTES / size).max(1)
    };
    let grows = |d: usize| max[d].is_none_or(|max| max > dims[d]);
    if (1..dims.len()).any(grows) {
        return balanced(dims, max, target);
    }
    let Some((_, inner)) = dims.split_first() else {
        return Vec::new();
    };
    let row = inner
        .iter()
        .fold(1, |n: u64, &dim| n.saturating_mul(dim.max(1)));
    let mut chunk = vec![1; dims.len()];
    let max_row = (MAX_ROW_BYTES / size).max(1);
    if row > max_row {
        cut(&mut chunk[1..], inner, max_row);
        return chunk;
    }
    for (length, &dim) in chunk[1..].iter_mut().zip(inner) {
        *length = dim.max(1);
    }
    let (full, row) = if var_len {
        (VAR_LEN_ELEMENTS, row)
    } else {
        (TARGET_BYTES, row * size)
    };
    if row < full / 4 {
        chunk[0] = within(full / row, max[0]);
    }
    chunk
}

/// Gives the innermost axes their whole length as far as `elements` suffice, and cuts the first that does not fit.
fn cut(chunk: &mut [u64], dims: &[u64], elements: u64) {
    let mut left = elements;
    for (length, &dim) in chunk.iter_mut().zip(dims).rev() {
        *length = even_part(dim.max(1), left);
        if *length < dim {
            return;
        }
        left /= *length;
    }
}

/// The length of nearly equal parts of `dim`, none longer than `most`.
fn even_part(dim: u64, most: u64) -> u64 {
    let parts = dim.div_ceil(most.max(1));
    dim.div_ceil(parts)
}

fn within(length: u64, max: Option<u64>) -> u64 {
    max.map_or(length, |max| length.min(max)).max(1)
}

/// A shape of nearly `target` elements with sides as equal as the axes allow.
fn balanced(dims: &[u64], max: &[Option<u64>], target: u64) -> Vec<u64> {
    let grows = |d: usize| max[d].is_none_or(|max| max > dims[d]);
    let first = (0..dims.len()).find(|&d| grows(d)).unwrap_or(0);
    let caps: Vec<u64> = (0..dims.len())
        .map(|d| match (grows(d), dims[d]) {
            (false, dim) => dim.max(1),
            (true, dim) if d == first || dim == 0 => within(target, max[d]),
            (true, dim) => within(dim.max(MIN_GROWTH).min(target), max[d]),
        })
        .collect();
    let volume = |side: u64| {
        let sides = caps.iter().map(|&cap| cap.min(side));
        sides.fold(1, u64::saturating_mul)
    };
    // The longest side that keeps the chunk within the target.
    let (mut side, mut above) = (1, target + 1);
    while above - side > 1 {
        let middle = side + (above - side) / 2;
        if volume(middle) <= target {
            side = middle;
        } else {
            above = middle;
        }
    }
    let mut chunk: Vec<u64> = caps
        .iter()
        .enumerate()
        .map(|(d, &cap)| {
            if grows(d) {
                cap.min(side)
            } else {
                even_part(cap, side)
            }
        })
        .collect();
    chunk[first] = 1;
    let others = chunk
        .iter()
        .fold(1, |n: u64, &length| n.saturating_mul(length));
    chunk[first] = within(target / others, max[first]);
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extents::Extents;

    fn chunk(extents: impl Into<Extents>, element_size: usize) -> Vec<u64> {
        let extents = extents.into();
        default_chunk(&extents.dims(), &extents.max_dims(), element_size, false)
    }

    fn var_len(extents: impl Into<Extents>) -> Vec<u64> {
        let extents = extents.into();
        default_chunk(&extents.dims(), &extents.max_dims(), 16, true)
    }

    #[test]
    fn rows_are_whole_and_fill_64_kib() {
        assert_eq!(chunk((0..,), 8), [8192]);
        assert_eq!(chunk((0..,), 1), [65536]);
        assert_eq!(chunk((0..,), 12), [5461]);
        assert_eq!(chunk((0.., 3), 4), [5461, 3]);
        assert_eq!(chunk((0.., 10, 10), 8), [81, 10, 10]);
        assert_eq!(chunk((7.., 511), 8), [16, 511]);
    }

    #[test]
    fn a_row_of_16_kib_is_a_chunk() {
        assert_eq!(chunk((0.., 40, 200), 16), [1, 40, 200]);
        assert_eq!(chunk((0.., 40, 200), 4), [1, 40, 200]);
        assert_eq!(chunk((0.., 4096), 4), [1, 4096]);
        assert_eq!(chunk((0.., 4095), 4), [4, 4095]);
        assert_eq!(chunk((0.., 512, 512), 4), [1, 512, 512]);
        assert_eq!(chunk((0..,), 16_383), [4]);
        assert_eq!(chunk((0..,), 16_384), [1]);
        assert_eq!(chunk((0..,), 2_000_000), [1]);
    }

    #[test]
    fn only_a_row_beyond_1_mib_is_cut_and_its_inner_runs_stay_long() {
        assert_eq!(chunk((0.., 2000, 3000), 4), [1, 87, 3000]);
        assert_eq!(chunk((0.., 5, 1 << 20), 4), [1, 1, 1 << 18]);
        assert_eq!(chunk((0.., 513, 512), 4), [1, 257, 512]);
        assert_eq!(chunk((0.., 3, 3), 2_000_000), [1, 1, 1]);
    }

    #[test]
    fn no_axis_is_zero_or_beyond_its_maximum() {
        assert_eq!(chunk((5, 3), 8), [5, 3]);
        assert_eq!(chunk((0, 0), 8), [1, 1]);
        assert_eq!(chunk((0.., 0), 8), [8192, 1]);
        assert_eq!(chunk((2..=5, 3), 8), [5, 3]);
        assert_eq!(chunk((2.., 3..=4), 8), [2048, 4]);
        assert_eq!(chunk(Extents::Scalar, 8), [0u64; 0]);
    }

    #[test]
    fn references_count_128_to_a_chunk() {
        assert_eq!(var_len((0..,)), [128]);
        assert_eq!(var_len((0.., 4)), [32, 4]);
        assert_eq!(var_len((0.., 40, 200)), [1, 40, 200]);
        assert_eq!(var_len((100,)), [100]);
    }

    #[test]
    fn growth_on_other_axes_gives_balanced_chunks() {
        assert_eq!(chunk((0.., 0..), 8), [91, 90]);
        assert_eq!(chunk((40, 0.., 200), 4), [20, 32, 25]);
        assert_eq!(chunk((3, 0..), 8), [3, 2730]);
        assert_eq!(chunk((0.., 5..), 8), [256, 32]);
        assert_eq!(chunk((0.., 0.., 0..), 8), [20, 20, 20]);
    }

    proptest::proptest! {
        #[test]
        fn every_choice_is_a_possible_chunk(
            axes in proptest::collection::vec((0u64..5000, 0u8..4, 0u64..5000), 1..6),
            size in 1usize..40_000,
            var_len: bool,
        ) {
            let dims: Vec<u64> = axes.iter().map(|axis| axis.0).collect();
            let max: Vec<Option<u64>> = axes
                .iter()
                .map(|&(dim, kind, more)| match kind {
                    0 => None,
                    1 => Some(dim + more),
                    _ => Some(dim),
                })
                .collect();
            let size = if var_len { 16 } else { size };
            let chunk = default_chunk(&dims, &max, size, var_len);
            assert_eq!(chunk.len(), dims.len());
            for (length, max) in chunk.iter().zip(&max) {
                assert!(*length >= 1);
                assert!(max.is_none_or(|max| *length <= max.max(1)));
            }
            let bytes: u64 = chunk.iter().product::<u64>() * size as u64;
            assert!(bytes <= MAX_ROW_BYTES.max(size as u64));
            super::super::Grid::new(chunk, size).unwrap();
        }
    }
}
