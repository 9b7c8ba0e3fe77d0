//! BloscLZ: literals, and copies of any length from up to 73,727 bytes back.
//!
//! ```text
//!   xxxlllll                               at the beginning: l + 1 literals follow
//!   000lllll                               l + 1 literals follow
//!   lllddddd dddddddd                      l + 2 bytes, l from 1 to 6, from d + 1 bytes back
//!   111ddddd (11111111)* llllllll dddddddd 9 bytes and the sum of all l, from d + 1 bytes back
//! ```
//!
//! Where all bits of d are set, two bytes follow: the copy is from their big-endian number and 8192 bytes back.

use crate::error::{Error, Result};
use crate::filter::lz::{copy_within, for_each_copy};
use alloc::vec::Vec;

const MAX_LITERALS: usize = 32;
/// The first distance, less one, that takes two more bytes.
const FAR: usize = 8191;
const FARTHEST: usize = FAR + 1 + 0xffff;
/// Far copies that are shorter do not pay.
const SHORTEST_FAR: usize = 5;
/// So many bytes at the end are literals.
const LAST: usize = 4;
/// The bits that are set in the first byte of a stream.
const MARK: u8 = 1 << 5;

/// Appends `input`; ends where that would take as many bytes. Whether it did not.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) -> bool {
    let start = output.len();
    // What is coded, and what has been looked at.
    let (mut coded, mut seen) = (0, 0);
    // Decoders want literals at the end.
    let body = &input[..input.len().saturating_sub(LAST)];
    for_each_copy(body, FARTHEST, usize::MAX, |literals, distance, len| {
        let at = seen + literals.len();
        seen = at + len;
        if distance <= FAR || len >= SHORTEST_FAR {
            put_literals(&input[coded..at], output);
            put_copy(distance - 1, len, output);
            coded = seen;
        }
        output.len() - start < input.len()
    });
    put_literals(&input[coded..], output);
    if let Some(first) = output.get_mut(start) {
        *first |= MARK;
    }
    output.len() - start < input.len()
}

fn put_literals(literals: &[u8], output: &mut Vec<u8>) {
    for run in literals.chunks(MAX_LITERALS) {
        output.push((run.len() - 1) as u8);
        output.extend_from_slice(run);
    }
}

fn put_copy(back: usize, len: usize, output: &mut Vec<u8>) {
    let count = len - 2;
    let high = back.min(FAR) >> 8;
    if count < 7 {
        output.push((count << 5 | high) as u8);
    } else {
        output.push((7 << 5 | high) as u8);
        let mut more = count - 7;
        while more >= 255 {
            output.push(255);
            more -= 255;
        }
        output.push(more as u8);
    }
    output.push(back.min(FAR) as u8);
    if back >= FAR {
        output.extend_from_slice(&((back - FAR) as u16).to_be_bytes());
    }
}

/// Appends the bytes of a stream, `limit` at most.
pub(super) fn decompress(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<()> {
    let cut = || Error::filter("a BloscLZ stream ends too early");
    let too_long = || Error::filter("a BloscLZ stream is longer than it should be");
    let start = output.len();
    let mut rest = input;
    let mut next = |count: usize| -> Result<&[u8]> {
        let (bytes, behind) = rest.split_at_checked(count).ok_or_else(cut)?;
        rest = behind;
        Ok(bytes)
    };
    let mut first = true;
    while let Ok(&[control]) = next(1) {
        let control = usize::from(if first { control & 0x1f } else { control });
        first = false;
        let room = limit - (output.len() - start);
        if control < MAX_LITERALS {
            let literals = next(control + 1)?;
            if literals.len() > room {
                return Err(too_long());
            }
            output.extend_from_slice(literals);
            continue;
        }
        let mut len = (control >> 5) + 2;
        if control >> 5 == 7 {
            loop {
                let more = next(1)?[0];
                len += usize::from(more);
                if more != 255 {
                    break;
                }
            }
        }
        let mut back = (control & 0x1f) << 8 | usize::from(next(1)?[0]);
        if back == FAR {
            let far = next(2)?;
            back += usize::from(far[0]) << 8 | usize::from(far[1]);
        }
        let have = output.len() - start;
        if back >= have {
            return Err(Error::filter(
                "a BloscLZ stream refers to before its beginning",
            ));
        }
        if len > room {
            return Err(too_long());
        }
        let from = output.len() - back - 1;
        copy_within(output, from, len);
    }
    Ok(())
}
