//! What a file is to be that is created.

use super::FileBuilder;
use crate::error::{Error, Result};
use crate::format::libver::LibVer;
use crate::format::message::file_space_info::{
    DEFAULT_PAGE, FileSpaceInfo, FileSpaceStrategy, MAX_PAGE, MIN_PAGE,
};
use crate::object::engine::NewFile;
use crate::object::new_group::GroupRequest;

/// What is asked for, not checked yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Creation {
    userblock: u64,
    file_space: FileSpaceStrategy,
    page_size: Option<u64>,
    root: GroupRequest,
}

impl FileBuilder {
    /// Bytes at the start of a file that is created which are the user's own: a power of two from 512 to 4 GiB, or 0, which
    /// is the default (specification II.A). See [`File::write_userblock`](crate::File::write_userblock).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().userblock(512).create_on(MemoryStorage::new())?;
    /// file.write_userblock(b"#!/usr/bin/env viewer\n")?;
    /// let bytes = file.into_bytes()?;
    /// assert!(bytes.starts_with(b"#!/usr/bin/env viewer"));
    /// assert_eq!(&bytes[512..520], b"\x89HDF\r\n\x1a\n");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn userblock(mut self, size: u64) -> Self {
        self.creation.userblock = size;
        self
    }

    /// Keeps and indexes the order in which links and attributes of the root group are made, as `track_order=True` of
    /// h5py does; not by default. Of use where a file is created; see [`GroupBuilder::track_order`](crate::GroupBuilder::track_order)
    /// for other groups.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().track_order(true).create_on(MemoryStorage::new())?;
    /// file.create_group("z")?;
    /// file.create_group("a")?;
    /// assert_eq!(file.member_names()?, ["z", "a"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn track_order(mut self, track: bool) -> Self {
        self.creation.root.track_order = track;
        self
    }

    /// How the space of a file that is created is given out, and whether it keeps track of its free space, by the names of
    /// hdf5-metno; [`FileSpaceStrategy`] tells those of h5py. By default the file says nothing of it.
    ///
    /// In a file of pages, metadata and raw data have pages of their own, and a block of a page or more begins at a page, so
    /// that libhdf5 can read it through a page buffer (`page_buf_size` of h5py). The other strategies are noted for libhdf5.
    /// Where free space is to be kept track of in the file, that begins when libhdf5 first edits it: what this library
    /// frees is not listed there, and the first sector has room for one dataset less that changes together with the
    /// others.
    ///
    /// ```
    /// use h5quill::{File, FileSpaceStrategy, storage::MemoryStorage};
    /// let file = File::with_options()
    ///     .file_space_strategy(FileSpaceStrategy::FreeSpaceManager { paged: true, persist: true, threshold: 64 })
    ///     .file_space_page_size(16 << 10)
    ///     .create_on(MemoryStorage::new())?;
    /// file.new_dataset::<f32>().shape(0..).create("x")?.append(&[1.0_f32])?;
    /// assert_eq!(file.file_space_page_size()?, 16 << 10);
    /// assert!(file.into_bytes()?.len().is_multiple_of(16 << 10));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn file_space_strategy(mut self, strategy: FileSpaceStrategy) -> Self {
        self.creation.file_space = strategy;
        self
    }

    /// The size of the pages of a file that is created, where its [strategy](Self::file_space_strategy) has pages: from 512
    /// bytes to 1 GiB, 4096 by default. It is `fs_page_size` of h5py.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().file_space_page_size(512).create_on(MemoryStorage::new())?;
    /// assert_eq!(file.file_space_page_size()?, 512);
    /// assert!(File::with_options().file_space_page_size(511).create_on(MemoryStorage::new()).is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn file_space_page_size(mut self, bytes: u64) -> Self {
        self.creation.page_size = Some(bytes);
        self
    }

    /// How many attributes the root group has in its object header at the most, and in dense storage at the least; see
    /// [`DatasetBuilder::attr_phase_change`](crate::DatasetBuilder::attr_phase_change).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().attr_phase_change(32, 16).create_on(MemoryStorage::new())?;
    /// # file.set_attr("title", "first light")?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn attr_phase_change(mut self, max_compact: u32, min_dense: u32) -> Self {
        self.creation.root.attr_phase_change = Some((max_compact, min_dense));
        self
    }

    /// How many links the root group has in its object header at the most, and in dense storage at the least; see
    /// [`GroupBuilder::link_phase_change`](crate::GroupBuilder::link_phase_change).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().link_phase_change(32, 16).create_on(MemoryStorage::new())?;
    /// # file.create_group("a")?;
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn link_phase_change(mut self, max_compact: u32, min_dense: u32) -> Self {
        self.creation.root.link_phase_change = Some((max_compact, min_dense));
        self
    }

    /// How many links are expected in the root group, and how long a name of theirs; see
    /// [`GroupBuilder::est_link_info`](crate::GroupBuilder::est_link_info).
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().est_link_info(100, 20).create_on(MemoryStorage::new())?;
    /// # assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn est_link_info(mut self, entries: u32, name_len: u32) -> Self {
        self.creation.root.estimates = Some((entries, name_len));
        self
    }

    /// What a new file is to be, checked.
    pub(super) fn new_file(&self) -> Result<NewFile> {
        const MAX_USERBLOCK: u64 = 1 << 32;
        self.check_alignment()?;
        let Creation { userblock, .. } = self.creation;
        if userblock > MAX_USERBLOCK {
            return Err(Error::limit(
                "the size of a userblock",
                userblock,
                MAX_USERBLOCK,
            ));
        }
        if userblock != 0 && (userblock < 512 || !userblock.is_power_of_two()) {
            return Err(Error::invalid(
                "the size of a userblock is not a power of two from 512 on",
            ));
        }
        let libver = self.libver.unwrap_or_default();
        if libver == LibVer::Earliest {
            return Err(Error::unsupported("creating a file for HDF5 before 1.8"));
        }
        Ok(NewFile {
            userblock,
            libver,
            file_space: self.creation.file_space()?,
            root: self.creation.root.check()?,
        })
    }
}

impl Creation {
    /// What the file says of its space: nothing where all is as it is by default.
    fn file_space(&self) -> Result<Option<FileSpaceInfo>> {
        let size = self.page_size.unwrap_or(DEFAULT_PAGE);
        if size > MAX_PAGE {
            return Err(Error::limit("the size of a page", size, MAX_PAGE));
        }
        if size < MIN_PAGE {
            return Err(Error::invalid("the size of a page is less than 512 bytes"));
        }
        let usual = self.file_space == FileSpaceStrategy::default() && size == DEFAULT_PAGE;
        Ok((!usual).then(|| FileSpaceInfo::new(self.file_space, size)))
    }
}
