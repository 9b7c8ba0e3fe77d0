//! The seeded breaks: tests that cannot fail prove nothing.

use super::managers;
use super::oracle::Oracle;
use super::run::{Commits, Run, Workload};
use super::workloads;
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
