//! Rows one by one, appended many at a time.

use crate::dataset::Dataset;
use crate::dtype::H5Type;
use crate::error::{Error, Result};
use alloc::format;
use alloc::vec::Vec;
use ndarray::{ArrayView, IxDyn};

/// Where whole chunks are smaller than this, several are appended at a time.
const BATCH: usize = 256 << 10;

/// More than this is not kept back, whatever the size of a chunk.
const MOST: usize = 1 << 20;

/// A buffer for the rows of a dataset, made by [`Dataset::appender`]: they are appended along axis 0 when they fill a
/// chunk, in the order in which they came. [`push_row`](Self::push_row) takes no lock and looks at no file, so that it
/// costs what a copy of the row costs.
///
/// Rows in the buffer are not yet part of the dataset: no reader sees them, and [`File::flush`](crate::File::flush) does not
/// commit them. [`pass_on`](Self::pass_on) appends them at once, [`finish`](Self::finish) as the last thing. A drop does as
/// `finish` does, but has nobody to tell of an error.
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let data = file.new_dataset::<u16>().shape((0.., 2)).chunk((100, 2)).create("x")?;
/// let mut rows = data.appender::<u16>()?;
/// rows.push_row(&[1, 2])?;
/// assert_eq!(data.shape(), [0, 2]);
/// rows.pass_on()?;
/// file.flush()?; // a kill from here on leaves the row
/// assert_eq!(data.read_raw::<u16>()?, [1, 2]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug)]
pub struct Appender<T: H5Type> {
    dataset: Dataset,
    rows: Vec<T>,
    /// The extent of a row, with a first axis for their number.
    shape: Vec<usize>,
    /// The elements of a row.
    row: usize,
    /// How many elements are appended at a time, but for the first, which fill a chunk that has some.
    batch: usize,
    /// How many elements may be here before they are appended.
    room: usize,
}

impl<T: H5Type> Appender<T> {
    pub(crate) fn new(dataset: &Dataset) -> Result<Self> {
        let (dims, chunk) = dataset.growing::<T>()?;
        let in_memory = |dim: &u64| usize::try_from(*dim).unwrap_or(usize::MAX);
        let shape: Vec<usize> = dims.iter().map(in_memory).collect();
        let row = shape[1..].iter().product::<usize>().max(1);
        let row_bytes = row.saturating_mul(size_of::<T>()).max(1);
        let height = in_memory(&chunk[0]);
        let rows = match height.saturating_mul(row_bytes) {
            bytes if bytes < BATCH => BATCH / bytes * height,
            _ => height.min((MOST / row_bytes).max(1)),
        };
        let mut appender = Self {
            dataset: dataset.clone(),
            rows: Vec::new(),
            shape,
            row,
            batch: rows * row,
            room: 0,
        };
        // The first rows end where a chunk does.
        let inside = in_memory(&(dims[0] % chunk[0]));
        appender.room = (rows - inside % rows) * row;
        Ok(appender)
    }

    /// Takes a row: its elements, in row-major order where it has several axes.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape((0.., 2, 2)).create("x")?;
    /// let mut rows = data.appender::<i32>()?;
    /// rows.push_row(&[1, 2, 3, 4])?;
    /// assert!(rows.push_row(&[1, 2, 3]).is_err()); // a row has four elements
    /// rows.finish()?;
    /// assert_eq!(data.shape(), [1, 2, 2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of elements, the row not taken; or what [`Dataset::append`] says of the rows before, all of them kept.
    #[inline]
    pub fn push_row(&mut self, row: &[T]) -> Result<()> {
        if row.len() != self.row {
            return Err(self.misfit(row.len()));
        }
        if self.rows.len() >= self.room {
            self.pass_on()?;
        }
        self.rows.extend_from_slice(row);
        Ok(())
    }

    #[cold]
    fn misfit(&self, len: usize) -> Error {
        let error = Error::invalid(format!("a row has {} elements, {len} are given", self.row));
        error.object(&self.dataset.name())
    }

    /// How many rows are not yet part of the dataset.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("x")?;
    /// let mut rows = data.appender::<u8>()?;
    /// rows.push_row(&[1])?;
    /// assert_eq!(rows.waiting(), 1);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn waiting(&self) -> usize {
        self.rows.len() / self.row
    }

    /// Appends the rows that are here to the dataset; the next commit holds them.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("x")?;
    /// let mut rows = data.appender::<u8>()?;
    /// rows.push_row(&[1])?;
    /// rows.pass_on()?;
    /// assert_eq!((rows.waiting(), data.shape()), (0, vec![1]));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What [`Dataset::append`] says; the rows are kept.
    pub fn pass_on(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let taken = self.rows.len();
        self.shape[0] = taken / self.row;
        let view = ArrayView::from_shape(IxDyn(&self.shape), &self.rows)
            .map_err(|_| Error::invalid("the rows have another shape"))?;
        self.dataset.append(view)?;
        self.rows.clear();
        // Less than was asked for leaves room in the chunk.
        self.room = match self.room.saturating_sub(taken) {
            0 => self.batch,
            left => left,
        };
        Ok(())
    }

    /// Appends the rows that are here, and ends.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("x")?;
    /// let mut rows = data.appender::<u8>()?;
    /// rows.push_row(&[1])?;
    /// rows.finish()?;
    /// assert_eq!(data.shape(), [1]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What [`Dataset::append`] says; the rows are lost then.
    pub fn finish(mut self) -> Result<()> {
        let passed_on = self.pass_on();
        self.rows.clear();
        passed_on
    }
}

impl<T: H5Type> Drop for Appender<T> {
    fn drop(&mut self) {
        // There is nobody to tell; `finish` tells.
        let _ = self.pass_on();
    }
}
