"""Whether an edit changed what it was to change and nothing else, as h5py and the bytes say.

usage: corpus_edits.py DIGEST.PY     each line of the input is an edited file: the file before, the file after, the verb,
the object's path and a detail (these two in hex), parted by tabs. Answers each with a line: nothing, or what is wrong.
"""
import ctypes
import importlib.util
import re
import sys

import h5py
import numpy as np

spec = importlib.util.spec_from_file_location("digest", sys.argv[1])
digest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(digest)
canon_one = digest.canon


def canon(value, depth=0):
    """As in a digest; compounds a member at a time, not an element at a time."""
    if isinstance(value, np.ndarray) and value.dtype.names:
        members = (repr(name) + canon(value[name]) for name in value.dtype.names)
        return "(" + ",".join(members) + ")" + str(value.shape)
    return canon_one(value, depth)


digest.canon = canon

# What the library rewrites in place of a header that others wrote is no longer: what stands before the messages (34 bytes
# with times, phase changes and a size of 8 bytes), a message that names the rest (22), and the checksum of version 2.
CELL = 60
# A heap of links or attributes stays where it is, and so do its first bytes.
HEAP = 146
# Objects of a file that are all read again after each edit. Of more, those are that may have changed.
FEW = 200
NEW = "made by h5quill"
known = {}

# h5py's own function for it gives memory that is freed already.
get_comment = ctypes.CDLL(h5py.h5o.__file__).H5Oget_comment
get_comment.argtypes = [ctypes.c_int64, ctypes.c_char_p, ctypes.c_size_t]
get_comment.restype = ctypes.c_ssize_t


def comment(o):
    buffer = ctypes.create_string_buffer(1000)
    return buffer.value if get_comment(o.id.id, buffer, 1000) >= 0 else None


def walk(file):
    """The names of each object, by address."""
    addresses = {}

    def below(group, name):
        address = h5py.h5o.get_info(group.id).addr
        addresses.setdefault(address, []).append(name)
        if len(addresses[address]) > 1 or not isinstance(group, h5py.Group):
            return
        for child in group:
            try:
                if isinstance(group.get(child, getlink=True), h5py.HardLink):
                    below(group[child], name.rstrip("/") + "/" + child)
            except Exception:
                pass

    below(file["/"], "/")
    return addresses


def before_of(path):
    """The digest of a file and what it was made of, the address of each object, the bytes, and where they begin."""
    if path not in known:
        known.clear()
        with h5py.File(path, "r") as file:
            base = file.id.get_create_plist().get_userblock()
            addresses = walk(file)
        parts = {}
        known[path] = read(path, parts, {}), parts, addresses, open(path, "rb").read(), base
    return known[path]


def read(path, parts, same):
    """The digest of a file. Of an object that is known to be the same, it is made of what it was made of."""
    one = digest.one

    def one_or_same(o):
        if o.name in same and h5py.h5o.get_info(o.id).addr == same[o.name]:
            return parts[o.name]
        parts[o.name] = one(o)
        return parts[o.name]

    digest.one = one_or_same
    try:
        return digest.main(path)
    finally:
        digest.one = one


def read_again(path, old, new_bytes):
    """The digest of an edited file. Of many objects, those are not read again whose header is where it was, byte for
    byte, where all heaps begin as they did: `check_bytes` says that what such a header names is as it was, too."""
    _, parts, addresses, old_bytes, base = old
    same = {}
    heaps = (found.start() for found in re.finditer(b"FRHP", old_bytes))
    if len(parts) >= FEW and all(old_bytes[at:at + HEAP] == new_bytes[at:at + HEAP] for at in heaps):
        for address, names in addresses.items():
            at = base + address
            if old_bytes[at:at + CELL] == new_bytes[at:at + CELL]:
                same.update((name, address) for name in names if name in parts)
    return read(path, dict(parts), same)


def attributes(o):
    """The attributes as a digest has them, by name."""
    found = {}
    for i in range(h5py.h5a.get_num_attrs(o.id)):
        name = h5py.h5a.open(o.id, index=i).name
        try:
            found[name] = digest.canon(o.attrs[name.decode("utf8", "surrogateescape")])
        except Exception as error:
            found[name] = type(error).__name__
    return found


def same_but_attribute(old, new, name):
    """Two objects, equal but for one attribute."""
    a, b = digest.one(old), digest.one(new)
    left, right = attributes(old), attributes(new)
    name = name.encode("utf8")
    left.pop(name, None)
    right.pop(name, None)
    return a[:-1] == b[:-1] and left == right


def same_part(old, new):
    """Two datasets, equal where both have elements and in all but the extent."""
    most = int(4e6 ** (1 / max(1, len(old.shape))))
    part = tuple(slice(0, min(x, y, most)) for x, y in zip(old.shape, new.shape))
    a, b = digest.one(old), digest.one(new)
    values = digest.canon(old[part]) == digest.canon(new[part])
    return values and (a[0], a[1], a[3], a[5]) == (b[0], b[1], b[3], b[5])


def same_copy(old, new):
    """An object and its copy, with all below."""
    if isinstance(old, h5py.Dataset) and old.dtype.kind == "O" and h5py.check_ref_dtype(old.dtype):
        return digest.one(old)[:4] == digest.one(new)[:4]
    if digest.one(old) != digest.one(new):
        return False
    if not isinstance(old, h5py.Group):
        return True
    if list(old) != list(new):
        return False
    for name in old:
        link = old.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            other = new.get(name, getlink=True)
            if type(link) is not type(other) or vars(link) != vars(other):
                return False
        elif not same_copy(old[name], new[name]):
            return False
    return True


def child(path, name):
    return path.rstrip("/") + "/" + name


def check(old_path, new_path, verb, path, detail):
    before = before_of(old_path)
    old_digest, _, addresses, old_bytes, base = before
    with open(new_path, "rb") as file:
        new_bytes = file.read()
    new_digest = read_again(new_path, before, new_bytes)
    aliases = next((names for names in addresses.values() if path in names), [path])
    changed = {name for name in old_digest if new_digest.get(name) != old_digest[name]}
    added = set(new_digest) - set(old_digest)
    touched = {path}
    detail, _, source = detail.partition("\0")
    with h5py.File(old_path, "r") as old, h5py.File(new_path, "r") as new:
        if verb in ("set attribute", "set text attribute", "replace attribute", "delete attribute"):
            if not changed <= set(aliases) or added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
            if not same_but_attribute(old[path], new[path], detail):
                return "more than the attribute changed"
            if verb == "delete attribute":
                if detail in new[path].attrs:
                    return "the attribute is there"
            elif verb == "set text attribute":
                if list(new[path].attrs[detail]) != ["some", "text"]:
                    return "the attribute is wrong"
            elif new[path].attrs[detail] != 7:
                return "the attribute is wrong"
        elif verb in ("rename attribute", "comment"):
            if not changed <= set(aliases) or added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
            if verb == "comment":
                if changed or comment(old[path]) == detail.encode() or comment(new[path]) != detail.encode():
                    return f"the comment is {comment(new[path])}, or more changed"
            else:
                was, now = attributes(old[path]), attributes(new[path])
                was[NEW.encode()] = was.pop(detail.encode("utf8"))
                if was != now or digest.one(old[path])[:-1] != digest.one(new[path])[:-1]:
                    return "more than the name of the attribute changed"
        elif verb == "relink":
            moved = {name for name in old_digest for alias in aliases
                     if (name + "/").startswith(child(alias, detail) + "/")}
            renamed = {}
            for name in moved:
                for alias in aliases:
                    top = child(alias, detail)
                    if (name + "/").startswith(top + "/"):
                        renamed[child(alias, NEW) + name[len(top):]] = old_digest[name]
            # A group with several names is walked below the first of them only.
            order = len(addresses) != len([n for names in addresses.values() for n in names])
            if not order and (changed != moved or {n: new_digest[n] for n in added} != renamed):
                return f"changed {sorted(changed - moved)[:3]}, added {sorted(added)[:3]}"
            if detail in new[path] or new[path].get(NEW, getlink=True) is None:
                return "the link has not moved"
            touched.update(moved)
        elif verb in ("overwrite attribute", "rewrite", "make and unlink"):
            if changed or added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
        elif verb in ("append", "resize up", "resize down"):
            if not changed <= set(aliases) or added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
            try:
                old[path][tuple(slice(0, 1) for _ in old[path].shape)]
            except OSError:
                return None if old[path].maxshape == new[path].maxshape else "the maximum changed"
            if not same_part(old[path], new[path]):
                return "old values changed"
            if verb == "append":
                if new[path].shape[int(detail)] != old[path].shape[int(detail)] + 1:
                    return "not one more row"
            elif str(list(new[path].shape)) != detail:
                return "another extent"
        elif verb == "unlink":
            gone = child(path, detail)
            below = {name for name in old_digest for alias in aliases
                     if (name + "/").startswith(child(alias, detail) + "/")}
            if not changed <= below or added:
                return f"changed {sorted(changed - below)[:3]}, added {sorted(added)[:3]}"
            if gone in new_digest:
                return "the link is there"
            touched.add(gone)
        else:
            new_names = {child(alias, detail) for alias in aliases}
            below = {name for name in added if any((name + "/").startswith(top + "/") for top in new_names)}
            if verb == "link hard":
                # A group with two names is walked below the first of them.
                again = {new_digest[name] for name in below}
                changed = {name for name in changed if name in new_digest or old_digest[name] not in again}
            if changed or added != below or not added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
            made = new[path].get(detail, getlink=True)
            if verb == "link external" and (made.filename, made.path) != ("other.h5", "/x"):
                return "the link is wrong"
            if verb == "commit datatype" and str(new[path][detail].dtype) != "[('x', '<f8'), ('y', '<f8')]":
                return "the datatype is wrong"
            if source and not same_copy(old[path][source], new[path][detail]):
                return "the copy differs"
            if verb == "create group" and new[path][detail].attrs["a"] != 1:
                return "the group has no attribute"
            if verb == "create dataset" and new[path][detail][()].tolist() != [[1, 2, 3], [4, 5, 6]]:
                return "the dataset is wrong"
            if verb == "link soft" and made.path != "/nowhere":
                return "the link is wrong"
            if verb == "link hard":
                target = h5py.h5o.get_info(new[path][detail].id).addr
                touched.update(addresses[target])
    if not any(path in names for names in addresses.values()):
        # Of a damaged object h5py does not say where it is.
        return None
    grown = beyond_extent(old_path, path) if verb in ("append", "resize up") else []
    return check_bytes(old_bytes, new_bytes, addresses, touched, base, verb == "unlink", grown)


def beyond_extent(path, name):
    """The chunks of a dataset that reach beyond its extent: rows are written behind those that are there. That these are
    as they were, `same_part` says."""
    with h5py.File(path, "r") as file:
        data = file[name]
        chunks = [data.id.get_chunk_info(number) for number in range(data.id.get_num_chunks())]
        return [
            (chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in chunks
            if any(at + dim > end for at, dim, end in zip(chunk.chunk_offset, data.chunks, data.shape))
        ]


def check_bytes(old, new, addresses, touched, base, everything, grown):
    """No byte of the old file is another, but in the superblock, the headers of what was touched and of heaps, and in
    chunks that grow."""
    if len(new) < len(old):
        tail = old[len(new):]
        if tail.strip(b"\0"):
            return f"{len(tail)} bytes cut off"
    version, width = old[base + 8], old[base + (9 if old[base + 8] > 1 else 13)]
    may = grown + [(base, base + (16 + 4 * width if version > 1 else 48 + 4 * version + 6 * width))]
    end = int.from_bytes(old[base + (12 + 2 * width if version > 1 else 24 + 4 * version + 2 * width):][:width], "little")
    if version > 1:
        # The superblock extension, which may say where the file ends.
        extension = base + int.from_bytes(old[base + 12 + width:][:width], "little")
        may.append((extension, extension + CELL))
    for address, names in addresses.items():
        # What is unlinked had a share in other objects, such as committed datatypes.
        if everything or touched & set(names):
            may.append((base + address, base + address + CELL))
    for found in re.finditer(b"FRHP", old):
        may.append((found.start(), found.start() + HEAP))
    common = min(len(old), len(new), end)
    at = 0
    while at < common:
        if old[at:at + 4096] == new[at:at + 4096]:
            at += 4096
            continue
        for i in range(at, min(at + 4096, common)):
            if old[i] != new[i] and not any(start <= i < end for start, end in may):
                return f"byte {i} changed from {old[i]:#x} to {new[i]:#x}"
        at += 4096
    return None


def main():
    for line in sys.stdin:
        old, new, verb, path, detail = line.rstrip("\n").split("\t")
        path, detail = (bytes.fromhex(text).decode("utf8") for text in (path, detail))
        try:
            wrong = check(old, new, verb, path, detail)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        print((wrong or "").replace("\n", " "), flush=True)


main()
