//! Every filter both ways: written by us and read by h5py with hdf5plugin, written by them and read by us, and the same
//! chunks changed by turns.

#![allow(unreachable_pub, reason = "the modules of a test program are its own")]

mod support;

use h5quill::filters::{Bitshuffle, Blosc, BloscShuffle, Filter, Outcome, SZip, ScaleOffset};
use h5quill::storage::MemoryStorage;
use h5quill::{Dataset, DatasetBuilder, ErrorKind, File, H5Type, Result};
use ndarray::{Array2, s};
use std::ffi::OsStr;
use std::path::Path;
use support::{left_out, python, run_python_with};

const ROWS: usize = 70;
const COLUMNS: usize = 23;

type Filtered<T> = (&'static str, fn(DatasetBuilder<T>) -> DatasetBuilder<T>);

/// What libhdf5 and h5py have built in.
fn own<T: H5Type>() -> Vec<Filtered<T>> {
    vec![
        ("deflate", |builder| builder.shuffle().deflate(4)),
        ("fletcher32", |builder| builder.fletcher32()),
        ("lzf", |builder| builder.lzf()),
        ("shuffle lzf", |builder| builder.shuffle().lzf()),
        ("lzf fletcher32", |builder| builder.lzf().fletcher32()),
        ("nbit", |builder| builder.nbit()),
        ("szip ec", |builder| builder.szip(SZip::Entropy, 8)),
        ("szip nn", |builder| builder.szip(SZip::NearestNeighbor, 16)),
        ("shuffle szip", |builder| {
            builder.shuffle().szip(SZip::NearestNeighbor, 32)
        }),
    ]
}

/// What hdf5plugin brings.
fn plugins<T: H5Type>() -> Vec<Filtered<T>> {
    vec![
        ("lz4", |builder| builder.lz4()),
        ("zstd", |builder| builder.zstd(3)),
        ("shuffle zstd", |builder| builder.shuffle().zstd(3)),
        ("bitshuffle", |builder| builder.bitshuffle(Bitshuffle::None)),
        ("bitshuffle lz4", |builder| {
            builder.bitshuffle(Bitshuffle::Lz4)
        }),
        ("bitshuffle zstd", |builder| {
            builder.bitshuffle(Bitshuffle::Zstd(3))
        }),
        ("bzip2", |builder| builder.bzip2(9)),
        ("blosc blosclz", |builder| builder.blosc_blosclz(5, true)),
        ("blosc lz4", |builder| {
            builder.blosc_lz4(5, BloscShuffle::Bit)
        }),
        ("blosc lz4hc", |builder| builder.blosc_lz4hc(9, true)),
        ("blosc snappy", |builder| builder.blosc_snappy(5, false)),
        ("blosc zlib", |builder| builder.blosc_zlib(5, true)),
        ("blosc zstd", |builder| builder.blosc_zstd(5, true)),
        ("blosc level 0", |builder| builder.blosc_zstd(0, true)),
        ("blosc2 blosclz", |builder| {
            builder.blosc2(Blosc::BloscLZ, 5, true)
        }),
        ("blosc2 lz4", |builder| {
            builder.blosc2(Blosc::LZ4, 5, BloscShuffle::Bit)
        }),
        ("blosc2 lz4hc", |builder| {
            builder.blosc2(Blosc::LZ4HC, 5, false)
        }),
        ("blosc2 zlib", |builder| {
            builder.blosc2(Blosc::ZLib, 5, true)
        }),
        ("blosc2 zstd", |builder| {
            builder.blosc2(Blosc::ZStd, 5, true)
        }),
    ]
}

fn integers<T: H5Type>() -> Vec<Filtered<T>> {
    vec![
        ("scaleoffset", |builder| {
            builder.scale_offset(ScaleOffset::Integer(0))
        }),
        ("scaleoffset deflate", |builder| {
            builder.scale_offset(ScaleOffset::Integer(0)).deflate(1)
        }),
    ]
}

/// Values of some kind: all the same, slowly changing, or noise.
fn number(kind: usize, at: usize, salt: u64) -> i64 {
    let mixed = (at as u64 + 977 * salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let noise = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16;
    match kind {
        0 => 3 + salt as i64,
        1 => (at / 5) as i64 + (noise % 3) as i64,
        _ => noise as i64,
    }
}

fn array<T>(rows: usize, kind: usize, salt: u64, of: fn(i64) -> T) -> Array2<T> {
    Array2::from_shape_fn((rows, COLUMNS), |(row, column)| {
        of(number(kind, row * COLUMNS + column, salt))
    })
}

/// Each filter over each kind of values, beside the same dataset without filters: made in two pieces, the first committed.
fn write<T: H5Type>(file: &File, type_name: &str, filters: Vec<Filtered<T>>, of: fn(i64) -> T) {
    for (name, filter) in filters {
        for kind in 0..3 {
            let builder = file
                .new_dataset::<T>()
                .shape((0.., COLUMNS))
                .chunk((16, COLUMNS));
            let path = format!("{type_name} {kind} {name}");
            let filtered = filter(builder.clone()).create(&format!("filtered/{path}"));
            let filtered = filtered.unwrap_or_else(|error| panic!("{path}: {error}"));
            let plain = builder.create(&format!("plain/{path}")).unwrap();
            let values = array(ROWS, kind, 0, of);
            for data in [&filtered, &plain] {
                data.append(values.slice(s![..37, ..])).unwrap();
            }
            if kind == 2 {
                file.flush().unwrap();
            }
            for data in [&filtered, &plain] {
                data.append(values.slice(s![37.., ..])).unwrap();
            }
        }
    }
}

fn write_all(file: &File, with_plugins: bool) {
    fn filters<T: H5Type>(with_plugins: bool) -> Vec<Filtered<T>> {
        let mut filters = own();
        if with_plugins {
            filters.extend(plugins());
        }
        filters
    }
    let mut bytes = filters::<u8>(with_plugins);
    bytes.extend(integers());
    write(file, "u8", bytes, |value| value as u8);
    let mut shorts = filters::<i16>(with_plugins);
    shorts.extend(integers());
    write(file, "i16", shorts, |value| value as i16);
    let mut ints = filters::<i32>(with_plugins);
    ints.extend(integers());
    write(file, "i32", ints, |value| value as i32);
    write(file, "f64", filters::<f64>(with_plugins), |value| {
        value as f64 / 8.0
    });
}

fn pairs(file: &File) -> Vec<(String, Dataset, Dataset)> {
    let names = file.group("filtered").unwrap().member_names().unwrap();
    let pair = |name: String| {
        let [filtered, plain] =
            ["filtered", "plain"].map(|group| file.dataset(&format!("{group}/{name}")).unwrap());
        (name, filtered, plain)
    };
    names.into_iter().map(pair).collect()
}

fn check(path: &Path) -> usize {
    let file = File::open(path).unwrap();
    let pairs = pairs(&file);
    for (name, filtered, plain) in &pairs {
        assert_eq!(filtered.shape(), plain.shape(), "{name}");
        let read = filtered.read_bytes(..);
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, plain.read_bytes(..).unwrap(), "{name}");
    }
    pairs.len()
}

fn plugins_there(python: &Path) -> bool {
    let found = run_python_with(
        python,
        "import importlib.util\nprint(importlib.util.find_spec('hdf5plugin') is not None)",
        &[],
    );
    if found.trim() != "True" {
        left_out("filters of hdf5plugin", "hdf5plugin");
    }
    found.trim() == "True"
}

fn script(python: &Path, arguments: &[&OsStr]) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/filters.py");
    let said = run_python_with(python, path.to_str().unwrap(), arguments);
    said.trim().parse().unwrap()
}

#[cfg(feature = "filters")]
#[test]
fn what_we_filter_is_read_and_changed_by_h5py_and_by_us_in_turns() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.h5");
    let with_plugins = plugins_there(&python);
    let file = File::create(&path).unwrap();
    write_all(&file, with_plugins);
    file.close().unwrap();
    let count = check(&path);
    assert!(
        count >= if with_plugins { 300 } else { 100 },
        "{count} datasets"
    );
    for round in 0..3 {
        let arguments = [
            "change".as_ref(),
            path.as_os_str(),
            OsStr::new(["0", "1", "2"][round]),
        ];
        assert_eq!(script(&python, &arguments), count, "read by h5py");
        assert_eq!(check(&path), count, "changed by h5py");
        let file = File::open_rw(&path).unwrap();
        for (name, filtered, plain) in pairs(&file) {
            let rows = filtered.shape()[0];
            for data in [&filtered, &plain] {
                // In the middle of chunks, a whole one, and beyond the end.
                let change = |first: usize, count: usize| {
                    let bytes = data.read_bytes((first..first + count, ..)).unwrap();
                    let turned: Vec<u8> = bytes.into_iter().rev().collect();
                    data.write_bytes(&turned, (first..first + count, ..))
                };
                change(3 + round, 5).unwrap_or_else(|error| panic!("{name}: {error}"));
                change(16, 16).unwrap();
                data.resize((rows + 9, COLUMNS)).unwrap();
                change(rows - 2, 7).unwrap();
            }
        }
        file.close().unwrap();
        assert_eq!(check(&path), count, "changed by us");
    }
}

#[cfg(feature = "filters")]
#[test]
fn what_h5py_filters_is_read_by_us() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.h5");
    let with_plugins = plugins_there(&python);
    let written = script(&python, &["write".as_ref(), path.as_os_str()]);
    assert_eq!(check(&path), written);
    assert!(
        written >= if with_plugins { 300 } else { 100 },
        "{written} datasets"
    );
}

#[test]
fn a_codec_that_is_not_built_in_says_which_feature_is_missing() {
    let file = File::create_memory().unwrap();
    let built_in = |id: u16, name: &str, result: h5quill::Result<Dataset>| {
        let Err(error) = result else { return true };
        let expected = format!("filter {id} ({name}): this build is without the feature `{name}`");
        assert!(error.to_string().ends_with(&expected), "{error}");
        false
    };
    let builder = || file.new_dataset::<i32>().shape(100);
    assert_eq!(
        built_in(32004, "lz4", builder().lz4().create("lz4")),
        cfg!(feature = "lz4")
    );
    assert_eq!(
        built_in(32015, "zstd", builder().zstd(1).create("zstd")),
        cfg!(feature = "zstd")
    );
    assert_eq!(
        built_in(307, "bzip2", builder().bzip2(1).create("bzip2")),
        cfg!(feature = "bzip2")
    );
    let szip = builder().szip(SZip::Entropy, 8).create("szip");
    assert_eq!(built_in(4, "szip", szip), cfg!(feature = "szip"));
    let blosc = builder().blosc_lz4(5, true).create("blosc");
    assert_eq!(built_in(32001, "blosc", blosc), cfg!(feature = "blosc"));
}

#[test]
fn chunks_written_as_they_are_come_back_as_they_are() {
    let file = File::create_memory().unwrap();
    let builder = file.new_dataset::<u16>().shape((0.., 10)).chunk((4, 5));
    let data = builder.shuffle().deflate(4).create("x").unwrap();
    data.resize((6, 10)).unwrap();
    let values: Array2<u16> = Array2::from_shape_fn((6, 10), |(row, column)| (row * column) as u16);
    data.write(&values).unwrap();
    let waiting = data.read_chunk(&[4, 5]).unwrap();
    file.flush().unwrap();
    let copy = file.new_dataset::<u16>().shape((6, 10)).chunk((4, 5));
    let copy = copy.shuffle().deflate(4).create("y").unwrap();
    for offset in [[0, 0], [0, 5], [4, 0], [4, 5]] {
        let (mask, bytes) = data.read_chunk(&offset).unwrap();
        copy.write_chunk(&offset, mask, &bytes).unwrap();
        assert_eq!(copy.read_chunk(&offset).unwrap(), (mask, bytes));
    }
    assert_eq!(copy.read_2d::<u16>().unwrap(), values);
    copy.write_chunk(&[4, 5], waiting.0, &waiting.1).unwrap();
    assert_eq!(copy.read_2d::<u16>().unwrap(), values);
    // Raw, over one that waits in memory.
    copy.write_slice(&[9_u16; 10], s![5, ..]).unwrap();
    copy.write_chunk(&[4, 0], 0b11, &[1; 40]).unwrap();
    assert_eq!(
        copy.read_slice::<u16, _, ndarray::Ix1>(s![5, ..5])
            .unwrap()
            .sum(),
        5 * 0x101
    );
    let refused: [(&[usize], u32, &[u8]); 6] = [
        (&[4], 0, &[1]),
        (&[4, 1], 0, &[1]),
        (&[8, 0], 0, &[1]),
        (&[4, 0], 0b11, &[1; 39]),
        (&[4, 0], 0, &[]),
        (&[4, 0], 0, &[0; 1 << 17]),
    ];
    for (offset, mask, bytes) in refused {
        assert!(copy.write_chunk(offset, mask, bytes).is_err(), "{offset:?}");
    }
    assert!(data.read_chunk(&[8, 0]).is_err());
    let bytes = h5quill::storage::MemoryStorage::from(file.into_bytes().unwrap());
    let file = File::with_options().open_on(bytes).unwrap();
    let copy = file.dataset("y").unwrap();
    assert_eq!(copy.read_chunk(&[4, 0]).unwrap(), (0b11, vec![1; 40]));
    assert!(
        copy.write_chunk(&[4, 0], 0b11, &[1; 40]).is_err(),
        "read-only"
    );
}

/// Turns the bytes of a chunk round, under the identifier of ZFP.
struct Reversed;

impl Filter for Reversed {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        output.extend(input.iter().rev());
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, _: usize) -> Result<Outcome> {
        output.extend(input.iter().rev());
        Ok(Outcome::Written)
    }
}

/// Data of a filter that is not known are edited in every way that does not decode them.
#[test]
fn datasets_of_unknown_filters_are_edited_around_their_chunks() {
    const ZFP: u16 = 32_013;
    let known = File::with_options().filter(ZFP, |_| Ok(Box::new(Reversed)));
    let file = known.create_on(MemoryStorage::new()).unwrap();
    let new = file.new_dataset::<u8>().shape(8..).chunk(4);
    let new = new.add_filter(ZFP, &[1, 2]);
    new.create_with("x", &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let bytes = file.into_bytes().unwrap();

    let file = File::open_rw_on(MemoryStorage::from(bytes)).unwrap();
    let data = file.dataset("x").unwrap();
    for (number, error) in [
        data.read_raw::<u8>().map(drop).unwrap_err(),
        data.write_slice(&[9_u8], 0..1).unwrap_err(),
        data.append(&[9_u8]).unwrap_err(),
    ]
    .iter()
    .enumerate()
    {
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported(_)),
            "{number}: {error}"
        );
    }
    data.set_attr("unit", "V").unwrap();
    data.set_attr("gone", 1).unwrap();
    data.delete_attr("gone").unwrap();
    file.link_hard("x", "g/same").unwrap();
    file.relink("x", "moved").unwrap();
    file.copy("moved", &file, "copy").unwrap();
    let other = known.create_on(MemoryStorage::new()).unwrap();
    file.copy("moved", &other, "copy").unwrap();
    assert_eq!(data.read_chunk(&[4]).unwrap(), (0, vec![8, 7, 6, 5]));
    // Rows come as chunks that were filtered elsewhere.
    data.resize(12).unwrap();
    data.write_chunk(&[8], 0, &[12, 11, 10, 9]).unwrap();
    data.write_chunk(&[0], 0, &[40, 30, 20, 10]).unwrap();
    let copy = file.dataset("copy").unwrap();
    copy.resize(4).unwrap();
    file.copy("copy", &file, "short-lived").unwrap();
    file.unlink("short-lived").unwrap();
    file.unlink("g/same").unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound(), "{report}");

    let bytes = file.into_bytes().unwrap();
    let file = known.open_on(MemoryStorage::from(bytes)).unwrap();
    let read = |file: &File, name: &str| file.dataset(name).unwrap().read_raw::<u8>().unwrap();
    let moved = [10, 20, 30, 40, 5, 6, 7, 8, 9, 10, 11, 12];
    assert_eq!(read(&file, "moved"), moved);
    assert_eq!(read(&file, "copy"), [1, 2, 3, 4]);
    assert_eq!(read(&other, "copy"), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(file.attr_names().unwrap(), [""; 0]);
    assert!(file.verify().unwrap().is_sound());
}
