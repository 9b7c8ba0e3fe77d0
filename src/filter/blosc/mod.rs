//! The Blosc filter: one chunk of Blosc's. Blosc2 is in [`frame`].

mod blosclz;
mod chunk;
mod codec;
mod frame;

use super::{BLOSC, Elements, Filter, Known, Outcome};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use alloc::boxed::Box;
use alloc::vec::Vec;
use chunk::{Chunk, Maker, Order, SHORTEST};
use codec::Codec;

pub(super) use frame::KNOWN as BLOSC2_KNOWN;

/// The version of the filter and of the format.
const FILTER: u32 = 2;
const FORMAT: u32 = 2;
const MAX_ELEMENT: u32 = 255;

pub(super) const KNOWN: Known = Known {
    id: BLOSC,
    name: "blosc",
    optional: true,
    local,
    make: |values| {
        Ok(Box::new(Blosc {
            maker: maker(values, false)?,
        }))
    },
};

/// As `set_local` of the filter: versions, size of an element, size of a chunk; level, shuffle and codec are the user's.
fn local(values: &[u32], elements: Elements<'_>) -> Result<Vec<u32>> {
    let element = element(elements.datatype);
    let element = if element > MAX_ELEMENT { 1 } else { element };
    let mut local = values.to_vec();
    local.resize(local.len().max(4), 0);
    local[..4].copy_from_slice(&[FILTER, FORMAT, element, elements.chunk_bytes()?]);
    maker(&local, false)?;
    Ok(local)
}

/// The size of what an element is an array of.
fn element(datatype: &Datatype) -> u32 {
    match datatype {
        Datatype::Array { base, .. } => base.size(),
        other => other.size(),
    }
}

fn maker(values: &[u32], extended: bool) -> Result<Maker> {
    let element = values.get(2).copied().unwrap_or(1).max(1);
    let level = values.get(4).copied().unwrap_or(5);
    let order = match values.get(5).copied().unwrap_or(1) {
        0 => Order::Plain,
        1 => Order::Bytes,
        2 => Order::Bits,
        _ => return Err(Error::filter("Blosc with a shuffle that is not known")),
    };
    if level > 9 {
        return Err(Error::filter("Blosc needs a level of 0 to 9"));
    }
    Ok(Maker {
        codec: Codec::of_parameter(values.get(6).copied().unwrap_or(0))?,
        level: level as u8,
        order,
        element: if element > MAX_ELEMENT {
            1
        } else {
            element as usize
        },
        extended,
    })
}

struct Blosc {
    maker: Maker,
}

impl Filter for Blosc {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        // As the filter of others, whose chunk must not be longer than the bytes.
        if input.len() < SHORTEST || self.maker.level == 0 {
            return Ok(Outcome::LeftOut);
        }
        if i32::try_from(input.len()).is_err() {
            let max = i32::MAX as u64;
            return Err(Error::limit(
                "the size of a chunk of Blosc's",
                input.len() as u64,
                max,
            ));
        }
        self.maker.put(input, output)?;
        Ok(match output.len() < input.len() {
            true => Outcome::Written,
            false => Outcome::LeftOut,
        })
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let chunk = Chunk::parse(input)?;
        if chunk.len > limit {
            return Err(Error::filter(
                "a chunk of Blosc's is longer than it should be",
            ));
        }
        chunk.decode(output)?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(16)
    }

    fn may_decline(&self) -> bool {
        true
    }
}
