//! Links as such: where one is, giving it another name or group, taking out what has no name in UTF-8.

use super::engine::Engine;
use super::tree::{ObjectKind, charset, check_path};
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::link::{Link, LinkTarget};
use alloc::collections::BTreeSet;
use alloc::vec;

impl Engine {
    /// The link at `path`, itself and not what it leads to, with the group it is in.
    pub(crate) fn find_link(&mut self, base: Addr, path: &str) -> Result<Option<(Addr, Link)>> {
        let names = check_path(path)?;
        let Some((last, parents)) = names.split_last() else {
            return Err(Error::invalid(
                "no link leads to the root group by its path",
            ));
        };
        let start = self.start(base, path);
        let Some(group) = self.find(start, &parents.join("/"))? else {
            return Ok(None);
        };
        Ok(self.link(group, last)?.map(|link| (group, link)))
    }

    fn start(&self, base: Addr, path: &str) -> Addr {
        if path.starts_with('/') {
            self.root()
        } else {
            base
        }
    }

    /// Adds a link that leads to no object of this file by its address.
    pub(crate) fn create_checked_link(
        &mut self,
        base: Addr,
        path: &str,
        target: LinkTarget,
    ) -> Result<()> {
        let link = Link {
            // Another name is as long as any.
            name: b"name".to_vec(),
            charset: charset(""),
            creation_order: None,
            target,
        };
        link.check()?;
        self.create_link(base, path, link.target)
    }

    /// Moves the link at `from` to `to`.
    pub(crate) fn relink(&mut self, base: Addr, from: &str, to: &str) -> Result<()> {
        let (source, link) = self.find_link(base, from)?.ok_or_else(Error::not_found)?;
        self.move_link(base, source, link, to)
    }

    /// Moves the link of `group` with the name `from`, in whatever bytes, to `to`.
    pub(crate) fn relink_bytes(&mut self, group: Addr, from: &[u8], to: &str) -> Result<()> {
        let link = self.link(group, from)?.ok_or_else(Error::not_found)?;
        self.move_link(group, group, link, to)
    }

    /// Takes out the link of `group` with the name `name`, in whatever bytes.
    pub(crate) fn unlink_bytes(&mut self, group: Addr, name: &[u8]) -> Result<()> {
        let link = self.link(group, name)?.ok_or_else(Error::not_found)?;
        self.unlink_found(group, link)
    }

    fn move_link(&mut self, base: Addr, source: Addr, link: Link, to: &str) -> Result<()> {
        self.check_links_editable(source)?;
        let planned = self.plan_path(base, to);
        let (at, missing, last) = planned.map_err(|error| error.object(to))?;
        let object = match link.target {
            LinkTarget::Hard(addr) => Some(addr),
            _ => None,
        };
        if let Some(addr) = object
            && at != source
        {
            self.check_not_inside(base, addr, at, to)?;
        }
        let moved = Link {
            name: last.as_bytes().to_vec(),
            charset: charset(last),
            creation_order: None,
            target: link.target,
        };
        self.change(|engine| {
            let parent = engine.create_missing(at, &missing)?;
            engine.note_move(object, source, parent);
            for group in [parent, source] {
                let (object, store, _) = engine.touch(group)?;
                let links = object
                    .links
                    .as_mut()
                    .ok_or_else(|| Error::invalid("not a group"))?;
                if parent == source {
                    return links.rename(store, &mut object.header, &link.name, moved);
                }
                if group == parent {
                    links.insert(store, &mut object.header, moved.clone())?;
                } else {
                    links.remove(store, &mut object.header, &link.name)?;
                }
            }
            Ok(())
        })
    }

    /// Refuses a group that would be linked from inside itself: nothing outside would lead to it any more.
    fn check_not_inside(&mut self, base: Addr, moved: Addr, into: Addr, path: &str) -> Result<()> {
        let refuse = || Err(Error::invalid("a group cannot be moved into itself"));
        if moved == into {
            return refuse();
        }
        if self.kind(moved)? != ObjectKind::Group {
            return Ok(());
        }
        let start = self.start(base, path);
        if start == self.root() && self.only_path_avoids(moved, into, path)? {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        let mut queue = vec![moved];
        while let Some(group) = queue.pop() {
            if group == into {
                return refuse();
            }
            if !seen.insert(group) {
                continue;
            }
            for link in self.links(group)? {
                let LinkTarget::Hard(child) = link.target else {
                    continue;
                };
                let known = self.objects.contains_key(&child);
                if !seen.contains(&child) && self.kind(child)? == ObjectKind::Group {
                    queue.push(child);
                } else if !known {
                    self.evict(child);
                }
            }
        }
        Ok(())
    }

    /// Whether the groups on `path` down to `into` are reached by no other hard links than those of the path, and none
    /// of them is `moved`: then what is below `moved` need not be looked at.
    fn only_path_avoids(&mut self, moved: Addr, into: Addr, path: &str) -> Result<bool> {
        let mut at = self.root();
        if self.object(at)?.header.reference_count()? > 1 {
            return Ok(false);
        }
        for name in check_path(path)? {
            if at == into {
                break;
            }
            match self.link(at, name)?.map(|link| link.target) {
                Some(LinkTarget::Hard(next)) => at = next,
                _ => return Ok(false),
            }
            if at == moved || self.object(at)?.header.reference_count()? != 1 {
                return Ok(false);
            }
        }
        Ok(at == into)
    }
}
