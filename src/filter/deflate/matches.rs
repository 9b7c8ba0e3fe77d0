//! Earlier places of the same bytes: hash tables with the last place of four or more, and of three bytes; and chains to
//! the ones before.
//!
//! Places are kept modulo 65536. One that is out of date points at other bytes, which are compared anyway.

use super::costs::{Costs, Literals};
use super::symbols::{MAX_MATCH, MIN_MATCH, WINDOW};
use alloc::boxed::Box;
use alloc::vec;

const BITS: u32 = 15;
const SHORT_BITS: u32 = 13;

/// A match, and how many bits it is shorter than its literals, in 1/16.
#[derive(Clone, Copy, Default)]
pub(super) struct Match {
    pub(super) len: usize,
    pub(super) distance: usize,
    pub(super) gain: i32,
}

/// How far a search goes.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    /// The most places that are compared.
    pub(super) depth: u32,
    /// A match of this length is not improved.
    pub(super) nice: usize,
    /// Whether matches of three bytes are looked for.
    pub(super) short: bool,
}

pub(super) struct Finder {
    heads: Box<[u16; 1 << BITS]>,
    short_heads: Box<[u16; 1 << SHORT_BITS]>,
    chains: Box<[u16; WINDOW]>,
    shift: u32,
}

fn boxed<const N: usize>() -> Box<[u16; N]> {
    vec![0; N].try_into().unwrap_or_else(|_| Box::new([0; N]))
}

/// Four bytes as a number.
fn word(input: &[u8], at: usize) -> u32 {
    let bytes = input[at..].first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(bytes)
}

/// Eight bytes as a number.
fn long(input: &[u8], at: usize) -> u64 {
    let bytes = input[at..].first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(bytes)
}

/// The hash of the lowest bytes of `long`, those that `shift` leaves.
fn hash_long(long: u64, shift: u32) -> usize {
    ((long << shift).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

fn hash_short(word: u32) -> usize {
    ((word << 8).wrapping_mul(0x9E37_79B1) >> (32 - SHORT_BITS)) as usize
}

/// How many bytes are the same at two places, `max` at most.
fn same(input: &[u8], early: usize, late: usize, max: usize) -> usize {
    let (a, b) = (&input[early..][..max], &input[late..][..max]);
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return 8 * i + (differ.trailing_zeros() / 8) as usize;
        }
    }
    let rest = a_rest.iter().zip(b_rest).take_while(|(a, b)| a == b);
    8 * a.len() + rest.count()
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            heads: boxed(),
            short_heads: boxed(),
            chains: boxed(),
            shift: 32,
        }
    }

    /// Forgets everything, so that what is found does not depend on earlier inputs.
    pub(super) fn reset(&mut self) {
        self.heads.fill(0);
        self.short_heads.fill(0);
    }

    /// From now on looks for matches of so many bytes at least, 4 to 8, besides those of three and those nearby.
    pub(super) fn look_for(&mut self, bytes: u32) {
        self.shift = 64 - 8 * bytes;
    }

    /// Keeps the place `at`, behind which eight bytes follow.
    #[inline]
    pub(super) fn insert(&mut self, input: &[u8], at: usize, short: bool) {
        let long = long(input, at);
        let head = &mut self.heads[hash_long(long, self.shift)];
        self.chains[at % WINDOW] = *head;
        *head = at as u16;
        if short {
            self.short_heads[hash_short(long as u32)] = at as u16;
        }
    }

    /// The best match of the bytes at `at`, behind which eight bytes follow; keeps the place. `last` is the distance of
    /// the last match. Nothing that is not better than `than`.
    #[inline]
    pub(super) fn find(
        &mut self,
        input: &[u8],
        at: usize,
        last: usize,
        than: Match,
        effort: Effort,
        costs: &Costs,
    ) -> Match {
        let long = long(input, at);
        let here = long as u32;
        let head = &mut self.heads[hash_long(long, self.shift)];
        let mut distance = usize::from((at as u16).wrapping_sub(*head));
        self.chains[at % WINDOW] = *head;
        *head = at as u16;
        let mut literals = Literals::new(&input[at..], costs);
        let max = MAX_MATCH.min(input.len() - at);
        let window = WINDOW.min(at);
        let mut best = Match {
            // The last of its bytes is what differs in most places.
            len: than.len.clamp(MIN_MATCH, max.max(MIN_MATCH + 1) - 1),
            distance: 0,
            gain: than.gain,
        };
        if effort.short {
            let head = &mut self.short_heads[hash_short(here)];
            let distance = usize::from((at as u16).wrapping_sub(*head));
            *head = at as u16;
            if distance.wrapping_sub(1) < window && (word(input, at - distance) ^ here) << 8 == 0 {
                let gain = literals.gain(MIN_MATCH, distance);
                if gain > best.gain {
                    best = Match {
                        len: MIN_MATCH,
                        distance,
                        gain,
                    };
                }
            }
        }
        let mut improve = |best: &mut Match, distance: usize| {
            let len = same(input, at - distance, at, max);
            if len > best.len {
                let gain = literals.gain(len, distance);
                if gain > best.gain {
                    *best = Match {
                        len,
                        distance,
                        gain,
                    };
                }
            }
        };
        for near in [1, last] {
            if near.wrapping_sub(1) < window && word(input, at - near) == here {
                improve(&mut best, near);
            }
        }
        let mut depth = effort.depth;
        let mut before = 0;
        let nice = effort.nice.min(max);
        while distance > before && distance <= window && depth > 0 && best.len < nice {
            let place = at - distance;
            let tail = best.len - 3;
            if word(input, place + tail) == word(input, at + tail) && word(input, place) == here {
                improve(&mut best, distance);
            }
            before = distance;
            distance = usize::from((at as u16).wrapping_sub(self.chains[place % WINDOW]));
            depth -= 1;
        }
        match best.distance {
            0 => Match::default(),
            _ => best,
        }
    }
}
