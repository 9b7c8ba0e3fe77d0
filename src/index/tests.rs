use super::*;
use crate::bytes::{Addr, lookup3};
use crate::storage::MemoryStorage;
use crate::store::Level;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

mod btree_v1;
mod golden;
mod model;

fn new_store() -> Store {
    Store::create(Box::new(MemoryStorage::new()), Addr::new(48)).unwrap()
}

fn shape(dims: &[u64], max_dims: &[Option<u64>], chunk: &[u64]) -> IndexShape {
    IndexShape {
        chunk: chunk.to_vec(),
        chunk_bytes: chunk.iter().product(),
        filtered: false,
        dims: dims.to_vec(),
        max_dims: max_dims.to_vec(),
        early: false,
        widths: Widths::EIGHT,
    }
}

fn bounded(dims: &[u64], chunk: &[u64]) -> IndexShape {
    let max_dims: Vec<_> = dims.iter().copied().map(Some).collect();
    shape(dims, &max_dims, chunk)
}

fn record(store: &mut Store, len: u64, mask: u32) -> ChunkRecord {
    ChunkRecord {
        extent: store.alloc(len).unwrap(),
        mask,
    }
}

fn content(index: &mut dyn ChunkIndex, store: &Store) -> BTreeMap<Vec<u64>, ChunkRecord> {
    let mut content = BTreeMap::new();
    let visit = &mut |at: &[u64], record| {
        assert_eq!(content.insert(at.to_vec(), record), None, "{at:?} twice");
        Ok(())
    };
    index.for_each(store, visit).unwrap();
    content
}

fn blocks(index: &mut dyn ChunkIndex, store: &Store) -> Vec<Extent> {
    let mut blocks = Vec::new();
    let visit = &mut |extent| {
        blocks.push(extent);
        Ok(())
    };
    index.blocks(store, visit).unwrap();
    blocks.sort();
    for pair in blocks.windows(2) {
        assert!(pair[0].end() <= pair[1].addr, "{pair:?} overlap");
    }
    blocks
}

fn layout(index: &mut dyn ChunkIndex, store: &mut Store) -> IndexLayout {
    index.stage(store).unwrap()
}

#[test]
fn the_index_follows_from_the_extent_and_its_limit() {
    let mut store = new_store();
    let mut chosen = |shape: &IndexShape| layout(&mut *choose(shape), &mut store);
    let tree = |layout| matches!(layout, IndexLayout::BTreeV2 { addr: None, .. });
    assert!(tree(chosen(&shape(&[10], &[None], &[5]))));
    assert!(tree(chosen(&shape(&[10, 9], &[Some(10), None], &[10, 9]))));
    assert!(tree(chosen(&shape(&[10], &[Some(11)], &[5]))));
    assert!(tree(chosen(&bounded(&[0], &[5]))));
    assert!(tree(chosen(&bounded(&[1 << 60, 1 << 60], &[1, 1]))));
    assert!(tree(chosen(&bounded(&[1 << 40], &[1]))));
    let fixed = IndexLayout::FixedArray {
        page_bits: 10,
        addr: None,
    };
    assert_eq!(chosen(&bounded(&[10, 9], &[5, 5])), fixed);
    let mut early = bounded(&[10, 9], &[5, 5]);
    early.early = true;
    assert_eq!(chosen(&early), IndexLayout::Implicit { addr: None });
    early.filtered = true;
    assert_eq!(chosen(&early), fixed);
    let mut single = bounded(&[10, 9], &[10, 9]);
    single.early = true;
    let expected = |filtered| IndexLayout::Single {
        addr: None,
        filtered,
    };
    assert_eq!(chosen(&single), expected(None));
    single.filtered = true;
    assert_eq!(chosen(&single), expected(Some((0, 0))));
}

#[test]
fn an_array_that_did_not_change_is_not_written_again() {
    let mut store = new_store();
    let mut index = choose(&bounded(&[3000], &[1]));
    let at_0 = record(&mut store, 1, 0);
    index.insert(&mut store, &[0], at_0).unwrap();
    let first = layout(&mut *index, &mut store);
    let end = store.end();
    assert_eq!(layout(&mut *index, &mut store), first);
    assert_eq!(store.end(), end);
    store.commit(Level::Flush).unwrap();
    let old = blocks(&mut *index, &store);
    let at_9 = record(&mut store, 1, 0);
    index.insert(&mut store, &[9], at_9).unwrap();
    let second = layout(&mut *index, &mut store);
    assert_ne!(second, first);
    for block in blocks(&mut *index, &store) {
        assert!(
            old.iter()
                .all(|old| old.end() <= block.addr || block.end() <= old.addr)
        );
    }
}

#[test]
fn an_array_without_chunks_has_no_place() {
    let mut store = new_store();
    let mut index = choose(&bounded(&[40], &[1]));
    let at_0 = record(&mut store, 1, 0);
    index.insert(&mut store, &[0], at_0).unwrap();
    assert!(layout(&mut *index, &mut store).addr().is_some());
    let mut removed = Vec::new();
    index
        .shrink(&mut store, &[0], &mut |_, record| removed.push(record))
        .unwrap();
    assert_eq!(removed, [at_0]);
    assert_eq!(layout(&mut *index, &mut store).addr(), None);
    assert_eq!(blocks(&mut *index, &store), []);
}

#[test]
fn implicit_chunks_are_allocated_once_and_do_not_move() {
    let mut store = new_store();
    let mut shape = bounded(&[10, 9], &[5, 5]);
    shape.early = true;
    let mut index = choose(&shape);
    assert!(index.in_place());
    assert_eq!(index.find(&store, &[0, 0]).unwrap(), None);
    let all = index.allocate(&mut store).unwrap().unwrap();
    assert_eq!(all.len, 4 * 25);
    assert_eq!(index.allocate(&mut store).unwrap(), None);
    let last = index.find(&store, &[1, 1]).unwrap().unwrap();
    assert_eq!(last.extent.end(), all.end());
    assert_eq!(index.find(&store, &[1, 2]).unwrap(), None);
    assert_eq!(index.insert(&mut store, &[1, 1], last).unwrap(), None);
    let elsewhere = record(&mut store, 25, 0);
    assert!(index.insert(&mut store, &[1, 1], elsewhere).is_err());
    assert_eq!(content(&mut *index, &store).len(), 4);
}

#[test]
fn a_single_chunk_is_in_the_layout_message() {
    let mut store = new_store();
    let mut shape = bounded(&[10, 9], &[10, 9]);
    shape.filtered = true;
    let mut index = choose(&shape);
    let chunk = record(&mut store, 33, 5);
    assert!(index.insert(&mut store, &[0, 1], chunk).is_err());
    assert_eq!(index.insert(&mut store, &[0, 0], chunk).unwrap(), None);
    let layout = layout(&mut *index, &mut store);
    let expected = IndexLayout::Single {
        addr: Some(chunk.extent.addr),
        filtered: Some((33, 5)),
    };
    assert_eq!(layout, expected);
    let mut again = open(&store, &layout, &shape, 2, 4).unwrap();
    assert_eq!(again.find(&store, &[0, 0]).unwrap(), Some(chunk));
    assert_eq!(again.find(&store, &[1, 0]).unwrap(), None);
    again.shrink(&mut store, &[1, 0], &mut |_, _| ()).unwrap();
    assert_eq!(again.find(&store, &[0, 0]).unwrap(), None);
}

#[test]
fn a_filter_mask_is_refused_where_the_index_has_no_place_for_it() {
    let mut store = new_store();
    for mut index in [
        choose(&bounded(&[8], &[8])),
        choose(&bounded(&[80], &[8])),
        choose(&shape(&[80], &[None], &[8])),
    ] {
        let masked = record(&mut store, 8, 1);
        assert!(index.insert(&mut store, &[0], masked).is_err());
        let smaller = record(&mut store, 7, 0);
        assert!(index.insert(&mut store, &[0], smaller).is_err());
        assert_eq!(index.find(&store, &[0]).unwrap(), None);
    }
}

#[test]
fn a_filtered_chunk_larger_than_its_width_is_refused() {
    let mut store = new_store();
    let mut shape = bounded(&[100], &[10]);
    shape.filtered = true;
    let mut index = choose(&shape);
    let fits = record(&mut store, 65_535, 0);
    index.insert(&mut store, &[0], fits).unwrap();
    let larger = record(&mut store, 65_536, 0);
    assert!(index.insert(&mut store, &[0], larger).is_err());
    assert_eq!(index.find(&store, &[0]).unwrap(), Some(fits));
}

#[test]
fn a_chunk_outside_the_greatest_extent_is_nowhere_and_cannot_be_set() {
    let mut store = new_store();
    let mut index = choose(&bounded(&[10, 10], &[5, 5]));
    let chunk = record(&mut store, 25, 0);
    for at in [&[2, 0][..], &[0, 2], &[0], &[0, 0, 0], &[u64::MAX, 1]] {
        assert_eq!(index.find(&store, at).unwrap(), None);
        assert!(index.insert(&mut store, at, chunk).is_err());
    }
}
