//! What reaches the kernel, seen from outside: a process of ours writes under `strace`, and the file is rebuilt from the
//! trace alone, as it was after every system call and as a loss of power may leave it. Each such image holds every object
//! as the last commit that had returned had it, or as the next one has it.

#![cfg(target_os = "linux")]

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

#[path = "outside_trace/trace.rs"]
mod trace;

use h5quill::storage::MemoryStorage;
use h5quill::{File, Group, LinkKind, Location, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use trace::{Image, Level, Trace};

/// Says to the test of this program that is traced what it is to do, and where.
const WORK: &str = "H5QUILL_TRACED_WORK";

/// The images of one workload that h5py reads, at most.
const READ_BY_H5PY: usize = 150;

// What is written.

/// A file whose commits are told on standard output, where the trace sees them.
struct Traced {
    file: File,
    next_id: i64,
}

impl Traced {
    fn commit(&self, level: Level, what: &str) -> Result<()> {
        match level {
            Level::Flush => self.file.flush()?,
            Level::Sync => self.file.sync()?,
        }
        self.tell(level, what)
    }

    /// One write of one line.
    fn tell(&self, level: Level, what: &str) -> Result<()> {
        let state = describe(&self.file)?;
        let line = format!("{}{level:?}\t{what}\t{state}\n", trace::MARK);
        let mut output = std::io::stdout().lock();
        output.write_all(line.as_bytes()).expect("a pipe");
        output.flush().expect("a pipe");
        Ok(())
    }

    fn give_id(&mut self, at: &Location) -> Result<()> {
        self.next_id += 1;
        at.set_attr("id", self.next_id)
    }

    fn new_numbers(&mut self, path: &str) -> Result<()> {
        let made = self.file.new_dataset::<i64>().shape(0..).chunk(16);
        let made = made.create(path)?;
        self.give_id(&made)?;
        made.append(&[self.next_id; 3])
    }

    fn new_group(&mut self, path: &str) -> Result<()> {
        let made = self.file.create_group(path)?;
        self.give_id(&made)
    }
}

/// Two datasets of numbers and one of strings grow together.
fn growing(path: &Path) -> Result<()> {
    let file = File::create(path)?;
    let mut traced = Traced { file, next_id: 0 };
    for name in ["one", "two"] {
        traced.new_numbers(name)?;
    }
    let lines = traced.file.new_dataset::<String>().shape(0..).chunk(8);
    let lines = lines.create("lines")?;
    traced.give_id(&lines)?;
    traced.commit(Level::Sync, "the first")?;
    for round in 0..20_i64 {
        let numbers: Vec<i64> = (0..7 + round).collect();
        traced.file.dataset("one")?.append(&numbers)?;
        traced.file.dataset("two")?.append(&numbers[..3])?;
        lines.append(&[format!("line {round}"), "l".repeat(round as usize)])?;
        traced.commit(Level::Sync, "rows, one sector")?;
    }
    // More objects than have room in one sector.
    for number in 0..12_i64 {
        traced.new_numbers(&format!("more {number}"))?;
    }
    traced.commit(Level::Sync, "new objects")?;
    for _ in 0..8 {
        for number in 0..12_i64 {
            let more = traced.file.dataset(&format!("more {number}"))?;
            more.append(&[number; 5])?;
        }
        lines.append(&["another".to_string()])?;
        traced.commit(Level::Sync, "rows, several sectors")?;
    }
    Ok(())
}

fn begin_moves(traced: &mut Traced) -> Result<()> {
    for group in ["a", "b", "d"] {
        traced.new_group(group)?;
        for number in 0..6 {
            traced.new_numbers(&format!("{group}/x{number} of {group}"))?;
        }
    }
    Ok(())
}

/// Moves into another group and back, swaps, moves through the root; and new objects.
fn some_moves(traced: &mut Traced, levels: &[Level]) -> Result<()> {
    for round in 0..12_usize {
        let level = levels[round % levels.len()];
        let file = traced.file.clone();
        let what = match round % 4 {
            0 => {
                file.relink("a/x0 of a", "b/moved")?;
                "a move"
            }
            1 => {
                file.relink("b/moved", "a/x0 of a")?;
                file.relink("d/x1 of d", &format!("in the root {round}"))?;
                file.relink(&format!("in the root {round}"), "d/x1 of d")?;
                file.relink("d/x2 of d", "for a while")?;
                "a move into the root"
            }
            2 => {
                file.relink("for a while", "d/x2 of d")?;
                file.relink("a/x3 of a", "between")?;
                file.relink("b/x3 of b", "a/x3 of a")?;
                file.relink("between", "b/x3 of b")?;
                "a swap"
            }
            _ => {
                traced.new_numbers(&format!("b/new {round}"))?;
                let changed = file.dataset("b/x4 of b")?;
                changed.set_attr("changed", round as i64)?;
                changed.append(&[round as i64; 4])?;
                "new objects and rows, nothing moves"
            }
        };
        traced.commit(level, what)?;
    }
    Ok(())
}

fn moves(path: &Path) -> Result<()> {
    let file = File::create(path)?;
    let mut traced = Traced { file, next_id: 0 };
    begin_moves(&mut traced)?;
    traced.commit(Level::Sync, "the first")?;
    some_moves(&mut traced, &[Level::Sync, Level::Flush, Level::Sync])
}

fn file_of_h5py(path: &Path) -> Result<()> {
    let file = File::open_rw(path)?;
    let mut traced = Traced { file, next_id: 0 };
    traced.tell(Level::Sync, "as h5py left it")?;
    begin_moves(&mut traced)?;
    traced.commit(Level::Sync, "new objects")?;
    for round in 0..6_i64 {
        let dataset = traced.file.dataset("a/x1 of a")?;
        dataset.append(&[round; 3])?;
        traced.commit(Level::Sync, "rows of one dataset")?;
    }
    some_moves(&mut traced, &[Level::Sync])
}

/// Not a test: the process that is traced.
#[test]
#[ignore = "run by the other test in a process of its own"]
fn the_process_that_is_traced() {
    let work = std::env::var(WORK).expect("work");
    let (name, path) = work.split_once(' ').expect("a name and a path");
    let path = Path::new(path);
    match name {
        "growing" => growing(path),
        "moves" => moves(path),
        _ => file_of_h5py(path),
    }
    .expect("the work");
}

// What is found.

fn content(at: &Location, kind: String) -> Result<String> {
    Ok(match at.attr_exists("changed")? {
        true => format!("{kind}:{}", at.attr("changed")?.read_scalar::<i64>()?),
        false => kind,
    })
}

fn line(at: &Location, path: &str, kind: String, lines: &mut Vec<String>) -> Result<()> {
    let id = match at.attr_exists("id")? {
        true => at.attr("id")?.read_scalar::<i64>()?.to_string(),
        false => "-".into(),
    };
    lines.push(format!("{id}\t{path}\t{}", content(at, kind)?));
    Ok(())
}

fn visit(group: &Group, path: &str, lines: &mut Vec<String>) -> Result<()> {
    for link in group.links()? {
        if *link.kind() != LinkKind::Hard {
            continue;
        }
        let name = link.name().into_owned();
        let below = format!("{path}/{name}");
        if let Ok(group) = group.group(&name) {
            line(&group, &below, "group".into(), lines)?;
            visit(&group, &below, lines)?;
            continue;
        }
        let dataset = group.dataset(&name)?;
        let bytes = if let Ok(texts) = dataset.read_raw::<String>() {
            texts
                .iter()
                .flat_map(|text| [text.as_bytes(), b"\n"].concat())
                .collect()
        } else if let Ok(values) = dataset.read_raw::<i64>() {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        } else if let Ok(values) = dataset.read_raw::<f64>() {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        } else {
            Vec::new()
        };
        let shape: Vec<String> = dataset.shape().iter().map(usize::to_string).collect();
        let crc = crc32fast::hash(&bytes);
        let kind = format!("dataset({}):{crc}", shape.join(","));
        line(&dataset, &below, kind, lines)?;
    }
    Ok(())
}

/// Every object: its number, a path and what it holds.
fn describe(file: &File) -> Result<String> {
    let mut lines = Vec::new();
    visit(&file.root(), "", &mut lines)?;
    Ok(lines.join("\u{b}"))
}

/// The objects by number, or by path where they have none: at which paths, and what they hold.
type State = BTreeMap<String, (BTreeSet<String>, String)>;

fn state(text: &str) -> std::result::Result<State, String> {
    let mut state = State::new();
    for line in text.split('\u{b}').filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split('\t').collect();
        let [id, path, content] = parts[..] else {
            return Err(format!("no line of an object: {line}"));
        };
        // A link that a commit keeps while objects change places.
        if path.contains("/h5quill moving ") {
            state
                .entry(id.into())
                .or_insert_with(|| (BTreeSet::new(), content.into()));
            continue;
        }
        let key = if id == "-" { path } else { id };
        let entry = state
            .entry(key.into())
            .or_insert_with(|| (BTreeSet::new(), content.into()));
        entry.0.insert(path.into());
    }
    Ok(state)
}

/// What an image may show is what the commits before and after it told.
fn judge(found: &str, commits: &[State], commit: usize) -> std::result::Result<(), String> {
    let found = state(found)?;
    let may_be = &commits[commit..commits.len().min(commit + 2)];
    for (key, (paths, content)) in &found {
        let known: Vec<_> = may_be.iter().filter_map(|state| state.get(key)).collect();
        if known.iter().all(|(_, known)| known != content) {
            return Err(format!(
                "{key} at {paths:?} is at neither commit: {content}"
            ));
        }
        let at_neither = |path: &&String| known.iter().all(|(known, _)| !known.contains(*path));
        if let Some(path) = paths.iter().find(at_neither) {
            return Err(format!("{key} is at {path}, where no commit has it"));
        }
    }
    for key in may_be[0].keys() {
        if may_be.iter().all(|state| state.contains_key(key)) && !found.contains_key(key) {
            return Err(format!("{key} of both commits is lost"));
        }
    }
    Ok(())
}

/// Whether `strace` is there and may trace.
fn strace() -> Option<PathBuf> {
    let strace = support::tool("strace")?;
    let mut probe = Command::new(&strace);
    probe.args(["-o", "/dev/null", "true"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        support::left_out("the outside trace", "permission to trace a process");
        return None;
    }
    Some(strace)
}

fn traced(strace: &Path, name: &str, directory: &Path, start: &[u8]) -> Trace {
    let (path, log) = (
        directory.join(format!("{name}.h5")),
        directory.join("trace"),
    );
    if !start.is_empty() {
        std::fs::write(&path, start).expect("a file");
    }
    let mut command = Command::new(strace);
    command
        .args(["-f", "-xx", "-s", "100000000", "-e"])
        .arg(format!("trace={}", trace::CALLS))
        .arg("-o")
        .arg(&log)
        .arg(std::env::current_exe().expect("a test has a path"))
        .args(["--exact", "the_process_that_is_traced", "--ignored"])
        .env(WORK, format!("{name} {}", path.display()));
    support::run(command);
    let text = std::fs::read_to_string(&log).expect("a trace");
    let trace = Trace::parse(&text, &path.display().to_string(), start);
    // The trace has all that was written.
    assert_eq!(trace.last(), std::fs::read(&path).expect("the file"));
    trace
}

#[derive(Default)]
struct Counts {
    after_calls: usize,
    without_power: usize,
    read_by_h5py: usize,
}

fn judge_trace(name: &str, trace: &Trace, directory: &Path) -> Counts {
    let told: Vec<_> = trace.told();
    let commits: Vec<State> = told
        .iter()
        .map(|told| state(&told.state).expect("a state"))
        .collect();
    let mut counts = Counts::default();
    let mut images = trace.after_calls();
    counts.after_calls = images.len();
    if told.iter().all(|told| told.level == Level::Sync) {
        let without = trace.without_power();
        counts.without_power = without.len();
        images.extend(without);
    }
    for image in &images {
        let found = File::open_on(MemoryStorage::from(image.bytes.clone()))
            .and_then(|file| describe(&file))
            .unwrap_or_else(|error| panic!("{name}, {}: {error}", image.origin));
        if let Err(error) = judge(&found, &commits, image.commit) {
            panic!("{name}, commit {}, {}: {error}", image.commit, image.origin);
        }
    }
    let stride = images.len().div_ceil(READ_BY_H5PY);
    let chosen: Vec<&Image> = images.iter().step_by(stride).collect();
    let folder = directory.join(format!("{name} images"));
    std::fs::create_dir(&folder).expect("a directory");
    for (number, image) in chosen.iter().enumerate() {
        std::fs::write(folder.join(number.to_string()), &image.bytes).expect("an image");
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/outside_trace/describe.py"
    );
    let Some(said) = support::run_python(script, &[folder.as_os_str()]) else {
        return counts;
    };
    let said: Vec<&str> = said.split('\n').collect();
    assert_eq!(said.len(), chosen.len() + 1);
    for (image, found) in chosen.iter().zip(said) {
        if let Err(error) = judge(found, &commits, image.commit) {
            let origin = &image.origin;
            panic!("{name}, h5py, commit {}, {origin}: {error}", image.commit);
        }
        counts.read_by_h5py += 1;
    }
    counts
}

/// How often the calls of each kind of commit synced the file: "2" or "2 to 3".
fn say_syncs(name: &str, trace: &Trace) -> BTreeMap<String, (usize, usize)> {
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for told in trace.told() {
        let kind = format!("{:?}, {}", told.level, told.what);
        let range = kinds.entry(kind).or_insert((told.syncs, told.syncs));
        *range = (range.0.min(told.syncs), range.1.max(told.syncs));
    }
    for (kind, (least, most)) in &kinds {
        support::say(&format!("{name}: {kind}: {least} to {most} fdatasync"));
    }
    kinds
}

#[test]
fn every_image_that_the_kernel_saw_shows_the_last_commit_or_the_next() {
    let Some(strace) = strace() else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let foreign = include_bytes!("golden/crash_foreign.h5");
    let works: [(&str, &[u8]); 3] = [("growing", &[]), ("moves", &[]), ("h5py", foreign)];
    for (name, start) in works {
        let trace = traced(&strace, name, directory, start);
        let kinds = say_syncs(name, &trace);
        let flushed = kinds.iter().filter(|(kind, _)| kind.starts_with("Flush"));
        for (kind, (_, most)) in flushed {
            assert_eq!(*most, 0, "{kind} syncs");
        }
        let synced = kinds.iter().filter(|(kind, _)| kind.starts_with("Sync"));
        for (kind, (least, _)) in synced {
            assert!(*least > 0 || kind.ends_with("as h5py left it"), "{kind}");
        }
        let counts = judge_trace(name, &trace, directory);
        support::say(&format!(
            "{name}: {} images after system calls, {} of losses of power, {} read by h5py, 0 wrong",
            counts.after_calls, counts.without_power, counts.read_by_h5py
        ));
        assert!(counts.after_calls > 50, "{}", counts.after_calls);
    }
}
