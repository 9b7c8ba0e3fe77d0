//! Values whose type is known only at run time.

mod node;
mod write;

pub(crate) use node::Node;
pub(super) use node::unpadded;
pub(crate) use write::encode_values;

use super::reference::Reference;
use super::{F80, F128};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// An element of any datatype, as [`Dataset::read_values`](crate::Dataset::read_values) and
/// [`Attribute::read_values`](crate::Attribute::read_values) give it. Which variant it is follows from the datatype
/// alone, but for strings that are not UTF-8; nothing is rounded.
///
/// ```
/// use h5quill::{File, Value};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<u8>().create_with("x", &[1, 2])?;
/// assert_eq!(data.read_values(..)?, [Value::Integer(1), Value::Integer(2)]);
/// assert_eq!(data.read_values(1)?[0].as_f64(), Some(2.0));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Class 0, fixed-point, of up to 128 bits.
    Integer(i128),
    /// Class 1, floating-point, of a format whose every value is an `f64`.
    Float(f64),
    /// Class 1, the x86 extended format.
    F80(F80),
    /// Class 1, any other format whose every value is an [`F128`].
    F128(F128),
    /// Class 2, time: its bits, whose meaning the specification leaves open.
    Time(u128),
    /// Class 3 and class 9: a string, without padding.
    String(String),
    /// Class 4, bit field: its significant bits.
    Bitfield(u128),
    /// Class 5, opaque; a string that is not UTF-8, without padding; a number too wide for the other variants, as the file stores it.
    Bytes(Vec<u8>),
    /// Class 6: the members in their order.
    Compound(Vec<(Arc<str>, Value)>),
    /// Class 7: a reference to an object, a region or an attribute.
    Reference(Reference),
    /// Class 8: the name, `None` where the value is no member, and the value.
    Enum {
        /// The first member of this value.
        name: Option<Arc<str>>,
        /// The value of the integer type.
        value: i128,
    },
    /// Class 9: a sequence of variable length.
    Sequence(Vec<Value>),
    /// Class 10: the elements of an array, in row-major order.
    Array(Vec<Value>),
    /// Class 11: the real and the imaginary part.
    Complex(Box<[Value; 2]>),
}

impl Value {
    /// The integer, the value of an enumeration, or the bits of a bit field that fit.
    ///
    /// ```
    /// use h5quill::Value;
    /// assert_eq!(Value::Integer(7).as_integer(), Some(7));
    /// assert_eq!(Value::Float(7.0).as_integer(), None);
    /// ```
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Integer(value) | Self::Enum { value, .. } => Some(*value),
            Self::Bitfield(bits) => i128::try_from(*bits).ok(),
            _ => None,
        }
    }

    /// The number, where an `f64` holds it exactly.
    ///
    /// ```
    /// use h5quill::Value;
    /// assert_eq!(Value::Integer(7).as_f64(), Some(7.0));
    /// assert_eq!(Value::Integer((1 << 53) + 1).as_f64(), None);
    /// ```
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::F80(value) => {
                let near = value.to_f64();
                (near.is_nan() || F80::from(near) == *value).then_some(near)
            }
            Self::F128(value) => {
                let near = value.to_f64();
                (near.is_nan() || F128::from(near) == *value).then_some(near)
            }
            Self::Integer(value) => {
                let unused =
                    value.unsigned_abs().trailing_zeros() + value.unsigned_abs().leading_zeros();
                (*value == 0 || unused >= 128 - 53).then_some(*value as f64)
            }
            _ => None,
        }
    }

    /// The string.
    ///
    /// ```
    /// use h5quill::Value;
    /// assert_eq!(Value::String("V".into()).as_str(), Some("V"));
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array or a sequence.
    ///
    /// ```
    /// use h5quill::Value;
    /// let pair = Value::Array(vec![Value::Integer(1), Value::Integer(2)]);
    /// assert_eq!(pair.as_slice().unwrap()[1], Value::Integer(2));
    /// ```
    pub fn as_slice(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) | Self::Sequence(values) => Some(values),
            _ => None,
        }
    }

    /// The member of that name of a compound.
    ///
    /// ```
    /// use h5quill::Value;
    /// let row = Value::Compound(vec![("x".into(), Value::Float(0.5))]);
    /// assert_eq!(row.get("x"), Some(&Value::Float(0.5)));
    /// assert_eq!(row.get("y"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Compound(members) => members
                .iter()
                .find(|member| &*member.0 == name)
                .map(|member| &member.1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
