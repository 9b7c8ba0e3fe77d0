//! Blocks (RFC 1951, 3.2.3 to 3.2.7): where one ends, and how it is written.

use super::bits::{Bits, Rest};
use super::costs::count;
use super::huffman;
use super::symbols::{
    DISTANCES, END_OF_BLOCK, LENGTH_BASE, LENGTH_EXTRA, LITLENS, MAX_MATCH, MIN_MATCH,
    distance_base, distance_extra, distance_slot, length_slot, log2,
};
use alloc::vec::Vec;

/// Four literals and seven bits fit 64.
const MAX_LITLEN: usize = 14;
const MAX_DISTANCE: usize = 15;
const MAX_PRECODE: usize = 7;
/// The most bytes of a stored block.
const MAX_STORED: usize = 65535;

/// Literals, and the match behind them; no match when `len` is 0.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) literals: u32,
    pub(super) len: u16,
    pub(super) distance: u16,
}

/// How often symbols occur.
#[derive(Clone)]
pub(super) struct Counts {
    litlens: [u32; LITLENS],
    distances: [u32; DISTANCES],
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            litlens: [0; LITLENS],
            distances: [0; DISTANCES],
        }
    }

    /// The counts of `tokens`, which stand for the bytes from the start of `input`.
    pub(super) fn of(tokens: &[Token], mut input: &[u8]) -> Self {
        let mut counts = Self::new();
        for token in tokens {
            let (literals, rest) = input.split_at(token.literals as usize);
            if literals.len() < 64 {
                for byte in literals {
                    counts.litlens[usize::from(*byte)] += 1;
                }
            } else {
                for (to, more) in counts.litlens.iter_mut().zip(count(literals)) {
                    *to += more;
                }
            }
            if token.len > 0 {
                let slot = length_slot(token.len.into());
                counts.litlens[END_OF_BLOCK + 1 + slot] += 1;
                counts.distances[distance_slot(token.distance.into())] += 1;
            }
            input = &rest[usize::from(token.len)..];
        }
        counts
    }

    fn add(&mut self, other: &Self) {
        for (to, more) in self.litlens.iter_mut().zip(&other.litlens) {
            *to += more;
        }
        for (to, more) in self.distances.iter_mut().zip(&other.distances) {
            *to += more;
        }
    }

    pub(super) fn literals(&self) -> u32 {
        self.litlens[..END_OF_BLOCK].iter().sum()
    }

    pub(super) fn lengths(&self) -> &[u32] {
        &self.litlens[END_OF_BLOCK + 1..]
    }

    pub(super) fn distances(&self) -> &[u32] {
        &self.distances
    }

    /// The bits behind length and distance symbols.
    fn extra(&self) -> u64 {
        let lengths = self.lengths().iter().zip(LENGTH_EXTRA);
        let lengths: u64 = lengths
            .map(|(n, extra)| u64::from(*n) * u64::from(extra))
            .sum();
        let distances = self.distances.iter().enumerate();
        lengths
            + distances
                .map(|(slot, n)| u64::from(*n) * u64::from(distance_extra(slot)))
                .sum::<u64>()
    }

    /// About how many bits a block of `len` bytes takes, in 1/4096.
    fn estimate(&self, len: usize) -> u64 {
        let entropy = |counts: &[u32]| {
            let (mut total, mut sum, mut used) = (0, 0, 0);
            for &count in counts {
                total += count;
                sum += u64::from(count) * u64::from(log2(count));
                used += u64::from(count > 0);
            }
            (u64::from(total) * u64::from(log2(total))
                - sum.min(u64::from(total) * u64::from(log2(total))))
                + used * HEADER_SYMBOL
        };
        let coded =
            entropy(&self.litlens) + entropy(&self.distances) + (self.extra() << 12) + HEADER;
        coded.min(((8 * len as u64) + 40) << 12)
    }
}

/// What a used symbol adds to the header of a block, and what a block takes besides, in 1/4096 bits.
const HEADER_SYMBOL: u64 = 7 << 11;
const HEADER: u64 = 80 << 12;

/// A run of tokens that becomes a block.
pub(super) struct Block {
    pub(super) tokens: Vec<Token>,
    counts: Counts,
    len: usize,
    estimate: u64,
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            tokens: Vec::new(),
            counts: Counts::new(),
            len: 0,
            estimate: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.tokens.clear();
        self.forget();
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes `counts` of `len` bytes in, unless a block of their own is shorter.
    pub(super) fn join(&mut self, counts: &Counts, len: usize) -> bool {
        let mut both = self.counts.clone();
        both.add(counts);
        let (estimate, alone) = (both.estimate(self.len + len), counts.estimate(len));
        if self.len > 0 && estimate > self.estimate + alone {
            return false;
        }
        self.counts = both;
        self.len += len;
        self.estimate = estimate;
        true
    }

    /// Writes the block of the bytes `input`, the tokens of which are the first `tokens`, to the end of `output`. The
    /// other tokens stay.
    pub(super) fn write(
        &mut self,
        input: &[u8],
        tokens: usize,
        last: bool,
        rest: Rest,
        output: &mut Vec<u8>,
    ) -> Rest {
        self.counts.litlens[END_OF_BLOCK] = 1;
        let fixed = Code::fixed();
        let dynamic = Code::of(&self.counts);
        let header = Header::of(&dynamic);
        let extra = self.counts.extra();
        let with_header = dynamic.bits(&self.counts) + header.bits();
        let without = fixed.bits(&self.counts);
        let coded = 3 + extra + with_header.min(without);
        let start = output.len();
        // The first may end up to 7 bits further on than the following ones.
        let stored = stored_len(input.len()) as u64 * 8 + 2;
        let room = stored.min(coded + 7) / 8 + 16;
        output.resize(start + usize::try_from(room).unwrap_or(usize::MAX), 0);
        let mut bits = Bits::new(&mut output[start..], rest);
        if stored <= coded {
            write_stored(&mut bits, input, last);
        } else {
            let code = if with_header < without {
                bits.put(u32::from(last) | 2 << 1, 3);
                header.write(&mut bits);
                dynamic
            } else {
                bits.put(u32::from(last) | 1 << 1, 3);
                fixed
            };
            code.writer()
                .write(&mut bits, &self.tokens[..tokens], input);
        }
        let (end, rest) = bits.end();
        output.truncate(start + end);
        self.tokens.drain(..tokens);
        self.forget();
        rest
    }

    fn forget(&mut self) {
        self.counts = Counts::new();
        self.len = 0;
        self.estimate = 0;
    }
}

/// Blocks of three bits, up to seven to the next byte, and four bytes with the length.
fn stored_len(len: usize) -> usize {
    len + 5 * len.div_ceil(MAX_STORED).max(1)
}

/// Appends `input` in stored blocks, the last of a stream.
pub(super) fn store(input: &[u8], output: &mut Vec<u8>) {
    let start = output.len();
    output.resize(start + stored_len(input.len()) + 8, 0);
    let mut bits = Bits::new(&mut output[start..], Rest::default());
    write_stored(&mut bits, input, true);
    let (end, _) = bits.end();
    output.truncate(start + end);
}

fn write_stored(bits: &mut Bits, input: &[u8], last: bool) {
    let mut parts = input.chunks(MAX_STORED).peekable();
    let mut write = |part: &[u8], last| {
        bits.put(last, 3);
        bits.align();
        let len = part.len() as u32;
        bits.put(len | !len << 16, 32);
        bits.flush();
        bits.bytes(part);
    };
    if input.is_empty() {
        write(input, last.into());
    }
    while let Some(part) = parts.next() {
        write(part, u32::from(last && parts.peek().is_none()));
    }
}

/// The lengths of a block's two codes.
struct Code {
    litlens: [u8; 288],
    distances: [u8; DISTANCES],
}

impl Code {
    /// 3.2.6. Compression with fixed Huffman codes.
    fn fixed() -> Self {
        let mut litlens = [8; 288];
        litlens[144..256].fill(9);
        litlens[256..280].fill(7);
        Self {
            litlens,
            distances: [5; DISTANCES],
        }
    }

    fn of(counts: &Counts) -> Self {
        let mut litlens = [0; 288];
        litlens[..LITLENS].copy_from_slice(&huffman::lengths(&counts.litlens, MAX_LITLEN));
        Self {
            litlens,
            distances: huffman::lengths(&counts.distances, MAX_DISTANCE),
        }
    }

    /// The bits of all symbols.
    fn bits(&self, counts: &Counts) -> u64 {
        let sum = |counts: &[u32], lengths: &[u8]| -> u64 {
            counts
                .iter()
                .zip(lengths)
                .map(|(n, len)| u64::from(*n) * u64::from(*len))
                .sum()
        };
        sum(&counts.litlens, &self.litlens) + sum(&counts.distances, &self.distances)
    }

    fn writer(&self) -> Writer {
        let codes = huffman::codes(&self.litlens);
        let entry = |symbol: usize| Entry::new(codes[symbol].into(), self.litlens[symbol].into());
        let mut lengths = [Entry::default(); MAX_MATCH + 1];
        for (len, to) in lengths.iter_mut().enumerate().skip(MIN_MATCH) {
            let slot = length_slot(len);
            let extra = (len - usize::from(LENGTH_BASE[slot])) as u32;
            *to = entry(END_OF_BLOCK + 1 + slot).followed(extra, LENGTH_EXTRA[slot].into());
        }
        let codes = huffman::codes(&self.distances);
        Writer {
            literals: core::array::from_fn(entry),
            end: entry(END_OF_BLOCK),
            lengths,
            distances: core::array::from_fn(|slot| {
                Entry::new(codes[slot].into(), self.distances[slot].into())
            }),
        }
    }
}

/// Up to 24 bits, and how many they are.
#[derive(Clone, Copy, Default)]
struct Entry(u32);

impl Entry {
    fn new(bits: u32, len: u32) -> Self {
        Self(bits | len << 24)
    }

    fn bits(self) -> u32 {
        self.0 & 0x00FF_FFFF
    }

    fn len(self) -> u32 {
        self.0 >> 24
    }

    fn followed(self, bits: u32, len: u32) -> Self {
        Self::new(self.bits() | bits << self.len(), self.len() + len)
    }
}

/// The bits of everything in a block.
struct Writer {
    literals: [Entry; 256],
    end: Entry,
    lengths: [Entry; MAX_MATCH + 1],
    distances: [Entry; DISTANCES],
}

impl Writer {
    fn write(&self, bits: &mut Bits, tokens: &[Token], mut input: &[u8]) {
        for token in tokens {
            let (literals, behind) = input.split_at(token.literals as usize);
            let (rows, rest) = literals.as_chunks::<4>();
            for row in rows {
                for byte in row {
                    let entry = self.literals[usize::from(*byte)];
                    bits.put(entry.bits(), entry.len());
                }
                bits.flush();
            }
            for byte in rest {
                let entry = self.literals[usize::from(*byte)];
                bits.put(entry.bits(), entry.len());
            }
            bits.flush();
            let len = usize::from(token.len);
            if len > 0 {
                let entry = self.lengths[len.min(MAX_MATCH)];
                bits.put(entry.bits(), entry.len());
                let distance = usize::from(token.distance);
                let slot = distance_slot(distance);
                let entry = self.distances[slot.min(DISTANCES - 1)];
                bits.put(entry.bits(), entry.len());
                bits.put(
                    (distance - distance_base(slot)) as u32,
                    distance_extra(slot),
                );
                bits.flush();
            }
            input = &behind[len..];
        }
        bits.put(self.end.bits(), self.end.len());
        bits.flush();
    }
}

/// 3.2.7: the code lengths of a block, in a code of their own.
struct Header {
    litlens: usize,
    distances: usize,
    /// Symbols, each with the bits behind it.
    symbols: Vec<(u8, u8)>,
    lengths: [u8; 19],
    sent: usize,
}

/// The order in which the lengths of the code of code lengths are stored.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// How many bits follow each symbol of that code.
const REPEAT_EXTRA: [u8; 19] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7];

impl Header {
    fn of(code: &Code) -> Self {
        let used = |lengths: &[u8], least: usize| {
            let last = lengths.iter().rposition(|len| *len > 0);
            last.map_or(least, |last| least.max(last + 1))
        };
        let litlens = used(&code.litlens, 257);
        let distances = used(&code.distances, 1);
        let mut all = Vec::with_capacity(litlens + distances);
        all.extend_from_slice(&code.litlens[..litlens]);
        all.extend_from_slice(&code.distances[..distances]);
        let symbols = run_lengths(&all);
        let mut counts = [0; 19];
        for (symbol, _) in &symbols {
            counts[usize::from(*symbol)] += 1;
        }
        let lengths = huffman::lengths(&counts, MAX_PRECODE);
        let sent = ORDER.iter().rposition(|symbol| lengths[*symbol] > 0);
        Self {
            litlens,
            distances,
            symbols,
            lengths,
            sent: sent.map_or(4, |last| (last + 1).max(4)),
        }
    }

    fn bits(&self) -> u64 {
        let symbols = self.symbols.iter().map(|(symbol, _)| {
            let symbol = usize::from(*symbol);
            u64::from(self.lengths[symbol]) + u64::from(REPEAT_EXTRA[symbol])
        });
        14 + 3 * self.sent as u64 + symbols.sum::<u64>()
    }

    fn write(&self, bits: &mut Bits) {
        bits.put((self.litlens - 257) as u32, 5);
        bits.put((self.distances - 1) as u32, 5);
        bits.put((self.sent - 4) as u32, 4);
        bits.flush();
        for symbol in &ORDER[..self.sent] {
            bits.put(self.lengths[*symbol].into(), 3);
            bits.flush();
        }
        let codes = huffman::codes(&self.lengths);
        for (symbol, extra) in &self.symbols {
            let symbol = usize::from(*symbol);
            bits.put(codes[symbol].into(), self.lengths[symbol].into());
            bits.put((*extra).into(), REPEAT_EXTRA[symbol].into());
            bits.flush();
        }
    }
}

/// Runs of code lengths: 16 repeats the last 3 to 6 times, 17 and 18 are 3 to 138 zeros.
fn run_lengths(lengths: &[u8]) -> Vec<(u8, u8)> {
    let mut symbols = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let (value, mut left) = (run[0], run.len());
        if value != 0 {
            symbols.push((value, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most) = match (value, left) {
                (0, 11..) => (18, 11, 138),
                (0, _) => (17, 3, 10),
                _ => (16, 3, 6),
            };
            let part = left.min(most);
            symbols.push((symbol, (part - least) as u8));
            left -= part;
        }
        symbols.extend(core::iter::repeat_n((value, 0), left));
    }
    symbols
}
