//! What every handle of one open file shares: the engine behind a lock, the file's name, when to commit by itself.

use crate::bytes::Addr;
use crate::error::{Error, ErrorKind, Result};
use crate::object::copy::Engines;
use crate::object::engine::Engine;
use crate::other_files::Member;
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

/// When a file commits without being told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Policy {
    /// After this many bytes of data have been given.
    pub(crate) bytes: Option<u64>,
    /// When a change is made this long after the last commit.
    #[cfg(feature = "std")]
    pub(crate) interval: Option<std::time::Duration>,
}

/// An open file; when the last handle goes, it is committed as far as that can be done.
#[derive(Debug)]
struct Open {
    engine: Option<Engine>,
    policy: Policy,
    bytes_since_commit: u64,
    /// The user has asked for a sync: the commit at the end is one too, so that a loss of power after it cannot damage
    /// what was safe before it.
    synced: bool,
    #[cfg(feature = "std")]
    last_commit: std::time::Instant,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            // There is nobody to tell; `File::close` tells.
            let _ = engine.close(self.last_level());
        }
    }
}

impl Open {
    /// The level of the commit when the file is closed.
    fn last_level(&self) -> Level {
        if self.synced {
            Level::Sync
        } else {
            Level::Flush
        }
    }

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
        if due {
            self.commit(Level::Flush)
        } else {
            Ok(())
        }
    }

    fn commit(&mut self, level: Level) -> Result<()> {
        self.bytes_since_commit = 0;
        self.synced |= level == Level::Sync;
        #[cfg(feature = "std")]
        {
            self.last_commit = std::time::Instant::now();
        }
        match &mut self.engine {
            Some(engine) => engine.commit(level, false),
            None => Err(Error::new(ErrorKind::Closed)),
        }
    }
}

/// A counted reference to an open file.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    open: Arc<Lock<Open>>,
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
    open: Weak<Lock<Open>>,
    name: Arc<str>,
    member: Weak<Member>,
    moves: Arc<Lock<Moves>>,
}

impl WeakShared {
    pub(crate) fn upgrade(&self) -> Option<Shared> {
        Some(Shared {
            open: self.open.upgrade()?,
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
        let shared = Self {
            open: Arc::new(Lock::new(Open {
                engine: Some(engine),
                policy,
                bytes_since_commit: 0,
                synced: false,
                #[cfg(feature = "std")]
                last_commit: std::time::Instant::now(),
            })),
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
            open: Arc::downgrade(&self.open),
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
        Arc::ptr_eq(&self.open, &other.open)
    }

    #[cfg(feature = "std")]
    fn locked<T>(&self, run: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
        match self.open.lock() {
            Ok(mut open) => run(&mut open),
            // A thread panicked while it changed the engine.
            Err(_) => Err(Error::new(ErrorKind::Poisoned)),
        }
    }

    #[cfg(not(feature = "std"))]
    fn locked<T>(&self, run: impl FnOnce(&mut Open) -> Result<T>) -> Result<T> {
        run(&mut self.open.borrow_mut())
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
        self.named(self.locked(|open| open.commit(level)))
    }

    /// Commits and closes; every handle answers that it is closed from here on.
    pub(crate) fn close(&self) -> Result<Box<dyn Storage>> {
        self.named(self.locked(|open| {
            let level = open.last_level();
            let engine = open.engine.take();
            engine
                .ok_or_else(|| Error::new(ErrorKind::Closed))?
                .close(level)
        }))
    }
}

/// Both files of a copy, locked one after the other in an order that every thread keeps.
impl Shared {
    fn with_both<T>(
        from: &Self,
        to: &Self,
        run: impl FnOnce(&mut Open, &mut Open) -> Result<T>,
    ) -> Result<T> {
        let place = |shared: &Self| Arc::as_ptr(&shared.open).addr();
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
