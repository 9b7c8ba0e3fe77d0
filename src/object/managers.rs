//! The free-space managers that libhdf5 keeps in a file: what they list becomes free space of this session, and what is
//! free in the end is put into new ones.
//!
//! Nothing of a file says whether its managers are right. They are believed where they are whole, in their places and apart
//! from each other, and where a walk over the whole file finds nothing wrong with it, which includes that nothing reaches
//! what they list. The walk is made once, before the first change of a session; in a file that only this library has written it
//! also finds what is free and in no list, being too small for it. Managers that are not believed stay as they are, and nothing
//! of what they list is given out.

use super::engine::complement;
use super::mark::unused;
use super::verify;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::free_space::{self, Manager, Section};
use crate::format::message::file_space_info::{FileSpaceInfo, MANAGERS};
use crate::store::{Class, Store};
use alloc::vec;
use alloc::vec::Vec;

const NAME: &str = "free-space manager";

/// How often lists are made that turn out not to fit what is free once they have their places.
const ROUNDS: usize = 16;

/// From this round on a list has the largest size that was needed so far, and what had nothing to list gets no manager.
const SETTLED: usize = 4;

/// The managers of a file in one device, without pages: what each lists, and its number in the message.
const KINDS: [(Class, usize); 2] = [(Class::Metadata, 0), (Class::Raw, 2)];

/// The class of the sections of a file without pages.
const SECTION: u8 = 0;

/// What the managers of a file occupy and list.
#[derive(Debug, Default)]
pub(super) struct Managed {
    blocks: Vec<Extent>,
    sections: Vec<(Extent, Class)>,
    /// What is in no list, and reached by nothing.
    lost: Vec<Extent>,
}

impl Managed {
    /// What the managers say that the message names; `None` where they are not to be believed.
    pub(super) fn read(store: &Store, info: &FileSpaceInfo) -> Result<Option<Self>> {
        let believed = Self::read_all(store, info).and_then(|mut managed| {
            managed.check(store)?;
            if !managed.blocks.is_empty() {
                let reachable = verify::reachable(store)?;
                if store.stamped() {
                    managed.lost = unused(reachable, committed_end(store))?;
                }
            }
            Ok(managed)
        });
        match believed {
            Ok(managed) => Ok(Some(managed)),
            Err(error) if matches!(error.kind(), ErrorKind::Storage(_) | ErrorKind::Poisoned) => {
                Err(error)
            }
            Err(_) => Ok(None),
        }
    }

    fn read_all(store: &Store, info: &FileSpaceInfo) -> Result<Self> {
        let widths = store.widths();
        let mut managed = Self::default();
        for (number, at) in info.managers.iter().enumerate() {
            let Some(at) = *at else {
                continue;
            };
            let class = class_of(number)
                .ok_or_else(|| Error::unsupported("this kind of free-space manager"))?;
            let header = Extent::new(at, free_space::header_size(widths));
            let bytes = store.read(header, NAME)?;
            let manager = Manager::decode(&bytes, widths, at.get())?;
            if manager.client != free_space::OF_FILE {
                return Err(Error::corrupt(NAME, "it is not one of the file").at(at.get()));
            }
            managed.blocks.push(header);
            let Some(list) = manager.list else {
                continue;
            };
            managed.blocks.push(list);
            let bytes = store.read(list, NAME)?;
            for section in manager.sections(&bytes, at, widths, list.addr.get())? {
                if section.class != SECTION {
                    return Err(Error::corrupt(NAME, "a section of another class").at(at.get()));
                }
                managed.sections.push((section.extent, class));
            }
        }
        Ok(managed)
    }

    /// Refuses what overlaps, or is not where it must be.
    fn check(&self, store: &Store) -> Result<()> {
        let first = Extent::new(Addr::new(0), store.superblock.size() as u64);
        let mut all = vec![first];
        all.extend(&self.blocks);
        all.extend(self.sections.iter().map(|(extent, _)| extent));
        let end = committed_end(store);
        let inside = |extent: &Extent| {
            let last = extent.addr.get().checked_add(extent.len);
            last.is_some_and(|last| last <= end)
        };
        if !all.iter().all(inside) {
            return Err(Error::corrupt(
                NAME,
                "it lists what is behind the end of the file",
            ));
        }
        complement(all, end).map(drop)
    }

    /// Makes the space that the managers list free, and that of the managers once the next commit is done: it must
    /// name them no more.
    pub(super) fn take_over(self, store: &mut Store) {
        for (extent, class) in self.sections {
            store.take_over(extent, class);
        }
        for extent in self.lost {
            store.add_found(extent);
        }
        for block in self.blocks {
            store.free_metadata(block);
        }
    }
}

/// Where the file ends. Space behind it may have been given out already: a heap takes strings before anything is changed.
fn committed_end(store: &Store) -> u64 {
    store.superblock.end_of_file - store.superblock.base
}

/// What the manager of a number lists.
fn class_of(number: usize) -> Option<Class> {
    // Drivers map the six types of space to these as they like.
    match number {
        2 | 3 => Some(Class::Raw),
        0..=5 => Some(Class::Metadata),
        _ => None,
    }
}

/// What new managers are to list, by classes.
fn sections(store: &Store, info: &FileSpaceInfo) -> [Vec<Section>; 2] {
    let mut sections = [Vec::new(), Vec::new()];
    let (listed, _) = store.list_free();
    let worth = |(extent, _): &(Extent, Class)| extent.len >= info.threshold;
    for (extent, class) in listed.into_iter().filter(worth) {
        for (of_class, (named, _)) in sections.iter_mut().zip(KINDS) {
            if class == named {
                let class = SECTION;
                of_class.push(Section { extent, class });
            }
        }
    }
    sections
}

/// Whether there is anything to list.
pub(super) fn any(store: &Store, info: &FileSpaceInfo) -> bool {
    sections(store, info)
        .iter()
        .any(|sections| !sections.is_empty())
}

/// Puts what will be free after the commit in the making into managers, and returns where they are. Nothing is free
/// afterwards.
pub(super) fn write(store: &mut Store, info: &FileSpaceInfo) -> Result<Vec<Option<Addr>>> {
    let widths = store.widths();
    let lens = |sections: &[Vec<Section>; 2]| {
        sections.each_ref().map(|sections| match sections.len() {
            0 => None,
            _ => Some(Manager::list_size(sections, widths)),
        })
    };
    let mut wanted = lens(&sections(store, info));
    for round in 0..ROUNDS {
        let mut places = [None; 2];
        for (place, len) in places.iter_mut().zip(wanted) {
            if let Some(len) = len {
                let header = store.alloc(free_space::header_size(widths))?;
                *place = Some((header, store.alloc(len)?));
            }
        }
        store.final_end();
        // They have taken of what they list.
        let mut sections = sections(store, info);
        let needed = lens(&sections);
        let settled = round >= SETTLED;
        let fits = wanted.iter().zip(needed).all(|(len, needed)| match len {
            Some(len) => needed.is_some_and(|needed| needed == *len || settled && needed < *len),
            None => settled || needed.is_none(),
        });
        if fits {
            let mut named = vec![None; MANAGERS];
            for ((place, sections), (_, number)) in places.into_iter().zip(&mut sections).zip(KINDS)
            {
                let Some((header, list)) = place else {
                    continue;
                };
                let manager = Manager::new(sections, list, widths);
                store.stage(header.addr, manager.encode(widths))?;
                let bytes = manager.encode_list(sections, header.addr, widths);
                store.stage(list.addr, bytes)?;
                named[number] = Some(header.addr);
            }
            store.withdraw_free();
            return Ok(named);
        }
        for (header, list) in places.into_iter().flatten() {
            store.free_metadata(header);
            store.free_metadata(list);
        }
        for (len, needed) in wanted.iter_mut().zip(needed) {
            *len = match settled {
                true => len.and_then(|len| needed.map(|needed| needed.max(len))),
                false => needed,
            };
        }
    }
    Ok(vec![None; MANAGERS])
}

#[cfg(all(test, feature = "std"))]
mod tests;
