"""Writes tests/golden/cache_image.h5, a file whose metadata libhdf5 left in a metadata cache image, and the file space
info messages of tests/golden/messages/file-space-*.bin.

Run: python tests/golden/make_strategies.py   (made with h5py 3.16, libhdf5 2.0.0)
"""

import ctypes
import glob
import os
import struct

import h5py
import numpy as np
from h5py import h5f, h5p

HERE = os.path.dirname(os.path.abspath(__file__))


class Config(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("generate", ctypes.c_bool), ("save", ctypes.c_bool), ("age", ctypes.c_int)]


def cache_image(path):
    libs = os.path.join(os.path.dirname(os.path.dirname(h5py.__file__)), "h5py.libs", "libhdf5-*.so*")
    library = ctypes.CDLL(glob.glob(libs)[0])
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_LATEST, h5f.LIBVER_LATEST)
    library.H5Pset_mdc_image_config.argtypes = [ctypes.c_int64, ctypes.c_void_p]
    assert library.H5Pset_mdc_image_config(access.id, ctypes.byref(Config(1, True, False, -1))) == 0
    with h5py.File(h5f.create(path.encode(), h5f.ACC_TRUNC, fapl=access)) as file:
        file["x"] = np.arange(100)
        group = file.create_group("g")
        group.attrs["a"] = 5
        for number in range(12):
            group.create_dataset(f"d{number}", data=np.arange(number))
    assert open(path, "rb").read().count(b"MDCI") == 1


def file_space(strategy, persist):
    path = os.path.join(HERE, "strategy.h5")
    options = dict(fs_strategy=strategy)
    if strategy in ("page", "fsm"):
        options.update(fs_persist=persist, fs_threshold=5)
    if strategy == "page":
        options.update(fs_page_size=1024)
    with h5py.File(path, "w", libver="v110", **options) as file:
        file["x"] = np.arange(300)
        file["y"] = 1
        del file["x"]
    raw = open(path, "rb").read()
    os.remove(path)
    size = 125 if persist else 29
    number = dict(fsm=0, page=1, aggregate=2, none=3)[strategy]
    # Type and size, any flags, version and strategy of the message.
    found = [at for at in range(len(raw)) if raw[at:at + 3] == struct.pack("<BH", 0x17, size)
             and raw[at + 4:at + 7] == bytes([1, number, persist])]
    assert len(found) == 1, found
    data = raw[found[0] + 4:found[0] + 4 + size]
    with open(os.path.join(HERE, "messages", f"file-space-{strategy}-{int(persist)}.bin"), "wb") as out:
        out.write(data)


cache_image(os.path.join(HERE, "cache_image.h5"))
for strategy, persist in [("page", True), ("page", False), ("fsm", True), ("aggregate", False), ("none", False)]:
    file_space(strategy, persist)
