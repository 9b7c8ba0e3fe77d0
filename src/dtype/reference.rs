//! References: what names an object, a region of a dataset or an attribute.
//!
//! ```text
//! kind 0, object:   address O
//! kind 1, region:   heap collection O, index 4; the heap object: address O of the dataset, selection
//! kind 2 to 4, the revised references of HDF5 1.12:
//!   0   1  what it names: 2 object, 3 region, 4 attribute; 0: nothing
//!   1   1  flags: 1, the object is in another file
//!   object in this file:            others:
//!   2   1  size of the token, t     2   4  size of the heap object
//!   3   t  token: the address       6   O  heap collection
//!                                   +   4  index
//! the heap object: size of the token 1, token, (other file: length 2, name), then
//!   region: size of the selection 4, rank 4, selection
//!   attribute: length 2, name
//! ```

use super::{ELEMENT, H5Type, VarLenSink, VarLenSource, count, expect};
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
/// It stays valid where the object is renamed. Elements of kind 0 and of the revised kind 2 are read; kind 0, which every
/// reader knows, is written.
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

/// A reference to an attribute (kind 4, since HDF5 1.12); read, not written.
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

/// A reference of any kind.
///
/// ```
/// use h5quill::{ObjectReference, Reference};
/// let reference = Reference::Object(ObjectReference::null());
/// assert!(reference.is_null());
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
        Datatype::Reference { .. } => revised(&mut take, heap),
        _ => Err(Error::corrupt(ELEMENT, "not a reference")),
    }
}

/// 0 for what names nothing.
fn address(value: u64, width: u8) -> u64 {
    if value == undefined(width) { 0 } else { value }
}

fn revised(take: &mut Take<'_>, heap: &mut dyn VarLenSource) -> Result<Reference> {
    const EXTERNAL: u8 = 1;
    let (names, flags) = (take.u8()?, take.u8()?);
    if names == 0 {
        return Ok(Reference::Object(ObjectReference::null()));
    }
    if flags & !EXTERNAL != 0 {
        return Err(take.error("unknown flags of a reference"));
    }
    let external = flags & EXTERNAL != 0;
    if names == 2 && !external {
        return token(take).map(Reference::Object);
    }
    let len = take.u32()?;
    let collection = take.uint(heap.offset_width())?;
    let index = take.u32()?;
    let mut blob = Vec::new();
    if len > 0 {
        heap.read(collection, index, len as usize, &mut blob)?;
    }
    let take = &mut Take::new(&blob, ELEMENT, 0);
    let mut object = token(take)?;
    if external {
        object.file = Some(text(take)?.into());
    }
    match names {
        2 => Ok(Reference::Object(object)),
        3 => {
            let size = take.u32()? as usize;
            take.u32()?; // the rank, which the selection says, too
            Ok(Reference::Region(RegionReference {
                object,
                selection: take.bytes(size)?.to_vec(),
            }))
        }
        4 => Ok(Reference::Attribute(AttributeReference {
            object,
            name: text(take)?,
        })),
        _ => Err(take.error("unknown kind of reference")),
    }
}

fn token(take: &mut Take<'_>) -> Result<ObjectReference> {
    let size = take.u8()?;
    if !(1..=16).contains(&size) {
        return Err(take.error("a token of no known size"));
    }
    let width = size.min(8);
    let value = take.uint(width)?;
    if take
        .bytes(usize::from(size - width))?
        .iter()
        .any(|&byte| byte != 0)
    {
        return Err(take.error("a token that is no address"));
    }
    Ok(ObjectReference::new(address(value, width)))
}

fn text(take: &mut Take<'_>) -> Result<String> {
    let len = usize::from(take.u16()?);
    let bytes = take.bytes(len)?.to_vec();
    String::from_utf8(bytes).map_err(|_| take.error("a name in a reference is not UTF-8"))
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

/// What can be written: the old kinds, at the file's width of addresses.
fn check_written(stored: &Datatype, old: u8, size: u32) -> Result<()> {
    match stored {
        Datatype::Reference {
            kind, size: stored, ..
        } if *kind == old && *stored == size => Ok(()),
        Datatype::Reference { kind, .. } if *kind == old => Err(Error::corrupt(
            ELEMENT,
            "references of another size than the file's addresses have",
        )),
        _ => Err(Error::unsupported("writing revised references")),
    }
}

fn check_own(reference: &ObjectReference) -> Result<()> {
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
        let width = heap.offset_width();
        check_written(stored, 0, width.into())?;
        values.iter().try_for_each(check_own)?;
        for value in values {
            out.put_uint(value.address, width);
        }
        Ok(())
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
        let width = heap.offset_width();
        check_written(stored, 1, u32::from(width) + 4)?;
        values
            .iter()
            .try_for_each(|value| check_own(&value.object))?;
        for value in values {
            let (collection, index) = if value.is_null() {
                (0, 0)
            } else {
                let mut object = Vec::new();
                object.put_uint(value.object.address, width);
                object.put_bytes(&value.selection);
                heap.insert(&object)?
            };
            out.put_uint(collection, width);
            out.put_u32(index);
        }
        Ok(())
    }

    fn decode(bytes: &[u8], stored: &Datatype, heap: &mut dyn VarLenSource) -> Result<Vec<Self>> {
        decode_all(bytes, stored, heap, |reference| match reference {
            Reference::Region(region) => Some(region),
            Reference::Object(object) if object.is_null() => Some(Self::null()),
            _ => None,
        })
    }
}
