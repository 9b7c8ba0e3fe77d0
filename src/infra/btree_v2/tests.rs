use super::*;
use crate::storage::MemoryStorage;
use crate::store::Level;
use alloc::collections::{BTreeMap, BTreeSet};

fn store() -> Store {
    Store::create(Box::new(MemoryStorage::new()), Addr::new(48)).unwrap()
}

fn shape(node_size: u32, record_size: u16) -> Shape {
    Shape {
        kind: 10,
        node_size,
        record_size,
        split_percent: 100,
        merge_percent: 40,
    }
}

/// A record: the key, most significant byte first, then a value.
fn record(key: u64, value: u8, size: u16) -> Vec<u8> {
    let mut record = key.to_be_bytes().to_vec();
    record.resize(size.into(), value);
    record
}

fn key(record: &[u8]) -> u64 {
    u64::from_be_bytes(record[..8].try_into().unwrap())
}

fn probe(wanted: u64) -> impl FnMut(&Store, &[u8]) -> Result<Ordering> {
    move |_, record| Ok(wanted.cmp(&key(record)))
}

impl BTree {
    fn put(&mut self, store: &mut Store, at: u64, value: u8) -> Option<u8> {
        let record = record(at, value, self.shape().record_size);
        let old = self.insert(store, &record, &mut probe(at)).unwrap();
        old.map(|old| old[8])
    }

    /// As [`put`](Self::put), after a search that may have found the place.
    fn find_and_put(
        &mut self,
        store: &mut Store,
        at: u64,
        value: u8,
        between: impl FnOnce(&mut Self, &mut Store),
    ) -> Option<u8> {
        let found = self.find(store, &mut probe(at)).unwrap();
        let gap = found.is_none().then(|| self.gap());
        between(self, store);
        let record = record(at, value, self.shape().record_size);
        let old = self.insert_in(store, gap, &record, &mut probe(at)).unwrap();
        old.map(|old| old[8])
    }

    fn cut(&mut self, store: &mut Store, at: u64) -> Option<u8> {
        let old = self.remove(store, &mut probe(at)).unwrap();
        old.map(|old| old[8])
    }

    fn content(&self, store: &Store) -> BTreeMap<u64, u8> {
        let mut content = BTreeMap::new();
        let visit = &mut |record: &[u8]| {
            content.insert(key(record), record[8]);
            Ok(())
        };
        self.for_each(store, visit).unwrap();
        content
    }

    /// Checks invariants 2, 3 and 4 and the order; `tidy`: the right edge as well.
    fn check(&self, store: &Store, tidy: bool) {
        let mut last = None;
        if let Some(root) = &self.root {
            let dirty = self.dirty;
            let mut checked = Check {
                core: &self.core,
                tidy,
                dirty: 0,
                last: &mut last,
            };
            checked.slot(store, root, self.depth, true, true, dirty);
            assert_eq!(checked.dirty, self.core.dirty, "count of changed nodes");
        } else {
            assert_eq!((self.depth, self.core.dirty), (0, 0));
        }
        assert!(self.core.freed.is_empty());
    }
}

struct Check<'a> {
    core: &'a Core,
    tidy: bool,
    dirty: usize,
    last: &'a mut Option<u64>,
}

impl Check<'_> {
    fn slot(
        &mut self,
        store: &Store,
        slot: &Slot,
        depth: u16,
        root: bool,
        edge: bool,
        dirty: bool,
    ) {
        let core = self.core;
        let level = core.geometry.level(depth).unwrap();
        let least = match (root, edge && !self.tidy) {
            (false, false) => usize::from(level.least),
            _ => 1,
        };
        assert!(
            slot.records >= least,
            "{} of {least} at depth {depth}",
            slot.records
        );
        assert!(slot.records <= usize::from(level.full));
        if let Some(node) = &slot.node {
            assert!(
                !node.dirty || dirty,
                "a changed node below an unchanged one"
            );
            self.dirty += usize::from(node.dirty);
        } else {
            assert!(slot.addr.is_some());
        }
        let size = core.record_size();
        core.with(store, slot, depth, |node| {
            assert_eq!(node.count(size), slot.records);
            let below: u64 = node.children.iter().map(|child| child.total).sum();
            assert_eq!(below + slot.records as u64, slot.total);
            assert_eq!(
                node.children.len(),
                if depth == 0 { 0 } else { slot.records + 1 }
            );
            for index in 0..=slot.records {
                if let Some(child) = node.children.get(index) {
                    let edge = edge && index == slot.records;
                    self.slot(store, child, depth - 1, false, edge, node.dirty);
                }
                if index < slot.records {
                    let now = key(node.record(index, size));
                    assert!(*self.last < Some(now));
                    *self.last = Some(now);
                }
            }
            Ok(())
        })
        .unwrap();
    }
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

/// Random edits of a tree and of a `BTreeMap`, with commits, reopening and evictions between; returns the depth.
fn compare_with_model(shape: Shape, seed: u64, steps: u64, keys: u64) -> u16 {
    let mut random = Random(seed);
    let mut store = store();
    let mut tree = BTree::new(shape);
    let mut model = BTreeMap::new();
    let mut deepest = 0;
    for step in 0..steps {
        let growing = (step / 700) % 2 == 0;
        let at = random.below(keys);
        let value = step as u8;
        match random.below(100) {
            0..=30 if growing => {
                assert_eq!(tree.put(&mut store, at, value), model.insert(at, value))
            }
            31..=63 if growing => {
                let choice = random.below(8);
                let other = random.below(keys);
                let old = tree.find_and_put(&mut store, at, value, |tree, store| match choice {
                    0 => tree.evict(),
                    1 => drop(tree.stage(store).unwrap()),
                    2 => tree.write_nodes(store).unwrap(),
                    3 => drop(tree.find(store, &mut probe(other)).unwrap()),
                    4 => assert_eq!(tree.cut(store, other), model.remove(&other)),
                    5 => assert_eq!(tree.put(store, other, 7), model.insert(other, 7)),
                    _ => {}
                });
                assert_eq!(old, model.insert(at, value));
            }
            0..=63 => assert_eq!(tree.cut(&mut store, at), model.remove(&at)),
            64..=80 => {
                let end = model.last_key_value().map_or(0, |(&last, _)| last + 1);
                assert_eq!(tree.put(&mut store, end, value), model.insert(end, value));
            }
            81..=85 => {
                let found = tree.find(&store, &mut probe(at)).unwrap();
                assert_eq!(found.map(|found| found[8]), model.get(&at).copied());
                let last = tree.last(&store).unwrap();
                assert_eq!(
                    last.map(|r| key(&r)),
                    model.last_key_value().map(|(&k, _)| k)
                );
                let first = tree.first(&store).unwrap();
                assert_eq!(
                    first.map(|r| key(&r)),
                    model.first_key_value().map(|(&k, _)| k)
                );
            }
            86 => {
                let (low, len) = (random.below(keys), random.below(keys / 3));
                let third = random.below(2) == 0;
                let doomed = |k: u64| (low..low + len).contains(&k) || (third && k % 64 == 7);
                let mut told = Vec::new();
                tree.retain(&mut store, &mut |r| !doomed(key(r)), &mut |_, r| {
                    told.push(key(r))
                })
                .unwrap();
                let gone: Vec<_> = model.keys().copied().filter(|&k| doomed(k)).collect();
                assert_eq!(told, gone);
                model.retain(|&k, _| !doomed(k));
            }
            87..=92 => tree.evict(),
            93..=96 => {
                tree.stage(&mut store).unwrap();
                tree.check(&store, true);
            }
            97 => {
                let header = tree.stage(&mut store).unwrap();
                store.commit(Level::Flush).unwrap();
                tree = BTree::open(&store, header).unwrap();
                tree.check(&store, true);
            }
            _ => assert_eq!(tree.cut(&mut store, at), model.remove(&at)),
        }
        deepest = deepest.max(tree.depth());
        tree.check(&store, false);
        assert_eq!(tree.len(), model.len() as u64);
        if step % 16 == 0 {
            assert_eq!(tree.content(&store), model);
        }
    }
    assert_eq!(tree.content(&store), model);
    deepest
}

#[test]
fn small_nodes_behave_like_an_ordered_map() {
    assert!(compare_with_model(shape(128, 9), 1, 3000, 3000) >= 3);
    assert!(compare_with_model(shape(128, 24), 2, 3000, 2000) >= 4);
    assert!(compare_with_model(shape(96, 16), 3, 3000, 600) >= 3);
}

#[test]
fn nodes_of_usual_size_behave_like_an_ordered_map() {
    assert!(compare_with_model(shape(512, 11), 4, 2000, 9000) >= 1);
    assert!(compare_with_model(shape(2048, 24), 5, 2000, 9000) >= 1);
}

#[test]
fn nodes_that_split_before_they_are_full_behave_like_an_ordered_map() {
    let shape = Shape {
        split_percent: 80,
        merge_percent: 30,
        ..shape(160, 12)
    };
    assert!(compare_with_model(shape, 6, 2500, 2000) >= 3);
}

#[test]
fn a_tree_is_tidy_when_staged_also_where_its_nodes_were_written_before() {
    for records in 1..300 {
        let mut store = store();
        let mut tree = BTree::new(shape(128, 16));
        for at in 0..records {
            tree.put(&mut store, 2 * at, 1);
        }
        tree.write_nodes(&mut store).unwrap();
        if records % 2 == 0 {
            tree.put(&mut store, records / 2, 1);
        }
        tree.stage(&mut store).unwrap();
        tree.check(&store, true);
        tree.evict();
        tree.check(&store, true);
    }
}

/// The extents of the tree at `header`, and that they do not overlap.
fn extents(store: &Store, header: Addr) -> BTreeSet<Extent> {
    let mut extents = BTreeSet::new();
    let tree = BTree::open(store, header).unwrap();
    tree.blocks(store, &mut |extent| assert!(extents.insert(extent)))
        .unwrap();
    let ordered: Vec<_> = extents.iter().collect();
    assert!(ordered.windows(2).all(|pair| pair[0].end() <= pair[1].addr));
    extents
}

#[test]
fn the_committed_tree_stays_as_it_was_until_the_next_commit() {
    let mut random = Random(9);
    let mut store = store();
    let mut tree = BTree::new(shape(128, 16));
    for at in 0..500 {
        tree.put(&mut store, at * 2, 1);
    }
    let mut header = tree.stage(&mut store).unwrap();
    for _ in 0..60 {
        store.commit(Level::Flush).unwrap();
        let committed = tree.content(&store);
        let before: Vec<_> = extents(&store, header)
            .into_iter()
            .map(|extent| (extent, store.read(extent, "block").unwrap()))
            .collect();
        for _ in 0..3 {
            for _ in 0..random.below(30) {
                let at = random.below(1000);
                match random.below(2) {
                    0 => tree.put(&mut store, at, 2),
                    _ => tree.cut(&mut store, at),
                };
            }
            tree.stage(&mut store).unwrap();
        }
        for (extent, bytes) in &before {
            assert!(store.read(*extent, "block").unwrap() == *bytes);
        }
        let old = BTree::open(&store, header).unwrap();
        assert_eq!(old.content(&store), committed);
        header = tree.stage(&mut store).unwrap();
        assert_eq!(
            BTree::open(&store, header).unwrap().content(&store),
            tree.content(&store)
        );
    }
}

#[test]
fn every_block_that_is_replaced_is_given_back() {
    let mut random = Random(3);
    let mut store = store();
    let mut tree = BTree::new(shape(128, 16));
    for round in 0..200 {
        for _ in 0..40 {
            let at = random.below(800);
            match random.below(2) {
                0 => tree.put(&mut store, at, 2),
                _ => tree.cut(&mut store, at),
            };
        }
        if round % 20 == 0 {
            let doomed = random.below(800);
            tree.retain(&mut store, &mut |r| key(r) < doomed, &mut |_, _| {})
                .unwrap();
        }
        let header = tree.stage(&mut store).unwrap();
        store.commit(Level::Flush).unwrap();
        let used: u64 = extents(&store, header)
            .iter()
            .map(|extent| extent.len)
            .sum();
        assert_eq!(
            store.end() - 512 - store.space.free_bytes(),
            used,
            "round {round}"
        );
    }
    tree.free_all(&mut store).unwrap();
    assert!(tree.is_empty() && tree.header().is_none());
    tree.stage(&mut store).unwrap();
    store.commit(Level::Flush).unwrap();
    assert_eq!(store.end() - 512 - 38, store.space.free_bytes());
}

#[test]
fn appended_records_fill_their_nodes() {
    for commit_every in [u64::MAX, 1, 7, 100] {
        let mut store = store();
        let mut tree = BTree::new(shape(512, 24));
        for at in 0..5000 {
            tree.put(&mut store, at, 0);
            if at % commit_every == commit_every - 1 {
                tree.stage(&mut store).unwrap();
                store.commit(Level::Flush).unwrap();
            }
        }
        let header = tree.stage(&mut store).unwrap();
        tree.check(&store, true);
        let leaves = 5000_usize.div_ceil(20); // 20 records fit into a leaf
        let nodes = extents(&store, header).len() - 1;
        assert!(nodes < leaves * 115 / 100, "{nodes} for {leaves} leaves");
    }
}

#[test]
fn an_empty_tree_is_a_header_without_root() {
    let mut store = store();
    let mut tree = BTree::new(shape(512, 24));
    let header = tree.stage(&mut store).unwrap();
    assert_eq!(tree.stage(&mut store).unwrap(), header, "nothing changed");
    assert_eq!(BTree::open(&store, header).unwrap().len(), 0);
    tree.put(&mut store, 1, 1);
    tree.stage(&mut store).unwrap();
    assert_eq!(tree.cut(&mut store, 1), Some(1));
    let header = tree.stage(&mut store).unwrap();
    assert_eq!(extents(&store, header).len(), 1);
    assert_eq!(
        BTree::open(&store, header).unwrap().first(&store).unwrap(),
        None
    );
}

#[test]
fn a_failing_probe_leaves_the_tree_as_it_was() {
    let mut store = store();
    let mut tree = BTree::new(shape(128, 16));
    for at in 0..300 {
        tree.put(&mut store, at, 1);
    }
    let content = tree.content(&store);
    for allowed in 0..8 {
        let mut left = allowed;
        let mut failing = |_: &Store, record: &[u8]| {
            left -= 1;
            match left < 0 {
                true => Err(Error::not_found()),
                false => Ok(150.cmp(&key(record))),
            }
        };
        let new = record(150, 2, 16);
        let inserted = tree.insert(&mut store, &new, &mut failing);
        if inserted.is_ok() {
            return;
        }
        left = allowed;
        let mut failing = |_: &Store, record: &[u8]| {
            left -= 1;
            match left < 0 {
                true => Err(Error::not_found()),
                false => Ok(150.cmp(&key(record))),
            }
        };
        assert!(tree.remove(&mut store, &mut failing).is_err());
        tree.check(&store, false);
        assert_eq!(tree.content(&store), content);
    }
}

#[test]
fn many_changes_between_commits_stay_out_of_memory() {
    let mut store = store();
    store.commit(Level::Flush).unwrap();
    let mut tree = BTree::new(shape(128, 16));
    let mut random = Random(11);
    let dirty = nodes(DIRTY_LIMIT, tree.shape());
    let loaded = nodes(LOADED_LIMIT, tree.shape());
    assert!(dirty < 2000 && loaded < 5000);
    for at in 0..60_000 {
        tree.put(&mut store, at, 1);
        assert!(tree.core.dirty <= dirty + 32 && tree.core.loaded <= 2 * loaded);
    }
    tree.stage(&mut store).unwrap();
    tree.evict();
    assert!(tree.core.loaded < 32);
    for _ in 0..60_000 {
        let at = random.below(60_000);
        assert!(tree.find(&store, &mut probe(at)).unwrap().is_some());
        assert!(tree.core.loaded <= loaded + 32);
    }
    tree.check(&store, true);
}

#[test]
fn an_append_to_a_large_tree_reads_one_node_of_each_depth() {
    let mut store = store();
    let mut tree = BTree::new(shape(512, 24));
    for at in 0..99_990 {
        tree.put(&mut store, at, 1);
    }
    let header = tree.stage(&mut store).unwrap();
    store.commit(Level::Flush).unwrap();
    let mut tree = BTree::open(&store, header).unwrap();
    assert!(tree.depth() >= 3);
    tree.put(&mut store, 99_990, 1);
    tree.stage(&mut store).unwrap();
    assert_eq!(tree.core.loaded, usize::from(tree.depth()) + 1);
}

#[test]
fn a_node_that_is_its_own_grandchild_is_an_error() {
    let mut store = store();
    let mut tree = BTree::new(shape(128, 16));
    for at in 0..200 {
        tree.put(&mut store, at, 1);
    }
    tree.stage(&mut store).unwrap();
    let root = tree.root.as_ref().unwrap().pointer().unwrap();
    let depth = tree.depth();
    let widths = store.widths();
    // The root names itself in the place of every child, with counts that fit.
    let per_child = (root.total - u64::from(root.records)) / (u64::from(root.records) + 1);
    let children = (0..=root.records).map(|_| crate::format::btree_v2::Pointer {
        total: per_child,
        ..root
    });
    let node = tree.root.as_ref().unwrap().node.as_ref().unwrap();
    let bytes = tree
        .core
        .geometry
        .encode_node(depth, &node.records, children, widths)
        .unwrap();
    store.stage(root.addr, bytes).unwrap();
    let forged = Header {
        shape: tree.shape(),
        depth,
        root: Some(crate::format::btree_v2::Pointer {
            total: per_child * (u64::from(root.records) + 1) + u64::from(root.records),
            ..root
        }),
    };
    store
        .stage(tree.header().unwrap(), forged.encode(widths))
        .unwrap();
    let mut tree = BTree::open(&store, tree.header().unwrap()).unwrap();
    assert!(tree.for_each(&store, &mut |_| Ok(())).is_err());
    assert!(tree.first(&store).is_err());
    assert!(tree.blocks(&store, &mut |_| {}).is_err());
    let forged = Header {
        root: Some(crate::format::btree_v2::Pointer {
            total: 1 << 40,
            ..root
        }),
        ..forged
    };
    store
        .stage(tree.header().unwrap(), forged.encode(widths))
        .unwrap();
    assert!(
        BTree::open(&store, tree.header().unwrap()).is_err(),
        "more records than bytes"
    );
}

#[test]
fn no_changed_byte_of_a_tree_makes_a_panic() {
    let mut store = store();
    let mut tree = BTree::new(shape(128, 16));
    for at in 0..60 {
        tree.put(&mut store, at, 1);
    }
    let header = tree.stage(&mut store).unwrap();
    for extent in extents(&store, header) {
        let good = store.read(extent, "block").unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x81;
            store.stage(extent.addr, bad).unwrap();
            if let Ok(tree) = BTree::open(&store, header) {
                let _ = tree.for_each(&store, &mut |_| Ok(()));
            }
        }
        store.stage(extent.addr, good).unwrap();
    }
}
