//! An object of any kind.

use super::Group;
use crate::dataset::Dataset;
use crate::handle::ObjectRef;
use crate::location::Location;
use crate::named_datatype::NamedDatatype;
use crate::object::ObjectKind;
use core::fmt;

/// What a hard link or an object reference leads to.
///
/// ```
/// use h5quill::{File, Object};
/// let file = File::create_memory()?;
/// file.new_dataset::<u8>().shape(3).create("x")?;
/// match file.open_object("x")? {
///     Object::Dataset(dataset) => assert_eq!(dataset.shape(), [3]),
///     other => panic!("{other} is no dataset"),
/// }
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Object {
    /// A group.
    Group(Group),
    /// A dataset, also one that cannot be read.
    Dataset(Dataset),
    /// A committed datatype.
    Datatype(NamedDatatype),
    /// Something newer: it has attributes at least.
    Other(Location),
}

impl Object {
    pub(crate) fn new(kind: ObjectKind, object: ObjectRef) -> Self {
        match kind {
            ObjectKind::Group => Self::Group(Group::new(object)),
            ObjectKind::Dataset => Self::Dataset(Dataset::new(object)),
            ObjectKind::Datatype => Self::Datatype(NamedDatatype::new(object)),
            ObjectKind::Other => Self::Other(Location { object }),
        }
    }

    /// Its path, attributes and comment.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("a")?.set_attr("fs", 16_000)?;
    /// assert!(file.open_object("a")?.location().attr_exists("fs")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn location(&self) -> &Location {
        match self {
            Self::Group(group) => group,
            Self::Dataset(dataset) => dataset,
            Self::Datatype(datatype) => datatype,
            Self::Other(location) => location,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Group(_) => "group",
            Self::Dataset(_) => "dataset",
            Self::Datatype(_) => "committed datatype",
            Self::Other(_) => "object",
        };
        write!(f, "{what} {}", self.location().name())
    }
}
