//! A datatype made ready to read values of it.

use super::Value;
use crate::bytes::Take;
use crate::dtype::number::{self, MAX_BYTES, Range};
use crate::dtype::scalar::{ieee, is_float};
use crate::dtype::{ELEMENT, F80, F128, H5Type, VarLenSource, extended, reference};
use crate::error::{Error, Result};
use crate::format::message::datatype::{
    ByteOrder, Datatype, FloatType, IntegerType, StringPadding,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// How an element is read. Sizes are those of the file, whose addresses may be narrower than 8 bytes.
#[derive(Debug)]
pub(crate) enum Node {
    Integer(IntegerType),
    F64(ByteOrder),
    Float(FloatType),
    F80(Datatype),
    F128(FloatType),
    Time(ByteOrder, u16),
    String(StringPadding),
    Bitfield(IntegerType),
    Bytes,
    Compound(Vec<Member>),
    Reference(Datatype),
    Enum(IntegerType, Vec<(Arc<str>, i128)>),
    VarLenString,
    Sequence(usize, Box<Node>),
    Array(usize, Box<Node>),
    Complex(Box<Node>),
}

/// A member of a compound: its bytes and how to read them.
#[derive(Debug)]
pub(crate) struct Member {
    name: Arc<str>,
    offset: usize,
    size: usize,
    node: Node,
}

impl Node {
    /// The way to read elements of `stored`.
    pub(crate) fn new(stored: &Datatype) -> Self {
        match stored {
            Datatype::Integer(integer) if number::is_i128(integer) => Self::Integer(*integer),
            Datatype::Integer(_) | Datatype::Opaque { .. } => Self::Bytes,
            Datatype::Float(float) => Self::float(stored, float),
            Datatype::Time {
                size,
                order,
                precision,
            } if *size as usize <= MAX_BYTES => Self::Time(*order, *precision),
            Datatype::Time { .. } => Self::Bytes,
            Datatype::FixedString { padding, .. } => Self::String(*padding),
            Datatype::Bitfield(bits) if bits.size as usize <= MAX_BYTES => Self::Bitfield(*bits),
            Datatype::Bitfield(_) => Self::Bytes,
            Datatype::Compound { members, .. } => {
                let members = members.iter().map(|member| Member {
                    name: member.name.as_str().into(),
                    offset: member.offset as usize,
                    size: member.datatype.size() as usize,
                    node: Self::new(&member.datatype),
                });
                Self::Compound(members.collect())
            }
            Datatype::Reference { .. } => Self::Reference(stored.clone()),
            Datatype::Enum { base, members } => match &**base {
                Datatype::Integer(integer) if number::is_i128(integer) => {
                    let members = members.iter().map(|(name, value)| {
                        (name.as_str().into(), number::integer(integer, value))
                    });
                    Self::Enum(*integer, members.collect())
                }
                base => Self::new(base),
            },
            Datatype::VarLenString { .. } => Self::VarLenString,
            Datatype::VarLenSequence { base, .. } => {
                Self::Sequence(base.size() as usize, Box::new(Self::new(base)))
            }
            Datatype::Array { base, .. } => {
                Self::Array(base.size() as usize, Box::new(Self::new(base)))
            }
            Datatype::Complex { base, .. } => Self::Complex(Box::new(Self::new(base))),
        }
    }

    fn float(stored: &Datatype, float: &FloatType) -> Self {
        if is_float(stored, ieee(8, 11)) {
            Self::F64(float.order)
        } else if F80::matches(stored) {
            Self::F80(stored.clone())
        } else if !number::has_parts(float) {
            Self::Bytes
        } else if Range::F64.holds(&Range::of(float)) {
            Self::Float(*float)
        } else {
            Self::F128(*float)
        }
    }

    /// The elements of `size` bytes each that `bytes` hold.
    pub(crate) fn read_all(
        &self,
        bytes: &[u8],
        size: usize,
        heap: &mut dyn VarLenSource,
    ) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        let count = bytes.len() / size.max(1);
        values.try_reserve_exact(count).map_err(|_| {
            Error::limit(
                "the number of values in memory",
                count as u64,
                isize::MAX as u64,
            )
        })?;
        for element in bytes.chunks_exact(size.max(1)) {
            values.push(self.read(element, heap)?);
        }
        Ok(values)
    }

    fn read(&self, bytes: &[u8], heap: &mut dyn VarLenSource) -> Result<Value> {
        Ok(match self {
            Self::Integer(integer) => Value::Integer(number::integer(integer, bytes)),
            Self::F64(order) => Value::Float(f64::from_bits(number::bits(bytes, *order) as u64)),
            Self::Float(float) => {
                let (negative, parts) = number::float(float, bytes);
                Value::Float(extended::to_f64(negative, &parts))
            }
            Self::F80(stored) => match F80::decode(bytes, stored, heap)?.first() {
                Some(value) => Value::F80(*value),
                None => Value::Bytes(bytes.to_vec()),
            },
            Self::F128(float) => {
                let (negative, parts) = number::float(float, bytes);
                Value::F128(F128::new(negative, &parts))
            }
            Self::Time(order, precision) => {
                Value::Time(significant_time(bytes, *order, *precision))
            }
            Self::String(padding) => text(unpadded(bytes, *padding)),
            Self::Bitfield(bits) => Value::Bitfield(number::significant(bits, bytes)),
            Self::Bytes => Value::Bytes(bytes.to_vec()),
            Self::Compound(members) => {
                let mut values = Vec::with_capacity(members.len());
                for member in members {
                    let place = member.offset..member.offset.saturating_add(member.size);
                    let part = bytes.get(place).ok_or_else(|| {
                        Error::corrupt(ELEMENT, "a member lies outside its compound type")
                    })?;
                    values.push((member.name.clone(), member.node.read(part, heap)?));
                }
                Value::Compound(values)
            }
            Self::Reference(stored) => Value::Reference(reference::decode(stored, bytes, heap)?),
            Self::Enum(integer, members) => {
                let value = number::integer(integer, bytes);
                let member = members.iter().find(|member| member.1 == value);
                Value::Enum {
                    name: member.map(|member| member.0.clone()),
                    value,
                }
            }
            Self::VarLenString => {
                let stored = sequence(bytes, 1, heap)?;
                text(unpadded(&stored, StringPadding::NullTerminate))
            }
            Self::Sequence(size, node) => {
                Value::Sequence(node.read_all(&sequence(bytes, *size, heap)?, *size, heap)?)
            }
            Self::Array(size, node) => Value::Array(node.read_all(bytes, *size, heap)?),
            Self::Complex(node) => {
                let (real, imaginary) = bytes.split_at(bytes.len() / 2);
                Value::Complex(Box::new([
                    node.read(real, heap)?,
                    node.read(imaginary, heap)?,
                ]))
            }
        })
    }
}

/// The bits of a time that are significant.
fn significant_time(bytes: &[u8], order: ByteOrder, precision: u16) -> u128 {
    let bits = number::bits(bytes, order);
    match 1_u128.checked_shl(precision.into()) {
        Some(end) => bits & (end - 1),
        None => bits,
    }
}

/// The bytes that an element of variable length, of parts of `size` bytes, has in the heap.
fn sequence(element: &[u8], size: usize, heap: &mut dyn VarLenSource) -> Result<Vec<u8>> {
    let mut take = Take::new(element, ELEMENT, 0);
    let len = take.u32()?;
    let address = take.uint(heap.offset_width())?;
    let index = take.u32()?;
    let mut bytes = Vec::new();
    // Readers take both for the empty sequence.
    if len > 0 && address != 0 {
        let len = (len as usize).checked_mul(size).ok_or_else(|| {
            Error::limit("the length of a sequence", len.into(), usize::MAX as u64)
        })?;
        heap.read(address, index, len, &mut bytes)?;
    }
    Ok(bytes)
}

/// A string without what fills its place.
pub(in crate::dtype) fn unpadded(bytes: &[u8], padding: StringPadding) -> &[u8] {
    let until_last = |fill: u8| {
        let last = bytes.iter().rposition(|&byte| byte != fill);
        &bytes[..last.map_or(0, |last| last + 1)]
    };
    match padding {
        StringPadding::NullTerminate => bytes.split(|&byte| byte == 0).next().unwrap_or_default(),
        StringPadding::NullPad => until_last(0),
        StringPadding::SpacePad => until_last(b' '),
    }
}

fn text(bytes: &[u8]) -> Value {
    match core::str::from_utf8(bytes) {
        Ok(text) => Value::String(String::from(text)),
        Err(_) => Value::Bytes(bytes.to_vec()),
    }
}
