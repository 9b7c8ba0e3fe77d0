//! What a dataset or an attribute holds can be written to it, exactly those bytes, also where its datatype does not
//! quite have it: much software fills strings to the last byte, writes UTF-8 as ASCII, or numbers that are no members.

use h5quill::{
    CharacterSet, CompoundMember, Datatype, ErrorKind, File, FixedUnicode, H5Type, StringPadding,
    Value, VarLenAscii,
};
use std::path::Path;

fn string(size: u32, padding: StringPadding, charset: CharacterSet) -> Datatype {
    Datatype::FixedString {
        size,
        padding,
        charset,
    }
}

fn ascii(size: u32) -> Datatype {
    string(size, StringPadding::NullPad, CharacterSet::Ascii)
}

fn colours() -> Datatype {
    Datatype::Enum {
        base: Box::new(u8::datatype()),
        members: vec![("RED".into(), vec![1]), ("BLUE".into(), vec![9])],
    }
}

/// Elements of a datatype, and their bytes.
fn held() -> Vec<(Datatype, Vec<u8>)> {
    let terminated = |charset| string(2, StringPadding::NullTerminate, charset);
    let pair = Datatype::Compound {
        size: 4,
        members: vec![
            CompoundMember {
                name: "colour".into(),
                offset: 0,
                datatype: colours(),
            },
            CompoundMember {
                name: "text".into(),
                offset: 1,
                datatype: ascii(3),
            },
        ],
    };
    vec![
        (terminated(CharacterSet::Utf8), "é".as_bytes().to_vec()),
        (terminated(CharacterSet::Ascii), b"abcd".to_vec()),
        (terminated(CharacterSet::Ascii), "éa\0".as_bytes().to_vec()),
        (ascii(3), "é\0ü\0".as_bytes().to_vec()),
        (
            string(3, StringPadding::SpacePad, CharacterSet::Ascii),
            "é ab ".as_bytes().to_vec(),
        ),
        (colours(), vec![7, 1, 255]),
        (pair, b"\x07\xc3\xa9a\x01abc".to_vec()),
        (
            Datatype::Array {
                dims: vec![2],
                base: Box::new(ascii(2)),
            },
            "éxy".as_bytes().to_vec(),
        ),
    ]
}

#[test]
fn values_that_the_type_does_not_quite_have_are_written_back_as_they_are() {
    let file = File::create_memory().unwrap();
    for (number, (datatype, bytes)) in held().into_iter().enumerate() {
        let count = bytes.len() / datatype.size() as usize;
        let new = file
            .new_dataset_of(datatype.clone())
            .shape(count..)
            .chunk(4);
        let data = new.create(&format!("{number}")).unwrap();
        data.write_bytes(&bytes, ..).unwrap();
        let mut values = data.read_values(..).unwrap();
        data.write_values(&values, ..).unwrap();
        assert_eq!(data.read_bytes(..).unwrap(), bytes, "{datatype}");
        // In another order, and once more behind the others.
        values.reverse();
        data.write_values(&values, ..).unwrap();
        assert_eq!(data.read_values(..).unwrap(), values, "{datatype}");
        data.append_values(&values).unwrap();
        assert_eq!(data.read_values(count..).unwrap(), values, "{datatype}");
    }
}

#[test]
fn texts_of_any_length_are_written_back() {
    let file = File::create_memory().unwrap();
    let text = || Value::Bytes("é".as_bytes().to_vec());
    let nested = Datatype::VarLenSequence {
        size: 16,
        base: Box::new(VarLenAscii::datatype()),
    };
    let cases = [
        (VarLenAscii::datatype(), text()),
        (nested, Value::Sequence(vec![text(), text()])),
    ];
    for (number, (datatype, value)) in cases.into_iter().enumerate() {
        let new = file.new_dataset_of(datatype.clone()).shape(2);
        let data = new.create(&format!("{number}")).unwrap();
        data.write_values(std::slice::from_ref(&value), 0).unwrap();
        let values = data.read_values(..).unwrap();
        assert_ne!(values[0], value, "it is read as text");
        data.write_values(&values, ..).unwrap();
        assert_eq!(data.read_values(..).unwrap(), values);
        let attribute = file
            .new_attr_of(datatype)
            .create(&format!("{number}"))
            .unwrap();
        attribute.write_values(&[value]).unwrap();
        let values = attribute.read_values().unwrap();
        attribute.write_values(&values).unwrap();
        assert_eq!(attribute.read_values().unwrap(), values);
    }
    // As text of Rust, too.
    let data = file.dataset("0").unwrap();
    let texts = data.read_raw::<String>().unwrap();
    assert_eq!(texts, ["é", ""]);
    data.write(&texts).unwrap();
    data.write(&["", "é"]).unwrap();
    assert_eq!(data.read_raw::<String>().unwrap(), ["", "é"]);
    let fixed = file
        .new_dataset_of(ascii(4))
        .shape(2)
        .create("fixed")
        .unwrap();
    fixed.write_bytes("é\0\0abcd".as_bytes(), ..).unwrap();
    let texts = fixed.read_raw::<FixedUnicode<4>>().unwrap();
    fixed.write(&texts).unwrap();
    assert_eq!(fixed.read_bytes(..).unwrap(), "é\0\0abcd".as_bytes());
    let attribute = file.new_attr_of(ascii(2)).create("fixed").unwrap();
    attribute
        .write_values(&[Value::Bytes("é".as_bytes().to_vec())])
        .unwrap();
    attribute.write_scalar(&"é").unwrap();
    assert!(attribute.write_scalar(&"ü").is_err());
}

/// What is not there already is refused as before, and nothing is changed.
#[test]
fn other_values_that_the_type_does_not_have_are_refused() {
    let file = File::create_memory().unwrap();
    let data = file.new_dataset_of(ascii(2)).shape(2).create("x").unwrap();
    data.write_bytes("éab".as_bytes(), ..).unwrap();
    for refused in ["ü", "abc"] {
        let values = [Value::String("é".into()), Value::String(refused.into())];
        let error = data.write_values(&values, ..).unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::Invalid(_) | ErrorKind::Limit { .. }
        ));
        assert!(data.write(&["é", refused]).is_err());
    }
    assert_eq!(data.read_bytes(..).unwrap(), "éab".as_bytes());
    let full = string(2, StringPadding::NullTerminate, CharacterSet::Utf8);
    let data = file.new_dataset_of(full).shape(2).create("full").unwrap();
    data.write_bytes("éa\0".as_bytes(), ..).unwrap();
    data.write(&["a", "é"]).unwrap();
    assert!(
        data.write(&["ab", "é"]).is_err(),
        "there is no room for the NUL"
    );
    let data = file
        .new_dataset_of(colours())
        .shape(1)
        .create("colours")
        .unwrap();
    assert!(data.write_values(&[Value::Integer(7)], ..).is_err());
    let outside = |value| Value::Enum { name: None, value };
    assert!(data.write_values(&[outside(300)], ..).is_err());
    data.write_values(&[outside(7)], ..).unwrap();
    assert_eq!(data.read_bytes(..).unwrap(), [7]);
}

/// A file of h5py with a string that fills its length.
#[test]
fn a_string_of_others_that_fills_its_length_is_written_back() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/faults/full-length-string.h5");
    let Ok(bytes) = std::fs::read(path) else {
        return;
    };
    let file = File::open_rw_on(h5quill::storage::MemoryStorage::from(bytes)).unwrap();
    let data = file.dataset("a").unwrap();
    let (values, bytes) = (data.read_values(..).unwrap(), data.read_bytes(..).unwrap());
    data.write_values(&values, ..).unwrap();
    assert_eq!(data.read_bytes(..).unwrap(), bytes);
}
