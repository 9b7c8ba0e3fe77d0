//! When a file commits without being told, and how.

use crate::store::Level;
#[cfg(test)]
use crate::store::mutant::{self, Mutant};

/// How a file commits by itself ([`flush_every`](crate::FileBuilder::flush_every),
/// [`flush_every_bytes`](crate::FileBuilder::flush_every_bytes)) once it has been synced: see
/// [`FileBuilder::auto_commit`](crate::FileBuilder::auto_commit). Before the first [`File::sync`](crate::File::sync) such
/// a commit is a flush in any case.
///
/// ```
/// use h5quill::{AutoCommit, File, storage::MemoryStorage};
/// assert_eq!(AutoCommit::default(), AutoCommit::Sync);
/// let options = File::with_options().flush_every_bytes(1 << 20).auto_commit(AutoCommit::Wait);
/// let file = options.create_on(MemoryStorage::new())?;
/// # assert!(file.is_empty()?);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutoCommit {
    /// As [`File::sync`](crate::File::sync): what was synced survives a loss of power at any time, and so does each of
    /// these commits once it is done. This is the default.
    #[default]
    Sync,
    /// Not at all: what is written stays invisible until the user syncs, flushes or closes the file. What was synced
    /// survives a loss of power at any time.
    Wait,
    /// As [`File::flush`](crate::File::flush), which costs no sync. A loss of power may then damage the file, what was
    /// synced before included, until the next sync.
    Flush,
}

/// When a file commits without being told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policy {
    /// After this many bytes of data have been given.
    pub(crate) bytes: Option<u64>,
    /// This long after the last commit.
    #[cfg(feature = "std")]
    pub(crate) interval: Option<core::time::Duration>,
    /// Only changes commit after that time, and no thread does where none is made.
    #[cfg(feature = "std")]
    pub(crate) only_with_changes: bool,
    /// How, once the user has asked for a sync.
    pub(crate) after_sync: AutoCommit,
}

impl Policy {
    /// The level of a commit that nobody asked for; `None`: there is to be none. `synced`: the user has asked for a sync in
    /// this session.
    ///
    /// A flush writes cells whose bodies the device may not have yet, and gives out space again that the synced state
    /// still needs as long as those cells are not durable. So it breaks the promise of the sync before it.
    pub(super) fn level(&self, synced: bool) -> Option<Level> {
        #[cfg(test)]
        if mutant::is(Mutant::FlushesAfterSync) {
            return Some(Level::Flush);
        }
        match (synced, self.after_sync) {
            (false, _) | (true, AutoCommit::Flush) => Some(Level::Flush),
            (true, AutoCommit::Sync) => Some(Level::Sync),
            (true, AutoCommit::Wait) => None,
        }
    }
}
