//! Who judges an image: this crate's reader, libhdf5 through h5py, a walk that looks for overlaps, and an edit of the
//! image by this crate and then by libhdf5.

use super::Rng;
use super::images::Image;
use super::state::{Found, State, capture, compare, found};
use super::support;
use crate::storage::MemoryStorage;
use crate::{Dataset, ErrorKind, File, Group, SliceOrIndex};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// h5py reads all images of files with up to so many objects, and of larger ones as many objects in the mean.
const H5PY_READS_ALL: usize = 12;

/// What the worker runs.
const PROGRAM: &str = concat!(include_str!("stock.py"), include_str!("worker.py"));

/// libhdf5 in a process of its own.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    /// Where it puts images.
    _folder: tempfile::TempDir,
}

impl Worker {
    /// `None` where there is no Python with h5py.
    pub(super) fn start() -> Option<Self> {
        Some(Self::start_with(&support::python()?))
    }

    pub(super) fn start_with(python: &Path) -> Self {
        // Of memory, where the system has such a place.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        let folder = folder.expect("a folder for images");
        let child = Command::new(python)
            .args(["-c", PROGRAM])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        Self {
            child,
            _folder: folder,
        }
    }

    pub(super) fn ask(&mut self, what: u8, image: &[u8]) -> Result<String, String> {
        let mut talk = || {
            let requests = self.child.stdin.as_mut().expect("a pipe");
            requests.write_all(&[what])?;
            requests.write_all(&(image.len() as u32).to_le_bytes())?;
            requests.write_all(image)?;
            requests.flush()?;
            let answers = self.child.stdout.as_mut().expect("a pipe");
            let mut len = [0; 4];
            answers.read_exact(&mut len)?;
            let mut answer = vec![0; u32::from_le_bytes(len) as usize];
            answers.read_exact(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let answer = talk().map_err(|error: std::io::Error| format!("libhdf5 died: {error}"))?;
        match answer.strip_prefix("ok") {
            Some(rest) => Ok(rest.into()),
            None => Err(format!("libhdf5: {answer}")),
        }
    }

    pub(super) fn read(&mut self, image: &[u8]) -> Result<Found, String> {
        let answer = self.ask(b'R', image)?;
        let lines = answer.lines().filter_map(|line| line.split_once(' '));
        let objects = lines.map(|(crc, path)| Ok((path.into(), crc.parse::<u32>()?)));
        objects
            .collect::<Result<_, std::num::ParseIntError>>()
            .map_err(|error| error.to_string())
    }

    pub(super) fn extend(&mut self, image: &[u8]) -> Result<(), String> {
        self.ask(b'E', image).map(drop)
    }

    /// Appends to every dataset that can grow, and compares all values.
    pub(super) fn append(&mut self, image: &[u8]) -> Result<(), String> {
        self.ask(b'T', image).map(drop)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many images were judged, and by whom.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) images: usize,
    pub(super) opened_by_h5py: usize,
    pub(super) dumped: usize,
    pub(super) edited: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.images += other.images;
        self.opened_by_h5py += other.opened_by_h5py;
        self.dumped += other.dumped;
        self.edited += other.edited;
    }
}

#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) worker: Option<Worker>,
    pub(super) h5dump: Option<std::path::PathBuf>,
    /// One image in this many is also walked and edited.
    pub(super) edit_every: usize,
    /// Objects whose headers share a sector are at one commit in the next image.
    pub(super) together: bool,
    pub(super) counts: Counts,
    pub(super) rng: Rng,
}

impl Oracle {
    /// Only this crate's reader.
    pub(super) fn own() -> Self {
        Self {
            worker: None,
            h5dump: None,
            edit_every: 0,
            together: true,
            counts: Counts::default(),
            rng: Rng::new(1),
        }
    }

    /// All the readers there are.
    pub(super) fn all(edit_every: usize) -> Self {
        Self {
            worker: Worker::start(),
            h5dump: support::h5dump(),
            edit_every,
            ..Self::own()
        }
    }

    /// Judges one image of a file whose commits left `states`.
    pub(super) fn judge(&mut self, image: &Image, states: &[Option<State>]) -> Result<(), String> {
        self.judge_inner(image, states)
            .map_err(|error| format!("{}, commit {}: {error}", image.origin, image.commit))
    }

    fn judge_inner(&mut self, image: &Image, states: &[Option<State>]) -> Result<(), String> {
        self.counts.images += 1;
        let before = states[image.commit].as_ref();
        let after = states.get(image.commit + 1).and_then(Option::as_ref);
        let exists = read_own(&image.bytes, before, after, self.together)?;
        if exists {
            walk_image(&image.bytes)?;
        }
        let objects = before.or(after).map_or(0, State::len);
        let read = objects <= H5PY_READS_ALL || self.rng.below(objects) < H5PY_READS_ALL;
        if let Some(worker) = self.worker.as_mut().filter(|_| read) {
            self.counts.opened_by_h5py += 1;
            match worker.read(&image.bytes) {
                Ok(found) => {
                    compare(&found, before, after, self.together)
                        .map_err(|error| format!("h5py: {error}"))?;
                }
                Err(_) if !exists && before.is_none() => {}
                Err(error) => return Err(error),
            }
        }
        if !exists || self.edit_every == 0 || self.rng.below(self.edit_every) > 0 {
            return Ok(());
        }
        self.counts.edited += 1;
        let edited = edit(&image.bytes)?;
        let state = read_state(&edited)?;
        walk_image(&edited).map_err(|error| format!("after an edit: {error}"))?;
        if let Some(worker) = &mut self.worker {
            if worker.read(&edited)? != found(&state) {
                return Err("after an edit h5py reads something else".into());
            }
            worker.extend(&edited)?;
        }
        if self.h5dump.is_some() && self.rng.below(20) == 0 {
            self.dump(&image.bytes)?;
            self.dump(&edited)?;
        }
        Ok(())
    }

    fn dump(&mut self, image: &[u8]) -> Result<(), String> {
        let Some(h5dump) = &self.h5dump else {
            return Ok(());
        };
        self.counts.dumped += 1;
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        std::fs::write(file.path(), image).map_err(|error| error.to_string())?;
        let output = Command::new(h5dump)
            .arg(file.path())
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("h5dump: {}: {said}", output.status))
    }
}

/// Whether there is a file, which then is at one of the two commits.
fn read_own(
    bytes: &[u8],
    before: Option<&State>,
    after: Option<&State>,
    together: bool,
) -> Result<bool, String> {
    let opened = File::open_on(MemoryStorage::from(bytes.to_vec()));
    let look = |file: File| {
        let stamped = file.object.with(|engine, _| Ok(engine.store.stamped()))?;
        Ok((capture(&file)?, stamped))
    };
    match opened.and_then(look) {
        // We complete a commit over several sectors: in a file of ours all is at one commit.
        Ok((state, true)) => {
            let state = found(&state);
            let mut commits = [before, after].into_iter().flatten();
            match commits.any(|commit| found(commit) == state) {
                true => Ok(true),
                false => compare(&state, before, after, together)
                    .and(Err("objects are at different commits".into())),
            }
        }
        Ok((state, false)) => compare(&found(&state), before, after, together).map(|()| true),
        Err(error) if before.is_none() && matches!(error.kind(), ErrorKind::NotHdf5) => Ok(false),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

pub(super) fn read_state(bytes: &[u8]) -> Result<State, String> {
    File::open_on(MemoryStorage::from(bytes.to_vec()))
        .and_then(|file| capture(&file))
        .map_err(|error| format!("cannot be read: {error}"))
}

/// I8: a walk over everything the file reaches finds nothing wrong.
pub(super) fn walk(bytes: &[u8]) -> Result<(), String> {
    walk_but(bytes, |_| false)
}

/// As [`walk`], for what a death left. In a file without a flip record an object may count more links than lead to it,
/// but never fewer.
pub(super) fn walk_image(bytes: &[u8]) -> Result<(), String> {
    let stamped = File::open_on(MemoryStorage::from(bytes.to_vec()))
        .and_then(|file| file.object.with(|engine, _| Ok(engine.store.stamped())))
        .map_err(|error| format!("walk: {error}"))?;
    walk_but(bytes, |problem| !stamped && counts_too_many(problem))
}

fn counts_too_many(problem: &str) -> bool {
    let numbers = problem
        .strip_prefix("object header: its reference count is ")
        .and_then(|rest| rest.strip_suffix(" hard links lead to it"))
        .and_then(|numbers| numbers.split_once(", "));
    numbers.is_some_and(|(count, links)| {
        matches!((count.parse::<u64>(), links.parse::<u64>()), (Ok(count), Ok(links)) if count > links)
    })
}

fn walk_but(bytes: &[u8], known: impl Fn(&str) -> bool) -> Result<(), String> {
    let mut report = File::open_on(MemoryStorage::from(bytes.to_vec()))
        .and_then(|file| file.verify())
        .map_err(|error| format!("walk: {error}"))?;
    report.problems.retain(|problem| !known(&problem.what));
    match report.is_sound() && report.unchecked.is_empty() {
        true => Ok(()),
        false => Err(format!("walk: {report}")),
    }
}

/// Opens the image for writing, makes every dataset that can grow longer by one row, closes, and gives the file,
/// which must say what the handle said before it was closed.
fn edit(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let inner = || -> crate::Result<Result<Vec<u8>, String>> {
        let file = File::open_memory(bytes.to_vec())?;
        for dataset in all_datasets(&file.root())? {
            if let Err(error) = grow(&dataset)? {
                return Ok(Err(error));
            }
        }
        file.set_attr("edited", 1_i64)?;
        let state = capture(&file)?;
        let bytes = file.into_bytes()?;
        let again = read_state(&bytes);
        Ok(again.and_then(|again| match again == state {
            true => Ok(bytes),
            false => Err("an edit is read back as something else".into()),
        }))
    };
    inner().unwrap_or_else(|error| Err(format!("cannot be edited: {error}")))
}

fn all_datasets(group: &Group) -> crate::Result<Vec<Dataset>> {
    let mut datasets = group.datasets()?;
    for group in group.groups()? {
        datasets.extend(all_datasets(&group)?);
    }
    Ok(datasets)
}

fn grow(dataset: &Dataset) -> crate::Result<Result<(), String>> {
    let shape = dataset.shape();
    let max = dataset.maxshape();
    let Some(axis) = (0..shape.len()).find(|&axis| max[axis].is_none_or(|max| max > shape[axis]))
    else {
        return Ok(Ok(()));
    };
    let mut grown = shape.clone();
    grown[axis] += 1;
    let mut row = grown.clone();
    row[axis] = 1;
    let elements: usize = row.iter().product();
    if dataset.dtype()?.contains_var_len() {
        let mut expected = dataset.read_raw::<String>()?;
        dataset.append_axis(axis, &["appended".to_string()])?;
        expected.push("appended".into());
        let same = dataset.read_raw::<String>()? == expected;
        return Ok(same
            .then_some(())
            .ok_or_else(|| format!("{}: an append changed old values", dataset.name())));
    }
    let old = dataset.read_bytes(..)?;
    dataset.resize(&grown)?;
    let mut selection: Vec<SliceOrIndex> = shape.iter().map(|&dim| (0..dim).into()).collect();
    let kept = dataset.read_bytes(selection.as_slice())?;
    selection[axis] = (shape[axis]..grown[axis]).into();
    let added = dataset.read_bytes(selection.as_slice())?;
    if kept != old || added.iter().any(|&byte| byte != 0) {
        return Ok(Err(format!("{}: growth changed values", dataset.name())));
    }
    let size = dataset.dtype()?.size() as usize;
    dataset.write_bytes(&vec![7; elements * size], selection.as_slice())?;
    Ok(Ok(()))
}
