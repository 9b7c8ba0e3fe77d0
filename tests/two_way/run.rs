//! One script: its turns, applied to the file and to the model.

use crate::model::{self, Link, Model, Node, Part, create, empty, join, json, random_spec, slice};
use crate::state::{Numbers, Value, resized};
use crate::storage::Shared;
use crate::worker::Worker;
use h5quill::{ErrorKind, File, LinkKind, Location};
use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What one of the two does before the other goes on.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Who, and how it ends.
    pub how: u16,
    pub operations: Vec<(u8, u64)>,
}

/// How the files that h5py makes are made.
const STARTS: &[&str] = &[
    r#"{"libver": "earliest"}"#,
    r#"{"libver": ["v108", "v108"]}"#,
    r#"{"libver": ["v110", "v110"]}"#,
    r#"{"libver": ["v112", "v112"]}"#,
    r#"{"libver": ["v114", "v114"]}"#,
    r#"{"libver": "latest"}"#,
    r#"{"libver": "earliest", "track_order": true}"#,
    r#"{"libver": "latest", "track_order": true}"#,
    r#"{"libver": "earliest", "userblock_size": 512}"#,
    r#"{"libver": "latest", "userblock_size": 1024}"#,
    r#"{"libver": ["v110", "v110"], "fs_strategy": "page", "fs_page_size": 512}"#,
    r#"{"libver": ["v110", "v110"], "fs_strategy": "page", "fs_page_size": 4096, "fs_persist": true}"#,
    r#"{"libver": ["v110", "v110"], "fs_strategy": "fsm", "fs_persist": true}"#,
    r#"{"libver": ["v110", "v110"], "fs_strategy": "aggregate"}"#,
];

/// How h5py opens a file; what it makes depends on it.
const OPENS: &[&str] = &[
    r#"{}"#,
    r#"{"libver": ["earliest", "latest"]}"#,
    r#"{"libver": ["v108", "latest"]}"#,
    r#"{"libver": ["v110", "latest"]}"#,
    r#"{"libver": "latest"}"#,
];

const EXTRAS: &[&str] = &[
    "type",
    "typed",
    "sequences",
    "mixed",
    "references",
    "virtual",
    "lzf",
    "null",
];

/// What was done, over all scripts.
#[derive(Debug, Default)]
pub struct Counts {
    turns: usize,
    operations: usize,
    commits: usize,
    /// What this library refused, and how often.
    refused: BTreeMap<String, usize>,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.turns += other.turns;
        self.operations += other.operations;
        self.commits += other.commits;
        for (why, count) in &other.refused {
            *self.refused.entry(why.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} turns, {} operations, {} commits; refused:",
            self.turns, self.operations, self.commits
        )?;
        self.refused
            .iter()
            .try_for_each(|(why, count)| write!(f, " {why} ({count});"))
    }
}

/// A file, and what it must hold.
pub struct Run<'a> {
    worker: &'a mut Worker,
    counts: &'a mut Counts,
    path: PathBuf,
    storage: Shared,
    /// Open in a turn of this library.
    file: Option<File>,
    /// The operations of a turn of h5py.
    lines: Option<String>,
    model: Model,
    /// What a death leaves.
    committed: Model,
    seed: u32,
    name: usize,
    /// What was done to the file, for the message of a failure.
    log: String,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            crate::support::say(&format!("--- what was done:\n{}---", self.log));
        }
    }
}

impl<'a> Run<'a> {
    pub fn script(
        worker: &'a mut Worker,
        folder: &Path,
        counts: &'a mut Counts,
        start: u8,
        turns: &[Turn],
    ) {
        let start = usize::from(start) % (STARTS.len() * 4 / 3);
        let tracked = STARTS
            .get(start)
            .is_some_and(|options| options.contains("track_order"));
        let model = Model::new(tracked);
        let mut run = Self {
            worker,
            counts,
            path: folder.join("two-way.h5"),
            storage: Shared::default(),
            file: None,
            lines: None,
            committed: model.clone(),
            model,
            seed: 0,
            name: 0,
            log: String::new(),
        };
        match STARTS.get(start) {
            Some(options) => {
                let lines = format!("start\t{}\t{options}\n", run.path.display());
                run.ask(&lines);
                run.storage = Shared::from(std::fs::read(&run.path).unwrap());
            }
            None => {
                File::create_on(run.storage.clone())
                    .unwrap()
                    .close()
                    .unwrap();
                std::fs::write(&run.path, run.storage.bytes()).unwrap();
            }
        }
        for turn in turns {
            run.turn(turn);
        }
        let _ = std::fs::remove_file(&run.path);
    }

    fn turn(&mut self, turn: &Turn) {
        self.counts.turns += 1;
        if let Some(kept) = std::env::var_os("H5QUILL_TWO_WAY_KEEP") {
            std::fs::write(kept, self.storage.bytes()).unwrap();
        }
        let how = usize::from(turn.how);
        if how.is_multiple_of(2) {
            self.lines = Some(format!(
                "turn\t{}\t{}\n",
                self.path.display(),
                OPENS[how / 2 % OPENS.len()]
            ));
            for (operation, seed) in &turn.operations {
                self.step(*operation, &mut Numbers(*seed));
            }
            let lines = self.lines.take().expect("h5py's turn");
            let listing = self.ask(&lines);
            self.learn(&listing);
            self.compare(&listing);
            self.storage = Shared::from(std::fs::read(&self.path).unwrap());
            self.committed = self.model.clone();
        } else {
            if !self.open() {
                return;
            }
            for (operation, seed) in &turn.operations {
                self.step(*operation, &mut Numbers(*seed));
            }
            self.finish(how / 2 % 4);
            std::fs::write(&self.path, self.storage.bytes()).unwrap();
            let listing = self.ask(&format!("list\t{}\n", self.path.display()));
            self.compare(&listing);
        }
        self.check();
    }

    /// Opens the file for a turn of this library, unless that is refused.
    fn open(&mut self) -> bool {
        match File::open_rw_on(self.storage.clone()) {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                self.refused(&error, "open_rw");
                return false;
            }
        }
        true
    }

    fn finish(&mut self, how: usize) {
        let file = self.file.take().expect("our turn");
        match how {
            0 => file.close().unwrap(),
            1 => drop(file),
            2 => {
                file.sync().unwrap();
                self.storage = Shared::from(self.storage.bytes());
            }
            // Killed: what was not committed is lost.
            _ => {
                self.storage = Shared::from(self.storage.bytes());
                self.model = self.committed.clone();
            }
        }
        self.committed = self.model.clone();
    }

    fn ask(&mut self, lines: &str) -> Vec<String> {
        self.log += lines;
        match self.worker.ask(lines) {
            Ok(lines) => lines,
            Err(error) => panic!("{error}"),
        }
    }

    /// What h5py says of the objects that this library does not read is what it must say from now on.
    fn learn(&mut self, listing: &[String]) {
        let said: BTreeMap<&str, &str> = listing
            .iter()
            .filter_map(|line| line.strip_prefix("X\t")?.split_once('\t'))
            .collect();
        for (id, path) in self.model.walk() {
            if let Node::Extra(words) = &mut self.model.object(id).node
                && words.is_empty()
            {
                *words = (*said
                    .get(path.as_str())
                    .unwrap_or_else(|| panic!("{path} is not there")))
                .into();
            }
        }
    }

    fn compare(&self, listing: &[String]) {
        let expected = self.model.listing();
        let missing: Vec<_> = expected
            .iter()
            .filter(|line| !listing.contains(line))
            .collect();
        let more: Vec<_> = listing
            .iter()
            .filter(|line| !expected.contains(line))
            .collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "h5py reads {more:#?}, not {missing:#?}"
        );
    }

    /// Reads everything with this library.
    fn check(&mut self) {
        let file = match File::open_on(self.storage.clone()) {
            Ok(file) => file,
            Err(error) => return self.refused(&error, "open"),
        };
        let report = file.verify().unwrap();
        assert!(report.is_sound(), "{report}");
        for (id, path) in self.model.walk() {
            let object = self.model.objects[id].as_ref().expect("walked");
            let attributes = |at: &Location| {
                let mut names = at.attr_names().unwrap();
                names.sort();
                assert_eq!(
                    names,
                    object.attributes.keys().cloned().collect::<Vec<_>>(),
                    "{path}"
                );
                object
                    .attributes
                    .iter()
                    .for_each(|(name, value)| value.check(at, name));
            };
            match &object.node {
                Node::Group { links, .. } => {
                    let group = file.group(&path).unwrap();
                    assert_eq!(
                        group.member_names().unwrap(),
                        self.model.names(id),
                        "{path}"
                    );
                    assert_eq!(group.len().unwrap(), links.len(), "{path}");
                    attributes(&group);
                    for (name, link) in links {
                        let info = group.link(name).unwrap().unwrap();
                        let kind = match link {
                            Link::Hard(_) => LinkKind::Hard,
                            Link::Soft(target) => LinkKind::Soft(target.as_bytes().to_vec()),
                        };
                        assert_eq!(info.kind(), &kind, "{path} {name}");
                        if let Link::Soft(target) = link {
                            let there = group.exists(name).unwrap_or(false);
                            assert_eq!(
                                there,
                                self.model.resolve(target, 15).is_some(),
                                "{path} {name}"
                            );
                        }
                    }
                }
                Node::Dataset(spec, array) => {
                    let dataset = file
                        .dataset(&path)
                        .unwrap_or_else(|error| panic!("{error}"));
                    model::check_values(&dataset, spec, array, &path);
                    attributes(&dataset);
                }
                Node::Extra(_) => {
                    assert!(file.exists(&path).unwrap(), "{path}");
                    if let Ok(dataset) = file.dataset(&path) {
                        attributes(&dataset);
                    }
                }
            }
        }
    }

    fn refused(&mut self, error: &h5quill::Error, what: &str) {
        match error.kind() {
            ErrorKind::Unsupported(why) => {
                *self
                    .counts
                    .refused
                    .entry(format!("{what}: {why}"))
                    .or_default() += 1;
            }
            _ => panic!("{what}: {error}"),
        }
    }

    /// Does something with whoever has the turn; whether it was done.
    fn act(
        &mut self,
        what: &str,
        line: &str,
        ours: impl FnOnce(&File) -> h5quill::Result<()>,
    ) -> bool {
        self.counts.operations += 1;
        if let Some(lines) = &mut self.lines {
            *lines += line;
            *lines += "\n";
            return true;
        }
        self.log += &format!("ours: {line}\n");
        let result = ours(self.file.as_ref().expect("our turn"));
        if let Err(error) = &result {
            self.refused(error, what);
        }
        result.is_ok()
    }

    fn step(&mut self, operation: u8, numbers: &mut Numbers) {
        match operation {
            0..=4 => self.create_group(numbers),
            5..=18 => self.create_dataset(numbers),
            19..=33 => self.append(numbers),
            34..=43 => self.resize(numbers),
            44..=57 => self.write(numbers),
            58..=68 => self.set_attribute(numbers),
            69..=72 => self.delete_attribute(numbers),
            73..=78 => self.link(numbers),
            79..=83 => self.unlink(numbers),
            84..=86 => self.move_link(numbers),
            87..=89 => self.rename_attribute(numbers),
            90..=92 => self.extra(numbers),
            93..=94 => self.copy(numbers),
            95..=97 => self.flush(),
            _ => self.reopen(),
        }
    }

    fn pick(list: Vec<(usize, String)>, numbers: &mut Numbers) -> Option<(usize, String)> {
        (!list.is_empty()).then(|| list[numbers.below(list.len())].clone())
    }

    fn seeds(&mut self, shape: &[usize]) -> (u32, ArrayD<u32>) {
        let first = self.seed + 1;
        let array = ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            self.seed += 1;
            self.seed
        });
        (first, array)
    }

    /// A group, and a name that is free in it.
    fn new_place(&mut self, numbers: &mut Numbers) -> (usize, String, String) {
        let (parent, path) = Self::pick(self.model.groups(), numbers).expect("the root group");
        self.name += 1;
        let earlier = numbers.below(self.name);
        let number = if numbers.one_in(6) {
            earlier
        } else {
            self.name
        };
        let mut name = match number % 5 {
            0 => format!("n\u{e4}me {number}"),
            1 => format!("{number}{}", "long".repeat(number * 7 % 80)),
            _ => format!("n{number}"),
        };
        if self.model.find(parent, &name).is_some() {
            name = format!("again {}", self.name);
        }
        let full = join(&path, &name);
        (parent, name, full)
    }

    fn create_group(&mut self, numbers: &mut Numbers) {
        let (parent, name, path) = self.new_place(numbers);
        let tracked = self.lines.is_some() && numbers.one_in(3);
        let line = format!("group\t{path}\t{}", u8::from(tracked));
        if self.act("create_group", &line, |file| {
            file.create_group(&path).map(drop)
        }) {
            let id = self.model.add(Node::Group {
                tracked,
                links: Vec::new(),
            });
            self.model.link(parent, &name, Link::Hard(id));
        }
    }

    fn create_dataset(&mut self, numbers: &mut Numbers) {
        let (parent, name, path) = self.new_place(numbers);
        let mut spec = random_spec(numbers);
        let resizable = spec
            .dims
            .iter()
            .zip(&spec.max)
            .any(|(dim, max)| *max != Some(*dim));
        let chunked = resizable
            || spec.shuffle
            || spec.deflate.is_some()
            || spec.fletcher
            || spec.layout == 3;
        if self.lines.is_some() && chunked && spec.chunk.is_none() {
            spec.chunk = Some(
                spec.max
                    .iter()
                    .map(|max| (1 + numbers.below(7)).min(max.unwrap_or(7)))
                    .collect(),
            );
        }
        if self.lines.is_some() {
            // What h5py has no words for, and what libhdf5 does not make.
            spec.fill = if matches!(spec.kind, 5 | 6) {
                0
            } else {
                spec.fill
            };
        }
        // Refused by both libraries where the elements are of variable length.
        spec.fletcher &= spec.kind != 7;
        let flag = u8::from;
        let some = |values: &[usize]| json(values.iter().copied().map(Some));
        let line = format!(
            "dataset\t{path}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            spec.kind,
            flag(spec.big),
            some(&spec.dims),
            json(spec.max.iter().copied()),
            spec.chunk.as_deref().map_or("null".into(), some),
            flag(spec.shuffle),
            spec.deflate
                .map_or("null".into(), |level| level.to_string()),
            flag(spec.fletcher),
            spec.fill,
            flag(spec.early),
            spec.layout,
        );
        if self.act("create", &line, |file| create(&spec, &file.root(), &path)) {
            let array = empty(&spec);
            let id = self.model.add(Node::Dataset(spec, array));
            self.model.link(parent, &name, Link::Hard(id));
        }
    }

    fn append(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let (spec, array) = self.model.dataset(id);
        let (spec, dims) = (spec.clone(), array.shape().to_vec());
        let growing: Vec<usize> = (0..dims.len())
            .filter(|&axis| spec.max[axis].is_none_or(|max| max > dims[axis]))
            .collect();
        if growing.is_empty() {
            return;
        }
        let axis = growing[numbers.below(growing.len())];
        let room = spec.max[axis].map_or(usize::MAX, |max| max - dims[axis]);
        let count = [1, 1, 2, 5, 23][numbers.below(5)].min(room);
        let mut grown = dims.clone();
        grown[axis] += count;
        self.resize_to(id, &path, &grown);
        let part: Part = grown
            .iter()
            .enumerate()
            .map(|(at, &dim)| (if at == axis { dims[axis] } else { 0 }, dim, 1))
            .collect();
        self.write_part(id, &path, &part);
    }

    fn resize(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let (spec, array) = self.model.dataset(id);
        let chunked = spec
            .dims
            .iter()
            .zip(&spec.max)
            .any(|(dim, max)| *max != Some(*dim));
        if array.ndim() == 0 || !chunked {
            return;
        }
        let longest = [0, 300, 40, 9, 6][array.ndim()];
        let dims: Vec<usize> = array
            .shape()
            .iter()
            .zip(&spec.max)
            .map(|(dim, max)| match numbers.below(4) {
                0 => *dim,
                1 => numbers.below(dim + 1),
                _ => numbers.below(longest).min(max.unwrap_or(usize::MAX)),
            })
            .collect();
        self.resize_to(id, &path, &dims);
    }

    fn resize_to(&mut self, id: usize, path: &str, dims: &[usize]) {
        let line = format!("resize\t{path}\t{}", json(dims.iter().copied().map(Some)));
        if self.act("resize", &line, |file| file.dataset(path)?.resize(dims)) {
            let (spec, array) = self.model.dataset(id);
            *array = resized(array, dims, spec.fill);
        }
    }

    fn write(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let whole = numbers.one_in(4);
        let (_, array) = self.model.dataset(id);
        let part: Part = array
            .shape()
            .iter()
            .map(|&dim| {
                let start = numbers.below(dim + 1);
                let end = if numbers.one_in(2) {
                    dim
                } else {
                    start + numbers.below(dim - start + 1)
                };
                if whole {
                    (0, dim, 1)
                } else {
                    (start, end, 1 + numbers.below(3) * numbers.below(3))
                }
            })
            .collect();
        self.write_part(id, &path, &part);
    }

    fn write_part(&mut self, id: usize, path: &str, part: &Part) {
        let (spec, array) = self.model.dataset(id);
        let kind = spec.kind;
        // A resize that was refused leaves no such part.
        if part
            .iter()
            .zip(array.shape())
            .any(|(axis, dim)| axis.1 > *dim)
        {
            return;
        }
        let shape = array.slice_each_axis(slice(part)).shape().to_vec();
        let (first, values) = self.seeds(&shape);
        let axes: Vec<String> = part
            .iter()
            .map(|(start, end, step)| format!("[{start},{end},{step}]"))
            .collect();
        let line = format!(
            "write\t{path}\t{kind}\t[{}]\t{}\t{first}",
            axes.join(","),
            json(shape.iter().copied().map(Some))
        );
        if self.act("write", &line, |file| {
            model::write(&file.dataset(path)?, kind, part, &values)
        }) {
            let (_, array) = self.model.dataset(id);
            array.slice_each_axis_mut(slice(part)).assign(&values);
        }
    }

    /// An object, as this library opens it.
    fn at<T>(
        file: &File,
        path: &str,
        run: impl FnOnce(&Location) -> h5quill::Result<T>,
    ) -> h5quill::Result<T> {
        match file.group(path) {
            Ok(group) => run(&group),
            Err(_) => {
                let dataset = file.dataset(path)?;
                run(&dataset)
            }
        }
    }

    /// An object that has attributes for whoever has the turn: a committed datatype is nothing that this library opens.
    fn carrier(&mut self, numbers: &mut Numbers) -> Option<(usize, String)> {
        let (id, path) = Self::pick(self.model.walk(), numbers)?;
        let opens = self
            .file
            .as_ref()
            .is_none_or(|file| Self::at(file, &path, |_| Ok(())).is_ok());
        opens.then_some((id, path))
    }

    fn set_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = self.carrier(numbers) else {
            return;
        };
        let name = format!("attribute {}", numbers.below(14));
        let value = Value::random(numbers);
        let words = match &value {
            Value::Number(value) => format!("number\t{value}"),
            Value::Real(value) => format!("real\t{value}"),
            Value::Flag(value) => format!("flag\t{}", u8::from(*value)),
            Value::Text(value) => format!("text\t{value}"),
            Value::Texts(values) => format!("texts\t{}", values.join("\x01")),
            Value::List(values) => format!("list\t{values:?}"),
        };
        let line = format!("attr\t{path}\t{name}\t{words}");
        if self.act("set_attr", &line, |file| {
            Self::at(file, &path, |at| value.set(at, &name))
        }) {
            self.model.object(id).attributes.insert(name, value);
        }
    }

    fn delete_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = self.carrier(numbers) else {
            return;
        };
        let names: Vec<String> = self.model.object(id).attributes.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = &names[numbers.below(names.len())];
        let line = format!("delattr\t{path}\t{name}");
        if self.act("delete_attr", &line, |file| {
            Self::at(file, &path, |at| at.delete_attr(name))
        }) {
            self.model.object(id).attributes.remove(name);
        }
    }

    fn rename_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = self.carrier(numbers) else {
            return;
        };
        let names: Vec<String> = self.model.object(id).attributes.keys().cloned().collect();
        let new = format!("attribute {}", 14 + numbers.below(99));
        if names.is_empty() || names.contains(&new) {
            return;
        }
        let name = &names[numbers.below(names.len())];
        let line = format!("renameattr\t{path}\t{name}\t{new}");
        if self.act("rename_attr", &line, |file| {
            Self::at(file, &path, |at| at.rename_attr(name, &new))
        }) {
            let attributes = &mut self.model.object(id).attributes;
            let value = attributes.remove(name).expect("the name is there");
            attributes.insert(new, value);
        }
    }

    fn link(&mut self, numbers: &mut Numbers) {
        let (group, name, path) = self.new_place(numbers);
        let Some((target, to)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let soft = numbers.one_in(2) || self.model.reaches(target, group);
        let line = format!("{}\t{to}\t{path}", if soft { "soft" } else { "hard" });
        let done = self.act("link", &line, |file| {
            if soft {
                file.link_soft(&to, &path)
            } else {
                file.link_hard(&to, &path)
            }
        });
        if done {
            let link = if soft {
                Link::Soft(to)
            } else {
                Link::Hard(target)
            };
            self.model.link(group, &name, link);
        }
    }

    /// A link that there is: its group, name and path.
    fn some_link(&mut self, numbers: &mut Numbers) -> Option<(usize, String, String)> {
        let (group, path) = Self::pick(self.model.groups(), numbers)?;
        let names = self.model.names(group);
        let name = names.get(numbers.below(names.len()))?;
        Some((group, name.clone(), join(&path, name)))
    }

    fn unlink(&mut self, numbers: &mut Numbers) {
        let Some((group, name, path)) = self.some_link(numbers) else {
            return;
        };
        if self.act("unlink", &format!("unlink\t{path}"), |file| {
            file.unlink(&path)
        }) {
            self.model.unlink(group, &name);
        }
    }

    fn move_link(&mut self, numbers: &mut Numbers) {
        let Some((from, name, old)) = self.some_link(numbers) else {
            return;
        };
        let (to, last, new) = self.new_place(numbers);
        let below = matches!(self.model.find(from, &name), Some(Link::Hard(id)) if self.model.reaches(*id, to));
        if below {
            return;
        }
        let line = format!("move\t{old}\t{new}");
        if self.act("relink", &line, |file| file.relink(&old, &new)) {
            let link = self.model.take(from, &name);
            if let Link::Hard(id) = link {
                self.model.object(id).hard_links -= 1;
            }
            self.model.link(to, &last, link);
        }
    }

    fn copy(&mut self, numbers: &mut Numbers) {
        let Some((id, from)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let (group, name, to) = self.new_place(numbers);
        if self.model.objects.len() > 60 || self.model.reaches(id, group) {
            return;
        }
        let line = format!("copy\t{from}\t{to}");
        if self.act("copy", &line, |file| file.copy(&from, &file.root(), &to)) {
            let id = self.model.copy(id, &mut BTreeMap::new());
            self.model.link(group, &name, Link::Hard(id));
        }
    }

    fn extra(&mut self, numbers: &mut Numbers) {
        if self.lines.is_none() {
            return;
        }
        let (parent, name, path) = self.new_place(numbers);
        let kind = EXTRAS[numbers.below(EXTRAS.len())];
        if self.act("extra", &format!("extra\t{path}\t{kind}"), |_| Ok(())) {
            let id = self.model.add(Node::Extra(String::new()));
            self.model.link(parent, &name, Link::Hard(id));
        }
    }

    fn flush(&mut self) {
        if self.act("flush", "flush", File::flush) {
            self.counts.commits += 1;
            self.committed = self.model.clone();
        }
    }

    fn reopen(&mut self) {
        if let Some(lines) = &mut self.lines {
            *lines += "reopen\n";
            return;
        }
        self.file.take().expect("our turn").close().unwrap();
        self.committed = self.model.clone();
        assert!(self.open(), "a file that was edited opens to be edited");
    }
}
