//! Attributes: small values that describe an object.

use crate::dtype::{self, H5Type, VarLenSink};
use crate::error::{Error, Result};
use crate::extents::Extents;
use crate::format::message::dataspace::{Dataspace, DataspaceKind};
use crate::format::message::datatype::Datatype;
use crate::handle::ObjectRef;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use ndarray::{Array, Array1, ArrayD, ArrayView, Dimension, IxDyn};

/// A handle to one attribute. It is found by name at every call, so that it sees a value set through another handle.
#[derive(Debug, Clone)]
pub struct Attribute {
    object: ObjectRef,
    name: String,
}

struct Stored {
    datatype: Datatype,
    space: Dataspace,
    data: Vec<u8>,
}

impl Attribute {
    pub(crate) fn new(object: ObjectRef, name: &str) -> Self {
        Self {
            object,
            name: name.into(),
        }
    }

    fn error(&self, error: Error) -> Error {
        error
            .attribute(&format!("{}@{}", self.object.path(), self.name))
            .file(self.object.shared.name())
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&mut crate::object::engine::Engine, Stored) -> Result<T>,
    ) -> Result<T> {
        let result = self.object.with(|engine, addr| {
            let attribute = engine
                .attribute(addr, &self.name)?
                .ok_or_else(Error::not_found)?;
            let stored = Stored {
                datatype: attribute.datatype()?,
                space: attribute.dataspace(engine.store.widths())?,
                data: attribute.data,
            };
            run(engine, stored)
        });
        result.map_err(|error| self.error(error))
    }

    /// The name.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// The shape: empty for a scalar, and for an attribute that is gone.
    pub fn shape(&self) -> Vec<usize> {
        self.with(|_, stored| Ok(shape_of(&stored.space)))
            .unwrap_or_default()
    }

    /// The datatype.
    ///
    /// # Errors
    /// The attribute is gone, or its type is not known.
    pub fn dtype(&self) -> Result<Datatype> {
        self.with(|_, stored| Ok(stored.datatype))
    }

    /// All values, in row-major order.
    ///
    /// # Errors
    /// [`TypeMismatch`](crate::ErrorKind::TypeMismatch) where `T` is not exactly the stored type.
    pub fn read_raw<T: H5Type>(&self) -> Result<Vec<T>> {
        self.with(|engine, stored| decode(engine, &stored))
    }

    /// The value of a scalar, or of an attribute with one element.
    ///
    /// # Errors
    /// Another number of elements, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn read_scalar<T: H5Type>(&self) -> Result<T> {
        let mut values = self.read_raw::<T>()?;
        match (values.pop(), values.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => Err(self.error(Error::invalid("not a scalar"))),
        }
    }

    /// All values as an array of the stored shape.
    ///
    /// # Errors
    /// A shape of another rank, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn read<T: H5Type, D: Dimension>(&self) -> Result<Array<T, D>> {
        let array = self.with(|engine, stored| {
            let values = decode(engine, &stored)?;
            ArrayD::from_shape_vec(IxDyn(&shape_of(&stored.space)), values).map_err(|_| {
                Error::corrupt("attribute message", "its data do not fit its dataspace")
            })
        })?;
        array
            .into_dimensionality()
            .map_err(|_| self.error(Error::invalid("the attribute has another rank")))
    }

    /// All values of a one-dimensional attribute.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_1d<T: H5Type>(&self) -> Result<Array1<T>> {
        self.read()
    }

    /// All values, of any rank.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_dyn<T: H5Type>(&self) -> Result<ArrayD<T>> {
        self.read()
    }

    /// Overwrites the values; type and shape stay.
    ///
    /// # Errors
    /// Another shape, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn write<'a, T: H5Type, D: Dimension>(
        &self,
        values: impl Into<ArrayView<'a, T, D>>,
    ) -> Result<()> {
        let view = values.into();
        let values: Vec<T> = view.iter().cloned().collect();
        self.write_values(view.shape(), &values)
    }

    /// Overwrites the value of a scalar.
    ///
    /// # Errors
    /// Not a scalar, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn write_scalar<T: H5Type>(&self, value: &T) -> Result<()> {
        self.write_values(&[], core::slice::from_ref(value))
    }

    fn write_values<T: H5Type>(&self, shape: &[usize], values: &[T]) -> Result<()> {
        let stored = self.with(|_, stored| Ok(stored))?;
        let result = self.object.change(0, |engine, addr| {
            dtype::expect::<T>(&stored.datatype)?;
            if shape_of(&stored.space) != shape {
                return Err(Error::invalid(format!(
                    "the attribute has the shape {:?}, the values {shape:?}",
                    shape_of(&stored.space)
                )));
            }
            engine.set_attribute(addr, &self.name, &stored.datatype, &stored.space, |heap| {
                let mut out = Vec::new();
                T::encode(values, &stored.datatype, heap, &mut out)?;
                Ok(out)
            })
        });
        result.map_err(|error| self.error(error))
    }
}

fn shape_of(space: &Dataspace) -> Vec<usize> {
    match space.kind {
        DataspaceKind::Null => vec![0],
        _ => space.dims.iter().map(|&dim| dim as usize).collect(),
    }
}

fn decode<T: H5Type>(
    engine: &mut crate::object::engine::Engine,
    stored: &Stored,
) -> Result<Vec<T>> {
    dtype::expect::<T>(&stored.datatype)?;
    let size = stored
        .space
        .element_count()?
        .checked_mul(u64::from(stored.datatype.size()));
    if size != Some(stored.data.len() as u64) {
        return Err(Error::corrupt(
            "attribute message",
            "its data do not fit its dataspace",
        ));
    }
    engine.decode(|heap| T::decode(&stored.data, &stored.datatype, heap))
}

/// Makes an attribute of a given type and shape.
#[derive(Debug, Clone)]
pub struct AttributeBuilder<T> {
    object: ObjectRef,
    extents: Extents,
    datatype: Datatype,
    element: PhantomData<fn() -> T>,
}

impl<T: H5Type> AttributeBuilder<T> {
    pub(crate) fn new(object: ObjectRef) -> Self {
        Self {
            object,
            extents: Extents::Scalar,
            datatype: T::datatype(),
            element: PhantomData,
        }
    }

    /// The shape; a scalar by default.
    #[must_use]
    pub fn shape(mut self, extents: impl Into<Extents>) -> Self {
        self.extents = extents.into();
        self
    }

    /// The byte order of numbers; little-endian by default.
    #[must_use]
    pub fn byte_order(mut self, order: crate::ByteOrder) -> Self {
        self.datatype = self.datatype.with_byte_order(order);
        self
    }

    /// Creates the attribute with zeros (empty strings).
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), an empty name or one with a NUL, a read-only file.
    pub fn create(self, name: &str) -> Result<Attribute> {
        let attribute = Attribute::new(self.object.clone(), name);
        let result = self.object.change(0, |engine, addr| {
            self.extents.validate()?;
            if engine.attribute(addr, name)?.is_some() {
                return Err(Error::new(crate::ErrorKind::Exists));
            }
            let space = crate::builder::dataspace(&self.extents, false);
            let size = space
                .element_count()?
                .saturating_mul(u64::from(self.datatype.size()));
            crate::builder::check_len(size)?;
            engine.set_attribute(addr, name, &self.datatype, &space, |_| {
                Ok(vec![0; size as usize])
            })
        });
        result.map_err(|error| attribute.error(error))?;
        Ok(attribute)
    }
}

/// What [`set_attr`](crate::Location::set_attr) takes: a number, bool or string, or a slice, array or vector of these.
pub trait AttributeValue {
    /// The datatype that is stored.
    fn stored_type(&self) -> Datatype;
    /// The shape that is stored.
    fn stored_extents(&self) -> Extents;
    /// Appends the values as they are stored.
    ///
    /// # Errors
    /// A value that cannot be stored.
    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>>;
}

fn encode_values<T: H5Type>(values: &[T], heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    T::encode(values, &T::datatype(), heap, &mut out)?;
    Ok(out)
}

macro_rules! scalar_values {
    ($($scalar:ty),* $(,)?) => {$(
        impl AttributeValue for $scalar {
            fn stored_type(&self) -> Datatype {
                <$scalar as H5Type>::datatype()
            }

            fn stored_extents(&self) -> Extents {
                Extents::Scalar
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(core::slice::from_ref(self), heap)
            }
        }
    )*};
}

scalar_values!(
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    half::f16,
    half::bf16,
    f32,
    f64,
    bool,
    crate::F80,
    crate::F128,
    String,
    crate::VarLenUnicode,
    crate::VarLenAscii,
);

macro_rules! fixed_values {
    ($($string:ident),*) => {$(
        impl<const N: usize> AttributeValue for crate::$string<N> {
            fn stored_type(&self) -> Datatype {
                <Self as H5Type>::datatype()
            }

            fn stored_extents(&self) -> Extents {
                Extents::Scalar
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(core::slice::from_ref(self), heap)
            }
        }
    )*};
}

fixed_values!(FixedAscii, FixedUnicode);

impl AttributeValue for &str {
    fn stored_type(&self) -> Datatype {
        String::datatype()
    }

    fn stored_extents(&self) -> Extents {
        Extents::Scalar
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        encode_values(&[String::from(*self)], heap)
    }
}

impl AttributeValue for &String {
    fn stored_type(&self) -> Datatype {
        String::datatype()
    }

    fn stored_extents(&self) -> Extents {
        Extents::Scalar
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        self.as_str().store(heap)
    }
}

impl<T: H5Type> AttributeValue for &[T] {
    fn stored_type(&self) -> Datatype {
        T::datatype()
    }

    fn stored_extents(&self) -> Extents {
        self.len().into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        encode_values(self, heap)
    }
}

macro_rules! list_values {
    ($([$($generic:tt)*] $list:ty),* $(,)?) => {$(
        impl<$($generic)*> AttributeValue for $list {
            fn stored_type(&self) -> Datatype {
                T::datatype()
            }

            fn stored_extents(&self) -> Extents {
                self.len().into()
            }

            fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
                encode_values(&self[..], heap)
            }
        }
    )*};
}

list_values!(
    [T: H5Type] Vec<T>,
    [T: H5Type] &Vec<T>,
    [T: H5Type, const N: usize] [T; N],
    [T: H5Type, const N: usize] &[T; N],
);

impl<const N: usize> AttributeValue for [&str; N] {
    fn stored_type(&self) -> Datatype {
        String::datatype()
    }

    fn stored_extents(&self) -> Extents {
        N.into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        let strings: Vec<String> = self.iter().map(|text| String::from(*text)).collect();
        encode_values(&strings, heap)
    }
}

impl<T: H5Type, D: Dimension> AttributeValue for ArrayView<'_, T, D> {
    fn stored_type(&self) -> Datatype {
        T::datatype()
    }

    fn stored_extents(&self) -> Extents {
        self.shape().into()
    }

    fn store(&self, heap: &mut dyn VarLenSink) -> Result<Vec<u8>> {
        let values: Vec<T> = self.iter().cloned().collect();
        encode_values(&values, heap)
    }
}
