//! The collections that stay decoded for reading: a few, and more where those that went are asked for again. Who reads
//! elements in their order needs few, and the memory of those is soon used again.

use crate::bytes::Addr;
use crate::format::global_heap::HeapObject;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// How many are kept at first.
const FEW: usize = 8;

/// How many are kept at the most.
const MANY: usize = 256;

/// The bytes they may have together, the one read last excepted.
const MAX_BYTES: u64 = 32 << 20;

/// A collection for reading.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) addr: Addr,
    pub(super) bytes: Vec<u8>,
    pub(super) objects: Vec<HeapObject>,
}

#[derive(Debug)]
pub(super) struct Cache {
    /// The last read is first.
    kept: Vec<Decoded>,
    most: usize,
    /// Those that went last.
    gone: VecDeque<Addr>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            most: FEW,
            gone: VecDeque::new(),
        }
    }
}

impl Cache {
    /// The collection that was inserted or found last.
    pub(super) fn first(&self) -> Option<&Decoded> {
        self.kept.first()
    }

    /// Whether the collection at `addr` is kept; it is the first from here on.
    pub(super) fn find(&mut self, addr: Addr) -> bool {
        let place = self.kept.iter().position(|decoded| decoded.addr == addr);
        if let Some(place) = place {
            self.kept[..=place].rotate_right(1);
        }
        place.is_some()
    }

    /// Keeps a collection that was not, instead of those read longest ago.
    pub(super) fn insert(&mut self, new: Decoded) {
        if self.gone.contains(&new.addr) {
            self.most = (2 * self.most).min(MANY);
            self.gone.clear();
        }
        self.kept.insert(0, new);
        let mut total = 0;
        let fitting = self.kept.iter().take(self.most).take_while(|decoded| {
            total += decoded.bytes.len() as u64;
            total <= MAX_BYTES
        });
        let fitting = fitting.count().max(1);
        for old in self.kept.drain(fitting..) {
            self.gone.push_front(old.addr);
        }
        self.gone.truncate(MANY);
    }

    /// Forgets a collection that is no longer.
    pub(super) fn forget(&mut self, addr: Addr) {
        self.kept.retain(|decoded| decoded.addr != addr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(cache: &mut Cache, number: u64) {
        let addr = Addr::new(number << 20);
        if !cache.find(addr) {
            let bytes = vec![0; 1 << 16];
            let objects = Vec::new();
            let new = Decoded {
                addr,
                bytes,
                objects,
            };
            cache.insert(new);
        }
        assert_eq!(cache.first().map(|decoded| decoded.addr), Some(addr));
    }

    #[test]
    fn few_are_kept_of_a_walk_and_many_of_what_is_read_again_and_again() {
        let mut cache = Cache::default();
        (0..1000).for_each(|number| read(&mut cache, number));
        assert_eq!(cache.kept.len(), FEW);
        for _ in 0..20 {
            (0..100).for_each(|number| read(&mut cache, number));
        }
        assert_eq!(cache.kept.len(), 100);
        (0..1000).for_each(|number| read(&mut cache, number));
        assert!(cache.kept.len() <= MANY && cache.gone.len() <= MANY);
        cache.forget(Addr::new(999 << 20));
        assert!(!cache.find(Addr::new(999 << 20)));
        assert!(cache.find(Addr::new(998 << 20)));
    }

    #[test]
    fn great_ones_are_kept_alone() {
        let mut cache = Cache::default();
        for number in 0..3 {
            cache.insert(Decoded {
                addr: Addr::new(number),
                bytes: vec![0; MAX_BYTES as usize + 1],
                objects: Vec::new(),
            });
            assert_eq!(cache.kept.len(), 1);
        }
    }
}
