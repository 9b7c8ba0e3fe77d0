use super::*;
use alloc::collections::BTreeMap;
use alloc::format;

type Nodes = BTreeMap<u64, (u16, Vec<u8>)>;

/// Block by block what `tests/golden/make_btree_v2.py` took from a file: address to depth and bytes.
fn blocks(golden: &[u8]) -> (Vec<u8>, Nodes) {
    let mut take = Take::new(golden, "golden blocks", 0);
    let mut header = Vec::new();
    let mut nodes = BTreeMap::new();
    while !take.is_empty() {
        let at = take.u64().unwrap();
        let depth = take.u32().unwrap() as u16;
        let len = take.u32().unwrap() as usize;
        let bytes = take.bytes(len).unwrap().to_vec();
        if depth == u16::MAX {
            header = bytes;
        } else {
            nodes.insert(at, (depth, bytes));
        }
    }
    (header, nodes)
}

/// Decodes every node of a tree, encodes it again, and returns the records in order.
fn check(golden: &[u8], kind: u8, depth: u16) -> Vec<Vec<u8>> {
    let (bytes, mut nodes) = blocks(golden);
    let header = Header::decode(&bytes, Widths::EIGHT, 0).unwrap();
    assert_eq!(header.encode(Widths::EIGHT), bytes);
    assert_eq!(Header::size(Widths::EIGHT), bytes.len() as u64);
    assert_eq!((header.shape.kind, header.depth), (kind, depth));
    let mut geometry = Geometry::new(header.shape);
    geometry.grow(depth, Widths::EIGHT).unwrap();
    let mut records = Vec::new();
    if let Some(root) = header.root {
        walk(&geometry, &mut nodes, depth, root, &mut records);
        assert_eq!(records.len() as u64, root.total);
    }
    assert!(nodes.is_empty(), "every node was visited");
    records
}

fn walk(
    geometry: &Geometry,
    nodes: &mut Nodes,
    depth: u16,
    pointer: Pointer,
    out: &mut Vec<Vec<u8>>,
) {
    let (at_depth, bytes) = nodes.remove(&pointer.addr.get()).unwrap();
    assert_eq!(at_depth, depth);
    let (records, children) = geometry
        .decode_node(&bytes, depth, pointer, Widths::EIGHT)
        .unwrap();
    let again = geometry.encode_node(depth, records, children.iter().copied(), Widths::EIGHT);
    assert_eq!(again.unwrap(), bytes);
    let mut records = records.chunks(usize::from(geometry.shape.record_size));
    if depth == 0 {
        out.extend(records.map(<[u8]>::to_vec));
        return;
    }
    for child in children {
        walk(geometry, nodes, depth - 1, child, out);
        out.extend(records.next().map(<[u8]>::to_vec));
    }
}

/// The scaled offsets of a chunk record, after its address.
fn offsets(record: &[u8]) -> Vec<u64> {
    let words = record[8..].chunks(8);
    words
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn a_chunk_index_of_depth_1_is_decoded_and_encoded_identically() {
    let golden = include_bytes!("../../../tests/golden/btree_v2_chunks_depth_1.bin");
    let records = check(golden, 10, 1);
    let expected: Vec<_> = (0..20)
        .flat_map(|row| (0..10).map(move |column| vec![row, column]))
        .collect();
    assert_eq!(
        records.iter().map(|r| offsets(r)).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_chunk_index_of_depth_2_is_decoded_and_encoded_identically() {
    let golden = include_bytes!("../../../tests/golden/btree_v2_chunks_depth_2.bin");
    let records = check(golden, 10, 2);
    let expected: Vec<_> = (0..14)
        .flat_map(|row| (0..14).map(move |column| vec![row, column]))
        .collect();
    let found: Vec<_> = records.iter().map(|r| offsets(r)[..2].to_vec()).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_index_of_link_names_is_decoded_and_encoded_identically() {
    let golden = include_bytes!("../../../tests/golden/btree_v2_links.bin");
    let records = check(golden, 5, 1);
    assert_eq!(records.len(), 60);
    let hash = |record: &[u8]| u32::from_le_bytes(record[..4].try_into().unwrap());
    assert!(records.is_sorted_by_key(|record| hash(record)));
    let mut names: Vec<_> = (0..60)
        .map(|i| lookup3(format!("link {i}").as_bytes()))
        .collect();
    names.sort_unstable();
    assert_eq!(records.iter().map(|r| hash(r)).collect::<Vec<_>>(), names);
}

#[test]
fn a_header_without_records_has_no_root() {
    let golden = include_bytes!("../../../tests/golden/btree_v2_empty.bin");
    assert!(check(golden, 10, 0).is_empty());
}

#[test]
fn every_changed_byte_of_a_header_or_node_is_noticed() {
    let golden = include_bytes!("../../../tests/golden/btree_v2_links.bin");
    let (bytes, nodes) = blocks(golden);
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 4;
        assert!(
            Header::decode(&bytes, Widths::EIGHT, 0).is_err(),
            "byte {at}"
        );
    }
    let header = Header::decode(&bytes, Widths::EIGHT, 0).unwrap();
    let mut geometry = Geometry::new(header.shape);
    geometry.grow(1, Widths::EIGHT).unwrap();
    let root = header.root.unwrap();
    let (_, node) = &nodes[&root.addr.get()];
    let used = 10 + usize::from(root.records) * 11 + (usize::from(root.records) + 1) * 9;
    for at in 0..used {
        let mut node = node.clone();
        node[at] ^= 4;
        let decoded = geometry.decode_node(&node, 1, root, Widths::EIGHT);
        assert!(decoded.is_err(), "byte {at}");
    }
}

#[test]
fn the_counts_of_a_chunk_index_are_those_libhdf5_computes() {
    let shape = Shape {
        kind: 10,
        node_size: 2048,
        record_size: 24,
        split_percent: 100,
        merge_percent: 40,
    };
    let mut geometry = Geometry::new(shape);
    geometry.grow(3, Widths::EIGHT).unwrap();
    let level = |depth| {
        let level = geometry.level(depth).unwrap();
        (level.max, level.least, level.total_width)
    };
    assert_eq!(level(0), (84, 33, 0));
    assert_eq!(level(1), (61, 24, 2)); // pointers of 9 bytes, 62 * 84 + 61 = 5,269 records
    assert_eq!(level(2), (57, 22, 3)); // pointers of 11 bytes
}

#[test]
fn shapes_without_room_for_a_tree_are_refused() {
    let shape = |node_size, record_size| Shape {
        kind: 10,
        node_size,
        record_size,
        split_percent: 100,
        merge_percent: 40,
    };
    let grow = |shape, depth| Geometry::new(shape).grow(depth, Widths::EIGHT);
    assert!(grow(shape(2048, 0), 0).is_err());
    assert!(grow(shape(5, 8), 0).is_err());
    assert!(grow(shape(2048, 2000), 0).is_err());
    assert!(grow(shape(u32::MAX, 8), 0).is_err());
    assert!(grow(shape(1 << 20, 1), 0).is_err());
    assert!(grow(shape(2048, 24), 17).is_err());
    assert!(grow(shape(2048, 24), 3).is_ok());
}
