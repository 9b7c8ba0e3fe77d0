//! Runs a target on files, without the fuzzer: `replay TARGET FILE...`.

fn main() {
    let mut arguments = std::env::args().skip(1);
    let target = match arguments.next().as_deref() {
        Some("open_walk_read") => h5quill_fuzz::open_walk_read,
        Some("open_edit_reopen") => h5quill_fuzz::open_edit_reopen,
        _ => panic!("replay open_walk_read|open_edit_reopen FILE..."),
    };
    for path in arguments {
        println!("{path}");
        target(&std::fs::read(path).expect("a file"));
    }
}
