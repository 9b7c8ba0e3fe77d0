//! Every edit that the API offers, each on one object of any file. A new verb is one line of [`VERBS`].

#![allow(dead_code, reason = "each test program uses a part of it")]

use h5quill::{Dataset, Datatype, ErrorKind, File, Group, Location, Result};
use ndarray::{ArrayD, IxDyn};

/// What an edit did.
pub(crate) enum Done {
    /// It was made; what a checker has to know: the name of an attribute or of a member.
    Made(String),
    /// The object has nothing to edit so: no attribute, a fixed extent, a scalar.
    NotApplicable,
}

use Done::{Made, NotApplicable};

/// An edit, by the kind of object that it is made on.
pub(crate) enum Run {
    OnAny(fn(&Location) -> Result<Done>),
    ToGroup(fn(&Group) -> Result<Done>),
    InDataset(fn(&Dataset) -> Result<Done>),
}

use Run::{InDataset, OnAny, ToGroup};

/// The name of whatever is made.
const NEW: &str = "made by h5quill";

pub(crate) const VERBS: &[(&str, Run)] = &[
    ("set attribute", OnAny(set_attribute)),
    ("set text attribute", OnAny(set_text_attribute)),
    ("replace attribute", OnAny(replace_attribute)),
    ("overwrite attribute", OnAny(overwrite_attribute)),
    ("delete attribute", OnAny(delete_attribute)),
    ("rename attribute", OnAny(rename_attribute)),
    ("comment", OnAny(comment)),
    ("create group", ToGroup(create_group)),
    ("create dataset", ToGroup(create_dataset)),
    ("link soft", ToGroup(link_soft)),
    ("link hard", ToGroup(link_hard)),
    ("link external", ToGroup(link_external)),
    ("relink", ToGroup(relink)),
    ("commit datatype", ToGroup(commit_datatype)),
    ("copy", ToGroup(copy)),
    ("copy deep", ToGroup(copy_deep)),
    ("make and unlink", ToGroup(make_and_unlink)),
    ("unlink", ToGroup(unlink)),
    ("append", InDataset(append)),
    ("resize up", InDataset(resize_up)),
    ("resize down", InDataset(resize_down)),
    ("rewrite", InDataset(rewrite)),
];

fn set_attribute(at: &Location) -> Result<Done> {
    at.set_attr(NEW, 7)?;
    Ok(Made(NEW.into()))
}

fn set_text_attribute(at: &Location) -> Result<Done> {
    at.set_attr(NEW, ["some", "text"])?;
    Ok(Made(NEW.into()))
}

/// The first attribute becomes one of another type.
fn replace_attribute(at: &Location) -> Result<Done> {
    let Some(name) = at.attr_names()?.into_iter().next() else {
        return Ok(NotApplicable);
    };
    at.set_attr(&name, 7)?;
    Ok(Made(name))
}

/// The first attribute whose values this library reads is written as it is.
fn overwrite_attribute(at: &Location) -> Result<Done> {
    for name in at.attr_names()? {
        let attribute = at.attr(&name)?;
        macro_rules! same {
            ($($t:ty),*) => { $(
                if let Ok(values) = attribute.read_dyn::<$t>() && !values.is_empty() {
                    match attribute.write(values.view()) {
                        // It was converted as it was read.
                        Err(error) if matches!(error.kind(), ErrorKind::TypeMismatch { .. }) => {}
                        other => return other.map(|()| Made(name)),
                    }
                }
            )* };
        }
        same!(String, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
    }
    Ok(NotApplicable)
}

fn delete_attribute(at: &Location) -> Result<Done> {
    let Some(name) = at.attr_names()?.into_iter().next() else {
        return Ok(NotApplicable);
    };
    at.delete_attr(&name)?;
    Ok(Made(name))
}

fn rename_attribute(at: &Location) -> Result<Done> {
    let Some(name) = at.attr_names()?.into_iter().next() else {
        return Ok(NotApplicable);
    };
    at.rename_attr(&name, NEW)?;
    Ok(Made(name))
}

fn comment(at: &Location) -> Result<Done> {
    at.set_comment(NEW)?;
    Ok(Made(NEW.into()))
}

fn link_external(at: &Group) -> Result<Done> {
    at.link_external("other.h5", "/x", NEW)?;
    Ok(Made(NEW.into()))
}

/// The last link of any kind gets another name.
fn relink(at: &Group) -> Result<Done> {
    let Some(name) = at.member_names()?.pop() else {
        return Ok(NotApplicable);
    };
    at.relink(&name, NEW)?;
    Ok(Made(name))
}

fn commit_datatype(at: &Group) -> Result<Done> {
    let members = [("x", 0), ("y", 8)].map(|(name, offset)| h5quill::CompoundMember {
        name: name.into(),
        offset,
        datatype: <f64 as h5quill::H5Type>::datatype(),
    });
    let point = Datatype::Compound {
        size: 16,
        members: members.into(),
    };
    at.commit_datatype(NEW, &point)?;
    Ok(Made(NEW.into()))
}

/// The first dataset of the group, beside it.
fn copy(at: &Group) -> Result<Done> {
    for name in at.member_names()? {
        if at.dataset(&name).is_ok() {
            at.copy(&name, at, NEW)?;
            return Ok(Made(format!("{NEW}\0{name}")));
        }
    }
    Ok(NotApplicable)
}

/// The first group of the group, with all it holds.
fn copy_deep(at: &Group) -> Result<Done> {
    for name in at.member_names()? {
        if at.group(&name).is_ok() {
            at.copy(&name, at, NEW)?;
            return Ok(Made(format!("{NEW}\0{name}")));
        }
    }
    Ok(NotApplicable)
}

fn create_group(at: &Group) -> Result<Done> {
    at.create_group(NEW)?.set_attr("a", 1)?;
    Ok(Made(NEW.into()))
}

fn create_dataset(at: &Group) -> Result<Done> {
    let data = at.new_dataset::<f64>().shape((0.., 3)).create(NEW)?;
    data.append(&ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])?;
    Ok(Made(NEW.into()))
}

fn link_soft(at: &Group) -> Result<Done> {
    at.link_soft("/nowhere", NEW)?;
    Ok(Made(NEW.into()))
}

/// A second link to the first member.
fn link_hard(at: &Group) -> Result<Done> {
    for name in at.member_names()? {
        if at.dataset(&name).is_ok() || at.group(&name).is_ok() {
            at.link_hard(&name, NEW)?;
            return Ok(Made(NEW.into()));
        }
    }
    Ok(NotApplicable)
}

fn make_and_unlink(at: &Group) -> Result<Done> {
    at.create_group(NEW)?.create_group("below")?;
    at.unlink(NEW)?;
    Ok(Made(NEW.into()))
}

/// The last member.
fn unlink(at: &Group) -> Result<Done> {
    let Some(name) = at.member_names()?.pop() else {
        return Ok(NotApplicable);
    };
    at.unlink(&name)?;
    Ok(Made(name))
}

/// Along the first axis that can grow.
fn growing_axis(data: &Dataset) -> Option<usize> {
    let (shape, max) = (data.shape(), data.maxshape());
    data.chunk()?;
    (0..shape.len()).find(|&axis| max[axis].is_none_or(|max| max > shape[axis]))
}

const MOST: usize = 1 << 20;

fn append(data: &Dataset) -> Result<Done> {
    let Some(axis) = growing_axis(data) else {
        return Ok(NotApplicable);
    };
    let mut row = data.shape();
    row[axis] = 1;
    if row.iter().product::<usize>() > MOST {
        return Ok(NotApplicable);
    }
    macro_rules! try_types {
        ($($t:ty),*) => { $(
            match data.append_axis(axis, ArrayD::from_elem(IxDyn(&row), <$t>::default()).view()) {
                Err(error) if matches!(error.kind(), ErrorKind::TypeMismatch { .. }) => {}
                other => return other.map(|()| Made(axis.to_string())),
            }
        )* };
    }
    try_types!(String, i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, bool);
    let bytes = row.iter().product::<usize>() * data.dtype()?.size() as usize;
    let mut shape = data.shape();
    let first = shape[axis];
    shape[axis] += 1;
    data.resize(&shape)?;
    let selection: Vec<h5quill::SliceOrIndex> = (0..shape.len())
        .map(|i| match i == axis {
            true => (first..first + 1).into(),
            false => (..).into(),
        })
        .collect();
    data.write_bytes(&vec![0; bytes], selection)?;
    Ok(Made(axis.to_string()))
}

fn resize_up(data: &Dataset) -> Result<Done> {
    let Some(axis) = growing_axis(data) else {
        return Ok(NotApplicable);
    };
    let mut shape = data.shape();
    let most = data.maxshape()[axis].unwrap_or(usize::MAX);
    shape[axis] = most.min(shape[axis] + 3);
    data.resize(&shape)?;
    Ok(Made(format!("{shape:?}")))
}

fn resize_down(data: &Dataset) -> Result<Done> {
    let shape = data.shape();
    if data.chunk().is_none() || shape.iter().all(|&dim| dim == 0) {
        return Ok(NotApplicable);
    }
    let half: Vec<usize> = shape.iter().map(|dim| dim / 2).collect();
    data.resize(&half)?;
    Ok(Made(format!("{half:?}")))
}

/// The middle of the dataset is written with the values it has.
fn rewrite(data: &Dataset) -> Result<Done> {
    let shape = data.shape();
    if shape.contains(&0) {
        return Ok(NotApplicable);
    }
    let part: Vec<h5quill::SliceOrIndex> = shape
        .iter()
        .map(|&dim| (dim / 3..(dim / 3 + 1000).min(dim - dim / 3).max(dim / 3 + 1)).into())
        .collect();
    if shape
        .iter()
        .map(|dim| (dim - dim / 3).min(1000))
        .product::<usize>()
        > MOST
    {
        return Ok(NotApplicable);
    }
    match data.dtype()? {
        Datatype::VarLenString { .. } => {
            let values: ArrayD<String> = data.read_slice(part.clone())?;
            data.write_slice(values.view(), part)?;
        }
        _ => data.write_bytes(&data.read_bytes(part.clone())?, part)?,
    }
    Ok(Made(String::new()))
}

/// The objects of a file that the verbs are tried on: the root group, one more group, and a dataset of each kind.
pub(crate) struct Targets {
    pub(crate) groups: Vec<Group>,
    pub(crate) datasets: Vec<Dataset>,
}

impl Targets {
    pub(crate) fn of(file: &File, most: usize) -> Self {
        let mut targets = Self {
            groups: vec![file.root()],
            datasets: Vec::new(),
        };
        let mut kinds = std::collections::BTreeSet::new();
        targets.look(&file.root(), 8, most, &mut kinds, &mut 2000);
        targets
    }

    fn look(
        &mut self,
        group: &Group,
        depth: usize,
        most: usize,
        kinds: &mut std::collections::BTreeSet<String>,
        left: &mut usize,
    ) {
        for name in group.member_names().unwrap_or_default() {
            let Some(fewer) = left.checked_sub(1) else {
                return;
            };
            *left = fewer;
            if let Ok(data) = group.dataset(&name) {
                let kind = format!(
                    "{:?} {} {} {:?} {}",
                    data.dtype().map(|dtype| dtype.to_string()),
                    data.ndim(),
                    data.chunk().is_some(),
                    data.filters()
                        .map(|filters| filters.iter().map(|filter| filter.id).collect::<Vec<_>>()),
                    data.is_resizable(),
                );
                if self.datasets.len() < most && kinds.insert(kind) {
                    self.datasets.push(data);
                }
            } else if let (Ok(child), true) = (group.group(&name), depth > 0) {
                if self.groups.len() < 2 {
                    self.groups.push(child.clone());
                }
                self.look(&child, depth - 1, most, kinds, left);
            }
        }
    }

    /// The paths that a verb is tried on.
    pub(crate) fn paths(&self, run: &Run) -> Vec<String> {
        let groups = self.groups.iter().map(|group| group.name());
        let datasets = self.datasets.iter().map(|data| data.name());
        match run {
            OnAny(_) => groups.chain(datasets.take(4)).collect(),
            ToGroup(_) => groups.collect(),
            InDataset(_) => datasets.collect(),
        }
    }
}

impl Run {
    /// Makes the edit on the object at a path.
    pub(crate) fn on(&self, file: &File, path: &str) -> Result<Done> {
        match self {
            OnAny(run) => match file.dataset(path) {
                Ok(data) => run(&data),
                Err(_) => run(&*group(file, path)?),
            },
            ToGroup(run) => run(&group(file, path)?),
            InDataset(run) => run(&file.dataset(path)?),
        }
    }
}

fn group(file: &File, path: &str) -> Result<Group> {
    match path {
        "/" => Ok(file.root()),
        _ => file.group(path),
    }
}
