//! The value of elements that were never written.

use alloc::vec;
use alloc::vec::Vec;

/// One element of the fill value. Zeros are not kept: the datatype may claim an element larger than any memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill<'a> {
    /// The bytes of an element; none for zeros.
    value: &'a [u8],
    element_size: usize,
}

impl<'a> Fill<'a> {
    /// An element of `element_size` bytes: `value`, which has as many, or zeros where it has none.
    pub(crate) fn new(value: &'a [u8], element_size: usize) -> Self {
        debug_assert!(value.is_empty() || value.len() == element_size);
        Self {
            value,
            element_size,
        }
    }

    pub(crate) const fn element_size(self) -> usize {
        self.element_size
    }

    pub(crate) fn is_zero(self) -> bool {
        self.value.iter().all(|&byte| byte == 0)
    }

    /// `count` elements.
    pub(crate) fn repeat(self, count: usize) -> Vec<u8> {
        if self.is_zero() {
            vec![0; count.saturating_mul(self.element_size)]
        } else {
            self.value.repeat(count)
        }
    }

    /// Makes every element of `elements` this one.
    pub(crate) fn put(self, elements: &mut [u8]) {
        if self.is_zero() {
            elements.fill(0);
        } else {
            elements
                .chunks_exact_mut(self.element_size)
                .for_each(|element| element.copy_from_slice(self.value));
        }
    }

    /// Whether an element is this one.
    pub(crate) fn is(self, element: &[u8]) -> bool {
        if self.value.is_empty() {
            element.iter().all(|&byte| byte == 0)
        } else {
            element == self.value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fill;

    #[test]
    fn zeros_that_are_not_kept_are_zeros() {
        for fill in [Fill::new(&[], 3), Fill::new(&[0; 3], 3)] {
            assert!(fill.is_zero() && fill.is(&[0; 3]) && !fill.is(&[0, 0, 1]));
            assert_eq!(fill.repeat(2), [0; 6]);
            let mut elements = [7; 6];
            fill.put(&mut elements);
            assert_eq!(elements, [0; 6]);
        }
    }

    #[test]
    fn a_value_is_repeated() {
        let fill = Fill::new(&[1, 2], 2);
        assert!(!fill.is_zero() && fill.is(&[1, 2]) && !fill.is(&[0, 0]));
        assert_eq!(fill.repeat(2), [1, 2, 1, 2]);
        let mut elements = [7; 4];
        fill.put(&mut elements);
        assert_eq!(elements, [1, 2, 1, 2]);
    }
}
