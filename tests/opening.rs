//! What files are opened for editing, and which are refused by name: marks of writers that died, files that have
//! moved on their device, split files, cache images, locks.

#![allow(unreachable_pub, reason = "the modules of a test program are its own")]

mod support;

use h5quill::{ErrorKind, File};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use support::{python, run_python, tool};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs lines of Python with `path` and the other arguments in `a`.
fn h5py(lines: &str, arguments: &[&OsStr]) -> Option<String> {
    let script =
        format!("import sys, os, h5py, numpy as np\na = sys.argv[1:]\npath = a[0]\n{lines}\n");
    run_python(&script, arguments)
}

const READ_MARKED: &str = "
with h5py.File(path, 'r+') as file:
    assert file['x'][:].tolist() == list(range(100)) + [7, 8], file['x'][:]
    file['later'] = 1
with h5py.File(path) as file:
    assert sorted(file) == ['g', 'later', 'x'] and file.attrs['ours'] == 3";

/// A file that h5py had open when it died, everything in it written.
fn marked(path: &Path) -> Option<()> {
    h5py(
        "
file = h5py.File(path, 'w', libver='latest')
file.create_dataset('x', data=np.arange(100), maxshape=(None,), chunks=(10,))
file.create_group('g').attrs['a'] = 'text'
file.flush()
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
data = open(path, 'rb').read()
file.close()
assert data[11] != 0
open(path, 'wb').write(data)",
        &[path.as_os_str()],
    )
    .map(drop)
}

#[test]
fn a_mark_of_a_dead_writer_goes_with_the_first_commit_of_a_sound_file() {
    let folder = Folder::new();
    let path = folder.path("marked.h5");
    if marked(&path).is_none() {
        return;
    }
    let before = std::fs::read(&path).unwrap();
    let file = File::open(&path).unwrap();
    assert!(file.verify().unwrap().is_sound());
    assert_eq!(file.dataset("x").unwrap().shape(), [100]);
    drop(file);
    let refused = File::with_options()
        .locking(false)
        .open_rw(&path)
        .unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::Unsupported(what) if what.contains("without a lock"))
    );
    let file = File::open_rw(&path).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        before,
        "opening writes nothing"
    );
    file.dataset("x").unwrap().append(&[7_i64, 8]).unwrap();
    file.set_attr("ours", 3_i64).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap()[..48],
        before[..48],
        "not before the commit"
    );
    file.flush().unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[11], 0);
    file.close().unwrap();
    h5py(READ_MARKED, &[path.as_os_str()]);

    std::fs::write(&path, &before).unwrap();
    File::open_rw(&path).unwrap().close().unwrap();
    let after = std::fs::read(&path).unwrap();
    assert_eq!(
        after[11], 0,
        "a commit without changes takes the mark away, too"
    );
    assert_eq!(
        (&after[..11], &after[48..]),
        (&before[..11], &before[48..after.len()])
    );
}

#[test]
fn a_damaged_file_of_a_dead_writer_is_refused_with_its_problems() {
    let folder = Folder::new();
    let path = folder.path("damaged.h5");
    if marked(&path).is_none() {
        return;
    }
    let mut bytes = std::fs::read(&path).unwrap();
    let group = bytes
        .windows(4)
        .rposition(|bytes| bytes == b"OHDR")
        .unwrap();
    bytes[group + 20] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = File::open_rw(&path).unwrap_err();
    let ErrorKind::Damaged { problems } = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(problems.len(), 1);
    assert!(problems[0].what.contains("checksum"), "{}", problems[0]);
    let text = error.to_string();
    assert!(
        text.contains("damaged.h5") && text.contains("h5clear"),
        "{text}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(!File::open(&path).unwrap().verify().unwrap().is_sound());
}

#[test]
fn a_file_behind_other_bytes_than_it_says_is_read_and_edited() {
    let folder = Folder::new();
    let path = folder.path("moved.h5");
    for (libver, block, ours) in [
        ("earliest", 0, false),
        ("earliest", 1024, false),
        ("latest", 0, false),
        ("latest", 512, false),
        ("", 0, true),
    ] {
        if ours {
            let file = File::create(&path).unwrap();
            file.new_dataset::<i64>()
                .shape(0..)
                .create("x")
                .unwrap()
                .append(&[0_i64, 1, 2])
                .unwrap();
            file.close().unwrap();
        } else if h5py(
            "
with h5py.File(path, 'w', libver=a[1], userblock_size=int(a[2])) as file:
    file.create_dataset('x', data=np.arange(3), maxshape=(None,))",
            &[
                path.as_os_str(),
                libver.as_ref(),
                block.to_string().as_ref(),
            ],
        )
        .is_none()
        {
            return;
        }
        let original = std::fs::read(&path).unwrap();
        for prefix in [2048, 512, 0] {
            let mut bytes = vec![b'#'; prefix];
            bytes.extend(&original[block..]);
            std::fs::write(&path, &bytes).unwrap();
            let file = File::open_rw(&path).unwrap();
            assert!(file.verify().unwrap().is_sound());
            let data = file.dataset("x").unwrap();
            data.append(&[3_i64]).unwrap();
            file.create_group("made").unwrap();
            file.close().unwrap();
            let file = File::open(&path).unwrap();
            assert!(file.verify().unwrap().is_sound());
            assert_eq!(
                file.dataset("x").unwrap().read_raw::<i64>().unwrap(),
                [0, 1, 2, 3]
            );
            drop(file);
            assert!(
                std::fs::read(&path).unwrap()[..prefix]
                    .iter()
                    .all(|byte| *byte == b'#')
            );
            h5py(
                "
with h5py.File(path, 'r+') as file:
    assert file['x'][:].tolist() == [0, 1, 2, 3] and 'made' in file
    assert file.userblock_size == int(a[1]), file.userblock_size
    file['x'].resize((5,)); file['x'][4] = 4",
                &[path.as_os_str(), prefix.to_string().as_ref()],
            );
            if python().is_some() {
                let file = File::open_rw(&path).unwrap();
                let data = file.dataset("x").unwrap();
                data.append(&[5_i64]).unwrap();
                assert_eq!(data.read_raw::<i64>().unwrap(), [0, 1, 2, 3, 4, 5]);
            }
        }
    }
}

fn refused(path: &Path, name: &str) {
    let before = std::fs::read(path).unwrap();
    for result in [File::open(path), File::open_rw(path)] {
        let error = result.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported(what) if what.contains(name)),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[test]
fn members_of_split_files_are_refused_by_the_name_of_their_driver() {
    let folder = Folder::new();
    for libver in ["earliest", "latest"] {
        let path = folder.path("family-%05d.h5");
        let made = h5py(
            "
with h5py.File(path, 'w', driver='family', memb_size=2048, libver=a[1]) as file:
    file['x'] = np.arange(1000)
with h5py.File(path.replace('family-%05d', 'split'), 'w', driver='split', libver=a[1]) as file:
    file['x'] = np.arange(1000)",
            &[path.as_os_str(), libver.as_ref()],
        );
        if made.is_none() {
            return;
        }
        refused(&folder.path("family-00000.h5"), "`family`");
        refused(&folder.path("split.h5-m.h5"), "`split`");
    }
}

#[test]
fn a_superblock_of_an_unknown_version_is_named() {
    let folder = Folder::new();
    let path = folder.path("new.h5");
    File::create(&path).unwrap().close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 4;
    std::fs::write(&path, &bytes).unwrap();
    refused(&path, "superblock of version 4");
}

/// h5py with a file open, until it is told to close it.
struct Holder(Child);

impl Holder {
    fn new(path: &Path, mode: &str) -> Option<Self> {
        let script = "
import sys, h5py
file = h5py.File(sys.argv[1], sys.argv[2])
print('open', flush=True)
sys.stdin.readline()";
        let mut child = Command::new(python()?)
            .args(["-c", script])
            .arg(path)
            .arg(mode)
            .env_remove("HDF5_USE_FILE_LOCKING")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line.trim(), "open");
        Some(Self(child))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.stdin.as_mut().map(|stdin| stdin.write_all(b"\n"));
        let _ = self.0.wait();
    }
}

#[test]
fn locks_of_h5py_and_ours_exclude_each_other() {
    let folder = Folder::new();
    let path = folder.path("locked.h5");
    File::create(&path).unwrap().close().unwrap();
    let locked = |result: h5quill::Result<File>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Locked);
        let text = error.to_string();
        for part in [
            "locked.h5",
            "another process",
            ".locking(false)",
            "HDF5_USE_FILE_LOCKING=FALSE",
        ] {
            assert!(text.contains(part), "{text}");
        }
    };
    let Some(reader) = Holder::new(&path, "r") else {
        return;
    };
    locked(File::open_rw(&path));
    File::open(&path).unwrap();
    drop(reader);
    let writer = Holder::new(&path, "r+").unwrap();
    locked(File::open_rw(&path));
    locked(File::open(&path));
    File::with_options().locking(false).open(&path).unwrap();
    drop(writer);

    let open = "
try:
    h5py.File(path, a[1]).close()
    print('opened')
except BlockingIOError:
    print('locked')";
    let theirs = |mode: &str| {
        let said = h5py(open, &[path.as_os_str(), mode.as_ref()]).unwrap();
        said.trim().to_owned()
    };
    let ours = File::open(&path).unwrap();
    assert_eq!(
        (theirs("r"), theirs("r+")),
        ("opened".into(), "locked".into())
    );
    drop(ours);
    let ours = File::open_rw(&path).unwrap();
    assert_eq!(
        (theirs("r"), theirs("r+")),
        ("locked".into(), "locked".into())
    );
    drop(ours);
    assert_eq!(
        (theirs("r"), theirs("r+")),
        ("opened".into(), "opened".into())
    );
}

/// Each value in a process of its own, where this same test opens a file that it holds already.
#[test]
fn the_environment_variable_decides_about_locks_as_in_libhdf5() {
    const NAME: &str = "the_environment_variable_decides_about_locks_as_in_libhdf5";
    if let Some(path) = std::env::var_os("H5QUILL_LOCK_TEST") {
        let first = File::with_options().locking(true).open_rw(&path).unwrap();
        let second = |locking| File::with_options().locking(locking).open(&path).is_ok();
        println!("result {} {}", second(true), second(false));
        drop(first);
        return;
    }
    let folder = Folder::new();
    let path = folder.path("locked.h5");
    File::create(&path).unwrap().close().unwrap();
    for (value, expected) in [
        (None, "false true"),
        (Some("TRUE"), "false false"),
        (Some("1"), "false false"),
        (Some("BEST_EFFORT"), "false false"),
        (Some("FALSE"), "true true"),
        (Some("0"), "true true"),
        (Some("no"), "false true"),
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([NAME, "--exact", "--nocapture"])
            .env("H5QUILL_LOCK_TEST", &path);
        match value {
            Some(value) => command.env("HDF5_USE_FILE_LOCKING", value),
            None => command.env_remove("HDF5_USE_FILE_LOCKING"),
        };
        let said = support::run(command);
        assert!(
            said.contains(&format!("result {expected}")),
            "{value:?}: {said}"
        );
    }
}

#[test]
fn h5clear_and_we_agree_on_what_is_marked() {
    let folder = Folder::new();
    let path = folder.path("marked.h5");
    let Some(h5clear) = tool("h5clear") else {
        return;
    };
    if marked(&path).is_none() {
        return;
    }
    let before = std::fs::read(&path).unwrap();
    let mut command = Command::new(h5clear);
    command.arg("-s").arg(&path);
    support::run(command);
    let cleared = std::fs::read(&path).unwrap();
    std::fs::write(&path, &before).unwrap();
    File::open_rw(&path).unwrap().close().unwrap();
    assert_eq!(std::fs::read(&path).unwrap()[..48], cleared[..48]);
}

#[test]
fn metadata_in_a_cache_image_are_read_and_not_edited() {
    let folder = Folder::new();
    let path = folder.path("image.h5");
    let bytes = include_bytes!("golden/cache_image.h5");
    std::fs::write(&path, bytes).unwrap();
    let file = File::open(&path).unwrap();
    assert!(file.verify().unwrap().is_sound());
    let numbers: Vec<i64> = (0..100).collect();
    assert_eq!(
        file.dataset("x").unwrap().read_raw::<i64>().unwrap(),
        numbers
    );
    assert_eq!(
        file.group("g")
            .unwrap()
            .attr("a")
            .unwrap()
            .read_scalar::<i64>()
            .unwrap(),
        5
    );
    for number in 0..12 {
        let data = file.dataset(&format!("g/d{number}")).unwrap();
        assert_eq!(data.read_raw::<i64>().unwrap(), numbers[..number]);
    }
    drop(file);
    let error = File::open_rw(&path).unwrap_err();
    assert!(
        error.to_string().contains("metadata cache image"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    let at = bytes.windows(4).position(|at| at == b"MDCI").unwrap();
    for wrong in [at, at + 7, at + 15, at + 40, at + 100] {
        let mut damaged = bytes.to_vec();
        damaged[wrong] ^= 0x21;
        std::fs::write(&path, &damaged).unwrap();
        assert!(File::open(&path).is_err(), "byte {wrong}");
    }
}

/// What a writer marked that did not know the message is not looked at, whatever it says: libhdf5 has it so.
#[test]
fn a_file_space_message_that_is_marked_as_unknown_is_left_alone() {
    let folder = Folder::new();
    for persist in ["False", "True"] {
        let path = folder.path(&format!("{persist}.h5"));
        let made = h5py(
            &format!(
                "
with h5py.File(path, 'w', libver='earliest', fs_strategy='page', fs_persist={persist}) as file:
    file['x'] = np.arange(5)
data = bytearray(open(path, 'rb').read())
at = int.from_bytes(data[20:28], 'little') + 16
assert data[at] == 0x17
data[at + 4] |= 0x30 # was unknown
data[at + 9] = 77 # no strategy
open(path, 'wb').write(data)
assert h5py.File(path)['x'][4] == 4"
            ),
            &[path.as_os_str()],
        );
        if made.is_none() {
            return;
        }
        edit_with_unknown_file_space(&path);
    }
    let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/faults");
    for name in [
        "libhdf5-fsm_aggr_persist.h5-d732e71a24da.h5",
        "libhdf5-paged_nopersist.h5-f1696363573b.h5",
    ] {
        let path = folder.path(name);
        if std::fs::copy(faults.join(name), &path).is_ok() {
            edit_with_unknown_file_space(&path);
        }
    }
}

fn edit_with_unknown_file_space(path: &Path) {
    let file = File::open_rw(path).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    assert_eq!(
        file.file_space_strategy().unwrap(),
        h5quill::FileSpaceStrategy::default()
    );
    file.set_attr("ours", 3).unwrap();
    file.close().unwrap();
    assert!(File::open(path).unwrap().verify().unwrap().is_sound());
    h5py(
        "
with h5py.File(path, 'r+') as file:
    assert file.attrs['ours'] == 3
    file['later'] = 1",
        &[path.as_os_str()],
    );
    let file = File::open(path).unwrap();
    assert!(file.verify().unwrap().is_sound() && file.exists("later").unwrap());
}

/// Some writers give attributes names in Latin-1.
#[test]
fn attributes_whose_names_are_not_utf_8_are_reached_by_their_bytes() {
    let folder = Folder::new();
    for libver in ["earliest", "v110"] {
        let path = folder.path(&format!("{libver}.h5"));
        let make = format!(
            "
with h5py.File(path, 'w', libver='{libver}') as file:
    for number in range(12):
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        attribute = h5py.h5a.create(file.id, b'L\\xe4nge %d' % number, h5py.h5t.NATIVE_INT32, space)
        attribute.write(np.array(number, 'i4'))"
        );
        if h5py(&make, &[path.as_os_str()]).is_none() {
            return;
        }
        let file = File::open_rw(&path).unwrap();
        let name = |number: i32| [&b"L\xe4nge "[..], number.to_string().as_bytes()].concat();
        let mut names = file.attr_names_bytes().unwrap();
        names.sort();
        let mut expected: Vec<_> = (0..12).map(name).collect();
        expected.sort();
        assert_eq!(names, expected);
        for number in 0..12 {
            let attribute = file.attr_bytes(&name(number)).unwrap();
            assert_eq!(attribute.name_bytes(), name(number));
            assert_eq!(attribute.read_scalar::<i32>().unwrap(), number);
        }
        file.attr_bytes(&name(1))
            .unwrap()
            .write_scalar(&100)
            .unwrap();
        file.delete_attr_bytes(&name(2)).unwrap();
        file.rename_attr_bytes(&name(3), "Länge").unwrap();
        assert!(file.attr_bytes(&name(3)).is_err());
        file.close().unwrap();
        h5py(
            "
with h5py.File(path) as file:
    names = set()
    h5py.h5a.iterate(file.id, lambda name: names.add(bytes(name)))
    assert len(names) == 11 and b'L\\xe4nge 2' not in names and 'Länge'.encode() in names, names
    attribute = h5py.h5a.open(file.id, b'L\\xe4nge 1')
    value = np.zeros((), 'i4')
    attribute.read(value)
    assert value == 100",
            &[path.as_os_str()],
        );
        assert!(File::open(&path).unwrap().verify().unwrap().is_sound());
    }
}
