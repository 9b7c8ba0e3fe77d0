"""Trees to copy, libhdf5's own copies of them, and what two copies have in common.

copies.py make SEED FILE LOW HIGH FOR   a file with a random tree in the group `tree`, and objects beside it, for copies
                                      `across` files or `within` one
copies.py copy FROM TO OPTIONS          copies `tree` by libhdf5; OPTIONS: a word of s, l (soft), r, a, - for none
copies.py same FILE OPTIONS             the same, to `copy` in the same file
copies.py compare OURS THEIRS GROUP     fails where the two groups differ in anything h5py can tell
copies.py edit FILE GROUP               changes everything in the group and reads it back
copies.py narrow FILE                 a file with addresses and lengths of four bytes
copies.py numbers FILE GROUP          reads a copy of its numbers, and makes it longer
copies.py foreign LISTING SCRATCH       compares our copies of the files of others with those of libhdf5
copies.py other FILE                  a file with virtual and external data and a fill value of variable length
copies.py read FILE GROUP             reads these
"""

import os
import random
import sys

import h5py
import numpy as np

# libhdf5 cannot copy them in the same file.
CHUNKED_REFERENCES = True

MERGED = np.dtype([("a", "<i4"), ("name", h5py.string_dtype()), ("xy", "<f8", (2,))])


def options(word):
    flags = {"s": "shallow", "l": "expand_soft", "r": "expand_refs", "a": "without_attrs"}
    return {flags[letter]: True for letter in word if letter in flags}


def value(rng, kind, count):
    if kind == "strings":
        return np.array(["t" * rng.randrange(30) + str(i) for i in range(count)], dtype=object)
    if kind == "sequences":
        made = np.empty(count, dtype=object)
        for i in range(count):
            made[i] = np.arange(rng.randrange(6), dtype="<i2")
        return made
    if kind == "compound":
        made = np.zeros(count, dtype=MERGED)
        for i in range(count):
            made[i] = (i, "é" * rng.randrange(5), (i / 2, -i))
        return made
    if kind == "floats":
        return np.arange(count, dtype=">f8") / 3
    if kind == "fixed":
        return np.array([b"f%d" % (i % 100) for i in range(count)], dtype="S5")
    return np.arange(count, dtype="<i4") * rng.randrange(1, 9)


KINDS = {
    "strings": h5py.string_dtype(),
    "sequences": h5py.vlen_dtype(np.dtype("<i2")),
    "compound": MERGED,
    "floats": np.dtype(">f8"),
    "fixed": np.dtype("S5"),
    "integers": np.dtype("<i4"),
}


def fill(made, data):
    if data.dtype == object:
        for i, one in enumerate(data):
            made[i] = one
    else:
        made[...] = data


def attributes(rng, target, objects, types):
    few_or_many = rng.choice([0, 1, 3, 12])
    for i in range(few_or_many):
        what = rng.choice(["number", "text", "texts", "array", "reference", "empty", "typed", "compound"])
        name = f"attr {i}"
        if what == "number":
            target.attrs[name] = rng.random()
        elif what == "text":
            target.attrs[name] = "x" * rng.randrange(20)
        elif what == "texts":
            target.attrs[name] = value(rng, "strings", 3)
        elif what == "array":
            target.attrs[name] = np.arange(rng.randrange(1, 40))
        elif what == "reference":
            target.attrs.create(name, rng.choice(objects).ref, dtype=h5py.ref_dtype)
        elif what == "empty":
            target.attrs[name] = h5py.Empty("f4")
        elif what == "typed" and types:
            target.attrs.create(name, 5, dtype=types[0])
        elif what == "compound":
            target.attrs.create(name, value(rng, "compound", 2), dtype=MERGED)


def dataset(rng, group, name, objects, types, number):
    kind = rng.choice([*KINDS, "references", "regions", "scalar", "null", "typed"])
    if kind == "scalar":
        return group.create_dataset(name, data="scalar text")
    if kind == "null":
        return group.create_dataset(name, data=h5py.Empty("<i8"))
    if kind == "references":
        shape = rng.choice([dict(), dict(chunks=(3,), compression="gzip")] if CHUNKED_REFERENCES else [dict()])
        data = [rng.choice(objects).ref for _ in range(5)]
        made = group.create_dataset(name, (6,), dtype=h5py.ref_dtype, **shape)
        made[:5] = data
        return made
    if kind == "regions":
        of = rng.choice([o for o in objects if isinstance(o, h5py.Dataset) and o.shape and len(o.shape) == 1])
        made = group.create_dataset(name, (2,), dtype=h5py.regionref_dtype)
        made[0] = of.regionref[0:2]
        return made
    if kind == "typed" and types:
        return group.create_dataset(name, data=np.arange(7), dtype=types[number % len(types)])
    if kind == "typed":
        kind = "integers"
    count = rng.choice([1, 5, 40])
    layout = rng.choice(["plain", "compact", "chunked", "filtered", "growing", "growing filtered", "early", "2d"])
    data, dtype = value(rng, kind, count), KINDS[kind]
    make = dict(dtype=dtype)
    if layout == "compact":
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((count,))
        made = h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, plist)
        made = h5py.Dataset(made)
        fill(made, data)
        return made
    if layout == "early":
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((min(3, count),))
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        space = h5py.h5s.create_simple((count,))
        made = h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, plist)
        made = h5py.Dataset(made)
        fill(made, data)
        return made
    if layout == "2d" and kind in ("floats", "integers"):
        made = group.create_dataset(name, (count, 4), maxshape=(None, None), chunks=(3, 2), fillvalue=3, **make)
        made[:, 1] = data
        return made
    filters = dict(compression="gzip", shuffle=True, fletcher32=not dtype.hasobject)
    if dtype.hasobject:
        filters = dict(compression="gzip")
    if layout in ("chunked", "filtered"):
        make.update(chunks=(min(4, count),), **(filters if layout == "filtered" else {}))
    if layout.startswith("growing"):
        make.update(chunks=(4,), maxshape=(None,), **(filters if "filtered" in layout else {}))
    if kind == "integers" and rng.random() < 0.5:
        make["fillvalue"] = 77
    if rng.random() < 0.2:
        return group.create_dataset(name, (count,), **make)
    made = group.create_dataset(name, (count,), track_times=rng.random() < 0.3, **make)
    fill(made, data)
    return made


def make(seed, path, low, high, purpose="across"):
    global CHUNKED_REFERENCES
    CHUNKED_REFERENCES = purpose == "across"
    rng = random.Random(int(seed))
    with h5py.File(path, "w", libver=(low, high)) as f:
        outside = f.create_dataset("outside", data=np.arange(12))
        f.create_group("beside").attrs["of"] = "the tree"
        types = []
        if int(seed) % 2 == 0:
            f["outer type"] = np.dtype("<i2")
            types.append(f["outer type"])
        tree = f.create_group("tree")
        if int(seed) % 3 == 0 and types:
            tree["inner type"] = np.dtype(">u4")
            types.append(tree["inner type"])
            types[-1].attrs["unit"] = "V"
        groups, objects = [tree], [outside, f["beside"], tree]
        for number in range(28):
            group = rng.choice(groups)
            what = rng.choice(["dataset"] * 5 + ["group", "group", "soft", "hard", "external", "many"])
            name = f"{what} {number}"
            if what == "group":
                made = group.create_group(name, track_order=rng.random() < 0.4)
                groups.append(made)
                h5py.h5o.set_comment(made.id, b"a comment", obj_name=b".")
            elif what == "dataset":
                made = dataset(rng, group, name, objects, types, number)
            elif what == "soft":
                group[name] = h5py.SoftLink(rng.choice(["/outside", "/tree", "missing", "/beside"]))
                continue
            elif what == "external":
                group[name] = h5py.ExternalLink("other.h5", "/somewhere")
                continue
            elif what == "hard":
                group[name] = rng.choice(objects)
                continue
            else:
                made = group.create_group(name, track_order=rng.random() < 0.5)
                for i in range(25):
                    made.create_group(f"member {(i * 7) % 25}")
            attributes(rng, made, objects, types)
            objects.append(made)


class Look:
    """What h5py can tell of a group and what is in it."""

    def __init__(self, f, top, across):
        self.f, self.across, self.numbers, self.out = f, across, {}, {}
        self.names = {}
        self.top = f[top]
        self.number_of(self.top, "")
        self.walk(self.top, "")

    def number_of(self, o, path):
        addr = h5py.h5o.get_info(o.id).addr
        return self.names.setdefault(addr, path)

    def reference(self, r, nested):
        if nested and self.across:
            return "nested reference"
        if not r:
            return "null"
        o = self.f[r]
        name = self.names.get(h5py.h5o.get_info(o.id).addr)
        kind = "region " + str(h5py.h5r.get_region(r, o.id).get_select_bounds()) if isinstance(r, h5py.RegionReference) else ""
        return kind + (name if name is not None else type(o).__name__)

    def canon(self, v, nested=False):
        if isinstance(v, (h5py.Reference, h5py.RegionReference)):
            return self.reference(v, nested)
        if isinstance(v, h5py.Empty):
            return "empty " + str(v.dtype)
        if isinstance(v, np.void) and v.dtype.hasobject:
            return [self.canon(v[n], True) for n in v.dtype.names]
        if isinstance(v, np.ndarray):
            if v.dtype.hasobject:
                deep = nested or any(isinstance(x, np.ndarray) for x in v.ravel())
                return [str(v.shape), *(self.canon(x, deep) for x in v.ravel())]
            return [str(v.dtype), str(v.shape), v.tobytes().hex() if v.nbytes < 400 else hash(v.tobytes())]
        if isinstance(v, np.generic):
            return [str(v.dtype), v.tobytes().hex()]
        return repr(v)

    def dtype(self, t):
        try:
            committed = t.committed()
        except Exception:
            committed = False
        return [t.encode().hex() if not committed else "", str(t.dtype), committed]

    def attribute(self, get):
        # In the same file libhdf5 makes references in attributes null, though not those in datasets.
        if not self.across:
            try:
                if isinstance(get(), h5py.Reference):
                    return "reference"
            except Exception:
                pass
        return self.try_canon(get)

    def try_canon(self, get):
        try:
            return self.canon(get())
        except Exception as e:
            return type(e).__name__

    def attributes(self, o):
        found = []
        tracked = not isinstance(o, h5py.Datatype) and o.id.get_create_plist().get_attr_creation_order() != 0
        for i in range(h5py.h5a.get_num_attrs(o.id)):
            a = h5py.h5a.open(o.id, index=i)
            name = a.name.decode()
            info = h5py.h5a.get_info(o.id, a.name)
            found.append([name, self.dtype(a.get_type()), a.shape, info.corder if tracked else None,
                          info.cset, self.attribute(lambda: o.attrs[name])])
        return sorted(found, key=lambda entry: entry[0])

    def dataset(self, o):
        p = o.id.get_create_plist()
        filters = [p.get_filter(i) for i in range(p.get_nfilters())]
        try:
            fill = self.canon(np.asarray(o.fillvalue)) if not o.dtype.hasobject else "fill"
        except Exception as e:
            fill = type(e).__name__
        layout = p.get_layout()
        extra = []
        if layout == h5py.h5d.CHUNKED:
            extra = [p.get_chunk()]
        if layout == h5py.h5d.VIRTUAL:
            extra = [str(o.virtual_sources())]
        if o.external:
            extra = [str(o.external)]
        return [self.dtype(o.id.get_type()), str(o.shape), str(o.maxshape), layout, extra, filters, fill,
                p.get_fill_time(), p.get_alloc_time(), p.get_attr_creation_order(),
                self.try_canon(lambda: o[()] if o.shape is not None and o.size < 1 << 20 else o.id.get_space_status())]

    def walk(self, group, path):
        p = group.id.get_create_plist()
        self.out[path or "/"] = ["group", p.get_link_creation_order(), p.get_attr_creation_order(),
                                 self.attributes(group)]
        found = []
        for name in sorted(group.id, key=bytes):
            link = group.id.links.get_info(name)
            at = path + "/" + name.decode("utf8", "surrogateescape")
            order = link.corder if link.corder_valid else None
            if link.type == h5py.h5l.TYPE_HARD:
                try:
                    o = group[name]
                except Exception as e:
                    self.out[at] = type(e).__name__
                    continue
                known = self.number_of(o, at)
                found.append((at, o, known, order, link.cset))
            elif link.type in (h5py.h5l.TYPE_SOFT, h5py.h5l.TYPE_EXTERNAL):
                self.out[at] = [str(group.id.links.get_val(name)), order, link.cset]
            else:
                self.out[at] = ["user-defined", order]
        for at, o, known, order, cset in found:
            self.out[at + "@"] = [known, order, cset]
            if known != at:
                continue
            if isinstance(o, h5py.Group):
                self.walk(o, at)
            elif isinstance(o, h5py.Dataset):
                self.later(at, o)
            else:
                self.out[at] = ["type", str(o.dtype), self.attributes(o)]

    def later(self, at, o):
        self.out[at] = [self.dataset(o), self.attributes(o), h5py.h5o.get_info(o.id).mtime]


def look(path, group, across):
    with h5py.File(path, "r") as f:
        # Twice, so that references find the names of what comes later.
        first = Look(f, group, across)
        second = Look.__new__(Look)
        second.f, second.across, second.names, second.out, second.top = f, across, first.names, {}, first.top
        second.walk(second.top, "")
        return second.out


def compare(ours, theirs, group, across, *left_out):
    """Compares all but the members of `left_out`, which one of the two may not have."""
    print(difference(ours, theirs, group, across, left_out))


def difference(ours, theirs, group, across, left_out):
    """How many paths there are; ends the program where one differs."""
    a, b = look(ours, group, across == "across"), look(theirs, group, across == "across")
    for found in a, b:
        for path in list(found):
            if path.strip("/@").split("/")[0] in left_out:
                del found[path]
    for path in sorted(set(a) | set(b)):
        if a.get(path) != b.get(path):
            ours, theirs = str(a.get(path)), str(b.get(path))
            first = next((i for i, (x, y) in enumerate(zip(ours, theirs)) if x != y), 0)
            part = slice(max(first - 100, 0), first + 300)
            print(f"{path}:\n  ours   {ours[part]}\n  theirs {theirs[part]}")
            sys.exit(1)
    return len(a)


def copy(source, destination, word):
    with h5py.File(source, "r") as f, h5py.File(destination, "w") as g:
        f.copy("tree", g, name="copy", **options(word))


def same(path, word):
    with h5py.File(path, "r+") as f:
        f.copy("tree", f, name="copy", **options(word))


def edit(path, group):
    with h5py.File(path, "r+") as f:
        top = f[group]

        def change(name, o):
            o.attrs["edited"] = "by libhdf5"
            if isinstance(o, h5py.Group):
                o.create_group("made later")
            elif isinstance(o, h5py.Dataset) and o.maxshape and o.maxshape[0] is None:
                o.resize(o.shape[0] + 9, axis=0)
                if o.dtype == np.dtype("<i4"):
                    o[-9:] = 5
            elif isinstance(o, h5py.Dataset) and o.shape and h5py.check_string_dtype(o.dtype):
                o[0] = "changed"

        todo = []
        top.visititems(lambda name, o: todo.append((name, o)))
        for name, o in todo:
            change(name, o)
    with h5py.File(path, "r") as f:
        count = 0

        def check(name, o):
            nonlocal count
            assert name.endswith("made later") or o.attrs["edited"] == "by libhdf5", name
            if isinstance(o, h5py.Dataset) and o.shape is not None:
                o[()]
            count += 1

        f[group].visititems(check)
        print(count)


def members(source, destination):
    """Copies every member of the root group; gives the names of those that libhdf5 cannot copy."""
    refused = []
    with h5py.File(source, "r") as f, h5py.File(destination, "w") as g:
        for name in sorted(f.id, key=bytes):
            try:
                f.copy(name, g, name=name)
            except Exception:
                refused.append(name.decode("utf8", "surrogateescape"))
    return refused


def other(path):
    folder = os.path.dirname(path)
    np.arange(20, dtype="<i4").tofile(os.path.join(folder, "raw.bin"))
    with h5py.File(os.path.join(folder, "virtual source.h5"), "w") as f:
        f["d"] = np.arange(12)
    with h5py.File(path, "w", libver="v110") as f:
        tree = f.create_group("tree")
        layout = h5py.VirtualLayout((2, 12), "i8")
        for row in range(2):
            layout[row] = h5py.VirtualSource("virtual source.h5", "d", (12,))
        tree.create_virtual_dataset("virtual", layout, fillvalue=-1)
        parts = [("raw.bin", 0, 40), ("missing name.bin", 0, h5py.h5f.UNLIMITED)]
        tree.create_dataset("external", (20,), "<i4", external=parts)
        tree["external"].attrs["x"] = 1
        tree.create_dataset("filled", (3,), h5py.string_dtype(), fillvalue="fill me")


def read(path, group):
    os.chdir(os.path.dirname(path))
    with h5py.File(path, "r") as f:
        g = f[group]
        assert g["virtual"][()].tolist() == [list(range(12))] * 2
        assert g["virtual"].virtual_sources()[1].file_name == "virtual source.h5"
        assert g["external"][:10].tolist() == list(range(10))
        assert g["external"].external[1][0] == "missing name.bin"
        assert g["external"].attrs["x"] == 1
        assert g["filled"].asstr()[()].tolist() == ["fill me"] * 3


def narrow(path):
    sizes = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    sizes.set_sizes(4, 4)
    f = h5py.File(h5py.h5f.create(path.encode(), fcpl=sizes))
    numbers = f.create_group("tree/numbers")
    for i in range(12):
        numbers.attrs[f"attr {i}"] = np.arange(i + 1)
    numbers.create_dataset("growing", data=np.arange(100), chunks=(7,), maxshape=(None,), compression="gzip")
    numbers.create_dataset("block", data=np.arange(30.0).reshape(5, 6))
    numbers["again"] = numbers["block"]
    numbers["soft"] = h5py.SoftLink("block")
    f["words"] = ["one", "two words"]
    f["tree"].create_dataset("reference", data=numbers.ref, dtype=h5py.ref_dtype)
    f.close()


def numbers(path, group):
    with h5py.File(path, "r+") as f:
        g = f[group]
        g = g["numbers"] if "numbers" in g else g
        assert [len(g.attrs[f"attr {i}"]) for i in range(12)] == list(range(1, 13))
        assert g["growing"][:].tolist() == list(range(100))
        assert g["soft"][:].ravel().tolist() == list(range(30))
        assert g["again"] == g["block"]
        if "words" in f[group]:
            assert f[group + "/words"].asstr()[:].tolist() == ["one", "two words"]
            assert f[f[group + "/reference"][()]].name == "/tree/numbers"
        g["growing"].resize((200,))
        g["growing"][199] = 5


def foreign(listing, scratch):
    """For each line (a file, our copy of its members, the names we refused) compares with libhdf5's copy."""
    files = paths = both = 0
    with open(listing) as lines:
        for line in lines:
            source, ours, *refused = line.rstrip("\n").split("\t")
            try:
                theirs = members(source, scratch)
            except OSError:
                print("left out", source)
                continue
            for name in refused:
                if name not in theirs:
                    print("refused by us alone", source, name)
                    sys.exit(1)
            both += len(refused)
            files += 1
            paths += difference(ours, scratch, "/", "across", theirs)
    print(files, paths, both)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
