//! Values that `common.py` computes too: element `index` of a dataset with a `seed` has bits from a hash of both.

use h5quill::{F80, F128, FixedAscii, FixedUnicode, H5Type, VarLenAscii, VarLenUnicode};
use half::{bf16, f16};

/// 64 bits of a seed and an index.
pub fn mix(seed: u64, index: u64) -> u64 {
    let mut x = (index + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(seed.wrapping_mul(0xD1B5_4A32_D192_ED03));
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^ (x >> 29)
}

/// Where the fill value of a dataset with a fill value comes from.
pub const FILL_INDEX: u64 = 1 << 40;

/// Seeds from here on have strings of more than 64 KiB among them.
pub const LONG_STRINGS: u64 = 1000;

pub trait Sample: H5Type {
    /// What `common.py` calls the type.
    fn token() -> String;
    fn sample(seed: u64, index: u64) -> Self;
}

macro_rules! numbers {
    ($($type:ty, $token:literal, |$x:ident| $value:expr;)*) => {$(
        impl Sample for $type {
            fn token() -> String {
                $token.into()
            }

            fn sample(seed: u64, index: u64) -> Self {
                let $x = mix(seed, index);
                $value
            }
        }
    )*};
}

numbers! {
    i8, "i1", |x| x as i8;
    i16, "i2", |x| x as i16;
    i32, "i4", |x| x as i32;
    i64, "i8", |x| x as i64;
    u8, "u1", |x| x as u8;
    u16, "u2", |x| x as u16;
    u32, "u4", |x| x as u32;
    u64, "u8", |x| x;
    f16, "f2", |x| f16::from_bits(x as u16);
    bf16, "bf16", |x| bf16::from_bits(x as u16);
    f32, "f4", |x| f32::from_bits(x as u32);
    f64, "f8", |x| f64::from_bits(x);
    F80, "f80", |x| F80::from_bits((x ^ (x >> 16)) as u16, x | 1 << 63);
    F128, "f128", |x| F128::from_bits(u128::from(x) << 64 | u128::from(!x));
    bool, "bool", |x| x & 1 != 0;
    FixedAscii<8>, "S8", |x| ascii(x).parse().unwrap();
    FixedUnicode<12>, "U12", |x| unicode(x, x % 4).parse().unwrap();
    VarLenAscii, "vascii", |x| ascii(x).parse().unwrap();
}

fn ascii(x: u64) -> String {
    (0..x % 9)
        .map(|at| char::from(33 + ((x >> (8 + 5 * at)) % 94) as u8))
        .collect()
}

/// Characters of one to four bytes.
fn unicode(x: u64, len: u64) -> String {
    (0..len)
        .map(|at| ['a', 'é', '♀', '😀', 'Z'][((x >> (8 + 3 * at)) % 5) as usize])
        .collect()
}

fn text(seed: u64, index: u64) -> String {
    if seed >= LONG_STRINGS && index % 4 == 3 {
        return "é".repeat(40_000 + index as usize);
    }
    let x = mix(seed, index);
    unicode(x, x % 8)
}

impl Sample for String {
    fn token() -> String {
        "vstr".into()
    }

    fn sample(seed: u64, index: u64) -> Self {
        text(seed, index)
    }
}

impl Sample for VarLenUnicode {
    fn token() -> String {
        "vstr".into()
    }

    fn sample(seed: u64, index: u64) -> Self {
        text(seed, index).parse().unwrap()
    }
}

impl<T: Sample, const N: usize> Sample for [T; N] {
    fn token() -> String {
        format!("{N}*{}", T::token())
    }

    fn sample(seed: u64, index: u64) -> Self {
        core::array::from_fn(|at| T::sample(seed, index * N as u64 + at as u64))
    }
}
