//! What a file holds, as text that a program in another language can give too: see `dump.py`.

#![allow(dead_code, reason = "each program uses a part of it")]

use h5quill::{
    ByteOrder, CharacterSet, Dataset, Datatype, ErrorKind, File, FloatType, Group, IntegerType,
    Location, Normalization, Reference, RegionReference, Result, StringPadding, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Of larger datasets the first elements are shown, as many along every axis.
const MOST_ELEMENTS: usize = 20_000;

/// A line for each object and attribute, by its path (`/group/dataset`, `/group@attribute`).
pub(crate) fn dump(file: &File) -> BTreeMap<String, String> {
    let mut dump = Dump::default();
    dump.location("/", "group", file);
    dump.members(file, "");
    dump.lines
}

#[derive(Default)]
struct Dump {
    lines: BTreeMap<String, String>,
    seen: BTreeSet<u64>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The text, or that it cannot be had: `?` what is not claimed to be read, `!` everything else.
fn or_why(result: Result<String>) -> String {
    result.unwrap_or_else(|error| match error.kind() {
        ErrorKind::Unsupported(what) => format!("?{what}"),
        _ => format!("!{error}"),
    })
}

fn list<T: ToString>(of: &[T]) -> String {
    let texts: Vec<String> = of.iter().map(T::to_string).collect();
    texts.join(",")
}

impl Dump {
    /// Whether the object is new to the walk.
    fn enter(&mut self, at: &Location) -> bool {
        at.reference()
            .is_ok_and(|reference| self.seen.insert(reference.address()))
    }

    fn members(&mut self, group: &Group, path: &str) {
        if !self.enter(group) {
            return;
        }
        let mut names = match group.member_names() {
            Ok(names) => names,
            Err(error) => {
                self.lines.insert(format!("{path}/"), or_why(Err(error)));
                return;
            }
        };
        names.sort();
        for name in names {
            let path = format!("{path}/{name}");
            match (group.dataset(&name), group.group(&name)) {
                (Ok(data), _) => self.dataset(&path, &data),
                (_, Ok(child)) => {
                    self.location(&path, "group", &child);
                    self.members(&child, &path);
                }
                (Err(error), _) => {
                    self.lines.insert(path, or_why(Err(error)));
                }
            }
        }
    }

    fn location(&mut self, path: &str, kind: &str, at: &Location) {
        self.lines.insert(path.into(), kind.into());
        for name in at.attr_names().unwrap_or_default() {
            let line = at.attr(&name).and_then(|attribute| {
                let dtype = attribute.dtype()?;
                let shape = attribute.shape();
                let values = attribute
                    .read_values()
                    .and_then(|values| all(at, &values, &dtype));
                Ok(format!(
                    "{} [{}] {}",
                    type_text(&dtype),
                    list(&shape),
                    or_why(values)
                ))
            });
            self.lines.insert(format!("{path}@{name}"), or_why(line));
        }
    }

    fn dataset(&mut self, path: &str, data: &Dataset) {
        self.location(path, "", data);
        let shape = data.shape();
        let line = data.dtype().map(|dtype| {
            let max: Vec<String> = data
                .maxshape()
                .iter()
                .map(|max| max.map_or("*".into(), |max| max.to_string()))
                .collect();
            let values = some(data, &shape).and_then(|values| all(data, &values, &dtype));
            format!(
                "{} [{}] [{}] {}",
                type_text(&dtype),
                list(&shape),
                max.join(","),
                or_why(values)
            )
        });
        self.lines
            .insert(path.into(), format!("dataset {}", or_why(line)));
    }
}

fn some(data: &Dataset, shape: &[usize]) -> Result<Vec<Value>> {
    let count = shape
        .iter()
        .try_fold(1_usize, |count, dim| count.checked_mul(*dim));
    if count.is_some_and(|count| count <= MOST_ELEMENTS) {
        return data.read_values(..);
    }
    let most = (1..).find(|most| usize::pow(most + 1, shape.len() as u32) > MOST_ELEMENTS);
    let part: Vec<h5quill::SliceOrIndex> = shape
        .iter()
        .map(|&dim| (0..dim.min(most.unwrap_or(1))).into())
        .collect();
    data.read_values(part)
}

/// The type and values read at an object, or at an attribute of it.
pub(crate) fn typed(at: &Location, values: &[Value], dtype: &Datatype) -> Result<String> {
    Ok(format!("{} {}", type_text(dtype), all(at, values, dtype)?))
}

/// The values at an object.
pub(crate) fn all(at: &Location, values: &[Value], dtype: &Datatype) -> Result<String> {
    let texts: Result<Vec<String>> = values
        .iter()
        .map(|value| value_text(at, value, dtype))
        .collect();
    Ok(texts?.join(";"))
}

/// The dataset of a region, and the values of its elements.
fn region_text(at: &Location, reference: &RegionReference) -> Result<String> {
    if reference.object().is_null() {
        return Ok("null".into());
    }
    let region = at.dereference_region(reference)?;
    let dtype = region.dataset().dtype()?;
    let values = all(region.dataset(), &region.read_values()?, &dtype)?;
    Ok(format!("R{}({values})", reference.object().address()))
}

fn float_text(value: f64) -> String {
    match value.is_nan() {
        true => "nan".into(),
        false => format!("f{:016x}", value.to_bits()),
    }
}

fn value_text(at: &Location, value: &Value, dtype: &Datatype) -> Result<String> {
    let many = |values: &[Value], base: &Datatype| {
        let texts: Result<Vec<String>> = values
            .iter()
            .map(|value| value_text(at, value, base))
            .collect();
        texts.map(|texts| texts.join(","))
    };
    Ok(match (value, dtype) {
        (Value::Integer(number), _) => format!("i{number}"),
        (Value::Float(number), _) => float_text(*number),
        (Value::F80(number), _) => {
            let (sign_exponent, mantissa) = number.to_bits();
            format!("F{sign_exponent:04x}{mantissa:016x}")
        }
        (Value::F128(number), _) => format!("Q{:032x}", number.to_bits()),
        (Value::Time(bits), _) => format!("T{bits}"),
        (Value::String(text), _) => format!("s{}", hex(text.as_bytes())),
        (Value::Bitfield(bits), _) => format!("B{bits}"),
        (Value::Bytes(bytes), Datatype::FixedString { .. } | Datatype::VarLenString { .. }) => {
            format!("s{}", hex(bytes))
        }
        (Value::Bytes(bytes), _) => format!("b{}", hex(bytes)),
        (Value::Compound(parts), Datatype::Compound { members, .. }) => {
            let texts: Result<Vec<String>> = parts
                .iter()
                .zip(members)
                .map(|((name, value), member)| {
                    let value = value_text(at, value, &member.datatype)?;
                    Ok(format!("{}:{value}", hex(name.as_bytes())))
                })
                .collect();
            format!("{{{}}}", texts?.join(","))
        }
        (Value::Reference(Reference::Object(object)), _) if object.is_null() => "null".into(),
        (Value::Reference(Reference::Object(object)), _) => format!("r{}", object.address()),
        (Value::Reference(Reference::Region(region)), _) => region_text(at, region)?,
        (Value::Reference(other), _) => format!("{other:?}"),
        (Value::Enum { value, .. }, _) => format!("i{value}"),
        (Value::Sequence(values), Datatype::VarLenSequence { base, .. }) => {
            format!("<{}>", many(values, base)?)
        }
        (Value::Array(values), Datatype::Array { base, .. }) => {
            format!("[{}]", many(values, base)?)
        }
        (Value::Complex(parts), Datatype::Complex { base, .. }) => {
            format!("({})", many(&parts[..], base)?)
        }
        (other, _) => format!("{other:?}"),
    })
}

fn order_text(order: ByteOrder) -> &'static str {
    match order {
        ByteOrder::LittleEndian => "<",
        ByteOrder::BigEndian => ">",
        ByteOrder::Vax => "v",
    }
}

fn integer_text(kind: char, number: &IntegerType) -> String {
    let IntegerType {
        size,
        order,
        bit_offset,
        precision,
        ..
    } = number;
    format!(
        "{kind}{}{size}o{bit_offset}p{precision}",
        order_text(*order)
    )
}

fn real_text(number: &FloatType) -> String {
    let normalization = match number.normalization {
        Normalization::None => "none",
        Normalization::MostSignificantSet => "set",
        Normalization::Implied => "implied",
    };
    format!(
        "f{}{}o{}p{}:{},{},{},{},{},{},{normalization}",
        order_text(number.order),
        number.size,
        number.bit_offset,
        number.precision,
        number.sign_location,
        number.exponent_location,
        number.exponent_size,
        number.mantissa_location,
        number.mantissa_size,
        number.exponent_bias
    )
}

fn string_text(padding: StringPadding, charset: CharacterSet) -> String {
    let padding = match padding {
        StringPadding::NullTerminate => "term",
        StringPadding::NullPad => "null",
        StringPadding::SpacePad => "space",
    };
    let charset = match charset {
        CharacterSet::Ascii => "ascii",
        CharacterSet::Utf8 => "utf8",
    };
    format!("{padding},{charset}")
}

/// Offsets and sizes of what has another size in memory (sequences, references) are left out.
pub(crate) fn type_text(dtype: &Datatype) -> String {
    match dtype {
        Datatype::Integer(number) if number.signed => integer_text('i', number),
        Datatype::Integer(number) => integer_text('u', number),
        Datatype::Float(number) => real_text(number),
        Datatype::Time { size, order, .. } => format!("t{}{size}", order_text(*order)),
        Datatype::FixedString {
            size,
            padding,
            charset,
        } => {
            format!("s{size}({})", string_text(*padding, *charset))
        }
        Datatype::Bitfield(number) => format!("b{}{}", order_text(number.order), number.size),
        Datatype::Opaque { size, tag } => format!("o{size}({})", hex(tag.as_bytes())),
        Datatype::Compound { members, .. } => {
            let texts: Vec<String> = members
                .iter()
                .map(|member| {
                    format!(
                        "{}:{}",
                        hex(member.name.as_bytes()),
                        type_text(&member.datatype)
                    )
                })
                .collect();
            format!("{{{}}}", texts.join(","))
        }
        Datatype::Reference { kind, .. } => match kind {
            0 => "r(object)".into(),
            1 => "r(region)".into(),
            kind => format!("r({kind})"),
        },
        Datatype::Enum { base, members } => {
            let names: Vec<String> = members
                .iter()
                .map(|(name, _)| hex(name.as_bytes()))
                .collect();
            format!("e({};{})", type_text(base), names.join(","))
        }
        Datatype::VarLenSequence { base, .. } => format!("v({})", type_text(base)),
        Datatype::VarLenString {
            padding, charset, ..
        } => format!("vs({})", string_text(*padding, *charset)),
        Datatype::Array { dims, base } => format!("a[{}]({})", list(dims), type_text(base)),
        Datatype::Complex { base, .. } => format!("c({})", type_text(base)),
        other => format!("{other:?}"),
    }
}
