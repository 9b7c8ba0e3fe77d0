//! What leaves memory before the commit, so that a file of many objects takes no more of it than one of few.

use super::Engine;
use crate::bytes::Addr;
use crate::error::Result;
use alloc::vec::Vec;
use hashbrown::HashSet;

/// More new datasets than this are not kept in memory until the commit. The tests of the library make it happen often.
pub(super) const MAX_NEW: usize = if cfg!(test) { 3 } else { 512 };

/// Nor more new groups than this, but for those that links come to meanwhile.
const MAX_NEW_GROUPS: usize = if cfg!(test) { 5 } else { 64 };

/// So often new datasets leave memory before it is looked how much the groups' indexes take.
const BATCHES: usize = if cfg!(test) { 2 } else { 32 };

/// What of the indexes of groups has changed is written before the commit where it is more bytes than this.
const MAX_CHANGED_NODES: usize = if cfg!(test) { 2 << 10 } else { 4 << 20 };

/// The objects that are in memory and not in the file yet, each of which leaves memory once before the commit. Some of them
/// may be gone.
#[derive(Debug, Default)]
pub(in crate::object) struct NewObjects {
    datasets: Vec<Addr>,
    /// How often datasets have left memory.
    batches: usize,
    groups: Vec<Addr>,
    /// From so many groups on it is looked which of them may leave memory.
    most_groups: usize,
    /// The groups that links have come to since then.
    grown: HashSet<Addr>,
    last_grown: Option<Addr>,
}

impl NewObjects {
    pub(super) fn committed(&mut self) {
        *self = Self {
            batches: self.batches,
            ..Self::default()
        };
    }

    /// Adds a dataset; returns those before it where they are many.
    fn add_dataset(&mut self, newest: Addr) -> Vec<Addr> {
        let older = match self.datasets.len() < MAX_NEW {
            true => Vec::new(),
            false => core::mem::take(&mut self.datasets),
        };
        self.datasets.push(newest);
        self.batches += usize::from(!older.is_empty());
        older
    }

    /// Adds a group; returns those that no link has come to for a while, where there are many.
    fn add_group(&mut self, newest: Addr) -> Vec<Addr> {
        self.groups.push(newest);
        if self.groups.len() <= self.most_groups.max(MAX_NEW_GROUPS) {
            return Vec::new();
        }
        let in_use = |addr: &Addr| *addr == newest || self.grown.contains(addr);
        let (kept, idle) = core::mem::take(&mut self.groups)
            .into_iter()
            .partition(in_use);
        self.groups = kept;
        // So that to look costs no more than the groups that came meanwhile.
        self.most_groups = 2 * self.groups.len();
        self.grown.clear();
        self.last_grown = None;
        idle
    }

    /// A link has come to the group.
    pub(in crate::object) fn note_grown(&mut self, group: Addr) {
        if self.last_grown != Some(group) {
            self.last_grown = Some(group);
            self.grown.insert(group);
        }
    }
}

impl Engine {
    /// Takes note of a new dataset that the file will hold with the next commit. Where there are many of them, hands those
    /// before it to the store and forgets them: nothing committed names them, so they may be written at any time, and what
    /// changes later in one of them is staged anew.
    pub(crate) fn note_new_dataset(&mut self, newest: Addr) -> Result<()> {
        let mut older = self.new_objects.add_dataset(newest);
        if older.is_empty() {
            return Ok(());
        }
        older.retain(|addr| *addr != newest);
        self.write_new(older)?;
        match self.new_objects.batches.is_multiple_of(BATCHES) {
            true => self.write_changed_nodes(),
            false => Ok(()),
        }
    }

    /// As [`note_new_dataset`](Self::note_new_dataset), of a group.
    pub(crate) fn note_new_group(&mut self, newest: Addr) -> Result<()> {
        let idle = self.new_objects.add_group(newest);
        self.write_new(idle)
    }

    fn write_new(&mut self, mut addresses: Vec<Addr>) -> Result<()> {
        addresses.sort_unstable();
        addresses.retain(|addr| self.objects.is_changed(addr));
        for addr in addresses {
            let Some(object) = self.objects.get_mut(&addr) else {
                continue;
            };
            // What has its place in the room of another must find the rest of it after the next commit, too.
            let room_is_kept = object.header.room.is_empty() || self.store.stamped();
            if !object.header.is_new() || !room_is_kept {
                continue;
            }
            if let Some(dataset) = &object.dataset
                && dataset.mappings_at().is_some()
            {
                // They are read again with the dataset.
                self.heap.seal(&mut self.store)?;
            }
            object.stage_parts(&mut self.store, false)?;
            object.header.stage(&mut self.store, false)?;
            self.objects.retire(&addr);
            self.count_waiting(addr);
        }
        Ok(())
    }

    /// Hands changed nodes of the groups' indexes to the store and forgets them, where they are many. The index that has
    /// most of them keeps them: it has a limit of its own, and what is made next is probably in its group.
    fn write_changed_nodes(&mut self) -> Result<()> {
        let Self { objects, store, .. } = self;
        let changed = |addr: &Addr| {
            let links = objects.get(addr)?.links.as_ref()?;
            Some((links.changed_bytes(), *addr))
        };
        let mut groups: Vec<(usize, Addr)> = objects.changed().iter().filter_map(changed).collect();
        groups.sort_unstable();
        groups.pop();
        if groups.iter().map(|(bytes, _)| bytes).sum::<usize>() <= MAX_CHANGED_NODES {
            return Ok(());
        }
        groups.sort_unstable_by_key(|(_, addr)| *addr);
        for (_, addr) in &groups {
            let object = objects.get_mut(addr);
            if let Some(links) = object.and_then(|object| object.links.as_mut()) {
                links.write_nodes(store)?;
            }
        }
        Ok(())
    }
}
