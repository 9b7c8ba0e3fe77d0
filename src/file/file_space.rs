//! How the file gives out its space.

use super::File;
use crate::error::Result;
use crate::format::message::file_space_info::{DEFAULT_PAGE, FileSpaceInfo, FileSpaceStrategy};

impl File {
    /// How the space of the file is given out, as it says.
    ///
    /// ```
    /// use h5quill::{File, FileSpaceStrategy, storage::MemoryStorage};
    /// let options = File::with_options().file_space_strategy(FileSpaceStrategy::None);
    /// let file = File::open_memory(options.create_on(MemoryStorage::new())?.into_bytes()?)?;
    /// assert_eq!(file.file_space_strategy()?, FileSpaceStrategy::None);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn file_space_strategy(&self) -> Result<FileSpaceStrategy> {
        let info = self.file_space()?;
        Ok(info.map_or_else(FileSpaceStrategy::default, |info| info.strategy()))
    }

    /// The size of a page, in a file whose space is given out in pages; in others the one that would be taken.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// assert_eq!(file.file_space_page_size()?, 4096);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn file_space_page_size(&self) -> Result<u64> {
        let info = self.file_space()?;
        Ok(info.map_or(DEFAULT_PAGE, |info| info.named_page_size()))
    }

    fn file_space(&self) -> Result<Option<FileSpaceInfo>> {
        self.shared().with(|engine| engine.file_space())
    }
}
