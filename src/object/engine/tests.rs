//! What of a file stays in memory, and what a commit adds to it.

use super::early::MAX_NEW;
use super::*;
use crate::File;
use crate::format::message::dataspace::Dataspace;
use crate::format::message::fill_value::FillTime;
use crate::object::plan::{LayoutChoice, Plan};
use crate::selection::Resolved;
use crate::storage::MemoryStorage;
use alloc::format;

fn engine() -> Engine {
    Engine::create(Box::new(MemoryStorage::new())).unwrap()
}

/// A dataset of bytes, extendible where it has chunks.
fn dataset(engine: &mut Engine, name: &str, len: u64, chunk: Option<u64>) -> Addr {
    let max = chunk.map(|_| vec![None]);
    let plan = Plan {
        datatype: <u8 as crate::H5Type>::datatype(),
        committed: None,
        space: Dataspace::simple(vec![len], max),
        chunk: chunk.map(|chunk| vec![chunk]),
        layout: LayoutChoice::Auto,
        outside: None,
        filters: Vec::new(),
        fill: None,
        fill_time: FillTime::IfSet,
        early: false,
        track_order: false,
        attr_phase_change: None,
        raw_edges: false,
    };
    let root = engine.root();
    engine.create_dataset(root, name, plan).unwrap()
}

fn held(engine: &Engine) -> usize {
    let objects = engine.objects.values();
    objects
        .filter_map(|object| object.dataset.as_ref())
        .map(Dataset::cached_bytes)
        .sum()
}

#[test]
fn the_growing_chunks_of_many_datasets_share_one_budget() {
    const CHUNK: u64 = 4096;
    let mut engine = engine();
    engine.budget = 64 << 10;
    let sets: Vec<Addr> = (0..50)
        .map(|number| dataset(&mut engine, &format!("set{number}"), 0, Some(CHUNK)))
        .collect();
    for round in 0..3_u8 {
        for &addr in &sets {
            let dims = [u64::from(round) + 1];
            engine.resize_dataset(addr, &dims).unwrap();
            let mut row = Resolved::whole(&dims).unwrap();
            row.axes[0].start = u64::from(round);
            row.axes[0].count = 1;
            engine.write_dataset(addr, &row, &[round + 7]).unwrap();
            assert!(held(&engine) <= engine.budget, "{} bytes", held(&engine));
        }
    }
    engine.commit(Level::Flush, false).unwrap();
    for &addr in &sets {
        let mut read = [0; 3];
        let whole = Resolved::whole(&[3]).unwrap();
        engine.read_dataset(addr, &whole, &mut read).unwrap();
        assert_eq!(read, [7, 8, 9]);
    }
}

#[test]
fn small_chunks_count_with_what_the_cache_needs_for_each() {
    let mut engine = engine();
    engine.budget = 64 << 10;
    let addr = dataset(&mut engine, "set", 8000, Some(8));
    // Each chunk is changed in part, so that it waits in the cache.
    for chunk in 0..1000 {
        let mut part = Resolved::whole(&[8000]).unwrap();
        part.axes[0].start = chunk * 8;
        part.axes[0].count = 4;
        engine
            .write_dataset(addr, &part, &[chunk as u8; 4])
            .unwrap();
    }
    let dataset = engine.dataset(addr).unwrap();
    assert!(dataset.cached_bytes() > 0);
    assert!(dataset.cached_bytes() / 264 * 264 <= 64 << 10);
    let mut read = vec![0; 8000];
    let whole = Resolved::whole(&[8000]).unwrap();
    engine.read_dataset(addr, &whole, &mut read).unwrap();
    for (number, chunk) in read.chunks_exact(8).enumerate() {
        assert_eq!(chunk[..4], [number as u8; 4]);
        assert_eq!(chunk[4..], [0; 4]);
    }
}

#[test]
fn objects_that_were_only_looked_at_are_forgotten() {
    let mut engine = engine();
    let sets: Vec<Addr> = (0..3 * MAX_CLEAN)
        .map(|number| dataset(&mut engine, &format!("set{number}"), 1, None))
        .collect();
    assert!(
        engine.objects.len() <= MAX_NEW + 2,
        "new ones are written early"
    );
    engine.commit(Level::Flush, false).unwrap();
    engine.touch(sets[0]).unwrap();
    for &addr in &sets {
        engine.object(addr).unwrap();
        assert!(engine.objects.len() <= 2 * MAX_CLEAN);
    }
    assert!(
        engine.objects.contains_key(&sets[0]),
        "what has changed is kept"
    );
}

#[test]
fn the_record_of_free_space_takes_no_more_than_there_is_to_say() {
    let file = File::create_memory().unwrap();
    for number in 0..50 {
        let builder = file.new_dataset::<i32>();
        builder.create(&format!("set{number}")).unwrap();
    }
    let mut bytes = file.into_bytes().unwrap();
    let before = bytes.len();
    for number in 0..40 {
        let file = File::open_memory(bytes).unwrap();
        let data = file.dataset(&format!("set{number}")).unwrap();
        data.set_attr("cycle", number).unwrap();
        bytes = file.into_bytes().unwrap();
    }
    let growth = (bytes.len() - before) / 40;
    assert!(growth <= 384, "{growth} bytes a cycle");
}

#[test]
fn new_datasets_leave_memory_before_the_commit_and_change_on() {
    let file = File::create_memory().unwrap();
    let group = file.create_group("g").unwrap();
    let name = |number: usize| format!("d{number}");
    for number in 0..100 {
        let dataset = group.new_dataset::<u32>().shape(0..).chunk(4);
        let dataset = dataset.create(&name(number)).unwrap();
        dataset.append(&[number as u32, 1, 2, 3, 4]).unwrap();
        dataset.set_attr("number", number as u64).unwrap();
        // What has left memory comes back, is changed, and goes.
        let earlier = group.dataset(&name(number / 2)).unwrap();
        earlier.append(&[7_u32]).unwrap();
        earlier.set_attr("text", format!("from {number}")).unwrap();
    }
    for number in (0..100).step_by(10) {
        group.unlink(&name(number)).unwrap();
    }
    let in_memory = group.object.with(|engine, _| Ok(engine.objects.len()));
    // Those that came back have changed again: they stay until the commit.
    assert!(in_memory.unwrap() < 60);
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    assert!(file.verify().unwrap().is_sound());
    for number in 0..100 {
        let Ok(dataset) = file.dataset(&format!("g/{}", name(number))) else {
            assert!(number.is_multiple_of(10));
            continue;
        };
        let mut expected = vec![number as u32, 1, 2, 3, 4];
        expected.extend((0..100).filter(|later| later / 2 == number).map(|_| 7));
        assert_eq!(dataset.read_raw::<u32>().unwrap(), expected);
        let attribute = dataset.attr("number").unwrap();
        assert_eq!(attribute.read_scalar::<u64>().unwrap(), number as u64);
    }
}

#[test]
fn space_that_only_a_damaged_file_names_is_not_given_out() {
    let mut engine = engine();
    engine.commit(Level::Flush, false).unwrap();
    let end = engine.store.end();
    for (at, len) in [(1 << 47, 4096), (end - 1, 4096), (u64::MAX, 4096), (0, 48)] {
        engine.store.free(Extent::new(Addr::new(at), len));
    }
    engine.commit(Level::Flush, false).unwrap();
    let block = engine.store.alloc(4000).unwrap();
    assert_eq!(block.addr.get(), end);
}

#[test]
fn indexes_of_many_groups_leave_memory_before_the_commit() {
    const EACH: usize = 60;
    let file = File::create_memory().unwrap();
    let groups: Vec<_> = (0..20)
        .map(|number| file.create_group(&format!("g{number}")).unwrap())
        .collect();
    // By turns, so that all indexes change again and again.
    for number in 0..EACH {
        for group in &groups {
            let name = format!("dataset {number}");
            group.new_dataset::<u8>().create(&name).unwrap();
        }
    }
    let changed = file.root().object.with(|engine, _| {
        let objects = engine.objects.values();
        let links = objects.filter_map(|object| object.links.as_ref());
        Ok(links.map(Links::changed_bytes).sum::<usize>())
    });
    let whole = groups.len() * EACH * 11;
    assert!(changed.unwrap() < whole / 2);
    groups[3].unlink("dataset 30").unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    assert!(file.verify().unwrap().is_sound());
    for number in 0..groups.len() {
        let group = file.group(&format!("g{number}")).unwrap();
        let mut names: Vec<String> = (0..EACH)
            .map(|number| format!("dataset {number}"))
            .collect();
        names.retain(|name| number != 3 || name != "dataset 30");
        names.sort();
        assert_eq!(group.member_names().unwrap(), names);
    }
}

#[test]
fn a_dataset_that_has_been_forgotten_is_marked_as_changed_all_the_same() {
    let mut engine = engine();
    let addr = dataset(&mut engine, "x", 4, None);
    engine.commit(Level::Flush, false).unwrap();
    for (number, forget) in [(1, false), (2, true)] {
        if forget {
            engine.evict(addr);
            assert!(!engine.objects.contains_key(&addr));
        }
        engine.mark_changed(addr).unwrap();
        assert!(engine.objects.is_changed(&addr));
        let all = Resolved::whole(&[4]).unwrap();
        engine.write_dataset(addr, &all, &[number; 4]).unwrap();
        engine.commit(Level::Flush, false).unwrap();
        assert!(!engine.objects.is_changed(&addr));
    }
    let storage = engine.close(Level::Flush).unwrap();
    let mut engine = Engine::open(storage, true).unwrap();
    let mut bytes = [0; 4];
    let all = Resolved::whole(&[4]).unwrap();
    engine.read_dataset(addr, &all, &mut bytes).unwrap();
    assert_eq!(bytes, [2; 4]);
}

#[test]
fn new_groups_leave_memory_before_the_commit_and_change_on() {
    const GROUPS: usize = 60;
    let file = File::create_memory().unwrap();
    let name = |number: usize| format!("g{number}");
    for number in 0..GROUPS {
        let group = file.create_group(&name(number)).unwrap();
        group.set_attr("number", number as u64).unwrap();
        for member in 0..12 {
            let builder = group.new_dataset::<u8>();
            builder.create(&format!("d{member}")).unwrap();
        }
        // One that has left memory gets another link, dense storage that it had is used on.
        let earlier = file.group(&name(number / 2)).unwrap();
        earlier.create_group(&format!("from {number}")).unwrap();
        earlier.set_attr("late", number as u64).unwrap();
    }
    // Groups in groups, none of which holds anything else.
    file.create_group("deep/1/2/3/4/5/6/7/8/9").unwrap();
    file.group(&name(7)).unwrap().unlink("d3").unwrap();
    file.unlink(&name(8)).unwrap();
    let in_memory = file
        .root()
        .object
        .with(|engine, _| Ok(engine.objects.len()));
    // Those that came back have changed again: they stay until the commit.
    assert!(in_memory.unwrap() < GROUPS);
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    assert!(file.verify().unwrap().is_sound());
    assert!(!file.exists(&name(8)).unwrap());
    assert!(file.exists("deep/1/2/3/4/5/6/7/8/9").unwrap());
    for number in (0..GROUPS).filter(|number| *number != 8) {
        let group = file.group(&name(number)).unwrap();
        let late = (0..GROUPS).filter(|later| later / 2 == number);
        let mut names: Vec<String> = late.map(|later| format!("from {later}")).collect();
        names.extend((0..12).map(|member| format!("d{member}")));
        names.retain(|member| number != 7 || member != "d3");
        names.sort();
        assert_eq!(group.member_names().unwrap(), names);
        let attribute = group.attr("number").unwrap();
        assert_eq!(attribute.read_scalar::<u64>().unwrap(), number as u64);
        assert_eq!(group.attr_exists("late").unwrap(), number < GROUPS / 2);
    }
}
