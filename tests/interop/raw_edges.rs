//! Datasets whose chunks at the edge go unfiltered: libhdf5 and we change them by turns.

use crate::manifest::script;
use crate::support::python;
use h5quill::File;
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

#[test]
fn chunks_that_go_unfiltered_at_the_edge_are_changed_by_turns() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let Some(python) = python() else { return };
    let run = |arguments: &[&OsStr]| script(&python, "raw_edges.py", arguments);
    let count = FILES.to_string();
    run(&["make".as_ref(), folder.as_os_str(), OsStr::new(&count)]);
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
