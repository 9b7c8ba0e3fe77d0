//! The first of the user's programs: a dataset of long doubles that grows by two rows at a time, is closed, reopened and
//! read back.
//!
//! `cargo run --release --example append_dataset -- OUT.h5`

use h5quill::{F80, File};
use ndarray::Array3;

const ROWS: usize = 2;
const ROUNDS: usize = 3;

/// Pseudo-random numbers that another program can make too: a linear congruential generator, scaled to [0, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> F80 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        F80::from((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }

    fn rows(&mut self) -> Array3<F80> {
        Array3::from_shape_simple_fn((ROWS, 40, 200), || self.next())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: append_dataset OUT.h5")?;

    let file = File::create(&path)?;
    let data = file
        .new_dataset::<F80>()
        .shape((0.., 40, 200))
        .create("my_data")?;
    let mut random = Random(0);
    for round in 0..ROUNDS {
        let old = data.shape()[0];
        data.resize((old + ROWS, 40, 200))?;
        data.write_slice(&random.rows(), (old.., .., ..))?;
        println!("round {round}: my_data has the shape {:?}", data.shape());
    }
    file.close()?;

    let file = File::append(&path)?;
    let data = file.dataset("my_data")?;
    let mut random = Random(0);
    for round in 0..ROUNDS {
        let read: Array3<F80> = data.read_slice((round * ROWS..(round + 1) * ROWS, .., ..))?;
        if read != random.rows() {
            return Err(format!("the rows of round {round} differ").into());
        }
    }
    println!(
        "reopened: {:?} of {:?} read back exactly",
        data.shape(),
        data.maxshape()
    );
    file.close()?;
    println!("{path}: {} bytes", std::fs::metadata(&path)?.len());
    Ok(())
}
