//! Integers and the floating-point numbers that the host computes with.

use super::order::{HOST, byte_order, swap};
use super::{H5Type, VarLenSink, VarLenSource, count, expect};
use crate::error::Result;
use crate::format::message::datatype::{
    ByteOrder, Datatype, FloatType, IntegerType, Normalization,
};
use alloc::vec;
use alloc::vec::Vec;
use half::{bf16, f16};

/// An integer of `size` bytes that uses all its bits.
pub(super) fn integer(size: u8, signed: bool) -> Datatype {
    Datatype::Integer(IntegerType {
        size: size.into(),
        order: ByteOrder::LittleEndian,
        signed,
        bit_offset: 0,
        precision: u16::from(size) * 8,
        low_pad: false,
        high_pad: false,
    })
}

/// An IEEE interchange format of `size` bytes: sign, exponent, mantissa from the top, no bit unused.
pub(super) const fn ieee(size: u8, exponent_size: u8) -> FloatType {
    let precision = size * 8;
    FloatType {
        size: size as u32,
        order: ByteOrder::LittleEndian,
        bit_offset: 0,
        precision: precision as u16,
        sign_location: precision - 1,
        exponent_location: precision - 1 - exponent_size,
        exponent_size,
        mantissa_location: 0,
        mantissa_size: precision - 1 - exponent_size,
        exponent_bias: (1 << (exponent_size - 1)) - 1,
        normalization: Normalization::Implied,
        low_pad: false,
        high_pad: false,
        internal_pad: false,
    }
}

/// Whether `stored` is an integer of `size` bytes that uses all its bits.
pub(super) fn is_integer(stored: &Datatype, size: u8, signed: bool) -> bool {
    matches!(stored, Datatype::Integer(integer)
        if integer.size == size.into()
            && integer.signed == signed
            && integer.bit_offset == 0
            && integer.precision == u16::from(size) * 8
            && integer.order != ByteOrder::Vax)
}

/// Whether `stored` is `expected` but for its byte order and the padding of bits that are not there or mean nothing.
pub(super) fn is_float(stored: &Datatype, expected: FloatType) -> bool {
    let Datatype::Float(stored) = stored else {
        return false;
    };
    stored.order != ByteOrder::Vax
        && expected
            == FloatType {
                order: expected.order,
                low_pad: expected.low_pad,
                high_pad: expected.high_pad,
                internal_pad: expected.internal_pad,
                ..*stored
            }
}

/// Whether a number of `size` bytes stored as `stored` has the host's byte order.
fn is_host(stored: &Datatype, size: usize) -> bool {
    size == 1 || byte_order(stored) == Some(HOST)
}

macro_rules! number {
    ($type:ty, $size:literal, $zero:expr, $datatype:expr, |$stored:ident| $matches:expr) => {
        impl H5Type for $type {
            fn datatype() -> Datatype {
                $datatype
            }

            fn zero() -> Self {
                $zero
            }

            fn matches($stored: &Datatype) -> bool {
                $matches
            }

            fn encode(
                values: &[Self],
                stored: &Datatype,
                _: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                expect::<Self>(stored)?;
                let start = out.len();
                out.extend_from_slice(bytemuck::cast_slice(values));
                if !is_host(stored, $size) {
                    swap::<$size>(&mut out[start..]);
                }
                Ok(())
            }

            fn encode_each<'a>(
                values: impl ExactSizeIterator<Item = &'a Self> + Clone,
                stored: &Datatype,
                _: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                expect::<Self>(stored)?;
                let start = out.len();
                out.resize(start + values.len() * $size, 0);
                let places = out[start..].as_chunks_mut::<$size>().0;
                for (place, value) in places.iter_mut().zip(values) {
                    *place = bytemuck::cast(*value);
                }
                if !is_host(stored, $size) {
                    swap::<$size>(&mut out[start..]);
                }
                Ok(())
            }

            fn decode(
                bytes: &[u8],
                stored: &Datatype,
                _: &mut dyn VarLenSource,
            ) -> Result<Vec<Self>> {
                expect::<Self>(stored)?;
                let mut values = vec![$zero; count(bytes, $size)?];
                let memory: &mut [u8] = bytemuck::cast_slice_mut(&mut values);
                memory.copy_from_slice(bytes);
                if !is_host(stored, $size) {
                    swap::<$size>(memory);
                }
                Ok(values)
            }

            fn as_bytes<'a>(values: &'a [Self], stored: &Datatype) -> Option<&'a [u8]> {
                (Self::matches(stored) && is_host(stored, $size))
                    .then(|| bytemuck::cast_slice(values))
            }

            fn as_bytes_mut<'a>(values: &'a mut [Self], stored: &Datatype) -> Option<&'a mut [u8]> {
                (Self::matches(stored) && is_host(stored, $size))
                    .then(|| bytemuck::cast_slice_mut(values))
            }
        }
    };
}

macro_rules! integers {
    ($($type:ty, $size:literal, $signed:literal;)*) => {
        $(number!($type, $size, 0, integer($size, $signed), |stored| is_integer(stored, $size, $signed));)*
    };
}

macro_rules! floats {
    ($($type:ty, $size:literal, $exponent_size:literal, $zero:expr;)*) => {
        $(number!(
            $type, $size, $zero, Datatype::Float(ieee($size, $exponent_size)),
            |stored| is_float(stored, ieee($size, $exponent_size))
        );)*
    };
}

integers! {
    i8, 1, true;
    i16, 2, true;
    i32, 4, true;
    i64, 8, true;
    u8, 1, false;
    u16, 2, false;
    u32, 4, false;
    u64, 8, false;
}

#[cfg(target_pointer_width = "64")]
integers! {
    isize, 8, true;
    usize, 8, false;
}

#[cfg(target_pointer_width = "32")]
integers! {
    isize, 4, true;
    usize, 4, false;
}

floats! {
    f16, 2, 5, f16::ZERO;
    bf16, 2, 8, bf16::ZERO;
    f32, 4, 8, 0.0;
    f64, 8, 11, 0.0;
}
