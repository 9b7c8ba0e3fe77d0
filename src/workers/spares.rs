//! Memory that is kept for the next chunk: giving it back to the system and having it zeroed anew, page by page, takes
//! longer than most filters.

use alloc::sync::Arc;
use alloc::vec::Vec;
#[cfg(not(feature = "std"))]
use core::cell::RefCell;
#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

/// So many bytes are kept at the most.
const MOST: usize = 8 << 20;

/// The memory that is kept, for whoever has a clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spares {
    #[cfg(feature = "std")]
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    #[cfg(not(feature = "std"))]
    kept: Arc<RefCell<Vec<Vec<u8>>>>,
}

impl Spares {
    fn with<T>(&self, run: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> T {
        #[cfg(feature = "std")]
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(not(feature = "std"))]
        let mut kept = self.kept.borrow_mut();
        run(&mut kept)
    }

    /// Memory of earlier work, with whatever is in it, or none.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.with(Vec::pop).unwrap_or_default()
    }

    /// Keeps memory, unless too many bytes would be kept.
    pub(crate) fn keep(&self, memory: Vec<u8>) {
        self.keep_within(memory, MOST);
    }

    /// As [`keep`](Self::keep), unless more than `budget` bytes would be kept.
    pub(crate) fn keep_within(&self, memory: Vec<u8>, budget: usize) {
        self.with(|kept| {
            let bytes: usize = kept.iter().map(Vec::capacity).sum();
            let with_it = bytes.saturating_add(memory.capacity());
            if memory.capacity() > 0 && with_it <= budget.min(MOST) {
                kept.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Spares};
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn memory_comes_back_as_far_as_it_may_be_kept() {
        let spares = Spares::default();
        assert_eq!(spares.take().capacity(), 0);
        spares.keep_within(vec![1; 100], 250);
        spares.keep_within(Vec::new(), 250);
        spares.keep_within(vec![2; 100], 250);
        spares.keep_within(vec![3; 100], 250);
        assert_eq!(spares.take(), [2; 100]);
        assert_eq!(spares.take(), [1; 100]);
        assert_eq!(spares.take(), []);
        spares.keep(vec![0; MOST]);
        spares.keep(vec![0; 1]);
        assert_eq!((spares.take().len(), spares.take().len()), (MOST, 0));
    }
}
