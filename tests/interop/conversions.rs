//! What a read makes of numbers of another type: what libhdf5 makes of them, or an error.

use crate::manifest::{pythons, script};
use h5quill::{Conversion, Dataset, F80, File, H5Type};
use half::f16;
use std::ffi::OsStr;
use std::fmt::Debug;

const CASES: &str = "600";

trait Bits: H5Type + Debug {
    fn bits(&self) -> (u64, u64);
}

macro_rules! bits {
    ($($type:ty),*) => {$(
        impl Bits for $type {
            fn bits(&self) -> (u64, u64) {
                (*self as u64, 0)
            }
        }
    )*};
}

bits!(i8, i16, i32, i64, u8, u16, u32, u64);

/// One for all that is not a number.
macro_rules! float_bits {
    ($($type:ty),*) => {$(
        impl Bits for $type {
            fn bits(&self) -> (u64, u64) {
                if self.is_nan() { (u64::MAX, 0) } else { (self.to_bits().into(), 0) }
            }
        }
    )*};
}

float_bits!(f16, f32, f64);

impl Bits for F80 {
    fn bits(&self) -> (u64, u64) {
        let (sign_exponent, mantissa) = self.to_bits();
        if self.is_nan() {
            (u64::MAX, 0)
        } else {
            (sign_exponent.into(), mantissa)
        }
    }
}

fn bits<T: Bits>(values: &[T]) -> Vec<(u64, u64)> {
    values.iter().map(Bits::bits).collect()
}

/// Which conversions there were, in all cases together.
#[derive(Debug, Default)]
struct Count {
    exact: usize,
    checked: usize,
    refused: usize,
}

fn check<T: Bits>(data: &Dataset, want: &Dataset, fits: bool, count: &mut Count) {
    let name = data.name();
    let reader = data.as_reader();
    let want = want.as_reader().no_convert().read_raw::<T>().unwrap();
    let soft = reader.conversion(Conversion::Soft).read_raw::<T>().unwrap();
    assert_eq!(bits(&soft), bits(&want), "{name}: {soft:?} {want:?}");
    match reader.conversion(Conversion::Checked).read_raw::<T>() {
        Ok(values) => {
            assert!(fits, "{name}: {values:?}");
            assert_eq!(bits(&values), bits(&want), "{name}");
            count.checked += 1;
        }
        Err(error) => {
            assert!(!fits, "{name}: {error}");
            count.refused += 1;
        }
    }
    // What is converted without being asked never loses anything.
    if let Ok(values) = data.read_raw::<T>() {
        assert!(fits, "{name}: {values:?}");
        assert_eq!(bits(&values), bits(&want), "{name}");
        count.exact += 1;
    }
}

#[test]
fn numbers_become_what_libhdf5_makes_of_them() {
    let Some(python) = pythons().into_iter().next() else {
        return;
    };
    let (_guard, path) = crate::written::scratch("conversions.h5");
    let seed = std::env::var("H5QUILL_SEED").unwrap_or_else(|_| "20261123".into());
    let arguments = [path.as_os_str(), OsStr::new(&seed), OsStr::new(CASES)];
    let lines = script(&python, "conversions.py", &arguments);
    let file = File::open(&path).unwrap();
    let mut count = Count::default();
    for line in lines.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let data = file.dataset(fields[0]).unwrap();
        let want = file.dataset(&format!("want {}", fields[0])).unwrap();
        let (fits, count) = (fields[2] == "1", &mut count);
        match fields[1] {
            "i8" => check::<i8>(&data, &want, fits, count),
            "i16" => check::<i16>(&data, &want, fits, count),
            "i32" => check::<i32>(&data, &want, fits, count),
            "i64" => check::<i64>(&data, &want, fits, count),
            "u8" => check::<u8>(&data, &want, fits, count),
            "u16" => check::<u16>(&data, &want, fits, count),
            "u32" => check::<u32>(&data, &want, fits, count),
            "u64" => check::<u64>(&data, &want, fits, count),
            "f16" => check::<f16>(&data, &want, fits, count),
            "f32" => check::<f32>(&data, &want, fits, count),
            "f64" => check::<f64>(&data, &want, fits, count),
            "F80" => check::<F80>(&data, &want, fits, count),
            other => panic!("{other}"),
        }
    }
    assert!(
        count.exact > 50 && count.checked > 100 && count.refused > 100,
        "{count:?}"
    );
}
