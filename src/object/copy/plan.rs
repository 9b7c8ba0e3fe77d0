//! What a copy will be: the objects of the source with their messages, links and attributes, read and checked before
//! anything is changed. The data of datasets stay where they are until they are copied.

use super::elements::{contains_reference, for_each_object};
use super::{Mode, messages};
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::datatype::Datatype;
use crate::format::message::link::{Link, LinkTarget};
use crate::format::message::link_info::LinkInfo;
use crate::format::message::{RawMessage, flag, kind, modification_time};
use crate::format::object_header::Prefix;
use crate::infra::global_heap::HeapRef;
use crate::object::engine::Engine;
use crate::object::header::Header;
use crate::object::heap_ids::{Owner, for_each_heap_id};
use crate::selection::Resolved;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// How many bytes of elements are looked at together.
const PIECE: u64 = 1 << 20;

/// Where a copied link leads.
#[derive(Debug)]
pub(super) enum Target {
    /// To the copy of this number.
    Copy(usize),
    /// Wherever the link leads, as it says.
    Same,
}

/// The links of a group to come.
#[derive(Debug)]
pub(super) struct PlannedLinks {
    pub(super) info: LinkInfo,
    pub(super) links: Vec<(Link, Target)>,
}

/// An object of the source that is copied.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) source: Addr,
    /// How many groups below the first object.
    depth: usize,
    /// The copy whose sector takes this one's cell, where that is a group.
    pub(super) home: Option<usize>,
    pub(super) prefix: Prefix,
    pub(super) messages: Vec<RawMessage>,
    pub(super) links: Option<PlannedLinks>,
    pub(super) attribute_info: Option<AttributeInfo>,
    pub(super) attributes: Vec<(u64, Attribute)>,
    /// The committed datatypes of its elements and attributes.
    types: Vec<Addr>,
    /// Its extent can grow.
    pub(super) grows: bool,
    /// How many hard links name it.
    pub(super) count: u32,
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The first is the object asked for.
    pub(super) objects: Vec<Planned>,
    pub(super) by_source: BTreeMap<Addr, usize>,
    /// The copies that only references lead to.
    pub(super) referenced: Vec<usize>,
}

impl Plan {
    /// Reads everything that a copy of the object at `first` takes along.
    pub(super) fn new(engine: &mut Engine, first: Addr, mode: &Mode) -> Result<Self> {
        let mut plan = Self::default();
        plan.add_tree(engine, first, 0, mode)?;
        if mode.follows_references() {
            let mut next = 0;
            while next < plan.objects.len() {
                for addr in referenced_by(engine, &plan.objects[next])? {
                    if !plan.by_source.contains_key(&addr) {
                        let depth = plan.objects[next].depth;
                        let number = plan.add_tree(engine, addr, depth, mode)?;
                        plan.referenced.push(number);
                        plan.objects[number].count += 1;
                    }
                }
                next += 1;
            }
        }
        for planned in &plan.objects {
            check_values(engine, planned, mode)?;
        }
        plan.objects[0].count += 1;
        Ok(plan)
    }

    /// Adds the object at `addr` and everything hard links lead to from it.
    fn add_tree(
        &mut self,
        engine: &mut Engine,
        addr: Addr,
        depth: usize,
        mode: &Mode,
    ) -> Result<usize> {
        let first = self.add(engine, addr, depth, None, mode)?;
        let mut queue = VecDeque::from([first]);
        while let Some(number) = queue.pop_front() {
            self.add_types(engine, number, &mut queue, mode)?;
            self.add_members(engine, number, &mut queue, mode)?;
        }
        Ok(first)
    }

    /// Adds the committed datatypes that an object uses: each use counts like a link.
    fn add_types(
        &mut self,
        engine: &mut Engine,
        number: usize,
        queue: &mut VecDeque<usize>,
        mode: &Mode,
    ) -> Result<()> {
        let user = &self.objects[number];
        let home = match user.links {
            Some(_) => Some(number),
            None => user.home,
        };
        for addr in user.types.clone() {
            let copy = self.known_or_added(engine, addr, (number, 0), home, queue, mode)?;
            self.objects[copy].count += 1;
        }
        Ok(())
    }

    /// Adds what the links of a group lead to.
    fn add_members(
        &mut self,
        engine: &mut Engine,
        number: usize,
        queue: &mut VecDeque<usize>,
        mode: &Mode,
    ) -> Result<()> {
        let source = self.objects[number].source;
        let Some(mut planned) = self.objects[number].links.take() else {
            return Ok(());
        };
        for (link, target) in &mut planned.links {
            if let Some(child) = mode.followed(engine, source, link)? {
                let home = Some(number);
                let copy = self.known_or_added(engine, child, (number, 1), home, queue, mode)?;
                self.objects[copy].count += 1;
                *target = Target::Copy(copy);
            }
        }
        self.objects[number].links = Some(planned);
        Ok(())
    }

    /// The number of the copy of an object, seen from another copy so many groups above it.
    fn known_or_added(
        &mut self,
        engine: &mut Engine,
        addr: Addr,
        (from, below): (usize, usize),
        home: Option<usize>,
        queue: &mut VecDeque<usize>,
        mode: &Mode,
    ) -> Result<usize> {
        if let Some(&known) = self.by_source.get(&addr) {
            return Ok(known);
        }
        let depth = self.objects[from].depth + below;
        let copy = self.add(engine, addr, depth, home, mode)?;
        queue.push_back(copy);
        Ok(copy)
    }

    fn add(
        &mut self,
        engine: &mut Engine,
        addr: Addr,
        depth: usize,
        home: Option<usize>,
        mode: &Mode,
    ) -> Result<usize> {
        let number = self.objects.len();
        let mut planned = read(engine, addr, depth, mode)?;
        planned.home = home;
        self.by_source.insert(addr, number);
        self.objects.push(planned);
        Ok(number)
    }
}

/// Reads one object, and refuses what cannot be copied.
fn read(engine: &mut Engine, addr: Addr, depth: usize, mode: &Mode) -> Result<Planned> {
    let messages = messages::check(engine, addr, mode)?;
    let (object, store, _) = engine.parts(addr)?;
    let links = match &mut object.links {
        Some(links) if mode.reaches(depth) => Some(PlannedLinks {
            info: links.info(),
            links: links
                .list(store, &object.header)?
                .into_iter()
                .map(|link| (link, Target::Same))
                .collect(),
        }),
        Some(links) => Some(PlannedLinks {
            info: emptied(links.info()),
            links: Vec::new(),
        }),
        None => None,
    };
    let (mut attributes, mut attribute_info) = (Vec::new(), None);
    if !mode.options.without_attributes {
        attributes = object.attributes.list(store, &object.header)?;
        attribute_info = object.attributes.info();
        for (_, attribute) in &attributes {
            let datatype = attribute.datatype().map_err(|error| error.at(addr.get()))?;
            mode.check_elements(&datatype)
                .map_err(|error| error.at(addr.get()))?;
            attribute.dataspace(store.widths())?;
            let own = attribute.shared_datatype.as_ref();
            mode.check_datatype(own.unwrap_or(&attribute.datatype_bytes))?;
        }
    }
    let mut types = Vec::new();
    for message in &messages {
        types.extend(messages::committed(store, message)?);
    }
    for (_, attribute) in &attributes {
        types.extend(attribute.committed_datatype(store.widths())?);
    }
    if let Some(dataset) = &mut object.dataset {
        super::data::check(dataset, store)?;
    }
    Ok(Planned {
        source: addr,
        depth,
        home: None,
        prefix: prefix(&object.header)?,
        messages,
        links,
        attribute_info,
        attributes,
        types,
        grows: object
            .dataset
            .as_ref()
            .is_some_and(|dataset| dataset.can_grow()),
        count: 0,
    })
}

/// What the header says before its messages. The time of change that one of version 1 has in a message stands there in
/// version 2.
fn prefix(header: &Header) -> Result<Prefix> {
    let mut prefix = header.prefix.clone();
    if prefix.times.is_none()
        && let Some(message) = header.message(kind::MODIFICATION_TIME)
        && message.flags & flag::SHARED == 0
    {
        let changed = modification_time::decode(&message.data, header.addr.get())?;
        prefix.times = Some([0, 0, changed, 0]);
    }
    Ok(prefix)
}

/// As libhdf5 leaves a group whose links are not copied.
fn emptied(mut info: LinkInfo) -> LinkInfo {
    if let Some(next) = &mut info.max_creation_index {
        *next = 0;
    }
    info
}

/// The objects that references in attributes and elements of a planned object name.
fn referenced_by(engine: &mut Engine, planned: &Planned) -> Result<Vec<Addr>> {
    let mut found = Vec::new();
    for (_, attribute) in &planned.attributes {
        let datatype = attribute.datatype()?;
        for_each_object(engine, &datatype, &attribute.data, &mut |addr| {
            found.push(addr)
        })?;
    }
    if let Some((datatype, _)) = elements_of(engine, planned)?
        && contains_reference(&datatype)
    {
        for_each_piece(engine, planned, &mut |engine, bytes| {
            for_each_object(engine, &datatype, bytes, &mut |addr| found.push(addr))
        })?;
    }
    Ok(found)
}

/// The type and the extent of a dataset whose elements are in this file, where there are any.
fn elements_of(engine: &mut Engine, planned: &Planned) -> Result<Option<(Datatype, Resolved)>> {
    let Some(dataset) = &engine.object(planned.source)?.dataset else {
        return Ok(None);
    };
    if dataset.is_elsewhere() {
        return Ok(None);
    }
    let all = Resolved::whole(dataset.selectable_dims())?;
    Ok((!all.is_empty()).then(|| (dataset.datatype.clone(), all)))
}

/// Reads the elements of a dataset in pieces of about [`PIECE`].
fn for_each_piece(
    engine: &mut Engine,
    planned: &Planned,
    visit: &mut dyn FnMut(&mut Engine, &[u8]) -> Result<()>,
) -> Result<()> {
    let Some((datatype, all)) = elements_of(engine, planned)? else {
        return Ok(());
    };
    let element = u64::from(datatype.size());
    for piece in all.pieces(PIECE / element.max(1)) {
        let mut bytes = vec![0; (piece.element_count() * element) as usize];
        engine.read_dataset(planned.source, &piece, &mut bytes)?;
        visit(engine, &bytes)?;
    }
    Ok(())
}

/// Refuses elements that cannot be read, before anything is written: strings and sequences, and references that are
/// changed on the way. Other data are copied as they are stored.
fn check_values(engine: &mut Engine, planned: &Planned, mode: &Mode) -> Result<()> {
    let at = planned.source.get();
    let mut seen = BTreeSet::new();
    for (_, attribute) in &planned.attributes {
        check_elements(engine, &attribute.datatype()?, &attribute.data, &mut seen)
            .map_err(|error| error.at(at))?;
    }
    if let Some((datatype, _)) = elements_of(engine, planned)?
        && (datatype.contains_var_len() || (!mode.same_file && contains_reference(&datatype)))
    {
        for_each_piece(engine, planned, &mut |engine, bytes| {
            check_elements(engine, &datatype, bytes, &mut seen)
        })?;
    }
    Ok(())
}

fn check_elements(
    engine: &mut Engine,
    datatype: &Datatype,
    bytes: &[u8],
    seen: &mut BTreeSet<HeapRef>,
) -> Result<()> {
    let width = engine.store.widths().offset;
    let Engine { heap, store, .. } = engine;
    let mut nested = Vec::new();
    for_each_heap_id(datatype, bytes, width, &mut |at, owner| {
        let needed = match owner {
            Owner::String(len) => len,
            Owner::Sequence(base, count) => count.saturating_mul(base.size() as usize),
            Owner::Reference => return Ok(()),
        };
        let len = heap.with(store, at, <[u8]>::len)?;
        if len < needed {
            return Err(Error::corrupt(
                "global heap",
                "an object is shorter than its element says",
            )
            .at(at.addr.get()));
        }
        if let Owner::Sequence(base, _) = owner
            && base.contains_var_len()
            && seen.insert(at)
        {
            nested.push((at, base, needed));
        }
        Ok(())
    })?;
    for (at, base, needed) in nested {
        let Engine { heap, store, .. } = engine;
        let parts = heap.with(store, at, |bytes| bytes[..needed.min(bytes.len())].to_vec())?;
        check_elements(engine, base, &parts, seen)?;
    }
    Ok(())
}

impl Mode {
    /// Whether the links of a group this deep are copied.
    fn reaches(&self, depth: usize) -> bool {
        !self.options.shallow || depth == 0
    }

    /// The object that is copied for the sake of a link; `None` where the link is copied as it is.
    fn followed(&self, engine: &mut Engine, group: Addr, link: &Link) -> Result<Option<Addr>> {
        match &link.target {
            LinkTarget::Hard(addr) => Ok(Some(*addr)),
            LinkTarget::Soft(path) if self.options.expand_soft => {
                let path = String::from_utf8(path.clone())
                    .map_err(|_| Error::unsupported("a soft link that is not UTF-8"))?;
                engine.find(group, &path)
            }
            LinkTarget::External(_) if self.options.expand_external => Err(Error::unsupported(
                "copying what an external link leads to (without expand_external it is copied as a link)",
            )),
            _ => Ok(None),
        }
    }
}
