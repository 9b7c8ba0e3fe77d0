//! Other files found by their names and opened by their paths.

use crate::error::{Error, ErrorKind, Result};
use crate::object::other_files::{Located, OpenOther, Purpose};
use crate::options::FileBuilder;
use crate::storage::Storage;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Finds files by their names as libhdf5 does (`H5F_prefix_open_file`, `H5D__build_file_prefix`).
#[derive(Debug)]
pub(crate) struct Paths(pub(crate) FileBuilder);

/// A file that is there, by its absolute path, and as itself.
pub(crate) fn located(path: &Path) -> Located {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let itself = std::fs::canonicalize(path).unwrap_or_else(|_| absolute.clone());
    let place = absolute.to_str().is_none();
    let place = place.then(|| Arc::new(absolute.clone()) as Arc<dyn Any + Send + Sync>);
    Located {
        name: absolute.to_string_lossy().into_owned(),
        // Two paths that are not UTF-8 may look alike.
        identity: match itself.to_str() {
            Some(text) => text.into(),
            None => format!("{itself:?}"),
        },
        place,
    }
}

/// The path of a file that was located, which need not be UTF-8.
fn path_of(file: &Located) -> PathBuf {
    let place = file.place.as_deref();
    let path = place.and_then(|place| place.downcast_ref::<PathBuf>());
    path.cloned().unwrap_or_else(|| PathBuf::from(&file.name))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The directory of a file; `None` where the file has no path.
fn directory(file: &Path) -> Option<PathBuf> {
    file.parent().map(Path::to_path_buf)
}

/// A prefix, in which `${ORIGIN}` stands for the directory of the file that names another.
fn expanded(prefix: &OsStr, from: &Path) -> Option<PathBuf> {
    const ORIGIN: &str = "${ORIGIN}";
    if prefix == "." {
        return None;
    }
    let text = prefix
        .to_str()
        .and_then(|prefix| prefix.strip_prefix(ORIGIN));
    let text = text.map(|rest| Path::new(rest.trim_start_matches(std::path::is_separator)));
    // What is not UTF-8 is taken apart as a path.
    let rest = text.or_else(|| Path::new(prefix).strip_prefix(ORIGIN).ok());
    match rest {
        Some(rest) => directory(from).map(|origin| origin.join(rest)),
        None => Some(PathBuf::from(prefix)),
    }
}

/// Where a file of this name may be, in the order of the search.
pub(super) fn candidates(from: &Path, name: &str, purpose: Purpose) -> Vec<PathBuf> {
    let path = Path::new(name);
    let mut places = Vec::new();
    if purpose == Purpose::External {
        if path.is_absolute() {
            return vec![path.to_path_buf()];
        }
        match variable("HDF5_EXTFILE_PREFIX").and_then(|prefix| expanded(&prefix, from)) {
            Some(prefix) => places.push(prefix.join(path)),
            None => places.push(path.to_path_buf()),
        }
        // Where libhdf5 finds nothing.
        places.extend(directory(from).map(|directory| directory.join(path)));
        return places;
    }
    let mut path = path.to_path_buf();
    if path.is_absolute() {
        places.push(path.clone());
        path = path.file_name().map(PathBuf::from).unwrap_or_default();
    }
    let prefixes = match purpose {
        Purpose::Virtual => variable("HDF5_VDS_PREFIX"),
        _ => variable("HDF5_EXT_PREFIX"),
    };
    if let Some(prefixes) = prefixes {
        let listed = std::env::split_paths(&prefixes);
        let listed = listed.filter(|prefix| !prefix.as_os_str().is_empty());
        places.extend(listed.map(|prefix| prefix.join(&path)));
        if purpose == Purpose::Virtual {
            places.extend(expanded(&prefixes, from).map(|prefix| prefix.join(&path)));
        }
    }
    places.extend(directory(from).map(|directory| directory.join(&path)));
    places.push(path.clone());
    if let Ok(itself) = std::fs::canonicalize(from) {
        places.extend(itself.parent().map(|directory| directory.join(&path)));
    }
    places
}

impl OpenOther for Paths {
    fn locate(&self, from: &Located, name: &str, purpose: Purpose) -> Result<Option<Located>> {
        use std::io::ErrorKind as Kind;
        for place in candidates(&path_of(from), name, purpose) {
            match std::fs::metadata(&place) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(metadata) if metadata.is_file() => return Ok(Some(located(&place))),
                // To open a pipe may wait for ever.
                Ok(_) => {
                    let error = Error::invalid("another file that is not a regular file");
                    return Err(error.file(&place.to_string_lossy()));
                }
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::NotADirectory) => {}
                Err(error) => return Err(crate::file::open_error(error, &place)),
            }
        }
        Ok(None)
    }

    fn open(&self, file: &Located, purpose: Purpose) -> Result<Option<Box<dyn Storage>>> {
        let path = &path_of(file);
        let mut options = std::fs::OpenOptions::new();
        options.read(true);
        let opened = match purpose {
            Purpose::External => options
                .open(path)
                .map(crate::storage::FileStorage::new)
                .map_err(|error| crate::file::open_error(error, path)),
            _ => self
                .0
                .lock(&options, path, true)
                .map(|(storage, _)| storage),
        };
        match opened {
            Ok(storage) => Ok(Some(Box::new(storage))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open_to_write(
        &self,
        from: &Located,
        name: &str,
    ) -> Result<Option<(Located, Box<dyn Storage>)>> {
        let found = self.locate(from, name, Purpose::External)?;
        // One that is missing is made where libhdf5 makes it.
        let first = candidates(&path_of(from), name, Purpose::External)
            .into_iter()
            .next();
        let Some(path) = found.map(|file| path_of(&file)).or(first) else {
            return Ok(None);
        };
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&path)
            .map_err(|error| crate::file::open_error(error, &path))?;
        let storage = crate::storage::FileStorage::new(file);
        Ok(Some((located(&path), Box::new(storage))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_where_libhdf5_looks() {
        let from = Path::new("/data/run/master.h5");
        let expanded = |prefix: &str, from| expanded(OsStr::new(prefix), from);
        let places = |name, purpose| candidates(from, name, purpose);
        let path = PathBuf::from;
        assert_eq!(
            places("raw/a.h5", Purpose::Virtual),
            [path("/data/run/raw/a.h5"), path("raw/a.h5")]
        );
        assert_eq!(
            places("/gone/a.h5", Purpose::Link),
            [path("/gone/a.h5"), path("/data/run/a.h5"), path("a.h5")]
        );
        assert_eq!(
            places("a.bin", Purpose::External),
            [path("a.bin"), path("/data/run/a.bin")]
        );
        assert_eq!(places("/b/a.bin", Purpose::External), [path("/b/a.bin")]);
        assert_eq!(expanded("${ORIGIN}/sub", from), Some(path("/data/run/sub")));
        assert_eq!(expanded("${ORIGIN}", from), Some(path("/data/run/")));
        assert_eq!(expanded(".", from), None);
        assert_eq!(
            candidates(Path::new(""), "a.h5", Purpose::Link),
            [path("a.h5")]
        );
    }
}
