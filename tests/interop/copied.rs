//! Copies of objects beside those that libhdf5 makes of the same.

use crate::manifest::script;
use crate::support::{python, run, say, tool};
use h5quill::{CopyOptions, File};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// The options that `copies.py` has a letter for.
fn options(word: &str) -> CopyOptions {
    CopyOptions::new()
        .shallow(word.contains('s'))
        .expand_soft(word.contains('l'))
        .expand_refs(word.contains('r'))
        .without_attrs(word.contains('a'))
}

fn call(python: &Path, arguments: &[&OsStr]) -> String {
    script(python, "copies.py", arguments)
}

const LIBRARIES: [(&str, &str); 4] = [
    ("earliest", "v108"),
    ("earliest", "latest"),
    ("v110", "v110"),
    ("latest", "latest"),
];

#[test]
fn copies_to_another_file_are_those_of_libhdf5() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (source, ours, theirs) = (path("source.h5"), path("ours.h5"), path("theirs.h5"));
    let mut objects = 0;
    for seed in 0..20 {
        let (low, high) = LIBRARIES[seed % LIBRARIES.len()];
        let word = ["-", "r", "s", "l", "a", "lr"][seed % 6];
        let seed = seed.to_string();
        let made = [
            OsStr::new("make"),
            seed.as_ref(),
            source.as_ref(),
            low.as_ref(),
            high.as_ref(),
        ];
        call(&python, &made);
        let copied = [
            OsStr::new("copy"),
            source.as_ref(),
            theirs.as_ref(),
            word.as_ref(),
        ];
        call(&python, &copied);
        let from = File::open(&source).unwrap();
        let to = File::create(&ours).unwrap();
        from.copy_with("tree", &to, "copy", options(word)).unwrap();
        to.close().unwrap();
        let compared = [
            OsStr::new("compare"),
            ours.as_ref(),
            theirs.as_ref(),
            "copy".as_ref(),
            "across".as_ref(),
        ];
        let count = call(&python, &compared);
        objects += count.trim().parse::<usize>().unwrap();
        if let Some(h5diff) = tool("h5diff").filter(|_| high != "latest") {
            let mut command = Command::new(h5diff);
            command.arg("-q").args([&ours, &theirs]).arg("/copy");
            run(command);
        }
        call(
            &python,
            &[OsStr::new("edit"), ours.as_ref(), "copy".as_ref()],
        );
        let edited = File::open_rw(&ours).unwrap();
        edited.copy("copy", &edited, "again").unwrap();
        edited.close().unwrap();
    }
    say(&format!("{objects} copied objects and links compared"));
    assert!(objects > 500);
}
