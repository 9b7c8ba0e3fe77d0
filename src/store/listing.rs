//! Free space as the managers list it that libhdf5 keeps in a file: what one of them says is taken over, and what is free
//! here is put into lists.
//!
//! There is a manager of what held metadata and one of what held raw data; libhdf5 looks for either in its own only. Files of
//! pages are not for this: their managers stay as they are (spec-notes/opening.md).

use super::pages::{Class, Freed};
use super::space::{Runs, Space};
use super::stage::Store;
use crate::bytes::Extent;
use alloc::vec::Vec;

impl Space {
    /// What will be free once the commit in the making is done, and whether the end of the file could move then.
    fn list(&self) -> (Vec<(Extent, Class)>, bool) {
        let mut after = self.clone();
        for (extent, freed) in core::mem::take(&mut after.pending) {
            after.add_free(extent, freed);
        }
        let mut listed = Vec::new();
        if let Some(raw) = &after.raw {
            let mut rest = after.free.clone();
            for run in raw.iter() {
                rest.cut(run);
                listed.push((run, Class::Raw));
            }
            listed.extend(rest.iter().map(|run| (run, Class::Metadata)));
        }
        let end = after.end();
        (listed, after.trim() < end)
    }
}

impl Store {
    /// From here on free space is to be put into lists.
    pub(crate) fn begin_lists(&mut self) {
        self.space.raw = Some(Runs::default());
    }

    /// Takes over what a manager lists.
    pub(crate) fn take_over(&mut self, extent: Extent, class: Class) {
        self.space.add_free(extent, Freed::Part(class));
    }

    /// What will be free once the commit in the making is done, and whether the end of the file could move then.
    pub(crate) fn list_free(&self) -> (Vec<(Extent, Class)>, bool) {
        self.space.list()
    }

    /// Takes everything free out of this session's hands, since lists name it now.
    pub(crate) fn withdraw_free(&mut self) {
        self.space.take_all_after_commit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Addr;

    fn at(addr: u64, len: u64) -> Extent {
        Extent::new(Addr::new(addr), len)
    }

    #[test]
    fn what_held_raw_data_is_told_from_the_rest() {
        let mut space = Space::new(1000);
        space.raw = Some(Runs::default());
        space.add_free(at(100, 50), Freed::Part(Class::Raw));
        space.add_free(at(150, 50), Freed::Part(Class::Metadata));
        space.free(at(200, 30), Freed::Block(Class::Raw));
        let listed = |space: &Space| {
            let mut listed = space.list().0;
            listed.sort();
            listed
        };
        let all = [
            (at(100, 50), Class::Raw),
            (at(150, 50), Class::Metadata),
            (at(200, 30), Class::Raw),
        ];
        assert_eq!(listed(&space), all, "also what the next commit frees");
        // It is one run all the same.
        assert_eq!(space.alloc(75, Class::Metadata), at(100, 75));
        assert_eq!(listed(&space), [(at(175, 25), Class::Metadata), all[2]]);
        space.free(at(100, 75), Freed::Anything);
        space.free(at(900, 100), Freed::Part(Class::Raw));
        assert!(space.list().1, "the end can move");
        space.committed();
        assert!(space.list().1);
        space.trim();
        assert_eq!(
            listed(&space),
            [(at(100, 100), Class::Metadata), (at(200, 30), Class::Raw)]
        );
        assert!(!space.list().1);
    }
}
