//! Groups that hard links lead round in a circle: each keeps a link though nothing outside leads to any of them.

use super::engine::Engine;
use crate::bytes::Addr;
use crate::error::Result;
use crate::format::message::link::LinkTarget;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

/// The links that an object is about to keep, as far as that changes.
type Left = BTreeMap<Addr, u32>;

impl Engine {
    /// Adds to what a removal frees, `gone`, the groups that would keep links from one another only, with what only they
    /// hold. `left` says how many links each object is about to keep, and is made to say it again.
    ///
    /// Of what can be reached from such a group, those objects stay that have more links than that part has, and what
    /// they lead to. `removed` is the link that goes: of what holds it, to what. A count that is too high, in a damaged file, keeps an object that nothing leads to; that is harmless.
    pub(super) fn add_cycles(
        &mut self,
        removed: (Addr, Addr),
        left: &mut Left,
        gone: &mut Vec<(Addr, u32)>,
    ) -> Result<()> {
        let root = self.root();
        let kept = left
            .iter()
            .filter(|(addr, count)| **count > 0 && **addr != root);
        let kept: Vec<Addr> = kept.map(|(addr, _)| *addr).collect();
        for group in kept {
            // A part that has gone with an earlier one has no links any more.
            if left.get(&group) != Some(&0)
                && let Some(targets) = self.reached_from_itself(group, removed)?
            {
                self.add_cycle(&targets, left, gone)?;
            }
        }
        Ok(())
    }

    /// Where each object that can be reached from `group` leads to; `None` where it is not reached itself.
    fn reached_from_itself(
        &mut self,
        group: Addr,
        (holder, first): (Addr, Addr),
    ) -> Result<Option<BTreeMap<Addr, Vec<Addr>>>> {
        let mut targets = BTreeMap::new();
        let mut queue = vec![group];
        let mut found = false;
        while let Some(addr) = queue.pop() {
            if targets.contains_key(&addr) {
                continue;
            }
            let known = self.objects.contains_key(&addr);
            let mut led_to = self.led_to(addr)?;
            if addr == holder
                && let Some(position) = led_to.iter().position(|next| *next == first)
            {
                led_to.swap_remove(position);
            }
            if !known {
                self.evict(addr);
            }
            found |= led_to.contains(&group);
            queue.extend(led_to.iter().filter(|next| !targets.contains_key(*next)));
            targets.insert(addr, led_to);
        }
        Ok(found.then_some(targets))
    }

    /// The objects that an object has hard links to or is of, each as often as it counts.
    fn led_to(&mut self, addr: Addr) -> Result<Vec<Addr>> {
        let mut led_to = self.named_datatypes_of(addr)?;
        let (object, store, _) = self.parts(addr)?;
        if let Some(links) = &mut object.links {
            for link in links.list(store, &object.header)? {
                if let LinkTarget::Hard(child) = link.target {
                    led_to.push(child);
                }
            }
        }
        Ok(led_to)
    }

    fn add_cycle(
        &mut self,
        targets: &BTreeMap<Addr, Vec<Addr>>,
        left: &mut Left,
        gone: &mut Vec<(Addr, u32)>,
    ) -> Result<()> {
        let mut inside: BTreeMap<Addr, u32> = BTreeMap::new();
        for target in targets.values().flatten() {
            *inside.entry(*target).or_default() += 1;
        }
        let mut alive = BTreeSet::new();
        let mut queue = Vec::new();
        for &addr in targets.keys() {
            let count = self.links_left(addr, left)?;
            if addr == self.root() || count > inside.get(&addr).copied().unwrap_or(0) {
                queue.push(addr);
            }
        }
        while let Some(addr) = queue.pop() {
            if alive.insert(addr) {
                queue.extend(targets.get(&addr).into_iter().flatten());
            }
        }
        let is_dead = |addr: &Addr| !alive.contains(addr) && left.get(addr) != Some(&0);
        let dead: Vec<Addr> = targets.keys().copied().filter(is_dead).collect();
        for &addr in &dead {
            self.check_removable(addr)?;
        }
        for &addr in &dead {
            for &target in &targets[&addr] {
                let count = self.links_left(target, left)?;
                left.insert(target, count.saturating_sub(1));
            }
        }
        for &addr in &dead {
            left.insert(addr, 0);
        }
        // What is of a committed datatype goes before the datatype.
        let mut types = Vec::new();
        for &addr in &dead {
            match self.named_datatype(addr).is_ok() {
                true => types.push((addr, 0)),
                false => gone.push((addr, 0)),
            }
        }
        gone.extend(types);
        for addr in left.keys().copied().collect::<Vec<_>>() {
            self.check_editable(addr)?;
        }
        Ok(())
    }

    fn links_left(&mut self, addr: Addr, left: &Left) -> Result<u32> {
        match left.get(&addr) {
            Some(count) => Ok(*count),
            None => self.object(addr)?.header.reference_count(),
        }
    }
}
