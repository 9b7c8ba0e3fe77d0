//! See [`h5quill_fuzz::open_edit_reopen`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h5quill_fuzz::open_edit_reopen(data));
