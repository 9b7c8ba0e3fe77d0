//! A datatype in words, for errors.

use crate::format::message::datatype::{ByteOrder, CharacterSet, Datatype};
use core::fmt;

/// Names of floating-point formats: size, precision, mantissa.
const FLOATS: [(u32, u16, u8, &str); 6] = [
    (2, 16, 10, "f16"),
    (2, 16, 7, "bf16"),
    (4, 32, 23, "f32"),
    (8, 64, 52, "f64"),
    (16, 80, 64, "F80"),
    (16, 128, 112, "F128"),
];

impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nested types of hostile depth are not followed to their end.
        write(self, 8, f)
    }
}

fn order(order: ByteOrder, size: u32) -> &'static str {
    match order {
        ByteOrder::BigEndian if size > 1 => "big-endian ",
        ByteOrder::Vax => "VAX ",
        _ => "",
    }
}

fn charset(charset: CharacterSet) -> &'static str {
    match charset {
        CharacterSet::Ascii => "ASCII",
        CharacterSet::Utf8 => "UTF-8",
    }
}

fn write(datatype: &Datatype, depth: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if depth == 0 {
        return f.write_str("...");
    }
    match datatype {
        Datatype::Integer(t) => {
            let (sign, bits) = (if t.signed { 'i' } else { 'u' }, u64::from(t.size) * 8);
            write!(f, "{}{sign}{bits}", order(t.order, t.size))?;
            if u64::from(t.precision) != bits {
                write!(f, " of {} bits", t.precision)?;
            }
            Ok(())
        }
        Datatype::Float(t) => {
            f.write_str(order(t.order, t.size))?;
            let key = (t.size, t.precision, t.mantissa_size);
            match FLOATS
                .iter()
                .find(|known| (known.0, known.1, known.2) == key)
            {
                Some(known) => f.write_str(known.3),
                None => write!(f, "float of {} bits in {} bytes", t.precision, t.size),
            }
        }
        Datatype::Time { precision, .. } => write!(f, "time of {precision} bits"),
        Datatype::FixedString {
            size, charset: c, ..
        } => write!(f, "{} string of {size} bytes", charset(*c)),
        Datatype::Bitfield(t) => write!(f, "bit field of {} bits", t.precision),
        Datatype::Opaque { size, tag } => write!(f, "opaque {tag:?} of {size} bytes"),
        Datatype::Compound { members, .. } => {
            f.write_str("compound {")?;
            for (index, member) in members.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                if index == 16 {
                    f.write_str(", ...")?;
                    break;
                }
                write!(f, "{separator}{}: ", member.name)?;
                write(&member.datatype, depth - 1, f)?;
            }
            f.write_str("}")
        }
        Datatype::Reference { kind: 0, .. } => f.write_str("object reference"),
        Datatype::Reference { kind: 1, .. } => f.write_str("region reference"),
        Datatype::Reference { kind, .. } => write!(f, "reference of kind {kind}"),
        Datatype::Enum { base, members } => {
            f.write_str("enumeration of ")?;
            write(base, depth - 1, f)?;
            f.write_str(" {")?;
            for (index, (name, _)) in members.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                if index == 16 {
                    f.write_str(", ...")?;
                    break;
                }
                write!(f, "{separator}{name}")?;
            }
            f.write_str("}")
        }
        Datatype::VarLenSequence { base } => {
            f.write_str("variable-length sequence of ")?;
            write(base, depth - 1, f)
        }
        Datatype::VarLenString { charset: c, .. } => {
            write!(f, "variable-length {} string", charset(*c))
        }
        Datatype::Array { dims, base } => {
            write!(f, "array {dims:?} of ")?;
            write(base, depth - 1, f)
        }
        Datatype::Complex { base, .. } => {
            f.write_str("complex of ")?;
            write(base, depth - 1, f)
        }
    }
}
