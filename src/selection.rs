//! Which elements of a dataset a read or a write concerns: one index or one range per axis.

mod blocks;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use ndarray::{Dimension, SliceInfo, SliceInfoElem};

use crate::error::{Error, Result};
use crate::extents::product;
pub(crate) use blocks::Blocks;

/// What is selected on one axis. Negative numbers count from the end, as they do in `ndarray`.
///
/// ```
/// use h5quill::SliceOrIndex;
/// assert_eq!(SliceOrIndex::from(3), SliceOrIndex::Index(3));
/// assert_eq!(SliceOrIndex::from(1..4).step_by(2), SliceOrIndex::Slice { start: 1, end: Some(4), step: 2 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SliceOrIndex {
    /// One index; its axis disappears from the shape of the result.
    Index(i64),
    /// The range from `start` up to `end`, without `end`; every `step`-th element of it.
    Slice {
        /// The first index.
        start: i64,
        /// The first index that is no longer selected; the end of the axis when `None`.
        end: Option<i64>,
        /// The distance between two selected indices, at least 1.
        step: i64,
    },
    /// `count` blocks of `block` indices each, one every `step`: for
    /// [mappings](crate::DatasetBuilder::virtual_map). Reads and writes take them where they are a range.
    SliceCount {
        /// The first index.
        start: usize,
        /// The distance between the first indices of two blocks, not less than `block`.
        step: usize,
        /// The number of blocks.
        count: usize,
        /// The number of indices of a block.
        block: usize,
    },
    /// As [`SliceCount`](Self::SliceCount), as many as there will ever be: a [mapping](crate::DatasetBuilder::virtual_map)
    /// that grows. Reads and writes take it for what there is.
    Unlimited {
        /// The first index.
        start: usize,
        /// The distance between the first indices of two blocks, not less than `block`.
        step: usize,
        /// The number of indices of a block.
        block: usize,
    },
}

impl SliceOrIndex {
    /// All indices from `start` on, however long the axis gets: [`Unlimited`](Self::Unlimited) without gaps.
    ///
    /// ```
    /// use h5quill::SliceOrIndex;
    /// assert_eq!(SliceOrIndex::unlimited(2), SliceOrIndex::Unlimited { start: 2, step: 1, block: 1 });
    /// ```
    pub const fn unlimited(start: usize) -> Self {
        Self::Unlimited {
            start,
            step: 1,
            block: 1,
        }
    }

    /// Takes every `step`-th element of the range; an index stays as it is.
    ///
    /// ```
    /// use h5quill::SliceOrIndex;
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[0, 1, 2, 3, 4])?;
    /// let every_second: ndarray::Array1<i32> = data.read_slice(SliceOrIndex::from(..).step_by(2))?;
    /// assert_eq!(every_second, ndarray::array![0, 2, 4]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn step_by(self, step: usize) -> Self {
        match self {
            Self::Index(_) => self,
            Self::Slice {
                start,
                end,
                step: old,
            } => Self::Slice {
                start,
                end,
                step: old.saturating_mul(i64::try_from(step).unwrap_or(i64::MAX)),
            },
            Self::SliceCount {
                start,
                step: old,
                count,
                block,
            } => Self::SliceCount {
                start,
                step: old.saturating_mul(step),
                count,
                block,
            },
            Self::Unlimited {
                start,
                step: old,
                block,
            } => Self::Unlimited {
                start,
                step: old.saturating_mul(step),
                block,
            },
        }
    }
}

impl fmt::Display for SliceOrIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end, step) = match *self {
            Self::Index(index) => return write!(f, "{index}"),
            Self::Slice { start, end, step } => (start, end, step),
            Self::SliceCount {
                start,
                step,
                count,
                block,
            } => return write!(f, "{start}+{count};{step} of {block}"),
            Self::Unlimited { start, step, block } => {
                return write!(f, "{start}..\u{221e};{step} of {block}");
            }
        };
        write!(f, "{start}..")?;
        if let Some(end) = end {
            write!(f, "{end}")?;
        }
        if step != 1 {
            write!(f, ";{step}")?;
        }
        Ok(())
    }
}

/// A selection: what `read_slice` and `write_slice` take, for which they accept all that converts into it.
///
/// That is `..` for everything, an index, a range, a tuple of up to eight of these, the result of
/// [`ndarray::s!`], and a list of [`SliceOrIndex`]. Axes that are not mentioned at the end are selected whole.
/// As in `ndarray`, a negative index counts from the end (in tuples, of a signed type), the axis of an index
/// disappears from the result, and a range beyond the extent is an error. Negative steps are refused.
///
/// ```
/// use h5quill::{Selection, SliceOrIndex};
/// use ndarray::s;
/// let selection = Selection::from((2..4, .., 7));
/// assert_eq!(selection, Selection::from(s![2..4, .., 7]));
/// assert_eq!(Selection::from((-2.., ..=5)), Selection::from(s![-2.., ..=5]));
/// assert_eq!(Selection::from(SliceOrIndex::from(1..).step_by(2)), Selection::from(s![1..;2]));
/// assert_eq!(selection, Selection::from(vec![(2..4).into(), (..).into(), SliceOrIndex::Index(7)]));
/// assert_eq!(selection.to_string(), "(2..4, 0.., 7)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selection(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Whole,
    Axes(Vec<SliceOrIndex>),
    /// A slice of `ndarray` that would add an axis: refused when resolved.
    NewAxis,
}

impl Selection {
    /// Everything.
    ///
    /// ```
    /// use h5quill::Selection;
    /// assert_eq!(Selection::whole(), Selection::from(..));
    /// ```
    pub const fn whole() -> Self {
        Self(Kind::Whole)
    }

    fn axes(axes: Vec<SliceOrIndex>) -> Self {
        Self(Kind::Axes(axes))
    }

    fn from_elements(elements: &[SliceInfoElem]) -> Self {
        let mut axes = Vec::with_capacity(elements.len());
        for element in elements {
            axes.push(match *element {
                SliceInfoElem::Index(index) => SliceOrIndex::from(index),
                SliceInfoElem::Slice { start, end, step } => SliceOrIndex::Slice {
                    start: signed(start),
                    end: end.map(signed),
                    step: signed(step),
                },
                SliceInfoElem::NewAxis => return Self(Kind::NewAxis),
            });
        }
        Self::axes(axes)
    }

    /// The elements that this selects of an array of `shape`.
    pub(crate) fn resolve(&self, shape: &[u64]) -> Result<Resolved> {
        let axes = match &self.0 {
            Kind::Whole => return Resolved::whole(shape),
            Kind::Axes(axes) => axes,
            Kind::NewAxis => {
                return Err(Error::invalid(
                    "a selection of a dataset cannot add an axis",
                ));
            }
        };
        if axes.len() > shape.len() {
            return Err(Error::invalid(format!(
                "the selection has {} axes, the dataset has {}",
                axes.len(),
                shape.len()
            )));
        }
        let mut resolved = Resolved {
            axes: Vec::with_capacity(shape.len()),
            collapsed: Vec::with_capacity(shape.len()),
        };
        for (i, &extent) in shape.iter().enumerate() {
            let selected = axes.get(i);
            let is_index = matches!(selected, Some(SliceOrIndex::Index(_)));
            resolved.collapsed.push(is_index);
            resolved.axes.push(match selected {
                None => Axis::whole(extent),
                Some(&SliceOrIndex::Index(index)) => resolve_index(i, index, extent)?,
                Some(&slice @ SliceOrIndex::Slice { start, end, step }) => {
                    resolve_slice(i, slice, (start, end, step), extent)?
                }
                Some(&slice) => blocks::in_extent(i, slice, extent)?.run(i, extent)?,
            });
        }
        resolved.checked()
    }
}

/// The absolute place of an index that may count from the end; `None` before the beginning.
fn absolute(index: i64, extent: u64) -> Option<u64> {
    if index < 0 {
        extent.checked_sub(index.unsigned_abs())
    } else {
        Some(index.unsigned_abs())
    }
}

fn resolve_index(i: usize, index: i64, extent: u64) -> Result<Axis> {
    match absolute(index, extent) {
        Some(start) if start < extent => Ok(Axis::new(start, 1, 1)),
        _ => Err(Error::invalid(format!(
            "axis {i}: index {index} is beyond the extent {extent}"
        ))),
    }
}

fn resolve_slice(
    i: usize,
    slice: SliceOrIndex,
    (start, end, step): (i64, Option<i64>, i64),
    extent: u64,
) -> Result<Axis> {
    if step == 0 {
        return Err(Error::invalid(format!("axis {i}: the step is zero")));
    }
    let Ok(step) = u64::try_from(step) else {
        return Err(Error::invalid(format!(
            "axis {i}: the step {step} is negative, a selection only goes forwards; reverse the array in memory"
        )));
    };
    let end = end.map_or(Some(extent), |end| absolute(end, extent));
    match (absolute(start, extent), end) {
        (Some(start), Some(end)) if start <= extent && end <= extent => Ok(Axis::new(
            start,
            step,
            end.saturating_sub(start).div_ceil(step),
        )),
        _ => Err(Error::invalid(format!(
            "axis {i}: range {slice} is beyond the extent {extent}"
        ))),
    }
}

/// The selected indices of one axis: `start`, `start + step`, ...; `count` of them, all inside the extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) start: u64,
    pub(crate) step: u64,
    pub(crate) count: u64,
}

impl Axis {
    /// A step that is never taken counts as 1, so that `step > 1` means gaps.
    pub(crate) const fn new(start: u64, step: u64, count: u64) -> Self {
        let step = if count > 1 { step } else { 1 };
        Self { start, step, count }
    }

    pub(crate) const fn whole(extent: u64) -> Self {
        Self::new(0, 1, extent)
    }

    /// The first index behind the last selected one; `start` when nothing is selected.
    pub(crate) const fn end(&self) -> u64 {
        match self.count {
            0 => self.start,
            count => self.start + (count - 1) * self.step + 1,
        }
    }
}

/// A selection whose numbers are known to lie inside a shape. The number of its elements fits in 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) axes: Vec<Axis>,
    /// The axes that an index selects and that the shape of the result does not have.
    pub(crate) collapsed: Vec<bool>,
}

impl Resolved {
    /// Every element of an array of `shape`.
    pub(crate) fn whole(shape: &[u64]) -> Result<Self> {
        Self {
            axes: shape.iter().map(|&extent| Axis::whole(extent)).collect(),
            collapsed: vec![false; shape.len()],
        }
        .checked()
    }

    /// The selection in pieces of about `most` elements, each some steps along axis 0; nothing where it is empty.
    pub(crate) fn pieces(&self, most: u64) -> impl Iterator<Item = Self> + '_ {
        let rows = match self.is_empty() {
            true => 0,
            false => self.axes.first().map_or(1, |axis| axis.count),
        };
        let row = (self.element_count() / rows.max(1)).max(1);
        let step = (most / row).max(1);
        let mut done = 0;
        core::iter::from_fn(move || {
            let count = step.min(rows - done);
            let mut piece = self.clone();
            if let Some(axis) = piece.axes.first_mut() {
                axis.start += done * axis.step;
                axis.count = count;
            }
            done += count;
            (count > 0).then_some(piece)
        })
    }

    /// What is selected of the block of `shape` at `start`; `None` where that is nothing.
    pub(crate) fn within(&self, start: &[u64], shape: &[u64]) -> Option<Self> {
        let mut part = self.clone();
        for (axis, (&start, &len)) in part.axes.iter_mut().zip(start.iter().zip(shape)) {
            let before = |end: u64| end.saturating_sub(axis.start).div_ceil(axis.step);
            let first = before(start);
            let count = before(start.saturating_add(len)).min(axis.count);
            if count <= first {
                return None;
            }
            *axis = Axis::new(axis.start + first * axis.step, axis.step, count - first);
        }
        Some(part)
    }

    /// The rows `first..first + count` of axis 0, whole on the other axes: what an append writes.
    #[cfg(test)]
    pub(crate) fn rows(first: u64, count: u64, shape: &[u64]) -> Result<Self> {
        let mut rows = Self::whole(shape)?;
        let inside = first.checked_add(count).zip(shape.first());
        if inside.is_none_or(|(end, &extent)| end > extent) {
            return Err(Error::invalid("the rows are beyond the extent of axis 0"));
        }
        rows.axes[0] = Axis::new(first, 1, count);
        Ok(rows)
    }

    fn checked(self) -> Result<Self> {
        product(self.axes.iter().map(|axis| axis.count)).map(|_| self)
    }

    /// The selected count on every axis, those that collapse included: the shape of the dense array.
    pub(crate) fn counts(&self) -> Vec<u64> {
        self.axes.iter().map(|axis| axis.count).collect()
    }

    /// The shape of the result, without the axes that an index selects.
    pub(crate) fn result_shape(&self) -> Vec<usize> {
        self.result_counts().collect()
    }

    /// Whether the result has this shape.
    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        self.result_counts().eq(shape.iter().copied())
    }

    fn result_counts(&self) -> impl Iterator<Item = usize> + '_ {
        self.axes
            .iter()
            .zip(&self.collapsed)
            .filter(|&(_, &collapsed)| !collapsed)
            .map(|(axis, _)| usize::try_from(axis.count).unwrap_or(usize::MAX))
    }

    /// The number of selected elements.
    pub(crate) fn element_count(&self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        self.axes.iter().map(|axis| axis.count).product()
    }

    /// Whether nothing is selected.
    pub(crate) fn is_empty(&self) -> bool {
        self.axes.iter().any(|axis| axis.count == 0)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes = match &self.0 {
            Kind::Whole => return f.write_str(".."),
            Kind::NewAxis => return f.write_str("(new axis)"),
            Kind::Axes(axes) => axes,
        };
        f.write_str("(")?;
        for (i, axis) in axes.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{axis}")?;
        }
        f.write_str(if axes.len() == 1 { ",)" } else { ")" })
    }
}

/// A number that does not fit is beyond every extent, and refused as such.
fn signed(index: impl TryInto<i64>) -> i64 {
    index.try_into().unwrap_or(i64::MAX)
}

/// The end of an inclusive range, which for the last element (-1) is the end of the axis.
fn behind(last: i64) -> Option<i64> {
    if last == -1 {
        None
    } else {
        Some(last.saturating_add(1))
    }
}

macro_rules! from_index {
    ($($index:ty),*) => { $(
        from_index!(@ $index, $index, |index| Self::Index(signed(index)));
        from_index!(@ $index, Range<$index>, |range| Self::Slice {
            start: signed(range.start), end: Some(signed(range.end)), step: 1
        });
        from_index!(@ $index, RangeInclusive<$index>, |range| Self::Slice {
            start: signed(*range.start()), end: behind(signed(*range.end())), step: 1
        });
        from_index!(@ $index, RangeFrom<$index>, |range| Self::Slice {
            start: signed(range.start), end: None, step: 1
        });
        from_index!(@ $index, RangeTo<$index>, |range| Self::Slice {
            start: 0, end: Some(signed(range.end)), step: 1
        });
        from_index!(@ $index, RangeToInclusive<$index>, |range| Self::Slice {
            start: 0, end: behind(signed(range.end)), step: 1
        });
    )* };
    (@ $index:ty, $from:ty, |$value:ident| $axis:expr) => {
        impl From<$from> for SliceOrIndex {
            fn from($value: $from) -> Self {
                $axis
            }
        }
        impl From<$from> for Selection {
            fn from(axis: $from) -> Self {
                Self::axes(vec![axis.into()])
            }
        }
    };
}
// The types that `ndarray` takes; with `i32` among them, a plain literal finds its type.
from_index!(usize, isize, i32);

impl From<RangeFull> for SliceOrIndex {
    fn from(_: RangeFull) -> Self {
        Self::Slice {
            start: 0,
            end: None,
            step: 1,
        }
    }
}

impl From<RangeFull> for Selection {
    fn from(_: RangeFull) -> Self {
        Self::whole()
    }
}

impl From<()> for Selection {
    fn from((): ()) -> Self {
        Self::axes(Vec::new())
    }
}

impl From<SliceOrIndex> for Selection {
    fn from(axis: SliceOrIndex) -> Self {
        Self::axes(vec![axis])
    }
}

impl From<Vec<SliceOrIndex>> for Selection {
    fn from(axes: Vec<SliceOrIndex>) -> Self {
        Self::axes(axes)
    }
}

impl From<&[SliceOrIndex]> for Selection {
    fn from(axes: &[SliceOrIndex]) -> Self {
        Self::axes(axes.to_vec())
    }
}

impl<const N: usize> From<[SliceOrIndex; N]> for Selection {
    fn from(axes: [SliceOrIndex; N]) -> Self {
        Self::axes(axes.to_vec())
    }
}

impl From<&Self> for Selection {
    fn from(selection: &Self) -> Self {
        selection.clone()
    }
}

impl<T, In, Out> From<SliceInfo<T, In, Out>> for Selection
where
    T: AsRef<[SliceInfoElem]>,
    In: Dimension,
    Out: Dimension,
{
    fn from(slice: SliceInfo<T, In, Out>) -> Self {
        Self::from(&slice)
    }
}

impl<T, In, Out> From<&SliceInfo<T, In, Out>> for Selection
where
    T: AsRef<[SliceInfoElem]>,
    In: Dimension,
    Out: Dimension,
{
    fn from(slice: &SliceInfo<T, In, Out>) -> Self {
        Self::from_elements(slice.as_ref())
    }
}

macro_rules! from_tuples {
    () => {};
    ($head:ident $($tail:ident)*) => {
        impl<$head: Into<SliceOrIndex>, $($tail: Into<SliceOrIndex>),*> From<($head, $($tail,)*)> for Selection {
            fn from(axes: ($head, $($tail,)*)) -> Self {
                #[allow(non_snake_case)]
                let ($head, $($tail,)*) = axes;
                Self::axes(vec![$head.into(), $($tail.into()),*])
            }
        }
        from_tuples!($($tail)*);
    };
}
from_tuples!(A B C D E F G H);

#[cfg(test)]
mod tests;
