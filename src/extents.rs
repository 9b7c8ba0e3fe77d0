//! The shape of a dataset as a caller gives it: fixed, extendible up to a maximum, or unlimited, axis by axis.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Range, RangeFrom, RangeInclusive};

use crate::error::{Error, Result};

/// The largest rank of a dataspace.
pub(crate) const MAX_RANK: usize = 32;

/// The largest extent that a caller may ask for; the format's greatest number means "unlimited".
const MAX_EXTENT: u64 = i64::MAX.unsigned_abs();

/// The current and the maximum extent of one axis.
///
/// ```
/// use h5quill::Extent;
/// assert_eq!(Extent::from(40), Extent { dim: 40, max: Some(40) });
/// assert_eq!(Extent::from(0..), Extent { dim: 0, max: None });
/// assert_eq!(Extent::from(2..=5), Extent { dim: 2, max: Some(5) });
/// assert_eq!(Extent::from(2..5), Extent { dim: 2, max: Some(4) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Extent {
    /// The current extent.
    pub dim: u64,
    /// The maximum extent; `None` is unlimited.
    pub max: Option<u64>,
}

impl Extent {
    /// An axis of `dim` elements that can grow to `max`, or without limit.
    ///
    /// ```
    /// use h5quill::Extent;
    /// assert_eq!(Extent::new(2, Some(5)), Extent::from(2..=5));
    /// ```
    pub const fn new(dim: u64, max: Option<u64>) -> Self {
        Self { dim, max }
    }

    /// An axis that never grows.
    ///
    /// ```
    /// use h5quill::Extent;
    /// assert_eq!(Extent::fixed(40), Extent::from(40));
    /// ```
    pub const fn fixed(dim: u64) -> Self {
        Self::new(dim, Some(dim))
    }

    /// An axis without a maximum.
    ///
    /// ```
    /// use h5quill::Extent;
    /// assert_eq!(Extent::resizable(0), Extent::from(0..));
    /// ```
    pub const fn resizable(dim: u64) -> Self {
        Self::new(dim, None)
    }

    /// Whether the axis can grow beyond its current extent.
    ///
    /// ```
    /// use h5quill::Extent;
    /// assert!(Extent::from(2..=5).is_resizable());
    /// assert!(!Extent::from(5..=5).is_resizable());
    /// ```
    pub const fn is_resizable(&self) -> bool {
        match self.max {
            Some(max) => max > self.dim,
            None => true,
        }
    }

    /// Whether the axis has no maximum.
    ///
    /// ```
    /// use h5quill::Extent;
    /// assert!(Extent::from(2..).is_unlimited());
    /// assert!(!Extent::from(2..=5).is_unlimited());
    /// ```
    pub const fn is_unlimited(&self) -> bool {
        self.max.is_none()
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) if max == self.dim => write!(f, "{max}"),
            Some(max) => write!(f, "{}..={max}", self.dim),
            None => write!(f, "{}..", self.dim),
        }
    }
}

/// `usize` fits in 64 bits on every target there is.
fn widen(dim: usize) -> u64 {
    u64::try_from(dim).unwrap_or(MAX_EXTENT)
}

// One integer type only: with a second one, the literals in `(0.., 40, 200)` would no longer find their type.
impl From<usize> for Extent {
    fn from(dim: usize) -> Self {
        Self::fixed(widen(dim))
    }
}

impl From<RangeFrom<usize>> for Extent {
    fn from(range: RangeFrom<usize>) -> Self {
        Self::resizable(widen(range.start))
    }
}

impl From<RangeInclusive<usize>> for Extent {
    fn from(range: RangeInclusive<usize>) -> Self {
        Self::new(widen(*range.start()), Some(widen(*range.end())))
    }
}

impl From<Range<usize>> for Extent {
    fn from(range: Range<usize>) -> Self {
        Self::new(widen(range.start), Some(widen(range.end).saturating_sub(1)))
    }
}

/// The shape of a dataset or attribute: a dataspace (specification IV.A.2.b).
///
/// Everything that takes a shape takes what converts into this:
///
/// ```
/// use h5quill::{Extent, Extents};
/// assert_eq!(Extents::from(()), Extents::Scalar);
/// assert_eq!(Extents::from(7), Extents::from([7]));
/// assert_eq!(Extents::from([4, 3]).shape(), [4, 3]);
/// assert_eq!(Extents::from(vec![4, 3]).shape(), [4, 3]);
///
/// // A first axis that starts empty and grows without limit, a second of 40, a third that may grow to 200.
/// let extents = Extents::from((0.., 40, 100..=200));
/// assert_eq!(extents.shape(), [0, 40, 100]);
/// assert_eq!(extents.max_shape(), [None, Some(40), Some(200)]);
/// assert!(extents.is_resizable());
/// assert_eq!(extents.to_string(), "(0.., 40, 100..=200)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Extents {
    /// One element, without axes.
    Scalar,
    /// No element at all.
    Null,
    /// An array with these axes.
    Simple(Vec<Extent>),
}

impl Extents {
    /// An array with these axes; without any axis, a scalar.
    ///
    /// ```
    /// use h5quill::{Extent, Extents};
    /// let extents = Extents::simple([3u64, 4].map(Extent::fixed));
    /// assert_eq!(extents.shape(), [3, 4]);
    /// ```
    pub fn simple(axes: impl IntoIterator<Item = Extent>) -> Self {
        let axes: Vec<Extent> = axes.into_iter().collect();
        if axes.is_empty() {
            Self::Scalar
        } else {
            Self::Simple(axes)
        }
    }

    /// The axes; none for a scalar and for the null dataspace.
    ///
    /// ```
    /// use h5quill::{Extent, Extents};
    /// assert_eq!(Extents::from((0.., 40)).axes(), [Extent::resizable(0), Extent::fixed(40)]);
    /// ```
    pub fn axes(&self) -> &[Extent] {
        match self {
            Self::Simple(axes) => axes,
            Self::Scalar | Self::Null => &[],
        }
    }

    /// The number of axes.
    ///
    /// ```
    /// use h5quill::Extents;
    /// assert_eq!(Extents::from((0.., 40, 200)).rank(), 3);
    /// assert_eq!(Extents::Scalar.rank(), 0);
    /// ```
    pub fn rank(&self) -> usize {
        self.axes().len()
    }

    /// The current extents.
    ///
    /// ```
    /// assert_eq!(h5quill::Extents::from((0.., 40)).shape(), [0, 40]);
    /// ```
    pub fn shape(&self) -> Vec<usize> {
        self.axes().iter().map(|axis| narrow(axis.dim)).collect()
    }

    /// The maximum extents; `None` is unlimited.
    ///
    /// ```
    /// assert_eq!(h5quill::Extents::from((0.., 40)).max_shape(), [None, Some(40)]);
    /// ```
    pub fn max_shape(&self) -> Vec<Option<usize>> {
        self.axes()
            .iter()
            .map(|axis| axis.max.map(narrow))
            .collect()
    }

    /// Whether any axis can grow.
    ///
    /// ```
    /// use h5quill::Extents;
    /// assert!(Extents::from((0.., 40)).is_resizable());
    /// assert!(!Extents::from((2, 40)).is_resizable());
    /// ```
    pub fn is_resizable(&self) -> bool {
        self.axes().iter().any(Extent::is_resizable)
    }

    /// The number of elements.
    ///
    /// ```
    /// use h5quill::Extents;
    /// assert_eq!(Extents::from((2.., 40)).element_count()?, 80);
    /// assert_eq!(Extents::Scalar.element_count()?, 1);
    /// assert_eq!(Extents::Null.element_count()?, 0);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The number does not fit in 64 bits.
    pub fn element_count(&self) -> Result<u64> {
        match self {
            Self::Null => Ok(0),
            Self::Scalar => Ok(1),
            Self::Simple(axes) => product(axes.iter().map(|axis| axis.dim)),
        }
    }

    /// The current extents at the format's width.
    pub(crate) fn dims(&self) -> Vec<u64> {
        self.axes().iter().map(|axis| axis.dim).collect()
    }

    /// The maximum extents at the format's width.
    pub(crate) fn max_dims(&self) -> Vec<Option<u64>> {
        self.axes().iter().map(|axis| axis.max).collect()
    }

    /// Refuses what no dataset can have: more than 32 axes, a maximum below the current extent, too many elements.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.rank() > MAX_RANK {
            return Err(Error::limit("rank", widen(self.rank()), widen(MAX_RANK)));
        }
        for (i, axis) in self.axes().iter().enumerate() {
            let max = axis.max.unwrap_or(axis.dim);
            if max < axis.dim {
                let dim = axis.dim;
                return Err(Error::invalid(format!(
                    "axis {i}: the extent {dim} is beyond the maximum {max}"
                )));
            }
            if max > MAX_EXTENT {
                return Err(Error::limit("extent of an axis", max, MAX_EXTENT));
            }
        }
        self.element_count().map(|_| ())
    }
}

fn narrow(dim: u64) -> usize {
    usize::try_from(dim).unwrap_or(usize::MAX)
}

/// The product of extents, where a zero makes the others irrelevant.
pub(crate) fn product(dims: impl Iterator<Item = u64> + Clone) -> Result<u64> {
    if dims.clone().any(|dim| dim == 0) {
        return Ok(0);
    }
    let mut dims = dims;
    dims.try_fold(1u64, u64::checked_mul)
        .ok_or_else(|| Error::invalid("the number of elements does not fit in 64 bits"))
}

impl fmt::Display for Extents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes = match self {
            Self::Scalar => return f.write_str("scalar"),
            Self::Null => return f.write_str("null"),
            Self::Simple(axes) => axes,
        };
        f.write_str("(")?;
        for (i, axis) in axes.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{axis}")?;
        }
        f.write_str(if axes.len() == 1 { ",)" } else { ")" })
    }
}

impl From<()> for Extents {
    fn from((): ()) -> Self {
        Self::Scalar
    }
}

impl From<&Self> for Extents {
    fn from(extents: &Self) -> Self {
        extents.clone()
    }
}

impl<T: Into<Extent>> From<Vec<T>> for Extents {
    fn from(axes: Vec<T>) -> Self {
        Self::simple(axes.into_iter().map(Into::into))
    }
}

impl<T: Into<Extent> + Clone> From<&Vec<T>> for Extents {
    fn from(axes: &Vec<T>) -> Self {
        Self::from(axes.as_slice())
    }
}

impl<T: Into<Extent> + Clone> From<&[T]> for Extents {
    fn from(axes: &[T]) -> Self {
        Self::simple(axes.iter().cloned().map(Into::into))
    }
}

impl<T: Into<Extent>, const N: usize> From<[T; N]> for Extents {
    fn from(axes: [T; N]) -> Self {
        Self::simple(axes.into_iter().map(Into::into))
    }
}

impl<T: Into<Extent> + Clone, const N: usize> From<&[T; N]> for Extents {
    fn from(axes: &[T; N]) -> Self {
        Self::from(axes.as_slice())
    }
}

macro_rules! from_one_axis {
    ($($axis:ty),*) => { $(
        impl From<$axis> for Extents {
            fn from(axis: $axis) -> Self {
                Self::simple([Extent::from(axis)])
            }
        }
    )* };
}
from_one_axis!(
    Extent,
    usize,
    RangeFrom<usize>,
    RangeInclusive<usize>,
    Range<usize>
);

macro_rules! from_tuples {
    () => {};
    ($head:ident $($tail:ident)*) => {
        impl<$head: Into<Extent>, $($tail: Into<Extent>),*> From<($head, $($tail,)*)> for Extents {
            fn from(axes: ($head, $($tail,)*)) -> Self {
                #[allow(non_snake_case)]
                let ($head, $($tail,)*) = axes;
                Self::simple([$head.into(), $($tail.into()),*])
            }
        }
        from_tuples!($($tail)*);
    };
}
from_tuples!(A B C D E F G H);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn converted(extents: impl Into<Extents>) -> Extents {
        extents.into()
    }

    #[test]
    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "what is borrowed converts, too"
    )]
    fn every_way_to_write_a_shape_converts() {
        let fixed = Extents::Simple(vec![Extent::fixed(4), Extent::fixed(3)]);
        let array = ndarray::Array2::<u8>::zeros((4, 3));
        assert_eq!(converted((4, 3)), fixed);
        assert_eq!(converted([4, 3]), fixed);
        assert_eq!(converted(&[4, 3]), fixed);
        assert_eq!(converted(vec![4, 3]), fixed);
        assert_eq!(converted(&vec![4usize, 3]), fixed);
        assert_eq!(converted(array.shape()), fixed);
        assert_eq!(converted(&fixed), fixed);
        assert_eq!(converted(vec![Extent::fixed(4), Extent::fixed(3)]), fixed);
        assert_eq!(converted(5), Extents::Simple(vec![Extent::fixed(5)]));
        assert_eq!(converted(5..), Extents::Simple(vec![Extent::resizable(5)]));
        assert_eq!(
            converted(2..5),
            Extents::Simple(vec![Extent::new(2, Some(4))])
        );
        assert_eq!(
            converted(2..=5),
            Extents::Simple(vec![Extent::new(2, Some(5))])
        );
        assert_eq!(converted(()), Extents::Scalar);
        assert_eq!(converted(Vec::<usize>::new()), Extents::Scalar);
        let mixed = converted((1, 0.., 2..=3, 4, Extent::fixed(5), 6.., 7, 8));
        assert_eq!(mixed.to_string(), "(1, 0.., 2..=3, 4, 5, 6.., 7, 8)");
        assert_eq!(mixed.rank(), 8);
    }

    #[test]
    #[expect(clippy::reversed_empty_ranges, reason = "refused")]
    fn impossible_shapes_are_refused() {
        let refused = |extents: Extents| extents.validate().unwrap_err().to_string();
        assert_eq!(
            refused(converted((1, 5..=2))),
            "axis 1: the extent 5 is beyond the maximum 2"
        );
        assert_eq!(
            refused(converted(vec![1usize; 33])),
            "rank is 33, more than the limit of 32"
        );
        assert!(refused(converted(Extent::fixed(1 << 63))).starts_with("extent of an axis"));
        assert!(refused(Extents::simple([Extent::fixed(1 << 40); 2])).contains("64 bits"));
        // A zero extent has no elements, however long the others are.
        let empty = Extents::simple([1 << 40, 1 << 40, 0].map(Extent::fixed));
        assert_eq!(empty.element_count(), Ok(0));
        assert_eq!(empty.validate(), Ok(()));
        assert_eq!(converted((0.., 40, 200)).validate(), Ok(()));
    }

    #[test]
    fn an_axis_grows_only_below_its_maximum() {
        assert!(!converted((4, 2..=2)).is_resizable());
        assert!(converted((4, 2..=3)).is_resizable());
        assert!(converted((4, 2..)).is_resizable());
        assert!(!Extents::Scalar.is_resizable());
        assert!(!Extents::Null.is_resizable());
    }
}
