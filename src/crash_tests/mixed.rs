//! Files that commit by themselves and are synced now and then: from the first sync on, whatever was synced survives a
//! loss of power, whichever commit comes after it.
//!
//! Nobody says when such a file commits. The log does: each commit of a file of ours ends with a sector 0 of the next
//! generation.

use super::oracle::{Oracle, read_state, walk};
use super::run::{Commits, Run, Workload};
use super::state::State;
use super::{images, managers, workloads};
use crate::storage::MemoryStorage;
use crate::storage::Storage;
use crate::storage::recorder::{Event, Recorder};
use crate::store::mutant::{self, Mutant};
use crate::store::{SECTOR, Stamp};
use crate::{AutoCommit, File, FileBuilder, Result};

const WORKLOADS: [Workload; 4] = [
    workloads::IN_STEP,
    workloads::MANY_SECTORS,
    workloads::ANYTHING,
    managers::OURS,
];

/// When a commit is said to have returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Returned {
    /// As its last write is done, which is enough after a kill.
    Written,
    /// As it is synced, which a loss of power asks for.
    Synced,
}

fn generation(bytes: &[u8]) -> Option<u64> {
    const SUPERBLOCK: usize = 48;
    let sector = bytes.get(..SECTOR)?;
    let stamp = sector
        .starts_with(b"\x89HDF")
        .then(|| Stamp::decode(sector, SUPERBLOCK));
    stamp.flatten().map(|stamp| stamp.generation)
}

/// The log with a mark for each commit, and what the file held after each.
fn marked(log: &[Event], returned: Returned) -> Result<(Vec<Event>, Vec<Option<State>>), String> {
    let mut device = MemoryStorage::new();
    let (mut marked, mut states, mut last) = (Vec::new(), vec![None], 0);
    for event in log {
        marked.push(event.clone());
        match event {
            Event::Write { offset, bytes } => {
                device.write_at(*offset, bytes).expect("memory");
                let Some(generation) = generation(bytes).filter(|found| *found > last) else {
                    continue;
                };
                last = generation;
                states.push(Some(read_state(&device.clone().into_bytes())?));
                if returned == Returned::Written {
                    marked.push(Event::Mark(states.len() - 1));
                }
            }
            Event::SetLen(len) => device.set_len(*len).expect("memory"),
            Event::Sync if returned == Returned::Synced => {
                marked.push(Event::Mark(states.len() - 1));
            }
            Event::Sync | Event::Mark(_) => {}
        }
    }
    Ok((marked, states))
}

fn syncs(log: &[Event]) -> usize {
    let is_sync = |event: &&Event| matches!(event, Event::Sync);
    log.iter().filter(is_sync).count()
}

/// Judges every image of a run; returns how many commits there were.
fn judge(run: &mut Run, oracle: &mut Oracle) -> Result<usize, String> {
    let log = run.recorder.log();
    let (killed, states) = marked(&log, Returned::Written)?;
    images::killed(&[], &killed, &mut run.rng, 0, &mut |image| {
        oracle.judge(&image, &states)
    })?;
    if let Some(promised) = run.promised {
        let (synced, states) = marked(&log, Returned::Synced)?;
        let unpromised = syncs(&log[..promised]) + 1;
        images::without_power_after(unpromised, &[], &synced, &mut run.rng, &mut |image| {
            oracle.judge(&image, &states)
        })?;
    }
    walk(&run.recorder.bytes())?;
    Ok(states.len())
}

fn run(workload: Workload, seed: u64, oracle: &mut Oracle) -> Result<usize, String> {
    let mut run = Run::new(None, seed, Commits::Mixed);
    (workload.work)(&mut run).map_err(|error| error.to_string())?;
    judge(&mut run, oracle).map_err(|error| format!("{} seed {seed}: {error}", workload.name))
}

/// How many images this test judges at the least: part of those of the other tests.
fn wanted() -> usize {
    super::wanted_images() / 2
}

#[test]
fn what_was_synced_survives_the_commits_that_come_by_themselves() {
    let mut oracle = Oracle {
        edit_every: 50,
        ..Oracle::all(50)
    };
    let (mut number, mut commits) = (0, 0);
    while number < WORKLOADS.len() || oracle.counts.images < wanted() {
        let workload = WORKLOADS[number % WORKLOADS.len()];
        let seed = (number / WORKLOADS.len()) as u64;
        commits += run(workload, seed, &mut oracle).unwrap_or_else(|error| panic!("{error}"));
        number += 1;
    }
    super::report(&format!(
        "syncs among automatic commits: {commits} commits, {} images judged, {} opened by h5py, {} edited",
        oracle.counts.images, oracle.counts.opened_by_h5py, oracle.counts.edited
    ));
    assert!(commits > 40, "{commits}");
}

#[test]
fn automatic_flushes_after_a_sync_are_found() {
    let said = (0..6).find_map(|seed| {
        let work = || run(workloads::IN_STEP, seed, &mut Oracle::own());
        mutant::with(Mutant::FlushesAfterSync, work).err()
    });
    let said = said.expect("the mutant is not found");
    super::report(&format!("automatic flushes are found: {said}"));
}

/// The syncs and the commits that two appends bring about, one before and one after the user's first sync.
fn automatic(options: &FileBuilder) -> [(usize, u64); 2] {
    let recorder = Recorder::default();
    let file = options.create_on(recorder.clone()).unwrap();
    let data = file.new_dataset::<u8>().shape(0..).create("x").unwrap();
    let count = || {
        let bytes = recorder.bytes();
        (syncs(&recorder.log()), generation(&bytes).unwrap_or(0))
    };
    let append = || {
        let before = count();
        data.append(&[1_u8; 100]).unwrap();
        let after = count();
        (after.0 - before.0, after.1 - before.1)
    };
    let first = append();
    file.sync().unwrap();
    [first, append()]
}

#[test]
fn the_user_says_how_a_file_commits_by_itself_after_a_sync() {
    let options = File::with_options().flush_every_bytes(100);
    let [before, after] = automatic(&options);
    assert_eq!(before, (0, 1));
    assert!(after.0 >= 2 && after.1 == 1, "{after:?}");
    let waits = options.clone().auto_commit(AutoCommit::Wait);
    assert_eq!(automatic(&waits), [(0, 1), (0, 0)]);
    let flushes = options.auto_commit(AutoCommit::Flush);
    assert_eq!(automatic(&flushes), [(0, 1), (0, 1)]);
}

#[test]
fn what_waits_is_committed_by_the_next_sync() {
    let options = File::with_options()
        .flush_every_bytes(1)
        .auto_commit(AutoCommit::Wait);
    let recorder = Recorder::default();
    let file = options.create_on(recorder.clone()).unwrap();
    let data = file.new_dataset::<u8>().shape(0..).create("x").unwrap();
    file.sync().unwrap();
    data.append(&[1_u8, 2]).unwrap();
    let seen = || {
        let file = File::open_memory(recorder.bytes()).unwrap();
        file.dataset("x").unwrap().shape()
    };
    assert_eq!(seen(), [0]);
    file.sync().unwrap();
    assert_eq!(seen(), [2]);
}

#[test]
fn a_sync_makes_durable_what_an_earlier_session_flushed() {
    let recorder = Recorder::default();
    let file = File::create_on(recorder.clone()).unwrap();
    file.set_attr("flushed", 1_i64).unwrap();
    file.flush().unwrap();
    assert_eq!(syncs(&recorder.log()), 0, "a flush does not sync");
    let recorder = recorder.kill();
    let file = File::open_rw_on(recorder.clone()).unwrap();
    file.flush().unwrap();
    assert_eq!(syncs(&recorder.log()), 0, "nor does one without a change");
    let before = recorder.log().len();
    file.sync().unwrap();
    let log = recorder.log();
    assert!(
        matches!(log[before..], [Event::Sync]),
        "{:?}",
        &log[before..]
    );
    file.sync().unwrap();
    file.close().unwrap();
    assert_eq!(recorder.log().len(), log.len(), "once is enough");
}
