//! They write, we edit.

use crate::dump::dump;
use crate::edited::{assert_reads_like_h5py, assert_same_dump};
use crate::manifest::script;
use crate::support::{python, time_run};
use h5quill::{ErrorKind, File, FixedAscii};
use ndarray::{Array1, Array2, s};
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// One edit of everything in a file that `foreign.py make` made; `foreign.py check` makes the same in its model.
fn edit_all(file: &File) {
    for name in [
        "fixed",
        "fixed filtered",
        "fixed paged",
        "implicit",
        "single",
        "single filtered",
        "contiguous",
        "compact",
    ] {
        let data = file.dataset(name).unwrap();
        data.write_slice(&Array2::from_elem((3, 5), -1_i32), (1..4, 2..7))
            .unwrap();
    }
    for name in [
        "extensible",
        "extensible filtered",
        "extensible paged",
        "btree",
        "btree filtered",
        "btree deep",
    ] {
        let data = file.dataset(name).unwrap();
        let (rows, columns) = (data.shape()[0], data.shape()[1]);
        let more = Array2::from_shape_fn((7, columns), |(r, c)| (r * columns + c) as i32);
        data.append(&more).unwrap();
        assert_eq!(data.shape(), [rows + 7, columns]);
        data.write_slice(&Array1::from_elem(columns, -2), s![rows / 2, ..])
            .unwrap();
    }
    for name in ["btree", "btree filtered", "btree deep"] {
        let data = file.dataset(name).unwrap();
        let rows = data.shape()[0];
        data.append_axis(1, &Array2::from_elem((rows, 3), -3_i32))
            .unwrap();
    }
    for name in ["shrunk", "shrunk filtered"] {
        let data = file.dataset(name).unwrap();
        data.resize((3, 10)).unwrap();
        data.resize((30, 10)).unwrap();
    }
    let names = file.dataset("strings").unwrap();
    names
        .append(&[String::from("naïve"), String::new()])
        .unwrap();
    names
        .write_slice(&[String::from("rewritten")], 0..1)
        .unwrap();
    let fixed = file.dataset("fixed strings").unwrap();
    fixed
        .append(&["end".parse::<FixedAscii<5>>().unwrap()])
        .unwrap();
    file.dataset("bool")
        .unwrap()
        .write_slice(&[true], 1..2)
        .unwrap();
    file.dataset("scalar")
        .unwrap()
        .write_scalar(&2.5_f64)
        .unwrap();
    edit_objects(file);
}

fn edit_objects(file: &File) {
    for group in ["few", "many", "ordered", "ordered many", "old times"] {
        let group = file.group(group).unwrap();
        let last = group.member_names().unwrap().len();
        group.create_group("ours").unwrap();
        group
            .new_dataset::<u8>()
            .shape(4)
            .create_with("our data", &[1_u8, 2, 3, 4])
            .unwrap();
        assert_eq!(group.len().unwrap(), last + 2);
        group.unlink("member 1").unwrap();
        group.set_attr("ours", 7_i64).unwrap();
        group.set_attr("attr 0", "replaced").unwrap();
        group.delete_attr("attr 1").unwrap();
    }
    file.dataset("btree")
        .unwrap()
        .set_attr("ours", [1.5, 2.5])
        .unwrap();
    file.dataset("attributes")
        .unwrap()
        .delete_attr("attr 3")
        .unwrap();
    file.dataset("attributes")
        .unwrap()
        .set_attr("attr 5", 55_i64)
        .unwrap();
    file.unlink("doomed").unwrap();
    file.link_hard("btree", "few/linked").unwrap();
}

#[test]
fn files_of_libhdf5_take_every_edit() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    for (low, high) in [
        ("v110", "v110"),
        ("v110", "v112"),
        ("v112", "v114"),
        ("v110", "latest"),
        ("latest", "latest"),
    ] {
        let path = directory.path().join(format!("{low} {high}.h5"));
        let bounds = [
            OsStr::new("make"),
            path.as_os_str(),
            OsStr::new(low),
            OsStr::new(high),
        ];
        script(&python, "foreign.py", &bounds);
        assert_reads_like_h5py(&python, &path);
        let untouched = std::fs::read(&path).unwrap();
        File::open_rw(&path).unwrap().close().unwrap();
        assert!(
            std::fs::read(&path).unwrap() == untouched,
            "opening to edit and closing changed {low} {high}"
        );
        let file = File::open_rw(&path).unwrap();
        edit_all(&file);
        let before_close = dump(&file).unwrap();
        file.close().unwrap();
        let after = dump(&File::open(&path).unwrap()).unwrap();
        assert_same_dump(&before_close, &after);
        assert_reads_like_h5py(&python, &path);
        script(
            &python,
            "foreign.py",
            &[OsStr::new("check"), path.as_os_str()],
        );
    }
}

/// What must not be done to a file of another kind yet, with the words that its refusal holds.
fn attempt(path: &Path) -> h5quill::Result<()> {
    let file = File::open_rw(path)?;
    let mut refused = None;
    let mut note = |result: h5quill::Result<()>| {
        if let Err(error) = result {
            refused.get_or_insert(error);
        }
    };
    if let Ok(true) = file.exists("data") {
        match file.dataset("data") {
            Ok(data) => {
                let dims = data.shape();
                let grown: Vec<usize> = dims.iter().map(|dim| dim + 1).collect();
                note(data.write(&ndarray::ArrayD::from_elem(dims.clone(), 1_i32)));
                if data.is_resizable() {
                    note(data.resize(grown));
                }
            }
            Err(error) => note(Err(error)),
        }
    } else {
        note(file.create_group("ours").map(drop));
        note(file.set_attr("ours", 1_i32));
    }
    file.close()?;
    refused.map_or(Ok(()), Err)
}

#[test]
fn files_that_cannot_be_edited_yet_are_refused_by_name_and_stay_as_they_are() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let made = script(&python, "refused.py", &[directory.path().as_os_str()]);
    let mut taken = Vec::new();
    for line in made.lines() {
        let (name, word) = line.split_once('\t').unwrap();
        let path = directory.path().join(name);
        let before = std::fs::read(&path).unwrap();
        match attempt(&path) {
            Ok(()) => taken.push(name.to_owned()),
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(
                        kind,
                        ErrorKind::Unsupported(_) | ErrorKind::TypeMismatch { .. }
                    ),
                    "{name}: {kind:?}"
                );
                let said = error.to_string();
                assert!(
                    said.contains(word),
                    "{name}: {said:?} does not say {word:?}"
                );
                assert!(
                    said.contains(name),
                    "{name}: {said:?} does not name the file"
                );
                assert!(
                    std::fs::read(&path).unwrap() == before,
                    "{name} was refused but changed"
                );
            }
        }
    }
    eprintln!("edited already: {taken:?}");
    for name in taken {
        assert_reads_like_h5py(&python, &directory.path().join(name));
    }
}

/// Opens a file and reads everything in it: what there is, or why not.
fn read_all(path: &Path) -> (bool, h5quill::Result<String>, Duration) {
    let start = time_run();
    let options = File::with_options().locking(false).follow_other_files(true);
    let (opened, read) = match options.open(path) {
        Ok(file) => (true, dump(&file)),
        Err(error) => (false, Err(error)),
    };
    (opened, read, time_run().saturating_sub(start))
}

fn files_below(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_file_of_the_corpus_makes_us_panic_or_wait() {
    let corpus = crate::support::corpus();
    for folder in ["foreign", "cve"] {
        let mut files = Vec::new();
        files_below(&Path::new(&corpus).join(folder), &mut files);
        if files.is_empty() {
            crate::support::say(&format!(
                "left out: the corpus {folder}: no {}",
                Path::new(&corpus).join(folder).display()
            ));
            continue;
        }
        files.sort();
        let (mut opened, mut read, mut worst) = (0, 0, (Duration::ZERO, String::new()));
        for path in &files {
            let (open, all, time) = read_all(path);
            opened += usize::from(open);
            read += usize::from(all.is_ok());
            if folder == "foreign"
                && let Err(error) = &all
                && matches!(error.kind(), ErrorKind::Corrupt { .. })
            {
                eprintln!("{}: {error}", path.display());
            }
            worst = worst.max((time, path.display().to_string()));
        }
        eprintln!(
            "{folder}: {} files, {opened} open, {read} read whole, longest {worst:?}",
            files.len()
        );
        let bound = if folder == "cve" { 1 } else { 20 };
        assert!(worst.0 < Duration::from_secs(bound), "{worst:?}");
    }
}
