//! An allocator that counts: what an operation takes at the most.

#![allow(dead_code, reason = "each test program uses a part of it")]

use crate::support::time_run;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

/// Counts what the thread that asks for it holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // The thread's own storage may be gone already.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What an operation gave and took.
pub(crate) struct Measured<T> {
    pub(crate) value: T,
    /// What this thread ran.
    pub(crate) time: Duration,
    /// The most bytes that were held at a time, beyond those held before.
    pub(crate) memory: isize,
}

/// Runs on this thread and measures.
pub(crate) fn measure<T>(run: impl FnOnce() -> T) -> Measured<T> {
    let start = time_run();
    let before = HELD.with(Cell::get);
    MOST.with(|most| most.set(before));
    let value = run();
    let memory = MOST.with(Cell::get) - before;
    Measured {
        value,
        time: time_run().saturating_sub(start),
        memory,
    }
}
