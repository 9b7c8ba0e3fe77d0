//! Fill values where nothing was written: in edge chunks beyond the extent, and in rows dropped and grown again.

use crate::manifest::script;
use crate::support::python;
use h5quill::{AllocTime, Dataset, Extent, File};
use ndarray::Array2;
use std::fmt::Write as _;
use std::path::Path;

fn numbers(rows: usize, columns: usize, from: i32) -> Array2<i32> {
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        from + (row * 100 + column) as i32
    })
}

fn make(file: &File) {
    for (name, extents) in [
        ("one", vec![Extent::resizable(11), Extent::fixed(5)]),
        ("two", vec![Extent::resizable(11), Extent::resizable(5)]),
        (
            "bounded",
            vec![Extent::new(11, Some(30)), Extent::new(5, Some(20))],
        ),
        ("fixed", vec![Extent::fixed(11), Extent::fixed(5)]),
    ] {
        for filters in 0..4_u8 {
            for fill in [0, 9] {
                for early in [false, true] {
                    let mut builder = file
                        .new_dataset::<i32>()
                        .shape(extents.clone())
                        .chunk((4, 3));
                    if filters & 1 != 0 {
                        builder = builder.shuffle().deflate(2);
                    }
                    if filters & 2 != 0 {
                        builder = builder.fletcher32();
                    }
                    if fill != 0 {
                        builder = builder.fill_value(fill);
                    }
                    if early {
                        builder = builder.alloc_time(AllocTime::Early);
                    }
                    let data = builder
                        .create(&format!("{name} {filters} {fill} {early}"))
                        .unwrap();
                    data.write_slice(&numbers(11, 4, 1), (.., 0..4)).unwrap();
                }
            }
        }
    }
}

/// What happens to every dataset in each step; those of a fixed extent are only rewritten.
fn step(data: &Dataset, number: usize) {
    let shape = data.shape();
    let (rows, columns) = (shape[0], shape[1]);
    let grows = data.is_resizable() || rows != 11;
    let wide = data.maxshape()[1] != Some(5);
    match number {
        0 if grows => data.append(&numbers(2, columns, 1000)).unwrap(),
        1 if grows => data.resize((6, columns)).unwrap(),
        2 if grows => data.resize((15, columns)).unwrap(),
        3 if wide => data.resize((rows, 2)).unwrap(),
        4 if wide => data.resize((rows, 7)).unwrap(),
        5 => data
            .write_slice(&numbers(2, 3, 2000), (rows - 2.., 1..4))
            .unwrap(),
        6 if grows => {
            // Down, up and down again between two commits.
            data.resize((3, columns)).unwrap();
            data.resize((20, columns)).unwrap();
            data.resize((9, columns)).unwrap();
        }
        7 if grows => {
            data.resize((0, columns)).unwrap();
            data.resize((10, columns)).unwrap();
        }
        8 => data
            .write_slice(&numbers(1, 2, 3000), (5..6, 0..2))
            .unwrap(),
        _ => {}
    }
}

#[test]
fn bytes_beyond_the_extent_are_fill_at_every_commit() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fill.h5");
    let mut expected = String::new();
    let copy = |number: usize| {
        std::fs::copy(&path, directory.path().join(format!("step {number}.h5"))).unwrap();
    };
    let mut note = |file: &File, number: usize| {
        for data in file.datasets().unwrap() {
            let values: Vec<i32> = data.read_raw().unwrap();
            writeln!(
                expected,
                "{number}\t{}\t{:?}\t{values:?}",
                data.name().trim_start_matches('/'),
                data.shape()
            )
            .unwrap();
        }
    };
    let mut file = File::create(&path).unwrap();
    make(&file);
    file.flush().unwrap();
    copy(0);
    note(&file, 0);
    for number in 0..9 {
        if number % 3 == 1 {
            file.close().unwrap();
            file = File::open_rw(&path).unwrap();
        }
        for data in file.datasets().unwrap() {
            step(&data, number);
        }
        file.flush().unwrap();
        copy(number + 1);
        note(&file, number + 1);
    }
    file.close().unwrap();
    let list = directory.path().join("expected");
    std::fs::write(&list, &expected).unwrap();
    check(&python, directory.path());
}

fn check(python: &Path, directory: &Path) {
    let checked = script(python, "fill.py", &[directory.as_os_str()]);
    let chunks: usize = checked.trim().parse().unwrap();
    assert!(chunks > 1000, "{chunks} chunks were looked at");
}
