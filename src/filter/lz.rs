//! What two coders of literals and copies share.

use alloc::vec::Vec;

const HASH_BITS: u32 = 14;
/// A copy is of so many bytes at least.
const SHORTEST: usize = 3;
/// After so many bytes without a copy, every second is tried, after twice as many every third, and so on.
const PATIENCE: usize = 64;

/// Finds copies of up to `longest` bytes from up to `farthest` bytes back, and gives each with the literals before it:
/// their bytes, the distance and the length. Ends where that answers `false`. Returns the literals at the end.
pub(super) fn for_each_copy<'a>(
    input: &'a [u8],
    farthest: usize,
    longest: usize,
    mut copy: impl FnMut(&'a [u8], usize, usize) -> bool,
) -> &'a [u8] {
    // Where each hash was last, plus one.
    let mut last = [0_u32; 1 << HASH_BITS];
    let (mut at, mut literals) = (0, 0);
    while at + SHORTEST <= input.len() {
        let place = &mut last[hash(input, at)];
        let before = core::mem::replace(place, (at + 1) as u32) as usize;
        let distance = (at + 1).wrapping_sub(before);
        let found = before > 0
            && distance <= farthest
            && input[before - 1..][..SHORTEST] == input[at..][..SHORTEST];
        if !found {
            at += 1 + (at - literals) / PATIENCE;
            continue;
        }
        let most = (input.len() - at).min(longest);
        let same = input[before - 1..].iter().zip(&input[at..at + most]);
        let len = same.take_while(|(a, b)| a == b).count();
        if !copy(&input[literals..at], distance, len) {
            return &[];
        }
        for known in [at + 1, (at + len).saturating_sub(2)] {
            if known + SHORTEST <= input.len() {
                last[hash(input, known)] = (known + 1) as u32;
            }
        }
        at += len;
        literals = at;
    }
    &input[literals..]
}

fn hash(input: &[u8], at: usize) -> usize {
    let bytes = [input[at], input[at + 1], input[at + 2], 0];
    (u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

/// Appends `len` bytes from `from` on, which may be some that are appended.
pub(super) fn copy_within(output: &mut Vec<u8>, from: usize, len: usize) {
    let mut left = len;
    while left > 0 {
        let piece = left.min(output.len() - from);
        output.extend_from_within(from..from + piece);
        left -= piece;
    }
}
