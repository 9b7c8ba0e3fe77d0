//! Files damaged in one place, their checksums made right again: each kind of damage is found, and only that.

extern crate std;

use crate::File;
use crate::bytes::lookup3;
use crate::report::Report;
use crate::storage::MemoryStorage;
use ndarray::Array1;
use std::format;
use std::string::String;
use std::vec::Vec;

fn verify(bytes: &[u8]) -> Report {
    let file = File::open_on(MemoryStorage::from(bytes.to_vec())).unwrap();
    file.verify().unwrap()
}

/// A file of ours with all that a commit writes.
fn ours() -> Vec<u8> {
    let file = File::create_memory().unwrap();
    let many = file.create_group("many").unwrap();
    for number in 0..20 {
        many.create_group(&format!("member {number}")).unwrap();
        many.set_attr(&format!("attribute {number}"), number)
            .unwrap();
    }
    let data = file
        .new_dataset::<u32>()
        .shape(0..)
        .chunk(4)
        .create("data")
        .unwrap();
    data.append(&Array1::from_iter(0..20_u32)).unwrap();
    let sums = file.new_dataset::<u32>().shape(8).chunk(4).fletcher32();
    sums.create_with("sums", &[0x1234_5678_u32; 8]).unwrap();
    let texts = file.new_dataset::<String>().shape(3).contiguous();
    texts
        .create_with("texts", &["one", "two", "three"].map(String::from))
        .unwrap();
    file.link_hard("data", "same").unwrap();
    file.into_bytes().unwrap()
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    let found: Vec<usize> = (0..bytes.len() - what.len())
        .filter(|&at| bytes[at..].starts_with(what))
        .collect();
    assert!(!found.is_empty());
    found[found.len() - 1]
}

/// The one that `wanted` accepts of the places where `what` stands.
fn find_where(bytes: &[u8], what: &[u8], wanted: impl Fn(&[u8]) -> bool) -> usize {
    (0..bytes.len() - what.len())
        .find(|&at| bytes[at..].starts_with(what) && wanted(&bytes[at..]))
        .unwrap()
}

/// Changes bytes of the block at `start`, whose checksum stands behind its `len` bytes.
fn change(bytes: &mut [u8], start: usize, len: usize, at: usize, new: &[u8]) {
    let old = u32::from_le_bytes(bytes[start + len..start + len + 4].try_into().unwrap());
    assert_eq!(
        old,
        lookup3(&bytes[start..start + len]),
        "the checksum is where it is said to be"
    );
    bytes[start + at..start + at + new.len()].copy_from_slice(new);
    let sum = lookup3(&bytes[start..start + len]);
    bytes[start + len..start + len + 4].copy_from_slice(&sum.to_le_bytes());
}

#[track_caller]
fn only(bytes: &[u8], object: &str, what: &str) {
    let report = verify(bytes);
    assert!(!report.is_sound());
    for problem in &report.problems {
        assert!(
            problem.object == object && problem.what.contains(what),
            "{report}"
        );
    }
}

#[test]
fn a_file_of_ours_is_sound_and_everything_in_it_is_counted() {
    let report = verify(&ours());
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    assert_eq!(
        (
            report.objects,
            report.groups,
            report.datasets,
            report.chunks
        ),
        (25, 22, 3, 7)
    );
    assert_eq!(report.raw_bytes, 5 * 16 + 2 * 20 + 3 * 16);
    let all =
        report.metadata_bytes + report.raw_bytes + report.free_bytes + report.unreachable_bytes;
    assert_eq!(all, ours().len() as u64);
    assert!(format!("{report}").ends_with("sound"));
}

#[test]
fn a_changed_bit_changes_the_report_or_meant_nothing() {
    let bytes = ours();
    let sound = verify(&bytes);
    let (mut found, mut silent) = (0, 0);
    for at in (48..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        match File::open_on(MemoryStorage::from(changed)) {
            Err(_) => found += 1,
            Ok(file) => match file.verify().unwrap() {
                report if report == sound => silent += 1,
                _ => found += 1,
            },
        }
    }
    // Elements, free space, and the rest of blocks that are not full mean nothing.
    assert!(
        found > silent / 4 && silent > 100,
        "{found} found, {silent} not"
    );
}

/// The leaf of a B-tree of `kind` with records of `record` bytes, and the size of its first `count` of them.
fn leaf(bytes: &[u8], kind: u8, record: usize, count: usize) -> (usize, usize) {
    let len = 6 + record * count;
    let whole =
        |leaf: &[u8]| leaf[5] == kind && leaf[len..len + 4] == lookup3(&leaf[..len]).to_le_bytes();
    (find_where(bytes, b"BTLF", whole), len)
}

#[test]
fn indexes_at_odds_with_what_they_index_are_found() {
    let bytes = ours();
    let (names, len) = leaf(&bytes, 5, 11, 20);
    let mut changed = bytes.clone();
    let hash = u32::from_le_bytes(bytes[names + 6..names + 10].try_into().unwrap());
    change(&mut changed, names, len, 6, &(hash - 1).to_le_bytes());
    only(&changed, "/many", "a hash is not that of its name");

    let mut changed = bytes.clone();
    let (first, second) = (
        &bytes[names + 6..names + 17],
        &bytes[names + 17..names + 28],
    );
    change(&mut changed, names, len, 6, &[second, first].concat());
    only(&changed, "/many", "the names are not in order");

    let mut changed = bytes.clone();
    change(&mut changed, names, len, 6 + 4 + 1, &[0xff, 0xff]);
    let report = verify(&changed);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("fractal heap")),
        "{report}"
    );

    let (attributes, len) = leaf(&bytes, 8, 17, 20);
    let mut changed = bytes.clone();
    let first = bytes[attributes + 6..attributes + 14].to_vec();
    change(&mut changed, attributes, len, 6 + 17, &first);
    let report = verify(&changed);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("two objects overlap")),
        "{report}"
    );
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("two attributes have one name"))
    );
}

#[test]
fn counts_of_heaps_and_links_are_held_against_what_is_there() {
    let bytes = ours();
    let heap = find_where(&bytes, b"FRHP", |heap| heap[5] == 7);
    let mut changed = bytes.clone();
    change(&mut changed, heap, 142, 70, &[19]);
    only(&changed, "/many", "its objects are not those it counts");
    let mut changed = bytes.clone();
    change(&mut changed, heap, 142, 54, &[1]);
    only(
        &changed,
        "/many",
        "its direct blocks are not those it counts",
    );
    // libhdf5 may count the first block, of 512 bytes, not at all, but nothing else.
    let counted = u64::from_le_bytes(bytes[heap + 54..heap + 62].try_into().unwrap());
    let mut changed = bytes.clone();
    change(&mut changed, heap, 142, 54, &(counted - 512).to_le_bytes());
    let report = verify(&changed);
    assert!(report.is_sound(), "{report}");
    for wrong in [counted + 512, counted.wrapping_sub(1024)] {
        let mut changed = bytes.clone();
        change(&mut changed, heap, 142, 54, &wrong.to_le_bytes());
        only(
            &changed,
            "/many",
            "its direct blocks are not those it counts",
        );
    }

    // The reference count message: type 0x16, 5 bytes, version 0, count 2.
    let count = find(&bytes, &[0x16, 5, 0, 0, 0, 2, 0, 0, 0]);
    let body = (0..count)
        .rev()
        .find(|&at| bytes[at..].starts_with(b"OCHK"))
        .unwrap();
    let end = (body + 8..bytes.len() - 4)
        .find(|&end| bytes[end..end + 4] == lookup3(&bytes[body..end]).to_le_bytes())
        .unwrap();
    let mut changed = bytes.clone();
    change(&mut changed, body, end - body, count + 5 - body, &[1]);
    let report = verify(&changed);
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(
        report.problems[0]
            .what
            .contains("reference count is 1, 2 hard links")
    );
}

#[test]
fn chunks_that_overlap_or_lie_outside_are_found() {
    let bytes = ours();
    let (index, len) = leaf(&bytes, 10, 16, 5);
    let record = |number: usize| index + 6 + 16 * number;
    let mut changed = bytes.clone();
    change(&mut changed, index, len, 6 + 16 + 8, &9_u64.to_le_bytes());
    only(&changed, "/data", "chunk");
    assert!(
        verify(&changed).problems[0]
            .what
            .contains("outside the extent")
    );

    let mut changed = bytes.clone();
    let first = bytes[record(0)..record(0) + 8].to_vec();
    change(&mut changed, index, len, 6 + 16, &first);
    let report = verify(&changed);
    assert_eq!(report.problems.len(), 2, "{report}");
    assert!(
        report.problems[0]
            .what
            .contains("the raw data of a dataset overlaps something else")
    );
    let claims = "16 bytes are claimed by the raw data of a dataset of /";
    assert!(report.problems[1].what.starts_with(claims), "{report}");

    let mut changed = bytes.clone();
    change(
        &mut changed,
        index,
        len,
        6,
        &(bytes.len() as u64).to_le_bytes(),
    );
    only(&changed, "/data", "reaches beyond the end of the file");

    let mut changed = bytes.clone();
    change(&mut changed, index, len, 6 + 8, &3_u64.to_le_bytes());
    only(&changed, "/data", "the chunks are not in order");
}

#[test]
fn raw_data_with_checksums_and_names_into_the_heap_are_looked_at() {
    let bytes = ours();
    let mut changed = bytes.clone();
    changed[find(&bytes, &[0x78, 0x56, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12])] ^= 1;
    only(&changed, "/sums", "wrong Fletcher-32 checksum");

    let heap = find(&bytes, b"GCOL") as u64;
    let texts = find(
        &bytes,
        &[&5_u32.to_le_bytes()[..], &heap.to_le_bytes()].concat(),
    );
    let mut changed = bytes.clone();
    changed[texts + 12] = 77;
    only(&changed, "/texts", "refers to an object that is not there");
    let mut changed = bytes.clone();
    changed[texts + 4] ^= 8;
    only(&changed, "/texts", "global heap");
}

#[test]
fn space_in_use_that_a_manager_gives_out_is_found() {
    let bytes = include_bytes!("../../../tests/golden/crash_paged.h5").to_vec();
    assert!(verify(&bytes).is_sound());
    let list = find(&bytes, b"FSSE");
    let len = (list + 13..bytes.len() - 4)
        .find(|&end| bytes[end..end + 4] == lookup3(&bytes[list..end]).to_le_bytes())
        .unwrap()
        - list;
    // The last section: its offset, then its type.
    let mut changed = bytes.clone();
    change(&mut changed, list, len, len - 9, &0_u64.to_le_bytes());
    let report = verify(&changed);
    assert!(report.problems.len() > 1, "{report}");
    assert!(
        report.problems[0]
            .what
            .contains("space that a free-space manager gives out"),
        "{report}"
    );
}

#[test]
fn old_groups_and_headers_are_held_against_themselves() {
    let bytes = include_bytes!("../../../tests/golden/legacy_root.h5").to_vec();
    let report = verify(&bytes);
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    let node = find_where(&bytes, b"SNOD", |node| node[6] > 1);
    let mut changed = bytes.clone();
    let (first, second) = (
        bytes[node + 8..node + 48].to_vec(),
        bytes[node + 48..node + 88].to_vec(),
    );
    changed[node + 8..node + 88].copy_from_slice(&[second, first].concat());
    let report = verify(&changed);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("names are not found")),
        "{report}"
    );
    let child = u64::from_le_bytes(bytes[node + 16..node + 24].try_into().unwrap()) as usize;
    assert_eq!(bytes[child], 1);
    let mut changed = bytes.clone();
    changed[child + 4] += 1;
    let report = verify(&changed);
    assert_eq!(report.problems.len(), 1, "{report}");
    assert!(
        report.problems[0].what.contains("hard links lead to it"),
        "{report}"
    );
}

/// A dataset whose record is made a message of an unknown type.
fn with_unknown_message(flags: u8) -> Vec<u8> {
    let file = File::create_memory().unwrap();
    file.new_dataset::<u32>().shape(0..).create("data").unwrap();
    let mut bytes = file.into_bytes().unwrap();
    // The record that is not of the cell of the root group, which is at 48.
    let of_data = |record: &[u8]| record[8..16] != 48_u64.to_le_bytes();
    let record = find_where(&bytes, b"h5qS", of_data);
    let body = find(&bytes[..record], b"OCHK");
    let end = (record..=bytes.len() - 4)
        .find(|&end| bytes[end..end + 4] == lookup3(&bytes[body..end]).to_le_bytes())
        .unwrap();
    let size = [bytes[record - 3], bytes[record - 2]];
    let head = [0x40, size[0], size[1], flags];
    change(&mut bytes, body, end - body, record - 4 - body, &head);
    bytes
}

#[test]
fn messages_of_unknown_types_are_kept_marked_or_refused_as_they_ask() {
    use crate::ErrorKind;
    let refused = |result: crate::Result<()>, asks: &str| {
        let error = result.unwrap_err();
        let said = matches!(error.kind(), ErrorKind::Unsupported(what) if what.contains(asks));
        assert!(said && error.to_string().contains("0x40"), "{error}");
    };
    let append = |bytes: &[u8]| {
        let file = File::open_memory(bytes.to_vec())?;
        let appended = file.dataset("data")?.append(&[1_u32]);
        let after = file.into_bytes()?;
        if appended.is_err() {
            assert_eq!(after, bytes, "refused, and unchanged");
        }
        appended.map(|()| after)
    };
    let bytes = with_unknown_message(0x80);
    refused(append(&bytes).map(drop), "not to be read");
    let bytes = with_unknown_message(0x08);
    assert!(verify(&bytes).is_sound());
    refused(append(&bytes).map(drop), "not to be changed");
    for (flags, after) in [(0, 0), (0x10, 0x30)] {
        let edited = append(&with_unknown_message(flags)).unwrap();
        assert!(verify(&edited).is_sound());
        // Its data still begin as those of the record did.
        let found = find_where(&edited, b"h5qS", |_| true);
        let all = (found..edited.len() - 4).filter(|&at| edited[at..].starts_with(b"h5qS"));
        let kept = all.filter(|&at| edited[at - 4] == 0x40 && edited[at - 1] == after);
        assert!(kept.count() > 0, "flags {flags:#x}");
    }
}

/// Changes bytes of the header block that `at` is in, and makes its checksum right.
fn change_in_body(bytes: &mut [u8], at: usize, new: &[u8]) {
    let sums = |start: usize, len: usize| {
        bytes.get(start + len..start + len + 4)
            == Some(&lookup3(&bytes[start..start + len]).to_le_bytes())
    };
    let start = (0..at)
        .rev()
        .find(|&start| bytes[start..].starts_with(b"OCHK"));
    let start = start.unwrap();
    let len = (at - start..bytes.len() - start - 4).find(|&len| sums(start, len));
    change(bytes, start, len.unwrap(), at - start, new);
}

#[test]
fn two_links_made_at_one_time_are_found() {
    let file = File::create_memory().unwrap();
    let group = file.new_group().track_order(true).create("g").unwrap();
    for name in ["p", "q"] {
        group.create_group(name).unwrap();
        group.set_attr(name, 1_u8).unwrap();
    }
    let bytes = file.into_bytes().unwrap();
    assert!(verify(&bytes).is_sound());
    // The order of the second link, the length of its name, and the name.
    let link = find(&bytes, b"\x01\0\0\0\0\0\0\0\x01q");
    let mut changed = bytes.clone();
    change_in_body(&mut changed, link, &[0]);
    only(
        &changed,
        "/g",
        "two links have one place in the order of creation",
    );
}
