//! Structures of many blocks, generic over what they hold.

pub(crate) mod fractal_heap;
pub(crate) mod global_heap;
