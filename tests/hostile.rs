//! Damaged files: whatever the bytes are, opening, reading and editing end with an error or a value, never with a
//! panic, a long wait or a great allocation.

#[allow(dead_code, reason = "the library's own, with its tests")]
#[path = "../src/bytes/checksum.rs"]
mod checksum;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;
#[path = "support/walk.rs"]
mod walk;

use h5quill::{ErrorKind, File};
use memory::Measured;
use ndarray::{Array2, s};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

fn edit(file: &File) {
    for name in file.member_names().unwrap_or_default().into_iter().take(30) {
        if let Ok(data) = file.dataset(&name) {
            let shape = data.shape();
            if shape.len() == 1 {
                let _ = data.append(&[1.0_f64]);
                let _ = data.append(&[String::from("text")]);
                let _ = data.write_slice(&[1.0_f64], s![0..1]);
            }
            if shape.len() == 2 && shape[1] < 100 {
                let _ = data.append(Array2::<f64>::ones((1, shape[1])).view());
                let _ = data.write_slice(Array2::<f64>::ones((1, shape[1])).view(), s![0..1, ..]);
            }
            let half: Vec<usize> = shape.iter().map(|dim| dim / 2).collect();
            let _ = data.resize(&half);
            let _ = data.set_attr("new", 1);
            let _ = data.delete_attr("a1");
        } else if let Ok(group) = file.group(&name) {
            let _ = group.create_group("new");
            let _ = group.set_attr("new", "text");
        }
        let _ = file.flush();
    }
    for name in file.member_names().unwrap_or_default().into_iter().take(30) {
        let _ = file.unlink(&name);
    }
    let _ = file
        .new_dataset::<f64>()
        .shape((0.., 3))
        .create("new data")
        .and_then(|data| data.append(&[1.0, 2.0, 3.0]));
    let _ = file.flush();
}

/// What one file costs at the most.
#[derive(Default)]
struct Worst {
    files: usize,
    opened: usize,
    time: Duration,
    total: Duration,
    memory: isize,
}

impl Worst {
    /// Opens, walks and edits; fails with the name of the file where that is not answered in peace.
    fn try_file(&mut self, bytes: &[u8], what: &dyn Fn() -> String) {
        let Measured {
            value: answered,
            time,
            memory,
        } = memory::measure(|| {
            let copy = bytes.to_vec();
            catch_unwind(AssertUnwindSafe(|| {
                let Ok(file) = File::open_memory(copy) else {
                    return false;
                };
                walk::Walk::of(&file);
                let _ = file.verify();
                edit(&file);
                true
            }))
        });
        self.files += 1;
        match answered {
            Ok(opened) => self.opened += usize::from(opened),
            Err(_) => {
                let _ = std::fs::write(std::env::temp_dir().join("h5quill-hostile.h5"), bytes);
                panic!(
                    "{}: panicked; its bytes are in h5quill-hostile.h5 of the temporary folder",
                    what()
                );
            }
        }
        if memory > 64 << 20 || time > Duration::from_secs(4) {
            let _ = std::fs::write(std::env::temp_dir().join("h5quill-hostile.h5"), bytes);
        }
        assert!(
            memory <= 64 << 20,
            "{}: {memory} bytes of memory for a file of {}",
            what(),
            bytes.len()
        );
        // A second of an idle machine; others may be busy beside this test.
        assert!(time <= Duration::from_secs(4), "{}: {time:?}", what());
        self.time = self.time.max(time);
        self.total += time;
        self.memory = self.memory.max(memory);
    }

    fn print(&self, what: &str) {
        let Self {
            files,
            opened,
            time,
            total,
            memory,
        } = self;
        println!(
            "{what}: {files} files, {opened} opened; at most {time:?} ({total:?} in all) and {memory} bytes of memory"
        );
    }
}

/// A file with every structure this library writes.
fn rich_file() -> Vec<u8> {
    let file = File::create_memory().unwrap();
    let rows = Array2::<f64>::from_shape_fn((40, 6), |(row, column)| (row * 6 + column) as f64);
    let shaped = |name: &str| {
        file.new_dataset::<f64>()
            .shape((0.., 6))
            .chunk([3, 6])
            .create(name)
            .unwrap()
    };
    shaped("tree").append(rows.view()).unwrap();
    let filtered = file
        .new_dataset::<f64>()
        .shape((0.., 6))
        .chunk([7, 5])
        .shuffle()
        .deflate(3)
        .fletcher32();
    filtered
        .create("filtered")
        .unwrap()
        .append(rows.view())
        .unwrap();
    file.new_dataset::<f64>()
        .contiguous()
        .create_with("contiguous", rows.view())
        .unwrap();
    file.new_dataset::<f64>()
        .compact()
        .create_with("compact", rows.view())
        .unwrap();
    file.new_dataset::<f64>()
        .chunk([7, 4])
        .create_with("fixed", rows.view())
        .unwrap();
    file.new_dataset::<f64>()
        .chunk([40, 6])
        .deflate(1)
        .create_with("single", rows.view())
        .unwrap();
    let early = file
        .new_dataset::<f64>()
        .chunk([7, 4])
        .alloc_time(h5quill::AllocTime::Early);
    early.create_with("early", rows.view()).unwrap();
    let texts = file
        .new_dataset::<String>()
        .shape(0..)
        .create("texts")
        .unwrap();
    texts
        .append(&["a".to_string(), "b".repeat(300), String::new()])
        .unwrap();
    for number in 0..20 {
        file.set_attr(&format!("a{number}"), [number as f64; 3])
            .unwrap();
        file.create_group(&format!("groups/{number}")).unwrap();
        texts.set_attr(&format!("t{number}"), "text").unwrap();
    }
    file.link_soft("tree", "soft").unwrap();
    file.link_hard("tree", "hard").unwrap();
    file.flush().unwrap();
    shaped("second/tree").append(rows.view()).unwrap();
    file.into_bytes().unwrap()
}

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Damages a few bytes: favourite values at places that favour structure.
fn damage(bytes: &mut [u8], numbers: &mut Numbers) {
    for _ in 0..1 + numbers.below(4) {
        let at = numbers.below(bytes.len());
        match numbers.below(6) {
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][numbers.below(5)],
            2 => {
                let end = (at + 8).min(bytes.len());
                bytes[at..end].fill([0, 0xff][numbers.below(2)]);
            }
            3 => {
                let from = numbers.below(bytes.len());
                let len = numbers.below(64).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + len, at);
            }
            _ => bytes[at] = numbers.below(256) as u8,
        }
    }
}

/// The structures of a whole file that have a checksum: where each begins, and where its checksum is.
fn checked_structures(bytes: &[u8]) -> Vec<(usize, usize)> {
    const SIGNATURES: [&[u8; 4]; 11] = [
        b"\x89HDF", b"OHDR", b"OCHK", b"BTHD", b"BTLF", b"BTIN", b"FRHP", b"FHDB", b"FHIB",
        b"FAHD", b"FADB",
    ];
    let mut found = Vec::new();
    for at in 0..bytes.len() - 8 {
        if !SIGNATURES
            .iter()
            .any(|signature| bytes[at..].starts_with(*signature))
        {
            continue;
        }
        let ends = at + 8..(at + 4200).min(bytes.len() - 4);
        let fits =
            |end: &usize| bytes[*end..end + 4] == checksum::lookup3(&bytes[at..*end]).to_le_bytes();
        if let Some(end) = ends.into_iter().find(fits) {
            found.push((at, end));
        }
    }
    found
}

#[test]
fn damage_behind_a_right_checksum_is_answered_in_peace() {
    let rich = rich_file();
    let structures = checked_structures(&rich);
    assert!(structures.len() > 40, "{} structures", structures.len());
    let mut worst = Worst::default();
    let mut numbers = Numbers(0xfeed_5678_9abc_def1);
    for round in 0..600 {
        let mut bytes = rich.clone();
        for _ in 0..1 + numbers.below(2) {
            let (start, end) = structures[numbers.below(structures.len())];
            let mut inside = bytes[start + 4..end].to_vec();
            damage(&mut inside, &mut numbers);
            bytes[start + 4..end].copy_from_slice(&inside);
            let sum = checksum::lookup3(&bytes[start..end]).to_le_bytes();
            bytes[end..end + 4].copy_from_slice(&sum);
        }
        worst.try_file(&bytes, &|| format!("round {round}"));
    }
    worst.print("damaged behind checksums");
}

#[test]
fn a_header_too_short_for_a_cell_is_refused_before_anything_changes() {
    let file = File::create_memory().unwrap();
    let mut bytes = file.into_bytes().unwrap();
    // The root group's header becomes one of version 2 without messages: 11 bytes.
    bytes[48..55].copy_from_slice(b"OHDR\x02\0\0");
    let sum = checksum::lookup3(&bytes[48..55]).to_le_bytes();
    bytes[55..59].copy_from_slice(&sum);
    let shared = storage::Shared::from(bytes.clone());
    let file = File::open_rw_on(shared.clone()).unwrap();
    let error = file.set_attr("a", 1).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    file.flush().unwrap();
    assert!(shared.bytes() == bytes);
}

#[test]
fn a_datatype_that_claims_a_great_element_takes_no_memory_to_open() {
    let file = File::create_memory().unwrap();
    let text = h5quill::Datatype::Opaque {
        size: 0x0123_4567,
        tag: "x".into(),
    };
    file.new_dataset_of(text)
        .shape(0..)
        .chunk(1)
        .create("great")
        .unwrap();
    file.set_attr("a", 1).unwrap();
    let mut bytes = file.into_bytes().unwrap();
    // The same file, with elements of 2 GiB.
    let structures = checked_structures(&bytes);
    let mut changed = 0;
    for at in 0..bytes.len() - 4 {
        if bytes[at..at + 4] == 0x0123_4567_u32.to_le_bytes() {
            bytes[at + 3] = 0x7f;
            changed += 1;
        }
    }
    assert!(changed >= 2, "{changed} places");
    for (start, end) in structures {
        let sum = checksum::lookup3(&bytes[start..end]).to_le_bytes();
        bytes[end..end + 4].copy_from_slice(&sum);
    }
    let measured = memory::measure(|| {
        let file = File::open_memory(bytes).unwrap();
        let great = file.dataset("great").unwrap();
        great.set_attr("a", 1).unwrap();
        file.flush().unwrap();
    });
    assert!(measured.memory < 1 << 20, "{} bytes", measured.memory);
}

#[test]
fn random_damage_to_a_file_of_ours_is_answered_in_peace() {
    let rich = rich_file();
    let mut worst = Worst::default();
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    worst.try_file(&rich, &|| "the whole file".into());
    assert_eq!(worst.opened, 1);
    for round in 0..1_500 {
        let mut bytes = rich.clone();
        damage(&mut bytes, &mut numbers);
        worst.try_file(&bytes, &|| format!("round {round}"));
    }
    worst.print("damaged");
}

#[test]
fn a_file_cut_off_anywhere_is_answered_in_peace() {
    let rich = rich_file();
    let mut worst = Worst::default();
    for len in (0..rich.len()).step_by(61) {
        worst.try_file(&rich[..len], &|| format!("{len} bytes"));
        let mut zeros = rich[..len].to_vec();
        zeros.resize(rich.len(), 0);
        worst.try_file(&zeros, &|| format!("zeros from {len}"));
    }
    worst.print("cut off");
}

fn try_folder(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        support::say(&format!("left out: hostile files: no {}", folder.display()));
        return;
    };
    let mut worst = Worst::default();
    let mut numbers = Numbers(77);
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        worst.try_file(&bytes, &|| path.display().to_string());
        for round in 0..20 {
            let mut bytes = bytes.clone();
            if !bytes.is_empty() {
                damage(&mut bytes, &mut numbers);
            }
            worst.try_file(&bytes, &|| format!("{} round {round}", path.display()));
        }
    }
    worst.print(&folder.display().to_string());
}

#[test]
fn damaged_files_that_broke_other_readers_are_answered_in_peace() {
    try_folder(&support::corpus().join("cve"));
}

#[test]
fn golden_files_of_libhdf5_are_edited_and_damaged_in_peace() {
    try_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
}
