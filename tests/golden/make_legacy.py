"""Files with the metadata h5py writes by default: superblock 0, object headers of version 1, symbol tables.

    python make_legacy.py            # writes legacy_*.h5 and legacy_many.h5.z beside itself
"""

import ctypes
import glob
import os
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, name)


# Every kind of link, attribute and contiguous dataset that a group of the old form can have.
with h5py.File(path("legacy_root.h5"), "w", libver="earliest") as f:
    d = f.create_dataset("data", data=np.arange(12, dtype="i4").reshape(3, 4))
    d.attrs["units"] = "volt"
    d.attrs["scale"] = np.float64(0.5)
    f.create_dataset("late", shape=(5,), dtype="f8", fillvalue=1.5)
    f["again"] = f["data"]
    g = f.create_group("group")
    g.attrs["number"] = np.int64(7)
    g.create_group("inner").create_dataset("x", data=np.float32(2.5))
    g.id.set_comment(b"inner", b"a comment on a group")
    f["soft"] = h5py.SoftLink("/group/inner/x")
    f["dangling"] = h5py.SoftLink("/nowhere")
    # Declared as ASCII, as programs do that know nothing of character sets.
    f.id.links.create_soft("gr\u00fc\u00dfe".encode(), b"/data")
    f.attrs["title"] = "old"

# Groups of one node, of a leaf with several nodes, and of two levels; a long name among the names.
with h5py.File(path("legacy_many.h5"), "w", libver="earliest") as f:
    target = f.create_dataset("target", data=np.int8(1))
    f.create_group("none")
    for count in (1, 9, 300):
        g = f.create_group(f"members {count}")
        for i in range(count):
            # Every third one soft; made in an order that splits nodes everywhere.
            i = i * 7 % count if count % 7 else i
            if i % 3 == 2:
                g[f"member {i:03}"] = h5py.SoftLink(f"/somewhere/{i}")
            else:
                g[f"member {i:03}"] = target
    f["members 9"]["n" * 700] = h5py.SoftLink("p" * 600)

# The same with smaller nodes and a superblock of version 1.
fcpl = h5py.h5p.create(h5py.h5p.FILE_CREATE)
library = glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))
hdf5 = ctypes.CDLL(library[0])
assert hdf5.H5Pset_sym_k(ctypes.c_int64(fcpl.id), ctypes.c_uint(2), ctypes.c_uint(1)) >= 0
assert hdf5.H5Pset_istore_k(ctypes.c_int64(fcpl.id), ctypes.c_uint(16)) >= 0
fapl = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
fapl.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
fid = h5py.h5f.create(path("legacy_sizes.h5").encode(), h5py.h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl)
with h5py.File(fid) as f:
    g = f.create_group("group")
    for i in range(40):
        g[f"link {i:02}"] = h5py.SoftLink(f"/{i}")

# An object header with a continuation, and one that was shrunk: it holds NIL messages.
with h5py.File(path("legacy_headers.h5"), "w", libver="earliest") as f:
    g = f.create_group("attributes")
    for i in range(20):
        g.attrs[f"attribute {i}"] = np.arange(i + 1)
    g.create_group("child")
    # A name declared as UTF-8 makes libhdf5 replace the symbol table by link messages, in a header of version 1.
    c = f.create_group("converted")
    c["plain"] = h5py.SoftLink("/attributes")
    c["gr\u00fc\u00dfe"] = h5py.SoftLink("/attributes/child")
    h = f.create_group("shrunk")
    for i in range(4):
        h.attrs[f"attribute {i}"] = i
    del h.attrs["attribute 1"]
    del h.attrs["attribute 2"]

many = path("legacy_many.h5")
with open(many, "rb") as f, open(many + ".z", "wb") as z:
    z.write(zlib.compress(f.read(), 9))
os.remove(many)
