//! References followed: from an element back to the object it names.

use crate::bytes::Addr;
use crate::dtype::{AttributeReference, ObjectReference, Reference};
use crate::error::{Error, ErrorKind, Result};
use crate::group::{Group, Object};
use crate::handle::ObjectRef;
use crate::location::Location;
use crate::object::ObjectKind;
use crate::object::engine::Engine;
use alloc::format;

impl From<&Reference> for ObjectReference {
    /// The object of a reference of any kind.
    fn from(reference: &Reference) -> Self {
        reference.object().clone()
    }
}

impl Location {
    /// A reference to this object, which stays valid where the object is renamed.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<f32>().create("x")?;
    /// file.set_attr("default", vec![data.reference()?])?;
    /// let found = file.attr("default")?.read_raw::<h5quill::ObjectReference>()?;
    /// assert_eq!(found, [file.reference("x")?]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The file is closed or the object deleted.
    pub fn reference(&self) -> Result<ObjectReference> {
        self.object
            .with(|_, addr| Ok(ObjectReference::new(addr.get())))
    }

    /// A reference to an attribute of this object, to be an element of the type [`Reference`].
    ///
    /// ```
    /// use h5quill::{File, Reference};
    /// let file = File::create_memory()?;
    /// file.set_attr("unit", "V")?;
    /// let unit = Reference::from(file.attr_reference("unit")?);
    /// file.new_dataset::<Reference>().create_with("of", &[unit])?;
    /// let Reference::Attribute(found) = &file.dataset("of")?.read_raw::<Reference>()?[0] else { unreachable!() };
    /// assert_eq!(file.attr(found.name())?.read_scalar::<String>()?, "V");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) where the object has no such attribute.
    pub fn attr_reference(&self, name: &str) -> Result<AttributeReference> {
        self.attr(name).map(drop)?;
        Ok(AttributeReference::new(self.reference()?, name.into()))
    }

    /// The object that a reference names: h5py's `file[reference]`.
    ///
    /// Where the file is open for writing, the object is looked for along all links, as what no link leads to may be
    /// space that is used again.
    ///
    /// ```
    /// use h5quill::{File, Object};
    /// let file = File::create_memory()?;
    /// file.new_dataset::<i32>().create_with("a/x", &[1, 2])?;
    /// let reference = file.reference("a/x")?;
    /// let Object::Dataset(data) = file.dereference(&reference)? else { unreachable!() };
    /// assert_eq!(data.read_raw::<i32>()?, [1, 2]);
    /// assert_eq!(data.name(), "/a/x");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A null reference, [`NotFound`](ErrorKind::NotFound) for an object that is gone, a reference to another file.
    pub fn dereference(&self, reference: &ObjectReference) -> Result<Object> {
        self.object.with(|engine, _| {
            let (addr, kind, path) = target(engine, reference)?;
            let object = ObjectRef::new(self.object.shared.clone(), engine, addr, &path);
            Ok(Object::new(kind, object))
        })
    }
}

impl Group {
    /// A reference to the object at a path; `"."` is this group itself.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let group = file.create_group("a")?;
    /// assert_eq!(file.reference("a")?, group.reference(".")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound), and what reading the file meets.
    pub fn reference(&self, path: &str) -> Result<ObjectReference> {
        let found = self.object.with(|engine, base| {
            let addr = engine.find(base, path)?.ok_or_else(Error::not_found)?;
            engine.load(addr)?;
            Ok(ObjectReference::new(addr.get()))
        });
        found.map_err(|error| error.attribute(&self.object.join(path)))
    }
}

/// The object that a reference names, and a path to it; in angle brackets where that has not been looked for.
fn target(
    engine: &mut Engine,
    reference: &ObjectReference,
) -> Result<(Addr, ObjectKind, alloc::string::String)> {
    if reference.is_null() {
        return Err(Error::invalid("a null reference names nothing"));
    }
    if let Some(file) = reference.file() {
        return Err(Error::unsupported(format!(
            "following a reference to another file ({file})"
        )));
    }
    let addr = Addr::new(reference.address());
    let path = if engine.read_only() {
        unknown_path(addr)
    } else {
        engine.path_of(addr)?.ok_or_else(Error::not_found)?
    };
    let kind = engine.kind(addr)?;
    if kind == ObjectKind::Other {
        return Err(Error::new(ErrorKind::Invalid(
            "a reference to what is no group, dataset or datatype".into(),
        )));
    }
    Ok((addr, kind, path))
}

fn unknown_path(addr: Addr) -> alloc::string::String {
    format!("<object at {}>", addr.get())
}

/// Whether the path of a handle has not been looked for.
pub(crate) fn is_unknown_path(path: &str) -> bool {
    path.starts_with('<')
}
