"""Datasets of variable length: what libhdf5 refuses to make, fill values, and elements that it overwrites."""

import sys

import h5py

TEXT = h5py.string_dtype()
verb, path = sys.argv[1:]
if verb == "make":
    with h5py.File(path, "w") as file:
        for name, fill in ("empty", ""), ("gap", "gap"):
            data = file.create_dataset(name, (3,), TEXT, maxshape=(None,), chunks=(4,), fillvalue=fill)
            data[:] = ["a", "b", "c"]
elif verb == "overwrite":
    with h5py.File(path, "r+") as file:
        data = file["empty"]
        assert list(data[:]) == [b"a", b"b", b"c"] + 5 * [b""] + [b"y", b"z"], data[:]
        for at in range(10):
            data[at] = "new %d" % at
    with h5py.File(path, "r") as file:
        assert list(file["empty"][:]) == [b"new %d" % at for at in range(10)]
        assert file["empty"].fillvalue == b""
        assert file["gap"].fillvalue == b"gap" and list(file["gap"][:]) == [b"a", b"b", b"c"]
elif verb == "refused":
    with h5py.File(path, "w") as file:
        pair = [("number", "i4"), ("text", TEXT)]
        made = []
        for name, dtype in ("text", TEXT), ("numbers", h5py.vlen_dtype("i4")), ("pair", pair):
            try:
                made.append(file.create_dataset(name, (3,), dtype, chunks=(2,), fletcher32=True).name)
            except ValueError as error:
                assert "not suitable for filters" in str(error), error
        assert made == ["/pair"] or h5py.version.hdf5_version_tuple >= (2, 2, 0), made
