//! Byte order: the host's, the file's, and the way between them.

use crate::format::message::datatype::{ByteOrder, CompoundMember, Datatype};
use alloc::boxed::Box;

pub(super) const HOST: ByteOrder = if cfg!(target_endian = "little") {
    ByteOrder::LittleEndian
} else {
    ByteOrder::BigEndian
};

/// Reverses the bytes of every element of `SIZE` bytes.
pub(super) fn swap<const SIZE: usize>(bytes: &mut [u8]) {
    macro_rules! swap_as {
        ($type:ty) => {
            for element in bytes.as_chunks_mut().0 {
                *element = <$type>::from_ne_bytes(*element).swap_bytes().to_ne_bytes();
            }
        };
    }
    match SIZE {
        1 => {}
        2 => swap_as!(u16),
        4 => swap_as!(u32),
        8 => swap_as!(u64),
        16 => swap_as!(u128),
        _ => bytes
            .as_chunks_mut::<SIZE>()
            .0
            .iter_mut()
            .for_each(|element| element.reverse()),
    }
}

impl Datatype {
    /// The same datatype with every number in it in `order`: integers, floats, times and bit fields, through arrays,
    /// enumerations, compounds, sequences and complex numbers.
    ///
    /// ```
    /// use h5quill::{ByteOrder, Datatype, H5Type};
    /// let big = i32::datatype().with_byte_order(ByteOrder::BigEndian);
    /// assert!(i32::matches(&big)); // the same type up to byte order
    /// assert_ne!(big, i32::datatype());
    /// ```
    #[must_use]
    pub fn with_byte_order(self, order: ByteOrder) -> Self {
        let boxed = |base: Box<Self>| Box::new((*base).with_byte_order(order));
        match self {
            Self::Integer(mut integer) => {
                integer.order = order;
                Self::Integer(integer)
            }
            Self::Bitfield(mut integer) => {
                integer.order = order;
                Self::Bitfield(integer)
            }
            Self::Float(mut float) => {
                float.order = order;
                Self::Float(float)
            }
            Self::Time {
                size, precision, ..
            } => Self::Time {
                size,
                order,
                precision,
            },
            Self::Compound { size, members } => Self::Compound {
                size,
                members: members
                    .into_iter()
                    .map(|member| CompoundMember {
                        datatype: member.datatype.with_byte_order(order),
                        ..member
                    })
                    .collect(),
            },
            Self::Enum { base, mut members } => {
                if byte_order(&base).is_some_and(|old| old != order) {
                    for (_, value) in &mut members {
                        value.reverse();
                    }
                }
                Self::Enum {
                    base: boxed(base),
                    members,
                }
            }
            Self::VarLenSequence { size, base } => Self::VarLenSequence {
                size,
                base: boxed(base),
            },
            Self::Array { dims, base } => Self::Array {
                dims,
                base: boxed(base),
            },
            Self::Complex { size, flags, base } => Self::Complex {
                size,
                flags,
                base: boxed(base),
            },
            other @ (Self::FixedString { .. }
            | Self::Opaque { .. }
            | Self::Reference { .. }
            | Self::VarLenString { .. }) => other,
        }
    }
}

/// The byte order of a number.
pub(super) fn byte_order(datatype: &Datatype) -> Option<ByteOrder> {
    match datatype {
        Datatype::Integer(integer) | Datatype::Bitfield(integer) => Some(integer.order),
        Datatype::Float(float) => Some(float.order),
        Datatype::Time { order, .. } => Some(*order),
        _ => None,
    }
}
