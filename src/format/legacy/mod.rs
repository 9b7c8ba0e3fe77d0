//! The older forms of structures, which libhdf5 still writes where it is asked for compatibility with HDF5 1.6, its
//! default. They are read, and replaced by the newer forms where an edit needs to; none is created.

pub(crate) mod group_tree;
pub(crate) mod local_heap;
pub(crate) mod object_header;
pub(crate) mod superblock;
pub(crate) mod symbol_table;

#[cfg(test)]
mod tests;
