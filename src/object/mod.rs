//! Objects: groups and datasets with their links, attributes and data, and the engine that keeps the open ones.

mod attributes;
mod chunks;
mod contiguous;
pub(crate) mod dataset;
mod dense;
pub(crate) mod engine;
mod external;
mod header;
mod links;
mod mark;
pub(crate) mod other_files;
pub(crate) mod plan;
mod record;
mod tree;
mod values;
mod virtual_dataset;

pub(crate) use tree::{Elsewhere, Found, ObjectKind};
