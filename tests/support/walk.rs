//! Reads everything a file holds, and gives a line of text for each thing found.
#![allow(dead_code, reason = "each program uses a part of it")]

use h5quill::{Dataset, File, Group, Location};
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// Datasets that would be longer in memory are not read: their size is what the caller asks for.
const READ_UP_TO: usize = 1 << 18;

/// What a walk found; its lines are compared, so that an edit is seen to change nothing else.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Objects left to look at.
    left: usize,
    /// The addresses of the objects found: one with several names, or above itself, is read once.
    seen: HashSet<u64>,
    /// Reads in other ways, too, that only have to end.
    all_ways: bool,
    /// A line for each object and attribute: its path and what was read.
    pub(crate) lines: Vec<String>,
}

fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A value or that there is none: the words of an error may name places, which an edit may change.
fn outcome<T: Hash>(result: h5quill::Result<T>) -> String {
    match result {
        Ok(value) => format!("{:016x}", digest(value)),
        Err(_) => "error".into(),
    }
}

impl Walk {
    /// Everything, up to a bound on the number of objects, in all ways of reading.
    pub(crate) fn of(file: &File) -> Self {
        Self::with(file, true)
    }

    /// Everything, up to a bound on the number of objects, once.
    pub(crate) fn once(file: &File) -> Self {
        Self::with(file, false)
    }

    fn with(file: &File, all_ways: bool) -> Self {
        let mut walk = Self {
            left: 300,
            all_ways,
            ..Self::default()
        };
        walk.group(file, 12);
        walk
    }

    /// Whether the object is new to the walk.
    fn enter(&mut self, at: &Location) -> bool {
        let address = at.reference().map(|reference| reference.address());
        let new = address.is_ok_and(|address| self.seen.insert(address));
        if !new {
            self.lines.push(format!("{}: again", at.name()));
        }
        new
    }

    fn attributes(&mut self, at: &Location) {
        let all_ways = self.all_ways;
        for name in at.attr_names().unwrap_or_default().into_iter().take(50) {
            let attribute = at.attr(&name);
            let line = attribute.map(|attribute| {
                let dtype = attribute.dtype().map(|dtype| dtype.to_string());
                let values = attribute.read_values().map(|values| format!("{values:?}"));
                if all_ways {
                    let _ = (attribute.read_raw::<String>(), attribute.read_raw::<f64>());
                }
                format!(
                    "{} {:?} {}",
                    outcome(dtype),
                    attribute.shape(),
                    outcome(values)
                )
            });
            self.lines.push(format!("{}@{name}: {line:?}", at.name()));
        }
    }

    fn dataset(&mut self, data: &Dataset) {
        if !self.enter(data) {
            return;
        }
        let shape = data.shape();
        let elements = shape
            .iter()
            .try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        let size = data.dtype().map_or(0, |dtype| dtype.size() as usize);
        let bytes = elements.and_then(|elements| elements.checked_mul(size.max(1)));
        let mut line = format!(
            "{}: {shape:?} {:?} {:?} {} {:?}",
            data.name(),
            data.maxshape(),
            data.chunk(),
            outcome(data.dtype().map(|dtype| dtype.to_string())),
            data.filters().map(|filters| filters.len()).ok(),
        );
        let _ = data.num_chunks();
        if bytes.is_some_and(|bytes| bytes <= READ_UP_TO) {
            let values = data.read_values(..);
            line += &format!(" {}", outcome(values.map(|values| format!("{values:?}"))));
            if self.all_ways {
                let _ = (data.read_bytes(..), data.read_raw::<String>());
                let _ = data.read_raw::<f64>();
            }
        }
        self.lines.push(line);
        self.attributes(data);
    }

    fn group(&mut self, group: &Group, depth: usize) {
        if !self.enter(group) {
            return;
        }
        self.attributes(group);
        let names = group.member_names().map_err(|_| ());
        self.lines.push(format!(
            "{}: {:?} {:?}",
            group.name(),
            names,
            group.len().ok()
        ));
        if depth == 0 {
            return;
        }
        for name in names.unwrap_or_default().into_iter().take(100) {
            let Some(left) = self.left.checked_sub(1) else {
                return;
            };
            self.left = left;
            if let Ok(data) = group.dataset(&name) {
                self.dataset(&data);
            } else if let Ok(child) = group.group(&name) {
                self.group(&child, depth - 1);
            } else {
                self.lines.push(format!("{}/{name}: neither", group.name()));
            }
        }
    }
}
