//! Data in external files: raw bytes, piece after piece, as the external data files message lists them.

mod new;
mod write;

use super::other_files::{FileId, Files};
use crate::bytes::Extent;
use crate::chunk::for_each_run;
use crate::error::{Error, Result};
use crate::format::legacy::local_heap::{LocalHeap, header_size, string_at};
use crate::format::message::external_files::ExternalFiles;
use crate::selection::Resolved;
use crate::storage::Storage;
use crate::store::Store;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use new::NewPiece;
pub(super) use new::{check_new, check_widths};

/// External files that are open at a time.
const MAX_OPEN: usize = 16;

/// The pieces of a dataset's data, in their order.
#[derive(Debug)]
pub(crate) struct External {
    pieces: Vec<Piece>,
    /// The local heap of the names.
    blocks: [Extent; 2],
}

#[derive(Debug)]
struct Piece {
    name: String,
    offset: u64,
    /// Where it begins in the dataset, and where it ends.
    start: u64,
    end: u64,
}

impl Piece {
    /// Pieces that follow each other: the name of the file, the offset in it, and the size.
    fn list<'a>(pieces: impl Iterator<Item = (&'a str, u64, Option<u64>)>) -> Vec<Self> {
        let mut start = 0_u64;
        let pieces = pieces.map(|(name, offset, size)| {
            let end = start.saturating_add(size.unwrap_or(u64::MAX));
            Self {
                name: name.into(),
                offset,
                start: core::mem::replace(&mut start, end),
                end,
            }
        });
        pieces.collect()
    }
}

impl External {
    pub(crate) fn load(store: &Store, message: &ExternalFiles) -> Result<Self> {
        let widths = store.widths();
        let header = Extent::new(message.heap, header_size(widths));
        let heap = store.read(header, "local heap")?;
        let heap = LocalHeap::decode(&heap, widths, message.heap.get())?;
        let at = heap.segment.addr.get();
        let segment = store.read(heap.segment, "local heap")?;
        let mut pieces = Vec::with_capacity(message.slots.len());
        for slot in &message.slots {
            let name = string_at(&segment, slot.name, at)?;
            let name = core::str::from_utf8(name)
                .map_err(|_| Error::unsupported("the name of an external file is not UTF-8"))?;
            if name.is_empty() {
                return Err(Error::corrupt(
                    "external data files message",
                    "the name of a file is empty",
                )
                .at(at));
            }
            pieces.push((name, slot.offset, slot.size));
        }
        Ok(Self {
            pieces: Piece::list(pieces.into_iter()),
            blocks: [header, heap.segment],
        })
    }

    /// What of the dataset is in the file itself.
    pub(crate) fn blocks(&self) -> &[Extent] {
        &self.blocks
    }

    /// How many bytes the files have room for.
    pub(super) fn room(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// The name of the first file.
    pub(super) fn first_name(&self) -> &str {
        self.pieces.first().map_or("", |piece| &piece.name)
    }
}

/// Visits what lies at `at` and on for `len` bytes, piece by piece: the number of the piece, the offset in its file, where
/// it is in the run and how long it is.
fn for_each_part(
    pieces: &[Piece],
    mut at: u64,
    len: usize,
    visit: &mut dyn FnMut(usize, Option<u64>, core::ops::Range<usize>) -> Result<()>,
) -> Result<()> {
    let mut done = 0;
    let mut number = pieces.partition_point(|piece| piece.end <= at);
    while done < len {
        let piece = pieces.get(number).ok_or_else(|| {
            Error::corrupt(
                "external data files message",
                "the files are shorter than the dataset",
            )
        })?;
        let take = (piece.end - at).min((len - done) as u64);
        let offset = piece.offset.checked_add(at - piece.start);
        visit(number, offset, done..done + take as usize)?;
        at += take;
        done += take as usize;
        number += 1;
    }
    Ok(())
}

/// An external file, and how long it is.
struct Opened {
    name: String,
    storage: Box<dyn Storage>,
    len: u64,
}

impl Files<'_> {
    /// Reads the selected elements of a dataset in external files. What a file is too short for is zeros, as libhdf5
    /// has it; a file that is missing is an error.
    pub(super) fn read_external(
        &mut self,
        file: FileId,
        external: &External,
        dims: &[u64],
        element: usize,
        selection: &Resolved,
        out: &mut [u8],
    ) -> Result<()> {
        let mut open: BTreeMap<usize, Opened> = BTreeMap::new();
        for_each_run(dims, element, selection, &mut |at, dense, len| {
            let run = &mut out[dense..dense + len];
            for_each_part(&external.pieces, at, len, &mut |number, offset, part| {
                if !open.contains_key(&number) {
                    if open.len() >= MAX_OPEN {
                        open.clear();
                    }
                    open.insert(number, self.open_piece(file, &external.pieces[number])?);
                }
                match open.get(&number) {
                    Some(opened) => opened.read(offset, &mut run[part]),
                    None => Ok(()),
                }
            })
        })
    }

    fn open_piece(&self, file: FileId, piece: &Piece) -> Result<Opened> {
        let opened = self.open_raw(file, &piece.name)?;
        let (name, storage) = opened.ok_or_else(|| Error::not_found().file(&piece.name))?;
        let len = storage
            .len()
            .map_err(|error| Error::from(error).file(&name))?;
        Ok(Opened { name, storage, len })
    }
}

impl Opened {
    /// Reads at an offset; zeros from the end of the file on.
    fn read(&self, offset: Option<u64>, out: &mut [u8]) -> Result<()> {
        let there = offset.and_then(|offset| self.len.checked_sub(offset));
        let there = there.unwrap_or(0).min(out.len() as u64) as usize;
        let (head, tail) = out.split_at_mut(there);
        tail.fill(0);
        match offset {
            Some(offset) if !head.is_empty() => self
                .storage
                .read_at(offset, head)
                .map_err(|error| Error::from(error).file(&self.name)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn a_short_file_reads_as_zeros() {
        let opened = Opened {
            name: String::new(),
            storage: Box::new(MemoryStorage::from(alloc::vec![7; 5])),
            len: 5,
        };
        let mut out = [1; 4];
        opened.read(Some(3), &mut out).unwrap();
        assert_eq!(out, [7, 7, 0, 0]);
        opened.read(Some(9), &mut out).unwrap();
        assert_eq!(out, [0; 4]);
        out = [1; 4];
        opened.read(None, &mut out).unwrap();
        assert_eq!(out, [0; 4]);
    }
}
