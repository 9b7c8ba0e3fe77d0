//! Deflate codecs, one thread, level by level, on chunks in memory: `cargo run --release` in this folder. Prints Markdown.
//! A part of a set's name as the argument runs that one only, and `inflate` behind it leaves the encoders out.
//!
//! The clock is that of the thread, and the best of several rounds counts, so that a busy machine disturbs little.

extern crate alloc;

mod data;
mod own;
mod stock;

use data::Set;
use std::hint::black_box;

fn seconds() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call fills the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// MB/s of `work` on `bytes` bytes.
fn speed(bytes: usize, mut work: impl FnMut()) -> f64 {
    let (mut best, mut total, mut rounds) = (f64::MAX, 0.0, 0);
    while rounds < 3 || (total < 0.2 && rounds < 40) {
        let start = seconds();
        work();
        let taken = seconds() - start;
        (best, total, rounds) = (best.min(taken), total + taken, rounds + 1);
    }
    bytes as f64 / best / 1e6
}

type Encode = Box<dyn FnMut(&[u8], &mut Vec<u8>)>;

fn zlib_rs(level: u8) -> Encode {
    let mut deflate = zlib_rs::Deflate::new(level.into(), true, 15);
    Box::new(move |input, output| {
        deflate.reset();
        output.resize(input.len() * 9 / 8 + 1024, 0);
        let status = deflate
            .compress(input, output, zlib_rs::DeflateFlush::Finish)
            .unwrap();
        assert_eq!(status, zlib_rs::Status::StreamEnd);
        output.truncate(deflate.total_out() as usize);
    })
}

fn own(level: u8) -> Encode {
    let mut encoder = own::Encoder::new(level);
    Box::new(move |input, output| encoder.encode(input, output))
}

fn miniz(level: u8) -> Encode {
    Box::new(move |input, output| {
        *output = miniz_oxide::deflate::compress_to_vec_zlib(input, level)
    })
}

fn encoding(set: &Set, encode: &mut Encode) -> String {
    let len: usize = set.chunks.iter().map(Vec::len).sum();
    let (mut output, mut size) = (Vec::new(), 0);
    for chunk in &set.chunks {
        output.clear();
        encode(chunk, &mut output);
        assert!(stock::inflate(&output, chunk.len()) == *chunk);
        size += output.len();
    }
    let speed = speed(len, || {
        for chunk in &set.chunks {
            output.clear();
            encode(chunk, &mut output);
            black_box(&output);
        }
    });
    format!("{speed:.0} / {:.4}", size as f64 / len as f64)
}

fn decoding(set: &Set, encode: &mut Encode) -> String {
    let stored: Vec<Vec<u8>> = set
        .chunks
        .iter()
        .map(|chunk| {
            let mut output = Vec::new();
            encode(chunk, &mut output);
            output
        })
        .collect();
    let len: usize = set.chunks.iter().map(Vec::len).sum();
    let run = |decode: &mut dyn FnMut(&[u8], usize) -> Vec<u8>| {
        let speed = speed(len, || {
            for (stored, chunk) in stored.iter().zip(&set.chunks) {
                assert_eq!(black_box(decode(stored, chunk.len())).len(), chunk.len());
            }
        });
        format!("{speed:.0}")
    };
    let mut zlib_rs = flate2::Decompress::new(true);
    let speeds = [
        run(&mut stock::inflate),
        run(&mut |stored, len| {
            zlib_rs.reset(true);
            let mut output = Vec::with_capacity(len + 1);
            zlib_rs
                .decompress_vec(stored, &mut output, flate2::FlushDecompress::Finish)
                .unwrap();
            output
        }),
        run(&mut |stored, len| {
            miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(stored, len).unwrap()
        }),
        run(&mut |stored, len| {
            fdeflate::decompress_to_vec_bounded(stored, len)
                .ok()
                .unwrap()
        }),
        run(&mut |stored, len| {
            let options = zune_inflate::DeflateOptions::default()
                .set_size_hint(len)
                .set_limit(len);
            zune_inflate::DeflateDecoder::new_with_options(stored, options)
                .decode_zlib()
                .unwrap()
        }),
    ];
    speeds.join(" | ")
}

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let sets: Vec<Set> = data::sets()
        .into_iter()
        .filter(|set| set.name.contains(&wanted))
        .collect();
    let encoders = std::env::args().nth(2).is_none();
    println!("MB/s of input / size of the output to that of the input\n");
    for set in sets.iter().filter(|_| encoders) {
        println!(
            "| {} | zlib (C) | zlib-rs | miniz_oxide | h5quill |\n|---|---|---|---|---|",
            set.name
        );
        for level in 1..=9 {
            let makers = [stock::deflate, zlib_rs, miniz, own];
            let cells = makers.map(|make| encoding(set, &mut make(level)));
            println!("| {level} | {} |", cells.join(" | "));
        }
        let mut fdeflate: Encode =
            Box::new(|input, output| *output = fdeflate::compress_to_vec(input));
        println!("| fdeflate | {} | | | |\n", encoding(set, &mut fdeflate));
    }
    println!("Inflating, MB/s of output\n");
    println!(
        "| | zlib (C) | zlib-rs | miniz_oxide | fdeflate | zune-inflate |\n|---|---|---|---|---|---|"
    );
    for set in &sets {
        for (whose, mut encode) in [("zlib", stock::deflate(4)), ("h5quill", own(4))] {
            let speeds = decoding(set, &mut encode);
            println!("| {}, level 4 of {whose} | {speeds} |", set.name);
        }
    }
}
