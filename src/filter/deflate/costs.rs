//! What literals and matches will cost, judged before the code of their block is known.

use super::symbols::{
    BIT, DISTANCES, LENGTH_EXTRA, LENGTH_SLOTS, MAX_MATCH, MIN_MATCH, cost, distance_extra,
    distance_slot, length_slot,
};

/// Literals of a match that are looked at one by one; more than these are of mean cost.
const EXACT: usize = 16;

/// All in 1/16 bits.
pub(super) struct Costs {
    literals: [u32; 256],
    mean: u32,
    lengths: [u32; MAX_MATCH + 1],
    distances: [u32; DISTANCES],
    recent: Recent,
}

/// The symbols of the last segments, the newest counting most.
pub(super) struct Recent {
    pub(super) literals: u32,
    pub(super) lengths: [u32; LENGTH_SLOTS],
    pub(super) distances: [u32; DISTANCES],
}

impl Recent {
    fn new() -> Self {
        let mut lengths = [1; LENGTH_SLOTS];
        lengths[..8].copy_from_slice(&[16, 16, 12, 12, 8, 8, 6, 6]);
        Self {
            literals: 128,
            lengths,
            distances: [4; DISTANCES],
        }
    }
}

impl Costs {
    pub(super) fn new() -> Self {
        Self {
            literals: [8 * BIT; 256],
            mean: 8 * BIT,
            lengths: [0; MAX_MATCH + 1],
            distances: [0; DISTANCES],
            recent: Recent::new(),
        }
    }

    /// Forgets the symbols of an earlier input.
    pub(super) fn reset(&mut self) {
        self.recent = Recent::new();
    }

    /// Adapts to the bytes of the next segment, and to the matches of the ones before.
    pub(super) fn prepare(&mut self, segment: &[u8]) {
        let recent = &self.recent;
        let matches: u32 = recent.lengths.iter().sum();
        let total = recent.literals + matches;
        let literal = cost(recent.literals.max(1), total.max(1));
        let counts = count(segment);
        let len = segment.len() as u32;
        let mut sum = 0;
        for (to, &count) in self.literals.iter_mut().zip(&counts) {
            if count > 0 {
                *to = (cost(count, len) + literal).clamp(BIT, 15 * BIT);
                sum += u64::from(count) * u64::from(*to);
            }
        }
        self.mean = (sum / u64::from(len.max(1))) as u32;
        let mut slots = [0; LENGTH_SLOTS];
        for (slot, to) in slots.iter_mut().enumerate() {
            let symbol = cost(recent.lengths[slot] + 1, total + 29).min(9 * BIT);
            *to = symbol + u32::from(LENGTH_EXTRA[slot]) * BIT;
        }
        for len in MIN_MATCH..=MAX_MATCH {
            self.lengths[len] = slots[length_slot(len)];
        }
        for (slot, to) in self.distances.iter_mut().enumerate() {
            let symbol = cost(recent.distances[slot] + 1, matches + 30).min(13 * BIT / 2);
            *to = symbol + distance_extra(slot) * BIT;
        }
    }

    /// Learns from the symbols of a segment.
    pub(super) fn learn(&mut self, literals: u32, lengths: &[u32], distances: &[u32]) {
        let recent = &mut self.recent;
        recent.literals = recent.literals / 2 + literals;
        for (to, new) in recent.lengths.iter_mut().zip(lengths) {
            *to = *to / 2 + new;
        }
        for (to, new) in recent.distances.iter_mut().zip(distances) {
            *to = *to / 2 + new;
        }
    }

    /// What the literals cost on average.
    pub(super) fn mean(&self) -> u32 {
        self.mean
    }
}

/// The bytes of a place, the costs of the first of which are added up as they are needed.
pub(super) struct Literals<'a> {
    bytes: &'a [u8],
    costs: &'a Costs,
    known: usize,
    sums: [u32; EXACT + 1],
}

impl<'a> Literals<'a> {
    pub(super) fn new(bytes: &'a [u8], costs: &'a Costs) -> Self {
        Self {
            bytes,
            costs,
            known: 0,
            sums: [0; EXACT + 1],
        }
    }

    /// How many bits a match of `len` saves.
    #[inline]
    pub(super) fn gain(&mut self, len: usize, distance: usize) -> i32 {
        let exact = len.min(EXACT);
        while self.known < exact {
            let literal = self.costs.literals[usize::from(self.bytes[self.known])];
            self.sums[self.known + 1] = self.sums[self.known] + literal;
            self.known += 1;
        }
        let literals = self.sums[exact] + (len - exact) as u32 * self.costs.mean;
        let own =
            self.costs.lengths[len.min(MAX_MATCH)] + self.costs.distances[distance_slot(distance)];
        literals as i32 - own as i32
    }
}

/// How often each byte occurs.
pub(super) fn count(bytes: &[u8]) -> [u32; 256] {
    // Four tables: the same byte again does not wait for its own sum.
    let mut tables = [[0_u32; 256]; 4];
    let (rows, rest) = bytes.as_chunks::<4>();
    for row in rows {
        for (table, byte) in tables.iter_mut().zip(row) {
            table[usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        tables[0][usize::from(*byte)] += 1;
    }
    let [mut sums, others @ ..] = tables;
    for other in others {
        for (sum, more) in sums.iter_mut().zip(other) {
            *sum += more;
        }
    }
    sums
}
