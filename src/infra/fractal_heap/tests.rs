use super::*;
use crate::storage::{MemoryStorage, Storage, StorageError};
use crate::store::Level;
use alloc::boxed::Box;
use alloc::vec;
use std::sync::{Arc, Mutex};

mod golden;

const WIDTHS: Widths = Widths::EIGHT;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn object(&mut self, max: u64) -> Vec<u8> {
        let length = 1 + self.below(max);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

fn store() -> Store {
    Store::create(Box::new(MemoryStorage::new()), Addr::new(64)).unwrap()
}

fn reopened(store: Store) -> Store {
    Store::open(store.into_storage()).unwrap()
}

fn new_heap(store: &mut Store, parameters: Parameters, order: FlipOrder) -> FractalHeap {
    let header = store.alloc_sectors(512).unwrap().addr;
    FractalHeap::new(parameters, WIDTHS, header, order)
}

fn commit(store: &mut Store, heap: &mut FractalHeap) {
    heap.stage(store).unwrap();
    store.commit(Level::Flush).unwrap();
    heap.committed();
}

fn check_objects(store: &Store, heap: &mut FractalHeap, model: &Model) {
    for (id, object) in model {
        assert_eq!(&heap.read(store, id).unwrap(), object);
    }
}

/// Recomputes the header's statistics from the tree and the objects.
fn check_statistics(store: &Store, heap: &mut FractalHeap, model: &Model) {
    let mut allocated = 0;
    let overhead = heap.header.direct_overhead(WIDTHS);
    let table = heap.header.table;
    heap.load_root(store).unwrap();
    let header = heap.header.clone();
    let view = Heap {
        header: &header,
        at: heap.at,
        widths: WIDTHS,
    };
    fn sum(node: &mut Node, store: &Store, heap: Heap<'_>, allocated: &mut u64) {
        for entry in 0..node.children.len() {
            let (row, _) = node.entry_place(heap, entry);
            if row < heap.header.table.max_direct_rows() {
                if node.children[entry].is_some() {
                    *allocated += heap.header.table.block_size(row);
                }
            } else if let Some(child) = node.child(store, heap, entry).unwrap() {
                assert!(child.children.iter().any(Option::is_some) || !child.loaded.is_empty());
                sum(child, store, heap, allocated);
            }
        }
    }
    let capacity = match &mut heap.root {
        Some(root) => {
            sum(root, store, view, &mut allocated);
            assert_eq!(header.managed_size, table.row_offset(root.rows));
            table.capacity(root.rows, overhead)
        }
        None if header.root.is_some() => {
            allocated = table.starting_block_size;
            assert_eq!(header.managed_size, allocated);
            assert_eq!(header.iterator_offset, 0);
            allocated - overhead
        }
        None => 0,
    };
    let (mut managed, mut huge, mut tiny) = ((0, 0), (0, 0), (0, 0));
    for (id, object) in model {
        let count = match HeapId::decode(id, &header, WIDTHS).unwrap() {
            HeapId::Managed { .. } => &mut managed,
            HeapId::Tiny(_) => &mut tiny,
            _ => &mut huge,
        };
        *count = (count.0 + 1, count.1 + object.len() as u64);
    }
    assert_eq!(header.managed_allocated, allocated);
    assert_eq!(header.managed_free, capacity - managed.1);
    assert_eq!(header.managed_count, managed.0);
    assert_eq!((header.huge_count, header.huge_size), huge);
    assert_eq!((header.tiny_count, header.tiny_size), tiny);
}

fn inflate(deflated: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(deflated).unwrap()
}

fn find(bytes: &[u8], signature: &[u8]) -> Vec<u64> {
    let places = 0..bytes.len() - signature.len();
    places
        .filter(|&at| bytes[at..].starts_with(signature))
        .map(|at| at as u64)
        .collect()
}

/// Random edits with commits and reopenings between them, compared with a map.
fn run_model(
    seed: u64,
    parameters: Parameters,
    order: FlipOrder,
    steps: u64,
    sizes: &[u64],
) -> Header {
    let mut numbers = Numbers(seed);
    let mut store = store();
    let mut heap = new_heap(&mut store, parameters, order);
    let at = heap.at;
    let mut model = Model::new();
    for step in 0..steps {
        match numbers.below(100) {
            0..70 => {
                let max = sizes[numbers.below(sizes.len() as u64) as usize];
                let object = numbers.object(max);
                let id = heap.insert(&mut store, &object).unwrap();
                let old = model.insert(id.to_vec(), object);
                assert!(old.is_none() || id[0] == 0x20, "an ID given twice");
                if old.is_some() {
                    heap.remove(&mut store, &id).unwrap();
                }
            }
            70..97 if !model.is_empty() => {
                let from = numbers.object(7);
                let id = model.range(from..).next().map(|(id, _)| id.clone());
                if let Some(id) = id {
                    heap.remove(&mut store, &id).unwrap();
                    model.remove(&id);
                }
            }
            97..99 => commit(&mut store, &mut heap),
            _ if step % 3 == 0 => {
                commit(&mut store, &mut heap);
                store = reopened(store);
                heap = FractalHeap::open(&store, at).unwrap();
                heap.set_header_order(order);
                check_objects(&store, &mut heap, &model);
                // What a later header is to forget, a heap removed from under an early header still counts.
                if order == FlipOrder::WithCells {
                    check_statistics(&store, &mut heap, &model);
                }
            }
            _ => {}
        }
    }
    commit(&mut store, &mut heap);
    check_objects(&store, &mut heap, &model);
    let mut extents = Vec::new();
    heap.blocks(&store, &mut |extent| extents.push(extent))
        .unwrap();
    extents.sort_unstable();
    assert!(
        extents.windows(2).all(|pair| pair[0].end() <= pair[1].addr),
        "no overlap"
    );
    let store = reopened(store);
    let mut heap = FractalHeap::open(&store, at).unwrap();
    check_objects(&store, &mut heap, &model);
    heap.header
}

#[test]
fn random_edits_agree_with_a_map() {
    for seed in 1..6 {
        for order in [FlipOrder::WithCells, FlipOrder::Early] {
            run_model(seed, Parameters::LINKS, order, 2000, &[6, 40, 300]);
            run_model(
                seed,
                Parameters::ATTRIBUTES,
                order,
                1200,
                &[50, 500, 4096, 9000],
            );
        }
    }
}

#[test]
fn heaps_of_many_rows_nest_their_indirect_blocks() {
    let header = run_model(
        77,
        Parameters::LINKS,
        FlipOrder::WithCells,
        14_000,
        &[40, 700],
    );
    assert!(header.managed_size > 1 << 20, "{header:?}");
    let mut narrow = Parameters::LINKS;
    narrow.table.max_direct_block_size = 8192;
    let header = run_model(78, narrow, FlipOrder::WithCells, 6_000, &[40, 700, 4096]);
    assert!(u32::from(header.root_rows) > header.table.max_direct_rows() + 3);
    let mut wide = narrow;
    wide.table.width = 16;
    run_model(79, wide, FlipOrder::WithCells, 3_000, &[4096]);
}

#[test]
fn sessions_that_add_one_object_fill_the_same_block() {
    let mut store = store();
    let mut heap = new_heap(&mut store, Parameters::LINKS, FlipOrder::Early);
    let at = heap.at;
    let mut model = Model::new();
    for i in 0..400u32 {
        let object = alloc::format!("object number {i}").into_bytes();
        model.insert(heap.insert(&mut store, &object).unwrap().into_vec(), object);
        commit(&mut store, &mut heap);
        store = reopened(store);
        heap = FractalHeap::open(&store, at).unwrap();
    }
    check_objects(&store, &mut heap, &model);
    check_statistics(&store, &mut heap, &model);
    assert!(heap.header.managed_allocated <= 16_384, "{:?}", heap.header);
}

#[test]
fn space_of_removed_objects_is_reused_after_the_commit_only() {
    let mut store = store();
    let mut heap = new_heap(&mut store, Parameters::LINKS, FlipOrder::WithCells);
    let first = heap.insert(&mut store, &[1; 100]).unwrap();
    heap.insert(&mut store, &[2; 100]).unwrap();
    commit(&mut store, &mut heap);
    heap.remove(&mut store, &first).unwrap();
    let other = heap.insert(&mut store, &[3; 100]).unwrap();
    assert_ne!(other, first);
    commit(&mut store, &mut heap);
    let again = heap.insert(&mut store, &[4; 100]).unwrap();
    assert_eq!(again, first);
    commit(&mut store, &mut heap);
    assert_eq!(heap.read(&store, &again).unwrap(), [4; 100]);
    assert_eq!(heap.read(&store, &other).unwrap(), [3; 100]);
}

#[test]
fn a_heap_given_back_leaves_no_space_in_use() {
    let mut store = store();
    let before = store.end();
    let mut heap = new_heap(&mut store, Parameters::ATTRIBUTES, FlipOrder::Early);
    let mut numbers = Numbers(5);
    for _ in 0..500 {
        let object = numbers.object(9000);
        heap.insert(&mut store, &object).unwrap();
    }
    heap.stage(&mut store).unwrap();
    heap.free_all(&mut store).unwrap();
    assert_eq!(heap.len(), 0);
    let rest = Extent::new(heap.at.plus(146), 512 - 146);
    store.free(rest);
    store.commit(Level::Flush).unwrap();
    assert_eq!(store.end(), before);
}

/// A device that notes every write, so that the file can be looked at after each of them.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<(Vec<u8>, Vec<Vec<u8>>)>>);

impl Storage for Recorder {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.0.lock().unwrap().0.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let offset = offset as usize;
        let bytes = &self.0.lock().unwrap().0;
        buffer.copy_from_slice(&bytes[offset..offset + buffer.len()]);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let (file, images) = &mut *self.0.lock().unwrap();
        let end = offset as usize + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(bytes);
        images.push(file.clone());
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.0.lock().unwrap().0.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        Ok(())
    }
}

#[test]
fn at_every_write_of_a_commit_the_objects_of_the_last_one_are_whole() {
    let device = Recorder::default();
    let mut store = Store::create(Box::new(device.clone()), Addr::new(64)).unwrap();
    let mut heap = new_heap(&mut store, Parameters::LINKS, FlipOrder::Early);
    let at = heap.at;
    let mut numbers = Numbers(99);
    let mut model = Model::new();
    for round in 0..30u64 {
        let before = model.clone();
        let some: Vec<Vec<u8>> = before
            .keys()
            .filter(|id| id[0] != 0x20)
            .step_by(3)
            .cloned()
            .collect();
        for id in some {
            heap.remove(&mut store, &id).unwrap();
            model.remove(&id);
        }
        for _ in 0..1 + numbers.below(30) {
            let object = numbers.object(if round % 5 == 4 { 6000 } else { 300 });
            model.insert(heap.insert(&mut store, &object).unwrap().into_vec(), object);
        }
        device.0.lock().unwrap().1.clear();
        commit(&mut store, &mut heap);
        let images = core::mem::take(&mut device.0.lock().unwrap().1);
        for image in images.into_iter().filter(|_| round > 0) {
            let store = Store::open(Box::new(MemoryStorage::from(image))).unwrap();
            let mut heap = FractalHeap::open(&store, at).unwrap();
            check_objects(&store, &mut heap, &before);
        }
        check_objects(&store, &mut heap, &model);
    }
}

#[test]
fn ids_that_name_nothing_are_errors() {
    let mut store = store();
    let mut heap = new_heap(&mut store, Parameters::LINKS, FlipOrder::Early);
    for i in 0..200u8 {
        heap.insert(&mut store, &[i; 50]).unwrap();
    }
    heap.stage(&mut store).unwrap();
    let mut numbers = Numbers(3);
    let names = |offset: u64, length: u64| HeapId::Managed { offset, length };
    let last = heap.header.managed_size;
    for id in [
        names(0, 10),
        names(16, 10),
        names(17, 0),
        names(500, 50),
        names(last, 1),
        names(last - 8, 8),
    ] {
        let id = id.encode(&heap.header, WIDTHS);
        assert!(heap.read(&store, &id).is_err(), "{id:?}");
        assert!(heap.remove(&mut store, &id).is_err(), "{id:?}");
    }
    for _ in 0..2000 {
        let mut id = numbers.object(9);
        id.resize(7, 0);
        let _ = heap.read(&store, &id);
    }
    assert!(heap.insert(&mut store, b"").is_err());
}

#[test]
fn objects_may_grow_into_the_stamp_between_two_stagings_of_one_commit() {
    for length in [7, 8, 9, 10, 11, 12, 13, 20, 31] {
        let mut store = store();
        let mut heap = new_heap(&mut store, Parameters::LINKS, FlipOrder::Early);
        let mut model = Model::new();
        let first = [1; 60];
        model.insert(
            heap.insert(&mut store, &first).unwrap().into_vec(),
            first.to_vec(),
        );
        commit(&mut store, &mut heap);
        for i in 0..60u8 {
            let object = vec![i; length];
            model.insert(heap.insert(&mut store, &object).unwrap().into_vec(), object);
            heap.stage(&mut store).unwrap();
            check_objects(&store, &mut heap, &model);
        }
        store.commit(Level::Flush).unwrap();
        let store = reopened(store);
        let mut heap = FractalHeap::open(&store, heap.at).unwrap();
        check_objects(&store, &mut heap, &model);
    }
}
