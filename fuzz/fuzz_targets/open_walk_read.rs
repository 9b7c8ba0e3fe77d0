//! See [`h5quill_fuzz::open_walk_read`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h5quill_fuzz::open_walk_read(data));
