//! Inner loops, by criterion: `cargo bench --features internals --bench inner`, `-- lookup3` for one of them.
//!
//! Checksum and filters are reached through the feature `internals`, which is off by default: no program can come to rely
//! on them, and the API does not grow. Index and commit are measured through the narrowest public operation there is, in
//! memory: one write of a chunk of one byte, one append of a row and a flush.

mod support;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use h5quill::filters::Filter;
use h5quill::internals;
use h5quill::storage::MemoryStorage;
use h5quill::{ByteOrder, File, H5Type};
use ndarray::Array2;
use std::hint::black_box;
use support::NoHeap;

/// Bytes that look like those of detectors: noise in the low bytes of elements, little in the others.
fn elements(len: usize, size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len)
        .map(|at| match at % size {
            0 => noise(),
            1 => noise() & 3,
            _ => 0,
        })
        .collect()
}

fn lookup3(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup3");
    for len in [31, 512, 4096] {
        let bytes = elements(len, 8);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("{len} bytes"), |bencher| {
            bencher.iter(|| internals::lookup3(black_box(&bytes)));
        });
    }
}

fn filters(criterion: &mut Criterion) {
    const LEN: usize = 64 << 10;
    for (id, name) in [(2, "shuffle"), (3, "fletcher32")] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(LEN as u64));
        for size in [2, 4, 8] {
            let filter = internals::filter(id, &[size as u32]).expect("parameters that it takes");
            let plain = elements(LEN, size);
            let mut encoded = Vec::new();
            group.bench_function(format!("elements of {size} bytes"), |bencher| {
                bencher.iter(|| apply(filter.as_ref(), black_box(&plain), &mut encoded));
            });
            let input = match id {
                2 => encoded,
                _ => [plain.as_slice(), encoded.as_slice()].concat(),
            };
            let mut decoded = Vec::new();
            group.bench_function(format!("elements of {size} bytes, undone"), |bencher| {
                bencher.iter(|| {
                    decoded.clear();
                    filter.decode(black_box(&input), &mut decoded, LEN)
                });
            });
        }
    }
}

fn apply(filter: &dyn Filter, input: &[u8], output: &mut Vec<u8>) {
    output.clear();
    filter.encode(input, output).expect("input that it takes");
}

/// Numbers of the host to the other order, into memory that is there already.
fn byte_order(criterion: &mut Criterion) {
    fn one<T: H5Type>(group: &mut BenchmarkGroup<'_, WallTime>, values: &[T]) {
        let order = match cfg!(target_endian = "little") {
            true => ByteOrder::BigEndian,
            false => ByteOrder::LittleEndian,
        };
        let (stored, mut out) = (T::datatype().with_byte_order(order), Vec::new());
        let size = size_of::<T>();
        group.throughput(Throughput::Bytes(size_of_val(values) as u64));
        group.bench_function(format!("elements of {size} bytes"), |bencher| {
            bencher.iter(|| {
                out.clear();
                T::encode(black_box(values), &stored, &mut NoHeap, &mut out)
            });
        });
    }
    const LEN: u32 = 64 << 10;
    let mut group = criterion.benchmark_group("byte order");
    one(
        &mut group,
        &Vec::from_iter((0..LEN / 2).map(|at| at as u16)),
    );
    one(
        &mut group,
        &Vec::from_iter((0..LEN / 4).map(|at| at as f32)),
    );
    one(&mut group, &Vec::from_iter((0..LEN / 8).map(f64::from)));
}

/// Two unlimited axes have a version 2 B-tree. Chunks come in the order of their places, and in none.
fn btree_v2_insert(criterion: &mut Criterion) {
    const SIDE: usize = 1 << 16;
    let mut group = criterion.benchmark_group("btree_v2 insert");
    for (name, factor) in [("in order", 1), ("at random", 0x9E37_79B1_usize)] {
        group.bench_function(name, |bencher| {
            let file = File::create_memory().expect("a file");
            let builder = file.new_dataset::<u8>().shape((SIDE.., SIDE..));
            let data = builder.chunk((1, 1)).create("x").expect("a dataset");
            let (byte, mut number) = (Array2::from_elem((1, 1), 7_u8), 0_usize);
            bencher.iter(|| {
                let place = number.wrapping_mul(factor) % (SIDE * SIDE);
                number += 1;
                data.write_slice(
                    &byte,
                    (place / SIDE..=place / SIDE, place % SIDE..=place % SIDE),
                )
            });
        });
    }
}

/// A row of 64 bytes and its commit: the row, the index if it changes, one cell.
fn cell_commit(criterion: &mut Criterion) {
    criterion.bench_function("cell commit", |bencher| {
        let file = File::create_on(MemoryStorage::new()).expect("a file");
        let builder = file.new_dataset::<f64>().shape((0.., 8));
        let data = builder.chunk((1024, 8)).create("x").expect("a dataset");
        bencher.iter(|| {
            data.append(black_box(&[0.5; 8]))?;
            file.flush()
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    lookup3(&mut criterion);
    filters(&mut criterion);
    byte_order(&mut criterion);
    btree_v2_insert(&mut criterion);
    cell_commit(&mut criterion);
    criterion.final_summary();
}
