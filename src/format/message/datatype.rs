//! IV.A.2.d. The datatype message: what an element is.
//!
//! ```text
//!   0   1  version (high half) and class (low half)
//!   1   3  class bit field
//!   4   4  size of an element
//!   8   n  properties, by class:
//! 0, 4  fixed-point, bit field: bit offset 2, precision 2
//! 1  floating-point: bit offset 2, precision 2, exponent location 1 and size 1, mantissa location 1 and size 1, bias 4
//! 2  time: precision 2
//! 3, 7  string, reference: none
//! 5  opaque: the tag, padded to a multiple of 8
//! 6  compound, for each member: name, offset, (version 1: shape 28), datatype
//! 8  enumeration: base datatype, names, values
//! 9, 11  variable-length, complex: base datatype
//! 10  array: rank 1, (before version 3: reserved 3), sizes 4*n, (before version 3: permutation 4*n), base datatype
//! ```
//! Names end in a zero byte; before version 3 they are padded to a multiple of 8, and offsets of members have 4 bytes.

mod check;
mod decode;
mod display;
mod encode;

use crate::bytes::{ShortBytes, Take, Widths};
use crate::error::{Error, Result};
use crate::format::libver::LibVer;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const NAME: &str = "datatype message";

/// The size of an element of variable length in a file whose addresses have eight bytes, as nearly every file's have.
const VAR_LEN_SIZE: u32 = 16;

/// The order of the bytes of a number in the file.
///
/// ```
/// use h5quill::ByteOrder;
/// let native = if cfg!(target_endian = "big") {
///     ByteOrder::BigEndian
/// } else {
///     ByteOrder::LittleEndian
/// };
/// assert_ne!(native, ByteOrder::Vax);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first.
    LittleEndian,
    /// Most significant byte first.
    BigEndian,
    /// The VAX order of floating-point numbers.
    Vax,
}

/// A fixed-point number: class 0 (specification IV.A.2.d).
///
/// ```
/// use h5quill::{ByteOrder, Datatype, IntegerType};
/// let big_endian = IntegerType {
///     size: 4,
///     order: ByteOrder::BigEndian,
///     signed: true,
///     bit_offset: 0,
///     precision: 32,
///     low_pad: false,
///     high_pad: false,
/// };
/// assert_eq!(Datatype::Integer(big_endian).to_string(), "big-endian i32");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntegerType {
    /// The size of an element in bytes.
    pub size: u32,
    /// The byte order.
    pub order: ByteOrder,
    /// Whether the number is signed, in two's complement.
    pub signed: bool,
    /// The bit at which the number begins.
    pub bit_offset: u16,
    /// How many bits are significant.
    pub precision: u16,
    /// The value of the bits below the number.
    pub low_pad: bool,
    /// The value of the bits above the number.
    pub high_pad: bool,
}

/// How the most significant bit of a mantissa is stored.
///
/// ```
/// use h5quill::Normalization;
/// // 1.0 as f32 has a mantissa of zeros: its leading 1 is implied.
/// assert_eq!(1f32.to_bits() & 0x7f_ffff, 0);
/// let _of_f32 = Normalization::Implied;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Normalization {
    /// The mantissa is not normalised.
    None,
    /// The most significant bit is always set, and stored (the x86 extended format).
    MostSignificantSet,
    /// The most significant bit is always set, and not stored (the IEEE interchange formats).
    Implied,
}

/// A floating-point number: class 1 (specification IV.A.2.d). Every bit field is modelled, none is assumed.
///
/// ```
/// use h5quill::{ByteOrder, Datatype, FloatType, Normalization};
/// let bfloat16 = FloatType {
///     size: 2,
///     order: ByteOrder::LittleEndian,
///     bit_offset: 0,
///     precision: 16,
///     sign_location: 15,
///     exponent_location: 7,
///     exponent_size: 8,
///     mantissa_location: 0,
///     mantissa_size: 7,
///     exponent_bias: 127,
///     normalization: Normalization::Implied,
///     low_pad: false,
///     high_pad: false,
///     internal_pad: false,
/// };
/// assert_eq!(Datatype::Float(bfloat16).to_string(), "little-endian bfloat16");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FloatType {
    /// The size of an element in bytes.
    pub size: u32,
    /// The byte order.
    pub order: ByteOrder,
    /// The bit at which the number begins.
    pub bit_offset: u16,
    /// How many bits are significant.
    pub precision: u16,
    /// The bit of the sign.
    pub sign_location: u8,
    /// The lowest bit of the exponent.
    pub exponent_location: u8,
    /// The size of the exponent in bits.
    pub exponent_size: u8,
    /// The lowest bit of the mantissa.
    pub mantissa_location: u8,
    /// The size of the mantissa in bits.
    pub mantissa_size: u8,
    /// The bias of the exponent.
    pub exponent_bias: u32,
    /// How the most significant bit of the mantissa is stored.
    pub normalization: Normalization,
    /// The value of the bits below the number.
    pub low_pad: bool,
    /// The value of the bits above the number.
    pub high_pad: bool,
    /// The value of unused bits inside the number.
    pub internal_pad: bool,
}

/// How a string ends.
///
/// ```
/// use h5quill::{CharacterSet, Datatype, StringPadding};
/// let name = Datatype::FixedString {
///     size: 10,
///     padding: StringPadding::SpacePad,
///     charset: CharacterSet::Ascii,
/// };
/// assert_eq!(name.to_string(), "ASCII string of 10 bytes");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StringPadding {
    /// A zero byte ends the string.
    NullTerminate,
    /// Zero bytes fill the rest; a string may use every byte.
    NullPad,
    /// Spaces fill the rest.
    SpacePad,
}

/// The character set of a string, a link name or an attribute name.
///
/// ```
/// use h5quill::{CharacterSet, Datatype, StringPadding};
/// let name = Datatype::FixedString {
///     size: 10,
///     padding: StringPadding::NullPad,
///     charset: CharacterSet::Utf8,
/// };
/// assert_eq!(name.to_string(), "UTF-8 string of 10 bytes");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CharacterSet {
    /// ASCII.
    Ascii,
    /// UTF-8.
    Utf8,
}

/// A member of a [compound](Datatype::Compound) type.
///
/// ```
/// use h5quill::{CharacterSet, CompoundMember, Datatype, StringPadding};
/// let datatype = Datatype::FixedString {
///     size: 8,
///     padding: StringPadding::NullPad,
///     charset: CharacterSet::Ascii,
/// };
/// let member = CompoundMember { name: "unit".into(), offset: 0, datatype };
/// let row = Datatype::Compound { size: 8, members: vec![member] };
/// assert_eq!(row.to_string(), "compound {unit: ASCII string of 8 bytes}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompoundMember {
    /// The member's name.
    pub name: String,
    /// Where the member begins in the element, in bytes.
    pub offset: u32,
    /// The member's type.
    pub datatype: Datatype,
}

/// What an element of a dataset or attribute is, as the file says it (specification IV.A.2.d).
///
/// ```
/// use h5quill::{Datatype, H5Type};
/// assert_eq!(f32::datatype().size(), 4);
/// assert!(matches!(f32::datatype(), Datatype::Float(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Datatype {
    /// Class 0, fixed-point.
    Integer(IntegerType),
    /// Class 1, floating-point.
    Float(FloatType),
    /// Class 2, time: a number of `precision` bits in `size` bytes.
    Time {
        /// The size of an element in bytes.
        size: u32,
        /// The byte order.
        order: ByteOrder,
        /// How many bits are significant.
        precision: u16,
    },
    /// Class 3, a string of fixed size.
    FixedString {
        /// The size of an element in bytes.
        size: u32,
        /// How a shorter string ends.
        padding: StringPadding,
        /// The character set.
        charset: CharacterSet,
    },
    /// Class 4, a bit field.
    Bitfield(IntegerType),
    /// Class 5, opaque bytes.
    Opaque {
        /// The size of an element in bytes.
        size: u32,
        /// What the bytes are, in ASCII.
        tag: String,
    },
    /// Class 6, members at offsets.
    Compound {
        /// The size of an element in bytes.
        size: u32,
        /// The members in their order.
        members: Vec<CompoundMember>,
    },
    /// Class 7, a reference; `kind` 0: object, 1: region, 2 to 4: the revised references.
    Reference {
        /// The size of an element in bytes.
        size: u32,
        /// Which kind of reference.
        kind: u8,
        /// The version field of a revised reference, 0 otherwise.
        version: u8,
    },
    /// Class 8, names for values of an integer type.
    Enum {
        /// The integer type.
        base: Box<Datatype>,
        /// Names with their values, as bytes of the base type.
        members: Vec<(String, Vec<u8>)>,
    },
    /// Class 9, a sequence of any length; the elements are in the global heap.
    VarLenSequence {
        /// The size of an element in the dataset, in bytes: 8 and the size of an address, thus nearly always 16.
        size: u32,
        /// The type of the sequence's elements.
        base: Box<Datatype>,
    },
    /// Class 9, a string of any length; the bytes are in the global heap.
    VarLenString {
        /// The size of an element in the dataset, in bytes: 8 and the size of an address, thus nearly always 16.
        size: u32,
        /// How the string ends; in practice the length says it.
        padding: StringPadding,
        /// The character set.
        charset: CharacterSet,
        /// The type of a character, nearly always an integer of one byte (h5py writes unsigned, C signed).
        base: Box<Datatype>,
    },
    /// Class 10, an array of fixed shape.
    Array {
        /// The shape.
        dims: Vec<u32>,
        /// The type of the array's elements.
        base: Box<Datatype>,
    },
    /// Class 11, a complex number (HDF5 2.0); read and kept, not created.
    Complex {
        /// The size of an element in bytes.
        size: u32,
        /// The flags of the class, kept as read.
        flags: u32,
        /// The type of each part.
        base: Box<Datatype>,
    },
}

impl Datatype {
    /// The size of an element in bytes. An element of variable length has 16 bytes in the dataset
    /// (fewer in a file of short addresses) and refers to others.
    ///
    /// ```
    /// use h5quill::{CharacterSet, Datatype, StringPadding};
    /// let name = Datatype::FixedString {
    ///     size: 10,
    ///     padding: StringPadding::NullPad,
    ///     charset: CharacterSet::Utf8,
    /// };
    /// let names = Datatype::Array { dims: vec![3, 4], base: Box::new(name) };
    /// assert_eq!(names.size(), 120);
    /// assert_eq!(names.to_string(), "[3, 4] array of UTF-8 string of 10 bytes");
    /// ```
    pub fn size(&self) -> u32 {
        match self {
            Self::Integer(integer) | Self::Bitfield(integer) => integer.size,
            Self::Float(float) => float.size,
            Self::Time { size, .. }
            | Self::FixedString { size, .. }
            | Self::Opaque { size, .. }
            | Self::Compound { size, .. }
            | Self::Reference { size, .. }
            | Self::VarLenSequence { size, .. }
            | Self::VarLenString { size, .. }
            | Self::Complex { size, .. } => *size,
            Self::Enum { base, .. } => base.size(),
            Self::Array { dims, base } => dims
                .iter()
                .fold(base.size(), |size, &dim| size.saturating_mul(dim)),
        }
    }

    /// Whether an element is a string of variable length.
    #[cfg(test)]
    pub(crate) fn is_var_len_string(&self) -> bool {
        matches!(self, Self::VarLenString { .. })
    }

    /// As [`in_file`](Self::in_file); a copy only where it may differ.
    pub(crate) fn in_file_ref(&self, widths: Widths) -> Result<Cow<'_, Self>> {
        match self {
            Self::Integer(_) | Self::Float(_) | Self::FixedString { .. } => Ok(Cow::Borrowed(self)),
            Self::VarLenString { size, .. } if *size == widths.var_len_size() => {
                Ok(Cow::Borrowed(self))
            }
            _ => self.clone().in_file(widths).map(Cow::Owned),
        }
    }

    /// The datatype in a file of these widths: an element of variable length has its address at that of the file. As in
    /// libhdf5, the members behind one that has another size there move with its end.
    ///
    /// # Errors
    /// A size beyond all limits.
    pub(crate) fn in_file(self, widths: Widths) -> Result<Self> {
        match self {
            Self::VarLenSequence { base, .. } => Ok(Self::VarLenSequence {
                size: widths.var_len_size(),
                base: match *base {
                    // As libhdf5 has them in memory.
                    Self::Reference { kind: 0, .. } => base,
                    _ => Box::new(base.in_file(widths)?),
                },
            }),
            Self::VarLenString {
                padding,
                charset,
                base,
                ..
            } => Ok(Self::VarLenString {
                size: widths.var_len_size(),
                padding,
                charset,
                base,
            }),
            Self::Array { dims, base } => Ok(Self::Array {
                dims,
                base: Box::new(base.in_file(widths)?),
            }),
            Self::Reference { kind, version, .. } => Ok(Self::Reference {
                size: Self::reference_size(kind, widths.offset),
                kind,
                version,
            }),
            Self::Compound { size, members } => compound_in_file(size, members, widths),
            other => {
                other.check_widths(widths)?;
                Ok(other)
            }
        }
    }

    /// The size of a reference in a file: an address; the place of a heap object; or, of a revised one, what it names, flags
    /// and, where that needs more than an address, a heap object with its size.
    pub(crate) fn reference_size(kind: u8, offset_width: u8) -> u32 {
        u32::from(offset_width) + [0, 4].get(usize::from(kind)).unwrap_or(&10)
    }

    /// Refuses a datatype that readers a file is for do not know.
    pub(crate) fn check_bound(&self, bound: LibVer) -> Result<()> {
        match self {
            Self::Reference { kind: 2.., .. } if bound < LibVer::V110 => Err(Error::unsupported(
                "revised references in a file for HDF5 1.8",
            )),
            Self::VarLenSequence { base, .. } | Self::Array { base, .. } => base.check_bound(bound),
            Self::Compound { members, .. } => members
                .iter()
                .try_for_each(|member| member.datatype.check_bound(bound)),
            _ => Ok(()),
        }
    }

    /// Refuses a datatype whose elements cannot be in a file of these widths.
    pub(crate) fn check_widths(&self, widths: Widths) -> Result<()> {
        match self {
            Self::VarLenSequence { size, base } => {
                check_size(*size, widths.var_len_size())?;
                match **base {
                    Self::Reference { kind: 0, .. } => Ok(()),
                    _ => base.check_widths(widths),
                }
            }
            Self::VarLenString { size, .. } => check_size(*size, widths.var_len_size()),
            Self::Reference { size, kind, .. } => {
                check_size(*size, Self::reference_size(*kind, widths.offset))
            }
            Self::Array { base, .. } => base.check_widths(widths),
            Self::Compound { members, .. } => members
                .iter()
                .try_for_each(|member| member.datatype.check_widths(widths)),
            _ => Ok(()),
        }
    }

    /// Whether a part of an element is stored in the global heap: a sequence or a string of variable length.
    pub(crate) fn contains_var_len(&self) -> bool {
        match self {
            Self::VarLenSequence { .. } | Self::VarLenString { .. } => true,
            Self::Array { base, .. } => base.contains_var_len(),
            Self::Compound { members, .. } => members
                .iter()
                .any(|member| member.datatype.contains_var_len()),
            _ => false,
        }
    }

    /// The message. As in libhdf5, `version` 3 or more is that of compound, enumeration and array types at least, 1
    /// and 2 ask for the lowest that can hold the type, and the simple classes are written as version 1 always. What
    /// does not fit the format (more than 65,535 members, a tag of more than 248 bytes) is the caller's to refuse.
    pub(crate) fn encode(&self, version: u8) -> ShortBytes {
        let mut out = ShortBytes::new();
        self.put(version, &mut out);
        out
    }

    /// As [`encode`](Self::encode), behind what `out` holds.
    pub(crate) fn put(&self, version: u8, out: &mut ShortBytes) {
        encode::put(out, self, if version < 3 { 1 } else { version });
    }

    /// Decodes the datatype that `bytes` open with; returns it with its version and how many bytes it takes.
    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<(Self, u8, usize)> {
        let mut take = Take::new(bytes, NAME, offset);
        let (datatype, version) =
            decode::datatype(&mut take, 0).map_err(|error| error.at(offset))?;
        Ok((datatype, version, take.position()))
    }
}

fn compound_in_file(size: u32, members: Vec<CompoundMember>, widths: Widths) -> Result<Datatype> {
    let mut moved = 0_i64;
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&index| members[index].offset);
    let mut members = members;
    for index in order {
        let member = &mut members[index];
        let old = i64::from(member.datatype.size());
        let placeholder = Datatype::Opaque {
            size: 1,
            tag: String::new(),
        };
        let datatype = core::mem::replace(&mut member.datatype, placeholder);
        member.datatype = datatype.in_file(widths)?;
        member.offset = shifted(member.offset, moved)?;
        moved += i64::from(member.datatype.size()) - old;
    }
    Ok(Datatype::Compound {
        size: shifted(size, moved)?,
        members,
    })
}

fn shifted(value: u32, by: i64) -> Result<u32> {
    u32::try_from(i64::from(value) + by)
        .map_err(|_| Error::invalid("the members of a compound type do not fit it"))
}

fn check_size(size: u32, expected: u32) -> Result<()> {
    if size != expected {
        return Err(Error::invalid(format!(
            "an element that holds an address has {expected} bytes in this file, not {size}"
        )));
    }
    Ok(())
}

/// The bytes of a member's offset in version 3 and later: what the size of the compound type needs.
fn offset_width(size: u32) -> u8 {
    (32 - size.leading_zeros()).div_ceil(8).max(1) as u8
}

#[cfg(test)]
mod tests;
