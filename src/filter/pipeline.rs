//! The filters of a dataset in a row.

use super::{Filter, NAME, Outcome, Registry, Unusable};
use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::{FilterDescription, MAX_FILTERS};
use crate::user_code;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

struct Stage {
    /// Called by the functions of the stage only, which see to panics.
    filter: Box<dyn Filter>,
    /// Chunks that the filter declines go without it.
    optional: bool,
    /// All chunks go without it, as libhdf5 writes them where the parameters of an optional filter are wrong: those of a
    /// shuffle of strings or sequences of variable length, which it describes without the size of an element.
    left_out: bool,
}

impl Stage {
    fn check(&self) -> Result<()> {
        user_code::run(|| self.filter.check(), Error::filter)
    }

    fn encode(&self, input: &[u8], output: &mut Vec<u8>) -> Result<Outcome> {
        user_code::run(|| self.filter.encode(input, output), Error::filter)
    }

    fn decode(&self, input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<Outcome> {
        let decode = || self.filter.decode(input, output, limit);
        user_code::run(decode, Error::filter)
    }

    fn decode_into(&self, input: &[u8], output: &mut [u8]) -> Result<bool> {
        user_code::run(|| self.filter.decode_into(input, output), Error::filter)
    }

    fn encoded_limit(&self, len: usize) -> usize {
        user_code::value(|| self.filter.encoded_limit(len), len)
    }

    fn keeps_size(&self) -> bool {
        user_code::value(|| self.filter.keeps_size(), false)
    }

    fn may_decline(&self) -> bool {
        user_code::value(|| self.filter.may_decline(), true)
    }
}

/// Memory for the bytes between two filters, kept from chunk to chunk: once it has grown, filtering allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    spare: Vec<u8>,
}

impl Scratch {
    /// Memory of earlier chunks, with whatever is in it.
    pub(crate) fn new(bytes: Vec<u8>, spare: Vec<u8>) -> Self {
        Self { bytes, spare }
    }

    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.bytes, self.spare)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.spare.capacity()
    }

    /// What the last filter made.
    fn swap(&mut self) {
        core::mem::swap(&mut self.bytes, &mut self.spare);
    }
}

/// Where the bytes are that the next filter takes.
#[derive(Clone, Copy)]
enum Place {
    /// They are the first so many of what was given.
    Given(usize),
    Scratch,
}

/// The filters of a dataset in their order of encoding. Clones share them.
#[derive(Clone)]
pub(crate) struct Pipeline {
    stages: Arc<[Stage]>,
}

impl core::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Pipeline of {} filters", self.stages.len())
    }
}

impl Pipeline {
    /// The pipeline of `filters`. Filters that this library does not know, and those whose parameters are wrong, are
    /// refused when a chunk goes through them.
    pub(crate) fn new(registry: &Registry, filters: &[FilterDescription]) -> Result<Self> {
        if filters.len() > MAX_FILTERS {
            let (value, max) = (filters.len() as u64, MAX_FILTERS as u64);
            return Err(Error::limit("the number of filters", value, max));
        }
        let stage = |description: &FilterDescription| {
            let optional = description.optional;
            match registry.make(description) {
                Ok(filter) => Stage {
                    filter,
                    optional,
                    left_out: false,
                },
                Err(error) => Stage {
                    filter: Box::new(Unusable(error)),
                    optional,
                    left_out: optional,
                },
            }
        };
        let stages = filters.iter().map(stage).collect();
        Ok(Self { stages })
    }

    /// Refuses where a filter cannot be applied, before anything is changed.
    pub(crate) fn check(&self) -> Result<()> {
        let mut applied = self.stages.iter().filter(|stage| !stage.left_out);
        applied.try_for_each(Stage::check)
    }

    /// As [`check`](Self::check), for a new dataset: no filter is left out because its parameters are wrong.
    pub(crate) fn check_new(&self) -> Result<()> {
        self.stages.iter().try_for_each(Stage::check)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The mask of a chunk that no filter was applied to.
    pub(crate) fn skip_all_mask(&self) -> u32 {
        // At most 32 filters, so that the low 32 bits are the mask.
        ((1_u64 << self.stages.len()) - 1) as u32
    }

    /// Whether a chunk may well keep its size through the filters, and yet have another mask than
    /// [`skip_all_mask`](Self::skip_all_mask).
    ///
    /// libhdf5 leaves the index alone when it rewrites a chunk at an unchanged size, the old filter mask included: a raw
    /// chunk with a mask must not have the size of a filtered one.
    pub(crate) fn keeps_size(&self) -> bool {
        let mut applied = self.stages.iter().filter(|stage| !stage.left_out);
        if applied.clone().any(|stage| stage.may_decline()) {
            // Where it is the only filter, what it declines has the mask of a raw chunk.
            return self.stages.len() > 1;
        }
        applied.all(|stage| stage.keeps_size())
    }

    /// The stored bytes of `chunk`, and the mask of the filters that were left out: those whose parameters are wrong and
    /// those that declined it. Every other filter is applied, also where it makes the chunk longer, as libhdf5 does. The
    /// memory is no larger than it need be.
    pub(crate) fn encode(&self, chunk: &[u8]) -> Result<(Vec<u8>, u32)> {
        let (mut bytes, mask) = self.encode_taking(chunk, &mut Scratch::default())?;
        // Chunks wait in memory for their commit.
        bytes.shrink_to_fit();
        Ok((bytes, mask))
    }

    /// As [`encode`](Self::encode), in the memory of the scratch, of which the result takes a part.
    pub(crate) fn encode_taking(
        &self,
        chunk: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(Vec<u8>, u32)> {
        let (place, mask) = self.run_encode(chunk, scratch)?;
        let bytes = match place {
            Place::Given(len) => chunk[..len].to_vec(),
            Place::Scratch => core::mem::take(&mut scratch.bytes),
        };
        Ok((bytes, mask))
    }

    fn run_encode(&self, chunk: &[u8], scratch: &mut Scratch) -> Result<(Place, u32)> {
        let (mut place, mut mask) = (Place::Given(chunk.len()), 0);
        for (stage, bit) in self.stages.iter().zip(0..) {
            if stage.left_out {
                mask |= 1 << bit;
                continue;
            }
            match run(place, chunk, scratch, |input, output| {
                stage.encode(input, output)
            })? {
                Some(next) => place = next,
                None if stage.optional => mask |= 1 << bit,
                None => return Err(Error::invalid("a filter that is not optional declines")),
            }
        }
        Ok((place, mask))
    }

    /// The `chunk_len` bytes of a chunk stored as `stored` with the filters of `mask` left out.
    ///
    /// The memory used is bounded by `chunk_len` and by what `stored` can at most inflate to.
    #[cfg(test)]
    pub(crate) fn decode(
        &self,
        mut stored: Vec<u8>,
        mask: u32,
        chunk_len: usize,
    ) -> Result<Vec<u8>> {
        let len = chunk_len..=chunk_len;
        self.decode_taking(&mut stored, mask, len, &mut Scratch::default())
    }

    /// As [`decode`](Self::decode), of a chunk that may end early: of so many bytes. Takes the memory of the result, which
    /// is that of `stored` or of the scratch.
    pub(crate) fn decode_taking(
        &self,
        stored: &mut Vec<u8>,
        mask: u32,
        len: RangeInclusive<usize>,
        scratch: &mut Scratch,
    ) -> Result<Vec<u8>> {
        Ok(match self.run_decode(stored, mask, len, scratch)? {
            Place::Given(len) => {
                stored.truncate(len);
                core::mem::take(stored)
            }
            Place::Scratch => core::mem::take(&mut scratch.bytes),
        })
    }

    /// As [`decode`](Self::decode), into `out`, which has the size of the chunk.
    pub(crate) fn decode_into(
        &self,
        stored: &[u8],
        mask: u32,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let mut place = Place::Given(stored.len());
        let mut applied = (0..self.stages.len()).filter(|bit| mask & (1 << bit) == 0);
        if let Some(last) = applied.next() {
            for bit in applied.rev() {
                place = self.take_off(bit, place, stored, mask, out.len(), scratch)?;
            }
            if self.stages[last].decode_into(at(place, stored, scratch), out)? {
                return Ok(());
            }
            place = self.take_off(last, place, stored, mask, out.len(), scratch)?;
        }
        let elements = at(place, stored, scratch);
        check_len(elements, &(out.len()..=out.len()))?;
        out.copy_from_slice(elements);
        Ok(())
    }

    fn run_decode(
        &self,
        stored: &[u8],
        mask: u32,
        len: RangeInclusive<usize>,
        scratch: &mut Scratch,
    ) -> Result<Place> {
        let mut place = Place::Given(stored.len());
        let applied = (0..self.stages.len()).filter(|bit| mask & (1 << bit) == 0);
        for bit in applied.rev() {
            place = self.take_off(bit, place, stored, mask, *len.end(), scratch)?;
        }
        check_len(at(place, stored, scratch), &len)?;
        Ok(place)
    }

    /// Takes one filter off the bytes at `place`.
    fn take_off(
        &self,
        bit: usize,
        place: Place,
        stored: &[u8],
        mask: u32,
        chunk_len: usize,
        scratch: &mut Scratch,
    ) -> Result<Place> {
        // What goes into this filter at most, the first one's input being the chunk.
        let before = self.stages[..bit].iter().zip(0..);
        let limit = before.fold(chunk_len, |limit, (stage, bit)| match mask & (1 << bit) {
            0 => stage.encoded_limit(limit),
            _ => limit,
        });
        let place = run(place, stored, scratch, |input, output| {
            self.stages[bit].decode(input, output, limit)
        })?;
        let place = place.ok_or_else(|| Error::corrupt(NAME, "a filter declines to decode"))?;
        if at(place, stored, scratch).len() > limit {
            return Err(Error::corrupt(
                NAME,
                "a chunk decodes to more than its size",
            ));
        }
        Ok(place)
    }
}

fn check_len(elements: &[u8], len: &RangeInclusive<usize>) -> Result<()> {
    match len.contains(&elements.len()) {
        true => Ok(()),
        false => Err(Error::corrupt(NAME, "a chunk decodes to another size")),
    }
}

fn at<'a>(place: Place, given: &'a [u8], scratch: &'a Scratch) -> &'a [u8] {
    match place {
        Place::Given(len) => &given[..len],
        Place::Scratch => &scratch.bytes,
    }
}

/// Takes the bytes one filter further; `None` where it declines.
fn run(
    place: Place,
    given: &[u8],
    scratch: &mut Scratch,
    filter: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<Outcome>,
) -> Result<Option<Place>> {
    let Scratch { bytes, spare } = scratch;
    spare.clear();
    let input = match place {
        Place::Given(len) => &given[..len],
        Place::Scratch => bytes.as_slice(),
    };
    Ok(Some(match filter(input, spare)? {
        Outcome::Written => {
            scratch.swap();
            Place::Scratch
        }
        Outcome::Unchanged => place,
        Outcome::Prefix(len) => match place {
            Place::Given(all) => Place::Given(len.min(all)),
            Place::Scratch => {
                bytes.truncate(len);
                place
            }
        },
        Outcome::Appended => {
            if let Place::Given(len) = place {
                bytes.clear();
                bytes.reserve_exact(len + spare.len());
                bytes.extend_from_slice(&given[..len]);
            }
            bytes.extend_from_slice(spare);
            Place::Scratch
        }
        Outcome::LeftOut => return Ok(None),
    }))
}
