//! Reading with a conversion of choice.

use crate::attribute::Attribute;
use crate::builder::check_len;
use crate::bytes::Addr;
use crate::dataset::Dataset;
use crate::dtype::{Conversion, H5Type, Plan, Scratch};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::object::engine::Engine;
use crate::selection::{Resolved, Selection};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use ndarray::{Array, Array1, Array2, ArrayD, Dimension, IxDyn};

/// Reads a dataset or an attribute with a [`Conversion`] of choice; what [`Dataset::as_reader`] and
/// [`Attribute::as_reader`] give. By default it converts what keeps every value, as the methods of these do themselves.
///
/// ```
/// use h5quill::{Conversion, File};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<f64>().create_with("x", &[1.0, 2.0])?;
/// let checked = data.as_reader().conversion(Conversion::Checked);
/// assert_eq!(checked.read_raw::<i32>()?, [1, 2]);
/// data.write_slice(&[2.5], 1..)?;
/// assert!(checked.read_raw::<i32>().is_err());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    source: Source<'a>,
    conversion: Conversion,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Dataset(&'a Dataset),
    Attribute(&'a Attribute),
}

impl<'a> From<&'a Dataset> for Reader<'a> {
    fn from(dataset: &'a Dataset) -> Self {
        Self {
            source: Source::Dataset(dataset),
            conversion: Conversion::default(),
        }
    }
}

impl<'a> From<&'a Attribute> for Reader<'a> {
    fn from(attribute: &'a Attribute) -> Self {
        Self {
            source: Source::Attribute(attribute),
            conversion: Conversion::default(),
        }
    }
}

impl Reader<'_> {
    /// What may happen to the values.
    ///
    /// ```
    /// use h5quill::Conversion;
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("gain", 2.75)?;
    /// let soft = file.attr("gain")?;
    /// assert_eq!(soft.as_reader().conversion(Conversion::Soft).read_scalar::<u8>()?, 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub const fn conversion(mut self, conversion: Conversion) -> Self {
        self.conversion = conversion;
        self
    }

    /// No conversion: the types must be the same, but for the byte order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i16>().create_with("x", &[1, 2])?;
    /// assert!(data.as_reader().no_convert().read_raw::<i32>().is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub const fn no_convert(self) -> Self {
        self.conversion(Conversion::NoOp)
    }

    /// All elements as an array of the stored shape.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i16>().create_with("x", &[1, 2])?;
    /// let values: ndarray::Array1<f32> = data.as_reader().read()?;
    /// assert_eq!(values.sum(), 3.0);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another rank, [`TypeMismatch`](crate::ErrorKind::TypeMismatch) where there is no such conversion, a value that
    /// does not fit where that is checked, and what reading the file meets.
    pub fn read<T: H5Type, D: Dimension>(&self) -> Result<Array<T, D>> {
        match self.source {
            Source::Dataset(_) => self.read_slice(..),
            Source::Attribute(attribute) => attribute.read_converted(self.conversion),
        }
    }

    /// The selected elements of a dataset; axes selected by an index are left out of the shape.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().create_with("x", &[1, 2, 3])?;
    /// let values: ndarray::Array1<i64> = data.as_reader().read_slice(1..)?;
    /// assert_eq!(values, ndarray::array![2, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read), a selection beyond the extent, and a selection of an attribute.
    pub fn read_slice<T: H5Type, S: Into<Selection>, D: Dimension>(
        &self,
        selection: S,
    ) -> Result<Array<T, D>> {
        match self.source {
            Source::Dataset(dataset) => dataset.read_converted(&selection.into(), self.conversion),
            Source::Attribute(_) => Err(Error::invalid("an attribute is read whole")),
        }
    }

    /// All elements, in row-major order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().create_with("x", &[0.5, 1.5])?;
    /// assert_eq!(data.as_reader().read_raw::<f64>()?, [0.5, 1.5]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_raw<T: H5Type>(&self) -> Result<Vec<T>> {
        Ok(self.read_dyn::<T>()?.into_raw_vec_and_offset().0)
    }

    /// All elements of rank 1.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u16>().create_with("x", &[1, 2])?;
    /// assert_eq!(data.as_reader().read_1d::<u64>()?.len(), 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_1d<T: H5Type>(&self) -> Result<Array1<T>> {
        self.read()
    }

    /// All elements of rank 2.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u16>().create_with("x", &ndarray::array![[1, 2]])?;
    /// assert_eq!(data.as_reader().read_2d::<f64>()?[[0, 1]], 2.0);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_2d<T: H5Type>(&self) -> Result<Array2<T>> {
        self.read()
    }

    /// All elements, of any rank.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i8>().shape((2, 3, 4)).create("x")?;
    /// assert_eq!(data.as_reader().read_dyn::<i64>()?.shape(), [2, 3, 4]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_dyn<T: H5Type>(&self) -> Result<ArrayD<T>> {
        self.read()
    }

    /// The value of a scalar, or of an attribute with one element.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 16_000_u16)?;
    /// assert_eq!(file.attr("fs")?.as_reader().read_scalar::<f64>()?, 16_000.0);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read), and another number of elements.
    pub fn read_scalar<T: H5Type>(&self) -> Result<T> {
        let mut values = match self.source {
            Source::Dataset(_) => {
                let array: ndarray::Array0<T> = self.read()?;
                vec![array.into_scalar()]
            }
            Source::Attribute(_) => self.read_raw()?,
        };
        match (values.pop(), values.is_empty(), self.source) {
            (Some(value), true, _) => Ok(value),
            (_, _, Source::Attribute(attribute)) => Err(attribute.not_one_element()),
            _ => Err(Error::invalid("there is not exactly one element")),
        }
    }
}

/// The values of stored elements.
pub(crate) fn convert<T: H5Type>(
    engine: &mut Engine,
    datatype: &Datatype,
    bytes: &[u8],
    conversion: Conversion,
) -> Result<Vec<T>> {
    if T::matches(datatype) {
        return engine.decode(|heap| T::decode(bytes, datatype, heap));
    }
    let plan = Plan::new::<T>(datatype, conversion, engine.store.widths())?;
    let len = check_len(plan.converted_len(bytes.len())? as u64)?;
    let count = bytes.len() / datatype.size().max(1) as usize;
    engine.decode(|heap| {
        let mut scratch = Scratch::new(heap);
        if T::as_bytes_mut(&mut [], &plan.result).is_some() {
            let mut values = vec![T::zero(); count];
            if let Some(memory) = T::as_bytes_mut(&mut values, &plan.result) {
                plan.run(bytes, memory, &mut scratch)?;
                return Ok(values);
            }
        }
        let mut converted = vec![0; len];
        plan.run(bytes, &mut converted, &mut scratch)?;
        T::decode(&converted, &plan.result, &mut scratch)
    })
}

/// Refuses `T` where stored elements cannot be read as it, before anything is read.
pub(crate) fn check<T: H5Type>(
    engine: &Engine,
    datatype: &Datatype,
    conversion: Conversion,
) -> Result<()> {
    if T::matches(datatype) {
        return Ok(());
    }
    Plan::new::<T>(datatype, conversion, engine.store.widths()).map(|_| ())
}

/// The selected elements as the file stores them.
pub(crate) fn read_selected(
    engine: &mut Engine,
    addr: Addr,
    selection: &Resolved,
) -> Result<Vec<u8>> {
    let element = engine.dataset(addr)?.element_size() as u64;
    let len = check_len(selection.element_count().saturating_mul(element))?;
    let mut bytes = vec![0; len];
    engine.read_dataset(addr, selection, &mut bytes)?;
    Ok(bytes)
}

/// The values of the selected elements.
pub(crate) fn read_values<T: H5Type>(
    engine: &mut Engine,
    addr: Addr,
    selection: &Resolved,
    conversion: Conversion,
) -> Result<Vec<T>> {
    let datatype = engine.dataset(addr)?.datatype.clone();
    let count = selection.element_count();
    check_len(count.saturating_mul(u64::from(datatype.size())))?;
    if T::as_bytes_mut(&mut [], &datatype).is_some() {
        let mut values = vec![T::zero(); check_len(count)?];
        if let Some(bytes) = T::as_bytes_mut(&mut values, &datatype) {
            engine.read_dataset(addr, selection, bytes)?;
            return Ok(values);
        }
    }
    let bytes = read_selected(engine, addr, selection)?;
    convert(engine, &datatype, &bytes, conversion)
}

/// Values of a shape, as an array of the rank that `D` has.
pub(crate) fn shaped<T, D: Dimension>(
    shape: &[usize],
    values: Vec<T>,
    what: &str,
) -> Result<Array<T, D>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), values)
        .map_err(|error| Error::invalid(format!("the values do not fit an array: {error}")))?;
    array.into_dimensionality().map_err(|_| {
        Error::invalid(format!(
            "the {what} has rank {}, not that of the array it is read into",
            shape.len()
        ))
    })
}
