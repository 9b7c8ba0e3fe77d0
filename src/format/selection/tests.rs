//! Selections as libhdf5 serialises them (`H5Sencode`, and the mappings of virtual datasets), and broken ones.

use super::*;
use alloc::vec;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    digits
        .chunks(2)
        .map(|pair| value(pair[0]) * 16 + value(pair[1]))
        .collect()
}

fn decode(bytes: &[u8]) -> Result<StoredSelection> {
    let mut take = Take::new(bytes, "selection", 0);
    let selection = StoredSelection::take(&mut take)?;
    assert!(take.is_empty());
    Ok(selection)
}

const ALL: &str = "03000000 01000000 0000000000000000";
const NONE: &str = "00000000 01000000 0000000000000000";
const POINTS: &str = "01000000 01000000 00000000 20000000 02000000 03000000
    01000000 02000000 09000000 13000000 00000000 00000000";
const BLOCKS: &str = "02000000 01000000 00000000 28000000 02000000 02000000
    00000000 00000000 00000000 00000000 04000000 05000000 05000000 07000000";
const VERSION_2: &str = "02000000 02000000 01 44000000 02000000
    0100000000000000 0500000000000000 ffffffffffffffff 0300000000000000
    0200000000000000 0100000000000000 0100000000000000 0400000000000000";
const VERSION_3: &str = "02000000 03000000 01 02 02000000
    0000 0100 ffff 0100 0200 0100 0100 0400";

#[test]
fn selections_of_libhdf5_decode() {
    let axis = |start, stride, count, block| HyperslabAxis {
        start,
        stride,
        count,
        block: Some(block),
    };
    let cases = [
        (ALL, StoredSelection::All),
        (NONE, StoredSelection::None),
        (
            POINTS,
            StoredSelection::Points {
                rank: 2,
                coordinates: vec![1, 2, 9, 19, 0, 0],
            },
        ),
        (
            BLOCKS,
            StoredSelection::Blocks {
                rank: 2,
                corners: vec![0, 0, 0, 0, 4, 5, 5, 7],
            },
        ),
        (
            VERSION_2,
            StoredSelection::Hyperslab(vec![axis(1, 5, None, 3), axis(2, 1, Some(1), 4)]),
        ),
        (
            VERSION_3,
            StoredSelection::Hyperslab(vec![axis(0, 1, None, 1), axis(2, 1, Some(1), 4)]),
        ),
    ];
    for (hex, expected) in cases {
        let decoded = decode(&bytes(hex)).unwrap();
        assert_eq!(decoded, expected);
    }
    assert_eq!(decode(&bytes(VERSION_3)).unwrap().unlimited_axis(), Some(0));
    assert_eq!(decode(&bytes(POINTS)).unwrap().unlimited_axis(), None);
    assert_eq!(decode(&bytes(BLOCKS)).unwrap().rank(), Some(2));
}

#[test]
fn cut_and_broken_selections_are_errors() {
    for hex in [ALL, NONE, POINTS, BLOCKS, VERSION_2, VERSION_3] {
        let whole = bytes(hex);
        for len in 0..whole.len() {
            let mut take = Take::new(&whole[..len], "selection", 0);
            assert!(StoredSelection::take(&mut take).is_err(), "{hex} at {len}");
        }
    }
    let broken = |hex: &str, at: usize, value: &[u8], reason: &str| {
        let mut bytes = bytes(hex);
        bytes[at..at + value.len()].copy_from_slice(value);
        let error = StoredSelection::take(&mut Take::new(&bytes, "selection", 0)).unwrap_err();
        let text = alloc::format!("{error}");
        assert!(text.contains(reason), "{text}");
    };
    broken(ALL, 0, &[4], "unknown type");
    broken(ALL, 4, &[2], "unknown version");
    broken(POINTS, 4, &[3], "unknown version");
    broken(POINTS, 16, &[0], "rank");
    broken(POINTS, 16, &[33], "rank");
    broken(POINTS, 20, &[0xff; 4], "too early");
    broken(BLOCKS, 20, &[0xff; 4], "too early");
    broken(BLOCKS, 24, &[9], "before it starts");
    broken(VERSION_2, 8, &[3], "unknown flags");
    broken(VERSION_2, 25, &[2], "overlap");
    broken(VERSION_2, 49, &[0xff; 8], "64 bits");
    broken(VERSION_2, 65, &[0xff; 8], "overlap");
    broken(VERSION_2, 73, &[0xff; 8], "several unlimited");
    broken(VERSION_3, 9, &[3], "width");
    broken(VERSION_3, 16, &[0], "overlap");
}
