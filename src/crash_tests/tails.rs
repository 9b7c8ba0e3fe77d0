//! What lies beyond the committed extent in the chunks that the committed state names. Readers never see it, but a stock
//! writer does: it takes a heap ID that it finds where it writes a string for the old value, and gives that object back. So for
//! elements of variable length it is the fill value in every image. Rows of numbers may be there, until a session of
//! this crate makes its first change.

use super::images;
use super::oracle::{Worker, walk};
use super::run::Commits;
use super::{Rng, report};
use crate::storage::MemoryStorage;
use crate::storage::recorder::Recorder;
use crate::store::mutant::{self, Mutant};
use crate::{
    CompoundMember, Dataset, Datatype, ErrorKind, File, Group, H5Type, Result, Value, VarLenArray,
};
use ndarray::{Array2, ArrayView2};

/// A file that is being written, and the log of its device.
struct Tails {
    file: File,
    recorder: Recorder,
    rng: Rng,
    commits: Commits,
    commit: usize,
}

/// A workload with its name.
type Work = (&'static str, fn(&mut Tails) -> Result<()>);

const ALL: &[Work] = &[
    ("appended strings", appended),
    ("forty datasets", forty),
    ("two growing axes", two_axes),
    ("shrunk and grown", shrunk),
    ("early writes", early),
    ("contiguous", contiguous),
];

impl Tails {
    fn new(seed: u64, commits: Commits) -> Result<Self> {
        let recorder = Recorder::on(Vec::new());
        Ok(Self {
            file: File::create_on(recorder.clone())?,
            recorder,
            rng: Rng::new(seed),
            commits,
            commit: 0,
        })
    }

    fn some(&mut self, from: usize, to: usize) -> usize {
        from + self.rng.below(to - from)
    }

    fn text(&mut self) -> String {
        let len = self.some(0, 20);
        "x".repeat(len) + &self.rng.below(1000).to_string()
    }

    fn texts(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.text()).collect()
    }

    fn commit(&mut self) -> Result<()> {
        match self.commits {
            Commits::Any | Commits::Mixed => self.file.flush()?,
            Commits::Sync => self.file.sync()?,
        }
        self.commit += 1;
        self.recorder.mark(self.commit);
        Ok(())
    }

    /// The process dies, and another goes on.
    fn die(&mut self) -> Result<()> {
        self.recorder = self.recorder.kill();
        self.file = File::open_rw_on(self.recorder.clone())?;
        Ok(())
    }
}

/// Compounds with a number and a string.
fn notes() -> Datatype {
    let member = |name: &str, offset, datatype| CompoundMember {
        name: name.into(),
        offset,
        datatype,
    };
    Datatype::Compound {
        size: 24,
        members: vec![
            member("time", 0, f64::datatype()),
            member("note", 8, String::datatype()),
        ],
    }
}

fn note(tails: &mut Tails) -> Value {
    let text = tails.text();
    Value::Compound(vec![
        ("time".into(), Value::Float(0.5)),
        ("note".into(), Value::String(text)),
    ])
}

fn appended(tails: &mut Tails) -> Result<()> {
    let file = &tails.file;
    let names = file.new_dataset::<String>().shape(0..).chunk(8);
    names.create("names")?;
    let packed = file.new_dataset::<String>().shape(0..).chunk(8);
    packed.shuffle().deflate(3).create("packed")?;
    for round in 0..10 {
        if round % 4 == 3 {
            tails.die()?;
        }
        for name in ["names", "packed"] {
            let count = tails.some(1, 7);
            let texts = tails.texts(count);
            let dataset = tails.file.dataset(name)?;
            dataset.append(&texts)?;
            if round % 3 == 2 {
                let at = tails.some(0, dataset.size());
                let texts = tails.texts(1);
                dataset.write_slice(&texts, at..at + 1)?;
            }
        }
        tails.commit()?;
    }
    Ok(())
}

fn forty(tails: &mut Tails) -> Result<()> {
    for number in 0..40 {
        let (file, name) = (&tails.file, format!("d{number:02}"));
        match number % 4 {
            0 | 1 => file
                .new_dataset::<String>()
                .shape(0..)
                .chunk(4)
                .create(&name),
            2 => file
                .new_dataset::<VarLenArray<i32>>()
                .shape(0..)
                .chunk(4)
                .create(&name),
            _ => file
                .new_dataset_of(notes())
                .shape(0..)
                .chunk(4)
                .create(&name),
        }?;
    }
    for round in 0..5 {
        if round % 3 == 2 {
            tails.die()?;
        }
        for number in 0..40 {
            if tails.rng.below(3) == 0 {
                continue;
            }
            let dataset = tails.file.dataset(&format!("d{number:02}"))?;
            match number % 4 {
                0 | 1 => {
                    let count = tails.some(1, 4);
                    dataset.append(&tails.texts(count))?;
                }
                2 => {
                    let values: Vec<i32> = (0..tails.some(1, 5) as i32).collect();
                    dataset.append(&[VarLenArray::from_slice(&values)])?;
                }
                _ => dataset.append_values(&[note(tails)])?,
            }
        }
        tails.commit()?;
    }
    Ok(())
}

fn table(tails: &mut Tails, rows: usize, columns: usize) -> Array2<String> {
    Array2::from_shape_simple_fn((rows, columns), || tails.text())
}

fn two_axes(tails: &mut Tails) -> Result<()> {
    let builder = tails.file.new_dataset::<String>();
    builder.shape((1.., 1..)).chunk((3, 2)).create("table")?;
    for round in 0..10 {
        if round % 4 == 3 {
            tails.die()?;
        }
        for _ in 0..tails.some(1, 3) {
            let dataset = tails.file.dataset("table")?;
            let (shape, axis) = (dataset.shape(), tails.some(0, 2));
            let steps = tails.some(1, 3);
            let values = match axis {
                0 => table(tails, steps, shape[1]),
                _ => table(tails, shape[0], steps),
            };
            dataset.append_axis(axis, ArrayView2::from(&values))?;
        }
        tails.commit()?;
    }
    Ok(())
}

fn shrunk(tails: &mut Tails) -> Result<()> {
    let file = &tails.file;
    file.new_dataset::<String>()
        .shape(0..)
        .chunk(5)
        .create("names")?;
    let table = file.new_dataset::<String>().shape((4.., 5..));
    table.chunk((3, 3)).create("table")?;
    for round in 0..12 {
        if round % 5 == 4 {
            tails.die()?;
        }
        let names = tails.file.dataset("names")?;
        let count = tails.some(1, 9);
        names.append(&tails.texts(count))?;
        // Also smaller and greater again in one commit.
        for _ in 0..tails.some(0, 3) {
            names.resize(tails.some(0, names.size() + 3))?;
        }
        let dataset = tails.file.dataset("table")?;
        dataset.resize((tails.some(1, 9), tails.some(1, 9)))?;
        let shape = dataset.shape();
        let values = self::table(tails, shape[0], shape[1]);
        dataset.write(ArrayView2::from(&values))?;
        tails.commit()?;
    }
    Ok(())
}

/// Chunks leave memory before the commit, since others need it.
fn early(tails: &mut Tails) -> Result<()> {
    for number in 0..6 {
        let builder = tails.file.new_dataset::<String>().shape(0..).chunk(64);
        builder.create(&format!("d{number}"))?;
    }
    for round in 0..8 {
        if round % 3 == 2 {
            tails.die()?;
        }
        tails.file.object.with(|engine, _| {
            engine.budget = 3000;
            Ok(())
        })?;
        for _ in 0..12 {
            let name = format!("d{}", tails.some(0, 6));
            let dataset = tails.file.dataset(&name)?;
            let count = tails.some(1, 20);
            dataset.append(&tails.texts(count))?;
        }
        tails.commit()?;
    }
    Ok(())
}

fn contiguous(tails: &mut Tails) -> Result<()> {
    let texts = tails.texts(9);
    let builder = tails.file.new_dataset::<String>().contiguous();
    builder.create_with("block", &texts)?;
    for round in 0..6 {
        if round == 3 {
            tails.die()?;
        }
        let at = tails.some(0, 8);
        let texts = tails.texts(2);
        tails
            .file
            .dataset("block")?
            .write_slice(&texts, at..at + 2)?;
        tails.commit()?;
    }
    Ok(())
}

fn datasets(group: &Group) -> Result<Vec<Dataset>> {
    let mut all = group.datasets()?;
    for group in group.groups()? {
        all.extend(datasets(&group)?);
    }
    Ok(all)
}

/// Looks at the chunks as the file stores them: nothing but fill is beyond an extent.
fn clean(image: &[u8]) -> std::result::Result<bool, String> {
    let look = || -> Result<Option<String>> {
        let file = File::open_on(MemoryStorage::from(image.to_vec()))?;
        for dataset in datasets(&file.root())? {
            let dirty = dataset.object.with(|engine, addr| {
                let (object, store, _) = engine.parts(addr)?;
                let dataset = object.dataset.as_mut();
                dataset.map_or(Ok(None), |dataset| dataset.dirty_chunk(store))
            })?;
            if let Some(at) = dirty {
                let name = dataset.name();
                return Ok(Some(format!(
                    "{name}: chunk {at:?} is not fill beyond the extent"
                )));
            }
        }
        Ok(None)
    };
    match look() {
        Ok(None) => Ok(true),
        Ok(Some(dirty)) => Err(dirty),
        Err(error) if matches!(error.kind(), ErrorKind::NotHdf5) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// Judges every image of a workload; how many there were.
fn judge(
    (name, work): Work,
    seed: u64,
    commits: Commits,
    worker: &mut Option<Worker>,
    asked_every: usize,
) -> std::result::Result<(usize, usize), String> {
    let (mut images, mut extended) = (0, 0);
    let written = Tails::new(seed, commits).and_then(|mut tails| work(&mut tails).map(|()| tails));
    let mut tails = written.map_err(|error| format!("{name}, seed {seed}: {error}"))?;
    let log = tails.recorder.log();
    let mut asked = Rng::new(seed);
    let mut visit = |image: images::Image| {
        images += 1;
        let locate = |error| format!("{name}, seed {seed} {commits:?}, {}: {error}", image.origin);
        if clean(&image.bytes).map_err(locate)?
            && asked.below(asked_every) == 0
            && let Some(worker) = worker
        {
            extended += 1;
            walk(&image.bytes).map_err(locate)?;
            worker.append(&image.bytes).map_err(locate)?;
        }
        Ok(())
    };
    images::killed(&[], &log, &mut tails.rng, 1, &mut visit)?;
    if commits == Commits::Sync {
        images::without_power(&[], &log, &mut tails.rng, &mut visit)?;
    }
    Ok((images, extended))
}

#[test]
fn nothing_of_variable_length_is_beyond_an_extent_in_any_image() {
    let mut worker = Worker::start();
    let (mut images, mut extended) = (0, 0);
    for &work in ALL {
        for (seed, commits) in [(1, Commits::Any), (2, Commits::Sync)] {
            let (judged, asked) = judge(work, seed, commits, &mut worker, 12).unwrap();
            images += judged;
            extended += asked;
        }
    }
    report(&format!(
        "tails: {images} images judged, {extended} of them appended to by h5py"
    ));
    assert!(images > 2000);
    assert!(worker.is_none() || extended > 100);
}

#[test]
fn strings_written_into_a_committed_chunk_are_found() {
    for &work in &ALL[..4] {
        let said = mutant::with(Mutant::TailInPlace, || {
            judge(work, 1, Commits::Any, &mut None, 1)
        });
        let said = said.expect_err(work.0);
        assert!(said.contains("is not fill beyond the extent"), "{said}");
    }
}

/// A file with rows of numbers beyond the committed extents of some datasets, as a session leaves it that dies.
fn left_by_a_death() -> Result<Vec<u8>> {
    let recorder = Recorder::on(Vec::new());
    let file = File::create_on(recorder.clone())?;
    let rows = file.new_dataset::<f64>().shape(0..).chunk(300);
    let rows = rows.create("one/rows")?;
    let packed = file.new_dataset::<i32>().shape(0..).chunk(64).deflate(2);
    let packed = packed.create("packed")?;
    let filled = file
        .new_dataset::<i32>()
        .shape(0..)
        .chunk(100)
        .fill_value(7);
    let filled = filled.create("two/three/filled")?;
    // More chunks at the edge than are looked up one by one.
    let table = file.new_dataset::<u8>().shape((1.., 40..)).chunk((4, 3));
    let table = table.create("table")?;
    rows.append(&[1.0, 2.0, 3.0])?;
    packed.append(&[1, 2, 3])?;
    filled.append(&[1, 2, 3])?;
    table.write(ArrayView2::from(&Array2::from_elem((1, 40), 9_u8)))?;
    file.sync()?;
    rows.append(&[4.0; 100])?;
    packed.append(&[4, 5, 6])?;
    filled.append(&[4; 90])?;
    table.append(ArrayView2::from(&Array2::from_elem((2, 40), 9_u8)))?;
    let before = recorder.log().len();
    file.flush()?;
    // All but the last write, which is the flip.
    let log = recorder.log();
    let mut image = Vec::new();
    let last = log
        .iter()
        .rposition(|event| matches!(event, crate::storage::recorder::Event::Write { .. }));
    let last = last.filter(|last| *last > before).expect("a commit writes");
    images::killed(&[], &log[..last], &mut Rng::new(1), 0, &mut |found| {
        image = found.bytes;
        Ok(())
    })
    .expect("nothing is refused");
    Ok(image)
}

/// What a session leaves that makes another change, anywhere in the file.
fn edited_elsewhere(image: &[u8]) -> Result<Vec<u8>> {
    let file = File::open_memory(image.to_vec())?;
    file.set_attr("other", 1_i64)?;
    file.into_bytes()
}

#[test]
fn the_first_change_after_a_death_cleans_every_dataset() {
    let image = left_by_a_death().unwrap();
    assert!(clean(&image).unwrap_err().contains("not fill"));
    let edited = edited_elsewhere(&image).unwrap();
    assert_eq!(clean(&edited), Ok(true));
    walk(&edited).unwrap();
    // The sign of the death is gone with what it stood for.
    let file = File::open_memory(edited.clone()).unwrap();
    let untidy = file.object.with(|engine, _| Ok(engine.store.untidy));
    assert!(!untidy.unwrap());
    let rows = file.dataset("one/rows").unwrap();
    assert_eq!(rows.read_raw::<f64>().unwrap(), [1.0, 2.0, 3.0]);
    if let Some(mut worker) = Worker::start() {
        worker.append(&edited).unwrap();
        worker.extend(&edited).unwrap();
    }
    // Without that, the sign goes and the rows stay.
    let edited = mutant::with(Mutant::TailsNotCleaned, || edited_elsewhere(&image)).unwrap();
    assert!(clean(&edited).is_err());
}

#[test]
fn a_death_while_tails_are_cleaned_leaves_the_sign_or_clean_tails() {
    let image = left_by_a_death().unwrap();
    for sync in [false, true] {
        let recorder = Recorder::on(image.clone());
        let file = File::open_rw_on(recorder.clone()).unwrap();
        let rows = file.dataset("one/rows").unwrap();
        rows.append(&[5.0; 3]).unwrap();
        match sync {
            true => file.sync().unwrap(),
            false => file.flush().unwrap(),
        }
        file.close().unwrap();
        let mut seen = [0; 2];
        let mut visit = |found: images::Image| {
            let file = File::open_on(MemoryStorage::from(found.bytes.clone()));
            let untidy =
                file.and_then(|file| file.object.with(|engine, _| Ok(engine.store.untidy)));
            let untidy = untidy.map_err(|error| error.to_string())?;
            seen[usize::from(untidy)] += 1;
            if !untidy {
                clean(&found.bytes).map_err(|error| format!("{}: {error}", found.origin))?;
            }
            let edited = edited_elsewhere(&found.bytes).map_err(|error| error.to_string())?;
            clean(&edited).map(drop)
        };
        let log = recorder.log();
        images::killed(&image, &log, &mut Rng::new(2), 2, &mut visit).unwrap();
        if sync {
            for seed in 0..20 {
                images::without_power(&image, &log, &mut Rng::new(seed), &mut visit).unwrap();
            }
        }
        assert!(seen[1] > 3 && (sync || seen[0] > 0), "{seen:?}");
    }
}

#[test]
fn a_damaged_dataset_keeps_the_sign_of_a_death_and_hinders_no_commit() {
    let mut image = left_by_a_death().unwrap();
    let index = image
        .windows(4)
        .position(|bytes| bytes == b"BTHD")
        .expect("an index");
    image[index + 6] ^= 0xff;
    let edited = edited_elsewhere(&image).unwrap();
    let file = File::open_memory(edited.clone()).unwrap();
    let state = file.object.with(|engine, _| {
        let store = &engine.store;
        Ok((
            store.untidy,
            store.device_len - store.superblock.end_of_file,
        ))
    });
    assert_eq!(state.unwrap(), (true, 1));
    let value: i64 = file.attr("other").unwrap().read_scalar().unwrap();
    assert_eq!(value, 1);
    // All the others are clean.
    let dirty = datasets(&file.root())
        .unwrap()
        .into_iter()
        .filter(|dataset| {
            let looked = dataset.object.with(|engine, addr| {
                let (object, store, _) = engine.parts(addr)?;
                let dataset = object.dataset.as_mut();
                dataset.map_or(Ok(None), |dataset| dataset.dirty_chunk(store))
            });
            matches!(looked, Ok(Some(_)))
        });
    assert_eq!(dirty.count(), 0);
}
