//! Datasets whose data are in other files or datasets, and external links: what h5py reads, this library reads.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::{ErrorKind, File, SliceOrIndex};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use support::{run_python, say};

/// Random mappings of the property test.
const CASES: usize = 400;

fn script(name: &str) -> String {
    format!("{}/tests/other_files/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn follow(path: &Path) -> File {
    let options = File::with_options().follow_other_files(true);
    options.open(path).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `a:b:c,...` as a selection.
fn selection(text: &str) -> Vec<SliceOrIndex> {
    let axes = text.split(',').filter(|axis| !axis.is_empty());
    axes.map(|axis| {
        let mut numbers = axis.split(':').map(|number| number.parse::<i64>().unwrap());
        let (start, end, step) = (numbers.next(), numbers.next(), numbers.next());
        SliceOrIndex::Slice {
            start: start.unwrap(),
            end,
            step: step.unwrap(),
        }
    })
    .collect()
}

/// Compares what h5py has printed: lines of "file dataset shape kind", below each lines of "  selection hex".
fn compare(directory: &Path, printed: &str) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    let (mut file, mut dataset, mut head) = (None, None, String::new());
    for line in printed.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            let opened = follow(&directory.join(words[0]));
            let found = opened.dataset(words[1]).unwrap();
            let shape: Vec<String> = found.shape().iter().map(ToString::to_string).collect();
            assert_eq!(shape.join(","), words[2].trim_matches('-'), "{line}");
            *kinds.entry(words[3].to_string()).or_insert(0) += 1;
            (file, dataset, head) = (Some(opened), Some(found), line.to_string());
            continue;
        }
        let dataset = dataset.as_ref().unwrap();
        let read = dataset.read_bytes(selection(words[0].trim_matches('-')));
        if words[1].contains("unable_to_get_selection_bounds") {
            // libhdf5 cannot read nothing.
            assert_eq!(read.unwrap(), [], "{head}: {line}");
            continue;
        }
        match words[1].strip_prefix('!') {
            Some(error) => assert!(read.is_err(), "{head}: {line}: {error}"),
            None => {
                let read = read.unwrap_or_else(|error| panic!("{head}: {line}: {error}"));
                assert_eq!(hex(&read), words[1].trim_matches('-'), "{head}: {line}");
            }
        }
    }
    drop(file);
    kinds
}

/// The files of `samples.py`, and what it prints; `None` where there is no h5py.
fn samples() -> Option<(tempfile::TempDir, String)> {
    let directory = tempfile::tempdir().unwrap();
    let printed = run_python(&script("samples.py"), &[directory.path().as_os_str()])?;
    Some((directory, printed))
}

#[test]
fn virtual_and_external_datasets_read_as_h5py_reads_them() {
    let Some((directory, printed)) = samples() else {
        return;
    };
    let kinds = compare(directory.path(), &printed);
    assert_eq!(
        kinds.values().sum::<usize>(),
        5 * 9 + 1 + 4 + 2 * 9,
        "{kinds:?}"
    );
}

#[test]
fn external_links_lead_where_h5py_says() {
    let Some((directory, printed)) = samples() else {
        return;
    };
    let file = follow(&directory.path().join("links.h5"));
    let lines = printed.lines().filter_map(|line| line.strip_prefix("# "));
    let mut count = 0;
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (path, exists, what) = (words[0], words[1] == "True", words[2]);
        assert_eq!(file.exists(path).unwrap(), exists, "{line}");
        match what {
            "!" => assert!(
                file.dataset(path).is_err() && file.group(path).is_err(),
                "{line}"
            ),
            "group" => assert!(file.group(path).is_ok(), "{line}"),
            values => {
                let read = file.dataset(path).unwrap().read_bytes(..).unwrap();
                assert_eq!(hex(&read), values, "{line}");
            }
        }
        count += 1;
    }
    assert_eq!(count, 18);

    let found = file.dataset("chain").unwrap();
    assert_eq!(found.name(), "/x");
    assert!(
        found.filename().ends_with("more.h5"),
        "{}",
        found.filename()
    );
    let error = file.dataset("no_object").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    let error = file.dataset("no_file").unwrap_err().to_string();
    assert!(
        error.contains("none.h5") && error.ends_with("not found"),
        "{error}"
    );
    let error = file.dataset("circle").unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { max: 16, .. }),
        "{error}"
    );
    let error = file.dataset("not_hdf5").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotHdf5);
    assert!(error.file_name().unwrap().ends_with("text.h5"));
}

#[test]
fn a_file_is_open_once_for_all_links_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other.h5");
    let made = File::create(&other).unwrap();
    made.new_dataset::<i32>()
        .create_with("g/x", &[1, 2, 3])
        .unwrap();
    made.close().unwrap();
    let path = directory.path().join("links.h5");
    let text = format!(
        "import h5py\nwith h5py.File({path:?}, 'w') as f:\n  f['a'] = h5py.ExternalLink('other.h5', '/g')\n  \
         f['b'] = h5py.ExternalLink({other:?}, '/g/x')\n  f['own'] = h5py.ExternalLink({path:?}, '/new')\n"
    );
    if run_python(&text, &[]).is_none() {
        return;
    }
    // The links are there before the file may be changed; what they lead to is read only.
    let options = File::with_options().follow_other_files(true);
    let file = options.open_rw(&path).unwrap();
    let group = file.group("a").unwrap();
    assert_eq!(
        group.dataset("x").unwrap().read_raw::<i32>().unwrap(),
        [1, 2, 3]
    );
    let data = file.dataset("b").unwrap();
    assert_eq!(
        group.set_attr("n", 1).unwrap_err().kind(),
        &ErrorKind::ReadOnly
    );
    assert_eq!(
        data.write(&[1, 2, 3]).unwrap_err().kind(),
        &ErrorKind::ReadOnly
    );
    // The file itself, opened for writing and locked, is not opened again.
    file.new_dataset::<u8>().create_with("new", &[9]).unwrap();
    assert_eq!(file.dataset("own").unwrap().read_raw::<u8>().unwrap(), [9]);
    file.dataset("own").unwrap().write(&[8_u8]).unwrap();
    // Nothing is made on the other side of a link.
    let error = file.create_group("a/new").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("other.h5"), "{error}");
    // As long as there is a handle the other file is locked against writers.
    drop((group, data));
    File::open_rw(&other).unwrap().close().unwrap();
    let kept = file.group("a").unwrap();
    assert_eq!(
        File::open_rw(&other).unwrap_err().kind(),
        &ErrorKind::Locked
    );
    drop(kept);
    file.unlink("b").unwrap();
    file.close().unwrap();
    assert!(!File::open(&path).unwrap().exists("b").unwrap());
}

#[test]
fn no_other_file_is_opened_unasked() {
    let Some((directory, _)) = samples() else {
        return;
    };
    let refused = |error: h5quill::Error, name: &str| {
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(name) && text.contains("follow_other_files"),
            "{text}"
        );
    };
    let file = File::open(directory.path().join("virtual_latest.h5")).unwrap();
    let rows = file.dataset("rows").unwrap();
    assert_eq!(rows.shape(), [8, 6]);
    refused(rows.read_dyn::<i32>().unwrap_err(), "sub/raw.h5");
    // The last row is of the same file.
    let own: Vec<i32> = (1000..1006).collect();
    assert_eq!(
        rows.read_slice::<i32, ndarray::Ix1>(7).unwrap().to_vec(),
        own
    );
    let growing = file.dataset("growing").unwrap();
    assert_eq!(growing.shape().len(), 2, "what the file says");
    refused(growing.read_dyn::<i32>().unwrap_err(), "sub/raw.h5");
    let file = File::open(directory.path().join("external_latest.h5")).unwrap();
    refused(
        file.dataset("one").unwrap().read_dyn::<i32>().unwrap_err(),
        "a_latest.bin",
    );
    let file = File::open(directory.path().join("links.h5")).unwrap();
    assert!(file.exists("x").unwrap() && file.exists("no_file").unwrap());
    refused(file.dataset("x").unwrap_err(), "more.h5");
    refused(file.exists("in_group/deep").unwrap_err(), "sub/raw.h5");
    let error = file.dataset("x").unwrap_err();
    assert_eq!(error.object_path(), Some("/x"));
    assert!(error.file_name().unwrap().ends_with("links.h5"));
}

#[test]
fn random_virtual_datasets_read_as_h5py_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let first = std::env::var("H5QUILL_SEED").unwrap_or_else(|_| "0".to_string());
    let count = CASES.to_string();
    let Some(printed) = run_python(
        &script("random_mappings.py"),
        &[
            directory.path().as_os_str(),
            OsStr::new(&first),
            OsStr::new(&count),
        ],
    ) else {
        return;
    };
    let kinds = compare(directory.path(), &printed);
    assert!(kinds.values().sum::<usize>() >= CASES, "{kinds:?}");
    assert!(
        kinds.len() == 6 && kinds.values().all(|count| *count > 10),
        "{kinds:?}"
    );
    say(&format!(
        "virtual datasets read as h5py reads them: {kinds:?}"
    ));
}
