//! The seeded breaks: tests that cannot fail prove nothing.

use super::goes_on::{GoesOn, Rates, views_at_marks};
use super::images::{self, Image};
use super::oracle::Oracle;
use super::run::{Commits, Run, Workload};
use super::{Rng, managers, old_formats, relinks, straddling, workloads};
use crate::store::mutant::{self, Mutant};

/// What the first seed that shows the break says.
fn caught(mutant: Mutant, workload: Workload, commits: Commits) -> Option<String> {
    (0..6).find_map(|seed| {
        let mut run = Run::new(workload.start, seed, commits);
        let done = mutant::with(mutant, || (workload.work)(&mut run));
        let mut oracle = Oracle::own();
        match done {
            Ok(()) => run.judge(&mut oracle, 2, true).err(),
            Err(error) => Some(error.to_string()),
        }
    })
}

fn assert_caught(mutant: Mutant, workload: Workload, commits: Commits) {
    let said = caught(mutant, workload, commits);
    assert!(said.is_some(), "{mutant:?} is not found");
    super::report(&format!(
        "{mutant:?} is found: {}",
        said.unwrap_or_default()
    ));
}

#[test]
fn a_missing_sync_before_the_flips_is_found() {
    assert_caught(Mutant::NoFirstSync, workloads::IN_STEP, Commits::Sync);
}

#[test]
fn managers_named_beside_what_they_list_are_found() {
    assert_caught(Mutant::EarlyFlipsLast, managers::OF_LIBHDF5, Commits::Any);
}

#[test]
fn managers_that_list_what_the_last_commit_frees_are_found() {
    assert_caught(Mutant::ListedAtOnce, managers::OF_LIBHDF5, Commits::Any);
}

#[test]
fn early_reuse_of_freed_space_is_found() {
    assert_caught(Mutant::EarlyReuse, workloads::ANYTHING, Commits::Any);
}

#[test]
fn a_body_written_over_the_committed_one_is_found() {
    assert_caught(Mutant::BodyInPlace, workloads::IN_STEP, Commits::Any);
}

#[test]
fn an_end_of_file_named_before_the_device_has_it_is_found() {
    // Rows that are appended in place make the device longer before: this needs commits that append none.
    assert_caught(Mutant::EndBeforeLength, workloads::ANYTHING, Commits::Any);
}

#[test]
fn a_far_flip_before_the_end_of_file_is_found() {
    assert_caught(
        Mutant::FarFlipBeforeEnd,
        workloads::MANY_SECTORS,
        Commits::Any,
    );
}

/// Judges some images of each seed by what goes wrong when somebody goes on, and returns what the first says that shows
/// the break.
fn caught_going_on(mutant: Mutant, workload: Workload, commits: Commits) -> Option<String> {
    const IMAGES: usize = 300;
    let mut oracle = GoesOn::new(Rates {
        stock: usize::MAX,
        both: usize::MAX,
        second: usize::MAX,
    });
    oracle.stock.begin_with(workload.start);
    (0..6).find_map(|seed| {
        let mut run = Run::new(workload.start, seed, commits).blind();
        let done = mutant::with(mutant, || (workload.work)(&mut run));
        // Only what an image shows counts as found.
        done.ok()?;
        let (start, log) = (run.start.clone(), run.recorder.log());
        let views = views_at_marks(&start, &log, workload.start.is_some()).ok()?;
        let all = |visit: &mut dyn FnMut(Image) -> Result<(), String>| {
            let mut rng = Rng::new(seed);
            images::killed(&start, &log, &mut rng, 2, visit)?;
            match commits {
                Commits::Sync => images::without_power(&start, &log, &mut rng, visit),
                Commits::Any | Commits::Mixed => Ok(()),
            }
        };
        let mut total = 0;
        let counted = all(&mut |_| {
            total += 1;
            Ok(())
        });
        let mut choice = Rng::new(seed + 1);
        let mut judge = |image: Image| match choice.below(total) < IMAGES {
            true => oracle.judge(&image, &views),
            false => Ok(()),
        };
        counted.and_then(|()| all(&mut judge)).err()
    })
}

fn assert_caught_going_on(mutant: Mutant, workload: Workload, commits: Commits) {
    let said = caught_going_on(mutant, workload, commits);
    let name = workload.name;
    assert!(said.is_some(), "{mutant:?} is not found by {name}");
    super::report(&format!(
        "{mutant:?} is found by {name}: {}",
        said.unwrap_or_default()
    ));
}

/// What these break is seen by readers that know nothing of flip records.
fn is_there_libhdf5() -> bool {
    let is_there = super::support::python().is_some();
    if !is_there {
        super::report("left out: seeded breaks that libhdf5 finds");
    }
    is_there
}

const SWAPS_OF_OURS: Workload = Workload {
    name: "swaps in a file of ours",
    work: relinks::swaps,
    start: None,
};

const SWAPS_OF_OTHERS: Workload = Workload {
    name: "swaps in crash_foreign",
    work: relinks::swaps,
    start: workloads::FOREIGN.start,
};

#[test]
fn links_that_move_in_any_order_are_found() {
    if is_there_libhdf5() {
        for workload in [SWAPS_OF_OURS, SWAPS_OF_OTHERS] {
            assert_caught_going_on(Mutant::LinksInAnyOrder, workload, Commits::Any);
        }
    }
}

#[test]
fn counts_of_links_that_are_too_low_for_a_time_are_found() {
    if is_there_libhdf5() {
        let workload = Workload {
            name: "moves between groups in crash_foreign",
            work: relinks::between_groups,
            start: workloads::FOREIGN.start,
        };
        assert_caught_going_on(Mutant::CountsNotRaised, workload, Commits::Any);
    }
}

#[test]
fn a_header_over_the_edge_of_a_sector_without_a_record_is_found() {
    for (name, start) in straddling::files() {
        let workload = Workload {
            name,
            work: old_formats::edit,
            start: Some(start),
        };
        for commits in [Commits::Any, Commits::Sync] {
            assert_caught_going_on(Mutant::NoTailRecord, workload, commits);
        }
    }
}
