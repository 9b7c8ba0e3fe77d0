//! The log of `strace`, and the file as the kernel had it after each of its lines.

use std::collections::{BTreeMap, BTreeSet};

/// How the line of a commit begins that the traced process writes to its standard output.
pub(crate) const MARK: &str = "a commit: ";

/// All calls that may change a file, but for those of a mapping.
pub(crate) const CALLS: &str = "openat,open,creat,close,dup,dup2,dup3,pwrite64,pwritev,pwritev2,write,writev,ftruncate,fallocate,\
    fdatasync,fsync,sync_file_range,copy_file_range,sendfile,lseek";

const SECTOR: usize = 512;

/// How a commit was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Flush,
    Sync,
}

/// What the process told after a commit, and how often it synced the file for it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) level: Level,
    pub(crate) what: String,
    pub(crate) state: String,
    pub(crate) syncs: usize,
}

#[derive(Debug)]
enum Event {
    Write { at: usize, bytes: Vec<u8> },
    SetLen(usize),
    Sync,
    Told(Told),
}

/// One state of the file.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    /// The last commit that had been told.
    pub(crate) commit: usize,
    pub(crate) origin: String,
}

#[derive(Debug)]
pub(crate) struct Trace {
    start: Vec<u8>,
    events: Vec<Event>,
}

/// The bytes of a string as `-xx` writes it.
fn bytes(text: &str) -> Vec<u8> {
    let inside = text.trim().trim_matches('"');
    let digits = inside.split("\\x").skip(1);
    digits
        .map(|digits| u8::from_str_radix(digits, 16).expect("two digits"))
        .collect()
}

fn number(text: &str) -> usize {
    text.trim().parse().expect("a number")
}

/// The lines with their calls whole: what another thread cut in two is put together where it ends.
fn whole_lines(text: &str) -> Vec<String> {
    const CUT: &str = " <unfinished ...>";
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let (process, call) = line.split_once(' ').expect("a process");
        let call = call.trim_start();
        if let Some(first) = call.strip_suffix(CUT) {
            begun.insert(process, first);
        } else if call.starts_with("<... ") {
            let first = begun.remove(process).expect("a beginning");
            let (_, rest) = call.split_once(" resumed>").expect("a rest");
            lines.push(format!("{first}{rest}"));
        } else {
            lines.push(call.into());
        }
    }
    lines
}

fn told(line: &str, syncs: usize) -> Told {
    let parts: Vec<&str> = line.trim_end().splitn(3, '\t').collect();
    let [level, what, state] = parts[..] else {
        panic!("not the line of a commit: {line}");
    };
    Told {
        level: match level {
            "Flush" => Level::Flush,
            _ => Level::Sync,
        },
        what: what.into(),
        state: state.into(),
        syncs,
    }
}

impl Trace {
    /// Reads the trace of a process that wrote the file at `path`, which was `start`.
    pub(crate) fn parse(text: &str, path: &str, start: &[u8]) -> Self {
        let mut events = Vec::new();
        let mut ours = BTreeSet::new();
        let mut syncs = 0;
        for line in whole_lines(text) {
            let Some((name, rest)) = line.split_once('(') else {
                // The end of the process.
                continue;
            };
            let (arguments, result) = rest.rsplit_once(" = ").expect("a result");
            let arguments = arguments.trim_end().trim_end_matches(')');
            let arguments: Vec<&str> = arguments.split(", ").collect();
            let failed = result.starts_with('-') || result.starts_with('?');
            if failed {
                continue;
            }
            let returned = result.split(' ').next().expect("a word");
            if name == "openat" || name == "open" {
                let at = usize::from(name == "openat");
                if bytes(arguments[at]) == path.as_bytes() {
                    ours.insert(returned.to_string());
                    if arguments
                        .iter()
                        .any(|argument| argument.contains("O_TRUNC"))
                    {
                        events.push(Event::SetLen(0));
                    }
                }
                continue;
            }
            let file = arguments[0];
            if name == "write" && file == "1" {
                let text = bytes(arguments[1]);
                // The frame of the tests may have left the beginning of a line.
                let text = String::from_utf8_lossy(&text);
                if let Some((_, line)) = text.split_once(MARK) {
                    events.push(Event::Told(told(line, syncs)));
                    syncs = 0;
                }
            }
            if !ours.contains(file) {
                continue;
            }
            match name {
                "close" => {
                    ours.remove(file);
                }
                "pwrite64" => {
                    let mut bytes = bytes(arguments[1]);
                    assert_eq!(bytes.len(), number(arguments[2]), "the trace has all bytes");
                    bytes.truncate(number(returned));
                    let at = number(arguments[3]);
                    events.push(Event::Write { at, bytes });
                }
                "ftruncate" => events.push(Event::SetLen(number(arguments[1]))),
                "fdatasync" | "fsync" => {
                    syncs += 1;
                    events.push(Event::Sync);
                }
                "lseek" => {}
                other => panic!("a call that the trace does not know: {other}"),
            }
        }
        Self {
            start: start.into(),
            events,
        }
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        let told = |event: &Event| match event {
            Event::Told(told) => Some(told.clone()),
            _ => None,
        };
        self.events.iter().filter_map(told).collect()
    }

    /// The file at the end.
    pub(crate) fn last(&self) -> Vec<u8> {
        let mut file = self.start.clone();
        for event in &self.events {
            apply(&mut file, event);
        }
        file
    }

    /// The file after each call that changed it, from the first commit on.
    pub(crate) fn after_calls(&self) -> Vec<Image> {
        let (mut file, mut told, mut images) = (self.start.clone(), 0, Vec::new());
        for (number, event) in self.events.iter().enumerate() {
            told += usize::from(matches!(event, Event::Told(_)));
            let changed = apply(&mut file, event);
            if changed && told > 0 {
                images.push(Image {
                    bytes: file.clone(),
                    commit: told - 1,
                    origin: format!("after call {number}"),
                });
            }
        }
        images
    }

    /// What a loss of power may leave at each call: any of the sectors that were written since the last sync, and the old or
    /// the new length.
    pub(crate) fn without_power(&self) -> Vec<Image> {
        let (mut told, mut images) = (0, Vec::new());
        let mut safe = self.start.clone();
        let mut file = safe.clone();
        let mut pending: Vec<usize> = Vec::new();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for (number, event) in self.events.iter().enumerate() {
            match event {
                Event::Told(_) => told += 1,
                Event::Sync => {
                    pending.clear();
                    safe.clone_from(&file);
                }
                _ => pending.push(number),
            }
            if !apply(&mut file, event) || told == 0 {
                continue;
            }
            for share in [10, 50, 90] {
                for round in 0..2 {
                    images.push(Image {
                        bytes: self.lose(&safe, &pending, share, &mut random),
                        commit: told - 1,
                        origin: format!("no power after call {number}, {share} %, {round}"),
                    });
                }
            }
        }
        images
    }

    fn lose(&self, safe: &[u8], pending: &[usize], share: u64, random: &mut u64) -> Vec<u8> {
        let mut chance = |share: u64| {
            *random ^= *random << 13;
            *random ^= *random >> 7;
            *random ^= *random << 17;
            (*random >> 33) % 100 < share
        };
        let mut file = safe.to_vec();
        for number in pending {
            match &self.events[*number] {
                Event::SetLen(len) if chance(share) => file.resize(*len, 0),
                Event::Write { at, bytes } => {
                    let mut done = 0;
                    while done < bytes.len() {
                        let sector_end = ((at + done) / SECTOR + 1) * SECTOR;
                        let end = (sector_end - at).min(bytes.len());
                        if chance(share) {
                            write(&mut file, at + done, &bytes[done..end]);
                        }
                        done = end;
                    }
                }
                _ => {}
            }
        }
        file
    }
}

fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Whether it changes the file.
fn apply(file: &mut Vec<u8>, event: &Event) -> bool {
    match event {
        Event::Write { at, bytes } => write(file, *at, bytes),
        Event::SetLen(len) => file.resize(*len, 0),
        Event::Sync | Event::Told(_) => return false,
    }
    true
}
