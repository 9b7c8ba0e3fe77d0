//! Committed datatypes: datatypes that are objects, with a name, attributes and a count of the links to them. Every
//! dataset and every attribute of such a type holds one of these, as a hard link does.

use super::attributes::Attributes;
use super::dataset::datatype_version;
use super::engine::{Engine, Object};
use super::header::Header;
use super::shared::committed_datatype;
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::datatype::Datatype;
use crate::format::message::link::LinkTarget;
use crate::format::message::{RawMessage, flag, kind};
use crate::format::object_header::Prefix;
use alloc::vec;
use alloc::vec::Vec;

/// The datatype of new elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementType<'a> {
    pub(crate) datatype: &'a Datatype,
    /// The object that the datatype is, where it was committed.
    pub(crate) committed: Option<Addr>,
}

impl<'a> ElementType<'a> {
    /// A datatype that is not committed.
    pub(crate) fn own(datatype: &'a Datatype) -> Self {
        Self {
            datatype,
            committed: None,
        }
    }
}

/// What becomes of the committed datatypes of two attributes, one in the other's place.
#[derive(Debug)]
pub(super) enum Exchange {
    /// Both are of the same one, or of none.
    Same,
    /// The old one lets go of these.
    Other(Vec<(Addr, u32)>),
}

impl Engine {
    /// Commits a datatype at a path, with the groups on the way.
    pub(crate) fn commit_datatype(
        &mut self,
        base: Addr,
        path: &str,
        datatype: &Datatype,
    ) -> Result<Addr> {
        let (at, missing, last) = self.plan_path(base, path)?;
        let datatype = &datatype.clone().in_file(self.store.widths())?;
        datatype.check()?;
        datatype.check_bound(self.store.bound)?;
        let data = datatype.encode(datatype_version(datatype));
        self.change(|engine| {
            let parent = engine.create_missing(at, &missing)?;
            let prefix = Prefix::new();
            let addr = engine.place_cell(parent, &prefix, false)?;
            let flags = flag::CONSTANT | flag::DONT_SHARE;
            let messages = vec![RawMessage::new(kind::DATATYPE, flags, data)];
            let mut header = Header::new(addr, prefix, messages, Vec::new(), false);
            // What is of this type looks the type up in the file.
            header.stage(&mut engine.store, false)?;
            let object = Object {
                header,
                links: None,
                attributes: Attributes::none(),
                dataset: None,
                refused: None,
            };
            engine.objects.insert(addr, object);
            engine.insert_link(parent, last, LinkTarget::Hard(addr))?;
            Ok(addr)
        })
    }

    /// The datatype that an object is.
    pub(crate) fn named_datatype(&mut self, addr: Addr) -> Result<Datatype> {
        let (object, store, _) = self.parts(addr)?;
        let message = match &object.links {
            None if object.dataset.is_none() && object.refused.is_none() => {
                object.header.message(kind::DATATYPE)
            }
            _ => None,
        };
        let message = message.ok_or_else(|| Error::invalid("not a committed datatype"))?;
        let data = super::shared::message_data(store, &object.header, message)?;
        Ok(Datatype::decode(&data, addr.get())?.0)
    }

    /// The committed datatype that a dataset is of, if it is of one.
    pub(crate) fn datatype_of_dataset(&mut self, addr: Addr) -> Result<Option<Addr>> {
        let (object, store, _) = self.parts(addr)?;
        committed_datatype(store, &object.header)
    }

    /// Refuses a committed datatype that no more elements can be of.
    pub(crate) fn check_named(&mut self, addr: Addr) -> Result<()> {
        self.check_editable(addr)?;
        self.named_datatype(addr)?;
        let count = self.object(addr)?.header.reference_count()?;
        if count == u32::MAX {
            let count = u64::from(count);
            return Err(Error::limit("the links to an object", count, count));
        }
        Ok(())
    }

    /// Counts one more dataset or attribute of a committed datatype, which has been checked; `holder` is the object.
    pub(crate) fn hold_named(&mut self, addr: Addr, holder: Addr) -> Result<()> {
        self.note_link(addr, holder, 1);
        let (object, ..) = self.touch(addr)?;
        let header = &mut object.header;
        let count = header.reference_count()?;
        header.set_reference_count(count.saturating_add(1));
        Ok(())
    }

    /// What an object that goes lets go of: the committed datatypes of its elements and attributes.
    pub(crate) fn named_datatypes_of(&mut self, addr: Addr) -> Result<Vec<Addr>> {
        let (object, store, _) = self.parts(addr)?;
        let mut held = Vec::new();
        if object.dataset.is_some() || object.refused.is_some() {
            held.extend(committed_datatype(store, &object.header)?);
        }
        for (_, attribute) in object.attributes.list(store, &object.header)? {
            held.extend(attribute.held_datatype(store.widths())?);
        }
        Ok(held)
    }

    /// What the exchange of an attribute of `holder` by one of the datatype `committed` does to the counts of such types.
    pub(super) fn plan_exchange(
        &mut self,
        holder: Addr,
        old: Option<&Attribute>,
        committed: Option<Addr>,
    ) -> Result<Exchange> {
        let held = match old {
            Some(old) => self.held_datatype_of(old)?,
            None => None,
        };
        if held == committed {
            return Ok(Exchange::Same);
        }
        if let Some(addr) = committed {
            self.check_named(addr)?;
        }
        match held {
            Some(held) => Ok(Exchange::Other(self.plan_removal(holder, held)?)),
            None => Ok(Exchange::Other(Vec::new())),
        }
    }

    /// The count that an attribute holds on a committed datatype.
    pub(crate) fn held_datatype_of(&self, attribute: &Attribute) -> Result<Option<Addr>> {
        attribute.held_datatype(self.store.widths())
    }
}

#[cfg(test)]
mod tests;
