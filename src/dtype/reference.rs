//! References: what names an object, a region of a dataset or an attribute.
//!
//! ```text
//! kind 0, object:   address O
//! kind 1, region:   heap collection O, index 4; the heap object: address O of the dataset, selection
//! kind 2 to 4, revised references: see `revised`
//! ```

use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect, revised};
use crate::bytes::{Put, Take};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The largest address that an element of `width` bytes holds names nothing.
const fn undefined(width: u8) -> u64 {
    u64::MAX >> (64 - 8 * width as u32)
}

/// A reference to an object of a file: a group, a dataset or a committed datatype (specification IV.A.2.d, class 7).
///
/// It stays valid where the object is renamed. As an element it is of kind 0, which every reader knows; it is written to
/// elements that are revised references, too, and read from them.
///
/// ```
/// use h5quill::{File, ObjectReference};
/// let file = File::create_memory()?;
/// file.create_group("a")?;
/// let reference: ObjectReference = file.reference("a")?;
/// file.new_dataset::<ObjectReference>().create_with("list", &[reference, ObjectReference::null()])?;
/// let list = file.dataset("list")?.read_raw::<ObjectReference>()?;
/// assert!(!list[0].is_null() && list[1].is_null());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectReference {
    /// Of the object's header; 0 for null.
    address: u64,
    file: Option<Arc<str>>,
}

/// A reference to a region of a dataset: some of its elements.
///
/// ```
/// use h5quill::RegionReference;
/// assert!(RegionReference::null().is_null());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RegionReference {
    object: ObjectReference,
    /// As the file stores it.
    selection: Vec<u8>,
}

/// A reference to an attribute, since HDF5 1.12; see [`Reference`].
///
/// ```
/// use h5quill::Reference;
/// fn name(reference: &Reference) -> Option<&str> {
///     match reference {
///         Reference::Attribute(attribute) => Some(attribute.name()),
///         _ => None,
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributeReference {
    object: ObjectReference,
    name: String,
}

/// A reference of any kind, each element of its own: what HDF5 1.12 calls revised (`H5R_ref_t`, `H5T_STD_REF`). Earlier
/// versions do not read a dataset of it, and h5py does not either; in a file for 1.8 none is created. [`ObjectReference`] and
/// [`RegionReference`] are what every reader knows.
///
/// ```
/// use h5quill::{File, Reference};
/// let file = File::create_memory()?;
/// let data = file.new_dataset::<i32>().create_with("x", &[1, 2, 3])?;
/// data.set_attr("unit", "V")?;
/// let references: [Reference; 3] =
///     [file.reference("x")?.into(), data.region_reference(1..)?.into(), data.attr_reference("unit")?.into()];
/// file.new_dataset::<Reference>().create_with("list", &references)?;
/// assert_eq!(file.dataset("list")?.read_raw::<Reference>()?, references);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reference {
    /// To an object.
    Object(ObjectReference),
    /// To a region of a dataset.
    Region(RegionReference),
    /// To an attribute.
    Attribute(AttributeReference),
}

impl ObjectReference {
    /// The reference to nothing.
    ///
    /// ```
    /// use h5quill::ObjectReference;
    /// assert!(ObjectReference::null().is_null());
    /// ```
    pub const fn null() -> Self {
        Self {
            address: 0,
            file: None,
        }
    }

    pub(crate) const fn new(address: u64) -> Self {
        Self {
            address,
            file: None,
        }
    }

    /// The object of the same address in another file.
    pub(super) fn in_file(mut self, name: Arc<str>) -> Self {
        self.file = Some(name);
        self
    }

    /// Whether it names nothing.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert!(!file.reference("/")?.is_null());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub const fn is_null(&self) -> bool {
        self.address == 0
    }

    /// Where the object's header is, in bytes from the file's base address; 0 for null.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert_eq!(file.reference("/")?.address(), 48); // behind the superblock
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// The other file the object is in, where it is not in the one that was read.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert_eq!(file.reference("/")?.file(), None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

impl RegionReference {
    /// The reference to nothing.
    ///
    /// ```
    /// assert!(h5quill::RegionReference::null().is_null());
    /// ```
    pub const fn null() -> Self {
        Self {
            object: ObjectReference::null(),
            selection: Vec::new(),
        }
    }

    pub(crate) const fn new(object: ObjectReference, selection: Vec<u8>) -> Self {
        Self { object, selection }
    }

    /// The selection as the file stores it.
    pub(crate) fn selection(&self) -> &[u8] {
        &self.selection
    }

    /// Whether it names nothing.
    ///
    /// ```
    /// assert!(h5quill::RegionReference::default().is_null());
    /// ```
    pub const fn is_null(&self) -> bool {
        self.object.is_null()
    }

    /// The dataset, as an object.
    ///
    /// ```
    /// use h5quill::{ObjectReference, RegionReference};
    /// assert_eq!(RegionReference::null().object(), &ObjectReference::null());
    /// ```
    pub const fn object(&self) -> &ObjectReference {
        &self.object
    }
}

impl AttributeReference {
    pub(crate) const fn new(object: ObjectReference, name: String) -> Self {
        Self { object, name }
    }

    /// The object that has the attribute.
    ///
    /// ```
    /// use h5quill::{AttributeReference, File, Result};
    /// fn is_of_root(reference: &AttributeReference, file: &File) -> Result<bool> {
    ///     Ok(reference.object() == &file.reference("/")?)
    /// }
    /// ```
    pub const fn object(&self) -> &ObjectReference {
        &self.object
    }

    /// The attribute's name.
    ///
    /// ```
    /// use h5quill::{AttributeReference, Attribute, Location, Result};
    /// fn attribute(object: &Location, reference: &AttributeReference) -> Result<Attribute> {
    ///     object.attr(reference.name())
    /// }
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Reference {
    /// Whether it names nothing.
    ///
    /// ```
    /// use h5quill::{Reference, RegionReference};
    /// assert!(Reference::Region(RegionReference::null()).is_null());
    /// ```
    pub const fn is_null(&self) -> bool {
        self.object().is_null()
    }

    /// The object it names, or that has what it names.
    ///
    /// ```
    /// use h5quill::{ObjectReference, Reference};
    /// let object = ObjectReference::null();
    /// assert_eq!(Reference::Object(object.clone()).object(), &object);
    /// ```
    pub const fn object(&self) -> &ObjectReference {
        match self {
            Self::Object(object) => object,
            Self::Region(region) => &region.object,
            Self::Attribute(attribute) => &attribute.object,
        }
    }
}

/// The reference in an element of `stored`, which is of class 7.
pub(super) fn decode(
    stored: &Datatype,
    bytes: &[u8],
    heap: &mut dyn VarLenSource,
) -> Result<Reference> {
    let mut take = Take::new(bytes, ELEMENT, 0);
    let width = heap.offset_width();
    match stored {
        Datatype::Reference { kind: 0, .. } => {
            let address = address(take.uint(width)?, width);
            Ok(Reference::Object(ObjectReference::new(address)))
        }
        Datatype::Reference { kind: 1, .. } => {
            let collection = take.uint(width)?;
            let index = take.u32()?;
            if address(collection, width) == 0 {
                return Ok(Reference::Region(RegionReference::null()));
            }
            let mut object = Vec::new();
            heap.read_whole(collection, index, &mut object)?;
            let mut take = Take::new(&object, ELEMENT, 0);
            Ok(Reference::Region(RegionReference {
                object: ObjectReference::new(address(take.uint(width)?, width)),
                selection: take.rest().to_vec(),
            }))
        }
        Datatype::Reference { .. } => revised::take(&mut take, heap),
        _ => Err(Error::corrupt(ELEMENT, "not a reference")),
    }
}

/// 0 for what names nothing.
pub(super) fn address(value: u64, width: u8) -> u64 {
    if value == undefined(width) { 0 } else { value }
}

fn decode_all<T: H5Type>(
    bytes: &[u8],
    stored: &Datatype,
    heap: &mut dyn VarLenSource,
    pick: impl Fn(Reference) -> Option<T>,
) -> Result<Vec<T>> {
    expect::<T>(stored)?;
    let size = stored.size() as usize;
    let mut values = Vec::with_capacity(count(bytes, size)?);
    for element in bytes.chunks_exact(size) {
        let reference = decode(stored, element, heap)?;
        values.push(pick(reference).ok_or_else(|| {
            Error::invalid("a revised reference names something else than the type it is read as")
        })?);
    }
    Ok(values)
}

/// Whether `stored` are references of the old kind, or of the revised ones.
fn is_reference(stored: &Datatype, old: u8, new: u8) -> bool {
    matches!(stored, Datatype::Reference { kind, .. } if *kind == old || *kind == 2 || *kind == new)
}

/// Refuses elements that are not of the size that the file's addresses make them.
fn check_size(stored: &Datatype, width: u8) -> Result<()> {
    let Datatype::Reference { kind, size, .. } = stored else {
        return Err(Error::corrupt(ELEMENT, "not a reference"));
    };
    // In a sequence, object references have 8 bytes whatever the width of the file's addresses.
    match Datatype::reference_size(*kind, width) == *size || (*kind, *size) == (0, 8) {
        true => Ok(()),
        false => Err(Error::corrupt(
            ELEMENT,
            "references of another size than the file's addresses have",
        )),
    }
}

/// Puts references into elements of `stored`, none of them where one cannot be.
fn encode_all(
    references: &[Reference],
    stored: &Datatype,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    check_size(stored, heap.offset_width())?;
    let Datatype::Reference { kind, size, .. } = *stored else {
        return Ok(());
    };
    for reference in references {
        match (kind, reference) {
            (0, Reference::Object(object)) => check_own(object)?,
            (1, Reference::Region(region)) => check_own(&region.object)?,
            (0 | 1, _) if reference.is_null() => {}
            (0 | 1, _) => return Err(Error::invalid("a reference of another kind than its type")),
            _ => revised::check(reference)?,
        }
    }
    for reference in references {
        match kind {
            0 => out.put_uint(reference.object().address, size as u8),
            1 => put_region(reference, heap, out)?,
            _ => revised::put(reference, size as usize, heap, out)?,
        }
    }
    Ok(())
}

fn put_region(reference: &Reference, heap: &mut dyn VarLenSink, out: &mut Vec<u8>) -> Result<()> {
    let width = heap.offset_width();
    let (collection, index) = match reference {
        Reference::Region(region) if !region.is_null() => {
            let mut object = Vec::new();
            object.put_uint(region.object.address, width);
            object.put_bytes(&region.selection);
            heap.insert(&object)?
        }
        _ => (0, 0),
    };
    out.put_uint(collection, width);
    out.put_u32(index);
    Ok(())
}

pub(super) fn check_own(reference: &ObjectReference) -> Result<()> {
    match reference.file {
        Some(_) => Err(Error::unsupported("writing a reference to another file")),
        None => Ok(()),
    }
}

impl H5Type for ObjectReference {
    fn datatype() -> Datatype {
        Datatype::Reference {
            size: 8,
            kind: 0,
            version: 0,
        }
    }

    fn zero() -> Self {
        Self::null()
    }

    fn matches(stored: &Datatype) -> bool {
        is_reference(stored, 0, 2)
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        let all: Vec<Reference> = values.iter().cloned().map(Reference::Object).collect();
        encode_all(&all, stored, heap, out)
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        decode_all(bytes, stored, heap, |reference| match reference {
            Reference::Object(object) => Some(object),
            _ => None,
        })
    }
}

impl H5Type for RegionReference {
    fn datatype() -> Datatype {
        Datatype::Reference {
            size: 12,
            kind: 1,
            version: 0,
        }
    }

    fn zero() -> Self {
        Self::null()
    }

    fn matches(stored: &Datatype) -> bool {
        is_reference(stored, 1, 3)
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        let all: Vec<Reference> = values.iter().cloned().map(Reference::Region).collect();
        encode_all(&all, stored, heap, out)
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        decode_all(bytes, stored, heap, |reference| match reference {
            Reference::Region(region) => Some(region),
            Reference::Object(object) if object.is_null() => Some(Self::null()),
            _ => None,
        })
    }
}

impl H5Type for Reference {
    fn datatype() -> Datatype {
        revised::DATATYPE
    }

    fn zero() -> Self {
        Self::Object(ObjectReference::null())
    }

    fn matches(stored: &Datatype) -> bool {
        matches!(stored, Datatype::Reference { .. })
    }

    fn encode(
        values: &[Self],
        stored: &Datatype,
        heap: &mut dyn VarLenSink,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        expect::<Self>(stored)?;
        encode_all(values, stored, heap, out)
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        decode_all(bytes, stored, heap, Some)
    }
}

impl From<ObjectReference> for Reference {
    fn from(object: ObjectReference) -> Self {
        Self::Object(object)
    }
}

impl From<RegionReference> for Reference {
    fn from(region: RegionReference) -> Self {
        Self::Region(region)
    }
}

impl From<AttributeReference> for Reference {
    fn from(attribute: AttributeReference) -> Self {
        Self::Attribute(attribute)
    }
}
