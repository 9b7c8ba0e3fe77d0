//! The bytes of a datatype message, read.

use super::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, NAME, Normalization,
    StringPadding, VAR_LEN_SIZE, offset_width,
};
use crate::bytes::Take;
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// How deep datatypes may be nested.
const MAX_DEPTH: usize = 64;
/// The largest rank of an array.
const MAX_RANK: u8 = 32;

/// What opens every datatype.
struct Header {
    version: u8,
    class: u8,
    /// The class bit field, 24 bits.
    flags: u32,
    size: u32,
}

impl Header {
    fn decode(take: &mut Take<'_>) -> Result<Self> {
        let word = take.u32()?;
        let header = Self {
            version: (word >> 4 & 0x0f) as u8,
            class: (word & 0x0f) as u8,
            flags: word >> 8,
            size: take.u32()?,
        };
        if !(1..=5).contains(&header.version) {
            return Err(take.error("unknown version"));
        }
        if header.size == 0 {
            return Err(take.error("the size is 0"));
        }
        Ok(header)
    }

    fn bit(&self, bit: u32) -> bool {
        self.flags >> bit & 1 != 0
    }

    fn order(&self) -> ByteOrder {
        if self.bit(0) {
            ByteOrder::BigEndian
        } else {
            ByteOrder::LittleEndian
        }
    }

    fn member_count(&self) -> usize {
        (self.flags & 0xffff) as usize
    }

    /// The size of an element in bits.
    fn bits(&self) -> u64 {
        u64::from(self.size) * 8
    }

    /// A size of an element that must agree with its parts.
    fn check_size(&self, expected: u64, take: &Take<'_>) -> Result<()> {
        if u64::from(self.size) != expected {
            return Err(take.error("the size differs from what the parts need"));
        }
        Ok(())
    }
}

/// Decodes the datatype at the cursor and returns it with its version.
pub(super) fn datatype(take: &mut Take<'_>, depth: usize) -> Result<(Datatype, u8)> {
    if depth > MAX_DEPTH {
        return Err(Error::limit(
            "nesting of datatypes",
            depth as u64,
            MAX_DEPTH as u64,
        ));
    }
    let header = Header::decode(take)?;
    let base = |take: &mut Take<'_>| -> Result<Box<Datatype>> {
        Ok(Box::new(datatype(take, depth + 1)?.0))
    };
    let datatype = match header.class {
        0 => Datatype::Integer(integer(take, &header)?),
        1 => Datatype::Float(float(take, &header)?),
        2 => Datatype::Time {
            size: header.size,
            order: header.order(),
            precision: take.u16()?,
        },
        3 => Datatype::FixedString {
            size: header.size,
            padding: padding(header.flags & 0x0f)?,
            charset: charset(header.flags >> 4 & 0x0f)?,
        },
        4 => Datatype::Bitfield(IntegerType {
            signed: false,
            ..integer(take, &header)?
        }),
        5 => Datatype::Opaque {
            size: header.size,
            tag: tag(take, &header)?,
        },
        6 => compound(take, &header, depth)?,
        7 => Datatype::Reference {
            size: header.size,
            kind: (header.flags & 0x0f) as u8,
            version: (header.flags >> 4 & 0x0f) as u8,
        },
        8 => enumeration(&header, base(take)?, take)?,
        9 => variable_length(&header, base(take)?, take)?,
        10 => {
            let dims = dimensions(take, &header)?;
            let base = base(take)?;
            array(take, &header, dims, base)?
        }
        11 => {
            let base = base(take)?;
            header.check_size(u64::from(base.size()) * 2, take)?;
            Datatype::Complex {
                size: header.size,
                flags: header.flags,
                base,
            }
        }
        _ => return Err(take.error("unknown class")),
    };
    Ok((datatype, header.version))
}

fn integer(take: &mut Take<'_>, header: &Header) -> Result<IntegerType> {
    let integer = IntegerType {
        size: header.size,
        order: header.order(),
        signed: header.bit(3),
        bit_offset: take.u16()?,
        precision: take.u16()?,
        low_pad: header.bit(1),
        high_pad: header.bit(2),
    };
    let end = u64::from(integer.bit_offset) + u64::from(integer.precision);
    if integer.precision == 0 || end > header.bits() {
        return Err(take.error("the bits of a number lie outside its bytes"));
    }
    Ok(integer)
}

fn float(take: &mut Take<'_>, header: &Header) -> Result<FloatType> {
    let vax = header.version >= 3 && header.bit(6);
    if vax && !header.bit(0) {
        return Err(take.error("unknown byte order"));
    }
    let float = FloatType {
        size: header.size,
        order: if vax { ByteOrder::Vax } else { header.order() },
        sign_location: (header.flags >> 8 & 0xff) as u8,
        bit_offset: take.u16()?,
        precision: take.u16()?,
        exponent_location: take.u8()?,
        exponent_size: take.u8()?,
        mantissa_location: take.u8()?,
        mantissa_size: take.u8()?,
        exponent_bias: take.u32()?,
        normalization: match header.flags >> 4 & 3 {
            0 => Normalization::None,
            1 => Normalization::MostSignificantSet,
            2 => Normalization::Implied,
            _ => return Err(take.error("unknown mantissa normalization")),
        },
        low_pad: header.bit(1),
        high_pad: header.bit(2),
        internal_pad: header.bit(3),
    };
    check_float(&float, header.bits()).map_err(|reason| take.error(reason))?;
    Ok(float)
}

/// The bit fields must be inside the element and apart from each other.
pub(super) fn check_float(float: &FloatType, bits: u64) -> Result<(), &'static str> {
    let range = |location: u8, size: u8| u64::from(location)..u64::from(location) + u64::from(size);
    let sign = range(float.sign_location, 1);
    let exponent = range(float.exponent_location, float.exponent_size);
    let mantissa = range(float.mantissa_location, float.mantissa_size);
    if exponent.is_empty() || mantissa.is_empty() {
        return Err("the exponent or the mantissa has no bits");
    }
    if [&sign, &exponent, &mantissa]
        .iter()
        .any(|field| field.end > bits)
    {
        return Err("the bits of a number lie outside its bytes");
    }
    for (a, b) in [
        (&sign, &exponent),
        (&sign, &mantissa),
        (&exponent, &mantissa),
    ] {
        if a.start < b.end && b.start < a.end {
            return Err("sign, exponent and mantissa overlap");
        }
    }
    Ok(())
}

fn padding(code: u32) -> Result<StringPadding> {
    match code {
        0 => Ok(StringPadding::NullTerminate),
        1 => Ok(StringPadding::NullPad),
        2 => Ok(StringPadding::SpacePad),
        _ => Err(Error::corrupt(NAME, "unknown string padding")),
    }
}

fn charset(code: u32) -> Result<CharacterSet> {
    match code {
        0 => Ok(CharacterSet::Ascii),
        1 => Ok(CharacterSet::Utf8),
        _ => Err(Error::corrupt(NAME, "unknown character set")),
    }
}

/// The tag of an opaque type; its zero bytes at the end are padding.
fn tag(take: &mut Take<'_>, header: &Header) -> Result<String> {
    let len = header.flags & 0xff;
    if !len.is_multiple_of(8) {
        return Err(take.error("the length of a tag is not a multiple of eight"));
    }
    let bytes = take.bytes(len as usize)?;
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// A name with its zero byte; before version 3 padded to a multiple of eight bytes.
fn name(take: &mut Take<'_>, version: u8) -> Result<String> {
    let len = take
        .rest()
        .iter()
        .position(|&byte| byte == 0)
        .ok_or_else(|| take.error("a name has no end"))?;
    let text = take.bytes(len)?;
    let end = len + 1;
    let stored = if version < 3 {
        end.next_multiple_of(8)
    } else {
        end
    };
    take.skip(stored - len)?;
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn compound(take: &mut Take<'_>, header: &Header, depth: usize) -> Result<Datatype> {
    let count = header.member_count();
    if count == 0 {
        return Err(take.error("a compound type has no members"));
    }
    let mut members = Vec::new();
    for _ in 0..count {
        let member = member(take, header, depth)?;
        let end = u64::from(member.offset) + u64::from(member.datatype.size());
        if end > u64::from(header.size) {
            return Err(take.error("a member lies outside its compound type"));
        }
        members.push(member);
    }
    Ok(Datatype::Compound {
        size: header.size,
        members,
    })
}

fn member(take: &mut Take<'_>, header: &Header, depth: usize) -> Result<CompoundMember> {
    let name = name(take, header.version)?;
    let offset = if header.version < 3 {
        take.u32()?
    } else {
        take.uint(offset_width(header.size))? as u32
    };
    let dims = if header.version == 1 {
        old_dimensions(take)?
    } else {
        Vec::new()
    };
    let (mut datatype, _) = datatype(take, depth + 1)?;
    if !dims.is_empty() {
        let base = Box::new(datatype);
        let size = array_size(&dims, &base);
        datatype = Datatype::Array { dims, base };
        if size.is_none_or(|size| size > u64::from(header.size)) {
            return Err(take.error("a member lies outside its compound type"));
        }
    }
    Ok(CompoundMember {
        name,
        offset,
        datatype,
    })
}

/// The shape that members could have before there was the array class.
fn old_dimensions(take: &mut Take<'_>) -> Result<Vec<u32>> {
    let rank = usize::from(take.u8()?);
    take.skip(3 + 4 + 4)?;
    let mut dims = (0..4).map(|_| take.u32()).collect::<Result<Vec<_>>>()?;
    if rank > 4 {
        return Err(take.error("the rank of a member exceeds 4"));
    }
    dims.truncate(rank);
    if dims.contains(&0) {
        return Err(take.error("a dimension of a member is 0"));
    }
    Ok(dims)
}

fn enumeration(header: &Header, base: Box<Datatype>, take: &mut Take<'_>) -> Result<Datatype> {
    header.check_size(u64::from(base.size()), take)?;
    let names = (0..header.member_count())
        .map(|_| name(take, header.version))
        .collect::<Result<Vec<_>>>()?;
    let size = header.size as usize;
    let members = names
        .into_iter()
        .map(|name| Ok((name, take.bytes(size)?.to_vec())))
        .collect::<Result<_>>()?;
    Ok(Datatype::Enum { base, members })
}

fn variable_length(header: &Header, base: Box<Datatype>, take: &mut Take<'_>) -> Result<Datatype> {
    if !matches!(header.size, 10 | 12 | VAR_LEN_SIZE) {
        return Err(take.error("an element of variable length has no such size"));
    }
    let size = header.size;
    match header.flags & 0x0f {
        0 => Ok(Datatype::VarLenSequence { size, base }),
        1 => Ok(Datatype::VarLenString {
            size,
            padding: padding(header.flags >> 4 & 0x0f)?,
            charset: charset(header.flags >> 8 & 0x0f)?,
            base,
        }),
        _ => Err(take.error("unknown type of variable-length data")),
    }
}

fn dimensions(take: &mut Take<'_>, header: &Header) -> Result<Vec<u32>> {
    let rank = take.u8()?;
    if rank > MAX_RANK {
        return Err(take.error("the rank of an array exceeds 32"));
    }
    if header.version < 3 {
        take.skip(3)?;
    }
    let dims = (0..rank).map(|_| take.u32()).collect::<Result<_>>()?;
    if header.version < 3 {
        take.skip(4 * usize::from(rank))?;
    }
    Ok(dims)
}

fn array(
    take: &mut Take<'_>,
    header: &Header,
    dims: Vec<u32>,
    base: Box<Datatype>,
) -> Result<Datatype> {
    let size =
        array_size(&dims, &base).ok_or_else(|| take.error("the size of an array is too large"))?;
    header.check_size(size, take)?;
    Ok(Datatype::Array { dims, base })
}

fn array_size(dims: &[u32], base: &Datatype) -> Option<u64> {
    dims.iter().try_fold(u64::from(base.size()), |size, &dim| {
        size.checked_mul(u64::from(dim))
    })
}
