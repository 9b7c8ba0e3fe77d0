//! Every answer of the grid against code that looks at one element at a time.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::chunk::{Fill, for_each_run};

#[derive(Debug, Clone)]
struct Case {
    dims: Vec<u64>,
    grid: Grid,
    selection: Resolved,
}

fn axis(extent: u64) -> impl Strategy<Value = (u64, Axis)> {
    let any = (0..=extent, 1..=extent + 1, 0..=extent).prop_map(move |(start, step, most)| {
        let count = (extent - start).div_ceil(step).min(most);
        (extent, Axis::new(start, step, count))
    });
    prop_oneof![Just((extent, Axis::whole(extent))), any]
}

fn case() -> impl Strategy<Value = Case> {
    let axis = (0u64..9).prop_flat_map(axis);
    let axes = prop::collection::vec((axis, 1u64..6), 1..=4);
    let size = prop::sample::select(vec![1usize, 2, 3, 4, 8, 16]);
    (axes, size).prop_map(|(axes, size)| {
        let (axes, chunk): (Vec<_>, Vec<_>) = axes.into_iter().unzip();
        let (dims, axes): (Vec<u64>, Vec<Axis>) = axes.into_iter().unzip();
        let collapsed = vec![false; dims.len()];
        Case {
            dims,
            grid: Grid::new(chunk, size).unwrap(),
            selection: Resolved { axes, collapsed },
        }
    })
}

/// All index tuples of a row-major array.
fn indices(shape: &[u64]) -> Vec<Vec<u64>> {
    let mut all = vec![Vec::new()];
    for &dim in shape {
        let longer = |index: Vec<u64>| (0..dim).map(move |i| [index.as_slice(), &[i]].concat());
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

fn linear(index: &[u64], shape: &[u64]) -> usize {
    let offset = index.iter().zip(shape).fold(0, |n, (i, dim)| n * dim + i);
    usize::try_from(offset).unwrap()
}

/// For every selected element, in order: its index in the dataset.
fn selected(case: &Case) -> Vec<Vec<u64>> {
    let place = |index: Vec<u64>| -> Vec<u64> {
        let axes = index.iter().zip(&case.selection.axes);
        axes.map(|(i, axis)| axis.start + i * axis.step).collect()
    };
    indices(&case.selection.counts())
        .into_iter()
        .map(place)
        .collect()
}

fn split(index: &[u64], chunk: &[u64]) -> (Vec<u64>, Vec<u64>) {
    index.iter().zip(chunk).map(|(i, c)| (i / c, i % c)).unzip()
}

/// Bytes that differ from their neighbours and from `other`'s.
fn pattern(len: usize, other: u32) -> Vec<u8> {
    let hash = |i: u32| (i + other).wrapping_mul(0x9E37_79B1).rotate_right(24);
    (0..u32::try_from(len).unwrap())
        .map(|i| hash(i).to_le_bytes()[0])
        .collect()
}

/// All chunks that hold an element of the dataset, and one that holds none.
fn chunks(case: &Case) -> Vec<Vec<u64>> {
    let counts: Vec<u64> = case.grid.counts(&case.dims).iter().map(|n| n + 1).collect();
    indices(&counts)
}

fn touched(case: &Case) -> BTreeSet<Vec<u64>> {
    let selected = selected(case).into_iter();
    selected
        .map(|index| split(&index, case.grid.chunk()).0)
        .collect()
}

proptest! {
    #[test]
    fn exactly_the_touched_chunks_are_visited_in_order(case in case()) {
        let mut visited = Vec::new();
        case.grid.for_each_chunk(&case.selection, &mut |scaled| {
            visited.push(scaled.to_vec());
            Ok(())
        }).unwrap();
        prop_assert_eq!(visited, touched(&case).into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn scatter_and_gather_move_the_selected_elements_only(case in case()) {
        let (grid, size) = (&case.grid, case.grid.element_size());
        let selected = selected(&case);
        let dense = pattern(selected.len() * size, 0);
        for scaled in chunks(&case) {
            let before = pattern(grid.chunk_bytes(), 77);
            let (mut chunk, mut back) = (before.clone(), dense.clone());
            for (i, index) in selected.iter().enumerate() {
                let (at, inner) = split(index, grid.chunk());
                if at == scaled {
                    let (d, c) = (i * size, linear(&inner, grid.chunk()) * size);
                    chunk[c..c + size].copy_from_slice(&dense[d..d + size]);
                    back[d..d + size].copy_from_slice(&before[c..c + size]);
                }
            }
            let mut scattered = before.clone();
            grid.scatter(&scaled, &case.selection, &dense, &mut scattered);
            prop_assert_eq!(scattered, chunk);
            let mut gathered = dense.clone();
            grid.gather(&scaled, &case.selection, &before, &mut gathered);
            prop_assert_eq!(gathered, back);
        }
    }

    #[test]
    fn a_chunk_is_covered_when_all_its_elements_inside_are_selected(case in case()) {
        let selected: BTreeSet<Vec<u64>> = selected(&case).into_iter().collect();
        for scaled in chunks(&case) {
            let inside = indices(&case.dims);
            let mut inside = inside.iter().filter(|index| split(index, case.grid.chunk()).0 == scaled);
            let expected = inside.all(|index| selected.contains(index));
            prop_assert_eq!(case.grid.covers(&scaled, &case.selection, &case.dims), expected);
        }
    }

    #[test]
    fn a_contiguous_chunk_is_found_exactly_where_there_is_one(case in case()) {
        let (grid, size) = (&case.grid, case.grid.element_size());
        let selected = selected(&case);
        for scaled in chunks(&case) {
            let places = selected.iter().enumerate().filter_map(|(i, index)| {
                let (at, inner) = split(index, grid.chunk());
                (at == scaled).then(|| (i, linear(&inner, grid.chunk())))
            });
            let places: Vec<(usize, usize)> = places.collect();
            let first = places.first().map_or(0, |place| place.0);
            let whole = places.len() == grid.chunk_elements();
            let in_order = places.iter().all(|&(dense, inner)| dense == first + inner);
            let expected = (whole && in_order).then(|| first * size..first * size + grid.chunk_bytes());
            prop_assert_eq!(grid.contiguous_in_dense(&scaled, &case.selection), expected);
        }
    }

    #[test]
    fn elements_beyond_the_extent_become_the_fill_value(case in case(), partly: bool) {
        let (grid, size) = (&case.grid, case.grid.element_size());
        let fill = vec![0xEE; size];
        for scaled in chunks(&case) {
            let mut chunk = vec![1; grid.chunk_bytes()];
            if partly {
                let half = chunk.len() / size / 2 * size;
                chunk[..half].fill(0xEE);
            }
            let (mut expected, mut changed) = (chunk.clone(), None);
            for inner in indices(grid.chunk()) {
                let mut place = inner.iter().zip(grid.chunk()).zip(&scaled).zip(&case.dims);
                let beyond = place.any(|(((i, c), s), dim)| s * c + i >= *dim);
                let at = linear(&inner, grid.chunk()) * size;
                if beyond && expected[at..at + size] != fill {
                    expected[at..at + size].copy_from_slice(&fill);
                    changed = Some(changed.map_or(at, |(first, _)| first)).map(|first| (first, at + size));
                }
            }
            let range = grid.fill_beyond(&scaled, &case.dims, Fill::new(&fill, fill.len()), &mut chunk);
            prop_assert_eq!(chunk, expected);
            prop_assert_eq!(range, changed.map(|(first, end)| first..end));
        }
    }

    #[test]
    fn runs_of_a_contiguous_dataset_are_the_selection_and_cannot_be_merged(case in case()) {
        let size = case.grid.element_size();
        let mut runs: Vec<(u64, usize, usize)> = Vec::new();
        for_each_run(&case.dims, size, &case.selection, &mut |file, dense, len| {
            runs.push((file, dense, len));
            Ok(())
        }).unwrap();
        let mut expected: Vec<(u64, usize, usize)> = Vec::new();
        for (i, index) in selected(&case).iter().enumerate() {
            let file = (linear(index, &case.dims) * size) as u64;
            match expected.last_mut() {
                Some((start, _, len)) if *start + *len as u64 == file => *len += size,
                _ => expected.push((file, i * size, size)),
            }
        }
        prop_assert_eq!(runs, expected);
    }
}

#[test]
fn a_scalar_is_one_run() {
    let mut runs = Vec::new();
    let selection = Resolved::whole(&[]).unwrap();
    let mut push = |file, dense, len| {
        runs.push((file, dense, len));
        Ok(())
    };
    for_each_run(&[], 8, &selection, &mut push).unwrap();
    assert_eq!(runs, [(0, 0, 8)]);
}

#[test]
fn hostile_extents_are_errors_and_no_overflow() {
    let huge = [u64::MAX / 2, 16];
    let grid = Grid::new(vec![1 << 20, 16], 8).unwrap();
    assert_eq!(grid.counts(&huge), [1 << 43, 1]);
    let last = Axis::new(huge[0] - 1, 1, 1);
    let selection = Resolved {
        axes: vec![last, Axis::whole(16)],
        collapsed: vec![false; 2],
    };
    let mut visited = Vec::new();
    let mut visit = |scaled: &[u64]| {
        visited.push(scaled.to_vec());
        Ok(())
    };
    grid.for_each_chunk(&selection, &mut visit).unwrap();
    assert_eq!(visited, [[(1 << 43) - 1, 0]]);
    assert!(!grid.covers(&visited[0], &selection, &huge));
    // A stored scaled coordinate may be anything.
    assert!(grid.covers(&[u64::MAX, 0], &selection, &huge));
    assert_eq!(grid.contiguous_in_dense(&[u64::MAX, 0], &selection), None);
    assert!(for_each_run(&huge, 8, &selection, &mut |_, _, _| Ok(())).is_err());
    assert!(Resolved::whole(&huge).is_err());
    let other_rank = Grid::new(vec![4], 8).unwrap();
    assert!(
        other_rank
            .for_each_chunk(&selection, &mut |_| Ok(()))
            .is_err()
    );
    assert!(for_each_run(&[3], 8, &selection, &mut |_, _, _| Ok(())).is_err());
}

#[test]
fn the_largest_array_of_64_bits_has_runs_at_its_end() {
    let dims = [1 << 60];
    let selection = Resolved::rows((1 << 60) - 4, 4, &dims).unwrap();
    let mut runs = Vec::new();
    let mut push = |file, dense, len| {
        runs.push((file, dense, len));
        Ok(())
    };
    for_each_run(&dims, 8, &selection, &mut push).unwrap();
    assert_eq!(runs, [((1 << 63) - 32, 0, 32)]);
}

#[test]
fn impossible_chunks_are_refused() {
    use crate::error::ErrorKind;
    let limit = |chunk: Vec<u64>, size| {
        let error = Grid::new(chunk, size).unwrap_err();
        matches!(error.kind(), ErrorKind::Limit { .. })
    };
    assert!(limit(vec![1 << 32], 1));
    assert!(limit(vec![u64::MAX, u64::MAX], 8));
    assert!(limit(vec![1; 33], 1));
    assert!(!limit(vec![4, 0], 1));
    assert!(!limit(vec![], 1));
    assert!(!limit(vec![1], 0));
    let largest = Grid::new(vec![(1 << 32) - 1], 1).unwrap();
    assert_eq!(largest.chunk_bytes(), (1 << 32) - 1);
    assert_eq!(largest.row_bytes(), 1);
    let rank_32 = Grid::new(vec![1; 32], 4).unwrap();
    let whole = Resolved::whole(&[1; 32]).unwrap();
    assert_eq!(rank_32.contiguous_in_dense(&[0; 32], &whole), Some(0..4));
}
