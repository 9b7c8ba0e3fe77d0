//! The scale-offset filter: what an element is above the smallest one, in as few bits as the largest needs.
//!
//! ```text
//!   0   4  number of bits of an element
//!   4   1  size of the smallest element: 8
//!   5   8  the smallest element
//!  13   8  zero
//!  21   n  the elements, each in so many bits, the most significant first; where that is all of them, as they are in
//!          little-endian order; one bit pattern, of ones only, stands for the fill value
//! ```

use super::bits::{BitReader, BitWriter};
use super::choices::{DECIMAL, INTEGER};
use super::{Elements, Filter, Known, Outcome, SCALE_OFFSET};
use crate::error::{Error, Result};
use crate::format::message::datatype::{ByteOrder, Datatype};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

const VALUES: usize = 20;
const HEADER: usize = 21;

pub(super) const KNOWN: Known = Known {
    id: SCALE_OFFSET,
    name: "scaleoffset",
    optional: true,
    local,
    make: |values| Ok(Box::new(ScaleOffset::new(values)?)),
};

/// As `set_local` of libhdf5: scale type, scale factor, elements, class, size, sign, order, whether there is a fill value,
/// and its bytes.
fn local(values: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let (&[scale, factor], true) = (values, values.len() == 2) else {
        return Err(Error::invalid(
            "scale-offset takes a scale type and a factor",
        ));
    };
    let (class, size, signed, order) = match elements.datatype {
        Datatype::Integer(integer) => (0, integer.size, integer.signed, integer.order),
        Datatype::Float(float) => (1, float.size, false, float.order),
        other => {
            return Err(Error::unsupported(format!(
                "the filter scaleoffset over elements that are {other}"
            )));
        }
    };
    let fits = match class {
        0 => scale == INTEGER && matches!(size, 1 | 2 | 4 | 8) && factor <= 8 * size,
        _ => scale == DECIMAL && matches!(size, 4 | 8),
    };
    if !fits || order == ByteOrder::Vax {
        return Err(Error::unsupported(format!(
            "the filter scaleoffset, of this scale type and factor, over elements that are {}",
            elements.datatype
        )));
    }
    let big = order == ByteOrder::BigEndian;
    let mut local = vec![
        scale,
        factor,
        elements.count()?,
        class,
        size,
        signed.into(),
        big.into(),
        1,
    ];
    let mut fill = elements.fill.to_vec();
    if big {
        fill.reverse();
    }
    local.extend(fill.chunks(4).map(|part| {
        let mut word = [0; 4];
        word[..part.len()].copy_from_slice(part);
        u32::from_le_bytes(word)
    }));
    local.resize(VALUES, 0);
    Ok(local)
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    /// Of integers, in so many bits; of zero bits: in as few as will do.
    Integer(u32),
    /// Of floating-point numbers, with so many decimal places.
    Decimal(i32),
}

struct ScaleOffset {
    scale: Scale,
    count: usize,
    size: usize,
    signed: bool,
    big: bool,
    fill: Option<u64>,
}

impl ScaleOffset {
    fn new(values: &[u32]) -> Result<Self> {
        let values: &[u32; VALUES] = values
            .try_into()
            .map_err(|_| Error::filter("scale-offset needs 20 parameters"))?;
        let &[
            scale,
            factor,
            count,
            class,
            size,
            sign,
            order,
            has_fill,
            low,
            high,
            ..,
        ] = values;
        let scale = match (class, scale, size) {
            // A factor below zero is none.
            (0, INTEGER, 1 | 2 | 4 | 8) if (factor as i32) < 0 => Scale::Integer(0),
            (0, INTEGER, 1 | 2 | 4 | 8) if factor <= 8 * size => Scale::Integer(factor),
            (1, DECIMAL, 4 | 8) => Scale::Decimal(factor as i32),
            _ => {
                return Err(Error::filter(
                    "scale-offset has parameters that do not go together",
                ));
            }
        };
        let fill = u64::from(high) << 32 | u64::from(low);
        Ok(Self {
            scale,
            count: count as usize,
            size: size as usize,
            signed: sign == 1,
            big: order == 1,
            fill: (has_fill == 1).then_some(fill & mask(8 * size)),
        })
    }

    fn bits(&self) -> u32 {
        8 * self.size as u32
    }

    /// Nothing is done: the elements take all bits.
    fn does_nothing(&self) -> bool {
        self.scale == Scale::Integer(self.bits())
    }

    fn len(&self) -> usize {
        self.count.saturating_mul(self.size)
    }
}

impl Filter for ScaleOffset {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        if self.does_nothing() {
            return Ok(Outcome::Unchanged);
        }
        if input.len() != self.len() {
            return Err(Error::filter(
                "scale-offset is given a chunk of another size",
            ));
        }
        match self.size {
            1 => self.encode_sized::<1>(input, output),
            2 => self.encode_sized::<2>(input, output),
            4 => self.encode_sized::<4>(input, output),
            _ => self.encode_sized::<8>(input, output),
        }
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        if self.does_nothing() {
            return Ok(Outcome::Unchanged);
        }
        if self.len() > limit {
            return Err(Error::filter("scale-offset makes a chunk of another size"));
        }
        match self.size {
            1 => self.decode_sized::<1>(input, output),
            2 => self.decode_sized::<2>(input, output),
            4 => self.decode_sized::<4>(input, output),
            _ => self.decode_sized::<8>(input, output),
        }?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(HEADER + 1)
    }

    fn keeps_size(&self) -> bool {
        self.does_nothing()
    }
}

/// How a chunk is packed.
struct Packing {
    bits: u32,
    smallest: u64,
}

impl ScaleOffset {
    fn encode_sized<const N: usize>(&self, input: &[u8], output: &mut Vec<u8>) {
        let (elements, _) = input.as_chunks::<N>();
        let words = elements.iter().map(|element| load(element, self.big));
        let all = self.bits();
        let packing = match self.scale {
            Scale::Integer(bits) => self.pack_integers(bits, words.clone()),
            Scale::Decimal(places) if N == 4 => single::pack(places, self.fill, words.clone()),
            Scale::Decimal(places) => double::pack(places, self.fill, words.clone()),
        };
        let Packing { bits, smallest } = packing;
        output.reserve(HEADER + input.len() + 1);
        output.extend_from_slice(&bits.to_le_bytes());
        output.push(8);
        output.extend_from_slice(&smallest.to_le_bytes());
        output.resize(HEADER, 0);
        if bits == all {
            words.for_each(|word| output.extend_from_slice(&word.to_le_bytes()[..N]));
            return;
        }
        let mut writer = BitWriter::new(output);
        if bits > 0 {
            match self.scale {
                Scale::Integer(_) => words.for_each(|word| {
                    let is_fill = Some(word) == self.fill;
                    let packed = if is_fill {
                        u64::MAX
                    } else {
                        word.wrapping_sub(smallest)
                    };
                    writer.put(packed, bits);
                }),
                Scale::Decimal(places) if N == 4 => {
                    single::write(places, self.fill, smallest, words, |word| {
                        writer.put(word, bits)
                    });
                }
                Scale::Decimal(places) => {
                    double::write(places, self.fill, smallest, words, |word| {
                        writer.put(word, bits)
                    });
                }
            }
        }
        writer.finish();
        // The last byte may be one too many, as libhdf5 has it.
        output.resize(HEADER + input.len() / N * bits as usize / 8 + 1, 0);
    }

    fn pack_integers(&self, bits: u32, words: impl Iterator<Item = u64>) -> Packing {
        let all = self.bits();
        // In this order signed numbers are those of unsigned ones.
        let flip = u64::from(self.signed) << (all - 1);
        let kept = words.filter(|word| Some(*word) != self.fill);
        let ends = kept
            .map(|word| word ^ flip)
            .fold(None, |ends, word| match ends {
                None => Some((word, word)),
                Some((min, max)) => Some((word.min(min), word.max(max))),
            });
        let (min, max) = ends.unwrap_or((flip, flip));
        let smallest = extend(min ^ flip, all, self.signed);
        if bits != 0 {
            return Packing { bits, smallest };
        }
        if max - min > mask(all) - 2 {
            return Packing {
                bits: all,
                smallest: 0,
            };
        }
        let patterns = max - min + 1 + u64::from(self.fill.is_some());
        let bits = bits_of(patterns);
        Packing { bits, smallest }
    }

    fn decode_sized<const N: usize>(&self, input: &[u8], output: &mut Vec<u8>) -> Result<()> {
        let cut = || Error::filter("a scale-offset chunk ends too early");
        let (header, packed) = input.split_first_chunk::<HEADER>().ok_or_else(cut)?;
        let &[a, b, c, d, size, ref smallest @ ..] = header;
        let bits = u32::from_le_bytes([a, b, c, d]);
        let all = self.bits();
        if bits > all {
            return Err(Error::filter("scale-offset has more bits than an element"));
        }
        let mut word = [0; 8];
        let len = usize::from(size).min(8);
        word[..len].copy_from_slice(&smallest[..len]);
        let smallest = u64::from_le_bytes(word);
        if bits == all {
            let whole = packed.get(..self.len()).ok_or_else(cut)?;
            output.extend_from_slice(whole);
            if self.big {
                output
                    .as_chunks_mut::<N>()
                    .0
                    .iter_mut()
                    .for_each(|element| element.reverse());
            }
            return Ok(());
        }
        // So many bits there must be, before memory is taken for what they stand for.
        let needed = (self.count as u64).saturating_mul(bits.into());
        if needed > (packed.len() as u64).saturating_mul(8) {
            return Err(cut());
        }
        output.reserve(self.len());
        match self.scale {
            Scale::Integer(_) => {
                self.unpack::<N>(packed, bits, output, |word| word.wrapping_add(smallest))
            }
            Scale::Decimal(places) if N == 4 => {
                self.unpack::<N>(packed, bits, output, single::restore(places, smallest))
            }
            Scale::Decimal(places) => {
                self.unpack::<N>(packed, bits, output, double::restore(places, smallest))
            }
        }
        .ok_or_else(cut)
    }

    fn unpack<const N: usize>(
        &self,
        packed: &[u8],
        bits: u32,
        output: &mut Vec<u8>,
        restore: impl Fn(u64) -> u64,
    ) -> Option<()> {
        let mut reader = BitReader::new(packed);
        let ones = mask(bits);
        for _ in 0..self.count {
            let word = match (reader.take(bits)?, self.fill) {
                (word, Some(fill)) if word == ones => fill,
                (word, _) => restore(word),
            };
            output.extend_from_slice(&store::<N>(word, self.big));
        }
        Some(())
    }
}

fn load<const N: usize>(element: &[u8; N], big: bool) -> u64 {
    let mut word = [0; 8];
    word[..N].copy_from_slice(element);
    if big {
        word[..N].reverse();
    }
    u64::from_le_bytes(word)
}

fn store<const N: usize>(word: u64, big: bool) -> [u8; N] {
    let mut element = [0; N];
    element.copy_from_slice(&word.to_le_bytes()[..N]);
    if big {
        element.reverse();
    }
    element
}

fn mask(bits: u32) -> u64 {
    match bits {
        0 => 0,
        bits => u64::MAX >> (64 - bits),
    }
}

fn extend(word: u64, bits: u32, signed: bool) -> u64 {
    match signed && word >> (bits - 1) != 0 {
        true => word | !mask(bits),
        false => word,
    }
}

/// The bits that tell so many patterns from each other.
fn bits_of(patterns: u64) -> u32 {
    64 - (patterns - 1).leading_zeros()
}

/// Numbers scaled by a power of ten and rounded, as libhdf5 computes it in the type of the numbers.
macro_rules! decimal {
    ($module:ident, $float:ident, $bits:ident) => {
        mod $module {
            use super::{Packing, bits_of};
            use alloc::format;

            fn power(places: i64) -> $float {
                format!("1e{places}").parse().unwrap_or($float::NAN)
            }

            fn float(word: u64) -> $float {
                $float::from_bits(word as $bits)
            }

            /// Halves are rounded away from zero.
            fn round(value: $float) -> i64 {
                let whole = value as i64;
                let rest = value - whole as $float;
                match rest {
                    0.5.. => whole + 1,
                    ..=-0.5 => whole - 1,
                    _ => whole,
                }
            }

            pub(super) fn pack(
                places: i32,
                fill: Option<u64>,
                words: impl Iterator<Item = u64> + Clone,
            ) -> Packing {
                let raw = Packing {
                    bits: $bits::BITS,
                    smallest: 0,
                };
                let mut values = words.map(float);
                if !values.clone().all($float::is_finite) {
                    return raw;
                }
                let near: f64 = format!("1e{}", -i64::from(places)).parse().unwrap_or(0.0);
                let fill = fill.map(float);
                let kept = |value: &$float| {
                    fill.is_none_or(|fill| {
                        let is_fill = f64::from((value - fill).abs()) < near;
                        !is_fill
                    })
                };
                let first = values.find(kept).unwrap_or(0.0);
                let (min, max) = values
                    .filter(kept)
                    .fold((first, first), |(min, max), value| {
                        (value.min(min), value.max(max))
                    });
                let scale = power(places.into());
                let range = max * scale - min * scale;
                // Also where it is no number.
                let within = range.abs() < (1_u64 << ($bits::BITS - 1)) as $float;
                let small = within && (max * scale).is_finite() && (min * scale).is_finite();
                if !small {
                    return raw;
                }
                let patterns = (round(range) + 1) as u64 + u64::from(fill.is_some());
                Packing {
                    bits: bits_of(patterns).min($bits::BITS),
                    smallest: min.to_bits().into(),
                }
            }

            pub(super) fn write(
                places: i32,
                fill: Option<u64>,
                smallest: u64,
                words: impl Iterator<Item = u64>,
                mut put: impl FnMut(u64),
            ) {
                let (scale, near) = (power(places.into()), power(-i64::from(places)));
                let (fill, min) = (fill.map(float), float(smallest) * scale);
                words.map(float).for_each(|value| {
                    let is_fill = fill.is_some_and(|fill| (value - fill).abs() < near);
                    put(match is_fill {
                        true => u64::MAX,
                        false => round(value * scale - min) as u64,
                    });
                });
            }

            pub(super) fn restore(places: i32, smallest: u64) -> impl Fn(u64) -> u64 {
                let (scale, min) = (power(places.into()), float(smallest));
                move |word| ((word as i64) as $float / scale + min).to_bits().into()
            }
        }
    };
}

decimal!(single, f32, u32);
decimal!(double, f64, u64);
