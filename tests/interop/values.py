"""Makes a file with every class of datatype and prints what each element is, a line for each object.

usage: values.py FILE
"""
import ctypes
import glob
import os
import struct
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5r, h5s, h5t

lines = {}
rng = np.random.default_rng(20261123)


def hexed(text):
    return text.hex() if isinstance(text, bytes) else text.encode().hex()


def number(v):
    v = float(v)
    return "nan" if v != v else "f" + struct.pack(">d", v).hex()


def canon(f, t, v):
    """The text of one value; `t` is the stored type, `v` what h5py reads."""
    if isinstance(t, h5t.TypeEnumID):
        names = {t.get_member_value(i): t.get_member_name(i) for i in reversed(range(t.get_nmembers()))}
        return "e" + (names.get(int(v), b"?").decode()) + "=%d" % int(v)
    if isinstance(t, h5t.TypeIntegerID):
        return "i%d" % int(v)
    if isinstance(t, h5t.TypeFloatID):
        if t.get_size() == 16 and t.get_precision() == 80:
            b = np.longdouble(v).tobytes()
            return "F80:%s" % b[9::-1].hex()
        return number(v)
    if isinstance(t, h5t.TypeStringID):
        return "s" + hexed(v)
    if isinstance(t, h5t.TypeCompoundID):
        if isinstance(v, (complex, np.complexfloating)):
            parts = [v.real, v.imag]
        else:
            parts = [v[i] for i in range(t.get_nmembers())]
        members = range(t.get_nmembers())
        return "{" + ",".join(
            t.get_member_name(i).decode() + ":" + canon(f, t.get_member_type(i), parts[i]) for i in members) + "}"
    if isinstance(t, h5t.TypeArrayID):
        base = t.get_super()
        flat = np.asarray(v).reshape((-1,) + np.asarray(v).shape[len(t.get_array_dims()):])
        return "[" + ",".join(canon(f, base, x) for x in flat) + "]"
    if isinstance(t, h5t.TypeVlenID):
        return "<" + ",".join(canon(f, t.get_super(), x) for x in v) + ">"
    if isinstance(t, h5t.TypeOpaqueID):
        return "b" + v.tobytes().hex()
    if isinstance(t, h5t.TypeReferenceID):
        if not v:
            return "null"
        if isinstance(v, h5py.RegionReference):
            target = f[h5r.get_name(v, f.id)]
            sid = h5r.get_region(v, f.id)
            got = np.empty(sid.get_select_npoints(), target.dtype)
            if got.size:
                target.id.read(h5s.create_simple(got.shape), sid, got)
            return "R%s:%s" % (target.name, ",".join(canon(f, target.id.get_type(), x) for x in got))
        return "r" + h5r.get_name(v, f.id).decode()
    raise TypeError(t)


def record(f, path, o, t):
    values = o[()]
    shape = o.shape
    if shape == ():
        lines[path] = canon(f, t, values)
    else:
        flat = values.reshape((-1,) + values.shape[len(shape):])
        lines[path] = ";".join(canon(f, t, x) for x in flat)


def dataset(f, name, data, **kw):
    d = f.create_dataset(name, data=data, **kw)
    record(f, "/" + name, d, d.id.get_type())


def raw(f, name, tid, data, texts):
    """A dataset of a type that h5py does not read: its bytes and what they mean."""
    space = h5s.create_simple((len(texts),))
    d = h5d.create(f.id, name.encode(), tid, space)
    d.write(h5s.ALL, h5s.ALL, np.frombuffer(data, "V%d" % tid.get_size()), mtype=tid)
    lines["/" + name] = ";".join(texts)


def numbers(f):
    for kind in "iu":
        for size in (1, 2, 4, 8):
            for order in "<>" if size > 1 else "<":
                dt = np.dtype("%s%s%d" % (order, kind, size))
                info = np.iinfo(dt)
                data = np.array([info.min, info.max, 0, 1, info.max // 3], dt)
                dataset(f, "int/" + dt.str, data)
    for dt in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        info = np.finfo(dt)
        data = np.array([0.0, -0.0, 1.5, -np.pi, info.max, info.tiny, info.smallest_subnormal, np.inf, -np.inf, np.nan], dt)
        dataset(f, "float/" + dt, data)
    info = np.finfo(np.longdouble)
    ld = np.array([0.0, -1.5, info.max, info.tiny, np.inf, 1 / np.longdouble(3)], np.longdouble)
    dataset(f, "float/longdouble", ld)
    dataset(f, "complex/compound", np.array([1 + 2j, -0.5 - 1e300j]))
    dataset(f, "bool", np.array([True, False]))
    # A number of 12 bits from bit 3 on, in both orders.
    for order, code in ((h5t.ORDER_LE, "<"), (h5t.ORDER_BE, ">")):
        for signed in (True, False):
            t = (h5t.STD_I16LE if signed else h5t.STD_U16LE).copy()
            t.set_precision(12)
            t.set_offset(3)
            t.set_order(order)
            values = [-2048, 2047, 0, -1, 5] if signed else [0, 4095, 1, 2048, 77]
            data = b"".join(struct.pack(code + "H", (v & 0xFFF) << 3) for v in values)
            raw(f, "odd/%s%s" % (code, "i" if signed else "u"), t, data, ["i%d" % v for v in values])
    t = h5t.STD_B16BE.copy()
    raw(f, "bitfield", t, struct.pack(">3H", 1, 0x8000, 0xABCD), ["B1", "B32768", "B%d" % 0xABCD])
    raw(f, "time", h5t.UNIX_D32BE, struct.pack(">2I", 1, 0xFFFFFFFE), ["T1", "T4294967294"])
    # Sign, exponent and mantissa apart, with another bias: 1 + 6 + 9 bits in 24.
    t = h5t.IEEE_F32LE.copy()
    t.set_fields(21, 14, 6, 2, 9)
    t.set_offset(2)
    t.set_precision(20)
    t.set_size(3)
    t.set_ebias(29)
    data = b"".join(((s << 21) | (e << 14) | (m << 2)).to_bytes(3, "little") for s, e, m in ((0, 29, 256), (1, 1, 0), (0, 0, 1), (1, 63, 0)))
    raw(f, "float/odd", t, data, [number(1.5), number(-(2.0 ** -28)), number(2.0 ** -28 * 2.0 ** -9), number(-np.inf)])


def texts(f):
    dataset(f, "text/varlen", ["a", "", "naïve", "x" * 300], dtype=h5py.string_dtype())
    dataset(f, "text/ascii", [b"a", b"", b"xyz"], dtype=h5py.string_dtype("ascii"))
    dataset(f, "text/fixed", np.array([b"ab", b"", b"abcd"], "S4"))
    for pad, name, data in (
        (h5t.STR_SPACEPAD, "space", b"ab   a b  "), (h5t.STR_NULLTERM, "term", b"ab\0xxa b\0\0"), (h5t.STR_NULLPAD, "null", b"ab\0xxa b\0\0")):
        t = h5t.C_S1.copy()
        t.set_size(5)
        t.set_strpad(pad)
        want = {"space": [b"ab", b"a b"], "term": [b"ab", b"a b"], "null": [b"ab\0xx", b"a b"]}[name]
        raw(f, "text/" + name, t, data, ["s" + w.hex() for w in want])
    t = h5t.C_S1.copy()
    t.set_size(2)
    t.set_strpad(h5t.STR_NULLPAD)
    raw(f, "text/latin1", t, b"\xe9a", ["b" + b"\xe9a".hex()])


def compounds(f):
    inner = np.dtype([("x", "<i2"), ("y", ">f4", (2,))])
    outer = np.dtype({"names": ["n", "in", "text", "flag"], "formats": ["<u8", inner, "S3", "?"], "offsets": [4, 16, 40, 50], "itemsize": 64})
    data = np.zeros(3, outer)
    for i in range(3):
        data[i] = (i * 7, (i - 1, (i / 3, -i)), b"abc"[:i], i % 2)
    dataset(f, "compound/nested", data)
    dt = np.dtype([("id", "i4"), ("name", h5py.string_dtype()), ("data", h5py.vlen_dtype(np.dtype("<f8")))])
    data = np.empty(3, dt)
    for i in range(3):
        data[i] = (i, "name %d" % i * i, np.arange(i) / 7)
    dataset(f, "compound/varlen", data)
    t = h5t.array_create(h5t.STD_I16BE, (2, 3))
    raw(f, "array2", t, struct.pack(">12h", *range(-6, 6)), ["[%s]" % ",".join("i%d" % v for v in r) for r in np.arange(-6, 6).reshape(2, 6)])
    dataset(f, "enum", np.array([0, 1, 300, 7]), dtype=h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 300}, basetype=">i2"))
    d = f.create_dataset("sequence/int", (4,), h5py.vlen_dtype("<i4"))
    for i in range(4):
        d[i] = np.arange(i * 3)
    record(f, "/sequence/int", d, d.id.get_type())
    d = f.create_dataset("sequence/text", (2,), h5py.vlen_dtype(h5py.string_dtype()))
    d[0] = np.array(["a", "bcd", ""], object)
    record(f, "/sequence/text", d, d.id.get_type())
    dataset(f, "opaque", np.array([b"\1\2\3", b"\xff\0\0"], "V3"))


def references(f):
    g = f.create_group("ref/group")
    d = f.create_dataset("ref/data", data=np.arange(24).reshape(4, 6))
    dataset(f, "ref/objects", np.array([g.ref, d.ref, h5py.Reference(), f.ref], object), dtype=h5py.ref_dtype)
    regions = [d.regionref[1:3, ::2], h5py.RegionReference(), d.regionref[0], d.regionref[...], d.regionref[1:1]]
    sid = d.id.get_space()
    sid.select_elements(np.array([[3, 1], [0, 0], [2, 5], [0, 0]]))
    regions.append(h5r.create(f.id, b"/ref/data", h5r.DATASET_REGION, sid))
    sid.select_hyperslab((0, 0), (2, 2), (2, 3), (1, 2))
    regions.append(h5r.create(f.id, b"/ref/data", h5r.DATASET_REGION, sid))
    sid.select_hyperslab((1, 3), (1, 1), None, (2, 2), op=h5s.SELECT_OR)
    sid.select_hyperslab((2, 4), (1, 1), None, (2, 2), op=h5s.SELECT_OR)
    regions.append(h5r.create(f.id, b"/ref/data", h5r.DATASET_REGION, sid))
    sid.select_hyperslab((0, 1), (2, 3), (2, 2), op=h5s.SELECT_XOR)
    regions.append(h5r.create(f.id, b"/ref/data", h5r.DATASET_REGION, sid))
    dataset(f, "ref/regions", np.array(regions, object), dtype=h5py.regionref_dtype)
    row = np.empty(2, [("r", h5py.ref_dtype), ("n", "i4")])
    row[0], row[1] = (d.ref, 1), (h5py.Reference(), 2)
    dataset(f, "ref/compound", row)
    f.attrs["object"] = d.ref
    f.attrs["region"] = d.regionref[2, 3:5]
    for name in ("object", "region"):
        t = h5a.open(f.id, name.encode()).get_type()
        lines["/@" + name] = canon(f, t, f.attrs[name])


def revised(f):
    """The references of HDF5 1.12, by the library itself: h5py does not know them."""
    found = glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))
    if not found or h5py.version.hdf5_version_tuple < (1, 12, 0):
        return
    lib = ctypes.CDLL(found[0])
    hid = ctypes.c_int64
    ref = (ctypes.c_ubyte * 64 * 5)()
    f["ref/data"].attrs["unit"] = "V"
    name = b"/ref/data"
    assert lib.H5Rcreate_object(hid(f.id.id), name, hid(0), ctypes.byref(ref, 0)) >= 0
    space = h5s.create_simple((4, 6))
    space.select_hyperslab((1, 0), (2, 3), (1, 2))
    assert lib.H5Rcreate_region(hid(f.id.id), name, hid(space.id), hid(0), ctypes.byref(ref, 64)) >= 0
    assert lib.H5Rcreate_attr(hid(f.id.id), name, b"unit", hid(0), ctypes.byref(ref, 128)) >= 0
    assert lib.H5Rcreate_object(hid(f.id.id), b"/ref/group", hid(0), ctypes.byref(ref, 192)) >= 0
    lib.H5Screate_simple.restype = hid
    lib.H5Dcreate2.restype = hid
    dims = (ctypes.c_uint64 * 1)(5)
    sid = lib.H5Screate_simple(1, dims, None)
    tid = hid.in_dll(lib, "H5T_STD_REF_g")
    did = lib.H5Dcreate2(hid(f.id.id), b"ref/revised", tid, hid(sid), hid(0), hid(0), hid(0))
    assert lib.H5Dwrite(hid(did), tid, hid(0), hid(0), hid(0), ref) >= 0
    for i in range(4):
        lib.H5Rdestroy(ctypes.byref(ref, 64 * i))
    lib.H5Dclose(hid(did))
    lib.H5Sclose(hid(sid))
    lines["/ref/revised"] = "r/ref/data;R/ref/data:i6,i8,i10,i12,i14,i16;A/ref/data@unit;r/ref/group;null"


def complexes(f):
    if not hasattr(h5t, "COMPLEX_IEEE_F32BE"):
        return
    raw(f, "complex/class", h5t.COMPLEX_IEEE_F32BE, struct.pack(">4f", 1, -2, 0.1, np.inf),
        ["(%s,%s)" % (number(1), number(-2)), "(%s,%s)" % (number(np.float32(0.1)), number(np.inf))])


def main(path):
    with h5py.File(path, "w", libver=os.environ.get("LIBVER", "latest")) as f:
        for group in ("int", "float", "complex", "odd", "text", "compound", "sequence", "ref"):
            f.create_group(group)
        numbers(f)
        texts(f)
        compounds(f)
        references(f)
        revised(f)
        complexes(f)
    for path in sorted(lines):
        print(path + "\t" + lines[path])


main(sys.argv[1])
