//! How other files are found and opened: by their paths, as libhdf5 does it, or by a closure of the user's; and the
//! files that external links of one file have led to.

#[cfg(feature = "std")]
mod paths;

use crate::error::{Error, Result};
use crate::filter::Registry;
use crate::handle::{Lock, ObjectRef, Policy, Shared, WeakShared};
use crate::object::engine::Engine;
use crate::object::other_files::{Located, MAX_DEPTH, OpenOther, OtherFiles, Purpose, not_allowed};
use crate::object::{Elsewhere, Found};
use crate::storage::Storage;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "std")]
pub(crate) use paths::{Paths, located};

/// Which other files may be opened.
#[derive(Clone, Default)]
pub(crate) enum Others {
    #[default]
    Refused,
    #[cfg(feature = "std")]
    Paths,
    Resolved(Arc<dyn OpenOther>),
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "Refused",
            #[cfg(feature = "std")]
            Self::Paths => "Paths",
            Self::Resolved(_) => "Resolved(..)",
        })
    }
}

/// A closure of the user's that opens storage by name.
pub(crate) struct Resolver<F>(pub(crate) F);

impl<F> OpenOther for Resolver<F>
where
    F: Fn(&str) -> Result<Option<Box<dyn Storage>>> + Send + Sync,
{
    fn locate(&self, _from: &Located, name: &str, _purpose: Purpose) -> Result<Option<Located>> {
        Ok(Some(Located {
            name: name.to_string(),
            identity: name.to_string(),
            place: None,
        }))
    }

    fn open(&self, file: &Located, _purpose: Purpose) -> Result<Option<Box<dyn Storage>>> {
        (self.0)(&file.name)
    }

    fn open_to_write(
        &self,
        from: &Located,
        name: &str,
    ) -> Result<Option<(Located, Box<dyn Storage>)>> {
        let Some(located) = self.locate(from, name, Purpose::External)? else {
            return Ok(None);
        };
        let storage = self.open(&located, Purpose::External)?;
        Ok(storage.map(|storage| (located, storage)))
    }
}

/// Files that reach each other by external links: each is open once as long as a handle to it lives.
pub(crate) struct Family {
    opener: Arc<dyn OpenOther>,
    /// Bytes of chunks that may wait in memory, for each file.
    cache: usize,
    filters: Registry,
    files: Lock<Vec<(Located, WeakShared)>>,
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family").finish_non_exhaustive()
    }
}

/// A file's place in its family.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    family: Arc<Family>,
    located: Located,
}

impl Member {
    /// The first file of a family; the engine may open others from here on.
    #[cfg_attr(
        not(feature = "std"),
        expect(
            clippy::arc_with_non_send_sync,
            reason = "counted, not sent: handles stay on one thread"
        )
    )]
    pub(crate) fn first(engine: &mut Engine, opener: Arc<dyn OpenOther>, located: Located) -> Self {
        engine.others = OtherFiles::allowed(opener.clone(), located.clone());
        let family = Family {
            opener,
            cache: engine.budget,
            filters: engine.store.filters.clone(),
            files: Lock::new(Vec::new()),
        };
        Self {
            family: Arc::new(family),
            located,
        }
    }

    /// Makes the file known to the others.
    pub(crate) fn enter(&self, shared: &Shared) {
        self.family.files(|files| {
            files.retain(|(_, file)| file.upgrade().is_some());
            files.push((self.located.clone(), shared.downgrade()));
        });
    }

    /// The file that an external link of this one names.
    fn open(&self, name: &str) -> Result<Shared> {
        let family = &self.family;
        let missing = || Error::not_found().file(name);
        let located = family.opener.locate(&self.located, name, Purpose::Link)?;
        let located = located.ok_or_else(missing)?;
        let known = family.files(|files| {
            let mut known = files.iter();
            let known = known.find(|(file, _)| file.identity == located.identity);
            known.and_then(|(_, file)| file.upgrade())
        });
        if let Some(shared) = known {
            return Ok(shared);
        }
        let storage = family.opener.open(&located, Purpose::Link)?;
        let storage = storage.ok_or_else(missing)?;
        let engine = Engine::open(storage, true).map_err(|error| error.file(&located.name));
        let mut engine = engine?;
        engine.budget = family.cache;
        engine.store.filters = family.filters.clone();
        engine.others = OtherFiles::allowed(family.opener.clone(), located.clone());
        let name = located.name.clone();
        let member = Self {
            family: family.clone(),
            located,
        };
        Ok(Shared::new(engine, &name, Policy::default(), Some(member)))
    }
}

impl Family {
    #[cfg(feature = "std")]
    fn files<T>(&self, run: impl FnOnce(&mut Vec<(Located, WeakShared)>) -> T) -> T {
        run(&mut self
            .files
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    #[cfg(not(feature = "std"))]
    fn files<T>(&self, run: impl FnOnce(&mut Vec<(Located, WeakShared)>) -> T) -> T {
        run(&mut self.files.borrow_mut())
    }
}

/// What is at a path.
pub(crate) enum Target {
    Object(ObjectRef),
    Missing,
    /// An external link that has not been followed.
    Link,
}

impl ObjectRef {
    /// Finds what is at a path from this group, in whatever file. An external link at the end of the path is followed
    /// where `through` says so.
    pub(crate) fn find(&self, path: &str, through: bool) -> Result<Target> {
        let mut from = self.clone();
        let mut path = path.to_string();
        for _ in 0..=MAX_DEPTH {
            let full = from.join(&path);
            let step = from.with(|engine, base| {
                Ok(match engine.find_across(base, &path)? {
                    Found::Here(addr) => {
                        let shared = from.shared.clone();
                        Ok(Target::Object(Self::new(shared, engine, addr, &full)))
                    }
                    Found::Missing => Ok(Target::Missing),
                    Found::Elsewhere(there) if there.last && !through => Ok(Target::Link),
                    Found::Elsewhere(there) => Err(there),
                })
            })?;
            let Elsewhere { file, path: on, .. } = match step {
                Ok(target) => return Ok(target),
                Err(there) => there,
            };
            let shared = match from.shared.member() {
                Some(member) => member.open(&file),
                None => Err(not_allowed(&file, "the external link leads to")),
            };
            let shared = shared.map_err(|error| error.file(from.shared.name()).object(&full))?;
            from =
                shared.with(|engine| Ok(Self::new(shared.clone(), engine, engine.root(), "/")))?;
            path = on;
        }
        let (depth, most) = (MAX_DEPTH as u64 + 1, MAX_DEPTH as u64);
        Err(Error::limit("external links in a row", depth, most))
    }
}
