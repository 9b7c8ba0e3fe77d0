//! Bytes that are kept in place while they are few, as those of most header messages are: an object has a dozen such
//! messages, and an allocation for each would be a quarter of what it costs to make one.

use super::Put;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};

/// As many as leave the whole 64 bytes.
const ROOM: usize = 62;

/// A buffer of bytes.
#[derive(Clone)]
pub(crate) enum ShortBytes {
    Here { len: u8, bytes: [u8; ROOM] },
    Elsewhere(Vec<u8>),
}

impl ShortBytes {
    pub(crate) const fn new() -> Self {
        Self::Here {
            len: 0,
            bytes: [0; ROOM],
        }
    }

    /// An empty buffer for perhaps `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        match capacity <= ROOM {
            true => Self::new(),
            false => Self::Elsewhere(Vec::with_capacity(capacity)),
        }
    }

    /// So many zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        match u8::try_from(len) {
            Ok(len) if usize::from(len) <= ROOM => Self::Here {
                len,
                bytes: [0; ROOM],
            },
            _ => Self::Elsewhere(vec![0; len]),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Here { .. } => self.to_vec(),
            Self::Elsewhere(bytes) => bytes,
        }
    }

    /// Moves what there is to where `more` has room behind it.
    #[cold]
    fn move_out(&mut self, more: &[u8]) {
        let mut moved = Vec::with_capacity(2 * (self.len() + more.len()));
        moved.extend_from_slice(self);
        moved.extend_from_slice(more);
        *self = Self::Elsewhere(moved);
    }
}

impl Put for ShortBytes {
    #[inline]
    fn put_u8(&mut self, value: u8) {
        self.put_bytes(&[value]);
    }

    #[inline]
    fn put_bytes(&mut self, more: &[u8]) {
        match self {
            Self::Here { len, bytes } => {
                let start = usize::from(*len);
                match bytes.get_mut(start..start + more.len()) {
                    Some(room) => {
                        room.copy_from_slice(more);
                        *len += more.len() as u8;
                    }
                    None => self.move_out(more),
                }
            }
            Self::Elsewhere(bytes) => bytes.extend_from_slice(more),
        }
    }

    fn put_zeros(&mut self, count: usize) {
        const ZEROS: [u8; ROOM] = [0; ROOM];
        let mut left = count;
        while left > 0 {
            let some = left.min(ROOM);
            self.put_bytes(&ZEROS[..some]);
            left -= some;
        }
    }
}

impl Deref for ShortBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here { len, bytes } => &bytes[..usize::from(*len)],
            Self::Elsewhere(bytes) => bytes,
        }
    }
}

impl DerefMut for ShortBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Here { len, bytes } => &mut bytes[..usize::from(*len)],
            Self::Elsewhere(bytes) => bytes,
        }
    }
}

impl Default for ShortBytes {
    fn default() -> Self {
        Self::new()
    }
}

impl From<&[u8]> for ShortBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut short = Self::with_capacity(bytes.len());
        short.put_bytes(bytes);
        short
    }
}

impl From<Vec<u8>> for ShortBytes {
    fn from(bytes: Vec<u8>) -> Self {
        match bytes.len() <= ROOM {
            true => Self::from(bytes.as_slice()),
            false => Self::Elsewhere(bytes),
        }
    }
}

impl AsRef<[u8]> for ShortBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<Other: AsRef<[u8]> + ?Sized> PartialEq<Other> for ShortBytes {
    fn eq(&self, other: &Other) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for ShortBytes {}

impl fmt::Debug for ShortBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_here_and_elsewhere() {
        let mut expected = Vec::new();
        let mut short = ShortBytes::new();
        for value in 0..3 * ROOM as u8 {
            assert_eq!(*short, *expected);
            assert_eq!(short, ShortBytes::from(expected.clone()));
            assert_eq!(short.clone().into_vec(), expected);
            let here = matches!(short, ShortBytes::Here { .. });
            assert_eq!(here, expected.len() <= ROOM);
            short.put_u8(value);
            expected.push(value);
        }
        short[5] = 200;
        assert_eq!(short[4..7], [4, 200, 6]);
    }

    #[test]
    fn what_does_not_fit_moves_as_a_whole() {
        let mut short = ShortBytes::from(&[1, 2, 3][..]);
        short.put_bytes(&[4; ROOM]);
        assert_eq!(short.len(), ROOM + 3);
        assert_eq!(short[..4], [1, 2, 3, 4]);
        short.put_zeros(70);
        for len in [0, 1, ROOM, ROOM + 1, 300] {
            assert_eq!(ShortBytes::zeros(len), vec![0; len]);
        }
        assert_eq!(short[ROOM + 2..ROOM + 5], [4, 0, 0]);
        assert_eq!(core::mem::size_of::<ShortBytes>(), 64);
    }
}
