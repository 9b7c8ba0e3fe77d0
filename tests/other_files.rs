//! Datasets whose data are in other files or datasets, and external links: what h5py reads, this library reads.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::storage::{MemoryStorage, Storage, StorageError};
use h5quill::{ErrorKind, File, SliceOrIndex};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{run_python, say};

/// Random mappings of the property test.
const CASES: usize = 400;

/// A folder on Linux need not have a name in UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn files_are_found_in_a_folder_whose_name_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    // Two that look alike once what is not UTF-8 is replaced.
    for (name, value) in [(&b"run \xff"[..], 1), (b"run \xfe", 2)] {
        let folder = folder.path().join(OsStr::from_bytes(name));
        std::fs::create_dir(&folder).unwrap();
        let part = File::create(folder.join("part.h5")).unwrap();
        part.new_dataset::<i32>()
            .create_with("x", &[value; 3])
            .unwrap();
        part.link_external("main.h5", "/own", "back").unwrap();
        part.close().unwrap();
        let path = folder.join("main.h5");
        let options = File::with_options().follow_other_files(true);
        let main = options.create(&path).unwrap();
        main.link_external("part.h5", "/x", "linked").unwrap();
        main.link_external("part.h5", "/back", "around").unwrap();
        main.new_dataset::<i32>()
            .create_with("own", &[value])
            .unwrap();
        let mapped = main.new_dataset::<i32>();
        let mapped = mapped.virtual_map("part.h5", "x", 3, .., 3, ..);
        mapped.create("virtual").unwrap();
        let outside = main.new_dataset::<i32>().shape(2);
        let outside = outside.external("raw.bin", 0, 8);
        outside.create("external").unwrap();
        std::fs::write(folder.join("raw.bin"), [value as u8, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        main.close().unwrap();
        let main = follow(&path);
        let read = |name: &str| main.dataset(name).unwrap().read_raw::<i32>().unwrap();
        assert_eq!(read("linked"), [value; 3]);
        assert_eq!(read("virtual"), [value; 3]);
        assert_eq!(read("around"), [value]);
        assert_eq!(read("external"), [value, 0]);
    }
}

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

    let opened = file.open_object("chain").unwrap();
    assert!(matches!(opened, h5quill::Object::Dataset(_)));
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
        rows.read_slice::<i32, _, ndarray::Ix1>(7).unwrap().to_vec(),
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

#[test]
fn what_cannot_be_read_exactly_is_refused() {
    let Some((directory, _)) = samples() else {
        return;
    };
    let path = directory.path();
    let file = follow(&path.join("virtual_types.h5"));
    let unsupported = |dataset: &str, reason: &str| {
        let error = file.dataset(dataset).unwrap().read_bytes(..).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    };
    unsupported("other_type", "converting little-endian i64");
    unsupported("strings", "from another file");
    // Elements of variable length of the same file are where they are.
    let own = file.dataset("own_strings").unwrap();
    assert_eq!(own.read_raw::<String>().unwrap(), ["", "a", "bc", "def"]);
    let file = follow(&path.join("circle.h5"));
    let error = file.dataset("a").unwrap().read_bytes(..).unwrap_err();
    assert!(error.to_string().contains("a source of itself"), "{error}");
    // A source in its own file is an error with the name of that file.
    let file = follow(&path.join("virtual_refused.h5"));
    let error = file
        .dataset("not_hdf5")
        .unwrap()
        .read_bytes(..)
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotHdf5);
    assert!(error.file_name().unwrap().ends_with("text.h5"));
    let error = file
        .dataset("no_group")
        .unwrap()
        .read_bytes(..)
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(error.file_name().unwrap().ends_with("raw.h5"), "{error}");
    let file = follow(&path.join("external_latest.h5"));
    let error = file.dataset("missing").unwrap().read_bytes(..).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(error.file_name().unwrap().ends_with("none.bin"), "{error}");
}

#[test]
fn attributes_and_links_change_and_the_data_do_not() {
    let Some((directory, printed)) = samples() else {
        return;
    };
    let path = directory.path();
    let names = [
        "virtual_earliest.h5",
        "virtual_latest.h5",
        "external_earliest.h5",
        "external_latest.h5",
    ];
    for name in names {
        let data = if name.starts_with('v') { "rows" } else { "one" };
        let before = std::fs::read(path.join(name)).unwrap();
        let options = File::with_options().follow_other_files(true);
        // External data are written where other files may be opened, virtual ones never.
        let of_virtual = name.starts_with('v');
        let (refusing, reason) = match of_virtual {
            true => (options.clone(), "changing the data of a virtual dataset"),
            false => (File::with_options(), "which is opened only where"),
        };
        let file = refusing.open_rw(path.join(name)).unwrap();
        let dataset = file.dataset(data).unwrap();
        let errors = [
            dataset
                .write(&ndarray::Array2::<i32>::zeros((8, dataset.shape()[1])))
                .unwrap_err(),
            dataset.write_bytes(&[0; 4], (0, 0)).unwrap_err(),
            dataset
                .append(&ndarray::Array1::<i32>::zeros(dataset.shape()[1]))
                .unwrap_err(),
            dataset.resize((9, 9)).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        file.flush().unwrap();
        assert_eq!(
            std::fs::read(path.join(name)).unwrap(),
            before,
            "refusals change nothing"
        );
        drop((dataset, file));
        let file = options.open_rw(path.join(name)).unwrap();
        let dataset = file.dataset(data).unwrap();
        let growing = if of_virtual { "growing" } else { "endless" };
        assert_eq!(
            file.dataset(growing).unwrap().is_resizable(),
            !of_virtual,
            "{name}"
        );
        dataset.set_attr("unit", "V").unwrap();
        file.dataset(growing).unwrap().set_attr("n", 5).unwrap();
        file.link_hard(data, "again/and_again").unwrap();
        file.close().unwrap();
        // Everything but one dataset of two in one heap, then the rest.
        let file = options.open_rw(path.join(name)).unwrap();
        assert_eq!(
            file.dataset(data)
                .unwrap()
                .attr("unit")
                .unwrap()
                .read_scalar::<String>()
                .unwrap(),
            "V"
        );
        file.unlink(data).unwrap();
        file.close().unwrap();
    }
    let of_edited = |line: &&str| names.iter().any(|name| line.starts_with(name));
    let mut kept = String::new();
    let mut keep = false;
    for line in printed.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            keep = of_edited(&line);
        }
        if keep {
            kept += &line
                .replace(" rows ", " again/and_again ")
                .replace(" one ", " again/and_again ");
            kept.push('\n');
        }
    }
    // "nested" has "rows" for a source, "virtual" has "one"; neither is there under that name any more.
    let gone = |kept: &str, dataset: &str| {
        let mut out = String::new();
        let mut skip = false;
        for line in kept.lines() {
            if !line.starts_with(' ') {
                skip = line.split(' ').nth(1) == Some(dataset);
            }
            if !skip {
                out += line;
                out.push('\n');
            }
        }
        out
    };
    let kept = gone(&gone(&kept, "nested"), "virtual");
    assert_eq!(compare(path, &kept).values().sum::<usize>(), 2 * 8 + 2 * 8);
    // The same, and the attributes, by h5py; and where the data are.
    let text = format!(
        r#"
import os, sys, h5py, numpy as np
os.chdir(r'{}')
os.environ['HDF5_EXTFILE_PREFIX'] = '${{ORIGIN}}'
dataset = None
for line in sys.stdin:
    words = line.split()
    if not line.startswith(' '):
        dataset = h5py.File(words[0])[words[1]]
        assert ','.join(map(str, dataset.shape)) == words[2].strip('-'), line
        if words[1] in ('growing', 'endless'):
            assert dataset.attrs['n'] == 5
        if words[1] == 'again/and_again':
            assert dataset.attrs['unit'] == 'V'
            assert dataset.is_virtual and len(dataset.virtual_sources()) == 8 or len(dataset.external) == 1
        continue
    try:
        region = tuple(slice(*map(int, s.split(':'))) for s in words[0].strip('-').split(',') if s)
        values = np.asarray(dataset[region]).astype(dataset.dtype).tobytes().hex()
        assert values == words[1].strip('-'), line
    except OSError:
        assert words[1].startswith('!'), line
"#,
        path.display()
    );
    let mut command = std::process::Command::new(support::python().unwrap());
    let list = path.join("kept.txt");
    std::fs::write(&list, &kept).unwrap();
    command
        .arg("-c")
        .arg(text)
        .stdin(std::fs::File::open(&list).unwrap());
    support::run(command);
    // Nothing is left of them when all are gone.
    for name in names {
        let file = File::open_rw(path.join(name)).unwrap();
        for member in file.member_names().unwrap() {
            file.unlink(&member).unwrap();
        }
        file.close().unwrap();
        let text = format!(
            "import h5py\nassert len(h5py.File({:?})) == 0\n",
            path.join(name)
        );
        run_python(&text, &[]);
    }
}

/// Storage in memory that counts what is read.
struct Counting(MemoryStorage, Arc<AtomicUsize>);

impl Storage for Counting {
    fn len(&self) -> Result<u64, StorageError> {
        self.0.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.1.fetch_add(buffer.len(), Ordering::Relaxed);
        self.0.read_at(offset, buffer)
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.0.write_at(offset, bytes)
    }
    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.0.set_len(len)
    }
    fn sync(&mut self) -> Result<(), StorageError> {
        self.0.sync()
    }
}

#[test]
fn a_closure_opens_files_and_no_more_is_read_than_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
import os, h5py, numpy as np
os.chdir(r'{}')
for number in range(40):
    with h5py.File(f'source_{{number}}.h5', 'w') as f:
        f['x'] = np.arange(100_000, dtype='i4').reshape(1000, 100) + number
with h5py.File('virtual.h5', 'w') as f:
    layout = h5py.VirtualLayout((40, 1000, 100), 'i4')
    for number in range(40):
        layout[number] = h5py.VirtualSource(f'source_{{number}}.h5', 'x', (1000, 100))
    f.create_virtual_dataset('v', layout, fillvalue=-1)
    f['link'] = h5py.ExternalLink('source_3.h5', '/x')
    f.create_dataset('raw', shape=(3,), dtype='u1', external=[('raw.bin', 1, 3)])
"#,
        directory.path().display()
    );
    if run_python(&text, &[]).is_none() {
        return;
    }
    let path = directory.path().to_path_buf();
    let read = Arc::new(AtomicUsize::new(0));
    let opened = Arc::new(AtomicUsize::new(0));
    let (counter, opens) = (read.clone(), opened.clone());
    let resolve = move |name: &str| -> h5quill::Result<Option<Box<dyn Storage>>> {
        opens.fetch_add(1, Ordering::Relaxed);
        Ok(match name {
            "raw.bin" => Some(Box::new(MemoryStorage::from(vec![9, 8, 7]))),
            "source_39.h5" => None,
            _ => {
                let bytes = std::fs::read(path.join(name)).map_err(StorageError::from)?;
                Some(Box::new(Counting(
                    MemoryStorage::from(bytes),
                    counter.clone(),
                )))
            }
        })
    };
    let bytes = std::fs::read(directory.path().join("virtual.h5")).unwrap();
    let options = File::with_options().other_files(resolve);
    let file = options.open_on(MemoryStorage::from(bytes)).unwrap();
    let data = file.dataset("v").unwrap();
    // A row of one source.
    let row: Vec<i32> = data
        .read_slice::<i32, _, ndarray::Ix1>((7, 500))
        .unwrap()
        .to_vec();
    assert_eq!(row, (50_007..50_107).collect::<Vec<i32>>());
    assert_eq!(opened.load(Ordering::Relaxed), 1);
    let overhead = read.load(Ordering::Relaxed);
    // Metadata is read in pages.
    assert!(overhead <= 2 * 4096, "{overhead} bytes read for 400");
    // Again: the file is still open.
    data.read_slice::<i32, _, ndarray::Ix1>((7, 501)).unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 1);
    let again = read.load(Ordering::Relaxed) - overhead;
    // The row, or nothing where its page is known.
    assert!(again < 1024, "{again} bytes read for 400");
    // One element of each; the last file is missing.
    let column = data
        .read_slice::<i32, _, ndarray::Ix1>((.., 10, 3))
        .unwrap();
    let mut expected: Vec<i32> = (0..40).map(|number| 1003 + number).collect();
    expected[39] = -1;
    assert_eq!(column.to_vec(), expected);
    assert_eq!(opened.load(Ordering::Relaxed), 40);
    assert!(read.load(Ordering::Relaxed) <= 40 * 2 * 4096);
    assert_eq!(
        file.dataset("link")
            .unwrap()
            .read_slice::<i32, _, ndarray::Ix0>((0, 0))
            .unwrap()
            .into_scalar(),
        3
    );
    assert_eq!(
        file.dataset("raw").unwrap().read_raw::<u8>().unwrap(),
        [8, 7, 0]
    );
}

#[test]
fn broken_mappings_never_panic() {
    let Some((directory, _)) = samples() else {
        return;
    };
    for name in ["virtual_latest.h5", "external_latest.h5"] {
        let bytes = std::fs::read(directory.path().join(name)).unwrap();
        let heaps = |signature: &[u8]| {
            let mut windows = bytes.windows(4).enumerate();
            windows.find(|(_, window)| *window == signature).unwrap().0
        };
        let range = if name.starts_with('v') {
            let start = heaps(b"GCOL");
            start..(start + 1400)
        } else {
            let start = heaps(b"HEAP");
            start..(start + 80)
        };
        let path = directory.path().join("broken.h5");
        let (mut refused, mut read) = (0, 0);
        for at in range {
            for flip in [1, 0x80] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                std::fs::write(&path, &broken).unwrap();
                let file = follow(&path);
                for member in file.member_names().unwrap() {
                    match file
                        .dataset(&member)
                        .and_then(|dataset| dataset.read_bytes(..))
                    {
                        Ok(_) => read += 1,
                        Err(_) => refused += 1,
                    }
                }
            }
        }
        assert!(
            refused > 50 && read > 50,
            "{name}: {refused} refused, {read} read"
        );
    }
}

#[test]
fn files_that_need_each_other_are_open_once_each() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
import os, h5py, numpy as np
os.chdir(r'{}')
def virtual(f, name, file, path):
    layout = h5py.VirtualLayout((5,), 'i4')
    layout[...] = h5py.VirtualSource(file, path, (5,))
    f.create_virtual_dataset(name, layout, fillvalue=-1)
with h5py.File('a.h5', 'w') as f:
    f['x'] = np.arange(5, dtype='i4')
    virtual(f, 'through_b', 'b.h5', 'of_a')
    virtual(f, 'circle', 'b.h5', 'circle')
    virtual(f, 'link_to_b', 'b.h5', 'link')
    f['deep_0'] = np.arange(5, dtype='i4') + 10
    for number in range(1, 19):
        virtual(f, f'deep_{{number}}', '.', f'deep_{{number - 1}}')
with h5py.File('b.h5', 'w') as f:
    virtual(f, 'of_a', 'a.h5', 'x')
    virtual(f, 'circle', 'a.h5', 'circle')
    f['link'] = h5py.ExternalLink('a.h5', '/x')
"#,
        directory.path().display()
    );
    if run_python(&text, &[]).is_none() {
        return;
    }
    // Locked against everyone: what leads back to it must not open it again.
    let options = File::with_options().follow_other_files(true);
    let file = options.open_rw(directory.path().join("a.h5")).unwrap();
    let read = |name: &str| file.dataset(name).unwrap().read_raw::<i32>();
    assert_eq!(read("through_b").unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(read("link_to_b").unwrap(), [0, 1, 2, 3, 4]);
    // What is not flushed yet is seen, too.
    file.dataset("x").unwrap().write_slice(&[7], 2..3).unwrap();
    assert_eq!(read("through_b").unwrap(), [0, 1, 7, 3, 4]);
    let error = read("circle").unwrap_err();
    assert!(error.to_string().contains("a source of itself"), "{error}");
    assert_eq!(read("deep_16").unwrap(), [10, 11, 12, 13, 14]);
    let error = read("deep_17").unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Limit { max: 16, .. }),
        "{error}"
    );
    file.close().unwrap();
}

#[test]
fn copies_name_the_same_sources() {
    let Some((directory, printed)) = samples() else {
        return;
    };
    let path = directory.path();
    let options = File::with_options().follow_other_files(true);
    let copied = [
        ("virtual_earliest.h5", vec!["rows", "growing", "by_file"]),
        ("virtual_latest.h5", vec!["rows", "growing", "by_file"]),
        ("external_earliest.h5", vec!["one", "endless"]),
        ("external_latest.h5", vec!["several", "short"]),
    ];
    // Sources of the same file are found by their names, also by a copy.
    let mut expected = String::new();
    for (name, datasets) in &copied {
        let file = options.open_rw(path.join(name)).unwrap();
        let other_name = format!("copy_of_{name}");
        let other = File::create(path.join(&other_name)).unwrap();
        other.create_group("g").unwrap();
        let own: Vec<i32> = (1000..1006).collect();
        other
            .new_dataset::<i32>()
            .create_with("g/own", &own)
            .unwrap();
        for dataset in datasets {
            file.copy(dataset, &file, &format!("copies/{dataset}"))
                .unwrap();
            file.copy(dataset, &other, dataset).unwrap();
            file.unlink(dataset).unwrap();
            let head = format!("{name} {dataset} ");
            let mut lines = printed.lines().skip_while(|line| !line.starts_with(&head));
            let shape = lines.next().unwrap().strip_prefix(&head).unwrap();
            let values = lines.take_while(|line| line.starts_with(' '));
            let values = values.fold(String::new(), |text, line| text + line + "\n");
            expected += &format!("{name} copies/{dataset} {shape}\n{values}");
            expected += &format!("{other_name} {dataset} {shape}\n{values}");
        }
        other.close().unwrap();
        file.close().unwrap();
    }
    assert_eq!(compare(path, &expected).values().sum::<usize>(), 20);
    // And as h5py sees the copies.
    let text = format!(
        r#"
import os, sys, h5py, numpy as np
os.chdir(r'{}')
os.environ['HDF5_EXTFILE_PREFIX'] = '${{ORIGIN}}'
for line in open('expected.txt'):
    words = line.split()
    if not line.startswith(' '):
        dataset = h5py.File(words[0])[words[1]]
        continue
    region = tuple(slice(*map(int, s.split(':'))) for s in words[0].split(','))
    assert np.asarray(dataset[region]).astype(dataset.dtype).tobytes().hex() == words[1], line
"#,
        path.display()
    );
    std::fs::write(path.join("expected.txt"), &expected).unwrap();
    run_python(&text, &[]).unwrap();
}
