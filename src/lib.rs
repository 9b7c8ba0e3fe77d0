//! h5quill writes and edits HDF5 files in pure Rust.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod bytes;
mod chunk;
mod dtype;
mod error;
mod extents;
mod filter;
mod format;
mod index;
mod infra;
mod selection;
pub mod storage;
mod store;

pub use dtype::{
    F80, F128, FixedAscii, FixedUnicode, H5Type, VarLenAscii, VarLenSink, VarLenSource,
    VarLenUnicode,
};
pub use error::{Error, ErrorKind, Result};
pub use extents::{Extent, Extents};
pub use format::message::datatype::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, Normalization,
    StringPadding,
};
pub use format::message::fill_value::{AllocTime, FillTime};
pub use selection::{Selection, SliceOrIndex};
