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
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use storage::Shared;
use verbs::{Done, Run, Targets, VERBS};

/// Files are edited and judged by so many at a time.
const WORKERS: usize = 2;

/// Fixtures whose superblock extension edits keep up to date, which no file of the corpus has: it says where the file ends
/// beside managers of free space, and where the table of shared messages is.
const EXTENDED: [&str; 4] = [
    "fsm_persist.h5",
    "page_persist.h5",
    "shared_list.h5",
    "shared_tree.h5",
];

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
    /// How many of each verb were made.
    verbs: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

/// A Python that judges edits, a line for a line.
struct Judge {
    child: Child,
    lines: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    fn new(digest: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus_edits.py");
        let mut child = Command::new(support::python().expect("there is a Python"))
            .arg(script)
            .arg(digest)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        Self {
            lines: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// What is wrong with an edit; nothing is an empty line.
    fn judge(&mut self, line: &str) -> String {
        writeln!(self.lines, "{line}").expect("the judge listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "the judge is gone at {line}");
        answer.trim_end().into()
    }

    fn end(mut self) {
        drop(self.lines);
        assert!(self.child.wait().unwrap().success(), "the judge failed");
    }
}

/// What takes files one after the other, and what came of them.
struct Worker {
    report: Report,
    judge: Judge,
    /// Where an edited file is written.
    edited: PathBuf,
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

    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.made += other.made;
        self.not_applicable += other.not_applicable;
        self.wrong.extend(other.wrong);
        for (verb, made) in other.verbs {
            *self.verbs.entry(verb).or_default() += made;
        }
        for (key, which) in other.refused {
            self.refused.entry(key).or_default().extend(which);
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
        for (verb, made) in &self.verbs {
            println!("{verb}: {made} made");
        }
        for ((verb, reason), which) in &self.refused {
            println!("{verb}: {} refused: {reason}", which.len());
            for which in which {
                println!("    {which}");
            }
        }
    }
}

impl Worker {
    fn file(&mut self, path: &Path) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        let targets = match File::open_memory(bytes.clone()) {
            Ok(file) => Targets::of(&file, 12),
            Err(error) => {
                self.report.cases += 1;
                self.report.refuse("open", &name, "", &error);
                return;
            }
        };
        for (verb, run) in VERBS {
            // A walk over a large file takes long.
            let most = if bytes.len() > 300_000 { 1 } else { usize::MAX };
            for target in targets.paths(run).into_iter().take(most) {
                self.edit(path, &bytes, (verb, run), &target);
            }
        }
    }

    fn edit(&mut self, path: &Path, bytes: &[u8], (verb, run): (&'static str, &Run), target: &str) {
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
        let report = &mut self.report;
        report.cases += 1;
        let wrong = match done {
            Ok(Done::Made(detail)) => {
                report.made += 1;
                *report.verbs.entry(verb).or_default() += 1;
                std::fs::write(&self.edited, after).unwrap();
                let (old, new) = (path.display(), self.edited.display());
                let (target, detail) = (hex(target), hex(&detail));
                self.judge
                    .judge(&format!("{old}\t{new}\t{verb}\t{target}\t{detail}"))
            }
            Ok(Done::NotApplicable) => {
                report.not_applicable += 1;
                match after == bytes {
                    true => String::new(),
                    false => "nothing to do, and bytes changed".into(),
                }
            }
            Err(error) => {
                report.refuse(verb, &name, target, &error);
                match after == bytes {
                    true => String::new(),
                    false => format!("refused, and bytes changed: {error}"),
                }
            }
        };
        if !wrong.is_empty() {
            report
                .wrong
                .push(format!("{verb}: {name}:{target}: {wrong}"));
        }
    }
}

#[test]
fn every_verb_changes_only_what_it_names_in_files_by_others() {
    let (folder, digest) = (
        support::corpus().join("foreign"),
        support::corpus().join("../tools/digest.py"),
    );
    let Some(mut files) = readable(&folder, &digest) else {
        support::left_out(
            "edits of the corpus",
            &format!("{} or h5py", folder.display()),
        );
        return;
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    files.extend(EXTENDED.map(|name| fixtures.join(name)));
    // The largest first.
    files.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    println!("{} files", files.len());
    let out = tempfile::tempdir().unwrap();
    let (left, report) = (Mutex::new(files), Mutex::new(Report::default()));
    std::thread::scope(|scope| {
        for number in 0..WORKERS {
            let (left, report, digest) = (&left, &report, &digest);
            let edited = out.path().join(format!("{number}.h5"));
            scope.spawn(move || {
                let mut worker = Worker {
                    report: Report::default(),
                    judge: Judge::new(digest),
                    edited,
                };
                let next = || left.lock().unwrap().pop();
                while let Some(path) = next() {
                    worker.file(&path);
                }
                worker.judge.end();
                report.lock().unwrap().add(worker.report);
            });
        }
    });
    let report = report.into_inner().unwrap();
    report.print();
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
