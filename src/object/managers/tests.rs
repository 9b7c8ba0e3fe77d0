//! What managers of libhdf5 say is used, and where they are not to be believed nothing of it is.

use crate::bytes::{Addr, Extent, Widths, lookup3};
use crate::format::free_space::{Manager, Section, header_size};
use crate::format::message::file_space_info::FileSpaceInfo;
use crate::storage::recorder::{Event, Recorder};
use crate::{File, FileSpaceStrategy, Result};
use std::collections::BTreeMap;

const MANAGED: &[u8] = include_bytes!("../../../tests/golden/crash_managed.h5");
const W: Widths = Widths::EIGHT;

fn info(bytes: &[u8]) -> FileSpaceInfo {
    let file = File::open_on(Recorder::on(bytes.to_vec())).unwrap();
    let info = file.object.with(|engine, _| engine.file_space()).unwrap();
    info.unwrap()
}

fn header(bytes: &[u8], at: Addr) -> Manager {
    let at = at.get() as usize;
    let end = at + header_size(W) as usize;
    Manager::decode(&bytes[at..end], W, at as u64).unwrap()
}

/// What the managers of a file list.
fn listed(bytes: &[u8]) -> Vec<Section> {
    let mut all = Vec::new();
    for at in info(bytes).managers.into_iter().flatten() {
        let manager = header(bytes, at);
        let list = manager.list.unwrap();
        let content = &bytes[list.addr.get() as usize..list.end().get() as usize];
        all.extend(manager.sections(content, at, W, 0).unwrap());
    }
    all.sort_by_key(|section| section.extent);
    all
}

/// Changes a list of `bytes`, all of whose checksums are right afterwards.
fn change_list(bytes: &mut [u8], number: usize, change: impl FnOnce(&mut Vec<Section>)) {
    let at = info(bytes).managers[number].unwrap();
    let list = header(bytes, at).list.unwrap();
    let place = list.addr.get() as usize..list.end().get() as usize;
    let manager = header(bytes, at);
    let mut sections = manager.sections(&bytes[place.clone()], at, W, 0).unwrap();
    change(&mut sections);
    let manager = Manager::new(&sections, list, W);
    let encoded = manager.encode_list(&mut sections, at, W);
    bytes[place].copy_from_slice(&encoded);
    let header = manager.encode(W);
    let at = at.get() as usize;
    bytes[at..at + header.len()].copy_from_slice(&header);
}

/// The values of everything in the file but what the tests make.
fn contents(file: &File) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for name in ["x", "y", "c"] {
        all.insert(name.into(), file.dataset(name)?.read_bytes(..)?);
    }
    for dataset in file.group("g")?.datasets()? {
        all.insert(dataset.name(), dataset.read_bytes(..)?);
    }
    let names = file.dataset("names")?.read_raw::<String>()?;
    all.insert("names".into(), names.concat().into_bytes());
    Ok(all)
}

fn fill(file: &File, datasets: usize) {
    for number in 0..datasets {
        let values = vec![number as f64; 10 + number % 40];
        let builder = file.new_dataset::<f64>();
        let name = format!("new {number}");
        builder.create_with(&name, &values).unwrap();
    }
    file.set_attr("filled", 1_i64).unwrap();
}

#[test]
fn free_space_that_libhdf5_left_is_used_and_the_rest_is_listed() {
    let bytes = MANAGED;
    let before = listed(bytes);
    let total =
        |sections: &[Section]| -> u64 { sections.iter().map(|section| section.extent.len).sum() };
    let device = Recorder::on(bytes.to_vec());
    let file = File::open_rw_on(device.clone()).unwrap();
    let all = contents(&file).unwrap();
    fill(&file, 2);
    file.close().unwrap();
    let edited = device.bytes();
    let after = listed(&edited);
    assert!(edited.len() <= bytes.len() + 512, "{}", edited.len());
    assert!(!after.is_empty() && total(&after) < total(&before) + 2000);
    let file = File::open_on(device.kill()).unwrap();
    let report = file.verify().unwrap();
    assert!(
        report.is_sound() && report.free_bytes >= total(&after),
        "{report}"
    );
    assert_eq!(contents(&file).unwrap(), all);
}

#[test]
fn a_session_that_changes_nothing_writes_nothing() {
    let bytes = MANAGED;
    let device = Recorder::on(bytes.to_vec());
    let file = File::open_rw_on(device.clone()).unwrap();
    contents(&file).unwrap();
    file.set_attr("", 1_i64).unwrap_err();
    file.sync().unwrap();
    file.close().unwrap();
    let writes = |event: &Event| matches!(event, Event::Write { .. } | Event::SetLen(_));
    assert!(!device.log().iter().any(writes));
    assert_eq!(device.bytes(), bytes);
}

/// A list that lies keeps its space, and the rest of the file stays what it is whatever is written.
#[test]
fn managers_that_lie_stay_as_they_are() {
    type Lie = fn(&mut Vec<Section>, Addr);
    let lies: [Lie; 6] = [
        |sections, used| sections[0].extent.addr = used,
        |sections, _| sections[0].extent.addr = sections[1].extent.addr,
        |sections, _| sections[0].extent.addr = Addr::new(1 << 40),
        |sections, _| sections[0].extent.addr = Addr::new(u64::MAX - 3),
        |sections, _| sections[0].extent.addr = Addr::new(0),
        |sections, _| sections[0].class ^= 1,
    ];
    let bytes = MANAGED;
    for (lie, number) in lies.iter().flat_map(|lie| [(lie, 0), (lie, 2)]) {
        let named = info(bytes).managers[number];
        if named.is_none_or(|at| header(bytes, at).list.unwrap().len < 60) {
            continue;
        }
        let mut wrong = bytes.to_vec();
        let raw = bytes
            .windows(8)
            .position(|eight| eight == 137_f64.to_le_bytes());
        let used = Addr::new(raw.unwrap() as u64);
        change_list(&mut wrong, number, |sections| lie(sections, used));
        let device = Recorder::on(wrong.clone());
        let file = File::open_rw_on(device.clone()).unwrap();
        let all = contents(&file).unwrap();
        fill(&file, 100);
        assert_eq!(contents(&file).unwrap(), all);
        file.close().unwrap();
        let edited = device.bytes();
        assert_eq!(info(&edited).managers, info(bytes).managers);
        for at in info(bytes).managers.into_iter().flatten() {
            let list = header(&wrong, at).list.unwrap();
            let header = Extent::new(at, header_size(W));
            for place in [header, list] {
                let place = place.addr.get() as usize..place.end().get() as usize;
                assert_eq!(edited[place.clone()], wrong[place]);
            }
        }
        let file = File::open_on(device.kill()).unwrap();
        assert_eq!(contents(&file).unwrap(), all);
    }
}

/// Any change of a byte of managers, with and without a right checksum.
#[test]
fn damaged_managers_harm_nothing() {
    let bytes = MANAGED;
    for at in info(bytes).managers.into_iter().flatten() {
        let list = header(bytes, at).list.unwrap();
        for place in [Extent::new(at, header_size(W)), list] {
            let (start, end) = (place.addr.get() as usize, place.end().get() as usize);
            for (byte, fix) in (start..end).flat_map(|byte| [(byte, false), (byte, true)]) {
                let mut wrong = bytes.to_vec();
                wrong[byte] ^= 1 << (byte % 8);
                if fix {
                    let sum = lookup3(&wrong[start..end - 4]).to_le_bytes();
                    wrong[end - 4..end].copy_from_slice(&sum);
                }
                let device = Recorder::on(wrong);
                let file = File::open_rw_on(device.clone()).unwrap();
                let all = contents(&file).unwrap();
                fill(&file, 3);
                file.close().unwrap();
                let file = File::open_on(device.kill()).unwrap();
                assert_eq!(contents(&file).unwrap(), all, "{byte} {fix}");
            }
        }
    }
}

/// What is freed in one session is used in the next, by way of the managers alone.
#[test]
fn files_of_ours_keep_their_size() {
    for threshold in [1, 50] {
        let strategy = FileSpaceStrategy::FreeSpaceManager {
            paged: false,
            persist: true,
            threshold,
        };
        let device = Recorder::default();
        let options = File::with_options().file_space_strategy(strategy);
        let file = options.create_on(device.clone()).unwrap();
        for number in 0..10 {
            let builder = file.new_dataset::<f64>().shape(0..).chunk(8 + number);
            builder.deflate(1).create(&format!("{number}")).unwrap();
        }
        file.close().unwrap();
        let mut sizes = Vec::new();
        for round in 0..60_usize {
            let file = File::open_rw_on(device.clone()).unwrap();
            for number in (round % 3..10).step_by(3) {
                let dataset = file.dataset(&format!("{number}")).unwrap();
                dataset.resize(0).unwrap();
                let count = (number * 37 + round * 53) % 200;
                let values: Vec<f64> = (0..count).map(|at| (at * round) as f64).collect();
                dataset.append(&values).unwrap();
                dataset.set_attr("of", vec![1_i64; count % 30]).unwrap();
            }
            if round % 4 == 0 {
                file.flush().unwrap();
            }
            file.close().unwrap();
            let bytes = device.bytes();
            let small = |section: &Section| section.extent.len < threshold;
            assert!(!listed(&bytes).iter().any(small));
            let file = File::open_on(device.clone()).unwrap();
            let report = file.verify().unwrap();
            assert!(report.is_sound(), "{report}");
            sizes.push((bytes.len(), report.unreachable_bytes));
        }
        println!("threshold {threshold}: {sizes:?}");
        let largest = |sizes: &[(usize, u64)]| sizes.iter().map(|size| size.0).max().unwrap();
        assert!(
            largest(&sizes[30..]) <= largest(&sizes[..30]) + 4096,
            "{sizes:?}"
        );
    }
}
