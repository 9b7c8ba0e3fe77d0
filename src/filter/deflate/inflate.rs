//! The reverse: a zlib stream of anyone, into memory that is bounded.

use crate::error::Error;
use crate::filter::NAME;

/// No byte of a deflate stream stands for more bytes than this.
const MAX_RATIO: usize = 1032;

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

/// zlib-rs.
#[cfg(feature = "std")]
pub(super) mod zlib {
    use super::{bound, broken, too_long};
    use crate::error::{Error, Result};
    use alloc::vec::Vec;
    use flate2::{Decompress, FlushDecompress, Status};

    pub(in super::super) struct Decoder(Decompress);

    impl Decoder {
        pub(in super::super) fn new() -> Self {
            Self(Decompress::new(true))
        }

        pub(in super::super) fn decode(
            &mut self,
            input: &[u8],
            output: &mut Vec<u8>,
            limit: usize,
        ) -> Result<()> {
            self.0.reset(true);
            // One byte more tells a stream that is too long.
            let capacity = bound(input, limit).saturating_add(1);
            output
                .try_reserve_exact(capacity)
                .map_err(|_| Error::limit("the size of a chunk", capacity as u64, 1 << 30))?;
            let mut rest = input;
            loop {
                let before = (self.0.total_in(), output.len());
                let status = self.0.decompress_vec(rest, output, FlushDecompress::Finish);
                let status = status.map_err(|_| broken())?;
                let taken = self.0.total_in() - before.0;
                rest = &rest[usize::try_from(taken).unwrap_or(rest.len()).min(rest.len())..];
                if output.len() > limit {
                    return Err(too_long());
                }
                if status == Status::StreamEnd {
                    return Ok(());
                }
                if taken == 0 && output.len() == before.1 {
                    return Err(broken());
                }
            }
        }

        /// Whether `input` is a stream of as many bytes as `output` has, which then holds them.
        pub(in super::super) fn decode_into(&mut self, input: &[u8], output: &mut [u8]) -> bool {
            self.0.reset(true);
            let status = self.0.decompress(input, output, FlushDecompress::Finish);
            let whole = self.0.total_out() == output.len() as u64;
            matches!(status, Ok(Status::StreamEnd)) && whole
        }
    }
}

/// miniz_oxide, for hosts without `std`.
#[cfg(any(test, not(feature = "std")))]
pub(super) mod portable {
    use super::{bound, broken, too_long};
    use crate::error::Result;
    use alloc::vec::Vec;
    use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

    pub(in super::super) struct Decoder;

    impl Decoder {
        #[cfg(not(feature = "std"))]
        pub(in super::super) fn new() -> Self {
            Self
        }

        pub(in super::super) fn decode(
            &mut self,
            input: &[u8],
            output: &mut Vec<u8>,
            limit: usize,
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
