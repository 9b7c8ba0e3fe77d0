//! The one error type: what failed, in which file, at which object, at which offset.

use crate::report::Problem;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The result of every fallible operation of this crate.
///
/// ```
/// fn title(bytes: Vec<u8>) -> h5quill::Result<String> {
///     h5quill::File::open_memory(bytes)?.attr("title")?.read_scalar()
/// }
/// assert!(title(Vec::new()).is_err());
/// ```
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// An error of a [`Storage`](crate::storage::Storage): what the device or the operating system said.
///
/// ```
/// use h5quill::storage::StorageError;
/// let error = StorageError::new("no space left on device");
/// assert_eq!(error.to_string(), "no space left on device");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageError {
    message: Cow<'static, str>,
    code: Option<i32>,
}

impl StorageError {
    /// An error that says `message`.
    ///
    /// ```
    /// use h5quill::{ErrorKind, storage::StorageError};
    /// let error = h5quill::Error::from(StorageError::new("the card was pulled out"));
    /// assert!(matches!(error.kind(), ErrorKind::Storage(_)));
    /// ```
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            code: None,
        }
    }

    /// The operating system's error number, where there is one (28 is "no space left" on Linux).
    ///
    /// ```
    /// use h5quill::storage::StorageError;
    /// let full = std::io::Error::from_raw_os_error(28);
    /// assert_eq!(StorageError::from(full).raw_os_error(), Some(28));
    /// assert_eq!(StorageError::new("full").raw_os_error(), None);
    /// ```
    pub fn raw_os_error(&self) -> Option<i32> {
        self.code
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for StorageError {}

#[cfg(feature = "std")]
impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        Self {
            code: error.raw_os_error(),
            message: error.to_string().into(),
        }
    }
}

/// How many problems of a damaged file its error names.
const NAMED_PROBLEMS: usize = 3;

/// What kind of failure an [`Error`] is.
///
/// ```
/// use h5quill::{ErrorKind, File};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<f32>().shape(0..).create("x")?;
/// let error = data.append(&[1.0_f64]).unwrap_err();
/// let ErrorKind::TypeMismatch { stored, given } = error.kind() else { unreachable!() };
/// assert_eq!((stored.as_str(), given.as_str()), ("little-endian f32", "little-endian f64"));
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The storage failed; after a failed write or sync the handle is [poisoned](ErrorKind::Poisoned).
    Storage(StorageError),
    /// The file, object, attribute or link does not exist.
    NotFound,
    /// Something of that name exists already.
    Exists,
    /// An argument does not fit: rank, extent, name, chunk shape, ...
    Invalid(Cow<'static, str>),
    /// The Rust type and the stored datatype differ, and no [`Conversion`](crate::Conversion) that is allowed leads from
    /// one to the other.
    TypeMismatch {
        /// The datatype in the file.
        stored: String,
        /// The datatype asked for or given.
        given: String,
    },
    /// A value is beyond what the format or this library allows.
    Limit {
        /// What is limited.
        what: &'static str,
        /// The value met.
        value: u64,
        /// The largest value allowed.
        max: u64,
    },
    /// No HDF5 signature was found.
    NotHdf5,
    /// The file is shorter than its superblock says.
    Truncated,
    /// The file breaks the specification.
    Corrupt {
        /// The structure of the specification that is broken.
        structure: &'static str,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The last writer of the file died and left it marked as open for writing, and a
    /// [walk](crate::File::verify) found what is wrong: it is not edited. It can be read as far as it is whole.
    Damaged {
        /// What is wrong.
        problems: Vec<Problem>,
    },
    /// Valid, but not (yet) supported; the file is unchanged.
    Unsupported(Cow<'static, str>),
    /// The file is open elsewhere: in another process, or through another handle of this one.
    Locked,
    /// An earlier write or sync failed, or a panic cut a change short; the file is at its last commit and this handle no
    /// longer writes.
    Poisoned,
    /// This process was forked from the one that opened the file, and shares the device with it: only that one writes. Open
    /// the file in this process to use it here, once the other has closed it.
    OtherProcess,
    /// The file was opened for reading only.
    ReadOnly,
    /// The file was closed through another handle.
    Closed,
}

/// What failed, and where: the file, the path of the object and the offset, as far as they are known.
///
/// ```
/// let error = h5quill::File::open_memory(b"not a file".to_vec()).unwrap_err();
/// assert!(matches!(error.kind(), h5quill::ErrorKind::NotHdf5));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    file: Option<String>,
    object: Option<String>,
    member: Option<String>,
    offset: Option<u64>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            file: None,
            object: None,
            member: None,
            offset: None,
        }))
    }

    pub(crate) fn invalid(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid(reason.into()))
    }

    pub(crate) fn corrupt(structure: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Corrupt {
            structure,
            reason: reason.into(),
        })
    }

    /// What a [`Filter`](crate::filters::Filter) of one's own cannot do to a chunk, and why.
    ///
    /// ```
    /// use h5quill::{Error, ErrorKind};
    /// let error = Error::filter("a run is longer than the chunk");
    /// assert!(matches!(error.kind(), ErrorKind::Corrupt { structure: "filter pipeline", .. }));
    /// ```
    pub fn filter(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::corrupt("filter pipeline", reason)
    }

    pub(crate) fn unsupported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unsupported(what.into()))
    }

    pub(crate) fn limit(what: &'static str, value: u64, max: u64) -> Self {
        Self::new(ErrorKind::Limit { what, value, max })
    }

    pub(crate) fn not_found() -> Self {
        Self::new(ErrorKind::NotFound)
    }

    /// Adds the offset in the file, unless one is known already.
    #[must_use]
    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Adds the path of the object, unless one is known already.
    #[must_use]
    pub(crate) fn object(mut self, path: &str) -> Self {
        self.0.object.get_or_insert_with(|| path.to_string());
        self
    }

    /// Says which member of a compound failed: the outer one of those named so far.
    #[must_use]
    pub(crate) fn in_member(mut self, name: &str) -> Self {
        self.0.member = Some(match self.0.member.take() {
            Some(inner) => alloc::format!("{name}.{inner}"),
            None => name.to_string(),
        });
        self
    }

    /// Says which attribute of the object named so far failed.
    #[must_use]
    pub(crate) fn attribute(mut self, path: &str) -> Self {
        self.0.object = Some(path.to_string());
        self
    }

    /// Adds the name of the file, unless one is known already; a file in memory has an empty one, which says nothing.
    #[must_use]
    pub(crate) fn file(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.0.file.get_or_insert_with(|| name.to_string());
        }
        self
    }

    /// What failed.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let error = file.group("a").unwrap_err();
    /// assert_eq!(error.kind(), &h5quill::ErrorKind::NotFound);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What failed, in words, without where.
    pub(crate) fn what(&self) -> String {
        Self::new(self.kind().clone()).to_string()
    }

    /// The file's name, where the failure concerns one.
    ///
    /// ```
    /// let error = h5quill::File::open("no/such/file.h5").unwrap_err();
    /// assert_eq!(error.file_name(), Some("no/such/file.h5"));
    /// ```
    pub fn file_name(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The path of the object, link or attribute (`/group/dataset`, `/group@attribute`).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let error = file.create_group("a")?.attr("fs").unwrap_err();
    /// assert_eq!(error.object_path(), Some("/a@fs"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn object_path(&self) -> Option<&str> {
        self.0.object.as_deref()
    }

    /// The member of a compound that the failure concerns, with the compounds it is in: `x`, or `position.x`.
    ///
    /// ```
    /// use h5quill::{CompoundMember, Datatype, File, H5Type};
    /// let none = Datatype::Array { dims: vec![0], base: Box::new(f32::datatype()) };
    /// let member = CompoundMember { name: "x".into(), offset: 0, datatype: none };
    /// let row = Datatype::Compound { size: 4, members: vec![member] };
    /// let error = File::create_memory()?.new_dataset_of(row).create("rows").unwrap_err();
    /// assert_eq!(error.member(), Some("x"));
    /// assert_eq!(error.to_string(), "/rows: member x: an array has a dimension of 0");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn member(&self) -> Option<&str> {
        self.0.member.as_deref()
    }

    /// The offset in the file, in bytes, where the failure was noticed.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let mut bytes = file.into_bytes()?;
    /// bytes[12] ^= 1; // in the superblock, whose checksum is at offset 44
    /// let error = h5quill::File::open_memory(bytes).unwrap_err();
    /// assert_eq!(error.offset(), Some(44));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::new(ErrorKind::Storage(error))
    }
}

/// The text of [`Display`](fmt::Display), which is what a `main` that returns an error shows.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.0.file {
            write!(f, "{file}: ")?;
        }
        if let Some(object) = &self.0.object {
            write!(f, "{object}: ")?;
        }
        if let Some(member) = &self.0.member {
            write!(f, "member {member}: ")?;
        }
        if let Some(offset) = self.0.offset {
            write!(f, "offset {offset}: ")?;
        }
        match &self.0.kind {
            ErrorKind::Storage(error) => write!(f, "storage: {error}"),
            ErrorKind::NotFound => f.write_str("not found"),
            ErrorKind::Exists => f.write_str("exists already"),
            ErrorKind::Invalid(reason) => f.write_str(reason),
            ErrorKind::TypeMismatch { stored, given } => {
                write!(f, "the stored type is {stored}, the given type is {given}")
            }
            ErrorKind::Limit { what, value, max } => {
                write!(f, "{what} is {value}, more than the limit of {max}")
            }
            ErrorKind::NotHdf5 => f.write_str("not an HDF5 file: no signature found"),
            ErrorKind::Truncated => f.write_str("truncated: shorter than its superblock says"),
            ErrorKind::Corrupt { structure, reason } => write!(f, "{structure}: {reason}"),
            ErrorKind::Damaged { problems } => {
                f.write_str("left marked as open by a writer that died, and damaged:")?;
                for problem in problems.iter().take(NAMED_PROBLEMS) {
                    write!(f, " {problem};")?;
                }
                if problems.len() > NAMED_PROBLEMS {
                    write!(f, " and {} more problems;", problems.len() - NAMED_PROBLEMS)?;
                }
                f.write_str(
                    " open it for reading and copy what is whole to a new file; `h5clear -s` takes the mark away and \
                     leaves the damage",
                )
            }
            ErrorKind::Unsupported(what) => write!(f, "not supported: {what}"),
            ErrorKind::Locked => f.write_str(
                "locked: another process, or another handle of this one, has the file open (a writer admits nobody \
                 else, readers admit readers); close it there, or, where nothing is written meanwhile, turn locks off \
                 by `.locking(false)` or HDF5_USE_FILE_LOCKING=FALSE",
            ),
            ErrorKind::Poisoned => {
                f.write_str(
                    "an earlier write failed, or a panic cut a change short; the file is at its last commit",
                )
            }
            ErrorKind::OtherProcess => f.write_str(
                "opened by another process, which this one was forked from: only that one writes to it",
            ),
            ErrorKind::ReadOnly => f.write_str("opened for reading only"),
            ErrorKind::Closed => f.write_str("the file is closed"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Storage(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_name_is_not_named() {
        let error = Error::not_found().object("/a").file("");
        assert_eq!(error.file_name(), None);
        assert_eq!(error.to_string(), "/a: not found");
        let error = error.file("data.h5");
        assert_eq!(error.to_string(), "data.h5: /a: not found");
    }
}
