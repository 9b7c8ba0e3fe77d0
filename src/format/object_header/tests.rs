use super::*;
use crate::bytes::Addr;
use crate::error::ErrorKind;
use alloc::vec;

const W: Widths = Widths::EIGHT;

/// A golden header or block by its name in tests/golden/messages.
macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/messages/",
            $name,
            ".bin"
        ))
        .as_slice()
    };
}

const HEADERS: [&[u8]; 4] = [
    golden!("attributes-header"),
    golden!("links-header"),
    golden!("ordered-header"),
    golden!("phase-header"),
];

#[test]
fn headers_of_libhdf5_are_encoded_as_they_were() {
    for bytes in HEADERS {
        let (_, data_size, prefix_size) = decode_prefix(bytes, 0).unwrap();
        assert_eq!(prefix_size + data_size as usize + 4, bytes.len());
        let (prefix, messages) = decode_chunk0(bytes, W, 0).unwrap();
        let encoded = encode_chunk0(&prefix, &messages, data_size as usize).unwrap();
        assert_eq!(encoded, bytes);
    }
}

#[test]
fn a_block_of_libhdf5_is_encoded_as_it_was() {
    let (prefix, chunk0) = decode_chunk0(golden!("attributes-header"), W, 0).unwrap();
    let block = golden!("attributes-block");
    let messages = decode_continuation(block, &prefix, 0).unwrap();
    assert_eq!(encode_body(&prefix, &messages, block.len()).unwrap(), block);
    let cont = chunk0
        .iter()
        .find(|message| message.kind == kind::CONTINUATION);
    let extent = continuation::decode(&cont.unwrap().data, W, 0).unwrap();
    assert_eq!(extent.len, block.len() as u64);
}

#[test]
fn the_prefix_tells_times_orders_and_phase_change() {
    let (timed, ..) = decode_prefix(golden!("attributes-header"), 0).unwrap();
    assert!(timed.times.is_some_and(|times| times[0] > 1_700_000_000));
    assert!(!timed.tracks_creation_order());
    let (ordered, messages) = decode_chunk0(golden!("ordered-header"), W, 0).unwrap();
    assert!(ordered.tracks_creation_order() && ordered.indexes_creation_order());
    assert_eq!(ordered.message_header_size(), 6);
    assert!(
        messages
            .iter()
            .any(|message| message.kind == kind::LINK_INFO)
    );
    let (phase, ..) = decode_prefix(golden!("phase-header"), 0).unwrap();
    assert_eq!(phase.phase_change, Some((20, 3)));
}

#[test]
fn a_cell_is_a_complete_header_of_31_bytes() {
    let body = Extent::new(Addr::new(4096), 300);
    let times = Prefix {
        times: Some([1, 2, 3, 4]),
        ..Prefix::new()
    };
    let ordered = Prefix {
        flags: ORDER_TRACKED | ORDER_INDEXED,
        ..Prefix::new()
    };
    let phase = Prefix {
        phase_change: Some((20, 3)),
        ..Prefix::new()
    };
    for (prefix, size) in [(Prefix::new(), 31), (times, 47), (ordered, 33), (phase, 35)] {
        let cell = encode_cell(&prefix, body, W);
        assert_eq!(cell.len(), size);
        let (decoded, messages) = decode_chunk0(&cell, W, 0).unwrap();
        assert_eq!(decoded.times, prefix.times);
        assert_eq!(decoded.phase_change, prefix.phase_change);
        assert_eq!(
            decoded.tracks_creation_order(),
            prefix.tracks_creation_order()
        );
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].kind, kind::CONTINUATION);
        assert_eq!(continuation::decode(&messages[0].data, W, 0).unwrap(), body);
    }
}

fn message(kind: u8, len: usize) -> RawMessage {
    RawMessage::new(kind, 0, vec![7; len])
}

#[test]
fn a_body_of_any_size_decodes_to_its_messages() {
    let tracked = Prefix {
        flags: ORDER_TRACKED,
        ..Prefix::new()
    };
    for prefix in [Prefix::new(), tracked] {
        for messages in [
            vec![message(kind::LINK, 10), message(kind::COMMENT, 3)],
            vec![message(kind::NIL, 10), message(kind::COMMENT, 3)],
            vec![message(kind::COMMENT, 3), message(kind::NIL, 0)],
        ] {
            let least = body_size(&prefix, &messages);
            for size in least..least + 20 {
                let bytes = encode_body(&prefix, &messages, size).unwrap();
                assert_eq!(bytes.len(), size);
                let decoded = decode_continuation(&bytes, &prefix, 0).unwrap();
                for (given, found) in messages.iter().zip(&decoded) {
                    assert_eq!(given.kind, found.kind);
                    assert!(found.data.starts_with(&given.data));
                    assert!(given.kind == kind::NIL || found.data == given.data);
                }
                let filler = size - least >= prefix.message_header_size();
                assert_eq!(decoded.len(), messages.len() + usize::from(filler));
            }
        }
    }
}

#[test]
fn a_gap_never_stands_beside_a_nil_message() {
    let prefix = Prefix::new();
    let plain = [message(kind::COMMENT, 3)];
    let size = body_size(&prefix, &plain);
    let gap = encode_body(&prefix, &plain, size + 3).unwrap();
    assert_eq!(gap[size - 4..size - 1], [0; 3]);
    assert_eq!(decode_continuation(&gap, &prefix, 0).unwrap(), plain);
    let mut wrong = gap;
    wrong[4] = kind::NIL;
    let end = wrong.len() - 4;
    let checksum = lookup3(&wrong[..end]).to_le_bytes();
    wrong[end..].copy_from_slice(&checksum);
    assert!(decode_continuation(&wrong, &prefix, 0).is_err());
}

#[test]
fn neighbouring_nil_messages_stay_below_the_limit_together() {
    let prefix = Prefix::new();
    let body = |messages: &[RawMessage], more| {
        encode_body(&prefix, messages, body_size(&prefix, messages) + more)
    };
    let plain = [message(kind::COMMENT, 3)];
    assert!(body(&plain, 4 + 65_535).is_ok());
    assert!(body(&plain, 4 + 65_536).is_err());
    let nil_last = [message(kind::COMMENT, 3), message(kind::NIL, 100)];
    assert!(body(&nil_last, 4 + 65_535 - 104).is_ok());
    assert!(body(&nil_last, 4 + 65_535 - 103).is_err());
    let nil_first = [message(kind::NIL, 100), message(kind::COMMENT, 3)];
    assert!(body(&nil_first, 4 + 65_535).is_ok());
}

#[test]
fn what_does_not_fit_is_refused() {
    let prefix = Prefix::new();
    let messages = [message(kind::COMMENT, 3)];
    let least = body_size(&prefix, &messages);
    assert!(encode_body(&prefix, &messages, least - 1).is_err());
    assert!(encode_body(&prefix, &messages, 3).is_err());
    assert!(
        encode_body(&prefix, &[], 10).is_err(),
        "a gap of 2 and no message"
    );
    let long = [message(kind::COMMENT, 65536)];
    let error = encode_body(&prefix, &long, 70_000).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { max: 65535, .. }));
    let full = [message(kind::NIL, 65535)];
    assert!(encode_body(&prefix, &full, body_size(&prefix, &full) + 1).is_err());
}

#[test]
fn a_changed_byte_is_noticed() {
    for bytes in HEADERS {
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0x10;
            assert!(decode_chunk0(&changed, W, 0).is_err(), "byte {at}");
        }
        for len in 0..bytes.len() {
            assert!(decode_chunk0(&bytes[..len], W, 0).is_err(), "{len} bytes");
        }
    }
}

#[test]
fn a_hostile_header_with_a_right_checksum_does_not_panic() {
    for bytes in HEADERS {
        let end = bytes.len() - 4;
        for at in 0..end {
            for flip in [0x01, 0x02, 0x10, 0x80, 0xff] {
                let mut hostile = bytes[..end].to_vec();
                hostile[at] ^= flip;
                let checksum = lookup3(&hostile);
                hostile.put_u32(checksum);
                if let Ok((prefix, messages)) = decode_chunk0(&hostile, W, 0) {
                    let _ = encode_body(&prefix, &messages, body_size(&prefix, &messages));
                }
            }
        }
    }
    let prefix = Prefix::new();
    for len in 0..12 {
        let _ = decode_continuation(&golden!("attributes-block")[..len], &prefix, 0);
    }
}
