"""Makes the golden bytes of the global and the fractal heap: h5py 3.16 on libhdf5 2.0.

Dense groups and attributes are kept as whole files, deflated.

dense_links_ours_edited.h5.z is not made here: it is dense_links_300 with its links in a fractal heap this library
wrote, then edited by h5py (every third link and 150 to 169 removed, 300 to 329 added)."""

import os
import struct
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPORARY = os.path.join(HERE, "heap.tmp.h5")


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)


def file_bytes(build):
    with h5py.File(TEMPORARY, "w", libver=("v110", "v110")) as file:
        build(file)
    with open(TEMPORARY, "rb") as made:
        data = made.read()
    os.remove(TEMPORARY)
    return data


def collection():
    def build(file):
        texts = ["string %d %s" % (i, "x" * i) for i in range(20)]
        file.create_dataset("texts", data=texts, dtype=h5py.string_dtype())

    data = file_bytes(build)
    at = data.index(b"GCOL")
    size = struct.unpack_from("<Q", data, at + 8)[0]
    write("global_heap_collection.bin", data[at : at + size])


def dense_links(count, padding):
    def build(file):
        for i in range(count):
            file["link %05d %s" % (i, "n" * (i * 7 % padding))] = h5py.SoftLink("/target/%d" % i)

    data = file_bytes(build)
    write("dense_links_%d.h5.z" % count, zlib.compress(data, 9))


def attribute_value(i):
    length = [4, 40, 400, 2000, 5000, 70000][i % 6] + i
    return (np.arange(length, dtype=np.uint32) * (i + 1) % 251).astype(np.uint8)


def dense_attributes():
    def build(file):
        for i in range(40):
            file.attrs["attribute %d" % i] = attribute_value(i)

    write("dense_attributes.h5.z", zlib.compress(file_bytes(build), 9))


def edited_links():
    """Links removed, so that the heap has a free-space manager."""

    def build(file):
        for i in range(200):
            file["link %05d" % i] = h5py.SoftLink("/target/%d" % i)
        for i in range(0, 200, 3):
            del file["link %05d" % i]

    write("dense_links_edited.h5.z", zlib.compress(file_bytes(build), 9))


collection()
dense_links(20, 5)
dense_links(300, 40)
dense_links(5000, 240)
dense_attributes()
edited_links()
