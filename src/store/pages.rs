//! Space in a file of pages (file space strategy "page"): small blocks of metadata and of raw data never share a page
//! and never cross from one page into the next; a larger block begins at a page and has its last page for itself.
//!
//! Only pages given out since the file was opened are known here. In a file of ours others become known by what an earlier
//! session left in them, and by what is freed in them where its class is known. In a file of another writer space in them that
//! is freed stays unused: which of it is free is for the managers to say that the file keeps, and those are left as they are.

use crate::bytes::{Addr, Extent};
use alloc::collections::{BTreeMap, BTreeSet};

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Metadata,
    /// Elements of datasets, the global heap, huge objects of fractal heaps.
    Raw,
}

/// What is known of space that is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freed {
    Anything,
    /// A block as it was given out, or its end.
    Block(Class),
    /// Perhaps a part of what was given out as one block.
    Part(Class),
}

#[derive(Debug, Clone)]
pub(crate) struct Pages {
    size: u64,
    /// Whether all of the file is laid out as here.
    ours: bool,
    /// Pages of small blocks, by where they begin.
    shared: BTreeMap<u64, Class>,
    /// Blocks that have pages for themselves: start to end.
    owned: BTreeMap<u64, u64>,
    /// Free space in shared pages: start to length, never across pages.
    free: BTreeMap<u64, u64>,
    by_size: BTreeSet<(Class, u64, u64)>,
}

impl Pages {
    pub(crate) fn new(size: u64, ours: bool) -> Self {
        Self {
            size,
            ours,
            shared: BTreeMap::new(),
            owned: BTreeMap::new(),
            free: BTreeMap::new(),
            by_size: BTreeSet::new(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// A new page for small blocks.
    pub(crate) fn share(&mut self, page: Addr, class: Class) {
        self.shared.insert(page.get(), class);
        self.add(page.get(), self.size, class);
    }

    /// A new block that has its pages for itself.
    pub(crate) fn own(&mut self, block: Extent) {
        self.owned.insert(block.addr.get(), block.end().get());
    }

    /// Takes out the free pieces of shared pages, for a later session.
    pub(crate) fn take_pieces(&mut self) -> impl Iterator<Item = (Extent, Class)> + use<> {
        self.free.clear();
        let pieces = core::mem::take(&mut self.by_size).into_iter();
        pieces.map(|(class, len, start)| (Extent::new(Addr::new(start), len), class))
    }

    /// How many pieces [`take_pieces`](Self::take_pieces) would take, at the most.
    pub(crate) fn pieces(&self) -> usize {
        self.by_size.len()
    }

    /// The whole pages of space that nothing reaches.
    pub(crate) fn whole(&self, extent: Extent) -> Option<Extent> {
        let from = extent.addr.get().next_multiple_of(self.size);
        let to = extent.end().get() / self.size * self.size;
        (from < to).then(|| Extent::new(Addr::new(from), to - from))
    }

    /// `len` bytes of a shared page, less than it has.
    pub(crate) fn take(&mut self, len: u64, align: u64, class: Class) -> Option<Extent> {
        let last = (class, u64::MAX, u64::MAX);
        let fits = |&(_, size, start): &(Class, u64, u64)| {
            let at = start.next_multiple_of(align);
            (at + len <= start + size).then_some((start, size, at))
        };
        let mut pieces = self.by_size.range((class, len, 0)..=last);
        let (start, size, at) = pieces.find_map(fits)?;
        self.free.remove(&start);
        self.by_size.remove(&(class, size, start));
        for (from, to) in [(start, at), (at + len, start + size)] {
            if to > from {
                self.free.insert(from, to - from);
                self.by_size.insert((class, to - from, from));
            }
        }
        Some(Extent::new(Addr::new(at), len))
    }

    /// Space that is given back, cut where it has to be: chunks that were one block may begin and end anywhere in pages.
    pub(crate) fn cut(&self, extent: Extent, freed: Freed) -> [Option<Extent>; 3] {
        let (start, end) = (extent.addr.get(), extent.end().get());
        let known = self.owned_at(start).is_some();
        let (first, last) = (
            start.next_multiple_of(self.size),
            end / self.size * self.size,
        );
        if known || !self.ours || !matches!(freed, Freed::Part(_)) || first > last {
            return [Some(extent), None, None];
        }
        let piece = |from, to| (from < to).then(|| Extent::new(Addr::new(from), to - from));
        [piece(start, first), piece(first, last), piece(last, end)]
    }

    /// Takes back what an earlier session has given out.
    fn recall(&mut self, extent: Extent, freed: Freed) -> Option<Extent> {
        let page = extent.addr.get() / self.size * self.size;
        let inside = extent.end().get() <= page + self.size && extent.len < self.size;
        match freed {
            _ if !self.ours => None,
            Freed::Part(class) | Freed::Block(class) if inside => {
                self.shared.insert(page, class);
                self.give_back(extent, freed)
            }
            Freed::Block(_) => {
                // It has its last page for itself.
                let to = extent.end().get().next_multiple_of(self.size);
                self.whole(Extent::new(extent.addr, to - extent.addr.get()))
            }
            Freed::Part(_) => self.whole(extent),
            Freed::Anything => None,
        }
    }

    /// The block that has its pages for itself and is at `start`.
    fn owned_at(&self, start: u64) -> Option<(u64, u64)> {
        let (&block, &end) = self.owned.range(..=start).next_back()?;
        (start < end).then_some((block, end))
    }

    /// Takes a block back, or a part of one, and returns the whole pages that makes free.
    pub(crate) fn give_back(&mut self, extent: Extent, freed: Freed) -> Option<Extent> {
        let (start, end) = (extent.addr.get(), extent.end().get());
        if extent.len == 0 {
            return None;
        }
        let page = start / self.size * self.size;
        if let Some(&class) = self.shared.get(&page) {
            let run = self.add(start, extent.len, class);
            if run.len < self.size {
                return None;
            }
            self.free.remove(&page);
            self.by_size.remove(&(class, run.len, page));
            self.shared.remove(&page);
            return Some(run);
        }
        let Some((block, block_end)) = self.owned_at(start) else {
            return self.recall(extent, freed);
        };
        if end > block_end || (block != start && block_end != end) {
            return None;
        }
        // The end of a block goes, with what is left of its last page; or its beginning, in whole pages.
        let from = start.next_multiple_of(self.size);
        let to = match end == block_end {
            true => end.next_multiple_of(self.size),
            false => end / self.size * self.size,
        };
        self.owned.remove(&block);
        if start > block {
            self.owned.insert(block, start);
        } else if end < block_end {
            self.owned.insert(to.max(block), block_end);
        }
        (from < to).then(|| Extent::new(Addr::new(from), to - from))
    }

    /// Adds free space of a shared page and returns the run it is part of now.
    fn add(&mut self, start: u64, len: u64, class: Class) -> Extent {
        let (mut from, mut to) = (start, start + len);
        let page = start / self.size * self.size;
        if let Some((&before, &size)) = self.free.range(page..start).next_back()
            && before + size == start
        {
            self.by_size.remove(&(class, size, before));
            from = before;
        }
        if to < page + self.size
            && let Some(size) = self.free.remove(&to)
        {
            self.by_size.remove(&(class, size, to));
            to += size;
        }
        self.free.insert(from, to - from);
        self.by_size.insert((class, to - from, from));
        Extent::new(Addr::new(from), to - from)
    }
}

#[cfg(test)]
mod tests {
    use super::super::space::Space;
    use super::*;

    fn paged(size: u64, end: u64) -> Space {
        let mut space = Space::new(end);
        space.use_pages(size, false);
        space
    }

    #[test]
    fn classes_have_pages_of_their_own_and_no_small_block_crosses_one() {
        let mut space = paged(4096, 5000);
        let metadata = space.alloc(100, Class::Metadata);
        let raw = space.alloc(100, Class::Raw);
        assert_eq!((metadata.addr.get(), raw.addr.get()), (8192, 12288));
        assert_eq!(space.alloc(3996, Class::Metadata).addr.get(), 8292);
        assert_eq!(space.alloc(4000, Class::Raw).addr.get(), 16384);
        assert_eq!(space.alloc(1, Class::Raw).addr.get(), 20383 + 1);
        assert_eq!(space.end(), 20480);
    }

    #[test]
    fn large_blocks_have_their_pages_for_themselves() {
        let mut space = paged(4096, 4096);
        let large = space.alloc(5000, Class::Raw);
        assert_eq!((large.addr.get(), space.end()), (4096, 12288));
        assert_eq!(space.alloc(10, Class::Raw).addr.get(), 12288);
        assert!(space.free(Extent::new(Addr::new(4096 + 4500), 500), Freed::Anything));
        assert_eq!(
            space.alloc(4096, Class::Metadata).addr.get(),
            16384,
            "not yet"
        );
        assert!(space.free(Extent::new(Addr::new(4096), 4500), Freed::Anything));
        assert_eq!(space.alloc(8192, Class::Metadata).addr.get(), 4096);
    }

    #[test]
    fn empty_pages_change_their_class_and_unknown_ones_stay_unused() {
        let mut space = paged(4096, 4096);
        let (a, b) = (space.alloc(50, Class::Raw), space.alloc(60, Class::Raw));
        space.free(a, Freed::Anything);
        space.free(b, Freed::Anything);
        assert_eq!(space.alloc(10, Class::Metadata).addr.get(), 4096);
        space.free(Extent::new(Addr::new(0), 4096), Freed::Block(Class::Raw));
        space.committed();
        assert_eq!(space.alloc(4096, Class::Raw).addr.get(), 8192);
    }

    #[test]
    fn a_later_session_uses_what_is_left_of_pages() {
        let mut space = paged(4096, 4096);
        let a = space.alloc(50, Class::Metadata);
        let raw = space.alloc(60, Class::Raw);
        let large = space.alloc(5000, Class::Raw);
        space.committed();
        let mut later = Space::new(space.end());
        later.use_pages(4096, true);
        assert_eq!(space.free_extents(), 2);
        let spare = space.take_all_after_commit();
        let rest = |of: Extent| Extent::new(of.end(), 4096 - of.len);
        assert_eq!(spare, [(rest(a), Class::Metadata), (rest(raw), Class::Raw)]);
        let next = space.alloc(10, Class::Metadata).addr.get();
        assert_eq!(next, 20480, "not here");
        for (extent, class) in spare {
            later.add_spare(extent, class);
        }
        assert_eq!(later.alloc(4046, Class::Metadata), rest(a));
        assert_eq!(later.alloc(4000, Class::Raw).addr, raw.end());
        // What it frees of an earlier session's it uses, too, where it knows the class.
        later.free(raw, Freed::Block(Class::Raw));
        later.free(large, Freed::Block(Class::Raw));
        later.committed();
        assert_eq!(later.alloc(60, Class::Raw), raw);
        assert_eq!(later.alloc(8192, Class::Metadata).addr, large.addr);
        let mut last = Space::new(20480);
        last.use_pages(4096, true);
        last.free(a, Freed::Anything);
        last.free(raw, Freed::Block(Class::Raw));
        last.committed();
        assert_eq!(last.alloc(50, Class::Metadata).addr.get(), 20480);
        assert_eq!(last.alloc(50, Class::Raw).addr, raw.addr);
    }

    #[test]
    fn chunks_of_one_block_are_given_back_one_by_one() {
        let mut space = Space::new(20480);
        space.use_pages(4096, true);
        let chunk = |number: u64| Extent::new(Addr::new(4096 + number * 3000), 3000);
        for number in [2, 0, 3, 1] {
            space.free(chunk(number), Freed::Part(Class::Raw));
        }
        space.committed();
        assert_eq!(space.alloc(8192, Class::Metadata).addr.get(), 4096);
        assert_eq!(space.alloc(12000 - 8192, Class::Raw).addr.get(), 12288);
        assert_eq!(
            space.alloc(200, Class::Raw).addr.get(),
            20480,
            "no chunk of it"
        );
    }

    #[test]
    fn sector_0_shares_its_page_with_metadata() {
        for size in [512, 600, 4096] {
            let mut space = Space::new(512);
            space.begin_pages(size);
            assert_eq!(space.end(), size);
            let first = space.alloc(40, Class::Metadata).addr.get();
            assert_eq!(first, 512);
            assert_eq!(space.alloc(40, Class::Raw).addr.get() % size, 0);
        }
    }

    #[test]
    fn sectors_are_found_in_pages_of_any_size() {
        for size in [512, 513, 600, 1000, 4096, 65536] {
            let mut space = paged(size, 100);
            for _ in 0..20 {
                let sector = space.alloc_within(512, 512, 512);
                let start = sector.addr.get();
                assert_eq!(start % 512, 0);
                assert_eq!(start / size, (start + 511) / size, "pages of {size}");
            }
            assert!(space.end() <= 20 * 512 * size);
        }
    }

    #[test]
    fn blocks_never_overlap_nor_share_pages_across_classes() {
        let (mut space, mut live) = (paged(1000, 12_345), std::vec::Vec::new());
        let mut state = 7_u64;
        for round in 0..3000 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let draw = (state >> 33) as usize;
            if draw.is_multiple_of(3) && !live.is_empty() {
                let (extent, _) = live.swap_remove(draw / 3 % live.len());
                space.free(extent, Freed::Anything);
            } else {
                let len = [40, 300, 999, 1000, 3500][draw % 5] + draw as u64 % 7;
                let class = if draw.is_multiple_of(2) {
                    Class::Raw
                } else {
                    Class::Metadata
                };
                live.push((space.alloc(len, class), class));
            }
            if round % 100 == 0 {
                space.committed();
            }
        }
        live.sort();
        for pair in live.windows(2) {
            let ((a, class_a), (b, class_b)) = (pair[0], pair[1]);
            assert!(a.end() <= b.addr, "{a:?} {b:?}");
            let (last, first) = ((a.end().get() - 1) / 1000, b.addr.get() / 1000);
            assert!(class_a == class_b || last < first, "{a:?} {b:?}");
        }
        for (extent, _) in &live {
            let start = extent.addr.get();
            let inside = start / 1000 == (extent.end().get() - 1) / 1000;
            assert!(inside || start % 1000 == 0 && extent.len >= 1000);
        }
    }
}
