//! What cannot be done is refused: with the kind, the file, the object and a reason, before any byte changes, and the
//! handle works on.

#[path = "support/storage.rs"]
mod storage;
#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{Error, ErrorKind, Extent, Extents, File, FixedAscii, Result};
use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2, IxDyn, aview0, s};
use std::path::PathBuf;
use storage::Shared;

/// A file on a path, with one dataset of each sort.
struct Case {
    _folder: tempfile::TempDir,
    path: PathBuf,
    file: File,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.h5");
        let file = File::create(&path).unwrap();
        let rows = file
            .new_dataset::<f32>()
            .shape((0.., 4))
            .create("g/rows")
            .unwrap();
        rows.append(Array2::<f32>::ones((3, 4)).view()).unwrap();
        rows.set_attr("number", 5_i32).unwrap();
        file.new_dataset::<i32>()
            .shape((2..=6, 4))
            .chunk([2, 2])
            .create("g/bounded")
            .unwrap();
        file.new_dataset::<i32>()
            .create_with("g/fixed", &[1, 2, 3])
            .unwrap();
        file.new_dataset::<String>()
            .shape(0..)
            .create("g/texts")
            .unwrap();
        file.new_dataset::<FixedAscii<4>>()
            .shape(2)
            .create("g/short")
            .unwrap();
        file.new_dataset::<f64>()
            .create_with("g/scalar", aview0(&1.5))
            .unwrap();
        file.link_soft("/nowhere", "g/dangling").unwrap();
        file.flush().unwrap();
        Self {
            _folder: folder,
            path,
            file,
        }
    }

    /// The operation is refused as it must be: nothing changes, and the file can be used on.
    #[track_caller]
    fn refuses<T>(
        &self,
        object: &str,
        words: &[&str],
        is: impl Fn(&ErrorKind) -> bool,
        run: impl FnOnce(&File) -> Result<T>,
    ) {
        let before = std::fs::read(&self.path).unwrap();
        let error = run(&self.file).err().expect("it must be refused");
        assert!(is(error.kind()), "{:?}: {error}", error.kind());
        assert_eq!(
            error.file_name(),
            Some(&*self.path.to_string_lossy()),
            "{error}"
        );
        assert_eq!(error.object_path(), Some(object), "{error}");
        let text = error.to_string();
        assert!(text.contains("case.h5") && text.contains(object), "{text}");
        for word in words {
            assert!(text.contains(word), "{word:?} is not in {text:?}");
        }
        assert!(
            std::fs::read(&self.path).unwrap() == before,
            "bytes changed: {text}"
        );
        self.file.flush().unwrap();
        assert!(
            std::fs::read(&self.path).unwrap() == before,
            "a flush changed bytes: {text}"
        );
        let rows = self.file.dataset("g/rows").unwrap();
        assert_eq!(
            rows.read_2d::<f32>().unwrap(),
            Array2::ones(rows.read_2d::<f32>().unwrap().dim())
        );
        rows.append(Array2::<f32>::ones((1, 4)).view()).unwrap();
        self.file.flush().unwrap();
    }
}

fn invalid(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Invalid(_))
}

fn mismatch(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::TypeMismatch { .. })
}

fn limit(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Limit { .. })
}

fn exists(kind: &ErrorKind) -> bool {
    *kind == ErrorKind::Exists
}

fn not_found(kind: &ErrorKind) -> bool {
    *kind == ErrorKind::NotFound
}

fn ones<T: Clone + num::One>(shape: &[usize]) -> ArrayD<T> {
    ArrayD::from_elem(IxDyn(shape), T::one())
}

/// One of each number type used here.
mod num {
    pub(crate) trait One {
        fn one() -> Self;
    }
    macro_rules! one {
        ($($t:ty),*) => { $(impl One for $t { fn one() -> Self { 1 as $t } })* };
    }
    one!(f32, f64, i32, u32, i64, u8);
}

#[test]
fn values_of_another_type_are_refused_also_of_the_same_size() {
    let case = Case::new();
    let words = ["stored type", "32-bit", "given"];
    case.refuses("/g/rows", &words[..1], mismatch, |file| {
        file.dataset("g/rows")?.append(ones::<i32>(&[1, 4]).view())
    });
    case.refuses("/g/rows", &words[..1], mismatch, |file| {
        file.dataset("g/rows")?.append(ones::<u32>(&[1, 4]).view())
    });
    case.refuses("/g/rows", &words[..1], mismatch, |file| {
        file.dataset("g/rows")?.append(ones::<f64>(&[1, 4]).view())
    });
    case.refuses("/g/fixed", &words[..1], mismatch, |file| {
        file.dataset("g/fixed")?.write(ones::<u32>(&[3]).view())
    });
    case.refuses("/g/fixed", &[], mismatch, |file| {
        file.dataset("g/fixed")?.write(ones::<f32>(&[3]).view())
    });
    case.refuses("/g/texts", &[], mismatch, |file| {
        file.dataset("g/texts")?.append(&[1_u8])
    });
    case.refuses("/g/rows", &[], mismatch, |file| {
        file.dataset("g/rows")?
            .append(&["text"; 4].map(String::from))
    });
    case.refuses("/g/rows@number", &[], mismatch, |file| {
        file.dataset("g/rows")?.attr("number")?.write_scalar(&1_u32)
    });
}

#[test]
fn reading_as_another_type_or_rank_is_refused() {
    let case = Case::new();
    case.refuses("/g/rows", &["stored type"], mismatch, |file| {
        file.dataset("g/rows")?.read_2d::<i32>()
    });
    case.refuses("/g/rows", &[], mismatch, |file| {
        file.dataset("g/rows")?.read_raw::<u64>()
    });
    case.refuses("/g/texts", &[], mismatch, |file| {
        file.dataset("g/texts")?.read_raw::<FixedAscii<4>>()
    });
    case.refuses("/g/rows", &["rank 2"], invalid, |file| {
        file.dataset("g/rows")?.read_1d::<f32>()
    });
    case.refuses("/g/rows", &["rank"], invalid, |file| {
        file.dataset("g/rows")?.read_slice::<f32, _, Ix2>(s![0, ..])
    });
    case.refuses("/g/rows", &["rank"], invalid, |file| {
        file.dataset("g/rows")?.read_scalar::<f32>()
    });
    case.refuses("/g/rows@number", &[], mismatch, |file| {
        file.dataset("g/rows")?.attr("number")?.read_scalar::<f32>()
    });
    case.refuses("/g/rows@number", &[], invalid, |file| {
        file.dataset("g/rows")?.attr("number")?.read_1d::<i32>()
    });
}

#[test]
fn values_of_another_rank_or_shape_are_refused() {
    let case = Case::new();
    case.refuses("/g/rows", &["[3]", "axis 0"], invalid, |file| {
        file.dataset("g/rows")?.append(&[1.0_f32; 3])
    });
    case.refuses("/g/rows", &["[2, 5]"], invalid, |file| {
        file.dataset("g/rows")?.append(ones::<f32>(&[2, 5]).view())
    });
    case.refuses("/g/rows", &[], invalid, |file| {
        file.dataset("g/rows")?
            .append(ones::<f32>(&[1, 1, 4]).view())
    });
    case.refuses("/g/rows", &["axis 7"], invalid, |file| {
        file.dataset("g/rows")?.append_axis(7, &[1.0_f32])
    });
    case.refuses("/g/rows", &["shape"], invalid, |file| {
        file.dataset("g/rows")?.write(ones::<f32>(&[1, 4]).view())
    });
    case.refuses("/g/rows", &["dimensions"], invalid, |file| {
        file.dataset("g/rows")?.resize([9])
    });
    case.refuses("/g/scalar", &[], invalid, |file| {
        file.dataset("g/scalar")?.append(&[1.0])
    });
    case.refuses("/g/scalar", &[], invalid, |file| {
        file.dataset("g/scalar")?.resize([2])
    });
    case.refuses("/g/fixed", &["12 bytes"], invalid, |file| {
        file.dataset("g/fixed")?.write_bytes(&[0; 11], ..)
    });
}

#[test]
fn an_extent_beyond_the_maximum_is_refused() {
    let case = Case::new();
    let words = ["axis 0", "7", "6"];
    case.refuses("/g/bounded", &words, invalid, |file| {
        file.dataset("g/bounded")?.resize([7, 4])
    });
    case.refuses("/g/bounded", &["axis 1"], invalid, |file| {
        file.dataset("g/bounded")?.resize([2, 5])
    });
    case.refuses("/g/bounded", &words, invalid, |file| {
        file.dataset("g/bounded")?
            .append(ones::<i32>(&[5, 4]).view())
    });
    case.refuses("/g/fixed", &[], invalid, |file| {
        file.dataset("g/fixed")?.resize(4)
    });
    case.refuses("/g/fixed", &["compact"], invalid, |file| {
        file.dataset("g/fixed")?.resize(2)
    });
    case.refuses("/g/fixed", &[], invalid, |file| {
        file.dataset("g/fixed")?.append(&[4])
    });
    case.refuses("/g/x", &["maximum"], invalid, |file| {
        file.new_dataset::<i32>()
            .shape(Extent {
                dim: 5,
                max: Some(2),
            })
            .create("g/x")
    });
    let large = Extents::simple([Extent::resizable(u64::MAX / 2), Extent::fixed(8)]);
    case.refuses(
        "/g/rows",
        &[],
        |kind| invalid(kind) || limit(kind),
        |file| file.dataset("g/rows")?.resize(large),
    );
}

#[test]
fn chunks_that_cannot_be_are_refused() {
    let case = Case::new();
    let new = |file: &File, chunk: &[usize]| {
        file.new_dataset::<f64>()
            .shape((10, 0..))
            .chunk(chunk)
            .create("g/x")
    };
    case.refuses("/g/x", &["axis 0", "11", "10"], invalid, |file| {
        new(file, &[11, 1])
    });
    case.refuses("/g/x", &["axis 1", "0"], invalid, |file| new(file, &[1, 0]));
    case.refuses("/g/x", &["dimensions"], invalid, |file| new(file, &[1]));
    case.refuses("/g/x", &["4294967295"], limit, |file| {
        new(file, &[8, 1 << 26])
    });
    case.refuses(
        "/g/x",
        &[],
        |kind| limit(kind) || invalid(kind),
        |file| new(file, &[8, usize::MAX / 2]),
    );
    case.refuses("/g/x", &["scalar"], invalid, |file| {
        file.new_dataset::<f64>().deflate(1).create("g/x")
    });
    case.refuses("/g/x", &[], invalid, |file| {
        file.new_dataset::<f64>()
            .shape(5)
            .contiguous()
            .shuffle()
            .create("g/x")
    });
    case.refuses("/g/x", &[], invalid, |file| {
        file.new_dataset::<f64>().shape(0..).compact().create("g/x")
    });
    assert!(!case.file.exists("g/x").unwrap());
}

#[test]
fn names_that_cannot_be_are_refused() {
    let case = Case::new();
    case.refuses("/g/a\0b", &["NUL"], invalid, |file| {
        file.create_group("g/a\0b")
    });
    case.refuses("/new/a\0", &["NUL"], invalid, |file| {
        file.new_dataset::<u8>().create("new/a\0")
    });
    case.refuses("/", &["empty"], invalid, |file| file.create_group(""));
    case.refuses("/g/x", &["dot"], invalid, |file| file.create_group("g/x/."));
    case.refuses("/g", &["dot"], invalid, |file| {
        file.new_dataset::<u8>().create("g/./")
    });
    case.refuses("/g/a\0", &["NUL"], invalid, |file| {
        file.link_hard("g/rows", "g/a\0")
    });
    case.refuses("/g/s", &["NUL"], invalid, |file| {
        file.link_soft("a\0", "g/s")
    });
    case.refuses("/g/s", &["empty"], invalid, |file| {
        file.link_soft("", "g/s")
    });
    case.refuses("/g@a\0b", &["NUL"], invalid, |file| {
        file.group("g")?.set_attr("a\0b", 1)
    });
    case.refuses("/g@", &["empty"], invalid, |file| {
        file.group("g")?.set_attr("", 1)
    });
    assert!(
        !case.file.exists("new").unwrap(),
        "no parent was made on the way"
    );
}

#[test]
fn what_exists_is_not_made_again() {
    let case = Case::new();
    case.refuses("/g", &["exists"], exists, |file| file.create_group("g"));
    case.refuses("/", &[], exists, |file| file.create_group("/"));
    case.refuses("/g/rows", &["exists"], exists, |file| {
        file.create_group("g/rows")
    });
    case.refuses("/g/rows", &[], exists, |file| {
        file.new_dataset::<u8>().shape(0..).create("g/rows")
    });
    case.refuses("/g/dangling", &[], exists, |file| {
        file.create_group("g/dangling")
    });
    case.refuses("/g/texts", &[], exists, |file| {
        file.link_hard("g/rows", "g/texts")
    });
    case.refuses("/g/texts", &[], exists, |file| {
        file.link_soft("rows", "g/texts")
    });
    case.refuses("/g/rows@number", &[], exists, |file| {
        file.dataset("g/rows")?.new_attr::<u8>().create("number")
    });
    case.refuses("/g/rows/x", &["not a group"], invalid, |file| {
        file.create_group("g/rows/x")
    });
    case.refuses("/g/rows/x/y", &["not a group"], invalid, |file| {
        file.create_group("g/rows/x/y")
    });
    let path = case.path.clone();
    let error = File::create_excl(&path).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Exists);
    assert_eq!(error.file_name(), path.to_str());
}

#[test]
fn what_is_missing_is_named() {
    let case = Case::new();
    case.refuses("/none", &["not found"], not_found, |file| {
        file.group("none")
    });
    case.refuses("/g/none", &["not found"], not_found, |file| {
        file.dataset("g/none")
    });
    case.refuses("/g/dangling", &[], not_found, |file| {
        file.dataset("g/dangling")
    });
    case.refuses("/g/rows", &["not a group"], invalid, |file| {
        file.group("g/rows")
    });
    case.refuses("/g", &["not a dataset"], invalid, |file| file.dataset("g"));
    case.refuses("/g/none", &[], not_found, |file| file.unlink("g/none"));
    case.refuses("/none/x", &[], not_found, |file| file.unlink("none/x"));
    case.refuses("/", &[], invalid, |file| file.unlink("/"));
    case.refuses("/g/none", &[], not_found, |file| {
        file.link_hard("g/none", "g/new")
    });
    case.refuses("/g/rows@none", &[], not_found, |file| {
        file.dataset("g/rows")?.attr("none")
    });
    case.refuses("/g/rows@none", &[], not_found, |file| {
        file.dataset("g/rows")?.delete_attr("none")
    });
}

#[test]
fn selections_out_of_range_are_refused() {
    let case = Case::new();
    case.refuses("/g/rows", &["axis 0"], invalid, |file| {
        file.dataset("g/rows")?
            .read_slice::<f32, _, Ix2>(s![2..99, ..])
    });
    case.refuses("/g/rows", &["axis 1"], invalid, |file| {
        file.dataset("g/rows")?
            .read_slice::<f32, _, Ix1>(s![0, ..5])
    });
    case.refuses("/g/rows", &[], invalid, |file| {
        file.dataset("g/rows")?
            .read_slice::<f32, _, Ix1>(s![99, ..])
    });
    case.refuses("/g/rows", &[], invalid, |file| {
        file.dataset("g/rows")?.read_slice::<f32, _, Ix1>(s![..])
    });
    case.refuses("/g/rows", &["negative"], invalid, |file| {
        file.dataset("g/rows")?
            .read_slice::<f32, _, Ix2>(s![..;-1, ..])
    });
    case.refuses("/g/rows", &[], invalid, |file| {
        file.dataset("g/rows")?
            .write_slice(ones::<f32>(&[2, 4]).view(), s![98..100, ..])
    });
    case.refuses("/g/rows", &["shape"], invalid, |file| {
        file.dataset("g/rows")?
            .write_slice(ones::<f32>(&[2, 4]).view(), s![0..1, ..])
    });
}

#[test]
fn what_is_too_large_is_refused() {
    let case = Case::new();
    case.refuses("/g/x", &["65000"], limit, |file| {
        file.new_dataset::<u8>()
            .shape(65_001)
            .compact()
            .create("g/x")
    });
    case.refuses("/g/x", &["rank", "33", "32"], limit, |file| {
        file.new_dataset::<u8>()
            .shape(vec![1_usize; 33])
            .create("g/x")
    });
    case.refuses("/g/x", &["10", "9"], limit, |file| {
        file.new_dataset::<u8>()
            .shape(0..)
            .deflate(10)
            .create("g/x")
    });
    case.refuses(
        "/g/x",
        &[],
        |kind| limit(kind) || invalid(kind),
        |file| {
            file.new_dataset::<f64>()
                .shape(Extents::simple([Extent::fixed(1 << 62)]))
                .contiguous()
                .create("g/x")
        },
    );
    case.refuses("/g/x", &["64 bits"], invalid, |file| {
        file.new_dataset::<u8>()
            .shape(Extents::simple([Extent::fixed(1 << 40); 2]))
            .create("g/x")
    });
    let long = "n".repeat(70_000);
    case.refuses(&format!("/g@{long}"), &[], limit, |file| {
        file.group("g")?.set_attr(&long, 1)
    });
}

#[test]
fn an_attribute_beyond_64_kib_is_kept_in_dense_storage() {
    let file = File::create_memory().unwrap();
    let large: Vec<u16> = (0..40_000).collect();
    file.set_attr("small", 1).unwrap();
    file.set_attr("large", &large).unwrap();
    let bytes = file.into_bytes().unwrap();
    let file = File::open_memory(bytes.clone()).unwrap();
    assert_eq!(
        file.attr("large").unwrap().read_raw::<u16>().unwrap(),
        large
    );
    assert_eq!(file.attr("small").unwrap().read_scalar::<i32>().unwrap(), 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.h5");
    std::fs::write(&path, bytes).unwrap();
    let script = "import h5py, sys, numpy as np\nwith h5py.File(sys.argv[1]) as f: assert np.array_equal(f.attrs['large'], np.arange(40000)), f.attrs['small'] == 1";
    support::run_python(script, &[path.as_os_str()]);
}

#[test]
fn strings_that_cannot_be_stored_are_refused() {
    let case = Case::new();
    let nul = || String::from("a\0b");
    case.refuses("/g/texts", &["zero byte"], invalid, |file| {
        file.dataset("g/texts")?
            .append(&[String::from("fine"), nul()])
    });
    case.refuses("/g@text", &["zero byte"], invalid, |file| {
        file.group("g")?.set_attr("text", nul())
    });
    case.refuses("/g@texts", &["zero byte"], invalid, |file| {
        file.group("g")?
            .set_attr("texts", vec![String::new(), nul()])
    });
    assert!("12345".parse::<FixedAscii<4>>().is_err());
    assert!("é".parse::<FixedAscii<4>>().is_err());
}

#[test]
fn a_fill_value_must_be_one_element() {
    let case = Case::new();
    case.refuses("/g/x", &["fill value"], invalid, |file| {
        file.new_dataset::<f64>()
            .shape(0..)
            .fill_value_bytes(&[0; 4])
            .create("g/x")
    });
    case.refuses(
        "/g/x",
        &["fill value"],
        |kind| matches!(kind, ErrorKind::Unsupported(_)),
        |file| {
            file.new_dataset::<String>()
                .shape(0..)
                .fill_value("x".to_string())
                .create("g/x")
        },
    );
}

fn opening(bytes: &[u8], is: impl Fn(&ErrorKind) -> bool) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.h5");
    std::fs::write(&path, bytes).unwrap();
    let mut last = None;
    let mut opened = vec![File::open(&path), File::open_rw(&path)];
    if !bytes.is_empty() {
        // An empty file is what a death may leave of a new one: `append` takes it.
        opened.push(File::append(&path));
    }
    for error in opened.into_iter().map(|file| file.err().unwrap()) {
        assert!(is(error.kind()), "{error}");
        assert_eq!(error.file_name(), path.to_str());
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "opening writes nothing"
        );
        last = Some(error);
    }
    last.unwrap()
}

#[test]
fn what_is_no_hdf5_file_is_refused_unchanged() {
    let not = |kind: &ErrorKind| *kind == ErrorKind::NotHdf5;
    assert!(
        opening(b"a text, not a file of numbers", not)
            .to_string()
            .contains("HDF5")
    );
    opening(b"", not);
    opening(&[0; 5000], not);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.h5");
    for error in [File::open(&path), File::open_rw(&path)].map(|file| file.err().unwrap()) {
        assert_eq!(error.kind(), &ErrorKind::NotFound);
        assert_eq!(error.file_name(), path.to_str());
    }
    assert!(matches!(
        File::create(folder.path().join("no/folder.h5"))
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound
    ));
    assert!(File::open(folder.path()).is_err(), "a folder");
}

#[test]
fn a_truncated_file_is_refused_unchanged() {
    let file = File::create_memory().unwrap();
    let data = file.new_dataset::<f64>().shape(0..).create("data").unwrap();
    data.append(Array1::<f64>::ones(5000).view()).unwrap();
    let bytes = file.into_bytes().unwrap();
    for len in [bytes.len() - 1, bytes.len() / 2, 600] {
        let error = opening(&bytes[..len], |kind| *kind == ErrorKind::Truncated);
        assert!(error.to_string().contains("truncated"));
    }
    opening(&bytes[..40], |kind| {
        matches!(kind, ErrorKind::Truncated | ErrorKind::Corrupt { .. })
    });
}

#[test]
fn a_file_is_locked_against_a_second_writer() {
    let case = Case::new();
    let locked = |result: Result<File>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Locked);
        assert_eq!(error.file_name(), case.path.to_str());
    };
    let before = std::fs::read(&case.path).unwrap();
    locked(File::open_rw(&case.path));
    locked(File::append(&case.path));
    locked(File::open(&case.path));
    locked(File::create(&case.path));
    assert_eq!(
        std::fs::read(&case.path).unwrap(),
        before,
        "create did not cut it off"
    );
    // Another process, where there is a tool for it.
    if let Ok(status) = std::process::Command::new("flock")
        .arg("-n")
        .arg(&case.path)
        .arg("true")
        .status()
    {
        assert!(!status.success(), "other processes see the lock");
    }
    let path = case.path.clone();
    drop(case.file);
    let readers = [File::open(&path).unwrap(), File::open(&path).unwrap()];
    assert_eq!(File::open_rw(&path).unwrap_err().kind(), &ErrorKind::Locked);
    drop(readers);
    File::open_rw(&path).unwrap();
}

#[test]
fn a_file_opened_for_reading_is_not_changed() {
    let case = Case::new();
    let path = case.path.clone();
    drop(case.file);
    let file = File::open(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), &ErrorKind::ReadOnly);
    let rows = file.dataset("g/rows").unwrap();
    refused(file.create_group("x").map(drop));
    refused(file.new_dataset::<u8>().create("x").map(drop));
    refused(rows.append(ones::<f32>(&[1, 4]).view()));
    refused(rows.write_slice(&[1.0_f32; 4], s![0, ..]));
    refused(rows.resize([0, 4]));
    refused(rows.set_attr("a", 1));
    refused(rows.delete_attr("number"));
    refused(rows.attr("number").unwrap().write_scalar(&1_i32));
    refused(file.unlink("g/rows"));
    refused(file.link_soft("g", "h"));
    refused(file.link_hard("g", "h"));
    assert!(file.is_read_only());
    file.close().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_full_disk_leaves_the_last_commit() {
    for room in [0, 100, 5_000, 100_000, 300_000] {
        let storage = Shared::default();
        let file = File::create_on(storage.clone()).unwrap();
        let data = file
            .new_dataset::<f64>()
            .shape((0.., 8))
            .chunk([64, 8])
            .create("data")
            .unwrap();
        let texts = file
            .new_dataset::<String>()
            .shape(0..)
            .create("texts")
            .unwrap();
        data.append(Array2::<f64>::ones((100, 8)).view()).unwrap();
        texts.append(&["kept".to_string()]).unwrap();
        file.flush().unwrap();
        let committed = storage.bytes();
        storage.limit(committed.len() as u64 + room);
        let mut flushed = 100;
        let mut rows = 100;
        let error = loop {
            let step = || {
                data.append(Array2::<f64>::ones((50, 8)).view())?;
                texts.append(&["text".repeat(100)])
            };
            if let Err(error) = step() {
                break error;
            }
            rows += 50;
            match file.flush() {
                Ok(()) => flushed = rows,
                Err(error) => break error,
            }
        };
        assert!(matches!(error.kind(), ErrorKind::Storage(_)), "{error}");
        assert!(error.to_string().contains("no space"), "{error}");
        assert_eq!(
            data.append(Array2::<f64>::ones((1, 8)).view())
                .unwrap_err()
                .kind(),
            &ErrorKind::Poisoned
        );
        assert_eq!(file.flush().unwrap_err().kind(), &ErrorKind::Poisoned);
        drop((file, data, texts));
        let file = File::open_rw_on(Shared::from(storage.bytes())).unwrap();
        let read = file.dataset("data").unwrap().read_2d::<f64>().unwrap();
        assert_eq!(
            read,
            Array2::<f64>::ones((flushed, 8)),
            "room for {room} bytes"
        );
        assert_eq!(
            file.dataset("texts").unwrap().read_raw::<String>().unwrap()[0],
            "kept"
        );
        file.dataset("data")
            .unwrap()
            .append(Array2::<f64>::ones((1, 8)).view())
            .unwrap();
        file.close().unwrap();
    }
}

#[test]
fn values_that_are_refused_leave_no_dataset_behind() {
    let file = File::create_memory().unwrap();
    let strings = file.new_dataset::<String>();
    assert!(strings.create_with("g/names", &["fine", "n\0t"]).is_err());
    let short = file.new_dataset::<h5quill::FixedAscii<3>>();
    assert!(short.create_with("g/short", &["long"]).is_err());
    assert_eq!(file.member_names().unwrap(), [""; 0]);
}
