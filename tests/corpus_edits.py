"""Whether an edit changed what it was to change and nothing else, as h5py and the bytes say.

usage: corpus_edits.py DIGEST.PY LIST     LIST has a line for each edited file: the file before, the file after, the verb,
the object's path and a detail (these two in hex), parted by tabs. Prints a line for each that is wrong: its number, why.
"""
import importlib.util
import re
import sys
import time

import h5py

spec = importlib.util.spec_from_file_location("digest", sys.argv[1])
digest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(digest)

known = {}


def before_of(path):
    """The digest of a file, the address of each object, and its bytes."""
    if path not in known:
        known.clear()
        addresses = {}
        with h5py.File(path, "r") as file:
            base = file.id.get_create_plist().get_userblock()

            def walk(group, name, depth=0):
                address = h5py.h5o.get_info(group.id).addr
                addresses.setdefault(address, []).append(name)
                if len(addresses[address]) > 1 or not isinstance(group, h5py.Group):
                    return
                for child in group:
                    try:
                        if isinstance(group.get(child, getlink=True), h5py.HardLink):
                            walk(group[child], name.rstrip("/") + "/" + child)
                    except Exception:
                        pass

            walk(file["/"], "/")
        known[path] = digest.main(path), addresses, open(path, "rb").read(), base
    return known[path]


def attributes(text):
    """The attributes of a digest, by name."""
    return dict(re.match("([0-9a-f]*)([=!].*)", part, re.S).groups() for part in text.split("|") if part)


def same_but_attribute(old, new, name):
    """Two objects, equal but for one attribute."""
    a, b = digest.one(old), digest.one(new)
    left, right = attributes(a[-1]), attributes(b[-1])
    name = name.encode("utf8").hex()
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


def child(path, name):
    return path.rstrip("/") + "/" + name


def check(old_path, new_path, verb, path, detail):
    old_digest, addresses, old_bytes, base = before_of(old_path)
    new_digest = digest.main(new_path)
    aliases = next((names for names in addresses.values() if path in names), [path])
    changed = {name for name in old_digest if new_digest.get(name) != old_digest[name]}
    added = set(new_digest) - set(old_digest)
    touched = {path}
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
            if changed or added != below or not added:
                return f"changed {sorted(changed)[:3]}, added {sorted(added)[:3]}"
            made = new[path].get(detail, getlink=True)
            if verb == "create group" and new[path][detail].attrs["a"] != 1:
                return "the group has no attribute"
            if verb == "create dataset" and new[path][detail][()].tolist() != [[1, 2, 3], [4, 5, 6]]:
                return "the dataset is wrong"
            if verb == "link soft" and made.path != "/nowhere":
                return "the link is wrong"
            if verb == "link hard":
                target = h5py.h5o.get_info(new[path][detail].id).addr
                touched.update(addresses[target])
    new_bytes = open(new_path, "rb").read()
    return check_bytes(old_bytes, new_bytes, addresses, touched, base)


def check_bytes(old, new, addresses, touched, base):
    """No byte of the old file is another, but in the superblock, the headers of what was touched and of heaps."""
    if len(new) < len(old):
        tail = old[len(new):]
        if tail.strip(b"\0"):
            return f"{len(tail)} bytes cut off"
    may = [(base, base + 512)]
    for address, names in addresses.items():
        if touched & set(names):
            may.append((base + address, base + address + 48))
    for found in re.finditer(b"FRHP", old):
        may.append((found.start(), found.start() + 146))
    common = min(len(old), len(new))
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
    times = {}
    for number, line in enumerate(open(sys.argv[2], encoding="utf8")):
        old, new, verb, path, detail = line.rstrip("\n").split("\t")
        path, detail = (bytes.fromhex(text).decode("utf8") for text in (path, detail))
        start = time.time()
        try:
            wrong = check(old, new, verb, path, detail)
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        times[old] = times.get(old, 0) + time.time() - start
        if wrong:
            print(number, wrong.replace("\n", " "))
    for old, spent in sorted(times.items(), key=lambda item: -item[1])[:3]:
        print(f"{spent:.1f} s: {old}", file=sys.stderr)


main()
