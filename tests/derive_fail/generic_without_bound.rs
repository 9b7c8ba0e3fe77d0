use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Pair<T: Clone> {
    first: T,
    second: Vec<T>,
}

fn main() {}
