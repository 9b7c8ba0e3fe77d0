//! The model: what a file must hold, as plain maps and arrays. An element is a number, its seed, from which each type
//! makes its value; so one array type serves all element types.

use h5quill::{ByteOrder, F80, File, FixedAscii, Group, H5Type};
use ndarray::{ArrayD, Dimension, IxDyn, Slice};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A Rust type whose values come from seeds.
pub(crate) trait Seeded: H5Type + PartialEq + Debug {
    const NAME: &'static str;
    fn value(seed: u32) -> Self;
    /// What another reader compares with.
    fn number(seed: u32) -> f64 {
        f64::from(seed)
    }
}

impl Seeded for u16 {
    const NAME: &'static str = "u2";
    fn value(seed: u32) -> Self {
        seed as u16
    }
    fn number(seed: u32) -> f64 {
        f64::from(seed as u16)
    }
}
impl Seeded for i32 {
    const NAME: &'static str = "i4";
    fn value(seed: u32) -> Self {
        -(seed as i32 & 0xff_ffff)
    }
    fn number(seed: u32) -> f64 {
        f64::from(Self::value(seed))
    }
}
impl Seeded for f64 {
    const NAME: &'static str = "f8";
    fn value(seed: u32) -> Self {
        f64::from(seed) / 8.0
    }
    fn number(seed: u32) -> f64 {
        Self::value(seed)
    }
}
impl Seeded for F80 {
    const NAME: &'static str = "f16";
    fn value(seed: u32) -> Self {
        F80::from(f64::value(seed))
    }
    fn number(seed: u32) -> f64 {
        f64::value(seed)
    }
}
impl Seeded for bool {
    const NAME: &'static str = "?";
    fn value(seed: u32) -> Self {
        seed % 2 == 1
    }
    fn number(seed: u32) -> f64 {
        f64::from(seed % 2)
    }
}
impl Seeded for [i16; 3] {
    const NAME: &'static str = "i2x3";
    fn value(seed: u32) -> Self {
        [seed as i16, -(seed as i16 & 0xff), (seed / 3) as i16]
    }
}
impl Seeded for FixedAscii<9> {
    const NAME: &'static str = "S9";
    fn value(seed: u32) -> Self {
        if seed == 0 {
            return H5Type::zero();
        }
        seed.to_string()[..seed.to_string().len().min(9)]
            .parse()
            .unwrap()
    }
}
impl Seeded for String {
    const NAME: &'static str = "text";
    fn value(seed: u32) -> Self {
        match seed {
            0 => Self::new(),
            // Now and then one too long for a small collection.
            _ if seed.is_multiple_of(97) => "é".repeat(seed as usize % 5000),
            _ => format!("é{}", "x".repeat(seed as usize % 40)) + &seed.to_string(),
        }
    }
}

/// Runs an expression with `T` standing for the element type of a kind.
macro_rules! with_type {
    ($kind:expr, $t:ident => $run:expr) => {
        match $kind % 8 {
            0 => {
                type $t = u16;
                $run
            }
            1 => {
                type $t = i32;
                $run
            }
            2 => {
                type $t = f64;
                $run
            }
            3 => {
                type $t = h5quill::F80;
                $run
            }
            4 => {
                type $t = bool;
                $run
            }
            5 => {
                type $t = [i16; 3];
                $run
            }
            6 => {
                type $t = h5quill::FixedAscii<9>;
                $run
            }
            _ => {
                type $t = String;
                $run
            }
        }
    };
}
pub(crate) use with_type;

/// A small generator of numbers, so that one `u64` describes an operation.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What a dataset was created as.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) kind: u8,
    pub(crate) dims: Vec<usize>,
    pub(crate) max: Vec<Option<usize>>,
    pub(crate) chunk: Option<Vec<usize>>,
    pub(crate) shuffle: bool,
    pub(crate) deflate: Option<u8>,
    pub(crate) fletcher: bool,
    pub(crate) big: bool,
    pub(crate) fill: u32,
    pub(crate) early: bool,
    pub(crate) layout: u8,
}

impl Spec {
    pub(crate) fn random(numbers: &mut Numbers) -> Self {
        let rank = [0, 1, 1, 1, 2, 2, 3, 4][numbers.below(8)];
        let longest = [0, 60, 30, 8, 5][rank];
        let mut dims: Vec<usize> = (0..rank).map(|_| 1 + numbers.below(longest)).collect();
        let growing = rank > 0 && !numbers.one_in(3);
        let max: Vec<Option<usize>> = dims
            .iter_mut()
            .enumerate()
            .map(|(axis, dim)| match numbers.below(6) {
                0..=2 if growing && axis == 0 => {
                    *dim = if numbers.one_in(2) { 0 } else { *dim };
                    None
                }
                3 if growing => Some(*dim + numbers.below(20)),
                4 if growing => None,
                _ => Some(*dim),
            })
            .collect();
        let resizable = dims.iter().zip(&max).any(|(dim, max)| *max != Some(*dim));
        let filtered = rank > 0 && numbers.one_in(2);
        let chunked = resizable || filtered || (rank > 0 && numbers.one_in(4));
        let chunk = (chunked && !numbers.one_in(4)).then(|| {
            let longest = [0, 17, 7, 4, 3][rank];
            let sizes = dims.iter().zip(&max);
            sizes
                .map(|(_, max)| (1 + numbers.below(longest)).min(max.unwrap_or(99)))
                .collect()
        });
        let kind = numbers.below(9).min(7) as u8;
        let fill = if kind != 7 && numbers.one_in(2) {
            1 + numbers.below(200) as u32
        } else {
            0
        };
        Self {
            kind,
            max,
            chunk,
            shuffle: filtered && numbers.one_in(2),
            deflate: (filtered && !numbers.one_in(3)).then(|| numbers.below(10) as u8),
            // Not over strings of variable length.
            fletcher: filtered && numbers.one_in(2) && kind != 7,
            big: numbers.one_in(3),
            fill,
            early: numbers.one_in(6),
            layout: if chunked {
                [0, 3][numbers.below(2)]
            } else {
                numbers.below(3) as u8
            },
            dims,
        }
    }

    pub(crate) fn create(&self, parent: &Group, path: &str) -> h5quill::Result<h5quill::Dataset> {
        with_type!(self.kind, T => {
            let extents: Vec<h5quill::Extent> = self.dims.iter().zip(&self.max)
                .map(|(dim, max)| h5quill::Extent::new(*dim as u64, max.map(|max| max as u64)))
                .collect();
            let mut builder = parent.new_dataset::<T>().shape(extents);
            if let Some(chunk) = &self.chunk {
                builder = builder.chunk(chunk);
            }
            if self.big {
                builder = builder.byte_order(ByteOrder::BigEndian);
            }
            if self.shuffle {
                builder = builder.shuffle();
            }
            if let Some(level) = self.deflate {
                builder = builder.deflate(level);
            }
            if self.fletcher {
                builder = builder.fletcher32();
            }
            if self.fill != 0 {
                builder = builder.fill_value(T::value(self.fill));
            }
            if self.early {
                builder = builder.alloc_time(h5quill::AllocTime::Early);
            }
            builder = match self.layout {
                1 => builder.compact(),
                2 => builder.contiguous(),
                3 => builder.chunked(),
                _ => builder,
            };
            builder.create(path)
        })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(i64),
    Real(f64),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    List(Vec<f64>),
}

impl Value {
    pub(crate) fn random(numbers: &mut Numbers) -> Self {
        match numbers.below(7) {
            0 => Self::Number(numbers.next() as i64),
            1 => Self::Real(numbers.next() as f64),
            2 => Self::Flag(numbers.one_in(2)),
            3 => Self::Text(String::value(numbers.below(500) as u32)),
            4 => Self::Texts(
                (0..numbers.below(5) + 1)
                    .map(|n| String::value(n as u32 * 7))
                    .collect(),
            ),
            // Too long for the heap of a dense store, but not for a message.
            5 if numbers.one_in(4) => Self::List(vec![numbers.below(9) as f64; 600]),
            _ => Self::List((0..1 + numbers.below(30)).map(|n| n as f64 / 2.0).collect()),
        }
    }

    pub(crate) fn set(&self, at: &h5quill::Location, name: &str) -> h5quill::Result<()> {
        match self {
            Self::Number(value) => at.set_attr(name, *value),
            Self::Real(value) => at.set_attr(name, *value),
            Self::Flag(value) => at.set_attr(name, *value),
            Self::Text(value) => at.set_attr(name, value),
            Self::Texts(value) => at.set_attr(name, value),
            Self::List(value) => at.set_attr(name, value),
        }
    }

    pub(crate) fn check(&self, at: &h5quill::Location, name: &str) {
        let attribute = at.attr(name).unwrap();
        let read = match self {
            Self::Number(_) => Self::Number(attribute.read_scalar().unwrap()),
            Self::Real(_) => Self::Real(attribute.read_scalar().unwrap()),
            Self::Flag(_) => Self::Flag(attribute.read_scalar().unwrap()),
            Self::Text(_) => Self::Text(attribute.read_scalar().unwrap()),
            Self::Texts(_) => Self::Texts(attribute.read_raw().unwrap()),
            Self::List(_) => Self::List(attribute.read_raw().unwrap()),
        };
        assert_eq!(&read, self, "attribute {name} of {}", at.name());
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Link {
    Hard(usize),
    Soft,
}

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Group(BTreeMap<String, Link>),
    Dataset(Spec, ArrayD<u32>),
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) node: Node,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) hard_links: usize,
}

/// All objects by number; the root group is 0, a deleted object is `None`.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) objects: Vec<Option<Object>>,
}

impl Model {
    pub(crate) fn new() -> Self {
        let mut model = Self {
            objects: Vec::new(),
        };
        model.add(Node::Group(BTreeMap::new()));
        model.objects[0].as_mut().unwrap().hard_links = 1;
        model
    }

    pub(crate) fn add(&mut self, node: Node) -> usize {
        self.objects.push(Some(Object {
            node,
            attributes: BTreeMap::new(),
            hard_links: 0,
        }));
        self.objects.len() - 1
    }

    pub(crate) fn object(&mut self, id: usize) -> &mut Object {
        self.objects[id].as_mut().unwrap()
    }

    pub(crate) fn links(&mut self, id: usize) -> &mut BTreeMap<String, Link> {
        match &mut self.object(id).node {
            Node::Group(links) => links,
            Node::Dataset(..) => panic!("not a group"),
        }
    }

    pub(crate) fn array(&mut self, id: usize) -> &mut ArrayD<u32> {
        match &mut self.object(id).node {
            Node::Dataset(_, array) => array,
            Node::Group(_) => panic!("not a dataset"),
        }
    }

    pub(crate) fn spec(&self, id: usize) -> Spec {
        match &self.objects[id].as_ref().unwrap().node {
            Node::Dataset(spec, _) => spec.clone(),
            Node::Group(_) => panic!("not a dataset"),
        }
    }

    /// Every object that hard links lead to, once, with one of its paths.
    pub(crate) fn walk(&self) -> Vec<(usize, String)> {
        let mut found = vec![(0, String::from("/"))];
        let mut at = 0;
        while at < found.len() {
            let (id, path) = found[at].clone();
            if let Node::Group(links) = &self.objects[id].as_ref().unwrap().node {
                for (name, link) in links {
                    if let Link::Hard(child) = link
                        && !found.iter().any(|(seen, _)| seen == child)
                    {
                        found.push((*child, format!("{}/{name}", path.trim_end_matches('/'))));
                    }
                }
            }
            at += 1;
        }
        found
    }

    /// Whether hard links lead from one object to another, or it is that one.
    pub(crate) fn is_below(&self, top: usize, searched: usize) -> bool {
        let mut found = vec![top];
        let mut at = 0;
        while at < found.len() {
            if let Node::Group(links) = &self.objects[found[at]].as_ref().unwrap().node {
                for link in links.values() {
                    if let Link::Hard(child) = link
                        && !found.contains(child)
                    {
                        found.push(*child);
                    }
                }
            }
            at += 1;
        }
        found.contains(&searched)
    }

    pub(crate) fn groups(&self) -> Vec<(usize, String)> {
        self.of_kind(|node| matches!(node, Node::Group(_)))
    }

    pub(crate) fn datasets(&self) -> Vec<(usize, String)> {
        self.of_kind(|node| matches!(node, Node::Dataset(..)))
    }

    fn of_kind(&self, is: impl Fn(&Node) -> bool) -> Vec<(usize, String)> {
        let mut found = self.walk();
        found.retain(|(id, _)| is(&self.objects[*id].as_ref().unwrap().node));
        found
    }

    pub(crate) fn link(&mut self, group: usize, name: &str, link: Link) {
        if let Link::Hard(id) = link {
            self.object(id).hard_links += 1;
        }
        self.links(group).insert(name.into(), link);
    }

    /// Takes a link out, and what only it held.
    pub(crate) fn unlink(&mut self, group: usize, name: &str) {
        let mut gone = vec![self.links(group).remove(name).unwrap()];
        while let Some(link) = gone.pop() {
            let Link::Hard(id) = link else { continue };
            let object = self.object(id);
            object.hard_links -= 1;
            if object.hard_links == 0
                && let Some(Object {
                    node: Node::Group(links),
                    ..
                }) = self.objects[id].take()
            {
                gone.extend(links.into_values());
            }
        }
    }
}

/// A copy of the array with another shape: what comes in is `fill`.
pub(crate) fn resized(array: &ArrayD<u32>, dims: &[usize], fill: u32) -> ArrayD<u32> {
    let mut new = ArrayD::from_elem(IxDyn(dims), fill);
    let common: Vec<usize> = array
        .shape()
        .iter()
        .zip(dims)
        .map(|(a, b)| *a.min(b))
        .collect();
    let cut = |axis: ndarray::AxisDescription| Slice::from(0..common[axis.axis.index()]);
    new.slice_each_axis_mut(cut)
        .assign(&array.slice_each_axis(cut));
    new
}

/// Compares everything: names, types, shapes, values, attributes.
pub(crate) fn check_all(file: &File, model: &Model) {
    let mut visited = 1;
    file.visit(|_, _| {
        visited += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(visited, model.walk().len());
    for (id, path) in model.walk() {
        let object = model.objects[id].as_ref().unwrap();
        match &object.node {
            Node::Group(links) => {
                let group = file.group(&path).unwrap();
                let mut names = group.member_names().unwrap();
                names.sort();
                assert_eq!(names, links.keys().cloned().collect::<Vec<_>>(), "{path}");
                check_attributes(&group, object);
            }
            Node::Dataset(spec, array) => {
                let dataset = file.dataset(&path).unwrap();
                assert_eq!(dataset.shape(), array.shape(), "{path}");
                assert_eq!(dataset.maxshape(), spec.max, "{path}");
                with_type!(spec.kind, T => {
                    let read = dataset.read_dyn::<T>().unwrap_or_else(|error| panic!("{error}"));
                    compare(&read, &array.mapv(T::value), &path);
                });
                check_attributes(&dataset, object);
            }
        }
    }
}

pub(crate) fn compare<T: PartialEq + Debug>(read: &ArrayD<T>, expected: &ArrayD<T>, what: &str) {
    assert_eq!(read.shape(), expected.shape(), "{what}");
    for (at, value) in expected.indexed_iter() {
        assert_eq!(&read[&at], value, "{what} at {:?}", at.slice());
    }
}

fn check_attributes(at: &h5quill::Location, object: &Object) {
    let mut names = at.attr_names().unwrap();
    names.sort();
    assert_eq!(names, object.attributes.keys().cloned().collect::<Vec<_>>());
    for (name, value) in &object.attributes {
        value.check(at, name);
    }
}
