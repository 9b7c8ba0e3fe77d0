//! One file, edited in turn by this library and by libhdf5 (h5py): random scripts of operations, begun by either in
//! every version of the format. After each turn both must read what a model says.
//!
//! `H5QUILL_TWO_WAY` is the number of scripts (60 by default), `H5QUILL_TWO_WAY_SEED` begins elsewhere,
//! `H5QUILL_TWO_WAY_SECONDS` is when to stop (600 by default). A failure prints the smallest script found; with
//! `H5QUILL_TWO_WAY_KEEP` the file is kept there as it was before its last turn.

#[allow(unreachable_pub, reason = "the modules of a test program are its own")]
#[path = "two_way/model.rs"]
mod model;
#[allow(unreachable_pub, reason = "the modules of a test program are its own")]
#[path = "two_way/run.rs"]
mod run;
#[allow(dead_code, unreachable_pub, reason = "shared by several test programs")]
#[path = "model/state.rs"]
mod state;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;
#[allow(unreachable_pub, reason = "the modules of a test program are its own")]
#[path = "two_way/worker.rs"]
mod worker;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use run::{Counts, Run, Turn};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};
use worker::Worker;

fn setting(name: &str, default: u64) -> u64 {
    let named = std::env::var(name).ok();
    named.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn script() -> impl Strategy<Value = (u8, Vec<Turn>)> {
    let operations = proptest::collection::vec((0_u8..100, any::<u64>()), 1..14);
    let turn = (any::<u16>(), operations).prop_map(|(how, operations)| Turn { how, operations });
    (any::<u8>(), proptest::collection::vec(turn, 1..8))
}

#[test]
fn what_both_write_in_turn_both_read() {
    let Some(worker) = Worker::start() else {
        return;
    };
    let worker = RefCell::new(Some(worker));
    let folder = tempfile::tempdir_in(if std::path::Path::new("/dev/shm").is_dir() {
        "/dev/shm".into()
    } else {
        std::env::temp_dir()
    })
    .unwrap();
    let counts = RefCell::new(Counts::default());
    let done = Cell::new(0_u64);
    let begun = Instant::now();
    let limit = Duration::from_secs(setting("H5QUILL_TWO_WAY_SECONDS", 600));
    let cases = setting("H5QUILL_TWO_WAY", 60) as u32;
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 30_000,
        max_shrink_iters: 5_000,
        ..Config::default()
    };
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&setting("H5QUILL_TWO_WAY_SEED", 0).to_le_bytes());
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let result = runner.run(&script(), |(start, turns)| {
        if begun.elapsed() > limit {
            return Ok(());
        }
        done.set(done.get() + 1);
        let mut kept = worker.borrow_mut();
        // A panic leaves none behind, and the next script starts another.
        let mut alive = kept
            .take()
            .or_else(Worker::start)
            .expect("python starts again");
        let mut counted = Counts::default();
        Run::script(&mut alive, folder.path(), &mut counted, start, &turns);
        counts.borrow_mut().add(&counted);
        *kept = Some(alive);
        Ok(())
    });
    support::say(&format!(
        "{} scripts in {:.1} s: {}",
        done.get(),
        begun.elapsed().as_secs_f64(),
        counts.borrow()
    ));
    if let Err(error) = result {
        panic!("{error}");
    }
}
