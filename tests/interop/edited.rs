//! They edit what we wrote, we edit what they edited.

use crate::dump::dump;
use crate::manifest::{pythons, script};
use crate::support::{python, run, tool};
use crate::written::scratch;
use h5quill::{File, FileBuilder};
use ndarray::{Array1, Array2, s};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

const ROUNDS: i64 = 8;

/// A new file for rounds.py.
pub fn start(options: &FileBuilder, path: &Path) {
    let file = options.create(path).unwrap();
    file.new_dataset::<f64>()
        .shape((0.., 3))
        .chunk((4, 3))
        .create("grow")
        .unwrap();
    file.new_dataset::<i32>()
        .shape((0.., 5))
        .chunk((8, 5))
        .shuffle()
        .deflate(4)
        .create("packed")
        .unwrap();
    file.new_dataset::<i16>()
        .shape((0.., 0..))
        .chunk((3, 4))
        .fill_value(7)
        .create("two")
        .unwrap();
    file.new_dataset::<i32>()
        .shape(0..)
        .chunk(4)
        .deflate(1)
        .fletcher32()
        .fill_value(9)
        .create("yoyo")
        .unwrap();
    file.new_dataset::<i32>()
        .shape(30..)
        .chunk(4)
        .fill_value(9)
        .create("down")
        .unwrap();
    file.new_dataset::<i32>()
        .shape(30..)
        .chunk(4)
        .deflate(2)
        .fill_value(9)
        .create("up")
        .unwrap();
    file.new_dataset::<String>()
        .shape(0..)
        .chunk(5)
        .create("names")
        .unwrap();
    file.new_dataset::<f32>()
        .shape(100)
        .contiguous()
        .create("flat")
        .unwrap();
    file.new_dataset::<u8>()
        .shape((20, 20))
        .chunk((7, 7))
        .create("fixed")
        .unwrap();
    let dense = file.create_group("dense").unwrap();
    for number in 0..100 {
        dense.create_group(&format!("member {number}")).unwrap();
    }
    for number in 0..50 {
        dense
            .set_attr(&format!("attr {number}"), f64::from(number))
            .unwrap();
    }
    file.close().unwrap();
}

fn append_rows(file: &File, k: usize) {
    let grow = file.dataset("grow").unwrap();
    let old = grow.shape()[0];
    let row = |offset: f64| {
        Array2::from_shape_fn((3 + k, 3), |(r, c)| ((old + r) * 3 + c) as f64 + offset)
    };
    grow.append(&row(0.5 * k as f64)).unwrap();
    let packed = file.dataset("packed").unwrap();
    let old = packed.shape()[0];
    packed
        .append(&Array2::from_shape_fn((4, 5), |(r, c)| {
            ((old + r) * 5 + c + k) as i32
        }))
        .unwrap();
    packed
        .write_slice(&Array1::from_elem(5, -(k as i32)), s![k, ..])
        .unwrap();
    let names = file.dataset("names").unwrap();
    names
        .append(&[format!("näme {k} a"), format!("näme {k} b")])
        .unwrap();
    names.write_slice(&["re".repeat(k)], s![k..=k]).unwrap();
}

fn resize_up_and_down(file: &File, k: usize) {
    let two = file.dataset("two").unwrap();
    let (height, width) = (two.shape()[0], two.shape()[1]);
    two.resize(if k.is_multiple_of(2) {
        (height + 5, width)
    } else {
        (height, width + 6)
    })
    .unwrap();
    if k > 0 {
        two.write_slice(&Array1::from_elem(k + 1, k as i16), s![0..=k, 0])
            .unwrap();
    }
    let yoyo = file.dataset("yoyo").unwrap();
    yoyo.resize(5).unwrap();
    yoyo.resize(12 + k).unwrap();
    yoyo.write_slice(&[k as i32 + 1; 2], 10..12).unwrap();
    let (shrinks, grows) = if k.is_multiple_of(2) {
        ("down", "up")
    } else {
        ("up", "down")
    };
    file.dataset(shrinks).unwrap().resize(3).unwrap();
    let grows = file.dataset(grows).unwrap();
    grows.resize(30).unwrap();
    grows.write_slice(&[k as i32; 10], 20..30).unwrap();
}

/// One round of `rounds.py`.
pub fn edit(path: &Path, k: usize) {
    let file = File::open_rw(path).unwrap();
    append_rows(&file, k);
    resize_up_and_down(&file, k);
    file.dataset("flat")
        .unwrap()
        .write_slice(&[k as f32; 10], k * 10..(k + 1) * 10)
        .unwrap();
    file.dataset("fixed")
        .unwrap()
        .write_slice(&Array2::from_elem((3, 7), k as u8), (k..k + 3, 2..9))
        .unwrap();
    file.set_attr("round", k as i64).unwrap();
    file.set_attr("title", format!("títle {k}")).unwrap();
    file.set_attr(&format!("at {k}"), [k as i64, k as i64 + 1])
        .unwrap();
    if k >= 2 {
        file.delete_attr(&format!("at {}", k - 2)).unwrap();
        file.unlink(&format!("made/{}", k - 2)).unwrap();
    }
    let made: Vec<i32> = (0..10).map(|at| at * k as i32).collect();
    file.new_dataset::<i32>()
        .shape(10..)
        .chunk(4)
        .create_with(&format!("made/{k}"), &made)
        .unwrap();
    let dense = file.group("dense").unwrap();
    dense.create_group(&format!("extra {k}")).unwrap();
    dense.unlink(&format!("member {}", k * 3)).unwrap();
    dense
        .set_attr(&format!("new {k}"), k as f64 + 0.25)
        .unwrap();
    dense.delete_attr(&format!("attr {}", k * 2)).unwrap();
    file.link_hard("grow", &format!("link {k}")).unwrap();
    file.close().unwrap();
}

/// We read what h5py reads.
pub fn assert_reads_like_h5py(python: &Path, path: &Path) {
    let theirs = script(python, "dump.py", &[path.as_os_str()]);
    let file = File::open(path).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound(), "{report}");
    let ours = dump(&file).unwrap();
    assert_same_dump(&ours, theirs.trim_end());
}

/// Line by line, but for values of types that we do not read yet.
pub fn assert_same_dump(ours: &str, theirs: &str) {
    let key = |line: &'_ str| line.split('\t').next().unwrap_or_default().to_owned();
    let unread: BTreeSet<String> = ours
        .lines()
        .filter(|line| line.ends_with("\tunsupported"))
        .map(key)
        .collect();
    let lines = |dump: &str| -> BTreeSet<String> {
        let read = dump.lines().filter(|line| !unread.contains(&key(line)));
        read.map(String::from).collect()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let only_ours: Vec<_> = ours.difference(&theirs).take(5).collect();
    let only_theirs: Vec<_> = theirs.difference(&ours).take(5).collect();
    assert!(
        only_ours.is_empty() && only_theirs.is_empty(),
        "we: {only_ours:#?}\nthey: {only_theirs:#?}"
    );
}

#[test]
fn rounds_of_edits_by_us_and_by_h5py_alternate() {
    let Some(python) = python() else { return };
    for first in [0, 1] {
        let (_guard, path) = scratch("rounds.h5");
        start(&File::with_options(), &path);
        for k in 0..ROUNDS {
            if (k + first) % 2 == 0 {
                edit(&path, k as usize);
            } else {
                script(
                    &python,
                    "rounds.py",
                    &[
                        OsStr::new("edit"),
                        path.as_os_str(),
                        OsStr::new(&k.to_string()),
                    ],
                );
            }
            assert_reads_like_h5py(&python, &path);
        }
        let done = ROUNDS.to_string();
        for python in pythons() {
            script(
                &python,
                "rounds.py",
                &[OsStr::new("check"), path.as_os_str(), OsStr::new(&done)],
            );
        }
        edit_repacked(&python, &path);
    }
}

/// What h5repack makes of our file reads the same and takes another round of ours.
fn edit_repacked(python: &Path, path: &Path) {
    let Some(h5repack) = tool("h5repack") else {
        return;
    };
    let repacked = path.with_extension("repacked.h5");
    let mut command = Command::new(h5repack);
    run({
        command.args(["-L".as_ref(), path.as_os_str(), repacked.as_os_str()]);
        command
    });
    assert_reads_like_h5py(python, &repacked);
    edit(&repacked, ROUNDS as usize);
    let done = (ROUNDS + 1).to_string();
    script(
        python,
        "rounds.py",
        &[OsStr::new("check"), repacked.as_os_str(), OsStr::new(&done)],
    );
}
