//! h5quill writes and edits HDF5 files in pure Rust, so that a kill at any instruction loses nothing that was flushed.
//!
//! One handle reads and writes. Datasets of any rank grow along any number of unlimited axes, shrink, and are rewritten
//! by hyperslab; libhdf5 1.10 and later, and what is built on it (h5py, netCDF-4, h5dump), reads and edits the result.
//!
//! ```
//! use h5quill::File;
//! use ndarray::Array3;
//!
//! # let path = std::env::temp_dir().join(format!("h5quill-doc-crate-{}.h5", std::process::id()));
//! let file = File::create(&path)?;
//! let data = file.new_dataset::<f32>().shape((0.., 40, 200)).create("features_A/features")?; // makes the group
//! let names = file.new_dataset::<String>().shape(0..).create("features_A/gender")?;
//! file.group("features_A")?.set_attr("fs", 16_000)?;
//! for gender in ["female", "male", "female"] {
//!     let features = Array3::<f32>::ones((1, 40, 200));
//!     data.append(&features)?; // any number of rows, along axis 0
//!     names.append(&[gender])?;
//!     file.sync()?; // both have grown, or neither
//! }
//! assert_eq!(data.shape(), [3, 40, 200]); // handles are live
//! file.close()?;
//!
//! let file = File::open(&path)?;
//! let last: ndarray::Array2<f32> = file.dataset("features_A/features")?.read_slice(-1)?;
//! assert_eq!(last.shape(), [40, 200]);
//! # drop(file);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), h5quill::Error>(())
//! ```
//!
//! # Where to begin
//!
//! [`File`] creates and opens; it is its root [`Group`], too. A group makes and finds groups and [`Dataset`]s, and both
//! carry [`Attribute`]s (see [`Location`]). Whatever takes a shape takes what converts into [`Extents`]; whatever takes
//! a selection takes what converts into [`Selection`], with [`ndarray::s!`] among it. [`H5Type`](trait@H5Type) lists the element
//! types. A read converts what keeps every value (an `f32` to an `f64`, any byte order), and more where
//! [`Reader::conversion`] asks for it; a write converts nothing but the byte order.
//!
//! # What is guaranteed
//!
//! What is written reaches the file by a *commit*: [`File::create`], [`File::flush`], [`File::sync`], [`File::close`], the drop
//! of the last handle, or by itself as [`FileBuilder::flush_every_bytes`] and [`FileBuilder::flush_every`] ask.
//!
//! * **The file always opens.** After the process was killed at any instruction, or, where commits are made by `sync`,
//!   after a loss of power, any reader opens the file as it is: there is no repair step and no journal to replay.
//! * **Every object is as one commit left it**: the last that returned, or the one in flight. Never a mixture inside one
//!   object, never rows that were not written.
//! * **Objects change together where their headers share a sector of 512 bytes.** The root group and the first eight
//!   datasets that can grow do: they are at the same commit for every reader. Others change each for itself; when a
//!   kill or a loss of power falls between them, this library completes the commit as it next opens the file.
//! * **After an error of the storage the handle stops**: every later call answers [`ErrorKind::Poisoned`], and the file
//!   is at its last commit (where the last sync of a commit failed, at that commit or the one before).
//! * **A new file is an empty HDF5 file from its creation on**, and one that it replaces is gone at once: create under
//!   another name and rename where an old file must stay until the new one is complete.
//!
//! `flush` takes no sync of the device: a killed process loses nothing that was flushed, but a loss of power may damage
//! the file, what was synced before included. Once a session has synced, commits that the file makes by itself, `close` and the drop
//! sync, too, so that they put nothing at risk ([`AutoCommit`]). `sync` takes two, and rests on a device that writes a sector of 512 bytes wholly or not at all, does not
//! say "synced" before it is, and does not change bytes outside a written range. One kind of data is rewritten in place,
//! sector by sector: a part of a contiguous dataset of more than 64 MiB.
//!
//! # Other files
//!
//! A file can name others: sources of virtual datasets, external data files, targets of external links. None is opened
//! unless [`FileBuilder::follow_other_files`] (by their paths) or [`FileBuilder::other_files`] (by a closure) says so;
//! then their data are read as if they were here. Nothing is written to them but the data of datasets in external files,
//! which are no part of a commit. [`DatasetBuilder::virtual_map`] and [`DatasetBuilder::external`] make such datasets.
//!
//! # Features
//!
//! All but `complex` are on by default.
//!
//! * `std`: files on a path, file locks, handles that threads share, the faster inflate.
//! * `parallel`: chunks are filtered and large reads made on as many threads as [`FileBuilder::threads`] says; every core
//!   by default.
//! * `derive`: `#[derive(H5Type)]`, see [`H5Type`](trait@H5Type).
//! * `complex`: the numbers of `num-complex` as elements.
//! * `filters`: `lz4`, `zstd`, `bitshuffle`, `bzip2`, `szip` and `blosc`, which can be had one by one.
//!
//! Without `std` the crate is `no_std` and needs `alloc`: files are in memory or on a [`Storage`](storage::Storage), and
//! handles stay on one thread. There is no unsafe code and no C, in neither case.
//!
//! # Storage of your own
//!
//! Anything with bytes at offsets can hold a file: implement [`Storage`](storage::Storage).
//!
//! ```
//! use h5quill::File;
//! use h5quill::storage::{MemoryStorage, Storage, StorageError};
//!
//! /// A device of fixed size.
//! struct Card(MemoryStorage, u64);
//!
//! impl Storage for Card {
//!     fn len(&self) -> Result<u64, StorageError> {
//!         self.0.len()
//!     }
//!     fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
//!         self.0.read_at(offset, buffer)
//!     }
//!     fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
//!         if offset + bytes.len() as u64 > self.1 {
//!             return Err(StorageError::new("the card is full"));
//!         }
//!         self.0.write_at(offset, bytes)
//!     }
//!     fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
//!         self.0.set_len(len)
//!     }
//!     fn sync(&mut self) -> Result<(), StorageError> {
//!         Ok(())
//!     }
//! }
//!
//! let file = File::create_on(Card(MemoryStorage::new(), 1 << 20))?;
//! let data = file.new_dataset::<u8>().shape(0..).create("x")?;
//! data.append(&[1_u8, 2, 3])?;
//! file.flush()?;
//! let filled = data.append(&vec![0_u8; 1 << 22]).and_then(|()| file.flush());
//! assert!(filled.unwrap_err().to_string().ends_with("the card is full"));
//! # Ok::<(), h5quill::Error>(())
//! ```

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
// What the derive macro writes says `::h5quill`, here, too.
#[cfg(feature = "derive")]
extern crate self as h5quill;
#[cfg(all(test, not(feature = "std")))]
extern crate std;

mod appender;
mod attribute;
mod builder;
mod bytes;
mod chunk;
mod copy;
#[cfg(all(test, feature = "std"))]
mod crash_tests;
mod dataset;
#[doc(hidden)]
pub mod derive_support;
mod direct_chunk;
mod dtype;
mod error;
mod extents;
mod file;
mod filter;
pub mod filters;
mod format;
mod group;
mod handle;
mod index;
mod infra;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod location;
mod named_datatype;
mod object;
mod options;
mod other_files;
mod process;
mod reader;
mod reference;
mod region;
mod report;
mod scales;
mod selection;
pub mod storage;
mod store;
pub mod types;
mod user_code;
mod workers;

pub use appender::Appender;
pub use attribute::{Attribute, AttributeBuilder, AttributeValue};
pub use builder::{ChunkOpts, DatasetBuilder, DatasetBuilderData, Raw};
pub use copy::CopyOptions;
pub use dataset::{Dataset, FilterInfo};
pub use dtype::{
    AttributeReference, Conversion, CreateWith, ElementValue, F8E4M3, F8E5M2, F80, F128,
    FixedAscii, FixedUnicode, H5Type, ObjectReference, Reference, RegionReference, Value,
    VarLenArray, VarLenAscii, VarLenSink, VarLenSource, VarLenUnicode,
};
pub use error::{Error, ErrorKind, Result};
pub use extents::{Extent, Extents};
pub use file::File;
pub use format::libver::LibVer;
pub use format::message::datatype::{
    ByteOrder, CharacterSet, CompoundMember, Datatype, FloatType, IntegerType, Normalization,
    StringPadding,
};
pub use format::message::file_space_info::FileSpaceStrategy;
pub use format::message::fill_value::{AllocTime, FillTime};
pub use group::{Group, GroupBuilder, LinkInfo, LinkKind, Object};
pub use handle::AutoCommit;
pub use location::Location;
pub use named_datatype::NamedDatatype;
pub use options::FileBuilder;
pub use reader::Reader;
pub use region::Region;
pub use report::{Problem, Report};
pub use selection::{Selection, SliceOrIndex};

#[cfg(feature = "derive")]
pub use h5quill_derive::H5Type;

/// The examples of the README run as those here do.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
