use h5quill::H5Type;

#[derive(H5Type, Clone)]
#[repr(u128)]
enum Colour {
    Red = 1,
}

fn main() {}
