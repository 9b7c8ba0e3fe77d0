//! Threads that run what a file has to compute, and what they have not run yet.
//!
//! A [`Pending`] value is computed by whoever comes first: a worker, or the thread that waits for it. While the value is
//! in the making elsewhere, the thread that waits runs other work. So nothing depends on how many workers there are, nor
//! on whether there are any: without threads the value is computed when it is asked for.

mod spares;

pub(crate) use spares::Spares;

#[cfg(not(feature = "parallel"))]
pub(crate) use serial::{Pending, Workers};
#[cfg(feature = "parallel")]
pub(crate) use threads::{Pending, Workers};

#[cfg(not(feature = "parallel"))]
mod serial {
    use super::spares::Spares;

    /// No workers: the caller computes.
    #[derive(Debug)]
    pub(crate) struct Workers {
        pub(crate) spares: Spares,
    }

    impl Workers {
        pub(crate) fn new(_: Option<usize>) -> Self {
            Self {
                spares: Spares::default(),
            }
        }

        /// How many threads compute, the caller's among them.
        pub(crate) fn threads(&self) -> usize {
            1
        }

        /// Does `work` with every item; the error of the first one that fails.
        pub(crate) fn each<S, T, E>(
            &self,
            states: &mut [S],
            mut items: impl Iterator<Item = T>,
            work: impl Fn(&mut S, T) -> Result<(), E>,
        ) -> Result<(), E> {
            match states.first_mut() {
                Some(state) => items.try_for_each(|item| work(state, item)),
                None => Ok(()),
            }
        }

        /// Whether the caller computes everything.
        pub(crate) fn is_serial(&self) -> bool {
            true
        }

        pub(crate) fn run<T: Send + 'static>(
            &self,
            job: impl FnOnce() -> T + 'static,
        ) -> Pending<T> {
            Pending(job())
        }
    }

    /// A value that has been computed.
    #[derive(Debug)]
    pub(crate) struct Pending<T>(T);

    impl<T: Send + 'static> Pending<T> {
        pub(crate) fn ready(value: T) -> Self {
            Self(value)
        }

        pub(crate) fn wait(self, _: &Workers) -> T {
            self.0
        }
    }
}

#[cfg(feature = "parallel")]
mod threads {
    use super::spares::Spares;
    use crate::process::Process;
    use alloc::boxed::Box;
    use alloc::collections::VecDeque;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use core::any::Any;
    use core::mem;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
    use std::thread::{Builder, JoinHandle, available_parallelism, scope};

    type Job<T> = Box<dyn FnOnce() -> T + Send>;

    enum State<T> {
        Waiting(Job<T>),
        Running,
        Done(T),
        /// What the job panicked with, for the thread that waits.
        Panicked(Box<dyn Any + Send>),
        Taken,
    }

    /// A job and, later, its value.
    struct Slot<T> {
        state: Mutex<State<T>>,
        done: Condvar,
    }

    trait Run: Send + Sync {
        /// Runs the job unless somebody has begun.
        fn run(&self);
    }

    impl<T> Slot<T> {
        fn state(&self) -> MutexGuard<'_, State<T>> {
            // No job runs while the lock is held.
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl<T: Send> Run for Slot<T> {
        fn run(&self) {
            let job = {
                let mut state = self.state();
                match mem::replace(&mut *state, State::Running) {
                    State::Waiting(job) => job,
                    other => {
                        *state = other;
                        return;
                    }
                }
            };
            let result = catch_unwind(AssertUnwindSafe(job));
            *self.state() = match result {
                Ok(value) => State::Done(value),
                Err(panic) => State::Panicked(panic),
            };
            self.done.notify_all();
        }
    }

    #[derive(Default)]
    struct Queue {
        jobs: VecDeque<Arc<dyn Run>>,
        closed: bool,
    }

    #[derive(Default)]
    struct Shared {
        queue: Mutex<Queue>,
        filled: Condvar,
    }

    impl Shared {
        fn queue(&self) -> MutexGuard<'_, Queue> {
            self.queue.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn work(&self) {
            loop {
                let job = {
                    let mut queue = self.queue();
                    loop {
                        if let Some(job) = queue.jobs.pop_front() {
                            break job;
                        }
                        if queue.closed {
                            return;
                        }
                        queue = self
                            .filled
                            .wait(queue)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                };
                job.run();
            }
        }
    }

    /// The workers of one file. They are started with the first job.
    pub(crate) struct Workers {
        /// How many threads compute, the one that waits among them; as many as the machine runs at once by default.
        threads: Option<usize>,
        shared: Arc<Shared>,
        started: OnceLock<Vec<JoinHandle<()>>>,
        process: Process,
        pub(crate) spares: Spares,
    }

    impl core::fmt::Debug for Workers {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            write!(f, "Workers of {:?} threads", self.threads)
        }
    }

    impl Workers {
        pub(crate) fn new(threads: Option<usize>) -> Self {
            Self {
                threads,
                shared: Arc::default(),
                started: OnceLock::new(),
                process: Process::current(),
                spares: Spares::default(),
            }
        }

        /// Whether the caller computes everything.
        pub(crate) fn is_serial(&self) -> bool {
            self.threads() == 1
        }

        /// How many threads compute, the caller's among them.
        pub(crate) fn threads(&self) -> usize {
            1 + self.started.get_or_init(|| self.start()).len()
        }

        /// Starts the workers; where the system has no threads there are none.
        fn start(&self) -> Vec<JoinHandle<()>> {
            let threads = match self.threads {
                Some(threads) => threads,
                None => available_parallelism().map_or(1, core::num::NonZero::get),
            };
            let start = |_| {
                let shared = Arc::clone(&self.shared);
                let builder = Builder::new().name("h5quill".into());
                builder.spawn(move || shared.work()).ok()
            };
            (1..threads).map_while(start).collect()
        }

        pub(crate) fn run<T: Send + 'static>(
            &self,
            job: impl FnOnce() -> T + Send + 'static,
        ) -> Pending<T> {
            if self.is_serial() {
                return Pending::ready(job());
            }
            let slot = Arc::new(Slot {
                state: Mutex::new(State::Waiting(Box::new(job))),
                done: Condvar::new(),
            });
            self.shared.queue().jobs.push_back(slot.clone());
            self.shared.filled.notify_one();
            Pending(slot)
        }

        /// Does `work` with every item, on as many threads as there are states, each with one of its own; returns when all
        /// is done, with the error of the first item that fails. The threads live as long as the call, so that they may use
        /// what the caller has borrowed; where the system has none the caller does the work.
        pub(crate) fn each<S: Send, T: Send, E: Send>(
            &self,
            states: &mut [S],
            items: impl Iterator<Item = T> + Send,
            work: impl Fn(&mut S, T) -> Result<(), E> + Sync,
        ) -> Result<(), E> {
            let items = Mutex::new(items.enumerate());
            let next = || {
                let mut items = items.lock().unwrap_or_else(PoisonError::into_inner);
                items.next()
            };
            // Items are taken in order: the first one that fails is the first failure of whichever thread has it.
            let run = |state: &mut S| {
                while let Some((number, item)) = next() {
                    if let Err(error) = work(state, item) {
                        return Some((number, error));
                    }
                }
                None
            };
            let Some((own, others)) = states.split_first_mut() else {
                return Ok(());
            };
            let run = &run;
            let failures = scope(|scope| {
                let start = |state| {
                    let builder = Builder::new().name("h5quill".into());
                    builder.spawn_scoped(scope, move || run(state)).ok()
                };
                let threads: Vec<_> = others.iter_mut().map_while(start).collect();
                let mut failures = Vec::from_iter(run(own));
                for thread in threads {
                    failures.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
                }
                failures
            });
            match failures.into_iter().min_by_key(|(number, _)| *number) {
                Some((_, error)) => Err(error),
                None => Ok(()),
            }
        }

        /// Runs one job that nobody has begun; false where there is none.
        fn help(&self) -> bool {
            let job = self.shared.queue().jobs.pop_front();
            match job {
                Some(job) => {
                    job.run();
                    true
                }
                None => false,
            }
        }
    }

    impl Drop for Workers {
        fn drop(&mut self) {
            let Some(threads) = self.started.take() else {
                return;
            };
            if !self.process.is_current() {
                // A process forked from the one with the threads has none of them to wait for.
                mem::forget(threads);
                return;
            }
            let mut queue = self.shared.queue();
            queue.closed = true;
            // Whoever waited for these is gone.
            queue.jobs.clear();
            drop(queue);
            self.shared.filled.notify_all();
            for thread in threads {
                // A job that panicked has told the thread that waited for it.
                let _ = thread.join();
            }
        }
    }

    /// A value that is being computed.
    pub(crate) struct Pending<T>(Arc<Slot<T>>);

    impl<T> core::fmt::Debug for Pending<T> {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("Pending")
        }
    }

    impl<T: Send + 'static> Pending<T> {
        pub(crate) fn ready(value: T) -> Self {
            Self(Arc::new(Slot {
                state: Mutex::new(State::Done(value)),
                done: Condvar::new(),
            }))
        }

        /// The value, computed here unless somebody has begun; a job's panic goes on here.
        pub(crate) fn wait(self, workers: &Workers) -> T {
            self.0.run();
            loop {
                let mut state = self.0.state();
                if matches!(*state, State::Running) {
                    drop(state);
                    if workers.help() {
                        continue;
                    }
                    state = self.0.state();
                    while matches!(*state, State::Running) {
                        let waited = self.0.done.wait(state);
                        state = waited.unwrap_or_else(PoisonError::into_inner);
                    }
                }
                match mem::replace(&mut *state, State::Taken) {
                    State::Done(value) => return value,
                    State::Panicked(panic) => {
                        drop(state);
                        resume_unwind(panic)
                    }
                    // Only the one owner of the slot takes the value, and it has just seen that the job is not running.
                    State::Waiting(_) | State::Running | State::Taken => {
                        unreachable!("a job that has run has a value")
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pending, Workers};
    use alloc::vec::Vec;

    #[test]
    fn every_value_comes_back_with_any_number_of_threads() {
        for threads in [0, 1, 2, 5] {
            let workers = Workers::new(Some(threads));
            let pending: Vec<Pending<usize>> = (0..100)
                .map(|number| workers.run(move || number * number))
                .collect();
            for (number, pending) in pending.into_iter().enumerate().rev() {
                assert_eq!(pending.wait(&workers), number * number);
            }
            assert_eq!(Pending::ready(7).wait(&workers), 7);
        }
    }

    #[test]
    fn each_item_is_worked_on_once_and_the_first_error_counts() {
        for threads in 1..5 {
            let workers = Workers::new(Some(threads));
            let mut states = alloc::vec![0_u64; workers.threads()];
            let mut squares = alloc::vec![0; 1000];
            let each = workers.each(&mut states, squares.iter_mut().zip(0..), |sum, (to, n)| {
                *to = n * n;
                *sum += n;
                Ok::<(), u64>(())
            });
            assert_eq!(each, Ok(()));
            assert!(squares.iter().zip(0..).all(|(square, n)| *square == n * n));
            assert_eq!(states.iter().sum::<u64>(), 999 * 500);
            let failed = workers.each(&mut states, 0..1000_u64, |_, n| match n % 300 {
                299 => Err(n),
                _ => Ok(()),
            });
            assert_eq!(failed, Err(299));
        }
    }

    #[test]
    fn a_value_nobody_waits_for_does_not_keep_the_workers() {
        let workers = Workers::new(Some(3));
        let pending: Vec<Pending<()>> = (0..100).map(|_| workers.run(|| ())).collect();
        drop(workers);
        drop(pending);
    }

    #[cfg(feature = "parallel")]
    #[test]
    fn a_panic_comes_to_the_one_who_waits_and_the_workers_live_on() {
        let workers = Workers::new(Some(2));
        let pending =
            workers.run(|| -> u8 { std::panic::resume_unwind(alloc::boxed::Box::new("no")) });
        let waited =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pending.wait(&workers)));
        assert!(waited.is_err());
        assert_eq!(workers.run(|| 3).wait(&workers), 3);
    }
}
