//! RFC 1951, 3.2.5: the symbols of lengths and distances; and what symbols cost, in 1/16 bits.

/// Literals 0 to 255, the end of a block, and the lengths.
pub(super) const LITLENS: usize = 286;
pub(super) const DISTANCES: usize = 30;
pub(super) const END_OF_BLOCK: usize = 256;
pub(super) const LENGTH_SLOTS: usize = 29;
pub(super) const MIN_MATCH: usize = 3;
pub(super) const MAX_MATCH: usize = 258;
pub(super) const WINDOW: usize = 32768;

pub(super) const LENGTH_EXTRA: [u8; LENGTH_SLOTS] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
pub(super) const LENGTH_BASE: [u16; LENGTH_SLOTS] = length_bases();
const LENGTH_SLOT: [u8; MAX_MATCH + 1] = length_slots();

const fn length_bases() -> [u16; LENGTH_SLOTS] {
    let mut bases = [MIN_MATCH as u16; LENGTH_SLOTS];
    let mut slot = 1;
    while slot < LENGTH_SLOTS - 1 {
        bases[slot] = bases[slot - 1] + (1 << LENGTH_EXTRA[slot - 1]);
        slot += 1;
    }
    // The longest has its own symbol, although the one before could say it.
    bases[LENGTH_SLOTS - 1] = MAX_MATCH as u16;
    bases
}

const fn length_slots() -> [u8; MAX_MATCH + 1] {
    let mut slots = [0; MAX_MATCH + 1];
    let mut slot = 0;
    while slot < LENGTH_SLOTS {
        let mut len = LENGTH_BASE[slot] as usize;
        while len <= MAX_MATCH {
            slots[len] = slot as u8;
            len += 1;
        }
        slot += 1;
    }
    slots
}

/// The symbol of a match length, counted from the first length's.
pub(super) fn length_slot(len: usize) -> usize {
    usize::from(LENGTH_SLOT[len.min(MAX_MATCH)])
}

/// The symbol of a distance of at least 1.
pub(super) fn distance_slot(distance: usize) -> usize {
    let less = distance.wrapping_sub(1) as u32;
    if less < 2 {
        return less as usize;
    }
    let bits = less.ilog2();
    (2 * bits + (less >> (bits - 1) & 1)) as usize
}

/// How many bits follow the symbol of a distance.
pub(super) fn distance_extra(slot: usize) -> u32 {
    (slot as u32 / 2).saturating_sub(1)
}

/// The first distance of a symbol.
pub(super) fn distance_base(slot: usize) -> usize {
    match slot {
        0 | 1 => slot + 1,
        _ => ((2 + slot % 2) << distance_extra(slot)) + 1,
    }
}

/// Costs are counted in this part of a bit.
pub(super) const BIT: u32 = 16;

/// The logarithm to the base 2 in 1/4096, of 128 to 255 less the 7 of 128.
const LOG2: [u16; 128] = logarithms();

const fn logarithms() -> [u16; 128] {
    let mut table = [0; 128];
    let mut i = 0;
    while i < 128 {
        // The middle of what falls on the entry, as a number of 1 to 2 with 31 bits behind the point.
        let mut x = ((2 * (128 + i as u64) + 1) << 31) / 256;
        let mut log = 0;
        let mut bit = 0;
        while bit < 12 {
            x = (x * x) >> 31;
            log <<= 1;
            if x >= 1 << 32 {
                x >>= 1;
                log |= 1;
            }
            bit += 1;
        }
        table[i] = log;
        i += 1;
    }
    table
}

/// The logarithm to the base 2 in 1/4096, about; 0 for 0.
pub(super) fn log2(x: u32) -> u32 {
    let bits = (x | 1).ilog2();
    let mantissa = (u64::from(x) << 7 >> bits) as usize & 127;
    // Powers of two are frequent, and a single one costs nothing.
    if x & x.wrapping_sub(1) == 0 {
        return bits << 12;
    }
    (bits << 12) + u32::from(LOG2[mantissa])
}

/// What a symbol costs that occurs `count` times in `total`.
pub(super) fn cost(count: u32, total: u32) -> u32 {
    log2(total).saturating_sub(log2(count)) / (4096 / BIT)
}
