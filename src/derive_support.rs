//! What `#[derive(H5Type)]` writes calls these; no part of the public API.

pub use crate::attribute::encode_values as store;
pub use crate::dtype::compound::{self, StructLayout};
pub use crate::dtype::enumeration;
pub use alloc::vec::Vec;

use crate::dtype::{self, H5Type};
use crate::error::Result;
use crate::format::message::datatype::Datatype;

/// Refuses `stored` unless it is `T`.
///
/// # Errors
/// [`TypeMismatch`](crate::ErrorKind::TypeMismatch).
pub fn expect<T: H5Type>(stored: &Datatype) -> Result<()> {
    dtype::expect::<T>(stored)
}
