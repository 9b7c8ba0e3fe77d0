//! Compounds: structs, field by field. What `#[derive(H5Type)]` writes calls this.

use super::{ELEMENT, H5Type, count, element, expect};
use crate::error::{Error, Result};
use crate::format::message::datatype::{CompoundMember, Datatype};
use alloc::vec;
use alloc::vec::Vec;

pub use super::layout::StructLayout;

/// How many elements are taken apart or put together at a time.
const BLOCK: usize = 512;

/// Whether `stored` is a compound of members with these names, each of a type that its function agrees to.
pub fn matches(stored: &Datatype, members: &[(&str, fn(&Datatype) -> bool)]) -> bool {
    stored.members().len() == members.len()
        && members.iter().enumerate().all(|(index, (name, matches))| {
            find(stored, index, name).is_some_and(|member| matches(&member.datatype))
        })
}

/// The member of that name, which is probably the one of that number.
fn find<'a>(stored: &'a Datatype, index: usize, name: &str) -> Option<&'a CompoundMember> {
    let members = stored.members();
    members
        .get(index)
        .filter(|member| member.name == name)
        .or_else(|| members.iter().find(|member| member.name == name))
}

/// As [`find`], of a compound that has been matched.
fn find_matched<'a>(stored: &'a Datatype, index: usize, name: &str) -> Result<&'a CompoundMember> {
    find(stored, index, name)
        .ok_or_else(|| Error::invalid("the stored compound has no such member").in_member(name))
}

/// Encodes structs, in blocks.
///
/// # Errors
/// What `encode` returns.
pub fn encode_blocks<T>(values: &[T], encode: impl FnMut(&[T]) -> Result<()>) -> Result<()> {
    element::encode_block(values, encode)
}

/// Puts elements together, a member of all of them after the other.
#[derive(Debug)]
pub struct Encoder<'a> {
    stored: &'a Datatype,
    out: &'a mut Vec<u8>,
    start: usize,
    column: Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// Makes room for `count` elements.
    ///
    /// # Errors
    /// `stored` is not `T`.
    pub fn new<T: H5Type>(
        stored: &'a Datatype,
        count: usize,
        out: &'a mut Vec<u8>,
    ) -> Result<Self> {
        expect::<T>(stored)?;
        let start = out.len();
        out.resize(start + count * stored.size() as usize, 0);
        Ok(Self {
            stored,
            out,
            start,
            column: Vec::new(),
        })
    }

    /// Puts the member `name`, probably the one of number `index`; `encode` gives the bytes of all elements.
    ///
    /// # Errors
    /// What `encode` returns, with the name of the member.
    pub fn member(
        &mut self,
        index: usize,
        name: &str,
        encode: impl FnOnce(&Datatype, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let member = find_matched(self.stored, index, name)?;
        self.column.clear();
        encode(&member.datatype, &mut self.column).map_err(|error| error.in_member(name))?;
        let elements = &mut self.out[self.start..];
        let stride = self.stored.size() as usize;
        let (offset, size) = (member.offset as usize, member.datatype.size() as usize);
        if elements.len() / stride.max(1) * size != self.column.len() || offset + size > stride {
            return Err(Error::invalid("an element of another size than its type").in_member(name));
        }
        scatter(&self.column, size, elements, stride, offset);
        Ok(())
    }
}

/// Copies parts of `size` bytes that follow each other to `offset` in each element of `stride` bytes.
fn scatter(column: &[u8], size: usize, elements: &mut [u8], stride: usize, offset: usize) {
    macro_rules! fixed {
        ($size:literal) => {{
            let parts = column.as_chunks::<$size>().0;
            for (element, part) in elements.chunks_exact_mut(stride).zip(parts) {
                element[offset..offset + $size].copy_from_slice(part);
            }
        }};
    }
    match size {
        1 => fixed!(1),
        2 => fixed!(2),
        4 => fixed!(4),
        8 => fixed!(8),
        16 => fixed!(16),
        _ => {
            let parts = column.chunks_exact(size.max(1));
            for (element, part) in elements.chunks_exact_mut(stride).zip(parts) {
                element[offset..offset + size].copy_from_slice(part);
            }
        }
    }
}

/// Appends the parts of `size` bytes that are at `offset` in each element of `stride` bytes.
fn gather(elements: &[u8], stride: usize, offset: usize, size: usize, column: &mut Vec<u8>) {
    let start = column.len();
    column.resize(start + elements.len() / stride * size, 0);
    let column = &mut column[start..];
    macro_rules! fixed {
        ($size:literal) => {{
            let places = column.as_chunks_mut::<$size>().0;
            for (place, element) in places.iter_mut().zip(elements.chunks_exact(stride)) {
                place.copy_from_slice(&element[offset..offset + $size]);
            }
        }};
    }
    match size {
        1 => fixed!(1),
        2 => fixed!(2),
        4 => fixed!(4),
        8 => fixed!(8),
        16 => fixed!(16),
        _ => {
            let places = column.chunks_exact_mut(size.max(1));
            for (place, element) in places.zip(elements.chunks_exact(stride)) {
                place.copy_from_slice(&element[offset..offset + size]);
            }
        }
    }
}

/// Takes elements apart, in blocks, a member of all elements of a block after the other.
#[derive(Debug)]
pub struct Decoder<'a> {
    stored: &'a Datatype,
    /// What is not in a block yet.
    rest: &'a [u8],
    block: &'a [u8],
    column: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// Takes elements stored as `stored`.
    ///
    /// # Errors
    /// `stored` is not `T`, or the last element is not whole.
    pub fn new<T: H5Type>(bytes: &'a [u8], stored: &'a Datatype) -> Result<Self> {
        expect::<T>(stored)?;
        let decoder = Self {
            stored,
            rest: bytes,
            block: &[],
            column: Vec::new(),
        };
        count(bytes, decoder.stride())?;
        Ok(decoder)
    }

    fn stride(&self) -> usize {
        (self.stored.size() as usize).max(1)
    }

    /// How many elements are left.
    pub fn count(&self) -> usize {
        self.rest.len() / self.stride()
    }

    /// Goes on to the next block: how many elements it has, `None` behind the last one.
    pub fn next_block(&mut self) -> Option<usize> {
        let len = self.rest.len().min(BLOCK * self.stride());
        (self.block, self.rest) = self.rest.split_at(len);
        (len > 0).then(|| len / self.stride())
    }

    /// The member `name` of the elements of the block; `decode` makes values of their bytes.
    ///
    /// # Errors
    /// What `decode` returns, with the name of the member.
    pub fn member<T>(
        &mut self,
        index: usize,
        name: &str,
        decode: impl FnOnce(&[u8], &Datatype) -> Result<Vec<T>>,
    ) -> Result<vec::IntoIter<T>> {
        let member = find_matched(self.stored, index, name)?;
        let (offset, size) = (member.offset as usize, member.datatype.size() as usize);
        let stride = self.stride();
        if offset.checked_add(size).is_none_or(|end| end > stride) {
            return Err(Error::corrupt(
                ELEMENT,
                "a member lies outside its compound type",
            ));
        }
        self.column.clear();
        gather(self.block, stride, offset, size, &mut self.column);
        match decode(&self.column, &member.datatype) {
            Ok(values) if values.len() == self.block.len() / stride => Ok(values.into_iter()),
            Ok(_) => Err(short().in_member(name)),
            Err(error) => Err(error.in_member(name)),
        }
    }
}

/// The error of a type that makes another number of values than there are elements.
pub fn short() -> Error {
    Error::invalid("a type gave fewer values than there are elements")
}
