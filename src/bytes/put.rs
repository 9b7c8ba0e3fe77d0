//! The writing cursor: bytes are appended to a `Vec<u8>`.

use super::{Addr, Widths};
use alloc::vec::Vec;

/// Appends little-endian values of the specification's widths.
pub(crate) trait Put {
    fn put_u8(&mut self, value: u8);
    fn put_bytes(&mut self, bytes: &[u8]);

    fn put_u16(&mut self, value: u16) {
        self.put_bytes(&value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put_bytes(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put_bytes(&value.to_le_bytes());
    }

    /// The low `width` bytes (1 to 8) of `value`; constructors have refused what does not fit.
    #[inline]
    fn put_uint(&mut self, value: u64, width: u8) {
        debug_assert!(
            width == 8 || value >> (8 * u32::from(width)) == 0,
            "{value} in {width} bytes"
        );
        match width {
            8 => self.put_u64(value),
            _ => self.put_bytes(&value.to_le_bytes()[..usize::from(width)]),
        }
    }

    /// An address at the file's offset width; `None` is the undefined address.
    fn put_addr(&mut self, addr: Option<Addr>, widths: Widths) {
        let addr = addr.map_or(widths.undefined_addr(), Addr::get);
        self.put_uint(addr, widths.offset);
    }

    /// A length at the file's length width.
    fn put_len(&mut self, len: u64, widths: Widths) {
        self.put_uint(len, widths.length);
    }

    fn put_zeros(&mut self, count: usize) {
        for _ in 0..count {
            self.put_u8(0);
        }
    }
}

impl Put for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn put_zeros(&mut self, count: usize) {
        self.resize(self.len() + count, 0);
    }
}
