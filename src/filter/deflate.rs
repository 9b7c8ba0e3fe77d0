//! The deflate filter: a zlib stream (RFC 1950).

use super::{Filter, NAME, Outcome};
use crate::error::{Error, Result};
use alloc::vec::Vec;

pub(super) const ID: u16 = 1;

/// No byte of a deflate stream stands for more bytes than this.
const MAX_RATIO: usize = 1032;

pub(super) struct Deflate {
    #[cfg(feature = "std")]
    engine: zlib::Engine,
    #[cfg(not(feature = "std"))]
    engine: portable::Engine,
}

impl Deflate {
    pub(super) fn new(values: &[u32]) -> Result<Self> {
        match *values {
            [level @ 0..=9] => Ok(Self {
                #[cfg(feature = "std")]
                engine: zlib::Engine::new(level as u8),
                #[cfg(not(feature = "std"))]
                engine: portable::Engine::new(level as u8),
            }),
            _ => Err(Error::corrupt(NAME, "deflate needs a level of 0 to 9")),
        }
    }
}

impl Filter for Deflate {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let limit = self.encoded_limit(input.len());
        self.engine.deflate(input, limit, output)?;
        Ok(Outcome::Written)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        self.engine.inflate(input, limit, output)?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        // Stored blocks add 5 bytes each; what a careless writer adds has room too.
        len.saturating_add(len / 8).saturating_add(1024)
    }
}

/// The most bytes that `input` may inflate to, when they must not exceed `limit`.
fn bound(input: &[u8], limit: usize) -> usize {
    limit.min(input.len().saturating_mul(MAX_RATIO))
}

fn broken() -> Error {
    Error::corrupt(NAME, "a chunk is no whole zlib stream")
}

fn too_long() -> Error {
    Error::corrupt(NAME, "a chunk inflates to more than its size")
}

/// zlib-rs, with its state kept for the next chunk.
#[cfg(feature = "std")]
mod zlib {
    use super::{bound, broken, too_long};
    use crate::error::{Error, Result};
    use alloc::vec::Vec;
    use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
    use std::sync::{Mutex, PoisonError};

    pub(super) struct Engine {
        level: Compression,
        /// One for every thread that has been at work at the same time.
        compressors: Mutex<Vec<Compress>>,
        decompressors: Mutex<Vec<Decompress>>,
    }

    fn take<T>(pool: &Mutex<Vec<T>>) -> Option<T> {
        pool.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put<T>(pool: &Mutex<Vec<T>>, state: T) {
        pool.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(state);
    }

    impl Engine {
        pub(super) fn new(level: u8) -> Self {
            Self {
                level: Compression::new(level.into()),
                compressors: Mutex::new(Vec::new()),
                decompressors: Mutex::new(Vec::new()),
            }
        }

        /// The zlib stream of `input`, for which `limit` bytes are enough.
        pub(super) fn deflate(
            &self,
            input: &[u8],
            limit: usize,
            output: &mut Vec<u8>,
        ) -> Result<()> {
            let mut compress = match take(&self.compressors) {
                Some(mut compress) => {
                    compress.reset();
                    compress
                }
                None => Compress::new(self.level, true),
            };
            output.reserve(limit);
            let mut rest = input;
            let ended = loop {
                let before = (compress.total_in(), output.len());
                let status = compress
                    .compress_vec(rest, output, FlushCompress::Finish)
                    .map_err(|_| Error::invalid("zlib refused to compress a chunk"))?;
                let taken = compress.total_in() - before.0;
                rest = &rest[usize::try_from(taken).unwrap_or(rest.len()).min(rest.len())..];
                if status == Status::StreamEnd {
                    break true;
                }
                if output.len() == output.capacity() || (taken == 0 && output.len() == before.1) {
                    break false;
                }
            };
            put(&self.compressors, compress);
            if !ended {
                return Err(Error::invalid("zlib needs more room than deflate can take"));
            }
            Ok(())
        }

        pub(super) fn inflate(
            &self,
            input: &[u8],
            limit: usize,
            output: &mut Vec<u8>,
        ) -> Result<()> {
            let mut decompress = match take(&self.decompressors) {
                Some(mut decompress) => {
                    decompress.reset(true);
                    decompress
                }
                None => Decompress::new(true),
            };
            // One byte more tells a stream that is too long.
            let capacity = bound(input, limit).saturating_add(1);
            output
                .try_reserve_exact(capacity)
                .map_err(|_| Error::limit("the size of a chunk", capacity as u64, 1 << 30))?;
            let mut rest = input;
            let result = loop {
                let before = (decompress.total_in(), output.len());
                let Ok(status) = decompress.decompress_vec(rest, output, FlushDecompress::Finish)
                else {
                    break Err(broken());
                };
                let taken = decompress.total_in() - before.0;
                rest = &rest[usize::try_from(taken).unwrap_or(rest.len()).min(rest.len())..];
                if output.len() > limit {
                    break Err(too_long());
                }
                if status == Status::StreamEnd {
                    break Ok(());
                }
                if taken == 0 && output.len() == before.1 {
                    break Err(broken());
                }
            };
            put(&self.decompressors, decompress);
            result
        }
    }
}

/// miniz_oxide, for hosts without `std`.
#[cfg(any(test, not(feature = "std")))]
pub(super) mod portable {
    use super::{bound, broken, too_long};
    use crate::error::Result;
    use alloc::vec::Vec;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

    pub(in crate::filter) struct Engine {
        level: u8,
    }

    impl Engine {
        pub(in crate::filter) fn new(level: u8) -> Self {
            Self { level }
        }

        /// The zlib stream of `input`.
        pub(in crate::filter) fn deflate(
            &self,
            input: &[u8],
            _: usize,
            output: &mut Vec<u8>,
        ) -> Result<()> {
            *output = compress_to_vec_zlib(input, self.level);
            Ok(())
        }

        pub(in crate::filter) fn inflate(
            &self,
            input: &[u8],
            limit: usize,
            output: &mut Vec<u8>,
        ) -> Result<()> {
            match decompress_to_vec_zlib_with_limit(input, bound(input, limit)) {
                Ok(inflated) => {
                    *output = inflated;
                    Ok(())
                }
                Err(error) if error.status == TINFLStatus::HasMoreOutput => Err(too_long()),
                Err(_) => Err(broken()),
            }
        }
    }
}
