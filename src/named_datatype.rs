//! Committed datatypes: datatypes with a name.

use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::handle::{ObjectRef, Shared};
use crate::location::Location;
use crate::object::engine::Engine;
use core::ops::Deref;

/// A handle to a committed datatype, which is an object of its own: it has a name and attributes, and datasets and
/// attributes can be of it (specification IV.A.2.d; what others call a named datatype).
///
/// Whatever is of the type keeps it: when its name is unlinked it stays in the file until the last dataset or
/// attribute of it is gone, as libhdf5 has it.
///
/// ```
/// use h5quill::{Datatype, File};
/// let file = File::create_memory()?;
/// let rgb = file.commit_datatype("types/rgb", &Datatype::Opaque { size: 3, tag: "rgb".into() })?;
/// rgb.set_attr("gamma", 2.2)?;
/// let pixels = file.new_dataset_of_named(&rgb)?.shape((0.., 64)).create("pixels")?;
/// assert_eq!(pixels.dtype()?, rgb.dtype()?);
/// assert_eq!(pixels.named_datatype()?.unwrap().attr_names()?, ["gamma"]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct NamedDatatype {
    location: Location,
}

impl Deref for NamedDatatype {
    type Target = Location;

    fn deref(&self) -> &Location {
        &self.location
    }
}

impl NamedDatatype {
    pub(crate) fn new(object: ObjectRef) -> Self {
        Self {
            location: Location { object },
        }
    }

    /// The datatype.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let time = file.commit_datatype("time", &f64::datatype())?;
    /// assert_eq!(time.dtype()?.to_string(), "little-endian f64");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file is closed, or the object deleted.
    pub fn dtype(&self) -> Result<Datatype> {
        self.location
            .object
            .with(|engine, addr| engine.named_datatype(addr))
    }

    /// The address, for what is made in the file behind `shared`.
    pub(crate) fn address_for(&self, shared: &Shared, engine: &Engine) -> Result<Addr> {
        if !self.location.object.shared.is(shared) {
            return Err(Error::invalid("the committed datatype is in another file"));
        }
        self.location.object.address(engine)
    }
}
