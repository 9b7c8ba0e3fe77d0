//! One file that a workload writes, the log of its device, and what it held at every commit.

use super::Rng;
use super::images::{self, Image};
use super::oracle::{Oracle, read_state, walk};
use super::state::{State, capture, found};
use crate::storage::recorder::Recorder;
use crate::{File, FileBuilder, Result};

/// How the workload commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    /// With `flush` and `sync`, closing in between: safe against a kill.
    Any,
    /// With `sync` alone: safe against a loss of power.
    Sync,
    /// By itself, as a policy says, and with `sync` now and then, the first time after some commits: safe against a loss of
    /// power from then on. See [`mixed`](super::mixed).
    Mixed,
}

impl Commits {
    /// The options of a file that is committed so.
    fn policy(self, rng: &mut Rng, options: &FileBuilder) -> FileBuilder {
        match self {
            Self::Mixed => options.clone().flush_every_bytes(1 + rng.below(400) as u64),
            _ => options.clone(),
        }
    }
}

/// A workload: its name, and the operations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) work: fn(&mut Run) -> Result<()>,
    /// A file of another writer to begin with.
    pub(super) start: Option<&'static [u8]>,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) file: File,
    pub(super) rng: Rng,
    pub(super) recorder: Recorder,
    /// What the file held after commit k; `None`: there was no file.
    pub(super) states: Vec<Option<State>>,
    pub(super) start: Vec<u8>,
    /// How many events there were when a sync was first asked for.
    pub(super) promised: Option<usize>,
    /// The handle belongs to the process that is alive.
    pub(super) open: bool,
    commits: Commits,
    /// The commits in which links came, went or moved: where the order asks for it, the cells of one sector are then written
    /// one by one.
    pub(super) relinks: std::collections::BTreeSet<usize>,
    /// Compares what the handle says before a commit with what the file says after it.
    look_before: bool,
    pub(super) wrong: Option<String>,
}

impl Run {
    pub(super) fn new(start: Option<&[u8]>, seed: u64, commits: Commits) -> Self {
        let (recorder, start) = (Recorder::on(start.unwrap_or(&[]).to_vec()), start);
        Self::on(recorder, start, seed, commits).expect("a new device does not fail")
    }

    pub(super) fn on(
        recorder: Recorder,
        start: Option<&[u8]>,
        seed: u64,
        commits: Commits,
    ) -> Result<Self> {
        let mut rng = Rng::new(seed);
        let options = commits.policy(&mut rng, &File::with_options());
        let (file, state) = match start {
            Some(bytes) => {
                let state = read_state(bytes).expect("the file to begin with is right");
                (options.open_rw_on(recorder.clone())?, Some(state))
            }
            None => (options.create_on(recorder.clone())?, None),
        };
        let mut run = Self {
            file,
            rng,
            recorder,
            states: vec![state],
            start: start.unwrap_or(&[]).to_vec(),
            promised: None,
            open: true,
            commits,
            relinks: std::collections::BTreeSet::new(),
            look_before: seed.is_multiple_of(2),
            wrong: None,
        };
        if start.is_none() {
            // The creation is a commit.
            run.committed(None);
        }
        Ok(run)
    }

    /// Links come, go or move before the next commit.
    pub(super) fn note_relink(&mut self) {
        self.relinks.insert(self.states.len());
    }

    /// Begins with another new file.
    pub(super) fn create_with(&mut self, options: &FileBuilder) -> Result<()> {
        self.recorder.kill();
        self.recorder = Recorder::default();
        self.states = vec![None];
        self.open = false;
        let options = self.commits.policy(&mut self.rng, options);
        self.file = options.create_on(self.recorder.clone())?;
        self.open = true;
        self.committed(None);
        Ok(())
    }

    /// A run whose file is never looked at while it is written: with faults, a look would fail too.
    pub(super) fn blind(mut self) -> Self {
        self.look_before = false;
        self
    }

    fn committed(&mut self, said: Option<State>) {
        if self.commits == Commits::Mixed {
            // What was committed is seen in the log.
            return;
        }
        self.recorder.mark(self.states.len());
        let state = match read_state(&self.recorder.bytes()) {
            Ok(state) => state,
            Err(error) => {
                self.wrong = self.wrong.take().or(Some(error));
                State::new()
            }
        };
        if said.is_some_and(|said| said != state) {
            let commit = self.states.len();
            let wrong = format!("commit {commit} is not what the handle said before");
            self.wrong = self.wrong.take().or(Some(wrong));
        }
        self.states.push(Some(state));
    }

    fn said(&self) -> Result<Option<State>> {
        self.look_before.then(|| capture(&self.file)).transpose()
    }

    /// A sync, which is asked for.
    fn sync(&mut self) -> Result<()> {
        let events = self.recorder.log().len();
        self.promised.get_or_insert(events);
        self.file.sync()
    }

    pub(super) fn commit(&mut self) -> Result<()> {
        if self.commits == Commits::Mixed {
            return match self.rng.below(3) {
                0 => self.sync(),
                _ => Ok(()),
            };
        }
        let said = self.said()?;
        if self.commits == Commits::Sync || self.rng.below(3) == 0 {
            self.file.sync()?;
        } else {
            self.file.flush()?;
        }
        self.committed(said);
        Ok(())
    }

    /// Opens the file anew, after closing it or after a kill; what was not committed may be lost.
    pub(super) fn reopen(&mut self) -> Result<()> {
        if self.commits == Commits::Mixed {
            self.sync()?;
        }
        // The creation of a file is a commit, but has nothing in it that a workload could go on with.
        let without = if self.start.is_empty() { 2 } else { 1 };
        if self.states.len() == without {
            self.commit()?;
        }
        if self.commits != Commits::Sync && self.rng.below(2) == 0 {
            return self.close_and_open();
        }
        self.recorder = self.recorder.kill();
        self.open_again()
    }

    pub(super) fn close_and_open(&mut self) -> Result<()> {
        let said = self.said()?;
        self.file.clone().close()?;
        self.committed(said);
        self.open_again()
    }

    fn open_again(&mut self) -> Result<()> {
        self.open = false;
        let options = self.commits.policy(&mut self.rng, &File::with_options());
        self.file = options.open_rw_on(self.recorder.clone())?;
        self.open = true;
        match self.commits {
            // What this session commits by itself would be a flush before its first sync.
            Commits::Mixed => self.sync(),
            _ => Ok(()),
        }
    }

    /// Judges every image of the run.
    pub(super) fn judge(
        &mut self,
        oracle: &mut Oracle,
        cuts: usize,
        power: bool,
    ) -> Result<(), String> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        let log = self.recorder.log();
        let (states, relinks) = (&self.states, &self.relinks);
        let mut visit = |image: Image| {
            oracle.together = !relinks.contains(&(image.commit + 1));
            oracle.judge(&image, states)
        };
        images::killed(&self.start, &log, &mut self.rng, cuts, &mut visit)?;
        if power && self.commits == Commits::Sync {
            images::without_power(&self.start, &log, &mut self.rng, &mut visit)?;
        }
        walk(&self.recorder.bytes())
    }
}

/// Runs a workload and judges what it left after a death at any moment.
pub(super) fn run(
    workload: Workload,
    seed: u64,
    commits: Commits,
    oracle: &mut Oracle,
) -> Result<(), String> {
    let locate = |error: String| format!("{} seed {seed} {commits:?}: {error}", workload.name);
    let mut run = Run::new(workload.start, seed, commits);
    if let Err(error) = (workload.work)(&mut run) {
        return Err(locate(error.to_string()));
    }
    run.judge(oracle, 2, true).map_err(locate)?;
    if commits == Commits::Any {
        let said = capture(&run.file).map_err(|error| error.to_string())?;
        run.file.close().map_err(|error| error.to_string())?;
        let bytes = run.recorder.bytes();
        if found(&read_state(&bytes)?) != found(&said) {
            return Err(locate("the closed file is not what the handle said".into()));
        }
        walk(&bytes).map_err(locate)?;
    }
    Ok(())
}
