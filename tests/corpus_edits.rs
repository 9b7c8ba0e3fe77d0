//! Every file of the corpus that h5py reads is edited by each verb: the edit is made and all else stays as it was, to the
//! bit where nothing has to be written, or it is refused and the file is bit for bit what it was.

#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;
#[path = "support/verbs.rs"]
mod verbs;

use h5quill::{File, Result};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use storage::Shared;
use verbs::{Done, Run, Targets, VERBS};

/// The files of a folder that h5py opens.
fn readable(folder: &Path, digest: &Path) -> Option<Vec<PathBuf>> {
    let script = "import sys, h5py\nfor path in sys.argv[1:]:\n    try:\n        h5py.File(path, 'r').close()\n        \
                  print(path)\n    except Exception: pass\n";
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    if !digest.is_file() {
        return None;
    }
    let arguments: Vec<&std::ffi::OsStr> = files.iter().map(|path| path.as_os_str()).collect();
    Some(
        support::run_python(script, &arguments)?
            .lines()
            .map(PathBuf::from)
            .collect(),
    )
}

/// What became of all edits.
#[derive(Default)]
struct Report {
    cases: usize,
    made: usize,
    not_applicable: usize,
    /// By verb and reason: the files and objects.
    refused: BTreeMap<(String, String), Vec<String>>,
    list: String,
    edited: Vec<(String, String)>,
    wrong: Vec<String>,
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The error without the object and the place: what many have in common.
fn reason(error: &h5quill::Error) -> String {
    let text = error.to_string();
    let text = match error.object_path() {
        Some(path) => text.replace(&format!("{path}: "), ""),
        None => text,
    };
    match error.offset() {
        Some(offset) => text.replace(&format!("offset {offset}: "), ""),
        None => text,
    }
}

impl Report {
    fn refuse(&mut self, verb: &str, file: &str, path: &str, error: &h5quill::Error) {
        let key = (verb.to_string(), reason(error));
        self.refused
            .entry(key)
            .or_default()
            .push(format!("{file}:{path}"));
    }

    fn file(&mut self, path: &Path, out: &Path) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        let targets = match File::open_memory(bytes.clone()) {
            Ok(file) => Targets::of(&file, 12),
            Err(error) => {
                self.cases += 1;
                self.refuse("open", &name, "", &error);
                return;
            }
        };
        for (verb, run) in VERBS {
            for target in targets.paths(run) {
                self.cases += 1;
                self.edit(path, &bytes, (verb, run), &target, out);
            }
        }
    }

    fn edit(
        &mut self,
        path: &Path,
        bytes: &[u8],
        (verb, run): (&str, &Run),
        target: &str,
        out: &Path,
    ) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let shared = Shared::from(bytes.to_vec());
        let edit = || -> Result<Done> {
            let file = File::open_rw_on(shared.clone())?;
            let done = run.on(&file, target)?;
            file.close()?;
            Ok(done)
        };
        let done = edit();
        let after = shared.bytes();
        match done {
            Ok(Done::Made(detail)) => {
                self.made += 1;
                let new = out.join(format!("{}.h5", self.edited.len()));
                std::fs::write(&new, after).unwrap();
                let (old, new) = (path.display(), new.display());
                writeln!(
                    self.list,
                    "{old}\t{new}\t{verb}\t{}\t{}",
                    hex(target),
                    hex(&detail)
                )
                .unwrap();
                self.edited
                    .push((verb.to_string(), format!("{name}:{target}")));
            }
            Ok(Done::NotApplicable) => {
                self.not_applicable += 1;
                if after != bytes {
                    self.wrong.push(format!(
                        "{verb}: {name}:{target}: nothing to do, and bytes changed"
                    ));
                }
            }
            Err(error) => {
                self.refuse(verb, &name, target, &error);
                if after != bytes {
                    self.wrong.push(format!(
                        "{verb}: {name}:{target}: refused, and bytes changed: {error}"
                    ));
                }
            }
        }
    }

    fn print(&self) {
        let refused: usize = self.refused.values().map(Vec::len).sum();
        let tried = self.cases - self.not_applicable;
        println!(
            "{} cases, {} of them not applicable, {} made, {refused} refused ({:.1} %)",
            self.cases,
            self.not_applicable,
            self.made,
            100.0 * refused as f64 / tried.max(1) as f64
        );
        for ((verb, reason), which) in &self.refused {
            println!("{verb}: {} refused: {reason}", which.len());
            for which in which {
                println!("    {which}");
            }
        }
    }
}

#[test]
fn every_verb_changes_only_what_it_names_in_files_by_others() {
    let (folder, digest) = (
        support::corpus().join("foreign"),
        support::corpus().join("../tools/digest.py"),
    );
    let Some(files) = readable(&folder, &digest) else {
        support::left_out(
            "edits of the corpus",
            &format!("{} or h5py", folder.display()),
        );
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let mut report = Report::default();
    for path in &files {
        report.file(path, out.path());
    }
    println!("{} files", files.len());
    report.print();
    let list = out.path().join("list");
    std::fs::write(&list, &report.list).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus_edits.py");
    let arguments = [digest.as_os_str(), list.as_os_str()];
    let answers =
        support::run_python(&script.display().to_string(), &arguments).expect("there is a Python");
    for line in answers.lines() {
        let (number, why) = line.split_once(' ').unwrap();
        let (verb, which) = &report.edited[number.parse::<usize>().unwrap()];
        report.wrong.push(format!("{verb}: {which}: {why}"));
    }
    for wrong in &report.wrong {
        println!("WRONG {wrong}");
    }
    assert!(
        report.wrong.is_empty(),
        "{} of {} edits are wrong",
        report.wrong.len(),
        report.made
    );
    assert!(report.made > 1000, "only {} edits were made", report.made);
}
