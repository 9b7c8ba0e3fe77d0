"""What h5py makes of names, paths, comments and orders: the same as `tests/ergonomics.rs` has made, fact by fact.

    ergonomics.py paths MADE PATH...     what becomes of a group created at each path: a line each
    ergonomics.py facts OURS MADE        makes MADE as OURS was made; both must have the same facts, which are printed
    ergonomics.py views OURS             checks the values of datasets written from views
"""

import sys

import h5py
import numpy as np

NAMES = ["b", "a", "Z", "é", "10", "9", "_", "..", "a b", "ß"]


def paths(made, *given):
    for path in given:
        with h5py.File(made, "w") as file:
            try:
                name = file.create_group("in").create_group(path).name
            except ValueError:
                print(f"{path}: refused")
                continue
            names = []
            file.visit(names.append)
            found = [other for other in given if other and other in file["in"]]
            print(f"{path}: {name} {names} {found}")


def make(path):
    with h5py.File(path, "w") as file:
        for tracked in [False, True]:
            group = file.create_group(f"names_{tracked}".lower(), track_order=tracked)
            for name in NAMES:
                group.create_group(name)
                group.attrs[name] = 1
        file.create_dataset("tree/z/data", data=1)
        file.create_group("tree/a/b")
        file["tree/a/loop"] = file["tree"]
        file["tree/a/again"] = file["tree/z/data"]
        file["tree/soft"] = h5py.SoftLink("/tree/z")
        for name, text in [("/", b"of the root"), ("tree", "naïve".encode()), ("tree/z/data", b"of data")]:
            h5py.h5o.set_comment(file[name].id, text)


def facts(path):
    with h5py.File(path, "r") as file:
        found = [f"{name}: {list(file[name])} {list(file[name].attrs)}" for name in ["names_false", "names_true"]]
        names = []
        file["tree"].visit(names.append)
        found.append(f"visited: {names}")
        for name in ["names_true", "names_false"]:
            group = file[name]
            links = [group.id.links.get_info(other.encode()).cset for other in NAMES]
            attributes = [h5py.h5a.get_info(group.id, other.encode()) for other in NAMES]
            found.append(f"charsets: {links}")
            found.append(f"charsets of attributes: {[one.cset for one in attributes]}")
        # What `h5o.get_comment` of h5py 3.16 gives has been freed.
        root = h5py.h5g.open(file.id, b"/")
        comments = [root.get_comment(name) for name in [b".", b"tree", b"tree/a", b"tree/z/data"]]
        found.append(f"comments: {[(comment or b'').decode() for comment in comments]}")
        return found


def views(path):
    count = 0
    with h5py.File(path, "r") as file:
        for name in file:
            kind, layout, view = name.split(" ")
            base = np.arange(60).reshape(3, 4, 5)
            expected = {
                "standard": base,
                "fortran": base,
                "reversed_axes": base.transpose(2, 1, 0),
                "inverted": base[::-1, :, ::-1],
                "stepped": base[:, 1::2, ::3],
                "permuted": base.transpose(1, 2, 0),
                "broadcast": np.broadcast_to(base[0], (2, 4, 5)),
            }[view]
            found = file[name][...]
            if kind == "String":
                found = np.vectorize(lambda text: int(text.decode()))(found)
            assert found.shape == expected.shape and (found == expected).all(), name
            count += 1
    print(count)


if sys.argv[1] == "paths":
    paths(*sys.argv[2:])
elif sys.argv[1] == "views":
    views(sys.argv[2])
else:
    make(sys.argv[3])
    ours, theirs = facts(sys.argv[2]), facts(sys.argv[3])
    for line in ours:
        print(line)
    # h5py says ASCII of every attribute's name; here it is said what is so.
    differing = [line for line in ours if line not in theirs]
    assert differing == ["charsets of attributes: [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]"] * 2, "\n".join(["", *ours, *theirs])
    assert len(ours) == len(theirs)
