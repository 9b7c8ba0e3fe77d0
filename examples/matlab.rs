//! A file that MATLAB loads (version 7.3): a matrix, text, a structure, and a cell array, whose cells are references into
//! the group `#refs#`. MATLAB has columns first, so arrays are written transposed.
//!
//! `cargo run --example matlab -- OUT.mat`

use h5quill::{Dataset, File, FixedAscii, Group, H5Type, LibVer, ObjectReference, Result};
use ndarray::{ArrayView2, array};

/// The text that MATLAB's own files begin with, its version, and the mark of the byte order.
fn header() -> Vec<u8> {
    let text = "MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Fri Nov 27 12:00:00 2026 HDF5 schema 1.00 .";
    let mut header = format!("{text:116}").into_bytes();
    header.extend([0; 8]);
    header.extend([0x00, 0x02, b'I', b'M']);
    header
}

fn matrix<T: H5Type>(at: &Group, name: &str, values: ArrayView2<'_, T>) -> Result<Dataset> {
    at.new_dataset::<T>()
        .create_with(name, values.reversed_axes())
}

fn doubles(at: &Group, name: &str, values: ArrayView2<'_, f64>) -> Result<Dataset> {
    let data = matrix(at, name, values)?;
    data.set_attr("MATLAB_class", FixedAscii::try_from(b"double")?)?;
    Ok(data)
}

fn text(at: &Group, name: &str, text: &str) -> Result<Dataset> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let data = matrix(
        at,
        name,
        ndarray::aview1(&units).insert_axis(ndarray::Axis(0)),
    )?;
    data.set_attr("MATLAB_class", FixedAscii::try_from(b"char")?)?;
    data.set_attr("MATLAB_int_decode", 2)?;
    Ok(data)
}

pub(crate) fn write(path: &str) -> Result<()> {
    let file = File::with_options()
        .userblock(512)
        .libver(LibVer::V18)
        .create(path)?;
    file.write_userblock(&header())?;
    doubles(&file, "m", array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].view())?;
    text(&file, "greeting", "Grüße")?;

    let point = file.create_group("point")?;
    point.set_attr("MATLAB_class", FixedAscii::try_from(b"struct")?)?;
    doubles(&point, "x", array![[0.5]].view())?;
    text(&point, "label", "here")?;

    let cells = file.create_group("#refs#")?;
    let first = text(&cells, "a", "a cell")?.reference()?;
    let second = doubles(&cells, "b", array![[7.0, 8.0]].view())?.reference()?;
    let cell = matrix::<ObjectReference>(&file, "c", array![[first, second]].view())?;
    cell.set_attr("MATLAB_class", FixedAscii::try_from(b"cell")?)?;
    file.close()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: matlab OUT.mat")?;
    Ok(write(&path)?)
}
