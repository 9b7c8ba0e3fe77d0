//! The encoder of h5quill, which its API does not show: the very same files.

#[path = "../../../src/filter/deflate/adler32.rs"]
mod adler32;
#[path = "../../../src/filter/deflate/bits.rs"]
mod bits;
#[path = "../../../src/filter/deflate/blocks.rs"]
mod blocks;
#[path = "../../../src/filter/deflate/costs.rs"]
mod costs;
#[path = "../../../src/filter/deflate/encoder.rs"]
mod encoder;
#[path = "../../../src/filter/deflate/huffman.rs"]
mod huffman;
#[path = "../../../src/filter/deflate/hybrid.rs"]
mod hybrid;
#[path = "../../../src/filter/deflate/matches.rs"]
mod matches;
#[path = "../../../src/filter/deflate/symbols.rs"]
mod symbols;

pub struct Encoder(hybrid::Hybrid);

impl Encoder {
    pub fn new(level: u8) -> Self {
        Self(hybrid::Hybrid::new(level))
    }

    pub fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.0.encode(input, output);
    }
}
