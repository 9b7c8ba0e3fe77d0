//! The deflate filter: a zlib stream (RFC 1950).

mod adler32;
mod bits;
mod blocks;
mod costs;
mod encoder;
mod huffman;
#[cfg(feature = "std")]
mod hybrid;
mod inflate;
mod matches;
mod pool;
mod symbols;
#[cfg(test)]
mod tests;

use super::{Filter, NAME, Outcome};
use crate::error::{Error, Result};
use alloc::vec::Vec;
#[cfg(not(feature = "std"))]
use encoder::Encoder;
#[cfg(feature = "std")]
use hybrid::Hybrid as Encoder;
#[cfg(not(feature = "std"))]
use inflate::portable::Decoder;
#[cfg(feature = "std")]
use inflate::zlib::Decoder;
use pool::Pool;

pub(super) const ID: u16 = 1;

pub(super) struct Deflate {
    level: u8,
    encoders: Pool<Encoder>,
    decoders: Pool<Decoder>,
}

impl Deflate {
    pub(super) fn new(values: &[u32]) -> Result<Self> {
        match *values {
            [level @ 0..=9] => Ok(Self {
                level: level as u8,
                encoders: Pool::new(),
                decoders: Pool::new(),
            }),
            _ => Err(Error::corrupt(NAME, "deflate needs a level of 0 to 9")),
        }
    }
}

impl Filter for Deflate {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let new = || Encoder::new(self.level);
        self.encoders
            .with(new, |encoder| encoder.encode(input, output));
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        self.decoders
            .with(Decoder::new, |decoder| decoder.decode(input, output, limit))?;
        Ok(Outcome::Written)
    }

    #[cfg(feature = "std")]
    fn decode_into(&self, input: &[u8], output: &mut [u8]) -> Result<bool> {
        let decode = |decoder: &mut Decoder| decoder.decode_into(input, output);
        Ok(self.decoders.with(Decoder::new, decode))
    }

    fn encoded_limit(&self, len: usize) -> usize {
        // Stored blocks add 5 bytes each; what a careless writer adds has room too.
        len.saturating_add(len / 8).saturating_add(1024)
    }
}
