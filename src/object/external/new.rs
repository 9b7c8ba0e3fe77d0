//! A new dataset whose data are in external files.

use super::{External, Piece};
use crate::bytes::{Addr, Extent, Widths};
use crate::error::{Error, Result};
use crate::format::legacy::local_heap::{self, header_size};
use crate::format::message::external_files::{ExternalFiles, ExternalSlot};
use crate::object::plan::Plan;
use crate::store::Store;
use alloc::string::String;
use alloc::vec::Vec;

/// As many files as a header message lists with the widest lengths.
const MAX_FILES: usize = 2700;

/// A piece of the data of a new dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPiece {
    pub(crate) name: String,
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// `None`: as long as the data are.
    pub(crate) size: Option<u64>,
}

/// Refuses files that a new dataset cannot have its data in.
pub(in crate::object) fn check_new(pieces: &[NewPiece], plan: &Plan) -> Result<()> {
    if plan.datatype.contains_var_len() {
        return Err(Error::unsupported(
            "elements of variable length in external files",
        ));
    }
    if pieces.len() > MAX_FILES {
        let (value, max) = (pieces.len() as u64, MAX_FILES as u64);
        return Err(Error::limit("external files of a dataset", value, max));
    }
    let max = plan.max_dims();
    let grows = max.iter().zip(&plan.space.dims).skip(1);
    if grows.into_iter().any(|(max, dim)| *max != Some(*dim)) {
        return Err(Error::invalid(
            "data in external files grow along the first axis only",
        ));
    }
    let Some(room) = room(pieces)? else {
        return Ok(());
    };
    let most = match max.first() {
        Some(None) => {
            return Err(Error::invalid(
                "an axis without limit needs a last external file without limit (size 0)",
            ));
        }
        Some(_) => crate::extents::product(max.iter().map(|max| max.unwrap_or(0)))?,
        None => plan.space.element_count()?,
    };
    match most.checked_mul(u64::from(plan.datatype.size())) {
        Some(bytes) if bytes <= room => Ok(()),
        _ => Err(Error::invalid(alloc::format!(
            "the external files have room for {room} bytes, which the dataset exceeds"
        ))),
    }
}

/// How many bytes the files have room for; `None` where the last has no end.
fn room(pieces: &[NewPiece]) -> Result<Option<u64>> {
    let mut room = Some(0_u64);
    for piece in pieces {
        if piece.name.is_empty() || piece.name.contains('\0') {
            return Err(Error::invalid(
                "the name of an external file is empty or has a NUL",
            ));
        }
        let Some(before) = room else {
            return Err(Error::invalid(
                "an external file without limit (size 0) is not the last",
            ));
        };
        let end = piece.offset.checked_add(piece.size.unwrap_or(0));
        if end.is_none_or(|end| end > i64::MAX as u64) {
            return Err(Error::invalid("an external file ends beyond 63 bits"));
        }
        room =
            match piece.size {
                Some(size) => Some(before.checked_add(size).ok_or_else(|| {
                    Error::invalid("the external files together end beyond 64 bits")
                })?),
                None => None,
            };
    }
    Ok(room)
}

/// Refuses numbers that the lengths of a file cannot hold.
pub(in crate::object) fn check_widths(pieces: &[NewPiece], widths: Widths) -> Result<()> {
    for piece in pieces {
        widths.check_len("the offset in an external file", piece.offset)?;
        widths.check_len("the size in an external file", piece.size.unwrap_or(0))?;
    }
    let names = pieces.iter().map(|piece| piece.name.len() as u64 + 8);
    widths.check_len("the names of external files", names.sum())
}

impl External {
    /// Writes the names to a heap; returns the message, too.
    pub(crate) fn create(store: &mut Store, pieces: &[NewPiece]) -> Result<(Self, ExternalFiles)> {
        let widths = store.widths();
        let names: Vec<&[u8]> = pieces.iter().map(|piece| piece.name.as_bytes()).collect();
        let (bytes, _) = local_heap::encode(&names, Addr::new(0), widths);
        let block = store.alloc(bytes.len() as u64)?;
        let (bytes, places) = local_heap::encode(&names, block.addr, widths);
        store.stage(block.addr, bytes)?;
        let slots = pieces.iter().zip(places).map(|(piece, name)| ExternalSlot {
            name,
            offset: piece.offset,
            size: piece.size,
        });
        let message = ExternalFiles {
            allocated: pieces.len() as u16,
            heap: block.addr,
            slots: slots.collect(),
        };
        let header = header_size(widths).next_multiple_of(8);
        let blocks = [
            Extent::new(block.addr, header),
            Extent::new(block.addr.plus(header), block.len - header),
        ];
        let pieces = pieces
            .iter()
            .map(|piece| (&*piece.name, piece.offset, piece.size));
        let pieces = Piece::list(pieces);
        Ok((Self { pieces, blocks }, message))
    }
}
