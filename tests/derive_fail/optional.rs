use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Reading {
    value: Option<f64>,
}

fn main() {}
