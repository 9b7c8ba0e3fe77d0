//! A zlib stream (RFC 1950) of bytes that are all at hand.
//!
//! Shuffled chunks are planes: low bytes are noise that no match shortens, high bytes are long runs. So a match is taken
//! when it is shorter than its literals would be, judged by how often they occur nearby, and the search steps faster and
//! faster where it finds none. Blocks end where that pays, see [`Block::join`].

use super::adler32;
use super::bits::Rest;
use super::blocks::{Block, Counts, Token, store};
use super::costs::Costs;
use super::matches::{Effort, Finder, Match};
use super::symbols::{BIT, MAX_MATCH};
use alloc::vec::Vec;

/// Costs are judged anew, and blocks may end, after about this many bytes.
const SEGMENT: usize = 8192;
/// A block has at most this many bytes, which bounds memory: no more than four stored ones.
const MAX_BLOCK: usize = 4 * 65535;
/// Positions behind which so many bytes follow are searched.
const TAIL: usize = 8;
/// The longest step over positions that are not searched.
const MAX_STEP: usize = 64;
/// A match that saves this much halves the steps.
const WORTH: i32 = 4 * BIT as i32;
/// What a later match must save for each byte that it reaches further.
const DELAY: i32 = BIT as i32 / 2;
/// Where this many bits are more bytes than four, shorter matches hardly pay, and are not looked for.
const SHORTEST: u32 = 16 * BIT;

/// Behind a match of this length a better one is looked for in a quarter of the places.
const FAIR: usize = 8;

/// What a level does.
#[derive(Clone, Copy)]
struct Search {
    effort: Effort,
    /// A match of this length is taken; shorter ones wait for what is found one byte later.
    good: usize,
    /// Steps grow by one for 2 to the power of this many positions without a match.
    patience: u32,
}

impl Search {
    fn of(level: u8) -> Self {
        let (depth, nice, good, patience) = match level {
            0 | 1 => (1, 32, 0, 5),
            2 => (3, 32, 0, 5),
            3 => (8, 32, 0, 6),
            4 => (12, 48, 0, 6),
            5 => (6, 32, 8, 6),
            6 => (8, 64, 12, 6),
            7 => (64, 160, 48, 8),
            8 => (128, MAX_MATCH, MAX_MATCH, 9),
            _ => (400, MAX_MATCH, MAX_MATCH, 10),
        };
        let short = level > 4;
        let effort = Effort { depth, nice, short };
        Self {
            effort,
            good,
            patience,
        }
    }
}

/// The state, to be used for one input after the other.
pub(super) struct Encoder {
    level: u8,
    search: Search,
    finder: Finder,
    costs: Costs,
    block: Block,
    /// How long the search has found little.
    misses: usize,
}

impl Encoder {
    pub(super) fn new(level: u8) -> Self {
        Self {
            level,
            search: Search::of(level),
            finder: Finder::new(),
            costs: Costs::new(),
            block: Block::new(),
            misses: 0,
        }
    }

    /// Appends the zlib stream of `input` to `output`. It depends on nothing else.
    pub(super) fn encode(&mut self, input: &[u8], output: &mut Vec<u8>) {
        // 2.2: deflate with a window of 32 KiB, and how hard was tried, as zlib has it.
        output.extend_from_slice(&match self.level {
            0 | 1 => [0x78, 0x01],
            2..=5 => [0x78, 0x5E],
            6 => [0x78, 0x9C],
            _ => [0x78, 0xDA],
        });
        match self.level {
            0 => store(input, output),
            _ => self.compress(input, output),
        }
        output.extend_from_slice(&adler32::checksum(input).to_be_bytes());
    }

    /// Appends the blocks of `input`.
    fn compress(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.finder.reset();
        self.costs.reset();
        self.block.clear();
        self.misses = 0;
        let (mut start, mut at) = (0, 0);
        let mut rest = Rest::default();
        while at < input.len() {
            let (before, tokens) = (at, self.block.tokens.len());
            at = self.segment(input, at);
            let counts = Counts::of(&self.block.tokens[tokens..], &input[before..at]);
            self.costs
                .learn(counts.literals(), counts.lengths(), counts.distances());
            let len = at - before;
            if self.block.len() + len > MAX_BLOCK || !self.block.join(&counts, len) {
                let whole = &input[start..before];
                rest = self.block.write(whole, tokens, false, rest, output);
                start = before;
                self.block.join(&counts, len);
            }
        }
        let tokens = self.block.tokens.len();
        rest = self
            .block
            .write(&input[start..], tokens, true, rest, output);
        output.extend(rest.byte());
    }

    /// Finds the tokens of about a segment from `start` on, and returns where they end.
    fn segment(&mut self, input: &[u8], start: usize) -> usize {
        let end = input.len().min(start + SEGMENT);
        self.costs.prepare(&input[start..end]);
        self.finder
            .look_for((SHORTEST / self.costs.mean()).clamp(4, 8));
        let Search {
            effort, patience, ..
        } = self.search;
        let searched = end.min(input.len().saturating_sub(TAIL));
        let (mut at, mut literals, mut last) = (start, start, 0);
        let mut misses = self.misses / 2;
        while at < searched {
            let nothing = Match::default();
            let found = self
                .finder
                .find(input, at, last, nothing, effort, &self.costs);
            if found.gain <= 0 {
                misses = (misses + 1).min(MAX_STEP << patience);
                at += 1 + (misses >> patience).min(MAX_STEP - 1);
                continue;
            }
            misses >>= (found.gain / WORTH).min(31);
            let (place, found, kept) = self.delayed(input, at, found, searched);
            let (place, found) = backwards(input, literals, place, found);
            self.block.tokens.push(Token {
                literals: (place - literals) as u32,
                len: found.len as u16,
                distance: found.distance as u16,
            });
            at = place + found.len;
            (literals, last) = (at, found.distance);
            // Of a run, the end is enough.
            let from = match found.len > 64 || found.distance < 4 {
                true => kept.max(at - 4),
                false => kept,
            };
            for place in from..at.min(searched) {
                self.finder.insert(input, place, effort.short);
            }
        }
        self.misses = misses;
        let end = end.max(at.min(input.len()));
        if literals < end {
            self.block.tokens.push(Token {
                literals: (end - literals) as u32,
                len: 0,
                distance: 0,
            });
        }
        end
    }

    /// The match `found` at `at`, or a better one that begins later; and the first place that is not kept yet.
    fn delayed(
        &mut self,
        input: &[u8],
        mut at: usize,
        mut found: Match,
        searched: usize,
    ) -> (usize, Match, usize) {
        let Search { effort, good, .. } = self.search;
        let mut next = at + 1;
        while found.len < good && next < searched {
            let depth = match found.len {
                FAIR.. => effort.depth.div_ceil(4),
                _ => effort.depth,
            };
            // What is longer reaches further.
            let than = Match {
                len: found.len - 1,
                ..found
            };
            let effort = Effort { depth, ..effort };
            let last = found.distance;
            let later = self
                .finder
                .find(input, next, last, than, effort, &self.costs);
            next += 1;
            let further = (next - 1 + later.len).saturating_sub(at + found.len) as i32;
            if later.distance == 0 || later.gain <= found.gain + further * DELAY {
                break;
            }
            (at, found) = (next - 1, later);
        }
        (at, found, next)
    }
}

/// The match `found` at `at`, with as many of the bytes before it as there are literals.
fn backwards(input: &[u8], literals: usize, mut at: usize, mut found: Match) -> (usize, Match) {
    while at > literals
        && at > found.distance
        && found.len < MAX_MATCH
        && input[at - 1] == input[at - 1 - found.distance]
    {
        at -= 1;
        found.len += 1;
    }
    (at, found)
}
