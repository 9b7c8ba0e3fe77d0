"""Makes the files with shared messages, committed datatypes and narrow offsets: h5py 3.16 on libhdf5 2.0.

h5py has no call for the shared message table; the one of the libhdf5 it carries is called directly."""

import ctypes
import glob
import os
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPORARY = os.path.join(HERE, "shared.tmp.h5")

SPACE, DATATYPE, FILL, PIPELINE, ATTRIBUTE = 1 << 1, 1 << 3, 1 << 5, 1 << 11, 1 << 12


def library():
    near = os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*")
    lib = ctypes.CDLL(glob.glob(near)[0])
    number = ctypes.c_uint
    lib.H5Pset_shared_mesg_nindexes.argtypes = [ctypes.c_int64, number]
    lib.H5Pset_shared_mesg_index.argtypes = [ctypes.c_int64, number, number, number]
    lib.H5Pset_shared_mesg_phase_change.argtypes = [ctypes.c_int64, number, number]
    return lib


def create(path, indexes=(), phase=None, new=True, sizes=None):
    """A file with a shared message table of `indexes`: kinds of messages and the smallest size that is shared."""
    fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if sizes:
        fcpl.set_sizes(*sizes)
    if indexes:
        lib = library()
        assert lib.H5Pset_shared_mesg_nindexes(fcpl.id, len(indexes)) >= 0
        for number, (kinds, size) in enumerate(indexes):
            assert lib.H5Pset_shared_mesg_index(fcpl.id, number, kinds, size) >= 0
        if phase:
            assert lib.H5Pset_shared_mesg_phase_change(fcpl.id, *phase) >= 0
    fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    if new:
        fapl.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    return h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl))


def keep(name):
    with open(TEMPORARY, "rb") as made:
        data = made.read()
    os.remove(TEMPORARY)
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(zlib.compress(data, 9))


def shared_messages(file):
    for n in range(3):
        data = file.create_dataset(
            "d%d" % n, (4, 3), "<i4", maxshape=(None, 3), chunks=(2, 3), compression="gzip", fillvalue=7
        )
        data[...] = np.arange(12).reshape(4, 3) + n
        data.attrs["unit"] = "volts"
        data.attrs["numbers"] = np.arange(20)
        data.attrs["own"] = np.arange(n + 1, dtype="<i2")
    group = file.create_group("dense")
    for n in range(20):
        group.attrs["a%d" % n] = np.arange(n % 4 * 5 + 1)
    again = file.create_group("dense again")
    for n in range(20):
        again.attrs["a%d" % n] = np.arange(n % 4 * 5 + 1)
    file.create_dataset("unique", data=np.arange(5.0))
    file["type"] = np.dtype([("x", "<f8"), ("y", "<f8")])
    file.create_dataset("committed", (2,), dtype=file["type"]).attrs.create("origin", np.zeros((), file["type"]), dtype=file["type"])


def shared_list():
    with create(TEMPORARY, [(SPACE | DATATYPE | FILL | PIPELINE | ATTRIBUTE, 1)], phase=(100, 80)) as file:
        shared_messages(file)
    keep("shared_list.h5.z")


def shared_trees():
    """The same with superblock 2 and old headers, several indexes, and records in trees."""
    indexes = [(SPACE | DATATYPE, 1), (FILL | PIPELINE, 20), (ATTRIBUTE, 40)]
    with create(TEMPORARY, indexes, phase=(0, 0), new=False) as file:
        shared_messages(file)
        for n in range(60):
            file.create_dataset("many/%02d" % n, (n + 1,), "<u1")
    keep("shared_trees.h5.z")


def committed(name, **how):
    with create(TEMPORARY, **how) as file:
        point = np.dtype([("x", "<f8"), ("y", "<f8")])
        file["types/point"] = point
        file["types/point"].attrs["unit"] = "m"
        kind = file["types/point"]
        data = file.create_dataset("points", (3,), kind, maxshape=(None,), chunks=(4,))
        data[...] = np.array([(1, 2), (3, 4), (5, 6)], point)
        data.attrs.create("origin", np.array((7.0, 8.0), point), dtype=kind)
        file["types/point"].attrs.create("itself", np.array((9.0, 0.0), point), dtype=kind)
        for n in range(12):
            file["types"].attrs.create("p%02d" % n, np.array([(n, n)] * (n + 1), point), dtype=kind)
        file["types/text"] = h5py.string_dtype()
        texts = file.create_dataset("texts", (2,), file["types/text"])
        texts[...] = ["one", "two"]
        texts.attrs.create("text", "three", dtype=file["types/text"])
        file["types/alone"] = np.dtype("<i4")
    keep(name)


def narrow(offset, length, new):
    """Offsets and lengths of two and four bytes. libhdf5 cannot read the dense storage it makes with lengths of two."""
    with create(TEMPORARY, sizes=(offset, length), new=new) as file:
        for n in range(4):
            file.create_group("g%d/h%d" % (n % 3, n))
        grow = file.create_dataset("data/grow", (3, 2), "<i4", maxshape=(None, None), chunks=(2, 2), compression="gzip")
        grow[...] = np.arange(6).reshape(3, 2)
        rows = file.create_dataset("data/rows", (5,), "<i2", maxshape=(None,), chunks=(2,), fletcher32=True)
        rows[...] = np.arange(5)
        fixed = file.create_dataset("data/fixed", (5, 3), "<f8", chunks=(2, 2))
        fixed[...] = np.arange(15).reshape(5, 3)
        file["data/flat"] = np.arange(100, dtype="<u2")
        file["more/texts"] = ["one", "two", ""]
        file.attrs["text"] = "string"
        file["soft"] = h5py.SoftLink("/data/flat")
        file["more/reference"] = file["data/flat"].ref
        file["more/type"] = np.dtype([("x", "<f8"), ("name", h5py.string_dtype())])
        file.create_dataset("more/typed", (2,), file["more/type"])[...] = np.array([(1.5, "a"), (2.5, "bc")], file["more/type"].dtype)
        many = 20 if length > 2 else 6
        for n in range(many):
            file["g1"].attrs["a%d" % n] = n
            file["g2"].create_group("k%d" % n)
    keep("narrow_%d_%d_%s.h5.z" % (offset, length, "new" if new else "old"))


for widths in (4, 4), (2, 2), (8, 4), (4, 8), (2, 4), (8, 2):
    for new in True, False:
        narrow(*widths, new)
shared_list()
shared_trees()
committed("committed_new.h5.z")
committed("committed_old.h5.z", new=False)
