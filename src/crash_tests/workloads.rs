//! What is written while the device may die.

use super::run::{Run, Workload};
use super::{groups, managers, moves};
use crate::{Dataset, ErrorKind, File, Group, Result, SliceOrIndex};
use ndarray::ArrayD;

const fn new(name: &'static str, work: fn(&mut Run) -> Result<()>) -> Workload {
    Workload {
        name,
        work,
        start: None,
    }
}

pub(super) const ALL: &[Workload] = &[
    new("two datasets in step", in_step),
    new("strings beside numbers", strings),
    new("three axes, two of them growing", three_axes),
    new("resizing and slices", resizing),
    new("contiguous and compact data", fixed),
    new("attributes", attributes),
    new("links", links),
    new("a hundred links", hundred_links),
    new("objects in many sectors", many_sectors),
    new("anything", anything),
    new("anything in a file for 1.8", moves::for_18),
    new("anything after a userblock", moves::after_a_userblock),
    new("anything in pages", moves::in_pages),
    new("anything with other options", moves::of_other_options),
    new("links moved and attributes renamed", moves::moves),
    new("copies", copies),
    new("virtual datasets", outside),
    new("many groups", groups::groups),
    Workload {
        name: "many groups in a file libhdf5 wrote",
        work: groups::groups,
        ..FOREIGN
    },
    managers::OURS,
    managers::OF_LIBHDF5,
    FOREIGN,
    PAGED,
];

pub(super) const IN_STEP: Workload = new("two datasets in step", in_step);
pub(super) const MANY_SECTORS: Workload = new("objects in many sectors", many_sectors);
pub(super) const ANYTHING: Workload = new("anything", anything);
pub(super) const FOREIGN: Workload = Workload {
    name: "a file libhdf5 wrote",
    work: foreign,
    start: Some(include_bytes!("../../tests/golden/crash_foreign.h5")),
};

pub(super) const PAGED: Workload = Workload {
    name: "a file of pages libhdf5 wrote",
    work: foreign,
    start: Some(include_bytes!("../../tests/golden/crash_paged.h5")),
};

/// libhdf5 does not open it before the first commit.
pub(super) const MARKED: Workload = Workload {
    name: "a file whose writer died",
    work: foreign,
    start: Some(include_bytes!("../../tests/golden/crash_marked.h5")),
};

/// A short run of everything, for faults in each of its calls.
pub(super) const BRIEF: Workload = new("a bit of everything", brief);

impl Run {
    pub(super) fn some(&mut self, from: usize, to: usize) -> usize {
        from + self.rng.below(to - from)
    }

    pub(super) fn values(&mut self, shape: &[usize]) -> ArrayD<f64> {
        let first = self.rng.below(1 << 20) as f64;
        let mut next = first;
        ArrayD::from_shape_simple_fn(shape, || {
            next += 0.5;
            next
        })
    }

    fn integers(&mut self, count: usize) -> Vec<i32> {
        (0..count).map(|_| self.rng.below(1000) as i32).collect()
    }

    pub(super) fn text(&mut self) -> String {
        let len = self.some(0, 40);
        (0..len)
            .map(|_| char::from(b'a' + self.rng.below(26) as u8))
            .collect()
    }

    pub(super) fn texts(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.text()).collect()
    }
}

fn create_pair(group: &Group) -> Result<()> {
    group
        .new_dataset::<f64>()
        .shape((0.., 3))
        .chunk((4, 3))
        .create("plain")?;
    let packed = group.new_dataset::<i32>().shape(0..).chunk(32);
    packed.shuffle().deflate(4).fletcher32().create("packed")?;
    Ok(())
}

fn in_step(run: &mut Run) -> Result<()> {
    create_pair(&run.file.root())?;
    for round in 0..14 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        let rows = run.some(1, 7);
        let values = run.values(&[rows, 3]);
        run.file.dataset("plain")?.append(values.view())?;
        let values = run.integers(rows * 3);
        run.file.dataset("packed")?.append(&values)?;
        run.commit()?;
    }
    Ok(())
}

fn strings(run: &mut Run) -> Result<()> {
    run.file
        .new_dataset::<String>()
        .shape(0..)
        .chunk(8)
        .create("names")?;
    run.file
        .new_dataset::<f64>()
        .shape(0..)
        .chunk(16)
        .create("x")?;
    for round in 0..12 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        let names = run.file.dataset("names")?;
        let count = run.some(1, 6);
        let texts = run.texts(count);
        names.append(&texts)?;
        if round % 3 == 2 {
            let at = run.some(0, names.size());
            let texts = run.texts(1);
            names.write_slice(&texts, at..at + 1)?;
        }
        let values = run.values(&[count]);
        run.file.dataset("x")?.append(values.view())?;
        let text = run.text();
        run.file.set_attr("last", &text)?;
        run.commit()?;
    }
    Ok(())
}

fn three_axes(run: &mut Run) -> Result<()> {
    for name in ["plain", "packed"] {
        let builder = run
            .file
            .new_dataset::<f64>()
            .shape((1.., 1.., 3))
            .chunk((2, 3, 3));
        let builder = if name == "packed" {
            builder.deflate(3)
        } else {
            builder
        };
        builder.create(name)?;
    }
    for round in 0..10 {
        if round % 4 == 3 {
            run.reopen()?;
        }
        for name in ["plain", "packed"] {
            let dataset = run.file.dataset(name)?;
            let axis = run.some(0, 2);
            let mut shape = dataset.shape();
            shape[axis] = run.some(1, 4);
            let values = run.values(&shape);
            dataset.append_axis(axis, values.view())?;
        }
        run.commit()?;
    }
    Ok(())
}

fn write_some(run: &mut Run, dataset: &Dataset) -> Result<()> {
    let shape = dataset.shape();
    if shape.contains(&0) {
        return Ok(());
    }
    let start = run.some(0, shape[0]);
    let end = run.some(start, shape[0]) + 1;
    let mut part = shape.clone();
    part[0] = end - start;
    let values = run.values(&part);
    match shape.len() {
        1 => dataset.write_slice(values.view(), start..end),
        _ => dataset.write_slice(values.view(), (start..end, ..)),
    }
}

pub(super) fn resizing(run: &mut Run) -> Result<()> {
    run.file
        .new_dataset::<f64>()
        .shape((5.., 4..))
        .chunk((3, 3))
        .create("plain")?;
    let packed = run
        .file
        .new_dataset::<f64>()
        .shape((5.., 4..=9))
        .chunk((4, 2));
    packed.shuffle().deflate(6).create("packed")?;
    run.file
        .new_dataset::<f64>()
        .shape(3..)
        .chunk(2)
        .create("line")?;
    for round in 0..12 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        for name in ["plain", "packed", "line"] {
            let dataset = run.file.dataset(name)?;
            let dims: Vec<usize> = (0..dataset.ndim()).map(|_| run.some(0, 10)).collect();
            if run.rng.below(3) > 0 {
                dataset.resize(&dims)?;
            }
            write_some(run, &dataset)?;
        }
        run.commit()?;
    }
    Ok(())
}

pub(super) fn fixed(run: &mut Run) -> Result<()> {
    let values = run.values(&[300]);
    run.file
        .new_dataset::<f64>()
        .contiguous()
        .create_with("block", values.view())?;
    let values = run.values(&[20]);
    run.file
        .new_dataset::<f64>()
        .compact()
        .create_with("small", values.view())?;
    run.file.new_dataset::<i32>().create("one")?;
    let values = run.values(&[9, 5]);
    run.file
        .new_dataset::<f64>()
        .chunk((4, 4))
        .create_with("fixed chunks", values.view())?;
    let packed = run.file.new_dataset::<f64>().chunk((4, 4)).deflate(2);
    packed.create_with("packed chunks", values.view())?;
    for round in 0..10 {
        if round % 4 == 3 {
            run.reopen()?;
        }
        for name in ["block", "small", "fixed chunks", "packed chunks"] {
            let dataset = run.file.dataset(name)?;
            write_some(run, &dataset)?;
        }
        run.file.dataset("one")?.write_scalar(&{ round })?;
        run.commit()?;
    }
    Ok(())
}

fn change_attribute(run: &mut Run, at: &crate::Location) -> Result<()> {
    let name = format!("a{:02}", run.some(0, 14));
    match run.rng.below(6) {
        0 => match at.delete_attr(&name) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound) => Ok(()),
            result => result,
        },
        1 | 2 => {
            let text = run.text();
            at.set_attr(&name, &text)
        }
        3 => at.set_attr(&name, vec![1.5_f64; run.some(1, 9)]),
        _ => at.set_attr(&name, run.rng.below(100) as i64),
    }
}

fn attributes(run: &mut Run) -> Result<()> {
    create_pair(&run.file.root())?;
    run.file.create_group("group")?;
    for round in 0..14 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        let (dataset, group) = (run.file.dataset("plain")?, run.file.group("group")?);
        for _ in 0..run.some(1, 5) {
            change_attribute(run, &dataset)?;
            change_attribute(run, &group)?;
        }
        if round % 4 == 1 {
            for name in dataset.attr_names()? {
                dataset.delete_attr(&name)?;
            }
        }
        run.commit()?;
    }
    Ok(())
}

fn change_links(run: &mut Run, group: &Group, names: usize) -> Result<()> {
    let name = format!("child {}", run.some(0, names));
    run.note_relink();
    if group.exists(&name)? {
        return match run.rng.below(2) {
            0 => group.unlink(&name),
            _ => Ok(()),
        };
    }
    match run.rng.below(5) {
        0 => {
            let child = group.create_group(&name)?;
            child.new_dataset::<i32>().create("inside").map(drop)
        }
        1 => {
            let values = run.values(&[3]);
            group
                .new_dataset::<f64>()
                .create_with(&name, values.view())
                .map(drop)
        }
        2 if group.exists("x")? => group.link_hard("x", &name),
        _ => {
            let values = run.values(&[4]);
            let dataset = group
                .new_dataset::<f64>()
                .shape(0..)
                .chunk(4)
                .create(&name)?;
            dataset.append(values.view())
        }
    }
}

fn links(run: &mut Run) -> Result<()> {
    run.file
        .new_dataset::<f64>()
        .shape(0..)
        .chunk(16)
        .create("x")?;
    run.file.create_group("one/two")?;
    for round in 0..14 {
        if round % 5 == 4 {
            run.reopen()?;
        }
        let values = run.values(&[2]);
        run.file.dataset("x")?.append(values.view())?;
        for _ in 0..run.some(1, 5) {
            let group = match run.rng.below(3) {
                0 => run.file.root(),
                1 => run.file.group("one")?,
                _ => run.file.group("one/two")?,
            };
            change_links(run, &group, 16)?;
        }
        run.commit()?;
    }
    Ok(())
}

fn hundred_links(run: &mut Run) -> Result<()> {
    let group = run.file.create_group("many")?;
    for number in 0..110 {
        let child = group.new_dataset::<i32>();
        child.create(&format!("{number:03} {}", "n".repeat(number % 30)))?;
    }
    run.commit()?;
    for round in 0..5 {
        if round % 3 == 2 {
            run.reopen()?;
        }
        let group = run.file.group("many")?;
        for _ in 0..6 {
            let names = group.member_names()?;
            let at = run.some(0, names.len());
            match run.rng.below(3) {
                0 => {
                    let name = format!("new {round} {}", run.text());
                    if !group.exists(&name)? {
                        group.new_dataset::<i32>().create(&name)?;
                    }
                }
                1 => group.unlink(&names[at])?,
                _ => group.dataset(&names[at])?.write_scalar(&(at as i32))?,
            }
        }
        run.commit()?;
    }
    Ok(())
}

pub(super) fn many_sectors(run: &mut Run) -> Result<()> {
    for number in 0..30 {
        let dataset = run.file.new_dataset::<f64>().shape(0..).chunk(8);
        let dataset = if number % 2 == 0 {
            dataset
        } else {
            dataset.deflate(1)
        };
        dataset.create(&format!("d{number:02}"))?;
    }
    for round in 0..8 {
        if round % 4 == 3 {
            run.reopen()?;
        }
        for _ in 0..run.some(4, 20) {
            let name = format!("d{:02}", run.some(0, 30));
            let count = run.some(1, 5);
            let values = run.values(&[count]);
            run.file.dataset(&name)?.append(values.view())?;
        }
        run.commit()?;
    }
    Ok(())
}

/// What [`step`] changes.
pub(super) fn begin(run: &mut Run) -> Result<()> {
    create_pair(&run.file.root())?;
    run.file
        .new_dataset::<String>()
        .shape(0..)
        .create("one/names")?;
    let builder = run.file.new_dataset::<f64>().shape((2.., 3..));
    let builder = builder.chunk((2, 2)).deflate(1);
    builder.create("one/two/x").map(drop)
}

pub(super) fn anything(run: &mut Run) -> Result<()> {
    begin(run)?;
    for _ in 0..16 {
        for _ in 0..run.some(1, 6) {
            step(run)?;
        }
        match run.rng.below(4) {
            0 => run.reopen()?,
            _ => run.commit()?,
        }
    }
    Ok(())
}

pub(super) fn step(run: &mut Run) -> Result<()> {
    let x = run.file.dataset("one/two/x")?;
    match run.rng.below(8) {
        0 => {
            let rows = run.some(1, 5);
            let values = run.values(&[rows, 3]);
            run.file.dataset("plain")?.append(values.view())
        }
        1 => {
            let count = run.some(1, 50);
            let values = run.integers(count);
            run.file.dataset("packed")?.append(&values)
        }
        2 => {
            let count = run.some(1, 4);
            let texts = run.texts(count);
            run.file.dataset("one/names")?.append(&texts)
        }
        3 => x.resize((run.some(0, 9), run.some(0, 9))),
        4 => write_some(run, &x),
        5 => change_attribute(run, &x),
        6 => {
            let group = run.file.group("one")?;
            change_links(run, &group, 12)
        }
        _ => {
            let group = run.file.root();
            change_links(run, &group, 12)
        }
    }
}

fn copies(run: &mut Run) -> Result<()> {
    let other = File::create_memory()?;
    for file in [&run.file, &other] {
        create_pair(&file.create_group("one")?)?;
        let names = file.new_dataset::<String>().shape(0..).chunk(4);
        names.create("one/two/names")?;
        for number in 0..12_i64 {
            file.group("one")?.set_attr(&format!("a{number}"), number)?;
        }
    }
    for round in 0..8 {
        if round % 3 == 2 {
            run.reopen()?;
        }
        let texts = run.texts(3);
        run.file.dataset("one/two/names")?.append(&texts)?;
        let values = run.integers(40);
        run.file.dataset("one/packed")?.append(&values)?;
        let source = if run.rng.below(3) == 0 {
            &other
        } else {
            &run.file
        };
        source.copy("one", &run.file, &format!("copies/{round}"))?;
        if round > 3 && run.rng.below(2) == 0 {
            run.file.unlink(&format!("copies/{}", round - 3))?;
        }
        if run.rng.below(2) == 0 {
            let name = format!("copies/{round}/two/names");
            run.file.dataset(&name)?.append(&texts)?;
        }
        run.commit()?;
    }
    Ok(())
}

/// Virtual datasets come and go, and datasets without elements whose files are elsewhere.
fn outside(run: &mut Run) -> Result<()> {
    let values = run.values(&[12, 4]);
    run.file
        .new_dataset::<f64>()
        .create_with("x", values.view())?;
    for round in 0..9 {
        if round % 3 == 2 {
            run.reopen()?;
        }
        for number in 0..run.some(1, 4) {
            let name = format!("made {round}/{number}");
            let rows = run.some(1, 8);
            let every = SliceOrIndex::SliceCount {
                start: run.some(0, 3),
                step: 3,
                count: 3,
                block: 2,
            };
            let builder = run.file.new_dataset::<f64>().fill_value(round as f64);
            let builder = builder
                .virtual_map(".", "x", (12, 4), (..rows, 1), (20, 3), (..rows, 0))
                .virtual_map(".", "x", (12, 4), (every, ..2), (20, 3), (8..14, 1..))
                .virtual_map(".", "none", 3, .., (20, 3), -1);
            builder.create(&name)?.set_attr("number", number as i64)?;
            let raw = run.file.new_dataset::<u8>().shape(0);
            raw.external("first.raw", 3, 5)
                .external("a second one.raw", 0, 0)
                .create(&format!("{name} raw"))?;
        }
        if round > 1 {
            let old = run.some(0, round);
            let gone = match run.some(0, 3) {
                0 => format!("made {old}/0"),
                1 => format!("made {old}/0 raw"),
                _ => format!("made {old}"),
            };
            if run.file.exists(&gone)? {
                run.file.copy(&gone, &run.file, &format!("copy {round}"))?;
                run.file.unlink(&gone)?;
            }
        }
        run.commit()?;
    }
    Ok(())
}

fn foreign(run: &mut Run) -> Result<()> {
    for round in 0..10 {
        if round % 4 == 3 {
            run.reopen()?;
        }
        for _ in 0..run.some(1, 4) {
            foreign_step(run)?;
        }
        run.commit()?;
    }
    Ok(())
}

pub(super) fn foreign_step(run: &mut Run) -> Result<()> {
    match run.rng.below(7) {
        0 | 1 => {
            let count = run.some(1, 9);
            let values = run.values(&[count]);
            run.file.dataset("x")?.append(values.view())
        }
        2 => {
            let dims = (run.some(0, 14), run.some(0, 14));
            run.file.dataset("y")?.resize(dims)
        }
        3 => {
            let texts = run.texts(2);
            run.file.dataset("names")?.append(&texts)
        }
        4 => {
            let dataset = run.file.dataset("c")?;
            write_some(run, &dataset)
        }
        5 => {
            let dataset = run.file.dataset("x")?;
            change_attribute(run, &dataset)
        }
        _ => {
            let group = run.file.group("g")?;
            change_links(run, &group, 12)
        }
    }
}

fn brief(run: &mut Run) -> Result<()> {
    begin(run)?;
    run.commit()?;
    for round in 0..4 {
        for _ in 0..8 {
            step(run)?;
        }
        match round {
            1 => run.close_and_open()?,
            _ => run.commit()?,
        }
    }
    Ok(())
}
