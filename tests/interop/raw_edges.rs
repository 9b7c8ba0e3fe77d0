//! Datasets whose chunks at the edge go unfiltered: libhdf5 and we change them by turns.

use crate::manifest::{pythons, script};
use crate::support::python;
use h5quill::storage::MemoryStorage;
use h5quill::{AllocTime, ChunkOpts, ErrorKind, Extents, File, LibVer};
use ndarray::Array2;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

const FILES: usize = 30;

/// A step on a dataset of shape `rows` x `columns`, as text; `None` where the extent cannot change.
fn step(random: &mut impl FnMut(usize) -> usize, shape: &[usize], resizable: bool) -> [usize; 6] {
    let (rows, columns) = (shape[0], shape[1]);
    if resizable && (random(2) == 0 || rows * columns == 0) {
        return [0, random(20), random(15), 0, 0, 0];
    }
    let (row, column) = (random(rows), random(columns));
    let (high, wide) = (1 + random(rows - row), 1 + random(columns - column));
    [1, row, high, column, wide, 1000 + random(1000)]
}

fn apply(file: &Path, step: [usize; 6]) {
    let file = File::open_rw(file).unwrap();
    let data = file.dataset("data").unwrap();
    let [verb, a, b, c, d, value] = step;
    if verb == 0 {
        data.resize((a, b)).unwrap();
    } else {
        let values = Array2::from_elem((b, d), value as i32);
        data.write_slice(&values, (a..a + b, c..c + d)).unwrap();
    }
    file.close().unwrap();
}

fn read(file: &Path) -> Vec<u8> {
    let file = File::open(file).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    file.dataset("data").unwrap().read_bytes(..).unwrap()
}

/// As `make` of raw_edges.py.
fn make(folder: &Path) {
    for number in 0..FILES {
        let (rows, columns) = (5 + number % 7, 4 + number % 6);
        let extents = match number % 5 {
            0 => Extents::from((rows.., columns..)),
            1 => Extents::from((rows.., columns..=40)),
            2 => Extents::from((rows..=40, columns..)),
            3 => Extents::from((rows..=40, columns..=40)),
            _ => Extents::from((rows, columns)),
        };
        let file = File::create(folder.join(format!("{number}.h5"))).unwrap();
        let mut builder = file.new_dataset::<i32>().shape(extents).chunk((4, 3));
        if number % 3 != 1 {
            builder = builder.deflate(3);
        }
        if number % 3 != 0 {
            builder = builder.fletcher32();
        }
        let builder = builder.fill_value(7);
        let data = builder
            .chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS)
            .create("data")
            .unwrap();
        let values: Vec<i32> = (0..(rows * columns) as i32).collect();
        let values = Array2::from_shape_vec((rows, columns), values).unwrap();
        data.write(&values).unwrap();
        file.close().unwrap();
    }
}

#[test]
fn chunks_that_go_unfiltered_at_the_edge_are_changed_by_turns() {
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python() else { return };
    let count = FILES.to_string();
    let arguments = [
        "make".as_ref(),
        folder.path().as_os_str(),
        OsStr::new(&count),
    ];
    script(&python, "raw_edges.py", &arguments);
    change_by_turns(&python, folder.path());
}

#[test]
fn our_chunks_that_go_unfiltered_at_the_edge_are_changed_by_turns() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let Some(python) = python() else { return };
    let count = FILES.to_string();
    let arguments = [
        "made".as_ref(),
        folder.path().as_os_str(),
        OsStr::new(&count),
    ];
    script(&python, "raw_edges.py", &arguments);
    change_by_turns(&python, folder.path());
}

#[test]
fn chunks_at_the_edge_are_filtered_in_files_for_18() {
    let options = File::with_options().libver(LibVer::V18);
    let file = options.create_on(MemoryStorage::new()).unwrap();
    let builder = file.new_dataset::<i32>().shape(0..).deflate(1);
    let opts = ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS;
    let error = builder.clone().chunk_opts(opts).create("x").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    builder.create("x").unwrap();
    let file = File::create_memory().unwrap();
    let builder = file.new_dataset::<i32>().shape(3).chunk_opts(opts);
    let error = builder.create("not chunked").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
}

/// Chunks at the edge that are made with the dataset go unfiltered, too, in whatever index they are.
#[test]
fn chunks_at_the_edge_that_are_allocated_early_go_unfiltered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("early.h5");
    let file = File::create(&path).unwrap();
    let shapes: [(&str, Extents); 5] = [
        ("fixed", Extents::from((5, 4))),
        ("one chunk", Extents::from((4, 3))),
        ("one axis grows", Extents::from((5.., 4))),
        ("both axes grow", Extents::from((5.., 4..))),
        ("whole chunks", Extents::from((8, 6))),
    ];
    for (name, extents) in shapes {
        let new = file.new_dataset::<i32>().shape(extents).chunk((4, 3));
        let new = new.shuffle().deflate(3).fill_value(7);
        let new = new.alloc_time(AllocTime::Early);
        let data = new
            .chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS)
            .create(name)
            .unwrap();
        assert!(
            data.read_raw::<i32>()
                .unwrap()
                .iter()
                .all(|value| *value == 7)
        );
    }
    file.close().unwrap();
    check_all_fill(&path);
    for python in pythons() {
        script(
            &python,
            "raw_edges.py",
            &["early".as_ref(), path.as_os_str()],
        );
    }
    check_all_fill(&path);
}

fn check_all_fill(path: &Path) {
    let file = File::open(path).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    for data in file.datasets().unwrap() {
        let values = data.read_raw::<i32>().unwrap();
        assert!(values.iter().all(|value| *value == 7), "{}", data.name());
    }
}

fn change_by_turns(python: &Path, folder: &Path) {
    let run = |arguments: &[&OsStr]| script(python, "raw_edges.py", arguments);
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for round in 0..12 {
        let by_us = round % 3 != 2;
        let mut steps = String::new();
        for number in 0..FILES {
            let path = folder.join(format!("{number}.h5"));
            let (mut shape, resizable) = {
                let file = File::open(&path).unwrap();
                let data = file.dataset("data").unwrap();
                (data.shape(), data.is_resizable() || number % 5 < 4)
            };
            for _ in 0..2 {
                let step = step(&mut random, &shape, resizable);
                if step[0] == 0 {
                    shape = step[1..3].to_vec();
                    writeln!(steps, "{number} resize {} {}", step[1], step[2]).unwrap();
                } else {
                    let [_, a, b, c, d, value] = step;
                    writeln!(steps, "{number} write {a} {b} {c} {d} {value}").unwrap();
                }
                if by_us {
                    apply(&path, step);
                }
            }
        }
        std::fs::write(folder.join("steps"), steps).unwrap();
        let who = if by_us { "ours" } else { "h5py" };
        run(&[who.as_ref(), folder.as_os_str()]);
        for number in 0..FILES {
            let expected = std::fs::read(folder.join(format!("{number}.bin"))).unwrap();
            let path = folder.join(format!("{number}.h5"));
            assert!(read(&path) == expected, "file {number}, round {round}");
        }
    }
}
