//! The shuffle filter: first bytes of all elements, then second bytes, and so on; a rest stays at the end.

use super::{Filter, NAME, Outcome};
use crate::error::{Error, Result};
use alloc::vec::Vec;

pub(super) const ID: u16 = 2;

pub(super) struct Shuffle {
    element_size: usize,
}

impl Shuffle {
    pub(super) fn new(values: &[u32]) -> Result<Self> {
        match values {
            [size] if *size > 0 => Ok(Self {
                element_size: usize::try_from(*size).unwrap_or(usize::MAX),
            }),
            _ => Err(Error::corrupt(NAME, "shuffle needs the size of an element")),
        }
    }

    /// Whether bytes move at all.
    fn applies(&self, len: usize) -> bool {
        self.element_size > 1 && len / self.element_size > 1
    }
}

impl Filter for Shuffle {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        if !self.applies(input.len()) {
            return Ok(Outcome::Unchanged);
        }
        output.resize(input.len(), 0);
        shuffle(input, self.element_size, output);
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        if input.len() > limit {
            return Err(Error::corrupt(NAME, "shuffled data exceeds the chunk"));
        }
        if !self.applies(input.len()) {
            return Ok(Outcome::Unchanged);
        }
        output.resize(input.len(), 0);
        unshuffle(input, self.element_size, output);
        Ok(Outcome::Written)
    }

    fn decode_into(&self, input: &[u8], output: &mut [u8]) -> Result<bool> {
        if input.len() != output.len() || !self.applies(input.len()) {
            return Ok(false);
        }
        unshuffle(input, self.element_size, output);
        Ok(true)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }

    fn keeps_size(&self) -> bool {
        true
    }
}

/// Blocks of this many bytes are transposed in registers and the first cache.
const BLOCK: usize = 1024;

fn shuffle(input: &[u8], size: usize, output: &mut [u8]) {
    let count = input.len() / size;
    let (planes, tail) = output.split_at_mut(count * size);
    let (elements, rest) = input.split_at(count * size);
    tail.copy_from_slice(rest);
    let mut done = 0;
    if matches!(size, 2 | 4 | 8 | 16) {
        for block in elements.as_chunks::<BLOCK>().0 {
            let (mut from, mut to) = (*block, [0; BLOCK]);
            for _ in 0..size.ilog2() {
                deinterleave(&from, &mut to);
                core::mem::swap(&mut from, &mut to);
            }
            let len = BLOCK / size;
            for (byte, part) in from.chunks_exact(len).enumerate() {
                planes[byte * count + done..][..len].copy_from_slice(part);
            }
            done += len;
        }
    }
    for (byte, plane) in planes.chunks_exact_mut(count).enumerate() {
        let elements = elements[done * size..].chunks_exact(size);
        for (to, element) in plane[done..].iter_mut().zip(elements) {
            *to = element[byte];
        }
    }
}

fn unshuffle(input: &[u8], size: usize, output: &mut [u8]) {
    let count = input.len() / size;
    let (planes, rest) = input.split_at(count * size);
    let (elements, tail) = output.split_at_mut(count * size);
    tail.copy_from_slice(rest);
    let mut done = 0;
    if matches!(size, 2 | 4 | 8 | 16) {
        for block in elements.as_chunks_mut::<BLOCK>().0 {
            let (mut from, mut to) = ([0; BLOCK], [0; BLOCK]);
            let len = BLOCK / size;
            for (byte, part) in from.chunks_exact_mut(len).enumerate() {
                part.copy_from_slice(&planes[byte * count + done..][..len]);
            }
            for _ in 0..size.ilog2() {
                interleave(&from, &mut to);
                core::mem::swap(&mut from, &mut to);
            }
            *block = from;
            done += len;
        }
    }
    for (byte, plane) in planes.chunks_exact(count).enumerate() {
        let elements = elements[done * size..].chunks_exact_mut(size);
        for (from, element) in plane[done..].iter().zip(elements) {
            element[byte] = *from;
        }
    }
}

/// Even bytes to the first half, odd bytes to the second. On the number of a byte's place this rotates the bits to the
/// right; as many times as an element's size has bits, it brings "element, byte" to "byte, element".
fn deinterleave(from: &[u8; BLOCK], to: &mut [u8; BLOCK]) {
    let (even, odd) = to.split_at_mut(BLOCK / 2);
    let pairs = from.as_chunks().0;
    for (to, pair) in even.iter_mut().zip(pairs) {
        *to = u16::from_le_bytes(*pair) as u8;
    }
    for (to, pair) in odd.iter_mut().zip(pairs) {
        *to = (u16::from_le_bytes(*pair) >> 8) as u8;
    }
}

/// The reverse of [`deinterleave`].
fn interleave(from: &[u8; BLOCK], to: &mut [u8; BLOCK]) {
    let (even, odd) = from.split_at(BLOCK / 2);
    for ((pair, even), odd) in to.as_chunks_mut().0.iter_mut().zip(even).zip(odd) {
        *pair = [*even, *odd];
    }
}
