//! Which mappings a virtual dataset can have, as libhdf5 has it (`H5D_virtual_check_mapping_pre`, `_post`).

use super::elements::Elements;
use super::{block_of, unlimited};
use crate::bytes::Widths;
use crate::error::{Error, Result};
use crate::format::selection::StoredSelection;
use crate::format::virtual_layout::{Mapping, VirtualLayout};
use crate::infra::global_heap::check_object;
use alloc::format;
use alloc::vec;

/// Refuses mappings that a new virtual dataset cannot have, or that would not fit in it.
pub(in crate::object) fn check_new(
    layout: &VirtualLayout,
    dims: &[u64],
    max: &[Option<u64>],
) -> Result<()> {
    let mut least = vec![0; dims.len()];
    for (number, mapping) in layout.mappings.iter().enumerate() {
        let wrong = |reason: &str| Error::invalid(format!("mapping {number}: {reason}"));
        check(layout, mapping, dims.len(), &wrong)?;
        let none = [&mapping.source, &mapping.target].contains(&&StoredSelection::None);
        if none {
            return Err(wrong(
                "nothing is selected (SliceOrIndex::Unlimited selects what is still to come)",
            ));
        }
        let source = match unlimited(&mapping.source) {
            Some(_) => None,
            None => Some(Elements::limited(&mapping.source, &[])?.count()),
        };
        let target = match unlimited(&mapping.target) {
            Some((axis, _)) if max[axis] == Some(dims[axis]) => {
                return Err(wrong(
                    "it is unlimited along an axis of the virtual dataset that cannot grow",
                ));
            }
            // Of the others as many as the source has.
            Some(_) => match source {
                Some(_) => Some(block_of(&mapping.target, 0)?.count()),
                None => None,
            },
            None => Some(Elements::limited(&mapping.target, dims)?.count()),
        };
        if source != target {
            return Err(wrong("source and mapping have another number of elements"));
        }
        reach(&mapping.target, &mut least);
    }
    match least.iter().zip(dims).all(|(least, dim)| least <= dim) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "the mappings reach to {least:?}, the virtual dataset to {dims:?}"
        ))),
    }
}

/// Refuses mappings that the heap cannot hold.
pub(in crate::object) fn check_size(layout: &VirtualLayout, widths: Widths) -> Result<()> {
    let length = layout.encode(widths)?.len() as u64;
    check_object(
        "the size of the mappings of a virtual dataset",
        length,
        widths,
    )
}

/// Refuses a mapping that no reader takes.
pub(super) fn check(
    layout: &VirtualLayout,
    mapping: &Mapping,
    rank: usize,
    error: &dyn Fn(&'static str) -> Error,
) -> Result<()> {
    let wrong = |reason: &'static str| Err(error(reason));
    if mapping.target.rank().is_some_and(|target| target != rank) {
        return wrong("a selection has another rank than the virtual dataset");
    }
    for selection in [&mapping.target, &mapping.source] {
        if matches!(selection, StoredSelection::Points { .. }) {
            return Err(Error::unsupported("a virtual dataset that maps points"));
        }
    }
    let by_block = by_block(layout, mapping);
    match (unlimited(&mapping.target), unlimited(&mapping.source)) {
        (None, _) | (_, Some(_)) if by_block => {
            wrong("the name of a source has a block number, its mapping has no blocks")
        }
        (None, Some(_)) => wrong("an unlimited source of a limited mapping"),
        (Some(_), None) if !by_block => {
            wrong("an unlimited mapping has a limited source without block number")
        }
        (Some((_, axis)), None) if axis.count.is_some() => {
            wrong("a mapping by block number has one block without end")
        }
        (Some(_), Some(_)) if across(&mapping.target) != across(&mapping.source) => {
            wrong("source and mapping differ across their unlimited axes")
        }
        _ => Ok(()),
    }
}

/// Whether each block of the mapping has a source of its own.
fn by_block(layout: &VirtualLayout, mapping: &Mapping) -> bool {
    layout.names[mapping.file].has_block() || layout.names[mapping.dataset].has_block()
}

/// How many elements a selection has for each index of its unlimited axis; `None` beyond 64 bits.
fn across(selection: &StoredSelection) -> Option<u64> {
    let StoredSelection::Hyperslab(axes) = selection else {
        return Some(0);
    };
    axes.iter()
        .try_fold(1_u64, |count, axis| match (axis.count, axis.block) {
            (Some(blocks), Some(block)) => count.checked_mul(blocks.checked_mul(block)?),
            _ => Some(count),
        })
}

/// Makes `least` hold the limited axes of a selection.
pub(super) fn reach(selection: &StoredSelection, least: &mut [u64]) {
    match selection {
        StoredSelection::Hyperslab(axes) => {
            for (axis, least) in axes.iter().zip(least) {
                if let (Some(count), Some(block)) = (axis.count, axis.block) {
                    // Decoding has found the end to fit.
                    *least = (*least).max(axis.start + (count - 1) * axis.stride + block);
                }
            }
        }
        StoredSelection::Blocks { rank, corners } => {
            for block in corners.chunks_exact(2 * rank) {
                for (least, last) in least.iter_mut().zip(&block[*rank..]) {
                    *least = (*least).max(last + 1);
                }
            }
        }
        _ => {}
    }
}
