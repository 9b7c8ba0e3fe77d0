//! What groups and datasets have in common: a path and attributes.

mod comment;

use crate::attribute::{Attribute, AttributeBuilder, AttributeValue};
use crate::builder::Raw;
use crate::dtype::H5Type;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::Datatype;
use crate::handle::ObjectRef;
use crate::object::ElementType;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// An object of an open file: its path and its attributes. [`Group`](crate::Group) and
/// [`Dataset`](crate::Dataset) give its methods as their own.
///
/// ```
/// let file = h5quill::File::create_memory()?;
///
/// file.create_group("a")?.set_attr("fs", 16_000)?; // of a group
/// let data = file.new_dataset::<f32>().create("x")?;
/// data.set_attr("unit", "V")?; // of a dataset
/// assert_eq!(data.attr("unit")?.read_scalar::<String>()?, "V");
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Location {
    pub(crate) object: ObjectRef,
}

impl Location {
    /// The path the handle was opened by, which follows the link where that is moved or renamed in this session
    /// ([`Group::relink`](crate::Group::relink)). For an object that a reference led to, a shortest path; where no link leads
    /// to it, a note in angle brackets.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// assert_eq!(file.create_group("a/b")?.name(), "/a/b");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn name(&self) -> String {
        let path = self.object.path();
        if crate::reference::is_unknown_path(&path)
            && let Ok(Some(found)) = self.object.with(|engine, addr| engine.path_of(addr))
        {
            return found;
        }
        String::from(&*path)
    }

    /// The name of the file, as it was opened; empty for a file in memory or on user storage.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// assert_eq!(file.filename(), "");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn filename(&self) -> String {
        self.object.shared.name().into()
    }

    /// Creates an attribute or replaces the one of that name, type and shape included: a number, a bool, a string,
    /// or a slice, array or vector of these. Strings are of variable length and UTF-8, as h5py writes them.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?; // i32
    /// file.set_attr("window", 0.025)?; // f64
    /// file.set_attr("title", "run 7")?;
    /// file.set_attr("range", [-1.0_f32, 1.0])?;
    /// file.set_attr("channels", ["left", "right"])?;
    /// file.set_attr("fs", 44_100_u32)?; // replaces value and type
    /// assert_eq!(file.attr("fs")?.read_scalar::<u32>()?, 44_100);
    /// assert_eq!(file.attr("channels")?.read_raw::<String>()?, ["left", "right"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// An empty name or one with a NUL, a string with a NUL, a read-only file.
    pub fn set_attr(&self, name: &str, value: impl AttributeValue) -> Result<()> {
        let result = self.object.change(0, |engine, addr| {
            let space = crate::builder::dataspace(&value.stored_extents(), false);
            let datatype = value.stored_type();
            datatype.check()?;
            let element = ElementType::own(&datatype);
            engine.set_attribute(addr, name, element, &space, |heap| value.store(heap))
        });
        result.map_err(|error| self.at_attribute(name, error))
    }

    fn at_attribute(&self, name: &str, error: Error) -> Error {
        error.attribute(&format!("{}@{name}", self.object.path()))
    }

    /// A builder for an attribute of a type and shape of choice.
    ///
    /// ```
    /// use h5quill::{File, FixedAscii};
    /// let file = File::create_memory()?;
    /// let codes = file.new_attr::<FixedAscii<3>>().shape(2).create("codes")?;
    /// codes.write(&ndarray::array!["DNA".parse::<FixedAscii<3>>()?, "RNA".parse()?])?;
    /// assert_eq!(codes.read_raw::<FixedAscii<3>>()?[1], "RNA");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_attr<T: H5Type>(&self) -> AttributeBuilder<T> {
        AttributeBuilder::new(self.object.clone(), T::datatype())
    }

    /// A builder for an attribute whose datatype is known only at run time.
    ///
    /// ```
    /// use h5quill::{ByteOrder, File, H5Type, Value};
    /// let file = File::create_memory()?;
    /// let datatype = i16::datatype().with_byte_order(ByteOrder::BigEndian); // known at run time only
    /// let range = file.new_attr_of(datatype).shape(2).create("range")?;
    /// range.write_values(&[Value::Integer(-5), Value::Integer(5)])?;
    /// assert_eq!(range.read_raw::<i16>()?, [-5, 5]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_attr_of(&self, datatype: Datatype) -> AttributeBuilder<Raw> {
        AttributeBuilder::new(self.object.clone(), datatype)
    }

    /// The attribute of one name.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr("fs")?.read_scalar::<i32>()?, 16_000);
    /// let error = file.attr("sf").unwrap_err();
    /// assert_eq!(error.to_string(), "/@sf: not found");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    pub fn attr(&self, name: &str) -> Result<Attribute> {
        self.attr_bytes(name.as_bytes())
    }

    /// As [`attr`](Self::attr), of the attribute whose name has the bytes `name`, in whatever encoding: some writers use
    /// Latin-1.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr_bytes(b"fs")?.read_scalar::<i32>()?, 16_000);
    /// assert!(file.attr_bytes(b"\xff").is_err()); // there is none
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`attr`](Self::attr).
    pub fn attr_bytes(&self, name: &[u8]) -> Result<Attribute> {
        let found = self
            .object
            .with(|engine, addr| engine.attribute(addr, name));
        let text = String::from_utf8_lossy(name);
        match found.map_err(|error| self.at_attribute(&text, error))? {
            Some(_) => Ok(Attribute::new(self.object.clone(), name)),
            None => {
                Err(self.at_attribute(&text, Error::not_found().file(self.object.shared.name())))
            }
        }
    }

    /// Whether there is an attribute of that name.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// assert!(file.attr_exists("fs")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn attr_exists(&self, name: &str) -> Result<bool> {
        self.object
            .with(|engine, addr| Ok(engine.attribute(addr, name)?.is_some()))
    }

    /// The names of all attributes: in the order of their creation where the file tracks it, else sorted.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("b", 1)?;
    /// file.set_attr("a", 2)?;
    /// assert_eq!(file.attr_names()?, ["a", "b"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn attr_names(&self) -> Result<Vec<String>> {
        let names = self.attr_names_bytes()?;
        Ok(names
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect())
    }

    /// The bytes of the names of all attributes, in the order of [`attr_names`](Self::attr_names): a name need not be UTF-8,
    /// and [`attr_bytes`](Self::attr_bytes) finds it all the same.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("a", 2)?;
    /// assert_eq!(file.attr_names_bytes()?, [b"a"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn attr_names_bytes(&self) -> Result<Vec<Vec<u8>>> {
        self.object
            .with(|engine, addr| engine.attribute_names(addr))
    }

    /// Gives an attribute another name; its type, values and place in the order of creation stay.
    ///
    /// ```
    /// use h5quill::{ErrorKind, File};
    /// let file = File::create_memory()?;
    /// file.set_attr("fs", 16_000)?;
    /// file.rename_attr("fs", "sampling rate")?;
    /// assert_eq!(file.attr("sampling rate")?.read_scalar::<i32>()?, 16_000);
    /// assert_eq!(file.rename_attr("fs", "x").unwrap_err().kind(), &ErrorKind::NotFound);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for the old name, [`Exists`](crate::ErrorKind::Exists) for the new one (also
    /// where it is the old one), an empty name or one with a NUL, a read-only file; nothing is changed then.
    pub fn rename_attr(&self, old: &str, new: &str) -> Result<()> {
        self.rename_attr_bytes(old.as_bytes(), new)
    }

    /// As [`rename_attr`](Self::rename_attr), of the attribute whose name has the bytes `old`, in whatever encoding.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 16_000)?;
    /// file.rename_attr_bytes(b"fs", "rate")?;
    /// assert_eq!(file.attr_names()?, ["rate"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`rename_attr`](Self::rename_attr).
    pub fn rename_attr_bytes(&self, old: &[u8], new: &str) -> Result<()> {
        let renamed = self
            .object
            .change(0, |engine, addr| engine.rename_attribute(addr, old, new));
        renamed.map_err(|error| match error.kind() {
            // It is the new name that is taken, or cannot be.
            ErrorKind::Exists | ErrorKind::Invalid(_) | ErrorKind::Limit { .. } => {
                self.at_attribute(new, error)
            }
            _ => self.at_attribute(&String::from_utf8_lossy(old), error),
        })
    }

    /// Deletes an attribute.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// file.delete_attr("fs")?;
    /// assert!(!file.attr_exists("fs")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or a read-only file.
    pub fn delete_attr(&self, name: &str) -> Result<()> {
        self.delete_attr_bytes(name.as_bytes())
    }

    /// As [`delete_attr`](Self::delete_attr), of the attribute whose name has the bytes `name`, in whatever encoding.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 16_000)?;
    /// file.delete_attr_bytes(b"fs")?;
    /// assert!(file.delete_attr_bytes(b"\xff").is_err()); // there is none
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`delete_attr`](Self::delete_attr).
    pub fn delete_attr_bytes(&self, name: &[u8]) -> Result<()> {
        let deleted = self
            .object
            .change(0, |engine, addr| engine.delete_attribute(addr, name));
        deleted.map_err(|error| self.at_attribute(&String::from_utf8_lossy(name), error))
    }
}
