//! Floating-point numbers of 8 bits: `F8E4M3`, `F8E5M2`.

use super::extended::{Parts, from_f64, to_f64};
use super::number;
use super::scalar::{ieee, is_float};
use super::{H5Type, VarLenSink, VarLenSource, expect};
use crate::dtype::convert::to_float;
use crate::error::Result;
use crate::format::message::datatype::{Datatype, FloatType};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

/// A floating-point number with 4 bits of exponent and 3 bits of mantissa, `H5T_FLOAT_F8E4M3` of HDF5 2.0.
///
/// HDF5 takes it for a format with infinities, whose largest number is 240. The numbers 256 to 448 of OFP8, which has none,
/// are kept bit for bit, but are infinity or no number to whatever converts them, this library and libhdf5 among it.
///
/// ```
/// use h5quill::{F8E4M3, File};
/// let file = File::create_memory()?;
/// let weights = [F8E4M3::from_f32(0.3), F8E4M3::from_bits(0x38)];
/// let data = file.new_dataset::<F8E4M3>().create_with("weights", &weights)?;
/// assert_eq!(data.read_raw::<f32>()?, [0.3125, 1.0]);
/// assert_eq!(F8E4M3::from_f32(1000.0).to_f32(), f32::INFINITY);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct F8E4M3(u8);

/// A floating-point number with 5 bits of exponent and 2 bits of mantissa, `H5T_FLOAT_F8E5M2` of HDF5 2.0.
///
/// ```
/// use h5quill::F8E5M2;
/// assert_eq!(F8E5M2::from_f32(1.1).to_f32(), 1.0); // the nearest
/// assert_eq!(F8E5M2::from_bits(0x7b).to_f32(), 57_344.0); // the largest
/// ```
#[derive(Clone, Copy, Default)]
pub struct F8E5M2(u8);

macro_rules! float8 {
    ($type:ident, $exponent_size:literal) => {
        impl $type {
            const FORMAT: FloatType = ieee(1, $exponent_size);

            /// The number of these bits.
            ///
            /// ```
            #[doc = concat!("use h5quill::", stringify!($type), ";")]
            #[doc = concat!("assert_eq!(", stringify!($type), "::from_bits(0).to_f32(), 0.0);")]
            /// ```
            pub const fn from_bits(bits: u8) -> Self {
                Self(bits)
            }

            /// The bits.
            ///
            /// ```
            #[doc = concat!("use h5quill::", stringify!($type), ";")]
            #[doc = concat!("assert_eq!(", stringify!($type), "::from_f32(-0.0).to_bits(), 0x80);")]
            /// ```
            pub const fn to_bits(self) -> u8 {
                self.0
            }

            /// The nearest number to a value, the even one of two; beyond the largest, infinity.
            ///
            /// ```
            #[doc = concat!("use h5quill::", stringify!($type), ";")]
            #[doc = concat!("assert_eq!(", stringify!($type), "::from_f32(2.0).to_f32(), 2.0);")]
            /// ```
            pub fn from_f32(value: f32) -> Self {
                let (negative, parts) = from_f64(value.into());
                Self(to_float(&Self::FORMAT, negative, &parts).0 as u8)
            }

            /// The value.
            ///
            /// ```
            #[doc = concat!("use h5quill::", stringify!($type), ";")]
            #[doc = concat!("assert_eq!(", stringify!($type), "::from_f32(0.5).to_f32(), 0.5);")]
            /// ```
            pub fn to_f32(self) -> f32 {
                let (negative, parts) = self.parts();
                to_f64(negative, &parts) as f32
            }

            fn parts(self) -> (bool, Parts) {
                number::float(&Self::FORMAT, &[self.0])
            }
        }

        impl From<$type> for f32 {
            fn from(value: $type) -> Self {
                value.to_f32()
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.to_f32() == other.to_f32()
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                self.to_f32().partial_cmp(&other.to_f32())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.to_f32(), f)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.to_f32(), f)
            }
        }

        impl H5Type for $type {
            fn datatype() -> Datatype {
                Datatype::Float(Self::FORMAT)
            }

            fn zero() -> Self {
                Self(0)
            }

            fn matches(stored: &Datatype) -> bool {
                is_float(stored, Self::FORMAT)
            }

            fn encode(
                values: &[Self],
                stored: &Datatype,
                heap: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                Self::encode_each(values.iter(), stored, heap, out)
            }

            fn encode_each<'a>(
                values: impl ExactSizeIterator<Item = &'a Self> + Clone,
                stored: &Datatype,
                _: &mut dyn VarLenSink,
                out: &mut Vec<u8>,
            ) -> Result<()> {
                expect::<Self>(stored)?;
                out.extend(values.map(|value| value.0));
                Ok(())
            }

            fn decode(
                bytes: &[u8],
                stored: &Datatype,
                _: &mut dyn VarLenSource,
            ) -> Result<Vec<Self>> {
                expect::<Self>(stored)?;
                Ok(bytes.iter().map(|&bits| Self(bits)).collect())
            }
        }
    };
}

float8!(F8E4M3, 4);
float8!(F8E5M2, 5);
