//! Copies of objects beside those that libhdf5 makes of the same.

use crate::manifest::script;
use crate::support::{corpus, left_out, python, run, say, tool};
use h5quill::{CopyOptions, ErrorKind, File};
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
            "across".as_ref(),
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

#[test]
fn copies_in_the_same_file_are_those_of_libhdf5() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (directory.path().join("o.h5"), directory.path().join("t.h5"));
    for seed in 0..8 {
        let (low, high) = LIBRARIES[seed % LIBRARIES.len()];
        let seed = seed.to_string();
        let mut made = vec![OsStr::new("make"), seed.as_ref(), ours.as_ref()];
        made.extend([low, high, "within"].map(OsStr::new));
        call(&python, &made);
        std::fs::copy(&ours, &theirs).unwrap();
        call(
            &python,
            &[OsStr::new("same"), theirs.as_ref(), "-".as_ref()],
        );
        let file = File::open_rw(&ours).unwrap();
        file.copy("tree", &file, "copy").unwrap();
        file.close().unwrap();
        let mut compared = vec![OsStr::new("compare"), ours.as_ref(), theirs.as_ref()];
        compared.extend(["copy", "within"].map(OsStr::new));
        call(&python, &compared);
        // The source is what it was.
        compared[3] = OsStr::new("tree");
        call(&python, &compared);
        call(
            &python,
            &[OsStr::new("edit"), ours.as_ref(), "copy".as_ref()],
        );
    }
}

#[test]
fn virtual_and_external_data_and_fill_values_of_variable_length_are_copied() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let (source, copy) = (directory.path().join("s.h5"), directory.path().join("c.h5"));
    call(&python, &[OsStr::new("other"), source.as_ref()]);
    let from = File::open_rw(&source).unwrap();
    let to = File::create(&copy).unwrap();
    from.copy("tree", &to, "copy").unwrap();
    from.copy("tree", &from, "copy").unwrap();
    for file in [from, to] {
        file.close().unwrap();
    }
    for path in [&source, &copy] {
        call(
            &python,
            &[OsStr::new("read"), path.as_ref(), "copy".as_ref()],
        );
    }
}

#[test]
fn files_of_others_are_copied_as_libhdf5_copies_them() {
    let Some(python) = python() else { return };
    let Ok(files) = std::fs::read_dir(corpus().join("foreign")) else {
        return left_out("copies of the files of others", "corpus");
    };
    let directory = tempfile::tempdir().unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut listing = String::new();
    for (number, path) in files.iter().enumerate() {
        let Ok(source) = File::open(path) else {
            continue;
        };
        let copy = directory.path().join(format!("{number}.h5"));
        let destination = File::create(&copy).unwrap();
        let mut refused = Vec::new();
        for name in source.member_names().unwrap() {
            if source.copy(&name, &destination, &name).is_err() {
                refused.push(name);
            }
        }
        destination.close().unwrap();
        let line = [path.display().to_string(), copy.display().to_string()];
        let line: Vec<_> = line.into_iter().chain(refused).collect();
        listing += &format!("{}\n", line.join("\t"));
    }
    let list = directory.path().join("list");
    std::fs::write(&list, listing).unwrap();
    let scratch = directory.path().join("scratch.h5");
    let arguments = [OsStr::new("foreign"), list.as_ref(), scratch.as_ref()];
    let said = call(&python, &arguments);
    let counts = said.lines().last().unwrap();
    say(&format!(
        "copies of {} files: files and paths compared, members nobody can copy: {counts}",
        files.len()
    ));
}

#[test]
fn files_with_short_addresses_are_copied_from_and_to() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (narrow, wide, again) = (path("narrow.h5"), path("wide.h5"), path("again.h5"));
    call(&python, &[OsStr::new("narrow"), narrow.as_ref()]);
    let from = File::open_rw(&narrow).unwrap();
    let to = File::create(&wide).unwrap();
    // An element with an address in it has another size there.
    for name in ["tree", "words", "tree/reference"] {
        let error = from.copy(name, &to, "copy").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    }
    assert!(to.is_empty().unwrap());
    from.copy("tree/numbers", &to, "copy").unwrap();
    from.copy("tree", &from, "copy").unwrap();
    from.copy("words", &from, "copy/words").unwrap();
    to.close().unwrap();
    from.close().unwrap();
    call(&python, &[OsStr::new("narrow"), again.as_ref()]);
    let (wide, back) = (File::open(&wide).unwrap(), File::open_rw(&again).unwrap());
    wide.copy("copy", &back, "back").unwrap();
    back.close().unwrap();
    wide.close().unwrap();
    for (ours, group) in [
        (&path("wide.h5"), "copy"),
        (&again, "back"),
        (&narrow, "copy"),
    ] {
        let arguments = [OsStr::new("numbers"), ours.as_ref(), group.as_ref()];
        call(&python, &arguments);
    }
}
