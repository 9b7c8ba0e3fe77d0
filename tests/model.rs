//! Random sequences of operations on a file, against a model in plain maps and arrays; some of the files are read by
//! h5py as well.

#[path = "model/state.rs"]
mod state;
#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{Dataset, ErrorKind, File, Group, LibVer, SliceOrIndex};
use ndarray::{ArrayD, IxDyn, Slice};
use proptest::prelude::*;
use state::{
    Link, Model, Node, Numbers, Object, Seeded, Spec, Value, check_all, compare, resized, with_type,
};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use storage::Shared;

/// An open file, what it must hold, and what it must hold after a death.
struct Run {
    storage: Shared,
    file: Option<File>,
    model: Model,
    committed: Model,
    handles: BTreeMap<usize, Dataset>,
    seed: u32,
    name: usize,
}

impl Run {
    /// A new file of one of the kinds there are.
    fn new(numbers: &mut Numbers) -> Self {
        let storage = Shared::default();
        let mut options = File::with_options().track_order(numbers.one_in(4));
        if numbers.one_in(3) {
            options = options.libver(LibVer::V18);
        }
        if numbers.one_in(4) {
            options = options.userblock(512 << numbers.below(4));
        }
        let file = options.create_on(storage.clone()).unwrap();
        file.flush().unwrap();
        let model = Model::new();
        Self {
            storage,
            file: Some(file),
            committed: model.clone(),
            model,
            handles: BTreeMap::new(),
            seed: 0,
            name: 0,
        }
    }

    fn file(&self) -> &File {
        self.file.as_ref().unwrap()
    }

    fn seeds(&mut self, shape: &[usize]) -> ArrayD<u32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            self.seed += 1;
            self.seed
        })
    }

    fn step(&mut self, op: u8, numbers: &mut Numbers) {
        match op {
            0..=2 => self.create_group(numbers),
            3..=9 => self.create_dataset(numbers),
            10..=24 => self.append(numbers),
            25..=32 => self.resize(numbers),
            33..=47 => self.write_slice(numbers),
            48..=57 => self.set_attribute(numbers),
            58..=60 => self.delete_attribute(numbers),
            61..=65 => self.unlink(numbers),
            66..=68 => self.link(numbers),
            69..=78 => self.flush(),
            79..=80 => {
                self.file().sync().unwrap();
                self.committed = self.model.clone();
            }
            81..=84 => self.reopen(true),
            85..=86 => self.reopen(false),
            87..=90 => self.die(),
            91..=94 => self.relink(numbers),
            95 => self.rename_attribute(numbers),
            _ => self.write_whole(numbers),
        }
        self.check_some(numbers);
    }

    fn pick(list: Vec<(usize, String)>, numbers: &mut Numbers) -> Option<(usize, String)> {
        (!list.is_empty()).then(|| list[numbers.below(list.len())].clone())
    }

    fn handle(&mut self, id: usize, path: &str, numbers: &mut Numbers) -> Dataset {
        if numbers.one_in(2) || !self.handles.contains_key(&id) {
            let dataset = self.file().dataset(path).unwrap();
            self.handles.insert(id, dataset);
        }
        self.handles[&id].clone()
    }

    /// A name, sometimes one that may be taken.
    fn new_name(&mut self, numbers: &mut Numbers) -> String {
        self.name += 1;
        let number = if numbers.one_in(8) {
            numbers.below(self.name)
        } else {
            self.name
        };
        match number % 5 {
            0 => format!("n\u{e4}me {number}"),
            1 => format!("{number}{}", "long".repeat(number % 80)),
            _ => format!("n{number}"),
        }
    }

    fn join(path: &str, name: &str) -> String {
        format!("{}/{name}", path.trim_end_matches('/'))
    }

    fn create_group(&mut self, numbers: &mut Numbers) {
        let Some((parent, path)) = Self::pick(self.model.groups(), numbers) else {
            return;
        };
        let name = self.new_name(numbers);
        let builder = self.file().new_group().track_order(numbers.one_in(3));
        let made = builder.create(&Self::join(&path, &name)).map(drop);
        if self.model.links(parent).contains_key(&name) {
            assert_eq!(made.unwrap_err().kind(), &ErrorKind::Exists);
            return;
        }
        made.unwrap();
        let id = self.model.add(Node::Group(BTreeMap::new()));
        self.model.link(parent, &name, Link::Hard(id));
    }

    fn create_dataset(&mut self, numbers: &mut Numbers) {
        let Some((parent, path)) = Self::pick(self.model.groups(), numbers) else {
            return;
        };
        let group: Group = self.file().group(&path).unwrap();
        let name = self.new_name(numbers);
        let spec = Spec::random(numbers);
        let made = spec.create(&group, &name);
        if self.model.links(parent).contains_key(&name) {
            assert_eq!(made.unwrap_err().kind(), &ErrorKind::Exists);
            return;
        }
        let dataset = made.unwrap_or_else(|error| panic!("{error}: {spec:?}"));
        let array = ArrayD::from_elem(IxDyn(&spec.dims), spec.fill);
        let id = self.model.add(Node::Dataset(spec, array));
        self.handles.insert(id, dataset);
        self.model.link(parent, &name, Link::Hard(id));
    }

    fn append(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let spec = self.model.spec(id);
        let dims = self.model.array(id).shape().to_vec();
        if dims.is_empty() {
            return;
        }
        let axis = if numbers.one_in(3) {
            numbers.below(dims.len())
        } else {
            0
        };
        let count = [1, 1, 2, 5, 23, 0][numbers.below(6)];
        let mut grown = dims.clone();
        grown[axis] += count;
        let mut shape = dims.clone();
        shape[axis] = count;
        let rows = self.seeds(&shape);
        let dataset = self.handle(id, &path, numbers);
        let result = with_type!(spec.kind, T => {
            dataset.append_axis(axis, rows.mapv(T::value).view())
        });
        let allowed = spec.max[axis].is_none_or(|max| grown[axis] <= max);
        assert_eq!(
            result.is_ok(),
            allowed,
            "{path}: {result:?} {spec:?} {dims:?} {axis} {count}"
        );
        if !allowed {
            return;
        }
        let mut array = resized(self.model.array(id), &grown, spec.fill);
        let tail = |at: ndarray::AxisDescription| {
            Slice::from(
                if at.axis.index() == axis {
                    dims[axis] as isize
                } else {
                    0
                }..,
            )
        };
        array.slice_each_axis_mut(tail).assign(&rows);
        *self.model.array(id) = array;
    }

    fn resize(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let spec = self.model.spec(id);
        let old = self.model.array(id).shape().to_vec();
        if old.is_empty() {
            return;
        }
        let longest = [0, 400, 60, 9, 6][old.len()];
        let dims: Vec<usize> = old
            .iter()
            .zip(&spec.max)
            .map(|(dim, max)| match numbers.below(4) {
                0 => *dim,
                1 => numbers.below(dim + 1),
                _ => numbers.below(longest).min(max.unwrap_or(usize::MAX)),
            })
            .collect();
        let dataset = self.handle(id, &path, numbers);
        let result = dataset.resize(&dims);
        let chunked = dataset.chunk().is_some();
        assert_eq!(
            result.is_ok(),
            chunked || dims == old,
            "{result:?} {spec:?} {dims:?}"
        );
        if result.is_ok() {
            let array = resized(self.model.array(id), &dims, spec.fill);
            *self.model.array(id) = array;
        }
    }

    /// A random selection: the axes, as ndarray takes them and as the library does.
    fn selection(
        dims: &[usize],
        numbers: &mut Numbers,
    ) -> (Vec<SliceOrIndex>, Vec<(usize, usize, usize)>) {
        let plan: Vec<(usize, usize, usize)> = dims
            .iter()
            .map(|&dim| {
                let start = numbers.below(dim + 1);
                let end = if numbers.one_in(2) {
                    dim
                } else {
                    start + numbers.below(dim - start + 1)
                };
                (start, end, 1 + numbers.below(3) * numbers.below(3))
            })
            .collect();
        let axes = plan
            .iter()
            .map(|&(start, end, step)| SliceOrIndex::from(start..end).step_by(step));
        (axes.collect(), plan)
    }

    fn write_slice(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let kind = self.model.spec(id).kind;
        let dims = self.model.array(id).shape().to_vec();
        let (selection, plan) = Self::selection(&dims, numbers);
        let slice = |at: ndarray::AxisDescription| {
            let (start, end, step) = plan[at.axis.index()];
            Slice::new(start as isize, Some(end as isize), step as isize)
        };
        let shape = self.model.array(id).slice_each_axis(slice).shape().to_vec();
        let values = self.seeds(&shape);
        let dataset = self.handle(id, &path, numbers);
        let result = with_type!(kind, T => {
            dataset.write_slice(values.mapv(T::value).view(), selection.clone())
        });
        result.unwrap_or_else(|error| panic!("{error}: {selection:?} of {dims:?}"));
        self.model
            .array(id)
            .slice_each_axis_mut(slice)
            .assign(&values);
    }

    fn write_whole(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let kind = self.model.spec(id).kind;
        let dims = self.model.array(id).shape().to_vec();
        let values = self.seeds(&dims);
        let dataset = self.handle(id, &path, numbers);
        with_type!(kind, T => dataset.write(values.mapv(T::value).view())).unwrap();
        *self.model.array(id) = values;
    }

    fn set_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let name = format!("attribute {}", numbers.below(14));
        let value = Value::random(numbers);
        let group = self.file().group(&path);
        match group {
            Ok(group) => value.set(&group, &name).unwrap(),
            Err(_) => value.set(&self.handle(id, &path, numbers), &name).unwrap(),
        }
        self.model.object(id).attributes.insert(name, value);
    }

    fn delete_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let name = format!("attribute {}", numbers.below(14));
        let result = match self.file().group(&path) {
            Ok(group) => group.delete_attr(&name),
            Err(_) => self.handle(id, &path, numbers).delete_attr(&name),
        };
        match self.model.object(id).attributes.remove(&name) {
            Some(_) => result.unwrap(),
            None => assert_eq!(result.unwrap_err().kind(), &ErrorKind::NotFound),
        }
    }

    fn unlink(&mut self, numbers: &mut Numbers) {
        let Some((group, path)) = Self::pick(self.model.groups(), numbers) else {
            return;
        };
        let names: Vec<String> = self.model.links(group).keys().cloned().collect();
        if names.is_empty() {
            let result = self.file().unlink(&Self::join(&path, "absent"));
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::NotFound);
            return;
        }
        let name = &names[numbers.below(names.len())];
        self.file().unlink(&Self::join(&path, name)).unwrap();
        self.model.unlink(group, name);
        for (id, handle) in &self.handles {
            if self.model.objects[*id].is_none() {
                let error = handle.read_bytes(..).unwrap_err();
                assert_eq!(
                    error.kind(),
                    &ErrorKind::NotFound,
                    "a handle to a deleted dataset"
                );
            }
        }
        let model = &self.model;
        self.handles.retain(|id, _| model.objects[*id].is_some());
    }

    fn link(&mut self, numbers: &mut Numbers) {
        let Some((group, path)) = Self::pick(self.model.groups(), numbers) else {
            return;
        };
        let Some((target, target_path)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let name = self.new_name(numbers);
        let full = Self::join(&path, &name);
        let soft = numbers.one_in(2) || target == 0;
        let result = if soft {
            self.file().link_soft(&target_path, &full)
        } else {
            self.file().link_hard(&target_path, &full)
        };
        if self.model.links(group).contains_key(&name) {
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Exists);
            return;
        }
        result.unwrap();
        let link = if soft { Link::Soft } else { Link::Hard(target) };
        self.model.link(group, &name, link);
        assert!(self.file().exists(&full).unwrap());
    }

    fn relink(&mut self, numbers: &mut Numbers) {
        let Some((source, path)) = Self::pick(self.model.groups(), numbers) else {
            return;
        };
        let names: Vec<String> = self.model.links(source).keys().cloned().collect();
        if names.is_empty() {
            let result = self.file().relink(&Self::join(&path, "absent"), "/new");
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::NotFound);
            return;
        }
        let old = &names[numbers.below(names.len())];
        let (into, to) = match numbers.one_in(3) {
            true => (source, path.clone()),
            false => Self::pick(self.model.groups(), numbers).unwrap(),
        };
        let new = self.new_name(numbers);
        let from = Self::join(&path, old);
        let result = self.file().relink(&from, &Self::join(&to, &new));
        if self.model.links(into).contains_key(&new) {
            assert_eq!(result.unwrap_err().kind(), &ErrorKind::Exists);
            return;
        }
        let link = self.model.links(source)[old].clone();
        if let Link::Hard(moved) = link
            && into != source
            && self.model.is_below(moved, into)
        {
            assert!(matches!(result.unwrap_err().kind(), ErrorKind::Invalid(_)));
            return;
        }
        result.unwrap_or_else(|error| panic!("{error}: {from} to {to}/{new}"));
        self.model.links(source).remove(old);
        self.model.links(into).insert(new, link);
    }

    fn rename_attribute(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.walk(), numbers) else {
            return;
        };
        let [old, new] = [(); 2].map(|()| format!("attribute {}", numbers.below(14)));
        let object = self.file().open_object(&path).unwrap();
        let result = object.location().rename_attr(&old, &new);
        let attributes = &mut self.model.object(id).attributes;
        match (attributes.contains_key(&old), attributes.contains_key(&new)) {
            (false, _) => assert_eq!(result.unwrap_err().kind(), &ErrorKind::NotFound),
            (true, true) => assert_eq!(result.unwrap_err().kind(), &ErrorKind::Exists),
            (true, false) => {
                result.unwrap();
                let value = attributes.remove(&old).unwrap();
                attributes.insert(new, value);
            }
        }
    }

    fn flush(&mut self) {
        self.file().flush().unwrap();
        self.committed = self.model.clone();
    }

    fn reopen(&mut self, closing: bool) {
        self.handles.clear();
        let file = self.file.take().unwrap();
        if closing {
            file.close().unwrap();
        } else {
            drop(file);
        }
        self.committed = self.model.clone();
        self.open();
    }

    fn open(&mut self) {
        let file = File::open_rw_on(self.storage.clone()).unwrap_or_else(|error| panic!("{error}"));
        check_all(&file, &self.model);
        self.file = Some(file);
    }

    /// The process dies: what was written since the last commit is lost, nothing else.
    fn die(&mut self) {
        self.handles.clear();
        self.storage = Shared::from(self.storage.bytes());
        self.model = self.committed.clone();
        self.file = None;
        self.open();
    }

    /// A slice of one dataset.
    fn check_some(&mut self, numbers: &mut Numbers) {
        let Some((id, path)) = Self::pick(self.model.datasets(), numbers) else {
            return;
        };
        let kind = self.model.spec(id).kind;
        let dataset = self.handle(id, &path, numbers);
        let expected = self.model.array(id);
        assert_eq!(dataset.shape(), expected.shape(), "{path}");
        let (selection, plan) = Self::selection(expected.shape(), numbers);
        let cut = expected.slice_each_axis(|at| {
            let (start, end, step) = plan[at.axis.index()];
            Slice::new(start as isize, Some(end as isize), step as isize)
        });
        with_type!(kind, T => {
            let read = dataset.read_slice::<T, _, IxDyn>(selection).unwrap_or_else(|error| panic!("{error}"));
            compare(&read, &cut.mapv(T::value), &path);
        });
    }
}

/// Writes a file, and what it must hold, for the script that reads them with h5py.
fn keep_for_python(folder: &std::path::Path, number: usize, bytes: &[u8], model: &Model) {
    std::fs::write(folder.join(format!("{number}.h5")), bytes).unwrap();
    let mut list = String::new();
    for (id, path) in model.walk() {
        let Object {
            node, attributes, ..
        } = model.objects[id].as_ref().unwrap();
        match node {
            Node::Group(links) => list += &format!("group\t{path}\t{}\n", links.len()),
            Node::Dataset(spec, array) => {
                let shape: Vec<String> = array.shape().iter().map(usize::to_string).collect();
                let (name, values) =
                    with_type!(spec.kind, T => (T::NAME, values_for_python::<T>(array)));
                let file = format!("{number}-{id}.bin");
                std::fs::write(folder.join(&file), values).unwrap();
                list += &format!("dataset\t{path}\t{name}\t{}\t{file}\n", shape.join(","));
            }
        }
        for (name, value) in attributes {
            list += &match value {
                Value::Number(value) => format!("attribute\t{path}\t{name}\tnumber\t{value}\n"),
                Value::Real(value) => format!("attribute\t{path}\t{name}\treal\t{value}\n"),
                Value::Flag(value) => {
                    format!("attribute\t{path}\t{name}\tnumber\t{}\n", i64::from(*value))
                }
                Value::Text(value) => format!("attribute\t{path}\t{name}\ttext\t{value}\n"),
                Value::Texts(value) => {
                    format!("attribute\t{path}\t{name}\ttexts\t{}\n", value.join("\x01"))
                }
                Value::List(value) => format!("attribute\t{path}\t{name}\tlist\t{value:?}\n"),
            };
        }
    }
    std::fs::write(folder.join(format!("{number}.txt")), list).unwrap();
}

fn values_for_python<T: Seeded + std::any::Any>(array: &ArrayD<u32>) -> Vec<u8> {
    let mut out = Vec::new();
    for &seed in array {
        let value: Box<dyn std::any::Any> = Box::new(T::value(seed));
        if let Some(text) = value.downcast_ref::<String>() {
            out.extend(text.as_bytes());
            out.push(0);
        } else if let Some(text) = value.downcast_ref::<h5quill::FixedAscii<9>>() {
            out.extend(text.as_str().as_bytes());
            out.push(0);
        } else if let Some(triple) = value.downcast_ref::<[i16; 3]>() {
            out.extend(
                triple
                    .iter()
                    .flat_map(|number| f64::from(*number).to_le_bytes()),
            );
        } else {
            out.extend(T::number(seed).to_le_bytes());
        }
    }
    out
}

const READ_WITH_H5PY: &str = r#"
import sys, os, glob, h5py, numpy as np
folder = sys.argv[1]
count = values = 0
for listing in sorted(glob.glob(os.path.join(folder, '*.txt'))):
    with h5py.File(listing[:-4] + '.h5', 'r') as f:
        for line in open(listing, encoding='utf8', newline='\n').read().split('\n'):
            part = line.split('\t')
            where = (listing, line[:200])
            if part[0] == 'group':
                assert len(f[part[1]]) == int(part[2]), where
                assert len(list(f[part[1]])) == int(part[2]), where
            elif part[0] == 'dataset':
                d = f[part[1]]
                shape = tuple(int(n) for n in part[3].split(',') if n)
                assert d.shape == shape, (where, d.shape)
                raw = open(os.path.join(folder, part[4]), 'rb').read()
                if part[2] in ('text', 'S9'):
                    want = raw.split(b'\0')[:-1]
                    got = [v if isinstance(v, bytes) else bytes(v) for v in np.asarray(d[()], dtype=object).reshape(-1)]
                    assert got == want, where
                else:
                    name = {'i2x3': 'i2'}.get(part[2], part[2])
                    got = np.asarray(d[()])
                    assert got.dtype.newbyteorder('<') == np.dtype(name).newbyteorder('<'), (where, got.dtype)
                    want = np.frombuffer(raw, '<f8')
                    assert np.array_equal(got.astype('f8').reshape(-1), want), where
                values += d.size
            elif part[0] == 'attribute':
                a = f[part[1]].attrs[part[2]]
                if part[3] == 'number':
                    assert int(a) == int(part[4]), where
                elif part[3] == 'real':
                    assert float(a) == float(part[4]), where
                elif part[3] == 'text':
                    assert a == part[4], (where, a)
                elif part[3] == 'texts':
                    assert list(a) == part[4].split('\x01'), where
                else:
                    assert list(a) == eval(part[4]), where
        def visit(name, obj):
            obj.attrs.keys()
        f.visititems(visit)
    count += 1
print(count, 'files', values, 'values')
"#;

static SAMPLES: Mutex<usize> = Mutex::new(0);

#[test]
fn any_sequence_of_operations_leaves_what_the_model_says() {
    let folder = tempfile::tempdir().unwrap();
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(300);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let strategy = proptest::collection::vec((0_u8..100, any::<u64>()), 1..90);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |script| {
        let mut run = Run::new(&mut Numbers(script[0].1));
        for (op, seed) in script {
            run.step(op, &mut Numbers(seed));
        }
        run.reopen(true);
        run.handles.clear();
        run.file = None;
        let mut samples = SAMPLES.lock().unwrap();
        *samples += 1;
        if samples.is_multiple_of(5) {
            keep_for_python(folder.path(), *samples, &run.storage.bytes(), &run.model);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    match support::run_python(READ_WITH_H5PY, &[folder.path().as_os_str()]) {
        Some(said) => print!("h5py read {said}"),
        None => support::say("left out: model files read by h5py: no h5py"),
    }
    let _ = std::io::stdout().flush();
}
