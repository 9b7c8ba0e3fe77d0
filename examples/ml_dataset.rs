//! The second of the user's programs: features and labels that grow together in groups, with attributes.
//!
//! `cargo run --release --example ml_dataset -- OUT.h5`

use h5quill::File;
use ndarray::{Array2, Array3};

const GENDERS: [&str; 3] = ["female", "male", "weiblich ♀"];

/// The features of one round.
fn features(round: usize) -> Array2<f32> {
    Array2::from_shape_fn((40, 200), |(row, column)| {
        (round * 8000 + row * 200 + column) as f32 * 0.125
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: ml_dataset OUT.h5")?;

    let file = File::create(&path)?;
    let group = file.create_group("features_A")?;
    file.create_group("features_B")?;
    group.set_attr("fs", 16_000)?;
    group.set_attr("win_dur", 0.025)?;
    group.set_attr("hop_dur", 0.01)?;
    let data = group
        .new_dataset::<f32>()
        .shape((0.., 40, 200))
        .create("features")?;
    let genders = group.new_dataset::<String>().shape(0..).create("gender")?;
    for (round, gender) in GENDERS.iter().enumerate() {
        data.append(&features(round))?;
        genders.append(&[gender.to_string()])?;
        println!(
            "round {round}: features {:?}, gender {:?}",
            data.shape(),
            genders.shape()
        );
    }
    file.close()?;

    let file = File::open(&path)?;
    let group = file.group("features_A")?;
    let read: Array3<f32> = group.dataset("features")?.read()?;
    for (round, rows) in read.outer_iter().enumerate() {
        if rows != features(round) {
            return Err(format!("the features of round {round} differ").into());
        }
    }
    let genders = group.dataset("gender")?.read_1d::<String>()?;
    if genders.as_slice() != Some(&GENDERS.map(String::from)) {
        return Err(format!("the labels differ: {genders}").into());
    }
    println!(
        "reopened: features {:?}, gender {genders}, fs {}, win_dur {}, hop_dur {}",
        read.shape(),
        group.attr("fs")?.read_scalar::<i32>()?,
        group.attr("win_dur")?.read_scalar::<f64>()?,
        group.attr("hop_dur")?.read_scalar::<f64>()?,
    );
    file.close()?;
    println!("{path}: {} bytes", std::fs::metadata(&path)?.len());
    Ok(())
}
