//! Strings in forty datasets beside numbers, and compressed data that grow and shrink along two axes.

use super::relinks::give_id;
use super::run::Run;
use crate::Result;

const DATASETS: usize = 40;

fn append_some(run: &mut Run) -> Result<()> {
    for _ in 0..run.some(3, 30) {
        let number = run.some(0, DATASETS);
        let count = run.some(1, 7);
        let texts = run.texts(count);
        run.file.dataset(&format!("s{number:02}"))?.append(&texts)?;
        let values = run.values(&[count]);
        run.file
            .dataset(&format!("n{:02}", number / 5))?
            .append(values.view())?;
    }
    Ok(())
}

/// What is appended last in a session may never be committed.
pub(super) fn forty(run: &mut Run) -> Result<()> {
    for number in 0..DATASETS {
        let builder = run
            .file
            .new_dataset::<String>()
            .shape(0..)
            .chunk([4, 32][number % 2]);
        let made = builder.create(&format!("s{number:02}"))?;
        give_id(run, &made)?;
    }
    for number in 0..DATASETS / 5 {
        let builder = run.file.new_dataset::<f64>().shape(0..).chunk(16);
        let made = builder.create(&format!("n{number:02}"))?;
        give_id(run, &made)?;
    }
    for round in 0..7 {
        append_some(run)?;
        run.commit()?;
        if round % 3 == 2 {
            append_some(run)?;
            run.reopen()?;
        }
    }
    Ok(())
}

/// Strings that replace others, in chunks of the committed state and in those that only grow.
pub(super) fn replaced(run: &mut Run) -> Result<()> {
    for name in ["one", "two", "three"] {
        let builder = run.file.new_dataset::<String>().shape(0..).chunk(6);
        let made = builder.create(name)?;
        give_id(run, &made)?;
    }
    for round in 0..12 {
        for name in ["one", "two", "three"] {
            let dataset = run.file.dataset(name)?;
            let count = run.some(1, 8);
            let texts = run.texts(count);
            dataset.append(&texts)?;
            let from = run.some(0, dataset.size());
            let to = run.some(from, dataset.size()) + 1;
            let texts = run.texts(to - from);
            dataset.write_slice(&texts, from..to)?;
            if run.rng.below(3) == 0 {
                dataset.resize(run.some(0, dataset.size() + 1))?;
            }
        }
        match round % 4 {
            3 => run.reopen()?,
            _ => run.commit()?,
        }
    }
    Ok(())
}

pub(super) fn two_axes(run: &mut Run) -> Result<()> {
    for (name, chunk) in [("wide", (2, 9)), ("high", (7, 2)), ("small", (1, 1))] {
        let builder = run.file.new_dataset::<f64>().shape((4.., 4..)).chunk(chunk);
        let made = builder.shuffle().deflate(3).fletcher32().create(name)?;
        give_id(run, &made)?;
    }
    for round in 0..12 {
        for name in ["wide", "high", "small"] {
            let dataset = run.file.dataset(name)?;
            dataset.resize((run.some(0, 12), run.some(0, 12)))?;
            let shape = dataset.shape();
            if shape.contains(&0) {
                continue;
            }
            let (row, column) = (run.some(0, shape[0]), run.some(0, shape[1]));
            let values = run.values(&[shape[0] - row, shape[1] - column]);
            dataset.write_slice(values.view(), (row.., column..))?;
            if run.rng.below(3) == 0 {
                let axis = run.some(0, 2);
                let mut part = dataset.shape();
                part[axis] = run.some(1, 4);
                let values = run.values(&part);
                dataset.append_axis(axis, values.view())?;
            }
        }
        match round % 5 {
            4 => run.reopen()?,
            _ => run.commit()?,
        }
    }
    Ok(())
}
