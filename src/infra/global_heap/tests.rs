use super::*;
use crate::storage::MemoryStorage;
use crate::store::Level;
use alloc::boxed::Box;
use alloc::vec;

fn store() -> Store {
    Store::create(Box::new(MemoryStorage::new()), Addr::new(64)).unwrap()
}

fn reopened(store: Store) -> Store {
    Store::open(store.into_storage()).unwrap()
}

fn text(i: u64) -> Vec<u8> {
    let length = 1 + (i * 7919) % 97;
    (0..length).map(|k| (i * 31 + k) as u8).collect()
}

#[test]
fn what_is_inserted_is_read_before_and_after_the_commit() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let refs: Vec<HeapRef> = (0..20_000)
        .map(|i| heap.insert(&mut store, &text(i)).unwrap())
        .collect();
    let check = |heap: &mut GlobalHeap, store: &Store| {
        for (i, at) in refs.iter().enumerate() {
            assert_eq!(heap.read(store, *at).unwrap(), text(i as u64));
        }
    };
    check(&mut heap, &store);
    heap.seal(&mut store).unwrap();
    check(&mut heap, &store);
    store.commit(Level::Flush).unwrap();
    let store = reopened(store);
    check(&mut GlobalHeap::new(), &store);
}

#[test]
fn collections_grow_within_a_commit_and_are_trimmed() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let mut addrs: Vec<Addr> = (0..50_000)
        .map(|i| heap.insert(&mut store, &text(i)).unwrap().addr)
        .collect();
    heap.seal(&mut store).unwrap();
    addrs.dedup();
    let sizes: Vec<u64> = addrs
        .iter()
        .map(|addr| GlobalHeap::extent(&store, *addr).unwrap().len)
        .collect();
    let used: u64 = (0..50_000)
        .map(|i| object_size(text(i).len() as u64, Widths::EIGHT))
        .sum();
    // Six while they grow, and the last.
    assert!(sizes.len() as u64 <= 7 + used / MAX_GROWTH, "{sizes:?}");
    assert!(sizes[0] <= 4096 && *sizes.iter().max().unwrap() > MAX_GROWTH - 256);
    store.commit(Level::Flush).unwrap();
    assert!(
        store.end() - 512 <= used + 256 * sizes.len() as u64,
        "the rest was given back"
    );
}

#[test]
fn a_small_commit_costs_one_collection_of_the_smallest_size() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let at = heap.insert(&mut store, b"one").unwrap();
    heap.seal(&mut store).unwrap();
    assert_eq!(GlobalHeap::extent(&store, at.addr).unwrap().len, 4096);
    let next = heap.insert(&mut store, b"two").unwrap();
    assert_ne!(next.addr, at.addr, "a sealed collection is not changed");
}

#[test]
fn every_rest_is_empty_or_a_free_space_with_a_header() {
    for length in 4000..4100 {
        let (mut store, mut heap) = (store(), GlobalHeap::new());
        let at = heap.insert(&mut store, &vec![7; length]).unwrap();
        heap.insert(&mut store, b"x").unwrap();
        heap.seal(&mut store).unwrap();
        let extent = GlobalHeap::extent(&store, at.addr).unwrap();
        let bytes = store.read(extent, NAME).unwrap();
        let objects = format::decode(&bytes, Widths::EIGHT, 0).unwrap();
        let end = objects
            .iter()
            .map(|o| o.offset + o.length.next_multiple_of(8))
            .max()
            .unwrap();
        let rest = extent.len - end;
        assert!(rest == 0 || rest >= 16, "{rest}");
        assert_eq!(extent.len % 8, 0);
    }
}

#[test]
fn a_large_object_stands_alone_and_leaves_the_open_collection_open() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let small = heap.insert(&mut store, b"small").unwrap();
    let large = vec![5; 3 << 20];
    let at = heap.insert(&mut store, &large).unwrap();
    let again = heap.insert(&mut store, b"again").unwrap();
    assert_eq!(small.addr, again.addr);
    assert_eq!(heap.read(&store, at).unwrap(), large);
}

#[test]
fn no_more_than_65535_objects_share_a_collection() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    heap.reserve(&store, 70_000, 70_000);
    let mut last = heap.insert(&mut store, b"x").unwrap();
    for _ in 0..70_000 {
        last = heap.insert(&mut store, b"x").unwrap();
        assert!(last.index >= 1 && last.index <= 65535);
    }
    assert_eq!(heap.read(&store, last).unwrap(), b"x");
}

#[test]
fn a_collection_without_live_objects_is_given_back() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let refs: Vec<HeapRef> = (0..10)
        .map(|i| heap.insert(&mut store, &text(i)).unwrap())
        .collect();
    heap.seal(&mut store).unwrap();
    store.commit(Level::Flush).unwrap();
    for at in &refs {
        heap.release(&mut store, *at).unwrap();
        heap.release(&mut store, *at).unwrap();
    }
    let other = heap.insert(&mut store, b"other").unwrap();
    assert_ne!(other.addr, refs[0].addr, "not before the commit");
    heap.seal(&mut store).unwrap();
    store.commit(Level::Flush).unwrap();
    let reused = heap.insert(&mut store, b"reused").unwrap();
    assert_eq!(reused.addr, refs[0].addr);
    assert_eq!(
        heap.read(&store, reused).unwrap(),
        b"reused",
        "not from the cache"
    );
}

#[test]
fn objects_released_before_the_commit_leave_nothing() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let end = store.end();
    let refs: Vec<HeapRef> = (0..10)
        .map(|i| heap.insert(&mut store, &text(i)).unwrap())
        .collect();
    for at in &refs {
        heap.release(&mut store, *at).unwrap();
    }
    heap.seal(&mut store).unwrap();
    assert_eq!(store.alloc(4096).unwrap().addr.get(), end);
}

#[test]
fn references_to_nothing_are_errors() {
    let (mut store, mut heap) = (store(), GlobalHeap::new());
    let at = heap.insert(&mut store, b"x").unwrap();
    for index in [0, 2, 65_536, u32::MAX] {
        assert!(heap.read(&store, HeapRef { index, ..at }).is_err());
    }
    heap.seal(&mut store).unwrap();
    for addr in [0, 8, u64::MAX - 1, at.addr.get() + 8] {
        let at = HeapRef {
            addr: Addr::new(addr),
            index: 1,
        };
        assert!(heap.read(&store, at).is_err());
    }
    assert!(heap.insert(&mut store, b"").is_err());
}
