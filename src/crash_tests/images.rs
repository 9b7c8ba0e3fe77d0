//! What may be on the device after a death: images made from a log of writes.

use super::Rng;
use crate::storage::recorder::Event;
use std::collections::BTreeMap;

const SECTOR: usize = 512;

/// One state of the device.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
    /// The last commit that had returned.
    pub(super) commit: usize,
    /// How it came about, for the message of a failure.
    pub(super) origin: String,
}

pub(super) fn write(device: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if device.len() < offset + bytes.len() {
        device.resize(offset + bytes.len(), 0);
    }
    device[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// A killed process: every prefix of the writes; of the last write any part where it spans several sectors, all or
/// nothing where it lies in one.
pub(super) fn killed(
    start: &[u8],
    log: &[Event],
    rng: &mut Rng,
    cuts: usize,
    visit: &mut dyn FnMut(Image) -> Result<(), String>,
) -> Result<(), String> {
    let mut device = start.to_vec();
    let mut commit = 0;
    for (number, event) in log.iter().enumerate() {
        match event {
            Event::Sync => continue,
            Event::Mark(mark) => {
                commit = *mark;
                continue;
            }
            Event::SetLen(len) => device.resize(*len as usize, 0),
            Event::Write { offset, bytes } => {
                let offset = *offset as usize;
                let last = offset + bytes.len().max(1) - 1;
                let cuts = if offset / SECTOR == last / SECTOR {
                    0
                } else {
                    cuts
                };
                for _ in 0..cuts {
                    let mut cut = 1 + rng.below(bytes.len() - 1);
                    if rng.below(3) == 0 {
                        cut = ((offset + cut).next_multiple_of(SECTOR) - offset).min(bytes.len());
                    }
                    let mut torn = device.clone();
                    write(&mut torn, offset, &bytes[..cut]);
                    visit(Image {
                        bytes: torn,
                        commit,
                        origin: format!(
                            "killed in event {number} after {cut} of {} bytes at {offset}",
                            bytes.len()
                        ),
                    })?;
                }
                write(&mut device, offset, bytes);
            }
        }
        visit(Image {
            bytes: device.clone(),
            commit,
            origin: format!("killed after event {number}"),
        })?;
    }
    Ok(())
}

/// What has happened since the last sync.
#[derive(Debug, Default)]
struct Pending<'a> {
    writes: Vec<(usize, &'a [u8])>,
    /// The writes that touch a sector, in order.
    sectors: BTreeMap<usize, Vec<usize>>,
    lengths: Vec<usize>,
}

impl<'a> Pending<'a> {
    fn add(&mut self, offset: usize, bytes: &'a [u8], device: usize) {
        let number = self.writes.len();
        self.writes.push((offset, bytes));
        let end = offset + bytes.len();
        for sector in offset / SECTOR..end.div_ceil(SECTOR) {
            self.sectors.entry(sector).or_default().push(number);
        }
        if end > device {
            self.lengths.push(end);
        }
    }

    /// The durable bytes and some of the sectors, each as one of the writes to it left it.
    fn image(&self, durable: &[u8], rng: &mut Rng, percent: usize) -> Vec<u8> {
        let mut device = durable.to_vec();
        let mut len = durable.len();
        if let Some(&last) = self.lengths.last() {
            if rng.below(100) < percent {
                len = last;
            } else if rng.below(4) == 0 {
                len = self.lengths[rng.below(self.lengths.len())];
            }
        }
        device.resize(device.len().max(len), 0);
        for (&sector, writes) in &self.sectors {
            let applied = if rng.below(100) < percent {
                writes.len()
            } else {
                rng.below(writes.len() + 3).saturating_sub(3)
            };
            let (from, to) = (sector * SECTOR, (sector + 1) * SECTOR);
            for &number in &writes[..applied] {
                let (offset, bytes) = self.writes[number];
                let (start, end) = (offset.max(from), (offset + bytes.len()).min(to));
                write(&mut device, start, &bytes[start - offset..end - offset]);
            }
        }
        device.truncate(len);
        device
    }
}

/// A loss of power: what was synced, and of what was written since any sectors in any order, and any of the lengths. A new
/// file is only flushed as it is created, so nothing is promised before the first sync.
pub(super) fn without_power(
    start: &[u8],
    log: &[Event],
    rng: &mut Rng,
    visit: &mut dyn FnMut(Image) -> Result<(), String>,
) -> Result<(), String> {
    without_power_after(usize::from(start.is_empty()), start, log, rng, visit)
}

/// As [`without_power`], where nothing is promised before so many syncs.
pub(super) fn without_power_after(
    unpromised_syncs: usize,
    start: &[u8],
    log: &[Event],
    rng: &mut Rng,
    visit: &mut dyn FnMut(Image) -> Result<(), String>,
) -> Result<(), String> {
    let mut device = start.to_vec();
    let mut durable = start.to_vec();
    let mut pending = Pending::default();
    let (mut commit, mut syncs) = (0, 0);
    for (number, event) in log.iter().enumerate() {
        match event {
            Event::Sync => {
                syncs += 1;
                durable.clone_from(&device);
                pending = Pending::default();
                continue;
            }
            Event::Mark(mark) => {
                commit = *mark;
                continue;
            }
            Event::SetLen(len) => {
                device.resize(*len as usize, 0);
                pending.lengths.push(device.len());
            }
            Event::Write { offset, bytes } => {
                pending.add(*offset as usize, bytes, device.len());
                write(&mut device, *offset as usize, bytes);
            }
        }
        if syncs < unpromised_syncs {
            continue;
        }
        for percent in [10, 50, 90] {
            visit(Image {
                bytes: pending.image(&durable, rng, percent),
                commit,
                origin: format!("power lost after event {number}, {percent} % of the sectors"),
            })?;
        }
    }
    Ok(())
}
