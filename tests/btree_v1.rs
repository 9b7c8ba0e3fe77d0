//! Datasets whose chunks are in a version 1 B-tree: edited by us and by libhdf5 in turn, always against one model.
//!
//! Left out where there is no Python with h5py (`H5QUILL_PYTHON`), and each check where its tool is missing.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{File, SliceOrIndex};
use ndarray::{ArrayD, IxDyn, Slice};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/btree_v1.py");

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A small generator of numbers: the same seed, the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// What the dataset holds.
struct Model(ArrayD<i32>);

impl Model {
    fn resize(&mut self, dims: &[usize]) {
        let mut resized = ArrayD::zeros(IxDyn(dims));
        let common: Vec<usize> = dims
            .iter()
            .zip(self.0.shape())
            .map(|(a, b)| *a.min(b))
            .collect();
        let cut = |axis: ndarray::AxisDescription| Slice::from(0..common[axis.axis.index()]);
        let old = self.0.slice_each_axis(cut);
        resized.slice_each_axis_mut(cut).assign(&old);
        self.0 = resized;
    }

    fn save(&self, path: &Path) {
        let dims: Vec<String> = self.0.shape().iter().map(ToString::to_string).collect();
        std::fs::write(path.with_extension("dims"), dims.join(" ")).unwrap();
        let bytes: Vec<u8> = self
            .0
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        std::fs::write(path.with_extension("model"), bytes).unwrap();
    }

    fn load(path: &Path) -> Self {
        let dims = std::fs::read_to_string(path.with_extension("dims")).unwrap();
        let dims: Vec<usize> = dims.split(' ').map(|word| word.parse().unwrap()).collect();
        let bytes = std::fs::read(path.with_extension("model")).unwrap();
        let values = bytes
            .chunks_exact(4)
            .map(|word| i32::from_le_bytes(word.try_into().unwrap()));
        Self(ArrayD::from_shape_vec(IxDyn(&dims), values.collect()).unwrap())
    }
}

/// One session of ours: rows, slices, extents up and down, some commits between them.
fn edit(path: &Path, model: &mut Model, random: &mut Random, room: usize) {
    let file = File::open_rw(path).unwrap();
    let data = file.dataset("data").unwrap();
    assert_eq!(
        data.read_dyn::<i32>().unwrap(),
        model.0,
        "as libhdf5 left it"
    );
    for step in 0..6 {
        let mut dims = model.0.shape().to_vec();
        match random.below(4) {
            0 => {
                let axis = random.below(dims.len());
                let old = dims[axis];
                dims[axis] += 1 + random.below(5);
                model.resize(&dims);
                let mut rows = model
                    .0
                    .slice_each_axis_mut(|a| match a.axis.index() == axis {
                        true => Slice::from(old..),
                        false => Slice::from(..),
                    });
                rows.fill(1000 + step);
                data.append_axis(axis, rows.view()).unwrap();
            }
            1 => {
                let axis = random.below(dims.len());
                dims[axis] = 1 + random.below(room);
                model.resize(&dims);
                data.resize(dims).unwrap();
            }
            _ => {
                let corner: Vec<(usize, usize)> = dims
                    .iter()
                    .map(|&dim| {
                        let start = random.below(dim);
                        (start, start + 1 + random.below(dim - start))
                    })
                    .collect();
                let mut part = model.0.slice_each_axis_mut(|a| {
                    let (start, end) = corner[a.axis.index()];
                    Slice::from(start..end)
                });
                let first = random.below(1 << 20) as i32;
                for (value, element) in (first..).zip(part.iter_mut()) {
                    *element = value;
                }
                let axes = corner
                    .iter()
                    .map(|&(start, end)| SliceOrIndex::from(start..end));
                let axes: Vec<SliceOrIndex> = axes.collect();
                data.write_slice(part.view(), axes).unwrap();
            }
        }
        if random.below(4) == 0 {
            file.flush().unwrap();
        }
    }
    assert_eq!(data.read_dyn::<i32>().unwrap(), model.0);
    file.close().unwrap();
    let file = File::open(path).unwrap();
    let again = file.dataset("data").unwrap().read_dyn::<i32>().unwrap();
    assert_eq!(again, model.0, "as we left it");
}

fn check_with_tools(path: &Path, random: &mut Random) {
    let present = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if present("h5dump") {
        let text = run(Command::new("h5dump").arg(path));
        assert!(text.contains("DATASET \"data\""));
    }
    if random.below(3) == 0 && present("h5repack") {
        let packed = path.with_extension("packed");
        run(Command::new("h5repack").arg(path).arg(&packed));
        run(Command::new("h5diff").arg(path).arg(&packed));
    }
}

/// Rounds in turn, on a file of `rank` axes with `k` entries in half a node; `old`: a file as for HDF5 1.6.
fn take_turns(seed: u64, rank: usize, k: usize, filtered: bool, old: bool) {
    let Some(python) = support::python() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file.h5");
    let turn = |verb: &str, seed: u64| {
        let words = [verb, &seed.to_string(), &rank.to_string(), &k.to_string()];
        let mut command = Command::new(&python);
        command.arg(SCRIPT).arg(&path).args(words);
        let flags = [filtered, old].map(|flag| u8::from(flag).to_string());
        run(command.args(flags));
    };
    let mut random = Random(seed);
    turn("make", seed);
    let room = match (rank, filtered) {
        (1, true) => 200,
        (2, true) => 60,
        (1 | 2, false) => 24,
        _ => 10,
    };
    for round in 0..6 {
        let mut model = Model::load(&path);
        edit(&path, &mut model, &mut random, room);
        model.save(&path);
        check_with_tools(&path, &mut random);
        turn("edit", seed + 100 * round);
    }
}

#[test]
fn we_and_libhdf5_edit_one_axis_in_turn() {
    take_turns(11, 1, 32, false, false);
    take_turns(12, 1, 2, true, false);
}

#[test]
fn we_and_libhdf5_edit_two_axes_in_turn() {
    take_turns(21, 2, 32, false, false);
    take_turns(22, 2, 32, true, false);
    take_turns(23, 2, 2, false, false);
    take_turns(24, 2, 4, false, false);
    take_turns(25, 2, 3, true, false);
}

#[test]
fn we_and_libhdf5_edit_more_axes_in_turn() {
    take_turns(31, 3, 32, false, false);
    take_turns(32, 3, 2, false, false);
    take_turns(41, 4, 4, true, false);
}

#[test]
fn we_and_libhdf5_edit_files_for_hdf5_1_6_in_turn() {
    take_turns(51, 1, 32, false, true);
    take_turns(52, 2, 32, false, true);
    take_turns(53, 2, 3, false, true);
    take_turns(54, 2, 2, true, true);
}
