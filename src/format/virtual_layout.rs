//! VIII.A, "Global heap block for virtual datasets": which elements of which datasets a virtual dataset shows.
//!
//! ```text
//!   0   1  version: 0 or 1
//!   1   L  number of entries
//!          entries:
//!   +   1    version 1: flags: bit 0 the file name is that of an earlier entry, 1 so is the dataset name,
//!            2 the file is the one of the virtual dataset
//!   +   n    file name with zero byte; L number of an earlier entry where bit 0 is set; absent where bit 2 is
//!   +   n    dataset name with zero byte; L number of an earlier entry where bit 1 is set
//!   +   n    selection of the source dataset
//!   +   n    selection of the virtual dataset
//!   +   4  checksum
//! ```
//! In the names `%b` stands for the number of a block of an unlimited virtual selection, `%%` for a percent sign; the
//! file name "." means the file of the virtual dataset.

use super::selection::StoredSelection;
use crate::bytes::{Put, Take, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const NAME: &str = "virtual dataset heap block";

const SHARED_FILE: u8 = 0x01;
const SHARED_DATASET: u8 = 0x02;
const SAME_FILE: u8 = 0x04;

/// The mappings of a virtual dataset. Names that entries share are kept once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VirtualLayout {
    pub(crate) names: Vec<NamePattern>,
    pub(crate) mappings: Vec<Mapping>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Of the names: that of the file, and that of the dataset in it.
    pub(crate) file: usize,
    pub(crate) dataset: usize,
    pub(crate) source: StoredSelection,
    pub(crate) target: StoredSelection,
}

/// A name, cut where the number of a block goes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamePattern {
    pieces: Vec<String>,
}

impl NamePattern {
    fn parse(name: &[u8], take: &Take<'_>) -> Result<Self> {
        let name =
            core::str::from_utf8(name).map_err(|_| take.error("a source name is not UTF-8"))?;
        Self::new(name)
            .ok_or_else(|| take.error("a percent sign in a source name without b or another"))
    }

    /// A name in which each percent sign is followed by `b` or by another; `None` where one is not.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut parts = name.split('%');
        piece.push_str(parts.next().unwrap_or_default());
        while let Some(part) = parts.next() {
            if let Some(rest) = part.strip_prefix('b') {
                pieces.push(core::mem::take(&mut piece));
                piece.push_str(rest);
            } else if part.is_empty()
                && let Some(rest) = parts.next()
            {
                piece.push('%');
                piece.push_str(rest);
            } else {
                return None;
            }
        }
        pieces.push(piece);
        Some(Self { pieces })
    }

    /// The name as it is stored.
    pub(crate) fn stored(&self) -> String {
        let pieces = self.pieces.iter().map(|piece| piece.replace('%', "%%"));
        pieces.collect::<Vec<_>>().join("%b")
    }

    /// Whether the name differs from block to block.
    pub(crate) fn has_block(&self) -> bool {
        self.pieces.len() > 1
    }

    /// The name for one block.
    pub(crate) fn name(&self, block: u64) -> String {
        self.pieces.join(&block.to_string())
    }
}

impl VirtualLayout {
    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        if version > 1 {
            return Err(take.error("unknown version"));
        }
        let count = take.len(widths)?;
        let mut layout = Self {
            names: Vec::new(),
            mappings: Vec::new(),
        };
        for _ in 0..count {
            let mapping = layout.take_mapping(&mut take, version, widths)?;
            layout.mappings.push(mapping);
        }
        take.checksum()?;
        if !take.is_empty() {
            return Err(take.error("bytes after the checksum"));
        }
        Ok(layout)
    }

    fn take_mapping(
        &mut self,
        take: &mut Take<'_>,
        version: u8,
        widths: Widths,
    ) -> Result<Mapping> {
        let flags = if version == 0 { 0 } else { take.u8()? };
        if flags & !(SHARED_FILE | SHARED_DATASET | SAME_FILE) != 0 {
            return Err(take.error("unknown flags"));
        }
        let file = if flags & SAME_FILE != 0 {
            self.names.push(NamePattern::parse(b".", take)?);
            self.names.len() - 1
        } else if flags & SHARED_FILE != 0 {
            self.take_earlier(take, widths)?.file
        } else {
            self.take_name(take)?
        };
        let dataset = if flags & SHARED_DATASET != 0 {
            self.take_earlier(take, widths)?.dataset
        } else {
            self.take_name(take)?
        };
        Ok(Mapping {
            file,
            dataset,
            source: StoredSelection::take(take)?,
            target: StoredSelection::take(take)?,
        })
    }

    fn take_earlier(&self, take: &mut Take<'_>, widths: Widths) -> Result<&Mapping> {
        let number = take.len(widths)?;
        usize::try_from(number)
            .ok()
            .and_then(|number| self.mappings.get(number))
            .ok_or_else(|| take.error("a name of an entry that is not before"))
    }

    /// Takes a name with its zero byte; a name that was the last already is not kept twice.
    fn take_name(&mut self, take: &mut Take<'_>) -> Result<usize> {
        let rest = take.rest();
        let len = rest
            .iter()
            .position(|&byte| byte == 0)
            .ok_or_else(|| take.error("a source name has no end"))?;
        let pattern = NamePattern::parse(&rest[..len], take)?;
        take.skip(len + 1)?;
        Ok(self.name_number(pattern))
    }

    /// The number of a name, which is added where it is not one of the last.
    fn name_number(&mut self, pattern: NamePattern) -> usize {
        let from = self.names.len().saturating_sub(2);
        if let Some(known) = self.names[from..].iter().position(|name| *name == pattern) {
            return from + known;
        }
        self.names.push(pattern);
        self.names.len() - 1
    }

    /// Adds a mapping from a dataset of a file.
    pub(crate) fn push(
        &mut self,
        file: NamePattern,
        dataset: NamePattern,
        source: StoredSelection,
        target: StoredSelection,
    ) {
        let (file, dataset) = (self.name_number(file), self.name_number(dataset));
        self.mappings.push(Mapping {
            file,
            dataset,
            source,
            target,
        });
    }

    /// The block of version 0, which libhdf5 writes unless a file is for HDF5 2.0 and later.
    pub(crate) fn encode(&self, widths: Widths) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        out.put_u8(0);
        let count = self.mappings.len() as u64;
        widths.check_len("the number of mappings of a virtual dataset", count)?;
        out.put_len(count, widths);
        for mapping in &self.mappings {
            for name in [mapping.file, mapping.dataset] {
                out.put_bytes(self.names[name].stored().as_bytes());
                out.put_u8(0);
            }
            if !mapping.source.put(&mut out) || !mapping.target.put(&mut out) {
                return Err(Error::unsupported("a virtual dataset that maps points"));
            }
        }
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
