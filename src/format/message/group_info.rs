//! IV.A.2.k. The group info message.
//!
//! ```text
//!   0   1  version: 0
//!   1   1  flags: bit 0, link phase change values follow; bit 1, estimates follow
//!   2   2  maximum number of compact links, if bit 0 is set
//!   4   2  minimum number of dense links, if bit 0 is set
//!   +   2  estimated number of entries, if bit 1 is set
//!   +   2  estimated length of a link name, if bit 1 is set
//! ```

use crate::bytes::{Put, Take};
use crate::error::Result;
use alloc::vec::Vec;

const NAME: &str = "group info message";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct GroupInfo {
    /// The maximum number of compact links and the minimum number of dense ones, if not 8 and 6.
    pub(crate) phase_change: Option<(u16, u16)>,
    /// The estimated number of entries and length of a name, if not 4 and 8.
    pub(crate) estimates: Option<(u16, u16)>,
}

impl GroupInfo {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(10);
        out.put_u8(0);
        let phase_change = u8::from(self.phase_change.is_some());
        out.put_u8(phase_change | u8::from(self.estimates.is_some()) << 1);
        for (first, second) in [self.phase_change, self.estimates].into_iter().flatten() {
            out.put_u16(first);
            out.put_u16(second);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.version(0)?;
        let flags = take.u8()?;
        if flags & !3 != 0 {
            return Err(take.error("unknown flags"));
        }
        let mut pair = |present: bool| -> Result<Option<(u16, u16)>> {
            if !present {
                return Ok(None);
            }
            Ok(Some((take.u16()?, take.u16()?)))
        };
        Ok(Self {
            phase_change: pair(flags & 1 != 0)?,
            estimates: pair(flags & 2 != 0)?,
        })
    }
}
