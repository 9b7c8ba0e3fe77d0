//! Indexes against a map, through everything that can happen to them.

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Insert([u64; 2], u64, u32),
    Find([u64; 2]),
    Stage,
    Commit,
    Reopen,
    Evict,
    Shrink([u64; 2]),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = [0..40_u64, 0..60_u64];
    let step = prop_oneof![
        20 => (at.clone(), 1..2000_u64, 0..4_u32).prop_map(|(at, len, mask)| Step::Insert(at, len, mask)),
        4 => at.prop_map(Step::Find),
        2 => Just(Step::Stage),
        1 => Just(Step::Commit),
        1 => Just(Step::Reopen),
        1 => Just(Step::Evict),
        1 => [0..41_u64, 0..61_u64].prop_map(Step::Shrink),
    ];
    prop::collection::vec(step, 0..120)
}

fn run(shape: &IndexShape, steps: Vec<Step>) {
    run_on(new_store(), choose(shape), shape, steps);
}

fn run_on(mut store: Store, mut index: Box<dyn ChunkIndex>, shape: &IndexShape, steps: Vec<Step>) {
    let mut model: BTreeMap<Vec<u64>, ChunkRecord> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Insert(at, len, mask) => {
                let new = match shape.filtered {
                    true => record(&mut store, len, mask),
                    false => record(&mut store, shape.chunk_bytes, 0),
                };
                let old = index.insert(&mut store, &at, new).unwrap();
                assert_eq!(old, model.insert(at.to_vec(), new));
                if let Some(old) = old {
                    store.free(old.extent);
                }
            }
            Step::Find(at) => {
                let expected = model.get(&at[..]).copied();
                assert_eq!(index.find(&store, &at).unwrap(), expected);
            }
            Step::Stage => {
                layout(&mut *index, &mut store);
                let blocks = blocks(&mut *index, &store);
                for chunk in model.values().map(|record| record.extent) {
                    assert!(
                        blocks
                            .iter()
                            .all(|b| b.end() <= chunk.addr || chunk.end() <= b.addr)
                    );
                }
            }
            Step::Commit => {
                layout(&mut *index, &mut store);
                store.commit(Level::Flush).unwrap();
            }
            Step::Reopen => {
                let layout = layout(&mut *index, &mut store);
                index = open(&store, &layout, shape, 0, 4).unwrap();
            }
            Step::Evict => index.evict(),
            Step::Shrink(counts) => {
                let mut removed = Vec::new();
                index
                    .shrink(&mut store, &counts, &mut |store, record| {
                        store.free(record.extent);
                        removed.push(record);
                    })
                    .unwrap();
                let inside = |at: &Vec<u64>| at.iter().zip(&counts).all(|(at, count)| at < count);
                let expected: Vec<_> = model
                    .iter()
                    .filter(|(at, _)| !inside(at))
                    .map(|(_, record)| *record)
                    .collect();
                removed.sort_by_key(|record| record.extent);
                let mut sorted = expected;
                sorted.sort_by_key(|record| record.extent);
                assert_eq!(removed, sorted);
                model.retain(|at, _| inside(at));
            }
        }
    }
    assert_eq!(content(&mut *index, &store), model);
    let layout = layout(&mut *index, &mut store);
    let mut again = open(&store, &layout, shape, 0, 4).unwrap();
    assert_eq!(content(&mut *again, &store), model);
    again.free_all(&mut store).unwrap();
    assert_eq!(content(&mut *again, &store), BTreeMap::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_fixed_array_is_a_map(steps in steps(), filtered: bool) {
        let mut shape = bounded(&[80, 300], &[2, 5]);
        shape.filtered = filtered;
        run(&shape, steps);
    }

    #[test]
    fn a_version_1_tree_is_a_map(steps in steps(), filtered: bool, k in 1..5_u16) {
        let mut shape = shape(&[80, 300], &[None, Some(300)], &[2, 5]);
        shape.filtered = filtered;
        let mut store = new_store();
        store.node_sizes.chunk = k;
        let index = choose_v18(&store, &shape).unwrap();
        run_on(store, index, &shape, steps);
    }

    #[test]
    fn a_tree_is_a_map(steps in steps(), filtered: bool) {
        let mut shape = shape(&[80, 300], &[None, Some(300)], &[2, 5]);
        shape.filtered = filtered;
        run(&shape, steps);
    }
}

#[test]
fn a_version_1_tree_of_many_nodes_is_a_map() {
    let (shape, steps) = many();
    for k in [2, 32] {
        let mut store = new_store();
        store.node_sizes.chunk = k;
        let index = choose_v18(&store, &shape).unwrap();
        run_on(store, index, &shape, steps.clone());
    }
}

#[test]
fn a_tree_of_many_nodes_is_a_map() {
    let (shape, steps) = many();
    run(&shape, steps);
}

fn many() -> (IndexShape, Vec<Step>) {
    let mut shape = shape(&[80, 300], &[None, None], &[2, 5]);
    shape.filtered = true;
    let mut steps: Vec<Step> = (0..2400)
        .map(|i| Step::Insert([i * 7 % 40, i * 11 % 60], 1 + i, 0))
        .collect();
    steps.extend([Step::Commit, Step::Shrink([31, 60]), Step::Reopen]);
    steps.extend([Step::Shrink([31, 7]), Step::Stage, Step::Evict]);
    (shape, steps)
}
