//! Filters: bytes to bytes, chunk by chunk. One file per filter, the pipeline that chains them, and the registry that
//! knows them by their identifiers.

#[cfg(any(feature = "bitshuffle", feature = "blosc"))]
mod bit_planes;
mod bits;
#[cfg(feature = "bitshuffle")]
mod bitshuffle;
#[cfg(feature = "blosc")]
mod blosc;
#[cfg(feature = "bzip2")]
mod bzip2;
mod choices;
mod deflate;
mod fletcher32;
mod lz;
#[cfg(feature = "lz4")]
mod lz4;
mod lzf;
mod nbit;
mod pipeline;
mod registry;
mod request;
mod scale_offset;
mod shuffle;
#[cfg(feature = "szip")]
mod szip;
#[cfg(test)]
mod tests;
#[cfg(feature = "zstd")]
mod zstandard;

use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::FilterDescription;
use alloc::vec::Vec;

pub use choices::{Bitshuffle, Blosc, BloscShuffle, SZip, ScaleOffset};
pub(crate) use pipeline::{Pipeline, Scratch};
use registry::Known;
pub(crate) use registry::Registry;
pub(crate) use request::{Elements, Request};

pub(crate) const DEFLATE: u16 = deflate::ID;
pub(crate) const SHUFFLE: u16 = shuffle::ID;
pub(crate) const FLETCHER32: u16 = fletcher32::ID;
pub(crate) const SZIP: u16 = 4;
pub(crate) const NBIT: u16 = 5;
pub(crate) const SCALE_OFFSET: u16 = 6;
pub(crate) const LZF: u16 = 32000;
pub(crate) const BLOSC: u16 = 32001;
pub(crate) const LZ4: u16 = 32004;
pub(crate) const BITSHUFFLE: u16 = 32008;
pub(crate) const ZSTD: u16 = 32015;
pub(crate) const BLOSC2: u16 = 32026;
pub(crate) const BZIP2: u16 = 307;

/// The name of a broken pipeline, or of a chunk that it cannot decode, in errors.
pub(crate) const NAME: &str = "filter pipeline";

impl FilterDescription {
    /// Whether the filter adds a checksum.
    pub(crate) fn is_checksum(&self) -> bool {
        self.id == fletcher32::ID
    }
}

/// What a [`Filter`] made of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The result is the output.
    Written,
    /// The result is the input; the output does not matter.
    Unchanged,
    /// The result is the first so many bytes of the input; the output does not matter.
    Prefix(usize),
    /// The result is the input, followed by the output.
    Appended,
    /// Of [`encode`](Filter::encode) only: the filter declines, and the chunk is stored without it, which its filter mask
    /// says. An error where the dataset says that the filter is not optional.
    LeftOut,
}

/// A filter with its parameters, for the chunks of one dataset: what the identifier of a filter pipeline message stands
/// for. A filter of one's own is made known by [`FileBuilder::filter`](crate::FileBuilder::filter), and given to a dataset
/// by [`DatasetBuilder::add_filter`](crate::DatasetBuilder::add_filter).
///
/// It is called from many threads at once. A panic in it is an error of the call that met it, as one that it returns.
///
/// ```
/// use h5quill::filters::{Filter, Outcome};
/// use h5quill::{Error, File, Result, storage::MemoryStorage};
///
/// /// Runs of equal bytes, each as its length and the byte.
/// struct Runs;
///
/// impl Filter for Runs {
///     fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
///         let runs = input.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(255));
///         runs.for_each(|run| output.extend([run.len() as u8, run[0]]));
///         Ok(Outcome::Written)
///     }
///     fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
///         for run in input.as_chunks::<2>().0 {
///             output.resize(output.len() + usize::from(run[0]), run[1]);
///             if output.len() > limit {
///                 return Err(Error::filter("the runs are longer than the chunk"));
///             }
///         }
///         Ok(Outcome::Written)
///     }
///     fn encoded_limit(&self, len: usize) -> usize {
///         len.saturating_mul(2)
///     }
/// }
///
/// let options = File::with_options().filter(300, |_values| Ok(Box::new(Runs)));
/// let file = options.create_on(MemoryStorage::new())?;
/// let data = file.new_dataset::<u8>().shape(1000).add_filter(300, &[]).create("x")?;
/// data.write(&[7_u8; 1000])?;
/// let bytes = file.into_bytes()?;
///
/// let file = options.open_on(MemoryStorage::from(bytes))?;
/// assert_eq!(file.dataset("x")?.read_raw::<u8>()?, [7; 1000]);
/// # Ok::<(), h5quill::Error>(())
/// ```
pub trait Filter: Send + Sync {
    /// Applies the filter. `output` is empty, and has the capacity of earlier chunks.
    ///
    /// # Errors
    /// What cannot be filtered, by [`Error::filter`]; the chunk is not written then.
    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome>;

    /// Takes the filter off. `output` is as for [`encode`](Self::encode); no more than `limit` bytes are wanted, and what
    /// has more of them is an error. The input may be anything: it comes from a file.
    ///
    /// # Errors
    /// What the filter did not make, by [`Error::filter`].
    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome>;

    /// As [`decode`](Self::decode), where the result fills `output` exactly: straight to where it belongs, which saves a
    /// copy. `false` where the filter has no such way, or finds something unusual; then `decode` is called, and says what.
    ///
    /// ```
    /// use h5quill::filters::{Filter, Outcome};
    /// # use h5quill::Result;
    /// /// Bytes from the last to the first.
    /// struct Backwards;
    ///
    /// impl Filter for Backwards {
    ///     fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
    ///         output.extend(input.iter().rev());
    ///         Ok(Outcome::Written)
    ///     }
    ///     fn decode(&self, input: &[u8], output: &mut Vec<u8>, _limit: usize) -> Result<Outcome> {
    ///         self.encode(input, output)
    ///     }
    ///     fn decode_into(&self, input: &[u8], output: &mut [u8]) -> Result<bool> {
    ///         if input.len() != output.len() {
    ///             return Ok(false);
    ///         }
    ///         output.iter_mut().zip(input.iter().rev()).for_each(|(to, from)| *to = *from);
    ///         Ok(true)
    ///     }
    ///     fn encoded_limit(&self, len: usize) -> usize {
    ///         len
    ///     }
    /// }
    /// # let mut output = [0; 3];
    /// # assert!(Backwards.decode_into(b"abc", &mut output)?);
    /// # assert_eq!(&output, b"cba");
    /// # Ok::<(), h5quill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    fn decode_into(&self, input: &[u8], output: &mut [u8]) -> Result<bool> {
        let _ = (input, output);
        Ok(false)
    }

    /// The most bytes that [`encode`](Self::encode) makes of `len` bytes, whoever wrote them.
    fn encoded_limit(&self, len: usize) -> usize;

    /// Whether [`encode`](Self::encode) makes as many bytes as it is given, whatever they are.
    fn keeps_size(&self) -> bool {
        false
    }

    /// Whether [`encode`](Self::encode) answers [`Outcome::LeftOut`] to some chunks.
    fn may_decline(&self) -> bool {
        false
    }

    /// Refuses where the filter cannot be applied; asked before anything is changed.
    ///
    /// # Errors
    /// Why.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A filter that cannot be applied, and why: one of someone else, or one whose parameters are wrong. Its chunks are
/// carried, not looked into; those that went without it are read.
struct Unusable(Error);

impl Unusable {
    fn error(&self) -> Error {
        self.0.clone()
    }
}

impl Filter for Unusable {
    fn encode(&self, _: &[u8], _: &mut Vec<u8>) -> Result<Outcome> {
        Err(self.error())
    }

    fn decode(&self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<Outcome> {
        Err(self.error())
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }

    fn check(&self) -> Result<()> {
        Err(self.error())
    }
}
