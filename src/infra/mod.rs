//! Structures of many blocks, generic over what they hold.

pub(crate) mod btree_v1;
pub(crate) mod btree_v2;
pub(crate) mod extensible_array;
pub(crate) mod fixed_array;
pub(crate) mod fractal_heap;
pub(crate) mod global_heap;
pub(crate) mod symbol_table;
