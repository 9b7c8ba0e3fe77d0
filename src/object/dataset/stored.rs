//! The data of a dataset as the file stores them, for a copy that does not look into them.

use super::{Data, Dataset, index_shape};
use crate::bytes::Extent;
use crate::chunk::Grid;
use crate::error::{Error, Result};
use crate::format::libver::LibVer;
use crate::format::message::layout::{
    ChunkedLayout, IndexLayout, Layout, LayoutClass, UNFILTERED_EDGES,
};
use crate::index::{self, ChunkRecord};
use crate::object::chunks::Chunks;
use crate::selection::Resolved;
use crate::store::Store;
use alloc::vec;
use alloc::vec::Vec;

/// The data of a dataset, and where they are.
#[derive(Debug)]
pub(crate) enum Stored {
    Compact(Vec<u8>),
    /// One block, or none yet.
    Contiguous {
        block: Option<Extent>,
        size: u64,
    },
    Chunked(StoredChunks),
}

/// The chunks of a dataset in the order of its index.
#[derive(Debug)]
pub(crate) struct StoredChunks {
    /// The scaled coordinates of each chunk, one behind the other.
    places: Vec<u64>,
    records: Vec<ChunkRecord>,
    rank: usize,
}

impl StoredChunks {
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Where the chunk of a number is, in the dataset and in the file.
    pub(crate) fn get(&self, number: usize) -> (&[u64], ChunkRecord) {
        let at = number * self.rank;
        (&self.places[at..at + self.rank], self.records[number])
    }
}

/// The chunks of a copy, in an index of its own.
#[derive(Debug)]
pub(crate) struct NewChunks {
    chunks: Chunks,
    flags: u8,
    element_size: u32,
}

impl NewChunks {
    pub(crate) fn grid(&self) -> &Grid {
        &self.chunks.grid
    }

    pub(crate) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Stores a chunk as it is to stand in the file, with the mask of the filters left out.
    pub(crate) fn put(
        &mut self,
        store: &mut Store,
        at: &[u64],
        bytes: Vec<u8>,
        mask: u32,
    ) -> Result<()> {
        self.chunks.put_stored(store, at, &bytes, mask).map(drop)
    }

    /// Stages the index and says the layout.
    pub(crate) fn stage(&mut self, store: &mut Store) -> Result<Layout> {
        let index = self.chunks.stage(store)?;
        let version = match index {
            IndexLayout::BTreeV1 { .. } => 3,
            _ => 4,
        };
        Ok(Layout {
            version,
            class: LayoutClass::Chunked(ChunkedLayout {
                flags: self.flags,
                chunk: self.chunks.grid.chunk().to_vec(),
                element_size: self.element_size,
                index,
            }),
        })
    }

    /// Gives everything back.
    pub(crate) fn free_all(&mut self, store: &mut Store) -> Result<()> {
        self.chunks.free_all(store)
    }
}

impl Dataset {
    /// The data as the file stores them; what waits in memory has been written.
    pub(crate) fn stored(&mut self, store: &Store) -> Result<Stored> {
        Ok(match &mut self.data {
            Data::Compact(data) => Stored::Compact(data.to_vec()),
            Data::Contiguous(contiguous) => Stored::Contiguous {
                block: contiguous.extent(),
                size: contiguous.size,
            },
            Data::Chunked { chunks, .. } => {
                let mut stored = StoredChunks {
                    places: Vec::new(),
                    records: Vec::new(),
                    rank: chunks.grid.rank(),
                };
                let counts = chunks.grid.counts(&self.space.dims);
                chunks.for_each_stored(store, &mut |at, record| {
                    // An index that allocates its chunks at once has some for the largest extent, too.
                    if at.iter().zip(&counts).all(|(at, count)| at < count) {
                        stored.places.extend_from_slice(at);
                        stored.records.push(record);
                    }
                    Ok(())
                })?;
                Stored::Chunked(stored)
            }
            Data::Virtual(_) | Data::External(_) => {
                return Err(Error::unsupported("copying data that are elsewhere"));
            }
        })
    }

    /// What is selected of the elements that stand in the file, one part for each chunk; all others are the fill value. What
    /// waits in memory has been written.
    pub(crate) fn stored_parts(
        &mut self,
        store: &Store,
        selection: &Resolved,
    ) -> Result<Vec<Resolved>> {
        let chunks = match self.stored(store)? {
            Stored::Contiguous { block: None, .. } => return Ok(Vec::new()),
            Stored::Compact(_) | Stored::Contiguous { .. } => return Ok(vec![selection.clone()]),
            Stored::Chunked(chunks) => chunks,
        };
        let shape = self.chunk().unwrap_or_default();
        let parts = (0..chunks.len()).filter_map(|number| {
            let (at, _) = chunks.get(number);
            let start: Vec<u64> = at.iter().zip(shape).map(|(at, len)| at * len).collect();
            selection.within(&start, shape)
        });
        Ok(parts.collect())
    }

    /// Refuses a chunk that cannot be what it stands for, as far as its size and its mask tell.
    pub(crate) fn check_stored(&self, at: &[u64], record: ChunkRecord) -> Result<()> {
        match &self.data {
            Data::Chunked { chunks, .. } => chunks.check_stored(at, &self.space.dims, record),
            _ => Ok(()),
        }
    }

    /// Whether chunks that reach beyond the extent go unfiltered, which readers before 1.10 do not know.
    pub(crate) fn has_raw_edges(&self) -> bool {
        matches!(self.data, Data::Chunked { flags, .. } if flags & UNFILTERED_EDGES != 0)
    }

    /// The chunks of a copy of this dataset in the file of `store`, none yet; `None` where the layout is another.
    pub(crate) fn new_chunks(&self, store: &Store) -> Result<Option<NewChunks>> {
        let Data::Chunked { chunks, flags } = &self.data else {
            return Ok(None);
        };
        let grid = chunks.grid.clone();
        let pipeline = chunks.pipeline.clone();
        let (dims, max_dims, widths) = (&self.space.dims, &self.max_dims, store.widths());
        let shape = index_shape(&grid, &pipeline, dims, max_dims, false, widths);
        let flags = flags & UNFILTERED_EDGES;
        let index = match store.bound {
            // The flag is one of layout version 4.
            LibVer::V110 => index::choose(&shape),
            _ if flags != 0 => index::choose(&shape),
            _ => index::choose_v18(store, &shape)?,
        };
        let rank = grid.rank();
        let chunks = Chunks::new(grid, pipeline, index, vec![0; rank]);
        Ok(Some(NewChunks {
            chunks: chunks.with_raw_edges(flags != 0),
            flags,
            element_size: self.datatype.size(),
        }))
    }

    /// The version of the layout message, as far as it matters to compact and contiguous data.
    pub(crate) fn layout_version(&self) -> u8 {
        self.layout_version.max(3)
    }

    /// One element of the fill value.
    pub(crate) fn fill(&self) -> &[u8] {
        &self.fill
    }
}
