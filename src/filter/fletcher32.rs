//! The Fletcher-32 filter: a checksum of four bytes behind the data.

use super::{Filter, NAME, Outcome};
use crate::error::{Error, Result};
use alloc::vec::Vec;

pub(super) const ID: u16 = 3;

/// The size of the checksum.
const SIZE: usize = 4;

pub(super) struct Fletcher32;

impl Filter for Fletcher32 {
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        output.extend_from_slice(&checksum(input).to_le_bytes());
        Ok(Outcome::Appended)
    }

    fn decode(&self, input: &[u8], _: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let Some((data, &stored)) = input.split_last_chunk::<SIZE>() else {
            return Err(Error::corrupt(NAME, "a chunk is shorter than its checksum"));
        };
        if data.len() > limit {
            return Err(Error::corrupt(NAME, "checksummed data exceeds the chunk"));
        }
        let expected = checksum(data);
        // Files by libhdf5 before 1.6.3 on little-endian hosts have the bytes of each half swapped.
        let [a, b, c, d] = expected.to_le_bytes();
        if stored != [a, b, c, d] && stored != [b, a, d, c] {
            return Err(Error::corrupt(
                NAME,
                "wrong Fletcher-32 checksum of a chunk",
            ));
        }
        Ok(Outcome::Prefix(data.len()))
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len.saturating_add(SIZE)
    }
}

/// Sums of 16 words side by side, in blocks short enough that no sum leaves 32 bits: 181 rows add up to at most
/// 65535 * 181 * 182 / 2.
const LANES: usize = 16;
const ROWS: usize = 181;

/// The sum of the big-endian 16-bit words in the low half, the sum of all sums in the high half, both modulo 65535; a
/// last odd byte is the high byte of a word.
fn checksum(data: &[u8]) -> u32 {
    let (mut sum, mut sum_of_sums) = (0_u64, 0_u64);
    let (rows, rest) = data.as_chunks::<{ 2 * LANES }>();
    for block in rows.chunks(ROWS) {
        let (mut sums, mut sums_of_sums) = ([0_u32; LANES], [0_u32; LANES]);
        for row in block {
            for lane in 0..LANES {
                let word = u16::from_be_bytes([row[2 * lane], row[2 * lane + 1]]);
                sums[lane] += u32::from(word);
                sums_of_sums[lane] += sums[lane];
            }
        }
        // In order, a lane's word in row r counts once for every word from it to the end of the block.
        sum_of_sums += (LANES * block.len()) as u64 * sum;
        for lane in 0..LANES {
            sum += u64::from(sums[lane]);
            sum_of_sums += LANES as u64 * u64::from(sums_of_sums[lane]);
            sum_of_sums -= lane as u64 * u64::from(sums[lane]);
        }
        sum = reduce(sum);
        sum_of_sums = reduce(sum_of_sums);
    }
    for word in rest.chunks(2) {
        let low = word.get(1).copied().unwrap_or(0);
        sum += u64::from(u16::from_be_bytes([word[0], low]));
        sum_of_sums += sum;
    }
    (reduce(sum_of_sums) as u32) << 16 | reduce(sum) as u32
}

/// Modulo 65535 in ones' complement: only zero gives zero, its other multiples give 65535.
fn reduce(sum: u64) -> u64 {
    if sum == 0 { 0 } else { (sum - 1) % 65535 + 1 }
}
