//! Enumerations. What `#[derive(H5Type)]` writes for an enum calls this.

use super::{H5Type, VarLenSink, VarLenSource, expect, number};
use crate::error::{Error, Result};
use crate::format::message::datatype::{ByteOrder, Datatype};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// How many members an error names.
const MAX_NAMED: usize = 16;

/// The enumeration of names and values of the integer type `base`.
pub fn datatype(base: Datatype, members: &[(&str, i128)]) -> Datatype {
    let size = base.size() as usize;
    let little = base.byte_order() != Some(ByteOrder::BigEndian);
    let members = members.iter().map(|(name, value)| {
        let mut bytes = value.to_le_bytes()[..size.min(16)].to_vec();
        if !little {
            bytes.reverse();
        }
        (String::from(*name), bytes)
    });
    Datatype::Enum {
        members: members.collect(),
        base: Box::new(base),
    }
}

/// Whether `stored` is an enumeration of these names and values, of an integer type that `base` agrees to.
pub fn matches(stored: &Datatype, base: fn(&Datatype) -> bool, members: &[(&str, i128)]) -> bool {
    let Datatype::Enum {
        base: stored_base,
        members: stored_members,
    } = stored
    else {
        return false;
    };
    let Datatype::Integer(integer) = &**stored_base else {
        return false;
    };
    base(stored_base)
        && stored_members.len() == members.len()
        && members.iter().all(|(name, value)| {
            let found = stored_members.iter().find(|member| member.0 == *name);
            found.is_some_and(|(_, bytes)| number::integer(integer, bytes) == *value)
        })
}

fn base_of<T: H5Type>(stored: &Datatype) -> Result<&Datatype> {
    expect::<T>(stored)?;
    match stored {
        Datatype::Enum { base, .. } => Ok(base),
        _ => Err(Error::invalid("not an enumeration")),
    }
}

/// Encodes the integers of the values of an enum `T`.
///
/// # Errors
/// `stored` is not `T`.
pub fn encode<T: H5Type, I: H5Type>(
    values: impl Iterator<Item = I>,
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let base = base_of::<T>(stored)?;
    let values: Vec<I> = values.collect();
    I::encode(&values, base, heap, out)
}

/// Makes values of an enum `T` from its integers; `make` gives `None` for what is no member, which `widen` makes one that
/// an error can name.
///
/// # Errors
/// `stored` is not `T`, or a value is no member.
pub fn decode<T: H5Type, I: H5Type + Copy>(
    bytes: &[u8],
    stored: &Datatype,
    heap: &mut dyn VarLenSource,
    make: impl Fn(I) -> Option<T>,
    widen: impl Fn(I) -> i128,
) -> Result<Vec<T>> {
    let integers = I::decode(bytes, base_of::<T>(stored)?, heap)?;
    let mut values = Vec::with_capacity(integers.len());
    for integer in integers {
        match make(integer) {
            Some(value) => values.push(value),
            None => return Err(no_member(stored, widen(integer))),
        }
    }
    Ok(values)
}

/// The error of a value that is no member of an enumeration.
pub(super) fn no_member(stored: &Datatype, value: i128) -> Error {
    let members = stored.enum_members();
    let mut text = format!("{value} is none of the values of the enumeration (");
    for (index, (name, value)) in members.iter().take(MAX_NAMED).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{name} = {value}");
    }
    text.push_str(if members.len() > MAX_NAMED {
        ", ...)"
    } else {
        ")"
    });
    Error::invalid(text)
}
