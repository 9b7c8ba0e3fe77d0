//! What was read of a device last, in pages: metadata lies together in small blocks, and one read gives many of them.

use super::{Storage, StorageError};
use alloc::vec;
use alloc::vec::Vec;

const PAGE: u64 = 4096;

/// More pages than this are not kept.
const MAX_PAGES: usize = 16;

/// Longer reads go to the device.
const MAX_READ: usize = 2048;

/// A page of the device; shorter where the device ends in it.
#[derive(Debug)]
struct Page {
    start: u64,
    bytes: Vec<u8>,
}

impl Page {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Page>,
    /// The page to be replaced next.
    oldest: usize,
    /// How long the device is, once that is known.
    len: Option<u64>,
}

impl Pages {
    pub(super) fn set_len(&mut self, len: u64) {
        let known = self.len.replace(len);
        if known != Some(len) {
            // A page in which the device ends, or ended, no longer has its bytes.
            let kept = known.map_or(0, |known| known.min(len)) / PAGE * PAGE;
            self.pages.retain(|page| page.start < kept);
        }
    }

    /// Fills `buffer` from pages; `false` where it is too long for that, or reaches beyond the end.
    pub(super) fn read(
        &mut self,
        storage: &dyn Storage,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<bool, StorageError> {
        let end = offset.saturating_add(buffer.len() as u64);
        let Some(len) = self.len.filter(|len| end <= *len) else {
            return Ok(false);
        };
        if buffer.len() > MAX_READ {
            return Ok(false);
        }
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let bytes = self.page(storage, at / PAGE * PAGE, len)?;
            let from = (at % PAGE) as usize;
            let count = (bytes.len() - from).min(rest.len());
            let (filled, more) = rest.split_at_mut(count);
            filled.copy_from_slice(&bytes[from..from + count]);
            (at, rest) = (at + count as u64, more);
        }
        Ok(true)
    }

    fn page(&mut self, storage: &dyn Storage, start: u64, len: u64) -> Result<&[u8], StorageError> {
        let known = self.pages.iter().position(|page| page.start == start);
        let place = match known {
            Some(place) => place,
            None => {
                let mut bytes = vec![0; PAGE.min(len - start) as usize];
                storage.read_at(start, &mut bytes)?;
                self.put(Page { start, bytes })
            }
        };
        Ok(&self.pages[place].bytes)
    }

    fn put(&mut self, page: Page) -> usize {
        if self.pages.len() < MAX_PAGES {
            self.pages.push(page);
            return self.pages.len() - 1;
        }
        let place = self.oldest % MAX_PAGES;
        self.oldest = place + 1;
        self.pages[place] = page;
        place
    }

    /// Brings the pages up to date with what has been written.
    pub(super) fn written(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        if self.len.is_some_and(|len| end > len) {
            self.set_len(end);
        }
        for page in &mut self.pages {
            let (from, to) = (offset.max(page.start), end.min(page.end()));
            if from < to {
                page.bytes[(from - page.start) as usize..(to - page.start) as usize]
                    .copy_from_slice(&bytes[(from - offset) as usize..(to - offset) as usize]);
            }
        }
    }

    /// Nothing is known any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStorage;
    use super::*;

    fn device(len: usize) -> MemoryStorage {
        let bytes: Vec<u8> = (0..len).map(|at| (at / 7) as u8).collect();
        MemoryStorage::from(bytes)
    }

    fn read(pages: &mut Pages, storage: &MemoryStorage, at: u64, len: usize) -> Option<Vec<u8>> {
        let mut buffer = vec![0; len];
        let done = pages.read(storage, at, &mut buffer).unwrap();
        done.then_some(buffer)
    }

    fn direct(storage: &MemoryStorage, at: u64, len: usize) -> Vec<u8> {
        let mut buffer = vec![0; len];
        storage.read_at(at, &mut buffer).unwrap();
        buffer
    }

    #[test]
    fn pages_say_what_the_device_does() {
        let mut storage = device(100_000);
        let mut pages = Pages::default();
        assert_eq!(read(&mut pages, &storage, 0, 10), None, "of unknown length");
        pages.set_len(100_000);
        for round in 0..200_u64 {
            let at = round * 7919 % 98_000;
            let expected = direct(&storage, at, 2000);
            assert_eq!(read(&mut pages, &storage, at, 2000), Some(expected));
            let (bytes, at) = ([round as u8; 50], round * 4801 % 99_950);
            storage.write_at(at, &bytes).unwrap();
            pages.written(at, &bytes);
            assert!(pages.pages.len() <= MAX_PAGES);
        }
        assert_eq!(read(&mut pages, &storage, 0, MAX_READ + 1), None);
        assert_eq!(
            read(&mut pages, &storage, 99_999, 2),
            None,
            "beyond the end"
        );
    }

    #[test]
    fn the_last_page_follows_the_length() {
        let mut storage = device(5000);
        let mut pages = Pages::default();
        pages.set_len(5000);
        assert_eq!(read(&mut pages, &storage, 4990, 10).unwrap().len(), 10);
        storage.write_at(5000, &[1; 300]).unwrap();
        pages.written(5000, &[1; 300]);
        assert_eq!(read(&mut pages, &storage, 4998, 4).unwrap()[2..], [1, 1]);
        storage.set_len(5100).unwrap();
        pages.set_len(5100);
        storage.set_len(6000).unwrap();
        pages.set_len(6000);
        assert_eq!(read(&mut pages, &storage, 5098, 4).unwrap(), [1, 1, 0, 0]);
        pages.forget();
        assert_eq!(read(&mut pages, &storage, 0, 4), None);
    }
}
