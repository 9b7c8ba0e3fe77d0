//! Links of every kind: made, moved, renamed, taken out, listed.

use super::{KINDS, Work, check_h5dump, support};
use h5quill::{ErrorKind, File, LinkKind, Object};

/// Groups with few and with many links, of every kind.
const MIXED: &str = r#"
f.create_group('a/b')
f['a/b/x'] = np.arange(3)
f['a/b/x'].attrs['unit'] = 'V'
f['hard'] = f['a/b/x']
f['soft'] = h5py.SoftLink('/a/b')
f['dangling'] = h5py.SoftLink('../no where')
f['external'] = h5py.ExternalLink('other.h5', '/x/y')
f['größe'] = 3.5
many = f.create_group('many', track_order=f.id.get_create_plist().get_link_creation_order() != 0)
for n in range(40):
    many['link %02d' % n] = h5py.SoftLink('/a/%d' % n)
many['external'] = h5py.ExternalLink('far.h5', '/')
many.create_group('below')
"#;

/// The same moves by us and by h5py leave the same links, whatever the form of the groups.
#[test]
fn what_is_moved_is_where_h5py_would_have_moved_it() {
    let moves = [
        ("soft", "soft 2"),
        ("dangling", "a/b/dangling"),
        ("external", "new/groups/on/the/way/external"),
        ("many/link 07", "many/renamed"),
        ("many/link 11", "/a/link 11"),
        ("many/external", "many/below/external"),
        ("many/below", "a/below"),
        ("größe", "many/größer"),
        ("a/b/x", "many/x"),
        ("hard", "a/hard"),
        ("a", "many/a"),
    ];
    for kind in KINDS {
        let Some(ours) = Work::by_h5py(kind, MIXED) else {
            return;
        };
        let theirs = Work::new("moved.h5");
        std::fs::copy(&ours.path, &theirs.path).unwrap();
        ours.edit(|file| {
            for (from, to) in moves {
                file.relink(from, to).unwrap();
            }
        });
        let pairs: Vec<String> = moves.iter().map(|pair| format!("{pair:?}")).collect();
        let script = format!(
            "import sys, h5py\nwith h5py.File(sys.argv[1], 'r+') as f:\n    for a, b in [{}]: f.move(a, b)\n",
            pairs.join(", ")
        );
        support::run_python(&script, &[theirs.path.as_os_str()]).unwrap();
        assert_eq!(ours.list(), theirs.list(), "{kind}");
        ours.holds();
    }
}

#[test]
fn a_move_is_refused_before_anything_is_changed() {
    for kind in KINDS {
        let Some(work) = Work::by_h5py(kind, MIXED) else {
            return;
        };
        let exists = [("hard", "soft"), ("hard", "a/b/x"), ("a", "a"), ("a", "/")];
        for (from, to) in exists {
            let error = work.refused(|file| file.relink(from, to));
            assert_eq!(error.kind(), &ErrorKind::Exists, "{from} to {to}");
        }
        for from in ["no", "a/no", "no/no", "dangling/x"] {
            let error = work.refused(|file| file.relink(from, "new"));
            assert_eq!(error.kind(), &ErrorKind::NotFound, "{from}");
        }
        for (from, to) in [
            ("a", "a/b/a"),
            ("a", "soft/a"),
            ("a/b", "a/b/c/d"),
            ("a/b", "soft/c"),
            ("hard", "a/b/x/y"),
            ("hard", ""),
            ("hard", "a/."),
            ("/", "root"),
            ("hard", "./"),
        ] {
            let error = work.refused(|file| file.relink(from, to));
            let refused = matches!(error.kind(), ErrorKind::Invalid(_));
            assert!(refused, "{from} to {to}: {error}");
        }
        let error = work.refused(|file| file.group("a")?.relink("/a", "b/again"));
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{error}");
    }
}

/// A second hard link hides that the destination is inside the group.
#[test]
fn no_group_is_moved_into_itself_by_a_second_way() {
    let file = File::create_memory().unwrap();
    file.create_group("a/b/c").unwrap();
    file.link_hard("a/b/c", "second").unwrap();
    assert!(file.relink("a", "second/a").is_err());
    assert!(file.relink("a/b", "second/b").is_err());
    file.relink("second", "a/b/c2").unwrap(); // c stays under a/b
    assert_eq!(
        file.group("a/b").unwrap().member_names().unwrap(),
        ["c", "c2"]
    );
    file.create_group("z").unwrap();
    file.relink("a/b", "z/b").unwrap();
    assert!(file.exists("z/b/c2").unwrap() && !file.exists("a/b").unwrap());
}

#[test]
fn links_that_lead_out_of_the_file_are_made_as_h5py_makes_them() {
    let work = Work::new("made.h5");
    let file = File::create(&work.path).unwrap();
    file.link_external("größe.h5", "/a/b", "one").unwrap();
    file.link_external("x", "y", "in/a/group").unwrap();
    file.link_user_defined(200, b"\x00\xff data", "mine")
        .unwrap();
    file.link_user_defined(65, b"", "nothing in it").unwrap();
    for number in 0..20 {
        let name = format!("dense/{number}");
        file.link_external("many.h5", &format!("/{number}"), &name)
            .unwrap();
    }
    file.relink("dense/3", "three").unwrap();
    file.relink("mine", "dense/mine").unwrap();
    let long = "l".repeat(65_000);
    file.link_external(&long, "/x", "long/external").unwrap();
    file.link_soft(&"s".repeat(65_535), "long/soft").unwrap();
    file.unlink("long/soft").unwrap(); // one link is left, and still too long for a message
    file.link_user_defined(99, &[7; 65_535], "long/data")
        .unwrap();
    for (result, what) in [
        (file.link_external("", "/x", "no"), "file"),
        (file.link_external("f", "", "no"), "target"),
        (file.link_external("f\0", "x", "no"), "NUL"),
        (file.link_external(&long, &long, "no"), "too long"),
        (file.link_user_defined(64, b"", "no"), "class"),
        (file.link_user_defined(65, &[0; 65_536], "no"), "too long"),
        (file.link_external("f", "x", "one"), "exists"),
    ] {
        assert!(result.is_err(), "{what}");
    }
    assert!(!file.exists("no").unwrap());
    file.close().unwrap();

    let file = File::open(&work.path).unwrap();
    let kind = |path: &str| file.link(path).unwrap().unwrap().kind().clone();
    let data = b"\x00\xff data".to_vec();
    assert_eq!(
        kind("dense/mine"),
        LinkKind::UserDefined { class: 200, data }
    );
    let (name, path) = (b"many.h5".to_vec(), b"/3".to_vec());
    assert_eq!(kind("three"), LinkKind::External { file: name, path });
    let data = vec![7; 65_535];
    assert_eq!(kind("long/data"), LinkKind::UserDefined { class: 99, data });
    assert!(
        matches!(kind("long/external"), LinkKind::External { file, .. } if file.len() == 65_000)
    );
    drop(file);
    let Some(list) = work.list() else { return };
    for line in [
        "/one external größe.h5 /a/b",
        "/in/a/group external x y",
        "/nothing in it class 65",
        "/dense/mine class 200",
        "/dense/7 external many.h5 /7",
        "/three external many.h5 /3",
    ] {
        assert!(list.iter().any(|have| have == line), "{line}: {list:#?}");
    }
    work.holds();
}

/// h5dump follows an external link that we made.
#[test]
fn an_external_link_leads_where_it_says() {
    let work = Work::new("from.h5");
    let target = work.path.with_file_name("to.h5");
    let file = File::create(&target).unwrap();
    file.new_dataset::<i32>()
        .create_with("deep/x", &[4, 5])
        .unwrap();
    file.close().unwrap();
    let file = File::create(&work.path).unwrap();
    file.link_external("to.h5", "/deep/x", "away").unwrap();
    file.close().unwrap();
    let script = "import sys, h5py\nprint(h5py.File(sys.argv[1])['away'][()].tolist())\n";
    if let Some(said) = support::run_python(script, &[work.path.as_os_str()]) {
        assert_eq!(said.trim(), "[4, 5]");
    }
    check_h5dump(&work.path);
}

/// Names and targets in Latin-1, and a user-defined link, as no program of today makes them.
#[test]
fn what_is_not_utf_8_is_listed_moved_and_taken_out() {
    for kind in KINDS {
        let script = r#"
plist = h5p.create(h5p.LINK_CREATE)
f.id.links.create_soft(b'stra\xdfe', b'/gr\xfc\xdfe', lcpl=plist)
f.id.links.create_soft(b'b\xe4r', b'x', lcpl=plist)
h5g.create(f.id, b'gr\xfc\xdfe', lcpl=plist)
"#;
        let Some(work) = Work::by_h5py(kind, script) else {
            return;
        };
        work.edit(|file| {
            let links = file.links().unwrap();
            let mut names: Vec<&[u8]> = links.iter().map(|link| link.name_bytes()).collect();
            names.sort();
            assert_eq!(names, [&b"b\xe4r"[..], b"gr\xfc\xdfe", b"stra\xdfe"]);
            let street = links
                .iter()
                .find(|link| link.name_bytes()[0] == b's')
                .unwrap();
            assert_eq!(street.kind(), &LinkKind::Soft(b"/gr\xfc\xdfe".to_vec()));
            assert_eq!(street.name(), "stra\u{fffd}e");
            file.relink_bytes(b"stra\xdfe", "straße").unwrap();
            file.relink_bytes(b"gr\xfc\xdfe", "in/größe").unwrap();
            file.unlink_bytes(b"b\xe4r").unwrap();
            let missing = file.unlink_bytes(b"b\xe4r").unwrap_err();
            assert_eq!(missing.kind(), &ErrorKind::NotFound);
        });
        let file = File::open(&work.path).unwrap();
        let mut names = file.member_names().unwrap();
        names.sort();
        assert_eq!(names, ["in", "straße"]);
        let target = LinkKind::Soft(b"/gr\xfc\xdfe".to_vec());
        assert_eq!(file.link("straße").unwrap().unwrap().kind(), &target);
        assert!(file.group("in/größe").is_ok());
        drop(file);
        work.holds();
    }
}

#[test]
fn a_visit_meets_each_object_and_each_link_once() {
    let file = File::create_memory().unwrap();
    file.new_dataset::<u8>().create("a/b/x").unwrap();
    file.link_hard("a", "a/b/up").unwrap(); // a cycle
    file.link_hard("/", "root").unwrap();
    file.link_hard("a/b/x", "y").unwrap();
    file.link_soft("/a", "soft").unwrap();
    let mut objects = Vec::new();
    file.visit(|path, object| {
        objects.push((path.to_string(), object.location().name()));
        Ok(())
    })
    .unwrap();
    let expected = ["a", "a/b", "a/b/x"].map(|path| (path.to_string(), format!("/{path}")));
    assert_eq!(objects, expected);
    let mut links = Vec::new();
    file.group("a")
        .unwrap()
        .visit_links(|path, _| {
            links.push(path.to_string());
            Ok(())
        })
        .unwrap();
    assert_eq!(links, ["b", "b/up", "b/x"]);
    let mut links = Vec::new();
    file.visit_links(|path, link| {
        links.push((path.to_string(), *link.kind() == LinkKind::Hard));
        Ok(())
    })
    .unwrap();
    let expected = [
        ("a", true),
        ("a/b", true),
        ("a/b/up", true),
        ("a/b/x", true),
        ("root", true),
        ("soft", false),
        ("y", true),
    ];
    assert_eq!(links, expected.map(|(path, hard)| (path.to_string(), hard)));
}

#[test]
fn a_visitor_may_delete_what_is_still_to_be_visited() {
    let file = File::create_memory().unwrap();
    for path in ["a/x", "b/y", "c"] {
        file.create_group(path).unwrap();
    }
    let mut seen = Vec::new();
    file.visit(|path, _| {
        seen.push(path.to_string());
        if path == "a" {
            file.unlink("b")?;
            file.unlink("a")?;
            file.create_group("later")?; // may take the place of either
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, ["a", "c"]);
    let stopped = file.visit(|path, _| match path {
        "c" => Err(file.group("missing").unwrap_err()),
        _ => Ok(()),
    });
    assert_eq!(stopped.unwrap_err().kind(), &ErrorKind::NotFound);
}

#[test]
fn an_object_is_opened_as_what_it_is() {
    let Some(work) = Work::by_h5py(
        "libver='v110'",
        "f.create_group('g')\nf['d'] = 1\nf['t'] = np.dtype('f4')",
    ) else {
        return;
    };
    let file = File::open(&work.path).unwrap();
    assert!(matches!(file.open_object("g").unwrap(), Object::Group(_)));
    assert!(matches!(file.open_object("d").unwrap(), Object::Dataset(_)));
    assert_eq!(file.open_object("t").unwrap().location().name(), "/t");
    assert_eq!(
        file.open_object("no").unwrap_err().kind(),
        &ErrorKind::NotFound
    );
}

/// Comments in headers of both versions, and in groups of the old form, whose edit leaves them what they are.
#[test]
fn comments_are_kept_set_and_taken_out() {
    let script = r#"
f.create_group('g'); f['d'] = 1; f.create_group('other'); f['g/x'] = 2
f.id.set_comment(b'g', 'grüße'.encode())
f.id.set_comment(b'd', b'from h5py')
f.id.set_comment(b'other', b'stays')
"#;
    for kind in KINDS {
        let Some(work) = Work::by_h5py(kind, script) else {
            return;
        };
        work.edit(|file| {
            let group = file.group("g").unwrap();
            assert_eq!(group.comment().unwrap().as_deref(), Some("grüße"));
            group.create_group("more").unwrap();
            assert_eq!(group.comment().unwrap().as_deref(), Some("grüße"));
            let data = file.dataset("d").unwrap();
            assert_eq!(data.comment().unwrap().as_deref(), Some("from h5py"));
            data.set_comment("from h5quill, which is longer").unwrap();
            file.dataset("g/x").unwrap().set_comment("new").unwrap();
            file.group("other").unwrap().clear_comment().unwrap();
            assert_eq!(file.comment().unwrap(), None);
            file.clear_comment().unwrap();
            file.set_comment("of the root").unwrap();
            assert!(file.set_comment("a\0b").is_err());
            assert!(file.set_comment(&"c".repeat(70_000)).is_err());
        });
        let list = work.list().unwrap();
        let comment = |path: &str, comment: &str| {
            let start = format!("{path} hard ");
            let found = list.iter().find(|line| line.starts_with(&start)).unwrap();
            assert!(found.contains(comment), "{found}");
        };
        comment("/g", "[] grüße");
        comment("/d", "[] from h5quill, which is longer");
        comment("/g/x", "[] new");
        comment("/other", "[]  ");
        work.holds();
        let file = File::open(&work.path).unwrap();
        assert_eq!(file.comment().unwrap().as_deref(), Some("of the root"));
        let long = "c".repeat(65_470);
        drop(file);
        work.edit(|file| file.dataset("d").unwrap().set_comment(&long).unwrap());
        assert!(work.list().unwrap().iter().any(|line| line.contains(&long)));
    }
}
