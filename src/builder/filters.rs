//! The filters of a new dataset, but for those that h5py always has.

use super::DatasetBuilder;
use crate::filter::{self, Bitshuffle, Blosc, BloscShuffle, SZip, ScaleOffset};

impl<T> DatasetBuilder<T> {
    /// Compresses chunks with LZF, which h5py has built in: fast, and less thorough than [`deflate`](Self::deflate). A chunk
    /// that does not get shorter goes without it.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<u16>().shape(0..).shuffle().lzf().create("x")?;
    /// let ids: Vec<u16> = data.filters()?.iter().map(|filter| filter.id).collect();
    /// assert_eq!(ids, [2, 32000]);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn lzf(self) -> Self {
        self.add_filter(filter::LZF, &[])
    }

    /// Stores numbers in their significant bits only, as the datatype says them: of integers with a precision that is
    /// less than their size, also in arrays and members of compounds.
    ///
    /// ```
    /// use h5quill::{Datatype, File, H5Type};
    /// let file = File::create_memory()?;
    /// let Datatype::Integer(mut twelve) = u16::datatype() else { unreachable!() };
    /// twelve.precision = 12;
    /// let data = file.new_dataset_of(Datatype::Integer(twelve)).shape(1000).nbit().create("adc")?;
    /// data.write_bytes(&[0x2a; 2000], ..)?;
    /// assert_eq!(data.read_chunk(&[0])?.1.len(), 1501);
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn nbit(self) -> Self {
        self.add_filter(filter::NBIT, &[])
    }

    /// Stores numbers as what they are above the smallest one of their chunk, in as few bits as the largest needs.
    /// Elements that are the fill value stay what they are.
    ///
    /// ```
    /// use h5quill::{File, filters::ScaleOffset};
    /// let file = File::create_memory()?;
    /// let builder = file.new_dataset::<i32>().scale_offset(ScaleOffset::Integer(0)); // nothing is lost
    /// builder.create_with("years", &[1987, 2001, 2024])?;
    /// let builder = file.new_dataset::<f32>().scale_offset(ScaleOffset::FloatDScale(1));
    /// let data = builder.create_with("celsius", &[20.04, 21.26, 19.5])?;
    /// assert_eq!(data.read_raw::<f32>()?, [20.0, 21.3, 19.5]); // to a tenth, counted from the smallest
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn scale_offset(self, mode: ScaleOffset) -> Self {
        self.add_filter(filter::SCALE_OFFSET, &mode.values())
    }

    /// Compresses chunks with LZ4 (filter 32004, feature `lz4`).
    ///
    /// ```
    /// # #[cfg(feature = "lz4")] {
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().lz4().create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 100);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn lz4(self) -> Self {
        self.add_filter(filter::LZ4, &[])
    }

    /// Compresses chunks with Zstandard (filter 32015, feature `zstd`). The level is kept with the dataset for whoever
    /// writes it later; this library's own encoder has one way, which is about that of level 1.
    ///
    /// ```
    /// # #[cfg(feature = "zstd")] {
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shuffle().zstd(3).create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 100);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn zstd(self, level: u8) -> Self {
        self.add_filter(filter::ZSTD, &[level.into()])
    }

    /// Regroups the bits of elements by significance and compresses them (filter 32008, feature `bitshuffle`): for
    /// numbers that are small for their type, as those of detectors.
    ///
    /// ```
    /// # #[cfg(feature = "bitshuffle")] {
    /// use h5quill::{File, filters::Bitshuffle};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<u32>().bitshuffle(Bitshuffle::Lz4).create_with("x", &[5; 1024])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 100);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn bitshuffle(self, compression: Bitshuffle) -> Self {
        self.add_filter(filter::BITSHUFFLE, &compression.values())
    }

    /// Compresses chunks with bzip2 at a level of 1 to 9 (filter 307, feature `bzip2`).
    ///
    /// ```
    /// # #[cfg(feature = "bzip2")] {
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().bzip2(9).create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 100);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn bzip2(self, level: u8) -> Self {
        self.add_filter(filter::BZIP2, &[level.into()])
    }

    /// Compresses chunks of numbers with szip, adaptive entropy coding as space missions use it (filter 4, feature `szip`).
    /// A block has an even number of `px_per_block` elements, 2 to 32.
    ///
    /// ```
    /// # #[cfg(feature = "szip")] {
    /// use h5quill::{File, filters::SZip};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<u16>().szip(SZip::NearestNeighbor, 16).create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 100);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn szip(self, coding: SZip, px_per_block: u8) -> Self {
        self.add_filter(filter::SZIP, &coding.values(px_per_block))
    }

    /// Compresses chunks with Blosc (filter 32001, feature `blosc`) at a level of 0 to 9. A chunk that does not get shorter
    /// goes without it, as all do at level 0.
    ///
    /// ```
    /// # #[cfg(feature = "blosc")] {
    /// use h5quill::{File, filters::{Blosc, BloscShuffle}};
    /// let file = File::create_memory()?;
    /// let builder = file.new_dataset::<i32>().blosc(Blosc::ZStd, 5, BloscShuffle::Bit);
    /// let data = builder.create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 200);
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc(self, complib: Blosc, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.add_filter(filter::BLOSC, &complib.values(clevel, shuffle.into()))
    }

    /// [`blosc`](Self::blosc) with Blosc's own codec.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_blosclz(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_blosclz(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::BloscLZ, clevel, shuffle)
    }

    /// [`blosc`](Self::blosc) with LZ4.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_lz4(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_lz4(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::LZ4, clevel, shuffle)
    }

    /// [`blosc`](Self::blosc) with LZ4.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_lz4hc(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_lz4hc(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::LZ4HC, clevel, shuffle)
    }

    /// [`blosc`](Self::blosc) with Snappy.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_snappy(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_snappy(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::Snappy, clevel, shuffle)
    }

    /// [`blosc`](Self::blosc) with deflate.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_zlib(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_zlib(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::ZLib, clevel, shuffle)
    }

    /// [`blosc`](Self::blosc) with Zstandard.
    ///
    /// ```
    /// let file = h5quill::File::create_memory()?;
    /// let data = file.new_dataset::<i32>().shape(1000).blosc_zstd(5, true);
    /// assert_eq!(data.create("x").is_ok(), cfg!(feature = "blosc"));
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc_zstd(self, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.blosc(Blosc::ZStd, clevel, shuffle)
    }

    /// Compresses chunks with Blosc2 (filter 32026, feature `blosc`), which has no Snappy.
    ///
    /// ```
    /// # #[cfg(feature = "blosc")] {
    /// use h5quill::{File, filters::Blosc};
    /// let file = File::create_memory()?;
    /// let data = file.new_dataset::<i32>().blosc2(Blosc::ZStd, 5, true).create_with("x", &[7; 1000])?;
    /// assert!(data.read_chunk(&[0])?.1.len() < 400);
    /// assert!(file.new_dataset::<i32>().shape(9).blosc2(Blosc::Snappy, 5, true).create("y").is_err());
    /// # }
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    #[must_use]
    pub fn blosc2(self, complib: Blosc, clevel: u8, shuffle: impl Into<BloscShuffle>) -> Self {
        self.add_filter(filter::BLOSC2, &complib.values(clevel, shuffle.into()))
    }
}
