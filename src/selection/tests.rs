use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use ndarray::{ArrayD, IxDyn, NewAxis, Slice};
use proptest::prelude::*;

use super::*;

fn resolved(selection: impl Into<Selection>, shape: &[u64]) -> Resolved {
    selection.into().resolve(shape).unwrap()
}

fn refused(selection: impl Into<Selection>, shape: &[u64]) -> String {
    selection.into().resolve(shape).unwrap_err().to_string()
}

/// What `s!` makes; the macro itself does not compile where unsafe code is forbidden, so the documentation tests it.
fn sliced<const N: usize>(
    elements: [SliceInfoElem; N],
) -> SliceInfo<Vec<SliceInfoElem>, IxDyn, IxDyn> {
    elements.to_vec().try_into().unwrap()
}

/// An array whose elements are their own positions.
fn positions(shape: &[usize]) -> ArrayD<usize> {
    let len = shape.iter().product();
    ArrayD::from_shape_vec(IxDyn(shape), (0..len).collect()).unwrap()
}

/// The positions that a resolved selection names.
fn selected(resolved: &Resolved, shape: &[usize]) -> Vec<usize> {
    let mut all = vec![0];
    for (axis, &dim) in resolved.axes.iter().zip(shape) {
        let place = |i: u64| usize::try_from(axis.start + i * axis.step).unwrap();
        let longer = |at: usize| (0..axis.count).map(move |i| at * dim + place(i));
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

fn element(extent: isize) -> impl Strategy<Value = SliceInfoElem> {
    let range = (0..=extent, 0..=extent, 1isize..4, 0u8..8);
    let slice = range.prop_map(move |(start, end, step, signs)| {
        // The same place, counted from the end; the end itself has no such name.
        let other = |i: isize, from_end: bool| {
            if from_end && i < extent {
                i - extent
            } else {
                i
            }
        };
        SliceInfoElem::Slice {
            start: other(start, signs & 1 != 0),
            end: (signs & 2 != 0).then(|| other(end, signs & 4 != 0)),
            step,
        }
    });
    let index = (-extent..extent.max(1 - extent)).prop_map(SliceInfoElem::Index);
    if extent == 0 {
        slice.boxed()
    } else {
        prop_oneof![slice, index].boxed()
    }
}

proptest! {
    #[test]
    fn a_selection_is_what_ndarray_slices(
        axes in prop::collection::vec(
            (0isize..6).prop_flat_map(|extent| (Just(extent), element(extent))), 0..5),
    ) {
        let shape: Vec<usize> = axes.iter().map(|axis| axis.0.unsigned_abs()).collect();
        let elements: Vec<SliceInfoElem> = axes.iter().map(|axis| axis.1).collect();
        let array = positions(&shape);
        let slice = SliceInfo::<_, IxDyn, IxDyn>::try_from(elements).unwrap();
        let expected = array.slice(&slice);
        let dims: Vec<u64> = shape.iter().map(|&dim| dim as u64).collect();
        let resolved = resolved(&slice, &dims);
        prop_assert_eq!(resolved.result_shape(), expected.shape());
        prop_assert_eq!(resolved.element_count(), expected.len() as u64);
        prop_assert_eq!(selected(&resolved, &shape), expected.iter().copied().collect::<Vec<_>>());
        for axis in &resolved.axes {
            prop_assert!(axis.count > 1 || axis.step == 1);
        }
    }
}

#[test]
fn every_way_to_write_a_selection_converts() {
    let shape = [10, 20, 30];
    let one = resolved(sliced([(2..4).into(), (..).into(), 7.into()]), &shape);
    assert_eq!(one.result_shape(), [2, 20]);
    assert_eq!(one.collapsed, [false, false, true]);
    assert_eq!(one.counts(), [2, 20, 1]);
    assert_eq!(resolved((2..4, .., 7), &shape), one);
    assert_eq!(resolved((2..=3, 0..20, 7usize), &shape), one);
    assert_eq!(resolved((-8..-6, ..=-1, -23), &shape), one);
    assert_eq!(
        resolved(sliced([(2..4).into(), (..).into(), 7.into()]), &shape),
        one
    );
    let list: Vec<SliceOrIndex> = vec![(2..4).into(), (..).into(), 7.into()];
    assert_eq!(resolved(list.as_slice(), &shape), one);
    assert_eq!(resolved(list, &shape), one);

    let whole = Resolved::whole(&shape).unwrap();
    assert_eq!(resolved(.., &shape), whole);
    assert_eq!(resolved(sliced([(..).into(); 3]), &shape), whole);
    assert_eq!(resolved(0.., &shape), whole);
    assert_eq!(resolved(.., &[]).element_count(), 1);
    assert_eq!(resolved((), &[]).result_shape(), [0usize; 0]);
    let stepped = resolved(SliceOrIndex::from(1..).step_by(4), &shape);
    assert_eq!(
        stepped,
        resolved(
            sliced([Slice::new(1, None, 4).into(), (..).into(), (..).into()]),
            &shape
        )
    );
    assert_eq!(stepped.axes[0], Axis::new(1, 4, 3));
    assert_eq!((0, 1, 2, 3..4, .., 5, 6, 7usize).pipe_rank(), 8);
}

trait PipeRank {
    fn pipe_rank(self) -> usize;
}

impl<T: Into<Selection>> PipeRank for T {
    fn pipe_rank(self) -> usize {
        match self.into().0 {
            Kind::Axes(axes) => axes.len(),
            _ => 0,
        }
    }
}

#[test]
fn axes_that_are_not_mentioned_are_whole() {
    assert_eq!(resolved(4, &[10, 20, 30]).result_shape(), [20, 30]);
    assert_eq!(resolved(..4, &[10, 20]), resolved((..4, ..), &[10, 20]));
    assert_eq!(resolved((), &[10, 20]), Resolved::whole(&[10, 20]).unwrap());
}

#[test]
fn what_is_out_of_range_is_named() {
    assert_eq!(
        refused((0, 7), &[3, 5]),
        "axis 1: index 7 is beyond the extent 5"
    );
    assert_eq!(refused(-4, &[3]), "axis 0: index -4 is beyond the extent 3");
    assert_eq!(refused(0, &[0]), "axis 0: index 0 is beyond the extent 0");
    assert_eq!(
        refused(usize::MAX, &[3]),
        "axis 0: index 9223372036854775807 is beyond the extent 3"
    );
    assert_eq!(
        refused(2..6, &[5]),
        "axis 0: range 2..6 is beyond the extent 5"
    );
    assert_eq!(
        refused(6.., &[5]),
        "axis 0: range 6.. is beyond the extent 5"
    );
    assert_eq!(
        refused(-6.., &[5]),
        "axis 0: range -6.. is beyond the extent 5"
    );
    assert_eq!(
        refused(sliced([Slice::new(0, None, -1).into()]), &[5])
            .split(',')
            .next(),
        Some("axis 0: the step -1 is negative")
    );
    assert_eq!(
        refused(SliceOrIndex::from(..).step_by(0), &[5]),
        "axis 0: the step is zero"
    );
    assert_eq!(
        refused((.., ..), &[5]),
        "the selection has 2 axes, the dataset has 1"
    );
    assert_eq!(
        refused(sliced([(..).into(), NewAxis.into()]), &[5]),
        "a selection of a dataset cannot add an axis"
    );
    assert_eq!(
        refused(.., &[u64::MAX, 2]),
        "the number of elements does not fit in 64 bits"
    );
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "they select nothing")]
fn an_empty_range_selects_nothing_anywhere_up_to_the_end() {
    for empty in [
        Selection::from(5..5),
        (3..3).into(),
        (4..2).into(),
        (0..0).into(),
    ] {
        let resolved = resolved(empty, &[5, 4]);
        assert!(resolved.is_empty());
        assert_eq!(resolved.element_count(), 0);
        assert_eq!(resolved.result_shape(), [0, 4]);
    }
}

#[test]
fn rows_are_the_selection_of_an_append() {
    let rows = Resolved::rows(3, 2, &[5, 7]).unwrap();
    assert_eq!(rows, resolved(3..5, &[5, 7]));
    assert!(Resolved::rows(3, 3, &[5, 7]).is_err());
    assert!(Resolved::rows(u64::MAX, 1, &[5, 7]).is_err());
    assert!(Resolved::rows(0, 1, &[]).is_err());
}

#[test]
fn within_a_block_is_what_both_hold() {
    let every_third = Slice::new(1, None, 3);
    let all = resolved(sliced([every_third.into(), (2..9).into()]), &[20, 9]);
    let part = all.within(&[5, 0], &[5, 4]).unwrap();
    assert_eq!(part.axes, [Axis::new(7, 3, 1), Axis::new(2, 1, 2)]);
    let part = all.within(&[0, 8], &[20, 8]).unwrap();
    assert_eq!(part.axes, [Axis::new(1, 3, 7), Axis::new(8, 1, 1)]);
    assert_eq!(all.within(&[2, 0], &[2, 9]), None);
    assert_eq!(all.within(&[0, 0], &[20, 2]), None);
    assert_eq!(all.within(&[u64::MAX - 1, 0], &[9, 9]), None);
    let scalar = resolved(.., &[]);
    assert_eq!(scalar.within(&[], &[]), Some(scalar.clone()));
}
