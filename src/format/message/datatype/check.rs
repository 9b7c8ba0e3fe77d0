//! What a datatype must be to be made. What is read may be otherwise.

use super::Datatype;
use crate::error::{Error, Result};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A message of an object header cannot be longer, with what surrounds it.
const MAX_MESSAGE: usize = 65_535 - 64;
/// As decoding has them.
const MAX_DEPTH: usize = 64;
const MAX_RANK: usize = 32;
/// The length of a tag, padded to a multiple of eight, has eight bits.
const MAX_TAG: usize = 248;

impl Datatype {
    /// Refuses what the format cannot say, or no reader would take; the error names the member of a compound.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_parts(0)?;
        if self.is_short() {
            return Ok(());
        }
        let len = self.encode(3).len();
        if len <= MAX_MESSAGE {
            return Ok(());
        }
        let error = Error::limit(
            "the size of a datatype in an object header",
            len as u64,
            MAX_MESSAGE as u64,
        );
        Err(match self.crossing() {
            Some(name) => error.in_member(name),
            None => error,
        })
    }

    /// Whether the message is a few bytes, without a look at them.
    fn is_short(&self) -> bool {
        match self {
            Self::Compound { .. } | Self::Enum { .. } => false,
            Self::Array { base, .. }
            | Self::VarLenSequence { base, .. }
            | Self::VarLenString { base, .. }
            | Self::Complex { base, .. } => base.is_short(),
            Self::Integer(_)
            | Self::Bitfield(_)
            | Self::Float(_)
            | Self::Time { .. }
            | Self::Opaque { .. }
            | Self::FixedString { .. }
            | Self::Reference { .. } => true,
        }
    }

    /// The member of a compound whose description is the first to be beyond the limit.
    fn crossing(&self) -> Option<&str> {
        let Self::Compound { members, .. } = self else {
            return None;
        };
        let mut end = 8;
        members
            .iter()
            .find(|member| {
                end += member.name.len() + 1 + member.datatype.encode(3).len();
                end > MAX_MESSAGE
            })
            .map(|member| member.name.as_str())
    }

    fn check_parts(&self, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            let (value, max) = (depth as u64, MAX_DEPTH as u64);
            return Err(Error::limit("nesting of datatypes", value, max));
        }
        if let Some(bytes) = self.size_of_array()
            && bytes > u64::from(u32::MAX)
        {
            return Err(Error::limit(
                "the size of an element",
                bytes,
                u32::MAX.into(),
            ));
        }
        match self {
            Self::Integer(number) | Self::Bitfield(number) => {
                let end = u64::from(number.bit_offset) + u64::from(number.precision);
                if number.precision == 0 || end > u64::from(number.size) * 8 {
                    return Err(Error::invalid("the bits of a number lie outside its bytes"));
                }
            }
            Self::Float(float) => {
                super::decode::check_float(float, u64::from(float.size) * 8)
                    .map_err(Error::invalid)?;
            }
            Self::Opaque { tag, .. } => {
                if tag.len() > MAX_TAG {
                    let (value, max) = (tag.len() as u64, MAX_TAG as u64);
                    return Err(Error::limit("the length of a tag", value, max));
                }
                check_name("a tag", tag)?;
            }
            Self::Compound { size, members } => {
                check_members(*size, members)?;
                for member in members {
                    let checked = member.datatype.check_parts(depth + 1);
                    checked.map_err(|error| error.in_member(&member.name))?;
                }
            }
            Self::Enum { base, members } => check_enum(base, members)?,
            Self::Array { dims, base } => {
                if dims.is_empty() || dims.len() > MAX_RANK {
                    let (value, max) = (dims.len() as u64, MAX_RANK as u64);
                    return Err(match dims.is_empty() {
                        true => Error::invalid("an array has no dimension"),
                        false => Error::limit("the rank of an array", value, max),
                    });
                }
                if dims.contains(&0) {
                    return Err(Error::invalid("an array has a dimension of 0"));
                }
                base.check_parts(depth + 1)?;
            }
            Self::VarLenSequence { base, .. } | Self::Complex { base, .. } => {
                base.check_parts(depth + 1)?;
            }
            Self::Time { .. }
            | Self::FixedString { .. }
            | Self::Reference { .. }
            | Self::VarLenString { .. } => {}
        }
        if self.size() == 0 {
            return Err(Error::invalid("the datatype has no size"));
        }
        Ok(())
    }

    fn size_of_array(&self) -> Option<u64> {
        let Self::Array { dims, base } = self else {
            return None;
        };
        let size = u64::from(base.size());
        Some(
            dims.iter()
                .fold(size, |size, &dim| size.saturating_mul(dim.into())),
        )
    }
}

/// Refuses what ends a name, and what would be read as another.
fn check_name(what: &str, name: &str) -> Result<()> {
    match name.contains('\0') {
        true => Err(Error::invalid(format!("{what} has a NUL"))),
        false => Ok(()),
    }
}

fn check_count(what: &'static str, count: usize) -> Result<()> {
    match count > usize::from(u16::MAX) {
        true => Err(Error::limit(what, count as u64, u16::MAX.into())),
        false => Ok(()),
    }
}

fn check_members(size: u32, members: &[super::CompoundMember]) -> Result<()> {
    if members.is_empty() {
        return Err(Error::invalid("a compound type has no members"));
    }
    check_count("the number of members of a compound type", members.len())?;
    let mut names = BTreeSet::new();
    let mut places = Vec::with_capacity(members.len());
    for member in members {
        let name = &member.name;
        check_name("the name of a member", name)?;
        if name.is_empty() {
            return Err(Error::invalid("the name of a member is empty"));
        }
        if !names.insert(name) {
            return Err(Error::invalid("there are two members of this name").in_member(name));
        }
        let end = u64::from(member.offset) + u64::from(member.datatype.size());
        if end > size.into() {
            let reason = "a member lies outside its compound type";
            return Err(Error::invalid(reason).in_member(name));
        }
        places.push((u64::from(member.offset), end, name));
    }
    places.sort_unstable();
    for pair in places.windows(2) {
        if pair[0].1 > pair[1].0 {
            let reason = format!("it overlaps the member {}", pair[0].2);
            return Err(Error::invalid(reason).in_member(pair[1].2));
        }
    }
    Ok(())
}

fn check_enum(base: &Datatype, members: &[(String, Vec<u8>)]) -> Result<()> {
    if !matches!(base, Datatype::Integer(_)) {
        return Err(Error::invalid("an enumeration is not of integers"));
    }
    base.check_parts(0)?;
    if members.is_empty() {
        return Err(Error::invalid("an enumeration has no members"));
    }
    check_count("the number of members of an enumeration", members.len())?;
    let (mut names, mut values) = (BTreeSet::new(), BTreeSet::new());
    for (name, value) in members {
        check_name("the name of a member", name)?;
        if name.is_empty() {
            return Err(Error::invalid("the name of a member is empty"));
        }
        let reason = if value.len() != base.size() as usize {
            "the value is of another size than the integer type"
        } else if !names.insert(name) {
            "there are two members of this name"
        } else if !values.insert(value) {
            "another member has the same value"
        } else {
            continue;
        };
        return Err(Error::invalid(reason).in_member(name));
    }
    Ok(())
}
