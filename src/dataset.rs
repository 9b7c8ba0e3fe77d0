//! Datasets: arrays of elements that grow, shrink and are rewritten.

use crate::appender::Appender;
use crate::dtype::{self, Conversion, ElementValue, H5Type, Node, Value};
use crate::error::{Error, Result};
use crate::extents::Extents;
use crate::format::message::datatype::Datatype;
use crate::handle::ObjectRef;
use crate::location::Location;
use crate::named_datatype::NamedDatatype;
use crate::reader::{self, Reader};
use crate::selection::{Resolved, Selection};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;
use ndarray::{Array, Array1, Array2, ArrayD, ArrayView, Dimension};

/// A handle to a dataset. It is live: [`shape`](Self::shape) and every read see what was written through any handle.
///
/// ```
/// use ndarray::{array, s};
/// let file = h5quill::File::create_memory()?;
/// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
/// data.append(&array![[1, 2, 3], [4, 5, 6]])?; // two rows
/// data.append(&[7, 8, 9])?; // one row
/// data.write_slice(&array![0, 0, 0], s![.., 1])?; // a column
/// assert_eq!(data.read_2d::<i32>()?, array![[1, 0, 3], [4, 0, 6], [7, 0, 9]]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset {
    location: Location,
}

/// A filter of a dataset, as the file says it (specification IV.A.2.l).
///
/// ```
/// let file = h5quill::File::create_memory()?;
///
/// let data = file.new_dataset::<u8>().shape(0..).deflate(4).create("x")?;
/// let filters = data.filters()?;
/// assert_eq!((filters[0].id, &filters[0].values[..]), (1, &[4][..]));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterInfo {
    /// The number of the filter: 1 deflate, 2 shuffle, 3 Fletcher-32, others as registered with the HDF Group.
    pub id: u16,
    /// Its name, where the file has one.
    pub name: Option<String>,
    /// Whether a chunk may go without it.
    pub optional: bool,
    /// Its parameters.
    pub values: Vec<u32>,
}

impl Deref for Dataset {
    type Target = Location;

    fn deref(&self) -> &Location {
        &self.location
    }
}

impl Dataset {
    pub(crate) fn new(object: ObjectRef) -> Self {
        Self {
            location: Location { object },
        }
    }

    pub(crate) fn object(&self) -> &ObjectRef {
        &self.location.object
    }

    fn look<T>(&self, look: impl FnOnce(&mut crate::object::dataset::Dataset) -> T) -> Result<T> {
        self.object()
            .with(|engine, addr| Ok(look(engine.dataset(addr)?)))
    }

    /// The present extent, empty for a scalar; also empty where the file is closed or the dataset deleted.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    ///
    /// assert_eq!(data.shape(), [0, 3]);
    /// data.append(&[1, 2, 3])?;
    /// assert_eq!(data.shape(), [1, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn shape(&self) -> Vec<usize> {
        let dims = self.object().with(|engine, addr| {
            // Where its sources cannot be seen, a virtual dataset has the extent that the file says.
            let _ = engine.follow_extent(addr);
            Ok(engine.dataset(addr)?.selectable_dims())
        });
        let dims = dims.unwrap_or_default();
        dims.into_iter().map(|dim| dim as usize).collect()
    }

    /// The greatest extent of each axis, `None` where it is unlimited.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((0.., 3, 0..=8)).create("x")?;
    /// assert_eq!(data.maxshape(), [None, Some(3), Some(8)]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn maxshape(&self) -> Vec<Option<usize>> {
        let max = self
            .look(|dataset| dataset.max_dims().to_vec())
            .unwrap_or_default();
        max.into_iter()
            .map(|max| max.map(|max| max as usize))
            .collect()
    }

    /// The number of axes.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    /// assert_eq!(data.ndim(), 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn ndim(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    ///
    /// data.resize((5, 3))?;
    /// assert_eq!(data.size(), 15);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn size(&self) -> usize {
        self.shape().iter().product()
    }

    /// Whether the extent can change.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    ///
    /// assert!(data.is_resizable());
    /// assert!(!file.new_dataset::<i32>().shape(3).create("y")?.is_resizable());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn is_resizable(&self) -> bool {
        self.look(|dataset| dataset.can_grow()).unwrap_or(false)
    }

    /// The shape of a chunk in elements, `None` where the layout is not chunked.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).chunk((100, 3)).create("x")?;
    /// assert_eq!(data.chunk(), Some(vec![100, 3]));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn chunk(&self) -> Option<Vec<usize>> {
        let chunk = self
            .look(|dataset| dataset.chunk().map(<[u64]>::to_vec))
            .ok()
            .flatten()?;
        Some(chunk.into_iter().map(|dim| dim as usize).collect())
    }

    /// How many chunks have been written, `None` where the layout is not chunked. Visits the whole index.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).chunk((2, 3)).create("x")?;
    /// data.append(&ndarray::Array2::<i32>::zeros((5, 3)))?;
    /// assert_eq!(data.num_chunks()?, Some(3));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn num_chunks(&self) -> Result<Option<usize>> {
        let count = self.object().with(|engine, addr| {
            let (object, store, _) = engine.parts(addr)?;
            match &mut object.dataset {
                Some(dataset) => dataset.num_chunks(store),
                None => Ok(None),
            }
        })?;
        Ok(count.map(|count| count as usize))
    }

    /// The datatype of an element.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<f32>().create("x")?;
    /// assert_eq!(data.dtype()?, f32::datatype());
    /// assert_eq!(data.dtype()?.to_string(), "little-endian f32");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file is closed or the dataset deleted.
    pub fn dtype(&self) -> Result<Datatype> {
        self.look(|dataset| dataset.datatype.clone())
    }

    /// The committed datatype that the elements are of, if they are of one. The handle has no path.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let volt = file.commit_datatype("volt", &f32::datatype())?;
    /// let data = file.new_dataset::<f32>().named_datatype(&volt).create("x")?;
    /// volt.set_attr("unit", "V")?;
    /// assert!(data.named_datatype()?.is_some_and(|named| named.attr("unit").is_ok()));
    /// assert!(file.new_dataset::<f32>().create("y")?.named_datatype()?.is_none());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file is closed or the dataset deleted.
    pub fn named_datatype(&self) -> Result<Option<NamedDatatype>> {
        self.object().with(|engine, addr| {
            let named = engine.datatype_of_dataset(addr)?;
            let shared = &self.object().shared;
            Ok(named
                .map(|addr| NamedDatatype::new(ObjectRef::new(shared.clone(), engine, addr, ""))))
        })
    }

    /// The filters a chunk goes through, in their order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<f64>().shape(0..).shuffle().deflate(4).fletcher32().create("x")?;
    /// let ids: Vec<u16> = data.filters()?.iter().map(|filter| filter.id).collect();
    /// assert_eq!(ids, [2, 1, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file is closed or the dataset deleted.
    pub fn filters(&self) -> Result<Vec<FilterInfo>> {
        self.look(|dataset| {
            let filters = dataset.filters.iter();
            filters
                .map(|filter| FilterInfo {
                    id: filter.id,
                    name: filter.name.clone(),
                    optional: filter.optional,
                    values: filter.values.clone(),
                })
                .collect()
        })
    }

    /// Makes the extent larger or smaller; elements that come in are the fill value.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    ///
    /// data.resize((2, 3))?;
    /// data.write(&ndarray::array![[1, 2, 3], [4, 5, 6]])?;
    /// data.resize((1, 3))?; // the second row is gone
    /// data.resize((2, 3))?;
    /// assert_eq!(data.read_raw::<i32>()?, [1, 2, 3, 0, 0, 0]);
    /// assert!(data.resize((2, 4)).is_err()); // beyond `maxshape`
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another rank, an extent beyond the greatest, a layout that is not chunked; nothing is changed then.
    pub fn resize(&self, extents: impl Into<Extents>) -> Result<()> {
        let dims = extents.into().dims();
        self.object().change(0, |engine, addr| {
            engine.check_resizable(addr)?;
            engine.dataset(addr)?.check_resize(&dims)?;
            engine.resize_dataset(addr, &dims)
        })
    }

    /// Appends rows along axis 0: an array of the dataset's rank, of any number of rows, or of one rank less, which is
    /// one row. Of a dataset of rank 1, `&[value]` is one row.
    ///
    /// The element type is that of `rows` alone, so a list of plain literals is one of `i32` or `f64`: write
    /// `&[1_u8, 2]`.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 3)).create("x")?;
    ///
    /// data.append(&ndarray::array![[1, 2, 3], [4, 5, 6]])?;
    /// data.append(&[7, 8, 9])?;
    /// assert_eq!(data.shape(), [3, 3]);
    /// assert!(data.append(&[1, 2]).is_err()); // a row has three elements
    /// assert!(data.append(&[1_i64, 2, 3]).is_err()); // nothing is converted silently
    /// assert_eq!(data.shape(), [3, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Rows of another shape, an extent beyond the greatest, or
    /// [`TypeMismatch`](crate::ErrorKind::TypeMismatch); nothing is changed then.
    pub fn append<'a, T: ElementValue + 'a, D: Dimension>(
        &self,
        rows: impl Into<ArrayView<'a, T, D>>,
    ) -> Result<()> {
        self.append_axis(0, rows)
    }

    /// Takes rows one by one into a buffer of its own, and appends them many at a time: the way for an instrument's loop.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f64>().shape((0.., 3)).create("x")?;
    /// let mut rows = data.appender::<f64>()?;
    /// for step in 0..1000 {
    ///     rows.push_row(&[f64::from(step), 0.5, -0.5])?;
    /// }
    /// rows.finish()?;
    /// assert_eq!(data.shape(), [1000, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A dataset of other elements, or one whose axis 0 cannot grow.
    pub fn appender<T: H5Type>(&self) -> Result<Appender<T>> {
        Appender::new(self)
    }

    /// Appends along any axis: an array of the dataset's rank, or of one rank less, which is one step along `axis`.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((2, 0..)).create("channels")?;
    /// data.append_axis(1, &ndarray::array![[1, 2, 3], [4, 5, 6]])?; // three steps
    /// data.append_axis(1, &[7, 8])?; // one step
    /// assert_eq!(data.read_raw::<i32>()?, [1, 2, 3, 7, 4, 5, 6, 8]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_axis<'a, T: ElementValue + 'a, D: Dimension>(
        &self,
        axis: usize,
        values: impl Into<ArrayView<'a, T, D>>,
    ) -> Result<()> {
        let view = values.into();
        self.object().change(memory_of(&view), |engine, addr| {
            if axis == 0
                && let Some(values) = view.as_slice()
                && engine.append_rows(addr, view.shape(), values)?
            {
                return Ok(());
            }
            engine.check_resizable(addr)?;
            let dataset = engine.dataset(addr)?;
            let count = appended(dataset.dims(), axis, view.shape())?;
            let (grown, selection) = continued(dataset, axis, count)?;
            let (values, datatype) = (standard(&view), dataset.datatype.clone());
            let encoded = engine.encode(|heap| dtype::encode(&values, &datatype, heap))?;
            engine.extend_dataset(addr, &grown, &selection, &encoded)
        })
    }

    /// Appends rows along axis 0, of any datatype: as many values as one row has, or a multiple.
    ///
    /// ```
    /// use h5quill::{CompoundMember, Datatype, File, H5Type, Value};
    /// let file = File::create_memory()?;
    /// let member = |name: &str, offset, datatype| CompoundMember { name: name.into(), offset, datatype };
    /// let members = vec![member("time", 0, f64::datatype()), member("note", 8, String::datatype())];
    /// let log = file.new_dataset_of(Datatype::Compound { size: 24, members }).shape(0..).create("log")?;
    /// let row = Value::Compound(vec![("time".into(), Value::Float(0.5)), ("note".into(), Value::String("on".into()))]);
    /// log.append_values(&[row.clone(), row.clone()])?;
    /// assert_eq!(log.read_values(-1)?, [row]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Part of a row, an extent beyond the greatest, and as [`write_values`](Self::write_values); nothing is changed then.
    pub fn append_values(&self, values: &[Value]) -> Result<()> {
        let bytes = core::mem::size_of_val(values) as u64;
        self.object().change(bytes, |engine, addr| {
            engine.check_resizable(addr)?;
            let dataset = engine.dataset(addr)?;
            let dims = dataset.dims().to_vec();
            let row = match dims.split_first() {
                Some((_, rest)) => rest.iter().product::<u64>(),
                None => return appended(&dims, 0, &[]).map(|_| ()),
            };
            if row == 0 || !(values.len() as u64).is_multiple_of(row) {
                return Err(Error::invalid(format!(
                    "{} values are not rows of a dataset of shape {dims:?}",
                    values.len()
                )));
            }
            let (grown, selection) = continued(dataset, 0, values.len() as u64 / row)?;
            let datatype = dataset.datatype.clone();
            let encoded = engine.encode(|heap| dtype::encode_values(values, &datatype, heap))?;
            engine.extend_dataset(addr, &grown, &selection, &encoded)
        })
    }

    /// Writes all elements; the array has the shape of the dataset.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((2, 2)).create("x")?;
    /// data.write(&ndarray::array![[1, 2], [3, 4]])?;
    /// assert_eq!(data.read_raw::<i32>()?, [1, 2, 3, 4]);
    /// assert!(data.write(&[1, 2, 3, 4]).is_err()); // of another shape
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another shape, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch); nothing is changed then.
    pub fn write<'a, T: ElementValue + 'a, D: Dimension>(
        &self,
        values: impl Into<ArrayView<'a, T, D>>,
    ) -> Result<()> {
        self.write_slice(values, ..)
    }

    /// Writes the selected elements; the array has the shape of the selection.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((4, 2)).create("x")?;
    /// data.write_slice(&ndarray::array![[1, 2], [3, 4]], (1..3, ..))?;
    /// data.write_slice(&[9, 9], -1)?; // the last row
    /// data.write_slice(&[7, 7], ndarray::s![..;2, 0])?; // every second row of column 0
    /// assert_eq!(data.read_raw::<i32>()?, [7, 0, 1, 2, 7, 4, 9, 9]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent, another shape, or
    /// [`TypeMismatch`](crate::ErrorKind::TypeMismatch); nothing is changed then.
    pub fn write_slice<'a, T: ElementValue + 'a, D: Dimension>(
        &self,
        values: impl Into<ArrayView<'a, T, D>>,
        selection: impl Into<Selection>,
    ) -> Result<()> {
        let (view, selection) = (values.into(), selection.into());
        self.object().change(memory_of(&view), |engine, addr| {
            engine.check_writable(addr)?;
            let dataset = engine.dataset(addr)?;
            let resolved = selection.resolve(&dataset.selectable_dims())?;
            if resolved.result_shape() != view.shape() && !view_is_scalar(&resolved, view.shape()) {
                return Err(Error::invalid(format!(
                    "the selection has the shape {:?}, the values {:?}",
                    resolved.result_shape(),
                    view.shape()
                )));
            }
            let (values, datatype) = (standard(&view), dataset.datatype.clone());
            let encoded = engine.encode(|heap| dtype::encode(&values, &datatype, heap))?;
            engine.write_dataset(addr, &resolved, &encoded)
        })
    }

    /// Writes the value of a scalar dataset.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let gain = file.new_dataset::<f64>().create("gain")?; // a scalar: no shape was given
    /// gain.write_scalar(&0.5)?;
    /// assert_eq!(gain.read_scalar::<f64>()?, 0.5);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Not a scalar, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn write_scalar<T: ElementValue>(&self, value: &T) -> Result<()> {
        self.write(ndarray::aview0(value))
    }

    /// Writes the selected elements from bytes as the file stores them.
    ///
    /// ```
    /// use h5quill::{ByteOrder, File, H5Type};
    /// let file = File::create_memory()?;
    /// let datatype = u16::datatype().with_byte_order(ByteOrder::BigEndian);
    /// let data = file.new_dataset_of(datatype).shape(3).create("x")?;
    /// data.write_bytes(&[1, 0, 2, 0], 1..)?;
    /// assert_eq!(data.read_raw::<u16>()?, [0, 256, 512]);
    /// assert!(data.write_bytes(&[1, 2, 3], ..).is_err()); // six bytes are selected
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of bytes, a selection beyond the extent, a datatype of variable length (its bytes name places
    /// in the file).
    pub fn write_bytes(&self, bytes: &[u8], selection: impl Into<Selection>) -> Result<()> {
        let selection = selection.into();
        self.object().change(bytes.len() as u64, |engine, addr| {
            engine.check_writable(addr)?;
            let dataset = engine.dataset(addr)?;
            if dataset.datatype.contains_var_len() {
                return Err(Error::unsupported(
                    "raw bytes of elements of variable length",
                ));
            }
            let resolved = selection.resolve(&dataset.selectable_dims())?;
            let expected = resolved.element_count() as usize * dataset.element_size();
            if bytes.len() != expected {
                return Err(Error::invalid(format!(
                    "the selection has {expected} bytes, {} are given",
                    bytes.len()
                )));
            }
            engine.write_dataset(addr, &resolved, bytes)
        })
    }

    /// Writes the selected elements from values of any datatype, in row-major order: the counterpart of
    /// [`read_values`](Self::read_values), which says which [`Value`] an element of a datatype is.
    ///
    /// Nothing is rounded or cut: every value must be one of the datatype. Members of a compound are found by their names
    /// and must all be there. A member of an enumeration may be given by its name, as a string, or its value.
    ///
    /// ```
    /// use h5quill::{Datatype, File, H5Type, Value};
    /// let file = File::create_memory()?;
    /// let base = Box::new(u8::datatype());
    /// let data = file.new_dataset_of(Datatype::VarLenSequence { size: 16, base }).shape(3).create("x")?;
    /// let values = [Value::Sequence(vec![Value::Integer(7), Value::Integer(255)]), Value::Sequence(vec![])];
    /// data.write_values(&values, 1..)?;
    /// assert_eq!(data.read_values(1..)?, values);
    /// let error = data.write_values(&[Value::Sequence(vec![Value::Integer(256)])], 0).unwrap_err();
    /// assert_eq!(error.to_string(), "/x: 256 is no u8");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent, another number of values, a value that the datatype does not have, a revised reference;
    /// nothing is changed then.
    pub fn write_values(&self, values: &[Value], selection: impl Into<Selection>) -> Result<()> {
        let selection = selection.into();
        let bytes = core::mem::size_of_val(values) as u64;
        self.object().change(bytes, |engine, addr| {
            engine.check_writable(addr)?;
            let dataset = engine.dataset(addr)?;
            let resolved = selection.resolve(&dataset.selectable_dims())?;
            if resolved.element_count() != values.len() as u64 {
                return Err(Error::invalid(format!(
                    "the selection has {} elements, {} values are given",
                    resolved.element_count(),
                    values.len()
                )));
            }
            let datatype = dataset.datatype.clone();
            let encoded = engine.encode(|heap| dtype::encode_values(values, &datatype, heap))?;
            engine.write_dataset(addr, &resolved, &encoded)
        })
    }

    /// Reads the selected elements as the file stores them, in row-major order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u16>().create_with("x", &[1, 2, 3])?;
    /// assert_eq!(data.read_bytes(1..)?, [2, 0, 3, 0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent, and what reading the file meets.
    pub fn read_bytes(&self, selection: impl Into<Selection>) -> Result<Vec<u8>> {
        let selection = selection.into();
        self.object().with(|engine, addr| {
            engine.follow_extent(addr)?;
            let dataset = engine.dataset(addr)?;
            let resolved = selection.resolve(&dataset.selectable_dims())?;
            reader::read_selected(engine, addr, &resolved)
        })
    }

    /// Reads the selected elements of any datatype, in row-major order.
    ///
    /// ```
    /// use h5quill::{Datatype, File, Value};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset_of(Datatype::Opaque { size: 2, tag: String::new() }).shape(2).create("x")?;
    /// data.write_bytes(&[1, 2, 3, 4], ..)?;
    /// assert_eq!(data.read_values(1)?, [Value::Bytes(vec![3, 4])]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent, and what reading the file meets.
    pub fn read_values(&self, selection: impl Into<Selection>) -> Result<Vec<Value>> {
        let selection = selection.into();
        self.object().with(|engine, addr| {
            engine.follow_extent(addr)?;
            let dataset = engine.dataset(addr)?;
            let (datatype, size) = (dataset.datatype.clone(), dataset.element_size());
            let resolved = selection.resolve(&dataset.selectable_dims())?;
            let bytes = reader::read_selected(engine, addr, &resolved)?;
            engine.decode(|heap| Node::new(&datatype).read_all(&bytes, size, heap))
        })
    }

    /// Reads all elements into an array of the dataset's shape. Elements of another type are converted where that keeps
    /// every value (see [`Conversion::Exact`]); [`as_reader`](Self::as_reader) asks for more.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &array![[1, 2], [3, 4]])?;
    /// let values: Array2<i32> = data.read()?;
    /// assert_eq!(values, array![[1, 2], [3, 4]]);
    /// assert_eq!(data.read::<f64, ndarray::Ix2>()?[[1, 1]], 4.0); // every i32 is an f64
    /// assert!(data.read::<f32, ndarray::Ix2>().is_err()); // not every i32 is an f32
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another rank, [`TypeMismatch`](crate::ErrorKind::TypeMismatch), and what reading the file meets.
    pub fn read<T: H5Type, D: Dimension>(&self) -> Result<Array<T, D>> {
        self.read_slice(..)
    }

    /// Reads the selected elements; axes selected by an index are left out of the shape.
    ///
    /// ```
    /// use ndarray::{Array1, Array2, array, s};
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &array![[1, 2], [3, 4], [5, 6]])?;
    /// let rows: Array2<i32> = data.read_slice((1.., ..))?;
    /// assert_eq!(rows, array![[3, 4], [5, 6]]);
    /// let row: Array1<i32> = data.read_slice(-1)?; // an index takes its axis away
    /// assert_eq!(row, array![5, 6]);
    /// let every_second: Array1<i32> = data.read_slice(s![..;2, 1])?;
    /// assert_eq!(every_second, array![2, 6]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent, another rank, [`TypeMismatch`](crate::ErrorKind::TypeMismatch), and what reading
    /// the file meets.
    pub fn read_slice<T: H5Type, S: Into<Selection>, D: Dimension>(
        &self,
        selection: S,
    ) -> Result<Array<T, D>> {
        self.as_reader().read_slice(selection)
    }

    pub(crate) fn read_converted<T: H5Type, D: Dimension>(
        &self,
        selection: &Selection,
        conversion: Conversion,
    ) -> Result<Array<T, D>> {
        self.object().with(|engine, addr| {
            engine.follow_extent(addr)?;
            let datatype = engine.dataset(addr)?.datatype.clone();
            reader::check::<T>(engine, &datatype, conversion)?;
            let resolved = selection.resolve(&engine.dataset(addr)?.selectable_dims())?;
            let values = reader::read_values::<T>(engine, addr, &resolved, conversion)?;
            reader::shaped(&resolved.result_shape(), values, "selection")
        })
    }

    /// A reader with a conversion of choice.
    ///
    /// ```
    /// use h5quill::{Conversion, File};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<f64>().create_with("x", &[0.1, -7.9])?;
    /// let soft = data.as_reader().conversion(Conversion::Soft); // as libhdf5 converts
    /// assert_eq!(soft.read_raw::<f32>()?, [0.1, -7.9]);
    /// assert_eq!(soft.read_raw::<i8>()?, [0, -7]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn as_reader(&self) -> Reader<'_> {
        self.into()
    }

    /// Reads all elements, in row-major order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().create_with("x", &ndarray::array![[1, 2], [3, 4]])?;
    /// assert_eq!(data.read_raw::<i32>()?, [1, 2, 3, 4]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_raw<T: H5Type>(&self) -> Result<Vec<T>> {
        Ok(self.read_dyn::<T>()?.into_raw_vec_and_offset().0)
    }

    /// Reads all elements of a dataset of rank 1.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// assert_eq!(data.read_1d::<i32>()?.sum(), 6);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_1d<T: H5Type>(&self) -> Result<Array1<T>> {
        self.read()
    }

    /// Reads all elements of a dataset of rank 2.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().create_with("x", &ndarray::array![[1, 2], [3, 4]])?;
    /// assert_eq!(data.read_2d::<i32>()?[[1, 0]], 3);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_2d<T: H5Type>(&self) -> Result<Array2<T>> {
        self.read()
    }

    /// Reads all elements, of any rank.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape((2, 3, 4)).create("x")?;
    /// assert_eq!(data.read_dyn::<i32>()?.shape(), [2, 3, 4]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_dyn<T: H5Type>(&self) -> Result<ArrayD<T>> {
        self.read()
    }

    /// Reads the value of a scalar dataset.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<f64>().create("gain")?;
    /// data.write_scalar(&0.5)?;
    /// assert_eq!(data.read_scalar::<f64>()?, 0.5);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_scalar<T: H5Type>(&self) -> Result<T> {
        let array: ndarray::Array0<T> = self.read()?;
        Ok(array.into_scalar())
    }
}

impl Dataset {
    /// The extent, and the shape of a chunk, of a dataset of `T` that can grow along axis 0.
    pub(crate) fn growing<T: H5Type>(&self) -> Result<(Vec<u64>, Vec<u64>)> {
        self.object().with(|engine, addr| {
            engine.check_resizable(addr)?;
            let dataset = engine.dataset(addr)?;
            dtype::expect::<T>(&dataset.datatype)?;
            let (dims, max) = (dataset.dims(), dataset.max_dims());
            match (dims.first(), max.first(), dataset.chunk()) {
                (Some(first), Some(max), Some(chunk)) if max.is_none_or(|max| max > *first) => {
                    Ok((dims.to_vec(), chunk.to_vec()))
                }
                _ => Err(Error::invalid("the dataset cannot grow along axis 0")),
            }
        })
    }
}

/// The extent with `count` more steps along `axis`, and those steps.
fn continued(
    dataset: &crate::object::dataset::Dataset,
    axis: usize,
    count: u64,
) -> Result<(Vec<u64>, Resolved)> {
    let start = dataset.dims()[axis];
    let mut grown = dataset.dims().to_vec();
    grown[axis] = start
        .checked_add(count)
        .ok_or_else(|| Error::limit("the extent of an axis", u64::MAX, i64::MAX as u64))?;
    dataset.check_resize(&grown)?;
    let mut selection = Resolved::whole(&grown)?;
    selection.axes[axis].start = start;
    selection.axes[axis].count = count;
    Ok((grown, selection))
}

/// How many steps along `axis` the values make, whose shape is that of the dataset but for that axis, or lacks it.
fn appended(dims: &[u64], axis: usize, shape: &[usize]) -> Result<u64> {
    if axis >= dims.len() {
        return Err(Error::invalid(format!(
            "there is no axis {axis} in a dataset of rank {}",
            dims.len()
        )));
    }
    let fits = |shape: &[usize], skip: Option<usize>| {
        let rest = dims
            .iter()
            .enumerate()
            .filter(|(number, _)| *number != axis);
        let given = shape
            .iter()
            .enumerate()
            .filter(|(number, _)| Some(*number) != skip);
        rest.map(|(_, dim)| *dim)
            .eq(given.map(|(_, dim)| *dim as u64))
    };
    if shape.len() == dims.len() && fits(shape, Some(axis)) {
        return Ok(shape[axis] as u64);
    }
    if shape.len() + 1 == dims.len() && fits(shape, None) {
        return Ok(1);
    }
    Err(Error::invalid(format!(
        "values of shape {shape:?} do not continue axis {axis} of a dataset of shape {dims:?}"
    )))
}

/// One element may be given as an array without axes.
fn view_is_scalar(selection: &Resolved, shape: &[usize]) -> bool {
    shape.is_empty() && selection.element_count() == 1 && selection.result_shape().is_empty()
}

/// The memory that the values take, about as much as the file needs for them.
fn memory_of<T, D: Dimension>(view: &ArrayView<'_, T, D>) -> u64 {
    (view.len() * core::mem::size_of::<T>()) as u64
}

/// The values in row-major order, copied only where they are not.
fn standard<'a, T: Clone, D: Dimension>(view: &'a ArrayView<'_, T, D>) -> Cow<'a, [T]> {
    match view.as_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(view.iter().cloned().collect()),
    }
}
