//! The walk over everything a file reaches: every block has its place for itself and is what it should be, every
//! checksum is right, indexes are in order and say the same as what they index, and links and reference counts agree.
//!
//! It reads the file as the last commit left it and keeps nothing of the engine: an object, its links and attributes
//! are in memory one object at a time. What is claimed is kept as maximal runs, which neighbours join: a file without
//! holes is one run.

mod claims;
mod data;
mod outline;

use super::attributes::Attributes;
use super::header::Header;
use super::links::Links;
use super::shared;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::link::LinkTarget;
use crate::infra::global_heap::{GlobalHeap, HeapRef};
use crate::report::{Problem, Report};
use crate::store::Store;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use claims::{Claims, Use};

const MAX_PROBLEMS: usize = 1000;

/// Overlaps whose other side is looked for.
const MAX_WATCHED: usize = 16;

/// Adds to what was found, which is bounded.
pub(super) fn note(found: &mut Vec<Error>, error: Error) {
    if found.len() < MAX_PROBLEMS {
        found.push(error);
    }
}

/// What the file at its last commit holds, and what is wrong with it.
pub(crate) fn verify(store: &Store) -> Result<Report> {
    let (mut report, claims) = walk(store, Vec::new())?;
    let overlaps = claims.overlaps;
    if !overlaps.is_empty() {
        // Now that it is known where to look: who else is there.
        let (_, claims) = walk(store, overlaps)?;
        for claimants in claims.claimants() {
            report.problems.push(claimants);
        }
    }
    Ok(report)
}

/// The extents that the file reaches, neighbours in one; errors where anything is wrong or not fully known.
pub(crate) fn reachable(store: &Store) -> Result<Vec<Extent>> {
    let (report, claims) = walk(store, Vec::new())?;
    if let Some(problem) = report.problems.first() {
        return Err(Error::corrupt("file", problem.to_string()));
    }
    if let Some(unchecked) = report.unchecked.first() {
        return Err(Error::unsupported(unchecked.to_string()));
    }
    Ok(claims.runs())
}

fn walk(store: &Store, watched: Vec<Extent>) -> Result<(Report, Claims)> {
    if !store.created {
        return Err(Error::new(ErrorKind::NotHdf5));
    }
    let end = store.superblock.end_of_file - store.superblock.base;
    let mut walk = Walk {
        store,
        claims: Claims::new(end, watched),
        report: Report::default(),
        heap: GlobalHeap::new(),
        collections: BTreeSet::new(),
        nested: BTreeSet::new(),
        counts: BTreeMap::new(),
        queue: Vec::new(),
        path: "/".into(),
        links_known: true,
    };
    walk.run()?;
    let Walk {
        claims, mut report, ..
    } = walk;
    report.metadata_bytes = claims.bytes(Use::Metadata);
    report.raw_bytes = claims.bytes(Use::Raw);
    report.free_bytes = claims.bytes(Use::Free);
    report.unreachable_bytes = claims.gaps().iter().map(|gap| gap.len).sum();
    Ok((report, claims))
}

/// How often an object is named, and how often it says it is.
#[derive(Debug, Default)]
struct Count {
    stored: Option<u32>,
    links: u64,
    /// Datasets and attributes of a committed datatype.
    uses: u64,
    path: String,
}

struct Walk<'a> {
    store: &'a Store,
    claims: Claims,
    report: Report,
    heap: GlobalHeap,
    collections: BTreeSet<Addr>,
    /// Objects of the heap whose own references have been followed.
    nested: BTreeSet<HeapRef>,
    counts: BTreeMap<Addr, Count>,
    queue: Vec<Addr>,
    path: String,
    /// No group has kept links from being counted.
    links_known: bool,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<()> {
        let outline = self.outline();
        self.settle(outline)?;
        let root = self.store.root();
        self.meet(root, "/".into(), |count| count.links += 1);
        while let Some(addr) = self.queue.pop() {
            self.path = self
                .counts
                .get(&addr)
                .map(|count| count.path.clone())
                .unwrap_or_default();
            let visited = self.object(addr);
            self.links_known &= visited.is_ok();
            self.settle(visited.map_err(|error| error.at(addr.get())))?;
        }
        self.path = "/".into();
        for collection in core::mem::take(&mut self.collections) {
            match GlobalHeap::extent(self.store, collection) {
                Ok(extent) => self.claim(extent, Use::Metadata, "a global heap collection"),
                Err(error) => self.settle(Err(error))?,
            }
        }
        self.compare_counts();
        Ok(())
    }

    /// An object is named: visited once.
    fn meet(&mut self, addr: Addr, path: String, count: impl FnOnce(&mut Count)) {
        let entry = self.counts.entry(addr).or_insert_with(|| {
            self.queue.push(addr);
            Count {
                path,
                ..Count::default()
            }
        });
        count(entry);
    }

    fn object(&mut self, addr: Addr) -> Result<()> {
        let header = Header::load(self.store, addr)?;
        for block in header.blocks(self.store) {
            self.claim(block, Use::Metadata, "an object header");
        }
        let spare = header.spare().map(|extent| extent.len).sum();
        self.claims.is_free(spare);
        self.report.objects += 1;
        let count = header.reference_count()?;
        if let Some(entry) = self.counts.get_mut(&addr) {
            entry.stored = Some(count);
        }
        let committed = shared::committed_datatype(self.store, &header)
            .map(|committed| self.use_committed(committed));
        self.settle(committed)?;
        let linked = self.links(&header);
        self.links_known &= linked.is_ok();
        self.settle(linked)?;
        let attributes = self.attributes(&header);
        self.settle(attributes)?;
        if header.message(kind::LAYOUT).is_some() {
            self.report.datasets += 1;
            let data = self.dataset(&header);
            self.settle(data)?;
        }
        Ok(())
    }

    fn use_committed(&mut self, datatype: Option<Addr>) {
        if let Some(addr) = datatype {
            let path = format!("(the datatype of {})", self.path);
            self.meet(addr, path, |count| count.uses += 1);
        }
    }

    fn links(&mut self, header: &Header) -> Result<()> {
        let Some(mut links) = Links::load(self.store, header)? else {
            return Ok(());
        };
        self.report.groups += 1;
        let mut blocks = Vec::new();
        let named = links.blocks(self.store, &mut |extent| blocks.push(extent));
        self.claim_all(blocks, "the links of a group");
        self.settle(named)?;
        let mut found = Vec::new();
        let listed = links.verify(self.store, header, &mut found);
        self.settle_all(found)?;
        for link in listed? {
            if let LinkTarget::Hard(child) = link.target {
                let name = String::from_utf8_lossy(&link.name);
                let path = format!("{}/{name}", self.path.trim_end_matches('/'));
                self.meet(child, path, |count| count.links += 1);
            }
        }
        Ok(())
    }

    fn attributes(&mut self, header: &Header) -> Result<()> {
        let mut attributes = Attributes::load(self.store, header)?;
        let mut blocks = Vec::new();
        let named = attributes.blocks(self.store, &mut |extent| blocks.push(extent));
        self.claim_all(blocks, "the attributes of an object");
        self.settle(named)?;
        let mut found = Vec::new();
        let listed = attributes.verify(self.store, header, &mut found);
        self.settle_all(found)?;
        let path = self.path.clone();
        for attribute in listed? {
            self.path = format!("{path}@{}", String::from_utf8_lossy(&attribute.name));
            let checked = self.attribute(&attribute);
            self.settle(checked.map_err(|error| error.at(header.addr.get())))?;
        }
        self.path = path;
        Ok(())
    }

    fn compare_counts(&mut self) {
        if !self.links_known {
            return;
        }
        for (addr, count) in core::mem::take(&mut self.counts) {
            let Some(stored) = count.stored.map(u64::from) else {
                continue;
            };
            // An attribute that is left in the shared message table only may hold a committed datatype.
            let most = match self.store.shared_table {
                Some(_) => u64::MAX,
                None => count.links + count.uses,
            };
            if stored < count.links || stored > most {
                self.path = count.path;
                self.problem(Some(addr.get()), || {
                    format!(
                        "object header: its reference count is {stored}, {} hard links lead to it",
                        count.links
                    )
                });
            }
        }
    }

    fn claim_all(&mut self, extents: Vec<Extent>, what: &'static str) {
        for extent in extents {
            self.claim(extent, Use::Metadata, what);
        }
    }

    fn claim(&mut self, extent: Extent, used: Use, what: &'static str) {
        if let Err(reason) = self.claims.claim(extent, used, what, &self.path) {
            self.problem(Some(extent.addr.get()), || format!("{what} {reason}"));
        }
    }

    /// Takes note of what was found; an error of the storage ends the walk.
    fn settle(&mut self, result: Result<()>) -> Result<()> {
        let Err(error) = result else {
            return Ok(());
        };
        match error.kind() {
            ErrorKind::Storage(_) | ErrorKind::Poisoned => return Err(error),
            ErrorKind::Unsupported(_) | ErrorKind::Limit { .. } => {
                if self.report.unchecked.len() < MAX_PROBLEMS {
                    self.report.unchecked.push(Problem {
                        offset: error.offset(),
                        object: self.path.clone(),
                        what: error.what(),
                    });
                }
            }
            _ => self.problem(error.offset(), || error.what()),
        }
        Ok(())
    }

    fn settle_all(&mut self, found: Vec<Error>) -> Result<()> {
        found
            .into_iter()
            .try_for_each(|error| self.settle(Err(error)))
    }

    fn problem(&mut self, offset: Option<u64>, what: impl FnOnce() -> String) {
        if self.report.problems.len() >= MAX_PROBLEMS {
            self.report.further_problems += 1;
            return;
        }
        self.report.problems.push(Problem {
            offset,
            object: self.path.clone(),
            what: what(),
        });
    }
}

#[cfg(all(test, feature = "std"))]
mod tests;
