//! Structures of many blocks, generic over what they hold.

pub(crate) mod btree_v2;
