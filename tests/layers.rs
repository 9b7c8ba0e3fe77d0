//! The layers of the crate: a module imports only from lower ranks, or from siblings that are listed here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const RANKS: [(&str, u8); 41] = [
    ("error", 0),
    ("report", 0),
    ("bytes", 0),
    ("process", 0),
    ("storage", 0),
    ("user_code", 0),
    ("workers", 0),
    ("format", 1),
    ("filter", 1),
    ("chunk", 1),
    ("dtype", 1),
    ("extents", 1),
    ("selection", 1),
    ("store", 2),
    ("infra", 3),
    ("index", 4),
    ("object", 5),
    ("file", 6),
    ("group", 6),
    ("dataset", 6),
    ("appender", 6),
    ("attribute", 6),
    ("builder", 6),
    ("copy", 6),
    ("direct_chunk", 6),
    ("filters", 6),
    ("location", 6),
    ("named_datatype", 6),
    ("options", 6),
    ("reader", 6),
    ("reference", 6),
    ("region", 6),
    ("scales", 6),
    ("other_files", 6),
    ("handle", 6),
    ("types", 6),
    ("derive_support", 6),
    ("internals", 6),
    ("lib", 6),
    // Reached only through the tests.
    ("tests", 6),
    ("main", 6),
];

/// Imports among modules of ranks 0 and 1. The list has no cycle, which a test checks.
const SIBLINGS: [(&str, &str); 14] = [
    ("error", "report"),
    ("bytes", "error"),
    ("process", "error"),
    ("storage", "error"),
    ("storage", "process"),
    ("workers", "process"),
    ("user_code", "error"),
    ("storage", "user_code"),
    ("filter", "format"),
    ("dtype", "format"),
    ("chunk", "format"),
    ("chunk", "extents"),
    ("chunk", "selection"),
    ("selection", "extents"),
];

/// The rank from which on modules may know each other: the public API is one layer.
const FREE_AMONG_THEMSELVES: u8 = 6;

const MAX_LINES: usize = 700;
const MAX_FUNCTION: usize = 110;

struct Source {
    path: PathBuf,
    module: String,
    /// Without comments, and without what only tests see: cleared, so that line numbers stay.
    lines: Vec<String>,
}

fn rank(module: &str) -> Option<u8> {
    RANKS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, rank)| *rank)
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let for_tests = ["tests", "mutant", "recorder", "crash_tests"].contains(&name.as_str());
            if for_tests {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).unwrap();
                let first = relative.components().next().unwrap().as_os_str();
                let module = Path::new(first)
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let lines = without_tests(&fs::read_to_string(&path).unwrap());
                found.push(Source {
                    path: relative.to_path_buf(),
                    module,
                    lines,
                });
            }
        }
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

/// Clears comments, and each item behind `#[cfg(test)]`.
fn without_tests(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split("//").next().unwrap().to_string())
        .collect();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() == "#[cfg(test)]" {
            let end = end_of_item(&lines, at + 1);
            lines[at..=end].iter_mut().for_each(String::clear);
            at = end;
        }
        at += 1;
    }
    lines
}

/// The line on which the item that begins at `start` ends: at its closing brace, or at a semicolon before any.
fn end_of_item(lines: &[String], start: usize) -> usize {
    let mut depth = 0_i32;
    for (number, line) in lines.iter().enumerate().skip(start) {
        let mut opened = depth > 0;
        for character in line.chars() {
            match character {
                '{' | '(' | '[' => {
                    depth += 1;
                    opened |= character == '{';
                }
                '}' | ')' | ']' => depth -= 1,
                _ => {}
            }
        }
        let ended = line.trim_end().ends_with([';', ',']) || (opened && depth == 0);
        if depth == 0 && ended {
            return number;
        }
    }
    lines.len() - 1
}

/// The modules of this crate that the line of a source names, `use crate::{a::b, c}` over many lines included.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let text: String = source.lines.join("\n");
    for (at, _) in text.match_indices("crate::") {
        if at > 0 && text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        {
            continue;
        }
        let line = text[..at].matches('\n').count() + 1;
        let rest = &text[at + "crate::".len()..];
        let names: Vec<String> = match rest.strip_prefix('{') {
            Some(group) => top_level_names(group),
            None => vec![identifier(rest)],
        };
        found.extend(names.into_iter().map(|name| (line, name)));
    }
    found
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

fn top_level_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(identifier(group[start..at].trim()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(identifier(group[start..at].trim()));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Names that `lib.rs` exports stand for the module they come from.
fn exported(sources: &[Source]) -> BTreeMap<String, String> {
    let lib = sources
        .iter()
        .find(|source| source.module == "lib")
        .unwrap();
    let text = lib.lines.join(" ");
    let mut names = BTreeMap::new();
    for item in text.split(';') {
        let Some(path) = item.trim().strip_prefix("pub use ") else {
            continue;
        };
        let module = identifier(path);
        for word in path.split(|character: char| !character.is_alphanumeric() && character != '_') {
            names.insert(word.to_string(), module.clone());
        }
    }
    names
}

#[test]
fn no_module_imports_from_a_higher_rank() {
    let sources = sources();
    let exported = exported(&sources);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for source in &sources {
        let Some(own) = rank(&source.module) else {
            wrong.push(format!(
                "{}: the module {} has no rank",
                source.path.display(),
                source.module
            ));
            continue;
        };
        if source.module == "lib" {
            continue;
        }
        for (line, name) in imports(source) {
            let name = match rank(&name) {
                Some(_) => name,
                None => exported.get(&name).cloned().unwrap_or(name),
            };
            if name == source.module {
                continue;
            }
            seen += 1;
            let allowed = match rank(&name) {
                None => false,
                Some(_) if SIBLINGS.contains(&(source.module.as_str(), name.as_str())) => true,
                Some(other) => other < own || (own == other && own >= FREE_AMONG_THEMSELVES),
            };
            if !allowed {
                wrong.push(format!(
                    "src/{}:{line}: {} (rank {own}) imports {name} (rank {:?})",
                    source.path.display(),
                    source.module,
                    rank(&name)
                ));
            }
        }
    }
    assert!(seen > 150, "imports were found: {seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_allowed_imports_among_siblings_form_no_cycle() {
    fn reaches(from: &str, to: &str, left: usize) -> bool {
        left > 0
            && SIBLINGS
                .iter()
                .any(|(user, used)| *user == from && (*used == to || reaches(used, to, left - 1)))
    }
    for (module, _) in RANKS {
        assert!(
            !reaches(module, module, SIBLINGS.len()),
            "{module} imports itself"
        );
    }
}

#[test]
fn files_and_functions_are_short_enough_to_be_read() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source
            .lines
            .iter()
            .filter(|line| !line.trim().is_empty())
            .count();
        if lines > MAX_LINES {
            wrong.push(format!("src/{}: {lines} lines", source.path.display()));
        }
        for (number, line) in source.lines.iter().enumerate() {
            let mut words = line.split_whitespace();
            if !words.any(|word| word == "fn") || line.trim_end().ends_with(';') {
                continue;
            }
            let end = end_of_item(&source.lines, number);
            let len = end + 1 - number;
            if len > MAX_FUNCTION {
                wrong.push(format!(
                    "src/{}:{}: {len} lines: {}",
                    source.path.display(),
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_is_forbidden_in_the_whole_crate() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    assert!(lib.lines().any(|line| line == "#![forbid(unsafe_code)]"));
}

#[test]
fn only_the_named_places_use_the_standard_library() {
    let allowed = [
        "storage/file.rs",
        "handle.rs",
        "handle/background.rs",
        "options.rs",
        "options/unfinished.rs",
        "other_files/paths.rs",
        "process.rs",
        "user_code.rs",
        "file.rs",
        "filter/deflate/pool.rs",
        "workers.rs",
        "workers/spares.rs",
    ];
    for source in sources() {
        let path = source.path.to_string_lossy().replace('\\', "/");
        for (number, line) in source.lines.iter().enumerate() {
            // `From<std::io::Error>` in error.rs is the bridge to it.
            // Nor is a crate whose name ends in these letters the standard library.
            let mut found = line.match_indices("std::");
            let word = |before: char| before.is_alphanumeric() || before == '_';
            if found.any(|(at, _)| !line[..at].ends_with(word))
                && !allowed.contains(&path.as_str())
                && !line.contains("std::io::Error")
            {
                panic!("src/{path}:{}: {}", number + 1, line.trim());
            }
        }
    }
}

#[test]
fn the_reader_of_sources_sees_imports_and_skips_tests() {
    let text = "use crate::{a::B, c::{d, e}};\n// crate::no::X\n#[cfg(test)]\nmod tests {\n    use crate::hidden::Y;\n}\nfn f() { crate::g::h() }\n";
    let source = Source {
        path: PathBuf::new(),
        module: String::new(),
        lines: without_tests(text),
    };
    let names: Vec<(usize, String)> = imports(&source);
    let expected = [(1, "a"), (1, "c"), (7, "g")].map(|(line, name)| (line, name.to_string()));
    assert_eq!(names, expected);
}
