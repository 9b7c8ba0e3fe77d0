"""Makes the golden bytes of datasets whose data are elsewhere: h5py 3.16 on libhdf5 2.0, files for HDF5 1.10.

outside/virtual.bin is the heap block of `mappings`, external.bin the message with the list of external files,
external_heap.bin the local heap of their names, and *-layout.bin and *-fill.bin the messages beside them."""

import os
import struct

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "outside")
TEMPORARY = os.path.join(HERE, "outside.tmp.h5")
UNLIMITED = h5s.UNLIMITED
os.makedirs(FOLDER, exist_ok=True)


def write(name, data):
    with open(os.path.join(FOLDER, name), "wb") as out:
        out.write(data)


def file_bytes(build):
    with h5py.File(TEMPORARY, "w", libver=("v110", "v110")) as file:
        addr = build(file)
    with open(TEMPORARY, "rb") as made:
        data = made.read()
    os.remove(TEMPORARY)
    return data, addr


def messages(data, addr):
    """The messages of an object header of version 2 in one chunk, by type."""
    assert data[addr : addr + 4] == b"OHDR" and data[addr + 4] == 2
    flags = data[addr + 5]
    at = addr + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(data[at : at + width], "little")
    at += width
    end, found = at + size, {}
    while at + 4 <= end:
        kind, length = data[at], struct.unpack_from("<H", data, at + 1)[0]
        at += 6 if flags & 4 else 4
        found[kind] = data[at : at + length]
        at += length
    return found


def space(dims, maximum, slab=None):
    made = h5s.create_simple(dims, maximum)
    if slab:
        start, count, stride, block = slab
        made.select_hyperslab(start, count, stride, block)
    return made


# file, dataset, source space, virtual space; the virtual dataset is (0.., 40). As in src/builder/outside/tests.rs.
def mappings():
    grows = (UNLIMITED, 40)
    one = lambda *numbers: numbers
    return [
        # Limited, of few blocks: a list of them.
        (b"a.h5", b"/g/x", space((10, 6), None, (one(2, 1), one(1, 1), one(1, 1), one(3, 2))),
         space((9, 40), grows, (one(4, 30), one(1, 1), one(1, 1), one(3, 2)))),
        # Of three blocks, and of four.
        (b"a.h5", b"/g/x", space((10, 6), None, (one(0, 0), one(1, 3), one(1, 2), one(2, 1))),
         space((9, 40), grows, (one(0, 20), one(1, 3), one(1, 3), one(2, 1)))),
        (b"b 100%%.h5", b"y", space((9,), None, (one(1), one(4), one(2), one(1))),
         space((9, 40), grows, (one(1, 12), one(2, 2), one(2, 2), one(1, 1)))),
        # Beyond 32 bits.
        (b".", b"z", space((1 << 33,), None, (one((1 << 32) + 5), one(1), one(1), one(4))),
         space((9, 40), grows, (one(8, 0), one(1, 1), one(1, 1), one(1, 4)))),
        # A scalar.
        (b".", b"scalar", h5s.create(h5s.SCALAR), space((9, 40), grows, (one(0, 39), one(1, 1), one(1, 1), one(1, 1)))),
        # Unlimited, with and without gaps, and by block number.
        (b"a.h5", b"log", space((0, 3), (UNLIMITED, 3), (one(0, 0), one(UNLIMITED, 1), one(1, 1), one(1, 3))),
         space((9, 40), grows, (one(0, 4), one(UNLIMITED, 1), one(1, 1), one(1, 3)))),
        (b"a.h5", b"log", space((0, 3), (UNLIMITED, 3), (one(1, 2), one(UNLIMITED, 1), one(3, 1), one(2, 1))),
         space((9, 40), grows, (one(3, 7), one(UNLIMITED, 1), one(2, 1), one(2, 1)))),
        (b"run_%b.h5", b"%b/x", space((2, 2), None, (one(0, 0), one(1, 1), one(1, 1), one(2, 2))),
         space((9, 40), grows, (one(0, 8), one(UNLIMITED, 1), one(5, 1), one(2, 2)))),
    ]


def virtual(file):
    dcpl = h5p.create(h5p.DATASET_CREATE)
    dcpl.set_layout(h5d.VIRTUAL)  # as h5py's VirtualLayout
    dcpl.set_fill_value(np.array([-3], "<i4"))
    for name, path, source, target in mappings():
        dcpl.set_virtual(target, name, path, source)
    made = h5d.create(file.id, b"v", h5t.STD_I32LE, space((9, 40), (UNLIMITED, 40)), dcpl)
    return h5py.h5o.get_info(made).addr


data, addr = file_bytes(virtual)
found = messages(data, addr)
heap, index = struct.unpack_from("<QI", found[8], 2)
assert data[heap : heap + 4] == b"GCOL" and index == 1
length = struct.unpack_from("<Q", data, heap + 16 + 8)[0]
write("virtual.bin", data[heap + 32 : heap + 32 + length])
write("virtual-layout.bin", found[8])
write("virtual-fill.bin", found[5])
write("virtual-dataspace.bin", found[1])


def external(file):
    # Names whose heap libhdf5 fills exactly: it leaves no free block, as we do.
    files = [("first raw data file.bin", 512, 100), ("b/second.raw", 0, h5py.h5f.UNLIMITED)]
    made = file.create_dataset("e", (7, 5), "<i4", maxshape=(None, 5), external=files)
    return h5py.h5o.get_info(made.id).addr


data, addr = file_bytes(external)
found = messages(data, addr)
write("external.bin", found[7])
write("external-layout.bin", found[8])
write("external-fill.bin", found[5])
write("external-dataspace.bin", found[1])
heap = struct.unpack_from("<Q", found[7], 8)[0]
size, free, segment = struct.unpack_from("<QQQ", data, heap + 8)
assert segment == heap + 32
write("external_heap.bin", data[heap : heap + 32 + size])
