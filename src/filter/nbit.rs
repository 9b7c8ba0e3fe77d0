//! The n-bit filter: of each number only its significant bits, the most significant first.
//!
//! Its parameters describe the datatype: 1 a number (size, order, precision, offset), 2 an array (size, base), 3 a compound
//! (size, number of members, each with its offset), 4 bytes as they are (size). Before them: their number, whether nothing
//! is to be done, and the number of elements.

use super::bits::{BitReader, BitWriter};
use super::{Elements, Filter, Known, NBIT, Outcome};
use crate::error::{Error, Result};
use crate::format::message::datatype::{ByteOrder, Datatype};
use crate::format::message::filter_pipeline::MAX_VALUES;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

const NUMBER: u32 = 1;
const ARRAY: u32 = 2;
const COMPOUND: u32 = 3;
const BYTES: u32 = 4;

/// Arrays and compounds inside each other.
const MAX_DEPTH: usize = 64;

pub(super) const KNOWN: Known = Known {
    id: NBIT,
    name: "nbit",
    optional: true,
    local,
    make: |values| Ok(Box::new(Nbit::new(values)?)),
};

fn local(_: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let mut values = vec![0, 1, elements.count()?];
    // Nothing is done to others, and nothing said of them.
    if let datatype @ (Datatype::Integer(_)
    | Datatype::Float(_)
    | Datatype::Array { .. }
    | Datatype::Compound { .. }) = elements.datatype
    {
        describe(datatype, &mut values)?;
    }
    if values.len() > MAX_VALUES {
        let (value, max) = (values.len() as u64, MAX_VALUES as u64);
        return Err(Error::limit(
            "the number of parameters of n-bit",
            value,
            max,
        ));
    }
    values[0] = values.len() as u32;
    Ok(values)
}

fn describe(datatype: &Datatype, values: &mut Vec<u32>) -> Result<()> {
    let size = datatype.size();
    let (order, precision, offset) = match datatype {
        Datatype::Integer(number) => (number.order, number.precision, number.bit_offset),
        Datatype::Float(number) => (number.order, number.precision, number.bit_offset),
        Datatype::Array { base, .. } => {
            if is_var_len(base) {
                return Err(Error::unsupported(
                    "the filter nbit over arrays of elements of variable length",
                ));
            }
            values.extend([ARRAY, size]);
            return describe(base, values);
        }
        Datatype::Compound { members, .. } => {
            values.extend([COMPOUND, size, members.len() as u32]);
            let next = members.iter().skip(1).map(|member| member.offset);
            for (member, next) in members.iter().zip(next.chain([size])) {
                values.push(member.offset);
                match is_var_len(&member.datatype) {
                    // libhdf5 takes what is between two members for the size.
                    true => values.extend([BYTES, next.wrapping_sub(member.offset)]),
                    false => describe(&member.datatype, values)?,
                }
            }
            return Ok(());
        }
        _ => {
            values.extend([BYTES, size]);
            return Ok(());
        }
    };
    let big = match order {
        ByteOrder::LittleEndian => 0,
        ByteOrder::BigEndian => 1,
        ByteOrder::Vax => return Err(Error::unsupported("the filter nbit over VAX numbers")),
    };
    let (precision, offset) = (u32::from(precision), u32::from(offset));
    values.extend([NUMBER, size, big, precision, offset]);
    if offset != 0 || precision != 8 * size {
        values[1] = 0;
    }
    Ok(())
}

fn is_var_len(datatype: &Datatype) -> bool {
    matches!(
        datatype,
        Datatype::VarLenSequence { .. } | Datatype::VarLenString { .. }
    )
}

/// A part of an element.
enum Part {
    Number {
        size: usize,
        big: bool,
        precision: u32,
        offset: u32,
    },
    Array {
        size: usize,
        base: Box<Part>,
    },
    Compound {
        size: usize,
        members: Vec<(usize, Part)>,
    },
    Bytes(usize),
}

impl Part {
    fn parse(values: &mut core::slice::Iter<'_, u32>, depth: usize) -> Result<Self> {
        let broken = || Error::filter("n-bit has parameters that describe no datatype");
        if depth > MAX_DEPTH {
            return Err(broken());
        }
        let mut next = || values.next().copied().ok_or_else(broken);
        let (class, size) = (next()?, next()? as usize);
        let part = match class {
            NUMBER => {
                let (order, precision, offset) = (next()?, next()?, next()?);
                let bits = u64::from(precision) + u64::from(offset);
                if order > 1 || precision == 0 || bits > 8 * size as u64 {
                    return Err(broken());
                }
                Self::Number {
                    size,
                    big: order == 1,
                    precision,
                    offset,
                }
            }
            ARRAY => {
                let base = Box::new(match values.as_slice() {
                    // Its size is that of a part, which does not matter.
                    [BYTES, _, ..] => {
                        values.nth(1);
                        Self::Bytes(size)
                    }
                    _ => Self::parse(values, depth + 1)?,
                });
                Self::Array { size, base }
            }
            COMPOUND => {
                let (mut members, mut used) = (Vec::new(), 0_usize);
                for _ in 0..next()? {
                    let offset = values.next().copied().ok_or_else(broken)? as usize;
                    let part = Self::parse(values, depth + 1)?;
                    used = used.saturating_add(part.size());
                    if used > size || offset.saturating_add(part.size()) > size {
                        return Err(broken());
                    }
                    members.push((offset, part));
                }
                Self::Compound { size, members }
            }
            BYTES => Self::Bytes(size),
            _ => return Err(broken()),
        };
        match part.size() {
            0 => Err(broken()),
            _ => Ok(part),
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Number { size, .. } | Self::Array { size, .. } => *size,
            Self::Compound { size, .. } | Self::Bytes(size) => *size,
        }
    }

    fn encode(&self, element: &[u8], writer: &mut BitWriter<'_>) {
        match self {
            Self::Number {
                size,
                big,
                precision,
                offset,
            } => for_each_byte(*size, *big, *precision, *offset, |at, low, bits| {
                writer.put(u64::from(element[at] >> low), bits);
            }),
            Self::Array { base, .. } => element
                .chunks_exact(base.size())
                .for_each(|element| base.encode(element, writer)),
            Self::Compound { members, .. } => members.iter().for_each(|(offset, part)| {
                part.encode(&element[*offset..offset + part.size()], writer);
            }),
            Self::Bytes(_) => element.iter().for_each(|&byte| writer.put(byte.into(), 8)),
        }
    }

    /// `element` is zero.
    fn decode(&self, reader: &mut BitReader<'_>, element: &mut [u8]) -> Option<()> {
        match self {
            Self::Number {
                size,
                big,
                precision,
                offset,
            } => {
                let mut ended = false;
                for_each_byte(
                    *size,
                    *big,
                    *precision,
                    *offset,
                    |at, low, bits| match reader.take(bits) {
                        Some(value) => element[at] |= (value as u8) << low,
                        None => ended = true,
                    },
                );
                (!ended).then_some(())
            }
            Self::Array { base, .. } => element
                .chunks_exact_mut(base.size())
                .try_for_each(|element| base.decode(reader, element)),
            Self::Compound { members, .. } => members.iter().try_for_each(|(offset, part)| {
                part.decode(reader, &mut element[*offset..offset + part.size()])
            }),
            Self::Bytes(_) => element.iter_mut().try_for_each(|byte| {
                *byte = reader.take(8)? as u8;
                Some(())
            }),
        }
    }
}

/// The bytes that hold significant bits, the most significant first: which byte, its lowest bit and how many.
fn for_each_byte(
    size: usize,
    big: bool,
    precision: u32,
    offset: u32,
    mut visit: impl FnMut(usize, u32, u32),
) {
    let end = offset + precision;
    for byte in (offset / 8..end.div_ceil(8)).rev() {
        let low = offset.saturating_sub(8 * byte);
        let high = (end - 8 * byte).min(8);
        let at = byte as usize;
        visit(if big { size - 1 - at } else { at }, low, high - low);
    }
}

struct Nbit {
    count: usize,
    /// Nothing where all bits are significant.
    element: Option<Part>,
}

impl Nbit {
    fn new(values: &[u32]) -> Result<Self> {
        let &[all, nothing, count, ref rest @ ..] = values else {
            return Err(Error::filter("n-bit needs three parameters"));
        };
        if all as usize != values.len() {
            return Err(Error::filter("n-bit has another number of parameters"));
        }
        let element = match nothing {
            0 => Some(Part::parse(&mut rest.iter(), 0)?),
            _ => None,
        };
        Ok(Self {
            count: count as usize,
            element,
        })
    }

    fn len(&self, element: &Part) -> usize {
        self.count.saturating_mul(element.size())
    }
}

impl Filter for Nbit {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let Some(element) = &self.element else {
            return Ok(Outcome::Unchanged);
        };
        if input.len() != self.len(element) {
            return Err(Error::filter("n-bit is given a chunk of another size"));
        }
        output.reserve(input.len() + 1);
        let mut writer = BitWriter::new(output);
        match *element {
            Part::Number {
                size: size @ 1..=8,
                big,
                precision,
                offset,
            } => input.chunks_exact(size).for_each(|bytes| {
                writer.put(load(bytes, big) >> offset, precision);
            }),
            _ => input
                .chunks_exact(element.size())
                .for_each(|bytes| element.encode(bytes, &mut writer)),
        }
        if writer.finish() == 0 {
            // As libhdf5, whose last byte may be one too many.
            output.push(0);
        }
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let Some(element) = &self.element else {
            return Ok(Outcome::Unchanged);
        };
        let len = self.len(element);
        // Each element takes a bit at least.
        if len > limit || self.count > input.len().saturating_mul(8) {
            return Err(Error::filter("n-bit makes a chunk of another size"));
        }
        output.resize(len, 0);
        let mut reader = BitReader::new(input);
        let mut elements = output.chunks_exact_mut(element.size());
        let whole = match *element {
            Part::Number {
                size: size @ 1..=8,
                big,
                precision,
                offset,
            } => elements.try_for_each(|bytes| {
                let word = reader.take(precision)? << offset;
                store(word, bytes, size, big);
                Some(())
            }),
            _ => elements.try_for_each(|bytes| element.decode(&mut reader, bytes)),
        };
        whole.ok_or_else(|| Error::filter("an n-bit chunk ends too early"))?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(1)
    }

    fn keeps_size(&self) -> bool {
        self.element.is_none()
    }
}

fn load(bytes: &[u8], big: bool) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    if big {
        word[..bytes.len()].reverse();
    }
    u64::from_le_bytes(word)
}

fn store(word: u64, bytes: &mut [u8], size: usize, big: bool) {
    bytes.copy_from_slice(&word.to_le_bytes()[..size]);
    if big {
        bytes.reverse();
    }
}
