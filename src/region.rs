//! Regions: the elements of a dataset that a region reference names.

mod runs;

use crate::bytes::Take;
use crate::dataset::Dataset;
use crate::dtype::{Conversion, H5Type, Node, RegionReference, Value};
use crate::error::{Error, Result};
use crate::format::selection::{StoredSelection, encode};
use crate::group::Object;
use crate::location::Location;
use crate::reader;
use crate::selection::Selection;
use alloc::vec::Vec;
use ndarray::{Array, Dimension};
use runs::Elements;

/// Some of the elements of a dataset: what a [`RegionReference`] names.
///
/// ```
/// use h5quill::{File, Selection};
/// use ndarray::{array, s};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<i32>().create_with("x", &array![[1, 2, 3], [4, 5, 6]])?;
/// let reference = data.region_reference(s![.., 1..])?;
/// let region = file.dereference_region(&reference)?;
/// assert_eq!(region.dataset().name(), "/x");
/// assert_eq!(region.read::<i32, ndarray::Ix2>()?, array![[2, 3], [5, 6]]);
/// assert_eq!(region.selection(), Some(Selection::from((0..2, 1..3))));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Region {
    dataset: Dataset,
    stored: StoredSelection,
    elements: Elements,
}

impl Location {
    /// The dataset and the elements of it that a reference names.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let reference = data.region_reference(1..)?;
    /// assert_eq!(file.dereference_region(&reference)?.read_raw::<i32>()?, [2, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`dereference`](Self::dereference), and a region that is not within its dataset.
    pub fn dereference_region(&self, reference: &RegionReference) -> Result<Region> {
        let Object::Dataset(dataset) = self.dereference(reference.object())? else {
            return Err(Error::invalid("a region of what is no dataset"));
        };
        let bytes = reference.selection();
        let stored = StoredSelection::take(&mut Take::new(bytes, "selection", 0))?;
        let dims = dataset.object.with(|engine, addr| {
            engine.follow_extent(addr)?;
            Ok(engine.dataset(addr)?.selectable_dims().to_vec())
        })?;
        Ok(Region {
            elements: Elements::new(&stored, &dims)?,
            dataset,
            stored,
        })
    }
}

impl Region {
    /// The dataset.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(..)?)?;
    /// assert_eq!(region.dataset().shape(), [3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub const fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// What [`Dataset::read_slice`] and [`Dataset::write_slice`] take for it, where the region is one range with one step
    /// on each axis.
    ///
    /// ```
    /// use h5quill::{File, Selection};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(1..)?)?;
    /// assert_eq!(region.selection(), Some(Selection::from(1..3)));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn selection(&self) -> Option<Selection> {
        self.elements.slices().map(Selection::from)
    }

    /// The coordinates of the points, in their order, where the region is a list of points.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(1..)?)?;
    /// assert_eq!(region.points(), None); // it is a range
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn points(&self) -> Option<Vec<Vec<u64>>> {
        match &self.stored {
            StoredSelection::Points { rank, coordinates } => Some(
                coordinates
                    .chunks_exact((*rank).max(1))
                    .map(<[u64]>::to_vec)
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The shape of what is read: that of a product of indices, else one axis.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((4, 6)).create("x")?;
    /// let region = file.dereference_region(&data.region_reference((1..3, ..))?)?;
    /// assert_eq!(region.shape(), [2, 6]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn shape(&self) -> Vec<usize> {
        self.elements.shape()
    }

    /// Reads the elements as an array of [`shape`](Self::shape).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(..2)?)?;
    /// assert_eq!(region.read::<i32, ndarray::Ix1>()?.sum(), 3);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::read_slice`].
    pub fn read<T: H5Type, D: Dimension>(&self) -> Result<Array<T, D>> {
        reader::shaped(&self.shape(), self.read_raw()?, "region")
    }

    /// Reads the elements: points in the order of the list, all others in row-major order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(-1)?)?;
    /// assert_eq!(region.read_raw::<i64>()?, [3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::read_slice`].
    pub fn read_raw<T: H5Type>(&self) -> Result<Vec<T>> {
        self.dataset.object.with(|engine, addr| {
            let datatype = engine.dataset(addr)?.datatype.clone();
            reader::check::<T>(engine, &datatype, Conversion::Exact)?;
            let bytes = self.bytes(engine, addr)?;
            reader::convert(engine, &datatype, &bytes, Conversion::Exact)
        })
    }

    /// Reads the elements of any datatype, in the order of [`read_raw`](Self::read_raw).
    ///
    /// ```
    /// use h5quill::{File, Value};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// let region = file.dereference_region(&data.region_reference(1)?)?;
    /// assert_eq!(region.read_values()?, [Value::Integer(2)]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn read_values(&self) -> Result<Vec<Value>> {
        self.dataset.object.with(|engine, addr| {
            let datatype = engine.dataset(addr)?.datatype.clone();
            let bytes = self.bytes(engine, addr)?;
            let size = datatype.size() as usize;
            engine.decode(|heap| Node::new(&datatype).read_all(&bytes, size, heap))
        })
    }

    fn bytes(
        &self,
        engine: &mut crate::object::engine::Engine,
        addr: crate::bytes::Addr,
    ) -> Result<Vec<u8>> {
        // The dataset may have another extent by now.
        engine.follow_extent(addr)?;
        let dims = engine.dataset(addr)?.selectable_dims().to_vec();
        let elements = Elements::new(&self.stored, &dims)?;
        let mut bytes = Vec::new();
        for read in elements.reads(&dims) {
            bytes.extend(reader::read_selected(engine, addr, &read)?);
        }
        Ok(bytes)
    }
}

impl Dataset {
    /// A reference to some of the elements, which h5py gives as `dataset.regionref[..]`.
    ///
    /// ```
    /// use h5quill::{File, RegionReference};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
    /// data.set_attr("best", vec![data.region_reference(1..)?])?;
    /// let best = data.attr("best")?.read_raw::<RegionReference>()?;
    /// assert_eq!(file.dereference_region(&best[0])?.read_raw::<i32>()?, [2, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A selection beyond the extent; the file is closed or the dataset deleted.
    pub fn region_reference(&self, selection: impl Into<Selection>) -> Result<RegionReference> {
        let selection = selection.into();
        let object = self.reference()?;
        self.object.with(|engine, addr| {
            engine.follow_extent(addr)?;
            let dims = engine.dataset(addr)?.selectable_dims().to_vec();
            let resolved = selection.resolve(&dims)?;
            let axes = resolved.axes.iter();
            let axes: Vec<_> = axes
                .map(|axis| (axis.start, axis.step, axis.count))
                .collect();
            Ok(RegionReference::new(object, encode(&axes)))
        })
    }
}
