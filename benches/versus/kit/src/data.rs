//! The data, from a fixed seed: the same bytes for every contender, and for `check.py`, which makes them again.
//!
//! Nothing is made while a clock runs. Each kind of data is a pool, made beforehand, whose members are used in turn;
//! the first value of each row, frame or tile is its number, so that no two are the same and a misplaced one is found.

use crate::size::*;

/// Seeds, so that no two kinds of data are alike.
mod seed {
    pub const ROWS: u64 = 1 << 40;
    pub const FRAMES: u64 = 2 << 40;
    pub const FEATURES: u64 = 3 << 40;
    pub const STRINGS: u64 = 4 << 40;
    pub const TILES: u64 = 5 << 40;
    pub const PLACES: u64 = 6 << 40;
    pub const READS: u64 = 7 << 40;
}

/// The finaliser of splitmix64: a random number for each number.
pub fn mix(number: u64) -> u64 {
    let x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Rows of 8 `f64`: column c is noise of all 53 bits in c..c+1.
pub struct Rows(Vec<[f64; COLUMNS]>);

impl Rows {
    pub const POOL: usize = 4096;

    pub fn new() -> Self {
        let value = |row: usize, column: usize| {
            let noise = mix(seed::ROWS + (row * COLUMNS + column) as u64) >> 11;
            noise as f64 / (1_u64 << 53) as f64 + column as f64
        };
        Self(
            (0..Self::POOL)
                .map(|row| std::array::from_fn(|column| value(row, column)))
                .collect(),
        )
    }

    pub fn get(&self, number: usize) -> [f64; COLUMNS] {
        let mut row = self.0[number % Self::POOL];
        row[0] = number as f64;
        row
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self::new()
    }
}

/// Frames of 512 x 512 `u16` as a photon-counting detector gives them: a smooth background that rises from 200 to 838
/// counts across the frame, and shot noise, nearly normal (the sum of four random bytes) with the standard deviation
/// sqrt(background), of 14 to 29 counts. So the noise fills the low 6 to 7 bits, and the high byte is 0 to 3.
/// The first two pixels are the number of the frame.
pub struct Frames(Vec<Vec<u16>>);

impl Frames {
    pub const POOL: usize = 16;

    pub fn new() -> Self {
        let pixel = |frame: usize, y: usize, x: usize| {
            let background = 200 + (3 * y + 2 * x) as i64 / 4;
            let random = mix(seed::FRAMES + (frame * PIXELS + y * SIDE + x) as u64);
            let four_bytes: i64 = (0..4).map(|at| (random >> (8 * at) & 255) as i64).sum();
            // The sum has the mean 510 and the standard deviation 148.
            let noise = ((four_bytes - 510) * background.isqrt()).div_euclid(148);
            (background + noise) as u16
        };
        let frame = |frame| {
            (0..PIXELS)
                .map(|at| pixel(frame, at / SIDE, at % SIDE))
                .collect()
        };
        Self((0..Self::POOL).map(frame).collect())
    }

    pub fn get(&mut self, number: usize) -> &[u16] {
        let frame = &mut self.0[number % Self::POOL];
        frame[0] = number as u16;
        frame[1] = (number >> 16) as u16;
        frame
    }

    /// Whether a frame that was read is that of the number; looks at three pixels.
    pub fn holds(&self, number: usize, frame: &[u16]) -> bool {
        let at = 2 + mix(number as u64) as usize % (PIXELS - 2);
        frame.len() == PIXELS
            && frame[0] == number as u16
            && frame[1] == (number >> 16) as u16
            && frame[at] == self.0[number % Self::POOL][at]
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self::new()
    }
}

/// Rows of 40 x 200 `f32`, noise of 24 bits in 0..1.
pub struct Features(Vec<Vec<f32>>);

impl Features {
    pub const POOL: usize = 32;

    pub fn new() -> Self {
        let value = |at: usize| (mix(seed::FEATURES + at as u64) >> 40) as f32 / (1 << 24) as f32;
        let row = |row| (0..FEATURES).map(|at| value(row * FEATURES + at)).collect();
        Self((0..Self::POOL).map(row).collect())
    }

    pub fn get(&mut self, number: usize) -> &[f32] {
        let row = &mut self.0[number % Self::POOL];
        row[0] = number as f32;
        row
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::new()
    }
}

/// Strings of 18 to 22 bytes, all different within the pool.
pub struct Strings(Vec<String>);

impl Strings {
    pub const POOL: usize = 64 * STRINGS_A_CALL;

    pub fn new() -> Self {
        let text = |number: usize| {
            let detector = mix(seed::STRINGS + number as u64) % 8;
            format!("event {number} detector {detector}")
        };
        Self((0..Self::POOL).map(text).collect())
    }

    pub fn all(&self) -> &[String] {
        &self.0
    }

    pub fn get(&self, number: usize) -> &str {
        &self.0[number % Self::POOL]
    }

    /// Which strings of the pool a call of `strings` writes.
    pub fn call(number: usize) -> std::ops::Range<usize> {
        let first = number * STRINGS_A_CALL % Self::POOL;
        first..first + STRINGS_A_CALL
    }
}

impl Default for Strings {
    fn default() -> Self {
        Self::new()
    }
}

/// Tiles of 16 x 16 `f32`, and where in the array each goes: anywhere, so that every fourth or so lies on several chunks.
pub struct Tiles(Vec<[f32; TILE_SIDE * TILE_SIDE]>);

impl Tiles {
    pub const POOL: usize = 64;

    pub fn new() -> Self {
        let value = |at: usize| (mix(seed::TILES + at as u64) >> 40) as f32 / (1 << 24) as f32;
        let area = TILE_SIDE * TILE_SIDE;
        Self(
            (0..Self::POOL)
                .map(|tile| std::array::from_fn(|at| value(tile * area + at)))
                .collect(),
        )
    }

    pub fn get(&self, number: usize) -> [f32; TILE_SIDE * TILE_SIDE] {
        let mut tile = self.0[number % Self::POOL];
        tile[0] = number as f32;
        tile
    }

    /// Row and column of the corner.
    pub fn place(number: usize) -> [usize; 2] {
        let random = mix(seed::PLACES + number as u64);
        let range = (ARRAY_SIDE - TILE_SIDE + 1) as u64;
        [
            ((random & 0xFFFF_FFFF) % range) as usize,
            ((random >> 32) % range) as usize,
        ]
    }

    /// What the array holds before the first tile.
    pub fn background() -> Vec<f32> {
        (0..ARRAY_SIDE * ARRAY_SIDE).map(|at| at as f32).collect()
    }
}

impl Default for Tiles {
    fn default() -> Self {
        Self::new()
    }
}

/// Which of `count` frames or strings the random read of this number is of.
pub fn random_read(number: usize, count: usize) -> usize {
    (mix(seed::READS + number as u64) % count as u64) as usize
}

/// The name of a group of `objects`.
pub fn group_name(group: usize) -> String {
    format!("group{group:03}")
}

/// The name of a dataset in a group of `objects`.
pub fn dataset_name(number: usize) -> String {
    format!("dataset{number:04}")
}

/// The attributes of each dataset of `objects` beside its `channel`, an `i32` that is its number in the group.
pub const UNIT: &str = "volt";
pub const GAIN: f64 = 2.5;

/// Values as the bytes of a little-endian file.
pub fn bytes_of<const N: usize, T: Copy>(values: &[T], to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| to(*value)).collect()
}
