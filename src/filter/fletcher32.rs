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

/// Sums of so many words side by side: few enough to stay in the first cache, and too many for a compiler that would rather
/// unroll the loop over them than use vectors.
const LANES: usize = 64;

/// Blocks short enough that no sum leaves 32 bits: so many rows add up to at most 65535 * 181 * 182 / 2.
const ROWS: usize = 181;

/// The sum of the big-endian 16-bit words in the low half, the sum of all sums in the high half, both modulo 65535; a
/// last odd byte is the high byte of a word.
///
/// Modulo 65535 the sum of words with their bytes swapped is the sum with its bytes swapped: 256 times as much. So little-endian
/// words are added, which takes no swaps but those of the results.
fn checksum(data: &[u8]) -> u32 {
    let (mut sum, mut sum_of_sums) = (0_u64, 0_u64);
    let (rows, rest) = data.as_chunks::<{ 2 * LANES }>();
    for block in rows.chunks(ROWS) {
        let (mut sums, mut sums_of_sums) = ([0_u32; LANES], [0_u32; LANES]);
        for row in block {
            let lanes = sums.iter_mut().zip(&mut sums_of_sums);
            for ((sum, sum_of_sums), word) in lanes.zip(row.as_chunks().0) {
                *sum += u32::from(u16::from_le_bytes(*word));
                *sum_of_sums += *sum;
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
        let high = word.get(1).copied().unwrap_or(0);
        sum += u64::from(u16::from_le_bytes([word[0], high]));
        sum_of_sums += sum;
    }
    let half = |sum| u32::from((reduce(sum) as u16).swap_bytes());
    half(sum_of_sums) << 16 | half(sum)
}

/// Modulo 65535 in ones' complement: only zero gives zero, its other multiples give 65535.
fn reduce(sum: u64) -> u64 {
    if sum == 0 { 0 } else { (sum - 1) % 65535 + 1 }
}

#[cfg(test)]
mod tests {
    use super::{LANES, ROWS, checksum};
    use alloc::vec;
    use alloc::vec::Vec;

    /// Word by word, as libhdf5 has it: folded, so that a sum that is a multiple of 65535 is 65535 unless all are zero.
    fn one_by_one(data: &[u8]) -> u32 {
        let fold = |sum: u32| (sum & 0xFFFF) + (sum >> 16);
        let (mut sum, mut sum_of_sums) = (0_u32, 0_u32);
        for word in data.chunks(2) {
            let low = word.get(1).copied().unwrap_or(0);
            sum = fold(sum + u32::from(u16::from_be_bytes([word[0], low])));
            sum_of_sums = fold(sum_of_sums + sum);
        }
        fold(sum_of_sums) << 16 | fold(sum)
    }

    #[test]
    fn many_words_at_a_time_sum_up_as_one_by_one() {
        let mut state = 1_u32;
        let mut noise = |len: usize| -> Vec<u8> {
            let next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            core::iter::repeat_with(next).take(len).collect()
        };
        let block = 2 * LANES * ROWS;
        let edges = [block - 1, block, block + 1, 2 * block + 77, 9 * block];
        for len in (0..3 * 2 * LANES).chain(edges) {
            for data in [noise(len), vec![0xFF; len], vec![0; len]] {
                assert_eq!(checksum(&data), one_by_one(&data), "{len} bytes");
            }
        }
        let mut single = vec![0; 1000];
        single[999] = 1;
        assert_eq!(checksum(&single), 0x0001_0001);
    }
}
