//! What files, groups and datasets of ours are created with, as libhdf5 sees and obeys it.

use crate::edited::assert_reads_like_h5py;
use crate::manifest::script;
use crate::support::python;
use crate::written::scratch;
use h5quill::storage::MemoryStorage;
use h5quill::{ErrorKind, File, FileBuilder, LibVer, Location};
use ndarray::{Array1, Array2};
use std::ffi::OsStr;
use std::path::Path;

/// As `PHASES` of creation.py.
const PHASES: [(&str, u32, u32); 4] = [
    ("none", 0, 0),
    ("few", 2, 1),
    ("usual", 8, 6),
    ("many", 40, 10),
];

fn creation(python: &Path, what: &str, path: &Path, argument: &str) {
    let arguments = [what.as_ref(), path.as_os_str(), OsStr::new(argument)];
    script(python, "creation.py", &arguments);
}

fn create_phases(path: &Path, libver: LibVer) {
    let options = File::with_options().libver(libver);
    let options = options.link_phase_change(3, 2).attr_phase_change(3, 2);
    let file = options.create(path).unwrap();
    for (name, max, min) in PHASES {
        let builder = file.new_group().attr_phase_change(max, min);
        let mut builder = builder.link_phase_change(max, min).est_link_info(4, 8);
        if name == "few" {
            builder = builder.est_link_info(200, 12);
        }
        let group = builder.create(name).unwrap();
        let data = group.new_dataset::<i32>().attr_phase_change(max, min);
        data.create_with("data", &[1]).unwrap();
    }
    file.close().unwrap();
}

fn set_attributes(item: &Location, count: i64) {
    for number in 0..count {
        item.set_attr(&format!("o{number}"), number).unwrap();
    }
}

/// We grow and shrink what they did, and the other way round.
#[test]
fn phase_change_values_are_obeyed_by_turns() {
    let Some(python) = python() else { return };
    for libver in [LibVer::V110, LibVer::V18] {
        let (_guard, path) = scratch("phases.h5");
        create_phases(&path, libver);
        for (turn, count) in ["nothing", "grow", "shrink", "grow", "shrink"]
            .iter()
            .zip([1, 2, 60, 3, 9])
        {
            creation(&python, "phases", &path, turn);
            let file = File::open_rw(&path).unwrap();
            let names = PHASES.map(|(name, ..)| name);
            for name in names.into_iter().chain(["/"]) {
                let group = if name == "/" {
                    file.root()
                } else {
                    file.group(name).unwrap()
                };
                for attribute in group.attr_names().unwrap() {
                    group.delete_attr(&attribute).unwrap();
                }
                set_attributes(&group, count);
                for link in group.member_names().unwrap() {
                    if link.starts_with('o') || link.starts_with('h') {
                        group.unlink(&link).unwrap();
                    }
                }
                for number in 0..count {
                    group.create_group(&format!("o{number}")).unwrap();
                }
                if name != "/" {
                    set_attributes(&group.dataset("data").unwrap(), count);
                }
            }
            file.close().unwrap();
            assert_reads_like_h5py(&python, &path);
        }
        creation(&python, "phases", &path, "nothing");
    }
}

#[test]
fn phase_change_values_that_cross_or_do_not_fit_are_refused() {
    let file = File::create_memory().unwrap();
    let invalid = |error: &ErrorKind| matches!(error, ErrorKind::Invalid(_));
    let limit = |error: &ErrorKind| matches!(error, ErrorKind::Limit { .. });
    let group = || file.new_group();
    for builder in [
        group().attr_phase_change(5, 6),
        group().link_phase_change(5, 6),
    ] {
        assert!(invalid(builder.create("g").unwrap_err().kind()));
    }
    let error = group().est_link_info(0, 1 << 16).create("g").unwrap_err();
    assert!(limit(error.kind()) && error.object_path() == Some("/g"));
    let data = file.new_dataset::<u8>().attr_phase_change(1 << 16, 0);
    assert!(limit(data.create("g").unwrap_err().kind()));
    let create = |options: FileBuilder| options.create_on(MemoryStorage::new()).unwrap_err();
    let options = File::with_options;
    assert!(invalid(create(options().link_phase_change(0, 1)).kind()));
    assert!(invalid(create(options().file_space_page_size(511)).kind()));
    assert!(limit(
        create(options().file_space_page_size((1 << 30) + 1)).kind()
    ));
    assert!(!file.exists("g").unwrap());
}

#[test]
fn the_order_of_creation_is_kept_where_it_is_asked_for() {
    let Some(python) = python() else { return };
    for libver in [LibVer::V110, LibVer::V18] {
        let (_guard, path) = scratch("orders.h5");
        let options = File::with_options().libver(libver).userblock(1024);
        let file = options.track_order(true).create(&path).unwrap();
        file.write_userblock(b"ours").unwrap();
        let group = file.new_group().track_order(true).create("group").unwrap();
        let data = file.new_dataset::<i32>().track_order(true).shape(0..);
        let data = data.create("data").unwrap();
        let items: [&Location; 3] = [&file, &group, &data];
        for item in items {
            for name in ["z", "a"] {
                item.set_attr(name, 1).unwrap();
            }
        }
        for name in ["z", "a", "on/the/way"] {
            group.create_group(name).unwrap();
        }
        let plain = file.new_dataset::<i32>().create("plain").unwrap();
        for name in ["z", "a"] {
            plain.set_attr(name, 1).unwrap();
        }
        file.close().unwrap();
        creation(&python, "orders", &path, "-");
        let file = File::open_rw(&path).unwrap();
        let expected: Vec<String> = (1..=12).rev().map(|number| format!("b{number}")).collect();
        for item in [
            &file.group("group").unwrap() as &Location,
            &file.dataset("data").unwrap(),
        ] {
            assert_eq!(item.attr_names().unwrap()[2..], expected);
            item.set_attr("c", 1).unwrap();
            assert_eq!(item.attr_names().unwrap()[14], "c");
        }
        assert_eq!(
            file.group("group").unwrap().member_names().unwrap()[3..],
            expected
        );
        file.close().unwrap();
        assert_reads_like_h5py(&python, &path);
    }
}

#[test]
fn blocks_of_the_threshold_begin_at_multiples() {
    let python = python();
    for (number, (threshold, alignment, userblock)) in [
        (1, 4096, 0),
        (300, 512, 512),
        (1000, 1000, 0),
        (64, 24, 1024),
    ]
    .into_iter()
    .enumerate()
    {
        let (_guard, path) = scratch("aligned.h5");
        let options = File::with_options().alignment(threshold, alignment);
        let create = options.clone().userblock(userblock);
        let file = match number % 2 {
            0 => create.create(&path).unwrap(),
            _ => create.libver(LibVer::V18).create(&path).unwrap(),
        };
        let builder = file.new_dataset::<f64>();
        builder
            .clone()
            .shape((0.., 20))
            .chunk((8, 20))
            .create("chunks")
            .unwrap();
        let packed = builder.clone().shape((0.., 20)).chunk((8, 20)).deflate(1);
        packed.create("packed").unwrap();
        file.new_dataset::<String>()
            .shape(0..)
            .create("texts")
            .unwrap();
        let flat = builder.shape(500).contiguous();
        for at in 0..12 {
            flat.clone().create(&format!("flat {at}")).unwrap();
        }
        file.close().unwrap();
        for round in 0..6 {
            // It is no property of the file.
            let file = options.open_rw(&path).unwrap();
            for name in ["chunks", "packed"] {
                let rows = Array2::from_shape_fn((13, 20), |(row, column)| {
                    ((row * 31 + column * 7 + round) as f64).sin()
                });
                file.dataset(name).unwrap().append(&rows).unwrap();
            }
            file.dataset("texts")
                .unwrap()
                .append(&["text"; 40])
                .unwrap();
            for at in [round * 2, round * 2 + 1, round] {
                let data = file.dataset(&format!("flat {at}")).unwrap();
                data.write(&Array1::from_elem(500, round as f64)).unwrap();
            }
            file.set_attr("round", round as i64).unwrap();
            file.close().unwrap();
        }
        let report = File::open(&path).unwrap().verify().unwrap();
        assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
        if let Some(python) = &python {
            let numbers = format!("{threshold} {alignment} {userblock}");
            creation(python, "aligned", &path, &numbers);
            assert_reads_like_h5py(python, &path);
        }
    }
}
