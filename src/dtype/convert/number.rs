//! Conversions between numbers of any layout, one by one.

use super::Conversion;
use super::kernel::{Kernel, kernel};
use crate::dtype::extended::{F80, F128, Parts, from_f64, to_f64};
use crate::dtype::number::{self, MAX_BYTES, Range};
use crate::error::{Error, Result};
use crate::format::message::datatype::{
    ByteOrder, Datatype, FloatType, IntegerType, Normalization,
};
use alloc::format;
use alloc::string::{String, ToString};

/// A number as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Integer(IntegerType),
    Float(FloatType),
}

impl Number {
    /// What numbers are read from: an enumeration is its integers, a bit field an unsigned integer.
    pub(super) fn source(stored: &Datatype) -> Option<Self> {
        match stored {
            Datatype::Enum { base, .. } => match &**base {
                Datatype::Integer(_) => Self::source(base),
                _ => None,
            },
            Datatype::Bitfield(bits) => Self::source(&Datatype::Integer(*bits)),
            _ => Self::target(stored).or_else(|| match stored {
                Datatype::Float(float) if number::has_parts(float) => Some(Self::Float(*float)),
                _ => None,
            }),
        }
    }

    /// What numbers are read into.
    pub(super) fn target(wanted: &Datatype) -> Option<Self> {
        match wanted {
            Datatype::Integer(integer) if number::is_i128(integer) => Some(Self::Integer(*integer)),
            Datatype::Float(float) if number::has_parts(float) && float.order != ByteOrder::Vax => {
                Some(Self::Float(*float))
            }
            _ => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Integer(integer) => integer.size as usize,
            Self::Float(float) => float.size as usize,
        }
    }

    /// Whether every number of `from` is one of these.
    fn holds(&self, from: &Self) -> bool {
        match (from, self) {
            (Self::Integer(from), Self::Integer(to)) => {
                let (from, to) = (limits(from), limits(to));
                to.0 <= from.0 && from.1 <= to.1
            }
            (Self::Integer(from), Self::Float(to)) => {
                let bits = u32::from(from.precision) - u32::from(from.signed);
                let to = Range::of(to);
                bits <= to.digits && to.lowest <= 0 && i64::from(bits) <= to.highest
            }
            (Self::Float(from), Self::Float(to)) => Range::of(to).holds(&Range::of(from)),
            (Self::Float(_), Self::Integer(_)) => false,
        }
    }

    fn take(&self, bytes: &[u8]) -> Taken {
        match self {
            Self::Integer(integer) => Taken::Integer(number::integer(integer, bytes)),
            Self::Float(float) => {
                let (negative, parts) = number::float(float, bytes);
                Taken::Float(negative, parts)
            }
        }
    }

    /// Writes the nearest number there is; whether it is the same.
    fn put(&self, value: &Taken, out: &mut [u8]) -> bool {
        let (bits, same, order) = match self {
            Self::Integer(to) => {
                let (value, same) = to_integer(value, limits(to));
                (value as u128 & ones(to.precision.into()), same, to.order)
            }
            Self::Float(to) => {
                let (bits, same) = match value {
                    Taken::Float(negative, parts) => to_float(to, *negative, parts),
                    Taken::Integer(value) => {
                        let mantissa = value.unsigned_abs();
                        let parts = Parts::Finite {
                            mantissa,
                            exponent: 0,
                        };
                        to_float(to, *value < 0, &parts)
                    }
                };
                (bits, same, to.order)
            }
        };
        let bits = match self {
            Self::Integer(to) => bits << to.bit_offset,
            Self::Float(_) => bits,
        };
        let len = out.len().min(MAX_BYTES);
        out[..len].copy_from_slice(&bits.to_le_bytes()[..len]);
        if order == ByteOrder::BigEndian {
            out.reverse();
        }
        same
    }
}

/// A number on its way.
pub(in crate::dtype) enum Taken {
    Integer(i128),
    Float(bool, Parts),
}

impl Taken {
    fn text(&self) -> String {
        match self {
            Self::Integer(value) => value.to_string(),
            Self::Float(negative, parts) => format!("{:?}", to_f64(*negative, parts)),
        }
    }
}

impl From<f64> for Taken {
    fn from(value: f64) -> Self {
        let (negative, parts) = from_f64(value);
        Self::Float(negative, parts)
    }
}

impl From<F80> for Taken {
    fn from(value: F80) -> Self {
        Self::Float(value.is_negative(), value.parts())
    }
}

impl From<F128> for Taken {
    fn from(value: F128) -> Self {
        Self::Float(value.is_negative(), value.parts())
    }
}

/// Writes the nearest number that `stored` has; whether it is the same, and `None` where `stored` is not one of the formats
/// that are written.
pub(in crate::dtype) fn put_number(
    stored: &Datatype,
    value: &Taken,
    out: &mut [u8],
) -> Option<bool> {
    Number::target(stored).map(|number| number.put(value, out))
}

/// The smallest and the largest integer.
fn limits(integer: &IntegerType) -> (i128, i128) {
    let bits = u32::from(integer.precision) - u32::from(integer.signed);
    let max = ones(bits) as i128;
    (if integer.signed { -max - 1 } else { 0 }, max)
}

/// A number of that many ones.
fn ones(bits: u32) -> u128 {
    match 1_u128.checked_shl(bits) {
        Some(end) => end - 1,
        None => u128::MAX,
    }
}

/// The nearest integer towards zero that is within the limits, and whether it is the same number.
fn to_integer(value: &Taken, (min, max): (i128, i128)) -> (i128, bool) {
    let (value, whole) = match *value {
        Taken::Integer(value) => (value, true),
        Taken::Float(_, Parts::Nan { .. }) => return (0_i128.clamp(min, max), false),
        Taken::Float(negative, Parts::Infinite) => {
            return (if negative { min } else { max }, false);
        }
        Taken::Float(negative, Parts::Finite { mantissa, exponent }) => {
            let (magnitude, whole) = if exponent <= 0 {
                let shift = exponent.unsigned_abs();
                let kept = mantissa.checked_shr(shift).unwrap_or(0);
                (
                    Some(kept),
                    kept.checked_shl(shift) == Some(mantissa) || mantissa == 0,
                )
            } else {
                let fits = mantissa.leading_zeros() > exponent.unsigned_abs();
                let shifted = mantissa.checked_shl(exponent.unsigned_abs());
                (shifted.filter(|_| fits || mantissa == 0), true)
            };
            match magnitude.and_then(|magnitude| i128::try_from(magnitude).ok()) {
                Some(magnitude) => (if negative { -magnitude } else { magnitude }, whole),
                None => return (if negative { min } else { max }, false),
            }
        }
    };
    let clamped = value.clamp(min, max);
    (clamped, whole && clamped == value)
}

/// The bits of the nearest number of a format, the even one of two, and whether it is the same. As in libhdf5,
/// everything beyond the largest number is infinity.
pub(in crate::dtype) fn to_float(to: &FloatType, negative: bool, parts: &Parts) -> (u128, bool) {
    let range = Range::of(to);
    let implied = to.normalization == Normalization::Implied;
    let leading = if implied {
        0
    } else {
        1 << (to.mantissa_size - 1)
    };
    let fraction_size = range.digits - 1;
    let all_ones = ones(to.exponent_size.into());
    let infinite = (all_ones, leading);
    let ((biased, mantissa), same) = match *parts {
        Parts::Nan { payload } => {
            let quiet = 1 << (fraction_size - 1);
            let fraction = payload >> (112 - fraction_size) | quiet;
            ((all_ones, leading | fraction), true)
        }
        Parts::Infinite => (infinite, true),
        Parts::Finite { mantissa: 0, .. } => ((0, 0), true),
        Parts::Finite { mantissa, exponent } => {
            let top = 127 - i64::from(mantissa.leading_zeros()) + i64::from(exponent);
            // The exponent of the last bit that is kept.
            let last = (top - i64::from(fraction_size)).max(range.lowest);
            let (kept, rest) = rounded(mantissa, last - i64::from(exponent));
            let truncated = (mantissa
                .checked_shr((last - i64::from(exponent)).clamp(0, 200) as u32))
            .unwrap_or(0);
            let beyond = top > range.highest
                || (top == range.highest && rest && truncated == ones(range.digits));
            if beyond {
                (infinite, false)
            } else {
                let carried = kept > ones(range.digits);
                let (kept, last) = if carried {
                    (kept >> 1, last + 1)
                } else {
                    (kept, last)
                };
                let normal = kept >> fraction_size != 0;
                let exponent = last + i64::from(fraction_size) + i64::from(to.exponent_bias);
                let biased = if normal { exponent as u128 } else { 0 };
                ((biased, kept & ones(to.mantissa_size.into())), !rest)
            }
        }
    };
    let bits = biased << to.exponent_location
        | mantissa << to.mantissa_location
        | u128::from(negative) << to.sign_location;
    (bits, same)
}

/// `mantissa / 2^shift`, rounded to the nearest, the even one of two; whether something was lost.
fn rounded(mantissa: u128, shift: i64) -> (u128, bool) {
    if shift <= 0 {
        return (mantissa << shift.unsigned_abs().min(127), false);
    }
    // From 129 on, all of it is less than a half.
    if shift > 128 {
        return (0, true);
    }
    let kept = mantissa.checked_shr(shift as u32).unwrap_or(0);
    let rest = mantissa & ones(shift as u32);
    let half = 1_u128 << (shift - 1);
    let up = rest > half || (rest == half && kept & 1 == 1);
    (kept + u128::from(up), rest != 0)
}

/// The way from one number to another.
#[derive(Debug)]
pub(super) struct Convert {
    from: Number,
    to: Number,
    kernel: Option<(Kernel, ByteOrder)>,
    checked: bool,
}

impl Convert {
    pub(super) fn new(from: Number, to: Number, conversion: Conversion) -> Option<Self> {
        let exact = to.holds(&from);
        let checked = !exact && conversion == Conversion::Checked;
        if !exact && conversion < Conversion::Checked {
            return None;
        }
        Some(Self {
            from,
            to,
            kernel: kernel(&from, &to).filter(|_| !checked),
            checked,
        })
    }

    /// Converts elements.
    ///
    /// # Errors
    /// A value that has no counterpart, where that is to be checked.
    pub(super) fn run(&self, bytes: &[u8], out: &mut [u8]) -> Result<()> {
        if let Some((kernel, order)) = self.kernel {
            kernel(bytes, order, out);
            return Ok(());
        }
        let elements = bytes.chunks_exact(self.from.size());
        let places = out.chunks_exact_mut(self.to.size());
        for (number, (element, place)) in elements.zip(places).enumerate() {
            let value = self.from.take(element);
            if !self.to.put(&value, place) && self.checked {
                let to = match self.to {
                    Number::Integer(integer) => Datatype::Integer(integer),
                    Number::Float(float) => Datatype::Float(float),
                };
                return Err(Error::invalid(format!(
                    "element {number} of the values read, {}, is no {to}",
                    value.text()
                )));
            }
        }
        Ok(())
    }
}
