//! The objects in memory.

use super::Object;
use crate::bytes::Addr;
use alloc::boxed::Box;
use alloc::vec::Vec;
use hashbrown::{HashMap, HashSet};

/// Objects by address, and which of them differ from the file.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// In no order.
    kept: Vec<Kept>,
    numbers: HashMap<Addr, usize>,
    changed: HashSet<Addr>,
    /// Perhaps the number of the object that was used last, which most operations use several times in a row.
    last: usize,
    /// What objects were in that have left, for those that come next.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    spare: Vec<Box<Object>>,
}

#[derive(Debug)]
struct Kept {
    addr: Addr,
    object: Box<Object>,
    /// As [`Objects::changed`] has it.
    changed: bool,
}

impl Objects {
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    fn number_of(&self, addr: &Addr) -> Option<usize> {
        match self.kept.get(self.last) {
            Some(kept) if kept.addr == *addr => Some(self.last),
            _ => self.numbers.get(addr).copied(),
        }
    }

    fn kept_mut(&mut self, addr: &Addr) -> Option<&mut Kept> {
        self.last = self.number_of(addr)?;
        self.kept.get_mut(self.last)
    }

    pub(crate) fn contains_key(&self, addr: &Addr) -> bool {
        self.number_of(addr).is_some()
    }

    pub(crate) fn get(&self, addr: &Addr) -> Option<&Object> {
        let kept = self.kept.get(self.number_of(addr)?)?;
        Some(&kept.object)
    }

    pub(crate) fn get_mut(&mut self, addr: &Addr) -> Option<&mut Object> {
        self.kept_mut(addr).map(|kept| &mut *kept.object)
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> impl Iterator<Item = &Object> {
        self.kept.iter().map(|kept| &*kept.object)
    }

    /// Adds an object; one that a damaged file has there gives way to it.
    pub(crate) fn insert(&mut self, addr: Addr, object: Object) {
        if let Some(known) = self.get_mut(&addr) {
            *known = object;
            return;
        }
        let object = match self.spare.pop() {
            Some(mut spare) => {
                *spare = object;
                spare
            }
            None => Box::new(object),
        };
        self.last = self.kept.len();
        self.numbers.insert(addr, self.last);
        self.kept.push(Kept {
            addr,
            object,
            changed: false,
        });
    }

    fn take(&mut self, addr: &Addr) -> Option<Box<Object>> {
        let number = self.numbers.remove(addr)?;
        let kept = self.kept.swap_remove(number);
        if let Some(moved) = self.kept.get(number) {
            self.numbers.insert(moved.addr, number);
        }
        if kept.changed {
            self.changed.remove(addr);
        }
        Some(kept.object)
    }

    pub(crate) fn remove(&mut self, addr: &Addr) {
        self.take(addr);
    }

    /// As [`remove`](Self::remove), of one that others like it will follow, which then need no memory of their own.
    pub(super) fn retire(&mut self, addr: &Addr) {
        if let Some(mut object) = self.take(addr) {
            object.empty();
            self.spare.push(object);
        }
    }

    /// Gives the memory back that is kept for objects to come.
    pub(super) fn drop_spare(&mut self) {
        self.spare = Vec::new();
    }

    /// Forgets the objects that do not differ from the file, but for those to be kept.
    pub(super) fn retain_changed_and(&mut self, keep: impl Fn(&Addr) -> bool) {
        self.kept.retain(|kept| kept.changed || keep(&kept.addr));
        self.numbers.clear();
        let numbers = self.kept.iter().enumerate();
        self.numbers
            .extend(numbers.map(|(number, kept)| (kept.addr, number)));
    }

    /// An object, which differs from the file from now on, and whether that is new.
    pub(super) fn change(&mut self, addr: &Addr) -> Option<(&mut Object, bool)> {
        self.last = self.number_of(addr)?;
        let kept = self.kept.get_mut(self.last)?;
        let new = !kept.changed;
        if new {
            kept.changed = true;
            self.changed.insert(*addr);
        }
        Some((&mut *kept.object, new))
    }

    pub(in crate::object) fn is_changed(&self, addr: &Addr) -> bool {
        let number = self.number_of(addr);
        number.is_some_and(|number| self.kept[number].changed)
    }

    /// Those that differ from the file, in no order.
    pub(super) fn changed(&self) -> &HashSet<Addr> {
        &self.changed
    }

    /// Notes that those that differed from the file are as it has them.
    pub(super) fn committed(&mut self) {
        let changed = core::mem::take(&mut self.changed);
        for addr in &changed {
            if let Some(kept) = self.kept_mut(addr) {
                kept.changed = false;
                kept.object.committed();
            }
        }
        self.changed = changed;
        self.changed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::object_header::Prefix;
    use crate::object::attributes::Attributes;
    use crate::object::header::Header;

    fn object(addr: u64) -> Object {
        Object {
            header: Header::new(Addr::new(addr), Prefix::new(), Vec::new(), Vec::new(), true),
            links: None,
            attributes: Attributes::none(),
            dataset: None,
            refused: None,
        }
    }

    fn change(objects: &mut Objects, addr: u64) -> Option<bool> {
        let (object, new) = objects.change(&Addr::new(addr))?;
        assert_eq!(object.header.addr.get(), addr);
        Some(new)
    }

    /// Whether each of the objects is found as the one it is, whichever was used before.
    fn check(objects: &mut Objects, present: &[u64]) {
        assert_eq!(objects.len(), present.len());
        for first in 0..10 {
            for second in 0..10 {
                for addr in [first, second].map(Addr::new) {
                    let expected = present.contains(&addr.get()).then_some(addr);
                    let here = |object: &Object| object.header.addr;
                    assert_eq!(objects.get(&addr).map(here), expected);
                    assert_eq!(objects.get_mut(&addr).map(|object| here(object)), expected);
                    assert_eq!(objects.contains_key(&addr), expected.is_some());
                }
            }
        }
    }

    #[test]
    fn objects_are_found_by_their_address_whatever_has_moved() {
        let mut objects = Objects::default();
        for addr in 0..8 {
            objects.insert(Addr::new(addr), object(addr));
            assert_eq!(change(&mut objects, addr), Some(true));
            assert_eq!(change(&mut objects, addr), Some(false));
        }
        check(&mut objects, &[0, 1, 2, 3, 4, 5, 6, 7]);
        objects.get_mut(&Addr::new(2));
        objects.remove(&Addr::new(2));
        check(&mut objects, &[0, 1, 3, 4, 5, 6, 7]);
        objects.retire(&Addr::new(7));
        check(&mut objects, &[0, 1, 3, 4, 5, 6]);
        objects.insert(Addr::new(9), object(9));
        assert!(!objects.is_changed(&Addr::new(9)) && objects.is_changed(&Addr::new(6)));
        let mut changed: Vec<u64> = objects.changed().iter().map(|addr| addr.get()).collect();
        changed.sort_unstable();
        assert_eq!(changed, [0, 1, 3, 4, 5, 6]);
        objects.committed();
        assert!(objects.changed().is_empty() && !objects.is_changed(&Addr::new(6)));
        assert_eq!(change(&mut objects, 3), Some(true));
        let mut other = object(4);
        other.header.addr = Addr::new(40);
        objects.insert(Addr::new(4), other);
        let found = objects.get(&Addr::new(4)).map(|object| object.header.addr);
        assert_eq!((found, objects.len()), (Some(Addr::new(40)), 7));
        objects.retain_changed_and(|addr| addr.get() == 9);
        check(&mut objects, &[3, 9]);
        assert_eq!(change(&mut objects, 5), None);
    }
}
