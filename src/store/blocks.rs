//! Blocks that wait to be written.

use crate::bytes::{Addr, Extent};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// A block that follows another one joins it while both are no more than this.
const JOINED: usize = if cfg!(test) { 1 << 10 } else { 16 << 10 };

/// Blocks at addresses, kept until they are written; none overlaps another.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    settled: BTreeMap<u64, Vec<u8>>,
    /// The block that came last, which those that follow it may join: the headers of many new objects come in the order
    /// of their addresses, and one block of them all is cheaper than a block each.
    newest: Option<Newest>,
}

#[derive(Debug)]
struct Newest {
    start: u64,
    bytes: Vec<u8>,
    /// Where the next block begins, once that has been looked up.
    limit: Option<u64>,
}

impl Newest {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn touches(&self, start: u64, end: u64) -> bool {
        self.start < end && start < self.end()
    }
}

impl Blocks {
    pub(super) fn is_empty(&self) -> bool {
        self.settled.is_empty() && self.newest.is_none()
    }

    /// The blocks that touch `[start, end)`.
    pub(super) fn touching(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, &[u8])> {
        let before = self.settled.range(..start).next_back();
        let settled = before
            .into_iter()
            .chain(self.settled.range(start..end))
            .map(|(&at, bytes)| (at, bytes.as_slice()))
            .filter(move |(at, bytes)| at + bytes.len() as u64 > start);
        let newest = self.newest.iter();
        let newest = newest.filter(move |newest| newest.touches(start, end));
        settled.chain(newest.map(|newest| (newest.start, newest.bytes.as_slice())))
    }

    /// Whether any block touches `[start, end)`.
    pub(super) fn touch(&self, start: u64, end: u64) -> bool {
        self.touching(start, end).next().is_some()
    }

    /// The bytes of `[start, start + len)`, where one block has them all.
    pub(super) fn covering(&self, start: u64, len: usize) -> Option<&[u8]> {
        let part = |at: u64, bytes: &'_ [u8]| -> Option<core::ops::Range<usize>> {
            let from = usize::try_from(start.checked_sub(at)?).ok()?;
            let to = from.checked_add(len)?;
            (to <= bytes.len()).then_some(from..to)
        };
        if let Some(newest) = &self.newest
            && let Some(range) = part(newest.start, &newest.bytes)
        {
            return newest.bytes.get(range);
        }
        let (&at, bytes) = self.settled.range(..=start).next_back()?;
        bytes.get(part(at, bytes)?)
    }

    /// Puts a block in the place of what was there, and returns how many bytes that were.
    pub(super) fn put(&mut self, start: u64, bytes: Vec<u8>) -> usize {
        if self.join(start, &bytes) {
            return 0;
        }
        self.settle();
        let extent = Extent::new(Addr::new(start), bytes.len() as u64);
        let replaced = self.remove(extent);
        self.newest = Some(Newest {
            start,
            bytes,
            limit: None,
        });
        replaced
    }

    /// Puts a block that follows the newest one behind it, where that keeps short and there is nothing yet.
    fn join(&mut self, start: u64, bytes: &[u8]) -> bool {
        let Some(newest) = &mut self.newest else {
            return false;
        };
        if newest.end() != start || newest.bytes.len() + bytes.len() > JOINED {
            return false;
        }
        let limit = *newest.limit.get_or_insert_with(|| {
            let next = self.settled.range(start..).next();
            next.map_or(u64::MAX, |(&next, _)| next)
        });
        let fits = start + bytes.len() as u64 <= limit;
        if fits {
            if newest.bytes.capacity() - newest.bytes.len() < bytes.len() {
                // Many more will probably follow.
                let most = JOINED - newest.bytes.len();
                let more = (3 * newest.bytes.len()).max(bytes.len());
                newest.bytes.reserve_exact(more.min(most));
            }
            newest.bytes.extend_from_slice(bytes);
        }
        fits
    }

    /// Makes the newest block one as all others.
    fn settle(&mut self) {
        if let Some(mut newest) = self.newest.take() {
            // It has room for blocks that have not come.
            newest.bytes.shrink_to_fit();
            self.settled.insert(newest.start, newest.bytes);
        }
    }

    /// Puts `bytes` into the blocks that overlap them and, where asked, makes blocks of the rest, which join no others;
    /// returns how many bytes were added.
    pub(super) fn patch(&mut self, start: u64, bytes: &[u8], add: bool) -> usize {
        self.settle();
        let (mut at, mut rest, mut added) = (start, bytes, 0);
        while !rest.is_empty() {
            if let Some((&block_at, block)) = self.settled.range_mut(..=at).next_back()
                && let Some(room) = block.get_mut((at - block_at) as usize..)
                && !room.is_empty()
            {
                let len = room.len().min(rest.len());
                room[..len].copy_from_slice(&rest[..len]);
                (at, rest) = (at + len as u64, &rest[len..]);
                continue;
            }
            let next = self
                .settled
                .range(at..)
                .next()
                .map_or(u64::MAX, |(&next, _)| next);
            let len = rest
                .len()
                .min(usize::try_from(next - at).unwrap_or(usize::MAX));
            if add {
                self.settled.insert(at, rest[..len].to_vec());
                added += len;
            }
            (at, rest) = (at + len as u64, &rest[len..]);
        }
        added
    }

    /// Removes the bytes of `extent`, as far as there are any, and returns how many.
    pub(super) fn remove(&mut self, extent: Extent) -> usize {
        let (start, end) = (extent.addr.get(), extent.end().get());
        if self.newest.iter().any(|newest| newest.touches(start, end)) {
            self.settle();
        }
        let mut removed = 0;
        while let Some((&at, bytes)) = self.settled.range_mut(..end).next_back()
            && let block_end = at + bytes.len() as u64
            && block_end > start
        {
            let kept_from = block_end.min(end);
            removed += (kept_from - at.max(start)) as usize;
            let behind = bytes.split_off((kept_from - at) as usize);
            match at < start {
                true => bytes.truncate((start - at) as usize),
                false => drop(self.settled.remove(&at)),
            }
            if !behind.is_empty() {
                self.settled.insert(kept_from, behind);
            }
        }
        removed
    }

    /// Takes all blocks out.
    pub(super) fn take(&mut self) -> BTreeMap<u64, Vec<u8>> {
        self.settle();
        core::mem::take(&mut self.settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the blocks are to hold, byte for byte.
    #[derive(Default)]
    struct Model(BTreeMap<u64, u8>);

    impl Model {
        fn remove(&mut self, start: u64, len: u64) -> usize {
            let before = self.0.len();
            self.0.retain(|at, _| !(start..start + len).contains(at));
            before - self.0.len()
        }

        fn put(&mut self, start: u64, bytes: &[u8]) -> usize {
            let removed = self.remove(start, bytes.len() as u64);
            self.0.extend((start..).zip(bytes.iter().copied()));
            removed
        }
    }

    fn check(blocks: &Blocks, model: &Model, start: u64, len: u64) {
        let end = start + len;
        let expected: Vec<(u64, u8)> = model.0.range(start..end).map(|(a, b)| (*a, *b)).collect();
        let mut found = Vec::new();
        for (at, bytes) in blocks.touching(start, end) {
            assert!(at < end && at + bytes.len() as u64 > start);
            let within = (at..).zip(bytes.iter().copied());
            found.extend(within.filter(|(at, _)| (start..end).contains(at)));
        }
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(blocks.touch(start, end), !expected.is_empty());
        if let Some(bytes) = blocks.covering(start, len as usize) {
            let expected: Vec<u8> = expected.into_iter().map(|(_, byte)| byte).collect();
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn what_blocks_hold_is_what_was_put_last() {
        let (mut blocks, mut model) = (Blocks::default(), Model::default());
        let mut seed = 0x1234_5678_9abc_def0_u64;
        let mut random = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let mut next = 0;
        for step in 0..20_000_u64 {
            let len = 1 + random(300);
            // Behind the last one more often than elsewhere.
            let start = match random(4) {
                0 => random(20_000),
                _ => next,
            };
            let bytes: Vec<u8> = (0..len).map(|number| (step + number) as u8).collect();
            match random(8) {
                0 => {
                    let extent = Extent::new(Addr::new(start), len);
                    assert_eq!(blocks.remove(extent), model.remove(start, len));
                }
                1 => {
                    let before = model.0.len();
                    model.put(start, &bytes);
                    let added = blocks.patch(start, &bytes, true);
                    assert_eq!(added, model.0.len() - before);
                }
                2 => {
                    for (at, byte) in (start..).zip(&bytes) {
                        model.0.entry(at).and_modify(|known| *known = *byte);
                    }
                    assert_eq!(blocks.patch(start, &bytes, false), 0);
                }
                _ => {
                    assert_eq!(blocks.put(start, bytes.clone()), model.put(start, &bytes));
                    next = (start + len) % 20_000;
                }
            }
            check(&blocks, &model, random(20_000), 1 + random(600));
            check(&blocks, &model, start, len);
        }
        let all = blocks.take();
        assert!(blocks.is_empty() && all.len() > 10);
        let mut end = 0;
        for (at, bytes) in all {
            assert!(at >= end, "two blocks overlap");
            end = at + bytes.len() as u64;
            assert_eq!(model.remove(at, bytes.len() as u64), bytes.len());
        }
        assert!(model.0.is_empty());
    }

    #[test]
    fn a_block_that_follows_the_newest_joins_it_up_to_a_limit() {
        let mut blocks = Blocks::default();
        blocks.put(700, alloc::vec![7; 100]);
        for number in 0..7 {
            assert_eq!(blocks.put(100 * number, alloc::vec![number as u8; 100]), 0);
        }
        assert_eq!(blocks.covering(50, 600).map(|bytes| bytes[599]), Some(6));
        // Not over the next one, which it replaces.
        assert_eq!(blocks.put(700, alloc::vec![8; 100]), 100);
        assert_eq!(blocks.put(800, alloc::vec![9; 100]), 0);
        let lens: Vec<(u64, usize)> = blocks
            .take()
            .into_iter()
            .map(|(at, bytes)| (at, bytes.len()))
            .collect();
        assert_eq!(lens, [(0, 700), (700, 200)]);
        let put = |blocks: &mut Blocks, at| blocks.put(at, alloc::vec![0; JOINED / 2]);
        for half in 0..3 {
            put(&mut blocks, half * JOINED as u64 / 2);
        }
        assert_eq!(blocks.take().len(), 2);
    }
}
