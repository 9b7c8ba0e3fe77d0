//! h5quill writes and edits HDF5 files in pure Rust.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(all(test, not(feature = "std")))]
extern crate std;

mod attribute;
mod builder;
mod bytes;
mod chunk;
#[cfg(all(test, feature = "std"))]
mod crash_tests;
mod dataset;
mod dtype;
mod error;
mod extents;
mod file;
mod filter;
mod format;
mod group;
mod handle;
mod index;
mod infra;
mod location;
mod object;
mod options;
mod selection;
pub mod storage;
mod store;

pub use attribute::{Attribute, AttributeBuilder, AttributeValue};
pub use builder::{DatasetBuilder, Raw};
pub use dataset::{Dataset, FilterInfo};
pub use dtype::{
    F80, F128, FixedAscii, FixedUnicode, H5Type, VarLenAscii, VarLenSink, VarLenSource,
    VarLenUnicode,
};
pub use error::{Error, ErrorKind, Result};
pub use extents::{Extent, Extents};
pub use file::File;
pub use format::message::datatype::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, Normalization,
    StringPadding,
};
pub use format::message::fill_value::{AllocTime, FillTime};
pub use group::Group;
pub use location::Location;
pub use options::FileBuilder;
pub use selection::{Selection, SliceOrIndex};
