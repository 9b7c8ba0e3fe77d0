//! What links that came and went since the last commit ask of the next one. The cells of one commit reach the device one
//! sector after the other, and a death between two of them shows one group as the last commit left it and another as
//! the next one will. Whatever the place of that death, for every reader
//!
//! * an object that both commits have is linked from somewhere: a group that loses a link is written after the group that
//!   gets it;
//! * an object never counts fewer links than lead to it, or whoever takes out one of them would free what another leads
//!   to: a count goes up before the new link is seen, and down after the old one is gone.
//!
//! So an object that has lost and got links is written three times: with the count of all its links, old and new; as it
//! will be, where it is a group that itself got or lost links; and with its new count. Where groups would have to wait for
//! each other in a circle (two objects change places), one commit keeps a link more, under a name of its own, and a second
//! commit takes it out.
//!
//! A count too high is harmless: the object is not freed with its last link. A death may leave such a count, until h5quill
//! next opens the file for writing and completes the commit; and it may leave a link of that name, until the first change of
//! that session (object/tails.rs).

use super::engine::Engine;
use super::header::Header;
use crate::bytes::{Addr, Extent};
use crate::error::{Error, Result};
use crate::format::message::datatype::CharacterSet;
use crate::format::message::link::{Link, LinkTarget};
#[cfg(test)]
use crate::store::mutant::{self, Mutant};
use crate::store::{Version, turns};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

/// What the names of links begin with that a commit keeps only so that their objects are always at some place.
const PASSING: &str = "h5quill moving ";

/// A link that the next commit takes out.
#[derive(Debug)]
pub(super) struct PassingLink {
    group: Addr,
    name: Vec<u8>,
}

impl PassingLink {
    /// The link of `group`, if its name is one of those.
    pub(super) fn of(group: Addr, link: &Link) -> Option<Self> {
        let name = link.name.clone();
        let is_one = name.starts_with(PASSING.as_bytes());
        is_one.then_some(Self { group, name })
    }
}

#[derive(Debug, Default)]
pub(crate) struct Relinks {
    /// Of objects of the last commit, by object and group (or what else holds the object): how many links to it there are
    /// more than in the last commit.
    changes: BTreeMap<Addr, BTreeMap<Addr, i64>>,
    /// Where links that name no object by its address have moved: from, to.
    moved: BTreeSet<(Addr, Addr)>,
    /// Objects of the last commit that are gone, with the group whose link they went with.
    gone: BTreeMap<Addr, Addr>,
    /// Groups of the last commit that lead to new objects.
    grown: BTreeSet<Addr>,
    last_grown: Option<Addr>,
}

/// One of up to three states in which a commit writes an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// As the last commit left it, but for the count of links, which includes those to come.
    Raised(Addr),
    /// As it will be, but for the count of links, which includes those that go.
    Content(Addr),
    /// As it will be.
    Last(Addr),
}

/// What became of the links to an object.
#[derive(Debug)]
struct Change {
    object: Addr,
    /// The objects of the last commit through which its new links are seen.
    got: BTreeSet<Addr>,
    /// Those that its old links were in.
    lost: BTreeSet<Addr>,
    /// How many links came, and how many went.
    more: u64,
    less: u64,
}

/// The order that the next commit has to keep.
#[derive(Debug, Default)]
pub(super) struct LinkOrder {
    edges: BTreeSet<(State, State)>,
    versions: BTreeMap<State, Version>,
    /// Objects that are written with too high a count first, with the right one.
    twice: BTreeMap<Addr, u32>,
}

impl LinkOrder {
    fn version(&self, state: State) -> Option<Version> {
        match (self.versions.get(&state), state) {
            (Some(version), _) => Some(*version),
            (None, State::Last(at) | State::Content(at)) => Some(Version::Last(at)),
            (None, State::Raised(_)) => None,
        }
    }
}

impl Engine {
    /// Nothing of the last commit names what stands there.
    fn is_fresh(&self, addr: Addr) -> bool {
        self.store.is_fresh(Extent::new(addr, 1))
    }

    /// `holder` has `more` links to the object.
    pub(super) fn note_link(&mut self, object: Addr, holder: Addr, more: i64) {
        if !self.is_fresh(object) {
            let holders = self.relinks.changes.entry(object).or_default();
            *holders.entry(holder).or_default() += more;
        } else if more > 0 && self.relinks.last_grown != Some(holder) {
            self.relinks.last_grown = Some(holder);
            if !self.is_fresh(holder) {
                self.relinks.grown.insert(holder);
            }
        }
    }

    /// A link has moved; `object` is what it leads to by its address.
    pub(super) fn note_move(&mut self, object: Option<Addr>, from: Addr, to: Addr) {
        match object {
            _ if from == to => {}
            Some(object) => {
                self.note_link(object, from, -1);
                self.note_link(object, to, 1);
            }
            None => {
                self.relinks.moved.insert((from, to));
            }
        }
    }

    /// The object is about to keep `left` links, since `holder` or what it led to no longer has the others.
    pub(super) fn note_dropped(&mut self, object: Addr, holder: Addr, left: u32) -> Result<()> {
        if left > 0 {
            let before = self.object(object)?.header.reference_count()?;
            self.note_link(object, holder, i64::from(left) - i64::from(before));
        } else if self.is_fresh(object) {
            self.relinks.grown.remove(&object);
        } else {
            self.relinks.gone.insert(object, holder);
        }
        Ok(())
    }

    /// Where objects change places, so that no order of the groups is right, adds links that the commit keeps and a second
    /// one takes out: returns them.
    pub(super) fn add_passing_links(&mut self) -> Result<Vec<PassingLink>> {
        if self.relinks.changes.len() < 2 {
            return Ok(Vec::new());
        }
        let changes = self.link_changes();
        let circle = turns(&edges_of(&changes)).circle;
        let mut added = Vec::new();
        for change in &changes {
            let in_circle = |at: &&Addr| circle.contains(&change.content(&changes, **at));
            if !change.got.iter().any(|at| in_circle(&at)) {
                continue;
            }
            for group in change.lost.iter().filter(in_circle) {
                if self.object(*group)?.links.is_some() {
                    let number = added.len();
                    added.push(self.add_passing_link(*group, change.object, number)?);
                }
            }
        }
        Ok(added)
    }

    fn add_passing_link(
        &mut self,
        group: Addr,
        object: Addr,
        mut number: usize,
    ) -> Result<PassingLink> {
        let mut name = format!("{PASSING}{number}");
        while self.link(group, &name)?.is_some() {
            number += 1000;
            name = format!("{PASSING}{number}");
        }
        let link = Link {
            name: name.clone().into_bytes(),
            charset: CharacterSet::Ascii,
            creation_order: None,
            target: LinkTarget::Hard(object),
        };
        let (holder, store, _) = self.touch(group)?;
        let links = holder.links.as_mut();
        let links = links.ok_or_else(|| Error::invalid("not a group"))?;
        links.insert(store, &mut holder.header, link)?;
        let (linked, ..) = self.touch(object)?;
        let count = linked.header.reference_count()?;
        linked.header.set_reference_count(count.saturating_add(1));
        self.note_link(object, group, 1);
        let name = name.into_bytes();
        Ok(PassingLink { group, name })
    }

    /// Takes out what [`add_passing_links`](Self::add_passing_links) has added, or an earlier session that died.
    pub(super) fn take_out_passing_links(&mut self, passing: &[PassingLink]) -> Result<()> {
        for PassingLink { group, name } in passing {
            let Some(link) = self.link(*group, name)? else {
                continue;
            };
            let LinkTarget::Hard(object) = link.target else {
                continue;
            };
            let count = self.object(object)?.header.reference_count()?;
            if count < 2 {
                // Another writer has taken out the other link: this is the only one.
                continue;
            }
            let (holder, store, _) = self.touch(*group)?;
            if let Some(links) = &mut holder.links {
                links.remove(store, &mut holder.header, name)?;
            }
            let (linked, ..) = self.touch(object)?;
            linked.header.set_reference_count(count - 1);
            self.note_link(object, *group, -1);
        }
        Ok(())
    }

    /// The order that the links ask for, to be called before anything of the commit is staged. Stages the headers of objects
    /// as they are in the file, with higher counts.
    pub(super) fn order_relinks(&mut self) -> Result<LinkOrder> {
        if self.relinks.changes.is_empty() && self.relinks.moved.is_empty() {
            // As in most commits.
            self.relinks = Relinks::default();
            return Ok(LinkOrder::default());
        }
        let changes = self.link_changes();
        let mut order = LinkOrder {
            edges: edges_of(&changes),
            ..LinkOrder::default()
        };
        self.add_moves_of_other_links(&mut order);
        self.relinks = Relinks::default();
        for change in &changes {
            if order.names(State::Raised(change.object)) {
                self.stage_raised(change, &mut order)?;
            }
            if order.names(State::Content(change.object)) {
                let (object, ..) = self.touch(change.object)?;
                let count = object.header.reference_count()?;
                let less = u32::try_from(change.less).unwrap_or(u32::MAX);
                object
                    .header
                    .set_reference_count(count.saturating_add(less));
                order.twice.insert(change.object, count);
            }
        }
        Ok(order)
    }

    /// The links that are not hard come after those that are, where both cannot be kept in order.
    fn add_moves_of_other_links(&mut self, order: &mut LinkOrder) {
        let mut edges = order.edges.clone();
        for &(from, to) in &self.relinks.moved {
            let (from, got) = (self.relinks.left(from), self.seen_through(to));
            let later = order.content(from);
            let earlier = got.iter().filter(|to| **to != from);
            edges.extend(earlier.map(|to| (order.content(*to), later)));
        }
        if turns(&edges).circle.is_empty() {
            order.edges = edges;
        }
    }

    fn link_changes(&self) -> Vec<Change> {
        let relinks = &self.relinks;
        let mut found = Vec::new();
        for (&object, holders) in &relinks.changes {
            if relinks.gone.contains_key(&object) {
                continue;
            }
            let mut change = Change {
                object,
                got: BTreeSet::new(),
                lost: BTreeSet::new(),
                more: 0,
                less: 0,
            };
            for (&holder, &more) in holders {
                if more > 0 && !relinks.gone.contains_key(&holder) {
                    change.more += more.unsigned_abs();
                    change.got.extend(self.seen_through(holder));
                } else if more < 0 {
                    change.less += more.unsigned_abs();
                    change.lost.insert(relinks.left(holder));
                }
            }
            found.push(change);
        }
        found
    }

    /// The objects of the last commit whose next state shows what `holder` holds: itself, or whatever may lead to it where
    /// it is new.
    fn seen_through(&self, holder: Addr) -> BTreeSet<Addr> {
        let relinks = &self.relinks;
        if relinks.gone.contains_key(&holder) {
            return BTreeSet::new();
        }
        match self.is_fresh(holder) {
            true => {
                let grown = relinks.grown.iter();
                grown
                    .filter(|at| !relinks.gone.contains_key(at))
                    .copied()
                    .collect()
            }
            false => [holder].into(),
        }
    }

    /// Stages the header of an object as the file has it, with a count of all its links, old and new.
    fn stage_raised(&mut self, change: &Change, order: &mut LinkOrder) -> Result<()> {
        #[cfg(test)]
        if mutant::is(Mutant::CountsNotRaised) {
            return Ok(());
        }
        let at = change.object;
        let more = u32::try_from(change.more).unwrap_or(u32::MAX);
        let is_changed = self.objects.is_changed(&at);
        let (version, last) = Header::stage_raised(&mut self.store, at, more, is_changed)?;
        order.versions.insert(State::Raised(at), version);
        order.versions.insert(State::Last(at), Version::Last(last));
        Ok(())
    }

    /// Writes the objects that are to be written once more, now that everything is staged, and tells the store the order.
    pub(super) fn stage_order(&mut self, mut order: LinkOrder) -> Result<()> {
        for (at, count) in core::mem::take(&mut order.twice) {
            let (object, store, _) = self.parts(at)?;
            let version = store.flip_to_interim(at);
            object.header.set_reference_count(count);
            object.header.stage_again(store)?;
            order.versions.insert(State::Content(at), version);
        }
        for &(earlier, later) in &order.edges {
            if let (Some(earlier), Some(later)) = (order.version(earlier), order.version(later)) {
                self.store.flips_after(later, earlier);
            }
        }
        Ok(())
    }
}

impl LinkOrder {
    fn names(&self, state: State) -> bool {
        let mut edges = self.edges.iter();
        edges.any(|(earlier, later)| *earlier == state || *later == state)
    }

    /// The state in which a group has its new links.
    fn content(&self, at: Addr) -> State {
        match self.names(State::Content(at)) {
            true => State::Content(at),
            false => State::Last(at),
        }
    }
}

impl Change {
    /// The state in which the holder `at` has its new links. It is one of its own where the holder is an object whose count
    /// goes down, too.
    fn content(&self, changes: &[Self], at: Addr) -> State {
        let number = changes.binary_search_by_key(&at, |change| change.object);
        match number.ok().map(|number| &changes[number]) {
            Some(change) if change.less > 0 => State::Content(at),
            _ => State::Last(at),
        }
    }
}

/// Which state of which object has to be in the file before which other.
fn edges_of(changes: &[Change]) -> BTreeSet<(State, State)> {
    let holders: BTreeSet<Addr> = changes
        .iter()
        .flat_map(|change| change.got.iter().chain(&change.lost))
        .copied()
        .collect();
    let mut edges = BTreeSet::new();
    for change in changes {
        let object = change.object;
        let content = |at: &Addr| change.content(changes, *at);
        let raised = match change.less > 0 || holders.contains(&object) {
            true => State::Raised(object),
            false => State::Last(object),
        };
        for to in change.got.iter().filter(|to| **to != object) {
            edges.insert((raised, content(to)));
            for from in change.lost.iter().filter(|from| *from != to) {
                edges.insert((content(to), content(from)));
            }
        }
        if change.less > 0 {
            for from in change.lost.iter().filter(|from| **from != object) {
                edges.insert((content(from), State::Last(object)));
            }
        }
    }
    // The states of one object follow each other.
    let named: BTreeSet<State> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    for state in &named {
        let (State::Raised(at) | State::Content(at) | State::Last(at)) = *state;
        let states = [State::Raised(at), State::Content(at), State::Last(at)];
        let present: Vec<State> = states
            .into_iter()
            .filter(|state| named.contains(state))
            .collect();
        edges.extend(present.windows(2).map(|pair| (pair[0], pair[1])));
    }
    edges
}

impl Relinks {
    /// Where a link of `holder` is no longer seen: there, or where the link was that `holder` went with.
    fn left(&self, holder: Addr) -> Addr {
        let mut at = holder;
        for _ in 0..self.gone.len() {
            match self.gone.get(&at) {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }
}
