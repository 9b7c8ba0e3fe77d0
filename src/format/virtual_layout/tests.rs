//! Blocks as libhdf5 2.0 writes them (h5py's `VirtualLayout`), and broken ones.

use super::*;
use crate::bytes::lookup3;
use crate::format::selection::HyperslabAxis;
use alloc::vec;

/// One row from a dataset of another file, unlimited: file version bound `v110`.
const VERSION_0: &str = "00 0100000000000000 732e683500 2f6400
    02000000 03000000 01 02 02000000 0000 0100 ffff 0100 0000 0100 0100 0400
    02000000 03000000 01 02 02000000 0000 0100 ffff 0100 0200 0100 0100 0400 3b6dbe42";

/// Rows of `a` and `b` of the same file, and twice of `a` of another one.
const VERSION_1: &str = "01 0400000000000000
    04 6100 03000000 01000000 0000000000000000
    02000000 03000000 01 02 02000000 0000 0100 0100 0100 0000 0100 0100 0600
    04 6200 03000000 01000000 0000000000000000
    02000000 03000000 01 02 02000000 0100 0100 0100 0100 0000 0100 0100 0600
    00 6c6f6e675f6f746865725f66696c655f6e616d652e683500 6100 03000000 01000000 0000000000000000
    02000000 03000000 01 02 02000000 0200 0100 0100 0100 0000 0100 0100 0600
    01 0200000000000000 6100 03000000 01000000 0000000000000000
    02000000 03000000 01 02 02000000 0300 0100 0100 0100 0000 0100 0100 0600 cd3a7d46";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let value = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| value(pair[0]) * 16 + value(pair[1]))
        .collect()
}

/// With a checksum that is right.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 4;
    let checksum = lookup3(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<VirtualLayout> {
    VirtualLayout::decode(bytes, Widths::EIGHT, 0)
}

fn row(start: u64, count: Option<u64>, column: u64, columns: u64) -> StoredSelection {
    let axis = |start, count, block| HyperslabAxis {
        start,
        stride: 1,
        count,
        block: Some(block),
    };
    StoredSelection::Hyperslab(vec![axis(start, count, 1), axis(column, Some(1), columns)])
}

#[test]
fn blocks_of_libhdf5_decode() {
    let layout = decode(&bytes(VERSION_0)).unwrap();
    let [mapping] = &layout.mappings[..] else {
        panic!("one mapping");
    };
    assert_eq!(layout.names[mapping.file].name(0), "s.h5");
    assert_eq!(layout.names[mapping.dataset].name(0), "/d");
    assert_eq!(mapping.source, row(0, None, 0, 4));
    assert_eq!(mapping.target, row(0, None, 2, 4));

    let layout = decode(&bytes(VERSION_1)).unwrap();
    let name = |name: usize| layout.names[name].name(7);
    let mappings = layout.mappings.iter();
    let sources: Vec<(String, String)> = mappings
        .map(|mapping| (name(mapping.file), name(mapping.dataset)))
        .collect();
    let other = "long_other_file_name.h5";
    let expected = [(".", "a"), (".", "b"), (other, "a"), (other, "a")];
    assert_eq!(
        sources,
        expected.map(|(a, b)| (a.to_string(), b.to_string()))
    );
    for (number, mapping) in layout.mappings.iter().enumerate() {
        assert_eq!(mapping.source, StoredSelection::All);
        assert_eq!(mapping.target, row(number as u64, Some(1), 0, 6));
    }
}

#[test]
fn a_block_of_libhdf5_encodes_to_the_same_bytes() {
    let golden = include_bytes!("../../../tests/golden/outside/virtual.bin");
    let layout = decode(golden).unwrap();
    assert_eq!(layout.mappings.len(), 8);
    assert_eq!(layout.encode(Widths::EIGHT).unwrap(), golden);
    // What another version or form says is the same thing.
    for hex in [VERSION_0, VERSION_1] {
        let layout = decode(&bytes(hex)).unwrap();
        let again = decode(&layout.encode(Widths::EIGHT).unwrap()).unwrap();
        let said = |layout: &VirtualLayout| -> Vec<(String, String, StoredSelection)> {
            let mappings = layout.mappings.iter();
            mappings
                .map(|mapping| {
                    let name = |number: usize| layout.names[number].stored();
                    (
                        name(mapping.file),
                        name(mapping.dataset),
                        mapping.source.clone(),
                    )
                })
                .collect()
        };
        assert_eq!(said(&again), said(&layout));
    }
    let mut points = layout;
    points.mappings[0].source = StoredSelection::Points {
        rank: 1,
        coordinates: vec![0],
    };
    assert!(points.encode(Widths::EIGHT).is_err());
}

#[test]
fn block_numbers_go_into_names() {
    let take = Take::new(&[], NAME, 0);
    let name = |pattern: &str, block| {
        let parsed = NamePattern::parse(pattern.as_bytes(), &take)?;
        assert_eq!(parsed.stored(), pattern);
        Ok::<_, crate::Error>((parsed.name(block), parsed.has_block()))
    };
    let is = |text: &str, block| Ok((text.to_string(), block));
    assert_eq!(name("plain", 3), is("plain", false));
    assert_eq!(name("a%bc%b", 12), is("a12c12", true));
    assert_eq!(name("%b", 0), is("0", true));
    assert_eq!(name("100%%", 1), is("100%", false));
    assert_eq!(name("%%b%%%b", 5), is("%b%5", true));
    for broken in ["%", "a%", "%c", "%%%", "%b%"] {
        assert!(name(broken, 0).is_err(), "{broken}");
    }
    assert!(NamePattern::parse(&[0xff], &take).is_err());
}

#[test]
fn broken_blocks_are_errors() {
    for hex in [VERSION_0, VERSION_1] {
        let whole = bytes(hex);
        for len in 0..whole.len() {
            assert!(decode(&whole[..len]).is_err());
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(decode(&longer).is_err());
        // What has no meaning is refused also where the checksum is right; nothing panics or takes much memory.
        for at in 0..whole.len() - 4 {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = value;
                if changed != whole {
                    assert!(decode(&changed).is_err(), "the checksum");
                }
                let _ = decode(&sealed(changed));
            }
        }
    }
    let broken = |at: usize, value: &[u8], reason: &str| {
        let mut changed = bytes(VERSION_1);
        changed[at..at + value.len()].copy_from_slice(value);
        let error = decode(&sealed(changed)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    };
    broken(0, &[2], "unknown version");
    broken(1, &[0xff; 8], "");
    broken(9, &[8], "unknown flags");
    // The fourth entry takes its file name from an earlier one.
    let whole = bytes(VERSION_1);
    let fourth = whole.len() - 4 - 30 - 16 - 2 - 8;
    assert_eq!(whole[fourth..fourth + 8], [2, 0, 0, 0, 0, 0, 0, 0]);
    broken(fourth, &[3], "not before");
    broken(fourth, &[0xff; 8], "not before");
}
