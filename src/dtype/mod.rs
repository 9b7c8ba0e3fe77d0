//! Which Rust type is which HDF5 datatype, and the bytes of an element both ways.
//!
//! A value goes to a stored datatype only when [`H5Type::matches`] says that the two are the same up to byte order, string
//! padding and character set. It comes from another one where that keeps every value, or as was asked for: `convert`.

mod array;
mod boolean;
#[cfg(feature = "complex")]
mod complex;
pub mod compound;
mod convert;
pub(crate) mod descriptor;
mod element;
pub mod enumeration;
mod extended;
mod fixed_string;
mod float8;
mod held;
mod layout;
mod number;
mod order;
mod query;
mod reference;
mod revised;
mod scalar;
mod sequence;
#[cfg(test)]
mod tests;
mod value;
mod varlen_string;

pub use convert::Conversion;
pub(crate) use convert::{Plan, Scratch};
pub use element::{CreateWith, ElementValue};
pub(crate) use element::{check_values, encode};
pub use extended::{F80, F128};
pub use fixed_string::{FixedAscii, FixedUnicode};
pub use float8::{F8E4M3, F8E5M2};
pub(crate) use held::{HeldTexts, WithHeld};
pub use reference::{AttributeReference, ObjectReference, Reference, RegionReference};
pub use sequence::VarLenArray;
pub use value::Value;
pub(crate) use value::{Node, encode_values};
pub(crate) use varlen_string::encode_texts;
pub use varlen_string::{VarLenAscii, VarLenUnicode};

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::Datatype;
use alloc::string::ToString;
use alloc::vec::Vec;
use descriptor::TypeDescriptor;

/// The name of a broken element in errors.
const ELEMENT: &str = "element";

/// Rust types that an HDF5 file can hold as elements.
///
/// | Rust | HDF5 |
/// |---|---|
/// | `i8` to `i64`, `u8` to `u64`, `isize`, `usize` | integer |
/// | [`F8E4M3`], [`F8E5M2`], `half::f16`, `half::bf16`, `f32`, `f64`, [`F80`], [`F128`] | floating-point |
/// | `bool` | enumeration `FALSE`, `TRUE` of a byte, as h5py writes it |
/// | `String`, [`VarLenUnicode`], [`VarLenAscii`] | variable-length string |
/// | [`FixedAscii`], [`FixedUnicode`] | fixed-length string |
/// | `[T; N]` | array |
/// | `Vec<T>`, [`VarLenArray<T>`](VarLenArray) | sequence of variable length |
/// | [`ObjectReference`], [`RegionReference`] | reference |
/// | [`Reference`] | revised reference (HDF5 1.12) |
/// | a struct with `#[derive(H5Type)]` | compound |
/// | an enum with `#[derive(H5Type)]` | enumeration |
/// | `num_complex::Complex<T>` (feature `complex`) | compound `{r, i}` |
///
/// # Structs and enums
///
/// The derive macro is that of hdf5-metno. A struct is a compound of its fields; `#[repr(C)]` lays them out as C does, with
/// its padding, anything else one behind the other. A struct of one field with `#[repr(transparent)]` is what its field is.
/// An enum without data needs an integer `repr`. `#[hdf5(rename = "..")]` names a field or a variant otherwise; fields of
/// type `PhantomData` are left out.
///
/// Data are written to a stored compound that has the same members by name, each of the same type up to byte order, in any
/// order and at any offsets. They are read from a stored compound that has members of these names at least, each of a type
/// whose every value is one of the field's.
///
#[cfg_attr(feature = "derive", doc = "```")]
#[cfg_attr(not(feature = "derive"), doc = "```ignore")]
/// use h5quill::{File, H5Type};
///
/// #[derive(H5Type, Clone, Debug, PartialEq)]
/// #[repr(u8)]
/// enum Quality {
///     Good = 1,
///     Doubtful = 2,
/// }
///
/// #[derive(H5Type, Clone, Debug, PartialEq)]
/// struct Reading {
///     time: f64,
///     #[hdf5(rename = "T")]
///     temperature: f32,
///     quality: Quality,
///     note: String,
///     samples: Vec<i16>,
/// }
///
/// let file = File::create_memory()?;
/// let readings = file.new_dataset::<Reading>().shape(0..).create("readings")?;
/// let first = Reading { time: 0.5, temperature: 20.0, quality: Quality::Good, note: "start".into(), samples: vec![1, 2] };
/// readings.append(&[first.clone()])?;
/// assert_eq!(readings.read_raw::<Reading>()?, [first]);
///
/// /// A part of it, the temperature in double precision.
/// #[derive(H5Type, Clone)]
/// struct Point {
///     time: f64,
///     #[hdf5(rename = "T")]
///     temperature: f64,
/// }
/// assert_eq!(readings.read_raw::<Point>()?[0].temperature, 20.0);
/// # Ok::<(), h5quill::Error>(())
/// ```
///
/// # Other types
///
/// A type is an element if it says which [`datatype`](H5Type::datatype) it is and how the bytes are made of values and back:
///
/// ```
/// use h5quill::H5Type;
///
/// let stored = <[f32; 3]>::datatype();
/// assert!(<[f32; 3]>::matches(&stored));
/// assert!(!<[f64; 3]>::matches(&stored)); // though it is read as one: every f32 is an f64
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no element type of an HDF5 file",
    label = "not an `H5Type`",
    note = "numbers, `bool`, strings, `[T; N]`, `Vec<T>` and references are; a struct or an enum becomes one by `#[derive(H5Type, Clone)]`",
    note = "there is no datatype for `Option<T>`, tuples, maps and references in memory"
)]
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

    /// As [`encode`](Self::encode), of values that lie anywhere: the fields of many structs, one behind the other. Types that
    /// can do without a copy of the values do so.
    ///
    /// ```
    /// # struct NoHeap; // numbers need none
    /// # impl h5quill::VarLenSink for NoHeap {
    /// #     fn offset_width(&self) -> u8 { 8 }
    /// #     fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> { unreachable!() }
    /// # }
    /// use h5quill::H5Type;
    /// let pairs = [(1_u16, 'a'), (2, 'b')];
    /// let mut out = Vec::new();
    /// u16::encode_each(pairs.iter().map(|pair| &pair.0), &u16::datatype(), &mut NoHeap, &mut out)?;
    /// assert_eq!(out, [1, 0, 2, 0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn encode_each<'a>(
        values: impl ExactSizeIterator<Item = &'a Self> + Clone,
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let values: Vec<Self> = values.cloned().collect();
        Self::encode(&values, stored, heap, out)
    }

    /// The alignment of a field of this type in a struct with `#[repr(C)]`, in bytes: that of C on 64-bit hosts, on every
    /// host.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!((f64::alignment(), <[u16; 5]>::alignment(), String::alignment()), (8, 2, 8));
    /// ```
    fn alignment() -> usize {
        layout::natural_alignment(&Self::datatype())
    }

    /// The datatype as hdf5-metno describes it.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// use h5quill::types::{IntSize, TypeDescriptor};
    /// assert_eq!(u16::type_descriptor(), TypeDescriptor::Unsigned(IntSize::U2));
    /// ```
    fn type_descriptor() -> TypeDescriptor {
        TypeDescriptor::of(&Self::datatype())
    }

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

    /// Whether the dataset or attribute that is written holds this text already, though its datatype does not quite have
    /// it. A heap by itself knows of no such text.
    fn holds_already(&self, text: &[u8]) -> bool {
        let _ = text;
        false
    }
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
    Err(mismatch(stored, &T::datatype()))
}

/// The error that names both types, and of compounds the first member in which they differ.
pub(crate) fn mismatch(stored: &Datatype, given: &Datatype) -> Error {
    if let (Datatype::Compound { .. }, Datatype::Compound { members, .. }) = (stored, given) {
        for member in members {
            match stored.members().iter().find(|m| m.name == member.name) {
                None => {
                    return Error::new(ErrorKind::TypeMismatch {
                        stored: stored.to_string(),
                        given: given.to_string(),
                    })
                    .in_member(&member.name);
                }
                Some(found) if !layout::is_same(&found.datatype, &member.datatype) => {
                    return mismatch(&found.datatype, &member.datatype).in_member(&member.name);
                }
                Some(_) => {}
            }
        }
    }
    Error::new(ErrorKind::TypeMismatch {
        stored: stored.to_string(),
        given: given.to_string(),
    })
}

/// How many elements of `size` bytes `bytes` holds; a rest is an error.
fn count(bytes: &[u8], size: usize) -> Result<usize> {
    if bytes.len().is_multiple_of(size) {
        Ok(bytes.len() / size)
    } else {
        Err(Error::corrupt(ELEMENT, "the data ends within an element"))
    }
}
