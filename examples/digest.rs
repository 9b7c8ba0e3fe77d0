//! Prints everything a file holds, a line for each object and attribute, in a form that other programs can give too.
//! `cargo run --example digest -- FILE`

#[path = "../tests/support/dump.rs"]
mod dump;

fn main() -> h5quill::Result<()> {
    for path in std::env::args().skip(1) {
        for (object, line) in dump::dump(&h5quill::File::open(&path)?) {
            println!("{object}\t{line}");
        }
    }
    Ok(())
}
