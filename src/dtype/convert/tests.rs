use super::*;
use crate::dtype::{FixedAscii, FixedUnicode, NoHeap, VarLenAscii};
use crate::format::message::datatype::{ByteOrder, CharacterSet, IntegerType};
use alloc::string::String;
use half::f16;
use proptest::prelude::*;

/// The values of `bytes`, as a read gives them.
fn read<T: H5Type>(bytes: &[u8], stored: &Datatype, conversion: Conversion) -> Result<Vec<T>> {
    let plan = Plan::new::<T>(stored, conversion, Widths::EIGHT)?;
    let mut heap = NoHeap;
    let mut scratch = Scratch::new(&mut heap);
    let mut out = vec![0; plan.converted_len(bytes.len())?];
    plan.run(bytes, &mut out, &mut scratch)?;
    T::decode(&out, &plan.result, &mut scratch)
}

fn exact<T: H5Type>(bytes: &[u8], stored: &Datatype) -> Result<Vec<T>> {
    read(bytes, stored, Conversion::Exact)
}

fn mismatch<T: H5Type>(result: Result<Vec<T>>) -> bool {
    matches!(
        result.map(|_| ()).unwrap_err().kind(),
        ErrorKind::TypeMismatch { .. }
    )
}

fn fixed(size: u32, padding: StringPadding) -> Datatype {
    Datatype::FixedString {
        size,
        padding,
        charset: CharacterSet::Utf8,
    }
}

fn member(name: &str, offset: u32, datatype: Datatype) -> CompoundMember {
    CompoundMember {
        name: name.into(),
        offset,
        datatype,
    }
}

#[test]
fn a_read_that_converts_keeps_every_value_or_is_refused() {
    assert_eq!(exact::<i16>(&[255], &u8::datatype()).unwrap(), [255]);
    assert_eq!(
        exact::<f16>(&[255], &u8::datatype()).unwrap(),
        [f16::from_f32(255.0)]
    );
    assert!(mismatch(exact::<i8>(&[255], &u8::datatype())));
    assert!(mismatch(exact::<u64>(&[255], &i8::datatype())));
    assert!(mismatch(exact::<f32>(&[0; 4], &i32::datatype())));
    assert!(mismatch(exact::<f64>(&[0; 8], &i64::datatype())));
    assert!(mismatch(exact::<f16>(&[0; 2], &half::bf16::datatype())));
    assert!(mismatch(exact::<half::bf16>(&[0; 2], &f16::datatype())));
    assert!(mismatch(exact::<i64>(&[0; 4], &f32::datatype())));
    assert!(mismatch(exact::<bool>(&[0], &u8::datatype())));
    assert!(mismatch(read::<u8>(
        &[1],
        &u8::datatype(),
        Conversion::NoOp
    )));
    // Numbers of an enumeration, and bits.
    assert_eq!(exact::<i32>(&[1, 0], &bool::datatype()).unwrap(), [1, 0]);
    let Datatype::Integer(byte) = u8::datatype() else {
        panic!("an integer")
    };
    let bits = Datatype::Bitfield(byte);
    assert_eq!(exact::<u16>(&[0x81], &bits).unwrap(), [0x81]);
    // Twelve bits from bit three on fit where sixteen do not.
    let odd = Datatype::Integer(IntegerType {
        size: 2,
        order: ByteOrder::BigEndian,
        signed: true,
        bit_offset: 3,
        precision: 11,
        low_pad: false,
        high_pad: false,
    });
    assert_eq!(
        exact::<f16>(&[0x3f, 0xf8], &odd).unwrap(),
        [f16::from_f32(-1.0)]
    );
}

#[test]
fn booleans_of_other_integers_are_booleans() {
    let wide = Datatype::Enum {
        base: Box::new(i32::datatype()),
        members: vec![
            ("TRUE".into(), vec![1, 0, 0, 0]),
            ("FALSE".into(), vec![0; 4]),
        ],
    };
    assert_eq!(
        exact::<bool>(&[1, 0, 0, 0, 0, 0, 0, 0], &wide).unwrap(),
        [true, false]
    );
    assert!(exact::<bool>(&[2, 0, 0, 0], &wide).is_err());
    let three = Datatype::Enum {
        base: Box::new(u8::datatype()),
        members: vec![("A".into(), vec![1])],
    };
    assert!(mismatch(exact::<bool>(&[1], &three)));
}

#[test]
fn strings_of_fixed_size_become_strings() {
    let null_padded = fixed(4, StringPadding::NullPad);
    assert_eq!(
        exact::<String>(b"ab\0\0\0\0\0\0xyzw", &null_padded).unwrap(),
        ["ab", "", "xyzw"]
    );
    assert!(exact::<String>(b"a\0b\0", &null_padded).is_err());
    assert!(exact::<String>(b"a\xffb\0", &null_padded).is_err());
    let spaces = fixed(4, StringPadding::SpacePad);
    assert_eq!(exact::<VarLenAscii>(b"a b ", &spaces).unwrap()[0], "a b");
    assert_eq!(exact::<FixedAscii<6>>(b"a b ", &spaces).unwrap()[0], "a b");
    let terminated = fixed(4, StringPadding::NullTerminate);
    assert_eq!(
        exact::<FixedUnicode<5>>(b"ab\0x", &terminated).unwrap()[0],
        "ab"
    );
    assert!(mismatch(exact::<FixedAscii<3>>(b"ab\0x", &terminated)));
    let shorter = |bytes, conversion| read::<FixedAscii<3>>(bytes, &null_padded, conversion);
    assert_eq!(shorter(b"abc\0", Conversion::Checked).unwrap()[0], "abc");
    assert!(shorter(b"abcd", Conversion::Checked).is_err());
    assert_eq!(shorter(b"abcd", Conversion::Soft).unwrap()[0], "abc");
    assert!(mismatch(exact::<FixedAscii<3>>(
        &[0; 16],
        &String::datatype()
    )));
}

#[test]
fn arrays_convert_element_by_element_and_flatten() {
    let stored = Datatype::Array {
        dims: vec![2, 3],
        base: Box::new(i16::datatype().with_byte_order(ByteOrder::BigEndian)),
    };
    let bytes: Vec<u8> = (1..=6).flat_map(|number| [0, number]).collect();
    assert_eq!(
        exact::<[[f32; 3]; 2]>(&bytes, &stored).unwrap(),
        [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
    );
    assert!(mismatch(exact::<[[f32; 2]; 3]>(&bytes, &stored)));
    let names = Datatype::Array {
        dims: vec![2],
        base: Box::new(fixed(2, StringPadding::NullPad)),
    };
    let [[first, second]] = &exact::<[String; 2]>(b"abc\0", &names).unwrap()[..] else {
        panic!("one element")
    };
    assert_eq!((first.as_str(), second.as_str()), ("ab", "c"));
}

#[test]
fn compounds_convert_by_the_names_of_their_members() {
    let stored = Datatype::Compound {
        size: 7,
        members: vec![
            member("left out", 0, u8::datatype()),
            member("x", 1, i16::datatype()),
            member("y", 3, f32::datatype()),
        ],
    };
    let wanted = |y: Datatype| Datatype::Compound {
        size: 12,
        members: vec![member("y", 0, y), member("x", 8, i32::datatype())],
    };
    let plan = plan(&stored, &wanted(f64::datatype()), Conversion::Exact).unwrap();
    let mut bytes = vec![9, 0xff, 0xff];
    bytes.extend(1.5_f32.to_le_bytes());
    let mut out = vec![0; 12];
    let mut heap = NoHeap;
    plan.run(&bytes, &mut out, &mut Scratch::new(&mut heap))
        .unwrap();
    assert_eq!(out[..8], 1.5_f64.to_le_bytes());
    assert_eq!(out[8..], (-1_i32).to_le_bytes());
    assert!(super::plan(&stored, &wanted(i64::datatype()), Conversion::Exact).is_none());
    let other = Datatype::Compound {
        size: 1,
        members: vec![member("z", 0, u8::datatype())],
    };
    assert!(super::plan(&stored, &other, Conversion::Soft).is_none());
}

#[test]
fn the_middle_choice_names_the_first_value_that_does_not_fit() {
    let bytes: Vec<u8> = [1_i32, 300, -1]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let error = read::<u8>(&bytes, &i32::datatype(), Conversion::Checked).unwrap_err();
    assert_eq!(
        error.to_string(),
        "element 1 of the values read, 300, is no u8"
    );
    assert_eq!(
        read::<u8>(&bytes, &i32::datatype(), Conversion::Soft).unwrap(),
        [1, 255, 0]
    );
}

proptest! {
    #[test]
    fn floats_are_rounded_as_the_host_does(values: Vec<f64>, narrow: Vec<f32>) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        let big = f64::datatype().with_byte_order(ByteOrder::BigEndian);
        let soft = read::<f32>(&bytes, &big, Conversion::Soft).unwrap();
        for (value, soft) in values.iter().zip(&soft) {
            prop_assert!(value.abs() > f32::MAX.into() || soft.to_bits() == (*value as f32).to_bits());
        }
        match read::<f32>(&bytes, &big, Conversion::Checked) {
            Ok(read) => prop_assert!(values.iter().zip(read).all(|(value, read)| *value == f64::from(read))),
            Err(_) => prop_assert!(values.iter().any(|value| *value != f64::from(*value as f32))),
        }
        let bytes: Vec<u8> = narrow.iter().flat_map(|value| value.to_le_bytes()).collect();
        for (value, soft) in narrow.iter().zip(read::<f16>(&bytes, &f32::datatype(), Conversion::Soft).unwrap()) {
            prop_assert!(value.abs() > 65504.0 || soft.to_bits() == f16::from_f32(*value).to_bits(), "{}", value);
        }
    }

    #[test]
    fn loops_and_the_way_bit_by_bit_agree(values: Vec<i64>) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let soft = read::<i16>(&bytes, &i64::datatype(), Conversion::Soft).unwrap();
        let clamped: Vec<i16> = values.iter().map(|value| (*value).clamp(-32768, 32767) as i16).collect();
        prop_assert_eq!(soft, clamped);
        let checked = read::<i16>(&bytes, &i64::datatype(), Conversion::Checked);
        prop_assert_eq!(checked.is_ok(), values.iter().all(|value| i16::try_from(*value).is_ok()));
        let floats = read::<f64>(&bytes, &i64::datatype(), Conversion::Soft).unwrap();
        prop_assert_eq!(floats, values.iter().map(|value| *value as f64).collect::<Vec<_>>());
    }
}
