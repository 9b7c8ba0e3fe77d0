//! Files whose offsets and lengths have two or four bytes: what is in them is read, and an edit leaves a file that
//! libhdf5 reads and edits.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

use h5quill::{Datatype, ErrorKind, File, H5Type};
use std::io::Read;
use std::path::Path;
use std::process::Command;

macro_rules! golden {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("golden/narrow_", $name, ".h5.z")).as_slice())),*]
    };
}

static FILES: [(&str, &[u8]); 12] = golden![
    "2_2_new", "2_2_old", "2_4_new", "2_4_old", "4_4_new", "4_4_old", "4_8_new", "4_8_old",
    "8_2_new", "8_2_old", "8_4_new", "8_4_old",
];

fn inflate(deflated: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(deflated)
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// The size of a length in the file of a name.
fn length(name: &str) -> u32 {
    name[2..3].parse().unwrap()
}

const DIGEST: &str = r#"
import sys, h5py, numpy as np
def walk(g, path):
    for name in sorted(g):
        link = g.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            print(path + name, '->', link.path); continue
        o = g[name]
        attributes = {k: np.asarray(o.attrs[k]).tolist() for k in sorted(o.attrs)}
        if isinstance(o, h5py.Group):
            print(path + name, attributes)
            walk(o, path + name + '/')
        elif isinstance(o, h5py.Datatype):
            print(path + name, h5py.h5o.get_info(o.id).rc, o.dtype)
        elif h5py.check_ref_dtype(o.dtype):
            print(path + name, g.file[o[()]].name)
        else:
            print(path + name, o.dtype, np.asarray(o[()]).tolist(), attributes)
with h5py.File(sys.argv[1], 'r') as f:
    print({k: f.attrs[k] for k in f.attrs})
    walk(f, '/')
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

#[test]
fn what_is_in_them_is_read() {
    for (name, golden) in FILES {
        let file = File::open_memory(inflate(golden)).unwrap();
        let read = |path: &str| file.dataset(path).unwrap();
        assert_eq!(
            file.attr("text").unwrap().read_scalar::<String>().unwrap(),
            "string"
        );
        assert_eq!(
            read("data/grow").read_raw::<i32>().unwrap(),
            [0, 1, 2, 3, 4, 5],
            "{name}"
        );
        assert_eq!(read("data/grow").maxshape(), [None, None]);
        assert_eq!(
            read("data/rows").read_raw::<i16>().unwrap(),
            [0, 1, 2, 3, 4]
        );
        let fixed: Vec<f64> = (0..15).map(f64::from).collect();
        assert_eq!(read("data/fixed").read_raw::<f64>().unwrap(), fixed);
        assert_eq!(
            read("soft").read_raw::<u16>().unwrap(),
            Vec::from_iter(0..100_u16)
        );
        assert_eq!(
            read("more/texts").read_raw::<String>().unwrap(),
            ["one", "two", ""]
        );
        let Datatype::Compound { size, members } = read("more/typed").dtype().unwrap() else {
            panic!("{name}: not a compound type");
        };
        let address: u32 = name[..1].parse().unwrap();
        assert_eq!(
            (size, members[1].datatype.size()),
            (16 + address, 8 + address)
        );
        assert_eq!(read("more/reference").dtype().unwrap().size(), address);
        let many = if length(name) == 2 { 6 } else { 20 };
        let attributes = file.group("g1").unwrap();
        assert_eq!(attributes.attr_names().unwrap().len(), many);
        assert_eq!(
            attributes.attr("a5").unwrap().read_scalar::<i64>().unwrap(),
            5
        );
        assert_eq!(file.group("g2").unwrap().len().unwrap(), many + 1);
    }
}

fn edit(file: &File) {
    let grow = file.dataset("data/grow").unwrap();
    grow.append(&ndarray::array![[6, 7], [8, 9]]).unwrap();
    grow.append_axis(1, &[0, 2, 4, 6, 8]).unwrap();
    file.dataset("data/rows")
        .unwrap()
        .append(&[5_i16, 6, 7])
        .unwrap();
    file.dataset("data/fixed")
        .unwrap()
        .write_slice(&[-1.0, -1.0, -1.0], 4)
        .unwrap();
    file.dataset("data/flat")
        .unwrap()
        .write_slice(&[7_u16], 99..)
        .unwrap();
    let texts = file.dataset("more/texts").unwrap();
    texts.write_slice(&["drei".to_string()], 2..).unwrap();
    file.set_attr("texts", ["a", "bb", "ccc"]).unwrap();
    file.set_attr("text", "other").unwrap();
    file.group("g1").unwrap().delete_attr("a3").unwrap();
    for number in 0..7 {
        file.group("g1")
            .unwrap()
            .set_attr(&format!("b{number}"), number)
            .unwrap();
        file.create_group(&format!("g2/new{number}")).unwrap();
    }
    file.flush().unwrap();
    file.unlink("g2/h2").unwrap();
    let strings = file
        .new_dataset::<String>()
        .shape(0..)
        .chunk(4)
        .shuffle()
        .deflate(1);
    let strings = strings.create("new/strings").unwrap();
    strings
        .append(&["x".to_string(), "yy".to_string()])
        .unwrap();
    assert_eq!(strings.read_raw::<String>().unwrap(), ["x", "yy"]);
    let pairs = file
        .new_dataset::<[String; 2]>()
        .shape(1)
        .create("new/pairs")
        .unwrap();
    pairs
        .write(&ndarray::arr1(&[["p".to_string(), "q".to_string()]]))
        .unwrap();
    let contiguous = file
        .new_dataset::<f32>()
        .shape(300)
        .create("new/contiguous")
        .unwrap();
    contiguous.write_slice(&[1.5_f32], ..1).unwrap();
    file.new_dataset::<u8>()
        .shape(7)
        .chunk(3)
        .create("new/chunks")
        .unwrap()
        .write_slice(&[9_u8], 6..)
        .unwrap();
    file.new_dataset::<i64>()
        .create("new/compact")
        .unwrap()
        .write_scalar(&-1_i64)
        .unwrap();
    let named = file
        .commit_datatype("new/name", &String::datatype())
        .unwrap();
    file.new_dataset::<String>()
        .named_datatype(&named)
        .create("new/named")
        .unwrap();
    file.new_attr::<String>()
        .named_datatype(&named)
        .create("named")
        .unwrap();
    file.link_hard("data/rows", "new/rows").unwrap();
    file.link_soft("/data/rows", "new/soft").unwrap();
}

/// What the edit changes in the lines of the digest.
fn check_edited(name: &str, lines: &[String]) {
    for line in [
        "/data/grow int32 [[0, 1, 0], [2, 3, 2], [4, 5, 4], [6, 7, 6], [8, 9, 8]] {}",
        "/data/rows int16 [0, 1, 2, 3, 4, 5, 6, 7] {}",
        "/new/rows int16 [0, 1, 2, 3, 4, 5, 6, 7] {}",
        "/more/texts object [b'one', b'two', b'drei'] {}",
        "/more/typed [('x', '<f8'), ('name', 'O')] [(1.5, b'a'), (2.5, b'bc')] {}",
        "/more/type 2 [('x', '<f8'), ('name', 'O')]",
        "/more/reference /data/flat",
        "/new/strings object [b'x', b'yy'] {}",
        "/new/pairs ('O', (2,)) [[b'p', b'q']] {}",
        "/new/chunks uint8 [0, 0, 0, 0, 0, 0, 9] {}",
        "/new/compact int64 -1 {}",
        "/new/name 3 object",
        "/new/named object b'' {}",
        "/new/soft -> /data/rows",
        "/soft -> /data/flat",
    ] {
        assert!(
            lines.iter().any(|found| found == line),
            "{name}: {line}\n{lines:#?}"
        );
    }
    let attributes = lines.iter().find(|line| line.starts_with("/g1 ")).unwrap();
    assert!(
        attributes.contains("'b6': 6") && !attributes.contains("'a3'"),
        "{attributes}"
    );
    let groups = lines.iter().filter(|line| line.starts_with("/g2/")).count();
    assert_eq!(groups, if length(name) == 2 { 13 } else { 27 });
}

#[test]
fn they_are_edited_by_turns_with_libhdf5() {
    for (name, golden) in FILES {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("narrow.h5");
        std::fs::write(&path, inflate(golden)).unwrap();
        let file = File::open_rw(&path).unwrap();
        edit(&file);
        file.close().unwrap();
        check_h5dump(&path);
        let Some(lines) = digest(&path) else { return };
        check_edited(name, &lines);
        let script = r#"
import sys, h5py
with h5py.File(sys.argv[1], 'r+') as f:
    f['data/grow'].resize((6, 4)); f['data/grow'][5] = [1, 1, 1, 1]
    f['new/strings'].resize((3,)); f['new/strings'][2] = 'zzz'
    # With lengths of two bytes libhdf5 would make dense storage here, which it cannot read.
    if sys.argv[2] != '2':
        f['g2/theirs'] = ['a', 'b']
        f['g1'].attrs['b2'] = 'theirs'
    f['new/chunks'][0] = 1
    del f['g2/new3'], f['new/named'], f['g1'].attrs['b1']
    f.attrs['named'] = 1
"#;
        let length = length(name).to_string();
        support::run_python(script, &[path.as_os_str(), length.as_ref()]);
        let file = File::open_rw(&path).unwrap();
        let grow = file.dataset("data/grow").unwrap();
        assert_eq!(grow.shape(), [6, 4]);
        grow.write_slice(&[2, 2, 2, 2], 5).unwrap();
        let strings = file.dataset("new/strings").unwrap();
        assert_eq!(strings.read_raw::<String>().unwrap(), ["x", "yy", "zzz"]);
        strings.append(&["four".to_string()]).unwrap();
        assert_eq!(file.attr("named").unwrap().read_scalar::<i64>().unwrap(), 1);
        file.unlink("g2").unwrap();
        file.unlink("new/strings").unwrap();
        file.close().unwrap();
        check_h5dump(&path);
        let lines = digest(&path).unwrap();
        assert!(
            lines.iter().any(|line| line == "/new/name 1 object"),
            "{name} {lines:#?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.ends_with("[8, 9, 8, 0], [2, 2, 2, 2]] {}"))
        );
    }
}

#[test]
fn what_an_address_cannot_reach_is_refused_and_the_file_stays_usable() {
    for (name, golden) in FILES.into_iter().filter(|(name, _)| name.starts_with('2')) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("narrow.h5");
        std::fs::write(&path, inflate(golden)).unwrap();
        let file = File::open_rw(&path).unwrap();
        // libhdf5 cannot open the one it made itself: the index tells of an unlimited axis, two bytes of ones do not.
        let rows = file.dataset("data/rows").unwrap();
        rows.append(&[5_i16]).unwrap();
        let data = file
            .new_dataset::<u8>()
            .shape(0..)
            .chunk(512)
            .create("bytes")
            .unwrap();
        file.flush().unwrap();
        let mut appended = 0;
        let error = loop {
            match data.append(&[7_u8; 512]) {
                Ok(()) => appended += 512,
                Err(error) => break error,
            }
            assert!(appended < 65_536, "{name}");
            if appended % 4096 == 0 {
                file.flush().unwrap();
            }
        };
        assert!(
            matches!(error.kind(), ErrorKind::Limit { .. }),
            "{name}: {error}"
        );
        assert!(appended > 16_384, "{name}: {appended}");
        // The handle is not poisoned: nothing had been changed.
        assert_eq!(data.shape(), [appended]);
        assert_eq!(data.read_raw::<u8>().unwrap(), vec![7; appended]);
        file.unlink("bytes").unwrap();
        file.flush().unwrap();
        file.new_dataset::<u8>().shape(3).create("again").unwrap();
        file.close().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 65_536);
        check_h5dump(&path);
        digest(&path);
    }
}

#[test]
fn what_a_length_cannot_say_is_refused() {
    for (name, golden) in FILES.into_iter().filter(|(name, _)| length(name) == 2) {
        let bytes = inflate(golden);
        let file = File::open_memory(bytes).unwrap();
        let limit = |result: h5quill::Result<()>| {
            let error = result.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Limit { .. }),
                "{name}: {error}"
            );
        };
        limit(file.dataset("data/rows").unwrap().resize(70_000));
        let builder = file.new_dataset::<u8>();
        limit(
            builder
                .clone()
                .shape(70_000)
                .chunk(512)
                .create("long")
                .map(|_| ()),
        );
        limit(builder.clone().shape(0..=70_000).create("long").map(|_| ()));
        limit(
            builder
                .shape((300, 300))
                .contiguous()
                .create("long")
                .map(|_| ()),
        );
        limit(file.set_attr("long", vec![0_u8; 65_000]));
        limit(file.set_attr("long", "x".repeat(66_000).as_str()));
        file.set_attr("short", "x").unwrap();
        file.into_bytes().unwrap();
    }
}
