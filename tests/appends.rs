//! Rows appended one call after another: those of whole chunks, and elements of variable length, take a shorter way than
//! the first of a session.

use h5quill::{ErrorKind, File, FixedAscii, Result};
use ndarray::{Array2, Array3, Axis, array};
use std::path::PathBuf;

fn feature(step: usize) -> Array2<f32> {
    Array2::from_shape_fn((3, 4), |(row, column)| {
        (step * 100 + row * 10 + column) as f32
    })
}

fn in_directory(run: impl FnOnce(PathBuf) -> Result<()>) -> Result<()> {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path().join("appended.h5"))
}

#[test]
fn frames_and_strings_of_several_sessions_are_all_there() -> Result<()> {
    in_directory(|path| {
        let file = File::create(&path)?;
        let builder = file.new_dataset::<f32>().shape((0.., 3, 4));
        builder.chunk((1, 3, 4)).create("features")?;
        let names = file.new_dataset::<String>().shape(0..);
        names.chunk(7).create("names")?;
        file.close()?;
        for session in 0..4 {
            let file = File::open_rw(&path)?;
            let (features, names) = (file.dataset("features")?, file.dataset("names")?);
            for step in session * 10..session * 10 + 10 {
                features.append(&feature(step))?;
                names.append(&[format!("step {step}")])?;
                if step % 4 == 0 {
                    file.flush()?;
                }
            }
            file.close()?;
        }
        let file = File::open(&path)?;
        assert!(file.verify()?.problems.is_empty());
        let read: Array3<f32> = file.dataset("features")?.read()?;
        assert_eq!(read.dim(), (40, 3, 4));
        for step in 0..40 {
            assert_eq!(read.index_axis(Axis(0), step), feature(step));
        }
        let expected: Vec<String> = (0..40).map(|step| format!("step {step}")).collect();
        assert_eq!(file.dataset("names")?.read_raw::<String>()?, expected);
        Ok(())
    })
}

#[test]
fn rows_of_several_chunks_and_parts_of_them_follow_each_other() -> Result<()> {
    let file = File::create_memory()?;
    let builder = file.new_dataset::<i32>().shape((0.., 2));
    let data = builder.chunk((4, 2)).create("rows")?;
    let mut expected: Vec<i32> = Vec::new();
    let mut append = |count: usize| {
        let next = expected.len() as i32;
        let rows =
            Array2::from_shape_fn((count, 2), |(row, column)| next + (2 * row + column) as i32);
        expected.extend(&rows);
        data.append(&rows)?;
        assert_eq!(data.read_raw::<i32>()?, expected);
        Ok::<_, h5quill::Error>(())
    };
    for count in [4, 8, 1, 3, 4, 2, 2, 0, 12, 5, 3, 8] {
        append(count)?;
    }
    // A chunk that is in memory, with what was cut off, is not taken for one of its own.
    data.resize((46, 2))?;
    data.resize((44, 2))?;
    data.append(&array![[1, 2], [3, 4], [5, 6], [7, 8]])?;
    assert_eq!(data.shape(), [48, 2]);
    assert_eq!(
        data.read_slice::<i32, _, ndarray::Ix2>((44.., ..))?.row(3),
        array![7, 8]
    );
    file.flush()?;
    assert!(file.verify()?.problems.is_empty());
    Ok(())
}

#[test]
fn a_refused_row_leaves_the_others() -> Result<()> {
    let file = File::create_memory()?;
    let names = file.new_dataset::<FixedAscii<4>>().shape(0..).chunk(3);
    let names = names.create("names")?;
    for name in ["a", "b", "c", "d"] {
        names.append(&[name])?;
    }
    assert!(names.append(&["too long"]).is_err());
    let error = names.append(&[1_u32]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
        "{error}"
    );
    names.append(&["e"])?;
    let read = names.read_raw::<FixedAscii<4>>()?;
    assert_eq!(
        read.iter().map(FixedAscii::as_str).collect::<Vec<_>>(),
        ["a", "b", "c", "d", "e"]
    );
    let few = file
        .new_dataset::<i8>()
        .shape(0..=3)
        .chunk(1)
        .create("few")?;
    for value in 0..3_i8 {
        few.append(&[value])?;
    }
    assert!(few.append(&[3_i8]).is_err());
    assert_eq!(few.read_raw::<i8>()?, [0, 1, 2]);
    Ok(())
}
