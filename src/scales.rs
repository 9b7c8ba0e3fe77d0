//! Dimension scales: datasets that say what the positions along an axis of others are, in the attributes that libhdf5's
//! high-level library keeps (H5DS; HDF5 Dimension Scale Specification). netCDF-4 keeps its dimensions so.

use crate::bytes::Addr;
use crate::dataset::Dataset;
use crate::dtype::{H5Type, Node, ObjectReference, Reference, Value, encode_values};
use crate::error::{Error, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::datatype::{CharacterSet, CompoundMember, Datatype, StringPadding};
use crate::handle::ObjectRef;
use crate::object::engine::Engine;
use crate::object::{ElementType, ObjectKind};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

const CLASS: &str = "CLASS";
const NAME: &str = "NAME";
/// Of a dataset: the scales of each axis.
const DIMENSION_LIST: &str = "DIMENSION_LIST";
/// Of a scale: the datasets and axes that it is attached to.
const REFERENCE_LIST: &str = "REFERENCE_LIST";
const DIMENSION_LABELS: &str = "DIMENSION_LABELS";

const SCALE: &str = "DIMENSION_SCALE";
/// Other classes of the high-level library, which have no scales.
const RESERVED: [&str; 3] = ["IMAGE", "PALETTE", "TABLE"];

impl Dataset {
    /// Makes the dataset a dimension scale of that name, which may be empty: h5py's `make_scale`. On a scale it changes the
    /// name.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let time = file.new_dataset::<f64>().create_with("time", &[0.0, 0.5, 1.0])?;
    /// time.make_scale("time in seconds")?;
    /// assert!(time.is_scale()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A dataset that has scales of its own, a name with a NUL, a read-only file; nothing is changed then.
    pub fn make_scale(&self, name: &str) -> Result<()> {
        self.object().change(0, |engine, addr| {
            if engine.attribute(addr, DIMENSION_LIST)?.is_some() {
                return Err(Error::invalid(
                    "a dataset with dimension scales cannot be a dimension scale",
                ));
            }
            let changes = [
                (addr, CLASS, Some(Stored::text(SCALE)?)),
                (addr, NAME, Some(Stored::text(name)?)),
            ];
            apply(engine, changes)
        })
    }

    /// Whether the dataset is a dimension scale.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let x = file.new_dataset::<f64>().shape(3).create("x")?;
    /// assert!(!x.is_scale()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn is_scale(&self) -> Result<bool> {
        self.object().with(is_scale)
    }

    /// The name that the dimension scale was given, where it was.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let x = file.new_dataset::<f64>().shape(3).create("x")?;
    /// x.make_scale("distance")?;
    /// assert_eq!(x.scale_name()?.as_deref(), Some("distance"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A dataset that is no dimension scale.
    pub fn scale_name(&self) -> Result<Option<String>> {
        self.object().with(|engine, addr| {
            if !is_scale(engine, addr)? {
                return Err(not_a_scale());
            }
            let name = Stored::read(engine, addr, NAME)?;
            name.map(|name| name.first_text()).transpose()
        })
    }

    /// Attaches a dimension scale to an axis, behind those that are attached: h5py's `dims[axis].attach_scale`. A dataset
    /// that is not yet a scale becomes one without a name; a scale that is attached already stays as it is.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let time = file.new_dataset::<f64>().create_with("time", &[0.0, 0.5, 1.0])?;
    /// time.make_scale("time")?;
    /// let voltage = file.new_dataset::<f32>().shape((3, 8)).create("voltage")?;
    /// voltage.attach_scale(0, &time)?;
    /// assert_eq!(voltage.scales(0)?[0].read_raw::<f64>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An axis that the dataset does not have; a dimension scale as the dataset, or a dataset with scales as the scale; an
    /// image, a palette or a table; datasets of two files, a read-only file. Nothing is changed then.
    pub fn attach_scale(&self, axis: usize, scale: &Dataset) -> Result<()> {
        self.with_scale(scale, |engine, data, scale| {
            if engine.attribute(scale, DIMENSION_LIST)?.is_some() {
                return Err(Error::invalid(
                    "a dataset with dimension scales cannot be attached as one",
                ));
            }
            if let Some(class) = class(engine, data)?
                && RESERVED.contains(&class.as_str())
            {
                return Err(Error::invalid(format!(
                    "a dataset of the class {class} has no dimension scales"
                )));
            }
            let rank = rank(engine, data, axis)?;
            let mut axes = match Axes::read(engine, data, rank)? {
                Some(axes) => axes,
                None => Axes::new(rank),
            };
            let mut entries = Stored::read(engine, scale, REFERENCE_LIST)?
                .unwrap_or_else(|| Stored::new(entry_type(), Vec::new()));
            match axes.position(axis, scale) {
                Some(_) if entries.position(data, axis).is_some() => return Ok(()),
                // What a deleted scale has left, whose place this one has.
                Some(_) => {}
                None => axes.of_axis[axis].push(reference_to(scale)),
            }
            let entry = Value::Compound(vec![
                ("dataset".into(), reference_to(data)),
                ("dimension".into(), Value::Integer(axis as i128)),
            ]);
            entries.values.push(entry);
            let mut changes = vec![
                (scale, REFERENCE_LIST, Some(entries)),
                (data, DIMENSION_LIST, Some(axes.into())),
            ];
            if !is_scale(engine, scale)? {
                changes.push((scale, CLASS, Some(Stored::text(SCALE)?)));
            }
            apply(engine, changes)
        })
    }

    /// Takes a dimension scale off an axis: h5py's `dims[axis].detach_scale`. It stays a scale. A scale that has been deleted
    /// since is taken off, too, where it was (see [`remove_deleted_scales`](Self::remove_deleted_scales)).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let x = file.new_dataset::<f64>().shape(3).create("x")?;
    /// let data = file.new_dataset::<f32>().shape(3).create("data")?;
    /// data.attach_scale(0, &x)?;
    /// data.detach_scale(0, &x)?;
    /// assert!(data.scales(0)?.is_empty() && x.is_scale()?);
    /// assert!(data.detach_scale(0, &x).is_err()); // no longer attached
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A scale that is not attached to that axis, and as [`attach_scale`](Self::attach_scale). Nothing is changed then.
    pub fn detach_scale(&self, axis: usize, scale: &Dataset) -> Result<()> {
        let deleted = self
            .object()
            .with(|engine, _| Ok(scale.object().deleted(engine)))?;
        if let Some(scale) = deleted {
            return self.detach_deleted(axis, scale);
        }
        self.with_scale(scale, |engine, data, scale| {
            let rank = rank(engine, data, axis)?;
            let not_attached = || not_attached(axis);
            let mut axes = Axes::read(engine, data, rank)?.ok_or_else(not_attached)?;
            let position = axes.position(axis, scale).ok_or_else(not_attached)?;
            axes.of_axis[axis].swap_remove(position);
            let mut entries =
                Stored::read(engine, scale, REFERENCE_LIST)?.ok_or_else(not_attached)?;
            let mut found = false;
            // libhdf5 makes another entry where a scale is attached again.
            while let Some(position) = entries.position(data, axis) {
                entries.values.swap_remove(position);
                found = true;
            }
            if !found {
                return Err(not_attached());
            }
            let entries = Some(entries).filter(|entries| !entries.values.is_empty());
            let changes = [
                (scale, REFERENCE_LIST, entries),
                (data, DIMENSION_LIST, axes.into_stored()),
            ];
            apply(engine, changes)
        })
    }

    /// Takes off what a scale has left that was deleted: it stands at `scale` no more.
    fn detach_deleted(&self, axis: usize, scale: Addr) -> Result<()> {
        self.object().change(0, |engine, data| {
            engine.check_editable(data)?;
            let rank = rank(engine, data, axis)?;
            let mut axes = Axes::read(engine, data, rank)?.ok_or_else(|| not_attached(axis))?;
            let position = axes.position(axis, scale);
            let position = position.ok_or_else(|| not_attached(axis))?;
            // Another scale may have come to that place since, and be attached itself.
            if engine.path_of(scale)?.is_some() {
                let entries = Stored::read(engine, scale, REFERENCE_LIST)?;
                if entries.is_some_and(|entries| entries.position(data, axis).is_some()) {
                    return Err(not_attached(axis));
                }
            }
            axes.of_axis[axis].remove(position);
            apply(engine, [(data, DIMENSION_LIST, axes.into_stored())])
        })
    }

    /// Takes off an axis what scales have left there that were deleted while they were attached, and returns how many: the
    /// axis still names them, as nothing but [`detach_scale`](Self::detach_scale) changes that.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let x = file.new_dataset::<f64>().shape(3).create("x")?;
    /// let data = file.new_dataset::<f32>().shape(3).create("data")?;
    /// data.attach_scale(0, &x)?;
    /// file.unlink("x")?;
    /// assert_eq!(data.scales(0)?.len(), 0);
    /// assert!(data.attr_exists("DIMENSION_LIST")?);
    /// assert_eq!(data.remove_deleted_scales(0)?, 1);
    /// assert!(!data.attr_exists("DIMENSION_LIST")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An axis that the dataset does not have, a read-only file, and what reading the file meets; nothing is changed then.
    pub fn remove_deleted_scales(&self, axis: usize) -> Result<usize> {
        self.object().change(0, |engine, data| {
            engine.check_editable(data)?;
            let rank = rank(engine, data, axis)?;
            let Some(mut axes) = Axes::read(engine, data, rank)? else {
                return Ok(0);
            };
            let before = core::mem::take(&mut axes.of_axis[axis]);
            let count = before.len();
            for value in before {
                if scale_of(engine, &value)?.is_some() {
                    axes.of_axis[axis].push(value);
                }
            }
            let removed = count - axes.of_axis[axis].len();
            if removed > 0 {
                apply(engine, [(data, DIMENSION_LIST, axes.into_stored())])?;
            }
            Ok(removed)
        })
    }

    /// The dimension scales of an axis, in the order of the file: the values of h5py's `dims[axis]`. Those that were deleted
    /// while they were attached are left out.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let latitude = file.new_dataset::<f64>().shape(3).create("latitude")?;
    /// let data = file.new_dataset::<f32>().shape((2, 3)).create("data")?;
    /// data.attach_scale(1, &latitude)?;
    /// assert!(data.scales(0)?.is_empty());
    /// assert_eq!(data.scales(1)?[0].name(), "/latitude");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An axis that the dataset does not have, and what reading the file meets.
    pub fn scales(&self, axis: usize) -> Result<Vec<Dataset>> {
        self.object().with(|engine, addr| {
            let rank = rank(engine, addr, axis)?;
            let axes = Axes::read(engine, addr, rank)?;
            let named = axes.map_or_else(Vec::new, |mut axes| axes.of_axis.swap_remove(axis));
            let mut scales = Vec::with_capacity(named.len());
            for value in named {
                if let Some((scale, path)) = scale_of(engine, &value)? {
                    let shared = self.object().shared.clone();
                    scales.push(Dataset::new(ObjectRef::new(shared, engine, scale, &path)));
                }
            }
            Ok(scales)
        })
    }

    /// Gives an axis a label, which needs no dimension scale: h5py's `dims[axis].label`. An empty one is none.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().shape((3, 8)).create("voltage")?;
    /// data.set_dim_label(1, "channel")?;
    /// assert_eq!(data.dim_label(1)?.as_deref(), Some("channel"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An axis that the dataset does not have, a label with a NUL, a read-only file.
    pub fn set_dim_label(&self, axis: usize, label: &str) -> Result<()> {
        self.object().change(0, |engine, addr| {
            let rank = rank(engine, addr, axis)?;
            let mut labels = match Stored::read(engine, addr, DIMENSION_LABELS)? {
                Some(labels) => labels,
                None => {
                    let none = vec![Value::String(String::new()); rank];
                    Stored::new(crate::VarLenAscii::datatype(), none)
                }
            };
            labels.check_axes(rank, DIMENSION_LABELS)?;
            labels.values[axis] = Value::String(label.into());
            // libhdf5 says ASCII of every label.
            if let Datatype::VarLenString { charset, .. } = &mut labels.datatype
                && labels.values.iter().any(|label| !is_ascii(label))
            {
                *charset = CharacterSet::Utf8;
                labels.committed = None;
            }
            apply(engine, [(addr, DIMENSION_LABELS, Some(labels))])
        })
    }

    /// The label of an axis, where it has one.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().shape((3, 8)).create("voltage")?;
    /// assert_eq!(data.dim_label(1)?, None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An axis that the dataset does not have, and what reading the file meets.
    pub fn dim_label(&self, axis: usize) -> Result<Option<String>> {
        self.object().with(|engine, addr| {
            let rank = rank(engine, addr, axis)?;
            let Some(labels) = Stored::read(engine, addr, DIMENSION_LABELS)? else {
                return Ok(None);
            };
            labels.check_axes(rank, DIMENSION_LABELS)?;
            let label = text_of(&labels.values[axis], DIMENSION_LABELS)?;
            Ok(Some(label).filter(|label| !label.is_empty()))
        })
    }

    /// Changes the dataset and a scale for it, each of which can be what it is to be.
    fn with_scale(
        &self,
        scale: &Dataset,
        change: impl FnOnce(&mut Engine, Addr, Addr) -> Result<()>,
    ) -> Result<()> {
        self.object().change(0, |engine, data| {
            if !self.object().shared.is(&scale.object().shared) {
                return Err(Error::invalid("the dimension scale is in another file"));
            }
            let scale = scale.object().address(engine)?;
            engine.check_editable(data)?;
            engine.check_editable(scale)?;
            if data == scale || is_scale(engine, data)? {
                return Err(Error::invalid("a dimension scale has no dimension scales"));
            }
            change(engine, data, scale)
        })
    }
}

fn not_a_scale() -> Error {
    Error::invalid("the dataset is no dimension scale")
}

/// The number of axes, of which a scalar has one.
fn rank(engine: &mut Engine, data: Addr, axis: usize) -> Result<usize> {
    let rank = engine.dataset(data)?.dims().len().max(1);
    match axis < rank {
        true => Ok(rank),
        false => Err(Error::invalid(format!(
            "there is no axis {axis} in a dataset of {rank}"
        ))),
    }
}

fn not_attached(axis: usize) -> Error {
    Error::invalid(format!("the scale is not attached to the axis {axis}"))
}

/// Where the scale is that an axis names, and a path to it; `None` where it is gone. What stands in its place then is no
/// scale: no link leads to it, or it is something else.
fn scale_of(engine: &mut Engine, value: &Value) -> Result<Option<(Addr, String)>> {
    let Value::Reference(reference) = value else {
        return Ok(None);
    };
    let object = ObjectReference::from(reference);
    if let Some(file) = object.file() {
        return Err(Error::unsupported(format!(
            "a dimension scale in another file ({file})"
        )));
    }
    if object.is_null() {
        return Ok(None);
    }
    let addr = Addr::new(object.address());
    let Some(path) = engine.path_of(addr)? else {
        return Ok(None);
    };
    let found = engine.kind(addr)? == ObjectKind::Dataset
        && (engine.attribute(addr, CLASS)?.is_some()
            || engine.attribute(addr, REFERENCE_LIST)?.is_some());
    Ok(found.then_some((addr, path)))
}

fn reference_to(addr: Addr) -> Value {
    Value::Reference(Reference::Object(ObjectReference::new(addr.get())))
}

/// Whether the reference is to that object of its own file.
fn names(value: &Value, addr: Addr) -> bool {
    match value {
        Value::Reference(reference) => {
            let object = ObjectReference::from(reference);
            object.file().is_none() && object.address() == addr.get()
        }
        _ => false,
    }
}

fn is_ascii(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_ascii)
}

fn text_of(value: &Value, attribute: &str) -> Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.into()),
        None => Err(Error::unsupported(format!(
            "the attribute {attribute} with what is no UTF-8 string"
        ))),
    }
}

/// What the attribute `CLASS` says, where it is a string as the high-level library writes it.
fn class(engine: &mut Engine, addr: Addr) -> Result<Option<String>> {
    let Some(class) = engine.attribute(addr, CLASS)? else {
        return Ok(None);
    };
    let is_text = match class.datatype()? {
        Datatype::FixedString { padding, .. } => padding == StringPadding::NullTerminate,
        Datatype::VarLenString { .. } => true,
        _ => false,
    };
    let class = match is_text {
        true => Stored::read(engine, addr, CLASS)?,
        false => None,
    };
    let text = class.and_then(|class| class.values.first()?.as_str().map(String::from));
    Ok(text)
}

fn is_scale(engine: &mut Engine, addr: Addr) -> Result<bool> {
    Ok(class(engine, addr)?.is_some_and(|class| class == SCALE))
}

/// An element of `REFERENCE_LIST`, laid out as C does it.
fn entry_type() -> Datatype {
    let member = |name: &str, offset, datatype| CompoundMember {
        name: name.into(),
        offset,
        datatype,
    };
    Datatype::Compound {
        size: 16,
        members: vec![
            member("dataset", 0, ObjectReference::datatype()),
            // `int` in older files, and kept there.
            member("dimension", 8, u32::datatype()),
        ],
    }
}

/// An attribute of any type.
#[derive(Debug)]
struct Stored {
    datatype: Datatype,
    committed: Option<Addr>,
    scalar: bool,
    values: Vec<Value>,
}

impl Stored {
    /// A list, of which the attribute does not exist yet.
    fn new(datatype: Datatype, values: Vec<Value>) -> Self {
        Self {
            datatype,
            committed: None,
            scalar: false,
            values,
        }
    }

    /// A scalar string with a NUL behind it.
    fn text(text: &str) -> Result<Self> {
        if text.contains('\0') {
            return Err(Error::invalid(format!("the name {text:?} has a NUL")));
        }
        let (len, max) = (text.len() as u64 + 1, u64::from(u32::MAX));
        let size = u32::try_from(len)
            .map_err(|_| Error::limit("the length of a dimension scale's name", len, max))?;
        let datatype = Datatype::FixedString {
            size,
            padding: StringPadding::NullTerminate,
            charset: match text.is_ascii() {
                true => CharacterSet::Ascii,
                false => CharacterSet::Utf8,
            },
        };
        Ok(Self {
            scalar: true,
            ..Self::new(datatype, vec![Value::String(text.into())])
        })
    }

    fn read(engine: &mut Engine, addr: Addr, name: &str) -> Result<Option<Self>> {
        let Some(attribute) = engine.attribute(addr, name)? else {
            return Ok(None);
        };
        let widths = engine.store.widths();
        let datatype = attribute.datatype()?;
        let committed = attribute.committed_datatype(widths)?;
        let space = attribute.dataspace(widths)?;
        let size = datatype.size() as usize;
        let len = space.element_count()?.checked_mul(size as u64);
        if len != Some(attribute.data.len() as u64) {
            return Err(Error::corrupt(
                "attribute message",
                "its data do not fit its dataspace",
            ));
        }
        let values =
            engine.decode(|heap| Node::new(&datatype).read_all(&attribute.data, size, heap))?;
        Ok(Some(Self {
            scalar: space.dims.is_empty(),
            datatype,
            committed,
            values,
        }))
    }

    /// Sets the attribute, or deletes it where there is nothing to set.
    fn put(engine: &mut Engine, addr: Addr, name: &str, new: Option<&Self>) -> Result<()> {
        let Some(new) = new else {
            return match engine.attribute(addr, name)? {
                Some(_) => engine.delete_attribute(addr, name),
                None => Ok(()),
            };
        };
        let datatype = new.datatype.clone().in_file(engine.store.widths())?;
        let element = ElementType {
            datatype: &datatype,
            committed: new.committed,
        };
        let space = match new.scalar {
            true => Dataspace::scalar(),
            false => Dataspace::simple(vec![new.values.len() as u64], None),
        };
        engine.set_attribute(addr, name, element, &space, |heap| {
            encode_values(&new.values, &datatype, heap)
        })
    }

    /// The first entry of `REFERENCE_LIST` that names an axis of `data`.
    fn position(&self, data: Addr, axis: usize) -> Option<usize> {
        self.values.iter().position(|entry| {
            let dimension = entry.get("dimension").and_then(Value::as_integer);
            let dataset = entry.get("dataset");
            dimension == Some(axis as i128) && dataset.is_some_and(|value| names(value, data))
        })
    }

    fn first_text(&self) -> Result<String> {
        self.values
            .first()
            .map_or_else(|| Ok(String::new()), |value| text_of(value, NAME))
    }

    fn check_axes(&self, rank: usize, attribute: &'static str) -> Result<()> {
        match self.values.len() == rank {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "the attribute {attribute} is of {} axes, the dataset has {rank}",
                self.values.len()
            ))),
        }
    }
}

/// The attribute `DIMENSION_LIST`.
#[derive(Debug)]
struct Axes {
    datatype: Datatype,
    committed: Option<Addr>,
    /// References to the scales of each axis.
    of_axis: Vec<Vec<Value>>,
}

impl Axes {
    fn new(rank: usize) -> Self {
        Self {
            datatype: <Vec<ObjectReference>>::datatype(),
            committed: None,
            of_axis: vec![Vec::new(); rank],
        }
    }

    fn read(engine: &mut Engine, addr: Addr, rank: usize) -> Result<Option<Self>> {
        let Some(list) = Stored::read(engine, addr, DIMENSION_LIST)? else {
            return Ok(None);
        };
        list.check_axes(rank, DIMENSION_LIST)?;
        let of_axis = list.values.into_iter().map(|value| match value {
            Value::Sequence(scales) => Ok(scales),
            _ => Err(Error::unsupported(
                "an attribute DIMENSION_LIST that is no list of lists",
            )),
        });
        Ok(Some(Self {
            datatype: list.datatype,
            committed: list.committed,
            of_axis: of_axis.collect::<Result<_>>()?,
        }))
    }

    fn position(&self, axis: usize, scale: Addr) -> Option<usize> {
        self.of_axis[axis]
            .iter()
            .position(|value| names(value, scale))
    }

    /// The attribute, where any axis has a scale.
    fn into_stored(self) -> Option<Stored> {
        let left = self.of_axis.iter().any(|scales| !scales.is_empty());
        left.then(|| self.into())
    }
}

impl From<Axes> for Stored {
    fn from(axes: Axes) -> Self {
        let values = axes.of_axis.into_iter().map(Value::Sequence);
        Self {
            committed: axes.committed,
            ..Self::new(axes.datatype, values.collect())
        }
    }
}

/// Makes all changes; where one is refused, those before it are taken back.
fn apply(
    engine: &mut Engine,
    changes: impl IntoIterator<Item = (Addr, &'static str, Option<Stored>)>,
) -> Result<()> {
    let mut made = Vec::new();
    for (addr, name, new) in changes {
        let old = Stored::read(engine, addr, name)?;
        if let Err(error) = Stored::put(engine, addr, name, new.as_ref()) {
            for (addr, name, old) in made.into_iter().rev() {
                let old: Option<Stored> = old;
                Stored::put(engine, addr, name, old.as_ref())?;
            }
            return Err(error);
        }
        made.push((addr, name, old));
    }
    Ok(())
}
