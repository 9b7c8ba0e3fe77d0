//! Free space that a file keeps: libhdf5 uses what we have freed, and we what it has.

use crate::manifest::{pythons, script};
use crate::support::{run, tool};
use crate::written::scratch;
use h5quill::{File, FileSpaceStrategy};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

const NAMES: usize = 8;

fn values(name: usize, number: usize) -> Vec<i32> {
    let value = |at: usize| (at + 1000 * number) as i32;
    (0..700 + 90 * name).map(value).collect()
}

/// As `make` of reuse.py does.
fn make(path: &Path, options: &str) {
    let words: Vec<&str> = options.split(' ').collect();
    let strategy = FileSpaceStrategy::FreeSpaceManager {
        paged: false,
        persist: true,
        threshold: words[2].parse().unwrap(),
    };
    let builder = File::with_options().file_space_strategy(strategy);
    let file = builder.create(path).unwrap();
    for name in 0..NAMES {
        let values = values(name, 0);
        let builder = file.new_dataset_builder().with_data(&values);
        builder.create(format!("flat {name}").as_str()).unwrap();
    }
    let packed: Vec<i64> = (0..4000).map(|at| at % 50).collect();
    let builder = file.new_dataset::<i64>().shape(4000..).chunk(500);
    let dataset = builder.deflate(4).create("packed").unwrap();
    dataset.write(&packed).unwrap();
    let gone: Vec<i64> = (0..5000).collect();
    let builder = file.new_dataset_builder().with_data(&gone);
    builder.create("gone").unwrap();
    file.new_dataset::<i32>().create("last").unwrap();
    file.close().unwrap();
    let file = File::open_rw(path).unwrap();
    file.unlink("gone").unwrap();
    file.close().unwrap();
}

/// As `turn` of reuse.py does.
fn turn(path: &Path, number: usize) {
    let file = File::open_rw(path).unwrap();
    for name in (number % 2..NAMES).step_by(2) {
        let path = format!("flat {name}");
        file.unlink(&path).unwrap();
        let values = values(name, number);
        let builder = file.new_dataset_builder().with_data(&values);
        builder.create(path.as_str()).unwrap();
    }
    let packed = file.dataset("packed").unwrap();
    packed.resize(2000).unwrap();
    packed.resize(4000).unwrap();
    let values: Vec<i64> = (0..2000).map(|at| at % (50 + number as i64)).collect();
    packed.write_slice(&values, 2000..4000).unwrap();
    let row: Vec<i64> = (0..1 + number as i64 * 7 % 40).collect();
    file.set_attr("row", row).unwrap();
    if file.exists("group").unwrap() {
        file.unlink("group").unwrap();
    } else {
        let group = file.create_group("group").unwrap();
        for name in 0..20_i64 {
            let dataset = group.new_dataset::<i64>();
            let dataset = dataset.create(format!("{name}").as_str()).unwrap();
            dataset.write_scalar(&name).unwrap();
        }
    }
    file.close().unwrap();
}

fn listed(python: &Path, path: &Path, least: u64) -> u64 {
    let least = least.to_string();
    let arguments = [OsStr::new("free"), path.as_os_str(), least.as_ref()];
    script(python, "reuse.py", &arguments)
        .trim()
        .parse()
        .unwrap()
}

/// After a few turns the file is as large as it gets, whoever is next: what one has freed, the other uses.
#[test]
fn free_space_in_the_file_is_used_by_us_and_by_libhdf5() {
    const TURNS: usize = 18;
    let pythons = pythons();
    for (number, (options, ours)) in [
        ("fsm 1 1 4096 latest", true),
        ("fsm 1 30 4096 v110", false),
        ("fsm 1 1 4096 v110", false),
        ("fsm 1 20 4096 latest", true),
    ]
    .into_iter()
    .enumerate()
    {
        let Some(first) = pythons.first() else { return };
        let (_guard, path) = scratch("reuse.h5");
        let call = |python: &Path, what: &str, argument: &str| {
            let arguments = [OsStr::new(what), path.as_os_str(), argument.as_ref()];
            script(python, "reuse.py", &arguments);
        };
        let size = || std::fs::metadata(&path).unwrap().len();
        match ours {
            true => make(&path, options),
            false => call(first, "make", options),
        }
        // What was taken out is listed, but for what is below the threshold.
        listed(first, &path, 40_000);
        let (mut sizes, mut by_turns, mut lost) = (vec![size()], Vec::new(), Vec::new());
        for k in 1..=TURNS {
            let python = &pythons[(k / 2 + number) % pythons.len()];
            // Now and then twice in a row.
            let us = [true, false, true, true, false, false][k % 6] == ours;
            match us {
                true => turn(&path, k),
                false => call(python, "turn", &k.to_string()),
            }
            sizes.push(size());
            by_turns.push(listed(python, &path, 1));
            let report = File::open(&path).unwrap().verify().unwrap();
            assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
            lost.push(report.unreachable_bytes);
        }
        println!("{options}: {sizes:?}, free {by_turns:?}, in no list {lost:?}");
        let (half, all) = (sizes[..=TURNS / 2].iter().max(), sizes.iter().max());
        // A turn replaces more than this. What libhdf5 frees of a header of ours is not all of it.
        assert!(
            *all.unwrap() <= half.unwrap() + 16_384,
            "{options}: {sizes:?}, free {by_turns:?}"
        );
        if let Some(h5stat) = tool("h5stat") {
            let mut command = Command::new(h5stat);
            command.arg("-S").arg(&path);
            run(command);
        }
    }
}
