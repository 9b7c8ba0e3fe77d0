//! Groups: names for objects.

mod builder;
mod link;
mod links;
mod object;

pub use builder::GroupBuilder;
pub use link::{LinkInfo, LinkKind};
pub use object::Object;

use crate::builder::{DatasetBuilder, Raw};
use crate::dataset::Dataset;
use crate::dtype::H5Type;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::link::LinkTarget;
use crate::handle::ObjectRef;
use crate::location::Location;
use crate::named_datatype::NamedDatatype;
use crate::object::ObjectKind;
use crate::other_files::Target;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

/// A handle to a group. Paths are relative to it, or absolute where they begin with a slash.
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let run = file.create_group("runs/7")?;
/// run.create_group("raw")?;
/// assert_eq!(run.group("raw")?.name(), "/runs/7/raw");
/// assert!(run.exists("/runs/7/raw")?); // absolute: from the root
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Group {
    location: Location,
}

impl Deref for Group {
    type Target = Location;

    fn deref(&self) -> &Location {
        &self.location
    }
}

impl Group {
    pub(crate) fn new(object: ObjectRef) -> Self {
        Self {
            location: Location { object },
        }
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn object(&self) -> &ObjectRef {
        &self.location.object
    }

    /// The object at a path, in whatever file.
    fn found(&self, path: &str) -> Result<ObjectRef> {
        let full = self.object().join(path);
        let named = |error: Error| match error.object_path() {
            Some(_) if error.file_name() != Some(self.object().shared.name()) => error,
            _ => error.attribute(&full),
        };
        match self.object().find(path, true).map_err(named)? {
            Target::Object(object) if !path.is_empty() => Ok(object),
            _ => Err(self.located(Error::not_found()).attribute(&full)),
        }
    }

    fn open(&self, path: &str, kind: ObjectKind, what: &'static str) -> Result<ObjectRef> {
        let found = self.found(path)?;
        if found.with(|engine, addr| engine.kind(addr))? != kind {
            let full = self.object().join(path);
            let error = Error::invalid(format!("not a {what}"));
            return Err(self.located(error).attribute(&full));
        }
        Ok(found)
    }

    /// Says in which file an error was met.
    fn located(&self, error: Error) -> Error {
        error.file(self.object().shared.name())
    }

    fn change_at<T>(
        &self,
        path: &str,
        run: impl FnOnce(&mut crate::object::engine::Engine, crate::bytes::Addr) -> Result<T>,
    ) -> Result<T> {
        let full = self.object().join(path);
        let mut other = None;
        let result = self.object().change(0, |engine, base| {
            run(engine, base).inspect_err(|error| {
                // It names the other path that the call has.
                other = error.object_path().map(|path| self.object().join(path));
            })
        });
        result.map_err(|error| error.attribute(other.as_deref().unwrap_or(&full)))
    }

    /// The group at a path.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a/b")?;
    /// assert_eq!(file.group("a")?.group("b")?.name(), "/a/b");
    /// let error = file.group("c").unwrap_err();
    /// assert_eq!(error.kind(), &h5quill::ErrorKind::NotFound);
    /// assert_eq!(error.object_path(), Some("/c"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or something else is there.
    pub fn group(&self, path: &str) -> Result<Group> {
        self.open(path, ObjectKind::Group, "group").map(Group::new)
    }

    /// The dataset at a path.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.new_dataset::<u8>().shape(4).create("a/x")?;
    /// assert_eq!(file.dataset("a/x")?.shape(), [4]);
    /// assert!(file.dataset("a").is_err()); // a group
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or something else is there.
    pub fn dataset(&self, path: &str) -> Result<Dataset> {
        self.open(path, ObjectKind::Dataset, "dataset")
            .map(Dataset::new)
    }

    /// Creates a group at a path, with the groups on the way.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a/b/c")?;
    /// assert!(file.exists("a/b")?);
    /// assert_eq!(file.create_group("a").unwrap_err().kind(), &h5quill::ErrorKind::Exists);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), a name that cannot be, a read-only file; nothing is changed then.
    pub fn create_group(&self, path: &str) -> Result<Group> {
        self.new_group().create(path)
    }

    /// A builder for a dataset of elements of the type `T`.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let images = file.new_dataset::<u16>().shape((0.., 480, 640)).create("camera/images")?;
    /// assert_eq!(images.maxshape(), [None, Some(480), Some(640)]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_dataset<T: H5Type>(&self) -> DatasetBuilder<T> {
        DatasetBuilder::new(self.object().clone(), T::datatype())
    }

    /// A builder for a dataset whose datatype is known only at run time.
    ///
    /// ```
    /// use h5quill::{ByteOrder, File, H5Type};
    /// let file = File::create_memory()?;
    /// let datatype = i16::datatype().with_byte_order(ByteOrder::BigEndian); // known at run time only
    /// let data = file.new_dataset_of(datatype).shape(2).create("x")?;
    /// data.write_bytes(&[0, 1, 0, 2], ..)?;
    /// assert_eq!(data.read_raw::<i16>()?, [1, 2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_dataset_of(&self, datatype: Datatype) -> DatasetBuilder<Raw> {
        DatasetBuilder::new(self.object().clone(), datatype)
    }

    /// A builder for a dataset of a committed datatype; see also
    /// [`DatasetBuilder::named_datatype`](crate::DatasetBuilder::named_datatype).
    ///
    /// ```
    /// use h5quill::{Datatype, File};
    /// let file = File::create_memory()?;
    /// let rgb = file.commit_datatype("rgb", &Datatype::Opaque { size: 3, tag: "rgb".into() })?;
    /// let pixels = file.new_dataset_of_named(&rgb)?.shape(2).create("pixels")?;
    /// pixels.write_bytes(b"\xff\x00\x00\x00\xff\x00", ..)?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The datatype has been deleted, or its file closed.
    pub fn new_dataset_of_named(&self, datatype: &NamedDatatype) -> Result<DatasetBuilder<Raw>> {
        Ok(self.new_dataset_of(datatype.dtype()?).of(datatype))
    }

    /// Commits a datatype: makes it an object at a path, with the groups on the way.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// let volt = file.commit_datatype("types/volt", &f32::datatype())?;
    /// volt.set_attr("unit", "V")?;
    /// let data = file.new_dataset::<f32>().named_datatype(&volt).shape(0..).create("x")?;
    /// data.append(&[1.5_f32])?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists), a name that cannot be, a datatype without size, a read-only file; nothing is
    /// changed then.
    pub fn commit_datatype(&self, path: &str, datatype: &Datatype) -> Result<NamedDatatype> {
        let full = self.object().join(path);
        let object = self.change_at(path, |engine, base| {
            let addr = engine.commit_datatype(base, path, datatype)?;
            Ok(ObjectRef::new(
                self.object().shared.clone(),
                engine,
                addr,
                &full,
            ))
        })?;
        Ok(NamedDatatype::new(object))
    }

    /// Commits the datatype of `T`; see [`commit_datatype`](Self::commit_datatype).
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// assert_eq!(file.commit_type::<[f32; 3]>("vector")?.dtype()?, <[f32; 3]>::datatype());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`commit_datatype`](Self::commit_datatype).
    pub fn commit_type<T: H5Type>(&self, path: &str) -> Result<NamedDatatype> {
        self.commit_datatype(path, &T::datatype())
    }

    /// The committed datatype at a path.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// file.commit_datatype("types/volt", &f32::datatype())?;
    /// assert_eq!(file.named_datatype("types/volt")?.dtype()?, f32::datatype());
    /// assert!(file.named_datatype("types").is_err()); // a group
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or something else is there.
    pub fn named_datatype(&self, path: &str) -> Result<NamedDatatype> {
        self.open(path, ObjectKind::Datatype, "committed datatype")
            .map(NamedDatatype::new)
    }

    /// Whether something is linked at a path; a soft link counts where its target exists, an external link always, as
    /// h5py has it. An external link on the way is followed where
    /// [`FileBuilder::other_files`](crate::FileBuilder::other_files) allows it.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.link_soft("/later", "now")?;
    /// assert!(!file.exists("now")?); // its target is missing
    /// file.create_group("later")?;
    /// assert!(file.exists("now")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn exists(&self, path: &str) -> Result<bool> {
        match self.object().find(path, false) {
            Ok(Target::Missing) => Ok(false),
            Ok(_) => Ok(!path.is_empty()),
            // The file of a link on the way.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => {
                self.object().with(|_, _| Ok(false))
            }
            Err(error) => Err(error),
        }
    }

    /// The number of links in the group.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a/b")?;
    /// assert_eq!(file.len()?, 1);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn len(&self) -> Result<usize> {
        self.object()
            .with(|engine, addr| Ok(engine.link_count(addr)? as usize))
    }

    /// Whether the group has no links.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// assert!(file.is_empty()?);
    /// file.create_group("a")?;
    /// assert!(!file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The names of all links: in the order of their creation where the group tracks it, else sorted.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("b")?;
    /// file.create_group("a")?;
    /// assert_eq!(file.member_names()?, ["a", "b"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn member_names(&self) -> Result<Vec<String>> {
        let links = self.object().with(|engine, addr| engine.links(addr))?;
        let names = links.into_iter().map(|link| link.name);
        Ok(names
            .map(|name| String::from_utf8_lossy(&name).into_owned())
            .collect())
    }

    fn members(&self, kind: ObjectKind) -> Result<Vec<ObjectRef>> {
        self.object().with(|engine, addr| {
            let mut members = Vec::new();
            for link in engine.links(addr)? {
                let (LinkTarget::Hard(child), Ok(name)) =
                    (link.target, String::from_utf8(link.name))
                else {
                    continue;
                };
                if engine.kind(child)? == kind {
                    let path = self.object().join(&name);
                    members.push(ObjectRef::new(
                        self.object().shared.clone(),
                        engine,
                        child,
                        &path,
                    ));
                }
            }
            Ok(members)
        })
    }

    /// The groups that hard links of this group lead to.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a")?;
    /// file.new_dataset::<u8>().create("x")?;
    /// let names: Vec<String> = file.groups()?.iter().map(|group| group.name()).collect();
    /// assert_eq!(names, ["/a"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn groups(&self) -> Result<Vec<Group>> {
        Ok(self
            .members(ObjectKind::Group)?
            .into_iter()
            .map(Group::new)
            .collect())
    }

    /// The datasets that hard links of this group lead to.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a")?;
    /// file.new_dataset::<u8>().create("x")?;
    /// let names: Vec<String> = file.datasets()?.iter().map(|dataset| dataset.name()).collect();
    /// assert_eq!(names, ["/x"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn datasets(&self) -> Result<Vec<Dataset>> {
        Ok(self
            .members(ObjectKind::Dataset)?
            .into_iter()
            .map(Dataset::new)
            .collect())
    }

    /// The committed datatypes that hard links of this group lead to.
    ///
    /// ```
    /// use h5quill::{File, H5Type};
    /// let file = File::create_memory()?;
    /// file.commit_datatype("volt", &f32::datatype())?;
    /// file.new_dataset::<u8>().create("x")?;
    /// let names: Vec<String> = file.named_datatypes()?.iter().map(|named| named.name()).collect();
    /// assert_eq!(names, ["/volt"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn named_datatypes(&self) -> Result<Vec<NamedDatatype>> {
        Ok(self
            .members(ObjectKind::Datatype)?
            .into_iter()
            .map(NamedDatatype::new)
            .collect())
    }

    /// Links the object at `target` to a second path.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// let data = file.new_dataset::<u8>().shape(0..).create("runs/7/x")?;
    /// file.link_hard("runs/7/x", "latest")?;
    /// data.append(&[1_u8, 2])?;
    /// file.unlink("runs/7/x")?; // the other link keeps it
    /// assert_eq!(file.dataset("latest")?.read_raw::<u8>()?, [1, 2]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for the target, [`Exists`](crate::ErrorKind::Exists) for the path, a name
    /// that cannot be.
    pub fn link_hard(&self, target: &str, path: &str) -> Result<()> {
        self.change_at(path, |engine, base| {
            let found = engine.find(base, target);
            let found = found.and_then(|found| found.ok_or_else(Error::not_found));
            let addr = found.map_err(|error| error.object(target))?;
            engine.create_link(base, path, LinkTarget::Hard(addr))
        })
    }

    /// Makes a soft link at `path` that leads to whatever is at `target`.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("runs/7")?;
    /// file.link_soft("/runs/7", "latest")?;
    /// file.create_group("latest/raw")?;
    /// assert!(file.exists("runs/7/raw")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists) for the path, a name or target that cannot be.
    pub fn link_soft(&self, target: &str, path: &str) -> Result<()> {
        self.change_at(path, |engine, base| {
            if target.is_empty() || target.contains('\0') {
                return Err(Error::invalid(
                    "the target of a soft link is empty or has a NUL",
                ));
            }
            if target.len() > 65_535 {
                return Err(Error::limit(
                    "the length of a soft link",
                    target.len() as u64,
                    65_535,
                ));
            }
            engine.create_link(base, path, LinkTarget::Soft(target.as_bytes().to_vec()))
        })
    }

    /// Takes a link out. An object whose last hard link it was is deleted with everything only it holds; its space is
    /// used again.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    ///
    /// file.create_group("a/b")?;
    /// file.unlink("a")?;
    /// assert!(file.is_empty()?);
    /// assert_eq!(file.unlink("a").unwrap_err().kind(), &h5quill::ErrorKind::NotFound);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), or a read-only file.
    pub fn unlink(&self, path: &str) -> Result<()> {
        self.change_at(path, |engine, base| engine.unlink(base, path))
    }
}
