//! Paths, and the making and unmaking of objects.

use super::attributes::Attributes;
use super::dataset::Dataset;
use super::dense::heap_header;
use super::engine::{Engine, Object};
use super::header::Header;
use super::links::Links;
use super::new_group::NewGroup;
use super::plan::{LayoutChoice, Plan};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::datatype::CharacterSet;
use crate::format::message::kind;
use crate::format::message::link::{Link, LinkTarget, external_parts};
use crate::format::object_header::Prefix;
use crate::store::SECTOR;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What is set aside for the attributes of a new dataset, at the most.
const MAX_ATTRIBUTES: u64 = 1024;

/// Soft links that lead to soft links, at the most.
const MAX_SOFT_LINKS: usize = 16;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Group,
    Dataset,
    /// A committed datatype.
    Datatype,
    /// Something newer.
    Other,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Found {
    Here(Addr),
    /// A link on the way is missing.
    Missing,
    /// On by an external link.
    Elsewhere(Elsewhere),
}

/// A path in another file.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) file: String,
    pub(crate) path: String,
    /// Whether the link is the last of the path that was followed.
    pub(crate) last: bool,
}

impl Elsewhere {
    fn of_link(data: &[u8]) -> Result<Self> {
        let (file, path) = external_parts(data)?;
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec())
                .map_err(|_| Error::unsupported("an external link that is not UTF-8"))
        };
        Ok(Self {
            file: text(file)?,
            path: text(path)?,
            last: true,
        })
    }

    /// What the rest of a path leads to from there.
    fn and_on<'a>(mut self, rest: impl Iterator<Item = &'a str>) -> Found {
        for name in rest {
            self.path.push('/');
            self.path.push_str(name);
            self.last = false;
        }
        Found::Elsewhere(self)
    }
}

impl Engine {
    /// The object at `path`, seen from the group at `base`; `None` where a link on the way is missing. Refuses to go to
    /// another file.
    pub(crate) fn find(&mut self, base: Addr, path: &str) -> Result<Option<Addr>> {
        match self.find_across(base, path)? {
            Found::Here(addr) => Ok(Some(addr)),
            Found::Missing => Ok(None),
            Found::Elsewhere(there) => Err(Error::unsupported(format!(
                "an external link on the way, to {:?} in the file {:?}",
                there.path, there.file
            ))),
        }
    }

    /// As [`find`](Self::find), or where an external link leads.
    pub(crate) fn find_across(&mut self, base: Addr, path: &str) -> Result<Found> {
        self.find_following(base, path, MAX_SOFT_LINKS)
    }

    fn find_following(&mut self, base: Addr, path: &str, soft_links: usize) -> Result<Found> {
        let mut at = if path.starts_with('/') {
            self.root()
        } else {
            base
        };
        let names = path.split('/');
        let mut names = names.filter(|name| !name.is_empty() && *name != ".");
        while let Some(name) = names.next() {
            let Some(link) = self.link(at, name)? else {
                return Ok(Found::Missing);
            };
            at = match link.target {
                LinkTarget::Hard(addr) => addr,
                LinkTarget::Soft(target) => {
                    if soft_links == 0 {
                        return Err(Error::limit(
                            "soft links in a row",
                            17,
                            MAX_SOFT_LINKS as u64,
                        ));
                    }
                    let target = String::from_utf8(target)
                        .map_err(|_| Error::unsupported("a soft link that is not UTF-8"))?;
                    match self.find_following(at, &target, soft_links - 1)? {
                        Found::Here(addr) => addr,
                        Found::Missing => return Ok(Found::Missing),
                        Found::Elsewhere(there) => return Ok(there.and_on(names)),
                    }
                }
                LinkTarget::External(data) => {
                    return Ok(Elsewhere::of_link(&data)?.and_on(names));
                }
                LinkTarget::UserDefined { class, .. } => {
                    return Err(Error::unsupported(format!(
                        "following {name:?}, a user-defined link of class {class}"
                    )));
                }
            };
        }
        Ok(Found::Here(at))
    }

    /// The link of one name in a group; `None` also where the object is no group.
    pub(crate) fn link(&mut self, group: Addr, name: impl AsRef<[u8]>) -> Result<Option<Link>> {
        let (object, store, _) = self.parts(group)?;
        match &mut object.links {
            Some(links) => links.find(store, &object.header, name.as_ref()),
            None => Ok(None),
        }
    }

    pub(crate) fn kind(&mut self, addr: Addr) -> Result<ObjectKind> {
        let object = self.object(addr)?;
        Ok(match &object.links {
            Some(_) => ObjectKind::Group,
            None if object.dataset.is_some() || object.refused.is_some() => ObjectKind::Dataset,
            None if object.header.message(kind::DATATYPE).is_some() => ObjectKind::Datatype,
            None => ObjectKind::Other,
        })
    }

    /// All links of a group.
    pub(crate) fn links(&mut self, group: Addr) -> Result<Vec<Link>> {
        let (object, store, _) = self.parts(group)?;
        let links = object
            .links
            .as_mut()
            .ok_or_else(|| Error::invalid("not a group"))?;
        links.list(store, &object.header)
    }

    pub(crate) fn link_count(&mut self, group: Addr) -> Result<u64> {
        let (object, store, _) = self.parts(group)?;
        let links = object
            .links
            .as_mut()
            .ok_or_else(|| Error::invalid("not a group"))?;
        links.len(store, &object.header)
    }

    /// Where a new object of `path` would be linked: the deepest group that exists, the groups to make on the way,
    /// and the last name. Refuses what exists or cannot be.
    pub(crate) fn plan_path<'a>(
        &mut self,
        base: Addr,
        path: &'a str,
    ) -> Result<(Addr, Vec<&'a str>, &'a str)> {
        let (parents, last) = split_path(path)?;
        let mut at = if path.starts_with('/') {
            self.root()
        } else {
            base
        };
        let last = last.ok_or_else(|| Error::new(ErrorKind::Exists))?;
        for (number, name) in parents.iter().enumerate() {
            match self.find(at, name)? {
                Some(addr) if self.kind(addr)? == ObjectKind::Group => at = addr,
                Some(_) => {
                    return Err(Error::invalid(format!(
                        "{name:?} on the way is not a group"
                    )));
                }
                None if self.link(at, name)?.is_some() => {
                    return Err(Error::invalid(format!(
                        "{name:?} on the way is a dangling link"
                    )));
                }
                None => {
                    self.check_links_editable(at)?;
                    return Ok((at, parents[number..].to_vec(), last));
                }
            }
        }
        if self.kind(at)? != ObjectKind::Group {
            return Err(Error::invalid("the parent is not a group"));
        }
        self.check_links_editable(at)?;
        if self.link(at, last)?.is_some() {
            return Err(Error::new(ErrorKind::Exists));
        }
        Ok((at, Vec::new(), last))
    }

    /// Makes a group, with the groups on the way.
    pub(crate) fn create_group(&mut self, base: Addr, path: &str, new: NewGroup) -> Result<Addr> {
        let (at, missing, last) = self.plan_path(base, path)?;
        self.change(|engine| {
            let parent = engine.create_missing(at, &missing)?;
            let addr = engine.create_group_in(parent, last, new)?;
            engine.note_new_group(addr)?;
            Ok(addr)
        })
    }

    pub(super) fn create_missing(&mut self, mut at: Addr, missing: &[&str]) -> Result<Addr> {
        for name in missing {
            at = self.create_group_in(at, name, NewGroup::default())?;
            self.note_new_group(at)?;
        }
        Ok(at)
    }

    fn create_group_in(&mut self, parent: Addr, name: &str, new: NewGroup) -> Result<Addr> {
        let (links, messages) = Links::create(&self.store, new);
        let sector = self.store.alloc_sectors(SECTOR as u64)?;
        let prefix = new.prefix();
        let cell = Header::new_cell_size(&self.store, &prefix);
        let room = Extent::new(sector.addr.plus(cell), sector.len - cell);
        self.add_object(
            parent,
            name,
            Object {
                header: Header::new(sector.addr, prefix, messages, vec![room], true),
                links: Some(links),
                attributes: Attributes::none(),
                dataset: None,
                refused: None,
            },
        )
    }

    /// Makes a dataset, with the groups on the way.
    pub(crate) fn create_dataset(
        &mut self,
        base: Addr,
        path: &str,
        mut plan: Plan,
    ) -> Result<Addr> {
        let (at, missing, last) = self.plan_path(base, path)?;
        let widths = self.store.widths();
        plan.fit(widths)?;
        let layout = plan.check(&self.store.filters, self.store.bound, widths)?;
        let committed = plan.committed;
        if let Some(committed) = committed {
            self.check_named(committed)?;
        }
        self.change(|engine| {
            let parent = engine.create_missing(at, &missing)?;
            let addr = engine.create_dataset_in(parent, last, plan, layout)?;
            if let Some(committed) = committed {
                engine.hold_named(committed, addr)?;
            }
            engine.note_new_dataset(addr)?;
            Ok(addr)
        })
    }

    fn create_dataset_in(
        &mut self,
        parent: Addr,
        name: &str,
        plan: Plan,
        layout: LayoutChoice,
    ) -> Result<Addr> {
        let prefix = Prefix::ordered(plan.track_order).changing(plan.attr_phase_change);
        let (store, heap) = (&mut self.store, &mut self.heap);
        let (mut dataset, messages) = Dataset::create(store, heap, plan, layout)?;
        let grows = dataset.can_grow();
        let mut header = Header::new(parent, prefix, messages, Vec::new(), grows);
        if !self.place_in_one(&mut dataset, &mut header)? {
            header.addr = self.place_cell(parent, &header.prefix, grows)?;
        }
        let object = Object {
            header,
            links: None,
            attributes: Attributes::none(),
            dataset: Some(dataset),
            refused: None,
        };
        self.add_object(parent, name, object)
    }

    /// Sets space aside for the header of a dataset that is not expected to change, so that it may be one block: as much
    /// as the last such dataset has by now, with its attributes.
    fn place_in_one(&mut self, dataset: &mut Dataset, header: &mut Header) -> Result<bool> {
        let changes = dataset.can_grow() || dataset.chunk().is_some();
        if changes || header.prefix.tracks_creation_order() || !self.store.stamped() {
            return Ok(false);
        }
        dataset.stage(&mut self.store, header, false)?;
        let bare = header.size_in_one();
        let last = self.last_in_one.and_then(|addr| self.objects.get(&addr));
        let usual = last.map_or(bare, |object| object.header.size_in_one());
        let len = match (bare..=bare + MAX_ATTRIBUTES).contains(&usual) {
            true => usual,
            false => bare,
        };
        let cell = Header::new_cell_size(&self.store, &header.prefix);
        let Some(reserved) = self.store.reserve(len.max(cell), cell)? else {
            return Ok(false);
        };
        header.place_in_one(reserved);
        self.last_in_one = Some(reserved.addr);
        Ok(true)
    }

    /// A place for a cell: sector 0 while it has room for objects that will change, so that one write commits them
    /// all; else the room of the parent, which gets another sector when it has none.
    pub(super) fn place_cell(&mut self, parent: Addr, prefix: &Prefix, hot: bool) -> Result<Addr> {
        let len = Header::new_cell_size(&self.store, prefix);
        if hot && self.store.stamped() {
            let root = self.root();
            if let Some(addr) = self.take_room(root, len)? {
                return Ok(addr);
            }
        }
        if let Some(addr) = self.take_room(parent, len)? {
            return Ok(addr);
        }
        let sector = self.store.alloc_sectors(SECTOR as u64)?;
        let rest = Extent::new(sector.addr.plus(len), sector.len - len);
        let (parent, ..) = self.touch(parent)?;
        parent.header.room.push(rest);
        Ok(sector.addr)
    }

    fn take_room(&mut self, owner: Addr, len: u64) -> Result<Option<Addr>> {
        let heap_header = heap_header(self.store.widths());
        let object = self.object(owner)?;
        let keep = match &object.links {
            Some(links) if links.may_become_dense() => heap_header,
            _ => 0,
        };
        let taken = object.header.take_room_for_child(len, keep);
        if let Some(addr) = taken {
            self.touch(owner)?;
            self.store.renew(Extent::new(addr, len));
        }
        Ok(taken)
    }

    fn add_object(&mut self, parent: Addr, name: &str, object: Object) -> Result<Addr> {
        let addr = object.header.addr;
        self.adopt_new(object);
        self.insert_link(parent, name, LinkTarget::Hard(addr))?;
        Ok(addr)
    }

    pub(super) fn insert_link(
        &mut self,
        group: Addr,
        name: &str,
        target: LinkTarget,
    ) -> Result<()> {
        if let LinkTarget::Hard(addr) = target {
            self.note_link(addr, group, 1);
        }
        self.new_objects.note_grown(group);
        let (object, store, _) = self.touch(group)?;
        let links = object
            .links
            .as_mut()
            .ok_or_else(|| Error::invalid("not a group"))?;
        let link = Link {
            name: name.as_bytes().to_vec(),
            charset: charset(name),
            creation_order: None,
            target,
        };
        links.insert(store, &mut object.header, link)
    }

    /// Adds a soft link, or a hard link to an object that exists.
    pub(crate) fn create_link(&mut self, base: Addr, path: &str, target: LinkTarget) -> Result<()> {
        let (at, missing, last) = self.plan_path(base, path)?;
        let object = match target {
            LinkTarget::Hard(addr) => {
                self.check_editable(addr)?;
                Some((addr, self.object(addr)?.header.reference_count()?))
            }
            _ => None,
        };
        self.change(|engine| {
            let parent = engine.create_missing(at, &missing)?;
            engine.insert_link(parent, last, target)?;
            if let Some((addr, count)) = object {
                let (object, ..) = engine.touch(addr)?;
                object.header.set_reference_count(count + 1);
            }
            Ok(())
        })
    }

    /// Takes a link out; an object whose last hard link it was is freed with everything it alone holds.
    pub(crate) fn unlink(&mut self, base: Addr, path: &str) -> Result<()> {
        let (group, link) = self.find_link(base, path)?.ok_or_else(Error::not_found)?;
        self.unlink_found(group, link)
    }

    /// Takes out a link that `group` has.
    pub(super) fn unlink_found(&mut self, group: Addr, link: Link) -> Result<()> {
        self.check_links_editable(group)?;
        let doomed = match link.target {
            LinkTarget::Hard(addr) => self.plan_removal(group, addr)?,
            _ => Vec::new(),
        };
        self.change(|engine| {
            let (object, store, _) = engine.touch(group)?;
            if let Some(links) = &mut object.links {
                links.remove(store, &mut object.header, &link.name)?;
            }
            engine.drop_all_links(group, doomed)
        })
    }

    /// How many hard links each object keeps when one link of `holder` to `first` goes, and with it whatever falls to zero: those
    /// first, and a committed datatype after what is of it. Datasets and attributes of such a type count as links.
    /// Reads everything first, so that nothing is changed where a part cannot be read.
    pub(super) fn plan_removal(&mut self, holder: Addr, first: Addr) -> Result<Vec<(Addr, u32)>> {
        let mut left: BTreeMap<Addr, u32> = BTreeMap::new();
        let mut gone = Vec::new();
        let mut queue = vec![first];
        while let Some(addr) = queue.pop() {
            self.check_editable(addr)?;
            let before = match left.get(&addr) {
                Some(&count) => count,
                None => self.object(addr)?.header.reference_count()?,
            };
            left.insert(addr, before.saturating_sub(1));
            // Counts of a damaged file may be too low: an object goes once.
            if before != 1 {
                continue;
            }
            gone.push((addr, 0));
            self.check_removable(addr)?;
            queue.extend(self.named_datatypes_of(addr)?);
            let (object, store, _) = self.parts(addr)?;
            if let Some(links) = &mut object.links {
                for link in links.list(store, &object.header)? {
                    if let LinkTarget::Hard(child) = link.target {
                        queue.push(child);
                    }
                }
            }
        }
        self.add_cycles((holder, first), &mut left, &mut gone)?;
        let kept = left.into_iter().filter(|(_, left)| *left > 0);
        Ok(gone.into_iter().chain(kept).collect())
    }

    /// Refuses an object that cannot be freed.
    pub(super) fn check_removable(&mut self, addr: Addr) -> Result<()> {
        self.check_editable(addr)?;
        self.check_unshare(addr, None)?;
        let (object, store, _) = self.parts(addr)?;
        match &object.links {
            Some(links) => links.check_editable(store),
            None => Ok(()),
        }
    }

    /// Carries out what [`plan_removal`](Self::plan_removal) found for a link of `holder`.
    pub(super) fn drop_all_links(&mut self, holder: Addr, doomed: Vec<(Addr, u32)>) -> Result<()> {
        for (addr, left) in doomed {
            self.note_dropped(addr, holder, left)?;
            self.drop_links_to(addr, left)?;
        }
        Ok(())
    }

    pub(super) fn drop_links_to(&mut self, addr: Addr, left: u32) -> Result<()> {
        if left > 0 {
            let (object, ..) = self.touch(addr)?;
            object.header.set_reference_count(left);
            return Ok(());
        }
        self.release_all_values(addr)?;
        self.unshare(addr, None)?;
        let (object, store, _) = self.parts(addr)?;
        if let Some(dataset) = &mut object.dataset {
            dataset.free_all(store)?;
        }
        if let Some(links) = &mut object.links {
            links.free_all(store)?;
        }
        object.attributes.free_all(store)?;
        object.header.free_all(store);
        self.forget(addr);
        Ok(())
    }
}

pub(crate) fn charset(name: &str) -> CharacterSet {
    if name.is_ascii() {
        CharacterSet::Ascii
    } else {
        CharacterSet::Utf8
    }
}

/// The names of the path of a link.
pub(super) fn check_path(path: &str) -> Result<Vec<&str>> {
    let (mut names, last) = split_path(path)?;
    names.extend(last);
    Ok(names)
}

/// The names of groups on the path of a link, and that of the link; none has a NUL. Slashes in a row are one, and a dot
/// is the group itself, as in libhdf5; two dots are a name like any other.
fn split_path(path: &str) -> Result<(Vec<&str>, Option<&str>)> {
    if path.is_empty() {
        return Err(Error::invalid("the name is empty"));
    }
    let (mut parents, mut last) = (Vec::new(), None);
    for name in path.split('/').filter(|name| !name.is_empty()) {
        if name.contains('\0') {
            return Err(Error::invalid(format!("the name {name:?} has a NUL")));
        }
        parents.extend(last.replace(name).filter(|before| *before != "."));
    }
    match last {
        Some(".") => Err(Error::invalid(format!(
            "no link is named by {path:?}, which ends in a dot"
        ))),
        last => Ok((parents, last)),
    }
}
