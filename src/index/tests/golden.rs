//! What libhdf5 wrote, and what it says of it: made by tests/golden/make_indexes.py.

use super::*;

const TABLE: &str = include_str!("../../../tests/golden/indexes.txt");

macro_rules! images {
    ($($name:literal),*) => {
        [$(($name, include_bytes!(concat!("../../../tests/golden/index_", $name, ".h5")))),*]
            as [(&str, &[u8]); 17]
    };
}

fn image(name: &str) -> Vec<u8> {
    let images = images![
        "fixed",
        "fixed_sparse",
        "fixed_filtered",
        "fixed_paged",
        "fixed_paged_filtered",
        "extensible_small",
        "extensible",
        "extensible_filtered",
        "extensible_paged",
        "extensible_axis_1",
        "extensible_axis_2",
        "btree",
        "btree_filtered",
        "btree_grown",
        "single",
        "single_filtered",
        "implicit"
    ];
    let (_, bytes) = images.iter().find(|(known, _)| *known == name).unwrap();
    bytes.to_vec()
}

struct Golden {
    name: String,
    shape: IndexShape,
    layout: IndexLayout,
    chunks: BTreeMap<Vec<u64>, ChunkRecord>,
}

impl Golden {
    fn store(&self) -> Store {
        Store::open(Box::new(MemoryStorage::from(image(&self.name)))).unwrap()
    }

    fn open(&self, store: &Store) -> Result<Box<dyn ChunkIndex>> {
        open(store, &self.layout, &self.shape, 0, 4)
    }

    fn counts(&self) -> Vec<u64> {
        let chunks = self.shape.dims.iter().zip(&self.shape.chunk);
        chunks.map(|(dim, chunk)| dim.div_ceil(*chunk)).collect()
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect()
}

fn parse_head(line: &str) -> Golden {
    let parts: Vec<&str> = line.split('|').collect();
    let head: Vec<&str> = parts[0].split_whitespace().collect();
    let filtered = head[3] == "1";
    let addr = Some(Addr::new(head[2].parse().unwrap()));
    let layout = match head[1] {
        "fixed" => IndexLayout::FixedArray {
            page_bits: 10,
            addr,
        },
        "extensible" => IndexLayout::ExtensibleArray {
            max_bits: 32,
            index_elements: 4,
            min_pointers: 4,
            min_elements: 16,
            page_bits: 10,
            addr,
        },
        "btree" => IndexLayout::BTreeV2 {
            node_size: 2048,
            split: 100,
            merge: 40,
            addr,
        },
        "single" => IndexLayout::Single {
            addr,
            filtered: None,
        },
        _ => IndexLayout::Implicit { addr },
    };
    Golden {
        name: head[0].to_string(),
        shape: IndexShape {
            chunk: numbers(parts[3]),
            chunk_bytes: head[4].parse().unwrap(),
            filtered,
            dims: numbers(parts[1]),
            max_dims: parts[2]
                .split_whitespace()
                .map(|word| word.parse().ok())
                .collect(),
            early: false,
            widths: Widths::EIGHT,
        },
        layout,
        chunks: BTreeMap::new(),
    }
}

fn all() -> Vec<Golden> {
    let mut all: Vec<Golden> = Vec::new();
    for line in TABLE.lines() {
        if line.contains('|') {
            all.push(parse_head(line));
            continue;
        }
        let golden = all.last_mut().unwrap();
        let (at, rest) = line.split_once(':').unwrap();
        let rest = numbers(rest);
        let (len, mask) = (rest[1], rest[2] as u32);
        if let IndexLayout::Single { filtered, .. } = &mut golden.layout
            && golden.shape.filtered
        {
            *filtered = Some((len, mask));
        }
        let extent = Extent::new(Addr::new(rest[0]), len);
        golden
            .chunks
            .insert(numbers(at), ChunkRecord { extent, mask });
    }
    assert_eq!(all.len(), 17);
    all
}

fn named(name: &str) -> Golden {
    all()
        .into_iter()
        .find(|golden| golden.name == name)
        .unwrap()
}

#[test]
fn every_chunk_is_where_libhdf5_says() {
    for golden in all() {
        let store = golden.store();
        let mut index = golden.open(&store).unwrap();
        let counts = golden.counts();
        let mut found = content(&mut *index, &store);
        found.retain(|at, _| at.iter().zip(&counts).all(|(at, count)| at < count));
        assert_eq!(found, golden.chunks, "{}", golden.name);
        index.evict();
        for (at, record) in &golden.chunks {
            assert_eq!(
                index.find(&store, at).unwrap().as_ref(),
                Some(record),
                "{} {at:?}",
                golden.name
            );
        }
    }
}

#[test]
fn a_chunk_that_libhdf5_did_not_write_is_nowhere() {
    for golden in all().iter().filter(|golden| golden.counts().len() < 3) {
        let store = golden.store();
        let mut index = golden.open(&store).unwrap();
        let mut counts = golden.counts();
        counts.resize(2, 1);
        for (row, column) in (0..counts[0]).flat_map(|row| (0..counts[1]).map(move |c| (row, c))) {
            let at = &[row, column][..golden.shape.chunk.len()];
            let expected = golden.chunks.get(at).copied();
            assert_eq!(index.find(&store, at).unwrap(), expected, "{}", golden.name);
        }
    }
}

#[test]
fn the_blocks_of_an_index_are_all_found() {
    for golden in all() {
        let store = golden.store();
        let mut index = golden.open(&store).unwrap();
        let blocks = blocks(&mut *index, &store);
        let bytes = image(&golden.name);
        for (at, signature) in bytes.windows(4).enumerate() {
            let known: [&[u8]; 9] = [
                b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB", b"EADB", b"BTHD", b"BTIN", b"BTLF",
            ];
            if known.contains(&signature) {
                assert!(
                    blocks.iter().any(|block| block.addr.get() == at as u64),
                    "{} {at}",
                    golden.name
                );
            }
        }
        for chunk in golden.chunks.values() {
            assert!(
                blocks
                    .iter()
                    .all(|block| block.end() <= chunk.extent.addr
                        || chunk.extent.end() <= block.addr)
            );
        }
    }
}

#[test]
fn a_converted_index_has_every_chunk_and_gives_the_old_blocks_back() {
    for golden in all() {
        let mut store = golden.store();
        let mut old = golden.open(&store).unwrap();
        let mut before = content(&mut *old, &store);
        // One that is allocated at once has chunks for the largest extent.
        let inside = |at: &[u64]| {
            let extents = golden.shape.dims.iter().zip(&golden.shape.chunk);
            at.iter()
                .zip(extents)
                .all(|(at, (dim, chunk))| at * chunk < *dim)
        };
        before.retain(|at, _| inside(at));
        let old_blocks = blocks(&mut *old, &store);
        let mut index = convert(&mut store, old, &golden.shape).unwrap();
        assert!(index.editable() && !index.in_place());
        let layout = layout(&mut *index, &mut store);
        assert!(matches!(layout, IndexLayout::BTreeV2 { .. }));
        let mut again = open(&store, &layout, &golden.shape, 0, 4).unwrap();
        assert_eq!(content(&mut *again, &store), before, "{}", golden.name);
        for block in old_blocks {
            assert!(!store.is_fresh(block));
        }
    }
}

#[test]
fn an_index_of_libhdf5_is_edited_beside_the_committed_state() {
    for name in [
        "fixed",
        "fixed_filtered",
        "fixed_paged",
        "btree",
        "btree_filtered",
    ] {
        let golden = named(name);
        let mut store = golden.store();
        let mut index = golden.open(&store).unwrap();
        let mut expected = golden.chunks.clone();
        let (at, old) = golden.chunks.last_key_value().unwrap();
        let new = record(&mut store, old.extent.len, old.mask);
        assert_eq!(index.insert(&mut store, at, new).unwrap(), Some(*old));
        expected.insert(at.clone(), new);
        let layout = layout(&mut *index, &mut store);
        let mut again = open(&store, &layout, &golden.shape, 0, 4).unwrap();
        assert_eq!(content(&mut *again, &store), expected, "{name}");
        let mut committed = golden.open(&store).unwrap();
        assert_eq!(content(&mut *committed, &store), golden.chunks, "{name}");
    }
}

/// Every call on an index of a damaged file; what they say does not matter.
fn exercise(golden: &Golden, bytes: Vec<u8>) {
    let Ok(mut store) = Store::open(Box::new(MemoryStorage::from(bytes))) else {
        return;
    };
    let Ok(mut index) = golden.open(&store) else {
        return;
    };
    for at in golden.chunks.keys() {
        let _ = index.find(&store, at);
    }
    let _ = index.for_each(&store, &mut |_, _| Ok(()));
    let _ = index.blocks(&store, &mut |_| Ok(()));
    if let Ok(mut index) = golden.open(&store) {
        let counts = vec![1; golden.shape.chunk.len()];
        let _ = index.shrink(&mut store, &counts, &mut |_, _| ());
        let _ = index.stage(&mut store);
    }
    if let Ok(index) = golden.open(&store) {
        let _ = convert(&mut store, index, &golden.shape);
    }
}

/// Damages the block that opens with `signature` and is `len` bytes with its checksum, which is made right again.
fn damage(name: &str, signature: &[u8; 4], len: usize) {
    let golden = named(name);
    let bytes = image(name);
    let start = bytes.windows(4).position(|w| w == signature).unwrap();
    let end = start + len - 4;
    assert_eq!(
        lookup3(&bytes[start..end]).to_le_bytes(),
        bytes[end..end + 4],
        "{name} {len}"
    );
    for at in start..end {
        for value in [0, 1, 2, 0x10, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            let checksum = lookup3(&bytes[start..end]).to_le_bytes();
            bytes[end..end + 4].copy_from_slice(&checksum);
            exercise(&golden, bytes);
        }
    }
}

#[test]
fn a_damaged_header_is_an_error_and_no_panic() {
    damage("fixed", b"FAHD", 28);
    damage("fixed_filtered", b"FAHD", 28);
    damage("extensible_small", b"EAHD", 72);
    damage("extensible_filtered", b"EAHD", 72);
}

#[test]
fn a_damaged_block_is_an_error_and_no_panic() {
    damage("fixed_filtered", b"FADB", 14 + 15 * 14 + 4);
    damage("extensible", b"EAIB", 14 + 8 * (4 + 6 + 25) + 4);
    damage("extensible", b"EASB", 14 + 4 + 8 * 4 + 4);
    damage("extensible", b"EADB", 14 + 4 + 8 * 32 + 4);
}

#[test]
fn blocks_that_are_named_many_times_do_not_make_a_walk_long() {
    let golden = named("extensible");
    let mut bytes = image("extensible");
    let start = bytes.windows(4).position(|w| w == b"EAIB").unwrap();
    let block = bytes.windows(4).rposition(|w| w == b"EADB").unwrap() as u64;
    let first = start + 14 + 8 * 4;
    for slot in bytes[first..first + 8 * 6].chunks_exact_mut(8) {
        slot.copy_from_slice(&block.to_le_bytes());
    }
    let end = first + 8 * 31;
    let checksum = lookup3(&bytes[start..end]).to_le_bytes();
    bytes[end..end + 4].copy_from_slice(&checksum);
    let store = Store::open(Box::new(MemoryStorage::from(bytes))).unwrap();
    let mut index = golden.open(&store).unwrap();
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
}

#[test]
fn a_chunk_beyond_the_end_of_the_file_is_an_error() {
    let golden = named("fixed");
    let mut bytes = image("fixed");
    let start = bytes.windows(4).position(|w| w == b"FADB").unwrap();
    let end = start + 14 + 8 * 25;
    bytes[start + 14..start + 22].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let checksum = lookup3(&bytes[start..end]).to_le_bytes();
    bytes[end..end + 4].copy_from_slice(&checksum);
    let mut store = Store::open(Box::new(MemoryStorage::from(bytes))).unwrap();
    let mut index = golden.open(&store).unwrap();
    assert!(index.find(&store, &[0, 0]).is_err());
    assert!(index.find(&store, &[0, 1]).is_ok());
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
    let new = record(&mut store, 28, 0);
    assert!(index.insert(&mut store, &[0, 0], new).is_err());
}
