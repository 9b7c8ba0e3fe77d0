//! Datasets and attributes written from samples, and a manifest of them that `common.py` checks.

use crate::samples::{FILL_INDEX, Sample};
use crate::support::{left_out, python, run_python_with};
use h5quill::{
    AllocTime, ByteOrder, Dataset, Extent, Extents, File, FillTime, Location, SliceOrIndex,
};
use ndarray::{ArrayD, IxDyn, Slice};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How the data of a case get into the file.
#[derive(Debug, Clone, PartialEq)]
pub enum How {
    /// All at once.
    Whole,
    /// In three rounds of growth with a flush after each; what was there is rewritten.
    Grown,
    /// Only the first elements of each axis.
    Part(Vec<usize>),
    /// Not at all.
    Nothing,
}

/// One dataset.
#[derive(Debug, Clone)]
pub struct Case {
    pub shape: Vec<Extent>,
    pub chunk: Option<Vec<usize>>,
    pub layout: &'static str,
    pub big: bool,
    pub shuffle: bool,
    pub deflate: Option<u8>,
    pub fletcher32: bool,
    pub fill: bool,
    pub fill_time: FillTime,
    pub early: bool,
    pub how: How,
}

pub fn case(shape: impl Into<Extents>, layout: &'static str) -> Case {
    let Extents::Simple(shape) = shape.into() else {
        return Case {
            layout,
            ..case([0], "contiguous")
        }
        .scalar();
    };
    Case {
        shape,
        chunk: None,
        layout,
        big: false,
        shuffle: false,
        deflate: None,
        fletcher32: false,
        fill: false,
        fill_time: FillTime::IfSet,
        early: false,
        how: How::Whole,
    }
}

impl Case {
    fn scalar(mut self) -> Self {
        self.shape.clear();
        self
    }

    pub fn chunk(mut self, chunk: &[usize]) -> Self {
        self.chunk = Some(chunk.to_vec());
        self
    }

    pub fn how(mut self, how: How) -> Self {
        self.how = how;
        self
    }

    fn filters(&self) -> Vec<u16> {
        let mut filters = Vec::new();
        filters.extend(self.shuffle.then_some(2));
        filters.extend(self.deflate.map(|_| 1));
        filters.extend(self.fletcher32.then_some(3));
        filters
    }
}

/// The manifest of one file.
pub struct Manifest {
    pub file: PathBuf,
    lines: String,
    seed: u64,
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
    out + "\""
}

/// The values of a shape.
pub fn values<T: Sample>(seed: u64, shape: &[usize]) -> ArrayD<T> {
    let count: usize = shape.iter().product();
    let values = (0..count as u64)
        .map(|index| T::sample(seed, index))
        .collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

/// The first elements of each axis.
pub fn corner<T: Clone>(values: &ArrayD<T>, dims: &[usize]) -> ArrayD<T> {
    values
        .slice_each_axis(|axis| Slice::from(0..dims[axis.axis.index()]))
        .to_owned()
}

fn corner_of(dims: &[usize]) -> Vec<SliceOrIndex> {
    dims.iter().map(|&dim| (0..dim).into()).collect()
}

impl Manifest {
    pub fn new(file: &Path, seed: u64) -> Self {
        Self {
            file: file.to_owned(),
            lines: String::new(),
            seed,
        }
    }

    /// Writes a dataset as the case says, and the line that says so.
    pub fn dataset<T: Sample>(&mut self, file: &File, path: &str, case: &Case) -> Dataset {
        self.seed += 1;
        let seed = self.seed;
        let dims: Vec<usize> = case
            .shape
            .iter()
            .map(|extent| extent.dim as usize)
            .collect();
        let at_step = |step: usize| -> Vec<usize> {
            let grown = |extent: &Extent| match extent.max {
                Some(max) if max == extent.dim => extent.dim as usize,
                _ => (extent.dim as usize * step).div_ceil(3),
            };
            case.shape.iter().map(grown).collect()
        };
        let start: Vec<Extent> = match case.how {
            How::Grown => {
                let pairs = case.shape.iter().zip(at_step(0));
                pairs
                    .map(|(extent, dim)| Extent::new(dim as u64, extent.max))
                    .collect()
            }
            _ => case.shape.clone(),
        };
        let mut builder = file.new_dataset::<T>().shape(if start.is_empty() {
            Extents::Scalar
        } else {
            Extents::Simple(start)
        });
        if case.big {
            builder = builder.byte_order(ByteOrder::BigEndian);
        }
        builder = match case.layout {
            "compact" => builder.compact(),
            "contiguous" => builder.contiguous(),
            "chunked" => builder.chunked(),
            _ => builder,
        };
        if let Some(chunk) = &case.chunk {
            builder = builder.chunk(chunk.clone());
        }
        if case.shuffle {
            builder = builder.shuffle();
        }
        if let Some(level) = case.deflate {
            builder = builder.deflate(level);
        }
        if case.fletcher32 {
            builder = builder.fletcher32();
        }
        if case.fill {
            builder = builder.fill_value(T::sample(seed, FILL_INDEX));
        }
        builder = builder.fill_time(case.fill_time);
        if case.early {
            builder = builder.alloc_time(AllocTime::Early);
        }
        let dataset = builder.create(path).unwrap();
        let whole = values::<T>(seed, &dims);
        let mut written = dims.clone();
        match &case.how {
            How::Whole => dataset.write(&whole).unwrap(),
            How::Grown => {
                for step in 1..=3 {
                    let dims = at_step(step);
                    dataset.resize(dims.clone()).unwrap();
                    dataset.write(&corner(&whole, &dims)).unwrap();
                    file.flush().unwrap();
                }
            }
            How::Part(part) => {
                dataset
                    .write_slice(&corner(&whole, part), corner_of(part))
                    .unwrap();
                written.clone_from(part);
            }
            How::Nothing => written.fill(0),
        }
        assert_eq!(dataset.shape(), dims);
        let max: Vec<String> = case
            .shape
            .iter()
            .map(|extent| extent.max.map_or("null".into(), |max| max.to_string()))
            .collect();
        writeln!(
            self.lines,
            r#"{{"path": {}, "type": "{}", "order": "{}", "shape": {dims:?}, "max": [{}], "chunk": {}, "layout": "{}", "filters": {:?}, "fill": {}, "fill_time": "{:?}", "early": {}, "seed": {seed}, "written": {written:?}}}"#,
            quoted(path),
            T::token(),
            if case.big { '>' } else { '<' },
            max.join(", "),
            case.chunk.as_ref().map_or("null".into(), |chunk| format!("{chunk:?}")),
            case.layout,
            case.filters(),
            case.fill,
            case.fill_time,
            case.early,
        )
        .unwrap();
        dataset
    }

    /// A dataset without an extent.
    pub fn null_dataset<T: Sample>(&mut self, file: &File, path: &str) {
        file.new_dataset::<T>()
            .shape(Extents::Null)
            .create(path)
            .unwrap();
        writeln!(
            self.lines,
            r#"{{"path": {}, "type": "{}", "order": "<", "shape": "null"}}"#,
            quoted(path),
            T::token()
        )
        .unwrap();
    }

    /// Writes an attribute of a shape, `None` for a null extent.
    pub fn attribute<T: Sample>(
        &mut self,
        location: &Location,
        name: &str,
        shape: Option<&[usize]>,
        big: bool,
    ) {
        self.seed += 1;
        let mut builder = location.new_attr::<T>().shape(match shape {
            Some([]) => Extents::Scalar,
            Some(shape) => shape.into(),
            None => Extents::Null,
        });
        if big {
            builder = builder.byte_order(ByteOrder::BigEndian);
        }
        let attribute = builder.create(name).unwrap();
        if let Some(shape) = shape {
            attribute.write(&values::<T>(self.seed, shape)).unwrap();
        }
        writeln!(
            self.lines,
            r#"{{"path": {}, "attribute": {}, "type": "{}", "order": "{}", "shape": {}, "seed": {}}}"#,
            quoted(&location.name()),
            quoted(name),
            T::token(),
            if big { '>' } else { '<' },
            shape.map_or("\"null\"".into(), |shape| format!("{shape:?}")),
            self.seed
        )
        .unwrap();
    }

    /// The manifest beside the file.
    pub fn save(&self) -> PathBuf {
        let path = self.file.with_extension("manifest");
        std::fs::write(&path, &self.lines).unwrap();
        path
    }

    /// The file holds what `other` says too.
    pub fn extend(&mut self, other: Self) {
        self.lines += &other.lines;
    }

    pub fn len(&self) -> usize {
        self.lines.lines().count()
    }

    /// Every h5py there is finds in the file what the manifest says.
    pub fn check(&self) {
        let manifest = self.save();
        for python in pythons() {
            let found = script(
                &python,
                "check_manifest.py",
                &[self.file.as_os_str(), manifest.as_os_str()],
            );
            assert_eq!(found.trim(), self.len().to_string());
        }
    }
}

/// A script of this folder.
pub fn script(python: &Path, name: &str, arguments: &[&OsStr]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(name);
    run_python_with(python, path.to_str().unwrap(), arguments)
}

/// Every Python with an h5py: the one of `support`, and those that `setup.sh` makes with older libhdf5.
pub fn pythons() -> Vec<PathBuf> {
    let mut pythons: Vec<PathBuf> = python().into_iter().collect();
    if pythons.is_empty() {
        return pythons;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (directory, what) in [
        (".venv-h5py311", "h5py 3.11 (libhdf5 1.14.2)"),
        (".venv-h5py38", "h5py 3.8 (libhdf5 1.12.2)"),
    ] {
        let python = root.join(directory).join("bin/python");
        if python.is_file() {
            pythons.push(python);
        } else {
            left_out("reading with an older libhdf5", what);
        }
    }
    pythons
}
