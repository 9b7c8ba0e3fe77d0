//! Numbers of any layout: the bits of an element, and what they mean.

use super::extended::Parts;
use crate::format::message::datatype::{ByteOrder, FloatType, IntegerType, Normalization};

/// The largest element whose bits are looked at, in bytes.
pub(super) const MAX_BYTES: usize = 16;

/// The bits of an element, the least significant byte first in `u128`. At most [`MAX_BYTES`] bytes.
pub(super) fn bits(bytes: &[u8], order: ByteOrder) -> u128 {
    let mut little = [0; MAX_BYTES];
    let len = bytes.len().min(MAX_BYTES);
    match order {
        ByteOrder::LittleEndian => little[..len].copy_from_slice(&bytes[..len]),
        ByteOrder::BigEndian => {
            for (place, byte) in little.iter_mut().zip(bytes[..len].iter().rev()) {
                *place = *byte;
            }
        }
        // Words of two bytes from the most significant to the least, each with its low byte first.
        ByteOrder::Vax => {
            for (place, word) in little
                .chunks_exact_mut(2)
                .zip(bytes[..len].rchunks_exact(2))
            {
                place.copy_from_slice(word);
            }
        }
    }
    u128::from_le_bytes(little)
}

/// `size` bits of `bits` from `location` on.
fn field(bits: u128, location: u32, size: u32) -> u128 {
    let from = bits.checked_shr(location).unwrap_or(0);
    match 1_u128.checked_shl(size) {
        Some(end) => from & (end - 1),
        None => from,
    }
}

/// The significant bits of an integer or bit field.
pub(super) fn significant(stored: &IntegerType, bytes: &[u8]) -> u128 {
    field(
        bits(bytes, stored.order),
        stored.bit_offset.into(),
        stored.precision.into(),
    )
}

/// Whether every value of the type is an `i128`.
pub(super) fn is_i128(stored: &IntegerType) -> bool {
    stored.size as usize <= MAX_BYTES
        && stored.precision >= 1
        && u32::from(stored.bit_offset) + u32::from(stored.precision) <= stored.size * 8
        && u32::from(stored.precision) < 128 + u32::from(stored.signed)
}

/// The value of an integer for which [`is_i128`].
pub(super) fn integer(stored: &IntegerType, bytes: &[u8]) -> i128 {
    let value = significant(stored, bytes) as i128;
    if stored.signed {
        let unused = 128_u32.saturating_sub(stored.precision.into());
        value << unused >> unused
    } else {
        value
    }
}

/// How the values of a floating-point type lie: `mantissa * 2^exponent`, with `digits` bits of mantissa at the most, all
/// multiples of `2^lowest`, none of `2^(highest + 1)` or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) digits: u32,
    pub(super) lowest: i64,
    pub(super) highest: i64,
}

impl Range {
    pub(super) const F64: Self = Self {
        digits: 53,
        lowest: -1074,
        highest: 1023,
    };
    pub(super) const F128: Self = Self {
        digits: 113,
        lowest: -16494,
        highest: 16383,
    };

    pub(super) fn of(stored: &FloatType) -> Self {
        let implied = stored.normalization == Normalization::Implied;
        let digits = u32::from(stored.mantissa_size) + u32::from(implied);
        let bias = i64::from(stored.exponent_bias);
        // The exponent of all ones is that of infinity.
        let greatest = (1_i64 << stored.exponent_size.min(62)) - 2;
        Self {
            digits,
            lowest: 1 - bias - (i64::from(digits) - 1),
            highest: greatest.max(1) - bias,
        }
    }

    /// Whether every value of `other` is one of these.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.digits <= self.digits && other.lowest >= self.lowest && other.highest <= self.highest
    }
}

/// Whether [`float`] can take the values of the type apart.
pub(super) fn has_parts(stored: &FloatType) -> bool {
    let fields = [
        (stored.sign_location, 1),
        (stored.exponent_location, stored.exponent_size),
        (stored.mantissa_location, stored.mantissa_size),
    ];
    let range = Range::of(stored);
    stored.size as usize <= MAX_BYTES
        && fields
            .iter()
            .all(|(at, size)| *size > 0 && u32::from(*at) + u32::from(*size) <= 128)
        && range.digits >= 2
        && Range::F128.holds(&range)
}

/// A value of a type which [`has_parts`], taken apart, with its sign.
pub(super) fn float(stored: &FloatType, bytes: &[u8]) -> (bool, Parts) {
    let bits = bits(bytes, stored.order);
    let mantissa_size = u32::from(stored.mantissa_size);
    let negative = field(bits, stored.sign_location.into(), 1) != 0;
    let biased = field(
        bits,
        stored.exponent_location.into(),
        stored.exponent_size.into(),
    );
    let mut mantissa = field(bits, stored.mantissa_location.into(), mantissa_size);
    let implied = stored.normalization == Normalization::Implied;
    // Bits behind the leading one.
    let fraction_size = mantissa_size - u32::from(!implied);
    let fraction = field(mantissa, 0, fraction_size);
    let ones = field(u128::MAX, 0, stored.exponent_size.into());
    let parts = if biased == ones {
        if fraction == 0 {
            Parts::Infinite
        } else {
            Parts::Nan {
                payload: fraction << (112 - fraction_size),
            }
        }
    } else {
        if implied && biased != 0 {
            mantissa |= 1 << mantissa_size;
        }
        let exponent = biased.max(1) as i64 - i64::from(stored.exponent_bias);
        Parts::Finite {
            mantissa,
            exponent: (exponent - i64::from(fraction_size)) as i32,
        }
    };
    (negative, parts)
}
