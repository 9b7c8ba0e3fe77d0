//! Reading: all elements, or some, as values or bytes.

use super::Dataset;
use crate::dtype::{Conversion, H5Type, Node, Value};
use crate::error::Result;
use crate::reader::{self, Reader};
use crate::selection::Selection;
use alloc::vec::Vec;
use ndarray::{Array, Array1, Array2, ArrayD, Dimension};

impl Dataset {
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
            let resolved = selection.resolve(dataset.selectable_dims())?;
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
            let resolved = selection.resolve(dataset.selectable_dims())?;
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
            let resolved = selection.resolve(engine.dataset(addr)?.selectable_dims())?;
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
