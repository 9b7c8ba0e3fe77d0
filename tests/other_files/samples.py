"""Makes virtual datasets, data in external files and external links as users of h5py make them.

Argument: directory. Prints for each dataset "file dataset shape kind", and below it what h5py reads:
lines "  selection hex", or "  selection !error" where h5py fails.
"""
import os
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

os.chdir(sys.argv[1])
os.mkdir("sub")
UNLIMITED = h5s.UNLIMITED
WHOLE = slice(0, UNLIMITED)
# The names of external files are relative to the current directory for libhdf5: say where they are.
os.environ["HDF5_EXTFILE_PREFIX"] = "${ORIGIN}"


def show(name, dataset, kind, regions=None):
    with h5py.File(name, "r") as f:
        d = f[dataset]
        print(name, dataset, ",".join(map(str, d.shape)) or "-", kind)
        if regions is None:
            whole = tuple(slice(0, e, 1) for e in d.shape)
            regions = [whole, tuple(slice(e // 3, e - e // 4, 2 if e > 3 else 1) for e in d.shape)]
        for region in regions:
            text = ",".join(f"{s.start}:{s.stop}:{s.step or 1}" for s in region)
            if any(s.start >= s.stop for s in region):
                continue
            try:
                values = np.asarray(d[region]).astype(d.dtype).tobytes().hex()
            except OSError as error:
                values = "!" + str(error).replace(" ", "_")
            print(" ", text or "-", values or "-")


# Sources, in the same directory and below it, of every layout.
with h5py.File("sub/raw.h5", "w", libver="latest") as f:
    rows = np.arange(60, dtype="i4").reshape(10, 6)
    f["contiguous"] = rows
    f.create_dataset("chunked", data=rows + 100, chunks=(4, 4), maxshape=(None, 6))
    f.create_dataset("filtered", data=rows + 200, chunks=(3, 6), compression="gzip", fletcher32=True)
    f["g/deep"] = rows + 300
    f["soft"] = h5py.SoftLink("/g/deep")
    f["dangling"] = h5py.SoftLink("/g/none")
    f["scalar"] = np.int32(7)
    f["of_other_type"] = rows.astype("i8")
    f["strings"] = ["one", "two"]
    f["out"] = h5py.ExternalLink("../more.h5", "/x")
for number in range(4):
    with h5py.File(f"part_{number}.h5", "w") as f:
        f["x"] = np.arange(5, dtype="f8") + 10 * number
with h5py.File("more.h5", "w") as f:
    f["x"] = np.arange(60, dtype="i4").reshape(10, 6) + 900

for libver in ["earliest", "latest", "v110", "v112", "v114"]:
    version = (libver, "latest")
    name = f"virtual_{libver}.h5"
    with h5py.File(name, "w", libver=version) as f:
        f.create_group("g")["own"] = np.arange(6, dtype="i4") + 1000
        layout = h5py.VirtualLayout((8, 6), "i4")
        for row, dataset in enumerate(["contiguous", "chunked", "filtered", "g/deep", "soft", "dangling", "out"]):
            layout[row] = h5py.VirtualSource("sub/raw.h5", dataset, (10, 6))[row + 2]
        layout[7] = h5py.VirtualSource(".", "g/own", (6,))
        f.create_virtual_dataset("rows", layout, fillvalue=-5)
        layout = h5py.VirtualLayout((6, 20), "i4")
        layout[:, 0:20:2] = h5py.VirtualSource("sub/raw.h5", "contiguous", (10, 6))[...]
        layout[::2, 1:20:2] = h5py.VirtualSource("sub/raw.h5", "filtered", (10, 6))[:, 1:6:2]
        f.create_virtual_dataset("transposed_shape", layout)
        layout = h5py.VirtualLayout((4, 5), "f8")
        for number in range(4):
            layout[number] = h5py.VirtualSource(f"part_{number}.h5", "x", (5,))
        f.create_virtual_dataset("parts", layout)
        layout = h5py.VirtualLayout((10, 6), "i4", maxshape=(None, 6))
        layout[WHOLE, 0:6] = h5py.VirtualSource("sub/raw.h5", "chunked", (10, 6), maxshape=(None, 6))[WHOLE, 0:6]
        f.create_virtual_dataset("growing", layout, fillvalue=1)
        layout = h5py.VirtualLayout((1, 5), "f8", maxshape=(None, 5))
        dcpl = h5p.create(h5p.DATASET_CREATE)
        target = h5s.create_simple((1, 5), (UNLIMITED, 5))
        target.select_hyperslab((0, 0), (UNLIMITED, 1), (2, 1), (1, 5))
        dcpl.set_virtual(target, b"part_%b.h5", b"x", h5s.create_simple((5,)))
        h5d.create(f.id, b"by_file", h5t.IEEE_F64LE, h5s.create_simple((1, 5), (UNLIMITED, 5)), dcpl)
        layout = h5py.VirtualLayout((3,), "i4")
        layout[1] = h5py.VirtualSource("sub/raw.h5", "scalar", ())
        f.create_virtual_dataset("of_scalar", layout, fillvalue=9)
        layout = h5py.VirtualLayout((4, 6), "i4")
        layout[0:2] = h5py.VirtualSource("sub/raw.h5", "nothing", (2, 6))
        layout[2:4] = h5py.VirtualSource("no_such_file.h5", "x", (2, 6))
        f.create_virtual_dataset("nothing", layout, fillvalue=3)
        # By its own name, and virtual datasets of virtual datasets.
        layout = h5py.VirtualLayout((6,), "i4")
        dcpl = h5p.create(h5p.DATASET_CREATE)
        dcpl.set_virtual(h5s.create_simple((6,)), name.encode(), b"/g/own", h5s.create_simple((6,)))
        h5d.create(f.id, b"own_name", h5t.STD_I32LE, h5s.create_simple((6,)), dcpl)
        layout = h5py.VirtualLayout((2, 6), "i4")
        layout[0] = h5py.VirtualSource(".", "rows", (8, 6))[3]
        layout[1] = h5py.VirtualSource(".", "growing", (10, 6))[9]
        f.create_virtual_dataset("nested", layout)

with h5py.File("virtual_whole.h5", "w") as f:
    layout = h5py.VirtualLayout((12, 6), "i4")
    layout[1:11] = h5py.VirtualSource("sub/raw.h5", "chunked", (10, 6))
    f.create_virtual_dataset("of_grown", layout, fillvalue=4)
# Before it grows: from then on libhdf5 reads it in part only.
show("virtual_whole.h5", "of_grown", "virtual")

# A source that grows after the virtual dataset was made, and one that is there later.
with h5py.File("sub/raw.h5", "a") as f:
    f["chunked"].resize((13, 6))
    f["chunked"][10:] = 77
with h5py.File("part_4.h5", "w") as f:
    f["x"] = np.full(5, 0.5)
for libver in ["earliest", "latest", "v110", "v112", "v114"]:
    for dataset in ["rows", "transposed_shape", "parts", "growing", "by_file", "of_scalar", "nothing", "own_name",
                    "nested"]:
        show(f"virtual_{libver}.h5", dataset, "virtual")

with h5py.File("virtual_refused.h5", "w") as f:
    f["g/x"] = np.arange(4)
    f["self_source"] = np.arange(3)

    def virtual(name, file, path, shape, source_shape, dtype="i4"):
        dcpl = h5p.create(h5p.DATASET_CREATE)
        dcpl.set_virtual(h5s.create_simple(shape), file, path, h5s.create_simple(source_shape))
        h5d.create(f.id, name, h5t.py_create(np.dtype(dtype)), h5s.create_simple(shape), dcpl)

    virtual(b"not_hdf5", b"text.h5", b"x", (4,), (4,))
    virtual(b"a_group", b"sub/raw.h5", b"/g", (4,), (4,))
    virtual(b"no_group", b"sub/raw.h5", b"/none/x", (4,), (4,))
    virtual(b"too_small", b"sub/raw.h5", b"contiguous", (20, 6), (20, 6))
    virtual(b"too_large", b"sub/raw.h5", b"contiguous", (5, 6), (5, 6))
with open("text.h5", "w") as f:
    f.write("not a file of the format")
# libhdf5 reads the last or refuses it, as the selections are written; this library always refuses it.
for dataset in ["not_hdf5", "a_group", "no_group", "too_small"]:
    with h5py.File("virtual_refused.h5", "r") as f:
        shape = f[dataset].shape
    show("virtual_refused.h5", dataset, "refused", [tuple(slice(0, e) for e in shape)])

with h5py.File("virtual_types.h5", "w") as f:
    layout = h5py.VirtualLayout((10, 6), "i4")
    layout[...] = h5py.VirtualSource("sub/raw.h5", "of_other_type", (10, 6))
    f.create_virtual_dataset("other_type", layout)
    layout = h5py.VirtualLayout((2,), h5py.string_dtype())
    layout[...] = h5py.VirtualSource("sub/raw.h5", "strings", (2,))
    f.create_virtual_dataset("strings", layout)
    f["words"] = ["a", "bc", "def"]
    layout = h5py.VirtualLayout((4,), h5py.string_dtype())
    layout[1:] = h5py.VirtualSource(".", "words", (3,))
    f.create_virtual_dataset("own_strings", layout)
    assert list(f["own_strings"]) == [b"", b"a", b"bc", b"def"]

# Two that are each the source of the other.
with h5py.File("circle.h5", "w") as f:
    for one, other in [("a", "b"), ("b", "a")]:
        layout = h5py.VirtualLayout((3,), "i4")
        layout[...] = h5py.VirtualSource(".", other, (3,))
        f.create_virtual_dataset(one, layout)

# Data in external files.
for libver in ["earliest", "latest"]:
    name = f"external_{libver}.h5"
    with open(f"a_{libver}.bin", "wb") as raw:
        raw.write(bytes(range(256)))
    with open(f"sub/b_{libver}.bin", "wb") as raw:
        raw.write(bytes(range(100, 200)))
    a, b = f"a_{libver}.bin", f"sub/b_{libver}.bin"
    with h5py.File(name, "w", libver=libver) as f:
        f.create_dataset("one", shape=(8, 8), dtype="i4", external=[(a, 0, 256)])
        f.create_dataset("offset", shape=(40,), dtype="<u2", external=[(a, 13, 80)])
        f.create_dataset("several", shape=(10, 7), dtype="u1", external=[(a, 5, 13), (b, 90, 10), (a, 200, 40), (b, 0, 7)])
        f.create_dataset("endless", shape=(4, 25), maxshape=(None, 25), dtype="u1",
                         external=[(b, 2, 3), (b, 50, h5py.h5f.UNLIMITED)])
        f.create_dataset("short", shape=(5, 30), dtype=">u2", external=[(b, 40, 300)], fillvalue=77)
        f.create_dataset("beyond", shape=(4,), dtype="u1", external=[(b, 5000, 4)])
        f.create_dataset("missing", shape=(4,), dtype="u1", external=[("sub/none.bin", 0, 4)])
        f.create_dataset("scalar", shape=(), dtype="<f8", external=[(a, 1, 8)])
        layout = h5py.VirtualLayout((3, 8), "i4")
        layout[1:] = h5py.VirtualSource(".", "one", (8, 8))[2:4]
        f.create_virtual_dataset("virtual", layout, fillvalue=1)
    for dataset in ["one", "offset", "several", "endless", "short", "beyond", "missing", "scalar", "virtual"]:
        show(name, dataset, "external")

# External links, and chains of them.
with h5py.File("links.h5", "w") as f:
    f["here/x"] = np.arange(3)
    f["x"] = h5py.ExternalLink("more.h5", "/x")
    f["in_group"] = h5py.ExternalLink("sub/raw.h5", "/g")
    f["root"] = h5py.ExternalLink("sub/raw.h5", "/")
    f["chain"] = h5py.ExternalLink("sub/raw.h5", "out")
    f["soft"] = h5py.SoftLink("/in_group/deep")
    f["soft_last"] = h5py.SoftLink("x")
    f["no_file"] = h5py.ExternalLink("none.h5", "/x")
    f["no_object"] = h5py.ExternalLink("more.h5", "/none")
    f["not_hdf5"] = h5py.ExternalLink("text.h5", "/x")
    f["own"] = h5py.ExternalLink("links.h5", "/here")
    f["circle"] = h5py.ExternalLink("links.h5", "/circle")
    f["there"] = h5py.ExternalLink("back.h5", "/back")
with h5py.File("back.h5", "w") as f:
    f["back"] = h5py.ExternalLink("links.h5", "/here/x")
with h5py.File("links.h5", "r") as f:
    for path in ["x", "in_group", "in_group/deep", "in_group/none", "root/contiguous", "root/g/deep", "root/none",
                 "chain", "soft", "soft_last", "no_file", "no_file/x", "no_object", "own", "own/x", "own/y", "there",
                 "circle"]:
        exists = path in f
        try:
            found = f[path]
            what = "group" if isinstance(found, h5py.Group) else np.asarray(found[...]).tobytes().hex()
        except KeyError:
            what = "!"
        print("#", path, exists, what)
