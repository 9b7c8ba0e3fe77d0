//! The geometry of chunked and contiguous data: which bytes belong to which chunk, and how large a chunk should be.

mod fill;
mod grid;
mod shape;
mod strided;

pub(crate) use fill::Fill;
pub(crate) use grid::Grid;
pub(crate) use shape::default_chunk;
pub(crate) use strided::for_each_run;
