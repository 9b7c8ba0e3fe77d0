//! What a new dataset is to be, checked before anything is made.

use super::chunks::check_chunk;
use super::dataset::max_dims;
use super::external::{self, NewPiece};
use super::virtual_dataset;
use crate::bytes::{Addr, Widths};
use crate::chunk::{Grid, default_chunk};
use crate::error::{Error, Result};
use crate::filter::{Elements, Pipeline, Registry, Request};
use crate::format::libver::LibVer;
use crate::format::message::dataspace::{Dataspace, DataspaceKind};
use crate::format::message::datatype::Datatype;
use crate::format::message::fill_value::FillTime;
use crate::format::message::filter_pipeline::FilterDescription;
use crate::format::virtual_layout::VirtualLayout;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Fixed data up to this size live in the object header, where a commit replaces them as a whole.
const COMPACT_UP_TO: u64 = 512;
/// The largest data a compact layout message can hold.
const COMPACT_MAX: u64 = 65_000;

/// Which layout a new dataset gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LayoutChoice {
    /// Chunked where the extent can grow or filters are asked for, compact where small, else contiguous.
    #[default]
    Auto,
    Compact,
    Contiguous,
    Chunked,
    /// In other datasets.
    Virtual,
    /// In files of no format.
    External,
}

/// Where the data of a new dataset are that has none in the file.
#[derive(Debug, Clone)]
pub(crate) enum Outside {
    Virtual(VirtualLayout),
    External(Vec<NewPiece>),
}

/// What a new dataset is to be.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) datatype: Datatype,
    /// The object that the datatype is, where it was committed.
    pub(crate) committed: Option<Addr>,
    pub(crate) space: Dataspace,
    pub(crate) chunk: Option<Vec<u64>>,
    pub(crate) layout: LayoutChoice,
    pub(crate) outside: Option<Outside>,
    pub(crate) filters: Vec<Request>,
    /// One element, as the file stores it.
    pub(crate) fill: Option<Vec<u8>>,
    pub(crate) fill_time: FillTime,
    pub(crate) early: bool,
    /// The order in which attributes are made is kept and indexed.
    pub(crate) track_order: bool,
    pub(crate) attr_phase_change: Option<(u16, u16)>,
    /// Chunks that reach beyond the extent go unfiltered.
    pub(crate) raw_edges: bool,
}

impl Plan {
    /// Makes the plan one for a file of these widths.
    pub(crate) fn fit(&mut self, widths: Widths) -> Result<()> {
        if let Cow::Owned(other) = self.datatype.in_file_ref(widths)? {
            self.datatype = other;
        }
        for dim in self
            .space
            .dims
            .iter()
            .chain(self.space.max.iter().flatten().flatten())
        {
            widths.check_len("the extent of an axis", *dim)?;
        }
        match &self.outside {
            Some(Outside::Virtual(layout)) => virtual_dataset::check_size(layout, widths)?,
            Some(Outside::External(pieces)) => external::check_widths(pieces, widths)?,
            None => {}
        }
        // As libhdf5 does: where it writes a part of the data first, it would take what it finds beside it for places
        // in a global heap.
        let late = self.fill.is_none() && self.fill_time == FillTime::IfSet;
        if late && self.datatype.contains_var_len() {
            self.fill_time = FillTime::OnAllocation;
        }
        Ok(())
    }

    /// Refuses what cannot be made in a file of these widths, before anything is allocated; the layout it gets.
    pub(crate) fn check(
        &self,
        registry: &Registry,
        bound: LibVer,
        widths: Widths,
    ) -> Result<LayoutChoice> {
        let element = u64::from(self.datatype.size());
        self.datatype.check()?;
        self.datatype.check_bound(bound)?;
        match &self.outside {
            Some(Outside::Virtual(_)) if bound == LibVer::V18 => {
                return Err(Error::unsupported(
                    "a virtual dataset in a file for HDF5 1.8, which does not know them",
                ));
            }
            Some(Outside::Virtual(layout)) => {
                virtual_dataset::check_new(layout, &self.space.dims, &self.max_dims())?;
            }
            Some(Outside::External(pieces)) => external::check_new(pieces, self)?,
            None => {}
        }
        if let Some(fill) = &self.fill
            && fill.len() as u64 != element
        {
            return Err(Error::invalid("the fill value is not one element"));
        }
        if self.fill_time == FillTime::Never && self.datatype.contains_var_len() {
            return Err(Error::invalid(
                "elements of variable length need their fill value written",
            ));
        }
        let choice = self.choice()?;
        if let LayoutChoice::Contiguous | LayoutChoice::External = choice {
            widths.check_len("the size of contiguous data", self.bytes()?)?;
        }
        let chunked = choice == LayoutChoice::Chunked;
        if self.raw_edges && !chunked {
            return Err(Error::invalid(
                "only a chunked dataset has chunks at the edge that go unfiltered",
            ));
        }
        if self.raw_edges && bound < LibVer::V110 {
            return Err(Error::unsupported(
                "chunks at the edge that go unfiltered, which HDF5 1.8 does not know",
            ));
        }
        if chunked {
            self.chunks(registry)?;
        }
        Ok(choice)
    }

    pub(super) fn max_dims(&self) -> Vec<Option<u64>> {
        max_dims(&self.space)
    }

    fn can_grow(&self) -> bool {
        let max = self.max_dims();
        max.iter()
            .zip(&self.space.dims)
            .any(|(max, dim)| *max != Some(*dim))
    }

    pub(super) fn bytes(&self) -> Result<u64> {
        let bytes = self
            .space
            .element_count()?
            .checked_mul(u64::from(self.datatype.size()));
        bytes.ok_or_else(|| {
            Error::limit("the size of a dataset in bytes", u64::MAX, i64::MAX as u64)
        })
    }

    fn choice(&self) -> Result<LayoutChoice> {
        let simple = self.space.kind == DataspaceKind::Simple;
        choose_layout(self, self.can_grow(), simple, self.bytes()?)
    }

    pub(super) fn chunks(
        &self,
        registry: &Registry,
    ) -> Result<(Grid, Vec<FilterDescription>, Pipeline)> {
        let element = self.datatype.size() as usize;
        let max_dims = self.max_dims();
        let chunk = match &self.chunk {
            Some(chunk) => chunk.clone(),
            None => default_chunk(
                &self.space.dims,
                &max_dims,
                element,
                self.datatype.contains_var_len(),
            ),
        };
        check_chunk(&chunk, &self.space.dims, &max_dims)?;
        let elements = Elements {
            datatype: &self.datatype,
            chunk: &chunk,
            fill: self.fill.as_deref().unwrap_or_default(),
        };
        let filters = self.filters.iter().map(|filter| filter.describe(elements));
        let filters = filters.collect::<Result<Vec<_>>>()?;
        let pipeline = Pipeline::new(registry, &filters)?;
        pipeline.check_new()?;
        Ok((Grid::new(chunk, element)?, filters, pipeline))
    }
}

fn choose_layout(plan: &Plan, extendible: bool, simple: bool, bytes: u64) -> Result<LayoutChoice> {
    if let Some(outside) = &plan.outside {
        return choose_outside(plan, outside);
    }
    let chunked = plan.chunk.is_some() || !plan.filters.is_empty() || extendible;
    let refuse = |reason: &'static str| Err(Error::invalid(reason));
    if chunked && !simple {
        return refuse("a scalar or null dataset has no chunks, filters or growing extent");
    }
    match plan.layout {
        LayoutChoice::Compact | LayoutChoice::Contiguous if chunked => {
            refuse("only a chunked dataset has a chunk shape, filters or a growing extent")
        }
        LayoutChoice::Chunked if !simple => refuse("a scalar or null dataset cannot be chunked"),
        LayoutChoice::Compact if bytes > COMPACT_MAX => Err(Error::limit(
            "the size of a compact dataset in bytes",
            bytes,
            COMPACT_MAX,
        )),
        LayoutChoice::Auto if chunked => Ok(LayoutChoice::Chunked),
        // Without data it is contiguous, as libhdf5 makes it; h5repack crashes on compact data of a null extent.
        LayoutChoice::Auto if (1..=COMPACT_UP_TO).contains(&bytes) && !plan.early => {
            Ok(LayoutChoice::Compact)
        }
        LayoutChoice::Auto => Ok(LayoutChoice::Contiguous),
        choice => Ok(choice),
    }
}

fn choose_outside(plan: &Plan, outside: &Outside) -> Result<LayoutChoice> {
    let own = plan.chunk.is_some() || !plan.filters.is_empty() || plan.layout != LayoutChoice::Auto;
    match outside {
        _ if own => Err(Error::invalid(
            "data in other datasets or files have no layout, chunk shape or filters here",
        )),
        Outside::Virtual(_) => Ok(LayoutChoice::Virtual),
        Outside::External(_) => Ok(LayoutChoice::External),
    }
}
