//! What has to be written before what: each thing gets a turn.

use alloc::collections::{BTreeMap, BTreeSet};

/// The turns that `edges` (earlier, later) ask for: a thing that waits for others has the turn after the last of them.
#[derive(Debug)]
pub(crate) struct Turns<N> {
    /// The turn of everything that an edge names.
    pub(crate) of: BTreeMap<N, usize>,
    /// The things that wait for each other in circles, with what lies on the way from one circle to another. The first
    /// of them took its turn without waiting.
    pub(crate) circle: BTreeSet<N>,
}

pub(crate) fn turns<N: Copy + Ord>(edges: &BTreeSet<(N, N)>) -> Turns<N> {
    let mut of = BTreeMap::new();
    let mut waits_for: BTreeMap<N, usize> = BTreeMap::new();
    let mut followers: BTreeMap<N, BTreeSet<N>> = BTreeMap::new();
    for &(earlier, later) in edges {
        of.insert(earlier, 0);
        of.insert(later, 0);
        waits_for.entry(earlier).or_default();
        *waits_for.entry(later).or_default() += 1;
        followers.entry(earlier).or_default().insert(later);
    }
    let free = waits_for.iter().filter(|(_, count)| **count == 0);
    let mut ready: BTreeSet<N> = free.map(|(node, _)| *node).collect();
    let mut circle = BTreeSet::new();
    loop {
        let next = ready.pop_first().or_else(|| {
            let stuck = in_circles(&waits_for, &followers);
            let first = stuck.first().copied();
            circle.extend(stuck);
            first
        });
        let Some(node) = next else {
            return Turns { of, circle };
        };
        waits_for.remove(&node);
        let turn = of.get(&node).copied().unwrap_or(0);
        for later in followers.get(&node).into_iter().flatten() {
            if let Some(count) = waits_for.get_mut(later) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*later);
                }
                let least = of.entry(*later).or_insert(0);
                *least = (turn + 1).max(*least);
            }
        }
    }
}

/// Of the things that still wait, those that something else waits for in turn, and so on.
fn in_circles<N: Copy + Ord>(
    waits_for: &BTreeMap<N, usize>,
    followers: &BTreeMap<N, BTreeSet<N>>,
) -> BTreeSet<N> {
    let mut left: BTreeSet<N> = waits_for.keys().copied().collect();
    loop {
        let ends: alloc::vec::Vec<N> = left
            .iter()
            .filter(|node| {
                let behind = followers.get(node);
                behind.is_none_or(|behind| behind.is_disjoint(&left))
            })
            .copied()
            .collect();
        if ends.is_empty() {
            return left;
        }
        for node in ends {
            left.remove(&node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn of(edges: &[(char, char)]) -> Turns<char> {
        turns(&edges.iter().copied().collect())
    }

    #[test]
    fn each_waits_for_all_that_come_before_it() {
        let found = of(&[('a', 'b'), ('b', 'c'), ('a', 'c'), ('x', 'c')]);
        assert_eq!(found.of, [('a', 0), ('b', 1), ('c', 2), ('x', 0)].into());
        assert!(found.circle.is_empty());
    }

    #[test]
    fn what_is_in_a_circle_is_told_and_the_rest_keeps_its_order() {
        let found = of(&[('s', 'a'), ('a', 'b'), ('b', 'a'), ('b', 'e'), ('e', 'f')]);
        assert_eq!(found.circle.iter().collect::<Vec<_>>(), [&'a', &'b']);
        assert!(found.of[&'s'] < found.of[&'a'] && found.of[&'a'] < found.of[&'b']);
        assert!(found.of[&'b'] < found.of[&'e'] && found.of[&'e'] < found.of[&'f']);
    }
}
