//! III.E. The global heap: a collection of objects that elements of variable length refer to.
//!
//! ```text
//! collection:                          object, at a multiple of 8:
//!   0  4  signature "GCOL"               0  2  index (0: the free space, to the end of the collection)
//!   4  1  version 1                      2  2  reference count
//!   5  3  reserved                       4  4  reserved
//!   8  L  collection size                8  L  size; of the free space with this header, of an object without
//!   +     padding to 8, objects          +     padding to 8, the object, padding to 8
//! ```
//!
//! Readers demand that the objects end exactly where the collection does, and loop for ever over a free space of size
//! zero: the rest of a collection is empty or a free space of 16 bytes and more.

use crate::bytes::{Put, Take, Widths};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "global heap collection";

/// The size of the smallest collection.
pub(crate) const MIN_SIZE: u64 = 4096;

/// The largest index of an object.
pub(crate) const MAX_INDEX: u16 = u16::MAX;

/// What precedes the first object.
pub(crate) fn prefix_size(widths: Widths) -> u64 {
    (8 + u64::from(widths.length)).next_multiple_of(8)
}

/// What precedes the bytes of each object.
pub(crate) fn object_header_size(widths: Widths) -> u64 {
    (8 + u64::from(widths.length)).next_multiple_of(8)
}

/// What an object of `length` bytes takes in a collection.
pub(crate) fn object_size(length: u64, widths: Widths) -> u64 {
    object_header_size(widths) + length.next_multiple_of(8)
}

/// Where an object stands in its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeapObject {
    pub(crate) index: u16,
    pub(crate) reference_count: u16,
    /// Of the object's first byte.
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Starts a collection; its size is written by [`finish`].
pub(crate) fn begin(out: &mut Vec<u8>, widths: Widths) {
    out.put_bytes(b"GCOL");
    out.put_u8(1);
    out.put_zeros(prefix_size(widths) as usize - 5);
}

/// Appends an object to a collection.
pub(crate) fn put_object(
    out: &mut Vec<u8>,
    index: u16,
    reference_count: u16,
    object: &[u8],
    widths: Widths,
) {
    let end = out.len() as u64 + object_size(object.len() as u64, widths);
    out.reserve(end as usize - out.len());
    put_object_header(out, index, reference_count, object.len() as u64, widths);
    out.put_bytes(object);
    out.put_zeros(end as usize - out.len());
}

fn put_object_header(
    out: &mut Vec<u8>,
    index: u16,
    reference_count: u16,
    length: u64,
    widths: Widths,
) {
    let mut header = [0; 16];
    header[..2].copy_from_slice(&index.to_le_bytes());
    header[2..4].copy_from_slice(&reference_count.to_le_bytes());
    header[8..].copy_from_slice(&length.to_le_bytes());
    // Short lengths are followed by zeros, as the high bytes of one that fits are.
    out.put_bytes(&header[..object_header_size(widths) as usize]);
}

/// The size a collection of `used` bytes is to have: no rest, or room for the header of a free space.
pub(crate) fn closed_size(used: u64, widths: Widths) -> u64 {
    if used >= MIN_SIZE {
        used
    } else {
        MIN_SIZE.max(used + object_header_size(widths))
    }
}

/// Ends a collection at `size` bytes, a result of [`closed_size`]: free space and the collection's size.
pub(crate) fn finish(out: &mut Vec<u8>, size: u64, widths: Widths) {
    let rest = size - out.len() as u64;
    if rest > 0 {
        put_object_header(out, 0, 0, rest, widths);
    }
    out.resize(size as usize, 0);
    let mut field = Vec::new();
    field.put_len(size, widths);
    out[8..8 + field.len()].copy_from_slice(&field);
}

/// The size of the collection whose first bytes are `prefix`.
pub(crate) fn decode_size(prefix: &[u8], widths: Widths, offset: u64) -> Result<u64> {
    let mut take = Take::new(prefix, NAME, offset);
    take.signature(b"GCOL")?;
    take.version(1)?;
    take.skip(3)?;
    let size = take.len(widths)?;
    if size < MIN_SIZE {
        return Err(take.error("smaller than the smallest collection"));
    }
    Ok(size)
}

/// An object of a long string, with its header: many are shorter.
const USUAL_OBJECT: usize = 128;

/// The objects of a collection, in the order of their indices, without the free space.
pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Vec<HeapObject>> {
    let mut take = Take::new(bytes, NAME, offset);
    take.skip(prefix_size(widths) as usize)?;
    let header_size = object_header_size(widths);
    let mut objects = Vec::with_capacity(bytes.len() / USUAL_OBJECT);
    // Fewer bytes than an object header are free space without one.
    while take.remaining() as u64 >= header_size {
        let index = take.u16()?;
        let reference_count = take.u16()?;
        take.skip(4)?;
        let length = take.len(widths)?;
        take.skip(header_size as usize - 8 - usize::from(widths.length))?;
        let start = take.position() as u64;
        let body = if index == 0 {
            length
                .checked_sub(header_size)
                .ok_or_else(|| take.error("a free space is smaller than its header"))?
        } else {
            objects.push(HeapObject {
                index,
                reference_count,
                offset: start,
                length,
            });
            length
                .checked_next_multiple_of(8)
                .ok_or_else(|| take.error("an object is too long"))?
        };
        let body = usize::try_from(body).map_err(|_| take.error("an object is too long"))?;
        take.skip(body)?;
    }
    if !objects.is_sorted_by_key(|object| object.index) {
        objects.sort_unstable_by_key(|object| object.index);
    }
    if objects
        .windows(2)
        .any(|pair| pair[0].index == pair[1].index)
    {
        return Err(take.error("two objects have the same index"));
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLLECTION: &[u8] = include_bytes!("../../tests/golden/global_heap_collection.bin");

    #[test]
    fn a_collection_of_libhdf5_decodes_and_encodes_to_the_same_bytes() {
        let widths = Widths::EIGHT;
        let size = decode_size(&COLLECTION[..16], widths, 0).unwrap();
        assert_eq!(size, COLLECTION.len() as u64);
        let objects = decode(COLLECTION, widths, 0).unwrap();
        let text = |object: &HeapObject| {
            let start = object.offset as usize;
            COLLECTION[start..start + object.length as usize].to_vec()
        };
        let texts: Vec<Vec<u8>> = objects.iter().map(text).collect();
        // h5py converts the strings from the end, half by half.
        for i in 0..20 {
            let expected = alloc::format!("string {i} {}", "x".repeat(i));
            assert!(texts.iter().any(|text| text == expected.as_bytes()));
        }
        assert_eq!(texts.len(), 20);

        let mut out = Vec::new();
        begin(&mut out, widths);
        for object in &objects {
            put_object(
                &mut out,
                object.index,
                object.reference_count,
                &text(object),
                widths,
            );
        }
        finish(&mut out, size, widths);
        assert_eq!(out, COLLECTION);
    }

    #[test]
    fn the_rest_of_a_collection_is_never_smaller_than_an_object_header() {
        let widths = Widths::EIGHT;
        assert_eq!(closed_size(16, widths), 4096);
        assert_eq!(closed_size(4080, widths), 4096);
        assert_eq!(closed_size(4088, widths), 4104);
        assert_eq!(closed_size(4096, widths), 4096);
        assert_eq!(closed_size(5000, widths), 5000);
    }

    #[test]
    fn broken_collections_are_errors() {
        let widths = Widths::EIGHT;
        let mut whole = Vec::new();
        begin(&mut whole, widths);
        put_object(&mut whole, 1, 0, b"abc", widths);
        finish(&mut whole, 4096, widths);
        assert_eq!(decode(&whole, widths, 0).unwrap().len(), 1);

        let mut endless = whole.clone();
        endless[40 + 8..40 + 16].fill(0);
        assert!(decode(&endless, widths, 0).is_err(), "free space of size 0");
        let mut twice = whole[..40].to_vec();
        twice.extend_from_slice(&whole[16..40]);
        assert!(decode(&twice, widths, 0).is_err(), "an index used twice");
        let mut long = whole.clone();
        long[24..32].fill(0xff);
        assert!(
            decode(&long, widths, 0).is_err(),
            "an object beyond the end"
        );
        let mut small = whole[..16].to_vec();
        small[8..16].copy_from_slice(&64u64.to_le_bytes());
        assert!(decode_size(&small, widths, 0).is_err());
    }

    #[test]
    fn a_rest_too_small_for_a_header_is_free_space() {
        let widths = Widths::EIGHT;
        let mut bytes = Vec::new();
        begin(&mut bytes, widths);
        put_object(&mut bytes, 7, 3, &[9; 40], widths);
        bytes.extend_from_slice(&[0; 8]);
        let objects = decode(&bytes, widths, 0).unwrap();
        assert_eq!(
            objects,
            [HeapObject {
                index: 7,
                reference_count: 3,
                offset: 32,
                length: 40
            }]
        );
    }
}
