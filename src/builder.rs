//! The making of datasets.

mod chunk_opts;
mod data;
mod filters;
mod outside;

pub use chunk_opts::ChunkOpts;
pub use data::DatasetBuilderData;

use crate::dataset::Dataset;
use crate::dtype::{self, CreateWith, ElementValue, H5Type, VarLenSink};
use crate::error::{Error, Result};
use crate::extents::Extents;
use crate::filter::{self, Request};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::datatype::{ByteOrder, Datatype};
use crate::format::message::fill_value::{AllocTime, FillTime};
use crate::handle::ObjectRef;
use crate::named_datatype::NamedDatatype;
use crate::object::new_group::phase_change;
use crate::object::plan::{LayoutChoice, Outside, Plan};
use alloc::format;
use alloc::vec::Vec;
use core::marker::PhantomData;
use ndarray::{ArrayView, Dimension};

/// Stands for the element type of a dataset whose datatype is known only at run time.
///
/// ```
/// use h5quill::{DatasetBuilder, Datatype, File, Raw};
/// let file = File::create_memory()?;
/// let pixels = Datatype::Opaque { size: 3, tag: "rgb".into() };
/// let builder: DatasetBuilder<Raw> = file.new_dataset_of(pixels).shape(2);
/// let data = builder.create("pixels")?;
/// data.write_bytes(b"\xff\x00\x00\x00\xff\x00", ..)?;
/// assert_eq!(data.read_bytes(1)?, b"\x00\xff\x00");
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Raw;

/// What a dataset is to be. Nothing is checked or written before [`create`](Self::create).
///
/// ```
/// let file = h5quill::File::create_memory()?;
///
/// let builder = file.new_dataset::<f32>().shape((0.., 64)).shuffle().deflate(4);
/// let left = builder.clone().create("left")?;
/// let right = builder.create("right")?;
/// assert_eq!(left.chunk(), right.chunk());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DatasetBuilder<T> {
    parent: ObjectRef,
    datatype: Datatype,
    named: Option<NamedDatatype>,
    extents: Extents,
    chunk: Option<Vec<u64>>,
    layout: LayoutChoice,
    /// Where the data are, if not in the file.
    outside: Option<Outside>,
    shuffle: bool,
    fletcher32: bool,
    /// All but these two, in the order they were asked for.
    filters: Vec<Request>,
    fill: Option<Vec<u8>>,
    error: Option<Error>,
    fill_time: FillTime,
    early: bool,
    track_order: bool,
    attr_phase_change: Option<(u32, u32)>,
    chunk_opts: ChunkOpts,
    element: PhantomData<fn() -> T>,
}

impl<T> DatasetBuilder<T> {
    pub(crate) fn new(parent: ObjectRef, datatype: Datatype) -> Self {
        Self {
            parent,
            datatype,
            named: None,
            extents: Extents::Scalar,
            chunk: None,
            layout: LayoutChoice::Auto,
            outside: None,
            shuffle: false,
            fletcher32: false,
            filters: Vec::new(),
            fill: None,
            error: None,
            fill_time: FillTime::default(),
            early: false,
            track_order: false,
            attr_phase_change: None,
            chunk_opts: ChunkOpts::NONE,
            element: PhantomData,
        }
    }

    /// The extent: a number for each axis, `n..` where the axis is unlimited, `n..=max` where it can grow to `max`.
    /// A scalar by default.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let builder = file.new_dataset::<f32>();
    /// assert_eq!(builder.clone().shape((2, 3)).create("fixed")?.maxshape(), [Some(2), Some(3)]);
    /// assert_eq!(builder.clone().shape((0.., 3)).create("grows")?.maxshape(), [None, Some(3)]);
    /// assert_eq!(builder.clone().shape(1..=9).create("bounded")?.maxshape(), [Some(9)]);
    /// assert!(builder.create("scalar")?.shape().is_empty());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn shape(mut self, extents: impl Into<Extents>) -> Self {
        self.extents = extents.into();
        self
    }

    /// The shape of a chunk, in elements. Where a dataset needs chunks and none are given, whole rows of the fixed
    /// axes are kept together, 16 KiB to 1 MiB a chunk.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<f32>().shape((0.., 3)).chunk((64, 3)).create("x")?;
    /// assert_eq!(data.chunk(), Some(vec![64, 3]));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn chunk(mut self, chunk: impl Into<Extents>) -> Self {
        self.chunk = Some(chunk.into().dims());
        self
    }

    /// Filters chunks through byte shuffling, which helps [`deflate`](Self::deflate) with numbers.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<f32>().shape(0..).shuffle().deflate(1).create("x")?;
    /// assert_eq!(data.filters()?.len(), 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(mut self) -> Self {
        self.shuffle = true;
        self
    }

    /// Compresses chunks with zlib's deflate at a level of 0 to 9.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape(0..).deflate(4).create("x")?;
    /// data.append(&vec![7; 1 << 20])?;
    /// assert!(file.into_bytes()?.len() < 1 << 16); // of 4 MiB
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn deflate(mut self, level: u8) -> Self {
        let request = Request::new(filter::DEFLATE, &[level.into()]);
        let mut known = self.filters.iter_mut();
        match known.find(|known| known.id == request.id) {
            Some(known) => *known = request,
            None => self.filters.push(request),
        }
        self
    }

    /// Keeps a Fletcher-32 checksum with each chunk, checked when it is read. Elements that are strings or sequences of
    /// variable length are refused when the dataset is created, as libhdf5 and h5py refuse them.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<i32>().shape(0..).fletcher32().create("x")?;
    /// assert_eq!(data.filters()?[0].id, 3);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn fletcher32(mut self) -> Self {
        self.fletcher32 = true;
        self
    }

    /// Filters chunks through a filter that is known by its identifier, with the parameters that it takes: one of this
    /// library's or, of identifiers it does not know, one that [`FileBuilder::filter`](crate::FileBuilder::filter) brought.
    /// Where the filter declines a chunk, that goes without it.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(8).add_filter(1, &[9]).create("x")?; // deflate
    /// assert_eq!(data.filters()?[0].values, [9]);
    /// let error = file.new_dataset::<u8>().shape(8).add_filter(305, &[]).create("y").unwrap_err();
    /// assert!(error.to_string().ends_with("filter 305")); // nobody knows it
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn add_filter(mut self, id: u16, values: &[u32]) -> Self {
        self.filters.push(Request::new(id, values));
        self
    }

    /// In the order of the calls, but for three: what packs elements comes first, then the shuffle; the checksum is the last.
    fn filters(&self) -> Vec<Request> {
        let packs = |request: &&Request| matches!(request.id, filter::NBIT | filter::SCALE_OFFSET);
        let mut filters: Vec<Request> = self.filters.iter().filter(packs).cloned().collect();
        if self.shuffle {
            filters.push(Request::new(filter::SHUFFLE, &[]));
        }
        let others = self.filters.iter().filter(|request| !packs(request));
        filters.extend(others.cloned());
        if self.fletcher32 {
            filters.push(Request::new(filter::FLETCHER32, &[]));
        }
        filters
    }

    /// When the fill value is written to space that holds no data.
    ///
    /// ```
    /// use h5quill::{File, FillTime};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(4).fill_time(FillTime::OnAllocation).create("x")?;
    /// assert_eq!(data.read_raw::<i32>()?, [0; 4]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn fill_time(mut self, time: FillTime) -> Self {
        self.fill_time = time;
        self
    }

    /// When space is allocated; only [`AllocTime::Early`] differs from what a layout does by itself: the chunks of the
    /// extent at creation are written then. Those that are not filtered, of a fixed extent, are in one block until one is
    /// changed after a commit: then they get an index, so that a kill leaves the old chunk or the new one.
    ///
    /// ```
    /// use h5quill::{AllocTime, File};
    /// let file = File::create_memory()?;
    /// file.new_dataset::<u8>().shape(1 << 20).alloc_time(AllocTime::Early).create("x")?;
    /// assert!(file.into_bytes()?.len() > 1 << 20); // though nothing was written
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn alloc_time(mut self, time: AllocTime) -> Self {
        self.early = time == AllocTime::Early;
        self
    }

    /// Keeps and indexes the order in which attributes are made, as `track_order=True` of h5py does (specification
    /// IV.A.2.v); not by default. Their names are then listed in this order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().track_order(true).create("x")?;
    /// data.set_attr("unit", "V")?;
    /// data.set_attr("gain", 2.5)?;
    /// assert_eq!(data.attr_names()?, ["unit", "gain"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn track_order(mut self, track: bool) -> Self {
        self.track_order = track;
        self
    }

    /// How many attributes there are in the object header at the most, and in dense storage at the least (specification
    /// IV.A.2.v): 8 and 6 by default, and no more than 65,535. With one more attribute than `max_compact` all of them move
    /// to dense storage, and with less than `min_dense` back, whoever edits the file.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().attr_phase_change(64, 32).create("x")?;
    /// for number in 0..64 {
    ///     data.set_attr(&format!("in the header {number}"), number)?;
    /// }
    /// assert_eq!(data.attr_names()?.len(), 64);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// Where the second is more than the first, [`create`](Self::create) refuses.
    #[must_use]
    pub fn attr_phase_change(mut self, max_compact: u32, min_dense: u32) -> Self {
        self.attr_phase_change = Some((max_compact, min_dense));
        self
    }

    /// The byte order of numbers in the file; little-endian by default. To be given before the fill value.
    ///
    /// ```
    /// use h5quill::{ByteOrder, File};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<u16>().byte_order(ByteOrder::BigEndian).create_with("x", &[1])?;
    /// assert_eq!(data.read_bytes(..)?, [0, 1]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn byte_order(mut self, order: ByteOrder) -> Self {
        self.datatype = self.datatype.with_byte_order(order);
        self
    }

    /// The names of the parts of complex numbers, `r` and `i` by default; see
    /// [`Datatype::with_complex_names`]. To be given before the fill value.
    ///
    #[cfg_attr(feature = "complex", doc = "```")]
    #[cfg_attr(not(feature = "complex"), doc = "```ignore")]
    /// use h5quill::File;
    /// use num_complex::Complex;
    /// let file = File::create_memory()?;
    /// let builder = file.new_dataset::<Complex<f64>>().complex_names("real", "imag");
    /// let data = builder.create_with("x", &[Complex::new(1.0, -2.0)])?;
    /// assert_eq!(data.dtype()?.members()[1].name, "imag");
    /// assert_eq!(data.read_raw::<Complex<f64>>()?, [Complex::new(1.0, -2.0)]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn complex_names(mut self, real: &str, imaginary: &str) -> Self {
        self.datatype = self.datatype.with_complex_names(real, imaginary);
        self
    }

    /// Keeps the data, at most 65,000 bytes, in the object header (specification IV.A.2.i).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u8>().shape(65_000).compact().create("x")?;
    /// assert_eq!(data.chunk(), None);
    /// assert!(file.new_dataset::<u8>().shape(65_001).compact().create("y").is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn compact(mut self) -> Self {
        self.layout = LayoutChoice::Compact;
        self
    }

    /// Keeps the data in one block (specification IV.A.2.i). Beyond 64 MiB a change to a part of it is made in place, and
    /// after a kill may be there in part.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u8>().shape(100).contiguous().create("x")?;
    /// assert_eq!(data.chunk(), None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn contiguous(mut self) -> Self {
        self.layout = LayoutChoice::Contiguous;
        self
    }

    /// Keeps the data in chunks, also where the extent is fixed.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u8>().shape((10, 20)).chunked().create("x")?;
    /// assert!(data.chunk().is_some());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.layout = LayoutChoice::Chunked;
        self
    }

    /// One element of the fill value, as the file stores it.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset_of(u16::datatype()).shape(2).fill_value_bytes(&[1, 2]).create("x")?;
    /// assert_eq!(data.read_raw::<u16>()?, [0x0201; 2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn fill_value_bytes(mut self, bytes: &[u8]) -> Self {
        self.fill = Some(bytes.to_vec());
        self
    }

    /// Says that the datatype is a committed one.
    pub(crate) fn of(mut self, named: &NamedDatatype) -> Self {
        self.named = Some(named.clone());
        self
    }

    /// What makes no dataset; the first is reported.
    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    fn plan(&self) -> Result<Plan> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        self.extents.validate()?;
        if self.fill.is_some() && self.datatype.contains_var_len() {
            return Err(Error::unsupported("a fill value of variable length"));
        }
        let filters = self.filters();
        let chunked = self.chunk.is_some() || !filters.is_empty() || self.extents.is_resizable();
        Ok(Plan {
            datatype: self.datatype.clone(),
            committed: None,
            space: dataspace(
                &self.extents,
                chunked || self.layout == LayoutChoice::Chunked,
            ),
            chunk: self.chunk.clone(),
            layout: self.layout,
            outside: self.outside.clone(),
            filters,
            fill: self.fill.clone(),
            fill_time: self.fill_time,
            early: self.early,
            track_order: self.track_order,
            attr_phase_change: phase_change(self.attr_phase_change)?,
            raw_edges: self.chunk_opts == ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS,
        })
    }

    /// Creates the dataset at a path below the group, with the groups on the way.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u8>().shape(3).create("a/b/x")?; // makes the groups
    /// assert_eq!(data.name(), "/a/b/x");
    /// let error = file.new_dataset::<u8>().create("a/b/x").unwrap_err();
    /// assert_eq!(error.kind(), &h5quill::ErrorKind::Exists);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), a name that cannot be, a chunk that does not fit, a read-only file;
    /// nothing is changed then.
    pub fn create(self, path: &str) -> Result<Dataset> {
        let full = self.parent.join(path);
        let mut plan = self.plan().map_err(|error| self.located(error, &full))?;
        let object = self.parent.change(0, |engine, base| {
            if let Some(named) = &self.named {
                let addr = named.address_for(&self.parent.shared, engine)?;
                plan.committed = Some(addr);
                if engine.named_datatype(addr)? != plan.datatype {
                    return Err(Error::invalid(
                        "the byte order is that of the committed datatype",
                    ));
                }
            }
            let addr = engine.create_dataset(base, path, plan)?;
            Ok(ObjectRef::new(
                self.parent.shared.clone(),
                engine,
                addr,
                &full,
            ))
        });
        Ok(Dataset::new(
            object.map_err(|error| error.attribute(&full))?,
        ))
    }

    fn located(&self, error: Error, path: &str) -> Error {
        error.object(path).file(self.parent.shared.name())
    }
}

impl<T: H5Type> DatasetBuilder<T> {
    /// What elements are that were never written; zeros and empty strings by default.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<f64>().shape(0..).fill_value(f64::NAN).create("x")?;
    /// data.resize(2)?;
    /// assert!(data.read_raw::<f64>()?[1].is_nan());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn fill_value(mut self, value: T) -> Self {
        let mut bytes = Vec::new();
        match T::encode(&[value], &self.datatype, &mut Refuse, &mut bytes) {
            Ok(()) => self.fill = Some(bytes),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Makes the elements of a committed datatype, which is one of `T`, rather than of a datatype of their own. To be
    /// called before [`fill_value`](Self::fill_value).
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let volt = file.commit_datatype("volt", &f32::datatype())?;
    /// let builder = file.new_dataset::<f32>().named_datatype(&volt);
    /// builder.clone().create("x")?;
    /// builder.create("y")?;
    /// let builder = file.new_dataset::<f64>().named_datatype(&volt);
    /// assert!(builder.create("z").is_err()); // nothing is converted silently
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn named_datatype(mut self, named: &NamedDatatype) -> Self {
        let datatype = named.dtype().and_then(|datatype| {
            dtype::expect::<T>(&datatype)?;
            match &self.fill {
                Some(_) if datatype != self.datatype => Err(Error::invalid(
                    "the fill value was given before the committed datatype",
                )),
                _ => Ok(datatype),
            }
        });
        match datatype {
            Ok(datatype) => self.datatype = datatype,
            Err(error) => self.fail(error),
        }
        self.of(named)
    }

    /// Creates the dataset at a path with the shape and the values of `data`, which are of `T`, or `&str` where that is a
    /// string; extents set by [`shape`](Self::shape) are kept where they can hold it.
    ///
    /// ```
    /// use ndarray::array;
    /// let file = h5quill::File::create_memory()?;
    /// let fixed = file.new_dataset::<i32>().create_with("fixed", &array![[1, 2], [3, 4]])?;
    /// let grows = file.new_dataset::<i32>().shape(2..).create_with("grows", &[1, 2])?;
    /// grows.append(&[3])?;
    /// assert_eq!((fixed.shape(), grows.shape()), (vec![2, 2], vec![3]));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`create`](Self::create), and where the extents given do not fit `data`.
    pub fn create_with<'a, V: ElementValue + 'a, D: Dimension>(
        mut self,
        path: &str,
        data: impl Into<ArrayView<'a, V, D>>,
    ) -> Result<Dataset>
    where
        T: CreateWith<V>,
    {
        let view = data.into();
        let located = |builder: &Self, error| {
            let full = builder.parent.join(path);
            builder.located(error, &full)
        };
        self.check_data().map_err(|error| located(&self, error))?;
        match &self.extents {
            Extents::Scalar => self.extents = view.shape().into(),
            extents if extents.shape() == view.shape() => {}
            extents => {
                let error = Error::invalid(format!(
                    "the dataset has the shape {:?}, the data {:?}",
                    extents.shape(),
                    view.shape()
                ));
                return Err(located(&self, error));
            }
        }
        // Before the dataset is made, which would stay behind.
        let checked = self.parent.with(|engine, _| {
            let widths = engine.store.widths();
            let stored = self.datatype.in_file_ref(widths)?;
            dtype::check_values(view.iter(), &stored, widths.offset)
        });
        checked.map_err(|error| located(&self, error))?;
        let dataset = self.create(path)?;
        dataset.write(view)?;
        Ok(dataset)
    }
}

/// A fill value has no heap.
#[derive(Debug)]
struct Refuse;

impl VarLenSink for Refuse {
    fn offset_width(&self) -> u8 {
        8
    }

    fn insert(&mut self, _: &[u8]) -> Result<(u64, u32)> {
        Err(Error::unsupported("a fill value of variable length"))
    }
}

/// The dataspace of an extent; `with_max`: the greatest extent is stored even where it is the present one.
pub(crate) fn dataspace(extents: &Extents, with_max: bool) -> Dataspace {
    match extents {
        Extents::Scalar => Dataspace::scalar(),
        Extents::Null => Dataspace::null(),
        Extents::Simple(_) => {
            let max = (with_max && extents.is_resizable()).then(|| extents.max_dims());
            Dataspace::simple(extents.dims(), max)
        }
    }
}

/// Refuses lengths that memory cannot hold.
pub(crate) fn check_len(bytes: u64) -> Result<usize> {
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or_else(|| Error::limit("the size of values in memory", bytes, isize::MAX as u64))
}
