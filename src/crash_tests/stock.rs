//! Stock writers: libhdf5 of each version that there is, through h5py, each in a process of its own.

use super::oracle::Worker;
use super::support;
use super::view::{self, View};
use std::path::{Path, PathBuf};

#[derive(Debug)]
struct Library {
    python: PathBuf,
    worker: Option<Worker>,
    /// It can read the file that is judged at all.
    reads: bool,
}

#[derive(Debug)]
pub(super) struct Stock {
    libraries: Vec<Library>,
    next: usize,
}

impl Stock {
    /// h5py 3.16 (libhdf5 2.0), 3.11 (1.14) and 3.8 (1.12), as far as they are there.
    pub(super) fn new() -> Self {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR"));
        let others =
            [".venv-h5py311", ".venv-h5py38"].map(|name| beside.join(name).join("bin/python"));
        let there = others.into_iter().filter(|python| python.is_file());
        let pythons: Vec<PathBuf> = support::python().into_iter().chain(there).collect();
        let library = |python| Library {
            python,
            worker: None,
            reads: true,
        };
        Self {
            libraries: pythons.into_iter().map(library).collect(),
            next: 0,
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.libraries.iter().any(|library| library.reads)
    }

    /// Leaves those out that do not know the format of this file.
    pub(super) fn begin_with(&mut self, file: Option<&[u8]>) {
        for number in 0..self.libraries.len() {
            self.libraries[number].reads = true;
            let reads = file.is_none_or(|file| self.ask_one(number, b'V', file).is_ok());
            self.libraries[number].reads = reads;
        }
    }

    fn ask_one(&mut self, number: usize, what: u8, bytes: &[u8]) -> Result<String, String> {
        let library = &mut self.libraries[number];
        let worker = library
            .worker
            .get_or_insert_with(|| Worker::start_with(&library.python));
        let answer = worker.ask(what, bytes);
        if answer
            .as_ref()
            .is_err_and(|error| error.starts_with("libhdf5 died"))
        {
            library.worker = None;
        }
        let name = library
            .python
            .parent()
            .and_then(Path::parent)
            .unwrap_or(&library.python);
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        answer.map_err(|error| format!("{name}: {error}"))
    }

    /// Each library in turn.
    fn ask(&mut self, what: u8, bytes: &[u8]) -> Result<String, String> {
        loop {
            self.next = (self.next + 1) % self.libraries.len();
            if self.libraries[self.next].reads {
                return self.ask_one(self.next, what, bytes);
            }
        }
    }

    /// What libhdf5 finds.
    pub(super) fn view(&mut self, image: &[u8]) -> Result<View, String> {
        view::parse(&self.ask(b'V', image)?)
    }

    /// libhdf5 appends to every dataset, sets attributes, makes, moves and deletes objects, twice, and finds all as it is
    /// to be. Returns the number of appends.
    pub(super) fn go_on(&mut self, image: &[u8], seed: u64) -> Result<usize, String> {
        let mut request = seed.to_le_bytes().to_vec();
        request.extend(image);
        let answer = self.ask(b'A', &request)?;
        answer
            .trim()
            .parse()
            .map_err(|_| format!("not a number of appends: {answer}"))
    }
}
