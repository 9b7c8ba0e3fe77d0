//! A device that fails: every call of a workload, one after the other.

use super::oracle::walk;
use super::run::{Commits, Run, Workload};
use super::state::{State, capture, compare, found};
use super::workloads;
use crate::storage::recorder::{Failed, Fault, Planned, Recorder};
use crate::store::mutant::{self, Mutant};
use crate::user_code::uncaught;
use crate::{ErrorKind, File};

fn states_of(workload: Workload, seed: u64) -> Vec<Option<State>> {
    let mut run = Run::new(workload.start, seed, Commits::Any).blind();
    (workload.work)(&mut run).expect("nothing fails without a fault");
    run.states
}

/// Whether the fault came at all.
fn survives(
    workload: Workload,
    seed: u64,
    planned: Planned,
    states: &[Option<State>],
) -> Result<bool, String> {
    let recorder = Recorder::on(workload.start.unwrap_or(&[]).to_vec());
    recorder.plan(planned);
    let opened = Run::on(recorder.clone(), workload.start, seed, Commits::Any);
    let (error, commit, file) = match opened {
        Ok(run) => {
            let mut run = run.blind();
            match (workload.work)(&mut run) {
                Ok(()) if recorder.failed().is_none() => return Ok(false),
                // What a read only wanted to save may be done without.
                Ok(()) if recorder.failed() == Some(Failed::Read) => {
                    // Space may then be used in another way.
                    let crcs = |state: &Option<State>| state.as_ref().map(found);
                    let same = run.states.iter().map(crcs).eq(states.iter().map(crcs));
                    return same
                        .then_some(true)
                        .ok_or("a failed read changes a commit".into());
                }
                Ok(()) => return Err("the fault is not reported".into()),
                Err(error) => (error, run.states.len() - 1, run.open.then_some(run.file)),
            }
        }
        Err(error) => (error, 0, None),
    };
    if !matches!(error.kind(), ErrorKind::Storage(_)) {
        return Err(format!("the error is {error}"));
    }
    if let Some(file) = file {
        judge_handle(file, &recorder)?;
    }
    if recorder.failed() == Some(Failed::Read) {
        return Ok(true);
    }
    judge_device(&recorder.bytes(), commit, states).map(|()| true)
}

/// After a failed change everything fails and nothing is written. After a failed read the file may go on, whole.
fn judge_handle(file: File, recorder: &Recorder) -> Result<(), String> {
    let before = recorder.bytes();
    match file.flush() {
        Ok(()) if recorder.failed() == Some(Failed::Change) => {
            return Err("a handle goes on after a failed write".into());
        }
        Ok(()) => {
            let said = capture(&file).map_err(|error| error.to_string())?;
            let bytes = recorder.bytes();
            let state = super::oracle::read_state(&bytes)?;
            if found(&state) != found(&said) {
                return Err("after a failed read the file is not what the handle says".into());
            }
            return walk(&bytes);
        }
        // A closed file is one that failed to close.
        Err(error) if matches!(error.kind(), ErrorKind::Poisoned | ErrorKind::Closed) => {}
        Err(error) => return Err(format!("a handle is not poisoned but says {error}")),
    }
    let writes = file.set_attr("late", 1_i64).is_ok();
    drop(file);
    if writes || recorder.bytes() != before {
        return Err("a poisoned handle writes".into());
    }
    Ok(())
}

/// As [`survives`], of a call that panics where nobody catches that but the user.
fn survives_panic(
    workload: Workload,
    seed: u64,
    after: usize,
    states: &[Option<State>],
) -> Result<bool, String> {
    let recorder = Recorder::on(workload.start.unwrap_or(&[]).to_vec());
    let fault = Fault::Panic;
    recorder.plan(Planned { fault, after });
    let mut run = None;
    let ended = uncaught::with(|| {
        let opened = Run::on(recorder.clone(), workload.start, seed, Commits::Any)?;
        (workload.work)(run.insert(opened.blind()))
    });
    match ended {
        Ok(Ok(())) if recorder.failed().is_none() => return Ok(false),
        Ok(_) => return Err("the panic did not come through".into()),
        Err(_) => {}
    }
    let Some(run) = run else {
        return Ok(true);
    };
    let (commit, file) = (run.states.len() - 1, run.open.then(|| run.file.clone()));
    if recorder.failed() == Some(Failed::Change) {
        // The drop commits, or not.
        drop((run, file));
    } else if let Some(file) = file {
        judge_handle(file, &recorder)?;
        return Ok(true);
    }
    judge_device(&recorder.bytes(), commit, states).map(|()| true)
}

fn every_call_panics(workload: Workload) -> Result<(), String> {
    for seed in 0..3 {
        let states = states_of(workload, seed);
        let mut after = 0;
        while survives_panic(workload, seed, after, &states)
            .map_err(|error| format!("{} seed {seed} after {after}: {error}", workload.name))?
        {
            after += 1;
        }
        super::report(&format!("{}: {after} calls panicked", workload.name));
        assert!(after > 10);
    }
    Ok(())
}

#[test]
fn a_panic_in_any_call_leaves_the_last_commit() {
    every_call_fails(workloads::BRIEF, Fault::Panic);
}

#[test]
fn a_panic_that_nobody_catches_leaves_the_last_commit() {
    for workload in [
        workloads::BRIEF,
        workloads::MANY_SECTORS,
        workloads::FOREIGN,
    ] {
        every_call_panics(workload).unwrap();
    }
}

#[test]
fn a_commit_after_a_panic_is_found() {
    let mutated = mutant::with(Mutant::CommitAfterPanic, || {
        every_call_panics(workloads::BRIEF)
    });
    super::report(&format!("a commit after a panic: {}", mutated.unwrap_err()));
}

fn judge_device(bytes: &[u8], commit: usize, states: &[Option<State>]) -> Result<(), String> {
    let before = states[commit].as_ref();
    let after = states.get(commit + 1).and_then(Option::as_ref);
    match File::open_memory(bytes.to_vec()).and_then(|file| capture(&file)) {
        Ok(state) => {
            compare(&found(&state), before, after, true)?;
            walk(bytes)
        }
        Err(error) if before.is_none() && matches!(error.kind(), ErrorKind::NotHdf5) => Ok(()),
        Err(error) => Err(format!("cannot be opened: {error}")),
    }
}

fn every_call_fails(workload: Workload, fault: Fault) {
    for seed in 0..4 {
        let states = states_of(workload, seed);
        let mut after = 0;
        loop {
            let planned = Planned { fault, after };
            match survives(workload, seed, planned, &states) {
                Ok(true) => after += 1,
                Ok(false) => break,
                Err(error) => panic!("{} seed {seed} {planned:?}: {error}", workload.name),
            }
        }
        super::report(&format!(
            "{}: {after} calls failed with {fault:?}",
            workload.name
        ));
        assert!(after > 10);
    }
}

#[test]
fn an_input_output_error_in_any_call_leaves_the_last_commit() {
    every_call_fails(workloads::BRIEF, Fault::Error);
}

#[test]
fn a_full_disk_at_any_write_leaves_the_last_commit() {
    every_call_fails(workloads::BRIEF, Fault::NoSpace);
}

#[test]
fn a_short_write_anywhere_leaves_the_last_commit() {
    every_call_fails(workloads::BRIEF, Fault::ShortWrite);
}

#[test]
fn a_failing_device_leaves_the_last_commit_of_objects_in_many_sectors() {
    every_call_fails(workloads::MANY_SECTORS, Fault::Error);
}

#[test]
fn a_failing_device_leaves_a_file_libhdf5_wrote_readable() {
    every_call_fails(workloads::FOREIGN, Fault::ShortWrite);
}
