//! Writing: all elements, or some.

use super::Dataset;
use crate::dtype::{self, ElementValue, Value};
use crate::error::{Error, Result};
use crate::selection::Selection;
use alloc::borrow::Cow;
use alloc::format;
use ndarray::{ArrayView, Dimension};

impl Dataset {
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
            let resolved = selection.resolve(dataset.selectable_dims())?;
            if !resolved.has_shape(view.shape()) {
                return Err(Error::invalid(format!(
                    "the selection has the shape {:?}, the values {:?}",
                    resolved.result_shape(),
                    view.shape()
                )));
            }
            let (values, datatype) = (standard(&view), dataset.datatype.clone());
            let encoded =
                engine.encode_for(addr, |heap| dtype::encode(&values, &datatype, heap))?;
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
            let resolved = selection.resolve(dataset.selectable_dims())?;
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
    /// What the dataset holds can always be written to it, also where its datatype does not quite have it: text that is
    /// not ASCII in strings of ASCII, a string without room for the NUL behind it, a number that no member of an
    /// enumeration has (a [`Value::Enum`] without a name).
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
            let resolved = selection.resolve(dataset.selectable_dims())?;
            if resolved.element_count() != values.len() as u64 {
                return Err(Error::invalid(format!(
                    "the selection has {} elements, {} values are given",
                    resolved.element_count(),
                    values.len()
                )));
            }
            let datatype = dataset.datatype.clone();
            let encoded =
                engine.encode_for(addr, |heap| dtype::encode_values(values, &datatype, heap))?;
            engine.write_dataset(addr, &resolved, &encoded)
        })
    }
}

/// The memory that the values take, about as much as the file needs for them.
pub(super) fn memory_of<T, D: Dimension>(view: &ArrayView<'_, T, D>) -> u64 {
    (view.len() * core::mem::size_of::<T>()) as u64
}

/// The values in row-major order, copied only where they are not.
pub(super) fn standard<'a, T: Clone, D: Dimension>(view: &'a ArrayView<'_, T, D>) -> Cow<'a, [T]> {
    match view.as_slice() {
        Some(values) => Cow::Borrowed(values),
        None => Cow::Owned(view.iter().cloned().collect()),
    }
}
