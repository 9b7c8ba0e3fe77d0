//! What leaves memory before the commit, so that a file of many objects takes no more of it than one of few.

use super::Engine;
use crate::bytes::Addr;
use crate::error::Result;
use alloc::vec::Vec;

/// More new datasets than this are not kept in memory until the commit. The tests of the library make it happen often.
pub(super) const MAX_NEW: usize = if cfg!(test) { 3 } else { 512 };

/// So often new datasets leave memory before it is looked how much the groups' indexes take.
const BATCHES: usize = if cfg!(test) { 2 } else { 32 };

/// What of the indexes of groups has changed is written before the commit where it is more bytes than this.
const MAX_CHANGED_NODES: usize = if cfg!(test) { 2 << 10 } else { 4 << 20 };

/// The datasets that are in memory and not in the file yet.
#[derive(Debug, Default)]
pub(super) struct NewDatasets {
    /// Some of them may be gone.
    addresses: Vec<Addr>,
    /// How often such datasets have left memory.
    batches: usize,
}

impl NewDatasets {
    pub(super) fn committed(&mut self) {
        self.addresses.clear();
    }

    /// Adds one; returns those before it where they are many.
    fn add(&mut self, newest: Addr) -> Vec<Addr> {
        let older = match self.addresses.len() < MAX_NEW {
            true => Vec::new(),
            false => core::mem::take(&mut self.addresses),
        };
        self.addresses.push(newest);
        self.batches += usize::from(!older.is_empty());
        older
    }
}

impl Engine {
    /// Where there are many new datasets, hands them to the store and forgets them, all but the newest: nothing committed
    /// names them, so they may be written at any time, and what changes later in one of them is staged anew.
    pub(crate) fn write_new_datasets(&mut self, newest: Addr) -> Result<()> {
        let mut older = self.new_datasets.add(newest);
        if older.is_empty() {
            return Ok(());
        }
        older.sort_unstable();
        older.retain(|addr| *addr != newest && self.dirty.contains(addr));
        for addr in older {
            let Some(object) = self.objects.get_mut(&addr) else {
                continue;
            };
            let Some(dataset) = object.dataset.as_ref().filter(|_| object.header.is_new()) else {
                continue;
            };
            if dataset.mappings_at().is_some() {
                // They are read again with the dataset.
                self.heap.seal(&mut self.store)?;
            }
            object.stage_parts(&mut self.store, false)?;
            object.header.stage(&mut self.store, false)?;
            self.objects.remove(&addr);
            self.dirty.remove(&addr);
            self.count_waiting(addr);
        }
        match self.new_datasets.batches.is_multiple_of(BATCHES) {
            true => self.write_changed_nodes(),
            false => Ok(()),
        }
    }

    /// Hands changed nodes of the groups' indexes to the store and forgets them, where they are many. The index that has
    /// most of them keeps them: it has a limit of its own, and what is made next is probably in its group.
    fn write_changed_nodes(&mut self) -> Result<()> {
        let Self { objects, store, .. } = self;
        let changed = |addr: &Addr| {
            let links = objects.get(addr)?.links.as_ref()?;
            Some((links.changed_bytes(), *addr))
        };
        let mut groups: Vec<(usize, Addr)> = self.dirty.iter().filter_map(changed).collect();
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
