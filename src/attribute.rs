//! Attributes: small values that describe an object.

mod value;

pub use value::{AttributeValue, encode_values};

use crate::bytes::Addr;
use crate::dtype::{self, Conversion, ElementValue, H5Type, Node, Value, VarLenSink, WithHeld};
use crate::error::{Error, Result};
use crate::extents::Extents;
use crate::format::message::dataspace::{Dataspace, DataspaceKind};
use crate::format::message::datatype::Datatype;
use crate::handle::ObjectRef;
use crate::named_datatype::NamedDatatype;
use crate::object::ElementType;
use crate::reader::{self, Reader};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use ndarray::{Array, Array1, ArrayD, ArrayView, Dimension};

/// A handle to one attribute (specification IV.A.2.m). It is found by name at every call, so that it sees a value set through another handle.
///
/// ```
/// let file = h5quill::File::create_memory()?;
///
/// file.set_attr("fs", 16_000)?;
/// let rate = file.attr("fs")?;
/// rate.write_scalar(&44_100)?;
/// assert_eq!(file.attr("fs")?.read_scalar::<i32>()?, 44_100);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Attribute {
    object: ObjectRef,
    /// Bytes, which need not be UTF-8.
    name: Vec<u8>,
}

struct Stored {
    datatype: Datatype,
    /// The object that the datatype is, where it was committed.
    committed: Option<Addr>,
    space: Dataspace,
    data: Vec<u8>,
}

impl Stored {
    fn check_size(&self) -> Result<()> {
        let element = u64::from(self.datatype.size());
        if self.space.element_count()?.checked_mul(element) == Some(self.data.len() as u64) {
            return Ok(());
        }
        Err(Error::corrupt(
            "attribute message",
            "its data do not fit its dataspace",
        ))
    }
}

impl Attribute {
    pub(crate) fn new(object: ObjectRef, name: &[u8]) -> Self {
        Self {
            object,
            name: name.into(),
        }
    }

    fn error(&self, error: Error) -> Error {
        error
            .attribute(&format!("{}@{}", self.object.path(), self.name()))
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
            let widths = engine.store.widths();
            let stored = Stored {
                datatype: attribute.datatype()?,
                committed: attribute.committed_datatype(widths)?,
                space: attribute.dataspace(widths)?,
                data: attribute.data,
            };
            run(engine, stored)
        });
        result.map_err(|error| self.error(error))
    }

    /// The name.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr("fs")?.name(), "fs");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The bytes of the name, which need not be UTF-8.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr("fs")?.name_bytes(), b"fs");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn name_bytes(&self) -> &[u8] {
        &self.name
    }

    /// The shape: empty for a scalar, and for an attribute that is gone.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// file.set_attr("range", [-1.0, 1.0])?;
    /// assert_eq!(file.attr("fs")?.shape(), []);
    /// assert_eq!(file.attr("range")?.shape(), [2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn shape(&self) -> Vec<usize> {
        self.with(|_, stored| Ok(shape_of(&stored.space)))
            .unwrap_or_default()
    }

    /// The datatype.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr("fs")?.dtype()?.to_string(), "little-endian i32");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The attribute is gone, or its type is not known.
    pub fn dtype(&self) -> Result<Datatype> {
        self.with(|_, stored| Ok(stored.datatype))
    }

    /// All values, in row-major order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("channels", ["left", "right"])?;
    /// assert_eq!(file.attr("channels")?.read_raw::<String>()?, ["left", "right"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`TypeMismatch`](crate::ErrorKind::TypeMismatch) where not every stored value is a `T`.
    pub fn read_raw<T: H5Type>(&self) -> Result<Vec<T>> {
        self.as_reader().read_raw()
    }

    /// All values of any datatype, in row-major order.
    ///
    /// ```
    /// use h5quill::{File, Value};
    /// let file = File::create_memory()?;
    /// file.set_attr("calibrated", true)?;
    /// let value = file.attr("calibrated")?.read_values()?.remove(0);
    /// assert_eq!(value, Value::Enum { name: Some("TRUE".into()), value: 1 });
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn read_values(&self) -> Result<Vec<Value>> {
        self.with(|engine, stored| {
            stored.check_size()?;
            let size = stored.datatype.size() as usize;
            engine.decode(|heap| Node::new(&stored.datatype).read_all(&stored.data, size, heap))
        })
    }

    /// The value of a scalar, or of an attribute with one element.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("fs", 16_000)?;
    /// assert_eq!(file.attr("fs")?.read_scalar::<i32>()?, 16_000);
    /// assert_eq!(file.attr("fs")?.read_scalar::<f64>()?, 16_000.0); // every i32 is an f64
    /// assert!(file.attr("fs")?.read_scalar::<f32>().is_err()); // not every i32 is an f32
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of elements, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn read_scalar<T: H5Type>(&self) -> Result<T> {
        self.as_reader().read_scalar()
    }

    pub(crate) fn not_one_element(&self) -> Error {
        self.error(Error::invalid("the attribute has not exactly one element"))
    }

    /// All values as an array of the stored shape.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("rotation", array![[0.0, -1.0], [1.0, 0.0]].view())?;
    /// let rotation: Array2<f64> = file.attr("rotation")?.read()?;
    /// assert_eq!(rotation[[0, 1]], -1.0);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A shape of another rank, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn read<T: H5Type, D: Dimension>(&self) -> Result<Array<T, D>> {
        self.as_reader().read()
    }

    pub(crate) fn read_converted<T: H5Type, D: Dimension>(
        &self,
        conversion: Conversion,
    ) -> Result<Array<T, D>> {
        self.with(|engine, stored| {
            reader::check::<T>(engine, &stored.datatype, conversion)?;
            stored.check_size()?;
            let values = reader::convert(engine, &stored.datatype, &stored.data, conversion)?;
            reader::shaped(&shape_of(&stored.space), values, "attribute")
        })
    }

    /// A reader with a conversion of choice.
    ///
    /// ```
    /// use h5quill::Conversion;
    /// let file = h5quill::File::create_memory()?;
    /// file.set_attr("fs", 44_100.0)?;
    /// let rate = file.attr("fs")?;
    /// assert!(rate.read_scalar::<u32>().is_err()); // not every f64 is a u32
    /// assert_eq!(rate.as_reader().conversion(Conversion::Checked).read_scalar::<u32>()?, 44_100);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn as_reader(&self) -> Reader<'_> {
        self.into()
    }

    /// All values of a one-dimensional attribute.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("range", [-1.0, 1.0])?;
    /// assert_eq!(file.attr("range")?.read_1d::<f64>()?, ndarray::array![-1.0, 1.0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_1d<T: H5Type>(&self) -> Result<Array1<T>> {
        self.read()
    }

    /// All values, of any rank.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("range", [-1.0, 1.0])?;
    /// assert_eq!(file.attr("range")?.read_dyn::<f64>()?.ndim(), 1);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_dyn<T: H5Type>(&self) -> Result<ArrayD<T>> {
        self.read()
    }

    /// Overwrites the values; type and shape stay.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("range", [-1.0, 1.0])?;
    /// let range = file.attr("range")?;
    /// range.write(&[-5.0, 5.0])?;
    /// assert_eq!(range.read_raw::<f64>()?, [-5.0, 5.0]);
    /// assert!(range.write(&[0.0]).is_err()); // of another shape
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another shape, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn write<'a, T: ElementValue + 'a, D: Dimension>(
        &self,
        values: impl Into<ArrayView<'a, T, D>>,
    ) -> Result<()> {
        let view = values.into();
        let values: Vec<T> = view.iter().cloned().collect();
        self.write_elements(view.shape(), &values)
    }

    /// Overwrites the value of a scalar.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.set_attr("runs", 1_u32)?;
    /// file.attr("runs")?.write_scalar(&2_u32)?;
    /// assert_eq!(file.attr("runs")?.read_scalar::<u32>()?, 2);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Not a scalar, or [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
    pub fn write_scalar<T: ElementValue>(&self, value: &T) -> Result<()> {
        self.write_elements(&[], core::slice::from_ref(value))
    }

    /// Overwrites the values, of any datatype, in row-major order; see
    /// [`Dataset::write_values`](crate::Dataset::write_values).
    ///
    /// ```
    /// use h5quill::{Datatype, File, Value};
    /// let file = File::create_memory()?;
    /// let key = file.new_attr_of(Datatype::Opaque { size: 4, tag: "key".into() }).create("key")?;
    /// key.write_values(&[Value::Bytes(b"abcd".to_vec())])?;
    /// assert_eq!(key.read_values()?, [Value::Bytes(b"abcd".to_vec())]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of values, or one that the datatype does not have.
    pub fn write_values(&self, values: &[Value]) -> Result<()> {
        self.rewrite(|stored, heap| {
            let count = stored.space.element_count()?;
            if count != values.len() as u64 {
                return Err(Error::invalid(format!(
                    "the attribute has {count} elements, {} values are given",
                    values.len()
                )));
            }
            dtype::encode_values(values, &stored.datatype, heap)
        })
    }

    fn write_elements<T: ElementValue>(&self, shape: &[usize], values: &[T]) -> Result<()> {
        self.rewrite(|stored, heap| {
            T::expect_stored(&stored.datatype)?;
            let own = shape_of(&stored.space);
            if own != shape {
                return Err(Error::invalid(format!(
                    "the attribute has the shape {own:?}, the values {shape:?}"
                )));
            }
            Ok(dtype::encode(values, &stored.datatype, heap)?.into_owned())
        })
    }

    fn rewrite(
        &self,
        encode: impl Fn(&Stored, &mut dyn VarLenSink) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let stored = self.with(|_, stored| Ok(stored))?;
        let result = self.object.change(0, |engine, addr| {
            let element = ElementType {
                datatype: &stored.datatype,
                committed: stored.committed,
            };
            // What it holds can be written to it, also where its character set does not have it.
            let held = engine
                .held_by_attribute(&stored.datatype, &stored.data)
                .unwrap_or_default();
            engine.set_attribute(addr, &self.name, element, &stored.space, |heap| {
                encode(&stored, &mut WithHeld { heap, held: &held })
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

/// Makes an attribute of a given type and shape.
///
/// ```
/// let file = h5quill::File::create_memory()?;
///
/// let matrix = file.new_attr::<f32>().shape((2, 2)).create("matrix")?;
/// assert_eq!(matrix.read_raw::<f32>()?, [0.0; 4]);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AttributeBuilder<T> {
    object: ObjectRef,
    extents: Extents,
    datatype: Datatype,
    named: Option<NamedDatatype>,
    error: Option<Error>,
    element: PhantomData<fn() -> T>,
}

impl<T> AttributeBuilder<T> {
    pub(crate) fn new(object: ObjectRef, datatype: Datatype) -> Self {
        Self {
            object,
            extents: Extents::Scalar,
            datatype,
            named: None,
            error: None,
            element: PhantomData,
        }
    }

    /// The shape; a scalar by default.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let attribute = file.new_attr::<f32>().shape((2, 3)).create("matrix")?;
    /// assert_eq!(attribute.shape(), [2, 3]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn shape(mut self, extents: impl Into<Extents>) -> Self {
        self.extents = extents.into();
        self
    }

    /// The byte order of numbers; little-endian by default.
    ///
    /// ```
    /// use h5quill::ByteOrder;
    /// let file = h5quill::File::create_memory()?;
    /// let fs = file.new_attr::<i32>().byte_order(ByteOrder::BigEndian).create("fs")?;
    /// fs.write_scalar(&16_000)?; // the value is the same
    /// assert_eq!(fs.dtype()?.to_string(), "big-endian i32");
    /// assert_eq!(fs.read_scalar::<i32>()?, 16_000);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn byte_order(mut self, order: crate::ByteOrder) -> Self {
        self.datatype = self.datatype.with_byte_order(order);
        self
    }

    /// Creates the attribute with zeros (empty strings).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.new_attr::<i32>().create("fs")?.write_scalar(&16_000)?;
    /// let error = file.new_attr::<i32>().create("fs").unwrap_err();
    /// assert_eq!(error.kind(), &h5quill::ErrorKind::Exists);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), an empty name or one with a NUL, a read-only file.
    pub fn create(self, name: &str) -> Result<Attribute> {
        let attribute = Attribute::new(self.object.clone(), name.as_bytes());
        let result = self.object.change(0, |engine, addr| {
            if let Some(error) = &self.error {
                return Err(error.clone());
            }
            self.extents.validate()?;
            if engine.attribute(addr, name)?.is_some() {
                return Err(Error::new(crate::ErrorKind::Exists));
            }
            let space = crate::builder::dataspace(&self.extents, false);
            let datatype = self.datatype.clone().in_file(engine.store.widths())?;
            datatype.check()?;
            let size = space
                .element_count()?
                .saturating_mul(u64::from(datatype.size()));
            crate::builder::check_len(size)?;
            let mut element = ElementType::own(&self.datatype);
            if let Some(named) = &self.named {
                let addr = named.address_for(&self.object.shared, engine)?;
                element.committed = Some(addr);
                if engine.named_datatype(addr)? != self.datatype {
                    return Err(Error::invalid(
                        "the byte order is that of the committed datatype",
                    ));
                }
            }
            engine.set_attribute(addr, name, element, &space, |_| Ok(vec![0; size as usize]))
        });
        result.map_err(|error| attribute.error(error))?;
        Ok(attribute)
    }
}

impl<T: H5Type> AttributeBuilder<T> {
    /// Makes the values of a committed datatype, which is one of `T`, rather than of a datatype of their own.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let volt = file.commit_datatype("volt", &f32::datatype())?;
    /// file.new_attr::<f32>().named_datatype(&volt).create("limit")?.write_scalar(&1.5_f32)?;
    /// assert_eq!(file.attr("limit")?.read_scalar::<f32>()?, 1.5);
    /// assert!(file.new_attr::<f64>().named_datatype(&volt).create("other").is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn named_datatype(mut self, named: &NamedDatatype) -> Self {
        let datatype = named.dtype();
        match datatype.and_then(|datatype| dtype::expect::<T>(&datatype).map(|()| datatype)) {
            Ok(datatype) => self.datatype = datatype,
            Err(error) => self.error = Some(error),
        }
        self.named = Some(named.clone());
        self
    }
}
