//! From an object back to a path: the walk along all links that tells what a reference names.

use super::engine::Engine;
use crate::bytes::Addr;
use crate::error::{ErrorKind, Result};
use crate::format::message::link::LinkTarget;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

/// For every object that hard links reach but the root: a group that has one, and the name there.
#[derive(Debug, Default)]
pub(crate) struct Paths(BTreeMap<Addr, (Addr, Vec<u8>)>);

impl Paths {
    /// The path of an object; `None` where no link leads to it.
    fn of(&self, root: Addr, addr: Addr) -> Option<String> {
        let mut names = Vec::new();
        let mut at = addr;
        while at != root {
            // Each step leads to an object found earlier, thus to the root.
            let (parent, name) = self.0.get(&at)?;
            names.push(name);
            at = *parent;
        }
        let mut path = String::new();
        for name in names.iter().rev() {
            path.push('/');
            path.push_str(&String::from_utf8_lossy(name));
        }
        if path.is_empty() {
            path.push('/');
        }
        Some(path)
    }
}

impl Engine {
    /// A shortest path to the object at `addr`; `None` where no hard link leads to it. The first call walks the file,
    /// and the next ones until a group changes look up what it found.
    pub(crate) fn path_of(&mut self, addr: Addr) -> Result<Option<String>> {
        let root = self.root();
        let paths = match self.paths.take() {
            Some(paths) => paths,
            None => self.walk_paths()?,
        };
        let path = paths.of(root, addr);
        self.paths = Some(paths);
        Ok(path)
    }

    fn walk_paths(&mut self) -> Result<Paths> {
        let root = self.root();
        let mut paths = Paths::default();
        let mut queue = VecDeque::from([root]);
        while let Some(group) = queue.pop_front() {
            let cached = self.objects.contains_key(&group);
            let links = match self.parts(group) {
                Ok((object, store, _)) => match &mut object.links {
                    Some(links) => links.list(store, &object.header),
                    None => Ok(Vec::new()),
                },
                Err(error) => Err(error),
            };
            let links = match links {
                Ok(links) => links,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned) =>
                {
                    return Err(error);
                }
                // What cannot be read leads nowhere.
                Err(_) => Vec::new(),
            };
            if !cached {
                self.evict(group);
            }
            for link in links {
                if let LinkTarget::Hard(child) = link.target
                    && child != root
                    && !paths.0.contains_key(&child)
                {
                    paths.0.insert(child, (group, link.name));
                    queue.push_back(child);
                }
            }
        }
        Ok(paths)
    }
}
