use super::*;
use crate::bytes::Widths;
use alloc::vec::Vec;

const W: Widths = Widths::EIGHT;

fn inflate(deflated: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(deflated).unwrap()
}

fn find(bytes: &[u8], signature: &[u8]) -> usize {
    let mut windows = bytes.windows(signature.len());
    windows.position(|window| window == signature).unwrap()
}

#[test]
fn a_table_and_a_list_of_libhdf5_are_encoded_back() {
    let bytes = inflate(include_bytes!("../../../tests/golden/shared_list.h5.z"));
    let at = find(&bytes, b"SMTB");
    let golden = &bytes[at..at + Table::size(1, W) as usize];
    let table = Table::decode(golden, 1, W, 0).unwrap();
    assert_eq!(table.encode(W), golden);
    let index = table.index_of(kind::FILL_VALUE_OLD).unwrap();
    assert_eq!(
        (index.is_tree, index.list_max, index.tree_min),
        (false, 100, 80)
    );
    assert_eq!(table.index_of(kind::LAYOUT), None);

    let at = index.records.unwrap().get() as usize;
    let golden = &bytes[at..at + list_size(index.list_max, W) as usize];
    let records = decode_list(golden, index.messages, W, 0).unwrap();
    assert_eq!(encode_list(&records, golden.len() as u64, W), golden);
    let in_headers = |record: &&Record| matches!(record.location, Location::Header { .. });
    // Those that are there once, but for attributes, which are in the heap always.
    assert_eq!(records.iter().filter(in_headers).count(), 2);
    let counts = records.iter().map(|record| match record.location {
        Location::Heap { count, .. } => count,
        Location::Header { .. } => 1,
    });
    assert_eq!(counts.max(), Some(21));

    for place in [0, 4, 5, 20, 50] {
        let mut damaged = bytes.clone();
        let at = find(&bytes, b"SMTB");
        damaged[at + place.min(37)] ^= 1;
        assert!(Table::decode(&damaged[at..at + 38], 1, W, 0).is_err());
    }
    assert!(decode_list(&golden[..40], index.messages, W, 0).is_err());
    assert!(decode_list(golden, index.messages - 1, W, 0).is_err());
}

#[test]
fn several_indexes_are_told_apart() {
    let bytes = inflate(include_bytes!("../../../tests/golden/shared_trees.h5.z"));
    let at = find(&bytes, b"SMTB");
    let golden = &bytes[at..at + Table::size(3, W) as usize];
    let table = Table::decode(golden, 3, W, 0).unwrap();
    assert_eq!(table.encode(W), golden);
    assert!(table.indexes.iter().all(|index| index.is_tree));
    let heap_of = |kind| table.index_of(kind).map(|index| index.heap.is_some());
    assert_eq!(heap_of(kind::DATATYPE), Some(true));
    assert_eq!(heap_of(kind::FILTER_PIPELINE), Some(false));
    assert_eq!(heap_of(kind::ATTRIBUTE), Some(true));
}
