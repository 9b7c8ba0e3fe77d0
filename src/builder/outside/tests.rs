//! New datasets without data in the file: the bytes of libhdf5, what is refused, and what becomes of the space.

use crate::format::message::kind;
use crate::infra::global_heap::HeapRef;
use crate::storage::MemoryStorage;
use crate::{Dataset, DatasetBuilder, Error, ErrorKind, File, LibVer, Result, SliceOrIndex, Value};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/golden/outside/", $name, ".bin"))
    };
}

const fn blocks(start: usize, count: usize, step: usize, block: usize) -> SliceOrIndex {
    SliceOrIndex::SliceCount {
        start,
        step,
        count,
        block,
    }
}

const fn unlimited(start: usize, step: usize, block: usize) -> SliceOrIndex {
    SliceOrIndex::Unlimited { start, step, block }
}

/// The mappings of `make_outside.py`.
fn mappings(builder: DatasetBuilder<i32>) -> DatasetBuilder<i32> {
    let all = (0.., 40);
    let one = blocks(0, 1, 1, 2);
    builder
        .virtual_map(
            "a.h5",
            "/g/x",
            (10, 6),
            (2..5, 1..3),
            (9.., 40),
            (4..7, 30..32),
        )
        .virtual_map(
            "a.h5",
            "/g/x",
            (10, 6),
            (..2, blocks(0, 3, 2, 1)),
            (9.., 40),
            (0..2, blocks(20, 3, 3, 1)),
        )
        .virtual_map(
            "b 100%%.h5",
            "y",
            9,
            SliceOrIndex::from(1..9).step_by(2),
            (9.., 40),
            (blocks(1, 2, 2, 1), blocks(12, 2, 2, 1)),
        )
        .virtual_map(
            ".",
            "z",
            1_usize << 33,
            (1_usize << 32) + 5..(1 << 32) + 9,
            (9.., 40),
            (-1, ..4),
        )
        .virtual_map(".", "scalar", (), .., (9.., 40), (0, -1))
        .virtual_map(
            "a.h5",
            "log",
            (0.., 3),
            (SliceOrIndex::unlimited(0), ..),
            all.clone(),
            (SliceOrIndex::unlimited(0), 4..7),
        )
        .virtual_map(
            "a.h5",
            "log",
            (0.., 3),
            (unlimited(1, 3, 2), 2),
            all.clone(),
            (unlimited(3, 2, 2), 7),
        )
        .virtual_map(
            "run_%b.h5",
            "%b/x",
            (2, 2),
            (one, ..),
            all,
            (unlimited(0, 5, 2), 8..10),
        )
}

fn message(data: &Dataset, kind: u8) -> Vec<u8> {
    let found = data.object().with(|engine, addr| {
        let message = engine.object(addr)?.header.message(kind).cloned();
        Ok(message.unwrap().data.into_vec())
    });
    found.unwrap()
}

#[test]
fn mappings_are_the_bytes_of_libhdf5() {
    let file = File::create_memory().unwrap();
    let builder = mappings(file.new_dataset()).fill_value(-3);
    let data = builder.create("v").unwrap();
    let block = data.object().with(|engine, addr| {
        let at: HeapRef = engine.dataset(addr)?.mappings_at().unwrap();
        let (_, store, heap) = engine.parts(addr)?;
        heap.with(store, at, <[u8]>::to_vec)
    });
    assert_eq!(block.unwrap(), golden!("virtual"));
    assert_eq!(message(&data, kind::FILL_VALUE), golden!("virtual-fill"));
    assert_eq!(
        message(&data, kind::DATASPACE),
        golden!("virtual-dataspace")
    );
    let (layout, golden) = (message(&data, kind::LAYOUT), golden!("virtual-layout"));
    assert_eq!((&layout[..2], &layout[10..]), (&golden[..2], &golden[10..]));
}

#[test]
fn external_files_are_the_bytes_of_libhdf5() {
    let file = File::create_memory().unwrap();
    let builder = file.new_dataset::<i32>().shape((7.., 5));
    let builder = builder.external("first raw data file.bin", 512, 100);
    let data = builder.external("b/second.raw", 0, 0).create("e").unwrap();
    assert_eq!(message(&data, kind::FILL_VALUE), golden!("external-fill"));
    assert_eq!(
        message(&data, kind::DATASPACE),
        golden!("external-dataspace")
    );
    assert_eq!(message(&data, kind::LAYOUT), golden!("external-layout"));
    let (list, golden) = (message(&data, kind::EXTERNAL_FILES), golden!("external"));
    assert_eq!((&list[..8], &list[16..]), (&golden[..8], &golden[16..]));
    let at = u64::from_le_bytes(list[8..16].try_into().unwrap());
    let mut heap = golden!("external_heap").to_vec();
    heap[24..32].copy_from_slice(&(at + 32).to_le_bytes());
    file.flush().unwrap();
    let bytes = file.into_bytes().unwrap();
    assert_eq!(bytes[at as usize..at as usize + heap.len()], heap);
}

fn invalid(error: &Error, reason: &str) {
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains(reason), "{error}");
    assert!(error.to_string().starts_with("/v: "), "{error}");
}

#[test]
fn mappings_that_cannot_be_are_refused() {
    type Make<'a> = &'a dyn Fn(DatasetBuilder<u8>) -> DatasetBuilder<u8>;
    let file = File::create_memory().unwrap();
    file.flush().unwrap();
    let end = || {
        file.object
            .with(|engine, _| Ok(engine.store.end()))
            .unwrap()
    };
    let before = end();
    let no_end = SliceOrIndex::unlimited(0);
    let cases: [(Make<'_>, &str); 22] = [
        (
            &|b| b.virtual_map("a", "x", 4, .., 5, ..),
            "number of elements",
        ),
        (
            &|b| b.virtual_map("a", "x", 4, ..5, 5, ..),
            "beyond the extent 4",
        ),
        (
            &|b| b.virtual_map("a", "x", 5, .., 4, ..5),
            "beyond the extent 4",
        ),
        (
            &|b| b.shape(4).virtual_map("a", "x", 5, .., 5, ..),
            "the mappings reach to [5]",
        ),
        (
            &|b| b.shape((4, 4)).virtual_map("a", "x", 4, .., 4, ..),
            "another rank",
        ),
        (
            &|b| b.virtual_map("a", "x", 4, (.., ..), 4, ..),
            "has 2 axes",
        ),
        (
            &|b| b.virtual_map("a", "x", 0.., .., 0.., ..),
            "nothing is selected",
        ),
        (
            &|b| b.virtual_map("a", "x", 0.., no_end, 4, ..),
            "unlimited source",
        ),
        (
            &|b| b.virtual_map("a", "x", 4, .., 0.., no_end),
            "without block number",
        ),
        (
            &|b| b.virtual_map("a", "x", 0.., no_end, 4, no_end),
            "cannot grow",
        ),
        (
            &|b| b.virtual_map("a%b", "x", 0.., no_end, 0.., no_end),
            "no blocks",
        ),
        (&|b| b.virtual_map("a", "x%b", 4, .., 4, ..), "no blocks"),
        (
            &|b| b.virtual_map("a%b", "x", 3, .., 0.., unlimited(0, 4, 2)),
            "number of elements",
        ),
        (
            &|b| b.virtual_map("a", "x", (0.., 3), (no_end, ..), (0.., 2), (no_end, ..)),
            "differ across",
        ),
        (
            &|b| {
                b.virtual_map(
                    "a",
                    "x",
                    (0.., 0..),
                    (no_end, no_end),
                    (0.., 2),
                    (no_end, ..),
                )
            },
            "one axis only",
        ),
        (
            &|b| b.virtual_map("a", "x", 4, blocks(0, 2, 1, 2), 4, ..),
            "overlap",
        ),
        (
            &|b| b.virtual_map("", "x", 4, .., 4, ..),
            "source file is empty",
        ),
        (
            &|b| b.virtual_map("a", "x\0", 4, .., 4, ..),
            "source dataset is empty or has a NUL",
        ),
        (&|b| b.virtual_map("50%", "x", 4, .., 4, ..), "%b or %%"),
        (
            &|b| b.chunk(2).virtual_map("a", "x", 4, .., 4, ..),
            "no layout, chunk shape",
        ),
        (
            &|b| b.deflate(2).virtual_map("a", "x", 4, .., 4, ..),
            "no layout, chunk shape",
        ),
        (
            &|b| b.virtual_map("a", "x", 4, .., 4, ..).external("r", 0, 4),
            "not both",
        ),
    ];
    for (make, reason) in cases {
        invalid(&make(file.new_dataset()).create("v").unwrap_err(), reason);
    }
    let error = file.new_dataset::<u8>().virtual_map("a", "x", 2, .., 2, ..);
    let error = error.create_with("v", &[1, 2]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    assert_eq!(file.member_names().unwrap(), [""; 0]);
    assert_eq!(end(), before);

    let old = File::with_options().libver(LibVer::V18);
    let old = old.create_on(MemoryStorage::new()).unwrap();
    let builder = old.new_dataset::<u8>().virtual_map("a", "x", 2, .., 2, ..);
    let error = builder.create("v").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("HDF5 1.8"), "{error}");
    old.new_dataset::<u8>()
        .shape(4)
        .external("raw", 0, 4)
        .create("e")
        .unwrap();
}

#[test]
fn external_files_that_cannot_be_are_refused() {
    type Make<'a> = &'a dyn Fn(DatasetBuilder<u16>) -> DatasetBuilder<u16>;
    let file = File::create_memory().unwrap();
    let cases: [(Make<'_>, &str); 11] = [
        (&|b| b.shape(4).external("", 0, 8), "empty or has a NUL"),
        (&|b| b.shape(4).external("a\0b", 0, 8), "empty or has a NUL"),
        (&|b| b.shape(4).external("a", 0, 7), "room for 7 bytes"),
        (&|b| b.shape(2..=4).external("a", 0, 7), "room for 7 bytes"),
        (&|b| b.external("a", 0, 1), "room for 1 bytes"),
        (
            &|b| b.shape(4..).external("a", 0, 8),
            "an axis without limit",
        ),
        (
            &|b| b.shape(4).external("a", 0, 0).external("b", 0, 8),
            "is not the last",
        ),
        (
            &|b| b.shape((4, 2..)).external("a", 0, 0),
            "the first axis only",
        ),
        (
            &|b| b.shape(4).external("a", usize::MAX / 2, 8),
            "beyond 63 bits",
        ),
        (
            &|b| b.shape(4).compact().external("a", 0, 8),
            "no layout, chunk shape",
        ),
        (
            &|b| {
                b.shape(4)
                    .external("a", 0, 8)
                    .virtual_map("a", "x", 4, .., 4, ..)
            },
            "not both",
        ),
    ];
    for (make, reason) in cases {
        invalid(&make(file.new_dataset()).create("v").unwrap_err(), reason);
    }
    let strings = file.new_dataset::<String>().shape(4).external("a", 0, 0);
    let unsupported = [
        strings.create("v").unwrap_err(),
        // Other files may not be opened.
        file.new_dataset::<u16>()
            .external("a", 0, 0)
            .create_with("v", &[1_u16])
            .unwrap_err(),
    ];
    for error in unsupported {
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    }
    assert_eq!(file.member_names().unwrap(), [""; 0]);
    let mut many = file.new_dataset::<u8>();
    for _ in 0..2701 {
        many = many.external("a", 0, 1);
    }
    assert!(matches!(
        many.create("v").unwrap_err().kind(),
        ErrorKind::Limit { .. }
    ));
}

/// Creates, commits and unlinks: nothing of it is left.
#[test]
fn the_space_of_mappings_and_names_is_given_back() {
    let file = File::create_memory().unwrap();
    file.new_dataset::<i32>().create("first").unwrap();
    for _ in 0..3 {
        mappings(file.new_dataset()).create("v").unwrap();
        let external = file.new_dataset::<u8>().shape(9).external("raw file", 3, 9);
        external.create("e").unwrap();
        file.flush().unwrap();
        file.copy("v", &file, "copy").unwrap();
        file.copy("e", &file, "copy of e").unwrap();
        file.flush().unwrap();
        let lost = file.object.with(|engine, _| engine.unreachable()).unwrap();
        assert_eq!(lost, []);
        for name in ["v", "e", "copy", "copy of e"] {
            file.unlink(name).unwrap();
        }
        file.flush().unwrap();
        let lost = file.object.with(|engine, _| engine.unreachable()).unwrap();
        assert_eq!(lost, []);
        let report = file.verify().unwrap();
        assert!(report.is_sound(), "{report}");
    }
}

/// More new datasets than are kept in memory: those that were forgotten are read again before any commit.
#[test]
fn many_new_virtual_datasets_need_no_commit() -> Result<()> {
    let file = File::create_memory()?;
    file.new_dataset::<u16>()
        .create_with("x", &(0..50).collect::<Vec<u16>>())?;
    for number in 0..40_usize {
        let builder =
            file.new_dataset::<u16>()
                .virtual_map(".", "x", 50, number..number + 2, 2, ..);
        let made = builder.create(&format!("v{number}"))?;
        made.set_attr("note", "text")?;
    }
    for number in 0..40_u16 {
        let made = file.dataset(&format!("v{number}"))?;
        assert_eq!(made.read_raw::<u16>()?, [number, number + 1]);
        made.set_attr("number", number)?;
    }
    let file = File::open_memory(file.into_bytes()?)?;
    let made = file.dataset("v7")?;
    assert_eq!(made.read_values(1)?, [Value::Integer(8)]);
    assert_eq!(made.attr("number")?.read_scalar::<u16>()?, 7);
    assert_eq!(made.attr("note")?.read_scalar::<String>()?, "text");
    assert!(file.verify()?.is_sound());
    Ok(())
}

#[test]
fn a_virtual_dataset_is_moved_copied_and_not_written() -> Result<()> {
    let file = File::create_memory()?;
    let source = file.new_dataset::<i64>().shape((0.., 2)).create("x")?;
    let rows = (SliceOrIndex::unlimited(0), ..);
    let builder = file.new_dataset::<i64>().shape((0.., 3)).fill_value(9);
    let data = builder
        .virtual_map(".", "x", (0.., 2), rows, (0.., 3), (rows.0, ..2))
        .create("v")?;
    assert_eq!(
        (data.shape(), data.maxshape()),
        (vec![0, 3], vec![None, Some(3)])
    );
    source.append(&[1_i64, 2])?;
    assert_eq!(data.read_raw::<i64>()?, [1, 2, 9]);
    assert!(!data.is_resizable());
    file.flush()?;
    for error in [
        data.append(&[1_i64, 2, 3]).unwrap_err(),
        data.write_slice(&[1_i64, 2, 3], 0).unwrap_err(),
        data.write_bytes(&[0; 24], ..).unwrap_err(),
        data.write_values(&[Value::Integer(1)], (0, 0)).unwrap_err(),
        data.resize((5, 3)).unwrap_err(),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
        assert!(error.to_string().contains("write there"), "{error}");
    }
    data.set_attr("unit", "V")?;
    file.relink("v", "g/moved")?;
    file.copy("g/moved", &file, "copy")?;
    file.unlink("g")?;
    source.append(&[3_i64, 4])?;
    let file = File::open_memory(file.into_bytes()?)?;
    let copy = file.dataset("copy")?;
    assert_eq!(copy.read_raw::<i64>()?, [1, 2, 9, 3, 4, 9]);
    assert_eq!(copy.attr("unit")?.read_scalar::<String>()?, "V");
    Ok(())
}
