//! Messages that are kept elsewhere than in the header that uses them: committed datatypes and the shared message
//! table.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::{CompoundMember, Datatype, ErrorKind, File, H5Type};
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::Command;

static COMMITTED: [(&str, &[u8]); 2] = [
    ("new", include_bytes!("golden/committed_new.h5.z")),
    ("old", include_bytes!("golden/committed_old.h5.z")),
];

static SHARED: [(&str, &[u8]); 2] = [
    ("list", include_bytes!("golden/shared_list.h5.z")),
    ("trees", include_bytes!("golden/shared_trees.h5.z")),
];

fn inflate(deflated: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(deflated)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

fn f64_at(name: &str, offset: u32) -> CompoundMember {
    CompoundMember {
        name: name.into(),
        offset,
        datatype: f64::datatype(),
    }
}

fn point() -> Datatype {
    Datatype::Compound {
        size: 16,
        members: vec![f64_at("x", 0), f64_at("y", 8)],
    }
}

/// Every object with its count of links, which committed datatype it is of, its attributes and values.
const DIGEST: &str = r#"
import sys, h5py, numpy as np
def typed(t):
    return ' of %d' % h5py.h5o.get_info(t).addr if t.committed() else ''
def text(value):
    return np.asarray(value).tolist()
def attributes(o):
    for k in sorted(o.attrs):
        a = h5py.h5a.open(o.id, k.encode())
        print('  @' + k + typed(a.get_type()).replace(' of', ' committed')[:10], text(o.attrs[k]))
def walk(g, path):
    for name in sorted(g):
        o = g[name]
        rc = h5py.h5o.get_info(o.id).rc
        if isinstance(o, h5py.Group):
            print(path + name, 'group', rc)
            attributes(o)
            walk(o, path + name + '/')
        elif isinstance(o, h5py.Datatype):
            print(path + name, 'type', rc, o.dtype)
            attributes(o)
        else:
            print(path + name, rc, bool(o.id.get_type().committed()), o.dtype, text(o[()]))
            attributes(o)
with h5py.File(sys.argv[1], 'r') as f:
    walk(f, '/')
"#;

fn digest(path: &Path) -> Option<String> {
    support::run_python(DIGEST, &[path.as_os_str()])
}

fn check_h5dump(path: &Path) -> String {
    let Some(h5dump) = support::h5dump() else {
        return String::new();
    };
    let output = Command::new(h5dump).arg(path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The counts of links that h5py sees of committed datatypes.
fn counts(path: &Path, names: &[&str]) -> Option<Vec<u32>> {
    let script = "import sys, h5py\nwith h5py.File(sys.argv[1]) as f:\n    \
                  for name in sys.argv[2:]: print(h5py.h5o.get_info(f[name].id).rc)\n";
    let mut arguments: Vec<&OsStr> = vec![path.as_os_str()];
    arguments.extend(names.iter().map(OsStr::new));
    let text = support::run_python(script, &arguments)?;
    Some(text.lines().map(|line| line.parse().unwrap()).collect())
}

#[test]
fn what_is_of_a_committed_datatype_is_read() {
    for (name, golden) in COMMITTED {
        let file = File::open_memory(inflate(golden)).unwrap();
        let types = file.group("types").unwrap().named_datatypes().unwrap();
        let mut names: Vec<String> = types.iter().map(|named| named.name()).collect();
        names.sort();
        assert_eq!(names, ["/types/alone", "/types/point", "/types/text"]);
        let named = file.named_datatype("types/point").unwrap();
        assert_eq!(named.dtype().unwrap(), point(), "{name}");
        assert_eq!(
            named.attr("unit").unwrap().read_scalar::<String>().unwrap(),
            "m"
        );
        let points = file.dataset("points").unwrap();
        assert_eq!(points.dtype().unwrap(), point());
        let read: Vec<f64> = points
            .read_bytes(..)
            .unwrap()
            .chunks_exact(8)
            .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        assert_eq!(read, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let itself = named.attr("itself").unwrap();
        assert_eq!(itself.dtype().unwrap(), point());
        let group = file.group("types").unwrap();
        assert_eq!(group.attr("p11").unwrap().shape(), [12]);
        let texts = file.dataset("texts").unwrap();
        assert_eq!(texts.read_raw::<String>().unwrap(), ["one", "two"]);
        let text = texts.attr("text").unwrap();
        assert_eq!(text.read_scalar::<String>().unwrap(), "three");
        assert!(file.dataset("types/point").is_err());
        assert!(file.named_datatype("points").is_err());
    }
}

/// Edits a golden file: new users of the type, users gone, values overwritten, everything else as it was.
fn edit_committed(file: &File) {
    let named = file.named_datatype("types/point").unwrap();
    // 1 link, the dataset, its attribute, the type's own, 12 of the group.
    let data = file
        .new_dataset_of_named(&named)
        .unwrap()
        .shape((0.., 2))
        .create("more/points")
        .unwrap();
    data.resize((1, 2)).unwrap();
    let bytes: Vec<u8> = [1.0_f64, 2.0, 3.0, 4.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    data.write_bytes(&bytes, ..).unwrap();
    let text = file.named_datatype("types/text").unwrap();
    let builder = data.new_attr::<String>().named_datatype(&text);
    builder
        .create("text")
        .unwrap()
        .write_scalar(&"neu".to_string())
        .unwrap();
    file.dataset("texts")
        .unwrap()
        .attr("text")
        .unwrap()
        .write_scalar(&"four".to_string())
        .unwrap();
    for gone in ["p03", "p04", "p05"] {
        file.group("types").unwrap().delete_attr(gone).unwrap();
    }
    file.group("types").unwrap().set_attr("p06", 6).unwrap();
    file.dataset("points").unwrap().resize(5).unwrap();
    file.unlink("types/alone").unwrap();
}

#[test]
fn an_edit_keeps_committed_datatypes_and_their_counts() {
    for (name, golden) in COMMITTED {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("committed.h5");
        std::fs::write(&path, inflate(golden)).unwrap();
        if let Some(counted) = counts(&path, &["types/point", "types/text"]) {
            assert_eq!(counted, [16, 3]);
        }
        let file = File::open_rw(&path).unwrap();
        edit_committed(&file);
        file.close().unwrap();
        if let Some(counted) = counts(&path, &["types/point", "types/text"]) {
            assert_eq!(counted, [13, 4], "{name}");
        }
        let shown = check_h5dump(&path);
        if !shown.is_empty() {
            assert!(
                shown.matches("DATATYPE  \"/types/point\"").count() >= 11,
                "{shown}"
            );
        }
        let Some(text) = digest(&path) else { return };
        assert!(!text.contains("alone"));
        for line in [
            "/more/points 1 True [('x', '<f8'), ('y', '<f8')] [[(1.0, 2.0), (3.0, 4.0)]]",
            "  @text committed neu",
            "  @text committed four",
            "  @p06 6",
            "/points 1 True [('x', '<f8'), ('y', '<f8')] [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (0.0, 0.0), (0.0, 0.0)]",
            "  @itself committed (9.0, 0.0)",
        ] {
            assert!(text.contains(line), "{name}: {line}\n{text}");
        }
        // libhdf5 takes all away again.
        let script = "import sys, h5py\nwith h5py.File(sys.argv[1], 'r+') as f:\n    \
                      del f['more']; del f['texts']; del f['points']\n    \
                      for name in list(f['types'].attrs): del f['types'].attrs[name]\n    \
                      del f['types/point'].attrs['itself']\n    \
                      f.create_dataset('last', (2,), f['types/point'])\n";
        support::run_python(script, &[path.as_os_str()]);
        if let Some(counted) = counts(&path, &["types/point", "types/text"]) {
            assert_eq!(counted, [2, 1], "{name}");
        }
        let file = File::open_rw(&path).unwrap();
        file.unlink("types").unwrap();
        let last = file.dataset("last").unwrap();
        assert_eq!(last.dtype().unwrap(), point());
        file.flush().unwrap();
        assert_eq!(
            last.named_datatype().unwrap().unwrap().dtype().unwrap(),
            point()
        );
        file.close().unwrap();
        check_h5dump(&path);
    }
}

#[test]
fn a_committed_datatype_is_made_used_and_deleted_with_its_last_user() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made.h5");
    let file = File::create(&path).unwrap();
    let named = file.commit_datatype("types/point", &point()).unwrap();
    named.set_attr("unit", "m").unwrap();
    let exists = file.commit_datatype("types/point", &point()).unwrap_err();
    assert_eq!(exists.kind(), &ErrorKind::Exists);
    for number in 0..6 {
        let builder = file.new_dataset_of_named(&named).unwrap();
        builder.shape(0..).create(&format!("d{number}")).unwrap();
    }
    let value = file
        .commit_datatype("types/value", &f64::datatype())
        .unwrap();
    let builder = file
        .new_dataset::<f64>()
        .named_datatype(&value)
        .fill_value(2.5);
    let data = builder.shape((0.., 2)).create("values").unwrap();
    data.append(&[1.0, 2.0]).unwrap();
    for number in 0..10 {
        let builder = data.new_attr::<f64>().named_datatype(&value).shape(2);
        builder
            .create(&format!("a{number}"))
            .unwrap()
            .write(&[f64::from(number), 0.5])
            .unwrap();
    }
    value
        .new_attr::<f64>()
        .named_datatype(&value)
        .create("largest")
        .unwrap();
    file.flush().unwrap();
    data.append(&[3.0, 4.0]).unwrap();
    data.delete_attr("a0").unwrap();
    data.set_attr("a1", "of no such type").unwrap();
    file.close().unwrap();

    if let Some(counted) = counts(&path, &["types/point", "types/value"]) {
        assert_eq!(counted, [7, 11]);
    }
    let shown = check_h5dump(&path);
    if !shown.is_empty() {
        assert!(shown.contains("DATATYPE \"point\" H5T_COMPOUND"), "{shown}");
        assert_eq!(
            shown.matches("DATATYPE  \"/types/value\"").count(),
            10,
            "{shown}"
        );
    }
    let before = std::fs::metadata(&path).unwrap().len();

    let file = File::open_rw(&path).unwrap();
    file.unlink("types").unwrap();
    let data = file.dataset("values").unwrap();
    assert_eq!(data.read_raw::<f64>().unwrap(), [1.0, 2.0, 3.0, 4.0]);
    let named = file
        .dataset("d3")
        .unwrap()
        .named_datatype()
        .unwrap()
        .unwrap();
    assert_eq!(
        named.attr("unit").unwrap().read_scalar::<String>().unwrap(),
        "m"
    );
    for number in 0..6 {
        assert!(named.dtype().is_ok());
        file.unlink(&format!("d{number}")).unwrap();
    }
    assert_eq!(named.dtype().unwrap_err().kind(), &ErrorKind::NotFound);
    file.close().unwrap();
    check_h5dump(&path);
    let after = std::fs::metadata(&path).unwrap().len();
    assert!(after <= before + 4096, "{before} {after}");
    if let Some(text) = digest(&path) {
        assert!(
            text.contains("/values 1 True float64 [[1.0, 2.0], [3.0, 4.0]]"),
            "{text}"
        );
        assert!(text.contains("  @a9 committed [9.0, 0.5]"), "{text}");
        assert!(text.contains("  @a1 of no such type"), "{text}");
    }
}

#[test]
fn a_committed_datatype_that_does_not_fit_is_refused() {
    let file = File::create_memory().unwrap();
    let other = File::create_memory().unwrap();
    let named = file.commit_datatype("value", &f64::datatype()).unwrap();
    let foreign = other.commit_datatype("value", &f64::datatype()).unwrap();
    let create = |builder: h5quill::DatasetBuilder<f64>| builder.create("x").unwrap_err();
    let error = create(file.new_dataset::<f64>().named_datatype(&foreign));
    assert!(error.to_string().contains("in another file"), "{error}");
    let error = file
        .new_dataset::<f32>()
        .named_datatype(&named)
        .create("x")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
        "{error}"
    );
    let builder = file.new_dataset::<f64>().named_datatype(&named);
    let error = create(builder.byte_order(h5quill::ByteOrder::BigEndian));
    assert!(error.to_string().contains("byte order"), "{error}");
    let error = file
        .new_attr::<f32>()
        .named_datatype(&named)
        .create("x")
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::TypeMismatch { .. }),
        "{error}"
    );
    file.unlink("value").unwrap();
    assert_eq!(
        file.new_dataset_of_named(&named).unwrap_err().kind(),
        &ErrorKind::NotFound
    );
    assert!(file.is_empty().unwrap());
}

#[test]
fn what_is_in_the_shared_message_table_is_read() {
    for (name, golden) in SHARED {
        let file = File::open_memory(inflate(golden)).unwrap();
        for number in 0..3 {
            let data = file.dataset(&format!("d{number}")).unwrap();
            assert_eq!(data.maxshape(), [None, Some(3)], "{name}");
            let expected: Vec<i32> = (number..12 + number).collect();
            assert_eq!(data.read_raw::<i32>().unwrap(), expected);
            assert_eq!(data.filters().unwrap()[0].id, 1);
            let unit = data.attr("unit").unwrap().read_scalar::<String>().unwrap();
            assert_eq!(unit, "volts");
            assert_eq!(
                data.attr("numbers")
                    .unwrap()
                    .read_raw::<i64>()
                    .unwrap()
                    .len(),
                20
            );
        }
        let dense = file.group("dense").unwrap();
        for number in 0..20 {
            let attribute = dense.attr(&format!("a{number}")).unwrap();
            let expected: Vec<i64> = (0..i64::from(number % 4 * 5 + 1)).collect();
            assert_eq!(attribute.read_raw::<i64>().unwrap(), expected);
        }
        assert_eq!(file.dataset("committed").unwrap().dtype().unwrap(), point());
        let unique = file.dataset("unique").unwrap();
        assert_eq!(unique.read_raw::<f64>().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }
}

/// Makes objects whose messages are like those of objects that are there, or were.
const THEIRS: &str = r#"
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], 'r+') as f:
    for n in sys.argv[2:]:
        f.create_dataset('unique' + n, data=np.arange(5.0))
        f.create_dataset('late' + n, (6,), '<u2', maxshape=(None,), chunks=(4,))[...] = int(n)
        f.create_dataset('many/' + n, (int(n),), '<u1')
        f['late' + n].attrs['unit'] = 'volts'
"#;

fn change_shared(file: &File, name: &str) {
    let data = file.dataset("d0").unwrap();
    data.append(&[1, 2, 3]).unwrap();
    data.delete_attr("numbers").unwrap();
    data.set_attr("unit", "amperes").unwrap();
    data.set_attr("more", 1).unwrap();
    let dense = file.group("dense").unwrap();
    dense.delete_attr("a3").unwrap();
    dense.set_attr("a4", "new").unwrap();
    file.unlink("unique").unwrap();
    // Where the extent stands in the header, known to the table.
    file.dataset("late7").unwrap().append(&[8_u16]).unwrap();
    file.unlink("late9").unwrap();
    if name == "trees" {
        for number in 10..30 {
            file.unlink(&format!("many/{number}")).unwrap();
        }
        file.flush().unwrap();
        file.unlink("many/30").unwrap();
    }
    // The space of what is gone is used again.
    file.flush().unwrap();
    for number in 0..100 {
        let builder = file.new_dataset::<u8>();
        let filled = vec![0xaa_u8; 200];
        builder
            .create_with(&format!("fill/{number}"), &filled)
            .unwrap();
    }
}

#[test]
fn files_with_a_shared_message_table_are_edited_by_turns_with_libhdf5() {
    for (name, golden) in SHARED {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shared.h5");
        std::fs::write(&path, inflate(golden)).unwrap();
        let theirs = |numbers: &[&str]| {
            let mut arguments = vec![path.as_os_str()];
            arguments.extend(numbers.iter().map(OsStr::new));
            support::run_python(THEIRS, &arguments)
        };
        if theirs(&["7", "9"]).is_none() {
            return;
        }
        let file = File::open_rw(&path).unwrap();
        change_shared(&file, name);
        file.close().unwrap();
        check_h5dump(&path);
        let before = digest(&path).unwrap();
        for line in [
            "/d0 1 False int32 [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11], [1, 2, 3]]",
            "/d1 1 False int32 [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]",
            "  @unit amperes",
            "  @unit volts",
            "/late7 1 False uint16 [7, 7, 7, 7, 7, 7, 8]",
            "  @origin committed (0.0, 0.0)",
        ] {
            assert!(before.contains(line), "{name}: {line}\n{before}");
        }
        let attributes = |text: &str, group: &str| {
            let rest = text.split(&format!("/{group} group 1\n")).nth(1).unwrap();
            let lines = rest.lines().take_while(|line| line.starts_with("  @"));
            lines.map(str::to_string).collect::<Vec<_>>()
        };
        assert_eq!(attributes(&before, "dense").len(), 19);
        assert_eq!(attributes(&before, "dense again").len(), 20);

        // Messages as those that went or changed are made again, next to ones that are still there.
        theirs(&["11", "12"]).unwrap();
        let script = "import sys, h5py\nwith h5py.File(sys.argv[1], 'r+') as f:\n    \
                      f['late7'].resize((9,)); del f['d0'], f['d1'], f['dense'], f['late11']\n";
        support::run_python(script, &[path.as_os_str()]);
        check_h5dump(&path);
        let after = digest(&path).unwrap();
        for line in [
            "/d2 1 False int32 [[2, 3, 4], [5, 6, 7], [8, 9, 10], [11, 12, 13]]",
            "/late7 1 False uint16 [7, 7, 7, 7, 7, 7, 8, 0, 0]",
            "/late12 1 False uint16 [12, 12, 12, 12, 12, 12]",
            "/unique12 1 False float64 [0.0, 1.0, 2.0, 3.0, 4.0]",
        ] {
            assert!(after.contains(line), "{name}: {line}\n{after}");
        }
        assert_eq!(
            attributes(&after, "dense again"),
            attributes(&before, "dense again")
        );
        let file = File::open_rw(&path).unwrap();
        file.dataset("late12").unwrap().resize(2).unwrap();
        file.unlink("unique11").unwrap();
        file.close().unwrap();
        check_h5dump(&path);
        theirs(&["13"]).unwrap();
        check_h5dump(&path);
    }
}
