//! Filters as they are asked for, and what the file says of them once type and chunk of the dataset are known.

use super::{deflate, fletcher32, shuffle};
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::message::filter_pipeline::FilterDescription;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What the parameters of filters are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a> {
    pub(crate) datatype: &'a Datatype,
}

/// A filter that a new dataset is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Shuffle,
    Deflate(u8),
    Fletcher32,
    /// One that is known by its identifier and parameters only.
    Other {
        id: u16,
        values: Vec<u32>,
    },
}

impl Request {
    /// How the filter is described for these elements.
    pub(crate) fn describe(&self, elements: Elements<'_>) -> Result<FilterDescription> {
        let datatype = elements.datatype;
        Ok(match self {
            Self::Shuffle => describe(shuffle::ID, "shuffle", true, vec![datatype.size()]),
            Self::Deflate(level @ 0..=9) => {
                describe(deflate::ID, "deflate", true, vec![(*level).into()])
            }
            Self::Deflate(level) => {
                return Err(Error::limit("the level of deflate", (*level).into(), 9));
            }
            // As libhdf5: its copies of such a dataset, where it was deflated too, end in a crash.
            Self::Fletcher32
                if matches!(
                    datatype,
                    Datatype::VarLenSequence { .. } | Datatype::VarLenString { .. }
                ) =>
            {
                return Err(Error::unsupported(
                    "the filter fletcher32 over elements of variable length",
                ));
            }
            Self::Fletcher32 => describe(fletcher32::ID, "fletcher32", false, Vec::new()),
            Self::Other { id, values } => FilterDescription {
                id: *id,
                name: None,
                optional: true,
                values: values.clone(),
            },
        })
    }
}

/// The name is stored by version 1 of the message only, version 2 leaves it out for identifiers below 256.
fn describe(id: u16, name: &str, optional: bool, values: Vec<u32>) -> FilterDescription {
    let name: Option<String> = Some(name.to_owned());
    FilterDescription {
        id,
        name,
        optional,
        values,
    }
}
