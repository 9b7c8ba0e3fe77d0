use h5quill::H5Type;

#[derive(H5Type, Clone)]
enum Colour {
    Red = 1,
    Green = 2,
}

fn main() {}
