"""mat73 opens the example; its first 128 bytes are those of a MAT-file, by scipy's reading."""

import importlib.metadata
import sys

import mat73
import numpy as np
import scipy.io.matlab

path = sys.argv[1]
data = mat73.loadmat(path)
assert sorted(data) == ["c", "greeting", "m", "point"], data
np.testing.assert_array_equal(data["m"], [[1, 2, 3], [4, 5, 6]])
assert data["m"].dtype == np.float64 and data["greeting"] == "Grüße"
assert data["point"]["label"] == "here" and float(data["point"]["x"]) == 0.5
assert data["c"][0] == "a cell" and data["c"][1].tolist() == [7.0, 8.0], data["c"]
# Version 2, which is HDF5, little-endian.
assert scipy.io.matlab.matfile_version(path) == (2, 0)
with open(path, "rb") as file:
    head = file.read(520)
assert head.startswith(b"MATLAB 7.3 MAT-file, ") and head[124:128] == b"\x00\x02IM", head[:128]
assert head[512:520] == b"\x89HDF\r\n\x1a\n"
print("read by mat73", importlib.metadata.version("mat73"))
