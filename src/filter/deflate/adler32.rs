//! The checksum of a zlib stream (RFC 1950, 8.2).

/// The largest prime below 65536.
const BASE: u64 = 65521;
/// Sums of 16 bytes side by side, in blocks short enough that no sum leaves 32 bits: 5000 rows add up to at most
/// 255 * 5000 * 5001 / 2.
const LANES: usize = 16;
const ROWS: usize = 5000;

/// The sum of the bytes and 1 in the low half, the sum of all sums in the high half, both modulo 65521.
pub(super) fn checksum(data: &[u8]) -> u32 {
    let (mut sum, mut sum_of_sums) = (1_u64, 0_u64);
    let (rows, rest) = data.as_chunks::<LANES>();
    for block in rows.chunks(ROWS) {
        let (mut sums, mut sums_of_sums) = ([0_u32; LANES], [0_u32; LANES]);
        for row in block {
            for lane in 0..LANES {
                sums[lane] += u32::from(row[lane]);
                sums_of_sums[lane] += sums[lane];
            }
        }
        // In order, a lane's byte in row r counts once for every byte from it to the end of the block.
        sum_of_sums += (LANES * block.len()) as u64 * sum;
        for lane in 0..LANES {
            sum += u64::from(sums[lane]);
            sum_of_sums += LANES as u64 * u64::from(sums_of_sums[lane]);
            sum_of_sums -= lane as u64 * u64::from(sums[lane]);
        }
        sum %= BASE;
        sum_of_sums %= BASE;
    }
    for byte in rest {
        sum += u64::from(*byte);
        sum_of_sums += sum;
    }
    ((sum_of_sums % BASE) as u32) << 16 | (sum % BASE) as u32
}
