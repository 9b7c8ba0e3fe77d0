//! h5quill writes and edits HDF5 files in pure Rust.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod bytes;
mod chunk;
mod error;
mod extents;
mod format;
mod selection;
pub mod storage;
mod store;

pub use error::{Error, ErrorKind, Result};
pub use extents::{Extent, Extents};
pub use format::message::datatype::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, Normalization,
    StringPadding,
};
pub use selection::{Selection, SliceOrIndex};
