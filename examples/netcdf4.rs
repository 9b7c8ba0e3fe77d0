//! A netCDF-4 file: dimensions, one of them unlimited, coordinates, and a variable with a fill value. Dimension scales
//! are what netCDF calls dimensions; all else it needs are some attributes, and creation order tracked.
//!
//! `cargo run --example netcdf4 -- OUT.nc`

use h5quill::{Dataset, File, FixedAscii, Result};
use ndarray::array;

/// The dimension has this number, and this scale: a coordinate variable, named as the dimension is.
fn dimension(scale: &Dataset, number: i32) -> Result<()> {
    scale.make_scale(scale.name().trim_start_matches('/'))?;
    scale.set_attr("_Netcdf4Dimid", number)
}

pub(crate) fn write(path: &str) -> Result<()> {
    let file = File::with_options().track_order(true).create(path)?;
    // Says that netCDF-4 may rely on what it writes itself. It reads this text only where it is of fixed length.
    let properties = FixedAscii::try_from(b"version=2,h5quill=0.1.0")?;
    file.set_attr("_NCProperties", properties)?;
    file.set_attr("Conventions", "CF-1.11")?;

    let time = file
        .new_dataset::<f64>()
        .shape(0..)
        .track_order(true)
        .create("time")?;
    time.set_attr("units", "hours since 2026-01-01")?;
    dimension(&time, 0)?;
    let latitudes = [-45.0, 0.0, 45.0];
    let lat = file
        .new_dataset::<f32>()
        .track_order(true)
        .create_with("lat", &latitudes)?;
    lat.set_attr("units", "degrees_north")?;
    dimension(&lat, 1)?;
    // A dimension without coordinates is a scale without values, which says so in its name.
    let bounds = file.new_dataset::<f32>().shape(2).create("bounds")?;
    let name = "This is a netCDF dimension but not a netCDF variable.";
    bounds.make_scale(&format!("{name}{:10}", 2))?;
    bounds.set_attr("_Netcdf4Dimid", 2)?;

    let air = file
        .new_dataset::<f32>()
        .shape((0.., 3))
        .fill_value(-999.0)
        .shuffle()
        .deflate(4)
        .track_order(true)
        .create("air")?;
    air.attach_scale(0, &time)?;
    air.attach_scale(1, &lat)?;
    air.set_attr("_FillValue", [-999.0_f32])?;
    air.set_attr("units", "K")?;
    air.set_attr("long_name", "air temperature")?;
    let lat_bounds = file.new_dataset::<f32>().create_with(
        "lat_bounds",
        &array![[-90.0, -22.5], [-22.5, 22.5], [22.5, 90.0]],
    )?;
    lat_bounds.attach_scale(0, &lat)?;
    lat_bounds.attach_scale(1, &bounds)?;
    lat.set_attr("bounds", "lat_bounds")?;

    for (hour, row) in [
        (0.0, [281.5_f32, 299.0, 280.0]),
        (6.0, [282.0, 301.25, -999.0]),
    ] {
        time.append(&[hour])?;
        air.append(&row)?;
    }
    file.close()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: netcdf4 OUT.nc")?;
    Ok(write(&path)?)
}
