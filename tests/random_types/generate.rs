//! Datatypes and values of them.

use h5quill::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, F80, File, FloatType, H5Type, IntegerType,
    Normalization, ObjectReference, Reference, StringPadding, Value,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

/// A dataset to write.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) datatype: Datatype,
    pub(crate) values: Vec<Value>,
    pub(crate) layout: u8,
}

fn order() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::LittleEndian), Just(ByteOrder::BigEndian)]
}

/// Integers of all their bits, some of fewer.
fn integer() -> impl Strategy<Value = IntegerType> {
    let size = prop_oneof![Just(1_u32), Just(2), Just(4), Just(8)];
    (size, order(), any::<bool>(), any::<(u8, u8, u8)>()).prop_map(
        |(size, order, signed, (odd, precision, offset))| {
            let bits = (size * 8) as u16;
            let precision = match odd % 5 {
                0 => 2 + u16::from(precision) % (bits - 1),
                _ => bits,
            };
            IntegerType {
                size,
                order,
                signed,
                bit_offset: u16::from(offset) % (bits - precision + 1),
                precision,
                low_pad: false,
                high_pad: false,
            }
        },
    )
}

fn float(size: u8, exponent_size: u8, order: ByteOrder) -> FloatType {
    let precision = size * 8;
    let mantissa_size = precision - 1 - exponent_size;
    FloatType {
        size: size.into(),
        order,
        bit_offset: 0,
        precision: precision.into(),
        sign_location: precision - 1,
        exponent_location: mantissa_size,
        exponent_size,
        mantissa_location: 0,
        mantissa_size,
        exponent_bias: (1 << (exponent_size - 1)) - 1,
        normalization: Normalization::Implied,
        low_pad: false,
        high_pad: false,
        internal_pad: false,
    }
}

fn text_kind() -> impl Strategy<Value = (StringPadding, CharacterSet)> {
    let padding = prop_oneof![
        Just(StringPadding::NullTerminate),
        Just(StringPadding::NullPad),
        Just(StringPadding::SpacePad)
    ];
    (
        padding,
        prop_oneof![Just(CharacterSet::Ascii), Just(CharacterSet::Utf8)],
    )
}

fn var_len_string(charset: CharacterSet) -> Datatype {
    let mut datatype = String::datatype();
    if let Datatype::VarLenString { charset: of, .. } = &mut datatype {
        *of = charset;
    }
    datatype
}

fn enumeration() -> impl Strategy<Value = Datatype> {
    let base = (
        prop_oneof![Just(1_u32), Just(2), Just(4), Just(8)],
        order(),
        any::<bool>(),
    );
    (base, vec(any::<i64>(), 1..6)).prop_map(|((size, order, signed), values)| {
        let base = Datatype::Integer(IntegerType {
            size,
            order,
            signed,
            bit_offset: 0,
            precision: (size * 8) as u16,
            low_pad: false,
            high_pad: false,
        });
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let mut bytes = value.to_le_bytes()[..size as usize].to_vec();
            if order == ByteOrder::BigEndian {
                bytes.reverse();
            }
            if members.iter().all(|member| member.1 != bytes) {
                members.push((format!("M{index}"), bytes));
            }
        }
        Datatype::Enum {
            base: Box::new(base),
            members,
        }
    })
}

fn leaf() -> BoxedStrategy<Datatype> {
    let bits = (prop_oneof![Just(1_u32), Just(2), Just(4), Just(8)], order());
    prop_oneof![
        4 => integer().prop_map(Datatype::Integer),
        4 => (0..7_u8, order()).prop_map(|(kind, order)| Datatype::Float(match kind {
            0 => float(2, 5, order),
            1 => float(2, 8, order),
            2 => float(4, 8, order),
            3 => float(8, 11, order),
            4 => float(1, 4, ByteOrder::LittleEndian),
            5 => float(1, 5, ByteOrder::LittleEndian),
            _ => float(8, 11, ByteOrder::LittleEndian),
        })),
        1 => Just(F80::datatype()),
        2 => (1..9_u32, text_kind()).prop_map(|(size, (padding, charset))| Datatype::FixedString { size, padding, charset }),
        2 => text_kind().prop_map(|(_, charset)| var_len_string(charset)),
        1 => Just(bool::datatype()),
        2 => enumeration(),
        1 => (1..12_u32, prop_oneof![4 => Just(String::new()), 1 => "[a-z]{1,20}"]).prop_map(|(size, tag)| Datatype::Opaque { size, tag }),
        1 => bits.prop_map(|(size, order)| Datatype::Bitfield(IntegerType {
            size,
            order,
            signed: false,
            bit_offset: 0,
            precision: (size * 8) as u16,
            low_pad: false,
            high_pad: false,
        })),
        1 => Just(ObjectReference::datatype()),
    ]
    .boxed()
}

/// A compound of these with gaps, in any order of places where `shuffled`.
fn compound(parts: Vec<(Datatype, u8, u8)>, end: u8, shuffled: bool) -> Datatype {
    let mut places: Vec<usize> = (0..parts.len()).collect();
    if shuffled {
        places.sort_by_key(|&index| parts[index].2);
    }
    let mut offsets = vec![0; parts.len()];
    let mut at = 0;
    for index in places {
        at += u32::from(parts[index].1 % 4);
        offsets[index] = at;
        at += parts[index].0.size();
    }
    let members = parts.into_iter().zip(offsets).enumerate();
    let members = members.map(|(index, ((datatype, ..), offset))| CompoundMember {
        name: format!("{}{index}", ["a", "longer name ", "é"][index % 3]),
        offset,
        datatype,
    });
    Datatype::Compound {
        members: members.collect(),
        size: at + u32::from(end % 5),
    }
}

fn datatype(shuffled: bool) -> BoxedStrategy<Datatype> {
    let nested = leaf().prop_recursive(3, 24, 5, move |inner| {
        let part = (inner.clone(), any::<u8>(), any::<u8>());
        prop_oneof![
            3 => (vec(part, 1..5), any::<u8>()).prop_map(move |(parts, end)| compound(parts, end, shuffled)),
            2 => (vec(1..4_u32, 1..4), inner.clone())
                .prop_map(|(dims, base)| Datatype::Array { dims, base: Box::new(base) }),
            2 => inner.prop_map(|base| Datatype::VarLenSequence { size: 16, base: Box::new(base) }),
        ]
    });
    let time = order().prop_map(|order| Datatype::Time {
        size: 4,
        order,
        precision: 32,
    });
    prop_oneof![30 => nested, 1 => time].boxed()
}

fn text(charset: CharacterSet) -> BoxedStrategy<String> {
    match charset {
        CharacterSet::Ascii => "[!-~]{0,8}".boxed(),
        CharacterSet::Utf8 => "[a-zé♀😀]{0,5}".boxed(),
    }
}

/// A string that a place of `size` bytes holds.
fn fixed_text(size: u32, padding: StringPadding, charset: CharacterSet) -> BoxedStrategy<Value> {
    let most = match padding {
        StringPadding::NullTerminate => size as usize - 1,
        _ => size as usize,
    };
    text(charset)
        .prop_map(move |mut text| {
            while text.len() > most {
                text.pop();
            }
            Value::String(text)
        })
        .boxed()
}

/// A number of the format, exactly.
fn float_value(float: &FloatType) -> BoxedStrategy<Value> {
    let (exponent_size, mantissa_size) = (float.exponent_size, float.mantissa_size);
    let bias = float.exponent_bias as i32;
    any::<u64>()
        .prop_map(move |bits| {
            let sign = if bits >> 63 == 0 { 1.0 } else { -1.0 };
            let biased = (bits >> 52 & ((1 << exponent_size) - 1)) as i32;
            let mantissa = bits & ((1_u64 << mantissa_size) - 1);
            Value::Float(if biased == (1 << exponent_size) - 1 {
                if mantissa == 0 {
                    sign * f64::INFINITY
                } else {
                    f64::NAN
                }
            } else {
                let implied = if biased == 0 {
                    0
                } else {
                    1_u64 << mantissa_size
                };
                let exponent = biased.max(1) - bias - i32::from(mantissa_size);
                let scale = |exponent: i32| 2_f64.powi(exponent);
                // In two steps: the smallest power is below what `powi` gives exactly.
                sign * (mantissa | implied) as f64
                    * scale(exponent / 2)
                    * scale(exponent - exponent / 2)
            })
        })
        .boxed()
}

fn bits_value(integer: &IntegerType) -> BoxedStrategy<Value> {
    let (precision, signed) = (u32::from(integer.precision), integer.signed);
    any::<u64>()
        .prop_map(move |bits| {
            let shift = 128 - precision;
            let value = u128::from(bits) << shift;
            Value::Integer(if signed {
                value as i128 >> shift
            } else {
                (value >> shift) as i128
            })
        })
        .boxed()
}

fn value(datatype: &Datatype) -> BoxedStrategy<Value> {
    match datatype {
        Datatype::Integer(integer) => bits_value(integer),
        Datatype::Float(float) if float.size == 16 => any::<(u16, u64)>()
            .prop_map(|(sign_exponent, mantissa)| {
                // A number: not all ones in the exponent, and its leading bit is set.
                let exponent = (sign_exponent & 0x7fff).clamp(1, 0x7ffe);
                Value::F80(F80::from_bits(
                    sign_exponent & 0x8000 | exponent,
                    mantissa | 1 << 63,
                ))
            })
            .boxed(),
        Datatype::Float(float) => float_value(float),
        Datatype::Time { .. } => any::<u32>()
            .prop_map(|bits| Value::Time(bits.into()))
            .boxed(),
        Datatype::FixedString {
            size,
            padding,
            charset,
        } => fixed_text(*size, *padding, *charset),
        Datatype::VarLenString { charset, .. } => text(*charset).prop_map(Value::String).boxed(),
        Datatype::Bitfield(field) => {
            let shift = 64 - field.size * 8;
            any::<u64>()
                .prop_map(move |bits| Value::Bitfield((bits >> shift).into()))
                .boxed()
        }
        Datatype::Opaque { size, .. } => vec(any::<u8>(), *size as usize)
            .prop_map(Value::Bytes)
            .boxed(),
        Datatype::Enum { .. } => {
            let members: Vec<(Arc<str>, i128)> = datatype
                .enum_members()
                .iter()
                .map(|(name, value)| (Arc::from(*name), *value))
                .collect();
            (0..members.len())
                .prop_map(move |index| Value::Enum {
                    name: Some(members[index].0.clone()),
                    value: members[index].1,
                })
                .boxed()
        }
        Datatype::Reference { .. } => {
            Just(Value::Reference(Reference::Object(ObjectReference::null()))).boxed()
        }
        Datatype::Compound { members, .. } => {
            let names: Vec<Arc<str>> = members.iter().map(|m| m.name.as_str().into()).collect();
            let values: Vec<BoxedStrategy<Value>> = members
                .iter()
                .map(|member| value(&member.datatype))
                .collect();
            values
                .prop_map(move |values| {
                    Value::Compound(names.iter().cloned().zip(values).collect())
                })
                .boxed()
        }
        Datatype::Array { dims, base } => {
            let count = dims.iter().product::<u32>() as usize;
            vec(value(base), count).prop_map(Value::Array).boxed()
        }
        Datatype::VarLenSequence { base, .. } => {
            vec(value(base), 0..4).prop_map(Value::Sequence).boxed()
        }
        other => panic!("no values of {other}"),
    }
}

/// A dataset; with compounds whose members are not in the order of their places where `shuffled`: libhdf5 sorts the members
/// of many types that it opens.
pub(crate) fn case(shuffled: bool) -> BoxedStrategy<Case> {
    datatype(shuffled)
        .prop_flat_map(|datatype| {
            let values = vec(value(&datatype), 1..5);
            (Just(datatype), values, any::<u8>())
        })
        .prop_map(|(datatype, values, layout)| Case {
            datatype,
            values,
            layout,
        })
        .boxed()
}

/// Makes every second reference of a case lead to the root group.
pub(crate) fn point_references(file: &File, case: &mut Case) {
    let root = file.reference("/").unwrap();
    let mut number = 0;
    case.values
        .iter_mut()
        .for_each(|value| point(value, &root, &mut number));
}

fn point(value: &mut Value, root: &ObjectReference, number: &mut usize) {
    match value {
        Value::Reference(reference) => {
            *number += 1;
            if number.is_multiple_of(2) {
                *reference = Reference::Object(root.clone());
            }
        }
        Value::Compound(members) => {
            members
                .iter_mut()
                .for_each(|member| point(&mut member.1, root, number));
        }
        Value::Sequence(values) | Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| point(value, root, number));
        }
        _ => {}
    }
}

/// Whether h5py gives the values of the type: it takes a float of 8 bits for one of 16, and bfloat16 for one of 32, which in a
/// compound lies over the member behind it (and may crash it). In sequences it does not extend the sign of an integer of fewer
/// bits than its bytes have.
pub(crate) fn is_read_by_h5py(datatype: &Datatype) -> bool {
    fn has_widened_float(datatype: &Datatype) -> bool {
        match datatype {
            Datatype::Float(float) => {
                float.size == 1 || (float.size == 2 && float.exponent_size == 8)
            }
            Datatype::Array { base, .. } => has_widened_float(base),
            _ => false,
        }
    }
    match datatype {
        Datatype::Compound { members, .. } => members.iter().all(|member| {
            !has_widened_float(&member.datatype) && is_read_by_h5py(&member.datatype)
        }),
        Datatype::VarLenSequence { base, .. } => !has_short_integer(base) && is_read_by_h5py(base),
        Datatype::Array { base, .. } => is_read_by_h5py(base),
        _ => true,
    }
}

fn has_short_integer(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::Integer(integer) => u32::from(integer.precision) < integer.size * 8,
        Datatype::Array { base, .. } | Datatype::VarLenSequence { base, .. } => {
            has_short_integer(base)
        }
        Datatype::Compound { members, .. } => {
            let mut types = members.iter().map(|member| &member.datatype);
            types.any(has_short_integer)
        }
        _ => false,
    }
}
