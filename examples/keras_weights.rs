//! The weights of a Keras 3 model, as `model.load_weights("OUT.weights.h5")` takes them: a group for each layer, named by
//! its kind and counted, and its variables by number.
//!
//! The model is `Sequential([Input((3,)), Dense(4, name="hidden"), Dense(2, name="output")])`.
//!
//! `cargo run --example keras_weights -- OUT.weights.h5`

use h5quill::{File, Result};
use ndarray::{Array1, Array2};

/// A dense layer: its place, its name, its kernel and its bias.
fn dense(
    file: &File,
    place: &str,
    name: &str,
    kernel: &Array2<f32>,
    bias: &Array1<f32>,
) -> Result<()> {
    let variables = file.create_group(&format!("layers/{place}/vars"))?;
    variables.set_attr("name", name)?;
    variables.new_dataset::<f32>().create_with("0", kernel)?;
    variables.new_dataset::<f32>().create_with("1", bias)?;
    Ok(())
}

pub(crate) fn write(path: &str) -> Result<()> {
    let file = File::create(path)?;
    let kernel = |rows, columns| {
        Array2::from_shape_fn((rows, columns), |(row, column)| {
            (row * columns + column) as f32 * 0.5
        })
    };
    dense(&file, "dense", "hidden", &kernel(3, 4), &Array1::ones(4))?;
    dense(&file, "dense_1", "output", &kernel(4, 2), &Array1::zeros(2))?;
    // The model has no variables besides those of its layers.
    file.create_group("vars")?.set_attr("name", "sequential")?;
    file.close()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: keras_weights OUT.weights.h5")?;
    Ok(write(&path)?)
}
