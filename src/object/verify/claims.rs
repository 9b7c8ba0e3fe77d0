//! Which bytes of the file have been claimed, and for what.

use super::{MAX_WATCHED, Problem, String, ToString, Vec, format, vec};
use crate::bytes::{Addr, Extent};
use alloc::collections::BTreeMap;

/// What bytes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Metadata,
    Raw,
    Free,
}

#[derive(Debug)]
pub(super) struct Claims {
    end: u64,
    /// Start to end; runs that touch are one.
    runs: BTreeMap<u64, u64>,
    bytes: [u64; 3],
    /// The first extents that were claimed twice.
    pub(super) overlaps: Vec<Extent>,
    /// Extents known to be claimed twice, and by whom.
    watched: Vec<(Extent, Vec<String>)>,
}

impl Claims {
    pub(super) fn new(end: u64, watched: Vec<Extent>) -> Self {
        Self {
            end,
            runs: BTreeMap::new(),
            bytes: [0; 3],
            overlaps: Vec::new(),
            watched: watched.into_iter().map(|extent| (extent, vec![])).collect(),
        }
    }

    pub(super) fn bytes(&self, used: Use) -> u64 {
        self.bytes[used as usize]
    }

    /// So many bytes, claimed with the metadata that lists them, are free.
    pub(super) fn is_free(&mut self, bytes: u64) {
        let metadata = &mut self.bytes[Use::Metadata as usize];
        *metadata = metadata.saturating_sub(bytes);
        self.bytes[Use::Free as usize] += bytes;
    }

    /// Claims an extent; says what is wrong with that, if anything.
    pub(super) fn claim(
        &mut self,
        extent: Extent,
        used: Use,
        what: &str,
        path: &str,
    ) -> Result<(), &'static str> {
        if extent.len == 0 {
            return Ok(());
        }
        for (watched, claimants) in &mut self.watched {
            let (from, to) = (
                watched.addr.max(extent.addr),
                watched.end().min(extent.end()),
            );
            if from < to && claimants.len() < 4 {
                claimants.push(format!("{what} of {path} at offset {}", extent.addr.get()));
            }
        }
        let (mut start, end) = (extent.addr.get(), extent.addr.get().checked_add(extent.len));
        let Some(mut end) = end.filter(|end| *end <= self.end) else {
            return Err("reaches beyond the end of the file");
        };
        self.bytes[used as usize] += extent.len;
        let mut overlap = None;
        if let Some((&before, &before_end)) = self.runs.range(..=start).next_back()
            && before_end >= start
        {
            if before_end > start {
                overlap = Some((start, before_end.min(end)));
            }
            (start, end) = (before, end.max(before_end));
            self.runs.remove(&before);
        }
        while let Some((&after, &after_end)) = self.runs.range(start..=end).next() {
            if after < end && overlap.is_none() {
                overlap = Some((after, after_end.min(end)));
            }
            end = end.max(after_end);
            self.runs.remove(&after);
        }
        self.runs.insert(start, end);
        let Some((from, to)) = overlap else {
            return Ok(());
        };
        if self.overlaps.len() < MAX_WATCHED {
            self.overlaps.push(Extent::new(Addr::new(from), to - from));
        }
        Err("overlaps something else")
    }

    /// What is claimed, neighbours in one.
    pub(super) fn runs(&self) -> Vec<Extent> {
        let run = |(&start, &end): (&u64, &u64)| Extent::new(Addr::new(start), end - start);
        self.runs.iter().map(run).collect()
    }

    /// What is claimed by nothing.
    pub(super) fn gaps(&self) -> Vec<Extent> {
        let mut gaps = Vec::new();
        let mut at = 0;
        for (&start, &end) in &self.runs {
            if start > at {
                gaps.push(Extent::new(Addr::new(at), start - at));
            }
            at = end;
        }
        if at < self.end {
            gaps.push(Extent::new(Addr::new(at), self.end - at));
        }
        gaps
    }

    /// Who claims the watched extents.
    pub(super) fn claimants(self) -> impl Iterator<Item = Problem> {
        self.watched.into_iter().map(|(extent, claimants)| Problem {
            offset: Some(extent.addr.get()),
            object: "/".to_string(),
            what: format!(
                "{} bytes are claimed by {}",
                extent.len,
                claimants.join(", by ")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_run_and_overlaps_are_found() {
        let mut claims = Claims::new(1000, Vec::new());
        let mut claim = |start, len| {
            claims.claim(
                Extent::new(Addr::new(start), len),
                Use::Raw,
                "a block",
                "/a",
            )
        };
        assert_eq!(claim(0, 100), Ok(()));
        assert_eq!(claim(200, 100), Ok(()));
        assert_eq!(claim(100, 100), Ok(()));
        assert_eq!(claim(299, 2), Err("overlaps something else"));
        assert_eq!(claim(400, 600), Ok(()));
        assert_eq!(claim(390, 20), Err("overlaps something else"));
        assert_eq!(claim(999, 2), Err("reaches beyond the end of the file"));
        assert_eq!(
            claim(u64::MAX, 2),
            Err("reaches beyond the end of the file")
        );
        assert_eq!(claims.gaps(), [Extent::new(Addr::new(301), 89)]);
        assert_eq!(claims.runs.len(), 2);
        assert_eq!(
            claims.overlaps,
            [
                Extent::new(Addr::new(299), 1),
                Extent::new(Addr::new(400), 10)
            ]
        );
    }
}
