//! What groups and datasets have in common: a path and attributes.

use crate::attribute::{Attribute, AttributeBuilder, AttributeValue};
use crate::dtype::H5Type;
use crate::error::{Error, Result};
use crate::handle::ObjectRef;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// An object of an open file: its path and its attributes. [`Group`](crate::Group) and
/// [`Dataset`](crate::Dataset) give its methods as their own.
#[derive(Debug, Clone)]
pub struct Location {
    pub(crate) object: ObjectRef,
}

impl Location {
    /// The path the handle was opened by.
    pub fn name(&self) -> String {
        self.object.path().into()
    }

    /// The name of the file, as it was opened; empty for a file in memory or on user storage.
    pub fn filename(&self) -> String {
        self.object.shared.name().into()
    }

    /// Creates an attribute or replaces the one of that name, type and shape included: a number, a bool, a string,
    /// or a slice, array or vector of these. Strings are of variable length and UTF-8, as h5py writes them.
    ///
    /// # Errors
    /// An empty name or one with a NUL, a string with a NUL, a read-only file.
    pub fn set_attr(&self, name: &str, value: impl AttributeValue) -> Result<()> {
        let result = self.object.change(0, |engine, addr| {
            let space = crate::builder::dataspace(&value.stored_extents(), false);
            let datatype = value.stored_type();
            engine.set_attribute(addr, name, &datatype, &space, |heap| value.store(heap))
        });
        result.map_err(|error| self.at_attribute(name, error))
    }

    fn at_attribute(&self, name: &str, error: Error) -> Error {
        error.attribute(&format!("{}@{name}", self.object.path()))
    }

    /// A builder for an attribute of a type and shape of choice.
    pub fn new_attr<T: H5Type>(&self) -> AttributeBuilder<T> {
        AttributeBuilder::new(self.object.clone())
    }

    /// The attribute of one name.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound).
    pub fn attr(&self, name: &str) -> Result<Attribute> {
        let found = self
            .object
            .with(|engine, addr| engine.attribute(addr, name));
        match found.map_err(|error| self.at_attribute(name, error))? {
            Some(_) => Ok(Attribute::new(self.object.clone(), name)),
            None => {
                Err(self.at_attribute(name, Error::not_found().file(self.object.shared.name())))
            }
        }
    }

    /// Whether there is an attribute of that name.
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn attr_exists(&self, name: &str) -> Result<bool> {
        self.object
            .with(|engine, addr| Ok(engine.attribute(addr, name)?.is_some()))
    }

    /// The names of all attributes: in the order of their creation where the file tracks it, else sorted.
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn attr_names(&self) -> Result<Vec<String>> {
        let names = self
            .object
            .with(|engine, addr| engine.attribute_names(addr))?;
        Ok(names
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect())
    }

    /// Deletes an attribute.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or a read-only file.
    pub fn delete_attr(&self, name: &str) -> Result<()> {
        let deleted = self
            .object
            .change(0, |engine, addr| engine.delete_attribute(addr, name));
        deleted.map_err(|error| self.at_attribute(name, error))
    }
}
