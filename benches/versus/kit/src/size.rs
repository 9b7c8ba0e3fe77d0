//! How much each workload writes. `--scale` multiplies counts, never the shape of a row, a frame or a chunk.

/// Values in a row of `rows`, `flush`, `reopen` and `sync`.
pub const COLUMNS: usize = 8;
/// Rows in a chunk of `rows` and `reopen`.
pub const ROWS_A_CHUNK: usize = 8192;
/// Rows in a chunk of `flush` and `sync`, where every row reaches the file by itself.
pub const ROWS_A_FLUSHED_CHUNK: usize = 1024;
/// Height and width of a frame.
pub const SIDE: usize = 512;
pub const PIXELS: usize = SIDE * SIDE;
/// A feature row of `seed`.
pub const FEATURE: [usize; 2] = [40, 200];
pub const FEATURES: usize = FEATURE[0] * FEATURE[1];
/// Strings in a call of `strings`.
pub const STRINGS_A_CALL: usize = 1000;
/// Strings in a chunk.
pub const STRINGS_A_CHUNK: usize = 4096;
/// Groups of `objects`.
pub const GROUPS: usize = 100;
/// Side of the array of `rewrite`, of its chunks and of a tile.
pub const ARRAY_SIDE: usize = 4096;
pub const CHUNK_SIDE: usize = 128;
pub const TILE_SIDE: usize = 16;
/// zlib's level in `frames-deflate`.
pub const LEVEL: u8 = 4;
/// The value of the attribute `rate` that every dataset but those of `objects` has.
pub const RATE: f64 = 1000.0;

/// The counts, scaled.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub frames: usize,
    pub deflate_frames: usize,
    pub steps: usize,
    pub string_calls: usize,
    /// Datasets in each of the [`GROUPS`].
    pub objects_a_group: usize,
    pub flushes: usize,
    pub reopen_rows: usize,
    pub reopens: usize,
    pub tiles: usize,
    pub commits: usize,
    /// Frames read at random from `frames` and `frames-deflate`.
    pub frame_reads: usize,
    pub deflate_frame_reads: usize,
    /// Strings read at random, one a call.
    pub string_reads: usize,
}

impl Sizes {
    pub fn scaled(scale: f64) -> Self {
        let of = |count: usize| ((count as f64 * scale) as usize).max(2);
        Self {
            rows: of(2_000_000),
            frames: of(2000),
            deflate_frames: of(400),
            steps: of(10_000),
            string_calls: of(1000),
            objects_a_group: of(1000),
            flushes: of(100_000),
            reopen_rows: of(100_000),
            reopens: of(2000),
            tiles: of(200_000),
            commits: of(500),
            frame_reads: of(2000),
            deflate_frame_reads: of(400),
            string_reads: of(100_000),
        }
    }
}
