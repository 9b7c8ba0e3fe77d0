//! Datasets: arrays of elements that grow, shrink and are rewritten.

mod append;
mod read;
mod write;

use crate::error::Result;
use crate::extents::Extents;
use crate::format::message::datatype::Datatype;
use crate::handle::ObjectRef;
use crate::location::Location;
use crate::named_datatype::NamedDatatype;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

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
            Ok(engine.dataset(addr)?.selectable_dims().to_vec())
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

    /// Makes the extent larger or smaller; elements that come in are the fill value. Where the filters of the dataset are not
    /// known, so that its chunks cannot be changed, whole chunks come and go.
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
            let whole_chunks = engine.dataset(addr)?.resizes_by_whole_chunks(&dims);
            match whole_chunks {
                true => engine.check_resizable_blindly(addr)?,
                false => engine.check_resizable(addr)?,
            }
            engine.dataset(addr)?.check_resize(&dims)?;
            engine.resize_dataset(addr, &dims)
        })
    }
}
