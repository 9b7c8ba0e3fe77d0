//! What stock readers and writers (libhdf5 through h5py and the command line tools) make of our files, and we of theirs.

#![allow(unreachable_pub, reason = "the modules of a test program are its own")]

mod support;

#[path = "interop/conversions.rs"]
mod conversions;
#[path = "interop/copied.rs"]
mod copied;
#[path = "interop/creation.rs"]
mod creation;
#[path = "interop/dump.rs"]
mod dump;
#[path = "interop/edited.rs"]
mod edited;
#[path = "interop/fill.rs"]
mod fill;
#[path = "interop/foreign.rs"]
mod foreign;
#[path = "interop/manifest.rs"]
mod manifest;
#[path = "interop/raw_edges.rs"]
mod raw_edges;
#[path = "interop/reuse.rs"]
mod reuse;
#[path = "interop/samples.rs"]
mod samples;
#[path = "interop/short_chunks.rs"]
mod short_chunks;
#[path = "interop/strategies.rs"]
mod strategies;
#[path = "interop/survive.rs"]
mod survive;
#[path = "interop/tools.rs"]
mod tools;
#[path = "interop/types.rs"]
mod types;
#[path = "interop/values.rs"]
mod values;
#[path = "interop/var_len.rs"]
mod var_len;
#[path = "interop/written.rs"]
mod written;
