//! Groups and datasets that track the order of creation, made by us.

use super::{Work, support};
use h5quill::File;

#[test]
fn the_order_of_creation_is_what_h5py_reads_and_goes_on_with() {
    let work = Work::new("order.h5");
    let options = File::with_options().track_order(true);
    let file = options.create(&work.path).unwrap();
    let group = file
        .new_group()
        .track_order(true)
        .create("sub/group")
        .unwrap();
    let data = file
        .new_dataset::<f32>()
        .track_order(true)
        .create("data")
        .unwrap();
    let grows = file.new_dataset::<f32>().shape(0..).track_order(true);
    let grows = grows.create("sub/group/grows").unwrap();
    for number in 0..30 {
        let name = format!("n{:02}", number * 7 % 30);
        group.create_group(&name).unwrap();
        file.link_soft("/data", &name).unwrap();
        for at in [&*group, &*data, &*grows, &**file] {
            at.set_attr(&name, number).unwrap();
        }
    }
    group.relink("n07", "newest").unwrap();
    group.unlink("n14").unwrap();
    data.rename_attr("n07", "still the second").unwrap();
    data.delete_attr("n14").unwrap();
    let names = |count: usize| (0..count).map(|number| format!("n{:02}", number * 7 % 30));
    let mut expected: Vec<String> = vec!["grows".into()];
    expected.extend(names(30).filter(|name| name != "n07" && name != "n14"));
    expected.push("newest".into());
    assert_eq!(group.member_names().unwrap(), expected);
    assert_eq!(
        data.attr_names().unwrap()[..3],
        ["n00", "still the second", "n21"]
    );
    file.close().unwrap();

    let file = File::open(&work.path).unwrap();
    assert_eq!(
        file.group("sub/group").unwrap().member_names().unwrap(),
        expected
    );
    let of_root: Vec<String> = file.member_names().unwrap();
    assert_eq!(of_root[..3], ["sub", "data", "n00"]);
    let newest = file.link("sub/group/newest").unwrap().unwrap();
    assert_eq!(newest.creation_order(), Some(31));
    drop(file);
    let script = r#"
import sys, h5py
with h5py.File(sys.argv[1], 'r+') as f:
    g = f['sub/group']
    print(list(g)); print(list(f)); print(list(f['data'].attrs)); print(list(g['grows'].attrs) == list(f.attrs))
    for o in (f['/'], g, f['data'], g['grows']):
        assert o.id.get_create_plist().get_attr_creation_order() == 3
    for o in (f['/'], g):
        assert o.id.get_create_plist().get_link_creation_order() == 3
    assert f['sub'].id.get_create_plist().get_link_creation_order() == 0
    g.create_group('a last one'); f['data'].attrs['a last one'] = 1
    print(list(g)[-1], list(f['data'].attrs)[-1])
"#;
    let Some(said) = support::run_python(script, &[work.path.as_os_str()]) else {
        return;
    };
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], format!("{expected:?}").replace('"', "'"));
    assert!(
        lines[1].starts_with("['sub', 'data', 'n00', 'n07', 'n14'"),
        "{}",
        lines[1]
    );
    assert!(
        lines[2].starts_with("['n00', 'still the second', 'n21'"),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3..], ["True", "a last one a last one"]);
    work.holds();
}
