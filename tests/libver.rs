//! Files for HDF5 1.8, and files with a userblock.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::{AllocTime, Datatype, ErrorKind, File, FillTime, H5Type, LibVer};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python of the tester's with an old h5py (`H5QUILL_PYTHON_18`: HDF5 1.8) or with pyfive (`H5QUILL_PYFIVE`).
fn old_python(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        support::say(&format!("left out: {what}: {variable} names no Python"));
    }
    found
}

/// Every value of every dataset and attribute, one line each.
const DUMP: &str = r#"
import sys, h5py, numpy as np
def show(v):
    v = np.asarray(v)
    flat = [x.decode('utf-8') if isinstance(x, bytes) else x for x in v.ravel().tolist()]
    return '%s %s' % (v.shape, flat if len(flat) < 40 else (len(flat), sum(flat)))
lines = []
def visit(name, o):
    for key in sorted(o.attrs):
        lines.append('%s@%s %s' % (name, key, show(o.attrs[key])))
    if isinstance(o, h5py.Dataset):
        lines.append('%s %s' % (name, show(o[()])))
    else:
        lines.append('%s has %s' % (name, sorted(o)))
with h5py.File(sys.argv[1], 'r') as f:
    f.visititems(visit)
print('\n'.join(sorted(lines)))
"#;

/// libhdf5 grows and shrinks every dataset that can grow, rewrites some of it, and makes groups and attributes.
const EDIT: &str = r#"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], 'r+') as f:
    datasets = []
    f.visititems(lambda n, o: datasets.append(o) if isinstance(o, h5py.Dataset) else None)
    for d in datasets:
        d.attrs['by libhdf5'] = 1
        grows = [a for a in range(d.ndim) if d.maxshape[a] is None]
        old = d[()]
        for axis in grows:
            d.resize(d.shape[axis] + 37, axis)
        for axis in grows:
            d.resize(old.shape[axis], axis)
        assert np.array_equal(d[()], old)
        if d.ndim and old.size and old.dtype.kind in 'if':
            d[...] = old[::-1] if d.ndim == 1 else old
            d[...] = old
        del d.attrs['by libhdf5']
    for n in range(20):
        f.create_group('by libhdf5/%d' % n)
    del f['by libhdf5']
print('ok')
"#;

fn dump(python: &Path, path: &Path) -> String {
    support::run_python_with(python, DUMP, &[path.as_os_str()])
}

fn h5dump(path: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(support::h5dump()?);
    command.args(arguments).arg(path);
    Some(support::run(command))
}

/// Datasets of every layout and fill, with one, two and three axes that grow; many links and attributes.
fn write_all(file: &File) {
    let numbers = |count: i32| (0..count).collect::<Vec<i32>>();
    let line = file
        .new_dataset::<i32>()
        .shape(0..)
        .chunk(7)
        .create("chunked/line")
        .unwrap();
    line.append(&numbers(1000)).unwrap();
    let packed = file.new_dataset::<f64>().shape((0.., 3)).chunk((16, 3));
    let packed = packed
        .shuffle()
        .deflate(5)
        .fletcher32()
        .create("chunked/packed")
        .unwrap();
    packed
        .append(&ndarray::Array2::from_shape_fn((333, 3), |(row, axis)| {
            row as f64 + axis as f64 / 4.0
        }))
        .unwrap();
    let plane = file.new_dataset::<i16>().shape((0.., 0..)).chunk((5, 5));
    let plane = plane.fill_value(-3).create("chunked/plane").unwrap();
    plane.resize((61, 47)).unwrap();
    plane
        .write_slice(&ndarray::Array2::<i16>::ones((20, 11)), (3..23, 30..41))
        .unwrap();
    let cube = file
        .new_dataset::<f32>()
        .shape((4.., 5..=30, 6..))
        .chunk((2, 3, 4))
        .create("chunked/cube")
        .unwrap();
    cube.write(&ndarray::Array3::from_elem((4, 5, 6), 1.5_f32))
        .unwrap();
    let fixed = file.new_dataset::<u8>().chunk((10, 10));
    fixed
        .create_with("chunked/fixed", &ndarray::Array2::from_elem((95, 95), 9_u8))
        .unwrap();
    let one = file.new_dataset::<u8>().chunk(100).deflate(1);
    one.create_with("chunked/one chunk", &[1_u8; 100]).unwrap();
    let early = file
        .new_dataset::<i32>()
        .shape((9, 9))
        .chunk((4, 4))
        .fill_value(6);
    early
        .alloc_time(AllocTime::Early)
        .fill_time(FillTime::OnAllocation)
        .create("chunked/early")
        .unwrap();
    file.new_dataset::<i64>()
        .shape(0..)
        .create("chunked/empty")
        .unwrap();
    file.new_dataset::<i32>()
        .contiguous()
        .create_with("contiguous", &numbers(3000))
        .unwrap();
    file.new_dataset::<i32>()
        .compact()
        .create_with("compact", &numbers(30))
        .unwrap();
    file.new_dataset::<f32>()
        .create("scalar")
        .unwrap()
        .write_scalar(&2.5_f32)
        .unwrap();
    let texts = file
        .new_dataset::<String>()
        .shape(0..)
        .create("texts")
        .unwrap();
    texts
        .append(&["one".to_string(), "größer".to_string()])
        .unwrap();
    for number in 0..30 {
        file.create_group(&format!("groups/{number}")).unwrap();
        packed.set_attr(&format!("a{number:02}"), number).unwrap();
    }
    file.link_soft("/scalar", "soft").unwrap();
    file.link_external("other.h5", "/x", "groups/external")
        .unwrap();
    line.set_attr("names", ["x", "yy"]).unwrap();
}

fn edit_all(file: &File) {
    let line = file.dataset("chunked/line").unwrap();
    line.append(&[-1, -2, -3]).unwrap();
    line.write_slice(&[5, 6], 400..402).unwrap();
    let plane = file.dataset("chunked/plane").unwrap();
    plane.resize((30, 70)).unwrap();
    plane
        .write_slice(&ndarray::Array2::<i16>::zeros((30, 1)), (.., 69..70))
        .unwrap();
    let packed = file.dataset("chunked/packed").unwrap();
    packed
        .append(&ndarray::Array2::<f64>::ones((100, 3)))
        .unwrap();
    packed.resize((200, 3)).unwrap();
    let later = file
        .new_dataset::<i32>()
        .shape(0..)
        .chunk(3)
        .create("later")
        .unwrap();
    later.append(&[3, 2, 1, 0]).unwrap();
    file.relink("groups/3", "groups/three").unwrap();
}

/// Whether there are version 1 B-trees (in our files they are of chunks), how many headers of version 2 B-trees, and of
/// fixed and extensible arrays, which only 1.10 knows.
fn indexes(path: &Path) -> Option<String> {
    let script = r#"
import sys
data = open(sys.argv[1], 'rb').read()
print(data.count(b'TREE') > 0, data.count(b'BTHD') , data.count(b'FAHD') + data.count(b'EAHD'))
"#;
    support::run_python(script, &[path.as_os_str()])
}

struct Work {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn work(name: &str) -> Work {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    Work {
        _directory: directory,
        path,
    }
}

#[test]
fn a_file_for_18_is_read_and_edited_by_old_and_new_libraries() {
    let ours = work("v18.h5");
    let file = File::with_options()
        .libver(LibVer::V18)
        .create(&ours.path)
        .unwrap();
    write_all(&file);
    file.sync().unwrap();
    edit_all(&file);
    file.close().unwrap();
    let new = work("v110.h5");
    let file = File::create(&new.path).unwrap();
    write_all(&file);
    edit_all(&file);
    file.close().unwrap();
    h5dump(&ours.path, &[]);
    let Some(python) = support::python() else {
        return;
    };
    let expected = dump(&python, &new.path);
    assert!(expected.lines().count() > 60, "{expected}");
    assert_eq!(dump(&python, &ours.path), expected);
    let said = indexes(&ours.path).unwrap();
    assert!(
        said.starts_with("True") && said.trim().ends_with(" 0"),
        "{said}"
    );
    assert!(indexes(&new.path).unwrap().starts_with("False"));
    if let Some(old) = old_python("H5QUILL_PYTHON_18", "reading with HDF5 1.8") {
        assert_eq!(dump(&old, &ours.path), expected);
        let script = "import sys, h5py\nf = h5py.File(sys.argv[1], 'r')\nfor name in ('scalar', 'contiguous', 'chunked/line'):\n    try: f[name]; print(name)\n    except KeyError: pass\n";
        // It is not for nothing: libhdf5 1.8 knows no data layout message of version 4.
        let said = support::run_python_with(&old, script, &[new.path.as_os_str()]);
        assert_eq!(said.trim(), "");
        assert_eq!(
            support::run_python_with(&old, EDIT, &[ours.path.as_os_str()]).trim(),
            "ok"
        );
        assert_eq!(dump(&old, &ours.path), expected);
    }
    assert_eq!(
        support::run_python_with(&python, EDIT, &[ours.path.as_os_str()]).trim(),
        "ok"
    );
    assert_eq!(dump(&python, &ours.path), expected);
    // And once more by us, in a file that others have edited: what is new is for 1.8 still.
    let file = File::open_rw(&ours.path).unwrap();
    assert_eq!(file.libver().unwrap(), LibVer::V18);
    file.unlink("later").unwrap();
    edit_all_again(&file);
    file.close().unwrap();
    assert!(indexes(&ours.path).unwrap().trim().ends_with(" 0"));
    h5dump(&ours.path, &[]);
    if let Some(old) = old_python("H5QUILL_PYTHON_18", "reading with HDF5 1.8") {
        assert_eq!(dump(&old, &ours.path), dump(&python, &ours.path));
    }
}

fn edit_all_again(file: &File) {
    file.relink("groups/three", "groups/3").unwrap();
    edit_all(file);
}

/// pyfive shares no code with libhdf5.
#[test]
fn pyfive_reads_a_file_for_18() {
    let Some(python) = old_python("H5QUILL_PYFIVE", "reading with pyfive") else {
        return;
    };
    let ours = work("v18.h5");
    let file = File::with_options()
        .libver(LibVer::V18)
        .create(&ours.path)
        .unwrap();
    write_all(&file);
    edit_all(&file);
    file.unlink("groups/external").unwrap(); // it knows no such links
    let texts = ["one".to_string(), "größer".to_string()];
    let fixed = file.new_dataset::<String>().contiguous(); // nor strings that are compact, or in a chunk not full
    fixed.create_with("fixed texts", &texts).unwrap();
    let mut expected = Vec::new();
    for name in [
        "chunked/line",
        "chunked/packed",
        // Not the plane: pyfive reads no dataset that lacks chunks, of libhdf5 neither.
        "chunked/cube",
        "chunked/fixed",
        "chunked/early",
        "chunked/one chunk",
        "contiguous",
        "compact",
    ] {
        let bytes = file.dataset(name).unwrap().read_bytes(..).unwrap();
        expected.push(format!("{name} {}", crc32fast_of(&bytes)));
    }
    file.close().unwrap();
    let script = r#"
import sys, zlib, pyfive, numpy as np
f = pyfive.File(sys.argv[1])
for name in sys.argv[2:]:
    print(name, zlib.crc32(np.ascontiguousarray(f[name][()]).tobytes()))
assert f['chunked/packed'].attrs['a29'] == 29
assert len(list(f['groups'])) == 30
assert [x.decode() for x in f['fixed texts'][:]] == ['one', 'größer']
"#;
    let names: Vec<&str> = expected
        .iter()
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    let mut arguments = vec![ours.path.as_os_str()];
    arguments.extend(names.iter().map(OsStr::new));
    let said = support::run_python_with(&python, script, &arguments);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

/// The checksum of zlib, bit by bit.
fn crc32fast_of(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// What is made in a file takes the forms that those who could read the file before can read.
#[test]
fn a_file_that_is_opened_keeps_its_bound() {
    for (options, bound) in [
        ("libver='earliest'", LibVer::Earliest),
        ("libver='v108'", LibVer::V18),
        ("libver='v110'", LibVer::V110),
    ] {
        let theirs = work("theirs.h5");
        let script = format!(
            "import sys, h5py\nwith h5py.File(sys.argv[1], 'w', {options}) as f:\n    f.create_dataset('x', (4,), 'i4', maxshape=(None,), chunks=(2,))[...] = 1\n"
        );
        if support::run_python(&script, &[theirs.path.as_os_str()]).is_none() {
            return;
        }
        let file = File::open_rw(&theirs.path).unwrap();
        assert_eq!(file.libver().unwrap(), bound);
        write_all(&file);
        file.dataset("x").unwrap().append(&[2, 3, 4]).unwrap();
        file.close().unwrap();
        let said = indexes(&theirs.path).unwrap();
        let old = said.trim().ends_with(" 0");
        assert_eq!(old, bound < LibVer::V110, "{options}: {said}");
        let python = support::python().unwrap();
        let seen = dump(&python, &theirs.path);
        assert!(seen.contains("x (7,) [1, 1, 1, 1, 2, 3, 4]"), "{seen}");
        if bound < LibVer::V110
            && let Some(python) = old_python("H5QUILL_PYTHON_18", "reading with HDF5 1.8")
        {
            assert_eq!(dump(&python, &theirs.path), seen);
        }
        h5dump(&theirs.path, &[]);
    }
}

#[test]
fn the_bound_of_a_file_of_ours_outlives_other_writers_and_can_be_changed() {
    for bound in [LibVer::V18, LibVer::V110] {
        let ours = work("bound.h5");
        let options = File::with_options().libver(bound);
        options.create(&ours.path).unwrap().close().unwrap();
        assert_eq!(File::open(&ours.path).unwrap().libver().unwrap(), bound);
        let script = "import sys, h5py\nwith h5py.File(sys.argv[1], 'r+') as f:\n    f['x'] = range(10000)\n";
        if support::run_python(script, &[ours.path.as_os_str()]).is_none() {
            return;
        }
        assert_eq!(File::open(&ours.path).unwrap().libver().unwrap(), bound);
    }
    let file = File::create_memory().unwrap();
    let bytes = file.into_bytes().unwrap();
    let storage = h5quill::storage::MemoryStorage::from(bytes);
    let options = File::with_options().libver(LibVer::V18);
    let file = options.open_rw_on(storage).unwrap();
    file.new_dataset::<u8>().shape(0..).create("x").unwrap();
    let file = File::open_memory(file.into_bytes().unwrap()).unwrap();
    assert_eq!(file.libver().unwrap(), LibVer::V18);
}

#[test]
fn what_cannot_be_created_is_refused_and_no_file_is_touched() {
    let ours = work("precious.h5");
    std::fs::write(&ours.path, "precious").unwrap();
    let options = File::with_options().libver(LibVer::Earliest);
    let error = options.create(&ours.path).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    for size in [1, 256, 511, 513, 1000, 1536, u64::MAX, 1 << 33] {
        let error = File::with_options()
            .userblock(size)
            .create(&ours.path)
            .unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Invalid(_) | ErrorKind::Limit { .. }
            ),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&ours.path).unwrap(), b"precious");
}

#[test]
fn a_file_with_a_userblock_is_read_and_edited_by_us_and_by_libhdf5() {
    for (size, bound) in [
        (512, LibVer::V110),
        (4096, LibVer::V18),
        (1 << 20, LibVer::V110),
    ] {
        let ours = work("block.h5");
        let options = File::with_options().userblock(size).libver(bound);
        let file = options.create(&ours.path).unwrap();
        file.write_userblock(b"#!/bin/sh\necho mine\n").unwrap();
        write_all(&file);
        file.sync().unwrap();
        let whole: Vec<u8> = (0..size).map(|at| at as u8 | 1).collect();
        file.write_userblock(&whole).unwrap();
        file.write_userblock(b"start").unwrap();
        edit_all(&file);
        let mut expected = whole;
        expected[..5].copy_from_slice(b"start");
        assert_eq!(file.read_userblock().unwrap(), expected);
        file.close().unwrap();
        assert_eq!(
            std::fs::read(&ours.path).unwrap()[..size as usize],
            expected
        );
        let plain = work("plain.h5");
        let file = File::create(&plain.path).unwrap();
        write_all(&file);
        edit_all(&file);
        file.close().unwrap();
        h5dump(&ours.path, &[]);
        let Some(python) = support::python() else {
            return;
        };
        let script = "import sys, h5py\nprint(h5py.File(sys.argv[1]).userblock_size)\n";
        let said = support::run_python(script, &[ours.path.as_os_str()]).unwrap();
        assert_eq!(said.trim(), size.to_string());
        assert_eq!(dump(&python, &ours.path), dump(&python, &plain.path));
        assert_eq!(
            support::run_python_with(&python, EDIT, &[ours.path.as_os_str()]).trim(),
            "ok"
        );
        assert_eq!(dump(&python, &ours.path), dump(&python, &plain.path));
        let file = File::open_rw(&ours.path).unwrap();
        assert_eq!(file.userblock_size().unwrap(), size);
        assert_eq!(file.read_userblock().unwrap(), expected);
        file.unlink("later").unwrap();
        edit_all_again(&file);
        file.close().unwrap();
        h5dump(&ours.path, &[]);
        assert_eq!(
            std::fs::read(&ours.path).unwrap()[..size as usize],
            expected
        );
    }
}

#[test]
fn a_userblock_hides_no_file_and_is_not_overrun() {
    const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
    let ours = work("block.h5");
    let file = File::with_options()
        .userblock(2048)
        .create(&ours.path)
        .unwrap();
    file.flush().unwrap();
    let mut block = vec![0; 2048];
    for at in [0, 512, 1024] {
        block.fill(0);
        block[at..at + 8].copy_from_slice(SIGNATURE);
        let error = file.write_userblock(&block).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
    }
    // In two pieces it is no better; elsewhere it is allowed.
    block.fill(0);
    block[516..520].copy_from_slice(&SIGNATURE[4..]);
    file.write_userblock(&block).unwrap();
    assert!(
        file.write_userblock(&[&[0; 512], &SIGNATURE[..4]].concat())
            .is_err()
    );
    block.fill(0);
    block[1536..1544].copy_from_slice(SIGNATURE);
    file.write_userblock(&block).unwrap();
    let error = file.write_userblock(&[0; 2049]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit { .. }), "{error}");
    file.close().unwrap();
    let file = File::open(&ours.path).unwrap();
    assert_eq!(
        file.write_userblock(b"x").unwrap_err().kind(),
        &ErrorKind::ReadOnly
    );
    assert_eq!(file.read_userblock().unwrap(), block);
    let none = File::create_memory().unwrap();
    assert_eq!(
        (
            none.userblock_size().unwrap(),
            none.read_userblock().unwrap()
        ),
        (0, vec![])
    );
    assert!(none.write_userblock(b"x").is_err());
    none.write_userblock(b"").unwrap();
}

/// Types are in the forms of 1.8 as well.
#[test]
fn types_of_raw_datasets_are_for_18_too() {
    let Some(old) = old_python("H5QUILL_PYTHON_18", "reading with HDF5 1.8") else {
        return;
    };
    let ours = work("types.h5");
    let file = File::with_options()
        .libver(LibVer::V18)
        .create(&ours.path)
        .unwrap();
    let opaque = Datatype::Opaque {
        size: 3,
        tag: "rgb".into(),
    };
    file.new_dataset_of(opaque)
        .shape(2)
        .create("opaque")
        .unwrap();
    file.new_dataset::<bool>()
        .shape(0..)
        .create("flags")
        .unwrap()
        .append(&[true, false])
        .unwrap();
    file.new_dataset_of(u16::datatype().with_byte_order(h5quill::ByteOrder::BigEndian))
        .shape(2)
        .create("big")
        .unwrap();
    file.close().unwrap();
    let script = "import sys, h5py\nf = h5py.File(sys.argv[1], 'r')\nprint(f['opaque'].dtype, f['flags'][()].tolist(), f['big'].dtype)\n";
    let said = support::run_python_with(&old, script, &[ours.path.as_os_str()]);
    assert_eq!(said.trim(), "|V3 [True, False] >u2");
}
