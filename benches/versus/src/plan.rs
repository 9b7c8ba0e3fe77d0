//! Which contenders do which workloads, and what the goals are.

/// What the ratios are to.
pub const BASELINE: &str = "libhdf5";

/// One way of one program.
#[derive(Debug)]
pub struct Contender {
    pub name: &'static str,
    pub program: &'static str,
    /// Handed to the program.
    pub variant: &'static str,
    /// The workloads it does; all where empty.
    pub only: &'static [&'static str],
}

impl Contender {
    pub fn does(&self, workload: &Workload) -> bool {
        self.only.is_empty() || self.only.contains(&workload.name)
    }
}

const fn contender(name: &'static str, program: &'static str, variant: &'static str) -> Contender {
    Contender {
        name,
        program,
        variant,
        only: &[],
    }
}

/// In the order of their runs.
pub const CONTENDERS: [Contender; 9] = [
    Contender {
        only: &["rows"],
        ..contender("h5quill Appender", "h5quill", "appender")
    },
    contender("h5quill", "h5quill", ""),
    Contender {
        only: &["frames-deflate", "read-deflate", "read-deflate-random"],
        ..contender("h5quill 1 thread", "h5quill", "threads=1")
    },
    contender(BASELINE, "libhdf5", ""),
    Contender {
        only: &["rows"],
        ..contender("libhdf5 ahead", "libhdf5", "ahead")
    },
    Contender {
        only: &["rewrite"],
        ..contender("libhdf5 default cache", "libhdf5", "default")
    },
    contender("hdf5-pure", "hdf5-pure", ""),
    contender("rust-hdf5", "rust-hdf5", ""),
    contender("floor", "floor", ""),
];

/// A row of the table.
#[derive(Debug)]
pub struct Workload {
    pub name: &'static str,
    pub what: &'static str,
    /// What a unit is, and how many of them the table shows as one.
    pub unit: &'static str,
    pub divisor: f64,
    pub goal: &'static str,
    /// The workload whose file it reads; it writes one itself where there is none.
    pub reads: Option<&'static str>,
    /// It is run where syncs reach a disk.
    pub on_disk: bool,
    /// It is also run on a disk, for comparison.
    pub disk_column: bool,
}

const fn workload(
    name: &'static str,
    what: &'static str,
    (unit, divisor): (&'static str, f64),
    goal: &'static str,
) -> Workload {
    Workload {
        name,
        what,
        unit,
        divisor,
        goal,
        reads: None,
        on_disk: false,
        disk_column: false,
    }
}

const GIGABYTES: (&str, f64) = ("GB/s", 1e9);
const MEGABYTES: (&str, f64) = ("MB/s", 1e6);
const THOUSANDS: (&str, f64) = ("k/s", 1e3);
const MILLIONS: (&str, f64) = ("M/s", 1e6);

pub const WORKLOADS: [Workload; 16] = [
    workload(
        "rows",
        "append 2M rows of 8 f64, one a call, chunks of 8192 rows",
        MILLIONS,
        ">= 25x through Appender, >= 10x through append",
    ),
    Workload {
        disk_column: true,
        ..workload(
            "frames",
            "append 2000 frames of 512 x 512 u16, a chunk each",
            GIGABYTES,
            ">= 1.2x, or within 10 % of floor",
        )
    },
    workload(
        "frames-deflate",
        "400 of them through shuffle and deflate 4",
        MEGABYTES,
        ">= 3.5x on 2 cores, >= 1.8x on one, file <= 1.12x; >= 2.8x on 2 cores with file <= 1.0x",
    ),
    workload(
        "seed",
        "append a (40, 200) f32 row and a string, 10k steps",
        THOUSANDS,
        ">= 1.5x",
    ),
    workload(
        "strings",
        "append 1M strings of variable length, 1000 a call",
        MILLIONS,
        ">= 2x, file <= 1.0x",
    ),
    workload(
        "objects",
        "make 100k scalar datasets with 3 attributes in 100 groups",
        THOUSANDS,
        ">= 8x, file <= 1x",
    ),
    workload(
        "flush",
        "append a row of 64 bytes and flush, 100k times",
        THOUSANDS,
        ">= 1.5x, file <= 1.1x of data",
    ),
    workload(
        "reopen",
        "open, append a row, close, 2000 times on 100k rows",
        THOUSANDS,
        ">= 2x",
    ),
    workload(
        "rewrite",
        "write 200k random tiles of 16 x 16 f32 in 4096 x 4096, chunks of 128 x 128",
        THOUSANDS,
        ">= 20x",
    ),
    reading(
        "read-frames",
        "read all frames in one call",
        GIGABYTES,
        ">= 1.5x",
        "frames",
    ),
    reading(
        "read-frames-random",
        "read 2000 random frames",
        GIGABYTES,
        ">= 1.5x",
        "frames",
    ),
    reading(
        "read-deflate",
        "read all frames of frames-deflate in one call",
        MEGABYTES,
        ">= 3x on 2 cores",
        "frames-deflate",
    ),
    reading(
        "read-deflate-random",
        "read 400 random frames of it",
        MEGABYTES,
        ">= 3x on 2 cores",
        "frames-deflate",
    ),
    reading(
        "read-strings",
        "read all strings in one call",
        MILLIONS,
        ">= 1.5x",
        "strings",
    ),
    reading(
        "read-strings-random",
        "read 100k random strings, one a call",
        THOUSANDS,
        ">= 1.5x",
        "strings",
    ),
    Workload {
        on_disk: true,
        ..workload(
            "sync",
            "append a row to each of two datasets and sync to disk, 500 times",
            ("/s", 1.0),
            "exactly 2 fdatasync a commit",
        )
    },
];

const fn reading(
    name: &'static str,
    what: &'static str,
    unit: (&'static str, f64),
    goal: &'static str,
    written: &'static str,
) -> Workload {
    let mut made = workload(name, what, unit, goal);
    made.reads = Some(written);
    made
}

pub fn workload_names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|workload| workload.name).collect()
}

pub fn contender_names() -> Vec<&'static str> {
    CONTENDERS.iter().map(|contender| contender.name).collect()
}
