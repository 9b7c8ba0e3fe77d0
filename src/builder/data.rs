//! Datasets whose element type follows from their data, under the names of hdf5-metno.

use super::DatasetBuilder;
use crate::dataset::Dataset;
use crate::dtype::H5Type;
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::group::Group;
use core::marker::PhantomData;
use ndarray::{ArrayView, Dimension};

impl Group {
    /// A builder for a dataset whose element type its data say, or [`empty`](DatasetBuilder::empty): hdf5-metno's way.
    /// [`new_dataset`](Self::new_dataset) and [`create_with`](DatasetBuilder::create_with) do the same in fewer words.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset_builder().deflate(3).with_data(&[0.5, 1.5]).create("x")?;
    /// assert_eq!(data.read_raw::<f64>()?, [0.5, 1.5]);
    /// assert!(file.new_dataset_builder().create("y").is_err()); // of what?
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_dataset_builder(&self) -> DatasetBuilder<()> {
        let mut builder = DatasetBuilder::new(self.object().clone(), u8::datatype());
        builder.error = Some(Error::invalid(
            "the element type of the dataset is not given",
        ));
        builder
    }
}

impl DatasetBuilder<()> {
    /// Of elements of that type, not written yet.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset_builder().empty::<f32>().shape((0.., 3)).create("x")?;
    /// assert_eq!(data.shape(), [0, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn empty<T: H5Type>(self) -> DatasetBuilder<T> {
        self.typed(T::datatype())
    }

    /// Of the type, the shape and the values of the data.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset_builder().with_data(&[1_u16, 2, 3]).create("x")?;
    /// assert_eq!(data.dtype()?.to_string(), "little-endian u16");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn with_data<'a, T: H5Type, D: Dimension>(
        self,
        data: impl Into<ArrayView<'a, T, D>>,
    ) -> DatasetBuilderData<'a, T, D> {
        DatasetBuilderData {
            builder: self.empty(),
            data: data.into(),
        }
    }

    fn typed<T>(self, datatype: Datatype) -> DatasetBuilder<T> {
        DatasetBuilder {
            parent: self.parent,
            datatype,
            named: None,
            extents: self.extents,
            chunk: self.chunk,
            layout: self.layout,
            shuffle: self.shuffle,
            fletcher32: self.fletcher32,
            filters: self.filters,
            fill: self.fill,
            error: None,
            fill_time: self.fill_time,
            early: self.early,
            track_order: self.track_order,
            attr_phase_change: self.attr_phase_change,
            chunk_opts: self.chunk_opts,
            outside: self.outside,
            element: PhantomData,
        }
    }
}

/// A dataset with its data, to be created.
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let builder = file.new_dataset_builder().with_data(&[1, 2]);
/// assert_eq!(builder.create("x")?.shape(), [2]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DatasetBuilderData<'a, T, D: Dimension> {
    builder: DatasetBuilder<T>,
    data: ArrayView<'a, T, D>,
}

impl<T: H5Type, D: Dimension> DatasetBuilderData<'_, T, D> {
    /// Creates the dataset at a path below the group, and writes the data.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset_builder().with_data(&[1, 2]).create("a/x")?; // makes the group
    /// assert_eq!(data.name(), "/a/x");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`DatasetBuilder::create_with`].
    pub fn create(self, path: &str) -> Result<Dataset> {
        self.builder.create_with(path, self.data)
    }
}
