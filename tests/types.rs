//! Types of elements: what is refused, with the name of the member, and what is not in `derive.rs`.

use h5quill::types::{FloatSize, IntSize, TypeDescriptor};
use h5quill::{
    ByteOrder, CompoundMember, Datatype, Error, ErrorKind, F8E4M3, F8E5M2, F128, File, FixedAscii,
    FixedUnicode, H5Type, IntegerType, StringPadding, Value, VarLenArray, VarLenAscii,
    VarLenUnicode,
};

fn member(name: &str, offset: u32, datatype: Datatype) -> CompoundMember {
    CompoundMember {
        name: name.into(),
        offset,
        datatype,
    }
}

fn compound(size: u32, members: Vec<CompoundMember>) -> Datatype {
    Datatype::Compound { size, members }
}

fn small(members: Vec<(&str, Vec<u8>)>) -> Datatype {
    Datatype::Enum {
        base: Box::new(u8::datatype()),
        members: members
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
    }
}

/// The error of a dataset, an attribute and a committed datatype of the type; the file is not changed.
fn refused(datatype: &Datatype) -> Error {
    let file = File::create_memory().unwrap();
    file.flush().unwrap();
    let error = file
        .new_dataset_of(datatype.clone())
        .create("x")
        .unwrap_err();
    let attribute = file.new_attr_of(datatype.clone()).create("x").unwrap_err();
    let committed = file.commit_datatype("x", datatype).unwrap_err();
    assert_eq!(error.kind(), attribute.kind());
    assert_eq!(error.kind(), committed.kind());
    assert_eq!(error.member(), committed.member());
    assert!(file.member_names().unwrap().is_empty() && file.attr_names().unwrap().is_empty());
    error
}

#[test]
fn datatypes_that_no_reader_takes_are_refused() {
    let number = |bit_offset, precision| IntegerType {
        size: 2,
        order: ByteOrder::LittleEndian,
        signed: false,
        bit_offset,
        precision,
        low_pad: false,
        high_pad: false,
    };
    let byte = u8::datatype;
    let array = |dims| Datatype::Array {
        dims,
        base: Box::new(byte()),
    };
    let cases: Vec<(Datatype, &str)> = vec![
        (
            Datatype::Integer(number(4, 13)),
            "/x: the bits of a number lie outside its bytes",
        ),
        (
            Datatype::Bitfield(number(0, 0)),
            "/x: the bits of a number lie outside its bytes",
        ),
        (
            Datatype::Opaque {
                size: 0,
                tag: String::new(),
            },
            "/x: the datatype has no size",
        ),
        (
            Datatype::Opaque {
                size: 1,
                tag: "\0".into(),
            },
            "/x: a tag has a NUL",
        ),
        (
            Datatype::Opaque {
                size: 1,
                tag: "t".repeat(249),
            },
            "/x: the length of a tag is 249, more than the limit of 248",
        ),
        (compound(1, vec![]), "/x: a compound type has no members"),
        (
            compound(1, vec![member("", 0, byte())]),
            "/x: the name of a member is empty",
        ),
        (
            compound(1, vec![member("a\0", 0, byte())]),
            "/x: the name of a member has a NUL",
        ),
        (
            compound(2, vec![member("a", 0, byte()), member("a", 1, byte())]),
            "/x: member a: there are two members of this name",
        ),
        (
            compound(4, vec![member("a", 1, f32::datatype())]),
            "/x: member a: a member lies outside its compound type",
        ),
        (
            compound(
                8,
                vec![member("b", 2, byte()), member("a", 0, f32::datatype())],
            ),
            "/x: member b: it overlaps the member a",
        ),
        (
            compound(
                1,
                vec![member(
                    "a",
                    0,
                    compound(1, vec![member("b", 0, array(vec![]))]),
                )],
            ),
            "/x: member a.b: an array has no dimension",
        ),
        (array(vec![2, 0]), "/x: an array has a dimension of 0"),
        (
            array(vec![1; 33]),
            "/x: the rank of an array is 33, more than the limit of 32",
        ),
        (
            array(vec![65_536, 65_536]),
            "/x: the size of an element is 4294967296, more than the limit of 4294967295",
        ),
        (small(vec![]), "/x: an enumeration has no members"),
        (
            small(vec![("A", vec![1]), ("A", vec![2])]),
            "/x: member A: there are two members of this name",
        ),
        (
            small(vec![("A", vec![1]), ("B", vec![1])]),
            "/x: member B: another member has the same value",
        ),
        (
            small(vec![("A", vec![1, 2])]),
            "/x: member A: the value is of another size than the integer type",
        ),
        (
            Datatype::Enum {
                base: Box::new(f32::datatype()),
                members: vec![("A".into(), vec![0; 4])],
            },
            "/x: an enumeration is not of integers",
        ),
    ];
    for (datatype, expected) in cases {
        assert_eq!(refused(&datatype).to_string(), expected);
    }
}

#[test]
fn a_compound_is_refused_whose_description_is_beyond_a_header() {
    let wide = |count: u32, name: usize| {
        let names = (0..count).map(|number| format!("{number:04}{}", "n".repeat(name - 4)));
        let members = names
            .enumerate()
            .map(|(at, name)| member(&name, at as u32, u8::datatype()));
        compound(count, members.collect())
    };
    let error = refused(&wide(700, 100));
    let ErrorKind::Limit { what, value, max } = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(
        (*what, *max),
        ("the size of a datatype in an object header", 65_471)
    );
    assert!(*value > 70_000);
    let name = error.member().unwrap();
    let number: u32 = name[..4].parse().unwrap();
    assert!((500..600).contains(&number), "{name}");
    // Just below the limit it is made, and read.
    let file = File::create_memory().unwrap();
    let datatype = wide(564, 100);
    let data = file
        .new_dataset_of(datatype.clone())
        .shape(2)
        .create("x")
        .unwrap();
    let bytes: Vec<u8> = (0..1128).map(|number| number as u8).collect();
    data.write_bytes(&bytes, ..).unwrap();
    file.new_attr_of(datatype.clone()).create("x").unwrap();
    file.commit_datatype("y", &datatype).unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    assert_eq!(file.dataset("x").unwrap().read_bytes(..).unwrap(), bytes);
    assert_eq!(file.attr("x").unwrap().dtype().unwrap(), datatype);
    assert_eq!(file.named_datatype("y").unwrap().dtype().unwrap(), datatype);
}

/// A vector of zeros that nobody looks at costs no memory.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_sequence_of_four_gibibytes_is_refused() {
    let file = File::create_memory().unwrap();
    let data = file.new_dataset::<Vec<u8>>().shape(1).create("x").unwrap();
    let error = data.write(&[vec![0_u8; 1 << 32]]).unwrap_err();
    let limit = |what| ErrorKind::Limit {
        what,
        value: 1 << 32,
        max: (1 << 32) - 1,
    };
    assert_eq!(error.kind(), &limit("the length of a sequence"));
    let data = file.new_dataset::<Vec<u64>>().shape(1).create("y").unwrap();
    let error = data.write(&[vec![0_u64; 1 << 29]]).unwrap_err();
    assert_eq!(error.kind(), &limit("the size of a sequence in bytes"));
    let row = compound(16, vec![member("bytes", 0, Vec::<u8>::datatype())]);
    let data = file.new_dataset_of(row).shape(1).create("z").unwrap();
    let value = Value::Compound(vec![("bytes".into(), Value::Integer(1))]);
    let error = data.write_values(&[value], ..).unwrap_err().to_string();
    assert_eq!(
        error,
        "/z: member bytes: 1 is no variable-length sequence of u8"
    );
}

#[test]
fn values_that_a_datatype_does_not_have_are_refused() {
    let text = |text: &str| Value::String(text.into());
    let named = |name: &str, value| Value::Enum {
        name: Some(name.into()),
        value,
    };
    let colours = small(vec![("RED", vec![1]), ("BLUE", vec![9])]);
    let row = compound(
        5,
        vec![
            member("a", 0, i32::datatype()),
            member("b", 4, colours.clone()),
        ],
    );
    let of = |members: &[(&str, Value)]| {
        Value::Compound(
            members
                .iter()
                .map(|(name, value)| ((*name).into(), value.clone()))
                .collect(),
        )
    };
    let mut latin = FixedAscii::<3>::datatype();
    if let Datatype::FixedString { padding, .. } = &mut latin {
        *padding = StringPadding::SpacePad;
    }
    let pair = Datatype::Array {
        dims: vec![2],
        base: Box::new(i8::datatype()),
    };
    let cases: Vec<(Datatype, Value, &str)> = vec![
        (u8::datatype(), Value::Integer(-1), "-1 is no u8"),
        (u8::datatype(), Value::Float(1.0), "1.0 is no u8"),
        (
            f32::datatype(),
            Value::Integer(1),
            "1 is no little-endian f32",
        ),
        (
            f32::datatype(),
            Value::Float(0.1),
            "0.1 is no little-endian f32",
        ),
        (
            half::f16::datatype(),
            Value::Float(65_536.0),
            "65536.0 is no little-endian f16",
        ),
        (
            f64::datatype(),
            Value::F128(F128::from_bits(1)),
            "is no little-endian f64",
        ),
        (
            bool::datatype(),
            Value::Integer(2),
            "2 is none of the values of the enumeration (FALSE = 0, TRUE = 1)",
        ),
        (
            colours.clone(),
            named("RED", 9),
            "the member RED of an enumeration is no enum {RED, BLUE} of u8",
        ),
        (
            colours.clone(),
            text("GREEN"),
            "there is no member GREEN in enum {RED, BLUE} of u8",
        ),
        (
            colours.clone(),
            Value::Integer(300),
            "300 is none of the values of the enumeration (RED = 1, BLUE = 9)",
        ),
        (
            FixedAscii::<2>::datatype(),
            text("abc"),
            "the length of a fixed-length string is 3, more than the limit of 2",
        ),
        (
            FixedAscii::<2>::datatype(),
            text("é"),
            "a string of ASCII contains another character",
        ),
        (
            latin,
            text("a "),
            "a string that is padded with spaces ends with one",
        ),
        (
            VarLenAscii::datatype(),
            text("é"),
            "a string of ASCII contains another character",
        ),
        (
            String::datatype(),
            text("a\0"),
            "a string contains a zero byte",
        ),
        (
            String::datatype(),
            Value::Integer(1),
            "1 is no variable-length UTF-8 string",
        ),
        (
            Datatype::Opaque {
                size: 2,
                tag: String::new(),
            },
            Value::Bytes(vec![1]),
            "a value of 1 bytes is no opaque of 2 bytes",
        ),
        (
            pair.clone(),
            Value::Array(vec![Value::Integer(1)]),
            "an array of 1 elements is no [2] array of i8",
        ),
        (
            pair,
            Value::Sequence(vec![]),
            "a sequence of 0 is no [2] array of i8",
        ),
        (
            row.clone(),
            of(&[("a", Value::Integer(1))]),
            "member b: the value has no such member",
        ),
        (
            row.clone(),
            of(&[("a", Value::Integer(1)), ("b", Value::Integer(2))]),
            "member b: 2 is none of the values",
        ),
        (
            row.clone(),
            of(&[
                ("a", Value::Integer(1)),
                ("b", text("RED")),
                ("c", text("RED")),
            ]),
            "member c: there is no such member",
        ),
        (
            row,
            of(&[
                ("a", Value::Integer(1)),
                ("b", text("RED")),
                ("a", Value::Integer(1)),
            ]),
            "the value has a member twice",
        ),
    ];
    for (datatype, value, expected) in cases {
        let file = File::create_memory().unwrap();
        let data = file
            .new_dataset_of(datatype.clone())
            .shape(0..)
            .create("x")
            .unwrap();
        let error = data
            .append_values(std::slice::from_ref(&value))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}, not {expected}");
        assert_eq!(data.shape(), [0]);
        let attribute = file.new_attr_of(datatype).create("x").unwrap();
        assert!(attribute.write_values(&[value]).is_err());
    }
}

#[test]
fn rows_of_values_are_whole() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset_of(u8::datatype())
        .shape((0.., 2))
        .create("x")
        .unwrap();
    let value = Value::Integer;
    data.append_values(&[value(1), value(2), value(3), value(4)])
        .unwrap();
    assert!(data.append_values(&[value(5)]).is_err());
    assert!(data.write_values(&[value(5)], 0).is_err());
    data.write_values(&[value(5), value(6)], 0).unwrap();
    assert_eq!(data.read_raw::<u8>().unwrap(), [5, 6, 3, 4]);
    let scalar = file.new_dataset_of(u8::datatype()).create("y").unwrap();
    assert!(scalar.append_values(&[value(1)]).is_err());
    scalar.write_values(&[value(7)], ..).unwrap();
    assert_eq!(scalar.read_scalar::<u8>().unwrap(), 7);
}

#[test]
fn borrowed_strings_are_written() {
    let file = File::create_memory().unwrap();
    let owned = String::from("three");
    let data = file.new_dataset::<String>().shape(0..).create("x").unwrap();
    data.append(&["one", "zwei", owned.as_str()]).unwrap();
    data.write_slice(&["two"], 1..2).unwrap();
    assert_eq!(data.read_raw::<String>().unwrap(), ["one", "two", "three"]);
    assert!(data.append(&["a\0"]).is_err());
    let fixed = file
        .new_dataset::<FixedUnicode<3>>()
        .shape(2)
        .create("fixed")
        .unwrap();
    fixed.write(&["é", "abc"]).unwrap();
    assert_eq!(fixed.read_raw::<String>().unwrap(), ["é", "abc"]);
    assert!(fixed.write(&["abcd", ""]).is_err());
    let numbers = file.new_dataset::<u8>().shape(1).create("numbers").unwrap();
    let error = numbers.write(&["1"]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
        "{error}"
    );
    let scalar = file
        .new_dataset::<VarLenUnicode>()
        .create("scalar")
        .unwrap();
    scalar.write_scalar(&"text").unwrap();
    assert_eq!(scalar.read_scalar::<String>().unwrap(), "text");
    file.new_attr::<VarLenAscii>()
        .create("y")
        .unwrap()
        .write_scalar(&"text")
        .unwrap();
    assert_eq!(
        file.attr("y").unwrap().read_scalar::<String>().unwrap(),
        "text"
    );
}

#[test]
fn sequences_are_converted_and_rewritten() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset::<Vec<i16>>()
        .shape(0..)
        .create("x")
        .unwrap();
    data.append(&[vec![1_i16, -2], vec![], vec![3; 5000]])
        .unwrap();
    assert_eq!(data.read_raw::<Vec<f64>>().unwrap()[0], [1.0, -2.0]);
    assert!(data.read_raw::<Vec<u16>>().is_err());
    data.write_slice(&[VarLenArray::from([9_i16])], 0..1)
        .unwrap();
    let read = data.read_raw::<VarLenArray<i16>>().unwrap();
    assert_eq!(read[0], [9]);
    assert_eq!((read[1].len(), read[2].len()), (0, 5000));
    data.resize(1).unwrap();
    data.resize(2).unwrap();
    assert_eq!(data.read_raw::<Vec<i16>>().unwrap(), [vec![9], vec![]]);
}

/// What overwritten sequences had is used again, that of the sequences in them, too.
#[test]
fn overwritten_sequences_leave_their_space() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset::<Vec<Vec<String>>>()
        .shape(1)
        .create("x")
        .unwrap();
    let value = |round: usize| vec![vec![format!("{round:01000}"); 20]; 3];
    for round in 0..40 {
        data.write(&[value(round)]).unwrap();
        file.flush().unwrap();
    }
    assert_eq!(data.read_raw::<Vec<Vec<String>>>().unwrap(), [value(39)]);
    let size = file.into_bytes().unwrap().len();
    assert!(size < 10 * 60_000, "{size} bytes for 60,000");
}

#[test]
fn integers_of_the_size_of_an_address_are_stored_as_such() {
    let file = File::create_memory().unwrap();
    file.set_attr("n", usize::MAX).unwrap();
    let data = file
        .new_dataset::<isize>()
        .create_with("x", &[isize::MIN, 1])
        .unwrap();
    assert_eq!(data.read_raw::<isize>().unwrap(), [isize::MIN, 1]);
    assert_eq!(data.read_raw::<i64>().unwrap()[1], 1);
    assert_eq!(
        file.attr("n").unwrap().read_scalar::<usize>().unwrap(),
        usize::MAX
    );
}

/// Every number of 8 bits, against its definition: sign, `2^(exponent - bias) * 1.mantissa`.
#[test]
fn numbers_of_8_bits_are_what_their_bits_say() {
    let value = |bits: u8, mantissa_size: i32, bias: i32| {
        let exponent = i32::from(bits & 0x7f) >> mantissa_size;
        let mantissa = f32::from(bits & ((1 << mantissa_size) - 1)) / 2_f32.powi(mantissa_size);
        let magnitude = match exponent {
            0 => mantissa * 2_f32.powi(1 - bias),
            _ if exponent == 0x7f >> mantissa_size && mantissa == 0.0 => f32::INFINITY,
            _ if exponent == 0x7f >> mantissa_size => f32::NAN,
            _ => (1.0 + mantissa) * 2_f32.powi(exponent - bias),
        };
        if bits & 0x80 == 0 {
            magnitude
        } else {
            -magnitude
        }
    };
    let same = |a: f32, b: f32| a == b || (a.is_nan() && b.is_nan());
    for bits in 0..=255 {
        let (a, b) = (F8E4M3::from_bits(bits), F8E5M2::from_bits(bits));
        assert!(same(a.to_f32(), value(bits, 3, 7)), "{bits:#x}: {a}");
        assert!(same(b.to_f32(), value(bits, 2, 15)), "{bits:#x}: {b}");
        if !a.to_f32().is_nan() {
            assert_eq!(F8E4M3::from_f32(a.to_f32()).to_bits(), bits);
        }
        if !b.to_f32().is_nan() {
            assert_eq!(F8E5M2::from_f32(b.to_f32()).to_bits(), bits);
        }
    }
    // In the middle of two, the even one.
    assert_eq!(F8E4M3::from_f32(1.0625).to_bits(), 0x38);
    assert_eq!(F8E4M3::from_f32(1.1875).to_bits(), 0x3a);
    assert_eq!(F8E4M3::from_f32(241.0).to_f32(), f32::INFINITY);
    let file = File::create_memory().unwrap();
    let all: Vec<F8E4M3> = (0..=255).map(F8E4M3::from_bits).collect();
    let data = file.new_dataset::<F8E4M3>().create_with("x", &all).unwrap();
    let bits: Vec<u8> = data
        .read_raw::<F8E4M3>()
        .unwrap()
        .iter()
        .map(|x| x.to_bits())
        .collect();
    assert_eq!(bits, (0..=255).collect::<Vec<u8>>());
    let numbers = data.read_raw::<f32>().unwrap();
    assert!(numbers.iter().zip(&all).all(|(a, b)| same(*a, b.to_f32())));
}

#[test]
fn datatypes_are_described_as_hdf5_metno_does() {
    assert_eq!(
        half::f16::type_descriptor(),
        TypeDescriptor::Float(FloatSize::U2)
    );
    assert_eq!(
        <[[i8; 2]; 3]>::type_descriptor().to_string(),
        "[[int8; 2]; 3]"
    );
    let other = half::bf16::type_descriptor();
    assert_eq!(
        other,
        TypeDescriptor::Other(Box::new(half::bf16::datatype()))
    );
    for datatype in [
        u64::datatype(),
        f32::datatype(),
        bool::datatype(),
        small(vec![("A", vec![200])]),
        compound(9, vec![member("a", 1, f64::datatype())]),
        FixedAscii::<3>::datatype(),
        FixedUnicode::<3>::datatype(),
        String::datatype(),
        VarLenAscii::datatype(),
        Vec::<Vec<u8>>::datatype(),
        h5quill::ObjectReference::datatype(),
        h5quill::RegionReference::datatype(),
        half::bf16::datatype(),
    ] {
        let described = datatype.to_descriptor().unwrap();
        assert_eq!(described.size(), datatype.size() as usize);
        assert_eq!(Datatype::from_descriptor(&described).unwrap(), datatype);
    }
    let packed = compound(
        9,
        vec![
            member("a", 0, u8::datatype()),
            member("b", 1, f64::datatype()),
        ],
    );
    let TypeDescriptor::Compound(aligned) = packed.to_descriptor().unwrap().to_c_repr() else {
        panic!("not a compound");
    };
    assert_eq!((aligned.fields[1].offset, aligned.size), (8, 16));
    assert_eq!(IntSize::from_int(8), Some(IntSize::U8));
}

#[cfg(feature = "complex")]
mod complex {
    use h5quill::{Datatype, File, H5Type, Value};
    use num_complex::Complex;

    #[test]
    fn complex_numbers_have_the_names_of_h5py_or_those_asked_for() {
        let file = File::create_memory().unwrap();
        let values = [Complex::new(1.0, -2.0), Complex::new(0.0, 1e300)];
        let data = file
            .new_dataset::<Complex<f64>>()
            .create_with("x", &values)
            .unwrap();
        let dtype = data.dtype().unwrap();
        assert_eq!(
            dtype.to_string(),
            "compound {r: little-endian f64, i: little-endian f64}"
        );
        assert_eq!(data.read_raw::<Complex<f64>>().unwrap(), values);
        let builder = file
            .new_dataset::<[Complex<f64>; 2]>()
            .complex_names("Real", "Imag");
        let data = builder.create_with("y", &[values]).unwrap();
        assert_eq!(data.read_raw::<[Complex<f64>; 2]>().unwrap(), [values]);
        let Value::Array(parts) = &data.read_values(..).unwrap()[0] else {
            panic!("not an array")
        };
        assert_eq!(parts[0].get("Imag").unwrap().as_f64(), Some(-2.0));
        file.set_attr("z", values[0]).unwrap();
        assert_eq!(
            file.attr("z")
                .unwrap()
                .read_scalar::<Complex<f64>>()
                .unwrap(),
            values[0]
        );
        // What was written in single precision is read in double.
        let single = Complex::new(0.5_f32, 1.5);
        let data = file
            .new_dataset::<Complex<f32>>()
            .create_with("single", &[single])
            .unwrap();
        assert_eq!(
            data.read_raw::<Complex<f64>>().unwrap(),
            [Complex::new(0.5, 1.5)]
        );
        assert!(!Complex::<f32>::matches(&dtype));
        // Class 11 is read, and written where a file has it.
        let base = Box::new(f32::datatype());
        let class = Datatype::Complex {
            size: 8,
            flags: 0,
            base,
        };
        assert!(Complex::<f32>::matches(&class));
    }
}
