//! III.G. The fractal heap.
//!
//! ```text
//! header, widths 8, without filters:          direct block:
//!    0  4  signature "FRHP"                      0  4  signature "FHDB"
//!    4  1  version 0                             4  1  version 0
//!    5  2  heap ID length                        5  O  heap header address
//!    7  2  I/O filters' encoded length           +  v  block offset (v: bytes for the maximum heap size)
//!    9  1  flags: 1 huge IDs wrapped,            +  4  checksum, where the heap's flags say so: over the whole
//!              2 direct blocks are checksummed         block with this field zero
//!   10  4  maximum size of managed objects       +     objects
//!   14  L  next huge object ID
//!   22  O  v2 B-tree of huge objects           indirect block:
//!   30  L  free space in managed blocks          0  4  signature "FHIB"
//!   38  O  managed block free space manager      4  1  version 0
//!   46  L  managed space in heap                 5  O  heap header address
//!   54  L  allocated managed space               +  v  block offset
//!   62  L  direct block allocation iterator      +  O  child address, for each block of each row; for direct
//!   70  L  managed objects                             blocks of a filtered heap with its filtered size (L)
//!   78  L  size of huge objects                        and filter mask (4)
//!   86  L  huge objects                          +  4  checksum
//!   94  L  size of tiny objects
//!  102  L  tiny objects
//!  110  2  table width
//!  112  L  starting block size
//!  120  L  maximum direct block size
//!  128  2  maximum heap size, in bits
//!  130  2  starting rows in root indirect block
//!  132  O  root block address
//!  140  2  current rows in root indirect block (0: the root is a direct block)
//!    +  L  filtered size of a root direct block, only with filters; then 4 filter mask, then the filters
//!  142  4  checksum
//! ```

mod doubling_table;
pub(crate) mod heap_id;

pub(crate) use doubling_table::DoublingTable;
pub(crate) use heap_id::HeapId;

use crate::bytes::{Addr, Put, Take, UNDEFINED, Widths, lookup3};
use crate::error::{Error, Result};
use alloc::vec::Vec;

const HEADER: &str = "fractal heap header";
const DIRECT: &str = "fractal heap direct block";
const INDIRECT: &str = "fractal heap indirect block";

const HUGE_IDS_WRAPPED: u8 = 1;
const CHECKSUMMED: u8 = 2;

/// The filters of a heap, and the state of a filtered root direct block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeapFilters {
    pub(crate) root_size: u64,
    pub(crate) root_mask: u32,
    /// A filter pipeline message.
    pub(crate) pipeline: Vec<u8>,
}

/// III.G, "Fractal Heap Header".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id_length: u16,
    pub(crate) filters: Option<HeapFilters>,
    pub(crate) huge_ids_wrapped: bool,
    /// Whether direct blocks carry a checksum.
    pub(crate) checksummed: bool,
    pub(crate) max_managed_size: u32,
    pub(crate) next_huge_id: u64,
    pub(crate) huge_tree: Option<Addr>,
    pub(crate) managed_free: u64,
    pub(crate) free_space_manager: Option<Addr>,
    /// The heap's address space that the root block covers.
    pub(crate) managed_size: u64,
    /// The bytes of all direct blocks.
    pub(crate) managed_allocated: u64,
    /// The offset at which the next direct block is made; 0 while the root is a direct block.
    pub(crate) iterator_offset: u64,
    pub(crate) managed_count: u64,
    pub(crate) huge_size: u64,
    pub(crate) huge_count: u64,
    pub(crate) tiny_size: u64,
    pub(crate) tiny_count: u64,
    pub(crate) table: DoublingTable,
    pub(crate) starting_root_rows: u16,
    pub(crate) root: Option<Addr>,
    /// 0 while the root is a direct block.
    pub(crate) root_rows: u16,
}

impl Header {
    /// The bytes of a header without filters.
    pub(crate) fn base_size(widths: Widths) -> u64 {
        26 + 3 * u64::from(widths.offset) + 12 * u64::from(widths.length)
    }

    pub(crate) fn size(&self, widths: Widths) -> u64 {
        let filters = self.filters.as_ref().map_or(0, |filters| {
            u64::from(widths.length) + 4 + filters.pipeline.len() as u64
        });
        Self::base_size(widths) + filters
    }

    /// The whole size of a header, read from its first 9 bytes.
    pub(crate) fn size_from_prefix(prefix: &[u8], widths: Widths, offset: u64) -> Result<u64> {
        let mut take = Take::new(prefix, HEADER, offset);
        take.signature(b"FRHP")?;
        take.version(0)?;
        let _id_length = take.u16()?;
        let filters = u64::from(take.u16()?);
        let extra = match filters {
            0 => 0,
            _ => u64::from(widths.length) + 4 + filters,
        };
        Ok(Self::base_size(widths) + extra)
    }

    pub(crate) fn encode(&self, widths: Widths) -> Vec<u8> {
        let pipeline_length = self.filters.as_ref().map_or(0, |f| f.pipeline.len());
        let mut out = Vec::with_capacity(self.size(widths) as usize);
        out.put_bytes(b"FRHP");
        out.put_u8(0);
        out.put_u16(self.id_length);
        out.put_uint(pipeline_length as u64, 2);
        let wrapped = if self.huge_ids_wrapped {
            HUGE_IDS_WRAPPED
        } else {
            0
        };
        let checksummed = if self.checksummed { CHECKSUMMED } else { 0 };
        out.put_u8(wrapped | checksummed);
        out.put_u32(self.max_managed_size);
        out.put_len(self.next_huge_id, widths);
        out.put_addr(self.huge_tree, widths);
        out.put_len(self.managed_free, widths);
        out.put_addr(self.free_space_manager, widths);
        for statistic in [
            self.managed_size,
            self.managed_allocated,
            self.iterator_offset,
            self.managed_count,
            self.huge_size,
            self.huge_count,
            self.tiny_size,
            self.tiny_count,
        ] {
            out.put_len(statistic, widths);
        }
        out.put_u16(self.table.width);
        out.put_len(self.table.starting_block_size, widths);
        out.put_len(self.table.max_direct_block_size, widths);
        out.put_u16(self.table.max_heap_size);
        out.put_u16(self.starting_root_rows);
        out.put_addr(self.root, widths);
        out.put_u16(self.root_rows);
        if let Some(filters) = &self.filters {
            out.put_len(filters.root_size, widths);
            out.put_u32(filters.root_mask);
            out.put_bytes(&filters.pipeline);
        }
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    pub(crate) fn decode(bytes: &[u8], widths: Widths, offset: u64) -> Result<Self> {
        let mut take = Take::new(bytes, HEADER, offset);
        take.signature(b"FRHP")?;
        take.version(0)?;
        let id_length = take.u16()?;
        let pipeline_length = usize::from(take.u16()?);
        let flags = take.u8()?;
        let mut header = Self {
            id_length,
            filters: None,
            huge_ids_wrapped: flags & HUGE_IDS_WRAPPED != 0,
            checksummed: flags & CHECKSUMMED != 0,
            max_managed_size: take.u32()?,
            next_huge_id: take.len(widths)?,
            huge_tree: take.addr(widths)?,
            managed_free: take.len(widths)?,
            free_space_manager: take.addr(widths)?,
            managed_size: take.len(widths)?,
            managed_allocated: take.len(widths)?,
            iterator_offset: take.len(widths)?,
            managed_count: take.len(widths)?,
            huge_size: take.len(widths)?,
            huge_count: take.len(widths)?,
            tiny_size: take.len(widths)?,
            tiny_count: take.len(widths)?,
            table: DoublingTable {
                width: take.u16()?,
                starting_block_size: take.len(widths)?,
                max_direct_block_size: take.len(widths)?,
                max_heap_size: take.u16()?,
            },
            starting_root_rows: take.u16()?,
            root: take.addr(widths)?,
            root_rows: take.u16()?,
        };
        if pipeline_length > 0 {
            header.filters = Some(HeapFilters {
                root_size: take.len(widths)?,
                root_mask: take.u32()?,
                pipeline: take.bytes(pipeline_length)?.to_vec(),
            });
        }
        take.checksum()?;
        header.check().map_err(|error| error.at(offset))?;
        Ok(header)
    }

    fn check(&self) -> Result<()> {
        self.table.check()?;
        let wrong = |reason| Err(Error::corrupt(HEADER, reason));
        let max_rows = self.table.max_root_rows();
        if u32::from(self.root_rows) > max_rows || u32::from(self.starting_root_rows) > max_rows {
            return wrong("more rows than the maximum heap size allows");
        }
        if u64::from(self.max_managed_size) > self.table.max_direct_block_size {
            return wrong("the maximum managed object is larger than a direct block");
        }
        let smallest = 1 + self.offset_bytes() + self.length_bytes();
        if self.id_length < u16::from(smallest) || self.id_length > 4097 {
            return wrong("the heap ID length is out of range");
        }
        if self.managed_size > 1 << self.table.max_heap_size {
            return wrong("the managed space is larger than the maximum heap size");
        }
        Ok(())
    }

    /// The bytes of an offset in heap IDs and blocks.
    pub(crate) fn offset_bytes(&self) -> u8 {
        self.table.max_heap_size.div_ceil(8) as u8
    }

    /// The bytes of a managed object's length in its heap ID.
    pub(crate) fn length_bytes(&self) -> u8 {
        let direct = self
            .table
            .max_direct_block_size
            .trailing_zeros()
            .div_ceil(8);
        let managed = (31 - self.max_managed_size.max(1).leading_zeros()) / 8 + 1;
        direct.min(managed) as u8
    }

    /// What a direct block spends before its first object.
    pub(crate) fn direct_overhead(&self, widths: Widths) -> u64 {
        let checksum = if self.checksummed { 4 } else { 0 };
        5 + u64::from(widths.offset) + u64::from(self.offset_bytes()) + checksum
    }

    /// The bytes of an indirect block of `rows` rows.
    pub(crate) fn indirect_size(&self, rows: u32, widths: Widths) -> u64 {
        let offset = u64::from(widths.offset);
        let direct_rows = rows.min(self.table.max_direct_rows());
        let filtered = match self.filters {
            Some(_) => u64::from(widths.length) + 4,
            None => 0,
        };
        let width = u64::from(self.table.width);
        let children = u64::from(rows) * width * offset + u64::from(direct_rows) * width * filtered;
        5 + offset + u64::from(self.offset_bytes()) + children + 4
    }
}

/// III.G, "Fractal Heap Indirect Block".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndirectBlock {
    /// Where the block begins in the heap's address space.
    pub(crate) offset: u64,
    /// Row by row.
    pub(crate) children: Vec<Option<Addr>>,
    /// Filtered size and filter mask of the direct blocks; empty in a heap without filters.
    pub(crate) filtered: Vec<(u64, u32)>,
}

impl IndirectBlock {
    pub(crate) fn encode(&self, header: &Header, header_at: Addr, widths: Widths) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_bytes(b"FHIB");
        out.put_u8(0);
        out.put_addr(Some(header_at), widths);
        out.put_uint(self.offset, header.offset_bytes());
        for (entry, child) in self.children.iter().enumerate() {
            out.put_addr(*child, widths);
            if let Some((size, mask)) = self.filtered.get(entry) {
                out.put_len(*size, widths);
                out.put_u32(*mask);
            }
        }
        let checksum = lookup3(&out);
        out.put_u32(checksum);
        out
    }

    /// Decodes a block of `rows` rows that begins at `offset` of the heap and stands at `at`.
    pub(crate) fn decode(
        bytes: &[u8],
        header: &Header,
        header_at: Addr,
        (offset, rows): (u64, u32),
        widths: Widths,
        at: Addr,
    ) -> Result<Self> {
        let mut take = Take::new(bytes, INDIRECT, at.get());
        take.signature(b"FHIB")?;
        take.version(0)?;
        if take.addr(widths)? != Some(header_at) {
            return Err(take.error("belongs to another heap"));
        }
        if take.uint(header.offset_bytes())? != offset {
            return Err(take.error("stands elsewhere in its heap"));
        }
        let width = usize::from(header.table.width);
        let direct = rows.min(header.table.max_direct_rows()) as usize * width;
        let (mut children, mut filtered) = (Vec::new(), Vec::new());
        for entry in 0..rows as usize * width {
            children.push(take.addr(widths)?);
            if header.filters.is_some() && entry < direct {
                filtered.push((take.len(widths)?, take.u32()?));
            }
        }
        take.checksum()?;
        Ok(Self {
            offset,
            children,
            filtered,
        })
    }
}

/// III.G, "Fractal Heap Direct Block": the bytes before the first object. A checksum is left zero.
pub(crate) fn encode_direct_prefix(
    header: &Header,
    header_at: Addr,
    offset: u64,
    widths: Widths,
) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_bytes(b"FHDB");
    out.put_u8(0);
    out.put_addr(Some(header_at), widths);
    out.put_uint(offset, header.offset_bytes());
    if header.checksummed {
        out.put_u32(0);
    }
    out
}

/// Checks the prefix of the direct block at `offset` of the heap, and the checksum of `bytes`, the whole block, where
/// the heap has checksums.
pub(crate) fn check_direct(
    bytes: &[u8],
    header: &Header,
    header_at: Addr,
    offset: u64,
    widths: Widths,
    at: Addr,
) -> Result<()> {
    let mut take = Take::new(bytes, DIRECT, at.get());
    take.signature(b"FHDB")?;
    take.version(0)?;
    if take.addr(widths)? != Some(header_at) {
        return Err(take.error("belongs to another heap"));
    }
    if take.uint(header.offset_bytes())? != offset {
        return Err(take.error("stands elsewhere in its heap"));
    }
    if header.checksummed {
        let field = take.position();
        let expected = take.u32()?;
        if direct_checksum(bytes, field) != expected {
            return Err(take.error("wrong checksum"));
        }
    }
    Ok(())
}

/// The checksum of a direct block whose checksum field stands at `field`.
pub(crate) fn direct_checksum(bytes: &[u8], field: usize) -> u32 {
    let mut bytes = bytes.to_vec();
    bytes[field..field + 4].fill(0);
    lookup3(&bytes)
}

/// The largest number an encoded ID of `bytes` bytes can hold.
pub(crate) fn largest(bytes: u8) -> u64 {
    UNDEFINED >> (64 - 8 * u32::from(bytes.clamp(1, 8)))
}

#[cfg(test)]
mod tests;
