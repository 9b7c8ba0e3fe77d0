use h5quill::H5Type;

#[derive(H5Type, Clone)]
struct Name<'a> {
    text: &'a str,
}

#[derive(H5Type, Clone)]
struct Label {
    text: &'static str,
}

fn main() {}
