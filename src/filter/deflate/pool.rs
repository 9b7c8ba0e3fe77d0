//! States that are kept for the next chunk.

#[cfg(feature = "std")]
use alloc::vec::Vec;
#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

/// One state for every thread that has been at work at the same time.
#[cfg(feature = "std")]
pub(super) struct Pool<T>(Mutex<Vec<T>>);

#[cfg(feature = "std")]
impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Does `work` with a state of the pool, or a new one.
    pub(super) fn with<R>(&self, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().pop();
        let mut state = kept.unwrap_or_else(new);
        let result = work(&mut state);
        lock().push(state);
        result
    }
}

/// Without locks every chunk has a state of its own.
#[cfg(not(feature = "std"))]
pub(super) struct Pool<T>(core::marker::PhantomData<fn() -> T>);

#[cfg(not(feature = "std"))]
impl<T> Pool<T> {
    pub(super) fn new() -> Self {
        Self(core::marker::PhantomData)
    }

    pub(super) fn with<R>(&self, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut new())
    }
}
