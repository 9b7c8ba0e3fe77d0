//! Prefix codes of bounded length (RFC 1951, 3.2.2).

/// More symbols than any alphabet has.
const MAX_SYMBOLS: usize = 288;
/// The longest code of all alphabets.
const MAX_LEN: usize = 15;

/// The lengths of an optimal prefix code for symbols that occur `counts` times, none longer than `limit`; 0 for those
/// that do not occur. At least two symbols get a code: some decoders want a complete one.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut sorted = [0_u64; MAX_SYMBOLS];
    let mut used = 0;
    for (symbol, &count) in counts.iter().enumerate() {
        if count > 0 {
            sorted[used] = u64::from(count) << 16 | symbol as u64;
            used += 1;
        }
    }
    for (symbol, &count) in counts.iter().enumerate().take(2) {
        if used < 2 && count == 0 {
            sorted[used] = 1 << 16 | symbol as u64;
            used += 1;
        }
    }
    let sorted = &mut sorted[..used];
    sorted.sort_unstable();
    let mut depths = [0_u32; MAX_SYMBOLS];
    let depths = &mut depths[..used];
    for (depth, entry) in depths.iter_mut().zip(&*sorted) {
        *depth = (entry >> 16) as u32;
    }
    depths_of_leaves(depths);
    let numbers = limited(depths, limit);
    let mut lengths = [0; N];
    let mut rest = sorted.iter();
    for len in (1..=limit).rev() {
        for entry in rest.by_ref().take(numbers[len] as usize) {
            lengths[(entry & 0xFFFF) as usize] = len as u8;
        }
    }
    lengths
}

/// Counts in ascending order to the depths of their leaves in a Huffman tree, in place (Moffat and Katajainen, "In-place
/// calculation of minimum-redundancy codes", 1995).
fn depths_of_leaves(a: &mut [u32]) {
    let n = a.len();
    // First, the counts of inner nodes, each replaced by the index of its parent once it has one.
    let (mut leaf, mut root) = (0, 0);
    for next in 0..n - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            if leaf < n && (root >= next || a[leaf] <= a[root]) {
                sum += a[leaf];
                leaf += 1;
            } else {
                sum += a[root];
                a[root] = next as u32;
                root += 1;
            }
        }
        a[next] = sum;
    }
    // Then the depths of inner nodes, from the root down.
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    // At last, those of the leaves: at every depth, places that are no inner nodes.
    let (mut places, mut depth, mut inner, mut next) = (1, 0, n - 1, n);
    while places > 0 {
        let mut inners = 0;
        while inner > 0 && a[inner - 1] == depth {
            inners += 1;
            inner -= 1;
        }
        for _ in inners..places {
            next -= 1;
            a[next] = depth;
        }
        places = 2 * inners;
        depth += 1;
    }
}

/// How many codes have each length, when those beyond `limit` are made shorter, and others longer for it.
fn limited(depths: &[u32], limit: usize) -> [u32; MAX_LEN + 1] {
    let mut numbers = [0; MAX_LEN + 1];
    for &depth in depths {
        numbers[limit.min(depth as usize)] += 1;
    }
    let mut total: u32 = (1..=limit).map(|len| numbers[len] << (limit - len)).sum();
    while total > 1 << limit {
        // One of the longest moves beside a shorter one, which takes both a bit further down.
        numbers[limit] -= 1;
        if let Some(len) = (1..limit).rev().find(|len| numbers[*len] > 0) {
            numbers[len] -= 1;
            numbers[len + 1] += 2;
        }
        total -= 1;
    }
    numbers
}

/// The canonical code of symbols with `lengths`, as it is put: with its first bit lowest.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0_u16; MAX_LEN + 2];
    for &len in lengths {
        next[usize::from(len) + 1] += 1;
    }
    next[1] = 0;
    for len in 1..=MAX_LEN {
        next[len + 1] += next[len];
        next[len + 1] <<= 1;
    }
    let mut codes = [0; N];
    for (code, &len) in codes.iter_mut().zip(lengths) {
        if len > 0 {
            let first = &mut next[usize::from(len)];
            *code = first.reverse_bits() >> (16 - len);
            *first += 1;
        }
    }
    codes
}
