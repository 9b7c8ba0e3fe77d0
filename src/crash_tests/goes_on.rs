//! What goes wrong after a death when somebody goes on: a stock writer, our opener and then a stock writer, or our opener
//! that dies once more. And whether every object that both commits have is still reachable, for any reader.

use super::Rng;
use super::images::{self, Image};
use super::stock::Stock;
use super::view::{self, View, view_file, view_of};
use crate::storage::recorder::{Event, Recorder};
use crate::{Dataset, File, Group, Result, SliceOrIndex};

/// How many images were judged in which way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Read by us and by libhdf5, object by object.
    pub(super) images: usize,
    /// Those that a second death left.
    pub(super) second_deaths: usize,
    /// Edited by libhdf5, and its appends.
    pub(super) stock_edits: usize,
    pub(super) stock_appends: usize,
    /// Edited by us and then by libhdf5.
    pub(super) both_edits: usize,
    /// With a header in which a write over the edge of a sector was torn: unreadable to libhdf5 until we have completed it.
    pub(super) torn: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.images += other.images;
        self.second_deaths += other.second_deaths;
        self.stock_edits += other.stock_edits;
        self.stock_appends += other.stock_appends;
        self.both_edits += other.both_edits;
        self.torn += other.torn;
    }

    pub(super) fn since(mut self, before: Self) -> Self {
        self.images -= before.images;
        self.second_deaths -= before.second_deaths;
        self.stock_edits -= before.stock_edits;
        self.stock_appends -= before.stock_appends;
        self.both_edits -= before.both_edits;
        self.torn -= before.torn;
        self
    }

    pub(super) fn all_images(&self) -> usize {
        self.images + self.second_deaths
    }
}

/// One image in how many is edited by libhdf5, edited by us first, and edited by us while we die again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) stock: usize,
    pub(super) both: usize,
    pub(super) second: usize,
}

#[derive(Debug)]
pub(super) struct GoesOn {
    pub(super) stock: Stock,
    pub(super) counts: Counts,
    pub(super) rng: Rng,
    /// Headers of the file straddle sectors, so that a death may leave some that libhdf5 cannot read before we have
    /// opened the file for writing.
    pub(super) straddles: bool,
    rates: Rates,
}

impl GoesOn {
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            stock: Stock::new(),
            counts: Counts::default(),
            rng: Rng::new(7),
            straddles: false,
            rates,
        }
    }

    /// Judges an image of a file that was `views` at its commits; `None`: there was no file.
    pub(super) fn judge(
        &mut self,
        image: &Image,
        views: &[Option<View>],
    ) -> std::result::Result<(), String> {
        let Some(before) = &views[image.commit] else {
            // The other tests judge how a file comes to be.
            return Ok(());
        };
        let after = views.get(image.commit + 1).and_then(Option::as_ref);
        let states: Vec<&View> = std::iter::once(before).chain(after).collect();
        self.judge_inner(image, &states)
            .map_err(|error| format!("{}, commit {}: {error}", image.origin, image.commit))
    }

    fn judge_inner(&mut self, image: &Image, states: &[&View]) -> std::result::Result<(), String> {
        self.counts.images += 1;
        self.read(&image.bytes, states)?;
        if self.rng.below(self.rates.stock) == 0 {
            self.edit_by_stock(&image.bytes)?;
        }
        if self.rng.below(self.rates.both) == 0 {
            self.edit_by_both(&image.bytes)?;
        }
        if self.rng.below(self.rates.second) == 0 {
            self.die_again(&image.bytes, states)?;
        }
        Ok(())
    }

    fn read(&mut self, image: &[u8], states: &[&View]) -> std::result::Result<(), String> {
        let ours = view_of(image)?;
        view::judge(&ours, states).map_err(|error| format!("our reader: {error}"))?;
        if !self.stock.is_there() {
            return Ok(());
        }
        let theirs = match self.stock.view(image) {
            Err(error) if self.is_torn(&error) => {
                self.counts.torn += 1;
                self.stock.view(&completed(image)?)?
            }
            theirs => theirs?,
        };
        view::judge(&theirs, states).map_err(|error| format!("libhdf5: {error}"))
    }

    fn is_torn(&self, error: &str) -> bool {
        self.straddles && error.contains("checksum")
    }

    fn edit_by_stock(&mut self, image: &[u8]) -> std::result::Result<(), String> {
        if !self.stock.is_there() {
            return Ok(());
        }
        let seed = self.rng.below(1 << 40) as u64;
        let edited = match self.stock.go_on(image, seed) {
            Err(error) if self.is_torn(&error) => self.stock.go_on(&completed(image)?, seed),
            edited => edited,
        };
        self.counts.stock_edits += 1;
        self.counts.stock_appends +=
            edited.map_err(|error| format!("libhdf5 edits (seed {seed}): {error}"))?;
        Ok(())
    }

    fn edit_by_both(&mut self, image: &[u8]) -> std::result::Result<(), String> {
        let wrong = |error: crate::Error| format!("we edit: {error}");
        let file = File::open_memory(image.to_vec()).map_err(wrong)?;
        edit(&file, &mut self.rng).map_err(wrong)?;
        let said = view_file(&file).map_err(wrong)?;
        let bytes = file.into_bytes().map_err(wrong)?;
        super::oracle::walk_image(&bytes).map_err(|error| format!("after our edit: {error}"))?;
        self.read(&bytes, &[&said])
            .map_err(|error| format!("after our edit: {error}"))?;
        self.counts.both_edits += 1;
        self.edit_by_stock(&bytes)
            .map_err(|error| format!("after our edit: {error}"))
    }

    /// Our opener dies amid its first commit: every object is as one of the commits or as the edit has it.
    fn die_again(&mut self, image: &[u8], states: &[&View]) -> std::result::Result<(), String> {
        let wrong = |error: crate::Error| format!("we edit: {error}");
        let recorder = Recorder::on(image.to_vec());
        let file = File::open_rw_on(recorder.clone()).map_err(wrong)?;
        edit(&file, &mut self.rng).map_err(wrong)?;
        let said = view_file(&file).map_err(wrong)?;
        file.sync().map_err(wrong)?;
        let log = recorder.log();
        let mut all = states.to_vec();
        all.push(&said);
        let mut rng = self.rng.clone();
        let mut visit = |second: Image| {
            self.counts.second_deaths += 1;
            let judged = self.read(&second.bytes, &all);
            let judged = judged.and_then(|()| match self.rng.below(self.rates.stock) {
                0 => self.edit_by_stock(&second.bytes),
                _ => Ok(()),
            });
            judged.map_err(|error| format!("a second death, {}: {error}", second.origin))
        };
        images::killed(image, &log, &mut rng, 1, &mut visit)?;
        images::without_power(image, &log, &mut rng, &mut visit)
    }
}

/// The file once we have opened it for writing and closed it.
fn completed(image: &[u8]) -> std::result::Result<Vec<u8>, String> {
    File::open_memory(image.to_vec())
        .and_then(File::into_bytes)
        .map_err(|error| format!("we complete it: {error}"))
}

/// A small edit of every kind.
fn edit(file: &File, rng: &mut Rng) -> Result<()> {
    let (mut datasets, mut groups) = (Vec::new(), Vec::new());
    collect(&file.root(), &mut datasets, &mut groups)?;
    for dataset in &datasets {
        if rng.below(3) > 0 {
            append(dataset, rng)?;
        }
    }
    let group = &groups[rng.below(groups.len())];
    group.set_attr("edited", rng.below(1000) as i64)?;
    let name = format!("edited {}", rng.below(1 << 40));
    let made = group.new_dataset::<String>().shape(0..).create(&name)?;
    made.append(&["one".to_string(), name])
}

fn collect(group: &Group, datasets: &mut Vec<Dataset>, groups: &mut Vec<Group>) -> Result<()> {
    groups.push(group.clone());
    datasets.extend(group.datasets()?);
    group
        .groups()?
        .iter()
        .try_for_each(|group| collect(group, datasets, groups))
}

fn append(dataset: &Dataset, rng: &mut Rng) -> Result<()> {
    let (shape, max) = (dataset.shape(), dataset.maxshape());
    let Some(axis) = (0..shape.len()).find(|&axis| max[axis].is_none_or(|max| max > shape[axis]))
    else {
        return Ok(());
    };
    if dataset.dtype()?.contains_var_len() {
        return dataset.append(&[format!("edited {}", rng.below(1 << 40))]);
    }
    let mut grown = shape.clone();
    grown[axis] += 1;
    let mut part: Vec<SliceOrIndex> = grown.iter().map(|&dim| (0..dim).into()).collect();
    part[axis] = (shape[axis]..grown[axis]).into();
    let elements = grown.iter().product::<usize>() / grown[axis];
    let size = dataset.dtype()?.size() as usize;
    dataset.resize(&grown)?;
    dataset.write_bytes(&vec![rng.below(90) as u8; elements * size], part.as_slice())
}

/// What the file was at each commit of the log.
pub(super) fn views_at_marks(
    start: &[u8],
    log: &[Event],
    has_start: bool,
) -> std::result::Result<Vec<Option<View>>, String> {
    let first = has_start.then(|| view_of(start)).transpose()?;
    let (mut views, mut device) = (vec![first], start.to_vec());
    for event in log {
        match event {
            Event::Write { offset, bytes } => images::write(&mut device, *offset as usize, bytes),
            Event::SetLen(len) => device.resize(*len as usize, 0),
            Event::Sync => {}
            Event::Mark(_) => views.push(Some(view_of(&device)?)),
        }
    }
    Ok(views)
}
