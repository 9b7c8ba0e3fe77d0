//! Strings of any length: `String`, `VarLenUnicode`, `VarLenAscii`.
//!
//! ```text
//! in place of the element:
//!   0   4  length in bytes, no terminator
//!   4   O  address of the heap collection, 0 for the empty string
//!   +   4  index in the collection, 0 for the empty string
//! ```

use super::scalar::{integer, is_integer};
use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect};
use crate::bytes::{Put, Take, Widths};
use crate::error::{Error, Result};
use crate::format::message::datatype::{CharacterSet, Datatype, StringPadding};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

fn datatype(charset: CharacterSet) -> Datatype {
    Datatype::VarLenString {
        size: Widths::EIGHT.var_len_size(),
        padding: StringPadding::NullTerminate,
        charset,
        base: Box::new(integer(1, false)),
    }
}

fn matches(stored: &Datatype) -> bool {
    matches!(stored, Datatype::VarLenString { base, .. }
        if is_integer(base, 1, true)
            || is_integer(base, 1, false)
            || matches!(**base, Datatype::FixedString { size: 1, .. }))
}

/// Refuses what a stored string of `charset` cannot hold, unless what is written to holds it already.
pub(super) fn check(
    value: &str,
    charset: CharacterSet,
    heap: Option<&dyn VarLenSink>,
) -> Result<()> {
    if value.as_bytes().contains(&0) {
        return Err(Error::invalid("a string contains a zero byte"));
    }
    let held = || heap.is_some_and(|heap| heap.holds_already(value.as_bytes()));
    if charset == CharacterSet::Ascii && !value.is_ascii() && !held() {
        return Err(Error::invalid(
            "a string of ASCII contains another character",
        ));
    }
    Ok(())
}

/// Nothing is inserted into the heap unless every value can be stored.
fn encode<'a, T: H5Type + AsRef<str>>(
    values: impl ExactSizeIterator<Item = &'a T> + Clone,
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    expect::<T>(stored)?;
    if let Datatype::VarLenString { charset, .. } = stored {
        for value in values.clone() {
            check(value.as_ref(), *charset, Some(heap))?;
        }
    }
    encode_strings(values.map(AsRef::as_ref), heap, out)
}

/// Appends strings; nothing is inserted into the heap unless each can be stored.
pub(crate) fn encode_texts(
    values: &[&str],
    charset: CharacterSet,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut values_of = values.iter();
    values_of.try_for_each(|value| check(value, charset, Some(heap)))?;
    encode_strings(values.iter().copied(), heap, out)
}

/// Appends strings that have been checked.
fn encode_strings<'a>(
    values: impl ExactSizeIterator<Item = &'a str>,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let width = heap.offset_width();
    out.reserve(values.len() * (8 + usize::from(width)));
    for value in values {
        let bytes = value.as_bytes();
        let len = u32::try_from(bytes.len()).map_err(|_| {
            Error::limit(
                "the length of a string",
                bytes.len() as u64,
                u32::MAX.into(),
            )
        })?;
        let (address, index) = if len == 0 {
            (0, 0)
        } else {
            heap.insert(bytes)?
        };
        out.put_u32(len);
        out.put_uint(address, width);
        out.put_u32(index);
    }
    Ok(())
}

fn decode<T: H5Type>(
    bytes: &[u8],
    stored: &Datatype,
    heap: &mut dyn VarLenSource,
    make: impl Fn(String) -> Result<T>,
) -> Result<Vec<T>> {
    expect::<T>(stored)?;
    let width = heap.offset_width();
    if !(1..=8).contains(&width) {
        return Err(Error::corrupt(
            "superblock",
            "addresses are of no known size",
        ));
    }
    let mut values = Vec::with_capacity(count(bytes, 8 + usize::from(width))?);
    let mut take = Take::new(bytes, ELEMENT, 0);
    while !take.is_empty() {
        let len = take.u32()?;
        let address = take.uint(width)?;
        let index = take.u32()?;
        let mut text = Vec::new();
        if len > 0 {
            let len = usize::try_from(len).map_err(|_| {
                Error::limit("the length of a string", len.into(), usize::MAX as u64)
            })?;
            heap.read(address, index, len, &mut text)?;
        }
        // Every reader in C sees a string that ends at a zero byte.
        if let Some(end) = text.iter().position(|&byte| byte == 0) {
            text.truncate(end);
        }
        let text = String::from_utf8(text)
            .map_err(|_| Error::corrupt(ELEMENT, "a string is not UTF-8"))?;
        values.push(make(text)?);
    }
    Ok(values)
}

macro_rules! varlen {
    ($type:ty, $charset:expr, $make:expr) => {
        impl H5Type for $type {
            fn datatype() -> Datatype {
                datatype($charset)
            }

            fn zero() -> Self {
                Self::default()
            }

            fn matches(stored: &Datatype) -> bool {
                matches(stored)
            }

            fn encode(
                values: &[Self],
                stored: &Datatype,
                heap: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                encode(values.iter(), stored, heap, out)
            }

            fn encode_each<'a>(
                values: impl ExactSizeIterator<Item = &'a Self> + Clone,
                stored: &Datatype,
                heap: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                encode(values, stored, heap, out)
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

/// A variable-length string of UTF-8, for code that comes from hdf5-metno; `String` does the same.
///
/// ```
/// use h5quill::VarLenUnicode;
/// let name: VarLenUnicode = "Ångström".parse()?;
/// assert_eq!(name.as_str(), "Ångström");
/// assert!("a\0b".parse::<VarLenUnicode>().is_err()); // a zero byte would end it
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarLenUnicode(String);

/// A variable-length string of ASCII.
///
/// ```
/// use h5quill::VarLenAscii;
/// let unit: VarLenAscii = "metre".parse()?;
/// assert_eq!(unit.as_str(), "metre");
/// assert!("mètre".parse::<VarLenAscii>().is_err());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarLenAscii(String);

impl VarLenUnicode {
    /// The empty string.
    ///
    /// ```
    /// assert!(h5quill::VarLenUnicode::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The string.
    ///
    /// ```
    /// let text: h5quill::VarLenUnicode = "µm".parse()?;
    /// assert_eq!(text.as_str().chars().count(), 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl VarLenAscii {
    /// The empty string.
    ///
    /// ```
    /// assert!(h5quill::VarLenAscii::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The string of bytes of ASCII.
    ///
    /// ```
    /// assert_eq!(h5quill::VarLenAscii::from_ascii(b"metre")?, "metre");
    /// assert!(h5quill::VarLenAscii::from_ascii("mètre").is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Other bytes, or a zero byte.
    pub fn from_ascii<B: ?Sized + AsRef<[u8]>>(bytes: &B) -> Result<Self> {
        ascii(bytes.as_ref())?.parse()
    }

    /// The string.
    ///
    /// ```
    /// let text: h5quill::VarLenAscii = "um".parse()?;
    /// assert_eq!(text.as_str(), "um");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes of ASCII as a string.
pub(super) fn ascii(bytes: &[u8]) -> Result<&str> {
    match core::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(Error::invalid(
            "a string of ASCII contains another character",
        )),
    }
}

impl FromStr for VarLenUnicode {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        check(value, CharacterSet::Utf8, None)?;
        Ok(Self(value.to_owned()))
    }
}

impl FromStr for VarLenAscii {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        check(value, CharacterSet::Ascii, None)?;
        Ok(Self(value.to_owned()))
    }
}

impl From<VarLenUnicode> for String {
    fn from(value: VarLenUnicode) -> Self {
        value.0
    }
}

impl From<VarLenAscii> for String {
    fn from(value: VarLenAscii) -> Self {
        value.0
    }
}

/// What every string type of this crate can do.
macro_rules! text {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl<$($generics)*> AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl<$($generics)*> TryFrom<&str> for $type {
            type Error = Error;

            fn try_from(value: &str) -> Result<Self> {
                value.parse()
            }
        }

        impl<$($generics)*> PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl<$($generics)*> PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl<$($generics)*> fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.as_str(), f)
            }
        }

        impl<$($generics)*> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }
    };
}
pub(super) use text;

text!([] VarLenUnicode);
text!([] VarLenAscii);

varlen!(String, CharacterSet::Utf8, Ok);
varlen!(VarLenUnicode, CharacterSet::Utf8, |text| Ok(VarLenUnicode(
    text
)));
varlen!(VarLenAscii, CharacterSet::Ascii, |text| {
    if text.is_ascii() {
        Ok(VarLenAscii(text))
    } else {
        Err(Error::invalid(
            "a stored string is not ASCII: read it as a String",
        ))
    }
});
