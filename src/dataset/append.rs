//! Growing: rows, and steps along any axis.

use super::Dataset;
use super::write::{memory_of, standard};
use crate::appender::Appender;
use crate::dtype::{self, ElementValue, H5Type, Value};
use crate::error::{Error, Result};
use crate::selection::Resolved;
use alloc::format;
use alloc::vec::Vec;
use ndarray::{ArrayView, Dimension};

impl Dataset {
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
            let encoded =
                engine.encode_for(addr, |heap| dtype::encode(&values, &datatype, heap))?;
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
            let encoded =
                engine.encode_for(addr, |heap| dtype::encode_values(values, &datatype, heap))?;
            engine.extend_dataset(addr, &grown, &selection, &encoded)
        })
    }

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
