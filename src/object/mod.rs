//! Objects: groups and datasets with their links, attributes and data, and the engine that keeps the open ones.

mod attributes;
mod batch;
mod chunks;
mod comment;
mod contiguous;
pub(crate) mod copy;
mod cycles;
pub(crate) mod dataset;
mod dense;
pub(crate) mod engine;
mod extension;
pub(crate) mod external;
mod header;
mod heap_ids;
mod held;
mod links;
mod managers;
mod mark;
mod named;
pub(crate) mod new_group;
pub(crate) mod other_files;
pub(crate) mod plan;
mod reach;
mod record;
mod relink;
mod relinks;
mod shared;
mod shared_index;
mod tails;
mod tree;
mod values;
pub(crate) mod verify;
mod virtual_dataset;

pub(crate) use named::ElementType;
pub(crate) use tree::{Elsewhere, Found, ObjectKind};
