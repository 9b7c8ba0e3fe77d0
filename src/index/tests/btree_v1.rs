//! The version 1 B-tree: as libhdf5 wrote it, edited, and damaged.

use super::*;
use crate::format::btree_v1::tests::{Golden, all};
use crate::format::btree_v1::{Node, Shape, offsets};

fn open_image(golden: &Golden, image: Vec<u8>) -> Result<(Store, IndexShape, Box<dyn ChunkIndex>)> {
    let mut store = Store::open(Box::new(MemoryStorage::from(image)))?;
    store.node_sizes.chunk = golden.k;
    let shape = IndexShape {
        chunk_bytes: golden.chunk_bytes,
        filtered: golden.filtered,
        ..shape(&golden.dims, &vec![None; golden.dims.len()], &golden.chunk)
    };
    let layout = IndexLayout::BTreeV1 {
        addr: Some(golden.root),
    };
    let index = open(&store, &layout, &shape, 0, 3)?;
    Ok((store, shape, index))
}

fn chunks(golden: &Golden) -> BTreeMap<Vec<u64>, ChunkRecord> {
    let record = |&(addr, len, mask): &(u64, u64, u32)| ChunkRecord {
        extent: Extent::new(Addr::new(addr), len),
        mask,
    };
    let chunks = golden.chunks.iter();
    chunks
        .map(|(at, place)| (at.clone(), record(place)))
        .collect()
}

#[test]
fn every_chunk_is_where_libhdf5_says() {
    for golden in all() {
        let (store, shape, mut index) = open_image(&golden, golden.image.clone()).unwrap();
        let expected = chunks(&golden);
        assert_eq!(content(&mut *index, &store), expected, "{}", golden.name);
        index.evict();
        for (at, record) in &expected {
            let found = index.find(&store, at).unwrap();
            assert_eq!(found.as_ref(), Some(record), "{} {at:?}", golden.name);
        }
        let rank = shape.chunk.len();
        for place in 0..2000_u64 {
            let at: Vec<u64> = (0..rank).map(|axis| place >> (3 * axis) & 15).collect();
            assert_eq!(index.find(&store, &at).unwrap(), expected.get(&at).copied());
        }
        assert_eq!(index.find(&store, &vec![u64::MAX; rank]).unwrap(), None);
    }
}

/// The nodes of a staged tree: no siblings, keys that ascend from each node to the next, the last one the greatest.
fn check_nodes(store: &Store, shape: &IndexShape, root: Addr) -> usize {
    let nodes = Shape {
        rank: shape.chunk.len() as u8,
        k: store.node_sizes.chunk,
    };
    let size = nodes.key_size();
    let (mut count, mut waiting) = (0, vec![(root, None, None)]);
    while let Some((addr, level, first)) = waiting.pop() {
        let extent = Extent::new(addr, nodes.node_size(store.widths()));
        let bytes = store.read(extent, "node").unwrap();
        let node = Node::decode(&bytes, nodes, level, store.widths(), addr.get()).unwrap();
        assert_eq!((node.left, node.right), (None, None), "siblings");
        if let Some(first) = first {
            assert_eq!(&node.keys[..size], first, "the key above");
        }
        let last = node.keys.chunks_exact(size).last().unwrap();
        let axes = offsets(last).zip(&shape.chunk);
        for (offset, chunk) in axes {
            assert!(offset > i64::MAX as u64 - chunk && offset % chunk == 0);
        }
        if node.level > 0 {
            let keys = node.keys.chunks_exact(size);
            for (key, child) in keys.zip(&node.children) {
                waiting.push((*child, Some(node.level - 1), Some(key.to_vec())));
            }
        }
        count += 1;
    }
    count
}

#[test]
fn a_tree_of_libhdf5_is_edited_beside_itself() {
    for golden in all() {
        let (mut store, shape, mut index) = open_image(&golden, golden.image.clone()).unwrap();
        let before = golden.image.clone();
        let mut model = chunks(&golden);
        let rank = shape.chunk.len();
        for place in 0..300_u64 {
            let at: Vec<u64> = (0..rank)
                .map(|axis| (place * (7 + axis as u64 * 4)) % 41)
                .collect();
            let new = match shape.filtered {
                true => record(&mut store, 1 + place, place as u32),
                false => record(&mut store, shape.chunk_bytes, 0),
            };
            let old = index.insert(&mut store, &at, new).unwrap();
            assert_eq!(old, model.insert(at, new), "{}", golden.name);
        }
        let layout = layout(&mut *index, &mut store);
        for (at, old) in blocks_of(&before, &golden)
            .iter()
            .zip(golden_blocks(&golden))
        {
            assert_eq!(&store.read(old, "node").unwrap(), at, "{}", golden.name);
        }
        let root = layout.addr().unwrap();
        assert_ne!(root, golden.root);
        let count = check_nodes(&store, &shape, root);
        assert_eq!(count, blocks(&mut *index, &store).len());
        let mut again = open(&store, &layout, &shape, 0, 3).unwrap();
        assert_eq!(content(&mut *again, &store), model);
        store.commit(Level::Flush).unwrap();
        assert_eq!(content(&mut *again, &store), model);
    }
}

fn golden_blocks(golden: &Golden) -> Vec<Extent> {
    let (store, _, mut index) = open_image(golden, golden.image.clone()).unwrap();
    blocks(&mut *index, &store)
}

fn blocks_of(image: &[u8], golden: &Golden) -> Vec<Vec<u8>> {
    let slice =
        |extent: Extent| image[extent.addr.get() as usize..extent.end().get() as usize].to_vec();
    golden_blocks(golden).into_iter().map(slice).collect()
}

#[test]
fn one_edit_parts_all_siblings_once_and_later_edits_rewrite_one_path() {
    let golden = all().remove(3);
    assert_eq!(golden.name, "deep");
    let (mut store, shape, mut index) = open_image(&golden, golden.image.clone()).unwrap();
    let mut edit = |at: u64, store: &mut Store| {
        let new = record(store, 1, 0);
        index.insert(store, &[at], new).unwrap();
        let layout = layout(&mut *index, store);
        store.commit(Level::Flush).unwrap();
        let count = check_nodes(store, &shape, layout.addr().unwrap());
        (layout.addr(), blocks(&mut *index, store), count)
    };
    let (_, first, count) = edit(2000, &mut store);
    assert!(count > 60);
    let (_, second, _) = edit(4300, &mut store);
    let new = second.iter().filter(|block| !first.contains(block));
    assert_eq!(new.count(), 3, "a leaf, its parent, the root");
}

#[test]
fn appending_leaves_full_nodes_behind() {
    let mut store = new_store();
    assert_eq!(store.node_sizes.chunk, 32);
    let shape = shape(&[5000], &[None], &[1]);
    let mut index = choose_v18(&store, &shape).unwrap();
    assert_eq!(layout(&mut *index, &mut store).addr(), None);
    for at in 0..64 * 70 {
        let new = record(&mut store, 1, 0);
        index.insert(&mut store, &[at], new).unwrap();
    }
    layout(&mut *index, &mut store);
    assert_eq!(blocks(&mut *index, &store).len(), 70 + 2 + 1);
}

#[test]
fn a_tree_that_loses_its_chunks_keeps_an_empty_root() {
    let golden = all().remove(1);
    let (mut store, shape, mut index) = open_image(&golden, golden.image.clone()).unwrap();
    index.shrink(&mut store, &[9, 0], &mut |_, _| ()).unwrap();
    let emptied = layout(&mut *index, &mut store);
    assert!(emptied.addr().is_some());
    assert_eq!(blocks(&mut *index, &store).len(), 1);
    let mut again = open(&store, &emptied, &shape, 0, 3).unwrap();
    assert_eq!(content(&mut *again, &store), BTreeMap::new());
    let new = record(&mut store, shape.chunk_bytes, 0);
    assert_eq!(again.insert(&mut store, &[0, 3], new).unwrap(), None);
    assert_eq!(again.find(&store, &[0, 3]).unwrap(), Some(new));
    again.free_all(&mut store).unwrap();
    assert_eq!(layout(&mut *again, &mut store).addr(), None);
}

#[test]
fn what_a_key_cannot_say_is_refused() {
    let mut store = new_store();
    let mut filtered = shape(&[10, 10], &[None, None], &[4, 4]);
    let mut index = choose_v18(&store, &filtered).unwrap();
    let right = record(&mut store, 16, 0);
    let far = i64::MAX as u64 / 4;
    for at in [&[0][..], &[0, 0, 0], &[u64::MAX, 0], &[far + 1, 0]] {
        assert!(index.insert(&mut store, at, right).is_err());
        assert_eq!(index.find(&store, at).unwrap(), None);
    }
    index.insert(&mut store, &[far, 0], right).unwrap();
    let smaller = record(&mut store, 15, 0);
    assert!(index.insert(&mut store, &[0, 0], smaller).is_err());
    let masked = record(&mut store, 16, 1);
    assert!(index.insert(&mut store, &[0, 0], masked).is_err());
    filtered.filtered = true;
    let mut index = choose_v18(&store, &filtered).unwrap();
    index.insert(&mut store, &[0, 0], masked).unwrap();
    let huge = ChunkRecord {
        extent: Extent::new(Addr::new(0), 1 << 32),
        mask: 0,
    };
    assert!(index.insert(&mut store, &[0, 0], huge).is_err());
    assert_eq!(index.find(&store, &[0, 0]).unwrap(), Some(masked));
}

/// Everything that can be done with a file, for what it may find in it.
fn exercise(golden: &Golden, image: Vec<u8>) {
    let Ok((mut store, _, mut index)) = open_image(golden, image) else {
        return;
    };
    let rank = golden.chunk.len();
    let _ = index.for_each(&store, &mut |_, _| Ok(()));
    let _ = index.blocks(&store, &mut |_| Ok(()));
    let _ = index.find(&store, &vec![3; rank]);
    let new = record(&mut store, golden.chunk_bytes, 0);
    let _ = index.insert(&mut store, &vec![2; rank], new);
    let _ = index.stage(&mut store);
    let _ = index.shrink(&mut store, &vec![2; rank], &mut |_, _| ());
    let _ = index.stage(&mut store);
    let _ = index.free_all(&mut store);
}

#[test]
fn a_damaged_node_is_an_error_and_no_panic() {
    for golden in all().iter().filter(|golden| golden.image.len() < 30_000) {
        let block = golden_blocks(golden);
        for block in [block[0], block[block.len() / 2]] {
            let start = block.addr.get() as usize;
            for at in (0..150).map(|at| start + at) {
                for value in [0, 1, 2, 0x7f, 0xff] {
                    let mut image = golden.image.clone();
                    image[at] = value;
                    exercise(golden, image);
                }
            }
        }
    }
}

#[test]
fn a_node_that_is_named_many_times_does_not_make_a_walk_long() {
    let golden = all().remove(3);
    let mut image = golden.image.clone();
    let root = golden.root.get() as usize;
    let child = image[root + 24 + 24..][..8].to_vec();
    let second = root + 24 + 24 + 8 + 24;
    image[second..second + 8].copy_from_slice(&child);
    let (mut store, _, mut index) = open_image(&golden, image).unwrap();
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
    let shrunk = index.shrink(&mut store, &[5], &mut |_, _| panic!("nothing may go"));
    assert!(shrunk.is_err());
    // Each node names one above itself on every level: no walk ends, were its nodes not counted.
    let mut image = golden.image.clone();
    for block in golden_blocks(&golden) {
        let node = block.addr.get() as usize;
        if image[node + 5] == 1 {
            let first = image[node + 48..node + 56].to_vec();
            let count = usize::from(image[node + 6]);
            for slot in 1..count {
                image[node + 48 + 32 * slot..][..8].copy_from_slice(&first);
            }
        }
    }
    let (store, _, mut index) = open_image(&golden, image).unwrap();
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
}

#[test]
fn a_chunk_outside_the_file_or_between_chunks_is_an_error() {
    let golden = all().remove(0);
    let root = golden.root.get() as usize;
    let mut image = golden.image.clone();
    image[root + 24 + 24..][..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    let (mut store, _, mut index) = open_image(&golden, image).unwrap();
    assert!(index.find(&store, &[0]).is_err());
    assert!(index.find(&store, &[1]).is_ok());
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
    let new = record(&mut store, 3, 0);
    assert!(index.insert(&mut store, &[0], new).is_err());
    let mut image = golden.image.clone();
    image[root + 24 + 8] = 1;
    let (store, _, mut index) = open_image(&golden, image).unwrap();
    assert!(index.for_each(&store, &mut |_, _| Ok(())).is_err());
}
