//! Messages made by libhdf5 (tests/golden/make_messages.py): decoded, compared, encoded again.

extern crate std;

use super::attribute::{Attribute, NewAttribute};
use super::attribute_info::AttributeInfo;
use super::dataspace::{Dataspace, DataspaceKind};
use super::datatype::{CharacterSet, Datatype};
use super::fill_value::{AllocTime, Fill, FillTime, FillValue};
use super::filter_pipeline::FilterPipeline;
use super::group_info::GroupInfo;
use super::layout::{ChunkedLayout, IndexLayout, Layout, LayoutClass, UNFILTERED_EDGES};
use super::link::{Link, LinkTarget, external_parts, external_value};
use super::link_info::LinkInfo;
use super::*;
use crate::bytes::{Addr, Extent, Put, Widths};
use crate::error::{Error, ErrorKind};
use std::string::{String, ToString};
use std::vec;

const W: Widths = Widths::EIGHT;

/// A golden message by its name in tests/golden/messages.
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

/// One line of the index: name, type of message, version of the object header, bytes.
struct Golden {
    name: String,
    kind: u8,
    header_version: u8,
    bytes: Vec<u8>,
}

/// Every golden message; headers and blocks are the object header's tests.
fn goldens() -> Vec<Golden> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/messages/");
    let index = std::fs::read_to_string(std::format!("{folder}index.txt")).unwrap();
    let fields = index
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    fields
        .filter_map(|field| {
            Some(Golden {
                name: field[0].to_string(),
                kind: field[1].parse().ok()?,
                header_version: field[3].parse().unwrap(),
                bytes: std::fs::read(std::format!("{folder}{}.bin", field[0])).unwrap(),
            })
        })
        .collect()
}

/// Decodes a message of any kind and encodes it again.
fn recode(kind: u8, bytes: &[u8]) -> Result<ShortBytes> {
    Ok(match kind {
        kind::DATASPACE => Dataspace::decode(bytes, W, 0)?.encode(W),
        kind::LINK_INFO => LinkInfo::decode(bytes, W, 0)?.encode(W),
        kind::DATATYPE => {
            let (datatype, version, used) = Datatype::decode(bytes, 0)?;
            let encoded = datatype.encode(version);
            assert!(used <= bytes.len() && !datatype.to_string().is_empty());
            encoded
        }
        kind::FILL_VALUE_OLD => FillValue::decode_old(bytes, 0)?.encode_old(),
        kind::FILL_VALUE => FillValue::decode(bytes, 0)?.encode(),
        kind::LINK => {
            let link = Link::decode(bytes, W, 0)?;
            assert_eq!(Link::name_of(bytes)?, link.name);
            link.encode(W)
        }
        kind::LAYOUT => Layout::decode(bytes, W, 0)?.encode(W),
        kind::GROUP_INFO => GroupInfo::decode(bytes, 0)?.encode().into(),
        kind::FILTER_PIPELINE => FilterPipeline::decode(bytes, 0)?.encode().into(),
        kind::ATTRIBUTE => {
            let attribute = Attribute::decode(bytes, W, 0)?;
            assert_eq!(Attribute::name_of(bytes)?, attribute.name);
            attribute.encode()
        }
        kind::CONTINUATION => continuation::encode(continuation::decode(bytes, W, 0)?, W),
        kind::MODIFICATION_TIME => {
            modification_time::encode(modification_time::decode(bytes, 0)?).into()
        }
        kind::ATTRIBUTE_INFO => AttributeInfo::decode(bytes, W, 0)?.encode(W),
        kind::REFERENCE_COUNT => reference_count::encode(reference_count::decode(bytes, 0)?),
        _ => panic!("no codec for kind {kind}"),
    })
}

#[test]
fn every_message_of_libhdf5_is_encoded_as_it_was() {
    let goldens = goldens();
    assert!(goldens.len() > 70, "{} messages", goldens.len());
    for golden in goldens {
        let mut encoded = recode(golden.kind, &golden.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}", golden.name));
        if golden.header_version == 1 {
            encoded.put_zeros(encoded.len().next_multiple_of(8) - encoded.len());
        }
        assert_eq!(encoded, golden.bytes, "{}", golden.name);
    }
}

#[test]
fn damaged_messages_are_decoded_or_refused_without_a_panic() {
    for golden in goldens() {
        for len in 0..golden.bytes.len() {
            let _ = recode(golden.kind, &golden.bytes[..len]);
        }
        for at in 0..golden.bytes.len() {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] {
                let mut bytes = golden.bytes.clone();
                bytes[at] ^= flip;
                let _ = recode(golden.kind, &bytes);
            }
        }
    }
}

#[test]
fn a_message_cut_short_is_refused() {
    for golden in goldens() {
        if golden.header_version == 2 {
            let cut = &golden.bytes[..golden.bytes.len() - 1];
            let error = recode(golden.kind, cut).expect_err(&golden.name);
            assert!(matches!(error.kind(), ErrorKind::Corrupt { .. }));
        }
    }
}

#[test]
fn dataspaces_know_their_limits() {
    let decode = |bytes| Dataspace::decode(bytes, W, 0).unwrap();
    let grid = decode(golden!("extensible-array-dataspace"));
    assert_eq!(grid.dims, [10, 10]);
    assert_eq!(grid.max, Some(vec![None, Some(10)]));
    assert_eq!(
        grid,
        Dataspace::simple(vec![10, 10], Some(vec![None, Some(10)]))
    );
    assert_eq!(grid.element_count().unwrap(), 100);
    assert_eq!(decode(golden!("scalar-dataspace")), Dataspace::scalar());
    assert_eq!(decode(golden!("null-dataspace")), Dataspace::null());
    assert_eq!(Dataspace::scalar().element_count().unwrap(), 1);
    assert_eq!(Dataspace::null().element_count().unwrap(), 0);
    let old = decode(golden!("v1-chunked-dataspace"));
    assert_eq!((old.version, old.kind), (1, DataspaceKind::Simple));
    assert_eq!(old.max, Some(vec![None, Some(10)]));
    let huge = Dataspace::simple(vec![1 << 40, 1 << 40], None);
    assert!(huge.element_count().is_err());
    let empty = Dataspace::simple(vec![1 << 40, 1 << 40, 0], None);
    assert_eq!(empty.element_count().unwrap(), 0);
}

#[test]
fn fill_values_say_when_and_what() {
    let decode = |bytes| FillValue::decode(bytes, 0).unwrap();
    assert_eq!(
        decode(golden!("implicit-fill")),
        FillValue::new(AllocTime::Early, FillTime::Never, Fill::Default)
    );
    assert_eq!(
        decode(golden!("fill-7-fill")),
        FillValue::new(
            AllocTime::Late,
            FillTime::IfSet,
            Fill::Value(vec![7, 0, 0, 0])
        )
    );
    let old = decode(golden!("v1-chunked-fill"));
    assert_eq!(old.version, 2);
    assert_eq!(old.alloc_time, AllocTime::Incremental);
    assert_eq!(old.value, Fill::Default);
    let oldest = FillValue::decode_old(golden!("v1-contiguous-fill_old"), 0).unwrap();
    assert_eq!(oldest.value, Fill::Value(7f32.to_le_bytes().to_vec()));
    let undefined = FillValue::new(AllocTime::Late, FillTime::IfSet, Fill::Undefined);
    assert_eq!(decode(&undefined.encode()), undefined);
}

fn layout(bytes: &[u8]) -> LayoutClass {
    Layout::decode(bytes, W, 0).unwrap().class
}

#[test]
fn layouts_without_chunks_are_understood() {
    assert_eq!(
        layout(golden!("compact-layout")),
        LayoutClass::Compact(vec![1, 2, 3, 4])
    );
    assert_eq!(
        layout(golden!("contiguous-empty-layout")),
        LayoutClass::Contiguous {
            addr: None,
            size: 16
        }
    );
    let LayoutClass::Virtual { heap, index } = layout(golden!("virtual-layout")) else {
        panic!("not virtual");
    };
    assert!(heap.is_some());
    assert_eq!(index, 1);
}

#[test]
fn every_chunk_index_is_understood() {
    let chunked = |bytes| match layout(bytes) {
        LayoutClass::Chunked(chunked) => chunked,
        other => panic!("{other:?}"),
    };
    let single = chunked(golden!("single-layout"));
    assert_eq!((single.chunk, single.element_size), (vec![10, 300], 4));
    assert!(matches!(
        single.index,
        IndexLayout::Single { filtered: None, .. }
    ));
    let gzip = chunked(golden!("single-gzip-layout")).index;
    assert!(matches!(
        gzip,
        IndexLayout::Single {
            filtered: Some((17, 0)),
            ..
        }
    ));
    let implicit = chunked(golden!("implicit-layout")).index;
    assert!(matches!(implicit, IndexLayout::Implicit { addr: Some(_) }));
    let fixed = chunked(golden!("fixed-array-layout")).index;
    assert!(matches!(
        fixed,
        IndexLayout::FixedArray { page_bits: 10, .. }
    ));
    let extensible = chunked(golden!("extensible-array-layout")).index;
    assert!(matches!(
        extensible,
        IndexLayout::ExtensibleArray {
            max_bits: 32,
            index_elements: 4,
            min_pointers: 4,
            min_elements: 16,
            page_bits: 10,
            addr: Some(_)
        }
    ));
    let tree = chunked(golden!("btree-v2-layout")).index;
    assert!(matches!(
        tree,
        IndexLayout::BTreeV2 {
            node_size: 2048,
            split: 100,
            merge: 40,
            addr: Some(_)
        }
    ));
    let old = chunked(golden!("v1-chunked-layout"));
    assert_eq!((old.chunk, old.element_size), (vec![2, 5], 4));
    assert!(matches!(old.index, IndexLayout::BTreeV1 { addr: Some(_) }));
    let edges = chunked(golden!("edges-layout"));
    assert_eq!((edges.flags, &edges.chunk), (UNFILTERED_EDGES, &vec![4, 3]));
    let class = LayoutClass::Chunked(edges);
    assert_eq!(
        Layout { version: 4, class }.encode(W),
        golden!("edges-layout")
    );
    let newest = Layout::decode(golden!("v5-filtered-layout"), W, 0).unwrap();
    assert_eq!(newest.version, 5);
}

#[test]
fn dimension_sizes_take_the_smallest_width() {
    for (chunk, width) in [(255, 1), (256, 2), (65535, 2), (70000, 3), (1 << 32, 5)] {
        let class = LayoutClass::Chunked(ChunkedLayout {
            flags: 0,
            chunk: vec![chunk],
            element_size: 4,
            index: IndexLayout::Implicit { addr: None },
        });
        let layout = Layout { version: 4, class };
        let bytes = layout.encode(W);
        assert_eq!(bytes[4], width, "{chunk}");
        assert_eq!(Layout::decode(&bytes, W, 0).unwrap(), layout);
    }
}

#[test]
fn pipelines_keep_order_names_and_values() {
    let new = FilterPipeline::decode(golden!("filters-pipeline"), 0).unwrap();
    let ids: Vec<_> = new.filters.iter().map(|filter| filter.id).collect();
    assert_eq!(ids, [2, 1, 3]);
    assert_eq!(new.filters[0].values, [4]);
    assert!(new.filters[1].optional && !new.filters[2].optional);
    let old = FilterPipeline::decode(golden!("v1-chunked-pipeline"), 0).unwrap();
    assert_eq!(old.version, 1);
    assert_eq!(old.filters[1].name.as_deref(), Some("deflate"));
    assert_eq!(old.filters[1].values, [6]);
    let registered = FilterPipeline::new(vec![super::filter_pipeline::FilterDescription {
        id: 32015,
        name: Some("zstd".to_string()),
        optional: true,
        values: vec![3],
    }]);
    let bytes = registered.encode();
    assert_eq!(&bytes[2..10], [0x0f, 0x7d, 5, 0, 1, 0, 1, 0]);
    assert_eq!(FilterPipeline::decode(&bytes, 0).unwrap(), registered);
    let too_many = FilterPipeline::decode(&[2, 33], 0).unwrap_err();
    assert!(matches!(too_many.kind(), ErrorKind::Limit { max: 32, .. }));
}

#[test]
fn links_of_every_kind_are_understood() {
    let decode = |bytes| Link::decode(bytes, W, 0).unwrap();
    let hard = decode(golden!("links-link-0"));
    assert_eq!(hard.name, b"hard");
    assert!(matches!(hard.target, LinkTarget::Hard(_)));
    let soft = decode(golden!("links-link-1"));
    assert_eq!(soft.target, LinkTarget::Soft(b"/scalar".to_vec()));
    let external = decode(golden!("links-link-2"));
    let value = external_value(b"other.h5", b"/data");
    assert_eq!(external.target, LinkTarget::External(value.clone()));
    assert_eq!(
        external_parts(&value).unwrap(),
        (&b"other.h5"[..], &b"/data"[..])
    );
    let unicode = decode(golden!("links-link-3"));
    assert_eq!(unicode.name, "größe".as_bytes());
    assert_eq!(unicode.charset, CharacterSet::Utf8);
    assert_eq!(decode(golden!("links-link-4")).name.len(), 300);
    assert_eq!(
        decode(golden!("ordered-link")).creation_order,
        Some(0),
        "the first of its group"
    );
}

#[test]
fn links_that_no_message_holds_are_refused() {
    let link = |target| Link {
        name: b"name".to_vec(),
        charset: CharacterSet::Ascii,
        creation_order: None,
        target,
    };
    assert!(link(LinkTarget::Soft(vec![b'x'; 65535])).check().is_ok());
    assert!(link(LinkTarget::Soft(vec![b'x'; 65536])).check().is_err());
    assert!(link(LinkTarget::Soft(vec![])).check().is_err());
}

#[test]
fn infos_tell_what_is_tracked_and_where_it_is() {
    let compact = LinkInfo::decode(golden!("links-link_info"), W, 0).unwrap();
    assert_eq!(compact, LinkInfo::default());
    let ordered = LinkInfo::decode(golden!("ordered-link_info"), W, 0).unwrap();
    assert_eq!(ordered.max_creation_index, Some(1));
    assert_eq!(ordered.order_index, Some(None));
    let tracked = LinkInfo::decode(golden!("phase-link_info"), W, 0).unwrap();
    assert_eq!(tracked.max_creation_index, Some(0));
    assert_eq!(tracked.order_index, None);
    let dense = LinkInfo::decode(golden!("dense-link_info"), W, 0).unwrap();
    assert!(dense.heap.is_some() && dense.name_index.is_some());
    assert!(matches!(dense.order_index, Some(Some(_))));
    let attributes = AttributeInfo::decode(golden!("dense-attribute_info"), W, 0).unwrap();
    assert_eq!(attributes.max_creation_index, Some(20));
    assert!(matches!(attributes.order_index, Some(Some(_))));
    let group = GroupInfo {
        phase_change: Some((16, 4)),
        estimates: Some((100, 12)),
    };
    assert_eq!(GroupInfo::decode(&group.encode(), 0).unwrap(), group);
    assert_eq!(
        GroupInfo::decode(golden!("links-group_info"), 0).unwrap(),
        GroupInfo::default()
    );
    let changing = GroupInfo {
        phase_change: Some((40, 10)),
        estimates: Some((200, 12)),
    };
    assert_eq!(changing.encode(), golden!("changing-group_info"));
}

#[test]
fn attributes_are_built_as_libhdf5_builds_them() {
    let golden = golden!("attributes-attribute-1");
    let read = Attribute::decode(golden, W, 0).unwrap();
    assert_eq!(read.name, b"vector");
    assert_eq!(read.data, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(read.encode(), golden);
    let built = NewAttribute {
        name: b"vector",
        charset: CharacterSet::Ascii,
        datatype: &read.datatype().unwrap(),
        committed: None,
        dataspace: &read.dataspace(W).unwrap(),
        data: &read.data,
    };
    assert_eq!(built.encode(W).unwrap(), golden);
    // h5py calls every attribute name ASCII, this one too; so the bytes of a name count, not its character set.
    let mut unicode = Attribute::decode(golden!("attributes-attribute"), W, 0).unwrap();
    assert_eq!(unicode.name, "größe".as_bytes());
    assert_eq!(unicode.charset, CharacterSet::Ascii);
    assert!(unicode.datatype().unwrap().is_var_len_string());
    unicode.charset = CharacterSet::Utf8;
    let bytes = unicode.encode();
    assert_eq!(bytes[8], 1);
    assert_eq!(Attribute::decode(&bytes, W, 0).unwrap(), unicode);
    let old = Attribute::decode(golden!("v1-contiguous-attribute"), W, 0).unwrap();
    assert_eq!(old.version, 1);
    assert_eq!((&old.name[..], &old.data[..]), (&b"units"[..], &b"m/s"[..]));
}

#[test]
fn a_shared_datatype_of_an_attribute_is_kept_but_not_looked_up() {
    let mut bytes = golden!("attributes-attribute-1").to_vec();
    bytes[1] = 1;
    let attribute = Attribute::decode(&bytes, W, 0).unwrap();
    assert_eq!(attribute.encode(), bytes);
    assert!(matches!(
        attribute
            .datatype()
            .map_err(|error: Error| error.kind().clone()),
        Err(ErrorKind::Unsupported(_))
    ));
}

#[test]
fn small_messages_hold_their_number() {
    assert_eq!(
        reference_count::decode(golden!("linked-references"), 0).unwrap(),
        24
    );
    let time = modification_time::decode(golden!("v1-chunked-modified"), 0).unwrap();
    assert!(time > 1_700_000_000);
    assert_eq!(
        continuation::decode(golden!("attributes-continuation"), W, 0).unwrap(),
        Extent::new(Addr::new(0x8056), 0x214)
    );
}

#[test]
fn layouts_before_version_3_are_understood_and_written_as_version_3() {
    let old = |version: u8, class: u8, rest: &[u8]| {
        let mut bytes = vec![version, 3, class, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(rest);
        bytes
    };
    let addr = 4096_u64.to_le_bytes();
    let sizes: Vec<u8> = [10_u32, 20, 4]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    for version in [1, 2] {
        let contiguous = old(version, 1, &[&addr[..], &sizes].concat());
        let decoded = Layout::decode(&contiguous, W, 0).unwrap();
        let expected = LayoutClass::Contiguous {
            addr: Some(Addr::new(4096)),
            size: 800,
        };
        assert_eq!(decoded.class, expected);
        assert_eq!(layout(&decoded.encode(W)), expected);
        assert_eq!(decoded.encode(W)[0], 3);

        let chunked = old(version, 2, &[&addr[..], &sizes].concat());
        let decoded = Layout::decode(&chunked, W, 0).unwrap();
        let expected = LayoutClass::Chunked(ChunkedLayout {
            flags: 0,
            chunk: vec![10, 20],
            element_size: 4,
            index: IndexLayout::BTreeV1 {
                addr: Some(Addr::new(4096)),
            },
        });
        assert_eq!(decoded.class, expected);
        assert_eq!(layout(&decoded.encode(W)), expected);

        let compact = old(version, 0, &[&sizes[..], &[2, 0, 0, 0, 7, 9]].concat());
        let decoded = Layout::decode(&compact, W, 0).unwrap();
        assert_eq!(decoded.class, LayoutClass::Compact(vec![7, 9]));
        assert_eq!(decoded.encode(W), [3, 0, 2, 0, 7, 9]);

        for (bytes, least) in [(contiguous, 28), (chunked, 28), (compact, 26)] {
            assert!(Layout::decode(&bytes[..least], W, 0).is_ok());
            for end in 0..least {
                assert!(Layout::decode(&bytes[..end], W, 0).is_err(), "{end}");
            }
        }
        assert!(Layout::decode(&old(version, 3, &[0; 40]), W, 0).is_err());
    }
    let mut ranks = old(1, 1, &[1; 200]);
    ranks[1] = 0;
    assert!(Layout::decode(&ranks, W, 0).is_err());
    ranks[1] = 34;
    assert!(Layout::decode(&ranks, W, 0).is_err());
}
