//! Rows beyond the extent that a session which died left in chunks that are stored raw.

use super::Chunks;
use super::edge::VISIT_UP_TO;
use crate::bytes::{Addr, Extent};
use crate::chunk::Fill;
use crate::error::{Error, Result};
use crate::index::ChunkRecord;
use crate::selection::Resolved;
use crate::store::Store;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// So many bytes of a chunk are looked at together.
const PIECE: usize = if cfg!(test) { 100 } else { 1 << 20 };

/// What rows beyond the extent are to be, and memory to compare them in.
struct Expected {
    /// Elements, or zeros.
    fill: Vec<u8>,
    read: Vec<u8>,
}

impl Expected {
    /// For `len` bytes at the most.
    fn new(fill: Fill<'_>, len: usize) -> Self {
        let bytes = PIECE.min(len);
        let fill = match fill.is_zero() {
            true => vec![0; bytes],
            false => fill.repeat((bytes / fill.element_size()).max(1)),
        };
        Self {
            read: vec![0; fill.len()],
            fill,
        }
    }

    /// The part of `rows`, from the first to the last byte, that differs.
    fn difference(&mut self, store: &Store, rows: Extent) -> Result<Option<Extent>> {
        let mut found: Option<(u64, u64)> = None;
        let mut done = 0;
        while done < rows.len {
            let len = (rows.len - done).min(self.fill.len() as u64) as usize;
            let (read, fill) = (&mut self.read[..len], &self.fill[..len]);
            store.read_into(rows.addr.plus(done), read, "chunk")?;
            if read != fill {
                let differ = |(_, (a, b)): &(usize, (&u8, &u8))| a != b;
                let mut bytes = read.iter().zip(fill).enumerate();
                let first = bytes.clone().find(differ).map_or(0, |(at, _)| at as u64);
                let last = bytes.rfind(differ).map_or(0, |(at, _)| at as u64);
                let (start, _) = found.unwrap_or((done + first, 0));
                found = Some((start, done + last + 1));
            }
            done += len as u64;
        }
        Ok(found.map(|(start, end)| Extent::new(rows.addr.plus(start), end - start)))
    }

    /// Makes `part` of rows that begin at `rows` what is expected.
    fn write(&self, store: &mut Store, rows: Addr, part: Extent) -> Result<()> {
        let mut at = part.addr;
        while at < part.end() {
            let from = ((at.get() - rows.get()) % self.fill.len() as u64) as usize;
            let len = (part.end().get() - at.get()).min((self.fill.len() - from) as u64) as usize;
            store.fill_in(at, &self.fill[from..from + len])?;
            at = at.plus(len as u64);
        }
        Ok(())
    }
}

impl Chunks {
    /// Makes the rows beyond an extent of `dims` the fill value, where they stand, in chunks that are stored raw. Only rows are
    /// written in place, so only the last chunks along axis 0 have such.
    pub(crate) fn clean_tails(
        &mut self,
        store: &mut Store,
        dims: &[u64],
        fill: Fill<'_>,
    ) -> Result<()> {
        let inside = dims[0] % self.grid.chunk()[0];
        if inside == 0 {
            return Ok(());
        }
        let start = inside as usize * self.grid.row_bytes();
        let len = self.grid.chunk_bytes() - start;
        let mut expected = Expected::new(fill, len);
        let mut dirty = Vec::new();
        // Nothing is written before the index has been read to its end.
        self.for_each_last(store, dims, &mut |store, record| {
            let rows = Extent::new(record.extent.addr.plus(start as u64), len as u64);
            if let Some(part) = expected.difference(store, rows)? {
                if record.extent.addr.get() < store.superblock.size() as u64 {
                    return Err(Error::corrupt("chunk", "it lies over the superblock"));
                }
                dirty.push((rows.addr, part));
            }
            Ok(())
        })?;
        dirty
            .into_iter()
            .try_for_each(|(rows, part)| expected.write(store, rows, part))
    }

    /// Visits the chunks that are stored raw and that the extent cuts through along axis 0.
    fn for_each_last(
        &mut self,
        store: &Store,
        dims: &[u64],
        visit: &mut dyn FnMut(&Store, ChunkRecord) -> Result<()>,
    ) -> Result<()> {
        let height = self.grid.chunk()[0];
        let last = dims[0] / height;
        let mut border = Resolved::whole(dims)?;
        border.axes[0].start = last * height;
        border.axes[0].count = dims[0] - last * height;
        let places = self.grid.counts(dims)[1..]
            .iter()
            .fold(1, |places: u64, count| places.saturating_mul(*count));
        if places > VISIT_UP_TO {
            // Most of so many places are empty: the chunks that exist are visited instead.
            let (all, skipped) = (
                self.grid.chunk_bytes() as u64,
                self.pipeline.skip_all_mask(),
            );
            let plain = self.pipeline.is_empty();
            return self.index.for_each(store, &mut |at, record| {
                let raw = record.extent.len == all && (plain || record.mask == skipped);
                match at[0] == last && raw {
                    true => visit(store, record),
                    false => Ok(()),
                }
            });
        }
        let grid = Arc::clone(&self.grid);
        grid.for_each_chunk(&border, &mut |at| match self.index.find(store, at)? {
            Some(record) if self.is_raw(record) => visit(store, record),
            _ => Ok(()),
        })
    }

    /// The first chunk in the file with an element beyond an extent of `dims` that is not the fill value.
    #[cfg(test)]
    pub(crate) fn dirty_chunk(
        &mut self,
        store: &Store,
        dims: &[u64],
        fill: Fill<'_>,
    ) -> Result<Option<Vec<u64>>> {
        let mut chunks = Vec::new();
        self.index.for_each(store, &mut |at, record| {
            chunks.push((at.to_vec(), record));
            Ok(())
        })?;
        for (at, record) in chunks {
            let mut elements = self.read_stored(store, &at, dims, record)?;
            let beyond = self.grid.fill_beyond(&at, dims, fill, &mut elements);
            if beyond.is_some() {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}
