//! Groups in a circle of hard links: they go with the last link from outside, and nothing else does.

#[allow(unreachable_pub, reason = "shared by all integration tests")]
mod support;

use h5quill::storage::MemoryStorage;
use h5quill::{File, H5Type};
use support::run_python;

/// The file as the next session finds it: sound, with so many objects, and with no space that nothing reaches.
fn reopened(file: File, objects: u64) -> File {
    let file = File::open_rw_on(MemoryStorage::from(file.into_bytes().unwrap())).unwrap();
    let report = file.verify().unwrap();
    assert!(report.is_sound() && report.unchecked.is_empty(), "{report}");
    assert_eq!(report.objects, objects, "{report}");
    file
}

#[test]
fn a_group_that_holds_itself_goes_with_its_last_link_from_outside() {
    let file = File::create_memory().unwrap();
    let group = file.create_group("a/b/c").unwrap();
    file.link_hard("a", "a/itself").unwrap();
    file.link_hard("a", "a/b/c/up").unwrap();
    file.link_hard("/", "a/root").unwrap();
    group
        .new_dataset::<i32>()
        .create_with("data", &[1, 2])
        .unwrap();
    file.link_hard("a/b/c/data", "kept").unwrap();
    let named = file.commit_datatype("a/type", &f64::datatype()).unwrap();
    file.link_hard("a/type", "type").unwrap();
    let of_named = file.new_dataset_of_named(&named).unwrap().shape(2);
    of_named.create("a/of type").unwrap();
    let file = reopened(file, 7);
    file.unlink("a").unwrap();
    let file = reopened(file, 3);
    assert_eq!(file.member_names().unwrap(), ["kept", "type"]);
    assert_eq!(
        file.dataset("kept").unwrap().read_raw::<i32>().unwrap(),
        [1, 2]
    );
    // Their counts are exact: they go with what is their last link.
    file.unlink("kept").unwrap();
    file.unlink("type").unwrap();
    reopened(file, 1);
}

#[test]
fn a_circle_stays_while_a_link_from_outside_leads_into_it() {
    let file = File::create_memory().unwrap();
    file.create_group("x/below").unwrap();
    file.create_group("y").unwrap();
    file.link_hard("y", "x/y").unwrap();
    file.link_hard("x", "y/x").unwrap();
    let file = reopened(file, 4);
    file.unlink("x").unwrap();
    let file = reopened(file, 4);
    assert!(file.exists("y/x/y/x/below").unwrap());
    file.link_hard("y/x/below", "below").unwrap();
    file.link_hard("y", "below/y").unwrap();
    file.unlink("y").unwrap();
    let file = reopened(file, 4);
    assert!(file.exists("below/y/x/below").unwrap());
    file.unlink("below").unwrap();
    reopened(file, 1);
}

#[test]
fn circles_of_libhdf5_go_as_ours_do() {
    let folder = tempfile::tempdir().unwrap();
    for libver in ["earliest", "v110"] {
        let path = folder.path().join(format!("{libver}.h5"));
        let make = format!(
            "
import sys, h5py
with h5py.File(sys.argv[1], 'w', libver='{libver}') as file:
    file['a/b/data'] = [1, 2]
    file['kept'] = file['a/b/data']
    file['a/itself'] = file['a']
    file['a/b/up'] = file['a']"
        );
        if run_python(&make, &[path.as_os_str()]).is_none() {
            return;
        }
        let file = File::open_rw(&path).unwrap();
        file.unlink("a").unwrap();
        file.close().unwrap();
        let report = File::open(&path).unwrap().verify().unwrap();
        assert!(report.is_sound() && report.objects == 2, "{report}");
        let check = "
import sys, h5py
with h5py.File(sys.argv[1], 'r+') as file:
    assert list(file) == ['kept'] and list(file['kept']) == [1, 2]
    assert h5py.h5o.get_info(file['kept'].id).rc == 1
    del file['kept']
    file['new'] = 3";
        run_python(check, &[path.as_os_str()]);
        let report = File::open(&path).unwrap().verify().unwrap();
        assert!(report.is_sound() && report.objects == 2, "{report}");
    }
}
