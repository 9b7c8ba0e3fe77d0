//! Copies of objects, in a file and from one file to another.

use crate::error::{Error, Result};
use crate::group::Group;
use crate::handle::copy_between;
use crate::object::copy;

/// What [`Group::copy_with`] takes along, and how. Everything is off at first: the copy has all members of a group with
/// their attributes, soft and external links stay links, and references are null in another file.
///
/// ```
/// use h5quill::{CopyOptions, File};
/// let file = File::create_memory()?;
/// file.create_group("runs/7/raw")?;
/// file.group("runs")?.set_attr("operator", "K")?;
/// let options = CopyOptions::new().shallow(true).without_attrs(true);
/// file.copy_with("runs", &file, "outline", options)?;
/// assert_eq!(file.group("outline")?.member_names()?, ["7"]);
/// assert!(file.group("outline/7")?.is_empty()?);
/// assert!(file.group("outline")?.attr("operator").is_err());
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub struct CopyOptions {
    options: copy::Options,
}

impl CopyOptions {
    /// The options of [`Group::copy`].
    ///
    /// ```
    /// use h5quill::CopyOptions;
    /// assert_eq!(CopyOptions::new(), CopyOptions::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes only the immediate members of a group: groups among them are copied without their members.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// file.create_group("a/b/c")?;
    /// file.copy_with("a", &file, "x", CopyOptions::new().shallow(true))?;
    /// assert!(file.exists("x/b")? && !file.exists("x/b/c")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn shallow(mut self, shallow: bool) -> Self {
        self.options.shallow = shallow;
        self
    }

    /// Copies what soft links lead to and makes hard links of them; one whose target is missing stays a soft link.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// file.create_group("a")?;
    /// file.create_group("outside")?;
    /// file.link_soft("/outside", "a/link")?;
    /// file.copy_with("a", &file, "x", CopyOptions::new().expand_soft(true))?;
    /// file.unlink("outside")?;
    /// assert!(file.exists("x/link")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn expand_soft(mut self, expand: bool) -> Self {
        self.options.expand_soft = expand;
        self
    }

    /// Copies what external links lead to. This is not supported yet: a copy that meets an external link is refused.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// file.create_group("a")?; // no external link in it
    /// file.copy_with("a", &file, "x", CopyOptions::new().expand_external(true))?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn expand_external(mut self, expand: bool) -> Self {
        self.options.expand_external = expand;
        self
    }

    /// In a copy to another file, copies what object and region references name, too, and leads the references to the
    /// copies, wherever in an element they are. What only references lead to is linked in the root group as
    /// `~obj_pointed_by_` and its address, as libhdf5 does. In the same file references stay as they are.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// let other = File::create_memory()?;
    /// file.create_group("a")?; // no reference in it
    /// file.copy_with("a", &other, "a", CopyOptions::new().expand_refs(true))?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn expand_refs(mut self, expand: bool) -> Self {
        self.options.expand_references = expand;
        self
    }

    /// Leaves attributes out.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// file.create_group("a")?.set_attr("fs", 16_000)?;
    /// file.copy_with("a", &file, "x", CopyOptions::new().without_attrs(true))?;
    /// assert!(file.group("x")?.attr_names()?.is_empty());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn without_attrs(mut self, without: bool) -> Self {
        self.options.without_attributes = without;
        self
    }
}

impl Group {
    /// Copies the object at `source_path` to `path` seen from `destination`, a group of this file or of another open
    /// one. Groups on the way are made. A group is copied with all its members; an object that several links in it lead
    /// to is copied once. Soft and external links are copied as links.
    ///
    /// Chunks are copied as they are stored, so their filters need not be known here, unless elements have strings or
    /// sequences of variable length, or references. References become null in another file, wherever in an element they
    /// are, and stay as they are in the same file.
    ///
    /// ```
    /// use h5quill::File;
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<f32>().shape((0.., 3)).deflate(4).create("runs/7/x")?;
    /// data.append(&ndarray::array![[1.0_f32, 2.0, 3.0]])?;
    /// file.copy("runs/7", &file, "runs/8")?; // in the same file
    ///
    /// let backup = File::create_memory()?;
    /// file.copy("runs", &backup, "2026/november")?; // to another file
    /// assert_eq!(backup.dataset("2026/november/8/x")?.read_raw::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for the source, [`Exists`](crate::ErrorKind::Exists) for the path, a name
    /// that cannot be, a read-only destination, a source that is damaged or that cannot be copied exactly. The
    /// destination is unchanged then.
    pub fn copy(&self, source_path: &str, destination: &Group, path: &str) -> Result<()> {
        self.copy_with(source_path, destination, path, CopyOptions::new())
    }

    /// As [`copy`](Self::copy), with options.
    ///
    /// ```
    /// use h5quill::{CopyOptions, File};
    /// let file = File::create_memory()?;
    /// file.create_group("a/b/c")?;
    /// let options = CopyOptions::new().shallow(true);
    /// file.copy_with("a", &file, "outline", options)?;
    /// assert!(!file.exists("outline/b/c")?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`copy`](Self::copy).
    pub fn copy_with(
        &self,
        source_path: &str,
        destination: &Group,
        path: &str,
        options: CopyOptions,
    ) -> Result<()> {
        let (from, to) = (&self.location().object, &destination.location().object);
        let (source, full) = (from.join(source_path), to.join(path));
        let of_source = |error: Error| error.object(&source).file(from.shared.name());
        copy_between(from, to, |mut engines, base, target| {
            let (source, target) = ((base, source_path), (target, path));
            copy::copy(&mut engines, source, target, options.options, &of_source)
        })
        .map_err(|error| error.object(&full))
    }
}
