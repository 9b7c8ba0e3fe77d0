//! The bzip2 filter: one bzip2 stream.

use super::{BZIP2, Filter, Known, Outcome};
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::vec::Vec;
use bzip2::{Action, Compress, Compression, Decompress, Status};

pub(super) const KNOWN: Known = Known {
    id: BZIP2,
    name: "bzip2",
    optional: true,
    local: |values, _| {
        level(values)?;
        Ok(values.to_vec())
    },
    make: |values| {
        Ok(Box::new(Bzip2 {
            level: level(values)?,
        }))
    },
};

/// The size of a block, in 100,000 bytes.
fn level(values: &[u32]) -> Result<Compression> {
    match values.first().copied().unwrap_or(9) {
        level @ 1..=9 => Ok(Compression::new(level)),
        _ => Err(Error::filter("bzip2 needs a level of 1 to 9")),
    }
}

struct Bzip2 {
    level: Compression,
}

impl Filter for Bzip2 {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        let refused = |_| Error::filter("bzip2 refused to compress");
        output.reserve(self.encoded_limit(input.len()));
        let mut compress = Compress::new(self.level, 0);
        let mut rest = input;
        loop {
            let before = compress.total_in();
            let status = compress.compress_vec(rest, output, Action::Finish);
            if status.map_err(refused)? == Status::StreamEnd {
                return Ok(Outcome::Written);
            }
            let taken = (compress.total_in() - before) as usize;
            rest = &rest[taken.min(rest.len())..];
            output.reserve(1024);
        }
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let broken = || Error::filter("a broken bzip2 stream");
        let mut decompress = Decompress::new(false);
        let mut rest = input;
        // One byte more tells a stream that is too long.
        output.reserve(limit.min(input.len().saturating_mul(8)) + 1);
        loop {
            let before = (decompress.total_in(), output.len());
            let status = decompress
                .decompress_vec(rest, output)
                .map_err(|_| broken())?;
            if output.len() > limit {
                return Err(Error::filter("a bzip2 chunk is longer than it should be"));
            }
            if status == Status::StreamEnd {
                return Ok(Outcome::Written);
            }
            let taken = (decompress.total_in() - before.0) as usize;
            rest = &rest[taken.min(rest.len())..];
            if output.len() == output.capacity() {
                output.reserve(output.len().min(limit - output.len() + 1).max(1));
            } else if taken == 0 && output.len() == before.1 {
                return Err(broken());
            }
        }
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(len / 100).saturating_add(600)
    }
}
