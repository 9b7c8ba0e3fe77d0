//! The version 1 B-tree over chunks (III.A.1), copy-on-write.
//!
//! Invariants, between the calls of a caller:
//!
//! 1. A node that a committed state reaches is never written again: a changed node is staged in fresh space.
//! 2. Where a node is dirty, so are its ancestors, for they name its place.
//! 3. The key of a child equals the first key of its node.
//! 4. What [`BTree::stage`] writes names no siblings, and no node of the staged tree is named as a sibling by another
//!    that was not so paired by libhdf5: siblings are what would tie all nodes of a level together. libhdf5 follows
//!    them only when it writes, to keep the last key of a node equal to the first of the next; where it cannot, a
//!    chunk it later puts between the two raises the key in the parent, and chunks of the next node are lost to it
//!    (seen with 2.0, shrinking one axis and growing it again). Therefore:
//! 5. The last key of every node staged is the greatest possible: libhdf5 then never has to raise a key.
//! 6. Whatever can fail (reads) comes before the first change.

mod walk;

use super::btree_v2::place;
use crate::bytes::{Addr, Extent, Widths};
use crate::error::{Error, Result};
pub(crate) use crate::format::btree_v1::Shape;
use crate::format::btree_v1::{self as format, NODE, compare};
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The greatest level of a root.
const MAX_LEVEL: u8 = 64;
/// More changed nodes than this are staged before the caller asks, so that memory stays bounded.
const DIRTY_LIMIT: usize = 1024;
/// More nodes than this are not kept in memory.
const LOADED_LIMIT: usize = 4096;

/// A key and the address behind it.
pub(crate) type Entry = (Vec<u8>, Addr);

/// A tree, its nodes as far as they were needed.
#[derive(Debug)]
pub(crate) struct BTree {
    core: Core,
    /// `None`: the tree has no place in the file and needs none.
    root: Option<Slot>,
    /// Of the root.
    level: u8,
}

/// What every node of a tree shares.
#[derive(Debug)]
struct Core {
    shape: Shape,
    widths: Widths,
    /// The last key of every node.
    greatest: Vec<u8>,
    loaded: usize,
    loaded_limit: usize,
    dirty: usize,
    /// The places of nodes that are no more.
    freed: Vec<Extent>,
    /// A node that another names as its sibling has changed or gone.
    unlink: bool,
}

#[derive(Debug)]
struct Node {
    /// One for each child.
    keys: Vec<u8>,
    /// Nodes, or chunks on level 0.
    children: Vec<Slot>,
    /// It has siblings, as it stands in the file.
    linked: bool,
    /// The node differs from what is staged at its address.
    dirty: bool,
}

#[derive(Debug)]
struct Slot {
    /// `None` until the node is staged for the first time.
    addr: Option<Addr>,
    node: Option<Box<Node>>,
}

struct Inserted {
    old: Option<Entry>,
    /// What did not fit, for the place behind the node.
    split: Option<Box<Node>>,
    changed: bool,
}

impl BTree {
    /// An empty tree, nothing of which is in the file. `greatest`: a key behind every other.
    pub(crate) fn new(shape: Shape, greatest: Vec<u8>, widths: Widths) -> Result<Self> {
        shape.check()?;
        Ok(Self {
            core: Core {
                shape,
                widths,
                greatest,
                loaded: 0,
                loaded_limit: LOADED_LIMIT,
                dirty: 0,
                freed: Vec::new(),
                unlink: false,
            },
            root: None,
            level: 0,
        })
    }

    /// Opens the tree whose root is at `root`; nodes are read when they are needed.
    pub(crate) fn open(store: &Store, shape: Shape, greatest: Vec<u8>, root: Addr) -> Result<Self> {
        let mut tree = Self::new(shape, greatest, store.widths())?;
        let (node, level) = tree.core.read(store, root, None)?;
        if level > MAX_LEVEL {
            return Err(
                Error::limit("the level of a B-tree", level.into(), MAX_LEVEL.into())
                    .at(root.get()),
            );
        }
        if level > 0 && node.children.is_empty() {
            return Err(Error::corrupt(NODE, "an empty node above level 0").at(root.get()));
        }
        tree.level = level;
        tree.core.loaded = 1;
        tree.root = Some(Slot {
            addr: Some(root),
            node: Some(Box::new(node)),
        });
        Ok(tree)
    }

    /// The entry whose key has the offsets of `key`.
    pub(crate) fn find(&mut self, store: &Store, key: &[u8]) -> Result<Option<Entry>> {
        if self.core.loaded > self.core.loaded_limit {
            self.evict();
        }
        let (Some(mut slot), mut level) = (self.root.as_mut(), self.level) else {
            return Ok(None);
        };
        let size = self.core.shape.key_size();
        loop {
            let node = self.core.load(store, slot, level)?;
            let Some((index, exact)) = node.route(key) else {
                return Ok(None);
            };
            if level == 0 {
                let entry = (node.key(index, size).to_vec(), node.child(index)?.place()?);
                return Ok(exact.then_some(entry));
            }
            slot = node.child(index)?;
            level -= 1;
        }
    }

    /// Adds an entry; one of the same offsets is replaced and returned.
    pub(crate) fn insert(
        &mut self,
        store: &mut Store,
        key: &[u8],
        chunk: Addr,
    ) -> Result<Option<Entry>> {
        if key.len() != self.core.shape.key_size() {
            return Err(Error::corrupt(NODE, "a key of another size"));
        }
        if compare(key, &self.core.greatest) != Ordering::Less {
            let last = format::offsets(&self.core.greatest).next();
            return Err(Error::limit(
                "the offset of a chunk",
                format::offsets(key).next().unwrap_or_default(),
                last.unwrap_or_default(),
            ));
        }
        self.make_room(store)?;
        if self.level >= MAX_LEVEL {
            let (level, max) = (u64::from(self.level) + 1, MAX_LEVEL.into());
            return Err(Error::limit("the level of a B-tree", level, max));
        }
        let (core, level) = (&mut self.core, self.level);
        if self.root.is_none() {
            let node = core.new_node(Vec::new(), Vec::new());
            self.root = Some(Slot::fresh(node));
        }
        let Some(root) = &mut self.root else {
            return Ok(None);
        };
        let inserted = core.insert(store, root, level, key, chunk, true)?;
        if let Some(right) = inserted.split {
            let mut keys = core.first_key(root)?;
            keys.extend_from_slice(&right.keys[..core.shape.key_size()]);
            let left = Slot {
                addr: root.addr.take(),
                node: root.node.take(),
            };
            *root = Slot::fresh(core.new_node(keys, Vec::from([left, Slot::fresh(right)])));
            self.level += 1;
        }
        Ok(inserted.old)
    }

    /// Stages every changed node in fresh space, frees what they replace, and returns where the root is.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<Option<Addr>> {
        let Some(root) = &mut self.root else {
            return Ok(None);
        };
        if self.core.unlink {
            self.core.check(store, root, self.level)?;
            self.core.unlink(store, root, self.level)?;
            self.core.unlink = false;
        }
        self.core.stage(store, root, self.level)?;
        root.place().map(Some)
    }

    /// Keeps memory bounded.
    fn make_room(&mut self, store: &mut Store) -> Result<()> {
        if self.core.dirty > DIRTY_LIMIT
            && let Some(root) = &mut self.root
        {
            self.core.stage(store, root, self.level)?;
            self.evict();
        } else if self.core.loaded > self.core.loaded_limit {
            self.evict();
        }
        Ok(())
    }

    /// Forgets unchanged nodes, except those on the right edge.
    pub(crate) fn evict(&mut self) {
        let mut kept = 0;
        if let Some(root) = &mut self.root {
            root.evict(self.level, true, &mut kept);
        }
        self.core.loaded = kept;
        self.core.loaded_limit = LOADED_LIMIT.max(2 * kept);
    }

    fn free_dropped(&mut self, store: &mut Store) {
        for extent in self.core.freed.drain(..) {
            store.free(extent);
        }
    }
}

impl Core {
    fn node_size(&self) -> u64 {
        self.shape.node_size(self.widths)
    }

    fn extent(&self, addr: Addr) -> Extent {
        Extent::new(addr, self.node_size())
    }

    fn read(&self, store: &Store, addr: Addr, level: Option<u8>) -> Result<(Node, u8)> {
        let bytes = store.read(self.extent(addr), NODE)?;
        let decoded = format::Node::decode(&bytes, self.shape, level, self.widths, addr.get())?;
        let mut keys = decoded.keys;
        keys.truncate(decoded.children.len() * self.shape.key_size());
        let node = Node {
            keys,
            children: decoded.children.into_iter().map(Slot::at).collect(),
            linked: decoded.left.is_some() || decoded.right.is_some(),
            dirty: false,
        };
        Ok((node, decoded.level))
    }

    /// A node that is not the root, which alone may be empty.
    fn read_below(&self, store: &Store, addr: Addr, level: u8) -> Result<Node> {
        let (node, _) = self.read(store, addr, Some(level))?;
        match node.children.is_empty() {
            true => Err(Error::corrupt(NODE, "an empty node below the root").at(addr.get())),
            false => Ok(node),
        }
    }

    /// The node of a slot, read if need be.
    fn load<'s>(&mut self, store: &Store, slot: &'s mut Slot, level: u8) -> Result<&'s mut Node> {
        let node = match slot.node.take() {
            Some(node) => node,
            None => {
                let node = Box::new(self.read_below(store, slot.place()?, level)?);
                self.loaded += 1;
                node
            }
        };
        Ok(slot.node.insert(node))
    }

    fn new_node(&mut self, keys: Vec<u8>, children: Vec<Slot>) -> Box<Node> {
        self.loaded += 1;
        self.dirty += 1;
        Box::new(Node {
            keys,
            children,
            linked: false,
            dirty: true,
        })
    }

    fn mark(&mut self, node: &mut Node) {
        self.unlink |= core::mem::take(&mut node.linked);
        if !node.dirty {
            node.dirty = true;
            self.dirty += 1;
        }
    }

    /// Takes a node out of the tree; its place is freed with the operation.
    fn drop_node(&mut self, slot: &mut Slot) -> Option<Box<Node>> {
        if let Some(addr) = slot.addr.take() {
            let extent = self.extent(addr);
            self.freed.push(extent);
        }
        let node = slot.node.take()?;
        self.unlink |= node.linked;
        self.loaded = self.loaded.saturating_sub(1);
        self.dirty -= usize::from(node.dirty);
        Some(node)
    }

    /// Forgets a node that is as it stands in the file.
    fn unload(&mut self, slot: &mut Slot) {
        if slot.node.take_if(|node| !node.dirty).is_some() {
            self.loaded = self.loaded.saturating_sub(1);
        }
    }

    fn first_key(&self, slot: &Slot) -> Result<Vec<u8>> {
        let size = self.shape.key_size();
        let key = slot.node.as_ref().and_then(|node| node.keys.get(..size));
        key.map(<[u8]>::to_vec)
            .ok_or_else(|| Error::corrupt(NODE, "has no first key"))
    }

    /// Inserts below `slot`. `edge`: it is on the right edge of the tree.
    fn insert(
        &mut self,
        store: &Store,
        slot: &mut Slot,
        level: u8,
        key: &[u8],
        chunk: Addr,
        edge: bool,
    ) -> Result<Inserted> {
        let size = self.shape.key_size();
        let node = self.load(store, slot, level)?;
        let found = node.route(key);
        if level > 0 {
            let index = found.map_or(0, |(index, _)| index);
            let last = index + 1 == node.children.len();
            let child = node.child(index)?;
            let mut inserted = self.insert(store, child, level - 1, key, chunk, edge && last)?;
            if inserted.changed {
                let first = self.first_key(node.child(index)?)?;
                node.keys[index * size..(index + 1) * size].copy_from_slice(&first);
                self.mark(node);
            }
            if let Some(right) = inserted.split.take() {
                let first = right.keys[..size].to_vec();
                inserted.split = self.add(node, index + 1, &first, Slot::fresh(right), edge);
            }
            return Ok(inserted);
        }
        let mut inserted = Inserted {
            old: None,
            split: None,
            changed: true,
        };
        match found {
            Some((index, true)) => {
                let old = node.key(index, size).to_vec();
                let addr = core::mem::replace(node.child(index)?, Slot::at(chunk)).place()?;
                inserted.changed = old != key || addr != chunk;
                inserted.old = Some((old, addr));
                if inserted.changed {
                    node.keys[index * size..(index + 1) * size].copy_from_slice(key);
                    self.mark(node);
                }
            }
            _ => {
                let index = found.map_or(0, |(index, _)| index + 1);
                inserted.split = self.add(node, index, key, Slot::at(chunk), edge);
            }
        }
        Ok(inserted)
    }

    /// Adds a child; where there is no room for it, the node is split and the right part returned.
    fn add(
        &mut self,
        node: &mut Node,
        index: usize,
        key: &[u8],
        child: Slot,
        edge: bool,
    ) -> Option<Box<Node>> {
        self.mark(node);
        let count = node.children.len();
        if count < self.shape.capacity() {
            node.insert(index, key, child);
            return None;
        }
        // Appending leaves full nodes behind.
        let at = if edge && index == count {
            count
        } else {
            count.div_ceil(2)
        };
        let keys = node.keys.split_off(at * key.len());
        let mut right = self.new_node(keys, node.children.split_off(at));
        if index > at || at == count {
            right.insert(index - at, key, child);
        } else {
            node.insert(index, key, child);
        }
        Some(right)
    }

    /// Stages the changed nodes from `slot` down, children first.
    fn stage(&mut self, store: &mut Store, slot: &mut Slot, level: u8) -> Result<()> {
        let Some(node) = slot.node.as_deref_mut().filter(|node| node.dirty) else {
            return Ok(());
        };
        if level > 0 {
            for child in &mut node.children {
                self.stage(store, child, level - 1)?;
            }
        }
        let bytes = self.encode(node, level)?;
        let (addr, replaced) = place(store, slot.addr, self.node_size())?;
        store.stage(addr, bytes)?;
        if let Some(replaced) = replaced {
            store.free(replaced);
        }
        slot.addr = Some(addr);
        node.dirty = false;
        self.dirty -= 1;
        Ok(())
    }

    fn encode(&self, node: &Node, level: u8) -> Result<Vec<u8>> {
        let mut keys = node.keys.clone();
        if let Some(last) = keys.len().checked_sub(self.shape.key_size()) {
            if compare(&keys[last..], &self.greatest) != Ordering::Less {
                return Err(Error::unsupported("editing a chunk at an offset of 2^63"));
            }
            keys.extend_from_slice(&self.greatest);
        }
        let node = format::Node {
            level,
            left: None,
            right: None,
            keys,
            children: node
                .children
                .iter()
                .map(Slot::place)
                .collect::<Result<_>>()?,
        };
        Ok(node.encode(self.shape, self.widths))
    }
}

impl Node {
    fn key(&self, index: usize, size: usize) -> &[u8] {
        &self.keys[index * size..(index + 1) * size]
    }

    fn child(&mut self, index: usize) -> Result<&mut Slot> {
        self.children
            .get_mut(index)
            .ok_or_else(|| Error::corrupt(NODE, "a child is missing"))
    }

    /// The last child whose key is not behind `key`, and whether the two are equal.
    fn route(&self, key: &[u8]) -> Option<(usize, bool)> {
        let order = |index: usize| compare(key, self.key(index, key.len()));
        let last = self.children.len().checked_sub(1)?;
        // Appending is the common case.
        match order(last) {
            Ordering::Less => {}
            order => return Some((last, order == Ordering::Equal)),
        }
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low) / 2;
            match order(middle) {
                Ordering::Less => high = middle,
                Ordering::Equal => return Some((middle, true)),
                Ordering::Greater => low = middle + 1,
            }
        }
        low.checked_sub(1).map(|index| (index, false))
    }

    fn insert(&mut self, index: usize, key: &[u8], child: Slot) {
        let at = index * key.len();
        self.keys.splice(at..at, key.iter().copied());
        self.children.insert(index, child);
    }

    fn remove(&mut self, index: usize, size: usize) -> Slot {
        self.keys.drain(index * size..(index + 1) * size);
        self.children.remove(index)
    }
}

impl Slot {
    fn at(addr: Addr) -> Self {
        Self {
            addr: Some(addr),
            node: None,
        }
    }

    fn fresh(node: Box<Node>) -> Self {
        Self {
            addr: None,
            node: Some(node),
        }
    }

    fn place(&self) -> Result<Addr> {
        self.addr
            .ok_or_else(|| Error::corrupt(NODE, "has no place yet"))
    }

    fn evict(&mut self, level: u8, edge: bool, kept: &mut usize) {
        let Some(node) = &mut self.node else {
            return;
        };
        if !node.dirty && !edge {
            self.node = None;
            return;
        }
        *kept += 1;
        if level > 0 {
            let last = node.children.len().saturating_sub(1);
            for (index, child) in node.children.iter_mut().enumerate() {
                child.evict(level - 1, edge && index == last, kept);
            }
        }
    }
}
