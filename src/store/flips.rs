//! The flips of a commit: which bytes are rewritten in place, in what order, and how that becomes writes of sectors.

use super::flip_record::SectorFlip;
#[cfg(test)]
use super::mutant::{self, Mutant};
use super::stage::Store;
use super::stamp::{SECTOR, Stamp};
use super::turns::turns;
use crate::bytes::Addr;
use crate::error::Result;
use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// When a block that is rewritten in place reaches the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FlipOrder {
    /// Before the cells, with a barrier between: for a block outside its cell's sector whose new form is also right
    /// for the old state.
    Early,
    /// A cell, with those of its sector in one write.
    WithCells,
    /// In the turn of the cell at this address, and in one write with it where it lies in the same sector.
    With(Addr),
}

#[derive(Debug)]
pub(crate) struct Flip {
    pub(crate) bytes: Vec<u8>,
    pub(crate) order: FlipOrder,
}

/// A rewriting of bytes that the same commit rewrites once more: pieces of one sector.
#[derive(Debug)]
pub(crate) struct Interim {
    pieces: Vec<(u64, Vec<u8>)>,
}

/// One of the rewritings of a cell: the last one, or one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Interim(usize),
    Last(Addr),
}

/// One write of the commit point, at an address of the file.
#[derive(Debug)]
pub(super) struct FlipWrite {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
}

/// The turns in which flips are written.
#[derive(Debug, Default)]
pub(super) struct FlipTurns {
    of: BTreeMap<Version, usize>,
    /// Of the flips of a sector that wait for nothing.
    of_sector: BTreeMap<u64, usize>,
    pub(super) count: usize,
}

/// All writes of the commit point.
#[derive(Debug, Default)]
pub(super) struct FlipPlan {
    /// What one turn writes, with a barrier before the next.
    pub(super) turns: Vec<Vec<FlipWrite>>,
    /// The same, sector by sector, for the flip record.
    pub(super) sectors: Vec<SectorFlip>,
}

impl FlipPlan {
    /// Whether a death can leave some of the sectors written and others not.
    pub(super) fn can_be_torn(&self) -> bool {
        self.sectors.len() > 1
    }
}

/// Copies what of `bytes` (at `at`) falls into `buffer` (at `start`).
pub(crate) fn overlay(buffer: &mut [u8], start: u64, at: u64, bytes: &[u8]) {
    let from = at.max(start);
    let to = (at + bytes.len() as u64).min(start + buffer.len() as u64);
    if from < to {
        buffer[(from - start) as usize..(to - start) as usize]
            .copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
    }
}

pub(super) fn sector_of(at: u64) -> u64 {
    at / SECTOR as u64 * SECTOR as u64
}

/// The sectors that `len` bytes at `at` touch.
fn sectors_of(at: u64, len: usize) -> impl Iterator<Item = u64> {
    let last = sector_of(at + (len as u64).max(1) - 1);
    (sector_of(at)..=last).step_by(SECTOR)
}

impl Store {
    /// Rewrites a committed block in place at the commit point; reads see it at once.
    pub(crate) fn flip(&mut self, addr: Addr, bytes: Vec<u8>, order: FlipOrder) -> Result<()> {
        self.check_writable(0)?;
        self.flips.insert(addr.get(), Flip { bytes, order });
        Ok(())
    }

    /// Takes back a flip that the next commit was to write.
    pub(crate) fn withdraw_flip(&mut self, addr: Addr) {
        self.flips.remove(&addr.get());
    }

    /// Reads what the last commit has left, without what the next one changes.
    pub(crate) fn read_committed(&self, addr: Addr, buffer: &mut [u8]) -> Result<()> {
        let start = addr.get();
        self.read_device(start, buffer)?;
        let end = start + buffer.len() as u64;
        for (at, bytes) in self.recovered.touching(start, end) {
            overlay(buffer, start, at, bytes);
        }
        Ok(())
    }

    /// Rewrites committed bytes, which the commit rewrites again later: by the flip of `last`.
    pub(crate) fn flip_interim(&mut self, at: Addr, bytes: Vec<u8>, last: Addr) -> Version {
        let version = Version::Interim(self.interims.len());
        let pieces = vec![(at.get(), bytes)];
        self.interims.push(Interim { pieces });
        self.flips_after(Version::Last(last), version);
        version
    }

    /// Makes the flips of a cell, as they are now, come before others of the same cell that follow.
    pub(crate) fn flip_to_interim(&mut self, cell: Addr) -> Version {
        let of_cell =
            |at: u64, flip: &Flip| at == cell.get() || flip.order == FlipOrder::With(cell);
        let flips = self.flips.iter().filter(|&(&at, flip)| of_cell(at, flip));
        let pieces = flips.map(|(&at, flip)| (at, flip.bytes.clone())).collect();
        let version = Version::Interim(self.interims.len());
        self.interims.push(Interim { pieces });
        self.flips_after(Version::Last(cell), version);
        version
    }

    /// The next commit writes `later` after `earlier`, if both and not in one write.
    pub(crate) fn flips_after(&mut self, later: Version, earlier: Version) {
        self.after.insert((later, earlier));
    }

    pub(crate) fn flips_outside_sector_0(&self) -> bool {
        self.flips
            .iter()
            .any(|(&at, flip)| at + flip.bytes.len() as u64 > SECTOR as u64)
    }

    fn is_written(&self, version: &Version) -> bool {
        match version {
            Version::Interim(number) => *number < self.interims.len(),
            Version::Last(at) => self.flips.contains_key(&at.get()),
        }
    }

    /// When each flip is written. Whole sectors have one turn where that can be, so that what shares one changes together;
    /// else the cells that have to wait are written by themselves, and the others with the last of their sector.
    pub(super) fn flip_turns(&self) -> FlipTurns {
        let edges: BTreeSet<(Version, Version)> = self
            .after
            .iter()
            .filter(|(later, earlier)| self.is_written(later) && self.is_written(earlier))
            .map(|&(later, earlier)| (earlier, later))
            .collect();
        #[cfg(test)]
        let edges = match mutant::is(Mutant::LinksInAnyOrder) {
            true => BTreeSet::new(),
            false => edges,
        };
        let mut found = match self.turns_of_sectors(&edges) {
            Some(found) => found,
            None => self.turns_of_cells(&edges),
        };
        let waiting = found.of.values().chain(found.of_sector.values());
        found.count = waiting.max().map_or(1, |last| last + 1);
        if self.stamp.is_some() {
            found.of_sector.insert(0, found.count - 1);
        }
        found
    }

    /// Turns by sector, where no sector has to be written twice for it.
    fn turns_of_sectors(&self, edges: &BTreeSet<(Version, Version)>) -> Option<FlipTurns> {
        // Sector 0 of a file of ours is the last of all.
        let last = self.stamp.is_some();
        let unit = |version: Version| match version {
            Version::Interim(_) => version,
            Version::Last(at) => Version::Last(Addr::new(sector_of(at.get()))),
        };
        let units: BTreeSet<(Version, Version)> = edges
            .iter()
            .map(|&(earlier, later)| (unit(earlier), unit(later)))
            .filter(|(earlier, later)| earlier != later)
            .collect();
        let leads = |at: u64| {
            let first = Version::Last(Addr::new(at));
            units.iter().any(|(earlier, _)| *earlier == first)
        };
        let found = turns(&units);
        if !found.circle.is_empty() || (last && leads(0)) {
            return None;
        }
        let mut by_sector = FlipTurns::default();
        for (version, turn) in found.of {
            match version {
                Version::Interim(_) => {
                    by_sector.of.insert(version, turn);
                }
                Version::Last(sector) => {
                    by_sector.of_sector.insert(sector.get(), turn);
                }
            }
        }
        Some(by_sector)
    }

    fn turns_of_cells(&self, edges: &BTreeSet<(Version, Version)>) -> FlipTurns {
        let of = turns(edges).of;
        let mut of_sector: BTreeMap<u64, usize> = BTreeMap::new();
        for (version, turn) in &of {
            let at = match version {
                Version::Interim(number) => {
                    let mut pieces = self.interims[*number].pieces.iter();
                    pieces.next().map(|(at, _)| *at)
                }
                Version::Last(at) => Some(at.get()),
            };
            if let Some(at) = at {
                let last = of_sector.entry(sector_of(at)).or_default();
                *last = (*last).max(*turn);
            }
        }
        FlipTurns {
            of,
            of_sector,
            count: 0,
        }
    }

    /// What one turn rewrites, by address.
    fn flips_of_turn(&self, turns: &FlipTurns, turn: usize) -> Vec<(u64, &[u8])> {
        let of_cell = |at: u64| {
            let version = turns.of.get(&Version::Last(Addr::new(at)));
            let sector = turns.of_sector.get(&sector_of(at));
            version.or(sector).copied().unwrap_or(0)
        };
        let mut found: Vec<(u64, &[u8])> = Vec::new();
        for (number, interim) in self.interims.iter().enumerate() {
            if turns.of.get(&Version::Interim(number)).copied() == Some(turn) {
                let pieces = interim.pieces.iter();
                found.extend(pieces.map(|(at, bytes)| (*at, bytes.as_slice())));
            }
        }
        for (&at, flip) in &self.flips {
            let its_turn = match flip.order {
                FlipOrder::Early => continue,
                FlipOrder::WithCells => of_cell(at),
                FlipOrder::With(cell) => of_cell(cell.get()),
            };
            if its_turn == turn {
                found.push((at, &flip.bytes));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        found
    }

    /// How many writes of a sector the commit point has, at the most.
    pub(super) fn count_sector_writes(&self, turns: &FlipTurns) -> usize {
        let of_turn = |turn| {
            let flips = self.flips_of_turn(turns, turn).into_iter();
            let sectors = flips.flat_map(|(at, bytes)| sectors_of(at, bytes.len()));
            sectors.collect::<BTreeSet<u64>>().len()
        };
        (0..turns.count).map(of_turn).sum::<usize>() + 1
    }

    /// The writes of the commit point. Sector 0, with the superblock, comes last in a file of ours, and in any file where
    /// the superblock changes.
    pub(super) fn plan_flips(&mut self, turns: &FlipTurns, generation: u64) -> Result<FlipPlan> {
        self.committed_sector_0()?;
        let end = self.end_of_sector_0(generation);
        let mut plan = FlipPlan::default();
        let mut images = Images::default();
        for turn in 0..turns.count {
            let mut flips = self.flips_of_turn(turns, turn);
            let ends = turn + 1 == turns.count && !end.is_empty();
            if ends {
                flips.extend(end.iter().map(|(at, bytes)| (*at, bytes.as_slice())));
                flips.sort_by_key(|(at, _)| *at);
            }
            let mut runs = runs_of(&flips);
            if ends && !runs.is_empty() {
                runs.rotate_left(1);
            }
            let mut writes = Vec::with_capacity(runs.len());
            for run in runs {
                writes.extend(images.write(self, &run, turn, &mut plan.sectors)?);
            }
            plan.turns.push(writes);
        }
        Ok(plan)
    }

    /// What the commit changes in sector 0 beside the cells: the superblock, and in a file of ours the stamp.
    fn end_of_sector_0(&self, generation: u64) -> Vec<(u64, Vec<u8>)> {
        let mut superblock = self.superblock.clone();
        superblock.end_of_file = self.end_of_file();
        superblock.consistency_flags = 0;
        if self.stamp.is_none() && self.created && superblock == self.superblock {
            return Vec::new();
        }
        let bytes = superblock.encode();
        let Some(stamp) = &self.stamp else {
            return vec![(0, bytes)];
        };
        let mut sector = [0; SECTOR];
        sector[..bytes.len()].copy_from_slice(&bytes);
        let stamp = Stamp {
            generation,
            record: stamp.record,
            bound: self.bound,
        };
        stamp.encode(&mut sector, bytes.len());
        let room = Stamp::ROOM as usize;
        vec![(0, bytes), (Stamp::ROOM, sector[room..].to_vec())]
    }

    pub(super) fn overlay_early_flips(&self, bytes: &mut [u8], start: u64) {
        let early = |flip: &&Flip| flip.order == FlipOrder::Early;
        for (&at, flip) in self.flips.iter().filter(|(_, flip)| early(flip)) {
            overlay(bytes, start, at, &flip.bytes);
        }
    }
}

/// Flips whose sectors touch: one write each, but for headers of other writers that straddle two.
#[derive(Debug)]
struct FlipRun<'a> {
    from: u64,
    to: u64,
    flips: Vec<(u64, &'a [u8])>,
}

/// The runs of flips that are in order.
fn runs_of<'a>(flips: &[(u64, &'a [u8])]) -> Vec<FlipRun<'a>> {
    let mut runs: Vec<FlipRun<'a>> = Vec::new();
    for &(at, bytes) in flips {
        let to = at + bytes.len() as u64;
        match runs.last_mut() {
            Some(run) if at < run.to.next_multiple_of(SECTOR as u64) => {
                run.to = run.to.max(to);
                run.flips.push((at, bytes));
            }
            _ => runs.push(FlipRun {
                from: at,
                to,
                flips: vec![(at, bytes)],
            }),
        }
    }
    runs
}

/// The sectors that flips touch, as they are after each write.
#[derive(Debug, Default)]
struct Images(BTreeMap<u64, Vec<u8>>);

impl Images {
    /// Rewrites a run; each of its sectors is a write, and becomes an entry of the flip record.
    fn write(
        &mut self,
        store: &Store,
        run: &FlipRun<'_>,
        turn: usize,
        record: &mut Vec<SectorFlip>,
    ) -> Result<Vec<FlipWrite>> {
        let mut writes = Vec::new();
        for start in sectors_of(run.from, (run.to - run.from) as usize) {
            let sector = match self.0.entry(start) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    // The device may end in a sector in which a header of one block begins.
                    let mut sector = vec![0; SECTOR];
                    store.read_device(start, &mut sector)?;
                    // They are written before the first sector is.
                    store.overlay_early_flips(&mut sector, start);
                    place.insert(sector)
                }
            };
            let before = crc32fast::hash(sector);
            for (at, bytes) in &run.flips {
                overlay(sector, start, *at, bytes);
            }
            record.push(SectorFlip {
                addr: Addr::new(start),
                turn: turn as u32,
                before,
                after: sector.clone(),
            });
            let at = run.from.max(start);
            let (from, to) = (at - start, run.to.min(start + SECTOR as u64) - start);
            let bytes = sector[from as usize..to as usize].to_vec();
            writes.push(FlipWrite { at, bytes });
        }
        Ok(writes)
    }
}
