//! Contiguous storage: one block in row-major order.
//!
//! The first change after a commit copies the block to fresh space, so that the committed data stay whole; a block
//! beyond [`COPY_LIMIT`] that is changed in part is rewritten in place instead.

use super::chunks::Shape;
use crate::bytes::{Addr, Extent};
use crate::chunk::{Fill, for_each_run};
use crate::error::Result;
use crate::object::batch::Batch;
use crate::selection::Resolved;
use crate::store::Store;

/// Longer blocks are not copied for a partial change.
pub(crate) const COPY_LIMIT: u64 = 64 << 20;

const PIECE: u64 = 1 << 20;

/// Runs from this length on are read together.
const LONG_RUN: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Contiguous {
    /// Elements name places in the file, which must not be seen before they are committed: the block is copied
    /// whatever its size.
    pub(crate) always_copied: bool,
    pub(crate) addr: Option<Addr>,
    pub(crate) size: u64,
}

impl Contiguous {
    pub(crate) fn extent(&self) -> Option<Extent> {
        self.addr.map(|addr| Extent::new(addr, self.size))
    }

    /// Writes the dense array `data` to the selected elements.
    pub(crate) fn write(
        &mut self,
        store: &mut Store,
        shape: Shape<'_>,
        selection: &Resolved,
        data: &[u8],
    ) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        let whole = data.len() as u64 == self.size && selection.counts() == shape.dims;
        let base = self.writable(store, shape.fill, whole)?;
        for_each_run(
            shape.dims,
            shape.fill.element_size(),
            selection,
            &mut |at, dense, len| store.write_now(base.plus(at), &data[dense..dense + len]),
        )
    }

    /// A block whose bytes may be written, with the present content unless all of it will be overwritten.
    fn writable(&mut self, store: &mut Store, fill: Fill<'_>, overwritten: bool) -> Result<Addr> {
        if let Some(old) = self.extent()
            && (store.is_fresh(old)
                || (!overwritten && self.size > COPY_LIMIT && !self.always_copied))
        {
            return Ok(old.addr);
        }
        let old = self.extent();
        let new = store.alloc_raw(self.size)?;
        if !overwritten {
            match old {
                Some(old) => copy(store, old, new.addr)?,
                None => fill_block(store, new, fill)?,
            }
        }
        if let Some(old) = old {
            store.free_raw(old);
        }
        self.addr = Some(new.addr);
        Ok(new.addr)
    }

    /// Allocates and fills the block now, where it has none.
    pub(crate) fn allocate(&mut self, store: &mut Store, fill: Fill<'_>) -> Result<()> {
        if self.size > 0 {
            self.writable(store, fill, false)?;
        }
        Ok(())
    }

    /// Reads the selected elements into the dense array `out`.
    pub(crate) fn read(
        &self,
        store: &Store,
        shape: Shape<'_>,
        selection: &Resolved,
        out: &mut [u8],
    ) -> Result<()> {
        let element = shape.fill.element_size();
        let Some(extent) = self.extent() else {
            shape.fill.put(out);
            return Ok(());
        };
        store.check_bounds(extent, "contiguous data")?;
        let mut batch = Batch::new("contiguous data");
        for_each_run(shape.dims, element, selection, &mut |at, dense, len| {
            let (at, to) = (extent.addr.plus(at), dense..dense + len);
            if len < LONG_RUN {
                return store.read_into(at, &mut out[to], "contiguous data");
            }
            batch.plain(store, at, to)?;
            match batch.is_full() {
                true => batch.read(store, out),
                false => Ok(()),
            }
        })?;
        batch.read(store, out)
    }
}

fn copy(store: &mut Store, from: Extent, to: Addr) -> Result<()> {
    store.check_bounds(from, "contiguous data")?;
    let mut done = 0;
    while done < from.len {
        let len = (from.len - done).min(PIECE);
        let piece = store.read(Extent::new(from.addr.plus(done), len), "contiguous data")?;
        store.write_now(to.plus(done), &piece)?;
        done += len;
    }
    Ok(())
}

fn fill_block(store: &mut Store, block: Extent, fill: Fill<'_>) -> Result<()> {
    let element = fill.element_size();
    let elements = (PIECE as usize / element).max(1);
    let piece = fill.repeat(elements.min((block.len / element as u64) as usize));
    let mut done = 0;
    while done < block.len {
        let len = (block.len - done).min(piece.len() as u64);
        store.write_now(block.addr.plus(done), &piece[..len as usize])?;
        done += len;
    }
    Ok(())
}
