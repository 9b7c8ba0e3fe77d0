//! What can be written as an element: every `H5Type`, and `&str`.

use super::varlen_string::encode_texts;
use super::{
    FixedAscii, FixedUnicode, H5Type, VarLenAscii, VarLenSink, VarLenUnicode, expect, fixed_string,
    mismatch,
};
use crate::error::Result;
use crate::format::message::datatype::Datatype;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// How many elements are encoded together: their columns stay in the processor's cache.
const BLOCK: usize = 512;

/// What can be written as an element of a dataset or attribute: every [`H5Type`], and `&str`, which is a string of either
/// variable or fixed length.
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let names = file.new_dataset::<String>().shape(0..).create("names")?;
/// names.append(&["left", "right"])?;
/// let owned = vec!["middle".to_string()];
/// names.append(&owned)?;
/// assert_eq!(names.read_raw::<String>()?, ["left", "right", "middle"]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as an element of an HDF5 file",
    label = "neither an `H5Type` nor `&str`",
    note = "numbers, `bool`, strings, `[T; N]`, `Vec<T>` and references can; a struct or an enum with `#[derive(H5Type, Clone)]`, too"
)]
pub trait ElementValue: Clone + Send + Sync {
    /// Refuses a stored datatype that these values are not of.
    ///
    /// ```
    /// use h5quill::{ElementValue, H5Type};
    /// assert!(<&str>::expect_stored(&String::datatype()).is_ok());
    /// assert!(<&str>::expect_stored(&f64::datatype()).is_err());
    /// ```
    ///
    /// # Errors
    /// [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    fn expect_stored(stored: &Datatype) -> Result<()>;

    /// Appends the file's bytes of values to `out`, as [`H5Type::encode`] does.
    ///
    /// ```
    /// # struct NoHeap; // strings of fixed length need none
    /// # impl h5quill::VarLenSink for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> { unreachable!() }
    /// # }
    /// use h5quill::{ElementValue, FixedAscii, H5Type};
    /// let mut out = Vec::new();
    /// <&str>::encode_elements(&["a", "bc"], &FixedAscii::<3>::datatype(), &mut NoHeap, &mut out)?;
    /// assert_eq!(out, b"a\0\0bc\0");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`H5Type::encode`].
    fn encode_elements(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()>;

    /// The values' own memory, as [`H5Type::as_bytes`] gives it.
    ///
    /// ```
    /// use h5quill::{ElementValue, H5Type};
    /// assert_eq!(u8::own_bytes(&[1, 2], &u8::datatype()), Some(&[1, 2][..]));
    /// ```
    fn own_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
        let _ = (values, stored);
        None
    }
}

/// Element types of which a dataset can be created with values of `V` (see
/// [`create_with`](crate::DatasetBuilder::create_with)): with values of its own, and strings with `&str`.
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let names = file.new_dataset::<String>().create_with("names", &["left", "right"])?;
/// assert_eq!(names.read_raw::<String>()?, ["left", "right"]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a dataset of `{Self}` cannot be created with values of `{V}`",
    note = "nothing is converted on writing; strings can be given as `&str`, too"
)]
pub trait CreateWith<V: ElementValue>: H5Type {}

impl<T: H5Type> CreateWith<T> for T {}
impl CreateWith<&str> for String {}
impl CreateWith<&str> for VarLenUnicode {}
impl CreateWith<&str> for VarLenAscii {}
impl<const N: usize> CreateWith<&str> for FixedAscii<N> {}
impl<const N: usize> CreateWith<&str> for FixedUnicode<N> {}

impl<T: H5Type> ElementValue for T {
    fn expect_stored(stored: &Datatype) -> Result<()> {
        expect::<T>(stored)
    }

    fn encode_elements(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        T::encode(values, stored, heap, out)
    }

    fn own_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
        T::as_bytes(values, stored)
    }
}

impl ElementValue for &str {
    fn expect_stored(stored: &Datatype) -> Result<()> {
        match stored {
            Datatype::FixedString { .. } => Ok(()),
            _ if String::matches(stored) => Ok(()),
            _ => Err(mismatch(stored, &String::datatype())),
        }
    }

    fn encode_elements(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        Self::expect_stored(stored)?;
        match *stored {
            Datatype::FixedString {
                size,
                padding,
                charset,
            } => {
                for value in values {
                    fixed_string::check_charset(value, charset, heap)?;
                    fixed_string::put(value.as_bytes(), size as usize, padding, heap, out)?;
                }
                Ok(())
            }
            Datatype::VarLenString { charset, .. } => encode_texts(values, charset, heap, out),
            _ => Ok(()),
        }
    }
}

/// Runs `encode` over blocks of values.
pub(crate) fn encode_block<T>(
    values: &[T],
    mut encode: impl FnMut(&[T]) -> Result<()>,
) -> Result<()> {
    values.chunks(BLOCK).try_for_each(&mut encode)
}

/// A heap that keeps nothing: it stands in while values are tried.
struct Rehearsal<'a> {
    offset_width: u8,
    /// The heap that it stands in for, where there is one.
    heap: Option<&'a dyn VarLenSink>,
}

impl VarLenSink for Rehearsal<'_> {
    fn offset_width(&self) -> u8 {
        self.offset_width
    }

    fn insert(&mut self, _: &[u8]) -> Result<(u64, u32)> {
        Ok((0, 0))
    }

    fn holds_already(&self, text: &[u8]) -> bool {
        self.heap.is_some_and(|heap| heap.holds_already(text))
    }
}

/// Runs `encode` on a heap that keeps nothing where that could fail after something was kept: elements whose parts are of
/// variable length, one tried after the other.
pub(crate) fn rehearse(
    stored: &Datatype,
    heap: &dyn VarLenSink,
    encode: impl FnOnce(&mut dyn VarLenSink) -> Result<()>,
) -> Result<()> {
    match stored {
        // Tried as a whole before any is kept.
        Datatype::VarLenString { .. } => Ok(()),
        _ if stored.contains_var_len() => encode(&mut Rehearsal {
            offset_width: heap.offset_width(),
            heap: Some(heap),
        }),
        _ => Ok(()),
    }
}

/// Refuses values that [`encode`] would refuse.
pub(crate) fn check_values<'a, T: ElementValue + 'a>(
    values: impl IntoIterator<Item = &'a T>,
    stored: &Datatype,
    offset_width: u8,
) -> Result<()> {
    T::expect_stored(stored)?;
    if T::own_bytes(&[], stored).is_some() {
        return Ok(());
    }
    let (mut heap, mut out) = (
        Rehearsal {
            offset_width,
            heap: None,
        },
        Vec::new(),
    );
    values.into_iter().try_for_each(|value| {
        out.clear();
        T::encode_elements(core::slice::from_ref(value), stored, &mut heap, &mut out)
    })
}

/// The bytes of the values as `stored` has them, borrowed where nothing has to change. Nothing is kept in the heap unless
/// every value can be stored.
pub(crate) fn encode<'a, T: ElementValue>(
    values: &'a [T],
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
) -> Result<Cow<'a, [u8]>> {
    T::expect_stored(stored)?;
    if let Some(bytes) = T::own_bytes(values, stored) {
        return Ok(Cow::Borrowed(bytes));
    }
    rehearse(stored, heap, |heap| {
        let mut out = Vec::new();
        encode_block(values, |block| {
            out.clear();
            T::encode_elements(block, stored, heap, &mut out)
        })
    })?;
    let mut out = Vec::with_capacity(values.len().saturating_mul(stored.size() as usize));
    T::encode_elements(values, stored, heap, &mut out)?;
    Ok(Cow::Owned(out))
}
