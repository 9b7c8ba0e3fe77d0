//! The symbol table of a group of the old form: a version 1 B-tree over symbol table nodes, whose names are in a
//! local heap. It is only read; a group that changes gets link messages in its place.

use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::legacy::group_tree::{self, Node};
use crate::format::legacy::local_heap::{self, LocalHeap, string_at};
use crate::format::legacy::symbol_table::{self, Cache, Entry, Places};
use crate::format::message::datatype::CharacterSet;
use crate::format::message::link::{Link, LinkTarget};
use crate::store::Store;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// As RELIABILITY.md, section 5.
const MAX_LEVEL: u8 = 16;

/// No honest heap is read more than this many times over when all its strings are read.
const MAX_STRING_OVERLAP: u64 = 4;

#[derive(Debug)]
pub(crate) struct SymbolTable {
    places: Places,
    heap: LocalHeap,
    count: Option<u64>,
}

/// What a walk meets.
enum Met {
    Tree,
    Leaf(Vec<Entry>),
}

impl SymbolTable {
    pub(crate) fn open(store: &Store, places: Places) -> Result<Self> {
        let header = Extent::new(places.heap, local_heap::header_size(store.widths()));
        let bytes = store.read(header, "local heap")?;
        let heap = LocalHeap::decode(&bytes, store.widths(), places.heap.get())?;
        store.check_bounds(heap.segment, "local heap")?;
        Ok(Self {
            places,
            heap,
            count: None,
        })
    }

    /// How many links there are: counted once, node by node.
    pub(crate) fn count(&mut self, store: &Store) -> Result<u64> {
        if let Some(count) = self.count {
            return Ok(count);
        }
        let mut count = 0;
        self.walk(store, &mut |_, met| {
            if let Met::Leaf(entries) = met {
                count += entries.len() as u64;
            }
            Ok(())
        })?;
        self.count = Some(count);
        Ok(count)
    }

    /// The link of one name, found without reading the others.
    pub(crate) fn find(&self, store: &Store, name: &[u8]) -> Result<Option<Link>> {
        let mut at = self.places.tree;
        let mut level = None;
        loop {
            let node = read_tree_node(store, at, level)?;
            // The first child whose last name is not less.
            let (mut low, mut high) = (0, node.children.len());
            while low < high {
                let middle = low + (high - low) / 2;
                if self.compare(store, name, node.keys[middle + 1])? == Ordering::Greater {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            let Some(&child) = node.children.get(low) else {
                return Ok(None);
            };
            if node.level == 0 {
                return self.find_in_leaf(store, child, name);
            }
            level = Some(node.level - 1);
            at = child;
        }
    }

    fn find_in_leaf(&self, store: &Store, at: Addr, name: &[u8]) -> Result<Option<Link>> {
        let entries = read_leaf(store, at)?;
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.compare(store, name, entries[middle].name)? {
                Ordering::Equal => {
                    let target = match entries[middle].cache {
                        Cache::SoftLink(path) => {
                            LinkTarget::Soft(self.read_string(store, u64::from(path))?)
                        }
                        _ => hard(&entries[middle], at)?,
                    };
                    return link(name, target).map(Some);
                }
                Ordering::Less => high = middle,
                Ordering::Greater => low = middle + 1,
            }
        }
        Ok(None)
    }

    /// All links, in the order of their names.
    pub(crate) fn list(&self, store: &Store) -> Result<Vec<Link>> {
        let segment = store.read(self.heap.segment, "local heap")?;
        let heap_at = self.heap.segment.addr.get();
        let mut left = (segment.len() as u64).saturating_mul(MAX_STRING_OVERLAP);
        let mut string = |at: u64| {
            let found = string_at(&segment, at, heap_at)?;
            left = left
                .checked_sub(found.len() as u64 + 1)
                .ok_or_else(|| Error::corrupt("local heap", "its strings overlap").at(heap_at))?;
            Ok::<_, Error>(found)
        };
        let mut links = Vec::new();
        self.walk(store, &mut |extent, met| {
            let Met::Leaf(entries) = met else {
                return Ok(());
            };
            for entry in entries {
                let name = string(entry.name)?;
                let target = match entry.cache {
                    Cache::SoftLink(path) => LinkTarget::Soft(string(u64::from(path))?.to_vec()),
                    _ => hard(&entry, extent.addr)?,
                };
                links.push(link(name, target)?);
            }
            Ok(())
        })?;
        Ok(links)
    }

    /// Gives everything back that the table occupies.
    pub(crate) fn free_all(&self, store: &mut Store) -> Result<()> {
        let mut blocks = Vec::new();
        self.blocks(store, &mut |block| blocks.push(block))?;
        blocks.into_iter().for_each(|block| store.free(block));
        Ok(())
    }

    /// Every extent of the table.
    pub(crate) fn blocks(&self, store: &Store, visit: &mut dyn FnMut(Extent)) -> Result<()> {
        let widths = store.widths();
        let sizes = store.node_sizes;
        let mut blocks = Vec::new();
        self.walk(store, &mut |extent, met| {
            let len = match met {
                Met::Tree => group_tree::node_size(widths, sizes.internal),
                Met::Leaf(_) => symbol_table::node_size(widths, sizes.leaf),
            };
            blocks.push(Extent::new(extent.addr, len.max(extent.len)));
            Ok(())
        })?;
        let header = local_heap::header_size(widths);
        blocks.push(Extent::new(self.places.heap, header));
        blocks.push(self.heap.segment);
        blocks.sort();
        for pair in blocks.windows(2) {
            if pair[0].end() > pair[1].addr {
                return Err(Error::corrupt("symbol table", "two of its blocks overlap")
                    .at(pair[1].addr.get()));
            }
        }
        for block in blocks {
            store.check_bounds(block, "symbol table")?;
            visit(block);
        }
        Ok(())
    }

    /// Visits every node with the part of it that is in use, leaves in the order of their names. The parts visited
    /// cannot overlap throughout, so that a walk takes no longer than the file is long.
    fn walk(&self, store: &Store, visit: &mut dyn FnMut(Extent, Met) -> Result<()>) -> Result<()> {
        let widths = store.widths();
        let mut left = store.end();
        let mut seen = BTreeSet::new();
        let mut meet = |addr: Addr, len: u64| {
            left = left.saturating_sub(len);
            if !seen.insert(addr) || left == 0 {
                return Err(
                    Error::corrupt("symbol table", "a node is reached twice").at(addr.get())
                );
            }
            Ok(Extent::new(addr, len))
        };
        // Nodes still to be visited, the next one last; no level: the root.
        let mut queue: Vec<(Addr, Option<u8>)> = [(self.places.tree, None)].into();
        while let Some((addr, level)) = queue.pop() {
            let node = read_tree_node(store, addr, level)?;
            let extent = meet(addr, group_tree::used_size(widths, node.children.len()))?;
            visit(extent, Met::Tree)?;
            if node.level > 0 {
                let below = Some(node.level - 1);
                queue.extend(node.children.iter().rev().map(|&child| (child, below)));
                continue;
            }
            for child in node.children {
                let entries = read_leaf(store, child)?;
                let used = entries.len() * symbol_table::entry_size(widths);
                let extent = meet(child, (symbol_table::NODE_HEADER + used) as u64)?;
                visit(extent, Met::Leaf(entries))?;
            }
        }
        Ok(())
    }

    /// How `name` compares to the string at `at` of the heap, of which no more is read than that takes.
    fn compare(&self, store: &Store, name: &[u8], at: u64) -> Result<Ordering> {
        let wanted = name.len() as u64 + 1;
        let part = self.part(at, wanted)?;
        let bytes = store.read(part, "local heap")?;
        let len = bytes.iter().position(|&byte| byte == 0);
        if len.is_none() && part.len < wanted {
            return Err(Error::corrupt("local heap", "a string has no end").at(part.addr.get()));
        }
        Ok(name.cmp(&bytes[..len.unwrap_or(bytes.len())]))
    }

    fn read_string(&self, store: &Store, at: u64) -> Result<Vec<u8>> {
        let mut len = 256;
        loop {
            let part = self.part(at, len)?;
            let bytes = store.read(part, "local heap")?;
            if part.len < len || bytes.contains(&0) {
                return string_at(&bytes, 0, part.addr.get()).map(<[u8]>::to_vec);
            }
            len *= 4;
        }
    }

    /// Up to `len` bytes of the data segment from `at` on.
    fn part(&self, at: u64, len: u64) -> Result<Extent> {
        let segment = self.heap.segment;
        if at >= segment.len {
            return Err(
                Error::corrupt("local heap", "a string is outside the data segment")
                    .at(segment.addr.get()),
            );
        }
        Ok(Extent::new(
            segment.addr.plus(at),
            len.min(segment.len - at),
        ))
    }
}

fn hard(entry: &Entry, node: Addr) -> Result<LinkTarget> {
    let header = entry.header.ok_or_else(|| {
        Error::corrupt("symbol table node", "an entry without an address").at(node.get())
    })?;
    Ok(LinkTarget::Hard(header))
}

/// A symbol table does not say of what character set its names are: UTF-8, where more than ASCII.
fn link(name: &[u8], target: LinkTarget) -> Result<Link> {
    let charset = if !name.is_ascii() && core::str::from_utf8(name).is_ok() {
        CharacterSet::Utf8
    } else {
        CharacterSet::Ascii
    };
    let path = match &target {
        LinkTarget::Soft(path) => path.len(),
        _ => 1,
    };
    if name.is_empty() || path == 0 || path > usize::from(u16::MAX) {
        return Err(Error::corrupt(
            "symbol table",
            "a name or a path is empty or too long",
        ));
    }
    Ok(Link {
        name: name.to_vec(),
        charset,
        creation_order: None,
        target,
    })
}

fn read_tree_node(store: &Store, at: Addr, level: Option<u8>) -> Result<Node> {
    let widths = store.widths();
    let head = store.read(Extent::new(at, 8), "group B-tree")?;
    let children = group_tree::decode_count(&head, at.get())?;
    let used = Extent::new(at, group_tree::used_size(widths, children));
    let node = group_tree::decode(&store.read(used, "group B-tree")?, widths, at.get())?;
    if level.is_some_and(|level| level != node.level) || node.level > MAX_LEVEL {
        return Err(Error::corrupt("group B-tree", "a node is of the wrong level").at(at.get()));
    }
    Ok(node)
}

fn read_leaf(store: &Store, at: Addr) -> Result<Vec<Entry>> {
    let widths = store.widths();
    let header = symbol_table::NODE_HEADER;
    let head = store.read(Extent::new(at, header as u64), "symbol table node")?;
    let entries = symbol_table::decode_count(&head, at.get())?;
    let len = header + entries * symbol_table::entry_size(widths);
    let bytes = store.read(Extent::new(at, len as u64), "symbol table node")?;
    symbol_table::decode_node(&bytes, widths, at.get())
}

#[cfg(test)]
mod tests;
