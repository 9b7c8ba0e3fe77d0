//! What a reader finds in a file, link by link: the commits that an image may show are compared with it object by object,
//! whatever paths lead to them. An object is known again by the address of its header and by the number that the
//! workload gave it as `id`, since an address may be taken by another object later.

use super::state::{attribute_bytes, dataset_bytes};
use crate::storage::MemoryStorage;
use crate::{File, Group, LinkKind, Location, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Which object: the address of its header, and the number that the workload gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) addr: u64,
    pub(super) id: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Object(Identity),
    /// A link that is not hard, by the checksum of what it says.
    Other(u32),
}

/// What an object says, but for its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) crc: u32,
    /// A path that leads to it.
    pub(super) path: String,
    pub(super) links: BTreeMap<String, Target>,
    /// How many hard links it says that it has; only libhdf5 tells.
    count: Option<u64>,
}

pub(super) type View = BTreeMap<Identity, Object>;

/// What our reader finds.
pub(super) fn view_of(bytes: &[u8]) -> std::result::Result<View, String> {
    File::open_on(MemoryStorage::from(bytes.to_vec()))
        .and_then(|file| view_file(&file))
        .map_err(|error| format!("cannot be read: {error}"))
}

pub(super) fn view_file(file: &File) -> Result<View> {
    let mut view = View::new();
    visit_group(&file.root(), "", &mut view)?;
    Ok(view)
}

fn insert(at: &Location, kind: &[u8], path: &str, view: &mut View) -> Result<Identity> {
    let id = match at.attr_exists("id")? {
        true => at.attr("id")?.read_scalar::<i64>().ok(),
        false => None,
    };
    let addr = at.object.with(|_, addr| Ok(addr.get()))?;
    let identity = Identity { addr, id };
    let mut bytes = kind.to_vec();
    bytes.extend(attribute_bytes(at)?);
    view.entry(identity).or_insert(Object {
        crc: crc32fast::hash(&bytes),
        path: path.into(),
        links: BTreeMap::new(),
        count: None,
    });
    Ok(identity)
}

fn visit_group(group: &Group, path: &str, view: &mut View) -> Result<Identity> {
    let identity = insert(group, b"G", path, view)?;
    let mut links = BTreeMap::new();
    for link in group.links()? {
        let name = link.name().into_owned();
        let target = match link.kind() {
            LinkKind::Hard => Target::Object(visit(group, &name, path, view)?),
            LinkKind::Soft(text) => Target::Other(crc32fast::hash(text)),
            other => Target::Other(crc32fast::hash(format!("{other:?}").as_bytes())),
        };
        links.insert(name, target);
    }
    if let Some(object) = view.get_mut(&identity) {
        object.links = links;
    }
    Ok(identity)
}

fn visit(group: &Group, name: &str, path: &str, view: &mut View) -> Result<Identity> {
    let path = format!("{path}/{name}");
    match group.dataset(name) {
        Ok(dataset) => insert(&dataset, &dataset_bytes(&dataset)?, &path, view),
        Err(_) => visit_group(&group.group(name)?, &path, view),
    }
}

/// What libhdf5 found, from the lines of the worker: address, `id`, checksum, count of links, kind, path.
pub(super) fn parse(text: &str) -> std::result::Result<View, String> {
    let mut view = View::new();
    let mut at: BTreeMap<String, Identity> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let bad = || format!("not a line of the worker: {line}");
        let words: Vec<&str> = line.trim_start().splitn(6, ' ').collect();
        let [addr, id, crc, count, kind, path] = words[..] else {
            return Err(bad());
        };
        let number = |word: &str| word.parse::<u64>().map_err(|_| bad());
        let crc = u32::try_from(number(crc)?).map_err(|_| bad())?;
        let target = match kind {
            "L" => Target::Other(crc),
            _ => {
                let identity = Identity {
                    addr: number(addr)?,
                    id: id.parse().ok(),
                };
                view.entry(identity).or_insert(Object {
                    crc,
                    path: path.into(),
                    links: BTreeMap::new(),
                    count: Some(number(count)?),
                });
                at.insert(path.into(), identity);
                Target::Object(identity)
            }
        };
        let Some((parent, name)) = path.rsplit_once('/').filter(|(_, name)| !name.is_empty())
        else {
            continue;
        };
        let parent = if parent.is_empty() { "/" } else { parent };
        let parent = at
            .get(parent)
            .and_then(|parent| view.get_mut(parent))
            .ok_or_else(bad)?;
        parent.links.insert(name.into(), target);
    }
    Ok(view)
}

/// Compares what was found in an image with the states it may show: every object is as one of them has it, every link
/// too, what all of them have is there, and no object counts fewer links than lead to it.
/// Links may be there that a commit keeps while objects change places: a session that changes the file takes them out.
pub(super) fn judge(found: &View, states: &[&View]) -> std::result::Result<(), String> {
    let Some(first) = states.first() else {
        return Err("no state to compare with".into());
    };
    for (identity, object) in found {
        let known: Vec<&Object> = states
            .iter()
            .filter_map(|state| state.get(identity))
            .collect();
        if known.is_empty() {
            return Err(format!(
                "{}: no commit has this object ({identity:?})",
                object.path
            ));
        }
        if known.iter().all(|known| known.crc != object.crc) {
            return Err(format!("{} is at neither commit", object.path));
        }
        for (name, target) in &object.links {
            if name.starts_with("h5quill moving ") {
                continue;
            }
            if known
                .iter()
                .all(|known| known.links.get(name) != Some(target))
            {
                return Err(format!("{}/{name}: no commit has this link", object.path));
            }
        }
        for (name, target) in &known[0].links {
            let everywhere = known.len() == states.len()
                && known
                    .iter()
                    .all(|known| known.links.get(name) == Some(target));
            if everywhere && object.links.get(name) != Some(target) {
                return Err(format!(
                    "{}/{name}: a link that all commits have is lost",
                    object.path
                ));
            }
        }
    }
    for (identity, object) in *first {
        let everywhere = states.iter().all(|state| state.contains_key(identity));
        if everywhere && !found.contains_key(identity) {
            let paths: BTreeSet<&str> = states
                .iter()
                .map(|state| state[identity].path.as_str())
                .collect();
            return Err(format!(
                "the object of all commits at {paths:?} is lost ({object:?})"
            ));
        }
    }
    counts_enough(found)
}

fn counts_enough(found: &View) -> std::result::Result<(), String> {
    let mut links: BTreeMap<Identity, u64> = BTreeMap::new();
    for object in found.values() {
        for target in object.links.values() {
            if let Target::Object(identity) = target {
                *links.entry(*identity).or_default() += 1;
            }
        }
    }
    for (identity, links) in links {
        let Some(object) = found.get(&identity) else {
            continue;
        };
        if object.count.is_some_and(|count| count < links) {
            return Err(format!(
                "{} counts fewer links than the {links} that lead to it",
                object.path
            ));
        }
    }
    Ok(())
}
