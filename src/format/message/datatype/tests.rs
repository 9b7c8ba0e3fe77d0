use super::*;
use alloc::string::ToString;
use alloc::vec;

/// A golden datatype by its name in tests/golden/messages.
macro_rules! golden {
    ($name:literal) => {
        Datatype::decode(
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/golden/messages/",
                $name,
                "-datatype.bin"
            )),
            0,
        )
        .unwrap()
        .0
    };
}

#[test]
fn types_of_libhdf5_are_named_in_a_few_words() {
    for (datatype, text) in [
        (golden!("i8"), "i8"),
        (golden!("i32le"), "little-endian i32"),
        (golden!("u64be"), "big-endian u64"),
        (
            golden!("i16-of-12-bits"),
            "little-endian i16 with 12 bits used",
        ),
        (golden!("bits16"), "little-endian bit field 16"),
        (golden!("f16"), "little-endian f16"),
        (golden!("f32"), "little-endian f32"),
        (golden!("f64be"), "big-endian f64"),
        (golden!("quad-be"), "big-endian f128"),
        (
            golden!("x86-extended"),
            "little-endian float of 16 bytes (15 exponent bits, 64 mantissa bits)",
        ),
        (golden!("bool"), "enum {FALSE, TRUE} of i8"),
        (golden!("string-padded"), "UTF-8 string of 8 bytes"),
        (golden!("var-string"), "variable-length UTF-8 string"),
        (golden!("var-string-ascii"), "variable-length ASCII string"),
        (
            golden!("var-i32"),
            "variable-length sequence of little-endian i32",
        ),
        (golden!("array"), "[3, 4] array of u8"),
        (
            golden!("pair"),
            "compound {x: little-endian f32, count: little-endian i64}",
        ),
        (golden!("object-reference"), "object reference"),
        (golden!("region-reference"), "region reference"),
        (golden!("opaque"), "opaque of 5 bytes (a tag)"),
        (golden!("complex"), "complex of little-endian f32"),
    ] {
        assert_eq!(datatype.to_string(), text);
    }
}

#[test]
fn every_field_of_a_float_is_read() {
    let extended = FloatType {
        size: 16,
        order: ByteOrder::LittleEndian,
        bit_offset: 0,
        precision: 80,
        sign_location: 79,
        exponent_location: 64,
        exponent_size: 15,
        mantissa_location: 0,
        mantissa_size: 64,
        exponent_bias: 16383,
        normalization: Normalization::None,
        low_pad: false,
        high_pad: false,
        internal_pad: false,
    };
    assert_eq!(golden!("x86-extended"), Datatype::Float(extended));
    let quad = FloatType {
        order: ByteOrder::BigEndian,
        precision: 128,
        sign_location: 127,
        exponent_location: 112,
        mantissa_size: 112,
        normalization: Normalization::Implied,
        ..extended
    };
    assert_eq!(golden!("quad-be"), Datatype::Float(quad));
}

#[test]
fn every_field_of_an_integer_is_read() {
    let expected = IntegerType {
        size: 2,
        order: ByteOrder::LittleEndian,
        signed: true,
        bit_offset: 3,
        precision: 12,
        low_pad: false,
        high_pad: false,
    };
    assert_eq!(golden!("i16-of-12-bits"), Datatype::Integer(expected));
}

#[test]
fn strings_keep_size_padding_and_character_set() {
    let string = |size, padding, charset| Datatype::FixedString {
        size,
        padding,
        charset,
    };
    let (ascii, utf8) = (CharacterSet::Ascii, CharacterSet::Utf8);
    assert_eq!(
        golden!("string-terminated"),
        string(7, StringPadding::NullTerminate, ascii)
    );
    assert_eq!(
        golden!("string-padded"),
        string(8, StringPadding::NullPad, utf8)
    );
    assert_eq!(
        golden!("string-spaces"),
        string(9, StringPadding::SpacePad, ascii)
    );
}

#[test]
fn a_nested_compound_is_the_same_in_every_version() {
    let nested = golden!("nested");
    assert_eq!(nested.size(), 408);
    assert!(nested.contains_var_len() && !nested.is_var_len_string());
    let Datatype::Compound { members, .. } = &nested else {
        panic!("not a compound");
    };
    let offsets: Vec<_> = members.iter().map(|member| member.offset).collect();
    assert_eq!(offsets[..3], [0, 8, 32]);
    assert_eq!(members[1].name, "name");
    assert!(members[1].datatype.is_var_len_string());
    assert_eq!(nested, golden!("v1-nested"));
    assert_eq!(nested, golden!("v5-nested"));
    for version in 1..=5 {
        let bytes = nested.encode(version);
        let (decoded, stored, used) = Datatype::decode(&bytes, 0).unwrap();
        assert_eq!(decoded, nested);
        assert_eq!(used, bytes.len());
        assert_eq!(stored, version.max(2), "an array needs version 2");
    }
}

#[test]
fn a_member_of_version_1_may_have_a_shape_of_its_own() {
    let pair = golden!("pair");
    let mut bytes = pair.encode(1);
    // The first member: name 8, offset 4, then rank 1, reserved 3, permutation 4, reserved 4, sizes 16.
    let rank = 8 + 8 + 4;
    bytes[rank] = 2;
    bytes[rank + 12] = 2;
    bytes[rank + 16] = 1;
    let (decoded, ..) = Datatype::decode(&bytes, 0).unwrap();
    let Datatype::Compound { members, .. } = &decoded else {
        panic!("not a compound");
    };
    assert_eq!(
        members[0].datatype.to_string(),
        "[2, 1] array of little-endian f32"
    );
    bytes[rank] = 5;
    assert!(Datatype::decode(&bytes, 0).is_err());
}

#[test]
fn nesting_has_a_limit() {
    let mut bytes = Vec::new();
    for _ in 0..70 {
        bytes.extend_from_slice(&[0x19, 0, 0, 0, 16, 0, 0, 0]);
    }
    let error = Datatype::decode(&bytes, 5).unwrap_err();
    assert!(matches!(
        error.kind(),
        crate::ErrorKind::Limit { max: 64, .. }
    ));
}

#[test]
fn parts_that_contradict_the_size_are_refused() {
    let mut array = golden!("array").encode(3);
    array[4] += 1;
    assert!(Datatype::decode(&array, 0).is_err());
    let mut float = golden!("f32").encode(3);
    float[4] = 2;
    assert!(Datatype::decode(&float, 0).is_err());
    let mut overlap = golden!("f32").encode(3);
    overlap[15] = 24;
    assert!(Datatype::decode(&overlap, 0).is_err());
    let mut zero = golden!("opaque").encode(3);
    zero[4] = 0;
    assert!(Datatype::decode(&zero, 0).is_err());
}

#[test]
fn revised_references_and_vax_floats_raise_the_version() {
    let reference = Datatype::Reference {
        size: 64,
        kind: 2,
        version: 1,
    };
    assert_eq!(reference.encode(1), [0x47, 0x12, 0, 0, 64, 0, 0, 0]);
    let Datatype::Float(float) = golden!("f32") else {
        panic!("not a float");
    };
    let vax = Datatype::Float(FloatType {
        order: ByteOrder::Vax,
        ..float
    });
    let array = Datatype::Array {
        dims: vec![2],
        base: Box::new(vax),
    };
    let bytes = array.encode(1);
    assert_eq!(
        Datatype::decode(&bytes, 0).unwrap(),
        (array, 3, bytes.len())
    );
}
