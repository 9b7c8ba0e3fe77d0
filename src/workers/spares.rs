//! Memory that is kept for the next chunk: giving it back to the system and having it zeroed anew, page by page, takes
//! longer than most filters.

use alloc::vec::Vec;
use core::cell::RefCell;

#[derive(Debug, Default)]
pub(crate) struct Spares(RefCell<Vec<Vec<u8>>>);

impl Spares {
    /// Memory of earlier work, with whatever is in it, or none.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps memory, unless more than `most` bytes would be kept.
    pub(crate) fn keep(&self, memory: Vec<u8>, most: usize) {
        let mut kept = self.0.borrow_mut();
        let bytes: usize = kept.iter().map(Vec::capacity).sum();
        if memory.capacity() > 0 && bytes.saturating_add(memory.capacity()) <= most {
            kept.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spares;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn memory_comes_back_as_far_as_it_may_be_kept() {
        let spares = Spares::default();
        assert_eq!(spares.take().capacity(), 0);
        spares.keep(vec![1; 100], 250);
        spares.keep(Vec::new(), 250);
        spares.keep(vec![2; 100], 250);
        spares.keep(vec![3; 100], 250);
        assert_eq!(spares.take(), [2; 100]);
        assert_eq!(spares.take(), [1; 100]);
        assert_eq!(spares.take(), []);
    }
}
