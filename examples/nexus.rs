//! A NeXus file: an entry with counts over an angle, which any viewer plots by itself (`NXroot`, `NXentry`, `NXdata`).
//!
//! `cargo run --example nexus -- OUT.nxs`

use h5quill::{File, Group, Result};
use ndarray::Array1;

fn class(group: &Group, name: &str) -> Result<()> {
    group.set_attr("NX_class", name)
}

pub(crate) fn write(path: &str) -> Result<()> {
    let file = File::create(path)?;
    class(&file, "NXroot")?;
    file.set_attr("default", "entry")?;
    let entry = file.create_group("entry")?;
    class(&entry, "NXentry")?;
    entry.set_attr("default", "data")?;
    entry
        .new_dataset::<String>()
        .create("title")?
        .write_scalar(&"a peak")?;
    entry
        .new_dataset::<String>()
        .create("start_time")?
        .write_scalar(&"2026-11-27T12:00:00Z")?;

    let angles = Array1::from_iter((0..101).map(|step| 10.0 + 0.1 * f64::from(step)));
    let counts = angles.mapv(|angle: f64| (1000.0 * (-(angle - 15.0).powi(2)).exp()) as i32);
    let data = entry.create_group("data")?;
    class(&data, "NXdata")?;
    data.set_attr("signal", "counts")?;
    data.set_attr("axes", ["two_theta"])?;
    data.set_attr("two_theta_indices", 0)?;
    let two_theta = data
        .new_dataset::<f64>()
        .create_with("two_theta", &angles)?;
    two_theta.set_attr("units", "degree")?;
    let counts = data.new_dataset::<i32>().create_with("counts", &counts)?;
    counts.set_attr("long_name", "photodiode counts")?;
    file.close()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: nexus OUT.nxs")?;
    Ok(write(&path)?)
}
