//! Values of any number of bits, the most significant bit first.

use alloc::vec::Vec;

/// Appends values to bytes.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits that are not written yet, from the top.
    held: u64,
    /// How many bits of `held` are not taken, 1 to 64.
    free: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            held: 0,
            free: 64,
        }
    }

    /// The low `bits` bits of `value`, at most 64.
    pub(super) fn put(&mut self, value: u64, bits: u32) {
        if bits == 0 {
            return;
        }
        let value = value & (u64::MAX >> (64 - bits));
        if bits < self.free {
            self.free -= bits;
            self.held |= value << self.free;
            return;
        }
        let over = bits - self.free;
        self.out
            .extend_from_slice(&(self.held | value >> over).to_be_bytes());
        self.held = value.checked_shl(64 - over).unwrap_or(0);
        self.free = 64 - over;
    }

    /// Writes what is left; the last byte is filled up with zeros. Returns how many bits of it were left over.
    pub(super) fn finish(self) -> u32 {
        let bytes = (64 - self.free).div_ceil(8) as usize;
        self.out
            .extend_from_slice(&self.held.to_be_bytes()[..bytes]);
        self.free % 8
    }
}

/// Takes values from bytes.
pub(super) struct BitReader<'a> {
    rest: &'a [u8],
    /// Bits that are taken next, from the top; what is below them is zero, or what `rest` begins with.
    held: u64,
    have: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            held: 0,
            have: 0,
        }
    }

    /// The next `bits` bits, at most 64; `None` where there are fewer.
    pub(super) fn take(&mut self, bits: u32) -> Option<u64> {
        if bits > 56 {
            let high = self.take(bits - 32)?;
            return Some(high << 32 | self.take(32)?);
        }
        if self.have < bits {
            self.refill();
            if self.have < bits {
                return None;
            }
        }
        if bits == 0 {
            return Some(0);
        }
        let value = self.held >> (64 - bits);
        self.held <<= bits;
        self.have -= bits;
        Some(value)
    }

    /// How many zeros come before the next one, which is taken with them.
    #[cfg(feature = "szip")]
    pub(super) fn unary(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            // What is held beyond `have` may be bits of what follows.
            let here = self.held.leading_zeros().min(self.have);
            if here < self.have {
                self.take(here + 1)?;
                return Some(zeros + here);
            }
            zeros += self.have;
            self.held = 0;
            self.have = 0;
            self.refill();
            if self.have == 0 {
                return None;
            }
        }
    }

    /// Makes it at least 56 bits, as far as there are any.
    fn refill(&mut self) {
        if let Some(next) = self.rest.first_chunk::<8>() {
            let bytes = (64 - self.have) / 8;
            self.held |= u64::from_be_bytes(*next) >> self.have;
            self.have += 8 * bytes;
            self.rest = &self.rest[bytes as usize..];
            return;
        }
        while let (true, Some((&next, rest))) = (self.have <= 56, self.rest.split_first()) {
            self.held |= u64::from(next) << (56 - self.have);
            self.have += 8;
            self.rest = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_most_significant_bit_is_the_first() {
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        writer.put(0b101, 3);
        writer.put(0, 0);
        writer.put(0x1ff, 9);
        writer.finish();
        assert_eq!(out, [0b1011_1111, 0b1111_0000]);
    }

    proptest! {
        #[test]
        fn values_come_back(values: Vec<(u64, u8)>) {
            let values: Vec<(u64, u32)> = values.iter().map(|(v, b)| (*v, u32::from(b % 65))).collect();
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            for (value, bits) in &values {
                writer.put(*value, *bits);
            }
            writer.finish();
            let sum: u32 = values.iter().map(|(_, bits)| bits).sum();
            prop_assert_eq!(out.len(), sum.div_ceil(8) as usize);
            let mut reader = BitReader::new(&out);
            for (value, bits) in &values {
                let expected = if *bits == 0 { 0 } else { value & (u64::MAX >> (64 - bits)) };
                prop_assert_eq!(reader.take(*bits), Some(expected));
            }
            prop_assert_eq!(reader.take(8), None);
        }
    }
}
