//! The making of groups.

use super::Group;
use crate::error::Result;
use crate::handle::ObjectRef;

/// What a group is to be. Nothing is checked or written before [`create`](Self::create).
///
/// ```
/// let file = h5quill::File::create_memory()?;
/// let builder = file.new_group().track_order(true);
/// builder.clone().create("left")?;
/// builder.create("right")?;
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GroupBuilder {
    parent: ObjectRef,
    track_order: bool,
}

impl GroupBuilder {
    /// Keeps and indexes the order in which links and attributes are made, as `track_order=True` of h5py does
    /// (specification IV.A.2.c and IV.A.2.v); not by default. Names are then listed in this order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let group = file.new_group().track_order(true).create("a")?;
    /// for name in ["second", "first"] {
    ///     group.create_group(name)?;
    ///     group.set_attr(name, 1)?;
    /// }
    /// assert_eq!(group.member_names()?, ["second", "first"]);
    /// assert_eq!(group.attr_names()?, ["second", "first"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn track_order(mut self, track: bool) -> Self {
        self.track_order = track;
        self
    }

    /// Creates the group at a path, with the groups on the way; those do not track the order.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert_eq!(file.new_group().create("a/b")?.name(), "/a/b");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Group::create_group`].
    pub fn create(self, path: &str) -> Result<Group> {
        let full = self.parent.join(path);
        let object = self.parent.change(0, |engine, base| {
            let addr = engine.create_group(base, path, self.track_order)?;
            Ok(ObjectRef::new(
                self.parent.shared.clone(),
                engine,
                addr,
                &full,
            ))
        });
        Ok(Group::new(object.map_err(|error| error.attribute(&full))?))
    }
}

impl Group {
    /// A builder for a group with options.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let group = file.new_group().track_order(true).create("in order")?;
    /// assert!(group.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    pub fn new_group(&self) -> GroupBuilder {
        GroupBuilder {
            parent: self.object().clone(),
            track_order: false,
        }
    }
}
