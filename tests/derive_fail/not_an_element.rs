use h5quill::H5Type;

use std::collections::HashMap;

#[derive(H5Type, Clone)]
struct Row {
    map: HashMap<String, f64>,
}

fn main() {}
