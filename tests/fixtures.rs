//! Files that others wrote (`tests/fixtures`), compared with what h5py reads in them (`manifest.txt`): no Python is
//! needed to run this.

#[path = "support/dump.rs"]
mod dumper;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{
    Attribute, Dataset, Datatype, ErrorKind, File, Group, LinkKind, Location, Result, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines of the manifest that are refused as not supported. Lower it when more is read; it never grows.
const MOST_REFUSED: usize = 41;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What a file holds: path to words. `Err` is what is refused.
type Lines = BTreeMap<String, std::result::Result<String, String>>;

/// What the manifest says, for each file.
fn manifest() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut files: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in include_str!("fixtures/manifest.txt").lines() {
        let mut parts = line.splitn(3, '\t').map(str::to_string);
        let mut next = || parts.next().expect("three parts");
        let (file, path, words) = (next(), next(), next());
        files.entry(file).or_default().insert(path, words);
    }
    files
}

/// Reads everything, and notes what is refused; an error of another kind is a failure.
#[derive(Default)]
struct Reader {
    lines: Lines,
}

impl Reader {
    fn note(&mut self, path: &str, words: Result<String>) {
        let words = words.map_err(|error| match error.kind() {
            ErrorKind::Unsupported(_) | ErrorKind::TypeMismatch { .. } => error.to_string(),
            _ => panic!("{path}: {error}"),
        });
        self.lines.insert(path.into(), words);
    }

    fn group(&mut self, group: &Group, at: &str) {
        self.note(at, Ok("group".into()));
        self.attributes(group, at);
        for link in group.links().unwrap() {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let words = match link.kind() {
                LinkKind::Soft(target) => format!("soft {}", text(target)),
                LinkKind::External { file, path } => {
                    format!("external {} {}", text(file), text(path))
                }
                _ => continue,
            };
            let path = format!("{at}/{}#link", link.name().escape_debug());
            self.note(&path, Ok(words));
        }
        let names = group.member_names().unwrap();
        let escaped = names.iter().map(|name| name.escape_debug().to_string());
        self.note(
            &format!("{at}#names"),
            Ok(escaped.collect::<Vec<_>>().join(" ")),
        );
        for name in names {
            self.member(group, &name, &format!("{at}/{}", name.escape_debug()));
        }
    }

    fn member(&mut self, group: &Group, name: &str, below: &str) {
        if let Ok(child) = group.group(name) {
            return self.group(&child, below);
        }
        match group.dataset(name) {
            Ok(dataset) => {
                self.note(below, dataset_words(&dataset));
                self.note(&format!("{below}#storage"), storage_words(&dataset));
                self.attributes(&dataset, below);
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => {
                self.note(below, Ok("dangling".into()));
            }
            // Neither group nor dataset.
            Err(error) if matches!(error.kind(), ErrorKind::Invalid(_)) => {
                self.note(below, Ok("type".into()));
            }
            Err(error) => self.note(below, Err(error)),
        }
    }

    fn attributes(&mut self, at: &Location, path: &str) {
        for name in at.attr_names().unwrap() {
            let words = at
                .attr(&name)
                .and_then(|attribute| attribute_words(at, &attribute));
            self.note(&format!("{path}@{}", name.escape_debug()), words);
        }
    }
}

fn texts(values: &[String]) -> String {
    let all: String = values.iter().map(|value| format!("{value}\0")).collect();
    format!("strings {:08x}", crc32fast::hash(all.as_bytes()))
}

fn bytes_words(bytes: &[u8]) -> String {
    format!("bytes {} {:08x}", bytes.len(), crc32fast::hash(bytes))
}

/// Whether the bytes of an element name places in the file.
fn names_places(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VarLenString { .. }
        | Datatype::VarLenSequence { .. }
        | Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } => names_places(base),
        Datatype::Compound { members, .. } => {
            members.iter().any(|member| names_places(&member.datatype))
        }
        _ => false,
    }
}

fn dataset_words(dataset: &Dataset) -> Result<String> {
    let shape = dataset.shape();
    let values = match dataset.dtype()? {
        Datatype::VarLenString { .. } => texts(&dataset.read_raw::<String>()?),
        other if names_places(&other) => values_words(dataset, &dataset.read_values(..)?, &other)?,
        _ => bytes_words(&dataset.read_bytes(..)?),
    };
    Ok(format!("dataset {shape:?} {values}"))
}

fn storage_words(dataset: &Dataset) -> Result<String> {
    let python = |dims: Vec<Option<usize>>| -> String {
        let words = dims
            .iter()
            .map(|dim| dim.map_or("None".into(), |dim| dim.to_string()));
        format!("[{}]", words.collect::<Vec<_>>().join(", "))
    };
    let chunk = dataset
        .chunk()
        .map(|chunk| python(chunk.into_iter().map(Some).collect()));
    let filters: Vec<u16> = dataset.filters()?.iter().map(|filter| filter.id).collect();
    Ok(format!(
        "max {} chunk {} filters {filters:?}",
        python(dataset.maxshape()),
        chunk.unwrap_or_else(|| "None".into()),
    ))
}

/// As `manifest.py` has values that are not compared by their bytes.
fn values_words(at: &Location, values: &[Value], datatype: &Datatype) -> Result<String> {
    let text = dumper::typed(at, values, datatype)?;
    Ok(format!("values {:08x}", crc32fast::hash(text.as_bytes())))
}

fn attribute_words(at: &Location, attribute: &Attribute) -> Result<String> {
    let shape = attribute.shape();
    macro_rules! numbers {
        ($type:ty) => {{
            let values = attribute.read_raw::<$type>()?;
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            return Ok(format!("attribute {shape:?} {}", bytes_words(&bytes)));
        }};
    }
    match attribute.dtype()? {
        Datatype::Integer(integer) => match (integer.size, integer.signed) {
            (1, true) => numbers!(i8),
            (2, true) => numbers!(i16),
            (4, true) => numbers!(i32),
            (8, true) => numbers!(i64),
            (1, false) => numbers!(u8),
            (2, false) => numbers!(u16),
            (4, false) => numbers!(u32),
            _ => numbers!(u64),
        },
        Datatype::Float(float) if float.size == 4 => numbers!(f32),
        Datatype::Float(float) if float.size == 8 => numbers!(f64),
        Datatype::VarLenString { .. } => {}
        other => {
            let words = values_words(at, &attribute.read_values()?, &other)?;
            return Ok(format!("attribute {shape:?} {words}"));
        }
    }
    let values = attribute.read_raw::<String>()?;
    Ok(format!("attribute {shape:?} {}", texts(&values)))
}

fn same(found: &str, expected: &str) -> bool {
    found == expected
        // The kinds of layout have no name in the interface.
        || expected.split_once(' ').is_some_and(|(_, rest)| found == rest && rest.starts_with("max"))
}

#[test]
fn everything_in_the_fixtures_reads_as_h5py_reads_it() {
    let mut wrong = Vec::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut compared = 0;
    for (name, expected) in &manifest() {
        let mut reader = Reader::default();
        match File::open(folder().join(name)) {
            Ok(file) => reader.group(&file, ""),
            Err(error) => reader.note("", Err(error)),
        }
        // libhdf5 reads an unlimited extent of fewer than 8 bytes as a limit, or not at all.
        let narrow = |path: &&String| !name.starts_with("sizes_") || !path.starts_with("/grows");
        for (path, words) in expected.iter().filter(|(path, _)| narrow(path)) {
            match reader.lines.get(path) {
                Some(Ok(found)) if same(found, words) => compared += 1,
                Some(Ok(found)) => wrong.push(format!("{name} {path}: {found:?} is not {words:?}")),
                Some(Err(error)) => *refused.entry(error.clone()).or_default() += 1,
                None => *refused.entry(format!("{name} {path} {words}")).or_default() += 1,
            }
        }
        let known: BTreeSet<&String> = expected.keys().collect();
        let found = reader.lines.keys().filter(narrow);
        let more = found.filter(|path| !known.contains(path));
        wrong.extend(more.map(|path| format!("{name} {path}: not in the manifest")));
    }
    let count: usize = refused.values().sum();
    support::say(&format!(
        "fixtures: {compared} lines read as h5py reads them, {count} refused"
    ));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count <= MOST_REFUSED, "{count} refused: {refused:#?}");
}
