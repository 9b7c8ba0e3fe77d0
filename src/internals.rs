//! Inner loops for the benchmarks of this repository. It is no part of the API: it is there with the feature `internals`
//! only, and changes without notice.

use crate::bytes;
use crate::error::Result;
use crate::filter::{Filter, Registry};
use crate::format::message::filter_pipeline::FilterDescription;
use alloc::boxed::Box;

/// The checksum of metadata.
pub fn lookup3(bytes: &[u8]) -> u32 {
    bytes::lookup3(bytes)
}

/// A filter of this library: 1 deflate, 2 shuffle, 3 Fletcher-32.
///
/// # Errors
/// Parameters that the filter does not take.
pub fn filter(id: u16, values: &[u32]) -> Result<Box<dyn Filter>> {
    Registry::default().make(&FilterDescription {
        id,
        name: None,
        optional: false,
        values: values.to_vec(),
    })
}
