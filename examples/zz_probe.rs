//! Probe.
fn main() {
    let p = std::env::args().nth(1).unwrap();
    let f = h5quill::File::open_rw(&p).unwrap();
    let d = f.dataset("packed").unwrap();
    let a = ndarray::Array2::from_shape_fn((4, 5), |(r, c)| (r * 5 + c) as i32);
    d.append(&a).unwrap();
    d.write_slice(&ndarray::Array1::from_elem(5, 0i32), ndarray::s![0, ..])
        .unwrap();
    f.close().unwrap();
}
