//! Random datatypes, nested in each other, with random values: written by this library, read by it and by h5py.
//!
//! `H5QUILL_TYPES` says how many (300 by default), `H5QUILL_TYPES_SEED` which ones.

#[path = "support/dump.rs"]
mod dump;
#[path = "random_types/generate.rs"]
mod generate;
#[allow(unreachable_pub, reason = "the modules of a test program are its own")]
mod support;

use generate::{Case, case};
use h5quill::File;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fmt::Write;

/// How many datasets a file has.
const BATCH: usize = 250;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect(name),
        Err(_) => default,
    }
}

fn create(file: &File, name: &str, case: &Case) {
    let builder = file.new_dataset_of(case.datatype.clone());
    let data = match case.layout % 3 {
        0 => builder.shape(case.values.len()).create(name),
        1 => builder.shape(0..).create(name),
        _ => builder
            .shape(0..)
            .chunk(2)
            .shuffle()
            .deflate(1)
            .create(name),
    };
    let data = data.unwrap_or_else(|error| panic!("{error}\n{case:?}"));
    let written = match case.layout % 3 {
        0 => data.write_values(&case.values, ..),
        _ => data.append_values(&case.values),
    };
    written.unwrap_or_else(|error| panic!("{error}\n{case:?}"));
}

fn check(case: &Case, file: &File, name: &str) {
    let data = file.dataset(name).unwrap();
    assert_eq!(data.dtype().unwrap(), case.datatype, "{name}");
    let read = data
        .read_values(..)
        .unwrap_or_else(|error| panic!("{error}\n{case:?}"));
    let (read, written) = (
        dump::all(file, &read, &case.datatype).unwrap(),
        dump::all(file, &case.values, &case.datatype).unwrap(),
    );
    assert_eq!(read, written, "{case:?}");
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_written_is_read(case in case(true)) {
        let file = File::create_memory().unwrap();
        let mut case = case;
        generate::point_references(&file, &mut case);
        create(&file, "x", &case);
        // As an attribute, too.
        let attribute = file.new_attr_of(case.datatype.clone()).shape(case.values.len()).create("x").unwrap();
        attribute.write_values(&case.values).unwrap();
        let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
        check(&case, &file, "x");
        let read = file.attr("x").unwrap().read_values().unwrap();
        let text = |values| dump::all(&file, values, &case.datatype).unwrap();
        prop_assert_eq!(text(&read), text(&case.values));
    }
}

#[test]
fn h5py_reads_the_values_that_were_written() {
    let Some(python) = support::python() else {
        return;
    };
    let count = setting("H5QUILL_TYPES", 300) as usize;
    let seed = setting("H5QUILL_TYPES_SEED", 1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = case(false);
    let directory = tempfile::tempdir().unwrap();
    let (mut written, mut equal, mut only_we) = (0, 0, 0);
    while equal < count {
        assert!(
            written < 3 * count + BATCH,
            "{equal} of {written} are read by h5py"
        );
        let path = directory.path().join("types.h5");
        let file = File::create(&path).unwrap();
        let mut cases = Vec::new();
        while cases.len() < BATCH.min(count) {
            let mut case = strategy.new_tree(&mut runner).unwrap().current();
            if !generate::is_read_by_h5py(&case.datatype) {
                continue;
            }
            generate::point_references(&file, &mut case);
            let name = format!("{:05}", cases.len());
            create(&file, &name, &case);
            cases.push((name, case));
        }
        written += cases.len();
        file.close().unwrap();
        let file = File::open(&path).unwrap();
        let mut list = format!("F\t{}\nO\t{}\tgroup\n", path.display(), hex("/"));
        for (name, case) in &cases {
            check(case, &file, name);
            let (len, max) = match case.layout % 3 {
                0 => (case.values.len(), case.values.len().to_string()),
                _ => (case.values.len(), "*".into()),
            };
            let line = format!(
                "dataset {} [{len}] [{max}] {}",
                dump::type_text(&case.datatype),
                dump::all(&file, &case.values, &case.datatype).unwrap()
            );
            let _ = writeln!(list, "O\t{}\t{line}", hex(&format!("/{name}")));
        }
        drop(file);
        let list_path = directory.path().join("list");
        std::fs::write(&list_path, list).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dump.py");
        let said = support::run_python_with(&python, script, &[list_path.as_os_str()]);
        for line in said.lines() {
            let count = || line.split(' ').next().unwrap().parse::<usize>().unwrap();
            if line.ends_with(" objects equal") {
                equal += count() - 1;
            } else if line.ends_with(" objects only we read") {
                only_we += count();
            }
        }
        assert!(!said.contains("WRONG"), "{said}");
        if std::env::var_os("H5QUILL_TYPES_SHOW").is_some() {
            support::say(&said);
        }
    }
    support::say(&format!(
        "random types: {written} written and read by us, {equal} of them read alike by h5py, which has no value of {only_we}"
    ));
    assert_eq!(equal + only_we, written);
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
