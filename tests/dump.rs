//! Every value of the files by others, and of our fixtures, is what h5py reads.

#[path = "support/dump.rs"]
mod dumper;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::File;
use h5quill::storage::MemoryStorage;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// Compares the dumps of all HDF5 files of a folder; returns how many there were.
fn compare(folder: &Path) -> usize {
    let mut found = Vec::new();
    files(folder, &mut found);
    let unpacked = tempfile::tempdir().unwrap();
    let mut list = String::new();
    let mut count = 0;
    for path in found {
        let mut bytes = std::fs::read(&path).unwrap();
        let mut name = path.clone();
        if path.extension().is_some_and(|extension| extension == "z") {
            let packed = std::mem::take(&mut bytes);
            if flate2::read::ZlibDecoder::new(&packed[..])
                .read_to_end(&mut bytes)
                .is_err()
            {
                continue;
            }
            name = unpacked.path().join(path.file_stem().unwrap());
            std::fs::write(&name, &bytes).unwrap();
        }
        if !bytes
            .windows(8)
            .step_by(512)
            .any(|start| start == b"\x89HDF\r\n\x1a\n")
        {
            continue;
        }
        count += 1;
        writeln!(list, "F\t{}", name.display()).unwrap();
        match File::open_on(MemoryStorage::from(bytes)) {
            Ok(file) => {
                for (object, line) in dumper::dump(&file) {
                    let object: String = object.bytes().map(|byte| format!("{byte:02x}")).collect();
                    writeln!(list, "O\t{object}\t{}", line.replace(['\n', '\t'], " ")).unwrap();
                }
            }
            Err(error) => writeln!(list, "E\t{}", error.to_string().replace('\n', " ")).unwrap(),
        }
    }
    let dumps = unpacked.path().join("list");
    std::fs::write(&dumps, list).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dump.py");
    let Some(answer) = support::run_python(&script.display().to_string(), &[dumps.as_os_str()])
    else {
        return count;
    };
    println!("{}: {count} files\n{answer}", folder.display());
    let wrong: Vec<&str> = answer
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} lines differ from those of h5py:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    count
}

#[test]
fn files_by_others_hold_what_h5py_reads() {
    let folder = support::corpus().join("foreign");
    if !folder.is_dir() {
        support::left_out("values of the corpus", &folder.display().to_string());
        return;
    }
    assert!(compare(&folder) > 100);
}

#[test]
fn our_fixtures_hold_what_h5py_reads() {
    assert!(compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")) > 20);
}
