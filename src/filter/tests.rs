use super::registry::not_built_in;
use super::*;
use crate::error::ErrorKind;
use crate::format::message::datatype::{ByteOrder, CompoundMember, Datatype, IntegerType};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use proptest::prelude::*;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/golden/filters/", $name, ".bin")).as_slice()
    };
}

fn new(filters: &[FilterDescription]) -> Result<Pipeline> {
    Pipeline::new(&Registry::default(), filters)
}

fn pipeline(filters: &[FilterDescription]) -> Pipeline {
    new(filters).unwrap()
}

/// The stored bytes of a chunk that goes through all filters.
fn encode(pipeline: &Pipeline, chunk: &[u8]) -> Result<Vec<u8>> {
    let (bytes, mask) = pipeline.encode(chunk)?;
    assert_eq!(mask, 0);
    Ok(bytes)
}

fn describe(request: &Request, element_size: u32) -> FilterDescription {
    let datatype = Datatype::Opaque {
        size: element_size,
        tag: String::new(),
    };
    let elements = Elements {
        datatype: &datatype,
        chunk: &[1],
        fill: &[],
    };
    request.describe(elements).unwrap()
}

fn deflate(level: u8) -> FilterDescription {
    describe(&Request::new(1, &[level.into()]), 1)
}

fn shuffle(size: u32) -> FilterDescription {
    describe(&Request::new(2, &[]), size)
}

fn fletcher32() -> FilterDescription {
    describe(&Request::new(3, &[]), 1)
}

fn is_corrupt<T: core::fmt::Debug>(result: Result<T>) -> bool {
    matches!(result.unwrap_err().kind(), ErrorKind::Corrupt { .. })
}

#[test]
fn chunks_of_h5py_decode_to_their_values() {
    let values = golden!("values_i4");
    let cases: [(&[u8], Vec<FilterDescription>); 5] = [
        (golden!("deflate"), vec![deflate(6)]),
        (golden!("shuffle"), vec![shuffle(4)]),
        (golden!("fletcher32"), vec![fletcher32()]),
        (golden!("shuffle_deflate"), vec![shuffle(4), deflate(4)]),
        (
            golden!("shuffle_deflate_fletcher32"),
            vec![shuffle(4), deflate(9), fletcher32()],
        ),
    ];
    for (stored, filters) in cases {
        let pipeline = pipeline(&filters);
        let decoded = pipeline.decode(stored.to_vec(), 0, values.len()).unwrap();
        assert_eq!(decoded, values);
        let encoded = encode(&pipeline, values).unwrap();
        if filters.iter().all(|filter| filter.id != deflate::ID) {
            assert_eq!(encoded, stored);
        }
        assert_eq!(pipeline.decode(encoded, 0, values.len()).unwrap(), values);
    }
}

#[test]
fn shuffle_regroups_elements_of_every_size_as_libhdf5_does() {
    let cases: [(u32, &[u8]); 4] = [
        (2, golden!("shuffle_2")),
        (3, golden!("shuffle_3")),
        (8, golden!("shuffle_8")),
        (16, golden!("shuffle_16")),
    ];
    for (size, stored) in cases {
        let data: Vec<u8> = (0..size * 37).map(|i| (i * 37 % 251) as u8).collect();
        let pipeline = pipeline(&[shuffle(size)]);
        assert_eq!(encode(&pipeline, &data).unwrap(), stored);
        assert_eq!(
            pipeline.decode(stored.to_vec(), 0, data.len()).unwrap(),
            data
        );
    }
}

#[test]
fn shuffle_puts_byte_after_byte_of_all_elements_whatever_the_length() {
    for size in [2, 3, 4, 5, 8, 12, 16] {
        for len in [1024, 1023, 4096, 5000] {
            let data: Vec<u8> = (0..len).map(|i| (i * i % 251) as u8).collect();
            let whole = len / size * size;
            let mut expected: Vec<u8> = (0..size)
                .flat_map(|byte| data[..whole].iter().skip(byte).step_by(size).copied())
                .collect();
            expected.extend(&data[whole..]);
            let pipeline = pipeline(&[shuffle(size as u32)]);
            let stored = encode(&pipeline, &data).unwrap();
            assert_eq!(stored, expected, "{len} bytes of elements of {size}");
            assert_eq!(pipeline.decode(stored, 0, len).unwrap(), data);
        }
    }
}

#[test]
fn shuffle_keeps_the_bytes_behind_the_last_element_in_place() {
    let stored = |size, data: &[u8]| encode(&pipeline(&[shuffle(size)]), data).unwrap();
    assert_eq!(
        stored(4, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        [1, 5, 2, 6, 3, 7, 4, 8, 9, 10]
    );
    assert_eq!(stored(3, &[1, 2, 3, 4, 5, 6, 7]), [1, 4, 2, 5, 3, 6, 7]);
    // A single element, or elements of one byte, stay as they are.
    assert_eq!(stored(4, &[1, 2, 3, 4, 5]), [1, 2, 3, 4, 5]);
    assert_eq!(stored(1, &[1, 2, 3]), [1, 2, 3]);
    assert_eq!(stored(u32::MAX, &[1, 2, 3]), [1, 2, 3]);
}

#[test]
fn checksums_of_every_length_are_those_of_libhdf5() {
    let pipeline = pipeline(&[fletcher32()]);
    let mut rest = golden!("checksums");
    let mut count = 0;
    while let Some((len, behind)) = rest.split_first_chunk::<4>() {
        let len = u32::from_le_bytes(*len) as usize;
        let (stored, behind) = behind.split_at(len + 4);
        let data = &stored[..len];
        assert_eq!(encode(&pipeline, data).unwrap(), stored, "length {len}");
        assert_eq!(pipeline.decode(stored.to_vec(), 0, len).unwrap(), data);
        rest = behind;
        count += 1;
    }
    assert_eq!(count, 40);
}

#[test]
fn a_flipped_bit_is_found_by_the_checksum() {
    let pipeline = pipeline(&[fletcher32()]);
    let stored = encode(&pipeline, &[1, 2, 3, 4, 5]).unwrap();
    for bit in 0..stored.len() * 8 {
        let mut broken = stored.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(is_corrupt(pipeline.decode(broken, 0, 5)), "bit {bit}");
    }
    assert!(is_corrupt(pipeline.decode(vec![1, 2, 3], 0, 0)));
}

#[test]
fn the_swapped_checksum_of_old_files_is_accepted() {
    let pipeline = pipeline(&[fletcher32()]);
    let mut stored = encode(&pipeline, &[1, 2, 3, 4, 5]).unwrap();
    stored.swap(5, 6);
    stored.swap(7, 8);
    assert_eq!(pipeline.decode(stored, 0, 5).unwrap(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_chunk_that_inflates_beyond_its_size_is_an_error() {
    let pipeline = pipeline(&[deflate(9)]);
    let bomb = encode(&pipeline, &vec![0; 1 << 20]).unwrap();
    assert!(bomb.len() < 2000);
    for len in [0, 1, 4096, (1 << 20) - 1] {
        assert!(is_corrupt(pipeline.decode(bomb.clone(), 0, len)), "{len}");
    }
    assert_eq!(pipeline.decode(bomb, 0, 1 << 20).unwrap().len(), 1 << 20);
}

#[test]
fn a_short_or_broken_chunk_is_an_error() {
    let values = golden!("values_i4");
    let pipeline = pipeline(&[deflate(6)]);
    let stored = golden!("deflate");
    for len in [
        0,
        1,
        2,
        stored.len() / 2,
        stored.len() - 4,
        stored.len() - 1,
    ] {
        assert!(is_corrupt(pipeline.decode(
            stored[..len].to_vec(),
            0,
            values.len()
        )));
    }
    let mut broken = stored.to_vec();
    *broken.last_mut().unwrap() ^= 1;
    assert!(is_corrupt(pipeline.decode(broken, 0, values.len())));
    assert!(is_corrupt(pipeline.decode(
        stored.to_vec(),
        0,
        values.len() + 1
    )));
    // A claimed size that the bytes cannot reach is not allocated.
    assert!(is_corrupt(pipeline.decode(stored.to_vec(), 0, usize::MAX)));
}

#[test]
fn a_filter_that_does_not_pay_is_applied_all_the_same() {
    // No byte twice: deflate has nothing to find.
    let noise: Vec<u8> = (0..=255).collect();
    let pipeline = pipeline(&[shuffle(2), deflate(6), fletcher32()]);
    let stored = encode(&pipeline, &noise).unwrap();
    assert!(stored.len() > noise.len() + 4);
    assert_eq!(pipeline.decode(stored, 0, noise.len()).unwrap(), noise);
}

#[test]
fn only_a_shuffled_chunk_keeps_its_size_for_certain() {
    assert!(pipeline(&[shuffle(4)]).keeps_size());
    assert!(!pipeline(&[shuffle(4), fletcher32()]).keeps_size());
    assert!(!pipeline(&[deflate(1)]).keeps_size());
}

#[test]
fn a_raw_chunk_is_masked_entirely() {
    let all = pipeline(&[shuffle(4), deflate(6), fletcher32()]);
    assert_eq!(all.skip_all_mask(), 0b111);
    assert_eq!(all.decode(vec![1, 2], 0b111, 2).unwrap(), [1, 2]);
    assert!(is_corrupt(all.decode(vec![1, 2], 0b111, 3)));
    assert_eq!(pipeline(&[]).skip_all_mask(), 0);
    assert_eq!(pipeline(&vec![fletcher32(); 32]).skip_all_mask(), u32::MAX);
    assert!(new(&vec![fletcher32(); 33]).is_err());
}

#[test]
fn a_checksum_before_deflate_is_inflated_with_room_for_it() {
    let pipeline = pipeline(&[fletcher32(), deflate(6), deflate(6)]);
    let data = vec![3; 10_000];
    let stored = encode(&pipeline, &data).unwrap();
    assert_eq!(pipeline.decode(stored, 0, data.len()).unwrap(), data);
}

#[test]
fn an_unknown_filter_is_named_when_a_chunk_goes_through_it() {
    let unknown = FilterDescription {
        id: 305,
        name: Some("LPC-Rice".into()),
        optional: true,
        values: vec![3],
    };
    let pipeline = pipeline(&[unknown]);
    for error in [
        encode(&pipeline, &[1]).unwrap_err(),
        pipeline.decode(vec![1], 0, 1).unwrap_err(),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)));
        assert!(error.to_string().contains("305") && error.to_string().contains("LPC-Rice"));
    }
    assert_eq!(pipeline.decode(vec![1], 1, 1).unwrap(), [1]);
}

#[test]
fn broken_parameters_leave_an_optional_filter_out_and_refuse_another() {
    for (id, values) in [
        (deflate::ID, vec![]),
        (deflate::ID, vec![10]),
        (shuffle::ID, vec![]),
        (shuffle::ID, vec![0]),
    ] {
        let mut description = FilterDescription {
            id,
            name: None,
            optional: true,
            values,
        };
        let optional = pipeline(&[fletcher32(), description.clone()]);
        optional.check().unwrap();
        assert!(is_corrupt(optional.check_new()));
        let (stored, mask) = optional.encode(&[1, 2]).unwrap();
        assert_eq!(mask, 0b10);
        assert_eq!(stored.len(), 6);
        assert_eq!(optional.decode(stored.clone(), 0b10, 2).unwrap(), [1, 2]);
        assert!(is_corrupt(optional.decode(stored, 0, 2)));
        description.optional = false;
        let required = pipeline(&[description]);
        assert!(is_corrupt(required.check()));
        assert!(is_corrupt(required.encode(&[1, 2])));
        assert!(is_corrupt(required.decode(vec![1, 2], 0, 2)));
        assert_eq!(required.decode(vec![1, 2], 1, 2).unwrap(), [1, 2]);
    }
}

proptest! {
    #[test]
    fn every_chunk_comes_back(data: Vec<u8>, size in 1_u32..20, level in 0_u8..10) {
        let pipeline = pipeline(&[shuffle(size), deflate(level), fletcher32()]);
        let stored = encode(&pipeline, &data).unwrap();
        prop_assert_eq!(pipeline.decode(stored, 0, data.len()).unwrap(), data);
    }

    #[test]
    fn any_bytes_decode_or_fail(data: Vec<u8>, mask in 0_u32..8, len in 0_usize..100) {
        let _ = pipeline(&[shuffle(4), deflate(6), fletcher32()]).decode(data, mask, len);
    }
}

#[test]
fn a_pipeline_with_an_unknown_filter_is_refused_before_it_is_used() {
    let unknown = FilterDescription {
        id: 306,
        name: Some("ccsds-123".into()),
        optional: true,
        values: Vec::new(),
    };
    let pipeline = pipeline(&[shuffle(4), unknown]);
    assert!(
        pipeline
            .check()
            .unwrap_err()
            .to_string()
            .contains("ccsds-123")
    );
    assert!(new(&[shuffle(4)]).unwrap().check().is_ok());
}

/// Takes trailing zeros off; declines where there are none.
struct Trim;

impl Filter for Trim {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let kept = input
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |at| at + 1);
        if kept == input.len() {
            return Ok(Outcome::LeftOut);
        }
        output.extend_from_slice(&input[..kept]);
        output.extend_from_slice(&(input.len() as u32).to_le_bytes());
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, _: usize) -> Result<Outcome> {
        let (kept, len) = input
            .split_last_chunk::<4>()
            .ok_or_else(|| Error::filter("no length"))?;
        output.extend_from_slice(kept);
        // Careless: the pipeline has to notice.
        output.resize(u32::from_le_bytes(*len) as usize, 0);
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len + 4
    }

    fn may_decline(&self) -> bool {
        true
    }
}

fn with_trim(filters: &[FilterDescription]) -> Pipeline {
    let mut registry = Registry::default();
    registry.add(300, |values| match values {
        [] => Ok(Box::new(Trim)),
        _ => Err(Error::filter("it has no parameters")),
    });
    Pipeline::new(&registry, filters).unwrap()
}

fn trim(optional: bool) -> FilterDescription {
    FilterDescription {
        id: 300,
        name: None,
        optional,
        values: Vec::new(),
    }
}

#[test]
fn a_filter_of_ones_own_that_declines_sets_its_bit() {
    let pipeline = with_trim(&[shuffle(2), trim(true), fletcher32()]);
    let (stored, mask) = pipeline.encode(&[1, 0, 2, 0]).unwrap();
    assert_eq!((mask, stored.len()), (0, 2 + 4 + 4));
    assert_eq!(pipeline.decode(stored, 0, 4).unwrap(), [1, 0, 2, 0]);
    let (stored, mask) = pipeline.encode(&[1, 3, 2, 4]).unwrap();
    assert_eq!((mask, &stored[..4]), (0b10, &[1, 2, 3, 4][..]));
    assert_eq!(pipeline.decode(stored, mask, 4).unwrap(), [1, 3, 2, 4]);
    let required = with_trim(&[trim(false)]);
    assert!(required.encode(&[1, 3, 2, 4]).is_err());
    assert_eq!(required.encode(&[1, 0]).unwrap().1, 0);
    // What a filter of someone else makes too long is refused.
    assert!(is_corrupt(required.decode(vec![1, 9, 0, 0, 0], 0, 4)));
}

#[test]
fn a_chunk_that_a_filter_declines_may_have_the_size_of_a_raw_one() {
    // Its mask is then not that of a raw one, which libhdf5 would keep.
    assert!(with_trim(&[shuffle(2), trim(true)]).keeps_size());
    // Alone, it is.
    assert!(!with_trim(&[trim(true)]).keeps_size());
}

#[test]
fn memory_is_used_again_from_chunk_to_chunk() {
    let pipeline = pipeline(&[shuffle(4), deflate(6), fletcher32()]);
    let values = golden!("values_i4");
    let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
    let mut capacity = 0;
    for round in 0..4 {
        let (mut stored, mask) = pipeline.encode_taking(values, &mut scratch).unwrap();
        assert_eq!((stored.clone(), mask), pipeline.encode(values).unwrap());
        let back =
            pipeline.decode_taking(&mut stored, mask, values.len()..=values.len(), &mut other);
        let back = back.unwrap();
        assert_eq!(back, values);
        let given_back = |scratch: Scratch, memory| {
            let (bytes, spare) = scratch.into_parts();
            assert_eq!(bytes.capacity(), 0, "the result has taken it");
            Scratch::new(memory, spare)
        };
        scratch = given_back(scratch, stored);
        other = given_back(other, back);
        let now = scratch.capacity() + other.capacity();
        assert!(round < 2 || now == capacity, "{now} bytes, not {capacity}");
        capacity = now;
    }
}

fn number(size: u32, signed: bool) -> Datatype {
    Datatype::Integer(IntegerType {
        size,
        order: ByteOrder::LittleEndian,
        signed,
        bit_offset: 0,
        precision: (8 * size) as u16,
        low_pad: false,
        high_pad: false,
    })
}

fn pipeline_for(id: u16, values: &[u32], datatype: &Datatype, chunk: u64) -> Pipeline {
    let elements = Elements {
        datatype,
        chunk: &[chunk],
        fill: &[],
    };
    pipeline(&[Request::new(id, values).describe(elements).unwrap()])
}

#[test]
fn scale_offset_takes_the_bits_that_the_range_needs() {
    let pipeline = pipeline_for(
        SCALE_OFFSET,
        &ScaleOffset::Integer(0).values(),
        &number(2, true),
        4,
    );
    let data: Vec<u8> = [-300_i16, -297, -298, -300]
        .into_iter()
        .flat_map(i16::to_le_bytes)
        .collect();
    let stored = encode(&pipeline, &data).unwrap();
    // Four values and the pattern of the fill value take three bits: 000 011 010 000.
    assert_eq!(stored[..5], [3, 0, 0, 0, 8]);
    assert_eq!(stored[5..13], (-300_i64).to_le_bytes());
    assert_eq!(stored[21..], [0b0000_1101, 0b0000_0000]);
    assert_eq!(pipeline.decode(stored, 0, 8).unwrap(), data);
}

#[test]
fn scale_offset_loses_no_infinity_and_no_nan() {
    let places = ScaleOffset::FloatDScale(2).values();
    let float = <f32 as crate::H5Type>::datatype();
    let pipeline = pipeline_for(SCALE_OFFSET, &places, &float, 3);
    for odd in [f32::NAN, f32::INFINITY, f32::MAX] {
        let data: Vec<u8> = [1.5, odd, -2.25]
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect();
        let stored = encode(&pipeline, &data).unwrap();
        assert_eq!(pipeline.decode(stored, 0, 12).unwrap(), data);
    }
}

#[test]
fn nbit_stores_the_significant_bits() {
    let Datatype::Integer(mut twelve) = number(2, false) else {
        panic!("an integer")
    };
    twelve.precision = 12;
    let pipeline = pipeline_for(NBIT, &[], &Datatype::Integer(twelve), 2);
    let data = [0xbc, 0xa, 0x34, 0x2];
    let stored = encode(&pipeline, &data).unwrap();
    assert_eq!(stored, [0xab, 0xc2, 0x34, 0]);
    assert_eq!(pipeline.decode(stored, 0, 4).unwrap(), data);
    assert!(!pipeline.keeps_size());
    assert!(pipeline_for(NBIT, &[], &number(4, true), 2).keeps_size());
}

#[test]
fn lzf_declines_what_does_not_get_shorter() {
    let pipeline = pipeline_for(LZF, &[], &number(1, false), 300);
    let noise = (1..=300_u32).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 20) as u8);
    let noise: Vec<u8> = noise.collect();
    let (stored, mask) = pipeline.encode(&noise).unwrap();
    assert!(mask == 1 && stored == noise);
    let (stored, mask) = pipeline.encode(&[9; 300]).unwrap();
    // One literal, a copy of 264 bytes and one of 35.
    assert_eq!(stored, [0, 9, 0xe0, 255, 0, 0xe0, 26, 1]);
    assert_eq!(pipeline.decode(stored, mask, 300).unwrap(), [9; 300]);
}

/// Every filter, with parameters as datasets of some types have them.
fn every_filter() -> Vec<(u16, Vec<u32>, Datatype)> {
    let compound = Datatype::Compound {
        size: 8,
        members: vec![CompoundMember {
            name: "a".into(),
            offset: 2,
            datatype: Datatype::Array {
                dims: vec![2],
                base: Box::new(Datatype::Bitfield(twelve())),
            },
        }],
    };
    vec![
        (DEFLATE, vec![6], number(4, true)),
        (SHUFFLE, vec![], number(4, true)),
        (FLETCHER32, vec![], number(4, true)),
        (NBIT, vec![], Datatype::Integer(twelve())),
        (NBIT, vec![], compound),
        (SCALE_OFFSET, vec![2, 0], number(4, true)),
        (SCALE_OFFSET, vec![2, 3], number(1, false)),
        (SCALE_OFFSET, vec![0, 2], <f64 as crate::H5Type>::datatype()),
        (LZF, vec![], number(2, false)),
        #[cfg(feature = "lz4")]
        (LZ4, vec![], number(2, false)),
        #[cfg(feature = "lz4")]
        (LZ4, vec![64], number(2, false)),
        #[cfg(feature = "zstd")]
        (ZSTD, vec![3], number(2, false)),
        #[cfg(feature = "bitshuffle")]
        (BITSHUFFLE, Bitshuffle::None.values(), number(2, false)),
        #[cfg(feature = "bitshuffle")]
        (BITSHUFFLE, Bitshuffle::Lz4.values(), number(4, false)),
        #[cfg(feature = "bitshuffle")]
        (BITSHUFFLE, Bitshuffle::Zstd(3).values(), number(1, false)),
        #[cfg(feature = "bzip2")]
        (BZIP2, vec![9], number(2, false)),
        #[cfg(feature = "szip")]
        (SZIP, SZip::Entropy.values(8).to_vec(), number(1, false)),
        #[cfg(feature = "szip")]
        (
            SZIP,
            SZip::NearestNeighbor.values(4).to_vec(),
            number(2, true),
        ),
        #[cfg(feature = "szip")]
        (
            SZIP,
            SZip::NearestNeighbor.values(16).to_vec(),
            number(4, true),
        ),
        #[cfg(feature = "blosc")]
        (BLOSC, blosc(Blosc::BloscLZ, true), number(2, false)),
        #[cfg(feature = "blosc")]
        (BLOSC, blosc(Blosc::Snappy, false), number(2, false)),
        #[cfg(feature = "blosc")]
        (BLOSC2, blosc(Blosc::LZ4, true), number(2, false)),
        #[cfg(feature = "blosc")]
        (BLOSC2, blosc(Blosc::ZLib, false), number(2, false)),
    ]
}

/// What the pipeline makes of `stored`, in its own memory and in that of the caller, which must be the same.
fn decode(pipeline: &Pipeline, stored: &[u8], mask: u32, len: usize) -> Option<Vec<u8>> {
    let decoded = pipeline.decode(stored.to_vec(), mask, len);
    let mut out = vec![0xA5; len];
    // Memory that has been used before.
    let mut scratch = Scratch::new(vec![1; 100], vec![2; 3]);
    let result = pipeline.decode_into(stored, mask, &mut out, &mut scratch);
    let text = |error: &Error| error.to_string();
    assert_eq!(
        result.as_ref().map_err(text),
        decoded.as_ref().map(|_| &()).map_err(text)
    );
    if let Ok(decoded) = &decoded {
        assert!(*decoded == out);
    }
    decoded.ok()
}

/// Bits that are no part of a number are lost, and decimals.
fn lossy(id: u16) -> bool {
    matches!(id, NBIT | SCALE_OFFSET)
}

#[cfg(feature = "blosc")]
fn blosc(codec: Blosc, shuffle: bool) -> Vec<u32> {
    codec.values(5, shuffle.into()).to_vec()
}

/// The identifiers of the filters of this build.
fn every_id() -> Vec<u16> {
    let mut ids: Vec<u16> = every_filter().iter().map(|(id, ..)| *id).collect();
    ids.dedup();
    ids
}

fn twelve() -> IntegerType {
    IntegerType {
        size: 2,
        order: ByteOrder::BigEndian,
        signed: false,
        bit_offset: 1,
        precision: 12,
        low_pad: false,
        high_pad: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_filter_minds_any_bytes(data: Vec<u8>, len in 0_u64..200) {
        for (id, values, datatype) in every_filter() {
            let limit = len as usize * datatype.size() as usize;
            let pipeline = pipeline_for(id, &values, &datatype, len.max(20));
            let decoded = decode(&pipeline, &data, 0, limit);
            prop_assert!(decoded.is_none_or(|decoded| decoded.len() == limit));
        }
    }

    #[test]
    fn no_filter_minds_changed_bytes(
        seed: [u8; 16],
        count in 20_u64..300,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: prop::sample::Index,
    ) {
        for (id, values, datatype) in every_filter() {
            let len = count as usize * datatype.size() as usize;
            let data: Vec<u8> = (0..len).map(|at| seed[at % 16 * (at / 37 % 3) % 16]).collect();
            let pipeline = pipeline_for(id, &values, &datatype, count);
            let (mut stored, mask) = pipeline.encode(&data).unwrap();
            let back = decode(&pipeline, &stored, mask, len).unwrap();
            prop_assert!(lossy(id) || back == data, "filter {}", id);
            for (at, byte) in &changes {
                let at = at.index(stored.len());
                stored[at] = *byte;
            }
            decode(&pipeline, &stored, mask, len);
            stored.truncate(cut.index(stored.len() + 1));
            decode(&pipeline, &stored, mask, len);
        }
    }

    #[test]
    fn no_filter_minds_any_parameters(
        id in prop::sample::select(every_id()),
        values in prop::collection::vec(prop_oneof![0_u32..20, any::<u32>()], 0..24),
        data: Vec<u8>,
    ) {
        let mut description = FilterDescription { id, name: None, optional: false, values };
        for counted in [false, true] {
            if let (true, Some(first)) = (counted, description.values.first().copied()) {
                description.values[0] = if id == NBIT { description.values.len() as u32 } else { first };
            }
            let pipeline = pipeline(&[description.clone()]);
            let _ = pipeline.encode(&data);
            decode(&pipeline, &data, 0, 1000);
        }
    }
}

/// Chunks that h5py 3.16 (libhdf5 2.0) and hdf5plugin 7.1 wrote: identifier and number of parameters (2 bytes each), the
/// parameters, the size of the elements and they, the size of the stored bytes and they.
#[test]
fn chunks_of_hdf5plugin_decode_to_their_elements_and_are_made_again() {
    let mut rest = golden!("codecs");
    let mut take = |count: usize| {
        let (bytes, behind) = rest.split_at_checked(count)?;
        rest = behind;
        Some(bytes)
    };
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let mut seen = 0;
    while let Some(head) = take(4) {
        let [id, count] =
            [&head[..2], &head[2..]].map(|half| u16::from_le_bytes(half.try_into().unwrap()));
        let values = take(4 * usize::from(count))
            .unwrap()
            .chunks(4)
            .map(word)
            .collect();
        let len = word(take(4).unwrap()) as usize;
        let plain = take(len).unwrap();
        let len = word(take(4).unwrap()) as usize;
        let stored = take(len).unwrap();
        if not_built_in(id).is_some() {
            continue;
        }
        let description = FilterDescription {
            id,
            name: None,
            optional: true,
            values,
        };
        let case = alloc::format!("{id} {:?}", description.values);
        let pipeline = pipeline(&[description]);
        let decoded = pipeline.decode(stored.to_vec(), 0, plain.len());
        assert_eq!(decoded.unwrap(), plain, "{case}");
        let (again, mask) = pipeline.encode(plain).unwrap();
        assert_eq!(
            pipeline.decode(again, mask, plain.len()).unwrap(),
            plain,
            "{case}"
        );
        seen += 1;
    }
    assert!(seen >= 5, "{seen} filters");
}
