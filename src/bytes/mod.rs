//! Bytes and addresses: cursors that know the widths of offsets and lengths, and the metadata checksum.

mod addr;
mod checksum;
mod put;
mod short;
mod take;

pub(crate) use addr::{Addr, Extent, UNDEFINED, Widths};
pub(crate) use checksum::lookup3;
pub(crate) use put::Put;
pub(crate) use short::ShortBytes;
pub(crate) use take::Take;
