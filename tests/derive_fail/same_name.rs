use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Row {
    x: f64,
    #[hdf5(rename = "x")]
    y: f64,
}

fn main() {}
