//! III.G. The doubling table: how the heap's address space is cut into blocks.
//!
//! ```text
//! row 0        width blocks of the starting size
//! row 1        width blocks of the starting size
//! row 2        width blocks of twice that, and so on
//! ```
//!
//! Rows up to the maximum direct block size hold direct blocks; each block of a row beyond is an indirect block, which
//! cuts its own part of the address space by the same table.

use crate::error::{Error, Result};
use alloc::vec;

const NAME: &str = "fractal heap header";

/// The fields that fix the table for the life of a heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoublingTable {
    /// Blocks in a row.
    pub(crate) width: u16,
    pub(crate) starting_block_size: u64,
    pub(crate) max_direct_block_size: u64,
    /// The size of the heap's address space, in bits.
    pub(crate) max_heap_size: u16,
}

impl DoublingTable {
    /// What the arithmetic below rests on; a decoded table has passed this.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |reason| Err(Error::corrupt(NAME, reason));
        if !self.width.is_power_of_two() {
            return wrong("the table width is not a power of two");
        }
        if !self.starting_block_size.is_power_of_two()
            || !self.max_direct_block_size.is_power_of_two()
        {
            return wrong("a block size is not a power of two");
        }
        if self.max_direct_block_size < self.starting_block_size
            || self.max_direct_block_size > 1 << 31
        {
            return wrong("the maximum direct block size is out of range");
        }
        let bits = u32::from(self.max_heap_size);
        if bits > 63 || bits < self.first_row_bits() {
            return wrong("the maximum heap size is out of range");
        }
        Ok(())
    }

    fn first_row_bits(&self) -> u32 {
        self.starting_block_size.trailing_zeros() + self.width.trailing_zeros()
    }

    /// The rows a root indirect block can have.
    pub(crate) fn max_root_rows(&self) -> u32 {
        u32::from(self.max_heap_size) - self.first_row_bits() + 1
    }

    /// The rows of direct blocks an indirect block can have.
    pub(crate) fn max_direct_rows(&self) -> u32 {
        self.max_direct_block_size.trailing_zeros() - self.starting_block_size.trailing_zeros() + 2
    }

    /// The size of a block in `row` (below [`max_root_rows`](Self::max_root_rows)).
    pub(crate) fn block_size(&self, row: u32) -> u64 {
        self.starting_block_size << row.saturating_sub(1)
    }

    /// Where `row` begins in its indirect block's part of the address space; also the size of `row` rows.
    pub(crate) fn row_offset(&self, row: u32) -> u64 {
        match row {
            0 => 0,
            _ => (self.starting_block_size * u64::from(self.width)) << (row - 1),
        }
    }

    /// The row and column of an offset in an indirect block's part of the address space.
    pub(crate) fn locate(&self, offset: u64) -> (u32, u32) {
        let first_row = self.row_offset(1);
        if offset < first_row {
            return (0, (offset / self.starting_block_size) as u32);
        }
        let high_bit = 63 - offset.leading_zeros();
        let row = high_bit - self.first_row_bits() + 1;
        let column = (offset - (1 << high_bit)) / self.block_size(row);
        (row, column as u32)
    }

    /// The rows of the indirect block that stands in `row` of its parent.
    pub(crate) fn child_rows(&self, row: u32) -> u32 {
        // At least 1: indirect rows lie above the direct rows, and a table whose width leaves nothing is refused
        // by the block that would hold it.
        (self.block_size(row).trailing_zeros() + 1).saturating_sub(self.first_row_bits())
    }

    /// The first row whose blocks have at least `size` bytes.
    pub(crate) fn row_of_size(&self, size: u64) -> u32 {
        let mut row = 0;
        while self.block_size(row) < size {
            row += if row == 0 { 2 } else { 1 };
        }
        row
    }

    /// The bytes for objects in all direct blocks of the first `rows` rows, allocated or not.
    pub(crate) fn capacity(&self, rows: u32, overhead: u64) -> u64 {
        let width = u64::from(self.width);
        let mut of_rows = vec![0u64];
        for row in 0..rows {
            let block = if row < self.max_direct_rows() {
                self.block_size(row).saturating_sub(overhead)
            } else {
                of_rows[self.child_rows(row).min(row) as usize]
            };
            let before = of_rows[row as usize];
            of_rows.push(before.saturating_add(block.saturating_mul(width)));
        }
        of_rows[rows as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const LINKS: DoublingTable = DoublingTable {
        width: 4,
        starting_block_size: 512,
        max_direct_block_size: 65536,
        max_heap_size: 32,
    };

    #[test]
    fn rows_double_after_the_second() {
        let sizes: Vec<u64> = (0..5).map(|row| LINKS.block_size(row)).collect();
        assert_eq!(sizes, [512, 512, 1024, 2048, 4096]);
        let offsets: Vec<u64> = (0..5).map(|row| LINKS.row_offset(row)).collect();
        assert_eq!(offsets, [0, 2048, 4096, 8192, 16384]);
        assert_eq!(LINKS.max_direct_rows(), 9);
        assert_eq!(LINKS.max_root_rows(), 22);
        assert_eq!(
            LINKS.row_offset(22),
            1 << 32,
            "the rows cover the address space exactly"
        );
    }

    #[test]
    fn every_block_is_located_at_its_first_and_last_byte() {
        let mut offset = 0;
        for row in 0..LINKS.max_root_rows() {
            for column in 0..4 {
                assert_eq!(LINKS.locate(offset), (row, column));
                offset += LINKS.block_size(row);
                assert_eq!(LINKS.locate(offset - 1), (row, column));
            }
        }
        assert_eq!(offset, 1 << 32);
    }

    #[test]
    fn an_indirect_block_covers_what_its_entry_covers() {
        for row in LINKS.max_direct_rows()..LINKS.max_root_rows() {
            assert_eq!(
                LINKS.row_offset(LINKS.child_rows(row)),
                LINKS.block_size(row)
            );
        }
        assert_eq!(LINKS.child_rows(9), 7);
    }

    #[test]
    fn the_row_of_a_size_is_the_first_that_fits() {
        assert_eq!(LINKS.row_of_size(1), 0);
        assert_eq!(LINKS.row_of_size(512), 0);
        assert_eq!(LINKS.row_of_size(513), 2);
        assert_eq!(LINKS.row_of_size(1024), 2);
        assert_eq!(LINKS.row_of_size(8192), 5);
    }

    #[test]
    fn capacity_counts_the_direct_blocks_below_indirect_rows() {
        assert_eq!(LINKS.capacity(1, 21), 4 * 491);
        assert_eq!(LINKS.capacity(2, 21), 8 * 491);
        let nested = LINKS.capacity(10, 21) - LINKS.capacity(9, 21);
        assert_eq!(nested, 4 * LINKS.capacity(7, 21));
    }

    #[test]
    fn tables_that_break_the_arithmetic_are_refused() {
        let good = LINKS;
        assert!(good.check().is_ok());
        for bad in [
            DoublingTable { width: 3, ..good },
            DoublingTable { width: 0, ..good },
            DoublingTable {
                starting_block_size: 0,
                ..good
            },
            DoublingTable {
                starting_block_size: 1 << 17,
                ..good
            },
            DoublingTable {
                max_direct_block_size: 1 << 32,
                ..good
            },
            DoublingTable {
                max_heap_size: 64,
                ..good
            },
            DoublingTable {
                max_heap_size: 10,
                ..good
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
