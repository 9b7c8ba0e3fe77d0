use super::*;
use crate::format::message::datatype::{ByteOrder, CharacterSet, StringPadding};
use alloc::string::String;
use core::fmt::Debug;
use proptest::prelude::*;
use std::collections::BTreeMap;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/golden/types/", $name, ".bin")).as_slice()
    };
}

/// A heap of numbered objects.
#[derive(Default)]
struct Heap {
    objects: BTreeMap<(u64, u32), Vec<u8>>,
    next: u32,
}

impl VarLenSink for Heap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn insert(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        self.next += 1;
        self.objects.insert((4096, self.next), bytes.to_vec());
        Ok((4096, self.next))
    }
}

impl VarLenSource for Heap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn read(&mut self, address: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()> {
        let object = self
            .objects
            .get(&(address, index))
            .and_then(|object| object.get(..len))
            .ok_or_else(|| Error::corrupt("global heap", "no such object"))?;
        out.extend_from_slice(object);
        Ok(())
    }
}

fn encoded<T: H5Type>(values: &[T], stored: &Datatype) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    T::encode(values, stored, &mut NoHeap, &mut out)?;
    Ok(out)
}

fn decoded<T: H5Type>(bytes: &[u8], stored: &Datatype) -> Result<Vec<T>> {
    T::decode(bytes, stored, &mut NoHeap)
}

/// libhdf5's bytes are these values, and these values are libhdf5's bytes.
fn check<T: H5Type + PartialEq + Debug>(bytes: &[u8], stored: &Datatype, values: &[T]) {
    assert_eq!(decoded::<T>(bytes, stored).unwrap(), values);
    assert_eq!(encoded(values, stored).unwrap(), bytes);
    if let Some(memory) = T::as_bytes(values, stored) {
        assert_eq!(memory, bytes);
    }
    let mut buffer = vec![T::zero(); values.len()];
    if let Some(memory) = T::as_bytes_mut(&mut buffer, stored) {
        memory.copy_from_slice(bytes);
        assert_eq!(buffer, values);
    }
}

fn is_mismatch<T: Debug>(result: Result<T>) -> bool {
    matches!(result.unwrap_err().kind(), ErrorKind::TypeMismatch { .. })
}

fn is_invalid<T: Debug>(result: Result<T>) -> bool {
    matches!(
        result.unwrap_err().kind(),
        ErrorKind::Invalid(_) | ErrorKind::Limit { .. }
    )
}

fn is_corrupt<T: Debug>(result: Result<T>) -> bool {
    matches!(result.unwrap_err().kind(), ErrorKind::Corrupt { .. })
}

fn big<T: H5Type>() -> Datatype {
    T::datatype().with_byte_order(ByteOrder::BigEndian)
}

macro_rules! golden_pair {
    ($name:literal, $suffix:literal) => {
        include_bytes!(concat!("../../tests/golden/types/", $name, $suffix, ".bin")).as_slice()
    };
}

macro_rules! numbers {
    ($($name:literal, $type:ty, $values:expr;)*) => {
        #[test]
        fn numbers_are_what_libhdf5_writes_in_both_byte_orders() {
            $(
                check::<$type>(golden_pair!($name, "_le"), &<$type>::datatype(), &$values);
                check::<$type>(golden_pair!($name, "_be"), &big::<$type>(), &$values);
            )*
        }
    };
}

numbers! {
    "i1", i8, [0, 1, -1, i8::MIN, 127];
    "i2", i16, [0, 1, -1, i16::MIN, 258];
    "i4", i32, [0, 1, -1, i32::MIN, 0x0102_0304];
    "i8", i64, [0, 1, -1, i64::MIN, 0x0102_0304_0506_0708];
    "u1", u8, [0, 1, 2, 128, 255];
    "u2", u16, [0, 1, 2, u16::MAX, 258];
    "u4", u32, [0, 1, 2, u32::MAX, 0x0102_0304];
    "u8", u64, [0, 1, 2, u64::MAX, 0x0102_0304_0506_0708];
    "f2", half::f16, [0.0, -0.0, 1.5, -65504.0, f32::INFINITY].map(half::f16::from_f32);
    "f4", f32, [0.0, -0.0, 1.5, -1e-45, f32::INFINITY];
    "f8", f64, [0.0, -0.0, 1.5, -5e-324, f64::INFINITY];
}

#[test]
fn bfloat16_is_what_libhdf5_converts_to() {
    let values = [0.0, 1.0, -2.5, 3.0e38].map(half::bf16::from_f32);
    check(golden!("bf16_le"), &half::bf16::datatype(), &values);
    assert!(!half::f16::matches(&half::bf16::datatype()));
}

#[test]
fn booleans_are_the_enumeration_of_h5py_and_nothing_else() {
    let stored = bool::datatype();
    check(golden!("bool"), &stored, &[true, false, true]);
    assert!(is_corrupt(decoded::<bool>(&[0, 2], &stored)));
    assert!(!bool::matches(&i8::datatype()));
    assert!(!i8::matches(&stored));
}

#[test]
fn numbers_are_never_converted() {
    assert!(is_mismatch(encoded(&[1_i32], &f32::datatype())));
    assert!(is_mismatch(encoded(&[1_u32], &i32::datatype())));
    assert!(is_mismatch(encoded(&[1_u8], &i8::datatype())));
    assert!(is_mismatch(encoded(&[1_f32], &f64::datatype())));
    assert!(is_mismatch(decoded::<f32>(&[0; 8], &f64::datatype())));
    assert!(is_mismatch(decoded::<F128>(&[0; 16], &F80::datatype())));
    assert!(f32::as_bytes(&[1.0], &i32::datatype()).is_none());
    let Datatype::Integer(mut narrow) = u16::datatype() else {
        panic!()
    };
    narrow.precision = 12;
    assert!(!u16::matches(&Datatype::Integer(narrow)));
    assert!(!u16::matches(&Datatype::Bitfield(narrow)));
    let Datatype::Float(mut vax) = f32::datatype() else {
        panic!()
    };
    vax.order = ByteOrder::Vax;
    assert!(!f32::matches(&Datatype::Float(vax)));
}

#[test]
fn a_mismatch_names_both_types() {
    let error = encoded(&[1_u32], &i32::datatype()).unwrap_err().to_string();
    let (stored, given) = (i32::datatype().to_string(), u32::datatype().to_string());
    assert!(error.contains(&stored) && error.contains(&given), "{error}");
}

#[test]
fn data_that_ends_within_an_element_is_an_error() {
    assert!(is_corrupt(decoded::<u32>(&[0; 7], &u32::datatype())));
    assert!(is_corrupt(decoded::<F80>(&[0; 17], &F80::datatype())));
    assert!(is_corrupt(decoded::<[u16; 3]>(
        &[0; 8],
        &<[u16; 3]>::datatype()
    )));
    assert!(is_corrupt(decoded::<[u16; 3]>(&[0; 8], &big::<[u16; 3]>())));
    assert!(is_corrupt(decoded::<FixedAscii<3>>(
        &[0; 4],
        &FixedAscii::<3>::datatype()
    )));
    assert!(is_corrupt(decoded::<String>(&[0; 15], &String::datatype())));
}

#[test]
fn byte_order_reaches_every_nested_number() {
    let reversed = big::<[[bool; 2]; 3]>();
    assert!(<[[bool; 2]; 3]>::matches(&reversed));
    let stored = Datatype::Enum {
        base: alloc::boxed::Box::new(u16::datatype()),
        members: vec![("A".into(), vec![1, 0])],
    };
    let Datatype::Enum { base, members } = stored.clone().with_byte_order(ByteOrder::BigEndian)
    else {
        panic!()
    };
    assert_eq!(*base, big::<u16>());
    assert_eq!(members[0].1, [0, 1]);
    let again = stored.clone().with_byte_order(ByteOrder::BigEndian);
    assert_eq!(again.with_byte_order(ByteOrder::LittleEndian), stored);
}

#[test]
fn arrays_of_arrays_read_what_h5py_writes_for_two_dimensions() {
    let values = [
        [[0.0_f32, 1.0, 2.0], [3.0, 4.0, 5.0]],
        [[6.0, 7.0, 8.0], [9.0, 10.0, 11.0]],
    ];
    let stored = Datatype::Array {
        dims: vec![2, 3],
        base: alloc::boxed::Box::new(big::<f32>()),
    };
    check(golden!("array_f4_be"), &stored, &values);
    check(golden!("array_f4_be"), &big::<[[f32; 3]; 2]>(), &values);
    assert!(<[[f32; 3]; 2]>::as_bytes(&values, &<[[f32; 3]; 2]>::datatype()).is_some());
    assert!(!<[[f32; 2]; 3]>::matches(&stored));
    assert!(!<[f32; 2]>::matches(&stored));
}

fn string4(padding: StringPadding) -> Datatype {
    Datatype::FixedString {
        size: 4,
        padding,
        charset: CharacterSet::Ascii,
    }
}

#[test]
fn fixed_strings_of_every_padding_are_what_libhdf5_writes() {
    let values = ["", "ab", "abcd"].map(|text| FixedAscii::<4>::try_from(text).unwrap());
    check(
        golden!("string4_null_pad"),
        &string4(StringPadding::NullPad),
        &values,
    );
    check(
        golden!("string4_space_pad"),
        &string4(StringPadding::SpacePad),
        &values,
    );
    let stored = Datatype::FixedString {
        size: 5,
        padding: StringPadding::NullTerminate,
        charset: CharacterSet::Utf8,
    };
    let values = ["", "ab", "abcd"].map(|text| FixedAscii::<5>::try_from(text).unwrap());
    check(golden!("string5_null_term"), &stored, &values);
    let values = ["µm", "s"].map(|text| FixedUnicode::<4>::try_from(text).unwrap());
    check(golden!("unicode4"), &FixedUnicode::<4>::datatype(), &values);
}

#[test]
fn fixed_strings_refuse_what_would_come_back_different() {
    let write = |text: &str, padding| {
        encoded(
            &[FixedUnicode::<4>::try_from(text).unwrap()],
            &string4(padding),
        )
    };
    assert!(is_invalid(write("abcd", StringPadding::NullTerminate)));
    assert!(is_invalid(write("a\0b", StringPadding::NullTerminate)));
    assert!(write("a\0b", StringPadding::NullPad).is_ok());
    assert!(is_invalid(write("ab ", StringPadding::SpacePad)));
    assert!(write("ab ", StringPadding::NullPad).is_ok());
    assert!(is_invalid(write("é", StringPadding::NullPad)));
    assert!(is_invalid("abcde".parse::<FixedAscii<4>>()));
    assert!(is_invalid("ab\0".parse::<FixedAscii<4>>()));
    assert!(is_invalid("é".parse::<FixedAscii<4>>()));
    let latin = [0xe9, 0, 0, 0];
    assert!(is_corrupt(decoded::<FixedUnicode<4>>(
        &latin,
        &string4(StringPadding::NullPad)
    )));
    assert!(is_mismatch(decoded::<FixedAscii<3>>(
        b"abc",
        &string4(StringPadding::NullPad)
    )));
}

#[test]
fn null_terminated_strings_end_at_the_first_zero() {
    let stored = string4(StringPadding::NullTerminate);
    assert_eq!(decoded::<FixedAscii<4>>(b"a\0zz", &stored).unwrap(), ["a"]);
    assert_eq!(
        decoded::<FixedAscii<4>>(b"abcd", &stored).unwrap(),
        ["abcd"]
    );
}

#[test]
fn variable_length_strings_read_what_h5py_writes() {
    let bytes = golden!("varlen");
    let collection = golden!("varlen_heap");
    let address = u64::from_le_bytes(bytes[4..12].try_into().unwrap());
    let mut heap = Heap::default();
    let mut at = 16;
    while let Some(object) = collection.get(at..).filter(|rest| rest.len() >= 16) {
        let index = u16::from_le_bytes([object[0], object[1]]);
        let len = usize::from(u16::from_le_bytes([object[8], object[9]]));
        if index == 0 {
            break;
        }
        let data = object[16..16 + len].to_vec();
        heap.objects.insert((address, index.into()), data);
        at += 16 + len.next_multiple_of(8);
    }
    let values = String::decode(bytes, &String::datatype(), &mut heap).unwrap();
    assert_eq!(values, ["abc", "Ångström", ""]);
    let result = VarLenAscii::decode(bytes, &String::datatype(), &mut heap);
    assert!(is_invalid(result));
}

#[test]
fn variable_length_strings_are_length_address_index() {
    let mut heap = Heap::default();
    let mut out = vec![7];
    let values = ["ab".into(), String::new(), "c".into()];
    String::encode(&values, &String::datatype(), &mut heap, &mut out).unwrap();
    #[rustfmt::skip]
    assert_eq!(out, [
        7,
        2, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
    ]);
    assert_eq!(heap.objects.len(), 2);
    let back = String::decode(&out[1..], &String::datatype(), &mut heap).unwrap();
    assert_eq!(back, values);
}

#[test]
fn a_refused_string_leaves_nothing_in_the_heap() {
    let mut heap = Heap::default();
    let mut out = Vec::new();
    let nul = ["ab".into(), "c\0d".into()];
    assert!(is_invalid(String::encode(
        &nul,
        &String::datatype(),
        &mut heap,
        &mut out
    )));
    let ascii = VarLenAscii::datatype();
    let wide = ["ab".into(), "é".into()];
    assert!(is_invalid(String::encode(
        &wide, &ascii, &mut heap, &mut out
    )));
    assert!(heap.objects.is_empty() && out.is_empty());
    String::encode(&["ab".into()], &ascii, &mut heap, &mut out).unwrap();
    assert!(is_invalid("a\0".parse::<VarLenUnicode>()));
    assert!(!String::matches(&FixedAscii::<4>::datatype()));
}

#[test]
fn a_string_longer_than_its_object_is_an_error_before_it_is_allocated() {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(is_corrupt(String::decode(
        &bytes,
        &String::datatype(),
        &mut Heap::default()
    )));
}

fn elements(bytes: &[u8]) -> impl Iterator<Item = [u8; 8]> {
    bytes.as_chunks::<8>().0.iter().copied()
}

#[test]
fn f80_is_the_long_double_of_numpy_and_rounds_as_the_processor_does() {
    let stored = golden!("longdouble");
    let values = decoded::<F80>(stored, &F80::datatype()).unwrap();
    assert_eq!(encoded(&values, &F80::datatype()).unwrap(), stored);
    for (value, expected) in values.iter().zip(elements(golden!("longdouble_as_f64"))) {
        let expected = f64::from_le_bytes(expected);
        assert_eq!(value.to_f64().is_nan(), expected.is_nan());
        if !expected.is_nan() {
            assert_eq!(
                value.to_f64().to_bits(),
                expected.to_bits(),
                "{:x?}",
                value.to_bits()
            );
        }
        let quad = F128::from(value.to_f64());
        assert_eq!(quad.to_f64().to_bits(), value.to_f64().to_bits());
    }
    let reversed = encoded(&values, &big::<F80>()).unwrap();
    assert_eq!(
        reversed[..16].iter().rev().copied().collect::<Vec<_>>(),
        stored[..16]
    );
    let back = decoded::<F80>(&reversed, &big::<F80>()).unwrap();
    assert_eq!(encoded(&back, &F80::datatype()).unwrap(), stored);
}

#[test]
fn f80_of_integers_is_the_long_double_of_numpy() {
    let integers = elements(golden!("integers_i8")).map(i64::from_le_bytes);
    let values: Vec<_> = integers.map(F80::from).collect();
    assert_eq!(
        encoded(&values, &F80::datatype()).unwrap(),
        golden!("integers_longdouble")
    );
}

#[test]
fn extended_numbers_compare_as_values() {
    assert_eq!(F80::from(0.0), F80::from(-0.0));
    assert_ne!(F80::NAN, F80::NAN);
    assert!(F80::from(-1.0) < F80::from(5e-324));
    assert!(F80::MAX < F80::INFINITY);
    // Exponent 0 with the leading bit is the value of exponent 1.
    assert_eq!(F80::from_bits(0, 1 << 63), F80::from_bits(1, 1 << 63));
    // Without its leading bit it is no number.
    assert!(F80::from_bits(16383, 1).is_nan() && F80::from_bits(16383, 1).to_f64().is_nan());
    assert_eq!(F128::from(0.0), F128::from(-0.0));
    assert_ne!(F128::NAN, F128::NAN);
    assert!(F128::from(-2.0) < F128::from(-1.0));
    assert!(F128::MAX < F128::INFINITY);
}

#[test]
fn f128_has_the_bits_of_ieee_754() {
    assert_eq!(F128::from(1.0).to_bits(), 0x3fff << 112);
    assert_eq!(F128::from(-2.0).to_bits(), 0xc000 << 112);
    assert_eq!(F128::from(1.5).to_bits(), 0x0003_fff8 << 108);
    assert_eq!(F128::from(5e-324).to_bits(), (16383 - 1074) << 112);
    assert_eq!(
        F128::from(u64::MAX).to_bits(),
        0x403e_ffff_ffff_ffff_fffe << 48
    );
    assert_eq!(F128::from(i64::MIN).to_bits(), 0xc03e << 112);
    let one = F128::from(1.0).to_bits();
    let half_way = 1 << 59;
    assert_eq!(F128::from_bits(one + half_way).to_f64(), 1.0);
    assert_eq!(
        F128::from_bits(one + half_way + 1).to_f64(),
        1.0 + f64::EPSILON
    );
    assert_eq!(
        F128::from_bits(one + 3 * half_way).to_f64(),
        1.0 + 2.0 * f64::EPSILON
    );
    assert_eq!(F128::MAX.to_f64(), f64::INFINITY);
    assert_eq!(F128::from_bits(1).to_f64().to_bits(), 0);
    assert_eq!(F128::from_bits(1 << 127 | 1).to_f64().to_bits(), 1 << 63);
}

#[test]
fn extended_numbers_are_shown_exactly() {
    assert_eq!(F80::from(0.1).to_string(), "0.1");
    assert_eq!(format!("{:?}", F80::INFINITY), "F80(inf)");
    assert_eq!(
        F80::from(-i64::MAX).to_string(),
        "-0x1.fffffffffffffffcp+62"
    );
    let next = F80::from_bits(16383, (1 << 63) + 1);
    assert_eq!(next.to_string(), "0x1.0000000000000002p+0");
    assert_eq!(
        F128::from_bits((0x3fff << 112) + 1).to_string(),
        format!("0x1.{:028x}p+0", 1)
    );
    assert_eq!(F80::from_bits(0, 1).to_string(), "0x1.0p-16445");
    assert_eq!(F80::from_bits(20000, 1 << 63).to_string(), "0x1.0p+3617");
}

proptest! {
    #[test]
    fn extended_numbers_keep_every_f64(bits: u64) {
        let value = f64::from_bits(bits);
        // A signalling NaN comes back quiet.
        let expected = if value.is_nan() { bits | 1 << 51 } else { bits };
        prop_assert_eq!(F80::from(value).to_f64().to_bits(), expected);
        prop_assert_eq!(F128::from(value).to_f64().to_bits(), expected);
        prop_assert_eq!(F80::from(value).is_nan(), value.is_nan());
    }

    #[test]
    fn extended_numbers_round_integers_as_the_host_does(signed: i64, unsigned: u64) {
        prop_assert_eq!(F80::from(signed).to_f64(), signed as f64);
        prop_assert_eq!(F80::from(unsigned).to_f64(), unsigned as f64);
        prop_assert_eq!(F128::from(signed).to_f64(), signed as f64);
        prop_assert_eq!(F128::from(unsigned).to_f64(), unsigned as f64);
    }

    #[test]
    fn extended_numbers_order_as_f64(a: f64, b: f64) {
        prop_assert_eq!(F80::from(a).partial_cmp(&F80::from(b)), a.partial_cmp(&b));
        prop_assert_eq!(F128::from(a).partial_cmp(&F128::from(b)), a.partial_cmp(&b));
    }

    #[test]
    fn numbers_come_back_in_both_orders(values: Vec<i16>, floats: Vec<[u64; 3]>) {
        for stored in [i16::datatype(), big::<i16>()] {
            prop_assert_eq!(&decoded::<i16>(&encoded(&values, &stored).unwrap(), &stored).unwrap(), &values);
        }
        for stored in [<[u64; 3]>::datatype(), big::<[u64; 3]>()] {
            let bytes = encoded(&floats, &stored).unwrap();
            prop_assert_eq!(&decoded::<[u64; 3]>(&bytes, &stored).unwrap(), &floats);
        }
    }

    #[test]
    fn strings_come_back_or_are_refused(texts: Vec<String>) {
        let mut heap = Heap::default();
        let mut out = Vec::new();
        let result = String::encode(&texts, &String::datatype(), &mut heap, &mut out);
        prop_assert_eq!(result.is_ok(), !texts.iter().any(|text| text.contains('\0')));
        if result.is_ok() {
            let back = String::decode(&out, &String::datatype(), &mut heap).unwrap();
            prop_assert_eq!(back, texts);
        }
    }

    #[test]
    fn fixed_strings_come_back_or_are_refused(text: String, padding in 0..3) {
        let padding = [StringPadding::NullTerminate, StringPadding::NullPad, StringPadding::SpacePad][padding as usize];
        let stored = Datatype::FixedString { size: 12, padding, charset: CharacterSet::Utf8 };
        if let Ok(value) = text.parse::<FixedUnicode<12>>() {
            prop_assert_eq!(value.as_str(), text.as_str());
            if let Ok(bytes) = encoded(&[value], &stored) {
                prop_assert_eq!(bytes.len(), 12);
                prop_assert_eq!(decoded::<FixedUnicode<12>>(&bytes, &stored).unwrap(), [value]);
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
        let mut heap = Heap::default();
        let _ = String::decode(&bytes, &String::datatype(), &mut heap);
        let _ = decoded::<bool>(&bytes, &bool::datatype());
        let _ = decoded::<F80>(&bytes, &F80::datatype()).map(|v| format!("{v:?}"));
        let _ = decoded::<F128>(&bytes, &F128::datatype()).map(|v| format!("{v:?}"));
        let _ = decoded::<FixedUnicode<5>>(&bytes, &FixedUnicode::<5>::datatype());
    }
}
