//! A panic in any call of the device: the call it was in is undone, so that dropping the file leaves the last commit or the
//! one in flight, and never a change that was half made.

use super::faults::{judge_device, states_of};
use super::run::{Commits, Run, Workload};
use super::workloads;
use crate::storage::recorder::{Fault, Planned, Recorder};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whether the panic came at all, and what is wrong after it.
fn survives(workload: Workload, seed: u64, after: usize) -> Option<Result<(), String>> {
    let states = states_of(workload, seed);
    let recorder = Recorder::on(workload.start.unwrap_or(&[]).to_vec());
    let fault = Fault::Panic;
    recorder.plan(Planned { fault, after });
    let opened = catch_unwind(AssertUnwindSafe(|| {
        Run::on(recorder.clone(), workload.start, seed, Commits::Any)
    }));
    let commit = match opened {
        Err(_) => 0,
        Ok(Err(error)) => return Some(Err(error.to_string())),
        Ok(Ok(run)) => {
            let mut run = run.blind();
            let worked = catch_unwind(AssertUnwindSafe(|| (workload.work)(&mut run)));
            let commit = run.states.len() - 1;
            let _ = catch_unwind(AssertUnwindSafe(|| drop(run)));
            match worked {
                Err(_) => commit,
                Ok(_) if recorder.failed().is_none() => return None,
                Ok(Ok(())) => return Some(Err("the panic does not come out".into())),
                Ok(Err(error)) => return Some(Err(error.to_string())),
            }
        }
    };
    Some(judge_device(&recorder.bytes(), commit, &states))
}

#[test]
fn a_panic_in_any_call_of_the_device_leaves_a_commit() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (mut panics, mut wrong, mut first) = (0, 0, None);
    for (workload, seed) in [
        (workloads::BRIEF, 0),
        (workloads::BRIEF, 1),
        (workloads::FOREIGN, 0),
    ] {
        // About forty calls of each.
        for after in 0.. {
            let Some(judged) = survives(workload, seed, after * 7 + seed as usize) else {
                break;
            };
            panics += 1;
            if let Err(error) = judged {
                wrong += 1;
                let place = after * 7 + seed as usize;
                first.get_or_insert(format!(
                    "{} seed {seed} call {place}: {error}",
                    workload.name
                ));
            }
        }
    }
    std::panic::set_hook(hook);
    super::report(&format!(
        "panics in calls of the device: {panics}, {wrong} wrong"
    ));
    assert!(panics > 30);
    assert_eq!(first, None);
}
