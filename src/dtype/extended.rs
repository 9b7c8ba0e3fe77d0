//! Floating-point numbers that the host may not compute with: `F80`, `F128`.

use super::order::{byte_order, swap};
use super::scalar::{ieee, is_float};
use super::{H5Type, VarLenSink, VarLenSource, count, expect};
use crate::error::Result;
use crate::format::message::datatype::{ByteOrder, Datatype, FloatType, Normalization};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// The x86 extended format in 16 bytes: `long double` on x86-64 Linux, numpy's `longdouble` and `float128` there.
///
/// 1 sign bit, 15 bits of exponent, 64 bits of mantissa with its leading bit. It is for carrying values through files
/// exactly; to compute, convert to `f64`.
///
/// ```
/// use h5quill::F80;
/// let value = F80::from(0.1); // exact
/// assert_eq!(value.to_f64(), 0.1);
/// assert_eq!(F80::from(i64::MAX).to_string(), "0x1.fffffffffffffffcp+62"); // more than an f64 can hold
/// ```
#[derive(Clone, Copy, Default)]
pub struct F80 {
    sign_exponent: u16,
    mantissa: u64,
}

/// The IEEE quadruple format: 1 sign bit, 15 bits of exponent, 112 bits of mantissa without its leading bit.
///
/// ```
/// use h5quill::F128;
/// let value = F128::from(u64::MAX); // exact
/// assert_eq!(value.to_f64(), u64::MAX as f64);
/// ```
#[derive(Clone, Copy, Default)]
pub struct F128(u128);

const BIAS: i32 = 16383;
const EXPONENT_ONES: u16 = 0x7fff;
const SIGN: u16 = 0x8000;
const LEADING_BIT: u64 = 1 << 63;
const QUAD_MANTISSA: u128 = (1 << 112) - 1;

/// A number taken apart: finite values are `mantissa * 2^exponent`, `mantissa` below 2^113.
pub(super) enum Parts {
    Nan { payload: u128 },
    Infinite,
    Finite { mantissa: u128, exponent: i32 },
}

impl F80 {
    /// Not a number.
    ///
    /// ```
    /// assert!(h5quill::F80::NAN.is_nan());
    /// ```
    pub const NAN: Self = Self::from_bits(EXPONENT_ONES, 3 << 62);
    /// Infinity.
    ///
    /// ```
    /// assert_eq!(h5quill::F80::INFINITY.to_f64(), f64::INFINITY);
    /// ```
    pub const INFINITY: Self = Self::from_bits(EXPONENT_ONES, LEADING_BIT);
    /// The largest finite value.
    ///
    /// ```
    /// use h5quill::F80;
    /// assert!(F80::MAX > F80::from(f64::MAX));
    /// assert_eq!(F80::MAX.to_f64(), f64::INFINITY); // beyond the range of an f64
    /// ```
    pub const MAX: Self = Self::from_bits(EXPONENT_ONES - 1, u64::MAX);

    /// The value of a sign and exponent, and a mantissa with its leading bit.
    ///
    /// ```
    /// use h5quill::F80;
    /// assert_eq!(F80::from_bits(0x3fff, 1 << 63), F80::from(1.0));
    /// ```
    pub const fn from_bits(sign_exponent: u16, mantissa: u64) -> Self {
        Self {
            sign_exponent,
            mantissa,
        }
    }

    /// The sign and exponent, and the mantissa with its leading bit.
    ///
    /// ```
    /// use h5quill::F80;
    /// assert_eq!(F80::from(-2.0).to_bits(), (0xc000, 1 << 63));
    /// ```
    pub const fn to_bits(self) -> (u16, u64) {
        (self.sign_exponent, self.mantissa)
    }

    /// Whether this is not a number. An exponent above zero needs the leading bit: without it, the processor takes
    /// the bits for no number, and so do we.
    ///
    /// ```
    /// use h5quill::F80;
    /// assert!(F80::from(f64::NAN).is_nan());
    /// assert!(!F80::INFINITY.is_nan());
    /// ```
    pub const fn is_nan(self) -> bool {
        let exponent = self.sign_exponent & EXPONENT_ONES;
        (exponent == EXPONENT_ONES && self.mantissa != LEADING_BIT)
            || (exponent != 0 && self.mantissa & LEADING_BIT == 0)
    }

    /// The nearest `f64`, the even one of two.
    ///
    /// ```
    /// use h5quill::F80;
    /// assert_eq!(F80::from(0.1_f32).to_f64(), f64::from(0.1_f32));
    /// ```
    pub fn to_f64(self) -> f64 {
        to_f64(self.sign_exponent & SIGN != 0, &self.parts())
    }

    pub(super) fn parts(self) -> Parts {
        let exponent = self.sign_exponent & EXPONENT_ONES;
        if self.is_nan() {
            Parts::Nan {
                payload: u128::from(self.mantissa << 1) << 48,
            }
        } else if exponent == EXPONENT_ONES {
            Parts::Infinite
        } else {
            Parts::Finite {
                mantissa: self.mantissa.into(),
                exponent: i32::from(exponent.max(1)) - BIAS - 63,
            }
        }
    }

    pub(super) fn new(negative: bool, parts: &Parts) -> Self {
        let sign = if negative { SIGN } else { 0 };
        match *parts {
            Parts::Nan { payload } => {
                let payload = (payload >> 49) as u64;
                Self::from_bits(sign | EXPONENT_ONES, LEADING_BIT | payload)
            }
            Parts::Infinite => Self::from_bits(sign | EXPONENT_ONES, LEADING_BIT),
            Parts::Finite { mantissa: 0, .. } => Self::from_bits(sign, 0),
            Parts::Finite { mantissa, exponent } => {
                let mantissa = mantissa as u64;
                let shift = mantissa.leading_zeros();
                let biased = exponent - shift as i32 + 63 + BIAS;
                Self::from_bits(sign | biased as u16, mantissa << shift)
            }
        }
    }

    /// Whether the sign bit is set.
    pub(super) fn is_negative(self) -> bool {
        self.sign_exponent & SIGN != 0
    }

    /// The bytes of an element of `stored`, which this type matches.
    pub(super) fn to_stored(self, stored: &Datatype) -> [u8; 16] {
        let mut bytes = self.to_le_bytes();
        if byte_order(stored) == Some(ByteOrder::BigEndian) {
            bytes.reverse();
        }
        bytes
    }

    /// Sign, exponent and mantissa as one number that orders as the values do.
    fn key(self) -> i128 {
        let exponent = self.sign_exponent & EXPONENT_ONES;
        // A leading bit beside exponent 0 says what exponent 1 says.
        let exponent = exponent.max((self.mantissa >> 63) as u16);
        let magnitude = i128::from(exponent) << 64 | i128::from(self.mantissa);
        if self.sign_exponent & SIGN == 0 {
            magnitude
        } else {
            -magnitude
        }
    }

    fn to_le_bytes(self) -> [u8; 16] {
        let bits = u128::from(self.sign_exponent) << 64 | u128::from(self.mantissa);
        bits.to_le_bytes()
    }

    fn from_le_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        Self::from_bits((bits >> 64) as u16, bits as u64)
    }

    fn format() -> FloatType {
        FloatType {
            size: 16,
            order: ByteOrder::LittleEndian,
            bit_offset: 0,
            precision: 80,
            sign_location: 79,
            exponent_location: 64,
            exponent_size: 15,
            mantissa_location: 0,
            mantissa_size: 64,
            exponent_bias: BIAS as u32,
            normalization: Normalization::None,
            low_pad: false,
            high_pad: false,
            internal_pad: false,
        }
    }

    /// libhdf5 says that the mantissa is not normalised; that its leading bit is always set describes the same bits.
    fn stored_as(stored: &Datatype) -> bool {
        let always_set = FloatType {
            normalization: Normalization::MostSignificantSet,
            ..Self::format()
        };
        is_float(stored, Self::format()) || is_float(stored, always_set)
    }
}

impl F128 {
    /// Not a number.
    ///
    /// ```
    /// assert!(h5quill::F128::NAN.is_nan());
    /// ```
    pub const NAN: Self = Self(0xffff << 111);
    /// Infinity.
    ///
    /// ```
    /// assert_eq!(h5quill::F128::INFINITY.to_f64(), f64::INFINITY);
    /// ```
    pub const INFINITY: Self = Self(0x7fff << 112);
    /// The largest finite value.
    ///
    /// ```
    /// use h5quill::F128;
    /// assert!(F128::MAX > F128::from(f64::MAX));
    /// ```
    pub const MAX: Self = Self((0x7fff << 112) - 1);

    /// The value of its bits.
    ///
    /// ```
    /// use h5quill::F128;
    /// assert_eq!(F128::from_bits(0x3fff << 112), F128::from(1.0));
    /// ```
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    ///
    /// ```
    /// use h5quill::F128;
    /// assert_eq!(F128::from(-2.0).to_bits(), 0xc000 << 112);
    /// ```
    pub const fn to_bits(self) -> u128 {
        self.0
    }

    /// Whether this is not a number.
    ///
    /// ```
    /// use h5quill::F128;
    /// assert!(F128::from(f64::NAN).is_nan());
    /// assert!(!F128::INFINITY.is_nan());
    /// ```
    pub const fn is_nan(self) -> bool {
        self.0 << 1 > Self::INFINITY.0 << 1
    }

    /// The nearest `f64`, the even one of two.
    ///
    /// ```
    /// use h5quill::F128;
    /// assert_eq!(F128::from(0.1).to_f64(), 0.1);
    /// ```
    pub fn to_f64(self) -> f64 {
        to_f64(self.0 >> 127 != 0, &self.parts())
    }

    pub(super) fn parts(self) -> Parts {
        let exponent = (self.0 >> 112) as u16 & EXPONENT_ONES;
        let mantissa = self.0 & QUAD_MANTISSA;
        match exponent {
            EXPONENT_ONES if mantissa == 0 => Parts::Infinite,
            EXPONENT_ONES => Parts::Nan { payload: mantissa },
            0 => Parts::Finite {
                mantissa,
                exponent: 1 - BIAS - 112,
            },
            _ => Parts::Finite {
                mantissa: mantissa | 1 << 112,
                exponent: i32::from(exponent) - BIAS - 112,
            },
        }
    }

    pub(super) fn new(negative: bool, parts: &Parts) -> Self {
        let magnitude = match *parts {
            Parts::Nan { payload } => Self::INFINITY.0 | payload,
            Parts::Infinite => Self::INFINITY.0,
            Parts::Finite { mantissa: 0, .. } => 0,
            Parts::Finite { mantissa, exponent } => {
                let shift = mantissa.leading_zeros() as i32 - 15;
                let biased = exponent - shift + 112 + BIAS;
                (biased as u128) << 112 | (mantissa << shift & QUAD_MANTISSA)
            }
        };
        Self(u128::from(negative) << 127 | magnitude)
    }

    /// Whether the sign bit is set.
    pub(super) fn is_negative(self) -> bool {
        self.0 >> 127 != 0
    }

    fn key(self) -> i128 {
        let magnitude = (self.0 << 1 >> 1) as i128;
        if self.0 >> 127 == 0 {
            magnitude
        } else {
            -magnitude
        }
    }

    fn to_le_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    fn from_le_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    fn format() -> FloatType {
        ieee(16, 15)
    }

    fn stored_as(stored: &Datatype) -> bool {
        is_float(stored, Self::format())
    }
}

/// The nearest `f64`, the even one of two.
pub(super) fn to_f64(negative: bool, parts: &Parts) -> f64 {
    const INFINITE: u64 = 0x7ff << 52;
    const QUIET: u64 = 1 << 51;
    let magnitude = match *parts {
        Parts::Nan { payload } => INFINITE | QUIET | (payload >> 60) as u64,
        Parts::Infinite => INFINITE,
        Parts::Finite { mantissa: 0, .. } => 0,
        Parts::Finite { mantissa, exponent } => {
            let top = 127 - mantissa.leading_zeros() as i32 + exponent;
            // The exponent of the result's last bit; subnormal numbers share the lowest.
            let last = (top - 52).max(-1074);
            let shift = last - exponent;
            if top > 1023 {
                INFINITE
            } else if shift > 114 {
                0
            } else if shift <= 0 {
                ((mantissa << -shift) as u64) + (((last + 1074) as u64) << 52)
            } else {
                let kept = (mantissa >> shift) as u64;
                let (rest, half) = (mantissa & ((1 << shift) - 1), 1 << (shift - 1));
                let up = rest > half || (rest == half && kept & 1 == 1);
                // A carry goes from the mantissa into the exponent, and from the largest number to infinity.
                kept + u64::from(up) + (((last + 1074) as u64) << 52)
            }
        }
    };
    f64::from_bits(u64::from(negative) << 63 | magnitude)
}

/// `value` taken apart, with its sign.
pub(super) fn from_f64(value: f64) -> (bool, Parts) {
    let bits = value.to_bits();
    let mantissa = u128::from(bits & ((1 << 52) - 1));
    let parts = match (bits >> 52) as i32 & 0x7ff {
        0x7ff if mantissa == 0 => Parts::Infinite,
        0x7ff => Parts::Nan {
            payload: mantissa << 60,
        },
        0 => Parts::Finite {
            mantissa,
            exponent: -1074,
        },
        exponent => Parts::Finite {
            mantissa: mantissa | 1 << 52,
            exponent: exponent - 1075,
        },
    };
    (bits >> 63 != 0, parts)
}

/// A finite value that is no `f64`, in C's hexadecimal notation.
fn hexadecimal(negative: bool, parts: &Parts, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Parts::Finite { mantissa, exponent } = *parts else {
        return Ok(());
    };
    let sign = if negative { "-" } else { "" };
    let top = 127 - mantissa.leading_zeros() as i32;
    let fraction = (mantissa << (127 - top)) << 1;
    let digits = 32 - (fraction.trailing_zeros() / 4).min(31) as usize;
    let digits_value = fraction >> (128 - 4 * digits);
    write!(f, "{sign}0x1.{digits_value:0digits$x}p{:+}", top + exponent)
}

macro_rules! extended {
    ($type:ident) => {
        impl From<f64> for $type {
            fn from(value: f64) -> Self {
                let (negative, parts) = from_f64(value);
                Self::new(negative, &parts)
            }
        }

        impl From<f32> for $type {
            fn from(value: f32) -> Self {
                Self::from(f64::from(value))
            }
        }

        impl From<u64> for $type {
            fn from(value: u64) -> Self {
                let mantissa = value.into();
                Self::new(
                    false,
                    &Parts::Finite {
                        mantissa,
                        exponent: 0,
                    },
                )
            }
        }

        impl From<i64> for $type {
            fn from(value: i64) -> Self {
                let mantissa = value.unsigned_abs().into();
                Self::new(
                    value < 0,
                    &Parts::Finite {
                        mantissa,
                        exponent: 0,
                    },
                )
            }
        }

        /// Equal as numbers are: zeros of both signs are equal, what is not a number equals nothing.
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.partial_cmp(other) == Some(Ordering::Equal)
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                (!self.is_nan() && !other.is_nan()).then(|| self.key().cmp(&other.key()))
            }
        }

        /// The shortest decimal where the value is an `f64`, otherwise C's exact hexadecimal notation.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let near = self.to_f64();
                if near.is_nan() || Self::from(near) == *self {
                    fmt::Display::fmt(&near, f)
                } else {
                    hexadecimal(self.key() < 0, &self.parts(), f)
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self)
            }
        }

        impl H5Type for $type {
            fn datatype() -> Datatype {
                Datatype::Float(Self::format())
            }

            fn zero() -> Self {
                Self::default()
            }

            fn matches(stored: &Datatype) -> bool {
                Self::stored_as(stored)
            }

            fn encode(
                values: &[Self],
                stored: &Datatype,
                _: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                expect::<Self>(stored)?;
                let start = out.len();
                out.resize(start + 16 * values.len(), 0);
                let places = out[start..].as_chunks_mut::<16>().0;
                for (place, value) in places.iter_mut().zip(values) {
                    *place = value.to_le_bytes();
                }
                if byte_order(stored) == Some(ByteOrder::BigEndian) {
                    swap::<16>(&mut out[start..]);
                }
                Ok(())
            }

            fn decode(
                bytes: &[u8],
                stored: &Datatype,
                _: &mut dyn VarLenSource,
            ) -> Result<Vec<Self>> {
                expect::<Self>(stored)?;
                count(bytes, 16)?;
                let elements = bytes.as_chunks::<16>().0;
                let big = byte_order(stored) == Some(ByteOrder::BigEndian);
                let decode = |element: &[u8; 16]| {
                    let mut element = *element;
                    if big {
                        element.reverse();
                    }
                    Self::from_le_bytes(element)
                };
                Ok(elements.iter().map(decode).collect())
            }
        }
    };
}

extended!(F80);
extended!(F128);
