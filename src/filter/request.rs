//! Filters as they are asked for, and what the file says of them once type and chunk of the dataset are known.

use super::registry::{known, not_built_in};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::filter_pipeline::FilterDescription;
use alloc::borrow::ToOwned;
use alloc::vec::Vec;

/// What the parameters of filters are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a> {
    pub(crate) datatype: &'a Datatype,
    /// The shape of a chunk.
    pub(crate) chunk: &'a [u64],
    /// One element of the fill value; nothing for zeros.
    pub(crate) fill: &'a [u8],
}

impl Elements<'_> {
    /// The elements of a chunk.
    pub(super) fn count(&self) -> Result<u32> {
        let elements = self
            .chunk
            .iter()
            .try_fold(1_u64, |count, &dim| count.checked_mul(dim));
        narrow(elements)
    }

    pub(super) fn chunk_bytes(&self) -> Result<u32> {
        narrow(u64::from(self.count()?).checked_mul(self.datatype.size().into()))
    }
}

fn narrow(value: Option<u64>) -> Result<u32> {
    let value = value.unwrap_or(u64::MAX);
    let limit = || Error::limit("the size of a chunk", value, u32::MAX.into());
    u32::try_from(value).map_err(|_| limit())
}

/// A filter that a new dataset is to have, with the parameters that its user gives: those that follow from the dataset
/// are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: u16,
    pub(crate) values: Vec<u32>,
}

impl Request {
    pub(crate) fn new(id: u16, values: &[u32]) -> Self {
        Self {
            id,
            values: values.to_vec(),
        }
    }

    /// How the filter is described for these elements.
    pub(crate) fn describe(&self, elements: Elements<'_>) -> Result<FilterDescription> {
        let id = self.id;
        Ok(match known(id) {
            // The name is stored by version 1 of the message only, version 2 leaves it out for identifiers below 256.
            Some(known) => FilterDescription {
                id,
                name: Some(known.name.to_owned()),
                optional: known.optional,
                values: (known.local)(&self.values, elements)?,
            },
            None => match not_built_in(id) {
                Some(error) => return Err(error),
                None => FilterDescription {
                    id,
                    name: None,
                    optional: true,
                    values: self.values.clone(),
                },
            },
        })
    }
}
