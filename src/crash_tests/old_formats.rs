//! Deaths while files of other writers are edited, in each form of the format: superblock 0 and its symbol tables, v1
//! headers and v1 B-trees, dense links and attributes, extensible and fixed arrays, tracked creation order, a userblock,
//! netCDF-4. Objects whose header straddles a sector are left alone: the exception that the commit documents.
//!
//! `H5QUILL_CRASH_OLD_IMAGES` is the least number of images to judge.

use super::oracle::{Counts, Oracle};
use super::run::{Commits, Run, Workload, run};
use crate::{Dataset, ErrorKind, Group, Location, Result};
use ndarray::ArrayD;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

macro_rules! old {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../tests/golden/crash_old_", $name, ".h5.z")) as &[u8],
        )
    };
}

const FILES: &[(&str, &[u8])] = &[
    old!("earliest"),
    old!("v108"),
    old!("v110"),
    old!("latest"),
    old!("ordered"),
    old!("userblock"),
    old!("page"),
    old!("netcdf4"),
];

/// What is not edited: each line a file and paths in it.
const STRADDLING: &str = include_str!("../../tests/golden/crash_old.txt");

/// The paths that every file may have changed.
struct Places {
    datasets: Vec<Dataset>,
    groups: Vec<Group>,
}

/// The files, inflated.
pub(super) fn files() -> &'static [(&'static str, Vec<u8>)] {
    static FILES_INFLATED: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    FILES_INFLATED.get_or_init(|| inflated(FILES))
}

pub(super) fn inflated(files: &[(&'static str, &[u8])]) -> Vec<(&'static str, Vec<u8>)> {
    let inflate = |&(name, deflated): &(&'static str, &[u8])| {
        let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(deflated);
        (name, bytes.expect("a zlib stream"))
    };
    files.iter().map(inflate).collect()
}

fn straddles(run: &Run, path: &str) -> bool {
    // In the files of `after_death.rs` nothing is left alone.
    let file = files().iter().find(|(_, bytes)| *bytes == run.start);
    let Some((name, _)) = file else { return false };
    STRADDLING.lines().any(|line| {
        let mut words = line.split(' ');
        words.next() == Some(*name) && words.any(|bad| bad == path)
    })
}

fn collect(run: &Run, group: &Group, places: &mut Places) -> Result<()> {
    if !straddles(run, &group.name()) {
        places.groups.push(group.clone());
    }
    for dataset in group.datasets()? {
        // Made many, and small: they are only linked and unlinked.
        if !straddles(run, &dataset.name()) && !dataset.name().starts_with("/group/d") {
            places.datasets.push(dataset);
        }
    }
    group
        .groups()?
        .iter()
        .try_for_each(|group| collect(run, group, places))
}

fn bytes_for(run: &mut Run, dataset: &Dataset, elements: usize) -> Result<Vec<u8>> {
    let size = dataset.dtype()?.size() as usize;
    let first = run.rng.below(100);
    Ok((0..elements * size)
        .map(|at| (first + at % 90) as u8)
        .collect())
}

/// More rows along an axis that has room.
fn append(run: &mut Run, dataset: &Dataset) -> Result<()> {
    let (shape, max) = (dataset.shape(), dataset.maxshape());
    let count = run.some(1, 6);
    let axes: Vec<usize> = (0..shape.len())
        .filter(|&axis| max[axis].is_none_or(|max| max >= shape[axis] + count))
        .collect();
    if axes.is_empty() {
        return rewrite(run, dataset);
    }
    let axis = axes[run.rng.below(axes.len())];
    if dataset.dtype()?.contains_var_len() {
        let texts = run.texts(count);
        return dataset.append(&texts);
    }
    let mut grown = shape.clone();
    grown[axis] += count;
    dataset.resize(&grown)?;
    let mut part: Vec<crate::SliceOrIndex> = grown.iter().map(|&dim| (0..dim).into()).collect();
    part[axis] = (shape[axis]..grown[axis]).into();
    let elements = grown.iter().product::<usize>() / grown[axis].max(1) * count;
    let bytes = bytes_for(run, dataset, elements)?;
    dataset.write_bytes(&bytes, part.as_slice())
}

fn rewrite(run: &mut Run, dataset: &Dataset) -> Result<()> {
    let shape = dataset.shape();
    if shape.is_empty() || shape.contains(&0) {
        return Ok(());
    }
    let start = run.some(0, shape[0]);
    let end = run.some(start, shape[0]) + 1;
    let mut part: Vec<crate::SliceOrIndex> = shape.iter().map(|&dim| (0..dim).into()).collect();
    part[0] = (start..end).into();
    let elements = shape[1..].iter().product::<usize>() * (end - start);
    if dataset.dtype()?.contains_var_len() {
        let texts = run.texts(end - start);
        return dataset.write_slice(&texts, start..end);
    }
    let bytes = bytes_for(run, dataset, elements)?;
    dataset.write_bytes(&bytes, part.as_slice())
}

fn resize(run: &mut Run, dataset: &Dataset) -> Result<()> {
    let (shape, max) = (dataset.shape(), dataset.maxshape());
    let pairs = shape.iter().zip(max);
    let dims: Vec<usize> = pairs
        .map(|(&dim, max)| match max {
            Some(max) if max == dim => dim,
            max => run.some(0, 12).min(max.unwrap_or(12)),
        })
        .collect();
    // libhdf5 does not read a missing chunk of strings that netCDF-4 gave a fill value, unless it may write.
    if !dataset.is_resizable() || dataset.dtype()?.contains_var_len() {
        return Ok(());
    }
    dataset.resize(&dims)
}

fn attribute(run: &mut Run, at: &Location) -> Result<()> {
    let name = format!("a{:02}", run.some(0, 14));
    let other = format!("b{:02}", run.some(0, 5));
    match run.rng.below(5) {
        0 => missing(at.delete_attr(&name)),
        1 => missing(at.rename_attr(&name, &other)),
        2 => {
            let text = run.text();
            at.set_attr(&name, &text)
        }
        3 => {
            let values: ArrayD<f64> = run.values(&[20]);
            at.set_attr(&name, values.as_slice().expect("one axis"))
        }
        _ => at.set_attr(&name, run.some(0, 1000) as i64),
    }
}

/// A change that finds nothing to change, or its place taken, is none.
fn missing(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Exists) => Ok(()),
        // A group that would be inside itself.
        Err(error) if matches!(error.kind(), ErrorKind::Invalid(_)) => Ok(()),
        result => result,
    }
}

fn link(run: &mut Run, groups: &[Group]) -> Result<()> {
    run.note_relink();
    let group = &groups[run.rng.below(groups.len())];
    let (name, other) = (run.some(0, 16), run.some(0, 16));
    let (name, other) = (format!("d{name:02}"), format!("d{other:02}"));
    let target = &groups[run.rng.below(groups.len())];
    match run.rng.below(7) {
        0 => missing(group.unlink(&name)),
        1 => missing(group.relink(&name, &format!("{}/{other}", target.name()))),
        // One that leads nowhere could not be read.
        2 if run.file.exists("names")? => missing(group.link_soft("/names", &name)),
        3 if group.dataset(&other).is_ok() => missing(group.link_hard(&other, &name)),
        4 => missing(group.create_group(&name).map(drop)),
        5 => missing(group.copy(&other, target, &name)),
        _ => {
            let values = run.values(&[4]);
            let builder = group.new_dataset::<f64>().chunk(3);
            missing(builder.create_with(&name, values.view()).map(drop))
        }
    }
}

fn step(run: &mut Run) -> Result<()> {
    let mut places = Places {
        datasets: Vec::new(),
        groups: Vec::new(),
    };
    collect(run, &run.file.root(), &mut places)?;
    let dataset = places.datasets[run.rng.below(places.datasets.len())].clone();
    match run.rng.below(10) {
        0..=2 => append(run, &dataset),
        3 => resize(run, &dataset),
        4 | 5 => rewrite(run, &dataset),
        6 => attribute(run, &dataset),
        7 => {
            let group = places.groups[run.rng.below(places.groups.len())].clone();
            attribute(run, &group)
        }
        _ => link(run, &places.groups),
    }
}

pub(super) fn edit(run: &mut Run) -> Result<()> {
    for _ in 0..8 {
        for _ in 0..run.some(1, 5) {
            step(run)?;
        }
        match run.rng.below(4) {
            0 => run.reopen()?,
            _ => run.commit()?,
        }
    }
    Ok(())
}

fn wanted() -> usize {
    let named = std::env::var("H5QUILL_CRASH_OLD_IMAGES").ok();
    named.and_then(|text| text.parse().ok()).unwrap_or(3_000)
}

#[test]
fn every_crash_image_of_an_edited_old_file_shows_the_last_commit_or_the_one_in_flight() {
    let files = files();
    let (next, images) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let total = Mutex::new(Counts::default());
    let failures = Mutex::new(Vec::new());
    let wanted = wanted();
    let work = || {
        let mut oracle = Oracle::all(25);
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let (round, (name, bytes)) = (job / files.len(), &files[job % files.len()]);
            let enough = images.load(Ordering::Relaxed) >= wanted;
            if (round > 0 && enough) || failures.lock().unwrap().len() > 5 {
                break;
            }
            let commits = [Commits::Any, Commits::Sync][(job + round) % 2];
            let before = oracle.counts.images;
            // That of 1.10 knows no layouts of version 5.
            oracle.h5dump = super::support::h5dump().filter(|_| *name != "latest");
            let workload = Workload {
                name,
                work: edit,
                start: Some(bytes.as_slice()),
            };
            if let Err(error) = run(workload, round as u64, commits, &mut oracle) {
                super::report(&error);
                failures.lock().unwrap().push(error);
            }
            images.fetch_add(oracle.counts.images - before, Ordering::Relaxed);
        }
        total.lock().unwrap().add(oracle.counts);
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let (total, failures) = (total.into_inner().unwrap(), failures.into_inner().unwrap());
    super::report(&format!(
        "crash images of old files: {} judged, {} opened by h5py, {} edited and extended, {} dumped by h5dump, {} wrong",
        total.images,
        total.opened_by_h5py,
        total.edited,
        total.dumped,
        failures.len()
    ));
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(total.images >= wanted);
}
