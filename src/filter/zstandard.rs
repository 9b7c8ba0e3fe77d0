//! The Zstandard filter: one frame (RFC 8878) that says its content size.

use super::{Filter, Known, Outcome, ZSTD};
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::vec::Vec;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, FrameCompressor};

/// Frames of larger windows than the chunk are read up to this.
const MAX_WINDOW: u64 = 8 << 20;
/// How much is decoded before it is moved to the output.
const STEP: usize = 128 << 10;
/// The frame header descriptor, and its bits that tell a content size of 4 bytes.
const DESCRIPTOR: usize = 4;
const SIZE_OF_4: u8 = 2 << 6;

pub(super) const KNOWN: Known = Known {
    id: ZSTD,
    name: "zstd",
    optional: true,
    local: |values, _| Ok(values.to_vec()),
    make: |_| Ok(Box::new(Zstd)),
};

struct Zstd;

impl Filter for Zstd {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        compress(input, output)?;
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        decompress(input, output, limit)?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        // Raw blocks add 3 bytes each; what a careless writer adds has room too.
        len.saturating_add(len / 256).saturating_add(1024)
    }
}

/// Appends `input` as a frame.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) -> Result<()> {
    let len = u32::try_from(input.len())
        .map_err(|_| Error::limit("the size of a chunk", input.len() as u64, u32::MAX.into()))?;
    let at = output.len();
    let mut compressor = FrameCompressor::new(CompressionLevel::Fastest);
    compressor.set_source(input);
    compressor.set_drain(&mut *output);
    compressor.compress();
    // The frame does not say its size, which the filter of others takes from it: behind the descriptor and the window.
    let header = output.get_mut(at + DESCRIPTOR..at + DESCRIPTOR + 2);
    match header {
        Some([descriptor, _]) if *descriptor & !0b100 == 0 => *descriptor |= SIZE_OF_4,
        _ => return Err(Error::filter("the Zstandard encoder makes another header")),
    }
    let behind = at + DESCRIPTOR + 2;
    output.splice(behind..behind, len.to_le_bytes());
    Ok(())
}

/// Appends the content of all frames of `input`, at most `limit` bytes.
pub(super) fn decompress(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<()> {
    let broken = || Error::filter("a broken Zstandard frame");
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size((limit as u64).max(MAX_WINDOW));
    let (mut rest, end) = (input, output.len().saturating_add(limit));
    while !rest.is_empty() {
        match decoder.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                rest = rest.get(length as usize..).ok_or_else(broken)?;
                continue;
            }
            Err(_) => return Err(broken()),
        }
        if decoder.content_size() > (end - output.len()) as u64 {
            return Err(Error::filter(
                "a Zstandard chunk is longer than it should be",
            ));
        }
        loop {
            decoder
                .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(STEP))
                .map_err(|_| broken())?;
            if decoder.can_collect() > end - output.len() {
                return Err(Error::filter(
                    "a Zstandard chunk is longer than it should be",
                ));
            }
            decoder
                .collect_to_writer(&mut *output)
                .map_err(|_| broken())?;
            if decoder.is_finished() {
                break;
            }
        }
    }
    Ok(())
}
