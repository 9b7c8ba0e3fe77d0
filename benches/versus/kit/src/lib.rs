//! What every contender shares: the data, the sizes, the command line and the report.

pub mod data;
mod job;
pub mod size;

pub use job::{Job, Outcome, main, peak_memory};
pub use size::Sizes;

pub type Failure = Box<dyn std::error::Error>;
