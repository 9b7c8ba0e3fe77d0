//! What libhdf5 wrote, and what it says of it: made by tests/golden/make_btree_v1.py.

use super::*;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;

macro_rules! images {
    ($($name:literal),*) => {
        [$(($name, include_bytes!(concat!("../../../tests/golden/btree_v1_", $name, ".h5.z")))),*]
            as [(&str, &[u8]); 9]
    };
}

fn inflate(deflated: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(deflated).unwrap()
}

/// A file, and where its chunks are: address, size, mask.
pub(crate) struct Golden {
    pub(crate) name: String,
    pub(crate) image: Vec<u8>,
    pub(crate) k: u16,
    pub(crate) root: Addr,
    pub(crate) filtered: bool,
    pub(crate) chunk_bytes: u64,
    pub(crate) dims: Vec<u64>,
    pub(crate) chunk: Vec<u64>,
    pub(crate) chunks: BTreeMap<Vec<u64>, (u64, u64, u32)>,
}

fn numbers(text: &str) -> Vec<u64> {
    let words = text.split_whitespace();
    words.map(|word| word.parse().unwrap()).collect()
}

pub(crate) fn all() -> Vec<Golden> {
    let images = images![
        "leaf",
        "rank_2",
        "filtered",
        "deep",
        "sparse",
        "rank_4",
        "edited",
        "earliest",
        "earliest_filtered"
    ];
    let table = inflate(include_bytes!("../../../tests/golden/btree_v1.txt.z"));
    let mut all: Vec<Golden> = Vec::new();
    for line in core::str::from_utf8(&table).unwrap().lines() {
        if let Some((at, rest)) = line.split_once(':') {
            let (golden, rest) = (all.last_mut().unwrap(), numbers(rest));
            let place = (rest[0], rest[1], rest[2] as u32);
            golden.chunks.insert(numbers(at), place);
            continue;
        }
        let parts: Vec<&str> = line.split('|').collect();
        let (name, rest) = parts[0].split_once(' ').unwrap();
        let head = numbers(rest);
        let (_, image) = images.iter().find(|(known, _)| *known == name).unwrap();
        all.push(Golden {
            name: name.to_string(),
            image: inflate(image),
            k: head[0] as u16,
            root: Addr::new(head[1]),
            filtered: head[2] == 1,
            chunk_bytes: head[3],
            dims: numbers(parts[1]),
            chunk: numbers(parts[2]),
            chunks: BTreeMap::new(),
        });
    }
    assert_eq!(all.len(), 9);
    all
}

impl Golden {
    fn shape(&self) -> Shape {
        Shape {
            rank: self.chunk.len() as u8,
            k: self.k,
        }
    }

    fn node_bytes(&self, addr: Addr) -> &[u8] {
        let start = addr.get() as usize;
        &self.image[start..start + self.shape().node_size(Widths::EIGHT) as usize]
    }

    fn node(&self, addr: Addr, level: Option<u8>) -> Node {
        let bytes = self.node_bytes(addr);
        let node = Node::decode(bytes, self.shape(), level, Widths::EIGHT, addr.get()).unwrap();
        assert_eq!(
            node.encode(self.shape(), Widths::EIGHT),
            bytes,
            "{}",
            self.name
        );
        node
    }
}

#[test]
fn every_node_of_libhdf5_is_decoded_and_encoded_back() {
    let mut levels = Vec::new();
    for golden in all() {
        let mut found = BTreeMap::new();
        let root = golden.node(golden.root, None);
        assert_eq!((root.left, root.right), (None, None));
        levels.push(root.level);
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            let size = golden.shape().key_size();
            assert_eq!(node.keys.len(), (node.children.len() + 1) * size);
            for (key, child) in node.keys.chunks_exact(size).zip(node.children) {
                if node.level > 0 {
                    let below = golden.node(child, Some(node.level - 1));
                    assert_eq!(&below.keys[..size], key, "the first key below");
                    waiting.push(below);
                    continue;
                }
                let pairs = offsets(key).zip(&golden.chunk);
                let at: Vec<u64> = pairs.map(|(offset, chunk)| offset / chunk).collect();
                let (len, mask) = chunk_of(key);
                let again = found.insert(at, (child.get(), len.into(), mask));
                assert_eq!(again, None);
                let mut encoded = Vec::new();
                let rank = golden.chunk.len();
                put_key(&mut encoded, len, mask, offsets(key).take(rank));
                assert_eq!(encoded, key);
            }
        }
        assert_eq!(found, golden.chunks, "{}", golden.name);
    }
    assert_eq!(levels, [0, 1, 1, 2, 4, 34, 3, 1, 2]);
}

#[test]
fn a_damaged_node_is_refused_where_it_cannot_be_meant() {
    let golden = &all()[1];
    let (shape, bytes) = (golden.shape(), golden.node_bytes(golden.root));
    let decode = |at: usize, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        Node::decode(&bytes, shape, Some(1), Widths::EIGHT, 0)
    };
    assert!(decode(0, b"TREE").is_ok());
    assert!(decode(0, b"TREF").is_err());
    assert!(decode(4, &[0]).is_err(), "a node of a group");
    assert!(decode(5, &[0]).is_err(), "another level");
    assert!(decode(6, &65_u16.to_le_bytes()).is_err(), "too many");
    assert!(
        decode(24 + shape.key_size(), &[0xff; 8]).is_err(),
        "nowhere"
    );
    let second = 24 + shape.key_size() + 8;
    let same = &bytes[24..24 + shape.key_size()];
    assert!(decode(second, same).is_err(), "a key that does not ascend");
    assert!(Node::decode(&bytes[..60], shape, None, Widths::EIGHT, 0).is_err());
    assert!(Shape { rank: 2, k: 0 }.check().is_err());
    assert!(Shape { rank: 2, k: 40_000 }.check().is_err());
    assert!(shape.check().is_ok());
}

#[test]
fn narrow_addresses_make_narrow_nodes() {
    let shape = Shape { rank: 1, k: 2 };
    let widths = Widths {
        offset: 4,
        length: 4,
    };
    let mut keys = Vec::new();
    for offset in [0, 5, 10] {
        put_key(&mut keys, 7, 1, [offset].into_iter());
    }
    let node = Node {
        level: 0,
        left: None,
        right: Some(Addr::new(4000)),
        keys,
        children: vec![Addr::new(100), Addr::new(200)],
    };
    let bytes = node.encode(shape, widths);
    assert_eq!(bytes.len(), 8 + 2 * 4 + 4 * 4 + 5 * 24);
    assert_eq!(Node::decode(&bytes, shape, None, widths, 0).unwrap(), node);
}
