//! What [`File::verify`](crate::File::verify) finds.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Something about a file that is not as it should be.
///
/// ```
/// use h5quill::File;
/// let mut bytes = File::create_memory()?.into_bytes()?;
/// bytes[70] ^= 1; // in the header of the root group
/// let error = File::open_memory(bytes).unwrap_err();
/// assert!(error.to_string().contains("object header"));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes from the beginning of the file (behind a user block), as far as it is known.
    pub offset: Option<u64>,
    /// The path of the object it belongs to: `/` is the root group, and the file as a whole.
    pub object: String,
    /// What is wrong, or not understood.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        if let Some(offset) = self.offset {
            write!(f, "offset {offset}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// What a file holds, and what is wrong with it: the result of [`File::verify`](crate::File::verify).
///
/// ```
/// use h5quill::File;
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<f32>().shape(0..).chunk(100).create("a/data")?;
/// data.append(&[1.0_f32; 250])?;
/// file.flush()?;
/// let report = file.verify()?;
/// assert!(report.is_sound());
/// assert_eq!((report.objects, report.groups, report.datasets, report.chunks), (3, 2, 1, 3));
/// assert_eq!(report.raw_bytes, 3 * 400);
/// println!("{report}");
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Report {
    /// Groups, datasets and committed datatypes, each once.
    pub objects: u64,
    /// Groups, the root group included.
    pub groups: u64,
    /// Datasets.
    pub datasets: u64,
    /// Chunks that have a place in the file.
    pub chunks: u64,
    /// Bytes of everything that is neither elements nor free.
    pub metadata_bytes: u64,
    /// Bytes of elements, as stored; those of variable length and in object headers are counted as metadata.
    pub raw_bytes: u64,
    /// Bytes that a list in the file says are free.
    pub free_bytes: u64,
    /// Bytes that nothing names: left by a writer that died, or by one that keeps no list of free space.
    pub unreachable_bytes: u64,
    /// What is wrong, the first 1000 found.
    pub problems: Vec<Problem>,
    /// How many more problems there are than [`problems`](Self::problems) has.
    pub further_problems: u64,
    /// What could not be looked into, because this library does not support it.
    pub unchecked: Vec<Problem>,
}

impl Report {
    /// Whether no problem was found. What is [`unchecked`](Self::unchecked) is not known to be one.
    ///
    /// ```
    /// use h5quill::File;
    /// let file = File::create_memory()?;
    /// file.flush()?;
    /// assert!(file.verify()?.is_sound());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} objects: {} groups, {} datasets, {} chunks",
            self.objects, self.groups, self.datasets, self.chunks
        )?;
        writeln!(
            f,
            "{} bytes of metadata, {} of raw data, {} free, {} unreachable",
            self.metadata_bytes, self.raw_bytes, self.free_bytes, self.unreachable_bytes
        )?;
        for problem in &self.problems {
            writeln!(f, "problem: {problem}")?;
        }
        if self.further_problems > 0 {
            writeln!(f, "and {} more problems", self.further_problems)?;
        }
        for unchecked in &self.unchecked {
            writeln!(f, "not checked: {unchecked}")?;
        }
        f.write_str(if self.is_sound() {
            "sound"
        } else {
            "not sound"
        })
    }
}
