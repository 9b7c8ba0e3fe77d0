//! Files of libhdf5 in which every header but that of the root group crosses the edge of a sector or of a page, in every
//! phase (tests/golden/make_straddling.py); and what is edited in them.

use super::old_formats;
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
