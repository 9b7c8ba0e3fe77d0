//! What attributes are set to.

use crate::bytes::Widths;
use crate::dtype::{self, H5Type, VarLenSink};
use crate::error::Result;
use crate::extents::Extents;
use crate::format::message::datatype::{CharacterSet, Datatype};
use alloc::string::String;
use alloc::vec::Vec;
use ndarray::{ArrayBase, ArrayView, Data, Dimension};

/// What [`set_attr`](crate::Location::set_attr) takes: a number, bool, string or reference, a
/// [`VarLenArray`](crate::VarLenArray), a struct or an enum with `#[derive(H5Type)]`, or a slice, array or vector of these.
///
/// ```
/// use h5quill::{AttributeValue, Datatype, Extents, File, Result, VarLenSink};
///
/// struct Celsius(f64);
///
/// impl AttributeValue for Celsius {
///     fn stored_type(&self) -> Datatype {
///         self.0.stored_type()
///     }
///     fn stored_extents(&self) -> Extents {
///         Extents::Scalar
///     }
///     fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
///         (self.0 + 273.15).store(heap) // in kelvin
///     }
/// }
///
/// let file = File::create_memory()?;
/// file.set_attr("temperature", Celsius(20.0))?;
/// assert_eq!(file.attr("temperature")?.read_scalar::<f64>()?, 293.15);
/// # Ok::<(), h5quill::Error>(())
/// ```
pub trait AttributeValue {
    /// The datatype that is stored.
    ///
    /// ```
    /// use h5quill::{AttributeValue, H5Type};
    /// assert_eq!(16_000.stored_type(), i32::datatype());
    /// ```
    fn stored_type(&self) -> Datatype;
    /// The shape that is stored.
    ///
    /// ```
    /// use h5quill::{AttributeValue, Extents};
    /// assert_eq!("text".stored_extents(), Extents::Scalar);
    /// assert_eq!([1, 2, 3].stored_extents(), Extents::from(3));
    /// ```
    fn stored_extents(&self) -> Extents;
    /// Appends the values as they are stored.
    ///
    /// ```
    /// # struct NoHeap;
    /// # impl h5quill::VarLenSink for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> { unreachable!() }
    /// # }
    /// use h5quill::AttributeValue;
    /// assert_eq!([1_u16, 2].store(&mut NoHeap)?, [1, 0, 2, 0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A value that cannot be stored.
    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>>;
}

/// The bytes of values as their own datatype has them in a file of that heap.
///
/// # Errors
/// A value that cannot be stored.
pub fn encode_values<T: H5Type>(values: &[T], heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
    let widths = Widths {
        offset: heap.offset_width(),
        ..Widths::EIGHT
    };
    let datatype = T::datatype();
    let datatype = datatype.in_file_ref(widths)?;
    Ok(dtype::encode(values, &datatype, heap)?.into_owned())
}

/// The bytes of strings as the datatype of `String` has them.
fn encode_strings(values: &[&str], heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    dtype::encode_texts(values, CharacterSet::Utf8, heap, &mut out)?;
    Ok(out)
}

macro_rules! scalar_values {
    ($($scalar:ty),* $(,)?) => {$(
        impl AttributeValue for $scalar {
            fn stored_type(&self) -> Datatype {
                <$scalar as H5Type>::datatype()
            }

            fn stored_extents(&self) -> Extents {
                Extents::Scalar
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(core::slice::from_ref(self), heap)
            }
        }
    )*};
}

scalar_values!(
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    half::f16,
    half::bf16,
    f32,
    f64,
    bool,
    isize,
    usize,
    crate::F8E4M3,
    crate::F8E5M2,
    crate::F80,
    crate::F128,
    crate::ObjectReference,
    crate::RegionReference,
    crate::Reference,
    String,
    crate::VarLenUnicode,
    crate::VarLenAscii,
);

macro_rules! fixed_values {
    ($($string:ident),*) => {$(
        impl<const N: usize> AttributeValue for crate::$string<N> {
            fn stored_type(&self) -> Datatype {
                <Self as H5Type>::datatype()
            }

            fn stored_extents(&self) -> Extents {
                Extents::Scalar
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(core::slice::from_ref(self), heap)
            }
        }
    )*};
}

fixed_values!(FixedAscii, FixedUnicode);

macro_rules! generic_values {
    ($($scalar:ty),*) => {$(
        impl<T: H5Type> AttributeValue for $scalar {
            fn stored_type(&self) -> Datatype {
                <Self as H5Type>::datatype()
            }

            fn stored_extents(&self) -> Extents {
                Extents::Scalar
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(core::slice::from_ref(self), heap)
            }
        }
    )*};
}

generic_values!(crate::VarLenArray<T>);
#[cfg(feature = "complex")]
generic_values!(num_complex::Complex<T>);

impl AttributeValue for &str {
    fn stored_type(&self) -> Datatype {
        String::datatype()
    }

    fn stored_extents(&self) -> Extents {
        Extents::Scalar
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        encode_strings(&[*self], heap)
    }
}

impl AttributeValue for &String {
    fn stored_type(&self) -> Datatype {
        String::datatype()
    }

    fn stored_extents(&self) -> Extents {
        Extents::Scalar
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        self.as_str().store(heap)
    }
}

impl<T: H5Type> AttributeValue for &[T] {
    fn stored_type(&self) -> Datatype {
        T::datatype()
    }

    fn stored_extents(&self) -> Extents {
        self.len().into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        encode_values(self, heap)
    }
}

macro_rules! list_values {
    ($([$($generic:tt)*] $list:ty),* $(,)?) => {$(
        impl<$($generic)*> AttributeValue for $list {
            fn stored_type(&self) -> Datatype {
                T::datatype()
            }

            fn stored_extents(&self) -> Extents {
                self.len().into()
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(&self[..], heap)
            }
        }
    )*};
}

list_values!(
    [T: H5Type] Vec<T>,
    [T: H5Type] &Vec<T>,
    [T: H5Type, const N: usize] [T; N],
    [T: H5Type, const N: usize] &[T; N],
);

macro_rules! text_values {
    ($([$($generic:tt)*] $list:ty),* $(,)?) => {$(
        impl<$($generic)*> AttributeValue for $list {
            fn stored_type(&self) -> Datatype {
                String::datatype()
            }

            fn stored_extents(&self) -> Extents {
                self.len().into()
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_strings(&self[..], heap)
            }
        }
    )*};
}

text_values!(
    [] &[&str],
    [] Vec<&str>,
    [] &Vec<&str>,
    [const N: usize] [&str; N],
    [const N: usize] &[&str; N],
);

impl<T: H5Type, D: Dimension> AttributeValue for ArrayView<'_, T, D> {
    fn stored_type(&self) -> Datatype {
        T::datatype()
    }

    fn stored_extents(&self) -> Extents {
        self.shape().into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        let values: Vec<T> = self.iter().cloned().collect();
        encode_values(&values, heap)
    }
}

impl<T: H5Type, S: Data<Elem = T>, D: Dimension> AttributeValue for &ArrayBase<S, D> {
    fn stored_type(&self) -> Datatype {
        T::datatype()
    }

    fn stored_extents(&self) -> Extents {
        self.shape().into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        self.view().store(heap)
    }
}
