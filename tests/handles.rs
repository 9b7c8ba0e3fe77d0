//! What handles promise: they are shared between threads, live, and never see another object than their own.

#[path = "support/storage.rs"]
mod storage;

use h5quill::{Attribute, Dataset, DatasetBuilder, ErrorKind, File, Group, Location};
use ndarray::s;
use storage::Shared;

const fn shared_between_threads<T: Clone + Send + Sync>() {}

const _: () = {
    shared_between_threads::<File>();
    shared_between_threads::<Group>();
    shared_between_threads::<Dataset>();
    shared_between_threads::<Attribute>();
    shared_between_threads::<Location>();
    shared_between_threads::<DatasetBuilder<f64>>();
};

#[test]
fn threads_append_to_their_own_and_to_common_datasets() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 60;
    let file = File::create_memory().unwrap();
    let common = file
        .new_dataset::<u64>()
        .shape((0.., 2))
        .deflate(1)
        .create("common")
        .unwrap();
    let log = file
        .new_dataset::<String>()
        .shape(0..)
        .create("log")
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (file, common, log) = (file.clone(), common.clone(), log.clone());
            scope.spawn(move || {
                let own = file
                    .new_dataset::<f64>()
                    .shape(0..)
                    .create(&format!("g{thread}/own"))
                    .unwrap();
                for round in 0..ROUNDS {
                    common
                        .append(ndarray::aview1(&[thread as u64, round as u64]))
                        .unwrap();
                    own.append(&[round as f64]).unwrap();
                    log.append(&[format!("{thread} {round}")]).unwrap();
                    own.set_attr("round", round as u32).unwrap();
                    if round % 10 == 0 {
                        file.flush().unwrap();
                    }
                    assert_eq!(own.read_1d::<f64>().unwrap().len(), round + 1);
                    assert!(common.shape()[0] > round);
                }
            });
        }
    });
    let rows = common.read_2d::<u64>().unwrap();
    assert_eq!(rows.shape(), [THREADS * ROUNDS, 2]);
    for thread in 0..THREADS as u64 {
        let rounds: Vec<u64> = rows
            .outer_iter()
            .filter(|row| row[0] == thread)
            .map(|row| row[1])
            .collect();
        assert_eq!(
            rounds,
            (0..ROUNDS as u64).collect::<Vec<_>>(),
            "the order of each thread is kept"
        );
    }
    let bytes = file.into_bytes().unwrap();
    let file = File::open_memory(bytes).unwrap();
    assert_eq!(
        file.dataset("common").unwrap().read_2d::<u64>().unwrap(),
        rows
    );
    assert_eq!(
        file.dataset("log")
            .unwrap()
            .read_raw::<String>()
            .unwrap()
            .len(),
        THREADS * ROUNDS
    );
    assert_eq!(
        file.dataset("g3/own")
            .unwrap()
            .attr("round")
            .unwrap()
            .read_scalar::<u32>()
            .unwrap(),
        59
    );
}

#[test]
fn dropping_the_last_handle_commits() {
    let storage = Shared::default();
    let file = File::create_on(storage.clone()).unwrap();
    let data = file.new_dataset::<i32>().shape(0..).create("data").unwrap();
    data.append(&[1, 2, 3]).unwrap();
    drop(file);
    data.append(&[4]).unwrap();
    drop(data);
    let file = File::open_on(Shared::from(storage.bytes())).unwrap();
    assert_eq!(
        file.dataset("data").unwrap().read_raw::<i32>().unwrap(),
        [1, 2, 3, 4]
    );
}

#[test]
fn every_handle_answers_closed_after_close() {
    let file = File::create_memory().unwrap();
    let group = file.create_group("g").unwrap();
    let data = file
        .new_dataset::<i32>()
        .shape(0..)
        .create("g/data")
        .unwrap();
    data.set_attr("a", 1).unwrap();
    let attribute = data.attr("a").unwrap();
    let other = file.clone();
    file.close().unwrap();
    let closed =
        |result: h5quill::Result<()>| assert_eq!(result.unwrap_err().kind(), &ErrorKind::Closed);
    closed(other.flush());
    closed(other.sync());
    closed(other.create_group("x").map(drop));
    closed(group.len().map(drop));
    closed(group.new_dataset::<i32>().create("x").map(drop));
    closed(data.append(&[1]));
    closed(data.resize(3));
    closed(data.read_1d::<i32>().map(drop));
    closed(data.dtype().map(drop));
    closed(data.set_attr("b", 1));
    closed(attribute.read_scalar::<i32>().map(drop));
    closed(attribute.write_scalar(&2));
    closed(other.into_bytes().map(drop));
    assert!(data.shape().is_empty());
}

#[test]
fn a_handle_to_a_deleted_object_never_sees_the_next_one_in_its_place() {
    let file = File::create_memory().unwrap();
    for round in 0..40 {
        let old = file.new_dataset::<i32>().shape(0..).create("data").unwrap();
        let group = file.create_group("g").unwrap();
        let inner = file
            .new_dataset::<i32>()
            .shape(0..)
            .create("g/inner")
            .unwrap();
        old.append(&[round]).unwrap();
        old.set_attr("a", round).unwrap();
        let attribute = old.attr("a").unwrap();
        if round % 2 == 0 {
            file.flush().unwrap();
        }
        file.unlink("data").unwrap();
        file.unlink("g").unwrap();
        if round % 3 == 0 {
            file.flush().unwrap();
        }
        for _ in 0..2 {
            let gone = |result: h5quill::Result<()>| {
                assert_eq!(result.unwrap_err().kind(), &ErrorKind::NotFound)
            };
            gone(old.append(&[1]));
            gone(old.read_1d::<i32>().map(drop));
            gone(old.resize(0));
            gone(old.set_attr("b", 1));
            gone(attribute.read_scalar::<i32>().map(drop));
            gone(attribute.write_scalar(&1));
            gone(group.create_group("x").map(drop));
            gone(group.member_names().map(drop));
            gone(inner.append(&[1]));
            let new = file
                .new_dataset::<i32>()
                .shape(0..)
                .create(&format!("new {round}"))
                .unwrap();
            new.append(&[7, 8]).unwrap();
            assert_eq!(
                new.read_slice::<i32, _, ndarray::Ix1>(s![1..]).unwrap()[0],
                8
            );
            file.flush().unwrap();
            file.unlink(&format!("new {round}")).unwrap();
        }
    }
    assert!(file.is_empty().unwrap());
}

#[test]
fn handles_opened_apart_see_each_others_writes_at_once() {
    let file = File::create_memory().unwrap();
    let one = file.new_dataset::<i32>().shape(0..).create("data").unwrap();
    let two = file.dataset("data").unwrap();
    one.append(&[1, 2]).unwrap();
    assert_eq!(two.shape(), [2]);
    two.write_slice(&[9], s![0..1]).unwrap();
    assert_eq!(one.read_raw::<i32>().unwrap(), [9, 2]);
    one.set_attr("a", 1).unwrap();
    two.set_attr("a", "text").unwrap();
    assert_eq!(
        one.attr("a").unwrap().read_scalar::<String>().unwrap(),
        "text"
    );
}

#[test]
fn rows_cut_off_from_chunks_allocated_early_come_back_as_fill() {
    for flushed in [false, true] {
        let storage = Shared::default();
        let file = File::create_on(storage.clone()).unwrap();
        let early = h5quill::AllocTime::Early;
        let numbers = file
            .new_dataset::<i32>()
            .shape([8])
            .chunk([2])
            .alloc_time(early)
            .create("numbers")
            .unwrap();
        let texts = file
            .new_dataset::<String>()
            .shape([8])
            .chunk([2])
            .alloc_time(early)
            .create("texts")
            .unwrap();
        numbers.write(&[7; 8]).unwrap();
        texts.write(&["text"; 8].map(String::from)).unwrap();
        if flushed {
            file.flush().unwrap();
            numbers.write_slice(&[9, 9], s![2..4]).unwrap();
            let dead = File::open_on(Shared::from(storage.bytes())).unwrap();
            assert_eq!(
                dead.dataset("numbers").unwrap().read_raw::<i32>().unwrap(),
                [7; 8],
                "I1"
            );
            numbers.write_slice(&[7, 7], s![2..4]).unwrap();
        }
        numbers.resize(3).unwrap();
        numbers.resize(8).unwrap();
        texts.resize(3).unwrap();
        texts.resize(8).unwrap();
        let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
        assert_eq!(
            file.dataset("numbers").unwrap().read_raw::<i32>().unwrap(),
            [7, 7, 7, 0, 0, 0, 0, 0]
        );
        let texts = file.dataset("texts").unwrap().read_raw::<String>().unwrap();
        assert_eq!(texts, ["text", "text", "text", "", "", "", "", ""]);
    }
}

#[test]
fn a_fixed_chunked_dataset_that_shrank_can_grow_back_after_reopening() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset::<i32>()
        .shape([9, 4])
        .chunk([2, 3])
        .create("data")
        .unwrap();
    data.resize([5, 4]).unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    let data = file.dataset("data").unwrap();
    assert_eq!(data.maxshape(), [Some(9), Some(4)]);
    data.resize([9, 4]).unwrap();
    assert_eq!(
        data.read_2d::<i32>().unwrap(),
        ndarray::Array2::zeros((9, 4))
    );
}

#[test]
fn a_sparse_dataset_of_great_extent_shrinks_at_once() {
    let file = File::create_memory().unwrap();
    let data = file
        .new_dataset::<i32>()
        .shape((0.., 0..))
        .chunk([4, 4])
        .create("data")
        .unwrap();
    data.resize([1 << 29, 1 << 30]).unwrap();
    data.write_slice(ndarray::Array2::<i32>::ones((8, 8)).view(), s![0..8, 0..8])
        .unwrap();
    data.resize([6, 1 << 29]).unwrap();
    data.resize([8, 8]).unwrap();
    let mut expected = ndarray::Array2::<i32>::ones((8, 8));
    expected.slice_mut(s![6.., ..]).fill(0);
    assert_eq!(data.read_2d::<i32>().unwrap(), expected);
}

#[test]
#[cfg(unix)]
fn a_closed_file_can_be_opened_while_another_thread_starts_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.h5");
    File::create(&path).unwrap().close().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // A process that is just being started has every open file of this one.
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::process::Command::new("true").status().unwrap();
            }
        });
        let opened = (0..3000).try_for_each(|_| File::open_rw(&path)?.close());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        opened.unwrap();
    });
}

/// A handle, and what is opened through it, has the name that its object has now.
#[test]
fn names_follow_links_that_are_moved() {
    let file = File::create_memory().unwrap();
    let group = file.create_group("incoming/a").unwrap();
    let data = group.new_dataset::<u8>().create("x").unwrap();
    let other = file.create_group("incoming/ab").unwrap();
    data.set_attr("unit", "V").unwrap();
    let unit = data.attr("unit").unwrap();
    file.relink("incoming/a", "done/1").unwrap();
    assert_eq!(data.name(), "/done/1/x");
    assert_eq!(group.name(), "/done/1");
    assert_eq!(group.dataset("x").unwrap().name(), "/done/1/x");
    assert_eq!(other.name(), "/incoming/ab", "it only begins alike");
    group.create_group("new").unwrap();
    group.relink("x", "/y").unwrap();
    assert_eq!(data.name(), "/y");
    assert_eq!(file.dataset(&data.name()).unwrap().name(), "/y");
    file.relink_bytes(b"y", "incoming/a").unwrap();
    assert_eq!(data.name(), "/incoming/a");
    // Nothing moves where the call fails.
    file.relink("incoming/a", "done").unwrap_err();
    assert_eq!(data.name(), "/incoming/a");
    // What takes the place of a link that has moved keeps its name.
    let second = file.new_dataset::<u8>().create("y").unwrap();
    assert_eq!(second.name(), "/y");
    // Errors name the object where it is.
    file.unlink("incoming/a").unwrap();
    let error = unit.read_scalar::<String>().unwrap_err();
    assert_eq!(error.object_path(), Some("/incoming/a@unit"));
    // A handle may sleep through any number of moves.
    for _ in 0..1000 {
        file.relink("y", "z").unwrap();
        file.relink("z", "y").unwrap();
    }
    assert_eq!(second.name(), "/y");
}

/// Where a call has two paths, an error names the one that it is about.
#[test]
fn errors_name_the_path_they_are_about() {
    let file = File::create_memory().unwrap();
    let group = file.create_group("g").unwrap();
    group.create_group("a").unwrap();
    group.create_group("b").unwrap();
    let path = |result: h5quill::Result<()>| {
        let error = result.unwrap_err();
        error.object_path().unwrap().to_owned()
    };
    assert_eq!(path(group.relink("a", "b")), "/g/b");
    assert_eq!(path(group.relink("a", "/g/b")), "/g/b");
    assert_eq!(path(group.relink("none", "c")), "/g/none");
    assert_eq!(path(group.relink_bytes(b"a", "b")), "/g/b");
    assert_eq!(path(group.relink_bytes(b"none", "c")), "/g/none");
    assert_eq!(path(group.link_hard("a", "b")), "/g/b");
    assert_eq!(path(group.link_hard("none", "c")), "/g/none");
    assert_eq!(path(group.unlink("none")), "/g/none");
    group.set_attr("p", 1).unwrap();
    group.set_attr("q", 2).unwrap();
    assert_eq!(path(group.rename_attr("p", "q")), "/g@q");
    assert_eq!(path(group.rename_attr("none", "r")), "/g@none");
    assert_eq!(path(group.rename_attr("p", "")), "/g@");
}
