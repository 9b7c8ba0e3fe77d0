//! The allocator: which bytes of the file the committed state does not reach.
//!
//! Three kinds of space: *free* (reusable now), *fresh* (given out since the last commit, so no committed block
//! names it), and *pending* (freed, but still part of the committed state: reusable only after the next commit).
//!
//! In a file of pages everything free here is whole pages; what is smaller is kept by [`Pages`].

#[cfg(test)]
use super::mutant::{self, Mutant};
use super::pages::{Class, Freed, Pages};
use crate::bytes::{Addr, Extent};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Free runs of fewer bytes are found by their neighbours only, when these come back: hardly a block is so small, and a file
/// of many objects has many such gaps.
const SMALLEST: u64 = if cfg!(test) { 10 } else { 24 };

/// A set of bytes, kept as maximal runs: start to length.
#[derive(Debug, Default, Clone)]
pub(crate) struct Runs(BTreeMap<u64, u64>);

impl Runs {
    /// Adds an extent and returns the maximal run it is now part of, with the runs it swallowed.
    fn insert(&mut self, extent: Extent) -> (Extent, [Option<Extent>; 2]) {
        let (mut start, mut end) = (extent.addr.get(), extent.end().get());
        let mut swallowed = [None, None];
        // What follows the last run is the common case.
        if let Some(mut last) = self.0.last_entry()
            && let (before, len) = (*last.key(), *last.get())
            && before + len == start
        {
            *last.get_mut() = end - before;
            let run = |len| Extent::new(Addr::new(before), len);
            return (run(end - before), [Some(run(len)), None]);
        }
        if let Some((&before, &len)) = self.0.range(..=start).next_back()
            && before + len >= start
        {
            swallowed[0] = Some(Extent::new(Addr::new(before), len));
            end = end.max(before + len);
            start = before;
        }
        if let Some((&after, &len)) = self.0.range(start + 1..=end).next() {
            swallowed[1] = Some(Extent::new(Addr::new(after), len));
            end = end.max(after + len);
        }
        for run in swallowed.iter().flatten() {
            self.0.remove(&run.addr.get());
        }
        self.0.insert(start, end - start);
        (Extent::new(Addr::new(start), end - start), swallowed)
    }

    pub(crate) fn contains(&self, extent: Extent) -> bool {
        self.0
            .range(..=extent.addr.get())
            .next_back()
            .is_some_and(|(&start, &len)| start + len >= extent.end().get())
    }

    /// Takes the bytes of `extent` out; they must be in.
    fn remove(&mut self, extent: Extent) {
        let Some((&start, &len)) = self.0.range(..=extent.addr.get()).next_back() else {
            return;
        };
        self.0.remove(&start);
        if extent.addr.get() > start {
            self.0.insert(start, extent.addr.get() - start);
        }
        if start + len > extent.end().get() {
            self.0
                .insert(extent.end().get(), start + len - extent.end().get());
        }
    }

    /// Takes the bytes of `extent` out, as far as they are in.
    pub(super) fn cut(&mut self, extent: Extent) {
        let (start, end) = (extent.addr.get(), extent.end().get());
        let before = self.0.range(..start).next_back();
        let touching = before.into_iter().chain(self.0.range(start..end));
        let touching: Vec<(u64, u64)> = touching
            .map(|(&at, &len)| (at, at + len))
            .filter(|&(_, to)| to > start)
            .collect();
        for (at, to) in touching {
            self.0.remove(&at);
            if at < start {
                self.0.insert(at, start - at);
            }
            if to > end {
                self.0.insert(end, to - end);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Extent> + '_ {
        self.0
            .iter()
            .map(|(&start, &len)| Extent::new(Addr::new(start), len))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Space {
    pub(super) free: Runs,
    /// Those of at least [`SMALLEST`] bytes.
    by_size: BTreeSet<(u64, u64)>,
    fresh: Runs,
    /// With what is known of them.
    pub(super) pending: Vec<(Extent, Freed)>,
    /// The end of what has been given out.
    end: u64,
    /// How much was given out by moving `end`, since opening.
    grown: u64,
    /// Where space is given out in pages.
    pages: Option<Pages>,
    /// Which of the free space held raw data, where that is to be known.
    pub(super) raw: Option<Runs>,
    /// The size from which on blocks begin at multiples of a number, and that number.
    alignment: Option<(u64, u64)>,
}

impl Space {
    pub(crate) fn new(end: u64) -> Self {
        Self {
            free: Runs::default(),
            by_size: BTreeSet::new(),
            fresh: Runs::default(),
            pending: Vec::new(),
            end,
            grown: 0,
            pages: None,
            raw: None,
            alignment: None,
        }
    }

    /// From here on space is given out in pages of `size` bytes, behind what there is; `ours`: that was, too.
    pub(crate) fn use_pages(&mut self, size: u64, ours: bool) {
        self.pages = Some(Pages::new(size, ours));
    }

    /// As [`use_pages`](Self::use_pages), in a new file: what has been given out of it begins a page of metadata.
    pub(crate) fn begin_pages(&mut self, size: u64) {
        let mut pages = Pages::new(size, true);
        let used = Extent::new(Addr::new(0), self.end);
        match self.end < size {
            true => {
                pages.share(used.addr, Class::Metadata);
                pages.take(used.len, 1, Class::Metadata);
            }
            false => pages.own(used),
        }
        self.end = self.end.next_multiple_of(size);
        self.pages = Some(pages);
    }

    /// From here on blocks of at least `threshold` bytes begin at multiples of `alignment`. Pages have their own.
    pub(crate) fn align(&mut self, threshold: u64, alignment: u64) {
        self.alignment = (alignment > 1).then_some((threshold, alignment));
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    pub(crate) fn grown(&self) -> u64 {
        self.grown
    }

    /// `len` fresh bytes: the smallest free run that fits, else at the end.
    pub(crate) fn alloc(&mut self, len: u64, class: Class) -> Extent {
        let extent = match (&self.pages, self.alignment_of(len)) {
            (Some(_), _) => self.alloc_paged(len, 1, class),
            (None, 1) => self.alloc_run(len),
            (None, alignment) => self.alloc_at(len, &|start| start.next_multiple_of(alignment)),
        };
        self.fresh.insert(extent);
        extent
    }

    fn alignment_of(&self, len: u64) -> u64 {
        match self.alignment {
            Some((threshold, alignment)) if len >= threshold => alignment,
            _ => 1,
        }
    }

    fn alloc_run(&mut self, len: u64) -> Extent {
        let found = self.runs_from(len).next().copied();
        match found {
            Some((_, start)) => {
                let extent = Extent::new(Addr::new(start), len);
                self.take_free(extent);
                extent
            }
            None => self.alloc_at_end(len),
        }
    }

    /// As RELIABILITY.md, 2.6: a block of a page and more has its pages for itself, a smaller one lies inside a page
    /// that holds only blocks of its class.
    fn alloc_paged(&mut self, len: u64, align: u64, class: Class) -> Extent {
        loop {
            let Some(pages) = &mut self.pages else {
                return self.alloc_run(len);
            };
            let size = pages.size();
            if len < size
                && let Some(extent) = pages.take(len, align, class)
            {
                return extent;
            }
            self.end = self.end.next_multiple_of(size);
            let run = self.alloc_run(len.max(1).next_multiple_of(size));
            let Some(pages) = &mut self.pages else {
                return run;
            };
            if len >= size {
                pages.own(Extent::new(run.addr, len));
                return Extent::new(run.addr, len);
            }
            // Where no sector begins in this page, one does in a later one.
            pages.share(run.addr, class);
        }
    }

    /// The free runs of at least `len` bytes, by length: length and start.
    fn runs_from(&self, len: u64) -> impl Iterator<Item = &(u64, u64)> {
        // Mostly there are none, which takes no search to tell.
        let some = self.has_free(len);
        let runs = some.then(|| self.by_size.range((len, 0)..));
        runs.into_iter().flatten()
    }

    /// Whether that many bytes are free in one piece.
    pub(crate) fn has_free(&self, len: u64) -> bool {
        self.by_size.last().is_some_and(|(size, _)| *size >= len)
    }

    /// How far the end may move for a block of `len` bytes.
    pub(crate) fn most_taken(&self, len: u64) -> u64 {
        match &self.pages {
            Some(pages) => len.saturating_add(2 * pages.size()),
            None => len.saturating_add(self.alignment_of(len) - 1),
        }
    }

    /// `len` fresh bytes whose first `head` do not reach over a multiple of `align`; they start at one where `head` is
    /// `align`, and always in a file of pages.
    pub(crate) fn alloc_within(&mut self, len: u64, head: u64, align: u64) -> Extent {
        if self.pages.is_some() {
            let extent = self.alloc_paged(len, align, Class::Metadata);
            self.fresh.insert(extent);
            return extent;
        }
        let step = self.alignment_of(len);
        let extent = self.alloc_at(len, &|start| {
            let mut at = start.next_multiple_of(step);
            while at % align + head > align {
                at = match step {
                    1 => at.next_multiple_of(align),
                    // A common multiple at the latest.
                    _ => at + step,
                };
            }
            at
        });
        self.fresh.insert(extent);
        extent
    }

    /// `len` bytes at the first place in a run, or behind the end, that `place` finds from its beginning on.
    fn alloc_at(&mut self, len: u64, place: &dyn Fn(u64) -> u64) -> Extent {
        let fits = |&(size, start): &(u64, u64)| {
            let at = place(start);
            (at + len <= start + size).then_some(at)
        };
        let found = self.runs_from(len).take(64).find_map(fits);
        match found {
            Some(start) => {
                let extent = Extent::new(Addr::new(start), len);
                self.take_free(extent);
                extent
            }
            None => {
                let gap = place(self.end) - self.end;
                if gap > 0 {
                    let gap = self.alloc_at_end(gap);
                    // Fresh as well, so that the blocks on both sides are one run.
                    self.fresh.insert(gap);
                    self.add_free(gap, Freed::Anything);
                }
                self.alloc_at_end(len)
            }
        }
    }

    fn alloc_at_end(&mut self, len: u64) -> Extent {
        let extent = Extent::new(Addr::new(self.end), len);
        self.end += len;
        self.grown += len;
        extent
    }

    /// Gives an extent back: at once where it is fresh, after the next commit where the committed state reaches it.
    /// Returns whether it was fresh. What is known of it is of use in a file of pages.
    pub(crate) fn free(&mut self, extent: Extent, freed: Freed) -> bool {
        if extent.len == 0 {
            return true;
        }
        let fresh = self.fresh.contains(extent);
        #[cfg(test)]
        if mutant::is(Mutant::EarlyReuse) && !fresh {
            self.add_free(extent, freed);
            return true;
        }
        if fresh {
            self.fresh.remove(extent);
            self.add_free(extent, freed);
        } else {
            self.pending.push((extent, freed));
        }
        fresh
    }

    /// Gives fresh space back that a state within the commit in the making names: only that commit frees it.
    pub(super) fn free_after_commit(&mut self, extent: Extent, freed: Freed) {
        self.pending.push((extent, freed));
    }

    pub(crate) fn is_fresh(&self, extent: Extent) -> bool {
        self.fresh.contains(extent)
    }

    /// An owner uses space again that it kept, and that no committed block names.
    pub(crate) fn renew(&mut self, extent: Extent) {
        self.fresh.insert(extent);
    }

    /// Adds space that nothing reaches, found by a walk. Of pages only whole ones: what the others hold is not known.
    pub(crate) fn add_found(&mut self, extent: Extent) {
        let found = match &self.pages {
            Some(pages) => pages.whole(extent),
            None => Some(extent),
        };
        if let Some(extent) = found.filter(|extent| extent.len > 0) {
            self.add_run(extent);
        }
    }

    /// Adds space that an earlier session took out with [`take_all_after_commit`](Self::take_all_after_commit).
    pub(crate) fn add_spare(&mut self, extent: Extent, class: Class) {
        self.add_free(extent, Freed::Part(class));
    }

    /// Adds space that was given out.
    pub(super) fn add_free(&mut self, extent: Extent, freed: Freed) {
        let Some(pages) = &self.pages else {
            if extent.len > 0 {
                self.add_run(extent);
                if let Some(raw) = &mut self.raw
                    && matches!(freed, Freed::Block(Class::Raw) | Freed::Part(Class::Raw))
                {
                    raw.insert(extent);
                }
            }
            return;
        };
        for piece in pages.cut(extent, freed).into_iter().flatten() {
            let pages = self.pages.as_mut();
            if let Some(run) = pages.and_then(|pages| pages.give_back(piece, freed)) {
                self.add_run(run);
            }
        }
    }

    fn add_run(&mut self, extent: Extent) {
        let (run, swallowed) = self.free.insert(extent);
        for old in swallowed.iter().flatten() {
            self.forget_size(*old);
        }
        self.note_size(run);
    }

    fn note_size(&mut self, run: Extent) {
        if run.len >= SMALLEST {
            self.by_size.insert((run.len, run.addr.get()));
        }
    }

    fn forget_size(&mut self, run: Extent) {
        if run.len >= SMALLEST {
            self.by_size.remove(&(run.len, run.addr.get()));
        }
    }

    fn take_free(&mut self, extent: Extent) {
        let (&start, &len) = self
            .free
            .0
            .range(..=extent.addr.get())
            .next_back()
            .expect("the extent was found among the free runs");
        self.forget_size(Extent::new(Addr::new(start), len));
        self.free.remove(extent);
        if let Some(raw) = &mut self.raw {
            raw.cut(extent);
        }
        for (start, end) in [
            (start, extent.addr.get()),
            (extent.end().get(), start + len),
        ] {
            self.note_size(Extent::new(Addr::new(start), end - start));
        }
    }

    /// Takes out everything that will be free once the commit in the making is done. The end stays: until that commit
    /// is done the space before it may still be part of the committed state. Whole pages come as metadata.
    pub(crate) fn take_all_after_commit(&mut self) -> Vec<(Extent, Class)> {
        for (extent, freed) in core::mem::take(&mut self.pending) {
            self.add_free(extent, freed);
        }
        self.by_size.clear();
        if let Some(raw) = &mut self.raw {
            *raw = Runs::default();
        }
        let runs = core::mem::take(&mut self.free);
        let runs = runs.iter().map(|run| (run, Class::Metadata));
        let pieces = self.pages.as_mut().map(Pages::take_pieces);
        runs.chain(pieces.into_iter().flatten()).collect()
    }

    /// Gives a free run at the end back to the device, and returns the end.
    pub(crate) fn trim(&mut self) -> u64 {
        if let Some((&start, &len)) = self.free.0.iter().next_back()
            && start + len == self.end
        {
            self.take_free(Extent::new(Addr::new(start), len));
            self.end = start;
        }
        self.end
    }

    /// The commit is done: nothing fresh is unreachable any more, and what it freed may be used.
    pub(crate) fn committed(&mut self) {
        self.fresh = Runs::default();
        for (extent, freed) in core::mem::take(&mut self.pending) {
            self.add_free(extent, freed);
        }
    }

    pub(crate) fn free_runs(&self) -> impl Iterator<Item = Extent> + '_ {
        self.free.iter()
    }

    /// How many extents [`take_all_after_commit`](Self::take_all_after_commit) would give, at the most.
    pub(crate) fn free_extents(&self) -> usize {
        let pieces = self.pages.as_ref().map_or(0, Pages::pieces);
        self.free.0.len() + self.pending.len() + pieces
    }

    pub(crate) fn free_bytes(&self) -> u64 {
        let pending: u64 = self.pending.iter().map(|(extent, _)| extent.len).sum();
        self.free.iter().map(|run| run.len).sum::<u64>() + pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_space_is_not_reused_before_the_next_commit() {
        let mut space = Space::new(100);
        let block = space.alloc(50, Class::Metadata);
        space.committed();
        assert!(!space.free(block, Freed::Anything));
        assert_eq!(
            space.alloc(50, Class::Metadata).addr.get(),
            150,
            "still part of the committed state"
        );
        space.committed();
        assert_eq!(space.alloc(50, Class::Metadata).addr.get(), 100);
    }

    #[test]
    fn fresh_space_is_reused_at_once_and_runs_coalesce() {
        let mut space = Space::new(0);
        let (a, b) = (
            space.alloc(10, Class::Metadata),
            space.alloc(20, Class::Metadata),
        );
        assert!(space.free(b, Freed::Anything) && space.free(a, Freed::Anything));
        assert_eq!(space.alloc(30, Class::Metadata).addr.get(), 0);
        assert_eq!(space.end(), 30);
    }

    #[test]
    fn aligned_blocks_leave_their_gap_free() {
        let mut space = Space::new(10);
        assert_eq!(space.alloc_within(512, 512, 512).addr.get(), 512);
        assert_eq!(space.free_bytes(), 502);
        assert_eq!(space.alloc(502, Class::Metadata).addr.get(), 10);
    }

    #[test]
    fn blocks_of_the_threshold_and_more_begin_at_multiples() {
        let mut space = Space::new(100);
        space.align(50, 64);
        assert_eq!(space.alloc(50, Class::Raw).addr.get(), 128);
        assert_eq!(space.alloc(28, Class::Raw).addr.get(), 100, "in the gap");
        assert_eq!(space.alloc(49, Class::Metadata).addr.get(), 178);
        assert_eq!(space.alloc_within(100, 31, 512).addr.get(), 256);
        assert_eq!(space.most_taken(50), 113);
        let mut space = Space::new(1);
        space.align(1, 1000);
        let within = space.alloc_within(600, 512, 512).addr.get();
        assert_eq!((within % 1000, within % 512), (0, 0));
    }

    #[test]
    fn the_head_of_a_block_stays_within_a_sector() {
        let mut space = Space::new(470);
        assert_eq!(space.alloc_within(100, 31, 512).addr.get(), 470);
        assert_eq!(space.alloc_within(430, 31, 512).addr.get(), 570);
        assert_eq!(
            space.alloc_within(100, 31, 512).addr.get(),
            1024,
            "not 1000"
        );
        assert_eq!(space.alloc(24, Class::Metadata).addr.get(), 1000);
    }

    #[test]
    fn the_end_comes_back_when_the_last_block_is_free() {
        let mut space = Space::new(0);
        let _kept = space.alloc(8, Class::Metadata);
        let last = space.alloc(100, Class::Metadata);
        space.committed();
        space.free(last, Freed::Anything);
        assert_eq!(space.trim(), 108, "not before the commit");
        space.committed();
        assert_eq!(space.trim(), 8);
    }

    #[test]
    fn a_part_of_a_fresh_block_can_be_given_back() {
        let mut space = Space::new(0);
        let block = space.alloc(100, Class::Metadata);
        assert!(space.free(Extent::new(Addr::new(40), 60), Freed::Anything));
        assert!(space.is_fresh(Extent::new(block.addr, 40)));
        assert!(!space.is_fresh(block));
        assert_eq!(space.alloc(60, Class::Metadata).addr.get(), 40);
    }
}
