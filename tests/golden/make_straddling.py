"""Makes straddling_*.h5.z: files of libhdf5 in which the header of every object but the root group crosses the edge of a
512-byte sector, or of a page of 4,096 bytes: of its first 31 bytes, `b` lie before the edge, as its name says. h5py makes the
file; then each header moves behind the end of the file, to the address that is wanted, and what led to it leads there.

    python make_straddling.py
"""

import pathlib
import struct
import zlib

import h5py
import numpy as np

GROUPS = ("one", "two", "one/three", "one/three/four")
here = pathlib.Path(__file__).parent


def lookup3(data):
    """The checksum of the format: hashlittle of Bob Jenkins' lookup3.c, with the initial value 0."""
    mask, rot = 0xFFFFFFFF, lambda value, by: ((value << by) | (value >> (32 - by))) & 0xFFFFFFFF
    a = b = c = (0xDEADBEEF + len(data)) & mask
    at = 0
    while len(data) - at > 12:
        x, y, z = struct.unpack_from("<3I", data, at)
        a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
        a = (a - c) & mask ^ rot(c, 4); c = (c + b) & mask
        b = (b - a) & mask ^ rot(a, 6); a = (a + c) & mask
        c = (c - b) & mask ^ rot(b, 8); b = (b + a) & mask
        a = (a - c) & mask ^ rot(c, 16); c = (c + b) & mask
        b = (b - a) & mask ^ rot(a, 19); a = (a + c) & mask
        c = (c - b) & mask ^ rot(b, 4); b = (b + a) & mask
        at += 12
    if at == len(data):
        return c
    x, y, z = struct.unpack("<3I", data[at:].ljust(12, b"\0"))
    a, b, c = (a + x) & mask, (b + y) & mask, (c + z) & mask
    c = ((c ^ b) - rot(b, 14)) & mask
    a = ((a ^ c) - rot(c, 11)) & mask
    b = ((b ^ a) - rot(a, 25)) & mask
    c = ((c ^ b) - rot(b, 16)) & mask
    a = ((a ^ c) - rot(c, 4)) & mask
    b = ((b ^ a) - rot(a, 14)) & mask
    return ((c ^ b) - rot(b, 24)) & mask


def header_size(raw, addr):
    """Of the first block of an object header, of version 1 or 2."""
    if raw[addr : addr + 4] != b"OHDR":
        return 16 + struct.unpack_from("<I", raw, addr + 8)[0]
    flags, at = raw[addr + 5], addr + 6
    at += 16 if flags & 0x20 else 0
    at += 4 if flags & 0x10 else 0
    width = 1 << (flags & 3)
    return at + width + int.from_bytes(raw[at : at + width], "little") + 4 - addr


def seal(raw, start, size):
    struct.pack_into("<I", raw, start + size - 4, lookup3(bytes(raw[start : start + size - 4])))


def move(raw, old, new, headers):
    size = header_size(raw, old)
    raw.extend(bytes(new + size - len(raw)))
    raw[new : new + size] = raw[old : old + size]
    raw[old : old + size] = b"\xee" * size
    pointer, found = struct.pack("<Q", old), 0
    at = raw.find(pointer)
    while at >= 0:
        before, found_before = bytes(raw), found
        struct.pack_into("<Q", raw, at, new)
        # A header of version 2 has a checksum.
        for addr in headers:
            if raw[addr : addr + 4] == b"OHDR" and addr <= at < addr + header_size(raw, addr):
                seal(raw, addr, header_size(raw, addr))
                found += 1
        block = raw.rfind(b"OCHK", 0, at)
        if block >= 0:
            # The message that continues there says how long it is.
            named = raw.find(struct.pack("<Q", block))
            length = struct.unpack_from("<Q", raw, named + 8)[0] if named >= 0 else 0
            if at < block + length:
                seal(raw, block, length)
                found += 1
        if raw[8] < 2:
            found += 1
        elif found == found_before:
            # Not a link, but bytes like it.
            raw[:] = before
        at = raw.find(pointer, at + 1)
    assert found == 1, found
    return size


def name_end(raw):
    if raw[8] >= 2:
        struct.pack_into("<Q", raw, 28, len(raw))
        seal(raw, 0, 48)
    else:
        struct.pack_into("<Q", raw, 40, len(raw))


def fill(file, phases):
    file.attrs["rate"] = 2.5
    # Few links for each, or they would be in dense storage.
    parents = [file["/"]] + [file.create_group(name) for name in GROUPS]
    for number, (edge, before) in enumerate(phases):
        name, parent = "k%d e%d b%02d" % (number % 4, edge, before), parents[number % len(parents)]
        if number % 4 == 0:
            node = parent.create_dataset(name, data=np.arange(6.0) + number, maxshape=(None,), chunks=(4,))
        elif number % 4 == 1:
            node = parent.create_dataset(name, (3,), maxshape=(None,), chunks=(4,), dtype=h5py.string_dtype())
            node[:] = ["a %d" % number, "b" * 30, "c"]
        elif number % 4 == 2:
            node = parent.create_dataset(name, data=np.arange(20, dtype="<i4") + number)
        else:
            node = parent.create_group(name)
            node["x"] = np.float64(number)
        node.attrs["id"] = np.int64(1000 + number)
        node.attrs["text"] = "of %d" % number


def make(path, phases, **options):
    with h5py.File(path, "w", **options) as file:
        fill(file, phases)
        found = [("/", file["/"].id)]
        file.visititems(lambda name, node: found.append((name, node.id)))
        at = {name: h5py.h5o.get_info(node).addr for name, node in found}
    raw = bytearray(path.read_bytes())
    wanted = {name: tuple(int(word[1:]) for word in name.split("/")[-1].split()[1:]) for name in at if " b" in name.split("/")[-1]}
    wanted.update({name: (512, 13 + 4 * number) for number, name in enumerate(GROUPS)})
    if options["libver"] == "earliest":
        wanted.update({name: (512, 8 * (1 + number % 3)) for number, name in enumerate(GROUPS)})
    for name, (edge, before) in wanted.items():
        new = -(-(len(raw) + before) // edge) * edge - before
        move(raw, at[name], new, at.values())
        at[name] = new
    name_end(raw)
    path.write_bytes(raw)
    with h5py.File(path, "r") as file:
        for name, (edge, before) in wanted.items():
            assert h5py.h5o.get_info(file[name].id).addr % edge == edge - before
            assert name in GROUPS or file[name].attrs["text"].startswith("of ")
            assert isinstance(file[name], h5py.Group) or file[name][()].size > 1
    packed = zlib.compress(bytes(raw), 9)
    path.with_suffix(".h5.z").write_bytes(packed)
    path.unlink()
    print(path.name, len(raw), len(packed), len(wanted))


def main():
    phases = [(512, before) for before in range(1, 31, 2)] + [(4096, before) for before in (3, 8, 17, 26)]
    eights = [(512, before) for before in (8, 16, 24) * 4] + [(4096, before) for before in (8, 16, 24, 8)]
    make(here / "straddling_earliest.h5", eights, libver="earliest")
    make(here / "straddling_v108.h5", phases, libver=("v108", "v108"))
    make(here / "straddling_v110.h5", phases, libver=("v110", "v110"))


if __name__ == "__main__":
    main()
