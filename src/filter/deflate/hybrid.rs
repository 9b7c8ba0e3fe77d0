//! The encoder of a chunk: ours, or zlib-rs for what must be searched at nearly every byte, as text. There zlib-rs is the
//! faster one; in the planes of shuffled measurements ours is, and what it writes is shorter.
//!
//! The bytes of the chunk alone decide, so that files depend neither on threads nor on what was written before.

use super::costs::count;
use super::encoder::Encoder;
use super::symbols::log2;
use alloc::vec::Vec;
use flate2::{Compress, Compression, FlushCompress, Status};

/// So many windows are looked at, evenly spaced, of this part of the chunk together.
const WINDOWS: usize = 16;
const PART: usize = 32;
const MIN_WINDOW: usize = 256;
const MAX_WINDOW: usize = 4096;
/// Shorter inputs are ours.
const MIN_INPUT: usize = 2 * WINDOWS * MIN_WINDOW;
/// Bits of entropy that a byte has in text and in decimals: more is noise, in which nothing is found, and less are long
/// runs. In 1/4096.
const SEARCHED: core::ops::Range<u64> = 5 << 11..6 << 12;

/// The state, to be used for one input after the other.
pub(super) struct Hybrid {
    level: u8,
    own: Encoder,
    zlib: Option<Compress>,
}

impl Hybrid {
    pub(super) fn new(level: u8) -> Self {
        Self {
            level,
            own: Encoder::new(level),
            zlib: None,
        }
    }

    /// Appends the zlib stream of `input` to `output`. It depends on nothing else.
    pub(super) fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let by_zlib = self.level > 0 && dense(input) && self.by_zlib(input, output);
        if !by_zlib {
            self.own.encode(input, output);
        }
    }

    /// The stream of zlib-rs, unless that is longer than stored blocks; then there is none.
    fn by_zlib(&mut self, input: &[u8], output: &mut Vec<u8>) -> bool {
        let start = output.len();
        // Its level 1 is twice as fast as 2, and a third longer: more than our level 1 makes of the same bytes.
        let level = Compression::new(self.level.max(2).into());
        let zlib = self.zlib.get_or_insert_with(|| Compress::new(level, true));
        zlib.reset();
        output.reserve(input.len() + 1024);
        let status = zlib.compress_vec(input, output, FlushCompress::Finish);
        let whole = matches!(status, Ok(Status::StreamEnd));
        if !whole {
            output.truncate(start);
        }
        whole
    }
}

/// Whether most of `input` is neither noise nor runs.
fn dense(input: &[u8]) -> bool {
    if input.len() < MIN_INPUT {
        return false;
    }
    let window = (input.len() / PART / WINDOWS).clamp(MIN_WINDOW, MAX_WINDOW);
    let parts = input.chunks_exact(input.len() / WINDOWS).take(WINDOWS);
    let windows = parts.map(|part| &part[(part.len() - window) / 2..][..window]);
    let searched = windows.filter(|window| SEARCHED.contains(&entropy(window)));
    searched.count() > WINDOWS / 2
}

/// How many bits a byte of `window` has on average, in 1/4096.
fn entropy(window: &[u8]) -> u64 {
    let len = window.len() as u64;
    let bits = |count: u32| u64::from(count) * u64::from(log2(count));
    let counted: u64 = count(window).into_iter().map(bits).sum();
    u64::from(log2(window.len() as u32)).saturating_sub(counted / len.max(1))
}
