"""What a stock writer does with a file after a death; worker.py, which runs after this text, asks for it.

V  a line for each hard link: address, `id` attribute, checksum, count of links, kind, path; for other links what they say
A  libhdf5 opens the file for writing and edits all of it; what is read afterwards must be as a model in memory says
"""

import os
import random
import signal
import sys
import zlib

# A file in memory, where the system has such a place: libhdf5 is slow on files that Python reads and writes for it.
place = os.path.join(sys.argv[1], "image.h5")


def put(image):
    with open(place, "wb") as file:
        file.write(image)


def id_of(node):
    """The number that a workload gave the object when it made it: an address may be taken by another object later."""
    if not h5a.exists(node, b"id"):
        return "-"
    attribute = h5a.open(node, b"id")
    if attribute.shape != () or attribute.dtype != np.dtype("<i8"):
        return "-"
    value = np.empty((), dtype=attribute.dtype)
    attribute.read(value)
    return str(int(value))


def hard_links(group):
    """The names and objects of the hard links of a group, in the order of names, and what its other links say."""
    hard, others = [], []
    for name in sorted(group):
        info = group.links.get_info(name)
        if info.type == h5py.h5l.TYPE_HARD:
            hard.append((name, h5o.open(group, name)))
        else:
            others.append((name, b"\0".join(np.ravel(group.links.get_val(name)))))
    return hard, others


def view_object(node, path, lines):
    info = h5o.get_info(node)
    is_group = isinstance(node, h5g.GroupID)
    raw = (b"G" if is_group else dataset(node)) + attributes(node)
    words = (info.addr, id_of(node), zlib.crc32(raw), info.rc, "G" if is_group else "D", path or "/")
    lines.append("%d %s %d %d %s %s" % words)
    if not is_group:
        return
    hard, others = hard_links(node)
    for name, target in others:
        lines.append("0 - %d 0 L %s/%s" % (zlib.crc32(target), path, name.decode()))
    for name, child in hard:
        view_object(child, path + "/" + name.decode(), lines)


def view(image):
    lines = ["ok"]
    put(image)
    with h5py.File(place, "r") as file:
        view_object(h5g.open(file.id, b"/"), "", lines)
    return "\n".join(lines)


def same_values(one, other):
    if one.shape != other.shape:
        return False
    if one.dtype.kind != "O":
        return one.tobytes() == other.tobytes()
    return all(np.array_equal(a, b) for a, b in zip(one.ravel(), other.ravel()))


class Model:
    """What a file holds: the values and attributes of every object by its address, and the hard links of every group."""

    def __init__(self, file):
        self.values, self.attributes, self.links = {}, {}, {}
        self.growable, self.writable = [], []
        self.root = h5o.get_info(file["/"].id).addr
        self.visit(h5g.open(file.id, b"/"))

    def visit(self, node):
        addr = h5o.get_info(node).addr
        if addr in self.attributes:
            return addr
        self.attributes[addr] = {}
        for number in range(h5a.get_num_attrs(node)):
            attribute = h5a.open(node, index=number)
            self.attributes[addr][attribute.name] = attribute_value(attribute)
        if isinstance(node, h5d.DatasetID):
            node = h5py.Dataset(node)
            if node.is_virtual:
                # It shows what its sources hold, which are edited.
                return addr
            self.values[addr] = np.asarray(node[()])
            if node.maxshape != node.shape and can_make(node.dtype):
                self.growable.append(addr)
        elif isinstance(node, h5g.GroupID):
            self.links[addr] = {}
            for name, child in hard_links(node)[0]:
                self.links[addr][name] = self.visit(child)
        return addr

    def paths(self):
        """A path to every object."""
        found, queue = {self.root: "/"}, [self.root]
        while queue:
            at = queue.pop()
            for name, child in self.links.get(at, {}).items():
                if child not in found:
                    found[child] = found[at].rstrip("/") + "/" + name.decode()
                    queue.append(child)
        return found

    def differs(self, other):
        mine, others = self.paths(), other.paths()
        for addr, path in mine.items():
            if addr not in others:
                return "%s is lost" % path
            if self.links.get(addr) != other.links.get(addr):
                return "%s has other links: %s, not %s" % (path, other.links.get(addr), self.links.get(addr))
            if self.attributes[addr] != other.attributes[addr]:
                return "%s has other attributes: %s, not %s" % (
                    path, other.attributes[addr], self.attributes[addr])
            if addr in self.values and not same_values(self.values[addr], other.values[addr]):
                return "%s has other values: %r, not %r" % (path, other.values[addr], self.values[addr])
        return "objects that nobody made" if others.keys() - mine.keys() else None


def attribute_value(attribute):
    dtype = attribute.dtype
    if dtype.kind in "iufS" or (dtype.kind == "O" and h5py.check_string_dtype(dtype) is not None):
        array = np.empty(attribute.shape, dtype=dtype)
        attribute.read(array)
        return str(array.tolist())
    # Of other types only that they are there.
    return str(attribute.shape)


def can_make(dtype):
    if dtype.kind != "O":
        return dtype.kind in "iufS"
    return h5py.check_string_dtype(dtype) is not None or h5py.check_vlen_dtype(dtype) is not None


def make_values(rng, dtype, shape):
    """Values of their own, so that one that is read in another's place shows."""
    count = int(np.prod(shape))
    word = lambda: "".join(rng.choice("abcdefghij") for _ in range(rng.randint(0, 60)))
    if dtype.kind != "O":
        if dtype.kind == "S":
            return np.array([word()[: dtype.itemsize].encode() for _ in range(count)], dtype=dtype).reshape(shape)
        return np.array([rng.randint(0, 100) for _ in range(count)], dtype=dtype).reshape(shape)
    made = np.empty(count, dtype=object)
    is_text = h5py.check_string_dtype(dtype) is not None
    for at in range(count):
        if is_text:
            made[at] = ("%s %d" % (word(), rng.randint(0, 10**9))).encode()
        else:
            made[at] = np.arange(rng.randint(1, 9), dtype=h5py.check_vlen_dtype(dtype)) + rng.randint(0, 90)
    return made.reshape(shape)


def append_to(file, model, addr, path, rng):
    node, old = file[path], model.values[addr]
    axes = [a for a, (dim, most) in enumerate(zip(node.shape, node.maxshape)) if most is None or most > dim]
    axis = rng.choice(axes)
    most = node.maxshape[axis]
    more = rng.randint(1, 4) if most is None else min(rng.randint(1, 4), most - node.shape[axis])
    shape = list(node.shape)
    shape[axis] += more
    node.resize(shape)
    part = list(shape)
    part[axis] = more
    new = make_values(rng, node.dtype, part)
    if new.size:
        node[tuple(slice(old.shape[a] if a == axis else 0, dim) for a, dim in enumerate(shape))] = new
    model.values[addr] = np.concatenate([old, new], axis=axis)


def set_attributes(file, model, addr, path, rng):
    attributes, kept = file[path].attrs, model.attributes[addr]
    names = [name for name in kept if name != b"id" and not name.startswith(b"_")]
    known = (b"CLASS", b"NAME", b"DIMENSION_LIST", b"REFERENCE_LIST")
    names = [name for name in names if name not in known]
    if names:
        name = rng.choice(names)
        value = rng.randint(0, 10**6)
        attributes[name.decode()] = np.int64(value)
        kept[name] = str(value)
    value = make_values(rng, h5py.string_dtype(), ())[()]
    attributes["of libhdf5"] = value.decode()
    kept[b"of libhdf5"] = str(value)


def make_objects(file, model, addr, path, rng):
    group, links = file[path], model.links[addr]
    name = "made %d" % rng.randint(0, 10**9)
    inner = group.create_group(name)
    names = inner.create_dataset("names", (0,), maxshape=(None,), chunks=(4,), dtype=h5py.string_dtype())
    numbers = inner.create_dataset("numbers", data=np.arange(9.0), maxshape=(None,), chunks=(4,))
    names.resize((3,))
    texts = make_values(rng, names.dtype, (3,))
    names[:] = texts
    at = [h5o.get_info(node.id).addr for node in (inner, names, numbers)]
    links[name.encode()] = at[0]
    model.links[at[0]] = {b"names": at[1], b"numbers": at[2]}
    model.values.update({at[1]: texts, at[2]: np.arange(9.0)})
    model.attributes.update({one: {} for one in at})


def take_out(file, model, addr, path, rng):
    """One link goes, and one gets another name."""
    links = model.links[addr]
    names = [name for name in links if not name.startswith(b"made")]
    if names:
        name = rng.choice(names)
        del file[path][name.decode()]
        del links[name]
        names.remove(name)
    if names:
        name = rng.choice(names)
        new = "renamed %d" % rng.randint(0, 10**9)
        file[path].move(name.decode(), new)
        links[new.encode()] = links.pop(name)


def edit_all(file, model, rng, seed):
    some = lambda all, count: rng.sample(sorted(all), min(count, len(all)))
    order = sorted(model.growable, reverse=bool(seed & 1))
    paths = model.paths()
    for addr in order:
        append_to(file, model, addr, paths[addr], rng)
    for addr in some(model.attributes, 5):
        set_attributes(file, model, addr, paths[addr], rng)
    strategy, persists, _ = file.id.get_create_plist().get_file_space_strategy()
    if strategy == h5f.FSPACE_STRATEGY_PAGE and persists:
        # libhdf5 2.0 and 1.12 may never return from closing such a file, of its own too, after objects were made.
        return len(order)
    groups = sorted(set(some(model.links, 3)) | {model.root})
    for addr in groups:
        make_objects(file, model, addr, paths[addr], rng)
    for addr in groups:
        paths = model.paths()
        if addr in paths:
            take_out(file, model, addr, paths[addr], rng)
    return len(order)


def go_on(seed, image):
    rng = random.Random(seed)
    put(image)
    with h5py.File(place, "r") as file:
        model = Model(file)
    with h5py.File(place, "r+") as file:
        appends = edit_all(file, model, rng, seed)
    for turn in ("", " at the second time"):
        with h5py.File(place, "r") as file:
            found = Model(file)
        wrong = model.differs(found)
        if wrong:
            return "error after edits of libhdf5%s: %s" % (turn, wrong)
        if turn:
            break
        # Some libraries show what they have broken only when they go on.
        model = found
        with h5py.File(place, "r+") as file:
            appends += edit_all(file, model, rng, seed >> 1)
    return "ok %d" % appends
