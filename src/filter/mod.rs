//! Filters: bytes to bytes, chunk by chunk. One file per filter, and the pipeline that chains them.

mod deflate;
mod fletcher32;
mod shuffle;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::{FilterDescription, MAX_FILTERS};
use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// The name of a broken pipeline, or of a chunk that it cannot decode, in errors.
const NAME: &str = "filter pipeline";

impl FilterDescription {
    /// zlib's deflate at `level` 0 to 9.
    pub(crate) fn deflate(level: u8) -> Self {
        Self::new(deflate::ID, "deflate", true, vec![level.into()])
    }

    /// The bytes of elements of `element_size` regrouped by significance.
    pub(crate) fn shuffle(element_size: u32) -> Self {
        Self::new(shuffle::ID, "shuffle", true, vec![element_size])
    }

    /// A checksum behind the data; never left out.
    pub(crate) fn fletcher32() -> Self {
        Self::new(fletcher32::ID, "fletcher32", false, Vec::new())
    }

    /// Whether the filter adds a checksum.
    pub(crate) fn is_checksum(&self) -> bool {
        self.id == fletcher32::ID
    }

    /// The name is stored by version 1 of the message only, version 2 leaves it out for identifiers below 256.
    fn new(id: u16, name: &str, optional: bool, values: Vec<u32>) -> Self {
        Self {
            id,
            name: Some(name.to_owned()),
            optional,
            values,
        }
    }
}

/// What a filter made of a chunk.
enum Encoded {
    /// New bytes.
    Bytes(Vec<u8>),
    /// The filter applies, and the bytes are the same.
    Same,
}

/// One filter with its parameters.
trait Filter: Send + Sync {
    /// Applies the filter.
    fn encode(&self, input: &[u8]) -> Result<Encoded>;

    /// Takes the filter off `input`; an output of more than `limit` bytes is an error.
    fn decode(&self, input: Vec<u8>, limit: usize) -> Result<Vec<u8>>;

    /// The most bytes that `encode` makes of `len` bytes, whoever wrote them.
    fn encoded_limit(&self, len: usize) -> usize;

    /// Refuses where the filter cannot be applied.
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
    fn encode(&self, _: &[u8]) -> Result<Encoded> {
        Err(self.error())
    }

    fn decode(&self, _: Vec<u8>, _: usize) -> Result<Vec<u8>> {
        Err(self.error())
    }

    fn encoded_limit(&self, len: usize) -> usize {
        len
    }

    fn check(&self) -> Result<()> {
        Err(self.error())
    }
}

fn usable(filter: Result<impl Filter + 'static>, optional: bool) -> Stage {
    match filter {
        Ok(filter) => Stage::of(filter),
        Err(error) => Stage {
            filter: Box::new(Unusable(error)),
            left_out: optional,
        },
    }
}

struct Stage {
    filter: Box<dyn Filter>,
    /// Chunks go without it, as libhdf5 writes them where the parameters of an optional filter are wrong: those of a
    /// shuffle of strings or sequences of variable length, which it describes without the size of an element.
    left_out: bool,
}

impl Stage {
    fn of(filter: impl Filter + 'static) -> Self {
        Self {
            filter: Box::new(filter),
            left_out: false,
        }
    }
}

/// The filters of a dataset in their order of encoding.
pub(crate) struct Pipeline {
    stages: Vec<Stage>,
}

impl core::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pipeline of {} filters", self.stages.len())
    }
}

impl Pipeline {
    /// The pipeline of `filters`. Filters that this library does not know, and those whose parameters are wrong, are
    /// refused when a chunk goes through them.
    pub(crate) fn new(filters: &[FilterDescription]) -> Result<Self> {
        if filters.len() > MAX_FILTERS {
            let (value, max) = (filters.len() as u64, MAX_FILTERS as u64);
            return Err(Error::limit("the number of filters", value, max));
        }
        let stage = |description: &FilterDescription| {
            let values = description.values.as_slice();
            match description.id {
                deflate::ID => usable(deflate::Deflate::new(values), description.optional),
                shuffle::ID => usable(shuffle::Shuffle::new(values), description.optional),
                fletcher32::ID => Stage::of(fletcher32::Fletcher32),
                id => Stage::of(Unusable(Error::unsupported(match &description.name {
                    Some(name) => format!("filter {id} ({name})"),
                    None => format!("filter {id}"),
                }))),
            }
        };
        let stages = filters.iter().map(stage).collect();
        Ok(Self { stages })
    }

    /// Refuses where a filter cannot be applied, before anything is changed.
    pub(crate) fn check(&self) -> Result<()> {
        let mut applied = self.stages.iter().filter(|stage| !stage.left_out);
        applied.try_for_each(|stage| stage.filter.check())
    }

    /// The mask of a chunk as [`encode`](Self::encode) makes it.
    pub(crate) fn mask(&self) -> u32 {
        let bits = self.stages.iter().zip(0..);
        bits.fold(0, |mask, (stage, bit)| {
            mask | u32::from(stage.left_out) << bit
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The mask of a chunk that no filter was applied to.
    pub(crate) fn skip_all_mask(&self) -> u32 {
        // At most 32 filters, so that the low 32 bits are the mask.
        ((1_u64 << self.stages.len()) - 1) as u32
    }

    /// Whether a chunk keeps its size through the filters, whatever it holds.
    ///
    /// libhdf5 leaves the index alone when it rewrites a chunk at an unchanged size, the old filter mask included: a raw
    /// chunk with a mask must not have the size of a filtered one.
    pub(crate) fn keeps_size(&self) -> bool {
        const PROBE: usize = 4096;
        self.stages
            .iter()
            .all(|stage| stage.filter.encoded_limit(PROBE) == PROBE)
    }

    /// The stored bytes of `chunk`, with the filters of [`mask`](Self::mask) left out. Every other filter is applied,
    /// also where it makes the chunk longer, as libhdf5 does.
    pub(crate) fn encode(&self, chunk: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = Cow::Borrowed(chunk);
        for stage in self.stages.iter().filter(|stage| !stage.left_out) {
            if let Encoded::Bytes(encoded) = stage.filter.encode(&bytes)? {
                bytes = Cow::Owned(encoded);
            }
        }
        Ok(bytes.into_owned())
    }

    /// The `chunk_len` bytes of a chunk stored as `stored` with the filters of `mask` left out.
    ///
    /// The memory used is bounded by `chunk_len` and by what `stored` can at most inflate to.
    pub(crate) fn decode(&self, stored: Vec<u8>, mask: u32, chunk_len: usize) -> Result<Vec<u8>> {
        let applied = |bit: &usize| mask & (1 << bit) == 0;
        // What goes into each filter at most, the first one's input being the chunk.
        let mut limits = Vec::with_capacity(self.stages.len());
        let mut limit = chunk_len;
        for bit in (0..self.stages.len()).filter(applied) {
            limits.push((bit, limit));
            limit = self.stages[bit].filter.encoded_limit(limit);
        }
        let mut bytes = stored;
        for (bit, limit) in limits.into_iter().rev() {
            bytes = self.stages[bit].filter.decode(bytes, limit)?;
        }
        if bytes.len() != chunk_len {
            return Err(Error::corrupt(NAME, "a chunk decodes to another size"));
        }
        Ok(bytes)
    }
}
