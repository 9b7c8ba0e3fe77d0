use h5quill::H5Type;

#[derive(H5Type, Clone, Copy)]
union Number {
    float: f32,
    bits: u32,
}

fn main() {}
