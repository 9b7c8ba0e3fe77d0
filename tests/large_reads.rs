//! Large reads, by many threads at once where the device is one for them: the same bytes and the same errors, whatever the
//! number of threads and the device.

#[path = "support/storage.rs"]
mod storage;

use h5quill::storage::{FileStorage, MemoryStorage, Storage, StorageError};
use h5quill::{File, Result};
use ndarray::{ArrayD, Axis, Slice, s};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{ThreadId, current};
use std::time::Duration;
use storage::Shared;

const ROWS: usize = 1500;
const COLUMNS: usize = 1000;

fn value(at: usize) -> u32 {
    (at as u32 / 7).wrapping_mul(2_654_435_761) >> 12
}

fn values() -> ArrayD<u32> {
    let values = (0..ROWS * COLUMNS).map(value).collect();
    ArrayD::from_shape_vec(vec![ROWS, COLUMNS], values).unwrap()
}

/// The datasets, 6 MB each: all ways in which parts of a file become parts of an array.
const NAMES: [&str; 7] = [
    "contiguous",
    "rows",
    "tiles",
    "deflated rows",
    "deflated tiles",
    "only deflated",
    "half",
];

fn write(file: &File) -> Result<()> {
    let new = || file.new_dataset::<u32>().shape((ROWS, COLUMNS));
    new().create("contiguous")?;
    new().chunk((7, COLUMNS)).create("rows")?;
    new().chunk((100, 300)).create("tiles")?;
    let rows = new().chunk((64, COLUMNS)).shuffle().deflate(1);
    rows.create("deflated rows")?;
    let tiles = new().chunk((100, 300)).shuffle().deflate(1);
    tiles.create("deflated tiles")?;
    let plain = new().chunk((50, COLUMNS)).deflate(1);
    plain.create("only deflated")?;
    for name in &NAMES[..6] {
        file.dataset(name)?.write(&values())?;
    }
    let half = new().chunk((10, COLUMNS)).fill_value(77);
    let half = half.create("half")?;
    let rows = values()
        .slice_axis(Axis(0), Slice::from(0..ROWS / 2))
        .to_owned();
    half.write_slice(&rows, ..ROWS / 2)
}

fn written() -> Vec<u8> {
    let file = File::create_memory().unwrap();
    write(&file).unwrap();
    file.into_bytes().unwrap()
}

/// Memory some bytes of which cannot be read.
#[derive(Clone, Default)]
struct Watched {
    memory: MemoryStorage,
    broken: Option<u64>,
    readers: Option<Arc<Readers>>,
}

/// The threads that read long pieces. Each waits for the others, so that none does all the work before they have started.
#[derive(Default)]
struct Readers {
    seen: Mutex<HashSet<ThreadId>>,
    another: Condvar,
    expected: usize,
}

impl Readers {
    fn note(&self) {
        let mut seen = self.seen.lock().unwrap();
        seen.insert(current().id());
        self.another.notify_all();
        let missing = |seen: &mut HashSet<ThreadId>| seen.len() < self.expected;
        let long = Duration::from_secs(20);
        drop(self.another.wait_timeout_while(seen, long, missing));
    }
}

impl Storage for Watched {
    fn len(&self) -> std::result::Result<u64, StorageError> {
        self.memory.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), StorageError> {
        let range = offset..offset + buffer.len() as u64;
        if self.broken.is_some_and(|broken| range.contains(&broken)) {
            return Err(StorageError::new("a broken sector"));
        }
        match &self.readers {
            Some(readers) if buffer.len() > 1 << 14 => readers.note(),
            _ => {}
        }
        self.memory.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> std::result::Result<(), StorageError> {
        self.memory.write_at(offset, bytes)
    }
    fn set_len(&mut self, len: u64) -> std::result::Result<(), StorageError> {
        self.memory.set_len(len)
    }
    fn sync(&mut self) -> std::result::Result<(), StorageError> {
        Ok(())
    }
    fn as_sync(&self) -> Option<&(dyn Storage + Sync)> {
        Some(self)
    }
}

fn compare(file: &File, what: &str) {
    let mut expected = values();
    for (at, name) in NAMES.into_iter().enumerate() {
        if name == "half" {
            let mut rest = expected.slice_axis_mut(Axis(0), Slice::from(ROWS / 2..));
            rest.fill(77);
        }
        let data = file.dataset(name).unwrap();
        let what = format!("{name}, {what}");
        assert!(data.read_dyn::<u32>().unwrap() == expected, "{what}");
        // From the middle of a chunk to the middle of another.
        let (from, to) = (33 + at, ROWS - 41 - at);
        let rows: ArrayD<u32> = data.read_slice(from..to).unwrap();
        let slice = expected.slice_axis(Axis(0), Slice::from(from..to));
        assert!(rows == slice, "{what}: rows");
        let tile: ArrayD<u32> = data.read_slice((5..1400, 10..999)).unwrap();
        let slice = slice_of(&expected, 5..1400, 10..999);
        assert!(tile == slice, "{what}: a tile");
        let odd: ArrayD<u32> = data.read_slice(s![1..;2, ..]).unwrap();
        let slice = expected.slice_axis(Axis(0), Slice::new(1, None, 2));
        assert!(odd == slice, "{what}: every second row");
    }
}

fn slice_of(
    values: &ArrayD<u32>,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
) -> ArrayD<u32> {
    let rows = values.slice_axis(Axis(0), Slice::from(rows));
    rows.slice_axis(Axis(1), Slice::from(columns)).to_owned()
}

#[test]
fn every_device_and_number_of_threads_reads_the_same() {
    let bytes = written();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.h5");
    std::fs::write(&path, &bytes).unwrap();
    for threads in [1, 2, 5] {
        let options = File::with_options().threads(threads);
        let memory = MemoryStorage::from(bytes.clone());
        compare(&options.open_on(memory).unwrap(), "memory");
        // This one takes a lock, and says nothing of threads.
        let locked = Shared::from(bytes.clone());
        compare(&options.open_on(locked).unwrap(), "behind a lock");
        let device = FileStorage::new(std::fs::File::open(&path).unwrap());
        compare(&options.open_on(device).unwrap(), "a device");
        compare(&options.open(&path).unwrap(), "a file");
    }
}

#[test]
fn what_waits_for_the_commit_is_read() {
    for threads in [1, 4] {
        let options = File::with_options().threads(threads);
        let file = options.open_rw_on(MemoryStorage::from(written())).unwrap();
        let mut expected = values();
        for name in &NAMES[..6] {
            let data = file.dataset(name).unwrap();
            for (row, number) in [(0, 1_u32), (700, 2), (ROWS - 1, 3)] {
                data.write_slice(&[number], (row, 17..18)).unwrap();
                expected[[row, 17]] = number;
            }
            assert!(data.read_dyn::<u32>().unwrap() == expected, "{name}");
        }
        // Small chunks are staged.
        let small = file.new_dataset::<u32>().shape((ROWS, COLUMNS));
        let small = small.chunk((1, COLUMNS)).create("small").unwrap();
        small.write(&expected).unwrap();
        assert!(small.read_dyn::<u32>().unwrap() == expected);
        file.flush().unwrap();
        assert!(small.read_dyn::<u32>().unwrap() == expected);
    }
}

#[cfg(feature = "parallel")]
#[test]
fn large_reads_are_by_as_many_threads_as_asked_for() {
    let numbers: Vec<u32> = (0..24 * 64 * COLUMNS).map(value).collect();
    let values = ArrayD::from_shape_vec(vec![24 * 64, COLUMNS], numbers).unwrap();
    let file = File::create_memory().unwrap();
    let new = || file.new_dataset::<u32>().shape((24 * 64, COLUMNS));
    let chunked = || new().chunk((64, COLUMNS));
    let builders = [
        ("contiguous", new()),
        ("chunked", chunked()),
        ("shuffled", chunked().shuffle()),
        ("deflated", chunked().deflate(1)),
        ("both", chunked().shuffle().deflate(1)),
    ];
    let names = builders.map(|(name, builder)| {
        builder.create(name).unwrap().write(&values).unwrap();
        name
    });
    let bytes = file.into_bytes().unwrap();
    for (expected, name) in [1, 2, 3]
        .into_iter()
        .flat_map(|n| names.map(|name| (n, name)))
    {
        let readers = Arc::new(Readers {
            expected,
            ..Readers::default()
        });
        let watched = Watched {
            memory: MemoryStorage::from(bytes.clone()),
            readers: Some(Arc::clone(&readers)),
            ..Watched::default()
        };
        let file = File::with_options().threads(expected).open_on(watched);
        let data = file.unwrap().dataset(name).unwrap();
        assert!(data.read_dyn::<u32>().unwrap() == values);
        let seen = readers.seen.lock().unwrap();
        assert_eq!(seen.len(), expected, "{name}");
        assert!(seen.contains(&current().id()));
    }
}

/// Where the chunk that begins at this row is in the file.
fn place_of(bytes: &[u8], name: &str, row: usize) -> usize {
    let file = File::open_memory(bytes.to_vec()).unwrap();
    let data = file.dataset(name).unwrap();
    let (_, chunk) = data.read_chunk(&[row, 0]).unwrap();
    let mut places = bytes.windows(64).enumerate();
    // The contiguous data are the same as the plain rows, and come first.
    let skipped = usize::from(name == "rows");
    let mut found = places
        .by_ref()
        .filter(|(_, window)| *window == &chunk[..64]);
    found.nth(skipped).unwrap().0
}

#[test]
fn the_first_place_that_cannot_be_read_is_told() {
    let bytes = written();
    for (name, like, row) in [
        ("contiguous", "tiles", 700),
        ("rows", "rows", 700),
        ("deflated rows", "deflated rows", 640),
    ] {
        let place = place_of(&bytes, like, row) + 70;
        let mut errors = BTreeSet::new();
        for threads in [1, 2, 5] {
            let watched = Watched {
                memory: MemoryStorage::from(bytes.clone()),
                broken: Some(place as u64),
                ..Watched::default()
            };
            let options = File::with_options().threads(threads);
            let file = options.open_on(watched).unwrap();
            let error = file.dataset(name).unwrap().read_dyn::<u32>().unwrap_err();
            assert!(error.to_string().contains("a broken sector"), "{error}");
            errors.insert(error.to_string());
        }
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
    }
}

#[test]
fn the_first_broken_chunk_is_told_whoever_meets_it() {
    let mut bytes = written();
    let name = "deflated rows";
    let places = [960, 320, 640].map(|row| place_of(&bytes, name, row));
    for place in places {
        // No zlib stream begins like this.
        bytes[place] = 0xFF;
    }
    for threads in [1, 2, 5] {
        let options = File::with_options().threads(threads);
        for file in [
            options.open_on(MemoryStorage::from(bytes.clone())).unwrap(),
            options.open_on(Shared::from(bytes.clone())).unwrap(),
        ] {
            let error = file.dataset(name).unwrap().read_dyn::<u32>().unwrap_err();
            assert_eq!(error.offset(), Some(places[1] as u64), "{error}");
        }
    }
}
