//! What every handle of one open file shares: the engine behind a lock, the file's name, when to commit by itself.

#[cfg(feature = "std")]
mod background;
mod policy;

pub use policy::AutoCommit;
pub(crate) use policy::Policy;

use crate::bytes::Addr;
use crate::error::{Error, ErrorKind, Result};
use crate::object::copy::Engines;
use crate::object::engine::Engine;
use crate::other_files::Member;
use crate::process::Process;
use crate::storage::Storage;
use crate::store::Level;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::{Arc, Weak};

#[cfg(feature = "std")]
pub(crate) type Lock<T> = std::sync::Mutex<T>;
#[cfg(not(feature = "std"))]
pub(crate) type Lock<T> = core::cell::RefCell<T>;

/// The value behind a lock, in whatever state a panic left it: the engine knows whether that was in a change.
#[cfg(feature = "std")]
fn lock<T>(lock: &Lock<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|poisoned| {
        lock.clear_poison();
        poisoned.into_inner()
    })
}

#[cfg(not(feature = "std"))]
fn lock<T>(lock: &Lock<T>) -> core::cell::RefMut<'_, T> {
    lock.borrow_mut()
}

/// An open file.
#[derive(Debug)]
struct Open {
    engine: Option<Engine>,
    policy: Policy,
    bytes_since_commit: u64,
    /// The user has asked for a sync: the commit at the end is one too, so that a loss of power after it cannot damage
    /// what was safe before it.
    synced: bool,
    /// A process forked from this one has a copy of everything here, and must not write.
    process: Process,
    #[cfg(feature = "std")]
    last_commit: std::time::Instant,
    #[cfg(feature = "std")]
    background: Background,
}

/// What is known of the thread that commits where nobody writes any more.
#[cfg(feature = "std")]
#[derive(Debug)]
struct Background {
    /// The file itself, for the thread to find.
    open: Weak<Lock<Open>>,
    alarm: Option<Arc<background::Alarm>>,
    /// The thread will look at the file in time.
    armed: bool,
    /// Something has been changed since the last commit.
    uncommitted: bool,
    /// What the thread could not commit, for the next call to tell.
    failed: Option<Error>,
}

impl Open {
    fn new(engine: Engine, policy: Policy, process: Process) -> Arc<Lock<Self>> {
        Arc::new_cyclic(|_open| {
            Lock::new(Self {
                engine: Some(engine),
                policy,
                bytes_since_commit: 0,
                synced: false,
                process,
                #[cfg(feature = "std")]
                last_commit: std::time::Instant::now(),
                #[cfg(feature = "std")]
                background: Background {
                    open: _open.clone(),
                    alarm: None,
                    armed: false,
                    uncommitted: false,
                    failed: None,
                },
            })
        })
    }

    /// The level of the commit when the file is closed.
    fn last_level(&self) -> Level {
        if self.synced {
            Level::Sync
        } else {
            Level::Flush
        }
    }

    /// To be called after a change, of `bytes` of data.
    fn commit_if_due(&mut self, bytes: u64) -> Result<()> {
        self.bytes_since_commit = self.bytes_since_commit.saturating_add(bytes);
        let due = self
            .policy
            .bytes
            .is_some_and(|limit| self.bytes_since_commit >= limit);
        #[cfg(feature = "std")]
        let due = due
            || self
                .policy
                .interval
                .is_some_and(|limit| self.last_commit.elapsed() >= limit);
        match self.policy.level(self.synced) {
            Some(level) if due => return self.commit(level),
            #[cfg(feature = "std")]
            Some(_) if self.policy.interval.is_some() => self.arm(),
            _ => {}
        }
        Ok(())
    }

    /// Has the thread commit what has just been changed, if no call comes before.
    #[cfg(feature = "std")]
    fn arm(&mut self) {
        self.background.uncommitted = true;
        if self.background.armed || self.policy.only_with_changes {
            return;
        }
        let Some(due) = self.due() else { return };
        let open = &self.background.open;
        let alarm = match self.background.alarm.take() {
            Some(alarm) => Some(alarm),
            None => background::Alarm::start(open.clone()),
        };
        match &alarm {
            Some(alarm) => alarm.set(Some(due)),
            // It will not be tried again.
            None => self.policy.only_with_changes = true,
        }
        self.background.armed = alarm.is_some();
        self.background.alarm = alarm;
    }

    /// When the policy asks for a commit.
    #[cfg(feature = "std")]
    fn due(&self) -> Option<std::time::Instant> {
        self.last_commit.checked_add(self.policy.interval?)
    }

    /// What the thread does when it is time: commits, where nobody has done so meanwhile. Returns when to look again.
    #[cfg(feature = "std")]
    fn commit_in_background(&mut self) -> Option<std::time::Instant> {
        self.background.armed = false;
        let writes = self
            .engine
            .as_ref()
            .is_some_and(|engine| !engine.is_stopped());
        if !self.background.uncommitted || !writes {
            return None;
        }
        let (level, due) = (self.policy.level(self.synced)?, self.due()?);
        if due > std::time::Instant::now() {
            self.background.armed = true;
            return Some(due);
        }
        if let Err(error) = self.commit(level) {
            self.background.failed = Some(error);
        }
        None
    }

    /// The error of a commit in the background that nobody has been told of.
    fn untold(&mut self) -> Option<Error> {
        #[cfg(feature = "std")]
        return self.background.failed.take();
        #[cfg(not(feature = "std"))]
        None
    }

    /// Why nothing more is written, for every call that asks.
    fn why_stopped(&self) -> Error {
        let poisoned = Error::new(ErrorKind::Poisoned);
        #[cfg(feature = "std")]
        return cause(poisoned, self.background.failed.clone());
        #[cfg(not(feature = "std"))]
        poisoned
    }

    /// Commits, and says why an earlier commit in the background failed where that is why this one does.
    fn commit_and_tell(&mut self, level: Level) -> Result<()> {
        let untold = self.untold();
        self.commit(level).map_err(|error| cause(error, untold))
    }

    fn commit(&mut self, level: Level) -> Result<()> {
        self.process.check()?;
        self.bytes_since_commit = 0;
        self.synced |= level == Level::Sync;
        #[cfg(feature = "std")]
        {
            self.last_commit = std::time::Instant::now();
            self.background.uncommitted = false;
        }
        match &mut self.engine {
            Some(engine) => engine.commit(level, false),
            None => Err(Error::new(ErrorKind::Closed)),
        }
    }

    /// Commits and closes.
    fn close(&mut self) -> Result<Box<dyn Storage>> {
        self.process.check()?;
        let untold = self.untold();
        let level = self.last_level();
        let engine = self.engine.take();
        let engine = engine.ok_or_else(|| Error::new(ErrorKind::Closed))?;
        #[cfg(feature = "std")]
        if let Some(alarm) = self.background.alarm.take() {
            alarm.end();
        }
        engine.close(level).map_err(|error| cause(error, untold))
    }
}

/// What an earlier failure has to do with this one: nothing but where it made the handle refuse everything.
fn cause(error: Error, untold: Option<Error>) -> Error {
    match untold {
        Some(untold) if matches!(error.kind(), ErrorKind::Poisoned) => untold,
        _ => error,
    }
}

/// What the handles of a file count; when the last of them goes, the file is committed as far as that can be done.
#[derive(Debug)]
struct Counted {
    /// Shared with the thread in the background, which may not be the one that closes: whoever drops the last handle finds
    /// the file closed.
    open: Arc<Lock<Open>>,
    process: Process,
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Another thread of the process that this one was forked from may have had the lock.
        if !self.process.is_current() {
            return;
        }
        // There is nobody to tell; `File::close` tells. Nothing is committed where a write failed or a panic cut a change
        // short.
        let _ = lock(&self.open).close();
    }
}

/// A counted reference to an open file.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    counted: Arc<Counted>,
    name: Arc<str>,
    /// The files that external links lead to, where they may be followed.
    member: Option<Arc<Member>>,
    moves: Arc<Lock<Moves>>,
}

/// So many moved links are kept in mind.
const MOST_MOVES: usize = 1 << 14;

/// The links that were moved or renamed last, by their paths, so that handles know the names of their objects.
#[derive(Debug, Default)]
struct Moves {
    /// How many came before, and are forgotten: what was not asked for its name since then has its former one.
    forgotten: usize,
    last: VecDeque<(String, String)>,
}

impl Moves {
    fn count(&self) -> usize {
        self.forgotten + self.last.len()
    }

    fn add(&mut self, from: String, to: String) {
        if self.last.len() == MOST_MOVES {
            self.last.pop_front();
            self.forgotten += 1;
        }
        self.last.push_back((from, to));
    }
}

/// The path of an object, as it was after so many moves of links.
#[derive(Debug)]
struct Known {
    path: Arc<str>,
    seen: usize,
}

impl Known {
    /// Goes on to where the moves since then have brought it.
    fn follow(&mut self, moves: &Moves) {
        let start = self.seen.saturating_sub(moves.forgotten);
        for (from, to) in moves.last.iter().skip(start) {
            // The link itself, or something below it.
            if let Some(rest) = self.path.strip_prefix(from.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                self.path = alloc::format!("{to}{rest}").into();
            }
        }
        self.seen = moves.count();
    }
}

#[cfg(feature = "std")]
fn held<T, R>(lock: &Lock<T>, run: impl FnOnce(&mut T) -> R) -> R {
    run(&mut lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

#[cfg(not(feature = "std"))]
fn held<T, R>(lock: &Lock<T>, run: impl FnOnce(&mut T) -> R) -> R {
    run(&mut lock.borrow_mut())
}

/// A reference to an open file that does not keep it open.
#[derive(Debug, Clone)]
pub(crate) struct WeakShared {
    counted: Weak<Counted>,
    name: Arc<str>,
    member: Weak<Member>,
    moves: Arc<Lock<Moves>>,
}

impl WeakShared {
    pub(crate) fn upgrade(&self) -> Option<Shared> {
        Some(Shared {
            counted: self.counted.upgrade()?,
            name: self.name.clone(),
            member: self.member.upgrade(),
            moves: self.moves.clone(),
        })
    }
}

impl Shared {
    #[cfg_attr(
        not(feature = "std"),
        expect(
            clippy::arc_with_non_send_sync,
            reason = "counted, not sent: handles stay on one thread"
        )
    )]
    pub(crate) fn new(engine: Engine, name: &str, policy: Policy, member: Option<Member>) -> Self {
        let process = Process::current();
        let shared = Self {
            counted: Arc::new(Counted {
                open: Open::new(engine, policy, process),
                process,
            }),
            name: name.into(),
            member: member.map(Arc::new),
            moves: Arc::default(),
        };
        if let Some(member) = &shared.member {
            member.enter(&shared);
        }
        shared
    }

    pub(crate) fn downgrade(&self) -> WeakShared {
        WeakShared {
            counted: Arc::downgrade(&self.counted),
            name: self.name.clone(),
            // Not counted either: the family would keep itself alive.
            member: self.member.as_ref().map(Arc::downgrade).unwrap_or_default(),
            moves: self.moves.clone(),
        }
    }

    pub(crate) fn member(&self) -> Option<&Member> {
        self.member.as_deref()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether both are the same open file.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.counted, &other.counted)
    }

    fn locked<T>(&self, run: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
        self.locked_in_any_state(|open| match &open.engine {
            Some(engine) if engine.is_stopped() => Err(open.why_stopped()),
            _ => run(open),
        })
    }

    /// As [`locked`](Self::locked), also where nothing more may be written.
    fn locked_in_any_state<T>(&self, run: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
        run(&mut lock(&self.counted.open))
    }

    fn named<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| error.file(&self.name))
    }

    /// Looks at the file.
    pub(crate) fn with<T>(&self, run: impl FnOnce(&mut Engine) -> Result<T>) -> Result<T> {
        self.named(self.locked(|open| match &mut open.engine {
            Some(engine) => run(engine),
            None => Err(Error::new(ErrorKind::Closed)),
        }))
    }

    /// Changes the file; `bytes` of data are given. Commits where the policy says so.
    pub(crate) fn change<T>(
        &self,
        bytes: u64,
        run: impl FnOnce(&mut Engine) -> Result<T>,
    ) -> Result<T> {
        self.named(self.locked(|open| {
            if let Some(error) = open.untold() {
                return Err(error);
            }
            let result = match &mut open.engine {
                Some(engine) => {
                    engine.check_room(bytes)?;
                    run(engine)?
                }
                None => return Err(Error::new(ErrorKind::Closed)),
            };
            open.commit_if_due(bytes)?;
            Ok(result)
        }))
    }

    pub(crate) fn commit(&self, level: Level) -> Result<()> {
        self.named(self.locked(|open| open.commit_and_tell(level)))
    }

    /// Commits and closes; every handle answers that it is closed from here on.
    pub(crate) fn close(&self) -> Result<Box<dyn Storage>> {
        self.named(self.locked_in_any_state(Open::close))
    }
}

/// Both files of a copy, locked one after the other in an order that every thread keeps.
impl Shared {
    fn with_both<T>(
        from: &Self,
        to: &Self,
        run: impl FnOnce(&mut Open, &mut Open) -> Result<T>,
    ) -> Result<T> {
        let place = |shared: &Self| Arc::as_ptr(&shared.counted).addr();
        if place(from) < place(to) {
            from.locked(|source| to.locked(|destination| run(source, destination)))
        } else {
            to.locked(|destination| from.locked(|source| run(source, destination)))
        }
    }
}

/// Runs a copy from one object's file to another's, which may be the same, and commits where the policy of the latter
/// says so.
pub(crate) fn copy_between(
    from: &ObjectRef,
    to: &ObjectRef,
    run: impl FnOnce(Engines<'_>, Addr, Addr) -> Result<()>,
) -> Result<()> {
    if from.shared.is(&to.shared) {
        return to.shared.change(0, |engine| {
            let source = from.check(engine)?;
            let destination = to.check(engine)?;
            run(Engines::Same(engine), source, destination)
        });
    }
    let copied = Shared::with_both(&from.shared, &to.shared, |source, destination| {
        let closed = |shared: &Shared| Error::new(ErrorKind::Closed).file(&shared.name);
        let engine = source.engine.as_mut();
        let from_engine = engine.ok_or_else(|| closed(&from.shared))?;
        let engine = destination.engine.as_mut();
        let to_engine = engine.ok_or_else(|| closed(&to.shared))?;
        let base = from
            .check(from_engine)
            .map_err(|error| error.object(&from.path()).file(&from.shared.name))?;
        let target = to.check(to_engine)?;
        let engines = Engines::Two {
            from: from_engine,
            to: to_engine,
        };
        run(engines, base, target)?;
        destination.commit_if_due(0)
    });
    to.shared.named(copied)
}

/// One object of an open file, as a handle names it.
#[derive(Debug, Clone)]
pub(crate) struct ObjectRef {
    pub(crate) shared: Shared,
    addr: Addr,
    /// Tells the object from an earlier one at the same address.
    incarnation: u32,
    known: Arc<Lock<Known>>,
}

impl ObjectRef {
    #[cfg_attr(
        not(feature = "std"),
        expect(
            clippy::arc_with_non_send_sync,
            reason = "counted, not sent: handles stay on one thread"
        )
    )]
    pub(crate) fn new(shared: Shared, engine: &Engine, addr: Addr, path: &str) -> Self {
        Self {
            addr,
            incarnation: engine.incarnation(addr),
            known: Arc::new(Lock::new(Known {
                path: path.into(),
                seen: held(&shared.moves, |moves| moves.count()),
            })),
            shared,
        }
    }

    /// The path by which the object was opened, as far as moves of its links go on from there.
    pub(crate) fn path(&self) -> Arc<str> {
        held(&self.known, |known| {
            held(&self.shared.moves, |moves| known.follow(moves));
            known.path.clone()
        })
    }

    /// Takes note of a link below this object that has moved.
    pub(crate) fn moved(&self, from: &str, to: &str) {
        let (from, to) = (self.join(from), self.join(to));
        held(&self.shared.moves, |moves| moves.add(from, to));
    }

    /// The path of something below this object, without what names nothing: dots, and slashes in a row.
    pub(crate) fn join(&self, path: &str) -> String {
        let own = self.path();
        let mut joined = String::with_capacity(own.len() + 1 + path.len());
        if !path.starts_with('/') {
            joined.push_str(own.trim_end_matches('/'));
        }
        for name in path.split('/') {
            if !name.is_empty() && name != "." {
                joined.push('/');
                joined.push_str(name);
            }
        }
        if joined.is_empty() {
            joined.push('/');
        }
        joined
    }

    /// Where the object is, in the engine of its file.
    pub(crate) fn address(&self, engine: &Engine) -> Result<Addr> {
        self.check(engine)
            .map_err(|error| error.object(&self.path()))
    }

    /// Where the object was, if it has been deleted.
    pub(crate) fn deleted(&self, engine: &Engine) -> Option<Addr> {
        self.check(engine).is_err().then_some(self.addr)
    }

    fn check(&self, engine: &Engine) -> Result<Addr> {
        if engine.incarnation(self.addr) != self.incarnation {
            return Err(Error::not_found());
        }
        Ok(self.addr)
    }

    pub(crate) fn with<T>(&self, run: impl FnOnce(&mut Engine, Addr) -> Result<T>) -> Result<T> {
        let result = self.shared.with(|engine| {
            let addr = self.check(engine)?;
            run(engine, addr)
        });
        result.map_err(|error| error.object(&self.path()))
    }

    pub(crate) fn change<T>(
        &self,
        bytes: u64,
        run: impl FnOnce(&mut Engine, Addr) -> Result<T>,
    ) -> Result<T> {
        let result = self.shared.change(bytes, |engine| {
            let addr = self.check(engine)?;
            run(engine, addr)
        });
        result.map_err(|error| error.object(&self.path()))
    }
}
