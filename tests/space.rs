//! Files do not grow beyond what they hold: space that was freed is used again, in one session and over many.

#[path = "support/storage.rs"]
mod storage;

use h5quill::storage::Storage;
use h5quill::{Dataset, File, FileBuilder, FileSpaceStrategy};
use ndarray::{Array1, Array2, s};
use storage::Shared;

const KIB: u64 = 1 << 10;

/// The size of the file after closing it.
fn closed(file: File, storage: &Shared) -> u64 {
    file.close().unwrap();
    storage.len().unwrap()
}

fn new_file() -> (Shared, File) {
    let storage = Shared::default();
    let file = File::create_on(storage.clone()).unwrap();
    (storage, file)
}

/// The file does not grow after a few rounds of a change that leaves as much data as before.
fn stays_bounded(
    rounds: usize,
    allowed: u64,
    mut prepare: impl FnMut(&File),
    mut change: impl FnMut(&File, usize),
) {
    let (storage, file) = new_file();
    prepare(&file);
    file.flush().unwrap();
    for round in 0..20 {
        change(&file, round);
        file.flush().unwrap();
    }
    let before = storage.len().unwrap();
    for round in 0..rounds {
        change(&file, round);
        file.flush().unwrap();
    }
    let after = storage.len().unwrap();
    assert!(
        after <= before + allowed,
        "{before} bytes became {after} in {rounds} rounds"
    );
    let size = closed(file, &storage);
    println!("{rounds} rounds: {before} bytes, then {after}, closed {size}");
    File::open_on(storage).unwrap();
}

fn row(number: usize) -> Array1<f64> {
    (0..8).map(|column| (number * 8 + column) as f64).collect()
}

#[test]
fn ten_thousand_appends_each_flushed_take_the_space_of_their_rows() {
    let (storage, file) = new_file();
    let data = file
        .new_dataset::<f64>()
        .shape((0.., 8))
        .create("data")
        .unwrap();
    for number in 0..10_000 {
        data.append(row(number).view()).unwrap();
        file.flush().unwrap();
    }
    let open = storage.len().unwrap();
    let size = closed(file, &storage);
    println!("raw: 640000 bytes of rows, {open} while open, {size} closed");
    assert!(size <= 640_000 * 11 / 10 + 64 * KIB, "{size}");
    let file = File::open_on(storage).unwrap();
    let read: Array2<f64> = file.dataset("data").unwrap().read_2d().unwrap();
    assert_eq!(read.row(9999), row(9999));
}

#[test]
fn ten_thousand_appends_to_a_compressed_dataset_take_no_more_than_raw_rows() {
    let (storage, file) = new_file();
    let data = file
        .new_dataset::<f64>()
        .shape((0.., 8))
        .chunk([256, 8])
        .shuffle()
        .deflate(4)
        .create("data")
        .unwrap();
    let mut most = 0;
    for number in 0..10_000 {
        data.append(row(number).view()).unwrap();
        file.flush().unwrap();
        most = most.max(storage.len().unwrap());
    }
    let size = closed(file, &storage);
    println!("deflate: 640000 bytes of rows, {most} at most, {size} closed");
    assert!(
        size <= 640_000 / 2 + 64 * KIB,
        "numbers in a row compress: {size}"
    );
    let read: Array2<f64> = File::open_on(storage)
        .unwrap()
        .dataset("data")
        .unwrap()
        .read_2d()
        .unwrap();
    assert_eq!(read.row(9999), row(9999));
}

#[test]
fn appended_strings_take_one_collection_for_each_commit() {
    const ROUNDS: u64 = 2_000;
    let (storage, file) = new_file();
    let data = file
        .new_dataset::<String>()
        .shape(0..)
        .create("data")
        .unwrap();
    for number in 0..ROUNDS {
        data.append(&[format!("line {number}")]).unwrap();
        file.flush().unwrap();
    }
    let size = closed(file, &storage);
    println!("strings: {size} bytes, {} a commit", size / ROUNDS);
    assert!(size <= ROUNDS * (4096 + 16) * 11 / 10 + 64 * KIB, "{size}");
}

#[test]
fn strings_of_one_commit_share_collections() {
    let (storage, file) = new_file();
    let data = file
        .new_dataset::<String>()
        .shape(0..)
        .create("data")
        .unwrap();
    let mut bytes = 0;
    for number in 0..20_000 {
        let text = format!("line {number}");
        bytes += 16 + (text.len() as u64).next_multiple_of(8) + 16;
        data.append(&[text]).unwrap();
        if number % 1000 == 999 {
            file.flush().unwrap();
        }
    }
    let size = closed(file, &storage);
    assert!(
        size <= bytes * 11 / 10 + 20 * 4096 + 64 * KIB,
        "{size} for {bytes}"
    );
}

#[test]
fn an_attribute_is_rewritten_without_growth() {
    stays_bounded(
        5_000,
        0,
        |_| {},
        |file, round| {
            file.set_attr("number", round as i64).unwrap();
            file.set_attr("text", format!("round {round}")).unwrap();
        },
    );
}

#[test]
fn attributes_in_dense_storage_are_rewritten_without_growth() {
    let prepare = |file: &File| {
        for number in 0..30 {
            file.set_attr(&format!("attribute {number}"), [number as f64; 20])
                .unwrap();
        }
    };
    stays_bounded(2_000, 16 * KIB, prepare, |file, round| {
        file.set_attr(&format!("attribute {}", round % 30), [round as f64; 20])
            .unwrap();
    });
}

#[test]
fn a_slice_of_every_layout_is_rewritten_without_growth() {
    let prepare = |file: &File| {
        let zeros = Array2::<f64>::zeros((40, 10));
        file.new_dataset::<f64>()
            .contiguous()
            .create_with("contiguous", zeros.view())
            .unwrap();
        file.new_dataset::<f64>()
            .compact()
            .create_with("compact", zeros.view())
            .unwrap();
        file.new_dataset::<f64>()
            .chunk([7, 3])
            .create_with("fixed", zeros.view())
            .unwrap();
        let early = file
            .new_dataset::<f64>()
            .chunk([7, 3])
            .alloc_time(h5quill::AllocTime::Early);
        early.create_with("early", zeros.view()).unwrap();
        file.new_dataset::<f64>()
            .chunk([40, 10])
            .deflate(3)
            .create_with("single", zeros.view())
            .unwrap();
        file.new_dataset::<f64>()
            .shape((40.., 10..))
            .chunk([7, 3])
            .create_with("tree", zeros.view())
            .unwrap();
        let filtered = file
            .new_dataset::<f64>()
            .shape((40.., 10))
            .chunk([7, 3])
            .shuffle()
            .deflate(1)
            .fletcher32();
        filtered.create_with("filtered", zeros.view()).unwrap();
    };
    stays_bounded(5_000, 16 * KIB, prepare, |file, round| {
        let names = [
            "contiguous",
            "compact",
            "fixed",
            "early",
            "single",
            "tree",
            "filtered",
        ];
        let data = file.dataset(names[round % names.len()]).unwrap();
        let start = round % 37;
        let values = Array2::from_shape_fn((3, 10), |(row, column)| {
            ((round * 7919 + row * 31 + column) as f64).sin()
        });
        data.write_slice(values.view(), s![start..start + 3, ..])
            .unwrap();
    });
}

#[test]
fn strings_are_rewritten_without_growth() {
    let prepare = |file: &File| {
        let data = file
            .new_dataset::<String>()
            .shape(0..)
            .create("data")
            .unwrap();
        data.append(&[
            "first".to_string(),
            "second".to_string(),
            "third".to_string(),
        ])
        .unwrap();
    };
    // One object of three changes: its old collection lives as long as any other in it.
    stays_bounded(5_000, 32 * KIB, prepare, |file, round| {
        let data = file.dataset("data").unwrap();
        let at = round % 3;
        data.write_slice(
            &[format!("value {round} {}", "x".repeat(round % 50))],
            s![at..at + 1],
        )
        .unwrap();
    });
}

#[test]
fn datasets_come_and_go_without_growth() {
    stays_bounded(
        500,
        64 * KIB,
        |_| {},
        |file, round| {
            if round > 0 || file.exists("g").unwrap() {
                file.unlink("g").unwrap();
            }
            let data = file
                .new_dataset::<f64>()
                .shape((0.., 8))
                .chunk([16, 8])
                .deflate(2)
                .create("g/data")
                .unwrap();
            for number in 0..40 {
                data.append(row(number).view()).unwrap();
            }
            let names = file
                .new_dataset::<String>()
                .shape(0..)
                .create("g/names")
                .unwrap();
            names.append(&["a".to_string(), "b".repeat(5000)]).unwrap();
            for number in 0..12 {
                data.set_attr(&format!("attribute {number}"), "text")
                    .unwrap();
            }
            for number in 0..12 {
                file.create_group(&format!("g/{number}")).unwrap();
            }
        },
    );
}

/// Opens, changes and closes many times; the growth beyond what the change adds is bounded.
fn cycles(rounds: usize, added: u64, prepare: impl Fn(&File), change: impl Fn(&File, usize)) {
    cycles_with(&File::with_options(), rounds, added, prepare, change);
}

fn cycles_with(
    options: &FileBuilder,
    rounds: usize,
    added: u64,
    prepare: impl Fn(&File),
    change: impl Fn(&File, usize),
) {
    let storage = Shared::default();
    let file = options.create_on(storage.clone()).unwrap();
    prepare(&file);
    let before = closed(file, &storage);
    for round in 0..rounds {
        let file = options.open_rw_on(storage.clone()).unwrap();
        change(&file, round);
        file.close().unwrap();
    }
    let after = storage.len().unwrap();
    println!("{rounds} cycles: {before} bytes became {after}, {added} of them data");
    assert!(
        after <= before + added + 256 * KIB,
        "{before} bytes became {after}"
    );
}

#[test]
fn five_hundred_openings_that_append_a_row_each_leak_nothing() {
    let prepare = |file: &File| {
        file.new_dataset::<f64>()
            .shape((0.., 8))
            .create("data")
            .unwrap();
    };
    cycles(500, 500 * 64, prepare, |file, round| {
        file.dataset("data")
            .unwrap()
            .append(row(round).view())
            .unwrap()
    });
}

#[test]
fn five_hundred_openings_that_append_a_compressed_row_leak_nothing() {
    let prepare = |file: &File| {
        file.new_dataset::<f64>()
            .shape((0.., 8))
            .chunk([64, 8])
            .deflate(4)
            .create("g/data")
            .unwrap();
    };
    cycles(500, 500 * 64, prepare, |file, round| {
        file.dataset("g/data")
            .unwrap()
            .append(row(round).view())
            .unwrap()
    });
}

#[test]
fn five_hundred_openings_that_rewrite_leak_nothing() {
    let prepare = |file: &File| {
        let zeros = Array2::<f64>::zeros((100, 8));
        file.new_dataset::<f64>()
            .contiguous()
            .create_with("contiguous", zeros.view())
            .unwrap();
        file.new_dataset::<f64>()
            .shape((100.., 8))
            .chunk([10, 8])
            .deflate(1)
            .create_with("chunked", zeros.view())
            .unwrap();
    };
    cycles(500, 0, prepare, |file, round| {
        file.set_attr("round", round as i64).unwrap();
        file.set_attr("text", format!("{round}")).unwrap();
        for name in ["contiguous", "chunked"] {
            let at = round % 100;
            file.dataset(name)
                .unwrap()
                .write_slice(row(round).view(), s![at, ..])
                .unwrap();
        }
    });
}

fn pages(persist: bool, size: u64) -> FileBuilder {
    let options = File::with_options().file_space_page_size(size);
    options.file_space_strategy(FileSpaceStrategy::FreeSpaceManager {
        paged: true,
        persist,
        threshold: 1,
    })
}

/// Pages that earlier sessions began are filled, whether with metadata or with raw data.
#[test]
fn five_hundred_openings_of_a_file_of_pages_leak_nothing() {
    let prepare = |file: &File| {
        let zeros = Array2::<f64>::zeros((100, 8));
        let builder = file.new_dataset::<f64>();
        let contiguous = builder.clone().contiguous();
        contiguous.create_with("contiguous", zeros.view()).unwrap();
        let chunked = builder.clone().shape((100.., 8)).chunk([10, 8]).deflate(1);
        chunked.create_with("chunked", zeros.view()).unwrap();
        let early = builder.clone().chunk([10, 8]);
        let early = early.alloc_time(h5quill::AllocTime::Early);
        early.create_with("early", zeros.view()).unwrap();
        let grows = builder.shape((0.., 8)).chunk([3, 8]);
        grows.create("grows").unwrap();
    };
    let change = |file: &File, round: usize| {
        file.set_attr("round", round as i64).unwrap();
        for name in ["contiguous", "chunked", "early"] {
            let data = file.dataset(name).unwrap();
            data.write_slice(row(round).view(), s![round % 100, ..])
                .unwrap();
        }
        let grows = file.dataset("grows").unwrap();
        grows.append(row(round).view()).unwrap();
    };
    for (persist, size) in [(false, 4096), (true, 8192), (false, 1000)] {
        // A chunk of 192 bytes beside others in its page, and what says where it is.
        let added = 500 * (64 + 24);
        cycles_with(&pages(persist, size), 500, added, prepare, change);
    }
}

#[test]
fn a_file_of_pages_has_little_beside_its_data() {
    for size in [512, 4096, 1 << 16] {
        let storage = Shared::default();
        let file = pages(true, size).create_on(storage.clone()).unwrap();
        for number in 0..50 {
            let name = format!("group {number}/data");
            let data = file.new_dataset::<f64>().shape((0.., 8)).chunk([100, 8]);
            let data = data.create(&name).unwrap();
            for at in 0..100 {
                data.append(row(at).view()).unwrap();
            }
        }
        let len = closed(file, &storage);
        println!("pages of {size}: {len} bytes, 320000 of them data");
        assert!(len < 2 * 320_000 + 4 * size, "{len}");
        assert!(File::open_on(storage).unwrap().verify().unwrap().is_sound());
    }
}

#[test]
fn space_lost_in_a_crash_is_found_again_by_a_session_that_grows() {
    let (storage, file) = new_file();
    let keep = file
        .new_dataset::<f64>()
        .shape((0.., 8))
        .create("keep")
        .unwrap();
    keep.append(row(0).view()).unwrap();
    let gone = file
        .new_dataset::<u8>()
        .shape(0..)
        .chunk(1 << 16)
        .create("gone")
        .unwrap();
    let block = vec![1_u8; 1 << 16];
    for _ in 0..128 {
        gone.append(&block).unwrap();
    }
    file.flush().unwrap();
    file.unlink("gone").unwrap();
    file.flush().unwrap();
    // A death: the 8 MiB that were freed are in nobody's list.
    let dead = Shared::from(storage.bytes());
    drop((file, keep, gone));
    let before = dead.len().unwrap();
    assert!(before > 8 << 20);
    let file = File::open_rw_on(dead.clone()).unwrap();
    let new: Dataset = file
        .new_dataset::<u8>()
        .shape(0..)
        .chunk(1 << 16)
        .create("new")
        .unwrap();
    for _ in 0..12 {
        for _ in 0..16 {
            new.append(&block).unwrap();
        }
        file.flush().unwrap();
    }
    let after = closed(file, &dead);
    println!("12 MiB into a file of {before} bytes, 8 MiB of them lost: {after}");
    assert!(after < before + (9 << 20), "{after}");
    let file = File::open_on(dead).unwrap();
    assert_eq!(file.dataset("new").unwrap().size(), 12 << 20);
    assert_eq!(
        file.dataset("keep")
            .unwrap()
            .read_2d::<f64>()
            .unwrap()
            .row(0),
        row(0)
    );
}

#[test]
fn twenty_thousand_small_datasets_are_made_in_reasonable_space() {
    let (storage, file) = new_file();
    for group in 0..20 {
        let group = file.create_group(&format!("group {group}")).unwrap();
        for number in 0..1000 {
            let data = group
                .new_dataset::<f32>()
                .create_with(&format!("data {number}"), &[number as f32; 10])
                .unwrap();
            data.set_attr("a", number).unwrap();
            data.set_attr("b", 0.5).unwrap();
            data.set_attr("unit", "mV").unwrap();
        }
    }
    let size = closed(file, &storage);
    assert!(size < 20_000 * 800, "{size}");
    let file = File::open_on(storage).unwrap();
    for group in 0..20 {
        assert_eq!(
            file.group(&format!("group {group}"))
                .unwrap()
                .len()
                .unwrap(),
            1000
        );
    }
    let data = file.dataset("group 17/data 765").unwrap();
    assert_eq!(data.read_raw::<f32>().unwrap(), [765.0; 10]);
    assert_eq!(
        data.attr("unit").unwrap().read_scalar::<String>().unwrap(),
        "mV"
    );
}
