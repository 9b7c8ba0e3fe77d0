//! What the benchmarks share: a storage that counts, peak memory, and a verdict that makes the program fail.

#![allow(dead_code, unreachable_pub)]

use h5quill::storage::{FileStorage, Storage, StorageError};
use h5quill::{VarLenSink, VarLenSource};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Numbers as any language can make them: a linear congruential generator, the upper 31 bits.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Calls and bytes that reached a storage.
#[derive(Debug, Default)]
pub struct Counts {
    pub reads: AtomicU64,
    pub read_bytes: AtomicU64,
    pub writes: AtomicU64,
    pub written_bytes: AtomicU64,
    pub set_lens: AtomicU64,
    pub syncs: AtomicU64,
}

impl Counts {
    pub fn get(&self) -> [u64; 6] {
        [
            &self.reads,
            &self.read_bytes,
            &self.writes,
            &self.written_bytes,
            &self.set_lens,
            &self.syncs,
        ]
        .map(|count| count.load(Ordering::Relaxed))
    }
}

/// A file that counts.
pub struct Counting {
    file: FileStorage,
    counts: Arc<Counts>,
}

impl Counting {
    pub fn open(path: &Path, counts: &Arc<Counts>) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)?;
        Ok(Self {
            file: FileStorage::new(file),
            counts: Arc::clone(counts),
        })
    }
}

impl Storage for Counting {
    fn len(&self) -> Result<u64, StorageError> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.counts
            .read_bytes
            .fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.file.read_at(offset, buffer)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.counts.writes.fetch_add(1, Ordering::Relaxed);
        self.counts
            .written_bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_at(offset, bytes)
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.counts.set_lens.fetch_add(1, Ordering::Relaxed);
        self.file.set_len(len)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync()
    }
}

/// The arguments, without what cargo adds.
pub fn arguments() -> Vec<String> {
    std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect()
}

/// Where big files go: `H5QUILL_BENCH_DIR`, else the directory for temporary files.
pub fn directory() -> PathBuf {
    std::env::var_os("H5QUILL_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// A file that is deleted at the end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let name = format!("h5quill-bench-{}-{name}.h5", std::process::id());
        Self(directory().join(name))
    }

    pub fn len(&self) -> u64 {
        std::fs::metadata(&self.0).map_or(0, |data| data.len())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

/// The largest memory the process has had, in bytes; 0 where the system does not tell.
pub fn peak_memory() -> u64 {
    status("VmHWM")
}

/// The memory the process has now, in bytes.
pub fn memory() -> u64 {
    status("VmRSS")
}

/// Prints a number beside its bound and remembers a miss.
#[derive(Debug, Default)]
pub struct Verdict {
    missed: bool,
}

impl Verdict {
    pub fn at_most(&mut self, what: &str, value: f64, bound: f64) {
        let met = value <= bound;
        let word = if met { "ok" } else { "MISSED" };
        println!("{what}: {value:.3} (at most {bound}): {word}");
        self.missed |= !met;
    }

    pub fn holds(&mut self, what: &str, met: bool) {
        println!("{what}: {}", if met { "ok" } else { "MISSED" });
        self.missed |= !met;
    }

    pub fn finish(self) -> Outcome {
        match self.missed {
            true => Err("a bound was missed".into()),
            false => Ok(()),
        }
    }
}

/// The Python that has h5py, as the tests find it.
pub fn python() -> Option<PathBuf> {
    let named = std::env::var_os("H5QUILL_PYTHON").map(PathBuf::from);
    let local = PathBuf::from(".venv/bin/python");
    let candidates = [
        named,
        local.exists().then_some(local),
        Some("python3".into()),
    ];
    candidates.into_iter().flatten().find(|python| {
        std::process::Command::new(python)
            .args(["-c", "import h5py"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}

/// The heap of numbers, which need none.
pub struct NoHeap;

impl VarLenSink for NoHeap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn insert(&mut self, _: &[u8]) -> h5quill::Result<(u64, u32)> {
        unreachable!("a number has no heap object")
    }
}

impl VarLenSource for NoHeap {
    fn offset_width(&self) -> u8 {
        8
    }

    fn read(&mut self, _: u64, _: u32, _: usize, _: &mut Vec<u8>) -> h5quill::Result<()> {
        unreachable!("a number has no heap object")
    }
}
