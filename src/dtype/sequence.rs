//! Sequences of any length: `Vec<T>`, `VarLenArray<T>`.
//!
//! ```text
//! in place of the element:
//!   0   4  number of parts
//!   4   O  address of the heap collection, 0 for the empty sequence
//!   +   4  index in the collection, 0 for the empty sequence
//! ```

use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect};
use crate::bytes::{Put, Take, Widths};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

/// The parts of a sequence, where `stored` is one of `T`.
fn parts<T: H5Type>(stored: &Datatype) -> Option<&Datatype> {
    match stored {
        Datatype::VarLenSequence { base, .. } if T::matches(base) => Some(base),
        _ => None,
    }
}

/// Refuses more parts than a sequence can have, or more bytes than the heap can keep together; gives their number.
pub(super) fn check_len(len: usize, size: u32) -> Result<u32> {
    let max = u64::from(u32::MAX);
    let count = u32::try_from(len)
        .map_err(|_| Error::limit("the length of a sequence", len as u64, max))?;
    let bytes = u64::from(count) * u64::from(size);
    if bytes > max {
        return Err(Error::limit("the size of a sequence in bytes", bytes, max));
    }
    Ok(count)
}

/// Appends an element that names `bytes`, `len` parts, in the heap.
pub(super) fn put(
    len: u32,
    bytes: &[u8],
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let (address, index) = if bytes.is_empty() {
        (0, 0)
    } else {
        heap.insert(bytes)?
    };
    out.put_u32(len);
    out.put_uint(address, heap.offset_width());
    out.put_u32(index);
    Ok(())
}

fn encode<'a, T: H5Type>(
    values: impl Iterator<Item = &'a [T]>,
    base: &Datatype,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut scratch = Vec::new();
    for values in values {
        let len = check_len(values.len(), base.size())?;
        if let Some(bytes) = T::as_bytes(values, base) {
            put(len, bytes, heap, out)?;
            continue;
        }
        scratch.clear();
        if len > 0 {
            T::encode(values, base, heap, &mut scratch)?;
        }
        put(len, &scratch, heap, out)?;
    }
    Ok(())
}

fn decode<S: H5Type, T: H5Type>(
    bytes: &[u8],
    stored: &Datatype,
    heap: &mut dyn VarLenSource,
    make: impl Fn(Vec<T>) -> S,
) -> Result<Vec<S>> {
    expect::<S>(stored)?;
    let Some(base) = parts::<T>(stored) else {
        return Ok(Vec::new());
    };
    let width = heap.offset_width();
    let mut sequences = Vec::with_capacity(count(bytes, 8 + usize::from(width))?);
    let mut take = Take::new(bytes, ELEMENT, 0);
    let mut scratch = Vec::new();
    while !take.is_empty() {
        let (len, address, index) = (take.u32()?, take.uint(width)?, take.u32()?);
        scratch.clear();
        // Readers take both for the empty sequence.
        if len > 0 && address != 0 {
            let len = (len as usize)
                .checked_mul(base.size() as usize)
                .ok_or_else(|| {
                    Error::limit("the length of a sequence", len.into(), usize::MAX as u64)
                })?;
            heap.read(address, index, len, &mut scratch)?;
        }
        sequences.push(make(if scratch.is_empty() {
            Vec::new()
        } else {
            T::decode(&scratch, base, heap)?
        }));
    }
    Ok(sequences)
}

macro_rules! sequence {
    ($type:ident, $make:expr) => {
        impl<T: H5Type> H5Type for $type<T> {
            fn datatype() -> Datatype {
                Datatype::VarLenSequence {
                    size: Widths::EIGHT.var_len_size(),
                    base: Box::new(T::datatype()),
                }
            }

            fn zero() -> Self {
                Self::default()
            }

            fn matches(stored: &Datatype) -> bool {
                parts::<T>(stored).is_some()
            }

            fn encode(
                values: &[Self],
                stored: &Datatype,
                heap: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                Self::encode_each(values.iter(), stored, heap, out)
            }

            fn encode_each<'a>(
                values: impl ExactSizeIterator<Item = &'a Self> + Clone,
                stored: &Datatype,
                heap: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                expect::<Self>(stored)?;
                match parts::<T>(stored) {
                    Some(base) => encode(values.map(|value| &value[..]), base, heap, out),
                    None => Ok(()),
                }
            }

            fn decode(
                bytes: &[u8],
                stored: &Datatype,
                heap: &mut dyn VarLenSource,
            ) -> Result<Vec<Self>> {
                decode(bytes, stored, heap, $make)
            }
        }
    };
}

sequence!(Vec, |values| values);
sequence!(VarLenArray, VarLenArray);

/// A sequence of variable length, for code that comes from hdf5-metno; `Vec<T>` does the same.
///
/// ```
/// use h5quill::{File, VarLenArray};
/// let file = File::create_memory()?;
/// let rows = [VarLenArray::from_slice(&[1, 2, 3]), VarLenArray::from([4])];
/// let data = file.new_dataset::<VarLenArray<i32>>().create_with("rows", &rows)?;
/// assert_eq!(data.read_raw::<Vec<i32>>()?, [vec![1, 2, 3], vec![4]]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarLenArray<T>(Vec<T>);

impl<T: Clone> VarLenArray<T> {
    /// The values of a slice, copied.
    ///
    /// ```
    /// assert_eq!(h5quill::VarLenArray::from_slice(&[1, 2]).len(), 2);
    /// ```
    pub fn from_slice(values: &[T]) -> Self {
        Self(values.to_vec())
    }
}

impl<T> VarLenArray<T> {
    /// The values.
    ///
    /// ```
    /// assert_eq!(h5quill::VarLenArray::from([1, 2]).as_slice(), [1, 2]);
    /// ```
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for VarLenArray<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for VarLenArray<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Clone> From<&[T]> for VarLenArray<T> {
    fn from(values: &[T]) -> Self {
        Self::from_slice(values)
    }
}

impl<T> From<Vec<T>> for VarLenArray<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T, const N: usize> From<[T; N]> for VarLenArray<T> {
    fn from(values: [T; N]) -> Self {
        Self(values.into())
    }
}

impl<T> From<VarLenArray<T>> for Vec<T> {
    fn from(array: VarLenArray<T>) -> Self {
        array.0
    }
}

impl<T> FromIterator<T> for VarLenArray<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T: PartialEq> PartialEq<[T]> for VarLenArray<T> {
    fn eq(&self, other: &[T]) -> bool {
        self.0 == other
    }
}

impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for VarLenArray<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        self.0 == other
    }
}

impl<T: fmt::Debug> fmt::Debug for VarLenArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
