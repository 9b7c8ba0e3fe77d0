//! The state of a file as a reader sees it: one checksum for each object, over everything the object says. The worker
//! in Python computes the same checksums from what libhdf5 reads.

use crate::{Dataset, Datatype, File, Group, Location, Result};
use std::collections::BTreeMap;

/// What a reader found: path to checksum.
pub(super) type Found = BTreeMap<String, u32>;

/// An object of a known state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) crc: u32,
    /// Where its header is.
    pub(super) addr: u64,
}

pub(super) type State = BTreeMap<String, Seen>;

pub(super) fn found(state: &State) -> Found {
    let crcs = state.iter().map(|(path, seen)| (path.clone(), seen.crc));
    crcs.collect()
}

/// Reads everything.
pub(super) fn capture(file: &File) -> Result<State> {
    let mut state = State::new();
    capture_group(&file.root(), "/", &mut state)?;
    Ok(state)
}

fn capture_group(group: &Group, path: &str, state: &mut State) -> Result<()> {
    let mut names = group.member_names()?;
    names.sort();
    let mut bytes = b"G".to_vec();
    bytes.extend(names.join("\0").into_bytes());
    finish(group, path, bytes, state)?;
    for name in names {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        match group.dataset(&name) {
            Ok(dataset) => {
                let bytes = dataset_bytes(&dataset)?;
                finish(&dataset, &path, bytes, state)?;
            }
            Err(_) => capture_group(&group.group(&name)?, &path, state)?,
        }
    }
    Ok(())
}

fn put_shape(out: &mut Vec<u8>, shape: &[usize]) {
    for &dim in shape {
        out.extend((dim as u64).to_le_bytes());
    }
}

fn put_strings(out: &mut Vec<u8>, strings: &[String]) {
    for string in strings {
        out.extend((string.len() as u32).to_le_bytes());
        out.extend(string.as_bytes());
    }
}

pub(super) fn dataset_bytes(dataset: &Dataset) -> Result<Vec<u8>> {
    let mut bytes = b"D".to_vec();
    put_shape(&mut bytes, &dataset.shape());
    if dataset.dtype()?.contains_var_len() {
        put_strings(&mut bytes, &dataset.read_raw::<String>()?);
    } else {
        bytes.extend(dataset.read_bytes(..)?);
    }
    Ok(bytes)
}

/// The attributes of an object, in the order of their names.
pub(super) fn attribute_bytes(at: &Location) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut names = at.attr_names()?;
    names.sort();
    for name in names {
        bytes.push(b'A');
        bytes.extend(name.as_bytes());
        bytes.push(0);
        let attribute = at.attr(&name)?;
        put_shape(&mut bytes, &attribute.shape());
        // Of other types only that they are there.
        match attribute.dtype()? {
            Datatype::VarLenString { .. } => put_strings(&mut bytes, &attribute.read_raw()?),
            Datatype::Integer(integer) if integer.size == 8 && integer.signed => {
                let values = attribute.read_raw::<i64>()?;
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Datatype::Float(float) if float.size == 8 => {
                let values = attribute.read_raw::<f64>()?;
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            _ => {}
        }
    }
    Ok(bytes)
}

fn finish(at: &Location, path: &str, mut bytes: Vec<u8>, state: &mut State) -> Result<()> {
    bytes.extend(attribute_bytes(at)?);
    let addr = at.object.with(|_, addr| Ok(addr.get()))?;
    let crc = crc32fast::hash(&bytes);
    state.insert(path.into(), Seen { crc, addr });
    Ok(())
}

/// Every object is exactly at one of the two commits, and objects whose headers share a sector at the same one where
/// they change `together`.
pub(super) fn compare(
    found: &Found,
    before: Option<&State>,
    after: Option<&State>,
    together: bool,
) -> Result<(), String> {
    if !found.contains_key("/") {
        return Err("no root group".into());
    }
    let mut sectors: BTreeMap<u64, (bool, &str)> = BTreeMap::new();
    for (path, &crc) in found {
        let old = before.and_then(|state| state.get(path));
        let new = after.and_then(|state| state.get(path));
        // The object may be at the commit at which its other names are, where this one came, went, or led elsewhere.
        let other_name = |state: Option<&State>, known: Option<&Seen>| {
            state.zip(known).is_some_and(|(state, known)| {
                let mut names = state.values();
                names.any(|seen| seen.addr == known.addr && seen.crc == crc)
            })
        };
        let (is_old, is_new) = (
            old.is_some_and(|seen| seen.crc == crc) || other_name(before, new),
            new.is_some_and(|seen| seen.crc == crc) || other_name(after, old),
        );
        if !is_old && !is_new {
            return Err(format!("{path} is at neither commit"));
        }
        let (Some(old), Some(new)) = (old, new) else {
            continue;
        };
        if old.crc == new.crc || old.addr != new.addr {
            continue;
        }
        let sector = old.addr / 512;
        let (other, name) = sectors.entry(sector).or_insert((is_new, path));
        if together && *other != is_new {
            return Err(format!(
                "{path} and {name} share sector {sector} but are at different commits"
            ));
        }
    }
    Ok(())
}
