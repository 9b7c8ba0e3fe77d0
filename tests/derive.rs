//! Structs and enums as elements, by `#[derive(H5Type)]`.

#![cfg(feature = "derive")]
#![allow(missing_docs, reason = "a test program")]

use h5quill::types::{TypeDescriptor, VarLenArray};
use h5quill::{
    ByteOrder, Datatype, ErrorKind, F80, File, FixedAscii, H5Type, ObjectReference,
    RegionReference, Value,
};
use std::marker::PhantomData;
use std::mem::{align_of, offset_of, size_of};

/// The offsets of the members and the size.
fn layout<T: H5Type>() -> (Vec<u32>, u32) {
    let datatype = T::datatype();
    let offsets = datatype.members().iter().map(|member| member.offset);
    (offsets.collect(), datatype.size())
}

macro_rules! numbers {
    ($(#[$attribute:meta])* $name:ident) => {
        #[derive(H5Type, Clone, Copy, Debug, PartialEq)]
        $(#[$attribute])*
        struct $name {
            a: u8,
            b: f64,
            c: u16,
            d: [f32; 3],
            e: bool,
            f: i64,
            g: i8,
        }

        impl $name {
            fn new(number: u8) -> Self {
                Self {
                    a: number,
                    b: f64::from(number) / 3.0,
                    c: u16::from(number) * 200,
                    d: [1.0, 2.0, f32::from(number)],
                    e: number % 2 == 1,
                    f: -i64::from(number) << 40,
                    g: -5,
                }
            }
        }
    };
}

numbers!(
    #[repr(C)]
    Padded
);
numbers!(
    #[repr(C, packed)]
    Packed
);
numbers!(
    #[repr(C, packed(2))]
    Paired
);
numbers!(
    #[repr(C, align(32))]
    Aligned
);
numbers!(
    #[repr(packed)]
    #[allow(
        clippy::repr_packed_without_abi,
        reason = "users write it, hdf5-metno knows it"
    )]
    RustPacked
);
numbers!(Plain);

/// What `layout` gives, of the memory of a struct.
macro_rules! memory {
    ($name:ident) => {{
        let offsets = [
            offset_of!($name, a),
            offset_of!($name, b),
            offset_of!($name, c),
            offset_of!($name, d),
            offset_of!($name, e),
            offset_of!($name, f),
            offset_of!($name, g),
        ];
        (
            offsets.map(|offset| offset as u32).to_vec(),
            size_of::<$name>() as u32,
        )
    }};
}

#[test]
#[cfg(target_pointer_width = "64")]
fn structs_of_numbers_lie_in_the_file_as_in_memory() {
    assert_eq!(layout::<Padded>(), memory!(Padded));
    assert_eq!(layout::<Packed>(), memory!(Packed));
    assert_eq!(layout::<Paired>(), memory!(Paired));
    assert_eq!(layout::<Aligned>(), memory!(Aligned));
    assert_eq!(Aligned::alignment(), align_of::<Aligned>());
    assert_eq!(Paired::alignment(), align_of::<Paired>());
}

#[test]
fn structs_without_repr_c_have_no_gaps() {
    let offsets = vec![0, 1, 9, 11, 23, 24, 32];
    assert_eq!(layout::<Plain>(), (offsets.clone(), 33));
    assert_eq!(layout::<RustPacked>(), (offsets, 33));
    assert_eq!(Plain::alignment(), 1);
}

fn there_and_back<T: H5Type + PartialEq + std::fmt::Debug>(values: &[T]) -> Vec<u8> {
    let file = File::create_memory().unwrap();
    let data = file.new_dataset::<T>().shape(0..).create("x").unwrap();
    data.append(values).unwrap();
    let big = file.new_dataset::<T>().byte_order(ByteOrder::BigEndian);
    big.create_with("big", values).unwrap();
    let bytes = file.into_bytes().unwrap();
    let file = File::open_memory(bytes).unwrap();
    let data = file.dataset("x").unwrap();
    assert_eq!(data.dtype().unwrap(), T::datatype());
    assert_eq!(data.read_raw::<T>().unwrap(), values);
    assert_eq!(
        file.dataset("big").unwrap().read_raw::<T>().unwrap(),
        values
    );
    data.read_bytes(..).unwrap()
}

#[test]
fn structs_of_every_layout_are_read_as_they_were_written() {
    // More than one block of elements.
    let numbers = || (0..1500).map(|number| (number % 251) as u8);
    there_and_back(&numbers().map(Padded::new).collect::<Vec<_>>());
    there_and_back(&numbers().map(Packed::new).collect::<Vec<_>>());
    there_and_back(&numbers().map(Paired::new).collect::<Vec<_>>());
    there_and_back(&numbers().map(Aligned::new).collect::<Vec<_>>());
    there_and_back(&numbers().map(RustPacked::new).collect::<Vec<_>>());
    let bytes = there_and_back(&numbers().map(Plain::new).collect::<Vec<_>>());
    let one = Plain::new(1);
    let mut expected = vec![1];
    expected.extend(one.b.to_le_bytes());
    expected.extend(one.c.to_le_bytes());
    expected.extend(one.d.iter().flat_map(|x| x.to_le_bytes()));
    expected.push(1);
    expected.extend(one.f.to_le_bytes());
    expected.push(0xfb);
    assert_eq!(bytes[33..66], expected);
}

#[derive(H5Type, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
enum Level {
    Low = -300,
    #[hdf5(rename = "medium level")]
    Medium,
    High = 5,
}

#[derive(H5Type, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(dead_code, reason = "only its datatype is looked at")]
enum Wide {
    A,
    B = 77,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Inner<T: H5Type> {
    text: String,
    values: Vec<T>,
    level: Level,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(C)]
struct Outer {
    id: u8,
    #[hdf5(rename = "in ner")]
    inner: Inner<f32>,
    several: [Inner<u16>; 2],
    nested: Vec<Vec<i32>>,
    structs: VarLenArray<Pair>,
    names: [String; 2],
    code: FixedAscii<5>,
    long: F80,
    object: ObjectReference,
    region: RegionReference,
    r#type: bool,
    nothing: PhantomData<String>,
}

#[derive(H5Type, Clone, Copy, Debug, PartialEq)]
struct Pair(i32, #[hdf5(rename = "second")] f64, PhantomData<u8>);

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(transparent)]
struct Metres(f64);

fn outer(number: usize) -> Outer {
    let inner = |text: &str| Inner {
        text: text.repeat(number),
        values: vec![number as f32; number],
        level: [Level::Low, Level::Medium, Level::High][number % 3],
    };
    let short = |length: usize| Inner {
        text: String::new(),
        values: (0..length as u16).collect(),
        level: Level::High,
    };
    Outer {
        id: number as u8,
        inner: inner("é"),
        several: [short(number), short(0)],
        nested: vec![vec![1; number], vec![], vec![-7, 8]],
        structs: (0..number)
            .map(|n| Pair(n as i32, 0.5, PhantomData))
            .collect(),
        names: ["a".into(), "b".repeat(number)],
        code: "DNA".parse().unwrap(),
        long: F80::from(0.1),
        object: ObjectReference::null(),
        region: RegionReference::null(),
        r#type: number > 2,
        nothing: PhantomData,
    }
}

#[test]
fn structs_of_anything_are_read_as_they_were_written() {
    let values: Vec<Outer> = (0..40).map(outer).collect();
    there_and_back(&values);
    there_and_back(&[Level::Low, Level::High, Level::Medium]);
    there_and_back(&[Pair(1, 2.0, PhantomData)]);
    there_and_back(&[Metres(1.5), Metres(-2.0)]);
    let names: Vec<String> = Outer::datatype()
        .members()
        .iter()
        .map(|m| m.name.clone())
        .collect();
    assert_eq!(names[..3], ["id", "in ner", "several"]);
    assert_eq!(names[10], "type");
    assert_eq!(Metres::datatype(), f64::datatype());
    let tuple: Vec<String> = Pair::datatype()
        .members()
        .iter()
        .map(|m| m.name.clone())
        .collect();
    assert_eq!(tuple, ["0", "second"]);
    let levels = Level::datatype();
    let members = [("Low", -300), ("medium level", -299), ("High", 5)];
    assert_eq!(levels.enum_members(), members);
    assert_eq!(Wide::datatype().enum_members(), [("A", 0), ("B", 77)]);
    assert_eq!(Level::datatype().base(), Some(&i16::datatype()));
    let TypeDescriptor::Enum(described) = Level::type_descriptor() else {
        panic!("not an enumeration");
    };
    assert_eq!(described.members[0].value as i64, -300);
}

#[test]
fn attributes_hold_structs_and_enums() {
    let file = File::create_memory().unwrap();
    file.set_attr("outer", outer(3)).unwrap();
    file.set_attr("level", Level::Medium).unwrap();
    file.set_attr("pairs", [Pair(1, 2.0, PhantomData); 2])
        .unwrap();
    file.set_attr("sequence", VarLenArray::from([1_u8, 2]))
        .unwrap();
    let attribute = file.new_attr::<Outer>().shape(2).create("outers").unwrap();
    attribute.write(&[outer(1), outer(2)]).unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    let read = |name| file.attr(name).unwrap();
    assert_eq!(read("outer").read_scalar::<Outer>().unwrap(), outer(3));
    assert_eq!(read("level").read_scalar::<Level>().unwrap(), Level::Medium);
    assert_eq!(
        read("pairs").read_raw::<Pair>().unwrap(),
        [Pair(1, 2.0, PhantomData); 2]
    );
    assert_eq!(read("sequence").read_scalar::<Vec<u8>>().unwrap(), [1, 2]);
    assert_eq!(
        read("outers").read_raw::<Outer>().unwrap(),
        [outer(1), outer(2)]
    );
}

/// As `Pair`, with its members in another order and places.
#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(C)]
struct Turned {
    second: f64,
    #[hdf5(rename = "0")]
    first: i32,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Wider {
    #[hdf5(rename = "0")]
    first: i64,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Other {
    second: f32,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Missing {
    second: f64,
    third: u8,
}

#[test]
fn members_are_found_by_their_names() {
    let file = File::create_memory().unwrap();
    let data = file.new_dataset::<Pair>().shape(0..).create("x").unwrap();
    data.append(&[Pair(1, 0.5, PhantomData)]).unwrap();
    data.append(&[Turned {
        second: 1.5,
        first: 2,
    }])
    .unwrap();
    let pairs = [Pair(1, 0.5, PhantomData), Pair(2, 1.5, PhantomData)];
    assert_eq!(data.read_raw::<Pair>().unwrap(), pairs);
    assert_eq!(
        data.read_raw::<Turned>().unwrap()[1],
        Turned {
            second: 1.5,
            first: 2
        }
    );
    // A part of them, in a type that holds every value.
    assert_eq!(
        data.read_raw::<Wider>().unwrap(),
        [Wider { first: 1 }, Wider { first: 2 }]
    );
    // A value that would change, and a member that is not there.
    let error = data.read_raw::<Other>().unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
        "{error}"
    );
    assert_eq!(error.member(), Some("second"));
    assert_eq!(
        data.read_raw::<Missing>().unwrap_err().member(),
        Some("third")
    );
    // Written is only what has all members, of the same types.
    for error in [
        data.append(&[Wider { first: 3 }]).unwrap_err(),
        data.append(&[Other { second: 0.0 }]).unwrap_err(),
        data.append(&[Missing {
            second: 0.0,
            third: 1,
        }])
        .unwrap_err(),
        data.append(&[1.0]).unwrap_err(),
    ] {
        assert!(
            matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
            "{error}"
        );
    }
    assert_eq!(data.shape(), [2]);
}

#[test]
fn values_outside_an_enumeration_are_refused() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset_of(Level::datatype())
        .shape(2)
        .create("x")
        .unwrap();
    data.write_bytes(&[5, 0, 6, 0], ..).unwrap();
    let error = data.read_raw::<Level>().unwrap_err().to_string();
    assert_eq!(
        error,
        "/x: 6 is none of the values of the enumeration (Low = -300, medium level = -299, High = 5)"
    );
    assert_eq!(
        data.read_slice::<Level, _, ndarray::Ix1>(..1).unwrap()[0],
        Level::High
    );
    let error = data
        .write_values(&[Value::Integer(6)], 0)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("/x: 6 is none of the values of the enumeration (Low"),
        "{error}"
    );
    data.write_values(&[Value::String("Low".into())], 1)
        .unwrap();
    assert_eq!(data.read_raw::<Level>().unwrap(), [Level::High, Level::Low]);

    #[derive(H5Type, Clone)]
    struct Row {
        level: Level,
    }
    let rows = file.new_dataset::<Row>().shape(1).create("rows").unwrap();
    // Nothing was written: zeros, which is no member.
    let Err(error) = rows.read_raw::<Row>() else {
        panic!("0 is a level");
    };
    assert_eq!(error.member(), Some("level"));
    rows.write(&[Row { level: Level::Low }]).unwrap();
    assert!(rows.read_raw::<Row>().unwrap()[0].level == Level::Low);
}

#[derive(H5Type, Clone)]
struct Texts {
    first: String,
    rest: Vec<String>,
}

#[test]
fn a_refused_write_leaves_nothing_behind() {
    let texts = |rest: &str| Texts {
        first: "first".repeat(100),
        rest: vec![rest.into()],
    };
    let write = |refused: bool| {
        let file = File::create_memory().unwrap();
        let data = file.new_dataset::<Texts>().shape(0..).create("x").unwrap();
        data.append(&[texts("a")]).unwrap();
        file.flush().unwrap();
        if refused {
            let error = data.append(&[texts("b"), texts("c\0d")]).unwrap_err();
            assert_eq!(error.member(), Some("rest"));
            let error = file.set_attr("y", texts("c\0d")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "/@y: member rest: a string contains a zero byte"
            );
            let mut values = data.read_values(..).unwrap();
            if let Value::Compound(members) = &mut values[0] {
                members[1].1 = Value::Sequence(vec![Value::String("\0".into())]);
            }
            let error = data.append_values(&values).unwrap_err();
            assert_eq!(error.member(), Some("rest"));
        }
        file.into_bytes().unwrap()
    };
    assert_eq!(write(true), write(false));
}

#[test]
fn committed_datatypes_of_structs_and_enums_are_used() {
    let file = File::create_memory().unwrap();
    let committed = file.commit_type::<Outer>("types/outer").unwrap();
    let level = file.commit_type::<Level>("types/level").unwrap();
    let data = file
        .new_dataset::<Outer>()
        .named_datatype(&committed)
        .shape(0..)
        .create("x");
    data.unwrap().append(&[outer(5)]).unwrap();
    let attribute = file
        .new_attr::<Level>()
        .named_datatype(&level)
        .create("level")
        .unwrap();
    attribute.write_scalar(&Level::High).unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    let data = file.dataset("x").unwrap();
    assert_eq!(data.read_raw::<Outer>().unwrap(), [outer(5)]);
    let named = data.named_datatype().unwrap().unwrap();
    assert_eq!(named.dtype().unwrap(), Outer::datatype());
    assert_eq!(
        file.attr("level").unwrap().read_scalar::<Level>().unwrap(),
        Level::High
    );
}

#[test]
fn a_fill_value_can_be_a_struct() {
    let file = File::create_memory().unwrap();
    let fill = Pair(7, -1.0, PhantomData);
    let data = file
        .new_dataset::<Pair>()
        .shape(0..)
        .fill_value(fill)
        .create("x")
        .unwrap();
    data.resize(2).unwrap();
    assert_eq!(data.read_raw::<Pair>().unwrap(), [fill; 2]);
}

mod renamed {
    // The crate under another name, as `hdf5 = { package = "h5quill" }` gives it.
    use h5quill as hdf5;

    #[derive(hdf5::H5Type, Clone, Debug, PartialEq)]
    #[hdf5(crate = "hdf5")]
    #[repr(u8)]
    pub(crate) enum Colour {
        Red = 1,
    }
}

#[test]
fn the_macro_finds_the_crate_under_another_name() {
    use renamed::Colour;
    assert!(Colour::matches(&<Colour as H5Type>::datatype()));
    let Datatype::Enum { members, .. } = Colour::datatype() else {
        panic!("not an enumeration");
    };
    assert_eq!(members, [("Red".to_string(), vec![1])]);
}

macro_rules! golden_row {
    ($(#[$attribute:meta])* $name:ident) => {
        #[derive(H5Type, Clone, Debug, PartialEq)]
        $(#[$attribute])*
        struct $name {
            id: u8,
            x: f64,
            y: i16,
            level: Sign,
            ok: bool,
            at: [f32; 2],
            name: FixedAscii<3>,
        }

        impl $name {
            fn rows() -> [Self; 2] {
                let row = |id, x, y, level, ok, at, name: &str| Self {
                    id,
                    x,
                    y,
                    level,
                    ok,
                    at,
                    name: name.parse().unwrap(),
                };
                [
                    row(1, 0.5, -2, Sign::Low, true, [1.0, -1.5], "abc"),
                    row(255, 1e300, 258, Sign::High, false, [0.0, 3.0], ""),
                ]
            }
        }
    };
}

#[derive(H5Type, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
enum Sign {
    #[hdf5(rename = "LOW")]
    Low = -300,
    #[hdf5(rename = "HIGH")]
    High = 5,
}

golden_row!(
    #[repr(C)]
    PaddedRow
);
golden_row!(PackedRow);

/// The bytes of structs are those that libhdf5 writes (`golden/make_types.py`), with members of both byte orders.
#[test]
fn structs_have_the_bytes_of_libhdf5() {
    fn check<T: H5Type + PartialEq + std::fmt::Debug>(rows: &[T], golden: &[u8]) {
        let Datatype::Compound { size, mut members } = T::datatype() else {
            panic!("not a compound");
        };
        for member in &mut members {
            if ["y", "at"].contains(&member.name.as_str()) {
                member.datatype = member
                    .datatype
                    .clone()
                    .with_byte_order(ByteOrder::BigEndian);
            }
        }
        let file = File::create_memory().unwrap();
        let builder = file.new_dataset_of(Datatype::Compound { size, members });
        let data = builder.shape(2).create("x").unwrap();
        data.write(rows).unwrap();
        assert_eq!(data.read_bytes(..).unwrap(), golden);
        assert_eq!(data.read_raw::<T>().unwrap(), rows);
        // Values whose type is known only at run time have the same bytes.
        let values = data.read_values(..).unwrap();
        data.write_bytes(&vec![0; golden.len()], ..).unwrap();
        data.write_values(&values, ..).unwrap();
        assert_eq!(data.read_bytes(..).unwrap(), golden);
    }
    check(
        &PaddedRow::rows(),
        include_bytes!("golden/types/compound_padded.bin"),
    );
    check(
        &PackedRow::rows(),
        include_bytes!("golden/types/compound_packed.bin"),
    );
}
