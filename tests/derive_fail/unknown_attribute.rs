use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Row {
    #[hdf5(name = "x")]
    y: f64,
}

#[derive(H5Type, Clone)]
#[hdf5(rename = "Line")]
struct Other {
    x: f64,
}

fn main() {}
