//! Datatypes as hdf5-metno describes them.

use super::reference::{ObjectReference, RegionReference};
use super::scalar::{ieee, integer, is_float, is_integer};
use super::{H5Type, VarLenAscii, enumeration, layout, number};
use crate::bytes::Widths;
use crate::error::{Error, Result};
use crate::format::message::datatype::{CharacterSet, CompoundMember, Datatype, StringPadding};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// The size of an integer in bytes.
///
/// ```
/// use h5quill::types::IntSize;
/// assert_eq!(IntSize::from_int(4), Some(IntSize::U4));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntSize {
    /// 1 byte.
    U1 = 1,
    /// 2 bytes.
    U2 = 2,
    /// 4 bytes.
    U4 = 4,
    /// 8 bytes.
    U8 = 8,
}

impl IntSize {
    /// The size of that many bytes.
    ///
    /// ```
    /// assert_eq!(h5quill::types::IntSize::from_int(3), None);
    /// ```
    pub const fn from_int(size: usize) -> Option<Self> {
        match size {
            1 => Some(Self::U1),
            2 => Some(Self::U2),
            4 => Some(Self::U4),
            8 => Some(Self::U8),
            _ => None,
        }
    }
}

/// The size of a floating-point number in bytes.
///
/// ```
/// use h5quill::types::FloatSize;
/// assert_eq!(FloatSize::from_int(8), Some(FloatSize::U8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FloatSize {
    /// 2 bytes: `f16`.
    U2 = 2,
    /// 4 bytes.
    U4 = 4,
    /// 8 bytes.
    U8 = 8,
}

impl FloatSize {
    /// The size of that many bytes.
    ///
    /// ```
    /// assert_eq!(h5quill::types::FloatSize::from_int(16), None);
    /// ```
    pub const fn from_int(size: usize) -> Option<Self> {
        match size {
            2 => Some(Self::U2),
            4 => Some(Self::U4),
            8 => Some(Self::U8),
            _ => None,
        }
    }

    const fn exponent_size(self) -> u8 {
        match self {
            Self::U2 => 5,
            Self::U4 => 8,
            Self::U8 => 11,
        }
    }
}

/// A member of an enumeration.
///
/// ```
/// use h5quill::types::EnumMember;
/// let red = EnumMember { name: "RED".into(), value: 1 };
/// assert_eq!(red.value, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnumMember {
    /// The name.
    pub name: String,
    /// The value; a negative one of a signed type in two's complement.
    pub value: u64,
}

/// An enumeration.
///
/// ```
/// use h5quill::types::{EnumType, IntSize, TypeDescriptor};
/// let empty = EnumType { size: IntSize::U2, signed: true, members: vec![] };
/// assert_eq!(empty.base_type(), TypeDescriptor::Integer(IntSize::U2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// The size of the integer type.
    pub size: IntSize,
    /// Whether the integer type is signed.
    pub signed: bool,
    /// The members.
    pub members: Vec<EnumMember>,
}

impl EnumType {
    /// The integer type.
    ///
    /// ```
    /// use h5quill::types::{EnumType, IntSize, TypeDescriptor};
    /// let flags = EnumType { size: IntSize::U1, signed: false, members: vec![] };
    /// assert_eq!(flags.base_type(), TypeDescriptor::Unsigned(IntSize::U1));
    /// ```
    pub fn base_type(&self) -> TypeDescriptor {
        if self.signed {
            TypeDescriptor::Integer(self.size)
        } else {
            TypeDescriptor::Unsigned(self.size)
        }
    }
}

/// A field of a compound.
///
/// ```
/// use h5quill::types::{CompoundField, TypeDescriptor};
/// let field = CompoundField::typed::<bool>("valid", 8, 1);
/// assert_eq!(field, CompoundField::new("valid", TypeDescriptor::Boolean, 8, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompoundField {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: TypeDescriptor,
    /// Where the field begins, in bytes.
    pub offset: usize,
    /// Which field it is.
    pub index: usize,
}

impl CompoundField {
    /// A field.
    ///
    /// ```
    /// use h5quill::types::{CompoundField, TypeDescriptor};
    /// assert_eq!(CompoundField::new("x", TypeDescriptor::Boolean, 4, 0).offset, 4);
    /// ```
    pub fn new(name: &str, ty: TypeDescriptor, offset: usize, index: usize) -> Self {
        Self {
            name: name.into(),
            ty,
            offset,
            index,
        }
    }

    /// A field of the type `T`.
    ///
    /// ```
    /// use h5quill::types::{CompoundField, TypeDescriptor};
    /// assert_eq!(CompoundField::typed::<bool>("x", 0, 0).ty, TypeDescriptor::Boolean);
    /// ```
    pub fn typed<T: H5Type>(name: &str, offset: usize, index: usize) -> Self {
        Self::new(name, T::type_descriptor(), offset, index)
    }
}

/// A compound.
///
/// ```
/// use h5quill::types::{CompoundField, CompoundType};
/// let row = CompoundType {
///     fields: vec![CompoundField::typed::<u8>("a", 0, 0), CompoundField::typed::<f64>("b", 1, 1)],
///     size: 9,
/// };
/// assert_eq!((row.to_c_repr().fields[1].offset, row.to_c_repr().size), (8, 16));
/// assert_eq!(row.to_c_repr().to_packed_repr(), row);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompoundType {
    /// The fields.
    pub fields: Vec<CompoundField>,
    /// The size of an element in bytes.
    pub size: usize,
}

impl CompoundType {
    fn laid_out(&self, c: bool) -> Self {
        let mut fields = self.fields.clone();
        fields.sort_by_key(|field| field.index);
        let (mut end, mut most) = (0_usize, 1);
        for field in &mut fields {
            field.ty = field.ty.laid_out(c);
            let alignment = if c { field.ty.c_alignment() } else { 1 };
            most = most.max(alignment);
            field.offset = end.next_multiple_of(alignment);
            end = field.offset + field.ty.size();
        }
        Self {
            fields,
            size: end.next_multiple_of(most),
        }
    }

    /// The fields in their order as C lays them out.
    ///
    /// ```
    /// use h5quill::types::{CompoundField, CompoundType};
    /// let row = CompoundType { fields: vec![CompoundField::typed::<u16>("a", 0, 0)], size: 3 };
    /// assert_eq!(row.to_c_repr().size, 2);
    /// ```
    pub fn to_c_repr(&self) -> Self {
        self.laid_out(true)
    }

    /// The fields in their order without padding.
    ///
    /// ```
    /// use h5quill::types::{CompoundField, CompoundType};
    /// let row = CompoundType { fields: vec![CompoundField::typed::<u16>("a", 6, 0)], size: 8 };
    /// assert_eq!(row.to_packed_repr().size, 2);
    /// ```
    pub fn to_packed_repr(&self) -> Self {
        self.laid_out(false)
    }
}

/// What a reference refers to.
///
/// ```
/// use h5quill::types::{Reference, TypeDescriptor};
/// assert_eq!(TypeDescriptor::Reference(Reference::Object).size(), 8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reference {
    /// An object.
    Object,
    /// A region of a dataset.
    Region,
}

/// A datatype, as hdf5-metno describes it: without byte order, and of strings without padding. Sizes and offsets are those
/// in the file, where an element of variable length has 16 bytes.
///
/// ```
/// use h5quill::H5Type;
/// use h5quill::types::{FloatSize, TypeDescriptor};
/// let row = <[f32; 3]>::type_descriptor();
/// assert_eq!(row, TypeDescriptor::FixedArray(Box::new(TypeDescriptor::Float(FloatSize::U4)), 3));
/// assert_eq!((row.size(), row.to_string().as_str()), (12, "[float32; 3]"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TypeDescriptor {
    /// A signed integer.
    Integer(IntSize),
    /// An unsigned integer.
    Unsigned(IntSize),
    /// A floating-point number of IEEE.
    Float(FloatSize),
    /// `bool`.
    Boolean,
    /// An enumeration.
    Enum(EnumType),
    /// A compound.
    Compound(CompoundType),
    /// An array of fixed size.
    FixedArray(Box<Self>, usize),
    /// A string of ASCII of fixed size.
    FixedAscii(usize),
    /// A string of UTF-8 of fixed size.
    FixedUnicode(usize),
    /// A sequence of variable length.
    VarLenArray(Box<Self>),
    /// A string of ASCII of variable length.
    VarLenAscii,
    /// A string of UTF-8 of variable length.
    VarLenUnicode,
    /// A reference.
    Reference(Reference),
    /// What hdf5-metno does not describe: other numbers, opaque data, bit fields, times.
    Other(Box<Datatype>),
}

impl TypeDescriptor {
    /// The description of a datatype.
    pub(crate) fn of(datatype: &Datatype) -> Self {
        if bool::matches(datatype) {
            return Self::Boolean;
        }
        Self::known(datatype).unwrap_or_else(|| Self::Other(Box::new(datatype.clone())))
    }

    fn known(datatype: &Datatype) -> Option<Self> {
        Some(match datatype {
            Datatype::Integer(stored) => {
                let size = IntSize::from_int(stored.size as usize)?;
                if !is_integer(datatype, size as u8, stored.signed) {
                    return None;
                }
                if stored.signed {
                    Self::Integer(size)
                } else {
                    Self::Unsigned(size)
                }
            }
            Datatype::Float(stored) => {
                let size = FloatSize::from_int(stored.size as usize)?;
                if !is_float(datatype, ieee(size as u8, size.exponent_size())) {
                    return None;
                }
                Self::Float(size)
            }
            Datatype::Enum { base, members } => Self::Enum(enum_type(base, members)?),
            Datatype::Compound { size, members } => {
                let fields = members.iter().enumerate().map(|(index, member)| {
                    let ty = Self::of(&member.datatype);
                    CompoundField::new(&member.name, ty, member.offset as usize, index)
                });
                Self::Compound(CompoundType {
                    fields: fields.collect(),
                    size: *size as usize,
                })
            }
            Datatype::Array { dims, base } => {
                let wrap = |inner, dim: &u32| Self::FixedArray(Box::new(inner), *dim as usize);
                dims.iter().rev().fold(Self::of(base), wrap)
            }
            Datatype::FixedString { size, charset, .. } => match charset {
                CharacterSet::Ascii => Self::FixedAscii(*size as usize),
                CharacterSet::Utf8 => Self::FixedUnicode(*size as usize),
            },
            Datatype::VarLenSequence { base, .. } => Self::VarLenArray(Box::new(Self::of(base))),
            Datatype::VarLenString { charset, .. } => match charset {
                CharacterSet::Ascii => Self::VarLenAscii,
                CharacterSet::Utf8 => Self::VarLenUnicode,
            },
            Datatype::Reference { kind: 0, .. } => Self::Reference(Reference::Object),
            Datatype::Reference { kind: 1, .. } => Self::Reference(Reference::Region),
            _ => return None,
        })
    }

    /// The size of an element in bytes.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(<[String; 2]>::type_descriptor().size(), 32);
    /// ```
    pub fn size(&self) -> usize {
        match self {
            Self::Integer(size) | Self::Unsigned(size) => *size as usize,
            Self::Float(size) => *size as usize,
            Self::Boolean => 1,
            Self::Enum(of) => of.size as usize,
            Self::Compound(of) => of.size,
            Self::FixedArray(base, len) => base.size().saturating_mul(*len),
            Self::FixedAscii(len) | Self::FixedUnicode(len) => *len,
            Self::VarLenArray(_) | Self::VarLenAscii | Self::VarLenUnicode => {
                Widths::EIGHT.var_len_size() as usize
            }
            Self::Reference(Reference::Object) => 8,
            Self::Reference(Reference::Region) => 12,
            Self::Other(datatype) => datatype.size() as usize,
        }
    }

    fn c_alignment(&self) -> usize {
        match self {
            Self::Compound(of) => {
                let fields = of.fields.iter().map(|field| field.ty.c_alignment());
                fields.max().unwrap_or(1)
            }
            Self::FixedArray(base, _) => base.c_alignment(),
            Self::FixedAscii(_) | Self::FixedUnicode(_) | Self::Reference(Reference::Region) => 1,
            Self::VarLenArray(_) | Self::VarLenAscii | Self::VarLenUnicode => 8,
            Self::Other(datatype) => layout::natural_alignment(datatype),
            _ => self.size(),
        }
    }

    fn laid_out(&self, c: bool) -> Self {
        match self {
            Self::Compound(of) => Self::Compound(of.laid_out(c)),
            Self::FixedArray(base, len) => Self::FixedArray(Box::new(base.laid_out(c)), *len),
            Self::VarLenArray(base) => Self::VarLenArray(Box::new(base.laid_out(c))),
            other => other.clone(),
        }
    }

    /// With all compounds as C lays them out.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(u8::type_descriptor().to_c_repr(), u8::type_descriptor());
    /// ```
    pub fn to_c_repr(&self) -> Self {
        self.laid_out(true)
    }

    /// With all compounds without padding.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(u8::type_descriptor().to_packed_repr(), u8::type_descriptor());
    /// ```
    pub fn to_packed_repr(&self) -> Self {
        self.laid_out(false)
    }

    fn datatype(&self) -> Result<Datatype> {
        let length = |len: usize| {
            u32::try_from(len)
                .map_err(|_| Error::limit("the size of a datatype", len as u64, u32::MAX.into()))
        };
        let fixed = |len: usize, charset| {
            Ok(Datatype::FixedString {
                size: length(len)?,
                padding: StringPadding::NullPad,
                charset,
            })
        };
        match self {
            Self::Integer(size) => Ok(integer(*size as u8, true)),
            Self::Unsigned(size) => Ok(integer(*size as u8, false)),
            Self::Float(size) => Ok(Datatype::Float(ieee(*size as u8, size.exponent_size()))),
            Self::Boolean => Ok(bool::datatype()),
            Self::Enum(of) => {
                let members: Vec<(&str, i128)> = of
                    .members
                    .iter()
                    .map(|member| (member.name.as_str(), i128::from(member.value)))
                    .collect();
                let base = integer(of.size as u8, of.signed);
                Ok(enumeration::datatype(base, &members))
            }
            Self::Compound(of) => {
                let mut fields: Vec<&CompoundField> = of.fields.iter().collect();
                fields.sort_by_key(|field| field.index);
                let members = fields.into_iter().map(|field| {
                    Ok(CompoundMember {
                        name: field.name.clone(),
                        offset: length(field.offset)?,
                        datatype: field.ty.datatype()?,
                    })
                });
                Ok(Datatype::Compound {
                    size: length(of.size)?,
                    members: members.collect::<Result<_>>()?,
                })
            }
            Self::FixedArray(base, len) => Ok(Datatype::Array {
                dims: vec![length(*len)?],
                base: Box::new(base.datatype()?),
            }),
            Self::FixedAscii(len) => fixed(*len, CharacterSet::Ascii),
            Self::FixedUnicode(len) => fixed(*len, CharacterSet::Utf8),
            Self::VarLenArray(base) => Ok(Datatype::VarLenSequence {
                size: Widths::EIGHT.var_len_size(),
                base: Box::new(base.datatype()?),
            }),
            Self::VarLenAscii => Ok(VarLenAscii::datatype()),
            Self::VarLenUnicode => Ok(String::datatype()),
            Self::Reference(Reference::Object) => Ok(ObjectReference::datatype()),
            Self::Reference(Reference::Region) => Ok(RegionReference::datatype()),
            Self::Other(datatype) => Ok((**datatype).clone()),
        }
    }
}

fn enum_type(base: &Datatype, members: &[(String, Vec<u8>)]) -> Option<EnumType> {
    let Datatype::Integer(stored) = base else {
        return None;
    };
    let size = IntSize::from_int(stored.size as usize)?;
    if !is_integer(base, size as u8, stored.signed) {
        return None;
    }
    let members = members.iter().map(|(name, value)| EnumMember {
        name: name.clone(),
        value: number::integer(stored, value) as u64,
    });
    Some(EnumType {
        size,
        signed: stored.signed,
        members: members.collect(),
    })
}

impl fmt::Display for TypeDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.size() * 8;
        match self {
            Self::Integer(_) => write!(f, "int{bits}"),
            Self::Unsigned(_) => write!(f, "uint{bits}"),
            Self::Float(_) => write!(f, "float{bits}"),
            Self::Boolean => f.write_str("bool"),
            Self::Enum(of) => write!(f, "enum ({})", of.base_type()),
            Self::Compound(of) => write!(f, "compound ({} fields)", of.fields.len()),
            Self::FixedArray(base, len) => write!(f, "[{base}; {len}]"),
            Self::FixedAscii(len) => write!(f, "string (len {len})"),
            Self::FixedUnicode(len) => write!(f, "unicode (len {len})"),
            Self::VarLenArray(base) => write!(f, "[{base}] (var len)"),
            Self::VarLenAscii => f.write_str("string (var len)"),
            Self::VarLenUnicode => f.write_str("unicode (var len)"),
            Self::Reference(Reference::Object) => f.write_str("reference (object)"),
            Self::Reference(Reference::Region) => f.write_str("reference (region)"),
            Self::Other(datatype) => fmt::Display::fmt(datatype, f),
        }
    }
}

impl Datatype {
    /// The datatype of `T`, as [`H5Type::datatype`] gives it; for code that comes from hdf5-metno.
    ///
    /// ```
    /// use h5quill::{Datatype, H5Type};
    /// assert_eq!(Datatype::from_type::<f32>()?, f32::datatype());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// None.
    pub fn from_type<T: H5Type>() -> Result<Self> {
        Ok(T::datatype())
    }

    /// The datatype that is described, with little-endian numbers.
    ///
    /// ```
    /// use h5quill::{Datatype, File};
    /// use h5quill::types::{CompoundField, CompoundType, TypeDescriptor};
    /// let row = TypeDescriptor::Compound(CompoundType {
    ///     fields: vec![CompoundField::typed::<u8>("a", 0, 0), CompoundField::typed::<f64>("b", 8, 1)],
    ///     size: 16,
    /// });
    /// let data = File::create_memory()?.new_dataset_of(Datatype::from_descriptor(&row)?).create("x")?;
    /// assert_eq!(data.dtype()?.to_descriptor()?, row);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A size of 4 GiB or more.
    pub fn from_descriptor(descriptor: &TypeDescriptor) -> Result<Self> {
        descriptor.datatype()
    }

    /// The datatype as hdf5-metno describes it.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// use h5quill::types::TypeDescriptor;
    /// assert_eq!(String::datatype().to_descriptor()?, TypeDescriptor::VarLenUnicode);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// None.
    pub fn to_descriptor(&self) -> Result<TypeDescriptor> {
        Ok(TypeDescriptor::of(self))
    }
}
