use super::*;
use crate::error::ErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;

/// The stream of `input` at `level`, which both decoders must turn into `input` again.
fn encode(level: u8, input: &[u8]) -> Vec<u8> {
    let filter = Deflate::new(&[level.into()]).unwrap();
    let stream = stream(&filter, input);
    assert!(stream.len() <= filter.encoded_limit(input.len()));
    check(&stream, input, level);
    // What an encoder did before does not show.
    let other: Vec<u8> = input.iter().rev().map(|byte| byte ^ 0x55).collect();
    self::stream(&filter, &[&other, input].concat());
    assert_eq!(self::stream(&filter, input), stream, "level {level}");
    stream
}

fn stream(filter: &Deflate, input: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let outcome = filter.encode(input, &mut stream).unwrap();
    assert_eq!(outcome, Outcome::Written);
    stream
}

/// What the two decoders make of `stream`.
fn decoded(stream: &[u8], limit: usize) -> [Result<Vec<u8>>; 2] {
    let (mut by_zlib_rs, mut by_miniz) = (Vec::new(), Vec::new());
    let results = [
        inflate::zlib::Decoder::new().decode(stream, &mut by_zlib_rs, limit),
        inflate::portable::Decoder.decode(stream, &mut by_miniz, limit),
    ];
    let [a, b] = results;
    let mut exact = std::vec![0xA5; limit];
    if inflate::zlib::Decoder::new().decode_into(stream, &mut exact) {
        assert!(a.is_ok() && exact == by_zlib_rs);
    } else {
        assert!(a.is_err() || by_zlib_rs.len() != limit);
    }
    [a.map(|()| by_zlib_rs), b.map(|()| by_miniz)]
}

fn check(stream: &[u8], input: &[u8], level: u8) {
    let header = u16::from_be_bytes([stream[0], stream[1]]);
    assert_eq!(header % 31, 0);
    for back in decoded(stream, input.len()) {
        assert!(
            back.unwrap() == input,
            "level {level}, {} bytes",
            input.len()
        );
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn both_decoders_read_streams_of_zlib_and_refuse_broken_ones() {
    let stream = include_bytes!("../../../tests/golden/filters/deflate.bin");
    let values = include_bytes!("../../../tests/golden/filters/values_i4.bin");
    for back in decoded(stream, values.len()) {
        assert_eq!(back.unwrap(), values);
    }
    let mut wrong_sum = stream.to_vec();
    wrong_sum[stream.len() - 1] ^= 1;
    let broken = [
        (&stream[..], values.len() - 1),
        (&stream[..stream.len() - 1], values.len()),
        (&stream[..stream.len() - 4], values.len()),
        (&wrong_sum, values.len()),
    ];
    for result in broken
        .iter()
        .flat_map(|(stream, limit)| decoded(stream, *limit))
    {
        assert!(matches!(
            result.unwrap_err().kind(),
            ErrorKind::Corrupt { .. }
        ));
    }
}

#[test]
fn short_inputs_and_those_around_64_kib_come_back_at_every_level() {
    let noise = Random(1).bytes(3 << 16);
    for level in 0..=9 {
        let lens = (0..40).chain([255, 8191, 8192, 8193, 65534, 65535, 65536, 131_070, 131_071]);
        for len in lens {
            encode(level, &noise[..len]);
            encode(level, &vec![7; len]);
        }
    }
    assert_eq!(encode(6, &[]).len(), 8);
    assert_eq!(encode(6, b"a").len(), 9);
}

#[test]
fn noise_is_stored_with_five_bytes_a_block() {
    let noise = Random(2).bytes(1 << 20);
    for level in 0..=9 {
        let blocks = noise.len().div_ceil(65535) + 1;
        assert!(
            encode(level, &noise).len() <= noise.len() + 5 * blocks + 6,
            "level {level}"
        );
    }
}

#[test]
fn matches_of_every_length_come_back() {
    let mut random = Random(3);
    for level in [1, 4, 6, 9] {
        let mut input = Vec::new();
        for len in 3..=600 {
            let bytes = random.bytes(len);
            input.extend(&bytes);
            input.extend(random.bytes(3));
            input.extend(&bytes);
        }
        let stream = encode(level, &input);
        assert!(stream.len() < input.len() * 3 / 5, "level {level}");
    }
}

#[test]
fn matches_of_every_distance_come_back() {
    let mut random = Random(4);
    let word = random.bytes(24);
    let distances = (24..600)
        .chain((600..32_700).step_by(97))
        .chain(32_700..32_800);
    let mut input = Vec::new();
    for distance in distances {
        input.extend(&word);
        input.extend(random.bytes(distance - word.len()));
        input.extend(&word);
    }
    for level in [1, 6, 9] {
        encode(level, &input);
    }
    // Short periods.
    for period in 1..300 {
        let input: Vec<u8> = word
            .iter()
            .chain(&input)
            .copied()
            .take(period)
            .cycle()
            .take(3000)
            .collect();
        assert!(encode(4, &input).len() < period + 100, "period {period}");
    }
}

#[test]
fn a_match_reaches_back_32_kib_and_no_further() {
    let mut random = Random(5);
    let word = random.bytes(200);
    let sizes = [32_768, 32_769].map(|distance| {
        let mut input = word.clone();
        input.extend(random.bytes(distance - word.len()));
        input.extend(&word);
        encode(6, &input).len() - distance
    });
    assert!(sizes[0] + 150 < sizes[1], "{sizes:?}");
}

#[test]
fn codes_that_would_be_too_long_are_bounded() {
    // Counts as the numbers of Fibonacci give the deepest trees.
    let mut counts = [0_u32; 288];
    let (mut a, mut b) = (1, 1);
    for count in &mut counts[..40] {
        (*count, a, b) = (a, b, a + b);
    }
    for limit in [7, 9, 14, 15] {
        let lengths = huffman::lengths(&counts, limit);
        assert!(lengths.iter().all(|len| usize::from(*len) <= limit));
        let kraft: u32 = lengths
            .iter()
            .filter(|len| **len > 0)
            .map(|len| 1 << (limit - usize::from(*len)))
            .sum();
        assert_eq!(kraft, 1 << limit, "a complete code of at most {limit} bits");
        assert!(lengths[..40].is_sorted_by(|a, b| a >= b));
    }
    // The same in a stream: literals first, matches too rare to matter.
    let mut input = Vec::new();
    for (byte, count) in counts[..24].iter().enumerate() {
        input.extend(core::iter::repeat_n(byte as u8, *count as usize));
    }
    let mut random = Random(6);
    for i in (1..input.len()).rev() {
        input.swap(i, (random.next() % (i as u64 + 1)) as usize);
    }
    for level in 1..=9 {
        encode(level, &input);
    }
}

#[test]
fn codes_of_few_symbols_are_complete() {
    for used in 0..4 {
        let mut counts = [0_u32; 30];
        counts[10..10 + used].fill(5);
        let lengths = huffman::lengths(&counts, 15);
        let codes = lengths.iter().filter(|len| **len > 0).count();
        assert_eq!(codes, used.max(2));
        let kraft: u32 = lengths
            .iter()
            .filter(|len| **len > 0)
            .map(|len| 1 << (15 - len))
            .sum();
        assert_eq!(kraft, 1 << 15);
    }
}

#[test]
fn lengths_and_distances_have_the_symbols_of_the_specification() {
    use symbols::*;
    let ends = [
        (3, 0),
        (10, 7),
        (11, 8),
        (12, 8),
        (13, 9),
        (114, 22),
        (115, 23),
        (227, 27),
        (257, 27),
        (258, 28),
    ];
    for (len, slot) in ends {
        assert_eq!(length_slot(len), slot, "length {len}");
    }
    for distance in 1..=WINDOW {
        let slot = distance_slot(distance);
        let base = distance_base(slot);
        assert!(
            (base..base + (1 << distance_extra(slot))).contains(&distance),
            "distance {distance}"
        );
    }
    assert_eq!(distance_slot(WINDOW), DISTANCES - 1);
}

#[test]
fn the_checksum_is_that_of_zlib() {
    let mut random = Random(7);
    let mut bytes = random.bytes(200_000);
    bytes.extend(vec![255; 200_000]);
    for len in (0..70).chain([5552, 79_999, 80_000, 80_016, 200_000, 400_000]) {
        for bytes in [&bytes[..len], &bytes[bytes.len() - len..]] {
            assert_eq!(
                adler32::checksum(bytes),
                zlib_checksum(bytes),
                "{len} bytes"
            );
        }
    }
}

/// The checksum, one byte after the other.
fn zlib_checksum(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

/// Shuffled planes, runs, words and noise, one after the other.
fn mixture(seed: u64, len: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let part = (random.next() % 20_000) as usize;
        match random.next() % 6 {
            0 => bytes.extend(core::iter::repeat_n(random.next() as u8, part)),
            1 => bytes.extend(random.bytes(part)),
            2 => {
                let bits = random.next() % 8;
                bytes.extend((0..part).map(|_| (random.next() % (1 << bits)) as u8));
            }
            3 => bytes
                .extend((0..part).map(|_| (random.next() % 4 * (random.next() % 64) / 63) as u8)),
            4 => {
                let word = random.bytes(1 + part % 300);
                bytes.extend(word.iter().cycle().take(part));
            }
            _ => {
                let from = random.next() as usize % (bytes.len() + 1);
                let end = bytes.len().min(from + part);
                bytes.extend_from_within(from..end);
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
            }
        }
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn mixtures_come_back_at_every_level() {
    for seed in 0..8 {
        for level in 0..=9 {
            encode(level, &mixture(seed, 300_000 + seed as usize));
        }
    }
}

#[test]
fn a_higher_level_is_not_longer() {
    let text = include_bytes!("tests.rs").to_vec();
    // A few bytes are chance. A mixture has no typical data, and may be a little longer.
    for (input, more) in [(text, 8), (mixture(100, 400_000), 1000)] {
        let size = |level| {
            let mut stream = Vec::new();
            encoder::Encoder::new(level).encode(&input, &mut stream);
            check(&stream, &input, level);
            stream.len()
        };
        let sizes: Vec<usize> = (1..=9).map(size).collect();
        assert!(sizes.is_sorted_by(|a, b| *b <= a + more), "{sizes:?}");
    }
}

#[test]
#[cfg(feature = "std")]
fn text_is_for_zlib_and_planes_of_noise_and_runs_are_ours() {
    let ours = |level, input: &[u8]| {
        let mut stream = Vec::new();
        encoder::Encoder::new(level).encode(input, &mut stream);
        stream
    };
    let text = include_bytes!("tests.rs");
    let mut planes = Random(8).bytes(1 << 15);
    planes.extend([3; 1 << 15]);
    for level in 1..=9 {
        assert!(encode(level, text) != ours(level, text), "level {level}");
        assert!(encode(level, &text[..8000]) == ours(level, &text[..8000]));
        assert!(encode(level, &planes) == ours(level, &planes));
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(input in vec(any::<u8>(), 0..2000), level in 0_u8..10) {
        encode(level, &input);
    }

    #[test]
    fn few_kinds_of_bytes_come_back(input in vec(0_u8..3, 0..5000), level in 0_u8..10) {
        encode(level, &input);
    }

    #[test]
    fn hostile_streams_are_errors_or_within_the_limit(
        input in vec(0_u8..9, 0..500),
        level in 0_u8..10,
        at: prop::sample::Index,
        bit in 0_u8..8,
        limit in 0_usize..600,
    ) {
        let filter = Deflate::new(&[level.into()]).unwrap();
        let mut stream = stream(&filter, &input);
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        for result in decoded(&stream, limit) {
            match result {
                Ok(output) => prop_assert!(output.len() <= limit),
                Err(error) => prop_assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }), "{error}"),
            }
        }
    }
}
