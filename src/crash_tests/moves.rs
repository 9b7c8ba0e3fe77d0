//! Links that move, attributes that are renamed, files for HDF5 1.8 and files with a userblock.

use super::images::{self, Image};
use super::oracle::walk_image;
use super::run::{Commits, Run};
use super::workloads::{FOREIGN, anything, fixed, many_sectors, resizing};
use crate::storage::MemoryStorage;
use crate::{ChunkOpts, Dataset, ErrorKind, File, FileSpaceStrategy, Group, LibVer, Result};

/// Datasets of all layouts, that grow and shrink, in the forms of 1.8.
pub(super) fn for_18(run: &mut Run) -> Result<()> {
    run.create_with(&File::with_options().libver(LibVer::V18))?;
    match run.rng.below(3) {
        0 => anything(run),
        1 => fixed(run),
        _ => resizing(run),
    }
}

/// All addresses are relative, all sectors absolute; the block itself changes between commits.
pub(super) fn after_a_userblock(run: &mut Run) -> Result<()> {
    let size = 512 << run.some(0, 5);
    run.create_with(&File::with_options().userblock(size))?;
    let filler = vec![b'u'; run.some(1, size as usize)];
    run.file.write_userblock(&filler)?;
    anything(run)?;
    run.file.write_userblock(b"the last word")?;
    run.file.create_group("after it")?;
    run.commit()
}

/// Pages of any size, with and without what libhdf5 keeps in the file of free space. The extension, which says where the
/// file ends, changes with the cells, or before them where they are in several sectors.
pub(super) fn in_pages(run: &mut Run) -> Result<()> {
    let pages = FileSpaceStrategy::FreeSpaceManager {
        paged: true,
        persist: run.rng.below(2) == 0,
        threshold: 1,
    };
    let size = [512, 1000, 4096, 8192][run.some(0, 4)];
    let options = File::with_options().file_space_strategy(pages);
    run.create_with(&options.file_space_page_size(size))?;
    any_work(run)
}

/// Free space that libhdf5 keeps track of, blocks at multiples, few links and attributes in headers, and chunks at
/// the edge that go unfiltered.
pub(super) fn of_other_options(run: &mut Run) -> Result<()> {
    let managed = FileSpaceStrategy::FreeSpaceManager {
        paged: false,
        persist: true,
        threshold: 1,
    };
    let options = File::with_options().file_space_strategy(managed);
    let (links, attributes) = (run.some(0, 4) as u32, run.some(0, 4) as u32);
    let options = options.link_phase_change(links, links / 2);
    let options = options.attr_phase_change(attributes, attributes / 2);
    let (threshold, alignment) = (run.some(1, 600) as u64, run.some(2, 700) as u64);
    run.create_with(&options.alignment(threshold, alignment))?;
    any_work(run)
}

fn any_work(run: &mut Run) -> Result<()> {
    match run.rng.below(4) {
        0 => many_sectors(run),
        1 => fixed(run),
        2 => raw_edges(run),
        _ => anything(run),
    }
}

fn raw_edges(run: &mut Run) -> Result<()> {
    let builder = run
        .file
        .new_dataset::<f64>()
        .shape((0.., 0..))
        .chunk((3, 4));
    let builder = builder.chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS);
    builder.shuffle().deflate(1).fletcher32().create("edges")?;
    for round in 0..12 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        let edges = run.file.dataset("edges")?;
        match run.rng.below(3) {
            0 => edges.resize((run.some(0, 9), run.some(0, 9)))?,
            _ => {
                let columns = edges.shape()[1];
                let rows = run.some(1, 4);
                let values = run.values(&[rows, columns]);
                edges.append(values.view())?;
            }
        }
        let (rows, columns) = (edges.shape()[0], edges.shape()[1]);
        if rows * columns > 0 {
            let (row, column) = (run.some(0, rows), run.some(0, columns));
            let values = run.values(&[rows - row, columns - column]);
            edges.write_slice(values.view(), (row.., column..))?;
        }
        run.commit()?;
    }
    Ok(())
}

fn ignore(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::Exists | ErrorKind::NotFound) => Ok(()),
        result => result,
    }
}

fn any_path(run: &mut Run) -> String {
    let group = ["", "one/", "one/two/", "tracked/"][run.some(0, 4)];
    format!("{group}n{:02}", run.some(0, 16))
}

pub(super) fn moves(run: &mut Run) -> Result<()> {
    run.file.create_group("one/two")?;
    run.file.new_group().track_order(true).create("tracked")?;
    let data = run.file.new_dataset::<f64>().shape(0..).track_order(true);
    data.create("x")?;
    for round in 0..14 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        for _ in 0..run.some(1, 7) {
            let (from, to) = (any_path(run), any_path(run));
            run.note_relink();
            match run.rng.below(7) {
                0 | 1 => {
                    let values = run.values(&[3]);
                    let made = run
                        .file
                        .new_dataset::<f64>()
                        .create_with(&from, values.view());
                    ignore(made.map(drop))?;
                }
                2 => ignore(run.file.unlink(&from))?,
                3 => {
                    let x = run.file.dataset("x")?;
                    let (old, new) = (format!("a{}", run.some(0, 12)), run.some(0, 12));
                    ignore(x.rename_attr(&old, &format!("a{new}")))?;
                    x.set_attr(&old, i64::from(round))?;
                    let group = run.file.group("tracked")?;
                    group.set_attr(&old, i64::from(round))?;
                    ignore(group.rename_attr(&old, &format!("a{new}")))?;
                }
                _ => ignore(run.file.relink(&from, &to))?,
            }
        }
        let values = run.values(&[2]);
        run.file.dataset("x")?.append(values.view())?;
        run.commit()?;
    }
    Ok(())
}

/// The datasets of one value, wherever they are.
fn find(group: &Group, value: f64, found: &mut Vec<Dataset>) -> Result<()> {
    for dataset in group.datasets()? {
        if dataset
            .read_raw::<f64>()
            .is_ok_and(|values| values == [value; 3])
        {
            found.push(dataset);
        }
    }
    group
        .groups()?
        .iter()
        .try_for_each(|group| find(group, value, found))
}

/// A file of another writer has no flip record: a link that moves is then at both places rather than at none.
#[test]
fn no_death_loses_a_link_that_moves_in_a_file_of_another_writer() {
    let start = FOREIGN.start.unwrap();
    let mut images = 0;
    for (seed, commits) in [(1, Commits::Any), (2, Commits::Sync), (3, Commits::Sync)] {
        let mut run = Run::new(Some(start), seed, commits).blind();
        let place = run.file.new_dataset::<f64>();
        place.create_with("place 0", &[0.125; 3]).unwrap();
        for number in 1..4 {
            run.file.create_group(&format!("group {number}")).unwrap();
        }
        run.commit().unwrap();
        let first = run.states.len();
        let mut at = "place 0".to_string();
        for (round, to) in [
            "group 2/p",
            "group 1/p",
            "g/p",
            "p",
            "group 3/p",
            "group 1/q",
        ]
        .iter()
        .enumerate()
        {
            run.file.relink(&at, to).unwrap();
            let values = run.values(&[round + 1]);
            run.file
                .dataset("x")
                .unwrap()
                .append(values.view())
                .unwrap();
            at = (*to).to_string();
            if round == 4 {
                // Through three groups in one commit, the first step last.
                run.file.create_group("group 2/kept").unwrap();
                run.commit().unwrap();
                run.file.relink("group 2/kept", "group 1/kept").unwrap();
                run.file.relink(&at, "group 2/p").unwrap();
                at = "group 2/p".to_string();
            }
            run.commit().unwrap();
        }
        let mut judge = |image: Image| {
            if image.commit + 1 < first {
                return Ok(());
            }
            images += 1;
            let open = File::open_on(MemoryStorage::from(image.bytes));
            let mut found = Vec::new();
            open.and_then(|file| find(&file.root(), 0.125, &mut found))
                .map_err(|error| format!("{}: {error}", image.origin))?;
            match found.len() {
                0 => Err(format!("{}: the link is lost", image.origin)),
                _ => Ok(()),
            }
        };
        let log = run.recorder.log();
        images::killed(&run.start, &log, &mut run.rng, 2, &mut judge).unwrap();
        if commits == Commits::Sync {
            images::without_power(&run.start, &log, &mut run.rng, &mut judge).unwrap();
        }
    }
    assert!(images > 100, "{images}");
}

/// Adds, moves and takes out links of one object, which always keeps one. `groups` are its places.
fn relink_one(run: &mut Run, groups: &[&str], paths: &mut Vec<String>) -> Result<()> {
    for _ in 0..run.some(1, 4) {
        let at = run.rng.below(paths.len());
        let group = groups[run.rng.below(groups.len())];
        let middle = ["", "", "new/"][run.rng.below(3)];
        let to = format!("{group}/{middle}link {}", run.rng.below(1 << 40));
        match run.rng.below(4) {
            0 => {
                run.file.link_hard(&paths[at], &to)?;
                paths.push(to);
            }
            1 if paths.len() > 1 => {
                run.file.unlink(&paths.swap_remove(at))?;
            }
            _ => {
                run.file.relink(&paths[at], &to)?;
                paths[at] = to;
            }
        }
    }
    Ok(())
}

/// Nor does a death leave more links to an object than it counts, or an object without links.
#[test]
fn no_death_leaves_a_count_of_links_too_low_in_a_file_of_another_writer() {
    let start = FOREIGN.start.unwrap();
    let groups = ["a", "a/b", "a/b/c", "a/b/c/d"];
    let mut images = 0;
    for seed in 0..10 {
        let commits = [Commits::Any, Commits::Sync][seed as usize % 2];
        let mut run = Run::new(Some(start), seed, commits).blind();
        let mut paths = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            run.file.create_group(group).unwrap();
            let path = format!("{group}/own");
            let values = [number as f64 + 0.125; 3];
            let place = run.file.new_dataset::<f64>();
            place.create_with(&path, &values).unwrap();
            paths.push(vec![path]);
        }
        run.commit().unwrap();
        let first = run.states.len();
        for _ in 0..10 {
            // One alone for what must always be found, and all for the counts.
            let together = if seed < 6 { 1 } else { 3 };
            for _ in 0..together {
                let object = run.rng.below(paths.len());
                relink_one(&mut run, &groups, &mut paths[object]).unwrap();
            }
            run.commit().unwrap();
        }
        let mut judge = |image: Image| {
            if image.commit + 1 < first {
                return Ok(());
            }
            images += 1;
            walk_image(&image.bytes).map_err(|error| format!("{}: {error}", image.origin))?;
            let file = File::open_on(MemoryStorage::from(image.bytes)).unwrap();
            for number in 0..if seed < 6 { groups.len() } else { 0 } {
                let mut found = Vec::new();
                find(&file.root(), number as f64 + 0.125, &mut found).unwrap();
                if found.is_empty() {
                    return Err(format!("{}: object {number} is lost", image.origin));
                }
            }
            Ok(())
        };
        let log = run.recorder.log();
        images::killed(&run.start, &log, &mut run.rng, 2, &mut judge).unwrap();
        if commits == Commits::Sync {
            images::without_power(&run.start, &log, &mut run.rng, &mut judge).unwrap();
        }
        super::oracle::walk(&run.recorder.bytes()).unwrap();
    }
    assert!(images > 500, "{images}");
}
