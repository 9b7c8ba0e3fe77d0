//! The verbs on links: making, listing, moving and visiting them.

use super::{Group, LinkInfo, Object};
use crate::bytes::Addr;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::link::{LinkTarget, external_value};
use crate::handle::ObjectRef;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The first class of user-defined links; 64 is that of external ones.
const FIRST_USER_DEFINED: u8 = 65;

impl Group {
    /// Makes an external link at `path`, to whatever is at `target` in the file named `file` (specification
    /// IV.A.2.g). Neither is looked for.
    ///
    /// ```
    /// use h5quill::{File, LinkKind};
    /// let file = File::create_memory()?;
    /// file.link_external("calibration.h5", "/2026/gain", "gain")?;
    /// let kind = LinkKind::External { file: b"calibration.h5".to_vec(), path: b"/2026/gain".to_vec() };
    /// assert_eq!(file.link("gain")?.unwrap().kind(), &kind);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists) for the path, a name that cannot be, a file or target that is empty, has a
    /// NUL, or is too long (65,532 bytes together); nothing is changed then.
    pub fn link_external(&self, file: &str, target: &str, path: &str) -> Result<()> {
        self.change_at(path, |engine, base| {
            for text in [file, target] {
                if text.is_empty() || text.contains('\0') {
                    return Err(Error::invalid(
                        "the file or the target of an external link is empty or has a NUL",
                    ));
                }
            }
            let data = external_value(file.as_bytes(), target.as_bytes());
            engine.create_checked_link(base, path, LinkTarget::External(data))
        })
    }

    /// Makes a user-defined link of a class from 65 to 255 at `path`. Its data mean something to the program that
    /// registers the class with its library; nobody else follows it.
    ///
    /// ```
    /// use h5quill::{ErrorKind, File};
    /// let file = File::create_memory()?;
    /// file.link_user_defined(187, &[1, 2, 3], "special")?;
    /// let error = file.group("special").unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::Unsupported(_))); // this library does not follow it either
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Exists`](crate::ErrorKind::Exists) for the path, a name that cannot be, a class below 65, more than 65,535 bytes;
    /// nothing is changed then.
    pub fn link_user_defined(&self, class: u8, data: &[u8], path: &str) -> Result<()> {
        self.change_at(path, |engine, base| {
            if class < FIRST_USER_DEFINED {
                return Err(Error::invalid(
                    "the class of a user-defined link is below 65",
                ));
            }
            let data = data.to_vec();
            engine.create_checked_link(base, path, LinkTarget::UserDefined { class, data })
        })
    }

    /// The link at a path, itself and not what it leads to; `None` where there is none.
    ///
    /// ```
    /// use h5quill::{File, LinkKind};
    /// let file = File::create_memory()?;
    /// file.link_soft("/nowhere", "dangling")?;
    /// assert!(!file.exists("dangling")?); // its target is missing
    /// assert_eq!(file.link("dangling")?.unwrap().kind(), &LinkKind::Soft(b"/nowhere".to_vec()));
    /// assert!(file.link("nowhere")?.is_none());
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that cannot be, and what reading the file meets.
    pub fn link(&self, path: &str) -> Result<Option<LinkInfo>> {
        self.object().with(|engine, base| {
            let found = engine.find_link(base, path)?;
            Ok(found.map(|(_, link)| LinkInfo::new(link)))
        })
    }

    /// All links of the group: in the order of their creation where the group tracks it, else sorted by name.
    ///
    /// ```
    /// use h5quill::{File, LinkKind};
    /// let file = File::create_memory()?;
    /// file.create_group("a")?;
    /// file.link_soft("a", "b")?;
    /// let soft = file.links()?.into_iter().filter(|link| matches!(link.kind(), LinkKind::Soft(_)));
    /// assert_eq!(soft.count(), 1);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What reading the file meets.
    pub fn links(&self) -> Result<Vec<LinkInfo>> {
        let links = self.object().with(|engine, addr| engine.links(addr))?;
        Ok(links.into_iter().map(LinkInfo::new).collect())
    }

    /// Moves the link at `from` to `to`, with the groups on the way: another name, another group, or both. It may be of
    /// any kind, and leads where it led: a relative soft link is not adapted. Where the group tracks the order of
    /// creation, a link that is moved or renamed is its newest, as libhdf5 has it.
    ///
    /// ```
    /// use h5quill::{ErrorKind, File};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<u8>().shape(0..).create("incoming/x")?;
    /// file.relink("incoming/x", "done/2026/x")?;
    /// data.append(&[1_u8])?; // the object has not moved: handles stay valid
    /// assert_eq!(file.dataset("done/2026/x")?.shape(), [1]);
    /// assert!(file.group("incoming")?.is_empty()?);
    ///
    /// let error = file.relink("done", "incoming").unwrap_err();
    /// assert_eq!(error.kind(), &ErrorKind::Exists);
    /// assert!(file.relink("done", "done/2026/done").is_err()); // nothing would lead to it any more
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for `from`, [`Exists`](crate::ErrorKind::Exists) for `to` (also where it is
    /// `from`), a name that cannot be, a group that would be inside itself (libhdf5 allows that and loses it);
    /// nothing is changed then.
    pub fn relink(&self, from: &str, to: &str) -> Result<()> {
        self.change_at(from, |engine, base| {
            engine.relink(base, from, to)?;
            self.object().moved(from, to);
            Ok(())
        })
    }

    /// Moves the link of this group whose name has the bytes `name`, in whatever encoding, to a path, as
    /// [`relink`](Self::relink) does.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("a")?;
    /// file.relink_bytes(b"a", "b")?;
    /// assert_eq!(file.member_names()?, ["b"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`relink`](Self::relink).
    pub fn relink_bytes(&self, name: &[u8], to: &str) -> Result<()> {
        self.change_at(&String::from_utf8_lossy(name), |engine, group| {
            engine.relink_bytes(group, name, to)?;
            self.object().moved(&String::from_utf8_lossy(name), to);
            Ok(())
        })
    }

    /// Takes out the link of this group whose name has the bytes `name`, in whatever encoding, as
    /// [`unlink`](Self::unlink) does.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// file.create_group("a")?;
    /// file.unlink_bytes(b"a")?;
    /// assert!(file.unlink_bytes(b"\xff").is_err()); // there is none
    /// assert!(file.is_empty()?);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`unlink`](Self::unlink).
    pub fn unlink_bytes(&self, name: &[u8]) -> Result<()> {
        self.change_at(&String::from_utf8_lossy(name), |engine, group| {
            engine.unlink_bytes(group, name)
        })
    }

    /// The object at a path, whatever it is.
    ///
    /// ```
    /// use h5quill::{File, Object};
    /// let file = File::create_memory()?;
    /// file.create_group("a")?;
    /// assert!(matches!(file.open_object("a")?, Object::Group(_)));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and what reading the file meets.
    pub fn open_object(&self, path: &str) -> Result<Object> {
        open(&self.found(path)?).map(|(_, object)| object)
    }

    /// Visits every object below the group once, whatever the number of hard links to it: with its path from here, and
    /// each group before what is in it. Other links are not followed. The visitor may change the file; what it deletes is not visited any more.
    ///
    /// ```
    /// use h5quill::{File, Object};
    /// let file = File::create_memory()?;
    /// file.new_dataset::<f32>().create("a/x")?;
    /// file.link_hard("a/x", "second")?; // the same object
    /// let mut seen = Vec::new();
    /// file.visit(|path, object| {
    ///     seen.push(path.to_string());
    ///     if let Object::Dataset(dataset) = object {
    ///         dataset.set_attr("checked", true)?;
    ///     }
    ///     Ok(())
    /// })?;
    /// assert_eq!(seen, ["a", "a/x"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first error of the visitor, and what reading the file meets.
    pub fn visit(&self, mut visit: impl FnMut(&str, Object) -> Result<()>) -> Result<()> {
        let mut seen = BTreeSet::new();
        seen.insert(self.object().with(|_, addr| Ok(addr))?);
        let mut waiting = self.children("")?;
        while let Some((path, child)) = waiting.pop() {
            let Some((addr, object)) = existing(open(&child))? else {
                continue;
            };
            if !seen.insert(addr) {
                continue;
            }
            let group = match &object {
                Object::Group(group) => Some(group.clone()),
                _ => None,
            };
            visit(&path, object)?;
            if let Some(group) = group {
                waiting.extend(existing(group.children(&path))?.into_iter().flatten());
            }
        }
        Ok(())
    }

    /// What the hard links of this group, which is at `path`, lead to, the first of them last.
    fn children(&self, path: &str) -> Result<Vec<(String, ObjectRef)>> {
        let members = self.links_to_visit(path)?.into_iter();
        Ok(members
            .filter_map(|(path, _, child)| Some((path, child?)))
            .collect())
    }

    /// Visits every link below the group, of every kind, with its path from here; the links of a group that several hard
    /// links lead to are visited once. The visitor may change the file.
    ///
    /// ```
    /// use h5quill::{File, LinkKind};
    /// let file = File::create_memory()?;
    /// file.create_group("a/b")?;
    /// file.link_soft("/a/b", "a/soft")?;
    /// file.link_external("other.h5", "/x", "external")?;
    /// let mut leads_away = Vec::new();
    /// file.visit_links(|path, link| {
    ///     if *link.kind() != LinkKind::Hard {
    ///         leads_away.push(path.to_string());
    ///     }
    ///     Ok(())
    /// })?;
    /// assert_eq!(leads_away, ["a/soft", "external"]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first error of the visitor, and what reading the file meets.
    pub fn visit_links(&self, mut visit: impl FnMut(&str, &LinkInfo) -> Result<()>) -> Result<()> {
        let mut seen = BTreeSet::new();
        seen.insert(self.object().with(|_, addr| Ok(addr))?);
        let mut waiting = self.links_to_visit("")?;
        while let Some((path, link, child)) = waiting.pop() {
            visit(&path, &link)?;
            let Some(child) = child else {
                continue;
            };
            if let Some((addr, Object::Group(group))) = existing(open(&child))?
                && seen.insert(addr)
            {
                waiting.extend(group.links_to_visit(&path)?);
            }
        }
        Ok(())
    }

    /// The links of this group, which is at `path`, the first of them last; and what the hard ones lead to.
    fn links_to_visit(&self, path: &str) -> Result<Vec<(String, LinkInfo, Option<ObjectRef>)>> {
        let from = self.object();
        from.with(|engine, addr| {
            let links = engine.links(addr)?;
            let visits = links.into_iter().rev().map(|link| {
                let below = join(path, &String::from_utf8_lossy(&link.name));
                let child = match link.target {
                    LinkTarget::Hard(child) => {
                        let full = from.join(&String::from_utf8_lossy(&link.name));
                        Some(ObjectRef::new(from.shared.clone(), engine, child, &full))
                    }
                    _ => None,
                };
                (below, LinkInfo::new(link), child)
            });
            Ok(visits.collect())
        })
    }
}

/// What a handle is one to, with its address.
fn open(object: &ObjectRef) -> Result<(Addr, Object)> {
    let (addr, kind) = object.with(|engine, addr| Ok((addr, engine.kind(addr)?)))?;
    Ok((addr, Object::new(kind, object.clone())))
}

/// Nothing where the object has been deleted meanwhile.
fn existing<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if error.kind() == &ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        return name.to_string();
    }
    let mut joined = path.to_string();
    joined.push('/');
    joined.push_str(name);
    joined
}
