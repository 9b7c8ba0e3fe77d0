//! What links that came and went since the last commit ask of the next one, in a file without a flip record: there the
//! cells of one commit reach the device one after the other, and a death between two of them shows the group of one
//! commit and the count of hard links of another. A count too low is dangerous: whoever then takes out one link frees
//! the object that another leads to. So
//!
//! * a group with a new link to an object comes after the object, whose count is raised;
//! * an object that has lost links, and got none, comes after the groups that lost them;
//! * a group that has lost a link comes after the group that has got it, or the object might be lost;
//! * where an object has lost and got links, no order does: a first commit has the count of both, a second the lower one.
//!
//! A count too high is harmless: the object is not freed with its last link. It is what a death may leave behind.

use super::engine::Engine;
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug, Default)]
pub(crate) struct Relinks {
    /// By object and group (or what else holds the object): how many links to it there are more than in the last commit.
    changes: BTreeMap<Addr, BTreeMap<Addr, i64>>,
    /// Where links that name no object by its address have moved: from, to.
    moved: BTreeSet<(Addr, Addr)>,
    /// Objects of the last commit that are gone, with the group whose link they went with.
    gone: BTreeMap<Addr, Addr>,
}

impl Engine {
    fn counts_relinks(&self) -> bool {
        !self.store.stamped()
    }

    /// Nothing of the last commit names what stands there.
    fn is_fresh(&self, addr: Addr) -> bool {
        self.store.is_fresh(Extent::new(addr, 1))
    }

    /// `holder` has `more` links to the object.
    pub(super) fn note_link(&mut self, object: Addr, holder: Addr, more: i64) {
        if self.counts_relinks() {
            let holders = self.relinks.changes.entry(object).or_default();
            *holders.entry(holder).or_default() += more;
        }
    }

    /// A link has moved; `object` is what it leads to by its address.
    pub(super) fn note_move(&mut self, object: Option<Addr>, from: Addr, to: Addr) {
        match object {
            _ if from == to => {}
            Some(object) => {
                self.note_link(object, from, -1);
                self.note_link(object, to, 1);
            }
            None if self.counts_relinks() => {
                self.relinks.moved.insert((from, to));
            }
            None => {}
        }
    }

    /// The object is about to keep `left` links, since `holder` or what it led to no longer has the others.
    pub(super) fn note_dropped(&mut self, object: Addr, holder: Addr, left: u32) -> Result<()> {
        if !self.counts_relinks() {
            return Ok(());
        }
        if left > 0 {
            let before = self.object(object)?.header.reference_count()?;
            self.note_link(object, holder, i64::from(left) - i64::from(before));
        } else if self.is_fresh(object) {
            self.relinks.changes.remove(&object);
        } else {
            self.relinks.gone.insert(object, holder);
        }
        Ok(())
    }

    /// Tells the store what is to be written after what, and raises the counts that no order keeps right. Returns the
    /// objects whose count is raised, with the count that a second commit gives them.
    pub(super) fn order_relinks(&mut self) -> Result<Vec<(Addr, u32)>> {
        let relinks = core::mem::take(&mut self.relinks);
        let mut raised = Vec::new();
        for (&object, holders) in &relinks.changes {
            if relinks.gone.contains_key(&object) || self.is_fresh(object) {
                continue;
            }
            let (mut got, mut lost) = (BTreeSet::new(), BTreeSet::new());
            let mut less = 0_u64;
            for (&holder, &change) in holders {
                if change > 0 && !relinks.gone.contains_key(&holder) {
                    self.seen_through(&relinks, holder, &mut got);
                } else if change < 0 {
                    less += change.unsigned_abs();
                    lost.insert(relinks.left(holder));
                }
            }
            for at in got.iter().filter(|at| **at != object) {
                self.store.flips_after(*at, object);
            }
            if got.is_empty() {
                for at in lost.iter().filter(|at| **at != object) {
                    self.store.flips_after(object, *at);
                }
                continue;
            }
            for from in &lost {
                for to in got.iter().filter(|to| *to != from) {
                    self.store.flips_after(*from, *to);
                }
            }
            if less > 0 {
                raised.extend(self.raise_count(object, less)?);
            }
        }
        for &(from, to) in &relinks.moved {
            let (from, mut got) = (relinks.left(from), BTreeSet::new());
            self.seen_through(&relinks, to, &mut got);
            for to in got.into_iter().filter(|to| *to != from) {
                self.store.flips_after(from, to);
            }
        }
        Ok(raised)
    }

    /// The objects of the last commit whose next state shows what `holder` holds: itself, or what leads to it where it
    /// is new.
    fn seen_through(&self, relinks: &Relinks, holder: Addr, found: &mut BTreeSet<Addr>) {
        let mut seen = BTreeSet::new();
        let mut queue = vec![holder];
        while let Some(at) = queue.pop() {
            if relinks.gone.contains_key(&at) || !seen.insert(at) {
                continue;
            }
            if !self.is_fresh(at) {
                found.insert(at);
            } else if let Some(holders) = relinks.changes.get(&at) {
                let holding = holders.iter().filter(|(_, more)| **more > 0);
                queue.extend(holding.map(|(holder, _)| *holder));
            }
        }
    }

    /// Raises the count of an object for the first of two commits. One that cannot be rewritten in one sector is left
    /// as it is: that would be the greater danger.
    fn raise_count(&mut self, object: Addr, by: u64) -> Result<Option<(Addr, u32)>> {
        let known = self.objects.contains_key(&object);
        let editable = self.check_editable(object).is_ok();
        let (in_memory, store, _) = self.parts(object)?;
        if !editable || !in_memory.header.cell_fits_sector(store) {
            if !known {
                self.evict(object);
            }
            return Ok(None);
        }
        let (raised, ..) = self.touch(object)?;
        let header = &mut raised.header;
        let count = header.reference_count()?;
        header.set_reference_count(count.saturating_add(u32::try_from(by).unwrap_or(u32::MAX)));
        Ok(Some((object, count)))
    }

    /// The second of the two commits: the counts as they are to be.
    pub(super) fn stage_lowered(&mut self, lowered: &[(Addr, u32)]) -> Result<()> {
        for &(addr, count) in lowered {
            let (object, store, _) = self.parts(addr)?;
            object.header.set_reference_count(count);
            object.header.stage(store, false)?;
        }
        Ok(())
    }
}

impl Relinks {
    /// Where a link of `holder` is no longer seen: there, or where the link was that `holder` went with.
    fn left(&self, holder: Addr) -> Addr {
        let mut at = holder;
        for _ in 0..self.gone.len() {
            match self.gone.get(&at) {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }
}
