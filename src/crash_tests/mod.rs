//! What a reader finds after a death at any moment (I9): a storage that records every change, images of the device
//! after a kill at any write and after a loss of power between any syncs, and readers that judge each image.
//!
//! `H5QUILL_CRASH_IMAGES` is the least number of images to judge; the tests print how many they were. A failure names
//! workload, seed and event; the same seed fails again.

mod after_death;
mod bulk;
mod faults;
mod goes_on;
mod groups;
mod images;
mod managers;
mod many_strings;
mod mixed;
mod moves;
mod mutants;
mod old_formats;
mod oracle;
mod records;
mod relinks;
mod run;
mod small;
mod state;
mod stock;
mod straddling;
#[allow(unreachable_pub, reason = "shared with the integration tests")]
#[path = "../../tests/support/mod.rs"]
mod support;
mod syncs;
mod tails;
mod view;
mod workloads;

use oracle::{Counts, Oracle};
use run::{Commits, run};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers that are the same for the same seed (xorshift).
#[derive(Debug, Clone)]
struct Rng(u64);

impl Rng {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound.max(1) as u64) as usize
    }
}

/// Prints also where the output of tests is captured.
fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn wanted_images() -> usize {
    const DEFAULT: usize = 5_000;
    let named = std::env::var("H5QUILL_CRASH_IMAGES").ok();
    named.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT)
}

#[test]
fn every_crash_image_shows_the_last_commit_or_the_one_in_flight() {
    let (next, images) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let total = Mutex::new(Counts::default());
    let failures = Mutex::new(Vec::new());
    let wanted = wanted_images();
    // H5QUILL_CRASH_REPLAY=ROUND begins where a run failed.
    let round = std::env::var("H5QUILL_CRASH_REPLAY").ok();
    let first: usize = round.and_then(|text| text.parse().ok()).unwrap_or(0);
    let work = || {
        let mut oracle = Oracle::all(25);
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let (round, number) = (
                first + job / workloads::ALL.len(),
                job % workloads::ALL.len(),
            );
            let enough = images.load(Ordering::Relaxed) >= wanted;
            if (round > first && enough) || failures.lock().unwrap().len() > 5 {
                break;
            }
            let commits = match (round + number) % 2 {
                0 => Commits::Any,
                _ => Commits::Sync,
            };
            let before = oracle.counts.images;
            if let Err(error) = run(workloads::ALL[number], round as u64, commits, &mut oracle) {
                report(&error);
                failures.lock().unwrap().push(error);
            }
            images.fetch_add(oracle.counts.images - before, Ordering::Relaxed);
        }
        total.lock().unwrap().add(oracle.counts);
    };
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (total, failures) = (total.into_inner().unwrap(), failures.into_inner().unwrap());
    report(&format!(
        "crash images: {} judged, {} opened by h5py, {} edited and extended, {} dumped by h5dump, {} runs of {} failed",
        total.images,
        total.opened_by_h5py,
        total.edited,
        total.dumped,
        failures.len(),
        next.into_inner() - threads
    ));
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(total.images >= wanted);
}

/// The first commit takes the mark of a dead writer away, at its end: every image has the mark or is at that commit.
#[test]
fn a_file_that_a_dead_writer_left_is_marked_or_committed() {
    const FLAGS: usize = 11;
    let start = workloads::MARKED.start.expect("a file");
    assert_ne!(start[FLAGS], 0);
    for (seed, commits) in [(1, Commits::Any), (2, Commits::Sync), (3, Commits::Sync)] {
        let mut oracle = Oracle {
            edit_every: 10,
            ..Oracle::own()
        };
        run(workloads::MARKED, seed, commits, &mut oracle).unwrap();
        assert!(oracle.counts.images > 100 && oracle.counts.edited > 5);
    }
    let device = crate::storage::recorder::Recorder::on(start.to_vec());
    let file = crate::File::open_rw_on(device.clone()).unwrap();
    file.set_attr("ours", 1_i64).unwrap();
    assert_ne!(device.bytes()[FLAGS], 0);
    file.sync().unwrap();
    assert_eq!(device.bytes()[FLAGS], 0);
}
