"""Says of each image in a directory what h5py finds in it, object by object, as outside_trace.rs does."""

import pathlib
import sys
import zlib

import h5py
import numpy as np


def content(node):
    if isinstance(node, h5py.Group):
        text = "group"
    else:
        shape = ",".join(str(length) for length in node.shape)
        if h5py.check_string_dtype(node.dtype) is not None and node.dtype.kind == "O":
            raw = b"".join(value + b"\n" for value in node[()].ravel())
        elif node.dtype.kind in "iuf":
            # As the reader in Rust converts them.
            raw = np.asarray(node[()]).astype("<f8" if node.dtype.kind == "f" else "<i8").tobytes()
        else:
            raw = b""
        text = "dataset(%s):%d" % (shape, zlib.crc32(raw))
    if "changed" in node.attrs:
        text += ":%d" % node.attrs["changed"]
    return text


def walk(group, path, lines):
    for name in sorted(group):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        node, below = group[name], path + "/" + name
        identity = str(node.attrs["id"]) if "id" in node.attrs else "-"
        lines.append("\t".join([identity, below, content(node)]))
        if isinstance(node, h5py.Group):
            walk(node, below, lines)


for image in sorted(pathlib.Path(sys.argv[1]).iterdir(), key=lambda path: int(path.name)):
    try:
        lines = []
        with h5py.File(image, "r") as file:
            walk(file, "", lines)
        print("\v".join(lines))
    except Exception as error:
        print("error %s %s" % (type(error).__name__, str(error).replace("\n", " ")))
