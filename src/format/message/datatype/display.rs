//! A datatype in a few words, for errors and lists.

use super::{ByteOrder, CharacterSet, Datatype, FloatType, IntegerType, Normalization};
use core::fmt;

/// How many members of a compound or enumeration type are named.
const MAX_NAMED: usize = 8;

/// `little-endian f32`, `variable-length UTF-8 string`, `[3, 4] array of u8`, ...
impl fmt::Display for Datatype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => {
                let letter = if integer.signed { 'i' } else { 'u' };
                fmt_integer(f, integer, format_args!("{letter}"))
            }
            Self::Float(float) => fmt_float(f, float),
            Self::Time { size, .. } => write!(f, "time of {size} bytes"),
            Self::FixedString { size, charset, .. } => {
                write!(f, "{} string of {size} bytes", charset_name(*charset))
            }
            Self::Bitfield(integer) => fmt_integer(f, integer, format_args!("bit field ")),
            Self::Opaque { size, tag } if tag.is_empty() => write!(f, "opaque of {size} bytes"),
            Self::Opaque { size, tag } => write!(f, "opaque of {size} bytes ({tag})"),
            Self::Compound { members, .. } => {
                let fields = members
                    .iter()
                    .map(|member| (member.name.as_str(), Some(&member.datatype)));
                fmt_members(f, "compound", fields)
            }
            Self::Reference { kind, .. } => f.write_str(match kind {
                0 => "object reference",
                1 => "region reference",
                _ => "revised reference",
            }),
            Self::Enum { base, members } => {
                let names = members.iter().map(|(name, _)| (name.as_str(), None));
                fmt_members(f, "enum", names)?;
                write!(f, " of {base}")
            }
            Self::VarLenSequence { base, .. } => write!(f, "variable-length sequence of {base}"),
            Self::VarLenString { charset, .. } => {
                write!(f, "variable-length {} string", charset_name(*charset))
            }
            Self::Array { dims, base } => write!(f, "{dims:?} array of {base}"),
            Self::Complex { base, .. } => write!(f, "complex of {base}"),
        }
    }
}

fn charset_name(charset: CharacterSet) -> &'static str {
    match charset {
        CharacterSet::Ascii => "ASCII",
        CharacterSet::Utf8 => "UTF-8",
    }
}

/// The byte order, where there is more than one byte.
fn order_name(order: ByteOrder, size: u32) -> &'static str {
    match order {
        _ if size == 1 => "",
        ByteOrder::LittleEndian => "little-endian ",
        ByteOrder::BigEndian => "big-endian ",
        ByteOrder::Vax => "VAX-order ",
    }
}

fn fmt_integer(
    f: &mut fmt::Formatter<'_>,
    integer: &IntegerType,
    prefix: fmt::Arguments<'_>,
) -> fmt::Result {
    let bits = u64::from(integer.size) * 8;
    f.write_str(order_name(integer.order, integer.size))?;
    write!(f, "{prefix}{bits}")?;
    if u64::from(integer.precision) != bits {
        write!(f, " with {} bits used", integer.precision)?;
    }
    Ok(())
}

fn fmt_float(f: &mut fmt::Formatter<'_>, float: &FloatType) -> fmt::Result {
    f.write_str(order_name(float.order, float.size))?;
    let implied = float.normalization == Normalization::Implied;
    match (float.size, float.exponent_size, float.mantissa_size) {
        (2, 5, 10) if implied => f.write_str("f16"),
        (2, 8, 7) if implied => f.write_str("bfloat16"),
        (4, 8, 23) if implied => f.write_str("f32"),
        (8, 11, 52) if implied => f.write_str("f64"),
        (16, 15, 112) if implied => f.write_str("f128"),
        (size, exponent, mantissa) => write!(
            f,
            "float of {size} bytes ({exponent} exponent bits, {mantissa} mantissa bits)"
        ),
    }
}

fn fmt_members<'a>(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    members: impl ExactSizeIterator<Item = (&'a str, Option<&'a Datatype>)>,
) -> fmt::Result {
    let more = members.len() > MAX_NAMED;
    write!(f, "{word} {{")?;
    for (index, (name, datatype)) in members.take(MAX_NAMED).enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        f.write_str(name)?;
        if let Some(datatype) = datatype {
            write!(f, ": {datatype}")?;
        }
    }
    f.write_str(if more { ", ...}" } else { "}" })
}
