//! The first example of hdf5-metno, with this library: pixels of a derived type, and an attribute of an enumeration.
//! The calls are the same.
//!
//! `cargo run --example metno_simple -- OUT.h5`

use h5quill::{File, H5Type, Result};
use ndarray::{arr2, s};

#[derive(H5Type, Clone, PartialEq, Debug)]
#[repr(u8)]
enum Colour {
    Red = 1,
    Green = 2,
    Blue = 3,
}

#[derive(H5Type, Clone, PartialEq, Debug)]
#[repr(C)]
struct Pixel {
    x: i64,
    y: i64,
    colour: Colour,
}

fn pixel(x: i64, y: i64, colour: Colour) -> Pixel {
    Pixel { x, y, colour }
}

pub(crate) fn run(path: &str) -> Result<()> {
    use Colour::{Blue, Green, Red};
    let file = File::create(path)?;
    let group = file.create_group("dir")?;
    let pixels = group
        .new_dataset_builder()
        .blosc_zstd(9, true)
        .with_data(&arr2(&[
            [pixel(1, 2, Red), pixel(2, 3, Blue)],
            [pixel(3, 4, Green), pixel(4, 5, Red)],
            [pixel(5, 6, Blue), pixel(6, 7, Green)],
        ]))
        .create("pixels")?;
    let colours = pixels.new_attr::<Colour>().shape([3]).create("colours")?;
    colours.write(&[Red, Green, Blue])?;
    file.close()?;

    let file = File::open(path)?;
    let pixels = file.dataset("dir/pixels")?;
    let last = arr2(&[
        [pixel(3, 4, Green), pixel(4, 5, Red)],
        [pixel(5, 6, Blue), pixel(6, 7, Green)],
    ]);
    assert_eq!(pixels.read_slice::<Pixel, _, _>(s![1.., ..])?, last);
    let colours = pixels.attr("colours")?.read_1d::<Colour>()?;
    assert_eq!(colours.to_vec(), [Red, Green, Blue]);
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: metno_simple OUT.h5")?;
    Ok(run(&path)?)
}
