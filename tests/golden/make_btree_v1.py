"""Makes btree_v1_*.h5.z (one chunked dataset each, its chunks in a version 1 B-tree) and btree_v1.txt.z: what libhdf5
says of them. h5py 3.16 on libhdf5 2.0.

btree_v1.txt, per dataset: a line "name K root filtered chunk_bytes | dims | chunk", then one line per chunk
"scaled offsets : address size mask", in the order of libhdf5.
"""

import ctypes
import glob
import os
import struct
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPORARY = os.path.join(HERE, "btree_v1.tmp.h5")
(LIBRARY,) = glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))
HDF5 = ctypes.CDLL(LIBRARY)


def root(image):
    """The node on the highest level that no other names."""
    levels, named = {}, set()
    at = image.find(b"TREE")
    while at >= 0:
        if image[at + 4] == 1:
            levels[at] = image[at + 5]
        at = image.find(b"TREE", at + 1)
    top = [at for at, level in levels.items() if level == max(levels.values())]
    assert len(top) == 1, top
    return top[0]


def make(name, version, k, dims, chunk, write, filtered=False):
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if k != 32:
        HDF5.H5Pset_istore_k(ctypes.c_int64(fcpl.id), ctypes.c_uint(k))
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    low = {"earliest": h5py.h5f.LIBVER_EARLIEST, "v108": h5py.h5f.LIBVER_V18}[version]
    fapl.set_libver_bounds(low, h5py.h5f.LIBVER_V18)
    file = h5py.File(h5py.h5f.create(TEMPORARY.encode(), h5py.h5f.ACC_TRUNC, fcpl, fapl))
    options = dict(compression=1) if filtered else {}
    data = file.create_dataset(
        "data", dims, "u1", chunks=chunk, maxshape=(None,) * len(dims), track_times=False, **options
    )
    write(data)
    file.close()
    with h5py.File(TEMPORARY, "r") as file:
        data = file["data"]
        chunks = [data.id.get_chunk_info(i) for i in range(data.id.get_num_chunks())]
        dims = data.shape
    with open(TEMPORARY, "rb") as made:
        image = made.read()
    os.remove(TEMPORARY)
    with open(os.path.join(HERE, f"btree_v1_{name}.h5.z"), "wb") as out:
        out.write(zlib.compress(image, 9))

    def row(values):
        return " ".join(map(str, values))

    head = f"{name} {k} {root(image)} {int(filtered)} {int(np.prod(chunk))}"
    lines = [f"{head} | {row(dims)} | {row(chunk)}"]
    for c in chunks:
        scaled = [offset // size for offset, size in zip(c.chunk_offset, chunk)]
        lines.append(f"{row(scaled)} : {c.byte_offset} {c.size} {c.filter_mask}")
    print(name, len(image), len(chunks), "level", image[root(image) + 5])
    return lines


def everything(data):
    data[...] = np.arange(data.size, dtype="u4").astype("u1").reshape(data.shape)


def sparse(data):
    for place in np.random.default_rng(7).integers(0, data.shape, (150, data.ndim)):
        data[tuple(place)] = 7


def some_unfiltered(data):
    everything(data)
    for k, place in enumerate(data.iter_chunks()):
        if k % 5 == 0:
            start = tuple(s.start for s in place)
            data.id.write_direct_chunk(start, bytes(int(np.prod(data.chunks))), filter_mask=1)


def edited(data):
    everything(data)
    rows, columns = data.shape
    data.resize((rows, columns // 2))
    data.resize((rows + 9, columns))
    data[:, columns // 2 + 1] = 5
    data.resize((rows - 5, columns))


table = []
table += make("leaf", "v108", 32, (40,), (3,), everything)
table += make("rank_2", "v108", 32, (20, 30), (2, 3), everything)
table += make("filtered", "v108", 32, (60, 90), (6, 5), some_unfiltered, filtered=True)
table += make("deep", "v108", 32, (4300,), (1,), everything)
table += make("sparse", "v108", 2, (30, 40, 50), (3, 2, 5), sparse)
table += make("rank_4", "v108", 1, (4, 3, 2, 5), (1, 1, 2, 2), everything)
table += make("edited", "v108", 3, (16, 20), (1, 1), edited)
table += make("earliest", "earliest", 32, (6, 8, 10), (1, 2, 2), everything)
table += make("earliest_filtered", "earliest", 4, (30, 30), (3, 3), some_unfiltered, filtered=True)
with open(os.path.join(HERE, "btree_v1.txt.z"), "wb") as out:
    out.write(zlib.compress("\n".join(table).encode() + b"\n", 9))
