//! h5quill through its public API.

#![forbid(unsafe_code)]

mod counting;
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
        "sync" => write::sync(job),
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
