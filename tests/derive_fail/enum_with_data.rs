use h5quill::H5Type;

#[derive(H5Type, Clone)]
#[repr(u8)]
enum Shape {
    Point = 1,
    Circle { radius: f64 },
}

fn main() {}
