//! Adaptive entropy coding of samples (CCSDS 121.0-B, "Lossless Data Compression").
//!
//! Intervals of blocks of samples. Where samples are coded by their differences, the first of an interval is the reference,
//! and the others are differences to the ones before, made numbers from 0. A block is one of, each with an identifier:
//!
//! ```text
//!   0, bit 0    this block and others are zeros: how many, in unary
//!   0, bit 1    the second extension: each pair of samples as one number in unary
//!   k + 1       of all samples what is above their k low bits, in unary; then the low bits
//!   all ones    the samples as they are
//! ```
//!
//! The reference follows the identifier, and in a block of samples as they are it is one of them.

use crate::error::{Error, Result};
use crate::filter::bits::{BitReader, BitWriter};
use alloc::vec::Vec;

/// Runs of blocks of zeros end at multiples of so many blocks of an interval.
const SEGMENT: usize = 64;
/// In unary, this many stands for the rest of a segment; longer runs are one more.
const REST: usize = 4;
/// The greatest number of a pair.
const MAX_PAIR: u32 = 90;

pub(super) struct Coder {
    /// Bits of a sample, up to 24.
    pub(super) bits: u32,
    /// Samples of a block, an even number.
    pub(super) block: usize,
    /// Blocks of an interval.
    pub(super) interval: usize,
    /// Samples are coded by their differences.
    pub(super) differences: bool,
}

impl Coder {
    fn id_bits(&self) -> u32 {
        match self.bits {
            ..=8 => 3,
            9..=16 => 4,
            _ => 5,
        }
    }

    fn max(&self) -> u32 {
        (1 << self.bits) - 1
    }

    /// Appends the code of `samples`, which are whole intervals.
    pub(super) fn encode(&self, samples: &mut [u32], output: &mut Vec<u8>) {
        let mut writer = BitWriter::new(output);
        for interval in samples.chunks_mut(self.interval * self.block) {
            let mut reference = None;
            if self.differences {
                reference = interval.first().copied();
                self.subtract(interval);
            }
            self.encode_interval(interval, reference, &mut writer);
        }
        writer.finish();
    }

    /// Makes samples the numbers of their differences; the first becomes zero.
    fn subtract(&self, samples: &mut [u32]) {
        let max = self.max();
        let mut before = samples.first().copied().unwrap_or(0);
        for sample in samples {
            let now = core::mem::replace(&mut before, *sample);
            let (up, size) = match sample.checked_sub(now) {
                Some(size) => (true, size),
                None => (false, now - *sample),
            };
            // Beyond what the nearer end allows in both directions, the sign goes without saying.
            let near = now.min(max - now);
            *sample = match (size <= near, up) {
                (true, true) => 2 * size,
                (true, false) => 2 * size - 1,
                (false, _) => near + size,
            };
        }
    }

    fn encode_interval(
        &self,
        interval: &[u32],
        mut reference: Option<u32>,
        writer: &mut BitWriter<'_>,
    ) {
        let blocks: Vec<&[u32]> = interval.chunks(self.block).collect();
        let mut at = 0;
        while let Some(block) = blocks.get(at) {
            let first = reference.take();
            let segment = (at / SEGMENT + 1) * SEGMENT;
            let end = segment.min(blocks.len());
            let zeros = blocks[at..end].iter();
            let zeros = zeros
                .take_while(|block| block.iter().all(|&d| d == 0))
                .count();
            if zeros > 0 {
                writer.put(0, self.id_bits() + 1);
                self.put_reference(first, writer);
                put_unary(
                    writer,
                    match zeros {
                        ..=REST => zeros - 1,
                        _ if at + zeros == end => REST,
                        _ => zeros,
                    },
                );
                at += zeros;
                continue;
            }
            self.encode_block(block, first, writer);
            at += 1;
        }
    }

    fn put_reference(&self, reference: Option<u32>, writer: &mut BitWriter<'_>) {
        if let Some(reference) = reference {
            writer.put(reference.into(), self.bits);
        }
    }

    fn encode_block(&self, block: &[u32], reference: Option<u32>, writer: &mut BitWriter<'_>) {
        let coded = &block[usize::from(reference.is_some())..];
        let ids = 1 << self.id_bits();
        let split = |k: u32| -> u64 {
            let above = coded.iter().map(|&d| u64::from(d >> k) + 1);
            above.sum::<u64>() + coded.len() as u64 * u64::from(k)
        };
        let splits = (0..=ids - 3)
            .map(|k| (split(k), k))
            .min()
            .unwrap_or((u64::MAX, 0));
        let whole = coded.len() as u64 * u64::from(self.bits);
        let pairs = pairs(block).try_fold(1_u64, |sum, pair| {
            pair.filter(|&pair| pair <= MAX_PAIR)
                .map(|pair| sum + u64::from(pair) + 1)
        });
        let pairs_len = pairs.unwrap_or(u64::MAX);
        if pairs_len < splits.0.min(whole) {
            writer.put(1, self.id_bits() + 1);
            self.put_reference(reference, writer);
            for pair in self::pairs(block).flatten() {
                put_unary(writer, pair as usize);
            }
        } else if splits.0 < whole {
            let k = splits.1;
            writer.put(u64::from(k) + 1, self.id_bits());
            self.put_reference(reference, writer);
            coded
                .iter()
                .for_each(|&d| put_unary(writer, (d >> k) as usize));
            coded.iter().for_each(|&d| writer.put(d.into(), k));
        } else {
            writer.put(u64::from(ids) - 1, self.id_bits());
            self.put_reference(reference, writer);
            coded.iter().for_each(|&d| writer.put(d.into(), self.bits));
        }
    }

    /// The first `count` samples of a stream.
    pub(super) fn decode(&self, stream: &[u8], count: usize) -> Result<Vec<u32>> {
        let mut samples = Vec::with_capacity(count);
        let mut reader = BitReader::new(stream);
        let size = self.interval * self.block;
        while samples.len() < count {
            let start = samples.len();
            let more = size.min(count - start);
            self.decode_interval(&mut reader, start + more, &mut samples)
                .ok_or_else(|| Error::filter("a broken szip stream"))?;
            samples.truncate(start + more);
            if self.differences {
                self.add(&mut samples[start..]);
            }
        }
        Ok(samples)
    }

    /// The reverse of [`subtract`](Self::subtract), from a first sample that is there.
    fn add(&self, samples: &mut [u32]) {
        let max = self.max();
        let Some((first, rest)) = samples.split_first_mut() else {
            return;
        };
        let mut now = *first;
        for sample in rest {
            let number = *sample;
            let near = now.min(max - now);
            now = if number <= 2 * near {
                match number % 2 {
                    0 => now + number / 2,
                    _ => now - number.div_ceil(2),
                }
            } else if now <= max / 2 {
                number.min(max)
            } else {
                max - number.min(max)
            };
            *sample = now;
        }
    }

    /// Appends blocks until there are `end` samples.
    fn decode_interval(
        &self,
        reader: &mut BitReader<'_>,
        end: usize,
        samples: &mut Vec<u32>,
    ) -> Option<()> {
        let start = samples.len();
        let ids = 1 << self.id_bits();
        let mut first = self.differences;
        while samples.len() < end {
            let used = (samples.len() - start) / self.block;
            let next = samples.len() + self.block;
            let id = reader.take(self.id_bits())? as u32;
            let pairs = id == 0 && reader.take(1)? == 1;
            if core::mem::take(&mut first) {
                samples.push(reader.take(self.bits)? as u32);
            }
            if pairs {
                take_pairs(reader, next, samples)?;
            } else if id == 0 {
                let blocks = match reader.unary()? as usize {
                    REST => (self.interval - used).min(SEGMENT - used % SEGMENT),
                    few if few < REST => few + 1,
                    many => many,
                };
                // A run does not go beyond the interval, whatever it says.
                let blocks = blocks.min(self.interval - used);
                samples.resize(next + (blocks - 1) * self.block, 0);
            } else if id == ids - 1 {
                while samples.len() < next {
                    samples.push(reader.take(self.bits)? as u32);
                }
            } else {
                let k = id - 1;
                let from = samples.len();
                while samples.len() < next {
                    samples.push(reader.unary()?.checked_shl(k)?);
                }
                if k > 0 {
                    for sample in &mut samples[from..] {
                        *sample |= reader.take(k)? as u32;
                    }
                }
            }
        }
        Some(())
    }
}

/// Pairs of samples as numbers: first those of sum 0, then of sum 1, and so on.
fn pairs(block: &[u32]) -> impl Iterator<Item = Option<u32>> {
    block.as_chunks().0.iter().map(|&[a, b]| {
        let sum = a.checked_add(b).filter(|&sum| sum <= MAX_PAIR)?;
        Some(sum * (sum + 1) / 2 + b)
    })
}

/// Appends pairs until there are `end` samples; of the first only the second sample, where the reference is its first.
fn take_pairs(reader: &mut BitReader<'_>, end: usize, samples: &mut Vec<u32>) -> Option<()> {
    while samples.len() < end {
        let number = reader.unary().filter(|&number| number <= MAX_PAIR)?;
        let mut sum = 0;
        while (sum + 1) * (sum + 2) / 2 <= number {
            sum += 1;
        }
        let second = number - sum * (sum + 1) / 2;
        if (end - samples.len()).is_multiple_of(2) {
            samples.push(sum - second);
        }
        samples.push(second);
    }
    Some(())
}

/// So many zeros, and a one.
fn put_unary(writer: &mut BitWriter<'_>, number: usize) {
    for _ in 0..number / 32 {
        writer.put(0, 32);
    }
    writer.put(1, number as u32 % 32 + 1);
}
