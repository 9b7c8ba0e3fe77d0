//! What a datatype is, asked at run time.

use super::convert::{Conversion, Plan};
use super::{H5Type, number, order};
use crate::bytes::Widths;
use crate::format::message::datatype::{ByteOrder, CompoundMember, Datatype};
use alloc::vec::Vec;

impl Datatype {
    /// Whether elements are `T`, but for byte order, and for strings but for padding and character set: what can be written
    /// from `T`.
    ///
    /// ```
    /// use h5quill::{ByteOrder, H5Type};
    /// assert!(i32::datatype().with_byte_order(ByteOrder::BigEndian).is::<i32>());
    /// assert!(!i32::datatype().is::<u32>());
    /// ```
    pub fn is<T: H5Type>(&self) -> bool {
        T::matches(self)
    }

    /// Whether elements are read as `T`, with what a conversion may do.
    ///
    /// ```
    /// use h5quill::{Conversion, H5Type};
    /// assert!(i32::datatype().reads_as::<f64>(Conversion::Exact));
    /// assert!(!i32::datatype().reads_as::<f32>(Conversion::Exact));
    /// assert!(i32::datatype().reads_as::<f32>(Conversion::Soft));
    /// assert!(!String::datatype().reads_as::<f32>(Conversion::Soft));
    /// ```
    pub fn reads_as<T: H5Type>(&self, conversion: Conversion) -> bool {
        self.is::<T>() || Plan::new::<T>(self, conversion, Widths::EIGHT).is_ok()
    }

    /// Whether this is an integer (class 0).
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(u8::datatype().is_integer() && !f32::datatype().is_integer());
    /// ```
    pub const fn is_integer(&self) -> bool {
        matches!(self, Self::Integer(_))
    }

    /// Whether this is a floating-point number (class 1).
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(f32::datatype().is_float() && !u8::datatype().is_float());
    /// ```
    pub const fn is_float(&self) -> bool {
        matches!(self, Self::Float(_))
    }

    /// Whether this is an integer, a floating-point or a complex number.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(f32::datatype().is_numeric());
    /// assert!(!bool::datatype().is_numeric()); // an enumeration
    /// ```
    pub const fn is_numeric(&self) -> bool {
        matches!(
            self,
            Self::Integer(_) | Self::Float(_) | Self::Complex { .. }
        )
    }

    /// Whether this is a string, of fixed or of variable length.
    ///
    /// ```
    /// use h5quill::{FixedAscii, H5Type};
    /// assert!(String::datatype().is_string() && FixedAscii::<3>::datatype().is_string());
    /// ```
    pub const fn is_string(&self) -> bool {
        matches!(self, Self::FixedString { .. } | Self::VarLenString { .. })
    }

    /// Whether this is a compound (class 6).
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(!f32::datatype().is_compound());
    /// ```
    pub const fn is_compound(&self) -> bool {
        matches!(self, Self::Compound { .. })
    }

    /// Whether this is an enumeration (class 8), as `bool` is.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(bool::datatype().is_enum());
    /// ```
    pub const fn is_enum(&self) -> bool {
        matches!(self, Self::Enum { .. })
    }

    /// Whether this is an array (class 10).
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(<[f32; 3]>::datatype().is_array());
    /// ```
    pub const fn is_array(&self) -> bool {
        matches!(self, Self::Array { .. })
    }

    /// Whether this is a reference (class 7).
    ///
    /// ```
    /// use h5quill::{H5Type, ObjectReference};
    /// assert!(ObjectReference::datatype().is_reference());
    /// ```
    pub const fn is_reference(&self) -> bool {
        matches!(self, Self::Reference { .. })
    }

    /// Whether elements themselves are of variable length: strings or sequences (class 9).
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert!(String::datatype().is_var_len());
    /// ```
    pub const fn is_var_len(&self) -> bool {
        matches!(
            self,
            Self::VarLenString { .. } | Self::VarLenSequence { .. }
        )
    }

    /// The order of the bytes of a number, of an enumeration's numbers or of a complex number's parts.
    ///
    /// ```
    /// use h5quill::{ByteOrder, H5Type};
    /// assert_eq!(f32::datatype().byte_order(), Some(ByteOrder::LittleEndian));
    /// assert_eq!(String::datatype().byte_order(), None);
    /// ```
    pub fn byte_order(&self) -> Option<ByteOrder> {
        match self {
            Self::Enum { base, .. } | Self::Complex { base, .. } => base.byte_order(),
            _ => order::byte_order(self),
        }
    }

    /// The type of the parts of an array, a sequence or a complex number, or of an enumeration's values.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(<[f32; 3]>::datatype().base(), Some(&f32::datatype()));
    /// assert_eq!(f32::datatype().base(), None);
    /// ```
    pub fn base(&self) -> Option<&Self> {
        match self {
            Self::Array { base, .. }
            | Self::Enum { base, .. }
            | Self::VarLenSequence { base, .. }
            | Self::VarLenString { base, .. }
            | Self::Complex { base, .. } => Some(base),
            _ => None,
        }
    }

    /// The shape of an array; empty for all else.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(<[f32; 3]>::datatype().shape(), [3]);
    /// ```
    pub fn shape(&self) -> &[u32] {
        match self {
            Self::Array { dims, .. } => dims,
            _ => &[],
        }
    }

    /// The members of a compound, in their order; none for all else.
    ///
    /// ```
    /// use h5quill::{CompoundMember, Datatype, H5Type};
    /// let x = CompoundMember { name: "x".into(), offset: 4, datatype: f32::datatype() };
    /// let point = Datatype::Compound { size: 8, members: vec![x] };
    /// assert_eq!(point.members()[0].name, "x");
    /// ```
    pub fn members(&self) -> &[CompoundMember] {
        match self {
            Self::Compound { members, .. } => members,
            _ => &[],
        }
    }

    /// The member of a compound at a path, as `x` or, in a compound within, `position.x`: where it begins in the element,
    /// in bytes, and its type.
    ///
    /// ```
    /// use h5quill::{CompoundMember, Datatype, H5Type};
    /// let member = |name: &str, offset, datatype| CompoundMember { name: name.into(), offset, datatype };
    /// let point = Datatype::Compound { size: 8, members: vec![member("x", 4, f32::datatype())] };
    /// let row = Datatype::Compound { size: 12, members: vec![member("position", 4, point)] };
    /// assert_eq!(row.member("position.x"), Some((8, &f32::datatype())));
    /// assert_eq!(row.member("position.y"), None);
    /// ```
    pub fn member(&self, path: &str) -> Option<(u32, &Self)> {
        // A name may have a dot: the longest that fits is meant.
        let of_name = |name: &str| self.members().iter().find(|member| member.name == name);
        if let Some(member) = of_name(path) {
            return Some((member.offset, &member.datatype));
        }
        path.rmatch_indices('.').find_map(|(dot, _)| {
            let member = of_name(&path[..dot])?;
            let (offset, datatype) = member.datatype.member(&path[dot + 1..])?;
            Some((member.offset.checked_add(offset)?, datatype))
        })
    }

    /// The members of an enumeration with their values, in their order; none for all else.
    ///
    /// ```
    /// use h5quill::H5Type;
    /// assert_eq!(bool::datatype().enum_members(), [("FALSE", 0), ("TRUE", 1)]);
    /// ```
    pub fn enum_members(&self) -> Vec<(&str, i128)> {
        let Self::Enum { base, members } = self else {
            return Vec::new();
        };
        match &**base {
            Self::Integer(integer) if number::is_i128(integer) => members
                .iter()
                .map(|(name, value)| (name.as_str(), number::integer(integer, value)))
                .collect(),
            _ => Vec::new(),
        }
    }
}
