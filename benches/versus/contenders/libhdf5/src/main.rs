//! libhdf5 2.2 through its C API, at its best: spaces and property lists made once, caches that fit the work, no fill.
//!
//! What was tried, and did not help or lost, is said where the choice is made. A variant may name `libver=` (earliest,
//! v18, v110, v114, latest) and `cache=` (bytes of the chunk cache) to try again.

mod hdf;
mod read;
mod write;

use kit::{Job, Outcome};
use std::process::ExitCode;

fn main() -> ExitCode {
    kit::main(|job: &Job| match job.workload.as_str() {
        "rows" => write::rows(job),
        "frames" => write::frames(job, job.sizes.frames, false),
        "frames-deflate" => write::frames(job, job.sizes.deflate_frames, true),
        "seed" => write::seed(job),
        "strings" => write::strings(job),
        "objects" => write::objects(job),
        "flush" => write::flush(job),
        "reopen" => write::reopen(job),
        "rewrite" => write::rewrite(job),
        "sync" => Outcome::cannot("no call of its API reaches the disk"),
        "read-frames" => read::frames(job, job.sizes.frames),
        "read-frames-random" => {
            read::frames_at_random(job, job.sizes.frames, job.sizes.frame_reads)
        }
        "read-deflate" => read::frames(job, job.sizes.deflate_frames),
        "read-deflate-random" => {
            read::frames_at_random(job, job.sizes.deflate_frames, job.sizes.deflate_frame_reads)
        }
        "read-strings" => read::strings(job),
        "read-strings-random" => read::strings_at_random(job),
        _ => Outcome::cannot("unknown workload"),
    })
}
