//! What visits a whole tree: its entries, its blocks, bulk removal, and the parting of siblings.

use super::{BTree, Core, DIRTY_LIMIT, Node, Slot};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::btree_v1::{NODE, compare};
use crate::store::Store;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// What bounds a walk: no more nodes than the file has room for, and keys that ascend, so that none comes twice.
struct Walk {
    nodes_left: u64,
    last: Option<Vec<u8>>,
}

impl Walk {
    fn new(store: &Store, core: &Core) -> Self {
        Self {
            nodes_left: store.end() / core.node_size() + core.dirty as u64,
            last: None,
        }
    }

    fn enter(&mut self) -> Result<()> {
        let left = self.nodes_left.checked_sub(1);
        self.nodes_left =
            left.ok_or_else(|| Error::corrupt(NODE, "more nodes than the file has room for"))?;
        Ok(())
    }

    fn pass(&mut self, key: &[u8]) -> Result<()> {
        match &mut self.last {
            Some(last) if compare(last, key) != Ordering::Less => {
                return Err(Error::corrupt(NODE, "the keys of the tree do not ascend"));
            }
            Some(last) => last.copy_from_slice(key),
            None => self.last = Some(key.to_vec()),
        }
        Ok(())
    }
}

type Visit<'a> = &'a mut dyn FnMut(&[u8], Addr) -> Result<()>;

impl BTree {
    /// Visits the entries in order; nodes that were not in memory are not kept.
    pub(crate) fn for_each(&self, store: &Store, visit: Visit<'_>) -> Result<()> {
        match &self.root {
            Some(root) => {
                let mut walk = Walk::new(store, &self.core);
                self.core.visit(store, root, self.level, &mut walk, visit)
            }
            None => Ok(()),
        }
    }

    /// Visits every extent the tree occupies, as far as it is staged. Leaves are not read.
    pub(crate) fn blocks(
        &self,
        store: &Store,
        visit: &mut dyn FnMut(Extent) -> Result<()>,
    ) -> Result<()> {
        match &self.root {
            Some(root) => {
                let mut walk = Walk::new(store, &self.core);
                self.core.blocks(store, root, self.level, &mut walk, visit)
            }
            None => Ok(()),
        }
    }

    /// Gives back everything the tree occupies and leaves it without a place.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        let mut extents = Vec::new();
        self.blocks(store, &mut |extent| {
            extents.push(extent);
            Ok(())
        })?;
        for extent in extents {
            store.free(extent);
        }
        let greatest = core::mem::take(&mut self.core.greatest);
        *self = Self::new(self.core.shape, greatest, self.core.widths)?;
        Ok(())
    }

    /// Removes every entry that `keep` refuses and tells `removed` of it. Every node is read before anything changes.
    pub(crate) fn retain(
        &mut self,
        store: &mut Store,
        keep: &mut dyn FnMut(&[u8]) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8], Addr),
    ) -> Result<()> {
        let mut doomed = false;
        self.for_each(store, &mut |key, _| {
            doomed |= !keep(key);
            Ok(())
        })?;
        let Some(root) = self.root.as_mut().filter(|_| doomed) else {
            return Ok(());
        };
        self.core.retain(store, root, self.level, keep, removed)?;
        self.collapse_root()?;
        self.free_dropped(store);
        Ok(())
    }

    /// A root with one child gives way to it, one with none to an empty leaf.
    fn collapse_root(&mut self) -> Result<()> {
        while self.level > 0
            && let Some(root) = &mut self.root
            && let Some(node) = &root.node
            && node.children.len() < 2
        {
            let node = self.core.drop_node(root);
            let child = node.and_then(|mut node| node.children.pop());
            self.level = if child.is_some() { self.level - 1 } else { 0 };
            *root = match child {
                Some(child) => child,
                None => Slot::fresh(self.core.new_node(Vec::new(), Vec::new())),
            };
        }
        Ok(())
    }
}

impl Core {
    /// Calls `visit` with the node of a slot, which is not kept if it was not in memory.
    fn with<T>(
        &self,
        store: &Store,
        slot: &Slot,
        level: u8,
        visit: impl FnOnce(&Node) -> Result<T>,
    ) -> Result<T> {
        match &slot.node {
            Some(node) => visit(node),
            None => visit(&self.read_below(store, slot.place()?, level)?),
        }
    }

    fn visit(
        &self,
        store: &Store,
        slot: &Slot,
        level: u8,
        walk: &mut Walk,
        visit: Visit<'_>,
    ) -> Result<()> {
        walk.enter()?;
        self.with(store, slot, level, |node| {
            let keys = node.keys.chunks_exact(self.shape.key_size());
            for (key, child) in keys.zip(&node.children) {
                if level > 0 {
                    self.visit(store, child, level - 1, walk, visit)?;
                } else {
                    walk.pass(key)?;
                    visit(key, child.place()?)?;
                }
            }
            Ok(())
        })
    }

    fn blocks(
        &self,
        store: &Store,
        slot: &Slot,
        level: u8,
        walk: &mut Walk,
        visit: &mut dyn FnMut(Extent) -> Result<()>,
    ) -> Result<()> {
        walk.enter()?;
        if let Some(addr) = slot.addr {
            visit(self.extent(addr))?;
        }
        if level == 0 {
            return Ok(());
        }
        self.with(store, slot, level, |node| {
            let mut children = node.children.iter();
            children.try_for_each(|child| self.blocks(store, child, level - 1, walk, visit))
        })
    }

    /// Returns whether anything changed; the node is then in memory, and may be left without children.
    fn retain(
        &mut self,
        store: &mut Store,
        slot: &mut Slot,
        level: u8,
        keep: &mut dyn FnMut(&[u8]) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8], Addr),
    ) -> Result<bool> {
        let was_loaded = slot.node.is_some();
        let node = self.load(store, slot, level)?;
        let changed = if level == 0 {
            self.retain_chunks(store, node, keep, removed)?
        } else {
            self.retain_below(store, node, level, keep, removed)?
        };
        if changed {
            self.mark(node);
        } else if !was_loaded {
            self.unload(slot);
        }
        Ok(changed)
    }

    fn retain_chunks(
        &self,
        store: &mut Store,
        node: &mut Node,
        keep: &mut dyn FnMut(&[u8]) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8], Addr),
    ) -> Result<bool> {
        let size = self.shape.key_size();
        let before = node.children.len();
        let keys = core::mem::take(&mut node.keys);
        let children = core::mem::take(&mut node.children);
        for (key, child) in keys.chunks_exact(size).zip(children) {
            if keep(key) {
                node.keys.extend_from_slice(key);
                node.children.push(child);
            } else {
                removed(store, key, child.place()?);
            }
        }
        Ok(node.children.len() < before)
    }

    fn retain_below(
        &mut self,
        store: &mut Store,
        node: &mut Node,
        level: u8,
        keep: &mut dyn FnMut(&[u8]) -> bool,
        removed: &mut dyn FnMut(&mut Store, &[u8], Addr),
    ) -> Result<bool> {
        let size = self.shape.key_size();
        let (mut index, mut any) = (0, false);
        while index < node.children.len() {
            let child = node.child(index)?;
            if !self.retain(store, child, level - 1, keep, removed)? {
                index += 1;
                continue;
            }
            any = true;
            if child.count() == 0 {
                let mut gone = node.remove(index, size);
                self.drop_node(&mut gone);
                continue;
            }
            let first = self.first_key(child)?;
            node.keys[index * size..(index + 1) * size].copy_from_slice(&first);
            if !self.merge_left(node, index) {
                index += 1;
            }
            if self.dirty > DIRTY_LIMIT {
                let child = node.child(index - 1)?;
                self.stage(store, child, level - 1)?;
                child.evict_all(&mut self.loaded);
            }
        }
        Ok(any)
    }

    /// Where child `index` of `node` and the one before it are in memory and fit into one node, makes them one.
    fn merge_left(&mut self, node: &mut Node, index: usize) -> bool {
        let size = self.shape.key_size();
        let Some([left, right]) = index
            .checked_sub(1)
            .and_then(|left| node.children.get_mut(left..=index))
        else {
            return false;
        };
        let Some(into) = &mut left.node else {
            return false;
        };
        if into.children.len() + right.count() > self.shape.capacity() {
            return false;
        }
        let Some(mut from) = self.drop_node(right) else {
            return false;
        };
        into.keys.append(&mut from.keys);
        into.children.append(&mut from.children);
        self.mark(into);
        node.remove(index, size);
        true
    }

    /// Refuses a tree that cannot be walked.
    pub(super) fn check(&self, store: &Store, slot: &Slot, level: u8) -> Result<()> {
        let mut walk = Walk::new(store, self);
        self.visit(store, slot, level, &mut walk, &mut |_, _| Ok(()))
    }

    /// Stages every node below `slot` that still has siblings as one without. Returns whether the node of `slot` has
    /// moved.
    pub(super) fn unlink(&mut self, store: &mut Store, slot: &mut Slot, level: u8) -> Result<bool> {
        let mut walk = Walk::new(store, self);
        self.unlink_below(store, slot, level, &mut walk)
    }

    fn unlink_below(
        &mut self,
        store: &mut Store,
        slot: &mut Slot,
        level: u8,
        walk: &mut Walk,
    ) -> Result<bool> {
        walk.enter()?;
        let was_loaded = slot.node.is_some();
        let node = self.load(store, slot, level)?;
        let mut moved = node.linked || node.dirty;
        if level > 0 {
            for child in &mut node.children {
                moved |= self.unlink_below(store, child, level - 1, walk)?;
            }
        }
        if moved {
            self.mark(node);
            self.stage(store, slot, level)?;
        }
        if !was_loaded {
            self.unload(slot);
        }
        Ok(moved)
    }
}

impl Slot {
    /// The children of a node in memory.
    fn count(&self) -> usize {
        self.node.as_ref().map_or(0, |node| node.children.len())
    }

    /// Forgets the node, which is staged, and all below it.
    fn evict_all(&mut self, loaded: &mut usize) {
        if let Some(node) = self.node.take_if(|node| !node.dirty) {
            *loaded = loaded.saturating_sub(1);
            for mut child in node.children {
                child.evict_all(loaded);
            }
        }
    }
}
