//! The examples of conventions: each file that they write is opened by those it is for.
//!
//! The consumers are in the Python of `.venv-conventions`, which `tests/interop/setup.sh` makes, or in that which
//! `H5QUILL_CONVENTIONS_PYTHON` names; `tests/conventions/*.py` say what they must find.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

macro_rules! examples {
    ($($name:ident: $file:literal),* $(,)?) => {$(
        #[allow(dead_code, reason = "an example has a main")]
        #[path = $file]
        mod $name;
    )*};
}

examples! {
    anndata: "../examples/anndata.rs",
    keras_weights: "../examples/keras_weights.rs",
    matlab: "../examples/matlab.rs",
    metno_chunking: "../examples/metno_chunking.rs",
    metno_continuously_rw_1d: "../examples/metno_continuously_rw_1d.rs",
    metno_simple: "../examples/metno_simple.rs",
    netcdf4: "../examples/netcdf4.rs",
    nexus: "../examples/nexus.rs",
}

use h5quill::File;
use std::path::{Path, PathBuf};

/// The Python that has the consumers.
fn python(suite: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("H5QUILL_CONVENTIONS_PYTHON") {
        return Some(named.into());
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv-conventions/bin/python");
    if own.is_file() {
        return Some(own);
    }
    support::left_out(
        suite,
        ".venv-conventions, which tests/interop/setup.sh makes",
    );
    None
}

/// Writes the file of an example, walks it, and has its consumers open it; they say their versions.
fn check(name: &str, extension: &str, write: fn(&str) -> h5quill::Result<()>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("example.{extension}"));
    write(path.to_str().unwrap()).unwrap();
    let report = File::open(&path).unwrap().verify().unwrap();
    assert!(report.is_sound(), "{report}");
    let Some(python) = python(&format!("what reads the example {name}")) else {
        return;
    };
    let script = format!("{}/tests/conventions/{name}.py", env!("CARGO_MANIFEST_DIR"));
    let said = support::run_python_with(&python, &script, &[path.as_os_str()]);
    assert!(said.starts_with("read by "), "{said}");
    support::say(&format!("{name}: {}", said.trim_end()));
}

#[test]
fn netcdf4_is_opened_by_netcdf4_and_xarray() {
    check("netcdf4", "nc", netcdf4::write);
}

#[test]
fn anndata_is_opened_by_anndata() {
    check("anndata", "h5ad", anndata::write);
}

#[test]
fn keras_weights_are_loaded_by_keras() {
    check("keras_weights", "weights.h5", keras_weights::write);
}

#[test]
fn nexus_is_opened_by_nexusformat() {
    check("nexus", "nxs", nexus::write);
}

#[test]
fn matlab_is_opened_by_mat73() {
    check("matlab", "mat", matlab::write);
}

#[test]
fn programs_of_hdf5_metno_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metno.h5");
    let path = path.to_str().unwrap();
    for run in [
        metno_simple::run,
        metno_chunking::run,
        metno_continuously_rw_1d::run,
    ] {
        run(path).unwrap();
    }
}
