"""Makes the golden bytes of src/dtype and src/filter with h5py (libhdf5 2.0) and numpy on x86-64.

python make_types.py   writes types/*.bin and filters/*.bin beside itself
"""
import io
import os
import struct

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))


def write(name, data):
    path = os.path.join(here, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


def raw(values, dtype):
    """The bytes of a contiguous dataset as libhdf5 stores them, and the whole file."""
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="latest") as file:
        dataset = file.create_dataset("d", data=values, dtype=dtype)
        offset, size = dataset.id.get_offset(), dataset.id.get_storage_size()
    data = memory.getvalue()
    return data[offset:offset + size], data


def kind(size, tid, values):
    """Elements written through the low-level interface with the file's type `tid`."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        space = h5py.h5s.create_simple((len(values),))
        dataset = h5py.h5d.create(file.id, b"d", tid, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array(values, dtype=f"S{size}"),
                      h5py.h5t.py_create(np.dtype(f"S{size}"), logical=True))
        offset, length = dataset.get_offset(), dataset.get_storage_size()
    return memory.getvalue()[offset:offset + length]


numbers = {
    "i1": [0, 1, -1, -128, 127], "i2": [0, 1, -1, -32768, 258], "i4": [0, 1, -1, -2**31, 0x01020304],
    "i8": [0, 1, -1, -2**63, 0x0102030405060708],
    "u1": [0, 1, 2, 128, 255], "u2": [0, 1, 2, 65535, 258], "u4": [0, 1, 2, 2**32 - 1, 0x01020304],
    "u8": [0, 1, 2, 2**64 - 1, 0x0102030405060708],
    "f2": [0, -0.0, 1.5, -65504, np.inf], "f4": [0, -0.0, 1.5, -1e-45, np.inf],
    "f8": [0, -0.0, 1.5, -5e-324, np.inf],
}
for name, values in numbers.items():
    for mark, order in (("le", "<"), ("be", ">")):
        write(f"types/{name}_{mark}.bin", raw(np.array(values, dtype=name), order + name)[0])

# bfloat16: converted by libhdf5 from 32-bit values.
memory = io.BytesIO()
with h5py.File(memory, "w") as file:
    tid = h5py.h5t.IEEE_F32LE.copy()
    tid.set_fields(15, 7, 8, 0, 7)
    tid.set_precision(16)
    tid.set_size(2)
    tid.set_ebias(127)
    dataset = h5py.h5d.create(file.id, b"d", tid, h5py.h5s.create_simple((4,)))
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0, 1, -2.5, 3.0e38], "f4"))
    offset = dataset.get_offset()
write("types/bf16_le.bin", memory.getvalue()[offset:offset + 8])

write("types/bool.bin", raw(np.array([True, False, True]), bool)[0])
memory = io.BytesIO()
with h5py.File(memory, "w") as file:
    dataset = file.create_dataset("d", (2,), np.dtype((">f4", (2, 3))))
    dataset[...] = np.arange(12, dtype="f4").reshape(2, 2, 3)
    offset = dataset.id.get_offset()
write("types/array_f4_be.bin", memory.getvalue()[offset:offset + 48])

texts = [b"", b"ab", b"abcd"]
for name, padding in (("null_pad", h5py.h5t.STR_NULLPAD), ("space_pad", h5py.h5t.STR_SPACEPAD)):
    tid = h5py.h5t.C_S1.copy()
    tid.set_size(4)
    tid.set_strpad(padding)
    write(f"types/string4_{name}.bin", kind(4, tid, texts))
tid = h5py.h5t.C_S1.copy()
tid.set_size(5)
tid.set_strpad(h5py.h5t.STR_NULLTERM)
write("types/string5_null_term.bin", kind(4, tid, texts))
write("types/unicode4.bin", raw(np.array(["µm".encode(), b"s"], h5py.string_dtype("utf-8", 4)), None)[0])

# Variable-length strings: the elements, then the whole heap collection they name.
elements, file = raw(["abc", "Ångström", ""], h5py.string_dtype())
address = struct.unpack_from("<Q", elements, 4)[0]
size = struct.unpack_from("<Q", file, address + 8)[0]
write("types/varlen.bin", elements)
write("types/varlen_heap.bin", file[address:address + size])

# Compounds, with the gaps that C leaves, and without; numbers of both orders, an enumeration, an array, a string.
fields = [("id", "u1"), ("x", "<f8"), ("y", ">i2"), ("level", h5py.enum_dtype({"LOW": -300, "HIGH": 5}, "<i2")), ("ok", "?"),
          ("at", ">f4", (2,)), ("name", "S3")]
for name, align in (("padded", True), ("packed", False)):
    dtype = np.dtype(fields, align=align)
    values = np.zeros(2, dtype)
    values[0] = (1, 0.5, -2, -300, True, (1, -1.5), b"abc")
    values[1] = (255, 1e300, 258, 5, False, (0, 3), b"")
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="v110") as file:
        dataset = file.create_dataset("d", data=values, dtype=dtype)
        offset, size = dataset.id.get_offset(), dataset.id.get_storage_size()
    write(f"types/compound_{name}.bin", memory.getvalue()[offset:offset + size])

# longdouble: its bytes as stored (the padding is not defined: cleared here), then the f64 the processor rounds to.
one = np.longdouble(1)
eps = np.ldexp(one, -53)
interesting = [np.longdouble(v) for v in (0.0, -0.0, 1, -1, 1.5, 0.1, np.inf, -np.inf, np.nan, 5e-324, 2.2250738585072014e-308,
                                          1.7976931348623157e308, 2**63 - 1, 2**64 - 1, -2**63)]
interesting += [
    one / 3, one / 10, np.ldexp(one, 16383), np.ldexp(one, -16382), np.ldexp(one, -16445), np.finfo(np.longdouble).max,
    one + eps, one + eps + np.ldexp(one, -63), one + eps - np.ldexp(one, -63), one + 3 * eps,
    -(one + eps), np.ldexp(one, 1024), np.ldexp(one, 1024) - np.ldexp(one, 970), np.ldexp(one, 1024) - np.ldexp(one, 970) - np.ldexp(one, 960),
    np.ldexp(one, 1024) - np.ldexp(one, 970) + np.ldexp(one, 961),
    np.ldexp(one, -1075), np.ldexp(one, -1075) + np.ldexp(one, -1138), np.ldexp(one, -1076), np.ldexp(one * 3, -1075),
    np.ldexp(one * 5, -1075), np.ldexp(one, -1022) - np.ldexp(one, -1075), np.ldexp(one, -1022) - np.ldexp(one, -1074),
    np.ldexp(one, -1022) - np.ldexp(one, -1080), np.ldexp(one, -1022) + np.ldexp(one, -1075),
    np.ldexp(one, -1074) + np.ldexp(one, -1137), np.ldexp(one, -5000),
]
random = np.random.default_rng(5)
for _ in range(400):
    mantissa = int(random.integers(0, 2**63)) | 1 << 63
    exponent = int(random.integers(-1140, -1010)) if random.random() < 0.5 else int(random.integers(-1100, 1030))
    interesting.append(np.ldexp(np.longdouble(mantissa), exponent - 63) * (1 if random.random() < 0.5 else -1))
for _ in range(100):
    # Near the middle between two values of f64.
    mantissa = int(random.integers(2**52, 2**53)) << 11 | 1 << 10
    mantissa += int(random.integers(-1, 2))
    interesting.append(np.ldexp(np.longdouble(mantissa), int(random.integers(-1000, 900))))
values = np.array(interesting, np.longdouble)
stored = np.frombuffer(raw(values, np.longdouble)[0], "u1").reshape(-1, 16).copy()
stored[:, 10:] = 0
with np.errstate(all="ignore"):
    rounded = values.astype("<f8")
write("types/longdouble.bin", stored.tobytes())
write("types/longdouble_as_f64.bin", rounded.tobytes())
integers = np.array([0, 1, -1, 2**62 + 1, -2**63, 2**63 - 1, 123456789012345677], "<i8")
stored = np.frombuffer(integers.astype(np.longdouble).tobytes(), "u1").reshape(-1, 16).copy()
stored[:, 10:] = 0
write("types/integers_i8.bin", integers.tobytes())
write("types/integers_longdouble.bin", stored.tobytes())

# Chunks through filters: the values, and the stored bytes.
values = (np.arange(1000) ** 2 % 1013).astype("<i4")
write("filters/values_i4.bin", values.tobytes())
pipelines = {
    "deflate": dict(compression=6), "shuffle": dict(shuffle=True), "fletcher32": dict(fletcher32=True),
    "shuffle_deflate": dict(shuffle=True, compression=4),
    "shuffle_deflate_fletcher32": dict(shuffle=True, compression=9, fletcher32=True),
}


def chunk(values, **options):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        dataset = file.create_dataset("d", data=values, chunks=values.shape, **options)
        plist = dataset.id.get_create_plist()
        print(options, [plist.get_filter(i) for i in range(plist.get_nfilters())])
        mask, data = dataset.id.read_direct_chunk((0,) * values.ndim)
        assert mask == 0
    return data


for name, options in pipelines.items():
    write(f"filters/{name}.bin", chunk(values, **options))
# Checksums of all lengths around the blocks of the algorithm, and words that sum to multiples of 65535.
out = b""
for length in [1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 719, 721, 5793, 11584]:
    patterns = [np.full(length, 255, "u1")]
    if length < 6000:
        patterns.append(np.arange(length) * 7 + 3)
    if length < 100:
        patterns.append(np.zeros(length, "u1"))
    for data in patterns:
        stored = chunk(data.astype("u1"), fletcher32=True)
        out += struct.pack("<I", length) + stored
write("filters/checksums.bin", out)
for size in (2, 3, 8, 16):
    data = np.frombuffer(bytes(i * 37 % 251 for i in range(size * 37)), f"V{size}")
    write(f"filters/shuffle_{size}.bin", chunk(data, shuffle=True))
