//! IV.A.2.c. The link info message.
//!
//! ```text
//!   0   1  version: 0
//!   1   1  flags: bit 0, creation order is tracked; bit 1, it is indexed
//!   2   8  maximum creation index, if bit 0 is set
//!   +   O  fractal heap address
//!   +   O  address of the v2 B-tree for names
//!   +   O  address of the v2 B-tree for creation order, if bit 1 is set
//! ```

use crate::bytes::{Addr, Put, ShortBytes, Take, Widths};
use crate::error::Result;

const NAME: &str = "link info message";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LinkInfo {
    /// The creation order the next link gets, if creation order is tracked.
    pub(crate) max_creation_index: Option<u64>,
    /// The fractal heap, if the links are stored densely.
    pub(crate) heap: Option<Addr>,
    pub(crate) name_index: Option<Addr>,
    /// `Some` if creation order is indexed; `Some(None)` while the links are stored compactly.
    pub(crate) order_index: Option<Option<Addr>>,
}

impl LinkInfo {
    pub(crate) fn encode(&self, widths: Widths) -> ShortBytes {
        let mut out = ShortBytes::new();
        out.put_u8(0);
        let tracked = u8::from(self.max_creation_index.is_some());
        out.put_u8(tracked | u8::from(self.order_index.is_some()) << 1);
        if let Some(index) = self.max_creation_index {
            out.put_u64(index);
        }
        out.put_addr(self.heap, widths);
        out.put_addr(self.name_index, widths);
        if let Some(order_index) = self.order_index {
            out.put_addr(order_index, widths);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        take.version(0)?;
        let flags = take.u8()?;
        if flags & !3 != 0 {
            return Err(take.error("unknown flags"));
        }
        let max_creation_index = if flags & 1 != 0 {
            Some(take.u64()?)
        } else {
            None
        };
        if max_creation_index.is_some_and(|index| index > i64::MAX as u64) {
            return Err(take.error("the maximum creation index is negative"));
        }
        let (heap, name_index) = (take.addr(widths)?, take.addr(widths)?);
        let order_index = if flags & 2 != 0 {
            Some(take.addr(widths)?)
        } else {
            None
        };
        Ok(Self {
            max_creation_index,
            heap,
            name_index,
            order_index,
        })
    }
}
