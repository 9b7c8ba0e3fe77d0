//! Bits, the lowest first, into a slice with room for eight bytes more than they fill.

pub(super) struct Bits<'a> {
    output: &'a mut [u8],
    at: usize,
    buffer: u64,
    count: u32,
}

/// The bits that fill no byte yet.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest {
    buffer: u64,
    count: u32,
}

impl Rest {
    /// The last byte, filled with zeros.
    pub(super) fn byte(self) -> Option<u8> {
        (self.count > 0).then_some(self.buffer as u8)
    }
}

impl<'a> Bits<'a> {
    pub(super) fn new(output: &'a mut [u8], rest: Rest) -> Self {
        Self {
            output,
            at: 0,
            buffer: rest.buffer,
            count: rest.count,
        }
    }

    /// Adds the `len` bits of `value`; at most 56 between two calls of [`flush`](Self::flush).
    pub(super) fn put(&mut self, value: u32, len: u32) {
        self.buffer |= u64::from(value) << self.count;
        self.count += len;
    }

    /// Writes all whole bytes.
    pub(super) fn flush(&mut self) {
        self.output[self.at..][..8].copy_from_slice(&self.buffer.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.buffer >>= self.count & !7;
        self.count &= 7;
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.count = self.count.next_multiple_of(8);
        self.flush();
    }

    /// Adds whole bytes behind an aligned end.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.output[self.at..][..bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    /// The number of whole bytes, and the bits behind them.
    pub(super) fn end(mut self) -> (usize, Rest) {
        self.flush();
        let (buffer, count) = (self.buffer, self.count);
        (self.at, Rest { buffer, count })
    }
}
