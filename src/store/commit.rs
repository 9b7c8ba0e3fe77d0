//! The commit: in what order blocks reach the device, so that a reader who finds the file after a death at any
//! instruction sees the last commit or the one in flight, never a mixture.
//!
//! The invariants, which the tests quote:
//!
//! * **I1** Between two commits nothing is written but free or fresh space, bytes no committed block names
//!   (`fill_in`, rows of a tail chunk beyond the committed extent that name no places in the file), and a commit's own
//!   flips. While such bytes are not committed, and until the next session has made them fill, the device is longer than
//!   the file.
//! * **I2** The durable length of the device is at least the end-of-file address of the superblock, which is at least
//!   the end of every reachable block, at every prefix of the writes.
//! * **I3** A flip lies inside one 512-byte sector, and all flips of a sector are one write. (Headers of other
//!   writers that straddle a sector are the documented exception; they share one write with both sectors. So is a file
//!   without a flip record where sectors would have to wait for each other: there each cell is a write.)
//! * **I4** No flip is written before a sync of everything it reaches.
//! * **I5** Space freed by a commit is not reused before that commit's last sync.
//! * **I6** A body is never written to the slot the committed cell names.
//! * **I7** The consistency flags of the superblock are 0.
//! * **I8** A walk over the committed file finds no overlap, no cycle and no wrong checksum.
//! * **I9** Reopening any prefix (any subset of sectors between two syncs) gives commit k or k+1 of every object.
//!
//! The order of one commit:
//!
//! ```text
//! 0   the device is made long enough           (a sync where 1b will name the new end)
//! 1   staged blocks, in address order
//! 1b  where a flip lies outside sector 0: sector 0 with its OLD cells and the NEW end of file;
//!     also where the root group loses the symbol table that an old superblock repeats: without that entry's cache,
//!     which is right for the old state too; with the early flips of that sector
//! 1c  where flips lie in several sectors of a file of ours: the flip record
//! 2   sync
//! 3a  early flips (blocks outside their cell's sector that are also right for the old state); sync
//! 3   the flips, one write per sector: a group that a link has moved out of after the one it has moved to, so that it is
//!     at both places rather than at none; in a file without a flip record also as the counts of links ask for
//!     (object/relinks.rs), with a sync between; sector 0 with the superblock last in a file of ours
//! 4   sync; only now is the space this commit freed given out again
//! ```

#[cfg(test)]
use super::mutant::{self, Mutant};
use super::pages::{Class, Freed};
use super::stage::{Flip, FlipOrder, Store, overlay};
use super::stamp::{SECTOR, SectorFlip, Stamp, encode_record, record_size};
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Ordered writes: a killed process.
    Flush,
    /// Ordered writes and two syncs: power loss.
    Sync,
}

/// The device is extended by a quarter within these bounds, so that most commits need not change its length.
const MIN_GROWTH: u64 = 64 << 10;
const MAX_GROWTH: u64 = 64 << 20;

/// A run of sectors that is rewritten by one write: one sector, but for headers of others that straddle.
struct Group {
    start: u64,
    /// The bytes actually written: from the first to the last flip.
    from: u64,
    after: Vec<u8>,
}

impl Store {
    /// Makes everything staged the state of the file.
    pub(crate) fn commit(&mut self, level: Level) -> Result<()> {
        let end = self.space.trim();
        let new_end_of_file = self.superblock.base + end;
        let nothing = self.flips.is_empty() && self.staged.is_empty() && self.recovered.is_empty();
        let marked = self.superblock.is_marked();
        let same_end = new_end_of_file == self.superblock.end_of_file;
        if nothing && self.created && same_end && !marked {
            return self.sync_if(level == Level::Sync && self.unsynced);
        }
        self.write_recovered(level)?;
        #[cfg(test)]
        self.name_end_of_file_early()?;
        self.sync_mark(level == Level::Sync)?;
        self.extend_device(new_end_of_file)?;
        self.write_staged()?;
        let reaches_out = self.created && (self.flips_outside_sector_0() || self.root_cache_stale);
        if reaches_out {
            self.prepare_far_flips(level)?;
        }
        let generation = self.generation() + 1;
        let alone = self.stamp.is_some() && !self.flips_outside_sector_0();
        let groups = match alone {
            true => Vec::new(),
            false => self.flip_groups(generation, &|_, _| true)?,
        };
        if reaches_out && let Some(record) = self.stamp.as_ref().and_then(|stamp| stamp.record) {
            self.write_record(generation, record, &groups)?;
        }
        let synced = level == Level::Sync;
        #[cfg(test)]
        let synced = synced && !mutant::is(Mutant::NoFirstSync);
        self.sync_if(synced)?;
        match alone {
            true => self.write_sector_0(generation)?,
            #[cfg(test)]
            false if mutant::is(Mutant::EarlyFlipsLast) => {
                self.write_flips(groups, level)?;
                self.write_early_flips(level)?;
            }
            false => {
                self.write_early_flips(level)?;
                self.write_flips(groups, level)?;
            }
        }
        self.sync_if(level == Level::Sync)?;
        self.superblock.end_of_file = self.end_of_file();
        self.superblock.consistency_flags = 0;
        if let Some(stamp) = &mut self.stamp {
            stamp.generation = generation;
        }
        self.created = true;
        self.in_place = false;
        self.flips.clear();
        self.after.clear();
        self.space.committed();
        Ok(())
    }

    /// Step 3 where all flips lie in sector 0 of a file of ours: one write, in which nothing has to come before anything.
    fn write_sector_0(&mut self, generation: u64) -> Result<()> {
        let mut sector = self.committed_sector_0()?;
        for (&at, flip) in &self.flips {
            overlay(&mut sector, 0, at, &flip.bytes);
        }
        let mut superblock = self.superblock.clone();
        superblock.end_of_file = self.end_of_file();
        superblock.consistency_flags = 0;
        let bytes = superblock.encode();
        sector[..bytes.len()].copy_from_slice(&bytes);
        if let Some(stamp) = &self.stamp {
            let stamp = Stamp {
                generation,
                record: stamp.record,
                bound: self.bound,
            };
            stamp.encode(&mut sector, bytes.len());
        }
        self.write_device(self.superblock.base, &sector)
    }

    /// Step 3. What a link has left comes after where it is now. In a file that has no flip record a barrier is between,
    /// and sector 0 is as any other: step 1b has named the new end of the file where flips lie in several sectors. Where
    /// the sectors of such a file would have to wait for each other in a circle, their cells are written one by one.
    fn write_flips(&mut self, groups: Vec<Group>, level: Level) -> Result<()> {
        let sector_of = |at: u64| at / SECTOR as u64 * SECTOR as u64;
        let (mut turns, circle) = self.turns(&sector_of);
        if self.stamp.is_none() && !turns.is_empty() {
            if circle {
                (turns, _) = self.turns(&|at| at);
                return self.write_in_turns(&turns, &|at| at, level);
            }
            return self.write_in_turns(&turns, &sector_of, level);
        }
        let mut order: Vec<(usize, Group)> = groups
            .into_iter()
            .map(|group| match group.start {
                0 if self.stamp.is_some() => (usize::MAX, group),
                start => (turns.get(&start).copied().unwrap_or(0), group),
            })
            .collect();
        order.sort_by_key(|(turn, _)| *turn);
        order
            .iter()
            .try_for_each(|(_, group)| self.write_group(group))
    }

    fn write_in_turns(
        &mut self,
        turns: &BTreeMap<u64, usize>,
        unit: &dyn Fn(u64) -> u64,
        level: Level,
    ) -> Result<()> {
        let turn_of = |at: u64, flip: &Flip| {
            let cell = match flip.order {
                FlipOrder::With(cell) => cell.get(),
                _ => at,
            };
            turns.get(&unit(cell)).copied().unwrap_or(0)
        };
        let last = turns.values().max().copied().unwrap_or(0);
        for turn in 0..=last {
            let generation = self.generation() + 1;
            let groups = self.flip_groups(generation, &|at, flip| turn_of(at, flip) == turn)?;
            self.sync_if(turn > 0 && level == Level::Sync)?;
            for group in &groups {
                self.write_group(group)?;
            }
        }
        Ok(())
    }

    /// When each unit (a sector, or a cell) is written that has to come after another; all others have turn 0. In a
    /// circle that cannot be for all: the first of those that are left is then taken as it comes.
    fn turns(&self, unit: &dyn Fn(u64) -> u64) -> (BTreeMap<u64, usize>, bool) {
        let flips = |at: &u64| self.flips.contains_key(at);
        let edges: BTreeSet<(u64, u64)> = self
            .after
            .iter()
            .filter(|(later, earlier)| flips(later) && flips(earlier))
            .map(|(later, earlier)| (unit(*earlier), unit(*later)))
            .filter(|(earlier, later)| earlier != later)
            .collect();
        let (mut turns, mut circle) = (BTreeMap::new(), false);
        let mut waits_for: BTreeMap<u64, usize> = BTreeMap::new();
        for (earlier, later) in &edges {
            waits_for.entry(*earlier).or_default();
            *waits_for.entry(*later).or_default() += 1;
        }
        let free = waits_for.iter().filter(|(_, count)| **count == 0);
        let mut ready: BTreeSet<u64> = free.map(|(at, _)| *at).collect();
        loop {
            let next = ready.pop_first().or_else(|| {
                let first = waits_for.keys().next().copied();
                circle |= first.is_some();
                first
            });
            let Some(at) = next else {
                return (turns, circle);
            };
            waits_for.remove(&at);
            let turn = turns.get(&at).copied().unwrap_or(0);
            for &(_, later) in edges.range((at, 0)..=(at, u64::MAX)) {
                if let Some(count) = waits_for.get_mut(&later) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(later);
                    }
                    let least = turns.entry(later).or_insert(0);
                    *least = (turn + 1).max(*least);
                }
            }
        }
    }

    fn write_group(&mut self, group: &Group) -> Result<()> {
        let after = &group.after[(group.from - group.start) as usize..];
        self.write_device(self.superblock.base + group.from, after)
    }

    /// Cuts the device off behind the end of the file. What was there before stays if nothing has been written: the end
    /// that a damaged superblock names may be wrong. A byte more stays where something that a death left could not be cleaned.
    pub(crate) fn trim_device(&mut self) -> Result<()> {
        let end = self.superblock.end_of_file + u64::from(self.untidy);
        if self.created && self.written && self.device_len > end {
            self.device.set_len(end)?;
            self.device_len = end;
            self.synced_len = self.synced_len.min(self.device_len);
        }
        Ok(())
    }

    pub(super) fn sync_if(&mut self, wanted: bool) -> Result<()> {
        if wanted {
            self.device.sync()?;
            self.unsynced = false;
            self.synced_len = self.device_len;
            self.unsynced_mark = false;
        }
        Ok(())
    }

    fn write_recovered(&mut self, level: Level) -> Result<()> {
        let recovered = self.recovered.take();
        if recovered.is_empty() {
            return Ok(());
        }
        // Sector 0 last: its generation says that the interrupted commit is complete.
        for (at, sector) in recovered.iter().rev() {
            self.write_device(self.superblock.base + at, sector)?;
        }
        self.sync_if(level == Level::Sync)
    }

    /// The end of the file as the next superblock says it.
    fn end_of_file(&self) -> u64 {
        self.superblock.base + self.space.end()
    }

    pub(super) fn extend_device(&mut self, end: u64) -> Result<()> {
        // Longer than any end of the file that this commit names before it is done: what is in place may not be committed then.
        let end = end + u64::from(self.in_place || self.untidy);
        if end <= self.device_len {
            return Ok(());
        }
        let reserve = if self.created {
            (end / 4).clamp(MIN_GROWTH, MAX_GROWTH)
        } else {
            0
        };
        self.unsynced = true;
        self.device.set_len(end + reserve)?;
        self.device_len = end + reserve;
        Ok(())
    }

    /// Writes all staged blocks, neighbours in one write.
    pub(crate) fn write_staged(&mut self) -> Result<()> {
        const RUN: usize = 1 << 20;
        let mut staged = self.staged.take().into_iter().peekable();
        self.staged_bytes = 0;
        let mut run = Vec::new();
        while let Some((start, first)) = staged.next() {
            let follows = |len: usize, at: u64| start + len as u64 == at;
            if staged
                .peek()
                .is_none_or(|(at, _)| !follows(first.len(), *at))
            {
                self.write_device(self.superblock.base + start, &first)?;
                continue;
            }
            run.clear();
            run.extend_from_slice(&first);
            while run.len() < RUN
                && let Some((_, bytes)) = staged.next_if(|(at, _)| follows(run.len(), *at))
            {
                run.extend_from_slice(&bytes);
            }
            self.write_device(self.superblock.base + start, &run)?;
        }
        Ok(())
    }

    pub(crate) fn flips_outside_sector_0(&self) -> bool {
        self.flips
            .iter()
            .any(|(&at, flip)| at + flip.bytes.len() as u64 > SECTOR as u64)
    }

    /// Step 1b, and the place of the flip record: what flips outside sector 0 will name must lie before the end of
    /// the file when the first of them is seen.
    fn prepare_far_flips(&mut self, level: Level) -> Result<()> {
        let mut sector = self.committed_sector_0()?;
        let needed = record_size(self.count_sectors()) as u64;
        let stale = core::mem::take(&mut self.root_cache_stale);
        if let Some(old) = &mut self.superblock.old
            && stale
        {
            old.root_cache = 0;
        }
        if self
            .stamp
            .as_ref()
            .is_some_and(|stamp| stamp.record.is_none_or(|record| record.len < needed))
        {
            let old = self.stamp.as_ref().and_then(|stamp| stamp.record);
            if let Some(old) = old {
                self.space.free(old, Freed::Block(Class::Metadata));
            }
            let record = self
                .space
                .alloc(needed.next_power_of_two(), Class::Metadata);
            if let Some(stamp) = &mut self.stamp {
                stamp.record = Some(record);
            }
            self.extend_device(self.end_of_file())?;
        } else if self.end_of_file() <= self.superblock.end_of_file && !stale {
            return Ok(());
        }
        self.sync_if(level == Level::Sync)?;
        self.superblock.end_of_file = self.superblock.end_of_file.max(self.end_of_file());
        let superblock = self.superblock.encode();
        // What names managers no more: the flip record may be in space that they list.
        self.overlay_early_flips(&mut sector, 0);
        sector[..superblock.len()].copy_from_slice(&superblock);
        let written = match &self.stamp {
            Some(stamp) => {
                stamp.encode(&mut sector, superblock.len());
                SECTOR
            }
            None => superblock.len(),
        };
        #[cfg(test)]
        if mutant::is(Mutant::FarFlipBeforeEnd) {
            return Ok(());
        }
        self.write_device(self.superblock.base, &sector[..written])
    }

    fn committed_sector_0(&mut self) -> Result<[u8; SECTOR]> {
        if let Some(sector) = &self.sector_0 {
            return Ok(**sector);
        }
        let mut sector = [0; SECTOR];
        self.read_committed(0, &mut sector)?;
        self.sector_0 = Some(Box::new(sector));
        Ok(sector)
    }

    /// Reads what stands on the device from `start` on, as far as it reaches.
    fn read_committed(&self, start: u64, buffer: &mut [u8]) -> Result<()> {
        let offset = self.superblock.base + start;
        let on_device = self.device_len.saturating_sub(offset);
        let on_device = on_device.min(buffer.len() as u64) as usize;
        match &self.sector_0 {
            Some(sector) if start == 0 && buffer.len() == SECTOR => {
                buffer.copy_from_slice(&sector[..])
            }
            _ if on_device > 0 => self.device.read_at(offset, &mut buffer[..on_device])?,
            _ => {}
        }
        Ok(())
    }

    fn count_sectors(&self) -> usize {
        let mut sectors: Vec<u64> = self.flips.keys().map(|at| at / SECTOR as u64).collect();
        sectors.push(0);
        sectors.dedup();
        sectors.len() + 1
    }

    /// The sectors that change at the commit point, as far as their flips are `wanted`, in the order in which they are
    /// written: sector 0 last.
    fn flip_groups(
        &mut self,
        generation: u64,
        wanted: &dyn Fn(u64, &Flip) -> bool,
    ) -> Result<Vec<Group>> {
        let mut groups: Vec<Group> = Vec::new();
        let mut flips = self
            .flips
            .iter()
            .filter(|&(&at, flip)| flip.order != FlipOrder::Early && wanted(at, flip))
            .peekable();
        while let Some((&at, flip)) = flips.next() {
            let start = at / SECTOR as u64 * SECTOR as u64;
            let mut members = vec![(at, &flip.bytes)];
            let mut last = at + flip.bytes.len() as u64;
            while let Some((&next, flip)) = flips.peek().copied()
                && next < last.next_multiple_of(SECTOR as u64)
            {
                members.push((next, &flip.bytes));
                last = next + flip.bytes.len() as u64;
                flips.next();
            }
            let mut after = vec![0; (last.next_multiple_of(SECTOR as u64) - start) as usize];
            self.read_committed(start, &mut after)?;
            for (at, bytes) in members {
                overlay(&mut after, start, at, bytes);
            }
            // These stand there already by then.
            self.overlay_early_flips(&mut after, start);
            after.truncate((last - start) as usize);
            for (&at, flip) in &self.flips {
                // Written before this group is, and perhaps amid it.
                if flip.order == FlipOrder::Early {
                    overlay(&mut after, start, at, &flip.bytes);
                }
            }
            groups.push(Group {
                start,
                from: at,
                after,
            });
        }
        drop(flips);
        self.finish_sector_0(&mut groups, generation)?;
        Ok(groups)
    }

    fn overlay_early_flips(&self, bytes: &mut [u8], start: u64) {
        let early = |flip: &&Flip| flip.order == FlipOrder::Early;
        for (&at, flip) in self.flips.iter().filter(|(_, flip)| early(flip)) {
            overlay(bytes, start, at, &flip.bytes);
        }
    }

    /// Puts the superblock (and in a file of ours the stamp) into the group of sector 0, and that group last.
    fn finish_sector_0(&mut self, groups: &mut Vec<Group>, generation: u64) -> Result<()> {
        let mut superblock = self.superblock.clone();
        superblock.end_of_file = self.end_of_file();
        superblock.consistency_flags = 0;
        let bytes = superblock.encode();
        let own = groups.first().is_some_and(|group| group.start == 0);
        let stamped = self.stamp.is_some();
        if !own && !stamped && self.created && superblock == self.superblock {
            return Ok(());
        }
        let mut sector = self.committed_sector_0()?;
        self.overlay_early_flips(&mut sector, 0);
        let mut tail = Vec::new();
        let mut len = bytes.len();
        if own {
            let group = groups.remove(0);
            let inside = group.after.len().min(SECTOR);
            sector[..inside].copy_from_slice(&group.after[..inside]);
            tail = group.after[inside..].to_vec();
            len = inside.max(len);
        }
        sector[..bytes.len()].copy_from_slice(&bytes);
        if let Some(stamp) = &self.stamp {
            let stamp = Stamp {
                generation,
                record: stamp.record,
                bound: self.bound,
            };
            stamp.encode(&mut sector, bytes.len());
            len = SECTOR;
        }
        let mut after = sector[..len].to_vec();
        after.extend(tail);
        groups.push(Group {
            start: 0,
            from: 0,
            after,
        });
        Ok(())
    }

    fn write_record(&mut self, generation: u64, place: Extent, groups: &[Group]) -> Result<()> {
        let mut sectors = Vec::with_capacity(groups.len());
        for group in groups {
            let mut before = vec![0; SECTOR];
            // The device may end in a sector in which a header of one block begins.
            self.read_committed(group.start, &mut before)?;
            // They are written before the first sector is.
            self.overlay_early_flips(&mut before, group.start);
            let mut after = before.clone();
            overlay(&mut after, group.start, group.start, &group.after);
            sectors.push(SectorFlip {
                addr: Addr::new(group.start),
                before: crc32fast::hash(&before),
                after,
            });
        }
        let bytes = encode_record(generation, &sectors);
        debug_assert!(bytes.len() as u64 <= place.len);
        self.write_device(self.superblock.base + place.addr.get(), &bytes)
    }

    fn write_early_flips(&mut self, level: Level) -> Result<()> {
        let early: Vec<u64> = self
            .flips
            .iter()
            .filter(|(_, flip)| flip.order == FlipOrder::Early)
            .map(|(&at, _)| at)
            .collect();
        if early.is_empty() {
            return Ok(());
        }
        for at in early {
            if let Some(flip) = self.flips.remove(&at) {
                self.write_device(self.superblock.base + at, &flip.bytes)?;
            }
        }
        self.sync_if(level == Level::Sync)
    }
}
