use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Tree {
    children: Vec<Tree>,
}

fn main() {}
