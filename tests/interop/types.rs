//! Every type that an element can be: written here and read by h5py, and the other way round.

use crate::manifest::{pythons, script};
use crate::support::say;
use h5quill::{
    ByteOrder, Datatype, F8E4M3, F8E5M2, F80, File, FixedAscii, FixedUnicode, H5Type, IntegerType,
    ObjectReference, RegionReference, Value, VarLenAscii,
};
use half::{bf16, f16};
use std::collections::BTreeMap;

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Packed {
    id: u8,
    x: f64,
    y: i16,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(C)]
struct Padded {
    id: u8,
    x: f64,
    y: i16,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Inner {
    x: f32,
    y: [f32; 2],
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Nested {
    name: FixedAscii<5>,
    r#in: [Inner; 2],
    ok: bool,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(u8)]
enum Colour {
    #[hdf5(rename = "RED")]
    Red = 1,
    #[hdf5(rename = "GREEN")]
    Green,
    #[hdf5(rename = "BLUE")]
    Blue = 200,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(i16)]
enum Level {
    #[hdf5(rename = "LOW")]
    Low = -300,
    #[hdf5(rename = "HIGH")]
    High = 5,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
#[repr(u64)]
enum Wide {
    #[hdf5(rename = "MAX")]
    Max = (1 << 63) - 1, // h5py makes none above
    #[hdf5(rename = "ZERO")]
    Zero = 0,
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct Row {
    note: String,
    values: Vec<f64>,
    names: [String; 2],
}

#[derive(H5Type, Clone, Debug, PartialEq)]
struct References {
    o: ObjectReference,
    r: RegionReference,
    n: i32,
}

/// The compound that h5py writes a complex number as.
#[derive(H5Type, Clone, Debug, PartialEq)]
struct Complex<T: H5Type> {
    r: T,
    i: T,
}

fn complex<T: H5Type>(r: T, i: T) -> Complex<T> {
    Complex { r, i }
}

fn packed(id: u8, x: f64, y: i16) -> Packed {
    Packed { id, x, y }
}

fn nested() -> [Nested; 2] {
    let inner = |x, y| Inner { x, y };
    let row = |name: &str, r#in, ok| Nested {
        name: name.parse().unwrap(),
        r#in,
        ok,
    };
    [
        row(
            "abc",
            [inner(1.0, [2.0, 3.0]), inner(4.0, [5.0, 6.0])],
            true,
        ),
        row(
            "",
            [inner(0.0, [0.0, 0.0]), inner(-1.0, [0.25, 9.0])],
            false,
        ),
    ]
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn bit_field() -> Datatype {
    Datatype::Bitfield(IntegerType {
        size: 2,
        order: ByteOrder::BigEndian,
        signed: false,
        bit_offset: 0,
        precision: 16,
        low_pad: false,
        high_pad: false,
    })
}

/// Something to do with a row of the table: write it, or read and compare it.
trait Visit {
    fn typed<T: H5Type + PartialEq + std::fmt::Debug>(&mut self, name: &str, values: &[T]) {
        self.ordered(name, values, ByteOrder::LittleEndian);
    }

    fn ordered<T: H5Type + PartialEq + std::fmt::Debug>(
        &mut self,
        name: &str,
        values: &[T],
        order: ByteOrder,
    );

    fn dynamic(&mut self, name: &str, datatype: Datatype, values: &[Value]);
}

/// The rows of `every_type.py`.
fn rows(visit: &mut impl Visit) {
    visit.typed(
        "compound packed",
        &[packed(1, 0.5, -2), packed(255, 1e300, 3)],
    );
    let padded = |id, x, y| Padded { id, x, y };
    visit.typed(
        "compound padded",
        &[padded(1, 0.5, -2), padded(255, 1e300, 3)],
    );
    visit.typed("compound nested", &nested());
    visit.typed("enum u8", &[Colour::Blue, Colour::Red, Colour::Green]);
    visit.ordered(
        "enum i16 big-endian",
        &[Level::Low, Level::High],
        ByteOrder::BigEndian,
    );
    visit.typed("enum u64", &[Wide::Max, Wide::Zero]);
    visit.typed("bool", &[true, false]);
    let array = |from: f32| {
        [
            [from, from + 1.0],
            [from + 2.0, from + 3.0],
            [from + 4.0, from + 5.0],
        ]
    };
    let Datatype::Array { base, .. } = <[f32; 1]>::datatype() else {
        unreachable!()
    };
    let dims = vec![3, 2];
    let values = [array(0.0), array(6.0)].map(|array| {
        Value::Array(
            array
                .as_flattened()
                .iter()
                .map(|x| Value::Float((*x).into()))
                .collect(),
        )
    });
    visit.dynamic("array", Datatype::Array { dims, base }, &values);
    visit.typed("sequence", &[vec![1, -2], vec![], vec![7]]);
    let first = vec![packed(1, 0.5, 2)];
    let second = vec![packed(3, 1.5, 4), packed(5, 2.5, 6)];
    visit.typed("sequence of compounds", &[first, second]);
    visit.typed(
        "sequence of sequences",
        &[vec![vec![1_u16, 2], vec![3]], vec![vec![], vec![9]]],
    );
    visit.typed("sequence of strings", &[strings(&["a", "é"]), vec![]]);
    let row = |note: &str, values: &[f64], names: [&str; 2]| Row {
        note: note.into(),
        values: values.to_vec(),
        names: names.map(String::from),
    };
    let rows = [row("on", &[0.5, 1.5], ["a", "b"]), row("", &[], ["", "♀"])];
    visit.typed("strings and sequences in a compound", &rows);
    visit.typed(
        "array of strings",
        &[["a", "bc"], ["", "é"]].map(|pair| pair.map(String::from)),
    );
    visit.typed("complex64", &[complex(1.0_f32, -2.0), complex(0.0, 0.5)]);
    visit.typed("complex128", &[complex(1.0, -2.0), complex(0.0, 1e300)]);
    visit.typed("half", &[f16::from_f32(1.5), f16::MIN]);
    visit.typed("bfloat16", &[bf16::from_f32(1.0), bf16::from_f32(-2.5)]);
    visit.typed("E4M3", &[1.0, -0.5, 240.0].map(F8E4M3::from_f32));
    visit.typed("E5M2", &[1.0, -0.5, 57_344.0].map(F8E5M2::from_f32));
    let long = [
        F80::from(0.1),
        F80::from_bits(0x73e6, 0xd1ba_8323_fe55_8c61),
    ]; // the latter 1e4000
    visit.typed("long double", &long);
    visit.typed(
        "fixed ascii",
        &["ab", "abcd"].map(|text| text.parse::<FixedAscii<4>>().unwrap()),
    );
    visit.typed(
        "fixed utf-8",
        &["é", "abcd"].map(|text| text.parse::<FixedUnicode<4>>().unwrap()),
    );
    visit.typed("string", &strings(&["a", "", &"♀".repeat(50)]));
    visit.typed(
        "ascii string",
        &["a", "xyz"].map(|text| text.parse::<VarLenAscii>().unwrap()),
    );
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let rgb = Datatype::Opaque {
        size: 3,
        tag: "rgb".into(),
    };
    visit.dynamic("opaque", rgb, &[bytes(&[1, 2, 3]), bytes(&[255, 0, 0])]);
    visit.dynamic(
        "bit field",
        bit_field(),
        &[Value::Bitfield(1), Value::Bitfield(0xabcd)],
    );
    let time = Datatype::Time {
        size: 4,
        order: ByteOrder::LittleEndian,
        precision: 32,
    };
    visit.dynamic("time", time, &[Value::Time(1), Value::Time(0xffff_fffe)]);
}

struct Writer(File);

impl Visit for Writer {
    fn ordered<T: H5Type + PartialEq + std::fmt::Debug>(
        &mut self,
        name: &str,
        values: &[T],
        order: ByteOrder,
    ) {
        let builder = self.0.new_dataset::<T>().byte_order(order);
        builder.create_with(name, values).unwrap();
    }

    fn dynamic(&mut self, name: &str, datatype: Datatype, values: &[Value]) {
        let builder = self.0.new_dataset_of(datatype).shape(values.len());
        builder
            .create(name)
            .unwrap()
            .write_values(values, ..)
            .unwrap();
    }
}

/// Which rows were read as what they are.
struct Reader(File, BTreeMap<String, String>);

impl Reader {
    fn note(&mut self, name: &str, result: Result<bool, h5quill::Error>) {
        let text = match result {
            Ok(true) => "ok".into(),
            Ok(false) => "other values".into(),
            Err(error) => error.to_string(),
        };
        self.1.insert(name.into(), text);
    }
}

impl Visit for Reader {
    fn ordered<T: H5Type + PartialEq + std::fmt::Debug>(
        &mut self,
        name: &str,
        values: &[T],
        order: ByteOrder,
    ) {
        let result = self.0.dataset(name).and_then(|data| {
            // What h5py makes is what this library makes.
            let expected = T::datatype().with_byte_order(order);
            let dtype = data.dtype()?;
            let alike =
                dtype == expected || dtype.is_string() || dtype.is_var_len() || dtype.is::<T>();
            Ok(alike && data.read_raw::<T>()? == values)
        });
        self.note(name, result);
    }

    fn dynamic(&mut self, name: &str, datatype: Datatype, values: &[Value]) {
        let result = self
            .0
            .dataset(name)
            .and_then(|data| Ok(data.dtype()? == datatype && data.read_values(..)? == values));
        self.note(name, result);
    }
}

fn write_rest(file: &File) {
    let target = file
        .new_dataset::<i32>()
        .create_with("target", &[0, 1, 2, 3, 4])
        .unwrap();
    let references = [
        References {
            o: target.reference().unwrap(),
            r: target.region_reference(2..4).unwrap(),
            n: 7,
        },
        References {
            o: ObjectReference::null(),
            r: RegionReference::null(),
            n: 8,
        },
    ];
    let builder = file.new_dataset::<References>();
    builder
        .create_with("references in a compound", &references)
        .unwrap();
    let committed = file.commit_type::<Packed>("a type").unwrap();
    let builder = file.new_dataset::<Packed>().named_datatype(&committed);
    builder
        .create_with("committed", &[packed(9, 0.5, -9)])
        .unwrap();
    let attribute = file
        .new_attr::<Nested>()
        .shape(2)
        .create("compound nested")
        .unwrap();
    attribute.write(&nested()).unwrap();
}

fn read_rest(reader: &mut Reader) {
    let file = &reader.0;
    let references = file.dataset("references in a compound").unwrap();
    let read = references.read_raw::<References>().unwrap();
    let target = file.dataset("target").unwrap().reference().unwrap();
    let region = file
        .dereference_region(&read[0].r)
        .unwrap()
        .read_raw::<i32>()
        .unwrap();
    let followed = read[0].o == target && region == [2, 3] && read[0].n == 7;
    let null = read[1].o.is_null() && read[1].r.is_null() && read[1].n == 8;
    let committed = file.dataset("committed").unwrap();
    let named = committed
        .named_datatype()
        .unwrap()
        .unwrap()
        .dtype()
        .unwrap();
    let of_type = named == Packed::datatype()
        && committed.read_raw::<Packed>().unwrap() == [packed(9, 0.5, -9)];
    let attribute = file
        .attr("compound nested")
        .unwrap()
        .read_raw::<Nested>()
        .unwrap();
    let attribute = attribute == nested();
    reader.note("references in a compound", Ok(followed && null));
    reader.note("committed", Ok(of_type && attribute));
}

#[test]
fn every_type_is_read_by_h5py_and_read_from_it() {
    for python in pythons() {
        let (_guard, path) = crate::written::scratch("types.h5");
        let mut writer = Writer(File::create(&path).unwrap());
        rows(&mut writer);
        write_rest(&writer.0);
        writer.0.close().unwrap();
        let said = script(
            &python,
            "every_type.py",
            &["read".as_ref(), path.as_os_str()],
        );
        let theirs: BTreeMap<&str, &str> = said
            .lines()
            .map(|line| line.split_once('\t').unwrap())
            .collect();

        let (_guard, path) = crate::written::scratch("types_h5py.h5");
        let names = script(
            &python,
            "every_type.py",
            &["write".as_ref(), path.as_os_str()],
        );
        let mut reader = Reader(File::open(&path).unwrap(), BTreeMap::new());
        rows(&mut reader);
        read_rest(&mut reader);
        let mut wrong = Vec::new();
        for name in names.lines() {
            let (a, b) = (
                theirs.get(name).copied(),
                reader.1.get(name).map(String::as_str),
            );
            say(&format!(
                "| {name} | {} | {} |",
                a.unwrap_or("missing"),
                b.unwrap_or("missing")
            ));
            if a != Some("ok") || b != Some("ok") {
                wrong.push(name);
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(names.lines().count() > 28);
    }
}
