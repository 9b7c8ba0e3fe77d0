//! Files with the metadata that h5py writes by default (superblock 0, object headers of version 1, symbol tables):
//! what is in them is read, and an edit changes what it is asked to and nothing else.

#[path = "support/mod.rs"]
mod support;

use h5quill::storage::{Storage, StorageError};
use h5quill::{ErrorKind, File};
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

static ROOT: &[u8] = include_bytes!("golden/legacy_root.h5");
static SIZES: &[u8] = include_bytes!("golden/legacy_sizes.h5");
static HEADERS: &[u8] = include_bytes!("golden/legacy_headers.h5");
static MANY: &[u8] = include_bytes!("golden/legacy_many.h5.z");

const ROOT_NAMES: [&str; 7] = [
    "again", "dangling", "data", "group", "grüße", "late", "soft",
];

fn many() -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(MANY)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// Prints every link and object of a file, with attributes and values, one line each.
const DIGEST: &str = r#"
import sys, h5py, numpy as np
def attributes(o):
    return {k: (np.asarray(o.attrs[k]).tolist()) for k in sorted(o.attrs)}
def walk(g, path, seen):
    for name in sorted(g):
        link = g.get(name, getlink=True)
        where = path + name
        if isinstance(link, h5py.SoftLink):
            print(where, '->', link.path); continue
        o = g[name]
        comment = g.id.get_comment(name.encode()) or b''
        count = h5py.h5o.get_info(o.id).rc
        if isinstance(o, h5py.Group):
            print(where, 'group', count, comment.decode(), attributes(o))
            if o.id not in seen:
                walk(o, where + '/', seen | {o.id})
        else:
            try: value = o[()].tolist()
            except Exception as error: value = 'unreadable'
            print(where, count, comment.decode(), o.dtype, attributes(o), value)
with h5py.File(sys.argv[1], 'r') as f:
    print('/', attributes(f))
    walk(f, '/', set())
"#;

fn digest(path: &Path) -> Option<Vec<String>> {
    let text = support::run_python(DIGEST, &[path.as_os_str()])?;
    Some(text.lines().map(str::to_string).collect())
}

fn check_h5dump(path: &Path) {
    if let Some(h5dump) = support::h5dump() {
        let output = Command::new(h5dump).arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}

fn edited(
    name: &str,
    bytes: &[u8],
    edit: impl FnOnce(&File),
) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let file = File::open_rw(&path).unwrap();
    edit(&file);
    file.close().unwrap();
    (directory, path)
}

/// Applies the lines that an edit takes out of a digest and puts in.
fn changed(before: &[String], out: &[&str], into: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = before.to_vec();
    for line in out {
        let at = lines.iter().position(|have| have == line);
        lines.remove(at.unwrap_or_else(|| panic!("{line:?} is not in {before:#?}")));
    }
    lines.extend(into.iter().map(ToString::to_string));
    lines.sort();
    lines
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn everything_in_a_default_file_is_read() {
    let file = File::open_memory(ROOT.to_vec()).unwrap();
    assert_eq!(file.member_names().unwrap(), ROOT_NAMES);
    assert_eq!(file.len().unwrap(), 7);
    let title: String = file.attr("title").unwrap().read_scalar().unwrap();
    assert_eq!(title, "old");
    let data = file.dataset("data").unwrap();
    assert_eq!(data.shape(), [3, 4]);
    assert_eq!(data.read_raw::<i32>().unwrap(), (0..12).collect::<Vec<_>>());
    assert_eq!(
        file.dataset("again").unwrap().attr_names().unwrap(),
        ["scale", "units"]
    );
    assert_eq!(file.dataset("grüße").unwrap().shape(), [3, 4]);
    assert_eq!(
        file.dataset("soft").unwrap().read_scalar::<f32>().unwrap(),
        2.5
    );
    assert_eq!(
        file.dataset("late").unwrap().read_raw::<f64>().unwrap(),
        [1.5; 5]
    );
    assert!(!file.exists("dangling").unwrap() && !file.exists("absent").unwrap());
    assert_eq!(
        file.group("group/inner").unwrap().member_names().unwrap(),
        ["x"]
    );

    let file = File::open_memory(HEADERS.to_vec()).unwrap();
    let attributes = file.group("attributes").unwrap();
    for i in 0..20 {
        let values = attributes.attr(&format!("attribute {i}")).unwrap();
        assert_eq!(
            values.read_raw::<i64>().unwrap(),
            (0..=i).collect::<Vec<_>>()
        );
    }
    let shrunk = file.group("shrunk").unwrap();
    assert_eq!(shrunk.attr_names().unwrap(), ["attribute 0", "attribute 3"]);
    let converted = file.group("converted").unwrap();
    assert_eq!(converted.member_names().unwrap(), ["grüße", "plain"]);
}

#[test]
fn a_new_attribute_changes_the_end_of_the_file_and_31_bytes_of_a_header() {
    for bytes in [ROOT, SIZES, HEADERS, &many()] {
        let file = File::open_memory(bytes.to_vec()).unwrap();
        file.set_attr("added", 1_i32).unwrap();
        let after = file.into_bytes().unwrap();
        let superblock = if bytes[8] == 0 { 96 } else { 100 };
        let end = superblock - 56..superblock - 48;
        let cell = superblock..superblock + 31;
        for at in (0..bytes.len()).filter(|&at| bytes[at] != after[at]) {
            assert!(end.contains(&at) || cell.contains(&at), "byte {at}");
        }
        let again = File::open_memory(after).unwrap();
        assert_eq!(
            again.attr("added").unwrap().read_scalar::<i32>().unwrap(),
            1
        );
        let before = File::open_memory(bytes.to_vec()).unwrap();
        assert_eq!(
            again.member_names().unwrap(),
            before.member_names().unwrap()
        );
    }
}

#[test]
fn every_verb_on_a_default_file_changes_what_it_names_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let original = directory.path().join("before.h5");
    std::fs::write(&original, ROOT).unwrap();
    let (_kept, path) = edited("after.h5", ROOT, |file| {
        file.set_attr("added", 1_i32).unwrap();
        file.dataset("data")
            .unwrap()
            .set_attr("units", "ampere")
            .unwrap();
        file.dataset("late")
            .unwrap()
            .write(&ndarray::arr1(&[0.0, 1.0, 2.0, 3.0, 4.0]))
            .unwrap();
        file.create_group("new/deeper").unwrap();
        file.group("group")
            .unwrap()
            .link_hard("/data", "third")
            .unwrap();
        file.unlink("again").unwrap();
        file.link_soft("/data", "group/inner/way").unwrap();
        let grown = file
            .new_dataset::<i32>()
            .shape((0.., 2))
            .create("group/grown")
            .unwrap();
        grown.append(&ndarray::arr2(&[[1, 2], [3, 4]])).unwrap();
    });
    check_h5dump(&path);
    let (Some(before), Some(after)) = (digest(&original), digest(&path)) else {
        return;
    };
    let values = "[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]";
    let expected = changed(
        &before,
        &[
            "/ {'title': 'old'}",
            &format!("/again 2  int32 {{'scale': 0.5, 'units': 'volt'}} {values}"),
            &format!("/data 2  int32 {{'scale': 0.5, 'units': 'volt'}} {values}"),
            "/late 1  float64 {} [1.5, 1.5, 1.5, 1.5, 1.5]",
        ],
        &[
            "/ {'added': 1, 'title': 'old'}",
            &format!("/data 2  int32 {{'scale': 0.5, 'units': 'ampere'}} {values}"),
            &format!("/group/third 2  int32 {{'scale': 0.5, 'units': 'ampere'}} {values}"),
            "/late 1  float64 {} [0.0, 1.0, 2.0, 3.0, 4.0]",
            "/new group 1  {}",
            "/new/deeper group 1  {}",
            "/group/inner/way -> /data",
            "/group/grown 1  int32 {} [[1, 2], [3, 4]]",
        ],
    );
    assert_eq!(sorted(after), expected);
}

#[test]
fn groups_of_any_size_keep_their_links_when_one_is_made_and_one_taken_out() {
    let directory = tempfile::tempdir().unwrap();
    let original = directory.path().join("before.h5");
    std::fs::write(&original, many()).unwrap();
    let (_kept, path) = edited("after.h5", &many(), |file| {
        for count in [1, 9, 300] {
            let group = file.group(&format!("members {count}")).unwrap();
            group.link_soft("/x", "added").unwrap();
            assert!(group.unlink("absent").is_err());
        }
        file.unlink("members 300/member 001").unwrap();
        file.unlink("members 9/member 002").unwrap();
    });
    check_h5dump(&path);
    let file = File::open(&path).unwrap();
    for (count, len) in [(1, 2), (9, 10), (300, 300)] {
        assert_eq!(
            file.group(&format!("members {count}"))
                .unwrap()
                .len()
                .unwrap(),
            len
        );
    }
    drop(file);
    let (Some(before), Some(after)) = (digest(&original), digest(&path)) else {
        return;
    };
    // The hard link that went is counted in every line of its target.
    let lines = |lines: &[String], from: &str, to: &str| -> Vec<String> {
        lines.iter().map(|line| line.replace(from, to)).collect()
    };
    let target = before
        .iter()
        .find(|line| line.starts_with("/target"))
        .unwrap();
    let count: u32 = target.split(' ').nth(1).unwrap().parse().unwrap();
    let before = lines(
        &before,
        &format!(" {count}  int8"),
        &format!(" {}  int8", count - 1),
    );
    let gone = format!("/members 300/member 001 {}  int8 {{}} 1", count - 1);
    let expected = changed(
        &before,
        &[&gone, "/members 9/member 002 -> /somewhere/2"],
        &[
            "/members 1/added -> /x",
            "/members 9/added -> /x",
            "/members 300/added -> /x",
        ],
    );
    assert_eq!(sorted(after), expected);
}

#[test]
fn h5py_edits_a_file_that_was_edited_here_and_the_other_way_round() {
    let (_kept, path) = edited("turns.h5", ROOT, |file| {
        file.create_group("ours").unwrap();
        file.dataset("data")
            .unwrap()
            .set_attr("ours", 1_i32)
            .unwrap();
    });
    let script = r#"
import sys, h5py
with h5py.File(sys.argv[1], 'r+') as f:
    f.create_group('theirs')
    f['group'].create_group('theirs')['x'] = 1
    f['data'].attrs['theirs'] = 2
    for i in range(12):
        f['ours'].attrs[f'attribute {i}'] = i
        f[f'ours/{i}'] = i
    del f['again'], f['data'].attrs['units']
"#;
    if support::run_python(script, &[path.as_os_str()]).is_none() {
        return;
    }
    let file = File::open_rw(&path).unwrap();
    assert_eq!(file.len().unwrap(), 8);
    assert_eq!(file.group("ours").unwrap().len().unwrap(), 12);
    assert_eq!(
        file.dataset("data").unwrap().attr_names().unwrap(),
        ["ours", "scale", "theirs"]
    );
    file.unlink("theirs").unwrap();
    file.unlink("group").unwrap();
    file.close().unwrap();
    check_h5dump(&path);
    let after = digest(&path).unwrap();
    assert!(
        !after.iter().any(|line| line.contains("/theirs")),
        "{after:#?}"
    );
    assert_eq!(
        after
            .iter()
            .filter(|line| line.starts_with("/ours/"))
            .count(),
        12
    );
}

#[test]
fn a_dataset_that_cannot_be_opened_keeps_its_group_and_header_usable() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("external.h5");
    let script = r#"
import sys, os, h5py, numpy as np
os.chdir(os.path.dirname(sys.argv[1]))
with h5py.File(sys.argv[1], 'w', libver='earliest') as f:
    f.create_dataset('elsewhere', data=np.arange(4, dtype='i2'), external=[('raw.bin', 0, 8)])
    f.create_dataset('gone', data=np.arange(4, dtype='i2'), external=[('raw.bin', 8, 8)])
    f['here'] = 1
"#;
    if support::run_python(script, &[path.as_os_str()]).is_none() {
        return;
    }
    let file = File::open_rw(&path).unwrap();
    assert_eq!(file.member_names().unwrap(), ["elsewhere", "gone", "here"]);
    assert_eq!(file.datasets().unwrap().len(), 3);
    let elsewhere = file.dataset("elsewhere").unwrap();
    let error = elsewhere.read_raw::<i16>().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    elsewhere.set_attr("note", "kept").unwrap();
    file.unlink("gone").unwrap();
    file.close().unwrap();
    let script = r#"
import sys, os, h5py
os.chdir(os.path.dirname(sys.argv[1]))
with h5py.File(sys.argv[1], 'r') as f:
    print(sorted(f), f['elsewhere'].attrs['note'], f['elsewhere'][()].tolist())
"#;
    let said = support::run_python(script, &[path.as_os_str()]).unwrap();
    assert_eq!(said.trim(), "['elsewhere', 'here'] kept [0, 1, 2, 3]");
}

#[test]
fn a_file_behind_a_user_block_is_edited_and_the_block_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("user.h5");
    let script = r#"
import sys, h5py
with h5py.File(sys.argv[1], 'w', libver='earliest', userblock_size=1024) as f:
    f['data'] = [1, 2, 3]
    f.create_group('group')['soft'] = h5py.SoftLink('/data')
with open(sys.argv[1], 'r+b') as f:
    f.write(bytes(range(256)) * 4)
"#;
    if support::run_python(script, &[path.as_os_str()]).is_none() {
        return;
    }
    let before = std::fs::read(&path).unwrap();
    let file = File::open_rw(&path).unwrap();
    file.create_group("group/ours").unwrap();
    file.set_attr("ours", 1_i32).unwrap();
    file.link_hard("data", "again").unwrap();
    file.close().unwrap();
    let after = std::fs::read(&path).unwrap();
    assert_eq!(before[..1024], after[..1024]);
    check_h5dump(&path);
    assert_eq!(
        sorted(digest(&path).unwrap()),
        [
            "/ {'ours': 1}",
            "/again 2  int64 {} [1, 2, 3]",
            "/data 2  int64 {} [1, 2, 3]",
            "/group group 1  {}",
            "/group/ours group 1  {}",
            "/group/soft -> /data",
        ]
    );
}

#[derive(Debug, Clone)]
enum Event {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

/// A device that remembers every change.
struct Recorder {
    bytes: Vec<u8>,
    log: Arc<Mutex<Vec<Event>>>,
}

fn apply(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(at, data) => {
            let at = *at as usize;
            bytes.resize(bytes.len().max(at + data.len()), 0);
            bytes[at..at + data.len()].copy_from_slice(data);
        }
        Event::SetLen(len) => bytes.resize(*len as usize, 0),
        Event::Sync => {}
    }
}

impl Recorder {
    fn note(&mut self, event: Event) {
        apply(&mut self.bytes, &event);
        self.log.lock().unwrap().push(event);
    }
}

impl Storage for Recorder {
    fn len(&self) -> Result<u64, StorageError> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let at = offset as usize;
        buffer.copy_from_slice(&self.bytes[at..at + buffer.len()]);
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.note(Event::Write(offset, bytes.to_vec()));
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> Result<(), StorageError> {
        self.note(Event::SetLen(len));
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.note(Event::Sync);
        Ok(())
    }
}

/// The file after every prefix of the changes of one edit, and the changes.
fn images(bytes: &[u8], edit: impl FnOnce(&File)) -> (Vec<Vec<u8>>, Vec<Event>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let recorder = Recorder {
        bytes: bytes.to_vec(),
        log: log.clone(),
    };
    let file = File::open_rw_on(recorder).unwrap();
    edit(&file);
    file.sync().unwrap();
    let events = log.lock().unwrap().clone();
    let mut images = vec![bytes.to_vec()];
    for event in &events {
        let mut next = images.last().unwrap().clone();
        apply(&mut next, event);
        images.push(next);
    }
    (images, events)
}

/// Whether the superblock says where the root group's symbol table is, and whether the root group has one.
fn root_state(image: &[u8]) -> (bool, bool) {
    (image[72] == 1, image[96] == 1)
}

#[test]
fn at_every_write_of_its_first_edit_the_root_group_is_as_before_or_as_after() {
    let edits: [(&[u8], usize); 2] = [(ROOT, 7), (&many(), 5)];
    for (bytes, len) in edits {
        let (images, events) = images(bytes, |file| {
            file.create_group("zz").unwrap();
        });
        let directory = tempfile::tempdir().unwrap();
        let mut states = Vec::new();
        for (number, image) in images.iter().enumerate() {
            let file = File::open_memory(image.clone()).unwrap();
            let names = file.member_names().unwrap();
            let after = names.last().unwrap() == "zz";
            assert_eq!(names.len(), len + usize::from(after), "image {number}");
            assert_eq!(after, image[96] == b'O', "image {number}");
            states.push(after);
            let name = format!("{number:03}.h5");
            std::fs::write(directory.path().join(name), image).unwrap();
        }
        assert!(!states[0] && *states.last().unwrap() && states.is_sorted());

        // The superblock stops naming the symbol table first; a sync later the group stops having it.
        let states: Vec<(bool, bool)> = images.iter().map(|image| root_state(image)).collect();
        assert!(!states.contains(&(true, false)));
        let cleared = states
            .iter()
            .position(|state| *state == (false, true))
            .unwrap();
        let flipped = states
            .iter()
            .position(|state| *state == (false, false))
            .unwrap();
        let synced = events[cleared..flipped - 1]
            .iter()
            .any(|event| matches!(event, Event::Sync));
        assert!(synced, "cleared {cleared}, flipped {flipped}");

        let script = r#"
import sys, os, h5py
for name in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], name)
    for mode in ('r', 'r+'):
        with h5py.File(path, mode) as f:
            names = sorted(f)
            f.visititems(lambda _, o: o[()] if isinstance(o, h5py.Dataset) else len(o))
            if mode == 'r+':
                f['stock'] = 1
        print(name, mode, len(names), names[-1] == 'zz')
"#;
        let arguments: [&OsStr; 1] = [directory.path().as_os_str()];
        let Some(said) = support::run_python(script, &arguments) else {
            continue;
        };
        let mut expected = Vec::new();
        for (number, image) in images.iter().enumerate() {
            let after = image[96] == b'O';
            for mode in ["r", "r+"] {
                let (count, word) = (
                    len + usize::from(after),
                    if after { "True" } else { "False" },
                );
                expected.push(format!("{number:03}.h5 {mode} {count} {word}"));
            }
        }
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    }
}
