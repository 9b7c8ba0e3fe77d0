use super::heap_id::max_tiny_length;
use super::*;
use alloc::vec;

/// A file of tests/golden/make_heaps.py.
fn inflate(deflated: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(deflated).unwrap()
}

fn find(bytes: &[u8], signature: &[u8]) -> Vec<usize> {
    let places = 0..bytes.len() - signature.len();
    places
        .filter(|&at| bytes[at..].starts_with(signature))
        .collect()
}

fn files() -> [Vec<u8>; 5] {
    [
        inflate(include_bytes!("../../../tests/golden/dense_links_20.h5.z")),
        inflate(include_bytes!("../../../tests/golden/dense_links_300.h5.z")),
        inflate(include_bytes!(
            "../../../tests/golden/dense_links_5000.h5.z"
        )),
        inflate(include_bytes!(
            "../../../tests/golden/dense_links_edited.h5.z"
        )),
        inflate(include_bytes!(
            "../../../tests/golden/dense_attributes.h5.z"
        )),
    ]
}

const WIDTHS: Widths = Widths::EIGHT;

#[test]
fn headers_of_libhdf5_decode_and_encode_to_the_same_bytes() {
    for file in files() {
        let places = find(&file, b"FRHP");
        assert_eq!(places.len(), 1);
        let bytes = &file[places[0]..places[0] + 146];
        assert_eq!(
            Header::size_from_prefix(&bytes[..9], WIDTHS, 0).unwrap(),
            146
        );
        let header = Header::decode(bytes, WIDTHS, 0).unwrap();
        assert!(header.checksummed && header.filters.is_none());
        assert_eq!(
            header.id_length,
            u16::from(1 + header.offset_bytes() + header.length_bytes())
        );
        assert_eq!(header.encode(WIDTHS), bytes);
        assert_eq!(header.size(WIDTHS), 146);
        for place in [4, 20, 100, 145] {
            let mut broken = bytes.to_vec();
            broken[place] ^= 1;
            assert!(Header::decode(&broken, WIDTHS, 0).is_err());
        }
    }
}

#[test]
fn root_indirect_blocks_of_libhdf5_decode_and_encode_to_the_same_bytes() {
    let mut checked = 0;
    for file in files() {
        let at = Addr::new(find(&file, b"FRHP")[0] as u64);
        let header = Header::decode(&file[at.get() as usize..][..146], WIDTHS, 0).unwrap();
        let Some(root) = header.root.filter(|_| header.root_rows > 0) else {
            continue;
        };
        let rows = u32::from(header.root_rows);
        let size = header.indirect_size(rows, WIDTHS) as usize;
        let bytes = &file[root.get() as usize..][..size];
        let block = IndirectBlock::decode(bytes, &header, at, (0, rows), WIDTHS, root).unwrap();
        assert_eq!(block.encode(&header, at, WIDTHS), bytes);
        assert!(IndirectBlock::decode(bytes, &header, root, (0, rows), WIDTHS, root).is_err());
        assert!(IndirectBlock::decode(bytes, &header, at, (512, rows), WIDTHS, root).is_err());

        let direct = block.children[0].unwrap();
        let size = header.table.starting_block_size as usize;
        let mut bytes = file[direct.get() as usize..][..size].to_vec();
        check_direct(&bytes, &header, at, 0, WIDTHS, direct).unwrap();
        let mut prefix = encode_direct_prefix(&header, at, 0, WIDTHS);
        let field = prefix.len() - 4;
        prefix[field..].copy_from_slice(&direct_checksum(&bytes, field).to_le_bytes());
        assert!(bytes.starts_with(&prefix));
        bytes[300] ^= 1;
        assert!(check_direct(&bytes, &header, at, 0, WIDTHS, direct).is_err());
        checked += 1;
    }
    assert!(checked >= 3, "{checked}");
}

#[test]
fn heap_ids_decode_to_what_was_encoded() {
    let file = &files()[0];
    let at = find(file, b"FRHP")[0];
    let header = Header::decode(&file[at..at + 146], WIDTHS, 0).unwrap();
    for id in [
        HeapId::Managed {
            offset: 0x0102_0304,
            length: 4096,
        },
        HeapId::HugeIndirect { id: 77 },
        HeapId::Tiny(vec![1, 2, 3]),
        HeapId::Tiny(vec![9; max_tiny_length(&header)]),
    ] {
        let bytes = id.encode(&header, WIDTHS);
        assert_eq!(bytes.len(), 7);
        assert_eq!(HeapId::decode(&bytes, &header, WIDTHS).unwrap(), id);
    }
    let long = Header {
        id_length: 40,
        ..header.clone()
    };
    for id in [
        HeapId::HugeDirect {
            addr: Addr::new(512),
            length: 99,
        },
        HeapId::Tiny(vec![5; 38]),
    ] {
        let bytes = id.encode(&long, WIDTHS);
        assert_eq!(HeapId::decode(&bytes, &long, WIDTHS).unwrap(), id);
    }
    for bad in [vec![0x40; 7], vec![0x30; 7], vec![0x2f; 7], vec![0; 6]] {
        assert!(HeapId::decode(&bad, &header, WIDTHS).is_err());
    }
}
