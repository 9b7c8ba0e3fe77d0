"""Every type an element can be: reads what h5quill wrote, or writes the same.

usage: every_type.py read FILE     prints a line for each row: its name, a tab, `ok` or what is wrong
       every_type.py write FILE    prints the names
"""
import struct
import sys

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

text = h5py.string_dtype()


def floats(fields, size, bias):
    t = h5t.IEEE_F32LE.copy()
    t.set_fields(*fields)
    t.set_precision(8 * size)
    t.set_size(size)
    t.set_ebias(bias)
    return t


def opaque(size, tag):
    t = h5t.create(h5t.OPAQUE, size)
    t.set_tag(tag)
    return t


def objects(values):
    out = np.empty(len(values), object)
    for i, value in enumerate(values):
        out[i] = value
    return out


def filled(dtype, rows):
    out = np.empty(len(rows), dtype)
    for i, row in enumerate(rows):
        out[i] = row
    return out


packed = np.dtype([("id", "u1"), ("x", "<f8"), ("y", "<i2")])
padded = np.dtype([("id", "u1"), ("x", "<f8"), ("y", "<i2")], align=True)
inner = np.dtype([("x", "<f4"), ("y", "<f4", (2,))])
nested = np.dtype([("name", "S5"), ("in", inner, (2,)), ("ok", "?")])
colours = {"RED": 1, "GREEN": 2, "BLUE": 200}
levels = {"LOW": -300, "HIGH": 5}
row = np.dtype([("note", text), ("values", h5py.vlen_dtype("<f8")), ("names", text, (2,))])


def high():
    """Rows of a numpy dtype: its values."""
    yield "compound packed", packed, np.array([(1, 0.5, -2), (255, 1e300, 3)], packed)
    yield "compound padded", padded, np.array([(1, 0.5, -2), (255, 1e300, 3)], padded)
    yield "compound nested", nested, np.array(
        [(b"abc", [(1, (2, 3)), (4, (5, 6))], True), (b"", [(0, (0, 0)), (-1, (0.25, 9))], False)], nested)
    yield "enum u8", h5py.enum_dtype(colours, "u1"), np.array([200, 1, 2], "u1")
    yield "enum i16 big-endian", h5py.enum_dtype(levels, ">i2"), np.array([-300, 5], ">i2")
    yield "enum u64", h5py.enum_dtype({"MAX": 2**63 - 1, "ZERO": 0}, "<u8"), np.array([2**63 - 1, 0], "<u8")
    yield "bool", np.dtype("?"), np.array([True, False])
    yield "array", np.dtype(("<f4", (3, 2))), np.arange(12, dtype="<f4").reshape(2, 3, 2)
    yield "sequence", h5py.vlen_dtype("<i4"), objects([np.array([1, -2], "<i4"), np.array([], "<i4"), np.array([7], "<i4")])
    yield "sequence of compounds", h5py.vlen_dtype(packed), objects(
        [np.array([(1, 0.5, 2)], packed), np.array([(3, 1.5, 4), (5, 2.5, 6)], packed)])
    yield "sequence of sequences", h5py.vlen_dtype(h5py.vlen_dtype("<u2")), objects(
        [objects([np.array([1, 2], "<u2"), np.array([3], "<u2")]), objects([np.array([], "<u2"), np.array([9], "<u2")])])
    yield "sequence of strings", h5py.vlen_dtype(text), objects([objects(["a", "é"]), objects([])])
    yield "strings and sequences in a compound", row, filled(
        row, [("on", np.array([0.5, 1.5]), ("a", "b")), ("", np.array([]), ("", "♀"))])
    yield "array of strings", np.dtype((text, (2,))), filled(np.dtype((text, (2,))), [["a", "bc"], ["", "é"]])
    yield "complex64", np.dtype("<c8"), np.array([1 - 2j, 0.5j], "<c8")
    yield "complex128", np.dtype("<c16"), np.array([1 - 2j, 1e300j], "<c16")
    yield "half", np.dtype("<f2"), np.array([1.5, -65504], "<f2")
    yield "long double", np.dtype("longdouble"), np.array([0.1, np.longdouble("1e4000")], "longdouble")
    yield "fixed ascii", h5py.string_dtype("ascii", 4), np.array([b"ab", b"abcd"], "S4")
    yield "fixed utf-8", h5py.string_dtype("utf-8", 4), np.array(["é".encode(), b"abcd"], h5py.string_dtype("utf-8", 4))
    yield "string", text, objects(["a", "", "♀" * 50])
    yield "ascii string", h5py.string_dtype("ascii"), objects(["a", "xyz"])


def raw():
    """Rows of a type that numpy has not: the bytes."""
    yield "bfloat16", floats((15, 7, 8, 0, 7), 2, 127), struct.pack("<2H", 0x3F80, 0xC020)
    yield "E4M3", floats((7, 3, 4, 0, 3), 1, 7), bytes([0x38, 0xB0, 0x77])
    yield "E5M2", floats((7, 2, 5, 0, 2), 1, 15), bytes([0x3C, 0xB8, 0x7B])
    yield "opaque", opaque(3, b"rgb"), b"\1\2\3\xff\0\0"
    yield "bit field", h5t.STD_B16BE.copy(), struct.pack(">2H", 1, 0xABCD)
    yield "time", h5t.UNIX_D32LE.copy(), struct.pack("<2I", 1, 0xFFFFFFFE)


def same(a, b):
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype == object or b.dtype == object:
            return a.shape == b.shape and all(same(x, y) for x, y in zip(a.ravel(), b.ravel()))
        if a.dtype.names:
            return a.shape == b.shape and all(same(x, y) for x, y in zip(a.ravel(), b.ravel()))
        return a.shape == b.shape and bool((a == b).all())
    if isinstance(a, np.void) and a.dtype.names:
        return a.dtype.names == b.dtype.names and all(same(a[name], b[name]) for name in a.dtype.names)
    decoded = [x.decode() if isinstance(x, bytes) else x for x in (a, b)]
    return bool(decoded[0] == decoded[1])


def check_high(f, name, dtype, values):
    d = f[name]
    expected = h5t.py_create(dtype, logical=True)
    if not d.id.get_type().equal(expected):
        return "another type: %s" % (d.dtype,)
    if not same(d[()], values):
        return "other values: %r" % (d[()],)
    if name == "compound nested" and not same(f.attrs[name], values):
        return "other values of the attribute: %r" % (f.attrs[name],)
    return "ok"


def check_raw(f, name, tid, data):
    d = f[name].id
    got = np.zeros(len(data) // tid.get_size(), "V%d" % tid.get_size())
    d.read(h5s.ALL, h5s.ALL, got, mtype=d.get_type())
    if not d.get_type().equal(tid):
        return "another type"
    return "ok" if got.tobytes() == data else "other values: %s" % got.tobytes().hex()


def references(f):
    d = f["references in a compound"]
    data = f["target"]
    (o, r, n), (o2, r2, n2) = d[0], d[1]
    if not (f[o].name == "/target" and f[r].name == "/target" and n == 7 and not o2 and not r2 and n2 == 8):
        return "other references"
    return "ok" if data[r].tolist() == [2, 3] else "another region"


def committed(f):
    t = f["a type"]
    d = f["committed"]
    if not (isinstance(t, h5py.Datatype) and d.id.get_type().committed() and d.id.get_type().equal(t.id)):
        return "not of the committed type"
    return "ok" if same(d[()], np.array([(9, 0.5, -9)], packed)) else "other values"


def read(path):
    with h5py.File(path, "r") as f:
        checks = [(name, check_high, (dtype, values)) for name, dtype, values in high()]
        checks += [(name, check_raw, (tid, data)) for name, tid, data in raw()]
        for name, check, arguments in checks:
            print(name, check(f, name, *arguments), sep="\t")
        print("references in a compound", references(f), sep="\t")
        print("committed", committed(f), sep="\t")


def write(path):
    names = []
    with h5py.File(path, "w") as f:
        for name, dtype, values in high():
            d = f.create_dataset(name, (len(values),), dtype)
            if dtype.kind == "O":
                for i, value in enumerate(values):
                    d[i] = value
            else:
                d[...] = values
            names.append(name)
        f.attrs["compound nested"] = list(high())[2][2]
        for name, tid, data in raw():
            d = h5d.create(f.id, name.encode(), tid, h5s.create_simple((len(data) // tid.get_size(),)))
            d.write(h5s.ALL, h5s.ALL, np.frombuffer(data, "V%d" % tid.get_size()), mtype=tid)
            names.append(name)
        t = f.create_dataset("target", data=np.arange(5, dtype="<i4"))
        dtype = np.dtype([("o", h5py.ref_dtype), ("r", h5py.regionref_dtype), ("n", "<i4")])
        f["references in a compound"] = filled(dtype, [(t.ref, t.regionref[2:4], 7), (h5py.Reference(), h5py.RegionReference(), 8)])
        f["a type"] = packed
        f.create_dataset("committed", data=np.array([(9, 0.5, -9)], packed), dtype=f["a type"])
        names += ["references in a compound", "committed"]
    print("\n".join(names))


{"read": read, "write": write}[sys.argv[1]](sys.argv[2])
