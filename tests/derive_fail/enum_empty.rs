use h5quill::H5Type;

#[derive(H5Type, Clone)]
enum Nothing {}

fn main() {}
