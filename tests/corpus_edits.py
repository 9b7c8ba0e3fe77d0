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
    touched, counted = {path}, set()
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
            counted = left_with_fewer_links(old[path], detail)
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
    headers = counted | {address for address, names in addresses.items() if touched & set(names)}
    return check_bytes(old_bytes, new_bytes, headers, base, grown)


def left_with_fewer_links(group, name):
    """The addresses of the objects that stay, but lose links with one of a group: its target, or what had its last links
    from there. Committed datatypes count who uses them."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return set()
    counts = {}

    def lose(o):
        info = h5py.h5o.get_info(o)
        counts[info.addr] = counts.get(info.addr, info.rc) - 1
        if counts[info.addr]:
            return
        for number in range(h5py.h5a.get_num_attrs(o)):
            lose_type(h5py.h5a.open(o, index=number).get_type())
        if isinstance(o, h5py.h5d.DatasetID):
            lose_type(o.get_type())
        elif isinstance(o, h5py.h5g.GroupID):
            for child in o:
                if o.links.get_info(child).type == h5py.h5l.TYPE_HARD:
                    lose(h5py.h5o.open(o, child))

    def lose_type(datatype):
        if datatype.committed():
            lose(datatype)

    lose(group[name].id)
    return {address for address, left in counts.items() if left}


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


class Superblock:
    """What the superblock says, and the bytes of it that an edit may change."""

    def __init__(self, data, base):
        new = data[base + 8] > 1
        at = base + (12 if new else 24 + 4 * data[base + 8])
        self.base, self.width, self.length = base, *data[base + (9 if new else 13):][:2]
        end = at + 2 * self.width
        self.end = unsigned(data, end, self.width)
        extension = unsigned(data, at + self.width, self.width)
        self.extension = base + extension if new and extension != 256**self.width - 1 else None
        # The mark of a writer, the end, and the checksum, or whether the entry of the root group names a symbol table.
        mark, sum_or_cache = ((11, 1), end + 2 * self.width) if new else ((20, 4), end + 4 * self.width)
        self.may = [(base + mark[0], base + sum(mark)), (end, end + self.width), (sum_or_cache, sum_or_cache + 4)]


def unsigned(data, at, width):
    return int.from_bytes(data[at:at + width], "little")


def messages(data, at, superblock):
    """The messages of a version 2 object header, and where its first block ends."""
    flags, width = data[at + 5], superblock.width
    start = at + 6 + 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
    head, first = 6 if flags & 4 else 4, 1 << (flags & 3)
    blocks, found, ends = [(start + first, unsigned(data, start, first))], [], None
    for start, size in blocks:
        end = start + size
        while start + head <= end:
            kind, size, body = data[start], unsigned(data, start + 1, 2), start + head
            start = body + size
            if kind == 0x10:
                block = superblock.base + unsigned(data, body, width)
                blocks.append((block + 4, unsigned(data, body + width, superblock.length) - 8))
            elif kind:
                found.append((kind, data[body - head + 3], data[body:start]))
        ends = ends or end + 4
    return sorted(found), ends


def check_extension(old, new, before):
    """The messages of a superblock extension stay as they are. But where managers of free space persist, the file space
    info says where the file ends, and which managers there are; and a table of shared messages may have moved."""
    after = Superblock(new, before.base)
    if after.extension != before.extension:
        return "the superblock extension is elsewhere"
    if before.extension is None:
        return None
    width, length = before.width, before.length
    left, right = (messages(data, before.extension, before)[0] for data in (old, new))
    if [kind for kind, _, _ in left] != [kind for kind, _, _ in right]:
        return "other messages in the superblock extension"
    for (kind, was_flags, was), (_, flags, now) in zip(left, right):
        may = (0, 0)
        if kind == 0x17 and was[0] == 1 and was[2]:
            may = (5 + 2 * length, len(was) if was[1] == 0 else 5 + 2 * length + width)
        elif kind == 0x0f:
            may = (1, 1 + width)
        same = was[:may[0]] == now[:may[0]] and was[may[1]:] == now[may[1]:]
        if was_flags != flags or not same:
            return f"message {kind:#x} of the superblock extension changed"
    return None


def lists_free_space(data, superblock):
    """Whether the file has no pages and its managers say what is free: that may be overwritten, and so may what the edit
    has freed, since the new managers are a commit of their own."""
    if superblock.extension is None:
        return False
    found, _ = messages(data, superblock.extension, superblock)
    managers = [info[5 + 2 * superblock.length + superblock.width:] for kind, _, info in found
                if kind == 0x17 and info[:3] == b"\1\0\1"]
    return any(addresses.strip(b"\xff") for addresses in managers)


def check_bytes(old, new, headers, base, grown):
    """No byte of the old file is another, but in the end in the superblock, the headers of what was touched and of heaps, and in
    chunks that grow. What stood beyond the end is overwritten only by what the file now holds."""
    before, after = Superblock(old, base), Superblock(new, base)
    if lists_free_space(old, before):
        return check_extension(old, new, before)
    if len(new) < len(old):
        tail = old[len(new):]
        if tail.strip(b"\0") or len(new) < after.end:
            return f"{len(tail)} bytes cut off"
    may = grown + before.may + [(before.end, after.end)]
    if before.extension is not None:
        _, end = messages(old, before.extension, before)
        may.append((before.extension, min(before.extension + CELL, end)))
    may += ((base + address, base + address + CELL) for address in headers)
    may += ((found.start(), found.start() + HEAP) for found in re.finditer(b"FRHP", old))
    for at in range(0, min(len(old), len(new)), 4096):
        if old[at:at + 4096] == new[at:at + 4096]:
            continue
        for i in range(at, min(at + 4096, len(old), len(new))):
            if old[i] != new[i] and not any(start <= i < end for start, end in may):
                return f"byte {i} changed from {old[i]:#x} to {new[i]:#x}"
    return check_extension(old, new, before)


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
