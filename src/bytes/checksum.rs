//! Bob Jenkins' lookup3 (`hashlittle`), the checksum of every version 2 metadata structure and the hash of link
//! and attribute names.

/// The lookup3 hash of `bytes` with initial value 0: "Jenkins' lookup3 hash" of the specification.
pub(crate) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let (blocks, rest) = bytes.as_chunks::<12>();
    // The last block is finished, not mixed, also where it is whole.
    let (mixed, last) = match (blocks.split_last(), rest) {
        (None, []) => return c,
        (Some((last, before)), []) => (before, *last),
        _ => {
            let mut last = [0; 12];
            last[..rest.len()].copy_from_slice(rest);
            (blocks, last)
        }
    };
    for block in mixed {
        let words = words(block);
        a = a.wrapping_add(words[0]);
        b = b.wrapping_add(words[1]);
        c = c.wrapping_add(words[2]);
        (a, b, c) = mix(a, b, c);
    }
    let words = words(&last);
    a = a.wrapping_add(words[0]);
    b = b.wrapping_add(words[1]);
    c = c.wrapping_add(words[2]);
    finish(a, b, c)
}

fn words(block: &[u8; 12]) -> [u32; 3] {
    let (words, _) = block.as_chunks::<4>();
    [0, 1, 2].map(|word| {
        words
            .get(word)
            .map_or(0, |bytes| u32::from_le_bytes(*bytes))
    })
}

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

fn finish(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::lookup3;

    #[test]
    fn agrees_with_the_published_values() {
        // From the self-test at the end of Jenkins' lookup3.c.
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn a_multiple_of_twelve_bytes_is_finished_not_mixed() {
        let a = lookup3(&[7; 12]);
        let b = lookup3(&[7; 24]);
        assert_ne!(a, b);
        assert_ne!(lookup3(&[7; 11]), a);
    }
}
