//! Files of libhdf5 in which every header but that of the root group crosses the edge of a sector or of a page, in every
//! phase (tests/golden/make_straddling.py); and what is edited in them.

use super::old_formats;
use super::stock::Stock;
use crate::File;
use crate::store::mutant::{self, Mutant};
use std::sync::OnceLock;

macro_rules! straddling {
    ($name:literal) => {
        (
            concat!("straddling ", $name),
            include_bytes!(concat!("../../tests/golden/straddling_", $name, ".h5.z")) as &[u8],
        )
    };
}

/// Headers of version 1; of version 2 with indexes of 1.8 and of 1.10.
pub(super) fn files() -> &'static [(&'static str, Vec<u8>)] {
    static INFLATED: OnceLock<Vec<(&str, Vec<u8>)>> = OnceLock::new();
    INFLATED.get_or_init(|| {
        old_formats::inflated(&[
            straddling!("earliest"),
            straddling!("v108"),
            straddling!("v110"),
        ])
    })
}

/// The file with one more attribute at each dataset.
fn edited(before: &[u8]) -> crate::Result<Vec<u8>> {
    fn visit(group: &crate::Group) -> crate::Result<()> {
        for dataset in group.datasets()? {
            dataset.set_attr("more", 7_i64)?;
        }
        group.groups()?.iter().try_for_each(visit)
    }
    let file = File::open_memory(before.to_vec())?;
    visit(&file.root())?;
    file.into_bytes()
}

/// How many headers of version 1 that cross an edge an edit of every dataset rewrites; wrong where one changes in two
/// sectors by more than its counts.
fn edited_in_one_sector() -> Result<usize, String> {
    let (_, before) = files().first().expect("the file of the earliest version");
    let after = edited(before).map_err(|error| error.to_string())?;
    let mut found = 0;
    for edge in (512..before.len()).step_by(512) {
        // With 24 bytes before the edge the first message has to stay, which not every header can have.
        for at in [edge - 8, edge - 16] {
            let is_header = before[at..at + 2] == [1, 0] && before[at + 4..at + 8] == [1, 0, 0, 0];
            if !is_header || before[at..at + 32] == after[at..at + 32] {
                continue;
            }
            found += 1;
            if after[at + 8..edge] != before[at + 8..edge] || after[at] != 1 {
                return Err(format!("the header at {at} changes before the edge"));
            }
        }
    }
    let file = File::open_memory(after).map_err(|error| error.to_string())?;
    match file.verify() {
        Ok(_) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_header_of_version_1_changes_in_one_sector() {
    assert!(edited_in_one_sector().unwrap() > 3);
    let said = mutant::with(Mutant::StraddlingCell, edited_in_one_sector);
    assert!(said.unwrap_err().contains("before the edge"));
}

#[test]
fn libhdf5_goes_on_with_headers_that_stay_at_version_1() {
    let mut stock = Stock::new();
    if !stock.is_there() {
        return super::report("skipped: there is no h5py");
    }
    let (_, before) = files().first().expect("the file of the earliest version");
    stock.begin_with(Some(before));
    // Ours a second time, after libhdf5 has seen the first.
    let once = edited(before).unwrap();
    let twice = edited(&once).unwrap();
    for image in [once, twice] {
        // Each of the three versions.
        for _ in 0..3 {
            stock.view(&image).unwrap();
        }
        for seed in 0..3 {
            assert!(stock.go_on(&image, seed).unwrap() > 0);
        }
    }
}
