//! What a session that died left behind: beyond the extents of datasets, rows that it appended in place and never committed;
//! in groups, links that it kept for one commit while objects changed places. Only a device that is longer than the file says
//! that there may be some, and closing takes that sign away. So the first change of a session looks at every object.

use super::dataset::Dataset;
use super::engine::Engine;
use super::header::Header;
use super::links::Links;
use super::relinks::PassingLink;
use crate::bytes::Addr;
use crate::error::{ErrorKind, Result};
use crate::format::message::kind;
use crate::format::message::link::LinkTarget;
use crate::store::Store;
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use alloc::vec;
use alloc::vec::Vec;
use hashbrown::HashSet;

impl Engine {
    /// Makes what lies beyond the committed extents the fill value, in every dataset that hard links lead to. The next commit
    /// writes it. What is damaged stays as it is, and the device stays longer than the file.
    #[cold]
    pub(super) fn clean_tails(&mut self) -> Result<()> {
        if core::mem::replace(&mut self.tails_cleaned, true) {
            return Ok(());
        }
        #[cfg(test)]
        if mutant::is(Mutant::TailsNotCleaned) {
            self.store.untidy = false;
            return Ok(());
        }
        let mut all_clean = true;
        let mut passing = Vec::new();
        let root = self.root();
        let mut queue = vec![root];
        let mut met: HashSet<Addr> = HashSet::new();
        met.insert(root);
        while let Some(addr) = queue.pop() {
            match clean_object(&mut self.store, addr, &mut passing) {
                Ok(children) => {
                    queue.extend(children.into_iter().filter(|child| met.insert(*child)))
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned) =>
                {
                    return Err(error);
                }
                // What this library cannot change it has not appended to.
                Err(error) if matches!(error.kind(), ErrorKind::Unsupported(_)) => {}
                Err(_) => all_clean = false,
            }
        }
        self.store.untidy = !all_clean;
        self.take_out_passing_links(&passing)
    }
}

/// Cleans the object where it is a dataset; where it is a group, returns what its hard links lead to, and finds links that were
/// to be taken out. It is read as the last
/// commit left it, and not kept in memory.
fn clean_object(
    store: &mut Store,
    addr: Addr,
    passing: &mut Vec<PassingLink>,
) -> Result<Vec<Addr>> {
    let header = Header::load(store, addr)?;
    if header.message(kind::LAYOUT).is_some() {
        if let Some(mut dataset) = Dataset::load(store, &header)? {
            dataset.clean_tails(store)?;
        }
        return Ok(Vec::new());
    }
    let Some(mut links) = Links::load(store, &header)? else {
        return Ok(Vec::new());
    };
    let links = links.list(store, &header)?;
    passing.extend(links.iter().filter_map(|link| PassingLink::of(addr, link)));
    let children = links.into_iter().filter_map(|link| match link.target {
        LinkTarget::Hard(child) => Some(child),
        _ => None,
    });
    Ok(children.collect())
}
