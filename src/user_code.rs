//! Code of the user's, and codecs of other crates: run so that a panic in it is an error of the call, and nothing of this
//! library is left half done.

use crate::error::{Error, Result};
use alloc::string::String;

/// Runs code that may panic. Without `std` a panic cannot be caught: it goes on to whoever called this library, which
/// then has a change that never ended and refuses to write.
#[cfg(feature = "std")]
pub(crate) fn run<T>(
    run: impl FnOnce() -> Result<T>,
    error: impl FnOnce(String) -> Error,
) -> Result<T> {
    #[cfg(test)]
    if uncaught::is_on() {
        return run();
    }
    // What the code has half done is its own: this library uses none of it after a panic.
    match std::panic::catch_unwind(core::panic::AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) => Err(error(message(&*panic))),
    }
}

/// As above.
#[cfg(not(feature = "std"))]
pub(crate) fn run<T>(
    run: impl FnOnce() -> Result<T>,
    _: impl FnOnce(String) -> Error,
) -> Result<T> {
    run()
}

/// Runs code that gives a value and may panic; `otherwise` is taken in place of the value then.
pub(crate) fn value<T>(get: impl FnOnce() -> T, otherwise: T) -> T {
    run(|| Ok(get()), Error::filter).unwrap_or(otherwise)
}

/// What a panic says.
#[cfg(feature = "std")]
fn message(panic: &(dyn core::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    match text {
        Some(text) => alloc::format!("it panicked: {text}"),
        None => String::from("it panicked"),
    }
}

/// Panics as they are where they cannot be caught: tests switch that on in their thread.
#[cfg(all(test, feature = "std"))]
pub(crate) mod uncaught {
    use std::cell::Cell;

    std::thread_local! {
        static ON: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_on() -> bool {
        ON.get()
    }

    /// Says what `run` panicked with, if so.
    pub(crate) fn with<T>(run: impl FnOnce() -> T) -> std::thread::Result<T> {
        ON.set(true);
        let result = std::panic::catch_unwind(core::panic::AssertUnwindSafe(run));
        ON.set(false);
        result
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_it_said() {
        let number = 3;
        let error = run::<()>(|| panic!("no {number}"), Error::filter).unwrap_err();
        assert_eq!(error.to_string(), "filter pipeline: it panicked: no 3");
        let error = run::<()>(|| std::panic::panic_any(7), Error::filter).unwrap_err();
        assert_eq!(error.to_string(), "filter pipeline: it panicked");
        assert_eq!(value(|| panic!("never"), 5), 5);
        assert_eq!(run(|| Ok(1), Error::filter), Ok(1));
    }
}
