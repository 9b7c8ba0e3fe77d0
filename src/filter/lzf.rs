//! The LZF filter of h5py: literals and copies of up to 264 bytes from up to 8192 bytes back.
//!
//! ```text
//!   000lllll                          l + 1 literals follow
//!   lllddddd dddddddd                 l + 2 bytes, l from 1 to 6, from d + 1 bytes back
//!   111ddddd llllllll dddddddd        l + 9 bytes from d + 1 bytes back
//! ```

use super::lz::{copy_within, for_each_copy};
use super::{Filter, Known, LZF, Outcome};
use crate::error::{Error, Result};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The revision of the filter, and of the library, that h5py notes.
const REVISION: u32 = 4;
const LIBRARY: u32 = 0x105;

const MAX_LITERALS: usize = 32;
const MAX_DISTANCE: usize = 1 << 13;
const MAX_COPY: usize = 264;

pub(super) const KNOWN: Known = Known {
    id: LZF,
    name: "lzf",
    optional: true,
    local: |_, elements| Ok(vec![REVISION, LIBRARY, elements.chunk_bytes()?]),
    make: |_| Ok(Box::new(Lzf)),
};

struct Lzf;

impl Filter for Lzf {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        // As h5py does: what does not get shorter goes without the filter.
        output.reserve(input.len());
        compress(input, output);
        Ok(match output.len() < input.len() {
            true => Outcome::Written,
            false => Outcome::LeftOut,
        })
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        decompress(input, output, limit)?;
        Ok(Outcome::Written)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }

    fn may_decline(&self) -> bool {
        true
    }
}

/// Ends where the output is not shorter than the input.
fn compress(input: &[u8], output: &mut Vec<u8>) {
    let rest = for_each_copy(input, MAX_DISTANCE, MAX_COPY, |literals, distance, len| {
        put_literals(literals, output);
        let (count, back) = (len - 2, distance - 1);
        match count {
            ..7 => output.push((count << 5 | back >> 8) as u8),
            _ => output.extend_from_slice(&[(7 << 5 | back >> 8) as u8, (count - 7) as u8]),
        }
        output.push(back as u8);
        output.len() < input.len()
    });
    put_literals(rest, output);
}

fn put_literals(literals: &[u8], output: &mut Vec<u8>) {
    for run in literals.chunks(MAX_LITERALS) {
        output.push((run.len() - 1) as u8);
        output.extend_from_slice(run);
    }
}

fn decompress(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<()> {
    let cut = || Error::filter("an LZF chunk ends too early");
    // A copy of three bytes makes 264.
    output.reserve(limit.min(input.len().saturating_mul(88)));
    let mut rest = input;
    let mut next = |count: usize| -> Result<&[u8]> {
        let (bytes, behind) = rest.split_at_checked(count).ok_or_else(cut)?;
        rest = behind;
        Ok(bytes)
    };
    while let Ok(&[control]) = next(1) {
        let control = usize::from(control);
        let room = limit - output.len();
        let long = |len| len > room;
        if control < MAX_LITERALS {
            let literals = next(control + 1)?;
            if long(literals.len()) {
                return Err(Error::filter("an LZF chunk is longer than it should be"));
            }
            output.extend_from_slice(literals);
            continue;
        }
        let mut len = (control >> 5) + 2;
        if control >> 5 == 7 {
            len += usize::from(next(1)?[0]);
        }
        let distance = ((control & 0x1f) << 8 | usize::from(next(1)?[0])) + 1;
        let from = output.len().checked_sub(distance);
        let from =
            from.ok_or_else(|| Error::filter("an LZF chunk refers to before its beginning"))?;
        if long(len) {
            return Err(Error::filter("an LZF chunk is longer than it should be"));
        }
        copy_within(output, from, len);
    }
    Ok(())
}
