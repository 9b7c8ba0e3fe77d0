//! The shuffle filter: first bytes of all elements, then second bytes, and so on; a rest stays at the end.

use super::{Encoded, Filter, NAME};
use crate::error::{Error, Result};
use alloc::vec;
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
    fn encode(&self, input: &[u8], _: bool) -> Result<Encoded> {
        if !self.applies(input.len()) {
            return Ok(Encoded::Same);
        }
        Ok(Encoded::Bytes(shuffle(input, self.element_size)))
    }

    fn decode(&self, input: Vec<u8>, limit: usize) -> Result<Vec<u8>> {
        if input.len() > limit {
            return Err(Error::corrupt(NAME, "shuffled data exceeds the chunk"));
        }
        if !self.applies(input.len()) {
            return Ok(input);
        }
        Ok(unshuffle(&input, self.element_size))
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }
}

fn shuffle(input: &[u8], size: usize) -> Vec<u8> {
    let mut output = vec![0; input.len()];
    match size {
        2 => split::<2>(input, &mut output),
        4 => split::<4>(input, &mut output),
        8 => split::<8>(input, &mut output),
        16 => split::<16>(input, &mut output),
        _ => {
            let count = input.len() / size;
            let (planes, rest) = output.split_at_mut(count * size);
            for (byte, plane) in planes.chunks_exact_mut(count).enumerate() {
                for (to, element) in plane.iter_mut().zip(input.chunks_exact(size)) {
                    *to = element[byte];
                }
            }
            rest.copy_from_slice(&input[count * size..]);
        }
    }
    output
}

fn unshuffle(input: &[u8], size: usize) -> Vec<u8> {
    let mut output = vec![0; input.len()];
    match size {
        2 => join::<2>(input, &mut output),
        4 => join::<4>(input, &mut output),
        8 => join::<8>(input, &mut output),
        16 => join::<16>(input, &mut output),
        _ => {
            let count = input.len() / size;
            let (planes, rest) = input.split_at(count * size);
            for (byte, plane) in planes.chunks_exact(count).enumerate() {
                for (from, element) in plane.iter().zip(output.chunks_exact_mut(size)) {
                    element[byte] = *from;
                }
            }
            output[count * size..].copy_from_slice(rest);
        }
    }
    output
}

/// [`shuffle`] for elements of a size known to the compiler: each element is read once.
fn split<const SIZE: usize>(input: &[u8], output: &mut [u8]) {
    let (elements, rest) = input.as_chunks::<SIZE>();
    let count = elements.len();
    let (mut planes, tail) = output.split_at_mut(count * SIZE);
    tail.copy_from_slice(rest);
    let planes: [&mut [u8]; SIZE] = core::array::from_fn(|_| {
        let (plane, others) = core::mem::take(&mut planes).split_at_mut(count);
        planes = others;
        plane
    });
    for (index, element) in elements.iter().enumerate() {
        for byte in 0..SIZE {
            planes[byte][index] = element[byte];
        }
    }
}

/// [`unshuffle`] for elements of a size known to the compiler: each element is written once.
fn join<const SIZE: usize>(input: &[u8], output: &mut [u8]) {
    let (elements, tail) = output.as_chunks_mut::<SIZE>();
    let count = elements.len();
    let (planes, rest) = input.split_at(count * SIZE);
    tail.copy_from_slice(rest);
    let planes: [&[u8]; SIZE] = core::array::from_fn(|byte| &planes[byte * count..][..count]);
    for (index, element) in elements.iter_mut().enumerate() {
        for byte in 0..SIZE {
            element[byte] = planes[byte][index];
        }
    }
}
