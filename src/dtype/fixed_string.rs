//! Strings of fixed size: `FixedAscii<N>`, `FixedUnicode<N>`.

use super::varlen_string::{ascii, text};
use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect};
use crate::error::{Error, Result};
use crate::format::message::datatype::{CharacterSet, Datatype, StringPadding};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

/// Bytes followed by zeros to the size, and no zero at the end of the text itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Padded<const N: usize>([u8; N]);

impl<const N: usize> Padded<N> {
    fn new(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        if bytes.len() > N {
            return Err(Error::limit(
                "the length of a fixed-length string",
                bytes.len() as u64,
                N as u64,
            ));
        }
        if bytes.last() == Some(&0) {
            return Err(Error::invalid(
                "a fixed-length string ends with a zero byte",
            ));
        }
        let mut padded = [0; N];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(padded))
    }

    fn text(&self) -> &[u8] {
        let len = self
            .0
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        &self.0[..len]
    }

    /// The value of the bytes of a file.
    fn read(bytes: &[u8; N], padding: StringPadding) -> Self {
        let mut padded = *bytes;
        let end = match padding {
            StringPadding::NullPad => N,
            StringPadding::NullTerminate => bytes.iter().position(|&b| b == 0).unwrap_or(N),
            StringPadding::SpacePad => bytes
                .iter()
                .rposition(|&b| b != b' ')
                .map_or(0, |last| last + 1),
        };
        padded[end..].fill(0);
        Self(padded)
    }
}

/// Appends a string in a place of `size` bytes, unless reading it would give another value. One that leaves no room for the
/// NUL behind it is refused, unless what is written to holds it already.
pub(super) fn put(
    bytes: &[u8],
    size: usize,
    padding: StringPadding,
    heap: &dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    if bytes.len() > size {
        return Err(Error::limit(
            "the length of a fixed-length string",
            bytes.len() as u64,
            size as u64,
        ));
    }
    match padding {
        StringPadding::NullPad if bytes.last() == Some(&0) => {
            return Err(Error::invalid(
                "a fixed-length string ends with a zero byte",
            ));
        }
        StringPadding::NullPad => {}
        StringPadding::NullTerminate => {
            if bytes.contains(&0) {
                return Err(Error::invalid("a string contains a zero byte"));
            }
            if bytes.len() == size && !heap.holds_already(bytes) {
                return Err(Error::limit(
                    "the length of a null-terminated string",
                    size as u64,
                    size as u64 - 1,
                ));
            }
        }
        StringPadding::SpacePad => {
            if bytes.last() == Some(&b' ') {
                return Err(Error::invalid(
                    "a string that is padded with spaces ends with one",
                ));
            }
        }
    }
    let fill = match padding {
        StringPadding::SpacePad => b' ',
        StringPadding::NullPad | StringPadding::NullTerminate => 0,
    };
    out.extend_from_slice(bytes);
    out.resize(out.len() + (size - bytes.len()), fill);
    Ok(())
}

/// Refuses what a stored string of `charset` cannot hold, unless what is written to holds it already.
pub(super) fn check_charset(
    text: &str,
    charset: CharacterSet,
    heap: &dyn VarLenSink,
) -> Result<()> {
    if charset == CharacterSet::Ascii && !text.is_ascii() && !heap.holds_already(text.as_bytes()) {
        return Err(Error::invalid(
            "a string of ASCII contains another character",
        ));
    }
    Ok(())
}

fn parts(stored: &Datatype, len: usize) -> Option<(StringPadding, CharacterSet)> {
    match stored {
        Datatype::FixedString {
            size,
            padding,
            charset,
        } if usize::try_from(*size) == Ok(len) && len > 0 => Some((*padding, *charset)),
        _ => None,
    }
}

macro_rules! fixed {
    ($type:ident, $charset:expr, $valid:expr, $complaint:literal) => {
        impl<const N: usize> $type<N> {
            /// The empty string.
            ///
            /// ```
            /// assert!(h5quill::FixedUnicode::<8>::new().is_empty());
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            /// The bytes of the string, without padding.
            ///
            /// ```
            /// let text: h5quill::FixedUnicode<8> = "µm".parse()?;
            /// assert_eq!(text.as_bytes(), [0xc2, 0xb5, b'm']);
            /// # Ok::<(), h5quill::Error>(())
            /// ```
            pub fn as_bytes(&self) -> &[u8] {
                self.0.text()
            }

            /// The string, without padding.
            ///
            /// ```
            /// let text: h5quill::FixedAscii<8> = "DNA".parse()?;
            /// assert_eq!(text.as_str().len(), 3);
            /// # Ok::<(), h5quill::Error>(())
            /// ```
            pub fn as_str(&self) -> &str {
                // Constructors have checked the bytes.
                core::str::from_utf8(self.0.text()).unwrap_or_default()
            }
        }

        impl<const N: usize> Default for $type<N> {
            fn default() -> Self {
                Self(Padded([0; N]))
            }
        }

        impl<const N: usize> FromStr for $type<N> {
            type Err = Error;

            fn from_str(value: &str) -> Result<Self> {
                let valid: fn(&[u8]) -> bool = $valid;
                if !valid(value.as_bytes()) {
                    return Err(Error::invalid($complaint));
                }
                Padded::new(value).map(Self)
            }
        }

        /// A string as long as its type can be: `FixedAscii::try_from(b"DNA")` is a `FixedAscii<3>`.
        impl<const N: usize> TryFrom<&[u8; N]> for $type<N> {
            type Error = Error;

            fn try_from(bytes: &[u8; N]) -> Result<Self> {
                match core::str::from_utf8(bytes) {
                    Ok(text) => text.parse(),
                    Err(_) => Err(Error::invalid($complaint)),
                }
            }
        }

        text!([const N: usize] $type<N>);

        impl<const N: usize> H5Type for $type<N> {
            fn datatype() -> Datatype {
                const {
                    assert!(
                        N > 0 && N <= u32::MAX as usize,
                        "a fixed-length string has 1 to 2^32 - 1 bytes"
                    );
                }
                Datatype::FixedString {
                    size: N as u32,
                    padding: StringPadding::NullPad,
                    charset: $charset,
                }
            }

            fn zero() -> Self {
                Self::default()
            }

            fn matches(stored: &Datatype) -> bool {
                parts(stored, N).is_some()
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
                let Some((padding, charset)) = parts(stored, N) else {
                    return Ok(());
                };
                out.reserve(values.len() * N);
                for value in values {
                    check_charset(value.as_str(), charset, heap)?;
                    put(value.0.text(), N, padding, heap, out)?;
                }
                Ok(())
            }

            fn decode(
                bytes: &[u8],
                stored: &Datatype,
                _: &mut dyn VarLenSource,
            ) -> Result<Vec<Self>> {
                expect::<Self>(stored)?;
                let Some((padding, _)) = parts(stored, N) else {
                    return Ok(Vec::new());
                };
                let valid: fn(&[u8]) -> bool = $valid;
                let mut values = Vec::with_capacity(count(bytes, N)?);
                for element in bytes.as_chunks::<N>().0 {
                    let padded = Padded::read(element, padding);
                    if !valid(padded.text()) {
                        return Err(Error::corrupt(ELEMENT, $complaint));
                    }
                    values.push(Self(padded));
                }
                Ok(values)
            }
        }
    };
}

/// A string of ASCII in `N` bytes, padded with zeros, as numpy's `S` type is.
///
/// Stored strings of `N` bytes that end with a zero or are padded with spaces are read and written in their own way.
///
/// ```
/// use h5quill::FixedAscii;
/// let code: FixedAscii<3> = "DNA".parse()?; // every byte may be used
/// assert_eq!(code, "DNA");
/// assert!("mRNA".parse::<FixedAscii<3>>().is_err());
/// assert!("é".parse::<FixedAscii<3>>().is_err());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedAscii<const N: usize>(Padded<N>);

/// A string of UTF-8 in `N` bytes (not characters), padded with zeros.
///
/// ```
/// use h5quill::FixedUnicode;
/// let unit: FixedUnicode<4> = "µm".parse()?;
/// assert_eq!(unit.as_str(), "µm");
/// assert!("Ångström".parse::<FixedUnicode<4>>().is_err());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FixedUnicode<const N: usize>(Padded<N>);

fixed!(
    FixedAscii,
    CharacterSet::Ascii,
    <[u8]>::is_ascii,
    "a string is not ASCII"
);
fixed!(
    FixedUnicode,
    CharacterSet::Utf8,
    |bytes| core::str::from_utf8(bytes).is_ok(),
    "a string is not UTF-8"
);

impl<const N: usize> FixedAscii<N> {
    /// The string of bytes of ASCII.
    ///
    /// ```
    /// use h5quill::FixedAscii;
    /// assert_eq!(FixedAscii::<3>::from_ascii(b"DNA")?, "DNA");
    /// assert!(FixedAscii::<3>::from_ascii(b"mRNA").is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Other bytes, more than `N` of them, or a zero byte at the end.
    pub fn from_ascii<B: ?Sized + AsRef<[u8]>>(bytes: &B) -> Result<Self> {
        ascii(bytes.as_ref())?.parse()
    }
}
