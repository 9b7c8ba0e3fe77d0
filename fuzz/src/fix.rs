//! Puts the checksums of a mutated file right, so that what stands behind them is tried.
//!
//! Where a signature is found, the structure's length follows from its own fields, or from the header that leads to it:
//! continuations of object headers, nodes of version 2 B-trees, blocks of fractal heaps, arrays and free-space managers.

use crate::checksum::lookup3;

/// The file, and the widths and base address its superblock says.
struct Image<'a> {
    bytes: &'a mut [u8],
    base: usize,
    offset: usize,
    length: usize,
    left: usize,
}

/// Puts the checksums right, in place.
pub(crate) fn fix(bytes: &mut [u8]) {
    let mut at = 0;
    let base = loop {
        match bytes.get(at..at + 16) {
            Some(start) if start.starts_with(b"\x89HDF\r\n\x1a\n") => break at,
            Some(_) => at = if at == 0 { 512 } else { at * 2 },
            None => return,
        }
    };
    let sizes = if bytes[base + 8] < 2 {
        base + 13
    } else {
        base + 9
    };
    let (offset, length) = (bytes[sizes] as usize, bytes[sizes + 1] as usize);
    if !matches!(offset, 2 | 4 | 8) || !matches!(length, 2 | 4 | 8) {
        return;
    }
    let mut image = Image {
        bytes,
        base,
        offset,
        length,
        left: 20_000,
    };
    if image.bytes[base + 8] >= 2 {
        image.seal(base, 12 + 4 * offset);
    }
    for at in 0..image.bytes.len().saturating_sub(8) {
        let signature: [u8; 4] = image.bytes[at..at + 4].try_into().expect("four bytes");
        let _ = match &signature {
            b"OHDR" => image.object_header(at),
            b"BTHD" => image.btree(at),
            b"FRHP" => image.heap(at),
            b"FAHD" => image.fixed_array(at),
            b"EAHD" => image.extensible_array(at),
            b"FSHD" => image.free_space(at),
            _ => None,
        };
    }
}

impl Image<'_> {
    /// Writes the checksum that stands `len` bytes behind `at`.
    fn seal(&mut self, at: usize, len: usize) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let end = at.checked_add(len)?;
        let sum = lookup3(self.bytes.get(at..end)?).to_le_bytes();
        self.bytes
            .get_mut(end..end.checked_add(4)?)?
            .copy_from_slice(&sum);
        Some(())
    }

    fn number(&self, at: usize, width: usize) -> Option<usize> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let wide = bytes
            .iter()
            .rev()
            .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        usize::try_from(wide)
            .ok()
            .filter(|&number| number <= 1 << 24)
    }

    /// A place in the file that an address leads to; `None` for the undefined one.
    fn address(&self, at: usize) -> Option<usize> {
        let place = self.number(at, self.offset)?.checked_add(self.base)?;
        (place < self.bytes.len()).then_some(place)
    }

    fn is(&self, at: usize, signature: &[u8; 4]) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(signature))
    }

    fn object_header(&mut self, at: usize) -> Option<()> {
        let flags = self.number(at + 5, 1)?;
        let width = 1 << (flags & 3);
        let prefix =
            6 + if flags & 0x20 != 0 { 16 } else { 0 } + if flags & 0x10 != 0 { 4 } else { 0 };
        let size = self.number(at + prefix, width)?;
        self.seal(at, prefix + width + size)?;
        let start = at + prefix + width;
        self.messages(start, start + size, flags & 4 != 0, 40)
    }

    /// Goes through messages for what they lead to.
    fn messages(&mut self, mut at: usize, end: usize, ordered: bool, depth: usize) -> Option<()> {
        let head = if ordered { 6 } else { 4 };
        while depth > 0 && at + head <= end {
            let (kind, size) = (self.number(at, 1)?, self.number(at + 1, 2)?);
            let data = at + head;
            if kind == 0x10 {
                self.left = self.left.checked_sub(1)?;
                let (block, len) = (
                    self.address(data),
                    self.number(data + self.offset, self.length)?,
                );
                if let (Some(block), true) = (block, len > 8)
                    && self.is(block, b"OCHK")
                {
                    self.seal(block, len - 4);
                    self.messages(
                        block + 4,
                        (block + len - 4).min(self.bytes.len()),
                        ordered,
                        depth - 1,
                    );
                }
            }
            if kind == 0x0f
                && let (Some(table), Some(count)) = (
                    self.address(data + 1),
                    self.number(data + 1 + self.offset, 1),
                )
                && self.is(table, b"SMTB")
            {
                self.seal(table, 4 + count * (14 + 2 * self.offset));
            }
            at = data + size;
        }
        Some(())
    }

    fn btree(&mut self, at: usize) -> Option<()> {
        let (node, record, depth) = (
            self.number(at + 6, 4)?,
            self.number(at + 10, 2)?,
            self.number(at + 12, 2)?,
        );
        let root = self.address(at + 16);
        let count = self.number(at + 16 + self.offset, 2)?;
        self.seal(at, 18 + self.offset + self.length)?;
        let leaf_max = node.checked_sub(10)?.checked_div(record)?;
        let count_width = bytes_for(leaf_max);
        // The size of a pointer to a node of each depth.
        let (mut pointers, mut all) = (vec![self.offset + count_width], leaf_max as u128);
        for _ in 1..depth.min(16) {
            let pointer = *pointers.last()?;
            let max = node.saturating_sub(10 + pointer) / (record + pointer).max(1);
            all = (max as u128 + 1)
                .saturating_mul(all)
                .saturating_add(max as u128);
            pointers.push(
                self.offset + count_width + bytes_for(usize::try_from(all).unwrap_or(usize::MAX)),
            );
        }
        self.btree_node(root?, count, depth.min(16), record, count_width, &pointers)
    }

    fn btree_node(
        &mut self,
        at: usize,
        count: usize,
        depth: usize,
        record: usize,
        width: usize,
        pointers: &[usize],
    ) -> Option<()> {
        let records = 6 + count * record;
        self.left = self.left.checked_sub(1)?;
        let Some(below) = depth.checked_sub(1) else {
            return self.is(at, b"BTLF").then(|| self.seal(at, records))?;
        };
        if !self.is(at, b"BTIN") {
            return None;
        }
        let pointer = pointers[below];
        self.seal(at, records + (count + 1) * pointer)?;
        for child in 0..=count {
            let entry = at + records + child * pointer;
            if let (Some(place), Some(count)) =
                (self.address(entry), self.number(entry + self.offset, width))
            {
                self.btree_node(place, count, below, record, width, pointers);
            }
        }
        Some(())
    }

    fn heap(&mut self, at: usize) -> Option<()> {
        let (filters, flags) = (self.number(at + 7, 2)?, self.number(at + 9, 1)?);
        let (offset, length) = (self.offset, self.length);
        let table = at + 14 + 10 * length + 2 * offset;
        let width = self.number(table, 2)?;
        let first = self.number(table + 2, length)?;
        let most = self.number(table + 2 + length, length)?;
        let bits = self.number(table + 2 + 2 * length, 2)?;
        let root = self.address(table + 6 + 2 * length);
        let rows = self.number(table + 6 + 2 * length + offset, 2)?;
        let end = table + 8 + 2 * length + offset - at;
        if filters > 0 {
            return self.seal(at, end + length + 4 + filters);
        }
        self.seal(at, end)?;
        let shape = Table {
            width,
            first,
            most,
            head: 5 + offset + bits.div_ceil(8),
            checked: flags & 2 != 0,
        };
        match rows {
            0 => self.direct_block(root?, first, &shape),
            _ => self.indirect_block(root?, rows, &shape, 8),
        }
    }

    fn direct_block(&mut self, at: usize, size: usize, table: &Table) -> Option<()> {
        if !table.checked || !self.is(at, b"FHDB") {
            return None;
        }
        let stamp = at + table.head;
        self.left = self.left.checked_sub(1 + size / 64)?;
        self.bytes.get_mut(stamp..stamp + 4)?.fill(0);
        let sum = lookup3(self.bytes.get(at..at.checked_add(size)?)?).to_le_bytes();
        self.bytes[stamp..stamp + 4].copy_from_slice(&sum);
        Some(())
    }

    fn indirect_block(
        &mut self,
        at: usize,
        rows: usize,
        table: &Table,
        depth: usize,
    ) -> Option<()> {
        if depth == 0 || !self.is(at, b"FHIB") {
            return None;
        }
        let entries = rows.checked_mul(table.width)?;
        self.seal(at, table.head + entries.checked_mul(self.offset)?)?;
        for entry in 0..entries {
            let size = table
                .first
                .checked_shl((entry / table.width).saturating_sub(1) as u32)?;
            let Some(child) = self.address(at + table.head + entry * self.offset) else {
                continue;
            };
            if size <= table.most {
                self.direct_block(child, size, table);
            } else {
                let below = size
                    .checked_div(table.first.checked_mul(table.width)?)?
                    .checked_ilog2()?
                    + 1;
                self.indirect_block(child, below as usize, table, depth - 1);
            }
        }
        Some(())
    }

    /// Elements with a checksum behind them, or pages with one each.
    fn elements(
        &mut self,
        at: usize,
        head: usize,
        count: usize,
        element: usize,
        page: usize,
        bitmap: bool,
    ) -> Option<()> {
        if count <= page {
            return self.seal(at, head.checked_add(count.checked_mul(element)?)?);
        }
        let pages = count.div_ceil(page);
        let head = if bitmap {
            head + pages.div_ceil(8)
        } else {
            head
        };
        self.seal(at, head)?;
        let mut start = at + head + 4;
        for number in 0..pages {
            let here = page.min(count - number * page);
            self.seal(start, here * element)?;
            start += page * element + 4;
        }
        Some(())
    }

    fn fixed_array(&mut self, at: usize) -> Option<()> {
        let (element, bits) = (self.number(at + 6, 1)?, self.number(at + 7, 1)?);
        let count = self.number(at + 8, self.length)?;
        let block = self.address(at + 8 + self.length);
        self.seal(at, 8 + self.length + self.offset)?;
        let page = 1_usize.checked_shl(bits as u32)?;
        let block = block.filter(|&block| self.is(block, b"FADB"))?;
        self.elements(block, 6 + self.offset, count, element, page, true)
    }

    fn extensible_array(&mut self, at: usize) -> Option<()> {
        let field = |image: &Self, index: usize| image.number(at + index, 1);
        let element = field(self, 6)?;
        let bits = field(self, 7)?;
        let inside = field(self, 8)?;
        let min_elements = field(self, 9)?;
        let min_pointers = field(self, 10)?;
        let page = 1_usize.checked_shl(field(self, 11)? as u32)?;
        let index = self.address(at + 12 + 6 * self.length);
        self.seal(at, 12 + 6 * self.length + self.offset)?;
        let (index, offset) = (index.filter(|&index| self.is(index, b"EAIB"))?, self.offset);
        let super_blocks = (1 + bits).checked_sub(min_elements.checked_ilog2()? as usize)?;
        let direct_blocks = 2 * min_pointers.checked_sub(1)?;
        let skipped = 2 * min_pointers.checked_ilog2()? as usize;
        let indirect = super_blocks.checked_sub(skipped)?;
        let data = index + 6 + offset + inside * element;
        self.seal(index, data - index + (direct_blocks + indirect) * offset)?;
        let head = 6 + offset + bits.div_ceil(8);
        let blocks_of = |level: usize| 1_usize << (level / 2).min(40);
        let elements_of = |level: usize| (1_usize << level.div_ceil(2).min(40)) * min_elements;
        let mut pointer = data;
        for level in 0..skipped {
            for _ in 0..blocks_of(level) {
                if let Some(block) = self
                    .address(pointer)
                    .filter(|&block| self.is(block, b"EADB"))
                {
                    self.elements(block, head, elements_of(level), element, page, false);
                }
                pointer += offset;
            }
        }
        for level in skipped..super_blocks {
            let (blocks, count) = (blocks_of(level), elements_of(level));
            let bitmap = if count > page {
                let bytes = blocks.saturating_mul((count / page).div_ceil(8));
                bytes.min(self.bytes.len())
            } else {
                0
            };
            if let Some(block) = self.address(data + (direct_blocks + level - skipped) * offset)
                && self.is(block, b"EASB")
                && blocks <= self.bytes.len()
            {
                self.seal(block, head + bitmap + blocks * offset);
                for number in 0..blocks {
                    let child = self.address(block + head + bitmap + number * offset);
                    if let Some(child) = child.filter(|&child| self.is(child, b"EADB")) {
                        self.elements(child, head, count, element, page, false);
                    }
                }
            }
        }
        Some(())
    }

    fn free_space(&mut self, at: usize) -> Option<()> {
        let sections = at + 14 + 5 * self.length;
        let (block, used) = (
            self.address(sections),
            self.number(sections + self.offset, self.length)?,
        );
        self.seal(at, 14 + 7 * self.length + self.offset)?;
        let block = block.filter(|&block| self.is(block, b"FSSE"))?;
        self.seal(block, used.checked_sub(4)?)
    }
}

/// The doubling table of a fractal heap.
struct Table {
    width: usize,
    first: usize,
    most: usize,
    /// The bytes of a block before its checksum or its entries.
    head: usize,
    checked: bool,
}

/// The bytes that a number up to `most` takes.
fn bytes_for(most: usize) -> usize {
    most.max(1).ilog2() as usize / 8 + 1
}

#[cfg(test)]
mod tests {
    use super::fix;

    /// Also says that every length is right: another one would give another checksum.
    #[test]
    fn files_whose_checksums_are_right_stay_as_they_are() {
        let mut files = 0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds"))
            .expect("make the seeds first")
        {
            let path = entry.unwrap().path();
            let whole = std::fs::read(&path).unwrap();
            let mut fixed = whole.clone();
            fix(&mut fixed);
            let first = whole.iter().zip(&fixed).position(|(a, b)| a != b);
            assert_eq!(first, None, "{}", path.display());
            files += 1;
        }
        assert!(files > 20, "{files} seeds");
    }
}
