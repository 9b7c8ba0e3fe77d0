//! The making of groups.

use super::Group;
use crate::error::Result;
use crate::handle::ObjectRef;
use crate::object::new_group::GroupRequest;

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
    request: GroupRequest,
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
        self.request.track_order = track;
        self
    }

    /// How many attributes there are in the object header at the most, and in dense storage at the least; see
    /// [`DatasetBuilder::attr_phase_change`](crate::DatasetBuilder::attr_phase_change).
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let group = file.new_group().attr_phase_change(0, 0).create("never in the header")?;
    /// group.set_attr("unit", "V")?;
    /// # assert_eq!(group.attr_names()?, ["unit"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn attr_phase_change(mut self, max_compact: u32, min_dense: u32) -> Self {
        self.request.attr_phase_change = Some((max_compact, min_dense));
        self
    }

    /// How many links there are in the object header at the most, and in dense storage at the least (specification
    /// IV.A.2.k): 8 and 6 by default, and no more than 65,535. With one more link than `max_compact` all of them move to
    /// dense storage, and with less than `min_dense` back, whoever edits the file.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let runs = file.new_group().link_phase_change(100, 50).create("runs")?;
    /// for number in 0..100 {
    ///     runs.create_group(&format!("in the header {number}"))?;
    /// }
    /// # assert_eq!(runs.len()?, 100);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// Where the second is more than the first, [`create`](Self::create) refuses.
    #[must_use]
    pub fn link_phase_change(mut self, max_compact: u32, min_dense: u32) -> Self {
        self.request.link_phase_change = Some((max_compact, min_dense));
        self
    }

    /// How many links are expected, and how long a name of theirs; 4 and 8 by default. libhdf5 makes room for them in the
    /// header of a group that it creates; here they are noted in the file, as it does.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.new_group().est_link_info(200, 12).create("runs")?;
    /// # assert!(file.group("runs")?.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn est_link_info(mut self, entries: u32, name_len: u32) -> Self {
        self.request.estimates = Some((entries, name_len));
        self
    }

    /// Creates the group at a path, with the groups on the way, which are as [`Group::create_group`] makes them.
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
        let new = self
            .request
            .check()
            .map_err(|error| error.object(&full).file(self.parent.shared.name()))?;
        let object = self.parent.change(0, |engine, base| {
            let addr = engine.create_group(base, path, new)?;
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
            request: GroupRequest::default(),
        }
    }
}
