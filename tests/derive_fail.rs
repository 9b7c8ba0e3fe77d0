//! What `#[derive(H5Type)]` refuses, and the reasons it gives: `derive_fail/*.stderr`, which
//! `TRYBUILD=overwrite cargo test --test derive_fail` writes anew.

#![cfg(feature = "derive")]

#[test]
fn shapes_that_no_file_can_hold_are_refused_with_the_reason() {
    trybuild::TestCases::new().compile_fail("tests/derive_fail/*.rs");
}
