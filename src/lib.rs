//! h5quill writes and edits HDF5 files in pure Rust.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod bytes;
mod error;
mod format;
mod index;
mod infra;
pub mod storage;
mod store;

pub use error::{Error, ErrorKind, Result};
pub use format::message::datatype::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, Normalization,
    StringPadding,
};
pub use format::message::fill_value::{AllocTime, FillTime};
