"""Writes tests/golden/references.txt: revised references as libhdf5 writes them, by H5Rcreate_* and H5T_STD_REF.

Run: python tests/golden/make_references.py   (made with h5py 3.16, libhdf5 2.0.0)

A line for each: its element, and the object of the global heap that it names, both in hexadecimal.
"""
import ctypes
import glob
import os
import struct
import tempfile

import h5py
from h5py import h5s
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
site = os.path.dirname(os.path.dirname(h5py.__file__))
lib = ctypes.CDLL(glob.glob(os.path.join(site, "h5py.libs", "libhdf5-*"))[0])
hid = ctypes.c_int64
lib.H5Screate_simple.restype = lib.H5Dcreate2.restype = hid


def write(file):
    ref = (ctypes.c_ubyte * 64 * 6)()
    at = [ctypes.byref(ref, 64 * number) for number in range(6)]
    here, name = hid(file.id.id), b"/data"
    regular, points, blocks = (h5s.create_simple((4, 6)) for _ in range(3))
    regular.select_hyperslab((1, 0), (2, 3), (1, 2))
    points.select_elements([[0, 1], [3, 5]])
    blocks.select_hyperslab((0, 0), (1, 2))
    blocks.select_hyperslab((2, 3), (2, 1), op=h5s.SELECT_OR)
    assert lib.H5Rcreate_object(here, name, hid(0), at[0]) >= 0
    for number, space in enumerate([regular, points, blocks]):
        assert lib.H5Rcreate_region(here, name, hid(space.id), hid(0), at[1 + number]) >= 0
    assert lib.H5Rcreate_attr(here, name, "größe".encode(), hid(0), at[4]) >= 0
    space = lib.H5Screate_simple(1, (ctypes.c_uint64 * 1)(6), None)
    standard = hid.in_dll(lib, "H5T_STD_REF_g")
    made = lib.H5Dcreate2(here, b"list", standard, hid(space), hid(0), hid(0), hid(0))
    assert lib.H5Dwrite(hid(made), standard, hid(0), hid(0), hid(0), ref) >= 0
    for number in range(5):
        lib.H5Rdestroy(at[number])
    lib.H5Dclose(hid(made))
    lib.H5Sclose(hid(space))


def heap_object(raw, collection, index):
    at = collection + 16
    while True:
        number, _, _, size = struct.unpack_from("<HHIQ", raw, at)
        if number == index:
            return raw[at + 16:at + 16 + size]
        assert number != 0
        at += 16 + -(-size // 8) * 8


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "references.h5")
    with h5py.File(path, "w", libver="latest") as file:
        file["data"] = np.arange(24).reshape(4, 6)
        file["data"].attrs["größe"] = 1
        write(file)
    with h5py.File(path) as file:
        low = h5py.h5d.open(file.id, b"list")
        start, size = low.get_offset(), low.get_storage_size()
    raw = open(path, "rb").read()
with open(os.path.join(HERE, "references.txt"), "w") as out:
    for number in range(6):
        element = raw[start + number * size // 6:start + (number + 1) * size // 6]
        blob = b""
        if element[0] > 2:
            length, collection, index = struct.unpack_from("<IQI", element, 2)
            blob = heap_object(raw, collection, index)[:length]
        print(element.hex(), blob.hex() or "-", file=out)
