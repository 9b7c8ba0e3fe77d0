//! Which Rust type is which HDF5 datatype, and the bytes of an element both ways.
//!
//! A value goes to a stored datatype only when [`H5Type::matches`] says that the two are the same up to byte order, string
//! padding and character set. It comes from another one where that keeps every value, or as was asked for: `convert`.

mod array;
mod boolean;
mod convert;
mod extended;
mod fixed_string;
mod number;
mod order;
mod query;
mod reference;
mod scalar;
#[cfg(test)]
mod tests;
mod value;
mod varlen_string;

pub use convert::Conversion;
pub(crate) use convert::{Plan, Scratch};
pub use extended::{F80, F128};
pub use fixed_string::{FixedAscii, FixedUnicode};
pub use reference::{AttributeReference, ObjectReference, Reference, RegionReference};
pub(crate) use value::Node;
pub use value::Value;
pub use varlen_string::{VarLenAscii, VarLenUnicode};

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::Datatype;
use alloc::string::ToString;
use alloc::vec::Vec;

/// The name of a broken element in errors.
const ELEMENT: &str = "element";

/// Rust types that an HDF5 file can hold as elements.
///
/// | Rust | HDF5 |
/// |---|---|
/// | `i8` to `i64`, `u8` to `u64` | integer |
/// | `half::f16`, `half::bf16`, `f32`, `f64`, [`F80`], [`F128`] | floating-point |
/// | `bool` | enumeration `FALSE`, `TRUE` of a byte, as h5py writes it |
/// | `String`, [`VarLenUnicode`], [`VarLenAscii`] | variable-length string |
/// | [`FixedAscii`], [`FixedUnicode`] | fixed-length string |
/// | `[T; N]` | array |
/// | [`ObjectReference`], [`RegionReference`] | reference |
///
/// ```
/// use h5quill::H5Type;
///
/// let stored = <[f32; 3]>::datatype();
/// assert!(<[f32; 3]>::matches(&stored));
/// assert!(!<[f64; 3]>::matches(&stored)); // though it is read as one: every f32 is an f64
/// ```
pub trait H5Type: Clone + Send + Sync + 'static {
    /// The datatype that is created for this type: little-endian on every host.
    ///
    /// ```
    /// use h5quill::{ByteOrder, Datatype, H5Type};
    /// let Datatype::Integer(integer) = u16::datatype() else { unreachable!() };
    /// assert_eq!((integer.size, integer.order, integer.signed), (2, ByteOrder::LittleEndian, false));
    /// ```
    fn datatype() -> Datatype;

    /// The value of buffers before they are read into: zero, `false`, the empty string.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(f64::zero(), 0.0);
    /// assert_eq!(String::zero(), "");
    /// ```
    fn zero() -> Self;

    /// Whether data stored as `stored` is this type: equal up to byte order, and for strings up to padding and
    /// character set, which are checked value by value.
    ///
    /// ```
    /// use h5quill::{ByteOrder, H5Type};
    /// assert!(f64::matches(&f64::datatype().with_byte_order(ByteOrder::BigEndian)));
    /// assert!(!f64::matches(&i64::datatype())); // of the same size
    /// ```
    fn matches(stored: &Datatype) -> bool;

    /// Appends the file's bytes of `values` to `out`, in the layout of `stored`.
    ///
    /// ```
    /// # struct NoHeap; // numbers need none
    /// # impl h5quill::VarLenSink for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> { unreachable!() }
    /// # }
    /// # impl h5quill::VarLenSource for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn read(&mut self, _: u64, _: u32, _: usize, _: &mut Vec<u8>) -> h5quill::Result<()> { unreachable!() }
    /// # }
    ///
    /// use h5quill::{ByteOrder, H5Type};
    /// let stored = u16::datatype().with_byte_order(ByteOrder::BigEndian);
    /// let mut out = Vec::new();
    /// u16::encode(&[1, 2], &stored, &mut NoHeap, &mut out)?;
    /// assert_eq!(out, [0, 1, 0, 2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TypeMismatch`] when [`matches`](H5Type::matches) denies `stored`, [`ErrorKind::Invalid`] for a
    /// value that `stored` cannot hold, and what `heap` returns.
    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()>;

    /// The values of `bytes`, which hold whole elements in the layout of `stored`.
    ///
    /// ```
    /// # struct NoHeap; // numbers need none
    /// # impl h5quill::VarLenSink for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> { unreachable!() }
    /// # }
    /// # impl h5quill::VarLenSource for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn read(&mut self, _: u64, _: u32, _: usize, _: &mut Vec<u8>) -> h5quill::Result<()> { unreachable!() }
    /// # }
    ///
    /// use h5quill::H5Type;
    /// let values = u16::decode(&[1, 0, 2, 0], &u16::datatype(), &mut NoHeap)?;
    /// assert_eq!(values, [1, 2]);
    /// assert!(u16::decode(&[1, 0, 2], &u16::datatype(), &mut NoHeap).is_err()); // one and a half
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TypeMismatch`] when [`matches`](H5Type::matches) denies `stored`, [`ErrorKind::Corrupt`] for
    /// bytes that are no value of this type, and what `heap` returns.
    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>>;

    /// The values' own memory, where it is what the file holds: numbers whose byte order is the host's.
    ///
    /// ```
    /// use h5quill::{ByteOrder, H5Type};
    /// let native = if cfg!(target_endian = "big") { ByteOrder::BigEndian } else { ByteOrder::LittleEndian };
    /// let stored = u16::datatype().with_byte_order(native);
    /// assert_eq!(u16::as_bytes(&[7], &stored), Some(&7_u16.to_ne_bytes()[..]));
    /// assert_eq!(<String as H5Type>::as_bytes(&[String::new()], &String::datatype()), None);
    /// ```
    fn as_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
        let _ = (values, stored);
        None
    }

    /// The values' own memory to read into, where any bytes of the file are values as they are.
    ///
    /// ```
    /// use h5quill::{ByteOrder, H5Type};
    /// let native = if cfg!(target_endian = "big") { ByteOrder::BigEndian } else { ByteOrder::LittleEndian };
    /// let mut values = [0_u16];
    /// u16::as_bytes_mut(&mut values, &u16::datatype().with_byte_order(native)).unwrap().fill(1);
    /// assert_eq!(values, [0x0101]);
    /// ```
    fn as_bytes_mut<'a>(values: &'a mut [Self], stored: &Datatype) -> Option<&'a mut [u8]> {
        let _ = (values, stored);
        None
    }
}

/// Where the bytes of variable-length elements go: the global heap of a file being written.
///
/// ```
/// use h5quill::{H5Type, Result, VarLenSink};
///
/// /// A heap of one collection, at address 4096.
/// struct Heap(Vec<Vec<u8>>);
///
/// impl VarLenSink for Heap {
///     fn offset_width(&self) -> u8 {
///         8
///     }
///     fn insert(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
///         self.0.push(bytes.to_vec());
///         Ok((4096, self.0.len() as u32)) // the index of the first object is 1
///     }
/// }
///
/// let (mut heap, mut out) = (Heap(Vec::new()), Vec::new());
/// String::encode(&["abc".to_string()], &String::datatype(), &mut heap, &mut out)?;
/// assert_eq!(heap.0, [b"abc"]);
/// assert_eq!(out, [3, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
/// # Ok::<(), h5quill::Error>(())
/// ```
pub trait VarLenSink {
    /// The size of an address in the file, in bytes: 2, 4 or 8.
    fn offset_width(&self) -> u8;

    /// Keeps `bytes` (never empty) and returns the address of their heap collection and their index in it.
    ///
    /// # Errors
    /// What the heap says, for example that the bytes are too many for one object.
    fn insert(&mut self, bytes: &[u8]) -> Result<(u64, u32)>;
}

/// Where the bytes of variable-length elements come from: the global heap of a file being read.
///
/// Addresses, indices and lengths are a file's, thus hostile: an implementation checks them before it allocates, and
/// bounds what it hands out in total, as many elements may name one object.
///
/// ```
/// use h5quill::{H5Type, Result, VarLenSource};
///
/// /// A heap of one object.
/// struct Heap(&'static [u8]);
///
/// impl VarLenSource for Heap {
///     fn offset_width(&self) -> u8 {
///         8
///     }
///     fn read(&mut self, address: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()> {
///         assert_eq!((address, index), (4096, 1));
///         out.extend_from_slice(&self.0[..len]);
///         Ok(())
///     }
/// }
///
/// let element = [3, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
/// assert_eq!(String::decode(&element, &String::datatype(), &mut Heap(b"abc"))?, ["abc"]);
/// # Ok::<(), h5quill::Error>(())
/// ```
pub trait VarLenSource {
    /// The size of an address in the file, in bytes: 2, 4 or 8.
    fn offset_width(&self) -> u8;

    /// Appends the first `len` bytes (never 0) of object `index` of the heap collection at `address` to `out`.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when there is no such object, or it is shorter than `len`.
    fn read(&mut self, address: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()>;

    /// Appends all bytes of object `index` of the heap collection at `address` to `out`: what a
    /// [region reference](RegionReference) needs, which does not say how long its object is. By default an error.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// ```
    /// # struct NoHeap;
    /// # impl h5quill::VarLenSource for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn read(&mut self, _: u64, _: u32, _: usize, _: &mut Vec<u8>) -> h5quill::Result<()> { unreachable!() }
    /// # }
    /// use h5quill::VarLenSource;
    /// assert!(NoHeap.read_whole(4096, 1, &mut Vec::new()).is_err());
    /// ```
    fn read_whole(&mut self, address: u64, index: u32, out: &mut Vec<u8>) -> Result<()> {
        let _ = (address, index, out);
        Err(Error::unsupported("region references in this place"))
    }
}

/// The heap of data that has none: every use is an error.
#[derive(Debug, Clone, Copy)]
#[cfg(test)]
pub(crate) struct NoHeap;

#[cfg(test)]
impl VarLenSink for NoHeap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn insert(&mut self, _: &[u8]) -> Result<(u64, u32)> {
        Err(Error::unsupported("variable-length data in this place"))
    }
}

#[cfg(test)]
impl VarLenSource for NoHeap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn read(&mut self, _: u64, _: u32, _: usize, _: &mut Vec<u8>) -> Result<()> {
        Err(Error::unsupported("variable-length data in this place"))
    }
}

/// Refuses `stored` unless it is `T`: the error that names both types.
pub(crate) fn expect<T: H5Type>(stored: &Datatype) -> Result<()> {
    if T::matches(stored) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TypeMismatch {
        stored: stored.to_string(),
        given: T::datatype().to_string(),
    }))
}

/// How many elements of `size` bytes `bytes` holds; a rest is an error.
fn count(bytes: &[u8], size: usize) -> Result<usize> {
    if bytes.len().is_multiple_of(size) {
        Ok(bytes.len() / size)
    } else {
        Err(Error::corrupt(ELEMENT, "the data ends within an element"))
    }
}
