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
//! * **I3** A flip lies inside one 512-byte sector, and all flips of a sector are one write. There are two exceptions.
//!   A header of another writer that straddles two sectors is two writes, and the flip record restores it where only one
//!   of them is made. Where links move between groups, a sector may be written once for each turn.
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
//! 1c  where several sectors flip: the flip record. It lies in a place of its own in a file of ours, and at the end of the
//!     device, behind the end of the file, in a file of another writer
//! 2   sync
//! 3a  early flips (blocks outside their cell's sector that are also right for the old state); sync
//! 3   the flips, one write per sector, in turns with a sync between, where the links ask for an order
//!     (object/relinks.rs); sector 0 with the superblock last in a file of ours
//! 4   sync; only now is the space this commit freed given out again
//! ```

use super::flip_record::{FlipRecord, SectorFlip, TRAILER_SIZE, record_size};
use super::flips::{Flip, FlipOrder, FlipPlan, FlipTurns, overlay};
#[cfg(test)]
use super::mutant::{self, Mutant};
use super::pages::{Class, Freed};
use super::stage::Store;
use super::stamp::{SECTOR, Stamp};
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use alloc::boxed::Box;
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

impl Store {
    /// Makes everything staged the state of the file.
    pub(crate) fn commit(&mut self, level: Level) -> Result<()> {
        let end = self.space.trim();
        let new_end_of_file = self.superblock.base + end;
        let nothing = self.flips.is_empty() && self.staged.is_empty() && self.recovered.is_empty();
        let marked = self.superblock.is_marked();
        let same_end = new_end_of_file == self.superblock.end_of_file;
        if nothing && self.created && same_end && !marked {
            return self.sync_unsynced(level);
        }
        self.write_recovered(level)?;
        #[cfg(test)]
        self.name_end_of_file_early()?;
        self.sync_mark(level == Level::Sync)?;
        self.extend_device(new_end_of_file)?;
        self.write_staged()?;
        let generation = self.generation() + 1;
        let plan = self.prepare_flips(generation, level)?;
        let synced = level == Level::Sync;
        #[cfg(test)]
        let synced = synced && !mutant::is(Mutant::NoFirstSync);
        self.sync_if(synced)?;
        self.write_plan(plan, generation, level)?;
        self.sync_if(level == Level::Sync)?;
        self.superblock.end_of_file = self.end_of_file();
        self.superblock.consistency_flags = 0;
        if let Some(stamp) = &mut self.stamp {
            stamp.generation = generation;
        }
        self.created = true;
        self.in_place = false;
        self.flips.clear();
        self.interims.clear();
        self.after.clear();
        self.space.committed();
        Ok(())
    }

    /// What comes before the first sync of the commit but is no block: the end of the file, and the flip record. Returns
    /// the writes of step 3; `None` where that is one write of sector 0 in a file of ours.
    fn prepare_flips(&mut self, generation: u64, level: Level) -> Result<Option<FlipPlan>> {
        let outside = self.flips_outside_sector_0();
        if self.stamp.is_some() && !outside && self.interims.is_empty() {
            return Ok(None);
        }
        let turns = self.flip_turns();
        let reaches_out = self.created && (outside || self.root_cache_stale || turns.count > 1);
        if reaches_out {
            self.prepare_far_flips(&turns, level)?;
        }
        let plan = self.plan_flips(&turns, generation)?;
        match reaches_out {
            true => self.write_record(generation, &plan)?,
            false => self.void_tail_record()?,
        }
        Ok(Some(plan))
    }

    /// Step 3.
    fn write_plan(&mut self, plan: Option<FlipPlan>, generation: u64, level: Level) -> Result<()> {
        let Some(plan) = plan else {
            return self.write_sector_0(generation);
        };
        #[cfg(test)]
        if mutant::is(Mutant::EarlyFlipsLast) {
            self.write_turns(plan, level)?;
            return self.write_early_flips(level);
        }
        self.write_early_flips(level)?;
        self.write_turns(plan, level)
    }

    fn write_turns(&mut self, plan: FlipPlan, level: Level) -> Result<()> {
        for (turn, writes) in plan.turns.into_iter().enumerate() {
            self.sync_if(turn > 0 && level == Level::Sync)?;
            for write in writes {
                self.write_device(self.superblock.base + write.at, &write.bytes)?;
            }
        }
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

    /// A commit that has nothing to write: a sync still makes durable what is on the device.
    pub(crate) fn sync_unsynced(&mut self, level: Level) -> Result<()> {
        self.sync_if(level == Level::Sync && self.unsynced)
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

    /// Writes what is left of a commit that was cut off, as that commit would have.
    fn write_recovered(&mut self, level: Level) -> Result<()> {
        let unfinished = core::mem::take(&mut self.unfinished);
        let recovered = self.recovered.take();
        if recovered.is_empty() {
            return Ok(());
        }
        let mut turn = unfinished.first().map_or(0, |write| write.turn);
        for write in &unfinished {
            self.sync_if(write.turn != turn && level == Level::Sync)?;
            turn = write.turn;
            self.write_device(self.superblock.base + write.addr.get(), &write.after)?;
        }
        self.sync_if(level == Level::Sync)
    }

    /// The end of the file as the next superblock says it.
    pub(super) fn end_of_file(&self) -> u64 {
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

    /// Step 1b, and the place of the flip record: what flips outside sector 0 will name must lie before the end of
    /// the file when the first of them is seen.
    fn prepare_far_flips(&mut self, turns: &FlipTurns, level: Level) -> Result<()> {
        let mut sector = self.committed_sector_0()?;
        let stale = core::mem::take(&mut self.root_cache_stale);
        if let Some(old) = &mut self.superblock.old
            && stale
        {
            old.root_cache = 0;
        }
        let moved = self.place_record(turns)?;
        if self.end_of_file() <= self.superblock.end_of_file && !stale && !moved {
            return Ok(());
        }
        // The device must have that length also after a loss of power, and what an early flip in this sector names must be
        // there. Mostly the device has been longer for some time, and there is no such flip.
        let is_long = self.synced_len >= self.end_of_file();
        let is_early =
            |(&at, flip): (&u64, &Flip)| flip.order == FlipOrder::Early && at < SECTOR as u64;
        let waits = !is_long || self.flips.iter().any(is_early);
        self.sync_if(level == Level::Sync && waits)?;
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

    /// Makes room for the flip record. Says whether the stamp has to name another place for it.
    fn place_record(&mut self, turns: &FlipTurns) -> Result<bool> {
        let needed = record_size(self.count_sector_writes(turns)) as u64;
        let Some(stamp) = &self.stamp else {
            // Sector 0 may come on top, so that the record says what the superblock is.
            let sector = record_size(1) as u64;
            self.extend_device(self.end_of_file() + needed + sector + TRAILER_SIZE)?;
            return Ok(false);
        };
        let old = stamp.record;
        if old.is_some_and(|record| record.len >= needed) {
            return Ok(false);
        }
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
        Ok(true)
    }

    pub(super) fn committed_sector_0(&mut self) -> Result<[u8; SECTOR]> {
        if let Some(sector) = &self.sector_0 {
            return Ok(**sector);
        }
        let mut sector = [0; SECTOR];
        self.read_device(0, &mut sector)?;
        self.sector_0 = Some(Box::new(sector));
        Ok(sector)
    }

    /// Reads what stands on the device at an address of the file, with zeros behind its end.
    pub(super) fn read_device(&self, start: u64, buffer: &mut [u8]) -> Result<()> {
        let offset = self.superblock.base + start;
        let on_device = self.device_len.saturating_sub(offset);
        let on_device = on_device.min(buffer.len() as u64) as usize;
        buffer[on_device..].fill(0);
        match &self.sector_0 {
            Some(sector) if start == 0 && buffer.len() == SECTOR => {
                buffer.copy_from_slice(&sector[..])
            }
            _ if on_device > 0 => self.device.read_at(offset, &mut buffer[..on_device])?,
            _ => {}
        }
        Ok(())
    }

    /// Step 1c. A record of an earlier commit must not be taken for one of this commit's: in a file of another writer, which
    /// numbers no commits, it is replaced, or made void.
    fn write_record(&mut self, generation: u64, plan: &FlipPlan) -> Result<()> {
        let mut record = FlipRecord {
            generation,
            writes: plan.sectors.clone(),
        };
        if let Some(stamp) = &self.stamp {
            let Some(place) = stamp.record else {
                return Ok(());
            };
            let bytes = record.encode();
            debug_assert!(bytes.len() as u64 <= place.len);
            return self.write_device(self.superblock.base + place.addr.get(), &bytes);
        }
        if !plan.can_be_torn() {
            return self.void_tail_record();
        }
        record.generation = 0;
        record.writes.extend(self.superblock_guard(plan)?);
        #[cfg(test)]
        if mutant::is(Mutant::NoTailRecord) {
            return Ok(());
        }
        let bytes = record.encode_with_trailer();
        let at = self.device_len - bytes.len() as u64;
        debug_assert!(at >= self.end_of_file());
        self.tail_record = Some(Extent::new(Addr::new(at), bytes.len() as u64));
        self.write_device(at, &bytes)
    }

    /// An entry of the record that changes nothing in sector 0, where the flips do not: if the superblock differs from it,
    /// another writer has been there since.
    fn superblock_guard(&mut self, plan: &FlipPlan) -> Result<Option<SectorFlip>> {
        if plan.sectors.iter().any(|write| write.addr.get() == 0) {
            return Ok(None);
        }
        let mut sector = self.committed_sector_0()?.to_vec();
        self.overlay_early_flips(&mut sector, 0);
        Ok(Some(SectorFlip {
            addr: Addr::new(0),
            turn: plan.turns.len().saturating_sub(1) as u32,
            before: crc32fast::hash(&sector),
            after: sector,
        }))
    }

    /// Makes a flip record at the end of the device one that is no longer believed.
    fn void_tail_record(&mut self) -> Result<()> {
        match self.tail_record.take() {
            Some(record) if record.end().get() == self.device_len => {
                let at = self.device_len - TRAILER_SIZE;
                self.write_device(at, &[0; TRAILER_SIZE as usize])
            }
            _ => Ok(()),
        }
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
