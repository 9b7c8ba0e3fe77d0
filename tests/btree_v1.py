"""The turns of libhdf5 in tests/btree_v1.rs: btree_v1.py FILE make|edit SEED RANK K FILTERED OLD.

FILE.dims and FILE.model hold what the dataset must hold; a turn checks that, edits, and writes what it then holds."""

import ctypes
import glob
import os
import sys

import h5py
import numpy as np

path, verb = sys.argv[1:3]
seed, rank, k, filtered, old = map(int, sys.argv[3:])
stem = os.path.splitext(path)[0]
random = np.random.default_rng(seed)
# Chunks with filters are large enough to shrink in them: of one that does not, stored with the filter left out, libhdf5
# (2.0) forgets to change the mask when it writes it again and the filtered bytes are just as many.
ROOM = {1: 200, 2: 60, 4: 12}[rank] if filtered else 24 if rank < 3 else 10
CHUNK = {1: 24, 2: 6, 4: 3}[rank] if filtered else 1 if k == 32 else 2


def load():
    dims = tuple(map(int, open(stem + ".dims").read().split()))
    return np.fromfile(stem + ".model", "<i4").reshape(dims)


def save(model):
    with open(stem + ".dims", "w") as out:
        out.write(" ".join(map(str, model.shape)))
    model.astype("<i4").tofile(stem + ".model")


def resized(model, dims):
    new = np.zeros(dims, "i4")
    common = tuple(slice(0, min(a, b)) for a, b in zip(dims, model.shape))
    new[common] = model[common]
    return new


def make():
    plist = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if k != 32:
        where = os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*")
        library = ctypes.CDLL(glob.glob(where)[0])
        library.H5Pset_istore_k(ctypes.c_int64(plist.id), ctypes.c_uint(k))
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    low = h5py.h5f.LIBVER_EARLIEST if old else h5py.h5f.LIBVER_V18
    access.set_libver_bounds(low, h5py.h5f.LIBVER_V18)
    file = h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, plist, access))
    dims = (ROOM * 2 // 3,) * rank
    model = np.arange(np.prod(dims), dtype="i4").reshape(dims)
    options = dict(compression=1, shuffle=True) if filtered else {}
    file.create_dataset("data", data=model, chunks=(CHUNK,) * rank, maxshape=(None,) * rank, **options)
    file.close()
    save(model)


def edit():
    model = load()
    with h5py.File(path, "r+", libver=("earliest" if old else "v108", "v108")) as file:
        data = file["data"]
        assert data.shape == model.shape, (data.shape, model.shape)
        assert (data[...] == model).all(), np.argwhere(data[...] != model)[:5]
        for step in range(8):
            dims = list(model.shape)
            if random.integers(2):
                dims[random.integers(rank)] = int(random.integers(1, ROOM))
                data.resize(dims)
                model = resized(model, dims)
            else:
                corner = []
                for dim in dims:
                    start = random.integers(dim)
                    corner.append(slice(start, start + 1 + random.integers(dim - start)))
                corner = tuple(corner)
                model[corner] = data[corner] = random.integers(1 << 30)
    with h5py.File(path, "r") as file:
        assert (file["data"][...] == model).all()
    save(model)


{"make": make, "edit": edit}[verb]()
