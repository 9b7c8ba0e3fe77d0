//! Links that move: renames, moves, swaps, moves into the root and out of it, into a group below another and out of it, hard
//! links that are made and taken out; many objects, so that their headers lie in many sectors.

use super::run::Run;
use crate::{ErrorKind, Group, LinkKind, Location, Result};

/// A change that finds nothing to change, its place taken, or would put a group inside itself, is none.
fn missing(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::Invalid(_)) => Ok(()),
        result => result,
    }
}

/// The address of an object may be taken by another later: the number tells them apart.
pub(super) fn give_id(run: &mut Run, at: &Location) -> Result<()> {
    let id = run.rng.below(1 << 50) as i64;
    at.set_attr("id", id)
}

fn join(group: &str, name: &str) -> String {
    format!("{}/{name}", group.trim_end_matches('/'))
}

/// Groups and hard links, by path.
#[derive(Debug, Default)]
struct Places {
    groups: Vec<String>,
    links: Vec<(String, String)>,
}

impl Places {
    fn of(run: &Run) -> Result<Self> {
        let mut places = Self::default();
        places.visit(&run.file.root(), "/")?;
        Ok(places)
    }

    fn visit(&mut self, group: &Group, path: &str) -> Result<()> {
        self.groups.push(path.into());
        for link in group.links()? {
            if *link.kind() == LinkKind::Hard {
                self.links.push((path.into(), link.name().into_owned()));
            }
        }
        for name in group.member_names()? {
            // A soft link leads to what is found elsewhere.
            let hard = group
                .link(&name)?
                .is_some_and(|link| *link.kind() == LinkKind::Hard);
            if let (true, Ok(group)) = (hard, group.group(&name)) {
                self.visit(&group, &join(path, &name))?;
            }
        }
        Ok(())
    }

    fn any_link(&self, run: &mut Run) -> String {
        let (group, name) = &self.links[run.rng.below(self.links.len())];
        join(group, name)
    }

    fn any_link_of(&self, run: &mut Run, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let links: Vec<_> = self
            .links
            .iter()
            .filter(|(group, _)| wanted(group))
            .collect();
        let (group, name) = links.get(run.rng.below(links.len()))?;
        Some(join(group, name))
    }

    fn any_group(&self, run: &mut Run) -> String {
        self.groups[run.rng.below(self.groups.len())].clone()
    }
}

fn new_name(run: &mut Run) -> String {
    format!(
        "{}{}",
        ["m", "a longer name ", "n "][run.some(0, 3)],
        run.rng.below(1 << 30)
    )
}

fn rename(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let from = places.any_link(run);
    let group = from.rsplit_once('/').map_or("", |(group, _)| group);
    let to = join(group, &new_name(run));
    missing(run.file.relink(&from, &to))
}

fn into_the_root(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let to = format!("/{}", new_name(run));
    match places.any_link_of(run, |group| group != "/") {
        Some(from) => missing(run.file.relink(&from, &to)),
        None => Ok(()),
    }
}

fn out_of_the_root(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let to = join(&places.any_group(run), &new_name(run));
    match places.any_link_of(run, |group| group == "/") {
        Some(from) => missing(run.file.relink(&from, &to)),
        None => Ok(()),
    }
}

fn anywhere(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let to = join(&places.any_group(run), &new_name(run));
    let from = places.any_link(run);
    missing(run.file.relink(&from, &to))
}

/// What was in one group is in the other, under the name that was there: with two, a swap, with three, a circle.
fn in_a_circle(run: &mut Run, count: usize) -> Result<()> {
    let places = Places::of(run)?;
    let mut chosen: Vec<(String, String)> = Vec::new();
    for _ in 0..20 {
        let (group, name) = places.links[run.rng.below(places.links.len())].clone();
        if chosen.len() < count && chosen.iter().all(|(other, _)| *other != group) {
            chosen.push((group, name));
        }
    }
    let names: Vec<String> = chosen.iter().map(|_| new_name(run)).collect();
    for (number, (group, name)) in chosen.iter().enumerate() {
        let (to, _) = &chosen[(number + 1) % chosen.len()];
        missing(
            run.file
                .relink(&join(group, name), &join(to, &names[number])),
        )?;
    }
    Ok(())
}

fn link_and_unlink(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let from = places.any_link(run);
    if run.file.group(&from).is_ok() {
        // Two paths to a group would be two places of all that is in it.
        return Ok(());
    }
    let to = join(&places.any_group(run), &new_name(run));
    missing(run.file.link_hard(&from, &to))?;
    if run.rng.below(3) == 0 {
        run.commit_links()?;
    }
    missing(run.file.unlink(&from))
}

fn swap_names(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let (one, other) = (places.any_link(run), places.any_link(run));
    let inside = |one: &str, other: &str| one == other || other.starts_with(&format!("{one}/"));
    if inside(&one, &other) || inside(&other, &one) {
        return Ok(());
    }
    let between = format!("/{}", new_name(run));
    missing(run.file.relink(&one, &between))?;
    missing(run.file.relink(&other, &one))?;
    missing(run.file.relink(&between, &other))
}

fn change_object(run: &mut Run) -> Result<()> {
    let places = Places::of(run)?;
    let path = places.any_link(run);
    match run.file.dataset(&path) {
        Ok(dataset) if dataset.maxshape() == [None] && !dataset.dtype()?.contains_var_len() => {
            dataset.resize(dataset.size() + 1)
        }
        Ok(dataset) => dataset.set_attr("changed", run.rng.below(100) as i64),
        Err(_) => run
            .file
            .group(&path)?
            .set_attr("changed", run.rng.below(100) as i64),
    }
}

fn some_moves(run: &mut Run) -> Result<()> {
    for _ in 0..run.some(1, 4) {
        match run.rng.below(9) {
            0 => rename(run)?,
            1 => into_the_root(run)?,
            2 => out_of_the_root(run)?,
            3 => anywhere(run)?,
            4 => in_a_circle(run, 2)?,
            5 => in_a_circle(run, 3)?,
            6 => swap_names(run)?,
            7 => change_object(run)?,
            _ => link_and_unlink(run)?,
        }
    }
    Ok(())
}

impl Run {
    fn commit_links(&mut self) -> Result<()> {
        self.note_relink();
        self.commit()
    }
}

/// One kind of move after another, each a commit.
fn in_turn(run: &mut Run, moves: &[fn(&mut Run) -> Result<()>], rounds: usize) -> Result<()> {
    for round in 0..rounds {
        if round % 6 == 5 {
            run.reopen()?;
        }
        moves[round % moves.len()](run)?;
        run.commit_links()?;
    }
    Ok(())
}

/// New objects of ours beside those that are there: groups in groups, and fillers before and between them, so that any of
/// them may lie in sector 0 of a file of ours, or share a sector.
fn begin(run: &mut Run) -> Result<()> {
    let (before, between) = (run.some(0, 14), run.some(0, 9));
    let fill = |run: &mut Run, count: usize| -> Result<()> {
        for _ in 0..count {
            let name = format!("filler {}", run.rng.below(1 << 40));
            let made = run
                .file
                .new_dataset::<f64>()
                .create_with(&name, &[1.5; 3])?;
            give_id(run, &made)?;
        }
        Ok(())
    };
    fill(run, before)?;
    for path in ["a", "b", "c", "c/d", "c/d/e"] {
        // Some files to begin with have something else of that name.
        if run.file.exists(path)? && run.file.group(path).is_err() {
            run.file.unlink(path)?;
        }
        let group = match run.file.exists(path)? {
            true => run.file.group(path)?,
            false => run.file.create_group(path)?,
        };
        give_id(run, &group)?;
        for name in ["x", "y"] {
            let dataset = group.new_dataset::<i64>().shape(0..).chunk(4);
            let dataset = dataset.create(&format!("{name} of {}", path.replace('/', " ")))?;
            give_id(run, &dataset)?;
            dataset.append(&[run.rng.below(1000) as i64; 5])?;
        }
        fill(run, between)?;
    }
    run.commit_links()
}

pub(super) fn renames(run: &mut Run) -> Result<()> {
    begin(run)?;
    in_turn(run, &[rename, swap_names, rename], 9)
}

pub(super) fn through_the_root(run: &mut Run) -> Result<()> {
    begin(run)?;
    in_turn(run, &[into_the_root, out_of_the_root], 12)
}

pub(super) fn between_groups(run: &mut Run) -> Result<()> {
    begin(run)?;
    in_turn(run, &[anywhere, link_and_unlink, anywhere], 12)
}

pub(super) fn swaps(run: &mut Run) -> Result<()> {
    begin(run)?;
    in_turn(
        run,
        &[
            |run| in_a_circle(run, 2),
            swap_names,
            |run| in_a_circle(run, 3),
        ],
        10,
    )
}

pub(super) fn any_moves(run: &mut Run) -> Result<()> {
    begin(run)?;
    in_turn(run, &[some_moves], 12)
}
