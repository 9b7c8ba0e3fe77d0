//! What the opener of a file does about a commit that was cut off between its flips.
//!
//! The commit has written a flip record before its first flip (flip_record.rs). It is completed only where a sector has
//! changed already, which proves that everything the flips reach had been synced, and only where every sector is as the
//! commit found it or left it at some point, so that nothing written later is lost. The sectors are completed in memory
//! as the file is opened, and written by the first commit, in their order: opening writes nothing.

use super::flip_record::{FlipRecord, SectorFlip, TRAILER_SIZE, decode_trailer};
use super::flips::sector_of;
use super::stage::Store;
use super::stamp::{SECTOR, Stamp};
use crate::bytes::{Addr, Extent};
use crate::error::Result;
use crate::format::libver::LibVer;
use crate::format::superblock::Superblock;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// A flip record whose sectors are larger than this is none of ours.
const MAX_RECORD: u64 = 1 << 30;

/// How far a commit came.
enum Progress {
    /// Nothing is known to have been written, or something else has been since.
    None,
    /// These writes are missing.
    Missing(Vec<SectorFlip>),
    Complete,
}

impl Store {
    pub(super) fn read_stamp(&mut self) -> Result<()> {
        // A superblock of version 2 is that of a file for 1.8, unless it is one of ours.
        self.bound = match self.superblock.version {
            0 | 1 => LibVer::Earliest,
            2 => LibVer::V18,
            _ => LibVer::V110,
        };
        if self.device_len >= self.superblock.base + SECTOR as u64 {
            let mut sector = [0; SECTOR];
            self.device.read_at(self.superblock.base, &mut sector)?;
            if let (2, Some(bound)) = (self.superblock.version, Stamp::decode_bound(&sector)) {
                self.bound = bound;
            }
            self.stamp = Stamp::decode(&sector, self.superblock.size());
        }
        match &self.stamp {
            Some(Stamp {
                generation,
                record: Some(record),
                ..
            }) => self.complete_own_commit(*generation, *record),
            Some(_) => Ok(()),
            None => self.complete_foreign_commit(),
        }
    }

    /// In a file of ours sector 0, with the generation, is written last; after a loss of power it may be there before the
    /// others.
    fn complete_own_commit(&mut self, generation: u64, place: Extent) -> Result<()> {
        if self.check_bounds(place, "flip record").is_err() {
            return Ok(());
        }
        let bytes = self.read(place, "flip record")?;
        let Some(record) = FlipRecord::decode(&bytes) else {
            return Ok(());
        };
        if record.generation != generation + 1 && record.generation != generation {
            return Ok(());
        }
        let of = record.generation;
        let completed = self.complete_commit(record)?;
        if let Some(stamp) = &mut self.stamp
            && !completed
            && of > generation
        {
            // That commit never was. The next one gets another number, so that the sector 0 it writes is not the one of
            // this record, which would then seem to have been cut off.
            stamp.generation = of;
        }
        Ok(())
    }

    /// In a file of another writer the record is at the end of the device, behind the end of the file.
    fn complete_foreign_commit(&mut self) -> Result<()> {
        let end_of_file = self.superblock.end_of_file.max(self.superblock.base);
        let Some(trailer_at) = self.device_len.checked_sub(TRAILER_SIZE) else {
            return Ok(());
        };
        if trailer_at < end_of_file {
            return Ok(());
        }
        let mut trailer = [0; TRAILER_SIZE as usize];
        self.device.read_at(trailer_at, &mut trailer)?;
        let Some(len) = decode_trailer(&trailer).filter(|len| *len <= MAX_RECORD) else {
            return Ok(());
        };
        let Some(start) = trailer_at.checked_sub(len).filter(|at| *at >= end_of_file) else {
            return Ok(());
        };
        // Whether it is of use or not: the next commit replaces it.
        self.tail_record = Some(Extent::new(Addr::new(start), len + TRAILER_SIZE));
        let mut bytes = vec![0; len as usize];
        self.device.read_at(start, &mut bytes)?;
        if let Some(record) = FlipRecord::decode(&bytes) {
            self.complete_commit(record)?;
        }
        Ok(())
    }

    /// Completes the commit of a flip record, where that is certain; says whether it was one that had begun.
    fn complete_commit(&mut self, record: FlipRecord) -> Result<bool> {
        let missing = match self.progress(&record.writes)? {
            Progress::None => return Ok(false),
            Progress::Complete => return Ok(true),
            Progress::Missing(missing) => missing,
        };
        let mut of_sector_0 = record.writes.iter().rev();
        let Some(last) = of_sector_0.find(|write| write.addr.get() == 0) else {
            return Ok(false);
        };
        let (base, size) = (self.superblock.base, self.superblock.size());
        let superblock = Superblock::decode(&last.after[..size], base)?.found_at(base)?;
        if superblock.end_of_file > self.device_len {
            return Ok(false);
        }
        if self.stamp.is_some() {
            self.stamp = Stamp::decode(&last.after, superblock.size());
        }
        self.space = super::space::Space::new(superblock.end_of_file - superblock.base);
        self.superblock = superblock;
        for write in &missing {
            // A block each, which is written by itself.
            self.recovered.patch(write.addr.get(), &write.after, true);
        }
        self.unfinished = missing;
        Ok(true)
    }

    fn progress(&self, writes: &[SectorFlip]) -> Result<Progress> {
        let mut of_sector: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (number, write) in writes.iter().enumerate() {
            if sector_of(write.addr.get()) != write.addr.get() {
                return Ok(Progress::None);
            }
            of_sector.entry(write.addr.get()).or_default().push(number);
        }
        // For each sector how many of its writes may have been made: several answers where they come back to the same.
        let mut made: Vec<(&Vec<usize>, Vec<usize>)> = Vec::new();
        for (&at, numbers) in &of_sector {
            let mut now = [0; SECTOR];
            self.read_device(at, &mut now)?;
            let is_before = crc32fast::hash(&now) == writes[numbers[0]].before;
            let mut counts: Vec<usize> = is_before.then_some(0).into_iter().collect();
            let is_after = |count: &usize| writes[numbers[*count - 1]].after == now;
            counts.extend((1..=numbers.len()).filter(is_after));
            if counts.is_empty() {
                return Ok(Progress::None);
            }
            made.push((numbers, counts));
        }
        let turn_of = |number: usize| writes[number].turn;
        let certain = || made.iter().filter(|(_, counts)| counts.len() == 1);
        let done = certain()
            .filter(|(_, counts)| counts[0] > 0)
            .map(|(numbers, counts)| turn_of(numbers[counts[0] - 1]))
            .max();
        let Some(reached) = done else {
            return Ok(Progress::None);
        };
        let waiting = certain().filter_map(|(numbers, counts)| numbers.get(counts[0]));
        let waiting = waiting.map(|number| turn_of(*number)).min();
        let mut missing: Vec<&usize> = Vec::new();
        for (numbers, counts) in &made {
            let fits = |count: &&usize| {
                let last = count.checked_sub(1).map(|last| turn_of(numbers[last]));
                let next = numbers.get(**count).map(|next| turn_of(*next));
                last.is_none_or(|last| waiting.is_none_or(|waiting| last <= waiting))
                    && next.is_none_or(|next| next >= reached)
            };
            let count = counts.iter().rev().find(fits).or(counts.first());
            missing.extend(&numbers[count.copied().unwrap_or(0)..]);
        }
        missing.sort_unstable();
        match missing.is_empty() {
            true => Ok(Progress::Complete),
            false => {
                let missing = missing.into_iter().map(|&number| &writes[number]);
                Ok(Progress::Missing(missing.cloned().collect()))
            }
        }
    }
}
