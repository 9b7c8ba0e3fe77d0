"""Reads HDF5 files from memory with libhdf5: each request is one letter, a length and a file; each answer a length and
text, "ok" or "error ..." in its first line.

R  the checksum of every object, as state.rs computes them
E  every dataset that can grow is made longer, and must hold its old values and fill after them
T  values are appended to every dataset that can grow, and all must then hold their old values and these

stock.py, whose text comes before this one's, has more.
"""

import io
import itertools
import struct
import sys
import zlib

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5o, h5p, h5s

images = itertools.count()


def values(array, is_text):
    if not is_text:
        return array.tobytes()
    out = []
    for value in array.ravel():
        raw = value if isinstance(value, bytes) else (value or "").encode()
        out.append(struct.pack("<I", len(raw)) + raw)
    return b"".join(out)


def shape_bytes(shape):
    return struct.pack("<%dQ" % len(shape), *shape)


def attributes(node):
    count = h5a.get_num_attrs(node)
    if count == 0:
        return b""
    out = []
    for number in range(count):
        attribute = h5a.open(node, index=number)
        head = b"A" + attribute.name + b"\0" + shape_bytes(attribute.shape)
        dtype = attribute.dtype
        is_text = dtype.kind == "O" and h5py.check_string_dtype(dtype) is not None
        if is_text or (dtype.kind in "if" and dtype.itemsize == 8):
            array = np.empty(attribute.shape, dtype=dtype)
            attribute.read(array)
            head += values(array, is_text)
        out.append((attribute.name, head))
    return b"".join(raw for _, raw in sorted(out))


def dataset(node):
    array = np.empty(node.shape, dtype=node.dtype)
    if array.size:
        node.read(h5s.ALL, h5s.ALL, array)
    return b"D" + shape_bytes(array.shape) + values(array, array.dtype.kind == "O")


def walk(group, path, lines, unread=()):
    names = sorted(group)
    raw = b"G" + b"\0".join(names) + attributes(group)
    lines.append("%d %s" % (zlib.crc32(raw), path or "/"))
    for name in names:
        node = h5o.open(group, name)
        below = path + "/" + name.decode()
        if isinstance(node, h5d.DatasetID):
            raw = b"" if h5o.get_info(node).addr in unread else dataset(node)
            lines.append("%d %s" % (zlib.crc32(raw + attributes(node)), below))
        else:
            walk(node, below, lines, unread)


def read(image):
    lines = ["ok"]
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(1 << 16, False)
    access.set_file_image(image)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    # A name of its own, or libhdf5 would give out a file that is still open under it.
    file = h5f.open(b"image %d" % next(images), h5f.ACC_RDONLY, fapl=access)
    try:
        walk(h5g.open(file, b"/"), "", lines)
    finally:
        file.close()
    return "\n".join(lines)


class Device(io.BytesIO):
    """As a file is: `truncate` makes it longer, too. libhdf5 asks for that in files of pages, which end with a page."""

    def truncate(self, size=None):
        size = self.tell() if size is None else size
        missing = size - len(self.getbuffer())
        if missing > 0:
            at = self.tell()
            self.seek(0, io.SEEK_END)
            self.write(bytes(missing))
            self.seek(at)
        return super().truncate(size)


def fills_heap(node, shape):
    """Whether the dataset, that had `shape`, is longer by a chunk, and has a fill value of variable length."""
    creation = node.id.get_create_plist()
    if node.dtype.kind != "O" or creation.fill_value_defined() != h5d.FILL_VALUE_USER_DEFINED:
        return False
    chunks = lambda dims: [-(-dim // chunk) for dim, chunk in zip(dims, node.chunks)]
    return chunks(node.shape) != chunks(shape)


def extend(image):
    device = Device(image)
    kept = {}
    with h5py.File(device, "r+") as file:
        datasets = []
        file.visititems(
            lambda name, node: datasets.append(node) if isinstance(node, h5py.Dataset) else None
        )
        for node in datasets:
            if node.maxshape == node.shape:
                continue
            kept[node.name] = (node.shape, node[()])
            grown = [d + 3 if m is None else min(d + 3, m) for d, m in zip(node.shape, node.maxshape)]
            node.resize(grown)
        file.attrs["extended by libhdf5"] = 1
    with h5py.File(io.BytesIO(device.getvalue()), "r") as file:
        # The places that libhdf5 made need not be in the file: it fills what it reads of them, in the heap where the
        # fill value is of variable length. So it refuses to read them from a file that it may not write, of its own too.
        filled = [name for name, (shape, _) in kept.items() if fills_heap(file[name], shape)]
        walk(file["/"].id, "", [], {h5o.get_info(file[name].id).addr for name in filled})
        for name, (shape, old) in kept.items():
            region = tuple(slice(0, d) for d in shape)
            if not np.array_equal(file[name][region], old):
                return "error %s: old values changed when libhdf5 extended it" % name
    with h5py.File(device, "r+") as file:
        for name, (shape, old) in kept.items():
            node = file[name]
            new = node[()]
            region = tuple(slice(0, d) for d in shape)
            if not np.array_equal(new[region], old):
                return "error %s: old values changed when libhdf5 read it" % name
            mask = np.ones(new.shape, dtype=bool)
            mask[region] = False
            fill = b"" if h5py.check_string_dtype(node.dtype) is not None else node.fillvalue
            if not all(value == fill for value in new[mask].ravel()):
                return "error %s: cells libhdf5 added are not fill" % name
    return "ok"


def plain(value):
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.void):
        return [plain(item) for item in value.item()]
    return value.item() if isinstance(value, np.generic) else value


def appended(dtype, text):
    """An element that no other dataset gets."""
    if h5py.check_string_dtype(dtype) is not None:
        return text
    base = h5py.check_vlen_dtype(dtype)
    if base is not None:
        return np.full(len(text), text[0], dtype=base)
    if dtype.names:
        return tuple(appended(dtype.fields[name][0], text) for name in dtype.names)
    return text[0] % 100


def append(image):
    device, expected = Device(image), {}
    with h5py.File(device, "r+") as file:
        datasets = []
        file.visititems(
            lambda name, node: datasets.append(node) if isinstance(node, h5py.Dataset) else None
        )
        expected = {node.name: plain(node[()]) for node in datasets}
        for number, node in enumerate(datasets):
            old = node.shape
            growing = [axis for axis, dim in enumerate(old) if node.maxshape[axis] != dim]
            if not growing or 0 in old[1:]:
                continue
            node.resize([dim + 2 * (axis == growing[0]) for axis, dim in enumerate(old)])
            new = tuple(slice(dim, None) if axis == growing[0] else slice(None) for axis, dim in enumerate(old))
            text = bytes([65 + number % 26]) * (3 + number // 26)
            values = np.empty(node[new].shape, dtype=node.dtype)
            for place in np.ndindex(values.shape):
                values[place] = appended(node.dtype, text)
            if h5py.check_string_dtype(node.dtype) is None and h5py.check_vlen_dtype(node.dtype) is not None:
                # h5py takes sequences of one length for an array of one more axis.
                for place in range(old[0], node.shape[0]):
                    node[place] = values[place - old[0]]
            else:
                node[new] = values
            model = np.empty(node.shape, dtype=object)
            for place in np.ndindex(values.shape):
                at = tuple(slot + (part.start or 0) for slot, part in zip(place, new))
                model[at] = plain(values[place])
            for place in np.ndindex(old):
                item = expected[node.name]
                for slot in place:
                    item = item[slot]
                model[place] = item
            expected[node.name] = model.tolist()
    with h5py.File(io.BytesIO(device.getvalue()), "r") as file:
        for name, values in expected.items():
            if plain(file[name][()]) != values:
                return "error %s: other values than libhdf5 wrote" % name
    return "ok"


def main():
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    answers = {
        b"R": read,
        b"E": extend,
        b"T": append,
        b"V": view,
        b"A": lambda raw: go_on(struct.unpack("<Q", raw[:8])[0], raw[8:]),
    }
    while True:
        head = source.read(5)
        if len(head) < 5:
            return
        image = source.read(struct.unpack("<I", head[1:])[0])
        # libhdf5 may hang: this ends it.
        if hasattr(signal, "alarm"):
            signal.alarm(60)
        try:
            answer = answers[head[:1]](image)
        except Exception as error:  # whatever a reader says about a file is an answer
            answer = "error %s: %s" % (type(error).__name__, error)
        raw = answer.encode()
        sink.write(struct.pack("<I", len(raw)) + raw)
        sink.flush()


main()
