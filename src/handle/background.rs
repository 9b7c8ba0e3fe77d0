//! The thread that commits when a commit is due and nobody writes any more.
//!
//! It sleeps until something is written, then until that is due, and ends with the file. Where the system has no threads,
//! the next change after that time commits.

use super::{Lock, Open, lock};
use alloc::sync::{Arc, Weak};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the thread waits for.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// When to look at the file next; `None`: not before it has been changed.
    due: Option<Instant>,
    ended: bool,
}

impl Alarm {
    /// Starts the thread of a file; `None` where the system has none.
    pub(super) fn start(open: Weak<Lock<Open>>) -> Option<Arc<Self>> {
        let alarm = Arc::new(Self::default());
        let own = alarm.clone();
        let builder = std::thread::Builder::new().name("h5quill commits".into());
        let started = builder.spawn(move || own.run(&open));
        started.is_ok().then_some(alarm)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that may panic runs while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, due: Option<Instant>) {
        self.state().due = due;
        self.changed.notify_one();
    }

    /// The file is closed.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_one();
    }

    /// Returns when it is time to look at the file; `false`: it is closed.
    fn wait(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.ended {
                return false;
            }
            let now = Instant::now();
            state = match state.due {
                Some(due) if due <= now => {
                    state.due = None;
                    return true;
                }
                Some(due) => {
                    let waited = self.changed.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn run(&self, open: &Weak<Lock<Open>>) {
        while self.wait() {
            let Some(open) = open.upgrade() else { return };
            let next = lock(&open).commit_in_background();
            if next.is_some() {
                self.set(next);
            }
        }
    }
}
