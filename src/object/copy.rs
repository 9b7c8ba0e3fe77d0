//! Copies of objects, in a file and from one file to another.
//!
//! A copy is planned first: every object is read and what cannot be copied is refused, before anything is changed. Then
//! the copies are written to fresh space, datasets piece by piece, and in the end one link makes them part of the
//! file: an error before that gives the space back, and a commit shows the whole copy or nothing of it.
//!
//! Every object is copied once, however many links lead to it. What the copies say is what the sources say: messages
//! that name no place in the file go over byte for byte, chunks as they are stored. Groups of the old form and indexes
//! of the old form are written as ours.

mod data;
pub(super) mod elements;
mod messages;
mod plan;

use super::engine::Engine;
use super::header::Header;
use super::links::Links;
use super::{attributes::Attributes, dense::heap_header};
use crate::bytes::{Addr, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::format::libver::LibVer;
use crate::format::message::datatype::Datatype;
use crate::format::message::link::{Link, LinkTarget};
use crate::infra::global_heap::GlobalHeap;
use crate::store::SECTOR;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use elements::{Converter, References, contains_reference};
use plan::{Plan, Planned, PlannedLinks, Target};

/// What a copy takes along, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) shallow: bool,
    pub(crate) expand_soft: bool,
    pub(crate) expand_external: bool,
    pub(crate) expand_references: bool,
    pub(crate) without_attributes: bool,
}

/// The file that is copied from and the one that is copied to.
#[derive(Debug)]
pub(crate) enum Engines<'a> {
    Same(&'a mut Engine),
    Two {
        from: &'a mut Engine,
        to: &'a mut Engine,
    },
}

impl Engines<'_> {
    pub(crate) fn from(&mut self) -> &mut Engine {
        match self {
            Self::Same(engine) => engine,
            Self::Two { from, .. } => from,
        }
    }

    pub(crate) fn to(&mut self) -> &mut Engine {
        match self {
            Self::Same(engine) => engine,
            Self::Two { to, .. } => to,
        }
    }
}

#[derive(Debug)]
struct Mode {
    options: Options,
    same_file: bool,
    /// Addresses and lengths have the same sizes in both files.
    same_widths: bool,
    /// Which libhdf5 the destination is for.
    bound: LibVer,
}

impl Mode {
    /// Refuses what the oldest reader of the destination does not know.
    fn check_bound(&self, what: &'static str, needs_more_than_18: bool) -> Result<()> {
        match needs_more_than_18 && self.bound == LibVer::V18 {
            true => Err(Error::unsupported(format!(
                "copying {what} to a file for HDF5 1.8"
            ))),
            false => Ok(()),
        }
    }

    /// As [`check_bound`](Self::check_bound), for the bytes of a datatype, whose version stands in the first.
    fn check_datatype(&self, bytes: &[u8]) -> Result<()> {
        let version = bytes.first().map_or(0, |first| first >> 4);
        self.check_bound("a datatype of HDF5 1.12 or later", version > 3)
    }

    /// Refuses elements that have another size in the other file.
    fn check_elements(&self, datatype: &Datatype) -> Result<()> {
        if !self.same_widths && (datatype.contains_var_len() || contains_reference(datatype)) {
            return Err(Error::unsupported(
                "copying elements of variable length or references to a file with other sizes of addresses",
            ));
        }
        Ok(())
    }

    /// Refuses data kept with addresses and lengths in them.
    fn check_same_widths(&self) -> Result<()> {
        match self.same_widths {
            true => Ok(()),
            false => Err(Error::unsupported(
                "copying virtual or external data to a file with other sizes of addresses",
            )),
        }
    }

    /// Whether what references name is copied, too. In the same file they stay right.
    fn follows_references(&self) -> bool {
        self.options.expand_references && !self.same_file
    }
}

/// Copies the object at the path of `source` to the path of `destination`, each seen from a group, with the groups on
/// the way. `of_source` says in errors that they concern the source.
pub(crate) fn copy(
    engines: &mut Engines<'_>,
    source: (Addr, &str),
    destination: (Addr, &str),
    options: Options,
    of_source: &dyn Fn(Error) -> Error,
) -> Result<()> {
    let mode = Mode {
        options,
        same_file: matches!(engines, Engines::Same(_)),
        bound: engines.to().store.bound,
        same_widths: engines.from().store.widths() == engines.to().store.widths(),
    };
    if engines.to().read_only() {
        return Err(Error::new(ErrorKind::ReadOnly));
    }
    let found = engines.from().find(source.0, source.1);
    let first = found
        .and_then(|found| found.ok_or_else(Error::not_found))
        .map_err(of_source)?;
    let (parent, missing, name) = engines.to().plan_path(destination.0, destination.1)?;
    let plan = Plan::new(engines.from(), first, &mode).map_err(of_source)?;
    if !plan.referenced.is_empty() {
        let root = engines.to().root();
        engines.to().check_links_editable(root)?;
    }
    let mut copying = Copying {
        places: Vec::new(),
        built: Vec::new(),
        unbuilt: Vec::new(),
    };
    // Nearly all that can fail by now is reading the source.
    let result = copying
        .build(engines, &plan, &mode, parent)
        .map_err(of_source);
    let links = result.and_then(|()| copying.names_of_referenced(engines.to(), &plan));
    let links = match links {
        Ok(links) => links,
        Err(error) => {
            copying.give_back(engines.to());
            return Err(error);
        }
    };
    let top = copying.places[0];
    let taken = parent == engines.to().root() && missing.is_empty();
    if taken && links.iter().any(|(other, _)| *other == name) {
        copying.give_back(engines.to());
        return Err(Error::new(ErrorKind::Exists));
    }
    engines.to().change(|engine| {
        let root = engine.root();
        for (name, addr) in links {
            engine.insert_link(root, &name, LinkTarget::Hard(addr))?;
        }
        let parent = engine.create_missing(parent, &missing)?;
        engine.insert_link(parent, name, LinkTarget::Hard(top))
    })
}

/// The copies as they come to be.
struct Copying {
    /// The address of each copy.
    places: Vec<Addr>,
    /// The copies that are whole.
    built: Vec<Addr>,
    /// The headers of the others.
    unbuilt: Vec<Option<Header>>,
}

impl Copying {
    fn build(
        &mut self,
        engines: &mut Engines<'_>,
        plan: &Plan,
        mode: &Mode,
        parent: Addr,
    ) -> Result<()> {
        for planned in &plan.objects {
            self.place(engines.to(), planned, parent)?;
        }
        let references = match (mode.same_file, mode.options.expand_references) {
            (true, _) => References::Kept,
            (false, false) => References::Null,
            (false, true) => References::Led,
        };
        let copies = plan.by_source.iter();
        let mut converter = Converter {
            references,
            copies: copies
                .map(|(source, number)| (*source, self.places[*number]))
                .collect(),
            heap: GlobalHeap::new(),
        };
        let mut result = Ok(());
        for (number, planned) in plan.objects.iter().enumerate() {
            result = self.build_one(engines, &mut converter, planned, number);
            if result.is_err() {
                break;
            }
        }
        let sealed = converter.heap.seal(&mut engines.to().store);
        result.and(sealed)
    }

    /// Sets a place for a copy's cell aside: a group gets a sector with room for its members.
    fn place(&mut self, engine: &mut Engine, planned: &Planned, parent: Addr) -> Result<()> {
        let len = Header::new_cell_size(&engine.store, &planned.prefix);
        let (addr, room) = if planned.links.is_some() {
            let sector = engine.store.alloc_sectors(SECTOR as u64)?;
            let room = Extent::new(sector.addr.plus(len), sector.len - len);
            (sector.addr, vec![room])
        } else {
            (self.place_member(engine, planned, len, parent)?, Vec::new())
        };
        // Links to an object with more than one may go, and the header changes.
        let keeps_record = planned.grows || planned.links.is_some() || planned.count > 1;
        let header = Header::new(addr, planned.prefix.clone(), Vec::new(), room, keeps_record);
        self.places.push(addr);
        self.unbuilt.push(Some(header));
        Ok(())
    }

    fn place_member(
        &mut self,
        engine: &mut Engine,
        planned: &Planned,
        len: u64,
        parent: Addr,
    ) -> Result<Addr> {
        let home = planned.home.and_then(|home| self.unbuilt[home].as_mut());
        let Some(home) = home else {
            return engine.place_cell(parent, &planned.prefix, planned.grows);
        };
        if let Some(addr) = home.take_room_for_child(len, heap_header(engine.store.widths())) {
            return Ok(addr);
        }
        let sector = engine.store.alloc_sectors(SECTOR as u64)?;
        home.room
            .push(Extent::new(sector.addr.plus(len), sector.len - len));
        Ok(sector.addr)
    }

    /// Writes one copy, with its data.
    fn build_one(
        &mut self,
        engines: &mut Engines<'_>,
        converter: &mut Converter,
        planned: &Planned,
        number: usize,
    ) -> Result<()> {
        let messages = messages::copied(engines, converter, planned)?;
        let mut attributes = planned.attributes.clone();
        for (_, attribute) in &mut attributes {
            let datatype = attribute.datatype()?;
            converter.convert(engines, &datatype, &mut attribute.data)?;
            let (from, to) = (engines.from().store.widths(), engines.to().store.widths());
            let committed = match attribute.committed_datatype(from)? {
                Some(source) => Some(converter.copy_of(source)?),
                None => None,
            };
            attribute.unshare(committed, to);
            if from != to {
                attribute.dataspace_bytes = attribute.dataspace(from)?.encode(to).into_vec();
            }
        }
        let links = planned.links.as_ref().map(|links| self.copied_links(links));
        let store = &mut engines.to().store;
        let Some(header) = &mut self.unbuilt[number] else {
            return Ok(());
        };
        header.messages = messages;
        header.set_reference_count(planned.count);
        if let Some(links) = links
            && let Some(mut group) = Links::load(store, header)?
        {
            group.fill(store, header, &links)?;
            group.stage(store, header)?;
        }
        let mut kept = Attributes::load(store, header)?;
        kept.fill(store, header, &attributes)?;
        kept.stage(store, header)?;
        header.stage(store, false)?;
        self.built.push(header.addr);
        self.unbuilt[number] = None;
        Ok(())
    }

    fn copied_links(&self, planned: &PlannedLinks) -> Vec<Link> {
        let copied = planned.links.iter().map(|(link, target)| Link {
            target: match target {
                Target::Copy(number) => LinkTarget::Hard(self.places[*number]),
                Target::Same => link.target.clone(),
            },
            ..link.clone()
        });
        copied.collect()
    }

    /// The links of the root group that keep what only references name, under the names libhdf5 gives them.
    fn names_of_referenced(&self, engine: &mut Engine, plan: &Plan) -> Result<Vec<(String, Addr)>> {
        let root = engine.root();
        let mut links = Vec::with_capacity(plan.referenced.len());
        for &number in &plan.referenced {
            let addr = self.places[number];
            let name = format!("~obj_pointed_by_{}", addr.get());
            if engine.link(root, &name)?.is_some() {
                return Err(Error::new(ErrorKind::Exists).object(&format!("/{name}")));
            }
            links.push((name, addr));
        }
        Ok(links)
    }

    /// Gives the space of what was written back: nothing names it.
    fn give_back(&mut self, engine: &mut Engine) {
        for &addr in &self.built {
            // Where it cannot be read, its space stays unused.
            let _ = engine.drop_links_to(addr, 0);
        }
        for header in self.unbuilt.iter_mut().flatten() {
            header.free_all(&mut engine.store);
        }
    }
}

#[cfg(test)]
mod tests;
