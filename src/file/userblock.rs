//! The userblock.

use super::File;
use crate::error::Result;
use alloc::vec::Vec;

impl File {
    /// The bytes before the superblock, which are the user's own (specification II.A); 0 where there are none.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().userblock(1024).create_on(MemoryStorage::new())?;
    /// assert_eq!(file.userblock_size()?, 1024);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn userblock_size(&self) -> Result<u64> {
        self.shared()
            .with(|engine| Ok(engine.store.userblock_size()))
    }

    /// The userblock, all of it.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().userblock(512).create_on(MemoryStorage::new())?;
    /// assert_eq!(file.read_userblock()?, [0; 512]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the storage says.
    pub fn read_userblock(&self) -> Result<Vec<u8>> {
        self.shared().with(|engine| engine.store.read_userblock())
    }

    /// Writes `bytes` at the start of the userblock; what is behind them stays.
    ///
    /// It is written at once and in place, and is no part of a commit: after a kill, or a loss of power before the next
    /// [`sync`](Self::sync), it may be there in part. The rest of the file is never concerned.
    ///
    /// ```
    /// use h5quill::{File, storage::MemoryStorage};
    /// let file = File::with_options().userblock(512).create_on(MemoryStorage::new())?;
    /// file.write_userblock(b"acquired by rig 3")?;
    /// file.sync()?;
    /// assert!(file.read_userblock()?.starts_with(b"acquired by rig 3\0"));
    /// assert!(file.write_userblock(&[0; 513]).is_err());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// More bytes than the userblock has, an HDF5 signature where readers would look for one, a read-only file; nothing is
    /// changed then. Or what the storage says.
    pub fn write_userblock(&self, bytes: &[u8]) -> Result<()> {
        self.shared().with(|engine| engine.write_userblock(bytes))
    }
}
