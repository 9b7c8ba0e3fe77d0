//! IV.A.2.l. The filter pipeline message.
//!
//! ```text
//!   0   1  version: 1 or 2
//!   1   1  number of filters
//!   2   6  version 1 only: reserved
//! for each filter:
//!   +   2  identification
//!   +   2  name length; absent in version 2 where the identification is below 256
//!   +   2  flags: bit 0, optional
//!   +   2  number of client data values
//!   +   n  name with its zero byte; version 1 pads it to a multiple of 8
//!   +  4*k client data values; version 1 pads an odd number of them by 4 bytes
//! ```

use crate::bytes::{Put, Take};
use crate::error::{Error, Result};
use alloc::string::String;
use alloc::vec::Vec;

const NAME: &str = "filter pipeline message";

/// The largest number of filters.
pub(crate) const MAX_FILTERS: usize = 32;
/// The largest number of client data values of a filter that we accept: as many as n-bit may have.
pub(crate) const MAX_VALUES: usize = 4096;
/// Filters below are the library's own and have no name in version 2.
const FIRST_REGISTERED: u16 = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterDescription {
    pub(crate) id: u16,
    pub(crate) name: Option<String>,
    /// A chunk that the filter cannot encode is stored without it.
    pub(crate) optional: bool,
    pub(crate) values: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterPipeline {
    /// 1 or 2; what we create is version 2.
    pub(crate) version: u8,
    pub(crate) filters: Vec<FilterDescription>,
}

impl FilterPipeline {
    pub(crate) fn new(filters: Vec<FilterDescription>) -> Self {
        Self {
            version: 2,
            filters,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u8(self.version);
        out.put_u8(self.filters.len() as u8);
        if self.version == 1 {
            out.put_zeros(6);
        }
        for filter in &self.filters {
            filter.encode(self.version, &mut out);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        if !matches!(version, 1 | 2) {
            return Err(take.error("unknown version"));
        }
        let count = usize::from(take.u8()?);
        if count > MAX_FILTERS {
            let error = Error::limit("number of filters", count as u64, MAX_FILTERS as u64);
            return Err(error.at(offset));
        }
        if version == 1 {
            take.skip(6)?;
        }
        let filters = (0..count)
            .map(|_| FilterDescription::decode(version, &mut take, offset))
            .collect::<Result<_>>()?;
        Ok(Self { version, filters })
    }
}

impl FilterDescription {
    fn encode(&self, version: u8, out: &mut Vec<u8>) {
        out.put_u16(self.id);
        let mut name = Vec::new();
        if has_name(version, self.id) {
            if let Some(text) = &self.name {
                name.put_bytes(text.as_bytes());
                name.put_u8(0);
            }
            if version == 1 {
                name.resize(name.len().next_multiple_of(8), 0);
            }
            out.put_u16(name.len() as u16);
        }
        out.put_u16(u16::from(self.optional));
        out.put_u16(self.values.len() as u16);
        out.put_bytes(&name);
        for &value in &self.values {
            out.put_u32(value);
        }
        if version == 1 && self.values.len() % 2 == 1 {
            out.put_u32(0);
        }
    }

    fn decode(version: u8, take: &mut Take<'_>, offset: u64) -> Result<Self> {
        let id = take.u16()?;
        let name_length = if has_name(version, id) {
            usize::from(take.u16()?)
        } else {
            0
        };
        if version == 1 && !name_length.is_multiple_of(8) {
            return Err(take.error("a name length is not a multiple of eight"));
        }
        let optional = take.u16()? & 1 != 0;
        let count = usize::from(take.u16()?);
        if count > MAX_VALUES {
            let error = Error::limit("number of filter values", count as u64, MAX_VALUES as u64);
            return Err(error.at(offset));
        }
        let name = take.bytes(name_length)?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        let name = (name_length > 0).then(|| String::from_utf8_lossy(name).into_owned());
        let values = (0..count).map(|_| take.u32()).collect::<Result<_>>()?;
        if version == 1 && count % 2 == 1 {
            take.skip(4)?;
        }
        Ok(Self {
            id,
            name,
            optional,
            values,
        })
    }
}

fn has_name(version: u8, id: u16) -> bool {
    version == 1 || id >= FIRST_REGISTERED
}
