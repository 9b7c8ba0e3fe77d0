//! IV.A.2.b. The dataspace message.
//!
//! ```text
//!   0   1  version: 1 or 2
//!   1   1  dimensionality
//!   2   1  flags: bit 0, maximum dimensions follow
//!   3   1  version 2: type (0 scalar, 1 simple, 2 null); version 1: reserved
//!   4   4  version 1 only: reserved
//!   +  L*n dimension sizes
//!   +  L*n maximum sizes, if bit 0 is set; all ones: unlimited
//! ```

use crate::bytes::{Put, ShortBytes, Take, UNDEFINED, Widths};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const NAME: &str = "dataspace message";

/// The largest rank.
pub(crate) const MAX_RANK: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataspaceKind {
    Scalar,
    Simple,
    Null,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dataspace {
    pub(crate) version: u8,
    pub(crate) kind: DataspaceKind,
    pub(crate) dims: Vec<u64>,
    /// No vector: no maximum is stored, it equals `dims`. `None` inside: unlimited.
    pub(crate) max: Option<Vec<Option<u64>>>,
}

impl Dataspace {
    /// The elements of a scalar or null dataset are selected as those of an extent of no axis or of one empty axis.
    pub(crate) fn selectable_dims(&self) -> &[u64] {
        match self.kind {
            DataspaceKind::Null => &[0],
            _ => &self.dims,
        }
    }

    pub(crate) fn scalar() -> Self {
        Self {
            version: 2,
            kind: DataspaceKind::Scalar,
            dims: Vec::new(),
            max: None,
        }
    }

    pub(crate) fn simple(dims: Vec<u64>, max: Option<Vec<Option<u64>>>) -> Self {
        Self {
            version: 2,
            kind: DataspaceKind::Simple,
            dims,
            max,
        }
    }

    pub(crate) fn null() -> Self {
        Self {
            version: 2,
            kind: DataspaceKind::Null,
            dims: Vec::new(),
            max: None,
        }
    }

    /// How many elements there are: 1 for a scalar, 0 for a null dataspace.
    pub(crate) fn element_count(&self) -> Result<u64> {
        if self.kind == DataspaceKind::Null {
            return Ok(0);
        }
        if self.dims.contains(&0) {
            return Ok(0);
        }
        self.dims
            .iter()
            .try_fold(1u64, |count, &dim| count.checked_mul(dim))
            .ok_or_else(|| Error::corrupt(NAME, "the number of elements exceeds 64 bits"))
    }

    pub(crate) fn encode(&self, widths: Widths) -> ShortBytes {
        let mut out = ShortBytes::with_capacity(8 + 16 * self.dims.len());
        self.put(widths, &mut out);
        out
    }

    /// As [`encode`](Self::encode), behind what `out` holds.
    pub(crate) fn put(&self, widths: Widths, out: &mut ShortBytes) {
        let (rank, flags) = (self.dims.len() as u8, u8::from(self.max.is_some()));
        let kind = match self.kind {
            _ if self.version == 1 => 0,
            DataspaceKind::Scalar => 0,
            DataspaceKind::Simple => 1,
            DataspaceKind::Null => 2,
        };
        out.put_bytes(&[self.version, rank, flags, kind]);
        if self.version == 1 {
            out.put_zeros(4);
        }
        for &dim in &self.dims {
            out.put_len(dim, widths);
        }
        for &max in self.max.iter().flatten() {
            out.put_len(max.unwrap_or(unlimited(widths)), widths);
        }
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, NAME, offset);
        let version = take.u8()?;
        if !matches!(version, 1 | 2) {
            return Err(take.error("unknown version"));
        }
        let rank = usize::from(take.u8()?);
        if rank > MAX_RANK {
            return Err(Error::limit("rank", rank as u64, MAX_RANK as u64).at(offset));
        }
        let flags = take.u8()?;
        let kind = match (version, take.u8()?) {
            (1, _) if rank == 0 => DataspaceKind::Scalar,
            (1, _) | (_, 1) => DataspaceKind::Simple,
            (_, 0) => DataspaceKind::Scalar,
            (_, 2) => DataspaceKind::Null,
            _ => return Err(take.error("unknown type")),
        };
        if version == 1 {
            take.skip(4)?;
        }
        if kind != DataspaceKind::Simple && rank > 0 {
            return Err(take.error("a scalar or null dataspace has dimensions"));
        }
        let dims = (0..rank)
            .map(|_| take.len(widths))
            .collect::<Result<Vec<_>>>()?;
        let max = if flags & 1 != 0 {
            Some(decode_max(&mut take, &dims, widths)?)
        } else {
            None
        };
        Ok(Self {
            version,
            kind,
            dims,
            max,
        })
    }
}

fn decode_max(take: &mut Take<'_>, dims: &[u64], widths: Widths) -> Result<Vec<Option<u64>>> {
    let mut max = Vec::with_capacity(dims.len());
    for &dim in dims {
        let value = take.len(widths)?;
        if dim > value {
            return Err(take.error("a dimension exceeds its maximum"));
        }
        max.push((value != unlimited(widths)).then_some(value));
    }
    Ok(max)
}

/// All ones at the width of a length.
fn unlimited(widths: Widths) -> u64 {
    UNDEFINED >> (64 - 8 * u32::from(widths.length))
}
