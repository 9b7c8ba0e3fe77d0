"""Makes btree_v2_*.bin: version 2 B-trees as libhdf5 writes them.

Each file is a list of blocks: u64 address, u32 depth (65535: the header), u32 length, the bytes.
The header comes first, then every node, parents before children.
"""
import struct
import sys
import os
import tempfile

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def width(limit):
    return (max(limit, 1).bit_length() - 1) // 8 + 1


def blocks(data, start):
    (node_size, record, depth, _, _, root, count, total) = struct.unpack_from("<IHHBBQHQ", data, start + 6)
    yield start, 65535, data[start : start + 38]
    leaf = (node_size - 10) // record
    n = width(leaf)
    totals, capacity = [0], leaf
    for _ in range(depth):
        pointer = 8 + n + totals[-1]
        most = (node_size - 10 - pointer) // (record + pointer)
        capacity = (most + 1) * capacity + most
        totals.append(width(capacity))

    def walk(at, count, depth):
        yield at, depth, data[at : at + node_size]
        if depth:
            t = totals[depth - 1]
            for i in range(count + 1):
                p = at + 6 + count * record + i * (8 + n + t)
                child = struct.unpack_from("<Q", data, p)[0]
                yield from walk(child, int.from_bytes(data[p + 8 : p + 8 + n], "little"), depth - 1)

    if root != 2**64 - 1:
        yield from walk(root, count, depth)


def write(name, path, kind, depth):
    data = open(path, "rb").read()
    start = -1
    while True:
        start = data.index(b"BTHD", start + 1)
        if data[start + 5] == kind and struct.unpack_from("<H", data, start + 12)[0] == depth:
            break
    with open(os.path.join(HERE, name), "wb") as out:
        for at, depth, block in blocks(data, start):
            out.write(struct.pack("<QII", at, depth, len(block)) + block)


def chunks(name, shape, depth):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.h5")
        with h5py.File(path, "w", libver=("v110", "v110")) as f:
            d = f.create_dataset("d", shape=shape, maxshape=(None,) * len(shape), chunks=(1,) * len(shape), dtype="u1")
            d[...] = np.ones(shape, "u1")
        write(name, path, 10, depth)


def links():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.h5")
        with h5py.File(path, "w", libver=("v110", "v110")) as f:
            g = f.create_group("g")
            for i in range(60):
                g[f"link {i}"] = h5py.SoftLink("/")
        write("btree_v2_links.bin", path, 5, 1)


def empty():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.h5")
        with h5py.File(path, "w", libver=("v110", "v110")) as f:
            f.create_dataset("d", shape=(4, 4), maxshape=(None, None), chunks=(2, 2), dtype="u1")[...] = 1
            f["d"].resize((0, 4))
        write("btree_v2_empty.bin", path, 10, 0)


chunks("btree_v2_chunks_depth_1.bin", (20, 10), 1)
chunks("btree_v2_chunks_depth_2.bin", (14, 14) + (1,) * 18, 2)
links()
empty()
