//! `sync` beside automatic commits: what was synced survives a loss of power, whatever the file committed by itself after it. (A
//! flush that the user asks for does put it at risk.)

use super::images::{self, Image};
use super::stock::Stock;
use super::view::{View, view_of};
use crate::storage::MemoryStorage;
use crate::storage::recorder::Recorder;
use crate::{File, Result};

/// Rows and lines of a number each, so that an image says how many of them it has.
struct Session {
    file: File,
    recorder: Recorder,
    rng: super::Rng,
    rows: usize,
    /// Rows and groups at each sync that has returned.
    synced: Vec<(usize, usize)>,
}

fn line(number: usize) -> String {
    format!("{number} {}", "l".repeat(number % 23))
}

impl Session {
    fn new(seed: u64, bytes: u64) -> Result<Self> {
        let recorder = Recorder::default();
        let options = File::with_options().flush_every_bytes(bytes);
        let file = options.create_on(recorder.clone())?;
        let rows = file.new_dataset::<i64>().shape(0..).chunk(16);
        rows.create("rows")?;
        let packed = file.new_dataset::<i64>().shape(0..).chunk(16).deflate(1);
        packed.create("packed")?;
        let lines = file.new_dataset::<String>().shape(0..).chunk(8);
        lines.create("lines")?;
        Ok(Self {
            file,
            recorder,
            rng: super::Rng::new(seed),
            rows: 0,
            synced: vec![(0, 0)],
        })
    }

    fn write(&mut self, rounds: usize) -> Result<()> {
        for round in 0..rounds {
            for _ in 0..1 + self.rng.below(5) {
                let count = 1 + self.rng.below(12);
                let numbers: Vec<i64> = (self.rows..self.rows + count)
                    .map(|row| row as i64)
                    .collect();
                let lines: Vec<String> = (self.rows..self.rows + count).map(line).collect();
                self.file.dataset("rows")?.append(&numbers)?;
                self.file.dataset("packed")?.append(&numbers)?;
                self.file.dataset("lines")?.append(&lines)?;
                self.rows += count;
            }
            self.file.create_group(&format!("group {round}"))?;
            if self.rng.below(3) == 0 {
                self.file.sync()?;
                self.recorder.mark(self.synced.len());
                self.synced.push((self.rows, round + 1));
            }
        }
        Ok(())
    }
}

/// Every object has at least what was synced, and nothing that was never written.
fn judge(image: &[u8], rows: usize, groups: usize) -> std::result::Result<(), String> {
    let look = || -> Result<Option<String>> {
        let file = File::open_on(MemoryStorage::from(image.to_vec()))?;
        for name in ["rows", "packed"] {
            let values = file.dataset(name)?.read_raw::<i64>()?;
            let right = values
                .iter()
                .enumerate()
                .all(|(at, &value)| value == at as i64);
            if !right || values.len() < rows {
                return Ok(Some(format!(
                    "{name}: {} of {rows} rows, right: {right}",
                    values.len()
                )));
            }
        }
        let lines = file.dataset("lines")?.read_raw::<String>()?;
        let right = lines.iter().enumerate().all(|(at, text)| *text == line(at));
        if !right || lines.len() < rows {
            return Ok(Some(format!(
                "lines: {} of {rows}, right: {right}",
                lines.len()
            )));
        }
        for number in 0..groups {
            file.group(&format!("group {number}"))?;
        }
        Ok(None)
    };
    match look() {
        Ok(None) => Ok(()),
        Ok(Some(wrong)) => Err(wrong),
        Err(error) => Err(error.to_string()),
    }
}

/// libhdf5 reads the same as we do: no object is torn or away.
fn judge_by_stock(stock: &mut Stock, image: &[u8]) -> std::result::Result<(), String> {
    let theirs = stock.view(image)?;
    let ours = view_of(image)?;
    let same = |one: &View, other: &View| {
        let addresses = |view: &View| -> Vec<u64> { view.keys().map(|key| key.addr).collect() };
        addresses(one) == addresses(other)
    };
    match same(&ours, &theirs) {
        true => Ok(()),
        false => Err("libhdf5 finds other objects".into()),
    }
}

#[test]
fn what_was_synced_survives_a_loss_of_power_amid_later_automatic_commits() {
    let mut stock = Stock::new();
    let (mut images, mut wrong, mut first) = (0, 0, None);
    let wanted = super::wanted_images() / 10;
    let mut seed = 0;
    while images < wanted || seed < 3 {
        let mut session = Session::new(seed, [200, 1000, 5000][seed as usize % 3]).unwrap();
        session.write(12).unwrap();
        let log = session.recorder.log();
        let mut rng = super::Rng::new(seed);
        let mut visit = |image: Image| {
            if image.commit == 0 {
                return Ok(());
            }
            images += 1;
            let (rows, groups) = session.synced[image.commit];
            let mut judged = judge(&image.bytes, rows, groups);
            if images % 10 == 0 && stock.is_there() {
                judged = judged.and_then(|()| judge_by_stock(&mut stock, &image.bytes));
            }
            if let Err(error) = judged {
                wrong += 1;
                let sync = image.commit;
                first.get_or_insert(format!(
                    "seed {seed}: {}, sync {sync}: {error}",
                    image.origin
                ));
            }
            Ok::<(), String>(())
        };
        images::without_power(&[], &log, &mut rng, &mut visit).unwrap();
        seed += 1;
    }
    super::report(&format!(
        "syncs among automatic commits: {images} images, {wrong} wrong"
    ));
    assert_eq!(first, None);
}
