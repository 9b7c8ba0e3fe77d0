//! What the bytes look like: one file for one section of the HDF5 File Format Specification 4.0, `encode` and
//! `decode` beside each other, no I/O and no policy.

pub(crate) mod btree_v1;
pub(crate) mod btree_v2;
pub(crate) mod driver_info;
pub(crate) mod extensible_array;
pub(crate) mod fixed_array;
pub(crate) mod fractal_heap;
pub(crate) mod free_space;
pub(crate) mod global_heap;
pub(crate) mod legacy;
pub(crate) mod libver;
pub(crate) mod message;
pub(crate) mod object_header;
pub(crate) mod selection;
pub(crate) mod shared_table;
pub(crate) mod superblock;
pub(crate) mod virtual_layout;
