//! What programs with filters of their own need, and the parameters of this library's.

pub use crate::filter::{Bitshuffle, Blosc, BloscShuffle, Filter, Outcome, SZip, ScaleOffset};
