//! New datasets whose data are not in the file: in other datasets, or in files of no format.

use super::DatasetBuilder;
use crate::error::{Error, Result};
use crate::extents::Extents;
use crate::format::selection::{HyperslabAxis, StoredSelection};
use crate::format::virtual_layout::{NamePattern, VirtualLayout};
use crate::object::external::NewPiece;
use crate::object::plan::Outside;
use crate::selection::{Blocks, Selection};
use alloc::format;
use alloc::vec::Vec;

impl<T> DatasetBuilder<T> {
    /// Makes the dataset a virtual one, and shows in it what is selected of another dataset: the n-th element of
    /// `src_selection` is the n-th of `vds_selection`. What no mapping shows, and what a source lacks that is missing or
    /// shorter, is the fill value. A virtual dataset is read only, HDF5 1.10 and later know it, and
    /// [`follow_other_files`](crate::FileBuilder::follow_other_files) lets it be read across files.
    ///
    /// `src_filename` is looked up from the file that says it; `"."` is that file. The extents are those that the selections
    /// are made in: open ends and negative numbers refer to them. Those of the first mapping are also those of the
    /// dataset, unless [`shape`](Self::shape) gives others.
    ///
    /// ```
    /// use h5quill::File;
    /// let file = File::create_memory()?;
    /// let days = ["monday", "tuesday"];
    /// let mut week = file.new_dataset::<f32>().shape((3, 24)).fill_value(f32::NAN);
    /// for (row, day) in days.into_iter().enumerate() {
    ///     file.new_dataset::<f32>().create_with(day, &vec![row as f32; 24])?;
    ///     week = week.virtual_map(".", day, 24, .., (3, 24), row);
    /// }
    /// let week = week.create("week")?;
    /// file.dataset("monday")?.write_slice(&[7.5_f32], 5..6)?; // it is the same element
    /// assert_eq!(week.read_2d::<f32>()?[[0, 5]], 7.5);
    /// assert!(week.read_2d::<f32>()?[[2, 0]].is_nan()); // no such source
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// [`SliceOrIndex::Unlimited`](crate::SliceOrIndex::Unlimited) on both sides grows the virtual dataset with its source.
    /// Where the source is limited and its names have `%b`, each block of the virtual dataset has a source of its own, named
    /// by its number (`%%` is a percent sign):
    ///
    /// ```
    /// use h5quill::{File, SliceOrIndex};
    /// let file = File::create_memory()?;
    /// let log = file.new_dataset::<i32>().shape((0.., 2)).create("log")?;
    /// let both = (SliceOrIndex::unlimited(0), ..);
    /// let second = file.new_dataset::<i32>()
    ///     .virtual_map(".", "log", (0.., 2), (both.0, 1..), (0.., 1), both)
    ///     .create("second")?;
    /// log.append(&ndarray::array![[1, 2], [3, 4]])?;
    /// assert_eq!(second.read_raw::<i32>()?, [2, 4]);
    ///
    /// let blocks = SliceOrIndex::Unlimited { start: 0, step: 3, block: 3 };
    /// let runs = file.new_dataset::<u8>().virtual_map(".", "run_%b", 3, .., 0.., blocks).create("runs")?;
    /// file.new_dataset::<u8>().create_with("run_0", &[1, 2, 3])?;
    /// file.new_dataset::<u8>().create_with("run_1", &[4, 5, 6])?;
    /// assert_eq!(runs.read_raw::<u8>()?, [1, 2, 3, 4, 5, 6]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// [`create`](Self::create) refuses mappings of different numbers of elements or beyond the extents, those that are
    /// unlimited on one side only and have no `%b`, filters and layouts, and files for HDF5 1.8.
    #[must_use]
    pub fn virtual_map(
        mut self,
        src_filename: impl AsRef<str>,
        src_dataset: impl AsRef<str>,
        src_extents: impl Into<Extents>,
        src_selection: impl Into<Selection>,
        vds_extents: impl Into<Extents>,
        vds_selection: impl Into<Selection>,
    ) -> Self {
        let vds_extents = vds_extents.into();
        let mapped = self.map(
            [src_filename.as_ref(), src_dataset.as_ref()],
            (&src_extents.into(), &src_selection.into()),
            (&vds_extents, &vds_selection.into()),
        );
        match mapped {
            Ok(()) if self.extents == Extents::Scalar => self.extents = vds_extents,
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
        self
    }

    fn map(
        &mut self,
        names: [&str; 2],
        source: (&Extents, &Selection),
        target: (&Extents, &Selection),
    ) -> Result<()> {
        let name = |what: &str, name: &str| {
            if name.is_empty() || name.contains('\0') {
                let reason = format!("the name of a source {what} is empty or has a NUL");
                return Err(Error::invalid(reason));
            }
            NamePattern::new(name).ok_or_else(|| {
                Error::invalid(format!(
                    "{name:?}: a percent sign in the name of a source {what} is %b or %%"
                ))
            })
        };
        let (file, dataset) = (name("file", names[0])?, name("dataset", names[1])?);
        let (source, target) = (stored(source)?, stored(target)?);
        let mappings = self
            .outside
            .get_or_insert_with(|| Outside::Virtual(VirtualLayout::default()));
        match mappings {
            Outside::Virtual(layout) => layout.push(file, dataset, source, target),
            Outside::External(_) => return Err(both()),
        }
        Ok(())
    }

    /// Puts the data of the dataset in a file of raw bytes, from `offset` on: `size` bytes of them, or all there will ever
    /// be where `size` is 0. Further calls name the files that follow. The bytes are those of the elements in row-major
    /// order, as the datatype has them. The dataset can grow along its first axis as far as the files have room.
    ///
    /// Such files are looked for as [`follow_other_files`](crate::FileBuilder::follow_other_files) says, and are read and
    /// written only where that, or [`other_files`](crate::FileBuilder::other_files), is set; a file that is missing is made
    /// by the first write. They are **no part of a commit**: what is written to them is there at once, cannot be undone, is
    /// not synced, and neither is the fill value written to them; what they are too short for reads as zeros.
    ///
    #[cfg_attr(feature = "std", doc = "```")]
    #[cfg_attr(not(feature = "std"), doc = "```ignore")]
    /// # let directory = std::env::temp_dir().join(format!("h5quill-doc-external-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// use h5quill::File;
    /// let raw = directory.join("camera.raw");
    /// let file = File::with_options().follow_other_files(true).create(directory.join("run.h5"))?;
    /// let frames = file.new_dataset::<u16>()
    ///     .shape((0.., 2, 2))
    ///     .external(raw.to_str().unwrap(), 16, 0) // behind a header of 16 bytes, to the end
    ///     .create("frames")?;
    /// frames.append(&ndarray::array![[1_u16, 2], [3, 4]])?;
    /// assert_eq!(std::fs::read(&raw)?[16..], [1, 0, 2, 0, 3, 0, 4, 0]);
    /// assert_eq!(frames.read_raw::<u16>()?, [1, 2, 3, 4]);
    /// # drop(frames);
    /// # file.close()?;
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`create`](Self::create) refuses files that are too small for the greatest extent, a file of size 0 that is not the
    /// last, elements of variable length, filters and layouts.
    #[must_use]
    pub fn external(mut self, name: &str, offset: usize, size: usize) -> Self {
        let piece = NewPiece {
            name: name.into(),
            offset: offset as u64,
            size: (size > 0).then_some(size as u64),
        };
        match self
            .outside
            .get_or_insert_with(|| Outside::External(Vec::new()))
        {
            Outside::External(pieces) => pieces.push(piece),
            Outside::Virtual(_) => self.fail(both()),
        }
        self
    }

    /// Refuses data that could not be written once the dataset is there.
    pub(super) fn check_data(&self) -> Result<()> {
        match &self.outside {
            None => Ok(()),
            Some(Outside::Virtual(_)) => Err(Error::unsupported(
                "data for a virtual dataset (they are in its sources)",
            )),
            Some(Outside::External(pieces)) => self
                .parent
                .with(|engine, _| engine.check_other_files(&pieces[0].name)),
        }
    }
}

fn both() -> Error {
    Error::invalid("a dataset has its data in other datasets or in external files, not both")
}

/// A selection of an array, as a mapping has it.
fn stored((extents, selection): (&Extents, &Selection)) -> Result<StoredSelection> {
    extents.validate()?;
    let shape = match extents {
        Extents::Null => return Err(Error::invalid("a mapping of a null dataset")),
        Extents::Scalar => {
            selection.blocks(&[])?;
            return Ok(StoredSelection::All);
        }
        Extents::Simple(_) => extents.dims(),
    };
    let blocks = selection.blocks(&shape)?;
    if blocks.iter().filter(|axis| axis.count.is_none()).count() > 1 {
        return Err(Error::invalid("a mapping is unlimited along one axis only"));
    }
    let empty = |axis: &Blocks| axis.count == Some(0) || axis.block == 0;
    if blocks.iter().any(empty) {
        return Ok(StoredSelection::None);
    }
    let axes = blocks.into_iter().map(|axis| {
        // As libhdf5 has it: neighbours are one block, and a step that is never taken is 1.
        let (stride, count, block) = match axis.count {
            Some(count) if axis.step == axis.block => (1, Some(1), count * axis.block),
            Some(1) => (1, Some(1), axis.block),
            count => (axis.step, count, axis.block),
        };
        HyperslabAxis {
            start: axis.start,
            stride,
            count,
            block: Some(block),
        }
    });
    Ok(StoredSelection::Hyperslab(axes.collect()))
}

#[cfg(test)]
mod tests;
