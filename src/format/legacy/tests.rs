//! Structures of tests/golden/make_legacy.py.

use super::group_tree;
use super::local_heap::{LocalHeap, string_at};
use super::object_header::{PREFIX_SIZE, decode_messages, decode_prefix, is_old};
use super::symbol_table::{Cache, Places, decode_node, entry_size};
use crate::bytes::{Addr, Extent, Widths};
use crate::error::ErrorKind;
use crate::format::message::kind;
use crate::format::superblock::Superblock;
use alloc::vec::Vec;

static ROOT: &[u8] = include_bytes!("../../../tests/golden/legacy_root.h5");
static SIZES: &[u8] = include_bytes!("../../../tests/golden/legacy_sizes.h5");
static HEADERS: &[u8] = include_bytes!("../../../tests/golden/legacy_headers.h5");

const WIDTHS: Widths = Widths::EIGHT;

fn changed(before: &[u8], after: &[u8]) -> Vec<usize> {
    assert_eq!(before.len(), after.len());
    (0..before.len())
        .filter(|&at| before[at] != after[at])
        .collect()
}

#[test]
fn superblocks_of_version_0_and_1_say_what_was_asked_for() {
    let superblock = Superblock::decode(ROOT, 0).unwrap();
    assert_eq!((superblock.version, superblock.size()), (0, 96));
    assert_eq!(superblock.end_of_file, ROOT.len() as u64);
    assert_eq!((superblock.base, superblock.root), (0, Addr::new(96)));
    let old = superblock.old.as_ref().unwrap();
    assert_eq!((old.leaf_k, old.internal_k, old.chunk_k), (4, 16, 32));
    assert_eq!(old.root_cache, 1);
    assert_eq!(superblock.encode(), ROOT[..96]);

    let superblock = Superblock::decode(SIZES, 0).unwrap();
    assert_eq!((superblock.version, superblock.size()), (1, 100));
    assert_eq!(superblock.end_of_file, SIZES.len() as u64);
    let old = superblock.old.as_ref().unwrap();
    assert_eq!((old.leaf_k, old.internal_k, old.chunk_k), (1, 2, 16));
    assert_eq!(superblock.encode(), SIZES[..100]);
}

#[test]
fn an_old_superblock_changes_only_where_it_is_meant_to() {
    let mut superblock = Superblock::decode(ROOT, 0).unwrap();
    superblock.end_of_file = 0x0102_0304_0506_0708;
    assert_eq!(
        changed(&ROOT[..96], &superblock.encode()),
        Vec::from_iter(40..48)
    );
    let mut superblock = Superblock::decode(ROOT, 0).unwrap();
    superblock.old.as_mut().unwrap().root_cache = 0;
    assert_eq!(changed(&ROOT[..96], &superblock.encode()), [72]);
    assert_eq!(
        Superblock::decode(&superblock.encode(), 0).unwrap().root,
        Addr::new(96)
    );
}

/// Nobody acts on them; some old files have a 3 there.
#[test]
fn consistency_flags_of_old_superblocks_stay_as_they_are() {
    let mut bytes = ROOT[..96].to_vec();
    bytes[20] = 3;
    let mut superblock = Superblock::decode(&bytes, 0).unwrap();
    superblock.consistency_flags = 0;
    assert_eq!(superblock.encode(), bytes);
}

#[test]
fn what_an_edit_could_not_keep_in_an_old_superblock_is_refused() {
    let mut bytes = ROOT[..96].to_vec();
    bytes[32] = 0;
    let error = Superblock::decode(&bytes, 0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)));
    for at in [9, 10, 12, 13, 20, 72] {
        let mut bytes = ROOT[..96].to_vec();
        bytes[at] = 9;
        let error = Superblock::decode(&bytes, 0).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{at}");
    }
    for len in 0..96 {
        assert!(Superblock::decode(&ROOT[..len], 0).is_err());
    }
}

#[test]
fn the_structures_of_a_root_group_decode() {
    let superblock = Superblock::decode(ROOT, 0).unwrap();
    let at = superblock.root.get() as usize;
    assert!(is_old(&ROOT[at..]));
    let prefix = decode_prefix(&ROOT[at..], at as u64).unwrap();
    assert_eq!((prefix.reference_count, prefix.data_size), (1, 24));
    let end = at + PREFIX_SIZE + prefix.data_size as usize;
    let messages = decode_messages(&ROOT[at + PREFIX_SIZE..end], at as u64).unwrap();
    assert_eq!(
        messages[0].kind,
        kind::CONTINUATION,
        "it was given attributes"
    );

    let at = find(b"TREE");
    let tree = group_tree::decode(&ROOT[at..], WIDTHS, at as u64).unwrap();
    assert_eq!(
        (tree.level, tree.children.len(), tree.keys.len()),
        (0, 1, 2)
    );
    assert_eq!(group_tree::node_size(WIDTHS, 16), 544);

    let at = find(b"HEAP");
    let heap = LocalHeap::decode(&ROOT[at..], WIDTHS, at as u64).unwrap();
    let segment = &ROOT[heap.segment.addr.get() as usize..heap.segment.end().get() as usize];

    let at = tree.children[0].get();
    let entries = decode_node(&ROOT[at as usize..], WIDTHS, at).unwrap();
    let names: Vec<&[u8]> = entries
        .iter()
        .map(|entry| string_at(segment, entry.name, 0).unwrap())
        .collect();
    let expected: [&[u8]; 7] = [
        b"again",
        b"dangling",
        b"data",
        b"group",
        "grüße".as_bytes(),
        b"late",
        b"soft",
    ];
    assert_eq!(names, expected);
    assert_eq!(entries[0].header, entries[2].header, "two hard links");
    assert_eq!(entries[3].cache, Cache::SymbolTable);
    let Cache::SoftLink(path) = entries[6].cache else {
        panic!("{:?}", entries[6]);
    };
    assert_eq!(
        string_at(segment, u64::from(path), 0).unwrap(),
        b"/group/inner/x"
    );
    assert_eq!(entry_size(WIDTHS), 40);
}

fn find(signature: &[u8]) -> usize {
    (0..ROOT.len())
        .find(|&at| ROOT[at..].starts_with(signature))
        .unwrap()
}

#[test]
fn a_symbol_table_message_names_tree_and_heap() {
    let at = (0..HEADERS.len())
        .find(|&at| HEADERS[at..].starts_with(&[0x11, 0, 16, 0]))
        .unwrap();
    let message = &decode_messages(&HEADERS[at..at + 24], at as u64).unwrap()[0];
    let places = Places::decode(&message.data, WIDTHS, 0).unwrap();
    let starts =
        |addr: Addr, signature: &[u8]| HEADERS[addr.get() as usize..].starts_with(signature);
    assert!(starts(places.tree, b"TREE") && starts(places.heap, b"HEAP"));
}

#[test]
fn a_header_whose_count_or_sizes_cannot_be_is_corrupt() {
    let good = [1, 0, 1, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0];
    assert!(decode_prefix(&good, 0).is_ok());
    for (at, byte) in [(0, 2), (2, 0), (8, 7)] {
        let mut bytes = good;
        bytes[at] = byte;
        assert!(decode_prefix(&bytes, 0).is_err(), "{at}");
    }
    assert!(decode_messages(&[5, 0, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], 0).is_ok());
    assert!(decode_messages(&[5, 0, 7, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7], 0).is_err());
    assert!(decode_messages(&[5, 0, 8, 0, 0, 0, 0, 0, 1], 0).is_err());
    assert!(decode_messages(&[5, 1, 0, 0, 0, 0, 0, 0], 0).is_err());
}

#[test]
fn strings_stay_inside_their_heap() {
    assert_eq!(string_at(b"ab\0c", 1, 0).unwrap(), b"b");
    assert!(string_at(b"ab\0c", 3, 0).is_err());
    assert!(string_at(b"ab\0c", 4, 0).is_err());
    assert!(string_at(b"ab\0c", u64::MAX, 0).is_err());
    let heap = LocalHeap {
        segment: Extent::new(Addr::new(96), 88),
    };
    let mut bytes = b"HEAP\0\0\0\0".to_vec();
    for value in [88u64, 1, 96] {
        bytes.extend(value.to_le_bytes());
    }
    assert_eq!(LocalHeap::decode(&bytes, WIDTHS, 0).unwrap(), heap);
    bytes[16] = 88;
    assert!(LocalHeap::decode(&bytes, WIDTHS, 0).is_err(), "free block");
}
