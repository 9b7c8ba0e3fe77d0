//! Names, paths, comments, orders and array views, as h5py and numpy have them.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::{CharacterSet, Dataset, ErrorKind, File, FixedAscii, Group, H5Type, VarLenAscii};
use ndarray::{Array3, ArrayView3, Axis, Ix3, ShapeBuilder, s};
use std::ffi::OsStr;

const NAMES: [&str; 10] = ["b", "a", "Z", "é", "10", "9", "_", "..", "a b", "ß"];

fn python(arguments: &[&OsStr]) -> Option<String> {
    let script = format!("{}/tests/interop/ergonomics.py", env!("CARGO_MANIFEST_DIR"));
    support::run_python(&script, arguments)
}

#[test]
fn paths_lead_where_h5py_goes() {
    let given = [
        "a/./b",
        "a//b",
        "./c",
        "c/",
        "c/.",
        ".",
        "..",
        "../x",
        "a/..",
        "a/../b",
        "a/./",
        "././q",
        "....",
        "/in/./z",
        "a/b/.//c//d",
        "/",
        "//",
        "/.",
        "",
    ];
    let mut lines = String::new();
    for path in given {
        let file = File::create_memory().unwrap();
        match file.create_group("in").unwrap().create_group(path) {
            Err(error) => {
                let kind = error.kind();
                assert!(
                    matches!(kind, ErrorKind::Exists | ErrorKind::Invalid(_)),
                    "{error}"
                );
                assert_eq!(
                    visited(&file),
                    ["in"],
                    "{path:?} is refused before anything is made"
                );
                lines.push_str(&format!("{path}: refused\n"));
            }
            Ok(group) => {
                let inside = file.group("in").unwrap();
                let found = given.iter().filter(|other| inside.exists(other).unwrap());
                let found: Vec<&&str> = found.collect();
                let listed = format!("{:?} {found:?}", visited(&file)).replace('"', "'");
                lines.push_str(&format!("{path}: {} {listed}\n", group.name()));
                assert_eq!(inside.group(path).unwrap().name(), group.name());
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made.h5");
    let mut arguments = vec!["paths".as_ref(), made.as_os_str()];
    arguments.extend(given.iter().map(OsStr::new));
    if let Some(theirs) = python(&arguments) {
        assert_eq!(lines, theirs);
    }
}

#[test]
fn links_are_made_moved_and_taken_out_by_paths_with_dots() {
    let file = File::create_memory().unwrap();
    file.create_group("a/../b").unwrap();
    file.link_soft("/x", "a/./soft").unwrap();
    file.link_hard("./a//..", "a/hard/").unwrap();
    file.relink("a/./soft", ".//a/moved").unwrap();
    let a = file.group("a").unwrap();
    assert_eq!(a.member_names().unwrap(), ["..", "hard", "moved"]);
    assert_eq!(a.group("../b/./").unwrap().name(), "/a/../b");
    assert!(file.link("a/./moved").unwrap().is_some());
    file.unlink("a/.//moved").unwrap();
    for path in [".", "a/.", "/", "", "a/./"] {
        assert!(file.unlink(path).is_err(), "{path:?}");
    }
    assert!(file.group("").is_err() && !file.exists("").unwrap());
    assert_eq!(a.member_names().unwrap(), ["..", "hard"]);
    file.flush().unwrap();
    assert!(file.verify().unwrap().is_sound());
}

fn visited(group: &Group) -> Vec<String> {
    let mut names = Vec::new();
    group
        .visit(|path, _| {
            names.push(path.to_string());
            Ok(())
        })
        .unwrap();
    names
}

/// What `ergonomics.py` makes, too.
fn make(file: &File) -> h5quill::Result<()> {
    for tracked in [false, true] {
        let group = file
            .new_group()
            .track_order(tracked)
            .create(&format!("names_{tracked}"))?;
        for name in NAMES {
            group.create_group(name)?;
            group.set_attr(name, 1_i64)?;
        }
    }
    let data = file.new_dataset::<i64>().create("tree/z/data")?;
    data.write_scalar(&1_i64)?;
    file.create_group("tree/a/b")?;
    file.link_hard("tree", "tree/a/loop")?;
    file.link_hard("tree/z/data", "tree/a/again")?;
    file.link_soft("/tree/z", "tree/soft")?;
    file.set_comment("of the root")?;
    file.group("tree")?.set_comment("naïve")?;
    data.set_comment("of data")
}

/// In the words of `ergonomics.py`.
fn facts(file: &File) -> h5quill::Result<String> {
    let mut lines = Vec::new();
    for name in ["names_false", "names_true"] {
        let group = file.group(name)?;
        let (members, attributes) = (group.member_names()?, group.attr_names()?);
        lines.push(format!("{name}: {members:?} {attributes:?}"));
    }
    lines.push(format!("visited: {:?}", visited(&file.group("tree")?)));
    for name in ["names_true", "names_false"] {
        let group = file.group(name)?;
        let code = |name: &str| -> h5quill::Result<u8> {
            let link = group.link(name)?.unwrap();
            Ok(match link.charset() {
                CharacterSet::Ascii => 0,
                _ => 1,
            })
        };
        let links = NAMES
            .into_iter()
            .map(code)
            .collect::<h5quill::Result<Vec<u8>>>()?;
        // Those of attributes are looked at by h5py only.
        let attributes: Vec<u8> = NAMES
            .iter()
            .map(|name| u8::from(!name.is_ascii()))
            .collect();
        lines.push(format!("charsets: {links:?}"));
        lines.push(format!("charsets of attributes: {attributes:?}"));
    }
    let mut comments = Vec::new();
    for name in ["/", "tree", "tree/a", "tree/z/data"] {
        let object = file.open_object(name)?;
        comments.push(object.location().comment()?.unwrap_or_default());
    }
    lines.push(format!("comments: {comments:?}"));
    Ok(lines.join("\n").replace('"', "'"))
}

#[test]
fn names_orders_and_comments_are_those_of_h5py() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, made) = (folder.path().join("ours.h5"), folder.path().join("made.h5"));
    let file = File::create(&ours).unwrap();
    make(&file).unwrap();
    let own = facts(&file).unwrap();
    file.close().unwrap();
    let arguments = ["facts".as_ref(), ours.as_os_str(), made.as_os_str()];
    let Some(theirs) = python(&arguments) else {
        return;
    };
    assert_eq!(own, theirs.trim_end());
    let file = File::append(&made).unwrap();
    assert_eq!(facts(&file).unwrap(), own);
    // What h5py wrote is changed and taken out.
    file.set_comment("other").unwrap();
    file.group("tree").unwrap().clear_comment().unwrap();
    file.close().unwrap();
    let script = "import sys, h5py\nroot = h5py.h5g.open(h5py.File(sys.argv[1]).id, b'/')\nprint(root.get_comment(b'.'), root.get_comment(b'tree') or None)";
    let said = support::run_python(script, &[made.as_os_str()]).unwrap();
    assert_eq!(said.trim_end(), "b'other' None");
}

/// A view of any order and stride, by name; the base holds 0 to 59.
fn view<'a, T>(
    base: &'a Array3<T>,
    fortran: &'a Array3<T>,
    repeated: &ArrayView3<'a, T>,
    name: &str,
) -> ArrayView3<'a, T> {
    match name {
        "standard" => base.view(),
        "fortran" => fortran.view(),
        "reversed_axes" => base.view().reversed_axes(),
        "inverted" => base.slice(s![..;-1, .., ..;-1]),
        "stepped" => base.slice(s![.., 1..;2, ..;3]),
        "permuted" => base.view().permuted_axes([1, 2, 0]),
        "broadcast" => *repeated,
        _ => unreachable!(),
    }
}

const VIEWS: [&str; 7] = [
    "standard",
    "fortran",
    "reversed_axes",
    "inverted",
    "stepped",
    "permuted",
    "broadcast",
];

fn check_views<T: H5Type + PartialEq + std::fmt::Debug>(
    file: &File,
    kind: &str,
    of: impl Fn(usize) -> T,
) -> usize {
    let base = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| of(i * 20 + j * 5 + k));
    let fortran = Array3::from_shape_fn((3, 4, 5).f(), |(i, j, k)| of(i * 20 + j * 5 + k));
    assert!(!fortran.is_standard_layout());
    let plane = base.index_axis(Axis(0), 0);
    let repeated = plane.broadcast((2, 4, 5)).unwrap();
    let mut count = 0;
    for name in VIEWS {
        let data = view(&base, &fortran, &repeated, name);
        let shape = data.shape();
        let path = |layout: &str| format!("{kind} {layout} {name}");
        let new = || file.new_dataset::<T>().shape(shape);
        let written = |dataset: Dataset| {
            dataset.write(data.view()).unwrap();
            dataset
        };
        let appended = file
            .new_dataset::<T>()
            .shape((0.., shape[1], shape[2]))
            .chunk((2, 2, 2));
        let appended = appended.create(&path("appended")).unwrap();
        appended.append(data.view()).unwrap();
        let by_axis = file
            .new_dataset::<T>()
            .shape((shape[0], shape[1], 0..))
            .create(&path("by_axis"))
            .unwrap();
        by_axis.append_axis(2, data.view()).unwrap();
        let by_slices = new().chunk((2, 2, 2)).create(&path("by_slices")).unwrap();
        for row in 0..shape[0] {
            by_slices
                .write_slice(data.index_axis(Axis(0), row), row)
                .unwrap();
        }
        let created = file
            .new_dataset::<T>()
            .create_with(&path("created"), data.view())
            .unwrap();
        let all = [
            written(new().create(&path("contiguous")).unwrap()),
            written(
                new()
                    .chunk((2, 2, 2))
                    .deflate(1)
                    .create(&path("chunked"))
                    .unwrap(),
            ),
            appended,
            by_axis,
            by_slices,
            created,
        ];
        count += all.len();
        for dataset in all {
            let read: Array3<T> = dataset.read().unwrap();
            assert_eq!(read, data, "{}", dataset.name());
            // Out: with steps, and turned in memory, as a selection only goes forwards.
            let turned = dataset
                .read_slice::<T, _, Ix3>(s![1.., ..;2, ..;2])
                .unwrap();
            assert_eq!(
                turned,
                data.slice(s![1.., ..;2, ..;2]),
                "{}",
                dataset.name()
            );
            assert_eq!(read.reversed_axes(), data.view().reversed_axes());
        }
        let attribute = file.group("attributes").unwrap();
        attribute
            .set_attr(&format!("{kind} {name}"), data.view())
            .unwrap();
        let read: Array3<T> = attribute
            .attr(&format!("{kind} {name}"))
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(read, data);
    }
    count
}

#[test]
fn views_of_any_order_and_stride_go_in_and_come_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("views.h5");
    let file = File::create(&path).unwrap();
    file.create_group("attributes").unwrap();
    let mut count = check_views(&file, "i16", |number| number as i16);
    count += check_views(&file, "f64", |number| number as f64);
    count += check_views(&file, "String", |number| number.to_string());
    file.unlink("attributes").unwrap();
    file.flush().unwrap();
    assert!(file.verify().unwrap().is_sound());
    file.close().unwrap();
    if let Some(checked) = python(&["views".as_ref(), path.as_os_str()]) {
        assert_eq!(checked.trim(), count.to_string());
    }
}

#[test]
fn datasets_of_strings_are_created_with_str() {
    let file = File::create_memory().unwrap();
    let new = file
        .new_dataset::<String>()
        .create_with("a", &["x", "ä"])
        .unwrap();
    assert_eq!(new.read_raw::<String>().unwrap(), ["x", "ä"]);
    let owned = vec!["x".to_string()];
    file.new_dataset::<String>()
        .create_with("b", &owned)
        .unwrap();
    let listed: Vec<&str> = owned.iter().map(String::as_str).collect();
    file.new_dataset::<VarLenAscii>()
        .shape(1..)
        .create_with("c", &listed)
        .unwrap();
    let grid = ndarray::array![["ab", "c"], ["", "de"]];
    let fixed = file
        .new_dataset::<FixedAscii<2>>()
        .create_with("d", &grid)
        .unwrap();
    assert_eq!(fixed.shape(), [2, 2]);
    assert_eq!(fixed.read_bytes(..).unwrap(), b"abc\0\0\0de");
    assert!(
        file.new_dataset::<FixedAscii<2>>()
            .create_with("e", &["abc"])
            .is_err()
    );
    assert!(
        file.new_dataset::<VarLenAscii>()
            .create_with("f", &["ä"])
            .is_err()
    );
    // A literal is still of the dataset's type.
    assert_eq!(
        file.new_dataset::<u8>()
            .create_with("g", &[1, 2])
            .unwrap()
            .read_raw::<u8>()
            .unwrap(),
        [1, 2]
    );
    file.set_attr("names", &["a", "b"][..]).unwrap();
    file.set_attr("names", vec!["a"]).unwrap();
    assert_eq!(
        file.attr("names").unwrap().read_raw::<String>().unwrap(),
        ["a"]
    );
}
