//! Bits regrouped by significance: of eight elements and more, the lowest bits of all, then the next ones, and so on.

/// Element `i` of `input` has its bit `k` as bit `i % 8` of byte `i / 8` of plane `k` of `output`. As many elements as a
/// multiple of eight; both slices are of their size.
pub(super) fn split(input: &[u8], size: usize, output: &mut [u8]) {
    let columns = input.len() / size / 8;
    for (column, group) in input.chunks_exact(8 * size).enumerate() {
        for byte in 0..size {
            let mut rows = [0; 8];
            for (element, row) in rows.iter_mut().enumerate() {
                *row = group[element * size + byte];
            }
            let planes = transpose(u64::from_le_bytes(rows)).to_le_bytes();
            let mut at = 8 * byte * columns + column;
            for plane in planes {
                output[at] = plane;
                at += columns;
            }
        }
    }
}

/// The reverse of [`split`].
pub(super) fn join(input: &[u8], size: usize, output: &mut [u8]) {
    let columns = output.len() / size / 8;
    for (column, group) in output.chunks_exact_mut(8 * size).enumerate() {
        for byte in 0..size {
            let mut planes = [0; 8];
            let mut at = 8 * byte * columns + column;
            for plane in &mut planes {
                *plane = input[at];
                at += columns;
            }
            let rows = transpose(u64::from_le_bytes(planes)).to_le_bytes();
            for (element, row) in rows.into_iter().enumerate() {
                group[element * size + byte] = row;
            }
        }
    }
}

/// Swaps rows and columns of eight by eight bits: of four halves, of four quarters of each, and so on.
fn transpose(bits: u64) -> u64 {
    let swap = |bits: u64, by: u32, mask: u64| {
        let differ = (bits ^ bits >> by) & mask;
        bits ^ differ ^ differ << by
    };
    let bits = swap(bits, 7, 0x00aa_00aa_00aa_00aa);
    let bits = swap(bits, 14, 0x0000_cccc_0000_cccc);
    swap(bits, 28, 0x0000_0000_f0f0_f0f0)
}
