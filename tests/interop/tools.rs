//! The command line tools of libhdf5 1.10.8 on what we wrote.

use crate::manifest::script;
use crate::samples::Sample;
use crate::support::{h5dump, python, run, tool};
use crate::written::{
    file_of_attributes, file_of_filters, file_of_layouts, file_of_strings, file_of_types, scratch,
};
use h5quill::{ByteOrder, F80, File, FixedAscii, FixedUnicode, VarLenAscii};
use half::{bf16, f16};
use ndarray::Array2;
use std::ffi::OsStr;
use std::iter::Peekable;
use std::path::Path;
use std::process::Command;
use std::str::Chars;

fn command(program: &Path, arguments: &[&OsStr]) -> String {
    let mut command = Command::new(program);
    command.args(arguments);
    run(command)
}

/// What h5dump says of one object: its datatype, its dataspace, its values.
#[derive(Debug, PartialEq)]
struct Dumped {
    datatype: String,
    dataspace: String,
    values: Vec<String>,
}

/// The values between the braces of `DATA`: numbers, names, strings without their quotes, arrays one after another.
fn parse(text: &str) -> Dumped {
    let field = |name: &str| -> String {
        let at = text
            .find(name)
            .unwrap_or_else(|| panic!("no {name} in {text}"));
        let line = text[at + name.len()..].lines().next().unwrap_or_default();
        line.trim().to_owned()
    };
    let at = text
        .find("DATA {")
        .unwrap_or_else(|| panic!("no DATA in {text}"));
    let mut values = Vec::new();
    let mut characters = text[at + "DATA {".len()..].chars().peekable();
    let mut word = String::new();
    loop {
        match characters.next() {
            Some('"') => {
                values.push(quoted(&mut characters));
            }
            Some(character)
                if character.is_whitespace() || matches!(character, ',' | '[' | ']') =>
            {
                if !word.is_empty() {
                    values.push(core::mem::take(&mut word));
                }
            }
            Some('}') | None => break,
            Some(character) => word.push(character),
        }
    }
    Dumped {
        datatype: field("DATATYPE "),
        dataspace: field("DATASPACE "),
        values,
    }
}

/// The rest of a string: other bytes than ASCII are in octal, of three digits, or of eleven where a signed character of C
/// was negative. Padding is left out.
fn quoted(characters: &mut Peekable<Chars<'_>>) -> String {
    let mut bytes = Vec::new();
    while let Some(character) = characters.next().filter(|character| *character != '"') {
        if character != '\\' {
            bytes.extend(character.to_string().bytes());
            continue;
        }
        let ahead: String = characters.clone().take(11).collect();
        let digits = if ahead.starts_with("37777777") { 11 } else { 3 };
        match u64::from_str_radix(&ahead[..digits.min(ahead.len())], 8) {
            Ok(value) => {
                bytes.push(value as u8);
                characters.nth(digits - 1);
            }
            Err(_) => bytes.extend(characters.next().map(|character| character as u8)),
        }
    }
    String::from_utf8(bytes)
        .unwrap()
        .trim_end_matches('\0')
        .to_owned()
}

fn plain(index: usize) -> i64 {
    (index as i64 * 37) % 101 - 50
}

/// Values that h5dump can print, and how it prints them.
trait Plain: Sample {
    fn plain(index: usize) -> Self;
    fn is_printed_as(index: usize, printed: &str) -> bool;
}

macro_rules! plain {
    ($($type:ty, |$index:ident| $value:expr, |$value_index:ident, $printed:ident| $same:expr;)*) => {$(
        impl Plain for $type {
            fn plain($index: usize) -> Self {
                $value
            }

            fn is_printed_as($value_index: usize, $printed: &str) -> bool {
                $same
            }
        }
    )*};
}

fn is_number(printed: &str, expected: f64) -> bool {
    printed.parse() == Ok(expected)
}

plain! {
    i8, |index| plain(index) as i8, |index, printed| is_number(printed, plain(index) as f64);
    i16, |index| plain(index) as i16 * 300, |index, printed| is_number(printed, plain(index) as f64 * 300.0);
    i32, |index| plain(index) as i32 * 70_000, |index, printed| is_number(printed, plain(index) as f64 * 70_000.0);
    i64, |index| plain(index) << 50, |index, printed| printed.parse() == Ok(plain(index) << 50);
    u8, |index| plain(index) as u8, |index, printed| printed.parse() == Ok(plain(index) as u8);
    u16, |index| plain(index) as u16, |index, printed| printed.parse() == Ok(plain(index) as u16);
    u32, |index| plain(index) as u32, |index, printed| printed.parse() == Ok(plain(index) as u32);
    u64, |index| plain(index) as u64, |index, printed| printed.parse() == Ok(plain(index) as u64);
    f16, |index| f16::from_f64(plain(index) as f64 * 0.25), |index, printed| is_number(printed, plain(index) as f64 * 0.25);
    bf16, |index| bf16::from_f64(plain(index) as f64 * 0.25), |index, printed| is_number(printed, plain(index) as f64 * 0.25);
    f32, |index| plain(index) as f32 * 0.1, |index, printed| printed.parse() == Ok(plain(index) as f32 * 0.1);
    f64, |index| plain(index) as f64 * 0.1, |index, printed| printed.parse() == Ok(plain(index) as f64 * 0.1);
    F80, |index| F80::from(plain(index) as f64 * 0.25), |index, printed| is_number(printed, plain(index) as f64 * 0.25);
    bool, |index| plain(index) & 1 != 0, |index, printed| printed == if plain(index) & 1 != 0 { "TRUE" } else { "FALSE" };
    FixedAscii<8>, |index| format!("t {}", plain(index)).parse().unwrap(), |index, printed| printed == format!("t {}", plain(index));
    FixedUnicode<12>, |index| format!("é {}", plain(index)).parse().unwrap(), |index, printed| printed == format!("é {}", plain(index));
    String, |index| format!("♀ {}", plain(index)), |index, printed| printed == format!("♀ {}", plain(index));
    VarLenAscii, |index| format!("v {}", plain(index)).parse().unwrap(), |index, printed| printed == format!("v {}", plain(index));
}

impl<T: Plain, const N: usize> Plain for [T; N] {
    fn plain(index: usize) -> Self {
        core::array::from_fn(|at| T::plain(index * N + at))
    }

    fn is_printed_as(index: usize, printed: &str) -> bool {
        T::is_printed_as(index, printed)
    }
}

const SHAPE: (usize, usize) = (7, 5);

/// Writes a dataset in three layouts and an attribute, and compares what h5dump prints; `width`: values an element.
fn dumped_alike<T: Plain>(dump: &Path, path: &Path, datatype: [&str; 2], width: usize) {
    let file = File::create(path).unwrap();
    let values = Array2::from_shape_fn(SHAPE, |(row, column)| T::plain(row * SHAPE.1 + column));
    for (order, name) in [
        (ByteOrder::LittleEndian, "little"),
        (ByteOrder::BigEndian, "big"),
    ] {
        let flat = file
            .new_dataset::<T>()
            .byte_order(order)
            .create_with(&format!("{name} flat"), &values)
            .unwrap();
        let chunked = file
            .new_dataset::<T>()
            .byte_order(order)
            .shape((0.., 5))
            .chunk((3, 2))
            .shuffle()
            .deflate(3);
        let chunked = chunked.create(&format!("{name} chunked")).unwrap();
        chunked.append(&values).unwrap();
        let attribute = flat
            .new_attr::<T>()
            .shape(SHAPE)
            .byte_order(order)
            .create("attribute")
            .unwrap();
        attribute.write(&values).unwrap();
    }
    file.close().unwrap();
    for (name, datatype) in ["little", "big"].into_iter().zip(datatype) {
        let places = [
            (
                "-d",
                format!("/{name} flat"),
                "SIMPLE { ( 7, 5 ) / ( 7, 5 ) }",
            ),
            (
                "-d",
                format!("/{name} chunked"),
                "SIMPLE { ( 7, 5 ) / ( H5S_UNLIMITED, 5 ) }",
            ),
            (
                "-a",
                format!("/{name} flat/attribute"),
                "SIMPLE { ( 7, 5 ) / ( 7, 5 ) }",
            ),
        ];
        for (option, place, dataspace) in places {
            let text = command(
                dump,
                &["-y", "-w", "0", "-m", "%.17g", option, &place]
                    .map(OsStr::new)
                    .into_iter()
                    .chain([path.as_os_str()])
                    .collect::<Vec<_>>(),
            );
            let dumped = parse(&text);
            assert_eq!(dumped.dataspace, dataspace, "{place}");
            assert!(
                dumped.datatype.starts_with(datatype),
                "{place}: {} is not {datatype}",
                dumped.datatype
            );
            assert_eq!(
                dumped.values.len(),
                SHAPE.0 * SHAPE.1 * width,
                "{place}: {text}"
            );
            for (index, printed) in dumped.values.iter().enumerate() {
                assert!(
                    T::is_printed_as(index, printed),
                    "{} at {index}: {printed:?}\n{text}",
                    T::token()
                );
            }
        }
    }
}

#[test]
fn h5dump_prints_the_values_that_were_written() {
    let Some(dump) = h5dump() else { return };
    let (_guard, path) = scratch("dumped.h5");
    macro_rules! alike {
        ($($type:ty, $little:literal, $big:literal, $width:literal;)*) => {$(
            dumped_alike::<$type>(&dump, &path, [$little, $big], $width);
        )*};
    }
    alike! {
        i8, "H5T_STD_I8LE", "H5T_STD_I8BE", 1;
        i16, "H5T_STD_I16LE", "H5T_STD_I16BE", 1;
        i32, "H5T_STD_I32LE", "H5T_STD_I32BE", 1;
        i64, "H5T_STD_I64LE", "H5T_STD_I64BE", 1;
        u8, "H5T_STD_U8LE", "H5T_STD_U8BE", 1;
        u16, "H5T_STD_U16LE", "H5T_STD_U16BE", 1;
        u32, "H5T_STD_U32LE", "H5T_STD_U32BE", 1;
        u64, "H5T_STD_U64LE", "H5T_STD_U64BE", 1;
        f16, "16-bit little-endian floating-point", "16-bit big-endian floating-point", 1;
        bf16, "16-bit little-endian floating-point", "16-bit big-endian floating-point", 1;
        f32, "H5T_IEEE_F32LE", "H5T_IEEE_F32BE", 1;
        f64, "H5T_IEEE_F64LE", "H5T_IEEE_F64BE", 1;
        F80, "128-bit little-endian floating-point 80-bit precision", "128-bit big-endian floating-point 80-bit precision", 1;
        bool, "H5T_ENUM {", "H5T_ENUM {", 1;
        FixedAscii<8>, "H5T_STRING {", "H5T_STRING {", 1;
        FixedUnicode<12>, "H5T_STRING {", "H5T_STRING {", 1;
        String, "H5T_STRING {", "H5T_STRING {", 1;
        VarLenAscii, "H5T_STRING {", "H5T_STRING {", 1;
        [i32; 3], "H5T_ARRAY { [3] H5T_STD_I32LE }", "H5T_ARRAY { [3] H5T_STD_I32BE }", 3;
        [f64; 2], "H5T_ARRAY { [2] H5T_IEEE_F64LE }", "H5T_ARRAY { [2] H5T_IEEE_F64BE }", 2;
    }
}

/// h5py reads both files alike.
fn assert_same_for_h5py(python: &Path, one: &Path, other: &Path) {
    let dump = |path: &Path| script(python, "dump.py", &[path.as_os_str()]);
    let (one, other) = (dump(one), dump(other));
    let differing: Vec<_> = one
        .lines()
        .zip(other.lines())
        .filter(|(one, other)| one != other)
        .take(3)
        .collect();
    assert!(one == other, "{differing:#?}");
}

#[test]
fn the_tools_run_clean_and_copies_hold_the_same() {
    let names = ["h5stat", "h5ls", "h5repack", "h5copy", "h5diff", "h5dump"];
    let Some(tools) = names.map(tool).into_iter().collect::<Option<Vec<_>>>() else {
        return;
    };
    let [h5stat, h5ls, h5repack, h5copy, h5diff, h5dump] = &tools[..] else {
        unreachable!()
    };
    let directory = tempfile::tempdir().unwrap();
    let builders: [(&str, fn(&Path) -> crate::manifest::Manifest, &str); 5] = [
        ("types", file_of_types, "03 i4"),
        ("layouts", file_of_layouts, "unlimited in two axes, depth 2"),
        ("filters", file_of_filters, "filters"),
        ("attributes", file_of_attributes, "dense"),
        ("strings", file_of_strings, "long"),
    ];
    for (name, build, object) in builders {
        let path = directory.path().join(name).with_extension("h5");
        build(&path);
        let path_os = path.as_os_str();
        command(h5stat, &[path_os]);
        command(h5ls, &["-rv".as_ref(), path_os]);
        command(h5dump, &["-pBH".as_ref(), path_os]);
        let output = directory.path().join("output.h5");
        let chunk: &[&str] = match name {
            "types" => &["-l", "/03 i4/little/chunked:CHUNK=3x2"],
            "layouts" => &["-l", "/fixed array:CHUNK=5x5"],
            _ => &[],
        };
        // h5repack -l CONTI makes a scalar of a null extent, whoever wrote it, so it is not among these.
        let changes: &[&[&str]] = match name {
            "types" => &[&["-f", "GZIP=3"], &["-f", "NONE"]],
            _ => &[],
        };
        // Without -L it writes the oldest format that holds the file, whose headers have no room for 70 KB attributes.
        let plain: &[&[&str]] = if name == "attributes" {
            &[]
        } else {
            &[&[], chunk]
        };
        for options in [plain, &[&["-L"]], changes].concat() {
            let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
            arguments.extend([path_os, output.as_os_str()]);
            command(h5repack, &arguments);
            command(h5diff, &[path_os, output.as_os_str()]);
            if let Some(python) = python() {
                assert_same_for_h5py(&python, &path, &output);
            }
        }
        std::fs::remove_file(&output).unwrap();
        let object = OsStr::new(object);
        command(
            h5copy,
            &[
                "-i".as_ref(),
                path_os,
                "-o".as_ref(),
                output.as_os_str(),
                "-s".as_ref(),
                object,
                "-d".as_ref(),
                object,
            ],
        );
        command(h5diff, &[path_os, output.as_os_str(), object, object]);
        std::fs::remove_file(&output).unwrap();
    }
}
