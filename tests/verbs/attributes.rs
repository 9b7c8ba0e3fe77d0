//! Attributes renamed, replaced and deleted, few and many, small and large.

use super::{KINDS, Work, support};
use h5quill::{ErrorKind, File};

const SCRIPT: &str = r#"
order = bool(f.id.get_create_plist().get_link_creation_order())
f['data'] = np.arange(3)
g = f.create_group('g', track_order=order)
for o in (f['data'], g):
    for n in 'cab':
        o.attrs[n] = n * 3
    o.attrs.create('words', ['x', 'yy'], dtype=h5py.string_dtype())
many = f.create_group('many', track_order=order)
for n in range(30):
    many.attrs['a%02d' % (n * 7 % 30)] = n
"#;

#[test]
fn what_is_renamed_keeps_its_value_and_its_place() {
    let renames = [
        ("data", "c", "z"),
        ("data", "words", "größe"),
        ("g", "b", "a longer name than before"),
        ("g", "words", "w"),
        ("g", "c", "ç"),
        ("many", "a03", "q"),
        ("many", "a11", "aa"),
        ("many", "q", "Q"),
        ("many", "a29", "µ"),
    ];
    for kind in KINDS {
        let Some(ours) = Work::by_h5py(kind, SCRIPT) else {
            return;
        };
        let theirs = Work::new("renamed.h5");
        std::fs::copy(&ours.path, &theirs.path).unwrap();
        ours.edit(|file| {
            for (path, old, new) in renames {
                let object = file.open_object(path).unwrap();
                object.location().rename_attr(old, new).unwrap();
            }
        });
        let triples: Vec<String> = renames.iter().map(|one| format!("{one:?}")).collect();
        let script = format!(
            "import sys, h5py\nfrom h5py import h5a\nwith h5py.File(sys.argv[1], 'r+') as f:\n    for o, a, b in [{}]: h5a.rename(f[o].id, a.encode(), b.encode())\n",
            triples.join(", ")
        );
        support::run_python(&script, &[theirs.path.as_os_str()]).unwrap();
        assert_eq!(ours.list(), theirs.list(), "{kind}");
        for (path, old, new) in [
            ("g", "a", "w"),
            ("g", "a", "a"),
            ("many", "a01", "a02"),
            ("data", "a", "b"),
        ] {
            let error = ours.refused(|file| {
                let object = file.open_object(path).unwrap();
                object.location().rename_attr(old, new)
            });
            assert_eq!(error.kind(), &ErrorKind::Exists);
        }
        let error = ours.refused(|file| file.rename_attr("missing", "x"));
        assert_eq!(error.kind(), &ErrorKind::NotFound);
        for name in ["", "a\0b", &"n".repeat(65_535)] {
            let error = ours.refused(|file| file.group("many")?.rename_attr("a01", name));
            assert!(!matches!(error.kind(), ErrorKind::Poisoned), "{error}");
        }
        ours.holds();
    }
}

/// A name so long that the message no longer fits a header.
#[test]
fn a_long_name_makes_the_attributes_dense() {
    let work = Work::new("long.h5");
    let file = File::create(&work.path).unwrap();
    file.set_attr("values", vec![1.5_f64; 4000]).unwrap();
    file.set_attr("other", 1).unwrap();
    let name = "n".repeat(40_000);
    file.rename_attr("values", &name).unwrap();
    file.close().unwrap();
    let file = File::open(&work.path).unwrap();
    let values: Vec<f64> = file.attr(&name).unwrap().read_raw().unwrap();
    assert_eq!(values, [1.5; 4000]);
    drop(file);
    let Some(list) = work.list() else { return };
    assert!(list[0].contains(&name), "{}", list[0].len());
    work.holds();
}

#[test]
fn attributes_beyond_64_kib_are_set_replaced_renamed_and_deleted() {
    for kind in KINDS {
        let Some(work) = Work::by_h5py(kind, SCRIPT) else {
            return;
        };
        let large = vec![0.25_f64; 20_000];
        work.edit(|file| {
            for path in ["data", "g", "many", "/"] {
                let object = file.open_object(path).unwrap();
                let at = object.location();
                at.set_attr("large", large.as_slice()).unwrap();
                at.set_attr("text", "t".repeat(100_000).as_str()).unwrap();
                at.set_attr("small then large", 1).unwrap();
                at.set_attr("small then large", vec![7_u16; 50_000])
                    .unwrap();
                at.set_attr("large then small", vec![7_u16; 50_000])
                    .unwrap();
                at.set_attr("large then small", "now a text").unwrap();
                at.set_attr("gone", vec![7_u16; 50_000]).unwrap();
                at.delete_attr("gone").unwrap();
                at.rename_attr("large", "huge").unwrap();
            }
        });
        let list = work.list().unwrap();
        for path in ["/data", "/g", "/many", "/"] {
            let start = format!("{path} ");
            let found = list.iter().find(|line| line.starts_with(&start)).unwrap();
            for part in [
                "('huge', ('float64', [(20000,), 5000.0]))",
                "('small then large', ('uint16', [(50000,), 350000.0]))",
                "('large then small', ('<U10', 'now a text'))",
            ] {
                assert!(found.contains(part), "{path}: {part}");
            }
            assert!(found.contains(&"t".repeat(100_000)) && !found.contains("gone"));
        }
        work.edit(|file| {
            for path in ["data", "g", "many", "/"] {
                let object = file.open_object(path).unwrap();
                let at = object.location();
                for name in at.attr_names().unwrap() {
                    at.delete_attr(&name).unwrap();
                }
            }
        });
        let list = work.list().unwrap();
        assert!(list.iter().all(|line| !line.contains("('")), "{list:#?}");
        work.holds();
    }
}
