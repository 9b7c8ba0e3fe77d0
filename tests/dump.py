"""Compares what this library reads of files with what h5py reads.

usage: dump.py LIST     LIST as tests/dump.rs writes it: `F path`, then `O object line` (the object in hex) or `E error`
"""
import collections
import struct
import os
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5o, h5r, h5s, h5t

MOST_ELEMENTS = 20_000
ORDERS = {h5t.ORDER_LE: "<", h5t.ORDER_BE: ">", h5t.ORDER_VAX: "v", h5t.ORDER_NONE: "<"}
PADDINGS = {h5t.STR_NULLTERM: "term", h5t.STR_NULLPAD: "null", h5t.STR_SPACEPAD: "space"}
CHARSETS = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf8"}
NORMS = {h5t.NORM_NONE: "none", h5t.NORM_MSBSET: "set", h5t.NORM_IMPLIED: "implied"}


def hexed(text):
    return text.hex() if isinstance(text, bytes) else text.encode("utf8", "surrogateescape").hex()


def integer(kind, t):
    return f"{kind}{ORDERS[t.get_order()]}{t.get_size()}o{t.get_offset()}p{t.get_precision()}"


def order_of(t):
    if t.get_class() == h5t.TIME:  # h5py does not ask for the order
        return "big" if t.equal(h5t.UNIX_D32BE) or t.equal(h5t.UNIX_D64BE) else "little"
    return "little" if t.get_order() == h5t.ORDER_LE else "big"


def type_text(t):
    kind = t.get_class()
    if isinstance(t, h5t.TypeEnumID):
        names = [hexed(t.get_member_name(i)) for i in range(t.get_nmembers())]
        return f"e({type_text(t.get_super())};{','.join(names)})"
    if kind == h5t.INTEGER:
        return integer("i" if t.get_sign() == h5t.SGN_2 else "u", t)
    if kind == h5t.FLOAT:
        sign, epos, esize, mpos, msize = t.get_fields()
        return (f"f{ORDERS[t.get_order()]}{t.get_size()}o{t.get_offset()}p{t.get_precision()}:{sign},{epos},{esize},"
                f"{mpos},{msize},{t.get_ebias()},{NORMS[t.get_norm()]}")
    if kind == h5t.TIME:
        return f"t{'<' if order_of(t) == 'little' else '>'}{t.get_size()}"
    if kind == h5t.STRING:
        how = f"{PADDINGS[t.get_strpad()]},{CHARSETS[t.get_cset()]}"
        return f"vs({how})" if t.is_variable_str() else f"s{t.get_size()}({how})"
    if kind == h5t.BITFIELD:
        return f"b{ORDERS[t.get_order()]}{t.get_size()}"
    if kind == h5t.OPAQUE:
        return f"o{t.get_size()}({hexed(t.get_tag())})"
    if kind == h5t.COMPOUND:
        members = [f"{hexed(t.get_member_name(i))}:{type_text(t.get_member_type(i))}" for i in range(t.get_nmembers())]
        return "{" + ",".join(members) + "}"
    if kind == h5t.REFERENCE:
        if t.equal(h5t.STD_REF_OBJ):
            return "r(object)"
        if t.equal(h5t.STD_REF_DSETREG):
            return "r(region)"
        return "r(2)"
    if kind == h5t.VLEN:
        return f"v({type_text(t.get_super())})"
    if kind == h5t.ARRAY:
        return f"a[{','.join(map(str, t.get_array_dims()))}]({type_text(t.get_super())})"
    return f"class {kind}"


class NotRead(Exception):
    """h5py has no value of it."""


def value_text(f, t, v):
    kind = t.get_class()
    if kind in (h5t.INTEGER, h5t.ENUM):
        return "i%d" % int(v)
    if kind == h5t.BITFIELD:
        return "B%d" % int(v)
    if kind == h5t.FLOAT:
        if t.get_size() > 8 and t.get_precision() == 80:
            return "F" + np.longdouble(v).tobytes()[9::-1].hex()
        if t.get_size() > 8:
            raise NotRead("a float of more than 64 bits")
        v = float(v)
        return "nan" if v != v else "f" + struct.pack(">d", v).hex()
    if kind == h5t.STRING:
        if not isinstance(v, (str, bytes)):
            raise NotRead(f"a string as {type(v).__name__}")
        return "s" + hexed(v)
    if kind == h5t.COMPOUND:
        count = t.get_nmembers()
        parts = [v.real, v.imag] if isinstance(v, (complex, np.complexfloating)) else [v[i] for i in range(count)]
        return "{" + ",".join(
            f"{hexed(t.get_member_name(i))}:{value_text(f, t.get_member_type(i), parts[i])}" for i in range(count)) + "}"
    if kind == h5t.ARRAY:
        base, dims = t.get_super(), t.get_array_dims()
        v = np.asarray(v)
        flat = v.reshape((-1,) + v.shape[len(dims):])
        return "[" + ",".join(value_text(f, base, x) for x in flat) + "]"
    if kind == h5t.VLEN:
        base = t.get_super()
        number = base.get_super() if base.get_class() == h5t.ENUM else base
        if number.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.BITFIELD) and number.get_order() == h5t.ORDER_BE:
            # h5py says big-endian of numbers that libhdf5 has converted (h5dump shows what they are).
            v = np.asarray(v).byteswap()
        return "<" + ",".join(value_text(f, base, x) for x in v) + ">"
    if kind == h5t.OPAQUE:
        # h5py gives some as text, whose zeros at the end numpy leaves out.
        return "b" + v.tobytes().ljust(t.get_size(), b"\0").hex()
    if kind == h5t.REFERENCE and isinstance(v, h5py.Reference):
        if not v:
            return "null"
        o = h5r.dereference(v, f.id)
        place = "%d" % h5o.get_info(o).addr
        return region_text(f, place, o, h5r.get_region(v, f.id)) if isinstance(v, h5py.RegionReference) else "r" + place
    raise NotRead(f"class {kind}")


def region_text(f, place, o, space):
    """The dataset of a region, and the values of its elements."""
    out = np.zeros(space.get_select_npoints(), o.dtype)
    o.read(h5s.create_simple(out.shape), space, out)
    return f"R{place}({values_text(f, o.get_type(), out.shape, out, o)})"


def raw_bits(o, t, count):
    """The elements of a bit field or a time, which h5py does not read."""
    size = t.get_size()
    out = np.zeros(count, f"V{size}")
    if isinstance(o, h5a.AttrID):
        o.read(out, mtype=t)
    else:
        o.read(h5s.ALL, h5s.ALL, out, mtype=t)
    order = order_of(t)
    kind = t.get_class()
    bits = [int.from_bytes(x.tobytes(), order) for x in out]
    return ";".join(("B" if kind == h5t.BITFIELD else "T") + str(x) for x in bits)


def values_text(f, t, shape, v, o):
    if isinstance(v, h5py.Empty):
        return ""
    if shape == ():
        return value_text(f, t, v)
    v = np.asarray(v)
    flat = v.reshape((-1,) + v.shape[len(shape):])
    return ";".join(value_text(f, t, x) for x in flat)


def read(f, o, t, shape, get):
    if t.get_class() in (h5t.BITFIELD, h5t.TIME):
        return raw_bits(o, t, int(np.prod(shape)) if shape is not None else 0)
    return values_text(f, t, shape, get(), o)


def or_why(run):
    try:
        return run()
    except Exception as error:
        return f"!{type(error).__name__}: {error}".replace("\n", " ").replace("\t", " ")


def some(data):
    shape = data.shape
    if shape is None or data.size <= MOST_ELEMENTS:
        return data[()]
    most = 1
    while (most + 1) ** len(shape) <= MOST_ELEMENTS:
        most += 1
    return data[tuple(slice(0, min(dim, most)) for dim in shape)]


def dims(shape):
    return "0" if shape is None else ",".join(map(str, shape))


def dump(f):
    lines, seen = {}, set()

    def location(path, kind, o):
        lines[path] = kind
        for i in range(h5a.get_num_attrs(o.id)):
            attribute = h5a.open(o.id, index=i)
            name = attribute.name
            try:
                text = name.decode("utf8")
            except UnicodeDecodeError:
                continue
            t = attribute.get_type()
            shape = None if attribute.get_space().get_simple_extent_type() == h5s.NULL else attribute.shape
            values = or_why(lambda: read(f, attribute, t, shape, lambda: o.attrs[text]))
            lines[f"{path}@{text}"] = f"{type_text(t)} [{dims(shape)}] {values}"

    def dataset(path, data):
        location(path, "", data)
        t = data.id.get_type()
        shape = data.shape
        # libhdf5 does not know the unlimited extent where lengths have fewer than 8 bytes.
        unlimited = (None, 256 ** f.id.get_create_plist().get_sizes()[1] - 1)
        maximum = "0" if shape is None else ",".join("*" if d in unlimited else str(d) for d in data.maxshape)
        values = or_why(lambda: read(f, data.id, t, shape, lambda: some(data)))
        lines[path] = f"dataset {type_text(t)} [{dims(shape)}] [{maximum}] {values}"

    def members(group, path):
        address = h5o.get_info(group.id).addr
        if address in seen:
            return
        seen.add(address)
        for name in sorted(group.id):
            try:
                text = name.decode("utf8")
            except UnicodeDecodeError:
                continue
            below = f"{path}/{text}"
            try:
                if isinstance(group.get(text, getlink=True), h5py.ExternalLink):
                    lines[below] = "!external link"
                    continue
                o = group[text]
            except Exception as error:
                lines[below] = f"!{type(error).__name__}"
                continue
            if isinstance(o, h5py.Dataset):
                dataset(below, o)
            elif isinstance(o, h5py.Group):
                location(below, "group", o)
                members(o, below)
            else:
                lines[below] = "?type"

    location("/", "group", f)
    members(f, "")
    return lines


def compare(path, ours, counts):
    try:
        f = h5py.File(path, "r")
    except Exception:
        counts["files h5py does not open" + (", nor we" if ours is None or isinstance(ours, str) else "")] += 1
        return
    with f:
        if isinstance(ours, str):
            counts["files only h5py opens"] += 1
            print(f"UNREAD {path}: {ours}")
            return
        counts["files"] += 1
        try:
            theirs = dump(f)
        except RuntimeError as error:
            # libhdf5 2.0 fails on the attributes of a file with a cache image that it opened only to read.
            assert os.path.basename(path) == "cache_image.h5", (path, error)
            counts["files h5py fails on"] += 1
            return
    for name in sorted(set(ours) | set(theirs)):
        a, b = ours.get(name), theirs.get(name)
        what = "attributes" if "@" in name else "objects"
        if a == b:
            counts[what + " equal"] += 1
            continue
        failed = [text is not None and any(part[:1] in "!?" for part in text.split(" ")) for text in (a, b)]
        if failed == [True, True]:
            counts[what + " neither reads"] += 1
        elif failed[1] and not failed[0] and a is not None:
            counts[what + " only we read"] += 1
            print(f"ONLY WE {path}:{name}: {b[:150]}")
        elif a is not None and "?" in a and failed[0]:
            counts[what + " not claimed: " + a[a.index("?") + 1:][:80]] += 1
        else:
            counts[what + " wrong"] += 1
            print(f"WRONG {path}:{name}:\n    ours   {(a or 'nothing')[:300]}\n    theirs {(b or 'nothing')[:300]}")


def main():
    files = []
    for line in open(sys.argv[1], encoding="utf8"):
        mark, _, rest = line.rstrip("\n").partition("\t")
        if mark == "F":
            files.append([rest, {}])
        elif mark == "E":
            files[-1][1] = rest
        else:
            name, _, text = rest.partition("\t")
            files[-1][1][bytes.fromhex(name).decode("utf8")] = text
    counts = collections.Counter()
    for path, ours in files:
        compare(path, ours, counts)
    for what, count in sorted(counts.items()):
        print(f"{count} {what}")


if __name__ == "__main__":
    main()
