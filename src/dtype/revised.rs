//! The revised references of HDF5 1.12 (class 7, kinds 2 to 4).
//!
//! ```text
//!   0   1  what it names: 2 object, 3 region, 4 attribute; 0: nothing
//!   1   1  flags: 1, the object is in another file
//!   object in this file:            others:
//!   2   1  size of the token, t     2   4  size of the heap object
//!   3   t  token: the address       6   O  heap collection
//!   +      zeros                    +   4  index
//! the heap object: size of the token 1, token, (other file: length 2, name), then
//!   region: size of the selection 4, rank 4, selection
//!   attribute: length 2, name
//! ```

use super::reference::{
    AttributeReference, ObjectReference, Reference, RegionReference, address, check_own,
};
use super::{ELEMENT, VarLenSink, VarLenSource};
use crate::bytes::{Put, Take};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::selection::StoredSelection;
use alloc::string::String;
use alloc::vec::Vec;

const OBJECT: u8 = 2;
const REGION: u8 = 3;
const ATTRIBUTE: u8 = 4;
const EXTERNAL: u8 = 1;

/// What libhdf5 makes the type of all of them, in a file with addresses of 8 bytes.
pub(super) const DATATYPE: Datatype = Datatype::Reference {
    size: 18,
    kind: OBJECT,
    version: 1,
};

pub(super) fn take(take: &mut Take<'_>, heap: &mut dyn VarLenSource) -> Result<Reference> {
    let (names, flags) = (take.u8()?, take.u8()?);
    if names == 0 {
        return Ok(Reference::Object(ObjectReference::null()));
    }
    if flags & !EXTERNAL != 0 {
        return Err(take.error("unknown flags of a reference"));
    }
    let external = flags & EXTERNAL != 0;
    if names == OBJECT && !external {
        return token(take).map(Reference::Object);
    }
    let len = take.u32()?;
    let collection = take.uint(heap.offset_width())?;
    let index = take.u32()?;
    let mut blob = Vec::new();
    if len > 0 {
        heap.read(collection, index, len as usize, &mut blob)?;
    }
    let take = &mut Take::new(&blob, ELEMENT, 0);
    let mut object = token(take)?;
    if external {
        object = object.in_file(text(take)?.into());
    }
    match names {
        OBJECT => Ok(Reference::Object(object)),
        REGION => {
            let size = take.u32()? as usize;
            take.u32()?; // the rank, which the selection says, too
            let selection = take.bytes(size)?.to_vec();
            Ok(Reference::Region(RegionReference::new(object, selection)))
        }
        ATTRIBUTE => Ok(Reference::Attribute(AttributeReference::new(
            object,
            text(take)?,
        ))),
        _ => Err(take.error("unknown kind of reference")),
    }
}

fn token(take: &mut Take<'_>) -> Result<ObjectReference> {
    let size = take.u8()?;
    if !(1..=16).contains(&size) {
        return Err(take.error("a token of no known size"));
    }
    let width = size.min(8);
    let value = take.uint(width)?;
    if take
        .bytes(usize::from(size - width))?
        .iter()
        .any(|&byte| byte != 0)
    {
        return Err(take.error("a token that is no address"));
    }
    Ok(ObjectReference::new(address(value, width)))
}

fn text(take: &mut Take<'_>) -> Result<String> {
    let len = usize::from(take.u16()?);
    let bytes = take.bytes(len)?.to_vec();
    String::from_utf8(bytes).map_err(|_| take.error("a name in a reference is not UTF-8"))
}

/// The number of axes of a region, which libhdf5 wants beside the selection.
fn rank(region: &RegionReference) -> Result<u32> {
    let selection = StoredSelection::take(&mut Take::new(region.selection(), ELEMENT, 0))?;
    match selection.rank() {
        Some(rank) => Ok(rank as u32),
        None => Err(Error::unsupported(
            "writing a revised reference to a region that is all or nothing of its dataset",
        )),
    }
}

/// Refuses what cannot be written, before anything is kept in the heap.
pub(super) fn check(reference: &Reference) -> Result<()> {
    check_own(reference.object())?;
    match reference {
        Reference::Region(region) if !region.is_null() => rank(region).map(drop),
        Reference::Attribute(attribute) => {
            let (len, max) = (attribute.name().len() as u64, u64::from(u16::MAX));
            match len > max {
                true => Err(Error::limit("the name of an attribute", len, max)),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Puts an element of `size` bytes; the reference has been [checked](check).
pub(super) fn put(
    reference: &Reference,
    size: usize,
    heap: &mut dyn VarLenSink,
    out: &mut Vec<u8>,
) -> Result<()> {
    let (start, width) = (out.len(), heap.offset_width());
    let mut blob = Vec::new();
    if !reference.is_null() {
        blob.put_u8(width);
        blob.put_uint(reference.object().address(), width);
    }
    let names = match reference {
        _ if reference.is_null() => 0,
        Reference::Object(_) => OBJECT,
        Reference::Region(region) => {
            blob.put_u32(region.selection().len() as u32);
            blob.put_u32(rank(region)?);
            blob.put_bytes(region.selection());
            REGION
        }
        Reference::Attribute(attribute) => {
            blob.put_u16(attribute.name().len() as u16);
            blob.put_bytes(attribute.name().as_bytes());
            ATTRIBUTE
        }
    };
    out.put_u8(names);
    out.put_u8(0);
    if names > OBJECT {
        let (collection, index) = heap.insert(&blob)?;
        out.put_u32(blob.len() as u32);
        out.put_uint(collection, width);
        out.put_u32(index);
    } else {
        out.put_bytes(&blob);
    }
    out.resize(start + size, 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::H5Type;

    /// A heap of one object, which is that of the element at hand.
    struct Heap {
        object: Vec<u8>,
        place: (u64, u32),
    }

    impl VarLenSource for Heap {
        fn offset_width(&self) -> u8 {
            8
        }

        fn read(&mut self, addr: u64, index: u32, len: usize, out: &mut Vec<u8>) -> Result<()> {
            assert_eq!((addr, index), self.place);
            out.extend_from_slice(&self.object[..len]);
            Ok(())
        }
    }

    impl VarLenSink for Heap {
        fn offset_width(&self) -> u8 {
            8
        }

        fn insert(&mut self, object: &[u8]) -> Result<(u64, u32)> {
            // libhdf5 makes it as long as some other version of the selection would be, and leaves the rest as it was.
            assert_eq!(self.object[..object.len()], *object);
            self.object.truncate(object.len());
            Ok(self.place)
        }
    }

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits = hexadecimal.trim_matches('-').as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn references_of_libhdf5_are_read_and_written_as_they_are() {
        let lines = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/references.txt"
        ));
        let mut all = Vec::new();
        for line in lines.lines() {
            let (element, object) = line.split_once(' ').unwrap();
            let (element, object) = (bytes(element), bytes(object));
            let mut place = Take::new(&element, ELEMENT, 0);
            place.skip(6).unwrap();
            let mut heap = Heap {
                object,
                place: (place.u64().unwrap(), place.u32().unwrap()),
            };
            let reference = take(&mut Take::new(&element, ELEMENT, 0), &mut heap).unwrap();
            let mut out = Vec::new();
            let one = core::slice::from_ref(&reference);
            Reference::encode(one, &DATATYPE, &mut heap, &mut out).unwrap();
            let mut expected = element.clone();
            if element[0] > OBJECT {
                expected[2..6].copy_from_slice(&(heap.object.len() as u32).to_le_bytes());
            }
            assert_eq!(out, expected);
            all.push(reference);
        }
        let kinds = all.iter().map(|reference| match reference {
            Reference::Object(object) if object.is_null() => '0',
            Reference::Object(_) => 'o',
            Reference::Region(_) => 'r',
            Reference::Attribute(_) => 'a',
        });
        assert_eq!(kinds.collect::<String>(), "orrra0");
        let Reference::Attribute(attribute) = &all[4] else {
            panic!("{all:?}");
        };
        assert_eq!(attribute.name(), "größe");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_in_the_heap() {
        let mut heap = Heap {
            object: Vec::new(),
            place: (0, 0),
        };
        let own = ObjectReference::new(48);
        let named = |name: &str| Reference::from(AttributeReference::new(own.clone(), name.into()));
        let elsewhere = Reference::from(own.clone().in_file("other.h5".into()));
        let all_of_it = bytes("03000000010000000000000000000000");
        let region = Reference::from(RegionReference::new(own.clone(), all_of_it));
        for last in [named(&"n".repeat(1 << 16)), elsewhere, region] {
            // Were it written, the heap would refuse the name of the first.
            let both = [named("first"), last];
            let mut out = Vec::new();
            assert!(Reference::encode(&both, &DATATYPE, &mut heap, &mut out).is_err());
            assert!(out.is_empty());
        }
        let old = |kind, size| Datatype::Reference {
            kind,
            size,
            version: 0,
        };
        let mut out = Vec::new();
        assert!(Reference::encode(&[named("a")], &old(0, 8), &mut heap, &mut out).is_err());
        assert!(Reference::encode(&[own.into()], &old(1, 12), &mut heap, &mut out).is_err());
        assert!(out.is_empty());
    }
}
