//! Virtual datasets and data in external files that this library makes: h5py reads them, edits the files, and this
//! library reads on.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::storage::{Storage, StorageError};
use h5quill::{Dataset, DatasetBuilder, ErrorKind, File, Selection, SliceOrIndex};
use ndarray::{Array2, ArrayD, IxDyn, array};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use support::{h5dump, run, run_python, say};

/// Virtual datasets of the random test, and the mappings of each.
const CASES: usize = 300;
const MAPPINGS: usize = 3;

fn options() -> h5quill::FileBuilder {
    File::with_options().follow_other_files(true)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Shape and bytes of every dataset, as h5py prints them for `show`.
fn said(file: &File) -> BTreeMap<String, String> {
    let datasets = file.datasets().unwrap().into_iter();
    datasets
        .map(|data| {
            let shape: Vec<String> = data.shape().iter().map(ToString::to_string).collect();
            let bytes = data
                .read_bytes(..)
                .unwrap_or_else(|error| panic!("{error}"));
            (
                data.name().to_string(),
                format!("{} {}", shape.join(","), hex(&bytes)),
            )
        })
        .collect()
}

/// What h5py says of every dataset of a file; `None` where there is no h5py.
fn said_by_h5py(path: &Path) -> Option<BTreeMap<String, String>> {
    let script = format!("{}/tests/outside/show.py", env!("CARGO_MANIFEST_DIR"));
    let printed = run_python(&script, &[path.as_os_str()])?;
    let lines = printed.lines().map(|line| {
        let (name, rest) = line.split_once('\t').unwrap();
        (name.to_string(), rest.to_string())
    });
    Some(lines.collect())
}

/// This library and h5py say the same of a file; how many datasets that were.
#[track_caller]
fn same(path: &Path) -> usize {
    let own = said(&options().open(path).unwrap());
    if let Some(other) = said_by_h5py(path) {
        for (name, own) in &own {
            assert_eq!(Some(own), other.get(name), "{name}");
        }
        assert_eq!(own.len(), other.len());
    }
    let report = File::open(path).unwrap().verify().unwrap();
    assert!(report.is_sound(), "{report}");
    own.len()
}

fn python(text: &str, path: &Path) -> bool {
    run_python(text, &[path.as_os_str()]).is_some()
}

/// Every kind of mapping; the datasets are f64.
fn make_virtual(file: &File) {
    let builder = || file.new_dataset::<f64>().fill_value(-1.0);
    let rows = SliceOrIndex::unlimited(0);
    builder()
        .virtual_map("part_0.h5", "x", (4, 6), .., (9, 6), ..4)
        .virtual_map("part_1.h5", "/x", (4, 6), (1.., 3..), (9, 6), (5..8, ..3))
        .create("whole")
        .unwrap();
    builder()
        .virtual_map(
            "part_0.h5",
            "g/log",
            (0.., 3),
            (rows, ..),
            (2.., 3),
            (rows, ..),
        )
        // As a source of another, libhdf5 takes the extent that the file says.
        .create("grows")
        .unwrap();
    let second = SliceOrIndex::Unlimited {
        start: 1,
        step: 2,
        block: 1,
    };
    builder()
        .shape((0.., 8))
        .virtual_map(
            "part_0.h5",
            "g/log",
            (0.., 3),
            (second, ..),
            (0.., 8),
            (rows, 0..3),
        )
        .virtual_map(
            "part_1.h5",
            "g/log",
            (0.., 3),
            (rows, ..),
            (0.., 8),
            (second, 4..7),
        )
        .create("interleaved")
        .unwrap();
    let blocks = SliceOrIndex::Unlimited {
        start: 2,
        step: 5,
        block: 4,
    };
    builder()
        .virtual_map("part_%b.h5", "x", (4, 6), .., (0.., 7), (blocks, 1..))
        .create("by number")
        .unwrap();
    builder()
        .virtual_map("missing.h5", "x", 5, .., 5, ..)
        .create("missing")
        .unwrap();
    builder()
        .virtual_map("part_0.h5", "scalar", (), .., 3, 1)
        .create("of a scalar")
        .unwrap();
    builder()
        .virtual_map("part_0.h5", "scalar", (), .., (), ..)
        .create("a scalar")
        .unwrap();
    file.new_dataset::<f64>()
        .create_with("own", &array![[1.0, 2.0], [3.0, 4.0]])
        .unwrap();
    let own = SliceOrIndex::SliceCount {
        start: 0,
        step: 2,
        count: 2,
        block: 1,
    };
    builder()
        .virtual_map(
            ".",
            "own",
            (2, 2),
            ..,
            (3, 4),
            (own, SliceOrIndex::from(..).step_by(2)),
        )
        .virtual_map(".", "grows", (1.., 3), (0..1, 0..2), (3, 4), (1, ..2))
        .create("of the same file")
        .unwrap();
}

fn part(path: &Path, number: usize) {
    let file = File::create(path.join(format!("part_{number}.h5"))).unwrap();
    let first = 100.0 * number as f64;
    let x = Array2::from_shape_fn((4, 6), |(row, column)| first + (6 * row + column) as f64);
    file.new_dataset::<f64>().create_with("x", &x).unwrap();
    let log = file.new_dataset::<f64>().shape((0.., 3));
    let log = log.create("g/log").unwrap();
    log.append(&Array2::from_shape_fn((2 + number, 3), |(row, column)| {
        first + 0.5 + (3 * row + column) as f64
    }))
    .unwrap();
    let scalar = file.new_dataset::<f64>().create("scalar").unwrap();
    scalar.write_scalar(&(first + 0.25)).unwrap();
    file.close().unwrap();
}

#[test]
fn h5py_reads_virtual_datasets_and_edits_their_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let master = path.join("master.h5");
    part(path, 0);
    part(path, 1);
    let file = options().create(&master).unwrap();
    make_virtual(&file);
    let rows = file.dataset("by number").unwrap();
    assert_eq!(rows.shape(), [11, 7], "two parts");
    assert_eq!(rows.maxshape(), [None, Some(7)]);
    assert_eq!(file.dataset("grows").unwrap().shape(), [2, 3]);
    file.close().unwrap();
    assert_eq!(same(&master), 9);
    let before = said(&options().open(&master).unwrap());

    // The sources grow, and one more comes.
    let log = "import h5py, sys\nwith h5py.File(sys.argv[1], 'a') as f:\n  d = f['g/log']\n  d.resize(7, 0)\n  d[5:] = 8\n";
    if !python(log, &path.join("part_0.h5")) {
        return;
    }
    part(path, 2);
    assert_eq!(same(&master), 9);
    let after = said(&options().open(&master).unwrap());
    let grown: Vec<&String> = after
        .keys()
        .filter(|name| before[*name] != after[*name])
        .collect();
    assert_eq!(grown, ["/by number", "/grows", "/interleaved"]);

    // libhdf5 edits the file: an attribute, one dataset less, another copied and renamed, one more.
    let edit = r#"
import h5py, sys
with h5py.File(sys.argv[1], 'a', libver=('v110', 'v110')) as f:
    assert f['by number'].is_virtual and len(f['interleaved'].virtual_sources()) == 2
    assert f['whole'].fillvalue == -1
    f['grows'].attrs['unit'] = 'V'
    for name in ['missing', 'own']:
        del f[name]
    f.copy('whole', 'copied')
    f.move('a scalar', 'renamed')
    layout = h5py.VirtualLayout((3,), 'f8')
    layout[:] = h5py.VirtualSource('part_2.h5', 'x', (4, 6))[1, 2:5]
    f.create_virtual_dataset('by h5py', layout)
"#;
    assert!(python(edit, &master));
    assert_eq!(same(&master), 9);
    let file = options().open_rw(&master).unwrap();
    let unit = file.dataset("grows").unwrap().attr("unit").unwrap();
    assert_eq!(unit.read_scalar::<String>().unwrap(), "V");
    file.unlink("by h5py").unwrap();
    file.unlink("interleaved").unwrap();
    file.relink("renamed", "renamed again").unwrap();
    file.new_dataset::<f64>()
        .virtual_map("part_1.h5", "x", (4, 6), -1, 6, ..)
        .create("interleaved")
        .unwrap();
    file.close().unwrap();
    assert_eq!(same(&master), 8);
    if let Some(h5dump) = h5dump() {
        let mut command = std::process::Command::new(h5dump);
        let printed = run({
            command.args(["-p", "-H"]).arg(&master);
            command
        });
        assert_eq!(printed.matches("MAPPING ").count(), 11, "{printed}");
    }
}

/// Numbers that are the same for the same seed (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound as u64) as usize
    }
}

/// A selection with so many indices on each axis: the extent, the selection, and the indices of each axis.
fn slab(rng: &mut Rng, lens: &[usize]) -> (Vec<usize>, Vec<SliceOrIndex>, Vec<Vec<usize>>) {
    let (mut extent, mut selection, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    for &len in lens {
        let sizes: Vec<usize> = (1..=len).filter(|size| len % size == 0).collect();
        let block = sizes[rng.below(sizes.len())];
        let (start, count) = (rng.below(4), len / block);
        let step = block + [0, 0, 1, 3][rng.below(4)];
        let all: Vec<usize> = (0..len)
            .map(|number| start + number / block * step + number % block)
            .collect();
        extent.push(all[len - 1] + 1 + rng.below(3));
        selection.push(match (block, rng.below(3)) {
            (1, 0) if len == 1 => SliceOrIndex::from(start),
            (1, 1) => SliceOrIndex::from(start..all[len - 1] + 1).step_by(step),
            _ => SliceOrIndex::SliceCount {
                start,
                step,
                count,
                block,
            },
        });
        indices.push(all);
    }
    (extent, selection, indices)
}

/// The coordinates of the elements of a product of indices, in row-major order.
fn product(indices: &[Vec<usize>]) -> Vec<Vec<usize>> {
    indices.iter().fold(vec![Vec::new()], |all, axis| {
        let longer = all.iter().flat_map(|at| {
            axis.iter().map(move |index| {
                let mut at: Vec<usize> = at.clone();
                at.push(*index);
                at
            })
        });
        longer.collect()
    })
}

/// `rank` numbers with the product of `sides`.
fn reshaped(rng: &mut Rng, sides: &[usize], rank: usize) -> Vec<usize> {
    let mut shape = vec![1; rank];
    for side in sides {
        shape[rng.below(rank)] *= side;
    }
    shape
}

/// One random virtual dataset, whose values are found one by one.
fn random(file: &File, rng: &mut Rng, number: usize) -> usize {
    let rank = 1 + rng.below(3);
    let mut builder: DatasetBuilder<i32> = file.new_dataset().fill_value(-7);
    let mut shape = vec![1; rank];
    let mut shown: Vec<(Vec<usize>, i32)> = Vec::new();
    for mapping in 0..1 + rng.below(MAPPINGS) {
        let sides: Vec<usize> = (0..3).map(|_| 1 + rng.below(4)).collect();
        let source_rank = 1 + rng.below(3);
        let lens = reshaped(rng, &sides, source_rank);
        let (extent, source, from) = slab(rng, &lens);
        let lens = reshaped(rng, &sides, rank);
        let (mut reach, mut target, mut to) = slab(rng, &lens);
        // Beside the mapping before: where mappings overlap, the order of reading counts.
        if let SliceOrIndex::Slice { .. } | SliceOrIndex::Index(_) = target[0] {
            target[0] = SliceOrIndex::SliceCount {
                start: to[0][0],
                step: to[0].get(1).map_or(1, |next| next - to[0][0]),
                count: to[0].len(),
                block: 1,
            };
        }
        let offset = if mapping == 0 { 0 } else { shape[0] };
        if let SliceOrIndex::SliceCount { start, .. } = &mut target[0] {
            *start += offset;
        }
        to[0].iter_mut().for_each(|index| *index += offset);
        reach[0] += offset;
        for (dim, reach) in shape.iter_mut().zip(&reach) {
            *dim = (*dim).max(*reach);
        }
        let elements: usize = extent.iter().product();
        let first = rng.below(1000) as i32;
        let values: Vec<i32> = (0..elements as i32).map(|value| first + value).collect();
        let values = ArrayD::from_shape_vec(IxDyn(&extent), values).unwrap();
        let name = format!("{number} source {mapping}");
        file.new_dataset::<i32>()
            .create_with(&format!("sources/{name}"), values.view())
            .unwrap();
        let pairs = product(&to).into_iter().zip(product(&from));
        shown.extend(pairs.map(|(to, from)| (to, values[IxDyn(&from)])));
        builder = builder.virtual_map(
            ".",
            format!("sources/{name}"),
            &extent,
            Selection::from(source),
            &reach,
            Selection::from(target),
        );
    }
    let data: Dataset = builder.shape(&shape).create(&format!("v{number}")).unwrap();
    let mut expected = ArrayD::from_elem(IxDyn(&shape), -7);
    for (at, value) in &shown {
        expected[IxDyn(at)] = *value;
    }
    assert_eq!(data.read_dyn::<i32>().unwrap(), expected, "v{number}");
    shown.len()
}

#[test]
fn random_mappings_are_read_as_they_were_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("random.h5");
    let seed = std::env::var("H5QUILL_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let mut rng = Rng(seed.unwrap_or(1_u64) * 0x9e37_79b9 + 1);
    let file = File::create(&path).unwrap();
    let mut elements = 0;
    for number in 0..CASES {
        elements += random(&file, &mut rng, number);
    }
    file.close().unwrap();
    assert_eq!(same(&path), CASES);
    say(&format!(
        "random virtual datasets: {CASES}, {elements} elements mapped, read by both"
    ));
}

#[test]
fn h5py_and_this_library_share_external_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let master = path.join("master.h5");
    let name = |name: &str| path.join(name).to_str().unwrap().to_string();
    std::fs::write(path.join("beside.bin"), (0..200).collect::<Vec<u8>>()).unwrap();
    let file = options().create(&master).unwrap();
    // Three files in order, the first two full; the last has no end.
    let several = file.new_dataset::<u16>().shape((3.., 4)).fill_value(9);
    let several = several
        .external(&name("a.bin"), 5, 7)
        .external(&name("b.bin"), 0, 13);
    let several = several
        .external(&name("a.bin"), 40, 0)
        .create("several")
        .unwrap();
    let values = Array2::from_shape_fn((3, 4), |(row, column)| (1000 * row + column) as u16);
    several.write(&values).unwrap();
    several.append(&[7_u16, 8, 9, 10]).unwrap();
    several.write_slice(&[77_u16], (1, 2..3)).unwrap();
    assert_eq!(several.shape(), [4, 4]);
    let bounded = file
        .new_dataset::<u8>()
        .shape(2..=6)
        .external(&name("c.bin"), 0, 6);
    let bounded = bounded.create("bounded").unwrap();
    bounded.write_bytes(&[1, 2], ..).unwrap();
    bounded.append(&[3_u8, 4]).unwrap();
    assert!(
        bounded
            .append(&[5_u8, 6, 7])
            .unwrap_err()
            .to_string()
            .contains("beyond the maximum")
    );
    // Found beside the file.
    let beside = file.new_dataset::<i32>().external("beside.bin", 8, 40);
    beside
        .create_with("beside", &array![[1, -2], [3, -4]])
        .unwrap();
    file.new_dataset::<f32>()
        .external(&name("d.bin"), 4, 4)
        .create("scalar")
        .unwrap()
        .write_scalar(&1.5_f32)
        .unwrap();
    file.close().unwrap();
    let raw = |name: &str| std::fs::read(path.join(name)).unwrap();
    assert_eq!(raw("c.bin"), [1, 2, 3, 4]);
    assert_eq!(raw("d.bin"), [0, 0, 0, 0, 0, 0, 0xc0, 0x3f]);
    let mut expected: Vec<u8> = (0..200).collect();
    for (number, value) in [1_i32, -2, 3, -4].into_iter().enumerate() {
        expected[8 + 4 * number..12 + 4 * number].copy_from_slice(&value.to_le_bytes());
    }
    assert_eq!(raw("beside.bin"), expected);
    let edit = r#"
import os, sys
os.environ['HDF5_EXTFILE_PREFIX'] = '${ORIGIN}'
import h5py, numpy as np
with h5py.File(sys.argv[1], 'a', libver=('v110', 'v110')) as f:
    d = f['several']
    assert [e[1:] for e in d.external] == [(5, 7), (0, 13), (40, h5py.h5f.UNLIMITED)], d.external
    assert d[()].tolist() == [[0, 1, 2, 3], [1000, 1001, 77, 1003], [2000, 2001, 2002, 2003], [7, 8, 9, 10]]
    assert f['bounded'][()].tolist() == [1, 2, 3, 4] and f['bounded'].maxshape == (6,)
    assert f['beside'][()].tolist() == [[1, -2], [3, -4]] and f['scalar'][()] == 1.5
    d.id.set_extent((6, 4))
    d[4:] = 55
    d.attrs['unit'] = 'V'
    f.move('scalar', 'renamed')
    del f['bounded']
    raw = os.path.join(os.path.dirname(sys.argv[1]), 'e.bin')
    f.create_dataset('by h5py', (5,), '>i2', external=[(raw, 3, 10)])[:] = np.arange(5)
"#;
    if !python(edit, &master) {
        return;
    }
    let file = options().open_rw(&master).unwrap();
    let several = file.dataset("several").unwrap();
    assert_eq!(several.shape(), [6, 4]);
    assert_eq!(
        several.read_slice::<u16, _, ndarray::Ix1>(5).unwrap(),
        array![55, 55, 55, 55]
    );
    several
        .append(&array![[1_u16, 2, 3, 4], [5, 6, 7, 8]])
        .unwrap();
    several.resize((7, 4)).unwrap();
    let other = file.dataset("by h5py").unwrap();
    assert_eq!(other.read_raw::<i16>().unwrap(), [0, 1, 2, 3, 4]);
    other.write_slice(&[-1_i16], 2..3).unwrap();
    let copied = options().create(path.join("copied.h5")).unwrap();
    file.copy("several", &copied, "several").unwrap();
    copied.close().unwrap();
    file.close().unwrap();
    assert_eq!(same(&path.join("copied.h5")), 1);
    let look = r#"
import os, sys
os.environ['HDF5_EXTFILE_PREFIX'] = '${ORIGIN}'
import h5py
with h5py.File(sys.argv[1]) as f:
    assert f['several'].shape == (7, 4) and f['several'][6].tolist() == [1, 2, 3, 4]
    assert f['by h5py'][()].tolist() == [0, 1, -1, 3, 4]
    assert f['several'].attrs['unit'] == 'V' and f['renamed'][()] == 1.5
"#;
    assert!(python(look, &master));
    assert!(File::open(&master).unwrap().verify().unwrap().is_sound());
}

/// Files in memory, by name; those that begin with "none" are not there.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

struct OnShelf(Shelf, String);

impl OnShelf {
    fn with<T>(&self, run: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        run(self.0.0.lock().unwrap().entry(self.1.clone()).or_default())
    }
}

impl Storage for OnShelf {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.with(|bytes| bytes.len() as u64))
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let at = offset as usize;
        self.with(|bytes| buffer.copy_from_slice(&bytes[at..at + buffer.len()]));
        Ok(())
    }
    fn write_at(&mut self, offset: u64, new: &[u8]) -> Result<(), StorageError> {
        if self.1.starts_with("full") {
            return Err(StorageError::new("the shelf is full"));
        }
        let (at, end) = (offset as usize, offset as usize + new.len());
        self.with(|bytes| {
            bytes.resize(bytes.len().max(end), 0);
            bytes[at..end].copy_from_slice(new);
        });
        Ok(())
    }
    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.with(|bytes| bytes.resize(len as usize, 0));
        Ok(())
    }
    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[test]
fn what_fails_outside_leaves_the_file_as_it_is() {
    let shelf = Shelf::default();
    let opener = shelf.clone();
    let open = move |name: &str| -> h5quill::Result<Option<Box<dyn Storage>>> {
        match name.starts_with("none") {
            true => Ok(None),
            false => Ok(Some(Box::new(OnShelf(opener.clone(), name.to_string())))),
        }
    };
    let options = File::with_options().other_files(open);
    let file = options
        .create_on(h5quill::storage::MemoryStorage::new())
        .unwrap();
    let make = |name: &str| {
        let builder = file.new_dataset::<u8>().shape(2..).external(name, 1, 0);
        builder.create(name).unwrap()
    };
    let (good, full, none) = (make("good"), make("full"), make("none"));
    good.write(&[1_u8, 2]).unwrap();
    good.append(&[3_u8]).unwrap();
    assert_eq!(shelf.0.lock().unwrap()["good"], [0, 1, 2, 3]);
    file.flush().unwrap();
    let error = full.append(&[1_u8]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Storage(_)), "{error}");
    assert!(error.to_string().ends_with("the shelf is full"), "{error}");
    assert_eq!(
        none.write(&[1_u8, 2]).unwrap_err().kind(),
        &ErrorKind::NotFound
    );
    // The handle is not poisoned, the extent did not change.
    assert_eq!((full.shape(), none.shape()), (vec![2], vec![2]));
    good.set_attr("still", "writable").unwrap();
    file.flush().unwrap();

    let bytes = file.into_bytes().unwrap();
    let unasked = File::open_memory(bytes.clone()).unwrap();
    let good = unasked.dataset("good").unwrap();
    for error in [
        good.write(&[1_u8, 2, 3]).unwrap_err(),
        good.append(&[1_u8]).unwrap_err(),
        good.resize(9).unwrap_err(),
        good.read_raw::<u8>().unwrap_err(),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
        assert!(error.to_string().contains("\"good\""), "{error}");
    }
    assert_eq!(unasked.into_bytes().unwrap(), bytes);
    assert_eq!(shelf.0.lock().unwrap()["good"], [0, 1, 2, 3]);
}

#[test]
fn the_file_itself_is_no_external_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.h5");
    let file = options().create(&path).unwrap();
    let own = file
        .new_dataset::<u8>()
        .shape(4)
        .external(path.to_str().unwrap(), 0, 4);
    let own = own.create("own").unwrap();
    file.flush().unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = own.write(&[0_u8; 4]).unwrap_err();
    assert!(error.to_string().contains("the file itself"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // A directory is no file.
    let name = directory.path().to_str().unwrap();
    let other = file
        .new_dataset::<u8>()
        .shape(4)
        .external(name, 0, 4)
        .create("other")
        .unwrap();
    assert!(other.write(&[0_u8; 4]).is_err());
    own.set_attr("still", "writable").unwrap();
    file.close().unwrap();
    assert!(OsStr::new(name).len() > 1);
}
