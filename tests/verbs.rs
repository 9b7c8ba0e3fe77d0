//! The edit verbs on links, attributes and comments, each seen by libhdf5 and edited by it again.

#[allow(unreachable_pub, reason = "shared with programs that reach it")]
mod support;

#[path = "verbs/attributes.rs"]
mod attributes;
#[path = "verbs/links.rs"]
mod links;
#[path = "verbs/order.rs"]
mod order;

use h5quill::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What h5py sees: every link with its kind, creation order and target, every object with its attributes in the order
/// that the file tracks, comments and values. Then, where asked, h5py makes, moves and takes out links and attributes
/// in every group, so that what we wrote must also be right to change.
const LIST: &str = r#"
import sys, h5py, numpy as np
from h5py import h5g, h5l, h5o, h5a, h5
def text(raw): return raw.decode('utf-8', 'backslashreplace')
def attributes(o):
    tracked = o.id.get_create_plist().get_attr_creation_order() & 1
    index = h5.INDEX_CRT_ORDER if tracked else h5.INDEX_NAME
    names = []
    h5a.iterate(o.id, lambda name: names.append(name) or None, index_type=index)
    def show(v):
        v = np.asarray(v)
        return (str(v.dtype), v.tolist() if v.size < 20 else [v.shape, float(v.sum())])
    return [(text(n), show(o.attrs[n])) for n in names]
def walk(g, path, seen):
    tracked = isinstance(g.id, h5g.GroupID) and g.id.get_create_plist().get_link_creation_order() & 1
    names = []
    g.id.links.iterate(lambda n: names.append(n) or None, idx_type=h5.INDEX_CRT_ORDER if tracked else h5.INDEX_NAME)
    for name in names:
        info = g.id.links.get_info(name)
        where = path + text(name)
        if info.type == h5l.TYPE_HARD:
            o = h5o.open(g.id, name)
            o = h5py.Group(o) if isinstance(o, h5g.GroupID) else h5py.Dataset(o)
            comment = text(g.id.get_comment(name) or b'')
            print(where, 'hard', h5o.get_info(o.id).rc, attributes(o), comment,
                  '' if isinstance(o, h5py.Group) else o[()].tolist())
            if isinstance(o, h5py.Group) and o.id not in seen:
                walk(o, where + '/', seen | {o.id})
        elif info.type == h5l.TYPE_SOFT:
            print(where, 'soft', text(g.id.links.get_val(name)))
        elif info.type == h5l.TYPE_EXTERNAL:
            print(where, 'external', *map(text, g.id.links.get_val(name)))
        else:
            print(where, 'class', info.type)
sys.stdout.reconfigure(encoding='utf-8')
with h5py.File(sys.argv[1], 'r') as f:
    root = h5py.Group(h5g.open(f.id, b'/'))
    print('/', attributes(root))
    walk(root, '/', {root.id})
"#;

const EDIT: &str = r#"
import sys, h5py
from h5py import h5a
with h5py.File(sys.argv[1], 'r+') as f:
    groups = [f]
    f.visititems(lambda n, o: groups.append(o) if isinstance(o, h5py.Group) else None)
    for g in groups:
        for n in range(12):
            g.create_group('made %02d' % n)
            g.attrs['made %02d' % n] = n
        g.move('made 03', 'moved')
        h5a.rename(g.id, b'made 04', b'renamed')
        for n in (0, 1, 2, 5, 6):
            del g['made %02d' % n]
            del g.attrs['made %02d' % n]
    for g in groups:
        names = [n for n in g if n.startswith('made') or n == 'moved']
        assert len(names) == 7, names
        for n in names:
            del g[n]
        for n in [n for n in g.attrs if n.startswith('made') or n == 'renamed']:
            del g.attrs[n]
print('ok')
"#;

struct Work {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Work {
    fn new(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        Self {
            _directory: directory,
            path,
        }
    }

    /// A file that h5py makes with `script`, in which `f` is the file; `None` where there is no h5py.
    fn by_h5py(options: &str, script: &str) -> Option<Self> {
        let work = Self::new("theirs.h5");
        let script = format!(
            "import sys, h5py, numpy as np\nfrom h5py import h5a, h5g, h5l, h5o, h5p, h5t, h5s\nwith h5py.File(sys.argv[1], 'w', {options}) as f:\n    {}\n",
            script.trim().replace('\n', "\n    ")
        );
        support::run_python(&script, &[work.path.as_os_str()])?;
        Some(work)
    }

    fn edit(&self, edit: impl FnOnce(&File)) {
        let file = File::open_rw(&self.path).unwrap();
        edit(&file);
        file.close().unwrap();
    }

    /// Refused, and not a byte of the file is changed.
    fn refused(&self, edit: impl FnOnce(&File) -> h5quill::Result<()>) -> h5quill::Error {
        let before = std::fs::read(&self.path).unwrap();
        let file = File::open_rw(&self.path).unwrap();
        let error = edit(&file).unwrap_err();
        file.close().unwrap();
        assert!(std::fs::read(&self.path).unwrap() == before, "{error}");
        error
    }

    fn list(&self) -> Option<Vec<String>> {
        list(&self.path)
    }

    /// h5dump reads it, h5py edits it, and what was there before is there still, for h5py and for us.
    fn holds(&self) {
        check_h5dump(&self.path);
        let Some(before) = self.list() else { return };
        let said = support::run_python(EDIT, &[self.path.as_os_str()]).unwrap();
        assert_eq!(said.trim(), "ok");
        assert_eq!(self.list().unwrap(), before, "after edits by h5py");
        check_h5dump(&self.path);
        self.edit(|file| {
            for group in every_group(file) {
                for number in 0..12 {
                    group.create_group(&format!("again {number}")).unwrap();
                    group.set_attr(&format!("again {number}"), number).unwrap();
                }
                for number in 0..12 {
                    group.unlink(&format!("again {number}")).unwrap();
                    group.delete_attr(&format!("again {number}")).unwrap();
                }
            }
        });
        assert_eq!(self.list().unwrap(), before, "after edits by us");
    }
}

fn every_group(file: &File) -> Vec<h5quill::Group> {
    let mut groups = vec![file.root()];
    file.visit(|_, object| {
        if let h5quill::Object::Group(group) = object {
            groups.push(group);
        }
        Ok(())
    })
    .unwrap();
    groups
}

fn list(path: &Path) -> Option<Vec<String>> {
    let text = support::run_python(LIST, &[path.as_os_str()])?;
    Some(text.lines().map(str::to_string).collect())
}

fn check_h5dump(path: &Path) {
    if let Some(h5dump) = support::h5dump() {
        let output = Command::new(h5dump).arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}

/// Each kind of file that h5py makes: options, and what kind that is.
const KINDS: [&str; 5] = [
    "libver='earliest'",
    "libver='v108'",
    "libver='v110'",
    "libver='v110', track_order=True",
    "track_order=True",
];
