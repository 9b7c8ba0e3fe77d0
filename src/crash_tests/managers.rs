//! Deaths in files whose free space is kept in managers, between the first commit of a session, which takes their names away,
//! and its last, which names new ones. The walk that judges every image finds what a manager lists and the file reaches.

use super::Rng;
use super::images::{self, Image};
use super::oracle::Oracle;
use super::run::{Commits, Run, Workload, run};
use super::workloads::{begin, foreign_step, step};
use crate::storage::MemoryStorage;
use crate::{File, FileSpaceStrategy, Result};

pub(super) const OURS: Workload = Workload {
    name: "managers of free space",
    work: ours,
    start: None,
};
pub(super) const OF_LIBHDF5: Workload = Workload {
    name: "managers that libhdf5 wrote",
    work: theirs,
    start: Some(include_bytes!("../../tests/golden/crash_managed.h5")),
};

fn ours(run: &mut Run) -> Result<()> {
    let strategy = FileSpaceStrategy::FreeSpaceManager {
        paged: false,
        persist: true,
        threshold: [1, 40][run.some(0, 2)],
    };
    run.create_with(&File::with_options().file_space_strategy(strategy))?;
    begin(run)?;
    sessions(run, step)
}

fn theirs(run: &mut Run) -> Result<()> {
    sessions(run, foreign_step)
}

fn sessions(run: &mut Run, step: fn(&mut Run) -> Result<()>) -> Result<()> {
    for round in 0..9 {
        for _ in 0..run.some(1, 4) {
            step(run)?;
        }
        replace(run)?;
        run.commit()?;
        match round % 3 {
            0 => {
                for _ in 0..run.some(0, 3) {
                    step(run)?;
                }
                replace(run)?;
                run.close_and_open()?;
            }
            1 => run.close_and_open()?,
            _ => run.reopen()?,
        }
    }
    Ok(())
}

/// Space is freed, and other space taken for data that a manager must not list.
fn replace(run: &mut Run) -> Result<()> {
    if run.file.exists("replaced")? {
        run.file.unlink("replaced")?;
    }
    let count = run.some(1, 400);
    let values = run.values(&[count]);
    let builder = run.file.new_dataset::<f64>();
    builder.create_with("replaced", values.view()).map(drop)
}

fn names_managers(bytes: &[u8]) -> Result<bool> {
    let file = File::open_on(MemoryStorage::from(bytes.to_vec()))?;
    let info = file.object.with(|engine, _| engine.file_space())?;
    Ok(info.is_some_and(|info| info.managers.iter().any(Option::is_some)))
}

#[test]
fn managers_never_list_what_a_death_leaves_reachable() {
    let mut oracle = Oracle::own();
    let (mut named, mut images) = (0, 0);
    for workload in [OURS, OF_LIBHDF5] {
        for (seed, commits) in [(1, Commits::Any), (2, Commits::Sync), (3, Commits::Any)] {
            run(workload, seed, commits, &mut oracle).unwrap();
            let mut again = Run::new(workload.start, seed, commits);
            (workload.work)(&mut again).unwrap();
            let log = again.recorder.log();
            let mut count = |image: Image| {
                images += 1;
                named += usize::from(names_managers(&image.bytes).unwrap_or(false));
                Ok(())
            };
            images::killed(&again.start, &log, &mut Rng::new(seed), 0, &mut count).unwrap();
        }
    }
    super::report(&format!("{named} of {images} images name managers"));
    assert!(oracle.counts.images > 1000 && named > images / 20 && named < images * 19 / 20);
}
