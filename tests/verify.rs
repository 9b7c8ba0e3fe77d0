//! `File::verify` on what libhdf5 writes with every range of versions, and on the files of other projects.

#![allow(unreachable_pub, reason = "the modules of a test program are its own")]

mod support;

use h5quill::File;
use std::collections::BTreeMap;
use support::{corpus, left_out, run_python, say};

const MAKE: &str = r#"
import sys, h5py, numpy as np
path, libver, strategy = sys.argv[1:]
space = {} if strategy == 'default' else dict(fs_strategy=strategy, fs_persist=True)
with h5py.File(path, 'w', libver=libver, **space) as file:
    file.attrs['text'] = 'of variable length'
    file['contiguous'] = np.arange(500)
    file['compact'] = np.arange(3)
    file['strings'] = np.array(['a', 'bb' * 9, 'c'], object)
    file.create_dataset('grows', data=np.arange(1000), chunks=(7,), maxshape=(None,))
    file.create_dataset('packed', data=np.arange(900).reshape(30, 30), chunks=(7, 8), maxshape=(None, None),
                        compression=3, shuffle=True, fletcher32=True)
    file.create_dataset('plain', data=np.arange(900, dtype='u1').reshape(30, 30), chunks=(7, 8), fletcher32=True)
    file.create_dataset('fixed', data=np.arange(900).reshape(30, 30), chunks=(7, 8))
    file.create_dataset('single', data=np.arange(90), chunks=(90,))
    file.create_dataset('table', (2,), [('n', 'i4'), ('s', h5py.string_dtype())])[:] = [(1, 'one'), (2, 'two')]
    few, many = file.create_group('few', track_order=True), file.create_group('many', track_order=True)
    for number in range(5):
        few.create_group(f'{number}').attrs[f'a{number}'] = number
    for number in range(300):
        many[f'link {number}'] = h5py.SoftLink('/few') if number % 3 else few
        many.attrs[f'attribute {number}'] = np.arange(number % 7)
    for number in range(20, 260):
        del many[f'link {number}'], many.attrs[f'attribute {number}']
    file['packed'].attrs['huge'] = np.zeros(5000)
    for number in range(12):
        file['packed'].attrs[f'{number}'] = 'x' * 200 * number
    file['type'] = np.dtype([('a', 'f8'), ('b', 'i2')])
    file.create_dataset('of type', (5,), dtype=file['type'])
    few.attrs.create('of type', np.zeros(2, file['type'].dtype), dtype=file['type'])
    few['root'] = file['/']
    del file['contiguous']
    file['grows'].resize((500,))
with h5py.File(path, 'r+', libver=libver) as file:
    file['again'] = np.arange(77)
    del file['fixed']
"#;

#[test]
fn what_libhdf5_writes_is_sound_whatever_the_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.h5");
    let mut seen = 0;
    for libver in ["earliest", "v108", "v110", "v112", "v114", "latest"] {
        for strategy in ["default", "fsm", "page"] {
            if run_python(
                MAKE,
                &[path.as_os_str(), libver.as_ref(), strategy.as_ref()],
            )
            .is_none()
            {
                return;
            }
            let report = File::open(&path).unwrap().verify().unwrap();
            let name = format!("{libver} {strategy}");
            assert!(
                report.is_sound() && report.unchecked.is_empty(),
                "{name}: {report}"
            );
            assert_eq!((report.groups, report.datasets), (8, 9), "{name}: {report}");
            assert!(
                report.chunks > 100 && report.metadata_bytes > 5000,
                "{name}: {report}"
            );
            assert_eq!(
                report.free_bytes > 0,
                strategy != "default",
                "{name}: {report}"
            );
            if strategy != "default" {
                assert_eq!(report.unreachable_bytes, 0, "{name}: {report}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 18);
}

/// Files with problems are those that libhdf5 does not read either; each is named here with what it says.
#[test]
fn files_of_other_projects_are_sound() {
    let folder = corpus().join("foreign");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return left_out("verification of foreign files", "corpus");
    };
    let known: BTreeMap<&str, &str> = [
        // libhdf5: addr overflow, addr = 19704, size = 2096, eoa = 19752
        ("PureHDF-blosc.h5", "reaches beyond the end of the file"),
        // libhdf5: global heap size is too small
        (
            "globalheaps_test.hdf5",
            "smaller than the smallest collection",
        ),
        (
            "var_length_strings_reused.hdf5",
            "smaller than the smallest collection",
        ),
    ]
    .into();
    let (mut sound, mut unopened, mut unchecked) = (0, 0, 0);
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(file) = File::with_options().locking(false).open(&path) else {
            unopened += 1;
            continue;
        };
        let report = file.verify().unwrap();
        unchecked += usize::from(!report.unchecked.is_empty());
        match known.iter().find(|(known, _)| name.contains(*known)) {
            Some((_, reason)) => {
                assert!(report.problems[0].what.contains(reason), "{name}: {report}")
            }
            None => {
                assert!(report.is_sound(), "{name}: {report}");
                sound += 1;
            }
        }
    }
    say(&format!(
        "foreign files: {sound} sound, {} not, {unopened} not opened, {unchecked} with parts not checked",
        known.len()
    ));
    assert!(sound > 50);
}

#[test]
fn hostile_files_are_walked_without_a_panic() {
    let Ok(entries) = std::fs::read_dir(corpus().join("cve")) else {
        return left_out("verification of hostile files", "corpus");
    };
    let (mut opened, mut unsound) = (0, 0);
    for entry in entries {
        let path = entry.unwrap().path();
        if let Ok(file) = File::with_options().locking(false).open(&path) {
            opened += 1;
            unsound += usize::from(file.verify().is_ok_and(|report| !report.is_sound()));
        }
    }
    assert!(unsound > 50, "{unsound} of {opened}");
}

/// It would not end if it looked at 2^40 elements.
#[test]
fn strings_that_were_never_written_are_not_looked_at() -> h5quill::Result<()> {
    const FAR: usize = 1 << 40;
    let file = File::create_memory()?;
    let names = file.new_dataset::<String>();
    let names = names.shape(FAR..).chunk(16).create("names")?;
    names.write_slice(&["far"], FAR / 2..FAR / 2 + 1)?;
    names.write_slice(&["near", "next"], 0..2)?;
    file.flush()?;
    assert!(file.verify()?.is_sound());
    names.write_slice(&["waiting"], FAR / 4..FAR / 4 + 1)?;
    names.resize(2)?;
    assert_eq!(names.read_raw::<String>()?, ["near", "next"]);
    names.resize(FAR)?;
    for at in [FAR / 4, FAR / 2] {
        let read = names.read_slice::<String, _, ndarray::Ix1>(at..at + 1)?;
        assert_eq!(read[0], "");
    }
    file.unlink("names")?;
    file.flush()?;
    assert!(file.verify()?.is_sound());
    Ok(())
}
