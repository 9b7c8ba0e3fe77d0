//! What a mapping brings to a read: which elements of the source go where in the array that is read.

use super::elements::{Elements, Steps, long};
use crate::error::Result;
use crate::selection::{Axis, Resolved};
use alloc::vec;
use alloc::vec::Vec;

/// A read from a source takes at most so many times the elements that are wanted, ...
const WASTE: u64 = 4;
/// ... or this many, where that is more, ...
const SMALL: u64 = 256;
/// ... and, where it does not go straight to its place, at most this many bytes.
const PIECE: u64 = 8 << 20;
/// Elements looked up one by one before the next read.
const BATCH: usize = 1 << 16;

/// Reads the selected elements of the source into a dense array.
pub(super) type ReadSource<'a> = dyn FnMut(&Resolved, &mut [u8]) -> Result<()> + 'a;

/// The array that is read: the selection of the virtual dataset, and its elements in row-major order.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) selection: &'a Resolved,
    pub(super) element: usize,
    pub(super) out: &'a mut [u8],
}

/// On one axis: a place in the array that is read, and the index of the source that goes there. Both rise along a list.
type Pair = (u64, u64);

/// For each axis of a source the axis of the virtual dataset it lies along; `None` where it has one index only.
type Partners = Vec<Option<usize>>;

impl Wanted<'_> {
    /// The places of each axis whose index is within the bounds of a selection; `None` where an axis has none.
    fn places(&self, bounds: &[(u64, u64)]) -> Option<Vec<(u64, u64)>> {
        let axes = self.selection.axes.iter().zip(bounds);
        axes.map(|(axis, &(first, last))| {
            let from = first.saturating_sub(axis.start).div_ceil(axis.step);
            let to = last.checked_sub(axis.start)? / axis.step;
            let to = axis.count.min(to.saturating_add(1));
            (from < to).then_some((from, to))
        })
        .collect()
    }

    /// Whether the selection and these elements have an index in common on every axis, as far as their bounds say.
    pub(super) fn touches(&self, target: &Elements) -> bool {
        target
            .bounds()
            .is_some_and(|bounds| self.places(&bounds).is_some())
    }

    /// The distance between two neighbours of each axis, in elements of the array that is read.
    fn strides(&self) -> Vec<u64> {
        let mut strides = vec![1; self.selection.axes.len()];
        for axis in (1..strides.len()).rev() {
            strides[axis - 1] = strides[axis] * self.selection.axes[axis].count;
        }
        strides
    }

    /// Brings what is wanted of a mapping from its source.
    pub(super) fn transfer(
        &mut self,
        target: &Elements,
        source: &Elements,
        read: &mut ReadSource<'_>,
    ) -> Result<()> {
        let places = target.bounds().and_then(|bounds| self.places(&bounds));
        let Some(places) = places else {
            return Ok(());
        };
        if let (Elements::Regular(target), Elements::Regular(source)) = (target, source)
            && let Some(partners) = partners(target, source)
        {
            let Some(lists) = self.pair_axes(target, source, &partners, &places) else {
                return Ok(());
            };
            let mut lists: Vec<&[Pair]> = lists.iter().map(Vec::as_slice).collect();
            return self.read_product(&mut lists, source, &partners, read);
        }
        self.look_up(target, source, &places, read)
    }

    /// For each axis of the virtual dataset what belongs together; `None` where an axis has nothing.
    fn pair_axes(
        &self,
        target: &[Steps],
        source: &[Steps],
        partners: &Partners,
        places: &[(u64, u64)],
    ) -> Option<Vec<Vec<Pair>>> {
        let axes = target.iter().zip(places).zip(&self.selection.axes);
        let lists = axes
            .enumerate()
            .map(|(number, ((steps, &(from, to)), axis))| {
                let partner = partners.iter().position(|partner| *partner == Some(number));
                let pairs: Vec<Pair> = (from..to)
                    .filter_map(|place| {
                        let element = steps.position(axis.start + place * axis.step)?;
                        let index = partner.map_or(0, |partner| source[partner].index(element));
                        Some((place, index))
                    })
                    .collect();
                (!pairs.is_empty()).then_some(pairs)
            });
        lists.collect()
    }

    /// Reads the product of the lists, halved until a read takes little more than is wanted.
    fn read_product(
        &mut self,
        lists: &mut Vec<&[Pair]>,
        source: &[Steps],
        partners: &Partners,
        read: &mut ReadSource<'_>,
    ) -> Result<()> {
        let selection = Resolved {
            axes: source
                .iter()
                .zip(partners)
                .map(|(steps, partner)| match partner {
                    Some(axis) => progression(lists[*axis]),
                    None => Axis::new(steps.start, 1, 1),
                })
                .collect(),
            collapsed: vec![false; source.len()],
        };
        let wanted: u64 = lists.iter().map(|list| list.len() as u64).product();
        let taken = checked_count(&selection);
        if taken == Some(wanted)
            && let Some(start) = self.contiguous(lists)
        {
            let start = start as usize * self.element;
            let end = start + wanted as usize * self.element;
            return read(&selection, &mut self.out[start..end]);
        }
        let most = wanted.saturating_mul(WASTE).max(SMALL);
        let fits = |taken: &u64| {
            *taken <= most && (*taken == 1 || taken.saturating_mul(self.element as u64) <= PIECE)
        };
        if let Some(taken) = taken.filter(fits) {
            let mut piece = vec![0; taken as usize * self.element];
            read(&selection, &mut piece)?;
            self.scatter(lists, &selection, partners, &piece);
            return Ok(());
        }
        // The axis with the most waste; where none has any, the first that can be cut.
        let waste = |axis: usize| match partners.iter().position(|partner| *partner == Some(axis)) {
            Some(partner) => selection.axes[partner].count / lists[axis].len() as u64,
            None => 0,
        };
        let cut = (0..lists.len())
            .filter(|axis| lists[*axis].len() > 1)
            .max_by_key(|axis| (waste(*axis), lists.len() - axis));
        let Some(cut) = cut else {
            // A single element: its selection has one element on every axis, which fits.
            return Ok(());
        };
        let whole = lists[cut];
        let (left, right) = whole.split_at(middle(whole));
        for half in [left, right] {
            lists[cut] = half;
            self.read_product(lists, source, partners, read)?;
        }
        lists[cut] = whole;
        Ok(())
    }

    /// Where the product of the lists begins, in elements, where it is one run of the array that is read.
    fn contiguous(&self, lists: &[&[Pair]]) -> Option<u64> {
        let strides = self.strides();
        let mut start = 0;
        let mut inside = false;
        for (axis, list) in lists.iter().enumerate() {
            let (first, len) = (list[0].0, list.len() as u64);
            let without_gaps = list[list.len() - 1].0 - first + 1 == len;
            if !without_gaps || (inside && len != self.selection.axes[axis].count) {
                return None;
            }
            inside |= len > 1;
            start += first * strides[axis];
        }
        Some(start)
    }

    /// Puts what has been read for the product of the lists to its places.
    fn scatter(
        &mut self,
        lists: &[&[Pair]],
        selection: &Resolved,
        partners: &Partners,
        piece: &[u8],
    ) {
        let strides = self.strides();
        let element = self.element;
        // For each axis: how far each of its pairs is in the array that is read, and in the piece.
        let mut offsets: Vec<Vec<(usize, usize)>> = Vec::with_capacity(lists.len());
        for (number, list) in lists.iter().enumerate() {
            let partner = partners.iter().position(|partner| *partner == Some(number));
            let (axis, below) = match partner {
                Some(partner) => {
                    let below = selection.axes[partner + 1..].iter();
                    let below: u64 = below.map(|axis| axis.count).product();
                    (selection.axes[partner], below)
                }
                None => (Axis::new(0, 1, 1), 0),
            };
            let offset = |&(place, index): &Pair| {
                let within = (index.saturating_sub(axis.start) / axis.step) * below;
                (
                    (place * strides[number]) as usize * element,
                    within as usize * element,
                )
            };
            offsets.push(list.iter().map(offset).collect());
        }
        let mut number = vec![0; offsets.len()];
        let Some((last, outer)) = offsets.split_last() else {
            self.out[..element].copy_from_slice(&piece[..element]);
            return;
        };
        loop {
            let (mut to, mut from) = (0, 0);
            for (axis, &number) in outer.iter().zip(&number) {
                to += axis[number].0;
                from += axis[number].1;
            }
            for (place, within) in last {
                let (to, from) = (to + place, from + within);
                self.out[to..to + element].copy_from_slice(&piece[from..from + element]);
            }
            let Some(axis) = (0..outer.len())
                .rev()
                .find(|&axis| number[axis] + 1 < outer[axis].len())
            else {
                return;
            };
            number[axis] += 1;
            number[axis + 1..].fill(0);
        }
    }

    /// Looks up every element by itself: where the shapes differ, or a selection is irregular.
    fn look_up(
        &mut self,
        target: &Elements,
        source: &Elements,
        places: &[(u64, u64)],
        read: &mut ReadSource<'_>,
    ) -> Result<()> {
        let strides = self.strides();
        let rank = source.bounds().map_or(0, |bounds| bounds.len());
        let mut place: Vec<u64> = places.iter().map(|range| range.0).collect();
        let mut at = vec![0; places.len()];
        let mut batch = Batch {
            places: Vec::new(),
            coordinates: Vec::new(),
        };
        loop {
            let mut offset = 0;
            for (number, axis) in self.selection.axes.iter().enumerate() {
                at[number] = axis.start + place[number] * axis.step;
                offset += place[number] * strides[number];
            }
            if let Some(element) = target.position(&at) {
                let from = batch.coordinates.len();
                batch.coordinates.resize(from + rank, 0);
                source.coordinates(element, &mut batch.coordinates[from..]);
                batch.places.push(offset);
                if batch.places.len() == BATCH {
                    self.gather(&batch.places, &batch.coordinates, rank, read)?;
                    batch.places.clear();
                    batch.coordinates.clear();
                }
            }
            let next = (0..places.len()).rev();
            let Some(axis) = next
                .into_iter()
                .find(|&axis| place[axis] + 1 < places[axis].1)
            else {
                break;
            };
            place[axis] += 1;
            for (place, range) in place[axis + 1..].iter_mut().zip(&places[axis + 1..]) {
                *place = range.0;
            }
        }
        self.gather(&batch.places, &batch.coordinates, rank, read)
    }

    /// Reads elements of the source by a box around them, halved until it holds little else.
    fn gather(
        &mut self,
        places: &[u64],
        coordinates: &[u64],
        rank: usize,
        read: &mut ReadSource<'_>,
    ) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let axes = (0..rank).map(|axis| {
            let indices = coordinates.iter().skip(axis).step_by(rank);
            let first = indices.clone().min().copied().unwrap_or(0);
            let last = indices.max().copied().unwrap_or(0);
            Axis::new(first, 1, (last - first).saturating_add(1))
        });
        let selection = Resolved {
            axes: axes.collect(),
            collapsed: vec![false; rank],
        };
        let most = (places.len() as u64 * WASTE).max(SMALL);
        let fits = |taken: &u64| {
            *taken <= most && (*taken == 1 || taken.saturating_mul(self.element as u64) <= PIECE)
        };
        let Some(taken) = checked_count(&selection).filter(fits) else {
            let half = places.len() / 2;
            let (left, right) = coordinates.split_at(half * rank);
            self.gather(&places[..half], left, rank, read)?;
            return self.gather(&places[half..], right, rank, read);
        };
        let mut piece = vec![0; taken as usize * self.element];
        read(&selection, &mut piece)?;
        for (number, &place) in places.iter().enumerate() {
            let at = &coordinates[number * rank..(number + 1) * rank];
            let within = selection
                .axes
                .iter()
                .zip(at)
                .fold(0, |within, (axis, &index)| {
                    within * axis.count + (index - axis.start)
                });
            let (to, from) = (
                place as usize * self.element,
                within as usize * self.element,
            );
            self.out[to..to + self.element].copy_from_slice(&piece[from..from + self.element]);
        }
        Ok(())
    }
}

/// Elements of the array that is read, and the coordinates of each in the source.
#[derive(Debug)]
struct Batch {
    places: Vec<u64>,
    coordinates: Vec<u64>,
}

/// Which axis of the virtual selection each axis of the source lies along, where both have the same shape but for axes
/// of one index.
fn partners(target: &[Steps], source: &[Steps]) -> Option<Partners> {
    if !long(target)
        .map(|steps| steps.len)
        .eq(long(source).map(|steps| steps.len))
    {
        return None;
    }
    let mut axes = target.iter().enumerate().filter(|(_, steps)| steps.len > 1);
    let partner = |steps: &Steps| (steps.len > 1).then(|| axes.next().map(|axis| axis.0));
    Some(source.iter().map(partner).map(Option::flatten).collect())
}

/// The smallest progression that has all indices of a list.
fn progression(list: &[Pair]) -> Axis {
    let first = list[0].1;
    let last = list[list.len() - 1].1;
    let step = list.windows(2).fold(0, |step, pair| {
        greatest_common_divisor(pair[1].1 - pair[0].1, step)
    });
    match step {
        0 => Axis::new(first, 1, 1),
        step => Axis::new(first, step, (last - first) / step + 1),
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Where a list is cut in two: near its middle, and where the distance changes.
fn middle(list: &[Pair]) -> usize {
    let half = list.len() / 2;
    let distance = |at: usize| list[at].1 - list[at - 1].1;
    let usual = (1..list.len()).map(distance).min().unwrap_or(1);
    (half..list.len())
        .chain((1..half).rev())
        .find(|&at| distance(at) > usual)
        .unwrap_or(half)
}

fn checked_count(selection: &Resolved) -> Option<u64> {
    let counts = selection.axes.iter().map(|axis| axis.count);
    counts
        .into_iter()
        .try_fold(1_u64, |count, axis| count.checked_mul(axis))
}
