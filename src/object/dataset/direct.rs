//! Chunks as they stand in the file.

use super::{Data, Dataset};
use crate::bytes::Addr;
use crate::chunk::Fill;
use crate::error::{Error, Result};
use crate::object::chunks::{Chunks, Shape};
use crate::object::engine::Engine;
use crate::store::Store;
use alloc::vec::Vec;

impl Dataset {
    fn direct(&mut self) -> Result<(&mut Chunks, Shape<'_>)> {
        let shape = Shape {
            dims: &self.space.dims,
            max_dims: &self.max_dims,
            fill: Fill::new(&self.fill, self.datatype.size() as usize),
        };
        match &mut self.data {
            Data::Chunked { chunks, .. } => Ok((&mut **chunks, shape)),
            _ => Err(Error::invalid("the dataset has no chunks")),
        }
    }

    fn check_write_chunk(&mut self, offset: &[u64], mask: u32, len: usize) -> Result<()> {
        let heap = self.datatype.contains_var_len();
        let (chunks, shape) = self.direct()?;
        if heap {
            return Err(Error::unsupported(
                "a chunk of elements of variable length as it is to be stored",
            ));
        }
        chunks.check_direct(offset, shape.dims, mask, len as u64)
    }

    fn write_chunk(
        &mut self,
        store: &mut Store,
        offset: &[u64],
        mask: u32,
        bytes: &[u8],
    ) -> Result<()> {
        let (chunks, shape) = self.direct()?;
        chunks.write_direct(store, shape, offset, mask, bytes)
    }

    fn read_chunk(&mut self, store: &mut Store, offset: &[u64]) -> Result<(u32, Vec<u8>)> {
        let (chunks, shape) = self.direct()?;
        chunks.read_direct(store, shape.dims, offset)
    }
}

impl Engine {
    /// Stores a chunk as it is, with the filters of `mask` left out.
    pub(crate) fn write_chunk(
        &mut self,
        addr: Addr,
        offset: &[u64],
        mask: u32,
        bytes: &[u8],
    ) -> Result<()> {
        self.dataset(addr)?
            .check_write_chunk(offset, mask, bytes.len())?;
        self.check_editable(addr)?;
        self.change(|engine| {
            let (object, store, _) = engine.touch(addr)?;
            match &mut object.dataset {
                Some(dataset) => {
                    dataset.make_editable(store)?;
                    dataset.write_chunk(store, offset, mask, bytes)
                }
                None => Err(object.not_a_dataset()),
            }
        })
    }

    /// The bytes of a chunk as they are stored, and the mask of the filters that were left out.
    pub(crate) fn read_chunk(&mut self, addr: Addr, offset: &[u64]) -> Result<(u32, Vec<u8>)> {
        let (object, store, _) = self.parts(addr)?;
        match &mut object.dataset {
            Some(dataset) => dataset.read_chunk(store, offset),
            None => Err(object.not_a_dataset()),
        }
    }
}
