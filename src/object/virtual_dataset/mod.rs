//! Virtual datasets: elements of other datasets, of this file or of others, that look like one dataset.
//!
//! Extents and elements are as libhdf5 has them by default: an unlimited virtual dataset reaches to the last element
//! that any mapping has (`H5D_VDS_LAST_AVAILABLE`), a mapping by block number ends at the first block that is missing
//! (a printf gap of 0), and what no source has is the fill value.

mod check;
mod elements;
mod transfer;

use super::other_files::{FileId, Files, MAX_DEPTH};
use crate::bytes::Addr;
use crate::error::{Error, Result};
use crate::format::message::datatype::Datatype;
use crate::format::selection::{HyperslabAxis, StoredSelection};
use crate::format::virtual_layout::{Mapping, VirtualLayout};
use crate::infra::global_heap::{GlobalHeap, HeapRef};
use crate::selection::Resolved;
use crate::store::Store;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use check::{check, reach};
use elements::{Elements, Steps};
use transfer::Wanted;

pub(super) use check::{check_new, check_size};

const NAME: &str = "virtual dataset heap block";

/// Blocks of one mapping, at the most.
const MAX_BLOCKS: u64 = 1 << 20;

/// The layout of a virtual dataset, and what is known of its sources.
#[derive(Debug)]
pub(crate) struct Virtual {
    /// Where the mappings are in the heap.
    heap: Option<HeapRef>,
    layout: Arc<VirtualLayout>,
    /// The least extent that holds every limited mapping.
    least: Vec<u64>,
    /// For each mapping by block number, how many blocks are known to be there.
    blocks: Vec<u64>,
}

impl Virtual {
    /// A new one, whose mappings have been checked and put in the heap.
    pub(super) fn new(heap: HeapRef, layout: VirtualLayout, rank: usize) -> Self {
        let mut least = vec![0; rank];
        for mapping in &layout.mappings {
            reach(&mapping.target, &mut least);
        }
        Self {
            heap: Some(heap),
            blocks: vec![0; layout.mappings.len()],
            layout: Arc::new(layout),
            least,
        }
    }

    pub(crate) fn load(store: &Store, heap: Option<HeapRef>, rank: usize) -> Result<Self> {
        let layout = match heap {
            Some(at) => GlobalHeap::new().with(store, at, |bytes| {
                VirtualLayout::decode(bytes, store.widths(), at.addr.get())
            })??,
            None => VirtualLayout::default(),
        };
        let mut least = vec![0; rank];
        for mapping in &layout.mappings {
            check(&layout, mapping, rank, &|reason| {
                Error::corrupt(NAME, reason)
            })?;
            reach(&mapping.target, &mut least);
        }
        Ok(Self {
            heap,
            blocks: vec![0; layout.mappings.len()],
            layout: Arc::new(layout),
            least,
        })
    }

    pub(crate) fn heap(&self) -> Option<HeapRef> {
        self.heap
    }

    pub(crate) fn layout(&self) -> Arc<VirtualLayout> {
        self.layout.clone()
    }

    pub(super) fn known_blocks(&self, mapping: usize) -> u64 {
        self.blocks.get(mapping).copied().unwrap_or(0)
    }

    pub(super) fn set_known_blocks(&mut self, mapping: usize, count: u64) {
        if let Some(blocks) = self.blocks.get_mut(mapping) {
            *blocks = count;
        }
    }

    /// Whether the extent depends on the sources.
    pub(super) fn is_unlimited(&self) -> bool {
        let mut mappings = self.layout.mappings.iter();
        mappings.any(|mapping| mapping.target.unlimited_axis().is_some())
    }
}

/// The unlimited axis of a selection, and its number.
fn unlimited(selection: &StoredSelection) -> Option<(usize, &HyperslabAxis)> {
    match selection {
        StoredSelection::Hyperslab(axes) => {
            let mut axes = axes.iter().enumerate();
            axes.find(|(_, axis)| axis.is_unlimited())
        }
        _ => None,
    }
}

/// How many indices of an unlimited axis are below an extent.
fn available(axis: &HyperslabAxis, extent: u64) -> u64 {
    let Some(reach) = extent.checked_sub(axis.start) else {
        return 0;
    };
    match axis.block {
        Some(block) if block != axis.stride => {
            reach / axis.stride * block + (reach % axis.stride).min(block)
        }
        _ => reach,
    }
}

/// As [`available`], but as libhdf5 counts for the extent of the virtual dataset: where a single block has begun, it
/// counts whole.
fn counted(axis: &HyperslabAxis, extent: u64) -> u64 {
    match axis.block {
        Some(block) if block != axis.stride && extent > axis.start => {
            if extent - axis.start <= axis.stride {
                block
            } else {
                available(axis, extent)
            }
        }
        _ => available(axis, extent),
    }
}

/// The least extent that has so many indices of an unlimited axis.
fn extent_for(axis: &HyperslabAxis, indices: u64) -> Option<u64> {
    let Some(last) = indices.checked_sub(1) else {
        return Some(0);
    };
    match axis.block {
        Some(block) if block != axis.stride => (last / block)
            .checked_mul(axis.stride)?
            .checked_add(last % block)?
            .checked_add(axis.start)?
            .checked_add(1),
        _ => axis.start.checked_add(indices),
    }
}

/// The elements of an unlimited selection with so many indices on its unlimited axis.
fn clipped(selection: &StoredSelection, indices: u64) -> Result<Elements> {
    let StoredSelection::Hyperslab(axes) = selection else {
        return Elements::limited(selection, &[]);
    };
    let steps = axes.iter().map(|axis| match (axis.count, axis.block) {
        (Some(count), Some(block)) => Ok(Steps::of(axis, count.saturating_mul(block))),
        _ => match extent_for(axis, indices) {
            Some(_) => Ok(Steps::of(axis, indices)),
            None => Err(Error::corrupt(NAME, "a selection ends beyond 64 bits")),
        },
    });
    Elements::regular(steps.collect::<Result<_>>()?)
}

/// The elements of one block of a mapping by block number.
fn block_of(selection: &StoredSelection, number: u64) -> Result<Elements> {
    let (StoredSelection::Hyperslab(axes), Some((unlimited, _))) =
        (selection, unlimited(selection))
    else {
        return Ok(Elements::Nothing);
    };
    let mut axes = axes.clone();
    let axis = &mut axes[unlimited];
    let start = number
        .checked_mul(axis.stride)
        .and_then(|offset| offset.checked_add(axis.start))
        .filter(|start| start.checked_add(axis.block.unwrap_or(0)).is_some());
    axis.start = start.ok_or_else(|| Error::corrupt(NAME, "a selection ends beyond 64 bits"))?;
    axis.count = Some(1);
    Elements::limited(&StoredSelection::Hyperslab(axes), &[])
}

/// Whether elements name places of their own file, which mean nothing in another.
fn names_places(datatype: &Datatype) -> bool {
    match datatype {
        Datatype::Reference { .. } => true,
        Datatype::Array { base, .. } => names_places(base),
        Datatype::Compound { members, .. } => {
            members.iter().any(|member| names_places(&member.datatype))
        }
        _ => datatype.contains_var_len(),
    }
}

/// A source of a mapping, found.
#[derive(Debug)]
struct Source {
    file: FileId,
    addr: Addr,
    dims: Vec<u64>,
}

impl Files<'_> {
    /// The extent of a dataset as it is now.
    fn extent(&mut self, file: FileId, addr: Addr) -> Result<Vec<u64>> {
        self.refresh(file, addr)?;
        Ok(self.engine(file)?.dataset(addr)?.selectable_dims().to_vec())
    }

    /// Brings the extent of a dataset up to date where it depends on sources.
    pub(crate) fn refresh(&mut self, file: FileId, addr: Addr) -> Result<()> {
        let dataset = self.engine(file)?.dataset(addr)?;
        let Some(state) = dataset.virtual_state().filter(|state| state.is_unlimited()) else {
            return Ok(());
        };
        let (layout, least) = (state.layout(), state.least.clone());
        let result = self.inside(file, addr, |files| {
            files.new_extent(file, addr, &layout, &least)
        });
        let dims = self.named(file, result)?;
        self.engine(file)?.dataset(addr)?.follow_extent(dims)
    }

    /// Runs what looks at the sources of a virtual dataset, which must not be the dataset itself.
    fn inside<T>(
        &mut self,
        file: FileId,
        addr: Addr,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if self.active.contains(&(file, addr)) {
            return Err(Error::invalid("a virtual dataset is a source of itself").at(addr.get()));
        }
        if self.active.len() >= MAX_DEPTH {
            let (depth, most) = (MAX_DEPTH as u64 + 1, MAX_DEPTH as u64);
            return Err(Error::limit("virtual datasets of each other", depth, most));
        }
        self.active.push((file, addr));
        let result = run(self);
        self.active.pop();
        result
    }

    fn new_extent(
        &mut self,
        file: FileId,
        addr: Addr,
        layout: &VirtualLayout,
        least: &[u64],
    ) -> Result<Vec<u64>> {
        let mut grown: Vec<Option<u64>> = vec![None; least.len()];
        for (number, mapping) in layout.mappings.iter().enumerate() {
            let Some((axis, target)) = unlimited(&mapping.target) else {
                continue;
            };
            let extent = match unlimited(&mapping.source) {
                Some((source_axis, source)) => match self.source(file, layout, mapping, 0)? {
                    Some(found) => {
                        let extent = extent_along(&found, source_axis)?;
                        extent_for(target, counted(source, extent))
                    }
                    None => Some(0),
                },
                None => {
                    let blocks = self.count_blocks(file, addr, layout, number)?;
                    match blocks.checked_sub(1) {
                        Some(last) => last
                            .checked_mul(target.stride)
                            .and_then(|offset| offset.checked_add(target.start))
                            .and_then(|start| start.checked_add(target.block.unwrap_or(0))),
                        None => Some(0),
                    }
                }
            };
            let extent =
                extent.ok_or_else(|| Error::corrupt(NAME, "an extent is beyond 64 bits"))?;
            grown[axis] = grown[axis].max(Some(extent));
        }
        let dims = self.engine(file)?.dataset(addr)?.selectable_dims().to_vec();
        let axes = dims.iter().zip(grown).zip(least);
        Ok(axes
            .map(|((&dim, grown), &least)| grown.map_or(dim, |grown| grown.max(least)))
            .collect())
    }

    /// How many blocks of a mapping have a source, up to the first that has none.
    fn count_blocks(
        &mut self,
        file: FileId,
        addr: Addr,
        layout: &VirtualLayout,
        number: usize,
    ) -> Result<u64> {
        let mut count = self.engine(file)?.dataset(addr)?.known_blocks(number);
        let mapping = &layout.mappings[number];
        loop {
            let (name, path) = names(layout, mapping, count);
            if self.find_source(file, &name, &path)?.is_none() {
                break;
            }
            count += 1;
            if count > MAX_BLOCKS {
                let what = "blocks of a virtual dataset";
                return Err(Error::limit(what, count, MAX_BLOCKS));
            }
        }
        let dataset = self.engine(file)?.dataset(addr)?;
        dataset.set_known_blocks(number, count);
        Ok(count)
    }

    /// The source of one block of a mapping; `None` where it is missing.
    fn source(
        &mut self,
        file: FileId,
        layout: &VirtualLayout,
        mapping: &Mapping,
        block: u64,
    ) -> Result<Option<Source>> {
        let (name, path) = names(layout, mapping, block);
        let Some((file, addr)) = self.find_source(file, &name, &path)? else {
            return Ok(None);
        };
        let dims = self.extent(file, addr);
        let dims = self.named(file, dims.map_err(|error| error.object(&path)))?;
        Ok(Some(Source { file, addr, dims }))
    }

    /// Reads the selected elements of a virtual dataset.
    pub(super) fn read_virtual(
        &mut self,
        file: FileId,
        addr: Addr,
        layout: &Arc<VirtualLayout>,
        selection: &Resolved,
        out: &mut [u8],
    ) -> Result<()> {
        let dims = self.extent(file, addr)?;
        let dataset = self.engine(file)?.dataset(addr)?;
        let datatype = dataset.datatype.clone();
        let element = dataset.element_size();
        dataset.put_fill(out);
        let inside = selection.axes.iter().zip(&dims);
        if !inside.into_iter().all(|(axis, &dim)| axis.end() <= dim) {
            return Err(Error::invalid("the virtual dataset has become smaller"));
        }
        let mut wanted = Wanted {
            selection,
            element,
            out,
        };
        self.inside(file, addr, |files| {
            for (number, mapping) in layout.mappings.iter().enumerate() {
                let read = ReadMapping {
                    file,
                    datatype: &datatype,
                    layout,
                    mapping,
                };
                match (unlimited(&mapping.target), unlimited(&mapping.source)) {
                    (Some(_), Some((source_axis, source))) => {
                        files.read_unlimited(&read, source_axis, source, &mut wanted)?;
                    }
                    (Some((axis, target)), None) => {
                        let blocks = files.engine(file)?.dataset(addr)?.known_blocks(number);
                        files.read_blocks(&read, axis, target, blocks, &mut wanted)?;
                    }
                    _ => {
                        let target = Elements::limited(&mapping.target, &dims)?;
                        files.read_limited(&read, &target, 0, &mut wanted)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Reads from a mapping whose source is unlimited.
    fn read_unlimited(
        &mut self,
        read: &ReadMapping<'_>,
        source_axis: usize,
        source: &HyperslabAxis,
        wanted: &mut Wanted<'_>,
    ) -> Result<()> {
        let Some(found) = self.source(read.file, read.layout, read.mapping, 0)? else {
            return Ok(());
        };
        let indices = available(source, extent_along(&found, source_axis)?);
        let source = clipped(&read.mapping.source, indices)?;
        let target = clipped(&read.mapping.target, indices)?;
        self.bring(read, &found, &target, &source, 0, wanted)
    }

    /// Reads from a mapping by block number.
    fn read_blocks(
        &mut self,
        read: &ReadMapping<'_>,
        axis: usize,
        target: &HyperslabAxis,
        blocks: u64,
        wanted: &mut Wanted<'_>,
    ) -> Result<()> {
        let asked = &wanted.selection.axes[axis];
        let Some(last) = asked.end().checked_sub(target.start + 1) else {
            return Ok(());
        };
        let first = asked.start.saturating_sub(target.start) / target.stride;
        for block in first..blocks.min(last / target.stride + 1) {
            let target = block_of(&read.mapping.target, block)?;
            self.read_limited(read, &target, block, wanted)?;
        }
        Ok(())
    }

    /// Reads from a mapping, or one block of it, whose elements in the virtual dataset are known.
    fn read_limited(
        &mut self,
        read: &ReadMapping<'_>,
        target: &Elements,
        block: u64,
        wanted: &mut Wanted<'_>,
    ) -> Result<()> {
        if !wanted.touches(target) {
            return Ok(());
        }
        let Some(found) = self.source(read.file, read.layout, read.mapping, block)? else {
            return Ok(());
        };
        let mut source = Elements::limited(&read.mapping.source, &found.dims)?;
        if read.mapping.source == StoredSelection::All {
            source.cut_to(target);
        }
        self.bring(read, &found, target, &source, block, wanted)
    }

    /// Brings what is wanted of a mapping from its source, after a look whether they fit.
    fn bring(
        &mut self,
        read: &ReadMapping<'_>,
        found: &Source,
        target: &Elements,
        source: &Elements,
        block: u64,
        wanted: &mut Wanted<'_>,
    ) -> Result<()> {
        let (name, path) = names(read.layout, read.mapping, block);
        let refuse = |reason: String| {
            Err(Error::unsupported(format!(
                "the source {path:?} in the file {name:?} of a virtual dataset: {reason}"
            )))
        };
        let datatype = &self.engine(found.file)?.dataset(found.addr)?.datatype;
        if datatype != read.datatype {
            return refuse(format!(
                "converting {datatype} to {}, the type of the virtual dataset",
                read.datatype
            ));
        }
        if found.file != read.file && names_places(datatype) {
            return refuse(format!("elements of {datatype} from another file"));
        }
        if target.count() != source.count() {
            return refuse(format!(
                "it has {} elements of {} that are mapped",
                source.count(),
                target.count()
            ));
        }
        if let Some(bounds) = source.bounds() {
            let fits = bounds.len() == found.dims.len()
                && bounds
                    .iter()
                    .zip(&found.dims)
                    .all(|(bound, dim)| bound.1 < *dim);
            if !fits {
                return refuse(format!(
                    "its shape {:?} does not hold the elements that are mapped",
                    found.dims
                ));
            }
        }
        wanted.transfer(target, source, &mut |selection, out| {
            self.count_read()?;
            self.read(found.file, found.addr, selection, out)
        })
    }
}

/// What reads of one mapping have in common.
#[derive(Debug)]
struct ReadMapping<'a> {
    file: FileId,
    datatype: &'a Datatype,
    layout: &'a VirtualLayout,
    mapping: &'a Mapping,
}

/// The names of the file and the dataset of one block.
fn names(layout: &VirtualLayout, mapping: &Mapping, block: u64) -> (String, String) {
    (
        layout.names[mapping.file].name(block),
        layout.names[mapping.dataset].name(block),
    )
}

fn extent_along(found: &Source, axis: usize) -> Result<u64> {
    found.dims.get(axis).copied().ok_or_else(|| {
        Error::unsupported("a source of a virtual dataset with another rank than its mapping")
    })
}
