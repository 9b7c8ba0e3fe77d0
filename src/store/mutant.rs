//! The seeded breaks of the commit: tests switch one on in their thread and show that the crash tests find it.

use super::stage::Store;
use crate::error::Result;
use std::cell::Cell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Step 2 is left out.
    NoFirstSync,
    /// What a commit frees is given out before that commit is done.
    EarlyReuse,
    /// The new body overwrites the one the committed cell names.
    BodyInPlace,
    /// The superblock names an end of file before the device has that length.
    EndBeforeLength,
    /// Step 1b is left out.
    FarFlipBeforeEnd,
    /// Step 3a comes after step 3.
    EarlyFlipsLast,
    /// The closing commit names managers that list what it frees, in whatever order its flips are.
    ListedAtOnce,
    /// The flips are written in the order of their addresses, whatever the links ask for.
    LinksInAnyOrder,
    /// No object counts more links while links to it move.
    CountsNotRaised,
    /// No flip record is written in a file of another writer.
    NoTailRecord,
    /// Strings that are not committed are written into the chunk that the committed state names.
    TailInPlace,
    /// The first change of a session leaves what a death left beyond the extents.
    TailsNotCleaned,
    /// Automatic commits are flushes, also once the user has asked for a sync.
    FlushesAfterSync,
    /// A panic that cut a change short stops nothing.
    CommitAfterPanic,
    /// A cell of version 2 takes the place of any header of version 1, also over the edge of a sector.
    StraddlingCell,
}

std::thread_local! {
    static ON: Cell<Option<Mutant>> = const { Cell::new(None) };
}

pub(crate) fn is(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// Runs `run` with the break in place.
pub(crate) fn with<T>(mutant: Mutant, run: impl FnOnce() -> T) -> T {
    ON.set(Some(mutant));
    let result = run();
    ON.set(None);
    result
}

impl Store {
    pub(super) fn name_end_of_file_early(&mut self) -> Result<()> {
        if is(Mutant::EndBeforeLength) && self.created {
            let mut superblock = self.superblock.clone();
            superblock.end_of_file = superblock.base + self.space.end();
            return self.write_device(superblock.base, &superblock.encode());
        }
        Ok(())
    }
}
