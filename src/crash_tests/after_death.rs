//! Every workload of the crash tests, and those of links that move, of headers that straddle and of strings in many
//! datasets, judged by what goes wrong when somebody goes on after the death (`goes_on.rs`).
//!
//! `H5QUILL_CRASH_IMAGES` divided by [`SHARE`] is the least number of images; `H5QUILL_CRASH_ONLY=TEXT` runs the workloads
//! whose name has that text, `H5QUILL_CRASH_REPLAY=ROUND` begins at a round. A failure names workload, round and event.

use super::goes_on::{Counts, GoesOn, Rates, views_at_marks};
use super::images::{self, Image};
use super::run::{Commits, Run, Workload};
use super::{many_strings, old_formats, relinks, straddling, workloads};
use crate::Result;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of the images that a run of the crash tests asks for.
const SHARE: usize = 3;

/// With so many images, every workload is run at least once.
const FULL: usize = 10_000;

/// One image in so many.
const RATES: Rates = Rates {
    stock: 20,
    both: 25,
    second: 150,
};

#[derive(Debug, Clone)]
struct Case {
    name: String,
    workload: Workload,
}

type Work = fn(&mut Run) -> Result<()>;

const MOVES: &[(&str, Work)] = &[
    ("renames", relinks::renames),
    ("moves through the root", relinks::through_the_root),
    ("moves between groups", relinks::between_groups),
    ("swaps", relinks::swaps),
    ("any moves", relinks::any_moves),
];

const OURS: &[(&str, Work)] = &[
    ("strings in forty datasets", many_strings::forty),
    ("strings that are replaced", many_strings::replaced),
    ("two axes of compressed data", many_strings::two_axes),
];

fn cases() -> Vec<Case> {
    let case = |name: String, workload: Workload| Case { name, workload };
    let mut cases: Vec<Case> = Vec::new();
    for workload in workloads::ALL {
        cases.push(case(workload.name.into(), *workload));
    }
    let mut starts: Vec<(&str, Option<&'static [u8]>)> = vec![("a file of ours", None)];
    let of = |workload: Workload| workload.start;
    starts.push(("crash_foreign", of(workloads::FOREIGN)));
    starts.push(("crash_paged", of(workloads::PAGED)));
    for (name, bytes) in old_formats::files() {
        starts.push((name, Some(bytes)));
    }
    for &(name, work) in OURS {
        let start = None;
        cases.push(case(name.into(), Workload { name, work, start }));
    }
    for (name, bytes) in straddling::files() {
        starts.push((name, Some(bytes)));
    }
    for (name, start) in &starts[3..] {
        let workload = Workload {
            name: "edits",
            work: old_formats::edit,
            start: *start,
        };
        cases.push(case(format!("edits in {name}"), workload));
    }
    for &(work_name, work) in MOVES {
        for &(name, start) in &starts {
            let workload = Workload {
                name: work_name,
                work,
                start,
            };
            cases.push(case(format!("{work_name} in {name}"), workload));
        }
    }
    let only = std::env::var("H5QUILL_CRASH_ONLY").unwrap_or_default();
    cases.retain(|case| case.name.contains(&only));
    cases
}

/// What came of one workload.
#[derive(Debug, Default, Clone)]
struct Outcome {
    counts: Counts,
    wrong: usize,
    first: Option<String>,
}

fn judge_run(
    case: &Case,
    round: usize,
    commits: Commits,
    share: usize,
    judge: &mut GoesOn,
) -> Outcome {
    let mut outcome = Outcome::default();
    let note = |outcome: &mut Outcome, error: String| {
        outcome.wrong += 1;
        let place = format!("{} round {round} {commits:?}: {error}", case.name);
        outcome.first.get_or_insert(place);
    };
    let before = judge.counts;
    let mut run = Run::new(case.workload.start, round as u64, commits);
    if let Err(error) = (case.workload.work)(&mut run) {
        note(&mut outcome, error.to_string());
        return outcome;
    }
    let (start, log) = (run.start.clone(), run.recorder.log());
    let views = match views_at_marks(&start, &log, case.workload.start.is_some()) {
        Ok(views) => views,
        Err(error) => {
            note(&mut outcome, error);
            return outcome;
        }
    };
    judge.stock.begin_with(case.workload.start);
    judge.straddles = case.workload.start.is_some();
    let all = |visit: &mut dyn FnMut(Image) -> std::result::Result<(), String>| {
        let mut rng = super::Rng::new(round as u64);
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
    let mut choice = super::Rng::new(round as u64 + 1);
    let judged = counted.and_then(|()| {
        all(&mut |image| {
            if choice.below(total) < share
                && let Err(error) = judge.judge(&image, &views)
            {
                note(&mut outcome, error);
            }
            Ok(())
        })
    });
    if let Err(error) = judged {
        note(&mut outcome, error);
    }
    outcome.counts = judge.counts.since(before);
    outcome
}

fn say(name: &str, outcome: &Outcome) {
    let counts = &outcome.counts;
    super::report(&format!(
        "{name}: {} images and {} of second deaths ({} torn), {} edits by libhdf5 with {} appends, {} by us before, {} wrong",
        counts.images,
        counts.second_deaths,
        counts.torn,
        counts.stock_edits,
        counts.stock_appends,
        counts.both_edits,
        outcome.wrong
    ));
}

#[test]
fn whoever_goes_on_after_a_death_finds_all_that_was_committed() {
    let cases = cases();
    let wanted = super::wanted_images() / SHARE;
    let named = std::env::var("H5QUILL_CRASH_REPLAY").ok();
    let first: usize = named.and_then(|text| text.parse().ok()).unwrap_or(0);
    // About what a run of each adds, or what is wanted of each.
    let stride = if cases.len().is_multiple_of(37) {
        41
    } else {
        37
    };
    let share = (wanted / cases.len()).clamp(20, 150);
    let (next, images) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes = Mutex::new(BTreeMap::<String, Outcome>::new());
    let work = || {
        let mut judge = GoesOn::new(RATES);
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            // A short run judges some of each kind of workload, one of 100,000 all of them.
            let round = first + job / cases.len();
            let case = &cases[job * stride % cases.len()];
            let full = wanted < FULL || job >= cases.len();
            if full && images.load(Ordering::Relaxed) >= wanted {
                break;
            }
            let commits = [Commits::Any, Commits::Sync][(round + job % cases.len()) % 2];
            let outcome = judge_run(case, round, commits, share, &mut judge);
            images.fetch_add(outcome.counts.all_images(), Ordering::Relaxed);
            let mut outcomes = outcomes.lock().unwrap();
            let entry = outcomes.entry(case.name.clone()).or_default();
            entry.counts.add(outcome.counts);
            entry.wrong += outcome.wrong;
            entry.first = entry.first.take().or(outcome.first);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let outcomes = outcomes.into_inner().unwrap();
    let mut total = Outcome::default();
    let mut failures = Vec::new();
    for (name, outcome) in &outcomes {
        say(name, outcome);
        total.counts.add(outcome.counts);
        total.wrong += outcome.wrong;
        let Some(error) = &outcome.first else {
            continue;
        };
        super::report(error);
        failures.push(error);
    }
    say("in all", &total);
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(total.counts.all_images() >= wanted);
}
