//! Values whose type is known only at run time, written.

use super::Value;
use crate::dtype::convert::{Taken, put_number};
use crate::dtype::element::rehearse;
use crate::dtype::fixed_string::{check_charset, put as put_fixed};
use crate::dtype::reference::Reference;
use crate::dtype::sequence::{check_len, put as put_sequence};
use crate::dtype::{F80, H5Type, VarLenSink, enumeration, varlen_string};
use crate::error::{Error, Result};
use crate::format::message::datatype::{ByteOrder, CompoundMember, Datatype};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

/// The bytes of elements as `stored` has them. Nothing is kept in the heap unless every value can be stored.
pub(crate) fn encode_values(
    values: &[Value],
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
) -> Result<Vec<u8>> {
    let size = stored.size() as usize;
    rehearse(stored, heap, |heap| {
        let mut place = vec![0; size];
        values.iter().try_for_each(|value| {
            place.fill(0);
            put(value, stored, heap, &mut place)
        })
    })?;
    if let Datatype::VarLenString { charset, .. } = stored {
        for value in values {
            check_text(value, *charset, stored, heap)?;
        }
    }
    let mut out = vec![0; size.saturating_mul(values.len())];
    put_all(values, stored, heap, &mut out)?;
    Ok(out)
}

fn put_all(
    values: &[Value],
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    places: &mut [u8],
) -> Result<()> {
    let places = places.chunks_exact_mut((stored.size() as usize).max(1));
    for (value, place) in values.iter().zip(places) {
        put(value, stored, heap, place)?;
    }
    Ok(())
}

/// The error of a value that the datatype does not have.
fn refuse<T>(value: &Value, stored: &Datatype) -> Result<T> {
    let text = match value {
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::F80(number) => number.to_string(),
        Value::F128(number) => number.to_string(),
        Value::Time(bits) => format!("the time {bits}"),
        Value::String(text) => format!("the string {text:?}"),
        Value::Bitfield(bits) => format!("the bit field {bits:#x}"),
        Value::Bytes(bytes) => format!("a value of {} bytes", bytes.len()),
        Value::Compound(_) => "a compound".into(),
        Value::Reference(_) => "a reference".into(),
        Value::Enum {
            name: Some(name), ..
        } => format!("the member {name} of an enumeration"),
        Value::Enum { name: None, value } => format!("the value {value} of an enumeration"),
        Value::Sequence(values) => format!("a sequence of {}", values.len()),
        Value::Array(values) => format!("an array of {} elements", values.len()),
        Value::Complex(_) => "a complex number".into(),
    };
    Err(Error::invalid(format!("{text} is no {stored}")))
}

/// Writes an element to a place of its size, which holds zeros.
fn put(
    value: &Value,
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    place: &mut [u8],
) -> Result<()> {
    match (stored, value) {
        (Datatype::Enum { .. }, _) => put_enum(value, stored, place),
        (Datatype::Integer(_) | Datatype::Float(_) | Datatype::Opaque { .. }, Value::Bytes(_)) => {
            put_bytes(value, stored, place)
        }
        (Datatype::Integer(_) | Datatype::Float(_), _) => put_any_number(value, stored, place),
        (
            Datatype::Time {
                order, precision, ..
            },
            Value::Time(bits),
        ) => put_bits(*bits, (*precision).into(), 0, *order, place)
            .map_or_else(|| refuse(value, stored), Ok),
        (Datatype::Bitfield(field), Value::Bitfield(bits)) => {
            let (precision, offset) = (field.precision.into(), field.bit_offset.into());
            put_bits(*bits, precision, offset, field.order, place)
                .map_or_else(|| refuse(value, stored), Ok)
        }
        (Datatype::Time { .. } | Datatype::Bitfield(_), Value::Bytes(_)) => {
            put_bytes(value, stored, place)
        }
        (
            Datatype::FixedString {
                size,
                padding,
                charset,
            },
            _,
        ) => {
            let text = match value {
                Value::String(text) => text.as_bytes(),
                Value::Bytes(bytes) => bytes,
                _ => return refuse(value, stored),
            };
            if let Value::String(text) = value {
                check_charset(text, *charset, heap)?;
            }
            let mut out = Vec::with_capacity(place.len());
            put_fixed(text, *size as usize, *padding, heap, &mut out)?;
            place.copy_from_slice(&out);
            Ok(())
        }
        (Datatype::VarLenString { charset, .. }, _) => {
            let text = check_text(value, *charset, stored, heap)?;
            let len = check_len(text.len(), 1)?;
            put_in_heap(len, text, heap, place)
        }
        (Datatype::Compound { members, .. }, Value::Compound(parts)) => {
            put_compound(parts, stored, members, heap, place)
        }
        (Datatype::Reference { .. }, Value::Reference(reference)) => {
            put_reference(reference, stored, heap, place)
        }
        (Datatype::VarLenSequence { base, .. }, Value::Sequence(parts)) => {
            let len = check_len(parts.len(), base.size())?;
            let mut bytes = vec![0; parts.len() * base.size() as usize];
            put_all(parts, base, heap, &mut bytes)?;
            put_in_heap(len, &bytes, heap, place)
        }
        (Datatype::Array { base, .. }, Value::Array(parts))
            if parts.len() * base.size() as usize == place.len() =>
        {
            put_all(parts, base, heap, place)
        }
        (Datatype::Complex { base, .. }, Value::Complex(parts)) => {
            put_all(&parts[..], base, heap, place)
        }
        _ => refuse(value, stored),
    }
}

/// The bytes of a string of variable length, checked.
fn check_text<'a>(
    value: &'a Value,
    charset: crate::format::message::datatype::CharacterSet,
    stored: &Datatype,
    heap: &dyn VarLenSink,
) -> Result<&'a [u8]> {
    match value {
        Value::String(text) => {
            varlen_string::check(text, charset, Some(heap))?;
            Ok(text.as_bytes())
        }
        Value::Bytes(bytes) if bytes.contains(&0) => {
            Err(Error::invalid("a string contains a zero byte"))
        }
        Value::Bytes(bytes) => Ok(bytes),
        _ => refuse(value, stored),
    }
}

fn put_bytes(value: &Value, stored: &Datatype, place: &mut [u8]) -> Result<()> {
    match value {
        Value::Bytes(bytes) if bytes.len() == place.len() => {
            place.copy_from_slice(bytes);
            Ok(())
        }
        _ => refuse(value, stored),
    }
}

fn put_any_number(value: &Value, stored: &Datatype, place: &mut [u8]) -> Result<()> {
    let taken = match value {
        Value::F80(number) if F80::matches(stored) => {
            place.copy_from_slice(&number.to_stored(stored));
            return Ok(());
        }
        Value::Integer(number) if stored.is_integer() => Taken::Integer(*number),
        Value::Float(number) if stored.is_float() => Taken::from(*number),
        Value::F80(number) if stored.is_float() => Taken::from(*number),
        Value::F128(number) if stored.is_float() => Taken::from(*number),
        _ => return refuse(value, stored),
    };
    match put_number(stored, &taken, place) {
        Some(true) => Ok(()),
        Some(false) => refuse(value, stored),
        None => Err(Error::unsupported(format!("writing values of {stored}"))),
    }
}

/// Writes the significant bits of a number; `None` where they are too many.
fn put_bits(
    bits: u128,
    precision: u32,
    offset: u32,
    order: ByteOrder,
    place: &mut [u8],
) -> Option<()> {
    if bits.checked_shr(precision).unwrap_or(0) != 0 || place.len() > 16 {
        return None;
    }
    let bytes = bits.checked_shl(offset)?.to_le_bytes();
    place.copy_from_slice(&bytes[..place.len()]);
    if order == ByteOrder::BigEndian {
        place.reverse();
    }
    Some(())
}

fn put_enum(value: &Value, stored: &Datatype, place: &mut [u8]) -> Result<()> {
    let Datatype::Enum { base, members } = stored else {
        return refuse(value, stored);
    };
    let named = |name: &str| members.iter().find(|member| member.0 == name);
    let number = match value {
        Value::String(name) => {
            let Some((_, bytes)) = named(name) else {
                return Err(Error::invalid(format!(
                    "there is no member {name} in {stored}"
                )));
            };
            place.copy_from_slice(bytes);
            return Ok(());
        }
        Value::Enum {
            name,
            value: number,
        } => {
            let of_name = name.as_ref().and_then(|name| {
                let members = stored.enum_members();
                members
                    .iter()
                    .find(|member| member.0 == &**name)
                    .map(|member| member.1)
            });
            if name.is_some() && of_name != Some(*number) {
                return refuse(value, stored);
            }
            // Read from an element that is no member: it can be written back.
            if name.is_none() && put_number(base, &Taken::Integer(*number), place) == Some(true) {
                return Ok(());
            }
            *number
        }
        Value::Integer(number) => *number,
        _ => return put_bytes(value, stored, place),
    };
    if put_number(base, &Taken::Integer(number), place) != Some(true)
        || !members.iter().any(|(_, bytes)| bytes == place)
    {
        return Err(enumeration::no_member(stored, number));
    }
    Ok(())
}

fn put_compound(
    parts: &[(alloc::sync::Arc<str>, Value)],
    stored: &Datatype,
    members: &[CompoundMember],
    heap: &mut dyn VarLenSink,
    place: &mut [u8],
) -> Result<()> {
    for (index, member) in members.iter().enumerate() {
        let by_index = parts.get(index).filter(|part| *part.0 == *member.name);
        let part = by_index.or_else(|| parts.iter().find(|part| *part.0 == *member.name));
        let Some((name, value)) = part else {
            let reason = format!("the value has no such member of {stored}");
            return Err(Error::invalid(reason).in_member(&member.name));
        };
        let from = member.offset as usize;
        let to = from.saturating_add(member.datatype.size() as usize);
        let Some(place) = place.get_mut(from..to) else {
            let reason = "a member lies outside its compound type";
            return Err(Error::invalid(reason).in_member(name));
        };
        put(value, &member.datatype, heap, place).map_err(|error| error.in_member(name))?;
    }
    if let Some((name, _)) = parts
        .iter()
        .find(|part| !members.iter().any(|member| *member.name == *part.0))
    {
        return Err(Error::invalid(format!("there is no such member in {stored}")).in_member(name));
    }
    if parts.len() != members.len() {
        return Err(Error::invalid("the value has a member twice"));
    }
    Ok(())
}

fn put_reference(
    reference: &Reference,
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    place: &mut [u8],
) -> Result<()> {
    let fits = match (reference, stored) {
        (Reference::Object(_), Datatype::Reference { kind: 0, .. })
        | (Reference::Region(_), Datatype::Reference { kind: 1, .. })
        | (_, Datatype::Reference { kind: 2.., .. }) => true,
        (Reference::Object(object), Datatype::Reference { kind: 1, .. }) => object.is_null(),
        _ => false,
    };
    if !fits {
        return refuse(&Value::Reference(reference.clone()), stored);
    }
    let mut out = Vec::with_capacity(place.len());
    Reference::encode(core::slice::from_ref(reference), stored, heap, &mut out)?;
    place.copy_from_slice(&out);
    Ok(())
}

fn put_in_heap(len: u32, bytes: &[u8], heap: &mut dyn VarLenSink, place: &mut [u8]) -> Result<()> {
    let mut out = Vec::with_capacity(place.len());
    put_sequence(len, bytes, heap, &mut out)?;
    if out.len() != place.len() {
        return Err(Error::invalid(String::from(
            "an element of another size than its type",
        )));
    }
    place.copy_from_slice(&out);
    Ok(())
}
