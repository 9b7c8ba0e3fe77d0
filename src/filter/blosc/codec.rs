//! The codecs inside Blosc's blocks.

use super::blosclz;
use crate::error::{Error, Result};
use crate::filter::deflate::Deflate;
use crate::filter::{Filter, lz4, zstandard};
use alloc::vec::Vec;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    BloscLz,
    Lz4,
    Snappy,
    Zlib,
    Zstd,
}

impl Codec {
    /// Of the number that a chunk has.
    pub(super) fn of_format(format: u8) -> Result<Self> {
        match format {
            0 => Ok(Self::BloscLz),
            1 => Ok(Self::Lz4),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Zlib),
            4 => Ok(Self::Zstd),
            _ => Err(Error::unsupported("a codec of Blosc's that is a plug-in")),
        }
    }

    /// The number in a chunk.
    pub(super) fn format(self) -> u8 {
        match self {
            Self::BloscLz => 0,
            Self::Lz4 => 1,
            Self::Snappy => 2,
            Self::Zlib => 3,
            Self::Zstd => 4,
        }
    }

    /// Of the number that the parameters of the filter have.
    pub(super) fn of_parameter(parameter: u32) -> Result<Self> {
        match parameter {
            0 => Ok(Self::BloscLz),
            // LZ4, and LZ4HC, whose blocks are the same.
            1 | 2 => Ok(Self::Lz4),
            3 => Ok(Self::Snappy),
            4 => Ok(Self::Zlib),
            5 => Ok(Self::Zstd),
            _ => Err(Error::filter("a codec of Blosc's that is not known")),
        }
    }

    /// Blocks are of about so many bytes, as Blosc makes them: small where the codec is fast.
    pub(super) fn block(self) -> usize {
        match self {
            Self::BloscLz | Self::Lz4 | Self::Snappy => 128 << 10,
            Self::Zlib | Self::Zstd => 512 << 10,
        }
    }

    /// What a byte of a stream stands for at most, in bytes.
    fn ratio(self) -> usize {
        match self {
            Self::BloscLz | Self::Lz4 => 256,
            Self::Snappy => 64,
            Self::Zlib => 1100,
            Self::Zstd => 64 << 10,
        }
    }

    /// Appends `input`. Whether that takes fewer bytes than there are; otherwise what was appended does not matter.
    pub(super) fn compress(self, level: u8, input: &[u8], output: &mut Vec<u8>) -> Result<bool> {
        let start = output.len();
        match self {
            Self::BloscLz => return Ok(blosclz::compress(input, output)),
            Self::Lz4 => lz4::compress(input, output)?,
            Self::Zstd => zstandard::compress(input, output)?,
            Self::Snappy => {
                output.resize(start + snap::raw::max_compress_len(input.len()), 0);
                let len = snap::raw::Encoder::new()
                    .compress(input, &mut output[start..])
                    .map_err(|_| Error::filter("Snappy refused to compress"))?;
                output.truncate(start + len);
            }
            Self::Zlib => {
                let mut stream = Vec::new();
                Deflate::new(&[level.into()])?.encode(input, &mut stream)?;
                output.extend_from_slice(&stream);
            }
        }
        Ok(output.len() - start < input.len())
    }

    /// Appends the `len` bytes of `stream`.
    pub(super) fn decompress(self, stream: &[u8], len: usize, output: &mut Vec<u8>) -> Result<()> {
        if len > stream.len().saturating_mul(self.ratio()) {
            return Err(Error::filter(
                "a stream of Blosc's is shorter than its block",
            ));
        }
        let start = output.len();
        match self {
            Self::BloscLz => blosclz::decompress(stream, output, len)?,
            Self::Zstd => zstandard::decompress(stream, output, len)?,
            Self::Lz4 => {
                output.resize(start + len, 0);
                lz4::decompress(stream, &mut output[start..])?;
            }
            Self::Snappy => {
                if snap::raw::decompress_len(stream).ok() != Some(len) {
                    return Err(Error::filter("a Snappy stream of another size"));
                }
                output.resize(start + len, 0);
                snap::raw::Decoder::new()
                    .decompress(stream, &mut output[start..])
                    .map_err(|_| Error::filter("a broken Snappy stream"))?;
            }
            Self::Zlib => {
                let mut bytes = Vec::new();
                Deflate::new(&[1])?.decode(stream, &mut bytes, len)?;
                output.extend_from_slice(&bytes);
            }
        }
        match output.len() - start == len {
            true => Ok(()),
            false => Err(Error::filter("a stream of Blosc's is of another size")),
        }
    }
}
