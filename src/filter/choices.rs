//! What filters let their user choose.

use alloc::vec;
use alloc::vec::Vec;

/// Decimal scaling of floating-point numbers, and scaling of integers, as the parameters of scale-offset have it.
pub(super) const DECIMAL: u32 = 0;
pub(super) const INTEGER: u32 = 2;

/// How [`bitshuffle`](crate::DatasetBuilder::bitshuffle) compresses what it has regrouped.
///
/// ```
/// use h5quill::{File, filters::Bitshuffle};
/// let file = File::create_memory()?;
/// let frames = file.new_dataset::<u16>().shape((0.., 64, 64)).bitshuffle(Bitshuffle::Lz4).create("frames")?;
/// assert_eq!(frames.filters()?[0].id, 32008);
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bitshuffle {
    /// Not at all: another filter may follow.
    None,
    /// By LZ4, as most detectors do.
    Lz4,
    /// By Zstandard at a level; see [`zstd`](crate::DatasetBuilder::zstd) for what it means.
    Zstd(u8),
}

impl Bitshuffle {
    pub(crate) fn values(self) -> Vec<u32> {
        // Blocks are of the usual size.
        match self {
            Self::None => vec![0, 0],
            Self::Lz4 => vec![0, 2],
            Self::Zstd(level) => vec![0, 3, level.into()],
        }
    }
}

/// How [`scale_offset`](crate::DatasetBuilder::scale_offset) stores numbers.
///
/// ```
/// use h5quill::{File, filters::ScaleOffset};
/// let file = File::create_memory()?;
/// let builder = file.new_dataset::<f32>().shape(3).scale_offset(ScaleOffset::Integer(0));
/// assert!(builder.create("x").is_err()); // of integers only
/// # Ok::<(), h5quill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaleOffset {
    /// Integers, in so many bits: what does not fit into them is lost. In 0 bits: in as many as the chunk needs, and
    /// nothing is lost.
    Integer(u16),
    /// Floating-point numbers, rounded to so many decimal places from the smallest one. A chunk where that would take more
    /// bits than the numbers, or that holds an infinity or NaN, is stored as it is.
    FloatDScale(u8),
}

impl ScaleOffset {
    pub(crate) fn values(self) -> [u32; 2] {
        match self {
            Self::Integer(bits) => [INTEGER, bits.into()],
            Self::FloatDScale(places) => [DECIMAL, places.into()],
        }
    }
}

/// How [`szip`](crate::DatasetBuilder::szip) codes samples.
///
/// ```
/// use h5quill::filters::SZip;
/// assert_ne!(SZip::Entropy, SZip::NearestNeighbor);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SZip {
    /// As they are.
    Entropy,
    /// By their differences, which suits numbers that change little from one to the next.
    NearestNeighbor,
}

impl SZip {
    pub(crate) fn values(self, block: u8) -> [u32; 2] {
        let options = match self {
            Self::Entropy => 4,
            Self::NearestNeighbor => 32,
        };
        [options, block.into()]
    }
}

/// The codecs inside [`blosc`](crate::DatasetBuilder::blosc).
///
/// ```
/// use h5quill::filters::Blosc;
/// assert_ne!(Blosc::LZ4, Blosc::BloscLZ);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blosc {
    /// Blosc's own, much like LZF.
    BloscLZ,
    /// LZ4.
    LZ4,
    /// LZ4 with more effort: this library makes the one that it makes of [`LZ4`](Self::LZ4), and reads both.
    LZ4HC,
    /// Snappy; not in Blosc2.
    Snappy,
    /// zlib's deflate.
    ZLib,
    /// Zstandard.
    ZStd,
}

/// How [`blosc`](crate::DatasetBuilder::blosc) regroups elements before they are compressed.
///
/// ```
/// use h5quill::filters::BloscShuffle;
/// assert_eq!(BloscShuffle::from(true), BloscShuffle::Byte);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BloscShuffle {
    /// Not at all.
    None,
    /// By the significance of bytes.
    Byte,
    /// By the significance of bits.
    Bit,
}

impl From<bool> for BloscShuffle {
    fn from(shuffle: bool) -> Self {
        match shuffle {
            true => Self::Byte,
            false => Self::None,
        }
    }
}

impl Blosc {
    pub(crate) fn values(self, level: u8, shuffle: BloscShuffle) -> [u32; 7] {
        let shuffle = match shuffle {
            BloscShuffle::None => 0,
            BloscShuffle::Byte => 1,
            BloscShuffle::Bit => 2,
        };
        let codec = match self {
            Self::BloscLZ => 0,
            Self::LZ4 => 1,
            Self::LZ4HC => 2,
            Self::Snappy => 3,
            Self::ZLib => 4,
            Self::ZStd => 5,
        };
        [0, 0, 0, 0, level.into(), shuffle, codec]
    }
}
