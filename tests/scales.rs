//! Dimension scales: what libhdf5's high-level library makes of ours, we of its, and both in turn.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{Dataset, File};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const RANKS: [usize; 4] = [2, 1, 1, 1];
const TEXTS: [&str; 4] = [
    "",
    "time",
    "L\u{e4}nge",
    "a longer name than the one before",
];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/scales.py")
}

fn make_datasets(file: &File) -> h5quill::Result<()> {
    for (name, shape) in NAMES.into_iter().zip([&[3, 4][..], &[3], &[3], &[4]]) {
        file.new_dataset::<f32>().shape(shape).create(name)?;
    }
    Ok(())
}

/// An edit: the dataset, and what is done with it. Also those that are refused.
#[derive(Debug, Clone)]
enum Edit {
    Make(usize, &'static str),
    Attach(usize, usize, usize),
    Detach(usize, usize, usize),
    Label(usize, usize, &'static str),
}

fn edit() -> impl Strategy<Value = Edit> {
    let text = || (0..TEXTS.len()).prop_map(|number| TEXTS[number]);
    prop_oneof![
        1 => (0..4_usize, text()).prop_map(|(data, name)| Edit::Make(data, name)),
        4 => (0..2_usize, 1..4_usize).prop_map(|(axis, scale)| Edit::Attach(0, axis, scale)),
        3 => (0..2_usize, 1..4_usize).prop_map(|(axis, scale)| Edit::Detach(0, axis, scale)),
        2 => (0..4_usize, 0..3_usize, 0..4_usize).prop_map(|(data, axis, scale)| Edit::Attach(data, axis, scale)),
        1 => (0..4_usize, 0..3_usize, 0..4_usize).prop_map(|(data, axis, scale)| Edit::Detach(data, axis, scale)),
        2 => (0..4_usize, 0..3_usize, text()).prop_map(|(data, axis, label)| Edit::Label(data, axis, label)),
    ]
}

impl Edit {
    fn json(&self) -> String {
        match self {
            Self::Make(data, name) => format!("[\"make\", {data}, {name:?}]"),
            Self::Attach(data, axis, scale) => format!("[\"attach\", {data}, {axis}, {scale}]"),
            Self::Detach(data, axis, scale) => format!("[\"detach\", {data}, {axis}, {scale}]"),
            Self::Label(data, axis, label) => format!("[\"label\", {data}, {axis}, {label:?}]"),
        }
    }

    fn run(&self, file: &File) -> h5quill::Result<()> {
        let of = |number: &usize| file.dataset(NAMES[*number]);
        match self {
            Self::Make(data, name) => of(data)?.make_scale(name),
            Self::Attach(data, axis, scale) => of(data)?.attach_scale(*axis, &of(scale)?),
            Self::Detach(data, axis, scale) => of(data)?.detach_scale(*axis, &of(scale)?),
            Self::Label(data, axis, label) => of(data)?.set_dim_label(*axis, label),
        }
    }
}

/// What a dataset is to be.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    is_scale: bool,
    name: String,
    /// The scales and the label of each axis.
    axes: Vec<(Vec<usize>, String)>,
}

impl Known {
    fn has_scales(&self) -> bool {
        self.axes.iter().any(|(scales, _)| !scales.is_empty())
    }
}

#[derive(Debug)]
struct Model([Known; 4]);

impl Model {
    fn new() -> Self {
        Self(RANKS.map(|rank| Known {
            axes: vec![(Vec::new(), String::new()); rank],
            ..Known::default()
        }))
    }

    /// Whether the edit is made.
    fn run(&mut self, edit: &Edit) -> bool {
        match *edit {
            Edit::Make(data, name) => {
                if self.0[data].has_scales() {
                    return false;
                }
                (self.0[data].is_scale, self.0[data].name) = (true, name.into());
            }
            Edit::Attach(data, axis, scale) => {
                if self.0[data].is_scale
                    || data == scale
                    || self.0[scale].has_scales()
                    || axis >= RANKS[data]
                {
                    return false;
                }
                self.0[scale].is_scale = true;
                let scales = &mut self.0[data].axes[axis].0;
                if !scales.contains(&scale) {
                    scales.push(scale);
                }
            }
            Edit::Detach(data, axis, scale) => {
                if self.0[data].is_scale || data == scale || axis >= RANKS[data] {
                    return false;
                }
                let scales = &mut self.0[data].axes[axis].0;
                match scales.iter().position(|&known| known == scale) {
                    Some(position) => drop(scales.swap_remove(position)),
                    None => return false,
                }
            }
            Edit::Label(data, axis, label) => {
                if axis >= RANKS[data] {
                    return false;
                }
                self.0[data].axes[axis].1 = label.into();
            }
        }
        true
    }

    /// In the words of `scales.py`.
    fn json(&self) -> String {
        let datasets = self.0.iter().map(|known| {
            let axes = known.axes.iter().map(|(scales, label)| {
                let scales: Vec<&str> = scales.iter().map(|&scale| NAMES[scale]).collect();
                format!("[{scales:?}, {label:?}]")
            });
            let axes: Vec<String> = axes.collect();
            format!(
                "[{}, {:?}, [{}]]",
                known.is_scale,
                known.name,
                axes.join(", ")
            )
        });
        format!("[{}]", datasets.collect::<Vec<_>>().join(", "))
    }
}

fn read(file: &File) -> h5quill::Result<[Known; 4]> {
    let one = |data: &Dataset| -> h5quill::Result<Known> {
        let is_scale = data.is_scale()?;
        let name = match is_scale {
            true => data.scale_name()?.unwrap_or_default(),
            false => String::new(),
        };
        let mut axes = Vec::new();
        for axis in 0..data.ndim() {
            let scales = data.scales(axis)?;
            let number = |scale: &Dataset| {
                let name = scale.name();
                NAMES.iter().position(|known| name[1..] == **known).unwrap()
            };
            let label = data.dim_label(axis)?.unwrap_or_default();
            axes.push((scales.iter().map(number).collect(), label));
        }
        Ok(Known {
            is_scale,
            name,
            axes,
        })
    };
    let mut known = Vec::new();
    for name in NAMES {
        known.push(one(&file.dataset(name)?)?);
    }
    Ok(known.try_into().unwrap())
}

/// H5DS in a process of its own.
#[derive(Debug)]
struct Worker {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Worker {
    fn start() -> Option<Self> {
        let mut child = Command::new(support::python()?)
            .arg(script())
            .arg("serve")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, answers })
    }

    /// What was made of the edits, and what the file then holds.
    fn ask(&mut self, path: &Path, begin: &str, edits: &[Edit]) -> String {
        let edits: Vec<String> = edits.iter().map(Edit::json).collect();
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "[{path:?}, {begin:?}, [{}]]", edits.join(", ")).unwrap();
        stdin.flush().unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().into()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BEGINNINGS: [&str; 4] = ["", "earliest", "latest", "short"];

fn run(worker: &mut Worker, path: &Path, begin: usize, turns: &[(bool, Vec<Edit>)]) -> usize {
    let mut model = Model::new();
    if BEGINNINGS[begin].is_empty() {
        let file = File::create(path).unwrap();
        make_datasets(&file).unwrap();
        file.close().unwrap();
    } else {
        worker.ask(path, BEGINNINGS[begin], &[]);
    }
    let mut made = 0;
    for (ours, edits) in turns {
        let expected: Vec<bool> = edits.iter().map(|edit| model.run(edit)).collect();
        made += expected.iter().filter(|made| **made).count();
        let mut asked = &edits[..];
        if *ours {
            let file = File::append(path).unwrap();
            for (edit, expected) in edits.iter().zip(&expected) {
                let result = edit.run(&file);
                assert_eq!(result.is_ok(), *expected, "{edit:?}: {result:?}");
            }
            file.close().unwrap();
            asked = &[];
        }
        let answer = worker.ask(path, "", asked);
        let expected = match ours {
            true => Vec::new(),
            false => expected,
        };
        assert_eq!(answer, format!("[{expected:?}, {}]", model.json()));
        let file = File::open(path).unwrap();
        assert_eq!(read(&file).unwrap(), model.0);
        let report = file.verify().unwrap();
        assert!(report.is_sound(), "{report}");
    }
    made
}

#[test]
fn scales_edited_in_turn_by_this_library_and_by_h5ds() {
    let Some(worker) = Worker::start() else {
        return;
    };
    let worker = RefCell::new(worker);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scales.h5");
    let made = RefCell::new(0);
    let turn = (any::<bool>(), proptest::collection::vec(edit(), 1..8));
    let turns = proptest::collection::vec(turn, 1..10);
    let cases = std::env::var("H5QUILL_SCALES").map_or(200, |text| text.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    TestRunner::new_with_rng(config, rng)
        .run(&(0..BEGINNINGS.len(), turns), |(begin, turns)| {
            *made.borrow_mut() += run(&mut worker.borrow_mut(), &path, begin, &turns);
            Ok(())
        })
        .unwrap();
    let made = *made.borrow();
    assert!(made > cases as usize * 4, "edits are made: {made}");
    support::say(&format!("{cases} scripts, {made} edits made, no mismatch"));
}

#[test]
fn attributes_of_scales_are_those_of_h5ds_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, made) = (folder.path().join("ours.h5"), folder.path().join("made.h5"));
    let file = File::create(&ours).unwrap();
    make_datasets(&file).unwrap();
    let of = |name: &str| file.dataset(name).unwrap();
    of("b").make_scale("longitude").unwrap();
    of("c").make_scale("").unwrap();
    of("a").attach_scale(0, &of("b")).unwrap();
    of("a").attach_scale(0, &of("c")).unwrap();
    of("a").attach_scale(1, &of("d")).unwrap();
    of("a").set_dim_label(1, "level").unwrap();
    file.close().unwrap();
    let script = script();
    let arguments = ["same".as_ref(), ours.as_os_str(), made.as_os_str()];
    if let Some(count) = support::run_python(script.to_str().unwrap(), &arguments) {
        assert_eq!(count.trim(), "10");
    }
}

#[test]
fn refused_edits_of_scales_leave_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("refused.h5");
    let file = File::create(&path).unwrap();
    make_datasets(&file).unwrap();
    let of = |name: &str| file.dataset(name).unwrap();
    of("b").make_scale("b").unwrap();
    of("a").attach_scale(0, &of("b")).unwrap();
    let image = file.new_dataset::<u8>().shape(3).create("image").unwrap();
    image.set_attr("CLASS", "IMAGE").unwrap();
    let other = File::create_memory().unwrap();
    let foreign = other.new_dataset::<f32>().shape(3).create("x").unwrap();
    file.flush().unwrap();
    let before = std::fs::read(&path).unwrap();
    let cases: [(&str, h5quill::Result<()>); 13] = [
        (
            "/a: a dataset with dimension scales cannot be a dimension scale",
            of("a").make_scale("a"),
        ),
        (
            "/c: the name \"a\\0b\" has a NUL",
            of("c").make_scale("a\0b"),
        ),
        (
            "/c: the dataset is no dimension scale",
            of("c").scale_name().map(drop),
        ),
        (
            "/a: there is no axis 2 in a dataset of 2",
            of("a").attach_scale(2, &of("b")),
        ),
        (
            "/a: there is no axis 9 in a dataset of 2",
            of("a").scales(9).map(drop),
        ),
        (
            "/a: there is no axis 2 in a dataset of 2",
            of("a").set_dim_label(2, "x"),
        ),
        (
            "/b: a dimension scale has no dimension scales",
            of("b").attach_scale(0, &of("c")),
        ),
        (
            "/c: a dimension scale has no dimension scales",
            of("c").attach_scale(0, &of("c")),
        ),
        (
            "/c: a dataset with dimension scales cannot be attached as one",
            of("c").attach_scale(0, &of("a")),
        ),
        (
            "/image: a dataset of the class IMAGE has no dimension scales",
            image.attach_scale(0, &of("b")),
        ),
        (
            "/c: the dimension scale is in another file",
            of("c").attach_scale(0, &foreign),
        ),
        (
            "/a: the scale is not attached to the axis 1",
            of("a").detach_scale(1, &of("b")),
        ),
        (
            "/a: a string contains a zero byte",
            of("a").set_dim_label(0, "x\0"),
        ),
    ];
    for (text, result) in cases {
        let error = result.unwrap_err().to_string();
        let named = text.split_once(": ").unwrap().1;
        assert!(error.ends_with(named), "{error}");
    }
    file.flush().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(read(&file).unwrap()[1].is_scale);
    // A reader only reads.
    file.close().unwrap();
    let file = File::open(&path).unwrap();
    let of = |name: &str| file.dataset(name).unwrap();
    let error = of("a").detach_scale(0, &of("b")).unwrap_err();
    assert_eq!(error.kind(), &h5quill::ErrorKind::ReadOnly);
    assert!(of("c").make_scale("c").is_err());
    assert!(of("c").set_dim_label(0, "c").is_err());
}

#[test]
fn a_scale_that_is_gone_is_left_out() {
    let file = File::create_memory().unwrap();
    make_datasets(&file).unwrap();
    let of = |name: &str| file.dataset(name).unwrap();
    of("a").attach_scale(0, &of("b")).unwrap();
    of("a").attach_scale(1, &of("d")).unwrap();
    file.unlink("b").unwrap();
    assert!(of("a").scales(0).unwrap().is_empty());
    assert_eq!(of("a").scales(1).unwrap()[0].name(), "/d");
    // The others can be attached and detached.
    of("a").attach_scale(0, &of("c")).unwrap();
    of("a").detach_scale(1, &of("d")).unwrap();
    assert!(of("a").scales(1).unwrap().is_empty());
}

/// A scale that is deleted while it is attached leaves its name on the axis, as with libhdf5; it is no scale any more.
#[test]
fn a_deleted_scale_is_on_the_axis_no_more() {
    let file = File::create_memory().unwrap();
    let scale = |name: &str| {
        let scale = file
            .new_dataset::<f32>()
            .create_with(name, &[1.0_f32, 2., 3.])
            .unwrap();
        scale.make_scale(name).unwrap();
        scale
    };
    let data = file
        .new_dataset::<f32>()
        .shape((0.., 3))
        .create("data")
        .unwrap();
    let (old, older, new) = (scale("old"), scale("older"), scale("new"));
    let names = |data: &Dataset| {
        let scales = data.scales(1).unwrap();
        scales.iter().map(|scale| scale.name()).collect::<Vec<_>>()
    };
    data.attach_scale(1, &older).unwrap();
    data.attach_scale(1, &old).unwrap();
    file.flush().unwrap();
    file.unlink("old").unwrap();
    file.unlink("older").unwrap();
    assert!(names(&data).is_empty());
    data.attach_scale(1, &new).unwrap();
    assert_eq!(names(&data), ["/new"]);
    data.detach_scale(1, &old).unwrap();
    assert!(
        data.detach_scale(1, &old).is_err(),
        "it is detached already"
    );
    assert_eq!(names(&data), ["/new"]);
    // What comes to the place of a deleted scale is not attached by that.
    for number in 0..40 {
        let next = scale(&format!("next {number}"));
        data.attach_scale(1, &next).unwrap();
        assert_eq!(names(&data), ["/new".to_owned(), next.name()]);
        data.detach_scale(1, &next).unwrap();
    }
    // A file that is only read says the same, and the next session can take off what is left.
    let bytes = file.into_bytes().unwrap();
    let storage = || h5quill::storage::MemoryStorage::from(bytes.clone());
    assert_eq!(
        names(&File::open_on(storage()).unwrap().dataset("data").unwrap()),
        ["/new"]
    );
    let file = File::open_rw_on(storage()).unwrap();
    let data = file.dataset("data").unwrap();
    assert!(data.remove_deleted_scales(1).unwrap() <= 1);
    assert_eq!(data.remove_deleted_scales(1).unwrap(), 0);
    assert_eq!(data.remove_deleted_scales(0).unwrap(), 0);
    assert_eq!(names(&data), ["/new"]);
    data.detach_scale(1, &file.dataset("new").unwrap()).unwrap();
    assert!(!data.attr_exists("DIMENSION_LIST").unwrap());
}
