//! The version 2 B-tree over opaque records of one size (III.A.2), copy-on-write.
//!
//! Invariants, between the calls of a caller:
//!
//! 1. A node that a committed state reaches is never written again: a changed node is staged in fresh space.
//! 2. Where a node is dirty, so are its ancestors, for they name its place and its counts.
//! 3. The counts in every [`Slot`] are exact.
//! 4. A node holds at most `full` records, and at least 1. What [`BTree::stage`] writes holds at least `least`, the
//!    root excepted: libhdf5 merges a node only when it is exactly at its least count; of a node below, it removes
//!    the last record, leaves the child undefined, and then fails (seen with 2.0, shrinking a dataset). In memory
//!    the nodes on the right edge may hold fewer, so that appending leaves full nodes behind.
//! 5. Whatever can fail (reads, probes) comes before the first change.

mod edit;
mod node;
mod walk;

use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
pub(crate) use crate::format::btree_v2::Shape;
use crate::format::btree_v2::{Geometry, HEADER, Header, NODE};
use crate::store::Store;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use node::{Node, Slot};

/// How the sought key compares to a record: `Less` where the key comes before it.
pub(crate) type Probe<'a> = &'a mut dyn FnMut(&Store, &[u8]) -> Result<Ordering>;

/// Changed nodes of more bytes than this are staged before the caller asks, so that memory stays bounded.
const DIRTY_LIMIT: usize = if cfg!(test) { 128 << 10 } else { 8 << 20 };
/// Nodes of more bytes than this are not kept in memory.
const LOADED_LIMIT: usize = if cfg!(test) { 512 << 10 } else { 32 << 20 };

/// A tree: its header in memory, its nodes as far as they were needed.
#[derive(Debug)]
pub(crate) struct BTree {
    core: Core,
    root: Option<Slot>,
    /// 0 where the root is a leaf.
    depth: u16,
    header: Option<Addr>,
    /// The header differs from what is staged at `header`.
    dirty: bool,
    /// Records have come elsewhere than at the end since changed nodes were last written early.
    scattered: bool,
}

/// What every node of a tree shares.
#[derive(Debug)]
struct Core {
    shape: Shape,
    geometry: Geometry,
    /// Counts the operations; a node remembers the one that used it last.
    tick: u64,
    loaded: usize,
    loaded_limit: usize,
    dirty: usize,
    /// The places of nodes that are no more.
    freed: Vec<Extent>,
    /// Where the last search went from the root down: the number of the child in each node, and in a leaf that of the
    /// record.
    path: Vec<usize>,
}

/// The place between two records where a search ended. It is one until the tree is searched again or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The operation that found it.
    tick: u64,
}

/// Which record is meant.
enum Seek<'a, 'b> {
    Probe(&'a mut Probe<'b>),
    /// The record that so many records precede.
    Rank(u64),
    #[cfg(test)]
    First,
    Last,
    /// The place behind the last record.
    End,
    /// The place where the last search ended, from so many levels below the root on.
    Gap(usize),
}

impl BTree {
    /// An empty tree, nothing of which is in the file.
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            core: Core {
                shape,
                geometry: Geometry::new(shape),
                tick: 0,
                loaded: 0,
                loaded_limit: nodes(LOADED_LIMIT, shape),
                dirty: 0,
                freed: Vec::new(),
                path: Vec::new(),
            },
            root: None,
            depth: 0,
            header: None,
            dirty: true,
            scattered: false,
        }
    }

    /// Opens the tree whose header is at `header`; nodes are read when they are needed.
    pub(crate) fn open(store: &Store, header: Addr) -> Result<Self> {
        let widths = store.widths();
        let bytes = store.read(Extent::new(header, Header::size(widths)), HEADER)?;
        let decoded = Header::decode(&bytes, widths, header.get())?;
        let mut tree = Self::new(decoded.shape);
        tree.core
            .geometry
            .grow(decoded.depth, widths)
            .map_err(|error| error.at(header.get()))?;
        if let Some(root) = decoded.root {
            // Bounds every walk: a node that is named often would make for more records than the file has room for.
            let bytes = root.total.checked_mul(decoded.shape.record_size.into());
            if bytes.is_none_or(|bytes| bytes > store.end()) {
                let reason = "more records than the file has room for";
                return Err(Error::corrupt(HEADER, reason).at(header.get()));
            }
        }
        tree.root = decoded.root.map(Slot::from);
        tree.depth = decoded.depth;
        tree.header = Some(header);
        tree.dirty = false;
        Ok(tree)
    }

    /// The number of records.
    pub(crate) fn len(&self) -> u64 {
        self.root.as_ref().map_or(0, |root| root.total)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    pub(crate) fn depth(&self) -> u16 {
        self.depth
    }

    pub(crate) fn shape(&self) -> Shape {
        self.core.shape
    }

    /// Where the header is, as last staged.
    #[cfg(test)]
    pub(crate) fn header(&self) -> Option<Addr> {
        self.header
    }

    /// The record that `probe` finds equal.
    pub(crate) fn find(&mut self, store: &Store, mut probe: Probe<'_>) -> Result<Option<Vec<u8>>> {
        self.seek(store, Seek::Probe(&mut probe))
    }

    /// Where [`find`](Self::find) found nothing.
    pub(crate) fn gap(&self) -> Gap {
        let tick = self.core.tick;
        Gap { tick }
    }

    #[cfg(test)]
    pub(crate) fn first(&mut self, store: &Store) -> Result<Option<Vec<u8>>> {
        self.seek(store, Seek::First)
    }

    #[cfg(test)]
    pub(crate) fn last(&mut self, store: &Store) -> Result<Option<Vec<u8>>> {
        self.seek(store, Seek::Last)
    }

    fn seek(&mut self, store: &Store, mut seek: Seek<'_, '_>) -> Result<Option<Vec<u8>>> {
        self.core.tick += 1;
        self.core.path.clear();
        if self.core.loaded > self.core.loaded_limit {
            self.evict();
        }
        match &mut self.root {
            Some(root) => self.core.find(store, root, self.depth, &mut seek),
            None => Ok(None),
        }
    }

    /// Stages every changed node and then the header, each in fresh space, frees what they replace, and returns
    /// where the header is.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<Addr> {
        if let Some(header) = self.header
            && !self.dirty
        {
            return Ok(header);
        }
        self.tidy_edge(store)?;
        self.stage_nodes(store)?;
        let widths = store.widths();
        let header = Header {
            shape: self.core.shape,
            depth: self.depth,
            root: match &self.root {
                Some(root) => Some(root.pointer()?),
                None => None,
            },
        };
        let total = header.root.map_or(0, |root| root.total);
        widths.check_len("the number of records of a B-tree", total)?;
        let (addr, replaced) = place(store, self.header, Header::size(widths))?;
        store.stage(addr, header.encode(widths))?;
        if let Some(replaced) = replaced {
            store.free_metadata(replaced);
        }
        self.header = Some(addr);
        self.dirty = false;
        Ok(addr)
    }

    /// Keeps memory bounded: stages what has changed when it has become much, without the header.
    fn make_room(&mut self, store: &mut Store) -> Result<()> {
        let much = self.core.dirty > nodes(DIRTY_LIMIT, self.core.shape);
        if much {
            self.stage_nodes(store)?;
        }
        // What grows at its end does not come back to the other nodes.
        let done_with = much && !core::mem::take(&mut self.scattered);
        if done_with || self.core.loaded > self.core.loaded_limit {
            self.evict();
        }
        Ok(())
    }

    fn stage_nodes(&mut self, store: &mut Store) -> Result<()> {
        match &mut self.root {
            Some(root) => self.core.stage(store, root, self.depth),
            None => Ok(()),
        }
    }

    /// The bytes of the nodes that differ from what is staged of them.
    pub(crate) fn changed_bytes(&self) -> usize {
        self.core.dirty * self.core.shape.node_size as usize
    }

    /// Stages the changed nodes, without the header, and forgets them.
    pub(crate) fn write_nodes(&mut self, store: &mut Store) -> Result<()> {
        self.stage_nodes(store)?;
        self.core.tick += 1;
        self.evict();
        Ok(())
    }

    /// Forgets unchanged nodes, except those on the right edge and those the last operation used.
    pub(crate) fn evict(&mut self) {
        let mut kept = 0;
        if let Some(root) = &mut self.root {
            root.evict(self.core.tick, true, &mut kept);
        }
        self.core.loaded = kept;
        self.core.loaded_limit = nodes(LOADED_LIMIT, self.core.shape).max(2 * kept);
    }

    fn free_dropped(&mut self, store: &mut Store) {
        for extent in self.core.freed.drain(..) {
            store.free_metadata(extent);
        }
    }
}

/// How many nodes have so many bytes.
fn nodes(bytes: usize, shape: Shape) -> usize {
    bytes / (shape.node_size as usize).max(1)
}

/// The place to write a block that stood at `old`: there if that is fresh, else in fresh space, and what that frees.
pub(super) fn place(
    store: &mut Store,
    old: Option<Addr>,
    len: u64,
) -> Result<(Addr, Option<Extent>)> {
    let old = old.map(|addr| Extent::new(addr, len));
    match old {
        Some(old) if store.is_fresh(old) => Ok((old.addr, None)),
        _ => Ok((store.alloc(len)?.addr, old)),
    }
}

impl Core {
    fn record_size(&self) -> usize {
        usize::from(self.shape.record_size)
    }

    fn extent(&self, addr: Addr) -> Extent {
        Extent::new(addr, self.shape.node_size.into())
    }

    fn read(&self, store: &Store, slot: &Slot, depth: u16) -> Result<Node> {
        let pointer = slot.pointer()?;
        let bytes = store.read(self.extent(pointer.addr), NODE)?;
        let (records, children) =
            self.geometry
                .decode_node(&bytes, depth, pointer, store.widths())?;
        Ok(Node {
            records: records.to_vec(),
            children: children.into_iter().map(Slot::from).collect(),
            dirty: false,
            tick: self.tick,
        })
    }

    /// The node of a slot, read if need be.
    fn load<'s>(&mut self, store: &Store, slot: &'s mut Slot, depth: u16) -> Result<&'s mut Node> {
        let node = match slot.node.take() {
            Some(node) => node,
            None => {
                let node = Box::new(self.read(store, slot, depth)?);
                self.loaded += 1;
                node
            }
        };
        let node = slot.node.insert(node);
        node.tick = self.tick;
        Ok(node)
    }

    /// The index of the record, or where it would stand, and whether it is there.
    fn locate(&self, store: &Store, node: &Node, seek: &mut Seek<'_, '_>) -> Result<(usize, bool)> {
        let size = self.record_size();
        let count = node.count(size);
        let leaf = node.children.is_empty();
        match seek {
            #[cfg(test)]
            Seek::First => Ok((0, leaf && count > 0)),
            Seek::Last if leaf && count > 0 => Ok((count - 1, true)),
            Seek::Last | Seek::End => Ok((count, false)),
            Seek::Gap(level) => {
                let index = self.path.get(*level).filter(|index| **index <= count);
                *level += 1;
                let index = index.ok_or_else(|| Error::corrupt(NODE, "no place for a record"))?;
                Ok((*index, false))
            }
            Seek::Rank(rank) if leaf => {
                let index = usize::try_from(*rank).map_or(count, |rank| rank.min(count));
                Ok((index, index < count))
            }
            Seek::Rank(rank) => {
                for (index, child) in node.children.iter().enumerate() {
                    match (*rank).cmp(&child.total) {
                        Ordering::Less => return Ok((index, false)),
                        Ordering::Equal => return Ok((index.min(count), index < count)),
                        Ordering::Greater => *rank -= child.total + 1,
                    }
                }
                Ok((count, false))
            }
            Seek::Probe(probe) => {
                let Some(last) = count.checked_sub(1) else {
                    return Ok((0, false));
                };
                // Appending is the common case.
                match probe(store, node.record(last, size))? {
                    Ordering::Greater => return Ok((count, false)),
                    Ordering::Equal => return Ok((last, true)),
                    Ordering::Less => {}
                }
                let (mut low, mut high) = (0, last);
                while low < high {
                    let middle = low + (high - low) / 2;
                    match probe(store, node.record(middle, size))? {
                        Ordering::Less => high = middle,
                        Ordering::Equal => return Ok((middle, true)),
                        Ordering::Greater => low = middle + 1,
                    }
                }
                Ok((low, false))
            }
        }
    }

    fn find(
        &mut self,
        store: &Store,
        slot: &mut Slot,
        depth: u16,
        seek: &mut Seek<'_, '_>,
    ) -> Result<Option<Vec<u8>>> {
        let node = self.load(store, slot, depth)?;
        let (index, found) = self.locate(store, node, seek)?;
        if found {
            return Ok(Some(node.record(index, self.record_size()).to_vec()));
        }
        self.path.push(index);
        match node.children.get_mut(index) {
            Some(child) if depth > 0 => self.find(store, child, depth - 1, seek),
            _ => Ok(None),
        }
    }

    fn mark(&mut self, node: &mut Node) {
        if !node.dirty {
            node.dirty = true;
            self.dirty += 1;
        }
    }

    /// Stages the changed nodes from `slot` down, children first.
    fn stage(&mut self, store: &mut Store, slot: &mut Slot, depth: u16) -> Result<()> {
        let Some(node) = &mut slot.node else {
            return Ok(());
        };
        if !node.dirty {
            return Ok(());
        }
        for child in &mut node.children {
            self.stage(store, child, depth.saturating_sub(1))?;
        }
        let children: Vec<_> = node
            .children
            .iter()
            .map(Slot::pointer)
            .collect::<Result<_>>()?;
        let bytes = self.geometry.encode_node(
            depth,
            &node.records,
            children.into_iter(),
            store.widths(),
        )?;
        let (addr, replaced) = place(store, slot.addr, self.shape.node_size.into())?;
        store.stage(addr, bytes)?;
        if let Some(replaced) = replaced {
            store.free_metadata(replaced);
        }
        slot.addr = Some(addr);
        node.dirty = false;
        self.dirty -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
