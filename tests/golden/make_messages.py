"""Writes tests/golden/messages: header messages and object headers as libhdf5 (through h5py) makes them.

Run: python tests/golden/make_messages.py   (made with h5py 3.16, libhdf5 2.0.0)

The bytes are cut out of the files by the walk below, which knows nothing of the crate. index.txt has one line for
each message: name, type, flags, version of the header it came from. Headers and blocks have "header" or "block" for
the type.
"""

import ctypes
import glob
import os
import struct
import tempfile

import h5py
import numpy as np
from h5py import h5d, h5o, h5p, h5s, h5t

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "messages")
KINDS = {
    "dataspace": 1, "link_info": 2, "datatype": 3, "fill_old": 4, "fill": 5, "link": 6, "layout": 8, "group_info": 10,
    "pipeline": 11, "attribute": 12, "continuation": 16, "modified": 18, "attribute_info": 21, "references": 22,
}
index = []


def library():
    """libhdf5 as h5py has loaded it, for what h5py has no call for."""
    site = os.path.dirname(os.path.dirname(h5py.__file__))
    return ctypes.CDLL(glob.glob(os.path.join(site, "h5py.libs", "libhdf5-*"))[0])


def emit(name, kind, flags, version, data):
    with open(os.path.join(HERE, name + ".bin"), "wb") as out:
        out.write(data)
    index.append(f"{name} {kind} {flags} {version}")


def walk(raw, address):
    """All messages of the object header at `address` and its blocks: (version, blocks, messages)."""
    messages, blocks, todo = [], [], []
    if raw[address:address + 4] == b"OHDR":
        version, flags = 2, raw[address + 5]
        at = address + 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(raw[at:at + width], "little")
        at += width
        blocks.append(raw[address:at + size + 4])
        todo.append((at, at + size))
        head = 6 if flags & 4 else 4
    else:
        version, head = 1, 8
        size = struct.unpack_from("<I", raw, address + 8)[0]
        todo.append((address + 16, address + 16 + size))
    while todo:
        at, end = todo.pop(0)
        while end - at >= head:
            if version == 2:
                kind, length, message_flags = struct.unpack_from("<BHB", raw, at)
            else:
                kind, length, message_flags = struct.unpack_from("<HHB", raw, at)
            data = raw[at + head:at + head + length]
            messages.append((kind, message_flags, data))
            if kind == 16:
                start, length16 = struct.unpack("<QQ", data[:16])
                if version == 2:
                    blocks.append(raw[start:start + length16])
                    todo.append((start + 4, start + length16 - 4))
                else:
                    todo.append((start, start + length16))
            at += head + length
    return version, blocks, messages


class Maker:
    """A file of one format version; `keep` notes which messages of which object are wanted."""

    def __init__(self, low, high):
        self.path = tempfile.mktemp(".h5")
        self.file = h5py.File(self.path, "w", libver=(low, high))
        self.wanted = []

    def keep(self, obj, name, *kinds):
        low = obj.id if isinstance(obj, h5py.HLObject) else obj
        self.wanted.append((h5o.get_info(low).addr, name, kinds))

    def done(self):
        self.file.close()
        raw = open(self.path, "rb").read()
        os.remove(self.path)
        for address, name, kinds in self.wanted:
            version, blocks, messages = walk(raw, address)
            for kind in kinds:
                if kind == "header":
                    emit(name + "-header", "header", 0, version, blocks[0])
                    continue
                if kind == "block":
                    emit(name + "-block", "block", 0, version, blocks[1])
                    continue
                kind, _, nth = kind.partition("#")
                found = [m for m in messages if m[0] == KINDS[kind]]
                _, flags, data = found[int(nth or 0)]
                emit(f"{name}-{kind}" + (nth and "-" + nth), KINDS[kind], flags, version, data)


def quad(base):
    quad = base.copy()
    quad.set_size(16)
    quad.set_precision(128)
    quad.set_fields(127, 112, 15, 0, 112)
    quad.set_ebias(16383)
    return quad


def low_string(size, padding, charset):
    string = h5t.C_S1.copy()
    string.set_size(size)
    string.set_strpad(padding)
    string.set_cset(charset)
    return string


def opaque(tag):
    kind = h5t.create(h5t.OPAQUE, 5)
    kind.set_tag(tag)
    return kind


def twelve_bits():
    kind = h5t.STD_I16LE.copy()
    kind.set_precision(12)
    kind.set_offset(3)
    return kind


PAIR = np.dtype([("x", "<f4"), ("count", "<i8")])
NESTED = np.dtype({"names": ["flag", "name", "values", "pair"],
                   "formats": [np.bool_, h5py.string_dtype(), ("<u2", (3, 4)), PAIR],
                   "offsets": [0, 8, 24, 300], "itemsize": 400})
TYPES = {
    "i8": h5t.STD_I8LE, "u8": h5t.STD_U8LE, "i32le": h5t.STD_I32LE, "u64be": h5t.STD_U64BE,
    "i16-of-12-bits": twelve_bits(), "bits16": h5t.STD_B16LE, "f16": h5t.IEEE_F16LE, "f32": h5t.IEEE_F32LE,
    "f64be": h5t.IEEE_F64BE, "x86-extended": h5t.py_create(np.dtype(np.longdouble)), "quad": quad(h5t.IEEE_F64LE),
    "quad-be": quad(h5t.IEEE_F64BE), "bool": h5t.py_create(np.dtype(bool)),
    "string-terminated": low_string(7, h5t.STR_NULLTERM, h5t.CSET_ASCII),
    "string-padded": low_string(8, h5t.STR_NULLPAD, h5t.CSET_UTF8),
    "string-spaces": low_string(9, h5t.STR_SPACEPAD, h5t.CSET_ASCII),
    "var-string": h5t.py_create(h5py.string_dtype(), logical=True),
    "var-string-ascii": h5t.py_create(h5py.string_dtype("ascii"), logical=True),
    "var-i32": h5t.py_create(h5py.vlen_dtype("<i4"), logical=True),
    "array": h5t.array_create(h5t.STD_U8LE, (3, 4)), "pair": h5t.py_create(PAIR),
    "nested": h5t.py_create(NESTED, logical=True), "object-reference": h5t.STD_REF_OBJ,
    "region-reference": h5t.STD_REF_DSETREG, "opaque": opaque(b"a tag"),
    "var-of-pairs": h5t.vlen_create(h5t.py_create(PAIR)),
}


def types(maker, prefix, names):
    for name in names:
        kind = TYPES[name].copy()
        kind.commit(maker.file.id, name.encode())
        maker.keep(kind, prefix + name, "datatype")


def chunked(maker, name, *kinds, **options):
    options.setdefault("dtype", "<f4")
    maker.keep(maker.file.create_dataset(name, **options), name, *kinds)


def modern():
    m = Maker("v110", "v110")
    f = m.file
    types(m, "", TYPES)
    chunked(m, "contiguous", "layout", "fill", "dataspace", data=np.arange(6, dtype="<f4").reshape(2, 3))
    chunked(m, "contiguous-empty", "layout", shape=(4,))
    chunked(m, "single", "layout", "dataspace", data=np.ones((10, 300), "<f4"), chunks=(10, 300))
    chunked(m, "single-gzip", "layout", "pipeline", data=np.ones((10, 10), "<f4"), chunks=(10, 10), compression=4)
    chunked(m, "fixed-array", "layout", data=np.ones((10, 10), "<f4"), chunks=(2, 5))
    chunked(m, "extensible-array", "layout", "dataspace", data=np.ones((10, 10), "<f4"), chunks=(2, 10),
            maxshape=(None, 10))
    chunked(m, "btree-v2", "layout", "dataspace", data=np.ones((10, 10), "<f4"), chunks=(2, 5), maxshape=(None, None))
    chunked(m, "wide-chunk", "layout", shape=(70000,), chunks=(70000,), maxshape=(None,))
    chunked(m, "filters", "pipeline", shape=(100,), chunks=(10,), shuffle=True, compression=6, fletcher32=True)
    chunked(m, "fill-7", "fill", shape=(4,), fillvalue=7, dtype="<i4")
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5d.FILL_TIME_NEVER)
    plist.set_chunk((5,))
    implicit = h5d.create(f.id, b"implicit", h5t.STD_I32LE, h5s.create_simple((20,), (20,)), plist)
    m.keep(implicit, "implicit", "layout", "fill")
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(h5d.COMPACT)
    compact = h5d.create(f.id, b"compact", h5t.STD_U8LE, h5s.create_simple((4,)), plist)
    compact.write(h5s.ALL, h5s.ALL, np.array([1, 2, 3, 4], "u1"))
    m.keep(compact, "compact", "layout")
    virtual = h5py.VirtualLayout((4,), "<f4")
    virtual[:] = h5py.VirtualSource("other.h5", "data", (4,))
    m.keep(f.create_virtual_dataset("virtual", virtual), "virtual", "layout")
    f["scalar"] = 1.5
    m.keep(f["scalar"], "scalar", "dataspace")
    f["null"] = h5py.Empty("f4")
    m.keep(f["null"], "null", "dataspace")

    group = f.create_group("links")
    f["links/hard"] = f["scalar"]
    f["links/soft"] = h5py.SoftLink("/scalar")
    f["links/external"] = h5py.ExternalLink("other.h5", "/data")
    f["links/größe"] = f["scalar"]
    f["links/" + "n" * 300] = f["scalar"]
    m.keep(group, "links", "link#0", "link#1", "link#2", "link#3", "link#4", "link_info", "group_info", "header")
    m.keep(f["scalar"], "linked", "references")
    ordered = f.create_group("ordered", track_order=True)
    ordered["first"] = h5py.SoftLink("x")
    ordered.attrs["a"] = np.int32(1)
    m.keep(ordered, "ordered", "link", "link_info", "attribute_info", "attribute", "header")
    dense = f.create_group("dense", track_order=True)
    for number in range(20):
        dense[str(number)] = f["scalar"]
        dense.attrs[str(number)] = number
    m.keep(dense, "dense", "link_info", "attribute_info")

    target = f.create_dataset("attributes", (3,), "<i4", track_times=True)
    m.keep(target, "attributes", "header", "block", "continuation", "attribute", "attribute#1", "attribute#2")
    f.create_group("behind")  # so that the header cannot grow where it is
    target.attrs["größe"] = "viel"
    target.attrs["vector"] = np.arange(3, dtype=">i4")
    target.attrs["fixed"] = np.bytes_(b"abc")
    target.attrs["long"] = np.arange(100, dtype="<i4")
    target.attrs["spaces"] = 3.5
    plist = h5p.create(h5p.GROUP_CREATE)
    plist.set_attr_phase_change(20, 3)
    plist.set_link_creation_order(h5p.CRT_ORDER_TRACKED)
    phase = h5py.h5g.create(f.id, b"phase", gcpl=plist)
    m.keep(phase, "phase", "header", "link_info")
    plist = h5p.create(h5p.GROUP_CREATE)
    assert library().H5Pset_link_phase_change(ctypes.c_int64(plist.id), 40, 10) >= 0
    assert library().H5Pset_est_link_info(ctypes.c_int64(plist.id), 200, 12) >= 0
    m.keep(h5py.h5g.create(f.id, b"changing", gcpl=plist), "changing", "group_info")
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((4, 3))
    plist.set_deflate(3)
    assert library().H5Pset_chunk_opts(ctypes.c_int64(plist.id), 2) >= 0
    space = h5s.create_simple((5, 4), (h5s.UNLIMITED, h5s.UNLIMITED))
    edges = h5d.create(f.id, b"edges", h5t.NATIVE_INT32, space, plist)
    edges.write(h5s.ALL, h5s.ALL, np.ones((5, 4), "<i4"))
    m.keep(edges, "edges", "layout")
    m.done()


def latest():
    m = Maker("latest", "latest")
    chunked(m, "v5-filtered", "layout", "pipeline", data=np.ones((10, 10), "<f4"), chunks=(2, 10),
            maxshape=(None, 10), compression=1)
    chunked(m, "v5-single", "layout", data=np.ones((10, 10), "<f4"), chunks=(10, 10), compression=1)
    kind = h5t.COMPLEX_IEEE_F32LE.copy()
    kind.commit(m.file.id, b"complex")
    m.keep(kind, "complex", "datatype")
    types(m, "v5-", ["array", "nested"])
    m.done()


def earliest():
    m = Maker("earliest", "v110")
    types(m, "v1-", ["i32le", "bool", "pair", "nested", "array", "var-string"])
    chunked(m, "v1-chunked", "layout", "fill", "dataspace", "modified", "pipeline", data=np.ones((10, 10), "<f4"),
            chunks=(2, 5), maxshape=(None, 10), shuffle=True, compression=6, fletcher32=True, track_times=True)
    chunked(m, "v1-contiguous", "layout", "fill", "fill_old", "dataspace", "attribute", shape=(4,), fillvalue=7)
    m.file["v1-contiguous"].attrs["units"] = np.bytes_(b"m/s")
    m.done()


os.makedirs(HERE, exist_ok=True)
for old in os.listdir(HERE):
    os.remove(os.path.join(HERE, old))
modern()
latest()
earliest()
with open(os.path.join(HERE, "index.txt"), "w") as out:
    out.write("\n".join(sorted(index)) + "\n")
