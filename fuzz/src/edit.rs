//! Edits chosen by bytes, and what must be true of a file after each.

use crate::storage::Shared;
use crate::walk::Walk;
use h5quill::{Dataset, Datatype, ErrorKind, File, Group, H5Type, Location, Result};
use ndarray::ArrayD;

/// The script at the end of an input: this many bytes.
pub(crate) const SCRIPT: usize = 16;

/// Some objects of the file, in the order of a walk.
#[derive(Default)]
struct Found {
    groups: Vec<Group>,
    datasets: Vec<Dataset>,
    links: Vec<String>,
}

fn find(group: &Group, depth: usize, found: &mut Found) {
    found.groups.push(group.clone());
    for name in group
        .member_names()
        .unwrap_or_default()
        .into_iter()
        .take(40)
    {
        if found.links.len() > 80 {
            return;
        }
        let path = format!("{}/{name}", group.name().trim_end_matches('/'));
        found.links.push(path);
        if let Ok(data) = group.dataset(&name) {
            found.datasets.push(data);
        } else if let (Ok(child), true) = (group.group(&name), depth > 0) {
            find(&child, depth - 1, found);
        }
    }
}

fn pick<T>(from: &[T], choice: u8) -> Option<&T> {
    from.get((choice as usize).checked_rem(from.len())?)
}

fn location<'a>(found: &'a Found, choice: u8) -> Option<&'a Location> {
    match pick(&found.datasets, choice / 2) {
        Some(data) if choice % 2 == 1 => Some(data),
        _ => pick(&found.groups, choice / 2).map(|group| &**group),
    }
}

/// What comes of `next` where the type was refused.
fn of_another_type(tried: Result<()>, next: impl FnOnce() -> Result<()>) -> Result<()> {
    match tried {
        Err(error) if matches!(error.kind(), ErrorKind::TypeMismatch { .. }) => next(),
        tried => tried,
    }
}

/// One row of ones, in whatever of a few types the dataset takes.
fn append(data: &Dataset) -> Result<()> {
    let mut shape = data.shape();
    if let Some(rows) = shape.first_mut() {
        *rows = 1;
    }
    if shape.iter().product::<usize>() > 10_000 {
        return Ok(());
    }
    let appended = data.append(ArrayD::<f64>::ones(shape.clone()).view());
    let appended = of_another_type(appended, || {
        data.append(ArrayD::<f32>::ones(shape.clone()).view())
    });
    let appended = of_another_type(appended, || {
        data.append(ArrayD::<i32>::ones(shape.clone()).view())
    });
    of_another_type(appended, || {
        data.append(ArrayD::from_elem(shape, "one").view())
    })
}

fn edit(file: &File, found: &Found, verb: u8, choice: u8) -> Result<()> {
    let name = format!("new{}", choice % 5);
    let (Some(group), Some(at)) = (pick(&found.groups, choice), location(found, choice)) else {
        return Ok(());
    };
    let data = pick(&found.datasets, choice);
    match (verb % 22, data) {
        (0, _) => at.set_attr(&name, f64::from(choice)),
        (1, _) => at.set_attr(&name, "text"),
        (2, _) => match pick(&at.attr_names()?, choice) {
            Some(name) => at.delete_attr(name),
            None => Ok(()),
        },
        (3, _) => group.create_group(&name).map(drop),
        (4, _) => group
            .new_dataset::<f64>()
            .shape((0.., 3))
            .create(&name)?
            .append(&[1.0, 2.0, 3.0]),
        (5, _) => group.link_soft("/somewhere", &name),
        (6, _) => match pick(&found.links, choice.wrapping_mul(7)) {
            Some(target) => group.link_hard(target, &name),
            None => Ok(()),
        },
        (7, _) => match pick(&found.links, choice) {
            Some(path) => file.unlink(path),
            None => Ok(()),
        },
        (8 | 9, Some(data)) => append(data),
        (10, Some(data)) => {
            let half: Vec<usize> = data.shape().iter().map(|dim| dim / 2).collect();
            data.resize(&half)
        }
        (11, Some(data)) => {
            let more: Vec<usize> = data
                .shape()
                .iter()
                .map(|dim| dim.saturating_add(choice as usize % 4))
                .collect();
            data.resize(&more)
        }
        (12, Some(data)) if data.size() < 100_000 => data.write_bytes(&data.read_bytes(..)?, ..),
        (13, Some(data)) if data.size() < 100_000 && !has_references(&data.dtype()?) => {
            let mut bytes = data.read_bytes(..)?;
            if let Some(byte) = bytes.get_mut(choice as usize) {
                *byte ^= 0x55;
            }
            data.write_bytes(&bytes, ..)
        }
        (14..=16, _) => edit_link(group, &name, verb % 22, choice),
        (17, _) => match pick(&at.attr_names()?, choice) {
            Some(old) => at.rename_attr(old, &name),
            None => Ok(()),
        },
        (18, _) => at.set_comment(&name),
        (19, _) => at.clear_comment(),
        (20, _) => match pick(&found.links, choice.wrapping_mul(7)) {
            Some(source) => file.copy(source, group, &name),
            None => Ok(()),
        },
        (21, _) => group.link_external("other.h5", "/x", &name),
        _ => Ok(()),
    }
}

/// Whether other bytes may be references that lead nowhere.
fn has_references(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } => has_references(base),
        Datatype::Compound { members, .. } => members
            .iter()
            .any(|member| has_references(&member.datatype)),
        _ => false,
    }
}

/// Renames a link in its group, moves it out of it, or commits a datatype.
fn edit_link(group: &Group, name: &str, verb: u8, choice: u8) -> Result<()> {
    if verb == 16 {
        return group.commit_datatype(name, &f32::datatype()).map(drop);
    }
    match pick(&group.member_names()?, choice) {
        Some(from) if verb == 14 => group.relink(from, name),
        Some(from) => group.relink(from, &format!("moved/{name}")),
        None => Ok(()),
    }
}

/// What a fresh handle reads, of a file that is as sound as it was.
fn read(bytes: Vec<u8>) -> Vec<String> {
    let file = File::open_on(Shared::from(bytes))
        .unwrap_or_else(|error| panic!("it no longer opens: {error}"));
    let report = file.verify().expect("memory does not fail");
    assert!(report.problems.is_empty(), "no longer sound: {report}");
    Walk::once(&file).lines
}

/// Whether nothing is wrong with the file. Where structures overlap, a change of one may be damage to the other, and
/// nothing but a walk over the whole file could tell before.
fn is_sound(bytes: Vec<u8>) -> bool {
    let report = File::open_on(Shared::from(bytes)).and_then(|file| file.verify());
    report.is_ok_and(|report| report.problems.is_empty() && report.unchecked.is_empty())
}

/// Runs the script on the file.
pub(crate) fn run(bytes: Vec<u8>, script: &[u8]) {
    let shared = Shared::from(bytes.clone());
    let Ok(file) = File::open_rw_on(shared.clone()) else {
        return;
    };
    let sound = is_sound(bytes);
    for pair in script.chunks_exact(2) {
        // What the last commit freed at the end goes with the next one.
        let _ = file.flush();
        let before = shared.bytes();
        let mut found = Found::default();
        find(&file, 6, &mut found);
        let result = edit(&file, &found, pair[0], pair[1]);
        let flushed = file.flush();
        if std::env::var_os("H5QUILL_FUZZ_SAY").is_some() {
            println!("{pair:?} (sound: {sound}): {result:?}, {flushed:?}");
        }
        let after = shared.bytes();
        if let Some(error) = result.as_ref().err().or(flushed.as_ref().err())
            && matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned)
        {
            panic!("memory does not fail: {error}");
        }
        if flushed.is_err() {
            // Damage met in the middle of a change, such as a chunk that cannot be inflated: the handle stops, the file
            // is at its last commit. Only free space may have been written.
            if sound {
                let (before, after) = (read(before), read(after));
                assert!(before == after, "the last commit is gone: {result:?}");
            }
            return;
        }
        if result.is_err() && before != after {
            let first = before.iter().zip(&after).position(|(old, new)| old != new);
            let lengths = (before.len(), after.len());
            panic!("refused and yet changed at {first:?} of {lengths:?}: {result:?}");
        }
        if before != after && sound {
            let (live, fresh) = (Walk::once(&file).lines, read(after));
            let first = live.iter().zip(&fresh).find(|(live, fresh)| live != fresh);
            let lines = (live.len(), fresh.len());
            assert!(
                live == fresh,
                "after {pair:?}: {first:?} of {lines:?} lines"
            );
        }
    }
}
