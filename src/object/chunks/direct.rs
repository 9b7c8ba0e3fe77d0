//! Chunks as they stand in the file, for users who filter them by themselves.

use super::{Chunks, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;
use alloc::format;
use alloc::vec::Vec;

/// libhdf5 knows no larger chunk.
const MAX_STORED: u64 = u32::MAX as u64;

impl Chunks {
    /// The scaled coordinates of the chunk whose first element is at `offset`.
    fn place(&self, offset: &[u64], dims: &[u64]) -> Result<Vec<u64>> {
        let chunk = self.grid.chunk();
        if offset.len() != chunk.len() {
            return Err(Error::invalid(format!(
                "the offset of the chunk has {} dimensions, the dataset {}",
                offset.len(),
                chunk.len()
            )));
        }
        for (axis, (&at, (&len, &dim))) in offset.iter().zip(chunk.iter().zip(dims)).enumerate() {
            if !at.is_multiple_of(len) {
                return Err(Error::invalid(format!(
                    "axis {axis}: no chunk begins at {at}, chunks are of length {len}"
                )));
            }
            if at >= dim {
                return Err(Error::invalid(format!(
                    "axis {axis}: {at} is beyond the extent {dim}"
                )));
            }
        }
        let axes = offset.iter().zip(chunk);
        Ok(axes.map(|(at, len)| at / len).collect())
    }

    /// Refuses a chunk of `len` bytes, stored with the filters of `mask` left out, that could not be read again.
    pub(crate) fn check_direct(
        &self,
        offset: &[u64],
        dims: &[u64],
        mask: u32,
        len: u64,
    ) -> Result<()> {
        let at = self.place(offset, dims)?;
        let whole = self.grid.chunk_bytes() as u64;
        let all = self.pipeline.skip_all_mask();
        if (self.goes_unfiltered(&at, dims) || mask & all == all) && len != whole {
            return Err(Error::invalid(format!(
                "a chunk without filters has {whole} bytes, not {len}"
            )));
        }
        if len == 0 {
            return Err(Error::invalid("a chunk has bytes"));
        }
        // As wide as the index stores the size at least: two bytes where one would do, and so on.
        let bits = 8 * (whole.max(1).ilog2() / 8 + 2);
        let max = (u64::MAX >> (64 - bits.min(64))).min(MAX_STORED);
        if len > max {
            return Err(Error::limit("the size of a filtered chunk", len, max));
        }
        Ok(())
    }

    /// Stores a chunk, which [`check_direct`](Self::check_direct) has allowed, as it is.
    pub(crate) fn write_direct(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        offset: &[u64],
        mask: u32,
        bytes: &[u8],
    ) -> Result<()> {
        let at = self.place(offset, shape.dims)?;
        self.settle(store)?;
        let raw = self.pipeline.is_empty() || self.goes_unfiltered(&at, shape.dims);
        match raw {
            true => self.put_now(store, &at, bytes, None, true)?,
            false => {
                let mask = mask & self.pipeline.skip_all_mask();
                self.put_stored(store, &at, bytes, mask)?
            }
        };
        self.cache.remove(&at);
        Ok(())
    }

    /// The stored bytes of a chunk, and the mask of the filters that were left out. Those of a chunk that waits in memory
    /// are as it would be stored now.
    pub(crate) fn read_direct(
        &mut self,
        store: &mut Store,
        dims: &[u64],
        offset: &[u64],
    ) -> Result<(u32, Vec<u8>)> {
        let at = self.place(offset, dims)?;
        self.settle(store)?;
        if let Some(cached) = self.cache.get(store, &at)?
            && cached.dirty.is_some()
        {
            let data = cached.data.clone();
            let (bytes, mask) = self.encode_whole(&at, dims, data)?;
            return Ok((mask, bytes));
        }
        match self.index.find(store, &at)? {
            Some(record) => Ok((record.mask, store.read(record.extent, "chunk")?)),
            None => Err(Error::new(ErrorKind::NotFound)),
        }
    }
}
