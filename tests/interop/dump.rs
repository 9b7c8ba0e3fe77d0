//! Everything that a file holds, a line each, as `dump.py` says it too.

use h5quill::{Attribute, Dataset, Datatype, ErrorKind, Group, Location, Result};
use std::fmt::Write as _;

/// A line for every group, dataset, attribute and soft link that is reached through hard links.
pub fn dump(root: &Group) -> Result<String> {
    let mut out = String::new();
    walk(root, "", &mut out, 0)?;
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n"))
}

fn line(out: &mut String, path: &str, what: &str) {
    writeln!(out, "{}\t{what}", path.escape_debug()).unwrap();
}

fn is_unsupported(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unsupported(_) | ErrorKind::TypeMismatch { .. }
    )
}

fn walk(group: &Group, path: &str, out: &mut String, depth: usize) -> Result<()> {
    line(out, path, "group");
    attributes(group, path, out)?;
    if depth > 60 {
        return Ok(());
    }
    for name in group.member_names()? {
        let below = format!("{path}/{name}");
        match group.dataset(&name) {
            Ok(dataset) => {
                dataset_line(&dataset, &below, out)?;
                attributes(&dataset, &below, out)?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => {
                line(out, &below, "dangling")
            }
            Err(error) if is_unsupported(error.kind()) => line(out, &below, "unsupported"),
            Err(_) => match group.group(&name) {
                Ok(group) => walk(&group, &below, out, depth + 1)?,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Invalid(_))
                        || is_unsupported(error.kind()) =>
                {
                    line(out, &below, "unsupported");
                }
                Err(error) => return Err(error),
            },
        }
    }
    Ok(())
}

fn texts(values: &[String]) -> String {
    let mut all = String::new();
    for value in values {
        all += value;
        all.push('\0');
    }
    format!("strings {:08x}", crc32fast::hash(all.as_bytes()))
}

fn dataset_line(dataset: &Dataset, path: &str, out: &mut String) -> Result<()> {
    let shape = dataset.shape();
    let values = match dataset.dtype()? {
        Datatype::VarLenString { .. } => dataset.read_raw::<String>().map(|values| texts(&values)),
        other if has_heap(&other) => {
            line(out, path, "unsupported");
            return Ok(());
        }
        _ => dataset
            .read_bytes(..)
            .map(|bytes| format!("bytes {} {:08x}", bytes.len(), crc32fast::hash(&bytes))),
    };
    match values {
        Ok(values) => line(out, path, &format!("dataset {shape:?} {values}")),
        Err(error) if is_unsupported(error.kind()) => line(out, path, "unsupported"),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether the bytes of an element name places in the file.
fn has_heap(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::VarLenString { .. }
        | Datatype::VarLenSequence { .. }
        | Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } => has_heap(base),
        Datatype::Compound { members, .. } => {
            members.iter().any(|member| has_heap(&member.datatype))
        }
        _ => false,
    }
}

fn attributes(location: &Location, path: &str, out: &mut String) -> Result<()> {
    for name in location.attr_names()? {
        let at = format!("{path}@{name}");
        let values = location
            .attr(&name)
            .and_then(|attribute| attribute_values(&attribute));
        match values {
            Ok(values) => line(out, &at, &values),
            Err(error) if is_unsupported(error.kind()) => line(out, &at, "unsupported"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn attribute_values(attribute: &Attribute) -> Result<String> {
    let datatype = attribute.dtype()?;
    let shape = attribute.shape();
    macro_rules! numbers {
        ($($type:ty),*) => {$(
            if let Ok(values) = attribute.read_raw::<$type>() {
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                return Ok(format!("attribute {shape:?} bytes {} {:08x}", bytes.len(), crc32fast::hash(&bytes)));
            }
        )*};
    }
    match datatype {
        Datatype::VarLenString { .. } => {
            let values = attribute.read_raw::<String>()?;
            Ok(format!("attribute {shape:?} {}", texts(&values)))
        }
        _ => {
            numbers!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);
            Ok("unsupported".into())
        }
    }
}
