//! The bytes of a datatype message, written.

use super::{
    ByteOrder, CompoundMember, Datatype, FloatType, IntegerType, Normalization, StringPadding,
    offset_width,
};
use crate::bytes::{Put, ShortBytes};
use crate::format::message::charset_code;

/// Writes `datatype` and returns the version it got: for compound, enumeration and array types `floor` or more, if
/// they need it; a simple class is written in the lowest version, and a variable-length type in that of its base.
pub(super) fn put(out: &mut ShortBytes, datatype: &Datatype, floor: u8) -> u8 {
    let start = out.len();
    // The first four come last.
    out.put_u64(u64::from(datatype.size()) << 32);
    let (class, flags, version) = put_properties(out, datatype, floor);
    let word = u32::from(class | version << 4) | flags << 8;
    out[start..start + 4].copy_from_slice(&word.to_le_bytes());
    version
}

/// The lowest version that can hold `datatype` and everything inside it.
pub(super) fn required_version(datatype: &Datatype) -> u8 {
    match datatype {
        Datatype::Float(float) if float.order == ByteOrder::Vax => 3,
        Datatype::Reference { kind, .. } if *kind >= 2 => 4,
        Datatype::Array { base, .. } => required_version(base).max(2),
        Datatype::Complex { base, .. } => required_version(base).max(5),
        Datatype::Enum { base, .. }
        | Datatype::VarLenSequence { base, .. }
        | Datatype::VarLenString { base, .. } => required_version(base),
        Datatype::Compound { members, .. } => members
            .iter()
            .map(|member| required_version(&member.datatype))
            .max()
            .unwrap_or(1),
        _ => 1,
    }
}

/// The properties behind the size; returns class, class bit field and version.
fn put_properties(out: &mut ShortBytes, datatype: &Datatype, floor: u8) -> (u8, u32, u8) {
    let required = required_version(datatype);
    let version = floor.max(required);
    match datatype {
        Datatype::Integer(integer) => (0, put_integer(out, integer), 1),
        Datatype::Float(float) => (1, put_float(out, float), required),
        Datatype::Time {
            order, precision, ..
        } => {
            out.put_u16(*precision);
            (2, order_bits(*order), 1)
        }
        Datatype::FixedString {
            padding, charset, ..
        } => {
            let charset = u32::from(charset_code(*charset));
            (3, padding_code(*padding) | charset << 4, 1)
        }
        Datatype::Bitfield(integer) => (4, put_integer(out, integer), 1),
        Datatype::Opaque { tag, .. } => (5, put_tag(out, tag), 1),
        Datatype::Compound { size, members } => {
            let raised = raised_members(members);
            for (index, member) in members.iter().enumerate() {
                let floor = if index < raised { version } else { floor };
                put_member(out, member, *size, version, floor);
            }
            (6, members.len() as u32, version)
        }
        Datatype::Reference {
            kind,
            version: revision,
            ..
        } => {
            let flags = u32::from(*kind) | u32::from(*revision) << 4;
            (7, flags, required)
        }
        Datatype::Enum { base, members } => {
            put(out, base, floor);
            for (name, _) in members {
                put_name(out, name, version);
            }
            for (_, value) in members {
                out.put_bytes(value);
            }
            (8, members.len() as u32, version)
        }
        Datatype::VarLenSequence { base, .. } => (9, 0, put(out, base, floor)),
        Datatype::VarLenString {
            padding,
            charset,
            base,
            ..
        } => {
            let charset = u32::from(charset_code(*charset));
            let flags = 1 | padding_code(*padding) << 4 | charset << 8;
            (9, flags, put(out, base, floor))
        }
        Datatype::Array { dims, base } => {
            put_dimensions(out, dims, version);
            put(out, base, floor);
            (10, 0, version)
        }
        Datatype::Complex { flags, base, .. } => {
            let base_version = put(out, base, floor);
            (11, *flags, base_version.max(5))
        }
    }
}

/// How many members get the version of their compound type. libhdf5 raises the members it has when one that needs
/// more is inserted; those inserted later stay as they are.
fn raised_members(members: &[CompoundMember]) -> usize {
    let versions = members
        .iter()
        .map(|member| required_version(&member.datatype));
    let (mut highest, mut raised) = (1, 0);
    for (index, version) in versions.enumerate() {
        if version > highest {
            (highest, raised) = (version, index + 1);
        }
    }
    raised
}

fn order_bits(order: ByteOrder) -> u32 {
    match order {
        ByteOrder::LittleEndian => 0x00,
        ByteOrder::BigEndian => 0x01,
        ByteOrder::Vax => 0x41,
    }
}

fn padding_code(padding: StringPadding) -> u32 {
    match padding {
        StringPadding::NullTerminate => 0,
        StringPadding::NullPad => 1,
        StringPadding::SpacePad => 2,
    }
}

fn put_integer(out: &mut ShortBytes, integer: &IntegerType) -> u32 {
    out.put_u16(integer.bit_offset);
    out.put_u16(integer.precision);
    order_bits(integer.order)
        | u32::from(integer.low_pad) << 1
        | u32::from(integer.high_pad) << 2
        | u32::from(integer.signed) << 3
}

fn put_float(out: &mut ShortBytes, float: &FloatType) -> u32 {
    out.put_u16(float.bit_offset);
    out.put_u16(float.precision);
    out.put_bytes(&[
        float.exponent_location,
        float.exponent_size,
        float.mantissa_location,
        float.mantissa_size,
    ]);
    out.put_u32(float.exponent_bias);
    let normalization = match float.normalization {
        Normalization::None => 0,
        Normalization::MostSignificantSet => 1,
        Normalization::Implied => 2,
    };
    order_bits(float.order)
        | u32::from(float.low_pad) << 1
        | u32::from(float.high_pad) << 2
        | u32::from(float.internal_pad) << 3
        | normalization << 4
        | u32::from(float.sign_location) << 8
}

/// The tag, padded to a multiple of eight bytes; at most 248 bytes of it can be stored.
fn put_tag(out: &mut ShortBytes, tag: &str) -> u32 {
    let tag = &tag.as_bytes()[..tag.len().min(248)];
    let len = tag.len().next_multiple_of(8);
    out.put_bytes(tag);
    out.put_zeros(len - tag.len());
    len as u32
}

fn put_name(out: &mut ShortBytes, name: &str, version: u8) {
    let len = name.len() + 1;
    out.put_bytes(name.as_bytes());
    if version < 3 {
        out.put_zeros(len.next_multiple_of(8) - name.len());
    } else {
        out.put_u8(0);
    }
}

fn put_member(out: &mut ShortBytes, member: &CompoundMember, size: u32, version: u8, floor: u8) {
    put_name(out, &member.name, version);
    if version < 3 {
        out.put_u32(member.offset);
    } else {
        out.put_uint(u64::from(member.offset), offset_width(size));
    }
    if version == 1 {
        // Dimensionality 0, permutation and four dimension sizes: the shape before there was the array class.
        out.put_zeros(28);
    }
    put(out, &member.datatype, floor);
}

fn put_dimensions(out: &mut ShortBytes, dims: &[u32], version: u8) {
    out.put_u8(dims.len() as u8);
    if version < 3 {
        out.put_zeros(3);
    }
    for &dim in dims {
        out.put_u32(dim);
    }
    if version < 3 {
        for index in 0..dims.len() {
            out.put_u32(index as u32);
        }
    }
}
