//! What a file must hold: objects by number, links, attributes and values, as plain maps and arrays.

use crate::state::{Numbers, Seeded, Spec, Value, with_type};
use h5quill::{
    ByteOrder, CharacterSet, CompoundMember, Dataset, Datatype, FillTime, Group, H5Type,
    SliceOrIndex, StringPadding,
};
use ndarray::{ArrayD, IxDyn, Slice};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Kinds of elements beyond those of [`with_type`]: a compound type and an enumeration, as bytes.
pub const COMPOUND: u8 = 8;
pub const ENUM: u8 = 9;

#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    Hard(usize),
    Soft(String),
}

#[derive(Debug, Clone)]
pub enum Node {
    /// The links in the order of their making.
    Group {
        tracked: bool,
        links: Vec<(String, Link)>,
    },
    Dataset(Spec, ArrayD<u32>),
    /// Something that this library carries and does not read, and what h5py said of it.
    Extra(String),
}

#[derive(Debug, Clone)]
pub struct Object {
    pub node: Node,
    pub attributes: BTreeMap<String, Value>,
    pub hard_links: usize,
}

/// All objects by number; the root group is 0, a deleted object is `None`.
#[derive(Debug, Clone)]
pub struct Model {
    pub objects: Vec<Option<Object>>,
}

pub fn join(path: &str, name: &str) -> String {
    format!("{}/{name}", path.trim_end_matches('/'))
}

impl Model {
    pub fn new(tracked: bool) -> Self {
        let mut model = Self {
            objects: Vec::new(),
        };
        model.add(Node::Group {
            tracked,
            links: Vec::new(),
        });
        model.object(0).hard_links = 1;
        model
    }

    pub fn add(&mut self, node: Node) -> usize {
        self.objects.push(Some(Object {
            node,
            attributes: BTreeMap::new(),
            hard_links: 0,
        }));
        self.objects.len() - 1
    }

    pub fn object(&mut self, id: usize) -> &mut Object {
        self.objects[id].as_mut().expect("the object is there")
    }

    pub fn links(&self, id: usize) -> &[(String, Link)] {
        match &self.objects[id].as_ref().expect("the object is there").node {
            Node::Group { links, .. } => links,
            _ => &[],
        }
    }

    fn links_mut(&mut self, id: usize) -> &mut Vec<(String, Link)> {
        match &mut self.object(id).node {
            Node::Group { links, .. } => links,
            _ => panic!("not a group"),
        }
    }

    pub fn find(&self, id: usize, name: &str) -> Option<&Link> {
        self.links(id)
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, link)| link)
    }

    pub fn dataset(&mut self, id: usize) -> (&Spec, &mut ArrayD<u32>) {
        match &mut self.object(id).node {
            Node::Dataset(spec, array) => (spec, array),
            _ => panic!("not a dataset"),
        }
    }

    /// Every object that hard links lead to, once, with one of its paths.
    pub fn walk(&self) -> Vec<(usize, String)> {
        let mut found = vec![(0, String::from("/"))];
        let mut seen = BTreeSet::from([0]);
        let mut at = 0;
        while at < found.len() {
            let (id, path) = found[at].clone();
            for (name, link) in self.links(id) {
                if let Link::Hard(child) = link
                    && seen.insert(*child)
                {
                    found.push((*child, join(&path, name)));
                }
            }
            at += 1;
        }
        found
    }

    pub fn of_kind(&self, is: impl Fn(&Node) -> bool) -> Vec<(usize, String)> {
        let mut found = self.walk();
        found.retain(|(id, _)| is(&self.objects[*id].as_ref().expect("walked").node));
        found
    }

    pub fn groups(&self) -> Vec<(usize, String)> {
        self.of_kind(|node| matches!(node, Node::Group { .. }))
    }

    pub fn datasets(&self) -> Vec<(usize, String)> {
        self.of_kind(|node| matches!(node, Node::Dataset(..)))
    }

    /// Whether hard links lead from one object to another.
    pub fn reaches(&self, from: usize, to: usize) -> bool {
        from == to
            || self.links(from).iter().any(|(_, link)| match link {
                Link::Hard(child) => self.reaches(*child, to),
                Link::Soft(_) => false,
            })
    }

    pub fn link(&mut self, group: usize, name: &str, link: Link) {
        if let Link::Hard(id) = link {
            self.object(id).hard_links += 1;
        }
        self.links_mut(group).push((name.into(), link));
    }

    /// Takes a link out, and gives it.
    pub fn take(&mut self, group: usize, name: &str) -> Link {
        let links = self.links_mut(group);
        let at = links
            .iter()
            .position(|(have, _)| have == name)
            .expect("the link is there");
        links.remove(at).1
    }

    /// Gives a link up, and what only it held.
    pub fn unlink(&mut self, group: usize, name: &str) {
        let mut gone = vec![self.take(group, name)];
        while let Some(link) = gone.pop() {
            let Link::Hard(id) = link else { continue };
            let object = self.object(id);
            object.hard_links -= 1;
            if object.hard_links == 0
                && let Some(Object {
                    node: Node::Group { links, .. },
                    ..
                }) = self.objects[id].take()
            {
                gone.extend(links.into_iter().map(|(_, link)| link));
            }
        }
    }

    /// Copies an object with all that hard links lead to; what several lead to, once.
    pub fn copy(&mut self, id: usize, copies: &mut BTreeMap<usize, usize>) -> usize {
        if let Some(copy) = copies.get(&id) {
            return *copy;
        }
        let mut object = self.object(id).clone();
        object.hard_links = 0;
        let links = match &mut object.node {
            Node::Group { links, .. } => std::mem::take(links),
            _ => Vec::new(),
        };
        self.objects.push(Some(object));
        let copy = self.objects.len() - 1;
        copies.insert(id, copy);
        for (name, link) in links {
            let link = match link {
                Link::Hard(child) => Link::Hard(self.copy(child, copies)),
                soft => soft,
            };
            self.link(copy, &name, link);
        }
        copy
    }

    /// Where an absolute path leads, soft links followed.
    pub fn resolve(&self, path: &str, depth: usize) -> Option<usize> {
        let mut at = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match self.find(at, name)? {
                Link::Hard(id) => *id,
                Link::Soft(target) if depth > 0 => self.resolve(target, depth - 1)?,
                Link::Soft(_) => return None,
            };
        }
        Some(at)
    }

    /// The names of a group in the order that readers show.
    pub fn names(&self, id: usize) -> Vec<String> {
        let mut names: Vec<String> = self
            .links(id)
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        if !self.tracked(id) {
            names.sort();
        }
        names
    }

    pub fn tracked(&self, id: usize) -> bool {
        matches!(
            self.objects[id].as_ref().map(|object| &object.node),
            Some(Node::Group { tracked: true, .. })
        )
    }

    /// Everything, a line each, as `two_way.py` says it.
    pub fn listing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.list(0, "", &mut lines);
        lines.sort();
        lines
    }

    fn list(&self, id: usize, path: &str, lines: &mut Vec<String>) {
        let object = self.objects[id].as_ref().expect("the object is there");
        match &object.node {
            Node::Group { links, .. } => {
                lines.push(format!("G\t{path}\t{}", self.names(id).join("|")));
                for (name, link) in links {
                    let below = format!("{path}/{name}");
                    match link {
                        Link::Hard(child) => self.list(*child, &below, lines),
                        Link::Soft(target) => lines.push(format!("S\t{below}\t{target}")),
                    }
                }
            }
            Node::Dataset(spec, array) => {
                let max: Vec<String> = spec
                    .max
                    .iter()
                    .map(|max| max.map_or("-".into(), |max| max.to_string()))
                    .collect();
                let crc = crc32fast::hash(&canonical(spec.kind, array));
                lines.push(format!(
                    "D\t{path}\t{:?}\t{}\t{crc:08x}",
                    array.shape(),
                    max.join(" ")
                ));
            }
            Node::Extra(said) => lines.push(format!("X\t{path}\t{said}")),
        }
        for (name, value) in &object.attributes {
            lines.push(format!(
                "A\t{path}\t{name}\t{:08x}",
                crc32fast::hash(&attribute_bytes(value))
            ));
        }
    }
}

fn attribute_bytes(value: &Value) -> Vec<u8> {
    let reals = |values: &[f64]| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    };
    let texts = |values: &[String]| {
        values
            .iter()
            .flat_map(|text| format!("{text}\0").into_bytes())
            .collect()
    };
    match value {
        Value::Number(value) => reals(&[*value as f64]),
        Value::Real(value) => reals(&[*value]),
        Value::Flag(value) => reals(&[f64::from(u8::from(*value))]),
        Value::Text(value) => texts(std::slice::from_ref(value)),
        Value::Texts(values) => texts(values),
        Value::List(values) => reals(values),
    }
}

/// One element of the kinds that are given as bytes.
fn element(kind: u8, seed: u32) -> Vec<u8> {
    if kind == ENUM {
        return vec![(seed % 3) as u8];
    }
    let mut bytes = (seed as i32).to_le_bytes().to_vec();
    bytes.extend((f64::from(seed) / 8.0).to_be_bytes());
    bytes.extend(format!("{:05}", seed % 100_000).as_bytes());
    if seed == 0 {
        bytes.fill(0);
    }
    bytes
}

pub fn elements(kind: u8, array: &ArrayD<u32>) -> Vec<u8> {
    array.iter().flat_map(|&seed| element(kind, seed)).collect()
}

/// The values as both readers are compared by: numbers as f64, texts ended by NUL, compounds as they are stored.
fn canonical(kind: u8, array: &ArrayD<u32>) -> Vec<u8> {
    match kind {
        COMPOUND => elements(kind, array),
        ENUM => array
            .iter()
            .flat_map(|&seed| f64::from(seed % 3).to_le_bytes())
            .collect(),
        _ => with_type!(kind, T => typed::<T>(array)),
    }
}

fn typed<T: Seeded + std::any::Any>(array: &ArrayD<u32>) -> Vec<u8> {
    let mut out = Vec::new();
    for &seed in array {
        let value = T::value(seed);
        let any: &dyn std::any::Any = &value;
        if let Some(text) = any.downcast_ref::<String>() {
            out.extend(format!("{text}\0").as_bytes());
        } else if let Some(text) = any.downcast_ref::<h5quill::FixedAscii<9>>() {
            out.extend(format!("{}\0", text.as_str()).as_bytes());
        } else if let Some(triple) = any.downcast_ref::<[i16; 3]>() {
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

fn compound() -> Datatype {
    let member = |name: &str, offset, datatype| CompoundMember {
        name: name.into(),
        offset,
        datatype,
    };
    let text = Datatype::FixedString {
        size: 5,
        padding: StringPadding::NullPad,
        charset: CharacterSet::Ascii,
    };
    Datatype::Compound {
        size: 17,
        members: vec![
            member("a", 0, i32::datatype()),
            member(
                "b",
                4,
                f64::datatype().with_byte_order(ByteOrder::BigEndian),
            ),
            member("c", 12, text),
        ],
    }
}

fn enumeration() -> Datatype {
    let members = ["A", "B", "C"]
        .iter()
        .zip(0..)
        .map(|(name, value)| (String::from(*name), vec![value]));
    Datatype::Enum {
        base: Box::new(u8::datatype()),
        members: members.collect(),
    }
}

/// A random description, of one of all kinds.
pub fn random_spec(numbers: &mut Numbers) -> Spec {
    let mut spec = Spec::random(numbers);
    if numbers.one_in(5) {
        spec.kind = COMPOUND + numbers.below(2) as u8;
        spec.big = false;
    }
    spec
}

/// Makes a dataset with this library.
pub fn create(spec: &Spec, parent: &Group, path: &str) -> h5quill::Result<()> {
    if spec.kind < COMPOUND {
        return spec.create(parent, path).map(drop);
    }
    let datatype = if spec.kind == COMPOUND {
        compound()
    } else {
        enumeration()
    };
    let extents: Vec<h5quill::Extent> = spec
        .dims
        .iter()
        .zip(&spec.max)
        .map(|(dim, max)| h5quill::Extent::new(*dim as u64, max.map(|max| max as u64)))
        .collect();
    let mut builder = parent.new_dataset_of(datatype).shape(extents);
    if let Some(chunk) = &spec.chunk {
        builder = builder.chunk(chunk);
    }
    if spec.shuffle {
        builder = builder.shuffle();
    }
    if let Some(level) = spec.deflate {
        builder = builder.deflate(level);
    }
    if spec.fletcher {
        builder = builder.fletcher32();
    }
    if spec.fill != 0 {
        builder = builder.fill_value_bytes(&element(spec.kind, spec.fill));
    }
    if spec.chunk.is_none() {
        // As with those of h5py: otherwise libhdf5 shows what happened to be in the file where no fill value was given.
        builder = builder.fill_time(FillTime::OnAllocation);
    }
    builder = match spec.layout {
        1 => builder.compact(),
        2 => builder.contiguous(),
        3 => builder.chunked(),
        _ => builder,
    };
    builder.create(path).map(drop)
}

/// The part of every axis that is written: start, end, step.
pub type Part = Vec<(usize, usize, usize)>;

pub fn slice(part: &Part) -> impl Fn(ndarray::AxisDescription) -> Slice + '_ {
    |at| {
        let (start, end, step) = part[at.axis.index()];
        Slice::new(start as isize, Some(end as isize), step as isize)
    }
}

/// Writes a part with this library.
pub fn write(
    dataset: &Dataset,
    kind: u8,
    part: &Part,
    values: &ArrayD<u32>,
) -> h5quill::Result<()> {
    let axes = part
        .iter()
        .map(|&(start, end, step)| SliceOrIndex::from(start..end).step_by(step));
    let selection: Vec<SliceOrIndex> = axes.collect();
    match kind {
        COMPOUND | ENUM => dataset.write_bytes(&elements(kind, values), selection),
        _ => with_type!(kind, T => dataset.write_slice(values.mapv(T::value).view(), selection)),
    }
}

/// Compares a dataset as this library reads it.
pub fn check_values(dataset: &Dataset, spec: &Spec, array: &ArrayD<u32>, path: &str) {
    assert_eq!(dataset.shape(), array.shape(), "{path}");
    assert_eq!(dataset.maxshape(), spec.max, "{path}");
    match spec.kind {
        COMPOUND | ENUM => {
            let read = dataset
                .read_bytes(..)
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(read == elements(spec.kind, array), "{path}: other values");
        }
        _ => with_type!(spec.kind, T => {
            let read = dataset.read_dyn::<T>().unwrap_or_else(|error| panic!("{error}"));
            crate::state::compare(&read, &array.mapv(T::value), path);
        }),
    }
}

/// Numbers as JSON has them.
pub fn json<T: ToString>(values: impl IntoIterator<Item = Option<T>>) -> String {
    let mut out = String::from("[");
    for value in values {
        let comma = if out.len() > 1 { "," } else { "" };
        let value = value.map_or("null".into(), |value| value.to_string());
        write!(out, "{comma}{value}").expect("a string takes it");
    }
    out + "]"
}

pub fn empty(spec: &Spec) -> ArrayD<u32> {
    ArrayD::from_elem(IxDyn(&spec.dims), spec.fill)
}
