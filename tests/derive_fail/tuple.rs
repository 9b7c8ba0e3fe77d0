use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Position {
    at: (f64, f64),
}

fn main() {}
