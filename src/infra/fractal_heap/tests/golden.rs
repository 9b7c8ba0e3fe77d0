//! Heaps of libhdf5.

use super::*;
use crate::infra::btree_v2::BTree;
use alloc::string::{String, ToString};

/// The heap of a file of tests/golden/make_heaps.py, with its objects; the name index is the B-tree of type `kind`, in
/// whose records the heap ID stands at `place`.
fn golden(deflated: &[u8], kind: u8, place: usize) -> (Store, FractalHeap, Model) {
    let bytes = inflate(deflated);
    // The last of each: a file may have an earlier heap that nothing names any more.
    let header = Addr::new(find(&bytes, b"FRHP").pop().unwrap());
    let is_index = |at: &u64| bytes[*at as usize + 5] == kind;
    let index = find(&bytes, b"BTHD").into_iter().rfind(is_index).unwrap();
    let store = Store::open(Box::new(MemoryStorage::from(bytes))).unwrap();
    let mut heap = FractalHeap::open(&store, header).unwrap();
    let mut model = Model::new();
    let index = BTree::open(&store, Addr::new(index)).unwrap();
    let mut ids = Vec::new();
    index
        .for_each(&store, &mut |record| {
            ids.push(record[place..place + heap.id_length()].to_vec());
            Ok(())
        })
        .unwrap();
    for id in ids {
        let object = heap.read(&store, &id).unwrap();
        model.insert(id, object);
    }
    (store, heap, model)
}

/// Name and target of a soft link message.
fn soft_link(object: &[u8]) -> (String, String) {
    assert_eq!(object[0], 1);
    let (charset, long) = (object[1] & 0x10 != 0, object[1] & 3);
    assert_eq!((object[1] & 8, object[2]), (8, 1), "a soft link");
    let mut at = 3 + usize::from(charset);
    let length =
        usize::from(object[at]) | usize::from(if long == 1 { object[at + 1] } else { 0 }) << 8;
    at += 1 << long;
    let name = String::from_utf8(object[at..at + length].to_vec()).unwrap();
    let target = String::from_utf8(object[at + length + 2..].to_vec()).unwrap();
    (name, target)
}

fn check_links(deflated: &[u8], count: usize, padding: usize, keep: fn(usize) -> bool) {
    let (store, mut heap, model) = golden(deflated, 5, 4);
    let mut links: Vec<(String, String)> = model.values().map(|o| soft_link(o)).collect();
    links.sort();
    let name = |i: usize| match padding {
        0 => alloc::format!("link {i:05}"),
        _ => alloc::format!("link {i:05} {}", "n".repeat(i * 7 % padding)),
    };
    let expected: Vec<(String, String)> = (0..count)
        .filter(|&i| keep(i))
        .map(|i| (name(i), alloc::format!("/target/{i}")))
        .collect();
    assert_eq!(links, expected);
    assert_eq!(heap.len(), expected.len() as u64);
    check_statistics(&store, &mut heap, &model);
    assert!(!heap.can_edit());
}

#[test]
fn dense_links_of_libhdf5_are_read_and_their_statistics_are_ours() {
    check_links(
        include_bytes!("../../../../tests/golden/dense_links_20.h5.z"),
        20,
        5,
        |_| true,
    );
    check_links(
        include_bytes!("../../../../tests/golden/dense_links_300.h5.z"),
        300,
        40,
        |_| true,
    );
    check_links(
        include_bytes!("../../../../tests/golden/dense_links_5000.h5.z"),
        5000,
        240,
        |_| true,
    );
    check_links(
        include_bytes!("../../../../tests/golden/dense_links_edited.h5.z"),
        200,
        0,
        |i| i % 3 != 0,
    );
}

#[test]
fn dense_attributes_of_libhdf5_are_read_whatever_their_size() {
    let file = include_bytes!("../../../../tests/golden/dense_attributes.h5.z");
    let (store, mut heap, model) = golden(file, 8, 0);
    check_statistics(&store, &mut heap, &model);
    assert!(heap.header.huge_count > 10);
    for i in 0..40usize {
        let length = [4, 40, 400, 2000, 5000, 70000][i % 6] + i;
        let value: Vec<u8> = (0..length).map(|k| ((k * (i + 1)) % 251) as u8).collect();
        let mut name = "attribute ".to_string() + &i.to_string();
        name.push('\0');
        let mut found = model
            .values()
            .filter(|object| object[9..].starts_with(name.as_bytes()) && object.ends_with(&value));
        assert!(found.next().is_some(), "{name}");
    }
}

#[test]
fn every_block_of_a_heap_of_libhdf5_is_enumerated_once() {
    let files: [(&[u8], u8, usize); 3] = [
        (
            include_bytes!("../../../../tests/golden/dense_links_5000.h5.z"),
            5,
            4,
        ),
        (
            include_bytes!("../../../../tests/golden/dense_links_edited.h5.z"),
            5,
            4,
        ),
        (
            include_bytes!("../../../../tests/golden/dense_attributes.h5.z"),
            8,
            0,
        ),
    ];
    for (file, kind, place) in files {
        let (store, mut heap, _) = golden(file, kind, place);
        let bytes = inflate(file);
        let mut extents = Vec::new();
        heap.blocks(&store, &mut |extent| extents.push(extent))
            .unwrap();
        extents.sort_unstable();
        assert!(
            extents.windows(2).all(|pair| pair[0].end() <= pair[1].addr),
            "no overlap"
        );
        let visited: BTreeSet<u64> = extents.iter().map(|extent| extent.addr.get()).collect();
        for signature in [b"FRHP", b"FHDB", b"FHIB", b"FSHD", b"FSSE"] {
            for at in find(&bytes, signature) {
                assert!(visited.contains(&at), "{signature:?} at {at}");
            }
        }
    }
}

#[test]
fn blocks_are_laid_out_as_libhdf5_does_for_the_same_objects() {
    let file = include_bytes!("../../../../tests/golden/dense_links_5000.h5.z");
    let (_, theirs, model) = golden(file, 5, 4);
    let mut objects: Vec<&Vec<u8>> = model.values().collect();
    objects.sort_by_key(|object| soft_link(object).0);
    let mut store = store();
    let mut ours = new_heap(&mut store, Parameters::LINKS, FlipOrder::Early);
    for object in objects {
        ours.insert(&mut store, object).unwrap();
    }
    ours.stage(&mut store).unwrap();
    assert_eq!(ours.header.table, theirs.header.table);
    assert_eq!(ours.header.root_rows, theirs.header.root_rows);
    assert_eq!(ours.header.managed_size, theirs.header.managed_size);
    assert_eq!(
        ours.header.managed_allocated,
        theirs.header.managed_allocated
    );
    assert_eq!(ours.header.iterator_offset, theirs.header.iterator_offset);
    assert_eq!(ours.header.id_length, theirs.header.id_length);
    assert_eq!(ours.header.max_managed_size, theirs.header.max_managed_size);
    assert_eq!(
        ours.header.starting_root_rows,
        theirs.header.starting_root_rows
    );
}

#[test]
fn the_parameters_are_those_of_libhdf5() {
    let links = golden(
        include_bytes!("../../../../tests/golden/dense_links_20.h5.z"),
        5,
        4,
    )
    .1;
    let attributes = golden(
        include_bytes!("../../../../tests/golden/dense_attributes.h5.z"),
        8,
        0,
    )
    .1;
    for (heap, parameters) in [
        (links, Parameters::LINKS),
        (attributes, Parameters::ATTRIBUTES),
    ] {
        let header = heap.header;
        let found = Parameters {
            id_length: header.id_length,
            table: header.table,
            starting_root_rows: header.starting_root_rows,
            max_managed_size: header.max_managed_size,
        };
        assert_eq!(found, parameters);
    }
}

#[test]
fn heaps_with_damaged_bytes_give_errors_not_panics() {
    let bytes = inflate(include_bytes!(
        "../../../../tests/golden/dense_links_300.h5.z"
    ));
    let at = find(&bytes, b"FRHP")[0] as usize;
    let (_, _, model) = golden(
        include_bytes!("../../../../tests/golden/dense_links_300.h5.z"),
        5,
        4,
    );
    for place in 0..142 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at + place] = value;
            let checksum = crate::bytes::lookup3(&bytes[at..at + 142]);
            bytes[at + 142..at + 146].copy_from_slice(&checksum.to_le_bytes());
            let store = Store::open(Box::new(MemoryStorage::from(bytes))).unwrap();
            let Ok(mut heap) = FractalHeap::open(&store, Addr::new(at as u64)) else {
                continue;
            };
            for id in model.keys().take(20) {
                let _ = heap.read(&store, id);
            }
            let _ = heap.blocks(&store, &mut |_| {});
        }
    }
}

#[test]
fn objects_of_a_heap_with_checksums_are_not_edited() {
    let (mut store, mut heap, model) = golden(
        include_bytes!("../../../../tests/golden/dense_links_20.h5.z"),
        5,
        4,
    );
    let id = model.keys().next().unwrap();
    assert!(heap.insert(&mut store, &[1; 50]).is_err());
    assert!(heap.remove(&mut store, id).is_err());
    assert_eq!(vec![&heap.read(&store, id).unwrap()], vec![&model[id]]);
}

/// The links of dense_links_300 in a heap this library wrote, which h5py then edited: the links 150 to 169 and every
/// third removed, 30 added.
#[test]
fn a_heap_of_ours_that_libhdf5_edited_is_edited_on() {
    let file = include_bytes!("../../../../tests/golden/dense_links_ours_edited.h5.z");
    let (mut store, mut heap, mut model) = golden(file, 5, 4);
    assert!(heap.can_edit() && heap.header.free_space_manager.is_some());
    let mut names: Vec<String> = model.values().map(|object| soft_link(object).0).collect();
    names.sort();
    let expected: Vec<String> = (0..330)
        .filter(|i| *i >= 300 || (i % 3 != 0 && !(150..170).contains(i)))
        .map(|i| alloc::format!("link {i:05} {}", "n".repeat(i * 7 % 40)))
        .collect();
    assert_eq!(names, expected);
    check_statistics(&store, &mut heap, &model);
    let mut numbers = Numbers(8);
    for _ in 0..4 {
        for _ in 0..200 {
            let object = numbers.object(200);
            let id = heap.insert(&mut store, &object).unwrap();
            let old = model.insert(id.to_vec(), object);
            assert!(old.is_none() || id[0] == 0x20, "an ID given twice");
        }
        commit(&mut store, &mut heap);
        assert!(heap.header.free_space_manager.is_none());
        store = reopened(store);
        heap = FractalHeap::open(&store, heap.at).unwrap();
        check_objects(&store, &mut heap, &model);
    }
}
