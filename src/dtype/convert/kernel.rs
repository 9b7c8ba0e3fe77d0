//! Conversions between the numbers that the host computes with, a loop for each pair.

use crate::dtype::scalar::{ieee, integer};
use crate::format::message::datatype::{ByteOrder, Datatype, FloatType, IntegerType};
use half::{bf16, f16};

/// A number of the host, in either byte order.
trait Number: Copy {
    const SIZE: usize;
    fn little(bytes: &[u8]) -> Self;
    fn big(bytes: &[u8]) -> Self;
    fn put(self, out: &mut [u8]);
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            const SIZE: usize = size_of::<$type>();
            fn little(bytes: &[u8]) -> Self {
                let mut array = [0; Self::SIZE];
                array.copy_from_slice(bytes);
                Self::from_le_bytes(array)
            }
            fn big(bytes: &[u8]) -> Self {
                let mut array = [0; Self::SIZE];
                array.copy_from_slice(bytes);
                Self::from_be_bytes(array)
            }
            fn put(self, out: &mut [u8]) {
                out.copy_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

number!(i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64);

/// What libhdf5 makes of a number: the nearest one there is.
trait Cast<D> {
    fn cast(self) -> D;
}

macro_rules! to_integers {
    ($from:ty => $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            fn cast(self) -> $to {
                #[allow(unused_comparisons, reason = "of unsigned numbers none is below 0")]
                let nearest = if self < 0 { <$to>::MIN } else { <$to>::MAX };
                <$to>::try_from(self).unwrap_or(nearest)
            }
        }
    )*};
}

macro_rules! plainly {
    ($from:ty => $($to:ty),*) => {$(
        impl Cast<$to> for $from {
            fn cast(self) -> $to {
                self as $to
            }
        }
    )*};
}

macro_rules! integers {
    ($($from:ty),*) => {$(
        to_integers!($from => i8, i16, i32, i64, u8, u16, u32, u64);
        plainly!($from => f32, f64);
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);
// Truncated; the nearest there is; 0 for what is not a number.
plainly!(f32 => i8, i16, i32, i64, u8, u16, u32, u64, f64);
plainly!(f64 => i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! same {
    ($($type:ty),*) => {$(
        impl Cast<$type> for $type {
            fn cast(self) -> $type {
                self
            }
        }
    )*};
}

same!(f32, f64);

impl Cast<f32> for f64 {
    /// Beyond the largest `f32` is infinity, also where rounding would give the largest.
    fn cast(self) -> f32 {
        if self.abs() > f64::from(f32::MAX) {
            f32::INFINITY.copysign(self as f32)
        } else {
            self as f32
        }
    }
}

macro_rules! of_half {
    ($($from:ty => $to:ty, $convert:ident;)*) => {$(
        impl Cast<$to> for $from {
            fn cast(self) -> $to {
                self.$convert()
            }
        }
    )*};
}

of_half! {
    f16 => f32, to_f32;
    f16 => f64, to_f64;
    bf16 => f32, to_f32;
    bf16 => f64, to_f64;
}

/// Converts elements of one byte order to little-endian ones.
pub(super) type Kernel = fn(&[u8], ByteOrder, &mut [u8]);

fn run<S: Number + Cast<D>, D: Number>(bytes: &[u8], order: ByteOrder, out: &mut [u8]) {
    let pairs = bytes
        .chunks_exact(S::SIZE)
        .zip(out.chunks_exact_mut(D::SIZE));
    if order == ByteOrder::BigEndian {
        pairs.for_each(|(from, to)| S::big(from).cast().put(to));
    } else {
        pairs.for_each(|(from, to)| S::little(from).cast().put(to));
    }
}

/// The loop from `S` to `D`.
fn pair<S: Number + Cast<D>, D: Number>() -> Kernel {
    run::<S, D>
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

fn host_integer(stored: &IntegerType) -> Option<Host> {
    let hosts = [
        (1, true, Host::I8),
        (2, true, Host::I16),
        (4, true, Host::I32),
        (8, true, Host::I64),
        (1, false, Host::U8),
        (2, false, Host::U16),
        (4, false, Host::U32),
        (8, false, Host::U64),
    ];
    let stored = Datatype::Integer(IntegerType {
        order: ByteOrder::LittleEndian,
        low_pad: false,
        high_pad: false,
        ..*stored
    });
    let found = hosts
        .iter()
        .find(|(size, signed, _)| integer(*size, *signed) == stored);
    found.map(|(_, _, host)| *host)
}

fn host_float(stored: &FloatType) -> Option<Host> {
    let hosts = [
        (2, 5, Host::F16),
        (2, 8, Host::BF16),
        (4, 8, Host::F32),
        (8, 11, Host::F64),
    ];
    let stored = FloatType {
        order: ByteOrder::LittleEndian,
        low_pad: false,
        high_pad: false,
        internal_pad: false,
        ..*stored
    };
    let found = hosts
        .iter()
        .find(|(size, exponent, _)| ieee(*size, *exponent) == stored);
    found.map(|(_, _, host)| *host)
}

fn host(stored: &super::Number) -> Option<(Host, ByteOrder)> {
    let (host, order) = match stored {
        super::Number::Integer(integer) => (host_integer(integer)?, integer.order),
        super::Number::Float(float) => (host_float(float)?, float.order),
    };
    (order != ByteOrder::Vax).then_some((host, order))
}

macro_rules! by_target {
    ($from:ty, $to:expr) => {
        match $to {
            Host::I8 => Some(pair::<$from, i8>()),
            Host::I16 => Some(pair::<$from, i16>()),
            Host::I32 => Some(pair::<$from, i32>()),
            Host::I64 => Some(pair::<$from, i64>()),
            Host::U8 => Some(pair::<$from, u8>()),
            Host::U16 => Some(pair::<$from, u16>()),
            Host::U32 => Some(pair::<$from, u32>()),
            Host::U64 => Some(pair::<$from, u64>()),
            Host::F32 => Some(pair::<$from, f32>()),
            Host::F64 => Some(pair::<$from, f64>()),
            Host::F16 | Host::BF16 => None,
        }
    };
}

/// The loop from one number to another, where the host has both; `to` is little-endian.
pub(super) fn kernel(from: &super::Number, to: &super::Number) -> Option<(Kernel, ByteOrder)> {
    let (from, order) = host(from)?;
    let (to, target_order) = host(to)?;
    if target_order != ByteOrder::LittleEndian {
        return None;
    }
    let kernel = match from {
        Host::I8 => by_target!(i8, to),
        Host::I16 => by_target!(i16, to),
        Host::I32 => by_target!(i32, to),
        Host::I64 => by_target!(i64, to),
        Host::U8 => by_target!(u8, to),
        Host::U16 => by_target!(u16, to),
        Host::U32 => by_target!(u32, to),
        Host::U64 => by_target!(u64, to),
        Host::F32 => by_target!(f32, to),
        Host::F64 => by_target!(f64, to),
        Host::F16 if to == Host::F32 => Some(pair::<f16, f32>()),
        Host::F16 if to == Host::F64 => Some(pair::<f16, f64>()),
        Host::BF16 if to == Host::F32 => Some(pair::<bf16, f32>()),
        Host::BF16 if to == Host::F64 => Some(pair::<bf16, f64>()),
        Host::F16 | Host::BF16 => None,
    };
    kernel.map(|kernel| (kernel, order))
}
