//! Adding and removing records.

use super::node::{Node, Slot, merge, move_left, move_right, split};
use super::{BTree, Core, Gap, Probe, Seek};
use crate::error::{Error, Result};
use crate::format::btree_v2::NODE;
use crate::store::Store;
use alloc::vec::Vec;

enum Inserted {
    /// A new record; whether it is the last of the tree.
    New { appended: bool },
    /// In the place of an equal one that differed from it.
    Replaced(Vec<u8>),
    /// The very same bytes were there.
    Same(Vec<u8>),
}

impl BTree {
    /// Adds `record`, to which `probe` compares others; an equal record is replaced and returned.
    pub(crate) fn insert(
        &mut self,
        store: &mut Store,
        record: &[u8],
        mut probe: Probe<'_>,
    ) -> Result<Option<Vec<u8>>> {
        self.insert_at(store, record, Seek::Probe(&mut probe))
    }

    /// As [`insert`](Self::insert), of a record that a search has missed in `gap`, where that still is one.
    pub(crate) fn insert_in(
        &mut self,
        store: &mut Store,
        gap: Option<Gap>,
        record: &[u8],
        probe: Probe<'_>,
    ) -> Result<Option<Vec<u8>>> {
        match gap == Some(self.gap()) {
            true => self.insert_at(store, record, Seek::Gap(0)),
            false => self.insert(store, record, probe),
        }
    }

    /// Adds `record` behind all others.
    pub(super) fn push(&mut self, store: &mut Store, record: &[u8]) -> Result<()> {
        self.insert_at(store, record, Seek::End).map(|_| ())
    }

    fn insert_at(
        &mut self,
        store: &mut Store,
        record: &[u8],
        mut seek: Seek<'_, '_>,
    ) -> Result<Option<Vec<u8>>> {
        if record.len() != self.core.record_size() {
            return Err(Error::corrupt(NODE, "a record of another size"));
        }
        self.core.tick += 1;
        self.make_room(store)?;
        let core = &mut self.core;
        let Some(root) = &mut self.root else {
            core.geometry.grow(0, store.widths())?;
            let node = core.new_node(record.to_vec(), Vec::new());
            self.root = Some(Slot::fresh(node, record.len()));
            self.dirty = true;
            return Ok(None);
        };
        if root.records >= usize::from(core.geometry.level(self.depth)?.full) {
            // Prepares for a split of the root, so that nothing fails half way.
            core.geometry.grow(self.depth + 1, store.widths())?;
        }
        match core.insert(store, root, self.depth, record, &mut seek, true)? {
            Inserted::Same(old) => Ok(Some(old)),
            Inserted::Replaced(old) => {
                self.dirty = true;
                Ok(Some(old))
            }
            Inserted::New { appended } => {
                self.dirty = true;
                self.scattered |= !appended;
                self.split_root(store, appended)?;
                Ok(None)
            }
        }
    }

    fn split_root(&mut self, store: &Store, appended: bool) -> Result<()> {
        let full = usize::from(self.core.geometry.level(self.depth)?.full);
        let size = self.core.record_size();
        if let Some(root) = self.root.take_if(|root| root.records > full) {
            let mut node = self.core.new_node(Vec::new(), Vec::from([root]));
            self.depth += 1;
            let relieved = self.core.relieve(store, &mut node, 0, self.depth, appended);
            self.root = Some(Slot::fresh(node, size));
            relieved?;
        }
        Ok(())
    }

    /// Removes the record that `probe` finds equal, and returns it.
    pub(crate) fn remove(
        &mut self,
        store: &mut Store,
        mut probe: Probe<'_>,
    ) -> Result<Option<Vec<u8>>> {
        self.remove_at(store, Seek::Probe(&mut probe))
    }

    pub(super) fn remove_at(
        &mut self,
        store: &mut Store,
        mut seek: Seek<'_, '_>,
    ) -> Result<Option<Vec<u8>>> {
        self.core.tick += 1;
        self.make_room(store)?;
        let Some(root) = &mut self.root else {
            return Ok(None);
        };
        let removed = self.core.remove(store, root, self.depth, &mut seek)?;
        if removed.is_some() {
            self.dirty = true;
            self.collapse_root();
            self.free_dropped(store);
        }
        Ok(removed)
    }

    /// A root without records gives way to its only child, or to nothing.
    fn collapse_root(&mut self) {
        while let Some(mut root) = self.root.take_if(|root| root.records == 0) {
            let node = self.core.drop_node(&mut root);
            self.root = node.and_then(|mut node| node.children.pop());
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// Brings the nodes on the right edge to their least count, at the cost of their left neighbours.
    pub(super) fn tidy_edge(&mut self, store: &mut Store) -> Result<()> {
        self.core.tick += 1;
        if let Some(root) = &mut self.root
            && !self.core.is_tidy(root, self.depth)
        {
            self.core.tidy(store, root, self.depth)?;
            self.collapse_root();
            self.free_dropped(store);
        }
        Ok(())
    }
}

impl Core {
    fn new_node(&mut self, records: Vec<u8>, children: Vec<Slot>) -> Node {
        self.loaded += 1;
        self.dirty += 1;
        Node {
            records,
            children,
            dirty: true,
            tick: self.tick,
        }
    }

    /// Takes a node out of the tree; its place is freed with the operation.
    fn drop_node(&mut self, slot: &mut Slot) -> Option<Node> {
        if let Some(addr) = slot.addr.take() {
            let extent = self.extent(addr);
            self.freed.push(extent);
        }
        let node = slot.node.take()?;
        self.loaded = self.loaded.saturating_sub(1);
        self.dirty -= usize::from(node.dirty);
        Some(*node)
    }

    /// Inserts below `slot`, which then may hold one record too many. `edge`: it is on the right edge of the tree.
    fn insert(
        &mut self,
        store: &Store,
        slot: &mut Slot,
        depth: u16,
        record: &[u8],
        seek: &mut Seek<'_, '_>,
        edge: bool,
    ) -> Result<Inserted> {
        let node = self.load(store, slot, depth)?;
        let (index, found) = self.locate(store, node, seek)?;
        if found {
            let old = node.replace_record(index, record);
            if old == record {
                return Ok(Inserted::Same(old));
            }
            self.mark(node);
            return Ok(Inserted::Replaced(old));
        }
        let last = index == node.count(record.len());
        let outcome = if depth == 0 {
            node.insert_record(index, record);
            Inserted::New {
                appended: edge && last,
            }
        } else {
            let child = node.child(index)?;
            let outcome = self.insert(store, child, depth - 1, record, seek, edge && last)?;
            if let Inserted::New { appended } = outcome {
                self.relieve(store, node, index, depth, appended)?;
            }
            outcome
        };
        match &outcome {
            Inserted::Same(_) => return Ok(outcome),
            Inserted::Replaced(_) => self.mark(node),
            Inserted::New { .. } => {
                self.mark(node);
                slot.records = node.count(record.len());
                slot.total += 1;
            }
        }
        Ok(outcome)
    }

    /// Where child `index` of `node` (at `depth`) holds too many records, splits it, or fills its left neighbour.
    fn relieve(
        &mut self,
        store: &Store,
        node: &mut Node,
        index: usize,
        depth: u16,
        appended: bool,
    ) -> Result<()> {
        let full = usize::from(self.geometry.level(depth - 1)?.full);
        let child = node.child(index)?;
        let count = child.records;
        if count <= full {
            return Ok(());
        }
        if appended && index > 0 {
            // A neighbour that had to give records to this node gets them back, as many as a split would leave it.
            let left = node.child(index - 1)?;
            let room = full.saturating_sub(left.records);
            if room > full / 8 + 1 && self.load(store, left, depth - 1).is_ok() {
                return self.shift(node, index - 1, full - 1);
            }
        }
        let size = self.record_size();
        let at = if appended { count - 2 } else { count / 2 };
        let child = node.child(index)?;
        let left = child.loaded()?;
        let (separator, right) = split(left, at, size);
        self.mark(left);
        child.recount(size);
        self.loaded += 1;
        self.dirty += 1;
        node.insert_record(index, &separator);
        node.children.insert(index + 1, Slot::fresh(right, size));
        Ok(())
    }

    /// Moves records between the children `left` and `left + 1` of `node` until the former has `goal`; both are loaded.
    fn shift(&mut self, node: &mut Node, left: usize, goal: usize) -> Result<()> {
        let size = self.record_size();
        let (a, b, separator) = node.pair(left, size)?;
        let (left, right) = (a.loaded()?, b.loaded()?);
        let count = left.count(size);
        if goal > count {
            move_left(left, separator, right, goal - count);
        } else if goal < count {
            move_right(left, separator, right, count - goal);
        }
        self.mark(left);
        self.mark(right);
        a.recount(size);
        b.recount(size);
        Ok(())
    }

    fn remove(
        &mut self,
        store: &Store,
        slot: &mut Slot,
        depth: u16,
        seek: &mut Seek<'_, '_>,
    ) -> Result<Option<Vec<u8>>> {
        let size = self.record_size();
        let node = self.load(store, slot, depth)?;
        let (index, found) = self.locate(store, node, seek)?;
        let removed = if depth == 0 {
            if !found {
                return Ok(None);
            }
            node.remove_record(index, size)
        } else {
            self.load_neighbour(store, node, index, depth)?;
            let child = node.child(index)?;
            let mut last = Seek::Last;
            let seek = if found { &mut last } else { seek };
            let removed = self.remove(store, child, depth - 1, seek)?;
            let removed = match (removed, found) {
                (Some(removed), false) => removed,
                (None, false) => return Ok(None),
                // The record before takes the place of the one to be removed.
                (Some(before), true) => node.replace_record(index, &before),
                (None, true) => return Err(Error::corrupt(NODE, "a leaf without records")),
            };
            self.refill(node, index, depth)?;
            removed
        };
        self.mark(node);
        slot.records = node.count(size);
        slot.total -= 1;
        Ok(Some(removed))
    }

    /// Loads what [`refill`](Self::refill) needs, should child `index` lose a record.
    fn load_neighbour(
        &mut self,
        store: &Store,
        node: &mut Node,
        index: usize,
        depth: u16,
    ) -> Result<()> {
        let least = usize::from(self.geometry.level(depth - 1)?.least);
        if node.child(index)?.records <= least {
            let neighbour = node.child(if index > 0 { index - 1 } else { 1 })?;
            self.load(store, neighbour, depth - 1)?;
        }
        Ok(())
    }

    /// Where child `index` of `node` (at `depth`) holds too few records, merges it with its neighbour, or shares
    /// their records. The neighbour is loaded. `node` may end with too few records itself.
    fn refill(&mut self, node: &mut Node, index: usize, depth: u16) -> Result<()> {
        let level = *self.geometry.level(depth - 1)?;
        if node.child(index)?.records >= usize::from(level.least) {
            return Ok(());
        }
        let size = self.record_size();
        let left = index.saturating_sub(1);
        let (a, b, separator) = node.pair(left, size)?;
        let together = a.records + b.records;
        if together + 1 > usize::from(level.full) {
            return self.shift(node, left, together - together / 2);
        }
        let separator = separator.to_vec();
        b.loaded()?;
        if let Some(mut right) = self.drop_node(b) {
            let left = a.loaded()?;
            merge(left, &separator, &mut right);
            self.mark(left);
        }
        a.recount(size);
        node.remove_record(left, size);
        node.children.remove(left + 1);
        Ok(())
    }

    /// Whether the nodes on the right edge below `slot`, as far as they are in memory, have their least count.
    fn is_tidy(&self, slot: &Slot, depth: u16) -> bool {
        let last = slot.node.as_ref().and_then(|node| node.children.last());
        let Some((child, below)) = last.zip(depth.checked_sub(1)) else {
            return true;
        };
        let least = self.geometry.level(below).map_or(0, |level| level.least);
        child.records >= usize::from(least) && self.is_tidy(child, below)
    }

    /// As [`BTree::tidy_edge`], below `slot`. Nodes that are written before the caller asks are as they are in memory, so
    /// an unchanged one may be untidy, too.
    fn tidy(&mut self, store: &Store, slot: &mut Slot, depth: u16) -> Result<()> {
        let untidy = !self.is_tidy(slot, depth);
        let Some(node) = slot.node.as_deref_mut().filter(|_| untidy) else {
            return Ok(());
        };
        self.mark(node);
        let last = node.children.len().saturating_sub(1);
        self.load_neighbour(store, node, last, depth)?;
        self.load(store, node.child(last)?, depth - 1)?;
        self.tidy(store, node.child(last)?, depth - 1)?;
        self.refill(node, last, depth)?;
        slot.recount(self.record_size());
        Ok(())
    }
}

impl Node {
    fn child(&mut self, index: usize) -> Result<&mut Slot> {
        self.children
            .get_mut(index)
            .ok_or_else(|| Error::corrupt(NODE, "a child is missing"))
    }

    /// The children `left` and `left + 1`, and the record between them.
    fn pair(&mut self, left: usize, size: usize) -> Result<(&mut Slot, &mut Slot, &mut [u8])> {
        let separator = self.records.get_mut(left * size..(left + 1) * size);
        match (self.children.get_mut(left..left + 2), separator) {
            (Some([a, b]), Some(separator)) => Ok((a, b, separator)),
            _ => Err(Error::corrupt(NODE, "a child is missing")),
        }
    }
}

impl Slot {
    fn loaded(&mut self) -> Result<&mut Node> {
        self.node
            .as_deref_mut()
            .ok_or_else(|| Error::corrupt(NODE, "was not loaded"))
    }
}
